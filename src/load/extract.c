/* SPDX-License-Identifier: Apache-2.0
 *
 * Variables are few, so a list; each is one piece of memory. A jq filter that is only a path (.a.b[0].c) is walked in our
 * own JSON tree, which keeps integers exact; others go to libjq, whose states are one a loop because its counters of
 * references are not atomic. */
#include "load/extract.h"

#include "base/arena.h"
#include "base/json.h"
#include "rt/jq.h"

#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* --- variables ------------------------------------------------------------------------------------------------------ */

typedef struct Variable {
	struct Variable *next;
	size_t name_len, value_len;
	char bytes[];
} Variable;

void variables_fini(Variables *variables)
{
	while (variables->first) {
		Variable *variable = variables->first;

		variables->first = variable->next;
		free(variable);
	}
}

static bool is_called(const Variable *variable, Str name)
{
	return str_eq((Str){ variable->bytes, variable->name_len }, name);
}

void variables_set(Variables *variables, Str name, Str value)
{
	Variable **at = &variables->first;
	Variable *fresh = malloc(sizeof *fresh + name.len + value.len);
	Variable *old;

	if (!fresh)
		abort();
	while (*at && !is_called(*at, name))
		at = &(*at)->next;
	old = *at;
	*fresh = (Variable){ .next = old ? old->next : NULL,
		             .name_len = name.len,
		             .value_len = value.len };
	memcpy(fresh->bytes, name.at, name.len);
	if (value.len)
		memcpy(fresh->bytes + name.len, value.at, value.len);
	*at = fresh;
	free(old);
}

bool variables_get(const Variables *variables, Str name, Str *value)
{
	for (const Variable *v = variables->first; v; v = v->next)
		if (is_called(v, name)) {
			*value = (Str){ v->bytes + v->name_len, v->value_len };
			return true;
		}
	return false;
}

/* --- compiling ------------------------------------------------------------------------------------------------------ */

typedef struct Find {
	const ExtractConf *conf;
	pcre2_code *pattern;
	bool path; /* the filter is only a path */
	Jq **jq;   /* one a loop */
} Find;

struct Seeker {
	const StepConf *step;
	pcre2_code *pattern; /* of the check */
	Find *finds;
	size_t find_count;
};

static void free_pattern(void *arg)
{
	pcre2_code_free(arg);
}

static pcre2_code *compile(Arena *a, Str pattern)
{
	PCRE2_SIZE at;
	int error;
	pcre2_code *code;

	if (!pattern.len)
		return NULL;
	code = pcre2_compile((PCRE2_SPTR)pattern.at, pattern.len, 0, &error, &at, NULL);
	if (!code)
		return NULL; /* the row has refused it */
	pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
	arena_defer(a, free_pattern, code);
	return code;
}

static bool is_name_char(char c, bool first)
{
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (!first && c >= '0' && c <= '9');
}

/* The next part of a path: ".name" or "[3]". False: it is not one. */
static bool next_part(Str *rest, Str *name, uint64_t *index)
{
	size_t i = 1;

	*name = (Str){ 0 };
	if (rest->at[0] == '.') {
		while (i < rest->len && is_name_char(rest->at[i], i == 1))
			i++;
		*name = str_sub(*rest, 1, i);
		*rest = str_sub(*rest, i, rest->len);
		return name->len > 0 || (i == 1 && rest->len && rest->at[0] == '[');
	}
	if (rest->at[0] != '[')
		return false;
	while (i < rest->len && rest->at[i] != ']')
		i++;
	if (i == rest->len || !str_to_u64(str_sub(*rest, 1, i), index))
		return false;
	*rest = str_sub(*rest, i + 1, rest->len);
	return true;
}

static bool is_path(Str filter)
{
	Str rest = filter, name;
	uint64_t index;

	if (!rest.len || rest.at[0] != '.')
		return false;
	while (rest.len)
		if (!next_part(&rest, &name, &index))
			return false;
	return true;
}

static void free_jq(void *arg)
{
	jq_free(arg);
}

static Err *compile_find(Arena *a, const ExtractConf *conf, unsigned loops, Find *find)
{
	*find = (Find){ .conf = conf,
		        .pattern = compile(a, conf->pattern),
		        .path = is_path(conf->jq) };
	if (!conf->jq.len || find->path)
		return NULL;
	find->jq = ARENA_ARRAY(a, Jq *, loops);
	for (unsigned i = 0; i < loops; i++) {
		TRY(jq_new(a, conf->jq, &find->jq[i]));
		arena_defer(a, free_jq, find->jq[i]);
	}
	return NULL;
}

Err *seeker_new(Arena *a, const StepConf *step, unsigned loops, Seeker **out)
{
	Seeker *seeker = ARENA_NEW(a, Seeker);

	*seeker = (Seeker){ .step = step,
		            .pattern = compile(a, step->check.pattern),
		            .finds = ARENA_ARRAY(a, Find, step->extract.count + 1),
		            .find_count = step->extract.count };
	for (size_t i = 0; i < step->extract.count; i++)
		TRY(compile_find(a, &step->extract.at[i], loops, &seeker->finds[i]));
	*out = seeker;
	return NULL;
}

bool seeker_wants_body(const Seeker *seeker)
{
	if (seeker->pattern || seeker->step->check.body.len)
		return true;
	for (size_t i = 0; i < seeker->find_count; i++)
		if (seeker->finds[i].pattern || seeker->finds[i].conf->jq.len)
			return true;
	return false;
}

/* --- looking -------------------------------------------------------------------------------------------------------- */

/* The first group, or all of it. */
static bool match(const pcre2_code *code, Str text, Str *found)
{
	pcre2_match_data *data = pcre2_match_data_create_from_pattern(code, NULL);
	PCRE2_SIZE *at;
	int count;

	if (!data)
		abort();
	count = pcre2_match(code, (PCRE2_SPTR)text.at, text.len, 0, 0, data, NULL);
	at = pcre2_get_ovector_pointer(data);
	if (count > 0) {
		size_t group = count > 1 && at[2] != PCRE2_UNSET ? 1 : 0;

		*found = str_sub(text, at[2 * group], at[2 * group + 1]);
	}
	pcre2_match_data_free(data);
	return count > 0;
}

bool seeker_check(const Seeker *seeker, const Answer *answer)
{
	const CheckConf *check = &seeker->step->check;
	Str found;

	if (answer->wanted.len && str_find(answer->body, answer->wanted) < 0)
		return false;
	if (seeker->pattern && !match(seeker->pattern, answer->body, &found))
		return false;
	for (size_t i = 0; i < check->headers.count; i++) {
		const NamedText *row = &check->headers.at[i];

		if (str_find(headers_get_name(answer->headers, row->name), row->text) < 0)
			return false;
	}
	return true;
}

static bool find_header(const Headers *headers, Str name, Str *found)
{
	for (uint32_t i = 0; i < headers->count; i++)
		if (str_eq_nocase(headers->at[i].name, name)) {
			*found = headers->at[i].value;
			return true;
		}
	return false;
}

static bool find_cookie(const Headers *headers, Str name, Str *found)
{
	for (uint32_t i = 0; i < headers->count; i++) {
		Str rest = headers->at[i].value, pair, key;

		if (headers->at[i].id != HTTP_SET_COOKIE || !str_split(&rest, ';', &pair) ||
		    !str_split(&pair, '=', &key) || !str_eq(str_trim(key), name) || !pair.at)
			continue;
		*found = str_trim(pair);
		return true;
	}
	return false;
}

static bool walk(Arena *a, Str path, Str body, Str *found)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	const Json *value;
	Str rest = path, name;
	uint64_t index = 0;

	if (json_read(a, body, 0, &value))
		return false;
	while (rest.len && next_part(&rest, &name, &index))
		if (name.len)
			value = json_get(value, name);
		else if (index || rest.len || json_kind(value) == JSON_KIND_ARRAY)
			value = json_at(value, (size_t)index);
	if (!value || json_kind(value) == JSON_KIND_NULL)
		return false;
	if (json_to_str(value, found))
		return true;
	json_put(&w, value);
	*found = str_dup(a, buf_str(&b));
	return true;
}

static bool find_one(const Find *find, const Answer *answer, unsigned loop, Arena *a, Str *found)
{
	const ExtractConf *conf = find->conf;

	if (find->pattern)
		return match(find->pattern, answer->body, found);
	if (conf->header.len)
		return find_header(answer->headers, conf->header, found);
	if (conf->cookie.len)
		return find_cookie(answer->headers, conf->cookie, found);
	if (find->path)
		return walk(a, conf->jq, answer->body, found);
	return find->jq && jq_first(find->jq[loop], a, answer->body, found);
}

bool seeker_extract(const Seeker *seeker, const Answer *answer, unsigned loop, Variables *into)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	bool all = true;

	for (size_t i = 0; i < seeker->find_count; i++) {
		const Find *find = &seeker->finds[i];
		Str found;

		if (find_one(find, answer, loop, a, &found))
			variables_set(into, find->conf->variable, found);
		else if (find->conf->has_otherwise)
			variables_set(into, find->conf->variable, find->conf->otherwise);
		else
			all = false;
	}
	return all;
}

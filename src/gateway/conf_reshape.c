/* SPDX-License-Identifier: Apache-2.0
 *
 * `reshape:` of a route, row by row: what must differ in requests for the new side, and what of its answers must be put
 * back. A filter is compiled when it is read, so that a mistake is named where it stands and in the compiler's words.
 *
 * Renames are a map between places, not steps one after another: all values are taken first, then all are put. So two
 * fields may change places, and the map can be turned round for answers. That holds as long as no place lies within
 * another on its own side, which is what the check below sees to. */
#include "gateway/conf_reshape.h"

#include "base/arena.h"
#include "gateway/conf_int.h"
#include "gateway/template.h"
#include "http/message.h"
#include "rt/jq.h"

/* --- paths ---------------------------------------------------------------------------------------------------------- */

static Err *bad_path(Arena *a, Str text, const char *why)
{
	return err_new(a, ERR_INVALID, "conf.value", "%.*s: %s", STR_ARG(str_quote(a, text)), why);
}

static bool is_name_char(char c, bool first)
{
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (!first && c >= '0' && c <= '9');
}

/* What stands before *rest's first `len` bytes is taken off. */
static Str cut(Str *rest, size_t len)
{
	Str head = str_sub(*rest, 0, len);

	*rest = str_sub(*rest, len, rest->len);
	return head;
}

/* A part after its dot: name or "name". False: it is neither. */
static bool read_name(Str *rest, Str *name)
{
	size_t len = 0;
	ptrdiff_t end;

	if (rest->len && rest->at[0] == '"') {
		cut(rest, 1);
		end = str_find_char(*rest, '"');
		if (end < 0 || str_find_char(str_sub(*rest, 0, (size_t)end), '\\') >= 0)
			return false;
		*name = cut(rest, (size_t)end);
		cut(rest, 1);
		return name->len > 0;
	}
	while (len < rest->len && is_name_char(rest->at[len], len == 0))
		len++;
	*name = cut(rest, len);
	return len > 0;
}

Err *reshape_path_read(Arena *a, Str text, ReshapePath *out)
{
	ReshapePath path = { .names = ARENA_ARRAY(a, Str, RESHAPE_DEPTH) };
	Str rest = text;

	if (!text.len || text.at[0] != '.')
		return bad_path(a, text, "expected a path such as .user.name or .items[].price");
	if (str_starts(text, S(".[")))
		cut(&rest, 1);
	while (rest.len) {
		if (path.count == RESHAPE_DEPTH)
			return bad_path(a, text, "a path has at most 32 parts");
		path.names[path.count] = (Str){ 0 };
		if (str_starts(rest, S("[]")))
			cut(&rest, 2);
		else if (!str_starts(rest, S(".")) ||
		         (cut(&rest, 1), !read_name(&rest, &path.names[path.count])))
			return bad_path(
				a, text,
				"expected .name, .\"odd name\" or []; more than that is for jq");
		path.count++;
	}
	if (!path.names[path.count - 1].len)
		return bad_path(a, text, "it must end with the name of a field");
	*out = path;
	return NULL;
}

size_t reshape_path_shared(const ReshapePath *path)
{
	size_t shared = path->count;

	while (shared && path->names[shared - 1].len)
		shared--;
	return shared;
}

static bool same_parts(const ReshapePath *x, const ReshapePath *y, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!str_eq(x->names[i], y->names[i]))
			return false;
	return true;
}

/* --- single values -------------------------------------------------------------------------------------------------- */

static Err *verify_place(Arena *a, Str text)
{
	ReshapePath path;

	return reshape_path_read(a, text, &path);
}

Err *conf_verify_jq(Arena *a, Str text)
{
	Err *err = text.len ? jq_check(a, text) : NULL;

	return err ? err_new(a, ERR_INVALID, "conf.value", "%.*s", STR_ARG(err->text)) : NULL;
}

static Err *verify_type(Arena *a, Str text)
{
	ptrdiff_t slash = str_find_char(text, '/');

	if (slash <= 0 || !http_is_token(str_sub(text, 0, (size_t)slash)) ||
	    !http_is_token(str_sub(text, (size_t)slash + 1, text.len)))
		return err_new(a, ERR_INVALID, "conf.value",
		               "%.*s: expected a type such as text/x-json",
		               STR_ARG(str_quote(a, text)));
	return NULL;
}

/* --- rows ----------------------------------------------------------------------------------------------------------- */

static const ConfKey move_keys[] = {
	{ "from", CONF_NAME, AT(ReshapeMoveConf, from), .verify = verify_place,
	  .help = "where the value stands: .user.name, .items[].price, .\"odd name\"" },
	{ "to", CONF_STR, AT(ReshapeMoveConf, to), .required = true, .verify = verify_place,
	  .value = "PATH", .help = "where it is to stand, through the same arrays" },
};
static const ConfTable move_table = { "place", CONF_ROWS(ReshapeMoveConf, move_keys),
	                              .shorthand = "to",
	                              .help = "a value of a JSON body that moves" };

static const ConfKey rename_keys[] = {
	{ "from", CONF_NAME, AT(ReshapeRenameConf, from), .verify = verify_condition_name,
	  .help = "the parameter's name" },
	{ "to", CONF_STR, AT(ReshapeRenameConf, to), .required = true,
	  .verify = verify_condition_name, .value = "NAME", .help = "and its new one" },
};
static const ConfTable rename_table = { "parameter", CONF_ROWS(ReshapeRenameConf, rename_keys),
	                                .shorthand = "to",
	                                .help = "a parameter that gets another name" };

static const ConfKey set_keys[] = {
	{ "name", CONF_NAME, AT(ReshapeSetConf, name), .verify = verify_condition_name,
	  .help = "the parameter's name" },
	{ "value", CONF_STR, AT(ReshapeSetConf, value), .required = true, .max = "1000",
	  .help = "its value, not escaped" },
};
static const ConfTable set_table = { "set", CONF_ROWS(ReshapeSetConf, set_keys),
	                             .shorthand = "value", .help = "a parameter that is set" };

static const ConfKey query_keys[] = {
	{ "rename", CONF_OBJECT, AT_MAP(ReshapeQueryConf, rename), .table = &rename_table,
	  .help = "parameters that get another name, all at once" },
	{ "set", CONF_OBJECT, AT_MAP(ReshapeQueryConf, set), .table = &set_table,
	  .help = "parameters, by name: instead of all that are there of that name" },
	{ "remove", CONF_STR, AT_LIST(ReshapeQueryConf, remove), .verify = verify_condition_name,
	  .value = "NAME", .help = "names of parameters that are taken out" },
};
static const ConfTable query_table = { "query", CONF_ROWS(ReshapeQueryConf, query_keys),
	                               .help = "changes to the query; the rest stays as it came" };

static ConfCheck check_side, check_reshape;

static const ConfKey side_keys[] = {
	{ "rename", CONF_OBJECT, AT_MAP(ReshapeSideConf, rename), .table = &move_table,
	  .help = "fields of the JSON body that move, in this direction only",
	  .more = "Exact: every number stays as it is written." },
	{ "remove", CONF_STR, AT_LIST(ReshapeSideConf, remove), .verify = verify_place,
	  .value = "PATH", .help = "fields that are taken out, after the renames" },
	{ "jq", CONF_STR, AT(ReshapeSideConf, jq), .max = "65536", .verify = conf_verify_jq,
	  .value = "FILTER",
	  .help = "a jq filter that makes one value of the body, after the others",
	  .more = "Its numbers are doubles: a body that it would damage is refused, and 12.50 becomes 12.5." },
	{ "headers", CONF_OBJECT, AT(ReshapeSideConf, headers), .table = &fields_conf_table,
	  .help = "what is changed in the headers" },
};

static const ConfTable side_table = { "direction", CONF_ROWS(ReshapeSideConf, side_keys),
	                              .check = check_side, .help = "requests, or answers" };

static const ConfKey reshape_keys[] = {
	{ "path", CONF_STR, AT(ReshapeConf, path), .verify = verify_rewrite, .value = "TEMPLATE",
	  .help = "the path for the new side: /v2/people/{id}, /people{rest}" },
	{ "query", CONF_OBJECT, AT(ReshapeConf, query), .table = &query_table,
	  .help = "what is changed in the query" },
	{ "rename", CONF_OBJECT, AT_MAP(ReshapeConf, rename), .table = &move_table,
	  .help = "fields of JSON bodies that have another place on the new side",
	  .more = "Moved in requests, and moved back in answers. Exact: every number stays as it is written." },
	{ "request", CONF_OBJECT, AT(ReshapeConf, request), .table = &side_table,
	  .help = "what is changed in requests, after `rename`" },
	{ "answer", CONF_OBJECT, AT(ReshapeConf, answer), .table = &side_table,
	  .help = "what is changed in answers, after `rename`" },
	{ "statuses", CONF_STR, AT(ReshapeConf, statuses), .def = "200-299",
	  .verify = verify_status, .value = "STATUS",
	  .help = "answers whose bodies are changed: 200 or 200-299",
	  .more = "Headers are changed in all." },
	{ "types", CONF_STR, AT_LIST(ReshapeConf, types), .verify = verify_type, .value = "TYPE",
	  .help = "what counts as JSON, beside application/json and what ends in +json" },
	{ "body", CONF_BYTES, AT(ReshapeConf, body), .def = "1MiB", .min = "1KiB", .max = "64MiB",
	  .help = "the largest body that is changed, or made",
	  .more = "A larger request is refused with 413, a larger answer with 502." },
	{ "time", CONF_DURATION, AT(ReshapeConf, time_us), .def = "250ms", .min = "10ms",
	  .max = "10s", .help = "processor time for one run of a jq filter" },
	{ "memory", CONF_BYTES, AT(ReshapeConf, memory), .def = "64MiB", .min = "1MiB",
	  .max = "1GiB", .help = "memory for one run of a jq filter" },
};
const ConfTable reshape_conf_table = {
	"reshape", CONF_ROWS(ReshapeConf, reshape_keys), .check = check_reshape,
	.help = "requests and answers of the new side made to fit where its form is another"
};

/* --- what rows cannot say alone ------------------------------------------------------------------------------------- */

static bool is_within(const ReshapePath *inner, const ReshapePath *outer)
{
	return outer->count <= inner->count && same_parts(inner, outer, outer->count);
}

static bool is_shared(const ReshapePath *from, const ReshapePath *to)
{
	size_t shared = reshape_path_shared(from);

	return shared == reshape_path_shared(to) && same_parts(from, to, shared);
}

/* The places of one list of renames, of which those are of no use that were a mistake already. */
typedef struct Places {
	ReshapePath *from, *to;
	size_t count;
} Places;

static void check_apart(Conf *conf, const ReshapeMoveConf *at, const Places *places, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (is_within(&places->from[i], &places->from[k]) ||
		    is_within(&places->from[k], &places->from[i]))
			conf_mistake(conf, &at[i].from,
			             "%.*s: %.*s lies there too, so what moves is not clear",
			             STR_ARG(at[i].from), STR_ARG(at[k].from));
		else if (is_within(&places->to[i], &places->to[k]) ||
		         is_within(&places->to[k], &places->to[i]))
			conf_mistake(conf, &at[i].to, "%.*s: %.*s is put there too",
			             STR_ARG(at[i].to), STR_ARG(at[k].to));
	}
}

static void check_moves(Conf *conf, const ReshapeMoveConf *at, size_t count)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Places places = { ARENA_ARRAY(a, ReshapePath, count + 1),
		          ARENA_ARRAY(a, ReshapePath, count + 1), count };

	for (size_t i = 0; i < count; i++) {
		if (reshape_path_read(a, at[i].from, &places.from[i]) ||
		    reshape_path_read(a, at[i].to, &places.to[i]))
			return; /* its row has said so */
		if (!is_shared(&places.from[i], &places.to[i]))
			conf_mistake(
				conf, &at[i].to,
				"%.*s: up to its last [] it must be as %.*s; more than that is for jq",
				STR_ARG(at[i].to), STR_ARG(at[i].from));
		check_apart(conf, at, &places, i);
	}
}

static void check_side(Conf *conf, void *object)
{
	const ReshapeSideConf *side = object;

	check_moves(conf, side->rename.at, side->rename.count);
}

static void check_reshape(Conf *conf, void *object)
{
	ReshapeConf *r = object;

	check_moves(conf, r->rename.at, r->rename.count);
	status_range_split(r->statuses, &r->status_min, &r->status_max);
}

static void check_values(Conf *conf, const MatchConf *match, const FieldConf *at, size_t count)
{
	AUTO(arena_freep) Arena *a = arena_new(0);

	for (size_t i = 0; i < count; i++) {
		Str mistake = template_mistake(a, TEMPLATE_FIELD, at[i].value, match);

		if (mistake.len)
			conf_mistake(conf, &at[i].value, "value: %.*s", STR_ARG(mistake));
	}
}

void reshape_conf_check_route(Conf *conf, const MatchConf *match, const ReshapeConf *r)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Str mistake = { 0 };

	if (r->path.len)
		mistake = template_mistake(a, TEMPLATE_PATH, r->path, match);
	if (mistake.len)
		conf_mistake(conf, &r->path, "path: %.*s", STR_ARG(mistake));
	check_values(conf, match, r->request.headers.set.at, r->request.headers.set.count);
	check_values(conf, match, r->request.headers.add.at, r->request.headers.add.count);
	check_values(conf, match, r->answer.headers.set.at, r->answer.headers.set.count);
	check_values(conf, match, r->answer.headers.add.at, r->answer.headers.add.count);
}

static bool reads(const ReshapeConf *conf, const ReshapeSideConf *side)
{
	return conf->rename.count + side->rename.count + side->remove.count + side->jq.len > 0;
}

bool reshape_conf_reads_request(const ReshapeConf *conf)
{
	return reads(conf, &conf->request);
}

bool reshape_conf_reads_answer(const ReshapeConf *conf)
{
	return reads(conf, &conf->answer);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Paths of bodies: read from rules, matched, written into keys.
 *
 * In JSON they are jq's: `.a.b`, `.items[].price`, `.["odd key"]`, `.prices.*`; `..name` is one at any depth, for rules only.
 * A single item cannot be named (`[3]`): keys are counted over many answers, and the fourth item is another one each time.
 * In HTML they are a little of XPath: `/html/body/p`, `//footer`, `*`, `/html/body/a/@href`.
 *
 * A pattern is matched against the whole place; that it holds for all below follows from how bodies are walked. */
#include "shift/compare_int.h"

#include "base/hash.h"

#include <string.h>

enum { KEY_LONG = 100, KEY_ID = 16, KEY_ID_DIGITS = 4 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool compare_key_is_data(Str key)
{
	size_t digits = 0;

	if (!key.len || key.len > KEY_LONG || is_digit(key.at[0]))
		return true;
	for (size_t i = 0; i < key.len; i++) {
		char c = key.at[i];

		digits += is_digit(c);
		if (!is_letter(c) && !is_digit(c) && !(c == '-' && i && i + 1 < key.len) &&
		    !((c == '$' || c == '@') && i == 0 && key.len > 1))
			return true;
	}
	if (digits && memchr(key.at, '-', key.len)) /* order-17 */
		return true;
	return key.len >= KEY_ID && digits >= KEY_ID_DIGITS;
}

/* --- reading -------------------------------------------------------------------------------------------------------- */

typedef struct PathReader {
	Arena *arena;
	Str text;
	size_t at;
	Step steps[COMPARE_STEPS_MAX];
	size_t count;
	size_t deep;
} PathReader;

static Err *refuse(const PathReader *r, const char *why)
{
	return err_new(r->arena, ERR_INVALID, "compare.path", "%.*s is no path: %s",
	               STR_ARG(str_quote(r->arena, r->text)), why);
}

static bool next_is(const PathReader *r, char c)
{
	return r->at < r->text.len && r->text.at[r->at] == c;
}

static bool take(PathReader *r, char c)
{
	bool is = next_is(r, c);

	r->at += is;
	return is;
}

static Err *add_step(PathReader *r, Step step)
{
	if (r->count == COMPARE_DEPTH_MAX)
		return refuse(r, "it has more than 64 steps");
	r->deep += step.deep;
	if (r->deep > COMPARE_DEEP_MAX)
		return refuse(r, "it has more than three steps of any depth");
	r->steps[r->count++] = step;
	return NULL;
}

static Err *read_quoted(PathReader *r, Step *step)
{
	size_t from = r->at++;
	const Json *json;

	while (r->at < r->text.len && r->text.at[r->at] != '"')
		r->at += 1 + (r->text.at[r->at] == '\\');
	if (r->at >= r->text.len)
		return refuse(r, "a quote is not closed");
	r->at++;
	if (json_read(r->arena, str_sub(r->text, from, r->at), 0, &json) ||
	    !json_to_str(json, &step->key))
		return refuse(r, "what stands in quotes is no string of JSON");
	return NULL;
}

static Err *read_name(PathReader *r, Step *step)
{
	size_t from = r->at;

	if (take(r, '*')) {
		step->kind = STEP_ANY;
		return NULL;
	}
	if (next_is(r, '"'))
		return read_quoted(r, step);
	while (r->at < r->text.len && (unsigned char)r->text.at[r->at] > ' ' &&
	       !strchr(".[]\"*/", r->text.at[r->at]))
		r->at++;
	if (r->at == from)
		return refuse(r, "a name must come after a \".\"");
	step->key = str_sub(r->text, from, r->at);
	return NULL;
}

static Err *read_bracket(PathReader *r, Step *step)
{
	r->at++;
	if (take(r, ']')) {
		step->kind = STEP_ITEM;
		return NULL;
	}
	if (!next_is(r, '"'))
		return refuse(
			r,
			"[] stands for every item, [\"name\"] for a key; one item cannot be named");
	TRY(read_quoted(r, step));
	return take(r, ']') ? NULL : refuse(r, "a \"]\" is missing");
}

static Err *read_json_path(PathReader *r)
{
	if (r->text.len == 1)
		return NULL;
	while (r->at < r->text.len) {
		Step step = { 0 };

		if (next_is(r, '[') && r->at) {
			TRY(read_bracket(r, &step));
		} else if (!take(r, '.')) {
			return refuse(r, "a \".\" or a \"[\" must come here");
		} else {
			step.deep = take(r, '.');
			if (next_is(r, '['))
				TRY(read_bracket(r, &step));
			else
				TRY(read_name(r, &step));
		}
		TRY(add_step(r, step));
	}
	return NULL;
}

static Err *read_html_path(PathReader *r)
{
	if (r->text.len == 1)
		return NULL;
	while (r->at < r->text.len) {
		Step step = { 0 };
		size_t from;

		if (!take(r, '/'))
			return refuse(r, "nothing may come after an attribute");
		step.deep = take(r, '/');
		from = r->at;
		take(r, '@');
		while (r->at < r->text.len &&
		       (is_letter(r->text.at[r->at]) || is_digit(r->text.at[r->at]) ||
		        strchr("-:*.", r->text.at[r->at])))
			r->at++;
		step.key = str_lower(r->arena, str_sub(r->text, from, r->at));
		if (!step.key.len || str_eq(step.key, S("@")))
			return refuse(r, "the name of an element must come after a \"/\"");
		if (str_eq(step.key, S("*")))
			step.kind = STEP_ANY;
		TRY(add_step(r, step));
		if (step.key.at[0] == '@' && r->at < r->text.len)
			return refuse(r, "nothing may come after an attribute");
	}
	return NULL;
}

static bool is_printable(Str text)
{
	while (text.len) {
		uint32_t code = 0;
		size_t len = str_utf8(text, &code);

		if (!len || code < ' ' || code == 0x7f)
			return false;
		text = str_sub(text, len, text.len);
	}
	return true;
}

Err *compare_path_read(Arena *a, Str text, Pattern *out)
{
	PathReader r = { .arena = a, .text = text };
	bool html = str_starts(text, S("/"));
	Step *steps;

	if (!is_printable(text))
		return refuse(&r, "it must be text in UTF-8");
	if (!html && !str_starts(text, S(".")))
		return refuse(&r, "it must begin with \".\" (JSON) or \"/\" (HTML)");
	TRY(html ? read_html_path(&r) : read_json_path(&r));
	steps = ARENA_ARRAY(a, Step, r.count + 1);
	if (r.count)
		memcpy(steps, r.steps, r.count * sizeof *steps);
	*out = (Pattern){ .steps = steps, .count = r.count, .html = html };
	return NULL;
}

Err *compare_verify_path(Arena *a, Str text)
{
	Pattern pattern;

	return compare_path_read(a, text, &pattern);
}

/* --- matching ------------------------------------------------------------------------------------------------------- */

static bool step_fits(const Step *pattern, const Step *step)
{
	switch ((StepKind)pattern->kind) {
	case STEP_KEY:
		return step->kind != STEP_ITEM && str_eq(pattern->key, step->key);
	case STEP_ITEM: /* the values of an object too, as in jq */
		return true;
	case STEP_ANY:
		return step->kind != STEP_ITEM;
	}
	return false;
}

static bool fits(const Step *pattern, size_t count, const Step *steps, size_t left)
{
	for (; count; pattern++, count--, steps++, left--) {
		for (size_t skip = 0; pattern->deep && skip < left; skip++)
			if (step_fits(pattern, steps + skip) &&
			    fits(pattern + 1, count - 1, steps + skip + 1, left - skip - 1))
				return true;
		if (pattern->deep || !left || !step_fits(pattern, steps))
			return false;
	}
	return !left;
}

bool compare_path_fits(const Pattern *pattern, const Step *steps, size_t count)
{
	if (count < pattern->count ||
	    (pattern->count && !step_fits(&pattern->steps[pattern->count - 1], &steps[count - 1])))
		return false;
	return fits(pattern->steps, pattern->count, steps, count);
}

/* --- writing -------------------------------------------------------------------------------------------------------- */

static bool is_plain(Str key)
{
	for (size_t i = 0; i < key.len; i++)
		if (!is_letter(key.at[i]) && !is_digit(key.at[i]))
			return false;
	return key.len && !is_digit(key.at[0]);
}

static void put_json_step(Buf *b, const Step *step, bool first)
{
	if (step->kind == STEP_ITEM) {
		buf_put(b, first ? S(".[]") : S("[]"));
	} else if (step->kind == STEP_ANY) {
		buf_put(b, S(".*"));
	} else if (is_plain(step->key)) {
		buf_putc(b, '.');
		buf_put(b, step->key);
	} else {
		buf_put(b, first ? S(".[") : S("["));
		json_put_quoted(b, step->key);
		buf_putc(b, ']');
	}
}

void compare_path_put(Buf *b, const Step *steps, size_t count, bool html)
{
	size_t from = b->len;

	if (!count)
		buf_putc(b, html ? '/' : '.');
	for (size_t i = 0; i < count; i++) {
		if (html) {
			buf_putc(b, '/');
			buf_put(b, steps[i].key);
		} else {
			put_json_step(b, &steps[i], i == 0);
		}
	}
	if (b->len - from > COMPARE_PATH_MAX) { /* two long paths must not become one */
		Str whole = str_sub(buf_str(b), from, b->len);
		uint64_t hash = hash_stable(whole, 0, 0);
		size_t keep = from + COMPARE_PATH_MAX - 12;

		while (keep > from && ((unsigned char)b->at[keep] & 0xc0) == 0x80)
			keep--;
		b->len = keep;
		buf_fmt(b, "...%08x", (unsigned)hash);
	}
}

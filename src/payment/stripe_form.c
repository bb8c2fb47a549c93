/* SPDX-License-Identifier: Apache-2.0
 *
 * Forms with brackets. Names are split into parts and hung into a tree, the tree is written as JSON, and that is read: so one reader
 * judges forms and JSON, and what the tree cannot say (a name twice) never gets into it.
 *
 * Order is kept: a list is a list only when its parts came as 0, 1, 2 or as empty brackets; anything else is an object whose keys happen to be
 * numbers (metadata may have such). */
#include "payment/stripe_form.h"

#include "base/arena.h"

typedef struct Part Part;
struct Part {
	Str name;
	Str value;
	bool leaf;   /* it has a value, and no parts */
	bool pushed; /* of empty brackets: "the next" */
	Part *first, *last, *next;
	size_t count;
};

#define form_err(a, ...) err_new((a), ERR_INVALID, "payment.form", __VA_ARGS__)

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		return (c | 0x20) - 'a' + 10;
	return -1;
}

static bool is_text(Str text)
{
	uint32_t code;

	for (size_t i = 0, bytes; i < text.len; i += bytes) {
		bytes = str_utf8(str_sub(text, i, text.len), &code);
		if (!bytes || !code)
			return false;
	}
	return true;
}

static Err *decode(Arena *a, Str raw, Str *out)
{
	char *at = arena_alloc_raw(a, raw.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < raw.len; i++) {
		char c = raw.at[i] == '+' ? ' ' : raw.at[i];

		if (c == '%') {
			int high = i + 2 < raw.len ? digit_of(raw.at[i + 1]) : -1;
			int low = i + 2 < raw.len ? digit_of(raw.at[i + 2]) : -1;

			if (high < 0 || low < 0)
				return form_err(a,
				                "a %% of the form is not followed by two digits");
			c = (char)(high * 16 + low);
			i += 2;
		}
		at[len++] = c;
	}
	*out = (Str){ at, len };
	return is_text(*out) ? NULL
	                     : form_err(a, "a part of the form is not UTF-8, or has a NUL in it");
}

/* --- the tree ----------------------------------------------------------------------------------------------------------- */

static Part *part_find(const Part *under, Str name)
{
	for (Part *part = under->first; part; part = part->next)
		if (!part->pushed && str_eq(part->name, name))
			return part;
	return NULL;
}

static Part *part_add(Arena *a, Part *under, Str name)
{
	Part *part = ARENA_NEW(a, Part);

	part->name = name;
	part->pushed = !name.len;
	if (under->last)
		under->last->next = part;
	else
		under->first = part;
	under->last = part;
	under->count++;
	return part;
}

/* "[]": the next of a list, or, where more follows (items[][price]), the last one as long as it has no such part. */
static Part *part_push(Arena *a, Part *under, Str rest)
{
	Part *last = under->last;
	Str inner;

	if (last && last->pushed && !last->leaf && rest.len > 2 && rest.at[0] == '[') {
		inner = str_sub(rest, 1, (size_t)MAX(str_find_char(rest, ']'), 1));
		if (inner.len && !part_find(last, inner))
			return last;
	}
	return part_add(a, under, S(""));
}

static Err *wrong_name(Arena *a, Str name)
{
	return form_err(a, "the name %.*s has brackets that do not fit",
	                STR_ARG(str_quote(a, name)));
}

/* The part of a name: "items[0][price]" from "[0]" on. */
static Err *descend(Arena *a, Part *root, Str name, Part **out)
{
	ptrdiff_t open = str_find_char(name, '[');
	Str rest = open < 0 ? (Str){ 0 } : str_sub(name, (size_t)open, name.len);
	Str key = open < 0 ? name : str_sub(name, 0, (size_t)open);
	Part *part = part_find(root, key);

	if (!key.len || str_find_char(key, ']') >= 0)
		return wrong_name(a, name);
	part = part ? part : part_add(a, root, key);
	for (int depth = 0; rest.len; depth++) {
		ptrdiff_t close = str_find_char(rest, ']');

		if (rest.at[0] != '[' || close < 1 || depth == STRIPE_FORM_DEPTH)
			return wrong_name(a, name);
		key = str_sub(rest, 1, (size_t)close);
		rest = str_sub(rest, (size_t)close + 1, rest.len);
		if (part->leaf || str_find_char(key, '[') >= 0)
			return wrong_name(a, name);
		if (!key.len)
			part = part_push(a, part, rest);
		else
			part = part_find(part, key) ?: part_add(a, part, key);
	}
	*out = part;
	return NULL;
}

static Err *add_pair(Arena *a, Part *root, Str pair)
{
	ptrdiff_t equals = str_find_char(pair, '=');
	Str name, value;
	Part *part = NULL;

	TRY(decode(a, equals < 0 ? pair : str_sub(pair, 0, (size_t)equals), &name));
	TRY(decode(a, equals < 0 ? (Str){ 0 } : str_sub(pair, (size_t)equals + 1, pair.len),
	           &value));
	TRY(descend(a, root, name, &part));
	if (part->leaf || part->first)
		return form_err(a, "%.*s is given twice", STR_ARG(str_quote(a, name)));
	part->leaf = true;
	part->value = value;
	return NULL;
}

/* --- as JSON ------------------------------------------------------------------------------------------------------------- */

static bool is_list(const Part *part)
{
	size_t i = 0;

	for (const Part *p = part->first; p; p = p->next, i++) {
		uint64_t n;

		if (!p->pushed && (!str_to_u64(p->name, &n) || n != i))
			return false;
	}
	return i > 0;
}

/* An object has no member without a name: empty brackets beside names. */
static bool is_mixed(const Part *part)
{
	for (const Part *p = part->first; p; p = p->next)
		if (p->pushed)
			return true;
	return false;
}

static Err *put(Arena *a, JsonWriter *w, const Part *part)
{
	bool list = is_list(part);

	if (part->leaf) {
		json_add_str(w, part->value);
		return NULL;
	}
	if (!list && is_mixed(part))
		return form_err(a, "%.*s has empty brackets beside names",
		                STR_ARG(str_quote(a, part->name)));
	if (list)
		json_begin_array(w);
	else
		json_begin_object(w);
	for (const Part *p = part->first; p; p = p->next) {
		if (!list)
			json_key(w, p->name);
		TRY(put(a, w, p));
	}
	json_end(w);
	return NULL;
}

Err *stripe_form_read(Arena *a, Str text, const Json **out)
{
	AUTO(buf_fini) Buf b = { .limit = 1 << 20 };
	JsonWriter w = json_writer(&b);
	Part root = { .name = S("the form") };
	size_t count = 0;
	Str pair, json;

	if (text.len > STRIPE_FORM_BYTES)
		return err_new(a, ERR_TOO_LARGE, "payment.form_size",
		               "the form is larger than %d bytes", (int)STRIPE_FORM_BYTES);
	while (text.len && str_split(&text, '&', &pair)) {
		if (!pair.len)
			continue;
		if (++count > STRIPE_FORM_PAIRS)
			return form_err(a, "the form has more than %d names",
			                (int)STRIPE_FORM_PAIRS);
		TRY(add_pair(a, &root, pair));
	}
	json_begin_object(&w);
	for (const Part *p = root.first; p; p = p->next) {
		json_key(&w, p->name);
		TRY(put(a, &w, p));
	}
	json_end(&w);
	TRY(json_done(&w, &json));
	return json_read(a, json, 0, out);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Headers. Compared is what a client or a browser acts on: what the body is, where to go, what is remembered, who may see
 * and keep it, and the guards whose loss nobody notices. Not compared is what differs by nature or belongs to one connection:
 * Date, Server, ETag, Last-Modified, Content-Length, Age, Via, ids, and everything else that no rule names.
 *
 * Each header is made into a text that is the same when it means the same: members of lists without their order, media types
 * without the charset that JSON does not have, an address without its host when the other side gives none. Of
 * Content-Security-Policy only the presence counts: its nonces change with each answer.
 *
 * Of a cookie the name counts, and what guards it (Path, Domain, Secure, HttpOnly, SameSite, and whether it is being deleted); its
 * value and its end are never looked at. */
#include "shift/compare_int.h"

#include <stdlib.h>
#include <string.h>

enum { COOKIES_MAX = 64, COOKIE_NAME_MAX = 64, LIST_MAX = 64 };

typedef enum HeadForm {
	HEAD_TEXT,
	HEAD_MEDIA,
	HEAD_LIST,
	HEAD_URL,
	HEAD_PRESENT,
	HEAD_COOKIES
} HeadForm;

typedef struct HeadRow {
	Str name;
	HeadForm form;
} HeadRow;

static const HeadRow chosen[] = {
	{ { "content-type", 12 }, HEAD_MEDIA },
	{ { "location", 8 }, HEAD_URL },
	{ { "set-cookie", 10 }, HEAD_COOKIES },
	{ { "cache-control", 13 }, HEAD_LIST },
	{ { "vary", 4 }, HEAD_LIST },
	{ { "allow", 5 }, HEAD_LIST },
	{ { "content-language", 16 }, HEAD_LIST },
	{ { "content-disposition", 19 }, HEAD_TEXT },
	{ { "www-authenticate", 16 }, HEAD_TEXT },
	{ { "access-control-allow-origin", 27 }, HEAD_TEXT },
	{ { "access-control-allow-credentials", 32 }, HEAD_TEXT },
	{ { "x-frame-options", 15 }, HEAD_LIST },
	{ { "x-content-type-options", 22 }, HEAD_LIST },
	{ { "strict-transport-security", 25 }, HEAD_TEXT },
	{ { "referrer-policy", 15 }, HEAD_LIST },
	{ { "content-security-policy", 23 }, HEAD_PRESENT },
};

static int by_text(const void *x, const void *y)
{
	return str_cmp(*(const Str *)x, *(const Str *)y);
}

/* The field's values, joined with commas; false when it is not there. */
static bool find_field(Arena *a, const CompareAnswer *answer, Str name, Str *out)
{
	bool any = false;

	for (size_t i = 0; i < answer->field_count; i++) {
		Str value = str_trim(answer->fields[i].value);

		if (!str_eq_nocase(answer->fields[i].name, name))
			continue;
		*out = any ? str_fmt(a, "%.*s, %.*s", STR_ARG(*out), STR_ARG(value)) : value;
		any = true;
	}
	return any;
}

/* --- one header in one form ----------------------------------------------------------------------------------------- */

/* In small letters, sorted, each once; compression is the gateway's, so Accept-Encoding is no member. */
static Str normal_list(Arena *a, Str value)
{
	AUTO(buf_fini) Buf b = { 0 };
	Str items[LIST_MAX], rest = str_lower(a, value), item;
	size_t count = 0;

	while (count < LIST_MAX && str_split(&rest, ',', &item))
		if (str_trim(item).len && !str_eq(str_trim(item), S("accept-encoding")))
			items[count++] = str_trim(item);
	if (count)
		qsort(items, count, sizeof *items, by_text);
	for (size_t i = 0; i < count; i++) {
		if (i && str_eq(items[i], items[i - 1]))
			continue;
		buf_put(&b, i ? S(", ") : S(""));
		buf_put(&b, items[i]);
	}
	return str_dup(a, buf_str(&b));
}

static Str normal_media(Arena *a, Str value)
{
	const CompareField field = { S("content-type"), value };
	const CompareAnswer answer = { .fields = &field, .field_count = 1 };
	BodyType type = compare_body_type(a, &answer);
	Str rest = str_lower(a, value), media = { 0 };

	str_split(&rest, ';', &media);
	media = str_trim(media);
	if (!type.charset.len || type.form == COMPARE_JSON)
		return media;
	return str_fmt(a, "%.*s; charset=%.*s", STR_ARG(media), STR_ARG(type.charset));
}

/* Where the path of an address with a host begins; 0: it has no host. */
static size_t path_at(Str url)
{
	ptrdiff_t slashes = str_find(url, S("://"));
	size_t at;

	if (slashes < 0)
		return 0;
	for (at = (size_t)slashes + 3; at < url.len && !strchr("/?#", url.at[at]); at++)
		continue;
	return at;
}

static void same_base(Str *old, Str *new)
{
	Str *const whole = path_at(*old) ? old : new, *const local = whole == old ? new : old;

	if (path_at(*whole) && str_starts(*local, S("/")) && !str_starts(*local, S("//")))
		*whole = str_sub(*whole, path_at(*whole), whole->len);
}

static Str normal(Arena *a, HeadForm form, Str value)
{
	switch (form) {
	case HEAD_LIST:
		return normal_list(a, value);
	case HEAD_MEDIA:
		return normal_media(a, value);
	case HEAD_PRESENT:
		return S("present");
	case HEAD_TEXT:
	case HEAD_URL:
	case HEAD_COOKIES:
		return value;
	}
	return value;
}

static bool is_word(Str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] != '-' && (text.at[i] < 'a' || text.at[i] > 'z'))
			return false;
	return true;
}

/* "Vary: Cookie" names a secret and tells none. */
static void put_list(Work *w, Buf *b, Str list)
{
	Str item;

	for (size_t i = 0; str_split(&list, ',', &item); i++) {
		item = str_trim(item);
		buf_put(b, i ? S(", ") : S(""));
		if (is_word(item))
			buf_put(b, item);
		else
			mask_put_text(b, &w->of->rules->mask, item, COMPARE_VALUE_MAX);
	}
}

static Str show_field(Work *w, const HeadRow *row, Str value)
{
	AUTO(buf_fini) Buf b = { 0 };
	const MaskRules *mask = &w->of->rules->mask;

	if (mask_name(mask, row->name))
		return MASKED;
	if (row->form == HEAD_URL)
		mask_put_target(&b, mask, value, COMPARE_VALUE_MAX);
	else if (row->form == HEAD_LIST)
		put_list(w, &b, value);
	else
		mask_put_text(&b, mask, value, COMPARE_VALUE_MAX);
	return compare_cut(w, buf_str(&b));
}

static void compare_field(Work *w, const HeadRow *row, const CompareAnswer *old,
                          const CompareAnswer *new)
{
	Str before = { 0 }, after = { 0 };
	bool here = find_field(w->arena, old, row->name, &before);
	bool there = find_field(w->arena, new, row->name, &after);
	Difference *d;

	if (!here && !there)
		return;
	before = normal(w->arena, row->form, before);
	after = normal(w->arena, row->form, after);
	if (row->form == HEAD_URL && here && there)
		same_base(&before, &after);
	if (here == there && str_eq(before, after))
		return;
	d = compare_report_at(w,
	                      here && there ? COMPARE_HEADER
	                      : here        ? COMPARE_MISSING
	                                    : COMPARE_EXTRA,
	                      row->name);
	if (d && here)
		d->old = show_field(w, row, before);
	if (d && there)
		d->new = show_field(w, row, after);
}

/* --- cookies -------------------------------------------------------------------------------------------------------- */

typedef struct SetCookie {
	Str name;
	Str guards; /* "path=/; secure; httponly; samesite=lax" */
} SetCookie;

static bool deletes(Str attribute)
{
	if (str_starts(attribute, S("expires=")))
		return str_find(attribute, S(" 1970 ")) >= 0 ||
		       str_find(attribute, S("-1970 ")) >= 0;
	return str_starts(attribute, S("max-age=0")) || str_starts(attribute, S("max-age=-"));
}

static Str guards_of(Arena *a, Str attributes)
{
	static const Str kept[] = { { "path=", 5 },    { "domain=", 7 },   { "secure", 6 },
		                    { "httponly", 8 }, { "samesite=", 9 }, { "partitioned", 11 } };
	AUTO(buf_fini) Buf b = { 0 };
	Str items[LIST_MAX], item, rest = attributes;
	size_t count = 0;

	while (count < LIST_MAX && str_split(&rest, ';', &item)) {
		Str lower = str_lower(a, str_trim(item));

		if (deletes(lower))
			items[count++] = S("deleted");
		for (size_t i = 0; i < COUNT(kept) && count < LIST_MAX; i++)
			if (str_starts(lower, kept[i])) /* a path has capitals of its own */
				items[count++] =
					i ? lower
					  : str_fmt(a, "path=%.*s",
				                    STR_ARG(str_sub(str_trim(item), 5, item.len)));
	}
	if (count)
		qsort(items, count, sizeof *items, by_text);
	for (size_t i = 0; i < count; i++) {
		if (i && str_eq(items[i], items[i - 1]))
			continue;
		buf_put(&b, i ? S("; ") : S(""));
		buf_put(&b, items[i]);
	}
	return str_dup(a, buf_str(&b));
}

/* An id in a cookie's name would be another key each time. */
static Str cookie_name(Arena *a, Str name)
{
	size_t digits = 0;

	for (size_t i = 0; i < name.len; i++) {
		digits += name.at[i] >= '0' && name.at[i] <= '9';
		if ((unsigned char)name.at[i] <= ' ' || (unsigned char)name.at[i] >= 0x7f)
			return S("*");
	}
	return !name.len || name.len > COOKIE_NAME_MAX || digits >= 4 ? S("*") : str_dup(a, name);
}

static size_t read_cookies(Arena *a, const CompareAnswer *answer, SetCookie *cookies)
{
	size_t count = 0;

	for (size_t i = 0; i < answer->field_count; i++) {
		Str rest = answer->fields[i].value, pair = { 0 }, name = { 0 };
		size_t at;

		if (!str_eq_nocase(answer->fields[i].name, S("set-cookie")) ||
		    !str_split(&rest, ';', &pair))
			continue;
		str_split(&pair, '=', &name);
		name = cookie_name(a, str_trim(name));
		for (at = 0; at < count && !str_eq(cookies[at].name, name); at++)
			continue;
		if (at == COOKIES_MAX)
			continue;
		cookies[at] =
			(SetCookie){ name, guards_of(a, rest) }; /* the last one of a name holds */
		count = MAX(count, at + 1);
	}
	return count;
}

static const SetCookie *find_cookie(const SetCookie *cookies, size_t count, Str name)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(cookies[i].name, name))
			return &cookies[i];
	return NULL;
}

static Str show_guards(Work *w, const SetCookie *cookie)
{
	AUTO(buf_fini) Buf b = { 0 };

	if (!cookie->guards.len)
		return S("set");
	mask_put_text(&b, &w->of->rules->mask, cookie->guards, COMPARE_VALUE_MAX);
	return compare_cut(w, buf_str(&b));
}

static void compare_cookie(Work *w, Str name, const SetCookie *old, const SetCookie *new)
{
	Difference *d;

	if (old && new &&str_eq(old->guards, new->guards))
		return;
	d = compare_report_at(w,
	                      old && new ? COMPARE_HEADER
	                      : old      ? COMPARE_MISSING
	                                 : COMPARE_EXTRA,
	                      str_fmt(w->arena, "set-cookie/%.*s", STR_ARG(name)));
	if (d && old)
		d->old = show_guards(w, old);
	if (d && new)
		d->new = show_guards(w, new);
}

static void compare_cookies(Work *w, const CompareAnswer *old, const CompareAnswer *new)
{
	SetCookie before[COOKIES_MAX], after[COOKIES_MAX];
	size_t olds = read_cookies(w->arena, old, before),
	       news = read_cookies(w->arena, new, after);

	for (size_t i = 0; i < olds; i++)
		compare_cookie(w, before[i].name, &before[i],
		               find_cookie(after, news, before[i].name));
	for (size_t i = 0; i < news; i++)
		if (!find_cookie(before, olds, after[i].name))
			compare_cookie(w, after[i].name, NULL, &after[i]);
}

/* --- all of them ---------------------------------------------------------------------------------------------------- */

static void compare_row(Work *w, const HeadRow *row, const CompareAnswer *old,
                        const CompareAnswer *new)
{
	if (row->form == HEAD_COOKIES)
		compare_cookies(w, old, new);
	else
		compare_field(w, row, old, new);
}

static HeadRow row_of(Arena *a, Str name)
{
	HeadRow row = { str_lower(a, name), HEAD_TEXT };

	for (size_t i = 0; i < COUNT(chosen); i++)
		if (str_eq(chosen[i].name, row.name))
			row = chosen[i];
	return row;
}

void compare_head(Work *w, const CompareAnswer *old, const CompareAnswer *new)
{
	const CompareRules *rules = w->of->rules;

	if (!rules->headers.count && !rules->headers_given) {
		for (size_t i = 0; i < COUNT(chosen); i++)
			compare_row(w, &chosen[i], old, new);
		return;
	}
	for (size_t i = 0; i < rules->headers.count; i++) {
		HeadRow row = row_of(w->arena, rules->headers.at[i]);

		compare_row(w, &row, old, new);
	}
}

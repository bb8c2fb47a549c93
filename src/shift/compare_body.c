/* SPDX-License-Identifier: Apache-2.0
 *
 * Bodies by what their content types say, and those that are compared as a whole: text line by line, whatever its line ends
 * are, and bytes.
 *
 * A text is compared in UTF-8. Latin-1 is read as Windows-1252, as every browser does; of other charsets nothing is known here,
 * and the bodies are compared as bytes.
 *
 * Of a text the first line that differs is shown, unless a secret is named anywhere in it: the column of a table may be named
 * a thousand lines above. Of bytes nothing is shown. */
#include "shift/compare_int.h"

#include <string.h>

typedef struct FormRow {
	Str type; /* "+x": ends with it; "x/": begins with it */
	CompareForm form;
} FormRow;

static const FormRow forms[] = {
	{ { "application/json", 16 }, COMPARE_JSON },
	{ { "text/json", 9 }, COMPARE_JSON },
	{ { "+json", 5 }, COMPARE_JSON },
	{ { "text/html", 9 }, COMPARE_HTML },
	{ { "application/xhtml+xml", 21 }, COMPARE_HTML },
	{ { "text/", 5 }, COMPARE_TEXT },
	{ { "+xml", 4 }, COMPARE_TEXT },
	{ { "application/xml", 15 }, COMPARE_TEXT },
	{ { "application/javascript", 22 }, COMPARE_TEXT },
	{ { "application/x-ndjson", 20 }, COMPARE_TEXT },
	{ { "application/yaml", 16 }, COMPARE_TEXT },
	{ { "application/x-www-form-urlencoded", 33 }, COMPARE_TEXT },
};

static bool is_of(Str type, Str row)
{
	if (str_starts(row, S("+")))
		return str_ends(type, row);
	return str_ends(row, S("/")) ? str_starts(type, row) : str_eq(type, row);
}

static Str charset_of(Str params)
{
	Str item;

	while (str_split(&params, ';', &item)) {
		item = str_trim(item);
		if (!str_starts(item, S("charset=")))
			continue;
		item = str_sub(item, 8, item.len);
		if (item.len > 1 && str_starts(item, S("\"")) && str_ends(item, S("\"")))
			item = str_sub(item, 1, item.len - 1);
		return str_trim(item);
	}
	return (Str){ 0 };
}

BodyType compare_body_type(Arena *a, const CompareAnswer *answer)
{
	BodyType type = { .form = COMPARE_BY_TYPE };
	Str media, rest = { 0 };

	for (size_t i = 0; i < answer->field_count; i++)
		if (str_eq_nocase(answer->fields[i].name, S("content-type")))
			rest = str_lower(a, answer->fields[i].value);
	if (!str_split(&rest, ';', &media) || !str_trim(media).len)
		return type;
	media = str_trim(media);
	type.charset = charset_of(rest);
	type.form = COMPARE_BYTES;
	for (size_t i = 0; i < COUNT(forms); i++) {
		if (!is_of(media, forms[i].type))
			continue;
		type.form = forms[i].form;
		break;
	}
	return type;
}

/* --- charsets ------------------------------------------------------------------------------------------------------- */

static const uint16_t windows_1252[32] = {
	0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
	0x2039, 0x0152, 0x008d, 0x017d, 0x008f, 0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
	0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178,
};

void compare_put_utf8(Buf *b, uint32_t code)
{
	char bytes[4];
	size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const unsigned char leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = len; i-- > 1; code >>= 6)
		bytes[i] = (char)(0x80 | (code & 0x3f));
	bytes[0] = (char)(leads[len] | code);
	buf_put(b, (Str){ bytes, len });
}

static Str from_windows_1252(Arena *a, Str body)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (size_t i = 0; i < body.len; i++) {
		unsigned char c = (unsigned char)body.at[i];

		compare_put_utf8(&b, c >= 0x80 && c < 0xa0 ? windows_1252[c - 0x80] : c);
	}
	return str_dup(a, buf_str(&b));
}

static bool is_one_of(Str text, const Str *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(text, names[i]))
			return true;
	return false;
}

bool compare_decode(Arena *a, Str body, Str charset, Str *out)
{
	static const Str utf8[] = {
		{ "", 0 }, { "utf-8", 5 }, { "utf8", 4 }, { "us-ascii", 8 }, { "ascii", 5 }
	};
	static const Str latin[] = {
		{ "iso-8859-1", 10 },   { "latin1", 6 }, { "latin-1", 7 },
		{ "windows-1252", 12 }, { "cp1252", 6 },
	};

	if (is_one_of(charset, utf8, COUNT(utf8)))
		*out = str_starts(body, S("\xef\xbb\xbf")) ? str_sub(body, 3, body.len) : body;
	else if (is_one_of(charset, latin, COUNT(latin)))
		*out = from_windows_1252(a, body);
	else
		return false;
	return true;
}

/* --- as a whole ----------------------------------------------------------------------------------------------------- */

static bool next_line(Str *rest, Str *line)
{
	if (!str_split(rest, '\n', line))
		return false;
	if (str_ends(*line, S("\r")))
		*line = str_sub(*line, 0, line->len - 1);
	return true;
}

static Str show_line(Work *w, bool hide, size_t number, bool there, Str line)
{
	Str text = hide ? MASKED : compare_show(w, line);

	if (!there)
		return str_fmt(w->arena, "%zu line%s", number - 1, number == 2 ? "" : "s");
	return compare_cut(w, str_fmt(w->arena, "line %zu: %.*s", number, STR_ARG(text)));
}

void compare_text(Work *w, Str old, Str new)
{
	const MaskRules *mask = &w->of->rules->mask;
	Str x = old, y = new, before = { 0 }, after = { 0 };
	bool here, there, hide;
	Difference *d;
	size_t number = 0;

	do {
		here = next_line(&x, &before);
		there = next_line(&y, &after);
		number++;
	} while (here && there && str_eq(before, after));
	if (!here && !there)
		return;
	d = compare_report_at(w, COMPARE_BODY, S("."));
	if (!d)
		return;
	hide = mask_named_in(mask, old) || mask_named_in(mask, new);
	d->old = show_line(w, hide, number, here, before);
	d->new = show_line(w, hide, number, there, after);
}

void compare_bytes(Work *w, Str old, Str new)
{
	size_t at = 0;
	Difference *d;

	if (str_eq(old, new))
		return;
	d = compare_report_at(w, COMPARE_BODY, S("."));
	if (!d)
		return;
	while (at < old.len && at < new.len &&old.at[at] == new.at[at])
		at++;
	d->old = str_fmt(w->arena, "%zu bytes", old.len);
	d->new = str_fmt(w->arena, "%zu bytes, other ones from byte %zu on", new.len, at + 1);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Filling pages.
 *
 * The letters of a file are walked by a small machine that knows whether they are text, in a tag, or in an attribute's value, and of
 * which attribute. A value is written for the place it stands in; there is no way to write one unescaped. Where a language
 * inside HTML begins (script, style, an on... or style attribute) no value is taken at all.
 *
 * Files are few and small, and read anew for each page: what is compiled is only as fast as the network anyway. */
#include "user/page_render.h"

#include "base/arena.h"

enum { DEEPEST = 16 };

typedef struct Pair Pair;
struct Pair {
	Str name;
	Str value;
	PageData **rows; /* a list */
	size_t count, cap;
};

struct PageData {
	Arena *arena;
	const PageData *up;
	Pair *pairs;
	size_t count, cap;
};

/* --- names and values --------------------------------------------------------------------------------------------------- */

PageData *page_data(Arena *a)
{
	PageData *data = ARENA_NEW(a, PageData);

	data->arena = a;
	return data;
}

static Pair *add_pair(PageData *data, Str name)
{
	if (data->count == data->cap) {
		size_t cap = data->cap ? data->cap * 2 : 8;
		Pair *more = ARENA_ARRAY(data->arena, Pair, cap);

		if (data->count)
			__builtin_memcpy(more, data->pairs, data->count * sizeof(*more));
		data->pairs = more;
		data->cap = cap;
	}
	data->pairs[data->count] = (Pair){ .name = name };
	return &data->pairs[data->count++];
}

static Pair *own_pair(const PageData *data, Str name)
{
	for (size_t i = 0; i < data->count; i++)
		if (str_eq(data->pairs[i].name, name))
			return &data->pairs[i];
	return NULL;
}

static const Pair *find(const PageData *data, Str name)
{
	for (; data; data = data->up) {
		const Pair *pair = own_pair(data, name);

		if (pair)
			return pair;
	}
	return NULL;
}

void page_put(PageData *data, const char *name, Str value)
{
	Pair *pair = own_pair(data, str_of(name));

	if (!pair)
		pair = add_pair(data, str_of(name));
	pair->value = value;
}

PageData *page_add(PageData *data, const char *list)
{
	PageData *row = page_data(data->arena);
	Pair *pair = own_pair(data, str_of(list));

	if (!pair)
		pair = add_pair(data, str_of(list));
	if (pair->count == pair->cap) {
		size_t cap = pair->cap ? pair->cap * 2 : 8;
		PageData **more = ARENA_ARRAY(data->arena, PageData *, cap);

		if (pair->count)
			__builtin_memcpy(more, pair->rows, pair->count * sizeof(PageData *));
		pair->rows = more;
		pair->cap = cap;
	}
	row->up = data;
	pair->rows[pair->count++] = row;
	return row;
}

/* --- where a value stands ------------------------------------------------------------------------------------------------- */

typedef enum Place { IN_TEXT, IN_TAG, IN_VALUE, IN_NOTHING /* script, style, comment */ } Place;

typedef struct Walk {
	Place place;
	Str word;    /* the last word of a tag: its name, an attribute's */
	bool first;  /* it is the tag's name */
	bool opaque; /* the tag is script or style */
} Walk;

static bool is_letter(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' ||
	       c == '/' || c == '!';
}

static void walk_tag(Walk *w, const char *at)
{
	if (*at == '"') {
		w->place = IN_VALUE;
	} else if (*at == '>') {
		w->place = w->opaque ? IN_NOTHING : IN_TEXT;
	} else if (is_letter(*at)) {
		if (w->word.at + w->word.len == at) {
			w->word.len++;
		} else {
			w->first = !w->word.at;
			w->word = (Str){ at, 1 };
		}
		if (w->first && (str_eq(w->word, S("script")) || str_eq(w->word, S("style")) ||
		                 str_eq(w->word, S("!--"))))
			w->opaque = true;
	}
}

static void walk(Walk *w, Str text)
{
	for (size_t i = 0; i < text.len; i++) {
		const char *at = &text.at[i];

		if (w->place == IN_TEXT && *at == '<')
			*w = (Walk){ .place = IN_TAG };
		else if (w->place == IN_TAG)
			walk_tag(w, at);
		else if (w->place == IN_VALUE && *at == '"')
			w->place = IN_TAG;
	}
}

/* --- writing a value ------------------------------------------------------------------------------------------------------ */

static void put_escaped(Buf *out, Str text)
{
	static const Str escapes[128] = { ['&'] = S("&amp;"),
		                          ['<'] = S("&lt;"),
		                          ['>'] = S("&gt;"),
		                          ['"'] = S("&quot;"),
		                          ['\''] = S("&#39;") };

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = (uint8_t)text.at[i];

		if (c < 128 && escapes[c].len)
			buf_put(out, escapes[c]);
		else
			buf_putc(out, text.at[i]);
	}
}

static bool is_address(Str text)
{
	return (str_starts(text, S("/")) && !str_starts(text, S("//")) &&
	        str_find_char(text, '\\') < 0) ||
	       str_starts(text, S("https://")) || str_starts(text, S("http://"));
}

static Err *put_value(Arena *a, Buf *out, const Walk *w, Str value)
{
	static const Str addresses[] = { S("href"), S("src"), S("action") };

	if (w->place != IN_TEXT && w->place != IN_VALUE)
		return err_new(a, ERR_INTERNAL, "page.context",
		               "a value stands where none may stand");
	if (w->place == IN_VALUE) {
		if (str_starts(w->word, S("on")) || str_eq(w->word, S("style")) ||
		    str_eq(w->word, S("srcdoc")))
			return err_new(a, ERR_INTERNAL, "page.context",
			               "a value stands in the attribute %.*s", STR_ARG(w->word));
		for (size_t i = 0; i < COUNT(addresses); i++)
			if (str_eq(w->word, addresses[i]) && !is_address(value))
				value = S("about:invalid");
	}
	put_escaped(out, value);
	return NULL;
}

/* --- walking a file ------------------------------------------------------------------------------------------------------- */

typedef struct Job {
	Arena *arena;
	const PageFile *files;
	size_t count;
	PageLanguage language;
	Buf *out;
	Walk walk;
	int depth;
} Job;

static Err *render(Job *job, Str *rest, const PageData *data, bool writes, bool within);

static Err *put_name(Job *job, const PageData *data, Str name)
{
	const Pair *pair = find(data, name);

	if (!pair)
		return err_new(job->arena, ERR_INTERNAL, "page.name", "nobody put %.*s",
		               STR_ARG(name));
	return put_value(job->arena, job->out, &job->walk, pair->value);
}

Err *page_say(Arena *a, const char *key, PageLanguage language, const PageData *data, Str *out)
{
	Str rest = page_text(str_of(key), language);
	AUTO(buf_fini) Buf whole = { 0 };

	if (!rest.len)
		return err_new(a, ERR_INTERNAL, "page.text", "there is no text %s", key);
	while (rest.len) {
		ptrdiff_t open = str_find_char(rest, '{'), shut = str_find_char(rest, '}');
		const Pair *pair;
		Str name;

		if (open < 0 || shut < open) {
			buf_put(&whole, rest);
			break;
		}
		name = str_sub(rest, (size_t)open + 1, (size_t)shut);
		pair = find(data, name);
		if (!pair)
			return err_new(a, ERR_INTERNAL, "page.name", "nobody put %.*s",
			               STR_ARG(name));
		buf_put(&whole, str_sub(rest, 0, (size_t)open));
		buf_put(&whole, pair->value);
		rest = str_sub(rest, (size_t)shut + 1, rest.len);
	}
	*out = str_dup(a, buf_str(&whole));
	return NULL;
}

static Err *put_text(Job *job, const PageData *data, Str key)
{
	Str text;

	TRY(page_say(job->arena, str_z(job->arena, key), job->language, data, &text));
	return put_value(job->arena, job->out, &job->walk, text);
}

static Err *put_file(Job *job, const PageData *data, Str name)
{
	for (size_t i = 0; i < job->count; i++)
		if (str_eq(job->files[i].name, name)) {
			Str rest = job->files[i].bytes;

			return render(job, &rest, data, true, false);
		}
	return err_new(job->arena, ERR_INTERNAL, "page.file", "there is no page %.*s",
	               STR_ARG(name));
}

static Err *put_section(Job *job, Str *rest, const PageData *data, Str name, bool wanted)
{
	const Pair *pair = find(data, name);
	bool there = pair && (pair->count || pair->value.len);
	Str from = *rest;

	if (wanted && pair && pair->count) {
		for (size_t i = 0; i < pair->count; i++) {
			*rest = from;
			TRY(render(job, rest, pair->rows[i], true, true));
		}
		return NULL;
	}
	return render(job, rest, data, there == wanted, true);
}

static Err *put_mark(Job *job, Str *rest, const PageData *data, Str mark, bool writes)
{
	Str name = str_trim(str_sub(mark, 1, mark.len));

	switch (mark.at[0]) {
	case '#':
	case '^':
		if (!writes)
			return render(job, rest, data, false, true);
		return put_section(job, rest, data, name, mark.at[0] == '#');
	case '>':
		return writes ? put_file(job, data, name) : NULL;
	default:
		break;
	}
	if (!writes)
		return NULL;
	if (str_starts(mark, S("t ")))
		return put_text(job, data, name);
	return put_name(job, data, mark);
}

/* Up to the end of the file or, within a section, its {{/}}. */
static Err *render(Job *job, Str *rest, const PageData *data, bool writes, bool within)
{
	if (++job->depth > DEEPEST)
		return err_new(job->arena, ERR_INTERNAL, "page.syntax", "too deep");
	for (;;) {
		ptrdiff_t open = str_find(*rest, S("{{")), shut = str_find(*rest, S("}}"));
		Str before = open < 0 ? *rest : str_sub(*rest, 0, (size_t)open), mark;

		if (writes) {
			walk(&job->walk, before);
			buf_put(job->out, before);
		}
		if (open < 0 || shut < open + 3) {
			if (within || open >= 0)
				return err_new(job->arena, ERR_INTERNAL, "page.syntax",
				               "a section does not end");
			break;
		}
		mark = str_sub(*rest, (size_t)open + 2, (size_t)shut);
		*rest = str_sub(*rest, (size_t)shut + 2, rest->len);
		if (str_eq(mark, S("/"))) {
			if (!within)
				return err_new(job->arena, ERR_INTERNAL, "page.syntax",
				               "{{/}} of no section");
			break;
		}
		TRY(put_mark(job, rest, data, mark, writes));
	}
	job->depth--;
	return NULL;
}

Err *page_render(Arena *a, const PageFile *files, size_t count, const char *file,
                 PageLanguage language, const PageData *data, Buf *out)
{
	Job job = { a, files, count, language, out, { 0 }, 0 };

	return put_file(&job, data, str_of(file));
}

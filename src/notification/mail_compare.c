/* SPDX-License-Identifier: Apache-2.0
 *
 * No two mails are the same: orders have numbers, people have names. So mails are grouped by kind (the subject, with a # for whatever has a
 * digit in it), and of each kind is learned what never varies: header fields and lines of text that *every* mail of the kind had before. All of
 * those must be in every mail now; and what every mail has now and none had before is new. Lines count only once a side has mails to PEOPLE
 * recipients: what two letters to one person share may be his name.
 *
 * Not looked at: what a way adds or a moment decides (Date, Message-ID, Received, Return-Path, signatures, boundaries), and recipients. */
#include "notification/mail_compare.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/map.h"
#include "notification/mime_read.h"

#include <stdlib.h>
#include <string.h>

enum { SIDES = 2, LINES_MOST = 2000, SHOWN_MOST = 50, LINE_MOST = 300, PEOPLE = 3 };

/* A line or field, and in how many mails of each side it is. */
typedef struct Trait {
	Str text;
	size_t seen[SIDES];
	size_t last[SIDES]; /* the number of the mail it was seen in last: once a mail counts */
	struct Trait *next;
} Trait;

typedef struct Kind {
	Str name;
	size_t count[SIDES];
	Str people[SIDES][PEOPLE]; /* different ones */
	size_t people_count[SIDES];
	Map traits;
	Trait *first, *last;
	size_t lines;
	MailKind told;
} Kind;

struct MailCompare {
	Arena *arena;
	Map kinds;
};

static void map_free(void *map)
{
	map_fini(map);
}

MailCompare *mail_compare_new(Arena *a)
{
	MailCompare *c = ARENA_NEW(a, MailCompare);

	c->arena = a;
	arena_defer(a, map_free, &c->kinds);
	return c;
}

/* --- what varies ---------------------------------------------------------------------------------------------------------- */

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (unsigned char)c >= 0x80 || c == '-' || c == '_' || c == '@' || c == '.' ||
	       c == ',' || c == ':' || c == '%';
}

/* Words with a digit become #, runs of blanks one; trimmed. */
static Str mask(Arena *a, Str text)
{
	char *into = arena_alloc_raw(a, text.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < text.len;) {
		size_t end = i;
		bool digit = false;

		while (end < text.len && is_word(text.at[end])) {
			digit |= text.at[end] >= '0' && text.at[end] <= '9';
			end++;
		}
		if (end == i) {
			bool blank = strchr(" \t\r\n", text.at[i]) != NULL;

			if (!blank || (len && into[len - 1] != ' '))
				into[len++] = blank ? ' ' : text.at[i];
			i++;
			continue;
		}
		if (digit) {
			into[len++] = '#';
			while (end > i + 1 && strchr(".,:", text.at[end - 1]))
				end--; /* the sentence's */
		} else {
			memcpy(into + len, text.at + i, end - i);
			len += end - i;
		}
		i = end;
	}
	while (len && into[len - 1] == ' ')
		len--;
	return (Str){ into, len };
}

static bool is_of_the_way(Str name)
{
	static const Str names[] = { S("date"),
		                     S("message-id"),
		                     S("received"),
		                     S("return-path"),
		                     S("to"),
		                     S("dkim-signature"),
		                     S("delivered-to"),
		                     S("x-original-to"),
		                     S("cc"),
		                     S("authentication-results"),
		                     S("status"),
		                     S("x-status"),
		                     S("content-length") };

	for (size_t i = 0; i < COUNT(names); i++)
		if (str_eq_nocase(name, names[i]))
			return true;
	return false;
}

/* --- traits --------------------------------------------------------------------------------------------------------------- */

static void see(MailCompare *c, Kind *kind, bool before, Str text)
{
	Trait *trait;

	text = str_sub(text, 0, LINE_MOST);
	trait = map_get(&kind->traits, text);
	if (!trait) {
		if (kind->lines++ >= LINES_MOST)
			return;
		trait = ARENA_NEW(c->arena, Trait);
		trait->text = str_dup(c->arena, text);
		map_put(&kind->traits, trait->text, trait);
		if (kind->last)
			kind->last->next = trait;
		else
			kind->first = trait;
		kind->last = trait;
	}
	if (trait->last[before] == kind->count[before])
		return;
	trait->last[before] = kind->count[before];
	trait->seen[before]++;
}

static void see_head(MailCompare *c, Kind *kind, bool before, Arena *a, Str head)
{
	Str name, value;

	while (mime_next(&head, &name, &value)) {
		value = mime_words(a, mime_unfold(a, value));
		if (str_eq_nocase(name, S("Content-Type")) && str_find_char(value, ';') > 0)
			value = str_sub(value, 0,
			                (size_t)str_find_char(value, ';')); /* boundaries vary */
		if (!is_of_the_way(name))
			see(c, kind, before,
			    str_fmt(a, "header %.*s: %.*s", STR_ARG(name),
			            STR_ARG(mask(a, value))));
	}
}

static void see_part(MailCompare *c, Kind *kind, bool before, Arena *a, const MimePart *part)
{
	Str text, line;

	see(c, kind, before, str_fmt(a, "part %.*s", STR_ARG(part->type)));
	if (!str_starts(part->type, S("text/")))
		return;
	text = mime_part_text(a, part);
	while (text.len && str_split(&text, '\n', &line)) {
		Str masked = mask(a, line);

		if (masked.len)
			see(c, kind, before, str_fmt(a, "line %.*s", STR_ARG(masked)));
	}
}

static Kind *kind_of(MailCompare *c, Str name)
{
	Kind *kind = map_get(&c->kinds, name);

	if (kind)
		return kind;
	kind = ARENA_NEW(c->arena, Kind);
	kind->name = str_dup(c->arena, name);
	arena_defer(c->arena, map_free, &kind->traits);
	map_put(&c->kinds, kind->name, kind);
	return kind;
}

static void see_person(MailCompare *c, Kind *kind, bool before, Arena *a, Str head)
{
	Str to = mime_address(mime_header_text(a, head, "To"));
	size_t *count = &kind->people_count[before];

	for (size_t i = 0; i < *count; i++)
		if (str_eq_nocase(kind->people[before][i], to))
			return;
	if (*count < PEOPLE)
		kind->people[before][(*count)++] = str_dup(c->arena, to);
}

void mail_compare_add(MailCompare *c, bool before, Str message)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	MimePart *parts = ARENA_ARRAY(a, MimePart, MIME_PARTS);
	size_t count = mime_parts(a, message, parts, MIME_PARTS);
	Str head, body;
	Kind *kind;

	mime_split(message, &head, &body);
	kind = kind_of(c, mask(a, mime_header_text(a, head, "Subject")));
	kind->count[before]++;
	see_person(c, kind, before, a, head);
	see_head(c, kind, before, a, head);
	for (size_t i = 0; i < count; i++)
		see_part(c, kind, before, a, &parts[i]);
}

/* Lines of an mbox that begin with ">From " once had no >. */
static Str unquote(Arena *a, Str text)
{
	char *into = arena_alloc_raw(a, text.len + 1);
	size_t len = 0;
	Str line;

	while (text.len && str_split(&text, '\n', &line)) {
		size_t marks = 0;

		while (marks < line.len && line.at[marks] == '>')
			marks++;
		if (marks && str_starts(str_sub(line, marks, line.len), S("From ")))
			line = str_sub(line, 1, line.len);
		memcpy(into + len, line.at, line.len);
		len += line.len;
		into[len++] = '\n';
	}
	return (Str){ into, len };
}

void mail_compare_add_box(MailCompare *c, bool before, Str text)
{
	if (!str_starts(text, S("From "))) {
		if (text.len)
			mail_compare_add(c, before, text);
		return;
	}
	while (text.len) {
		AUTO(arena_freep) Arena *a = arena_new(0);
		ptrdiff_t first = str_find_char(text, '\n'), next;
		Str mail = first < 0 ? S("") : str_sub(text, (size_t)first + 1, text.len);

		next = str_find(mail, S("\n\nFrom "));
		if (next < 0 && str_find(mail, S("\r\n\r\nFrom ")) >= 0)
			next = str_find(mail, S("\r\n\r\nFrom ")) + 2;
		text = next < 0 ? S("") : str_sub(mail, (size_t)next + 2, mail.len);
		mail = next < 0 ? mail : str_sub(mail, 0, (size_t)next + 1);
		if (mail.len)
			mail_compare_add(c, before, unquote(a, mail));
	}
}

/* --- the result ----------------------------------------------------------------------------------------------------------- */

/* Those that every mail of one side has, and not every (any) one of the other. */
static size_t differing(MailCompare *c, const Kind *kind, bool missing, const Str **out)
{
	bool lines = kind->people_count[missing] == PEOPLE;
	Str *texts = ARENA_ARRAY(c->arena, Str, SHOWN_MOST);
	size_t count = 0;

	for (const Trait *t = kind->first; t && count < SHOWN_MOST; t = t->next) {
		bool is = missing ? t->seen[true] == kind->count[true] &&
		                            t->seen[false] < kind->count[false]
		                  : t->seen[false] == kind->count[false] && !t->seen[true];

		if (is && (lines || !str_starts(t->text, S("line "))))
			texts[count++] = t->text;
	}
	*out = texts;
	return count;
}

static int by_name(const void *x, const void *y)
{
	return str_cmp(((const MailKind *)x)->name, ((const MailKind *)y)->name);
}

size_t mail_compare_kinds(MailCompare *c, const MailKind **out)
{
	MailKind *kinds = ARENA_ARRAY(c->arena, MailKind, c->kinds.count + 1);
	size_t at = 0, count = 0;
	void *value;
	Str name;

	while (map_next(&c->kinds, &at, &name, &value)) {
		Kind *kind = value;
		MailKind *told = &kinds[count++];

		*told = (MailKind){ .name = kind->name,
			            .before = kind->count[true],
			            .now = kind->count[false] };
		if (!told->before || !told->now)
			continue;
		told->missing_count = differing(c, kind, true, &told->missing);
		told->added_count = differing(c, kind, false, &told->added);
	}
	qsort(kinds, count, sizeof(*kinds), by_name);
	*out = kinds;
	return count;
}

bool mail_compare_same(MailCompare *c)
{
	const MailKind *kinds;
	size_t count = mail_compare_kinds(c, &kinds);

	for (size_t i = 0; i < count; i++)
		if (kinds[i].missing_count || kinds[i].added_count)
			return false;
	return true;
}

static void put_list(JsonWriter *w, const char *name, const Str *texts, size_t count)
{
	json_key(w, str_of(name));
	json_begin_array(w);
	for (size_t i = 0; i < count; i++)
		json_add_str(w, texts[i]);
	json_end(w);
}

void mail_compare_put(MailCompare *c, JsonWriter *w)
{
	const MailKind *kinds;
	size_t count = mail_compare_kinds(c, &kinds);

	json_begin_object(w);
	json_put_bool(w, "same", mail_compare_same(c));
	json_key(w, S("kinds"));
	json_begin_array(w);
	for (size_t i = 0; i < count; i++) {
		json_begin_object(w);
		json_put_str(w, "kind", kinds[i].name);
		json_put_u64(w, "before", kinds[i].before);
		json_put_u64(w, "now", kinds[i].now);
		put_list(w, "missing", kinds[i].missing, kinds[i].missing_count);
		put_list(w, "added", kinds[i].added, kinds[i].added_count);
		json_end(w);
	}
	json_end(w);
	json_end(w);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * What a step of a schema would do to a PostgreSQL's large tables while others use them: rules over the words of each
 * statement. Not a parser: a statement is lower-cased, its strings emptied, its spaces made one. Tables that the same text makes
 * are new and empty; small ones do not matter. */
#include "base/arena.h"
#include "store/schema.h"

#include <string.h>

enum { LARGE_ROWS = 100000, HAZARDS = 32, TABLES = 64 };

typedef struct Hazard {
	const char *begins;
	const char *has; /* NULL: whatever follows */
	const char *lacks;
	const char *after; /* the table's name stands after this word; NULL: after `begins` */
	const char *why;
} Hazard;

static const Hazard hazards[] = {
	{ "create index", NULL, " concurrently", " on ", "writers wait until the index is built" },
	{ "create unique index", NULL, " concurrently", " on ",
	  "writers wait until the index is built" },
	{ "alter table", " type ", NULL, NULL,
	  "a changed type writes the whole table anew; add a column and fill it in parts" },
	{ "alter table", " set not null", NULL, NULL,
	  "all rows are read under a lock; add a check (... is not null) not valid and validate it first" },
	{ "alter table", " add constraint ", " not valid", NULL,
	  "all rows are checked under a lock; add it not valid, validate it in another step" },
	{ "alter table", " add foreign key", " not valid", NULL,
	  "all rows are checked under a lock; add it not valid, validate it in another step" },
	{ "alter table", " add check", " not valid", NULL,
	  "all rows are checked under a lock; add it not valid, validate it in another step" },
	{ "alter table", " add primary key", " using index", NULL,
	  "the index is built under a lock; build it concurrently and add it using index" },
	{ "alter table", " add unique", " using index", NULL,
	  "the index is built under a lock; build it concurrently and add it using index" },
	{ "alter table", " default gen_random_uuid(", NULL, NULL,
	  "a default that differs for each row writes the whole table anew; add the column without, fill it in parts" },
	{ "alter table", " default random(", NULL, NULL,
	  "a default that differs for each row writes the whole table anew; add the column without, fill it in parts" },
	{ "alter table", " default clock_timestamp(", NULL, NULL,
	  "a default that differs for each row writes the whole table anew; add the column without, fill it in parts" },
	{ "alter table", " generated always as (", NULL, NULL,
	  "a stored column writes the whole table anew" },
	{ "alter table", " set logged", NULL, NULL, "the whole table is written anew" },
	{ "alter table", " set tablespace ", NULL, NULL, "the whole table is copied under a lock" },
	{ "update", NULL, " where ", NULL,
	  "every row is written in one transaction; do it in parts" },
	{ "delete from", NULL, " where ", NULL,
	  "every row is deleted in one transaction; do it in parts" },
	{ "vacuum full", NULL, NULL, NULL, "the whole table is written anew under a lock" },
	{ "cluster", NULL, NULL, NULL, "the whole table is written anew under a lock" },
	{ "lock table", NULL, NULL, NULL, "everyone waits for it" },
	{ "reindex table", NULL, " concurrently", NULL,
	  "writers wait until the indexes are built" },
};

/* --- words ------------------------------------------------------------------------------------------------------------- */

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

/* The length of what must not be looked into at `at`: a string, a dollar-quoted one, a comment; 0: nothing of the kind. */
static size_t opaque(Str text, size_t at)
{
	Str rest = str_sub(text, at, text.len);
	ptrdiff_t end;

	if (str_starts(rest, S("--"))) {
		end = str_find_char(rest, '\n');
		return end < 0 ? rest.len : (size_t)end;
	}
	if (str_starts(rest, S("/*"))) {
		end = str_find(str_sub(rest, 2, rest.len), S("*/"));
		return end < 0 ? rest.len : (size_t)end + 4;
	}
	if (str_starts(rest, S("'"))) {
		end = str_find_char(str_sub(rest, 1, rest.len), '\'');
		return end < 0 ? rest.len : (size_t)end + 2;
	}
	if (str_starts(rest, S("$$"))) {
		end = str_find(str_sub(rest, 2, rest.len), S("$$"));
		return end < 0 ? rest.len : (size_t)end + 4;
	}
	return 0;
}

/* Takes the first statement from *text, in one form. False at the end. */
static bool next_statement(Arena *a, Str *text, Str *out)
{
	char *to = arena_alloc_raw(a, text->len + 1);
	size_t len = 0, i = 0, skip;

	if (!text->len)
		return false;
	for (; i < text->len && text->at[i] != ';'; i += skip ? skip : 1) {
		char c = text->at[i];

		skip = opaque(*text, i);
		if (skip || is_space(c))
			c = ' ';
		if (c != ' ' || (len && to[len - 1] != ' '))
			to[len++] = c;
	}
	*text = str_sub(*text, i + 1, text->len);
	to[len++] = ' ';
	*out = str_lower(a, (Str){ to, len });
	return true;
}

/* The name that begins here; words that may stand before it are passed over. */
static Str table_name(Str text)
{
	static const Str before[] = { S("if exists "), S("if not exists "), S("only "),
		                      S("table ") };
	size_t len = 0;

	for (size_t i = 0; i < COUNT(before); i++)
		if (str_starts(text, before[i]))
			text = str_sub(text, before[i].len, text.len);
	while (len < text.len && text.at[len] != ' ' && text.at[len] != '(' && text.at[len] != ',')
		len++;
	return str_sub(text, 0, len);
}

/* --- rules ------------------------------------------------------------------------------------------------------------- */

typedef struct Search {
	Arena *a;
	SchemaRows *rows;
	void *arg;
	Str made[TABLES]; /* by this text */
	size_t made_count;
	Str *out;
	size_t count;
} Search;

static bool contains(Str text, const char *what)
{
	return what && str_find(text, str_of(what)) >= 0;
}

static bool applies(const Hazard *hazard, Str text)
{
	return str_starts(text, str_of(hazard->begins)) && text.at[strlen(hazard->begins)] == ' ' &&
	       (!hazard->has || contains(text, hazard->has)) && !contains(text, hazard->lacks);
}

static Str table_of(const Hazard *hazard, Str text)
{
	ptrdiff_t at = hazard->after ? str_find(text, str_of(hazard->after)) : 0;
	size_t skip = hazard->after ? strlen(hazard->after) : strlen(hazard->begins) + 1;

	return at < 0 ? S("") : table_name(str_sub(text, (size_t)at + skip, text.len));
}

static bool was_made(const Search *search, Str table)
{
	for (size_t i = 0; i < search->made_count; i++)
		if (str_eq(search->made[i], table))
			return true;
	return false;
}

static Err *judge(Search *search, const Hazard *hazard, Str text)
{
	Str table = table_of(hazard, text);
	int64_t rows = 0;

	if (!table.len || was_made(search, table) || search->count == HAZARDS)
		return NULL;
	TRY(search->rows(search->arg, search->a, table, &rows));
	if (rows >= LARGE_ROWS)
		search->out[search->count++] =
			str_fmt(search->a, "%.*s has about %" PRId64 " rows: %s", STR_ARG(table),
		                rows, hazard->why);
	return NULL;
}

Err *schema_hazards(Arena *a, Str text, SchemaRows *rows, void *arg, const Str **out, size_t *count)
{
	Search search = { .a = a, .rows = rows, .arg = arg, .out = ARENA_ARRAY(a, Str, HAZARDS) };
	Str statement;

	while (next_statement(a, &text, &statement)) {
		if (str_starts(statement, S("create table ")) && search.made_count < TABLES)
			search.made[search.made_count++] = table_name(
				str_sub(statement, strlen("create table "), statement.len));
		for (size_t i = 0; i < COUNT(hazards); i++)
			if (applies(&hazards[i], statement))
				TRY(judge(&search, &hazards[i], statement));
	}
	*out = search.out;
	*count = search.count;
	return NULL;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * One walk over the text, with a stack of the objects and lists that are open; nothing is read into a tree, as the whole of an audit's JSON may be
 * a hundred times what is kept. Each level remembers where its part of the path ends, so that a member's name is looked up as
 * "history.couplings"; a list adds nothing to the path, so the lists within its rows are one list as far as the reader is told.
 * Commas are put anew, as what stood between may be gone. */
#include "audit/prune.h"

#include "base/arena.h"
#include "base/json.h"

#include <string.h>

typedef struct Level {
	bool list, some; /* some: a value was copied at this level */
	uint64_t rows, most;
	size_t path_len; /* of its own path */
	bool keeps_last;
	Str last; /* the row that was skipped last */
} Level;

typedef struct Pruner {
	Arena *arena;
	const PruneRules *rules;
	Cuts *cuts;
	Buf *out;
	Str text;
	size_t at;
	Level levels[JSON_MAX_DEPTH + 1];
	size_t depth;
	Buf path;
	bool wrong;
} Pruner;

void cuts_add(Arena *a, Cuts *cuts, Str path, uint64_t shown, uint64_t of)
{
	for (size_t i = 0; i < cuts->count; i++)
		if (str_eq(cuts->at[i].path, path)) {
			cuts->at[i].shown += shown;
			cuts->at[i].of += of;
			return;
		}
	if (cuts->count == cuts->room) {
		Cut *more = ARENA_ARRAY(a, Cut, cuts->room * 2 + 8);

		for (size_t i = 0; i < cuts->count; i++)
			more[i] = cuts->at[i];
		cuts->at = more;
		cuts->room = cuts->room * 2 + 8;
	}
	cuts->at[cuts->count++] = (Cut){ str_dup(a, path), shown, of };
}

static char here(const Pruner *p)
{
	return p->at < p->text.len ? p->text.at[p->at] : '\0';
}

static void skip_space(Pruner *p)
{
	while (here(p) == ' ' || here(p) == '\n' || here(p) == '\r' || here(p) == '\t')
		p->at++;
}

/* The string that begins here, quotes included. */
static Str take_string(Pruner *p)
{
	size_t from = p->at++;

	while (p->at < p->text.len && p->text.at[p->at] != '"')
		p->at += p->text.at[p->at] == '\\' ? 2 : 1;
	p->wrong |= p->at >= p->text.len;
	p->at = MIN(p->at + 1, p->text.len);
	return str_sub(p->text, from, p->at);
}

static Str take_word(Pruner *p)
{
	size_t from = p->at;

	while (p->at < p->text.len && !strchr(",]} \n\r\t", p->text.at[p->at]))
		p->at++;
	p->wrong |= p->at == from;
	return str_sub(p->text, from, p->at);
}

static void skip_value(Pruner *p)
{
	size_t open = 0;

	do {
		char c = here(p);

		if (c == '"') {
			take_string(p);
		} else if (c == '{' || c == '[') {
			open++;
			p->at++;
		} else if (open && (c == '}' || c == ']')) {
			open--;
			p->at++;
		} else if (open) {
			p->at++;
		} else {
			take_word(p);
		}
	} while (open && p->at < p->text.len);
	p->wrong |= open > 0;
}

static const PruneRow *own_rule(const Pruner *p)
{
	for (size_t i = 0; i < p->rules->own_count; i++)
		if (str_eq(buf_str(&p->path), p->rules->own[i].path))
			return &p->rules->own[i];
	return NULL;
}

static void cut_path(Pruner *p, size_t len)
{
	p->path.len = len;
}

static void comma(Pruner *p, Level *level)
{
	if (level->some)
		buf_putc(p->out, ',');
	level->some = true;
}

/* A value that is kept; what is in it follows in the walk. own: of a member that has a rule. */
static void open_value(Pruner *p, const PruneRow *own)
{
	char c = here(p);

	if (c != '{' && c != '[') {
		buf_put(p->out, c == '"' ? take_string(p) : take_word(p));
		return;
	}
	if (p->depth == JSON_MAX_DEPTH) {
		p->wrong = true;
		return;
	}
	p->levels[++p->depth] = (Level){ .list = c == '[',
		                         .most = own ? own->rows : p->rules->rows,
		                         .keeps_last = own && own->last,
		                         .path_len = p->path.len };
	buf_putc(p->out, c);
	p->at++;
}

static void close_level(Pruner *p)
{
	Level *level = &p->levels[p->depth--];
	uint64_t kept;

	cut_path(p, level->path_len);
	kept = level->most + level->keeps_last;
	if (level->list && level->rows > kept)
		cuts_add(p->arena, p->cuts, buf_str(&p->path), kept, level->rows);
	if (level->last.len) {
		comma(p, level);
		buf_put(p->out, level->last);
	}
	buf_putc(p->out, level->list ? ']' : '}');
	p->at++;
}

static void walk_row(Pruner *p, Level *level)
{
	size_t from = p->at;

	if (++level->rows > level->most) {
		skip_value(p);
		if (level->keeps_last)
			level->last = str_sub(p->text, from, p->at);
		return;
	}
	comma(p, level);
	open_value(p, NULL);
}

static void walk_member(Pruner *p, Level *level)
{
	const PruneRow *own;
	Str key;

	if (here(p) != '"') {
		p->wrong = true;
		return;
	}
	key = take_string(p);
	skip_space(p);
	p->wrong |= here(p) != ':';
	p->at++;
	skip_space(p);
	cut_path(p, level->path_len);
	if (level->path_len)
		buf_putc(&p->path, '.');
	buf_put(&p->path, str_sub(key, 1, key.len - 1));
	own = own_rule(p);
	if (own && !own->rows) {
		skip_value(p);
		return;
	}
	comma(p, level);
	buf_put(p->out, key);
	buf_putc(p->out, ':');
	open_value(p, own);
}

static bool walk(Pruner *p)
{
	skip_space(p);
	if (here(p) != '{')
		return false;
	open_value(p, NULL);
	while (p->depth && !p->wrong && p->at < p->text.len) {
		Level *level = &p->levels[p->depth];
		char c = here(p);

		if (c == ',' || c == ' ' || c == '\n' || c == '\r' || c == '\t')
			p->at++;
		else if (c == (level->list ? ']' : '}'))
			close_level(p);
		else if (level->list)
			walk_row(p, level);
		else
			walk_member(p, level);
	}
	return !p->wrong && !p->depth;
}

Err *prune_json(Arena *a, Str json, const PruneRules *rules, Buf *out, Cuts *cuts)
{
	Pruner p = { .arena = a, .rules = rules, .cuts = cuts, .out = out, .text = json };
	bool whole = walk(&p);

	buf_fini(&p.path);
	return whole ? NULL
	             : err_new(a, ERR_INVALID, "audit.json",
	                       "what was to be shown is not JSON (at byte %zu)", p.at);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Which tables a piece of SQL reads and writes. No grammar: words, quoted names and signs, and what stands after FROM, JOIN, INTO, UPDATE
 * and TABLE; that is enough for statements of any dialect, and cannot be led astray by what it does not know. A name that is put in while
 * the program runs (%s, {}, :name) is said to be computed. */
#include "audit/models_sql.h"

#include <string.h>

enum { WORDS_SHORT = 24, CTE_MOST = 16, DEPTH_MOST = 64 };

typedef enum SqlKind { SQL_END, SQL_WORD, SQL_QUOTED, SQL_TEXT, SQL_SIGN, SQL_HOLE } SqlKind;
typedef struct SqlToken {
	SqlKind kind;
	Str text; /* of QUOTED: without the quotes */
} SqlToken;
typedef struct SqlReader {
	Str text;
	size_t at;
	SqlTables *out;
	Str ctes[CTE_MOST];
	uint32_t cte_count, depth;
	uint64_t no_from; /* by depth, a bit each: brackets of EXTRACT(a FROM b) and its like */
	SqlToken before;
	uint8_t does;  /* of a name after FROM */
	uint32_t list; /* 1 + the depth at which a comma brings one more table; 0: none */
} SqlReader;

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static void skip_blank(SqlReader *r)
{
	const char *s = r->text.at;
	size_t n = r->text.len;

	for (;;) {
		while (r->at < n && (s[r->at] == ' ' || s[r->at] == '\n' || s[r->at] == '\t' ||
		                     s[r->at] == '\r'))
			r->at++;
		if (r->at + 1 < n && s[r->at] == '\\' &&
		    (s[r->at + 1] == 'n' || s[r->at + 1] == 't')) {
			r->at += 2;
		} else if (r->at + 1 < n && s[r->at] == '-' && s[r->at + 1] == '-') {
			while (r->at < n && s[r->at] != '\n')
				r->at++;
		} else if (r->at + 1 < n && s[r->at] == '/' && s[r->at + 1] == '*') {
			r->at += 2;
			while (r->at + 1 < n && !(s[r->at] == '*' && s[r->at + 1] == '/'))
				r->at++;
			r->at = MIN(n, r->at + 2);
		} else {
			return;
		}
	}
}

/* "a", `a`, [a], 'a' up to the quote that ends it; doubled ones are inside. */
static SqlToken quoted(SqlReader *r, char close, SqlKind kind)
{
	size_t from = ++r->at;
	Str text;

	while (r->at < r->text.len &&
	       (r->text.at[r->at] != close ||
	        (r->at + 1 < r->text.len && r->text.at[r->at + 1] == close && close != ']')))
		r->at += r->text.at[r->at] == close ? 2 : 1;
	text = str_sub(r->text, from, r->at);
	r->at = MIN(r->text.len, r->at + 1);
	if (kind == SQL_QUOTED && (str_find_char(text, '%') >= 0 || str_find_char(text, '{') >= 0))
		return (SqlToken){ SQL_HOLE, S("") };
	return (SqlToken){ kind, text };
}

/* %s, %(name)s, {name}, :name, ? */
static SqlToken hole(SqlReader *r)
{
	char c = r->text.at[r->at++];

	if (c == '{')
		while (r->at < r->text.len && r->text.at[r->at++] != '}')
			;
	else if (c == '%' && r->at < r->text.len && r->text.at[r->at] == '(')
		while (r->at < r->text.len && r->text.at[r->at++] != ')')
			;
	while (r->at < r->text.len && c != '{' && is_word(r->text.at[r->at]))
		r->at++;
	return (SqlToken){ SQL_HOLE, S("") };
}

static SqlToken next(SqlReader *r)
{
	size_t from;
	char c;

	skip_blank(r);
	if (r->at >= r->text.len)
		return (SqlToken){ SQL_END, S("") };
	c = r->text.at[r->at];
	if (c == '"' || c == '`')
		return quoted(r, c, SQL_QUOTED);
	if (c == '\'')
		return quoted(r, c, SQL_TEXT);
	if (c == '[' && r->at + 1 < r->text.len && is_word(r->text.at[r->at + 1]) &&
	    r->before.kind != SQL_WORD)
		return quoted(r, ']', SQL_QUOTED);
	if (c == '{' || c == '%' || c == '?' ||
	    (c == ':' && r->at + 1 < r->text.len && is_word(r->text.at[r->at + 1])))
		return hole(r);
	from = r->at++;
	if (!is_word(c))
		return (SqlToken){ SQL_SIGN, str_sub(r->text, from, r->at) };
	while (r->at < r->text.len && is_word(r->text.at[r->at]))
		r->at++;
	return (SqlToken){ SQL_WORD, str_sub(r->text, from, r->at) };
}

static bool is(SqlToken t, Str word)
{
	return (t.kind == SQL_WORD || t.kind == SQL_SIGN) && str_eq_nocase(t.text, word);
}

static SqlToken peek(const SqlReader *r)
{
	SqlReader copy = *r;

	return next(&copy);
}

static bool is_any(SqlToken t, const char *const *words)
{
	if (t.kind != SQL_WORD)
		return false;
	for (size_t i = 0; words[i]; i++)
		if (str_eq_nocase(t.text, str_of(words[i])))
			return true;
	return false;
}

static void add_table(SqlReader *r, Str name, uint8_t does)
{
	SqlTables *out = r->out;

	for (uint32_t i = 0; i < r->cte_count; i++)
		if (str_eq_nocase(r->ctes[i], name))
			return;
	for (uint32_t i = 0; i < out->count; i++)
		if (str_eq_nocase(out->at[i].name, name)) {
			out->at[i].does |= does;
			return;
		}
	if (out->count < COUNT(out->at))
		out->at[out->count++] = (SqlTable){ name, does };
	else
		out->computed = true; /* there are more than anybody reads: not all are known */
}

/* A name here is a table: [ONLY] [schema.]name. After FROM, one with a bracket after it is a function. */
static void table(SqlReader *r, uint8_t does)
{
	static const char *const none[] = { "only",   "lateral", "if",           "not",
		                            "exists", "table",   "concurrently", NULL };
	static const char *const no_table[] = { "select", "set",     "values", "unnest",
		                                "where",  "default", "dual",   NULL };
	SqlToken t = peek(r);

	while (is_any(t, none)) {
		next(r);
		t = peek(r);
	}
	if (t.kind == SQL_HOLE || t.kind == SQL_END) {
		r->out->computed = true;
		next(r);
		return;
	}
	if ((t.kind != SQL_WORD && t.kind != SQL_QUOTED) || is_any(t, no_table))
		return;
	next(r);
	while (is(peek(r), S("."))) {
		next(r);
		t = next(r);
		if (t.kind == SQL_HOLE)
			r->out->computed = true;
	}
	r->before = t;
	if ((t.kind == SQL_WORD || t.kind == SQL_QUOTED) &&
	    !(does == DOES_READ && t.kind == SQL_WORD && is(peek(r), S("("))))
		add_table(r, t.text, does);
}

/* WITH [RECURSIVE] name [(columns)] AS (: the name is none of the database's. */
static void cte(SqlReader *r, SqlToken t)
{
	if ((t.kind == SQL_WORD || t.kind == SQL_QUOTED) && is(peek(r), S("as")) &&
	    r->cte_count < CTE_MOST) {
		SqlReader ahead = *r;

		next(&ahead);
		if (is(next(&ahead), S("(")))
			r->ctes[r->cte_count++] = t.text;
	}
}

static void bracket(SqlReader *r, SqlToken t)
{
	static const char *const takes_from[] = { "extract", "substring", "trim",
		                                  "overlay", "position",  NULL };

	if (is(t, S("("))) {
		r->depth = MIN(r->depth + 1, (uint32_t)DEPTH_MOST - 1);
		r->no_from &= ~(UINT64_C(1) << r->depth);
		if (is_any(r->before, takes_from))
			r->no_from |= UINT64_C(1) << r->depth;
	} else if (is(t, S(")"))) {
		r->depth -= r->depth != 0;
		if (r->list > r->depth + 1)
			r->list = 0;
	}
}

static void lock_all(SqlTables *out)
{
	for (uint32_t i = 0; i < out->count; i++)
		if (out->at[i].does & DOES_READ)
			out->at[i].does |= DOES_LOCK;
}

/* CREATE [UNIQUE] INDEX [CONCURRENTLY] x ON table */
static void create(SqlReader *r)
{
	SqlToken t = next(r);

	r->out->schema = true;
	while (is(t, S("unique")) || is(t, S("or")) || is(t, S("replace")) ||
	       is(t, S("temporary")) || is(t, S("temp")))
		t = next(r);
	if (is(t, S("table"))) {
		table(r, DOES_DEFINE);
	} else if (is(t, S("index"))) {
		bool concurrently = is(peek(r), S("concurrently"));

		r->out->concurrently |= concurrently;
		r->out->index_plain |= !concurrently;
		while (t.kind != SQL_END && !is(t, S("on")))
			t = next(r);
		table(r, DOES_DEFINE);
	}
	r->before = t;
}

static void statement_word(SqlReader *r, SqlToken t)
{
	static const char *const data[] = {
		"insert", "update", "delete", "merge", "truncate", NULL
	};
	SqlTables *out = r->out;

	if (is(t, S("into"))) {
		table(r, DOES_WRITE);
	} else if (is(t, S("update"))) {
		if (is(r->before, S("for")) || is(r->before, S("key")))
			lock_all(out);
		else if (!is(r->before, S("do")) && !is(r->before, S("on")))
			table(r, DOES_WRITE);
	} else if (is(t, S("truncate"))) {
		table(r, DOES_WRITE);
	} else if (is(t, S("create"))) {
		create(r);
	} else if (is(t, S("alter")) || is(t, S("drop"))) {
		SqlToken what = peek(r);

		out->schema = true;
		out->alters |= is(what, S("table"));
		if (is(what, S("table")))
			table(r, DOES_DEFINE);
	} else if (is(t, S("valid"))) {
		out->not_valid |= is(r->before, S("not"));
	} else if (is(t, S("lock")) && is(peek(r), S("table"))) {
		out->alters = true;
		table(r, DOES_LOCK);
	}
	out->data |= is_any(t, data) && !is(r->before, S("for")) && !is(r->before, S("on"));
}

static void word(SqlReader *r, SqlToken t)
{
	bool inside = r->no_from >> r->depth & 1;

	if (is(t, S("from")) && !inside && !is(r->before, S("distinct"))) {
		r->does = is(r->before, S("delete")) ? DOES_WRITE : DOES_READ;
		table(r, r->does);
		r->list = r->does == DOES_READ ? r->depth + 1 : 0;
		return;
	}
	if (is(t, S("join"))) {
		table(r, DOES_READ);
		return;
	}
	if (is(t, S("using")) && r->does == DOES_WRITE)
		table(r, DOES_READ);
	if (is(t, S("where")) || is(t, S("set")) || is(t, S("order")) || is(t, S("group")) ||
	    is(t, S("select")))
		r->list = 0;
	statement_word(r, t);
}

static bool begins(Str sql, bool sure)
{
	static const char *const first[] = { "select", "insert",   "update", "delete", "with",
		                             "merge",  "truncate", "alter",  "create", "drop",
		                             "lock",   "replace",  NULL };
	SqlReader r = { .text = sql };
	SqlToken t = next(&r), second;

	while (is(t, S("(")))
		t = next(&r);
	if (!is_any(t, first) || (!sure && (t.text.at[0] < 'A' || t.text.at[t.text.len - 1] > 'Z')))
		return false;
	second = next(&r);
	if (is(t, S("insert")))
		return is(second, S("into")) || is(second, S("ignore")) || is(second, S("or"));
	if (is(t, S("delete")))
		return is(second, S("from"));
	return second.kind != SQL_END;
}

void sql_tables(Str sql, bool sure, SqlTables *out)
{
	SqlReader r = { .text = sql, .out = out };

	*out = (SqlTables){ 0 };
	out->is_sql = begins(sql, sure);
	if (!out->is_sql)
		return;
	for (SqlToken t = next(&r); t.kind != SQL_END; t = next(&r)) {
		bool comma = is(t, S(","));

		bracket(&r, t);
		cte(&r, t);
		if (t.kind == SQL_WORD) {
			SqlToken before = t;

			word(&r, t);
			r.before = before;
			continue;
		}
		if (comma && r.list == r.depth + 1)
			table(&r, DOES_READ);
		r.before = t;
	}
}

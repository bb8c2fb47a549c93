/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules. A recursive descent makes a tree of nodes out of the text, and a walk of the tree gives a value. Both are bounded by
 * the text's length, the number of nodes and their depth. What a rule can be told to be wrong before any request comes is told
 * then, with the column: a text where true or false is wanted, an order of texts, a number to look into.
 *
 * There are no functions, no arithmetic and nothing of the request that a client chooses freely (headers, query): a rule is
 * read by whoever reviews who may do what. */
#include "auth/rule.h"

#include "base/arena.h"

#include <string.h>

typedef enum Kind { NUL, BOOL, NUMBER, TEXT, LIST, OBJECT } Kind;

typedef enum Op {
	OP_OR,
	OP_AND,
	OP_NOT,
	OP_EQ,
	OP_NE,
	OP_LT,
	OP_LE,
	OP_GT,
	OP_GE,
	OP_IN,
	OP_NOT_IN,
	OP_LITERAL,
	OP_ITEMS, /* a list of literals */
	OP_METHOD,
	OP_PATH,
	OP_PART,
	OP_CLAIM,
} Op;

typedef struct Value {
	Kind kind;
	bool yes;
	int64_t number;
	double real;
	bool is_real;
	Str text;
	const Json *json;         /* of a claim's list */
	const struct Expr *items; /* of a list in the rule */
} Value;

typedef struct Expr {
	Op op;
	unsigned column;
	struct Expr *left, *right; /* of OP_ITEMS: left is the first, items go on by `next` */
	struct Expr *next;         /* of an item */
	Value literal;
	Str name; /* of a part or a claim */
} Expr;

struct Rule {
	const Expr *top;
	const Expr *parts[RULE_NODES];
	size_t part_count;
};

/* --- words -------------------------------------------------------------------------------------------------------------- */

typedef struct Reader {
	Arena *arena;
	Str text;
	size_t at;      /* behind the word */
	size_t word_at; /* where it begins */
	Str word;       /* empty: the end */
	unsigned depth, nodes;
	Rule *rule;
} Reader;

#define REFUSE(r, slug, where, ...) \
	refuse((r)->arena, slug, (unsigned)(where), str_fmt((r)->arena, __VA_ARGS__))

static Err *refuse(Arena *a, const char *slug, unsigned column, Str why)
{
	return err_new(a, ERR_INVALID, slug, "column %u: %.*s", column, STR_ARG(why));
}

static bool is_name_first(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Names may have what claims have: dots between, colons, dashes, slashes. */
static bool is_name(char c)
{
	return is_name_first(c) || is_digit(c) || c == '.' || c == '-' || c == ':' || c == '/';
}

static size_t word_length(Str rest)
{
	static const char *const signs[] = { "==", "!=", "<=", ">=" };
	char first = rest.at[0];
	size_t len = 1;

	for (size_t i = 0; i < COUNT(signs); i++)
		if (str_starts(rest, str_of(signs[i])))
			return 2;
	if (first == '"' || first == '\'') {
		while (len < rest.len && rest.at[len] != first)
			len++;
		return len < rest.len ? len + 1 : 0;
	}
	if (is_digit(first) || first == '-')
		while (len < rest.len && is_digit(rest.at[len]))
			len++;
	else if (is_name_first(first))
		while (len < rest.len && is_name(rest.at[len]))
			len++;
	else if (!strchr("<>()[],", first))
		return 0;
	return len;
}

static Err *step(Reader *r)
{
	size_t len;

	while (r->at < r->text.len && strchr(" \t\r\n", r->text.at[r->at]))
		r->at++;
	r->word_at = r->at;
	r->word = (Str){ 0 };
	if (r->at == r->text.len)
		return NULL;
	len = r->text.at[r->at] ? word_length(str_sub(r->text, r->at, r->text.len)) : 0;
	if (!len && strchr("\"'", r->text.at[r->at]))
		return REFUSE(r, "rule.syntax", r->at + 1, "the text has no end");
	if (!len)
		return REFUSE(r, "rule.syntax", r->at + 1, "%.*s means nothing here",
		              STR_ARG(str_quote(r->arena, str_sub(r->text, r->at, r->at + 1))));
	r->word = str_sub(r->text, r->at, r->at + len);
	r->at += len;
	return NULL;
}

static bool is(const Reader *r, const char *word)
{
	return str_eq(r->word, str_of(word));
}

static Err *expected(Reader *r, const char *what)
{
	if (!r->word.len)
		return REFUSE(r, "rule.syntax", r->word_at + 1, "expected %s, and the rule ends",
		              what);
	return REFUSE(r, "rule.syntax", r->word_at + 1, "expected %s, not %.*s", what,
	              STR_ARG(str_quote(r->arena, r->word)));
}

/* --- nodes -------------------------------------------------------------------------------------------------------------- */

static Err *node_new(Reader *r, Op op, Expr **out)
{
	if (++r->nodes > RULE_NODES)
		return REFUSE(r, "rule.too_large", r->word_at + 1,
		              "the rule has more than %d parts", RULE_NODES);
	*out = ARENA_NEW(r->arena, Expr);
	(*out)->op = op;
	(*out)->column = (unsigned)r->word_at + 1;
	return NULL;
}

static const char *kind_name(const Expr *e)
{
	static const char *const names[] = { "null",   "true or false", "a number",
		                             "a text", "a list",        "an object" };

	return names[e->op == OP_ITEMS ? LIST : e->literal.kind];
}

static bool is_fixed(const Expr *e)
{
	return e->op == OP_LITERAL || e->op == OP_ITEMS;
}

static bool is_text(const Expr *e)
{
	return e->op == OP_METHOD || e->op == OP_PATH || e->op == OP_PART;
}

static bool gives_bool(const Expr *e)
{
	return e->op <= OP_NOT_IN;
}

/* What stands where true or false is wanted. */
static Err *need_bool(Reader *r, const Expr *e)
{
	if (is_text(e) || (is_fixed(e) && !(e->op == OP_LITERAL && e->literal.kind == BOOL)))
		return REFUSE(r, "rule.type", e->column,
		              "expected something that is true or false, not %s",
		              is_text(e) ? "a text" : kind_name(e));
	return NULL;
}

static Err *need_number(Reader *r, const Expr *e)
{
	if (gives_bool(e) || is_text(e) ||
	    (is_fixed(e) && !(e->op == OP_LITERAL && e->literal.kind == NUMBER)))
		return REFUSE(r, "rule.type", e->column,
		              "only numbers are smaller or greater, and this is %s",
		              gives_bool(e) ? "true or false"
		              : is_text(e)  ? "a text"
		                            : kind_name(e));
	return NULL;
}

/* What can be looked into. */
static Err *need_many(Reader *r, const Expr *e)
{
	bool fine = e->op == OP_ITEMS || e->op == OP_CLAIM || is_text(e) ||
	            (e->op == OP_LITERAL && e->literal.kind == TEXT);

	if (!fine)
		return REFUSE(r, "rule.type", e->column, "`in` looks into a list or a text, not %s",
		              gives_bool(e) ? "true or false" : kind_name(e));
	return NULL;
}

static Err *need_one(Reader *r, const Expr *e)
{
	return e->op == OP_ITEMS
	               ? REFUSE(r, "rule.type", e->column, "a list stands only after `in`")
	               : NULL;
}

/* --- the tree ----------------------------------------------------------------------------------------------------------- */

static Err *read_or(Reader *r, Expr **out);

static Err *read_number(Reader *r, Expr *e)
{
	e->literal.kind = NUMBER;
	if (!str_to_i64(r->word, &e->literal.number))
		return expected(r, "a number");
	e->literal.real = (double)e->literal.number;
	return step(r);
}

static bool read_word(const Reader *r, Expr *e)
{
	e->op = OP_LITERAL;
	if (is(r, "true") || is(r, "false"))
		e->literal = (Value){ .kind = BOOL, .yes = is(r, "true") };
	else if (!is(r, "null"))
		return false;
	return true;
}

static Err *read_name(Reader *r, Expr *e)
{
	Str name = r->word;

	e->op = is(r, "method") ? OP_METHOD : is(r, "path") ? OP_PATH : OP_CLAIM;
	e->name = name;
	if (str_starts(name, S("path."))) {
		e->op = OP_PART;
		e->name = str_sub(name, 5, name.len);
		r->rule->parts[r->rule->part_count++] = e;
	} else if (str_starts(name, S("claim."))) {
		e->name = str_sub(name, 6, name.len);
	}
	if (!e->name.len || e->name.at[e->name.len - 1] == '.')
		return REFUSE(r, "rule.syntax", r->word_at + 1, "%.*s wants a name after the dot",
		              STR_ARG(name));
	return step(r);
}

/* A text, a number, true, false, null, a name. */
static Err *read_single(Reader *r, Expr **out)
{
	char first = r->word.len ? r->word.at[0] : 0;
	Expr *e;

	TRY(node_new(r, OP_LITERAL, &e));
	*out = e;
	if (is(r, "or") || is(r, "and") || is(r, "in") || is(r, "not"))
		return expected(r, "a value");
	if (first == '"' || first == '\'') {
		e->literal = (Value){ .kind = TEXT, .text = str_sub(r->word, 1, r->word.len - 1) };
		return step(r);
	}
	if (is_digit(first) || first == '-')
		return read_number(r, e);
	if (!first || !is_name_first(first))
		return expected(r, "a value");
	return read_word(r, e) ? step(r) : read_name(r, e);
}

static Err *read_items(Reader *r, Expr **out)
{
	Expr **end;

	TRY(node_new(r, OP_ITEMS, out));
	end = &(*out)->left;
	TRY(step(r));
	while (!is(r, "]")) {
		TRY(read_single(r, end));
		if ((*end)->op != OP_LITERAL)
			return REFUSE(r, "rule.syntax", (*end)->column,
			              "a list has texts and numbers only");
		end = &(*end)->next;
		if (is(r, ","))
			TRY(step(r));
		else if (!is(r, "]"))
			return expected(r, "\",\" or \"]\"");
	}
	return step(r);
}

static Err *read_value(Reader *r, Expr **out)
{
	if (is(r, "["))
		return read_items(r, out);
	if (!is(r, "("))
		return read_single(r, out);
	TRY(step(r));
	TRY(read_or(r, out));
	if (!is(r, ")"))
		return expected(r, "\")\"");
	return step(r);
}

/* The sign or word between two values; *op stays OP_LITERAL when there is none. */
static Err *read_between(Reader *r, Op *op)
{
	static const struct {
		const char *word;
		Op op;
	} signs[] = { { "==", OP_EQ }, { "!=", OP_NE }, { "<", OP_LT },  { "<=", OP_LE },
		      { ">", OP_GT },  { ">=", OP_GE }, { "in", OP_IN }, { "not", OP_NOT_IN } };

	*op = OP_LITERAL;
	for (size_t i = 0; i < COUNT(signs); i++)
		if (is(r, signs[i].word))
			*op = signs[i].op;
	if (*op == OP_LITERAL)
		return NULL;
	TRY(step(r));
	if (*op != OP_NOT_IN)
		return NULL;
	return is(r, "in") ? step(r) : expected(r, "in");
}

static Err *read_comparison(Reader *r, Expr **out)
{
	Expr *left, *e;
	Op op;

	TRY(read_value(r, &left));
	TRY(read_between(r, &op));
	*out = left;
	if (op == OP_LITERAL)
		return need_one(r, left);
	TRY(node_new(r, op, &e));
	e->left = left;
	e->column = left->column;
	TRY(read_value(r, &e->right));
	*out = e;
	TRY(need_one(r, left));
	if (op == OP_IN || op == OP_NOT_IN)
		return need_many(r, e->right);
	TRY(need_one(r, e->right));
	if (op >= OP_LT && op <= OP_GE) {
		TRY(need_number(r, left));
		return need_number(r, e->right);
	}
	return NULL;
}

static Err *read_not(Reader *r, Expr **out)
{
	Expr *e;

	if (++r->depth > RULE_DEPTH)
		return REFUSE(r, "rule.too_large", r->word_at + 1, "nested more than %d deep",
		              RULE_DEPTH);
	if (is(r, "not")) {
		TRY(node_new(r, OP_NOT, &e));
		TRY(step(r));
		TRY(read_not(r, &e->left));
		TRY(need_bool(r, e->left));
		*out = e;
	} else {
		TRY(read_comparison(r, out));
	}
	r->depth--;
	return NULL;
}

static Err *read_chain(Reader *r, Op op, const char *word, Err *(*next)(Reader *r, Expr **out),
                       Expr **out)
{
	Expr *e;

	TRY(next(r, out));
	while (is(r, word)) {
		TRY(need_bool(r, *out));
		TRY(node_new(r, op, &e));
		TRY(step(r));
		e->left = *out;
		TRY(next(r, &e->right));
		TRY(need_bool(r, e->right));
		*out = e;
	}
	return NULL;
}

static Err *read_and(Reader *r, Expr **out)
{
	return read_chain(r, OP_AND, "and", read_not, out);
}

static Err *read_or(Reader *r, Expr **out)
{
	return read_chain(r, OP_OR, "or", read_and, out);
}

Err *rule_read(Arena *a, Str text, const Rule **out)
{
	Reader r = { .arena = a, .text = str_dup(a, text), .rule = ARENA_NEW(a, Rule) };
	Expr *top;

	if (text.len > RULE_BYTES)
		return REFUSE(&r, "rule.too_large", RULE_BYTES + 1,
		              "the rule has more than %d bytes", RULE_BYTES);
	TRY(step(&r));
	TRY(read_or(&r, &top));
	if (r.word.len)
		return expected(&r, "and, or, or the end");
	TRY(need_bool(&r, top));
	r.rule->top = top;
	*out = r.rule;
	return NULL;
}

bool rule_part(const Rule *rule, size_t i, Str *name, unsigned *column)
{
	if (i >= rule->part_count)
		return false;
	*name = rule->parts[i]->name;
	*column = rule->parts[i]->column;
	return true;
}

/* --- what it comes to --------------------------------------------------------------------------------------------------- */

static Value of_json(const Json *json)
{
	Value v = { .json = json };

	switch (json_kind(json)) {
	case JSON_KIND_NULL:
		break;
	case JSON_KIND_BOOL:
		v.kind = BOOL;
		json_to_bool(json, &v.yes);
		break;
	case JSON_KIND_INT:
		v.kind = NUMBER;
		json_to_i64(json, &v.number);
		v.real = (double)v.number;
		break;
	case JSON_KIND_REAL:
		v.kind = NUMBER;
		v.is_real = true;
		json_to_real(json, &v.real);
		break;
	case JSON_KIND_STR:
		v.kind = TEXT;
		json_to_str(json, &v.text);
		break;
	case JSON_KIND_ARRAY:
		v.kind = LIST;
		break;
	case JSON_KIND_OBJECT:
		v.kind = OBJECT;
		break;
	}
	return v;
}

/* The claim of that very name, or the member that its dots lead to. */
static Value claim_of(const Json *claims, Str name)
{
	const Json *value = json_get(claims, name);
	Str rest = name, part;

	if (!value) {
		value = claims;
		while (value && str_split(&rest, '.', &part))
			value = json_get(value, part);
	}
	return of_json(value);
}

static Value single(const Expr *e, const RuleAsk *ask)
{
	Value text = { .kind = TEXT };

	switch ((unsigned)e->op) {
	case OP_METHOD:
		text.text = ask->method;
		return text;
	case OP_PATH:
		text.text = ask->path;
		return text;
	case OP_PART:
		if (!ask->part || !ask->part(ask->arg, e->name, &text.text))
			text.kind = NUL;
		return text;
	case OP_CLAIM:
		return claim_of(ask->claims, e->name);
	case OP_ITEMS:
		return (Value){ .kind = LIST, .items = e->left };
	default:
		return e->literal;
	}
}

static bool is_digits_of(Str text, const Value *number)
{
	char digits[24];
	Buf b = { .at = digits, .cap = sizeof digits };

	buf_put_i64(&b, number->number);
	return !number->is_real && str_eq(text, buf_str(&b));
}

static bool equal(const Value *x, const Value *y)
{
	if (x->kind == TEXT && y->kind == NUMBER)
		return is_digits_of(x->text, y);
	if (x->kind == NUMBER && y->kind == TEXT)
		return is_digits_of(y->text, x);
	if (x->kind != y->kind)
		return false;
	switch (x->kind) {
	case NUL:
		return true;
	case BOOL:
		return x->yes == y->yes;
	case NUMBER:
		return x->is_real || y->is_real ? x->real >= y->real && x->real <= y->real
		                                : x->number == y->number;
	case TEXT:
		return str_eq(x->text, y->text);
	case LIST:
	case OBJECT:
		return false;
	}
	return false;
}

static int order(const Value *x, const Value *y)
{
	if (!x->is_real && !y->is_real)
		return x->number < y->number ? -1 : x->number > y->number;
	return x->real < y->real ? -1 : x->real > y->real;
}

static bool compare(Op op, const Value *x, const Value *y)
{
	int way;

	if (op == OP_EQ || op == OP_NE)
		return equal(x, y) == (op == OP_EQ);
	if (x->kind != NUMBER || y->kind != NUMBER)
		return false;
	way = order(x, y);
	return op == OP_LT ? way < 0 : op == OP_LE ? way <= 0 : op == OP_GT ? way > 0 : way >= 0;
}

static bool has_word(Str text, const Value *what)
{
	Str word;

	if (what->kind != TEXT || !what->text.len)
		return false;
	while (str_split(&text, ' ', &word))
		if (str_eq(word, what->text))
			return true;
	return false;
}

static bool holds_in(const Value *what, const Value *many)
{
	if (many->kind == TEXT)
		return has_word(many->text, what);
	if (many->kind != LIST || what->kind == NUL)
		return false;
	for (const Expr *item = many->items; item; item = item->next)
		if (equal(what, &item->literal))
			return true;
	for (size_t i = 0; many->json && i < json_count(many->json); i++) {
		Value item = of_json(json_at(many->json, i));

		if (equal(what, &item))
			return true;
	}
	return false;
}

static bool holds(const Expr *e, const RuleAsk *ask);

static Value value_of(const Expr *e, const RuleAsk *ask)
{
	return gives_bool(e) ? (Value){ .kind = BOOL, .yes = holds(e, ask) } : single(e, ask);
}

static bool holds(const Expr *e, const RuleAsk *ask)
{
	Value x, y;

	if (e->op == OP_OR)
		return holds(e->left, ask) || holds(e->right, ask);
	if (e->op == OP_AND)
		return holds(e->left, ask) && holds(e->right, ask);
	if (e->op == OP_NOT)
		return !holds(e->left, ask);
	x = value_of(gives_bool(e) ? e->left : e, ask);
	if (!gives_bool(e))
		return x.kind == BOOL && x.yes;
	y = value_of(e->right, ask);
	if (x.kind == NUL && y.kind == NUL && e->left->op != OP_LITERAL &&
	    e->right->op != OP_LITERAL)
		return e->op == OP_NE; /* two that are not there are not the same */
	if (e->op == OP_IN || e->op == OP_NOT_IN)
		return holds_in(&x, &y) == (e->op == OP_IN);
	return compare(e->op, &x, &y);
}

bool rule_holds(const Rule *rule, const RuleAsk *ask)
{
	return holds(rule->top, ask);
}

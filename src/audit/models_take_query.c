/* SPDX-License-Identifier: Apache-2.0
 *
 * Queries in the text of a file: chains of calls that begin at a model (Order.objects.filter(..).update(..)), at a session, at an instance
 * whose class is seen in the same function, at a set of an instance (cart.items.all()), and SQL. A chain is looked at once, from its outermost
 * call inwards. What a name stands for is not known here; the names are kept. */
#include "audit/models_take.h"

#include "base/arena.h"

#include <string.h>

enum { CHAINS = 32, BINDINGS = 64, ANCESTORS = 4 };

struct TakeQuery {
	struct {
		Str on;
		uint32_t end;
	} chains[CHAINS];
	struct {
		Str name, on;
		uint32_t unit;
	} bindings[BINDINGS]; /* a ring */
	uint32_t chain_count, binding_next;
	uint32_t sql_end;   /* rows before it are arguments of something that runs SQL */
	uint32_t block_end; /* and these are in one transaction */
};

enum {
	STRONG = 16, /* nothing but a query has it */
	PATHS = 32,  /* its texts are paths of names */
	SQL = 64,
	INSTANCE = 128
};
typedef struct Verb {
	const char *name;
	uint8_t does;
} Verb;
static const Verb verbs[] = {
	{ "add", DOES_WRITE },
	{ "aggregate", DOES_READ | STRONG },
	{ "all", DOES_READ | STRONG },
	{ "annotate", DOES_READ | STRONG },
	{ "bulk_create", DOES_WRITE | STRONG },
	{ "bulk_update", DOES_WRITE | STRONG },
	{ "clear", DOES_WRITE },
	{ "count", DOES_READ },
	{ "create", DOES_WRITE },
	{ "dates", DOES_READ | STRONG },
	{ "datetimes", DOES_READ | STRONG },
	{ "defer", DOES_READ | PATHS },
	{ "delete", DOES_WRITE | INSTANCE },
	{ "distinct", DOES_READ },
	{ "earliest", DOES_READ },
	{ "exclude", DOES_READ | STRONG },
	{ "execute", SQL },
	{ "executemany", SQL },
	{ "exists", DOES_READ },
	{ "extra", DOES_READ | STRONG | SQL },
	{ "filter", DOES_READ | STRONG },
	{ "filter_by", DOES_READ | STRONG },
	{ "first", DOES_READ },
	{ "get", DOES_READ },
	{ "get_or_404", DOES_READ },
	{ "get_or_create", DOES_READ | DOES_WRITE | STRONG },
	{ "in_bulk", DOES_READ | STRONG },
	{ "iterator", DOES_READ },
	{ "last", DOES_READ },
	{ "latest", DOES_READ | STRONG },
	{ "one", DOES_READ },
	{ "one_or_none", DOES_READ | STRONG },
	{ "only", DOES_READ | PATHS },
	{ "order_by", DOES_READ | STRONG | PATHS },
	{ "prefetch_related", DOES_READ | STRONG | PATHS },
	{ "raw", DOES_READ | SQL },
	{ "refresh_from_db", DOES_READ | INSTANCE },
	{ "remove", DOES_WRITE },
	{ "save", DOES_WRITE | INSTANCE },
	{ "scalar", DOES_READ },
	{ "select_for_update", DOES_READ | DOES_LOCK | STRONG },
	{ "select_related", DOES_READ | STRONG | PATHS },
	{ "set", DOES_WRITE },
	{ "text", SQL },
	{ "update", DOES_WRITE },
	{ "update_or_create", DOES_READ | DOES_WRITE | STRONG },
	{ "values", DOES_READ | PATHS },
	{ "values_list", DOES_READ | STRONG | PATHS },
	{ "with_for_update", DOES_READ | DOES_LOCK | STRONG },
};
static const char *const path_functions[] = { "Avg", "Count",    "F",   "Max",
	                                      "Min", "OuterRef", "Sum", NULL };

static uint8_t plain_verb(Str name)
{
	size_t from = 0, to = COUNT(verbs);

	while (from < to) {
		size_t middle = (from + to) / 2;
		int order = str_cmp(name, str_of(verbs[middle].name));

		if (!order)
			return verbs[middle].does;
		if (order < 0)
			to = middle;
		else
			from = middle + 1;
	}
	return 0;
}

/* Django's async ones are the same with an a before. */
static uint8_t verb_of(Str name)
{
	uint8_t does = plain_verb(name);

	return does || !str_starts(name, S("a")) ? does : plain_verb(str_sub(name, 1, name.len));
}

/* A method of a manager's own: Order.objects.open(), User.objects.create_user(..). */
static uint8_t own_verb(Str base, Str verb)
{
	static const Str quiet[] = { S("none"),           S("as_manager"),
		                     S("get_for_model"),  S("get_for_id"),
		                     S("clear_cache"),    S("get_current"),
		                     S("get_for_models"), S("contribute_to_class") };
	static const Str writes[] = { S("create"), S("update"), S("delete"), S("bulk_"),
		                      S("remove"), S("add_"),   S("save") };
	Str manager = name_last(base);

	if (manager.len == base.len ||
	    !(str_eq(manager, S("objects")) || str_eq(manager, S("_default_manager"))))
		return 0;
	for (size_t i = 0; i < COUNT(quiet); i++)
		if (str_eq(verb, quiet[i]))
			return 0;
	for (size_t i = 0; i < COUNT(writes); i++)
		if (str_starts(verb, writes[i]))
			return DOES_WRITE;
	return str_starts(verb, S("get_or_create")) ? DOES_READ | DOES_WRITE : DOES_READ;
}

TakeQuery *take_query_new(Arena *a)
{
	return ARENA_NEW(a, TakeQuery);
}

void take_query_row(Take *t, uint32_t row)
{
	TakeQuery *q = t->query;

	while (q->chain_count && row >= q->chains[q->chain_count - 1].end)
		q->chain_count--;
}

static void add_use(Take *t, UseFact use)
{
	use.on = str_dup(t->a, use.on);
	use.path = str_dup(t->a, use.path);
	use.unit = t->unit;
	use.does &= DOES_READ | DOES_WRITE | DOES_LOCK | DOES_DEFINE;
	*TAKE_ADD(t->a, t->out->uses, t->out->use_count) = use;
}

/* --- what a function knows of its names ---------------------------------------------------------------------------------------- */

static bool is_capital(Str name)
{
	return name.len && name.at[0] >= 'A' && name.at[0] <= 'Z';
}

/* "models.Order" of "models.Order.objects"; empty: no part of it begins with a capital, or all of it is a constant. */
static Str class_part(Str dotted)
{
	size_t end = 0;

	for (size_t at = 0; at < dotted.len;) {
		Str part = name_first(str_sub(dotted, at, dotted.len));

		if (is_capital(part) && (!is_upper_name(part) || part.len < 3))
			end = at + part.len;
		else if (end)
			break;
		at += part.len + 1;
	}
	return str_sub(dotted, 0, end);
}

static Str bound(const Take *t, Str name)
{
	const Measures *m = &t->file->measures;
	const TakeQuery *q = t->query;

	for (uint32_t i = 0; i < MIN(q->binding_next, (uint32_t)BINDINGS); i++) {
		uint32_t slot = (q->binding_next - 1 - i) % BINDINGS, unit = t->unit;

		if (!str_eq(q->bindings[slot].name, name))
			continue;
		for (uint32_t up = 0; up < ANCESTORS; up++) {
			if (unit == q->bindings[slot].unit)
				return q->bindings[slot].on;
			if (unit == UNIT_NONE)
				break;
			unit = m->units[unit].parent;
		}
	}
	return S("");
}

static void bind(Take *t, Str name, Str on)
{
	TakeQuery *q = t->query;
	uint32_t slot = q->binding_next++ % BINDINGS;

	q->bindings[slot].name = name; /* borrowed from the text, for as long as the pass */
	q->bindings[slot].on = on;
	q->bindings[slot].unit = t->unit;
}

/* --- chains ---------------------------------------------------------------------------------------------------------------------- */

typedef struct Chain {
	uint32_t base; /* what the innermost call is a call of; SYNTAX_NONE: a plain function */
	uint32_t first_call; /* the innermost */
	Str first_verb;
	uint8_t does;
} Chain;

static bool is_inner(const Syntax *s, uint32_t call)
{
	uint32_t attribute = s->at[call].parent, outer = s->at[attribute].parent;

	return s->at[attribute].kind == PY_ATTRIBUTE && s->at[call].field == PY_F_OBJECT &&
	       s->at[outer].kind == PY_CALL && s->at[attribute].field == PY_F_FUNCTION;
}

static Chain chain_of(const Syntax *s, uint32_t call)
{
	Chain c = { .base = SYNTAX_NONE, .first_call = call };

	for (;;) {
		uint32_t function = syntax_child(s, call, PY_F_FUNCTION), object, name;

		c.first_call = call;
		if (function == SYNTAX_NONE || s->at[function].kind != PY_ATTRIBUTE)
			return c;
		object = syntax_child(s, function, PY_F_OBJECT);
		name = syntax_child(s, function, PY_F_ATTRIBUTE);
		if (object == SYNTAX_NONE || name == SYNTAX_NONE)
			return c;
		c.first_verb = syntax_text(s, name);
		c.does |= verb_of(c.first_verb);
		c.base = object;
		if (s->at[object].kind != PY_CALL)
			return c;
		call = object;
	}
}

/* get_user_model() and apps.get_model("shop", "Order"), with what follows: a name that the joining knows. */
static Str model_call(Take *t, uint32_t node)
{
	const Syntax *s = t->s;
	Str last, app, name;

	if (s->at[node].kind == PY_ATTRIBUTE)
		node = syntax_child(s, node, PY_F_OBJECT);
	if (node == SYNTAX_NONE || s->at[node].kind != PY_CALL)
		return S("");
	last = syntax_last(s, node);
	if (str_eq(last, S("get_user_model")))
		return S("settings.AUTH_USER_MODEL");
	if (!str_eq(last, S("get_model")) ||
	    !syntax_literal(t->a, s, syntax_argument(s, node, 0), &app))
		return S("");
	if (!syntax_literal(t->a, s, syntax_argument(s, node, 1), &name))
		return str_find_char(app, '.') > 0 ? str_fmt(t->a, "=%.*s", STR_ARG(app)) : S("");
	return str_fmt(t->a, "=%.*s.%.*s", STR_ARG(app), STR_ARG(name));
}

/* The class that an expression gives rows of; empty: unknown. */
static Str class_of_value(Take *t, uint32_t node)
{
	static const char *const getters[] = { "get_object_or_404", "get_list_or_404",
		                               "aget_object_or_404" };
	const Syntax *s = t->s;
	Str name, found;
	Chain c;

	while (node != SYNTAX_NONE &&
	       (s->at[node].kind == PY_AWAIT || s->at[node].kind == PY_SUBSCRIPT ||
	        s->at[node].kind == PY_PARENTHESIZED_EXPRESSION))
		node = syntax_nth(s, node, 0);
	if (node == SYNTAX_NONE)
		return S("");
	if (s->at[node].kind != PY_CALL) {
		name = syntax_dotted(s, node);
		return name.len && str_find_char(name, '.') < 0 ? bound(t, name) : S("");
	}
	found = model_call(t, node);
	if (found.len)
		return found;
	c = chain_of(s, node);
	name = syntax_last(s, c.first_call);
	for (size_t i = 0; c.base == SYNTAX_NONE && i < COUNT(getters); i++)
		if (str_eq(name, str_of(getters[i])) &&
		    syntax_argument(s, c.first_call, 0) != SYNTAX_NONE)
			return class_part(syntax_dotted(s, syntax_argument(s, c.first_call, 0)));
	if (c.base == SYNTAX_NONE)
		return str_eq(name, S("cls")) ? name : class_part(name);
	found = class_part(syntax_dotted(s, c.base));
	if (found.len || (is_capital(c.first_verb) && !c.does))
		return found.len ? found : class_part(syntax_callee(s, c.first_call));
	found = model_call(t, c.base);
	if (found.len)
		return found;
	name = syntax_dotted(s, c.base);
	return name.len ? bound(t, name_first(name)) : S("");
}

void take_query_binding(Take *t, uint32_t left, uint32_t right)
{
	Str on;

	if (left == SYNTAX_NONE || right == SYNTAX_NONE || t->unit == UNIT_NONE)
		return;
	if (t->s->at[left].kind == PY_PATTERN_LIST || t->s->at[left].kind == PY_TUPLE_PATTERN)
		left = syntax_nth(t->s, left, 0);
	if (left == SYNTAX_NONE || t->s->at[left].kind != PY_IDENTIFIER)
		return;
	on = class_of_value(t, right);
	if (on.len)
		bind(t, syntax_text(t->s, left), on);
}

/* def pay(order: Order) */
void take_query_parameter(Take *t, uint32_t node)
{
	uint32_t name = syntax_nth(t->s, node, 0), type = syntax_child(t->s, node, PY_F_TYPE);

	if (name == SYNTAX_NONE || type == SYNTAX_NONE || t->s->at[name].kind != PY_IDENTIFIER)
		return;
	if (class_part(syntax_dotted(t->s, syntax_nth(t->s, type, 0))).len)
		bind(t, syntax_text(t->s, name), syntax_dotted(t->s, syntax_nth(t->s, type, 0)));
}

/* --- uses ------------------------------------------------------------------------------------------------------------------------- */

static void open_chain(Take *t, Str on, uint32_t call)
{
	TakeQuery *q = t->query;

	if (q->chain_count == CHAINS)
		return;
	q->chains[q->chain_count].on = on;
	q->chains[q->chain_count++].end = t->s->at[call].end;
}

static void use_model(Take *t, Str on, uint32_t call, uint8_t does, TouchVia via)
{
	add_use(t, (UseFact){ .on = on,
	                      .of = USE_MODEL,
	                      .via = (uint8_t)via,
	                      .does = does,
	                      .line = t->s->at[call].line });
	open_chain(t, class_part(on).len ? class_part(on) : on, call);
}

/* session.query(Order, Line), select(Order): the classes among the arguments. */
static void use_arguments(Take *t, uint32_t call, uint32_t inner, uint8_t does)
{
	const Syntax *s = t->s;
	uint32_t list = syntax_child(s, inner, PY_F_ARGUMENTS);

	for (uint32_t i = list + 1; list != SYNTAX_NONE && i < s->at[list].end; i = s->at[i].end) {
		Str on = class_part(syntax_dotted(s, i));

		if (!on.len && s->at[i].kind == PY_CALL)
			on = class_part(syntax_callee(s, i));
		if (!on.len && s->at[i].kind == PY_IDENTIFIER)
			on = bound(t, syntax_text(s, i));
		if (on.len)
			use_model(t, on, call, does, TOUCH_QUERY);
	}
}

typedef struct SessionVerb {
	const char *name;
	uint8_t does;
} SessionVerb;
static const SessionVerb session_verbs[] = {
	{ "query", DOES_READ },
	{ "get", DOES_READ },
	{ "add", DOES_WRITE },
	{ "merge", DOES_WRITE },
	{ "delete", DOES_WRITE },
	{ "refresh", DOES_READ },
	{ "add_all", DOES_WRITE },
	{ "get_or_404", DOES_READ },
	{ "select", DOES_READ },
	{ "insert", DOES_WRITE },
	{ "update", DOES_WRITE },
	{ "bulk_insert_mappings", DOES_WRITE },
	{ "bulk_update_mappings", DOES_WRITE },
};

static bool use_session(Take *t, uint32_t call, const Chain *c)
{
	Str base = syntax_dotted(t->s, c->base), last = name_last(base);

	if (!str_ends(last, S("session")) && !str_ends(last, S("Session")) &&
	    !str_eq(last, S("db")) && !str_eq(base, S("sa")) && !str_eq(base, S("sqlalchemy")))
		return false;
	for (size_t i = 0; i < COUNT(session_verbs); i++)
		if (str_eq(c->first_verb, str_of(session_verbs[i].name))) {
			uint8_t does = session_verbs[i].does;

			if (does == DOES_READ)
				does = c->does ? c->does | DOES_READ : does;
			use_arguments(t, call, c->first_call, does);
			return true;
		}
	return !is_capital(base);
}

/* Functions that are called by their name alone. */
static void use_function(Take *t, uint32_t call, const Chain *c)
{
	static const SessionVerb functions[] = {
		{ "select", DOES_READ },
		{ "insert", DOES_WRITE },
		{ "update", DOES_WRITE },
		{ "delete", DOES_WRITE },
		{ "get_object_or_404", DOES_READ },
		{ "get_list_or_404", DOES_READ },
	};
	Str name = syntax_last(t->s, c->first_call);

	for (size_t i = 0; i < COUNT(functions); i++)
		if (str_eq(name, str_of(functions[i].name))) {
			use_arguments(t, call, c->first_call,
			              functions[i].does | (c->does & DOES_LOCK));
			return;
		}
	if (c->does & INSTANCE && class_part(name).len)
		use_model(t, name, call, c->does, TOUCH_INSTANCE);
}

static void use_self(Take *t, Str base, uint32_t call, uint8_t does)
{
	Str first = name_first(base), path = str_sub(base, first.len + 1, base.len);

	if (path.len ? !(does & STRONG) && !str_eq(name_last(path), S("objects"))
	             : !(does & INSTANCE))
		return;
	add_use(t, (UseFact){ .on = first,
	                      .path = path,
	                      .of = USE_SELF,
	                      .does = does,
	                      .via = path.len ? TOUCH_QUERY : TOUCH_INSTANCE,
	                      .line = t->s->at[call].line });
}

static void use_name(Take *t, Str base, uint32_t call, const Chain *c)
{
	Str first = name_first(base), on = class_part(base),
	    rest = str_sub(base, first.len, base.len);
	bool direct = base.len == on.len; /* Order.save(..), Cart.totals(..): the class itself */
	Str known = bound(t, first);      /* Order = apps.get_model("shop", "Order") too */

	if (str_eq(first, S("self")) || str_eq(first, S("cls"))) {
		use_self(t, base, call, c->does);
		return;
	}
	if (str_eq(known, S("cls"))) { /* event = cls(..); event.save() */
		use_self(t, str_fmt(t->a, "cls%.*s", STR_ARG(rest)), call, c->does);
		return;
	}
	if (!known.len && on.len && !(direct && !(c->does & INSTANCE))) {
		use_model(t, base, call, c->does, TOUCH_QUERY);
		return;
	}
	on = known;
	if (on.len && (rest.len || c->does & INSTANCE || c->does & STRONG)) {
		use_model(t, rest.len ? str_fmt(t->a, "%.*s%.*s", STR_ARG(on), STR_ARG(rest)) : on,
		          call, c->does, rest.len ? TOUCH_QUERY : TOUCH_INSTANCE);
		return;
	}
	if (c->does & STRONG && rest.len)
		add_use(t, (UseFact){ .on = base,
		                      .path = name_last(base),
		                      .of = USE_RELATED,
		                      .does = c->does,
		                      .via = TOUCH_QUERY,
		                      .line = t->s->at[call].line });
}

/* What a transaction calls: its writes are in it too. */
static void call_in_block(Take *t, uint32_t call)
{
	Str on = syntax_callee(t->s, call), first = name_first(on), known;

	if (!on.len || verb_of(name_last(on)))
		return;
	known = first.len < on.len ? bound(t, first) : S("");
	if (known.len)
		on = str_fmt(t->a, "%.*s%.*s", STR_ARG(known),
		             STR_ARG(str_sub(on, first.len, on.len)));
	add_use(t, (UseFact){ .on = on, .of = USE_CALL, .line = t->s->at[call].line });
}

void take_query_call(Take *t, uint32_t call)
{
	const Syntax *s = t->s;
	Chain c;
	Str base;

	if (call < t->query->block_end)
		call_in_block(t, call);
	if (is_inner(s, call))
		return;
	c = chain_of(s, call);
	if (c.does & SQL || str_eq(syntax_last(s, call), S("text")))
		t->query->sql_end = MAX(t->query->sql_end, s->at[call].end);
	if (c.base == SYNTAX_NONE || s->at[c.base].kind == PY_CALL) {
		use_function(t, call, &c);
		return;
	}
	base = syntax_dotted(s, c.base);
	if (!base.len) {
		base = model_call(t, c.base);
		if (base.len && c.does)
			use_model(t, base, call, c.does, TOUCH_QUERY);
		return;
	}
	if (!c.does)
		c.does = own_verb(base, c.first_verb);
	if (!use_session(t, call, &c) && c.does & (DOES_READ | DOES_WRITE | DOES_LOCK))
		use_name(t, base, call, &c);
}

/* --- paths of names, SQL ------------------------------------------------------------------------------------------------------------ */

static void add_path(Take *t, Str path, uint32_t node)
{
	const TakeQuery *q = t->query;

	if (q->chain_count && path.len && path.len < 200)
		add_use(t, (UseFact){ .on = q->chains[q->chain_count - 1].on,
		                      .path = path,
		                      .of = USE_MODEL,
		                      .via = TOUCH_JOIN,
		                      .does = DOES_READ,
		                      .line = t->s->at[node].line });
}

void take_query_keyword(Take *t, uint32_t node)
{
	Str name;

	if (!t->query->chain_count)
		return;
	name = syntax_text(t->s, node + 1);
	if (str_find(name, S("__")) > 0)
		add_path(t, name, node);
}

enum { NO_PATH, PATH_OF_NAMES, PATH_OF_ROWS /* the last name's rows come too */ };

static int path_argument(const Syntax *s, uint32_t string)
{
	uint32_t list = s->at[string].parent, call = s->at[list].parent;
	Str name;

	if (s->at[list].kind != PY_ARGUMENT_LIST || s->at[call].kind != PY_CALL)
		return NO_PATH;
	name = syntax_last(s, call);
	if (str_eq(name, S("select_related")) || str_eq(name, S("prefetch_related")) ||
	    str_eq(name, S("Prefetch")))
		return PATH_OF_ROWS;
	for (size_t i = 0; path_functions[i]; i++)
		if (str_eq(name, str_of(path_functions[i])))
			return PATH_OF_NAMES;
	return verb_of(name) & PATHS ? PATH_OF_NAMES : NO_PATH;
}

static bool take_path(Take *t, uint32_t node, Str text)
{
	int kind = t->query->chain_count ? path_argument(t->s, node) : NO_PATH;

	if (kind == PATH_OF_ROWS)
		add_path(t, str_fmt(t->a, "%.*s__*", STR_ARG(text)), node);
	else if (kind == PATH_OF_NAMES && str_find(text, S("__")) > 0)
		add_path(t, text.at[0] == '-' ? str_sub(text, 1, text.len) : text, node);
	return kind != NO_PATH;
}

static void sql(Take *t, uint32_t node, Str text)
{
	bool sure = node < t->query->sql_end;
	SqlTables found;

	sql_tables(text, sure, &found);
	if (found.is_sql && (found.computed || (!found.count && sure && !found.schema)) &&
	    str_find(text, S("FROM")) >= 0)
		*TAKE_ADD(t->a, t->out->names, t->out->name_count) = (NameFact){
			.unit = t->unit, .line = t->s->at[node].line, .kind = NAME_COMPUTED_SQL
		};
	for (uint32_t i = 0; i < found.count; i++)
		add_use(t, (UseFact){ .on = found.at[i].name,
		                      .of = USE_TABLE,
		                      .via = TOUCH_SQL,
		                      .does = found.at[i].does,
		                      .line = t->s->at[node].line });
}

static bool may_be_sql(Str text)
{
	size_t i = 0;

	while (i < text.len && (text.at[i] == ' ' || text.at[i] == '\n' || text.at[i] == '\t' ||
	                        text.at[i] == '(' || text.at[i] == '-'))
		i++;
	return text.len - i > 8 && strchr("SIUDWMTLACRsiudwmtlacr", text.at[i]) && text.at[i];
}

void take_query_string(Take *t, uint32_t node)
{
	const Syntax *s = t->s;
	Str text;

	if (s->at[s->at[node].parent].kind == PY_EXPRESSION_STATEMENT ||
	    s->at[s->at[node].parent].kind == PY_CONCATENATED_STRING)
		return;
	text = syntax_raw(t->a, s, node);
	if (!take_path(t, node, text) && may_be_sql(text))
		sql(t, node, text);
}

/* --- transactions -------------------------------------------------------------------------------------------------------------------- */

static bool is_transaction(Str name)
{
	return str_eq(name, S("atomic")) || str_eq(name, S("begin")) ||
	       str_eq(name, S("commit_on_success"));
}

static void add_block(Take *t, uint32_t unit, uint32_t line, uint32_t end_line, uint32_t end)
{
	t->query->block_end = MAX(t->query->block_end, end);
	*TAKE_ADD(t->a, t->out->blocks, t->out->block_count) = (BlockFact){ unit, line, end_line };
}

void take_with(Take *t, uint32_t node)
{
	const Syntax *s = t->s;
	uint32_t body = syntax_child(s, node, PY_F_BODY);

	for (uint32_t i = node + 1; body != SYNTAX_NONE && i < body; i++)
		if (s->at[i].kind == PY_CALL && is_transaction(syntax_last(s, i))) {
			add_block(t, t->unit, s->at[node].line, s->at[node].end_line,
			          s->at[node].end);
			return;
		}
}

void take_block_decorator(Take *t, uint32_t what, uint32_t unit)
{
	const Unit *under = &t->file->measures.units[unit];
	Str name = t->s->at[what].kind == PY_CALL ? syntax_last(t->s, what)
	                                          : name_last(syntax_dotted(t->s, what));

	if (is_transaction(name))
		add_block(t, unit, under->line, under->end_line, t->s->at[under->node].end);
}

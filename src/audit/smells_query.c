/* SPDX-License-Identifier: Apache-2.0
 *
 * Queries where they cost: in loops, row by row, and in async code. What a query is, is told by its shape: `Order.objects...`, `Order.query...`,
 * `session.query(Order)...`, `session.execute(select(Order))`, `cursor.execute(...)`. Names that hold such a query, and loops over it, are
 * known until the end of their function; so `for order in orders: order.customer.name` is a touch of `customer` of Order. Whether that is
 * a relation is told later, when all models are known (smells_models.c).
 *
 * Not seen: a query in a function that a loop calls, a property that asks, templates that touch. While loops are left alone: most of them
 * read page by page, which is right. */
#include "audit/smells_int.h"

#include "base/arena.h"

enum { CHAIN_MOST = 32, RELATED_MOST = 16 };

static bool is_in(Str word, const Str *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (words[i].len == word.len && str_eq(word, words[i]))
			return true;
	return false;
}

/* What a chain of calls is, from its end to its root. */
typedef struct Query {
	Str model;
	Str verb;          /* the last: "filter" */
	bool plain_values; /* rows are no objects: values(), values_list(), count() */
	bool built;        /* select(): it is only said, not asked */
	bool locked;       /* select_for_update(): row by row is what is meant */
	bool by_name;      /* it goes on from a name that holds one */
	bool all_related;
	Str related[RELATED_MOST];
	uint32_t related_count;
} Query;

static void take_related(const Syntax *s, uint32_t call, Query *q)
{
	uint32_t list = syntax_child(s, call, PY_F_ARGUMENTS), names = 0;

	for (uint32_t i = list + 1; list != SYNTAX_NONE && i < s->at[list].end; i = s->at[i].end) {
		bool plain;
		Str text;

		if (s->at[i].kind == PY_CALL) /* Prefetch("items", ...), joinedload(Order.items) */
			i = call_nth(s, i, 0) == SYNTAX_NONE ? i : call_nth(s, i, 0);
		text = s->at[i].kind == PY_STRING ? string_text(s, i, &plain) : S("");
		if (s->at[i].kind == PY_ATTRIBUTE) {
			uint32_t name = syntax_child(s, i, PY_F_ATTRIBUTE);

			text = name == SYNTAX_NONE ? S("") : syntax_text(s, name);
		}
		names += text.len != 0;
		if (str_find(text, S("__")) > 0)
			text = str_sub(text, 0, (size_t)str_find(text, S("__")));
		if (text.len && q->related_count < RELATED_MOST)
			q->related[q->related_count++] = text;
	}
	q->all_related |= !names;
}

static void take_verb(const Syntax *s, uint32_t call, Query *q)
{
	static const Str loads[] = { S("select_related"), S("prefetch_related"), S("options") };
	static const Str values[] = { S("values"),    S("values_list"), S("aggregate"),  S("dates"),
		                      S("datetimes"), S("in_bulk"),     S("scalars_all") };
	Str verb = call_verb(s, call);

	if (!q->verb.len)
		q->verb = verb;
	if (is_in(verb, loads, COUNT(loads)))
		take_related(s, call, q);
	q->locked |= str_eq(verb, S("select_for_update"));
	q->plain_values |= is_in(verb, values, COUNT(values));
}

static bool is_manager(Str name)
{
	return str_eq(name, S("objects")) || str_eq(name, S("_default_manager")) ||
	       str_eq(name, S("_base_manager")) || str_eq(name, S("query"));
}

/* A class by its looks. */
static bool is_class_name(Str name)
{
	return name.len && name.at[0] >= 'A' && name.at[0] <= 'Z' &&
	       !(name.len > 1 && name.at[1] >= 'A' && name.at[1] <= 'Z' &&
	         name.at[name.len - 1] >= 'A' && name.at[name.len - 1] <= 'Z' && name.len > 3);
}

static Str last_name(const Syntax *s, uint32_t node)
{
	if (node_is(s, node, PY_ATTRIBUTE))
		node = syntax_child(s, node, PY_F_ATTRIBUTE);
	return node_is(s, node, PY_IDENTIFIER) ? syntax_text(s, node) : S("");
}

/* X of X.objects, app.X.objects; empty: it is none. */
static Str managed_model(const Syntax *s, uint32_t attribute)
{
	uint32_t name = syntax_child(s, attribute, PY_F_ATTRIBUTE);
	Str model;

	if (name == SYNTAX_NONE || !is_manager(syntax_text(s, name)))
		return S("");
	model = last_name(s, syntax_child(s, attribute, PY_F_OBJECT));
	return is_class_name(model) || str_eq(syntax_text(s, name), S("objects")) ? model : S("");
}

/* session.query(X), select(X): the first thing asked for. */
static Str asked_model(const Walk *w, uint32_t call)
{
	const Syntax *s = w->s;
	uint32_t function = syntax_child(s, call, PY_F_FUNCTION);
	Str verb = call_verb(s, call), model;

	if (!str_eq(verb, S("query")) && !str_eq(verb, S("select")))
		return S("");
	if (node_is(s, function, PY_IDENTIFIER) &&
	    !str_starts(names_meaning(w, verb), S("sqlalchemy")))
		return S("");
	model = last_name(s, call_nth(s, call, 0));
	return is_class_name(model) ? model : S("");
}

static const Rows *known_rows(const Walk *w, Str name, uint32_t node, bool one)
{
	uint32_t most = MIN(w->rows_count, (uint32_t)ROWS_MOST);

	for (uint32_t n = 1; n <= most; n++) {
		const Rows *rows = &w->rows[(w->rows_count - n) % ROWS_MOST];

		if (rows->function == walk_scope(w)->function && node < rows->end &&
		    str_eq(rows->name, name))
			return rows->one == one && rows->model.len ? rows : NULL;
	}
	return NULL;
}

static void take_known(const Rows *rows, Query *q)
{
	q->model = rows->model;
	q->all_related |= rows->all_related;
	for (uint32_t i = 0; i < rows->related_count && q->related_count < RELATED_MOST; i++)
		q->related[q->related_count++] = rows->related[i];
}

/* What a call is a call of; of session.execute(statement): the statement. */
static uint32_t step_down(const Syntax *s, uint32_t call)
{
	Str verb = call_verb(s, call);

	return str_eq(verb, S("execute")) || str_eq(verb, S("scalars"))
	               ? call_nth(s, call, 0)
	               : syntax_child(s, call, PY_F_FUNCTION);
}

/* Is this expression a query, and what of? */
static bool read_query(const Walk *w, uint32_t node, Query *q)
{
	const Syntax *s = w->s;

	*q = (Query){ 0 };
	for (unsigned n = 0; n < CHAIN_MOST && node != SYNTAX_NONE; n++) {
		const Rows *rows;

		switch (s->at[node].kind) {
		case PY_CALL:
			q->model = asked_model(w, node);
			take_verb(s, node, q);
			q->built = q->model.len && str_eq(call_verb(s, node), S("select"));
			if (q->model.len)
				return true;
			node = step_down(s, node);
			break;
		case PY_ATTRIBUTE:
			q->model = managed_model(s, node);
			/* a list may be called objects */
			q->by_name |= q->model.len && !is_class_name(q->model);
			if (q->model.len)
				return true;
			node = syntax_child(s, node, PY_F_OBJECT);
			break;
		case PY_SUBSCRIPT:
			node = syntax_child(s, node, PY_F_VALUE);
			break;
		case PY_AWAIT:
		case PY_PARENTHESIZED_EXPRESSION:
			node = syntax_nth(s, node, 0);
			break;
		case PY_IDENTIFIER:
			rows = known_rows(w, syntax_text(s, node), node, false);
			if (rows)
				take_known(rows, q);
			q->by_name = true;
			return rows != NULL;
		default:
			return false;
		}
	}
	return false;
}

/* --- names ----------------------------------------------------------------------------------------------------------------------------------- */

static Rows *new_rows(Walk *w, Str name, uint32_t end)
{
	Rows *rows = &w->rows[w->rows_count++ % ROWS_MOST];

	*rows = (Rows){ .name = name, .function = walk_scope(w)->function, .end = end };
	return rows;
}

static void keep_query(Walk *w, Rows *rows, const Query *q)
{
	rows->model = q->model;
	rows->all_related = q->all_related;
	rows->related_count = q->related_count;
	if (q->related_count)
		rows->related = ARENA_ARRAY(w->scratch, Str, q->related_count);
	for (uint32_t i = 0; i < q->related_count; i++)
		rows->related[i] = q->related[i];
}

/* Those that give one row, or a number. */
static bool is_single_verb(Str verb)
{
	static const Str verbs[] = {
		S("get"),    S("first"),    S("last"),          S("count"),
		S("exists"), S("create"),   S("get_or_create"), S("update_or_create"),
		S("latest"), S("earliest"), S("one"),           S("one_or_none"),
		S("scalar"), S("update"),   S("delete"),        S("bulk_create")
	};

	return is_in(verb, verbs, COUNT(verbs));
}

static bool is_single(Str verb)
{
	/* get_or_404, get_for_model, get_current, ... of managers of their own */
	if (str_starts(verb, S("get")))
		return true;
	return is_single_verb(verb);
}

void query_assignment(Walk *w, uint32_t node)
{
	const Syntax *s = w->s;
	uint32_t left = syntax_child(s, node, PY_F_LEFT), right;
	bool was_known;
	Query q;

	if (!node_is(s, left, PY_IDENTIFIER) || walk_scope(w)->function == SYNTAX_NONE)
		return;
	right = syntax_child(s, node, PY_F_RIGHT);
	was_known = known_rows(w, syntax_text(s, left), node, false) ||
	            known_rows(w, syntax_text(s, left), node, true);
	if (right != SYNTAX_NONE && s->at[right].kind != PY_IDENTIFIER &&
	    read_query(w, right, &q) && !q.plain_values && !is_single(q.verb))
		keep_query(w, new_rows(w, syntax_text(s, left), UINT32_MAX), &q);
	else if (was_known)
		new_rows(w, syntax_text(s, left), UINT32_MAX); /* it is something else now */
}

/* for, not async for, over rows that are asked for there. */
static void look_for_async(Walk *w, uint32_t node, uint32_t over)
{
	Query q;

	if (walk_scope(w)->async && syntax_find(w->s, node, PY_ASYNC) == SYNTAX_NONE &&
	    read_query(w, over, &q) && !q.built)
		smell_add(w, SMELL_BLOCKING_ASYNC, over, 0,
		          str_fmt(w->scratch,
		                  "rows of %.*s are waited for in async code; async for",
		                  STR_ARG(q.model)));
}

void query_for(Walk *w, uint32_t node)
{
	const Syntax *s = w->s;
	uint32_t left = syntax_child(s, node, PY_F_LEFT), right = syntax_child(s, node, PY_F_RIGHT);
	uint32_t around = s->at[node].kind == PY_FOR_STATEMENT ? node : s->at[node].parent;
	Rows *rows;
	Query q;

	if (!node_is(s, left, PY_IDENTIFIER) || right == SYNTAX_NONE)
		return;
	look_for_async(w, node, right);
	if (!read_query(w, right, &q) || q.plain_values || is_single(q.verb)) {
		if (known_rows(w, syntax_text(s, left), node, true))
			new_rows(w, syntax_text(s, left), s->at[around].end);
		return;
	}
	rows = new_rows(w, syntax_text(s, left), s->at[around].end);
	keep_query(w, rows, &q);
	rows->one = true;
	rows->loop = node;
}

/* --- n plus one ------------------------------------------------------------------------------------------------------------------------------ */

/* Asked for as a set is? Then its verb, else the empty view; *further: something of it is asked for. */
static Str what_of_it(const Syntax *s, uint32_t node, bool *further)
{
	uint32_t parent = s->at[node].parent, name;

	*further = s->at[parent].kind == PY_ATTRIBUTE && s->at[node].field == PY_F_OBJECT;
	if (!*further)
		return S("");
	name = syntax_child(s, parent, PY_F_ATTRIBUTE);
	if (name == SYNTAX_NONE || s->at[s->at[parent].parent].kind != PY_CALL ||
	    s->at[parent].field != PY_F_FUNCTION)
		return S("");
	return syntax_text(s, name);
}

/* Not given a value, or deleted. */
static bool is_read(const Syntax *s, uint32_t node)
{
	uint32_t parent = s->at[node].parent;

	return s->at[node].field != PY_F_LEFT && s->at[parent].kind != PY_DELETE_STATEMENT;
}

static void add_touch(Walk *w, const Rows *rows, uint32_t node, SmellTouch how)
{
	FileSmells *out = w->out;

	out->touches = walk_grow(w->a, out->touches, out->touch_count, &w->touch_room,
	                         sizeof(*out->touches));
	out->touches[out->touch_count++] = (SmellTouch){
		.model = str_dup(w->a, rows->model),
		.name = str_dup(w->a, how.name),
		.unit = smell_unit_name(w->a, &w->file->measures, walk_scope(w)->unit),
		.line = w->s->at[node].line,
		.loop_line = w->s->at[rows->loop].line,
		.many = how.many,
		.alone = how.alone,
		.place = name_hash(syntax_text(w->s, node)),
	};
}

void query_attribute(Walk *w, uint32_t node)
{
	static const Str sets[] = { S("all"),           S("filter"),   S("exclude"),
		                    S("first"),         S("last"),     S("count"),
		                    S("exists"),        S("order_by"), S("values"),
		                    S("values_list"),   S("get"),      S("aggregate"),
		                    S("select_related") };
	const Syntax *s = w->s;
	uint32_t object = node + 1, attribute;
	const Rows *rows;
	bool further;
	Str verb, name;

	if (!w->rows_count || s->at[object].kind != PY_IDENTIFIER ||
	    s->at[object].field != PY_F_OBJECT || w->file->kind != SOURCE_CODE)
		return;
	rows = known_rows(w, syntax_text(s, object), node, true);
	if (!rows || rows->all_related)
		return;
	attribute = syntax_child(s, node, PY_F_ATTRIBUTE);
	verb = what_of_it(s, node, &further);
	if (attribute == SYNTAX_NONE || (!further && !is_read(s, node)))
		return;
	name = syntax_text(s, attribute);
	if (!is_in(name, rows->related, rows->related_count))
		add_touch(w, rows, node,
		          (SmellTouch){ .name = name,
		                        .many = is_in(verb, sets, COUNT(sets)),
		                        .alone = !further });
}

/* --- in loops, and in async code ------------------------------------------------------------------------------------------------------------- */

static bool is_outermost(const Syntax *s, uint32_t call)
{
	uint32_t parent = s->at[call].parent;

	return !(s->at[parent].kind == PY_ATTRIBUTE && s->at[call].field == PY_F_OBJECT);
}

/* cursor.execute(...), session.execute(...), db.session.get(...) */
static bool is_execute(const Syntax *s, uint32_t call, Str verb)
{
	static const Str hosts[] = { S("cursor"),  S("cur"),    S("conn"), S("connection"),
		                     S("session"), S("engine"), S("db") };
	uint32_t function = syntax_child(s, call, PY_F_FUNCTION);

	if (!str_eq(verb, S("execute")) && !str_eq(verb, S("scalars")) &&
	    !str_eq(verb, S("scalar")))
		return false;
	if (!node_is(s, function, PY_ATTRIBUTE))
		return false;
	return is_in(last_name(s, syntax_child(s, function, PY_F_OBJECT)), hosts, COUNT(hosts));
}

static void add_in_loop(Walk *w, uint32_t call, Str model, Str verb)
{
	static const Str writes[] = { S("create"), S("update_or_create"), S("get_or_create"),
		                      S("save"),   S("delete"),           S("update") };
	uint32_t loop = walk_scope(w)->loop;
	bool write = is_in(verb, writes, COUNT(writes));

	smell_add(w, write ? SMELL_WRITE_IN_LOOP : SMELL_QUERY_IN_LOOP, call, 0,
	          str_fmt(w->scratch, "%.*s%s%.*s() once for each turn of the loop in line %u",
	                  STR_ARG(model), model.len ? "." : "", STR_ARG(verb),
	                  w->s->at[loop].line));
}

/* Those of an ORM that wait for the database; Django's async ones begin with a. */
static bool waits(Str verb)
{
	static const Str verbs[] = {
		S("get"),         S("first"),       S("last"),          S("count"),
		S("exists"),      S("create"),      S("get_or_create"), S("update_or_create"),
		S("latest"),      S("earliest"),    S("update"),        S("delete"),
		S("bulk_create"), S("bulk_update"), S("aggregate"),     S("in_bulk"),
		S("one"),         S("one_or_none"), S("scalar")
	};

	return is_in(verb, verbs, COUNT(verbs));
}

/* Django keeps these in memory. */
static bool is_kept(Str verb)
{
	return str_eq(verb, S("get_for_model")) || str_eq(verb, S("get_for_id")) ||
	       str_eq(verb, S("get_current")) || str_eq(verb, S("clear_cache"));
}

/* Does it ask, for sure? Of a name that holds rows other verbs may be methods of whatever it is. */
static bool asks(const Query *q, Str verb)
{
	if (q->built || q->locked || is_kept(verb))
		return false;
	return !q->by_name || waits(verb);
}

/* obj.save() of a row that the loop goes over. */
static bool is_row_save(const Walk *w, uint32_t call, Str verb)
{
	const Syntax *s = w->s;
	uint32_t function = syntax_child(s, call, PY_F_FUNCTION), object;

	if (!str_eq(verb, S("save")) && !str_eq(verb, S("delete")))
		return false;
	object = node_is(s, function, PY_ATTRIBUTE) ? syntax_child(s, function, PY_F_OBJECT)
	                                            : SYNTAX_NONE;
	return node_is(s, object, PY_IDENTIFIER) &&
	       known_rows(w, syntax_text(s, object), call, true);
}

/* Each turn has a statement of its own: what the loop goes over are statements. */
static bool is_loop_statement(const Walk *w, uint32_t call)
{
	const Syntax *s = w->s;
	uint32_t loop = walk_scope(w)->loop, first = call_nth(s, call, 0), left;

	if (s->at[loop].kind != PY_FOR_STATEMENT)
		loop = syntax_find(s, loop, PY_FOR_IN_CLAUSE);
	left = loop == SYNTAX_NONE ? SYNTAX_NONE : syntax_child(s, loop, PY_F_LEFT);
	for (uint32_t i = left; left != SYNTAX_NONE && i < s->at[left].end; i++)
		if (node_is(s, first, PY_IDENTIFIER) && s->at[i].kind == PY_IDENTIFIER &&
		    str_eq(syntax_text(s, i), syntax_text(s, first)))
			return true;
	return false;
}

void query_call(Walk *w, uint32_t call)
{
	const Syntax *s = w->s;
	const Scope *scope = walk_scope(w);
	uint32_t parent = s->at[call].parent;
	Str verb;
	Query q;

	if ((scope->loop == SYNTAX_NONE && !scope->async) || !is_outermost(s, call))
		return;
	verb = call_verb(s, call);
	if (!verb.len)
		return;
	if (is_execute(s, call, verb) || is_row_save(w, call, verb)) {
		if (scope->loop != SYNTAX_NONE && !is_loop_statement(w, call))
			add_in_loop(w, call, S(""), verb);
		return;
	}
	if (!read_query(w, call, &q) || q.verb.at != verb.at || !asks(&q, verb))
		return;
	if (scope->loop != SYNTAX_NONE)
		add_in_loop(w, call, q.model, verb);
	if (scope->async && waits(verb) && s->at[parent].kind != PY_AWAIT)
		smell_add(w, SMELL_BLOCKING_ASYNC, call, 0,
		          str_fmt(w->scratch, "%.*s.%.*s() waits for the database in async code",
		                  STR_ARG(q.model), STR_ARG(verb)));
}

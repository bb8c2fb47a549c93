/* SPDX-License-Identifier: Apache-2.0
 *
 * Definitions and statements: defaults that are shared, arguments that travel together, methods that envy, errors that are swallowed, what
 * Python 2 left behind. Feature envy is Lanza and Marinescu's, with an argument as the other object: a method that touches more than
 * ENVY_FOREIGN different attributes of one argument, and at least three times as many as of self. */
#include "audit/smells_int.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

enum { ARGUMENTS_MOST = 16, ENVY_FOREIGN = 5, ENVY_TIMES = 3, SIGNATURE_LEAST = 3 };

static bool is_in(Str word, const Str *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(word, words[i]))
			return true;
	return false;
}

/* --- functions ----------------------------------------------------------------------------------------------------------------------------- */

static Str parameter_name(const Syntax *s, uint32_t node)
{
	switch (s->at[node].kind) {
	case PY_IDENTIFIER:
		return syntax_text(s, node);
	case PY_TYPED_PARAMETER:
		node = syntax_nth(s, node, 0);
		return node_is(s, node, PY_IDENTIFIER) ? syntax_text(s, node) : S("");
	case PY_DEFAULT_PARAMETER:
	case PY_TYPED_DEFAULT_PARAMETER:
		node = syntax_child(s, node, PY_F_NAME);
		return node_is(s, node, PY_IDENTIFIER) ? syntax_text(s, node) : S("");
	default:
		return S("");
	}
}

static bool is_made_once(const Walk *w, uint32_t value)
{
	static const Str makers[] = { S("list"),
		                      S("dict"),
		                      S("set"),
		                      S("collections.defaultdict"),
		                      S("bytearray"),
		                      S("deque"),
		                      S("collections.deque"),
		                      S("defaultdict"),
		                      S("collections.OrderedDict"),
		                      S("collections.Counter") };

	switch (w->s->at[value].kind) {
	case PY_LIST:
	case PY_DICTIONARY:
	case PY_SET:
	case PY_LIST_COMPREHENSION:
	case PY_SET_COMPREHENSION:
	case PY_DICTIONARY_COMPREHENSION:
		return true;
	case PY_CALL:
		value = syntax_child(w->s, value, PY_F_FUNCTION);
		return value != SYNTAX_NONE &&
		       is_in(names_qualify(w, value), makers, COUNT(makers));
	default:
		return false;
	}
}

static void look_at_default(Walk *w, uint32_t parameter)
{
	uint32_t value = syntax_child(w->s, parameter, PY_F_VALUE);

	if (value == SYNTAX_NONE || !is_made_once(w, value))
		return;
	smell_add(w, SMELL_MUTABLE_DEFAULT, parameter, 0,
	          str_fmt(w->scratch, "the default of %.*s is made once and shared by all calls",
	                  STR_ARG(parameter_name(w->s, parameter))));
}

static int by_text(const void *x, const void *y)
{
	return str_cmp(*(const Str *)x, *(const Str *)y);
}

static void keep_signature(Walk *w, uint32_t node, const Str *names, uint32_t count)
{
	FileSmells *out = w->out;
	SmellSignature *row;

	if (count < SIGNATURE_LEAST || w->file->kind != SOURCE_CODE)
		return;
	out->signatures = walk_grow(w->a, out->signatures, out->signature_count, &w->signature_room,
	                            sizeof(*row));
	row = &out->signatures[out->signature_count++];
	*row = (SmellSignature){
		.unit = smell_unit_name(w->a, &w->file->measures, walk_scope(w)->unit),
		.line = w->s->at[node].line,
		.names = ARENA_ARRAY(w->a, Str, count),
		.name_count = count,
	};
	for (uint32_t i = 0; i < count; i++)
		row->names[i] = str_dup(w->a, names[i]);
	qsort(row->names, count, sizeof(Str), by_text);
}

static void keep_view(Walk *w)
{
	FileSmells *out = w->out;

	out->views = walk_grow(w->a, out->views, out->view_count, &w->view_room, sizeof(uint32_t));
	out->views[out->view_count++] = walk_scope(w)->unit;
}

static Use *add_use(Walk *w, Use use)
{
	if (w->use_count == w->use_room) {
		uint32_t room = MAX(256U, 2 * w->use_room);
		Use *more = ARENA_ARRAY(w->scratch, Use, room);

		if (w->use_count)
			memcpy(more, w->uses, w->use_count * sizeof(*more));
		w->uses = more;
		w->use_room = room;
	}
	w->uses[w->use_count] = use;
	return &w->uses[w->use_count++];
}

static void begin_uses(Walk *w, const Str *names, uint32_t count)
{
	Scope *scope = &w->scopes[w->depth - 1];

	scope->uses_from = w->use_count;
	if (!scope->is_method || count < 2 || !str_eq(names[0], S("self")))
		return;
	for (uint32_t i = 0; i < count; i++)
		add_use(w, (Use){ .object = name_hash(names[i]), .name = names[i], .own = !i });
	scope->arguments = count;
}

void code_function(Walk *w, uint32_t node)
{
	const Syntax *s = w->s;
	uint32_t list = syntax_child(s, node, PY_F_PARAMETERS), count = 0, first;
	Str names[ARGUMENTS_MOST];

	if (list == SYNTAX_NONE)
		return;
	for (uint32_t i = list + 1; i < s->at[list].end; i = s->at[i].end) {
		Str name = parameter_name(s, i);

		if (s->at[i].kind == PY_DEFAULT_PARAMETER ||
		    s->at[i].kind == PY_TYPED_DEFAULT_PARAMETER)
			look_at_default(w, i);
		if (s->at[i].kind == PY_TUPLE_PATTERN)
			smell_add(w, SMELL_PYTHON2_SYNTAX, i, 0, S("an argument that is a tuple"));
		if (name.len && count < ARGUMENTS_MOST)
			names[count++] = name;
	}
	names_own(w, w->file->measures.units[walk_scope(w)->unit].name);
	begin_uses(w, names, count);
	first = count && (str_eq(names[0], S("self")) || str_eq(names[0], S("cls")));
	keep_signature(w, node, names + first, count - first);
	if (count && !first && str_eq(names[0], S("request")))
		keep_view(w);
}

/* --- feature envy -------------------------------------------------------------------------------------------------------------------------- */

void code_use(Walk *w, uint32_t attribute)
{
	const Scope *scope = walk_scope(w);
	const Syntax *s = w->s;
	uint32_t object = attribute + 1, name;
	uint64_t hash;

	if (!scope->arguments || s->at[object].kind != PY_IDENTIFIER ||
	    s->at[object].field != PY_F_OBJECT)
		return;
	hash = name_hash(syntax_text(s, object));
	for (uint32_t i = 0; i < scope->arguments; i++) {
		const Use *argument = &w->uses[scope->uses_from + i];

		if (argument->object != hash)
			continue;
		name = syntax_child(s, attribute, PY_F_ATTRIBUTE);
		if (name != SYNTAX_NONE)
			add_use(w, (Use){ hash, name_hash(syntax_text(s, name)), argument->name,
			                  argument->own });
		return;
	}
}

static int by_object(const void *x, const void *y)
{
	const Use *p = x, *q = y;

	if (p->object != q->object)
		return p->object < q->object ? -1 : 1;
	return (p->attribute > q->attribute) - (p->attribute < q->attribute);
}

/* Arguments that are there to be asked. */
static bool is_host(Str name)
{
	static const Str hosts[] = { S("request"),       S("response"),   S("parser"),
		                     S("args"),          S("options"),    S("other"),
		                     S("schema_editor"), S("connection"), S("cursor"),
		                     S("compiler"),      S("session"),    S("apps"),
		                     S("config"),        S("settings"),   S("app") };

	return is_in(name, hosts, COUNT(hosts));
}

static uint32_t distinct(const Use *at, uint32_t count, uint32_t from)
{
	uint32_t found = 1;

	for (uint32_t i = from + 1; i < count && at[i].object == at[from].object; i++)
		found += at[i].attribute != at[i - 1].attribute;
	return found;
}

void code_method_end(Walk *w, const Scope *scope)
{
	Use *at;
	uint32_t count = w->use_count - scope->uses_from - scope->arguments, own = 0, most = 0;
	uint32_t node = scope->function;
	Str name = S("");

	w->use_count = scope->uses_from;
	if (!scope->arguments || count <= ENVY_FOREIGN)
		return;
	at = w->uses + scope->uses_from + scope->arguments;
	qsort(at, count, sizeof(*at), by_object);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t found;

		if (i && at[i].object == at[i - 1].object)
			continue;
		found = distinct(at, count, i);
		if (at[i].own) {
			own = found;
		} else if (found > most && !is_host(at[i].name)) {
			most = found;
			name = at[i].name;
		}
	}
	if (most > ENVY_FOREIGN && most >= ENVY_TIMES * own)
		smell_add_at(w, SMELL_FEATURE_ENVY, node, S(""),
		             str_fmt(w->scratch, "touches %u attributes of %.*s and %u of its own",
		                     most, STR_ARG(name), own));
}

/* --- classes ------------------------------------------------------------------------------------------------------------------------------- */

static Str last_part(Str dotted)
{
	ptrdiff_t dot = str_rfind_char(dotted, '.');

	return dot < 0 ? dotted : str_sub(dotted, (size_t)dot + 1, dotted.len);
}

/* "Customer" of Customer, models.Customer, "shop.Customer"; "View" of View[T]. */
static Str class_word(const Syntax *s, uint32_t node)
{
	bool plain;

	if (node_is(s, node, PY_SUBSCRIPT))
		node = syntax_child(s, node, PY_F_VALUE);
	if (node_is(s, node, PY_STRING))
		return last_part(string_text(s, node, &plain));
	return node_is(s, node, PY_IDENTIFIER) || node_is(s, node, PY_ATTRIBUTE)
	               ? last_part(syntax_text(s, node))
	               : S("");
}

/* relationship() says nothing of many or one that could be relied on: both ask for each row. */
static bool is_relation(Str verb, bool *many)
{
	*many = str_eq(verb, S("ManyToManyField"));
	return *many || str_eq(verb, S("ForeignKey")) || str_eq(verb, S("OneToOneField")) ||
	       str_eq(verb, S("relationship")) || str_eq(verb, S("ParentalKey"));
}

static Str text_of_keyword(const Syntax *s, uint32_t call, Str key)
{
	uint32_t value = call_keyword(s, call, key);
	bool plain;

	return node_is(s, value, PY_STRING) ? string_text(s, value, &plain) : S("");
}

/* backref="orders", backref=backref("orders"). */
static Str text_of_backref(const Syntax *s, uint32_t call)
{
	uint32_t value = call_keyword(s, call, S("backref"));
	bool plain;

	if (node_is(s, value, PY_CALL))
		value = call_keyword(s, value, S("lazy")) == SYNTAX_NONE ? call_nth(s, value, 0)
		                                                         : SYNTAX_NONE;
	return node_is(s, value, PY_STRING) ? string_text(s, value, &plain) : S("");
}

/* Loaded with its owner, or never by itself. */
static bool is_loaded_otherwise(const Syntax *s, uint32_t call)
{
	uint32_t value = call_keyword(s, call, S("lazy"));

	return value != SYNTAX_NONE && !str_eq(syntax_text(s, value), S("True")) &&
	       !str_eq(text_of_keyword(s, call, S("lazy")), S("select"));
}

static void keep_relation(Walk *w, SmellClass *class, uint32_t *room, uint32_t statement)
{
	const Syntax *s = w->s;
	uint32_t assignment = syntax_nth(s, statement, 0), left, right, target;
	bool many, mapped;

	if (!node_is(s, assignment, PY_ASSIGNMENT))
		return;
	left = syntax_child(s, assignment, PY_F_LEFT);
	right = syntax_child(s, assignment, PY_F_RIGHT);
	if (!node_is(s, left, PY_IDENTIFIER) || !node_is(s, right, PY_CALL) ||
	    !is_relation(call_verb(s, right), &many))
		return;
	mapped = str_eq(call_verb(s, right), S("relationship"));
	if (mapped && is_loaded_otherwise(s, right))
		return;
	target = call_nth(s, right, 0);
	if (target == SYNTAX_NONE)
		target = call_keyword(s, right, S("to"));
	class->relations = walk_grow(w->a, class->relations, class->relation_count, room,
	                             sizeof(*class->relations));
	class->relations[class->relation_count++] = (SmellRelation){
		.name = str_dup(w->a, syntax_text(s, left)),
		.target = target == SYNTAX_NONE ? S("") : str_dup(w->a, class_word(s, target)),
		.back = str_dup(w->a, mapped ? text_of_backref(s, right)
		                             : text_of_keyword(s, right, S("related_name"))),
		.many = many,
		.mapped = mapped,
	};
}

void code_class(Walk *w, uint32_t node)
{
	const Syntax *s = w->s;
	uint32_t bases = syntax_child(s, node, PY_F_SUPERCLASSES), room = 0;
	uint32_t body = syntax_child(s, node, PY_F_BODY);
	FileSmells *out = w->out;
	SmellClass class = { .unit = walk_scope(w)->unit };

	if (bases == SYNTAX_NONE || w->file->kind != SOURCE_CODE)
		return;
	for (uint32_t i = bases + 1; i < s->at[bases].end; i = s->at[i].end) {
		Str word = class_word(s, i);

		if (!word.len || str_eq(word, S("object")))
			continue;
		class.bases = walk_grow(w->a, class.bases, class.base_count, &room, sizeof(Str));
		class.bases[class.base_count++] = str_dup(w->a, word);
	}
	if (!class.base_count)
		return;
	class.name = str_dup(w->a, w->file->measures.units[class.unit].name);
	room = 0;
	for (uint32_t i = body + 1; body != SYNTAX_NONE && i < s->at[body].end; i = s->at[i].end)
		if (s->at[i].kind == PY_EXPRESSION_STATEMENT)
			keep_relation(w, &class, &room, i);
	out->classes = walk_grow(w->a, out->classes, out->class_count, &w->class_room,
	                         sizeof(*out->classes));
	out->classes[out->class_count++] = class;
}

/* --- except -------------------------------------------------------------------------------------------------------------------------------- */

/* Exception, BaseException, or a tuple with one of them. */
static bool takes_all(const Walk *w, uint32_t what)
{
	const Syntax *s = w->s;

	for (uint32_t i = what; i < s->at[what].end; i++) {
		Str name = s->at[i].kind == PY_IDENTIFIER ? syntax_text(s, i) : S("");

		if (s->at[i].kind == PY_AS_PATTERN_TARGET)
			i = s->at[i].end - 1;
		else if (str_eq(name, S("Exception")) || str_eq(name, S("BaseException")) ||
		         str_eq(name, S("StandardError")))
			return true;
	}
	return false;
}

static bool does_nothing(const Syntax *s, uint32_t block)
{
	for (uint32_t i = block + 1; i < s->at[block].end; i = s->at[i].end) {
		bool dots = s->at[i].kind == PY_EXPRESSION_STATEMENT &&
		            node_is(s, syntax_nth(s, i, 0), PY_ELLIPSIS);

		if (s->at[i].kind != PY_PASS_STATEMENT && s->at[i].kind != PY_CONTINUE_STATEMENT &&
		    s->at[i].kind != PY_COMMENT && !dots)
			return false;
	}
	return true;
}

static bool raises_again(const Syntax *s, uint32_t block)
{
	uint32_t last = SYNTAX_NONE;

	for (uint32_t i = block + 1; i < s->at[block].end; i = s->at[i].end)
		if (s->at[i].kind != PY_COMMENT)
			last = i;
	return node_is(s, last, PY_RAISE_STATEMENT) && s->at[last].end == last + 1;
}

void code_except(Walk *w, uint32_t node)
{
	const Syntax *s = w->s;
	uint32_t block = syntax_find(s, node, PY_BLOCK), first = syntax_nth(s, node, 0);
	uint32_t second = first == SYNTAX_NONE ? SYNTAX_NONE : s->at[first].end;
	bool bare = first == block, all;

	if (block == SYNTAX_NONE)
		return;
	if (!bare && second < s->at[node].end && second != block &&
	    s->at[second].kind != PY_COMMENT)
		smell_add_at(w, SMELL_PYTHON2_SYNTAX, node, S("except"),
		             S("except with a comma instead of as"));
	all = bare || takes_all(w, first);
	if (all && does_nothing(s, block))
		smell_add_at(w, SMELL_SWALLOWED_ERROR, node, S("except"),
		             S("every error is caught here, and nothing is done about it"));
	else if (bare && !raises_again(s, block))
		smell_add_at(w, SMELL_BARE_EXCEPT, node, S("except"),
		             S("takes KeyboardInterrupt and SystemExit too"));
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * What one file imports, defines and uses: one pass over its rows, with a stack of what is open (definitions, branches), so that every row knows
 * where it stands. Names are kept as hashes with the definition they stand in, which is all that the search for dead code asks; chains of names
 * ("models.Order.objects") only when they begin with something that an import or a definition of the file binds, as those can be followed to
 * another file.
 *
 * Not exact on purpose: an argument that has an import's name is taken for it. What is written (assigned, given as a keyword) is no use. */
#include "audit/links_int.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

enum { STRING_MOST = 200, CHAIN_MOST = 200, FACTS_VERSION = 1 };

enum { IN_FUNCTION = 1, IN_TYPING = 2, IN_BRANCH = 4, IN_ALL = 8, IN_TYPE = 16 };

typedef struct Frame {
	uint32_t end, def;
	uint8_t in;
} Frame;

typedef struct Chain {
	uint64_t first; /* its first name's hash */
	uint32_t from, to, def, line, count, calls;
} Chain;

typedef struct Taking {
	Arena *a;
	const Syntax *s;
	Vec frames, imports, defs, chains, strings, exported;
	Vec names;
	PairTable named, chained, stringed;
	FileLinks *out;
} Taking;

uint64_t link_hash(Str name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < name.len; i++)
		hash = (hash ^ (uint8_t)name.at[i]) * UINT64_C(0x100000001b3);
	return hash ^ hash >> 29;
}

static const char *const def_kinds[] = { [DEF_FUNCTION] = "function",
	                                 [DEF_METHOD] = "method",
	                                 [DEF_CLASS] = "class",
	                                 [DEF_VARIABLE] = "variable" };

const char *def_kind_name(DefKind kind)
{
	return def_kinds[kind];
}

static const Frame *inner(const Taking *t)
{
	return (const Frame *)t->frames.at + t->frames.count - 1;
}

static void open_frame(Taking *t, uint32_t end, uint32_t def, uint8_t in)
{
	*(Frame *)vec_add(&t->frames, sizeof(Frame)) = (Frame){ end, def, in };
}

static Str last_part(Str dotted)
{
	return str_sub(dotted, (size_t)(str_rfind_char(dotted, '.') + 1), dotted.len);
}

/* --- names ------------------------------------------------------------------------------------------------------------------------ */

static void add_name(Taking *t, Str name)
{
	uint64_t hash = link_hash(name);
	uint32_t def = inner(t)->def;
	bool fresh;

	pair_at(&t->named, hash, def, &fresh);
	if (fresh)
		*(LinkName *)vec_add(&t->names, sizeof(LinkName)) =
			(LinkName){ (uint32_t)hash, def };
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || (c & 0x80);
}

/* Every word of a text is a name. */
static void add_words(Taking *t, Str text)
{
	size_t from = 0;

	for (size_t i = 0; i <= text.len; i++) {
		if (i < text.len && is_letter(text.at[i]))
			continue;
		if (i > from)
			add_name(t, str_sub(text, from, i));
		from = i + 1;
	}
}

/* "a.b", "a.b:c": more than one name, each of which could be one. */
static bool is_dotted(Str text)
{
	bool dots = false;

	for (size_t i = 0; i < text.len; i++) {
		bool mark = text.at[i] == '.' || text.at[i] == ':';

		if (!mark && !is_letter(text.at[i]))
			return false;
		if (mark && (i == 0 || i + 1 == text.len || !is_letter(text.at[i - 1])))
			return false;
		dots |= mark;
	}
	return dots && !(text.at[0] >= '0' && text.at[0] <= '9');
}

static bool is_word(Str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!is_letter(text.at[i]))
			return false;
	return text.len > 0;
}

/* A string's text when it is one piece without escapes. */
static Str constant_of(const Syntax *s, uint32_t string)
{
	uint32_t start = string + 1, content = string + 2;

	if (s->at[string].kind != PY_STRING || s->at[string].end <= content ||
	    s->at[start].kind != PY_STRING_START || s->at[content].kind != PY_STRING_CONTENT ||
	    s->at[content].end != content + 1)
		return S("");
	return syntax_text(s, content);
}

static void take_string(Taking *t, uint32_t i)
{
	Str text = constant_of(t->s, i);
	bool fresh;

	if (!text.len || text.len > STRING_MOST)
		return;
	if (inner(t)->in & IN_ALL) {
		*(Str *)vec_add(&t->exported, sizeof(Str)) = str_dup(t->a, text);
		return;
	}
	if (t->s->at[t->s->at[i].parent].kind == PY_TYPE || inner(t)->in & IN_TYPE) {
		add_words(t, text);
	} else if (is_word(text)) {
		add_name(t, text);
	} else if (is_dotted(text)) {
		add_words(t, text);
		pair_at(&t->stringed, link_hash(text), 0, &fresh);
		if (fresh)
			*(Str *)vec_add(&t->strings, sizeof(Str)) = str_dup(t->a, text);
	}
}

/* --- chains ----------------------------------------------------------------------------------------------------------------------- */

/* `first`: the identifier that the chain begins with; `last`: the outermost attribute, or the identifier itself. */
static void add_chain(Taking *t, uint32_t first, uint32_t last)
{
	const PyNode *at = t->s->at;
	Str text = syntax_text(t->s, last);
	const PyNode *parent = &at[at[last].parent];
	uint32_t *index;
	Chain *chain;
	bool fresh;

	if (text.len > CHAIN_MOST)
		text = str_sub(text, 0, at[first].to - at[first].from);
	index = pair_at(&t->chained, link_hash(text), inner(t)->def, &fresh);
	if (fresh) {
		*index = t->chains.count;
		*(Chain *)vec_add(&t->chains, sizeof(Chain)) =
			(Chain){ .first = link_hash(syntax_text(t->s, first)),
			         .from = at[last].from,
			         .to = at[last].from + (uint32_t)text.len,
			         .def = inner(t)->def,
			         .line = at[last].line };
	}
	chain = (Chain *)t->chains.at + *index;
	chain->count++;
	chain->calls += parent->kind == PY_CALL && at[last].field == PY_F_FUNCTION;
}

static void take_attribute(Taking *t, uint32_t i)
{
	const PyNode *at = t->s->at;
	uint32_t first = i;

	if (at[i].field == PY_F_OBJECT && at[at[i].parent].kind == PY_ATTRIBUTE)
		return;
	while (at[first].kind == PY_ATTRIBUTE && at[first].end > first + 1)
		first++;
	if (at[first].kind == PY_IDENTIFIER)
		add_chain(t, first, i);
}

typedef enum NameRole { ROLE_READ, ROLE_WRITTEN, ROLE_ATTRIBUTE } NameRole;

/* What an identifier is, by where it stands. */
static NameRole role_of(const Syntax *s, uint32_t i)
{
	const PyNode *node = &s->at[i];

	switch (s->at[node->parent].kind) {
	case PY_FUNCTION_DEFINITION:
	case PY_CLASS_DEFINITION:
	case PY_DEFAULT_PARAMETER:
	case PY_TYPED_DEFAULT_PARAMETER:
	case PY_KEYWORD_ARGUMENT:
	case PY_NAMED_EXPRESSION:
		return node->field == PY_F_NAME ? ROLE_WRITTEN : ROLE_READ;
	case PY_PARAMETERS:
	case PY_LAMBDA_PARAMETERS:
	case PY_TYPED_PARAMETER:
	case PY_LIST_SPLAT_PATTERN:
	case PY_DICTIONARY_SPLAT_PATTERN:
	case PY_PATTERN_LIST:
	case PY_TUPLE_PATTERN:
	case PY_LIST_PATTERN:
	case PY_AS_PATTERN_TARGET:
	case PY_GLOBAL_STATEMENT:
	case PY_NONLOCAL_STATEMENT:
		return ROLE_WRITTEN;
	case PY_ASSIGNMENT:
	case PY_FOR_STATEMENT:
	case PY_FOR_IN_CLAUSE:
		return node->field == PY_F_LEFT ? ROLE_WRITTEN : ROLE_READ;
	case PY_ATTRIBUTE:
		return node->field == PY_F_ATTRIBUTE ? ROLE_ATTRIBUTE : ROLE_READ;
	default:
		return ROLE_READ;
	}
}

static void take_identifier(Taking *t, uint32_t i)
{
	NameRole role = role_of(t->s, i);
	uint32_t parent = t->s->at[i].parent;

	if (role == ROLE_WRITTEN)
		return;
	add_name(t, syntax_text(t->s, i));
	if (role == ROLE_READ &&
	    !(t->s->at[parent].kind == PY_ATTRIBUTE && t->s->at[i].field == PY_F_OBJECT))
		add_chain(t, i, i);
}

/* --- imports ---------------------------------------------------------------------------------------------------------------------- */

static ImportKind kind_here(const Taking *t)
{
	uint8_t in = inner(t)->in;

	if (in & IN_TYPING)
		return IMPORT_TYPING;
	if (in & IN_FUNCTION)
		return IMPORT_LAZY;
	return in & IN_BRANCH ? IMPORT_OPTIONAL : IMPORT_TOP;
}

/* Without the blanks and breaks that Python allows between its parts. */
static Str dotted_text(Arena *a, Str text)
{
	char *at;
	size_t len = 0;

	at = arena_alloc_raw(a, text.len + 1);
	for (size_t i = 0; i < text.len; i++)
		if (is_letter(text.at[i]) || text.at[i] == '.')
			at[len++] = text.at[i];
		else if (text.at[i] == '#')
			break;
	return (Str){ at, len };
}

static LinkImport *add_import(Taking *t, uint32_t line, ImportKind kind)
{
	LinkImport *import = vec_add(&t->imports, sizeof(LinkImport));

	import->line = line;
	import->kind = kind;
	import->def = inner(t)->def;
	return import;
}

/* The name of a dotted_name or an aliased_import, and what it is bound to; an alias's text or the name's own. */
static Str name_and_alias(Taking *t, uint32_t i, Str *alias)
{
	uint32_t name = i, as = SYNTAX_NONE;

	if (t->s->at[i].kind == PY_ALIASED_IMPORT) {
		name = syntax_child(t->s, i, PY_F_NAME);
		as = syntax_child(t->s, i, PY_F_ALIAS);
	}
	*alias = as == SYNTAX_NONE ? S("") : str_dup(t->a, syntax_text(t->s, as));
	return name == SYNTAX_NONE ? S("") : dotted_text(t->a, syntax_text(t->s, name));
}

static void take_import(Taking *t, uint32_t i)
{
	const PyNode *at = t->s->at;

	for (uint32_t c = i + 1; c < at[i].end; c = at[c].end) {
		LinkImport *import;
		Str alias, name;

		if (at[c].kind != PY_DOTTED_NAME && at[c].kind != PY_ALIASED_IMPORT)
			continue;
		name = name_and_alias(t, c, &alias);
		if (!name.len)
			continue;
		import = add_import(t, at[c].line, kind_here(t));
		import->module = name;
		import->bound = alias;
		if (!alias.len) {
			ptrdiff_t dot = str_find_char(name, '.');

			import->bound = dot < 0 ? name : str_sub(name, 0, (size_t)dot);
		}
	}
}

static void module_of(Taking *t, uint32_t i, Str *module, uint8_t *dots)
{
	const Syntax *s = t->s;
	uint32_t from = syntax_child(s, i, PY_F_MODULE_NAME);
	Str text = from == SYNTAX_NONE ? S("") : dotted_text(t->a, syntax_text(s, from));

	*dots = 0;
	while (text.len && text.at[0] == '.') {
		text = str_sub(text, 1, text.len);
		*dots = (uint8_t)MIN(*dots + 1, 255);
	}
	*module = text;
}

static void take_from(Taking *t, uint32_t i)
{
	const PyNode *at = t->s->at;
	Str module;
	uint8_t dots;

	module_of(t, i, &module, &dots);
	if (!module.len && !dots)
		return;
	for (uint32_t c = i + 1; c < at[i].end; c = at[c].end) {
		LinkImport *import;
		Str alias = S(""), name = S("*");

		if (at[c].field == PY_F_NAME)
			name = name_and_alias(t, c, &alias);
		else if (at[c].kind != PY_WILDCARD_IMPORT)
			continue;
		import = add_import(t, at[c].line, kind_here(t));
		import->module = module;
		import->dots = dots;
		import->name = name;
		t->out->stars |= str_eq(name, S("*"));
		import->again = str_eq(alias, name);
		import->bound = alias.len ? alias : str_eq(name, S("*")) ? S("") : name;
		add_words(t, name);
	}
}

/* The n-th argument's constant text; false: it is none. */
static bool argument_of(const Syntax *s, uint32_t call, uint32_t n, Str *text)
{
	uint32_t list = syntax_child(s, call, PY_F_ARGUMENTS);
	uint32_t argument = list == SYNTAX_NONE ? SYNTAX_NONE : syntax_nth(s, list, n);

	*text = argument == SYNTAX_NONE ? S("") : constant_of(s, argument);
	return text->len > 0;
}

/* importlib.import_module("a.b"), __import__("a.b"); and what hides uses. */
static void take_call(Taking *t, uint32_t i)
{
	static const Str hiding[] = { S("globals"), S("eval"), S("exec"), S("execfile") };
	const Syntax *s = t->s;
	uint32_t function = i + 1;
	Str name, text;

	if (s->at[function].kind != PY_IDENTIFIER && s->at[function].kind != PY_ATTRIBUTE)
		return;
	name = last_part(syntax_text(s, function));
	for (size_t h = 0; h < COUNT(hiding); h++)
		t->out->dynamic |= s->at[function].kind == PY_IDENTIFIER && str_eq(name, hiding[h]);
	if (str_eq(name, S("getattr")))
		t->out->reflects |= !argument_of(s, i, 1, &text);
	if (!str_eq(name, S("import_module")) && !str_eq(name, S("__import__")))
		return;
	if (!argument_of(s, i, 0, &text)) {
		t->out->loads = true;
	} else if (text.len && text.len <= STRING_MOST) {
		LinkImport *import = add_import(t, s->at[i].line, IMPORT_DYNAMIC);

		text = dotted_text(t->a, text);
		for (; text.len && text.at[0] == '.'; text = str_sub(text, 1, text.len))
			import->dots++;
		import->module = text;
	}
}

/* --- definitions ------------------------------------------------------------------------------------------------------------------ */

/* "models.Model" of an expression; empty: it is no name. */
static Str name_of(const Taking *t, uint32_t i)
{
	const PyNode *at = t->s->at;

	while ((at[i].kind == PY_CALL || at[i].kind == PY_SUBSCRIPT ||
	        at[i].kind == PY_PARENTHESIZED_EXPRESSION) &&
	       at[i].end > i + 1)
		i++;
	return at[i].kind == PY_IDENTIFIER || at[i].kind == PY_ATTRIBUTE
	               ? dotted_text(t->a, syntax_text(t->s, i))
	               : S("");
}

static void take_bases(Taking *t, uint32_t class, LinkDef *def)
{
	uint32_t list = syntax_child(t->s, class, PY_F_SUPERCLASSES);
	AUTO(vec_fini) Vec bases = { 0 };

	if (list == SYNTAX_NONE)
		return;
	for (uint32_t i = list + 1; i < t->s->at[list].end; i = t->s->at[i].end) {
		Str name = t->s->at[i].kind == PY_KEYWORD_ARGUMENT ? S("") : name_of(t, i);

		if (name.len)
			*(Str *)vec_add(&bases, sizeof(Str)) = name;
	}
	def->bases = vec_keep(t->a, &bases, sizeof(Str));
	def->base_count = bases.count;
}

static void take_decorators(Taking *t, uint32_t definition, LinkDef *def)
{
	uint32_t parent = t->s->at[definition].parent;
	AUTO(vec_fini) Vec names = { 0 };

	if (t->s->at[parent].kind != PY_DECORATED_DEFINITION)
		return;
	for (uint32_t i = parent + 1; i < definition; i = t->s->at[i].end)
		if (t->s->at[i].kind == PY_DECORATOR) {
			Str name = t->s->at[i].end > i + 1 ? name_of(t, i + 1) : S("");

			*(Str *)vec_add(&names, sizeof(Str)) = name.len ? name : S("?");
		}
	def->decorators = vec_keep(t->a, &names, sizeof(Str));
	def->decorator_count = names.count;
}

static void take_definition(Taking *t, uint32_t i)
{
	const PyNode *node = &t->s->at[i];
	uint32_t name = syntax_child(t->s, i, PY_F_NAME), outer = inner(t)->def;
	uint8_t in = inner(t)->in & (IN_TYPING | IN_FUNCTION | IN_BRANCH);
	LinkDef *def = vec_add(&t->defs, sizeof(LinkDef));

	def->name = name == SYNTAX_NONE ? S("") : str_dup(t->a, syntax_text(t->s, name));
	def->parent = outer;
	def->line = node->line;
	def->end_line = node->end_line;
	def->kind = node->kind == PY_CLASS_DEFINITION ? DEF_CLASS : DEF_FUNCTION;
	if (def->kind == DEF_FUNCTION && outer != LINK_NONE &&
	    ((const LinkDef *)t->defs.at)[outer].kind == DEF_CLASS)
		def->kind = DEF_METHOD;
	def->async = t->s->at[i + 1].kind == PY_ASYNC && t->s->at[i + 1].parent == i;
	if (def->kind == DEF_CLASS)
		take_bases(t, i, def);
	else
		in |= IN_FUNCTION;
	take_decorators(t, i, def);
	open_frame(t, node->end, t->defs.count - 1, in);
}

static void take_assignment(Taking *t, uint32_t i)
{
	const PyNode *node = &t->s->at[i], *left = node + 1;
	bool outside = inner(t)->def == LINK_NONE;

	if (!outside || left->field != PY_F_LEFT || left->kind != PY_IDENTIFIER)
		return;
	if (str_eq(syntax_text(t->s, i + 1), S("__all__"))) {
		t->out->has_all = true;
		open_frame(t, node->end, LINK_NONE, inner(t)->in | IN_ALL);
	} else if (node->kind == PY_ASSIGNMENT) {
		LinkDef *def = vec_add(&t->defs, sizeof(LinkDef));

		def->name = str_dup(t->a, syntax_text(t->s, i + 1));
		def->parent = LINK_NONE;
		def->line = node->line;
		def->end_line = node->end_line;
		def->kind = DEF_VARIABLE;
	}
}

/* --- branches --------------------------------------------------------------------------------------------------------------------- */

/* What the first branch of an `if` is for. */
static uint8_t branch_of(Taking *t, uint32_t statement)
{
	uint32_t condition = syntax_child(t->s, statement, PY_F_CONDITION);
	Str text = condition == SYNTAX_NONE ? S("") : syntax_text(t->s, condition);

	if (str_eq(last_part(text), S("TYPE_CHECKING")) || str_eq(text, S("False")) ||
	    str_eq(text, S("MYPY")))
		return t->s->at[condition].kind == PY_NOT_OPERATOR ? IN_BRANCH : IN_TYPING;
	if (str_starts(text, S("__name__")) && str_find(text, S("__main__")) > 0) {
		t->out->main |= inner(t)->def == LINK_NONE;
		return IN_FUNCTION;
	}
	return IN_BRANCH;
}

static void take_block(Taking *t, uint32_t i)
{
	uint32_t parent = t->s->at[i].parent;
	uint8_t in = 0;

	switch (t->s->at[parent].kind) {
	case PY_IF_STATEMENT:
		in = branch_of(t, parent);
		break;
	case PY_ELIF_CLAUSE:
	case PY_ELSE_CLAUSE:
	case PY_TRY_STATEMENT:
	case PY_EXCEPT_CLAUSE:
	case PY_EXCEPT_GROUP_CLAUSE:
	case PY_CASE_CLAUSE:
		in = IN_BRANCH;
		break;
	default:
		return;
	}
	open_frame(t, t->s->at[i].end, inner(t)->def, inner(t)->in | in);
}

/* --- all of it -------------------------------------------------------------------------------------------------------------------- */

/* Takes a row; the row after all of it that needs no looking at. */
static uint32_t take(Taking *t, uint32_t i)
{
	const PyNode *node = &t->s->at[i];

	if (node->end == i + 1 && node->kind != PY_IDENTIFIER)
		return i + 1;
	switch (node->kind) {
	case PY_IMPORT_STATEMENT:
		take_import(t, i);
		return node->end;
	case PY_IMPORT_FROM_STATEMENT:
		take_from(t, i);
		return node->end;
	case PY_FUTURE_IMPORT_STATEMENT:
		return node->end;
	case PY_FUNCTION_DEFINITION:
	case PY_CLASS_DEFINITION:
		take_definition(t, i);
		break;
	case PY_ASSIGNMENT:
	case PY_AUGMENTED_ASSIGNMENT:
		take_assignment(t, i);
		break;
	case PY_BLOCK:
		take_block(t, i);
		break;
	case PY_CALL:
		take_call(t, i);
		break;
	case PY_ATTRIBUTE:
		take_attribute(t, i);
		break;
	case PY_IDENTIFIER:
		take_identifier(t, i);
		break;
	case PY_STRING:
		take_string(t, i);
		break;
	case PY_TYPE:
		open_frame(t, node->end, inner(t)->def, inner(t)->in | IN_TYPE);
		break;
	case PY_PRINT_STATEMENT:
	case PY_EXEC_STATEMENT:
		t->out->python2 = true;
		break;
	default:
		break;
	}
	return i + 1;
}

/* Chains that begin with something bound here, as texts of their own; and how much imports are used. */
static void keep_chains(Taking *t)
{
	AUTO(pair_fini) PairTable bound = { 0 };
	AUTO(vec_fini) Vec uses = { 0 };
	LinkImport *imports = t->imports.at;
	const LinkDef *defs = t->defs.at;
	bool fresh;

	for (uint32_t i = 0; i < t->defs.count; i++)
		if (defs[i].parent == LINK_NONE)
			pair_at(&bound, link_hash(defs[i].name), 0, &fresh);
	for (uint32_t i = 0; i < t->imports.count; i++)
		if (imports[i].bound.len)
			*pair_at(&bound, link_hash(imports[i].bound), 0, &fresh) = i + 1;
	for (uint32_t i = 0; i < t->chains.count; i++) {
		const Chain *c = (const Chain *)t->chains.at + i;
		const uint32_t *import = pair_find(&bound, c->first, 0);

		if (!import)
			continue;
		if (*import)
			imports[*import - 1].used += c->count;
		*(LinkUse *)vec_add(&uses, sizeof(LinkUse)) =
			(LinkUse){ .chain = dotted_text(t->a, str_sub(t->s->text, c->from, c->to)),
			           .def = c->def,
			           .line = c->line,
			           .count = c->count,
			           .calls = c->calls };
	}
	t->out->uses = vec_keep(t->a, &uses, sizeof(LinkUse));
	t->out->use_count = uses.count;
}

static void keep(Taking *t)
{
	FileLinks *out = t->out;

	keep_chains(t);
	out->imports = vec_keep(t->a, &t->imports, sizeof(LinkImport));
	out->import_count = t->imports.count;
	out->defs = vec_keep(t->a, &t->defs, sizeof(LinkDef));
	out->def_count = t->defs.count;
	out->names = vec_keep(t->a, &t->names, sizeof(LinkName));
	out->name_count = t->names.count;
	out->strings = vec_keep(t->a, &t->strings, sizeof(Str));
	out->string_count = t->strings.count;
	out->exported = vec_keep(t->a, &t->exported, sizeof(Str));
	out->exported_count = t->exported.count;
}

static void taking_fini(Taking *t)
{
	vec_fini(&t->frames);
	vec_fini(&t->imports);
	vec_fini(&t->defs);
	vec_fini(&t->chains);
	vec_fini(&t->strings);
	vec_fini(&t->exported);
	vec_fini(&t->names);
	pair_fini(&t->named);
	pair_fini(&t->chained);
	pair_fini(&t->stringed);
}

static const void *extract(Arena *a, const Syntax *s, const AuditFile *file)
{
	AUTO(taking_fini) Taking t = { .a = a, .s = s, .out = ARENA_NEW(a, FileLinks) };

	(void)file;
	open_frame(&t, s->count, LINK_NONE, 0);
	for (uint32_t i = 1; i < s->count;) {
		while (i >= inner(&t)->end)
			t.frames.count--;
		i = take(&t, i);
	}
	keep(&t);
	return t.out;
}

/* --- in the cache ----------------------------------------------------------------------------------------------------------------- */

const FactsModule *links_facts(void)
{
	static const PackField import_fields[] = { PACK_TEXT(LinkImport, module),
		                                   PACK_TEXT(LinkImport, name),
		                                   PACK_TEXT(LinkImport, bound) };
	static const PackType import_type = { PACK_FIELDS(LinkImport, import_fields) };
	static const PackField def_fields[] = { PACK_TEXT(LinkDef, name),
		                                PACK_TEXTS(LinkDef, bases, base_count),
		                                PACK_TEXTS(LinkDef, decorators, decorator_count) };
	static const PackType def_type = { PACK_FIELDS(LinkDef, def_fields) };
	static const PackField use_fields[] = { PACK_TEXT(LinkUse, chain) };
	static const PackType use_type = { PACK_FIELDS(LinkUse, use_fields) };
	static const PackType name_type = { PACK_PLAIN(LinkName) };
	static const PackField fields[] = { PACK_ARRAY(FileLinks, imports, import_count,
		                                       &import_type),
		                            PACK_ARRAY(FileLinks, defs, def_count, &def_type),
		                            PACK_ARRAY(FileLinks, uses, use_count, &use_type),
		                            PACK_ARRAY(FileLinks, names, name_count, &name_type),
		                            PACK_TEXTS(FileLinks, strings, string_count),
		                            PACK_TEXTS(FileLinks, exported, exported_count) };
	static const PackType type = { PACK_FIELDS(FileLinks, fields) };
	static const FactsModule module = { extract, &type, FACTS_VERSION };

	return &module;
}

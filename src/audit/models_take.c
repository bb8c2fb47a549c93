/* SPDX-License-Identifier: Apache-2.0
 *
 * One pass over the rows of a file, front to back: every row that may say something of models, queries, routes, tasks, signals, templates or
 * settings is handed to who knows. The function that a row stands in is known by going along with the file's units. Files of tests are left
 * alone, and migrations have a reader of their own. */
#include "audit/models_take.h"

#include "base/arena.h"

#include <string.h>

void *take_grow(Arena *a, void *list, size_t each, uint32_t count)
{
	void *larger;

	if (count && (count < 4 || count & (count - 1)))
		return list;
	larger = arena_alloc_array(a, each, count ? 2 * (size_t)count : 4);
	if (count)
		memcpy(larger, list, each * count);
	return larger;
}

/* --- imports ------------------------------------------------------------------------------------------------------------------ */

const ImportFact *take_import(const FileModels *f, Str local)
{
	for (uint32_t i = f->import_count; i--;)
		if (str_eq(f->imports[i].local, local))
			return &f->imports[i];
	return NULL;
}

bool take_is_from(const Take *t, Str dotted, Str package)
{
	const ImportFact *import = take_import(t->out, name_first(dotted));

	if (import && !import->star)
		return str_starts(import->target, package);
	for (uint32_t i = 0; i < t->out->import_count; i++)
		if (t->out->imports[i].star && str_starts(t->out->imports[i].target, package))
			return true;
	return false;
}

static void add_import(Take *t, Str local, Str target, uint32_t node, uint8_t level)
{
	*TAKE_ADD(t->a, t->out->imports, t->out->import_count) =
		(ImportFact){ .local = str_dup(t->a, local),
		              .target = str_dup(t->a, target),
		              .level = level,
		              .line = t->s->at[node].line };
}

/* `import a.b.c` gives a; `import a.b.c as d` gives d. */
static void plain_import(Take *t, uint32_t node)
{
	const Syntax *s = t->s;

	for (uint32_t i = node + 1; i < s->at[node].end; i = s->at[i].end) {
		if (s->at[i].kind == PY_ALIASED_IMPORT) {
			uint32_t name = syntax_child(s, i, PY_F_NAME),
				 alias = syntax_child(s, i, PY_F_ALIAS);

			if (name != SYNTAX_NONE && alias != SYNTAX_NONE)
				add_import(t, syntax_text(s, alias), syntax_text(s, name), i, 0);
		} else if (s->at[i].kind == PY_DOTTED_NAME) {
			Str first = name_first(syntax_text(s, i));

			add_import(t, first, first, i, 0);
		}
	}
}

static Str module_of(const Syntax *s, uint32_t node, uint8_t *level)
{
	uint32_t module = syntax_child(s, node, PY_F_MODULE_NAME);
	Str text;
	size_t dots = 0;

	*level = 0;
	if (module == SYNTAX_NONE)
		return S("");
	text = syntax_text(s, module);
	while (dots < text.len && (text.at[dots] == '.' || text.at[dots] == ' '))
		*level = (uint8_t)(*level + (text.at[dots++] == '.'));
	return str_sub(text, dots, text.len);
}

static Str within(Arena *a, Str module, Str name)
{
	return module.len ? str_fmt(a, "%.*s.%.*s", STR_ARG(module), STR_ARG(name)) : name;
}

static void from_import(Take *t, uint32_t node)
{
	const Syntax *s = t->s;
	uint8_t level;
	Str module = module_of(s, node, &level);

	for (uint32_t i = node + 1; i < s->at[node].end; i = s->at[i].end) {
		if (s->at[i].field == PY_F_MODULE_NAME)
			continue;
		if (s->at[i].kind == PY_WILDCARD_IMPORT) {
			add_import(t, S("*"), module, i, level);
			t->out->imports[t->out->import_count - 1].star = true;
		} else if (s->at[i].kind == PY_ALIASED_IMPORT) {
			uint32_t name = syntax_child(s, i, PY_F_NAME),
				 alias = syntax_child(s, i, PY_F_ALIAS);

			if (name != SYNTAX_NONE && alias != SYNTAX_NONE)
				add_import(t, syntax_text(s, alias),
				           within(t->a, module, syntax_text(s, name)), i, level);
		} else if (s->at[i].kind == PY_DOTTED_NAME) {
			add_import(t, syntax_text(s, i), within(t->a, module, syntax_text(s, i)), i,
			           level);
		}
	}
}

void take_import_row(Take *t, uint32_t node)
{
	if (t->s->at[node].kind == PY_IMPORT_STATEMENT)
		plain_import(t, node);
	else if (t->s->at[node].kind == PY_IMPORT_FROM_STATEMENT)
		from_import(t, node);
}

/* --- variables of the module -------------------------------------------------------------------------------------------------- */

static Str prefix_of(Take *t, uint32_t call)
{
	uint32_t prefix = syntax_keyword(t->s, call, S("url_prefix"));
	Str text = S("");

	if (prefix == SYNTAX_NONE)
		prefix = syntax_keyword(t->s, call, S("prefix"));
	if (prefix != SYNTAX_NONE && !syntax_literal(t->a, t->s, prefix, &text))
		text = S("");
	return text;
}

static void variable(Take *t, uint32_t left, uint32_t call)
{
	const Syntax *s = t->s;
	Str callee = syntax_callee(s, call), first = S(""), second;
	uint32_t argument = syntax_argument(s, call, 0);

	if (!callee.len)
		return;
	if (argument != SYNTAX_NONE && !syntax_literal(t->a, s, argument, &first))
		first = S("");
	if (str_eq(name_last(callee), S("get_model")) &&
	    syntax_literal(t->a, s, syntax_argument(s, call, 1), &second))
		first = str_fmt(t->a, "%.*s.%.*s", STR_ARG(first), STR_ARG(second));
	*TAKE_ADD(t->a, t->out->vars, t->out->var_count) =
		(VarFact){ .name = str_dup(t->a, syntax_text(s, left)),
		           .callee = str_dup(t->a, callee),
		           .prefix = prefix_of(t, call),
		           .first = first,
		           .line = s->at[left].line };
	if (str_eq(name_last(callee), S("Table")))
		take_table(t, call, syntax_text(s, left));
}

static void assignment(Take *t, uint32_t node)
{
	const Syntax *s = t->s;
	uint32_t left = syntax_child(s, node, PY_F_LEFT), right = syntax_child(s, node, PY_F_RIGHT);
	Str name;

	if (left != SYNTAX_NONE && right != SYNTAX_NONE)
		take_query_binding(t, left, right);
	if (left == SYNTAX_NONE || s->at[left].kind != PY_IDENTIFIER)
		return;
	name = syntax_text(s, left);
	if (t->class)
		take_field(t, node);
	if (right == SYNTAX_NONE)
		return;
	if (t->unit == UNIT_NONE && s->at[right].kind == PY_CALL)
		variable(t, left, right);
	take_name_assignment(t, node, name);
	if (t->unit == UNIT_NONE && str_eq(name, S("app_name")) &&
	    !syntax_literal(t->a, s, right, &t->out->app_name))
		t->out->app_name = S("");
}

/* --- the pass ------------------------------------------------------------------------------------------------------------------ */

/* The units that the row leaves and enters. */
static void follow_units(Take *t, uint32_t row, uint32_t *next)
{
	const Measures *m = &t->file->measures;

	while (t->unit != UNIT_NONE && row >= t->s->at[m->units[t->unit].node].end)
		t->unit = m->units[t->unit].parent;
	if (*next < m->unit_count && m->units[*next].node == row)
		t->unit = (*next)++;
}

static void call(Take *t, uint32_t node)
{
	Str last = syntax_last(t->s, node);

	take_query_call(t, node);
	if (!last.len)
		return;
	take_route_call(t, node, syntax_callee(t->s, node), last);
	take_task_call(t, node, last);
	take_name_call(t, node, last);
}

/* The function or class that a decorator stands above: the unit that comes next. */
static void decorator(Take *t, uint32_t node, uint32_t next)
{
	uint32_t what = syntax_nth(t->s, node, 0);

	if (what == SYNTAX_NONE || next >= t->file->measures.unit_count)
		return;
	if (t->s->at[what].kind == PY_CALL)
		take_route_decorator(t, what, next);
	take_task_decorator(t, what, next);
	take_block_decorator(t, what, next);
}

/* Is a statement in a class's body itself? */
static void set_class(Take *t)
{
	t->class = t->unit != UNIT_NONE && t->class_of ? t->class_of[t->unit] : 0;
}

static void statement(Take *t, uint32_t i)
{
	const Syntax *s = t->s;

	switch (s->at[i].kind) {
	case PY_ASSIGNMENT:
		set_class(t);
		assignment(t, i);
		break;
	case PY_FOR_STATEMENT:
	case PY_FOR_IN_CLAUSE:
		take_query_binding(t, syntax_child(s, i, PY_F_LEFT),
		                   syntax_child(s, i, PY_F_RIGHT));
		break;
	case PY_TYPED_PARAMETER:
		take_query_parameter(t, i);
		break;
	case PY_WITH_STATEMENT:
		take_with(t, i);
		break;
	default:
		break;
	}
}

static void expression(Take *t, uint32_t i)
{
	switch (t->s->at[i].kind) {
	case PY_CALL:
		call(t, i);
		break;
	case PY_KEYWORD_ARGUMENT:
		take_query_keyword(t, i);
		break;
	case PY_PAIR:
		take_schedule_pair(t, i);
		break;
	case PY_ATTRIBUTE:
		take_name_attribute(t, i);
		break;
	case PY_SUBSCRIPT:
		take_name_subscript(t, i);
		break;
	case PY_STRING:
	case PY_CONCATENATED_STRING:
		take_query_string(t, i);
		break;
	default:
		break;
	}
}

static void walk(Take *t)
{
	const Syntax *s = t->s;
	uint32_t next = 0;

	for (uint32_t i = 1; i < s->count; i++) {
		uint8_t kind = s->at[i].kind;

		follow_units(t, i, &next);
		take_query_row(t, i);
		if (kind == PY_IMPORT_STATEMENT || kind == PY_IMPORT_FROM_STATEMENT) {
			take_import_row(t, i);
			i = s->at[i].end - 1;
		} else if (kind == PY_CLASS_DEFINITION) {
			take_class(t, i);
		} else if (kind == PY_DECORATOR) {
			decorator(t, i, next);
		} else if (kind == PY_CONCATENATED_STRING) {
			take_query_string(t, i);
			i = s->at[i].end - 1;
		} else {
			statement(t, i);
			expression(t, i);
		}
	}
}

static bool is_empty(const FileModels *f)
{
	return !f->import_count && !f->var_count && !f->class_count && !f->use_count &&
	       !f->block_count && !f->route_count && !f->task_count && !f->signal_count &&
	       !f->name_count && !f->migration;
}

static const void *extract(Arena *a, const Syntax *s, const AuditFile *file)
{
	FileModels *out;
	Take t = { .a = a, .s = s, .file = file, .unit = UNIT_NONE };

	if (file->kind == SOURCE_TEST || s->count < 2)
		return NULL;
	out = t.out = ARENA_NEW(a, FileModels);
	t.query = take_query_new(a);
	if (file->kind == SOURCE_MIGRATION)
		take_migration(a, s, file, out);
	else
		walk(&t);
	return is_empty(out) ? NULL : out;
}

/* --- for the cache --------------------------------------------------------------------------------------------------------------- */

static const PackField import_fields[] = { PACK_TEXT(ImportFact, local),
	                                   PACK_TEXT(ImportFact, target) };
static const PackType import_type = { PACK_FIELDS(ImportFact, import_fields) };
static const PackField var_fields[] = { PACK_TEXT(VarFact, name), PACK_TEXT(VarFact, callee),
	                                PACK_TEXT(VarFact, prefix), PACK_TEXT(VarFact, first) };
static const PackType var_type = { PACK_FIELDS(VarFact, var_fields) };
static const PackField field_fields[] = {
	PACK_TEXT(FieldFact, name),      PACK_TEXT(FieldFact, type),
	PACK_TEXT(FieldFact, to),        PACK_TEXT(FieldFact, through),
	PACK_TEXT(FieldFact, on_delete), PACK_TEXT(FieldFact, related_name),
	PACK_TEXT(FieldFact, db_table),  PACK_TEXT(FieldFact, length)
};
static const PackType field_type = { PACK_FIELDS(FieldFact, field_fields) };
static const PackField class_fields[] = { PACK_TEXT(ClassFact, name), PACK_TEXT(ClassFact, table),
	                                  PACK_TEXT(ClassFact, app),
	                                  PACK_TEXTS(ClassFact, bases, base_count),
	                                  PACK_ARRAY(ClassFact, fields, field_count, &field_type) };
static const PackType class_type = { PACK_FIELDS(ClassFact, class_fields) };
static const PackField use_fields[] = { PACK_TEXT(UseFact, on), PACK_TEXT(UseFact, path) };
static const PackType use_type = { PACK_FIELDS(UseFact, use_fields) };
static const PackType block_type = { PACK_PLAIN(BlockFact) };
static const PackField route_fields[] = { PACK_TEXT(RouteFact, on),      PACK_TEXT(RouteFact, path),
	                                  PACK_TEXT(RouteFact, target),  PACK_TEXT(RouteFact, view),
	                                  PACK_TEXT(RouteFact, methods), PACK_TEXT(RouteFact, name),
	                                  PACK_TEXT(RouteFact, list) };
static const PackType route_type = { PACK_FIELDS(RouteFact, route_fields) };
static const PackField task_fields[] = { PACK_TEXT(TaskFact, on), PACK_TEXT(TaskFact, name),
	                                 PACK_TEXT(TaskFact, schedule) };
static const PackType task_type = { PACK_FIELDS(TaskFact, task_fields) };
static const PackField signal_fields[] = { PACK_TEXT(SignalFact, signal),
	                                   PACK_TEXT(SignalFact, sender),
	                                   PACK_TEXT(SignalFact, receiver) };
static const PackType signal_type = { PACK_FIELDS(SignalFact, signal_fields) };
static const PackField name_fields[] = { PACK_TEXT(NameFact, name), PACK_TEXT(NameFact, value) };
static const PackType name_type = { PACK_FIELDS(NameFact, name_fields) };
static const PackField operation_fields[] = { PACK_TEXT(OperationFact, model),
	                                      PACK_TEXT(OperationFact, target),
	                                      PACK_TEXT(OperationFact, field.name),
	                                      PACK_TEXT(OperationFact, field.type),
	                                      PACK_TEXT(OperationFact, field.to),
	                                      PACK_TEXT(OperationFact, field.through),
	                                      PACK_TEXT(OperationFact, field.on_delete),
	                                      PACK_TEXT(OperationFact, field.related_name),
	                                      PACK_TEXT(OperationFact, field.db_table),
	                                      PACK_TEXT(OperationFact, field.length),
	                                      PACK_ARRAY(OperationFact, columns, column_count,
	                                                 &field_type) };
static const PackType operation_type = { PACK_FIELDS(OperationFact, operation_fields) };

static const PackField file_fields[] = {
	PACK_ARRAY(FileModels, imports, import_count, &import_type),
	PACK_ARRAY(FileModels, vars, var_count, &var_type),
	PACK_ARRAY(FileModels, classes, class_count, &class_type),
	PACK_ARRAY(FileModels, uses, use_count, &use_type),
	PACK_ARRAY(FileModels, blocks, block_count, &block_type),
	PACK_ARRAY(FileModels, routes, route_count, &route_type),
	PACK_ARRAY(FileModels, tasks, task_count, &task_type),
	PACK_ARRAY(FileModels, signals, signal_count, &signal_type),
	PACK_ARRAY(FileModels, names, name_count, &name_type),
	PACK_ARRAY(FileModels, operations, operation_count, &operation_type),
	PACK_TEXTS(FileModels, needs, need_count),
	PACK_TEXT(FileModels, app_name),
	PACK_TEXT(FileModels, app_label),
	PACK_TEXT(FileModels, app_module),
	PACK_TEXT(FileModels, revision),
};
static const PackType file_type = { PACK_FIELDS(FileModels, file_fields) };

const FactsModule *models_facts(void)
{
	static const FactsModule module = { extract, &file_type, 1 };

	return &module;
}

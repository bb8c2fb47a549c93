/* SPDX-License-Identifier: Apache-2.0
 *
 * Migrations as they are written: Django's operations, Alembic's op.*, one row each. What a table was before is not known in one file;
 * models_migrate.c goes through an application's migrations in their order. */
#include "audit/models_take.h"

#include "base/arena.h"

typedef struct OperationWord {
	const char *name;
	uint8_t kind, flags;
	const char *model, *field,
		*what; /* keywords; their places are 0, 1, 2, those without a keyword left out */
} OperationWord;

static const OperationWord django_words[] = {
	{ "CreateModel", OP_CREATE_MODEL, 0, "name", NULL, "fields" },
	{ "DeleteModel", OP_DELETE_MODEL, 0, "name", NULL, NULL },
	{ "RenameModel", OP_RENAME_MODEL, 0, "old_name", NULL, "new_name" },
	{ "AlterModelTable", OP_RENAME_TABLE, 0, "name", NULL, "table" },
	{ "AddField", OP_ADD_FIELD, 0, "model_name", "name", "field" },
	{ "RemoveField", OP_REMOVE_FIELD, 0, "model_name", "name", NULL },
	{ "AlterField", OP_ALTER_FIELD, 0, "model_name", "name", "field" },
	{ "RenameField", OP_RENAME_FIELD, 0, "model_name", "old_name", "new_name" },
	{ "AddIndex", OP_ADD_INDEX, 0, "model_name", NULL, "index" },
	{ "AddIndexConcurrently", OP_ADD_INDEX_CONCURRENTLY, 0, "model_name", NULL, "index" },
	{ "RemoveIndex", OP_REMOVE_INDEX, 0, "model_name", "name", NULL },
	{ "RemoveIndexConcurrently", OP_ADD_INDEX_CONCURRENTLY, 0, "model_name", "name", NULL },
	{ "AlterUniqueTogether", OP_TOGETHER, OP_UNIQUE, "name", NULL, "unique_together" },
	{ "AlterIndexTogether", OP_TOGETHER, 0, "name", NULL, "index_together" },
	{ "AddConstraint", OP_ADD_CONSTRAINT, 0, "model_name", NULL, "constraint" },
	{ "AddConstraintNotValid", OP_ADD_CONSTRAINT, OP_NOT_VALID, "model_name", NULL,
	  "constraint" },
	{ "ValidateConstraint", OP_VALIDATE, 0, "model_name", "name", NULL },
	{ "RunPython", OP_RUN_PYTHON, 0, NULL, NULL, "code" },
	{ "RunSQL", OP_RUN_SQL, 0, NULL, NULL, "sql" },
};
/* Alembic's: constraints and indexes have their own name first, so the table's place is 1. */
static const struct {
	const char *name;
	uint8_t kind, flags, table, field, what;
} alembic_words[] = {
	{ "create_table", OP_CREATE_MODEL, 0, 0, 9, 9 },
	{ "drop_table", OP_DELETE_MODEL, 0, 0, 9, 9 },
	{ "rename_table", OP_RENAME_TABLE, 0, 0, 9, 1 },
	{ "add_column", OP_ADD_FIELD, 0, 0, 9, 1 },
	{ "drop_column", OP_REMOVE_FIELD, 0, 0, 1, 9 },
	{ "alter_column", OP_ALTER_FIELD, 0, 0, 1, 9 },
	{ "create_index", OP_ADD_INDEX, 0, 1, 9, 9 },
	{ "drop_index", OP_REMOVE_INDEX, 0, 1, 9, 9 },
	{ "create_foreign_key", OP_ADD_CONSTRAINT, 0, 1, 9, 9 },
	{ "create_unique_constraint", OP_ADD_CONSTRAINT, OP_UNIQUE, 1, 9, 9 },
	{ "create_check_constraint", OP_ADD_CONSTRAINT, OP_CHECK, 1, 9, 9 },
	{ "execute", OP_RUN_SQL, 0, 9, 9, 0 },
	{ "bulk_insert", OP_RUN_PYTHON, OP_REVERSIBLE, 0, 9, 9 },
};

typedef struct Migration {
	Take t;
	uint32_t state_end, down_end, autocommit_end; /* rows before which that holds */
	Str batch;                                    /* the table of batch_alter_table() */
} Migration;

static bool is_word(const Syntax *s, uint32_t node, PyKind kind)
{
	return node != SYNTAX_NONE && s->at[node].kind == kind;
}

static uint32_t either(const Syntax *s, uint32_t call, const char *keyword, uint32_t place)
{
	uint32_t node = syntax_keyword(s, call, str_of(keyword));

	return node != SYNTAX_NONE ? node : syntax_argument(s, call, place);
}

static Str text_of(Take *t, uint32_t node)
{
	Str text;

	if (node == SYNTAX_NONE)
		return S("");
	if (syntax_literal(t->a, t->s, node, &text))
		return text;
	return str_dup(t->a, syntax_dotted(t->s, node));
}

/* --- Django ----------------------------------------------------------------------------------------------------------------------- */

/* fields=[("id", models.AutoField(..)), ..] */
static void columns(Take *t, uint32_t list, OperationFact *op)
{
	const Syntax *s = t->s;

	for (uint32_t i = list + 1; list != SYNTAX_NONE && i < s->at[list].end; i = s->at[i].end) {
		uint32_t name = syntax_nth(s, i, 0), call = syntax_nth(s, i, 1);
		FieldFact *field;

		if (s->at[i].kind != PY_TUPLE || call == SYNTAX_NONE || s->at[call].kind != PY_CALL)
			continue;
		field = TAKE_ADD(t->a, op->columns, op->column_count);
		*field = (FieldFact){ 0 };
		take_field_call(t->a, s, call, field);
		field->name = text_of(t, name);
	}
}

/* ("insert ..", [parameters]) */
static uint32_t statement_of(const Syntax *s, uint32_t node)
{
	uint32_t first = s->at[node].kind == PY_TUPLE || s->at[node].kind == PY_LIST
	                         ? syntax_nth(s, node, 0)
	                         : node;

	return first == SYNTAX_NONE ? node : first;
}

/* SQL of RunSQL and execute: a text, a list of texts, or text(..). */
static Str sql_of(Take *t, uint32_t node)
{
	const Syntax *s = t->s;

	if (node != SYNTAX_NONE && s->at[node].kind == PY_CALL)
		node = syntax_argument(s, node, 0);
	if (node != SYNTAX_NONE && (s->at[node].kind == PY_LIST || s->at[node].kind == PY_TUPLE)) {
		Str all = S("");

		for (uint32_t i = node + 1, n = 0; i < s->at[node].end && n < 50;
		     i = s->at[i].end, n++)
			all = str_fmt(t->a, "%.*s%s%.*s", STR_ARG(all), all.len ? ";" : "",
			              STR_ARG(syntax_raw(t->a, s, statement_of(s, i))));
		return all;
	}
	return node == SYNTAX_NONE ? S("") : str_dup(t->a, syntax_raw(t->a, s, node));
}

static void constraint(Take *t, uint32_t node, OperationFact *op)
{
	Str last = is_word(t->s, node, PY_CALL) ? syntax_last(t->s, node) : S("");

	if (str_eq(last, S("CheckConstraint")))
		op->flags |= OP_CHECK;
	else if (str_eq(last, S("UniqueConstraint")) || str_eq(last, S("ExclusionConstraint")))
		op->flags |= OP_UNIQUE;
}

static void what_of(Take *t, uint32_t call, uint32_t node, OperationFact *op)
{
	const Syntax *s = t->s;
	uint32_t atomic = syntax_keyword(s, call, S("atomic"));

	if (node == SYNTAX_NONE)
		return;
	if (op->kind == OP_CREATE_MODEL) {
		columns(t, node, op);
	} else if ((op->kind == OP_ADD_FIELD || op->kind == OP_ALTER_FIELD) &&
	           s->at[node].kind == PY_CALL) {
		Str name = op->field.name;

		op->field = (FieldFact){ 0 };
		take_field_call(t->a, s, node, &op->field);
		op->field.name = name;
	} else if (op->kind == OP_ADD_CONSTRAINT) {
		constraint(t, node, op);
	} else if (op->kind == OP_RUN_SQL) {
		op->target = sql_of(t, node);
	} else if (op->kind != OP_TOGETHER) {
		op->target = text_of(t, node);
	}
	if ((op->kind == OP_RUN_PYTHON && either(s, call, "reverse_code", 1) != SYNTAX_NONE) ||
	    (op->kind == OP_RUN_SQL && either(s, call, "reverse_sql", 1) != SYNTAX_NONE))
		op->flags |= OP_REVERSIBLE;
	if (atomic != SYNTAX_NONE && s->at[atomic].kind == PY_FALSE)
		op->flags |= OP_IF_ATOMIC_NO;
}

static OperationFact *add_operation(Migration *m, uint32_t call, uint8_t kind, uint8_t flags)
{
	const Syntax *s = m->t.s;
	OperationFact *op = TAKE_ADD(m->t.a, m->t.out->operations, m->t.out->operation_count);

	*op = (OperationFact){ .kind = kind,
		               .flags = flags,
		               .line = s->at[call].line,
		               .end_line = s->at[call].end_line };
	if (call < m->state_end)
		op->flags |= OP_STATE_ONLY;
	if (call < m->down_end)
		op->flags |= OP_DOWN;
	if (call < m->autocommit_end)
		op->flags |= OP_IF_ATOMIC_NO;
	return op;
}

static void django_operation(Migration *m, uint32_t call, const OperationWord *word)
{
	Take *t = &m->t;
	OperationFact *op = add_operation(m, call, word->kind, word->flags);
	uint32_t place = 0;

	if (word->model)
		op->model = str_lower(t->a, text_of(t, either(t->s, call, word->model, place++)));
	if (word->field)
		op->field.name = text_of(t, either(t->s, call, word->field, place++));
	if (word->what)
		what_of(t, call, either(t->s, call, word->what, place), op);
}

/* --- Alembic ------------------------------------------------------------------------------------------------------------------------ */

static void alembic_column(Take *t, uint32_t node, FieldFact *out)
{
	if (!is_word(t->s, node, PY_CALL))
		return;
	*out = (FieldFact){ 0 };
	take_field_call(t->a, t->s, node, out);
}

static void alembic_more(Migration *m, uint32_t call, OperationFact *op)
{
	Take *t = &m->t;
	const Syntax *s = t->s;
	uint32_t type = syntax_keyword(s, call, S("type_")),
		 name = syntax_keyword(s, call, S("new_column_name"));
	uint32_t nullable = syntax_keyword(s, call, S("nullable"));

	if (op->kind == OP_ADD_INDEX &&
	    is_word(s, syntax_keyword(s, call, S("postgresql_concurrently")), PY_TRUE))
		op->kind = OP_ADD_INDEX_CONCURRENTLY;
	if (op->kind == OP_REMOVE_INDEX &&
	    is_word(s, syntax_keyword(s, call, S("postgresql_concurrently")), PY_TRUE))
		op->kind = OP_ADD_INDEX_CONCURRENTLY;
	if (is_word(s, syntax_keyword(s, call, S("postgresql_not_valid")), PY_TRUE))
		op->flags |= OP_NOT_VALID;
	if (op->kind != OP_ALTER_FIELD)
		return;
	if (name != SYNTAX_NONE) {
		op->kind = OP_RENAME_FIELD;
		op->target = text_of(t, name);
	}
	if (type != SYNTAX_NONE)
		op->field.type = syntax_short(t->a, s, type);
	if (is_word(s, nullable, PY_FALSE))
		op->field.flags |= FIELD_NOT_NULL;
}

static uint32_t place_of(const Migration *m, uint32_t call, uint8_t place)
{
	/* within batch_alter_table() the table is not said again */
	if (place == 9 || (m->batch.len && !place))
		return SYNTAX_NONE;
	return syntax_argument(m->t.s, call, m->batch.len ? place - 1u : place);
}

static void alembic_operation(Migration *m, uint32_t call, Str object, size_t word)
{
	Take *t = &m->t;
	Str batch = m->batch;
	OperationFact *op = add_operation(m, call, alembic_words[word].kind,
	                                  alembic_words[word].flags | OP_ALEMBIC);
	uint32_t what;

	if (str_eq(object, S("op")))
		m->batch = S("");
	op->model =
		m->batch.len ? m->batch : text_of(t, place_of(m, call, alembic_words[word].table));
	if (!op->model.len)
		op->model = text_of(t, syntax_keyword(t->s, call, S("table_name")));
	op->field.name = text_of(t, place_of(m, call, alembic_words[word].field));
	what = place_of(m, call, alembic_words[word].what);
	if (op->kind == OP_RUN_SQL)
		op->target = sql_of(t, syntax_argument(t->s, call, 0));
	else if (op->kind == OP_ADD_FIELD)
		alembic_column(t, what, &op->field);
	else
		op->target = text_of(t, what);
	alembic_more(m, call, op);
	m->batch = batch;
}

/* --- the pass ------------------------------------------------------------------------------------------------------------------------ */

static void call(Migration *m, uint32_t node)
{
	Take *t = &m->t;
	Str last = syntax_last(t->s, node), callee = syntax_callee(t->s, node), object;

	object = str_sub(callee, 0, callee.len > last.len ? callee.len - last.len - 1 : 0);
	if (str_eq(last, S("batch_alter_table"))) {
		m->batch = text_of(t, syntax_argument(t->s, node, 0));
		return;
	}
	if (str_eq(last, S("swappable_dependency")))
		*TAKE_ADD(t->a, t->out->needs, t->out->need_count) = S("?");
	for (size_t i = 0; i < COUNT(django_words); i++)
		if (str_eq(last, str_of(django_words[i].name))) {
			django_operation(m, node, &django_words[i]);
			return;
		}
	if (!str_eq(object, S("op")) && !str_eq(object, S("batch_op")))
		return;
	for (size_t i = 0; i < COUNT(alembic_words); i++)
		if (str_eq(last, str_of(alembic_words[i].name))) {
			alembic_operation(m, node, object, i);
			return;
		}
}

/* dependencies = [("shop", "0001_initial")]: pairs of texts. */
static void needs(Take *t, uint32_t list)
{
	const Syntax *s = t->s;
	Str app, name;

	for (uint32_t i = list + 1; i < s->at[list].end; i = s->at[i].end)
		if (s->at[i].kind == PY_TUPLE &&
		    syntax_literal(t->a, s, syntax_nth(s, i, 0), &app) &&
		    syntax_literal(t->a, s, syntax_nth(s, i, 1), &name))
			*TAKE_ADD(t->a, t->out->needs, t->out->need_count) =
				str_fmt(t->a, "%.*s.%.*s", STR_ARG(app), STR_ARG(name));
}

static void revision(Take *t, Str name, uint32_t right)
{
	Str text;

	if (str_eq(name, S("revision")) && syntax_literal(t->a, t->s, right, &text)) {
		t->out->revision = text;
		t->out->migration = true;
	} else if (str_eq(name, S("down_revision"))) {
		if (syntax_literal(t->a, t->s, right, &text))
			*TAKE_ADD(t->a, t->out->needs, t->out->need_count) = text;
		for (uint32_t i = right + 1;
		     t->s->at[right].kind == PY_TUPLE && i < t->s->at[right].end;
		     i = t->s->at[i].end)
			if (syntax_literal(t->a, t->s, i, &text))
				*TAKE_ADD(t->a, t->out->needs, t->out->need_count) = text;
	}
}

static void assignment(Take *t, uint32_t node)
{
	const Syntax *s = t->s;
	uint32_t left = syntax_child(s, node, PY_F_LEFT), right = syntax_child(s, node, PY_F_RIGHT);
	Str name;

	if (left == SYNTAX_NONE || right == SYNTAX_NONE || s->at[left].kind != PY_IDENTIFIER)
		return;
	name = syntax_text(s, left);
	if (str_eq(name, S("dependencies")))
		needs(t, right);
	else if (str_eq(name, S("operations")))
		t->out->migration = true;
	else if (str_eq(name, S("atomic")))
		t->out->not_atomic = s->at[right].kind == PY_FALSE;
	else if (str_eq(name, S("initial")))
		t->out->initial = s->at[right].kind == PY_TRUE;
	else if (str_eq(name, S("replaces")))
		t->out->squashed = true;
	else
		revision(t, name, right);
}

static void function(Migration *m, uint32_t node)
{
	const Syntax *s = m->t.s;
	uint32_t name = syntax_child(s, node, PY_F_NAME), body = syntax_child(s, node, PY_F_BODY),
		 only;

	if (name == SYNTAX_NONE || body == SYNTAX_NONE ||
	    !str_eq(syntax_text(s, name), S("downgrade")))
		return;
	m->down_end = s->at[node].end;
	only = syntax_nth(s, body, 0);
	m->t.out->downgrade_empty =
		only != SYNTAX_NONE && syntax_nth(s, body, 1) == SYNTAX_NONE &&
		(s->at[only].kind == PY_PASS_STATEMENT || s->at[only].kind == PY_RAISE_STATEMENT);
}

static void row(Migration *m, uint32_t i)
{
	const Syntax *s = m->t.s;

	switch (s->at[i].kind) {
	case PY_CALL:
		call(m, i);
		break;
	case PY_ASSIGNMENT:
		assignment(&m->t, i);
		break;
	case PY_FUNCTION_DEFINITION:
		function(m, i);
		break;
	case PY_KEYWORD_ARGUMENT:
		if (str_eq(syntax_text(s, i + 1), S("state_operations")))
			m->state_end = s->at[i].end;
		break;
	case PY_WITH_STATEMENT:
		for (uint32_t k = i + 1; k < s->at[i].end && s->at[k].field != PY_F_BODY; k++)
			if (s->at[k].kind == PY_CALL &&
			    str_eq(syntax_last(s, k), S("autocommit_block")))
				m->autocommit_end = s->at[i].end;
		break;
	default:
		break;
	}
}

void take_migration(Arena *a, const Syntax *s, const AuditFile *file, FileModels *out)
{
	Migration m = { .t = { .a = a, .s = s, .file = file, .out = out, .unit = UNIT_NONE } };

	for (uint32_t i = 1; i < s->count; i++) {
		if (s->at[i].kind == PY_IMPORT_STATEMENT ||
		    s->at[i].kind == PY_IMPORT_FROM_STATEMENT)
			take_import_row(&m.t, i);
		else
			row(&m, i);
	}
}

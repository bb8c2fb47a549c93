/* SPDX-License-Identifier: Apache-2.0
 *
 * What migrations do to a database that is in use. An application's migrations are gone through in the order of their names, so that it is known
 * what a column was before it is altered. A table that the same migration makes is empty, and an initial migration meets an empty database:
 * neither locks anybody out. What an operation of Django's or Alembic's does is PostgreSQL's way of doing it. */
#include "audit/models_conf.h"
#include "audit/models_join.h"
#include "audit/models_rules.h"

#include "base/arena.h"

typedef struct Migrating {
	Join *j;
	Map fields;  /* "label.model.field": what it is now, a FieldFact */
	Map created; /* "file table" of this migration */
	Map needed;  /* "label.name" that another one needs */
	Map leaves;  /* label: file and 1 of the first leaf */
	uint32_t file;
	const FileModels *f;
	Str label;
	bool schema, data;
	bool past;  /* it was there at the revision that is asked for */
	bool dated; /* one was asked for */
	uint32_t data_line;
} Migrating;

static void report(Migrating *g, ModelRule rule, const OperationFact *op, Str text)
{
	const AuditFile *file = &g->j->project->files[g->file];
	Finding finding = { .rule = model_rule(rule),
		            .path = file->path,
		            .line = op->line,
		            .end_line = op->end_line,
		            .text = text,
		            .amount = g->dated };

	if (g->past)
		return;
	finding.print = finding_print(finding.rule, file->path, op->model, text);
	finding_add(g->j->a, &g->j->audit->findings, &finding);
}

#define SAY(...) str_fmt(g->j->a, __VA_ARGS__)

static Str table_of(const Migrating *g, const OperationFact *op)
{
	return op->flags & OP_ALEMBIC
	               ? op->model
	               : str_fmt(g->j->a, "%.*s.%.*s", STR_ARG(g->label), STR_ARG(op->model));
}

static Str column_of(const Migrating *g, const OperationFact *op)
{
	return str_fmt(g->j->a, "%.*s.%.*s", STR_ARG(table_of(g, op)), STR_ARG(op->field.name));
}

/* --- one operation ------------------------------------------------------------------------------------------------------------------ */

static bool is_key(const FieldFact *field)
{
	Str last = name_last(field->type);

	return (str_ends(last, S("ForeignKey")) || str_ends(last, S("OneToOneField")) ||
	        (str_eq(last, S("Column")) && field->to.len)) &&
	       !(field->flags & FIELD_UNCHECKED);
}

static bool is_many(const FieldFact *field)
{
	return str_ends(name_last(field->type), S("ManyToManyField"));
}

static void add_field(Migrating *g, const OperationFact *op)
{
	const FieldFact *f = &op->field;
	Str column = column_of(g, op);
	bool nullable =
		f->flags & FIELD_NULL || (op->flags & OP_ALEMBIC && !(f->flags & FIELD_NOT_NULL));

	if (is_many(f) || !f->type.len || str_eq(name_last(f->type), S("GenericForeignKey")))
		return;
	if (op->flags & OP_ALEMBIC)
		column = SAY("%.*s.%.*s", STR_ARG(op->model), STR_ARG(f->name));
	if (!nullable && !(f->flags & (FIELD_SERVER_DEFAULT | FIELD_PRIMARY)))
		report(g, RULE_ADD_NOT_NULL, op,
		       op->flags & OP_ALEMBIC
		               ? SAY("%.*s is added NOT NULL without a server_default",
		                     STR_ARG(column))
		               : SAY("%.*s is added NOT NULL; its default is Django's alone",
		                     STR_ARG(column)));
	if (is_key(f))
		report(g, RULE_KEY, op,
		       SAY("%.*s refers to %.*s and is checked at once", STR_ARG(column),
		           STR_ARG(f->to)));
	else if (f->flags & (FIELD_UNIQUE | FIELD_INDEX) && !(op->flags & OP_ALEMBIC))
		report(g, RULE_INDEX, op, SAY("%.*s comes with an index", STR_ARG(column)));
}

static bool same_kind_of_text(Str before, Str after)
{
	static const char *const texts[] = { "CharField",  "TextField",    "SlugField",
		                             "URLField",   "EmailField",   "FileField",
		                             "ImageField", "FilePathField" };
	bool one = false, other = false;

	for (size_t i = 0; i < COUNT(texts); i++) {
		one |= str_eq(before, str_of(texts[i]));
		other |= str_eq(after, str_of(texts[i]));
	}
	return one && other;
}

/* Longer texts are free, shorter ones are not; other types are another type. */
static bool rewrites(const FieldFact *before, const FieldFact *after)
{
	Str was = name_last(before->type), is = name_last(after->type);
	uint64_t from, to;

	if (str_eq(was, is) && !before->length.len && !after->length.len)
		return false;
	if ((str_ends(was, S("ForeignKey")) && str_ends(is, S("OneToOneField"))) ||
	    (str_ends(is, S("ForeignKey")) && str_ends(was, S("OneToOneField"))))
		return false;
	if (!str_eq(was, is) && !same_kind_of_text(was, is))
		return true;
	if (before->scale != after->scale) /* a numeric's: every row is written anew */
		return true;
	if (str_eq(is, S("TextField")) || str_eq(before->length, after->length))
		return false;
	return !str_to_u64(before->length, &from) || !str_to_u64(after->length, &to) || to < from;
}

/* "CharField(20)", "DecimalField(9, 2)" */
static Str type_text(Arena *a, const FieldFact *f)
{
	return f->scale ? str_fmt(a, "%.*s(%.*s, %u)", STR_ARG(name_last(f->type)),
	                          STR_ARG(f->length), f->scale)
	                : str_fmt(a, "%.*s(%.*s)", STR_ARG(name_last(f->type)), STR_ARG(f->length));
}

static void alter_field(Migrating *g, const OperationFact *op, const FieldFact *before)
{
	const FieldFact *f = &op->field;
	Str column = column_of(g, op);

	if (op->flags & OP_ALEMBIC) {
		if (f->type.len)
			report(g, RULE_TYPE, op,
			       SAY("%.*s becomes %.*s", STR_ARG(column), STR_ARG(f->type)));
		if (f->flags & FIELD_NOT_NULL)
			report(g, RULE_SET_NOT_NULL, op,
			       SAY("%.*s becomes NOT NULL", STR_ARG(column)));
		return;
	}
	if (!before || !before->type.len)
		return;
	if (rewrites(before, f))
		report(g, RULE_TYPE, op,
		       SAY("%.*s was %.*s and becomes %.*s", STR_ARG(column),
		           STR_ARG(type_text(g->j->a, before)), STR_ARG(type_text(g->j->a, f))));
	if (before->flags & FIELD_NULL && !(f->flags & FIELD_NULL))
		report(g, RULE_SET_NOT_NULL, op, SAY("%.*s becomes NOT NULL", STR_ARG(column)));
	if (f->flags & (FIELD_UNIQUE | FIELD_INDEX) &&
	    !(before->flags & (FIELD_UNIQUE | FIELD_INDEX)) && !is_key(f))
		report(g, RULE_INDEX, op, SAY("%.*s gets an index", STR_ARG(column)));
}

static void run_sql(Migrating *g, const OperationFact *op)
{
	SqlTables sql;

	sql_tables(op->target, true, &sql);
	g->data |= sql.data;
	if (sql.data && !g->data_line)
		g->data_line = op->line;
	g->schema |= sql.schema;
	if (sql.concurrently && !g->f->not_atomic && !(op->flags & OP_IF_ATOMIC_NO))
		report(g, RULE_ATOMIC, op,
		       S("CREATE INDEX CONCURRENTLY in a migration that is one transaction"));
	if ((sql.alters && !sql.not_valid) || sql.index_plain)
		report(g, RULE_SQL, op,
		       SAY("%s of %.*s",
		           sql.index_plain ? "CREATE INDEX without CONCURRENTLY" : "ALTER TABLE",
		           STR_ARG(sql.count ? sql.at[0].name : S("a table"))));
	if (!(op->flags & (OP_REVERSIBLE | OP_ALEMBIC)) && sql.is_sql)
		report(g, RULE_NO_REVERSE, op, S("RunSQL without reverse_sql"));
}

static void run_python(Migrating *g, const OperationFact *op)
{
	g->data = true;
	if (!g->data_line)
		g->data_line = op->line;
	if (!(op->flags & OP_REVERSIBLE))
		report(g, RULE_NO_REVERSE, op,
		       SAY("RunPython(%.*s) without reverse_code", STR_ARG(op->target)));
}

static void constraint(Migrating *g, const OperationFact *op)
{
	Str table = table_of(g, op);

	if (op->flags & OP_NOT_VALID)
		return;
	if (op->flags & OP_ALEMBIC && !(op->flags & (OP_CHECK | OP_UNIQUE)))
		report(g, RULE_KEY, op,
		       SAY("%.*s gets a foreign key that is checked at once", STR_ARG(table)));
	else
		report(g, RULE_CONSTRAINT, op,
		       SAY("%.*s gets a %s constraint that is checked at once", STR_ARG(table),
		           op->flags & OP_CHECK ? "CHECK" : "UNIQUE"));
}

static void judge(Migrating *g, const OperationFact *op, const FieldFact *before)
{
	Str table = table_of(g, op);

	switch (op->kind) {
	case OP_ADD_FIELD:
		add_field(g, op);
		break;
	case OP_ALTER_FIELD:
		alter_field(g, op, before);
		break;
	case OP_RENAME_FIELD:
		report(g, RULE_RENAME, op,
		       SAY("%.*s becomes %.*s", STR_ARG(column_of(g, op)), STR_ARG(op->target)));
		break;
	case OP_RENAME_MODEL:
	case OP_RENAME_TABLE:
		report(g, RULE_RENAME, op,
		       SAY("%.*s becomes %.*s", STR_ARG(table), STR_ARG(op->target)));
		break;
	case OP_DELETE_MODEL:
		report(g, RULE_DROP, op, SAY("%.*s is dropped", STR_ARG(table)));
		break;
	case OP_REMOVE_FIELD:
		report(g, RULE_DROP, op, SAY("%.*s is dropped", STR_ARG(column_of(g, op))));
		break;
	case OP_ADD_INDEX:
		report(g, RULE_INDEX, op,
		       SAY("%.*s gets an index, not concurrently", STR_ARG(table)));
		break;
	case OP_TOGETHER:
		report(g, RULE_INDEX, op,
		       SAY("%.*s gets an index of several columns", STR_ARG(table)));
		break;
	case OP_ADD_CONSTRAINT:
		constraint(g, op);
		break;
	default:
		break;
	}
}

/* --- one migration -------------------------------------------------------------------------------------------------------------------- */

static Str field_key(const Migrating *g, Str model, Str field)
{
	return str_fmt(g->j->a, "%.*s.%.*s.%.*s", STR_ARG(g->label), STR_ARG(model),
	               STR_ARG(field));
}

static Str created_key(const Migrating *g, Str table)
{
	return str_fmt(g->j->a, "%u %.*s", g->file, STR_ARG(table));
}

/* Goes on from what was before this operation to what is after it. */
static void replay(Migrating *g, OperationFact *op)
{
	if (op->flags & OP_ALEMBIC)
		return;
	for (uint32_t i = 0; i < op->column_count; i++)
		map_put(&g->fields, field_key(g, op->model, op->columns[i].name), &op->columns[i]);
	if (op->kind == OP_ADD_FIELD || op->kind == OP_ALTER_FIELD) {
		Str key = field_key(g, op->model, op->field.name);

		map_remove(&g->fields, key);
		map_put(&g->fields, key, &op->field);
	} else if (op->kind == OP_RENAME_FIELD) {
		FieldFact *field = map_remove(&g->fields, field_key(g, op->model, op->field.name));

		if (field)
			map_put(&g->fields, field_key(g, op->model, op->target), field);
	}
}

static bool makes_schema(uint8_t kind)
{
	return kind != OP_OTHER && kind != OP_RUN_PYTHON && kind != OP_RUN_SQL &&
	       kind != OP_VALIDATE;
}

static void operation(Migrating *g, OperationFact *op)
{
	Str key = created_key(g, op->model);
	bool fresh = g->f->initial || map_get(&g->created, key);

	if (op->flags & OP_DOWN)
		return;
	if (op->kind == OP_CREATE_MODEL)
		map_put(&g->created, key, g);
	if (op->flags & OP_STATE_ONLY) {
		replay(g, op);
		return;
	}
	g->schema |= makes_schema(op->kind) && !fresh && op->kind != OP_CREATE_MODEL;
	if (op->kind == OP_RUN_SQL)
		run_sql(g, op);
	else if (op->kind == OP_RUN_PYTHON)
		run_python(g, op);
	else if (op->kind == OP_ADD_INDEX_CONCURRENTLY && !g->f->not_atomic &&
	         !(op->flags & OP_IF_ATOMIC_NO))
		report(g, RULE_ATOMIC, op,
		       SAY("%.*s in a migration that is one transaction",
		           STR_ARG(table_of(g, op))));
	else if (!fresh)
		judge(g, op,
		      op->flags & OP_ALEMBIC
		              ? NULL
		              : map_get(&g->fields, field_key(g, op->model, op->field.name)));
	replay(g, op);
}

static void imports(Migrating *g)
{
	for (uint32_t i = 0; i < g->f->import_count; i++) {
		const ImportFact *import = &g->f->imports[i];
		OperationFact at = { .line = import->line, .end_line = import->line };
		Str rest;

		if (import->star || join_model(g->j, g->file, import->local, &rest) == MODEL_NONE)
			continue;
		report(g, RULE_REAL_MODEL, &at, SAY("%.*s is imported", STR_ARG(import->target)));
	}
}

static Str stem(Str path)
{
	ptrdiff_t slash = str_rfind_char(path, '/');

	return str_sub(path, (size_t)(slash + 1), path.len - 3);
}

static void leaf(Migrating *g)
{
	const AuditFile *file = &g->j->project->files[g->file];
	Str name = g->f->revision.len ? g->f->revision
	                              : str_fmt(g->j->a, "%.*s.%.*s", STR_ARG(g->label),
	                                        STR_ARG(stem(file->path)));
	Str place = g->f->revision.len
	                    ? str_sub(file->path, 0, file->path.len - stem(file->path).len - 3)
	                    : g->label;
	OperationFact at = { .line = 1, .end_line = 1 };
	void *other;

	if (g->f->squashed || map_get(&g->needed, name))
		return;
	other = map_get(&g->leaves, place);
	if (!other) {
		map_put(&g->leaves, place, (void *)(uintptr_t)(g->file + 1));
		return;
	}
	report(g, RULE_LEAVES, &at,
	       SAY("%.*s and %.*s are both the last",
	           STR_ARG(stem(g->j->project->files[(uintptr_t)other - 1].path)),
	           STR_ARG(stem(file->path))));
}

static void migration(Migrating *g, uint32_t file, const Since *since)
{
	OperationFact at = { 0 };

	g->file = file;
	g->f = names_facts(g->j->project, file);
	g->label = g->j->label_of[file];
	g->schema = g->data = false;
	g->dated = since != NULL;
	g->past = since && since_had(since, g->j->a, g->j->project->files[file].path);
	g->data_line = 0;
	g->j->m->migrations += !g->past;
	imports(g);
	for (uint32_t i = 0; i < g->f->operation_count; i++)
		operation(g, &g->f->operations[i]);
	if (g->schema && g->data && !g->f->not_atomic) {
		at.line = at.end_line = g->data_line;
		report(g, RULE_MIXED, &at,
		       S("data is changed in the transaction that changes the schema"));
	}
	if (g->f->downgrade_empty && g->schema) {
		at.line = at.end_line = 1;
		report(g, RULE_NO_REVERSE, &at, S("downgrade() does nothing"));
	}
	leaf(g);
}

static void migrating_finip(Migrating *g)
{
	map_fini(&g->fields);
	map_fini(&g->created);
	map_fini(&g->needed);
	map_fini(&g->leaves);
}

Err *join_migrations(Join *j)
{
	AUTO(migrating_finip) Migrating g = { .j = j };
	Since *since;

	TRY(since_open(j->a, j->rules, &since, &j->m->migrations_why_not));
	for (uint32_t i = 0; i < j->project->count; i++) {
		const FileModels *f = names_facts(j->project, i);

		for (uint32_t k = 0; f && f->migration && k < f->need_count; k++)
			map_put(&g.needed, f->needs[k], j);
	}
	for (uint32_t i = 0; i < j->project->count; i++)
		if (names_facts(j->project, i) && names_facts(j->project, i)->migration)
			migration(&g, i, since);
	return NULL;
}

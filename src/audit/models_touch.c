/* SPDX-License-Identifier: Apache-2.0
 *
 * Who reads and writes which table. Every query of the team's own code is followed from its model along the names after it; one whose model is
 * not known is counted and not guessed. A name like `order.lines` of an object whose class is not seen counts only when one relation alone in
 * the whole project is called so. Paths of names in queries are joins; where they leave the package of the model they begin at, a service that
 * has only one of the two could not make them. */
#include "audit/models_join.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

typedef struct Touching {
	Join *j;
	uint32_t *unit_base; /* by file: the number of its first unit, over all files */
	PairMap cells;
} Touching;

/* --- adding ------------------------------------------------------------------------------------------------------------------------ */

static void count_does(uint32_t does, uint32_t *reads, uint32_t *writes, uint32_t *locks)
{
	*reads += (does & DOES_READ) != 0 && !(does & DOES_WRITE);
	*writes += (does & (DOES_WRITE | DOES_DEFINE)) != 0;
	*locks += (does & DOES_LOCK) != 0;
}

static void add_cell(Touching *t, uint32_t table, uint32_t package, uint32_t does, TouchVia via)
{
	Models *m = t->j->m;
	uint32_t cell = pair_get(&t->cells, table, package);

	if (cell == MODEL_NONE) {
		cell = m->cell_count;
		*TAKE_ADD(t->j->a, m->cells, m->cell_count) =
			(TableCell){ .table = table, .package = package };
		pair_put(t->j->a, &t->cells, table, package, cell);
	}
	count_does(does, &m->cells[cell].reads, &m->cells[cell].writes, &m->cells[cell].locks);
	m->cells[cell].joins += via == TOUCH_JOIN;
}

static void add_touch(Touching *t, uint32_t table, uint32_t file, const UseFact *use, TouchVia via)
{
	Join *j = t->j;
	Models *m = j->m;
	uint32_t unit = t->unit_base[file] + (use->unit == UNIT_NONE ? 0 : use->unit + 1);
	uint32_t touch = pair_get(&j->touch_at, table, unit), package = m->package_of[file];

	if (touch == MODEL_NONE) {
		touch = m->touch_count;
		*TAKE_ADD(j->a, m->touches, m->touch_count) = (Touch){
			.table = table, .package = package, .place = { file, use->line, use->unit }
		};
		pair_put(j->a, &j->touch_at, table, unit, touch);
	}
	count_does(use->does, &m->touches[touch].reads, &m->touches[touch].writes,
	           &m->touches[touch].locks);
	m->touches[touch].vias |= 1U << via;
	if (!m->touches[touch].write_line && use->does & DOES_WRITE && via != TOUCH_FORM)
		m->touches[touch].write_line = use->line;
	add_cell(t, table, package, use->does, via);
}

/* --- following ---------------------------------------------------------------------------------------------------------------------- */

static bool is_lookup(Str name)
{
	static const char *const lookups[] = { "exact",  "iexact",     "contains", "icontains",
		                               "in",     "gt",         "gte",      "lt",
		                               "lte",    "startswith", "endswith", "range",
		                               "isnull", "regex",      "id",       "pk",
		                               "date",   "year" };

	for (size_t i = 0; i < COUNT(lookups); i++)
		if (str_eq(name, str_of(lookups[i])))
			return true;
	return false;
}

/* "a__b__c" along relations: every table on the way is read, if something of it is asked for. */
static void follow_path(Touching *t, uint32_t model, uint32_t file, const UseFact *use)
{
	Join *j = t->j;
	Models *m = j->m;
	uint32_t start = model, to;
	Str rest = use->path;

	while (rest.len) {
		ptrdiff_t at = str_find(rest, S("__"));
		Str name = str_sub(rest, 0, at < 0 ? rest.len : (size_t)at);
		Str more = at < 0 ? S("") : str_sub(rest, (size_t)at + 2, rest.len);
		ptrdiff_t next = str_find(more, S("__"));

		if (join_step(j, model, name, &to) == MODEL_NONE || !more.len ||
		    is_lookup(str_sub(more, 0, next < 0 ? more.len : (size_t)next)))
			return;
		if (m->models[to].table != MODEL_NONE)
			add_touch(t, m->models[to].table, file, use, TOUCH_JOIN);
		if (m->models[to].package != m->models[model].package &&
		    m->models[start].table != MODEL_NONE && m->models[to].table != MODEL_NONE)
			*TAKE_ADD(j->a, m->joins, m->join_count) =
				(CrossJoin){ .place = { file, use->line, use->unit },
				             .from = m->models[start].table,
				             .to = m->models[to].table,
				             .path = str_ends(use->path, S("__*"))
				                             ? str_sub(use->path, 0,
				                                       use->path.len - 3)
				                             : use->path };
		model = to;
		rest = more;
	}
}

/* From a model along the attributes after it: Order.objects, order.lines. */
static uint32_t along(const Join *j, uint32_t model, Str rest)
{
	while (model != MODEL_NONE && rest.len) {
		Str name = name_first(rest);
		uint32_t to;

		if (join_step(j, model, name, &to) == MODEL_NONE)
			return model;
		model = to;
		rest = str_sub(rest, name.len + 1, rest.len);
	}
	return model;
}

static uint32_t model_used(Join *j, uint32_t file, const UseFact *use)
{
	Str rest;
	uint32_t model;
	const void *related;

	switch ((UseOf)use->of) {
	case USE_MODEL:
		model = join_model(j, file, use->on, &rest);
		return along(j, model, rest);
	case USE_SELF:
		return along(j, join_model_of_unit(j, file, use->unit), use->path);
	case USE_RELATED:
		related = map_get(&j->related, use->path);
		j->m->unknown_queries += related == j; /* one of several relations of that name */
		return !related || related == j ? MODEL_NONE
		                                : j->m->relations[(uintptr_t)related - 1].from;
	case USE_TABLE:
	case USE_CALL:
		break;
	}
	return MODEL_NONE;
}

/* Models of Django's own that are not among what was read have their tables all the same. */
static uint32_t outside_table(Join *j, uint32_t file, const UseFact *use)
{
	static const struct {
		const char *model, *table;
	} known[] = {
		{ "django.contrib.auth.models.User", "auth_user" },
		{ "django.contrib.auth.models.Group", "auth_group" },
		{ "django.contrib.auth.models.Permission", "auth_permission" },
		{ "django.contrib.contenttypes.models.ContentType", "django_content_type" },
		{ "django.contrib.sessions.models.Session", "django_session" },
		{ "django.contrib.sites.models.Site", "django_site" },
		{ "django.contrib.admin.models.LogEntry", "django_admin_log" },
	};
	Found found;

	if (use->of != USE_MODEL || use->via == TOUCH_JOIN)
		return MODEL_NONE;
	if (str_starts(use->on, S("settings.AUTH_USER_MODEL")) &&
	    str_eq(j->user_model, S("auth.User")))
		return join_table(j, S("auth_user"));
	found = names_find(j->names, file, use->on);
	for (size_t i = 0; i < COUNT(known) && found.outside.len; i++) {
		Str model = str_of(known[i].model);

		if (str_starts(found.outside, model) &&
		    (found.outside.len == model.len || found.outside.at[model.len] == '.'))
			return join_table(j, str_of(known[i].table));
	}
	if (use->via == TOUCH_QUERY && str_find(use->on, S(".objects")) > 0)
		j->m->unknown_queries++;
	return MODEL_NONE;
}

uint32_t join_use(Join *j, uint32_t file, const UseFact *use)
{
	uint32_t model;

	if (use->of == USE_CALL || use->via == TOUCH_JOIN)
		return MODEL_NONE;
	if (use->of == USE_TABLE)
		return str_starts(use->on, S("pg_")) || str_starts(use->on, S("sqlite_")) ||
		                       str_eq_nocase(use->on, S("information_schema"))
		               ? MODEL_NONE
		               : join_table(j, use->on);
	model = model_used(j, file, use);
	return model == MODEL_NONE ? outside_table(j, file, use) : j->m->models[model].table;
}

static void use(Touching *t, uint32_t file, const UseFact *use)
{
	uint32_t model, table;

	if (use->via == TOUCH_JOIN && use->of != USE_CALL) {
		model = model_used(t->j, file, use);
		if (model != MODEL_NONE)
			follow_path(t, model, file, use);
		return;
	}
	table = join_use(t->j, file, use);
	if (table != MODEL_NONE)
		add_touch(t, table, file, use, use->via);
}

/* --- all files -------------------------------------------------------------------------------------------------------------------------- */

static void file_touches(Touching *t, uint32_t file)
{
	Join *j = t->j;
	const FileModels *f = names_facts(j->project, file);

	for (uint32_t i = 0; i < f->use_count; i++)
		use(t, file, &f->uses[i]);
	for (uint32_t i = 0; i < f->name_count; i++)
		j->m->unknown_sql += f->names[i].kind == NAME_COMPUTED_SQL;
}

/* --- the matrix -------------------------------------------------------------------------------------------------------------------------- */

static int by_table(const void *x, const void *y)
{
	const TableCell *p = x, *q = y;

	return p->table != q->table ? (p->table > q->table) - (p->table < q->table)
	                            : (p->package > q->package) - (p->package < q->package);
}

static int touch_by_table(const void *x, const void *y)
{
	const Touch *p = x, *q = y;

	if (p->table != q->table)
		return (p->table > q->table) - (p->table < q->table);
	if (p->place.file != q->place.file)
		return (p->place.file > q->place.file) - (p->place.file < q->place.file);
	return (p->place.line > q->place.line) - (p->place.line < q->place.line);
}

static void add_up(Models *m)
{
	for (uint32_t i = 0; i < m->cell_count; i++) {
		Table *table = &m->tables[m->cells[i].table];

		table->packages++;
		table->reads += m->cells[i].reads;
		table->writes += m->cells[i].writes;
		table->locks += m->cells[i].locks;
	}
	if (m->cell_count)
		qsort(m->cells, m->cell_count, sizeof(*m->cells), by_table);
	if (m->touch_count)
		qsort(m->touches, m->touch_count, sizeof(*m->touches), touch_by_table);
}

void join_touches(Join *j)
{
	Touching t = { .j = j };
	uint32_t units = 0;

	t.unit_base = ARENA_ARRAY(j->a, uint32_t, j->project->count + 1);
	for (uint32_t i = 0; i < j->project->count; i++) {
		t.unit_base[i] = units;
		units += j->project->files[i].measures.unit_count + 1;
	}
	for (uint32_t i = 0; i < j->project->count; i++)
		if (names_facts(j->project, i) && join_counts(j, i))
			file_touches(&t, i);
	add_up(j->m);
}

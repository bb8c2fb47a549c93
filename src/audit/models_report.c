/* SPDX-License-Identifier: Apache-2.0
 *
 * Models, tables, routes and tasks on a screen (a few lines) and as JSON (all of it, but for lists that can be as long as the code). */
#include "audit/models_join.h"

#include "base/arena.h"

#include <stdlib.h>

enum { SHOWN = 4, ROWS_MOST = 5000 };

static const char *const kind_names[] = {
	[MODEL_DJANGO] = "django", [MODEL_SQLALCHEMY] = "sqlalchemy", [MODEL_TABLE] = "table"
};
_Static_assert(COUNT(kind_names) == MODEL_KINDS, "a kind has no name");
static const char *const relation_names[] = { [RELATION_KEY] = "key",
	                                      [RELATION_ONE] = "one",
	                                      [RELATION_MANY] = "many",
	                                      [RELATION_GENERIC] = "generic" };
_Static_assert(COUNT(relation_names) == RELATION_KINDS, "a kind has no name");
static const char *const via_names[] = { [TOUCH_QUERY] = "query",
	                                 [TOUCH_INSTANCE] = "instance",
	                                 [TOUCH_JOIN] = "join",
	                                 [TOUCH_SQL] = "sql",
	                                 [TOUCH_FORM] = "form" };
_Static_assert(COUNT(via_names) == TOUCH_VIAS, "a way has no name");
static const char *const framework_names[] = { [APP_DJANGO] = "django",
	                                       [APP_DRF] = "django-rest-framework",
	                                       [APP_FLASK] = "flask",
	                                       [APP_FASTAPI] = "fastapi",
	                                       [APP_AIOHTTP] = "aiohttp" };
_Static_assert(COUNT(framework_names) == APP_FRAMEWORKS, "a framework has no name");
static const char *const task_names[] = { [TASK_CELERY] = "celery",
	                                  [TASK_RQ] = "rq",
	                                  [TASK_HUEY] = "huey",
	                                  [TASK_DRAMATIQ] = "dramatiq",
	                                  [TASK_COMMAND] = "command" };
_Static_assert(COUNT(task_names) == TASK_KINDS, "a kind has no name");

/* --- the screen ------------------------------------------------------------------------------------------------------------------------ */

/* Packages that write a table, and that only read it. */
typedef struct Shared {
	uint32_t table, writers, readers;
} Shared;

static int most_shared(const void *x, const void *y)
{
	const Shared *p = x, *q = y;

	if (p->writers != q->writers)
		return p->writers < q->writers ? 1 : -1;
	if (p->readers != q->readers)
		return p->readers < q->readers ? 1 : -1;
	return (p->table > q->table) - (p->table < q->table);
}

static void put_tables(FILE *out, const Models *m)
{
	Shared *shared = calloc(m->table_count + 1, sizeof(*shared));
	uint32_t several = 0, crossing = 0;

	if (!shared)
		abort();
	for (uint32_t i = 0; i < m->table_count; i++)
		shared[i].table = i;
	for (uint32_t i = 0; i < m->cell_count; i++) {
		shared[m->cells[i].table].writers += m->cells[i].writes != 0;
		shared[m->cells[i].table].readers += m->cells[i].writes == 0;
	}
	for (uint32_t i = 0; i < m->table_count; i++)
		several += shared[i].writers > 1;
	for (uint32_t i = 0; i < m->relation_count; i++)
		crossing += m->relations[i].crosses && !m->relations[i].backs;
	fprintf(out,
	        "\nTables: %u of %u models; %u written by several packages, %u relations to another package's, %u transactions across\n",
	        m->table_count, m->model_count, several, crossing, m->transaction_count);
	qsort(shared, m->table_count, sizeof(*shared), most_shared);
	for (uint32_t i = 0; i < MIN(m->table_count, (uint32_t)SHOWN) && shared[i].writers > 1;
	     i++) {
		const Table *t = &m->tables[shared[i].table];

		fprintf(out, "  %-28.*s of %-20.*s %u packages write it, %u more read it\n",
		        STR_ARG(t->name),
		        STR_ARG(t->package < m->package_count ? m->packages[t->package]
		                                              : S("a library")),
		        shared[i].writers, shared[i].readers);
	}
	free(shared);
}

void models_screen(FILE *out, const Models *m, const Audit *audit)
{
	uint32_t missing = 0;

	(void)audit;
	if (!m)
		return;
	if (m->table_count)
		put_tables(out, m);
	for (uint32_t i = 0; i < m->template_count; i++)
		missing += !m->templates[i].path.len;
	if (m->route_count || m->task_count || m->signal_count)
		fprintf(out,
		        "Routes: %u; tasks and commands: %u; receivers of signals: %u; templates: %u (%u not found); settings: %u\n",
		        m->route_count, m->task_count, m->signal_count, m->template_count, missing,
		        m->setting_count);
	if (m->migrations_why_not.len)
		fprintf(out, "All migrations were judged: %.*s\n", STR_ARG(m->migrations_why_not));
	if (m->unknown_queries || m->unknown_sql || m->unknown_routes)
		fprintf(out,
		        "Not followed: %u queries of unknown models, %u pieces of SQL and %u routes put together while running\n",
		        m->unknown_queries, m->unknown_sql, m->unknown_routes);
}

/* --- JSON ------------------------------------------------------------------------------------------------------------------------------ */

static void put_index(JsonWriter *w, const char *key, uint32_t index)
{
	if (index != MODEL_NONE) {
		json_put_u64(w, key, index);
		return;
	}
	json_key(w, str_of(key));
	json_add_null(w);
}

static void put_place(JsonWriter *w, const Audit *audit, ModelPlace place)
{
	AUTO(arena_freep) Arena *a = arena_new(0);

	if (place.file == MODEL_NONE)
		return;
	json_put_str(w, "path", audit->project.files[place.file].path);
	json_put_u64(w, "line", place.line);
	if (place.unit != UNIT_NONE)
		json_put_str(w, "unit",
		             join_unit_name(a, &audit->project.files[place.file], place.unit));
}

static void begin_list(JsonWriter *w, const char *key)
{
	json_key(w, str_of(key));
	json_begin_array(w);
}

static void put_models(JsonWriter *w, const Models *m, const Audit *audit)
{
	begin_list(w, "models");
	for (uint32_t i = 0; i < m->model_count; i++) {
		const Model *model = &m->models[i];

		json_begin_object(w);
		json_put_str(w, "name", model->name);
		json_put_str(w, "kind", str_of(kind_names[model->kind]));
		if (model->app.len)
			json_put_str(w, "app", model->app);
		json_put_str(w, "module", model->module);
		json_put_str(w, "path", audit->project.files[model->place.file].path);
		json_put_u64(w, "line", model->place.line);
		json_put_u64(w, "package", model->package);
		put_index(w, "table", model->table);
		json_put_u64(w, "columns", model->columns);
		json_put_bool(w, "abstract", model->abstract);
		json_put_bool(w, "proxy", model->proxy);
		json_put_bool(w, "managed", !model->unmanaged);
		json_put_bool(w, "partial", model->partial);
		json_end(w);
	}
	json_end(w);
}

static void put_relations(JsonWriter *w, const Models *m, const Audit *audit)
{
	begin_list(w, "relations");
	for (uint32_t i = 0; i < m->relation_count; i++) {
		const Relation *r = &m->relations[i];

		json_begin_object(w);
		json_put_str(w, "kind", str_of(relation_names[r->kind]));
		json_put_u64(w, "from", r->from);
		put_index(w, "to", r->to);
		json_put_str(w, "to_text", r->to_text);
		json_put_str(w, "field", r->field);
		if (r->on_delete.len)
			json_put_str(w, "on_delete", r->on_delete);
		if (r->related_name.len)
			json_put_str(w, "related_name", r->related_name);
		if (r->through != MODEL_NONE)
			json_put_u64(w, "through", r->through);
		json_put_bool(w, "null", r->null);
		json_put_bool(w, "crosses", r->crosses);
		put_place(w, audit, r->place);
		json_end(w);
	}
	json_end(w);
}

static void put_matrix(JsonWriter *w, const Models *m)
{
	begin_list(w, "tables");
	for (uint32_t i = 0; i < m->table_count; i++) {
		json_begin_object(w);
		json_put_str(w, "name", m->tables[i].name);
		put_index(w, "model", m->tables[i].model);
		put_index(w, "package", m->tables[i].package);
		json_put_u64(w, "packages", m->tables[i].packages);
		json_put_u64(w, "reads", m->tables[i].reads);
		json_put_u64(w, "writes", m->tables[i].writes);
		json_put_u64(w, "locks", m->tables[i].locks);
		json_end(w);
	}
	json_end(w);
	begin_list(w, "cells");
	for (uint32_t i = 0; i < m->cell_count; i++) {
		json_begin_object(w);
		json_put_u64(w, "table", m->cells[i].table);
		json_put_u64(w, "package", m->cells[i].package);
		json_put_u64(w, "reads", m->cells[i].reads);
		json_put_u64(w, "writes", m->cells[i].writes);
		json_put_u64(w, "locks", m->cells[i].locks);
		json_put_u64(w, "joins", m->cells[i].joins);
		json_end(w);
	}
	json_end(w);
}

static void put_touches(JsonWriter *w, const Models *m, const Audit *audit)
{
	begin_list(w, "touches");
	for (uint32_t i = 0; i < MIN(m->touch_count, (uint32_t)ROWS_MOST); i++) {
		const Touch *t = &m->touches[i];

		json_begin_object(w);
		json_put_u64(w, "table", t->table);
		json_put_u64(w, "package", t->package);
		put_place(w, audit, t->place);
		json_put_u64(w, "reads", t->reads);
		json_put_u64(w, "writes", t->writes);
		json_put_u64(w, "locks", t->locks);
		begin_list(w, "via");
		for (uint32_t v = 0; v < TOUCH_VIAS; v++)
			if (t->vias & 1U << v)
				json_add_str(w, str_of(via_names[v]));
		json_end(w);
		json_end(w);
	}
	json_end(w);
}

static void put_crossings(JsonWriter *w, const Models *m, const Audit *audit)
{
	begin_list(w, "joins");
	for (uint32_t i = 0; i < MIN(m->join_count, (uint32_t)ROWS_MOST); i++) {
		json_begin_object(w);
		put_place(w, audit, m->joins[i].place);
		json_put_u64(w, "from", m->joins[i].from);
		json_put_u64(w, "to", m->joins[i].to);
		json_put_str(w, "names", m->joins[i].path);
		json_end(w);
	}
	json_end(w);
	begin_list(w, "transactions");
	for (uint32_t i = 0; i < m->transaction_count; i++) {
		const CrossTransaction *t = &m->transactions[i];

		json_begin_object(w);
		put_place(w, audit, t->place);
		json_put_u64(w, "end_line", t->end_line);
		json_put_u64(w, "packages", t->packages);
		json_put_u64(w, "by_calls", t->by_calls);
		begin_list(w, "tables");
		for (uint32_t k = 0; k < t->table_count; k++)
			json_add_u64(w, t->tables[k]);
		json_end(w);
		json_end(w);
	}
	json_end(w);
}

static void put_target(JsonWriter *w, const Audit *audit, ModelPlace target)
{
	AUTO(arena_freep) Arena *a = arena_new(0);

	if (target.file == MODEL_NONE)
		return;
	json_put_str(w, "target_path", audit->project.files[target.file].path);
	json_put_u64(w, "target_line", target.line);
	json_put_str(w, "target_unit",
	             join_unit_name(a, &audit->project.files[target.file], target.unit));
}

static void put_routes(JsonWriter *w, const Models *m, const Audit *audit)
{
	begin_list(w, "routes");
	for (uint32_t i = 0; i < m->route_count; i++) {
		const AppRoute *r = &m->routes[i];

		json_begin_object(w);
		json_put_str(w, "framework", str_of(framework_names[r->framework]));
		json_put_str(w, "methods", r->methods);
		json_put_str(w, "route", r->path);
		if (r->name.len)
			json_put_str(w, "name", r->name);
		json_put_str(w, "view", r->view);
		put_index(w, "package", r->package);
		put_place(w, audit, r->place);
		put_target(w, audit, r->target);
		json_end(w);
	}
	json_end(w);
}

static void put_tasks(JsonWriter *w, const Models *m, const Audit *audit)
{
	begin_list(w, "tasks");
	for (uint32_t i = 0; i < m->task_count; i++) {
		const AppTask *t = &m->tasks[i];

		json_begin_object(w);
		json_put_str(w, "kind", str_of(task_names[t->kind]));
		json_put_str(w, "name", t->name);
		if (t->schedule.len)
			json_put_str(w, "schedule", t->schedule);
		json_put_u64(w, "package", t->package);
		put_place(w, audit, t->place);
		json_put_u64(w, "calls", t->calls);
		json_put_u64(w, "callers", t->callers);
		json_end(w);
	}
	json_end(w);
	begin_list(w, "signals");
	for (uint32_t i = 0; i < m->signal_count; i++) {
		const AppSignal *s = &m->signals[i];

		json_begin_object(w);
		json_put_str(w, "name", s->name);
		if (s->sender.len)
			json_put_str(w, "sender", s->sender);
		json_put_u64(w, "package", s->package);
		put_index(w, "from", s->from);
		put_place(w, audit, s->receiver);
		json_put_u64(w, "sends", s->sends);
		json_end(w);
	}
	json_end(w);
}

static void put_names(JsonWriter *w, const Models *m, const Audit *audit)
{
	begin_list(w, "templates");
	for (uint32_t i = 0; i < MIN(m->template_count, (uint32_t)ROWS_MOST); i++) {
		const AppTemplate *t = &m->templates[i];

		json_begin_object(w);
		json_put_str(w, "name", t->name);
		if (t->path.len)
			json_put_str(w, "file", t->path);
		json_put_u64(w, "uses", t->uses);
		json_put_u64(w, "included", t->included);
		put_place(w, audit, t->first);
		json_end(w);
	}
	json_end(w);
	begin_list(w, "settings");
	for (uint32_t i = 0; i < MIN(m->setting_count, (uint32_t)ROWS_MOST); i++) {
		const AppSetting *s = &m->settings[i];

		json_begin_object(w);
		json_put_str(w, "name", s->name);
		json_put_u64(w, "reads", s->reads);
		json_put_u64(w, "packages", s->packages);
		json_put_bool(w, "defined", s->defined);
		put_place(w, audit, s->first);
		json_end(w);
	}
	json_end(w);
}

static void put_left(JsonWriter *w, const char *key, uint32_t count)
{
	json_put_u64(w, key, count > ROWS_MOST ? count - ROWS_MOST : 0);
}

static void put_unknown(JsonWriter *w, const Models *m)
{
	json_key(w, S("unknown"));
	json_begin_object(w);
	json_put_u64(w, "queries", m->unknown_queries);
	json_put_u64(w, "sql", m->unknown_sql);
	json_put_u64(w, "routes", m->unknown_routes);
	json_end(w);
	json_key(w, S("left_out"));
	json_begin_object(w);
	put_left(w, "touches", m->touch_count);
	put_left(w, "joins", m->join_count);
	put_left(w, "templates", m->template_count);
	put_left(w, "settings", m->setting_count);
	json_end(w);
}

void models_put(JsonWriter *w, const Models *m, const Audit *audit)
{
	if (!m) {
		json_add_null(w);
		return;
	}
	json_begin_object(w);
	begin_list(w, "packages");
	for (uint32_t i = 0; i < m->package_count; i++)
		json_add_str(w, m->packages[i]);
	json_end(w);
	put_models(w, m, audit);
	put_relations(w, m, audit);
	put_matrix(w, m);
	put_touches(w, m, audit);
	put_crossings(w, m, audit);
	put_routes(w, m, audit);
	put_tasks(w, m, audit);
	put_names(w, m, audit);
	json_put_u64(w, "migrations", m->migrations);
	if (m->migrations_why_not.len)
		json_put_str(w, "migrations_why_not", m->migrations_why_not);
	put_unknown(w, m);
	json_end(w);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Projects, from the database and, for the intake, from a small memory of each loop: a key that thousands of requests bring is looked
 * up every few seconds. What is not known is not remembered: it is the database that says no. */
#include "analytics/project.h"

#include "base/arena.h"
#include "base/map.h"
#include "base/rand.h"
#include "base/time.h"
#include "rt/loop.h"

#include "analytics_sql.h"

#include <stdlib.h>

enum { KNOWN_MOST = 1000, KNOWN_US = 5000000 };

typedef struct Known {
	Project project;
	int64_t until_us;
} Known;

struct Projects {
	Map by; /* "k" and a key, "d" and a domain: of Known */
	Arena *arena;
};

const ConfWord *project_privacies(void)
{
	static const ConfWord words[] = {
		{ "open", PRIVACY_OPEN, "whoever the client names" },
		{ "consent", PRIVACY_CONSENT,
		  "whoever the client names where an event says $consent, else a visitor of the day" },
		{ "visitors", PRIVACY_VISITORS, "visitors of the day: nobody is known for longer" },
		{ 0 },
	};

	return words;
}

/* --- a loop's memory --------------------------------------------------------------------------------------------------- */

Projects *projects_new(Arena *a, unsigned loops)
{
	return ARENA_ARRAY(a, Projects, loops);
}

static void forget_all(Projects *p)
{
	map_fini(&p->by);
	arena_free(p->arena);
	*p = (Projects){ 0 };
}

void projects_free(Projects *projects, unsigned loops)
{
	for (unsigned i = 0; projects && i < loops; i++)
		forget_all(&projects[i]);
}

static Project *recall(Projects *p, Str word)
{
	Known *known = map_get(&p->by, word);

	return known && known->until_us > loop_now_us() ? &known->project : NULL;
}

static void remember(Projects *p, Str word, const Project *project)
{
	Known *known = map_get(&p->by, word);

	if (!known) {
		if (p->by.count >= KNOWN_MOST)
			forget_all(p);
		if (!p->arena)
			p->arena = arena_new(0);
		known = ARENA_NEW(p->arena, Known);
		map_put(&p->by, str_dup(p->arena, word), known);
		known->project.name = str_dup(p->arena, project->name);
		known->project.key = str_dup(p->arena, project->key);
	}
	known->project.id = project->id;
	known->project.privacy = project->privacy;
	known->until_us = loop_now_us() + KNOWN_US;
}

/* --- rows -------------------------------------------------------------------------------------------------------------- */

static Project *of_row(Arena *a, const ProjectRow *row)
{
	Project *project = ARENA_NEW(a, Project);

	*project = (Project){ .id = row->id,
		              .name = row->name,
		              .key = row->ingest_key,
		              .created_us = row->created_at };
	for (const ConfWord *w = project_privacies(); w->name; w++)
		if (str_eq(row->privacy, str_of(w->name)))
			project->privacy = (Privacy)w->value;
	return project;
}

Err *project_by_write_key(Analytics *s, Arena *a, Str key, Project **out)
{
	Projects *p = &s->projects[loop_index(loop_self())];
	Str word = str_fmt(a, "k%.*s", STR_ARG(key));
	ProjectRow *row;

	*out = recall(p, word);
	if (*out)
		return NULL;
	TRY(db_one(s->db, a, project_by_key, &row, .ingest_key = key));
	if (!row)
		return NULL;
	*out = of_row(a, row);
	remember(p, word, *out);
	return NULL;
}

Err *project_of_domain(Analytics *s, Arena *a, Str domain, Project **out)
{
	Projects *p = &s->projects[loop_index(loop_self())];
	Str word = str_fmt(a, "d%.*s", STR_ARG(domain));
	ProjectRow *row;

	*out = recall(p, word);
	if (*out)
		return NULL;
	TRY(db_one(s->db, a, project_by_domain, &row, .domain = domain));
	if (!row)
		return NULL;
	*out = of_row(a, row);
	remember(p, word, *out);
	return NULL;
}

Err *project_find(Db *db, Arena *a, Str name, Project **out)
{
	ProjectRow *row;
	int64_t id;

	TRY(db_one(db, a, project_by_name, &row, .name = name));
	if (!row && str_to_i64(name, &id))
		TRY(db_one(db, a, project_by_id, &row, .id = id));
	if (!row)
		return err_new(a, ERR_NOT_FOUND, "project.unknown", "there is no project %.*s",
		               STR_ARG(str_quote(a, name)));
	*out = of_row(a, row);
	return NULL;
}

/* --- making one -------------------------------------------------------------------------------------------------------- */

typedef struct Making {
	Str name, privacy, key;
	const Str *domains;
	size_t count;
	ProjectRow *row;
} Making;

static Err *make(Db *tx, Arena *a, void *arg)
{
	Making *m = arg;

	TRY(db_exec(tx, a, project_add, NULL, .name = m->name, .ingest_key = m->key,
	            .privacy = m->privacy, .now = time_utc_us()));
	TRY(db_one(tx, a, project_by_name, &m->row, .name = m->name));
	for (size_t i = 0; i < m->count; i++)
		TRY(db_exec(tx, a, project_domain_add, NULL, .domain = m->domains[i],
		            .project = m->row->id));
	return NULL;
}

static bool name_fits(Str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '.' || c == '_' || c == '-'))
			return false;
	}
	return name.len > 0 && name.len <= 100;
}

static Str new_key(Arena *a)
{
	uint64_t random[2];

	rand_bytes(random, sizeof(random));
	return str_fmt(a, "bp_%016" PRIx64 "%016" PRIx64, random[0], random[1]);
}

Err *project_make(Db *db, Arena *a, Str name, Privacy privacy, const Str *domains, size_t count,
                  Project **out)
{
	Making m = { .name = name, .key = new_key(a), .domains = domains, .count = count };
	Err *err;

	if (!name_fits(name))
		return err_new(a, ERR_INVALID, "project.name",
		               "a project's name is 1 to 100 letters, digits and . _ -");
	m.privacy = str_of(project_privacies()[privacy].name);
	err = db_txn(db, a, DB_READ_COMMITTED, make, &m);
	if (err_is(err, "db.unique"))
		return err_because(a, err, ERR_CONFLICT, "project.taken",
		                   "there is a project of that name, or of that domain");
	TRY(err);
	*out = of_row(a, m.row);
	return NULL;
}

void project_put(JsonWriter *w, const Project *project, const Str *domains, size_t count)
{
	json_begin_object(w);
	json_put_i64(w, "id", project->id);
	json_put_str(w, "name", project->name);
	json_put_str(w, "ingest_key", project->key);
	json_put_str(w, "privacy", str_of(project_privacies()[project->privacy].name));
	json_key(w, S("domains"));
	json_begin_array(w);
	for (size_t i = 0; i < count; i++)
		json_add_str(w, domains[i]);
	json_end(w);
	json_key(w, S("created_at"));
	json_add_time(w, project->created_us);
	json_end(w);
}

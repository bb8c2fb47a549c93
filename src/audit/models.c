/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files say, put together: packages first, then models and tables, then everything that refers to them. Each part is a file of its
 * own; this one has the order, the packages, and what all of them ask. */
#include "audit/models.h"

#include "audit/models_join.h"
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

#define ROOT S("(root)")

/* --- packages ---------------------------------------------------------------------------------------------------------------------- */

static Str folder_of(Str path)
{
	ptrdiff_t slash = str_rfind_char(path, '/');

	return str_sub(path, 0, slash < 0 ? 0 : (size_t)slash);
}

static bool imports_django(const FileModels *f)
{
	for (uint32_t i = 0; f && i < f->import_count; i++)
		if (!f->imports[i].level && str_starts(f->imports[i].target, S("django.")))
			return true;
	return false;
}

/* The folder of a Django app that this file shows to be one; at NULL: it shows nothing. */
static Str app_folder(const Join *j, uint32_t file)
{
	const AuditFile *f = &j->project->files[file];
	const FileModels *facts = names_facts(j->project, file);
	Str folder = folder_of(f->path),
	    base = str_sub(f->path, folder.len + (folder.len != 0), f->path.len);
	Str last =
		str_sub(folder, folder_of(folder).len + (folder_of(folder).len != 0), folder.len);

	if (f->kind == SOURCE_TEST)
		return (Str){ NULL, 0 };
	if (f->kind == SOURCE_MIGRATION && str_eq(last, S("migrations")) && facts &&
	    facts->migration && !facts->revision.len)
		return folder_of(folder).len ? folder_of(folder) : S("");
	if (facts && facts->app_module.len)
		return folder.len ? folder : S("");
	if (!imports_django(facts))
		return (Str){ NULL, 0 };
	if (str_eq(base, S("models.py")))
		return folder.len ? folder : S("");
	return str_eq(last, S("models")) ? folder_of(folder) : (Str){ NULL, 0 };
}

static uint32_t package_named(Join *j, Map *at, Str folder)
{
	Models *m = j->m;
	void *known = map_get(at, folder);
	Str name;
	char *dots;

	if (known)
		return (uint32_t)(uintptr_t)known - 1;
	name = folder.len ? str_dup(j->a, folder) : ROOT;
	dots = (char *)(uintptr_t)name.at;
	for (size_t i = 0; folder.len && i < name.len; i++)
		if (dots[i] == '/')
			dots[i] = '.';
	*TAKE_ADD(j->a, m->packages, m->package_count) = name;
	map_put(at, folder, (void *)(uintptr_t)m->package_count);
	return m->package_count - 1;
}

/* The name of the folder that is audited itself. */
static Str root_name(const Join *j)
{
	char *real = realpath(str_z(j->a, j->project->sources.root), NULL);
	const char *slash = real ? strrchr(real, '/') : NULL;
	Str name = slash && slash[1] ? str_dup(j->a, str_of(slash + 1)) : S("root");

	free(real);
	return name;
}

/* Django's labels: what an AppConfig says, or the last part of the folder. */
static void labels(Join *j, const Map *apps)
{
	const Models *m = j->m;
	Str *labels = ARENA_ARRAY(j->a, Str, m->package_count + 1);

	for (uint32_t i = 0; i < j->project->count; i++) {
		const FileModels *f = names_facts(j->project, i);
		Str folder = folder_of(j->project->files[i].path);

		if (f && map_get(apps, folder) && (f->app_label.len || f->app_module.len))
			labels[m->package_of[i]] =
				f->app_label.len ? f->app_label : name_last(f->app_module);
	}
	for (uint32_t i = 0; i < m->package_count; i++)
		if (!labels[i].len)
			labels[i] = str_eq(m->packages[i], ROOT) ? root_name(j)
			                                         : name_last(m->packages[i]);
	j->label_of = ARENA_ARRAY(j->a, Str, j->project->count + 1);
	for (uint32_t i = 0; i < j->project->count; i++)
		j->label_of[i] = labels[m->package_of[i]];
}

/* Where rules put files together (a service that is thought of), that is the package. */
static void groups(Join *j)
{
	Models *m = j->m;
	Parts parts;
	uint32_t first = m->package_count;

	if (!j->rules->conf || !j->rules->conf->groups.count)
		return;
	parts_by_group(j->a, j->project, j->rules->conf, &parts);
	for (size_t i = 0; i < parts.count; i++)
		*TAKE_ADD(j->a, m->packages, m->package_count) = parts.at[i].name;
	for (uint32_t i = 0; i < j->project->count; i++)
		if (parts.of[i] != PART_NONE)
			m->package_of[i] = first + parts.of[i];
}

/* Commands are of the package that has them. */
static Str owner_folder(Str folder)
{
	return str_ends(folder, S("/management/commands")) ? str_sub(folder, 0, folder.len - 20)
	                                                   : folder;
}

void join_packages(Join *j)
{
	AUTO(map_fini) Map apps = { 0 };
	AUTO(map_fini) Map packages = { 0 };
	Models *m = j->m;

	m->package_of = ARENA_ARRAY(j->a, uint32_t, j->project->count + 1);
	for (uint32_t i = 0; i < j->project->count; i++) {
		Str folder = app_folder(j, i);

		if (folder.at)
			map_put(&apps, folder, j);
	}
	for (uint32_t i = 0; i < j->project->count; i++) {
		Str own = owner_folder(folder_of(j->project->files[i].path)), folder = own;

		while (folder.len && !map_get(&apps, folder))
			folder = folder_of(folder);
		m->package_of[i] =
			package_named(j, &packages, map_get(&apps, folder) ? folder : own);
	}
	labels(j, &apps);
	groups(j);
}

/* --- what all ask ------------------------------------------------------------------------------------------------------------------- */

Str model_package_name(const Models *m, uint32_t package)
{
	return package < m->package_count ? m->packages[package] : S("?");
}

bool join_counts(const Join *j, uint32_t file)
{
	return j->project->files[file].kind == SOURCE_CODE;
}

Str join_unit_name(Arena *a, const AuditFile *file, uint32_t unit)
{
	const Measures *m = &file->measures;
	Str name;

	if (unit >= m->unit_count)
		return S("");
	name = m->units[unit].name;
	for (uint32_t up = m->units[unit].parent, n = 0; up != UNIT_NONE && n < 8;
	     up = m->units[up].parent, n++)
		name = str_fmt(a, "%.*s.%.*s", STR_ARG(m->units[up].name), STR_ARG(name));
	return name;
}

static uint32_t boxed_number(const Map *map, Str key)
{
	return (uint32_t)(uintptr_t)map_get(map, key) - 1; /* nothing: MODEL_NONE */
}

uint32_t join_model_by_label(const Join *j, Str app, Str name)
{
	char key[512];
	size_t len = 0;

	if (app.len + name.len + 1 > sizeof(key))
		return MODEL_NONE;
	for (size_t i = 0; i < app.len; i++)
		key[len++] =
			app.at[i] >= 'A' && app.at[i] <= 'Z' ? (char)(app.at[i] | 32) : app.at[i];
	key[len++] = '.';
	for (size_t i = 0; i < name.len; i++)
		key[len++] = name.at[i] >= 'A' && name.at[i] <= 'Z' ? (char)(name.at[i] | 32)
		                                                    : name.at[i];
	return boxed_number(&j->labels, (Str){ key, len });
}

uint32_t join_class(const Join *j, uint32_t file, Str dotted, Str *rest)
{
	Found found = names_find(j->names, file, dotted);
	uint32_t class;

	*rest = found.rest;
	if (found.file == MODEL_NONE)
		return MODEL_NONE;
	if (found.var && str_eq(name_last(found.var->callee), S("Table")))
		return pair_get(&j->class_at, found.file, UINT32_MAX - found.var->line);
	if (found.unit == UNIT_NONE)
		return MODEL_NONE;
	class = pair_get(&j->class_at, found.file, found.unit);
	return class;
}

static uint32_t by_text(const Join *j, Str label)
{
	Str app = name_first(label);

	return join_model_by_label(j, app, str_sub(label, app.len + 1, label.len));
}

bool join_is_user(const Join *j, uint32_t file, Str dotted)
{
	Found found;

	if (str_starts(dotted, S("settings.AUTH_USER_MODEL")))
		return true;
	found = names_find(j->names, file, dotted);
	return found.var && str_eq(name_last(found.var->callee), S("get_user_model"));
}

/* User = get_user_model(), Product = get_model("catalogue", "Product") */
static uint32_t by_variable(const Join *j, uint32_t file, Str dotted)
{
	Found found = names_find(j->names, file, dotted);

	if (found.var && str_eq(name_last(found.var->callee), S("get_model")))
		return by_text(j, found.var->first);
	return join_is_user(j, file, dotted) ? by_text(j, j->user_model) : MODEL_NONE;
}

uint32_t join_model(const Join *j, uint32_t file, Str dotted, Str *rest)
{
	uint32_t class;

	*rest = S("");
	if (dotted.len && dotted.at[0] == '=') {
		Str app = name_first(str_sub(dotted, 1, dotted.len)),
		    more = str_sub(dotted, app.len + 2, dotted.len);

		*rest = str_sub(more, name_first(more).len + 1, more.len);
		return join_model_by_label(j, app, name_first(more));
	}
	if (str_starts(dotted, S("settings.AUTH_USER_MODEL"))) {
		*rest = str_sub(dotted, 25, dotted.len);
		return by_text(j, j->user_model);
	}
	class = join_class(j, file, dotted, rest);
	if (class == MODEL_NONE)
		return by_variable(j, file, dotted);
	return j->classes[class].model;
}

uint32_t join_model_of_unit(const Join *j, uint32_t file, uint32_t unit)
{
	const Measures *m = &j->project->files[file].measures;

	for (; unit != UNIT_NONE; unit = m->units[unit].parent) {
		uint32_t class = pair_get(&j->class_at, file, unit);

		if (class != MODEL_NONE && j->classes[class].model != MODEL_NONE)
			return j->classes[class].model;
	}
	return MODEL_NONE;
}

uint32_t join_method(const Join *j, uint32_t file, uint32_t unit, Str name)
{
	const Measures *m = &j->project->files[file].measures;

	while (unit != UNIT_NONE && m->units[unit].kind != UNIT_CLASS)
		unit = m->units[unit].parent;
	for (uint32_t i = unit; unit != UNIT_NONE && i < m->unit_count; i++)
		if (m->units[i].parent == unit && str_eq(m->units[i].name, name))
			return i;
	return UNIT_NONE;
}

uint32_t join_table(Join *j, Str name)
{
	Str lower = str_lower(j->a, name);
	uint32_t known = boxed_number(&j->table_at, lower);
	Models *m = j->m;

	if (known != MODEL_NONE)
		return known;
	*TAKE_ADD(j->a, m->tables, m->table_count) =
		(Table){ .name = name, .model = MODEL_NONE, .package = MODEL_NONE };
	map_put(&j->table_at, lower, (void *)(uintptr_t)m->table_count);
	return m->table_count - 1;
}

/* --- the step ------------------------------------------------------------------------------------------------------------------------ */

static void join_finip(Join *j)
{
	map_fini(&j->labels);
	map_fini(&j->by_name);
	map_fini(&j->related);
	map_fini(&j->table_at);
	map_fini(&j->field_at);
}

Err *models_step(Arena *a, const AuditRules *rules, Audit *audit)
{
	Models *m = ARENA_NEW(a, Models);
	AUTO(join_finip) Join j = {
		.a = a, .rules = rules, .audit = audit, .project = &audit->project, .m = m
	};

	j.names = model_names_new(a, j.project);
	join_packages(&j);
	join_models(&j);
	join_relations(&j);
	join_touches(&j);
	join_transactions(&j);
	join_routes(&j);
	join_tasks(&j);
	join_signals(&j);
	join_templates(&j);
	join_settings(&j);
	TRY(join_migrations(&j));
	join_findings(&j);
	audit->models = m;
	return NULL;
}

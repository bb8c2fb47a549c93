/* SPDX-License-Identifier: Apache-2.0
 *
 * Locks: poetry.lock, uv.lock, pdm.lock, Pipfile.lock; and what they are made from, pyproject.toml and Pipfile. In a lock every package has its version and,
 * but for Pipfile's, what it needs. */
#include "audit/outside_int.h"
#include "audit/pep440.h"
#include "audit/toml.h"
#include "base/arena.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

enum { JSON_BYTES = 64 << 20 };

/* --- specifiers as Poetry writes them ------------------------------------------------------------------------------------------------------ */

/* "^3.2" is ">=3.2,<4"; "~3.2" is ">=3.2,<3.3"; "3.2" is "==3.2"; "*" anything. */
static Str poetry_spec(Arena *a, Str text)
{
	bool caret = str_starts(text, S("^")),
	     tilde = str_starts(text, S("~")) && !str_starts(text, S("~="));
	Pep440 v;
	uint32_t at = 0;

	text = str_trim(text);
	if (str_eq(text, S("*")))
		return (Str){ 0 };
	if (text.len && text.at[0] >= '0' && text.at[0] <= '9')
		return str_fmt(a, "==%.*s", STR_ARG(text));
	if ((!caret && !tilde) || !pep440_read(str_sub(text, 1, text.len), &v))
		return text;
	while (caret && at + 1 < v.parts && !v.release[at])
		at++;
	if (tilde)
		at = v.parts > 1 ? 1 : 0;
	if (at == 0)
		return str_fmt(a, ">=%.*s,<%" PRIu64, STR_ARG(str_sub(text, 1, text.len)),
		               v.release[0] + 1);
	if (at == 1)
		return str_fmt(a, ">=%.*s,<%" PRIu64 ".%" PRIu64,
		               STR_ARG(str_sub(text, 1, text.len)), v.release[0], v.release[1] + 1);
	return str_fmt(a, ">=%.*s", STR_ARG(str_sub(text, 1, text.len)));
}

/* --- locks of TOML ----------------------------------------------------------------------------------------------------------------------- */

static Str trimmed_text(const Toml *node)
{
	return node && node->kind == TOML_TEXT ? node->text : (Str){ 0 };
}

/* The names in a list of "asgiref>=3" or { name = "asgiref" }, or the keys of a table. */
static void read_needs(Arena *a, const Toml *list, Package *row)
{
	Str *needs;

	if (!list || !list->count)
		return;
	needs = ARENA_ARRAY(a, Str, list->count);
	TOML_EACH(list, item)
	{
		Str name = list->kind == TOML_TABLE   ? item->key
		           : item->kind == TOML_TABLE ? toml_text(item, S("name"))
		                                      : (Str){ 0 };
		Package one;

		if (item->kind == TOML_TEXT && list->kind == TOML_ARRAY &&
		    requirement_read(a, item->text, &one))
			name = one.name;
		if (name.len)
			needs[row->need_count++] = pep503_name(a, name);
	}
	row->needs = needs;
}

static void add_hash(const Toml *file, Str *hashes, size_t *count)
{
	Str hash = toml_text(file, S("hash"));

	if (hash.len)
		hashes[(*count)++] = hash;
}

static void read_hashes(Arena *a, const Toml *package, Package *row)
{
	const Toml *files = toml_get(package, S("files")), *wheels = toml_get(package, S("wheels"));
	Str *hashes =
		ARENA_ARRAY(a, Str, 1 + (files ? files->count : 0) + (wheels ? wheels->count : 0));

	add_hash(toml_get(package, S("sdist")), hashes, &row->hash_count);
	TOML_EACH(files, file)
	add_hash(file, hashes, &row->hash_count);
	TOML_EACH(wheels, file)
	add_hash(file, hashes, &row->hash_count);
	row->hashes = hashes;
}

/* Is every group that a package is in one of development? No groups: false. */
static bool dev_groups(const Toml *package)
{
	const Toml *groups = toml_get(package, S("groups"));
	bool dev = groups && groups->count;

	TOML_EACH(groups, group)
	dev = dev && !str_eq(group->text, S("main")) && !str_eq(group->text, S("default"));
	return dev || str_eq(toml_text(package, S("category")), S("dev"));
}

/* uv's lock has the project itself among the packages. */
static bool is_project(const Toml *package)
{
	const Toml *source = toml_get(package, S("source"));

	return toml_get(source, S("virtual")) || toml_get(source, S("editable"));
}

static void add_direct(Gathering *g, const Toml *list, bool dev)
{
	TOML_EACH(list, item)
	{
		Str name = toml_text(item, S("name"));

		if (name.len)
			package_add(g, (Package){ .name = name,
			                          .line = item->line,
			                          .direct = true,
			                          .dev = dev });
	}
}

static Err *read_lock(Gathering *g, Str path, const Toml *root)
{
	const Toml *packages = toml_get(root, S("package"));

	python_add(g, toml_text(root, S("requires-python")), path);
	python_add(g, trimmed_text(toml_path(root, S("metadata.python-versions"))), path);
	TOML_EACH(packages, package)
	{
		Package row = { .name = toml_text(package, S("name")),
			        .version = toml_text(package, S("version")),
			        .line = package->line };

		if (is_project(package)) {
			add_direct(g, toml_get(package, S("dependencies")), false);
			TOML_EACH(toml_get(package, S("dev-dependencies")), group)
			add_direct(g, group, true);
			continue;
		}
		if (!row.name.len)
			continue;
		row.dev = dev_groups(package);
		read_needs(g->arena, toml_get(package, S("dependencies")), &row);
		read_hashes(g->arena, package, &row);
		package_add(g, row);
	}
	return NULL;
}

/* --- pyproject.toml ------------------------------------------------------------------------------------------------------------------------ */

static void add_texts(Gathering *g, const Toml *list, bool dev)
{
	TOML_EACH(list, item)
	{
		Package row;

		if (item->kind != TOML_TEXT || !requirement_read(g->arena, item->text, &row))
			continue;
		row.line = item->line;
		row.direct = true;
		row.dev = dev;
		package_add(g, row);
	}
}

static void add_poetry(Gathering *g, Str path, const Toml *table, bool dev)
{
	TOML_EACH(table, item)
	{
		Str wanted = item->kind == TOML_TABLE ? toml_text(item, S("version"))
		                                      : trimmed_text(item),
		    spec;

		spec = poetry_spec(g->arena, wanted);
		if (str_eq(item->key, S("python")))
			python_add(g, spec, path);
		else
			package_add(g, (Package){ .name = item->key,
			                          .wanted = spec,
			                          .version = pep440_pinned(spec),
			                          .line = item->line,
			                          .direct = true,
			                          .dev = dev });
	}
}

static Err *read_pyproject(Gathering *g, Str path, const Toml *root)
{
	const Toml *poetry = toml_path(root, S("tool.poetry"));

	python_add(g, trimmed_text(toml_path(root, S("project.requires-python"))), path);
	add_texts(g, toml_path(root, S("project.dependencies")), false);
	TOML_EACH(toml_path(root, S("project.optional-dependencies")), extra)
	add_texts(g, extra, true);
	TOML_EACH(toml_get(root, S("dependency-groups")), group)
	add_texts(g, group, true);
	add_poetry(g, path, toml_get(poetry, S("dependencies")), false);
	add_poetry(g, path, toml_get(poetry, S("dev-dependencies")), true);
	TOML_EACH(toml_get(poetry, S("group")), group)
	add_poetry(g, path, toml_get(group, S("dependencies")), true);
	return NULL;
}

/* --- Pipfile ---------------------------------------------------------------------------------------------------------------------------------------- */

static Err *read_pipfile(Gathering *g, Str path, const Toml *root)
{
	python_add(g, toml_text(toml_get(root, S("requires")), S("python_version")), path);
	add_poetry(g, path, toml_get(root, S("packages")), false);
	add_poetry(g, path, toml_get(root, S("dev-packages")), true);
	return NULL;
}

/* --- Pipfile.lock ---------------------------------------------------------------------------------------------------------------------------- */

static void read_pip_section(Gathering *g, const Json *section, bool dev)
{
	void *at = NULL;
	const Json *value;
	Str key;

	while (json_next(section, &at, &key, &value)) {
		const Json *hashes = json_get(value, S("hashes"));
		Package row = { .name = key, .dev = dev };
		Str version = { 0 }, *kept;

		json_to_str(json_get(value, S("version")), &version);
		row.version = pep440_pinned(version);
		kept = ARENA_ARRAY(g->arena, Str, json_count(hashes) + 1);
		for (size_t i = 0; i < json_count(hashes); i++)
			row.hash_count += json_to_str(json_at(hashes, i), &kept[row.hash_count]);
		row.hashes = kept;
		package_add(g, row);
	}
}

static Err *read_pipfile_lock(Gathering *g, Str path, Str text)
{
	const Json *root;
	Str python = { 0 };

	TRY(json_read(g->arena, text, JSON_BYTES, &root));
	if (json_to_str(json_get(json_get(json_get(root, S("_meta")), S("requires")),
	                         S("python_version")),
	                &python))
		python_add(g, python, path);
	read_pip_section(g, json_get(root, S("default")), false);
	read_pip_section(g, json_get(root, S("develop")), true);
	return NULL;
}

/* --- by name ------------------------------------------------------------------------------------------------------------------------------------ */

static const Str locks[] = { S("poetry.lock"),  S("uv.lock"),        S("pdm.lock"),
	                     S("Pipfile.lock"), S("pyproject.toml"), S("Pipfile") };
enum { LOCK_PIPFILE_LOCK = 3, LOCK_PYPROJECT, LOCK_PIPFILE };

static size_t lock_of(Str name)
{
	size_t i = 0;

	while (i < COUNT(locks) && !str_eq(name, locks[i]))
		i++;
	return i;
}

bool lock_is(Str name)
{
	return lock_of(name) < COUNT(locks);
}

Err *lock_read(Gathering *g, Str path, Str text, Str name)
{
	size_t lock = lock_of(name);
	const Toml *root;

	gather_file(g, path, locks[lock].at);
	if (lock == LOCK_PIPFILE_LOCK)
		return read_pipfile_lock(g, path, text);
	TRY(toml_read(g->arena, path, text, &root));
	if (lock == LOCK_PIPFILE)
		return read_pipfile(g, path, root);
	return lock == LOCK_PYPROJECT ? read_pyproject(g, path, root) : read_lock(g, path, root);
}

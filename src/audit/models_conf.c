/* SPDX-License-Identifier: Apache-2.0
 *
 * What the audit is told of models. Migrations that have run somewhere cannot be mended any more: with a revision given (the last release's tag)
 * only those are judged that its tree does not have. */
#include "audit/models_conf.h"

#include "audit/repo.h"
#include "base/arena.h"

#include <git2.h>

static const ConfKey models_keys[] = {
	{ "migrations_since", CONF_STR, AT(ModelsConf, migrations_since),
	  .help = "a revision of git: migrations that it has are not judged, as they have run" },
};

const ConfTable *models_table(void)
{
	static const ConfTable table = { "models", CONF_ROWS(ModelsConf, models_keys),
		                         .help = "models, tables and migrations" };

	return &table;
}

struct Since {
	git_repository *repo;
	git_object *tree;
	Str base; /* where the project lies in the repository */
};

static void since_close(void *arg)
{
	Since *since = arg;

	git_object_free(since->tree);
	git_repository_free(since->repo);
}

Err *since_open(Arena *a, const AuditRules *rules, Since **out, Str *why_not)
{
	const ModelsConf *conf = rules->conf ? audit_section(rules, models_table()) : NULL;
	Since *since;
	git_repository *repo;
	Str base;

	*out = NULL;
	if (!conf || !conf->migrations_since.len)
		return NULL;
	if (!repo_open(a, rules->root, &repo, &base, why_not))
		return NULL;
	since = ARENA_NEW(a, Since);
	*since = (Since){ .repo = repo, .base = base };
	arena_defer(a, since_close, since);
	if (git_revparse_single(&since->tree, repo,
	                        str_z(a, str_fmt(a, "%.*s^{tree}",
	                                         STR_ARG(conf->migrations_since)))) != 0)
		return err_new(
			a, ERR_INVALID, "audit.revision",
			"audit.models.migrations_since: there is no revision %.*s in this repository",
			STR_ARG(str_quote(a, conf->migrations_since)));
	*out = since;
	return NULL;
}

static void entry_freep(git_tree_entry **entry)
{
	git_tree_entry_free(*entry);
}

bool since_had(const Since *since, Arena *a, Str path)
{
	AUTO(entry_freep) git_tree_entry *entry = NULL;
	const char *whole = str_z(a, str_fmt(a, "%.*s%.*s", STR_ARG(since->base), STR_ARG(path)));

	return git_tree_entry_bypath(&entry, (const git_tree *)since->tree, whole) == 0;
}

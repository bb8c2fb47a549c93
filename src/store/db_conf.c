/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys of a database. What they say of each other is checked here too: replicas and PgBouncer are PostgreSQL's, and behind
 * PgBouncer what needs a session (LISTEN, a lock that outlives a transaction) goes by a second URL. */
#include "store/db_conf.h"

#include "base/arena.h"

static const ConfKey keys[] = {
	{ "url", CONF_STR, AT(DbSettings, url), .required = true, .secret = true, .value = "URL",
	  .help = "sqlite:PATH or postgresql://USER:PASSWORD@HOST:PORT/NAME" },
	{ "connections", CONF_UINT, AT(DbSettings, connections), .def = "0", .max = "10000",
	  .help = "connections of this process at most (SQLite: threads that read); 0: 16 (as many as loops)" },
	{ "queue", CONF_UINT, AT(DbSettings, queue), .def = "1024", .min = "1", .max = "100000",
	  .help = "calls that may wait for a connection or the writer; beyond it 503 db.busy" },
	{ "pgbouncer", CONF_BOOL, AT(DbSettings, pgbouncer), .def = "false",
	  .help = "the URL is that of a PgBouncer in transaction mode: nothing that needs a session" },
	{ "direct_url", CONF_STR, AT(DbSettings, direct_url), .secret = true, .value = "URL",
	  .help = "the PostgreSQL behind PgBouncer, for what needs a session" },
	{ "replicas", CONF_STR, AT_LIST(DbSettings, replicas), .secret = true, .value = "URL",
	  .help = "PostgreSQL servers for reads that may be behind" },
};

/* Not a row's .verify: of a secret's own mistake the reader says nothing, but here no secret is quoted. */
static void check_url(Conf *conf, const Str *url)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Err *err = url->len ? db_url_verify(a, *url) : NULL;

	if (err)
		conf_mistake(conf, url, "%.*s", STR_ARG(err_chain(a, err)));
}

static void check(Conf *conf, void *object)
{
	const DbSettings *settings = object;

	check_url(conf, &settings->url);
	check_url(conf, &settings->direct_url);
	for (size_t i = 0; i < settings->replicas.count; i++)
		check_url(conf, &settings->replicas.at[i]);

	if (!str_starts(settings->url, S("sqlite:"))) {
		if (settings->pgbouncer && !settings->direct_url.len)
			conf_mistake(
				conf, &settings->pgbouncer,
				"behind PgBouncer direct_url is needed too, for what needs a session");
		return;
	}
	if (settings->pgbouncer)
		conf_mistake(conf, &settings->pgbouncer, "pgbouncer is for PostgreSQL");
	if (settings->direct_url.len)
		conf_mistake(conf, &settings->direct_url, "direct_url is for PostgreSQL");
	if (settings->replicas.count)
		conf_mistake(conf, &settings->replicas.at[0], "replicas are for PostgreSQL");
}

const ConfTable *db_conf_table(void)
{
	static const ConfTable table = { "database", CONF_ROWS(DbSettings, keys),
		                         .shorthand = "url", .check = check,
		                         .help = "where a service keeps what is its own" };

	return &table;
}

DbConf db_conf_of(const DbSettings *settings, Str name)
{
	return (DbConf){
		.url = settings->url,
		.name = name,
		.connections = settings->connections,
		.queue = settings->queue,
		.direct_url = settings->direct_url,
		.pgbouncer = settings->pgbouncer,
		.replicas = settings->replicas.at,
		.replica_count = settings->replicas.count,
		.create = true,
	};
}

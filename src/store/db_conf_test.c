/* SPDX-License-Identifier: Apache-2.0 */
#include "store/db_conf.c"

#include "unit.h"

static Str mistakes_of(Arena *a, Str text, DbSettings *out)
{
	AUTO(buf_fini) Buf b = { 0 };
	Conf *conf = conf_new(a);

	if (!conf_read(conf, S("t.yaml"), text, &(ConfPart){ db_conf_table(), out }, 1))
		return S("");
	conf_put_mistakes(conf, &b);
	return str_dup(a, (Str){ b.at, b.len });
}

TEST(mistakes_of_a_database_have_their_place)
{
	static const struct {
		Str text, want;
	} cases[] = {
		{ S("url: sqlite:data/user.db"), S("") },
		{ S("url: postgresql://user@db.internal/user\nreplicas: [ postgresql://user@two/user ]"),
		  S("") },
		{ S("queue: 5"), S("t.yaml:1:1: database needs the key \"url\"") },
		{ S("url: mysql://x/y"), S("t.yaml:1:6: ") },
		{ S("url: \"sqlite:\""), S("t.yaml:1:6: ") },
		{ S("url: sqlite:x\nurll: y"), S("t.yaml:2:1: ") },
		{ S("url: sqlite:x\nqueue: 0"), S("t.yaml:2:8: ") },
		{ S("url: sqlite:x\npgbouncer: true"),
		  S("t.yaml:2:12: pgbouncer is for PostgreSQL") },
		{ S("url: sqlite:x\nreplicas: postgresql://a/b"),
		  S("t.yaml:2:11: replicas are for PostgreSQL") },
		{ S("url: postgresql://a/b\npgbouncer: yes"),
		  S("t.yaml:2:12: behind PgBouncer direct_url") },
		{ S("url: postgresql://u:hunter2@h:bad/x"), S("t.yaml:1:6: ") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		DbSettings settings;
		Str got = mistakes_of(a, cases[i].text, &settings);

		NOTE("row %zu: %.*s", i, STR_ARG(got));
		CHECK(cases[i].want.len ? str_starts(got, cases[i].want) : !got.len);
		CHECK(str_find(got, S("hunter2")) < 0);
	}
}

TEST(settings_become_what_db_open_takes)
{
	DbSettings settings;
	DbConf conf;

	CHECK_OK(conf_check_table(a, db_conf_table()));
	CHECK_STR(mistakes_of(a, S("url: sqlite:x\nconnections: 3\nqueue: 7"), &settings), S(""));
	conf = db_conf_of(&settings, S("user"));
	CHECK_STR(conf.url, S("sqlite:x"));
	CHECK_STR(conf.name, S("user"));
	CHECK(conf.connections == 3 && conf.queue == 7 && conf.create && !conf.replica_count);
}

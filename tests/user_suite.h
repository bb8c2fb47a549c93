/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of accounts on any engine: suite.h with the store's tables and those of accounts. Whoever includes it has included
 * events_lite.h or events_pg.h. */
#pragma once
#include "store/schema.h"
#include "user/user_conf.h"

#include "user_schema.h"

static inline Err *suite_schema(Db *db, Arena *a)
{
	uint32_t applied;

	TRY(schema_apply(db, a, store_own_schema(), &applied));
	return schema_apply(db, a, &user_schema, &applied);
}

/* The keys as an empty file has them, with the cheapest hashes and a key beside the test. */
static inline UserConf *suite_conf(Arena *a)
{
	UserConf *conf = ARENA_NEW(a, UserConf);

	conf_defaults(a, user_conf_table(), conf);
	conf->password.workers = 1;
	conf->password.memory_bytes = 7 << 20;
	conf->password.passes = 1;
	conf->key_file = str_fmt(a, "%s/deep/user.key", unit_dir());
	return conf;
}

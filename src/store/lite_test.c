/* SPDX-License-Identifier: Apache-2.0 */
#include "store/lite.c"

#include "db_suite.h"

static Str suite_path(Arena *a)
{
	return str_fmt(a, "%s/deep/er/test.db", unit_dir());
}

static Err *suite_open(Arena *a, Db **out)
{
	DbConf conf = { .url = str_fmt(a, "sqlite:%.*s", STR_ARG(suite_path(a))), .create = true };

	return db_open(a, &conf, out);
}

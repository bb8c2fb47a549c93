/* SPDX-License-Identifier: Apache-2.0
 *
 * The suites of events and jobs on SQLite: see events_base.h. */
#pragma once

static void suite_prepare(Arena *a)
{
	(void)a;
}

static Err *suite_open(Arena *a, Db **out)
{
	DbConf conf = { .url = str_fmt(a, "sqlite:%s/test.db", unit_dir()), .create = true };

	return db_open(a, &conf, out);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * A database in the configuration file: its keys, checked as they are read. */
#pragma once
#include "base/conf.h"
#include "store/db.h"

typedef struct DbSettings {
	Str url;
	uint32_t connections;
	uint32_t queue;
	Str direct_url;
	bool pgbouncer;
	CONF_LIST_OF(Str) replicas;
} DbSettings;

const ConfTable *db_conf_table(void);
/* For db_open; `name` is that of the service whose it is. SQLite files are made. Borrows from the settings. */
DbConf db_conf_of(const DbSettings *settings, Str name);
/* Is this the URL of a database? For .verify: fails with INVALID "db.url", passwords never quoted. */
ConfVerify db_url_verify;

/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan user`: the rows for main, and what other commands of the user service are run with. */
#pragma once
#include "base/args.h"

typedef struct Accounts Accounts;
typedef struct Asker Asker;

/* Where: at the beginning of the struct of each such command. */
typedef struct UserArgs {
	Str config;   /* a file, as of `banyan serve` */
	Str database; /* or a URL, beside defaults */
} UserArgs;
#define USER_WHERE_ROWS(type) \
	{ "config", \
	  CONF_STR, \
	  AT(type, where.config), \
	  .letter = 'c', \
	  .value = "FILE", \
	  .def = "banyan.yaml", \
	  .help = "the configuration that says where the accounts are" }, \
	{ \
		"database", CONF_STR, AT(type, where.database), \
			.value = "URL", \
			.help = "their database itself, in place of a configuration" \
	}

/* Runs fn in a fiber, with accounts open. */
typedef Err *UserTask(Cmd *cmd, Accounts *accounts, void *arg);
Err *user_command_run(Cmd *cmd, const UserArgs *where, UserTask *fn, void *arg) MUST_USE;
/* May this be done? NULL: yes, --yes was given, or a person said so; else INVALID "args.confirm". */
Err *user_command_confirm(Cmd *cmd, bool yes, Str what) MUST_USE;
const Asker *user_command_asker(void); /* for the audit log */

const Command *user_commands(size_t *count);

/* SPDX-License-Identifier: Apache-2.0
 *
 * What `banyan user` commands stand on: accounts opened beside the service that uses the same database, as the configuration says
 * or by a URL alone. */
#include "user/user_command.h"

#include "base/arena.h"
#include "base/time.h"
#include "rt/loop.h"
#include "service/service.h"
#include "user/accounts_int.h"
#include "user/oidc_keys.h"
#include "user/user.h"

#include <string.h>
#include <unistd.h>

typedef struct Run {
	Cmd *cmd;
	const UserArgs *where;
	UserTask *fn;
	void *arg;
} Run;

static void accounts_closep(Accounts **accounts)
{
	accounts_close(*accounts);
}

/* Our keys are the service's when they open its own. Where it has none yet, only its configuration says which they are. */
static Err *look_at_keys(Arena *a, Accounts *accounts)
{
	const OidcRing *ring;
	Err *err = oidc_keys_list(accounts->db, a, time_utc_us(), &ring, accounts->seal);

	if (err && str_starts(str_of(err->slug), S("db.")))
		return err;
	accounts->other_keys = err || (!accounts->home && !ring->count);
	return NULL;
}

/* One hash at a time will do. */
static Err *with_accounts(const Run *run, Db *db, const UserConf *given, const ServiceHome *home)
{
	Arena *a = run->cmd->arena;
	UserConf *conf = memcpy(ARENA_NEW(a, UserConf), given, sizeof(*given));
	AccountsSetup setup = {
		.conf = conf, .db = db, .development = home && home->development, .home = home
	};
	AUTO(accounts_closep) Accounts *accounts = NULL;

	conf->password.workers = 1;
	TRY(accounts_open(a, &setup, &accounts));
	TRY(look_at_keys(a, accounts));
	return run->fn(run->cmd, accounts, run->arg);
}

static Err *by_config(Cmd *cmd, ServiceHome *home, void *arg)
{
	(void)cmd;
	return with_accounts(arg, home->db, home->conf, home);
}

static Err *by_url(void *arg)
{
	const Run *run = arg;
	DbConf conf = { .url = run->where->database, .name = S("command"), .connections = 2 };
	UserConf *settings = ARENA_NEW(run->cmd->arena, UserConf);
	AUTO(db_closep) Db *db = NULL;
	Err *err;

	conf_defaults(run->cmd->arena, user_conf_table(), settings);
	TRY(db_open(run->cmd->arena, &conf, &db));
	err = with_accounts(run, db, settings, NULL);
	return err ? err_copy(run->cmd->arena, err) : NULL;
}

Err *user_command_run(Cmd *cmd, const UserArgs *where, UserTask *fn, void *arg)
{
	Run run = { cmd, where, fn, arg };

	if (where->database.len)
		return rt_run(&(RtConf){ .loops = 1, .workers = 2 }, by_url, &run);
	return service_command(cmd, user_service(), where->config, by_config, &run);
}

Err *user_command_confirm(Cmd *cmd, bool yes, Str what)
{
	char line[8] = { 0 };

	if (yes)
		return NULL;
	if (isatty(STDIN_FILENO)) {
		fprintf(stderr, "%.*s? Type yes: ", STR_ARG(what));
		if (fgets(line, sizeof(line), stdin) && strcmp(line, "yes\n") == 0)
			return NULL;
	}
	return err_new(cmd->arena, ERR_INVALID, "args.confirm", "%.*s: say --yes, or --dry-run",
	               STR_ARG(what));
}

const Asker *user_command_asker(void)
{
	static const Asker asker = { .actor = S("command"),
		                     .address = S(""),
		                     .agent = S("banyan user") };

	return &asker;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The user service put together: tables of routes, jobs that keep house, beginning and end. */
#include "user/user.h"

#include "base/arena.h"
#include "base/time.h"
#include "service/service.h"
#include "store/job.h"
#include "user/accounts_int.h"
#include "user/import_command.h"
#include "user/oidc.h"
#include "user/user_api.h"

#include "user_access_sql.h"
#include "user_schema.h"
#include "user_session_sql.h"

typedef struct UserState {
	Accounts *accounts;
	Oidc *oidc;
} UserState;

Accounts *accounts_of(const ServiceHome *home)
{
	return ((const UserState *)home->state)->accounts;
}

Oidc *oidc_of_home(const ServiceHome *home)
{
	return ((const UserState *)home->state)->oidc;
}

static Err *begin_oidc(ServiceHome *home, UserState *state)
{
	const UserConf *conf = home->conf;
	OidcSetup setup = { .conf = &conf->openid,
		            .home = home,
		            .accounts = state->accounts,
		            .seal = state->accounts->seal,
		            .registration = conf->registration,
		            .password_least = (uint32_t)conf->rule.least };

	return oidc_open(home->arena, &setup, &state->oidc);
}

static Err *begin(ServiceHome *home)
{
	AccountsSetup setup = {
		.conf = home->conf, .db = home->db, .development = home->development, .home = home
	};
	UserState *state = ARENA_NEW(home->arena, UserState);

	home->state = state;
	TRY(accounts_open(home->arena, &setup, &state->accounts));
	return begin_oidc(home, state);
}

static void end(ServiceHome *home)
{
	UserState *state = home->state;

	if (!state)
		return;
	oidc_close(state->oidc);
	accounts_close(state->accounts);
}

static const Schema *schema(void)
{
	return &user_schema;
}

/* --- keeping house ------------------------------------------------------------------------------------------------------ */

enum { DAY_S = 86400 };

/* What is over stays a while, for those who look why. */
static Err *keep_house(JobRun *run, void *arg)
{
	const ServiceHome *home = arg;
	Arena *a = job_arena(run);
	int64_t now_us = time_utc_us();

	TRY(db_exec(home->db, a, sessions_purge, NULL, .before = now_us - 30 * DAY_S * US_PER_S));
	TRY(db_exec(home->db, a, mail_codes_purge, NULL, .before = now_us - 7 * DAY_S * US_PER_S));
	TRY(db_exec(home->db, a, throttles_purge, NULL, .before = now_us - 7 * DAY_S * US_PER_S));
	TRY(oidc_tend(oidc_of_home(home), a));
	return accounts_decoys(accounts_of(home));
}

static const JobKind jobs[] = { { .name = "user.house", .fn = keep_house } };
static const JobSchedule schedules[] = {
	{ .name = "user.house", .kind = "user.house", .cron = "17 * * * *" },
};

/* --- the row ------------------------------------------------------------------------------------------------------------ */

const Service *user_service(void)
{
	static ServiceRoutes routes[5 + OIDC_TABLES];
	static Service service = {
		.name = "user",
		.summary = "accounts, logins and who may ask for them",
		.version = "1.0",
		.schema = schema,
		.routes = routes,
		.routes_count = COUNT(routes),
		.jobs = jobs,
		.job_count = COUNT(jobs),
		.schedules = schedules,
		.schedule_count = COUNT(schedules),
		.first = "    key_file: user.key\n",
		.metrics = password_metrics,
		.begin = begin,
		.end = end,
		.who = user_who,
	};

	routes[0] = user_login_routes();
	routes[1] = user_me_routes();
	routes[2] = user_admin_routes();
	routes[3] = user_import_routes();
	routes[4] = oidc_clients_routes();
	oidc_routes(&routes[5]);
	service.checks = user_checks(&service.check_count);
	service.conf = user_conf_table();
	oidc_listen();
	return &service;
}

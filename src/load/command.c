/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan load`: what the command line says, handed to those who do it. */
#include "load/command.h"

#include "base/arena.h"
#include "base/time.h"
#include "load/report.h"
#include "rt/loop.h"

typedef struct LoadArgs {
	Str what; /* a URL or a scenario's file */
	OneTarget one;
	double rate;
	int64_t for_us;
	uint32_t users;
	bool poisson, insecure;
	CONF_LIST_OF(Str) allowed;
	CONF_LIST_OF(Str) resolve;
	CONF_LIST_OF(Str) fail_if_not;
	int64_t warmup_us, timeout_us;
	uint32_t threads;
} LoadArgs;

static const ConfKey load_operands[] = {
	{ "TARGET", CONF_STR, AT(LoadArgs, what), .required = true,
	  .help = "a URL, or the file of a scenario" },
};

static const ConfKey load_options[] = {
	{ "rate", CONF_REAL, AT(LoadArgs, rate), .letter = 'r', .min = "0", .value = "N",
	  .help = "requests that are due in a second (open model)" },
	{ "users", CONF_UINT, AT(LoadArgs, users), .letter = 'u', .value = "N",
	  .help = "or users, each with its next request after the answer to the last (closed model)" },
	{ "for", CONF_DURATION, AT(LoadArgs, for_us), .letter = 't', .def = "10s",
	  .help = "length of the run" },
	{ "warmup", CONF_DURATION, AT(LoadArgs, warmup_us), .def = "0",
	  .help = "its first part, which no figure counts" },
	{ "timeout", CONF_DURATION, AT(LoadArgs, timeout_us), .def = "10s",
	  .help = "of a request" },
	{ "poisson", CONF_BOOL, AT(LoadArgs, poisson),
	  .help = "arrivals at random instead of evenly" },
	{ "method", CONF_STR, AT(LoadArgs, one.method), .letter = 'X', .help = "of the requests" },
	{ "header", CONF_STR, AT_LIST(LoadArgs, one.headers), .letter = 'H', .value = "LINE",
	  .help = "\"Name: value\", more than once if need be" },
	{ "data", CONF_STR, AT(LoadArgs, one.body), .letter = 'd', .value = "BODY",
	  .help = "their body" },
	{ "insecure", CONF_BOOL, AT(LoadArgs, insecure), .letter = 'k',
	  .help = "do not check the server's certificate" },
	{ "resolve", CONF_STR, AT_LIST(LoadArgs, resolve), .value = "HOST:ADDRESS",
	  .help = "an address that a name has here" },
	{ "i-may-load", CONF_STR, AT_LIST(LoadArgs, allowed), .value = "HOST",
	  .help = "a host that is not this machine, and whose owner has agreed" },
	{ "threads", CONF_UINT, AT(LoadArgs, threads), .def = "0", .max = "256",
	  .help = "threads; 0: as many as processors" },
};

typedef struct Job {
	Cmd *cmd;
	LoadArgs *args;
	ScenarioConf *conf;
	LoadResult result;
} Job;

static Err *check_allowed(Job *job, const Target *target)
{
	for (size_t i = 0; i < job->args->allowed.count; i++)
		if (str_eq_nocase(job->args->allowed.at[i], target_host(target)))
			return NULL;
	if (target_is_loopback(target))
		return NULL;
	return err_new(job->cmd->arena, ERR_DENIED, "load.not_allowed",
	               "%.*s is not this machine: say --i-may-load %.*s when its owner has agreed",
	               STR_ARG(target_host(target)), STR_ARG(target_host(target)));
}

static Err *run(void *arg)
{
	Job *job = arg;
	Arena *a = job->cmd->arena;
	LoadAsk ask = { .conf = job->conf, .parts = 1 };
	Target *target;

	TRY(target_new(a, job->conf, &target));
	TRY(check_allowed(job, target));
	ask.target = target;
	return load_run(a, &ask, &job->result);
}

static Err *take_options(Arena *a, const LoadArgs *args, ScenarioConf *conf)
{
	if (args->rate > 0) {
		conf->stages.at = ARENA_NEW(a, RateStage);
		conf->stages.at[0] = (RateStage){ args->rate, args->rate, args->for_us };
		conf->stages.count = 1;
	}
	if (args->users) {
		conf->has_users = true;
		conf->users = (UsersConf){ .count = args->users, .for_us = args->for_us };
	}
	if (!conf->stages.count && !conf->has_users)
		return err_new(a, ERR_INVALID, "load.nothing",
		               "how much? Say --rate N (requests a second) or --users N");
	conf->poisson = args->poisson;
	conf->warmup_us = args->warmup_us;
	conf->timeout_us = args->timeout_us;
	conf->connections.tls.verify = !args->insecure;
	conf->connections.resolve.at = args->resolve.at;
	conf->connections.resolve.count = args->resolve.count;
	return NULL;
}

static Err *load(Cmd *cmd)
{
	LoadArgs *args = cmd->args;
	RtConf rt = { .loops = args->threads };
	Job job = { .cmd = cmd, .args = args };
	AUTO(buf_fini) Buf out = { 0 };

	args->one.url = args->what;
	TRY(scenario_of_url(cmd->arena, &args->one, &job.conf));
	TRY(take_options(cmd->arena, args, job.conf));
	TRY(rt_run(&rt, run, &job));
	report_put_summary(&out, &job.result);
	fwrite(out.at, 1, out.len, cmd->out);
	return NULL;
}

static const Command rows[] = {
	{ "load", .group = "prove",
	  .summary = "put a load on a server, and tell the truth about it", .run = load,
	  COMMAND_OPTIONS(load_options), COMMAND_OPERANDS(load_operands),
	  .size = sizeof(LoadArgs) },
};

const Command *load_commands(size_t *count)
{
	*count = COUNT(rows);
	return rows;
}

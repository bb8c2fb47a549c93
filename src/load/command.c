/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan load`: what the command line says, handed to those who do it. */
#include "load/command.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/time.h"
#include "load/compare.h"
#include "load/crew.h"
#include "load/find.h"
#include "load/live.h"
#include "load/metrics.h"
#include "load/plan.h"
#include "load/replay.h"
#include "rt/signals.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static Err interrupted =
	ERR_STATIC(CANCELLED, "load.interrupted",
                   "the run was interrupted: the report is of what was done by then");

static Err nothing_answered = ERR_STATIC(UPSTREAM, "load.nothing_answered",
                                         "not one request was answered: the report says why");

typedef struct LoadArgs {
	Str what; /* a URL or a scenario's file */
	OneTarget one;
	double rate;
	int64_t for_us;
	uint32_t users;
	bool poisson, insecure, has_warmup, has_timeout;
	CONF_LIST_OF(Str) allowed;
	CONF_LIST_OF(Str) resolve;
	CONF_LIST_OF(Str) fail_unless;
	Str save, log, html, compare, find;
	Str metrics; /* address of its port */
	double most;
	Str replay; /* an access log */
	double speed;
	Str coordinator; /* this process is a worker of it */
	uint32_t workers;
	Str listen, token;
	bool quiet, dry_run;
	int64_t warmup_us, timeout_us;
	uint32_t threads;
} LoadArgs;

static const ConfKey load_operands[] = {
	{ "TARGET", CONF_STR, AT(LoadArgs, what), .help = "a URL, or the file of a scenario" },
};

static const ConfKey load_options[] = {
	{ "rate", CONF_REAL, AT(LoadArgs, rate), .letter = 'r', .min = "0", .max = "10000000",
	  .value = "N", .help = "requests that are due in a second (open model)" },
	{ "users", CONF_UINT, AT(LoadArgs, users), .letter = 'u', .value = "N",
	  .help = "or users, each with its next request after the answer to the last (closed model)" },
	{ "for", CONF_DURATION, AT(LoadArgs, for_us), .letter = 't', .def = "10s",
	  .help = "length of the run" },
	{ "warmup", CONF_DURATION, AT(LoadArgs, warmup_us), GIVEN(LoadArgs, has_warmup),
	  .help = "its first part, which no figure counts" },
	{ "timeout", CONF_DURATION, AT(LoadArgs, timeout_us), GIVEN(LoadArgs, has_timeout),
	  .min = "1ms", .help = "of a request; 10s" },
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
	{ "fail-unless", CONF_STR, AT_LIST(LoadArgs, fail_unless), .value = "CONDITION",
	  .help = "what must hold for the run to pass: \"p99 < 200ms\", \"errors < 0.1%\"; more than once if need be" },
	{ "save", CONF_STR, AT(LoadArgs, save), .letter = 'o', .value = "FILE",
	  .help = "write the report as JSON, for --compare later" },
	{ "replay", CONF_STR, AT(LoadArgs, replay), .value = "LOG",
	  .help = "the GET and HEAD requests of the gateway's access log, as they were due then; TARGET is http://host:port" },
	{ "speed", CONF_REAL, AT(LoadArgs, speed), .def = "1", .min = "0.01", .max = "1000",
	  .help = "of a replay: 2 is twice as fast" },
	{ "workers", CONF_UINT, AT(LoadArgs, workers), .max = "1000",
	  .help = "wait for so many workers and let them make the load, each its part" },
	{ "listen", CONF_STR, AT(LoadArgs, listen), .def = "127.0.0.1:0", .value = "ADDRESS",
	  .help = "where they find it" },
	{ "worker", CONF_STR, AT(LoadArgs, coordinator), .value = "HOST:PORT",
	  .help = "be a worker of that coordinator, for one run; instead of TARGET" },
	{ "token", CONF_STR, AT(LoadArgs, token), .secret = true,
	  .help = "what coordinator and workers know and others do not" },
	{ "find", CONF_STR, AT(LoadArgs, find), .value = "CONDITIONS",
	  .help = "search the highest rate at which these hold: \"p99<250ms,errors<0.1%\"; each try takes --for, the first has --rate" },
	{ "find-most", CONF_REAL, AT(LoadArgs, most), .def = "1000000", .min = "1",
	  .help = "the highest rate that is tried" },
	{ "compare", CONF_STR, AT(LoadArgs, compare), .value = "FILE",
	  .help = "an earlier report: what changed, and whether it is more than noise" },
	{ "log", CONF_STR, AT(LoadArgs, log), .value = "FILE",
	  .help = "write the histograms as a log that HdrHistogram's tools read" },
	{ "html", CONF_STR, AT(LoadArgs, html), .value = "FILE",
	  .help = "write the report as a page with plots" },
	{ "metrics", CONF_STR, AT(LoadArgs, metrics), .value = "ADDRESS",
	  .help = "serve the figures there while it runs, for Prometheus: 127.0.0.1:9100" },
	{ "quiet", CONF_BOOL, AT(LoadArgs, quiet), .letter = 'q', .help = "nothing while it runs" },
	{ "dry-run", CONF_BOOL, AT(LoadArgs, dry_run),
	  .help = "read everything, say what would be done and what it needs, and do nothing" },
	{ "threads", CONF_UINT, AT(LoadArgs, threads), .def = "0", .max = "256",
	  .help = "threads; 0: as many as processors" },
};

typedef struct Job {
	Cmd *cmd;
	LoadArgs *args;
	ScenarioConf *conf;
	Threshold *thresholds; /* of conf->thresholds */
	Verdict *verdicts;
	LoadRun *run;
	Live live;
	LoadMetrics *metrics; /* NULL: nobody scrapes */
	unsigned fails;       /* looks in a row at which a threshold did not hold */
	bool interrupted;
	Str before; /* the report to compare with */
	bool worse; /* than that one */
	FindResult found;
	LoadResult result;
} Job;

static Err *check_allowed(void *arg, const Target *target)
{
	Job *job = arg;

	for (size_t i = 0; i < job->args->allowed.count; i++)
		if (str_eq_nocase(job->args->allowed.at[i], target_host(target)))
			return NULL;
	if (target_is_loopback(target))
		return NULL;
	return err_new(job->cmd->arena, ERR_DENIED, "load.not_allowed",
	               "%.*s is not this machine: say --i-may-load %.*s when its owner has agreed",
	               STR_ARG(target_host(target)), STR_ARG(target_host(target)));
}

/* The first signal ends the run, whose report is printed; the second ends it at once. */
static Err *mind_signals(void *arg)
{
	Job *job = arg;
	int signo = 0;

	for (unsigned count = 0; count < 2;) {
		TRY(signal_wait(&signo));
		if (signo != SIGINT && signo != SIGTERM)
			continue;
		job->interrupted = true;
		if (job->run)
			load_stop(job->run, "interrupted");
		if (count++ && job->run)
			load_cut(job->run);
	}
	return NULL;
}

/* As soon as a threshold has failed at so many looks in a row, with something counted, it is not going to recover. */
enum { FAILS_MAX = 5, COUNTED_MIN = 100 };

static void abort_on_fail(Job *job, LoadRun *run)
{
	LoadResult now = { .conf = job->conf };
	uint64_t count = 0;
	bool fails = false;

	if (!run || !job->conf->abort_on_fail)
		return;
	now.measured_us = load_elapsed_us(run) - job->conf->warmup_us;
	if (now.measured_us <= 0)
		return;
	load_stats_init(&now.stats, job->conf->all.count);
	load_look(run, &now.stats);
	now.asked = (double)now.stats.due;
	now.got = (double)now.stats.started;
	for (size_t i = 0; i < now.stats.step_count; i++)
		count += now.stats.steps[i].count;
	for (size_t i = 0; i < job->conf->thresholds.count && count >= COUNTED_MIN; i++) {
		Verdict verdict = verdict_of(&job->thresholds[i], &now);

		fails = fails || (!verdict.holds && !verdict.unknown);
	}
	job->fails = fails ? job->fails + 1 : 0;
	if (job->fails >= FAILS_MAX)
		load_stop(run, "a threshold does not hold");
	load_stats_fini(&now.stats);
}

static void watch(void *arg, LoadRun *run, const Moment *now)
{
	Job *job = arg;

	if (!job->args->quiet)
		live_show(&job->live, now);
	if (run)
		load_metrics_note(job->metrics, run, now);
	abort_on_fail(job, run);
}

static Err *coordinate(Job *job)
{
	CrewAsk ask = { .conf = job->conf,
		        .listen = job->args->listen,
		        .workers = job->args->workers,
		        .token = job->args->token,
		        .watch = watch,
		        .watch_arg = job,
		        .stop = &job->interrupted };
	AUTO(child_end) Child signals = { 0 };

	job->live = live_new(stderr, isatty(STDERR_FILENO), job->conf);
	TRY(child_start(&signals, mind_signals, job, "signals"));
	return crew_coordinate(job->cmd->arena, &ask, &job->result);
}

static Err *read_threshold(const Job *job, Str text, Threshold *out)
{
	Arena *a = job->cmd->arena;
	const ScenarioConf *conf = job->conf;
	Str *labels = ARENA_ARRAY(a, Str, conf->all.count + 1);

	for (size_t i = 0; i < conf->all.count; i++)
		labels[i] = step_label(a, conf->all.at[i]);
	TRY(threshold_read(a, text, out));
	return threshold_check_step(a, out, labels, conf->all.count);
}

static void tried(void *arg, const FindTry *one)
{
	Job *job = arg;
	AUTO(buf_fini) Buf line = { 0 };

	if (job->args->quiet)
		return;
	buf_fmt(&line, "%9.0f/s  %s", one->rate, one->holds ? "holds" : "breaks: ");
	if (!one->holds && one->broken.threshold.text.len) {
		buf_fmt(&line, "%.*s, it was ", STR_ARG(one->broken.threshold.text));
		verdict_put_value(&line, &one->broken.threshold, one->broken.got);
	} else if (!one->holds)
		buf_fmt(&line, "the rate was not reached");
	buf_putc(&line, '\n');
	fwrite(line.at, 1, line.len, stderr);
}

static Err *find(Job *job, LoadAsk *load)
{
	Arena *a = job->cmd->arena;
	Str rest = job->args->find, one;
	FindAsk ask = { .from = job->args->rate > 0 ? job->args->rate : 100,
		        .most = job->args->most,
		        .step_us = job->args->for_us,
		        .precision = 0.05,
		        .confirm = 3,
		        .tried = tried,
		        .arg = job,
		        .stop = &job->interrupted };
	Threshold *limits = ARENA_ARRAY(a, Threshold, rest.len + 1);
	AUTO(buf_fini) Buf out = { 0 };

	while (str_split(&rest, ',', &one))
		TRY(read_threshold(job, str_trim(one), &limits[ask.limit_count++]));
	ask.limits = limits;
	ask.load = *load;
	ask.load.watch = NULL;
	TRY(find_run(a, &ask, &job->found));
	if (job->cmd->json)
		find_put_json(&out, &job->found);
	else
		find_put(&out, &job->found, &ask);
	fwrite(out.at, 1, out.len, job->cmd->out);
	return job->interrupted ? &interrupted : NULL;
}

static Err *say_plan(Job *job, LoadAsk *ask)
{
	AUTO(buf_fini) Buf out = { 0 };
	Plan plan;

	ask->parts = MAX(job->args->workers, 1u);
	TRY(load_prepare(job->cmd->arena, ask));
	plan = plan_of(ask->conf, ask->target, ask->parts);
	if (job->cmd->json)
		plan_put_json(&out, &plan);
	else
		plan_put(&out, &plan);
	fwrite(out.at, 1, out.len, job->cmd->out);
	return NULL;
}

static Err *run(void *arg)
{
	Job *job = arg;
	Arena *a = job->cmd->arena;
	LoadAsk ask = {
		.conf = job->conf, .parts = 1, .watch = watch, .watch_arg = job, .run = &job->run
	};
	AUTO(child_end) Child signals = { 0 };
	Target *target;
	Err *err;

	if (job->args->coordinator.len)
		return crew_work(a, job->args->coordinator, job->args->token, check_allowed, job);
	if (job->args->workers && !job->args->dry_run)
		return coordinate(job);
	TRY(target_new(a, job->conf, &target));
	TRY(check_allowed(job, target));
	ask.target = target;
	if (job->args->dry_run)
		return say_plan(job, &ask);
	job->live = live_new(stderr, isatty(STDERR_FILENO), job->conf);
	TRY(child_start(&signals, mind_signals, job, "signals"));
	if (job->args->find.len)
		return find(job, &ask);
	if (job->args->metrics.len)
		TRY(load_metrics_open(a, job->args->metrics, job->conf, &job->metrics));
	err = load_run(a, &ask, &job->result);
	load_metrics_close(job->metrics);
	return err;
}

static void take_load(Arena *a, const LoadArgs *args, ScenarioConf *conf)
{
	if (args->rate > 0 || args->users) {
		conf->load.count = 0;
		conf->has_users = false;
	}
	if (args->rate > 0) {
		conf->load.at = ARENA_NEW(a, StageConf);
		conf->load.at[0] = (StageConf){ .rate = args->rate, .for_us = args->for_us };
		conf->load.count = 1;
	}
	if (args->users) {
		conf->has_users = true;
		conf->users = (UsersConf){ .count = args->users, .for_us = args->for_us };
	}
	scenario_finish(a, conf);
}

static void append(Arena *a, const Str *more, size_t more_count, Str **at, size_t *count)
{
	Str *all = ARENA_ARRAY(a, Str, *count + more_count + 1);

	for (size_t i = 0; i < *count + more_count; i++)
		all[i] = i < *count ? (*at)[i] : more[i - *count];
	*at = all;
	*count += more_count;
}

/* What the command line says goes before what the scenario says. */
static Err *take_options(Arena *a, const LoadArgs *args, ScenarioConf *conf)
{
	take_load(a, args, conf);
	if (!conf->stages.count && !conf->has_users && !conf->replay && !args->find.len)
		return err_new(a, ERR_INVALID, "load.nothing",
		               "how much? Say --rate N (requests a second) or --users N");
	conf->poisson = conf->poisson || args->poisson;
	if (args->has_warmup)
		conf->warmup_us = args->warmup_us;
	if (args->has_timeout)
		conf->timeout_us = args->timeout_us;
	if (args->metrics.len && (args->workers || args->find.len))
		return err_new(
			a, ERR_INVALID, "load.metrics",
			"--metrics shows one run of one process: leave --workers and --find out");
	if (args->workers && conf->replay)
		return err_new(a, ERR_INVALID, "load.replay",
		               "a log is replayed by one process: leave --workers out");
	if (args->insecure)
		conf->connections.tls.verify = false;
	append(a, args->resolve.at, args->resolve.count, &conf->connections.resolve.at,
	       &conf->connections.resolve.count);
	append(a, args->fail_unless.at, args->fail_unless.count, &conf->thresholds.at,
	       &conf->thresholds.count);
	return NULL;
}

static bool is_url(Str what)
{
	return str_starts(what, S("http://")) || str_starts(what, S("https://"));
}

static void say_left_out(const Replay *replay)
{
	if (replay->unsafe)
		fprintf(stderr, "%zu requests are left out: their methods may change something\n",
		        replay->unsafe);
	if (replay->unusable)
		fprintf(stderr, "%zu lines are left out: no request is in them\n",
		        replay->unusable);
	if (replay->redacted)
		fprintf(stderr,
		        "%zu requests have values in their query that the log hides: they go out as they stand there\n",
		        replay->redacted);
}

static Err *read_target(Job *job)
{
	Arena *a = job->cmd->arena;
	Conf *conf = conf_new(a);
	AUTO(buf_fini) Buf mistakes = { 0 };
	Err *err;

	if (job->args->replay.len) {
		TRY(replay_load(a, job->args->replay, job->args->what, job->args->speed,
		                &job->conf));
		say_left_out(job->conf->replay);
		return NULL;
	}
	if (is_url(job->args->what)) {
		job->args->one.url = job->args->what;
		return scenario_of_url(a, &job->args->one, &job->conf);
	}
	err = scenario_load(a, conf, job->args->what, &job->conf);
	conf_put_mistakes(conf, &mistakes);
	if (mistakes.len)
		fwrite(mistakes.at, 1, mistakes.len, stderr);
	return err;
}

static Err *read_thresholds(Job *job)
{
	const ScenarioConf *conf = job->conf;

	job->thresholds = ARENA_ARRAY(job->cmd->arena, Threshold, conf->thresholds.count + 1);
	for (size_t i = 0; i < conf->thresholds.count; i++)
		TRY(read_threshold(job, conf->thresholds.at[i], &job->thresholds[i]));
	return NULL;
}

static void find_verdicts(Job *job)
{
	size_t count = job->conf->thresholds.count;

	job->verdicts = ARENA_ARRAY(job->cmd->arena, Verdict, count + 1);
	for (size_t i = 0; i < count; i++)
		job->verdicts[i] = verdict_of(&job->thresholds[i], &job->result);
}

/* The first that does not hold is the error; the report has them all. */
static Err *judge(Job *job)
{
	Arena *a = job->cmd->arena;

	if (job->result.stats.ended && !job->result.stats.answered)
		return &nothing_answered;
	for (size_t i = 0; i < job->conf->thresholds.count; i++) {
		const Verdict *verdict = &job->verdicts[i];
		AUTO(buf_fini) Buf got = { 0 };

		if (verdict->holds)
			continue;
		if (verdict->unknown)
			return err_new(a, ERR_VERDICT, "load.failed",
			               "\"%.*s\" cannot be told: nothing was counted for it",
			               STR_ARG(verdict->threshold.text));
		verdict_put_value(&got, &verdict->threshold, verdict->got);
		return err_new(a, ERR_VERDICT, "load.failed", "\"%.*s\" does not hold: it was %.*s",
		               STR_ARG(verdict->threshold.text), STR_ARG(buf_str(&got)));
	}
	if (job->interrupted)
		return &interrupted;
	if (job->result.asked > 0 && job->result.got < 0.995 * job->result.asked)
		return err_new(a, ERR_VERDICT, "load.rate",
		               "the rate was not reached: %.0f of %.0f arrivals began",
		               job->result.got, job->result.asked);
	return NULL;
}

static void job_fini(Job *job)
{
	load_result_fini(&job->result);
}

static Err *write_file(Job *job, Str path, void (*put)(Buf *out, const Report *report),
                       const Report *report)
{
	AUTO(buf_fini) Buf out = { 0 };
	FILE *file;
	bool whole;

	if (!path.len)
		return NULL;
	put(&out, report);
	file = fopen(str_z(job->cmd->arena, path), "we");
	whole = file && fwrite(out.at, 1, out.len, file) == out.len;
	if (file && fclose(file) != 0)
		whole = false;
	return whole ? NULL
	             : err_errno(job->cmd->arena, errno, "load.file", "%.*s could not be written",
	                         STR_ARG(path));
}

static Err *print(Job *job)
{
	AUTO(buf_fini) Buf out = { 0 };
	Report report = { .result = &job->result,
		          .verdicts = job->verdicts,
		          .verdict_count = job->conf->thresholds.count,
		          .target = job->conf->target };

	if (job->cmd->json)
		report_put_json(&out, &report);
	else
		report_put_summary(&out, &report);
	if (job->args->compare.len && !job->cmd->json)
		TRY(compare_put(job->cmd->arena, &out, job->args->compare, job->before, &report,
		                &job->worse));
	fwrite(out.at, 1, out.len, job->cmd->out);
	TRY(write_file(job, job->args->save, report_put_json, &report));
	TRY(write_file(job, job->args->html, report_put_html, &report));
	return write_file(job, job->args->log, report_put_log, &report);
}

static Err *load(Cmd *cmd)
{
	LoadArgs *args = cmd->args;
	RtConf rt = { .loops = args->threads };
	AUTO(job_fini) Job job = { .cmd = cmd, .args = args };

	if (args->workers || args->coordinator.len)
		rt.loops = args->coordinator.len ? args->threads : 1;
	plan_raise_files();
	if (args->coordinator.len)
		return rt_run(&rt, run, &job);
	if (!args->what.len)
		return err_new(cmd->arena, ERR_INVALID, "load.nothing",
		               "what? Say a URL or a scenario's file");
	TRY(read_target(&job));
	TRY(take_options(cmd->arena, args, job.conf));
	TRY(read_thresholds(&job));
	if (args->compare.len)
		TRY(file_read(cmd->arena, args->compare, 0, &job.before));
	TRY(rt_run(&rt, run, &job));
	if (args->find.len || args->dry_run)
		return NULL;
	find_verdicts(&job);
	TRY(print(&job));
	return judge(&job);
}

static const ConfKey init_options[] = {
	{ "from", CONF_STR, AT(InitArgs, from), .letter = 'f', .value = "FILE",
	  .help = "a HAR (.har: what a browser recorded) or OpenAPI 3 (.yaml, .json)" },
	{ "output", CONF_STR, AT(InitArgs, output), .letter = 'o', .value = "FILE",
	  .help = "where to; without it standard output" },
	{ "force", CONF_BOOL, AT(InitArgs, force), .help = "even if that file is there" },
	{ "writes", CONF_BOOL, AT(InitArgs, writes),
	  .help = "of an API, operations that change something too" },
};

static const Command rows[] = {
	{ "load", .group = "prove",
	  .summary = "put a load on a server, and tell the truth about it", .run = load,
	  .json = true, COMMAND_OPTIONS(load_options), COMMAND_OPERANDS(load_operands),
	  .size = sizeof(LoadArgs) },
	{ "load init", .group = "prove",
	  .summary = "write a first scenario out of a recording or a description of an API",
	  .run = load_init, COMMAND_OPTIONS(init_options), .size = sizeof(InitArgs) },
};

const Command *load_commands(size_t *count)
{
	*count = COUNT(rows);
	return rows;
}

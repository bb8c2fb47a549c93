/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan jobs list|show|retry|cancel`: looking after the jobs of a database by its URL, beside the runners that do them. */
#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"
#include "rt/loop.h"
#include "store/event_command.h"
#include "store/job.h"

typedef struct JobArgs {
	Str url, kind;
	uint32_t state;
	uint32_t most;
	bool failed, dry_run;
	CONF_LIST_OF(Str) ids;
	Str id;
} JobArgs;

static const ConfWord states[] = {
	{ "any", 0, "all of them" },
	{ "scheduled", 1, "not due yet" },
	{ "ready", 2, "due, and nobody has begun" },
	{ "running", 3, "at work" },
	{ "done", 4, "done" },
	{ "failed", 5, "given up" },
	{ "cancelled", 6, "by a person" },
	{ 0 },
};

typedef struct Work {
	Cmd *cmd;
	const JobArgs *args;
	Db *db;
	Err *(*run)(struct Work *work);
} Work;

static Err *main_fiber(void *arg)
{
	Work *work = arg;
	DbConf conf = { .url = work->args->url, .name = S("command"), .connections = 2 };
	AUTO(db_closep) Db *db = NULL;

	TRY(db_open(work->cmd->arena, &conf, &db));
	work->db = db;
	return work->run(work);
}

static Err *with_db(Cmd *cmd, Err *(*run)(Work *work))
{
	Work work = { .cmd = cmd, .args = cmd->args, .run = run };

	return rt_run(&(RtConf){ .loops = 1, .workers = 1 }, main_fiber, &work);
}

static void say(const Cmd *cmd, const Buf *b)
{
	if (b->len)
		fwrite(b->at, 1, b->len, cmd->out);
}

/* --- looking ---------------------------------------------------------------------------------------------------------- */

static void put_time(JsonWriter *w, const char *name, int64_t us)
{
	if (!us)
		return;
	json_key(w, str_of(name));
	json_add_time(w, us);
}

static void job_json(JsonWriter *w, Arena *a, const Job *job)
{
	json_begin_object(w);
	json_put_str(w, "id", uuid_text(a, job->id));
	json_put_str(w, "kind", job->kind);
	json_put_str(w, "state", job->state);
	if (job->key.len)
		json_put_str(w, "key", job->key);
	json_put_i64(w, "priority", job->priority);
	json_put_i64(w, "attempts", job->attempts);
	json_put_i64(w, "most_attempts", job->most_attempts);
	json_put_bool(w, "cancel_asked", job->cancel_asked);
	put_time(w, "created_at", job->created_us);
	put_time(w, "run_at", job->run_at_us);
	put_time(w, "started_at", job->started_us);
	put_time(w, "ended_at", job->ended_us);
	put_time(w, "leased_until", job->leased_until_us);
	if (job->owner.len)
		json_put_str(w, "owner", job->owner);
	if (job->progress_total || job->progress_done || job->progress_text.len) {
		json_key(w, S("progress"));
		json_begin_object(w);
		json_put_i64(w, "done", job->progress_done);
		json_put_i64(w, "total", job->progress_total);
		json_put_str(w, "text", job->progress_text);
		json_end(w);
	}
	if (job->error.len)
		json_put_str(w, "error", job->error);
	json_key(w, S("data"));
	json_add_raw(w, job->data);
	json_end(w);
}

static void put_line(Buf *b, Arena *a, const Job *job)
{
	buf_fmt(b, "%.*s %.*s %.*s ", STR_ARG(uuid_text(a, job->id)), STR_ARG(job->state),
	        STR_ARG(job->kind));
	time_put_rfc3339(b, job->run_at_us);
	buf_fmt(b, " attempt %" PRId64 " of %" PRId64, job->attempts, job->most_attempts);
	if (job->progress_total)
		buf_fmt(b, " %" PRId64 "/%" PRId64, job->progress_done, job->progress_total);
	if (job->progress_text.len)
		buf_fmt(b, " %.*s", STR_ARG(job->progress_text));
	if (job->error.len)
		buf_fmt(b, "\n  %.*s", STR_ARG(job->error));
	buf_putc(b, '\n');
}

static Err *run_list(Work *work)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Arena *a = work->cmd->arena;
	uint32_t state = work->args->state;
	Job *jobs;
	size_t count;

	TRY(jobs_list(work->db, a, work->args->kind, state ? str_of(states[state].name) : S(""),
	              (Uuid){ 0 }, work->args->most, &jobs, &count));
	if (work->cmd->json)
		json_begin_array(&w);
	for (size_t i = 0; i < count; i++) {
		if (work->cmd->json)
			job_json(&w, a, &jobs[i]);
		else
			put_line(&b, a, &jobs[i]);
	}
	if (work->cmd->json) {
		json_end(&w);
		buf_putc(&b, '\n');
	}
	say(work->cmd, &b);
	return NULL;
}

static Err *find(Work *work, Str text, Job *out)
{
	Arena *a = work->cmd->arena;
	Job *job;
	Uuid id;

	if (!uuid_read(text, &id))
		return err_new(a, ERR_INVALID, "jobs.id", "%.*s is not a job's id",
		               STR_ARG(str_quote(a, text)));
	TRY(job_find(work->db, a, id, &job));
	if (!job)
		return err_new(a, ERR_NOT_FOUND, "jobs.unknown", "there is no job %.*s",
		               STR_ARG(text));
	*out = *job;
	return NULL;
}

static Err *run_show(Work *work)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Job job = { 0 };

	TRY(find(work, work->args->id, &job));
	if (work->cmd->json) {
		job_json(&w, work->cmd->arena, &job);
		buf_putc(&b, '\n');
	} else {
		put_line(&b, work->cmd->arena, &job);
		buf_fmt(&b, "  %.*s\n", STR_ARG(job.data));
	}
	say(work->cmd, &b);
	return NULL;
}

/* --- changing --------------------------------------------------------------------------------------------------------- */

typedef Err *ChangeFn(Db *db, Arena *a, Uuid id, bool *done);

static void tell(Work *work, uint64_t changed, const char *what)
{
	bool dry = work->args->dry_run;

	if (work->cmd->json)
		fprintf(work->cmd->out, "{\"changed\":%" PRIu64 ",\"dry_run\":%s}\n", changed,
		        dry ? "true" : "false");
	else
		fprintf(work->cmd->out, "%" PRIu64 " jobs %s %s\n", changed,
		        dry ? "would be" : "are", what);
}

/* Those that are named; one that is in no state for it is a conflict, after the others were done. */
static Err *change(Work *work, ChangeFn *fn, bool (*fits)(const Job *job), const char *what)
{
	const JobArgs *args = work->args;
	Err *refused = NULL;
	uint64_t changed = 0;

	for (size_t i = 0; i < args->ids.count; i++) {
		bool done;
		Job job = { 0 };

		TRY(find(work, args->ids.at[i], &job));
		done = fits(&job);
		if (done && !args->dry_run)
			TRY(fn(work->db, work->cmd->arena, job.id, &done));
		changed += done;
		if (!done && !refused)
			refused = err_new(work->cmd->arena, ERR_CONFLICT, "jobs.state",
			                  "job %.*s is %.*s", STR_ARG(args->ids.at[i]),
			                  STR_ARG(job.state));
	}
	tell(work, changed, what);
	return refused;
}

static bool may_be_retried(const Job *job)
{
	return str_eq(job->state, S("failed")) || str_eq(job->state, S("cancelled")) ||
	       str_eq(job->state, S("scheduled"));
}

static bool may_be_cancelled(const Job *job)
{
	return str_eq(job->state, S("scheduled")) || str_eq(job->state, S("ready")) ||
	       str_eq(job->state, S("running"));
}

static Err *retry_failed(Work *work)
{
	Arena *a = work->cmd->arena;
	Uuid before = { 0 };
	uint64_t changed = 0;
	size_t count;
	Job *jobs;

	do {
		TRY(jobs_list(work->db, a, work->args->kind, S("failed"), before, 100, &jobs,
		              &count));
		for (size_t i = 0; i < count; i++) {
			bool done = true;

			if (!work->args->dry_run)
				TRY(job_retry(work->db, a, jobs[i].id, &done));
			changed += done;
			before = jobs[i].id;
		}
	} while (count);
	tell(work, changed, "tried again");
	return NULL;
}

static Err *run_retry(Work *work)
{
	if (work->args->failed)
		return retry_failed(work);
	return change(work, job_retry, may_be_retried, "tried again");
}

static Err *run_cancel(Work *work)
{
	return change(work, job_cancel, may_be_cancelled, "cancelled");
}

static Err *cmd_list(Cmd *cmd)
{
	return with_db(cmd, run_list);
}

static Err *cmd_show(Cmd *cmd)
{
	return with_db(cmd, run_show);
}

static Err *cmd_retry(Cmd *cmd)
{
	const JobArgs *args = cmd->args;

	if (args->failed == (args->ids.count > 0))
		return err_new(cmd->arena, ERR_INVALID, "args.missing",
		               "say which: ids of jobs, or --failed");
	return with_db(cmd, run_retry);
}

static Err *cmd_cancel(Cmd *cmd)
{
	return with_db(cmd, run_cancel);
}

/* --- rows ------------------------------------------------------------------------------------------------------------- */

#define URL_ROW \
	{ \
		"URL", CONF_STR, AT(JobArgs, url), \
			.required = true, \
			.help = "the database: sqlite:PATH, postgresql://USER@HOST/NAME" \
	}
#define KIND_ROW \
	{ \
		"kind", CONF_STR, AT(JobArgs, kind), .help = "of this kind only" \
	}
#define DRY_ROW \
	{ \
		"dry-run", CONF_BOOL, AT(JobArgs, dry_run), .help = "say how many, and do nothing" \
	}

static const ConfKey url_operand[] = { URL_ROW };

static const ConfKey one_operands[] = {
	URL_ROW,
	{ "ID", CONF_STR, AT(JobArgs, id), .required = true, .help = "the job" },
};

static const ConfKey many_operands[] = {
	URL_ROW,
	{ "ID", CONF_STR, AT_LIST(JobArgs, ids), .help = "the jobs" },
};

static const ConfKey some_operands[] = {
	URL_ROW,
	{ "ID", CONF_STR, AT_LIST(JobArgs, ids), .required = true, .help = "the jobs" },
};

static const ConfKey list_options[] = {
	KIND_ROW,
	{ "state", CONF_ENUM, AT(JobArgs, state), .names = states, .def = "any",
	  .help = "in this state only" },
	{ "most", CONF_UINT, AT(JobArgs, most), .letter = 'n', .def = "50", .min = "1",
	  .max = "100000", .help = "how many at most" },
};

static const ConfKey retry_options[] = {
	{ "failed", CONF_BOOL, AT(JobArgs, failed), .help = "every job that failed" },
	KIND_ROW,
	DRY_ROW,
};

static const ConfKey cancel_options[] = { DRY_ROW };

static const Command commands[] = {
	{ "jobs list", .group = "services", .summary = "jobs of a database, newest first",
	  .run = cmd_list, .json = true, COMMAND_OPERANDS(url_operand),
	  COMMAND_OPTIONS(list_options), .size = sizeof(JobArgs),
	  .examples = "banyan jobs list sqlite:data/notification.db --state failed" },
	{ "jobs show", .group = "services", .summary = "one job, its data and its progress",
	  .run = cmd_show, .json = true, COMMAND_OPERANDS(one_operands), .size = sizeof(JobArgs),
	  .examples =
	          "banyan jobs show sqlite:data/notification.db 018f3c1e-7a4b-7cc0-b1f2-0123456789ab" },
	{ "jobs retry", .group = "services", .summary = "have jobs done again", .run = cmd_retry,
	  .json = true, COMMAND_OPERANDS(many_operands), COMMAND_OPTIONS(retry_options),
	  .size = sizeof(JobArgs),
	  .help = "Those that failed or were cancelled, with all attempts before them; one that is scheduled is done now.",
	  .examples =
	          "banyan jobs retry sqlite:data/notification.db --failed --kind mail --dry-run" },
	{ "jobs cancel", .group = "services", .summary = "keep jobs from being done",
	  .run = cmd_cancel, .json = true, COMMAND_OPERANDS(some_operands),
	  COMMAND_OPTIONS(cancel_options), .size = sizeof(JobArgs),
	  .help = "One that waits never runs. One that runs is told to end within a third of its lease.",
	  .examples =
	          "banyan jobs cancel sqlite:data/notification.db 018f3c1e-7a4b-7cc0-b1f2-0123456789ab" },
};

const Command *job_commands(size_t *count)
{
	*count = COUNT(commands);
	return commands;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan saga list|show|retry|compensate`: looking after the sagas of a database by its URL, beside the service that carries them
 * on. A change is written down with a job; whoever does the jobs of that database then acts on it. */
#include "saga/saga_command.h"

#include "base/arena.h"
#include "base/time.h"
#include "obs/metric.h"
#include "rt/loop.h"
#include "saga/saga.h"

typedef struct SagaArgs {
	Str url, type;
	uint32_t state;
	uint32_t most;
	bool past_pivot, stuck;
	CONF_LIST_OF(Str) ids;
	Str id;
} SagaArgs;

enum { ANY_STATE = SAGA_STATES };

static const ConfWord states[] = {
	{ "any", ANY_STATE, "all of them" },
	{ "running", SAGA_RUNNING, "its pivot is not passed" },
	{ "committing", SAGA_COMMITTING, "its pivot is passed: it will be done" },
	{ "compensating", SAGA_COMPENSATING, "being undone" },
	{ "done", SAGA_DONE, "done" },
	{ "compensated", SAGA_COMPENSATED, "undone" },
	{ "stuck", SAGA_STUCK, "waits for a person" },
	{ 0 },
};

typedef struct Work {
	Cmd *cmd;
	const SagaArgs *args;
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

/* --- looking ------------------------------------------------------------------------------------------------------------ */

static void put_text(JsonWriter *w, const char *name, Str text)
{
	if (text.len)
		json_put_str(w, name, text);
}

static void put_time(JsonWriter *w, const char *name, int64_t us)
{
	if (!us)
		return;
	json_key(w, str_of(name));
	json_add_time(w, us);
}

static void step_json(JsonWriter *w, const SagaStepView *step)
{
	json_begin_object(w);
	json_put_str(w, "name", step->name);
	json_put_str(w, "direction", step->direction);
	json_put_str(w, "kind", step->kind);
	json_put_str(w, "state", step->state);
	json_put_i64(w, "attempts", step->attempts);
	json_put_str(w, "key", step->key);
	put_time(w, "begun_at", step->begun_us);
	put_time(w, "ended_at", step->ended_us);
	put_text(w, "error", step->error);
	if (step->result.len) {
		json_key(w, S("result"));
		json_add_raw(w, step->result);
	}
	json_end(w);
}

static void saga_json(JsonWriter *w, Arena *a, const SagaView *saga)
{
	json_begin_object(w);
	json_put_str(w, "id", uuid_text(a, saga->id));
	json_put_str(w, "type", saga->type);
	json_put_i64(w, "version", saga->version);
	json_put_str(w, "state", saga_state_name(saga->at.state));
	if (saga->at.state == SAGA_STUCK)
		json_put_str(w, "stuck_in", saga_state_name(saga->at.stuck_in));
	json_put_i64(w, "step", saga->at.step);
	put_text(w, "key", saga->key);
	put_text(w, "reason", saga->reason);
	put_text(w, "message", saga->message);
	put_text(w, "error", saga->error);
	put_text(w, "traceparent", saga->traceparent);
	put_time(w, "begun_at", saga->begun_us);
	put_time(w, "changed_at", saga->changed_us);
	put_time(w, "next_at", saga->next_us);
	put_time(w, "deadline", saga->deadline_us);
	put_time(w, "ended_at", saga->ended_us);
	json_key(w, S("data"));
	json_add_raw(w, saga->data);
	if (saga->steps) {
		json_key(w, S("steps"));
		json_begin_array(w);
		for (size_t i = 0; i < saga->step_count; i++)
			step_json(w, &saga->steps[i]);
		json_end(w);
	}
	json_end(w);
}

static void put_line(Buf *b, Arena *a, const SagaView *saga)
{
	buf_fmt(b, "%.*s %.*s %.*s/%" PRId64 " ", STR_ARG(uuid_text(a, saga->id)),
	        STR_ARG(saga_state_name(saga->at.state)), STR_ARG(saga->type), saga->version);
	time_put_rfc3339(b, saga->begun_us);
	if (saga->reason.len)
		buf_fmt(b, " because %.*s (%.*s)", STR_ARG(saga->reason), STR_ARG(saga->message));
	if (saga->next_us) {
		buf_put(b, S(" again at "));
		time_put_rfc3339(b, saga->next_us);
	}
	if (saga->error.len)
		buf_fmt(b, "\n  %.*s", STR_ARG(saga->error));
	buf_putc(b, '\n');
}

static void put_step(Buf *b, const SagaStepView *step)
{
	buf_fmt(b, "  %-8.*s %-12.*s %-10.*s", STR_ARG(step->direction), STR_ARG(step->name),
	        STR_ARG(step->state));
	if (step->attempts)
		buf_fmt(b, " %" PRId64 " attempt%s", step->attempts,
		        step->attempts == 1 ? "" : "s");
	if (step->error.len)
		buf_fmt(b, ": %.*s", STR_ARG(step->error));
	buf_putc(b, '\n');
}

static Err *run_list(Work *work)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Arena *a = work->cmd->arena;
	const SagaArgs *args = work->args;
	SagaFilter filter = { .type = args->type, .most = args->most };
	SagaView *sagas;
	size_t count;

	if (args->state != ANY_STATE)
		filter.state = saga_state_name((SagaState)args->state);
	TRY(sagas_list(work->db, a, &filter, &sagas, &count));
	if (work->cmd->json)
		json_begin_array(&w);
	for (size_t i = 0; i < count; i++) {
		if (work->cmd->json)
			saga_json(&w, a, &sagas[i]);
		else
			put_line(&b, a, &sagas[i]);
	}
	if (work->cmd->json) {
		json_end(&w);
		buf_putc(&b, '\n');
	}
	say(work->cmd, &b);
	return NULL;
}

static Err *read_id(Arena *a, Str text, Uuid *id)
{
	if (uuid_read(text, id))
		return NULL;
	return err_new(a, ERR_INVALID, "saga.id", "%.*s is not a saga's id",
	               STR_ARG(str_quote(a, text)));
}

static Err *run_show(Work *work)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Arena *a = work->cmd->arena;
	SagaView *saga;
	Uuid id;

	TRY(read_id(a, work->args->id, &id));
	TRY(saga_find(work->db, a, id, &saga));
	if (!saga)
		return err_new(a, ERR_NOT_FOUND, "saga.unknown", "there is no saga %.*s",
		               STR_ARG(work->args->id));
	if (work->cmd->json) {
		saga_json(&w, a, saga);
		buf_putc(&b, '\n');
	} else {
		put_line(&b, a, saga);
		for (size_t i = 0; i < saga->step_count; i++)
			put_step(&b, &saga->steps[i]);
		buf_fmt(&b, "  %.*s\n", STR_ARG(saga->data));
	}
	say(work->cmd, &b);
	return NULL;
}

/* --- changing ----------------------------------------------------------------------------------------------------------- */

static void tell(Work *work, uint64_t changed, const char *what)
{
	if (work->cmd->json)
		fprintf(work->cmd->out, "{\"changed\":%" PRIu64 "}\n", changed);
	else
		fprintf(work->cmd->out, "%" PRIu64 " sagas %s\n", changed, what);
}

static Err *retry_stuck(Work *work)
{
	SagaFilter filter = { .type = work->args->type, .state = S("stuck"), .most = 100 };
	Arena *a = work->cmd->arena;
	uint64_t changed = 0;
	SagaView *sagas;
	size_t count;

	do {
		TRY(sagas_list(work->db, a, &filter, &sagas, &count));
		for (size_t i = 0; i < count; i++) {
			TRY(saga_retry(work->db, a, sagas[i].id));
			changed++;
			filter.before = sagas[i].id;
		}
	} while (count);
	tell(work, changed, "are tried again");
	return NULL;
}

/* One that cannot be changed is told after the others were. */
static Err *each(Work *work, bool again)
{
	const SagaArgs *args = work->args;
	Arena *a = work->cmd->arena;
	Err *refused = NULL;
	uint64_t changed = 0;

	for (size_t i = 0; i < args->ids.count; i++) {
		Err *err;
		Uuid id;

		TRY(read_id(a, args->ids.at[i], &id));
		err = again ? saga_retry(work->db, a, id)
		            : saga_compensate(work->db, a, id, args->past_pivot);
		if (err && err->kind != ERR_CONFLICT)
			return err;
		changed += !err;
		refused = refused ? refused : err;
	}
	tell(work, changed, again ? "are tried again" : "are undone");
	return refused;
}

static Err *run_retry(Work *work)
{
	return work->args->stuck ? retry_stuck(work) : each(work, true);
}

static Err *run_compensate(Work *work)
{
	return each(work, false);
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
	const SagaArgs *args = cmd->args;

	if (args->stuck == (args->ids.count > 0))
		return err_new(cmd->arena, ERR_INVALID, "args.missing",
		               "say which: ids of sagas, or --stuck");
	return with_db(cmd, run_retry);
}

static Err *cmd_compensate(Cmd *cmd)
{
	return with_db(cmd, run_compensate);
}

/* --- rows --------------------------------------------------------------------------------------------------------------- */

#define URL_ROW \
	{ \
		"URL", CONF_STR, AT(SagaArgs, url), \
			.required = true, \
			.help = "the database: sqlite:PATH, postgresql://USER@HOST/NAME" \
	}
#define TYPE_ROW \
	{ \
		"type", CONF_STR, AT(SagaArgs, type), .help = "of this type only" \
	}

static const ConfKey url_operand[] = { URL_ROW };

static const ConfKey one_operands[] = {
	URL_ROW,
	{ "ID", CONF_STR, AT(SagaArgs, id), .required = true, .help = "the saga" },
};

static const ConfKey many_operands[] = {
	URL_ROW,
	{ "ID", CONF_STR, AT_LIST(SagaArgs, ids), .help = "the sagas" },
};

static const ConfKey some_operands[] = {
	URL_ROW,
	{ "ID", CONF_STR, AT_LIST(SagaArgs, ids), .required = true, .help = "the sagas" },
};

static const ConfKey list_options[] = {
	TYPE_ROW,
	{ "state", CONF_ENUM, AT(SagaArgs, state), .names = states, .def = "any",
	  .help = "in this state only" },
	{ "most", CONF_UINT, AT(SagaArgs, most), .letter = 'n', .def = "50", .min = "1",
	  .max = "100000", .help = "how many at most" },
};

static const ConfKey retry_options[] = {
	{ "stuck", CONF_BOOL, AT(SagaArgs, stuck), .help = "every one that is stuck" },
	TYPE_ROW,
};

static const ConfKey compensate_options[] = {
	{ "past-pivot", CONF_BOOL, AT(SagaArgs, past_pivot),
	  .help = "although its pivot was tried: a charge is given back" },
};

static const Command commands[] = {
	{ "saga list", .group = "services", .summary = "sagas of a database, newest first",
	  .run = cmd_list, .json = true, COMMAND_OPERANDS(url_operand),
	  COMMAND_OPTIONS(list_options), .size = sizeof(SagaArgs),
	  .examples = "banyan saga list sqlite:data/payment.db --state stuck" },
	{ "saga show", .group = "services", .summary = "one saga and what became of its steps",
	  .run = cmd_show, .json = true, COMMAND_OPERANDS(one_operands), .size = sizeof(SagaArgs),
	  .examples =
	          "banyan saga show sqlite:data/payment.db 018f3c1e-7a4b-7cc0-b1f2-0123456789ab" },
	{ "saga retry", .group = "services", .summary = "have sagas go on where they are",
	  .run = cmd_retry, .json = true, COMMAND_OPERANDS(many_operands),
	  COMMAND_OPTIONS(retry_options), .size = sizeof(SagaArgs),
	  .help = "A stuck one goes on, all attempts ahead of it; one that waits for its next attempt is tried now.",
	  .examples = "banyan saga retry sqlite:data/payment.db --stuck" },
	{ "saga compensate", .group = "services", .summary = "undo sagas", .run = cmd_compensate,
	  .json = true, COMMAND_OPERANDS(some_operands), COMMAND_OPTIONS(compensate_options),
	  .size = sizeof(SagaArgs),
	  .help = "What is under way is given up and undone too. After its pivot was tried that takes --past-pivot, and a pivot that can be undone.",
	  .examples =
	          "banyan saga compensate sqlite:data/payment.db 018f3c1e-7a4b-7cc0-b1f2-0123456789ab" },
};

void saga_put_metrics(Buf *out)
{
	size_t count;
	const MetricFamily *rows = saga_metrics(&count);

	metrics_put_markdown(out, rows, count);
}

const Command *saga_commands(size_t *count)
{
	*count = COUNT(commands);
	return commands;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan events tail|dead|replay|forget`: looking into a database's outbox, at what its consumers have given up, and taking out
 * readers that do not come back. Each works on a database by its URL, beside the services that use it. */
#include "store/event_command.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"
#include "rt/loop.h"
#include "rt/signals.h"
#include "store/bus.h"
#include "store/job.h"
#include "store/outbox.h"

typedef struct EventArgs {
	Str url, source, consumer, reader;
	int64_t after;
	bool has_after, follow, all, dry_run, yes;
	uint32_t most;
	CONF_LIST_OF(Str) ids;
} EventArgs;

typedef struct Task {
	Cmd *cmd;
	const EventArgs *args;
	Db *db;
	Err *(*run)(struct Task *task);
} Task;

static Err *main_fiber(void *arg)
{
	Task *task = arg;
	DbConf conf = { .url = task->args->url, .name = S("command"), .connections = 2 };
	AUTO(db_closep) Db *db = NULL;

	TRY(db_open(task->cmd->arena, &conf, &db));
	task->db = db;
	return task->run(task);
}

static Err *with_db(Cmd *cmd, Err *(*run)(Task *task))
{
	Task task = { .cmd = cmd, .args = cmd->args, .run = run };

	return rt_run(&(RtConf){ .loops = 1, .workers = 1 }, main_fiber, &task);
}

static void say(const Cmd *cmd, const Buf *b)
{
	if (b->len)
		fwrite(b->at, 1, b->len, cmd->out);
}

/* --- tail ------------------------------------------------------------------------------------------------------------- */

static void put_line(Buf *b, const Event *event)
{
	buf_put_i64(b, event->seq);
	buf_putc(b, ' ');
	time_put_rfc3339(b, event->time_us);
	buf_fmt(b, " %.*s %.*s/%.*s %.*s\n", STR_ARG(event->type), STR_ARG(event->aggregate_type),
	        STR_ARG(event->aggregate_id), STR_ARG(event->data));
}

static Err *tail_page(Task *task, Arena *a, int64_t *after, bool *first)
{
	AUTO(buf_fini) Buf b = { 0 };
	Event *events;
	size_t count;

	TRY(outbox_read(task->db, a, task->args->source, *after, task->args->most, &events,
	                &count));
	for (size_t i = 0; i < count; i++) {
		if (task->cmd->json && !task->args->follow)
			buf_put(&b, *first ? S("") : S(",\n"));
		if (task->cmd->json)
			event_put(&b, &events[i]);
		else
			put_line(&b, &events[i]);
		if (task->cmd->json && task->args->follow)
			buf_putc(&b, '\n');
		*first = false;
		*after = events[i].seq;
	}
	say(task->cmd, &b);
	fflush(task->cmd->out);
	return NULL;
}

typedef struct Follow {
	Task *task;
	int64_t after;
	Fiber *parent;
	Err *wrong;
} Follow;

static Err *follow(void *arg)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(db_watch_end) DbWatch watch = { 0 };
	Follow *f = arg;
	bool first = true;

	TRY(db_watch_begin(&watch, f->task->db, f->task->cmd->arena, OUTBOX_CHANNEL));
	for (;;) {
		Err *err = tail_page(f->task, a, &f->after, &first);

		if (err && err->kind != ERR_CANCELLED) {
			f->wrong = err_copy(f->task->cmd->arena, err);
			fiber_cancel(f->parent);
		}
		TRY(err);
		TRY(db_watch_wait(&watch, 200 * US_PER_MS));
		arena_clear(a);
	}
}

/* Until a signal, or what is wrong. */
static Err *follow_until_told(Task *task, int64_t after)
{
	AUTO(child_end) Child child = { 0 };
	Follow f = { .task = task, .after = after, .parent = fiber_self() };
	int signo;

	TRY(child_start(&child, follow, &f, "follow"));
	if (signal_wait(&signo) && f.wrong)
		return f.wrong;
	return NULL;
}

static Err *run_tail(Task *task)
{
	int64_t after = task->args->after, last;
	bool first = true;

	TRY(outbox_last(task->db, task->cmd->arena, &last));
	if (!task->args->has_after)
		after = MAX(0, last - (int64_t)task->args->most);
	if (task->args->follow)
		return follow_until_told(task, after);
	if (task->cmd->json)
		fputs("[", task->cmd->out);
	TRY(tail_page(task, task->cmd->arena, &after, &first));
	if (task->cmd->json)
		fputs("]\n", task->cmd->out);
	return NULL;
}

static Err *events_tail(Cmd *cmd)
{
	return with_db(cmd, run_tail);
}

/* --- dead ------------------------------------------------------------------------------------------------------------- */

static void put_letter(Buf *b, Arena *a, const DeadLetter *letter)
{
	buf_put(b, uuid_text(a, letter->id));
	buf_putc(b, ' ');
	time_put_rfc3339(b, letter->dead_us);
	buf_fmt(b, " %.*s %.*s %.*s %.*s\n  %.*s\n", STR_ARG(letter->consumer),
	        STR_ARG(letter->source), STR_ARG(letter->type), STR_ARG(letter->subject),
	        STR_ARG(letter->error));
}

static void letter_json(JsonWriter *w, Arena *a, const DeadLetter *letter)
{
	json_begin_object(w);
	json_put_str(w, "id", uuid_text(a, letter->id));
	json_put_str(w, "consumer", letter->consumer);
	json_put_str(w, "source", letter->source);
	json_put_str(w, "type", letter->type);
	json_put_str(w, "subject", letter->subject);
	json_put_i64(w, "attempts", letter->attempts);
	json_put_str(w, "error", letter->error);
	json_key(w, S("held_at"));
	json_add_time(w, letter->held_us);
	json_key(w, S("dead_at"));
	json_add_time(w, letter->dead_us);
	json_key(w, S("event"));
	json_add_raw(w, letter->event);
	json_end(w);
}

static Err *run_dead(Task *task)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Arena *a = task->cmd->arena;
	DeadLetter *letters;
	size_t count;

	TRY(dead_list(task->db, a, 0, task->args->most, &letters, &count));
	if (task->cmd->json)
		json_begin_array(&w);
	for (size_t i = 0; i < count; i++) {
		if (!task->cmd->json)
			put_letter(&b, a, &letters[i]);
		else
			letter_json(&w, a, &letters[i]);
	}
	if (task->cmd->json) {
		json_end(&w);
		buf_putc(&b, '\n');
	} else {
		buf_fmt(&b, "%zu dead letters\n", count);
	}
	say(task->cmd, &b);
	return NULL;
}

static Err *events_dead(Cmd *cmd)
{
	return with_db(cmd, run_dead);
}

/* --- replay ----------------------------------------------------------------------------------------------------------- */

static Err *replay_letters(Task *task, const DeadLetter *letters, size_t count, uint64_t *replayed)
{
	for (size_t i = 0; i < count; i++) {
		bool done = true;

		if (!task->args->dry_run)
			TRY(dead_replay(task->db, task->cmd->arena, letters[i].pos, &done));
		*replayed += done;
	}
	return NULL;
}

static Err *replay_ids(Task *task, uint64_t *replayed)
{
	Arena *a = task->cmd->arena;

	for (size_t i = 0; i < task->args->ids.count; i++) {
		DeadLetter *letters;
		size_t count;
		Uuid id;

		if (!uuid_read(task->args->ids.at[i], &id))
			return err_new(a, ERR_INVALID, "events.id", "%.*s is not an event's id",
			               STR_ARG(str_quote(a, task->args->ids.at[i])));
		TRY(dead_find(task->db, a, id, &letters, &count));
		if (!count)
			return err_new(a, ERR_NOT_FOUND, "events.unknown",
			               "there is no dead letter %.*s",
			               STR_ARG(task->args->ids.at[i]));
		TRY(replay_letters(task, letters, count, replayed));
	}
	return NULL;
}

/* Pages, because those that are replayed leave the list. */
static Err *replay_all(Task *task, uint64_t *replayed)
{
	int64_t after = 0;
	DeadLetter *letters;
	size_t count;

	do {
		TRY(dead_list(task->db, task->cmd->arena, after, 100, &letters, &count));
		TRY(replay_letters(task, letters, count, replayed));
		after = count ? letters[count - 1].pos : after;
	} while (count);
	return NULL;
}

static Err *rewind_consumer(Task *task)
{
	const EventArgs *args = task->args;
	int64_t parts = 0;

	if (!args->dry_run)
		TRY(consumer_rewind(task->db, task->cmd->arena, args->consumer, args->source,
		                    args->after, &parts));
	if (!parts && !args->dry_run)
		return err_new(task->cmd->arena, ERR_NOT_FOUND, "events.consumer",
		               "no consumer %.*s has read anything of %.*s here",
		               STR_ARG(args->consumer), STR_ARG(args->source));
	if (task->cmd->json)
		fprintf(task->cmd->out, "{\"rewound\":%" PRId64 "}\n", parts);
	else
		fprintf(task->cmd->out, "%.*s reads %.*s again after %" PRId64 "\n",
		        STR_ARG(args->consumer), STR_ARG(args->source), args->after);
	return NULL;
}

static Err *run_replay(Task *task)
{
	const EventArgs *args = task->args;
	uint64_t replayed = 0;

	if (args->consumer.len)
		return rewind_consumer(task);
	if (!args->all && !args->ids.count)
		return err_new(task->cmd->arena, ERR_INVALID, "args.missing",
		               "say which: ids of dead letters, or --all");
	TRY(args->all ? replay_all(task, &replayed) : replay_ids(task, &replayed));
	if (task->cmd->json)
		fprintf(task->cmd->out, "{\"replayed\":%" PRIu64 ",\"dry_run\":%s}\n", replayed,
		        args->dry_run ? "true" : "false");
	else
		fprintf(task->cmd->out, "%" PRIu64 " dead letters %s\n", replayed,
		        args->dry_run ? "would be tried again" : "are tried again");
	return NULL;
}

static Err *events_replay(Cmd *cmd)
{
	const EventArgs *args = cmd->args;

	if (args->consumer.len && (!args->has_after || args->all || args->ids.count))
		return err_new(
			cmd->arena, ERR_INVALID, "args.consumer",
			"--consumer goes with --source and --after, and without dead letters");
	return with_db(cmd, run_replay);
}

/* --- forget ----------------------------------------------------------------------------------------------------------- */

enum { ALIVE_S = 60 }; /* one that works says where it is several times in this while */

static Err *find_reader(Task *task, OutboxReader *out)
{
	Arena *a = task->cmd->arena;
	Str name = task->args->reader, names = S("");
	OutboxReader *readers;
	size_t count;

	TRY(outbox_readers(task->db, a, &readers, &count));
	for (size_t i = 0; i < count; i++) {
		if (str_eq(readers[i].name, name)) {
			*out = readers[i];
			return NULL;
		}
		names = str_fmt(a, "%.*s%s%.*s", STR_ARG(names), i ? ", " : "",
		                STR_ARG(readers[i].name));
	}
	return err_new(a, ERR_NOT_FOUND, "events.reader",
	               count ? "no reader %.*s has been here; there are: %.*s"
	                     : "no reader %.*s has been here%.*s",
	               STR_ARG(str_quote(a, name)), STR_ARG(names));
}

static void put_loss(Buf *b, const OutboxReader *reader, const OutboxLoss *loss)
{
	buf_fmt(b, "%.*s has read up to %" PRId64 " and was last here at ", STR_ARG(reader->name),
	        reader->seq);
	time_put_rfc3339(b, reader->seen_us);
	buf_fmt(b, "\n%" PRId64 " events it has not read", loss->unread);
	if (loss->since_us) {
		buf_put(b, S(", the first of "));
		time_put_rfc3339(b, loss->since_us);
	}
	buf_fmt(b, "\n%" PRId64 " of them are kept for nobody else\n", loss->alone);
}

static void loss_json(Buf *b, const OutboxReader *reader, const OutboxLoss *loss, bool forgotten)
{
	JsonWriter w = json_writer(b);

	json_begin_object(&w);
	json_put_str(&w, "reader", reader->name);
	json_put_i64(&w, "seq", reader->seq);
	json_key(&w, S("seen_at"));
	json_add_time(&w, reader->seen_us);
	json_put_i64(&w, "unread", loss->unread);
	if (loss->since_us) {
		json_key(&w, S("unread_since"));
		json_add_time(&w, loss->since_us);
	}
	json_put_i64(&w, "kept_for_it_alone", loss->alone);
	json_put_bool(&w, "forgotten", forgotten);
	json_end(&w);
	buf_putc(b, '\n');
}

/* Why not, whatever --yes says: NULL, or the reader is still at work. */
static Err *may_forget(Task *task, const OutboxReader *reader)
{
	int64_t ago_s = (time_utc_us() - reader->seen_us) / US_PER_S;

	if (ago_s >= ALIVE_S)
		return NULL;
	return err_new(task->cmd->arena, ERR_CONFLICT, "events.reader_alive",
	               "%.*s was here %" PRId64
	               " s ago: one that works comes back; end it and wait a minute",
	               STR_ARG(reader->name), MAX(0, ago_s));
}

static Err *run_forget(Task *task)
{
	AUTO(buf_fini) Buf b = { 0 };
	const EventArgs *args = task->args;
	Arena *a = task->cmd->arena;
	bool forgotten = false;
	OutboxReader reader = { 0 };
	OutboxLoss loss;

	TRY(find_reader(task, &reader));
	TRY(outbox_loss(task->db, a, &reader, &loss));
	TRY(may_forget(task, &reader));
	if (args->yes && !args->dry_run)
		TRY(outbox_forget(task->db, a, reader.name, &forgotten));
	if (task->cmd->json) {
		loss_json(&b, &reader, &loss, forgotten);
	} else {
		put_loss(&b, &reader, &loss);
		buf_put(&b, forgotten ? S("it is forgotten\n") : S("nothing was done\n"));
	}
	say(task->cmd, &b);
	if (args->yes || args->dry_run)
		return NULL;
	return err_new(a, ERR_INVALID, "args.confirm",
	               "what it has not read is lost to it: say --yes, or --dry-run");
}

static Err *events_forget(Cmd *cmd)
{
	return with_db(cmd, run_forget);
}

/* --- rows ------------------------------------------------------------------------------------------------------------- */

#define URL_ROW \
	{ \
		"URL", CONF_STR, AT(EventArgs, url), \
			.required = true, \
			.help = "the database: sqlite:PATH, postgresql://USER@HOST/NAME" \
	}
#define MOST_ROW(def_) \
	{ \
		"most", CONF_UINT, AT(EventArgs, most), .letter = 'n', .def = (def_), .min = "1", \
							.max = "100000", \
							.help = "how many at most" \
	}

static const ConfKey url_operand[] = { URL_ROW };

static const ConfKey replay_operands[] = {
	URL_ROW,
	{ "ID", CONF_STR, AT_LIST(EventArgs, ids), .help = "dead letters, by their event's id" },
};

static const ConfKey forget_operands[] = {
	URL_ROW,
	{ "READER", CONF_STR, AT(EventArgs, reader), .required = true,
	  .help = "as banyan_outbox_lag_events calls it: a consumer, or relay" },
};

static const ConfKey tail_options[] = {
	{ "after", CONF_INT, AT(EventArgs, after), GIVEN(EventArgs, has_after), .min = "0",
	  .max = "9223372036854775807", .help = "begin behind this place, not with the last" },
	MOST_ROW("20"),
	{ "follow", CONF_BOOL, AT(EventArgs, follow), .letter = 'f',
	  .help = "go on with those that come, until interrupted; with --json one a line" },
	{ "source", CONF_STR, AT(EventArgs, source), .def = "/",
	  .help = "the source that CloudEvents name" },
};

static const ConfKey dead_options[] = { MOST_ROW("100") };

static const ConfKey replay_options[] = {
	{ "all", CONF_BOOL, AT(EventArgs, all), .help = "every dead letter" },
	{ "dry-run", CONF_BOOL, AT(EventArgs, dry_run), .help = "say how many, and do nothing" },
	{ "consumer", CONF_STR, AT(EventArgs, consumer), .value = "NAME",
	  .help = "instead: this consumer of a local bus reads its source again; what it has taken it passes over" },
	{ "source", CONF_STR, AT(EventArgs, source), .value = "NAME", .help = "with --consumer" },
	{ "after", CONF_INT, AT(EventArgs, after), GIVEN(EventArgs, has_after), .min = "0",
	  .max = "9223372036854775807",
	  .help = "with --consumer: behind this place; 0: from the first" },
};

static const ConfKey forget_options[] = {
	{ "dry-run", CONF_BOOL, AT(EventArgs, dry_run),
	  .help = "say what would be lost, and do nothing" },
	{ "yes", CONF_BOOL, AT(EventArgs, yes), .help = "do it" },
};

static const Command commands[] = {
	{ "events tail", .group = "services", .summary = "the last events of an outbox",
	  .run = events_tail, .json = true, COMMAND_OPERANDS(url_operand),
	  COMMAND_OPTIONS(tail_options), .size = sizeof(EventArgs),
	  .help = "A line each: place, time, type, subject, data. With --json CloudEvents.",
	  .examples = "banyan events tail sqlite:data/user.db -f" },
	{ "events dead", .group = "services", .summary = "events that a consumer has given up",
	  .run = events_dead, .json = true, COMMAND_OPERANDS(url_operand),
	  COMMAND_OPTIONS(dead_options), .size = sizeof(EventArgs),
	  .help = "Of the consumers whose database this is. Each with its error; --json has the event too.",
	  .examples = "banyan events dead sqlite:data/notification.db --json" },
	{ "events replay", .group = "services", .summary = "have dead letters tried again",
	  .run = events_replay, .json = true, COMMAND_OPERANDS(replay_operands),
	  COMMAND_OPTIONS(replay_options), .size = sizeof(EventArgs),
	  .help = "The running consumers take them up within a second, with all attempts before them. They come after "
	          "events of the same aggregate that came later: consumers compare versions where that matters.",
	  .examples =
	          "banyan events replay sqlite:data/notification.db --all --dry-run\n"
	          "banyan events replay sqlite:data/notification.db 018f3c1e-7a4b-7cc0-b1f2-0123456789ab\n"
	          "banyan events replay sqlite:data/analytics.db --consumer analytics --source /user --after 0" },
	{ "events forget", .group = "services",
	  .summary = "let go of what a reader that is gone for good has not read",
	  .run = events_forget, .json = true, COMMAND_OPERANDS(forget_operands),
	  COMMAND_OPTIONS(forget_options), .size = sizeof(EventArgs),
	  .help = "Of the database whose outbox it read: events that it has not read stay there for ever, unless it is forgotten. "
	          "Says how many; without --yes nothing is done. One that was here in the last minute is not forgotten. "
	          "Should it come back, it begins with what is still there.",
	  .examples = "banyan events forget sqlite:data/user.db analytics --dry-run\n"
	              "banyan events forget sqlite:data/user.db analytics --yes" },
};

const Command *event_commands(size_t *count)
{
	*count = COUNT(commands);
	return commands;
}

void event_put_metrics(Buf *out)
{
	static MetricList *const lists[] = {
		bus_metrics,   consumer_metrics, redis_consumer_metrics,
		relay_metrics, job_metrics,      job_run_metrics
	};

	for (size_t i = 0; i < COUNT(lists); i++) {
		size_t count;
		const MetricFamily *rows = lists[i](&count);

		buf_putc(out, '\n');
		metrics_put_markdown(out, rows, count);
	}
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * What people do with notifications from a shell, beside the service, on its database: look what waits and what became of one, take
 * one back, have one sent again. */
#include "notification/notification_command.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"
#include "notification/accept.h"
#include "notification/notification.h"
#include "service/service.h"

#include "notification_delivery_sql.h"
#include "notification_sql.h"

typedef struct Args {
	Str config, id;
	uint32_t most;
} Args;

typedef struct Run {
	Cmd *cmd;
	Uuid id;
	int64_t cancelled;
} Run;

static Err *run(Cmd *cmd, ServiceCommand *fn)
{
	return service_command(cmd, notification_service(), ((const Args *)cmd->args)->config, fn,
	                       NULL);
}

static Str time_text(Arena *a, int64_t us)
{
	AUTO(buf_fini) Buf b = { 0 };

	time_put_rfc3339(&b, us);
	return str_dup(a, str_sub(buf_str(&b), 0, 19));
}

static void out_json(const Cmd *cmd, const Buf *b)
{
	fwrite(b->at, 1, b->len, cmd->out);
	fputc('\n', cmd->out);
}

static Err *read_id(const Cmd *cmd, const char *prefix, Uuid *id)
{
	Str text = ((const Args *)cmd->args)->id;

	if (service_id_read(text, prefix, id))
		return NULL;
	return err_new(cmd->arena, ERR_INVALID, "args.value", "%.*s is no id of the form %s018f...",
	               STR_ARG(str_quote(cmd->arena, text)), prefix);
}

/* --- list ------------------------------------------------------------------------------------------------------------------ */

static Err *list(Cmd *cmd, ServiceHome *home, void *arg)
{
	const Args *args = cmd->args;
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	NotificationRow *rows;
	size_t count;
	Uuid last;

	(void)arg;
	for (size_t i = 0; i < sizeof(last.at); i++)
		last.at[i] = 0xff;
	TRY(db_all(home->db, cmd->arena, notifications_before, &rows, &count, .before = last,
	           .most = args->most));
	json_begin_array(&w);
	for (size_t i = 0; i < count; i++) {
		Str id = service_id_text(cmd->arena, "ntf_", rows[i].id);

		json_begin_object(&w);
		json_put_str(&w, "id", id);
		json_put_str(&w, "created_at", time_text(cmd->arena, rows[i].created_at));
		json_put_str(&w, "workflow", rows[i].workflow);
		json_put_str(&w, "state", rows[i].state);
		json_put_str(&w, "channels", rows[i].channels);
		json_end(&w);
		if (!cmd->json)
			fprintf(cmd->out, "%.*s  %.*s  %-9.*s %-13.*s %.*s\n", STR_ARG(id),
			        STR_ARG(time_text(cmd->arena, rows[i].created_at)),
			        STR_ARG(rows[i].state), STR_ARG(rows[i].class),
			        STR_ARG(rows[i].workflow));
	}
	json_end(&w);
	if (cmd->json)
		out_json(cmd, &b);
	return NULL;
}

static Err *list_run(Cmd *cmd)
{
	return run(cmd, list);
}

/* --- show ------------------------------------------------------------------------------------------------------------------ */

static Err *show_delivery(Cmd *cmd, Db *db, JsonWriter *w, const DeliveryRow *d)
{
	StepsOfRow *steps;
	size_t count;

	TRY(db_all(db, cmd->arena, steps_of, &steps, &count, .delivery_id = d->id));
	json_begin_object(w);
	json_put_str(w, "id", service_id_text(cmd->arena, "dlv_", d->id));
	json_put_str(w, "recipient", d->recipient);
	json_put_str(w, "channel", d->channel);
	json_put_str(w, "state", d->state);
	json_put_str(w, "reason", d->reason);
	json_put_i64(w, "attempts", d->attempts);
	json_key(w, S("timeline"));
	json_begin_array(w);
	if (!cmd->json)
		fprintf(cmd->out, "  %.*s  %-5.*s %.*s%s%.*s%s\n",
		        STR_ARG(service_id_text(cmd->arena, "dlv_", d->id)), STR_ARG(d->channel),
		        STR_ARG(d->state), d->reason.len ? " (" : "", STR_ARG(d->reason),
		        d->reason.len ? ")" : "");
	for (size_t i = 0; i < count; i++) {
		json_begin_object(w);
		json_put_str(w, "at", time_text(cmd->arena, steps[i].at));
		json_put_str(w, "state", steps[i].state);
		json_put_str(w, "detail", steps[i].detail);
		json_end(w);
		if (!cmd->json)
			fprintf(cmd->out, "    %.*s  %-12.*s %.*s\n",
			        STR_ARG(time_text(cmd->arena, steps[i].at)),
			        STR_ARG(steps[i].state), STR_ARG(steps[i].detail));
	}
	json_end(w);
	json_end(w);
	return NULL;
}

static Err *show(Cmd *cmd, ServiceHome *home, void *arg)
{
	const Args *args = cmd->args;
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	NotificationRow *n;
	DeliveryRow *rows;
	size_t count;
	Uuid id;

	(void)arg;
	TRY(read_id(cmd, "ntf_", &id));
	TRY(db_one(home->db, cmd->arena, notification_by_id, &n, .id = id));
	if (!n)
		return err_new(cmd->arena, ERR_NOT_FOUND, "notification.unknown",
		               "there is no such notification");
	TRY(db_all(home->db, cmd->arena, deliveries_of, &rows, &count, .notification_id = id,
	           .most = args->most));
	if (!cmd->json)
		fprintf(cmd->out, "%.*s  %.*s  %.*s  %.*s\n", STR_ARG(args->id),
		        STR_ARG(time_text(cmd->arena, n->created_at)), STR_ARG(n->workflow),
		        STR_ARG(n->state));
	json_begin_array(&w);
	for (size_t i = 0; i < count; i++)
		TRY(show_delivery(cmd, home->db, &w, &rows[i]));
	json_end(&w);
	if (cmd->json)
		out_json(cmd, &b);
	return NULL;
}

static Err *show_run(Cmd *cmd)
{
	return run(cmd, show);
}

/* --- cancel and retry -------------------------------------------------------------------------------------------------------- */

static Err *cancel_txn(Db *tx, Arena *a, void *arg)
{
	Run *r = arg;
	NotificationLockRow *row;

	TRY(db_one(tx, a, notification_lock, &row, .id = r->id));
	if (!row)
		return err_new(a, ERR_NOT_FOUND, "notification.unknown",
		               "there is no such notification");
	return notification_cancel_all(tx, a, r->id, S("command"), &r->cancelled);
}

static Err *cancel(Cmd *cmd, ServiceHome *home, void *arg)
{
	Run r = { .cmd = cmd };

	(void)arg;
	TRY(read_id(cmd, "ntf_", &r.id));
	TRY(db_txn(home->db, cmd->arena, DB_READ_COMMITTED, cancel_txn, &r));
	if (cmd->json)
		fprintf(cmd->out, "{\"cancelled\":%" PRId64 "}\n", r.cancelled);
	else
		fprintf(cmd->out, "%" PRId64 " deliveries were cancelled\n", r.cancelled);
	return NULL;
}

static Err *cancel_run(Cmd *cmd)
{
	return run(cmd, cancel);
}

static Err *retry_txn(Db *tx, Arena *a, void *arg)
{
	const Run *r = arg;

	return delivery_retry(tx, a, r->id, S("command"));
}

static Err *retry(Cmd *cmd, ServiceHome *home, void *arg)
{
	Run r = { .cmd = cmd };

	(void)arg;
	TRY(read_id(cmd, "dlv_", &r.id));
	return db_txn(home->db, cmd->arena, DB_READ_COMMITTED, retry_txn, &r);
}

static Err *retry_run(Cmd *cmd)
{
	return run(cmd, retry);
}

/* --- state ------------------------------------------------------------------------------------------------------------------ */

static Err *state(Cmd *cmd, ServiceHome *home, void *arg)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	DeliveryCountsRow *rows;
	size_t count;

	(void)arg;
	TRY(db_all(home->db, cmd->arena, delivery_counts, &rows, &count));
	json_begin_array(&w);
	for (size_t i = 0; i < count; i++) {
		json_begin_object(&w);
		json_put_str(&w, "channel", rows[i].channel);
		json_put_str(&w, "state", rows[i].state);
		json_put_i64(&w, "count", rows[i].count);
		json_end(&w);
		if (!cmd->json)
			fprintf(cmd->out, "%-6.*s %-13.*s %8" PRId64 "\n", STR_ARG(rows[i].channel),
			        STR_ARG(rows[i].state), rows[i].count);
	}
	json_end(&w);
	if (cmd->json)
		out_json(cmd, &b);
	return NULL;
}

static Err *state_run(Cmd *cmd)
{
	return run(cmd, state);
}

/* --- the table ---------------------------------------------------------------------------------------------------------------- */

#define CONFIG_ROW \
	{ \
		"config", CONF_STR, AT(Args, config), \
			.letter = 'c', .value = "FILE", .def = "banyan.yaml", \
			.help = "the configuration that says where the service is" \
	}
static const ConfKey config_options[] = { CONFIG_ROW };
static const ConfKey most_options[] = {
	CONFIG_ROW,
	{ "most", CONF_UINT, AT(Args, most), .letter = 'n', .def = "20", .min = "1", .max = "10000",
	  .help = "so many" },
};
static const ConfKey id_operands[] = {
	{ "ID", CONF_STR, AT(Args, id), .required = true, .help = "which" },
};
#define ROW(word, fn, sentence) \
	.name = "notification " word, .group = "services", .summary = (sentence), .run = (fn), \
	.json = true, .size = sizeof(Args)

static const Command commands[] = {
	{ ROW("list", list_run, "what was asked for, newest first"),
	  COMMAND_OPTIONS(most_options) },
	{ ROW("show", show_run, "what became of one, for each recipient and channel"),
	  COMMAND_OPTIONS(most_options), COMMAND_OPERANDS(id_operands) },
	{ ROW("cancel", cancel_run, "take back what of one is unsent"),
	  COMMAND_OPTIONS(config_options), COMMAND_OPERANDS(id_operands) },
	{ ROW("retry", retry_run, "send a delivery again that failed, or may have been taken"),
	  COMMAND_OPTIONS(config_options), COMMAND_OPERANDS(id_operands) },
	{ ROW("state", state_run, "how many deliveries are where"),
	  COMMAND_OPTIONS(config_options) },
};

const Command *notification_commands(size_t *count)
{
	*count = COUNT(commands);
	return commands;
}

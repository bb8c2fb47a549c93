/* SPDX-License-Identifier: Apache-2.0
 *
 * What people do with mails that were handed in, beside the service that takes them: on its database, as the configuration says. */
#include "notification/mail_command.h"

#include "base/arena.h"
#include "base/args.h"
#include "base/json.h"
#include "base/time.h"
#include "notification/dkim.h"
#include "notification/mail_compare.h"
#include "notification/mail_store.h"
#include "notification/notification.h"
#include "notification/notification_conf.h"
#include "rt/file_away.h"
#include "service/service.h"

#include <stdlib.h>

enum { BOX_MOST = 1 << 30, PAGE = 200 };

typedef struct MailArgs {
	Str config, id, state, to, mode, before;
	bool all, raw, as_configured;
	uint32_t most;
} MailArgs;

static const MailConf *conf_of(const ServiceHome *home)
{
	return &((const NotificationConf *)home->conf)->mail;
}

static Err *run(Cmd *cmd, ServiceCommand *fn)
{
	return service_command(cmd, notification_service(), ((const MailArgs *)cmd->args)->config,
	                       fn, NULL);
}

static void out_json(const Cmd *cmd, const Buf *b)
{
	fwrite(b->at, 1, b->len, cmd->out);
	fputc('\n', cmd->out);
}

static Str time_text(Arena *a, int64_t us)
{
	AUTO(buf_fini) Buf b = { 0 };

	time_put_rfc3339(&b, us);
	return str_dup(a, str_sub(buf_str(&b), 0, 19));
}

/* --- list and show ---------------------------------------------------------------------------------------------------------- */

static void say_lines(const Cmd *cmd, const MailLine *lines, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fprintf(cmd->out, "%.*s  %.*s  %-8.*s %3" PRId64 " to  %.*s\n",
		        STR_ARG(service_id_text(cmd->arena, "mail_", lines[i].id)),
		        STR_ARG(time_text(cmd->arena, lines[i].received_us)),
		        STR_ARG(lines[i].state), lines[i].recipients, STR_ARG(lines[i].subject));
}

static Err *list(Cmd *cmd, ServiceHome *home, void *arg)
{
	const MailArgs *args = cmd->args;
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	MailLine *lines;
	size_t count;

	(void)arg;
	TRY(mail_list(home->db, cmd->arena,
	              &(MailFilter){ .state = args->state, .to = args->to, .most = args->most },
	              &lines, &count));
	if (!cmd->json) {
		say_lines(cmd, lines, count);
		return NULL;
	}
	json_begin_array(&w);
	for (size_t i = 0; i < count; i++)
		mail_put_line(&w, cmd->arena, &lines[i], NULL, 0, S(""));
	json_end(&w);
	out_json(cmd, &b);
	return NULL;
}

static Err *list_run(Cmd *cmd)
{
	return run(cmd, list);
}

static Err *id_of(Cmd *cmd, Uuid *id)
{
	Str text = ((const MailArgs *)cmd->args)->id;

	if (service_id_read(text, "mail_", id) || uuid_read(text, id))
		return NULL;
	return err_new(cmd->arena, ERR_INVALID, "mail.id", "%.*s is no id of a mail",
	               STR_ARG(str_quote(cmd->arena, text)));
}

static Err *show(Cmd *cmd, ServiceHome *home, void *arg)
{
	const MailArgs *args = cmd->args;
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	MailLine *line;
	size_t count;
	MailTo *to;
	Uuid id;
	Str raw;

	(void)arg;
	TRY(id_of(cmd, &id));
	TRY(mail_find(home->db, cmd->arena, id, &line, &to, &count, &raw));
	if (!line)
		return err_new(cmd->arena, ERR_NOT_FOUND, "mail.unknown", "there is no such mail");
	if (cmd->json) {
		mail_put_line(&w, cmd->arena, line, to, count, raw);
		out_json(cmd, &b);
		return NULL;
	}
	if (!args->raw) {
		say_lines(cmd, line, 1);
		for (size_t i = 0; i < count; i++)
			fprintf(cmd->out, "  %.*s: %.*s, attempts: %" PRId64 "%s%.*s\n",
			        STR_ARG(to[i].address), STR_ARG(to[i].state), to[i].attempts,
			        to[i].reply.len ? ": " : "", STR_ARG(to[i].reply));
		fputc('\n', cmd->out);
	}
	fwrite(raw.at, 1, raw.len, cmd->out);
	return NULL;
}

static Err *show_run(Cmd *cmd)
{
	return run(cmd, show);
}

/* --- compare ---------------------------------------------------------------------------------------------------------------- */

static Err *add_now(void *arg, Arena *a, Uuid id, Str raw)
{
	(void)a, (void)id;
	mail_compare_add(arg, false, raw);
	return NULL;
}

static void say_texts(const Cmd *cmd, const char *mark, const Str *texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fprintf(cmd->out, "    %s %.*s\n", mark, STR_ARG(texts[i]));
}

static void say_kind(const Cmd *cmd, const MailKind *kind)
{
	const char *word = "same";

	if (!kind->before)
		word = "new";
	else if (!kind->now)
		word = "not seen";
	else if (kind->missing_count || kind->added_count)
		word = "DIFFERENT";
	fprintf(cmd->out, "%-10s %5zu before %5zu now  %.*s\n", word, kind->before, kind->now,
	        STR_ARG(kind->name));
	say_texts(cmd, "-", kind->missing, kind->missing_count);
	say_texts(cmd, "+", kind->added, kind->added_count);
}

static Err *compare(Cmd *cmd, ServiceHome *home, void *arg)
{
	const MailArgs *args = cmd->args;
	MailCompare *c = mail_compare_new(cmd->arena);
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	const MailKind *kinds;
	size_t count;
	Str box;

	(void)arg;
	TRY(file_read_away(cmd->arena, args->before, BOX_MOST, &box));
	mail_compare_add_box(c, true, box);
	TRY(mail_each(home->db, cmd->arena, add_now, c));
	count = mail_compare_kinds(c, &kinds);
	if (cmd->json) {
		mail_compare_put(c, &w);
		out_json(cmd, &b);
	}
	for (size_t i = 0; i < count && !cmd->json; i++)
		say_kind(cmd, &kinds[i]);
	if (mail_compare_same(c))
		return NULL;
	return err_new(cmd->arena, ERR_VERDICT, "mail.different", "mails are not as they were");
}

static Err *compare_run(Cmd *cmd)
{
	return run(cmd, compare);
}

/* --- release and mode --------------------------------------------------------------------------------------------------------- */

static Err *mode_word(Cmd *cmd, Str text, MailMode *mode)
{
	for (const ConfWord *word = mail_modes(); word->name; word++)
		if (str_eq(text, str_of(word->name))) {
			*mode = (MailMode)word->value;
			return NULL;
		}
	return err_new(cmd->arena, ERR_INVALID, "mail.mode",
	               "there is no mode %.*s: capture, relay or deliver",
	               STR_ARG(str_quote(cmd->arena, text)));
}

typedef struct Release {
	Uuid id;
	MailMode mode;
	Str workflow;
	bool done;
} Release;

static Err *release_one(Db *tx, Arena *a, void *arg)
{
	Release *r = arg;

	return mail_release_in(tx, a, r->id, r->mode, r->workflow, &r->done);
}

static Err *release_all(Cmd *cmd, Db *db, Release *r, size_t *released)
{
	for (;;) {
		Mark mark = arena_mark(cmd->arena);
		MailLine *lines;
		size_t count;

		TRY(mail_list(db, cmd->arena, &(MailFilter){ .state = S("captured"), .most = PAGE },
		              &lines, &count));
		for (size_t i = count; i-- > 0;) {
			r->id = lines[i].id;
			TRY(db_txn(db, cmd->arena, DB_READ_COMMITTED, release_one, r));
			*released += r->done;
		}
		if (!count)
			return NULL;
		arena_reset(cmd->arena, mark);
	}
}

static Err *release(Cmd *cmd, ServiceHome *home, void *arg)
{
	const MailArgs *args = cmd->args;
	Release r = { .workflow = conf_of(home)->intake.workflow };
	size_t released = 0;

	(void)arg;
	TRY(mode_word(cmd, args->mode, &r.mode));
	if (r.mode == MAIL_CAPTURE || args->all == (args->id.len > 0))
		return err_new(cmd->arena, ERR_INVALID, "args.usage",
		               "say relay or deliver, and a mail or --all");
	if (args->all) {
		TRY(release_all(cmd, home->db, &r, &released));
	} else {
		TRY(id_of(cmd, &r.id));
		TRY(db_txn(home->db, cmd->arena, DB_READ_COMMITTED, release_one, &r));
		released = r.done;
	}
	if (!released && !args->all)
		return err_new(cmd->arena, ERR_CONFLICT, "mail.state",
		               "there is no such mail that is captured");
	fprintf(cmd->out, cmd->json ? "{\"released\":%zu}\n" : "%zu mails go their way\n",
	        released);
	return NULL;
}

static Err *release_run(Cmd *cmd)
{
	return run(cmd, release);
}

static Err *say_mode(const Cmd *cmd, const ServiceHome *home)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	MailCounts *counts;
	MailMode mode;
	size_t count;
	Str author;

	TRY(mail_mode_now(home->db, cmd->arena, conf_of(home), &mode, &author));
	TRY(mail_counts(home->db, cmd->arena, &counts, &count));
	if (!cmd->json) {
		fprintf(cmd->out, "%s (said by: %.*s)\n", mail_modes()[mode].name, STR_ARG(author));
		for (size_t i = 0; i < count; i++)
			fprintf(cmd->out, "  %-8.*s %" PRId64 "\n", STR_ARG(counts[i].state),
			        counts[i].count);
		return NULL;
	}
	json_begin_object(&w);
	json_put_str(&w, "mode", str_of(mail_modes()[mode].name));
	json_put_str(&w, "said_by", author);
	json_key(&w, S("mails"));
	json_begin_object(&w);
	for (size_t i = 0; i < count; i++) {
		json_key(&w, counts[i].state);
		json_add_i64(&w, counts[i].count);
	}
	json_end(&w);
	json_end(&w);
	out_json(cmd, &b);
	return NULL;
}

static Err *mode(Cmd *cmd, ServiceHome *home, void *arg)
{
	const MailArgs *args = cmd->args;
	MailMode to = MAIL_CAPTURE;

	(void)arg;
	if (args->mode.len)
		TRY(mode_word(cmd, args->mode, &to));
	if (args->mode.len || args->as_configured)
		TRY(mail_mode_say(home->db, cmd->arena, !args->as_configured, to, S("command")));
	return say_mode(cmd, home);
}

static Err *mode_run(Cmd *cmd)
{
	return run(cmd, mode);
}

/* --- dkim --------------------------------------------------------------------------------------------------------------------- */

static Err *dkim(Cmd *cmd, ServiceHome *home, void *arg)
{
	const MailConf *conf = conf_of(home);

	(void)arg;
	for (size_t i = 0; i < conf->dkim.count; i++) {
		const MailDkimConf *row = &conf->dkim.at[i];
		DkimKey *key;
		Str pem;

		TRY(file_read_away(cmd->arena, row->key, 64 << 10, &pem));
		TRY(dkim_key_new(cmd->arena, row->domain, row->selector, pem, &key));
		fprintf(cmd->out, "%.*s. IN TXT \"%.*s\"\n", STR_ARG(dkim_place(key, cmd->arena)),
		        STR_ARG(dkim_record(key, cmd->arena)));
	}
	return NULL;
}

static Err *dkim_run(Cmd *cmd)
{
	return run(cmd, dkim);
}

/* --- the table ------------------------------------------------------------------------------------------------------------------ */

#define CONFIG_ROW \
	{ \
		"config", CONF_STR, AT(MailArgs, config), \
			.letter = 'c', .required = true, .value = "FILE", \
			.help = "the configuration, as of banyan serve" \
	}

static const ConfKey list_options[] = {
	CONFIG_ROW,
	{ "state", CONF_STR, AT(MailArgs, state), .value = "STATE",
	  .help = "captured, queued, handed, sent, partly, failed or report" },
	{ "to", CONF_STR, AT(MailArgs, to), .value = "ADDRESS", .help = "those for this address" },
	{ "most", CONF_UINT, AT(MailArgs, most), .def = "50", .min = "1", .max = "10000",
	  .help = "how many" },
};
static const ConfKey show_options[] = {
	CONFIG_ROW,
	{ "raw", CONF_BOOL, AT(MailArgs, raw), .help = "only the mail itself, as it came" },
};
static const ConfKey config_options[] = { CONFIG_ROW };
static const ConfKey release_options[] = {
	CONFIG_ROW,
	{ "all", CONF_BOOL, AT(MailArgs, all), .help = "every captured mail, oldest first" },
};
static const ConfKey mode_options[] = {
	CONFIG_ROW,
	{ "as-configured", CONF_BOOL, AT(MailArgs, as_configured),
	  .help = "what the configuration says counts again" },
};
static const ConfKey id_operands[] = {
	{ "MAIL", CONF_STR, AT(MailArgs, id), .required = true, .help = "its id" },
};
static const ConfKey box_operands[] = {
	{ "MBOX", CONF_STR, AT(MailArgs, before), .required = true,
	  .help = "a file with mails that were sent before" },
};
static const ConfKey release_operands[] = {
	{ "MODE", CONF_STR, AT(MailArgs, mode), .required = true, .help = "relay or deliver" },
	{ "MAIL", CONF_STR, AT(MailArgs, id), .help = "its id" },
};
static const ConfKey mode_operands[] = {
	{ "MODE", CONF_STR, AT(MailArgs, mode), .help = "capture, relay or deliver" },
};

#define MAIL_COMMAND(name_, options, operands) \
	.name = name_, .group = "services", COMMAND_OPTIONS(options), COMMAND_OPERANDS(operands), \
	.size = sizeof(MailArgs)

const Command *mail_commands(size_t *count)
{
	static const Command commands[] = {
		{ .name = "mail list",
		  .group = "services",
		  .summary = "mails that were handed in by SMTP, newest first",
		  .run = list_run,
		  .json = true,
		  COMMAND_OPTIONS(list_options),
		  .size = sizeof(MailArgs) },
		{ MAIL_COMMAND("mail show", show_options, id_operands),
		  .summary = "one of them, and what became of it", .run = show_run, .json = true },
		{ MAIL_COMMAND("mail compare", config_options, box_operands),
		  .summary = "are they those that were sent before?", .run = compare_run,
		  .json = true,
		  .help = "Mails are compared kind by kind (a kind is a subject without its numbers): headers and lines that all had before must be in all now. Exit code 3 when they are not." },
		{ MAIL_COMMAND("mail release", release_options, release_operands),
		  .summary = "let captured mails go, to the mail server or as notifications",
		  .run = release_run, .json = true },
		{ MAIL_COMMAND("mail mode", mode_options, mode_operands),
		  .summary = "what the intake does with mails, and how many there are",
		  .run = mode_run, .json = true,
		  .help = "Counts from the next mail on, in every process; nothing is restarted." },
		{ .name = "mail dkim",
		  .group = "services",
		  .summary = "what DNS must say for the signatures",
		  .run = dkim_run,
		  COMMAND_OPTIONS(config_options),
		  .size = sizeof(MailArgs) },
	};

	*count = COUNT(commands);
	return commands;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Mails that go on as they are: a job each, done again until every recipient's part is settled or its time is over.
 *
 * Before the wire is touched the recipients are written down as `sending`. A job that finds them so comes after a crash: the mail may
 * have been taken, or not. It goes again (a mail twice is better than none), with the same Message-ID, and the doubt is counted, so that
 * nobody need believe that there never was one. */
#include "base/arena.h"
#include "base/json.h"
#include "base/log.h"
#include "base/time.h"
#include "notification/mail_int.h"
#include "notification/mail_store.h"
#include "notification/mime_read.h"
#include "store/job.h"
#include "store/outbox.h"

#include "notification_relay_sql.h"

enum { PURGE_PAGE = 200 };

typedef struct Relay {
	const Mail *mail;
	Uuid id;
	MailLine *line;
	MailTo *all;
	size_t count;
	SmtpRecipient *to; /* those that are open */
	int64_t *n;        /* their places */
	size_t open;
	Str raw;
	bool late; /* its time is over: what is not taken now never will be */
	JobRun *run;
	const Err *why;
	int64_t waiting;
} Relay;

static Err *read_id(const JobRun *run, Uuid *id)
{
	Arena *a = job_arena(run);
	const Json *data;
	Str text;

	TRY(json_read(a, job_data(run), 0, &data));
	TRY(json_need_str(a, data, "id", &text));
	return uuid_read(text, id) ? NULL
	                           : err_new(a, ERR_INVALID, "job.give_up", "that id is none");
}

static Err *load(Relay *r, Db *db, Arena *a)
{
	r->open = 0;
	TRY(mail_find(db, a, r->id, &r->line, &r->all, &r->count, &r->raw));
	if (!r->line)
		return err_new(a, ERR_NOT_FOUND, "job.give_up", "the mail is gone");
	r->to = ARENA_ARRAY(a, SmtpRecipient, r->count + 1);
	r->n = ARENA_ARRAY(a, int64_t, r->count + 1);
	for (size_t i = 0; i < r->count; i++)
		if (str_eq(r->all[i].state, S("waiting")) ||
		    str_eq(r->all[i].state, S("sending"))) {
			r->to[r->open] = (SmtpRecipient){ .address = r->all[i].address };
			r->n[r->open++] = (int64_t)i;
			if (str_eq(r->all[i].state, S("sending")))
				metric_add(r->mail->cells.doubts, 1);
		}
	return NULL;
}

static Err *begin_sending(Db *tx, Arena *a, void *arg)
{
	const Relay *r = arg;

	for (size_t i = 0; i < r->open; i++)
		TRY(db_exec(tx, a, mail_to_sending, NULL, .id = r->id, .n = r->n[i],
		            .now = time_utc_us()));
	return NULL;
}

static Str words_of(const Relay *r, Arena *a, const SmtpRecipient *to)
{
	Str code, detail;

	mail_reply_words(a, &to->reply, &code, &detail);
	if (to->reply.code)
		return str_fmt(a, "%.*s %.*s", STR_ARG(code), STR_ARG(detail));
	if (to->fate == SMTP_UNKNOWN)
		return S("the conversation broke where it may have been taken");
	return r->why ? smtp_clean(a, r->why->text, 200) : S("");
}

static Str state_of(const Relay *r, const SmtpRecipient *to)
{
	if (to->fate == SMTP_TAKEN)
		return S("sent");
	if (to->fate == SMTP_NEVER || r->late)
		return S("failed");
	return to->fate == SMTP_UNKNOWN ? S("sending") : S("waiting");
}

static Err *tell_event(const Relay *r, Db *tx, Arena *a, const MailOpenRow *open)
{
	return outbox_put(tx, a,
	                  &(Event){ .type = open->failed ? S("mail.failed") : S("mail.sent"),
	                            .aggregate_type = S("mail"),
	                            .aggregate_id = uuid_text(a, r->id),
	                            .data = str_fmt(a,
	                                            "{\"sent\":%" PRId64 ",\"failed\":%" PRId64 "}",
	                                            open->sent, open->failed) },
	                  NULL);
}

static Err *settle(Db *tx, Arena *a, void *arg)
{
	Relay *r = arg;
	MailOpenRow *open;

	for (size_t i = 0; i < r->open; i++)
		TRY(db_exec(tx, a, mail_to_settle, NULL, .id = r->id, .n = r->n[i],
		            .state = state_of(r, &r->to[i]), .reply = words_of(r, a, &r->to[i]),
		            .now = time_utc_us()));
	TRY(db_one(tx, a, mail_open, &open, .id = r->id));
	r->waiting = open->waiting;
	if (open->waiting)
		return NULL;
	TRY(db_exec(tx, a, mail_settle, NULL, .id = r->id, .now = time_utc_us(),
	            .state = !open->failed ? S("sent")
	                     : open->sent  ? S("partly")
	                                   : S("failed")));
	TRY(tell_event(r, tx, a, open));
	return job_done(tx, a, r->run);
}

static MailServer *server_of(const Mail *mail)
{
	for (size_t i = 0; i < mail->conf->servers.count; i++)
		if (!mail->conf->intake.server.len ||
		    str_eq(mail->servers[i].conf->name, mail->conf->intake.server))
			return &mail->servers[i];
	return NULL;
}

static Err *transmit(Relay *r, Arena *a)
{
	MailServer *server = server_of(r->mail);
	SmtpMail wire = { .from = r->line->sender, .to = r->to, .count = r->open };
	Str head, body, from;

	if (!server)
		return err_new(a, ERR_PRECONDITION, "mail.server",
		               "there is no mail server to send it to");
	mime_split(r->raw, &head, &body);
	from = mime_header(a, head, "From", &from) ? mime_address(from) : S("");
	TRY(mail_sign(r->mail, a, from, r->raw, &wire.message));
	r->why = smtp_pool_send(server->pool, a, &wire);
	return r->why && r->why->kind == ERR_CANCELLED ? err_copy(a, r->why) : NULL;
}

static void count_fates(const Relay *r)
{
	for (size_t i = 0; i < r->open; i++) {
		Str state = state_of(r, &r->to[i]);

		metric_add(str_eq(state, S("sent"))     ? r->mail->cells.sent
		           : str_eq(state, S("failed")) ? r->mail->cells.failed
		                                        : r->mail->cells.later,
		           1);
	}
}

Err *relay_job(JobRun *run, void *arg)
{
	const ServiceHome *home = arg;
	Arena *a = job_arena(run);
	Relay r = { .mail = notification_mail(home), .run = run };
	Err *err;

	TRY(read_id(run, &r.id));
	TRY(load(&r, job_db(run), a));
	if (!r.open)
		return NULL;
	r.late = time_utc_us() - r.line->received_us > r.mail->conf->intake.give_up_us;
	TRY(db_txn(job_db(run), a, DB_READ_COMMITTED, begin_sending, &r));
	err = transmit(&r, a);
	r.why = err ? err : r.why;
	{ /* what came of it is written down, whoever ends us meanwhile */
		AUTO(shield_end) Shield shield = shield_begin(10 * US_PER_S);

		TRY(db_txn(job_db(run), a, DB_READ_COMMITTED, settle, &r));
	}
	count_fates(&r);
	if (r.waiting && err && err->kind == ERR_CANCELLED)
		return err;
	return r.waiting ? err_new(a, ERR_BUSY, "mail.later",
	                           "%" PRId64 " recipients are still to be reached", r.waiting)
	                 : NULL;
}

/* --- keeping house ------------------------------------------------------------------------------------------------------ */

typedef struct Old {
	const MailsOldRow *rows;
	size_t count;
} Old;

static Err *remove_old(Db *tx, Arena *a, void *arg)
{
	const Old *old = arg;

	for (size_t i = 0; i < old->count; i++) {
		TRY(db_exec(tx, a, mail_text_remove, NULL, .id = old->rows[i].id));
		TRY(db_exec(tx, a, mail_tos_remove, NULL, .id = old->rows[i].id));
		TRY(db_exec(tx, a, mail_remove, NULL, .id = old->rows[i].id));
	}
	return NULL;
}

Err *mail_house_job(JobRun *run, void *arg)
{
	const ServiceHome *home = arg;
	const Mail *mail = notification_mail(home);
	int64_t before = time_utc_us() - (mail ? mail->conf->intake.keep_us : 0);
	Arena *a = job_arena(run);
	MailsOldRow *rows;

	if (!mail || !mail->conf->has_intake)
		return NULL;
	for (;;) {
		Mark mark = arena_mark(a);
		Old old;

		TRY(db_all(job_db(run), a, mails_old, &rows, &old.count, .before = before,
		           .most = PURGE_PAGE));
		old.rows = rows;
		TRY(db_txn(job_db(run), a, DB_READ_COMMITTED, remove_old, &old));
		if (old.count < PURGE_PAGE)
			return NULL;
		arena_reset(a, mark);
	}
}

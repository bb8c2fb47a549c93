/* SPDX-License-Identifier: Apache-2.0
 *
 * One mail that was handed in: kept in a transaction before the client is told 250. What is then done with it is the mode's to say, which
 * is read in that same transaction: a mail that came after a change of mode never goes the old way.
 *
 * A mail gets what a server adds: a Received field, and a Date and a Message-ID where it has none. So every mail that goes on has an id that
 * is the same in every attempt. What comes to an address of bounces is a report about a mail of ours, never a mail to anybody. */
#include "base/arena.h"
#include "base/time.h"
#include "notification/bounce.h"
#include "notification/mail_int.h"
#include "notification/mail_store.h"
#include "notification/mime_read.h"
#include "notification/notification.h"
#include "notification/smtp_server.h"

enum { RECEIVED_MOST = 50 };

bool mail_is_bounce_address(const Mail *mail, Str address, Uuid *id)
{
	Str base = mime_address(mail->conf->bounces);

	return base.len && verp_read(address, base, mail->secret, id);
}

/* RFC 5322 3.3, in UTC. */
static void put_date(Buf *b, int64_t us)
{
	time_put_http(b, us);
	b->len -= b->broken ? 0 : 3;
	buf_put(b, S("+0000"));
}

/* What is for servers only, or tells readers of each other. */
static bool is_dropped(Str line)
{
	static const Str names[] = { S("bcc:"), S("resent-bcc:"), S("return-path:"),
		                     S("content-length:") };

	for (size_t i = 0; i < COUNT(names); i++)
		if (str_eq_nocase(str_sub(line, 0, names[i].len), names[i]))
			return true;
	return false;
}

static void put_kept(Buf *b, Str head)
{
	bool dropped = false;

	while (head.len) {
		size_t end = (size_t)str_find_char(head, '\n') + 1; /* 0: there is none */
		Str line = str_sub(head, 0, end ? end : head.len);

		if (line.at[0] != ' ' && line.at[0] != '\t')
			dropped = is_dropped(line);
		if (!dropped)
			buf_put(b, line);
		head = str_sub(head, line.len, head.len);
	}
}

static Err *add_fields(const Mail *mail, Arena *a, const SmtpEnvelope *env, Uuid id, Str *out)
{
	AUTO(buf_fini) Buf b = { 0 };
	int64_t now_us = time_utc_us();
	Str head, body, rest, name, value, text = uuid_text(a, id);
	size_t received = 0;

	mime_split(env->message, &head, &body);
	rest = head;
	while (mime_next(&rest, &name, &value))
		received += str_eq_nocase(name, S("Received"));
	if (received > RECEIVED_MOST)
		return err_new(a, ERR_INVALID, "mail.loop", "that mail goes in a circle");
	buf_fmt(&b, "Received: from %.*s (%s%.*s%s)\r\n\tby %.*s with %s%s id %.*s;\r\n\t",
	        STR_ARG(env->helo.len ? env->helo : S("unknown")), env->ip.len ? "[" : "",
	        STR_ARG(env->ip), env->ip.len ? "]" : "", STR_ARG(mail->hostname),
	        env->encrypted ? "ESMTPS" : "ESMTP", env->user.len ? "A" : "", STR_ARG(text));
	put_date(&b, now_us);
	buf_put(&b, S("\r\n"));
	if (!mime_header(a, head, "Message-ID", &value))
		buf_fmt(&b, "Message-ID: <%.*s@%.*s>\r\n", STR_ARG(text), STR_ARG(mail->hostname));
	if (!mime_header(a, head, "Date", &value)) {
		buf_put(&b, S("Date: "));
		put_date(&b, now_us);
		buf_put(&b, S("\r\n"));
	}
	put_kept(&b, head);
	buf_put(&b, str_sub(env->message, head.len, env->message.len));
	*out = str_dup(a, buf_str(&b));
	return NULL;
}

typedef struct Taking {
	const Mail *mail;
	MailIn in; /* to people */
	MailIn report;
	Uuid *deliveries; /* that the report is about */
	Bounce bounce;
	bool bounced;
	MailMode mode;
} Taking;

static ReportKind kind_of(BounceKind kind)
{
	switch (kind) {
	case BOUNCE_HARD:
		return REPORT_BOUNCED_HARD;
	case BOUNCE_COMPLAINT:
		return REPORT_COMPLAINED;
	case BOUNCE_DELIVERED:
		return REPORT_DELIVERED;
	case BOUNCE_SOFT:
	case BOUNCE_NONE:
	case BOUNCE_DELAYED:
		break;
	}
	return REPORT_BOUNCED_SOFT;
}

static Err *report(Db *tx, Arena *a, const Taking *t, Uuid delivery)
{
	const BounceRow *row = &t->bounce.rows[0];
	bool known;

	if (!t->bounced || row->kind == BOUNCE_DELAYED)
		return NULL;
	return notification_report(tx, a,
	                           &(DeliveryReport){ .delivery = delivery,
	                                              .kind = kind_of(row->kind),
	                                              .code = row->status,
	                                              .detail =
	                                                      smtp_clean(a, row->diagnostic, 200) },
	                           &known);
}

static Err *keep(Db *tx, Arena *a, void *arg)
{
	Taking *t = arg;
	Str author;

	TRY(mail_mode_now(tx, a, t->mail->conf, &t->mode, &author));
	if (t->in.count)
		TRY(mail_keep(tx, a, &t->in, t->mode));
	if (t->report.count)
		TRY(mail_keep(tx, a, &t->report, MAIL_CAPTURE));
	for (size_t i = 0; i < t->report.count; i++)
		TRY(report(tx, a, t, t->deliveries[i]));
	return NULL;
}

static void count_taken(const Mail *mail, const Taking *t)
{
	const MetricCell cells[] = { [MAIL_CAPTURE] = mail->cells.captured,
		                     [MAIL_RELAY] = mail->cells.relayed,
		                     [MAIL_DELIVER] = mail->cells.delivered };

	if (t->in.count)
		metric_add(cells[t->mode], 1);
	if (t->report.count)
		metric_add(mail->cells.reports, 1);
}

static Str lower_domain(Arena *a, Str address)
{
	Str domain = smtp_domain(address);

	return str_fmt(a, "%.*s@%.*s", (int)(address.len - domain.len - 1), address.at,
	               STR_ARG(str_lower(a, domain)));
}

/* Recipients of two kinds: people, and those that reports come to. */
static void divide(Taking *t, Arena *a, const SmtpEnvelope *env)
{
	Str *people = ARENA_ARRAY(a, Str, env->count), *reports = ARENA_ARRAY(a, Str, env->count);

	t->deliveries = ARENA_ARRAY(a, Uuid, env->count);
	for (size_t i = 0; i < env->count; i++) {
		Str address = lower_domain(a, env->to[i]);
		bool there = false;

		if (mail_is_bounce_address(t->mail, env->to[i], &t->deliveries[t->report.count])) {
			reports[t->report.count++] = address;
			continue;
		}
		for (size_t j = 0; j < t->in.count; j++)
			there |= str_eq(people[j], address);
		if (!there) /* named twice, it gets one */
			people[t->in.count++] = address;
	}
	t->in.to = people;
	t->report.to = reports;
}

static Str workflow_of(const Mail *mail, Arena *a, Str message)
{
	Str head, body, name;

	mime_split(message, &head, &body);
	return mime_header(a, head, "X-Banyan-Workflow", &name) && name.len
	               ? name
	               : mail->conf->intake.workflow;
}

Err *mail_intake_take(const Mail *mail, Arena *a, const SmtpEnvelope *env, Str *reply)
{
	Str source = env->user.len ? str_fmt(a, "login %.*s", STR_ARG(env->user)) : env->ip;
	Taking t = {
		.mail = mail,
		.in = { .id = uuid_new(), .from = env->from, .source = source },
		.report = { .id = uuid_new(), .from = env->from, .source = source, .report = true }
	};

	TRY(add_fields(mail, a, env, t.in.id, &t.in.raw));
	t.in.workflow = workflow_of(mail, a, env->message);
	t.report.raw = t.in.raw;
	divide(&t, a, env);
	if (t.report.count)
		t.bounced = bounce_read(a, env->message, &t.bounce);
	TRY(db_txn(mail->db, a, DB_READ_COMMITTED, keep, &t));
	count_taken(mail, &t);
	*reply = str_fmt(a, "2.0.0 %s as %.*s", mail_modes()[t.mode].name,
	                 STR_ARG(uuid_text(a, t.in.count ? t.in.id : t.report.id)));
	return NULL;
}

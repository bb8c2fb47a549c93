/* SPDX-License-Identifier: Apache-2.0
 *
 * The intake: a listener that a monolith's send_mail points at. What comes is kept in a transaction before the client is told 250, and
 * what is then done with it is the mode's to say, which is read in that same transaction: a mail that came after a change of mode never
 * goes the old way.
 *
 * Who may hand in mails: this machine, the networks of the configuration, who logs in. Anybody else only reports about mails of ours, to the
 * addresses that such reports come to; it is no relay for strangers.
 *
 * A mail gets what a server adds: a Received field, and a Date and a Message-ID where it has none. So every mail that goes on has an id that
 * is the same in every attempt. */
#include "base/arena.h"
#include "base/log.h"
#include "base/time.h"
#include "notification/bounce.h"
#include "notification/mail_int.h"
#include "notification/mail_store.h"
#include "notification/mime_read.h"
#include "notification/notification.h"
#include "notification/smtp_server.h"
#include "rt/listen.h"
#include "service/service.h"
#include "store/background.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AGAIN_US (250 * US_PER_MS)
#define DATA_US (600 * US_PER_S)
enum { NETS_MOST = 64, RECEIVED_MOST = 50, MAILS_MOST = 100000 };

typedef struct Net {
	uint8_t ip[16];
	uint16_t family;
	unsigned bits;
} Net;

typedef struct IntakeConn IntakeConn;
struct IntakeConn {
	Node node; /* in the list of its loop */
	Intake *intake;
	Fiber *fiber;
	Stream stream;
	Peer peer;
	bool trusted; /* by where it is */
};

typedef struct IntakeLoop {
	List conns;
} IntakeLoop;

struct Intake {
	Mail *mail;
	Listener *listener;
	SmtpServerConf server;
	Net nets[NETS_MOST];
	size_t net_count;
	IntakeLoop *loops;
	Background background;
	uint32_t conns; /* atomic */
	bool ending;    /* atomic */
};

/* --- who ------------------------------------------------------------------------------------------------------------------ */

static bool net_read(Arena *a, Str text, Net *out)
{
	ptrdiff_t slash = str_find_char(text, '/');
	const char *ip = str_z(a, slash < 0 ? text : str_sub(text, 0, (size_t)slash));
	uint64_t bits;

	*out = (Net){ .family = AF_INET6, .bits = 128 };
	if (inet_pton(AF_INET6, ip, out->ip) != 1) {
		*out = (Net){ .family = AF_INET, .bits = 32 };
		if (inet_pton(AF_INET, ip, out->ip) != 1)
			return false;
	}
	if (slash < 0)
		return true;
	if (!str_to_u64(str_sub(text, (size_t)slash + 1, text.len), &bits) || bits > out->bits)
		return false;
	out->bits = (unsigned)bits;
	return true;
}

static bool net_has(const Net *net, const Peer *peer)
{
	unsigned whole = net->bits / 8, rest = net->bits % 8;

	if (peer->family != net->family || memcmp(net->ip, peer->ip, whole) != 0)
		return false;
	return !rest || (net->ip[whole] ^ peer->ip[whole]) >> (8 - rest) == 0;
}

static bool is_trusted(const Intake *intake, const Peer *peer)
{
	static const uint8_t six[16] = { [15] = 1 };

	if (peer->family == AF_UNIX || (peer->family == AF_INET && peer->ip[0] == 127) ||
	    (peer->family == AF_INET6 && memcmp(peer->ip, six, sizeof(six)) == 0))
		return true;
	for (size_t i = 0; i < intake->net_count; i++)
		if (net_has(&intake->nets[i], peer))
			return true;
	return false;
}

static bool same_secret(Str x, Str y)
{
	unsigned char one[SHA256_DIGEST_LENGTH], two[SHA256_DIGEST_LENGTH];

	SHA256((const unsigned char *)x.at, x.len, one);
	SHA256((const unsigned char *)y.at, y.len, two);
	return CRYPTO_memcmp(one, two, sizeof(one)) == 0;
}

static Err *login(void *arg, Arena *a, Str user, Str password, bool *good)
{
	const IntakeConn *conn = arg;
	const MailIntakeConf *conf = &conn->intake->mail->conf->intake;

	(void)a;
	for (size_t i = 0; i < conf->users.count; i++) {
		bool same = same_secret(password, conf->users.at[i].password);

		*good |= same && str_eq(user, conf->users.at[i].name);
	}
	return NULL;
}

static bool is_bounce_address(const Mail *mail, Str address, Uuid *id)
{
	Str base = mime_address(mail->conf->bounces);

	return base.len && verp_read(address, base, mail->secret, id);
}

static const char *may(void *arg, const SmtpEnvelope *sofar, Str recipient)
{
	const IntakeConn *conn = arg;
	const Mail *mail = conn->intake->mail;
	Uuid id;

	if (is_bounce_address(mail, recipient, &id) || conn->trusted || sofar->user.len)
		return NULL;
	metric_add(mail->cells.refused, 1);
	return "550 5.7.1 no mail is taken from there for others";
}

/* --- a mail --------------------------------------------------------------------------------------------------------------- */

/* RFC 5322 3.3, in UTC. */
static void put_date(Buf *b, int64_t us)
{
	time_put_http(b, us);
	b->len -= b->broken ? 0 : 3;
	buf_put(b, S("+0000"));
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
	buf_put(&b, env->message);
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
	                                              .detail = str_sub(row->diagnostic, 0, 200) },
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

		if (is_bounce_address(t->mail, env->to[i], &t->deliveries[t->report.count])) {
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

static Err *take(void *arg, Arena *a, const SmtpEnvelope *env, Str *reply)
{
	const IntakeConn *conn = arg;
	const Mail *mail = conn->intake->mail;
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
	TRY(db_txn(mail->home->db, a, DB_READ_COMMITTED, keep, &t));
	count_taken(mail, &t);
	*reply = str_fmt(a, "2.0.0 %s as %.*s", mail_modes()[t.mode].name,
	                 STR_ARG(uuid_text(a, t.in.count ? t.in.id : t.report.id)));
	return NULL;
}

/* --- connections ---------------------------------------------------------------------------------------------------------- */

static void note_end(const Err *err)
{
	if (err && err->kind != ERR_CLOSED && err->kind != ERR_CANCELLED &&
	    !err_is(err, "rt.deadline"))
		log_info_limited("a client of the mail intake: %.*s", STR_ARG(err->text));
}

static void conn_main(void *arg)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	IntakeConn *conn = arg;
	Intake *intake = conn->intake;
	SmtpServerConf conf = intake->server;

	conn->fiber = fiber_self();
	conf.arg = conn;
	if (!__atomic_load_n(&intake->ending, __ATOMIC_RELAXED))
		note_end(smtp_serve(a, &conn->stream, peer_ip(a, &conn->peer), &conf));
	stream_close(&conn->stream);
	list_remove(&conn->node);
	free(conn);
	__atomic_sub_fetch(&intake->conns, 1, __ATOMIC_RELAXED);
	metric_sub(intake->mail->cells.connections, 1);
	background_end(&intake->background);
}

static void refuse(int fd)
{
	static const char words[] = "421 4.3.2 too many connections, come again\r\n";
	ssize_t sent = write(fd, words, sizeof(words) - 1);

	(void)sent;
	close(fd);
}

static void accepted(void *arg, int fd, const Addr *peer)
{
	Intake *intake = arg;
	IntakeConn *conn;
	Err *err;

	if (__atomic_add_fetch(&intake->conns, 1, __ATOMIC_RELAXED) >
	    intake->mail->conf->intake.connections) {
		__atomic_sub_fetch(&intake->conns, 1, __ATOMIC_RELAXED);
		refuse(fd);
		return;
	}
	conn = calloc(1, sizeof(*conn));
	if (!conn)
		abort();
	*conn = (IntakeConn){ .intake = intake, .stream = STREAM_CLOSED, .peer = peer_of(peer) };
	conn->trusted = is_trusted(intake, &conn->peer);
	err = stream_open(&conn->stream, fd);
	if (!err)
		err = background_start(&intake->background, conn_main, conn, "smtp");
	if (err) {
		if (stream_is_open(&conn->stream))
			stream_close(&conn->stream);
		else
			close(fd);
		free(conn);
		__atomic_sub_fetch(&intake->conns, 1, __ATOMIC_RELAXED);
		return;
	}
	metric_add(intake->mail->cells.connections, 1);
	list_add(&intake->loops[loop_index(loop_self())].conns, &conn->node);
}

/* --- beginning and end ---------------------------------------------------------------------------------------------------- */

static Err *read_networks(Intake *intake, Arena *a)
{
	const MailIntakeConf *conf = &intake->mail->conf->intake;

	for (size_t i = 0; i < conf->networks.count; i++)
		if (intake->net_count == NETS_MOST ||
		    !net_read(a, conf->networks.at[i], &intake->nets[intake->net_count++]))
			return err_new(a, ERR_INVALID, "mail.networks",
			               "%.*s is no network, or one too many",
			               STR_ARG(conf->networks.at[i]));
	return NULL;
}

static Err *set_up(Intake *intake, Arena *a)
{
	const MailIntakeConf *conf = &intake->mail->conf->intake;
	TlsServerConf tls = { .certificate = conf->certificate, .key = conf->key };

	intake->server = (SmtpServerConf){ .name = intake->mail->hostname,
		                           .tls_first = conf->tls_first,
		                           .auth = conf->users.count > 0,
		                           .auth_clear = conf->clear_logins,
		                           .message_most = conf->message_most,
		                           .recipients_most = conf->recipients,
		                           .mails_most = MAILS_MOST,
		                           .idle_us = conf->idle_us,
		                           .data_us = MAX(conf->idle_us, DATA_US),
		                           .take = take,
		                           .login = login,
		                           .may = may };
	TRY(read_networks(intake, a));
	return conf->certificate.len ? tls_server_new(a, &tls, 1, &intake->server.tls) : NULL;
}

/* The process before us may still have the address. */
static Err *listen_at_last(Intake *intake, Arena *a)
{
	Addr addr;

	TRY(addr_parse(a, intake->mail->conf->intake.listen, &addr));
	for (int i = 0;; i++) {
		Err *err = listener_open(a, &addr, &intake->listener);

		if (!err || !err_is(err, "rt.address_in_use") || i == 40)
			return err;
		TRY(fiber_sleep(AGAIN_US));
	}
}

Err *intake_begin(Mail *mail, Arena *a, Intake **out)
{
	Intake *intake = ARENA_NEW(a, Intake);

	intake->mail = mail;
	intake->loops = ARENA_ARRAY(a, IntakeLoop, rt_loops());
	for (size_t i = 0; i < rt_loops(); i++)
		list_init(&intake->loops[i].conns);
	TRY(set_up(intake, a));
	TRY(listen_at_last(intake, a));
	background_init(&intake->background);
	listener_start(intake->listener, accepted, intake);
	log_info("mails are taken at %.*s", STR_ARG(addr_text(a, listener_addr(intake->listener))));
	*out = intake;
	return NULL;
}

static void cancel_all(void *arg)
{
	Intake *intake = arg;

	LIST_EACH (&intake->loops[loop_index(loop_self())].conns, IntakeConn, node, conn)
		if (conn->fiber)
			fiber_cancel(conn->fiber);
}

void intake_end(Intake *intake)
{
	if (!intake)
		return;
	listener_close(intake->listener);
	__atomic_store_n(&intake->ending, true, __ATOMIC_RELAXED);
	loop_each(cancel_all, intake);
	background_await(&intake->background);
	tls_unref(intake->server.tls);
}

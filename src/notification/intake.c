/* SPDX-License-Identifier: Apache-2.0
 *
 * The intake: a listener that a monolith's send_mail points at. What is done with a mail is intake_take.c's.
 *
 * Who may hand in mails: this machine, the networks of the configuration, who logs in. Anybody else only reports about mails of ours, to the
 * addresses that such reports come to; it is no relay for strangers. Nor may strangers keep our own out: half of the connections is theirs
 * at most. */
#include "base/arena.h"
#include "base/log.h"
#include "base/time.h"
#include "notification/mail_int.h"
#include "notification/smtp_server.h"
#include "rt/listen.h"
#include "rt/work.h"
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
enum { NETS_MOST = 64, MAILS_MOST = 100000 };

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
	Fiber *waiter;             /* for its address; of loop 0 */
	uint32_t conns, strangers; /* atomic; strangers are among conns */
	bool ending;               /* atomic */
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

static const char *may(void *arg, const SmtpEnvelope *sofar, Str recipient)
{
	const IntakeConn *conn = arg;
	const Mail *mail = conn->intake->mail;
	Uuid id;

	if (mail_is_bounce_address(mail, recipient, &id) || conn->trusted || sofar->user.len)
		return NULL;
	metric_add(mail->cells.refused, 1);
	return "550 5.7.1 no mail is taken from there for others";
}

static Err *take(void *arg, Arena *a, const SmtpEnvelope *env, Str *reply)
{
	const IntakeConn *conn = arg;

	return mail_intake_take(conn->intake->mail, a, env, reply);
}

/* --- connections ---------------------------------------------------------------------------------------------------------- */

static void note_end(const Err *err)
{
	if (err && err->kind != ERR_CLOSED && err->kind != ERR_CANCELLED &&
	    !err_is(err, "rt.deadline"))
		log_info_limited("a client of the mail intake: %.*s", STR_ARG(err->text));
}

/* A place among the connections; false: there is none. */
static bool place_take(Intake *intake, bool trusted)
{
	uint32_t most = intake->mail->conf->intake.connections;
	uint32_t conns = __atomic_add_fetch(&intake->conns, 1, __ATOMIC_RELAXED);
	uint32_t strangers =
		trusted ? 0 : __atomic_add_fetch(&intake->strangers, 1, __ATOMIC_RELAXED);

	return conns <= most && strangers <= (most + 1) / 2;
}

static void place_give(Intake *intake, bool trusted)
{
	__atomic_sub_fetch(&intake->conns, 1, __ATOMIC_RELAXED);
	if (!trusted)
		__atomic_sub_fetch(&intake->strangers, 1, __ATOMIC_RELAXED);
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
	place_give(intake, conn->trusted);
	free(conn);
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
	Peer from = peer_of(peer);
	bool trusted = is_trusted(intake, &from);
	IntakeConn *conn;
	Err *err;

	if (!place_take(intake, trusted)) {
		place_give(intake, trusted);
		refuse(fd);
		return;
	}
	conn = calloc(1, sizeof(*conn));
	if (!conn)
		abort();
	*conn = (IntakeConn){
		.intake = intake, .stream = STREAM_CLOSED, .peer = from, .trusted = trusted
	};
	err = stream_open(&conn->stream, fd);
	if (!err)
		err = background_start(&intake->background, conn_main, conn, "smtp");
	if (err) {
		if (stream_is_open(&conn->stream))
			stream_close(&conn->stream);
		else
			close(fd);
		free(conn);
		place_give(intake, trusted);
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

typedef struct OpeningTls {
	Intake *intake;
	Arena *a;
	Err *err;
} OpeningTls;

static void open_tls(void *arg)
{
	OpeningTls *o = arg;
	const MailIntakeConf *conf = &o->intake->mail->conf->intake;
	TlsServerConf tls = { .certificate = conf->certificate, .key = conf->key };

	o->err = tls_server_new(o->a, &tls, 1, &o->intake->server.tls);
}

static Err *set_up(Intake *intake, Arena *a)
{
	const MailIntakeConf *conf = &intake->mail->conf->intake;
	OpeningTls o = { .intake = intake, .a = a };

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
	if (!conf->certificate.len)
		return NULL;
	TRY(work_run(open_tls, &o));
	return o.err;
}

static Err *listen_now(Intake *intake, Arena *a)
{
	Addr addr;

	TRY(addr_parse(a, intake->mail->conf->intake.listen, &addr));
	TRY(listener_open(a, &addr, &intake->listener));
	listener_start(intake->listener, accepted, intake);
	log_info("mails are taken at %.*s", STR_ARG(addr_text(a, listener_addr(intake->listener))));
	return NULL;
}

/* The process before us still has the address: it is ours as soon as that has ended. */
static void listen_later(void *arg)
{
	Intake *intake = arg;
	Err *err = NULL;

	intake->waiter = fiber_self();
	while (!err && !intake->listener && !__atomic_load_n(&intake->ending, __ATOMIC_RELAXED)) {
		err = fiber_sleep(AGAIN_US);
		if (!err)
			err = listen_now(intake, intake->mail->home->arena);
		if (err && err_is(err, "rt.address_in_use"))
			err = NULL;
	}
	if (err && err->kind != ERR_CANCELLED)
		log_err(err, "mails are not taken");
	intake->waiter = NULL;
	background_end(&intake->background);
}

Err *mail_intake_begin(Mail *mail, Arena *a, Intake **out)
{
	Intake *intake = ARENA_NEW(a, Intake);
	Err *err;

	intake->mail = mail;
	intake->loops = ARENA_ARRAY(a, IntakeLoop, rt_loops());
	for (size_t i = 0; i < rt_loops(); i++)
		list_init(&intake->loops[i].conns);
	TRY(set_up(intake, a));
	background_init(&intake->background);
	*out = intake;
	err = listen_now(intake, a);
	if (!err || !err_is(err, "rt.address_in_use"))
		return err;
	log_warn("%.*s is in use: mails are taken there when it is not",
	         STR_ARG(intake->mail->conf->intake.listen));
	return background_start(&intake->background, listen_later, intake, "intake");
}

static void cancel_all(void *arg)
{
	Intake *intake = arg;

	LIST_EACH (&intake->loops[loop_index(loop_self())].conns, IntakeConn, node, conn)
		if (conn->fiber)
			fiber_cancel(conn->fiber);
}

void mail_intake_end(Intake *intake)
{
	if (!intake)
		return;
	__atomic_store_n(&intake->ending, true, __ATOMIC_RELAXED);
	if (intake->waiter)
		fiber_cancel(intake->waiter);
	listener_close(intake->listener);
	loop_each(cancel_all, intake);
	background_await(&intake->background);
	tls_unref(intake->server.tls);
}

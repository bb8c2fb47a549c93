/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <sys/socket.h>

/* What the BIO asks of the kernel is counted, and may be cut. */
static struct {
	unsigned recvs, sends;
	bool halve; /* the next send */
} kernel;

static ssize_t test_recv(int fd, void *into, size_t cap, int flags)
{
	kernel.recvs++;
	return recv(fd, into, cap, flags);
}

static ssize_t test_send(int fd, const void *from, size_t len, int flags)
{
	size_t n = kernel.halve ? len / 2 : len;

	kernel.halve = false;
	kernel.sends++;
	return send(fd, from, n, flags);
}

#define recv test_recv
#define send test_send
#include "rt/tls.c"
#undef recv
#undef send

#include "base/rand.h"
#include "base/time.h"
#include "tls_pair.h"
#include "unit.h"

#include <sys/ioctl.h>

static TlsContext *server_of_tests(Arena *a)
{
	Cert cert = cert_make(a, "site", "DNS:localhost", NULL, 30);
	TlsServerConf conf = { cert.file, cert.key, .h2 = true };
	TlsContext *context = NULL;

	CHECK_OK(tls_server_new(a, &conf, 1, &context));
	return context;
}

static TlsContext *client_of_tests(Arena *a)
{
	TlsContext *context = NULL;

	CHECK_OK(tls_client_new(a, &(TlsClientConf){ .h2 = true }, &context));
	return context;
}

static TlsPair pair_of_tests(Arena *a)
{
	return (TlsPair){ .server = server_of_tests(a),
		          .client = client_of_tests(a),
		          .name = S("localhost") };
}

static void pair_free(TlsPair *pair)
{
	tls_pair_close(pair);
	tls_unref(pair->server);
	tls_unref(pair->client);
}

/* An open pair that has talked. */
static TlsPair *talking_pair(Arena *a, bool tcp)
{
	TlsPair *pair = ARENA_NEW(a, TlsPair);

	*pair = pair_of_tests(a);
	tls_pair_open(pair, tcp);
	CHECK_OK(pair->server_err);
	CHECK_OK(pair->client_err);
	tls_pair_talk(pair);
	return pair;
}

/* --- bytes ---------------------------------------------------------------------------------------------------------- */

typedef struct Flood {
	Stream *to;
	char *bytes;
	size_t len;
} Flood;

/* In parts of every size: empty, small, a record and one byte, many records. */
static Err *pour(void *arg)
{
	static const size_t sizes[] = { 0, 1, 300, 16384, 16385, 0, 70000, 5, 16383, 2, 40000 };
	Flood *flood = arg;
	size_t at = 0;

	for (size_t turn = 0; at < flood->len; turn++) {
		struct iovec parts[4];

		for (size_t i = 0; i < COUNT(parts); i++) {
			size_t n = MIN(sizes[(turn * 3 + i * 5) % COUNT(sizes)], flood->len - at);

			parts[i] = (struct iovec){ flood->bytes + at, n };
			at += n;
		}
		TRY(stream_writev(flood->to, parts, COUNT(parts)));
	}
	return stream_end(flood->to);
}

static void drain(Stream *from, const char *want, size_t len)
{
	static char into[50000];
	size_t at = 0, got, turn = 0;

	for (;;) {
		CHECK_OK(stream_read(from, into, turn++ % 3 ? sizeof into : 100, &got));
		if (!got)
			break;
		CHECK(at + got <= len);
		CHECK(memcmp(want + at, into, got) == 0);
		at += got;
	}
	CHECK_INT(at, len);
}

static Err *flood_both_ways(void *arg)
{
	enum { BYTES = 3 << 20 };
	Arena *a = arg;

	for (unsigned tcp = 0; tcp < 2; tcp++) {
		AUTO(child_end) Child up = { 0 }, down = { 0 };
		TlsPair *pair = talking_pair(a, tcp);
		Flood there = { &pair->c, arena_alloc_raw(a, BYTES), BYTES }, back = there;

		rand_bytes(there.bytes, BYTES);
		back.to = &pair->s;
		CHECK_OK(child_start(&up, pour, &there, "up"));
		CHECK_OK(child_start(&down, pour, &back, "down"));
		drain(&pair->s, there.bytes, BYTES);
		drain(&pair->c, there.bytes, BYTES);
		CHECK_OK(child_join(&up));
		CHECK_OK(child_join(&down));
		pair_free(pair);
	}
	return NULL;
}

TEST(everything_arrives_in_order_both_ways_at_once)
{
	CHECK_OK(in_loops(flood_both_ways, a));
}

static Err *count_calls(void *arg)
{
	Arena *a = arg;
	TlsPair *pair = talking_pair(a, true);
	struct iovec parts[] = { { (char *)"head ", 5 }, { NULL, 0 }, { (char *)"body", 4 } };
	char bytes[64];
	size_t got;
	bool more;

	kernel.recvs = kernel.sends = 0;
	CHECK_OK(stream_writev(&pair->s, parts, 3));
	CHECK_INT(kernel.sends, 1);
	CHECK_OK(stream_read(&pair->c, bytes, sizeof bytes, &got));
	CHECK_STR(((Str){ bytes, got }), S("head body"));
	CHECK_INT(kernel.recvs, 1);
	CHECK(!stream_pending(&pair->c));
	CHECK_OK(stream_try_read(&pair->c, bytes, sizeof bytes, &got, &more));
	CHECK(!got && more);
	CHECK_INT(kernel.recvs, 1); /* not asked again */
	pair_free(pair);
	return NULL;
}

TEST(head_and_body_are_one_send_and_one_recv)
{
	CHECK_OK(in_loops(count_calls, a));
}

static Err *half_record(void *arg)
{
	Arena *a = arg;
	TlsPair *pair = talking_pair(a, true);
	struct iovec part = { (char *)"0123456789", 10 };
	char bytes[64];
	size_t sent, got;
	bool more;

	kernel.halve = true;
	CHECK_OK(tls_try_writev(&pair->c, &part, 1, &sent));
	CHECK_INT(sent, 0);
	CHECK(tls_wants_write(&pair->c));
	CHECK_OK(stream_wait_readable(&pair->s));
	CHECK_OK(stream_try_read(&pair->s, bytes, sizeof bytes, &got, &more));
	CHECK(!got && more);
	CHECK(SSL_has_pending(pair->s.tls->ssl));
	CHECK(!stream_pending(&pair->s)); /* half a record is nothing to wake for */
	pair->c.watch.writable = true;    /* the edge will not come: the socket was never full */
	CHECK_OK(tls_try_writev(&pair->c, &part, 1, &sent));
	CHECK_INT(sent, 10);
	CHECK_OK(stream_read(&pair->s, bytes, sizeof bytes, &got));
	CHECK_INT(got, 10);
	pair_free(pair);
	return NULL;
}

TEST(half_a_record_is_not_pending)
{
	CHECK_OK(in_loops(half_record, a));
}

static Err *two_records(void *arg)
{
	Arena *a = arg;
	TlsPair *pair = talking_pair(a, true);
	char bytes[64];
	size_t got;

	CHECK_OK(stream_write(&pair->c, S("first")));
	CHECK_OK(stream_write(&pair->c, S("second")));
	CHECK_OK(stream_wait_readable(&pair->s));
	kernel.recvs = 0;
	CHECK_OK(stream_read(&pair->s, bytes, sizeof bytes, &got));
	CHECK_STR(((Str){ bytes, got }), S("first"));
	CHECK(stream_pending(&pair->s)); /* no edge will come for the second: it is here already */
	CHECK_OK(stream_read(&pair->s, bytes, sizeof bytes, &got));
	CHECK_STR(((Str){ bytes, got }), S("second"));
	CHECK_INT(kernel.recvs, 1);
	CHECK(!stream_pending(&pair->s));
	pair_free(pair);
	return NULL;
}

TEST(what_was_read_ahead_is_pending)
{
	CHECK_OK(in_loops(two_records, a));
}

static Err *move_about(void *arg)
{
	Arena *a = arg;
	TlsPair *pair = talking_pair(a, true);
	Stream other = STREAM_CLOSED;

	stream_move(&pair->s, &other);
	memset(&pair->s, 0xee, sizeof pair->s);
	pair->s = (Stream)STREAM_CLOSED;
	CHECK_OK(stream_write(&pair->c, S("x")));
	stream_move(&other, &pair->s);
	{
		char byte;
		size_t got;

		CHECK_OK(stream_read(&pair->s, &byte, 1, &got));
		CHECK_INT(byte, 'x');
	}
	tls_pair_talk(pair);
	pair_free(pair);
	return NULL;
}

TEST(a_stream_may_move_in_mid_conversation)
{
	CHECK_OK(in_loops(move_about, a));
}

static Err *new_keys(void *arg)
{
	Arena *a = arg;
	TlsPair *pair = talking_pair(a, true);

	for (int i = 0; i < 3; i++) {
		CHECK(SSL_key_update(pair->c.tls->ssl, SSL_KEY_UPDATE_REQUESTED));
		tls_pair_talk(pair);
	}
	pair_free(pair);
	return NULL;
}

TEST(keys_change_while_bytes_flow)
{
	CHECK_OK(in_loops(new_keys, a));
}

/* --- ends ----------------------------------------------------------------------------------------------------------- */

typedef enum End { CLEAN, CUT, RESET, GARBAGE } End;

static void end_it(Stream *s, End how)
{
	struct linger at_once = { 1, 0 };

	if (how == CLEAN)
		CHECK_OK(stream_end(s));
	if (how == RESET)
		setsockopt(s->watch.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	if (how == GARBAGE)
		CHECK_INT(send(s->watch.fd, "GET / HTTP/1.1\r\n\r\n", 18, 0), 18);
	if (how == CUT || how == RESET)
		stream_close(s);
}

static Err *end_in_every_way(void *arg)
{
	static const struct {
		End how;
		const char *slug;
	} cases[] = { { CLEAN, NULL },
		      { CUT, "tls.truncated" },
		      { RESET, "rt.reset" },
		      { GARBAGE, "tls.protocol" } };
	Arena *a = arg;

	for (size_t i = 0; i < COUNT(cases); i++) {
		TlsPair *pair = talking_pair(a, true);
		char bytes[64];
		size_t got = 99;

		NOTE("case %zu", i);
		end_it(&pair->c, cases[i].how);
		for (int again = 0; again < 2; again++) { /* it stays so */
			CHECK_ERR(stream_read(&pair->s, bytes, sizeof bytes, &got), cases[i].slug);
			CHECK_INT(got, 0);
			CHECK(stream_pending(&pair->s));
		}
		if (cases[i].how == CLEAN) /* it may still be answered */
			CHECK_OK(stream_write(&pair->s, S("bye")));
		else
			CHECK(stream_write(&pair->s, S("bye")) != NULL);
		pair_free(pair);
	}
	return NULL;
}

TEST(each_end_has_its_error)
{
	CHECK_OK(in_loops(end_in_every_way, a));
}

/* --- handshakes that fail ------------------------------------------------------------------------------------------- */

static Err *speak_to_server(void *arg)
{
	static const struct {
		Str said;
		bool end;
		const char *slug;
		Str text;
	} cases[] = {
		{ S("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), false, "tls.handshake",
		  S("plain HTTP was spoken to a TLS port") },
		{ S("SSH-2.0-OpenSSH_9.2p1 Debian\r\n"), false, "tls.handshake",
		  S("the other side did not speak TLS") },
		{ S(""), true, "tls.handshake", S("the connection ended in the TLS handshake") },
		{ S("\x16\x03\x01\x02"), true, "tls.handshake",
		  S("the connection ended in the TLS handshake") },
	};
	Arena *a = arg;
	TlsContext *server = server_of_tests(a);

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(stream_close) Stream s = STREAM_CLOSED;
		Err *err;
		int fds[2];

		NOTE("case %zu", i);
		socket_pair(fds, true);
		CHECK_OK(stream_open(&s, fds[0]));
		CHECK_INT(send(fds[1], cases[i].said.at, cases[i].said.len, 0), cases[i].said.len);
		if (cases[i].end)
			shutdown(fds[1], SHUT_WR);
		err = stream_tls_accept(&s, server);
		CHECK_ERR(err, cases[i].slug);
		CHECK_STR(err->text, cases[i].text);
		CHECK(stream_write(&s, S("secret")) == err); /* nothing goes out in the clear */
		close(fds[1]);
	}
	tls_unref(server);
	return NULL;
}

TEST(a_failed_handshake_says_why_and_stays_failed)
{
	CHECK_OK(in_loops(speak_to_server, a));
}

static Err *silent_peer(void *arg)
{
	Arena *a = arg;
	TlsContext *contexts[] = { server_of_tests(a), client_of_tests(a) };
	int fds[2];

	for (int client = 0; client < 2; client++) {
		AUTO(deadline_end) Deadline limit = deadline_begin(20 * US_PER_MS);
		AUTO(stream_close) Stream s = STREAM_CLOSED;

		socket_pair(fds, true);
		CHECK_OK(stream_open(&s, fds[0]));
		CHECK_ERR(client ? stream_tls_connect(&s, contexts[1], S("localhost"))
		                 : stream_tls_accept(&s, contexts[0]),
		          "rt.deadline");
		close(fds[1]);
		tls_unref(contexts[client]);
	}
	return NULL;
}

TEST(a_silent_peer_runs_into_the_deadline)
{
	CHECK_OK(in_loops(silent_peer, a));
}

static Err *cancelled_connect(void *arg)
{
	TlsPair *pair = arg;

	return stream_tls_connect(&pair->c, pair->client, pair->name);
}

typedef struct CancelAt {
	TlsPair *pair;
	unsigned n;
	Err *err;
} CancelAt;

static Err *connect_and_be_cancelled(void *arg)
{
	CancelAt *at = arg;

	fiber_cancel_at_park(at->n);
	at->err = cancelled_connect(at->pair);
	fiber_cancel_at_park(0);
	stream_close(&at->pair->c);
	return NULL;
}

static Err *cancel_at_every_park(void *arg)
{
	TlsPair pair = pair_of_tests(arg);
	CancelAt at = { .pair = &pair };

	do {
		AUTO(child_end) Child accepting = { 0 }, connecting = { 0 };
		int fds[2];

		at.n++;
		socket_pair(fds, false);
		CHECK_OK(stream_open(&pair.s, fds[0]));
		CHECK_OK(stream_open(&pair.c, fds[1]));
		CHECK_OK(child_start(&accepting, tls_pair_accept, &pair, "server"));
		CHECK_OK(child_start(&connecting, connect_and_be_cancelled, &at, "client"));
		CHECK_OK(child_join(&connecting));
		CHECK_OK(child_join(&accepting));
		if (at.err) {
			CHECK_ERR(at.err, "rt.cancelled");
			CHECK(pair.server_err !=
			      NULL); /* "tls.handshake", or "rt.closed" while it wrote */
		}
		stream_close(&pair.s);
	} while (at.err);
	CHECK(at.n > 1);
	pair_free(&pair);
	return NULL;
}

TEST(a_handshake_may_be_cancelled_at_any_park)
{
	CHECK_OK(in_loops(cancel_at_every_park, a));
}

/* --- contexts ------------------------------------------------------------------------------------------------------- */

static Err *outlive(void *arg)
{
	Arena *a = arg;
	TlsPair *pair = talking_pair(a, false);

	tls_unref(TAKE(pair->server)); /* a reload: the connection keeps what it needs */
	tls_unref(TAKE(pair->client));
	tls_pair_talk(pair);
	tls_pair_close(pair);
	tls_unref(NULL);
	return NULL;
}

TEST(a_connection_outlives_its_context)
{
	CHECK_OK(in_loops(outlive, a));
}

/* --- cursors -------------------------------------------------------------------------------------------------------- */

TEST(records_are_cut_the_same_way_each_time)
{
	static char big[40000], joined[RECORD_BYTES];
	struct iovec parts[] = { { (char *)"ab", 2 },
		                 { (char *)"", 0 },
		                 { (char *)"cd", 2 },
		                 { big, sizeof big },
		                 { (char *)"ef", 2 } };
	Cursor c = { parts, parts + COUNT(parts), 0 };
	static const size_t want[] = { RECORD_BYTES, RECORD_BYTES, 40006 - 2 * RECORD_BYTES };

	for (size_t i = 0; i < COUNT(want); i++) {
		CHECK_INT(cursor_record(&c, joined).len, want[i]);
		CHECK_INT(cursor_record(&c, joined).len, want[i]);
		if (i == 0)
			CHECK_STR(str_sub((Str){ joined, 4 }, 0, 4), S("abcd"));
		cursor_skip(&c, want[i]);
	}
	CHECK(c.part == c.end);
	CHECK_INT(cursor_record(&c, joined).len, 0);
	c = (Cursor){ parts, parts + 3, 0 };
	CHECK_STR(cursor_record(&c, joined), S("abcd"));
	cursor_skip(&c, 1);
	CHECK_STR(cursor_record(&c, joined), S("bcd"));
	cursor_skip(&c, 1);
	CHECK_STR(cursor_record(&c, joined), S("cd"));
}

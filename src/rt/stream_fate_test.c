/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/stream_fate.c"

#include "base/time.h"
#include "tls_pair.h"
#include "unit.h"

#include <string.h>
#include <unistd.h>

/* What a server may do with a connection that was used once, around our second request of 200 bytes. */
typedef struct Case {
	const char *name;
	void (*before)(int fd); /* it is sent */
	void (*after)(int fd);
	bool untouched;
	StreamFate fate; /* as met by reading */
} Case;

static void close_it(int fd)
{
	close(fd);
}

static void half_close(int fd)
{
	shutdown(fd, SHUT_WR);
}

static void read_some(int fd, size_t bytes)
{
	char into[1000];

	CHECK_INT(recv(fd, into, bytes, 0), (intmax_t)bytes);
}

static void read_all_and_close(int fd)
{
	read_some(fd, 200);
	close(fd);
}

static void read_half_and_close(int fd)
{
	read_some(fd, 100);
	close(fd);
}

static void abort_it(int fd)
{
	struct linger now = { 1, 0 };

	CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0);
	close(fd);
}

static void read_all_and_abort(int fd)
{
	read_some(fd, 200);
	abort_it(fd);
}

static const Case cases[] = {
	{ "closed before it came", close_it, NULL, true, STREAM_ENDED },
	{ "closed with it unread", NULL, close_it, false, STREAM_BROKE },
	{ "closed with half of it unread", NULL, read_half_and_close, false, STREAM_BROKE },
	{ "read it and closed", NULL, read_all_and_close, false, STREAM_ENDED },
	{ "read it and was killed hard", NULL, read_all_and_abort, false, STREAM_BROKE },
	{ "closed its side, then got it", half_close, NULL, false, STREAM_ENDED },
	{ "closed its side, read it, closed", half_close, read_all_and_close, false, STREAM_ENDED },
	{ "closed its side, did not read it, closed", half_close, close_it, true, STREAM_ENDED },
};

static int listen_somewhere(Addr *at)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	*at = (Addr){ .in = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } },
		      .len = sizeof at->in };
	CHECK(fd >= 0 && bind(fd, &at->sa, at->len) == 0 && listen(fd, 1) == 0 &&
	      getsockname(fd, &at->sa, &at->len) == 0);
	return fd;
}

static char zeros[200];

static void play(const Case *c, int listener, const Addr *at)
{
	AUTO(stream_close) Stream s = STREAM_CLOSED;
	AUTO(deadline_end) Deadline limit = deadline_begin(10 * US_PER_S);
	size_t got;
	int fd;

	NOTE("%s", c->name);
	CHECK_OK(stream_connect(&s, at));
	fd = accept(listener, NULL, NULL);
	CHECK(fd >= 0);
	CHECK_OK(stream_write(&s, (Str){ zeros, 100 }));
	read_some(fd, 100);
	CHECK_INT(send(fd, "answer", 6, 0), 6);
	CHECK_OK(stream_read(&s, (char[10]){ 0 }, 10, &got));
	CHECK_INT(s.written, 100);
	if (c->before)
		c->before(fd);
	CHECK_OK(stream_write(&s, (Str){ zeros, 200 }));
	if (c->after)
		c->after(fd);
	if (stream_read(&s, (char[10]){ 0 }, 10, &got))
		got = 0;
	CHECK_INT(got, 0);
	CHECK_INT(s.fate, c->fate);
	CHECK_INT(stream_untouched(&s, 100, false), c->untouched);
	CHECK_INT(stream_untouched(&s, 0, false), false); /* the first request was taken */
	if (c->before == half_close && !c->after)
		close(fd);
}

static Err *play_all(void *arg)
{
	Addr at;
	int listener = listen_somewhere(&at);

	(void)arg;
	for (size_t i = 0; i < COUNT(cases); i++)
		play(&cases[i], listener, &at);
	close(listener);
	return NULL;
}

TEST(only_what_nobody_can_have_read_is_untouched)
{
	(void)a;
	CHECK_OK(rt_run(&(RtConf){ .loops = 1, .workers = 1 }, play_all, NULL));
}

static Err *unix_pair(void *arg)
{
	AUTO(stream_close) Stream s = STREAM_CLOSED;
	size_t got;
	int fds[2];

	(void)arg;
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	CHECK_OK(stream_open(&s, fds[0]));
	CHECK_OK(stream_write(&s, (Str){ zeros, 10 }));
	close(fds[1]);
	CHECK(stream_read(&s, (char[10]){ 0 }, 10, &got) != NULL);
	CHECK(!stream_untouched(&s, 0, false));
	return NULL;
}

TEST(a_unix_socket_proves_nothing)
{
	(void)a;
	CHECK_OK(rt_run(&(RtConf){ .loops = 1, .workers = 1 }, unix_pair, NULL));
}

/* TLS says its own end before the connection's; that alone is no proof, and does not hide one. */
static const struct {
	const char *name;
	bool says_goodbye, closes_first, reads;
	bool untouched;
} tls_cases[] = {
	{ "closed before it came", false, true, false, true },
	{ "said goodbye and closed before it came", true, true, false, true },
	{ "closed with it unread", false, false, false, false },
	{ "said goodbye, got it, closed unread", true, false, false, true },
	{ "read it and closed", false, false, true, false },
};

static Err *play_tls(void *arg)
{
	Arena *a = arg;
	Cert cert = cert_make(a, "server", "DNS:www.example.org", NULL, 30);
	TlsPair pair = { .name = S("www.example.org") };

	CHECK_OK(
		tls_server_new(a, &(TlsServerConf){ cert.file, cert.key, false }, 1, &pair.server));
	CHECK_OK(tls_client_new(a, &(TlsClientConf){ .ca = cert.file, .verify = true },
	                        &pair.client));
	for (size_t i = 0; i < COUNT(tls_cases); i++) {
		char into[100];
		uint64_t from;
		size_t got;

		NOTE("%s", tls_cases[i].name);
		tls_pair_open(&pair, true);
		tls_pair_talk(&pair);
		from = pair.c.written;
		if (tls_cases[i].says_goodbye)
			CHECK_OK(stream_end(&pair.s));
		if (tls_cases[i].closes_first)
			stream_close(&pair.s);
		CHECK_OK(stream_write(&pair.c, S("charge my card")));
		CHECK(pair.c.written > from + 14);
		if (tls_cases[i].reads)
			CHECK_OK(stream_read(&pair.s, into, sizeof into, &got));
		stream_close(&pair.s);
		if (!stream_read(&pair.c, into, sizeof into, &got))
			CHECK_INT(got, 0);
		CHECK_INT(stream_untouched(&pair.c, from, false), tls_cases[i].untouched);
		CHECK(!stream_untouched(&pair.c, 0, false));
		tls_pair_close(&pair);
	}
	tls_unref(pair.server);
	tls_unref(pair.client);
	return NULL;
}

TEST(tls_changes_nothing_of_it)
{
	CHECK_OK(in_loops(play_tls, a));
}

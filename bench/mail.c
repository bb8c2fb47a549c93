/* SPDX-License-Identifier: Apache-2.0
 *
 * mail PORT COUNT SESSIONS BYTES
 *
 * COUNT mails of BYTES each to a mail server on this machine, over SESSIONS connections that are kept: what the channel and the relay do with
 * a mail once it is built. One line of JSON: microseconds of the clock and of this processor, a mail. */
#include "crew.h"
#include "notification/smtp_pool.h"

#include <string.h>

static struct {
	SmtpPool *pool;
	int64_t next, count; /* atomic */
	unsigned sessions;
	Str message;
} bench;

static void send_all(Arena *a)
{
	while (__atomic_fetch_add(&bench.next, 1, __ATOMIC_RELAXED) < bench.count) {
		SmtpRecipient to = { .address = S("ann@sink.test") };
		SmtpMail mail = {
			.from = S("shop@sink.test"), .to = &to, .count = 1, .message = bench.message
		};

		need(smtp_pool_send(bench.pool, a, &mail));
		if (to.fate != SMTP_TAKEN)
			die("a mail was not taken");
		arena_clear(a);
	}
}

static Str make_message(Arena *a, size_t bytes)
{
	static const char line[] =
		"X-XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX\r\n";
	AUTO(buf_fini) Buf b = { 0 };

	buf_put(&b,
	        S("From: shop@sink.test\r\nTo: ann@sink.test\r\nSubject: bench\r\nMessage-ID: <1@sink.test>\r\n\r\n"));
	while (b.len < bytes)
		buf_put(&b, str_of(line));
	return str_dup(a, buf_str(&b));
}

static Err *run(void *arg)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	char **argv = arg;
	SmtpPoolConf conf = { .place = { .host = S("127.0.0.1"),
		                         .port = (uint16_t)atoi(argv[1]),
		                         .helo = S("bench.test") },
		              .mails = UINT32_MAX };
	int64_t wall_us, spent_us;

	bench.count = atoll(argv[2]);
	bench.sessions = (unsigned)atoi(argv[3]);
	bench.message = make_message(a, (size_t)atoll(argv[4]));
	conf.connections = bench.sessions;
	bench.pool = smtp_pool_new(a, &conf);
	wall_us = time_mono_us();
	spent_us = cpu_us();
	crew_run(bench.sessions, send_all);
	wall_us = time_mono_us() - wall_us;
	spent_us = cpu_us() - spent_us;
	printf("{\"us\":%.2f,\"cpu_us\":%.2f}\n", (double)wall_us / (double)bench.count,
	       (double)spent_us / (double)bench.count);
	smtp_pool_close(bench.pool);
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc != 5)
		die("mail PORT COUNT SESSIONS BYTES");
	need(rt_run(&(RtConf){ .loops = 1, .workers = 1 }, run, argv));
	return 0;
}

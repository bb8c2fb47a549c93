/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/dns.c"

#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* --- a name server, one fiber, over UDP and TCP ---------------------------------------------------------------------- */

typedef enum Mood { ANSWER, ABSENT, FAIL, SILENT, CUT_OFF } Mood;

static struct {
	Mood mood;
	uint32_t ttl;
	unsigned a, aaaa, tcp; /* questions seen */
	unsigned last_octet;
	Watch udp, listening;
	char address[32];
} ns;

/* Where the question ends, or 0. */
static size_t question_end(const uint8_t *at, size_t len)
{
	size_t i = 12;

	while (i < len && at[i])
		i += at[i] + 1u;
	return i + 5 <= len ? i + 5 : 0;
}

static size_t ns_reply(uint8_t *at, size_t len, size_t cap, bool tcp)
{
	size_t end = question_end(at, len);
	bool v6 = end && at[end - 3] == 28;
	const uint8_t fixed[] = { 0xc0,
		                  12,
		                  0,
		                  v6 ? 28 : 1,
		                  0,
		                  1,
		                  0,
		                  0,
		                  (uint8_t)(ns.ttl >> 8),
		                  (uint8_t)ns.ttl,
		                  0,
		                  v6 ? 16 : 4 };
	const uint8_t v4_addr[] = { 10, 0, 0, (uint8_t)ns.last_octet };
	const uint8_t v6_addr[16] = { 0xfd, [15] = (uint8_t)ns.last_octet };

	CHECK(end && end + 64 < cap);
	ns.a += !v6;
	ns.aaaa += v6;
	ns.tcp += tcp;
	at[2] = 0x81; /* a response, recursion desired */
	at[3] = 0x80 | (ns.mood == ABSENT ? 3 : ns.mood == FAIL ? 2 : 0);
	memset(at + 6, 0, 6);
	if (ns.mood == CUT_OFF && !tcp)
		at[2] |= 2;
	else if (ns.mood == ANSWER || ns.mood == CUT_OFF) {
		at[7] = 1;
		memcpy(at + end, fixed, sizeof fixed);
		memcpy(at + end + sizeof fixed, v6 ? v6_addr : v4_addr, v6 ? 16 : 4);
		end += sizeof fixed + (v6 ? 16 : 4);
	}
	return end;
}

static Err *ns_udp(void *arg)
{
	uint8_t packet[1024];
	(void)arg;

	for (;;) {
		struct sockaddr_in from;
		socklen_t from_len = sizeof from;
		ssize_t n;

		TRY(watch_wait_readable(&ns.udp));
		n = recvfrom(ns.udp.fd, packet, sizeof packet, 0, (struct sockaddr *)&from,
		             &from_len);
		if (n < 0) {
			ns.udp.readable = false;
			continue;
		}
		n = (ssize_t)ns_reply(packet, (size_t)n, sizeof packet, false);
		if (ns.mood != SILENT)
			CHECK_INT(sendto(ns.udp.fd, packet, (size_t)n, 0, (struct sockaddr *)&from,
			                 from_len),
			          n);
	}
}

/* Both questions come over one connection, perhaps cut anywhere. */
static Err *ns_tcp_one(Stream *s)
{
	uint8_t bytes[2048];
	size_t have = 0, got;

	for (;;) {
		TRY(stream_read(s, bytes + have, sizeof bytes - have, &got));
		if (!got)
			return NULL;
		have += got;
		while (have >= 2 && have >= 2u + bytes[1]) {
			uint8_t packet[1024];
			size_t len = 2u + bytes[1], n;

			memcpy(packet, bytes, len);
			memmove(bytes, bytes + len, have - len);
			have -= len;
			n = ns_reply(packet + 2, len - 2, sizeof packet - 2, true);
			packet[1] = (uint8_t)n;
			TRY(stream_write(s, (Str){ (char *)packet,
			                           1 })); /* in two, for what reads it */
			TRY(fiber_yield());
			TRY(stream_write(s, (Str){ (char *)packet + 1, n + 1 }));
		}
	}
}

static Err *ns_tcp(void *arg)
{
	(void)arg;
	for (;;) {
		AUTO(stream_close) Stream s = STREAM_CLOSED;
		Err *err;
		int fd;

		TRY(watch_wait_readable(&ns.listening));
		fd = accept4(ns.listening.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			ns.listening.readable = false;
			continue;
		}
		TRY(stream_open(&s, fd));
		err = ns_tcp_one(&s);
		if (err && !err_is(err, "rt.reset"))
			return err;
	}
}

/* The same port for both. */
static void ns_bind(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof addr;
	int udp = -1, tcp = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	CHECK_INT(bind(tcp, (struct sockaddr *)&addr, sizeof addr), 0);
	CHECK_INT(listen(tcp, 8), 0);
	CHECK_INT(getsockname(tcp, (struct sockaddr *)&addr, &len), 0);
	udp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	CHECK_INT(bind(udp, (struct sockaddr *)&addr, sizeof addr), 0);
	CHECK_OK(watch_open(&ns.udp, udp));
	CHECK_OK(watch_open(&ns.listening, tcp));
	snprintf(ns.address, sizeof ns.address, "127.0.0.1:%u", ntohs(addr.sin_port));
}

typedef struct Play {
	Arena *a;
	void (*fn)(Arena *a);
} Play;

static Err *stage(void *arg)
{
	Play *play = arg;
	Child udp = { 0 }, tcp = { 0 };

	ns.ttl = 60;
	ns.last_octet = 1;
	ns_bind();
	CHECK_OK(dns_use_servers(play->a, str_of(ns.address)));
	CHECK_OK(child_start(&udp, ns_udp, NULL, "udp"));
	CHECK_OK(child_start(&tcp, ns_tcp, NULL, "tcp"));
	play->fn(play->a);
	child_end(&udp);
	child_end(&tcp);
	watch_close(&ns.udp);
	watch_close(&ns.listening);
	return NULL;
}

#define PLAY(name_) \
	static void play_##name_(Arena *a); \
	TEST(name_) \
	{ \
		RtConf conf = { .loops = 2 }; \
		Play play = { a, play_##name_ }; \
		CHECK_OK(rt_run(&conf, stage, &play)); \
	} \
	static void play_##name_(Arena *a)

static void expect_v4(Arena *a, Str name, Str want)
{
	size_t count = 0;
	Addr *addrs = NULL;
	bool found = false;

	CHECK_OK(dns_resolve(a, name, 80, &addrs, &count));
	CHECK(count > 0);
	for (size_t i = 0; i < count; i++)
		found = found || str_eq(addr_text(a, &addrs[i]), want);
	CHECK(found);
}

static Entry *entry_of(Str name)
{
	Entry *entry = map_get(&dns_here->entries, name);

	CHECK(entry != NULL);
	return entry;
}

/* The answer's time is over, as if it had passed. */
static void age(Str name)
{
	Entry *entry = entry_of(name);

	entry->fresh_us = entry->renew_us = entry->retry_us = loop_now_us() - 1;
}

/* --- plays ---------------------------------------------------------------------------------------------------------- */

PLAY(an_answer_is_asked_for_once)
{
	size_t count = 0;
	Addr *addrs = NULL;

	CHECK_OK(dns_resolve(a, S("Shop.Example.test"), 443, &addrs, &count));
	CHECK_INT(count, 2);
	for (int i = 0; i < 50; i++)
		expect_v4(a, S("shop.example.TEST"), S("10.0.0.1:80"));
	CHECK_INT(ns.a, 1);
	CHECK_INT(ns.aaaa, 1);
	CHECK_INT(dns_stats().asked, 1);
	CHECK_INT(dns_stats().answered, 51);
}

static Err *ask_child(void *arg)
{
	expect_v4(arg, S("many.test"), S("10.0.0.1:80"));
	return NULL;
}

PLAY(concurrent_questions_share_one_query)
{
	Child children[20] = { 0 };

	for (size_t i = 0; i < COUNT(children); i++)
		CHECK_OK(child_start(&children[i], ask_child, a, "ask"));
	for (size_t i = 0; i < COUNT(children); i++)
		CHECK_OK(child_join(&children[i]));
	CHECK_INT(ns.a, 1);
	CHECK_INT(dns_stats().asked, 1);
}

PLAY(literals_and_hosts_need_no_server)
{
	static const struct {
		Str host, want;
	} cases[] = {
		{ S("192.0.2.7"), S("192.0.2.7:80") },
		{ S("::1"), S("[::1]:80") },
		{ S("[2001:db8::9]"), S("[2001:db8::9]:80") },
		{ S("localhost"), S("127.0.0.1:80") },
	};

	ns.mood = SILENT;
	for (size_t i = 0; i < COUNT(cases); i++)
		expect_v4(a, cases[i].host, cases[i].want);
	CHECK_INT(ns.a + ns.aaaa, 0);
}

PLAY(bad_names_are_not_asked_for)
{
	static const Str cases[] = {
		S(""), S("a\0b"), S("a..b.test"),
		S("a23456789012345678901234567890123456789012345678901234567890123456789.test")
	};
	size_t count = 77;
	Addr *addrs = NULL;

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("case %zu", i);
		CHECK_ERR(dns_resolve(a, cases[i], 80, &addrs, &count), "dns.not_found");
		CHECK_INT(count, 77);
	}
	CHECK_INT(ns.a, 0);
}

PLAY(absence_is_remembered_briefly_and_ends_what_was_known)
{
	size_t count = 0;
	Addr *addrs = NULL;

	expect_v4(a, S("gone.test"), S("10.0.0.1:80"));
	ns.mood = ABSENT;
	age(S("gone.test"));
	CHECK_ERR(dns_resolve(a, S("gone.test"), 80, &addrs, &count), "dns.not_found");
	CHECK_ERR(dns_resolve(a, S("gone.test"), 80, &addrs, &count), "dns.not_found");
	CHECK_INT(ns.a, 2);
	CHECK(entry_of(S("gone.test"))->retry_us <= loop_now_us() + US_PER_S);
	ns.mood = ANSWER;
	ns.last_octet = 2;
	age(S("gone.test"));
	expect_v4(a, S("gone.test"), S("10.0.0.2:80"));
}

PLAY(a_failing_server_leaves_the_old_answer)
{
	size_t count = 0;
	Addr *addrs = NULL;

	ns.mood = FAIL;
	CHECK_ERR(dns_resolve(a, S("fail.test"), 80, &addrs, &count), "dns.failed");
	ns.mood = ANSWER;
	age(S("fail.test"));
	expect_v4(a, S("fail.test"), S("10.0.0.1:80"));
	ns.mood = FAIL;
	age(S("fail.test"));
	expect_v4(a, S("fail.test"), S("10.0.0.1:80"));
	CHECK_INT(dns_stats().stale, 1);
	entry_of(S("fail.test"))->fresh_us = loop_now_us() - STALE_S * US_PER_S;
	CHECK_ERR(dns_resolve(a, S("fail.test"), 80, &addrs, &count), "dns.failed");
	ns.mood = ANSWER;
	ns.last_octet = 3;
	age(S("fail.test"));
	entry_of(S("fail.test"))->fresh_us -= STALE_S * US_PER_S;
	expect_v4(a, S("fail.test"), S("10.0.0.3:80"));
}

PLAY(a_slow_server_does_not_hold_who_has_an_old_answer)
{
	int64_t began;

	expect_v4(a, S("slow.test"), S("10.0.0.1:80"));
	ns.mood = SILENT;
	age(S("slow.test"));
	began = loop_now_us();
	expect_v4(a, S("slow.test"), S("10.0.0.1:80"));
	CHECK(loop_now_us() - began >= PATIENCE_MS * US_PER_MS);
	CHECK(loop_now_us() - began < TRY_MS * US_PER_MS);
	CHECK(entry_of(S("slow.test"))->asking);
	began = loop_now_us();
	expect_v4(a, S("slow.test"), S("10.0.0.1:80")); /* the next does not wait at all */
	CHECK_INT(loop_now_us(), began);
	ns.mood = ANSWER; /* c-ares tries again, and the answer replaces the old one */
	ns.last_octet = 9;
	while (entry_of(S("slow.test"))->asking)
		CHECK_OK(fiber_sleep(10 * US_PER_MS));
	expect_v4(a, S("slow.test"), S("10.0.0.9:80"));
}

PLAY(a_question_left_early_goes_on)
{
	size_t count = 0;
	Addr *addrs = NULL;

	ns.mood = SILENT;
	{
		AUTO(deadline_end) Deadline limit = deadline_begin(20 * US_PER_MS);

		CHECK_ERR(dns_resolve(a, S("left.test"), 80, &addrs, &count), "rt.deadline");
	}
	CHECK(entry_of(S("left.test"))->asking);
	CHECK_INT(entry_of(S("left.test"))->users, 0);
	ns.mood = ANSWER;
	expect_v4(a, S("left.test"), S("10.0.0.1:80")); /* at its second try */
	CHECK_INT(dns_stats().asked, 1);
	ns.mood = SILENT;
	{
		AUTO(deadline_end) Deadline limit = deadline_begin(20 * US_PER_MS);

		CHECK_ERR(dns_resolve(a, S("late.test"), 80, &addrs, &count), "rt.deadline");
	}
	/* and the runtime ends with the query in flight */
}

PLAY(a_cut_answer_is_asked_for_over_tcp)
{
	ns.mood = CUT_OFF;
	expect_v4(a, S("big.test"), S("10.0.0.1:80"));
	CHECK_INT(ns.tcp, 2);
}

PLAY(the_time_to_live_has_bounds)
{
	static const struct {
		uint32_t ttl;
		int64_t want_s;
	} cases[] = { { 0, 1 }, { 1, 1 }, { 90, 90 }, { 40000, 300 } };

	for (size_t i = 0; i < COUNT(cases); i++) {
		Str name = str_fmt(a, "ttl%zu.test", i);
		int64_t left;

		ns.ttl = cases[i].ttl;
		expect_v4(a, name, S("10.0.0.1:80"));
		left = entry_of(name)->fresh_us - loop_now_us();
		CHECK(left <= cases[i].want_s * US_PER_S);
		CHECK(left > cases[i].want_s * US_PER_S - US_PER_S / 2);
	}
}

PLAY(an_answer_about_to_end_is_renewed_without_a_wait)
{
	Entry *entry;
	int64_t began;

	expect_v4(a, S("renew.test"), S("10.0.0.1:80"));
	entry = entry_of(S("renew.test"));
	entry->renew_us = loop_now_us();
	ns.last_octet = 5;
	began = loop_now_us();
	expect_v4(a, S("renew.test"), S("10.0.0.1:80"));
	CHECK_INT(loop_now_us(), began);
	CHECK(entry->asking);
	while (entry->asking)
		CHECK_OK(fiber_yield());
	expect_v4(a, S("renew.test"), S("10.0.0.5:80"));
}

PLAY(the_cache_has_a_limit)
{
	for (int i = 0; i < ENTRIES_MAX + 50; i++) {
		Mark mark = arena_mark(a);

		expect_v4(a, str_fmt(a, "n%d.test", i), S("10.0.0.1:80"));
		arena_reset(a, mark);
	}
	CHECK_INT(dns_here->entries.count, ENTRIES_MAX);
	CHECK_NULL(map_get(&dns_here->entries, S("n49.test")));
	CHECK(map_get(&dns_here->entries, S("n50.test")) != NULL);
}

static void see_cache(void *arg)
{
	unsigned *seen = arg;

	*seen += dns_here != NULL;
}

PLAY(each_loop_has_its_own)
{
	unsigned caches = 0;

	expect_v4(a, S("own.test"), S("10.0.0.1:80"));
	loop_each(see_cache, &caches);
	CHECK_INT(caches, 1);
}

PLAY(bad_servers_are_refused)
{
	CHECK_ERR(dns_use_servers(a, S("not an address")), "dns.servers");
	expect_v4(a, S("still.test"), S("10.0.0.1:80"));
	CHECK_OK(dns_use_servers(a, S("")));
	CHECK_OK(dns_use_servers(a, str_of(ns.address)));
	expect_v4(a, S("again.test"), S("10.0.0.1:80"));
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "http/proxy_protocol.c"

#include "base/buf.h"
#include "unit.h"

#include <unistd.h>

#define SIG "\r\n\r\n\0\r\nQUIT\n"
#define V4 "\xc0\0\2\1\x0a\0\0\1\x1f\x90\0\x50"
#define V6 \
	"\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2\x1f\x90\0\x50"
#define MAPPED \
	"\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\2\x1f\x90\0\x50"

TEST(headers_and_whom_they_name)
{
	static const struct {
		Str bytes;
		const char *client; /* NULL: the peer itself */
		uint16_t port;
	} cases[] = {
		{ S("PROXY TCP4 192.0.2.1 10.0.0.1 8080 80\r\n"), "192.0.2.1", 8080 },
		{ S("PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n"), "0.0.0.0", 0 },
		{ S("PROXY TCP6 2001:db8::1 2001:db8::2 8080 80\r\n"), "2001:db8::1", 8080 },
		{ S("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.2 8080 80\r\n"), "192.0.2.1",
		  8080 },
		{ S("PROXY UNKNOWN\r\n"), NULL, 0 },
		{ S("PROXY UNKNOWN 2001:db8::1 2001:db8::2 8080 80\r\n"), NULL, 0 },
		{ S("PROXY UNKNOWN anything at all, as the protocol has it\r\n"), NULL, 0 },
		{ S(SIG "\x21\x11\0\x0c" V4), "192.0.2.1", 8080 },
		{ S(SIG "\x21\x11\0\x13" V4 "\4\0\4\0\0\0\0"), "192.0.2.1", 8080 },
		{ S(SIG "\x21\x21\0\x24" V6), "2001:db8::1", 8080 },
		{ S(SIG "\x21\x21\0\x24" MAPPED), "192.0.2.1", 8080 },
		{ S(SIG "\x20\0\0\0"), NULL, 0 },
		{ S(SIG "\x20\x11\0\x0c" V4), NULL, 0 },
		{ S(SIG "\x20\xff\0\2xx"), NULL, 0 },
		{ S(SIG "\x21\0\0\0"), NULL, 0 },
		{ S(SIG "\x21\0\0\3\4\0\0"), NULL, 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(buf_fini) Buf buf = { 0 };
		Str bytes;
		ProxyHeader header;
		size_t used;

		buf_put(&buf, cases[i].bytes);
		buf_put(&buf, S("GET"));
		bytes = buf_str(&buf);
		CHECK_INT(proxy_header_parse(bytes, &header, &used), PROXY_FOUND);
		CHECK_INT(used, cases[i].bytes.len);
		CHECK_INT(header.told, cases[i].client != NULL);
		if (cases[i].client)
			CHECK_STR(peer_ip(a, &header.client), str_of(cases[i].client));
		CHECK_INT(header.client.port, cases[i].port);
		for (size_t len = 0; len < cases[i].bytes.len; len++)
			CHECK_INT(proxy_header_parse(str_sub(bytes, 0, len), &header, &used),
			          PROXY_MORE);
	}
}

TEST(a_unix_client_is_one)
{
	char bytes[16 + 216] = SIG "\x21\x31\0\xd8/run/shop";
	ProxyHeader header;
	size_t used;

	(void)a;
	CHECK_INT(proxy_header_parse((Str){ bytes, sizeof bytes }, &header, &used), PROXY_FOUND);
	CHECK(header.told);
	CHECK_INT(header.client.family, AF_UNIX);
}

TEST(what_is_no_header)
{
	static const Str cases[] = {
		S("GET / HTTP/1.1\r\n"),
		S("PROXY TCP4 192.0.2.1 10.0.0.1 8080 80\n"),
		S("PROXY TCP4 192.0.2.1 10.0.0.1 8080 80\rX"),
		S("PROXY TCP4 192.0.2.1 10.0.0.1 8080 80 \r\n"),
		S("PROXY TCP4  192.0.2.1 10.0.0.1 8080 80\r\n"),
		S("PROXY TCP4 192.0.2.1 10.0.0.1 8080\r\n"),
		S("PROXY TCP4 192.0.2.1 10.0.0.1 8080 65536\r\n"),
		S("PROXY TCP4 192.0.2.1 10.0.0.1 08080 80\r\n"),
		S("PROXY TCP4 192.0.2.1 10.0.0.1 -1 80\r\n"),
		S("PROXY TCP4 192.0.2.256 10.0.0.1 8080 80\r\n"),
		S("PROXY TCP4 2001:db8::1 2001:db8::2 8080 80\r\n"),
		S("PROXY TCP6 192.0.2.1 10.0.0.1 8080 80\r\n"),
		S("PROXY UDP4 192.0.2.1 10.0.0.1 8080 80\r\n"),
		S("PROXY \r\n"),
		S("proxy TCP4 192.0.2.1 10.0.0.1 8080 80\r\n"),
		S("PROXY TCP4 192.0.2.1\0 10.0.0.1 8080 80\r\n"),
		S("PROXY UNKNOWN 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\r\n"),
		S(SIG "\x11\x11\0\x0c" V4),
		S(SIG "\x22\x11\0\x0c" V4),
		S(SIG "\x21\x12\0\x0c" V4),
		S(SIG "\x21\x41\0\x0c" V4),
		S(SIG "\x21\x11\0\x0b" V4),
		S(SIG "\x21\x21\0\x0c" V4),
		S(SIG "\x21\x11\xff\xff"),
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		ProxyHeader header;
		size_t used;

		CHECK_INT(proxy_header_parse(cases[i], &header, &used), PROXY_BAD);
	}
	(void)a;
}

/* --- on a connection ------------------------------------------------------------------------------------------------ */

typedef struct Wire {
	Stream end;
	int other;
	ProxyHeader header;
	bool slowly;
} Wire;

static const Str sent = S("PROXY TCP4 192.0.2.1 10.0.0.1 8080 80\r\n\x16\x03\x01");

static Err *say(void *arg)
{
	Wire *wire = arg;
	size_t step = wire->slowly ? 1 : sent.len;

	for (size_t at = 0; at < sent.len; at += step) {
		CHECK_INT(write(wire->other, sent.at + at, step), step);
		TRY(fiber_sleep(1000));
	}
	return NULL;
}

static Err *live(void *arg)
{
	Wire *wire = arg;
	AUTO(child_end) Child child = { 0 };
	int ends[2];
	char rest[16];
	size_t got = 0;

	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	wire->other = ends[1];
	TRY(stream_open(&wire->end, ends[0]));
	TRY(child_start(&child, say, wire, "say"));
	TRY(proxy_header_read(&wire->end, &wire->header));
	for (size_t all = 0; all < 3; all += got)
		TRY(stream_read(&wire->end, rest + all, 3 - all, &got));
	CHECK(memcmp(rest, "\x16\x03\x01", 3) == 0);
	TRY(child_join(&child));
	stream_close(&wire->end);
	close(wire->other);
	return NULL;
}

TEST(nothing_but_the_header_is_taken)
{
	for (unsigned i = 0; i < 2; i++) {
		Wire wire = { .slowly = i };

		CHECK_OK(rt_run(&(RtConf){ .loops = 1 }, live, &wire));
		CHECK(wire.header.told);
		CHECK_STR(peer_ip(a, &wire.header.client), S("192.0.2.1"));
	}
}

static Err *leave(void *arg)
{
	Wire *wire = arg;
	int ends[2];
	Err *err;

	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	TRY(stream_open(&wire->end, ends[0]));
	CHECK_INT(write(ends[1], "PROXY", 5), 5);
	close(ends[1]);
	err = proxy_header_read(&wire->end, &wire->header);
	stream_close(&wire->end);
	CHECK_ERR(err, "http.truncated");
	return NULL;
}

TEST(a_proxy_that_leaves_early)
{
	Wire wire = { 0 };

	(void)a;
	CHECK_OK(rt_run(&(RtConf){ .loops = 1 }, leave, &wire));
}

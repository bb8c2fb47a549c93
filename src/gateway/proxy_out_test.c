/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/proxy_out.c"

#include "http/proxy_protocol.h"
#include "unit.h"

static Peer v4(uint8_t last, uint16_t port)
{
	return (Peer){ .ip = { 192, 0, 2, last }, .port = port, .family = AF_INET };
}

static Peer v6(uint8_t last, uint16_t port)
{
	return (Peer){ .ip = { 0x20, 0x01, 0x0d, 0xb8, [15] = last },
		       .port = port,
		       .family = AF_INET6 };
}

TEST(version_1_is_a_line)
{
	char out[PROXY_OUT_BYTES];
	Peer here = { .family = AF_UNIX };

	(void)a;
	CHECK_STR(proxy_out(PROXY_PROTOCOL_V1,
	                    &(Peer){ .ip = { 192, 0, 2, 1 }, .port = 40000, .family = AF_INET },
	                    &(Peer){ .ip = { 10, 0, 0, 2 }, .port = 80, .family = AF_INET }, out),
	          S("PROXY TCP4 192.0.2.1 10.0.0.2 40000 80\r\n"));
	CHECK_STR(proxy_out(PROXY_PROTOCOL_V1, &(Peer[]){ v6(7, 1) }[0], &(Peer[]){ v6(8, 2) }[0],
	                    out),
	          S("PROXY TCP6 2001:db8::7 2001:db8::8 1 2\r\n"));
	CHECK_STR(proxy_out(PROXY_PROTOCOL_V1, &(Peer[]){ v4(7, 1) }[0], &(Peer[]){ v6(8, 2) }[0],
	                    out),
	          S("PROXY TCP6 ::ffff:192.0.2.7 2001:db8::8 1 2\r\n"));
	CHECK_STR(proxy_out(PROXY_PROTOCOL_V1, &(Peer[]){ v4(7, 1) }[0], &here, out),
	          S("PROXY TCP6 ::ffff:192.0.2.7 :: 1 0\r\n"));
	CHECK_STR(proxy_out(PROXY_PROTOCOL_V1, NULL, &here, out), S("PROXY UNKNOWN\r\n"));
	CHECK_STR(proxy_out(PROXY_PROTOCOL_V1, &here, &(Peer[]){ v4(7, 1) }[0], out),
	          S("PROXY UNKNOWN\r\n"));
}

TEST(version_2_is_binary)
{
	char out[PROXY_OUT_BYTES];

	(void)a;
	CHECK_STR(
		proxy_out(PROXY_PROTOCOL_V2, &(Peer[]){ v4(1, 0x1234) }[0],
	                  &(Peer[]){ v4(2, 80) }[0], out),
		S("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\x12\x34\0\x50"));
	CHECK_STR(proxy_out(PROXY_PROTOCOL_V2, NULL, &(Peer[]){ v4(2, 80) }[0], out),
	          S("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"));
}

/* What we send, we take. */
TEST(both_versions_say_who_the_client_is)
{
	const Peer clients[] = { v4(1, 1), v4(255, 65535), v6(1, 443), v6(255, 65535) };
	const Peer servers[] = { v4(9, 80), v6(9, 80), { .family = AF_UNIX } };

	(void)a;
	for (int kind = PROXY_PROTOCOL_V1; kind <= PROXY_PROTOCOL_V2; kind++)
		for (size_t i = 0; i < COUNT(clients); i++)
			for (size_t k = 0; k < COUNT(servers); k++) {
				char space[PROXY_OUT_BYTES];
				Str sent = proxy_out((ProxyProtocol)kind, &clients[i], &servers[k],
				                     space);
				ProxyHeader header;
				size_t used;

				NOTE("version %d, client %zu, server %zu", kind, i, k);
				CHECK_INT(proxy_header_parse(sent, &header, &used), PROXY_FOUND);
				CHECK_INT(used, sent.len);
				CHECK(header.told);
				CHECK(!memcmp(&header.client, &clients[i], sizeof clients[i]));
			}
}

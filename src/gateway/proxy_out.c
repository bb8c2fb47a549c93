/* SPDX-License-Identifier: Apache-2.0
 *
 * PROXY headers, version 1 (a line of text) and 2 (binary), by HAProxy's doc/proxy-protocol.txt. Both addresses of a header
 * are of one family; when they are not, the IPv4 one is written as ::ffff:a.b.c.d, which every receiver reads. */
#include "gateway/proxy_out.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { V2_LOCAL = 0x20, V2_PROXY = 0x21, V2_TCP4 = 0x11, V2_TCP6 = 0x21 };

static bool has_ip(const Peer *peer)
{
	return peer->family == AF_INET || peer->family == AF_INET6;
}

static Peer as_ipv6(const Peer *peer)
{
	Peer out = { .port = peer->port, .family = AF_INET6 };

	if (peer->family == AF_INET6)
		return *peer;
	if (peer->family != AF_INET)
		return out; /* a Unix socket: no address */
	out.ip[10] = out.ip[11] = 0xff;
	memcpy(out.ip + 12, peer->ip, 4);
	return out;
}

static Str line(const Peer *client, const Peer *to, char *out)
{
	char from_text[INET6_ADDRSTRLEN], to_text[INET6_ADDRSTRLEN];
	int len;

	inet_ntop(client->family, client->ip, from_text, sizeof from_text);
	inet_ntop(to->family, to->ip, to_text, sizeof to_text);
	len = snprintf(out, PROXY_OUT_BYTES, "PROXY TCP%c %s %s %u %u\r\n",
	               client->family == AF_INET ? '4' : '6', from_text, to_text, client->port,
	               to->port);
	return (Str){ out, (size_t)len };
}

static void put_port(char *at, uint16_t port)
{
	at[0] = (char)(port >> 8);
	at[1] = (char)(port & 0xff);
}

static Str binary(const Peer *client, const Peer *to, char *out)
{
	static const char signature[12] = { '\r', '\n', '\r', '\n', 0,   '\r',
		                            '\n', 'Q',  'U',  'I',  'T', '\n' };
	size_t ip_len = client && client->family == AF_INET ? 4 : 16;
	size_t len = client ? 2 * ip_len + 4 : 0;

	memcpy(out, signature, sizeof signature);
	out[12] = client ? V2_PROXY : V2_LOCAL;
	out[13] = (char)(!client ? 0 : ip_len == 4 ? V2_TCP4 : V2_TCP6);
	put_port(out + 14, (uint16_t)len);
	if (client) {
		memcpy(out + 16, client->ip, ip_len);
		memcpy(out + 16 + ip_len, to->ip, ip_len);
		put_port(out + 16 + 2 * ip_len, client->port);
		put_port(out + 18 + 2 * ip_len, to->port);
	}
	return (Str){ out, 16 + len };
}

Str proxy_out(ProxyProtocol kind, const Peer *client, const Peer *to, char out[PROXY_OUT_BYTES])
{
	Peer from6, to6;

	if (!client || !has_ip(client))
		return kind == PROXY_PROTOCOL_V1 ? S("PROXY UNKNOWN\r\n") : binary(NULL, NULL, out);
	if (client->family != AF_INET || to->family != AF_INET) {
		from6 = as_ipv6(client);
		to6 = as_ipv6(to);
		client = &from6;
		to = &to6;
	}
	return kind == PROXY_PROTOCOL_V1 ? line(client, to, out) : binary(client, to, out);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * PROXY headers.
 *
 * What follows the header may be a TLS handshake, which reads the descriptor itself: so bytes are looked at where they
 * are (MSG_PEEK), and only the header's own are taken. The header comes in one segment from every sender there is; when
 * it does not, what is there is looked at again with every arrival, which its size bounds.
 *
 * Strict: whoever speaks here is a trusted proxy, so what looks wrong is wrong. A datagram's addresses on a stream, an
 * unassigned family or command are refused. Destination addresses and extensions are not used. */
#include "http/proxy_protocol.h"

#include "base/arena.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

enum { V1_BYTES = 107, V2_HEAD = 16, V2_LOCAL = 0, V2_PROXY = 1 };

static const Str v1_start = S("PROXY ");
static const Str v2_start = S("\r\n\r\n\0\r\nQUIT\n");

static Err bad_header = ERR_STATIC(INVALID, "http.proxy_header",
                                   "the connection did not begin with a PROXY header");
static Err left_early =
	ERR_STATIC(CLOSED, "http.truncated", "the proxy left before its header was complete");

/* --- version 1 ------------------------------------------------------------------------------------------------------ */

/* The next word of the line, which ends at a blank or with the line. */
static Str next_word(Str *line)
{
	ptrdiff_t blank = str_find_char(*line, ' ');
	size_t len = blank < 0 ? line->len : (size_t)blank;
	Str word = str_sub(*line, 0, len);

	*line = str_sub(*line, blank < 0 ? len : len + 1, line->len);
	return word;
}

static bool parse_address(Str word, int family, uint8_t ip[16])
{
	char text[INET6_ADDRSTRLEN];

	if (!word.len || word.len >= sizeof text || memchr(word.at, 0, word.len))
		return false;
	memcpy(text, word.at, word.len);
	text[word.len] = 0;
	return inet_pton(family, text, ip) == 1;
}

static bool parse_port(Str word, uint16_t *port)
{
	uint64_t n;

	if (!str_to_u64(word, &n) || n > UINT16_MAX || (word.at[0] == '0' && word.len > 1))
		return false;
	*port = (uint16_t)n;
	return true;
}

static bool parse_line(Str line, ProxyHeader *out)
{
	Str rest = str_sub(line, v1_start.len, line.len);
	Str family = next_word(&rest);
	Peer client = { .family = AF_INET }, server;

	if (str_eq(family, S("UNKNOWN")))
		return true; /* whatever follows on the line */
	if (str_eq(family, S("TCP6")))
		client.family = AF_INET6;
	else if (!str_eq(family, S("TCP4")))
		return false;
	if (!parse_address(next_word(&rest), client.family, client.ip) ||
	    !parse_address(next_word(&rest), client.family, server.ip) ||
	    !parse_port(next_word(&rest), &client.port) || !parse_port(rest, &server.port))
		return false;
	*out = (ProxyHeader){ true, client };
	return true;
}

static ProxyFound parse_v1(Str bytes, ProxyHeader *out, size_t *used)
{
	Str start = str_sub(bytes, 0, V1_BYTES);
	const char *end = memchr(start.at, '\r', start.len);
	size_t len = end ? (size_t)(end - start.at) : start.len;

	if (memchr(start.at, '\n', len))
		return PROXY_BAD;
	if (!end || len + 1 == start.len)
		return start.len < V1_BYTES ? PROXY_MORE : PROXY_BAD;
	if (start.at[len + 1] != '\n' || !parse_line(str_sub(start, 0, len), out))
		return PROXY_BAD;
	*used = len + 2;
	return PROXY_FOUND;
}

/* --- version 2 ------------------------------------------------------------------------------------------------------ */

static uint16_t u16_at(Str bytes, size_t at)
{
	return (uint16_t)((uint8_t)bytes.at[at] << 8 | (uint8_t)bytes.at[at + 1]);
}

/* What the block after the head begins with, by family and transport. Rows without an address keep the peer. */
static const struct {
	uint8_t code;
	uint16_t bytes;
	uint8_t address; /* bytes of one */
	uint16_t family;
} families[] = {
	{ 0x00, 0, 0, AF_UNSPEC },
	{ 0x11, 12, 4, AF_INET },
	{ 0x21, 36, 16, AF_INET6 },
	{ 0x31, 216, 0, AF_UNIX },
};

static bool parse_block(uint8_t code, Str block, ProxyHeader *out)
{
	for (size_t i = 0; i < COUNT(families); i++) {
		size_t address = families[i].address;

		if (families[i].code != code)
			continue;
		if (block.len < families[i].bytes)
			return false;
		out->told = families[i].family != AF_UNSPEC;
		out->client.family = families[i].family;
		memcpy(out->client.ip, block.at, address);
		if (address)
			out->client.port = u16_at(block, 2 * address);
		return true;
	}
	return false;
}

static ProxyFound parse_v2(Str bytes, ProxyHeader *out, size_t *used)
{
	unsigned version, command;
	size_t len;

	if (bytes.len < V2_HEAD)
		return PROXY_MORE;
	version = (uint8_t)bytes.at[12] >> 4;
	command = (uint8_t)bytes.at[12] & 15;
	len = V2_HEAD + (size_t)u16_at(bytes, 14);
	if (version != 2 || command > V2_PROXY || len > PROXY_HEADER_BYTES)
		return PROXY_BAD;
	if (bytes.len < len)
		return PROXY_MORE;
	if (command == V2_PROXY &&
	    !parse_block((uint8_t)bytes.at[13], str_sub(bytes, V2_HEAD, len), out))
		return PROXY_BAD;
	*used = len;
	return PROXY_FOUND;
}

/* --- both ----------------------------------------------------------------------------------------------------------- */

/* An IPv4 client that came as IPv6 is the IPv4 client that it is. */
static void unmap(Peer *peer)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (peer->family != AF_INET6 || memcmp(peer->ip, mapped, sizeof mapped) != 0)
		return;
	memmove(peer->ip, peer->ip + 12, 4);
	memset(peer->ip + 4, 0, 12);
	peer->family = AF_INET;
}

ProxyFound proxy_header_parse(Str bytes, ProxyHeader *out, size_t *used)
{
	ProxyFound found = PROXY_BAD;

	*out = (ProxyHeader){ 0 };
	*used = 0;
	if (str_starts(v1_start, str_sub(bytes, 0, v1_start.len)))
		found = bytes.len < v1_start.len ? PROXY_MORE : parse_v1(bytes, out, used);
	else if (str_starts(v2_start, str_sub(bytes, 0, v2_start.len)))
		found = parse_v2(bytes, out, used);
	if (found == PROXY_FOUND)
		unmap(&out->client);
	return found;
}

static Err *take(Stream *s, size_t len)
{
	char bytes[PROXY_HEADER_BYTES];

	return recv(s->watch.fd, bytes, len, MSG_DONTWAIT) == (ssize_t)len ? NULL : &left_early;
}

Err *proxy_header_read(Stream *s, ProxyHeader *out)
{
	for (;;) {
		char bytes[PROXY_HEADER_BYTES];
		ssize_t got;
		size_t used;
		ProxyFound found;

		TRY(watch_wait_readable(&s->watch));
		got = recv(s->watch.fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			return &left_early;
		found = got > 0 ? proxy_header_parse((Str){ bytes, (size_t)got }, out, &used)
		                : PROXY_MORE;
		if (found == PROXY_FOUND)
			return take(s, used);
		if (found == PROXY_BAD)
			return &bad_header;
		if (!got || s->watch.ended || s->watch.broken)
			return &left_early;
		s->watch.readable = false;
	}
}

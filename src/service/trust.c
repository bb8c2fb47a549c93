/* SPDX-License-Identifier: Apache-2.0
 *
 * Peers whose word counts, as networks of IPv6 (IPv4 mapped into it). A Unix socket's and a loopback peer always are: who can
 * connect there could as well be the gateway. */
#include "service/trust_int.h"

#include "base/arena.h"

#include <arpa/inet.h>
#include <string.h>

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static bool read_ip(Str text, TrustNet *out)
{
	char z[INET6_ADDRSTRLEN];

	if (!text.len || text.len >= sizeof z || memchr(text.at, 0, text.len))
		return false;
	memcpy(z, text.at, text.len);
	z[text.len] = 0;
	out->bits = 128;
	if (inet_pton(AF_INET6, z, out->at) == 1)
		return true;
	memcpy(out->at, mapped, sizeof mapped);
	return inet_pton(AF_INET, z, out->at + 12) == 1;
}

bool trust_read(Str text, TrustNet *out)
{
	ptrdiff_t slash = str_find_char(text, '/');
	TrustNet net = { 0 };
	uint64_t bits, most;

	if (!read_ip(slash < 0 ? text : str_sub(text, 0, (size_t)slash), &net))
		return false;
	if (slash >= 0) {
		bool v4 =
			memcmp(net.at, mapped, sizeof mapped) == 0 && str_find_char(text, ':') < 0;

		most = v4 ? 32 : 128;
		if (!str_to_u64(str_sub(text, (size_t)slash + 1, text.len), &bits) || bits > most)
			return false;
		net.bits = (unsigned)(bits + (v4 ? 96 : 0));
	}
	*out = net;
	return true;
}

static bool has(const TrustNet *net, const uint8_t *ip)
{
	unsigned whole = net->bits / 8, rest = net->bits % 8;

	if (memcmp(net->at, ip, whole) != 0)
		return false;
	return !rest || (net->at[whole] ^ ip[whole]) >> (8 - rest) == 0;
}

bool trust_peer(const TrustNet *nets, size_t count, const Peer *peer)
{
	static const uint8_t loopback[16] = { [15] = 1 };
	uint8_t ip[16];

	if (peer->family == AF_UNIX)
		return true;
	memcpy(ip, peer->ip, sizeof ip);
	if (peer->family == AF_INET) {
		memcpy(ip, mapped, sizeof mapped);
		memcpy(ip + 12, peer->ip, 4);
	}
	if (memcmp(ip, loopback, sizeof ip) == 0 ||
	    (memcmp(ip, mapped, sizeof mapped) == 0 && ip[12] == 127))
		return true;
	for (size_t i = 0; i < count; i++)
		if (has(&nets[i], ip))
			return true;
	return false;
}

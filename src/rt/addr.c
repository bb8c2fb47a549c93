/* SPDX-License-Identifier: Apache-2.0
 *
 * Addresses: text to socket address and back, and the short form that a connection keeps.
 *
 * Numbers only: a name is dns_resolve's to look up. An empty host means all IPv4 addresses, as listening sockets are
 * IPv6-only when they are IPv6. A Peer shows an IPv4 client of a dual-stack socket (inherited ones may be) as IPv4, so
 * that limits and rules per address see one client as one. */
#include "base/arena.h"
#include "rt/stream.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>

enum { PATH_AT = offsetof(struct sockaddr_un, sun_path) };

static Err *bad(Arena *a, Str text, const char *why)
{
	return err_new(a, ERR_INVALID, "rt.address", "\"%.*s\" is no address: %s", STR_ARG(text),
	               why);
}

static Err *parse_unix(Arena *a, Str text, Str path, Addr *out)
{
	Addr addr = { .un = { .sun_family = AF_UNIX } };

	if (!path.len || path.len >= sizeof addr.un.sun_path)
		return bad(a, text, "the path is empty or longer than 107 bytes");
	if (memchr(path.at, 0, path.len))
		return bad(a, text, "the path has a NUL in it");
	memcpy(addr.un.sun_path, path.at, path.len);
	addr.len = (socklen_t)(PATH_AT + path.len + 1);
	if (path.at[0] == '@') { /* Linux: a name without a place in the file system */
		addr.un.sun_path[0] = 0;
		addr.len--;
	}
	*out = addr;
	return NULL;
}

static bool parse_v4(Str host, struct in_addr *out)
{
	char text[INET_ADDRSTRLEN];

	if (host.len >= sizeof text || (host.len && memchr(host.at, 0, host.len)))
		return false;
	memcpy(text, host.at, host.len);
	text[host.len] = 0;
	return inet_pton(AF_INET, text, out) == 1;
}

/* With an optional zone, as link-local addresses need: fe80::1%eth0. */
static bool parse_v6(Str host, struct sockaddr_in6 *out)
{
	char text[INET6_ADDRSTRLEN + IF_NAMESIZE];
	char *zone;

	if (host.len >= sizeof text || (host.len && memchr(host.at, 0, host.len)))
		return false;
	memcpy(text, host.at, host.len);
	text[host.len] = 0;
	zone = strchr(text, '%');
	if (zone) {
		*zone++ = 0;
		out->sin6_scope_id = if_nametoindex(zone);
		if (!out->sin6_scope_id)
			return false;
	}
	return inet_pton(AF_INET6, text, &out->sin6_addr) == 1;
}

static Err *parse_ip(Arena *a, Str text, Str host, uint16_t port, Addr *out)
{
	Addr addr = { .in = { .sin_family = AF_INET, .sin_port = htons(port) },
		      .len = sizeof addr.in };

	if (host.len >= 2 && host.at[0] == '[' && host.at[host.len - 1] == ']') {
		addr = (Addr){ .in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) },
			       .len = sizeof addr.in6 };
		if (!parse_v6(str_sub(host, 1, host.len - 1), &addr.in6))
			return bad(a, text, "not an IPv6 address between the brackets");
	} else if (host.len && !parse_v4(host, &addr.in.sin_addr)) {
		return bad(a, text, "not an IPv4 address before the colon (IPv6 goes in brackets)");
	}
	*out = addr;
	return NULL;
}

Err *addr_parse(Arena *a, Str text, Addr *out)
{
	ptrdiff_t colon = str_rfind_char(text, ':');
	uint64_t port;

	if (str_starts(text, S("unix:")))
		return parse_unix(a, text, str_sub(text, 5, text.len), out);
	if (colon < 0)
		return bad(a, text, "it has no port");
	if (!str_to_u64(str_sub(text, (size_t)colon + 1, text.len), &port) || port > UINT16_MAX)
		return bad(a, text, "the port is not a number up to 65535");
	return parse_ip(a, text, str_sub(text, 0, (size_t)colon), (uint16_t)port, out);
}

static Str unix_text(Arena *a, const Addr *addr)
{
	size_t len = addr->len > PATH_AT ? addr->len - PATH_AT : 0;

	if (len && !addr->un.sun_path[0])
		return str_fmt(a, "unix:@%.*s", (int)len - 1, addr->un.sun_path + 1);
	return str_fmt(a, "unix:%.*s", (int)strnlen(addr->un.sun_path, len), addr->un.sun_path);
}

static Str v6_text(Arena *a, const struct sockaddr_in6 *in6)
{
	char ip[INET6_ADDRSTRLEN], name[IF_NAMESIZE];
	const char *zone = in6->sin6_scope_id ? if_indextoname(in6->sin6_scope_id, name) : NULL;

	inet_ntop(AF_INET6, &in6->sin6_addr, ip, sizeof ip);
	return str_fmt(a, "[%s%s%s]:%u", ip, zone ? "%" : "", zone ? zone : "",
	               ntohs(in6->sin6_port));
}

Str addr_text(Arena *a, const Addr *addr)
{
	char ip[INET_ADDRSTRLEN];

	if (addr->sa.sa_family == AF_UNIX)
		return unix_text(a, addr);
	if (addr->sa.sa_family == AF_INET6)
		return v6_text(a, &addr->in6);
	if (addr->sa.sa_family != AF_INET)
		return S("unknown");
	inet_ntop(AF_INET, &addr->in.sin_addr, ip, sizeof ip);
	return str_fmt(a, "%s:%u", ip, ntohs(addr->in.sin_port));
}

bool addr_eq(const Addr *x, const Addr *y)
{
	if (x->sa.sa_family != y->sa.sa_family)
		return false;
	if (x->sa.sa_family == AF_INET)
		return x->in.sin_port == y->in.sin_port &&
		       x->in.sin_addr.s_addr == y->in.sin_addr.s_addr;
	if (x->sa.sa_family == AF_INET6)
		return x->in6.sin6_port == y->in6.sin6_port &&
		       x->in6.sin6_scope_id == y->in6.sin6_scope_id &&
		       memcmp(&x->in6.sin6_addr, &y->in6.sin6_addr, sizeof x->in6.sin6_addr) == 0;
	return x->len == y->len && memcmp(&x->un, &y->un, x->len) == 0;
}

Peer peer_of(const Addr *addr)
{
	Peer peer = { .family = addr->sa.sa_family };

	if (addr->sa.sa_family == AF_INET) {
		memcpy(peer.ip, &addr->in.sin_addr, 4);
		peer.port = ntohs(addr->in.sin_port);
	} else if (addr->sa.sa_family == AF_INET6) {
		bool mapped = IN6_IS_ADDR_V4MAPPED(&addr->in6.sin6_addr);

		memcpy(peer.ip, addr->in6.sin6_addr.s6_addr + (mapped ? 12 : 0), mapped ? 4 : 16);
		peer.port = ntohs(addr->in6.sin6_port);
		peer.family = mapped ? AF_INET : AF_INET6;
	}
	return peer;
}

/* inet_ntop goes through printf: 20 times the cost, on every request. */
static Str ipv4_text(Arena *a, const uint8_t ip[4])
{
	char *text = arena_alloc_raw(a, INET_ADDRSTRLEN);
	size_t len = 0;

	for (unsigned i = 0; i < 4; i++) {
		if (ip[i] >= 100)
			text[len++] = (char)('0' + ip[i] / 100);
		if (ip[i] >= 10)
			text[len++] = (char)('0' + ip[i] / 10 % 10);
		text[len++] = (char)('0' + ip[i] % 10);
		text[len++] = '.';
	}
	return (Str){ text, len - 1 };
}

Str peer_ip(Arena *a, const Peer *peer)
{
	char ip[INET6_ADDRSTRLEN];

	if (peer->family == AF_UNIX)
		return S("unix");
	if (peer->family == AF_INET)
		return ipv4_text(a, peer->ip);
	if (!inet_ntop(peer->family, peer->ip, ip, sizeof ip))
		return S("unknown");
	return str_dup(a, str_of(ip));
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * URLs that may be asked, and addresses of the open internet.
 *
 * The table holds what IANA's registries of special-purpose addresses do not call globally reachable, and a few that are reachable
 * and of no use to a client (multicast). An IPv6 address that carries an IPv4 one is judged by that as well: who lets 64:ff9b::/96 or
 * 2002::/16 through lets 127.0.0.1 and 169.254.169.254 through. Site-local addresses (deprecated) still route in old networks. */
#include "base/arena.h"
#include "http/ask.h"
#include "http/trust.h"
#include "http/url.h"
#include "rt/stream.h"

#include <string.h>

enum { URL_MOST = 8000 };

/* --- URLs --------------------------------------------------------------------------------------------------------------- */

static bool is_printable(Str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] <= ' ' || text.at[i] > '~' || strchr("\"<>\\^`{|}#", text.at[i]))
			return false;
	return true;
}

const char *ask_url_read(Arena *a, Str text, AskUrl *out)
{
	AskUrl url = { .tls = str_starts(text, S("https://")) };
	size_t end = 0;
	Str rest, host;

	if (!url.tls && !str_starts(text, S("http://")))
		return "expected http:// or https://";
	if (!is_printable(text) || text.len > URL_MOST)
		return "a URL has up to 8000 letters of ASCII, others are escaped, and no # here";
	rest = str_sub(text, url.tls ? 8 : 7, text.len);
	while (end < rest.len && !strchr("/?", rest.at[end]))
		end++;
	if (str_find_char(str_sub(rest, 0, end), '@') >= 0)
		return "a user or password does not belong into a URL";
	if (!end || url_authority(a, str_sub(rest, 0, end), &host, &url.port) || !host.len)
		return "the host or its port is none";
	if (url.port && url.port != (url.tls ? 443 : 80))
		url.authority = str_fmt(a, "%.*s:%u", STR_ARG(host), url.port);
	else
		url.authority = host;
	if (!url.port)
		url.port = url.tls ? 443 : 80;
	url.host = host.at[0] == '[' ? str_sub(host, 1, host.len - 1) : host;
	url.target = str_sub(rest, end, rest.len);
	if (!url.target.len || url.target.at[0] == '?')
		url.target = str_fmt(a, "/%.*s", STR_ARG(url.target));
	*out = url;
	return NULL;
}

/* --- addresses ---------------------------------------------------------------------------------------------------------- */

/* Networks that are not the open internet; what is in `except` is. */
static const struct {
	const char *network;
	const char *except;
} closed[] = {
	{ "0.0.0.0/8", NULL },       /* this host */
	{ "10.0.0.0/8", NULL },      /* private */
	{ "100.64.0.0/10", NULL },   /* shared, behind a carrier's NAT */
	{ "127.0.0.0/8", NULL },     /* loopback */
	{ "169.254.0.0/16", NULL },  /* link-local; metadata of clouds */
	{ "172.16.0.0/12", NULL },   /* private */
	{ "192.0.0.0/24", NULL },    /* protocols */
	{ "192.0.2.0/24", NULL },    /* documentation */
	{ "192.31.196.0/24", NULL }, /* AS112 */
	{ "192.52.193.0/24", NULL }, /* AMT */
	{ "192.88.99.0/24", NULL },  /* 6to4 relays */
	{ "192.168.0.0/16", NULL },  /* private */
	{ "192.175.48.0/24", NULL }, /* AS112 */
	{ "198.18.0.0/15", NULL },   /* benchmarks */
	{ "198.51.100.0/24", NULL }, /* documentation */
	{ "203.0.113.0/24", NULL },  /* documentation */
	{ "224.0.0.0/3", NULL },     /* multicast, reserved, broadcast */
	{ "::/8",
	  "::ffff:0.0.0.0/96" }, /* unspecified, loopback, compatible, ...; mapped ones are the rows above */
	{ "64:ff9b::/96", NULL },      /* NAT64: judged by the address within */
	{ "64:ff9b:1::/48", NULL },    /* NAT64, local */
	{ "100::/64", NULL },          /* discard */
	{ "2001::/23", NULL },         /* protocols, Teredo, ORCHID */
	{ "2001:db8::/32", NULL },     /* documentation */
	{ "2002::/16", NULL },         /* 6to4 */
	{ "2620:4f:8000::/48", NULL }, /* AS112 */
	{ "3fff::/20", NULL },         /* documentation */
	{ "5f00::/16", NULL },         /* segment routing */
	{ "fc00::/6", NULL },          /* unique local */
	{ "fe00::/7", NULL },          /* link-local, site-local, multicast */
};

static bool is_in(const char *network, const Ip *ip)
{
	Cidr net;
	Trust one = { &net, 1, false };

	return network && !cidr_parse(str_of(network), &net) && trust_has(&one, ip);
}

static bool is_open(const Ip *ip)
{
	for (size_t i = 0; i < COUNT(closed); i++)
		if (is_in(closed[i].network, ip) && !is_in(closed[i].except, ip))
			return false;
	return true;
}

/* ...:0:5efe:a.b.c.d and ...:200:5efe:a.b.c.d (RFC 5214): an IPv4 address at the end of any prefix. */
static bool is_isatap(const Ip *ip, Ip *within)
{
	static const uint8_t marks[2][4] = { { 0, 0, 0x5e, 0xfe }, { 2, 0, 0x5e, 0xfe } };

	if (memcmp(ip->at + 8, marks[0], 4) != 0 && memcmp(ip->at + 8, marks[1], 4) != 0)
		return false;
	*within = (Ip){ .at = { [10] = 0xff, [11] = 0xff } };
	memcpy(within->at + 12, ip->at + 12, 4);
	return true;
}

bool ask_address_public(const Addr *addr)
{
	Peer peer = peer_of(addr);
	Ip ip = { .at = { [10] = 0xff, [11] = 0xff } }, within;

	if (peer.family == AF_INET)
		memcpy(ip.at + 12, peer.ip, 4);
	else if (peer.family == AF_INET6)
		memcpy(ip.at, peer.ip, sizeof ip.at);
	else
		return false;
	return is_open(&ip) && (!is_isatap(&ip, &within) || is_open(&within));
}

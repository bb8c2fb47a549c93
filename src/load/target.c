/* SPDX-License-Identifier: Apache-2.0
 *
 * The target's name is looked up once: a load test measures servers, not name servers, and must not move to another one
 * half way. Connections to loopback come from all over 127.0.0.0/8, since one source address has 28,000 ports only. */
#include "load/target.h"

#include "base/arena.h"
#include "http/url.h"
#include "rt/dns.h"
#include "rt/work.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

struct Target {
	Str scheme, authority, host;
	uint16_t port;
	bool h2;
	Addr *addrs;
	size_t addr_count;
	Addr *sources; /* none: the kernel's choice */
	size_t source_count;
	TlsContext *tls; /* NULL: plain */
};

enum { LOOPBACK_SOURCES = 64 };

static Err *bad_url(Arena *a, Str url)
{
	return err_new(a, ERR_INVALID, "load.url", "%.*s: expected http://host:port",
	               STR_ARG(str_quote(a, url)));
}

static Err *split(Arena *a, Target *t, Str url)
{
	ptrdiff_t scheme = str_find(url, S("://"));
	Str rest;

	if (scheme <= 0)
		return bad_url(a, url);
	t->scheme = str_lower(a, str_sub(url, 0, (size_t)scheme));
	rest = str_sub(url, (size_t)scheme + 3, url.len);
	while (rest.len && rest.at[rest.len - 1] == '/')
		rest.len--;
	t->authority = rest;
	if (str_find_char(rest, '/') >= 0 || url_authority(a, rest, &t->host, &t->port))
		return bad_url(a, url);
	if (!t->port)
		t->port = str_eq(t->scheme, S("https")) ? 443 : 80;
	return NULL;
}

/* "host:address" of the scenario, or what the resolver says. */
static Err *find_addresses(Arena *a, Target *t, const ConnectConf *conf)
{
	Str host = t->host;

	if (host.len && host.at[0] == '[')
		host = str_sub(host, 1, host.len - 1);
	for (size_t i = 0; i < conf->resolve.count; i++) {
		Str row = conf->resolve.at[i];
		ptrdiff_t colon = str_find_char(row, ':');

		if (colon > 0 && str_eq_nocase(str_sub(row, 0, (size_t)colon), host))
			host = str_sub(row, (size_t)colon + 1, row.len);
	}
	return dns_resolve(a, host, t->port, &t->addrs, &t->addr_count);
}

bool addr_is_loopback(const Addr *addr)
{
	if (addr->sa.sa_family == AF_INET)
		return ntohl(addr->in.sin_addr.s_addr) >> 24 == 127;
	return addr->sa.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&addr->in6.sin6_addr);
}

bool target_is_loopback(const Target *t)
{
	for (size_t i = 0; i < t->addr_count; i++)
		if (!addr_is_loopback(&t->addrs[i]))
			return false;
	return true;
}

static Addr source_v4(uint32_t ip)
{
	Addr addr = { .len = sizeof addr.in };

	addr.in.sin_family = AF_INET;
	addr.in.sin_addr.s_addr = htonl(ip);
	return addr;
}

static void take_loopback_sources(Arena *a, Target *t)
{
	if (t->addrs[0].sa.sa_family != AF_INET || !addr_is_loopback(&t->addrs[0]))
		return;
	t->sources = ARENA_ARRAY(a, Addr, LOOPBACK_SOURCES);
	for (uint32_t i = 0; i < LOOPBACK_SOURCES; i++)
		t->sources[t->source_count++] = source_v4(0x7f010001u + i);
}

static Err *bad_source(Arena *a, Str text)
{
	return err_new(
		a, ERR_INVALID, "load.source",
		"%.*s: expected an address of this machine, or a network such as 10.0.0.0/28",
		STR_ARG(str_quote(a, text)));
}

/* "10.0.0.5", "10.0.0.0/28" or an IPv6 address. */
static Err *take_source(Arena *a, Target *t, size_t *room, Str text)
{
	ptrdiff_t slash = str_find_char(text, '/');
	uint64_t bits = 32;
	struct in_addr in;
	Addr addr;

	if (slash < 0 && !addr_parse(a, str_fmt(a, "[%.*s]:0", STR_ARG(text)), &addr)) {
		if (*room)
			t->sources[t->source_count++] = addr, --*room;
		return NULL;
	}
	if ((slash >= 0 && !str_to_u64(str_sub(text, (size_t)slash + 1, text.len), &bits)) ||
	    bits > 32 || bits < 16 ||
	    inet_pton(AF_INET, str_z(a, str_sub(text, 0, slash < 0 ? text.len : (size_t)slash)),
	              &in) != 1)
		return bad_source(a, text);
	for (uint32_t i = bits == 32 ? 0 : 1; i < (UINT32_C(1) << (32 - bits)) && *room;
	     i++, --*room)
		t->sources[t->source_count++] = source_v4(ntohl(in.s_addr) + i);
	return NULL;
}

static Err *take_sources(Arena *a, Target *t, const ConnectConf *conf)
{
	enum { SOURCES_MAX = 4096 };
	size_t room = SOURCES_MAX;

	if (!conf->from.count) {
		take_loopback_sources(a, t);
		return NULL;
	}
	t->sources = ARENA_ARRAY(a, Addr, SOURCES_MAX);
	for (size_t i = 0; i < conf->from.count; i++)
		TRY(take_source(a, t, &room, conf->from.at[i]));
	return NULL;
}

static void let_tls_go(void *arg)
{
	tls_unref(arg);
}

typedef struct TlsWork {
	Arena *arena;
	TlsClientConf conf;
	TlsContext *tls;
	Err *err;
} TlsWork;

static void tls_work(void *arg)
{
	TlsWork *work = arg;

	work->err = tls_client_new(work->arena, &work->conf, &work->tls);
}

/* By a worker: certificates are files. */
static Err *take_tls(Arena *a, Target *t, const ConnectConf *connections)
{
	TlsWork work = { .arena = a,
		         .conf = { .ca = connections->tls.ca,
		                   .verify = connections->tls.verify,
		                   .h2 = connections->protocol != PROTOCOL_HTTP1 } };

	TRY(work_run(tls_work, &work));
	TRY(work.err);
	t->tls = work.tls;
	arena_defer(a, let_tls_go, t->tls);
	return NULL;
}

Err *target_new(Arena *a, const ScenarioConf *conf, Target **out)
{
	const ConnectConf *connections = &conf->connections;
	Target *t = ARENA_NEW(a, Target);

	TRY(split(a, t, conf->target));
	TRY(find_addresses(a, t, connections));
	TRY(take_sources(a, t, connections));
	t->h2 = connections->protocol == PROTOCOL_H2;
	if (str_eq(t->scheme, S("https")))
		TRY(take_tls(a, t, connections));
	*out = t;
	return NULL;
}

Str target_authority(const Target *t)
{
	return t->authority;
}

Str target_scheme(const Target *t)
{
	return t->scheme;
}

Str target_host(const Target *t)
{
	return t->host;
}

const Addr *target_addr(const Target *t)
{
	return &t->addrs[0];
}

uint32_t target_ways(const Target *t)
{
	return (uint32_t)(MAX(t->source_count, (size_t)1) * t->addr_count);
}

Err *target_connect(const Target *t, uint32_t turn, HttpConn **out)
{
	const HttpConnConf conf = { .head = { .head_bytes = 64 << 10,
		                              .line_bytes = 8 << 10,
		                              .headers = 200,
		                              .underscores = true },
		                    .h2 = t->h2 };
	const Addr *source = t->source_count ? &t->sources[turn % t->source_count] : NULL;
	const Addr *to = &t->addrs[turn % t->addr_count];
	AUTO(stream_close) Stream stream = STREAM_CLOSED;

	if (source && source->sa.sa_family != to->sa.sa_family)
		source = NULL;
	TRY(stream_connect_from(&stream, to, source));
	if (t->tls)
		TRY(stream_tls_connect(&stream, t->tls, t->host));
	return http_conn_new(&stream, &conf, out);
}

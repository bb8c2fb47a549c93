/* SPDX-License-Identifier: Apache-2.0
 *
 * The fields of a message between client and upstream.
 *
 * Three things are kept apart. Fields of one hop (RFC 9110 7.6.1) end here; so do those that Connection names, but never
 * one that a server decides by (Authorization, Cookie) nor one that we vouch for: else a client could have its own address
 * or credentials removed behind a proxy that set them ("hop-by-hop abuse"). Claims about the client (X-Forwarded-*, the
 * addresses that other products use) are made anew from what this process knows, and only a trusted peer's are gone on
 * from. Aliases: WSGI folds "-" and "_" into one key, so "X_Forwarded_For" would come second and win; fields whose name
 * with "-" for "_" is a claim never pass.
 *
 * A trusted peer that sends Forwarded but no X-Forwarded-For is read by the former, and each form can be made of the
 * other. A trace goes on with a span of ours in it, or begins here.
 *
 * Loops show in Via: every process has a random name, and a request that has met it FORWARDED_PASSES times is refused. */
#include "gateway/forwarded.h"

#include "base/arena.h"
#include "base/rand.h"
#include "gateway/rfc7239.h"
#include "http/trace.h"

#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

enum {
	ENTRIES_MAX = 64,
	NAME_MAX_BYTES = 40,
	ID_MAX_BYTES = 128,
	PORT_TEXT = 6,
	PPM = 1000 * 1000,
};

static Err loop = ERR_STATIC(UPSTREAM, "gateway.loop", "the request went round in circles");
static Err options = ERR_STATIC(INVALID, "gateway.connection_options",
                                "the Connection field named too many fields");

typedef enum Treat {
	PASS,
	HOP,   /* ends here, or is written by the codec */
	CLAIM, /* says who the client is: ours goes instead */
	KEPT,  /* passes, whatever Connection names */
	TRACE, /* of a trace: see find_trace */
} Treat;

static const uint8_t treats[HTTP_HEADER_IDS] = {
	[HTTP_AUTHORIZATION] = KEPT,
	[HTTP_CONNECTION] = HOP,
	[HTTP_CONTENT_LENGTH] = HOP,
	[HTTP_COOKIE] = KEPT,
	[HTTP_EXPECT] = HOP,
	[HTTP_FORWARDED] = CLAIM,
	[HTTP_HOST] = HOP,
	[HTTP_KEEP_ALIVE] = HOP,
	[HTTP_PROXY_AUTHORIZATION] = HOP,
	[HTTP_PROXY_CONNECTION] = HOP,
	[HTTP_TE] = HOP,
	[HTTP_TRACEPARENT] = TRACE,
	[HTTP_TRACESTATE] = TRACE,
	[HTTP_TRANSFER_ENCODING] = HOP,
	[HTTP_UPGRADE] = HOP,
	[HTTP_VIA] = KEPT,
	[HTTP_X_FORWARDED_FOR] = CLAIM,
	[HTTP_X_FORWARDED_HOST] = CLAIM,
	[HTTP_X_FORWARDED_PORT] = CLAIM,
	[HTTP_X_FORWARDED_PROTO] = CLAIM,
	[HTTP_X_REAL_IP] = CLAIM,
};

/* What other products and frameworks believe. Passed on from trusted peers, when spelt with "-". */
static const char *const claims[] = {
	"client-ip",           "front-end-https",    "true-client-ip", "x-client-ip",
	"x-cluster-client-ip", "x-original-host",    "x-original-url", "x-remote-addr",
	"x-rewrite-url",       "x-scheme",           "x-url-scheme",   "x-forwarded",
	"forwarded-for",       "x-forwarded-scheme", "x-original-for", "x-host",
};

static char own_via[sizeof "1.1 banyan-12345678"];
static pthread_once_t own_once = PTHREAD_ONCE_INIT;

/* Small pieces. */

static char *put(char *at, Str text)
{
	if (text.len)
		memcpy(at, text.at, text.len);
	return at + text.len;
}

static Str join(Arena *a, Str one, Str between, Str two)
{
	char *text = arena_alloc_raw(a, one.len + between.len + two.len + 1);
	char *end = put(put(put(text, one), between), two);

	return (Str){ text, (size_t)(end - text) };
}

static void own_make(void)
{
	uint32_t id;
	char *at = put(own_via, S("1.1 banyan-"));

	rand_bytes(&id, sizeof id);
	str_put_hex(at, id, 8);
}

static Str via_line(void)
{
	pthread_once(&own_once, own_make);
	return (Str){ own_via, sizeof own_via - 1 };
}

Str forwarded_via(void)
{
	return str_sub(via_line(), 4, sizeof own_via);
}

/* RFC 9110 7.6.3: the protocol the message was received by. */
static Str via_of(Arena *a, HttpVersion version)
{
	if (version != HTTP_2 && version != HTTP_10)
		return via_line();
	return str_fmt(a, "%s %.*s", version == HTTP_2 ? "2" : "1.0", STR_ARG(forwarded_via()));
}

static size_t count_own(Str via)
{
	Str own = forwarded_via();
	size_t count = 0;
	ptrdiff_t at;

	while ((at = str_find(via, own)) >= 0) {
		count++;
		via = str_sub(via, (size_t)at + own.len, via.len);
	}
	return count;
}

/* Fields that Connection names. */

static bool is_usual(Str option)
{
	static const Str usual[] = { S("close"), S("keep-alive"), S("upgrade"), S("te") };

	for (size_t i = 0; i < COUNT(usual); i++)
		if (str_eq_nocase(option, usual[i]))
			return true;
	return option.len == 0;
}

typedef struct Counts {
	size_t passes;
	size_t options; /* all of them, empty ones too: each costs a look */
	size_t named;   /* beyond the usual ones */
} Counts;

static void count_options(Str value, Counts *counts)
{
	Str rest = value, option;

	while (str_split(&rest, ',', &option)) {
		counts->options++;
		counts->named += !is_usual(str_trim(option));
	}
}

static bool is_named(const Headers *headers, Str name)
{
	for (uint32_t i = 0; i < headers->count; i++) {
		Str rest = headers->at[i].value, option;

		if (headers->at[i].id != HTTP_CONNECTION)
			continue;
		while (str_split(&rest, ',', &option))
			if (str_eq_nocase(str_trim(option), name))
				return true;
	}
	return false;
}

/* Claims. */

static bool is_claim(Str folded)
{
	if (str_starts(folded, S("x-forwarded-")))
		return true;
	for (size_t i = 0; i < COUNT(claims); i++)
		if (str_eq(folded, str_of(claims[i])))
			return true;
	return false;
}

/* Is it a field without an id that says who the client is, in any case and spelling? *alias: spelt with "_". */
static bool is_other_claim(const Forwarded *f, Str name, bool *alias)
{
	char text[NAME_MAX_BYTES];
	Str folded = { text, name.len };
	char first = (char)((name.len ? name.at[0] : 0) | 0x20);

	*alias = false;
	if (first != 'x' && first != 'f' && first != 't' && first != 'c' &&
	    first != (f->conf->request_id.header.at[0] | 0x20))
		return false; /* most fields: nothing that is looked for begins so */
	if (name.len > sizeof text)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];

		*alias = *alias || c == '_';
		text[i] = c == '_' ? '-' : c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
	}
	if (*alias && str_eq_nocase(folded, f->conf->request_id.header))
		return true;
	return is_claim(folded) || (*alias && treats[header_id(folded)] == CLAIM);
}

bool forwarded_is_own(const RequestIdConf *id, Str name)
{
	char text[NAME_MAX_BYTES];
	Str folded = { text, name.len };
	HeaderId known;

	if (str_eq_nocase(name, id->header))
		return true;
	if (name.len > sizeof text)
		return false;
	for (size_t i = 0; i < name.len; i++)
		text[i] = name.at[i] == '_' ? '-' : name.at[i];
	known = header_id(folded);
	return treats[known] == CLAIM || known == HTTP_VIA || str_eq_nocase(folded, id->header);
}

static bool is_id(const Forwarded *f, const Header *h)
{
	if (f->id_known != HTTP_OTHER || h->id != HTTP_OTHER)
		return h->id == f->id_known && h->id != HTTP_OTHER;
	return str_eq_nocase(h->name, f->conf->request_id.header);
}

/* Who the client is. */

static bool peer_to_ip(const Peer *peer, Ip *ip)
{
	*ip = (Ip){ .at = { [10] = 0xff, [11] = 0xff } };
	if (peer->family == AF_INET)
		memcpy(ip->at + 12, peer->ip, 4);
	else if (peer->family == AF_INET6)
		memcpy(ip->at, peer->ip, 16);
	return peer->family == AF_INET || peer->family == AF_INET6;
}

static Str ip_str(Arena *a, const Ip *ip)
{
	char *text = arena_alloc_raw(a, IP_TEXT);

	return (Str){ text, ip_text(ip, text) };
}

/* One item of X-Forwarded-For: an address, maybe with a port, as Azure's gateways write it. */
static bool read_item(Str item, Ip *ip)
{
	ptrdiff_t colon = str_rfind_char(item, ':');
	ptrdiff_t bracket = str_rfind_char(item, ']');

	if (ip_parse(item, ip))
		return true;
	if (colon < 0 || (bracket >= 0 ? bracket + 1 != colon : str_find_char(item, ':') != colon))
		return false;
	return ip_parse(str_sub(item, 0, (size_t)colon), ip);
}

/* From the right, past trusted proxies, to the first that is not one; what is no address ends it. Gives how many it
 * went. */
static size_t find_client(Forwarded *f, Arena *a)
{
	Str rest = f->claimed_for;
	bool trusted = f->trusted;
	size_t steps = 0;
	Ip client;

	for (; steps < ENTRIES_MAX && trusted && rest.len; steps++) {
		ptrdiff_t comma = str_rfind_char(rest, ',');
		Str item = str_trim(comma < 0 ? rest : str_sub(rest, (size_t)comma + 1, rest.len));
		Ip ip;

		rest = comma < 0 ? S("") : str_sub(rest, 0, (size_t)comma);
		if (!read_item(item, &ip))
			break;
		client = ip;
		f->told = true;
		trusted = trust_has(&f->conf->trust, &ip);
	}
	if (f->told)
		f->client_ip = ip_str(a, &client);
	return steps;
}

static void find_peer(Forwarded *f, Arena *a)
{
	Ip ip;

	if (!peer_to_ip(f->peer, &ip)) {
		f->trusted = f->conf->trust.unix_peers;
		f->peer_ip = S("unix");
	} else {
		f->trusted = f->conf->trust.count && trust_has(&f->conf->trust, &ip);
		f->peer_ip = ip_str(a, &ip);
	}
	f->client_ip = f->peer_ip;
}

static Str new_id(Arena *a)
{
	char *text = arena_alloc_raw(a, 32);

	str_put_hex(str_put_hex(text, rand_u64(), 16), rand_u64(), 16);
	return (Str){ text, 32 };
}

static bool is_good_id(Str id)
{
	for (size_t i = 0; i < id.len; i++) {
		char c = id.at[i];
		bool letter =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!letter && !(c && strchr("-_.:/+=@", c)))
			return false;
	}
	return id.len >= 1 && id.len <= ID_MAX_BYTES;
}

static void find_id(Forwarded *f, Arena *a, Str sent)
{
	uint8_t trust = f->conf->request_id.trust;
	bool believed = trust == ID_TRUST_ALWAYS || (trust == ID_TRUST_PROXIES && f->trusted);

	f->request_id = believed && is_good_id(sent) ? sent : new_id(a);
}

static Str first_item(Str value)
{
	ptrdiff_t comma = str_find_char(value, ',');

	return str_trim(comma < 0 ? value : str_sub(value, 0, (size_t)comma));
}

static bool is_port(Str text)
{
	uint64_t port;

	return text.len < PORT_TEXT && str_to_u64(text, &port) && port && port <= UINT16_MAX;
}

/* The port that a host names, or the empty view. */
static Str port_of(Str host)
{
	ptrdiff_t colon = str_rfind_char(host, ':');
	Str port = colon < 0 ? S("") : str_sub(host, (size_t)colon + 1, host.len);

	return is_port(port) ? port : S("");
}

static bool is_host(Str host)
{
	for (size_t i = 0; i < host.len; i++) {
		char c = host.at[i];
		bool letter =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!letter && !(c && strchr("-_.:[]", c)))
			return false;
	}
	return host.len > 0 && host.len < 262;
}

/* Claims of a peer, as they came. */
typedef struct Claims {
	Str proto, host, port, id, trace;
	unsigned traces;
} Claims;

static void find_origin(Forwarded *f, const Claims *c)
{
	Str proto = first_item(c->proto), host = first_item(c->host), port = first_item(c->port);

	f->scheme = f->secure ? S("https") : S("http");
	f->host = f->request->authority;
	if (f->trusted && str_eq_nocase(proto, S("https")))
		f->scheme = S("https");
	else if (f->trusted && str_eq_nocase(proto, S("http")))
		f->scheme = S("http");
	if (f->trusted && is_host(host))
		f->host = host;
	f->port = f->trusted && is_port(port) ? port : port_of(f->host);
	if (!f->port.len)
		f->port = f->scheme.len == 5 ? S("443") : S("80");
}

/* What a trusted peer's Forwarded says, where it sent nothing else. */
static void find_by_spec(Forwarded *f, Arena *a, Claims *c)
{
	Hop hops[ENTRIES_MAX];
	size_t count = rfc7239_read(a, f->claimed_spec, hops, COUNT(hops));
	bool alone = !f->claimed_for.len;
	size_t steps;

	if (!count)
		f->claimed_spec = S("");
	for (size_t i = 0; alone && i < count; i++) {
		Ip ip;
		Str node = read_item(hops[i].node, &ip) ? ip_str(a, &ip) : S("unknown");

		f->claimed_for = i ? join(a, f->claimed_for, S(", "), node) : node;
	}
	steps = find_client(f, a);
	if (!alone || !f->told)
		return;
	if (!c->proto.len)
		c->proto = hops[count - steps].proto;
	if (!c->host.len)
		c->host = hops[count - steps].host;
}

static void find_trace(Forwarded *f, Arena *a, const Claims *c)
{
	const TraceConf *conf = &f->conf->trace;
	bool believed =
		conf->trust == ID_TRUST_ALWAYS || (conf->trust == ID_TRUST_PROXIES && f->trusted);
	Trace before, trace;
	uint8_t flags;
	char *text;

	if (!conf->on)
		return;
	flags = rand_below(PPM) < conf->sample_ppm ? TRACE_SAMPLED : 0;
	text = arena_alloc_raw(a, TRACE_TEXT);
	f->traced = believed && c->traces == 1 && trace_read(c->trace, &before);
	trace_write(text, f->traced ? &before : NULL, flags, &trace);
	f->trace_parent = (Str){ text, TRACE_TEXT };
	f->trace_id = trace.id;
	f->span_id = trace.span;
}

static Str claimed(Arena *a, Str so_far, Str value)
{
	return so_far.len && value.len ? join(a, so_far, S(", "), value)
	       : so_far.len            ? so_far
	                               : value;
}

static void look_at_field(Forwarded *f, Arena *a, const Header *h, Claims *c, Counts *counts)
{
	if (treats[h->id] == PASS && !is_id(f, h))
		return; /* most of them */
	if (h->id == HTTP_CONNECTION)
		count_options(h->value, counts);
	else if (h->id == HTTP_VIA)
		counts->passes += count_own(h->value);
	else if (is_id(f, h))
		c->id = h->value;
	else if (h->id == HTTP_TRACEPARENT)
		c->traces++, c->trace = h->value;
	else if (!f->trusted)
		return;
	else if (h->id == HTTP_X_FORWARDED_FOR)
		f->claimed_for = claimed(a, f->claimed_for, h->value);
	else if (h->id == HTTP_FORWARDED)
		f->claimed_spec = claimed(a, f->claimed_spec, h->value);
	else if (h->id == HTTP_X_FORWARDED_PROTO)
		c->proto = h->value;
	else if (h->id == HTTP_X_FORWARDED_HOST)
		c->host = h->value;
	else if (h->id == HTTP_X_FORWARDED_PORT)
		c->port = h->value;
}

Err *forwarded_begin(Forwarded *f, Arena *a)
{
	const Headers *headers = &f->request->headers;
	Claims c = { 0 };
	Counts counts = { 0 };

	f->told = f->traced = false;
	f->trace_parent = f->trace_id = f->span_id = S("");
	f->claimed_for = f->claimed_spec = S("");
	f->id_known = header_id(f->conf->request_id.header);
	find_peer(f, a);
	for (uint32_t i = 0; i < headers->count; i++)
		look_at_field(f, a, &headers->at[i], &c, &counts);
	f->options = counts.named > 0;
	f->trailers = headers_has_token(headers, HTTP_TE, S("trailers"));
	if (f->claimed_spec.len)
		find_by_spec(f, a, &c);
	else
		find_client(f, a);
	find_id(f, a, c.id);
	find_trace(f, a, &c);
	find_origin(f, &c);
	if (counts.passes >= FORWARDED_PASSES)
		return &loop;
	return counts.options > FORWARDED_OPTIONS ? &options : NULL;
}

/* The lists that go out. */

static bool passes(const Forwarded *f, const Header *h)
{
	bool alias;

	if (treats[h->id] == HOP || treats[h->id] == CLAIM || is_id(f, h))
		return false;
	if (treats[h->id] == TRACE)
		return !f->conf->trace.on || (h->id == HTTP_TRACESTATE && f->traced);
	if (h->id == HTTP_OTHER && is_other_claim(f, h->name, &alias) && (alias || !f->trusted))
		return false;
	if (!f->options || treats[h->id] == KEPT)
		return true;
	return (h->id == HTTP_OTHER && is_other_claim(f, h->name, &alias)) ||
	       !is_named(&f->request->headers, h->name);
}

static void append(Headers *out, HeaderId id, const char *name, Str value)
{
	out->at[out->count++] = (Header){ str_of(name), value, id };
}

/* A chain of X-Forwarded-For as one of Forwarded. */
static Str spec_of(Arena *a, Str chain)
{
	Str text = S(""), item;

	while (str_split(&chain, ',', &item)) {
		Ip ip;
		bool known = read_item(str_trim(item), &ip);
		Hop hop = { .node = rfc7239_node(a, known ? ip_str(a, &ip) : S("")) };

		text = claimed(a, text, rfc7239_element(a, &hop));
	}
	return text;
}

static void append_spec(const Forwarded *f, Arena *a, Headers *out, bool unix_peer)
{
	bool wanted = f->conf->forwarded != FORWARDED_X;
	Str before = f->claimed_spec;
	Hop own;

	if (!f->trusted)
		before = S("");
	else if (wanted && !before.len && f->claimed_for.len)
		before = spec_of(a, f->claimed_for);
	if (!wanted && !before.len)
		return;
	own = (Hop){ rfc7239_node(a, f->peer_ip), f->scheme, f->host };
	if (!unix_peer || !before.len)
		before = claimed(a, before, rfc7239_element(a, &own));
	append(out, HTTP_FORWARDED, "Forwarded", before);
}

static void append_x(const Forwarded *f, Arena *a, Headers *out, bool unix_peer)
{
	Str chain = f->trusted ? f->claimed_for : S("");

	if (!unix_peer)
		chain = chain.len ? join(a, chain, S(", "), f->peer_ip) : f->peer_ip;
	if (chain.len)
		append(out, HTTP_X_FORWARDED_FOR, "X-Forwarded-For", chain);
	append(out, HTTP_X_FORWARDED_PROTO, "X-Forwarded-Proto", f->scheme);
	if (f->host.len)
		append(out, HTTP_X_FORWARDED_HOST, "X-Forwarded-Host", f->host);
	append(out, HTTP_X_FORWARDED_PORT, "X-Forwarded-Port", f->port);
	if (f->told || !unix_peer)
		append(out, HTTP_X_REAL_IP, "X-Real-IP", f->client_ip);
}

static void append_own(const Forwarded *f, Arena *a, Headers *out)
{
	bool unix_peer = f->peer->family != AF_INET && f->peer->family != AF_INET6;

	if (f->trailers)
		append(out, HTTP_TE, "TE", S("trailers"));
	append(out, HTTP_VIA, "Via", via_of(a, f->request->version));
	if (f->conf->forwarded != FORWARDED_SPEC)
		append_x(f, a, out, unix_peer);
	append_spec(f, a, out, unix_peer);
	if (f->trace_parent.len)
		append(out, HTTP_TRACEPARENT, "traceparent", f->trace_parent);
	out->at[out->count++] = (Header){ f->conf->request_id.header, f->request_id, f->id_known };
}

enum { OWN_FIELDS = 10 };

static void make_room(Headers *out, Arena *a, uint32_t count)
{
	*out = (Headers){ .at = arena_alloc_raw(a, (count + OWN_FIELDS) * sizeof *out->at),
		          .cap = count + OWN_FIELDS };
}

void forwarded_request(const Forwarded *f, Arena *a, Headers *out)
{
	const Headers *in = &f->request->headers;

	make_room(out, a, in->count);
	for (uint32_t i = 0; i < in->count; i++)
		if (passes(f, &in->at[i]))
			out->at[out->count++] = in->at[i];
	append_own(f, a, out);
}

void forwarded_answer(const Forwarded *f, Arena *a, const Headers *in, Headers *out)
{
	Counts counts = { 0 };

	make_room(out, a, in->count);
	for (uint32_t i = 0; i < in->count; i++)
		if (in->at[i].id == HTTP_CONNECTION)
			count_options(in->at[i].value, &counts);
	for (uint32_t i = 0; i < in->count; i++) {
		const Header *h = &in->at[i];

		if (treats[h->id] == HOP || is_id(f, h))
			continue;
		if (counts.named && h->id != HTTP_SET_COOKIE && is_named(in, h->name))
			continue;
		out->at[out->count++] = *h;
	}
	out->at[out->count++] = (Header){ f->conf->request_id.header, f->request_id, f->id_known };
}

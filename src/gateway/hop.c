/* SPDX-License-Identifier: Apache-2.0
 *
 * What goes on and what does not. One pass over the lines, by the ids the codec has set; only lines without an id are
 * compared by name, and only when their length can match.
 *
 * Fields that Connection names are for this hop; but a client must not get rid of what upstreams rely on that way, so
 * Host, Authorization, Cookie and the forwarding fields are never taken off by it. Those last are dropped anyhow and made
 * anew. An upstream behind WSGI cannot tell X_Forwarded_For from X-Forwarded-For: both spellings go. */
#include "gateway/hop.h"

#include "base/arena.h"
#include "base/rand.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { VIA_MAX = 3, ID_BYTES_MAX = 128 };

#define VIA_NAME "banyan"

static Err loop = ERR_STATIC(CONFLICT, "gateway.loop", "the request came through this gateway before: routes form a loop");

/* --- who ------------------------------------------------------------------------------------------------------------ */

static bool peer_is_trusted(const Forwarding *f)
{
	Ip ip;

	if (!f->trust)
		return false;
	if (f->peer.family == AF_UNIX)
		return f->trust->unix_peers;
	if (f->peer.family == AF_INET6) {
		memcpy(ip.at, f->peer.ip, 16);
	} else {
		memcpy(ip.at, (const uint8_t[12]){ [10] = 0xff, [11] = 0xff }, 12);
		memcpy(ip.at + 12, f->peer.ip, 4);
	}
	return trust_has(f->trust, &ip);
}

/* Last item of a comma-separated list, taken off it. */
static bool take_last(Str *list, Str *item)
{
	ptrdiff_t comma;

	if (!list->len)
		return false;
	comma = str_rfind_char(*list, ',');
	*item = str_trim(str_sub(*list, (size_t)(comma + 1), list->len));
	*list = str_sub(*list, 0, comma < 0 ? 0 : (size_t)comma);
	return true;
}

/* From the right: every trusted proxy vouches for the one it names; the first that is none is the client. */
static Str client_of(const Forwarding *f, Arena *a)
{
	Str client = peer_ip(a, &f->peer);
	const Headers *headers = &f->request->headers;

	if (!peer_is_trusted(f))
		return client;
	for (uint32_t i = headers->count; i-- > 0;) {
		Str list = headers->at[i].value;
		Str item;

		if (headers->at[i].id != HTTP_X_FORWARDED_FOR)
			continue;
		while (take_last(&list, &item)) {
			char text[IP_TEXT];
			Ip ip;

			if (!ip_parse(item, &ip))
				return client;
			client = str_dup(a, (Str){ text, ip_text(&ip, text) });
			if (!trust_has(f->trust, &ip))
				return client;
		}
	}
	return client;
}

static bool id_is_sound(Str id)
{
	if (!id.len || id.len > ID_BYTES_MAX)
		return false;
	for (size_t i = 0; i < id.len; i++)
		if (id.at[i] <= ' ' || id.at[i] > '~' || id.at[i] == '"' || id.at[i] == '\\' || id.at[i] == ',')
			return false;
	return true;
}

static Str new_id(Arena *a)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t words[2] = { rand_u64(), rand_u64() };
	char *id = arena_alloc_raw(a, 32);

	for (unsigned i = 0; i < 32; i++)
		id[i] = digits[words[i / 16] >> (i % 16 * 4) & 15];
	return (Str){ id, 32 };
}

void hop_begin(Forwarding *f, Arena *a)
{
	bool take = f->id->trust == ID_TRUST_ALWAYS || (f->id->trust == ID_TRUST_PROXIES && peer_is_trusted(f));
	Str given = take ? headers_get_name(&f->request->headers, f->id->header) : (Str){ 0 };

	f->client_ip = client_of(f, a);
	f->request_id = id_is_sound(given) ? given : new_id(a);
}

/* --- what ----------------------------------------------------------------------------------------------------------- */

/* As a header's name, with '_' the same as '-'. */
static bool same_name(Str name, Str wanted)
{
	if (name.len != wanted.len)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i] == '_' ? '-' : name.at[i];

		if (c != wanted.at[i] && (c | 0x20) != (wanted.at[i] | 0x20))
			return false;
	}
	return true;
}

/* Names without an id that claim to be ours, and the twins of those that have one. */
static bool claims_trust(Str name)
{
	static const Str names[] = {
		S("x-forwarded-for"),    S("x-forwarded-host"),   S("x-forwarded-port"), S("x-forwarded-proto"),
		S("x-forwarded-server"), S("x-forwarded-scheme"), S("x-forwarded-ssl"),  S("x-forwarded-prefix"),
		S("x-real-ip"),          S("forwarded"),          S("x-request-id"),     S("x-original-url"),
		S("x-rewrite-url"),      S("x-scheme"),
	};

	for (size_t i = 0; i < COUNT(names); i++)
		if (same_name(name, names[i]))
			return true;
	return false;
}

static bool is_for_this_hop(HeaderId id)
{
	static const bool hop[HTTP_HEADER_IDS] = {
		[HTTP_CONNECTION] = true, [HTTP_KEEP_ALIVE] = true, [HTTP_PROXY_CONNECTION] = true, [HTTP_UPGRADE] = true,
		[HTTP_TRANSFER_ENCODING] = true, [HTTP_CONTENT_LENGTH] = true, [HTTP_HOST] = true, [HTTP_EXPECT] = true,
		[HTTP_PROXY_AUTHORIZATION] = true, [HTTP_PROXY_AUTHENTICATE] = true,
	};

	return hop[id];
}

static bool is_ours(HeaderId id)
{
	static const bool ours[HTTP_HEADER_IDS] = {
		[HTTP_X_FORWARDED_FOR] = true, [HTTP_X_FORWARDED_HOST] = true, [HTTP_X_FORWARDED_PORT] = true,
		[HTTP_X_FORWARDED_PROTO] = true, [HTTP_X_REAL_IP] = true, [HTTP_FORWARDED] = true,
	};

	return ours[id];
}

static bool must_stay(HeaderId id)
{
	return id == HTTP_HOST || id == HTTP_AUTHORIZATION || id == HTTP_COOKIE || is_ours(id);
}

/* Is it named by Connection? `named` is false for nearly every message: then nothing is looked up. */
static bool connection_names(const Headers *headers, const Header *h, bool named)
{
	return named && !must_stay(h->id) && headers_has_token(headers, HTTP_CONNECTION, h->name);
}

/* Does Connection name more than close, keep-alive and upgrade? */
static bool names_fields(const Headers *headers)
{
	for (uint32_t i = 0; i < headers->count; i++) {
		Str list = headers->at[i].value;
		Str item;

		if (headers->at[i].id != HTTP_CONNECTION)
			continue;
		while (str_split(&list, ',', &item)) {
			Str token = str_trim(item);

			if (token.len && !str_eq_nocase(token, S("close")) && !str_eq_nocase(token, S("keep-alive")) &&
			    !str_eq_nocase(token, S("upgrade")))
				return true;
		}
	}
	return false;
}

static unsigned passes(Str via)
{
	unsigned count = 0;
	Str item;

	while (str_split(&via, ',', &item))
		count += str_ends(str_trim(item), S(" " VIA_NAME));
	return count;
}

static Str via_version(HttpVersion version)
{
	return version == HTTP_2 ? S("2 " VIA_NAME) : version == HTTP_11 ? S("1.1 " VIA_NAME) : S("1.0 " VIA_NAME);
}

static void add(Headers *out, Arena *a, HeaderId id, Str name, Str value)
{
	headers_add(out, a, name, value);
	out->at[out->count - 1].id = id;
}

static void add_own(const Forwarding *f, Arena *a, Str chain, Headers *out)
{
	Str ip = peer_ip(a, &f->peer);

	if (chain.len)
		ip = str_fmt(a, "%.*s, %.*s", STR_ARG(chain), STR_ARG(ip));
	add(out, a, HTTP_X_FORWARDED_FOR, S("X-Forwarded-For"), ip);
	add(out, a, HTTP_X_REAL_IP, S("X-Real-IP"), f->client_ip);
}

/* What a trusted proxy said, else what we see. */
static Str told_or(const Forwarding *f, bool trusted, HeaderId id, Str ours)
{
	Str told = trusted ? headers_get(&f->request->headers, id) : (Str){ 0 };

	return told.len ? told : ours;
}

static Str joined_chain(const Headers *headers, Arena *a)
{
	Str chain = { 0 };

	for (uint32_t i = 0; i < headers->count; i++)
		if (headers->at[i].id == HTTP_X_FORWARDED_FOR)
			chain = chain.len ? str_fmt(a, "%.*s, %.*s", STR_ARG(chain), STR_ARG(headers->at[i].value))
			                  : headers->at[i].value;
	return chain;
}

Err *hop_request(const Forwarding *f, Arena *a, Headers *out)
{
	const Headers *in = &f->request->headers;
	bool trusted = peer_is_trusted(f);
	bool named = names_fields(in);
	unsigned been_here = 0;

	for (uint32_t i = 0; i < in->count; i++) {
		const Header *h = &in->at[i];

		if (is_for_this_hop(h->id) || is_ours(h->id) || h->id == HTTP_X_REQUEST_ID)
			continue;
		if (h->id == HTTP_TE) {
			if (headers_has_token(in, HTTP_TE, S("trailers")))
				add(out, a, HTTP_TE, h->name, S("trailers"));
			continue;
		}
		if (h->id == HTTP_VIA)
			been_here += passes(h->value);
		if (h->id == HTTP_OTHER && (claims_trust(h->name) || same_name(h->name, f->id->header)))
			continue;
		if (connection_names(in, h, named))
			continue;
		add(out, a, h->id, h->name, h->value);
	}
	if (been_here >= VIA_MAX)
		return &loop;
	add_own(f, a, trusted ? joined_chain(in, a) : (Str){ 0 }, out);
	add(out, a, HTTP_X_FORWARDED_PROTO, S("X-Forwarded-Proto"),
	    told_or(f, trusted, HTTP_X_FORWARDED_PROTO, f->secure ? S("https") : S("http")));
	add(out, a, HTTP_X_FORWARDED_HOST, S("X-Forwarded-Host"),
	    told_or(f, trusted, HTTP_X_FORWARDED_HOST, f->request->authority));
	if (f->port)
		add(out, a, HTTP_X_FORWARDED_PORT, S("X-Forwarded-Port"),
		    told_or(f, trusted, HTTP_X_FORWARDED_PORT, str_fmt(a, "%u", f->port)));
	add(out, a, HTTP_VIA, S("Via"), via_version(f->request->version));
	add(out, a, HTTP_X_REQUEST_ID, f->id->header, f->request_id);
	return NULL;
}

void hop_answer(const Headers *in, const RequestIdConf *conf, Str id, Arena *a, Headers *out)
{
	bool named = names_fields(in);

	for (uint32_t i = 0; i < in->count; i++) {
		const Header *h = &in->at[i];

		if (h->id == HTTP_CONNECTION || h->id == HTTP_KEEP_ALIVE || h->id == HTTP_PROXY_CONNECTION ||
		    h->id == HTTP_UPGRADE || h->id == HTTP_TRANSFER_ENCODING || h->id == HTTP_CONTENT_LENGTH)
			continue;
		if (connection_names(in, h, named) || (id.len && same_name(h->name, conf->header)))
			continue;
		add(out, a, h->id, h->name, h->value);
	}
	if (id.len)
		add(out, a, HTTP_OTHER, conf->header, id);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * One canonical path, decided once, for routes, rights and cache keys.
 *
 * The common path has nothing to decide: bytes that stand for themselves, no empty and no dot segment. It is found by one
 * look at each byte and given back as it came. Any other is rebuilt segment by segment: escapes first (an escaped dot is
 * a dot), then "." and "..", so that nothing is decoded after it was judged. What servers behind us read in more than
 * one way is refused rather than guessed: escaped slashes and backslashes, parameters on dot segments, overlong UTF-8,
 * a climb above the root.
 *
 * Doing it twice changes nothing (the fuzz target's invariant). Not here: queries, which belong to the application. */
#include "http/url.h"

#include "base/arena.h"
#include "http/scan.h"

#include <arpa/inet.h>
#include <string.h>

/* What a byte is in a path. */
enum {
	UNRESERVED = 1, /* RFC 3986 2.3: its escape means the same */
	DELIM = 2,      /* sub-delims, ':' and '@': stands for itself, its escape does not */
	SLASH = 4,
	QUOTE = 8, /* printable, but must be escaped */
};

static const uint8_t classes[256] = {
	['A' ... 'Z'] = UNRESERVED,
	['a' ... 'z'] = UNRESERVED,
	['0' ... '9'] = UNRESERVED,
	['-'] = UNRESERVED,
	['.'] = UNRESERVED,
	['_'] = UNRESERVED,
	['~'] = UNRESERVED,
	['!'] = DELIM,
	['$'] = DELIM,
	['&'] = DELIM,
	['\''] = DELIM,
	['('] = DELIM,
	[')'] = DELIM,
	['*'] = DELIM,
	['+'] = DELIM,
	[','] = DELIM,
	[';'] = DELIM,
	['='] = DELIM,
	[':'] = DELIM,
	['@'] = DELIM,
	['/'] = SLASH,
	['"'] = QUOTE,
	['<'] = QUOTE,
	['>'] = QUOTE,
	['^'] = QUOTE,
	['`'] = QUOTE,
	['{'] = QUOTE,
	['|'] = QUOTE,
	['}'] = QUOTE,
	['['] = QUOTE,
	[']'] = QUOTE,
};

static Err bad_escape =
	ERR_STATIC(INVALID, "url.bad_escape", "a '%' was not followed by two hexadecimal digits");
static Err overlong =
	ERR_STATIC(INVALID, "url.overlong", "an escaped character was longer than it has to be");
static Err control =
	ERR_STATIC(INVALID, "url.control", "the target held a control byte or a blank");
static Err encoded_slash =
	ERR_STATIC(INVALID, "url.encoded_slash", "the path held an escaped slash or backslash");
static Err backslash = ERR_STATIC(INVALID, "url.backslash", "the path held a backslash");
static Err fragment = ERR_STATIC(INVALID, "url.fragment", "the target held a '#'");
static Err above_root = ERR_STATIC(INVALID, "url.above_root", "the path climbed above its root");
static Err form = ERR_STATIC(INVALID, "url.form", "the target did not begin with a slash");
static Err path_parameter =
	ERR_STATIC(INVALID, "url.path_parameter", "a dot segment had a parameter");
static Err not_ascii = ERR_STATIC(INVALID, "url.not_ascii", "the target held a byte above 0x7f");
static Err bad_authority =
	ERR_STATIC(INVALID, "url.authority", "the authority was not a host and a port");

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that an escape at the front of `text` stands for, or -1. */
static int escape_at(Str text)
{
	int high, low;

	if (text.len < 3 || text.at[0] != '%')
		return -1;
	high = hex_digit(text.at[1]);
	low = hex_digit(text.at[2]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

static Err *refuse(unsigned char c)
{
	if (c == '\\')
		return &backslash;
	if (c == '#')
		return &fragment;
	return c > 0x7f ? &not_ascii : &control;
}

/* `text` begins with the escape of `byte`: do it and the next begin a form of UTF-8 that is longer than needed? */
static bool is_overlong(Str text, int byte)
{
	int next = byte >= 0xc0 ? escape_at(str_sub(text, 3, text.len)) : -1;

	if (byte == 0xc0 || byte == 0xc1)
		return next >= 0x80 && next <= 0xbf;
	return (byte == 0xe0 && next >= 0x80 && next <= 0x9f) ||
	       (byte == 0xf0 && next >= 0x80 && next <= 0x8f);
}

static size_t put_escape(char *to, int byte)
{
	to[0] = '%';
	to[1] = "0123456789ABCDEF"[byte >> 4];
	to[2] = "0123456789ABCDEF"[byte & 15];
	return 3;
}

/* The canonical form of the escape that `text` begins with. */
static Err *put_escaped(Str text, const UrlRules *rules, char *to, size_t *len)
{
	int byte = escape_at(text);

	if (byte < 0)
		return &bad_escape;
	if (byte < 0x20 || byte == 0x7f)
		return &control;
	if ((byte == '/' || byte == '\\') && !rules->encoded_slash)
		return &encoded_slash;
	if (is_overlong(text, byte))
		return &overlong;
	if (classes[byte] & UNRESERVED)
		to[(*len)++] = (char)byte;
	else
		*len += put_escape(to + *len, byte);
	return NULL;
}

static Err *put_segment(Str raw, const UrlRules *rules, char *to, size_t *len)
{
	*len = 0;
	for (size_t i = 0; i < raw.len; i++) {
		unsigned char c = (unsigned char)raw.at[i];

		if (c == '%') {
			TRY(put_escaped(str_sub(raw, i, raw.len), rules, to, len));
			i += 2;
		} else if (classes[c] & (UNRESERVED | DELIM)) {
			to[(*len)++] = (char)c;
		} else if (classes[c] & QUOTE) {
			*len += put_escape(to + *len, c);
		} else {
			return refuse(c);
		}
	}
	return NULL;
}

static bool is_dots(Str text)
{
	return str_eq(text, S(".")) || str_eq(text, S(".."));
}

/* A segment in canonical form: would a server behind us read another one? */
static Err *check_segment(Str segment, const UrlRules *rules)
{
	size_t dots = 0;
	size_t from = 0;
	bool slash = false;

	while (dots < segment.len && segment.at[dots] == '.')
		dots++;
	if ((dots == 1 || dots == 2) && !rules->semicolons) {
		Str rest = str_sub(segment, dots, segment.len);

		if (str_starts(rest, S(";")) || str_starts(rest, S("%3B")))
			return &path_parameter;
	}
	for (size_t i = 0; rules->encoded_slash && i < segment.len; i++) {
		Str rest = str_sub(segment, i, segment.len);

		if (!str_starts(rest, S("%2F")) && !str_starts(rest, S("%5C")))
			continue;
		slash = true;
		if (is_dots(str_sub(segment, from, i)))
			return &encoded_slash;
		from = i + 3;
	}
	return slash && is_dots(str_sub(segment, from, segment.len)) ? &encoded_slash : NULL;
}

/* `path` ends in '/': without its last segment, or 0 when it has none. */
static size_t climb(const char *path, size_t len)
{
	const char *slash = len > 1 ? memrchr(path, '/', len - 1) : NULL;

	return slash ? (size_t)(slash - path) + 1 : 0;
}

/* The path so far always begins and ends with '/', until its last segment is put. */
static Err *rebuild(Arena *a, Str path, const UrlRules *rules, Str *out)
{
	char *to = arena_alloc_raw(a, path.len * 3 + 1);
	Str rest = str_sub(path, 1, path.len);
	Str raw;
	size_t at = 0;
	size_t len;

	to[at++] = '/';
	while (str_split(&rest, '/', &raw)) {
		TRY(put_segment(raw, rules, to + at, &len));
		TRY(check_segment((Str){ to + at, len }, rules));
		if (is_dots((Str){ to + at, len })) {
			at = len == 1 ? at : climb(to, at);
			if (at == 0)
				return &above_root;
			continue;
		}
		at += len;
		if (rest.at && (len || rules->keep_double))
			to[at++] = '/';
	}
	*out = (Str){ to, at };
	return NULL;
}

static bool is_plain(Str path)
{
	unsigned char last = 0;

	for (size_t i = 0; i < path.len; i++) {
		unsigned char c = (unsigned char)path.at[i];

		if (!(classes[c] & (UNRESERVED | DELIM | SLASH)) ||
		    (last == '/' && (c == '/' || c == '.')))
			return false;
		last = c;
	}
	return true;
}

Err *url_canonical(Arena *a, Str target, const UrlRules *rules, Url *out)
{
	Str query = target;
	Str path;
	Str canonical;
	size_t good;

	if (str_eq(target, S("*"))) {
		*out = (Url){ .path = target, .same = true };
		return NULL;
	}
	if (target.len == 0 || target.at[0] != '/')
		return &form;
	str_split(&query, '?', &path);
	good = scan_target(query.at, query.len);
	if (good < query.len)
		return refuse((unsigned char)query.at[good]);
	canonical = path;
	if (!is_plain(path))
		TRY(rebuild(a, path, rules, &canonical));
	*out = (Url){ canonical, query, str_eq(path, canonical) };
	return NULL;
}

Err *url_decode(Arena *a, Str text, Str *out)
{
	char *to;
	size_t len = 0;

	if (str_find_char(text, '%') < 0 && str_find_char(text, '\0') < 0) {
		*out = text;
		return NULL;
	}
	to = arena_alloc_raw(a, text.len);
	for (size_t i = 0; i < text.len; i++) {
		int byte = (unsigned char)text.at[i];

		if (byte == '%') {
			byte = escape_at(str_sub(text, i, text.len));
			i += 2;
		}
		if (byte <= 0)
			return byte ? &bad_escape : &control;
		to[len++] = (char)byte;
	}
	*out = (Str){ to, len };
	return NULL;
}

Str url_encode(Arena *a, Str text)
{
	char *to = arena_alloc_raw(a, 3 * text.len);
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (classes[c] & UNRESERVED || c == ':')
			to[len++] = (char)c;
		else
			len += put_escape(to + len, c);
	}
	return (Str){ to, len };
}

enum { HOST_MAX = 255, IPV6_MAX = 45 };

static bool is_name(Str host)
{
	char last = '.';

	for (size_t i = 0; i < host.len; i++) {
		if (!(classes[(unsigned char)host.at[i]] & UNRESERVED) ||
		    (host.at[i] == '.' && last == '.'))
			return false;
		last = host.at[i];
	}
	return host.len > 0 && host.len <= HOST_MAX;
}

/* An IPv6 address in brackets. */
static bool is_ipv6(Str host, struct in6_addr *address)
{
	char text[IPV6_MAX + 1] = "";

	if (host.len < 4 || host.len > IPV6_MAX + 2)
		return false;
	memcpy(text, host.at + 1, host.len - 2);
	return strlen(text) == host.len - 2 && inet_pton(AF_INET6, text, address) == 1;
}

static bool split_authority(Str authority, Str *host, uint16_t *port)
{
	bool brackets = authority.len && authority.at[0] == '[';
	ptrdiff_t end = str_find_char(authority, brackets ? ']' : ':');
	uint64_t number = 0;
	Str rest;

	if (brackets && end < 0)
		return false;
	*host = end < 0 ? authority : str_sub(authority, 0, (size_t)end + brackets);
	rest = str_sub(authority, host->len, authority.len);
	if (rest.len &&
	    (rest.at[0] != ':' || rest.len > 6 || !str_to_u64(str_sub(rest, 1, rest.len), &number)))
		return false;
	*port = (uint16_t)number;
	return number <= UINT16_MAX;
}

bool url_is_authority(Str authority, uint16_t *port)
{
	struct in6_addr address;
	Str host;

	if (!split_authority(authority, &host, port))
		return false;
	return host.len && host.at[0] == '[' ? is_ipv6(host, &address) : is_name(host);
}

static Str short_ipv6(Arena *a, Str host, const struct in6_addr *address)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(AF_INET6, address, text, sizeof text);
	if (str_eq(str_sub(host, 1, host.len - 1), str_of(text)))
		return host;
	return str_fmt(a, "[%s]", text);
}

Err *url_authority(Arena *a, Str authority, Str *host, uint16_t *port)
{
	struct in6_addr address;
	uint16_t number;
	Str name;

	if (!split_authority(authority, &name, &number))
		return &bad_authority;
	if (name.len && name.at[0] == '[') {
		if (!is_ipv6(name, &address))
			return &bad_authority;
		name = short_ipv6(a, name, &address);
	} else if (!is_name(name)) {
		return &bad_authority;
	}
	for (size_t i = 0; i < name.len; i++) {
		if (name.at[i] >= 'A' && name.at[i] <= 'Z') {
			name = str_lower(a, name);
			break;
		}
	}
	*host = name;
	*port = number;
	return NULL;
}

bool url_query_get(Str query, Str name, Str *value)
{
	Str pair;

	while (str_split(&query, '&', &pair)) {
		Str key;
		Str rest = pair;

		str_split(&rest, '=', &key);
		if (!str_eq(key, name))
			continue;
		*value = rest.at ? rest : str_sub(pair, pair.len, pair.len);
		return true;
	}
	return false;
}

Url url_raw(Str target)
{
	ptrdiff_t mark = str_find_char(target, '?');
	Url url = { .path = target, .same = true };

	if (mark >= 0) {
		url.path = str_sub(target, 0, (size_t)mark);
		url.query = str_sub(target, (size_t)mark + 1, target.len);
	}
	return url;
}

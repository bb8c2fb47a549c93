/* SPDX-License-Identifier: Apache-2.0
 *
 * Message heads: names to ids, lists of headers, words for numbers.
 *
 * header_id runs for every header line of every message, so it does not hash: the names it knows are sorted by length,
 * five at most share one, and a candidate is compared eight bytes at a time, letters in any case. Adding a name is a row
 * in message.h and one in `by_length`; the unit test walks the table and finds a name that is missing here.
 *
 * Lists are short and in order; a linear look is faster than any index up to the limit of a hundred lines. */
#include "http/message.h"

#include "base/arena.h"
#include "http/scan.h"

#include <string.h>

enum { NAME_MAX_BYTES = 19, SAME_LENGTH_MAX = 5, HEADERS_FIRST = 16 };

static const Str names[HTTP_HEADER_IDS] = {
#define X(id, name) [HTTP_##id] = { name, sizeof(name) - 1 },
	HTTP_HEADERS(X)
#undef X
};

static const uint8_t by_length[NAME_MAX_BYTES + 1][SAME_LENGTH_MAX] = {
	[2] = { HTTP_TE },
	[3] = { HTTP_VIA },
	[4] = { HTTP_HOST, HTTP_DATE },
	[6] = { HTTP_ACCEPT, HTTP_COOKIE, HTTP_SERVER, HTTP_EXPECT },
	[7] = { HTTP_REFERER, HTTP_UPGRADE, HTTP_TRAILER },
	[8] = { HTTP_LOCATION },
	[9] = { HTTP_X_REAL_IP, HTTP_FORWARDED },
	[10] = { HTTP_CONNECTION, HTTP_USER_AGENT, HTTP_SET_COOKIE, HTTP_KEEP_ALIVE,
	         HTTP_TRACESTATE },
	[11] = { HTTP_RETRY_AFTER, HTTP_TRACEPARENT },
	[12] = { HTTP_CONTENT_TYPE, HTTP_X_REQUEST_ID },
	[13] = { HTTP_CACHE_CONTROL, HTTP_AUTHORIZATION },
	[14] = { HTTP_CONTENT_LENGTH },
	[15] = { HTTP_ACCEPT_ENCODING, HTTP_X_FORWARDED_FOR },
	[16] = { HTTP_CONTENT_ENCODING, HTTP_PROXY_CONNECTION, HTTP_X_FORWARDED_HOST,
	         HTTP_X_FORWARDED_PORT },
	[17] = { HTTP_TRANSFER_ENCODING, HTTP_X_FORWARDED_PROTO },
	[18] = { HTTP_PROXY_AUTHENTICATE },
	[19] = { HTTP_PROXY_AUTHORIZATION },
};

static uint64_t load(const char *at, size_t len)
{
	uint64_t word = 0;

	memcpy(&word, at, len);
	return word;
}

/* Bits that differ other than the case bit of a letter of the lower-case `name`: letters there are the bytes with 0x40. */
static uint64_t differ(uint64_t word, uint64_t name)
{
	return (word ^ name) & ~((name & 0x4040404040404040) >> 1);
}

static bool is_name(const char *at, const char *name, size_t len)
{
	if (len < 4)
		return !differ(load(at, 2), load(name, 2)) &&
		       !differ(load(at + len - 1, 1), load(name + len - 1, 1));
	if (len < 8)
		return !differ(load(at, 4), load(name, 4)) &&
		       !differ(load(at + len - 4, 4), load(name + len - 4, 4));
	for (size_t i = 0; i + 8 < len; i += 8)
		if (differ(load(at + i, 8), load(name + i, 8)))
			return false;
	return !differ(load(at + len - 8, 8), load(name + len - 8, 8));
}

HeaderId header_id(Str name)
{
	if (name.len > NAME_MAX_BYTES)
		return HTTP_OTHER;
	for (unsigned i = 0; i < SAME_LENGTH_MAX; i++) {
		unsigned id = by_length[name.len][i];

		if (id == HTTP_OTHER)
			break;
		if (is_name(name.at, names[id].at, name.len))
			return (HeaderId)id;
	}
	return HTTP_OTHER;
}

Str header_id_name(HeaderId id)
{
	return (unsigned)id < HTTP_HEADER_IDS ? names[id] : (Str){ 0 };
}

static void add(Headers *headers, Arena *a, Header header)
{
	if (headers->count == headers->cap) {
		uint32_t cap = headers->cap ? headers->cap * 2 : HEADERS_FIRST;
		Header *at = arena_alloc_raw(a, cap * sizeof *at);

		if (headers->count)
			memcpy(at, headers->at, headers->count * sizeof *at);
		headers->at = at;
		headers->cap = cap;
	}
	headers->at[headers->count++] = header;
}

void headers_add(Headers *headers, Arena *a, Str name, Str value)
{
	add(headers, a, (Header){ name, value, header_id(name) });
}

void headers_add_id(Headers *headers, Arena *a, HeaderId id, Str value)
{
	add(headers, a, (Header){ header_id_name(id), value, id });
}

const Header *headers_find(const Headers *headers, HeaderId id)
{
	for (uint32_t i = 0; i < headers->count; i++)
		if (headers->at[i].id == id)
			return &headers->at[i];
	return NULL;
}

Str headers_get(const Headers *headers, HeaderId id)
{
	const Header *header = headers_find(headers, id);

	return header ? header->value : (Str){ 0 };
}

Str headers_get_name(const Headers *headers, Str name)
{
	HeaderId id = header_id(name);

	if (id != HTTP_OTHER)
		return headers_get(headers, id);
	for (uint32_t i = 0; i < headers->count; i++)
		if (str_eq_nocase(headers->at[i].name, name))
			return headers->at[i].value;
	return (Str){ 0 };
}

void headers_remove(Headers *headers, HeaderId id)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < headers->count; i++)
		if (headers->at[i].id != id)
			headers->at[kept++] = headers->at[i];
	headers->count = kept;
}

bool headers_has_token(const Headers *headers, HeaderId id, Str token)
{
	for (uint32_t i = 0; i < headers->count; i++) {
		Str rest = headers->at[i].value;
		Str item;

		if (headers->at[i].id != id)
			continue;
		while (str_split(&rest, ',', &item))
			if (str_eq_nocase(str_trim(item), token))
				return true;
	}
	return false;
}

/* The IANA registry of status codes. */
#define REASONS(X) \
	X(100, "Continue") \
	X(101, "Switching Protocols") \
	X(102, "Processing") \
	X(103, "Early Hints") \
	X(200, "OK") \
	X(201, "Created") \
	X(202, "Accepted") \
	X(203, "Non-Authoritative Information") \
	X(204, "No Content") \
	X(205, "Reset Content") \
	X(206, "Partial Content") \
	X(207, "Multi-Status") \
	X(208, "Already Reported") \
	X(226, "IM Used") \
	X(300, "Multiple Choices") \
	X(301, "Moved Permanently") \
	X(302, "Found") \
	X(303, "See Other") \
	X(304, "Not Modified") \
	X(305, "Use Proxy") \
	X(307, "Temporary Redirect") \
	X(308, "Permanent Redirect") \
	X(400, "Bad Request") \
	X(401, "Unauthorized") \
	X(402, "Payment Required") \
	X(403, "Forbidden") \
	X(404, "Not Found") \
	X(405, "Method Not Allowed") \
	X(406, "Not Acceptable") \
	X(407, "Proxy Authentication Required") \
	X(408, "Request Timeout") \
	X(409, "Conflict") \
	X(410, "Gone") \
	X(411, "Length Required") \
	X(412, "Precondition Failed") \
	X(413, "Content Too Large") \
	X(414, "URI Too Long") \
	X(415, "Unsupported Media Type") \
	X(416, "Range Not Satisfiable") \
	X(417, "Expectation Failed") \
	X(421, "Misdirected Request") \
	X(422, "Unprocessable Content") \
	X(423, "Locked") \
	X(424, "Failed Dependency") \
	X(425, "Too Early") \
	X(426, "Upgrade Required") \
	X(428, "Precondition Required") \
	X(429, "Too Many Requests") \
	X(431, "Request Header Fields Too Large") \
	X(451, "Unavailable For Legal Reasons") \
	X(499, "Client Closed Request") \
	X(500, "Internal Server Error") \
	X(501, "Not Implemented") \
	X(502, "Bad Gateway") \
	X(503, "Service Unavailable") \
	X(504, "Gateway Timeout") \
	X(505, "HTTP Version Not Supported") \
	X(506, "Variant Also Negotiates") \
	X(507, "Insufficient Storage") \
	X(508, "Loop Detected") \
	X(511, "Network Authentication Required")

enum { STATUS_END = 512 };

static const Str reasons[STATUS_END] = {
#define X(status, text) [status] = { text, sizeof(text) - 1 },
	REASONS(X)
#undef X
};

Str http_reason(unsigned status)
{
	return status < STATUS_END && reasons[status].len ? reasons[status] : S("Status");
}

bool http_is_idempotent(Str method)
{
	static const Str safe[] = {
		{ "GET", 3 },   { "HEAD", 4 }, { "OPTIONS", 7 },
		{ "TRACE", 5 }, { "PUT", 3 },  { "DELETE", 6 },
	};

	for (size_t i = 0; i < COUNT(safe); i++)
		if (str_eq(method, safe[i]))
			return true;
	return false;
}

bool http_is_token(Str text)
{
	return text.len && scan_token(text.at, text.len) == text.len;
}

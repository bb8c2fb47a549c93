/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing HTTP/1 heads.
 *
 * The size of a head is known before a byte of it is written (an upper bound of it), so room is taken once and filled by
 * plain copies: this runs twice for every request that passes through. Whatever framing came in with the headers is left
 * out and said anew from head->body, so that both sides of us agree on where a message ends because we told them.
 *
 * Bytes are trusted but for the reason, which is the one part that nobody else checks. */
#include "http/h1.h"

#include "http/scan.h"

#include <string.h>

enum {
	LINE_EXTRA = 4,    /* ": " and CRLF */
	FRAMING_MAX = 192, /* versions, status, Content-Length, Connection and Upgrade's name */
};

/* Names and values are mostly short: two overlapping moves beat a call. */
static char *put(char *to, Str text)
{
	const char *at = text.at;
	size_t len = text.len;

	if (len > 32) {
		memcpy(to, at, len);
	} else if (len >= 16) {
		memcpy(to, at, 16);
		memcpy(to + len - 16, at + len - 16, 16);
	} else if (len >= 8) {
		memcpy(to, at, 8);
		memcpy(to + len - 8, at + len - 8, 8);
	} else if (len >= 4) {
		memcpy(to, at, 4);
		memcpy(to + len - 4, at + len - 4, 4);
	} else {
		for (size_t i = 0; i < len; i++)
			to[i] = at[i];
	}
	return to + len;
}

static char *put_line(char *to, Str name, Str value)
{
	to = put(to, name);
	*to++ = ':';
	*to++ = ' ';
	to = put(to, value);
	*to++ = '\r';
	*to++ = '\n';
	return to;
}

static char *put_number(char *to, uint64_t number)
{
	char digits[20];
	char *at = digits + sizeof digits;

	do
		*--at = (char)('0' + number % 10);
	while (number /= 10);
	return put(to, (Str){ at, (size_t)(digits + sizeof digits - at) });
}

static char *put_length(char *to, int64_t length)
{
	to = put(to, S("Content-Length: "));
	to = put_number(to, length > 0 ? (uint64_t)length : 0);
	return put(to, S("\r\n"));
}

static size_t size_of(const Headers *headers)
{
	size_t size = 0;

	for (uint32_t i = 0; i < headers->count; i++)
		size += headers->at[i].name.len + headers->at[i].value.len + LINE_EXTRA;
	return size;
}

/* What the writer says itself; Host is a request's. */
static bool is_ours(HeaderId id, bool request)
{
	static const bool framing[HTTP_HEADER_IDS] = {
		[HTTP_CONTENT_LENGTH] = true,
		[HTTP_TRANSFER_ENCODING] = true,
		[HTTP_CONNECTION] = true,
		[HTTP_UPGRADE] = true,
	};

	return framing[id] || (request && id == HTTP_HOST);
}

static char *put_headers(char *to, const Headers *headers, bool request)
{
	for (uint32_t i = 0; i < headers->count; i++)
		if (!is_ours(headers->at[i].id, request))
			to = put_line(to, headers->at[i].name, headers->at[i].value);
	return to;
}

/* A peer of HTTP/1.0 must hear that the connection stays open; one of 1.1 must hear that it does not. TE is a matter
 * between two neighbours and must be named (RFC 9110 10.1.4). */
static char *put_connection(char *to, const Head *head, bool close)
{
	bool te = headers_find(&head->headers, HTTP_TE) != NULL;
	bool keep = !close && head->version == HTTP_10;

	if (head->upgrade.len) {
		to = put(to, S("Upgrade: "));
		to = put(to, head->upgrade);
		to = put(to, S("\r\n"));
	}
	if (!te && !close && !keep && !head->upgrade.len)
		return to;
	to = put(to, S("Connection: "));
	if (head->upgrade.len)
		to = put(to, te || close || keep ? S("upgrade, ") : S("upgrade"));
	if (te)
		to = put(to, close || keep ? S("TE, ") : S("TE"));
	if (close || keep)
		to = put(to, close ? S("close") : S("keep-alive"));
	return put(to, S("\r\n"));
}

static char *put_request_framing(char *to, const Head *head)
{
	static const Str with_body[] = { { "POST", 4 }, { "PUT", 3 }, { "PATCH", 5 } };

	if (head->body == HTTP_BODY_LENGTH)
		return put_length(to, head->content_length);
	if (head->body == HTTP_BODY_CHUNKED)
		return put(to, S("Transfer-Encoding: chunked\r\n"));
	for (size_t i = 0; i < COUNT(with_body); i++)
		if (str_eq(head->method, with_body[i]))
			return put_length(to, 0);
	return to;
}

static char *put_response_framing(char *to, const Head *head)
{
	bool connected = head->status < 300 && str_eq(head->method, S("CONNECT"));

	if (head->status < 200 || head->status == 204 || connected || head->body == HTTP_BODY_CLOSE)
		return to;
	if (head->status == 304)
		return head->content_length > 0 ? put_length(to, head->content_length) : to;
	if (head->body == HTTP_BODY_CHUNKED)
		return put(to, S("Transfer-Encoding: chunked\r\n"));
	if (head->content_length < 0 && str_eq(head->method, S("HEAD")))
		return to;
	return put_length(to, head->content_length);
}

void h1_put_request(Buf *out, const Head *head, bool close)
{
	size_t size = head->method.len + head->target.len + head->authority.len + head->upgrade.len;
	char *room = buf_room(out, size + size_of(&head->headers) + FRAMING_MAX);
	char *to = room;

	if (!room)
		return;
	to = put(to, head->method);
	*to++ = ' ';
	to = put(to, head->target);
	to = put(to, S(" HTTP/1.1\r\nHost: "));
	to = put(to, head->authority);
	to = put(to, S("\r\n"));
	to = put_headers(to, &head->headers, true);
	to = put_request_framing(to, head);
	to = put_connection(to, head, close);
	to = put(to, S("\r\n"));
	buf_wrote(out, (size_t)(to - room));
}

void h1_put_response(Buf *out, const Head *head, bool close)
{
	bool clean = head->reason.len &&
	             scan_line(head->reason.at, head->reason.len) == head->reason.len;
	Str reason = clean ? head->reason : http_reason(head->status);
	size_t size = reason.len + head->upgrade.len + size_of(&head->headers) + FRAMING_MAX;
	char *room = buf_room(out, size);
	char *to = room;

	if (!room)
		return;
	to = put(to, S("HTTP/1.1 "));
	to = put_number(to, head->status);
	*to++ = ' ';
	to = put(to, reason);
	to = put(to, S("\r\n"));
	to = put_headers(to, &head->headers, false);
	to = put_response_framing(to, head);
	to = put_connection(to, head, close || head->body == HTTP_BODY_CLOSE);
	to = put(to, S("\r\n"));
	buf_wrote(out, (size_t)(to - room));
}

void h1_put_chunk_start(Buf *out, size_t len)
{
	buf_put_hex(out, len);
	buf_put(out, S("\r\n"));
}

void h1_put_last_chunk(Buf *out, const Headers *trailers)
{
	char *room = buf_room(out, (trailers ? size_of(trailers) : 0) + LINE_EXTRA + 3);
	char *to = room;

	if (!room)
		return;
	to = put(to, S("0\r\n"));
	for (uint32_t i = 0; trailers && i < trailers->count; i++)
		to = put_line(to, trailers->at[i].name, trailers->at[i].value);
	to = put(to, S("\r\n"));
	buf_wrote(out, (size_t)(to - room));
}

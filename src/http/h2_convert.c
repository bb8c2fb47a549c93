/* SPDX-License-Identifier: Apache-2.0
 *
 * Header blocks in and out. What comes in is checked field by field, so that nothing malformed is stored, and once more
 * as a whole when the block ends: HTTP/1 behind us has no way to say what HTTP/2's framing said, and every gap between
 * the two is a smuggled request. nghttp2 checks much of this too; nothing here relies on it.
 *
 * Two kinds of refusal: malformed (RFC 9113 8.1.1) is a stream error; a limit of ours is answered like HTTP/1's. */
#include "http/h2_convert.h"

#include "base/arena.h"
#include "http/h1_int.h"
#include "http/scan.h"
#include "http/url.h"

#include <string.h>

enum {
	FIELD_OVERHEAD = 32, /* RFC 9113 6.5.2 */
	METHOD_MAX = 32,     /* as in HTTP/1 */
	PSEUDO_OUT = 4,
	FIELDS_SPARE = 2, /* for content-length */
};

Err *h2_fault(H2Fault fault)
{
	static Err faults[] = {
#define X(fault_, slug_, text_) [H2_##fault_] = ERR_STATIC(INVALID, slug_, text_),
		H2_FAULTS(X)
#undef X
	};

	return fault == H2_FINE ? NULL : &faults[fault];
}

static void refuse(H2Block *b, Err *err)
{
	if (!b->err)
		b->err = err;
}

static void malformed(H2Block *b, H2Fault fault)
{
	if (b->err && b->malformed)
		return;
	b->err = h2_fault(fault); /* stands before a limit: such a message gets no answer */
	b->malformed = true;
}

/* --- in: one field -------------------------------------------------------------------------------------------------- */

static bool has_upper(Str name)
{
	for (size_t i = 0; i < name.len; i++)
		if (name.at[i] >= 'A' && name.at[i] <= 'Z')
			return true;
	return false;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_value(Str value)
{
	if (!value.len)
		return true;
	if (is_blank(value.at[0]) || is_blank(value.at[value.len - 1]))
		return false;
	return scan_line(value.at, value.len) == value.len;
}

/* RFC 9113 8.2.2; those that have no id. */
static bool is_connection_header(Str name, HeaderId id)
{
	switch ((int)id) {
	case HTTP_CONNECTION:
	case HTTP_KEEP_ALIVE:
	case HTTP_PROXY_CONNECTION:
	case HTTP_TRANSFER_ENCODING:
	case HTTP_UPGRADE:
		return true;
	default:
		return id == HTTP_OTHER && str_eq_nocase(name, S("http2-settings"));
	}
}

static void take_length(H2Block *b, Str value)
{
	uint64_t length;

	if (!str_to_u64(value, &length) || length > INT64_MAX ||
	    (b->lengths && b->head.content_length != (int64_t)length)) {
		malformed(b, H2_LENGTH);
		return;
	}
	b->head.content_length = (int64_t)length;
	b->lengths++;
}

static void take_expect(H2Block *b, Str value)
{
	if (b->kind != H2_REQUEST)
		return;
	if (str_eq_nocase(value, S("100-continue")))
		b->head.expect_continue = true;
	else
		refuse(b, h1_fault(H1_EXPECT));
}

/* What a header says beyond itself. */
static void note(H2Block *b, HeaderId id, Str value)
{
	switch ((int)id) {
	case HTTP_TE:
		if (b->kind == H2_REQUEST && !str_eq_nocase(value, S("trailers")))
			malformed(b, H2_TE);
		break;
	case HTTP_HOST:
		if (b->hosts++)
			malformed(b, H2_HOST);
		break;
	case HTTP_CONTENT_LENGTH:
		take_length(b, value);
		break;
	case HTTP_COOKIE:
		b->cookies++;
		break;
	case HTTP_EXPECT:
		take_expect(b, value);
		break;
	default:
		break;
	}
}

static void take_header(H2Block *b, Str name, Str value)
{
	HeaderId id = header_id(name);

	b->regular = true;
	if (!http_is_token(name) || has_upper(name)) {
		malformed(b, H2_NAME);
		return;
	}
	if (!is_value(value) || is_connection_header(name, id)) {
		malformed(b, is_value(value) ? H2_CONNECTION : H2_VALUE);
		return;
	}
	if (b->kind == H2_TRAILERS && h1_not_in_trailer(name))
		return;
	if (++b->count > b->limits->headers)
		refuse(b, h1_fault(H1_HEADERS_MANY));
	if (b->err)
		return;
	value = str_dup(b->arena, value);
	if (id == HTTP_OTHER) {
		b->underscore = b->underscore || str_find_char(name, '_') >= 0;
		headers_add(&b->head.headers, b->arena, str_dup(b->arena, name), value);
	} else {
		headers_add_id(&b->head.headers, b->arena, id, value);
	}
	note(b, id, value);
}

enum { AT_METHOD, AT_SCHEME, AT_AUTHORITY, AT_PATH, AT_STATUS = AT_METHOD };

static int pseudo_of(H2BlockKind kind, Str name)
{
	static const Str request[] = {
		{ ":method", 7 }, { ":scheme", 7 }, { ":authority", 10 }, { ":path", 5 }
	};

	if (kind == H2_RESPONSE)
		return str_eq(name, S(":status")) ? AT_STATUS : -1;
	for (size_t i = 0; i < COUNT(request); i++)
		if (str_eq(name, request[i]))
			return (int)i;
	return -1;
}

static void take_status(H2Block *b, Str value)
{
	uint64_t status = 0;

	if (value.len != 3 || !str_to_u64(value, &status) || status < 100 || status == 101)
		malformed(b, H2_STATUS);
	b->head.status = (uint16_t)status;
}

static void take_pseudo(H2Block *b, Str name, Str value)
{
	Str *into[] = { &b->head.method, &b->head.scheme, &b->head.authority, &b->head.target };
	int which = pseudo_of(b->kind, name);

	if (b->kind == H2_TRAILERS)
		malformed(b, H2_PSEUDO_TRAILER);
	else if (which < 0)
		malformed(b, H2_PSEUDO);
	else if (b->have[which])
		malformed(b, H2_PSEUDO_TWICE);
	else if (b->regular)
		malformed(b, H2_PSEUDO_LATE);
	else if (!is_value(value))
		malformed(b, H2_VALUE);
	if (b->err)
		return;
	b->have[which] = true;
	if (b->kind == H2_RESPONSE)
		take_status(b, value);
	else
		*into[which] = str_dup(b->arena, value);
}

void h2_block_begin(H2Block *b, H2BlockKind kind, Arena *a, const H1Limits *limits, Str method)
{
	*b = (H2Block){
		.kind = kind,
		.arena = a,
		.limits = limits,
		.method = method,
		.head = { .version = HTTP_2, .content_length = -1, .keep_alive = true },
	};
}

void h2_block_field(H2Block *b, Str name, Str value)
{
	b->bytes += name.len + value.len + FIELD_OVERHEAD;
	if (b->bytes > b->limits->head_bytes)
		refuse(b, h1_fault(H1_HEAD_LARGE));
	if (name.len && name.at[0] == ':')
		take_pseudo(b, name, value);
	else
		take_header(b, name, value);
}

/* --- in: the whole -------------------------------------------------------------------------------------------------- */

static H2Fault check_connect(const H2Block *b)
{
	uint16_t port;

	if (b->have[AT_SCHEME] || b->have[AT_PATH])
		return H2_CONNECT;
	if (!b->have[AT_AUTHORITY] || !url_is_authority(b->head.authority, &port) || !port)
		return H2_AUTHORITY;
	return H2_FINE;
}

static H2Fault check_target(const H2Block *b)
{
	const Head *head = &b->head;

	if (!b->have[AT_SCHEME] || !b->have[AT_PATH])
		return H2_MISSING;
	if (!str_eq(head->scheme, S("http")) && !str_eq(head->scheme, S("https")))
		return H2_SCHEME;
	if (!head->target.len || scan_target(head->target.at, head->target.len) != head->target.len)
		return H2_PATH;
	if (head->target.at[0] == '/' ||
	    (str_eq(head->target, S("*")) && str_eq(head->method, S("OPTIONS"))))
		return H2_FINE;
	return H2_PATH;
}

/* Host may stand in for :authority, and must not differ from it (RFC 9113 8.3.1). */
static H2Fault check_host(H2Block *b)
{
	const Header *host = headers_find(&b->head.headers, HTTP_HOST);
	uint16_t port;

	if (host && b->have[AT_AUTHORITY] && !str_eq_nocase(host->value, b->head.authority))
		return H2_HOST;
	if (host && !b->have[AT_AUTHORITY])
		b->head.authority = host->value;
	return url_is_authority(b->head.authority, &port) ? H2_FINE : H2_AUTHORITY;
}

static H2Fault check_request(H2Block *b)
{
	H2Fault fault;

	if (!b->have[AT_METHOD])
		return H2_MISSING;
	if (!http_is_token(b->head.method))
		return H2_METHOD;
	fault = str_eq(b->head.method, S("CONNECT")) ? check_connect(b) : check_target(b);
	if (fault)
		return fault;
	fault = check_host(b);
	if (!fault && str_eq(b->head.method, S("CONNECT")))
		b->head.target = b->head.authority;
	return fault;
}

static size_t put_bytes(char *to, Str bytes)
{
	if (bytes.len)
		memcpy(to, bytes.at, bytes.len);
	return bytes.len;
}

/* "cookie" may come in crumbs (RFC 9113 8.2.3); behind us it must be one. Empty ones say nothing. */
static void join_cookies(H2Block *b)
{
	Headers *headers = &b->head.headers;
	Header *joined = NULL;
	size_t len = 0;
	uint32_t kept = 0;
	char *to;

	for (uint32_t i = 0; i < headers->count; i++)
		len += headers->at[i].id == HTTP_COOKIE ? headers->at[i].value.len + 2 : 0;
	to = arena_alloc_raw(b->arena, len);
	for (uint32_t i = 0; i < headers->count; i++) {
		Header header = headers->at[i];

		if (header.id != HTTP_COOKIE || !joined)
			headers->at[kept++] = header;
		if (header.id != HTTP_COOKIE)
			continue;
		if (!joined) {
			joined = &headers->at[kept - 1];
			joined->value = (Str){ to, 0 };
		}
		if (joined->value.len && header.value.len)
			joined->value.len += put_bytes(to + joined->value.len, S("; "));
		joined->value.len += put_bytes(to + joined->value.len, header.value);
	}
	headers->count = kept;
}

static bool has_no_body(const H2Block *b)
{
	unsigned status = b->head.status;

	return b->kind == H2_RESPONSE &&
	       (status < 200 || status == 204 || status == 304 || str_eq(b->method, S("HEAD")));
}

static H2Fault set_body(H2Block *b, bool end)
{
	Head *head = &b->head;

	if (b->kind == H2_RESPONSE && head->status < 200)
		return end ? H2_INFORM_END : H2_FINE;
	if (has_no_body(b))
		return H2_FINE; /* DATA after it is refused as it comes */
	if (end) {
		head->expect_continue = false; /* there is nothing to wait with */
		return head->content_length > 0 ? H2_LENGTH : H2_FINE;
	}
	head->body = head->content_length < 0 ? HTTP_BODY_CHUNKED : HTTP_BODY_LENGTH;
	return H2_FINE;
}

static H2Fault check_block(H2Block *b, bool end)
{
	H2Fault fault = H2_FINE;

	if (b->kind == H2_TRAILERS)
		return end ? H2_FINE : H2_TRAILER_OPEN;
	if (b->kind == H2_REQUEST)
		fault = check_request(b);
	else if (!b->have[AT_STATUS])
		fault = H2_MISSING;
	return fault ? fault : set_body(b, end);
}

static H1Fault check_limits(const H2Block *b)
{
	if (b->kind != H2_REQUEST)
		return H1_FINE;
	if (b->head.method.len > METHOD_MAX)
		return H1_METHOD_LONG;
	if (h1_has_small(b->head.method))
		return H1_METHOD_SMALL;
	if (b->head.target.len > b->limits->line_bytes)
		return H1_LINE_LONG;
	if (b->underscore && (!b->limits->underscores || h1_has_twins(&b->head.headers)))
		return H1_UNDERSCORE;
	return H1_FINE;
}

Err *h2_block_end(H2Block *b, bool end)
{
	H2Fault fault = b->err ? H2_FINE : check_block(b, end);

	if (fault)
		malformed(b, fault);
	if (!b->err)
		b->err = h1_fault(check_limits(b));
	if (!b->err && b->cookies > 1)
		join_cookies(b);
	return b->err;
}

/* --- out ------------------------------------------------------------------------------------------------------------ */

static void put(H2Fields *fields, Str name, Str value)
{
	fields->at[fields->count++] = (nghttp2_nv){
		.name = (uint8_t *)(uintptr_t)name.at,
		.value = (uint8_t *)(uintptr_t)value.at,
		.namelen = name.len,
		.valuelen = value.len,
	};
}

static H2Fields fields_new(Arena *a, const Headers *headers)
{
	size_t most = PSEUDO_OUT + FIELDS_SPARE + (headers ? headers->count : 0);

	return (H2Fields){ .at = arena_alloc_raw(a, most * sizeof(nghttp2_nv)) };
}

static bool is_ours(const Header *header)
{
	switch ((int)header->id) {
	case HTTP_CONTENT_LENGTH:
	case HTTP_HOST:
	case HTTP_TE:
		return true;
	default:
		return is_connection_header(header->name, header->id);
	}
}

static void put_headers(Arena *a, H2Fields *fields, const Headers *headers)
{
	for (uint32_t i = 0; i < headers->count; i++) {
		const Header *header = &headers->at[i];
		Str name = header->name;

		if (is_ours(header))
			continue;
		if (header->id != HTTP_OTHER)
			name = header_id_name(header->id);
		else if (has_upper(name))
			name = str_lower(a, name);
		put(fields, name, header->value);
	}
}

static void put_length(Arena *a, H2Fields *fields, int64_t length)
{
	put(fields, S("content-length"), str_fmt(a, "%" PRId64, length));
}

H2Fields h2_request_fields(Arena *a, const Head *head, bool secure)
{
	H2Fields fields = fields_new(a, &head->headers);
	bool connect = str_eq(head->method, S("CONNECT"));

	put(&fields, S(":method"), head->method);
	if (!connect)
		put(&fields, S(":scheme"),
		    head->scheme.len ? head->scheme
		    : secure         ? S("https")
		                     : S("http"));
	if (head->authority.len)
		put(&fields, S(":authority"), head->authority);
	if (!connect)
		put(&fields, S(":path"), head->target);
	put_headers(a, &fields, &head->headers);
	if (headers_has_token(&head->headers, HTTP_TE, S("trailers")))
		put(&fields, S("te"), S("trailers"));
	if (head->body == HTTP_BODY_LENGTH)
		put_length(a, &fields, head->content_length);
	return fields;
}

H2Fields h2_response_fields(Arena *a, const Head *head, Str method)
{
	H2Fields fields = fields_new(a, &head->headers);
	bool without = head->status < 200 || head->status == 204;
	bool said =
		head->status == 304 || str_eq(method, S("HEAD")); /* a length of what is not sent */
	bool told = said ? head->content_length > 0
	                 : head->body == HTTP_BODY_NONE && head->content_length == 0;

	put(&fields, S(":status"), str_fmt(a, "%03u", head->status));
	put_headers(a, &fields, &head->headers);
	if (!without && (head->body == HTTP_BODY_LENGTH || told))
		put_length(a, &fields, head->content_length);
	return fields;
}

H2Fields h2_trailer_fields(Arena *a, const Headers *trailers)
{
	H2Fields fields = fields_new(a, trailers);

	if (trailers)
		put_headers(a, &fields, trailers);
	return fields;
}

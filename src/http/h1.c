/* SPDX-License-Identifier: Apache-2.0
 *
 * The parser of HTTP/1 heads, for requests and responses.
 *
 * It works line by line: a line's end is looked for from where the last look ended, so bytes that trickle in cost no more
 * than bytes that come at once, and a line is judged when it is complete. What a first line begins with is judged
 * earlier, so that TLS or noise on a plain port is refused with its first bytes. What only the whole head can tell (Host,
 * framing, persistence) is judged at the blank line.
 *
 * Every judgement depends on a prefix of the head only: however the bytes are cut, the same bytes give the same head or
 * the same error. For that, a limit hides what lies beyond it from the scan (the fuzz target's invariant).
 *
 * Strictness follows RFC 9112 with no concession that two parsers could read in two ways; where the RFC lets a recipient
 * choose between repair and refusal, a request is refused. */
#include "http/h1.h"

#include "base/arena.h"
#include "http/h1_int.h"
#include "http/scan.h"
#include "http/url.h"

#include <stdlib.h>
#include <string.h>

enum {
	METHOD_MAX = 32,
	EMPTY_LINES_BYTES = 4, /* two, before a request */
	VERSION_BYTES = 8,
	HASHES = 128,      /* names that are compared by hash first */
	HEADERS_SPARE = 8, /* room in the array for what is added to a head on its way */
};

void h1_init(H1Parser *p, bool response)
{
	p->scanned = 0;
	p->line_start = 0;
	p->count = 0;
	p->cap = H1_INLINE_LINES;
	p->response = response;
	p->have_start = false;
	p->lines = p->inlined;
}

void h1_fini(H1Parser *p)
{
	if (p->lines != p->inlined)
		free(p->lines);
	p->lines = p->inlined;
	p->cap = H1_INLINE_LINES;
}

static H1Span span_of(Str bytes, Str part)
{
	return (H1Span){ (uint32_t)(part.at - bytes.at), (uint32_t)part.len };
}

static Str str_at(Str bytes, H1Span span)
{
	return (Str){ bytes.at + span.at, span.len };
}

/* The next line, without its end, when it is complete; else line->at is NULL. */
static H1Fault next_line(H1Parser *p, Str bytes, Str *line)
{
	size_t end = p->scanned + scan_line(bytes.at + p->scanned, bytes.len - p->scanned);

	*line = (Str){ 0 };
	p->scanned = (uint32_t)end;
	if (end == bytes.len)
		return H1_FINE;
	if (bytes.at[end] != '\r')
		return bytes.at[end] == '\n' ? H1_BARE_LF : H1_CONTROL;
	if (end + 1 == bytes.len)
		return H1_FINE;
	if (bytes.at[end + 1] != '\n')
		return H1_BARE_CR;
	*line = (Str){ bytes.at + p->line_start, end - p->line_start };
	p->scanned = p->line_start = (uint32_t)end + 2;
	return H1_FINE;
}

/* "HTTP/1.x": higher minor versions are spoken to as 1.1 (RFC 9110 2.5). */
static H1Fault read_version(H1Parser *p, Str text)
{
	if (text.len != VERSION_BYTES || memcmp(text.at, "HTTP/", 5) != 0 || text.at[6] != '.')
		return H1_START_LINE;
	if (text.at[5] < '0' || text.at[5] > '9' || text.at[7] < '0' || text.at[7] > '9')
		return H1_START_LINE;
	p->version = text.at[7] == '0' ? HTTP_10 : HTTP_11;
	return text.at[5] == '1' ? H1_FINE : H1_VERSION;
}

/* Absolute-form's scheme, as the form below is (RFC 9112 3.2.2); the empty view for others. */
static Str scheme_of(Str target)
{
	static const Str schemes[] = { { "http", 4 }, { "https", 5 } };

	for (size_t i = 0; i < COUNT(schemes); i++) {
		size_t len = schemes[i].len;

		if (str_eq_nocase(str_sub(target, 0, len), schemes[i]) &&
		    str_starts(str_sub(target, len, target.len), S("://")))
			return schemes[i];
	}
	return (Str){ 0 };
}

/* What stands between scheme and path. */
static Str authority_of(Str target, Str scheme)
{
	Str rest = str_sub(target, scheme.len + 3, target.len);
	size_t end = 0;

	while (end < rest.len && rest.at[end] != '/' && rest.at[end] != '?')
		end++;
	return str_sub(rest, 0, end);
}

static bool is_target(Str method, Str target)
{
	uint16_t port = 0;
	Str scheme;

	if (str_eq(method, S("CONNECT")))
		return url_is_authority(target, &port) && port != 0;
	if (target.at[0] == '/')
		return true;
	if (str_eq(target, S("*")))
		return str_eq(method, S("OPTIONS"));
	scheme = scheme_of(target);
	return scheme.len && url_is_authority(authority_of(target, scheme), &port);
}

static H1Fault read_request_line(H1Parser *p, Str bytes, Str line)
{
	Str rest = str_sub(line, p->first.len + 1, line.len);
	size_t len = scan_target(rest.at, rest.len);
	Str target = str_sub(rest, 0, len);
	H1Fault fault;

	if (len == 0 || len == rest.len)
		return H1_START_LINE;
	if (rest.at[len] != ' ')
		return H1_TARGET;
	fault = read_version(p, str_sub(rest, len + 1, rest.len));
	if (fault)
		return fault;
	p->second = span_of(bytes, target);
	return is_target(str_at(bytes, p->first), target) ? H1_FINE : H1_TARGET;
}

/* The reason may be empty, and its blank missing: many servers leave it out. */
static H1Fault read_status_line(H1Parser *p, Str bytes, Str line)
{
	Str digits = str_sub(line, VERSION_BYTES + 1, VERSION_BYTES + 4);
	Str reason = str_sub(line, VERSION_BYTES + 5, line.len);
	uint64_t status;
	H1Fault fault = read_version(p, str_sub(line, 0, VERSION_BYTES));

	if (fault)
		return fault;
	if (digits.len != 3 || line.at[VERSION_BYTES] != ' ' || !str_to_u64(digits, &status) ||
	    status < 100)
		return H1_STATUS_LINE;
	if (line.len > VERSION_BYTES + 4 && line.at[VERSION_BYTES + 4] != ' ')
		return H1_STATUS_LINE;
	p->status = (uint16_t)status;
	p->second = span_of(bytes, reason);
	return H1_FINE;
}

static void skip_empty_lines(H1Parser *p, Str bytes)
{
	while (p->line_start < EMPTY_LINES_BYTES &&
	       str_starts(str_sub(bytes, p->line_start, bytes.len), S("\r\n")))
		p->scanned = p->line_start += 2;
}

/* What can be said before the first line is complete. */
static H1Fault look_at_request(H1Parser *p, Str bytes)
{
	Str rest = str_sub(bytes, p->line_start, bytes.len);
	size_t len;

	if (rest.len == 0 || (rest.len == 1 && rest.at[0] == '\r'))
		return H1_FINE;
	if (rest.at[0] == '\n')
		return H1_BARE_LF;
	if (rest.at[0] == '\r')
		return rest.at[1] == '\n' ? H1_START_LINE : H1_BARE_CR;
	len = scan_token(rest.at, MIN(rest.len, (size_t)METHOD_MAX + 1));
	if (len > METHOD_MAX)
		return H1_METHOD_LONG;
	if (len == 0 || (len < rest.len && rest.at[len] != ' '))
		return H1_METHOD;
	if (len < rest.len && h1_has_small(str_sub(rest, 0, len)))
		return H1_METHOD_SMALL;
	p->first = (H1Span){ p->line_start, (uint32_t)len };
	return H1_FINE;
}

static H1Fault look_at_response(Str bytes)
{
	size_t len = MIN(bytes.len, (size_t)5);

	return len == 0 || memcmp(bytes.at, "HTTP/", len) == 0 ? H1_FINE : H1_STATUS_LINE;
}

static H1Fault read_start(H1Parser *p, const H1Limits *limits, Str bytes)
{
	H1Fault fault;
	size_t end;
	Str line;

	if (!p->response)
		skip_empty_lines(p, bytes);
	end = (size_t)p->line_start + limits->line_bytes + 2;
	bytes = str_sub(bytes, 0, end);
	fault = p->response ? look_at_response(bytes) : look_at_request(p, bytes);
	if (!fault)
		fault = next_line(p, bytes, &line);
	if (fault)
		return fault;
	if (!line.at)
		return bytes.len == end ? H1_LINE_LONG : H1_FINE;
	p->have_start = true;
	return p->response ? read_status_line(p, bytes, line) : read_request_line(p, bytes, line);
}

static void keep_line(H1Parser *p, H1Line line)
{
	if (UNLIKELY(p->count == p->cap)) {
		size_t bytes = p->cap * sizeof line;
		H1Line *old = p->lines == p->inlined ? NULL : p->lines;
		H1Line *lines = realloc(old, bytes * 2);

		if (!lines)
			abort();
		if (!old)
			memcpy(lines, p->inlined, bytes);
		p->lines = lines;
		p->cap *= 2;
	}
	p->lines[p->count++] = line;
}

static H1Fault read_header(H1Parser *p, const H1Limits *limits, Str bytes, Str line)
{
	H1Field field;
	H1Fault fault;

	if (line.at[0] == ' ' || line.at[0] == '\t')
		return p->count ? H1_OBS_FOLD : H1_SPACE_FIRST;
	if (p->count == limits->headers)
		return H1_HEADERS_MANY;
	fault = h1_line(line, p->response, &field);
	if (fault)
		return fault;
	if (field.underscore && !p->response && !limits->underscores)
		return H1_UNDERSCORE;
	keep_line(p, (H1Line){ span_of(bytes, field.name), span_of(bytes, field.value) });
	return H1_FINE;
}

/* Reads lines; *whole: the blank one came. */
static H1Fault read_lines(H1Parser *p, const H1Limits *limits, Str bytes, bool *whole)
{
	Str seen = str_sub(bytes, 0, limits->head_bytes);
	H1Fault fault = p->have_start ? H1_FINE : read_start(p, limits, seen);
	Str line;

	*whole = false;
	while (!fault && p->have_start) {
		fault = next_line(p, seen, &line);
		if (fault || !line.at)
			break;
		*whole = line.len == 0;
		if (*whole)
			return H1_FINE;
		fault = read_header(p, limits, seen, line);
	}
	return !fault && seen.len == limits->head_bytes ? H1_HEAD_LARGE : fault;
}

/* What the headers say about framing and the connection. */
typedef struct Facts {
	unsigned hosts, codings, lengths;
	bool bad_length;
	bool bad_expect;
	bool expect;
	bool close, keep_alive, upgrade; /* Connection's options */
	bool upgrades;                   /* there is an Upgrade */
	int64_t length;
	Str host;
	Str coding;
} Facts;

/* "5, 5" is one length of 5 (RFC 9110 8.6); so are two lines. */
static void note_length(Facts *facts, Str value)
{
	uint64_t number;
	Str item;

	while (str_split(&value, ',', &item)) {
		if (!str_to_u64(str_trim(item), &number) || number > INT64_MAX ||
		    (facts->lengths && facts->length != (int64_t)number)) {
			facts->bad_length = true;
			number = 0;
		}
		facts->length = (int64_t)number;
		facts->lengths++;
	}
}

static void note_options(Facts *facts, Str value)
{
	Str item;

	while (str_split(&value, ',', &item)) {
		item = str_trim(item);
		facts->close |= str_eq_nocase(item, S("close"));
		facts->keep_alive |= str_eq_nocase(item, S("keep-alive"));
		facts->upgrade |= str_eq_nocase(item, S("upgrade"));
	}
}

static void note(Facts *facts, const Header *header)
{
	switch ((int)header->id) {
	case HTTP_HOST:
		facts->hosts++;
		facts->host = header->value;
		break;
	case HTTP_CONTENT_LENGTH:
		note_length(facts, header->value);
		break;
	case HTTP_TRANSFER_ENCODING:
		facts->codings++;
		facts->coding = header->value;
		break;
	case HTTP_CONNECTION:
		note_options(facts, header->value);
		break;
	case HTTP_EXPECT:
		facts->expect = str_eq_nocase(header->value, S("100-continue"));
		facts->bad_expect |= !facts->expect;
		break;
	case HTTP_UPGRADE:
		facts->upgrades = true;
		break;
	default:
		break;
	}
}

static void fill_headers(const H1Parser *p, Arena *a, Str bytes, Headers *headers, Facts *facts)
{
	headers->cap = p->count + HEADERS_SPARE;
	headers->count = p->count;
	headers->at = arena_alloc_raw(a, headers->cap * sizeof *headers->at);
	for (uint32_t i = 0; i < p->count; i++) {
		Header *header = &headers->at[i];

		header->name = str_at(bytes, p->lines[i].name);
		header->value = str_at(bytes, p->lines[i].value);
		header->id = header_id(header->name);
		if (header->id != HTTP_OTHER)
			note(facts, header);
	}
}

static unsigned char fold(char c)
{
	return (unsigned char)(c == '_' ? '-' : c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

static uint32_t fold_hash(Str name)
{
	uint32_t hash = 2166136261;

	for (size_t i = 0; i < name.len; i++)
		hash = (hash ^ fold(name.at[i])) * 16777619;
	return hash;
}

typedef enum Kin { STRANGERS, SAME, TWINS } Kin;

/* TWINS differ in '_' against '-' only: a server behind us may take them for one. SAME differ in case at most. */
static Kin kin_of(Str x, Str y)
{
	bool twins = false;

	if (x.len != y.len)
		return STRANGERS;
	for (size_t i = 0; i < x.len; i++) {
		if (fold(x.at[i]) != fold(y.at[i]))
			return STRANGERS;
		twins |= (x.at[i] == '_') != (y.at[i] == '_');
	}
	return twins ? TWINS : SAME;
}

/* Every name is held against the first of its kin only, so that many of one name cost no more than many. */
bool h1_has_twins(const Headers *headers)
{
	uint32_t hashes[HASHES];

	for (uint32_t j = 0; j < headers->count; j++) {
		Str name = headers->at[j].name;
		uint32_t hash = fold_hash(name);
		Kin kin = STRANGERS;

		for (uint32_t i = 0; i < j && kin == STRANGERS; i++)
			if (i >= HASHES || hashes[i] == hash)
				kin = kin_of(headers->at[i].name, name);
		if (kin == TWINS)
			return true;
		if (j < HASHES)
			hashes[j] = hash;
	}
	return false;
}

/* Puts a list's protocols to the ones before, without h2c: HTTP/2 on a plain port needs no upgrade here, and a server
 * behind us that takes one would be out of our sight. */
static size_t put_protocols(char *to, size_t len, Str list)
{
	Str item;

	while (str_split(&list, ',', &item)) {
		item = str_trim(item);
		if (item.len == 0 || str_eq_nocase(item, S("h2c")))
			continue;
		if (len) {
			to[len++] = ',';
			to[len++] = ' ';
		}
		memcpy(to + len, item.at, item.len);
		len += item.len;
	}
	return len;
}

/* The protocols of all Upgrade lines. */
static Str upgrade_of(Arena *a, const Headers *headers)
{
	size_t room = 0;
	size_t len = 0;
	char *to;

	for (uint32_t i = 0; i < headers->count; i++)
		if (headers->at[i].id == HTTP_UPGRADE)
			room += headers->at[i].value.len * 2 + 2;
	to = arena_alloc_raw(a, room);
	for (uint32_t i = 0; i < headers->count; i++)
		if (headers->at[i].id == HTTP_UPGRADE)
			len = put_protocols(to, len, headers->at[i].value);
	return (Str){ to, len };
}

static H1Fault check_coding(const Facts *facts, HttpVersion version)
{
	if (facts->codings && facts->lengths)
		return H1_LENGTH_CODING;
	if (facts->bad_length)
		return H1_LENGTH;
	if (!facts->codings)
		return H1_FINE;
	if (version == HTTP_10)
		return H1_CODING_10;
	return facts->codings > 1 || !str_eq_nocase(facts->coding, S("chunked")) ? H1_CODING
	                                                                         : H1_FINE;
}

static bool stays_open(const Facts *facts, HttpVersion version)
{
	return !facts->close && (version == HTTP_11 || facts->keep_alive);
}

/* The target's authority stands in for Host (RFC 9112 3.2.2). Its form was checked with its line. */
static void split_target(Arena *a, Head *head)
{
	Str scheme;

	if (str_eq(head->method, S("CONNECT"))) {
		head->authority = head->target;
		return;
	}
	if (head->target.at[0] == '/' || head->target.at[0] == '*')
		return;
	scheme = scheme_of(head->target);
	head->scheme = scheme;
	head->authority = authority_of(head->target, scheme);
	head->target =
		str_sub(head->target, scheme.len + 3 + head->authority.len, head->target.len);
	if (head->target.len == 0)
		head->target = str_eq(head->method, S("OPTIONS")) ? S("*") : S("/");
	else if (head->target.at[0] == '?')
		head->target = str_fmt(a, "/%.*s", STR_ARG(head->target));
}

static H1Fault check_host(const Facts *facts, HttpVersion version)
{
	uint16_t port;

	if (facts->hosts > 1)
		return H1_HOST_TWICE;
	if (facts->hosts == 0)
		return version == HTTP_10 ? H1_FINE : H1_HOST_MISSING;
	return url_is_authority(facts->host, &port) ? H1_FINE : H1_HOST;
}

static H1Fault finish_request(const H1Parser *p, Arena *a, const H1Limits *limits, Str bytes,
                              Head *head)
{
	Facts facts = { 0 };
	H1Fault fault;

	*head = (Head){ .version = p->version, .content_length = -1 };
	fill_headers(p, a, bytes, &head->headers, &facts);
	fault = check_host(&facts, p->version);
	if (!fault)
		fault = check_coding(&facts, p->version);
	if (!fault && facts.bad_expect)
		fault = H1_EXPECT;
	if (!fault && limits->underscores && h1_has_twins(&head->headers))
		fault = H1_UNDERSCORE;
	if (fault)
		return fault;
	head->method = str_at(bytes, p->first);
	head->target = str_at(bytes, p->second);
	head->authority = facts.host;
	split_target(a, head);
	if (facts.lengths)
		head->content_length = facts.length;
	if (facts.codings || head->content_length > 0)
		head->body = facts.codings ? HTTP_BODY_CHUNKED : HTTP_BODY_LENGTH;
	head->keep_alive = stays_open(&facts, p->version);
	head->expect_continue =
		facts.expect && p->version == HTTP_11 && head->body != HTTP_BODY_NONE;
	if (facts.upgrades && facts.upgrade && p->version == HTTP_11)
		head->upgrade = upgrade_of(a, &head->headers);
	return H1_FINE;
}

/* RFC 9112 6.3, rules 1, 2 and 4 to 8. */
static HttpBody body_of_response(const Facts *facts, Str method, unsigned status)
{
	if (status < 200 || status == 204 || status == 304 || str_eq(method, S("HEAD")))
		return HTTP_BODY_NONE;
	if (status < 300 && str_eq(method, S("CONNECT")))
		return HTTP_BODY_NONE;
	if (facts->codings)
		return HTTP_BODY_CHUNKED;
	if (!facts->lengths)
		return HTTP_BODY_CLOSE;
	return facts->length ? HTTP_BODY_LENGTH : HTTP_BODY_NONE;
}

static H1Fault finish_response(const H1Parser *p, Arena *a, Str method, Str bytes, Head *head)
{
	bool connect = str_eq(method, S("CONNECT"));
	Facts facts = { 0 };
	H1Fault fault;

	*head = (Head){ .version = p->version, .status = p->status, .content_length = -1 };
	fill_headers(p, a, bytes, &head->headers, &facts);
	fault = check_coding(&facts, p->version);
	if (fault)
		return fault;
	head->reason = str_at(bytes, p->second);
	head->method = connect ? S("CONNECT") : str_eq(method, S("HEAD")) ? S("HEAD") : (Str){ 0 };
	head->body = body_of_response(&facts, method, p->status);
	connect = connect && p->status / 100 == 2;
	if (facts.lengths && p->status >= 200 && p->status != 204 && !connect)
		head->content_length = facts.length;
	head->keep_alive = stays_open(&facts, p->version) && head->body != HTTP_BODY_CLOSE &&
	                   p->status != 101 && !connect;
	if (p->status != 101)
		return H1_FINE;
	if (facts.upgrades && facts.upgrade)
		head->upgrade = upgrade_of(a, &head->headers);
	return head->upgrade.len ? H1_FINE : H1_SWITCHING;
}

Err *h1_parse_request(H1Parser *p, Arena *a, const H1Limits *limits, Str bytes, Head *head,
                      size_t *used)
{
	bool whole;
	H1Fault fault = read_lines(p, limits, bytes, &whole);

	*used = 0;
	if (whole)
		fault = finish_request(p, a, limits, bytes, head);
	if (whole && !fault)
		*used = p->scanned;
	return h1_fault(fault);
}

Err *h1_parse_response(H1Parser *p, Arena *a, const H1Limits *limits, Str method, Str bytes,
                       Head *head, size_t *used)
{
	bool whole;
	H1Fault fault = read_lines(p, limits, bytes, &whole);

	*used = 0;
	if (whole)
		fault = finish_response(p, a, method, bytes, head);
	if (whole && !fault)
		*used = p->scanned;
	if (!fault)
		return NULL;
	return err_because(a, h1_fault(fault), ERR_UPSTREAM, "http.response",
	                   "the answer was malformed");
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The body decoder: where a message's body ends, and for chunks (RFC 9112 7.1) what of the bytes is payload.
 *
 * Chunk framing is a table of states and classes of bytes, one byte a step; payload is never looked at. The grammar is
 * taken to the letter, because each leniency here has been a way to smuggle a request: a line ends in CRLF and nothing
 * else, a size is digits and then ';' or the end, extensions are checked and dropped, data is followed by CRLF at once.
 * A size has at most 15 digits, so it cannot overflow; extensions are limited over the whole message, so that a body
 * cannot consist of them.
 *
 * Trailers are kept raw while they arrive, each line checked when it is complete, and become headers only when asked for.
 * Those that could change how the message is understood are dropped (RFC 9110 6.5.1). */
#include "http/h1_int.h"
#include "http/scan.h"

#include <string.h>

enum { DIGITS_MAX = 15, EXTENSION_MAX = 4096, TRAILER_MAX = 8192, TRAILER_LINES_MAX = 100 };

/* The chunk machine. States up to SIZE_LF look at one byte by the table; the others have code. */
typedef enum State {
	REFUSED,
	SIZE, /* before the first digit */
	DIGITS,
	BEFORE_EXT, /* blanks after the size: a ';' must follow */
	EXT,        /* after ';' */
	EXT_NAME,
	AFTER_NAME, /* blanks after a name: '=' or ';' must follow */
	EXT_VALUE,  /* after '=' */
	EXT_TOKEN,
	EXT_QUOTED,
	EXT_ESCAPE, /* after a backslash in quotes */
	AFTER_QUOTE,
	AFTER_VALUE, /* blanks after a value: a ';' must follow */
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	TRAILER,
	STATES,
} State;

typedef enum Class {
	CTL,
	HEX,
	TCHAR,
	BLANK,
	SEMICOLON,
	EQUALS,
	QUOTE,
	BACKSLASH,
	CR,
	LF,
	TEXT,
	CLASSES
} Class;

static const uint8_t class_of[256] = {
	['0' ... '9'] = HEX,   ['a' ... 'f'] = HEX,    ['A' ... 'F'] = HEX, ['g' ... 'z'] = TCHAR,
	['G' ... 'Z'] = TCHAR, ['!'] = TCHAR,          ['#'] = TCHAR,       ['$'] = TCHAR,
	['%'] = TCHAR,         ['&'] = TCHAR,          ['\''] = TCHAR,      ['*'] = TCHAR,
	['+'] = TCHAR,         ['-'] = TCHAR,          ['.'] = TCHAR,       ['^'] = TCHAR,
	['_'] = TCHAR,         ['`'] = TCHAR,          ['|'] = TCHAR,       ['~'] = TCHAR,
	[' '] = BLANK,         ['\t'] = BLANK,         [';'] = SEMICOLON,   ['='] = EQUALS,
	['"'] = QUOTE,         ['\\'] = BACKSLASH,     ['\r'] = CR,         ['\n'] = LF,
	['('] = TEXT,          [')'] = TEXT,           [','] = TEXT,        ['/'] = TEXT,
	[':'] = TEXT,          ['<'] = TEXT,           ['>'] = TEXT,        ['?'] = TEXT,
	['@'] = TEXT,          ['['] = TEXT,           [']'] = TEXT,        ['{'] = TEXT,
	['}'] = TEXT,          [0x80 ... 0xff] = TEXT,
};

/* What is not named is REFUSED. SIZE_LF's way on depends on the size. */
static const uint8_t next[SIZE_LF][CLASSES] = {
	[SIZE] = { [HEX] = DIGITS },
	[DIGITS] = { [HEX] = DIGITS, [BLANK] = BEFORE_EXT, [SEMICOLON] = EXT, [CR] = SIZE_LF },
	[BEFORE_EXT] = { [BLANK] = BEFORE_EXT, [SEMICOLON] = EXT },
	[EXT] = { [BLANK] = EXT, [HEX] = EXT_NAME, [TCHAR] = EXT_NAME },
	[EXT_NAME] = { [HEX] = EXT_NAME,
	               [TCHAR] = EXT_NAME,
	               [BLANK] = AFTER_NAME,
	               [SEMICOLON] = EXT,
	               [EQUALS] = EXT_VALUE,
	               [CR] = SIZE_LF },
	[AFTER_NAME] = { [BLANK] = AFTER_NAME, [SEMICOLON] = EXT, [EQUALS] = EXT_VALUE },
	[EXT_VALUE] = { [BLANK] = EXT_VALUE,
	                [HEX] = EXT_TOKEN,
	                [TCHAR] = EXT_TOKEN,
	                [QUOTE] = EXT_QUOTED },
	[EXT_TOKEN] = { [HEX] = EXT_TOKEN,
	                [TCHAR] = EXT_TOKEN,
	                [BLANK] = AFTER_VALUE,
	                [SEMICOLON] = EXT,
	                [CR] = SIZE_LF },
	[EXT_QUOTED] = { [HEX] = EXT_QUOTED,
	                 [TCHAR] = EXT_QUOTED,
	                 [BLANK] = EXT_QUOTED,
	                 [SEMICOLON] = EXT_QUOTED,
	                 [EQUALS] = EXT_QUOTED,
	                 [TEXT] = EXT_QUOTED,
	                 [BACKSLASH] = EXT_ESCAPE,
	                 [QUOTE] = AFTER_QUOTE },
	[EXT_ESCAPE] = { [HEX] = EXT_QUOTED,
	                 [TCHAR] = EXT_QUOTED,
	                 [BLANK] = EXT_QUOTED,
	                 [SEMICOLON] = EXT_QUOTED,
	                 [EQUALS] = EXT_QUOTED,
	                 [TEXT] = EXT_QUOTED,
	                 [BACKSLASH] = EXT_QUOTED,
	                 [QUOTE] = EXT_QUOTED },
	[AFTER_QUOTE] = { [BLANK] = AFTER_VALUE, [SEMICOLON] = EXT, [CR] = SIZE_LF },
	[AFTER_VALUE] = { [BLANK] = AFTER_VALUE, [SEMICOLON] = EXT },
};

void h1_body_init(H1Body *body, HttpBody kind, int64_t content_length)
{
	*body = (H1Body){ .kind = kind, .state = SIZE, .trailer = { .limit = TRAILER_MAX } };
	if (kind == HTTP_BODY_LENGTH)
		body->left = content_length > 0 ? (uint64_t)content_length : 0;
	body->done = kind == HTTP_BODY_NONE || (kind == HTTP_BODY_LENGTH && body->left == 0);
}

void h1_body_fini(H1Body *body)
{
	buf_fini(&body->trailer);
}

static unsigned hex_value(unsigned char c)
{
	return c <= '9' ? c - (unsigned)'0' : (c | 0x20u) - 'a' + 10;
}

/* One byte of a chunk's size or extensions. */
static H1Fault step_size(H1Body *body, unsigned char c)
{
	State from = body->state;

	body->state = next[from][class_of[c]];
	if (body->state == REFUSED)
		return H1_CHUNK;
	if (body->state == DIGITS) {
		body->left = body->left << 4 | hex_value(c);
		return ++body->digits > DIGITS_MAX ? H1_CHUNK_LARGE : H1_FINE;
	}
	if (body->state == SIZE_LF)
		return H1_FINE;
	return ++body->extension > EXTENSION_MAX ? H1_CHUNK_EXTENSION : H1_FINE;
}

/* One byte of framing, outside the trailers. */
static H1Fault step(H1Body *body, unsigned char c)
{
	if (body->state < SIZE_LF)
		return step_size(body, c);
	if (c != (body->state == DATA_CR ? '\r' : '\n'))
		return H1_CHUNK;
	if (body->state == SIZE_LF) {
		body->state = body->left ? DATA : TRAILER;
		body->digits = 0;
	} else {
		body->state = body->state == DATA_CR ? DATA_LF : SIZE;
	}
	return H1_FINE;
}

/* The last line in the trailer section so far, its CRLF included when it is complete. */
static Str last_line(const Buf *trailer)
{
	Str all = buf_str(trailer);
	Str before = str_sub(all, 0, all.len ? all.len - 1 : 0);
	ptrdiff_t end = str_rfind_char(before, '\n');

	return str_sub(all, (size_t)(end + 1), all.len);
}

static H1Fault end_trailer_line(H1Body *body)
{
	Str line = last_line(&body->trailer);
	H1Field field;

	line = str_sub(line, 0, line.len - 2);
	body->done = line.len == 0;
	return body->done || h1_line(line, false, &field) == H1_FINE ? H1_FINE : H1_TRAILER_LINE;
}

/* Takes from the trailer section up to the end of its line. */
static H1Fault take_trailer(H1Body *body, Str bytes, size_t *used)
{
	Str have = buf_str(&body->trailer);
	bool cr = have.len && have.at[have.len - 1] == '\r';
	size_t run = cr ? 0 : scan_line(bytes.at, bytes.len);

	*used = MIN(run + 1, bytes.len);
	buf_put(&body->trailer, str_sub(bytes, 0, *used));
	if (body->trailer.broken)
		return H1_TRAILER_LARGE;
	if (run == bytes.len)
		return H1_FINE;
	if (bytes.at[run] != (cr ? '\n' : '\r'))
		return H1_TRAILER_LINE;
	return cr ? end_trailer_line(body) : H1_FINE;
}

static Str take_data(H1Body *body, Str bytes)
{
	Str piece = str_sub(bytes, 0, MIN((uint64_t)bytes.len, body->left));

	body->left -= piece.len;
	if (body->left == 0)
		body->state = DATA_CR;
	return piece;
}

/* Goes on after a piece as far as no second one begins, so that the last piece comes with `done`. */
static H1Fault next_chunked(H1Body *body, Str bytes, size_t *used, Str *piece)
{
	H1Fault fault = H1_FINE;
	size_t at = 0;

	while (!fault && !body->done && at < bytes.len) {
		size_t taken = 1;
		Str rest = str_sub(bytes, at, bytes.len);

		if (body->state == DATA && piece->len)
			break;
		if (body->state == DATA) {
			*piece = take_data(body, rest);
			taken = piece->len;
		} else if (body->state == TRAILER) {
			fault = take_trailer(body, rest, &taken);
		} else {
			fault = step(body, (unsigned char)rest.at[0]);
		}
		at += taken;
	}
	*used = at;
	return fault;
}

Err *h1_body_next(H1Body *body, Str bytes, size_t *used, Str *piece)
{
	*used = 0;
	*piece = (Str){ bytes.at, 0 };
	if (body->done)
		return NULL;
	if (body->kind == HTTP_BODY_CHUNKED)
		return h1_fault(next_chunked(body, bytes, used, piece));
	*piece = body->kind == HTTP_BODY_LENGTH
	                 ? str_sub(bytes, 0, MIN((uint64_t)bytes.len, body->left))
	                 : bytes;
	*used = piece->len;
	if (body->kind == HTTP_BODY_LENGTH) {
		body->left -= piece->len;
		body->done = body->left == 0;
	}
	return NULL;
}

Err *h1_body_eof(H1Body *body)
{
	if (body->kind == HTTP_BODY_CLOSE)
		body->done = true;
	return body->done ? NULL : h1_fault(H1_TRUNCATED);
}

/* Fields that say how to frame, route, authorise or read the message, and so cannot come after it. Names without an id
 * are below, and every Content-... is one of them. */
static bool is_forbidden_id(HeaderId id)
{
	static const bool allowed[HTTP_HEADER_IDS] = {
		[HTTP_OTHER] = true,
		[HTTP_DATE] = true,
		[HTTP_SERVER] = true,
		[HTTP_X_REQUEST_ID] = true,
	};

	return !allowed[id];
}

bool h1_not_in_trailer(Str name)
{
	static const Str names[] = {
		{ "age", 3 },
		{ "expires", 7 },
		{ "if-match", 8 },
		{ "if-modified-since", 17 },
		{ "if-none-match", 13 },
		{ "if-range", 8 },
		{ "if-unmodified-since", 19 },
		{ "max-forwards", 12 },
		{ "pragma", 6 },
		{ "range", 5 },
		{ "vary", 4 },
		{ "warning", 7 },
		{ "www-authenticate", 16 },
	};

	if (is_forbidden_id(header_id(name)) || str_eq_nocase(str_sub(name, 0, 8), S("content-")))
		return true;
	if (str_eq_nocase(str_sub(name, 0, 12), S("x-forwarded-")) || str_find_char(name, '_') >= 0)
		return true;
	for (size_t i = 0; i < COUNT(names); i++)
		if (str_eq_nocase(name, names[i]))
			return true;
	return false;
}

Err *h1_trailers(const H1Body *body, Arena *a, Headers *out)
{
	Str rest = buf_str(&body->trailer);
	Headers found = { 0 };
	unsigned lines = 0;
	Str line;

	while (str_split(&rest, '\n', &line) && line.len > 1) {
		H1Field field;
		H1Fault fault = h1_line(str_sub(line, 0, line.len - 1), false, &field);

		if (fault || ++lines > TRAILER_LINES_MAX)
			return h1_fault(fault ? H1_TRAILER_LINE : H1_TRAILER_LARGE);
		if (!h1_not_in_trailer(field.name))
			headers_add(&found, a, str_dup(a, field.name), str_dup(a, field.value));
	}
	*out = found;
	return NULL;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * A message taken apart, for reading reports and for showing what was captured. Whoever sent it may have meant ill: every walk goes
 * forward, depth and number of parts are bounded, and there is nothing that fails. What cannot be decoded is shown as it stands. */
#include "notification/mime_read.h"

#include "auth/b64.h"
#include "base/arena.h"

#include <string.h>

enum { WORD_MOST = 1000, WORDS_MOST = 64 << 10 /* of a value: what is beyond stays as it is */ };

/* --- heads -------------------------------------------------------------------------------------------------------------- */

void mime_split(Str message, Str *head, Str *body)
{
	size_t at = 0;

	while (at < message.len) {
		ptrdiff_t end = str_find_char(str_sub(message, at, message.len), '\n');
		size_t next = end < 0 ? message.len : at + (size_t)end + 1;
		Str line = str_sub(message, at, next);

		if (str_eq(line, S("\r\n")) || str_eq(line, S("\n"))) {
			*head = str_sub(message, 0, at);
			*body = str_sub(message, next, message.len);
			return;
		}
		at = next;
	}
	*head = message;
	*body = (Str){ message.at + message.len, 0 };
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static Str take_line(Str *rest)
{
	ptrdiff_t end = str_find_char(*rest, '\n');
	Str line = end < 0 ? *rest : str_sub(*rest, 0, (size_t)end + 1);

	*rest = str_sub(*rest, line.len, rest->len);
	return line;
}

static Str trim_all(Str text)
{
	while (text.len && strchr(" \t\r\n", text.at[0]))
		text = str_sub(text, 1, text.len);
	while (text.len && strchr(" \t\r\n", text.at[text.len - 1]))
		text.len--;
	return text;
}

bool mime_next(Str *rest, Str *name, Str *value)
{
	while (rest->len) {
		Str line = take_line(rest), field = line;
		ptrdiff_t colon;

		while (rest->len && is_blank(rest->at[0]))
			field.len += take_line(rest).len;
		colon = str_find_char(line, ':');
		if (colon <= 0 || is_blank(line.at[0]))
			continue;
		*name = str_trim(str_sub(field, 0, (size_t)colon));
		*value = trim_all(str_sub(field, (size_t)colon + 1, field.len));
		return true;
	}
	return false;
}

Str mime_unfold(Arena *a, Str value)
{
	char *into;
	size_t len = 0;

	if (str_find_char(value, '\n') < 0 && str_find_char(value, '\r') < 0)
		return value;
	into = arena_alloc_raw(a, value.len + 1);
	for (size_t i = 0; i < value.len; i++)
		if (value.at[i] != '\r' && value.at[i] != '\n')
			into[len++] = value.at[i];
	return (Str){ into, len };
}

bool mime_header(Arena *a, Str head, const char *name, Str *value)
{
	Str field, found;

	while (mime_next(&head, &field, &found))
		if (str_eq_nocase(field, str_of(name))) {
			*value = mime_unfold(a, found);
			return true;
		}
	return false;
}

/* --- encoded words ------------------------------------------------------------------------------------------------------ */

static int hex_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void put_latin(Buf *b, Str bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		unsigned char c = (unsigned char)bytes.at[i];

		if (c < 0x80) {
			buf_putc(b, (char)c);
		} else {
			buf_putc(b, (char)(0xc0 | c >> 6));
			buf_putc(b, (char)(0x80 | (c & 0x3f)));
		}
	}
}

static bool is_utf8(Str text)
{
	for (size_t i = 0, step; i < text.len; i += step) {
		uint32_t code;

		step = str_utf8(str_sub(text, i, text.len), &code);
		if (!step)
			return false;
	}
	return true;
}

/* False: a character set that we do not know. */
static bool put_as_utf8(Buf *b, Str charset, Str bytes)
{
	static const Str latin[] = { S("iso-8859-1"), S("latin1"), S("iso-8859-15"),
		                     S("windows-1252") };

	if (!charset.len || str_eq_nocase(charset, S("utf-8")) ||
	    str_eq_nocase(charset, S("us-ascii"))) {
		if (is_utf8(bytes))
			buf_put(b, bytes);
		else
			put_latin(b, bytes);
		return true;
	}
	for (size_t i = 0; i < COUNT(latin); i++)
		if (str_eq_nocase(charset, latin[i])) {
			put_latin(b, bytes);
			return true;
		}
	return false;
}

static Str loose_base64(Arena *a, Str text)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *clean = arena_alloc_raw(a, text.len + 4);
	size_t len = 0;
	Str out;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		    c == '+' || c == '/')
			clean[len++] = c;
		else if (c == '=')
			break;
	}
	len -= len % 4 == 1;
	if (len % 4 == 2) /* bits that count for nothing are zero for a strict reader */
		clean[len - 1] = alphabet[(strchr(alphabet, clean[len - 1]) - alphabet) & 0x30];
	else if (len % 4 == 3)
		clean[len - 1] = alphabet[(strchr(alphabet, clean[len - 1]) - alphabet) & 0x3c];
	while (len % 4)
		clean[len++] = '=';
	return b64_read(a, (Str){ clean, len }, &out) ? out : text;
}

/* Of a word (with _ for a blank), or of a body (with = at the end of a line that goes on). */
static Str loose_quoted(Arena *a, Str text, bool word)
{
	char *into = arena_alloc_raw(a, text.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];
		int high = c == '=' && i + 2 < text.len ? hex_of(text.at[i + 1]) : -1;
		int low = high >= 0 ? hex_of(text.at[i + 2]) : -1;

		if (low >= 0) {
			into[len++] = (char)(high << 4 | low);
			i += 2;
		} else if (c == '=' && !word && i + 1 < text.len &&
		           (text.at[i + 1] == '\n' || text.at[i + 1] == '\r')) {
			i += text.at[i + 1] == '\r' && i + 2 < text.len && text.at[i + 2] == '\n'
			             ? 2
			             : 1;
		} else {
			into[len++] = word && c == '_' ? ' ' : c;
		}
	}
	return (Str){ into, len };
}

/* "=?charset?B?text?=" at the start; its length, or 0. RFC 2047 gives it 75 bytes; who looks for the end of one in all that follows looks
 * for ever. */
static size_t take_word(Arena *a, Buf *b, Str text)
{
	Str rest, charset, kind, bytes;
	ptrdiff_t end;
	size_t star;

	text = str_sub(text, 0, WORD_MOST);
	rest = str_sub(text, 2, text.len);
	if (!str_starts(text, S("=?")) || !str_split(&rest, '?', &charset) ||
	    !str_split(&rest, '?', &kind) || kind.len != 1)
		return 0;
	end = str_find(rest, S("?="));
	if (end < 0 || str_find_char(str_sub(rest, 0, (size_t)end), ' ') >= 0)
		return 0;
	star = (size_t)str_find_char(charset, '*');
	charset = str_sub(charset, 0, star); /* a language (RFC 2231) */
	bytes = str_sub(rest, 0, (size_t)end);
	if ((kind.at[0] | 0x20) == 'b')
		bytes = loose_base64(a, bytes);
	else if ((kind.at[0] | 0x20) == 'q')
		bytes = loose_quoted(a, bytes, true);
	else
		return 0;
	if (!put_as_utf8(b, charset, bytes))
		return 0;
	return (size_t)(rest.at + end + 2 - text.at);
}

Str mime_words(Arena *a, Str value)
{
	AUTO(buf_fini) Buf b = { 0 };
	Str beyond = str_sub(value, WORDS_MOST, value.len);
	bool after_word = false;

	value = str_sub(value, 0, WORDS_MOST);
	if (str_find(value, S("=?")) < 0)
		return (Str){ value.at, value.len + beyond.len };
	for (size_t i = 0; i < value.len;) {
		size_t blanks = i, used;

		while (blanks < value.len && strchr(" \t\r\n", value.at[blanks]))
			blanks++;
		if (after_word && blanks > i &&
		    str_starts(str_sub(value, blanks, value.len), S("=?"))) {
			used = take_word(a, &b, str_sub(value, blanks, value.len));
			if (used) { /* blanks between two of them are none */
				i = blanks + used;
				continue;
			}
		}
		used = take_word(a, &b, str_sub(value, i, value.len));
		after_word = used > 0;
		if (used)
			i += used;
		else
			buf_putc(&b, value.at[i++]);
	}
	buf_put(&b, beyond);
	return str_dup(a, buf_str(&b));
}

Str mime_header_text(Arena *a, Str head, const char *name)
{
	Str value;

	return mime_header(a, head, name, &value) ? mime_words(a, value) : S("");
}

/* --- values ------------------------------------------------------------------------------------------------------------- */

/* The next part up to a semicolon that no quotes hold. */
static bool next_parameter(Str *rest, Str *part)
{
	bool quoted = false;
	size_t i = 0;

	if (!rest->len)
		return false;
	for (; i < rest->len && (quoted || rest->at[i] != ';'); i++) {
		if (quoted && rest->at[i] == '\\' && i + 1 < rest->len)
			i++;
		else if (rest->at[i] == '"')
			quoted = !quoted;
	}
	i = MIN(i, rest->len);
	*part = str_sub(*rest, 0, i);
	*rest = str_sub(*rest, i + 1, rest->len);
	return true;
}

static Str unquote(Arena *a, Str text)
{
	char *into;
	size_t len = 0;

	text = trim_all(text);
	if (text.len < 2 || text.at[0] != '"' || text.at[text.len - 1] != '"')
		return text;
	into = arena_alloc_raw(a, text.len);
	for (size_t i = 1; i + 1 < text.len; i++) {
		if (text.at[i] == '\\' && i + 2 < text.len)
			i++;
		into[len++] = text.at[i];
	}
	return (Str){ into, len };
}

bool mime_parameter(Arena *a, Str value, const char *name, Str *out)
{
	Str part, want = str_of(name);

	next_parameter(&value, &part);
	while (next_parameter(&value, &part)) {
		ptrdiff_t equals = str_find_char(part, '=');

		if (equals > 0 && str_eq_nocase(trim_all(str_sub(part, 0, (size_t)equals)), want)) {
			*out = unquote(a, str_sub(part, (size_t)equals + 1, part.len));
			return true;
		}
	}
	return false;
}

Str mime_address(Str value)
{
	ptrdiff_t from = str_find_char(value, '<'), to;
	Str word;

	if (from >= 0) {
		to = str_find_char(str_sub(value, (size_t)from, value.len), '>');
		return to < 0 ? S("")
		              : str_trim(str_sub(value, (size_t)from + 1, (size_t)(from + to)));
	}
	value = trim_all(value);
	while (str_split(&value, ' ', &word)) {
		while (word.len && strchr(",;", word.at[word.len - 1]))
			word.len--;
		if (str_find_char(word, '@') > 0)
			return word;
	}
	return S("");
}

/* --- parts -------------------------------------------------------------------------------------------------------------- */

typedef struct Walk {
	Arena *a;
	MimePart *parts;
	size_t count, most;
} Walk;

static void walk(Walk *w, Str message, unsigned depth);

/* The line of a boundary: 1 for one that begins a part, 2 for the last; 0: it is none. */
static int boundary_of(Str line, Str boundary)
{
	if (line.len < 2 + boundary.len || line.at[0] != '-' || line.at[1] != '-' ||
	    memcmp(line.at + 2, boundary.at, boundary.len) != 0)
		return 0;
	line = str_sub(line, 2 + boundary.len, line.len);
	if (str_starts(line, S("--")))
		return 2;
	return trim_all(line).len == 0;
}

static void walk_children(Walk *w, Str body, Str boundary, unsigned depth)
{
	Str rest = body, part = { 0 };
	bool in_part = false;

	while (rest.len && w->count < w->most) {
		Str line = take_line(&rest);
		int kind = boundary_of(line, boundary);

		if (kind && in_part) {
			part.len = (size_t)(line.at - part.at);
			part.len -= part.len && part.at[part.len - 1] == '\n';
			part.len -= part.len && part.at[part.len - 1] == '\r';
			walk(w, part, depth + 1);
		}
		if (kind == 2)
			return;
		if (kind) {
			in_part = true;
			part = rest;
		}
	}
	if (in_part && w->count < w->most)
		walk(w, part, depth + 1); /* its end is missing */
}

static void walk(Walk *w, Str message, unsigned depth)
{
	MimePart part = { .depth = depth };
	Str type = S("text/plain"), boundary, disposition;
	ptrdiff_t end;

	mime_split(message, &part.head, &part.body);
	mime_header(w->a, part.head, "Content-Type", &type);
	end = str_find_char(type, ';');
	part.type = str_lower(w->a, trim_all(end < 0 ? type : str_sub(type, 0, (size_t)end)));
	if (str_starts(part.type, S("multipart/")) && depth < MIME_DEPTH &&
	    mime_parameter(w->a, type, "boundary", &boundary) && boundary.len) {
		walk_children(w, part.body, boundary, depth);
		return;
	}
	mime_parameter(w->a, type, "name", &part.name);
	if (mime_header(w->a, part.head, "Content-Disposition", &disposition))
		mime_parameter(w->a, disposition, "filename", &part.name);
	part.name = mime_words(w->a, part.name);
	if (w->count < w->most)
		w->parts[w->count++] = part;
}

size_t mime_parts(Arena *a, Str message, MimePart *parts, size_t most)
{
	Walk w = { a, parts, 0, MIN(most, (size_t)MIME_PARTS) };

	walk(&w, message, 0);
	return w.count;
}

Str mime_part_bytes(Arena *a, const MimePart *part)
{
	Str how;

	if (!mime_header(a, part->head, "Content-Transfer-Encoding", &how))
		return part->body;
	how = str_trim(how);
	if (str_eq_nocase(how, S("base64")))
		return loose_base64(a, part->body);
	if (str_eq_nocase(how, S("quoted-printable")))
		return loose_quoted(a, part->body, false);
	return part->body;
}

Str mime_part_text(Arena *a, const MimePart *part)
{
	AUTO(buf_fini) Buf b = { 0 };
	Str bytes = mime_part_bytes(a, part), type, charset = { 0 };
	char *into;
	size_t len = 0;

	if (mime_header(a, part->head, "Content-Type", &type))
		mime_parameter(a, type, "charset", &charset);
	if (!put_as_utf8(&b, charset, bytes))
		put_as_utf8(&b, S(""), bytes);
	into = arena_alloc_raw(a, b.len + 1);
	for (size_t i = 0; i < b.len; i++)
		if (b.at[i] != '\r')
			into[len++] = b.at[i];
	return (Str){ into, len };
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The words of SMTP, read strictly where others' laxness has hurt: a reply is three digits and a blank or a hyphen, an address has no
 * control character that could begin another command, and a message ends at one sequence of bytes only.
 *
 * Lax where the field is: verbs in any case, blanks after "FROM:", a source route before an address (dropped, RFC 5321 appendix C),
 * lines that end in a bare LF in replies and commands. */
#include "notification/smtp_text.h"

#include "base/arena.h"

#include <string.h>

/* --- replies ------------------------------------------------------------------------------------------------------------ */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "5.1.1 text": the status goes to *status; what is left is returned. */
static Str take_status(Str text, unsigned code, Str *status)
{
	size_t at = 0, dots = 0;

	while (at < text.len && at < 11 && (is_digit(text.at[at]) || text.at[at] == '.'))
		dots += text.at[at++] == '.';
	if (dots != 2 || (at < text.len && text.at[at] != ' ') ||
	    text.at[0] != (char)('0' + code / 100) || text.at[at - 1] == '.' || text.at[1] != '.')
		return text;
	*status = str_sub(text, 0, at);
	return str_trim(str_sub(text, at, text.len));
}

static bool line_of(Str *rest, Str *line)
{
	ptrdiff_t end = str_find_char(*rest, '\n');

	if (end < 0)
		return false;
	*line = str_sub(*rest, 0, (size_t)end);
	if (line->len && line->at[line->len - 1] == '\r')
		line->len--;
	*rest = str_sub(*rest, (size_t)end + 1, rest->len);
	return true;
}

static bool line_code(Str line, unsigned *code, bool *last)
{
	if (line.len < 3 || !is_digit(line.at[0]) || !is_digit(line.at[1]) || !is_digit(line.at[2]))
		return false;
	*code = (unsigned)(line.at[0] - '0') * 100 + (unsigned)(line.at[1] - '0') * 10 +
	        (unsigned)(line.at[2] - '0');
	*last = line.len == 3 || line.at[3] == ' ';
	return *code >= 200 && *code < 600 && (*last || line.at[3] == '-');
}

SmtpRead smtp_reply_read(Arena *a, Str bytes, SmtpReply *out, size_t *used)
{
	AUTO(buf_fini) Buf text = { 0 };
	SmtpReply reply = { 0 };
	Str rest = bytes, line;
	bool last = false;

	for (size_t lines = 0; !last; lines++) {
		unsigned code;

		if (!line_of(&rest, &line))
			return rest.len > SMTP_LINE_MOST ? SMTP_BAD : SMTP_MORE;
		if (lines >= SMTP_REPLY_LINES || line.len > SMTP_LINE_MOST ||
		    !line_code(line, &code, &last) || (lines && code != reply.code))
			return SMTP_BAD;
		reply.code = code;
		line = take_status(str_sub(line, 4, line.len), code, &reply.status);
		if (lines)
			buf_putc(&text, '\n');
		buf_put(&text, line);
	}
	reply.text = str_dup(a, buf_str(&text));
	reply.status = str_dup(a, reply.status);
	*out = reply;
	*used = bytes.len - rest.len;
	return SMTP_DONE;
}

/* --- commands ----------------------------------------------------------------------------------------------------------- */

SmtpVerb smtp_verb_read(Str line, Str *argument)
{
	static const struct {
		Str word;
		SmtpVerb verb;
	} verbs[] = {
		{ S("EHLO"), SMTP_EHLO },         { S("HELO"), SMTP_HELO },
		{ S("MAIL"), SMTP_MAIL },         { S("RCPT"), SMTP_RCPT },
		{ S("DATA"), SMTP_DATA },         { S("RSET"), SMTP_RSET },
		{ S("NOOP"), SMTP_NOOP },         { S("QUIT"), SMTP_QUIT },
		{ S("AUTH"), SMTP_AUTH },         { S("VRFY"), SMTP_VRFY },
		{ S("STARTTLS"), SMTP_STARTTLS }, { S("HELP"), SMTP_HELP },
	};
	ptrdiff_t blank = str_find_char(line, ' ');
	Str word = blank < 0 ? str_trim(line) : str_sub(line, 0, (size_t)blank);

	*argument = blank < 0 ? S("") : str_trim(str_sub(line, (size_t)blank, line.len));
	for (size_t i = 0; i < COUNT(verbs); i++)
		if (str_eq_nocase(word, verbs[i].word))
			return verbs[i].verb;
	return SMTP_NONE;
}

bool smtp_is_ascii(Str text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.at[i] >= 0x80)
			return false;
	return true;
}

/* UTF-8 without blanks, control characters and brackets. */
static bool is_plain(Str text)
{
	for (size_t i = 0, step; i < text.len; i += step) {
		uint32_t code;

		step = str_utf8(str_sub(text, i, text.len), &code);
		if (!step || code <= ' ' || (code >= 0x7f && code < 0xa0) || code == '<' ||
		    code == '>' || code == 0x2028 || code == 0x2029)
			return false;
	}
	return true;
}

Str smtp_clean(Arena *a, Str text, size_t most)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (size_t i = 0, step; i < text.len; i += step ? step : 1) {
		uint32_t code;

		step = str_utf8(str_sub(text, i, text.len), &code);
		if (b.len + MAX(step, (size_t)1) > most)
			break;
		if (!step || code < ' ' || code == 0x7f)
			buf_putc(&b, '?');
		else
			buf_put(&b, str_sub(text, i, i + step));
	}
	return str_dup(a, buf_str(&b));
}

static bool is_quoted(Str local)
{
	if (local.len < 2 || local.at[0] != '"' || local.at[local.len - 1] != '"')
		return false;
	for (size_t i = 1; i + 1 < local.len; i++) {
		if (local.at[i] == '"')
			return false;
		if (local.at[i] == '\\' && ++i + 1 >= local.len)
			return false;
	}
	return true;
}

static bool is_domain(Str domain)
{
	if (!domain.len || domain.at[0] == '.' || domain.at[domain.len - 1] == '.')
		return false;
	if (domain.at[0] == '[')
		return domain.len > 2 && domain.at[domain.len - 1] == ']' && smtp_is_ascii(domain);
	for (size_t i = 0; i < domain.len; i++)
		if (strchr("()[]\\,;:\"", domain.at[i]) ||
		    (domain.at[i] == '.' && domain.at[i - 1] == '.'))
			return false;
	return true;
}

bool smtp_address_is(Str address)
{
	ptrdiff_t at = str_rfind_char(address, '@');
	Str local;

	if (at <= 0 || at > SMTP_LOCAL_MOST || address.len > SMTP_ADDRESS_MOST ||
	    !is_plain(address))
		return false;
	local = str_sub(address, 0, (size_t)at);
	if (!is_domain(str_sub(address, (size_t)at + 1, address.len)))
		return false;
	if (is_quoted(local))
		return true;
	for (size_t i = 0; i < local.len; i++)
		if (strchr("()[]\\,;:\"@", local.at[i]))
			return false;
	return true;
}

Str smtp_domain(Str address)
{
	ptrdiff_t at = str_rfind_char(address, '@');

	return at < 0 ? S("") : str_sub(address, (size_t)at + 1, address.len);
}

static const char *read_parameter(Str word, SmtpPath *out)
{
	if (str_eq_nocase(str_sub(word, 0, 5), S("SIZE=")))
		return str_to_u64(str_sub(word, 5, word.len), &out->size)
		               ? NULL
		               : "501 5.5.4 SIZE is no number";
	if (str_eq_nocase(word, S("BODY=8BITMIME")))
		out->eight = true;
	else if (str_eq_nocase(word, S("SMTPUTF8")))
		out->utf8 = true;
	else if (!str_eq_nocase(word, S("BODY=7BIT")) &&
	         !str_eq_nocase(str_sub(word, 0, 5), S("AUTH=")))
		return "555 5.5.4 that parameter is not known";
	return NULL;
}

/* Where the path ends: the first > that no quote holds. */
static ptrdiff_t path_end(Str text)
{
	bool quoted = false;

	for (size_t i = 0; i < text.len; i++) {
		if (quoted && text.at[i] == '\\')
			i++;
		else if (text.at[i] == '"')
			quoted = !quoted;
		else if (text.at[i] == '>' && !quoted)
			return (ptrdiff_t)i;
	}
	return -1;
}

const char *smtp_path_read(Str argument, Str word, SmtpPath *out)
{
	Str rest = argument, one;
	ptrdiff_t end, route;

	*out = (SmtpPath){ 0 };
	if (!str_eq_nocase(str_sub(argument, 0, word.len), word))
		return "501 5.5.4 a path in <> is missing";
	rest = str_trim(str_sub(argument, word.len, argument.len));
	end = path_end(rest);
	if (!rest.len || rest.at[0] != '<' || end < 0)
		return "501 5.5.4 a path in <> is missing";
	out->address = str_sub(rest, 1, (size_t)end);
	route = out->address.len && out->address.at[0] == '@' ? str_find_char(out->address, ':')
	                                                      : -1;
	if (route > 0)
		out->address = str_sub(out->address, (size_t)route + 1, out->address.len);
	if (out->address.len && !smtp_address_is(out->address))
		return "501 5.1.3 that is no address";
	rest = str_sub(rest, (size_t)end + 1, rest.len);
	if (rest.len && rest.at[0] != ' ')
		return "501 5.5.4 a blank is missing after the path";
	while (rest.len && str_split(&rest, ' ', &one)) {
		const char *wrong = one.len ? read_parameter(one, out) : NULL;

		if (wrong)
			return wrong;
	}
	return NULL;
}

/* --- messages ----------------------------------------------------------------------------------------------------------- */

void smtp_put_data(Buf *b, Str message)
{
	Str rest = message;

	while (rest.len) {
		size_t end = 0;

		if (rest.at[0] == '.')
			buf_putc(b, '.');
		{
			const char *feed = memchr(rest.at, '\n', rest.len);
			const char *most = feed ? feed : rest.at + rest.len;
			const char *back = memchr(rest.at, '\r', (size_t)(most - rest.at));

			end = (size_t)((back ? back : most) - rest.at);
		}
		buf_put(b, str_sub(rest, 0, end));
		buf_put(b, S("\r\n"));
		if (end < rest.len && rest.at[end] == '\r' && end + 1 < rest.len &&
		    rest.at[end + 1] == '\n')
			end++;
		rest = str_sub(rest, end + 1, rest.len);
	}
	buf_put(b, S(".\r\n"));
}

/* The start of a line, within one, after a CR, after a dot that began a line, after that dot's CR. */
enum { AT_START, AT_TEXT, AT_CR, AT_DOT, AT_DOT_CR };

static void keep(SmtpTaker *t, Str bytes)
{
	t->bytes += bytes.len;
	buf_put(t->into, bytes);
}

static uint8_t after_text(SmtpTaker *t, char c)
{
	if (c == '\r')
		return AT_CR;
	t->lone |= c == '\n';
	keep(t, (Str){ &c, 1 });
	return AT_TEXT;
}

static uint8_t step(SmtpTaker *t, char c)
{
	switch (t->at) {
	case AT_START:
		return c == '.' ? AT_DOT : after_text(t, c);
	case AT_CR:
		if (c == '\n') {
			keep(t, S("\r\n"));
			return AT_START;
		}
		t->lone = true;
		keep(t, S("\r"));
		return after_text(t, c);
	case AT_DOT: /* doubled, or a sender's mistake: dropped in both cases */
		return c == '\r' ? AT_DOT_CR : after_text(t, c);
	case AT_DOT_CR:
		if (c == '\n') {
			t->done = true;
			return AT_START;
		}
		t->lone = true;
		keep(t, S("\r"));
		return after_text(t, c);
	default:
		return after_text(t, c);
	}
}

size_t smtp_take(SmtpTaker *t, Str bytes)
{
	size_t at = 0;

	while (at < bytes.len && !t->done) {
		if (t->at == AT_TEXT) {
			size_t from = at;

			while (at < bytes.len && bytes.at[at] != '\r' && bytes.at[at] != '\n')
				at++;
			keep(t, str_sub(bytes, from, at));
			if (at == bytes.len)
				break;
		}
		t->at = step(t, bytes.at[at++]);
	}
	return at;
}

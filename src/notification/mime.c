/* SPDX-License-Identifier: Apache-2.0
 *
 * A mail from its parts. What goes out is plain 7-bit text: bodies that are not are quoted-printable, files are Base64, headers are
 * encoded words, domains are A-labels. So no server on the way has to convert anything, which would break a signature.
 *
 *   multipart/mixed            when there are files to keep
 *     multipart/related        when the HTML shows files
 *       multipart/alternative  when there are text and HTML
 *
 * Each level is there only when it holds two. Boundaries come of the Message-ID: the same draft makes the same bytes. A header is safe by
 * refusal: a value with a CR, an LF or another control character is no value, wherever it came from (a name, a subject, a file name). */
#include "notification/mime.h"

#include "auth/b64.h"
#include "base/arena.h"
#include "base/hash.h"
#include "base/rand.h"
#include "base/time.h"
#include "notification/smtp_text.h"

#include <idn2.h>
#include <string.h>

enum { LINE = 76, WORD_BYTES = 45 /* of UTF-8 in one encoded word */ };

static bool is_token(Str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] <= ' ' || text.at[i] >= 0x7f || text.at[i] == ':')
			return false;
	return text.len > 0;
}

/* UTF-8, and nothing that could end a line or hide something. */
static bool is_value(Str text)
{
	for (size_t i = 0, step; i < text.len; i += step) {
		uint32_t code;

		step = str_utf8(str_sub(text, i, text.len), &code);
		if (!step || (code < ' ' && code != '\t') || (code >= 0x7f && code < 0xa0) ||
		    code == 0x2028 || code == 0x2029)
			return false;
	}
	return true;
}

static Err *bad_header(Arena *a, Str name, const char *what)
{
	return err_new(a, ERR_INVALID, "mail.header", "%.*s %s", STR_ARG(name), what);
}

bool mime_domain_ascii(Arena *a, Str domain, Str *out)
{
	char *text = NULL;

	if (smtp_is_ascii(domain)) {
		*out = domain;
		return true;
	}
	if (idn2_to_ascii_8z(str_z(a, domain), &text, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) !=
	    IDN2_OK)
		return false;
	*out = str_dup(a, str_of(text));
	idn2_free(text);
	return true;
}

/* --- headers ------------------------------------------------------------------------------------------------------------ */

/* A header being written: where the line began, so that it is folded in time. */
typedef struct Fold {
	Buf *b;
	size_t column;
} Fold;

/* A word, after a blank where one belongs. */
static void fold_word(Fold *f, Str word, bool blank)
{
	if (blank && f->column + 1 + word.len > LINE && f->column > 1) {
		buf_put(f->b, S("\r\n "));
		f->column = 1;
	} else if (blank) {
		buf_putc(f->b, ' ');
		f->column++;
	}
	buf_put(f->b, word);
	f->column += word.len;
}

/* "=?utf-8?B?...?=" as many as it takes, cut between characters. */
static void fold_encoded(Fold *f, Arena *a, Str text)
{
	for (size_t at = 0; at < text.len;) {
		size_t end = at;
		uint32_t code;

		while (end < text.len) {
			size_t step = str_utf8(str_sub(text, end, text.len), &code);

			if (end + step - at > WORD_BYTES)
				break;
			end += step;
		}
		fold_word(f,
		          str_fmt(a, "=?utf-8?B?%.*s?=", STR_ARG(b64(a, str_sub(text, at, end)))),
		          true);
		at = end;
	}
}

/* Plain text: folded at its blanks, which stay as many as they were; or encoded. */
static void fold_text(Fold *f, Arena *a, Str text)
{
	Str rest = text, word;
	bool long_word = false;

	while (str_split(&rest, ' ', &word))
		long_word |= word.len > 900;
	if (!smtp_is_ascii(text) || str_find(text, S("=?")) >= 0 ||
	    str_find_char(text, '\t') >= 0 || long_word || str_find(text, S("  ")) >= 0 ||
	    (text.len && text.at[text.len - 1] == ' ') || (text.len && text.at[0] == ' ')) {
		fold_encoded(f, a, text);
		return;
	}
	rest = text;
	while (str_split(&rest, ' ', &word))
		fold_word(f, word, true);
}

static Fold fold_begin(Buf *b, Str name)
{
	buf_put(b, name);
	buf_putc(b, ':');
	return (Fold){ b, name.len + 1 };
}

/* Those whose values are no text: an encoded word may not stand there. */
static bool is_structured(Str name)
{
	static const Str names[] = { S("message-id"),
		                     S("in-reply-to"),
		                     S("references"),
		                     S("list-unsubscribe"),
		                     S("list-id"),
		                     S("return-path"),
		                     S("list-unsubscribe-post"),
		                     S("auto-submitted"),
		                     S("precedence"),
		                     S("content-id") };

	for (size_t i = 0; i < COUNT(names); i++)
		if (str_eq_nocase(name, names[i]))
			return true;
	return false;
}

Err *mime_put_header(Buf *b, Arena *a, Str name, Str value)
{
	Fold f;
	Str word;

	if (!is_token(name) || name.len > 64)
		return bad_header(a, str_quote(a, name), "is no name of a header");
	if (!is_value(value))
		return bad_header(a, name, "has a line break or another control character in it");
	if (is_structured(name) && !smtp_is_ascii(value))
		return bad_header(a, name, "takes ASCII only");
	f = fold_begin(b, name);
	if (is_structured(
		    name)) { /* its first word stays beside the name, however long: some read no further */
		for (bool first = true; str_split(&value, ' ', &word); first = false) {
			if (first)
				buf_putc(b, ' ');
			fold_word(&f, word, !first);
		}
	}
	if (!is_structured(name))
		fold_text(&f, a, value);
	buf_put(b, S("\r\n"));
	return NULL;
}

/* An atom, a quoted string or encoded words. */
static void fold_phrase(Fold *f, Arena *a, Str name)
{
	AUTO(buf_fini) Buf quoted = { 0 };
	bool atoms = true;

	if (!smtp_is_ascii(name) || str_find(name, S("=?")) >= 0) {
		fold_encoded(f, a, name);
		return;
	}
	buf_putc(&quoted, '"');
	for (size_t i = 0; i < name.len; i++) {
		atoms &= name.at[i] == ' ' ||
		         (name.at[i] > ' ' && !strchr("()<>[]:;@\\,.\"", name.at[i]));
		if (name.at[i] == '"' || name.at[i] == '\\')
			buf_putc(&quoted, '\\');
		buf_putc(&quoted, name.at[i]);
	}
	buf_putc(&quoted, '"');
	fold_word(f, str_dup(a, atoms ? name : buf_str(&quoted)), true);
}

static Err *fold_address(Fold *f, Arena *a, const MailAddress *who, bool last)
{
	Str domain = smtp_domain(who->address), local;

	if (!smtp_address_is(who->address) || !mime_domain_ascii(a, domain, &domain))
		return err_new(a, ERR_INVALID, "mail.address", "%.*s is no address",
		               STR_ARG(str_quote(a, who->address)));
	if (!is_value(who->name))
		return bad_header(a, S("a name beside an address"),
		                  "has a control character in it");
	local = str_sub(who->address, 0, who->address.len - smtp_domain(who->address).len - 1);
	if (who->name.len)
		fold_phrase(f, a, who->name);
	fold_word(f,
	          str_fmt(a, "%s%.*s@%.*s%s%s", who->name.len ? "<" : "", STR_ARG(local),
	                  STR_ARG(domain), who->name.len ? ">" : "", last ? "" : ","),
	          true);
	return NULL;
}

static Err *put_addresses(Buf *b, Arena *a, Str name, const MailAddress *who, size_t count)
{
	Fold f = fold_begin(b, name);

	for (size_t i = 0; i < count; i++)
		TRY(fold_address(&f, a, &who[i], i + 1 == count));
	buf_put(b, S("\r\n"));
	return NULL;
}

/* RFC 5322 3.3, in UTC: what HTTP writes, with +0000 for GMT. */
static void put_date(Buf *b, int64_t us)
{
	buf_put(b, S("Date: "));
	time_put_http(b, us);
	b->len -= b->broken ? 0 : 3;
	buf_put(b, S("+0000\r\n"));
}

/* --- bodies ------------------------------------------------------------------------------------------------------------- */

/* Lines end in CR LF, whatever they did. */
static void put_lines(Buf *b, Str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] == '\n' || text.at[i] == '\r') {
			i += text.at[i] == '\r' && i + 1 < text.len && text.at[i + 1] == '\n';
			buf_put(b, S("\r\n"));
		} else {
			buf_putc(b, text.at[i]);
		}
	}
	if (text.len && text.at[text.len - 1] != '\n' && text.at[text.len - 1] != '\r')
		buf_put(b, S("\r\n"));
}

/* Can it go as it is? ASCII without control characters, lines of at most 78, none with blanks at its end (some remove them). */
static bool is_seven_bit(Str text)
{
	size_t column = 0;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c == '\n' || c == '\r') {
			if (column && text.at[i - 1] == ' ')
				return false;
			column = 0;
		} else if (c >= 0x7f || (c < ' ' && c != '\t') || ++column > 78) {
			return false;
		}
	}
	return true;
}

static void put_quoted(Buf *b, Str text)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t column = 0;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];
		bool end = i + 1 == text.len || text.at[i + 1] == '\n' || text.at[i + 1] == '\r';

		if (c == '\n' || c == '\r') {
			i += c == '\r' && i + 1 < text.len && text.at[i + 1] == '\n';
			buf_put(b, S("\r\n"));
			column = 0;
			continue;
		}
		if (column > LINE - 4) {
			buf_put(b, S("=\r\n"));
			column = 0;
		}
		if (c == '=' || c >= 0x7f || (c < ' ' && c != '\t') ||
		    ((c == ' ' || c == '\t') && end) || (c == '.' && !column)) {
			buf_put(b, (Str){ (char[]){ '=', hex[c >> 4], hex[c & 15] }, 3 });
			column += 3;
		} else {
			buf_putc(b, (char)c);
			column++;
		}
	}
	if (column)
		buf_put(b, S("\r\n"));
}

static void put_base64(Buf *b, Arena *a, Str bytes)
{
	enum { ROW = LINE / 4 * 3 };

	for (size_t at = 0; at < bytes.len; at += ROW) {
		Mark mark = arena_mark(a);

		buf_put(b, b64(a, str_sub(bytes, at, at + ROW)));
		buf_put(b, S("\r\n"));
		arena_reset(a, mark);
	}
}

static void put_text(Buf *b, Str type, Str text)
{
	bool plain = is_seven_bit(text);

	buf_fmt(b, "Content-Type: %.*s; charset=utf-8\r\nContent-Transfer-Encoding: %s\r\n\r\n",
	        STR_ARG(type), plain ? "7bit" : "quoted-printable");
	if (plain)
		put_lines(b, text);
	else
		put_quoted(b, text);
}

/* A file's name: RFC 2231 where it is not plain. */
static void put_file_name(Buf *b, const char *parameter, Str name)
{
	bool plain = true;

	for (size_t i = 0; i < name.len; i++)
		plain &= name.at[i] >= ' ' && name.at[i] < 0x7f && name.at[i] != '"' &&
		         name.at[i] != '\\';
	if (plain) {
		buf_fmt(b, ";\r\n %s=\"%.*s\"", parameter, STR_ARG(name));
		return;
	}
	buf_fmt(b, ";\r\n %s*=utf-8''", parameter);
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.at[i];

		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    c == '.' || c == '-' || c == '_')
			buf_putc(b, (char)c);
		else
			buf_fmt(b, "%%%02X", c);
	}
}

static Err *put_file(Buf *b, Arena *a, const MailFile *file)
{
	Str type = file->type.len ? file->type : S("application/octet-stream");

	if (!is_value(file->name) || file->name.len > 200 || !is_value(type) ||
	    !smtp_is_ascii(type) || str_find_char(type, '/') < 0)
		return bad_header(a, S("a file's name or type"), "cannot stand in a header");
	if (file->id.len &&
	    (!is_token(file->id) || strcspn(str_z(a, file->id), "<>") != file->id.len))
		return bad_header(a, S("a file's id"), "cannot stand in a header");
	buf_fmt(b, "Content-Type: %.*s\r\n", STR_ARG(type));
	buf_put(b, file->id.len ? S("Content-Disposition: inline")
	                        : S("Content-Disposition: attachment"));
	if (file->name.len)
		put_file_name(b, "filename", file->name);
	if (file->id.len)
		buf_fmt(b, "\r\nContent-ID: <%.*s>", STR_ARG(file->id));
	buf_put(b, S("\r\nContent-Transfer-Encoding: base64\r\n\r\n"));
	put_base64(b, a, file->bytes);
	return NULL;
}

/* --- the tree ----------------------------------------------------------------------------------------------------------- */

typedef struct Tree {
	Buf *b;
	Arena *a;
	const MailDraft *draft;
	uint64_t seed;  /* of boundaries */
	size_t inlined; /* files that the HTML shows */
} Tree;

static Str tree_boundary(const Tree *t, char level)
{
	return str_fmt(t->a, "=_%c%016" PRIx64, level, t->seed);
}

static Str tree_begin(const Tree *t, const char *kind, char level)
{
	Str boundary = tree_boundary(t, level);

	buf_fmt(t->b, "Content-Type: multipart/%s; boundary=\"%.*s\"\r\n", kind, STR_ARG(boundary));
	return boundary;
}

/* The line break before a boundary is the boundary's. */
static void tree_part(const Tree *t, Str boundary)
{
	buf_fmt(t->b, "\r\n--%.*s\r\n", STR_ARG(boundary));
}

static void tree_end(const Tree *t, Str boundary)
{
	buf_fmt(t->b, "\r\n--%.*s--\r\n", STR_ARG(boundary));
}

static void put_alternatives(const Tree *t)
{
	const MailDraft *d = t->draft;
	Str boundary;

	if (!d->html.len || !d->text.len) {
		put_text(t->b, d->html.len ? S("text/html") : S("text/plain"),
		         d->html.len ? d->html : d->text);
		return;
	}
	boundary = tree_begin(t, "alternative", 'a');
	tree_part(t, boundary);
	put_text(t->b, S("text/plain"), d->text);
	tree_part(t, boundary);
	put_text(t->b, S("text/html"), d->html);
	tree_end(t, boundary);
}

static Err *put_related(const Tree *t)
{
	Str boundary;

	if (!t->inlined) {
		put_alternatives(t);
		return NULL;
	}
	boundary = tree_begin(t, "related", 'r');
	tree_part(t, boundary);
	put_alternatives(t);
	for (size_t i = 0; i < t->draft->file_count; i++)
		if (t->draft->files[i].id.len) {
			tree_part(t, boundary);
			TRY(put_file(t->b, t->a, &t->draft->files[i]));
		}
	tree_end(t, boundary);
	return NULL;
}

static Err *put_tree(const Tree *t)
{
	Str boundary;

	buf_put(t->b, S("MIME-Version: 1.0\r\n"));
	if (t->inlined == t->draft->file_count)
		return put_related(t);
	boundary = tree_begin(t, "mixed", 'm');
	tree_part(t, boundary);
	TRY(put_related(t));
	for (size_t i = 0; i < t->draft->file_count; i++)
		if (!t->draft->files[i].id.len) {
			tree_part(t, boundary);
			TRY(put_file(t->b, t->a, &t->draft->files[i]));
		}
	tree_end(t, boundary);
	return NULL;
}

/* --- the whole ---------------------------------------------------------------------------------------------------------- */

static bool is_ours(Str name)
{
	static const Str ours[] = { S("from"),
		                    S("to"),
		                    S("cc"),
		                    S("bcc"),
		                    S("reply-to"),
		                    S("subject"),
		                    S("date"),
		                    S("message-id"),
		                    S("mime-version"),
		                    S("sender"),
		                    S("return-path"),
		                    S("received"),
		                    S("list-unsubscribe"),
		                    S("list-unsubscribe-post"),
		                    S("dkim-signature") };

	for (size_t i = 0; i < COUNT(ours); i++)
		if (str_eq_nocase(name, ours[i]))
			return true;
	return str_eq_nocase(str_sub(name, 0, 8), S("content-"));
}

static Err *put_unsubscribe(Buf *b, Arena *a, Str url)
{
	if (!url.len)
		return NULL;
	if (!is_token(str_sub(url, 8, url.len)) && str_find_char(url, ' ') >= 0)
		return bad_header(a, S("List-Unsubscribe"), "has a blank in it");
	if (!str_starts(url, S("https://")) && !str_starts(url, S("http://")))
		return bad_header(a, S("List-Unsubscribe"), "is no URL");
	TRY(mime_put_header(b, a, S("List-Unsubscribe"), str_fmt(a, "<%.*s>", STR_ARG(url))));
	return mime_put_header(b, a, S("List-Unsubscribe-Post"), S("List-Unsubscribe=One-Click"));
}

static Err *put_head(Buf *b, Arena *a, const MailDraft *d)
{
	put_date(b, d->date_us);
	TRY(put_addresses(b, a, S("From"), &d->from, 1));
	if (d->to_count)
		TRY(put_addresses(b, a, S("To"), d->to, d->to_count));
	if (d->reply_to.address.len)
		TRY(put_addresses(b, a, S("Reply-To"), &d->reply_to, 1));
	TRY(mime_put_header(b, a, S("Subject"), d->subject));
	if (d->message_id.len) {
		if (!is_token(d->message_id) || !smtp_address_is(d->message_id) ||
		    !smtp_is_ascii(d->message_id))
			return bad_header(a, S("Message-ID"), "is not of the form local@domain");
		TRY(mime_put_header(b, a, S("Message-ID"),
		                    str_fmt(a, "<%.*s>", STR_ARG(d->message_id))));
	}
	TRY(put_unsubscribe(b, a, d->unsubscribe_url));
	for (size_t i = 0; i < d->header_count; i++) {
		if (is_ours(d->headers[i].name))
			return bad_header(a, d->headers[i].name, "is not for a template to say");
		TRY(mime_put_header(b, a, d->headers[i].name, d->headers[i].value));
	}
	return NULL;
}

Err *mime_build(Arena *a, const MailDraft *draft, size_t most, Str *out)
{
	AUTO(buf_fini) Buf b = { .limit = most };
	Tree t = { .b = &b, .a = a, .draft = draft };
	Str text;

	if (!draft->text.len && !draft->html.len)
		return err_new(a, ERR_INVALID, "mail.empty", "a mail needs a text or HTML");
	t.seed = draft->message_id.len ? hash_stable(draft->message_id, 0x6d696d65, 1) : rand_u64();
	for (size_t i = 0; i < draft->file_count; i++)
		t.inlined += draft->files[i].id.len > 0;
	TRY(put_head(&b, a, draft));
	TRY(put_tree(&t));
	TRY(buf_done(&b, &text));
	*out = str_dup(a, text);
	return NULL;
}

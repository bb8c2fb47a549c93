/* SPDX-License-Identifier: Apache-2.0
 *
 * Masking. A name is cut into words (userPassword, x-api-key, cvv2 and card[number] all have several), and the words are
 * looked up: long ones count wherever they stand in a word (csrfmiddlewaretoken), short ones must be the word (pan, but not
 * company), and some are written in two (api key, e-mail).
 *
 * A text is hidden altogether when it has such a word, for the secret may stand before the word as well as after it. Otherwise
 * three detectors look for what is a secret by its shape; each gives the first span at or after a place, the earliest one is
 * replaced, and so on. They look at the whole text, not at the part that will be shown: where a value is cut, what stood
 * across the cut would no longer look like what it is.
 *
 * Targets are cut into what can be a value (a part of the path, a parameter), and each is looked at decoded, thrice if need be, but
 * shown as it came. Nothing here knows what a secret is; it knows where secrets are usually kept. */
#include "shift/mask.h"

#include <string.h>

enum { WORDS_JOINED = 4, NAME_MAX_BYTES = 64, CARD_MIN = 13, CARD_MAX = 19, CARD_GROUPS = 32 };

static const Str parts_of_words[] = {
	{ "password", 8 },       { "passwd", 6 }, { "passphrase", 10 }, { "secret", 6 },
	{ "token", 5 },          { "cookie", 6 }, { "csrf", 4 },        { "xsrf", 4 },
	{ "authorization", 13 }, { "email", 5 },  { "apikey", 6 },      { "credential", 10 },
};

static const Str whole_words[] = {
	{ "pan", 3 },         { "card", 4 },      { "cards", 5 },       { "cvc", 3 },
	{ "cvv", 3 },         { "pwd", 3 },       { "iban", 4 },        { "jwt", 3 },
	{ "otp", 3 },         { "ssn", 3 },       { "bearer", 6 },      { "sessionid", 9 },
	{ "email", 5 },       { "apikey", 6 },    { "password", 8 },    { "credential", 10 },
	{ "privatekey", 10 }, { "accesskey", 9 }, { "creditcard", 10 }, { "cardnumber", 10 },
};

/* --- words ---------------------------------------------------------------------------------------------------------- */

typedef enum Letter { LETTER_NONE, LETTER_LOWER, LETTER_UPPER, LETTER_DIGIT } Letter;

static Letter letter_of(char c)
{
	if (c >= '0' && c <= '9')
		return LETTER_DIGIT;
	if (c >= 'A' && c <= 'Z')
		return LETTER_UPPER;
	return (c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80 ? LETTER_LOWER : LETTER_NONE;
}

/* The next word at or after *at: letters in one case, a capital before small ones, or digits. False at the end. */
static bool next_word(Str text, size_t *at, Str *word)
{
	size_t from = *at, end;
	Letter kind;

	while (from < text.len && letter_of(text.at[from]) == LETTER_NONE)
		from++;
	if (from == text.len)
		return false;
	kind = letter_of(text.at[from]);
	for (end = from + 1; end < text.len && letter_of(text.at[end]) == kind; end++)
		continue;
	if (kind == LETTER_UPPER && end < text.len && letter_of(text.at[end]) == LETTER_LOWER) {
		if (end - from > 1) { /* APIKey: the last capital is the next word's */
			end--;
		} else {
			while (end < text.len && letter_of(text.at[end]) == LETTER_LOWER)
				end++;
		}
	}
	*word = str_sub(text, from, end);
	*at = end;
	return true;
}

static bool has_part(Str lower)
{
	for (size_t i = 0; i < COUNT(parts_of_words); i++)
		if (str_find(lower, parts_of_words[i]) >= 0)
			return true;
	return false;
}

/* Is the name, without what is no letter or digit and in small letters, this text? */
static bool same_letters(Str name, Str lower)
{
	size_t at = 0;

	for (size_t i = 0; i < name.len; i++) {
		char c = letter_of(name.at[i]) == LETTER_UPPER ? (char)(name.at[i] + 32)
		                                               : name.at[i];

		if (letter_of(c) == LETTER_NONE)
			continue;
		if (at == lower.len || lower.at[at++] != c)
			return false;
	}
	return at && at == lower.len;
}

static bool is_whole(const MaskRules *rules, Str lower)
{
	for (size_t i = 0; i < COUNT(whole_words); i++)
		if (str_eq(lower, whole_words[i]))
			return true;
	for (size_t i = 0; rules && i < rules->names.count; i++)
		if (same_letters(rules->names.at[i], lower))
			return true;
	return false;
}

/* Up to WORDS_JOINED words from here on, joined in small letters; is one of the joints a name for a secret? */
static bool begins_here(const MaskRules *rules, Str text, size_t at)
{
	char joined[NAME_MAX_BYTES];
	size_t len = 0;
	Str word;

	for (int words = 0; words < WORDS_JOINED && next_word(text, &at, &word); words++) {
		if (word.len > sizeof joined - len)
			return false;
		for (size_t i = 0; i < word.len; i++)
			joined[len++] = letter_of(word.at[i]) == LETTER_UPPER
			                        ? (char)(word.at[i] + 32)
			                        : word.at[i];
		if (is_whole(rules, (Str){ joined, len }))
			return true;
	}
	return false;
}

/* A run of letters in any case: PassWord and PASSword are one word here. */
static bool has_part_anywhere(Str text)
{
	char lower[256];
	size_t len = 0;

	for (size_t i = 0; i <= text.len; i++) {
		char c = i < text.len ? text.at[i] : ' ';

		if (letter_of(c) == LETTER_UPPER)
			c = (char)(c + 32);
		if (letter_of(c) == LETTER_LOWER && len < sizeof lower) {
			lower[len++] = c;
			continue;
		}
		if (len >= 4 && has_part((Str){ lower, len }))
			return true;
		if (len == sizeof lower) { /* a word may stand across the end of the window */
			memmove(lower, lower + len - 16, 16);
			lower[16] = c;
			len = letter_of(c) == LETTER_LOWER ? 17 : 0;
		} else {
			len = 0;
		}
	}
	return false;
}

bool mask_named_in(const MaskRules *rules, Str text)
{
	size_t at = 0;
	Str word;

	if (has_part_anywhere(text))
		return true;
	while (at < text.len) {
		if (begins_here(rules, text, at))
			return true;
		if (!next_word(text, &at, &word))
			return false;
	}
	return false;
}

bool mask_name(const MaskRules *rules, Str name)
{
	return mask_named_in(rules, name);
}

/* --- what is a secret by its shape ---------------------------------------------------------------------------------- */

typedef struct Span {
	size_t from, end;
} Span;

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool in_address(char c)
{
	return letter_of(c) != LETTER_NONE || (c && strchr(".!#$&'*+-/=?^_`{|}~%", c));
}

/* The length of an "@" here, percent-encoded or not; 0: there is none. */
static size_t at_sign(Str text, size_t at)
{
	if (text.at[at] == '@')
		return 1;
	return str_starts(str_sub(text, at, text.len), S("%40")) ? 3 : 0;
}

static bool find_email(Str text, size_t from, Span *out)
{
	for (size_t i = from; i < text.len; i++) {
		size_t sign = at_sign(text, i), begin = i, end = i + sign;

		if (!sign)
			continue;
		if (begin > from && text.at[begin - 1] == '"') { /* "ann b"@example.org */
			for (begin--; begin > from && text.at[begin - 1] != '"'; begin--)
				continue;
			begin -= begin > from;
		}
		while (begin > from && in_address(text.at[begin - 1]))
			begin--;
		while (end < text.len &&
		       (in_address(text.at[end]) || strchr("[]:@", text.at[end])) && text.at[end])
			end++;
		if (begin < i && end > i + sign) {
			*out = (Span){ begin, end };
			return true;
		}
	}
	return false;
}

static bool luhn(const char *digits, size_t count)
{
	unsigned sum = 0;

	for (size_t i = 0; i < count; i++) {
		unsigned digit = (unsigned)(digits[count - 1 - i] - '0');

		if (i % 2)
			digit = digit > 4 ? digit * 2 - 9 : digit * 2;
		sum += digit;
	}
	return sum % 10 == 0;
}

/* What may stand between groups of digits; 0: something else, or no digit after it. */
static size_t separator(Str text, size_t at)
{
	static const Str between[] = { { " ", 1 },   { "-", 1 },        { ".", 1 }, { "+", 1 },
		                       { "%20", 3 }, { "\xc2\xa0", 2 }, { "_", 1 }, { "/", 1 } };
	Str rest = str_sub(text, at, text.len);

	for (size_t i = 0; i < COUNT(between); i++)
		if (str_starts(rest, between[i]))
			return rest.len > between[i].len && is_digit(rest.at[between[i].len])
			               ? between[i].len
			               : 0;
	return 0;
}

typedef struct Groups { /* of digits, with separators between them */
	char digits[CARD_MAX * 2 + 2];
	size_t count;              /* groups */
	size_t first[CARD_GROUPS]; /* where in digits each begins */
	Span span[CARD_GROUPS];
	size_t digit_count;
} Groups;

/* Reads groups from here on, until the room for them is used up; gives where it stopped. */
static size_t read_groups(Str text, size_t at, Groups *g)
{
	size_t gap = 0;

	do {
		at += gap;
		g->first[g->count] = g->digit_count;
		g->span[g->count].from = at;
		while (at < text.len && is_digit(text.at[at]) && g->digit_count < sizeof g->digits)
			g->digits[g->digit_count++] = text.at[at++];
		while (at < text.len && is_digit(text.at[at]))
			at++;
		g->span[g->count++].end = at;
		gap = at < text.len ? separator(text, at) : 0;
	} while (gap && g->count < CARD_GROUPS && g->digit_count < sizeof g->digits);
	return at;
}

static bool find_in_groups(const Groups *g, Span *out)
{
	for (size_t i = 0; i < g->count; i++) {
		for (size_t k = i; k < g->count; k++) {
			size_t end = k + 1 < g->count ? g->first[k + 1] : g->digit_count;
			size_t digits = end - g->first[i];

			if (digits < CARD_MIN || digits > CARD_MAX ||
			    !luhn(g->digits + g->first[i], digits))
				continue;
			*out = (Span){ g->span[i].from, g->span[k].end };
			return true;
		}
	}
	return false;
}

static bool find_card(Str text, size_t from, Span *out)
{
	size_t at = from;

	while (at < text.len) {
		Groups g = { 0 };
		size_t end;

		if (!is_digit(text.at[at])) {
			at++;
			continue;
		}
		end = read_groups(text, at, &g);
		if (find_in_groups(&g, out))
			return true;
		at = g.span[0].end; /* more groups may end in what did not fit */
		if (end == g.span[g.count - 1].end && g.count < CARD_GROUPS &&
		    g.digit_count < sizeof g.digits)
			at = end;
	}
	return false;
}

static bool in_token(char c)
{
	return (letter_of(c) != LETTER_NONE && (unsigned char)c < 0x80) || (c && strchr("_-.=", c));
}

static bool find_jwt(Str text, size_t from, Span *out)
{
	ptrdiff_t found;

	while ((found = str_find(str_sub(text, from, text.len), S("eyJ"))) >= 0) {
		size_t begin = from + (size_t)found, end = begin;

		while (end < text.len && in_token(text.at[end]))
			end++;
		if (end - begin >= 16) {
			*out = (Span){ begin, end };
			return true;
		}
		from = end;
	}
	return false;
}

typedef bool Detector(Str text, size_t from, Span *out);

static bool next_secret(Str text, size_t from, Span *out)
{
	static Detector *const detectors[] = { find_email, find_card, find_jwt };
	bool any = false;

	for (size_t i = 0; i < COUNT(detectors); i++) {
		Span span;

		if (detectors[i](text, from, &span) && (!any || span.from < out->from)) {
			*out = span;
			any = true;
		}
	}
	return any;
}

bool mask_has_shape(Str text)
{
	Span span;

	return next_secret(text, 0, &span);
}

bool mask_sees(const MaskRules *rules, Str text)
{
	return mask_named_in(rules, text) || mask_has_shape(text);
}

/* --- writing -------------------------------------------------------------------------------------------------------- */

typedef struct Cut { /* writes up to a length */
	Buf *b;
	size_t end;
	bool full;
} Cut;

static void cut_put(Cut *cut, Str piece)
{
	if (!cut->full && cut->b->len + piece.len > cut->end) {
		cut->full = true;
		buf_put(cut->b, S("..."));
	}
	if (!cut->full)
		buf_put(cut->b, piece);
}

static bool hides(uint32_t code) /* control characters, and those that turn the text around */
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0xad || code == 0x61c ||
	       (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2060 && code <= 0x206f) || code == 0xfeff ||
	       (code >= 0xfff0 && code <= 0xfffb) || (code >= 0xe0000 && code <= 0xe0fff);
}

static void cut_put_visible(Cut *cut, Str text)
{
	while (text.len && !cut->full) {
		uint32_t code = 0;
		size_t len = str_utf8(text, &code);
		char piece[16];

		if (len && !hides(code)) {
			cut_put(cut, str_sub(text, 0, len));
		} else {
			Buf b = { .at = piece, .cap = sizeof piece, .limit = sizeof piece };

			if (code == '\n' || code == '\r' || code == '\t')
				buf_put(&b, code == '\n'   ? S("\\n")
				            : code == '\r' ? S("\\r")
				                           : S("\\t"));
			else if (len && code > 0xff)
				buf_fmt(&b, "\\u%04x", code);
			else
				buf_fmt(&b, "\\x%02x", len ? code : (unsigned char)text.at[0]);
			cut_put(cut, buf_str(&b));
		}
		text = str_sub(text, MAX(len, (size_t)1), text.len);
	}
}

static void cut_put_text(Cut *cut, const MaskRules *rules, Str text)
{
	size_t at = 0;
	Span span;

	if (mask_named_in(rules, text)) {
		cut_put(cut, MASKED);
		return;
	}
	while (!cut->full && next_secret(text, at, &span)) {
		cut_put_visible(cut, str_sub(text, at, span.from));
		cut_put(cut, MASKED);
		at = span.end;
	}
	cut_put_visible(cut, str_sub(text, at, text.len));
}

void mask_put_text(Buf *b, const MaskRules *rules, Str text, size_t limit)
{
	Cut cut = { b, b->len + limit, false };

	cut_put_text(&cut, rules, text);
}

/* --- targets -------------------------------------------------------------------------------------------------------- */

static int hex_of(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool decode(Buf *b, Str text) /* did it change anything? */
{
	bool changed = false;

	buf_clear(b);
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (c == '%' && i + 2 < text.len && hex_of(text.at[i + 1]) >= 0 &&
		    hex_of(text.at[i + 2]) >= 0) {
			c = (char)(hex_of(text.at[i + 1]) * 16 + hex_of(text.at[i + 2]));
			i += 2;
		} else if (c == '+') {
			c = ' ';
		}
		changed |= c != text.at[i];
		buf_putc(b, c);
	}
	return changed;
}

typedef bool Looks(const MaskRules *rules, Str text);

/* Is it so of the text as it is, or decoded once, twice or thrice? */
static bool looks_so(Looks *looks, const MaskRules *rules, Str text)
{
	AUTO(buf_fini) Buf first = { 0 };
	AUTO(buf_fini) Buf second = { 0 };

	if (looks(rules, text))
		return true;
	if (!decode(&first, text))
		return false;
	if (looks(rules, buf_str(&first)))
		return true;
	if (!decode(&second, buf_str(&first)))
		return false;
	if (looks(rules, buf_str(&second)))
		return true;
	return decode(&first, buf_str(&second)) && looks(rules, buf_str(&first));
}

static bool only_a_word(Str text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((letter_of(text.at[i]) != LETTER_LOWER &&
		     letter_of(text.at[i]) != LETTER_UPPER && text.at[i] != '-' &&
		     text.at[i] != '_') ||
		    (unsigned char)text.at[i] >= 0x80)
			return false;
	return true;
}

static bool has_shape(const MaskRules *rules UNUSED, Str text)
{
	return mask_has_shape(text);
}

/* A parameter that names a secret is shown when it is nothing but a name: user[password]. */
static bool only_a_name(Str text, bool alone)
{
	for (size_t i = 0; i < text.len; i++)
		if (!only_a_word(str_sub(text, i, i + 1)) &&
		    (alone || !strchr("0123456789[].", text.at[i])))
			return false;
	return true;
}

static void put_parameter(Cut *cut, const MaskRules *rules, Str pair)
{
	ptrdiff_t equals = str_find_char(pair, '=');
	Str name = equals < 0 ? pair : str_sub(pair, 0, (size_t)equals);
	Str value = equals < 0 ? (Str){ 0 } : str_sub(pair, (size_t)equals + 1, pair.len);
	bool named = looks_so(mask_named_in, rules, name);

	if (looks_so(has_shape, rules, name) || (named && !only_a_name(name, equals < 0)))
		cut_put(cut, MASKED);
	else
		cut_put_visible(cut, name);
	if (equals < 0)
		return;
	cut_put(cut, S("="));
	if (named || looks_so(mask_sees, rules, value))
		cut_put(cut, MASKED);
	else
		cut_put_visible(cut, value);
}

static void put_query(Cut *cut, const MaskRules *rules, Str query)
{
	size_t from = 0;

	for (size_t i = 0; i <= query.len; i++) {
		if (i < query.len && !strchr("&;?#", query.at[i]))
			continue;
		put_parameter(cut, rules, str_sub(query, from, i));
		if (i < query.len)
			cut_put(cut, str_sub(query, i, i + 1));
		from = i + 1;
	}
}

/* The host after user and password, which go. */
static void put_authority(Cut *cut, const MaskRules *rules, Str text)
{
	ptrdiff_t sign = str_rfind_char(text, '@');

	if (sign >= 0) {
		cut_put(cut, S("***@"));
		text = str_sub(text, (size_t)sign + 1, text.len);
	}
	cut_put_text(cut, rules, text);
}

static bool is_scheme(Str part) /* "https:" */
{
	return str_ends(part, S(":")) && only_a_word(str_sub(part, 0, part.len - 1));
}

static void put_part(Cut *cut, const MaskRules *rules, Str part, bool *named)
{
	if (*named) {
		cut_put(cut, MASKED);
	} else if (looks_so(mask_named_in, rules, part)) {
		*named = true;
		cut_put(cut, only_a_word(part) ? part : MASKED);
	} else if (looks_so(has_shape, rules, part)) {
		cut_put(cut, MASKED);
	} else {
		cut_put_visible(cut, part);
	}
}

static void put_path(Cut *cut, const MaskRules *rules, Str path)
{
	bool named = false, scheme = false;
	Str rest = path, part;

	for (size_t i = 0; str_split(&rest, '/', &part); i++) {
		if (i)
			cut_put(cut, S("/"));
		if (i == 2 && scheme) {
			named = looks_so(mask_named_in, rules, part);
			put_authority(cut, rules, part);
		} else if (part.len && !(i == 0 && is_scheme(part))) {
			put_part(cut, rules, part, &named);
		} else {
			cut_put_visible(cut, part);
		}
		scheme = !part.len ? scheme || i == 0 : i == 0 && is_scheme(part);
	}
}

static void put_target(Cut *cut, const MaskRules *rules, Str target)
{
	size_t end = 0;

	while (end < target.len && target.at[end] != '?' && target.at[end] != '#')
		end++;
	put_path(cut, rules, str_sub(target, 0, end));
	if (end == target.len)
		return;
	cut_put(cut, str_sub(target, end, end + 1));
	put_query(cut, rules, str_sub(target, end + 1, target.len));
}

/* "GET /a HTTP/1.1": a space within the target, which none should have, is a part of it. */
void mask_put_target(Buf *b, const MaskRules *rules, Str target, size_t limit)
{
	Cut cut = { b, b->len + limit, false };
	ptrdiff_t method = str_find_char(target, ' '), version = str_rfind_char(target, ' ');
	Str before = { 0 }, after = { 0 };

	if (version > 0 && str_starts(str_sub(target, (size_t)version, target.len), S(" HTTP/"))) {
		after = str_sub(target, (size_t)version, target.len);
		target = str_sub(target, 0, (size_t)version);
	}
	if (method > 0 && (size_t)method < target.len &&
	    only_a_word(str_sub(target, 0, (size_t)method))) {
		before = str_sub(target, 0, (size_t)method + 1);
		target = str_sub(target, (size_t)method + 1, target.len);
	}
	cut_put_text(&cut, rules, before);
	put_target(&cut, rules, target);
	cut_put_text(&cut, rules, after);
}

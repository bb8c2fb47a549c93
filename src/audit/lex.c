/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens of Python, and lines counted by what they hold.
 *
 * radon's counts are copied to the digit, odd ones too: a colon that is not the last token of a line counts as a second logical line
 * (`x = {1: 2}` has two), before a semicolon it does even when it is. One rule is not: radon takes a form feed for the end of a line,
 * which no editor does. */
#include "audit/lex.h"

enum { NESTED_MOST = 20 };

Lex lex_new(Str text)
{
	if (str_starts(text, S("\xef\xbb\xbf")))
		text = str_sub(text, 3, text.len);
	return (Lex){ .text = text, .line = 1 };
}

/* --- characters ---------------------------------------------------------------------------------------------------------- */

static char at(const Lex *lex, size_t i)
{
	return i < lex->text.len ? lex->text.at[i] : '\0';
}

enum { NAME = 1, DIGIT = 2, PREFIX = 4, BLANK = 8, SIGN = 16, HALT = 32 };

/* What a character may be: of a name, a digit, a letter before a string, blank, an operator; HALT: of note inside of a string. */
static const uint8_t classes[256] = {
	['a'] = NAME,          ['A'] = NAME,          ['c' ... 'e'] = NAME,  ['C' ... 'E'] = NAME,
	['g' ... 'q'] = NAME,  ['G' ... 'Q'] = NAME,  ['s'] = NAME,          ['S'] = NAME,
	['v' ... 'z'] = NAME,  ['V' ... 'Z'] = NAME,  ['_'] = NAME,          [0x80 ... 0xff] = NAME,
	['b'] = NAME | PREFIX, ['f'] = NAME | PREFIX, ['r'] = NAME | PREFIX, ['t'] = NAME | PREFIX,
	['u'] = NAME | PREFIX, ['B'] = NAME | PREFIX, ['F'] = NAME | PREFIX, ['R'] = NAME | PREFIX,
	['T'] = NAME | PREFIX, ['U'] = NAME | PREFIX, ['0' ... '9'] = DIGIT, [' '] = BLANK,
	['\t'] = BLANK,        ['\f'] = BLANK,        ['\v'] = BLANK,        ['%'] = SIGN,
	['&'] = SIGN,          ['('] = SIGN,          [')'] = SIGN,          ['*'] = SIGN,
	['+'] = SIGN,          [','] = SIGN,          ['-'] = SIGN,          ['.'] = SIGN,
	['/'] = SIGN,          [':'] = SIGN,          [';'] = SIGN,          ['<'] = SIGN,
	['='] = SIGN,          ['>'] = SIGN,          ['@'] = SIGN,          ['['] = SIGN,
	[']'] = SIGN,          ['^'] = SIGN,          ['`'] = SIGN,          ['|'] = SIGN,
	['~'] = SIGN,          ['{'] = SIGN | HALT,   ['}'] = SIGN | HALT,   ['\''] = HALT,
	['"'] = HALT,          ['\\'] = HALT,         ['\n'] = HALT,         ['\r'] = HALT,
};

static bool is(char c, uint8_t class)
{
	return classes[(unsigned char)c] & class;
}

static bool is_digit(char c)
{
	return is(c, DIGIT);
}

/* Bytes of the line break at i; 0: there is none. */
static size_t break_at(const Lex *lex, size_t i)
{
	char c = at(lex, i);

	if (i >= lex->text.len || (c != '\n' && c != '\r'))
		return 0;
	return c == '\r' && at(lex, i + 1) == '\n' ? 2 : 1;
}

/* --- strings -------------------------------------------------------------------------------------------------------------- */

typedef struct Quoted {
	char quote;
	bool triple, braces; /* an f-string */
	bool open;           /* it never ends */
	uint32_t lines;
	unsigned nested;
} Quoted;

static size_t skip_string(const Lex *lex, size_t i, Quoted *q);

/* What a replacement field of an f-string is in: since Python 3.12 there may be strings in it with the same quotes. */
typedef struct Field {
	unsigned braces, brackets;
	bool spec; /* after its colon all is text again */
} Field;

/* One character inside of an f-string; true when it belongs to a field (or is a doubled brace), and *i is after it. */
static bool step_field(const Lex *lex, size_t *i, Field *f, Quoted *q)
{
	char c = at(lex, *i);

	if (c == '{' && !f->braces && at(lex, *i + 1) == '{') {
		*i += 2;
		return true;
	}
	if (c == '{' || (c == '}' && f->braces)) {
		f->braces += c == '{' ? 1 : -1U;
		f->spec = c == '}' && f->braces;
		++*i;
		return true;
	}
	if (!f->braces || f->spec)
		return false;
	if (c == '(' || c == '[')
		f->brackets++;
	else if ((c == ')' || c == ']') && f->brackets)
		f->brackets--;
	else if (c == ':' && !f->brackets)
		f->spec = true;
	if ((c == '\'' || c == '"') && q->nested < NESTED_MOST && !(q->triple && c == q->quote)) {
		Quoted inner = { .quote = c, .nested = q->nested + 1 };
		size_t end = skip_string(lex, *i, &inner);

		if (inner.open)
			return false;
		q->lines += inner.lines;
		*i = end;
		return true;
	}
	return false;
}

static bool closes(const Lex *lex, size_t i, const Quoted *q)
{
	return at(lex, i) == q->quote &&
	       (!q->triple || (at(lex, i + 1) == q->quote && at(lex, i + 2) == q->quote));
}

/* From the opening quote to after the closing one; an open string ends with its line, a triple one with the text. */
static size_t skip_string(const Lex *lex, size_t i, Quoted *q)
{
	Field field = { 0 };

	q->triple = at(lex, i + 1) == q->quote && at(lex, i + 2) == q->quote;
	i += q->triple ? 3 : 1;
	while (i < lex->text.len) {
		size_t end;

		if (!field.braces && !is(lex->text.at[i], HALT)) {
			i++;
			continue;
		}
		end = break_at(lex, i);
		if (end && !q->triple)
			break;
		if (at(lex, i) == '\\' && i + 1 < lex->text.len) {
			end = break_at(lex, i + 1);
			q->lines += end != 0;
			i += 1 + MAX(end, (size_t)1);
			continue;
		}
		if (q->braces && !end && step_field(lex, &i, &field, q))
			continue;
		if (closes(lex, i, q))
			return i + (q->triple ? 3 : 1);
		q->lines += end != 0;
		i += MAX(end, (size_t)1);
	}
	q->open = true;
	return i;
}

/* Letters before the quote of a string that begins here; -1: none begins. */
static int prefix_at(const Lex *lex, size_t i, bool *braces)
{
	int n = 0;
	char c;

	*braces = false;
	while (n < 3 && is(c = at(lex, i + (size_t)n), PREFIX)) {
		*braces = *braces || (c | 0x20) == 'f' || (c | 0x20) == 't';
		n++;
	}
	c = at(lex, i + (size_t)n);
	return c == '\'' || c == '"' ? n : -1;
}

/* --- numbers, operators ----------------------------------------------------------------------------------------------------- */

static size_t skip_digits(const Lex *lex, size_t i, bool hex)
{
	while (is_digit(at(lex, i)) || at(lex, i) == '_' ||
	       (hex && (at(lex, i) | 0x20) >= 'a' && (at(lex, i) | 0x20) <= 'f'))
		i++;
	return i;
}

static size_t skip_number(const Lex *lex, size_t i)
{
	char second = at(lex, i) == '0' ? (char)(at(lex, i + 1) | 0x20) : '\0';
	size_t power;

	if (second == 'x' || second == 'o' || second == 'b') {
		i = skip_digits(lex, i + 2, second == 'x');
	} else {
		i = skip_digits(lex, i, false);
		if (at(lex, i) == '.')
			i = skip_digits(lex, i + 1, false);
		power = i + 1 + (at(lex, i + 1) == '+' || at(lex, i + 1) == '-');
		if ((at(lex, i) | 0x20) == 'e' && is_digit(at(lex, power)))
			i = skip_digits(lex, power, false);
	}
	return i + ((at(lex, i) | 0x20) == 'j' || (at(lex, i) | 0x20) == 'l');
}

/* Operators of two and three characters are regular but for few. */
static size_t skip_operator(const Lex *lex, size_t i)
{
	char c = at(lex, i), second = at(lex, i + 1), third = at(lex, i + 2);

	switch (c) {
	case '*':
	case '/':
	case '<':
	case '>':
		if (second == c)
			return i + 2 + (third == '=');
		return i + 1 + (second == '=' || (c == '<' && second == '>'));
	case '.':
		return i + (second == '.' && third == '.' ? 3 : 1);
	case '-':
		return i + 1 + (second == '=' || second == '>');
	case '!':
		return i + (second == '=' ? 2 : 0);
	case '%':
	case '&':
	case '+':
	case ':':
	case '=':
	case '@':
	case '^':
	case '|':
		return i + 1 + (second == '=');
	default:
		return i + is(c, SIGN);
	}
}

/* --- one token -------------------------------------------------------------------------------------------------------------- */

static void skip_blanks(Lex *lex)
{
	for (;;) {
		char c = at(lex, lex->at);
		size_t end;

		if (is(c, BLANK)) {
			lex->at++;
		} else if (c == '\\' && (end = break_at(lex, lex->at + 1))) {
			lex->at += 1 + end;
			lex->line++;
		} else {
			return;
		}
	}
}

static Lexeme found(Lex *lex, LexKind kind, size_t end)
{
	Lexeme it = { .kind = kind,
		      .line = lex->line,
		      .text = { lex->text.at + lex->at, end - lex->at } };

	lex->at = end;
	lex->filled = lex->filled || kind != LEX_COMMENT;
	return it;
}

static Lexeme line_end(Lex *lex, size_t bytes)
{
	Lexeme it = { .kind = LEX_NEWLINE,
		      .line = lex->line,
		      .nl = lex->depth || !lex->filled,
		      .text = str_sub(lex->text, lex->at, lex->at + bytes) };

	lex->at += bytes;
	lex->line++;
	if (!lex->depth)
		lex->filled = false;
	return it;
}

static Lexeme string_at(Lex *lex, int prefix, bool braces)
{
	size_t from = lex->at + (size_t)prefix;
	Quoted q = { .quote = at(lex, from), .braces = braces };
	size_t end = skip_string(lex, from, &q);
	Lexeme it = found(lex, q.open ? LEX_ODD : LEX_STRING, end);

	it.lines = q.lines;
	lex->line += q.lines;
	return it;
}

static Lexeme operator_at(Lex *lex)
{
	size_t end = skip_operator(lex, lex->at);
	char c = at(lex, lex->at);

	if (end == lex->at)
		return found(lex, LEX_ODD, lex->at + 1);
	if (c == '(' || c == '[' || c == '{')
		lex->depth++;
	else if ((c == ')' || c == ']' || c == '}') && lex->depth)
		lex->depth--;
	return found(lex, LEX_OP, end);
}

Lexeme lex_next(Lex *lex)
{
	size_t end;
	bool braces;
	int prefix;
	char c;

	skip_blanks(lex);
	if (lex->at >= lex->text.len)
		return (Lexeme){ .kind = LEX_END, .line = lex->line };
	end = break_at(lex, lex->at);
	if (end)
		return line_end(lex, end);
	c = at(lex, lex->at);
	if (c == '#') {
		for (end = lex->at; end < lex->text.len && !break_at(lex, end);)
			end++;
		return found(lex, LEX_COMMENT, end);
	}
	prefix = is(c, PREFIX | HALT) ? prefix_at(lex, lex->at, &braces) : -1;
	if (prefix >= 0)
		return string_at(lex, prefix, braces);
	if (is_digit(c) || (c == '.' && is_digit(at(lex, lex->at + 1))))
		return found(lex, LEX_NUMBER, skip_number(lex, lex->at));
	if (!is(c, NAME))
		return operator_at(lex);
	for (end = lex->at; end < lex->text.len && is(lex->text.at[end], NAME | DIGIT);)
		end++;
	return found(lex, LEX_NAME, end);
}

/* --- lines ---------------------------------------------------------------------------------------------------------------- */

/* A logical line, from its first token to its end, or one with nothing on it. */
typedef struct Chunk {
	size_t from;
	uint32_t line;   /* that it begins on */
	uint32_t tokens; /* all but comments and ends of lines */
	uint32_t comments;
	bool string; /* its first token is one */
	uint32_t string_lines;
	/* of the part since the last semicolon: */
	uint32_t part, colon; /* how many tokens; where its last colon is, from 1; 0: none */
} Chunk;

static uint32_t part_lines(const Chunk *c, bool last)
{
	if (!c->colon)
		return c->part != 0;
	return 2 - (c->colon + 1 == c->part + last);
}

static void chunk_add(Chunk *c, const Lexeme *it, LineCounts *out)
{
	if (it->kind == LEX_COMMENT) {
		c->comments++;
		return;
	}
	if (!c->tokens++) {
		c->string = it->kind == LEX_STRING;
		c->string_lines = it->lines;
	}
	if (it->kind == LEX_OP && str_eq(it->text, S(";"))) {
		out->lloc += part_lines(c, false);
		c->part = c->colon = 0;
		return;
	}
	c->part++;
	if (it->kind == LEX_OP && str_eq(it->text, S(":")))
		c->colon = c->part;
}

static void count_lines(Str text, uint32_t *filled, uint32_t *blank)
{
	bool any = false;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (c == '\r' && i + 1 < text.len && text.at[i + 1] == '\n')
			continue;
		if (c != '\n' && c != '\r') {
			any = any || !(c == ' ' || c == '\t' || c == '\f' || c == '\v');
			continue;
		}
		*(any ? filled : blank) += 1;
		any = false;
	}
	if (text.len && text.at[text.len - 1] != '\n' && text.at[text.len - 1] != '\r')
		*(any ? filled : blank) += 1;
}

/* lines: that it ends; all of those are in the text but for one that the end of the text ends. */
static void chunk_end(Chunk *c, Str text, uint32_t lines, LineCounts *out)
{
	uint32_t filled = 0, blank = 0;

	out->comments += c->comments;
	out->lloc += part_lines(c, true);
	if (!c->tokens && c->comments) {
		out->single_comments++;
		return;
	}
	if (c->tokens == 1 && c->string && !c->comments && !c->string_lines) {
		out->single_comments++;
		return;
	}
	if (lines == 1)
		*(c->tokens ? &filled : &blank) = 1;
	else
		count_lines(text, &filled, &blank);
	out->blank += blank;
	*(c->tokens == 1 && c->string && !c->comments ? &out->multi : &out->sloc) += filled;
}

LineCounts lex_count(Str text)
{
	Lex lex = lex_new(text);
	LineCounts out = { 0 };
	Chunk chunk = { .line = 1 };
	Lexeme it;

	do {
		it = lex_next(&lex);
		if (it.kind == LEX_END ? lex.at > chunk.from
		                       : it.kind == LEX_NEWLINE && !lex.depth) {
			chunk_end(&chunk, str_sub(lex.text, chunk.from, lex.at),
			          it.kind == LEX_END ? 0 : lex.line - chunk.line, &out);
			chunk = (Chunk){ .from = lex.at, .line = lex.line };
		} else if (it.kind != LEX_NEWLINE && it.kind != LEX_END) {
			chunk_add(&chunk, &it, &out);
		}
	} while (it.kind != LEX_END);
	out.loc = out.sloc + out.multi + out.single_comments + out.blank;
	return out;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * nginx's tokens and blocks. The rules are nginx's own, with its oddities: a quote counts only where a word begins; after a
 * closing quote must come a blank, ";", "{" or ")"; a backslash keeps the next letter from ending the word and stays in
 * it unless it stands before a quote, a backslash or one of t, r, n; "#" begins a comment only where a word could begin;
 * "${" does not open a block. Blocks of Lua are skipped whole, for they have a syntax of their own.
 *
 * An include is replaced by what it names while the tree is made, so that nobody after this file knows of them. One list
 * of the files being read, from the inside out, finds circles; sums over all files keep hostile input from growing. */
#include "gateway/nginx_read.h"

#include "base/arena.h"
#include "base/file.h"

#include <glob.h>
#include <string.h>

typedef struct Reader {
	Arena *arena;
	Str folder; /* includes are taken from; at == NULL: includes stay as they are */
	size_t bytes, files, nodes;
} Reader;

typedef struct Source Source;
struct Source {
	Reader *reader;
	const Source *outer; /* the file whose include this is */
	Str file;
	Str text;
	size_t at;
	uint32_t line;
	uint32_t depth;
};

typedef enum TokenKind {
	TOKEN_WORD,
	TOKEN_SEMICOLON,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_END
} TokenKind;

typedef struct Token {
	TokenKind kind;
	uint32_t line;
	Str word;
} Token;

static Err *read_block(Source *s, NginxNode ***tail, bool inner) MUST_USE;

static Err *mistake(const Source *s, uint32_t line, const char *what)
{
	return err_new(s->reader->arena, ERR_INVALID, "nginx.syntax", "%.*s:%u: %s",
	               STR_ARG(s->file), line, what);
}

static Err *too_large(const Source *s, const char *what)
{
	return err_new(s->reader->arena, ERR_TOO_LARGE, "nginx.too_large", "%.*s:%u: %s",
	               STR_ARG(s->file), s->line, what);
}

static Err *unexpected(const Source *s, uint32_t line, char c)
{
	return err_new(s->reader->arena, ERR_INVALID, "nginx.syntax", "%.*s:%u: unexpected %.*s",
	               STR_ARG(s->file), line,
	               STR_ARG(str_quote(s->reader->arena, (Str){ &c, 1 })));
}

/* Words. */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool at_end(const Source *s)
{
	return s->at == s->text.len;
}

static char step(Source *s)
{
	char c = s->text.at[s->at++];

	s->line += c == '\n';
	return c;
}

static void skip_blanks(Source *s)
{
	bool comment = false;

	while (!at_end(s) && (comment || is_blank(s->text.at[s->at]) || s->text.at[s->at] == '#')) {
		char c = step(s);

		comment = c == '#' || (comment && c != '\n');
	}
}

/* What a backslash and this letter stand for; 0: the backslash stays. */
static char escaped(char c)
{
	switch (c) {
	case '"':
	case '\'':
	case '\\':
		return c;
	case 't':
		return '\t';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	default:
		return 0;
	}
}

/* Bytes that are no UTF-8 are taken for Latin-1, so that all after this is text. */
static Str unescape(Arena *a, Str raw)
{
	char *text = arena_alloc_raw(a, raw.len * 2 + 1);
	size_t len = 0;

	while (raw.len) {
		char c = raw.at[0] == '\\' && raw.len > 1 ? escaped(raw.at[1]) : 0;
		uint32_t code;
		size_t size = c ? 2 : str_utf8(raw, &code);

		if (c) {
			text[len++] = c;
		} else if (size) {
			memcpy(text + len, raw.at, size);
			len += size;
		} else {
			text[len++] = (char)(0xc0 | (unsigned char)raw.at[0] >> 6);
			text[len++] = (char)(0x80 | (raw.at[0] & 0x3f));
		}
		raw = str_sub(raw, MAX(size, (size_t)1), raw.len);
	}
	return (Str){ text, len };
}

static Err *finish_word(Source *s, Token *token, size_t from, size_t to)
{
	if (to - from > NGINX_MAX_WORD)
		return too_large(s, "a word is longer than 4096 bytes");
	token->kind = TOKEN_WORD;
	token->word = unescape(s->reader->arena, str_sub(s->text, from, to));
	if (str_find_char(token->word, 0) >= 0)
		return mistake(s, token->line, "a NUL is no text");
	return NULL;
}

static Err *read_quoted(Source *s, Token *token)
{
	char quote = step(s), c = 0;
	size_t from = s->at;

	while (!at_end(s) && (c = step(s)) != quote)
		if (c == '\\' && !at_end(s))
			step(s);
	if (c != quote)
		return mistake(s, token->line, "a quote is not closed");
	TRY(finish_word(s, token, from, s->at - 1));
	c = at_end(s) ? ';' : s->text.at[s->at];
	return is_blank(c) || c == ';' || c == '{' || c == ')' ? NULL : unexpected(s, s->line, c);
}

static Err *read_plain(Source *s, Token *token)
{
	size_t from = s->at;
	bool variable = false;

	while (!at_end(s)) {
		char c = s->text.at[s->at];

		if (c == '{' && variable) {
			step(s);
			continue;
		}
		if (is_blank(c) || c == ';' || c == '{')
			break;
		variable = c == '$';
		step(s);
		if (c == '\\' && !at_end(s))
			step(s);
	}
	return finish_word(s, token, from, s->at);
}

static Err *read_token(Source *s, Token *token)
{
	char c;

	skip_blanks(s);
	*token = (Token){ .kind = TOKEN_END, .line = s->line };
	if (at_end(s))
		return NULL;
	c = s->text.at[s->at];
	if (c == '"' || c == '\'')
		return read_quoted(s, token);
	if (c != ';' && c != '{' && c != '}')
		return read_plain(s, token);
	step(s);
	token->kind = c == ';' ? TOKEN_SEMICOLON : c == '{' ? TOKEN_OPEN : TOKEN_CLOSE;
	return NULL;
}

/* To the end of a string or comment of Lua that begins with this letter, if one does. */
static void skip_lua(Source *s, char c)
{
	bool comment = c == '-' && !at_end(s) && s->text.at[s->at] == '-';
	char last = c;

	if (c != '"' && c != '\'' && !comment)
		return;
	while (!at_end(s) && (last = step(s)) != (comment ? '\n' : c))
		if (last == '\\' && !comment && !at_end(s))
			step(s);
}

/* A block of Lua: balanced braces are all that is asked of it. */
static Err *skip_foreign(Source *s, uint32_t line)
{
	size_t depth = 1;

	while (depth && !at_end(s)) {
		char c = step(s);

		skip_lua(s, c);
		depth = depth + (c == '{') - (c == '}');
	}
	return depth ? mistake(s, line, "a \"}\" is missing") : NULL;
}

/* Includes. */

static Str folder_of(Str path)
{
	ptrdiff_t slash = str_rfind_char(path, '/');

	return slash < 0 ? S(".") : slash == 0 ? S("/") : str_sub(path, 0, (size_t)slash);
}

static Str full_name(const Reader *r, Str name)
{
	if (str_starts(name, S("/")) || str_eq(r->folder, S(".")))
		return name;
	return str_fmt(r->arena, "%.*s%s%.*s", STR_ARG(r->folder),
	               str_ends(r->folder, S("/")) ? "" : "/", STR_ARG(name));
}

static Err *take_file(Source *s, Str text)
{
	Reader *r = s->reader;

	r->bytes += text.len;
	r->files++;
	if (r->bytes > NGINX_MAX_BYTES)
		return too_large(s, "all files together are larger than 4 MiB");
	return r->files > NGINX_MAX_FILES ? too_large(s, "more than 1000 files are included")
	                                  : NULL;
}

static bool is_being_read(const Source *s, Str file)
{
	while (s && !str_eq(s->file, file))
		s = s->outer;
	return s != NULL;
}

/* A file that cannot be read leaves the include's node in its place, with the reason. */
static Err *include_file(Source *s, const NginxNode *node, Str file, NginxNode ***tail)
{
	Reader *r = s->reader;
	Source inner = { .reader = r, .outer = s, .file = file, .line = 1, .depth = s->depth + 1 };
	Str fault = S("it names no file");
	Err *err = NULL;

	if (is_being_read(s, file))
		fault = S("it includes itself");
	else if (file.len)
		err = file_read(r->arena, file, NGINX_MAX_BYTES, &inner.text);
	if (file.len && !err && !is_being_read(s, file)) {
		TRY(take_file(&inner, inner.text));
		return read_block(&inner, tail, false);
	}
	**tail = ARENA_NEW(r->arena, NginxNode);
	***tail = *node;
	(**tail)->fault = err ? err->text : fault;
	*tail = &(**tail)->next;
	return NULL;
}

static void glob_end(glob_t *found)
{
	globfree(found);
}

static Err *include(Source *s, const NginxNode *node, NginxNode ***tail)
{
	AUTO(glob_end) glob_t found = { 0 };
	Reader *r = s->reader;
	Str name = node->count == 1 ? full_name(r, node->words[0]) : S("");
	bool pattern = false;

	for (size_t i = 0; i < name.len; i++)
		pattern = pattern || strchr("*?[", name.at[i]);
	if (!pattern)
		return include_file(s, node, name, tail);
	if (glob(str_z(r->arena, name), 0, NULL, &found) != 0)
		return NULL;
	for (size_t i = 0; i < found.gl_pathc; i++)
		TRY(include_file(s, node, str_dup(r->arena, str_of(found.gl_pathv[i])), tail));
	return NULL;
}

/* Directives. */

static Err *read_words(Source *s, NginxNode *node, Token *end)
{
	Reader *r = s->reader;
	Str *words = NULL;
	size_t cap = 0;

	TRY(read_token(s, end));
	while (end->kind == TOKEN_WORD) {
		if (node->count == cap) {
			Str *more = ARENA_ARRAY(r->arena, Str, cap ? cap * 2 : 4);

			if (cap)
				memcpy(more, words, cap * sizeof *more);
			words = more;
			cap = cap ? cap * 2 : 4;
		}
		words[node->count++] = end->word;
		TRY(read_token(s, end));
	}
	node->words = words;
	if (end->kind == TOKEN_END)
		return mistake(s, s->line, "the file ends where \";\" or \"{\" was expected");
	return end->kind == TOKEN_CLOSE ? unexpected(s, end->line, '}') : NULL;
}

static Err *read_directive(Source *s, const Token *name, NginxNode ***tail)
{
	Reader *r = s->reader;
	NginxNode *node = ARENA_NEW(r->arena, NginxNode), **inside = &node->first;
	Token end;

	if (++r->nodes > NGINX_MAX_NODES)
		return too_large(s, "more than 100000 directives");
	*node = (NginxNode){ .file = s->file, .line = name->line, .name = name->word };
	node->number = (uint32_t)r->nodes;
	TRY(read_words(s, node, &end));
	node->block = end.kind == TOKEN_OPEN;
	if (str_eq(node->name, S("include")) && !node->block && r->folder.at)
		return include(s, node, tail);
	**tail = node;
	*tail = &node->next;
	if (!node->block)
		return NULL;
	if (str_ends(node->name, S("_by_lua_block")))
		return skip_foreign(s, node->line);
	s->depth++;
	TRY(read_block(s, &inside, true));
	s->depth--;
	return NULL;
}

/* Directives up to the block's or the file's end. */
static Err *read_block(Source *s, NginxNode ***tail, bool inner)
{
	Token token;

	if (s->depth > NGINX_MAX_DEPTH)
		return too_large(s, "blocks and includes are nested too deeply");
	for (;;) {
		TRY(read_token(s, &token));
		if (token.kind == TOKEN_SEMICOLON || token.kind == TOKEN_OPEN)
			return unexpected(s, token.line, token.kind == TOKEN_OPEN ? '{' : ';');
		if (token.kind == TOKEN_CLOSE)
			return inner ? NULL : unexpected(s, token.line, '}');
		if (token.kind == TOKEN_END)
			return inner ? mistake(s, s->line, "the file ends where \"}\" was expected")
			             : NULL;
		TRY(read_directive(s, &token, tail));
	}
}

Err *nginx_read_text(Arena *a, Str name, Str text, NginxNode **out)
{
	Reader r = { .arena = a };
	Source s = { .reader = &r, .file = name, .text = text, .line = 1 };
	NginxNode *first = NULL, **tail = &first;

	TRY(take_file(&s, text));
	TRY(read_block(&s, &tail, false));
	*out = first;
	return NULL;
}

Err *nginx_read_file(Arena *a, Str path, NginxNode **out)
{
	Reader r = { .arena = a, .folder = folder_of(path) };
	Source s = { .reader = &r, .file = path, .line = 1 };
	NginxNode *first = NULL, **tail = &first;

	TRY(file_read(a, path, NGINX_MAX_BYTES, &s.text));
	TRY(take_file(&s, s.text));
	TRY(read_block(&s, &tail, false));
	*out = first;
	return NULL;
}

Str nginx_quote(Arena *a, const NginxNode *node)
{
	Str text = node->name;

	for (size_t i = 0; i < node->count && text.len <= 60; i++)
		text = str_fmt(a, "%.*s %.*s", STR_ARG(text), STR_ARG(node->words[i]));
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.at[i] < ' ' || text.at[i] == 127)
			return str_quote(a, text);
	if (text.len > 60)
		return str_fmt(a, "%.*s...", 57, text.at);
	return text;
}

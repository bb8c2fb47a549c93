/* SPDX-License-Identifier: Apache-2.0
 *
 * Templates, in two halves. Compiling cuts a text into pieces, each some literal bytes and the name after them, and decides
 * for every name where in the result it stands: in a header's value, a host's name, a path, a query, the value of a query's
 * parameter. Expanding writes the pieces into one bounded buffer and escapes each value for its place, by a table with a bit
 * for every place: what is not allowed there is percent-encoded (in a host: refused).
 *
 * Escapes that a value brings along stay as they are, since canonical paths have them only where they are needed; but a
 * "%" that begins none (an expression's group may cut one in two) is escaped itself. In a parameter's value {path} and
 * {query} are texts of an address rather than values, so their "%" is escaped too: ?next={path} gives back the path. Claims are
 * texts everywhere. Some are chosen by whoever they are of, a user's name say, so in a path one is part of one segment or an
 * error: it is not empty, nor all dots, has no slash, and its ";" is escaped ("/..;/" is a step up to some servers).
 *
 * A value that begins with a slash after a slash gives one slash, so that /old{rest} and /old/{rest} mean the same, and
 * nothing that a client sends makes "//host" of a path. Rewriting with captures is where other servers had their worst
 * bugs: nothing here is written in place, and the size is checked byte by byte. */
#include "gateway/template.h"

#include "base/arena.h"
#include "base/buf.h"
#include "gateway/identity.h"
#include "gateway/route.h"
#include "gateway/route_pattern.h"
#include "http/url.h"

#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

typedef enum Place {
	IN_FIELD,
	IN_SCHEME, /* the address begins with {scheme} */
	IN_HOST,
	IN_PATH,
	IN_QUERY,
	IN_VALUE, /* of a parameter, or a fragment */
} Place;

typedef enum Name {
	NAME_NONE, /* literal bytes only */
	NAME_PART,
	NAME_REST,
	NAME_HOST,
	NAME_PATH,
	NAME_QUERY,
	NAME_SCHEME,
	NAME_CLIENT_IP,
	NAME_REQUEST_ID,
	NAME_CLAIM, /* the part is which */
	NAMES
} Name;

static const Str names[NAMES] = {
	[NAME_REST] = { "rest", 4 },
	[NAME_HOST] = { "host", 4 },
	[NAME_PATH] = { "path", 4 },
	[NAME_QUERY] = { "query", 5 },
	[NAME_SCHEME] = { "scheme", 6 },
	[NAME_CLIENT_IP] = { "client_ip", 9 },
	[NAME_REQUEST_ID] = { "request_id", 10 },
	[NAME_CLAIM] = { "claim:NAME", 10 },
};

typedef struct Piece {
	Str literal;
	Str part; /* the name, when it is one of the route's own */
	uint8_t name;
	uint8_t place;
} Piece;

struct Template {
	TemplateKind kind;
	bool address; /* not a path */
	size_t count;
	Piece *pieces;
};

static Err bad_host = ERR_STATIC(INVALID, "gateway.template_host",
                                 "a part of the request cannot stand in a host's name");
static Err bad_claim = ERR_STATIC(INVALID, "gateway.template_claim",
                                  "a claim of whoever asks cannot stand in a path");
static Err too_long = ERR_STATIC(URI_TOO_LONG, "gateway.template_long",
                                 "what was made of the request became too long");

/* --- what a route has ----------------------------------------------------------------------------------------------- */

enum { OWN_NAMES = 96 };

/* The names that a route's pattern gives. */
typedef struct Own {
	Str at[OWN_NAMES];
	size_t count;
} Own;

static void own_add(Own *own, Str name)
{
	if (own->count < OWN_NAMES)
		own->at[own->count++] = name;
}

static void own_groups(Own *own, Arena *a, const pcre2_code *code)
{
	uint32_t groups = 0, count = 0, size = 0;
	const char *table = NULL;

	pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &groups);
	pcre2_pattern_info(code, PCRE2_INFO_NAMECOUNT, &count);
	pcre2_pattern_info(code, PCRE2_INFO_NAMEENTRYSIZE, &size);
	pcre2_pattern_info(code, PCRE2_INFO_NAMETABLE, &table);
	for (uint32_t i = 0; i < count; i++)
		own_add(own, str_dup(a, str_of(table + i * size + 2)));
	for (uint32_t i = 0; i <= groups; i++)
		own_add(own, str_fmt(a, "%u", i));
}

static void own_of_expression(Own *own, Arena *a, Str expression)
{
	int error;
	PCRE2_SIZE at;
	pcre2_code *code =
		pcre2_compile((PCRE2_SPTR)expression.at, expression.len, 0, &error, &at, NULL);

	if (code)
		own_groups(own, a, code);
	pcre2_code_free(code);
}

static void own_find(Own *own, Arena *a, const MatchConf *match)
{
	Str rest = match->path, segment, expression;

	own->count = 0;
	if (route_is_expression(match->path, &expression)) {
		own_of_expression(own, a, expression);
		return;
	}
	while (str_split(&rest, '/', &segment))
		if (route_is_named(segment))
			own_add(own, str_sub(segment, 1, segment.len - 1));
	if (str_ends(match->path, S("/**"))) {
		own_add(own, S("rest"));
		own_add(own, S("**"));
	}
}

static bool own_has(const Own *own, Str name)
{
	for (size_t i = 0; i < own->count; i++)
		if (str_eq(own->at[i], name))
			return true;
	return false;
}

/* --- compiling ------------------------------------------------------------------------------------------------------ */

typedef struct Compiler {
	Arena *arena;
	TemplateKind kind;
	const Own *own; /* NULL: any name passes */
	Str rest;
	Template *out;
	Place place;
	bool begun; /* something stands before */
	Str mistake;
} Compiler;

static const Str no_host = S("an address needs a host: https://{host}{path}");
static const Str no_start = S("expected a path that begins with \"/\", or http:// or https://");

static bool fail(Compiler *c, Str why)
{
	c->mistake = why;
	return false;
}

static Str unknown(Compiler *c, Str name)
{
	Str all[OWN_NAMES + NAMES], near;
	size_t count = 0;

	for (size_t i = 0; i < c->own->count; i++)
		all[count++] = c->own->at[i];
	for (size_t i = NAME_HOST; i < NAMES; i++)
		all[count++] = names[i];
	near = str_nearest(name, all, count);
	if (str_eq(name, names[NAME_REST]) || str_eq(name, S("**")))
		return str_fmt(c->arena,
		               "there is no {%.*s} here: the route's path has no /** at its end",
		               STR_ARG(name));
	if (near.len)
		return str_fmt(c->arena, "there is no {%.*s} here: did you mean {%.*s}?",
		               STR_ARG(name), STR_ARG(near));
	return str_fmt(c->arena, "there is no {%.*s} here", STR_ARG(name));
}

static bool find_name(Compiler *c, Str text, Piece *piece)
{
	bool own = c->own && own_has(c->own, text);

	piece->part = text;
	if (str_eq(text, S("**")))
		text = names[NAME_REST];
	piece->name = NAME_PART;
	for (size_t i = NAME_REST; i < NAMES; i++)
		if (str_eq(text, names[i]) && (!own || i == NAME_REST))
			piece->name = (uint8_t)i;
	if (!c->own || own || (piece->name != NAME_PART && piece->name != NAME_REST))
		return true;
	return fail(c, unknown(c, piece->part));
}

static bool is_name(Str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    c != '_')
			return false;
	}
	return text.len > 0;
}

/* Bytes up to a name or the end, doubled braces made single. */
static bool take_literal(Compiler *c, Str *literal)
{
	char *to = arena_alloc_raw(c->arena, c->rest.len + 1);
	size_t len = 0, i = 0;

	for (; i < c->rest.len; i++) {
		char byte = c->rest.at[i];
		bool twice = i + 1 < c->rest.len && c->rest.at[i + 1] == byte;

		if (byte == '{' && !twice)
			break;
		if (byte == '}' && !twice)
			return fail(c, S("a brace that closes nothing: }} is a brace"));
		i += byte == '{' || byte == '}';
		to[len++] = byte;
	}
	*literal = (Str){ to, len };
	c->rest = str_sub(c->rest, i, c->rest.len);
	return true;
}

static bool take_name(Compiler *c, Piece *piece)
{
	ptrdiff_t end = str_find_char(c->rest, '}');
	Str name = end < 0 ? c->rest : str_sub(c->rest, 1, (size_t)end);

	if (end < 0)
		return fail(c, S("a brace is not closed: {{ is a brace"));
	if (str_starts(name, S("claim:")) && name.len > 6) {
		*piece = (Piece){ .literal = piece->literal,
			          .part = str_sub(name, 6, name.len),
			          .name = NAME_CLAIM };
		c->rest = str_sub(c->rest, (size_t)end + 1, c->rest.len);
		return true;
	}
	if (!is_name(name) && !str_eq(name, S("**")))
		return fail(c, S("expected a name in braces: {{ is a brace"));
	c->rest = str_sub(c->rest, (size_t)end + 1, c->rest.len);
	return find_name(c, name, piece);
}

/* The first bytes of an address or a path; *literal becomes what follows "://". */
static bool enter(Compiler *c, Str *literal)
{
	static const Str starts[] = { S("http://"), S("https://"), S("//"), S("://") };
	size_t first = c->place == IN_SCHEME ? 3 : 0, last = c->place == IN_SCHEME ? 4 : 3;

	for (size_t i = first; i < last; i++) {
		if (!str_starts(*literal, starts[i]))
			continue;
		*literal = str_sub(*literal, starts[i].len, literal->len);
		c->place = IN_HOST;
		c->out->address = true;
		return !literal->len || !strchr("/?#", literal->at[0]) || fail(c, no_host);
	}
	if (c->place == IN_SCHEME)
		return fail(c, S("{scheme} is followed by ://"));
	return str_starts(*literal, S("/")) || fail(c, no_start);
}

/* Where an address goes on after these bytes. */
static bool pass_url_literal(Compiler *c, Str literal)
{
	if (!c->begun || c->place == IN_SCHEME)
		if (!enter(c, &literal))
			return false;
	for (size_t i = 0; i < literal.len; i++) {
		char byte = literal.at[i];

		if (c->place == IN_HOST && byte == '/')
			c->place = IN_PATH;
		if (byte == '#')
			c->place = IN_VALUE;
		else if (c->place < IN_QUERY && byte == '?')
			c->place = IN_QUERY;
		else if (c->place == IN_QUERY && byte == '=')
			c->place = IN_VALUE;
		else if (c->place == IN_VALUE && byte == '&')
			c->place = IN_QUERY;
	}
	return true;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_escape(Str text)
{
	return text.len >= 3 && text.at[0] == '%' && is_hex(text.at[1]) && is_hex(text.at[2]);
}

static bool check_literal(Compiler *c, Str literal)
{
	bool url = c->kind != TEMPLATE_FIELD;

	for (size_t i = 0; i < literal.len; i++) {
		unsigned char byte = (unsigned char)literal.at[i];

		if (byte < ' ' || byte == 0x7f)
			return fail(c, S("control characters have no place in it"));
		if (url && (byte == ' ' || byte > '~' || strchr("\"<>\\^`{|}", byte)))
			return fail(
				c,
				S("blanks, \"<>\\^`{|} and letters beyond ASCII must be escaped"));
		if (url && byte == '%' && !is_escape(str_sub(literal, i, literal.len)))
			return fail(c, S("an escape is \"%\" and two hexadecimal digits"));
		if (c->kind == TEMPLATE_PATH && (byte == '?' || byte == '#'))
			return fail(c, S("it is a path: the query stays as it came"));
	}
	return true;
}

/* A name where an address or a path begins, or within a host's name. */
static bool pass_url_name(Compiler *c, const Piece *piece)
{
	bool path = piece->name == NAME_PATH || piece->name == NAME_REST;

	if (!c->begun && !piece->literal.len) {
		if (!path && piece->name != NAME_SCHEME)
			return fail(c, no_start);
		c->place = path ? IN_PATH : IN_SCHEME;
		return true;
	}
	if (c->place == IN_SCHEME)
		return fail(c, S("{scheme} is followed by ://"));
	if (c->place != IN_HOST || (!path && piece->name != NAME_QUERY))
		return true;
	if (!path || str_ends(piece->literal, S("//")))
		return fail(c, no_host);
	c->place = IN_PATH;
	return true;
}

static bool compile_piece(Compiler *c, Piece *piece)
{
	bool url = c->kind != TEMPLATE_FIELD;

	if (!take_literal(c, &piece->literal) || !check_literal(c, piece->literal))
		return false;
	if (url && piece->literal.len && !pass_url_literal(c, piece->literal))
		return false;
	if (c->rest.len && !take_name(c, piece))
		return false;
	if (url && piece->name && !pass_url_name(c, piece))
		return false;
	piece->place = (uint8_t)c->place;
	c->begun = true;
	return true;
}

static bool ends_well(Compiler *c)
{
	const Piece *last = &c->out->pieces[c->out->count - 1];

	if (c->kind == TEMPLATE_PATH && (c->out->address || c->place != IN_PATH))
		return fail(c, S("it must be a path that begins with \"/\""));
	if (c->place == IN_SCHEME ||
	    (c->place == IN_HOST && !last->name && str_ends(last->literal, S("//"))))
		return fail(c, no_host);
	return true;
}

/* Values as short as can be, so that what the literals alone make of the path shows. */
static void check_path(Compiler *c)
{
	static const UrlRules strict = { 0 };
	AUTO(buf_fini) Buf b = { 0 };
	const Err *err;
	Url url;

	for (size_t i = 0; i < c->out->count; i++) {
		const Piece *piece = &c->out->pieces[i];

		buf_put(&b, piece->literal);
		if (piece->name == NAME_PATH || piece->name == NAME_REST)
			buf_put(&b, S("/"));
		if (piece->name)
			buf_putc(&b, 'x');
	}
	err = url_canonical(c->arena, buf_str(&b), &strict, &url);
	if (err)
		fail(c, err->text);
}

static Str compile(Arena *a, TemplateKind kind, Str text, const Own *own, Template *out)
{
	Compiler c = { .arena = a, .kind = kind, .own = own, .rest = text, .out = out };
	size_t most = 1;

	for (size_t i = 0; i < text.len; i++)
		most += text.at[i] == '{';
	*out = (Template){ .kind = kind, .pieces = ARENA_ARRAY(a, Piece, most + 1) };
	c.place = kind == TEMPLATE_FIELD ? IN_FIELD : IN_PATH;
	if (!text.len)
		return kind == TEMPLATE_FIELD ? S("") : S("it is empty");
	while (c.rest.len)
		if (!compile_piece(&c, &out->pieces[out->count++]))
			return c.mistake;
	if (ends_well(&c) && kind == TEMPLATE_PATH)
		check_path(&c);
	return c.mistake;
}

Str template_mistake(Arena *a, TemplateKind kind, Str text, const MatchConf *match)
{
	Template t;
	Own own;

	if (match)
		own_find(&own, a, match);
	return compile(a, kind, text, match ? &own : NULL, &t);
}

const Template *template_new(Arena *a, TemplateKind kind, Str text, const MatchConf *match)
{
	Template *t = ARENA_NEW(a, Template);
	Own own;

	own_find(&own, a, match);
	compile(a, kind, text, &own, t);
	return t;
}

/* --- expanding ------------------------------------------------------------------------------------------------------ */

#define BIT(place) (1 << (place))
enum {
	ANYWHERE = BIT(IN_FIELD) | BIT(IN_SCHEME) | BIT(IN_HOST) | BIT(IN_PATH) | BIT(IN_QUERY) |
	           BIT(IN_VALUE),
	NO_HOST = ANYWHERE & ~BIT(IN_HOST),
	NO_VALUE = NO_HOST & ~BIT(IN_VALUE),
	FIELD = BIT(IN_FIELD),
};

/* Where a byte of a value stands for itself. "/" in a path and ":[]" in a host depend on the name. */
static const uint8_t allowed[256] = {
	[' '] = FIELD,
	['!'] = NO_HOST,
	['"'] = FIELD,
	['#'] = FIELD,
	['$'] = NO_HOST,
	['%'] = FIELD,
	['&'] = NO_VALUE,
	['\''] = NO_HOST,
	['('] = NO_HOST,
	[')'] = NO_HOST,
	['*'] = NO_HOST,
	['+'] = NO_VALUE,
	[','] = NO_HOST,
	['-'] = ANYWHERE,
	['.'] = ANYWHERE,
	['/'] = FIELD | BIT(IN_QUERY) | BIT(IN_VALUE),
	['0' ... '9'] = ANYWHERE,
	[':'] = NO_HOST,
	[';'] = NO_VALUE,
	['<'] = FIELD,
	['='] = NO_VALUE,
	['>'] = FIELD,
	['?'] = FIELD | BIT(IN_QUERY) | BIT(IN_VALUE),
	['@'] = NO_HOST,
	['A' ... 'Z'] = ANYWHERE,
	['['] = FIELD,
	['\\'] = FIELD,
	[']'] = FIELD,
	['^'] = FIELD,
	['_'] = ANYWHERE,
	['`'] = FIELD,
	['a' ... 'z'] = ANYWHERE,
	['{'] = FIELD,
	['|'] = FIELD,
	['}'] = FIELD,
	['~'] = ANYWHERE,
};

Str template_rest(const MatchConf *match, Str path)
{
	RoutePattern pattern;
	size_t at = 0;

	if (str_find_char(match->path, '{') < 0)
		return str_sub(path, match->path.len - 3, path.len);
	pattern = route_pattern(match);

	for (uint32_t i = 0; i < pattern.segments && at < path.len; i++) {
		ptrdiff_t slash = str_find_char(str_sub(path, at + 1, path.len), '/');

		at = slash < 0 ? path.len : at + 1 + (size_t)slash;
	}
	return str_sub(path, at, path.len);
}

static Str value_of(Arena *a, const Piece *piece, const TemplateValues *v)
{
	const Str values[NAMES] = {
		[NAME_HOST] = v->host,           [NAME_PATH] = v->path,
		[NAME_QUERY] = v->query,         [NAME_SCHEME] = v->scheme,
		[NAME_CLIENT_IP] = v->client_ip, [NAME_REQUEST_ID] = v->request_id,
	};
	Str part = { 0 };

	if (piece->name == NAME_REST)
		return template_rest(&v->route->conf->match, v->path);
	if (piece->name == NAME_PART)
		return route_part(v->route, v->path, piece->part, &part) ? part : S("");
	if (piece->name == NAME_CLAIM)
		return identity_claim(v->identity, a, piece->part);
	return values[piece->name];
}

static void put_byte(Buf *b, const Piece *piece, Str rest)
{
	static const char hex[] = "0123456789ABCDEF";
	unsigned char byte = (unsigned char)rest.at[0];
	bool is_path = piece->name <= NAME_REST || piece->name == NAME_PATH;
	bool is_text = piece->name == NAME_PATH || piece->name == NAME_QUERY;
	bool keep = allowed[byte] & BIT(piece->place);

	if (piece->place == IN_PATH && byte == '/')
		keep = is_path;
	else if (piece->place == IN_PATH && byte == ';')
		keep = keep && piece->name != NAME_CLAIM;
	else if (byte == '%' && !keep)
		keep = is_escape(rest) && !(is_text && piece->place == IN_VALUE) &&
		       piece->name != NAME_CLAIM;
	if (keep) {
		buf_putc(b, (char)byte);
		return;
	}
	buf_putc(b, '%');
	buf_putc(b, hex[byte >> 4]);
	buf_putc(b, hex[byte & 15]);
}

static Err *put_host(Buf *b, const Piece *piece, Str value)
{
	for (size_t i = 0; i < value.len; i++) {
		unsigned char byte = (unsigned char)value.at[i];

		if (!(allowed[byte] & BIT(IN_HOST)) &&
		    !(piece->name == NAME_HOST && strchr(":[]", byte)))
			return &bad_host;
	}
	if (!value.len)
		return &bad_host;
	buf_put(b, value);
	return NULL;
}

static bool is_segment(Str claim)
{
	size_t dots = 0;

	for (size_t i = 0; i < claim.len; i++) {
		if (claim.at[i] == '/' || claim.at[i] == '\\')
			return false;
		dots += claim.at[i] == '.';
	}
	return dots < claim.len;
}

static bool ends_in(const Buf *b, char c)
{
	return b->len && b->at[b->len - 1] == c;
}

static Err *put_value(Buf *b, const Piece *piece, Str value)
{
	if (piece->place == IN_HOST)
		return put_host(b, piece, value);
	if (piece->place == IN_PATH && piece->name == NAME_CLAIM && !is_segment(value))
		return &bad_claim;
	if (piece->place == IN_PATH) { /* one slash where two would meet */
		while (value.len && value.at[0] == '/' &&
		       (ends_in(b, '/') || (value.len > 1 && value.at[1] == '/')))
			value = str_sub(value, 1, value.len);
	}
	if (piece->place == IN_PATH && !b->len && !value.len)
		buf_putc(b, '/'); /* a rest of nothing begins no path */
	if (!value.len && piece->name == NAME_QUERY && (ends_in(b, '?') || ends_in(b, '&')))
		b->len--;
	for (size_t i = 0; i < value.len; i++)
		put_byte(b, piece, str_sub(value, i, value.len));
	return NULL;
}

static Err *put_pieces(const Template *t, Arena *a, const TemplateValues *v, Buf *b)
{
	for (size_t i = 0; i < t->count; i++) {
		const Piece *piece = &t->pieces[i];

		buf_put(b, piece->literal);
		if (piece->name)
			TRY(put_value(b, piece, value_of(a, piece, v)));
	}
	return b->broken ? &too_long : NULL;
}

Err *template_expand(const Template *t, Arena *a, const TemplateValues *v, Str *out)
{
	AUTO(buf_fini) Buf b = { .limit = TEMPLATE_BYTES_MAX };
	Url url;

	if (t->kind != TEMPLATE_PATH && t->count == 1 && !t->pieces[0].name) {
		*out = t->pieces[0].literal;
		return NULL;
	}
	TRY(put_pieces(t, a, v, &b));
	if (t->kind == TEMPLATE_PATH) {
		TRY(url_canonical(a, buf_str(&b), v->paths, &url));
		*out = str_dup(a, url.path);
		return NULL;
	}
	while (t->kind == TEMPLATE_URL && !t->address && str_starts(buf_str(&b), S("//")))
		buf_drop(&b, 1); /* it would be another host */
	*out = str_dup(a, buf_str(&b));
	return NULL;
}

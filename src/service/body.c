/* SPDX-License-Identifier: Apache-2.0
 *
 * What was sent, into the structs of the route's tables. A body is read whole, up to the route's limit, as JSON; forms and
 * queries are written as a JSON object of strings first, so that one reader judges all three: a name given twice, a NUL, bytes
 * that are no UTF-8 are refused in the same words. What makes the text no JSON at all is one mistake with the pointer of the place
 * where it stands (400); what a table does not like are mistakes all told at once (422). */
#include "base/arena.h"
#include "http/exchange.h"
#include "http/url.h"
#include "service/home_int.h"
#include "service/pointer_int.h"

enum { BODY_MOST = 64 << 10, QUERY_NAMES = 64 };

static Err wrong_type_json =
	ERR_STATIC(INVALID, "request.type", "the body must be application/json");
static Err wrong_type_form =
	ERR_STATIC(INVALID, "request.type", "the body must be application/x-www-form-urlencoded");
static Err coded = ERR_STATIC(INVALID, "request.coding", "the body must not be compressed");

/* --- bytes ------------------------------------------------------------------------------------------------------------- */

static bool is_type(const ServiceCall *c, Str wanted)
{
	Str type = headers_get(&c->x->request.headers, HTTP_CONTENT_TYPE);
	ptrdiff_t end = str_find_char(type, ';');
	Str name = str_trim(end < 0 ? type : str_sub(type, 0, (size_t)end));

	return str_eq_nocase(name, wanted) ||
	       (str_eq(wanted, S("application/json")) && str_starts(name, S("application/")) &&
	        str_ends(name, S("+json")));
}

static Err *read_bytes(ServiceCall *c, Buf *into)
{
	uint64_t most = c->route->body_max ? c->route->body_max : BODY_MOST;
	Str piece;

	TRY(http_limit_body(c->x, most));
	do {
		TRY(http_read(c->x, &piece));
		buf_put(into, piece);
	} while (piece.len);
	return NULL;
}

/* --- JSON -------------------------------------------------------------------------------------------------------------- */

/* The reader says where it gave up in its sentence: "... (offset 17): ...". */
static size_t offset_of(const Err *err)
{
	ptrdiff_t at = str_find(err->text, S("(offset "));
	uint64_t offset = 0;
	Str rest;

	if (at < 0)
		return 0;
	rest = str_sub(err->text, (size_t)at + 8, err->text.len);
	str_to_u64(str_sub(rest, 0, (size_t)MAX(str_find_char(rest, ')'), 0)), &offset);
	return (size_t)offset;
}

static Err *refuse_text(ServiceCall *c, Str text, const Err *err)
{
	static const struct {
		const char *slug, *code;
	} codes[] = {
		{ "json.duplicate_key", "duplicate" },
		{ "json.too_deep", "too_deep" },
	};
	const char *code = "syntax";
	size_t offset = offset_of(err);

	for (size_t i = 0; i < COUNT(codes); i++)
		code = err_is(err, codes[i].slug) ? codes[i].code : code;
	if (err_is(err, "json.syntax") && offset)
		offset--; /* it is behind what was not expected */
	field_mistake(&c->mistakes, pointer_at(c->arena, text, offset), code, "%.*s",
	              STR_ARG(err->text));
	return err_because(c->arena, err, ERR_INVALID, "request.json",
	                   "the body is not JSON as it must be");
}

static Err *read_json(ServiceCall *c, Str text)
{
	Err *err = json_read(c->arena, text, 0, &c->json);

	return err ? refuse_text(c, text, err) : NULL;
}

/* --- forms and queries ------------------------------------------------------------------------------------------------- */

static Str unplus(Arena *a, Str text)
{
	char *to;

	if (str_find_char(text, '+') < 0)
		return text;
	to = arena_alloc_raw(a, text.len);
	for (size_t i = 0; i < text.len; i++)
		to[i] = text.at[i] == '+' ? ' ' : text.at[i];
	return (Str){ to, text.len };
}

static bool decode(Arena *a, Str raw, Str *out)
{
	return !url_decode(a, unplus(a, raw), out);
}

/* "a=1&b=2" as {"a":"1","b":"2"}. False: an escape is none, or there are too many. A name twice stands in it twice. */
static bool pairs_to_json(Arena *a, Str pairs, Buf *out)
{
	JsonWriter w = json_writer(out);
	size_t count = 0;
	Str pair;

	json_begin_object(&w);
	while (pairs.len && str_split(&pairs, '&', &pair)) {
		ptrdiff_t eq = str_find_char(pair, '=');
		Str name, value;

		if (!pair.len)
			continue;
		if (++count > QUERY_NAMES ||
		    !decode(a, eq < 0 ? pair : str_sub(pair, 0, (size_t)eq), &name) ||
		    !decode(a, eq < 0 ? (Str){ 0 } : str_sub(pair, (size_t)eq + 1, pair.len),
		            &value))
			return false;
		json_key(&w, name);
		json_add_str(&w, value);
	}
	json_end(&w);
	return true;
}

static Err *read_pairs(ServiceCall *c, Str pairs, const char *what, const Json **out)
{
	AUTO(buf_fini) Buf b = { 0 };
	Err *err;

	if (!pairs_to_json(c->arena, pairs, &b))
		return err_new(c->arena, ERR_INVALID, "request.escape",
		               "the %s has an escape that is none, or more than %d names", what,
		               (int)QUERY_NAMES);
	err = json_read(c->arena, buf_str(&b), 0, out);
	return err ? refuse_text(c, buf_str(&b), err) : NULL;
}

/* --- both -------------------------------------------------------------------------------------------------------------- */

static Err *take_body(ServiceCall *c)
{
	AUTO(buf_fini) Buf b = { 0 };
	bool form = c->route->kind == SERVICE_BODY_FORM;

	if (!is_type(c, form ? S("application/x-www-form-urlencoded") : S("application/json")))
		return form ? &wrong_type_form : &wrong_type_json;
	if (headers_get(&c->x->request.headers, HTTP_CONTENT_ENCODING).len)
		return &coded;
	TRY(read_bytes(c, &b));
	if (form)
		return read_pairs(c, buf_str(&b), "form", &c->json);
	return read_json(c, buf_str(&b));
}

/* A parameter is told by its name, not by a pointer. */
static void read_query(ServiceCall *c, Str query)
{
	FieldMistakes own = { .arena = c->arena };
	const Json *json = NULL;
	void *into = arena_alloc(c->arena, c->route->query->size);

	if (read_pairs(c, query, "query", &json)) {
		field_mistake(&c->mistakes, S("?"), "syntax", "the query cannot be read");
		return;
	}
	fields_read(c->route->query, json, true, into, &own);
	for (size_t i = 0; i < own.count; i++)
		field_mistake(&c->mistakes,
		              str_fmt(c->arena, "?%.*s",
		                      STR_ARG(str_sub(own.at[i].pointer, 1,
		                                      own.at[i].pointer.len))),
		              own.at[i].code, "%.*s", STR_ARG(own.at[i].text));
	c->query = into;
}

Err *body_take(ServiceCall *c)
{
	const ServiceRoute *route = c->route;
	void *into;

	if (route->kind == SERVICE_BODY_OWN)
		return NULL;
	if (route->query) {
		Url url = url_raw(c->x->request.target);

		read_query(c, url.query);
	}
	if (!route->body)
		return service_mistakes(c);
	TRY(take_body(c));
	into = arena_alloc(c->arena, MAX(route->body->size, (size_t)1));
	fields_read(route->body, c->json, route->kind == SERVICE_BODY_FORM, into, &c->mistakes);
	c->in = into;
	return service_mistakes(c);
}

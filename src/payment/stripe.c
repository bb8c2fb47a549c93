/* SPDX-License-Identifier: Apache-2.0
 *
 * What Stripe's clients send: forms with brackets in bodies and queries, JSON as well. It is looked at for card numbers before anything else
 * sees it, then read into the struct of a table, whose first mistake becomes Stripe's error with its `param`.
 *
 * Members that any request may have (expand, and of a list limit, starting_after, ending_before, created) stand in no table: that no row names
 * them is forgiven here. */
#include "payment/stripe_int.h"

#include "base/arena.h"
#include "base/time.h"
#include "http/exchange.h"
#include "http/server.h"
#include "http/url.h"
#include "payment/guard.h"
#include "payment/stripe_form.h"
#include "rt/fiber.h"

#include <stdarg.h>
#include <stdio.h>

enum { SENTENCE_BYTES = 512, KEY_BYTES = 40, VALUE_BYTES = 500 };
#define BODY_US (30 * US_PER_S)

static Err has_card = ERR_STATIC(
	INVALID, "payment.card_number",
	"card numbers and their check codes are never sent here: give them to the provider, which gives a token");
static Err wrong_type =
	ERR_STATIC(INVALID, "request.type", "the body must be a form or application/json");
static Err coded = ERR_STATIC(INVALID, "request.coding", "the body must not be compressed");
static Err no_object = ERR_STATIC(INVALID, "request.json", "the body must be an object");

static void forget_body(void *arg)
{
	buf_fini(arg);
}

StripeCall *stripe_of(ServiceCall *c)
{
	StripeCall *s = (StripeCall *)(uintptr_t)c->in;

	if (!s) {
		s = ARENA_NEW(c->arena, StripeCall);
		arena_defer(c->arena, forget_body, &s->body);
		c->in = s;
	}
	return s;
}

/* --- reading ------------------------------------------------------------------------------------------------------------- */

static Err *read_bytes(ServiceCall *c, Buf *into)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(BODY_US);
	Str piece;

	TRY(http_limit_body(c->x, STRIPE_BODY_MOST));
	do {
		TRY(http_read(c->x, &piece));
		buf_put(into, piece);
	} while (piece.len);
	return NULL;
}

static Str type_of(const ServiceCall *c)
{
	Str type = headers_get(&c->x->request.headers, HTTP_CONTENT_TYPE), name;

	return str_split(&type, ';', &name) ? str_trim(name) : S("");
}

static Err *read_body(ServiceCall *c, StripeCall *s)
{
	AUTO(buf_fini) Buf b = { 0 };
	Str type = type_of(c), text;

	if (headers_get(&c->x->request.headers, HTTP_CONTENT_ENCODING).len)
		return &coded;
	TRY(read_bytes(c, &b));
	text = str_dup(c->arena, buf_str(&b));
	if (!text.len || str_eq_nocase(type, S("application/x-www-form-urlencoded"))) {
		s->words = true;
		return stripe_form_read(c->arena, text, &s->json);
	}
	if (!str_eq_nocase(type, S("application/json")))
		return &wrong_type;
	TRY(json_read(c->arena, text, 0, &s->json));
	return json_kind(s->json) == JSON_KIND_OBJECT ? NULL : &no_object;
}

/* --- mistakes ------------------------------------------------------------------------------------------------------------ */

static bool is_everybodys(Str pointer, bool reads)
{
	static const Str names[] = { S("/expand"), S("/limit"), S("/starting_after"),
		                     S("/ending_before"), S("/created") };

	for (size_t i = 0; i < (reads ? COUNT(names) : 1); i++)
		if (str_starts(pointer, names[i]) &&
		    (pointer.len == names[i].len || pointer.at[names[i].len] == '/'))
			return true;
	return false;
}

/* "/items/0/price" as "items[0][price]" */
static const char *param_of(Arena *a, Str pointer)
{
	AUTO(buf_fini) Buf b = { 0 };
	Str rest = str_sub(pointer, 1, pointer.len), part;
	bool first = true;

	while (rest.len && str_split(&rest, '/', &part)) {
		buf_fmt(&b, first ? "%.*s" : "[%.*s]", STR_ARG(part));
		first = false;
	}
	return str_z(a, buf_str(&b));
}

static const char *code_of(const FieldMistake *mistake)
{
	static const struct {
		const char *ours, *theirs;
	} codes[] = {
		{ "required", "parameter_missing" },
		{ "unknown", "parameter_unknown" },
		{ "range", "parameter_invalid_integer" },
		{ "too_short", "parameter_invalid_empty" },
	};

	for (size_t i = 0; i < COUNT(codes); i++)
		if (str_eq(str_of(mistake->code), str_of(codes[i].ours)))
			return codes[i].theirs;
	return "parameter_invalid_string";
}

static Err *judge(ServiceCall *c, StripeCall *s, const FieldMistakes *own)
{
	bool reads = !str_eq(c->x->request.method, S("POST"));
	const FieldMistake *first = NULL;

	for (size_t i = 0; i < own->count; i++) {
		const FieldMistake *one = &own->at[i];

		if (str_eq(str_of(one->code), S("unknown")) && is_everybodys(one->pointer, reads))
			continue;
		first = first ? first : one;
		field_mistake(&c->mistakes, one->pointer, one->code, "%.*s", STR_ARG(one->text));
	}
	if (!first)
		return NULL;
	s->param = param_of(c->arena, first->pointer);
	s->code = code_of(first);
	return err_new(c->arena, ERR_INVALID, "request.fields", "%.*s", STR_ARG(first->text));
}

/* Clients put what they want of a DELETE into the query, curl's people into the body. */
static bool asks_by_query(const Head *request)
{
	bool deletes = str_eq(request->method, S("DELETE"));

	return str_eq(request->method, S("GET")) || str_eq(request->method, S("HEAD")) ||
	       (deletes && url_raw(request->target).query.len > 0);
}

Err *stripe_take(ServiceCall *c, const FieldTable *table, void *into)
{
	static const FieldTable nothing = { "Nothing", .size = 0 };
	FieldMistakes own = { .arena = c->arena };
	StripeCall *s = stripe_of(c);
	Str where;

	if (guard_has_card(c->x->request.target) ||
	    guard_has_card(service_header(c, "Idempotency-Key")))
		return &has_card;
	if (asks_by_query(&c->x->request)) {
		s->words = true;
		TRY(stripe_form_read(c->arena, url_raw(c->x->request.target).query, &s->json));
	} else {
		TRY(read_body(c, s));
	}
	if (guard_finds(s->json, &where)) {
		s->param = str_z(c->arena, guard_hide(c->arena, where));
		return &has_card;
	}
	fields_read(table ? table : &nothing, s->json, s->words, table ? into : s, &own);
	TRY(judge(c, s, &own));
	return str_eq(c->x->request.method, S("POST")) ? once_begin(c) : NULL;
}

bool stripe_expands(const ServiceCall *c, const char *path)
{
	const StripeCall *s = c->in;
	const Json *list = s ? json_get(s->json, S("expand")) : NULL;
	Str text, want = str_of(path);

	for (size_t i = 0; i < MIN(json_count(list), (size_t)STRIPE_EXPAND_MOST); i++)
		if (json_to_str(json_at(list, i), &text) &&
		    (str_eq(text, want) || (str_starts(text, want) && text.at[want.len] == '.') ||
		     (str_starts(text, S("data.")) && str_eq(str_sub(text, 5, text.len), want))))
			return true;
	return false;
}

/* --- ids and parameters that are wrong ---------------------------------------------------------------------------------- */

Err *stripe_wrong(ServiceCall *c, const char *param, const char *code, const char *fmt, ...)
{
	StripeCall *s = stripe_of(c);
	char text[SENTENCE_BYTES];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	s->param = param;
	s->code = code;
	return err_new(c->arena, ERR_INVALID, "request.fields", "%s", text);
}

Err *stripe_missing(ServiceCall *c, const char *what, Str id, const char *param)
{
	StripeCall *s = stripe_of(c);

	s->param = param;
	s->code = "resource_missing";
	return err_new(c->arena, ERR_NOT_FOUND, "payment.unknown", "No such %s: '%.*s'", what,
	               STR_ARG(str_sub(guard_hide(c->arena, id), 0, 100)));
}

Err *stripe_id_of(ServiceCall *c, Str text, const char *prefix, const char *param, Uuid *id)
{
	if (service_id_read(text, prefix, id))
		return NULL;
	return stripe_missing(c, "object", text, param);
}

Err *stripe_id(ServiceCall *c, const char *prefix, Uuid *id)
{
	return stripe_id_of(c, service_part(c, "id"), prefix, "id", id);
}

/* --- metadata ------------------------------------------------------------------------------------------------------------ */

static Err *wrong_metadata(ServiceCall *c, const char *what)
{
	return stripe_wrong(c, "metadata", "parameter_invalid_string", "metadata %s", what);
}

static Err *check_pair(ServiceCall *c, Str key, const Json *value, Str *text)
{
	int64_t n;
	bool yes;

	if (!key.len || key.len > KEY_BYTES || str_find_char(key, '[') >= 0 ||
	    str_find_char(key, ']') >= 0)
		return wrong_metadata(c, "has keys of 1 to 40 bytes, without square brackets");
	*text = S("");
	if (json_to_i64(value, &n))
		*text = str_fmt(c->arena, "%" PRId64, n);
	else if (json_to_bool(value, &yes))
		*text = yes ? S("true") : S("false");
	else if (json_kind(value) != JSON_KIND_NULL && !json_to_str(value, text))
		return wrong_metadata(c, "has texts, and nothing within");
	return text->len <= VALUE_BYTES ? NULL : wrong_metadata(c, "has values of up to 500 bytes");
}

/* A key that is in the change stands there, or goes. */
static Err *put_changed(ServiceCall *c, JsonWriter *w, const Json *change, size_t *count)
{
	const Json *value;
	void *at = NULL;
	Str key, text;

	while (json_next(change, &at, &key, &value)) {
		TRY(check_pair(c, key, value, &text));
		if (!text.len)
			continue;
		++*count;
		json_key(w, key);
		json_add_str(w, text);
	}
	return NULL;
}

Err *stripe_metadata(ServiceCall *c, Str before, const Json *change, Str *after)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	const Json *old = NULL, *value;
	size_t count = 0;
	void *at = NULL;
	Str key, text;
	bool none = json_to_str(change, &text) && !text.len;

	if (change && !none && json_kind(change) != JSON_KIND_OBJECT &&
	    json_kind(change) != JSON_KIND_NULL)
		return wrong_metadata(c, "is an object of texts");
	if (before.len)
		TRY(json_read(c->arena, before, 0, &old));
	json_begin_object(&w);
	while (!none && json_next(old, &at, &key, &value))
		if (!json_get(change, key) && json_to_str(value, &text)) {
			count++;
			json_key(&w, key);
			json_add_str(&w, text);
		}
	if (json_kind(change) == JSON_KIND_OBJECT)
		TRY(put_changed(c, &w, change, &count));
	json_end(&w);
	if (count > STRIPE_METADATA_MOST)
		return wrong_metadata(c, "has 50 keys at most");
	TRY(json_done(&w, &text));
	*after = str_dup(c->arena, text);
	return NULL;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * What is said in Stripe's manner. One body is both a problem document (RFC 9457, which lets further members stand in it) and Stripe's
 * error: clients of either kind find theirs. Stripe's clients choose their exception by the status, and by `type` where that is 400.
 *
 *   {"type":"urn:banyan:problem:payment.unknown","title":"Not Found","status":404,"detail":"No such customer: 'cus_1'",
 *    "code":"payment.unknown","request_id":"...","error":{"type":"invalid_request_error","code":"resource_missing",
 *    "message":"No such customer: 'cus_1'","param":"id"}} */
#include "payment/stripe_int.h"

#include "base/arena.h"
#include "http/exchange.h"
#include "payment/stripe_expand.h"
#include "base/time.h"

enum { LIST_LIMIT = 10, LIST_MOST = 100 };

/* --- errors -------------------------------------------------------------------------------------------------------------- */

/* What is not told by an error's kind alone: its status and Stripe's words for it. */
static const struct Said {
	const char *slug;
	unsigned status;
	const char *type, *code;
} said[] = {
	{ "idempotency.mismatch", 422, "idempotency_error", "idempotency_key_mismatch" },
	{ "idempotency.running", 409, "idempotency_error", "idempotency_key_in_use" },
	{ "request.type", 415, "invalid_request_error", NULL },
	{ "request.coding", 415, "invalid_request_error", NULL },
	{ "payment.card_number", 400, "invalid_request_error", "card_number_refused" },
	{ "payment.state", 400, "invalid_request_error", "payment_intent_unexpected_state" },
	{ "payment.open", 409, "invalid_request_error", "lock_timeout" },
	{ "db.unique", 409, "invalid_request_error",
	  "lock_timeout" }, /* another request was faster */
	{ "db.foreign_key", 500, "api_error", NULL },
	{ "db.check", 500, "api_error", NULL },
	{ "db.not_null", 500, "api_error", NULL },
	{ "db.full_disk", 503, "api_error", NULL },
	{ "db.read_only", 503, "api_error", NULL },
	{ "db.io", 503, "api_error", NULL },
	{ "db.unknown", 503, "api_error", NULL },
};

static const struct Said *said_of(const Err *err)
{
	for (size_t i = 0; i < COUNT(said); i++)
		if (err_is(err, said[i].slug))
			return &said[i];
	return NULL;
}

static bool is_stripes(const ServiceCall *c)
{
	return service_header(c, "X-Stripe-Client-User-Agent").len > 0;
}

/* Stripe's own clients know that a key came with other parameters by 400 alone. */
static unsigned status_of(const ServiceCall *c, const Err *err)
{
	const struct Said *row = said_of(err);

	if (err_is(err, "idempotency.mismatch") && is_stripes(c))
		return 400;
	return row ? row->status : (unsigned)err_status(err);
}

static const char *type_of(unsigned status)
{
	return status == 402 ? "card_error" : status >= 500 ? "api_error" : "invalid_request_error";
}

static Str detail_of(const Err *err, unsigned status)
{
	if (err_is(err, "db.unique"))
		return S("another request changed this at the same time: try again");
	if (status < 500)
		return err->text;
	if (status == 503 || status == 504)
		return S("this cannot be done just now: try again in a moment");
	return S("something went wrong here; the log has it under this request_id");
}

static void put_mistakes(JsonWriter *w, const FieldMistakes *m)
{
	json_key(w, S("errors"));
	json_begin_array(w);
	for (size_t i = 0; i < m->count; i++) {
		json_begin_object(w);
		json_put_str(w, "pointer", m->at[i].pointer);
		json_put_str(w, "code", str_of(m->at[i].code));
		json_put_str(w, "detail", m->at[i].text);
		json_end(w);
	}
	json_end(w);
}

static void put_head(ServiceCall *c, JsonWriter *w, const char *slug, unsigned status, Str detail)
{
	json_put_str(w, "type", str_fmt(c->arena, "urn:banyan:problem:%s", slug));
	json_put_str(w, "title", http_reason(status));
	json_put_u64(w, "status", status);
	json_put_str(w, "detail", detail);
	json_put_str(w, "code", str_of(slug));
	json_put_str(w, "request_id", c->request_id);
}

void stripe_put_problem(ServiceCall *c, JsonWriter *w, const Err *err, unsigned status)
{
	const StripeCall *s = stripe_of(c);
	const struct Said *row = said_of(err);
	const char *code = s->code ? s->code : row ? row->code : NULL;

	json_begin_object(w);
	put_head(c, w, err->slug, status, detail_of(err, status));
	if (c->mistakes.count)
		put_mistakes(w, &c->mistakes);
	json_key(w, S("error"));
	json_begin_object(w);
	json_put_str(w, "type", str_of(row ? row->type : type_of(status)));
	if (status == 429)
		code = "rate_limit";
	if (code)
		json_put_str(w, "code", str_of(code));
	json_put_str(w, "message", detail_of(err, status));
	if (s->param)
		json_put_str(w, "param", str_of(s->param));
	json_end(w);
	json_end(w);
}

static void common_headers(ServiceCall *c)
{
	Str version = service_header(c, "Stripe-Version");

	service_say_header(c, "Request-Id", c->request_id);
	if (version.len)
		service_say_header(c, "Stripe-Version", version);
}

Err *stripe_fail(ServiceCall *c, const Err *err)
{
	const StripeCall *s = stripe_of(c);
	unsigned status = status_of(c, err);

	common_headers(c);
	if (err == stripe_kept()) {
		service_say(c, s->once.status,
		            s->once.status < 400 ? S("application/json")
		                                 : S("application/problem+json"),
		            s->once.body);
		service_say_header(c, "Idempotent-Replayed", S("true"));
		return NULL;
	}
	stripe_put_problem(c, stripe_json(c), err, status);
	service_say(c, status, S("application/problem+json"), buf_str(&s->body));
	if (status == 401)
		service_say_header(c, "WWW-Authenticate", S("Bearer"));
	return NULL;
}

void stripe_refuse(ServiceCall *c, const StripeRefusal *refusal)
{
	JsonWriter *w = stripe_json(c);

	c->status = refusal->status;
	json_begin_object(w);
	put_head(c, w, "payment.declined", refusal->status, refusal->message);
	json_key(w, S("error"));
	json_begin_object(w);
	json_put_str(w, "type", str_of(type_of(refusal->status)));
	json_put_str(w, "code", refusal->code);
	if (refusal->decline_code.len)
		json_put_str(w, "decline_code", refusal->decline_code);
	json_put_str(w, "message", refusal->message);
	if (refusal->charge.len)
		json_put_str(w, "charge", refusal->charge);
	if (refusal->object.len)
		stripe_put_json(w, "payment_intent", refusal->object);
	json_end(w);
	json_end(w);
}

/* --- answers ------------------------------------------------------------------------------------------------------------- */

JsonWriter *stripe_json(ServiceCall *c)
{
	StripeCall *s = stripe_of(c);

	buf_clear(&s->body);
	s->json_out = json_writer(&s->body);
	s->answer = S("");
	return &s->json_out;
}

/* An id anywhere in an answer is one of what its reader may read, or stays an id: who writes metadata writes ids there too. */
static size_t readable(const ServiceCall *c, StripeKind kinds[STRIPE_KINDS_MOST])
{
	size_t all, count = 0;
	const StripeKind *from = stripe_kinds(&all);

	for (size_t i = 0; i < all; i++)
		if (service_has_scope(c, from[i].scope))
			kinds[count++] = from[i];
	return count;
}

Err *stripe_answer(ServiceCall *c, Db *db, Str *answer)
{
	StripeCall *s = stripe_of(c);
	const Json *paths = json_get(s->json, S("expand"));
	StripeKind kinds[STRIPE_KINDS_MOST];
	size_t count;
	Str body;

	TRY(json_done(&s->json_out, &body));
	if (!s->answer.len && json_count(paths) && c->status < 400) {
		count = readable(c, kinds);
		TRY(stripe_expand(db, c->arena, kinds, count, body, paths, &s->answer));
	}
	*answer = s->answer.len ? s->answer : body;
	return NULL;
}

Err *stripe_say(ServiceCall *c)
{
	unsigned status = c->status ? c->status : 200;
	Str body;

	TRY(stripe_answer(c, c->db, &body));
	common_headers(c);
	service_say(c, status, status < 400 ? S("application/json") : S("application/problem+json"),
	            body);
	return NULL;
}

void stripe_begin(JsonWriter *w, Str id, const char *object)
{
	json_begin_object(w);
	json_put_str(w, "id", id);
	json_put_str(w, "object", str_of(object));
}

void stripe_put_time(JsonWriter *w, const char *key, int64_t us)
{
	if (us) {
		json_put_i64(w, key, us / US_PER_S);
		return;
	}
	json_key(w, str_of(key));
	json_add_null(w);
}

void stripe_put_text(JsonWriter *w, const char *key, Str text)
{
	if (text.len) {
		json_put_str(w, key, text);
		return;
	}
	json_key(w, str_of(key));
	json_add_null(w);
}

void stripe_put_json(JsonWriter *w, const char *key, Str json)
{
	json_key(w, str_of(key));
	json_add_raw(w, json.len ? json : S("null"));
}

void stripe_put_id(JsonWriter *w, Arena *a, const char *key, const char *prefix, OptUuid id)
{
	stripe_put_text(w, key, id.set ? service_id_text(a, prefix, id.v) : S(""));
}

static bool is_live; /* set before the first request */

void stripe_live(bool live)
{
	is_live = live;
}

void stripe_put_live(JsonWriter *w)
{
	json_put_bool(w, "livemode", is_live);
}

Str stripe_text(Arena *a, StripePut *put, const void *object)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Str text;

	put(&w, a, object);
	return json_done(&w, &text) ? S("null") : str_dup(a, text);
}

/* --- lists ---------------------------------------------------------------------------------------------------------------- */

static bool number_of(const Json *value, int64_t *out)
{
	Str text;

	return json_to_i64(value, out) || (json_to_str(value, &text) && str_to_i64(text, out));
}

/* A second of this era: nothing was made before it or is made after. */
static bool second_of(const Json *value, int64_t *out)
{
	bool found = number_of(value, out);

	if (found)
		*out = MAX(MIN(*out, INT64_C(9999999999)), INT64_C(0));
	return found;
}

/* The least id of that second. */
static Uuid id_at(int64_t s)
{
	uint64_t ms = (uint64_t)s * 1000;
	Uuid id = { { 0 } };

	for (size_t i = 0; i < 6; i++)
		id.at[i] = (uint8_t)(ms >> (40 - 8 * i));
	return id;
}

static void bound(StripeList *list, Uuid least, bool above)
{
	if (above && uuid_cmp(least, list->before) > 0)
		list->before = least;
	if (!above && uuid_cmp(least, list->after) < 0)
		list->after = least;
}

/* created=T or created[gte]=T: ids rise with the time they were made at. */
static Err *read_created(ServiceCall *c, StripeList *list, const Json *created)
{
	static const struct {
		const char *name;
		bool above, next;
	} words[] = { { "gte", true, false },
		      { "gt", true, true },
		      { "lt", false, false },
		      { "lte", false, true } };
	int64_t s;

	if (!created)
		return NULL;
	if (second_of(created, &s)) {
		bound(list, id_at(s), true);
		bound(list, id_at(s + 1), false);
		return NULL;
	}
	for (size_t i = 0; i < COUNT(words); i++) {
		const Json *value = json_get(created, str_of(words[i].name));

		if (!value)
			continue;
		if (!second_of(value, &s))
			return stripe_wrong(c, "created", "parameter_invalid_integer",
			                    "created has seconds");
		bound(list, id_at(s + words[i].next), words[i].above);
	}
	return NULL;
}

Err *stripe_list_begin(ServiceCall *c, const char *prefix, StripeList *list)
{
	const Json *json = stripe_of(c)->json;
	const Json *limit = json_get(json, S("limit"));
	Str after = S(""), before = S("");
	Uuid id;

	*list = (StripeList){ .limit = LIST_LIMIT };
	for (size_t i = 0; i < sizeof list->after.at; i++)
		list->after.at[i] = 0xff;
	if (limit &&
	    (!number_of(limit, &list->limit) || list->limit < 1 || list->limit > LIST_MOST))
		return stripe_wrong(c, "limit", "parameter_invalid_integer",
		                    "limit is between 1 and %d", (int)LIST_MOST);
	TRY(read_created(c, list, json_get(json, S("created"))));
	json_to_str(json_get(json, S("starting_after")), &after);
	json_to_str(json_get(json, S("ending_before")), &before);
	if (after.len && before.len)
		return stripe_wrong(c, "ending_before", "parameter_invalid_string",
		                    "starting_after and ending_before do not go together");
	if (after.len) {
		TRY(stripe_id_of(c, after, prefix, "starting_after", &id));
		bound(list, id, false);
	}
	if (before.len) {
		TRY(stripe_id_of(c, before, prefix, "ending_before", &id));
		bound(list, id, true);
		list->backwards = true;
	}
	list->most = list->limit + 1;
	return NULL;
}

JsonWriter *stripe_list_open(ServiceCall *c, StripeList *list, size_t found)
{
	JsonWriter *w = stripe_json(c);

	list->more = found > (size_t)list->limit;
	list->shown = MIN(found, (size_t)list->limit);
	json_begin_object(w);
	json_put_str(w, "object", S("list"));
	json_key(w, S("data"));
	json_begin_array(w);
	return w;
}

size_t stripe_list_at(const StripeList *list, size_t i)
{
	return list->backwards ? list->shown - 1 - i : i;
}

Err *stripe_list_end(ServiceCall *c, StripeList *list)
{
	JsonWriter *w = &stripe_of(c)->json_out;

	json_end(w);
	json_put_bool(w, "has_more", list->more);
	json_put_str(w, "url", c->path);
	json_end(w);
	return stripe_say(c);
}

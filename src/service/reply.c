/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers. A handler fills one in; it goes out here, once, after the handler has returned: so an error that comes late is still a
 * problem document and never half an answer.
 *
 * A problem (RFC 9457) has, beside what the RFC names, `code` (the error's slug, for programs), `request_id` and, where what was
 * sent is wrong, `errors`: every mistake with its JSON pointer or parameter. What broke inside is not told: those who may know
 * find it in the log by the request's id. */
#include "base/arena.h"
#include "base/time.h"
#include "http/conditional.h"
#include "http/cookie.h"
#include "http/exchange.h"
#include "service/home_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SENTENCE_BYTES = 512 };

/* Statuses that no kind of error has. */
static const struct {
	const char *slug;
	unsigned status;
} statuses[] = {
	{ "request.fields", 422 }, { "idempotency.mismatch", 422 },
	{ "db.full_disk", 503 }, /* what is refused today may be taken tomorrow: nothing was done */
	{ "db.read_only", 503 },   { "db.io", 503 },
	{ "db.unknown", 503 }, /* done or not: the same Idempotency-Key says which */
	{ "request.type", 415 },   { "request.coding", 415 },
};

static unsigned status_of(const Err *err)
{
	for (size_t i = 0; i < COUNT(statuses); i++)
		if (err_is(err, statuses[i].slug))
			return statuses[i].status;
	return (unsigned)err_status(err);
}

/* --- filling ----------------------------------------------------------------------------------------------------------- */

static void forget_body(void *arg)
{
	buf_fini(arg);
}

void reply_init(ServiceCall *c)
{
	ServiceReply *reply = ARENA_NEW(c->arena, ServiceReply);

	reply->call = c;
	reply->start_us = time_mono_us();
	c->reply = reply;
	arena_defer(c->arena, forget_body, &reply->body);
}

JsonWriter *service_json(ServiceCall *c)
{
	ServiceReply *reply = c->reply;

	buf_clear(&reply->body);
	reply->json = json_writer(&reply->body);
	reply->is_json = true;
	return &reply->json;
}

void service_say(ServiceCall *c, unsigned status, Str type, Str body)
{
	buf_clear(&c->reply->body);
	buf_put(&c->reply->body, body);
	c->reply->is_json = false;
	c->reply->type = type;
	c->status = status;
}

void service_say_header(ServiceCall *c, const char *name, Str value)
{
	headers_add(&c->headers, c->arena, str_of(name), value);
}

void service_redirect(ServiceCall *c, unsigned status, Str location)
{
	service_say(c, status, S(""), S(""));
	service_say_header(c, "Location", location);
}

void service_retry_after(ServiceCall *c, int64_t us)
{
	c->reply->retry_us = us;
}

void service_etag(ServiceCall *c, int64_t version)
{
	c->reply->etag = str_fmt(c->arena, "\"v%lld\"", (long long)version);
}

/* RFC 9110 13.1.1: strong comparison; "*" is any that there is. */
Err *service_match(ServiceCall *c, int64_t version)
{
	Str rest = service_header(c, "If-Match"), one;
	Str ours = str_fmt(c->arena, "\"v%lld\"", (long long)version);

	if (!rest.len)
		return NULL;
	while (str_split(&rest, ',', &one))
		if (str_eq(str_trim(one), S("*")) || str_eq(str_trim(one), ours))
			return NULL;
	return err_new(c->arena, ERR_PRECONDITION, "request.etag",
	               "it has changed since: it is %.*s now", STR_ARG(ours));
}

void service_mistake(ServiceCall *c, const char *pointer, const char *code, const char *fmt, ...)
{
	char text[SENTENCE_BYTES];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	field_mistake(&c->mistakes, str_of(pointer), code, "%s", text);
}

Err *service_mistakes(ServiceCall *c)
{
	size_t count = c->mistakes.count + c->mistakes.more;

	if (!count)
		return NULL;
	return err_new(c->arena, ERR_INVALID, "request.fields", "%zu %s wrong with what was sent",
	               count, count == 1 ? "thing is" : "things are");
}

/* --- problems ---------------------------------------------------------------------------------------------------------- */

/* What is wrong inside is nobody's business outside. */
static Str detail_of(const Err *err, unsigned status)
{
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
		const FieldMistake *one = &m->at[i];
		bool parameter = str_starts(one->pointer, S("?"));

		json_begin_object(w);
		json_put_str(w, parameter ? "parameter" : "pointer",
		             str_sub(one->pointer, parameter, one->pointer.len));
		json_put_str(w, "code", str_of(one->code));
		json_put_str(w, "detail", one->text);
		json_end(w);
	}
	json_end(w);
	if (m->more)
		json_put_u64(w, "more_errors", m->more);
}

static void put_problem(ServiceCall *c, const Err *err, unsigned status)
{
	JsonWriter *w = service_json(c);

	json_begin_object(w);
	json_put_str(w, "type", str_fmt(c->arena, "urn:banyan:problem:%s", err->slug));
	json_put_str(w, "title", http_reason(status));
	json_put_u64(w, "status", status);
	json_put_str(w, "detail", detail_of(err, status));
	json_put_str(w, "code", str_of(err->slug));
	if (c->path.len)
		json_put_str(w, "instance", c->path);
	json_put_str(w, "request_id", c->request_id);
	if (c->mistakes.count)
		put_mistakes(w, &c->mistakes);
	json_end(w);
}

static void problem_headers(ServiceCall *c, unsigned status)
{
	ServiceReply *reply = c->reply;

	if (!reply->retry_us && (status == 503 || status == 429))
		reply->retry_us = US_PER_S;
	if (status == 401)
		service_say_header(c, "WWW-Authenticate", S("Bearer"));
	if (status == 405)
		service_say_header(c, "Allow", reply->allow);
}

Err *reply_problem(ServiceCall *c, const Err *err)
{
	unsigned status = status_of(err);
	Err *again;

	c->headers.count = 0;
	c->reply->etag = (Str){ 0 };
	c->reply->type = (Str){ 0 };
	if (c->route && c->route->fail) {
		c->status = 0;
		again = c->route->fail(c, err);
		if (!again && c->status)
			return NULL;
		c->headers.count = 0;
	}
	put_problem(c, err, status);
	c->status = status;
	c->reply->type = S("application/problem+json");
	problem_headers(c, status);
	return NULL;
}

/* --- sending ----------------------------------------------------------------------------------------------------------- */

static bool says(const ServiceCall *c, Str name)
{
	return headers_get_name(&c->headers, name).len > 0;
}

static void send_headers(ServiceCall *c, Head *head, bool has_body)
{
	ServiceReply *reply = c->reply;
	Arena *a = c->arena;

	headers_add(&head->headers, a, S("Date"), http_date_now(a));
	headers_add(&head->headers, a, S("X-Request-Id"), c->request_id);
	if (has_body)
		headers_add(&head->headers, a, S("Content-Type"),
		            reply->type.len ? reply->type : S("application/json"));
	if (reply->etag.len)
		headers_add(&head->headers, a, S("ETag"), reply->etag);
	if (!says(c, S("Cache-Control")))
		headers_add(&head->headers, a, S("Cache-Control"),
		            reply->etag.len ? S("private, no-cache") : S("no-store"));
	if (reply->retry_us)
		headers_add(&head->headers, a, S("Retry-After"),
		            str_fmt(a, "%lld",
		                    (long long)((reply->retry_us + US_PER_S - 1) / US_PER_S)));
	if (reply->replayed)
		headers_add(&head->headers, a, S("Idempotent-Replayed"), S("true"));
	for (uint32_t i = 0; i < c->headers.count; i++)
		headers_add(&head->headers, a, c->headers.at[i].name, c->headers.at[i].value);
}

static unsigned final_status(ServiceCall *c, size_t body_bytes)
{
	Validators validators = { c->reply->etag, -1 };
	unsigned status = c->status                      ? c->status
	                  : c->route && c->route->status ? c->route->status
	                                                 : (body_bytes ? 200U : 204U);
	bool reads =
		str_eq(c->x->request.method, S("GET")) || str_eq(c->x->request.method, S("HEAD"));

	if (reads && status == 200 && c->reply->etag.len &&
	    conditional_check(&c->x->request.headers, &validators) == CONDITIONAL_SAME)
		return 304;
	return status;
}

Err *reply_body(const ServiceCall *c, Str *body)
{
	const ServiceReply *reply = c->reply;

	return reply->is_json ? json_done(&reply->json, body) : buf_done(&reply->body, body);
}

Err *reply_send(ServiceCall *c)
{
	Str body = { 0 };
	Head head = { 0 };

	TRY(reply_body(c, &body));
	head.status = (uint16_t)final_status(c, body.len);
	if (head.status == 304 || head.status == 204)
		body = (Str){ 0 };
	head.body = head.status == 304 || head.status == 204 ? HTTP_BODY_NONE : HTTP_BODY_LENGTH;
	head.content_length = (int64_t)body.len;
	send_headers(c, &head, body.len > 0);
	TRY(http_begin(c->x, &head));
	if (c->x->ended)
		return NULL;
	TRY(http_write(c->x, body));
	return http_end(c->x, NULL);
}

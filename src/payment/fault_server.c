/* SPDX-License-Identifier: Apache-2.0
 *
 * The fault provider over HTTP: finds what a request wants in a table, reads its body, lets things go wrong with it, answers. It runs
 * on one loop, so the book needs no lock. Those that look for the truth (a judge at /book) meet no faults. */
#include "payment/fault_server_int.h"

#include "base/arena.h"
#include "http/server.h"
#include "http/url.h"
#include "rt/listen.h"

#include <openssl/crypto.h>

enum { BODY_BYTES = 64 << 10, BOOK_BYTES = 256 << 20 };

typedef struct FaultRoute {
	const char *method, *before,
		*after; /* "/payments/", "/capture": what stands around an id; after NULL: no id */
	FaultHandler *run;
	int on; /* -1: no faults, and no key is asked for */
} FaultRoute;

static FaultHandler book_get, script_get, script_post, script_delete, health_get;
enum { OPEN = -1 };

static const FaultRoute routes[] = {
	{ "POST", "/payments", NULL, fault_authorize, FAULT_ON_AUTHORIZE },
	{ "POST", "/payments/", "/capture", fault_capture, FAULT_ON_CAPTURE },
	{ "POST", "/payments/", "/void", fault_void, FAULT_ON_VOID },
	{ "POST", "/payments/", "/refunds", fault_refund, FAULT_ON_REFUND },
	{ "POST", "/void", NULL, fault_void_key, FAULT_ON_VOID },
	{ "GET", "/payments", NULL, fault_payment_find, FAULT_ON_GET },
	{ "GET", "/payments/", "", fault_payment_get, FAULT_ON_GET },
	{ "GET", "/refunds", NULL, fault_refund_find, FAULT_ON_GET },
	{ "GET", "/refunds/", "", fault_refund_get, FAULT_ON_GET },
	{ "GET", "/act/", "", fault_act_get, OPEN },
	{ "GET", "/book", NULL, book_get, OPEN },
	{ "GET", "/script", NULL, script_get, OPEN },
	{ "POST", "/script", NULL, script_post, OPEN },
	{ "DELETE", "/script", NULL, script_delete, OPEN },
	{ "GET", "/healthz", NULL, health_get, OPEN },
};

/* --- requests -------------------------------------------------------------------------------------------------------------- */

Str fault_text(const FaultCall *c, const char *member)
{
	Str text = { 0 };

	(void)json_to_str(json_get(c->in, str_of(member)), &text);
	return text;
}

int64_t fault_number(const FaultCall *c, const char *member)
{
	int64_t n = 0;

	(void)json_to_i64(json_get(c->in, str_of(member)), &n);
	return n;
}

Str fault_parameter(FaultCall *c, const char *name)
{
	Str raw, text = { 0 };

	if (!url_query_get(c->query, str_of(name), &raw) || url_decode(c->arena, raw, &text))
		return (Str){ 0 };
	return text;
}

Err *fault_say(FaultCall *c, unsigned status, const char *code, const char *text)
{
	c->status = status;
	buf_clear(&c->body);
	c->w = json_writer(&c->body);
	json_begin_object(&c->w);
	json_put_str(&c->w, "code", str_of(code));
	json_put_str(&c->w, "text", str_of(text));
	json_end(&c->w);
	return NULL;
}

static bool route_fits(const FaultRoute *route, Str method, Str path, Str *id)
{
	Str before = str_of(route->before), after = str_of(route->after);

	if (!str_eq(method, str_of(route->method)))
		return false;
	if (!route->after)
		return str_eq(path, before);
	if (!str_starts(path, before) || !str_ends(path, after) ||
	    path.len <= before.len + after.len)
		return false;
	*id = str_sub(path, before.len, path.len - after.len);
	return str_find_char(*id, '/') < 0;
}

static bool may_ask(const FaultCall *c)
{
	Str want = c->s->conf.key, given = headers_get(&c->x->request.headers, HTTP_AUTHORIZATION);

	if (!want.len)
		return true;
	if (!str_starts(given, S("Bearer ")))
		return false;
	given = str_sub(given, 7, given.len);
	return given.len == want.len && CRYPTO_memcmp(given.at, want.at, want.len) == 0;
}

static Err *read_body(FaultCall *c)
{
	AUTO(buf_fini) Buf b = { .limit = BODY_BYTES };
	Str piece;

	do {
		TRY(http_read(c->x, &piece));
		buf_put(&b, piece);
	} while (piece.len);
	if (!b.len)
		return NULL;
	return json_read(c->arena, str_dup(c->arena, buf_str(&b)), BODY_BYTES, &c->in);
}

static Err *run(FaultCall *c, const FaultRoute *route)
{
	if (route->on != OPEN && !may_ask(c))
		return fault_say(c, 401, "key", "Authorization: Bearer and the key are needed");
	if (read_body(c))
		return fault_say(c, 400, "json", "the body is no JSON object");
	return route->on == OPEN ? route->run(c) : fault_strike(c, (FaultOn)route->on, route->run);
}

static Err *find_and_run(FaultCall *c)
{
	Url url = url_raw(c->x->request.target);

	c->query = url.query;
	for (size_t i = 0; i < COUNT(routes); i++)
		if (route_fits(&routes[i], c->x->request.method, url.path, &c->id))
			return run(c, &routes[i]);
	return fault_say(c, 404, "path", "there is nothing here");
}

static void call_fini(FaultCall *c)
{
	buf_fini(&c->body);
}

static Err *answer(Exchange *x)
{
	AUTO(call_fini) FaultCall c = {
		.s = x->listener_arg, .x = x, .arena = x->arena, .status = 200
	};

	c.body.limit = BOOK_BYTES;
	c.w = json_writer(&c.body);
	TRY(find_and_run(&c));
	return http_reply(x, c.status, S("application/json"), buf_str(&c.body));
}

static Err *answer_error(Exchange *x, Err *err)
{
	return http_reply(x, (unsigned)err_status(err), S("application/json"),
	                  S("{\"code\":\"error\"}"));
}

/* --- pages for judges -------------------------------------------------------------------------------------------------------- */

static Err *book_get(FaultCall *c)
{
	TRY(fault_book_sync(c->s->conf.book));
	fault_book_put(&c->w, c->s->conf.book);
	return NULL;
}

static Err *health_get(FaultCall *c)
{
	json_begin_object(&c->w);
	json_put_str(&c->w, "status", S("ok"));
	json_put_i64(&c->w, "entries", fault_book_entries(c->s->conf.book));
	json_put_i64(&c->w, "webhooks", fault_told(c->s->conf.teller));
	json_end(&c->w);
	return NULL;
}

static Err *take_script(FaultServer *s, const Json *json)
{
	Arena *a = arena_new(0);
	FaultScript *script = NULL;
	Err *err = fault_script_read(a, json, &script);

	if (err) {
		err = err_copy(s->lasting, err);
		arena_free(a);
		return err;
	}
	arena_free(s->script_arena);
	s->script_arena = a;
	s->script = script;
	return NULL;
}

static Err *keep_script(FaultServer *s, const Json *json)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);

	json_put(&w, json);
	TRY(fault_book_keep_script(s->conf.book, buf_str(&b)));
	return fault_book_sync(s->conf.book);
}

static Err *script_get(FaultCall *c)
{
	fault_script_put(&c->w, c->s->script);
	return NULL;
}

static Err *script_post(FaultCall *c)
{
	Err *err = take_script(c->s, c->in);

	if (err)
		return fault_say(c, 400, "script", str_z(c->arena, err->text));
	TRY(keep_script(c->s, c->in));
	return script_get(c);
}

static Err *script_delete(FaultCall *c)
{
	TRY(take_script(c->s, NULL));
	TRY(keep_script(c->s, NULL));
	return script_get(c);
}

/* --- begin and end ------------------------------------------------------------------------------------------------------- */

static Err *first_script(FaultServer *s)
{
	Str kept = fault_book_script(s->conf.book);
	const Json *json = s->conf.script;

	if (!json && kept.len)
		TRY(json_read(s->lasting, kept, 0, &json));
	return take_script(s, json);
}

static Err *listen_at(FaultServer *s)
{
	HttpConf conf = { .limits = http_limits_default(),
		          .handler = answer,
		          .fail = answer_error };
	Addr addr;

	TRY(addr_parse(s->lasting, s->conf.listen, &addr));
	TRY(listener_open(s->lasting, &addr, &s->listener));
	s->server = http_server_new(&conf, NULL);
	return http_listen(s->listener, s->server, s, &s->http);
}

Err *fault_server_open(Arena *lasting, const FaultServerConf *conf, FaultServer **out)
{
	FaultServer *s = ARENA_NEW(lasting, FaultServer);
	Err *err;

	*s = (FaultServer){ .lasting = lasting, .conf = *conf };
	err = first_script(s);
	if (!err)
		err = listen_at(s);
	if (err) {
		fault_server_close(s);
		return err;
	}
	fault_confirm_left(s);
	*out = s;
	return NULL;
}

Str fault_server_address(const FaultServer *server, Arena *a)
{
	return addr_text(a, listener_addr(server->listener));
}

void fault_server_close(FaultServer *s)
{
	if (!s)
		return;
	if (s->http)
		http_listen_close(s->http);
	listener_close(s->listener);
	http_server_unref(s->server);
	map_fini(&s->seen);
	arena_free(s->script_arena);
}

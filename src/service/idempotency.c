/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests that may come again. A client that did not hear an answer sends its request once more with the same Idempotency-Key;
 * what it asked for must have happened once, and it gets the answer of that once.
 *
 * The answer is a row that is inserted in the transaction of the effect: both are there or neither, whatever dies when. Before
 * the handler runs the row is looked for: when it is there the answer is given again. While a request runs in this process its
 * key is in a table, and a second one is told 409 at once. Two processes meet at the row: the second one's transaction finds that it
 * is there, is rolled back, and answers what the first one did. A request that failed left nothing behind and is done anew.
 *
 * A key belongs to who asks: the same key of two people is two keys. A row is kept for a day. Answers are kept as they were
 * given: a route whose answer holds a secret must not take a key. */
#include "service/idempotency_int.h"

#include "base/arena.h"
#include "base/map.h"
#include "base/time.h"
#include "http/exchange.h"
#include "service/home_int.h"
#include "service_idempotency_sql.h"

#include <openssl/evp.h>
#include <pthread.h>

enum { KEY_MOST = 255, DIGEST_BYTES = 32 };

typedef struct Idempotency {
	Str who, key;
	uint8_t digest[DIGEST_BYTES];
	Str running; /* its name among those that run; empty: it is not among them */
} Idempotency;

static Err running_here = ERR_STATIC(CONFLICT, "idempotency.running",
                                     "a request with this Idempotency-Key is at work");
static Err other_request = ERR_STATIC(INVALID, "idempotency.mismatch",
                                      "this Idempotency-Key came with another request before");
static Err bad_key = ERR_STATIC(INVALID, "idempotency.key",
                                "an Idempotency-Key has 1 to 255 printable characters");
/* Between the transaction and its caller: another process was first. */
static Err was_first = ERR_STATIC(CONFLICT, "idempotency.running",
                                  "a request with this Idempotency-Key was just done");

/* --- those that run ---------------------------------------------------------------------------------------------------- */

static struct {
	pthread_mutex_t lock; /* held for a few instructions */
	Map map;
} runs = { .lock = PTHREAD_MUTEX_INITIALIZER };

static bool run_begin(Idempotency *i)
{
	bool free;

	pthread_mutex_lock(&runs.lock);
	free = !map_get(&runs.map, i->running);
	if (free)
		map_put(&runs.map, i->running, i);
	pthread_mutex_unlock(&runs.lock);
	return free;
}

void idempotency_end(const ServiceCall *c)
{
	Idempotency *i = c->reply->idempotency;

	if (!i || !i->running.len)
		return;
	pthread_mutex_lock(&runs.lock);
	map_remove(&runs.map, i->running);
	pthread_mutex_unlock(&runs.lock);
	i->running = (Str){ 0 };
}

/* --- what was asked ---------------------------------------------------------------------------------------------------- */

/* As a plain word or, as RFC 9651 has strings, in quotes. */
static bool key_read(Str text, Str *out)
{
	if (text.len >= 2 && text.at[0] == '"' && text.at[text.len - 1] == '"')
		text = str_sub(text, 1, text.len - 1);
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] <= ' ' || text.at[i] > '~' || text.at[i] == '"' ||
		    text.at[i] == '\\')
			return false;
	*out = text;
	return text.len > 0 && text.len <= KEY_MOST;
}

/* Blanks between the values of a body make no other request. */
static void make_digest(const ServiceCall *c, uint8_t *digest)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w;

	buf_put(&b, c->x->request.method);
	buf_putc(&b, ' ');
	buf_put(&b, c->x->request.target);
	buf_putc(&b, '\n');
	if (c->json) {
		AUTO(buf_fini) Buf body = { 0 };

		w = json_writer(&body);
		json_put(&w, c->json);
		buf_put(&b, buf_str(&body));
	}
	EVP_Digest(b.at, b.len, digest, NULL, EVP_sha256(), NULL);
}

static Err *replay(ServiceCall *c, const IdempotencyFindRow *row, bool *done)
{
	const Idempotency *i = c->reply->idempotency;
	const Json *headers, *value;
	void *at = NULL;
	Str name, text;

	if (!str_eq(row->digest, (Str){ (const char *)i->digest, DIGEST_BYTES }))
		return &other_request;
	TRY(json_read(c->arena, row->headers, 0, &headers));
	service_say(c, (unsigned)row->status, S("application/json"), row->body);
	c->headers.count = 0;
	while (json_next(headers, &at, &name, &value))
		if (json_to_str(value, &text)) {
			if (str_eq(name, S("ETag")))
				c->reply->etag = text;
			else
				headers_add(&c->headers, c->arena, name, text);
		}
	c->reply->replayed = true;
	*done = true;
	return NULL;
}

static Err *look(ServiceCall *c, bool *done)
{
	const Idempotency *i = c->reply->idempotency;
	IdempotencyFindRow *row;

	TRY(db_one(c->db, c->arena, idempotency_find, &row, .who = i->who, .key = i->key));
	return row ? replay(c, row, done) : NULL;
}

Err *idempotency_begin(ServiceCall *c, bool *done)
{
	Str text = service_header(c, "Idempotency-Key");
	Idempotency *i;

	if (!c->route->idempotent || !text.len)
		return NULL;
	i = ARENA_NEW(c->arena, Idempotency);
	if (!key_read(text, &i->key))
		return &bad_key;
	i->who = c->who.known ? c->who.name : S("");
	make_digest(c, i->digest);
	i->running = str_fmt(c->arena, "%s\n%.*s\n%.*s", c->home->service->name, STR_ARG(i->who),
	                     STR_ARG(i->key));
	if (!run_begin(i)) {
		i->running = (Str){ 0 };
		return &running_here;
	}
	c->reply->idempotency = i;
	return look(c, done);
}

/* --- the effect -------------------------------------------------------------------------------------------------------- */

typedef struct Effect {
	ServiceCall *call;
	ServiceEffect *fn;
	void *arg;
	const struct Forgotten *forgotten; /* what was named before */
} Effect;

static Str headers_of(ServiceCall *c)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);

	json_begin_object(&w);
	if (c->reply->etag.len)
		json_put_str(&w, "ETag", c->reply->etag);
	for (uint32_t i = 0; i < c->headers.count; i++)
		if (!str_eq_nocase(c->headers.at[i].name, S("Set-Cookie")))
			json_put_str(&w, str_z(c->arena, c->headers.at[i].name),
			             c->headers.at[i].value);
	json_end(&w);
	return str_dup(c->arena, buf_str(&b));
}

static Err *keep_answer(ServiceCall *c, Db *tx)
{
	const Idempotency *i = c->reply->idempotency;
	unsigned status = c->status ? c->status : c->route->status ? c->route->status : 200;
	int64_t added;
	Str body = { 0 };

	TRY(reply_body(c, &body));
	TRY(db_exec(tx, c->arena, idempotency_add, &added, .who = i->who, .key = i->key,
	            .digest = (Str){ (const char *)i->digest, DIGEST_BYTES },
	            .status = body.len || status != 200 ? status : 204, .headers = headers_of(c),
	            .body = body, .created_at = time_utc_us()));
	return added ? NULL : &was_first;
}

/* May be run again: what the time before filled in is forgotten, and so is where it stood: that memory is another's by now. */
static Err *run_effect(Db *tx, Arena *a, void *arg)
{
	Effect *effect = arg;
	ServiceCall *c = effect->call;

	(void)a;
	buf_clear(&c->reply->body);
	c->reply->is_json = false;
	c->reply->etag = (Str){ 0 };
	c->reply->forgotten = cached_copy(c, effect->forgotten);
	c->headers = (Headers){ 0 };
	c->mistakes = (FieldMistakes){ .arena = c->arena };
	c->status = 0;
	TRY(effect->fn(c, tx, effect->arg));
	return c->reply->idempotency ? keep_answer(c, tx) : NULL;
}

Err *service_effect(ServiceCall *c, DbIsolation isolation, ServiceEffect *fn, void *arg)
{
	Effect effect = { c, fn, arg, c->reply->forgotten };
	bool done = false;
	Err *err;

	http_keep_on(c->x);
	err = db_txn(c->db, c->arena, isolation, run_effect, &effect);
	cached_forget(c);
	if (err != &was_first)
		return err;
	TRY(look(c, &done));
	return done ? NULL : &running_here;
}

Err *idempotency_purge(Db *db, Arena *a, int64_t keep_us)
{
	return db_exec(db, a, idempotency_forget, NULL, .before = time_utc_us() - keep_us);
}

Err *database_ping(Db *db, Arena *a)
{
	ServicePingRow *row;

	return db_one(db, a, service_ping, &row);
}

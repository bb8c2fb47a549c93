/* SPDX-License-Identifier: Apache-2.0
 *
 * Idempotency-Key as Stripe has it. The first answer of a key is kept for a day in the transaction of its effect, whatever it says: a card that
 * was declined is declined again. Nothing is kept of what failed before anything was done (a parameter that is wrong, a rival with the same
 * key, a database that was away): that may be sent anew.
 *
 * What asks a provider takes two transactions. The first writes the row as `running`, with what it made (an intent); the last puts the answer
 * into it. While it runs others are told 409. A process that dies between them leaves a row whose time runs out: then whoever sends the
 * key again goes on with what was made, and asks the provider what came of it instead of charging again. */
#include "payment/stripe_int.h"

#include "base/arena.h"
#include "base/time.h"
#include "http/exchange.h"

#include "payment_once_sql.h"

#include <openssl/evp.h>

enum { KEY_MOST = 255 };

static Err running =
	ERR_STATIC(CONFLICT, "idempotency.running",
                   "a request with this Idempotency-Key is at work: ask again in a moment");
static Err mismatch = ERR_STATIC(
	INVALID, "idempotency.mismatch",
	"Keys for idempotent requests can only be used with the same parameters they were first used with");
static Err bad_key = ERR_STATIC(INVALID, "idempotency.key",
                                "an Idempotency-Key has 1 to 255 printable characters");
static Err kept = ERR_STATIC(CONFLICT, "payment.kept", "this was answered before");
/* Between a transaction and its caller: another request of that key was first. */
static Err rival = ERR_STATIC(CONFLICT, "idempotency.running",
                              "a request with this Idempotency-Key was just done: ask again");

Err *stripe_kept(void)
{
	return &kept;
}

static bool is_key(Str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] < ' ' || text.at[i] > '~')
			return false;
	return text.len > 0 && text.len <= KEY_MOST;
}

static void make_digest(ServiceCall *c, Once *once)
{
	AUTO(buf_fini) Buf b = { 0 }, body = { 0 };
	JsonWriter w = json_writer(&body);

	buf_put(&b, c->x->request.method);
	buf_putc(&b, ' ');
	buf_put(&b, c->path);
	buf_putc(&b, '\n');
	json_put(&w, stripe_of(c)->json);
	buf_put(&b, buf_str(&body));
	EVP_Digest(b.at, b.len, once->digest, NULL, EVP_sha256(), NULL);
}

static Str digest_of(const Once *once)
{
	return (Str){ (const char *)once->digest, STRIPE_DIGEST };
}

static Err *look(ServiceCall *c)
{
	Once *once = &stripe_of(c)->once;
	OnceFindRow *row;

	TRY(db_one(c->db, c->arena, once_find, &row, .who = once->who, .key = once->key));
	if (!row)
		return NULL;
	if (!str_eq(row->digest, digest_of(once)))
		return &mismatch;
	if (!row->running) {
		once->status = (unsigned)row->status;
		once->body = row->body;
		return &kept;
	}
	if (row->locked_until > time_utc_us() || !row->object_id.set)
		return &running;
	once->resumes = true;
	once->object = row->object_id.v;
	return NULL;
}

Err *once_begin(ServiceCall *c)
{
	Once *once = &stripe_of(c)->once;
	Str key = service_header(c, "Idempotency-Key");

	if (!key.len)
		return NULL;
	if (!is_key(key))
		return &bad_key;
	once->key = key;
	once->who = c->who.known ? c->who.name : S("");
	make_digest(c, once);
	return look(c);
}

bool stripe_resumes(const ServiceCall *c, Uuid *object)
{
	const StripeCall *s = c->in;

	if (!s || !s->once.resumes)
		return false;
	*object = s->once.object;
	return true;
}

Err *stripe_claim(ServiceCall *c, Db *tx, Uuid object, int64_t within_us)
{
	const Once *once = &stripe_of(c)->once;
	int64_t now_us = time_utc_us(), done;

	if (!once->key.len)
		return NULL;
	TRY(db_exec(tx, c->arena, once_claim, &done, .who = once->who, .key = once->key,
	            .digest = digest_of(once), .object_id = object,
	            .locked_until = now_us + within_us, .now = now_us));
	return done ? NULL : &rival;
}

Err *stripe_settle(ServiceCall *c, Db *tx)
{
	StripeCall *s = stripe_of(c);
	int64_t done;
	Str body;

	if (!s->once.key.len)
		return NULL;
	TRY(stripe_answer(c, tx, &body));
	TRY(db_exec(tx, c->arena, once_settle, &done, .who = s->once.who, .key = s->once.key,
	            .digest = digest_of(&s->once), .status = c->status ? c->status : 200,
	            .body = body, .now = time_utc_us()));
	return done ? NULL : &rival;
}

Err *stripe_release(ServiceCall *c, Db *tx)
{
	const Once *once = &stripe_of(c)->once;

	if (!once->key.len)
		return NULL;
	return db_exec(tx, c->arena, once_release, NULL, .who = once->who, .key = once->key,
	               .now = time_utc_us());
}

typedef struct Step {
	ServiceCall *call;
	ServiceEffect *fn;
	void *arg;
	bool settles;
	const char *param, *code; /* as they were before */
} Step;

/* May be run again: what the time before filled in is forgotten, and so is where it stood: that memory is another's by now. */
static Err *run_step(Db *tx, Arena *a, void *arg)
{
	Step *step = arg;
	ServiceCall *c = step->call;

	(void)a;
	c->headers = (Headers){ 0 };
	c->mistakes = (FieldMistakes){ .arena = c->arena };
	c->status = 0;
	stripe_of(c)->param = step->param;
	stripe_of(c)->code = step->code;
	TRY(step->fn(c, tx, step->arg));
	return step->settles ? stripe_settle(c, tx) : NULL;
}

static Err *run(Step *step)
{
	ServiceCall *c = step->call;
	Err *err;

	http_keep_on(c->x);
	step->param = stripe_of(c)->param;
	step->code = stripe_of(c)->code;
	err = db_txn(c->db, c->arena, DB_READ_COMMITTED, run_step, step);
	if (err != &rival)
		return err;
	err = look(c);
	return err ? err : &running;
}

Err *stripe_step(ServiceCall *c, ServiceEffect *fn, void *arg)
{
	return run(&(Step){ .call = c, .fn = fn, .arg = arg });
}

Err *stripe_effect(ServiceCall *c, ServiceEffect *fn, void *arg)
{
	TRY(run(&(Step){ .call = c, .fn = fn, .arg = arg, .settles = true }));
	return stripe_say(c);
}

Err *once_purge(Db *db, Arena *a, int64_t before_us)
{
	return db_exec(db, a, once_forget, NULL, .before = before_us);
}

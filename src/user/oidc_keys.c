/* SPDX-License-Identifier: Apache-2.0
 *
 * The provider's keys, in its database and in this process.
 *
 * Times alone say which key signs: the one of its algorithm whose time came last. All processes read the same rows, so they agree
 * without a word between them, and a rotation is rows with times. What a process has of them is a ring, made anew when the
 * rows have changed; whoever uses one keeps it until its arena ends.
 *
 * Private halves are sealed. Making an RSA key takes a while: on a worker. */
#include "user/oidc_keys.h"

#include "auth/seal.h"
#include "base/arena.h"
#include "base/time.h"
#include "rt/work.h"
#include "user/oidc_store.h"

#include <pthread.h>
#include <stdlib.h>

enum { RING_AGE_S = 2, LOOK_AGAIN_MS = 1000 };

static const JwsAlg algs[] = { JWS_ES256, JWS_RS256 };

typedef struct Held Held; /* a ring and who uses it */
struct Held {
	Arena *arena;
	OidcRing ring;
	OidcKeys *keys;
	int users;
};

struct OidcKeys {
	Db *db;
	OidcKeyPlan plan;
	pthread_mutex_t lock;
	Held *held;
	int64_t looked_us; /* monotonic */
	bool looking;
};

/* --- from rows to keys -------------------------------------------------------------------------------------------------- */

static Str context_of(Arena *a, Str kid)
{
	return str_fmt(a, "oidc.key:%.*s", STR_ARG(kid));
}

static Err *open_key(Arena *a, const Seal *seal, const OidcKeyRow *row, OidcKey *out)
{
	const Json *json;
	Str plain;

	*out = (OidcKey){ .created_us = row->created_us,
		          .signs_us = row->signs_us,
		          .until_us = row->until_us };
	if (!jws_alg_read(row->alg, &out->alg))
		return err_new(a, ERR_INTERNAL, "oidc.key", "a key is for %.*s", STR_ARG(row->alg));
	if (!seal) {
		Jwk *named = ARENA_NEW(a, Jwk);

		named->kid = row->kid;
		out->jwk = named;
		return NULL;
	}
	TRY(seal_open(seal, a, context_of(a, row->kid), row->sealed, &plain));
	TRY(json_read(a, plain, 0, &json));
	return jwk_read(a, json, JWK_TAKE_PRIVATE, &out->jwk);
}

static Err *make_ring(Arena *a, const Seal *seal, const OidcKeyRow *rows, size_t count,
                      OidcRing *out)
{
	OidcKey *keys = ARENA_ARRAY(a, OidcKey, count + 1);
	const Jwk **all = ARENA_ARRAY(a, const Jwk *, count + 1);

	for (size_t i = 0; i < count; i++) {
		TRY(open_key(a, seal, &rows[i], &keys[i]));
		all[i] = keys[i].jwk;
	}
	*out = (OidcRing){ { .at = all, .count = count }, keys, count };
	return NULL;
}

Err *oidc_keys_list(Db *db, Arena *a, int64_t now_us, const OidcRing **out, const Seal *seal)
{
	OidcRing *ring = ARENA_NEW(a, OidcRing);
	OidcKeyRow *rows;
	size_t count;

	TRY(oidc_key_rows(db, a, now_us, &rows, &count));
	TRY(make_ring(a, seal, rows, count, ring));
	*out = ring;
	return NULL;
}

/* --- making them -------------------------------------------------------------------------------------------------------- */

typedef struct Making {
	Arena *arena;
	JwsAlg alg;
	const Jwk *key;
	Err *err;
} Making;

static void make_key(void *arg)
{
	Making *m = arg;

	m->err = jwk_make(m->arena, m->alg, &m->key);
}

static Err *make_row(Arena *a, const Seal *seal, JwsAlg alg, OidcKeyRow *out)
{
	Making m = { .arena = a, .alg = alg };
	AUTO(buf_fini) Buf text = { 0 };
	JsonWriter w = json_writer(&text);
	Str plain;

	TRY(work_run(make_key, &m));
	TRY(m.err);
	jwk_put(&w, m.key, true);
	TRY(json_done(&w, &plain));
	out->kid = m.key->kid;
	out->alg = jws_alg_name(alg);
	return seal_close(seal, a, context_of(a, m.key->kid), plain, &out->sealed);
}

typedef struct Change {
	const OidcKeyPlan *plan;
	int64_t now_us;
	bool rotate;
	OidcKeyRow fresh[COUNT(algs)][2]; /* for when they are needed */
} Change;

/* The newest two of an algorithm: rows come in the order of their times. */
static void newest_two(const OidcKeyRow *rows, size_t count, JwsAlg alg, const OidcKeyRow **last,
                       const OidcKeyRow **before)
{
	*last = *before = NULL;
	for (size_t i = 0; i < count; i++)
		if (str_eq(rows[i].alg, jws_alg_name(alg))) {
			*before = *last;
			*last = &rows[i];
		}
}

static Err *put(Db *tx, Arena *a, const OidcKeyRow *fresh, int64_t now_us, int64_t signs_us)
{
	OidcKeyRow row = *fresh;

	row.created_us = now_us;
	row.signs_us = signs_us;
	row.until_us = INT64_MAX;
	return oidc_key_store(tx, a, &row);
}

static Err *change_alg(Db *tx, Arena *a, const Change *c, size_t which, const OidcKeyRow *rows,
                       size_t count)
{
	const OidcKeyPlan *plan = c->plan;
	const OidcKeyRow *last, *before;
	int64_t next_us = c->now_us + plan->rotate_us;

	newest_two(rows, count, algs[which], &last, &before);
	if (!last) {
		TRY(put(tx, a, &c->fresh[which][0], c->now_us, c->now_us));
		TRY(put(tx, a, &c->fresh[which][1], c->now_us, next_us));
		return oidc_key_ends(tx, a, c->fresh[which][0].kid, next_us + plan->keep_us);
	}
	if (last->signs_us > c->now_us) {
		if (!c->rotate)
			return NULL;
		TRY(oidc_key_signs(tx, a, last->kid, c->now_us));
		if (before)
			TRY(oidc_key_ends(tx, a, before->kid, c->now_us + plan->keep_us));
	}
	TRY(put(tx, a, &c->fresh[which][0], c->now_us, next_us));
	return oidc_key_ends(tx, a, last->kid, next_us + plan->keep_us);
}

static Err *change(Db *tx, Arena *a, void *arg)
{
	const Change *c = arg;
	OidcKeyRow *rows;
	size_t count;

	TRY(db_lock(tx, a, S("oidc.keys")));
	TRY(oidc_key_rows(tx, a, c->now_us, &rows, &count));
	for (size_t i = 0; i < COUNT(algs); i++)
		TRY(change_alg(tx, a, c, i, rows, count));
	return NULL;
}

static bool is_missing(const OidcKeyRow *rows, size_t count, int64_t now_us)
{
	const OidcKeyRow *last, *before;

	for (size_t i = 0; i < COUNT(algs); i++) {
		newest_two(rows, count, algs[i], &last, &before);
		if (!last || last->signs_us <= now_us)
			return true;
	}
	return false;
}

static Err *change_keys(Db *db, Arena *a, const OidcKeyPlan *plan, int64_t now_us, bool rotate)
{
	Change c = { .plan = plan, .now_us = now_us, .rotate = rotate };

	for (size_t i = 0; i < COUNT(algs); i++)
		for (size_t j = 0; j < 2; j++)
			TRY(make_row(a, plan->seal, algs[i], &c.fresh[i][j]));
	return db_txn(db, a, DB_SERIALIZABLE, change, &c);
}

Err *oidc_keys_rotate(Db *db, Arena *a, const OidcKeyPlan *plan, int64_t now_us)
{
	return change_keys(db, a, plan, now_us, true);
}

Err *oidc_keys_tend(Db *db, Arena *a, const OidcKeyPlan *plan, int64_t now_us)
{
	OidcKeyRow *rows;
	size_t count;

	TRY(oidc_key_rows(db, a, now_us, &rows, &count));
	if (!is_missing(rows, count, now_us))
		return NULL;
	return change_keys(db, a, plan, now_us, false);
}

/* --- in this process ---------------------------------------------------------------------------------------------------- */

static void let_go(void *arg)
{
	Held *held = arg;
	OidcKeys *keys = held->keys;
	bool last;

	pthread_mutex_lock(&keys->lock);
	last = --held->users == 0;
	pthread_mutex_unlock(&keys->lock);
	if (last)
		arena_free(held->arena);
}

static Err *load(OidcKeys *keys, Arena *a, Held **out)
{
	AUTO(arena_freep) Arena *own = arena_new(0);
	Held *held = ARENA_NEW(own, Held);
	OidcKeyRow *rows;
	size_t count;
	Err *err;

	TRY(oidc_key_rows(keys->db, a, time_utc_us(), &rows, &count));
	for (size_t i = 0; i < count; i++)
		rows[i].kid = str_dup(own, rows[i].kid);
	*held = (Held){ .keys = keys, .users = 1 };
	err = make_ring(own, keys->plan.seal, rows, count, &held->ring);
	if (err)
		return err_copy(a, err);
	held->arena = TAKE(own);
	*out = held;
	return NULL;
}

/* May we look now? One at a time. */
static bool begin_looking(OidcKeys *keys, bool fresh)
{
	int64_t age = time_mono_us() - keys->looked_us;
	bool may;

	pthread_mutex_lock(&keys->lock);
	may = !keys->looking && age > (fresh ? LOOK_AGAIN_MS * US_PER_MS : RING_AGE_S * US_PER_S);
	if (may)
		keys->looking = true;
	pthread_mutex_unlock(&keys->lock);
	return may;
}

static void take_ring(OidcKeys *keys, Held *fresh)
{
	Held *old;

	pthread_mutex_lock(&keys->lock);
	old = keys->held;
	if (fresh)
		keys->held = fresh;
	keys->looked_us = time_mono_us();
	keys->looking = false;
	pthread_mutex_unlock(&keys->lock);
	if (fresh && old)
		let_go(old);
}

Err *oidc_keys_ring(OidcKeys *keys, Arena *a, bool fresh, const OidcRing **out)
{
	Held *held = NULL;

	/* A database that is away is no reason not to go on with what was read before. */
	if (begin_looking(keys, fresh))
		take_ring(keys, load(keys, a, &held) ? NULL : held);
	pthread_mutex_lock(&keys->lock);
	held = keys->held;
	held->users++;
	pthread_mutex_unlock(&keys->lock);
	arena_defer(a, let_go, held);
	*out = &held->ring;
	return NULL;
}

Err *oidc_ring_signer(const OidcRing *ring, Arena *a, JwsAlg alg, int64_t now_us, const Jwk **out)
{
	const OidcKey *found = NULL;

	for (size_t i = 0; i < ring->count; i++) {
		const OidcKey *key = &ring->keys[i];

		if (key->alg == alg && key->signs_us <= now_us &&
		    (!found || key->signs_us > found->signs_us))
			found = key;
	}
	if (!found)
		return err_new(a, ERR_INTERNAL, "oidc.no_key", "no key signs with %.*s",
		               STR_ARG(jws_alg_name(alg)));
	*out = found->jwk;
	return NULL;
}

Err *oidc_keys_open(Arena *a, Db *db, const OidcKeyPlan *plan, OidcKeys **out)
{
	OidcKeys *keys = ARENA_NEW(a, OidcKeys);

	*keys = (OidcKeys){ .db = db, .plan = *plan };
	TRY(oidc_keys_tend(db, a, plan, time_utc_us()));
	TRY(load(keys, a, &keys->held));
	keys->looked_us = time_mono_us();
	pthread_mutex_init(&keys->lock, NULL);
	*out = keys;
	return NULL;
}

void oidc_keys_close(OidcKeys *keys)
{
	if (!keys)
		return;
	let_go(keys->held);
	pthread_mutex_destroy(&keys->lock);
}

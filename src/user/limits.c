/* SPDX-License-Identifier: Apache-2.0
 *
 * Up to four throttles for one try, asked together: all of them let it pass, or none is counted. Rows are locked in one order
 * (everywhere, network, address, what is tried at), so that no two tries wait for each other. Every try, whoever it is for, takes
 * the same statements. */
#include "user/limits.h"

#include "base/arena.h"
#include "base/time.h"
#include "user/secret.h"

#include "user_access_sql.h"

#include <arpa/inet.h>
#include <string.h>

Str limit_network(Arena *a, Str address)
{
	unsigned char at[16];
	const char *text = str_z(a, address);

	if (inet_pton(AF_INET, text, at) == 1)
		return str_fmt(a, "%u.%u.%u.0/24", at[0], at[1], at[2]);
	if (inet_pton(AF_INET6, text, at) != 1)
		return address;
	if (IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)(const void *)at))
		return str_fmt(a, "%u.%u.%u.0/24", at[12], at[13], at[14]);
	return str_fmt(a, "%x:%x:%x::/48", at[0] << 8 | at[1], at[2] << 8 | at[3],
	               at[4] << 8 | at[5]);
}

static void add(Limits *limits, Limit limit)
{
	if (limit.rule->free && limit.what.len)
		limits->at[limits->count++] = limit;
}

Limits limits_of(Arena *a, const ThrottleConf *conf, Str address, const char *scope, Str what)
{
	Limits limits = { .count = 0 };

	add(&limits, (Limit){ "all", &conf->all, S("all"), false });
	if (address.len) {
		add(&limits,
		    (Limit){ "network", &conf->network, limit_network(a, address), false });
		add(&limits, (Limit){ "address", &conf->address, address, false });
	}
	add(&limits, (Limit){ scope, &conf->account, what, true });
	return limits;
}

static Str hash_of(Arena *a, const Limit *limit)
{
	const Str parts[] = { str_of(limit->scope), limit->what };

	return secret_hash_of(a, parts, COUNT(parts));
}

typedef struct Taking {
	const Limits *limits;
	int64_t now_us, wait_us;
	bool give;   /* back */
	bool forget; /* what is tried at: all that it counted */
} Taking;

static Err *read_all(Db *tx, Arena *a, Taking *t, ThrottleRow **rows)
{
	DbBatch *batch = db_batch(a);

	for (size_t i = 0; i < t->limits->count; i++) {
		const Limit *limit = &t->limits->at[i];

		batch_exec(batch, throttle_add, NULL, .scope = str_of(limit->scope),
		           .hash = hash_of(a, limit), .now = t->now_us);
		batch_one(batch, throttle_lock, &rows[i], .scope = str_of(limit->scope),
		          .hash = hash_of(a, limit));
	}
	return db_batch_run(tx, a, batch);
}

static Throttle moved(const Taking *t, const Limit *limit, Throttle old)
{
	if (!t->give)
		throttle_take(limit->rule, &old, t->now_us);
	else if (t->forget && limit->own)
		old = (Throttle){ 0, t->now_us };
	else
		throttle_give(limit->rule, &old, t->now_us);
	return old;
}

static Err *move_all(Db *tx, Arena *a, void *arg)
{
	Taking *t = arg;
	ThrottleRow *rows[LIMITS];
	DbBatch *batch = db_batch(a);

	t->wait_us = 0;
	TRY(read_all(tx, a, t, rows));
	for (size_t i = 0; i < t->limits->count; i++) {
		const Limit *limit = &t->limits->at[i];
		Throttle old = { 0 }, new;

		if (rows[i])
			old = (Throttle){ rows[i]->level, rows[i]->at };
		if (!t->give)
			t->wait_us =
				MAX(t->wait_us, throttle_wait_us(limit->rule, &old, t->now_us));
		new = moved(t, limit, old);
		batch_exec(batch, throttle_set, NULL, .scope = str_of(limit->scope),
		           .hash = hash_of(a, limit), .level = new.level, .now = new.at_us);
	}
	return t->wait_us ? NULL : db_batch_run(tx, a, batch);
}

Err *limits_take(Db *db, Arena *a, const Limits *limits, int64_t *wait_us)
{
	Taking t = { .limits = limits, .now_us = time_utc_us() };

	*wait_us = 0;
	if (!limits->count)
		return NULL;
	TRY(db_txn(db, a, DB_READ_COMMITTED, move_all, &t));
	*wait_us = t.wait_us;
	return NULL;
}

Err *limits_give(Db *tx, Arena *a, const Limits *limits)
{
	Taking t = { .limits = limits, .now_us = time_utc_us(), .give = true, .forget = true };

	return limits->count ? move_all(tx, a, &t) : NULL;
}

Err *limits_return(Db *db, Arena *a, const Limits *limits)
{
	Taking t = { .limits = limits, .now_us = time_utc_us(), .give = true };

	return limits->count ? db_txn(db, a, DB_READ_COMMITTED, move_all, &t) : NULL;
}

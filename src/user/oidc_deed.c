/* SPDX-License-Identifier: Apache-2.0
 *
 * Deeds that the audit log tells: a consent given or withdrawn, and a code or refresh token that came a second time, which is the
 * one sign there is that somebody has stolen it. Ordinary use of tokens is no line: there is too much of it. */
#include "user/oidc_deed.h"

#include "base/arena.h"
#include "base/json.h"
#include "user/audit.h"

typedef Err *DeedFn(Db *tx, Arena *a, const OidcDeed *deed, bool *news);

typedef struct Doing {
	const OidcDeed *deed;
	const char *action;
	DeedFn *fn;
} Doing;

static Err *detail_of(Arena *a, const OidcDeed *deed, Str *out)
{
	AUTO(buf_fini) Buf text = { 0 };
	JsonWriter w = json_writer(&text);
	Str json;

	json_begin_object(&w);
	json_put_str(&w, "client", deed->client);
	if (deed->scope.len)
		json_put_str(&w, "scope", deed->scope);
	json_end(&w);
	TRY(json_done(&w, &json));
	*out = str_dup(a, json);
	return NULL;
}

static Err *run(Db *tx, Arena *a, void *arg)
{
	const Doing *d = arg;
	AuditLine line = { .action = d->action, .user = d->deed->user };
	bool news = true;

	TRY(d->fn(tx, a, d->deed, &news));
	if (!news)
		return NULL;
	TRY(detail_of(a, d->deed, &line.detail));
	return audit_put(tx, a, d->deed->asker, &line);
}

static Err *give(Db *tx, Arena *a, const OidcDeed *d, bool *news)
{
	(void)news;
	return oidc_consent_store(tx, a, d->user, d->client, d->scope, d->now_us);
}

static Err *withdraw(Db *tx, Arena *a, const OidcDeed *d, bool *news)
{
	Str scope;

	TRY(oidc_consent_load(tx, a, d->user, d->client, &scope));
	*news = scope.len > 0;
	return oidc_consent_remove(tx, a, d->user, d->client, d->now_us);
}

static Err *reused(Db *tx, Arena *a, const OidcDeed *d, bool *news)
{
	return oidc_grant_end(tx, a, d->grant, d->now_us, news);
}

Err *oidc_consent_give(Db *db, Arena *a, const OidcDeed *deed)
{
	return db_txn(db, a, DB_READ_COMMITTED, run, &(Doing){ deed, "consent.given", give });
}

Err *oidc_consent_withdraw(Db *db, Arena *a, const OidcDeed *deed)
{
	return db_txn(db, a, DB_READ_COMMITTED, run,
	              &(Doing){ deed, "consent.withdrawn", withdraw });
}

Err *oidc_grant_reused(Db *db, Arena *a, const OidcDeed *deed)
{
	return db_txn(db, a, DB_READ_COMMITTED, run, &(Doing){ deed, "token.reused", reused });
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of the provider's tables, and what must happen to several of them together.
 *
 * A refresh token is a family's handle and a secret. The family is one row that holds the hashes of the newest secret and of the
 * two before it, so that rotation is one conditional update and a family never grows. That one statement is the whole of "no
 * token is used twice": of many that come at once one finds its hash there, the others look again. */
#include "user/oidc_store.h"

#include "base/arena.h"
#include "base/time.h"

#include "user_oidc_sql.h"

enum { PURGE_MOST = 500 };

/* --- clients ------------------------------------------------------------------------------------------------------------ */

static Str opt(OptStr text)
{
	return text.set ? text.v : (Str){ 0 };
}

static OptStr maybe(Str text)
{
	return text.len ? opt_str(text) : (OptStr){ 0 };
}

static void client_of(const ClientRow *row, OidcClient *out)
{
	OidcAuth auth = OIDC_AUTH_NONE;

	(void)oidc_auth_read(row->auth, &auth); /* the table takes no other */
	*out = (OidcClient){ .id = row->id,
		             .name = row->name,
		             .auth = auth,
		             .grants = oidc_grants_read(row->grants),
		             .redirects = row->redirects,
		             .logout_redirects = row->logout_redirects,
		             .scope = row->scope,
		             .audience = row->audience,
		             .trusted = row->trusted,
		             .rs256 = row->rs256,
		             .secret_hash = opt(row->secret_hash),
		             .jwks = row->jwks };
}

static OidcClient *maybe_client(Arena *a, const ClientRow *row)
{
	OidcClient *client;

	if (!row)
		return NULL;
	client = ARENA_NEW(a, OidcClient);
	client_of(row, client);
	return client;
}

Err *oidc_client_load(Db *db, Arena *a, Str id, OidcClient **out)
{
	ClientRow *row;

	TRY(db_one(db, a, oidc_client, &row, .id = id));
	*out = maybe_client(a, row);
	return NULL;
}

Err *oidc_client_keep(Db *tx, Arena *a, Str id, OidcClient **out)
{
	ClientRow *row;

	TRY(db_one(tx, a, oidc_client_hold, &row, .id = id));
	*out = maybe_client(a, row);
	return NULL;
}

static OidcClient *clients_of(Arena *a, const ClientRow *rows, size_t count)
{
	OidcClient *clients = ARENA_ARRAY(a, OidcClient, count + 1);

	for (size_t i = 0; i < count; i++)
		client_of(&rows[i], &clients[i]);
	return clients;
}

Err *oidc_client_list(Db *db, Arena *a, OidcClient **out, size_t *count)
{
	ClientRow *rows;

	TRY(db_all(db, a, oidc_clients, &rows, count));
	*out = clients_of(a, rows, *count);
	return NULL;
}

Err *oidc_clients_page(Db *db, Arena *a, Str after, size_t most, OidcClient **out, size_t *count)
{
	ClientRow *rows;

	TRY(db_all(db, a, oidc_clients_after, &rows, count, .after = after, .most = (int64_t)most));
	*out = clients_of(a, rows, *count);
	return NULL;
}

Str oidc_grants_text(Arena *a, uint32_t grants)
{
	Str text = { 0 };

	if (grants & OIDC_GRANT_CODE)
		text = S("authorization_code");
	if (grants & OIDC_GRANT_REFRESH)
		text = oidc_scope_join(a, text, S("refresh_token"));
	if (grants & OIDC_GRANT_CLIENT)
		text = oidc_scope_join(a, text, S("client_credentials"));
	return text;
}

Err *oidc_client_store(Db *db, Arena *a, const OidcClient *c, int64_t now_us)
{
	return db_exec(db, a, oidc_client_add, NULL, .id = c->id, .name = c->name,
	               .auth = oidc_auth_name(c->auth), .grants = oidc_grants_text(a, c->grants),
	               .redirects = c->redirects, .logout_redirects = c->logout_redirects,
	               .scope = c->scope, .audience = c->audience, .trusted = c->trusted,
	               .rs256 = c->rs256, .secret_hash = maybe(c->secret_hash), .jwks = c->jwks,
	               .created_at = now_us);
}

Err *oidc_client_change(Db *tx, Arena *a, const OidcClient *c)
{
	return db_exec(tx, a, oidc_client_change, NULL, .id = c->id, .name = c->name,
	               .grants = oidc_grants_text(a, c->grants), .redirects = c->redirects,
	               .logout_redirects = c->logout_redirects, .scope = c->scope,
	               .audience = c->audience, .trusted = c->trusted, .rs256 = c->rs256,
	               .jwks = c->jwks);
}

Err *oidc_client_remove(Db *db, Arena *a, Str id, bool *removed)
{
	DbBatch *batch = db_batch(a);
	int64_t changed = 0;

	batch_exec(batch, oidc_client_grants_remove, NULL, .id = id);
	batch_exec(batch, oidc_client_consents_remove, NULL, .id = id);
	batch_exec(batch, oidc_client_remove, &changed, .id = id);
	TRY(db_batch_run(db, a, batch));
	*removed = changed > 0;
	return NULL;
}

/* --- grants and codes --------------------------------------------------------------------------------------------------- */

static OidcGrant *grant_of(Arena *a, const GrantRow *row)
{
	OidcGrant *g;

	if (!row)
		return NULL;
	g = ARENA_NEW(a, OidcGrant);
	*g = (OidcGrant){ .id = row->id,
		          .client = row->client_id,
		          .user = row->user_id,
		          .session = row->session_id,
		          .scope = row->scope,
		          .level = (int)row->level,
		          .methods = row->methods,
		          .auth_us = row->auth_at,
		          .offline = row->offline,
		          .until_us = row->until,
		          .ended = row->ended_at.set,
		          .active = row->active,
		          .newest = opt(row->newest),
		          .last = opt(row->last),
		          .before = opt(row->before),
		          .last_used_us = row->last_used_at.v,
		          .before_used_us = row->before_used_at.v,
		          .sealed = opt(row->sealed) };
	return g;
}

typedef struct Beginning {
	const OidcGrant *grant;
	const OidcKept *code;
	bool begun;
} Beginning;

/* Whoever ends the session ends its grants: with its row held, this one comes before that or not at all. */
static Err *begin_grant(Db *tx, Arena *a, void *arg)
{
	Beginning *b = arg;
	const OidcGrant *g = b->grant;
	const OidcKept *code = b->code;
	DbBatch *batch = db_batch(a);
	OidcSessionHoldRow *session;

	TRY(db_one(tx, a, oidc_session_hold, &session, .id = g->session));
	b->begun = session != NULL;
	if (!b->begun)
		return NULL;
	batch_exec(batch, oidc_grant_add, NULL, .id = g->id, .client_id = g->client,
	           .user_id = g->user, .session_id = g->session, .scope = g->scope,
	           .level = g->level, .methods = g->methods, .auth_at = g->auth_us,
	           .offline = g->offline, .created_at = time_utc_us(), .until = g->until_us);
	batch_exec(batch, oidc_code_add, NULL, .hash = code->hash, .grant_id = g->id,
	           .redirect_uri = code->redirect_uri, .challenge = code->challenge,
	           .nonce = code->nonce, .until = code->until_us);
	return db_batch_run(tx, a, batch);
}

Err *oidc_grant_begin(Db *db, Arena *a, const OidcGrant *g, const OidcKept *code, bool *begun)
{
	Beginning b = { g, code, false };

	TRY(db_txn(db, a, DB_READ_COMMITTED, begin_grant, &b));
	*begun = b.begun;
	return NULL;
}

Err *oidc_grant_load(Db *db, Arena *a, Uuid id, OidcGrant **out)
{
	GrantRow *row;

	TRY(db_one(db, a, oidc_grant, &row, .id = id));
	*out = grant_of(a, row);
	return NULL;
}

Err *oidc_grant_of_refresh(Db *db, Arena *a, Str handle_hash, OidcGrant **out)
{
	GrantRow *row;

	TRY(db_one(db, a, oidc_grant_by_handle, &row, .handle = handle_hash));
	*out = grant_of(a, row);
	return NULL;
}

Err *oidc_code_load(Db *db, Arena *a, Str hash, OidcKept **out)
{
	CodeRow *row;
	OidcKept *code = NULL;

	TRY(db_one(db, a, oidc_code, &row, .hash = hash));
	if (row) {
		code = ARENA_NEW(a, OidcKept);
		*code = (OidcKept){ row->hash,  row->grant_id, row->redirect_uri, row->challenge,
			            row->nonce, row->until,    row->used_at.set };
	}
	*out = code;
	return NULL;
}

typedef struct Spending {
	const OidcKept *code;
	Str handle_hash, newest;
	int64_t until_us, now_us;
	bool used;
} Spending;

static Err *spend_code(Db *tx, Arena *a, void *arg)
{
	Spending *s = arg;
	int64_t changed = 0;

	TRY(db_exec(tx, a, oidc_code_use, &changed, .hash = s->code->hash, .now = s->now_us));
	s->used = changed > 0;
	if (!s->used || !s->handle_hash.len)
		return NULL;
	return db_exec(tx, a, oidc_grant_refreshes, NULL, .id = s->code->grant,
	               .handle = s->handle_hash, .newest = s->newest, .until = s->until_us);
}

Err *oidc_code_spend(Db *db, Arena *a, const OidcKept *code, Str handle_hash, Str newest,
                     int64_t until_us, int64_t now_us, bool *used)
{
	Spending s = { code, handle_hash, newest, until_us, now_us, false };

	TRY(db_txn(db, a, DB_READ_COMMITTED, spend_code, &s));
	*used = s.used;
	return NULL;
}

Err *oidc_grant_rotate(Db *db, Arena *a, Uuid id, Str old, Str newest, Str sealed, int64_t now_us,
                       bool *rotated)
{
	int64_t changed = 0;

	TRY(db_exec(db, a, oidc_grant_rotate, &changed, .id = id, .old = old, .newest = newest,
	            .sealed = sealed, .now = now_us));
	*rotated = changed > 0;
	return NULL;
}

Err *oidc_grant_end(Db *db, Arena *a, Uuid id, int64_t now_us, bool *ended)
{
	int64_t changed = 0;

	TRY(db_exec(db, a, oidc_grant_end, &changed, .id = id, .now = now_us));
	*ended = changed > 0;
	return NULL;
}

Err *oidc_grants_end_of_user(Db *db, Arena *a, Uuid user, Uuid keep, int64_t now_us)
{
	return db_exec(db, a, oidc_grants_end_of_user, NULL, .user_id = user, .keep = keep,
	               .now = now_us);
}

Err *oidc_grants_end_of_session(Db *db, Arena *a, Uuid user, Uuid session, Uuid keep,
                                int64_t now_us)
{
	if (uuid_is_nil(session))
		return db_exec(db, a, oidc_grants_end_of_sessions, NULL, .user_id = user,
		               .keep = keep, .now = now_us);
	return db_exec(db, a, oidc_grants_end_of_session, NULL, .session_id = session,
	               .now = now_us);
}

/* --- consents ----------------------------------------------------------------------------------------------------------- */

Err *oidc_consent_load(Db *db, Arena *a, Uuid user, Str client, Str *scope)
{
	OidcConsentRow *row;

	TRY(db_one(db, a, oidc_consent, &row, .user_id = user, .client_id = client));
	*scope = row ? row->scope : (Str){ 0 };
	return NULL;
}

Err *oidc_consent_store(Db *db, Arena *a, Uuid user, Str client, Str scope, int64_t now_us)
{
	return db_exec(db, a, oidc_consent_set, NULL, .user_id = user, .client_id = client,
	               .scope = scope, .now = now_us);
}

Err *oidc_consent_remove(Db *db, Arena *a, Uuid user, Str client, int64_t now_us)
{
	DbBatch *batch = db_batch(a);

	batch_exec(batch, oidc_consent_remove, NULL, .user_id = user, .client_id = client);
	batch_exec(batch, oidc_grants_end_of_client, NULL, .user_id = user, .client_id = client,
	           .now = now_us);
	return db_batch_run(db, a, batch);
}

Err *oidc_consents_forget(Db *db, Arena *a, Uuid user)
{
	return db_exec(db, a, oidc_consents_remove, NULL, .user_id = user);
}

Err *oidc_consent_list(Db *db, Arena *a, Uuid user, OidcConsent **out, size_t *count)
{
	OidcConsentsRow *rows;
	OidcConsent *list;
	size_t n;

	TRY(db_all(db, a, oidc_consents, &rows, &n, .user_id = user));
	list = ARENA_ARRAY(a, OidcConsent, n + 1);
	for (size_t i = 0; i < n; i++)
		list[i] = (OidcConsent){ rows[i].client_id, rows[i].name, rows[i].scope,
			                 rows[i].given_at };
	*out = list;
	*count = n;
	return NULL;
}

/* --- what is spent ------------------------------------------------------------------------------------------------------ */

Err *oidc_spend(Db *db, Arena *a, Str hash, int64_t until_us, bool *first)
{
	int64_t changed = 0;

	TRY(db_exec(db, a, oidc_spend, &changed, .hash = hash, .until = until_us));
	*first = changed > 0;
	return NULL;
}

Err *oidc_is_spent(Db *db, Arena *a, Str hash, bool *spent)
{
	OidcIsSpentRow *row;

	TRY(db_one(db, a, oidc_is_spent, &row, .hash = hash));
	*spent = row != NULL;
	return NULL;
}

Err *oidc_purge(Db *db, Arena *a, int64_t now_us)
{
	int64_t hour = 3600 * US_PER_S;

	TRY(db_exec(db, a, oidc_grants_purge, NULL, .before = now_us - hour, .most = PURGE_MOST));
	TRY(db_exec(db, a, oidc_spent_purge, NULL, .now = now_us - hour, .most = PURGE_MOST));
	return db_exec(db, a, oidc_keys_purge, NULL, .now = now_us);
}

/* --- keys --------------------------------------------------------------------------------------------------------------- */

Err *oidc_key_rows(Db *db, Arena *a, int64_t now_us, OidcKeyRow **out, size_t *count)
{
	KeyRow *rows;
	OidcKeyRow *keys;
	size_t n;

	TRY(db_all(db, a, oidc_keys, &rows, &n, .now = now_us));
	keys = ARENA_ARRAY(a, OidcKeyRow, n + 1);
	for (size_t i = 0; i < n; i++)
		keys[i] = (OidcKeyRow){
			rows[i].kid,      rows[i].alg,
			rows[i].sealed,   rows[i].created_at,
			rows[i].signs_at, rows[i].until.set ? rows[i].until.v : INT64_MAX
		};
	*out = keys;
	*count = n;
	return NULL;
}

Err *oidc_key_store(Db *db, Arena *a, const OidcKeyRow *key)
{
	OptInt until = key->until_us == INT64_MAX ? (OptInt){ 0 } : opt_int(key->until_us);

	return db_exec(db, a, oidc_key_add, NULL, .kid = key->kid, .alg = key->alg,
	               .sealed = key->sealed, .created_at = key->created_us,
	               .signs_at = key->signs_us, .until = until);
}

Err *oidc_key_signs(Db *db, Arena *a, Str kid, int64_t signs_us)
{
	return db_exec(db, a, oidc_key_signs, NULL, .kid = kid, .signs_at = signs_us);
}

Err *oidc_key_ends(Db *db, Arena *a, Str kid, int64_t until_us)
{
	return db_exec(db, a, oidc_key_ends, NULL, .kid = kid, .until = until_us);
}

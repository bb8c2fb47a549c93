/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys: 160 random bits in 32 letters and digits behind a prefix that says what the key may do, so that one which is found in a page or a log is
 * known for what it is. They are looked up by their SHA-256: what is random enough needs no slow hash, and a lookup by it tells nobody by its
 * time how much of a guess was right. */
#include "payment/stripe_keys.h"

#include "base/arena.h"
#include "base/rand.h"
#include "base/time.h"
#include "service/peer.h"

#include "payment_sql.h"

#include <openssl/evp.h>

enum { RANDOM_BYTES = 20, HINT_BYTES = 4, HASH_BYTES = 32 };

static Err no_key = ERR_STATIC(UNAUTHENTICATED, "auth.key", "Invalid API Key provided");

static const struct {
	const char *name, *prefix;
} kinds[KEY_KINDS] = {
	[KEY_SECRET] = { "secret", "sk" },
	[KEY_PUBLISHABLE] = { "publishable", "pk" },
	[KEY_RESTRICTED] = { "restricted", "rk" },
};

static const KeyScope scopes[] = {
	{ "balance:read", "what moved the balance" },
	{ "billing:read", "products, prices, subscriptions, invoices" },
	{ "billing:write", "to change them" },
	{ "charges:read", "charges" },
	{ "checkout:read", "checkouts" },
	{ "checkout:write", "to begin them" },
	{ "customers:read", "customers" },
	{ "customers:write", "to change them" },
	{ "events:read", "what has happened" },
	{ "ledger:read", "accounts and transfers" },
	{ "ledger:write", "to open accounts and transfer by hand" },
	{ "payment_intents:read", "payments" },
	{ "payment_intents:write", "to charge" },
	{ "payment_methods:read", "payment methods" },
	{ "payment_methods:write", "to keep them" },
	{ "refunds:read", "refunds" },
	{ "refunds:write", "to give back" },
	{ "webhooks:read", "where events are sent" },
	{ "webhooks:write", "to change that" },
};

const KeyScope *key_scopes(size_t *count)
{
	*count = COUNT(scopes);
	return scopes;
}

static Str all_scopes(Arena *a)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (size_t i = 0; i < COUNT(scopes); i++)
		buf_fmt(&b, i ? " %s" : "%s", scopes[i].name);
	return str_dup(a, buf_str(&b));
}

static bool matches(const KeyScope *scope, Str word)
{
	Str name = str_of(scope->name);

	return str_eq(name, word) || (str_starts(name, word) && name.at[word.len] == ':');
}

Str key_scopes_read(Arena *a, Str text, Str *unknown)
{
	AUTO(buf_fini) Buf b = { 0 };
	bool wanted[COUNT(scopes)] = { false };
	Str word;

	*unknown = S("");
	for (size_t from = 0, to; from < text.len; from = to + 1) {
		bool known = false;

		for (to = from; to < text.len && text.at[to] != ' ' && text.at[to] != ','; to++)
			;
		word = str_sub(text, from, to);
		for (size_t i = 0; i < COUNT(scopes) && word.len; i++)
			if (matches(&scopes[i], word))
				known = wanted[i] = true;
		if (word.len && !known) {
			*unknown = word;
			return S("");
		}
	}
	for (size_t i = 0; i < COUNT(scopes); i++)
		if (wanted[i])
			buf_fmt(&b, b.len ? " %s" : "%s", scopes[i].name);
	return str_dup(a, buf_str(&b));
}

/* --- made and kept ------------------------------------------------------------------------------------------------------------------ */

static Str hash_of(Arena *a, Str text)
{
	uint8_t *hash = arena_alloc(a, HASH_BYTES);

	EVP_Digest(text.at, text.len, hash, NULL, EVP_sha256(), NULL);
	return (Str){ (const char *)hash, HASH_BYTES };
}

static Str random_text(Arena *a)
{
	static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
	uint8_t random[RANDOM_BYTES * 8 / 5];
	char *at = arena_alloc_raw(a, sizeof random);

	rand_bytes(random, sizeof random);
	for (size_t i = 0; i < sizeof random; i++)
		at[i] = letters[random[i] % 32];
	return (Str){ at, sizeof random };
}

static KeySeen seen_of(const PaymentKeyRow *row)
{
	return (KeySeen){ .id = row->id,
		          .kind = row->kind,
		          .name = row->name,
		          .hint = row->hint,
		          .scopes = row->scopes,
		          .created_us = row->created_at,
		          .until_us = row->until.v,
		          .revoked_us = row->revoked_at.v };
}

Err *key_add(Db *db, Arena *a, const KeyDraft *draft, KeySeen *out, Str *text)
{
	const char *prefix = kinds[draft->kind].prefix;
	PaymentKeyRow row = { .id = uuid_new(),
		              .kind = str_of(kinds[draft->kind].name),
		              .name = draft->name,
		              .scopes = draft->kind == KEY_RESTRICTED ? draft->scopes : S(""),
		              .created_at = time_utc_us() };

	*text = str_fmt(a, "%s_%s_%.*s", prefix, draft->live ? "live" : "test",
	                STR_ARG(random_text(a)));
	row.hash = hash_of(a, *text);
	row.hint = str_fmt(a, "%s_%s_...%.*s", prefix, draft->live ? "live" : "test",
	                   STR_ARG(str_sub(*text, text->len - HINT_BYTES, text->len)));
	if (draft->until_us)
		row.until = opt_int(draft->until_us);
	TRY(db_exec_with(db, a, payment_key_add, &row, NULL));
	*out = seen_of(&row);
	return NULL;
}

Err *keys_list(Db *db, Arena *a, KeySeen **out, size_t *count)
{
	PaymentKeyRow *rows;

	TRY(db_all(db, a, payment_keys_all, &rows, count));
	*out = ARENA_ARRAY(a, KeySeen, *count + 1);
	for (size_t i = 0; i < *count; i++)
		(*out)[i] = seen_of(&rows[i]);
	return NULL;
}

Err *key_revoke(Db *db, Arena *a, Uuid id, bool *done)
{
	int64_t changed;

	TRY(db_exec(db, a, payment_key_revoke, &changed, .id = id, .now = time_utc_us()));
	*done = changed > 0;
	return NULL;
}

/* --- who asks ------------------------------------------------------------------------------------------------------------------------- */

/* A token's scope "payments:write" stands for all of ours, "payments:read" for those to read. */
static Str widened(Arena *a, Str given)
{
	bool all = false, reads = false;
	AUTO(buf_fini) Buf b = { 0 };
	Str rest = given, one;

	while (str_split(&rest, ' ', &one)) {
		all |= str_eq(one, S("payments:write"));
		reads |= str_eq(one, S("payments:read"));
	}
	if (!all && !reads)
		return given;
	buf_put(&b, given);
	for (size_t i = 0; i < COUNT(scopes); i++)
		if (all || str_ends(str_of(scopes[i].name), S(":read")))
			buf_fmt(&b, " %s", scopes[i].name);
	return str_dup(a, buf_str(&b));
}

static Err *other(ServiceCall *c, Str token, ServiceWho *who)
{
	TRY(service_who_token(c, token, who));
	who->scopes = widened(c->arena, who->scopes);
	return NULL;
}

static bool is_key(Str token)
{
	for (size_t i = 0; i < KEY_KINDS; i++)
		if (str_starts(token, str_of(kinds[i].prefix)) && token.len > 8 &&
		    token.at[2] == '_')
			return true;
	return false;
}

Err *payment_who(ServiceCall *c, ServiceWho *who)
{
	Str token = service_bearer(c, true);
	PaymentKeyRow *row;

	if (!token.len)
		return NULL;
	if (!is_key(token))
		return other(c, token, who);
	if (token.len > KEY_TEXT_MOST)
		return &no_key;
	TRY(db_one(c->db, c->arena, payment_key_by_hash, &row, .hash = hash_of(c->arena, token)));
	if (!row || row->revoked_at.set || (row->until.set && row->until.v <= time_utc_us()))
		return &no_key;
	*who = (ServiceWho){ .known = true,
		             .name = str_fmt(c->arena, "key:%.*s",
		                             STR_ARG(uuid_text(c->arena, row->id))) };
	who->scopes = str_eq(row->kind, S("secret"))        ? all_scopes(c->arena)
	              : str_eq(row->kind, S("publishable")) ? S(KEY_PUBLIC)
	                                                    : row->scopes;
	return NULL;
}

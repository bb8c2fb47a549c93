/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys of programs in Stripe's manner: "sk_test_..." may do everything, "rk_test_..." what its scopes say, "pk_test_..." stands in pages and
 * may look at and confirm an intent whose secret it brings, and keep a payment method. Of a key only the SHA-256 is stored. */
#pragma once
#include "service/service.h"

#define KEY_PUBLIC "public" /* the scope of a publishable one */

enum { KEY_TEXT_MOST = 80 };

typedef struct KeyScope {
	const char *name; /* "customers:read" */
	const char *help;
} KeyScope;
const KeyScope *key_scopes(size_t *count);
/* A list with blanks (or commas) between them, in order; empty where one is none: *unknown. "customers" stands for both of its kind. */
Str key_scopes_read(Arena *a, Str text, Str *unknown);

typedef enum KeyKind { KEY_SECRET, KEY_PUBLISHABLE, KEY_RESTRICTED, KEY_KINDS } KeyKind;

typedef struct KeyDraft {
	KeyKind kind;
	Str name;
	Str scopes;       /* of a restricted one */
	int64_t until_us; /* 0: for ever */
	bool live;
} KeyDraft;
typedef struct KeySeen {
	Uuid id;
	Str kind, name, hint, scopes;
	int64_t created_us, until_us, revoked_us; /* 0: never */
} KeySeen;

/* *text: the key, which nobody can be told again. */
Err *key_add(Db *db, Arena *a, const KeyDraft *draft, KeySeen *out, Str *text) MUST_USE;
Err *keys_list(Db *db, Arena *a, KeySeen **out, size_t *count) MUST_USE;
/* *done false: there is none of that id that still opens anything. */
Err *key_revoke(Db *db, Arena *a, Uuid id, bool *done) MUST_USE;

/* Service.who of payments: such keys, as a bearer or as the name of Basic; other bearers are tokens (service/peer.h), whose scope
 * "payments:write" stands for all of these. */
Err *payment_who(ServiceCall *c, ServiceWho *who) MUST_USE;

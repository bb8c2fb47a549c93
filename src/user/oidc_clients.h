/* SPDX-License-Identifier: Apache-2.0
 *
 * Clients as administrators make, change and remove them: by the command and by the API alike. */
#pragma once
#include "user/accounts.h"
#include "user/oidc_store.h"

#define OIDC_CLIENT_SCOPE "openid profile email offline_access" /* of one that names none */

/* May a client be called so? No person's id can be taken for it. */
bool oidc_client_id_is(Str id);

typedef struct OidcClientFault {
	const char *at; /* the member as RFC 7591 calls it: "redirect_uris"; NULL: all is well */
	Str why;        /* one sentence */
} OidcClientFault;
/* May this be registered? Does not look whether its id is taken. */
OidcClientFault oidc_client_check(Arena *a, const OidcClient *client);
/* Gives it a secret, when that is how it proves itself: the secret, or empty. The client gets its hash. */
Str oidc_client_secret(Arena *a, OidcClient *client);
/* Changes with all that it says; another one's version is another number. Positive. */
int64_t oidc_client_version(Arena *a, const OidcClient *client);

/* As JSON, in the members of RFC 7591 and ours; secret: empty: it is not shown. Fails when its keys cannot be read. */
Err *oidc_client_put(JsonWriter *w, Arena *a, const OidcClient *client, Str secret) MUST_USE;

/* Each with its line of the audit log, in the caller's transaction. add fails with CONFLICT "db.unique" when the id is taken;
 * *removed false: there was none, and nothing is told. */
Err *oidc_client_add_told(Db *tx, Arena *a, const OidcClient *client, const Asker *asker) MUST_USE;
Err *oidc_client_change_told(Db *tx, Arena *a, const OidcClient *client, const Asker *asker)
	MUST_USE;
Err *oidc_client_remove_told(Db *tx, Arena *a, Str id, const Asker *asker, bool *removed) MUST_USE;

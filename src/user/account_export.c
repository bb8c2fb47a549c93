/* SPDX-License-Identifier: Apache-2.0
 *
 * What is kept of a person: the account, where they are logged in, whom they let see it, what the audit log has of them. */
#include "user/account_export.h"

#include "base/arena.h"
#include "base/time.h"
#include "user/audit.h"
#include "user/oidc_store.h"
#include "user/user_api.h"

enum { LINES_AT_ONCE = 500 };

void audit_json(JsonWriter *w, Arena *a, const AuditEntry *entry)
{
	json_begin_object(w);
	json_put_i64(w, "seq", entry->seq);
	json_key(w, S("at"));
	json_add_time(w, entry->at_us);
	json_put_str(w, "actor", entry->actor);
	json_put_str(w, "action", entry->action);
	json_key(w, S("user"));
	if (uuid_is_nil(entry->user))
		json_add_null(w);
	else
		json_add_str(w, account_id_text(a, entry->user));
	json_put_str(w, "address", entry->address);
	json_key(w, S("detail"));
	json_add_raw(w, entry->detail);
	json_end(w);
}

static Err *put_audit(Accounts *accounts, Arena *a, Uuid user, JsonWriter *w)
{
	AuditEntry *entries;
	int64_t before = 0;
	size_t count;

	json_key(w, S("audit"));
	json_begin_array(w);
	do {
		TRY(audit_list(accounts_db(accounts), a, user, before, LINES_AT_ONCE, &entries,
		               &count));
		for (size_t i = 0; i < count; i++)
			audit_json(w, a, &entries[i]);
		before = count ? entries[count - 1].seq : 0;
	} while (count == LINES_AT_ONCE);
	json_end(w);
	return NULL;
}

static Err *put_consents(Accounts *accounts, Arena *a, Uuid user, JsonWriter *w)
{
	OidcConsent *consents;
	size_t count;

	TRY(oidc_consent_list(accounts_db(accounts), a, user, &consents, &count));
	json_key(w, S("consents"));
	json_begin_array(w);
	for (size_t i = 0; i < count; i++) {
		json_begin_object(w);
		json_put_str(w, "client_id", consents[i].client);
		json_put_str(w, "name", consents[i].name);
		json_put_str(w, "scope", consents[i].scope);
		json_key(w, S("given_at"));
		json_add_time(w, consents[i].given_us);
		json_end(w);
	}
	json_end(w);
	return NULL;
}

Err *account_export(Accounts *accounts, Arena *a, const User *user, JsonWriter *w)
{
	Session *sessions;
	size_t count;

	TRY(session_list(accounts, a, user->id, &sessions, &count));
	json_begin_object(w);
	json_key(w, S("user"));
	user_put(w, a, user);
	json_key(w, S("sessions"));
	json_begin_array(w);
	for (size_t i = 0; i < count; i++)
		session_json(w, a, &sessions[i], false);
	json_end(w);
	TRY(put_consents(accounts, a, user->id, w));
	TRY(put_audit(accounts, a, user->id, w));
	json_end(w);
	return NULL;
}

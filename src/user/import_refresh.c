/* SPDX-License-Identifier: Apache-2.0
 *
 * Accounts that are there already brought up to what their own system says now: for the time in which it still owns them.
 *
 * Two things follow: the password, as long as it is that system's (one that was set here stays), and whether somebody may log in
 * at all. With another password the sessions here end, as they do when it is changed here. A wrapped one stays too: its salt is new
 * every time, so that nobody can see whether it is another. */
#include "user/import_int.h"

#include "base/arena.h"
#include "base/time.h"
#include "user/account_change.h"

#include "user_import_sql.h"

static Err *renew_password(Db *tx, Arena *a, const User *there, const AccountDraft *draft,
                           const Asker *asker, bool *changed)
{
	AccountNews news = { .event = ACCOUNT_PASSWORD_CHANGED, .user = there->id };
	int64_t rows = 0, ended;

	if (!draft->password.len || str_starts(draft->password, S("wrapped$")))
		return NULL;
	TRY(db_exec(tx, a, import_password_renew, &rows, .user_id = there->id,
	            .source = draft->source, .stored = draft->password,
	            .format = password_format_text(a, draft->password), .now = time_utc_us()));
	if (!rows)
		return NULL;
	*changed = true;
	TRY(sessions_end_others(tx, a, there->id, (Uuid){ { 0 } }, &ended));
	TRY(account_hooks(tx, a, &news));
	TRY(account_tell(tx, a, "user.password_changed", there->id, S(""), asker));
	return audit_put(tx, a, asker,
	                 &(AuditLine){ .action = "password.imported", .user = there->id });
}

Err *import_refresh(Db *tx, Arena *a, const User *there, const AccountDraft *draft,
                    const Asker *asker, bool *changed)
{
	UserHold hold;

	*changed = false;
	TRY(user_hold(tx, a, there->id, &hold));
	TRY(renew_password(tx, a, there, draft, asker, changed));
	if (hold.status == draft->status || hold.status == USER_INVITED ||
	    draft->status == USER_INVITED)
		return NULL;
	*changed = true;
	return account_status(tx, a, there->id, draft->status, asker);
}

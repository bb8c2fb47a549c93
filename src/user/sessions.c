/* SPDX-License-Identifier: Apache-2.0
 *
 * Sessions in the database: every process knows of each, and one that was ended is over for all of them with the commit.
 *
 * The table has the SHA-256 of a token. A rise (a second factor, a step-up) puts another hash into the same row, on the condition
 * that the old one is still there: of two rises at once one wins, and a token that was known before is nobody's. `ended_at` is set
 * and never taken back; the row goes when it could not have lived any longer. */
#include "user/accounts_int.h"

#include "base/arena.h"
#include "base/time.h"
#include "service/service.h"
#include "user/secret.h"

#include "user_session_sql.h"

#include <string.h>

enum { AGENT_BYTES = 200 };

Str session_id_text(Arena *a, Uuid id)
{
	return service_id_text(a, "ses_", id);
}

bool session_id_read(Str text, Uuid *out)
{
	return service_id_read(text, "ses_", out);
}

Str session_csrf(Arena *a, Str token)
{
	return secret_csrf(a, token);
}

bool session_csrf_is(Arena *a, Str token, Str csrf)
{
	return secret_eq(secret_csrf(a, token), csrf);
}

static void session_of(const SessionRow *row, Session *out)
{
	*out = (Session){
		.id = row->id,
		.user = row->user_id,
		.level = (int)row->level,
		.methods = row->methods,
		.address = row->address,
		.agent = row->agent,
		.created_us = row->created_at,
		.proved_us = row->proved_at,
		.used_us = row->used_at,
		.idle_until_us = row->idle_until,
		.until_us = row->until,
	};
}

/* Cut between characters. A field may have any bytes in it, a column and JSON may not: those that are no text become "?". */
static Str agent_of(Arena *a, Str text)
{
	char *at = arena_alloc_raw(a, AGENT_BYTES);
	size_t len = 0;

	while (text.len) {
		uint32_t code;
		size_t bytes = str_utf8(text, &code);
		bool plain = bytes && code >= ' ' && code != 0x7f;

		if (len + (plain ? bytes : 1) > AGENT_BYTES)
			break;
		if (plain)
			memcpy(at + len, text.at, bytes);
		else
			at[len] = '?';
		len += plain ? bytes : 1;
		text = str_sub(text, bytes ? bytes : 1, text.len);
	}
	return (Str){ at, len };
}

void session_draft(const Accounts *accounts, Arena *a, SessionDraft *draft)
{
	int64_t now_us = time_utc_us();
	Session *s = &draft->session;

	*s = (Session){
		.id = uuid_new(),
		.user = draft->user,
		.level = draft->level,
		.methods = draft->methods,
		.address = draft->asker->address,
		.agent = agent_of(a, draft->asker->agent),
		.created_us = now_us,
		.proved_us = now_us,
	};
	session_dates(s, &accounts->conf->sessions, now_us);
	draft->token = secret_token(a);
	draft->hash = secret_hash(a, draft->token);
}

Err *session_put(Db *tx, Arena *a, const SessionDraft *draft)
{
	const Session *s = &draft->session;

	return db_exec(tx, a, session_add, NULL, .id = s->id, .token_hash = draft->hash,
	               .user_id = draft->user, .level = s->level, .methods = s->methods,
	               .address = s->address, .agent = s->agent, .created_at = s->created_us,
	               .proved_at = s->proved_us, .used_at = s->used_us,
	               .idle_until = s->idle_until_us, .until = s->until_us);
}

Err *session_by_token(Db *db, Arena *a, Str token, Session **out)
{
	SessionRow *row;
	Session *s;

	*out = NULL;
	if (token.len != SESSION_TOKEN)
		return NULL;
	TRY(db_one(db, a, session_by_hash, &row, .token_hash = secret_hash(a, token)));
	if (!row || row->ended_at.set)
		return NULL;
	s = ARENA_NEW(a, Session);
	session_of(row, s);
	if (!session_is_over(s, time_utc_us()))
		*out = s;
	return NULL;
}

/* A disk that is full is no reason to refuse who only reads: the next use writes it. */
static void touched(const Accounts *accounts, Arena *a, const Session *s)
{
	Err *err = db_exec(accounts->db, a, session_used, NULL, .id = s->id, .used_at = s->used_us,
	                   .idle_until = s->idle_until_us);

	(void)err;
}

Err *session_find(Accounts *accounts, Arena *a, Str token, Session **out, User **user)
{
	Session *s;

	*out = NULL;
	*user = NULL;
	TRY(session_by_token(accounts->db, a, token, &s));
	if (!s)
		return NULL;
	TRY(user_by_id(accounts->db, a, s->user, user));
	if (!*user || !user_may_log_in((*user)->status)) {
		*user = NULL;
		return NULL;
	}
	if (session_touch(s, &accounts->conf->sessions, time_utc_us()))
		touched(accounts, a, s);
	*out = s;
	return NULL;
}

/* --- beginning ---------------------------------------------------------------------------------------------------------- */

static Err *begin(Db *tx, Arena *a, void *arg)
{
	const SessionDraft *draft = arg;
	UserHold hold;

	TRY(user_hold(tx, a, draft->user, &hold));
	if (!user_may_log_in(hold.status))
		return err_new(a, ERR_DENIED, "user.inactive", "this account may not log in");
	TRY(session_put(tx, a, draft));
	return audit_put(tx, a, draft->asker,
	                 &(AuditLine){ .action = "session.begun", .user = draft->user });
}

Err *session_begin(Accounts *accounts, Arena *a, Uuid user, int level, Str methods,
                   const Asker *asker, Session **out, Str *token)
{
	SessionDraft *draft = ARENA_NEW(a, SessionDraft);

	*draft = (SessionDraft){ .user = user, .level = level, .methods = methods, .asker = asker };
	session_draft(accounts, a, draft);
	TRY(db_txn(accounts->db, a, DB_READ_COMMITTED, begin, draft));
	*out = &draft->session;
	*token = draft->token;
	return NULL;
}

Err *session_raise(const Accounts *accounts, Db *tx, Arena *a, Session *session, Str token_before,
                   int level, Str methods, Str token, bool *risen)
{
	int64_t changed = 0, now_us = time_utc_us();
	Session s = *session;

	s.level = level;
	s.methods = methods;
	s.proved_us = now_us;
	if (!session->level)
		session_dates(&s, &accounts->conf->sessions, now_us);
	s.used_us = now_us;
	TRY(db_exec(tx, a, session_rise, &changed, .id = s.id,
	            .before = secret_hash(a, token_before), .token_hash = secret_hash(a, token),
	            .level = level, .methods = methods, .now = now_us,
	            .idle_until = s.idle_until_us, .until = s.until_us));
	*risen = changed == 1;
	if (*risen)
		*session = s;
	return NULL;
}

/* --- ending ------------------------------------------------------------------------------------------------------------- */

Err *sessions_end_others(Db *tx, Arena *a, Uuid user, Uuid keep, int64_t *ended)
{
	int64_t changed = 0;

	TRY(db_exec(tx, a, session_end_others, &changed, .user_id = user, .keep = keep,
	            .now = time_utc_us()));
	if (ended)
		*ended = changed;
	return NULL;
}

typedef struct Ending {
	const Asker *asker;
	Uuid user, id, keep;
	int64_t ended;
} Ending;

static Err *end(Db *tx, Arena *a, void *arg)
{
	Ending *e = arg;

	e->ended = 0;
	if (uuid_is_nil(e->id))
		TRY(sessions_end_others(tx, a, e->user, e->keep, &e->ended));
	else
		TRY(db_exec(tx, a, session_end_one, &e->ended, .user_id = e->user, .id = e->id,
		            .now = time_utc_us()));
	if (!e->ended)
		return NULL;
	TRY(account_hooks(tx, a,
	                  &(AccountNews){ ACCOUNT_SESSIONS_ENDED, e->user, e->id, e->keep }));
	return audit_put(tx, a, e->asker,
	                 &(AuditLine){ .action = "session.ended", .user = e->user });
}

Err *session_revoke(Accounts *accounts, Arena *a, Uuid user, Uuid id, Uuid keep, const Asker *asker,
                    int64_t *ended)
{
	Ending e = { .asker = asker, .user = user, .id = id, .keep = keep };

	TRY(db_txn(accounts->db, a, DB_READ_COMMITTED, end, &e));
	*ended = e.ended;
	return NULL;
}

Err *session_end(Accounts *accounts, Arena *a, Str token, const Asker *asker, bool *ended)
{
	Session *s;
	int64_t count = 0;

	*ended = false;
	TRY(session_by_token(accounts->db, a, token, &s));
	if (!s)
		return NULL;
	TRY(session_revoke(accounts, a, s->user, s->id, (Uuid){ { 0 } }, asker, &count));
	*ended = count == 1;
	return NULL;
}

Err *session_list(Accounts *accounts, Arena *a, Uuid user, Session **out, size_t *count)
{
	SessionRow *rows;
	size_t n;

	TRY(db_all(accounts->db, a, sessions_of, &rows, &n, .user_id = user, .now = time_utc_us()));
	*out = ARENA_ARRAY(a, Session, n + 1);
	for (size_t i = 0; i < n; i++)
		session_of(&rows[i], &(*out)[i]);
	*count = n;
	return NULL;
}

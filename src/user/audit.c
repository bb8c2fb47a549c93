/* SPDX-License-Identifier: Apache-2.0
 *
 * The chain. A line's hash is the SHA-256 of all its fields, lengths before them, and of the hash before it; audit_head has the
 * last place and hash. That row is also the lock by which lines of several processes come one after another: it is taken at the
 * end of a transaction, and held until the commit. On SQLite the one writer is that lock.
 *
 * Places have no gap, for they come from that row and not from a sequence: a gap is a line that was taken out. */
#include "user/audit.h"

#include "base/arena.h"
#include "base/time.h"
#include "user/secret.h"

#include "user_audit_sql.h"

static Str hash_of(Arena *a, const AuditLineRow *line)
{
	Str user = line->user_id.set ? (Str){ (const char *)line->user_id.v.at, 16 } : S("");
	const Str parts[] = {
		line->before,
		str_fmt(a, "%" PRId64, line->seq),
		str_fmt(a, "%" PRId64, line->at),
		line->actor,
		line->action,
		user,
		line->address,
		line->detail,
	};

	return secret_hash_of(a, parts, COUNT(parts));
}

Err *audit_put(Db *tx, Arena *a, const Asker *asker, const AuditLine *line)
{
	AuditLineRow row = {
		.at = time_utc_us(),
		.actor = asker->actor,
		.action = str_of(line->action),
		.user_id = { .set = !uuid_is_nil(line->user), .v = line->user },
		.address = asker->address,
		.detail = line->detail.len ? line->detail : S("{}"),
	};
	AuditHeadLockRow *head;

	TRY(db_one(tx, a, audit_head_lock, &head));
	if (!head)
		return err_new(a, ERR_INTERNAL, "db.rows", "audit_head has no row");
	row.seq = head->seq + 1;
	row.before = head->hash;
	row.hash = hash_of(a, &row);
	TRY(db_exec_with(tx, a, audit_add, &row, NULL));
	return db_exec(tx, a, audit_head_set, NULL, .seq = row.seq, .hash = row.hash);
}

Err *audit_list(Db *db, Arena *a, Uuid user, int64_t before, size_t most, AuditEntry **out,
                size_t *count)
{
	AuditLineRow *rows;
	AuditEntry *entries;
	size_t n;

	before = before ? before : INT64_MAX;
	if (uuid_is_nil(user))
		TRY(db_all(db, a, audit_page, &rows, &n, .before = before, .most = (int64_t)most));
	else
		TRY(db_all(db, a, audit_page_of, &rows, &n, .user_id = user, .before = before,
		           .most = (int64_t)most));
	entries = ARENA_ARRAY(a, AuditEntry, n + 1);
	for (size_t i = 0; i < n; i++)
		entries[i] = (AuditEntry){
			.seq = rows[i].seq,
			.at_us = rows[i].at,
			.actor = rows[i].actor,
			.action = rows[i].action,
			.address = rows[i].address,
			.detail = rows[i].detail,
			.user = rows[i].user_id.v,
		};
	*out = entries;
	*count = n;
	return NULL;
}

/* --- verifying ---------------------------------------------------------------------------------------------------------- */

typedef struct Walk {
	Arena *a;       /* of the verdict */
	Arena *scratch; /* of one line */
	AuditVerdict *verdict;
	int64_t noted_seq;
	Str noted;
	char last[SECRET_HASH];
	size_t last_len;
} Walk;

static void broken(Walk *w, int64_t seq, const char *why)
{
	if (w->verdict->broken_at)
		return;
	w->verdict->broken_at = seq;
	w->verdict->why = str_of(why);
}

static Str last_of(const Walk *w)
{
	return (Str){ w->last, w->last_len };
}

/* What is wrong first is what is told; after it nothing can be said. */
static Err *look_at(const void *at, void *arg)
{
	const AuditLineRow *row = at;
	Walk *w = arg;
	int64_t want = w->verdict->lines + 1;

	if (w->verdict->broken_at)
		return NULL;
	if (row->seq > want)
		broken(w, want, "the line is missing");
	else if (row->seq < want)
		broken(w, row->seq, "the line is there twice, or before the first");
	else if (!str_eq(row->before, last_of(w)))
		broken(w, row->seq, "the line does not come after the one before it");
	else if (!str_eq(row->hash, hash_of(w->scratch, row)))
		broken(w, row->seq, "the line was changed");
	else if (row->seq == w->noted_seq && !str_eq(row->hash, w->noted))
		broken(w, row->seq, "the line is another one than was noted");
	w->verdict->lines++;
	w->last_len = MIN(row->hash.len, sizeof(w->last));
	__builtin_memcpy(w->last, row->hash.at, w->last_len);
	arena_clear(w->scratch);
	return NULL;
}

static Err *walk(Db *tx, Arena *a, void *arg)
{
	Walk *w = arg;
	AuditVerdict *v = w->verdict;
	AuditHeadRow *head;

	*v = (AuditVerdict){ .why = S("") };
	w->last_len = 0;
	TRY(db_each(tx, a, audit_all, look_at, w));
	TRY(db_one(tx, a, audit_head, &head));
	if (!head || head->seq > v->lines)
		broken(w, v->lines + 1, "the line is missing");
	else if (head->seq < v->lines || !str_eq(head->hash, last_of(w)))
		broken(w, head->seq + 1, "the end of the log is not what it says");
	if (w->noted_seq > v->lines)
		broken(w, v->lines + 1, "the log is shorter than was noted");
	v->head_seq = head ? head->seq : 0;
	v->head = secret_hex(w->a, head ? head->hash : S(""));
	return NULL;
}

Err *audit_verify(Db *db, Arena *a, int64_t noted_seq, Str noted, AuditVerdict *out)
{
	AUTO(arena_freep) Arena *scratch = arena_new(0);
	Walk w = { .a = a, .scratch = scratch, .verdict = out, .noted_seq = noted_seq };

	if (noted_seq && !secret_unhex(a, noted, &w.noted))
		return err_new(a, ERR_INVALID, "audit.noted", "what was noted is no hash: %.*s",
		               STR_ARG(str_quote(a, noted)));
	return db_txn(db, a, DB_SNAPSHOT, walk, &w);
}

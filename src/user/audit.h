/* SPDX-License-Identifier: Apache-2.0
 *
 * The audit log: who did what to which account. Lines are added and never changed; each holds the hash of the one before, so that
 * a line that was changed, taken out or put elsewhere is found (audit_verify). What a person is called is never in it, so that an
 * account can be erased without it.
 *
 * Whoever may write everything in the database can make a chain anew. Against that the last hash is noted elsewhere, now and then,
 * and the log is verified against what was noted. */
#pragma once
#include "store/db.h"
#include "user/accounts.h"

typedef struct AuditLine {
	const char *action; /* "login.failed" */
	Uuid user;          /* whose account; nil: none, or nobody's */
	Str detail;         /* a JSON object; empty: {} */
} AuditLine;

/* In the transaction of what it tells, and the last thing in it: whoever comes next waits for its end. */
Err *audit_put(Db *tx, Arena *a, const Asker *asker, const AuditLine *line) MUST_USE;

typedef struct AuditEntry {
	int64_t seq, at_us;
	Str actor, action, address, detail;
	Uuid user; /* nil: none */
} AuditEntry;
/* Newest first, before a place (0: from the end); of one account, or of all (nil). */
Err *audit_list(Db *db, Arena *a, Uuid user, int64_t before, size_t most, AuditEntry **out,
                size_t *count) MUST_USE;

typedef struct AuditVerdict {
	int64_t lines;
	int64_t broken_at; /* the first place that is wrong; 0: none */
	Str why;           /* a sentence, when one is */
	int64_t head_seq;
	Str head; /* the last line's hash, hexadecimal */
} AuditVerdict;
/* Reads all of it, of one moment. noted_seq, noted: what was noted before (0: nothing was). */
Err *audit_verify(Db *db, Arena *a, int64_t noted_seq, Str noted, AuditVerdict *out) MUST_USE;

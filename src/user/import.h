/* SPDX-License-Identifier: Apache-2.0
 *
 * Accounts from other systems, and the same form back out. Rows come as JSON lines, CSV or a Django dump, one at a time; what is
 * in memory is a batch. A row that is there already is left as it is, so a run that was cut is run again and goes on.
 *
 * A row: { "id": 42, "username", "email", "email_verified", "name" (or "first_name", "last_name"), "locale", "profile": {},
 * "roles": [], "password": "as the other system stored it", "status" (or "is_active"), "created_at" (or "date_joined"),
 * "last_login_at" (or "last_login"), "totp": "otpauth://..." or base32 }. An integer id becomes the external id "SOURCE:42"; one
 * that is "usr_..." stays; "external" and "source" of a row come before the options'. */
#pragma once
#include "auth/password.h"
#include "auth/totp.h"
#include "user/accounts.h"

typedef enum ImportShape { IMPORT_GUESS, IMPORT_NDJSON, IMPORT_CSV, IMPORT_DJANGO } ImportShape;

typedef struct ImportConf {
	ImportShape shape;
	Str source;       /* "shop": of external ids, and of passwords (rehash policies go by it) */
	Str model;        /* Django: which holds the users; empty: auth.user */
	uint64_t from;    /* rows that begin before this line are passed over */
	bool dry_run;     /* nothing is kept */
	bool wrap;        /* weak passwords get argon2id over them */
	bool no_password; /* a password of unknown format: none, instead of a mistake */
	bool no_email; /* an address that is none, or another account's: none, instead of a mistake */
	bool verified; /* addresses are verified unless a row says otherwise */
	bool refresh;  /* of what is there: password and status as their system has them now */
} ImportConf;

/* --- reading: import_read.c, import_row.c ------------------------------------------------------------------------------ */

/* More bytes; *got 0: the end. May park. */
typedef Err *ImportPull(void *arg, Arena *a, char *into, size_t room, size_t *got);

typedef struct ImportRow {
	uint64_t line;   /* where it begins, from 1 */
	uint64_t number; /* which it is, from 1 */
	Str key;         /* what its system calls it; may be empty */
	AccountDraft draft;
	bool has_totp;
	Totp totp;
	bool other;       /* Django: of another model */
	Str model;        /* its name */
	const Err *wrong; /* the row cannot be taken; the sentence says why */
} ImportRow;

typedef struct ImportReader ImportReader;
enum { IMPORT_RECORD_MAX = 1 << 20 /* bytes of one row */ };

/* Lives as long as the arena. */
ImportReader *import_reader_new(Arena *a, const ImportConf *conf, ImportPull *pull, void *arg);
/* The next row, in `a`; NULL at the end. What is wrong with one row is in it; fails with what pull fails with, and INVALID
 * "user.import_shape" when the whole cannot be read. */
Err *import_reader_next(ImportReader *reader, Arena *a, ImportRow **row) MUST_USE;
/* Fields that no row's reader knows, with the number of rows that had them. */
typedef struct ImportIgnored {
	Str name;
	uint64_t rows;
} ImportIgnored;
const ImportIgnored *import_reader_ignored(const ImportReader *reader, size_t *count);

/* One record of text, for import_read.c: fills all of the row but its line. */
typedef void ImportIgnore(void *arg, Str name);
void import_row_json(Arena *a, const ImportConf *conf, Str text, bool django, ImportRow *row,
                     ImportIgnore *ignore, void *arg);
/* A CSV record, under the names of the first; values become JSON as their looks say. */
void import_row_csv(Arena *a, const ImportConf *conf, const Str *names, const Str *values,
                    size_t count, ImportRow *row, ImportIgnore *ignore, void *arg);

/* --- taking in: import.c ----------------------------------------------------------------------------------------------- */

typedef enum ImportOutcome {
	IMPORT_NEW,
	IMPORT_SAME,    /* there already */
	IMPORT_CHANGED, /* there already, and brought up to date */
	IMPORT_OTHER,   /* no user's */
	IMPORT_FAILED,  /* slug and text say why */
	IMPORT_OUTCOMES
} ImportOutcome;
const char *import_outcome_name(ImportOutcome outcome);

typedef struct ImportResult {
	uint64_t number, line;
	Str key;
	ImportOutcome outcome;
	Uuid user; /* NEW, SAME */
	PasswordFormat format;
	const char *slug; /* FAILED; "email.invalid", ... */
	Str text;         /* what was wrong, or what was left out; empty: nothing */
} ImportResult;
typedef void ImportTell(void *arg, const ImportResult *result);

typedef struct ImportCounts {
	uint64_t rows;
	uint64_t outcomes[IMPORT_OUTCOMES];
	uint64_t formats[PASSWORD_FORMAT_COUNT]; /* of all rows of users */
	uint64_t weak, wrapped, left_out, totps;
} ImportCounts;

/* Reads to the end. accounts NULL: only looks at the rows. Parks. Fails, in `errs`, as the reader does and with the database's
 * errors: what was told as NEW is kept, and the same again goes on from there. */
Err *import_run(Accounts *accounts, Arena *errs, const ImportConf *conf, ImportReader *reader,
                const Asker *asker, ImportTell *tell, void *arg, ImportCounts *counts) MUST_USE;

typedef struct JsonWriter JsonWriter;
void import_put_result(JsonWriter *w, Arena *a, const ImportResult *result); /* an object */
void import_put_counts(JsonWriter *w,
                       const ImportCounts *counts); /* members of the object that is open */

/* --- and out: export.c ------------------------------------------------------------------------------------------------- */

/* Every account that is not erased, oldest first, one JSON line each; put gets whole lines. */
typedef Err *ExportPut(void *arg, Str lines);
Err *export_run(Accounts *accounts, Arena *errs, ExportPut *put, void *arg, uint64_t *rows)
	MUST_USE;

/* SPDX-License-Identifier: Apache-2.0
 *
 * Passwords: stored strings of every Python framework checked as they are, new ones made with argon2id.
 *
 * A hash is a second's tenth of processor and tens of megabytes, so all of them are made by a pool: a fixed number of threads,
 * each with its memory mapped when it starts, and a bounded queue. A full queue is BUSY "auth.password_busy" (503) at once.
 *
 *   TRY(password_verify(pool, a, stored, password, &outcome));        stored: from the table; empty: no such password
 *   if (outcome.match && outcome.outdated && account_may_be_rehashed) TRY(password_make(pool, a, password, &fresh));
 *
 * Whether an outdated one is made anew is the caller's policy: not while a monolith may still read or own the account. */
#pragma once
#include "base/buf.h"

typedef struct PasswordPool PasswordPool; /* any number of fibers on any loop */
typedef struct ConfTable ConfTable;
struct MetricFamily;

/* format, its name in counts and reports, who writes it */
#define PASSWORD_FORMATS(X) \
	X(NONE, "none", "no password: empty, or Django's ! and anything") \
	X(UNKNOWN, "unknown", "none of these") \
	X(ARGON2, "argon2", \
	  "$argon2id$, $argon2i$, $argon2d$: passlib, argon2-cffi, this program") \
	X(DJANGO_ARGON2, "django_argon2", "argon2$argon2id$...") \
	X(DJANGO_PBKDF2_SHA256, "django_pbkdf2_sha256", "pbkdf2_sha256$rounds$salt$base64") \
	X(DJANGO_PBKDF2_SHA1, "django_pbkdf2_sha1", "pbkdf2_sha1$rounds$salt$base64") \
	X(DJANGO_BCRYPT_SHA256, "django_bcrypt_sha256", "bcrypt_sha256$$2b$...") \
	X(DJANGO_BCRYPT, "django_bcrypt", "bcrypt$$2b$...") \
	X(DJANGO_SCRYPT, "django_scrypt", "scrypt$work$salt$r$p$base64") \
	X(DJANGO_CRYPT, "django_crypt", "crypt$$... (crypt(3))") \
	X(SALTED_SHA1, "sha1", "sha1$salt$hex: Django's digest, or Werkzeug's HMAC") \
	X(SALTED_MD5, "md5", "md5$salt$hex: Django's digest, or Werkzeug's HMAC") \
	X(BARE_SHA1, "sha1_unsalted", "sha1$$hex") \
	X(BARE_MD5, "md5_unsalted", "md5$$hex, or 32 hexadecimal digits") \
	X(WERKZEUG_SCRYPT, "werkzeug_scrypt", "scrypt:work:r:p$salt$hex") \
	X(WERKZEUG_PBKDF2, "werkzeug_pbkdf2", \
	  "pbkdf2:hash:rounds$salt$hex, rounds may be left out") \
	X(WERKZEUG_HMAC, "werkzeug_hmac", "sha256$salt$hex and the like") \
	X(WERKZEUG_PLAIN, "werkzeug_plain", "plain$$password") \
	X(PASSLIB_PBKDF2, "passlib_pbkdf2", \
	  "$pbkdf2-sha256$rounds$salt$digest, -sha512, SHA-1 without a name") \
	X(PASSLIB_SCRYPT, "passlib_scrypt", "$scrypt$ln=16,r=8,p=1$salt$digest") \
	X(PASSLIB_BCRYPT_SHA256, "passlib_bcrypt_sha256", \
	  "$bcrypt-sha256$v=2,t=2b,r=12$salt$digest, and version 1") \
	X(BCRYPT, "bcrypt", "$2a$ $2b$ $2x$ $2y$") \
	X(SHA256_CRYPT, "sha256_crypt", "$5$") \
	X(SHA512_CRYPT, "sha512_crypt", "$6$") \
	X(MD5_CRYPT, "md5_crypt", "$1$, and htpasswd's $apr1$") \
	X(SHA1_CRYPT, "sha1_crypt", "$sha1$") \
	X(YESCRYPT, "yescrypt", "$y$ $gy$ $7$") \
	X(LDAP_SHA, "ldap_sha", "{SSHA}, {SHA}, {SSHA256}, {SSHA512} and base64") \
	X(WRAPPED, "wrapped", "argon2id over a weak digest, made at an import")

typedef enum PasswordFormat {
#define X(format, name, help) PASSWORD_##format,
	PASSWORD_FORMATS(X)
#undef X
		PASSWORD_FORMAT_COUNT
} PasswordFormat;
const char *password_format_name(PasswordFormat format);
const char *password_format_help(PasswordFormat format);

enum { PASSWORD_MAX_BYTES = 4096, PASSWORD_STORED_MAX_BYTES = 1024 };

typedef struct PasswordConf {
	uint32_t workers;           /* threads */
	uint32_t queue;             /* jobs that may wait */
	uint64_t memory_bytes;      /* of one new hash */
	uint32_t passes;            /* of one new hash */
	uint64_t most_memory_bytes; /* that a stored string may ask for */
} PasswordConf;
const ConfTable *password_conf_table(void); /* `password:` of the user service */
const struct MetricFamily *password_metrics(size_t *count);
void password_put_metrics(Buf *out); /* as a page of the manual */

/* Starts the threads; inside rt_run. Fails with IO "auth.password_memory", "auth.password_threads". */
Err *password_pool_open(Arena *a, const PasswordConf *conf, PasswordPool **out) MUST_USE;
void password_pool_close(PasswordPool *pool); /* when no fiber uses it; joins the threads */
void password_pool_closep(PasswordPool **pool);

typedef struct PasswordOutcome {
	bool match;
	PasswordFormat format;
	bool outdated; /* not argon2id with at least this pool's memory and passes */
	bool weak; /* whoever has the string has the password soon: MD5, SHA-1, one round of anything */
	bool truncated; /* the format looks at 72 bytes (bcrypt) or 8 (DES), and the password has more */
} PasswordOutcome;

/* Parks. In constant time for a given stored string; an empty one, or "!...", takes as long as one of this pool's own and
 * never matches. Fails with BUSY "auth.password_busy"; INVALID "auth.password_format" (nobody's format, damaged, or asking for
 * more than the limits: see password_look); INVALID "auth.password_too_long" above PASSWORD_MAX_BYTES; "rt.cancelled",
 * "rt.deadline" while it waited in the queue or after the hash. */
Err *password_verify(PasswordPool *pool, Arena *a, Str stored, Str password, PasswordOutcome *out)
	MUST_USE;
/* The same work for a login nobody has: as costly as that of a stored string picked by `login` from those last given to
 * password_decoys; then from this pool's own. Fails as above. */
Err *password_verify_nobody(PasswordPool *pool, Arena *a, Str login, Str password) MUST_USE;
/* A random sample of the stored strings there are (256 at most are looked at), now and then: so that somebody and nobody take
 * equally long when accounts bring the formats of several systems. Copies their parameters, not the digests. Any thread. */
void password_decoys(PasswordPool *pool, const Str *stored, size_t count);
/* A secret that all processes of the service have: else a name nobody has costs another time in each of them. Until it is set it
 * is random. Any thread. */
void password_decoy_key(PasswordPool *pool, uint64_t key);

/* Parks. argon2id with the pool's parameters and a new salt: "$argon2id$v=19$m=...". Fails as password_verify. */
Err *password_make(PasswordPool *pool, Arena *a, Str password, Str *stored) MUST_USE;
/* Parks. A weak stored string (PasswordLook.weak) with argon2id over it; the password need not be known, and verifies as
 * before. INVALID "auth.password_format" when it is not a weak one. */
Err *password_wrap(PasswordPool *pool, Arena *a, Str weak, Str *stored) MUST_USE;

typedef struct PasswordLook {
	PasswordFormat format;
	bool weak;
} PasswordLook;
/* What a stored string is, without checking a password: for imports. Does not park. Fails with INVALID
 * "auth.password_format", out->format then being the format it claims, or UNKNOWN; the sentence never quotes the string. */
Err *password_look(Arena *a, Str stored, uint64_t most_memory_bytes, PasswordLook *out) MUST_USE;

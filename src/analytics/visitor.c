/* SPDX-License-Identifier: Apache-2.0
 *
 * The day's salt is a row that whoever comes first writes; all instances then read the same. What was hashed with it cannot be tried
 * again once the row is gone: 2^32 addresses are few, 2^128 salts are not. */
#include "analytics/visitor.h"

#include "analytics/segment.h"
#include "base/arena.h"
#include "base/rand.h"
#include "store/db.h"

#include "analytics_sql.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

enum { SALT_BYTES = 32, SHOWN_BYTES = 12, KEEP_DAYS = 2 };

static Err *salt_for(Db *db, Arena *a, int64_t day, Str *out)
{
	char fresh[SALT_BYTES];
	SaltOfRow *row;

	TRY(db_one(db, a, salt_of, &row, .day = day));
	if (!row) {
		rand_bytes(fresh, sizeof(fresh));
		TRY(db_exec(db, a, salt_add, NULL, .day = day, .salt = { fresh, sizeof(fresh) }));
		TRY(db_one(db, a, salt_of, &row, .day = day));
	}
	if (!row)
		return err_new(a, ERR_INTERNAL, "db.rows", "the day has no salt");
	*out = row->salt;
	return NULL;
}

Err *visitor_of(Db *db, Arena *a, int64_t now_ms, Str address, Str agent, Str site, Str *out)
{
	unsigned char tag[EVP_MAX_MD_SIZE];
	char text[2 * SHOWN_BYTES];
	unsigned tag_len;
	Str salt, what = str_fmt(a, "%.*s\n%.*s\n%.*s", STR_ARG(address), STR_ARG(agent),
	                         STR_ARG(site));

	TRY(salt_for(db, a, segment_day(now_ms), &salt));
	if (!HMAC(EVP_sha256(), salt.at, (int)salt.len, (const unsigned char *)what.at, what.len,
	          tag, &tag_len))
		return err_new(a, ERR_INTERNAL, "analytics.visitor", "a visitor was not hashed");
	for (size_t i = 0; i < SHOWN_BYTES; i++)
		str_put_hex(text + 2 * i, tag[i], 2);
	*out = str_fmt(a, "v:%.*s", (int)sizeof(text), text);
	return NULL;
}

Err *visitor_forget(Db *db, Arena *a, int64_t now_ms)
{
	return db_exec(db, a, salts_purge, NULL, .before = segment_day(now_ms) - KEEP_DAYS + 1);
}

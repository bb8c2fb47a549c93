/* SPDX-License-Identifier: Apache-2.0
 *
 * Accounts as they go out: the form that import.h takes in, so that what was exported and imported elsewhere exports the same.
 *
 * Pages by id, so that no snapshot is held while somebody slow reads, and memory is a page's. Secrets of authenticators are opened:
 * the file is as secret as the database and its key together. What is erased is not there, and neither are sessions. */
#include "auth/seal.h"
#include "base/arena.h"
#include "base/json.h"
#include "user/accounts_int.h"
#include "user/import.h"

#include "user_import_sql.h"

enum { PAGE = 500 };

static void put_text(JsonWriter *w, const char *key, Str text)
{
	if (text.len)
		json_put_str(w, key, text);
}

static void put_time(JsonWriter *w, const char *key, int64_t us)
{
	json_key(w, str_of(key));
	json_add_time(w, us);
}

static Err *put_totp(const Accounts *accounts, Arena *a, JsonWriter *w, const ExportAfterRow *row)
{
	Totp totp = { .digits = (uint32_t)row->digits.v, .period_s = (uint32_t)row->period_s.v };
	Str name = row->email.set ? row->email.v : row->username.v;
	Str context = str_fmt(a, "totp:%.*s",
	                      STR_ARG(account_id_text(a, row->id))); /* as totps.c closes it */

	totp.hash = str_eq(row->algorithm.v, S("SHA512"))   ? TOTP_SHA512
	            : str_eq(row->algorithm.v, S("SHA256")) ? TOTP_SHA256
	                                                    : TOTP_SHA1;
	TRY(seal_open(accounts->seal, a, context, row->secret.v, &totp.secret));
	json_put_str(w, "totp", totp_uri(a, &totp, S(""), name));
	return NULL;
}

static void put_roles(JsonWriter *w, Arena *a, Str text)
{
	size_t count;
	const Str *roles = roles_read(a, text, &count);

	if (!count)
		return;
	json_key(w, S("roles"));
	json_begin_array(w);
	for (size_t i = 0; i < count; i++)
		json_add_str(w, roles[i]);
	json_end(w);
}

static Err *put_row(const Accounts *accounts, Arena *a, JsonWriter *w, const ExportAfterRow *row)
{
	json_begin_object(w);
	json_put_str(w, "id", account_id_text(a, row->id));
	put_text(w, "external", row->external.v);
	json_put_str(w, "status", row->status);
	put_text(w, "username", row->username.v);
	put_text(w, "email", row->email.v);
	if (row->email.set)
		json_put_bool(w, "email_verified", row->email_verified_at.set);
	put_text(w, "name", row->name);
	put_text(w, "locale", row->locale);
	if (!str_eq(row->profile, S("{}"))) {
		json_key(w, S("profile"));
		json_add_raw(w, row->profile);
	}
	put_roles(w, a, row->roles);
	put_text(w, "password", row->stored.v);
	put_text(w, "source", row->source.v);
	put_time(w, "created_at", row->created_at);
	if (row->login_at.set)
		put_time(w, "last_login_at", row->login_at.v);
	if (row->secret.set)
		TRY(put_totp(accounts, a, w, row));
	json_end(w);
	return NULL;
}

static Err *put_page(const Accounts *accounts, Arena *a, const ExportAfterRow *rows, size_t count,
                     ExportPut *put, void *arg)
{
	AUTO(buf_fini) Buf b = { 0 };
	Str text;

	for (size_t i = 0; i < count; i++) {
		JsonWriter w = json_writer(&b);

		TRY(put_row(accounts, a, &w, &rows[i]));
		TRY(json_done(&w, &text));
		buf_putc(&b, '\n');
	}
	TRY(buf_done(&b, &text));
	return put(arg, text);
}

Err *export_run(Accounts *accounts, Arena *errs, ExportPut *put, void *arg, uint64_t *rows)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Uuid after = { { 0 } };
	size_t count;

	*rows = 0;
	do {
		ExportAfterRow *page = NULL;
		Err *err;

		arena_clear(a);
		count = 0;
		err = db_all(accounts->db, a, export_after, &page, &count, .after = after,
		             .most = PAGE);
		if (!err && count)
			err = put_page(accounts, a, page, count, put, arg);
		if (err)
			return err_copy(errs, err);
		if (count)
			after = page[count - 1].id;
		*rows += count;
	} while (count == PAGE);
	return NULL;
}

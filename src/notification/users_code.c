/* SPDX-License-Identifier: Apache-2.0
 *
 * Codes in mails of accounts: closed by the user service for the address that the mail is for, opened here when the mail is made, and
 * nowhere written down in between. */
#include "auth/seal.h"
#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"
#include "notification/notification_int.h"
#include "notification/users.h"
#include "rt/work.h"

static Str member(const Json *json, const char *name)
{
	Str text = S("");

	json_to_str(json_get(json, str_of(name)), &text);
	return text;
}

typedef struct KeyFile {
	Arena *a;
	Str path, row;
	Err *err;
} KeyFile;

static void read_key(void *arg)
{
	KeyFile *file = arg;
	Str text;

	file->err = file_read(file->a, file->path, 4096, &text);
	if (file->err)
		return;
	str_split(&text, '\n', &file->row);
	file->row = str_trim(file->row);
}

/* The user service makes its file when it first begins, perhaps after us: so it is read when it is needed. */
static Err *open_sealed(const NotificationState *state, Arena *a, Str context, Str sealed,
                        Str *code)
{
	const NotificationConf *conf = state->conf;
	KeyFile file = { .a = a, .path = conf->user_key_file };
	Seal *seal;
	Err *err;

	if (conf->user_keys.count) {
		TRY(seal_new(a, conf->user_keys.at, conf->user_keys.count, &seal));
	} else {
		TRY(work_run(read_key, &file));
		if (file.err)
			return err_because(a, file.err, ERR_PRECONDITION, "notification.user_key",
			                   "the key of the user service is not there");
		TRY(seal_new(a, &file.row, 1, &seal));
	}
	err = seal_open(seal, a, context, sealed, code);
	if (err)
		return err_because(a, err, ERR_PRECONDITION, "notification.user_key",
		                   "the code of a mail was closed with another key");
	return NULL;
}

static Str fill_link(Arena *a, Str pattern, Str purpose, Str code)
{
	AUTO(buf_fini) Buf b = { 0 };

	while (pattern.len) {
		Str rest = pattern;

		if (str_starts(rest, S("{code}"))) {
			buf_put(&b, code);
			pattern = str_sub(rest, 6, rest.len);
		} else if (str_starts(rest, S("{purpose}"))) {
			buf_put(&b, purpose);
			pattern = str_sub(rest, 9, rest.len);
		} else {
			buf_putc(&b, rest.at[0]);
			pattern = str_sub(rest, 1, rest.len);
		}
	}
	return str_dup(a, buf_str(&b));
}

Err *users_open_code(const NotificationState *state, Arena *a, Str to, Str *data)
{
	AUTO(buf_fini) Buf text = { 0 };
	JsonWriter w = json_writer(&text);
	const Json *json;
	Str code, whole, owner;

	TRY(json_read(a, *data, 0, &json));
	if (!member(json, "sealed_code").len)
		return NULL;
	if (member(json, "to").len) { /* closed for the address as its owner wrote it */
		if (address_read(a, CHANNEL_EMAIL, member(json, "to"), &owner) ||
		    !str_eq(owner, to))
			return NULL;
		to = member(json, "to");
	}
	TRY(open_sealed(state, a, str_fmt(a, "mail:%.*s", STR_ARG(to)), member(json, "sealed_code"),
	                &code));
	json_begin_object(&w);
	json_put_str(&w, "name", member(json, "name"));
	json_put_str(&w, "purpose", member(json, "purpose"));
	json_put_str(&w, "code", code);
	json_put_str(&w, "link", fill_link(a, member(json, "link"), member(json, "purpose"), code));
	json_end(&w);
	TRY(json_done(&w, &whole));
	*data = str_dup(a, whole);
	return NULL;
}

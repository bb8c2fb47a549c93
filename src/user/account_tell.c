/* SPDX-License-Identifier: Apache-2.0
 *
 * What the rest of the world hears of accounts: events in the outbox, in the transaction of their cause.
 *
 * A mail is an event too (user.mail_wanted); the notification service makes one of it. The code in it is what a person proves to
 * be the owner of an address with, so it is closed (auth/seal.h, context "mail:TO"): whoever reads the outbox alone cannot use it.
 * Where there is nobody to write to, user.mail_unwanted takes its place, so that asking for a recovery is the same work for all.
 * In development nobody may be there to send it, so the log has it. */
#include "user/accounts_int.h"

#include "auth/seal.h"
#include "base/arena.h"
#include "base/json.h"
#include "base/log.h"
#include "store/outbox.h"
#include "user/secret.h"

enum { HOOKS = 4 };
static AccountHook *hooks[HOOKS]; /* set before anything runs */
static size_t hook_count;

void accounts_hook(AccountHook *hook)
{
	for (size_t i = 0; i < hook_count; i++)
		if (hooks[i] == hook)
			return;
	if (hook_count < HOOKS)
		hooks[hook_count++] = hook;
}

Err *account_hooks(Db *tx, Arena *a, const AccountNews *news)
{
	for (size_t i = 0; i < hook_count; i++)
		TRY(hooks[i](tx, a, news));
	return NULL;
}

Err *account_tell(Db *tx, Arena *a, const char *type, Uuid user, Str data, const Asker *asker)
{
	return outbox_put(tx, a,
	                  &(Event){ .type = str_of(type),
	                            .aggregate_type = S("user"),
	                            .aggregate_id = account_id_text(a, user),
	                            .traceparent = asker->traceparent,
	                            .data = data.len ? data : S("{}") },
	                  NULL);
}

/* The configured link with purpose and code in it; without one nothing. */
static Str link_of(Arena *a, Str pattern, const char *purpose, Str code)
{
	AUTO(buf_fini) Buf b = { 0 };

	while (pattern.len) {
		if (str_starts(pattern, S("{code}"))) {
			buf_put(&b, code);
			pattern = str_sub(pattern, 6, pattern.len);
		} else if (str_starts(pattern, S("{purpose}"))) {
			buf_put(&b, str_of(purpose));
			pattern = str_sub(pattern, 9, pattern.len);
		} else {
			buf_putc(&b, pattern.at[0]);
			pattern = str_sub(pattern, 1, pattern.len);
		}
	}
	return str_dup(a, buf_str(&b));
}

static Err *mail_json(Accounts *accounts, Arena *a, const Mail *mail, Buf *b, Str *out)
{
	JsonWriter w = json_writer(b);
	Str sealed;

	json_begin_object(&w);
	json_put_str(&w, "template", str_of(mail->template));
	json_put_str(&w, "to", mail->to);
	json_put_str(&w, "name", mail->name);
	json_put_str(&w, "locale", mail->locale);
	if (mail->code.len) {
		TRY(accounts_may_seal(accounts, a));
		TRY(seal_close(accounts->seal, a, str_fmt(a, "mail:%.*s", STR_ARG(mail->to)),
		               mail->code, &sealed));
		json_put_str(&w, "purpose", str_of(mail->purpose));
		json_put_str(&w, "sealed_code", sealed);
		json_put_str(&w, "link", accounts->conf->codes.link);
	}
	json_end(&w);
	return json_done(&w, out);
}

Err *account_mail(Accounts *accounts, Db *tx, Arena *a, const Mail *mail, const Asker *asker)
{
	AUTO(buf_fini) Buf b = { 0 };
	Str data;

	TRY(mail_json(accounts, a, mail, &b, &data));
	return outbox_put(tx, a,
	                  &(Event){ .type = mail->to.len ? S("user.mail_wanted")
	                                                 : S("user.mail_unwanted"),
	                            .aggregate_type = S("mail"),
	                            .aggregate_id = uuid_text(a, uuid_new()),
	                            .traceparent = asker->traceparent,
	                            .data = data },
	                  NULL);
}

void account_mailed(const Accounts *accounts, Arena *a, const Mail *mail)
{
	if (!accounts->development || !mail->to.len)
		return;
	log_info_with(LOG_FIELDS(log_str("template", str_of(mail->template)),
	                         log_str("to", mail->to), log_str("code", mail->code),
	                         log_str("link", mail->code.len
	                                                 ? link_of(a, accounts->conf->codes.link,
	                                                           mail->purpose, mail->code)
	                                                 : S(""))),
	              "mail");
}

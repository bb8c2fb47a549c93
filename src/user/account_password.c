/* SPDX-License-Identifier: Apache-2.0
 *
 * New passwords: whether one may be, its stored form, its place. */
#include "user/accounts_int.h"

#include "auth/breached.h"
#include "base/arena.h"
#include "base/time.h"
#include "rt/work.h"

#include "user_sql.h"

Str password_format_text(Arena *a, Str stored)
{
	PasswordLook look = { .format = PASSWORD_UNKNOWN };
	Err *err = password_look(a, stored, UINT64_MAX, &look);

	(void)err; /* then it is said to be unknown */
	return str_of(password_format_name(look.format));
}

typedef struct Known {
	const Breached *list;
	Str password;
	bool known;
} Known;

static void look_up(void *arg)
{
	Known *k = arg;

	k->known = breached_has(k->list, k->password);
}

static void check_rule(const PasswordRule *rule, Str password, const Str *own, size_t count,
                       Str pointer, FieldMistakes *wrong)
{
	const char *fault = password_fault(rule, password, own, count);

	if (!fault)
		return;
	if (str_eq(str_of(fault), S("too_short")))
		field_mistake(wrong, pointer, fault, "the password has fewer than %u characters",
		              rule->least);
	else if (str_eq(str_of(fault), S("too_long")))
		field_mistake(wrong, pointer, fault, "the password has more than %u bytes",
		              rule->most);
	else
		field_mistake(wrong, pointer, fault, "the password is what the account is called");
}

Err *password_new(Accounts *accounts, Arena *a, Str password, const Str *own, size_t count,
                  Str pointer, FieldMistakes *wrong, Str *stored)
{
	Known known = { .list = accounts->breached, .password = password };
	size_t before = wrong->count;

	*stored = S("");
	check_rule(&accounts->conf->rule, password, own, count, pointer, wrong);
	if (wrong->count == before) {
		TRY(work_run(look_up, &known));
		if (known.known)
			field_mistake(wrong, pointer, "known",
			              "the password is one that everyone knows: choose another");
	}
	return wrong->count ? NULL : password_make(accounts->pool, a, password, stored);
}

Err *password_set(Db *tx, Arena *a, Uuid user, Str stored, const Asker *asker)
{
	int64_t now_us = time_utc_us();

	TRY(db_exec(tx, a, password_put, NULL, .user_id = user, .stored = stored,
	            .format = password_format_text(a, stored), .source = S("native"),
	            .now = now_us));
	TRY(db_exec(tx, a, user_password_at, NULL, .id = user, .at = opt_int(now_us),
	            .now = now_us));
	return account_tell(tx, a, "user.password_changed", user, S(""), asker);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "user/account_login.c"

#include "suite.h"
#include "user/account_change.h"

#include "events_lite.h"
#include "user_suite.h"

static const Asker asker = { .actor = S("test"), .address = S("192.0.2.1"), .agent = S("a test") };

typedef struct Scene {
	Accounts *accounts;
	Uuid user;
	Str stored;
} Scene;

typedef struct Putting {
	Accounts *accounts;
	AccountDraft draft;
	Uuid id;
} Putting;

static Err *put_in(Db *tx, Arena *a, void *arg)
{
	Putting *p = arg;
	FieldMistakes wrong = { .arena = a };

	TRY(account_put(p->accounts, tx, a, &p->draft, &asker, &wrong, &p->id));
	CHECK_INT(wrong.count, 0);
	return NULL;
}

/* Accounts with Ann in them, whose password is "correct horse". */
static Err *begin(Db *db, Arena *a, Scene *s)
{
	AccountsSetup setup = { .conf = suite_conf(a), .db = db };
	Putting p = { .draft = { .status = USER_ACTIVE,
		                 .email = S("ann@shop.test"),
		                 .source = S("native") } };

	TRY(accounts_open(a, &setup, &s->accounts));
	TRY(password_make(s->accounts->pool, a, S("correct horse"), &s->stored));
	p.accounts = s->accounts;
	p.draft.password = s->stored;
	TRY(db_txn(db, a, DB_READ_COMMITTED, put_in, &p));
	s->user = p.id;
	return NULL;
}

static Err *log_in(Scene *s, Arena *a, const char *login, const char *password, Login **out)
{
	LoginTry try = { .login = str_of(login), .password = str_of(password), .asker = &asker };

	return account_login(s->accounts, a, &try, out);
}

SUITE_TEST(the_right_password_lets_in_and_nothing_else_does)
{
	static const struct {
		const char *login, *password;
		LoginState state;
	} cases[] = {
		{ "ann@shop.test", "correct horse", LOGIN_DONE },
		{ "Ann@SHOP.test", "correct horse", LOGIN_DONE },
		{ "ann@shop.test", "Correct horse", LOGIN_REFUSED },
		{ "ann@shop.test", "", LOGIN_REFUSED },
		{ "bob@shop.test", "correct horse", LOGIN_REFUSED },
		{ "", "correct horse", LOGIN_REFUSED },
		{ "\xff", "correct horse", LOGIN_REFUSED },
	};
	Scene s;

	TRY(begin(db, a, &s));
	for (size_t i = 0; i < COUNT(cases); i++) {
		Login *login;

		NOTE("%s %s", cases[i].login, cases[i].password);
		TRY(log_in(&s, a, cases[i].login, cases[i].password, &login));
		CHECK_INT(login->state, cases[i].state);
		CHECK_INT(login->token.len, cases[i].state == LOGIN_DONE ? SESSION_TOKEN : 0);
	}
	accounts_close(s.accounts);
	return NULL;
}

/* What was verified before the transaction is looked at again within. */
static Err *pass_after(Db *db, Arena *a, Scene *s, bool *refused)
{
	Limits limits = { .count = 0 };
	Login login = { .state = LOGIN_REFUSED };
	Passing p = { .accounts = s->accounts,
		      .asker = &asker,
		      .limits = &limits,
		      .user = s->user,
		      .verified = s->stored };

	(void)db;
	TRY(passed(s->accounts, a, &p, &login));
	*refused = login.state == LOGIN_REFUSED;
	CHECK_INT(login.token.len == 0, *refused);
	return NULL;
}

static Err *suspend_in(Db *tx, Arena *a, void *arg)
{
	return account_status(tx, a, *(Uuid *)arg, USER_SUSPENDED, &asker);
}

static Err *erase_in(Db *tx, Arena *a, void *arg)
{
	return account_erase(tx, a, *(Uuid *)arg, &asker);
}

static Err *repass_in(Db *tx, Arena *a, void *arg)
{
	return password_set(tx, a, *(Uuid *)arg,
	                    S("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$c29tZXRoaW5n"), &asker);
}

SUITE_TEST(what_happens_after_the_hash_is_not_overlooked)
{
	static DbTxnFn *const between[] = { NULL, repass_in, suspend_in, erase_in };

	for (size_t i = 0; i < COUNT(between); i++) {
		bool refused = false;
		Scene s;

		NOTE("%zu", i);
		TRY(begin(db, a, &s));
		if (between[i])
			TRY(db_txn(db, a, DB_READ_COMMITTED, between[i], &s.user));
		TRY(pass_after(db, a, &s, &refused));
		CHECK_INT(refused, between[i] != NULL);
		accounts_close(s.accounts);
		if (between[i] != erase_in) /* the next has the same address */
			TRY(db_txn(db, a, DB_READ_COMMITTED, erase_in, &s.user));
	}
	return NULL;
}

TEST(digits_are_an_authenticator_s_and_the_rest_a_recovery_code)
{
	CHECK(is_digits(S("123 456")));
	CHECK(!is_digits(S("")));
	CHECK(!is_digits(S("12345a")));
	CHECK(!is_digits(S("ab2c-d3ef-gh4i-jk5m")));
}

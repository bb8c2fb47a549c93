/* SPDX-License-Identifier: Apache-2.0 */
#include "user/sessions.c"

#include "suite.h"

#include "events_lite.h"
#include "user_suite.h"

static const Asker asker = { .actor = S("test"), .address = S("192.0.2.1"), .agent = S("a test") };

static Err *put_user(Db *tx, Arena *a, void *arg)
{
	UserRecord r = { .id = *(Uuid *)arg, .status = USER_ACTIVE, .created_us = 1, .now_us = 1 };

	return user_insert(tx, a, &r);
}

/* Accounts with one user, who has a session. */
typedef struct Scene {
	Accounts accounts;
	Uuid user;
	Session *session;
	Str token;
} Scene;

static Err *scene(Db *db, Arena *a, int level, Scene *s)
{
	*s = (Scene){ .accounts = { .conf = suite_conf(a), .db = db }, .user = uuid_new() };
	TRY(db_txn(db, a, DB_READ_COMMITTED, put_user, &s->user));
	return session_begin(&s->accounts, a, s->user, level, S("pwd"), &asker, &s->session,
	                     &s->token);
}

SUITE_TEST(a_session_is_found_by_its_token_until_it_ends)
{
	Session *found;
	User *user;
	Scene s;
	bool ended;

	TRY(scene(db, a, 1, &s));
	TRY(session_find(&s.accounts, a, s.token, &found, &user));
	CHECK(found && uuid_eq(found->id, s.session->id) && uuid_eq(user->id, s.user));
	TRY(session_find(&s.accounts, a, secret_token(a), &found, &user));
	CHECK(!found && !user);
	TRY(session_find(&s.accounts, a, S("short"), &found, &user));
	CHECK(!found);
	TRY(session_end(&s.accounts, a, s.token, &asker, &ended));
	CHECK(ended);
	TRY(session_find(&s.accounts, a, s.token, &found, &user));
	CHECK(!found && !user);
	TRY(session_end(&s.accounts, a, s.token, &asker, &ended));
	CHECK(!ended);
	return NULL;
}

SUITE_TEST(of_two_rises_one_wins_and_the_old_token_is_nobody_s)
{
	Str tokens[] = { secret_token(a), secret_token(a) };
	Session *found, copy;
	bool risen = false;
	User *user;
	Scene s;

	TRY(scene(db, a, 0, &s));
	copy = *s.session;
	TRY(session_raise(&s.accounts, db, a, s.session, s.token, 2, S("pwd otp"), tokens[0],
	                  &risen));
	CHECK(risen);
	CHECK_INT(s.session->level, 2);
	TRY(session_raise(&s.accounts, db, a, &copy, s.token, 2, S("pwd otp"), tokens[1], &risen));
	CHECK(!risen);
	CHECK_INT(copy.level, 0);
	TRY(session_find(&s.accounts, a, s.token, &found, &user));
	CHECK(!found);
	TRY(session_find(&s.accounts, a, tokens[0], &found, &user));
	CHECK(found && found->level == 2 && uuid_eq(found->id, copy.id));
	CHECK(found->until_us > copy.until_us); /* half a login is short, a whole one is not */
	return NULL;
}

SUITE_TEST(one_stays_when_the_others_end)
{
	Session *list, *other;
	Str token;
	size_t count;
	int64_t ended = 0;
	Scene s;

	TRY(scene(db, a, 1, &s));
	for (int i = 0; i < 3; i++)
		TRY(session_begin(&s.accounts, a, s.user, 1, S("pwd"), &asker, &other, &token));
	TRY(session_begin(&s.accounts, a, s.user, 0, S("pwd"), &asker, &other,
	                  &token)); /* half: not listed */
	TRY(session_list(&s.accounts, a, s.user, &list, &count));
	CHECK_INT(count, 4);
	TRY(session_revoke(&s.accounts, a, uuid_new(), s.session->id, (Uuid){ { 0 } }, &asker,
	                   &ended));
	CHECK_INT(ended, 0); /* it is somebody else's */
	TRY(session_revoke(&s.accounts, a, s.user, (Uuid){ { 0 } }, s.session->id, &asker, &ended));
	CHECK_INT(ended, 4);
	TRY(session_list(&s.accounts, a, s.user, &list, &count));
	CHECK_INT(count, 1);
	CHECK(uuid_eq(list[0].id, s.session->id));
	return NULL;
}

TEST(an_agent_is_cut_between_characters)
{
	Str long_one = str_fmt(a, "%0199d\xc3\xa4", 0);

	CHECK_INT(agent_of(a, long_one).len, 199);
	CHECK_STR(agent_of(a, S("curl")), S("curl"));
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "console/sessions.c"

#include "unit.h"

static const AdminWho ann = { S("ann"), ADMIN_OPERATE };

#define HOURS(n) ((n)*INT64_C(3600) * US_PER_S)

TEST(a_session_is_found_by_its_id_and_by_nothing_else)
{
	Str id, proof, same, flipped;
	AdminWho who = { 0 };
	char changed[SESSION_ID_HEX];

	console_session_begin(a, &ann, (Str){ 0 }, 5, &id, &proof);
	CHECK_INT(id.len, SESSION_ID_HEX);
	CHECK_INT(proof.len, PROOF_HEX);
	CHECK(console_session_find(a, id, 6, &who, &same));
	CHECK_STR(who.name, S("ann"));
	CHECK_INT(who.role, ADMIN_OPERATE);
	CHECK_STR(same, proof);
	for (size_t i = 0; i < SESSION_ID_HEX; i++) {
		memcpy(changed, id.at, sizeof(changed));
		changed[i] = changed[i] == '0' ? '1' : '0';
		flipped = (Str){ changed, sizeof(changed) };
		CHECK(!console_session_find(a, flipped, 6, &who, &same));
	}
	CHECK(!console_session_find(a, str_sub(id, 0, id.len - 1), 6, &who, &same));
	CHECK(!console_session_find(a, S(""), 6, &who, &same));
	CHECK(!console_session_find(a, str_fmt(a, "%.*s0", STR_ARG(id)), 6, &who, &same));
}

TEST(an_empty_place_is_nobodys_session)
{
	char zeros[SESSION_ID_HEX] = { 0 };
	AdminWho who;
	Str proof;

	CHECK(!console_session_find(a, (Str){ zeros, sizeof(zeros) }, 1, &who, &proof));
}

TEST(a_session_ends_by_itself_when_nobody_uses_it)
{
	Str id, proof;
	AdminWho who;

	console_session_begin(a, &ann, (Str){ 0 }, 0, &id, &proof);
	CHECK(console_session_find(a, id, HOURS(11), &who, &proof));
	CHECK(console_session_find(a, id, HOURS(22), &who, &proof)); /* it was used in between */
	CHECK_INT(console_session_count(HOURS(33)), 1);
	CHECK(!console_session_find(a, id, HOURS(34), &who, &proof));
	CHECK_INT(console_session_count(HOURS(34)), 0);
}

TEST(a_session_ends_when_told_to)
{
	Str id, other, proof, leave;
	AdminWho who;

	console_session_begin(a, &ann, S("https://id.test/leave"), 0, &id, &proof);
	console_session_begin(a, &ann, (Str){ 0 }, 0, &other, &proof);
	console_session_end(a, id, &leave);
	CHECK_STR(leave, S("https://id.test/leave"));
	console_session_end(a, id, &leave);
	CHECK_STR(leave, S(""));
	console_session_end(a, S("nonsense"), &leave);
	CHECK(!console_session_find(a, id, 1, &who, &proof));
	CHECK(console_session_find(a, other, 1, &who, &proof));
}

TEST(one_more_than_there_is_room_for_ends_the_one_used_the_longest_time_ago)
{
	Str ids[SESSIONS_MAX + 1], proof;
	AdminWho who;

	for (int i = 0; i < SESSIONS_MAX; i++)
		console_session_begin(a, &ann, (Str){ 0 }, i, &ids[i], &proof);
	CHECK(console_session_find(a, ids[0], 1000, &who, &proof));
	console_session_begin(a, &ann, (Str){ 0 }, 1001, &ids[SESSIONS_MAX], &proof);
	CHECK_INT(console_session_count(1002), SESSIONS_MAX);
	for (int i = 0; i <= SESSIONS_MAX; i++) {
		NOTE("session %d", i);
		CHECK(console_session_find(a, ids[i], 1003, &who, &proof) == (i != 1));
	}
}

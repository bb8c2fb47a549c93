/* SPDX-License-Identifier: Apache-2.0 */
#include "user/audit.c"

#include "suite.h"

#include "events_lite.h"
#include "user_suite.h"

static const Asker ann = { .actor = S("usr_ann"), .address = S("192.0.2.1") };

static Err *put_in(Db *tx, Arena *a, void *arg)
{
	return audit_put(tx, a, &ann, arg);
}

static Err *put_some(Db *db, Arena *a, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		AuditLine line = { .action = "login",
			           .user = uuid_new(),
			           .detail = S("{\"a\":1}") };

		TRY(db_txn(db, a, DB_READ_COMMITTED, put_in, &line));
	}
	return NULL;
}

SUITE_TEST(an_empty_log_is_whole)
{
	AuditVerdict v;

	TRY(audit_verify(db, a, 0, S(""), &v));
	CHECK_INT(v.lines, 0);
	CHECK_INT(v.broken_at, 0);
	return NULL;
}

SUITE_TEST(lines_are_numbered_and_come_back_newest_first)
{
	AuditEntry *entries;
	AuditVerdict v;
	size_t count;

	TRY(put_some(db, a, 5));
	TRY(audit_list(db, a, (Uuid){ { 0 } }, 0, 3, &entries, &count));
	CHECK_INT(count, 3);
	CHECK_INT(entries[0].seq, 5);
	CHECK_STR(entries[0].actor, S("usr_ann"));
	CHECK_STR(entries[0].detail, S("{\"a\":1}"));
	TRY(audit_list(db, a, (Uuid){ { 0 } }, entries[2].seq, 3, &entries, &count));
	CHECK_INT(count, 2);
	TRY(audit_list(db, a, entries[1].user, 0, 3, &entries, &count));
	CHECK_INT(count, 1);
	TRY(audit_verify(db, a, 0, S(""), &v));
	CHECK_INT(v.lines, 5);
	CHECK_INT(v.broken_at, 0);
	CHECK_INT(v.head_seq, 5);
	CHECK_INT(v.head.len, 64);
	return NULL;
}

static Err *put_and_fail(Db *tx, Arena *a, void *arg)
{
	TRY(audit_put(tx, a, &ann, arg));
	return err_new(a, ERR_INVALID, "test.no", "it is not to be");
}

SUITE_TEST(what_was_rolled_back_leaves_no_gap)
{
	AuditLine line = { .action = "login" };
	AuditVerdict v;

	TRY(put_some(db, a, 1));
	CHECK_ERR(db_txn(db, a, DB_READ_COMMITTED, put_and_fail, &line), "test.no");
	TRY(put_some(db, a, 1));
	TRY(audit_verify(db, a, 0, S(""), &v));
	CHECK_INT(v.broken_at, 0);
	CHECK_INT(v.lines, 2);
	return NULL;
}

/* Every field of a line is in its hash. */
TEST(a_line_s_hash_is_of_all_of_it)
{
	const AuditLineRow line = { .seq = 1,
		                    .at = 2,
		                    .actor = S("a"),
		                    .action = S("b"),
		                    .user_id = { true, { { 1 } } },
		                    .address = S("c"),
		                    .detail = S("{}"),
		                    .before = S("x") };
	AuditLineRow changed[8];

	for (size_t i = 0; i < COUNT(changed); i++)
		changed[i] = line;
	changed[0].seq = 2;
	changed[1].at = 3;
	changed[2].actor = S("ab");
	changed[3].action = S("");
	changed[4].user_id.set = false;
	changed[5].address = S("d");
	changed[6].detail = S("{ }");
	changed[7].before = S("y");
	for (size_t i = 0; i < COUNT(changed); i++) {
		NOTE("field %zu", i);
		CHECK(!str_eq(hash_of(a, &line), hash_of(a, &changed[i])));
	}
	CHECK(str_eq(hash_of(a, &line), hash_of(a, &line)));
}

SUITE_TEST(a_note_from_before_finds_a_log_that_was_made_anew)
{
	AuditVerdict v, again;

	TRY(put_some(db, a, 3));
	TRY(audit_verify(db, a, 0, S(""), &v));
	TRY(put_some(db, a, 2));
	TRY(audit_verify(db, a, v.head_seq, v.head, &again));
	CHECK_INT(again.broken_at, 0);
	TRY(audit_verify(db, a, 2, v.head, &again));
	CHECK_INT(again.broken_at, 2);
	TRY(audit_verify(db, a, 9, v.head, &again));
	CHECK_INT(again.broken_at, 6);
	CHECK_ERR(audit_verify(db, a, 1, S("xyz"), &again), "audit.noted");
	return NULL;
}

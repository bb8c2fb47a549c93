/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/scorecard.c"

#include "unit.h"

TEST(scorecard_takes_what_is_given)
{
	static const char *const bad[] = { "users", "user=3", "availability=300%", "users=x", "" };
	Scorecard card = { 0 };

	CHECK_OK(scorecard_set(a, &card, S("users=15,000")));
	CHECK_OK(scorecard_set(a, &card, S("availability=99.9%")));
	CHECK_NEAR(card.rows[SCORE_USERS].value, 15000, 1e-9);
	CHECK_NEAR(card.rows[SCORE_AVAILABILITY].value, .999, 1e-9);
	CHECK_INT(card.rows[SCORE_USERS].source, MONEY_CONFIGURED);
	for (size_t i = 0; i < COUNT(bad); i++) {
		NOTE("%s", bad[i]);
		CHECK(scorecard_set(a, &card, str_of(bad[i])) != NULL);
	}
}

TEST(scorecard_counts_users_that_a_load_held)
{
	Scorecard card = { 0 };

	CHECK_OK(scorecard_take_load(
		a, &card,
		S("{\"seconds\":[{\"warmup\":true,\"users\":900},{\"warmup\":false,\"users\":500},"
	          "{\"warmup\":false,\"users\":400}],\"passed\":false}")));
	CHECK_INT(card.rows[SCORE_USERS].source, MONEY_UNKNOWN); /* it did not hold them */
	CHECK_OK(scorecard_take_load(
		a, &card,
		S("{\"seconds\":[{\"warmup\":true,\"users\":900},{\"warmup\":false,\"users\":500},"
	          "{\"warmup\":false,\"users\":400}],\"passed\":true}")));
	CHECK_NEAR(card.rows[SCORE_USERS].value, 500, 1e-9);
	CHECK_ERR(scorecard_take_load(a, &card, S("{}")), "scorecard.load");
}

TEST(scorecard_takes_what_ci_left_and_nothing_that_is_unknown)
{
	Scorecard card = { 0 };

	scorecard_take_ci(&card, -0.01, -1);
	CHECK_INT(card.rows[SCORE_COVERAGE].source, MONEY_UNKNOWN);
	CHECK_INT(card.rows[SCORE_DEPLOY].source, MONEY_UNKNOWN);
	scorecard_take_ci(&card, 0.5, 12);
	CHECK_NEAR(card.rows[SCORE_COVERAGE].value, 0.5, 1e-9);
	CHECK_NEAR(card.rows[SCORE_DEPLOY].value, 12, 1e-9);
}

TEST(scorecard_reads_availability_from_metrics)
{
	Scorecard card = { 0 };

	CHECK(!scorecard_take_metrics(&card, S("banyan_up 1\n")));
	CHECK(scorecard_take_metrics(&card,
	                             S("# TYPE banyan_requests_total counter\n"
	                               "banyan_requests_total{route=\"a\",class=\"2xx\"} 990\n"
	                               "banyan_requests_total{route=\"a\",class=\"none\"} 500\n"
	                               "banyan_requests_total{route=\"a\",class=\"5xx\"} 10\n"
	                               "banyan_upstream_requests_total{class=\"5xx\"} 70\n")));
	CHECK_NEAR(card.rows[SCORE_AVAILABILITY].value, .99, 1e-9);
}

TEST(scorecard_file_reads_back_and_is_never_written_over)
{
	AUTO(buf_fini) Buf first = { 0 }, second = { 0 };
	Str path = str_fmt(a, "%s/card.json", unit_dir());
	Scorecard before = { .taken_utc_us = 1767225600000000 }, after = { 0 }, read;
	Str text;

	CHECK_OK(scorecard_set(a, &before, S("users=500")));
	CHECK_OK(scorecard_set(a, &before, S("deploy=45")));
	CHECK_OK(scorecard_set(a, &before, S("coverage=40%")));
	CHECK_OK(scorecard_keep(a, path, &before, false, &first));
	CHECK(str_starts(buf_str(&first), S("Recorded in ")));
	CHECK_OK(file_read(a, path, 0, &text));
	CHECK_OK(scorecard_read(a, text, &read));
	CHECK_NEAR(read.rows[SCORE_USERS].value, 500, 1e-9);
	CHECK_INT(read.rows[SCORE_COST].source, MONEY_UNKNOWN);
	CHECK_OK(scorecard_set(a, &after, S("users=15000")));
	CHECK_OK(scorecard_set(a, &after, S("deploy=60")));
	CHECK_OK(scorecard_set(a, &after, S("coverage=85%")));
	CHECK_OK(scorecard_keep(a, path, &after, false, &second));
	CHECK(str_starts(buf_str(&second), S("Since 2026-01-01T00:00:00")));
	CHECK(str_find(buf_str(&second),
	               S("          500        15000        +2900 %  better  configured: given")) >
	      0);
	CHECK(str_find(buf_str(&second), S("+33 %  worse")) > 0);
	CHECK(str_find(buf_str(&second), S("+45 points  better")) > 0);
	CHECK_OK(file_read(a, path, 0, &text));
	CHECK_OK(scorecard_read(a, text, &read));
	CHECK_NEAR(read.rows[SCORE_USERS].value, 500, 1e-9);
}

TEST(scorecard_refuses_what_is_none)
{
	static const char *const bad[] = {
		"{}",
		"{\"version\":2,\"taken\":\"2026-01-01T00:00:00Z\",\"scores\":{}}",
		"{\"version\":1,\"taken\":\"today\",\"scores\":{}}",
		"{\"version\":1,\"taken\":\"2026-01-01T00:00:00Z\",\"scores\":{\"users\":{\"value\":1}}}",
		"{\"version\":1,\"taken\":\"2026-01-01T00:00:00Z\",\"scores\":{\"users\":{\"value\":\"x\",\"source\":\"measured\"}}}",
	};
	Scorecard card;

	for (size_t i = 0; i < COUNT(bad); i++) {
		NOTE("%s", bad[i]);
		CHECK_ERR(scorecard_read(a, str_of(bad[i]), &card), "scorecard.file");
	}
}

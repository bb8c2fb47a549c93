/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/answers.c"

#include "unit.h"

TEST(an_answer_is_good_for_its_question_and_its_stamp)
{
	Answers *answers = answers_new();
	AnswerKey key = answers_key(1, S("how many")), other = answers_key(2, S("how many"));
	Str body = { 0 };

	CHECK(!answers_find(answers, a, key, S("7"), &body));
	answers_keep(answers, key, S("7"), S("many"));
	CHECK(answers_find(answers, a, key, S("7"), &body));
	CHECK_STR(body, S("many"));
	CHECK(!answers_find(answers, a, key, S("8"), &body));
	CHECK(!answers_find(answers, a, other, S("7"), &body));
	answers_keep(answers, key, S("8"), S("more"));
	CHECK(answers_find(answers, a, key, S("8"), &body));
	CHECK_STR(body, S("more"));
	CHECK(!answers_find(answers, a, key, S("7"), &body));
	answers_free(answers);
}

TEST(the_one_not_asked_for_the_longest_makes_room)
{
	Answers *answers = answers_new();
	AnswerKey first = answers_key(1, S("0")), second = answers_key(1, S("1"));
	Str body;

	for (int i = 0; i < ANSWERS_MOST; i++)
		answers_keep(answers, answers_key(1, str_fmt(a, "%d", i)), S("s"), S("x"));
	CHECK(answers_find(answers, a, first, S("s"), &body));
	answers_keep(answers, answers_key(1, S("new")), S("s"), S("x"));
	CHECK(answers_find(answers, a, first, S("s"), &body));
	CHECK(!answers_find(answers, a, second, S("s"), &body));
	answers_keep(answers, second, S("s"),
	             (Str){ arena_alloc(a, ANSWER_BYTES_MOST + 1), ANSWER_BYTES_MOST + 1 });
	CHECK(!answers_find(answers, a, second, S("s"), &body));
	answers_free(answers);
}

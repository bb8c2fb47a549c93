/* SPDX-License-Identifier: Apache-2.0 */
#include "store/pg_error.c"

#include "unit.h"

TEST(pg_kind_of_every_state_that_callers_act_on)
{
	static const struct {
		Str state;
		DbErr what;
	} cases[] = {
		{ S("23505"), DB_UNIQUE },
		{ S("23P01"), DB_UNIQUE },
		{ S("23503"), DB_FOREIGN_KEY },
		{ S("23502"), DB_NOT_NULL },
		{ S("23514"), DB_CHECK },
		{ S("40001"), DB_SERIALIZATION },
		{ S("40P01"), DB_DEADLOCK },
		{ S("40002"), DB_SERIALIZATION },
		{ S("57014"), DB_TIMEOUT },
		{ S("55P03"), DB_TIMEOUT },
		{ S("53100"), DB_FULL_DISK },
		{ S("53300"), DB_UNAVAILABLE },
		{ S("57P01"), DB_UNAVAILABLE },
		{ S("08006"), DB_UNAVAILABLE },
		{ S("28P01"), DB_UNAVAILABLE },
		{ S("25006"), DB_READ_ONLY },
		{ S("25P02"), DB_ABORTED },
		{ S("25001"), DB_MISUSE },
		{ S("58030"), DB_IO },
		{ S("XX001"), DB_CORRUPT },
		{ S("XX000"), DB_SQL },
		{ S("42P01"), DB_SQL },
		{ S("22003"), DB_CHECK },
		{ S("54000"), DB_TOO_LARGE },
		{ S("54001"), DB_TOO_LARGE },
		{ S("ZZZZZ"), DB_SQL },
		{ S(""), DB_SQL },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%.*s", STR_ARG(cases[i].state));
		CHECK_INT(pg_kind(cases[i].state), cases[i].what);
	}
}

TEST(pg_states_are_codes_or_classes_and_none_hides_another)
{
	for (size_t i = 0; i < COUNT(states); i++) {
		Str state = str_of(states[i].state);

		NOTE("%s", states[i].state);
		CHECK(state.len == 5 || state.len == 2);
		for (size_t k = 0; k < i; k++)
			CHECK(!str_starts(state, str_of(states[k].state)));
	}
}

TEST(pg_last_line_is_what_matters)
{
	CHECK_STR(last_line("one\ntwo\n"), S("two"));
	CHECK_STR(last_line("one"), S("one"));
	CHECK_STR(last_line("one\n\tIs it there?\n"), S("one"));
	CHECK_STR(last_line("\n\n"), S("nothing was said"));
	CHECK_STR(last_line(""), S("nothing was said"));
}

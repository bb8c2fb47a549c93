/* SPDX-License-Identifier: Apache-2.0 */
#include "store/pg_error.c"

#include "unit.h"

TEST(pg_slug_of_every_state_that_callers_act_on)
{
	static const struct {
		Str state;
		const char *slug;
		int status;
	} cases[] = {
		{ S("23505"), "db.unique", 409 },
		{ S("23P01"), "db.unique", 409 },
		{ S("23503"), "db.foreign_key", 409 },
		{ S("23502"), "db.not_null", 400 },
		{ S("23514"), "db.check", 400 },
		{ S("40001"), "db.serialization", 503 },
		{ S("40P01"), "db.deadlock", 503 },
		{ S("40002"), "db.serialization", 503 },
		{ S("57014"), "db.timeout", 504 },
		{ S("55P03"), "db.timeout", 504 },
		{ S("53100"), "db.full_disk", 500 },
		{ S("53300"), "db.unavailable", 503 },
		{ S("57P01"), "db.unavailable", 503 },
		{ S("08006"), "db.unavailable", 503 },
		{ S("28P01"), "db.unavailable", 503 },
		{ S("25006"), "db.read_only", 500 },
		{ S("25P02"), "db.aborted", 500 },
		{ S("25001"), "db.misuse", 500 },
		{ S("58030"), "db.io", 500 },
		{ S("XX001"), "db.corrupt", 500 },
		{ S("XX000"), "db.sql", 500 },
		{ S("42P01"), "db.sql", 500 },
		{ S("22003"), "db.value", 400 },
		{ S("54000"), "db.too_large", 413 },
		{ S("54001"), "db.too_large", 413 },
		{ S("ZZZZZ"), "db.sql", 500 },
		{ S(""), "db.sql", 500 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		ErrKind kind;

		NOTE("%.*s", STR_ARG(cases[i].state));
		CHECK_STR(str_of(pg_slug(cases[i].state, &kind)), str_of(cases[i].slug));
		CHECK_INT(err_status(&(Err){ .kind = kind }), cases[i].status);
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
	CHECK_STR(last_line("\n\n"), S("nothing was said"));
	CHECK_STR(last_line(""), S("nothing was said"));
}

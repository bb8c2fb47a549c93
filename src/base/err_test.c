/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.c"

#include "unit.h"

TEST(err_every_kind_has_its_row)
{
	for (size_t i = 0; i < COUNT(kinds); i++) {
		NOTE("kind %zu", i);
		CHECK(kinds[i].name && kinds[i].status >= 400 && kinds[i].status < 600);
		CHECK(kinds[i].exit > 0 && kinds[i].exit < 64 && kinds[i].level <= 3);
		CHECK_STR(str_of(err_kind_name((ErrKind)i)), str_of(kinds[i].name));
	}
	(void)a;
}

TEST(err_null_is_success)
{
	CHECK_INT(err_status(NULL), 200);
	CHECK_INT(err_exit(NULL), 0);
	CHECK(!err_is(NULL, "x"));
	CHECK_STR(err_chain(a, NULL), S("no error"));
}

TEST(err_carries_kind_slug_sentence_and_cause)
{
	Err *cause = err_new(a, ERR_CLOSED, "rt.closed", "the peer closed");
	Err *err =
		err_because(a, cause, ERR_UPSTREAM, "upstream.lost", "%s did not answer", "shop");

	CHECK(err_is(err, "upstream.lost") && !err_is(err, "rt.closed"));
	CHECK_INT(err_status(err), 502);
	CHECK_INT(err_exit(err), 6);
	CHECK_INT(err_level(err), 2);
	CHECK(err->why == cause && err->line && str_ends(str_of(err->file), S("err_test.c")));
	CHECK_STR(err_chain(a, err), S("shop did not answer: the peer closed"));
}

TEST(err_text_is_cut_not_overrun)
{
	char text[3000];
	Err *err;

	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = 0;
	err = err_new(a, ERR_INTERNAL, "x.long", "%s", text);
	CHECK_INT(err->text.len, 1023);
}

TEST(err_errno_has_the_systems_words_and_a_kind)
{
	static const struct {
		int errnum;
		ErrKind kind;
		const char *text;
	} cases[] = {
		{ ENOENT, ERR_NOT_FOUND, "a.yaml: No such file or directory" },
		{ EACCES, ERR_DENIED, "a.yaml: Permission denied" },
		{ EADDRINUSE, ERR_CONFLICT, "a.yaml: Address already in use" },
		{ EIO, ERR_IO, "a.yaml: Input/output error" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Err *err = err_errno(a, cases[i].errnum, "x.y", "%s", "a.yaml");

		CHECK_INT(err->kind, cases[i].kind);
		CHECK_STR(err->text, str_of(cases[i].text));
	}
}

static Err *second(Arena *a, int *reached)
{
	TRY(err_new(a, ERR_BUSY, "x.busy", "busy"));
	*reached = 1;
	return NULL;
}

TEST(err_try_leaves_at_once)
{
	int reached = 0;

	CHECK_ERR(second(a, &reached), "x.busy");
	CHECK_INT(reached, 0);
}

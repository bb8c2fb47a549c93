/* SPDX-License-Identifier: Apache-2.0 */
#include "http/admin.c"

#include "unit.h"

static Err *nothing(Exchange *x, Str rest)
{
	(void)x, (void)rest;
	return NULL;
}

static const AdminPage one[] = {
	{ S("/shift"), S("GET"), nothing },
	{ S("/shift/events"), S("GET"), nothing },
	{ S("/shift/**"), S("GET"), nothing },
	{ S("/shift/**"), S("POST PUT"), nothing, .changes = true },
};
static const AdminPage two[] = { { S("/"), S("GET"), nothing } };

TEST(admin_find_takes_the_first_page_that_fits)
{
	static const struct {
		Str path, method;
		int row; /* -1: none */
		Str rest, allow;
	} cases[] = {
		{ S("/shift"), S("GET"), 0, S(""), S("") },
		{ S("/shift"), S("HEAD"), 0, S(""), S("") },
		{ S("/shift"), S("POST"), -1, S(""), S("GET") },
		{ S("/shift/events"), S("GET"), 1, S(""), S("") },
		{ S("/shift/users"), S("GET"), 2, S("users"), S("") },
		{ S("/shift/users/plan"), S("GET"), 2, S("users/plan"), S("") },
		{ S("/shift/"), S("GET"), 2, S(""), S("") },
		{ S("/shift/users/back"), S("PUT"), 3, S("users/back"), S("") },
		{ S("/shift/users"), S("DELETE"), -1, S(""), S("GET, POST, PUT") },
		{ S("/shifts"), S("GET"), -1, S(""), S("") },
		{ S("/"), S("GET"), 4, S(""), S("") },
		{ S("/other"), S("GET"), -1, S(""), S("") },
	};

	admin_extend(one, COUNT(one));
	admin_extend(two, COUNT(two));
	admin_extend(one, COUNT(one)); /* twice is once */
	CHECK_INT(registered.count, 2);
	CHECK_STR(admin_paths(a), S("/shift, /shift/events, /shift/**, /"));
	for (size_t i = 0; i < COUNT(cases); i++) {
		Str rest = { 0 }, allow;
		const AdminPage *page =
			admin_find(a, cases[i].path, cases[i].method, &rest, &allow);

		NOTE("%.*s %.*s", STR_ARG(cases[i].method), STR_ARG(cases[i].path));
		CHECK(page == (cases[i].row < 0   ? NULL
		               : cases[i].row < 4 ? &one[cases[i].row]
		                                  : two));
		if (!page)
			CHECK_STR(allow, cases[i].allow);
		else
			CHECK_STR(rest, cases[i].rest);
	}
}

TEST(a_role_may_what_lower_ones_may_and_no_more)
{
	AdminWho ann = { S("ann"), ADMIN_OPERATE };
	Exchange x = { .arena = a, .user = &ann };
	Err *err;

	CHECK_OK(admin_need(&x, ADMIN_VIEW));
	CHECK_OK(admin_need(&x, ADMIN_OPERATE));
	err = admin_need(&x, ADMIN_APPROVE);
	CHECK_ERR(err, "admin.role");
	CHECK_STR(err->text, S("this takes the role approve, and ann has operate"));
	x.user = NULL;
	CHECK_OK(admin_need(&x, ADMIN_VIEW));
	err = admin_need(&x, ADMIN_OPERATE);
	CHECK_ERR(err, "admin.role");
	CHECK_STR(err->text, S("this takes the role operate, and nobody has view"));
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "load/data.c"

#include "unit.h"

static Str cell(const DataSet *set, size_t row, Str column)
{
	Str out = S("(none)");

	(void)data_get(set, row, column, &out);
	return out;
}

TEST(csv_is_read_as_rfc_4180_says)
{
	DataSet set = { 0 };

	CHECK_OK(data_read_csv(
		a, S("x.csv"),
		S("\xef\xbb\xbf"
	          "name,note\r\nann,plain\r\n\"bob, jr\",\"two\nlines \"\"q\"\"\"\r\n\r\n,\r\nlast,one"),
		&set));
	CHECK_INT(set.row_count, 4);
	CHECK_STR(cell(&set, 0, S("name")), S("ann"));
	CHECK_STR(cell(&set, 0, S("note")), S("plain"));
	CHECK_STR(cell(&set, 1, S("name")), S("bob, jr"));
	CHECK_STR(cell(&set, 1, S("note")), S("two\nlines \"q\""));
	CHECK_STR(cell(&set, 2, S("name")), S(""));
	CHECK_STR(cell(&set, 3, S("note")), S("one"));
	CHECK_STR(cell(&set, 3, S("other")), S("(none)"));
}

TEST(ndjson_rows_have_the_first_ones_columns)
{
	DataSet set = { 0 };

	CHECK_OK(data_read_ndjson(
		a, S("x.ndjson"),
		S("{\"id\": 7, \"tags\": [1, \"b\"], \"s\": \"x\"}\n\n{\"s\": \"y\", \"id\": true}\n"),
		&set));
	CHECK_INT(set.row_count, 2);
	CHECK_STR(cell(&set, 0, S("id")), S("7"));
	CHECK_STR(cell(&set, 0, S("tags")), S("[1,\"b\"]"));
	CHECK_STR(cell(&set, 1, S("s")), S("y"));
	CHECK_STR(cell(&set, 1, S("id")), S("true"));
	CHECK_STR(cell(&set, 1, S("tags")), S(""));
}

TEST(a_mistake_is_told_with_its_line)
{
	static const struct {
		Str csv;
		Str want;
	} cases[] = {
		{ S("a,b\n1\n"), S("x.csv:2: the row has fewer fields than the heading") },
		{ S("a,b\n1,2\n1,2,3\n"), S("x.csv:3: the row has more fields than the heading") },
		{ S("a\n\"x\ny\n"), S("x.csv:2: a quoted field has no end") },
		{ S("a\n\"x\"y\n"),
		  S("x.csv:2: something follows a quoted field: double the quotes inside of it") },
		{ S("a,b\n"), S("x.csv: there is no row in it") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		DataSet set = { 0 };
		Err *err = data_read_csv(a, S("x.csv"), cases[i].csv, &set);

		CHECK_ERR(err, "load.data");
		CHECK_STR(err->text, cases[i].want);
	}
	for (size_t i = 0; i < 2; i++) {
		DataSet set = { 0 };

		CHECK_ERR(data_read_ndjson(a, S("y"), i ? S("{\"a\":1}\n[1]\n") : S("{\"a\":\n"),
		                           &set),
		          "load.data");
	}
}

TEST(each_user_gets_the_next_row)
{
	static const DataConf next = { .order = DATA_NEXT }, any = { .order = DATA_RANDOM };
	DataSet set = { .conf = &next, .row_count = 3 };
	bool seen[3] = { false };

	for (uint32_t user = 0; user < 7; user++)
		CHECK_INT(data_row(&set, user), user % 3);
	set.conf = &any;
	for (int i = 0; i < 200; i++)
		seen[data_row(&set, 0)] = true;
	CHECK(seen[0] && seen[1] && seen[2]);
}

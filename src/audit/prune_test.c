/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/prune.c"

#include "unit.h"

static const PruneRow own[] = {
	{ S("gone") },
	{ S("some.gone") },
	{ S("wide"), .rows = 4 },
	{ S("ends"), .rows = 1, .last = true },
};
static const PruneRules rules = { .rows = 2, .own = own, .own_count = COUNT(own) };

TEST(prune_cuts_lists_and_leaves_members_out)
{
	static const struct {
		Str json, want;
	} cases[] = {
		{ S("{}"), S("{}") },
		{ S(" { \"a\" : [ 1 , 2 ,3 , 4 ] } "), S("{\"a\":[1,2]}") },
		{ S("{\"gone\":[1,{\"x\":\"]}\\\"\"}],\"a\":1}"), S("{\"a\":1}") },
		{ S("{\"a\":1,\"gone\":\"x\"}"), S("{\"a\":1}") },
		{ S("{\"some\":{\"gone\":{},\"kept\":null},\"none\":{\"gone\":1}}"),
		  S("{\"some\":{\"kept\":null},\"none\":{\"gone\":1}}") },
		{ S("{\"some\":[{\"gone\":1,\"b\":2},{\"gone\":1}]}"),
		  S("{\"some\":[{\"b\":2},{}]}") },
		{ S("{\"wide\":[1,2,3,4,5],\"a\":[[1,2,3],[],[9]]}"),
		  S("{\"wide\":[1,2,3,4],\"a\":[[1,2],[]]}") },
		{ S("{\"ends\":[[1],[2],[3,3]],\"b\":[true,false,null]}"),
		  S("{\"ends\":[[1],[3,3]],\"b\":[true,false]}") },
		{ S("{\"a\":\"\\\\\",\"b\":\"[,\",\"c\":[\"]\",\"x\",{\"a\":[1]}]}"),
		  S("{\"a\":\"\\\\\",\"b\":\"[,\",\"c\":[\"]\",\"x\"]}") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(buf_fini) Buf out = { 0 };
		Cuts cuts = { 0 };

		CHECK_OK(prune_json(a, cases[i].json, &rules, &out, &cuts));
		CHECK_STR(buf_str(&out), cases[i].want);
	}
}

TEST(prune_counts_what_it_cuts_by_the_path)
{
	AUTO(buf_fini) Buf out = { 0 };
	Cuts cuts = { 0 };

	CHECK_OK(prune_json(a,
	                    S("{\"a\":{\"rows\":[{\"x\":[1,2,3]},{\"x\":[1,2,3,4]},{}]},"
	                      "\"ends\":[1,2,3],\"b\":[1,2]}"),
	                    &rules, &out, &cuts));
	CHECK_INT(cuts.count, 3);
	CHECK_STR(cuts.at[0].path, S("a.rows.x"));
	CHECK_INT(cuts.at[0].shown, 4);
	CHECK_INT(cuts.at[0].of, 7);
	CHECK_STR(cuts.at[1].path, S("a.rows"));
	CHECK_INT(cuts.at[1].of, 3);
	CHECK_STR(cuts.at[2].path, S("ends"));
	CHECK_INT(cuts.at[2].shown, 2);
}

TEST(prune_refuses_what_is_no_object)
{
	static const Str cases[] = {
		S(""),
		S("[]"),
		S("1"),
		S("{"),
		S("{\"a\":1"),
		S("{\"a\"}"),
		S("{\"a\":[1}"),
		S("{\"a\":}"),
		S("{\"a\":\"x"),
		S("{\"a\":[,"),
		S("{1:2}"),
		S("{\"gone\":[[}"),
		S("{\"a\":\"\\"),
		S("{\"a\":[1,2,3"),
		S("{\"a\":[1,2,{\"b\":["),
	};
	AUTO(buf_fini) Buf deep = { 0 };
	AUTO(buf_fini) Buf none = { 0 };
	Cuts cuts = { 0 };

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(buf_fini) Buf out = { 0 };

		CHECK_ERR(prune_json(a, cases[i], &rules, &out, &cuts), "audit.json");
	}
	buf_put(&deep, S("{\"a\":"));
	for (int i = 0; i < 100000; i++)
		buf_putc(&deep, '[');
	CHECK_ERR(prune_json(a, buf_str(&deep), &rules, &none, &cuts), "audit.json");
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "payment/stripe_expand.c"

#include "unit.h"

#define ID "018f3c1e-7a4b-7cc0-b1f2-0123456789ab"

static unsigned loads;

static Err *load_a(Db *db, Arena *a, Uuid id, Str *json)
{
	(void)db;
	(void)a;
	(void)id;
	loads++;
	*json = S("{\"id\":\"a_" ID "\",\"b\":\"b_" ID "\"}");
	return NULL;
}

static Err *load_b(Db *db, Arena *a, Uuid id, Str *json)
{
	(void)db;
	(void)a;
	(void)id;
	loads++;
	*json = S("{\"id\":\"b_" ID "\",\"a\":\"a_" ID "\"}");
	return NULL;
}

static Err *load_none(Db *db, Arena *a, Uuid id, Str *json)
{
	(void)db;
	(void)a;
	(void)id;
	*json = S("");
	return NULL;
}

TEST(objects_stand_in_place_of_their_ids)
{
	static const StripeKind kinds[] = { { "a_", load_a },
		                            { "b_", load_b },
		                            { "n_", load_none } };
	static const struct {
		Str answer, paths, want;
		unsigned loads;
	} cases[] = {
		{ S("{\"b\":\"b_" ID "\",\"n\":1}"), S("[\"b\"]"),
		  S("{\"b\":{\"id\":\"b_" ID "\",\"a\":\"a_" ID "\"},\"n\":1}"), 1 },
		{ S("{\"b\":\"b_" ID "\"}"), S("[\"b.a\"]"),
		  S("{\"b\":{\"id\":\"b_" ID "\",\"a\":{\"id\":\"a_" ID "\",\"b\":\"b_" ID "\"}}}"),
		  2 },
		{ S("{\"data\":[{\"b\":\"b_" ID "\"},{\"b\":null}]}"), S("[\"data.b\"]"),
		  S("{\"data\":[{\"b\":{\"id\":\"b_" ID "\",\"a\":\"a_" ID "\"}},{\"b\":null}]}"),
		  1 },
		{ S("{\"b\":{\"a\":\"a_" ID "\"}}"), S("[\"b.a\"]"),
		  S("{\"b\":{\"a\":{\"id\":\"a_" ID "\",\"b\":\"b_" ID "\"}}}"), 1 },
		{ S("{\"b\":\"b_" ID "\"}"), S("[\"c\",\"\",7,\"b.\"]"),
		  S("{\"b\":{\"id\":\"b_" ID "\",\"a\":\"a_" ID "\"}}"), 1 },
		{ S("{\"n\":\"n_" ID "\",\"b\":\"b_1\"}"), S("[\"n\",\"b\"]"),
		  S("{\"n\":\"n_" ID "\",\"b\":\"b_1\"}"), 0 },
		{ S("{\"b\":\"b_" ID "\"}"), S("[]"), S("{\"b\":\"b_" ID "\"}"), 0 },
	};
	const Json *paths;
	Str got;

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%.*s", STR_ARG(cases[i].paths));
		loads = 0;
		CHECK_OK(json_read(a, cases[i].paths, 0, &paths));
		CHECK_OK(stripe_expand(NULL, a, kinds, COUNT(kinds), cases[i].answer, paths, &got));
		CHECK_STR(got, cases[i].want);
		CHECK_INT(loads, cases[i].loads);
	}
}

TEST(they_end_four_deep)
{
	static const StripeKind kinds[] = { { "a_", load_a }, { "b_", load_b } };
	const Json *paths;
	Str got;

	loads = 0;
	CHECK_OK(json_read(a, S("[\"b.a.b.a.b.a.b\"]"), 0, &paths));
	CHECK_OK(stripe_expand(NULL, a, kinds, COUNT(kinds), S("{\"b\":\"b_" ID "\"}"), paths,
	                       &got));
	CHECK_INT(loads, STRIPE_EXPAND_DEPTH);
}

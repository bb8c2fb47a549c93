/* SPDX-License-Identifier: Apache-2.0 */
#include "payment/stripe_form.c"

#include "unit.h"

static Str json_of(Arena *a, Str form)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	const Json *json;

	if (stripe_form_read(a, form, &json))
		return S("refused");
	json_put(&w, json);
	return str_dup(a, buf_str(&b));
}

TEST(brackets_make_objects_and_lists)
{
	static const struct {
		Str form, json;
	} cases[] = {
		{ S(""), S("{}") },
		{ S("a=1&b=x+y%2Bz&&c&d="),
		  S("{\"a\":\"1\",\"b\":\"x y+z\",\"c\":\"\",\"d\":\"\"}") },
		{ S("metadata[order]=7&metadata%5Bshop%5D=x"),
		  S("{\"metadata\":{\"order\":\"7\",\"shop\":\"x\"}}") },
		{ S("expand[]=a&expand[]=b"), S("{\"expand\":[\"a\",\"b\"]}") },
		{ S("expand[0]=a&expand[1]=b"), S("{\"expand\":[\"a\",\"b\"]}") },
		{ S("items[0][price]=p&items[0][quantity]=2&items[1][price]=q"),
		  S("{\"items\":[{\"price\":\"p\",\"quantity\":\"2\"},{\"price\":\"q\"}]}") },
		{ S("items[][price]=p&items[][quantity]=2&items[][price]=q"),
		  S("{\"items\":[{\"price\":\"p\",\"quantity\":\"2\"},{\"price\":\"q\"}]}") },
		{ S("m[1]=a&m[0]=b"), S("{\"m\":{\"1\":\"a\",\"0\":\"b\"}}") },
		{ S("a[b][c][d]=1"), S("{\"a\":{\"b\":{\"c\":{\"d\":\"1\"}}}}") },
		{ S("%C3%A4=%e2%82%AC"), S("{\"\xc3\xa4\":\"\xe2\x82\xac\"}") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%.*s", STR_ARG(cases[i].form));
		CHECK_STR(json_of(a, cases[i].form), cases[i].json);
	}
}

TEST(what_can_be_read_in_two_ways_is_refused)
{
	static const Str cases[] = {
		S("a=1&a=2"),
		S("a=1&a[b]=2"),
		S("a[b]=1&a=2"),
		S("a[b]=1&a[b]=2"),
		S("a[=1"),
		S("a]=1"),
		S("[a]=1"),
		S("=1"),
		S("a[b=1"),
		S("a[b]c=1"),
		S("a[[b]]=1"),
		S("a=%"),
		S("a=%4"),
		S("a=%zz"),
		S("a=%00"),
		S("a=%ff"),
		S("a[]=1&a[b]=2"),
		S("a[b]=1&a[]=2"),
		S("a[1][2][3][4][5][6][7][8][9]=1"),
	};
	const Json *json;

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%.*s", STR_ARG(cases[i]));
		CHECK_ERR(stripe_form_read(a, cases[i], &json), "payment.form");
	}
}

TEST(a_form_is_bounded)
{
	AUTO(buf_fini) Buf b = { 0 };
	const Json *json;

	for (int i = 0; i <= STRIPE_FORM_PAIRS; i++)
		buf_fmt(&b, "a%d=1&", i);
	CHECK_ERR(stripe_form_read(a, buf_str(&b), &json), "payment.form");
	while (b.len <= STRIPE_FORM_BYTES)
		buf_put(&b, S("aaaaaaaaaaaaaaaa"));
	CHECK_ERR(stripe_form_read(a, buf_str(&b), &json), "payment.form_size");
}

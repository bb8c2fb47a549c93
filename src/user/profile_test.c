/* SPDX-License-Identifier: Apache-2.0 */
#include "user/profile.c"

#include "unit.h"

/* What is wrong with a value, as "/pointer code, ..."; empty: nothing. */
static Str look(Arena *a, Str schema, Str value)
{
	FieldMistakes wrong = { .arena = a };
	const ProfileSchema *read;
	const Json *json;
	Str text = S("");

	CHECK_OK(profile_schema_read(a, schema, &read));
	CHECK_OK(json_read(a, value, 0, &json));
	profile_check(read, a, json, S(""), &wrong);
	for (size_t i = 0; i < wrong.count; i++)
		text = str_fmt(a, "%.*s%s%.*s %s", STR_ARG(text), i ? ", " : "",
		               STR_ARG(wrong.at[i].pointer), wrong.at[i].code);
	return text;
}

TEST(values_keep_to_a_schema_or_it_is_told_where_they_do_not)
{
	static const struct {
		Str schema, value, wrong;
	} cases[] = {
		{ S("{}"), S("[1,{}]"), S("") },
		{ S("true"), S("1"), S("") },
		{ S("false"), S("1"), S(" unknown") },
		{ S("{\"type\":\"integer\"}"), S("1"), S("") },
		{ S("{\"type\":\"integer\"}"), S("1.0"), S("") },
		{ S("{\"type\":\"integer\"}"), S("1.5"), S(" type") },
		{ S("{\"type\":\"number\"}"), S("1.5"), S("") },
		{ S("{\"type\":[\"string\",\"null\"]}"), S("null"), S("") },
		{ S("{\"type\":[\"string\",\"null\"]}"), S("false"), S(" type") },
		{ S("{\"enum\":[1,\"a\",{\"b\":[2]}]}"), S("{\"b\":[2]}"), S("") },
		{ S("{\"enum\":[1,\"a\"]}"), S("1.0"), S("") },
		{ S("{\"enum\":[1,\"a\"]}"), S("\"b\""), S(" choice") },
		{ S("{\"const\":null}"), S("null"), S("") },
		{ S("{\"const\":null}"), S("0"), S(" choice") },
		{ S("{\"minLength\":2,\"maxLength\":3}"), S("\"\xc3\xa4\xc3\xb6\xc3\xbc\""),
		  S("") },
		{ S("{\"minLength\":2}"), S("\"\xc3\xa4\""), S(" too_short") },
		{ S("{\"maxLength\":1}"), S("\"ab\""), S(" too_long") },
		{ S("{\"maxLength\":1}"), S("12345"), S("") }, /* of strings only */
		{ S("{\"pattern\":\"^a+$\"}"), S("\"aaa\""), S("") },
		{ S("{\"pattern\":\"^a+$\"}"), S("\"ab\""), S(" pattern") },
		{ S("{\"pattern\":\"^$\"}"), S("\"\""), S("") },
		{ S("{\"pattern\":\"b\"}"), S("\"abc\""), S("") },
		{ S("{\"format\":\"date\"}"), S("\"2024-02-29\""), S("") },
		{ S("{\"format\":\"date\"}"), S("\"2023-02-29\""), S(" format") },
		{ S("{\"format\":\"date-time\"}"), S("\"2024-01-01T00:00:00Z\""), S("") },
		{ S("{\"format\":\"email\"}"), S("\"a@b\""), S("") },
		{ S("{\"format\":\"email\"}"), S("\"@b\""), S(" format") },
		{ S("{\"format\":\"uri\"}"), S("\"https://a.test/\""), S("") },
		{ S("{\"format\":\"uri\"}"), S("\"/a b\""), S(" format") },
		{ S("{\"format\":\"uuid\"}"), S("\"x\""), S(" format") },
		{ S("{\"minimum\":1,\"maximum\":3}"), S("3"), S("") },
		{ S("{\"minimum\":1}"), S("0"), S(" range") },
		{ S("{\"exclusiveMinimum\":1}"), S("1"), S(" range") },
		{ S("{\"exclusiveMaximum\":1}"), S("0.5"), S("") },
		{ S("{\"multipleOf\":5}"), S("15"), S("") },
		{ S("{\"multipleOf\":5}"), S("16"), S(" range") },
		{ S("{\"items\":{\"type\":\"string\"}}"), S("[\"a\",1,2]"), S("/1 type, /2 type") },
		{ S("{\"minItems\":1}"), S("[]"), S(" too_short") },
		{ S("{\"maxItems\":1}"), S("[1,2]"), S(" too_long") },
		{ S("{\"uniqueItems\":true}"), S("[1,[2],1.0,[2]]"), S("/2 unique, /3 unique") },
		{ S("{\"required\":[\"a\",\"b\"]}"), S("{\"b\":null}"), S("/a required") },
		{ S("{\"properties\":{\"a/b\":{\"type\":\"null\"}}}"), S("{\"a/b\":1,\"c\":2}"),
		  S("/a~1b type") },
		{ S("{\"properties\":{\"a\":true},\"additionalProperties\":false}"),
		  S("{\"a\":1,\"b\":2}"), S("/b unknown") },
		{ S("{\"additionalProperties\":{\"type\":\"integer\"}}"), S("{\"a\":1,\"b\":\"\"}"),
		  S("/b type") },
		{ S("{\"maxProperties\":1}"), S("{\"a\":1,\"b\":2}"), S(" too_long") },
		{ S("{\"properties\":{\"a\":{\"properties\":{\"b\":{\"minimum\":1}}}}}"),
		  S("{\"a\":{\"b\":0}}"), S("/a/b range") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%.*s of %.*s", STR_ARG(cases[i].value), STR_ARG(cases[i].schema));
		CHECK_STR(look(a, cases[i].schema, cases[i].value), cases[i].wrong);
	}
}

TEST(a_schema_that_would_not_be_checked_is_refused)
{
	static const struct {
		Str schema, place;
	} cases[] = {
		{ S("[]"), S("the schema's  is neither") },
		{ S("{\"oneOf\":[]}"), S("/oneOf is a word") },
		{ S("{\"properties\":{\"a\":{\"$ref\":\"#\"}}}"),
		  S("/properties/a/$ref is a word") },
		{ S("{\"type\":\"text\"}"), S("/type is no type") },
		{ S("{\"minLength\":-1}"), S("/minLength is no number") },
		{ S("{\"multipleOf\":0}"), S("/multipleOf is no integer") },
		{ S("{\"pattern\":\"(\"}"), S("/pattern is no regular") },
		{ S("{\"format\":\"phone\"}"), S("/format is none of") },
		{ S("{\"items\":3}"), S("/items is neither") },
		{ S("{\"enum\":[]}"), S("/enum is no list") },
		{ S("{\"required\":[1]}"), S("/required is no list") },
	};
	const ProfileSchema *read;

	for (size_t i = 0; i < COUNT(cases); i++) {
		Err *err = profile_schema_read(a, cases[i].schema, &read);

		NOTE("%.*s", STR_ARG(cases[i].schema));
		CHECK_ERR(err, "user.profile_schema");
		CHECK(str_find(err->text, cases[i].place) >= 0);
	}
}

TEST(an_expression_that_would_take_for_ever_does_not_match)
{
	Str many = str_fmt(a, "\"%s\"",
	                   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!");

	CHECK_STR(look(a, S("{\"pattern\":\"^(a+)+$\"}"), many), S(" pattern"));
}

TEST(a_profile_is_an_object_of_limited_size_in_compact_form)
{
	FieldMistakes wrong = { .arena = a };
	Str text = S(" { \"a\" : [ 1 , 2 ] } "), none = S(""), list = S("[]"), broken = S("{"), big;

	profile_read(NULL, a, &text, S("/profile"), &wrong);
	profile_read(NULL, a, &none, S("/profile"), &wrong);
	CHECK_STR(text, S("{\"a\":[1,2]}"));
	CHECK_STR(none, S(""));
	CHECK_INT(wrong.count, 0);
	big = str_fmt(a, "{\"a\":\"%0*d\"}", PROFILE_BYTES, 0);
	profile_read(NULL, a, &list, S("/profile"), &wrong);
	profile_read(NULL, a, &broken, S("/profile"), &wrong);
	profile_read(NULL, a, &big, S("/profile"), &wrong);
	CHECK_INT(wrong.count, 3);
}

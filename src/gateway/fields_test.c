/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/fields.c"
#include "base/buf.h"
#include "field_cases.h"
#include "unit.h"

#include <string.h>

static Str text_of(Arena *a, const Headers *headers)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (uint32_t i = 0; i < headers->count; i++) {
		const Header *h = &headers->at[i];

		CHECK_INT(h->id, header_id(h->name));
		buf_fmt(&b, "%s%.*s: %.*s", i ? "|" : "", STR_ARG(h->name), STR_ARG(h->value));
	}
	return str_dup(a, buf_str(&b));
}

typedef struct Rows {
	FieldConf at[4];
	size_t count;
} Rows;

static Rows rows_of(Arena *a, const char *text)
{
	Headers headers = headers_of(a, text);
	Rows rows = { .count = headers.count };

	for (uint32_t i = 0; i < headers.count; i++)
		rows.at[i] = (FieldConf){ headers.at[i].name, headers.at[i].value };
	return rows;
}

static const Fields *fields_of(Arena *a, const char *remove, const char *set, const char *add)
{
	static const MatchConf match = { .path = { "/**", 3 } };
	Rows *sets = ARENA_NEW(a, Rows), *adds = ARENA_NEW(a, Rows);
	Headers removed = headers_of(a, remove);
	FieldsConf *conf = ARENA_NEW(a, FieldsConf);

	*sets = rows_of(a, set);
	*adds = rows_of(a, add);
	conf->set.at = sets->at;
	conf->set.count = sets->count;
	conf->add.at = adds->at;
	conf->add.count = adds->count;
	conf->remove.at = ARENA_ARRAY(a, Str, 4);
	for (uint32_t i = 0; i < removed.count; i++)
		conf->remove.at[conf->remove.count++] = removed.at[i].name;
	return fields_new(a, conf, &match);
}

static const TemplateValues values = { .path = { "/x", 2 }, .scheme = { "https", 5 } };

TEST(removed_set_added)
{
	static const struct {
		const char *in, *remove, *set, *add, *want;
	} cases[] = {
		{ "A: 1|B: 2", "a:", "", "", "B: 2" },
		{ "A: 1|B: 2|A: 3", "", "a: 4", "", "B: 2|a: 4" },
		{ "A: 1", "", "", "A: 2", "A: 1|A: 2" },
		{ "A: 1", "A:", "A: 2", "A: 3", "A: 2|A: 3" },
		{ "", "", "", "X: {scheme}{path}", "X: https/x" },
		{ "server: up|Cache-Control: no-store", "Server:", "cache-control: max-age=1", "",
		  "cache-control: max-age=1" },
		{ "X: 1", "", "Y:", "", "X: 1|Y: " },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const Fields *f = fields_of(a, cases[i].remove, cases[i].set, cases[i].add);
		Headers request = headers_of(a, cases[i].in), answer = request;

		NOTE("case %zu", i);
		CHECK_OK(fields_change_request(f, a, &values, &request));
		CHECK_STR(text_of(a, &request), str_of(cases[i].want));
		fields_change_answer(f, a, &values, &answer);
		CHECK_STR(text_of(a, &answer), str_of(cases[i].want));
	}
}

TEST(an_error_keeps_what_its_body_is)
{
	const Fields *f =
		fields_of(a, "Retry-After:|Server:", "cache-control: public|X-Frame-Options: DENY",
	                  "content-type: text/csv|Content-Security-Policy: default-src 'self'");
	Headers headers = headers_of(
		a, "Content-Type: text/html|Cache-Control: no-store|Retry-After: 1|Server: x");

	fields_change_error(f, a, &values, &headers);
	CHECK_STR(text_of(a, &headers),
	          S("Content-Type: text/html|Cache-Control: no-store|Retry-After: 1|"
	            "X-Frame-Options: DENY|Content-Security-Policy: default-src 'self'"));
}

TEST(a_value_that_became_too_long)
{
	const Fields *f = fields_of(a, "", "X: {path}{path}|Y: 1", "");
	char *text = arena_alloc(a, TEMPLATE_BYTES_MAX);
	TemplateValues v = values;
	Headers headers = headers_of(a, "X: old");

	memset(text, 'p', TEMPLATE_BYTES_MAX);
	v.path = (Str){ text, TEMPLATE_BYTES_MAX };
	CHECK_ERR(fields_change_request(f, a, &v, &headers), "gateway.template_long");
	fields_change_answer(f, a, &v, &headers);
	CHECK_STR(text_of(a, &headers), S("Y: 1"));
}

TEST(nothing_to_change_is_nothing)
{
	Headers headers = headers_of(a, "A: 1");

	CHECK_NULL(fields_of(a, "", "", ""));
	CHECK_OK(fields_change_request(NULL, a, &values, &headers));
	fields_change_answer(NULL, a, &values, &headers);
	fields_change_error(NULL, a, &values, &headers);
	CHECK_STR(text_of(a, &headers), S("A: 1"));
}

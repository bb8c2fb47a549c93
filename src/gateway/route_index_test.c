/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/route_index.c"
#include "unit.h"

#include <stdio.h>

enum { MANY = 2000 };

static bool has(const uint64_t *bits, size_t i)
{
	return bits[i / 64] >> (i % 64) & 1;
}

static size_t count_of(const uint64_t *bits, size_t count)
{
	size_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += has(bits, i);
	return sum;
}

static const RouteIndex *index_of(Arena *a, const char *const *patterns, size_t count)
{
	const RouteRegex **all = ARENA_ARRAY(a, const RouteRegex *, count);

	for (size_t i = 0; i < count; i++)
		CHECK_OK(route_regex_new(a, str_of(patterns[i]), &all[i]));
	return route_index_new(a, all, count);
}

TEST(only_what_could_match_is_a_candidate)
{
	static const char *const patterns[] = {
		"^/api/v\\d+",       /* 0 */
		"^/api/v\\d+/users", /* 1 */
		"\\.php$",           /* 2 */
		"^/x",               /* 3: its start is too short for a gram */
		"(?i)^/api",         /* 4: nothing is known of it */
		"\\d",               /* 5 */
		"/a/|b",             /* 6 */
		"^/(de|en)/shop",    /* 7 */
		"^/ab/\\d/topic",    /* 8 */
	};
	static const struct {
		const char *path, *want;
	} cases[] = {
		{ "/", "456" },
		{ "/api/v", "0456" },
		{ "/api", "456" },
		{ "/x/api/v1", "3456" }, /* not at its start */
		{ "/api/v1/users/x.php", "012456" },
		{ "/x.php", "23456" },
		{ "/de/shop", "4567" },
		{ "/de/.php/shop.php", "24567" },
		{ "/ab/7/topic", "4568" },
		{ "/ac/7/topic", "456" }, /* not what it begins with */
		{ "", "456" },
	};
	const RouteIndex *index = index_of(a, patterns, COUNT(patterns));

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t bits[ROUTE_INDEX_WORDS];

		NOTE("%s", cases[i].path);
		route_index_ask(index, str_of(cases[i].path), bits);
		for (size_t k = 0; k < COUNT(patterns); k++)
			CHECK(has(bits, k) == (strchr(cases[i].want, (int)('0' + k)) != NULL));
	}
}

TEST(of_thousands_few_are_candidates)
{
	static const char *const forms[] = {
		"^/articles/section-%zu/\\d{4}$",
		"^/articles/\\d+/section-%zu$",
		"^/(?:v1|v2)/articles/[^/]+/item%zu\\.",
		"articles/(\\w+)/[a-z]+/x-%zu/",
	};
	static const char *const asked[] = {
		"/articles/section-%zu/2024",
		"/articles/77/section-%zu",
		"/v2/articles/77/item%zu.html",
		"/articles/a/b/x-%zu/",
	};
	const char **patterns = ARENA_ARRAY(a, const char *, MANY);
	const RouteIndex *index;
	size_t all = 0;

	for (size_t i = 0; i < MANY; i++) {
		char text[80];

		snprintf(text, sizeof text, forms[i % 4], i);
		patterns[i] = str_z(a, str_of(text));
	}
	index = index_of(a, patterns, MANY);
	for (size_t i = 0; i < MANY; i++) {
		uint64_t bits[ROUTE_INDEX_WORDS];
		char text[80];

		snprintf(text, sizeof text, asked[i % 4], i);
		route_index_ask(index, str_of(text), bits);
		CHECK(has(bits, i));
		CHECK(count_of(bits, MANY) < 8);
		all += count_of(bits, MANY);
	}
	CHECK(all < MANY * 2);
}

TEST(an_index_of_none_says_nothing)
{
	uint64_t bits[1] = { 7 };

	route_index_ask(route_index_new(a, NULL, 0), S("/api/v1"), bits);
	CHECK_INT(bits[0], 7);
}

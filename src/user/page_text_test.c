/* SPDX-License-Identifier: Apache-2.0 */
#include "user/page_text.c"

#include "unit.h"

/* The names in braces, in the order of the letters they begin with: the same in every language. */
static unsigned names_in(const char *text)
{
	unsigned sum = 0;
	bool within = false;

	for (; *text; text++) {
		within = *text == '{' || (within && *text != '}');
		if (within)
			sum += (unsigned char)*text;
	}
	return sum;
}

TEST(every_text_is_there_in_every_language_with_the_same_values)
{
	for (size_t i = 0; i < COUNT(texts); i++) {
		NOTE("%s", texts[i].key);
		for (size_t j = 0; j < PAGE_LANGUAGES; j++) {
			CHECK(texts[i].in[j] && *texts[i].in[j]);
			CHECK_INT(names_in(texts[i].in[j]), names_in(texts[i].in[0]));
		}
		for (size_t j = i + 1; j < COUNT(texts); j++)
			CHECK(!str_eq(str_of(texts[i].key), str_of(texts[j].key)));
	}
}

TEST(the_language_is_what_the_client_asks_for_or_the_browser_likes)
{
	static const struct {
		Str locales, accept;
		PageLanguage want;
	} cases[] = {
		{ S(""), S(""), PAGE_EN },
		{ S("fr de"), S("en"), PAGE_DE },
		{ S("de-CH"), S("en"), PAGE_DE },
		{ S("fr"), S("de"), PAGE_DE },
		{ S(""), S("de-AT,de;q=0.9,en;q=0.8"), PAGE_DE },
		{ S(""), S("de;q=0.5, en;q=0.8"), PAGE_EN },
		{ S(""), S("de;q=0.5, en;q=0.25"), PAGE_DE },
		{ S(""), S("de;q=0"), PAGE_EN },
		{ S(""), S("fr, *"), PAGE_EN },
		{ S(""), S("de;q=x, en;q=0.1"), PAGE_EN },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%.*s | %.*s", STR_ARG(cases[i].locales), STR_ARG(cases[i].accept));
		CHECK_INT(page_language(cases[i].locales, cases[i].accept), cases[i].want);
	}
}

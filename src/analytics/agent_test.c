/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/agent.c"

#include "unit.h"

#define MOZILLA "Mozilla/5.0 "

TEST(browsers_are_told_apart_from_their_ancestors)
{
	static const struct {
		Str text, browser, os, device;
		bool bot;
	} cases[] = {
		{ S(MOZILLA "(X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0"),
		  S("Firefox"), S("Linux"), S("Desktop"), false },
		{ S(MOZILLA
		    "(Windows NT 10.0) AppleWebKit/537.36 Chrome/120.0 Safari/537.36 Edg/120.0"),
		  S("Edge"), S("Windows"), S("Desktop"), false },
		{ S(MOZILLA
		    "(Linux; Android 14) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36"),
		  S("Chrome"), S("Android"), S("Mobile"), false },
		{ S(MOZILLA
		    "(iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605 Version/17.0 Mobile Safari/604.1"),
		  S("Safari"), S("iOS"), S("Mobile"), false },
		{ S(MOZILLA
		    "(Macintosh; Intel Mac OS X 10_15) AppleWebKit/605 Version/17.0 Safari/605.1"),
		  S("Safari"), S("macOS"), S("Desktop"), false },
		{ S(MOZILLA "(compatible; Googlebot/2.1)"), S(""), S(""), S(""), true },
		{ S("curl/7.88.1"), S(""), S(""), S(""), true },
		{ S(""), S(""), S(""), S(""), false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Agent agent = agent_read(cases[i].text);

		NOTE("%.*s", STR_ARG(cases[i].text));
		CHECK_STR(agent.browser, cases[i].browser);
		CHECK_STR(agent.os, cases[i].os);
		CHECK_STR(agent.device, cases[i].device);
		CHECK_INT(agent.bot, cases[i].bot);
	}
}

TEST(an_address_is_cut_into_its_parts)
{
	static const struct {
		Str url, host, path, query;
	} cases[] = {
		{ S("https://www.shop.example/a/b?x=1#top"), S("www.shop.example"), S("/a/b"),
		  S("x=1") },
		{ S("http://shop.example"), S("shop.example"), S("/"), S("") },
		{ S("http://shop.example:8080/?q"), S("shop.example"), S("/"), S("q") },
		{ S("https://me:pw@shop.example/x"), S("shop.example"), S("/x"), S("") },
		{ S("app://localhost/x#y?z"), S("localhost"), S("/x"), S("") },
	};
	PageUrl page;

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%.*s", STR_ARG(cases[i].url));
		CHECK(page_url_read(cases[i].url, &page));
		CHECK_STR(page.host, cases[i].host);
		CHECK_STR(page.path, cases[i].path);
		CHECK_STR(page.query, cases[i].query);
	}
	CHECK(!page_url_read(S("/a/b"), &page));
	CHECK(!page_url_read(S("://x"), &page));
	CHECK(!page_url_read(S("http://"), &page));
	CHECK_STR(page_site(a, S("WWW.Shop.Example")), S("shop.example"));
}

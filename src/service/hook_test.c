/* SPDX-License-Identifier: Apache-2.0 */
#include "service/hook.c"

#include "unit.h"

TEST(an_endpoint_wants_types_by_name_by_kind_or_all)
{
	static const struct {
		const char *types, *type;
		bool wants;
	} cases[] = {
		{ "[\"*\"]", "invoice.paid", true },
		{ "[\"invoice.paid\"]", "invoice.paid", true },
		{ "[\"invoice.paid\"]", "invoice.pai", false },
		{ "[\"invoice.*\"]", "invoice.paid", true },
		{ "[\"invoice.*\"]", "invoiceitem.created", false },
		{ "[\"invoice.*\"]", "invoice", false },
		{ "[\"a.b\",\"invoice.*\"]", "invoice.paid", true },
		{ "[\"payment_intent.*\"]", "payment_intent.payment_failed", true },
		{ "[]", "invoice.paid", false },
		{ "7", "invoice.paid", false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Hook hook = { .types = str_of(cases[i].types) };

		CHECK_INT(hook_wants(a, &hook, str_of(cases[i].type)), cases[i].wants);
	}
}

TEST(an_endpoint_is_told_over_https_of_types_that_there_can_be)
{
	static const struct {
		const char *url, *types;
		bool development;
		const char *slug;
	} cases[] = {
		{ "https://shop.test/hook?a=1", "[\"*\"]", false, NULL },
		{ "http://127.0.0.1:8000/hook", "[\"invoice.paid\"]", true, NULL },
		{ "http://shop.test/hook", "[\"*\"]", false, "webhook.url" },
		{ "https://user:password@shop.test/", "[\"*\"]", false, "webhook.url" },
		{ "https://shop.test/#x", "[\"*\"]", false, "webhook.url" },
		{ "file:///etc/passwd", "[\"*\"]", true, "webhook.url" },
		{ "", "[\"*\"]", true, "webhook.url" },
		{ "https://shop.test/", "[]", false, "webhook.types" },
		{ "https://shop.test/", "[\"Invoice.paid\"]", false, "webhook.types" },
		{ "https://shop.test/", "[\"**\"]", false, "webhook.types" },
		{ "https://shop.test/", "[\".*\"]", false, "webhook.types" },
		{ "https://shop.test/", "[7]", false, "webhook.types" },
		{ "https://shop.test/", "\"*\"", false, "webhook.types" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Hook hook = { .url = str_of(cases[i].url), .types = str_of(cases[i].types) };
		Err *err = hook_check(a, &hook, cases[i].development);

		CHECK_STR(err ? str_of(err->slug) : S(""), str_of(cases[i].slug));
	}
}

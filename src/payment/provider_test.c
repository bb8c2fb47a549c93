/* SPDX-License-Identifier: Apache-2.0 */
#include "payment/provider.c"

#include "unit.h"

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define NOW_S 1700000000

static Provider provider_of(Arena *a, ProviderConf *conf)
{
	Provider p = { .conf = conf,
		       .kind = kind_of((ProviderType)conf->type),
		       .health = ARENA_NEW(a, ProviderHealth) };

	if (conf->webhook_secret.len && !signing_key(a, conf->webhook_secret, &p.secret))
		p.secret = conf->webhook_secret;
	return p;
}

TEST(a_webhook_is_believed_by_its_signature)
{
	static ProviderConf fault = { .type = PROVIDER_FAULT, .webhook_secret = S(SECRET) };
	static ProviderConf stripes = { .type = PROVIDER_STRIPE, .webhook_secret = S(SECRET) };
	static ProviderConf open = { .type = PROVIDER_FAULT },
			    sandbox = { .type = PROVIDER_SANDBOX, .webhook_secret = S(SECRET) };
	Provider f = provider_of(a, &fault), s = provider_of(a, &stripes),
		 o = provider_of(a, &open), b = provider_of(a, &sandbox);
	Str body = S("{\"id\":\"e1\",\"type\":\"t\"}"), key;
	Headers standard = { 0 }, stripe = { 0 }, none = { 0 };
	int64_t now_us = NOW_S * US_PER_S;

	CHECK(signing_key(a, S(SECRET), &key));
	headers_add(&standard, a, S("Webhook-Id"), S("e1"));
	headers_add(&standard, a, S("Webhook-Timestamp"), S("1700000000"));
	headers_add(&standard, a, S("Webhook-Signature"),
	            signing_standard(a, key, S("e1"), NOW_S, body));
	headers_add(&stripe, a, S("stripe-signature"), signing_stripe(a, S(SECRET), NOW_S, body));
	CHECK_OK(provider_verify_webhook(&f, a, &standard, body, now_us));
	CHECK_OK(provider_verify_webhook(&s, a, &stripe, body, now_us));
	CHECK_ERR(provider_verify_webhook(&f, a, &stripe, body, now_us), "provider.signature");
	CHECK_ERR(provider_verify_webhook(&s, a, &standard, body, now_us), "provider.signature");
	CHECK_ERR(provider_verify_webhook(&f, a, &none, body, now_us), "provider.signature");
	CHECK_ERR(provider_verify_webhook(&f, a, &standard, body, now_us + 301 * US_PER_S),
	          "provider.stale");
	CHECK_ERR(provider_verify_webhook(&o, a, &standard, body, now_us), "provider.signature");
	CHECK_ERR(provider_verify_webhook(&b, a, &standard, body, now_us), "provider.signature");
}

TEST(a_webhook_has_an_id_and_a_type)
{
	static ProviderConf fault = { .type = PROVIDER_FAULT };
	Provider p = provider_of(a, &fault);
	static const char *const wrong[] = { "",
		                             "7",
		                             "{",
		                             "[]",
		                             "{\"id\":\"e1\"}",
		                             "{\"type\":\"t\"}",
		                             "{\"id\":1,\"type\":\"t\"}" };
	ProviderEvent event;

	for (size_t i = 0; i < COUNT(wrong); i++)
		CHECK_ERR(provider_parse_webhook(&p, a, str_of(wrong[i]), &event),
		          "provider.event");
	CHECK_OK(provider_parse_webhook(
		&p, a,
		S("{\"id\":\"e1\",\"type\":\"t\",\"data\":{\"payment\":\"fp_1\",\"refund\":\"\"}}"),
		&event));
	CHECK_STR(event.reference, S("fp_1"));
}

TEST(only_silence_and_not_now_say_that_a_provider_is_unwell)
{
	static const struct {
		ProviderResult result;
		const char *code;
		bool unwell;
	} cases[] = {
		{ PROVIDER_OK, "", false },           { PROVIDER_DECLINED, "card_declined", false },
		{ PROVIDER_REFUSED, "state", false }, { PROVIDER_REFUSED, "provider.busy", true },
		{ PROVIDER_UNSENT, "", true },        { PROVIDER_UNKNOWN, "provider.error", true },
		{ PROVIDER_ABSENT, "", false },       { PROVIDER_PENDING, "", false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		ProviderAnswer answer = { .result = cases[i].result,
			                  .code = str_of(cases[i].code) };

		CHECK_INT(is_failure(&answer), cases[i].unwell);
	}
}

TEST(the_sandbox_does_what_a_methods_name_says)
{
	static const struct {
		const char *token;
		ProviderResult result;
		const char *code;
	} cases[] = {
		{ "pm_card_visa", PROVIDER_OK, "" },
		{ "pm_mine", PROVIDER_OK, "" },
		{ "tok_chargeDeclined", PROVIDER_DECLINED, "card_declined" },
		{ "pm_card_authenticationRequired", PROVIDER_DECLINED, "authentication_required" },
	};
	static ProviderConf sandbox = { .type = PROVIDER_SANDBOX };
	Provider p = provider_of(a, &sandbox);

	for (size_t i = 0; i < COUNT(cases); i++) {
		ProviderAsk ask = { .key = S("k1"),
			            .amount = 1250,
			            .currency = S("eur"),
			            .token = str_of(cases[i].token),
			            .capture = true };
		ProviderAnswer out, later;

		CHECK_OK(provider_authorize(&p, a, &ask, &out));
		CHECK_INT(out.result, cases[i].result);
		CHECK_STR(out.code, str_of(cases[i].code));
		ask.reference = out.reference;
		CHECK_OK(provider_get(&p, a, &ask, &later));
		CHECK_INT(later.captured, 1250);
		CHECK_STR(later.currency, S("eur"));
	}
}

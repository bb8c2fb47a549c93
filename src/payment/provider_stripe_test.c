/* SPDX-License-Identifier: Apache-2.0 */
#include "payment/provider_stripe.c"

#include "unit.h"

static const Json *json_of(Arena *a, const char *text)
{
	const Json *json;

	CHECK_OK(json_read(a, str_of(text), 0, &json));
	return json;
}

/* Shapes as Stripe's documentation has them, cut to what counts. */
TEST(an_intents_status_says_what_became_of_it)
{
	static const struct {
		const char *json;
		ProviderResult result;
		ProviderState state;
		const char *code;
		int64_t authorized, captured;
	} cases[] = {
		{ "{\"id\":\"pi_1\",\"status\":\"succeeded\",\"amount\":2000,\"amount_received\":2000}",
		  PROVIDER_OK, PROVIDER_CAPTURED, "", 2000, 2000 },
		{ "{\"id\":\"pi_1\",\"status\":\"requires_capture\",\"amount\":2000,\"amount_received\":0}",
		  PROVIDER_OK, PROVIDER_AUTHORIZED, "", 2000, 0 },
		{ "{\"id\":\"pi_1\",\"status\":\"processing\",\"amount\":2000}", PROVIDER_PENDING,
		  PROVIDER_WAITS, "", 0, 0 },
		{ "{\"id\":\"pi_1\",\"status\":\"canceled\",\"amount\":2000}", PROVIDER_OK,
		  PROVIDER_VOIDED, "", 0, 0 },
		{ "{\"id\":\"pi_1\",\"status\":\"requires_action\",\"amount\":2000}",
		  PROVIDER_ACTION, PROVIDER_WAITS, "", 0, 0 },
		{ "{\"id\":\"pi_1\",\"status\":\"requires_payment_method\",\"last_payment_error\":{\"code\":\"expired_card\"}}",
		  PROVIDER_DECLINED, PROVIDER_FAILED, "expired_card", 0, 0 },
		{ "{\"id\":\"pi_1\",\"status\":\"requires_payment_method\",\"last_payment_error\":null}",
		  PROVIDER_DECLINED, PROVIDER_FAILED, "card_declined", 0, 0 },
		{ "{\"id\":\"pi_1\",\"status\":\"a_new_one\"}", PROVIDER_UNKNOWN, PROVIDER_NOTHING,
		  "provider.answer", 0, 0 },
		{ "{}", PROVIDER_UNKNOWN, PROVIDER_NOTHING, "provider.answer", 0, 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		ProviderAnswer out;

		take_intent(json_of(a, cases[i].json), &out);
		CHECK_INT(out.result, cases[i].result);
		CHECK_INT(out.state, cases[i].state);
		CHECK_STR(out.code, str_of(cases[i].code));
		CHECK_INT(out.authorized, cases[i].authorized);
		CHECK_INT(out.captured, cases[i].captured);
	}
}

TEST(an_action_has_its_page_and_a_charge_its_fee)
{
	ProviderAnswer out;

	take_intent(
		json_of(a,
	                "{\"id\":\"pi_1\",\"status\":\"requires_action\",\"next_action\":{\"type\":\"redirect_to_url\","
	                "\"redirect_to_url\":{\"url\":\"https://hooks.stripe.com/3d\"}}}"),
		&out);
	CHECK_STR(out.action_url, S("https://hooks.stripe.com/3d"));
	take_intent(
		json_of(a,
	                "{\"id\":\"pi_1\",\"status\":\"succeeded\",\"amount\":2000,\"amount_received\":2000,\"latest_charge\":"
	                "{\"id\":\"ch_1\",\"amount_refunded\":500,\"balance_transaction\":{\"fee\":55}}}"),
		&out);
	CHECK_INT(out.fee, 55);
	CHECK_INT(out.refunded, 500);
	take_intent(
		json_of(a, "{\"id\":\"pi_1\",\"status\":\"succeeded\",\"latest_charge\":\"ch_1\"}"),
		&out);
	CHECK_INT(out.fee, 0);
}

TEST(a_refusal_is_a_decline_or_a_mistake_or_not_known)
{
	static const struct {
		unsigned status;
		ProviderResult result;
		const char *json, *code, *bank;
	} cases[] = {
		{ 402, PROVIDER_DECLINED,
		  "{\"error\":{\"type\":\"card_error\",\"code\":\"card_declined\",\"decline_code\":\"lost_card\","
		  "\"payment_intent\":{\"id\":\"pi_1\"}}}",
		  "card_declined", "lost_card" },
		{ 402, PROVIDER_DECLINED, "{}", "card_declined", "" },
		{ 400, PROVIDER_REFUSED,
		  "{\"error\":{\"type\":\"invalid_request_error\",\"code\":\"parameter_missing\"}}",
		  "parameter_missing", "" },
		{ 404, PROVIDER_REFUSED, "{\"error\":{\"code\":\"resource_missing\"}}",
		  "resource_missing", "" },
		{ 409, PROVIDER_UNKNOWN, "{\"error\":{\"type\":\"idempotency_error\"}}", "", "" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		ProviderReply reply = { .got = true,
			                .status = cases[i].status,
			                .json = json_of(a, cases[i].json) };
		ProviderAnswer out;

		take_refusal(&reply, &out);
		CHECK_INT(out.result, cases[i].result);
		CHECK_STR(out.code, str_of(cases[i].code));
		CHECK_STR(out.decline_code, str_of(cases[i].bank));
		CHECK_STR(out.reference, i ? S("") : S("pi_1"));
	}
}

TEST(a_refund_is_done_pending_or_failed)
{
	static const struct {
		const char *status;
		ProviderResult result;
		int64_t refunded;
	} cases[] = {
		{ "succeeded", PROVIDER_OK, 300 },
		{ "pending", PROVIDER_PENDING, 300 },
		{ "requires_action", PROVIDER_PENDING, 300 },
		{ "failed", PROVIDER_DECLINED, 0 },
		{ "canceled", PROVIDER_DECLINED, 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Str text = str_fmt(
			a,
			"{\"id\":\"re_1\",\"amount\":300,\"payment_intent\":\"pi_1\",\"status\":\"%s\"}",
			cases[i].status);
		ProviderAnswer out;

		take_refund(json_of(a, str_z(a, text)), &out);
		CHECK_INT(out.result, cases[i].result);
		CHECK_INT(out.refunded, cases[i].refunded);
		CHECK_STR(out.refund, S("re_1"));
	}
}

TEST(an_attempt_is_found_by_its_metadata_only)
{
	const Json *page = json_of(
		a,
		"{\"data\":[{\"id\":\"pi_3\",\"metadata\":{}},{\"id\":\"pi_2\",\"metadata\":{\"attempt\":\"k2\"}},"
		"{\"id\":\"pi_1\"}]}");
	Str last = { 0 };

	CHECK_STR(provider_text(find_on(page, S("k2"), &last), "id"), S("pi_2"));
	CHECK(!find_on(page, S("k9"), &last));
	CHECK_STR(last, S("pi_1"));
}

TEST(an_event_says_which_payment_to_look_at)
{
	static const struct {
		const char *object, *reference, *refund, *key;
	} cases[] = {
		{ "{\"object\":\"payment_intent\",\"id\":\"pi_1\",\"metadata\":{\"attempt\":\"k1\"}}",
		  "pi_1", "", "k1" },
		{ "{\"object\":\"charge\",\"id\":\"ch_1\",\"payment_intent\":\"pi_1\",\"metadata\":{\"attempt\":\"k1\"}}",
		  "pi_1", "", "" },
		{ "{\"object\":\"refund\",\"id\":\"re_1\",\"payment_intent\":\"pi_1\"}", "pi_1",
		  "re_1", "" },
		{ "{\"object\":\"dispute\",\"id\":\"dp_1\",\"payment_intent\":\"pi_1\"}", "pi_1",
		  "", "" },
		{ "{\"object\":\"customer\",\"id\":\"cus_1\"}", "", "", "" },
		{ "7", "", "", "" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Str text = str_fmt(a, "{\"id\":\"evt_1\",\"type\":\"t\",\"data\":{\"object\":%s}}",
		                   cases[i].object);
		ProviderEvent event;

		CHECK_OK(parse(a, json_of(a, str_z(a, text)), &event));
		CHECK_STR(event.id, S("evt_1"));
		CHECK_STR(event.reference, str_of(cases[i].reference));
		CHECK_STR(event.refund, str_of(cases[i].refund));
		CHECK_STR(event.key, str_of(cases[i].key));
	}
}

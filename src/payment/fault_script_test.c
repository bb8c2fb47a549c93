/* SPDX-License-Identifier: Apache-2.0 */
#include "payment/fault_script.c"

#include "unit.h"

static Err *read_text(Arena *a, const char *text, FaultScript **script)
{
	const Json *json;

	TRY(json_read(a, str_of(text), 0, &json));
	return fault_script_read(a, json, script);
}

TEST(a_script_that_says_what_cannot_be_is_refused)
{
	static const char *const cases[] = {
		"{\"faults\":[{\"fault\":\"melt\"}]}",
		"{\"faults\":[{}]}",
		"{\"faults\":[{\"fault\":\"none\"}]}",
		"{\"faults\":[{\"fault\":\"delay\",\"share\":1.5}]}",
		"{\"faults\":[{\"fault\":\"delay\",\"share\":-0.1}]}",
		"{\"faults\":[{\"fault\":\"delay\",\"ms\":-1}]}",
		"{\"faults\":[{\"fault\":\"delay\",\"on\":[\"lunch\"]}]}",
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		FaultScript *script;

		CHECK_ERR(read_text(a, cases[i], &script), "fault.script");
	}
}

static unsigned strikes(FaultScript *script, FaultOn on, Fault fault, unsigned requests)
{
	unsigned count = 0;

	for (unsigned i = 0; i < requests; i++)
		count += fault_script_draw(script, on).fault == fault;
	return count;
}

TEST(a_rule_strikes_its_share_of_its_acts)
{
	static const char text[] =
		"{\"seed\":5,\"faults\":[{\"fault\":\"drop_after\",\"on\":[\"authorize\"],\"share\":0.25}]}";
	FaultScript *script, *again;
	unsigned count;

	CHECK_OK(read_text(a, text, &script));
	CHECK_INT(strikes(script, FAULT_ON_REFUND, FAULT_DROP_AFTER, 1000), 0);
	count = strikes(script, FAULT_ON_AUTHORIZE, FAULT_DROP_AFTER, 4000);
	CHECK(count > 900 && count < 1100);
	CHECK_OK(read_text(a, text, &again));
	CHECK_INT(strikes(again, FAULT_ON_AUTHORIZE, FAULT_DROP_AFTER, 4000), count);
}

TEST(a_rule_is_used_up)
{
	FaultScript *script;

	CHECK_OK(read_text(a, "{\"faults\":[{\"fault\":\"busy\",\"times\":3}]}", &script));
	CHECK_INT(strikes(script, FAULT_ON_GET, FAULT_BUSY, 10), 3);
}

TEST(a_decline_has_its_own_code_or_the_banks)
{
	FaultScript *script;
	FaultHit hit;

	CHECK_OK(read_text(a, "{\"faults\":[{\"fault\":\"decline\",\"code\":\"expired_card\"}]}",
	                   &script));
	CHECK_INT(fault_script_draw(script, FAULT_ON_GET).fault, FAULT_NONE);
	hit = fault_script_draw(script, FAULT_ON_AUTHORIZE);
	CHECK_STR(hit.code, S("expired_card"));
	CHECK_STR(hit.decline_code, S(""));
}

TEST(tokens_and_amounts_ask_for_faults)
{
	static const struct {
		const char *token;
		int64_t amount;
		Fault fault;
	} cases[] = {
		{ "pm_card_visa", 1250, FAULT_NONE },
		{ "pm_fault_late", 1250, FAULT_LATE },
		{ "pm_card_visa", 90201, FAULT_DROP_AFTER },
		{ "pm_card_visa", 0, FAULT_NONE },
		{ "pm_fault_none", 1250, FAULT_NONE },
		{ "pm_fault_duplicate", 1250, FAULT_NONE },
		{ "pm_fault_", 1250, FAULT_NONE },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_INT(fault_magic(str_of(cases[i].token), cases[i].amount).fault,
		          cases[i].fault);
}

TEST(no_two_faults_have_the_same_amount)
{
	for (size_t i = 1; i < COUNT(faults); i++)
		for (size_t k = i + 1; k < COUNT(faults); k++)
			CHECK(!faults[i].amount || faults[i].amount != faults[k].amount);
}

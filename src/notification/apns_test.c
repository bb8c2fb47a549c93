/* SPDX-License-Identifier: Apache-2.0 */
#include "notification/apns.c"

#include "unit.h"

TEST(apns_reasons_say_what_became_of_it)
{
	static const struct {
		unsigned status;
		const char *body;
		SendOutcome outcome;
		int64_t gone_us;
	} cases[] = {
		{ 200, "", SEND_ACCEPTED, 0 },
		{ 410, "{\"reason\":\"Unregistered\",\"timestamp\":1700000000123}", SEND_GONE,
		  INT64_C(1700000000123000) },
		{ 400, "{\"reason\":\"BadDeviceToken\"}", SEND_GONE, 0 },
		{ 400, "{\"reason\":\"DeviceTokenNotForTopic\"}", SEND_HARD, 0 },
		{ 400, "{\"reason\":\"BadTopic\"}", SEND_REFUSED, 0 },
		{ 403, "{\"reason\":\"ExpiredProviderToken\"}", SEND_SOFT, 0 },
		{ 403, "{\"reason\":\"InvalidProviderToken\"}", SEND_REFUSED, 0 },
		{ 413, "{\"reason\":\"PayloadTooLarge\"}", SEND_HARD, 0 },
		{ 429, "{\"reason\":\"TooManyRequests\"}", SEND_THROTTLED, 0 },
		{ 500, "{\"reason\":\"InternalServerError\"}", SEND_UNKNOWN, 0 },
		{ 503, "{\"reason\":\"Shutdown\"}", SEND_SOFT, 0 },
	};
	SendResult out;

	for (size_t i = 0; i < COUNT(cases); i++) {
		tell(a, &(AskAnswer){ .status = cases[i].status, .body = str_of(cases[i].body) },
		     &out);
		NOTE("%s", cases[i].body);
		CHECK_INT(out.outcome, cases[i].outcome);
		CHECK_INT(out.gone_us, cases[i].gone_us);
	}
}

TEST(apns_tokens_are_hexadecimal)
{
	CHECK(is_hex(S("00ffAA0012345678")));
	CHECK(!is_hex(S("00ff/../x12345678")));
	CHECK(!is_hex(S("")));
}

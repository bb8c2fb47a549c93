/* SPDX-License-Identifier: Apache-2.0 */
#include "notification/push_api.c"

#include "unit.h"

/* Twilio's own example (its guide on validating requests). */
TEST(push_twilio_signature_is_its_own)
{
	Form form;

	CHECK_OK(form_read(
		a,
		S("CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212"),
		&form));
	CHECK_STR(twilio_signature(a, S("12345"), S("https://mycompany.com/myapp.php?foo=1&bar=2"),
	                           &form),
	          S("RSOYDt4T1cUTdK1PDd93/VVr8B8="));
}

TEST(push_statuses_are_reports_where_they_end_something)
{
	ReportKind kind = REPORTS;

	CHECK(kind_of(S("delivered"), &kind));
	CHECK_INT(kind, REPORT_DELIVERED);
	CHECK(kind_of(S("undelivered"), &kind));
	CHECK_INT(kind, REPORT_FAILED);
	CHECK(!kind_of(S("queued"), &kind));
	CHECK(is_dead_number(S("30006")));
	CHECK(!is_dead_number(S("30003")));
}

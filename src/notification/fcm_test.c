/* SPDX-License-Identifier: Apache-2.0 */
#include "notification/fcm.c"

#include "unit.h"

TEST(fcm_words_say_what_became_of_it)
{
#define ERROR(status, word) \
	"{\"error\":{\"status\":\"" status \
	"\",\"message\":\"m\",\"details\":[{\"errorCode\":\"" word "\"}]}}"
	static const struct {
		unsigned status;
		const char *body;
		SendOutcome outcome;
		const char *code;
	} cases[] = {
		{ 200, "{\"name\":\"projects/p/messages/1\"}", SEND_ACCEPTED, "200" },
		{ 404, ERROR("NOT_FOUND", "UNREGISTERED"), SEND_GONE, "UNREGISTERED" },
		{ 404, "{\"error\":{\"status\":\"NOT_FOUND\"}}", SEND_HARD,
		  "NOT_FOUND" }, /* a wrong project, say */
		{ 403, ERROR("PERMISSION_DENIED", "SENDER_ID_MISMATCH"), SEND_HARD,
		  "SENDER_ID_MISMATCH" },
		{ 403, "{\"error\":{\"status\":\"PERMISSION_DENIED\"}}", SEND_REFUSED,
		  "PERMISSION_DENIED" },
		{ 400, ERROR("INVALID_ARGUMENT", "INVALID_ARGUMENT"), SEND_HARD,
		  "INVALID_ARGUMENT" },
		{ 429, ERROR("RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"), SEND_THROTTLED,
		  "QUOTA_EXCEEDED" },
		{ 503, ERROR("UNAVAILABLE", "UNAVAILABLE"), SEND_SOFT, "UNAVAILABLE" },
		{ 500, ERROR("INTERNAL", "INTERNAL"), SEND_UNKNOWN, "INTERNAL" },
		{ 401, ERROR("UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"), SEND_REFUSED,
		  "THIRD_PARTY_AUTH_ERROR" },
		{ 502, "<html>", SEND_UNKNOWN, "502" },
	};
	SendResult out;

	for (size_t i = 0; i < COUNT(cases); i++) {
		tell(a, &(AskAnswer){ .status = cases[i].status, .body = str_of(cases[i].body) },
		     &out);
		NOTE("%s", cases[i].body);
		CHECK_INT(out.outcome, cases[i].outcome);
		CHECK_STR(out.code, str_of(cases[i].code));
		CHECK_STR(out.id, i == 0 ? S("projects/p/messages/1") : S(""));
	}
}

TEST(fcm_data_is_strings)
{
	Message m = { .to = S("t"),
		      .subject = S("s"),
		      .text = S("b"),
		      .url = S("https://x.test/"),
		      .urgent = true,
		      .collapse_key = S("k"),
		      .data = S("{\"n\":7,\"s\":\"x\",\"o\":{\"a\":[1]},\"url\":\"other\"}") };
	Str text;

	CHECK_OK(body_of(a, &m, &text));
	CHECK_STR(
		text,
		S("{\"message\":{\"token\":\"t\",\"notification\":{\"title\":\"s\",\"body\":\"b\"},"
	          "\"data\":{\"url\":\"https://x.test/\",\"n\":\"7\",\"s\":\"x\",\"o\":\"{\\\"a\\\":[1]}\"},"
	          "\"android\":{\"priority\":\"high\",\"ttl\":\"2419200s\",\"collapse_key\":\"k\"}}}"));
}

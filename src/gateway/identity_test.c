/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/identity.c"

#include "unit.h"

TEST(claims_as_text)
{
	static const struct {
		const char *name;
		Str want;
	} cases[] = {
		{ "sub", S("7") },         { "uid", S("-12") },
		{ "ok", S("true") },       { "roles", S("a,b,3") },
		{ "realm.roles", S("x") }, { "a.b", S("dotted") },
		{ "real", S("") },         { "null", S("") },
		{ "realm", S("") },        { "realm.none.at.all", S("") },
		{ "line", S("") },         { "missing", S("") },
		{ "sub.x", S("") },        { "mixed", S("fine") },
		{ "spaced", S("") },       { "spaces", S("a b") },
	};
	Identity who = { 0 };

	CHECK_OK(json_read(
		a,
		S("{\"sub\":\"7\",\"uid\":-12,\"ok\":true,\"roles\":[\"a\",\"b\",3,null,{}],\"realm\":{\"roles\":[\"x\"]},"
	          "\"a.b\":\"dotted\",\"real\":1.5,\"null\":null,\"line\":\"a\\r\\nb\",\"mixed\":[\"a,b\",\"fine\",\"x\\ny\"],\"spaced\":\" admin\",\"spaces\":[\"admin \",\"a b\",\"\"]}"),
		0, &who.claims));
	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%s", cases[i].name);
		CHECK_STR(identity_claim(&who, a, str_of(cases[i].name)), cases[i].want);
	}
	CHECK_STR(identity_claim(NULL, a, S("sub")), S(""));
}

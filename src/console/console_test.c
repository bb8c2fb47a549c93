/* SPDX-License-Identifier: Apache-2.0 */
#include "console/console.c"

#include "unit.h"

TEST(metrics_are_what_prometheus_likes)
{
	for (size_t i = 0; i < COUNT(families); i++)
		CHECK_STR(metric_family_mistake(a, &families[i]), S(""));
}

static Exchange asked(Arena *a, const char *authority, Str cookie, Str proof)
{
	Exchange x = { .arena = a };

	x.request.authority = str_of(authority);
	headers_add_id(&x.request.headers, a, HTTP_COOKIE, cookie);
	if (proof.len)
		headers_add(&x.request.headers, a, S("X-Banyan-Proof"), proof);
	return x;
}

TEST(a_cookie_is_its_port_s_own_and_changes_nothing_without_the_proof)
{
	static const AdminWho ann = { S("ann"), ADMIN_OPERATE };
	Str id, proof, cookie;

	console_session_begin(a, &ann, (Str){ 0 }, time_mono_us(), &id, &proof);
	cookie = str_fmt(a, "banyan_console_8081=%.*s", STR_ARG(id));
	const struct {
		const char *authority;
		bool changes;
		Str proof;
		const char *slug;
		Str who;
	} cases[] = {
		{ "127.0.0.1:8081", false, S(""), NULL, S("ann") },
		{ "localhost:8081", false, S(""), NULL, S("ann") },
		{ "[::1]:8081", true, proof, NULL, S("ann") },
		{ "127.0.0.1:8082", false, S(""), NULL, S("") },
		{ "127.0.0.1", false, S(""), NULL, S("") },
		{ "127.0.0.1:8081", true, S(""), "console.proof", S("") },
		{ "127.0.0.1:8081", true, str_sub(proof, 1, proof.len), "console.proof", S("") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Exchange x = asked(a, cases[i].authority, cookie, cases[i].proof);
		AdminWho who = { 0 };
		Err *err = find_session(&x, cases[i].changes, &who);

		NOTE("row %zu", i);
		if (cases[i].slug)
			CHECK_ERR(err, cases[i].slug);
		else
			CHECK_OK(err);
		if (!err)
			CHECK_STR(who.name, cases[i].who);
	}
}

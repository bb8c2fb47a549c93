/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/admin_guard.c"

#include "unit.h"

static AdminTokenConf people[] = {
	{ S("ann"), S("ann-has-this-secret"), ADMIN_OPERATE },
	{ S("bob"), S("bob-has-this-secret"), ADMIN_VIEW },
};

/* A cookie is a name here; one that changes something must say so. */
static Err *by_cookie(Exchange *x, bool changes, AdminWho *who)
{
	static Err forged = ERR_STATIC(DENIED, "test.forged", "no header");

	if (changes && !headers_get_name(&x->request.headers, S("X-Csrf")).len)
		return &forged;
	who->name = headers_get(&x->request.headers, HTTP_COOKIE);
	who->role = ADMIN_OPERATE;
	return NULL;
}

typedef struct Case {
	const char *token, *cookie, *host, *origin, *site, *csrf;
	bool open, logs_in, changes;
	AdminRole role;
	const char *slug; /* NULL: it may */
	Str who;
} Case;

static Err *ask(Arena *a, const AdminConf *conf, const Case *c, AdminWho *who)
{
	const AdminPage page = {
		.open = c->open, .logs_in = c->logs_in, .changes = c->changes, .role = c->role
	};
	Exchange x = { .arena = a, .user = who };
	Headers *h = &x.request.headers;

	x.request.authority = str_of(c->host ? c->host : "127.0.0.1:8081");
	if (c->token)
		headers_add_id(h, a, HTTP_AUTHORIZATION, str_fmt(a, "bearer %s", c->token));
	if (c->cookie)
		headers_add_id(h, a, HTTP_COOKIE, str_of(c->cookie));
	if (c->origin)
		headers_add(h, a, S("Origin"), str_of(c->origin));
	if (c->site)
		headers_add(h, a, S("Sec-Fetch-Site"), str_of(c->site));
	if (c->csrf)
		headers_add(h, a, S("X-Csrf"), str_of(c->csrf));
	return admin_guard(&x, conf, &page, who);
}

static void check_cases(Arena *a, const AdminConf *conf, const Case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		AdminWho who = { 0 };
		Err *err = ask(a, conf, &cases[i], &who);

		NOTE("row %zu", i);
		if (cases[i].slug)
			CHECK_ERR(err, cases[i].slug);
		else
			CHECK_OK(err);
		if (!err)
			CHECK_STR(who.name, cases[i].who);
	}
}

TEST(who_may_ask_is_said_by_token_or_session_and_role)
{
	static const Case cases[] = {
		{ .slug = "admin.token" },
		{ .open = true, .host = "evil.test" },
		{ .logs_in = true },
		{ .logs_in = true, .changes = true },
		{ .logs_in = true, .host = "evil.test", .slug = "admin.host" },
		{ .logs_in = true, .changes = true, .site = "same-site", .slug = "admin.origin" },
		{ .token = "the-one-of-all-roles", .host = "evil.test", .slug = "admin.host" },
		{ .token = "the-one-of-all-roles", .role = ADMIN_APPROVE, .who = S("admin") },
		{ .token = "the-one-of-all-rolex", .slug = "admin.token" },
		{ .token = "ann-has-this-secret", .role = ADMIN_OPERATE, .who = S("ann") },
		{ .token = "ann-has-this-secret", .role = ADMIN_APPROVE, .slug = "admin.role" },
		{ .token = "bob-has-this-secret", .who = S("bob") },
		{ .token = "bob-has-this-secret",
		  .changes = true,
		  .role = ADMIN_OPERATE,
		  .slug = "admin.role" },
		{ .token = "ann-has-this-secret",
		  .changes = true,
		  .role = ADMIN_OPERATE,
		  .origin = "http://evil.test",
		  .slug = "admin.origin" },
		{ .cookie = "eve", .who = S("eve") },
		{ .cookie = "eve", .site = "same-site", .slug = "admin.origin" },
		{ .cookie = "eve", .site = "same-origin", .who = S("eve") },
		{ .cookie = "eve", .origin = "http://127.0.0.1:8081", .who = S("eve") },
		{ .cookie = "eve", .origin = "http://127.0.0.1:3000", .slug = "admin.origin" },
		{ .cookie = "eve", .changes = true, .slug = "test.forged" },
		{ .cookie = "eve", .changes = true, .csrf = "yes", .who = S("eve") },
		{ .cookie = "eve", .token = "no-such-secret-here", .slug = "admin.token" },
		{ .cookie = "eve", .token = "bob-has-this-secret", .who = S("bob") },
	};
	const AdminConf conf = { .token = S("the-one-of-all-roles"),
		                 .tokens = { people, COUNT(people) } };

	admin_sessions(by_cookie);
	check_cases(a, &conf, cases, COUNT(cases));
}

TEST(without_a_token_all_may_look_and_nobody_may_change)
{
	static const Case cases[] = {
		{ 0 },
		{ .token = "whatever-they-send" },
		{ .host = "evil.test", .slug = "admin.host" },
		{ .changes = true, .role = ADMIN_OPERATE, .slug = "admin.token_needed" },
		{ .role = ADMIN_OPERATE, .slug = "admin.role" },
	};

	check_cases(a, &(AdminConf){ 0 }, cases, COUNT(cases));
}

TEST(with_a_provider_alone_nobody_looks_without_a_session)
{
	static const Case cases[] = {
		{ .slug = "admin.token" },
		{ .token = "whatever-they-send", .slug = "admin.token" },
		{ .changes = true, .csrf = "yes", .slug = "admin.token" },
		{ .cookie = "eve", .who = S("eve") },
	};

	admin_sessions(by_cookie);
	check_cases(a, &(AdminConf){ .has_openid = true }, cases, COUNT(cases));
}

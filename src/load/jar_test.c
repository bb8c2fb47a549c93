/* SPDX-License-Identifier: Apache-2.0 */
#include "load/jar.c"

#include "base/arena.h"
#include "unit.h"

static void set(Jar *jar, Arena *a, const char *cookie, const char *target)
{
	Headers headers = { 0 };

	headers_add_id(&headers, a, HTTP_SET_COOKIE, str_of(cookie));
	jar_take(jar, &headers, str_of(target));
}

static Str sent(const Jar *jar, Arena *a, const char *target)
{
	Head request = { .target = str_of(target) };

	jar_put(jar, a, &request);
	return headers_get(&request.headers, HTTP_COOKIE);
}

TEST(a_cookie_goes_where_its_path_says)
{
	static const struct {
		const char *cookie, *from, *to;
		bool goes;
	} cases[] = {
		{ "s=1; Path=/", "/a/b", "/", true },
		{ "s=1; Path=/", "/a/b", "/x/y?z", true },
		{ "s=1; Path=/a", "/", "/a", true },
		{ "s=1; Path=/a", "/", "/a/b", true },
		{ "s=1; Path=/a", "/", "/a?q", true },
		{ "s=1; Path=/a", "/", "/ab", false },
		{ "s=1; Path=/a/", "/", "/a", false },
		{ "s=1; Path=/a/", "/", "/a/b", true },
		{ "s=1", "/a/b", "/a/c", true },
		{ "s=1", "/a/b?/c/d", "/a", true },
		{ "s=1", "/a/b", "/", false },
		{ "s=1", "/login", "/other", true },
		{ "s=1; path=relative", "/a/b", "/a/c", true },
		{ "s=1; Path=/; Max-Age=0", "/", "/", false },
		{ "s=1; Path=/; Max-Age=60", "/", "/", true },
		{ "s=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "/", "/", false },
		{ "nothing", "/", "/", false },
		{ "=1; Path=/", "/", "/", false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(jar_fini) Jar jar = { 0 };

		set(&jar, a, cases[i].cookie, cases[i].from);
		CHECK_STR(sent(&jar, a, cases[i].to), cases[i].goes ? S("s=1") : S(""));
	}
}

TEST(a_cookie_replaces_its_like_and_is_deleted)
{
	AUTO(jar_fini) Jar jar = { 0 };
	Str value;

	set(&jar, a, "s=old; Path=/", "/");
	set(&jar, a, "t=\"q\"; Path=/; HttpOnly; Secure", "/");
	set(&jar, a, "s=deep; Path=/deep", "/");
	set(&jar, a, "s=new; Path=/", "/");
	CHECK_STR(sent(&jar, a, "/"), S("s=new; t=\"q\""));
	CHECK(jar_get(&jar, S("t"), &value));
	CHECK_STR(value, S("\"q\""));
	set(&jar, a, "s=; Path=/; Max-Age=-1", "/");
	CHECK_STR(sent(&jar, a, "/"), S("t=\"q\""));
	CHECK(str_find(sent(&jar, a, "/deep"), S("s=deep")) >= 0);
	CHECK(!jar_get(&jar, S("gone"), &value));
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/route_shadow.c"
#include "gateway/route_lines.h"
#include "unit.h"

enum { ROUTES_MAX = 8, MANY = 10000 };

TEST(routes_that_can_never_be_taken_are_found)
{
	static const struct {
		const char *routes;
		ptrdiff_t want[5];
	} cases[] = {
		{ "a * /x\nb * /x\n", { -1, 0 } },
		{ "a * /{x}/**\nb * /{y}/**\n", { -1, 0 } },
		{ "a * /x\nb * /x GET\n", { -1, -1 } }, /* methods come first, the rest is left */
		{ "a * /x GET\nb * /x HEAD\n", { -1, 0 } },
		{ "a * /x GET\nb * /x GET POST\n", { -1, -1 } },
		{ "a * /x GET POST\nb * /x POST\nc * /x\n", { -1, 0, -1 } },
		{ "a * /x GET\nb * /x POST\nc * /x POST\n", { -1, -1, 1 } },
		{ "a * /x\nb h /x\nc *.h /x\nd *.i /x\n", { -1, -1, -1, -1 } },
		{ "a * /x\nb * /x/\nc * /x/**\nd * /{x}\n", { -1, -1, -1, -1 } },
		{ "a * /**\nb * /\n", { -1, -1 } },
		{ "a * /**\nb * /**\n", { -1, 0 } },
		/* conditions */
		{ "a * /x h:A=1\nb * /x h:a=1\n", { -1, 0 } },
		{ "a * /x h:A=1\nb * /x q:A=1\nc * /x c:A=1\n", { -1, -1, -1 } },
		{ "a * /x h:A=1\nb * /x h:A=2\n", { -1, -1 } },
		{ "a * /x h:A*\nb * /x h:A=2\nc * /x h:A~2\nd * /x h:A!\n", { -1, 0, 0, -1 } },
		{ "a * /x h:A=2\nb * /x h:A*\n", { -1, -1 } },
		{ "a * /x h:A=1\nb * /x h:A=1 q:b=1\n", { -1, -1 } }, /* more come first */
		{ "a * /x q:b=1 h:A*\nb * /x h:A=1 q:b=1\n", { -1, 0 } },
		{ "a * /x h:A*\nb * /x h:A=1 GET\n", { -1, -1 } },
		{ "a * /x GET h:A*\nb * /x h:A=1 GET\n", { -1, 0 } },
		{ "a * /x GET h:A*\nb * /x q:A=1\n", { -1, -1 } },
		{ "a * /x h:A=1 h:B=1 h:C=1 h:D=1 h:E=1\nb * /x h:A=1 h:B=1 h:C=1 h:D=1 h:E=1\n",
		  { -1, -1 } }, /* too many to be looked at */
		/* expressions */
		{ "a * ~^/x\nb * ~^/x\n", { -1, 0 } },
		{ "a * ~^/x\nb * ~^/x h:A=1 GET\n", { -1, 0 } }, /* by the file alone */
		{ "a * ~^/x h:A=1\nb * ~^/x\n", { -1, -1 } },
		{ "a * ~^/x h:A*\nb * ~^/x q:b* h:A=1\n", { -1, 0 } },
		{ "a * ~^/x GET\nb * ~^/x h:A=1 HEAD\n", { -1, 0 } },
		{ "a * ~^/x/\\d\nb * /x/**\n", { 1, -1 } },
		{ "a * ~^/x\\d\nb * /x/**\n", { -1, -1 } },
		{ "a * ~^/x/y/\\d\nb * /x/** GET\nc * /x/y/z/**\n", { -1, -1, -1 } },
		{ "a * ~^/x/y/\\d GET\nb * /x/** GET\n", { 1, -1 } },
		{ "a * ~^/x/\\d\nb * /**\n", { -1, -1 } },
		{ "a h ~^/x/\\d\nb * /x/**\n", { -1, -1 } },
		{ "a * ~/x/\\d\nb * /x/**\n", { -1, -1 } },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		RouteConf routes[ROUTES_MAX];
		Str rest = str_of(cases[i].routes), line;
		ptrdiff_t by[ROUTES_MAX];
		size_t count = 0;

		while (str_split(&rest, '\n', &line) && line.len)
			CHECK(route_line_read(a, line, &routes[count++]));
		route_shadows(routes, count, by);
		for (size_t k = 0; k < count; k++) {
			NOTE("%s: route %zu", cases[i].routes, k);
			CHECK_INT(by[k], cases[i].want[k]);
		}
	}
}

/* All of one path: what would take a minute if each were held against each. */
TEST(ten_thousand_of_one_path_are_looked_through)
{
	RouteConf *routes = ARENA_ARRAY(a, RouteConf, MANY);
	ptrdiff_t *by = ARENA_ARRAY(a, ptrdiff_t, MANY);

	for (size_t i = 0; i < MANY; i++)
		CHECK(route_line_read(a, str_fmt(a, "r * /x h:T=%zu q:a=1", i == 77 ? 76 : i),
		                      &routes[i]));
	route_shadows(routes, MANY, by);
	for (size_t i = 0; i < MANY; i++)
		CHECK_INT(by[i], i == 77 ? 76 : -1);
}

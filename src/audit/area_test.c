/* SPDX-License-Identifier: Apache-2.0
 *
 * Folders and groups as areas, of projects that are only paths and lines. */
#include "audit/area.c"

#include "unit.h"

typedef struct Row {
	const char *path;
	uint32_t sloc;
} Row;

static Project made(Arena *a, const Row *rows, size_t count)
{
	Project p = { .files = ARENA_ARRAY(a, AuditFile, count), .count = count };

	for (size_t i = 0; i < count; i++) {
		p.files[i].path = str_of(rows[i].path);
		p.files[i].measures.lines.sloc = rows[i].sloc;
	}
	return p;
}

static Str joined(Arena *a, const Areas *areas)
{
	Str all = S("");

	for (uint32_t i = 0; i < areas->count; i++)
		all = str_fmt(a, "%.*s[%.*s]", STR_ARG(all), STR_ARG(areas->names[i]));
	return all;
}

TEST(areas_open_what_holds_nearly_all)
{
	static const Row rows[] = { { "setup.py", 5 },
		                    { "src/shop/apps.py", 10 },
		                    { "src/shop/orders/a.py", 100 },
		                    { "src/shop/orders/deep/b.py", 10 },
		                    { "src/shop/prices/a.py", 100 },
		                    { "tools/x.py", 5 } };
	Project p = made(a, rows, COUNT(rows));
	Areas areas = areas_of(a, &p);

	CHECK_STR(joined(a, &areas), S("[][src/shop][src/shop/orders][src/shop/prices][tools]"));
	CHECK_STR(areas.names[area_find(&areas, S("src/shop/orders/deep/b.py"))],
	          S("src/shop/orders"));
	CHECK_STR(areas.names[area_find(&areas, S("src/shop/urls.py"))], S("src/shop"));
	CHECK_STR(areas.names[area_find(&areas, S("tools/deep/x.py"))], S("tools"));
	CHECK_STR(areas.names[area_find(&areas, S("manage.py"))], S(""));
	CHECK(area_find(&areas, S("src/shop/gone/x.py")) == AREA_NONE);
	Str name;
	CHECK(area_name(&areas, S("src/shop/gone/x.py"), &name));
	CHECK_STR(name, S("src/shop/gone"));
	CHECK(area_name(&areas, S("src/shopping/x.py"), &name));
	CHECK_STR(name, S("src/shopping"));
}

TEST(areas_of_one_folder_are_that_folder)
{
	static const Row rows[] = { { "shop/a.py", 5 }, { "shop/b.py", 10 } };
	Project p = made(a, rows, COUNT(rows));
	Areas areas = areas_of(a, &p);

	CHECK_STR(joined(a, &areas), S("[shop]"));
	CHECK_INT(area_find(&areas, S("shop/c.py")), 0);
	p.count = 0;
	areas = areas_of(a, &p);
	CHECK_INT(areas.count, 0);
	CHECK(area_find(&areas, S("x.py")) == AREA_NONE);
}

TEST(areas_open_no_deeper_than_they_may)
{
	static const Row rows[] = { { "a/b/c/d/e/f/g/h/i/j/k.py", 5 } };
	Project p = made(a, rows, COUNT(rows));
	Areas areas = areas_of(a, &p);

	CHECK_STR(joined(a, &areas), S("[a/b/c/d/e/f/g/h/i]"));
	CHECK_INT(area_find(&areas, rows[0].path ? str_of(rows[0].path) : S("")), 0);
}

TEST(areas_are_the_first_group_that_fits)
{
	static Str orders[] = { S("shop/orders"), S("*_order.py") }, rest[] = { S("shop/**") };
	static AuditGroup groups[] = { { S("orders"), { orders, COUNT(orders) } },
		                       { S("rest"), { rest, COUNT(rest) } } };
	static const AuditConf conf = { .groups = { groups, COUNT(groups) } };
	Areas areas = areas_grouped(a, &conf);
	Str name = S("untouched");

	CHECK_INT(area_find(&areas, S("shop/orders/x.py")), 0);
	CHECK_INT(area_find(&areas, S("api/new_order.py")), 0);
	CHECK_INT(area_find(&areas, S("shop/x.py")), 1);
	CHECK(!area_name(&areas, S("setup.py"), &name));
	CHECK_STR(name, S("untouched"));
}

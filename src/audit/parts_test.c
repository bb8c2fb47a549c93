/* SPDX-License-Identifier: Apache-2.0
 *
 * Folders and groups as parts, of projects that are only paths and lines. */
#include "audit/parts.c"

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

static Str joined(Arena *a, const Parts *parts)
{
	Str all = S("");

	for (uint32_t i = 0; i < parts->count; i++)
		all = str_fmt(a, "%.*s[%.*s]", STR_ARG(all), STR_ARG(parts->names[i]));
	return all;
}

TEST(parts_open_what_holds_nearly_all)
{
	static const Row rows[] = { { "setup.py", 5 },
		                    { "src/shop/apps.py", 10 },
		                    { "src/shop/orders/a.py", 100 },
		                    { "src/shop/orders/deep/b.py", 10 },
		                    { "src/shop/prices/a.py", 100 },
		                    { "tools/x.py", 5 } };
	Project p = made(a, rows, COUNT(rows));
	Parts parts = parts_packages(a, &p);

	CHECK_STR(joined(a, &parts), S("[][src/shop][src/shop/orders][src/shop/prices][tools]"));
	CHECK_STR(parts.names[parts_find(&parts, S("src/shop/orders/deep/b.py"))],
	          S("src/shop/orders"));
	CHECK_STR(parts.names[parts_find(&parts, S("src/shop/urls.py"))], S("src/shop"));
	CHECK_STR(parts.names[parts_find(&parts, S("tools/deep/x.py"))], S("tools"));
	CHECK_STR(parts.names[parts_find(&parts, S("manage.py"))], S(""));
	CHECK(parts_find(&parts, S("src/shop/gone/x.py")) == PARTS_NONE);
	Str name;
	CHECK(parts_name(&parts, S("src/shop/gone/x.py"), &name));
	CHECK_STR(name, S("src/shop/gone"));
	CHECK(parts_name(&parts, S("src/shopping/x.py"), &name));
	CHECK_STR(name, S("src/shopping"));
}

TEST(parts_of_one_folder_are_that_folder)
{
	static const Row rows[] = { { "shop/a.py", 5 }, { "shop/b.py", 10 } };
	Project p = made(a, rows, COUNT(rows));
	Parts parts = parts_packages(a, &p);

	CHECK_STR(joined(a, &parts), S("[shop]"));
	CHECK_INT(parts_find(&parts, S("shop/c.py")), 0);
	p.count = 0;
	parts = parts_packages(a, &p);
	CHECK_INT(parts.count, 0);
	CHECK(parts_find(&parts, S("x.py")) == PARTS_NONE);
}

TEST(parts_open_no_deeper_than_they_may)
{
	static const Row rows[] = { { "a/b/c/d/e/f/g/h/i/j/k.py", 5 } };
	Project p = made(a, rows, COUNT(rows));
	Parts parts = parts_packages(a, &p);

	CHECK_STR(joined(a, &parts), S("[a/b/c/d/e/f/g/h/i]"));
	CHECK_INT(parts_find(&parts, rows[0].path ? str_of(rows[0].path) : S("")), 0);
}

TEST(parts_are_the_first_group_that_fits)
{
	static const Str orders[] = { S("shop/orders"), S("*_order.py") }, rest[] = { S("shop/**") };
	static const PartRule rules[] = { { S("orders"), orders, COUNT(orders) },
		                          { S("rest"), rest, COUNT(rest) } };
	Parts parts = parts_groups(a, rules, COUNT(rules));
	Str name = S("untouched");

	CHECK_INT(parts_find(&parts, S("shop/orders/x.py")), 0);
	CHECK_INT(parts_find(&parts, S("api/new_order.py")), 0);
	CHECK_INT(parts_find(&parts, S("shop/x.py")), 1);
	CHECK(!parts_name(&parts, S("setup.py"), &name));
	CHECK_STR(name, S("untouched"));
}

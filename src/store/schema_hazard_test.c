/* SPDX-License-Identifier: Apache-2.0 */
#include "store/schema_hazard.c"

#include "unit.h"

static Err *rows_of_all(void *arg, Arena *a, Str table, int64_t *rows)
{
	(void)arg;
	(void)a;
	*rows = str_eq(table, S("orders")) || str_eq(table, S("public.orders")) ? 5000000 : 12;
	return NULL;
}

TEST(what_holds_up_others_on_a_large_table_is_told)
{
	static const struct {
		Str text;
		size_t count;
	} cases[] = {
		{ S("create index x on orders (a)"), 1 },
		{ S("CREATE  UNIQUE\n INDEX x ON public.orders(a);"), 1 },
		{ S("create index concurrently x on orders (a)"), 0 },
		{ S("create index x on small (a)"), 0 },
		{ S("create table orders (a int); create index x on orders (a);"), 0 },
		{ S("alter table if exists only orders alter column a type bigint"), 1 },
		{ S("alter table orders alter a set not null"), 1 },
		{ S("alter table orders add column note text"), 0 },
		{ S("alter table orders add column b int not null default 0"), 0 },
		{ S("alter table orders add column b uuid default gen_random_uuid()"), 1 },
		{ S("alter table orders add constraint c check (a > 0)"), 1 },
		{ S("alter table orders add constraint c check (a > 0) not valid; alter table orders validate "
		    "constraint c"),
		  0 },
		{ S("update orders set a = 1"), 1 },
		{ S("update orders set a = 1 where b"), 0 },
		{ S("delete from orders; vacuum full orders;"), 2 },
		{ S("select 'update orders set a' -- update orders set a\n/* delete from orders */ from x"),
		  0 },
		{ S("do $$ begin; update orders set a = 1; end $$"), 0 },
		{ S("lock table orders"), 1 },
		{ S(""), 0 },
		{ S(";;  ;'"), 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const Str *out;
		size_t count;

		NOTE("row %zu", i);
		CHECK_OK(schema_hazards(a, cases[i].text, rows_of_all, NULL, &out, &count));
		CHECK_INT(count, cases[i].count);
		if (count)
			CHECK(str_find(out[0], S("orders has about 5000000 rows: ")) >= 0);
	}
}

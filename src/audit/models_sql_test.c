/* SPDX-License-Identifier: Apache-2.0
 *
 * SQL of several dialects, and texts that only look like it. */
#include "audit/models_sql.c"

#include "base/arena.h"

#include "unit.h"

static Str told(Arena *a, const char *sql, bool sure)
{
	SqlTables found;
	Str out = S("");

	sql_tables(str_of(sql), sure, &found);
	if (!found.is_sql)
		return S("none");
	for (uint32_t i = 0; i < found.count; i++)
		out = str_fmt(a, "%.*s%s%.*s:%s%s%s%s", STR_ARG(out), i ? " " : "",
		              STR_ARG(found.at[i].name), found.at[i].does & DOES_READ ? "r" : "",
		              found.at[i].does & DOES_WRITE ? "w" : "",
		              found.at[i].does & DOES_LOCK ? "l" : "",
		              found.at[i].does & DOES_DEFINE ? "d" : "");
	return found.computed ? str_fmt(a, "%.*s?", STR_ARG(out)) : out;
}

TEST(sql_tells_the_tables_it_reads_and_writes)
{
	static const struct {
		const char *sql, *want;
	} cases[] = {
		{ "SELECT * FROM orders", "orders:r" },
		{ "SELECT a FROM shop.orders o, lines AS l WHERE o.id = l.o", "orders:r lines:r" },
		{ "SELECT a FROM \"Order\" JOIN `line` ON x = 'FROM nothing' -- FROM comment\n",
		  "Order:r line:r" },
		{ "select 1 from a left outer join only b using (id) where x in (select y from c)",
		  "a:r b:r c:r" },
		{ "WITH t AS (SELECT * FROM a), u AS (SELECT 1) SELECT * FROM t JOIN u ON true",
		  "a:r" },
		{ "INSERT INTO a (x, y) SELECT x, y FROM b ON CONFLICT DO UPDATE SET x = 1",
		  "a:w b:r" },
		{ "UPDATE a SET x = (SELECT max(y) FROM b)", "a:w b:r" },
		{ "DELETE FROM a USING b WHERE a.x = b.x", "a:w b:r" },
		{ "SELECT * FROM a FOR UPDATE", "a:rl" },
		{ "SELECT * FROM a FOR NO KEY UPDATE OF a", "a:rl" },
		{ "SELECT EXTRACT(year FROM made), x IS DISTINCT FROM y FROM a", "a:r" },
		{ "SELECT * FROM generate_series(1, 9) JOIN a ON true", "a:r" },
		{ "SELECT * FROM %s WHERE id = %(id)s", "?" },
		{ "SELECT * FROM {table} JOIN b ON true", "b:r?" },
		{ "SELECT * FROM \"%s\"", "?" },
		{ "SELECT * FROM ", "?" },
		{ "TRUNCATE TABLE a", "a:w" },
		{ "ALTER TABLE IF EXISTS ONLY a ADD COLUMN b int", "a:d" },
		{ "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON a (b)", "a:d" },
		{ "CREATE TABLE IF NOT EXISTS a (b int)", "a:d" },
		{ "LOCK TABLE a IN SHARE MODE", "a:l" },
		{ "(SELECT 1 FROM a) UNION (SELECT 2 FROM b)", "a:r b:r" },
		{ "SELECT 1", "" },
		{ "update the list", "the:w" }, /* said to be SQL by who runs it */
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_STR(told(a, cases[i].sql, true), str_of(cases[i].want));
}

TEST(sql_is_not_seen_in_plain_text)
{
	static const char *const texts[] = { "Select one from the list",
		                             "Delete the order",
		                             "update the list",
		                             "DELETE",
		                             "INSERT COIN",
		                             "",
		                             "(",
		                             "with care",
		                             "Create TABLE" };

	for (size_t i = 0; i < COUNT(texts); i++)
		CHECK_STR(told(a, texts[i], false), S("none"));
	CHECK_STR(told(a, "SELECT x FROM y", false), S("y:r"));
}

TEST(sql_of_a_migration_tells_what_it_locks)
{
	SqlTables found;

	sql_tables(S("CREATE INDEX i ON a (b)"), true, &found);
	CHECK(found.index_plain && found.schema && !found.concurrently && !found.data);
	sql_tables(S("CREATE INDEX CONCURRENTLY i ON a (b)"), true, &found);
	CHECK(!found.index_plain && found.concurrently);
	sql_tables(S("ALTER TABLE a ADD CONSTRAINT c CHECK (b > 0) NOT VALID"), true, &found);
	CHECK(found.alters && found.not_valid);
	sql_tables(S("UPDATE a SET b = 1; ALTER TABLE a DROP c"), true, &found);
	CHECK(found.data && found.alters);
}

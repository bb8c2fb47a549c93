/* SPDX-License-Identifier: Apache-2.0 */
#include "store/pg_value.c"

#include "pg_server.h"
#include "rt/loop.h"
#include "unit.h"

TEST(pg_time_counts_from_2000_and_has_no_end)
{
	static const struct {
		int64_t ours, wire;
	} cases[] = {
		{ 0, -EPOCH_US },         { EPOCH_US, 0 },
		{ -1, -EPOCH_US - 1 },    { INT64_MAX, INT64_MAX },
		{ INT64_MIN, INT64_MIN }, { INT64_MAX - 1, INT64_MAX - 1 - EPOCH_US },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("row %zu", i);
		CHECK_INT(time_to_wire(cases[i].ours), cases[i].wire);
		CHECK_INT(time_from_wire(cases[i].wire), cases[i].ours);
	}
	CHECK_INT(time_to_wire(INT64_MIN + 1),
	          INT64_MIN + 1); /* not -infinity: refused by the server */
	CHECK_INT(time_from_wire(INT64_MAX - 1), INT64_MAX);
}

TEST(pg_numeric_is_exact_or_refused)
{
	static const int64_t whole[] = { 0,
		                         1,
		                         -1,
		                         9999,
		                         10000,
		                         -10001,
		                         100000000,
		                         INT64_MAX,
		                         INT64_MIN,
		                         INT64_MAX - 1,
		                         1234567890123456789 };
	static const struct {
		Str bytes;
		double real;
	} fractions[] = {
		{ S("\0\1\377\377\0\0\0\1\x13\x88"), 0.5 },
		{ S("\0\2\0\0\x40\0\0\2\0\1\x09\xc4"), -1.25 },
		{ S("\0\5\0\4\0\0\0\0\3\x9a\x0d\x2c\1\x70\x15\x65\x16\xb0"),
		  9223372036854775808.0 },
		{ S("\0\0\0\0\xc0\0\0\0"), __builtin_nan("") },
		{ S("\0\0\0\0\xd0\0\0\0"), __builtin_inf() },
		{ S("\0\0\0\0\xf0\0\0\0"), -__builtin_inf() },
	};
	int64_t got;

	for (size_t i = 0; i < COUNT(whole); i++) {
		char space[20];
		double real;
		Str value = numeric_of(whole[i], space);

		NOTE("%" PRId64, whole[i]);
		CHECK(value.len <= sizeof space);
		CHECK(numeric_to_int(value, &got));
		CHECK_INT(got, whole[i]);
		CHECK(numeric_to_real(value, &real));
		CHECK(real == (double)whole[i]);
	}
	for (size_t i = 0; i < COUNT(fractions); i++) {
		double real;

		NOTE("row %zu", i);
		CHECK(!numeric_to_int(fractions[i].bytes, &got));
		CHECK(numeric_to_real(fractions[i].bytes, &real));
		CHECK(real == fractions[i].real || (real != real && i == 3));
	}
	for (size_t len = 0; len < 8; len++)
		CHECK(!numeric_to_int((Str){ "\0\1\0\0\0\0\0\0", len }, &got));
	CHECK(!numeric_to_int(S("\0\5\0\0\0\0\0\0\0\1"), &got)); /* cut off */
}

/* --- on a server ----------------------------------------------------------------------------------------------------- */

typedef union Any {
	int64_t number;
	double real;
	bool yes;
	Str text;
	Uuid uuid;
} Any;

static Err *read_as(Db *db, Arena *a, const char *expression, SqlType type, Any **row)
{
	SqlField *field = ARENA_NEW(a, SqlField);
	Sql *sql = ARENA_NEW(a, Sql);

	*field = (SqlField){ "it", type, 0, SQL_NEVER_NULL };
	*sql = (Sql){ .name = "read_as",
		      .kind = SQL_ONE,
		      .reads = true,
		      .out = field,
		      .out_count = 1,
		      .out_bytes = sizeof(Any),
		      .text = { [SQL_POSTGRES] = str_fmt(a, "select %s", expression).at } };
	return db_run_one(db, a, sql, NULL, (void **)row);
}

static Err *columns(void *arg)
{
	static const struct {
		const char *expression;
		SqlType type;
		int64_t number;
	} numbers[] = {
		{ "7::int2", SQL_INT, 7 },
		{ "'-32768'::int2", SQL_INT, -32768 },
		{ "'-2147483648'::int4", SQL_INT, INT32_MIN },
		{ "9223372036854775807", SQL_INT, INT64_MAX },
		{ "4294967295::oid", SQL_INT, UINT32_MAX },
		{ "sum(n) from generate_series(1, 4) n", SQL_INT, 10 },
		{ "'-9223372036854775808'::numeric", SQL_INT, INT64_MIN },
		{ "'2000-01-01 00:00:01Z'::timestamptz", SQL_TIME, 946684801000000 },
		{ "'1970-01-01 00:00:00.000001'::timestamp", SQL_TIME, 1 },
		{ "'1969-12-31'::date", SQL_TIME, -DAY_US },
		{ "'infinity'::timestamptz", SQL_TIME, INT64_MAX },
		{ "'-infinity'::timestamptz", SQL_TIME, INT64_MIN },
		{ "'infinity'::date", SQL_TIME, INT64_MAX },
		{ "'294276-12-31 23:59:59.999999Z'::timestamptz", SQL_TIME, INT64_MAX },
		{ "'4714-11-24 00:00:00Z BC'::timestamptz", SQL_TIME, -210866803200000000 },
	};
	static const struct {
		const char *expression;
		double real;
	} reals[] = {
		{ "0.1::float8", 0.1 },
		{ "0.5::float4", 0.5 },
		{ "3::int4", 3 },
		{ "0.1::numeric", 0.1 },
		{ "-1234567.891", -1234567.891 },
		{ "1e-300::numeric", 1e-300 },
		{ "1e300::numeric", 1e300 },
	};
	static const struct {
		const char *expression;
		SqlType type;
		Str text;
	} texts[] = {
		{ "'a'::varchar", SQL_TEXT, S("a") },
		{ "'a'::char(3)", SQL_TEXT, S("a  ") },
		{ "'a'::name", SQL_TEXT, S("a") },
		{ "'sad'::mood", SQL_TEXT, S("sad") },
		{ "'{\"a\": 1}'::json", SQL_JSON, S("{\"a\": 1}") },
		{ "'{\"b\": 2,  \"a\": 1}'::jsonb", SQL_JSON, S("{\"a\": 1, \"b\": 2}") },
		{ "'[]'::jsonb", SQL_TEXT, S("[]") },
		{ "'\\x00ff'::bytea", SQL_BYTES, S("\0\xff") },
		{ "''", SQL_TEXT, S("") },
	};
	static const struct {
		const char *expression;
		SqlType type;
		const char *slug;
	} wrong[] = {
		{ "1.5", SQL_INT, "db.rows" },        { "9223372036854775808", SQL_INT, "db.rows" },
		{ "'1'::text", SQL_INT, "db.rows" },  { "1", SQL_TEXT, "db.rows" },
		{ "1", SQL_BOOL, "db.rows" },         { "'a'::text", SQL_BYTES, "db.rows" },
		{ "'a'::text", SQL_UUID, "db.rows" }, { "1", SQL_TIME, "db.rows" },
		{ "now()", SQL_INT, "db.rows" },      { "1, 2", SQL_INT, "db.sql" },
		{ "null::int", SQL_INT, "db.rows" },  { "true", SQL_REAL, "db.rows" },
	};
	AUTO(db_closep) Db *db = NULL;
	Arena *a = arg;
	Any *row;

	CHECK_OK(db_open(a, &(DbConf){ .url = pg_server(a, "tester", "") }, &db));
	CHECK_OK(db->engine->script(db, a,
	                            "drop type if exists mood; create type mood as enum ('sad')"));
	for (size_t i = 0; i < COUNT(numbers); i++) {
		NOTE("%s", numbers[i].expression);
		CHECK_OK(read_as(db, a, numbers[i].expression, numbers[i].type, &row));
		CHECK_INT(row->number, numbers[i].number);
	}
	for (size_t i = 0; i < COUNT(reals); i++) {
		NOTE("%s", reals[i].expression);
		CHECK_OK(read_as(db, a, reals[i].expression, SQL_REAL, &row));
		CHECK(row->real == reals[i].real);
	}
	for (size_t i = 0; i < COUNT(texts); i++) {
		NOTE("%s", texts[i].expression);
		CHECK_OK(read_as(db, a, texts[i].expression, texts[i].type, &row));
		CHECK_STR(row->text, texts[i].text);
	}
	for (size_t i = 0; i < COUNT(wrong); i++) {
		NOTE("%s as %d", wrong[i].expression, wrong[i].type);
		CHECK_ERR(read_as(db, a, wrong[i].expression, wrong[i].type, &row), wrong[i].slug);
	}
	return NULL;
}

TEST(pg_columns_of_every_type_come_as_their_field)
{
	CHECK_OK(rt_run(&(RtConf){ .loops = 1, .workers = 2 }, columns, a));
}

typedef struct Wide {
	int64_t a, b, c, d;
	double e;
	Str f, g;
	int64_t h, i;
} Wide;

static const SqlField wide_in[] = {
	{ "a", SQL_INT, offsetof(Wide, a), SQL_NEVER_NULL },
	{ "b", SQL_INT, offsetof(Wide, b), SQL_NEVER_NULL },
	{ "c", SQL_INT, offsetof(Wide, c), SQL_NEVER_NULL },
	{ "d", SQL_INT, offsetof(Wide, d), SQL_NEVER_NULL },
	{ "e", SQL_REAL, offsetof(Wide, e), SQL_NEVER_NULL },
	{ "f", SQL_JSON, offsetof(Wide, f), SQL_NEVER_NULL },
	{ "g", SQL_TEXT, offsetof(Wide, g), SQL_NEVER_NULL },
	{ "h", SQL_TIME, offsetof(Wide, h), SQL_NEVER_NULL },
	{ "i", SQL_TIME, offsetof(Wide, i), SQL_NEVER_NULL },
};
static const Sql wide_load = {
	.name = "wide_load",
	.kind = SQL_LOAD,
	.table = "wide",
	.text = { [SQL_POSTGRES] =
	                  "copy wide (a, b, c, d, e, f, g, h, i) from stdin (format binary)" },
	.in = wide_in,
	.in_count = COUNT(wide_in),
	.in_bytes = sizeof(Wide),
};

static Err *loads(void *arg)
{
	static const Wide good[] = {
		{ -1, 2, 3, 12345, 0.5, S("{\"x\":  1}"), S("v"), 1, -DAY_US },
		{ INT16_MAX, INT32_MIN, INT64_MAX, INT64_MIN, -2, S("[]"), S(""), EPOCH_US, 1 },
	};
	static const Wide bad[] = { { .a = 40000, .f = S("[]") },
		                    { .b = 1LL << 40, .f = S("[]") } };
	static const Wide wrong = { .f = S("no json") };
	AUTO(db_closep) Db *db = NULL;
	Arena *a = arg;
	Any *row;

	CHECK_OK(db_open(a, &(DbConf){ .url = pg_server(a, "tester", "") }, &db));
	CHECK_OK(db->engine->script(
		db, a,
		"drop table if exists wide; create table wide (a int2, b int4, c int8, d numeric, e float4, "
		"f jsonb, g varchar(10), h timestamp, i date)"));
	CHECK_OK(db_run_load(db, a, &wide_load, good, COUNT(good)));
	CHECK_OK(read_as(db, a, "string_agg(wide::text, '; ' order by a) from wide", SQL_TEXT,
	                 &row));
	CHECK_STR(
		row->text,
		S("(-1,2,3,12345,0.5,\"{\"\"x\"\": 1}\",v,\"1970-01-01 00:00:00.000001\",1969-12-31); "
	          "(32767,-2147483648,9223372036854775807,-9223372036854775808,-2,[],\"\","
	          "\"2000-01-01 00:00:00\",1970-01-01)"));
	for (size_t i = 0; i < COUNT(bad); i++)
		CHECK_ERR(db_run_load(db, a, &wide_load, &bad[i], 1), "db.sql");
	CHECK_ERR(db_run_load(db, a, &wide_load, &wrong, 1), "db.check");
	CHECK_OK(read_as(db, a, "count(*) from wide", SQL_INT, &row));
	CHECK_INT(row->number, 2);
	return NULL;
}

TEST(pg_load_writes_the_columns_own_types)
{
	CHECK_OK(rt_run(&(RtConf){ .loops = 1, .workers = 2 }, loads, a));
}

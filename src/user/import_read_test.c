/* SPDX-License-Identifier: Apache-2.0 */
#include "user/import_read.c"

#include "unit.h"

typedef struct Given {
	Str left;
	size_t step;
} Given;

static Err *give(void *arg, Arena *a UNUSED, char *into, size_t room, size_t *got)
{
	Given *given = arg;

	*got = MIN(room, given->left.len);
	*got = MIN(*got, given->step);
	if (*got)
		memcpy(into, given->left.at, *got);
	given->left = str_sub(given->left, *got, given->left.len);
	return NULL;
}

/* "LINE:KEY:USERNAME", "LINE!SLUG", "LINE-MODEL", with blanks between; the error's slug after "=". */
static Str read_all(Arena *a, const ImportConf *conf, Str text, size_t step)
{
	Given given = { text, step };
	ImportReader *reader = import_reader_new(a, conf, give, &given);
	Str out = S("");
	ImportRow *row;
	Err *err;

	while (!(err = import_reader_next(reader, a, &row)) && row) {
		out = str_fmt(a, "%.*s%s%" PRIu64, STR_ARG(out), out.len ? " " : "", row->line);
		if (row->wrong)
			out = str_fmt(a, "%.*s!%s", STR_ARG(out), row->wrong->slug);
		else if (row->other)
			out = str_fmt(a, "%.*s-%.*s", STR_ARG(out), STR_ARG(row->model));
		else
			out = str_fmt(a, "%.*s:%.*s:%.*s", STR_ARG(out), STR_ARG(row->key),
			              STR_ARG(row->draft.username));
	}
	return err ? str_fmt(a, "%.*s=%s", STR_ARG(out), err->slug) : out;
}

TEST(import_reads_every_shape_in_pieces_of_any_size)
{
	static const ImportConf conf = { .source = S("shop") };
	static const struct {
		Str text, want;
	} cases[] = {
		{ S(""), S("") },
		{ S(" \n\n"), S("") },
		{ S("{\"id\":1,\"username\":\"a\"}\n\n{\"id\":\"x\",\"username\":\"b\"}"),
		  S("1:1:a 3:x:b") },
		{ S("\xef\xbb\xbf{\"id\":1,\"username\":\"a\"}\r\n"), S("1:1:a") },
		{ S("{\"id\":1}\nnot\n[1]\n{\"id\":2,\"username\":7}\n"),
		  S("1:1: 2!json.syntax 3!row.field 4!row.field") },
		{ S("[]"), S("") },
		{ S("[\n{\"model\":\"auth.user\",\"pk\":1,\"fields\":{\"username\":\"}\\\"]{\"}},\n"
		    "{\"model\":\"auth.group\",\"pk\":1,\"fields\":{}}\n]\n"),
		  S("2:1:}\"]{ 3-auth.group") },
		{ S("[{\"model\":\"auth.user\",\"pk\":1,\"fields\":{}}"),
		  S("1:1:=user.import_shape") },
		{ S("[{\"model\":\"auth.user\",\"pk\":null,\"fields\":{}},3,{\"id\":4}]"),
		  S("1!row.field 1!row.field 1:4:") },
		{ S("{\"model\":\"auth.user\",\"pk\":1,\"fields\":{\"username\":\"a\"}}\n{\"model\":\"x.y\",\"pk\":1,\"fields\":{}}"),
		  S("1:1:a 2-x.y") },
		{ S("id,username\n1,a\n\n2,\"b,\"\"c\"\"\nd\"\r\n3\n4,x,y\n5,e"),
		  S("2:1:a 4:2:b,\"c\"\nd 6!row.columns 7!row.columns 8:5:e") },
		{ S("id,username\n1,\"a\n"), S("2!row.quotes") },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t step = 1; step < 40; step += 3) {
			NOTE("%zu in steps of %zu", i, step);
			CHECK_STR(read_all(a, &conf, cases[i].text, step), cases[i].want);
		}
}

TEST(import_passes_over_lines_and_long_rows)
{
	ImportConf conf = { .source = S("s"), .from = 3 };
	char *text = arena_alloc(a, IMPORT_RECORD_MAX + 100);

	CHECK_STR(read_all(a, &conf, S("{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n"), 9), S("3:3:"));
	conf.from = 0;
	memset(text, 'x', IMPORT_RECORD_MAX + 50);
	memcpy(text, "{\"id\":\"", 7);
	memcpy(text + IMPORT_RECORD_MAX + 50, "\n{\"id\":3}\n", 11);
	CHECK_STR(read_all(a, &conf, str_of(text), 65536), S("1!row.too_long 2:3:"));
	text[0] = 'i';
	CHECK_STR(read_all(a, &conf, S("{\"id\":1}"), 9), S("1:1:"));
}

static ImportRow *row_of(Arena *a, const ImportConf *conf, Str text)
{
	Given given = { text, text.len };
	ImportReader *reader = import_reader_new(a, conf, give, &given);
	ImportRow *row = NULL;

	CHECK_OK(import_reader_next(reader, a, &row));
	CHECK(row);
	return row;
}

TEST(import_fields_become_a_draft)
{
	static const ImportConf conf = { .source = S("shop"), .verified = true };
	ImportRow *row = row_of(
		a, &conf,
		S("{\"id\":9007199254740993,\"first_name\":\"Ann\",\"last_name\":\"Bee\",\"is_active\":\"f\","
	          "\"roles\":[\"x\"],\"is_staff\":1,\"profile\":{\"n\":9007199254740993},\"password\":\"!abc\","
	          "\"date_joined\":\"2020-01-02 03:04:05.5+02\",\"totp\":\"gezd gnbv gy3t qojq\"}"));

	CHECK(!row->wrong);
	CHECK_STR(row->draft.external, S("shop:9007199254740993"));
	CHECK_STR(row->draft.name, S("Ann Bee"));
	CHECK_INT(row->draft.status, USER_SUSPENDED);
	CHECK_INT(row->draft.role_count, 2);
	CHECK_STR(row->draft.roles[1], S("staff"));
	CHECK_STR(row->draft.profile, S("{\"n\":9007199254740993}"));
	CHECK_STR(row->draft.password, S(""));
	CHECK_STR(row->draft.source, S("shop"));
	CHECK(row->draft.email_verified);
	CHECK_INT(row->draft.created_us, INT64_C(1577927045500000));
	CHECK(row->has_totp);
	CHECK_STR(row->totp.secret, S("1234567890"));
}

TEST(import_of_an_export_keeps_ids_and_sources)
{
	static const ImportConf conf = { 0 };
	ImportRow *row = row_of(
		a, &conf,
		S("{\"id\":\"usr_01a22549-7647-73b7-b26f-62f9e3bef737\",\"external\":\"old:7\"}"));

	CHECK(!row->wrong && !uuid_is_nil(row->draft.id));
	CHECK_STR(row->draft.external, S("old:7"));
	CHECK_STR(row->draft.source, S("old"));
	row = row_of(a, &conf, S("{\"id\":7}"));
	CHECK(row->wrong);
	CHECK(str_find(row->wrong->text, S("source")) >= 0);
}

TEST(import_counts_fields_that_it_does_not_know)
{
	static const ImportConf conf = { .source = S("s") };
	Given given = { S("{\"a\":1,\"b\":2}\n{\"b\":3}\n"), 100 };
	ImportReader *reader = import_reader_new(a, &conf, give, &given);
	const ImportIgnored *fields;
	ImportRow *row;
	size_t count;

	do
		CHECK_OK(import_reader_next(reader, a, &row));
	while (row);
	fields = import_reader_ignored(reader, &count);
	CHECK_INT(count, 2);
	CHECK_STR(fields[1].name, S("b"));
	CHECK_INT(fields[1].rows, 2);
}

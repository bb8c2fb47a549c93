/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conf_reshape.c"

#include "gateway/conf_route.h"
#include "unit.h"

TEST(the_table_is_sound)
{
	CHECK_OK(conf_check_table(a, &reshape_conf_table));
}

TEST(paths_are_read)
{
	static const struct {
		Str text, parts; /* parts: joined by '|'; empty: it is none */
	} cases[] = {
		{ S(".a"), S("a") },
		{ S(".user.full_name"), S("user|full_name") },
		{ S(".items[].price"), S("items||price") },
		{ S(".[].a"), S("|a") },
		{ S(".m[][].a"), S("m|||a") },
		{ S(".\"odd name\".b"), S("odd name|b") },
		{ S(".\"[]\""), S("[]") },
		{ S(""), S("") },
		{ S("."), S("") },
		{ S("a"), S("") },
		{ S(".a."), S("") },
		{ S(".a[]"), S("") },
		{ S(".a[0].b"), S("") },
		{ S(".a[]b"), S("") },
		{ S(".1a"), S("") },
		{ S(".\"a"), S("") },
		{ S(".\"\""), S("") },
		{ S(".\"a\\n\""), S("") },
		{ S(".a | .b"), S("") },
		{ S("[].a"), S("") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		ReshapePath path;
		AUTO(buf_fini) Buf b = { 0 };

		NOTE("%.*s", STR_ARG(cases[i].text));
		if (!cases[i].parts.len) {
			CHECK_ERR(reshape_path_read(a, cases[i].text, &path), "conf.value");
			continue;
		}
		CHECK_OK(reshape_path_read(a, cases[i].text, &path));
		for (size_t k = 0; k < path.count; k++) {
			if (k)
				buf_putc(&b, '|');
			buf_put(&b, path.names[k]);
		}
		CHECK_STR(buf_str(&b), cases[i].parts);
	}
}

TEST(a_path_that_is_too_deep_is_refused)
{
	AUTO(buf_fini) Buf b = { 0 };
	ReshapePath path;

	for (size_t i = 0; i < RESHAPE_DEPTH; i++)
		buf_put(&b, S(".a"));
	CHECK_OK(reshape_path_read(a, buf_str(&b), &path));
	buf_put(&b, S(".a"));
	CHECK_ERR(reshape_path_read(a, buf_str(&b), &path), "conf.value");
}

/* Everything that is said of this text, with MatchConf's path /p/{id}. */
static Str said_of(Arena *a, Str text, ReshapeConf *into)
{
	static const MatchConf match = { .path = S("/p/{id}") };
	AUTO(buf_fini) Buf b = { 0 };
	Conf *conf = conf_new(a);
	Err *err = conf_read(conf, S("b.yaml"), text, &(ConfPart){ &reshape_conf_table, into }, 1);

	reshape_conf_check_route(conf, &match, into);
	err = err ? err : conf_result(conf);
	CHECK_ERR(err, err ? "conf.invalid" : NULL);
	conf_put_mistakes(conf, &b);
	return str_dup(a, buf_str(&b));
}

TEST(mistakes_are_named_where_they_stand)
{
	static const struct {
		Str text, where, words;
	} cases[] = {
		{ S("request:\n  jq: \"{a: .b\"\n"), S("b.yaml:2:7:"),
		  S("syntax error, unexpected") },
		{ S("answer:\n  jq: '.a | frob(1)'\n"), S("b.yaml:2:7:"),
		  S("frob/1 is not defined") },
		{ S("rename:\n  .a: b\n"), S("b.yaml:2:7:"), S("expected a path such as") },
		{ S("rename:\n  .a[].b: .c\n"), S("b.yaml:2:11:"), S("up to its last []") },
		{ S("rename:\n  .a: .x\n  .a.b: .y\n"), S("b.yaml:3:"), S("lies there too") },
		{ S("rename:\n  .a: .x\n  .b: .x.y\n"), S("b.yaml:3:7:"), S("is put there too") },
		{ S("request: { remove: [ a ] }\n"), S("b.yaml:1:22:"), S("expected a path") },
		{ S("path: /q/{nr}\n"), S("b.yaml:1:7:"), S("there is no {nr} here") },
		{ S("answer: { headers: { set: { X-Id: \"{nr}\" } } }\n"), S("b.yaml:1:"),
		  S("there is no {nr} here") },
		{ S("statuses: 99\n"), S("b.yaml:1:11:"), S("expected 200 or") },
		{ S("types: [ json ]\n"), S("b.yaml:1:10:"), S("expected a type") },
		{ S("time: 1h\n"), S("b.yaml:1:7:"), S("10s") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		ReshapeConf conf;
		Str said = said_of(a, cases[i].text, &conf);

		NOTE("%.*s said %.*s", STR_ARG(cases[i].text), STR_ARG(said));
		CHECK(str_find(said, cases[i].where) == 0);
		CHECK(str_find(said, cases[i].words) >= 0);
	}
}

TEST(what_is_in_order_is_read)
{
	ReshapeConf conf;
	Str said = said_of(a,
	                   S("path: /v2/{id}\n"
	                     "query: { rename: { q: search }, set: { v: 2 }, remove: debug }\n"
	                     "rename: { .a: .b, .b: .a, \".l[].x\": \".l[].y.z\" }\n"
	                     "request: { jq: \".\", headers: { set: { X-Id: \"{id}\" } } }\n"
	                     "answer: { remove: [ .x ] }\n"
	                     "statuses: 200-204\n"),
	                   &conf);

	CHECK_STR(said, S(""));
	CHECK_INT(conf.rename.count, 3);
	CHECK_INT(conf.status_min, 200);
	CHECK_INT(conf.status_max, 204);
	CHECK_INT(conf.time_us, 250000);
	CHECK(reshape_conf_reads_request(&conf));
	CHECK(reshape_conf_reads_answer(&conf));
	CHECK_STR(said_of(a, S("path: /v2\n"), &conf), S(""));
	CHECK(!reshape_conf_reads_request(&conf));
	CHECK(!reshape_conf_reads_answer(&conf));
}

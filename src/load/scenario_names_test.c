/* SPDX-License-Identifier: Apache-2.0 */
#include "load/scenario_names.c"

#include "unit.h"

#include <stdio.h>
#include <unistd.h>

static const char frame[] =
	"target: http://127.0.0.1:1\n"
	"load: [ { rate: 1, for: 1s } ]\n"
	"variables: { shop: x }\n"
	"data: { people: /tmp/banyan-names-%d.csv }\n"
	"journeys: { a: { steps: [ { run: b } ] } }\n"
	"blocks: { b: { steps: [ { get: /, name: home, extract: { id: x } } ] },\n"
	" c: { steps: [\n";

static Str mistakes_of(Arena *a, const char *step, const char *thresholds)
{
	Conf *conf = conf_new(a);
	AUTO(buf_fini) Buf text = { 0 };
	AUTO(buf_fini) Buf out = { 0 };
	ScenarioConf *s;
	Err *err;

	buf_fmt(&text, frame, (int)getpid());
	buf_fmt(&text, "%s ] } }\nthresholds: [ %s ]\n", step, thresholds);
	err = scenario_read(a, conf, S("s"), buf_str(&text), &s);
	conf_put_mistakes(conf, &out);
	CHECK((err != NULL) == (out.len > 0));
	return str_dup(a, buf_str(&out));
}

TEST(a_name_that_nothing_defines_is_a_mistake_at_its_place)
{
	static const struct {
		const char *step, *thresholds, *wanted;
	} cases[] = {
		{ "{ get: '/{shop}/{id}/{user}{round}{random}{uuid}{cookie.sid}{people.email}' }",
		  "p99 < 1s, home.errors < 1%", "" },
		{ "{ get: '/{shpo}' }", "",
		  "s:8:8: nothing defines {shpo}: did you mean {shop}?\n" },
		{ "{ post: /, body: '{{\"a\": {idd}}}' }", "",
		  "s:8:18: nothing defines {idd}: did you mean {id}?\n" },
		{ "{ get: /, headers: { X-A: '{people.emial}' } }", "",
		  "s:8:27: nothing defines {people.emial}: did you mean {people.email}?\n" },
		{ "{ post: /, form: { a: '{replay}' } }", "",
		  "s:8:23: nothing defines {replay}: no variable, extraction or column of data is called so\n" },
		{ "{ websocket: { path: /, send: [ x, '{cookie.}' ] } }", "",
		  "s:8:36: nothing defines {cookie.}: no variable, extraction or column of data is called so\n" },
		{ "{ get: /, check: { body: '{a}' } }", "",
		  "s:8:26: nothing defines {a}: no variable, extraction or column of data is called so\n" },
		{ "{ get: / }", "\"hoem.p99 < 1s\"",
		  "s:9:15: \"hoem.p99 < 1s\": there is no step \"hoem\": did you mean \"home\"?\n" },
		{ "{ get: / }", "p99 < 1s, \"p99 < soon\"",
		  "s:9:25: \"p99 < soon\": expected a time after the comparison, such as 200ms\n" },
	};
	char path[64];
	FILE *file;

	snprintf(path, sizeof path, "/tmp/banyan-names-%d.csv", (int)getpid());
	file = fopen(path, "we");
	CHECK(file != NULL);
	fputs("name,email\nTess,t@x\n", file);
	fclose(file);
	for (size_t i = 0; i < COUNT(cases); i++) {
		CHECK_STR(mistakes_of(a, cases[i].step, cases[i].thresholds),
		          str_of(cases[i].wanted));
	}
	unlink(path);
}

TEST(a_file_of_data_that_cannot_be_read_is_one_mistake_and_its_columns_are_not)
{
	Str text = mistakes_of(a, "{ get: '/{people.any}' }", "");

	CHECK(str_starts(text, S("s:4:")));
	CHECK(str_find(text, S("people.any")) < 0);
	CHECK_INT(str_find_char(text, '\n'), (ptrdiff_t)text.len - 1);
}

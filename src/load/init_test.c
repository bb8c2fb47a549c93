/* SPDX-License-Identifier: Apache-2.0 */
#include "load/init.c"

#include "unit.h"

static Str notes_text;

static const ScenarioConf *read_back(Arena *a, const Sketch *sketch)
{
	AUTO(buf_fini) Buf out = { 0 };
	AUTO(buf_fini) Buf mistakes = { 0 };
	Conf *conf = conf_new(a);
	ScenarioConf *s = NULL;

	init_put(&out, sketch);
	(void)!scenario_read(a, conf, S("s"), str_dup(a, buf_str(&out)), &s);
	conf_put_mistakes(conf, &mistakes);
	CHECK_STR(buf_str(&mistakes), S(""));
	return s;
}

static const ScenarioConf *of_har(Arena *a, const char *text)
{
	AUTO(buf_fini) Buf notes = { 0 };
	Sketch sketch = { .name = S("x"), .about = S("y") };

	CHECK(!init_har(a, S("h"), str_of(text), &sketch, &notes));
	notes_text = str_dup(a, buf_str(&notes));
	return read_back(a, &sketch);
}

static const ScenarioConf *of_api(Arena *a, const char *text, bool writes)
{
	AUTO(buf_fini) Buf notes = { 0 };
	Sketch sketch = { .name = S("x"), .about = S("y") };

	CHECK(!init_openapi(a, S("o"), str_of(text), writes, &sketch, &notes));
	notes_text = str_dup(a, buf_str(&notes));
	return read_back(a, &sketch);
}

#define ENTRY(at, ms, request, status) \
	"{\"startedDateTime\":\"2026-01-31T10:00:" at "+02:00\",\"time\":" ms \
	",\"request\":{" request "},\"response\":{\"status\":" status "}}"

static const char har[] = "{\"log\":{\"entries\":["
	/* begins later than what stands after it */
	ENTRY("02.500", "100",
              "\"method\":\"POST\",\"url\":\"http://shop:8000/login?next=%2F#top\",\"headers\":[{\"name\":\"User-Agent\",\"value\":\"me $1 {x}\"},"
              "{\"name\":\"Cookie\",\"value\":\"a=b\"},{\"name\":\"Content-Type\",\"value\":\"application/x-www-form-urlencoded\"},"
              "{\"name\":\"Authorization\",\"value\":\"Bearer s\"},{\"name\":\":authority\",\"value\":\"shop\"},{\"name\":\"X-Own\",\"value\":\"1\"}],"
              "\"postData\":{\"mimeType\":\"application/x-www-form-urlencoded\",\"text\":\"user=T%C3%A9ss+T&pass=%7Bx%7D\"}",
              "403") "," ENTRY("01.000", "200",
                               "\"method\":\"GET\",\"url\":\"http://shop:8000/\",\"headers\":[{\"name\":\"user-agent\",\"value\":\"me $1 {x}\"}]",
                               "200") "," ENTRY("01.250", "50",
                                                "\"method\":\"GET\",\"url\":\"http://shop:8000/static/app.js?v=1\",\"headers\":[{\"name\":\"User-Agent\",\"value\":\"me $1 {x}\"},{\"name\":\"If-None-Match\",\"value\":\"x\"}]",
                                                "304") "," ENTRY("01.250", "50",
                                                                 "\"method\":\"GET\",\"url\":\"https://cdn.example/x.js\",\"headers\":[]",
                                                                 "200") "," ENTRY("01.260", "50",
                                                                                  "\"method\":\"GET\",\"url\":\"https://cdn.example/y.js\",\"headers\":[]",
                                                                                  "200") "," ENTRY("03.000",
                                                                                                   "9",
                                                                                                   "\"method\":\"PUT\",\"url\":\"http://shop:8000/a{b}\",\"headers\":[{\"name\":\"User-Agent\",\"value\":\"me $1 {x}\"}],"
                                                                                                   "\"postData\":{\"mimeType\":\"application/json\",\"text\":\"{\\\"a\\\": [1]}\\n\"}",
                                                                                                   "200") "]}}";

TEST(a_recording_becomes_a_journey_that_reads_back)
{
	const ScenarioConf *s = of_har(a, har);
	const StepConf *steps = s->journeys.at[0].steps.at;

	CHECK_STR(s->target, S("http://shop:8000"));
	CHECK_INT(s->journeys.at[0].steps.count, 4);
	CHECK_INT(s->headers.count, 1);
	CHECK_STR(s->headers.at[0].text, S("me $1 {{x}}"));
	CHECK_STR(steps[0].get, S("/"));
	CHECK_INT(steps[0].think.max_us, 0);
	CHECK_STR(steps[1].name, S("app.js"));
	CHECK_STR(steps[1].get, S("/static/app.js?v=1"));
	CHECK_INT(steps[1].think.max_us, 1100000); /* what is left out took its time too */
	CHECK_INT(steps[1].headers.count, 0);
	CHECK_STR(steps[2].post, S("/login?next=%2F"));
	CHECK_INT(steps[2].form.count, 2);
	CHECK_STR(steps[2].form.at[0].text, S("Téss T"));
	CHECK_STR(steps[2].form.at[1].text, S("{{x}}"));
	CHECK_INT(steps[2].headers.count, 1);
	CHECK_STR(steps[2].headers.at[0].name, S("X-Own"));
	CHECK_INT(steps[2].check.status_min, 403);
	CHECK_INT(steps[2].think.max_us, 400000);
	CHECK_STR(steps[3].put, S("/a{{b}}"));
	CHECK_STR(steps[3].body, S("{{\"a\": [1]}}\n"));
	CHECK_STR(steps[3].headers.at[0].text, S("application/json"));
	CHECK(str_find(notes_text, S("left out: 2 of https://cdn.example\n")) >= 0);
	CHECK(str_find(notes_text, S("Authorization")) >= 0);
}

TEST(a_form_that_no_map_can_hold_stays_a_body)
{
	static const struct {
		const char *text;
		size_t fields;
	} cases[] = {
		{ "a=1&b=2", 2 }, { "a=1&a=2", 0 }, { "a=%ff", 0 },
		{ "=1", 0 },      { "a", 1 },       { "a=%zz", 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Str text = str_fmt(
			a,
			"{\"log\":{\"entries\":[{\"request\":{\"method\":\"POST\",\"url\":\"http://h/\",\"headers\":[],"
			"\"postData\":{\"mimeType\":\"application/x-www-form-urlencoded\",\"text\":\"%s\"}}}]}}",
			cases[i].text);
		const StepConf *step = of_har(a, str_z(a, text))->journeys.at[0].steps.at;

		CHECK_INT(step->form.count, cases[i].fields);
		CHECK_INT(step->has_body, !cases[i].fields);
		if (step->has_body)
			CHECK_STR(step->body, str_of(cases[i].text));
	}
}

static const char api[] =
	"openapi: 3.0.1\n"
	"servers: [ { url: 'https://{where}.example/v1/', variables: { where: { default: api } } } ]\n"
	"security: []\n"
	"components:\n"
	"  parameters: { size: { name: size, in: query, required: true, schema: { enum: [ small, big ] } } }\n"
	"  schemas:\n"
	"    pet: { type: object, properties: { name: { type: string, example: Rex }, age: { type: integer }, of: { $ref: '#/components/schemas/pet' } } }\n"
	"paths:\n"
	"  /pets:\n"
	"    get: { summary: all pets, parameters: [ { $ref: '#/components/parameters/size' }, { name: q, in: query } ], responses: { 200: {}, default: {} } }\n"
	"    post: { operationId: add, requestBody: { content: { application/json: { schema: { $ref: '#/components/schemas/pet' } } } }, responses: { '201': {} } }\n"
	"  /pets/{id}:\n"
	"    parameters: [ { name: id, in: path, required: true } ]\n"
	"    get: { responses: { 200: {}, 204: {} } }\n"
	"  '/of/{who}/{n}':\n"
	"    get: { parameters: [ { name: who, in: path, example: 'a b' }, { name: n, in: path, schema: { default: 7 } } ] }\n"
	"    put: { requestBody: { content: { application/json: { example: { a: 1, b: '1', c: [ true, null ] } } } } }\n";

TEST(a_description_becomes_a_step_an_operation)
{
	const ScenarioConf *s = of_api(a, api, false);
	const StepConf *steps = s->journeys.at[0].steps.at;

	CHECK_STR(s->target, S("https://api.example"));
	CHECK_INT(s->journeys.at[0].steps.count, 3);
	CHECK_STR(steps[0].get, S("/v1/pets?size=small"));
	CHECK_STR(steps[0].name, S("all pets"));
	CHECK_INT(steps[0].check.status_max, 200);
	CHECK_STR(steps[1].get, S("/v1/pets/{pets_id}"));
	CHECK_INT(steps[1].check.status_max, 399);
	CHECK_INT(s->variables.count, 1);
	CHECK_STR(s->variables.at[0].name, S("pets_id"));
	CHECK_STR(steps[2].get, S("/v1/of/a%20b/7"));
	CHECK(str_find(notes_text, S("left out: 2 operations")) >= 0);
}

TEST(operations_that_change_something_come_when_asked_for)
{
	const ScenarioConf *s = of_api(a, api, true);
	const StepConf *steps = s->journeys.at[0].steps.at;

	CHECK_INT(s->journeys.at[0].steps.count, 5);
	CHECK_STR(steps[1].name, S("add"));
	CHECK_INT(steps[1].check.status_min, 201);
	CHECK(str_starts(steps[1].body, S("{{\"name\":\"Rex\",\"age\":1,\"of\":{{\"name\"")));
	CHECK_STR(steps[4].body, S("{{\"a\":1,\"b\":\"1\",\"c\":[true,null]}}"));
}

TEST(what_is_neither_is_refused)
{
	AUTO(buf_fini) Buf notes = { 0 };
	Sketch sketch = { 0 };

	CHECK(err_is(init_har(a, S("h"), S("{}"), &sketch, &notes), "load.init"));
	CHECK(err_is(init_har(a, S("h"), S("{\"log\":{\"entries\":[]}}"), &sketch, &notes),
	             "load.init"));
	CHECK(err_is(init_openapi(a, S("o"), S("swagger: '2.0'"), true, &sketch, &notes),
	             "load.init"));
	CHECK(err_is(init_openapi(a, S("o"), S("openapi: 3.1.0\npaths: {}"), true, &sketch, &notes),
	             "load.init"));
}

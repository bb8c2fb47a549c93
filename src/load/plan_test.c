/* SPDX-License-Identifier: Apache-2.0 */
#include "load/plan.c"

#include "unit.h"

static const ScenarioConf *read(Arena *a, const char *steps)
{
	AUTO(buf_fini) Buf text = { 0 };
	ScenarioConf *s;

	buf_fmt(&text,
	        "target: http://127.0.0.1:1\nload: { rate: 1, for: 1s }\n"
	        "journeys: { a: { weight: 3, once: [ { get: / } ], steps: [ %s ] }, b: { think: 8s, steps: [ { get: / } ] } }\n"
	        "blocks: { x: { steps: [ { get: /, think: 1s, repeat: 2 } ] }, y: { steps: [ { run: x, repeat: 3 } ] } }\n",
	        steps);
	CHECK(!scenario_read(a, conf_new(a), S("s"), buf_str(&text), &s));
	return s;
}

TEST(a_round_is_answers_and_thinking_by_weight)
{
	static const struct {
		const char *steps;
		double ms, requests, stay_ms; /* of the first journey, three of four */
	} cases[] = {
		{ "{ get: / }", 200, 2, 100 },
		{ "{ get: /, expect: 300ms, think: 1s..2s }", 100 + 1800, 2, 1800 },
		{ "{ think: 1s }", 1100, 1, 1000 },
		{ "{ run: x }", 100 + 2200, 3, 2200 },
		{ "{ run: y }", 100 + 6600, 7, 6600 },
		{ "{ choose: { x: 1, y: 3 } }", 100 + 550 + 4950, 6, 5500 },
		{ "{ websocket: { path: /, send: [ a, b ], hold: 1s } }", 100 + 1300, 4, 1300 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const ScenarioConf *s = read(a, cases[i].steps);
		Round arrival = mean_round(a, s, false), stay = mean_round(a, s, true);

		CHECK_INT(lround(arrival.us / 1000 * 4), lround(cases[i].ms * 3 + 100));
		CHECK_INT(lround(arrival.requests * 4), lround(cases[i].requests * 3 + 1));
		CHECK_INT(lround(stay.us / 1000 * 4), lround(cases[i].stay_ms * 3 + 8100));
	}
}

TEST(a_log_has_the_peak_of_its_fullest_second)
{
	ReplayEntry at[] = { { .at_us = 0 },       { .at_us = 900000 },  { .at_us = 1000000 },
		             { .at_us = 1100000 }, { .at_us = 1899999 }, { .at_us = 5000000 } };
	Replay replay = { .at = at, .count = COUNT(at) };

	CHECK_INT((long)replay_peak(&replay), 4);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "load/replay.c"

#include "unit.h"

#define LINE(time, method, path, more) \
	"{\"@timestamp\":\"2026-01-31T" time "Z\",\"http.request.method\":\"" method \
	"\",\"url.path\":\"" path "\"" more "}\n"

TEST(requests_are_due_as_they_began_safe_ones_only)
{
	ScenarioConf *conf;
	const Replay *replay;

	CHECK_OK(replay_read(
		a, S("log"),
		S(LINE("23:59:59.500000", "GET", "/b", ",\"banyan.route\":\"shop\"") LINE(
			"23:59:58.250000", "GET", "/a",
			",\"url.query\":\"x=1\",\"banyan.route\":\"shop\"") "nonsense\n" LINE("23:59:59.000000",
	                                                                                      "POST",
	                                                                                      "/c",
	                                                                                      "")
	                  LINE("23:59:59.000001", "HEAD", "/d", "") "\n{\"a\":1}\n"),
		S("http://127.0.0.1:1"), 2, &conf));
	replay = conf->replay;
	CHECK_INT(replay->count, 3);
	CHECK_INT(replay->unsafe, 1);
	CHECK_INT(replay->unusable, 2);
	CHECK_STR(replay->at[0].target, S("/a?x=1"));
	CHECK_INT(replay->at[0].at_us, 0);
	CHECK_INT(replay->at[1].at_us, 375000);
	CHECK_INT(replay->at[2].at_us, 625000);
	CHECK_STR(conf->all.at[replay->at[2].step]->name, S("GET shop"));
	CHECK_STR(conf->all.at[replay->at[1].step]->name, S("HEAD ?"));
	CHECK_INT(conf->all.count, 2);
}

TEST(a_log_without_a_request_is_refused)
{
	static const Str cases[] = { S(""), S("x\n"), S(LINE("00:00:00", "POST", "/", "")),
		                     S(LINE("00:00", "GET", "/", "")),
		                     S(LINE("00:00:00", "GET", "http://x/", "")) };
	ScenarioConf *conf;

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_ERR(replay_read(a, S("log"), cases[i], S("http://x"), 1, &conf),
		          "load.replay");
}

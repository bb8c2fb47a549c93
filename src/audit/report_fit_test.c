/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/report_fit.c"

#include "unit.h"

TEST(report_fit_lets_the_ends_of_the_longest_runs_go)
{
	static const struct {
		const char *text;
		size_t most;
		const char *want;
		bool cut;
	} cases[] = {
		{ "", 3, "", false },
		{ "a\n\nb\n", 3, "a\n\nb\n", false },
		{ "a\n\nb\n", 2, "a\nb\n", false },
		{ "a\n  1\n  2\n  3\nb\n  4\n", 5, "a\n  1\n  2\nb\n  4\n", true },
		{ "a\n  1\n  2\n\nb\n  4\n  5\n", 5, "a\n  1\n  2\nb\n  4\n", true },
		{ "a\n  1\n  2\nb\nc\n", 1, "a\n  1\nb\nc\n", true },
		{ "a\n  1\n    x\n    y\n  2\n", 4, "a\n  1\n    x\n  2\n", true },
		{ "Trends: 2\n  1\n  2\n  3\nb\n  4\n  5\n", 6,
		  "Trends: 2\n  1\n  2\n  3\nb\n  4\n", true },
		{ "Trends: 2\n  1\n  2\n  3\nb\n  4\n", 4, "Trends: 2\n  1\nb\n  4\n", true },
	};

	(void)a;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *text = NULL;
		size_t len = 0;
		FILE *out = open_memstream(&text, &len);

		CHECK(report_fit(out, str_of(cases[i].text), cases[i].most) == cases[i].cut);
		fclose(out);
		CHECK_STR(((Str){ text, len }), str_of(cases[i].want));
		free(text);
	}
}

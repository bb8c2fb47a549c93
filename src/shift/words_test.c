/* SPDX-License-Identifier: Apache-2.0 */
#include "shift/words.c"

#include "unit.h"

TEST(words_are_what_people_remember)
{
	static const struct {
		void (*put)(Buf *b, double n);
		double n;
		Str want;
	} cases[] = {
		{ words_put_percent, 9.0 / 541, S("1.66 %") },
		{ words_put_percent, 12.0 / 10300, S("0.12 %") },
		{ words_put_percent, 0.05, S("5 %") },
		{ words_put_percent, 0, S("0 %") },
		{ words_put_percent, 1, S("100 %") },
		{ words_put_percent, 0.1234, S("12.3 %") },
		{ words_put_percent, 0.0000123, S("0.0012 %") },
		{ words_put_evidence, 4210.4, S("4,210") },
		{ words_put_evidence, 999999.4, S("999,999") },
		{ words_put_evidence, 1e6, S("more than a million") },
		{ words_put_evidence, INFINITY, S("more than a million") },
		{ words_put_evidence, 3.25, S("3.2") },
		{ words_put_evidence, 42.4, S("42") },
		{ words_put_evidence, 0.043, S("0.04") },
		{ words_put_evidence, 1e-9, S("less than 0.01") },
		{ words_put_time, 40, S("40 s") },
		{ words_put_time, 721, S("12 min") },
		{ words_put_time, 150, S("2.5 min") },
		{ words_put_time, 12600, S("3.5 h") },
		{ words_put_time, 172800, S("2 days") },
		{ words_put_time, INFINITY, S("for ever") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(buf_fini) Buf b = { 0 };

		cases[i].put(&b, cases[i].n);
		CHECK_STR(words_take(a, &b), cases[i].want);
	}
}

TEST(words_count_in_thousands)
{
	AUTO(buf_fini) Buf b = { 0 };

	words_put_count(&b, 0);
	buf_putc(&b, ' ');
	words_put_count(&b, 999);
	buf_putc(&b, ' ');
	words_put_count(&b, 10300);
	buf_putc(&b, ' ');
	words_put_count(&b, 1000005);
	CHECK_STR(buf_str(&b), S("0 999 10,300 1,000,005"));
}

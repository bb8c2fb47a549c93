/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/person.c"

#include "unit.h"

TEST(the_order_in_which_names_are_joined_makes_no_difference)
{
	static const uint32_t pairs[][2] = { { 5, 9 }, { 2, 9 }, { 7, 8 },
		                             { 1, 7 }, { 5, 2 }, { 3, 99 } };
	static const uint32_t want[] = { 0, 1, 2, 3, 4, 2, 6, 1, 1, 2 };
	uint32_t turned[COUNT(pairs)][2];

	for (size_t turn = 0; turn < COUNT(pairs); turn++) {
		uint32_t *roots;

		for (size_t i = 0; i < COUNT(pairs); i++) {
			turned[i][turn % 2] = pairs[(i + turn) % COUNT(pairs)][0];
			turned[i][1 - turn % 2] = pairs[(i + turn) % COUNT(pairs)][1];
		}
		roots = persons_join(a, 9, (const uint32_t(*)[2])turned, COUNT(pairs));
		for (size_t i = 0; i < COUNT(want); i++) {
			NOTE("turn %zu, number %zu", turn, i);
			CHECK_INT(roots[i], want[i]);
		}
	}
}

TEST(what_is_kept_of_a_failed_event_is_text)
{
	CHECK_STR(failed_text(a, S("ok \xc3\xa9")), S("ok \xc3\xa9"));
	CHECK_STR(failed_text(a, S("a\xff"
	                           "b\0c")),
	          S("a\xef\xbf\xbd"
	            "b\xef\xbf\xbd"
	            "c"));
}

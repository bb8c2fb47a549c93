/* SPDX-License-Identifier: Apache-2.0 */
#include "http/buffers.c"

#include "unit.h"

#include <string.h>

TEST(buffers_are_whole_and_apart)
{
	char *all[KEEP_MAX + 3];

	for (size_t i = 0; i < COUNT(all); i++) {
		all[i] = http_buffer_take();
		memset(all[i], (int)i, HTTP_BUFFER_BYTES);
	}
	for (size_t i = 0; i < COUNT(all); i++) {
		CHECK_INT(all[i][0], (char)i);
		CHECK_INT(all[i][HTTP_BUFFER_BYTES - 1], (char)i);
		http_buffer_give(all[i]);
	}
	CHECK_INT(kept.count, KEEP_MAX);
	http_buffer_give(NULL);
}

TEST(buffers_given_back_are_taken_again)
{
	char *first = http_buffer_take();
	char *second;

	http_buffer_give(first);
	second = http_buffer_take();
	CHECK(KEEP_MAX == 0 || first == second);
	http_buffer_give(second);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Times of a day. */
#include "notification/clock.h"

int minute_read(Str text)
{
	uint64_t hour, minute;

	if (text.len != 5 || text.at[2] != ':' || !str_to_u64(str_sub(text, 0, 2), &hour) ||
	    !str_to_u64(str_sub(text, 3, 5), &minute) || hour > 23 || minute > 59)
		return -1;
	return (int)(hour * 60 + minute);
}

Str minute_text(Arena *a, int minute)
{
	return str_fmt(a, "%02d:%02d", minute / 60, minute % 60);
}

const char *minute_verify(Arena *a, Str text)
{
	(void)a;
	return minute_read(text) < 0 ? "is no time of a day, as 09:30" : NULL;
}

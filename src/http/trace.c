/* SPDX-License-Identifier: Apache-2.0
 *
 * The one line that ties the spans of a request together.
 *
 * What is not exactly as the standard says begins a new trace: a repaired id would join requests that have nothing to do
 * with each other. Flags that are not known are not passed on, as the standard asks. */
#include "http/trace.h"

#include "base/rand.h"

#include <string.h>

enum { ID_AT = 3, SPAN_AT = 36, FLAGS_AT = 53 };

enum { NO_DIGIT = 16 };

static unsigned digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : NO_DIGIT;
}

static bool is_hex(Str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (digit(text.at[i]) == NO_DIGIT)
			return false;
	return true;
}

static bool is_zero(Str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] != '0')
			return false;
	return true;
}

bool trace_read(Str text, Trace *out)
{
	Str version = str_sub(text, 0, 2);
	Str id = str_sub(text, ID_AT, ID_AT + TRACE_ID_TEXT);
	Str span = str_sub(text, SPAN_AT, SPAN_AT + SPAN_ID_TEXT);
	Str flags = str_sub(text, FLAGS_AT, TRACE_TEXT);
	bool first = str_eq(version, S("00"));

	if (text.len < TRACE_TEXT || (first && text.len > TRACE_TEXT) || str_eq(version, S("ff")))
		return false;
	if (text.len > TRACE_TEXT && text.at[TRACE_TEXT] != '-')
		return false;
	if (text.at[ID_AT - 1] != '-' || text.at[SPAN_AT - 1] != '-' ||
	    text.at[FLAGS_AT - 1] != '-')
		return false;
	if (!is_hex(version) || !is_hex(id) || !is_hex(span) || !is_hex(flags) || is_zero(id) ||
	    is_zero(span))
		return false;
	*out = (Trace){ id, span, (uint8_t)(digit(flags.at[0]) << 4 | digit(flags.at[1])) };
	return true;
}

/* Not zero: that is no id. */
static uint64_t random_id(void)
{
	uint64_t id = rand_u64();

	return id ? id : 1;
}

void trace_write(char *into, const Trace *before, uint8_t flags, Trace *out)
{
	if (before)
		flags = before->flags & (TRACE_SAMPLED | TRACE_RANDOM);
	memcpy(into, "00-", ID_AT);
	if (before) {
		memcpy(into + ID_AT, before->id.at, TRACE_ID_TEXT);
	} else {
		str_put_hex(str_put_hex(into + ID_AT, random_id(), 16), rand_u64(), 16);
	}
	into[SPAN_AT - 1] = into[FLAGS_AT - 1] = '-';
	str_put_hex(into + SPAN_AT, random_id(), SPAN_ID_TEXT);
	str_put_hex(into + FLAGS_AT, flags, 2);
	*out = (Trace){ { into + ID_AT, TRACE_ID_TEXT }, { into + SPAN_AT, SPAN_ID_TEXT }, flags };
}

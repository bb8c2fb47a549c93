/* SPDX-License-Identifier: Apache-2.0
 *
 * What proxies say of clients and traces: Forwarded of RFC 7239 and traceparent. What was read is written and read again,
 * and must be the same. */
#include "gateway/rfc7239.h"
#include "http/trace.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool what)
{
	if (!what)
		abort();
}

static bool has(Str text, char c)
{
	return str_find_char(text, c) >= 0;
}

static void check_hop(Arena *a, const Hop *hop)
{
	Str text = rfc7239_element(a, hop);
	const Str parts[] = { hop->node, hop->host, hop->proto };
	Hop again[2];
	size_t count;

	for (size_t i = 0; i < COUNT(parts); i++)
		if (has(parts[i], '"') || has(parts[i], '\\'))
			return; /* left out */
	count = rfc7239_read(a, text, again, COUNT(again));
	need(count == (text.len > 0));
	if (!count)
		return;
	need(str_eq(again[0].node, hop->node) && str_eq(again[0].host, hop->host) &&
	     str_eq(again[0].proto, hop->proto));
}

static void check_forwarded(Arena *a, Str field)
{
	Hop all[64], last[2];
	size_t count = rfc7239_read(a, field, all, COUNT(all));
	size_t few = rfc7239_read(a, field, last, COUNT(last));

	need(few == MIN(count, COUNT(last)));
	for (size_t i = 0; i < few; i++)
		need(str_eq(last[i].node, all[count - few + i].node));
	for (size_t i = 0; i < count; i++)
		check_hop(a, &all[i]);
}

static void check_trace(Str text)
{
	char own[TRACE_TEXT];
	Trace trace, next, again;

	if (!trace_read(text, &trace))
		return;
	need(trace.id.len == TRACE_ID_TEXT && trace.span.len == SPAN_ID_TEXT);
	trace_write(own, &trace, 0, &next);
	need(trace_read((Str){ own, sizeof own }, &again));
	need(str_eq(again.id, trace.id) && !str_eq(again.span, trace.span));
	need(again.flags == (trace.flags & (TRACE_SAMPLED | TRACE_RANDOM)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Str text = { (const char *)data, size };

	check_forwarded(a, text);
	check_trace(text);
	return 0;
}

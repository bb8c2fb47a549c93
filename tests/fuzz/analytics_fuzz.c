/* SPDX-License-Identifier: Apache-2.0
 *
 * Events of anyone, and columns as a database has them. The first byte says which:
 *
 *   e   JSON: what is an event can be kept in a segment, and is read from it as it was
 *   c   packed columns, of as many events as the second byte says; k  a set of persons; r  a day's counts: what is taken is written
 *       again as what reads the same
 *   u   the address of a page, and a User-Agent */
#include "analytics/agent.h"
#include "analytics/rollup.h"
#include "analytics/segment.h"
#include "base/arena.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fine)
{
	if (!fine)
		abort();
}

static void check_event(Arena *a, Str text)
{
	static const HitLimits limits = { .now_ms = 1700000000000, .future_ms = 60000 };
	const Json *value;
	HitRefusal refusal = { 0 };
	Hit hit = { .number = 1 };
	const Hit *at = &hit;
	Segment s;
	Words words;

	if (json_read(a, text, 0, &value) || !hit_read(a, value, &limits, 0, &hit, &refusal))
		return;
	must(!refusal.code && hit.name.len && hit.who.len && hit.time_ms >= 0);
	hit.number = 1;
	segment_build(a, &at, 1, &s);
	must(s.events == 1 && s.part_count == 5 + hit.prop_count);
	for (size_t i = 0; i < s.part_count; i++) {
		if (segment_width(s.parts[i].name))
			continue;
		must(!column_read_words(a, s.parts[i].bytes, 1, &words) && words.count == 2);
		if (str_eq(s.parts[i].name, SEGMENT_EVENT))
			must(str_eq(words.cells[1].text, hit.name));
	}
}

static void check_columns(Arena *a, Str bytes)
{
	size_t events = bytes.len ? (uint8_t)bytes.at[0] : 0, count;
	AUTO(buf_fini) Buf again = { 0 };
	ColumnPart *parts;
	const void *at;
	Words words;

	bytes = str_sub(bytes, 1, bytes.len);
	if (columns_unpack(a, bytes, &parts, &count))
		return;
	columns_pack(&again, parts, count);
	must(str_eq(buf_str(&again), bytes));
	for (size_t i = 0; i < count; i++) {
		for (size_t width = 1; width <= 16; width *= 2)
			(void)!column_read_fixed(a, parts[i].bytes, width, events, &at);
		if (!column_read_words(a, parts[i].bytes, events, &words))
			for (size_t k = 0; k < events; k++)
				must(words_code(&words, k) < words.count);
	}
}

static void check_sketch(Str bytes)
{
	AUTO(sketch_fini) Sketch s = { 0 }, back = { 0 };
	AUTO(buf_fini) Buf b = { 0 };
	size_t used;

	if (!sketch_read(bytes, &s, &used))
		return;
	must(used <= bytes.len);
	sketch_put(&b, &s);
	must(sketch_read(buf_str(&b), &back, &used));
	must(sketch_count(&s) == sketch_count(&back));
}

static void check_rollup(Arena *a, Str bytes)
{
	AUTO(rollup_fini) Rollup r = { 0 }, back = { 0 };
	AUTO(buf_fini) Buf b = { 0 };

	if (rollup_read(a, bytes, &r))
		return;
	rollup_put(&b, &r);
	must(!rollup_read(a, buf_str(&b), &back) && back.count == r.count &&
	     back.events == r.events);
}

static void check_page(Arena *a, Str text)
{
	PageUrl page;

	agent_read(text);
	if (!page_url_read(text, &page))
		return;
	must(page.host.len && page.path.len && page.path.at[0] == '/');
	must(str_find_char(page.path, '#') < 0 && str_find_char(page.query, '#') < 0);
	must(page_site(a, page.host).len <= page.host.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena *a = arena_new(0);
	Str rest = str_sub((Str){ (const char *)data, size }, 1, size);

	switch (size ? data[0] : 0) {
	case 'e':
		check_event(a, rest);
		break;
	case 'c':
		check_columns(a, rest);
		break;
	case 'k':
		check_sketch(rest);
		break;
	case 'r':
		check_rollup(a, rest);
		break;
	default:
		check_page(a, rest);
	}
	arena_free(a);
	return 0;
}

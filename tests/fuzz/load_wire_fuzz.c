/* SPDX-License-Identifier: Apache-2.0
 *
 * What servers and workers send to the generator, from any bytes: heads of WebSocket frames, histograms. Held: a head is
 * read from the bytes it is long and from no fewer, and more bytes behind it change nothing; a histogram that was taken,
 * written out again, is the same. */
#include "base/arena.h"
#include "load/frame.h"
#include "load/hist.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool yes)
{
	if (!yes)
		abort();
}

static void look_at_frame(Str bytes)
{
	Frame whole = { 0 }, part = { 0 };
	int len = frame_head(bytes, &whole);

	need(len >= -1 && len <= 10 && (len < 0 || (size_t)len <= bytes.len));
	if (len <= 0)
		return;
	need(frame_head(str_sub(bytes, 0, (size_t)len), &part) == len);
	need(part.kind == whole.kind && part.last == whole.last && part.len == whole.len);
	for (size_t i = 0; i < (size_t)len; i++)
		need(frame_head(str_sub(bytes, 0, i), &part) == 0);
}

static void look_at_histogram(Str text)
{
	AUTO(hist_freep) Hist *first = hist_new();
	AUTO(hist_freep) Hist *again = hist_new();
	AUTO(buf_fini) Buf one = { 0 };
	AUTO(buf_fini) Buf two = { 0 };

	if (hist_add_v2(first, text))
		return;
	hist_put_v2(&one, first);
	need(!hist_add_v2(again, buf_str(&one)));
	need(hist_count(again) == hist_count(first));
	hist_put_v2(&two, again);
	need(str_eq(buf_str(&one), buf_str(&two)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Str bytes = { (const char *)data, size };

	if (size > 65536)
		return 0;
	look_at_frame(bytes);
	look_at_histogram(bytes);
	return 0;
}

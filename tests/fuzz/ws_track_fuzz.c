/* SPDX-License-Identifier: Apache-2.0
 *
 * WebSocket frames that go by. The first byte says how the rest is cut: the state after it is the same in one piece, in
 * many, and from one end of a frame to the next. */
#include "http/ws_track.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fine)
{
	if (!fine)
		abort();
}

static bool same(const WsTrack *x, const WsTrack *y)
{
	return x->have == y->have && x->inside == y->inside && x->closed == y->closed &&
	       x->lost == y->lost && (x->lost || !x->inside || x->left == y->left);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t step = size ? data[0] % 32 + 1 : 1;
	Str bytes = { (const char *)data + !!size, size - !!size };
	WsTrack whole = { 0 }, pieces = { 0 }, stops = { 0 };

	must(ws_follow(&whole, bytes, false) == bytes.len);
	for (size_t at = 0; at < bytes.len; at += step) {
		Str piece = str_sub(bytes, at, at + step);

		must(ws_follow(&pieces, piece, false) == piece.len);
	}
	for (size_t at = 0; at < bytes.len && !stops.lost;) {
		must(ws_follow(&stops, str_sub(bytes, at, at + 1), false) == 1);
		at += 1;
		if (!ws_is_between(&stops))
			at += ws_follow(&stops, str_sub(bytes, at, bytes.len), true);
		must(ws_is_between(&stops) || stops.lost || at == bytes.len);
	}
	must(same(&whole, &pieces));
	must(whole.lost == stops.lost && (whole.lost || same(&whole, &stops)));
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Following WebSocket frames: heads are looked at, payloads counted. */
#include "http/ws_track.h"

#include "base/rand.h"

#include <string.h>

enum { OP_CLOSE = 8 };

/* Bytes of the head, by what is there of it. */
static size_t head_bytes(const WsTrack *t)
{
	size_t bytes = 2;

	if (t->have < 2)
		return bytes;
	if ((t->head[1] & 127) == 126)
		bytes += 2;
	else if ((t->head[1] & 127) == 127)
		bytes += 8;
	return bytes + (t->head[1] & 128 ? 4 : 0);
}

static uint64_t payload_bytes(const WsTrack *t)
{
	unsigned said = t->head[1] & 127;
	size_t wide = said == 127 ? 8 : said == 126 ? 2 : 0;
	uint64_t n = 0;

	for (size_t i = 0; i < wide; i++)
		n = n << 8 | t->head[2 + i];
	return wide ? n : said;
}

static void end_frame(WsTrack *t)
{
	t->closed = t->closed || t->closing;
	t->have = 0;
	t->inside = false;
}

static void begin_payload(WsTrack *t)
{
	t->left = payload_bytes(t);
	t->closing = (t->head[0] & 15) == OP_CLOSE;
	t->lost = t->left >> 63;
	t->inside = true;
	if (!t->left)
		end_frame(t);
}

bool ws_is_between(const WsTrack *t)
{
	return !t->lost && !t->inside && !t->have;
}

size_t ws_follow(WsTrack *t, Str bytes, bool stop)
{
	size_t at = 0;

	while (at < bytes.len && !t->lost && !(stop && ws_is_between(t))) {
		size_t rest = bytes.len - at;

		if (t->inside) {
			size_t n = t->left < rest ? (size_t)t->left : rest;

			at += n;
			t->left -= n;
			if (!t->left)
				end_frame(t);
			continue;
		}
		t->head[t->have++] = (uint8_t)bytes.at[at++];
		if (t->have == head_bytes(t))
			begin_payload(t);
	}
	return t->lost ? bytes.len : at;
}

size_t ws_put_close(char into[WS_CLOSE_BYTES], uint16_t code, bool masked)
{
	uint8_t mask[4] = { 0 };
	uint8_t payload[2] = { (uint8_t)(code >> 8), (uint8_t)code };
	size_t len = 0;

	into[len++] = (char)(0x80 | OP_CLOSE);
	into[len++] = (char)(masked ? 0x82 : 2);
	if (masked) {
		rand_bytes(mask, sizeof mask);
		memcpy(into + len, mask, sizeof mask);
		len += sizeof mask;
	}
	into[len++] = (char)(payload[0] ^ mask[0]);
	into[len++] = (char)(payload[1] ^ mask[1]);
	return len;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "http/ws_track.c"

#include "base/arena.h"
#include "base/buf.h"
#include "unit.h"

/* A frame with a payload of so many bytes. */
static void put_frame(Buf *b, unsigned opcode, uint64_t bytes, bool masked)
{
	unsigned mask = masked ? 128 : 0;

	buf_putc(b, (char)(128 | opcode));
	if (bytes < 126) {
		buf_putc(b, (char)(mask | bytes));
	} else if (bytes < 65536) {
		buf_putc(b, (char)(mask | 126));
		buf_putc(b, (char)(bytes >> 8));
		buf_putc(b, (char)bytes);
	} else {
		buf_putc(b, (char)(mask | 127));
		for (int shift = 56; shift >= 0; shift -= 8)
			buf_putc(b, (char)(bytes >> shift));
	}
	for (unsigned i = 0; masked && i < 4; i++)
		buf_putc(b, '\x88');
	for (uint64_t i = 0; i < bytes; i++)
		buf_putc(b, '\x88'); /* looks like a head, and is none */
}

static const struct {
	unsigned opcode;
	uint64_t bytes;
	bool masked;
} frames[] = {
	{ 1, 0, false }, { 1, 1, true },     { 2, 125, true },   { 0, 126, false },
	{ 9, 2, true },  { 2, 65535, true }, { 2, 65536, true }, { 10, 0, true },
};

TEST(frames_end_where_they_do_however_they_come)
{
	static const size_t steps[] = { 1, 2, 3, 7, 1000, 1 << 20 };
	AUTO(buf_fini) Buf b = { 0 };
	AUTO(buf_fini) Buf ends = { 0 }; /* a byte for each of b: does a frame end behind it? */

	(void)a;
	for (size_t i = 0; i < COUNT(frames); i++) {
		put_frame(&b, frames[i].opcode, frames[i].bytes, frames[i].masked);
		while (ends.len < b.len - 1)
			buf_putc(&ends, 0);
		buf_putc(&ends, 1);
	}
	for (size_t k = 0; k < COUNT(steps); k++) {
		WsTrack track = { 0 };
		size_t step;

		for (size_t at = 0; at < b.len; at += step) {
			step = MIN(steps[k], b.len - at);
			CHECK_INT(ws_follow(&track, (Str){ b.at + at, step }, false), step);
			CHECK_INT(ws_is_between(&track), ends.at[at + step - 1]);
		}
		CHECK(ws_is_between(&track) && !track.closed);
	}
}

TEST(stopping_is_at_the_first_end_and_only_there)
{
	AUTO(buf_fini) Buf b = { 0 };
	WsTrack track = { 0 };

	(void)a;
	put_frame(&b, 2, 200, true);
	put_frame(&b, 1, 5, true);
	CHECK_INT(ws_follow(&track, buf_str(&b), true), 0);
	CHECK_INT(ws_follow(&track, (Str){ b.at, 3 }, false), 3);
	CHECK(!ws_is_between(&track));
	CHECK_INT(ws_follow(&track, (Str){ b.at + 3, b.len - 3 }, true), 208 - 3);
	CHECK(ws_is_between(&track));
	CHECK(!track.closed);
	CHECK_INT(ws_follow(&track, (Str){ b.at + 208, b.len - 208 }, true), 0);
	CHECK_INT(ws_follow(&track, (Str){ b.at + 208, b.len - 208 }, false), b.len - 208);
	CHECK(ws_is_between(&track));
}

TEST(a_close_frame_is_noticed_when_it_is_whole)
{
	for (unsigned masked = 0; masked < 2; masked++) {
		WsTrack track = { 0 };
		char bytes[WS_CLOSE_BYTES];
		size_t len = ws_put_close(bytes, WS_GOING_AWAY, masked);

		CHECK_INT(len, masked ? 8 : 4);
		CHECK_INT(ws_follow(&track, (Str){ bytes, len - 1 }, false), len - 1);
		CHECK(!track.closed && !ws_is_between(&track));
		CHECK_INT(ws_follow(&track, (Str){ bytes + len - 1, 1 }, false), 1);
		CHECK(track.closed && ws_is_between(&track));
		if (!masked)
			CHECK(memcmp(bytes, "\x88\x02\x03\xe9", 4) == 0);
		else
			CHECK_INT((uint8_t)(bytes[6] ^ bytes[2]) << 8 |
			                  (uint8_t)(bytes[7] ^ bytes[3]),
			          WS_GOING_AWAY);
	}
	(void)a;
}

TEST(what_is_no_websocket_has_no_end)
{
	WsTrack track = { 0 };
	Str bytes = S("\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff more");

	(void)a;
	CHECK_INT(ws_follow(&track, bytes, false), bytes.len);
	CHECK(!ws_is_between(&track));
	CHECK_INT(ws_follow(&track, S("\x81\0"), true), 2);
	CHECK(!ws_is_between(&track));
}

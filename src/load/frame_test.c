/* SPDX-License-Identifier: Apache-2.0 */
#include "load/frame.c"

#include "unit.h"

TEST(the_rfcs_own_key_is_answered_so)
{
	CHECK_STR(frame_accept(a, S("dGhlIHNhbXBsZSBub25jZQ==")),
	          S("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
	CHECK_INT(frame_key(a).len, 24);
}

TEST(frames_are_masked_and_have_the_shortest_length)
{
	static const struct {
		size_t len;
		size_t head;
	} cases[] = { { 0, 6 }, { 125, 6 }, { 126, 8 }, { 65535, 8 }, { 65536, 14 } };

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(buf_fini) Buf out = { 0 };
		char *payload = arena_alloc(a, cases[i].len + 1);
		const uint8_t *bytes;

		memset(payload, 'x', cases[i].len);
		frame_put(&out, FRAME_TEXT, (Str){ payload, cases[i].len });
		bytes = (const uint8_t *)out.at;
		CHECK_INT(out.len, cases[i].head + cases[i].len);
		CHECK_INT(bytes[0], 0x81);
		CHECK(bytes[1] & 0x80);
		for (size_t k = 0; k < cases[i].len; k++)
			CHECK_INT(bytes[cases[i].head + k] ^ bytes[cases[i].head - 4 + k % 4], 'x');
	}
}

TEST(heads_of_a_servers_frames_are_read)
{
	static const struct {
		Str bytes;
		int head;
		Frame frame;
	} cases[] = {
		{ S("\x81"), 0, { 0 } },
		{ S("\x81\x05Hello"), 2, { FRAME_TEXT, true, 5 } },
		{ S("\x01\x7e\x01"), 0, { 0 } },
		{ S("\x01\x7e\x01\x02"), 4, { FRAME_TEXT, false, 258 } },
		{ S("\x82\x7f\0\0\0\0\0\x01\0\0"), 10, { FRAME_BINARY, true, 65536 } },
		{ S("\x88\0"), 2, { FRAME_CLOSE, true, 0 } },
		{ S("\x81\x85"), -1, { 0 } },
		{ S("\xc1\x05"), -1, { 0 } },
		{ S("\x83\x05"), -1, { 0 } },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Frame frame = { 0 };

		CHECK_INT(frame_head(cases[i].bytes, &frame), cases[i].head);
		CHECK_INT(frame.kind, cases[i].frame.kind);
		CHECK_INT(frame.last, cases[i].frame.last);
		CHECK_INT(frame.len, cases[i].frame.len);
	}
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * One leaky bucket for each act, kept as a single time (the generic cell rate algorithm): when the bucket would be empty
 * if nothing more came. Each act moves it on by 1/rate; it may be burst/rate ahead of now. So an idle connection's guard
 * is a few numbers and needs no timer.
 *
 * What is an act is found in the bytes themselves, frame by frame, before the session sees them: whatever it does with a
 * frame, or does not, a frame was sent and counts. */
#include "http/h2_guard.h"

#include "base/util.h"

enum { US = 1000 * 1000 };

/* RFC 9113 6, and 9218 7.1. */
enum {
	FRAME_DATA,
	FRAME_HEADERS,
	FRAME_PRIORITY,
	FRAME_RST_STREAM,
	FRAME_SETTINGS,
	FRAME_PUSH_PROMISE,
	FRAME_PING,
	FRAME_GOAWAY,
	FRAME_WINDOW_UPDATE,
	FRAME_CONTINUATION,
	FRAME_PRIORITY_UPDATE = 16,
	FLAG_END_STREAM = 1,
	FLAG_ACK = 1,
	FLAG_PADDED = 8,
	HEAD_BYTES = 9,
};

static const struct {
	int64_t step_us;  /* 1/rate */
	int64_t ahead_us; /* burst/rate */
	Str text;
} rows[] = {
#define X(act, burst, rate, text_) \
	[H2_ACT_##act] = { US / (rate), \
		           (int64_t)(burst)*US / (rate), \
		           { "" text_, sizeof(text_) - 1 } },
	H2_ACTS(X)
#undef X
};

bool h2_guard_count(H2Guard *guard, H2Act act, int64_t now_us)
{
	int64_t due_us = guard->due_us[act];

	if (due_us < now_us)
		due_us = now_us;
	guard->due_us[act] = due_us + rows[act].step_us;
	return due_us + rows[act].step_us - now_us <= rows[act].ahead_us;
}

void h2_guard_forgive(H2Guard *guard, H2Act act, unsigned count)
{
	guard->due_us[act] -= (int64_t)count * rows[act].step_us;
}

Str h2_act_text(H2Act act)
{
	return rows[act].text;
}

static uint32_t number(const unsigned char *at, size_t len)
{
	uint32_t n = 0;

	for (size_t i = 0; i < len; i++)
		n = n << 8 | at[i];
	return n;
}

/* `payload`: its length without padding, as far as DATA is concerned. */
static H2Act data_act(uint8_t flags, uint32_t payload)
{
	return payload || (flags & FLAG_END_STREAM) ? H2_ACT_COUNT : H2_ACT_EMPTY_DATA;
}

static H2Act headers_act(H2Scan *scan, uint32_t stream, bool server)
{
	if (!server)
		return H2_ACT_COUNT; /* answers and their trailers: on streams of ours only */
	if (stream <= scan->newest)
		return H2_ACT_STRAY;
	scan->newest = stream;
	return H2_ACT_COUNT;
}

static H2Act act_of(H2Scan *scan, bool server)
{
	static const uint8_t plain[FRAME_PRIORITY_UPDATE + 1] = {
		[FRAME_PRIORITY] = H2_ACT_PRIORITY,
		[FRAME_PRIORITY_UPDATE] = H2_ACT_PRIORITY,
		[FRAME_RST_STREAM] = H2_ACT_RESET,
		[FRAME_SETTINGS] = H2_ACT_SETTINGS,
		[FRAME_PUSH_PROMISE] = H2_ACT_OTHER,
		[FRAME_PING] = H2_ACT_PING,
		[FRAME_GOAWAY] = H2_ACT_OTHER,
		[FRAME_WINDOW_UPDATE] = H2_ACT_WINDOW_UPDATE,
		[FRAME_CONTINUATION] = H2_ACT_CONTINUATION,
		[FRAME_CONTINUATION + 1 ... FRAME_PRIORITY_UPDATE - 1] = H2_ACT_OTHER,
	};
	const unsigned char *head = scan->head;
	uint32_t len = number(head, 3);
	uint8_t type = head[3];
	uint8_t flags = head[4];

	if (type == FRAME_DATA && (flags & FLAG_PADDED) && len)
		return data_act(flags, len > 1u + head[HEAD_BYTES] ? 1 : 0);
	if (type == FRAME_DATA)
		return data_act(flags, len);
	if (type == FRAME_HEADERS)
		return headers_act(scan, number(head + 5, 4) & INT32_MAX, server);
	if (type == FRAME_SETTINGS && (flags & FLAG_ACK))
		return H2_ACT_COUNT; /* one that was not asked for ends the connection */
	if (type == FRAME_RST_STREAM && !server)
		return H2_ACT_COUNT; /* of a stream that we opened: there are no more of them than of those */
	return type < COUNT(plain) ? plain[type] : H2_ACT_OTHER;
}

/* How much of the frame in the head is needed to judge it. */
static size_t needed(const H2Scan *scan)
{
	bool padded = scan->have >= HEAD_BYTES && scan->head[3] == FRAME_DATA &&
	              (scan->head[4] & FLAG_PADDED) && number(scan->head, 3);

	return HEAD_BYTES + padded;
}

bool h2_scan(H2Scan *scan, Str *bytes, bool server, H2Act *act)
{
	size_t skip = MIN((size_t)scan->skip, bytes->len);

	scan->skip -= (uint32_t)skip;
	*bytes = str_sub(*bytes, skip, bytes->len);
	while (bytes->len && scan->have < needed(scan)) {
		scan->head[scan->have++] = (unsigned char)bytes->at[0];
		*bytes = str_sub(*bytes, 1, bytes->len);
	}
	if (scan->have < HEAD_BYTES || scan->have < needed(scan))
		return false;
	*act = act_of(scan, server);
	scan->skip = number(scan->head, 3) - (scan->have - HEAD_BYTES);
	scan->have = 0;
	return true;
}

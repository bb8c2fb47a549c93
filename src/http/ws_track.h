/* SPDX-License-Identifier: Apache-2.0
 *
 * Just enough of WebSockets (RFC 6455 5.2) for whoever passes them on: where a frame ends in what goes by, whether a side
 * has closed, and a close frame to be put between two frames. Pure. */
#pragma once
#include "base/str.h"

/* One direction. All zero: nothing has come. */
typedef struct WsTrack {
	uint8_t head[14];
	uint8_t have;  /* bytes of the head */
	uint64_t left; /* of the payload, once the head is whole */
	bool inside;   /* of a payload */
	bool closing;  /* the frame is a close frame */
	bool closed;   /* one has gone by */
	bool lost;     /* these are no frames: there is no end to be known */
} WsTrack;

/* What went by; `stop`: only up to the first end of a frame, none when it is there already. Returns how many bytes. */
size_t ws_follow(WsTrack *track, Str bytes, bool stop);
bool ws_is_between(const WsTrack *track); /* frames: one of ours may go here */

/* A close frame; a client's is masked. Returns its length. */
enum { WS_GOING_AWAY = 1001, WS_CLOSE_BYTES = 8 };
size_t ws_put_close(char into[WS_CLOSE_BYTES], uint16_t code, bool masked);

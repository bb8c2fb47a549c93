/* SPDX-License-Identifier: Apache-2.0
 *
 * WebSocket frames (RFC 6455) as a client writes and reads them. Pure. */
#pragma once
#include "base/buf.h"

typedef enum FrameKind {
	FRAME_CONTINUED = 0,
	FRAME_TEXT = 1,
	FRAME_BINARY = 2,
	FRAME_CLOSE = 8,
	FRAME_PING = 9,
	FRAME_PONG = 10,
} FrameKind;

typedef struct Frame {
	FrameKind kind;
	bool last; /* of its message */
	uint64_t len;
} Frame;

/* Masked, as a client's must be. */
void frame_put(Buf *out, FrameKind kind, Str payload);
/* The head of a frame at the start of bytes: its length, or 0: more bytes are needed. -1: it is none (masked by a server,
 * an unknown kind, reserved bits). */
int frame_head(Str bytes, Frame *out);

/* What the server must answer to this key (4.2.2); in the arena. */
Str frame_accept(Arena *a, Str key);
Str frame_key(Arena *a); /* a new one */

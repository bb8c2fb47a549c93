/* SPDX-License-Identifier: Apache-2.0
 *
 * A gateway's own copy of where moves stand, a small file, so that it can start while the book is away:
 *
 *   banyan shift known 1 CHECKSUM
 *   {"store":..,"at_us":..,"key":..,"subjects":[{"name":..,"revision":..,"halted":..,"state":{..}}]}
 *
 * The checksum, 16 hexadecimal digits, is of what is behind its line. Secrets are in it: the file is for its owner only. */
#pragma once
#include "shift/state.h"

typedef struct KnownSubject {
	Str name;
	ShiftState state;
	bool halted;  /* all are on the old side, and the book did not know it yet */
	Str line, by; /* why, and who: empty: the judge */
} KnownSubject;

typedef struct Known {
	Str store;     /* which book it is of: known_store */
	int64_t at_us; /* UTC, when it was written */
	bool has_key;
	uint64_t key[2]; /* of the cookie */
	KnownSubject *at;
	size_t count;
} Known;

/* The same for the same place, whoever asks it: no user, password or option is in it. */
Str known_store(Arena *a, Str url);

/* Fails with "base.buffer_full". */
Err *known_put(Buf *out, const Known *known) MUST_USE;
/* Fails with INVALID "shift.known": cut short, changed by hand, or of another release. */
Err *known_read(Arena *a, Str text, Known *out) MUST_USE;

/* Whole, or not at all: a crash leaves the one before. Blocks on the disk. Fails with IO "shift.known". */
Err *known_store_file(Arena *a, Str path, Str text) MUST_USE;

/* SPDX-License-Identifier: Apache-2.0
 *
 * Between fault_book.c (the file and what is in it) and fault_book_put.c (how it is shown). */
#pragma once
#include "base/buf.h"
#include "base/map.h"
#include "payment/fault_book.h"
#include "rt/fiber.h"

struct FaultBook {
	Arena *lasting;
	int fd; /* -1: in memory only */
	List payments;
	Map by_id, by_key, refunds, seals;
	Map acts; /* of captures and voids, by their keys */
	Str script;
	int64_t entries, synced;
	Buf fresh; /* lines that are not in the file */
	bool writing, broken;
	WaitQueue waiting;
};

const char *fault_state_name(FaultState state);

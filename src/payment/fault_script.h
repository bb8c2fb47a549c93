/* SPDX-License-Identifier: Apache-2.0
 *
 * What goes wrong at the fault provider: by a script of rules, by tokens, by amounts. Pure; one thread.
 *
 *   {"seed": 7, "faults": [
 *     {"fault": "drop_after", "on": ["authorize"], "share": 0.05, "times": 20},
 *     {"fault": "delay", "ms": 300, "share": 0.2},
 *     {"fault": "decline", "on": ["authorize"], "share": 0.1, "code": "card_declined", "decline_code": "insufficient_funds"}]}
 *
 * A token "pm_fault_drop_after" and an amount of 90201 do the same to one authorization. */
#pragma once
#include "base/err.h"

typedef struct Json Json;
typedef struct JsonWriter JsonWriter;

/* name, amount of money that does it, help */
#define FAULTS(X) \
	X(DECLINE, "decline", 90101, "says no, with `code` and `decline_code`") \
	X(DELAY, "delay", 90102, "waits `ms` (2000), then does it") \
	X(LATE, "late", 90103, "does it, then waits `ms` (2000) before it answers") \
	X(DROP_BEFORE, "drop_before", 90200, "hangs up and does nothing") \
	X(DROP_AFTER, "drop_after", 90201, "does it, and hangs up without an answer") \
	X(DIE_BEFORE, "die_before", 90202, "the process is gone before it did it") \
	X(DIE_AFTER, "die_after", 90203, \
	  "the process is gone when it is in the book, before the answer") \
	X(ERROR_BEFORE, "error_before", 90500, "answers 500 and does nothing") \
	X(ERROR_AFTER, "error_after", 90501, "does it, and answers 500") \
	X(BUSY, "busy", 90429, "answers 429 and does nothing") \
	X(GARBAGE, "garbage", 90502, "does it, and answers with half a body") \
	X(PENDING, "pending", 90104, "takes it on, and does it after `ms` (2000)") \
	X(DUPLICATE, "duplicate", 0, "tells its webhook twice") \
	X(REORDER, "reorder", 0, \
	  "tells its webhook up to `ms` (2000) later, so after what comes after") \
	X(WITHHOLD, "withhold", 0, "never tells its webhook")

typedef enum Fault {
	FAULT_NONE,
#define X(id, name, amount, help) FAULT_##id,
	FAULTS(X)
#undef X
		FAULT_COUNT
} Fault;

typedef enum FaultOn {
	FAULT_ON_AUTHORIZE,
	FAULT_ON_CAPTURE,
	FAULT_ON_VOID,
	FAULT_ON_REFUND,
	FAULT_ON_GET,
	FAULT_ON_WEBHOOK,
	FAULT_ONS
} FaultOn;

typedef struct FaultHit {
	Fault fault;
	int64_t us;             /* to wait */
	Str code, decline_code; /* of a decline; of the script, or literals */
} FaultHit;

typedef struct FaultScript FaultScript;

/* NULL json: no faults. Lives in the arena. Fails with INVALID "fault.script". */
Err *fault_script_read(Arena *a, const Json *json, FaultScript **out) MUST_USE;
/* The next request of this kind: the first rule that strikes. FAULT_NONE: none does. */
FaultHit fault_script_draw(FaultScript *script, FaultOn on);
/* The rules, and how often each has struck. */
void fault_script_put(JsonWriter *w, const FaultScript *script);

/* What a token or an amount asks for, the first time that its key comes. */
FaultHit fault_magic(Str token, int64_t amount);

const char *fault_name(Fault fault);
const char *fault_on_name(FaultOn on);

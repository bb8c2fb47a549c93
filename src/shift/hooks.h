/* SPDX-License-Identifier: Apache-2.0
 *
 * What the gateway asks of the shift (gateway/hooks.h). */
#pragma once
#include "gateway/hooks.h"
#include "shift/counters.h"

typedef struct ShadowRules ShadowRules; /* shadow.h */
typedef struct ShadowShot ShadowShot;
typedef struct DualRules DualRules; /* dual.h */
typedef struct DualWrite DualWrite;

const GatewayHooks *shift_hooks(void) RETURNS_NONNULL;
/* The request goes to the old side, or to what that was swapped for, whatever its route's draw said: it says nothing of that draw. May
 * set p->target and p->times. Does not park. */
void shift_serve_by_old(Passage *p);

/* RouteState.shift: what one route of one configuration is moved by. */
typedef struct ShiftBinding {
	Subject *subject;  /* NULL: the route has one side, and only its upstream may be swapped */
	Subject *upstream; /* of the old side's upstream; NULL: nothing may be swapped */
	SplitRules rules;
	const ShiftConf *conf;
	const ShadowRules *shadow; /* NULL when subject is */
	const Counters *counters;  /* NULL: none */
	const DualRules *dual;     /* NULL: writes go to one side */
} ShiftBinding;

/* One subject that a request counts for. */
typedef struct ShiftLeg {
	Subject *subject;
	JudgeSide side;
	bool drawn;
	uint32_t attempt; /* that it was drawn in */
} ShiftLeg;

/* Passage.shift. */
typedef struct ShiftTrip {
	const ShiftBinding *binding;
	SplitUser user;
	ShiftLeg legs[2];
	unsigned count;
	bool greets; /* the answer gives the client a cookie of ours */
	CounterTrip counters;
	ShadowShot *shadow; /* NULL: it has none */
	DualWrite *write;   /* NULL: it is none that both sides are to have */
} ShiftTrip;

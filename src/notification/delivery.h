/* SPDX-License-Identifier: Apache-2.0
 *
 * Deliveries in the database: every change of state goes through delivery_change, which asks the rules, writes the step of the
 * timeline and the event, and changes nothing when the row is not what it was. */
#pragma once
#include "notification/channel.h"
#include "store/db.h"

typedef struct DeliveryRow DeliveryRow;

typedef struct DeliveryChange {
	DeliveryState to;
	Str reason; /* a word for programs: "no_address", "quiet_hours"; empty: none */
	Str detail; /* for the timeline; empty: the reason */
	Str provider;
	int64_t due_at_us; /* 0: none */
	Str traceparent;
} DeliveryChange;

/* In a transaction; row: as it was read, then as it is. What else of the row changes (attempts, tried, template_version, digest_id) is
 * taken from it. Fails with CONFLICT "delivery.state" (it may not become that), "delivery.changed" (somebody else was faster). */
Err *delivery_change(Db *tx, Arena *a, DeliveryRow *row, const DeliveryChange *change) MUST_USE;
/* Adds one in whatever state it begins with. *added false: there is one already. */
Err *delivery_begin(Db *tx, Arena *a, const DeliveryRow *row, Str traceparent, bool *added)
	MUST_USE;
/* An attempt, before the wire: `sending`. provider: its name. */
Err *delivery_attempt(Db *tx, Arena *a, DeliveryRow *row, Str provider) MUST_USE;
/* What came of it. */
Err *delivery_attempted(Db *tx, Arena *a, const DeliveryRow *row, const SendResult *result)
	MUST_USE;

DeliveryState delivery_state_of(const DeliveryRow *row);
Channel delivery_channel(const DeliveryRow *row);
MessageClass delivery_class(const DeliveryRow *row);

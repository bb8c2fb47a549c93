/* SPDX-License-Identifier: Apache-2.0
 *
 * One who is to get something, as far as it is known: and what holds a message to them back. */
#pragma once
#include "notification/delivery_domain.h"
#include "store/db.h"

typedef struct DeviceRow DeviceRow;
typedef struct Zones Zones;

typedef struct Person {
	Str id; /* empty: only an address */
	Str name, locale;
	const Zone *zone;
	QuietHours quiet;
	Str email, phone; /* empty: none */
	const DeviceRow *devices;
	size_t device_count;
	const Preference *preferences;
	size_t preference_count;
} Person;

/* What is known of a recipient; of one nobody has said anything of, the id. Parks. */
Err *person_load(Zones *zones, Db *db, Arena *a, Str id, Person *out) MUST_USE;
Str person_address(const Person *person, Channel channel); /* e-mail and SMS; empty: none */

typedef struct Hold {
	DeliveryState state; /* QUEUED: nothing holds it; else what it becomes */
	Str reason;          /* "preference", "bounce", "quiet_hours" */
	int64_t until_us;    /* DEFERRED */
} Hold;

/* May a message go to this address now? Asks preferences, suppressions, quiet hours, in this order. */
Err *person_hold(Db *db, Arena *a, const Person *person, MessageClass class, Str category,
                 Channel channel, Str address, int64_t now_us, Hold *out) MUST_USE;

/* From now on nothing goes to that address: scope "*" or a category; reason "bounce", "complaint", "unsubscribe" or "manual". */
Err *suppress(Db *tx, Arena *a, Channel channel, Str address, Str scope, Str reason, Str detail)
	MUST_USE;
/* Who it was is forgotten, in a transaction: what was sent stays as numbers. */
Err *person_erase(Db *tx, Arena *a, Str id) MUST_USE;

/* SPDX-License-Identifier: Apache-2.0
 *
 * From a delivery to the message that goes out. */
#pragma once
#include "notification/channel.h"
#include "notification/templates.h"

typedef struct DeliveryRow DeliveryRow;
typedef struct NotificationRow NotificationRow;
typedef struct NotificationState NotificationState;
typedef struct Person Person;
typedef struct WorkflowRow WorkflowRow;

typedef struct Making {
	const NotificationState *state;
	const DeliveryRow *delivery;
	const NotificationRow *notification;
	const WorkflowRow *workflow; /* NULL: it is gone */
	const Person *person;
	int64_t version; /* of the template: 0: the current one, then which it was */
} Making;

/* Fails as template_part and part_render, as notification_raw's function, and INVALID "notification.no_unsubscribe": news that could not be
 * unsubscribed from. These are INVALID or NOT_FOUND: it can never be sent. */
Err *message_make(Db *db, Arena *a, Making *making, Message *out) MUST_USE;
/* What templates see: the members of `data`, and `recipient` { id, name, locale }, `unsubscribe_url`. */
Err *message_data(Arena *a, Str data, const Person *person, Str unsubscribe, const Json **out)
	MUST_USE;

/* SPDX-License-Identifier: Apache-2.0
 *
 * Event: something that has happened to an aggregate (a user, an order), as a CloudEvent 1.0 in the JSON format.
 *
 *   {"specversion":"1.0","id":"018f...","source":"/user","type":"user.created","subject":"user/42",
 *    "time":"2026-01-31T23:59:59.123456Z","datacontenttype":"application/json","traceparent":"00-...","data":{...}}
 *
 * The subject is the aggregate, `TYPE/ID`: events of one subject are delivered in order. `traceparent` is W3C Trace Context, as
 * the CloudEvents extension of that name has it. Pure; any thread. */
#pragma once
#include "base/buf.h"
#include "base/uuid.h"

enum { EVENT_NAME_MOST = 200, EVENT_DATA_MOST = 1 << 20 /* bytes */ };

typedef struct Event {
	Uuid id;    /* nil, when it is put: a new one */
	Str source; /* who tells: "/user"; put by outbox_put's reader, not by who puts the event */
	Str type;   /* "user.created" */
	Str aggregate_type; /* letters, digits and . _ - */
	Str aggregate_id;   /* anything but control characters */
	int64_t time_us;    /* 0, when it is put: now */
	Str traceparent;    /* empty: none */
	Str data;           /* a JSON value; empty, when it is put: null */
	bool written;       /* a JsonWriter wrote the data: they need no look */
	int64_t seq;        /* its place in its source's order, where that is known */
} Event;

/* "user/42" */
Str event_subject(Arena *a, const Event *event);
/* Names, sizes, data that is JSON. Fails with INVALID "event.invalid" (the sentence names the attribute), TOO_LARGE
 * "event.too_large". */
Err *event_check(Arena *a, const Event *event) MUST_USE;

Err *event_check_data(Arena *a, Str data) MUST_USE; /* JSON, or empty; as event_check */

void event_put(Buf *b, const Event *event); /* the CloudEvent, one line; of a checked one */
/* A CloudEvent of anyone's. Its id must be a UUID, its subject have the form above. Attributes that are not known are dropped;
 * without `time` it is 0. The text of `data` is compact JSON in the arena. Fails as event_check does, and with those of json_read. */
Err *event_read(Arena *a, Str text, Event *out) MUST_USE;

/* Does a type match one of these? "user.created", "user.*" (all that begin with "user."), "*". */
bool event_type_in(Str type, const char *const *patterns, size_t count);

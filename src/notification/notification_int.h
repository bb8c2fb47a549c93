/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the service share: its state at work. */
#pragma once
#include "notification/delivery_domain.h"
#include "notification/notification.h"
#include "notification/notification_conf.h"

typedef struct JobRun JobRun;
typedef struct Zones Zones;
typedef struct JsonWriter JsonWriter;
typedef struct Seal Seal;

typedef struct NotificationState {
	const NotificationConf *conf;
	const ServiceHome *home;
	Providers *providers;
	NotificationRaw *raw; /* NULL: nobody has whole mails */
	Zones *zones;
	Str key; /* of tokens that unsubscribe */
} NotificationState;
NotificationState *notification_state(const ServiceHome *home);

/* Jobs: data {"id": "018f..."}, arg the ServiceHome. */
#define JOB_EXPAND "notification.expand"
#define JOB_DIGEST "notification.digest"
#define JOB_PART(channel) "notification.send." channel
Err *expand_job(JobRun *run, void *arg);
Err *send_job(JobRun *run, void *arg);
Err *digest_job(JobRun *run, void *arg);
Err *job_read_id(const JobRun *run, Uuid *id) MUST_USE; /* of such data */
/* Puts one: kind and id are its unique key. */
Err *job_put_id(Db *tx, Arena *a, Str kind, Uuid id, int64_t priority, int64_t run_at_us,
                Str traceparent) MUST_USE;

/* Zones of recipients, each read once. Parks (a worker reads the file). Fails as zone_load. Any loop. */
Zones *zones_new(Arena *a) RETURNS_NONNULL;
Err *zones_get(Zones *zones, Arena *a, Str name, const Zone **out) MUST_USE;

Str address_hash(Arena *a, Channel channel,
                 Str address); /* SHA-256, bytes, of what address_read gave */

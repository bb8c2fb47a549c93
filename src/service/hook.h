/* SPDX-License-Identifier: Apache-2.0
 *
 * Webhooks out, for any service: those who want to be told of its events by HTTP, and what each is told. An event is told at least once,
 * under the same id each time, in no promised order; signed as Standard Webhooks says (webhook-id, webhook-timestamp,
 * webhook-signature) and as Stripe does (Stripe-Signature).
 *
 *   TRY(hook_tell(tx, a, &(HookEvent){ .id = S("evt_..."), .type = S("invoice.paid"), .body = put, .arg = row }));
 *
 * in the transaction of what has happened: it notes a delivery, with its job, for each endpoint that wants this type. In the service's
 * row: `.jobs = { HOOK_JOBS, ... }, .schedules = { HOOK_SCHEDULES }`, hooks_open in its begin, hooks_close in its end, and
 * hook_routes() beside its own. Deliveries are tried for three days, then dead until somebody has them told again; an endpoint that
 * failed for `disable_after` without one success in between is disabled, as is one that answers 410.
 *
 * Only addresses of the open internet are asked (http/ask.h), but for `allow` of the configuration; in development, any. */
#pragma once
#include "base/conf.h"
#include "service/service.h"
#include "store/job.h"

enum { HOOKS_MOST = 50, HOOK_TYPES_MOST = 100, HOOK_URL_MOST = 2000 };
#define HOOK_JOB "webhook.deliver"
#define HOOK_HOUSE_JOB "webhook.house"
#define HOOK_JOBS \
	{ .name = HOOK_JOB, \
	  .fn = hook_deliver, \
	  .at_once = 32, \
	  .backoff_us = INT64_C(1000000), \
	  .backoff_max_us = INT64_C(21600000000) }, \
	{ \
		.name = HOOK_HOUSE_JOB, .fn = hook_house \
	}
#define HOOK_SCHEDULES \
	{ \
		.name = HOOK_HOUSE_JOB, .kind = HOOK_HOUSE_JOB, .cron = "41 * * * *" \
	}

JobFn hook_deliver, hook_house; /* arg: the ServiceHome */

typedef struct Hook {
	Uuid id; /* "we_..." */
	Str url;
	Str types; /* JSON: ["invoice.paid", "customer.*", "*"] */
	Str description, metadata /* JSON */, api_version;
	bool enabled;
	Str reason;     /* why it is disabled; empty: by hand */
	Str secret;     /* "whsec_..." */
	Str old_secret; /* signs as well until then; empty: none */
	int64_t old_until_us, failing_since_us, created_us, updated_us; /* 0: none */
} Hook;

/* All that take a Db park, but in a transaction of SQLite, and fail as db.h says. NULL *out: there is none. */

/* Fills id, secret (when it is empty) and times. Fails with CONFLICT "webhook.many", INVALID "webhook.url", "webhook.types". */
Err *hook_add(Db *tx, Arena *a, bool development, Hook *hook) MUST_USE;
Err *hook_change(Db *tx, Arena *a, bool development, Hook *hook)
	MUST_USE; /* all but id, secrets and times */
Err *hook_load(Db *db, Arena *a, Uuid id, Hook **out) MUST_USE;
Err *hook_remove(Db *tx, Arena *a, Uuid id, bool *removed) MUST_USE; /* with what it was told */
/* Newest first, or oldest first when `backwards`; ids below `after` and above `before`. */
Err *hook_page(Db *db, Arena *a, Uuid after, Uuid before, bool backwards, size_t most, Hook **out,
               size_t *count) MUST_USE;
/* A new secret; the old one signs too for keep_us. */
Err *hook_rotate(Db *tx, Arena *a, Uuid id, int64_t keep_us, Hook **out) MUST_USE;
/* "*", "invoice.*" or the type itself. */
bool hook_wants(Arena *a, const Hook *hook, Str type);

typedef struct HookEvent {
	Str id; /* the same for the same event: "evt_..." */
	Str type;
	Str traceparent;
	/* Its body; called when somebody wants it only. */
	Err *(*body)(Db *tx, Arena *a, const void *arg, Str *out);
	const void *arg;
} HookEvent;
Err *hook_tell(Db *tx, Arena *a, const HookEvent *event) MUST_USE;

/* --- deliveries ---------------------------------------------------------------------------------------------------------- */

typedef struct HookDelivery {
	Uuid id, endpoint; /* "whd_...", "we_..." */
	Str event, type, state /* waiting, delivered, dead */, error;
	int64_t tries, status, created_us, tried_us, ended_us;
} HookDelivery;
Err *hook_deliveries(Db *db, Arena *a, Uuid endpoint, Str state, Uuid before, size_t most,
                     HookDelivery **out, size_t *count) MUST_USE;
/* Told again, whether it was delivered or is dead, from now on. *done false: there is none, or it waits anyway. */
Err *hook_replay(Db *tx, Arena *a, Uuid delivery, bool *done) MUST_USE;
/* All dead ones of an endpoint, of events from that time on, up to 1000 at a time; *count: how many. Enables it again. */
Err *hook_replay_dead(Db *tx, Arena *a, Uuid endpoint, int64_t since_us, int64_t *count) MUST_USE;

/* GET /v1/webhook_endpoints/{id}/deliveries, POST .../replay, POST .../rotate_secret, POST /v1/webhook_deliveries/{id}/replay;
 * scopes webhooks:read and webhooks:write. Endpoints themselves are each service's own to make, in its own manner. */
ServiceRoutes hook_routes(void);
/* Those, in JSON, for services without a manner: GET, POST /v1/webhook_endpoints, GET, PATCH, DELETE .../{id}. */
ServiceRoutes hook_endpoint_routes(void);

/* --- begin and end ------------------------------------------------------------------------------------------------------- */

typedef struct HookConf {
	CONF_LIST_OF(Str) allow; /* networks that may be told although they are private */
	Str ca;                  /* authorities of receivers; empty: the system's */
	int64_t timeout_us;
	int64_t disable_after_us;
} HookConf;
const ConfTable *hook_conf_table(void); /* for a CONF_OBJECT `webhooks` in a service's keys */

/* conf lives as long. Parks; fails as ask_open, INVALID "webhook.allow". */
Err *hooks_open(ServiceHome *home, const HookConf *conf) MUST_USE;
void hooks_close(ServiceHome *home); /* parks; fine when it is not open */

struct MetricFamily;
const struct MetricFamily *hook_metrics(size_t *count);

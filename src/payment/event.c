/* SPDX-License-Identifier: Apache-2.0
 *
 * What has happened, told twice in its transaction: as a row that /v1/events shows (and webhooks carry), with the object as it was then, and as
 * an event of the outbox for other services. */
#include "payment/intent_int.h"

#include "base/arena.h"
#include "base/time.h"
#include "payment/event.h"
#include "payment/payment_api.h"
#include "payment/stripe_int.h"
#include "service/hook.h"
#include "store/outbox.h"

#define API_VERSION "2022-11-15"

/* "payment_intent.succeeded" is told of "payment_intent". */
static Str kind_of(Str type)
{
	Str rest = type, kind;

	return str_split(&rest, '.', &kind) ? kind : type;
}

static StripePut told_put;

static Err *told_text(Db *tx, Arena *a, const void *arg, Str *out)
{
	(void)tx;
	*out = stripe_text(a, told_put, arg);
	return NULL;
}

Err *stripe_event_put(Db *tx, Arena *a, const StripeEvent *event)
{
	ToldRow row = { .type = event->type,
		        .object_id = event->object_id,
		        .object = event->object,
		        .request = event->request,
		        .request_key = event->request_key };

	row.id = payment_id(&row.created_at);
	if (event->previous.len)
		row.previous = opt_str(event->previous);
	TRY(db_exec_with(tx, a, event_add, &row, NULL));
	TRY(hook_tell(tx, a,
	              &(HookEvent){ .id = service_id_text(a, "evt_", row.id),
	                            .type = event->type,
	                            .traceparent = event->traceparent,
	                            .body = told_text,
	                            .arg = &row }));
	return outbox_put(tx, a,
	                  &(Event){ .id = row.id,
	                            .type = event->type,
	                            .aggregate_type = kind_of(event->type),
	                            .aggregate_id = event->object_id,
	                            .traceparent = event->traceparent,
	                            .data = event->object,
	                            .written = true },
	                  NULL);
}

Err *stripe_event(ServiceCall *c, Db *tx, const char *type, Str object_id, Str object)
{
	return stripe_event_put(tx, c->arena,
	                        &(StripeEvent){ .type = str_of(type),
	                                        .object_id = object_id,
	                                        .object = object,
	                                        .traceparent = c->traceparent,
	                                        .request = c->request_id,
	                                        .request_key =
	                                                service_header(c, "Idempotency-Key") });
}

static Err *tell(Db *tx, Arena *a, const Act *act, const char *type, Str id, Str object)
{
	if (act->call)
		return stripe_event(act->call, tx, type, id, object);
	return stripe_event_put(tx, a,
	                        &(StripeEvent){ .type = str_of(type),
	                                        .object_id = id,
	                                        .object = object,
	                                        .traceparent =
	                                                act->traceparent.len
	                                                        ? act->traceparent
	                                                        : act->attempt.traceparent });
}

Err *intent_tell(Db *tx, Arena *a, const Act *act, const char *type, const IntentRow *intent)
{
	return tell(tx, a, act, type, intent_id_text(a, intent->id),
	            stripe_text(a, intent_put, &(IntentView){ .intent = intent, .told = true }));
}

Err *charge_tell(Db *tx, Arena *a, const Act *act, const char *type, const ChargeRow *charge)
{
	return tell(tx, a, act, type, service_id_text(a, "ch_", charge->id),
	            stripe_text(a, charge_put, charge));
}

Err *refund_tell(Db *tx, Arena *a, const Act *act, const char *type, const RefundRow *refund)
{
	return tell(tx, a, act, type, service_id_text(a, "re_", refund->id),
	            stripe_text(a, refund_put, refund));
}

/* --- as Stripe shows them ------------------------------------------------------------------------------------------------------ */

static void told_put(JsonWriter *w, Arena *a, const void *object)
{
	const ToldRow *row = object;

	stripe_begin(w, service_id_text(a, "evt_", row->id), "event");
	json_put_str(w, "api_version", S(API_VERSION));
	stripe_put_time(w, "created", row->created_at);
	json_key(w, S("data"));
	json_begin_object(w);
	stripe_put_json(w, "object", row->object);
	if (row->previous.set)
		stripe_put_json(w, "previous_attributes", row->previous.v);
	json_end(w);
	stripe_put_live(w);
	json_put_i64(w, "pending_webhooks", 0);
	json_key(w, S("request"));
	json_begin_object(w);
	stripe_put_text(w, "id", row->request);
	stripe_put_text(w, "idempotency_key", row->request_key);
	json_end(w);
	json_put_str(w, "type", row->type);
	json_end(w);
}

Err *stripe_event_text(Db *db, Arena *a, Uuid id, Str *json)
{
	ToldRow *row;

	*json = S("");
	TRY(db_one(db, a, event_by_id, &row, .id = id));
	if (row)
		*json = stripe_text(a, told_put, row);
	return NULL;
}

typedef struct EventsAsk {
	Str type;
} EventsAsk;
static const Field events_rows[] = {
	{ "type", FIELD_STR, AT(EventsAsk, type), .max = 100, .help = "of this type only" },
};
static const FieldTable events_ask = { "Events", FIELD_ROWS(EventsAsk, events_rows),
	                               .help = "which events" };

static Err *events_get(ServiceCall *c)
{
	EventsAsk in;
	StripeList list;
	ToldRow *rows;
	JsonWriter *w;
	size_t count;

	TRY(stripe_take(c, &events_ask, &in));
	TRY(stripe_list_begin(c, "evt_", &list));
	if (list.backwards)
		TRY(db_all(c->db, c->arena, events_page_back, &rows, &count, .type = in.type,
		           .after = list.after, .before = list.before, .most = list.most));
	else
		TRY(db_all(c->db, c->arena, events_page, &rows, &count, .type = in.type,
		           .after = list.after, .before = list.before, .most = list.most));
	w = stripe_list_open(c, &list, count);
	for (size_t i = 0; i < list.shown; i++)
		told_put(w, c->arena, &rows[stripe_list_at(&list, i)]);
	return stripe_list_end(c, &list);
}

static Err *event_get(ServiceCall *c)
{
	ToldRow *row;
	Uuid id;

	TRY(stripe_take(c, NULL, NULL));
	TRY(stripe_id(c, "evt_", &id));
	TRY(db_one(c->db, c->arena, event_by_id, &row, .id = id));
	if (!row)
		return stripe_missing(c, "event", service_part(c, "id"), "id");
	told_put(stripe_json(c), c->arena, row);
	return stripe_say(c);
}

/* --- movements of the balance ---------------------------------------------------------------------------------------------------- */

static Err *moved_list(ServiceCall *c)
{
	EventsAsk in;
	StripeList list;
	MovedRow *rows;
	JsonWriter *w;
	size_t count;

	TRY(stripe_take(c, &events_ask, &in));
	TRY(stripe_list_begin(c, "txn_", &list));
	if (list.backwards)
		TRY(db_all(c->db, c->arena, moved_page_back, &rows, &count, .type = in.type,
		           .after = list.after, .before = list.before, .most = list.most));
	else
		TRY(db_all(c->db, c->arena, moved_page, &rows, &count, .type = in.type,
		           .after = list.after, .before = list.before, .most = list.most));
	w = stripe_list_open(c, &list, count);
	for (size_t i = 0; i < list.shown; i++)
		moved_put(w, c->arena, &rows[stripe_list_at(&list, i)]);
	return stripe_list_end(c, &list);
}

static Err *moved_get(ServiceCall *c)
{
	MovedRow *row;
	Uuid id;

	TRY(stripe_take(c, NULL, NULL));
	TRY(stripe_id(c, "txn_", &id));
	TRY(db_one(c->db, c->arena, moved_by_id, &row, .id = id));
	if (!row)
		return stripe_missing(c, "balance transaction", service_part(c, "id"), "id");
	moved_put(stripe_json(c), c->arena, row);
	return stripe_say(c);
}

static const ServiceRoute rows[] = {
	STRIPE_LIST("/v1/events", events_get, &events_ask, "events:read",
	            "what has happened, newest first"),
	STRIPE_GET("/v1/events/{id}", event_get, "events:read", "one event"),
	STRIPE_LIST("/v1/balance_transactions", moved_list, &events_ask, "balance:read",
	            "what moved the balance, newest first"),
	STRIPE_GET("/v1/balance_transactions/{id}", moved_get, "balance:read",
	           "one movement of the balance"),
};

ServiceRoutes event_routes(void)
{
	return (ServiceRoutes)SERVICE_ROUTES(rows);
}

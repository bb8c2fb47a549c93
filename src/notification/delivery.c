/* SPDX-License-Identifier: Apache-2.0
 *
 * Changes of deliveries. The version of a row is its lock (two who change it at once: one fails and looks again) and the number
 * of the step in its timeline, so a timeline has no holes and no step twice. What others may want to count becomes an event,
 * in the same transaction. */
#include "notification/delivery.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"
#include "notification/notification_int.h"
#include "store/outbox.h"

#include "notification_delivery_sql.h"

DeliveryState delivery_state_of(const DeliveryRow *row)
{
	DeliveryState state = DELIVERY_FAILED;

	delivery_state_read(row->state, &state);
	return state;
}

Channel delivery_channel(const DeliveryRow *row)
{
	Channel channel = CHANNEL_INBOX;

	channel_read(row->channel, &channel);
	return channel;
}

MessageClass delivery_class(const DeliveryRow *row)
{
	MessageClass class = CLASS_TRANSACTIONAL;

	class_read(row->class, &class);
	return class;
}

/* --- events ------------------------------------------------------------------------------------------------------------ */

/* What is told: what became of it, not that it waits. */
static bool is_told(DeliveryState state)
{
	return delivery_final(state) && state != DELIVERY_DIGESTED;
}

static Err *tell(Db *tx, Arena *a, const DeliveryRow *row, Str provider, Str traceparent)
{
	AUTO(buf_fini) Buf text = { .limit = 16 << 10 };
	JsonWriter w = json_writer(&text);
	Str data;

	json_begin_object(&w);
	json_put_str(&w, "notification",
	             str_fmt(a, "ntf_%.*s", STR_ARG(uuid_text(a, row->notification_id))));
	json_put_str(&w, "delivery", str_fmt(a, "dlv_%.*s", STR_ARG(uuid_text(a, row->id))));
	json_put_str(&w, "state", row->state);
	json_put_str(&w, "reason", row->reason);
	json_put_str(&w, "workflow", row->workflow);
	json_put_str(&w, "category", row->category);
	json_put_str(&w, "class", row->class);
	json_put_str(&w, "channel", row->channel);
	json_put_str(&w, "recipient", row->recipient);
	json_put_str(&w, "provider", provider);
	json_put_i64(&w, "attempts", row->attempts);
	json_end(&w);
	TRY(json_done(&w, &data));
	return outbox_put(tx, a,
	                  &(Event){ .type = str_fmt(a, "notification.%.*s", STR_ARG(row->state)),
	                            .aggregate_type = S("delivery"),
	                            .aggregate_id = uuid_text(a, row->id),
	                            .traceparent = traceparent,
	                            .data = data },
	                  NULL);
}

/* --- changes ----------------------------------------------------------------------------------------------------------- */

Err *delivery_change(Db *tx, Arena *a, DeliveryRow *row, const DeliveryChange *change)
{
	DeliveryState from = delivery_state_of(row);
	Str state = str_of(delivery_state_name(change->to));
	int64_t now_us = time_utc_us(), changed;

	if (!delivery_may(from, change->to))
		return err_new(a, ERR_CONFLICT, "delivery.state", "what is %s does not become %s",
		               delivery_state_name(from), delivery_state_name(change->to));
	TRY(db_exec(tx, a, delivery_move, &changed, .id = row->id, .state = state,
	            .reason = change->reason, .attempts = row->attempts, .tried = row->tried,
	            .template_version = row->template_version, .digest_id = row->digest_id,
	            .due_at = change->due_at_us ? opt_int(change->due_at_us) : (OptInt){ 0 },
	            .version = row->version, .now = now_us));
	if (!changed)
		return err_new(a, ERR_CONFLICT, "delivery.changed", "it has changed since");
	row->version++;
	row->state = state;
	row->reason = change->reason;
	row->due_at = change->due_at_us ? opt_int(change->due_at_us) : (OptInt){ 0 };
	row->updated_at = now_us;
	TRY(db_exec(tx, a, step_add, NULL, .delivery_id = row->id, .n = row->version,
	            .state = state, .detail = change->detail.len ? change->detail : change->reason,
	            .now = now_us));
	return is_told(change->to) ? tell(tx, a, row, change->provider, change->traceparent) : NULL;
}

Err *delivery_begin(Db *tx, Arena *a, const DeliveryRow *row, Str traceparent, bool *added)
{
	int64_t changed;

	TRY(db_exec_with(tx, a, delivery_add, row, &changed));
	*added = changed > 0;
	if (*added && is_told(delivery_state_of(row)))
		return tell(tx, a, row, S(""), traceparent);
	return NULL;
}

Err *delivery_attempt(Db *tx, Arena *a, DeliveryRow *row, Str provider)
{
	row->attempts++;
	TRY(delivery_change(tx, a, row,
	                    &(DeliveryChange){ .to = DELIVERY_SENDING, .detail = provider }));
	return db_exec(tx, a, send_attempt_add, NULL, .delivery_id = row->id, .n = row->attempts,
	               .provider = provider, .now = row->updated_at);
}

Err *delivery_attempted(Db *tx, Arena *a, const DeliveryRow *row, const SendResult *result)
{
	int64_t changed;

	TRY(db_exec(tx, a, send_attempt_end, &changed, .delivery_id = row->id, .n = row->attempts,
	            .outcome = str_of(outcome_name(result->outcome)),
	            .provider_id = result->id.len ? opt_str(result->id) : (OptStr){ 0 },
	            .code = str_sub(result->code, 0, 100),
	            .detail = str_sub(result->detail, 0, 500), .segments = result->segments,
	            .now = time_utc_us()));
	if (!changed)
		return err_new(a, ERR_CONFLICT, "delivery.changed",
		               "that attempt has ended already");
	return NULL;
}

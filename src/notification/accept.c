/* SPDX-License-Identifier: Apache-2.0
 *
 * Accepting: durable with one row of the notification and one of the job that makes its deliveries, whether it is for one or for a
 * topic of a hundred thousand. Whoever asked has the answer before anybody is looked up. */
#include "notification/accept.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"
#include "notification/delivery.h"
#include "notification/notification_int.h"

#include "notification_delivery_sql.h"
#include "notification_sql.h"

Err *workflow_need(Db *db, Arena *a, Str name, WorkflowRow **out)
{
	TRY(db_one(db, a, workflow_by_name, out, .name = name));
	if (!*out)
		return err_new(a, ERR_NOT_FOUND, "workflow.unknown", "there is no workflow %.*s",
		               STR_ARG(str_quote(a, name)));
	return NULL;
}

static OptInt time_or_none(int64_t us)
{
	return us ? opt_int(us) : (OptInt){ 0 };
}

static int64_t expires_at(const WorkflowRow *w, const Asked *asked, int64_t now_us)
{
	int64_t from_us = asked->send_at_us ? asked->send_at_us : now_us;

	if (asked->expires_us || !w->expires_s)
		return asked->expires_us;
	return from_us + w->expires_s * US_PER_S;
}

Err *notification_accept(Db *tx, Arena *a, const WorkflowRow *w, const Asked *asked,
                         NotificationRow **out)
{
	NotificationRow *row = ARENA_NEW(a, NotificationRow);
	int64_t now_us = time_utc_us();
	MessageClass class = CLASS_TRANSACTIONAL;

	class_read(w->class, &class);
	*row = (NotificationRow){
		.id = uuid_new(),
		.workflow = w->name,
		.class = w->class,
		.category = w->category,
		.state = S("accepted"),
		.recipients = asked->recipients,
		.channels = asked->channels.len ? asked->channels : w->channels,
		.data = asked->data.len ? asked->data : S("{}"),
		.content = asked->content.len ? opt_str(asked->content) : (OptStr){ 0 },
		.raw_ref = asked->raw_ref.len ? opt_str(asked->raw_ref) : (OptStr){ 0 },
		.priority = class_rule(class)->priority + asked->nudge,
		.send_at = time_or_none(asked->send_at_us),
		.expires_at = time_or_none(expires_at(w, asked, now_us)),
		.collapse_key = asked->collapse_key,
		.author = asked->author,
		.traceparent = asked->traceparent,
		.created_at = now_us,
	};
	TRY(db_exec_with(tx, a, notification_add, row, NULL));
	TRY(job_put_id(tx, a, S(JOB_EXPAND), row->id, row->priority, asked->send_at_us,
	               asked->traceparent));
	*out = row;
	return NULL;
}

Err *notification_put(Db *tx, Arena *a, const NotificationDraft *draft, Uuid *id)
{
	AUTO(buf_fini) Buf to = { 0 };
	JsonWriter w = json_writer(&to);
	Asked asked = { .data = draft->data,
		        .channels = str_of(channel_name(draft->channel)),
		        .raw_ref = draft->raw_ref,
		        .send_at_us = draft->send_at_us,
		        .expires_us = draft->expires_us,
		        .collapse_key = draft->collapse_key,
		        .author = S("intake"),
		        .traceparent = draft->traceparent };
	WorkflowRow *workflow;
	NotificationRow *row;

	if (!draft->recipient.len && !draft->address.len)
		return err_new(a, ERR_INVALID, "notification.draft", "it is for nobody");
	json_begin_array(&w);
	json_begin_object(&w);
	if (draft->recipient.len)
		json_put_str(&w, "recipient", draft->recipient);
	if (draft->address.len)
		json_put_str(&w, draft->channel == CHANNEL_SMS ? "phone" : "email", draft->address);
	json_end(&w);
	json_end(&w);
	TRY(json_done(&w, &asked.recipients));
	TRY(workflow_need(tx, a, draft->workflow, &workflow));
	TRY(notification_accept(tx, a, workflow, &asked, &row));
	*id = row->id;
	return NULL;
}

Err *notification_cancel_all(Db *tx, Arena *a, Uuid id, Str author, int64_t *cancelled)
{
	DeliveryRow *rows;
	size_t count;

	TRY(db_exec(tx, a, notification_cancel, NULL, .id = id, .now = time_utc_us()));
	TRY(db_all(tx, a, deliveries_unsent_of, &rows, &count, .notification_id = id));
	for (size_t i = 0; i < count; i++)
		TRY(delivery_change(tx, a, &rows[i],
		                    &(DeliveryChange){
					    .to = DELIVERY_CANCELLED,
					    .reason = S("cancelled"),
					    .detail = str_fmt(a, "by %.*s", STR_ARG(author)) }));
	*cancelled = (int64_t)count;
	return NULL;
}

Err *delivery_retry(Db *tx, Arena *a, Uuid id, Str author)
{
	DeliveryRow *row;

	TRY(db_one(tx, a, delivery_lock, &row, .id = id));
	if (!row)
		return err_new(a, ERR_NOT_FOUND, "delivery.unknown", "there is no such delivery");
	row->tried = S("");
	TRY(delivery_change(tx, a, row,
	                    &(DeliveryChange){ .to = DELIVERY_QUEUED,
	                                       .reason = S("retry"),
	                                       .detail = str_fmt(a, "by %.*s", STR_ARG(author)) }));
	return job_put_id(tx, a, str_fmt(a, JOB_PART("%.*s"), STR_ARG(row->channel)), id,
	                  row->priority, 0, S(""));
}

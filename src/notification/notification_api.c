/* SPDX-License-Identifier: Apache-2.0
 *
 * The API of notifications: asking for one, looking what became of it, taking it back. */
#include "notification/notification_api.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"
#include "notification/accept.h"
#include "notification/delivery_domain.h"
#include "notification/figures.h"
#include "notification/notification_int.h"

#include "notification_delivery_sql.h"
#include "notification_sql.h"

enum { RECIPIENTS_MOST = 1000, BODY_MOST = 1 << 20, SHOWN = 100 };

/* --- what is sent -------------------------------------------------------------------------------------------------------- */

static const char *verify_name(Arena *a, Str text)
{
	(void)a;
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.at[i] <= ' ' || text.at[i] == '/')
			return "has a blank or a slash";
	return NULL;
}

static const char *verify_email(Arena *a, Str text)
{
	return address_read(a, CHANNEL_EMAIL, text, &text);
}

static const char *verify_phone(Arena *a, Str text)
{
	return address_read(a, CHANNEL_SMS, text, &text);
}

static const char *verify_language(Arena *a, Str text)
{
	(void)a;
	return language_is(text) ? NULL : "is no language tag";
}

typedef struct ToIn {
	Str recipient, topic, email, phone, locale;
} ToIn;
static const Field to_rows[] = {
	{ "recipient", FIELD_STR, AT(ToIn, recipient), .min = 1, .max = 128, .verify = verify_name,
	  .help = "somebody whose contacts are known" },
	{ "topic", FIELD_STR, AT(ToIn, topic), .min = 1, .max = 128, .verify = verify_name,
	  .help = "all who are in it" },
	{ "email", FIELD_STR, AT(ToIn, email), .min = 3, .max = 254, .verify = verify_email,
	  .format = "email",
	  .help = "an address, instead of the recipient's own or of one who is not known" },
	{ "phone", FIELD_STR, AT(ToIn, phone), .min = 3, .max = 40, .verify = verify_phone,
	  .help = "a telephone number as +491701234567, likewise" },
	{ "locale", FIELD_STR, AT(ToIn, locale), .min = 1, .max = 35, .verify = verify_language,
	  .help = "the language; else the recipient's" },
};
static const FieldTable to_fields = { "NotificationTo", FIELD_ROWS(ToIn, to_rows),
	                              .help = "one of recipient, topic, email and phone" };

typedef struct ContentIn {
	Str subject, text, html, url, icon, data;
} ContentIn;
static const Field content_rows[] = {
	{ "subject", FIELD_STR, AT(ContentIn, subject), .max = 1000,
	  .help = "of a mail; the title elsewhere" },
	{ "text", FIELD_STR, AT(ContentIn, text), .max = 256 << 10, .controls = true,
	  .help = "plain text" },
	{ "html", FIELD_STR, AT(ContentIn, html), .max = 256 << 10, .controls = true,
	  .help = "of a mail" },
	{ "url", FIELD_STR, AT(ContentIn, url), .max = 2000, .help = "where a click leads" },
	{ "icon", FIELD_STR, AT(ContentIn, icon), .max = 2000, .help = "a picture's URL" },
	{ "data", FIELD_STR, AT(ContentIn, data), .max = 16 << 10, .controls = true,
	  .help = "a JSON object for the application, as text" },
};
static const FieldTable content_fields = {
	"NotificationContent", FIELD_ROWS(ContentIn, content_rows),
	.help = "templates that are given with the notification, for all its channels"
};

static const ConfWord channel_words[] = {
	{ "email", CHANNEL_EMAIL, "e-mail" },
	{ "sms", CHANNEL_SMS, "SMS" },
	{ "push", CHANNEL_PUSH, "to devices" },
	{ "inbox", CHANNEL_INBOX, "in the application" },
	{ 0 },
};
static const ConfWord priority_words[] = {
	{ "normal", 0, "as its class says" },
	{ "low", 1, "after others of its class" },
	{ "high", 2, "before others of its class" },
	{ 0 },
};

typedef struct NotificationIn {
	Str workflow;
	CONF_LIST_OF(ToIn) to;
	CONF_LIST_OF(uint8_t) channels;
	const Json *data;
	ContentIn content;
	bool has_content;
	uint8_t priority;
	int64_t send_at, expires_at;
	Str collapse_key;
} NotificationIn;
static const Field in_rows[] = {
	{ "workflow", FIELD_STR, AT(NotificationIn, workflow), .required = true, .min = 1,
	  .max = 128, .help = "what kind of notification it is" },
	{ "to", FIELD_OBJECT, AT_LIST(NotificationIn, to), .required = true,
	  .items_max = RECIPIENTS_MOST, .table = &to_fields, .help = "whom it is for" },
	{ "channels", FIELD_ENUM, AT_LIST(NotificationIn, channels), .items_max = 4,
	  .names = channel_words, .help = "instead of the workflow's" },
	{ "data", FIELD_JSON, AT(NotificationIn, data),
	  .help = "an object: what templates are filled with" },
	{ "content", FIELD_OBJECT, AT(NotificationIn, content), GIVEN(NotificationIn, has_content),
	  .table = &content_fields, .help = "instead of the workflow's template" },
	{ "priority", FIELD_ENUM, AT(NotificationIn, priority), .names = priority_words,
	  .help = "within its class" },
	{ "send_at", FIELD_TIME, AT(NotificationIn, send_at), .help = "not before" },
	{ "expires_at", FIELD_TIME, AT(NotificationIn, expires_at),
	  .help = "worth nothing after that; else as the workflow says" },
	{ "collapse_key", FIELD_STR, AT(NotificationIn, collapse_key), .max = 200,
	  .help = "stands in for what is unsent of an earlier one with this key, for the same recipient and channel" },
};
static const FieldTable new_notification = { "NewNotification", FIELD_ROWS(NotificationIn, in_rows),
	                                     .help = "a notification that is asked for" };

/* --- what is said -------------------------------------------------------------------------------------------------------- */

typedef struct NotificationOut {
	Uuid id;
	Str workflow, class, category, state;
	int64_t created_at, send_at, expires_at;
	const Json *deliveries;
} NotificationOut;
static const Field out_rows[] = {
	{ "id", FIELD_ID, AT(NotificationOut, id), .required = true, .prefix = "ntf_",
	  .help = "its id" },
	{ "workflow", FIELD_STR, AT(NotificationOut, workflow), .help = "what kind it is" },
	{ "class", FIELD_STR, AT(NotificationOut, class),
	  .help = "security, critical, transactional, bulk" },
	{ "category", FIELD_STR, AT(NotificationOut, category),
	  .help = "what preferences call it" },
	{ "state", FIELD_STR, AT(NotificationOut, state),
	  .help = "accepted, expanding, expanded, cancelled" },
	{ "created_at", FIELD_TIME, AT(NotificationOut, created_at),
	  .help = "when it was accepted" },
	{ "send_at", FIELD_TIME, AT(NotificationOut, send_at),
	  .help = "not before; null: at once" },
	{ "expires_at", FIELD_TIME, AT(NotificationOut, expires_at), .help = "null: never" },
	{ "deliveries", FIELD_JSON, AT(NotificationOut, deliveries),
	  .help = "the first hundred, with their timelines" },
};
static const FieldTable notification_fields = { "Notification",
	                                        FIELD_ROWS(NotificationOut, out_rows),
	                                        .help = "a notification" };

void put_time_or_null(JsonWriter *w, const char *key, OptInt at)
{
	json_key(w, str_of(key));
	if (at.set)
		json_add_time(w, at.v);
	else
		json_add_null(w);
}

static void put_words(JsonWriter *w, const char *key, Str words)
{
	Str word;

	json_key(w, str_of(key));
	json_begin_array(w);
	while (str_split(&words, ' ', &word))
		json_add_str(w, word);
	json_end(w);
}

static void put_head(JsonWriter *w, Arena *a, const NotificationRow *n)
{
	json_put_str(w, "id", service_id_text(a, "ntf_", n->id));
	json_put_str(w, "workflow", n->workflow);
	json_put_str(w, "class", n->class);
	json_put_str(w, "category", n->category);
	json_put_str(w, "state", n->state);
	put_words(w, "channels", n->channels);
	put_time_or_null(w, "created_at", opt_int(n->created_at));
	put_time_or_null(w, "send_at", n->send_at);
	put_time_or_null(w, "expires_at", n->expires_at);
	put_time_or_null(w, "expanded_at", n->expanded_at);
	put_time_or_null(w, "cancelled_at", n->cancelled_at);
}

static void put_delivery_head(JsonWriter *w, Arena *a, const DeliveryRow *d)
{
	json_put_str(w, "id", service_id_text(a, "dlv_", d->id));
	json_put_str(w, "notification", service_id_text(a, "ntf_", d->notification_id));
	json_put_str(w, "recipient", d->recipient);
	json_put_str(w, "channel", d->channel);
	json_put_str(w, "address", d->address);
	json_put_str(w, "state", d->state);
	json_put_str(w, "reason", d->reason);
	json_put_i64(w, "attempts", d->attempts);
	put_time_or_null(w, "due_at", d->due_at);
	put_time_or_null(w, "created_at", opt_int(d->created_at));
	put_time_or_null(w, "updated_at", opt_int(d->updated_at));
	json_key(w, S("template_version"));
	if (d->template_version.set)
		json_add_i64(w, d->template_version.v);
	else
		json_add_null(w);
}

static Err *put_timeline(JsonWriter *w, Db *db, Arena *a, const DeliveryRow *d)
{
	StepsOfRow *steps;
	size_t count;

	TRY(db_all(db, a, steps_of, &steps, &count, .delivery_id = d->id));
	json_key(w, S("timeline"));
	json_begin_array(w);
	for (size_t i = 0; i < count; i++) {
		json_begin_object(w);
		put_time_or_null(w, "at", opt_int(steps[i].at));
		json_put_str(w, "state", steps[i].state);
		json_put_str(w, "detail", steps[i].detail);
		json_end(w);
	}
	json_end(w);
	return NULL;
}

static Err *put_attempts(JsonWriter *w, Db *db, Arena *a, const DeliveryRow *d)
{
	SendAttemptRow *rows;
	size_t count;

	TRY(db_all(db, a, send_attempts_of, &rows, &count, .delivery_id = d->id));
	json_key(w, S("attempts_made"));
	json_begin_array(w);
	for (size_t i = 0; i < count; i++) {
		json_begin_object(w);
		json_put_i64(w, "n", rows[i].n);
		json_put_str(w, "provider", rows[i].provider);
		put_time_or_null(w, "started_at", opt_int(rows[i].started_at));
		put_time_or_null(w, "ended_at", rows[i].ended_at);
		json_put_str(w, "outcome", rows[i].outcome.v);
		json_put_str(w, "provider_id", rows[i].provider_id.v);
		json_put_str(w, "code", rows[i].code);
		json_put_str(w, "detail", rows[i].detail);
		if (rows[i].segments)
			json_put_i64(w, "segments", rows[i].segments);
		json_end(w);
	}
	json_end(w);
	return NULL;
}

static Err *put_delivery(JsonWriter *w, Db *db, Arena *a, const DeliveryRow *d)
{
	json_begin_object(w);
	put_delivery_head(w, a, d);
	TRY(put_timeline(w, db, a, d));
	TRY(put_attempts(w, db, a, d));
	json_end(w);
	return NULL;
}

/* --- asking for one ------------------------------------------------------------------------------------------------------- */

static Str json_text(Arena *a, const Json *value)
{
	AUTO(buf_fini) Buf text = { .limit = BODY_MOST };
	JsonWriter w = json_writer(&text);

	json_put(&w, value);
	return str_dup(a, buf_str(&text));
}

static void check_to(ServiceCall *c, const NotificationIn *in)
{
	for (size_t i = 0; i < in->to.count; i++) {
		const ToIn *to = &in->to.at[i];
		const char *pointer = str_z(c->arena, str_fmt(c->arena, "/to/%zu", i));

		if (to->topic.len &&
		    (to->recipient.len || to->email.len || to->phone.len || to->locale.len))
			service_mistake(c, pointer, "invalid", "a topic stands alone");
		else if (!to->topic.len && !to->recipient.len && !to->email.len && !to->phone.len)
			service_mistake(c, pointer, "required",
			                "one of recipient, topic, email and phone is needed");
	}
}

static Err *check(ServiceCall *c, const NotificationIn *in)
{
	if (!in->to.count)
		service_mistake(c, "/to", "required", "to is empty");
	check_to(c, in);
	if (in->data && json_kind(in->data) != JSON_KIND_OBJECT)
		service_mistake(c, "/data", "type", "data must be an object");
	if (in->expires_at && in->expires_at <= MAX(time_utc_us(), in->send_at))
		service_mistake(c, "/expires_at", "range", "expires_at is before it could be sent");
	return service_mistakes(c);
}

/* Addresses in the one form that everything else compares. */
static Str recipients_text(Arena *a, const NotificationIn *in)
{
	AUTO(buf_fini) Buf text = { .limit = BODY_MOST };
	JsonWriter w = json_writer(&text);

	json_begin_array(&w);
	for (size_t i = 0; i < in->to.count; i++) {
		const ToIn *to = &in->to.at[i];
		Str address = S("");

		json_begin_object(&w);
		if (to->recipient.len)
			json_put_str(&w, "recipient", to->recipient);
		if (to->topic.len)
			json_put_str(&w, "topic", to->topic);
		if (to->email.len && !address_read(a, CHANNEL_EMAIL, to->email, &address))
			json_put_str(&w, "email", address);
		if (to->phone.len && !address_read(a, CHANNEL_SMS, to->phone, &address))
			json_put_str(&w, "phone", address);
		if (to->locale.len)
			json_put_str(&w, "locale", to->locale);
		json_end(&w);
	}
	json_end(&w);
	return str_dup(a, buf_str(&text));
}

static Str channels_text(Arena *a, const NotificationIn *in)
{
	Str text = S("");

	for (size_t i = 0; i < in->channels.count; i++)
		text = str_fmt(a, "%.*s%s%s", STR_ARG(text), i ? " " : "",
		               channel_name((Channel)in->channels.at[i]));
	return text;
}

static Err *add(ServiceCall *c, Db *tx, void *arg)
{
	Asked *asked = arg;
	const NotificationIn *in = c->in;
	WorkflowRow *workflow;
	NotificationRow *row;
	JsonWriter *w;

	TRY(workflow_need(tx, c->arena, in->workflow, &workflow));
	TRY(notification_accept(tx, c->arena, workflow, asked, &row));
	class_read(row->class, &asked->class);
	service_say_header(c, "Location",
	                   str_fmt(c->arena, "/v1/notifications/%.*s",
	                           STR_ARG(service_id_text(c->arena, "ntf_", row->id))));
	w = service_json(c);
	json_begin_object(w);
	put_head(w, c->arena, row);
	json_end(w);
	return NULL;
}

static Err *notification_post(ServiceCall *c)
{
	static const int64_t nudges[] = { 0, -20, 20 };
	const NotificationIn *in = c->in;
	Asked asked;

	TRY(check(c, in));
	asked = (Asked){ .recipients = recipients_text(c->arena, in),
		         .channels = channels_text(c->arena, in),
		         .data = in->data ? json_text(c->arena, in->data) : S(""),
		         .content = in->has_content
		                            ? json_text(c->arena, json_get(c->json, S("content")))
		                            : S(""),
		         .nudge = nudges[in->priority],
		         .send_at_us = in->send_at,
		         .expires_us = in->expires_at,
		         .collapse_key = in->collapse_key,
		         .author = c->who.name,
		         .traceparent = c->traceparent };
	TRY(service_effect(c, DB_READ_COMMITTED, add, &asked));
	figures_accepted(asked.class);
	return NULL;
}

/* --- looking ---------------------------------------------------------------------------------------------------------------- */

static Err *find(ServiceCall *c, Db *db, NotificationRow **out)
{
	Uuid id;

	TRY(service_id(c, "id", "ntf_", &id));
	TRY(db_one(db, c->arena, notification_by_id, out, .id = id));
	if (!*out)
		return err_new(c->arena, ERR_NOT_FOUND, "notification.unknown",
		               "there is no such notification");
	return NULL;
}

static Err *notification_get(ServiceCall *c)
{
	NotificationRow *n;
	DeliveryRow *rows;
	JsonWriter *w;
	size_t count;

	TRY(find(c, c->db, &n));
	TRY(db_all(c->db, c->arena, deliveries_of, &rows, &count, .notification_id = n->id,
	           .most = SHOWN + 1));
	w = service_json(c);
	json_begin_object(w);
	put_head(w, c->arena, n);
	json_key(w, S("data"));
	json_add_raw(w, n->data);
	json_put_bool(w, "more_deliveries", count > SHOWN);
	json_key(w, S("deliveries"));
	json_begin_array(w);
	for (size_t i = 0; i < MIN(count, (size_t)SHOWN); i++)
		TRY(put_delivery(w, c->db, c->arena, &rows[i]));
	json_end(w);
	json_end(w);
	return NULL;
}

static Uuid before_of(const ServicePage *page)
{
	Uuid last;

	for (size_t i = 0; i < sizeof(last.at); i++)
		last.at[i] = 0xff;
	return page->first ? last : page->after_id;
}

static Err *notifications_list(ServiceCall *c)
{
	NotificationRow *rows;
	ServicePage page;
	JsonWriter *w;
	size_t count;

	TRY(service_page(c, &page));
	TRY(db_all(c->db, c->arena, notifications_before, &rows, &count, .before = before_of(&page),
	           .most = (int64_t)page.limit + 1));
	w = service_page_begin(c, &page, count);
	for (size_t i = 0; i < page.shown; i++) {
		json_begin_object(w);
		put_head(w, c->arena, &rows[i]);
		json_end(w);
	}
	service_page_end(c, &page,
	                 page.shown ? service_page_key(c->arena, rows[page.shown - 1].id) : S(""));
	return NULL;
}

static Err *put_page(ServiceCall *c, ServicePage *page, const DeliveryRow *rows, size_t count)
{
	JsonWriter *w = service_page_begin(c, page, count);

	for (size_t i = 0; i < page->shown; i++) {
		json_begin_object(w);
		put_delivery_head(w, c->arena, &rows[i]);
		json_end(w);
	}
	service_page_end(c, page,
	                 page->shown ? service_page_key(c->arena, rows[page->shown - 1].id)
	                             : S(""));
	return NULL;
}

static Err *deliveries_list(ServiceCall *c)
{
	NotificationRow *n;
	DeliveryRow *rows;
	ServicePage page;
	size_t count;

	TRY(find(c, c->db, &n));
	TRY(service_page(c, &page));
	TRY(db_all(c->db, c->arena, deliveries_of, &rows, &count, .notification_id = n->id,
	           .after = page.after_id, .most = (int64_t)page.limit + 1));
	return put_page(c, &page, rows, count);
}

static Err *recipient_deliveries(ServiceCall *c)
{
	DeliveryRow *rows;
	ServicePage page;
	Str recipient;
	size_t count;

	TRY(recipient_of(c, SCOPE_READ, &recipient));
	TRY(service_page(c, &page));
	TRY(db_all(c->db, c->arena, deliveries_of_recipient, &rows, &count, .recipient = recipient,
	           .before = before_of(&page), .most = (int64_t)page.limit + 1));
	return put_page(c, &page, rows, count);
}

static Err *delivery_get(ServiceCall *c)
{
	DeliveryRow *row;
	Uuid id;

	TRY(service_id(c, "id", "dlv_", &id));
	TRY(db_one(c->db, c->arena, delivery_by_id, &row, .id = id));
	if (!row)
		return err_new(c->arena, ERR_NOT_FOUND, "delivery.unknown",
		               "there is no such delivery");
	return put_delivery(service_json(c), c->db, c->arena, row);
}

/* --- taking it back --------------------------------------------------------------------------------------------------------- */

static Err *cancel(ServiceCall *c, Db *tx, void *arg)
{
	NotificationRow *n;
	int64_t cancelled;
	JsonWriter *w;

	(void)arg;
	TRY(find(c, tx, &n));
	TRY(notification_cancel_all(tx, c->arena, n->id, c->who.name, &cancelled));
	TRY(find(c, tx, &n));
	w = service_json(c);
	json_begin_object(w);
	put_head(w, c->arena, n);
	json_put_i64(w, "cancelled", cancelled);
	json_end(w);
	return NULL;
}

static Err *notification_delete(ServiceCall *c)
{
	return service_effect(c, DB_READ_COMMITTED, cancel, NULL);
}

static Err *retry(ServiceCall *c, Db *tx, void *arg)
{
	const Uuid *id = arg;
	DeliveryRow *row;

	TRY(delivery_retry(tx, c->arena, *id, c->who.name));
	TRY(db_one(tx, c->arena, delivery_by_id, &row, .id = *id));
	return row ? put_delivery(service_json(c), tx, c->arena, row) : NULL;
}

static Err *delivery_retry_post(ServiceCall *c)
{
	Uuid id;

	TRY(service_id(c, "id", "dlv_", &id));
	return service_effect(c, DB_READ_COMMITTED, retry, &id);
}

static const ServiceRoute notification_rows[] = {
	{ "POST", "/v1/notifications", notification_post, .scopes = SCOPE_SEND,
	  .body = &new_notification, .body_max = BODY_MOST, .answer = &notification_fields,
	  .status = 202, .idempotent = true, .tag = "notifications",
	  .help = "ask for a notification" },
	{ "GET", "/v1/notifications", notifications_list, .scopes = SCOPE_READ,
	  .answer = &notification_fields, .list = true, .tag = "notifications",
	  .help = "notifications, newest first" },
	{ "GET", "/v1/notifications/{id}", notification_get, .scopes = SCOPE_READ,
	  .answer = &notification_fields, .tag = "notifications",
	  .help = "one, with what became of it for every recipient and channel" },
	{ "GET", "/v1/notifications/{id}/deliveries", deliveries_list, .scopes = SCOPE_READ,
	  .answer = &notification_fields, .list = true, .tag = "notifications",
	  .help = "its deliveries" },
	{ "DELETE", "/v1/notifications/{id}", notification_delete, .scopes = SCOPE_SEND,
	  .answer = &notification_fields, .status = 200, .tag = "notifications",
	  .help = "cancel what of it is unsent" },
	{ "GET", "/v1/deliveries/{id}", delivery_get, .scopes = SCOPE_READ, .tag = "notifications",
	  .help = "one delivery with its timeline" },
	{ "POST", "/v1/deliveries/{id}/retry", delivery_retry_post, .scopes = SCOPE_SEND,
	  .status = 200, .idempotent = true, .tag = "notifications",
	  .help = "send again what failed, or what may have been taken" },
	{ "GET", "/v1/recipients/{recipient}/deliveries", recipient_deliveries, .scopes = "",
	  .list = true, .tag = "recipients", .help = "what went to a recipient, newest first" },
};

ServiceRoutes notification_routes(void)
{
	return (ServiceRoutes)SERVICE_ROUTES(notification_rows);
}

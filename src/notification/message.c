/* SPDX-License-Identifier: Apache-2.0
 *
 * Making messages: whole mails of the intake as they came, texts that were given with the notification, or a template's part in the
 * recipient's language. The same version of a template at every attempt: a retry says what the first would have said. */
#include "notification/message.h"

#include "base/arena.h"
#include "base/json.h"
#include "notification/delivery.h"
#include "notification/notification_int.h"
#include "notification/person.h"
#include "notification/unsubscribe.h"
#include "notification/users.h"

#include "notification_delivery_sql.h"
#include "notification_recipient_sql.h"
#include "notification_sql.h"
#include "notification_template_sql.h"

static void put_recipient(JsonWriter *w, const Person *person)
{
	json_key(w, S("recipient"));
	json_begin_object(w);
	json_put_str(w, "id", person->id);
	json_put_str(w, "name", person->name);
	json_put_str(w, "locale", person->locale);
	json_end(w);
}

Err *message_data(Arena *a, Str data, const Person *person, Str unsubscribe, const Json **out)
{
	AUTO(buf_fini) Buf text = { .limit = 16 << 20 };
	JsonWriter w = json_writer(&text);
	const Json *given, *value;
	void *at = NULL;
	Str key, whole;

	TRY(json_read(a, data, 0, &given));
	json_begin_object(&w);
	while (json_next(given, &at, &key, &value)) {
		if (str_eq(key, S("recipient")) || str_eq(key, S("unsubscribe_url")))
			continue;
		json_key(&w, key);
		json_put(&w, value);
	}
	put_recipient(&w, person);
	json_put_str(&w, "unsubscribe_url", unsubscribe);
	json_end(&w);
	TRY(json_done(&w, &whole));
	return json_read(a, str_dup(a, whole), 0, out);
}

static Str member(const Json *content, const char *name)
{
	Str text = S("");

	json_to_str(json_get(content, str_of(name)), &text);
	return text;
}

/* Texts that came with the notification: a part of no template. */
static Err *given_part(Arena *a, Str content, Channel channel, PartRow **out)
{
	PartRow *part = ARENA_NEW(a, PartRow);
	const Json *json;

	TRY(json_read(a, content, 0, &json));
	*part = (PartRow){ .subject = member(json, "subject"),
		           .text = member(json, "text"),
		           .html = member(json, "html"),
		           .url = member(json, "url"),
		           .icon = member(json, "icon"),
		           .data = member(json, "data") };
	if (channel != CHANNEL_EMAIL)
		part->html = S("");
	if (channel == CHANNEL_SMS)
		part->subject = part->url = part->icon = part->data = S("");
	*out = part;
	return NULL;
}

static Err *find_part(Db *db, Arena *a, Making *m, Channel channel, PartRow **out)
{
	Str name = m->workflow ? m->workflow->template : m->delivery->workflow;

	if (m->notification->content.set)
		return given_part(a, m->notification->content.v, channel, out);
	return template_part(db, a, name, &m->version, channel, m->delivery->locale,
	                     m->workflow ? m->workflow->locale : S(""), out);
}

/* What a device said of itself beside its token. */
static Err *add_device(Db *db, Arena *a, const DeliveryRow *d, Message *out)
{
	DeviceRow *device = NULL;
	Uuid id;

	if (uuid_read(d->target, &id))
		TRY(db_one(db, a, device_by_id, &device, .id = id));
	if (!device)
		return err_new(a, ERR_NOT_FOUND, "notification.device", "the device is gone");
	out->to = device->token;
	out->platform = device->platform;
	return json_read(a, device->keys, 0, &out->device);
}

static Err *add_raw(Db *db, Arena *a, const Making *m, Message *out)
{
	if (!m->state->raw)
		return err_new(a, ERR_NOT_FOUND, "notification.raw",
		               "nobody has the mail any more");
	return m->state->raw(db, a, m->notification->raw_ref.v, &out->raw, &out->raw_from);
}

static Err *add_unsubscribe(Arena *a, const Making *m, Message *out)
{
	if (out->channel != CHANNEL_EMAIL || !class_rule(out->class)->unsubscribe)
		return NULL;
	out->unsubscribe = unsubscribe_link(m->state, a, out->channel, out->to, out->category);
	if (!out->unsubscribe.len)
		return err_new(a, ERR_INVALID, "notification.no_unsubscribe",
		               "news need a way to unsubscribe: set public_url or unsubscribe_url");
	return NULL;
}

Err *message_make(Db *db, Arena *a, Making *m, Message *out)
{
	const DeliveryRow *d = m->delivery;
	Str given = m->notification->data;
	const Json *data;
	Rendered text;
	PartRow *part;

	*out = (Message){ .channel = delivery_channel(d),
		          .class = delivery_class(d),
		          .delivery = d->id,
		          .notification = d->notification_id,
		          .attempt = d->attempts + 1,
		          .to = d->address,
		          .to_name = m->person->name,
		          .locale = d->locale,
		          .category = d->category,
		          .collapse_key = d->collapse_key,
		          .expires_us = d->expires_at.set ? d->expires_at.v : 0,
		          .traceparent = m->notification->traceparent };
	out->urgent = class_rule(out->class)->urgent;
	TRY(add_unsubscribe(a, m, out));
	if (out->channel == CHANNEL_PUSH)
		TRY(add_device(db, a, d, out));
	if (m->notification->raw_ref.set)
		return add_raw(db, a, m, out);
	TRY(find_part(db, a, m, out->channel, &part));
	if (str_eq(m->notification->author, S(USERS_AUTHOR)) && !m->notification->content.set)
		TRY(users_open_code(m->state, a, out->to, &given));
	TRY(message_data(a, given, m->person, out->unsubscribe, &data));
	TRY(part_render(a, out->channel, part, data, &text));
	out->subject = text.subject;
	out->text = text.text;
	out->html = text.html;
	out->url = text.url;
	out->icon = text.icon;
	out->data = text.data;
	return NULL;
}

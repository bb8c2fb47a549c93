/* SPDX-License-Identifier: Apache-2.0
 *
 * The API of recipients: contacts, devices, preferences, quiet hours.
 *
 * Whoever is a user of ours may look after their own ("me"): what they want to get, when and on which devices. Where mails and SMS go
 * is said by programs only (the user service knows which address is verified): else anybody could have our mails sent to anybody. */
#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"
#include "notification/clock.h"
#include "notification/delivery_domain.h"
#include "notification/notification_api.h"
#include "notification/notification_int.h"
#include "notification/person.h"

#include "notification_recipient_sql.h"

enum { DEVICES_MOST = 50, PREFERENCES_MOST = 200 };

/* --- quiet hours, between the API's form and the database's ----------------------------------------------------------------- */

static const ConfWord day_words[] = {
	{ "sun", 0, "Sunday" },   { "mon", 1, "Monday" },
	{ "tue", 2, "Tuesday" },  { "wed", 3, "Wednesday" },
	{ "thu", 4, "Thursday" }, { "fri", 5, "Friday" },
	{ "sat", 6, "Saturday" }, { 0 },
};
static const ConfWord quiet_channel_words[] = {
	{ "email", CHANNEL_EMAIL, "e-mail" },
	{ "sms", CHANNEL_SMS, "SMS" },
	{ "push", CHANNEL_PUSH, "to devices" },
	{ "inbox", CHANNEL_INBOX, "in the application" },
	{ 0 },
};
typedef struct QuietIn {
	Str from, to;
	CONF_LIST_OF(uint8_t) days;
	CONF_LIST_OF(uint8_t) channels;
} QuietIn;
static const Field quiet_rows[] = {
	{ "from", FIELD_STR, AT(QuietIn, from), .required = true, .max = 5, .verify = minute_verify,
	  .help = "a time by their own clock: 22:00" },
	{ "to", FIELD_STR, AT(QuietIn, to), .required = true, .max = 5, .verify = minute_verify,
	  .help = "until then, over midnight when it is earlier" },
	{ "days", FIELD_ENUM, AT_LIST(QuietIn, days), .items_max = 7, .names = day_words,
	  .help = "on which it begins; none: every day" },
	{ "channels", FIELD_ENUM, AT_LIST(QuietIn, channels), .items_max = 4,
	  .names = quiet_channel_words, .help = "that are quiet; none: push and sms" },
};
static const FieldTable quiet_fields = {
	"QuietHours", FIELD_ROWS(QuietIn, quiet_rows),
	.help = "when nothing wakes a recipient; critical messages do"
};

static int64_t quiet_days(const QuietIn *in)
{
	int64_t days = 0;

	for (size_t i = 0; i < in->days.count; i++)
		days |= INT64_C(1) << in->days.at[i];
	return days;
}

static Str quiet_channels(Arena *a, const QuietIn *in)
{
	Str text = S("");

	for (size_t i = 0; i < in->channels.count; i++)
		text = str_fmt(a, "%.*s%s%s", STR_ARG(text), i ? " " : "",
		               channel_name((Channel)in->channels.at[i]));
	return text;
}

static void quiet_put(JsonWriter *w, Arena *a, OptInt from, OptInt to, int64_t days, Str channels)
{
	Str word;

	if (!from.set || !to.set) {
		json_add_null(w);
		return;
	}
	json_begin_object(w);
	json_put_str(w, "from", minute_text(a, (int)from.v));
	json_put_str(w, "to", minute_text(a, (int)to.v));
	json_key(w, S("days"));
	json_begin_array(w);
	for (int i = 0; i < 7; i++)
		if (days >> i & 1)
			json_add_str(w, str_of(day_words[i].name));
	json_end(w);
	json_key(w, S("channels"));
	json_begin_array(w);
	while (str_split(&channels, ' ', &word))
		json_add_str(w, word);
	json_end(w);
	json_end(w);
}

/* --- one recipient ------------------------------------------------------------------------------------------------------ */

Err *recipient_of(ServiceCall *c, const char *scope, Str *out)
{
	Str part = service_part(c, "recipient");

	if (str_eq(part, S("me")))
		part = c->who.name;
	if (!part.len || part.len > 128)
		return err_new(c->arena, ERR_NOT_FOUND, "recipient.unknown",
		               "there is no such recipient");
	if (!str_eq(part, c->who.name))
		TRY(service_need_scope(c, scope));
	*out = part;
	return NULL;
}

static Err *need(ServiceCall *c, Db *db, Str id, RecipientRow **out)
{
	TRY(db_one(db, c->arena, recipient_by_id, out, .id = id));
	if (!*out)
		return err_new(c->arena, ERR_NOT_FOUND, "recipient.unknown",
		               "there is no such recipient");
	return NULL;
}

/* As it is, or as nobody has said anything of it yet. */
static Err *load_or_new(ServiceCall *c, Db *db, Str id, RecipientRow **out)
{
	TRY(db_one(db, c->arena, recipient_by_id, out, .id = id));
	if (*out)
		return NULL;
	*out = ARENA_NEW(c->arena, RecipientRow);
	**out = (RecipientRow){ .id = id, .zone = S("UTC"), .quiet_channels = S("push sms") };
	return NULL;
}

static Err *store(Db *tx, Arena *a, const RecipientRow *r)
{
	int64_t now_us = time_utc_us();

	TRY(db_exec(tx, a, recipient_need, NULL, .id = r->id, .now = now_us));
	return db_exec(tx, a, recipient_change, NULL, .id = r->id, .name = r->name,
	               .locale = r->locale, .zone = r->zone, .quiet_from = r->quiet_from,
	               .quiet_to = r->quiet_to, .quiet_days = r->quiet_days,
	               .quiet_channels = r->quiet_channels, .now = now_us);
}

static void put_contacts(JsonWriter *w, const ContactRow *rows, size_t count)
{
	json_begin_array(w);
	for (size_t i = 0; i < count; i++) {
		json_begin_object(w);
		json_put_str(w, "channel", rows[i].channel);
		json_put_str(w, "address", rows[i].address);
		json_put_str(w, "state", rows[i].state);
		put_time_or_null(w, "verified_at", rows[i].verified_at);
		put_time_or_null(w, "updated_at", opt_int(rows[i].updated_at));
		json_end(w);
	}
	json_end(w);
}

static Err *put_recipient(ServiceCall *c, Db *db, const RecipientRow *r)
{
	ContactRow *contacts;
	JsonWriter *w;
	size_t count;

	TRY(db_all(db, c->arena, contacts_of, &contacts, &count, .recipient = r->id));
	service_etag(c, r->version);
	w = service_json(c);
	json_begin_object(w);
	json_put_str(w, "id", r->id);
	json_put_str(w, "name", r->name);
	json_put_str(w, "locale", r->locale);
	json_put_str(w, "zone", r->zone);
	json_key(w, S("contacts"));
	put_contacts(w, contacts, count);
	json_key(w, S("quiet_hours"));
	quiet_put(w, c->arena, r->quiet_from, r->quiet_to, r->quiet_days, r->quiet_channels);
	put_time_or_null(w, "created_at", opt_int(r->created_at));
	put_time_or_null(w, "updated_at", opt_int(r->updated_at));
	json_end(w);
	return NULL;
}

static Err *recipient_get(ServiceCall *c)
{
	RecipientRow *row;
	Str id;

	TRY(recipient_of(c, SCOPE_READ, &id));
	TRY(need(c, c->db, id, &row));
	return put_recipient(c, c->db, row);
}

static Err *recipients_list(ServiceCall *c)
{
	ServicePage page;
	RecipientRow *rows;
	JsonWriter *w;
	size_t count;

	TRY(service_page(c, &page));
	TRY(db_all(c->db, c->arena, recipients_after, &rows, &count, .after = page.after,
	           .most = (int64_t)page.limit + 1));
	w = service_page_begin(c, &page, count);
	for (size_t i = 0; i < page.shown; i++) {
		json_begin_object(w);
		json_put_str(w, "id", rows[i].id);
		json_put_str(w, "name", rows[i].name);
		json_put_str(w, "locale", rows[i].locale);
		json_put_str(w, "zone", rows[i].zone);
		json_end(w);
	}
	service_page_end(c, &page, page.shown ? rows[page.shown - 1].id : S(""));
	return NULL;
}

/* --- name, language, zone -------------------------------------------------------------------------------------------------- */

static const char *verify_language(Arena *a, Str text)
{
	(void)a;
	return !text.len || language_is(text) ? NULL : "is no language tag";
}

typedef struct RecipientIn {
	Str name, locale, zone;
	bool has_name, has_locale, has_zone;
} RecipientIn;
static const Field recipient_rows_in[] = {
	{ "name", FIELD_STR, AT(RecipientIn, name), GIVEN(RecipientIn, has_name), .max = 200,
	  .help = "how they are called" },
	{ "locale", FIELD_STR, AT(RecipientIn, locale), GIVEN(RecipientIn, has_locale), .max = 35,
	  .verify = verify_language, .help = "their language: de, de-AT" },
	{ "zone", FIELD_STR, AT(RecipientIn, zone), GIVEN(RecipientIn, has_zone), .min = 1,
	  .max = 64, .help = "their time zone: Europe/Berlin" },
};
static const FieldTable recipient_in = { "RecipientPut", FIELD_ROWS(RecipientIn, recipient_rows_in),
	                                 .help = "what is known of a recipient" };

typedef struct RecipientOut {
	Str id, name, locale, zone;
	const Json *contacts, *quiet_hours;
} RecipientOut;
static const Field recipient_rows_out[] = {
	{ "id", FIELD_STR, AT(RecipientOut, id), .required = true,
	  .help = "what they are called by programs" },
	{ "name", FIELD_STR, AT(RecipientOut, name), .help = "how they are called" },
	{ "locale", FIELD_STR, AT(RecipientOut, locale), .help = "their language" },
	{ "zone", FIELD_STR, AT(RecipientOut, zone), .help = "their time zone" },
	{ "contacts", FIELD_JSON, AT(RecipientOut, contacts), .help = "where mails and SMS go" },
	{ "quiet_hours", FIELD_JSON, AT(RecipientOut, quiet_hours),
	  .help = "when nothing wakes them" },
};
static const FieldTable recipient_out = { "Recipient", FIELD_ROWS(RecipientOut, recipient_rows_out),
	                                  .help = "one who gets notifications" };

static Err *set_recipient(ServiceCall *c, Db *tx, void *arg)
{
	const RecipientIn *in = c->in;
	const Str *id = arg;
	RecipientRow *r;

	TRY(load_or_new(c, tx, *id, &r));
	TRY(service_match(c, r->version));
	r->name = in->has_name ? in->name : r->name;
	r->locale = in->has_locale ? in->locale : r->locale;
	r->zone = in->has_zone ? in->zone : r->zone;
	TRY(store(tx, c->arena, r));
	TRY(need(c, tx, *id, &r));
	return put_recipient(c, tx, r);
}

static Err *recipient_put(ServiceCall *c)
{
	const RecipientIn *in = c->in;
	const Zone *zone;
	Err *err = NULL;
	Str id;

	TRY(recipient_of(c, SCOPE_WRITE, &id));
	if (in->has_zone)
		err = zones_get(notification_state(c->home)->zones, c->arena, in->zone, &zone);
	if (err && err->kind == ERR_INVALID)
		service_mistake(c, "/zone", "invalid", "zone is none that this machine knows");
	else
		TRY(err);
	TRY(service_mistakes(c));
	return service_effect(c, DB_READ_COMMITTED, set_recipient, &id);
}

static Err *erase(ServiceCall *c, Db *tx, void *arg)
{
	const Str *id = arg;

	return person_erase(tx, c->arena, *id);
}

static Err *recipient_delete(ServiceCall *c)
{
	Str id;

	TRY(recipient_of(c, SCOPE_WRITE, &id));
	return service_effect(c, DB_READ_COMMITTED, erase, &id);
}

/* --- contacts -------------------------------------------------------------------------------------------------------------- */

typedef struct ContactIn {
	Str address;
	bool verified;
} ContactIn;
static const Field contact_rows[] = {
	{ "address", FIELD_STR, AT(ContactIn, address), .required = true, .min = 3, .max = 254,
	  .help = "an e-mail address, or a number as +491701234567" },
	{ "verified", FIELD_BOOL, AT(ContactIn, verified), .help = "it is known to be theirs" },
};
static const FieldTable contact_in = { "ContactPut", FIELD_ROWS(ContactIn, contact_rows),
	                               .help = "where mails or SMS go" };

static Err *contact_channel(ServiceCall *c, Channel *out)
{
	if (channel_read(service_part(c, "channel"), out) &&
	    (*out == CHANNEL_EMAIL || *out == CHANNEL_SMS))
		return NULL;
	return err_new(c->arena, ERR_NOT_FOUND, "contact.channel", "contacts are email and sms");
}

static Err *set_contact(ServiceCall *c, Db *tx, void *arg)
{
	ContactRow *row = arg;
	RecipientRow *r;

	TRY(db_exec(tx, c->arena, recipient_need, NULL, .id = row->recipient,
	            .now = row->updated_at));
	TRY(db_exec_with(tx, c->arena, contact_put, row, NULL));
	TRY(need(c, tx, row->recipient, &r));
	return put_recipient(c, tx, r);
}

static Err *contact_set(ServiceCall *c)
{
	const ContactIn *in = c->in;
	int64_t now_us = time_utc_us();
	ContactRow row = { .state = S("good"), .state_at = now_us, .updated_at = now_us };
	const char *wrong;
	Channel channel;

	TRY(service_need_scope(c, SCOPE_WRITE));
	TRY(recipient_of(c, SCOPE_WRITE, &row.recipient));
	TRY(contact_channel(c, &channel));
	wrong = address_read(c->arena, channel, in->address, &row.address);
	if (wrong)
		service_mistake(c, "/address", "format", "address %s", wrong);
	TRY(service_mistakes(c));
	row.channel = str_of(channel_name(channel));
	row.address_hash = address_hash(c->arena, channel, row.address);
	row.verified_at = in->verified ? opt_int(now_us) : (OptInt){ 0 };
	return service_effect(c, DB_READ_COMMITTED, set_contact, &row);
}

static Err *drop_contact(ServiceCall *c, Db *tx, void *arg)
{
	const ContactRow *row = arg;

	return db_exec(tx, c->arena, contact_remove, NULL, .recipient = row->recipient,
	               .channel = row->channel);
}

static Err *contact_delete(ServiceCall *c)
{
	ContactRow row = { 0 };
	Channel channel;

	TRY(service_need_scope(c, SCOPE_WRITE));
	TRY(recipient_of(c, SCOPE_WRITE, &row.recipient));
	TRY(contact_channel(c, &channel));
	row.channel = str_of(channel_name(channel));
	return service_effect(c, DB_READ_COMMITTED, drop_contact, &row);
}

/* --- quiet hours ----------------------------------------------------------------------------------------------------------- */

static Err *set_quiet(ServiceCall *c, Db *tx, void *arg)
{
	const QuietIn *in = c->in; /* NULL: none any more */
	const Str *id = arg;
	RecipientRow *r;

	TRY(load_or_new(c, tx, *id, &r));
	r->quiet_from = in ? opt_int(minute_read(in->from)) : (OptInt){ 0 };
	r->quiet_to = in ? opt_int(minute_read(in->to)) : (OptInt){ 0 };
	r->quiet_days = in ? quiet_days(in) : 0;
	r->quiet_channels = in && in->channels.count ? quiet_channels(c->arena, in) : S("push sms");
	TRY(store(tx, c->arena, r));
	TRY(need(c, tx, *id, &r));
	return put_recipient(c, tx, r);
}

static Err *quiet_put_(ServiceCall *c)
{
	const QuietIn *in = c->in;
	Str id;

	TRY(recipient_of(c, SCOPE_WRITE, &id));
	if (str_eq(in->from, in->to))
		service_mistake(c, "/to", "invalid", "to is the same as from");
	TRY(service_mistakes(c));
	return service_effect(c, DB_READ_COMMITTED, set_quiet, &id);
}

static Err *quiet_delete(ServiceCall *c)
{
	Str id;

	TRY(recipient_of(c, SCOPE_WRITE, &id));
	return service_effect(c, DB_READ_COMMITTED, set_quiet, &id);
}

/* --- preferences ----------------------------------------------------------------------------------------------------------- */

static const ConfWord any_channel_words[] = {
	{ "*", CHANNELS, "every channel" },
	{ "email", CHANNEL_EMAIL, "e-mail" },
	{ "sms", CHANNEL_SMS, "SMS" },
	{ "push", CHANNEL_PUSH, "to devices" },
	{ "inbox", CHANNEL_INBOX, "in the application" },
	{ 0 },
};

typedef struct PreferenceIn {
	Str category;
	uint8_t channel;
	bool allowed;
} PreferenceIn;
static const Field preference_rows[] = {
	{ "category", FIELD_STR, AT(PreferenceIn, category), .required = true, .min = 1, .max = 64,
	  .help = "of workflows; *: every one" },
	{ "channel", FIELD_ENUM, AT(PreferenceIn, channel), .names = any_channel_words,
	  .help = "by which; *: every one" },
	{ "allowed", FIELD_BOOL, AT(PreferenceIn, allowed), .required = true,
	  .help = "do they want it" },
};
static const FieldTable preference_fields = { "Preference",
	                                      FIELD_ROWS(PreferenceIn, preference_rows),
	                                      .help = "the most exact one counts" };
typedef struct PreferencesIn {
	CONF_LIST_OF(PreferenceIn) preferences;
} PreferencesIn;
static const Field preferences_rows[] = {
	{ "preferences", FIELD_OBJECT, AT_LIST(PreferencesIn, preferences), .required = true,
	  .items_max = PREFERENCES_MOST, .table = &preference_fields, .help = "all of them" },
};
static const FieldTable preferences_in = { "PreferencesPut",
	                                   FIELD_ROWS(PreferencesIn, preferences_rows),
	                                   .help = "what a recipient wants" };

static Err *put_preferences(ServiceCall *c, Db *db, Str id)
{
	PreferencesOfRow *rows;
	JsonWriter *w;
	size_t count;

	TRY(db_all(db, c->arena, preferences_of, &rows, &count, .recipient = id));
	w = service_json(c);
	json_begin_object(w);
	json_key(w, S("preferences"));
	json_begin_array(w);
	for (size_t i = 0; i < count; i++) {
		json_begin_object(w);
		json_put_str(w, "category", rows[i].category);
		json_put_str(w, "channel", rows[i].channel);
		json_put_bool(w, "allowed", rows[i].allowed);
		put_time_or_null(w, "updated_at", opt_int(rows[i].updated_at));
		json_end(w);
	}
	json_end(w);
	json_end(w);
	return NULL;
}

static Err *preferences_get(ServiceCall *c)
{
	Str id;

	TRY(recipient_of(c, SCOPE_READ, &id));
	return put_preferences(c, c->db, id);
}

static Err *set_preferences(ServiceCall *c, Db *tx, void *arg)
{
	const PreferencesIn *in = c->in;
	const Str *id = arg;
	int64_t now_us = time_utc_us();

	TRY(db_exec(tx, c->arena, recipient_need, NULL, .id = *id, .now = now_us));
	TRY(db_exec(tx, c->arena, preferences_remove, NULL, .recipient = *id));
	for (size_t i = 0; i < in->preferences.count; i++) {
		const PreferenceIn *p = &in->preferences.at[i];

		TRY(db_exec(tx, c->arena, preference_put, NULL, .recipient = *id,
		            .category = p->category,
		            .channel = p->channel == CHANNELS
		                               ? S("*")
		                               : str_of(channel_name((Channel)p->channel)),
		            .allowed = p->allowed, .now = now_us));
	}
	return put_preferences(c, tx, *id);
}

static Err *preferences_put(ServiceCall *c)
{
	Str id;

	TRY(recipient_of(c, SCOPE_WRITE, &id));
	return service_effect(c, DB_READ_COMMITTED, set_preferences, &id);
}

/* --- devices --------------------------------------------------------------------------------------------------------------- */

static const ConfWord platform_words[] = {
	{ "webpush", 0, "a browser (RFC 8030): the token is its endpoint" },
	{ "fcm", 1, "Firebase" },
	{ "apns", 2, "Apple" },
	{ 0 },
};
typedef struct DeviceIn {
	uint8_t platform;
	Str token, name;
	const Json *keys;
} DeviceIn;
static const Field device_rows_in[] = {
	{ "platform", FIELD_ENUM, AT(DeviceIn, platform), .required = true, .names = platform_words,
	  .help = "whose service reaches it" },
	{ "token", FIELD_STR, AT(DeviceIn, token), .required = true, .min = 1, .max = 2000,
	  .help = "what it is reached by; of a browser the endpoint" },
	{ "keys", FIELD_JSON, AT(DeviceIn, keys), .help = "of a browser: p256dh and auth" },
	{ "name", FIELD_STR, AT(DeviceIn, name), .max = 200, .help = "what its owner calls it" },
};
static const FieldTable device_in = { "DevicePut", FIELD_ROWS(DeviceIn, device_rows_in),
	                              .help = "a device that gets pushes" };

static void put_device(JsonWriter *w, Arena *a, const DeviceRow *d)
{
	json_begin_object(w);
	json_put_str(w, "id", service_id_text(a, "dev_", d->id));
	json_put_str(w, "platform", d->platform);
	json_put_str(w, "name", d->name);
	json_put_i64(w, "failures", d->failures);
	put_time_or_null(w, "ok_at", d->ok_at);
	put_time_or_null(w, "updated_at", opt_int(d->updated_at));
	json_end(w);
}

static Err *devices_get(ServiceCall *c)
{
	DeviceRow *rows;
	JsonWriter *w;
	size_t count;
	Str id;

	TRY(recipient_of(c, SCOPE_READ, &id));
	TRY(db_all(c->db, c->arena, devices_of, &rows, &count, .recipient = id));
	w = service_json(c);
	json_begin_object(w);
	json_key(w, S("devices"));
	json_begin_array(w);
	for (size_t i = 0; i < count; i++)
		put_device(w, c->arena, &rows[i]);
	json_end(w);
	json_end(w);
	return NULL;
}

static Err *add_device(ServiceCall *c, Db *tx, void *arg)
{
	DeviceRow *row = arg;
	DeviceByTokenRow *stored;
	DeviceRow *devices;
	size_t count;
	bool known = false;

	TRY(db_exec(tx, c->arena, recipient_need, NULL, .id = row->recipient,
	            .now = row->updated_at));
	TRY(db_all(tx, c->arena, devices_of, &devices, &count, .recipient = row->recipient));
	for (size_t i = 0; i < count; i++)
		known |= str_eq(devices[i].platform, row->platform) &&
		         str_eq(devices[i].token, row->token);
	if (count >= DEVICES_MOST && !known)
		return err_new(c->arena, ERR_CONFLICT, "device.many",
		               "there are %d devices already", DEVICES_MOST);
	TRY(db_exec_with(tx, c->arena, device_put, row, NULL));
	TRY(db_one(tx, c->arena, device_by_token, &stored, .platform = row->platform,
	           .token = row->token));
	if (stored)
		row->id = stored->id;
	put_device(service_json(c), c->arena, row);
	return NULL;
}

static Err *device_post(ServiceCall *c)
{
	const DeviceIn *in = c->in;
	AUTO(buf_fini) Buf keys = { .limit = 4 << 10 };
	JsonWriter w = json_writer(&keys);
	int64_t now_us = time_utc_us();
	DeviceRow row = { .id = uuid_new(),
		          .platform = str_of(platform_words[in->platform].name),
		          .token = in->token,
		          .name = in->name,
		          .created_at = now_us,
		          .updated_at = now_us };

	TRY(recipient_of(c, SCOPE_WRITE, &row.recipient));
	if (in->keys && json_kind(in->keys) != JSON_KIND_OBJECT)
		service_mistake(c, "/keys", "type", "keys must be an object");
	TRY(service_mistakes(c));
	if (in->keys)
		json_put(&w, in->keys);
	else
		buf_put(&keys, S("{}"));
	if (keys.broken)
		service_mistake(c, "/keys", "too_long", "keys are longer than 4 KiB");
	TRY(service_mistakes(c));
	row.keys = str_dup(c->arena, buf_str(&keys));
	return service_effect(c, DB_READ_COMMITTED, add_device, &row);
}

static Err *drop_device(ServiceCall *c, Db *tx, void *arg)
{
	const DeviceRow *row = arg;
	int64_t gone;

	TRY(db_exec(tx, c->arena, device_remove, &gone, .id = row->id,
	            .recipient = row->recipient));
	if (!gone)
		return err_new(c->arena, ERR_NOT_FOUND, "device.unknown",
		               "there is no such device");
	return NULL;
}

static Err *device_delete(ServiceCall *c)
{
	DeviceRow row = { 0 };

	TRY(recipient_of(c, SCOPE_WRITE, &row.recipient));
	TRY(service_id(c, "device", "dev_", &row.id));
	return service_effect(c, DB_READ_COMMITTED, drop_device, &row);
}

/* --- routes ---------------------------------------------------------------------------------------------------------------- */

static const ServiceRoute recipient_rows[] = {
	{ "GET", "/v1/recipients", recipients_list, .scopes = SCOPE_READ, .answer = &recipient_out,
	  .list = true, .tag = "recipients", .help = "recipients" },
	{ "GET", "/v1/recipients/{recipient}", recipient_get, .scopes = "",
	  .answer = &recipient_out, .etag = true, .tag = "recipients",
	  .help = "one; me: who asks" },
	{ "PUT", "/v1/recipients/{recipient}", recipient_put, .scopes = "", .body = &recipient_in,
	  .answer = &recipient_out, .etag = true, .tag = "recipients",
	  .help = "what is known of one; what is not said stays" },
	{ "DELETE", "/v1/recipients/{recipient}", recipient_delete, .scopes = "",
	  .tag = "recipients", .help = "forget who it was" },
	{ "PUT", "/v1/recipients/{recipient}/contacts/{channel}", contact_set,
	  .scopes = SCOPE_WRITE, .body = &contact_in, .answer = &recipient_out, .tag = "recipients",
	  .help = "where mails (email) or SMS (sms) go" },
	{ "DELETE", "/v1/recipients/{recipient}/contacts/{channel}", contact_delete,
	  .scopes = SCOPE_WRITE, .tag = "recipients", .help = "nowhere any more" },
	{ "PUT", "/v1/recipients/{recipient}/quiet-hours", quiet_put_, .scopes = "",
	  .body = &quiet_fields, .answer = &recipient_out, .tag = "recipients",
	  .help = "when nothing wakes them" },
	{ "DELETE", "/v1/recipients/{recipient}/quiet-hours", quiet_delete, .scopes = "",
	  .answer = &recipient_out, .status = 200, .tag = "recipients",
	  .help = "no quiet hours any more" },
	{ "GET", "/v1/recipients/{recipient}/preferences", preferences_get, .scopes = "",
	  .answer = &preferences_in, .tag = "recipients", .help = "what they want" },
	{ "PUT", "/v1/recipients/{recipient}/preferences", preferences_put, .scopes = "",
	  .body = &preferences_in, .answer = &preferences_in, .tag = "recipients",
	  .help = "all that they want and do not want" },
	{ "GET", "/v1/recipients/{recipient}/devices", devices_get, .scopes = "",
	  .tag = "recipients", .help = "their devices" },
	{ "POST", "/v1/recipients/{recipient}/devices", device_post, .scopes = "",
	  .body = &device_in, .status = 201, .idempotent = true, .tag = "recipients",
	  .help = "one more; who says a token last has it" },
	{ "DELETE", "/v1/recipients/{recipient}/devices/{device}", device_delete, .scopes = "",
	  .tag = "recipients", .help = "one less" },
};

ServiceRoutes recipient_routes(void)
{
	return (ServiceRoutes)SERVICE_ROUTES(recipient_rows);
}

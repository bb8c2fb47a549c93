/* SPDX-License-Identifier: Apache-2.0
 *
 * Recipients as deliveries need them.
 *
 * What holds a message is looked at twice: when the delivery is made, so that the timeline says at once why nothing comes, and
 * right before the wire, for what has changed since: somebody unsubscribes between a campaign's begin and its end. */
#include "notification/person.h"

#include "base/arena.h"
#include "base/time.h"
#include "notification/notification_int.h"
#include "notification/smtp_text.h"

#include "notification_inbox_sql.h"
#include "notification_recipient_sql.h"

static uint8_t channel_bits(Str names)
{
	uint8_t bits = 0;
	Channel channel;
	Str word;

	while (str_split(&names, ' ', &word))
		if (channel_read(word, &channel))
			bits |= (uint8_t)(1u << channel);
	return bits;
}

static Err *load_contacts(Db *db, Arena *a, Person *p)
{
	ContactRow *rows;
	size_t count;

	TRY(db_all(db, a, contacts_of, &rows, &count, .recipient = p->id));
	for (size_t i = 0; i < count; i++)
		if (str_eq(rows[i].channel, S("email")))
			p->email = rows[i].address;
		else
			p->phone = rows[i].address;
	return NULL;
}

static Err *load_preferences(Db *db, Arena *a, Person *p)
{
	PreferencesOfRow *rows;
	Preference *preferences;
	size_t count;

	TRY(db_all(db, a, preferences_of, &rows, &count, .recipient = p->id));
	preferences = ARENA_ARRAY(a, Preference, count + 1);
	for (size_t i = 0; i < count; i++)
		preferences[i] = (Preference){ rows[i].category, rows[i].channel, rows[i].allowed };
	p->preferences = preferences;
	p->preference_count = count;
	return NULL;
}

Err *person_load(Zones *zones, Db *db, Arena *a, Str id, Person *out)
{
	Person p = { .id = id, .zone = zone_utc() };
	RecipientRow *row;
	DeviceRow *devices;
	Err *err;

	TRY(db_one(db, a, recipient_by_id, &row, .id = id));
	if (row) {
		p.name = row->name;
		p.locale = row->locale;
		p.quiet = (QuietHours){ .set = row->quiet_from.set,
			                .from = (int)row->quiet_from.v,
			                .to = (int)row->quiet_to.v,
			                .days = (uint8_t)row->quiet_days,
			                .channels = channel_bits(row->quiet_channels) };
		err = zones_get(zones, a, row->zone, &p.zone);
		if (err &&
		    err->kind != ERR_INVALID) /* a zone that this machine does not know is UTC */
			return err;
		TRY(load_contacts(db, a, &p));
		TRY(load_preferences(db, a, &p));
		TRY(db_all(db, a, devices_of, &devices, &p.device_count, .recipient = id));
		p.devices = devices;
	}
	*out = p;
	return NULL;
}

Str person_address(const Person *person, Channel channel)
{
	return channel == CHANNEL_EMAIL ? person->email
	       : channel == CHANNEL_SMS ? person->phone
	                                : S("");
}

/* --- what holds a message ------------------------------------------------------------------------------------------------ */

static Err *look_at_suppressions(Db *db, Arena *a, const ClassRule *rule, Str category,
                                 Channel channel, Str address, Hold *out)
{
	SuppressionRow *rows;
	size_t count;

	TRY(db_all(db, a, suppressions_of, &rows, &count, .channel = str_of(channel_name(channel)),
	           .address_hash = address_hash(a, channel, address)));
	for (size_t i = 0; i < count; i++) {
		bool always =
			str_eq(rows[i].reason, S("bounce")) || str_eq(rows[i].reason, S("manual"));

		if (!str_eq(rows[i].scope, S("*")) && !str_eq(rows[i].scope, category))
			continue;
		if (always || rule->complaints)
			*out = (Hold){ DELIVERY_SUPPRESSED, rows[i].reason, 0 };
	}
	return NULL;
}

Err *person_hold(Db *db, Arena *a, const Person *person, MessageClass class, Str category,
                 Channel channel, Str address, int64_t now_us, Hold *out)
{
	const ClassRule *rule = class_rule(class);
	int64_t until;

	*out = (Hold){ .state = DELIVERY_QUEUED };
	if (rule->preferences &&
	    !preference_allows(person->preferences, person->preference_count, category, channel)) {
		*out = (Hold){ DELIVERY_SUPPRESSED, S("preference"), 0 };
		return NULL;
	}
	if (address.len)
		TRY(look_at_suppressions(db, a, rule, category, channel, address, out));
	if (out->state != DELIVERY_QUEUED || !rule->quiet)
		return NULL;
	until = quiet_until(&person->quiet, person->zone, channel, now_us);
	if (until)
		*out = (Hold){ DELIVERY_DEFERRED, S("quiet_hours"), until };
	return NULL;
}

Err *suppress(Db *tx, Arena *a, Channel channel, Str address, Str scope, Str reason, Str detail)
{
	SuppressionRow row = { .channel = str_of(channel_name(channel)),
		               .address_hash = address_hash(a, channel, address),
		               .scope = scope,
		               .reason = reason,
		               .hint = address_hint(a, channel, address),
		               .detail = smtp_clean(a, detail, 200),
		               .id = uuid_new(),
		               .created_at = time_utc_us() };

	return db_exec_with(tx, a, suppression_put, &row, NULL);
}

Err *person_erase(Db *tx, Arena *a, Str id)
{
	TRY(db_exec(tx, a, deliveries_forget, NULL, .recipient = id));
	TRY(db_exec(tx, a, items_remove, NULL, .recipient = id));
	TRY(db_exec(tx, a, topics_leave, NULL, .recipient = id));
	TRY(db_exec(tx, a, preferences_remove, NULL, .recipient = id));
	TRY(db_exec(tx, a, devices_remove, NULL, .recipient = id));
	TRY(db_exec(tx, a, contacts_remove, NULL, .recipient = id));
	return db_exec(tx, a, recipient_remove, NULL, .id = id);
}

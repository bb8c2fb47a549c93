/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of deliveries.
 *
 * A delivery is sent at most once or at least once, and its class says which: where nobody can know whether a provider took a
 * message (the connection broke after the last byte), a code for a login is better sent twice than never, a receipt better never
 * than twice. A provider that knows a repeat for what it is (an idempotency key, one Message-ID) makes the question vanish, but
 * only if that same provider is asked again; so after UNKNOWN nobody else is.
 *
 * `accepted` is not `delivered`: what comes after it, comes from the provider's callbacks, in any order and late. A callback may
 * settle what was unknown, and may turn accepted into bounced; it never brings a bounced one back to delivered, and a complaint
 * is the last word.
 *
 * Quiet hours are by what the recipient's clocks show, so they are looked at again when their end has come. */
#include "notification/delivery_domain.h"

#include "base/arena.h"
#include "base/civil.h"
#include "base/time.h"

#include <string.h>

/* --- names ------------------------------------------------------------------------------------------------------------- */

static const char *const channel_names[CHANNELS] = {
	[CHANNEL_EMAIL] = "email",
	[CHANNEL_SMS] = "sms",
	[CHANNEL_PUSH] = "push",
	[CHANNEL_INBOX] = "inbox",
};

static const char *const outcome_names[SEND_OUTCOMES] = {
	[SEND_ACCEPTED] = "accepted", [SEND_SOFT] = "soft",           [SEND_HARD] = "hard",
	[SEND_REFUSED] = "refused",   [SEND_THROTTLED] = "throttled", [SEND_GONE] = "gone",
	[SEND_UNKNOWN] = "unknown",
};

static bool name_read(const char *const *names, int count, Str name, int *out)
{
	for (int i = 0; i < count; i++)
		if (str_eq(str_of(names[i]), name)) {
			*out = i;
			return true;
		}
	return false;
}

const char *channel_name(Channel channel)
{
	return channel_names[channel];
}

bool channel_read(Str name, Channel *out)
{
	int at;

	if (!name_read(channel_names, CHANNELS, name, &at))
		return false;
	*out = (Channel)at;
	return true;
}

const char *outcome_name(SendOutcome outcome)
{
	return outcome_names[outcome];
}

/* --- states ------------------------------------------------------------------------------------------------------------ */

static const struct {
	const char *name;
	bool unsent, final;
} states[DELIVERY_STATE_COUNT] = {
#define X(id, name, unsent, final) [DELIVERY_##id] = { name, unsent, final },
	DELIVERY_STATES(X)
#undef X
};

const char *delivery_state_name(DeliveryState state)
{
	return states[state].name;
}

bool delivery_state_read(Str name, DeliveryState *out)
{
	for (int i = 0; i < DELIVERY_STATE_COUNT; i++)
		if (str_eq(str_of(states[i].name), name)) {
			*out = (DeliveryState)i;
			return true;
		}
	return false;
}

bool delivery_unsent(DeliveryState state)
{
	return states[state].unsent;
}

bool delivery_final(DeliveryState state)
{
	return states[state].final;
}

#define TO(id) (UINT32_C(1) << DELIVERY_##id)
#define HELD_BACK (TO(SUPPRESSED) | TO(EXPIRED) | TO(CANCELLED) | TO(COLLAPSED))
#define TOLD (TO(DELIVERED) | TO(BOUNCED_SOFT) | TO(BOUNCED_HARD) | TO(COMPLAINED) | TO(FAILED))

static const uint32_t may[DELIVERY_STATE_COUNT] = {
	[DELIVERY_QUEUED] =
		TO(DEFERRED) | TO(DIGESTING) | TO(SENDING) | TO(FAILED) | TO(DELIVERED) | HELD_BACK,
	[DELIVERY_DEFERRED] = TO(QUEUED) | TO(DEFERRED) | TO(SENDING) | TO(FAILED) | HELD_BACK,
	[DELIVERY_DIGESTING] = TO(DIGESTED) | HELD_BACK,
	[DELIVERY_SENDING] = TO(QUEUED) | TO(DEFERRED) | TO(ACCEPTED) | TO(UNKNOWN) | TO(EXPIRED) |
	                     TO(SENDING) | TOLD,
	[DELIVERY_ACCEPTED] = TOLD,
	/* a person may have it sent again: what ended for want of luck, and what may have been taken */
	[DELIVERY_UNKNOWN] = TO(QUEUED) | TO(ACCEPTED) | TOLD,
	[DELIVERY_FAILED] = TO(QUEUED) | TO(DELIVERED) | TO(COMPLAINED),
	[DELIVERY_EXPIRED] = TO(DELIVERED) | TO(COMPLAINED),
	[DELIVERY_DELIVERED] = TO(COMPLAINED) | TO(BOUNCED_HARD) | TO(BOUNCED_SOFT),
	[DELIVERY_BOUNCED_SOFT] = TO(DELIVERED) | TO(BOUNCED_HARD) | TO(COMPLAINED) | TO(QUEUED),
	[DELIVERY_BOUNCED_HARD] = TO(COMPLAINED),
};

bool delivery_may(DeliveryState from, DeliveryState to)
{
	return may[from] >> to & 1;
}

/* --- classes ----------------------------------------------------------------------------------------------------------- */

#define MINUTES (60 * US_PER_S)
#define HOURS (60 * MINUTES)

static const ClassRule class_rules[CLASSES] = {
	[CLASS_SECURITY] = { "security", .duplicate = true, .urgent = true, .priority = 300,
	                     .attempts = 8, .pause_us = 2 * US_PER_S, .pause_max_us = 2 * MINUTES,
	                     .help = "codes and warnings: nothing holds it but an address that is none" },
	[CLASS_CRITICAL] = { "critical", .preferences = true, .complaints = true, .duplicate = true,
	                     .urgent = true, .priority = 200, .attempts = 10,
	                     .pause_us = 2 * US_PER_S, .pause_max_us = 10 * MINUTES,
	                     .help = "alarms: by night too" },
	[CLASS_TRANSACTIONAL] = { "transactional", .preferences = true, .quiet = true,
	                          .complaints = true, .priority = 100, .attempts = 12,
	                          .pause_us = 10 * US_PER_S, .pause_max_us = 2 * HOURS,
	                          .help = "receipts, confirmations" },
	[CLASS_BULK] = { "bulk", .preferences = true, .quiet = true, .unsubscribe = true,
	                 .complaints = true, .priority = 0, .attempts = 6, .pause_us = 1 * MINUTES,
	                 .pause_max_us = 6 * HOURS, .help = "news: with a way to unsubscribe" },
};

const ClassRule *class_rule(MessageClass class)
{
	return &class_rules[class];
}

const char *class_name(MessageClass class)
{
	return class_rules[class].name;
}

bool class_read(Str name, MessageClass *out)
{
	for (int i = 0; i < CLASSES; i++)
		if (str_eq(str_of(class_rules[i].name), name)) {
			*out = (MessageClass)i;
			return true;
		}
	return false;
}

/* --- after an attempt -------------------------------------------------------------------------------------------------- */

/* A random part of a pause that doubles, so that many that failed together do not come back together; a second at least. */
static int64_t pause(const Tried *t, const ClassRule *rule)
{
	int64_t most = rule->pause_us;

	for (uint32_t i = 1; i < t->attempts && most < rule->pause_max_us; i++)
		most *= 2;
	most = MIN(most, rule->pause_max_us);
	return MAX(US_PER_S, (int64_t)(t->dice % (uint64_t)most));
}

static Next later(const Tried *t, NextStep step, DeliveryState if_over)
{
	const ClassRule *rule = class_rule(t->class);
	int64_t wait = MAX(pause(t, rule), t->retry_after_us);

	if (t->attempts >= rule->attempts)
		return (Next){ NEXT_END, if_over, 0 };
	if (t->expires_us && t->now_us + wait >= t->expires_us)
		return (Next){ NEXT_END, if_over == DELIVERY_UNKNOWN ? if_over : DELIVERY_EXPIRED,
			       0 };
	return (Next){ step, DELIVERY_DEFERRED, t->now_us + wait };
}

static Next again(const Tried *t, DeliveryState if_over)
{
	if (t->another && t->attempts < class_rule(t->class)->attempts)
		return (Next){ NEXT_ANOTHER, DELIVERY_QUEUED, t->now_us };
	return later(t, NEXT_LATER, if_over);
}

static Next after_unknown(const Tried *t)
{
	if (t->can_dedupe)
		return later(t, NEXT_SAME, DELIVERY_UNKNOWN);
	if (class_rule(t->class)->duplicate)
		return again(t, DELIVERY_UNKNOWN);
	return (Next){ NEXT_END, DELIVERY_UNKNOWN, 0 };
}

Next delivery_next(const Tried *t)
{
	switch (t->outcome) {
	case SEND_ACCEPTED:
		return (Next){ NEXT_END, DELIVERY_ACCEPTED, 0 };
	case SEND_HARD:
		return (Next){ NEXT_END, DELIVERY_BOUNCED_HARD, 0 };
	case SEND_GONE:
		return (Next){ NEXT_END, DELIVERY_FAILED, 0 };
	case SEND_UNKNOWN:
		return after_unknown(t);
	case SEND_SOFT:
	case SEND_REFUSED:
	case SEND_THROTTLED:
	case SEND_OUTCOMES:
		break;
	}
	return again(t, DELIVERY_FAILED);
}

/* --- preferences ------------------------------------------------------------------------------------------------------- */

bool preference_allows(const Preference *rows, size_t count, Str category, Channel channel)
{
	int best = -1;
	bool allowed = true;

	for (size_t i = 0; i < count; i++) {
		bool category_same = str_eq(rows[i].category, category);
		bool channel_same = str_eq(rows[i].channel, str_of(channel_name(channel)));
		int exact = 2 * category_same + channel_same;

		if (!category_same && !str_eq(rows[i].category, S("*")))
			continue;
		if (!channel_same && !str_eq(rows[i].channel, S("*")))
			continue;
		if (exact > best) {
			best = exact;
			allowed = rows[i].allowed;
		}
	}
	return allowed;
}

/* --- quiet hours and digests ------------------------------------------------------------------------------------------- */

#define DAY_S ((int64_t)SECONDS_OF_DAY)

/* The first moment after now at which clocks show that wall time, or the leap over it. */
static int64_t moment_after(const Zone *zone, int64_t wall_s, int64_t now_s)
{
	int64_t at[2];
	unsigned count = zone_moments(zone, wall_s, at);

	return count == 2 && at[0] <= now_s ? at[1] : at[0];
}

static bool begins_on(const QuietHours *quiet, int64_t day)
{
	return !quiet->days || (quiet->days >> civil_weekday(day) & 1);
}

int64_t quiet_until(const QuietHours *quiet, const Zone *zone, Channel channel, int64_t now_us)
{
	int64_t now_s = civil_floor(now_us, US_PER_S);
	int64_t wall = now_s + zone_offset(zone, now_s);
	int64_t day = civil_floor(wall, DAY_S);
	int64_t minute = (wall - day * DAY_S) / 60;
	int64_t end;

	if (!quiet->set || !(quiet->channels >> channel & 1) || quiet->from == quiet->to)
		return 0;
	if (quiet->from < quiet->to) {
		if (minute < quiet->from || minute >= quiet->to || !begins_on(quiet, day))
			return 0;
		end = day;
	} else if (minute >= quiet->from && begins_on(quiet, day)) {
		end = day + 1;
	} else if (minute < quiet->to && begins_on(quiet, day - 1)) {
		end = day;
	} else {
		return 0;
	}
	end = moment_after(zone, end * DAY_S + quiet->to * 60, now_s);
	return end > now_s ? end * US_PER_S : 0;
}

int64_t digest_closes(int64_t window_s, int64_t at, const Zone *zone, int64_t now_us)
{
	int64_t now_s = civil_floor(now_us, US_PER_S);
	int64_t day = civil_floor(now_s + zone_offset(zone, now_s), DAY_S);
	int64_t closes;

	if (at < 0)
		return now_us + window_s * US_PER_S;
	closes = moment_after(zone, day * DAY_S + at * 60, now_s);
	if (closes <= now_s)
		closes = moment_after(zone, (day + 1) * DAY_S + at * 60, now_s);
	return closes * US_PER_S;
}

/* --- languages --------------------------------------------------------------------------------------------------------- */

bool language_is(Str text)
{
	if (!text.len || text.len > 35)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!letter && !(i && ((c >= '0' && c <= '9') || (c == '-' && i + 1 < text.len))))
			return false;
	}
	return true;
}

static Str locale_parent(Str locale)
{
	ptrdiff_t hyphen = str_rfind_char(locale, '-');

	return hyphen < 0 ? S("") : str_sub(locale, 0, (size_t)hyphen);
}

static Str locale_language(Str locale)
{
	ptrdiff_t hyphen = str_find_char(locale, '-');

	return hyphen < 0 ? locale : str_sub(locale, 0, (size_t)hyphen);
}

static ptrdiff_t pick_near(const Str *have, size_t count, Str want)
{
	for (Str at = want; at.len; at = locale_parent(at))
		for (size_t i = 0; i < count; i++)
			if (str_eq_nocase(have[i], at))
				return (ptrdiff_t)i;
	for (size_t i = 0; i < count && want.len; i++)
		if (str_eq_nocase(locale_language(have[i]), locale_language(want)))
			return (ptrdiff_t)i;
	return -1;
}

ptrdiff_t language_pick(const Str *have, size_t count, Str want, Str fallback)
{
	const Str wants[] = { want, fallback, S("en") };

	for (size_t i = 0; i < COUNT(wants); i++) {
		ptrdiff_t at = pick_near(have, count, wants[i]);

		if (at >= 0)
			return at;
	}
	return count ? 0 : -1;
}

/* --- addresses --------------------------------------------------------------------------------------------------------- */

enum { EMAIL_MOST = 254, LOCAL_MOST = 64, NUMBER_LEAST = 7, NUMBER_MOST = 15 };

static bool email_char(unsigned char c)
{
	return c > ' ' && c != 0x7f && !strchr("()<>,;:\\\"[]", c);
}

static const char *email_read(Arena *a, Str text, Str *out)
{
	ptrdiff_t at = str_rfind_char(text, '@');
	Str domain;

	if (text.len > EMAIL_MOST)
		return "is longer than 254 bytes";
	if (at <= 0 || (size_t)at + 1 == text.len)
		return "has no @ between a name and a domain";
	if (at > LOCAL_MOST)
		return "has more than 64 bytes before the @";
	for (size_t i = 0; i < text.len; i++)
		if (!email_char((unsigned char)text.at[i]) ||
		    (text.at[i] == '@' && i != (size_t)at))
			return "has a character that addresses do not have";
	domain = str_sub(text, (size_t)at + 1, text.len);
	if (domain.at[0] == '.' || domain.at[0] == '-' || domain.at[domain.len - 1] == '.' ||
	    str_find(domain, S("..")) >= 0)
		return "has a domain that is none";
	*out = str_lower(a, text);
	return NULL;
}

static const char *number_read(Arena *a, Str text, Str *out)
{
	char *number = arena_alloc_raw(a, text.len + 1);
	size_t len = 0;

	if (!text.len || text.at[0] != '+')
		return "has no + and country code before it";
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (i && strchr(" -()./", c))
			continue;
		if (i && (c < '0' || c > '9'))
			return "is no telephone number";
		number[len++] = c;
	}
	if (len < 1 + NUMBER_LEAST || len > 1 + NUMBER_MOST || number[1] == '0')
		return "is no telephone number as E.164 has them";
	*out = (Str){ number, len };
	return NULL;
}

const char *address_read(Arena *a, Channel channel, Str text, Str *out)
{
	if (channel == CHANNEL_EMAIL)
		return email_read(a, text, out);
	if (channel == CHANNEL_SMS)
		return number_read(a, text, out);
	*out = text;
	return NULL;
}

Str address_hint(Arena *a, Channel channel, Str address)
{
	ptrdiff_t at = str_rfind_char(address, '@');

	if (channel == CHANNEL_EMAIL && at > 0)
		return str_fmt(a, "%.1s***%.*s", address.at,
		               STR_ARG(str_sub(address, (size_t)at, address.len)));
	if (address.len < 8)
		return S("***");
	return str_fmt(a, "%.3s***%.2s", address.at, address.at + address.len - 2);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "notification/delivery_domain.c"

#include "unit.h"

static int64_t at(int64_t year, int month, int day, int hour, int minute)
{
	return (civil_days(year, month, day) * DAY_S + hour * 3600 + minute * 60) * US_PER_S;
}

static const Zone *zone(Arena *a, const char *name)
{
	const Zone *out;

	CHECK_OK(zone_load(a, str_of(name), &out));
	return out;
}

TEST(names_are_read_as_they_are_said)
{
	for (int i = 0; i < DELIVERY_STATE_COUNT; i++) {
		DeliveryState state;

		CHECK(delivery_state_read(str_of(delivery_state_name((DeliveryState)i)), &state));
		CHECK_INT(state, i);
	}
	for (int i = 0; i < CHANNELS; i++) {
		Channel channel;

		CHECK(channel_read(str_of(channel_name((Channel)i)), &channel));
		CHECK_INT(channel, i);
	}
	for (int i = 0; i < CLASSES; i++) {
		MessageClass class;

		CHECK(class_read(str_of(class_name((MessageClass)i)), &class));
		CHECK_INT(class, i);
	}
	for (int i = 0; i < SEND_OUTCOMES; i++)
		CHECK(outcome_name((SendOutcome)i) != NULL);
}

/* What is over is not sent again, and what was sent is not taken back. */
TEST(states_only_go_on)
{
	static const struct {
		DeliveryState from, to;
		bool may;
	} cases[] = {
		{ DELIVERY_QUEUED, DELIVERY_SENDING, true },
		{ DELIVERY_QUEUED, DELIVERY_ACCEPTED, false },
		{ DELIVERY_DEFERRED, DELIVERY_CANCELLED, true },
		{ DELIVERY_SENDING, DELIVERY_CANCELLED, false },
		{ DELIVERY_SENDING, DELIVERY_UNKNOWN, true },
		{ DELIVERY_UNKNOWN, DELIVERY_DELIVERED, true },
		{ DELIVERY_UNKNOWN, DELIVERY_SENDING, false },
		{ DELIVERY_ACCEPTED, DELIVERY_DELIVERED, true },
		{ DELIVERY_ACCEPTED, DELIVERY_SENDING, false },
		{ DELIVERY_BOUNCED_HARD, DELIVERY_DELIVERED, false },
		{ DELIVERY_DELIVERED, DELIVERY_COMPLAINED, true },
		{ DELIVERY_COMPLAINED, DELIVERY_DELIVERED, false },
		{ DELIVERY_DIGESTING, DELIVERY_SENDING, false },
		{ DELIVERY_DIGESTING, DELIVERY_DIGESTED, true },
		{ DELIVERY_CANCELLED, DELIVERY_QUEUED, false },
		{ DELIVERY_SUPPRESSED, DELIVERY_SENDING, false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%s to %s", delivery_state_name(cases[i].from),
		     delivery_state_name(cases[i].to));
		CHECK_INT(delivery_may(cases[i].from, cases[i].to), cases[i].may);
	}
	for (int i = 0; i < DELIVERY_STATE_COUNT; i++)
		if (delivery_unsent((DeliveryState)i))
			CHECK(delivery_may((DeliveryState)i, DELIVERY_CANCELLED));
		else
			CHECK(!delivery_may((DeliveryState)i, DELIVERY_CANCELLED));
}

TEST(what_follows_an_attempt)
{
	static const struct {
		MessageClass class;
		SendOutcome outcome;
		uint32_t attempts;
		bool can_dedupe, another;
		NextStep step;
		DeliveryState state;
	} cases[] = {
		{ CLASS_BULK, SEND_ACCEPTED, 1, false, true, NEXT_END, DELIVERY_ACCEPTED },
		{ CLASS_BULK, SEND_HARD, 1, true, true, NEXT_END, DELIVERY_BOUNCED_HARD },
		{ CLASS_SECURITY, SEND_GONE, 1, true, true, NEXT_END, DELIVERY_FAILED },
		{ CLASS_BULK, SEND_SOFT, 1, false, true, NEXT_ANOTHER, DELIVERY_QUEUED },
		{ CLASS_BULK, SEND_SOFT, 1, false, false, NEXT_LATER, DELIVERY_DEFERRED },
		{ CLASS_BULK, SEND_SOFT, 6, false, false, NEXT_END, DELIVERY_FAILED },
		{ CLASS_BULK, SEND_SOFT, 6, false, true, NEXT_END, DELIVERY_FAILED },
		{ CLASS_TRANSACTIONAL, SEND_REFUSED, 1, false, true, NEXT_ANOTHER,
		  DELIVERY_QUEUED },
		{ CLASS_TRANSACTIONAL, SEND_THROTTLED, 1, false, false, NEXT_LATER,
		  DELIVERY_DEFERRED },
		/* nobody knows: at most once, unless a repeat is known or two are better than none */
		{ CLASS_TRANSACTIONAL, SEND_UNKNOWN, 1, false, true, NEXT_END, DELIVERY_UNKNOWN },
		{ CLASS_BULK, SEND_UNKNOWN, 1, false, true, NEXT_END, DELIVERY_UNKNOWN },
		{ CLASS_TRANSACTIONAL, SEND_UNKNOWN, 1, true, true, NEXT_SAME, DELIVERY_DEFERRED },
		{ CLASS_SECURITY, SEND_UNKNOWN, 1, true, true, NEXT_SAME, DELIVERY_DEFERRED },
		{ CLASS_SECURITY, SEND_UNKNOWN, 1, false, true, NEXT_ANOTHER, DELIVERY_QUEUED },
		{ CLASS_CRITICAL, SEND_UNKNOWN, 1, false, false, NEXT_LATER, DELIVERY_DEFERRED },
		{ CLASS_CRITICAL, SEND_UNKNOWN, 10, false, false, NEXT_END, DELIVERY_UNKNOWN },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Tried tried = { .class = cases[i].class,
			        .outcome = cases[i].outcome,
			        .attempts = cases[i].attempts,
			        .can_dedupe = cases[i].can_dedupe,
			        .another = cases[i].another,
			        .now_us = 1000 * US_PER_S };
		Next next = delivery_next(&tried);

		NOTE("case %zu", i);
		CHECK_INT(next.step, cases[i].step);
		CHECK_INT(next.state, cases[i].state);
		if (next.step == NEXT_LATER || next.step == NEXT_SAME)
			CHECK(next.at_us >= tried.now_us + US_PER_S);
	}
}

TEST(pauses_grow_to_a_bound_and_are_never_shorter_than_asked_for)
{
	const ClassRule *rule = class_rule(CLASS_TRANSACTIONAL);

	for (uint32_t n = 1; n < rule->attempts; n++) {
		for (uint64_t dice = 0; dice < 200; dice++) {
			Tried tried = { .class = CLASS_TRANSACTIONAL,
				        .outcome = SEND_SOFT,
				        .attempts = n,
				        .dice = dice * UINT64_C(0x9e3779b97f4a7c15) };
			int64_t most = MIN(rule->pause_us << (n - 1), rule->pause_max_us);

			NOTE("attempt %u", n);
			CHECK(delivery_next(&tried).at_us <= most);
			tried.retry_after_us = 90 * US_PER_S;
			CHECK(delivery_next(&tried).at_us >= 90 * US_PER_S);
		}
	}
}

TEST(what_would_come_too_late_does_not_wait)
{
	Tried tried = { .class = CLASS_SECURITY,
		        .outcome = SEND_SOFT,
		        .attempts = 1,
		        .retry_after_us = 60 * US_PER_S,
		        .expires_us = 30 * US_PER_S };

	CHECK_INT(delivery_next(&tried).state, DELIVERY_EXPIRED);
	tried.expires_us = 61 * US_PER_S;
	CHECK_INT(delivery_next(&tried).state, DELIVERY_DEFERRED);
	tried.outcome = SEND_UNKNOWN;
	tried.expires_us = 30 * US_PER_S;
	CHECK_INT(delivery_next(&tried).state, DELIVERY_UNKNOWN);
}

TEST(the_most_exact_preference_counts)
{
	static const Preference rows[] = {
		{ S("*"), S("*"), false },
		{ S("*"), S("email"), true },
		{ S("news"), S("*"), false },
		{ S("news"), S("push"), true },
	};
	static const struct {
		Str category;
		Channel channel;
		bool allowed;
	} cases[] = {
		{ S("orders"), CHANNEL_SMS, false }, { S("orders"), CHANNEL_EMAIL, true },
		{ S("news"), CHANNEL_EMAIL, false }, { S("news"), CHANNEL_PUSH, true },
		{ S("news"), CHANNEL_INBOX, false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("case %zu", i);
		CHECK_INT(preference_allows(rows, COUNT(rows), cases[i].category, cases[i].channel),
		          cases[i].allowed);
	}
	CHECK(preference_allows(NULL, 0, S("orders"), CHANNEL_EMAIL));
}

/* --- quiet hours --------------------------------------------------------------------------------------------------------- */

TEST(quiet_hours_go_by_the_clocks_of_the_zone)
{
	static const struct {
		const char *zone;
		int from, to;
		int y, mo, d, h, mi;            /* UTC */
		int until_d, until_h, until_mi; /* of the same month, UTC; -1: not quiet */
	} cases[] = {
		{ "UTC", 22 * 60, 7 * 60, 2026, 5, 10, 21, 59, -1, 0, 0 },
		{ "UTC", 22 * 60, 7 * 60, 2026, 5, 10, 22, 0, 11, 7, 0 },
		{ "UTC", 22 * 60, 7 * 60, 2026, 5, 11, 6, 59, 11, 7, 0 },
		{ "UTC", 22 * 60, 7 * 60, 2026, 5, 11, 7, 0, -1, 0, 0 },
		{ "UTC", 9 * 60, 17 * 60, 2026, 5, 11, 12, 0, 11, 17, 0 },
		{ "UTC", 9 * 60, 17 * 60, 2026, 5, 11, 17, 0, -1, 0, 0 },
		{ "UTC", 9 * 60, 9 * 60, 2026, 5, 11, 9, 0, -1, 0, 0 },
		/* UTC+2 in summer, +1 in winter */
		{ "Europe/Berlin", 22 * 60, 7 * 60, 2026, 5, 10, 20, 0, 11, 5, 0 },
		{ "Europe/Berlin", 22 * 60, 7 * 60, 2026, 1, 10, 20, 0, -1, 0, 0 },
		{ "Europe/Berlin", 22 * 60, 7 * 60, 2026, 1, 10, 21, 0, 11, 6, 0 },
		/* the night in which clocks are put forward is an hour shorter; back, an hour longer */
		{ "Europe/Berlin", 22 * 60, 7 * 60, 2026, 3, 28, 22, 0, 29, 5, 0 },
		{ "Europe/Berlin", 22 * 60, 7 * 60, 2026, 10, 24, 21, 0, 25, 6, 0 },
		/* an end in the hour that is left out is the leap */
		{ "Europe/Berlin", 22 * 60, 2 * 60 + 30, 2026, 3, 28, 23, 0, 29, 1, 0 },
		/* an end in the hour that is repeated: the first time, and again the second */
		{ "Europe/Berlin", 22 * 60, 2 * 60 + 30, 2026, 10, 24, 23, 0, 25, 0, 30 },
		{ "Europe/Berlin", 22 * 60, 2 * 60 + 30, 2026, 10, 25, 1, 10, 25, 1, 30 },
		/* half hours, and the other side of the date line */
		{ "Asia/Kolkata", 22 * 60, 7 * 60, 2026, 5, 10, 16, 30, 11, 1, 30 },
		{ "Pacific/Auckland", 22 * 60, 7 * 60, 2026, 5, 10, 10, 0, 10, 19, 0 },
		{ "America/New_York", 0, 6 * 60, 2026, 5, 10, 4, 0, 10, 10, 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		QuietHours quiet = { true, cases[i].from, cases[i].to, 0, 1 << CHANNEL_PUSH };
		int64_t now = at(cases[i].y, cases[i].mo, cases[i].d, cases[i].h, cases[i].mi);
		int64_t want = cases[i].until_d < 0 ? 0
		                                    : at(cases[i].y, cases[i].mo, cases[i].until_d,
		                                         cases[i].until_h, cases[i].until_mi);

		NOTE("case %zu", i);
		CHECK_INT(quiet_until(&quiet, zone(a, cases[i].zone), CHANNEL_PUSH, now), want);
		CHECK_INT(quiet_until(&quiet, zone(a, cases[i].zone), CHANNEL_EMAIL, now), 0);
	}
}

TEST(quiet_days_are_those_on_which_it_begins)
{
	/* Friday and Saturday night; 2026-05-08 is a Friday */
	QuietHours quiet = { true, 22 * 60, 10 * 60, 1 << 5 | 1 << 6, 1 << CHANNEL_SMS };
	const Zone *utc = zone_utc();

	CHECK_INT(quiet_until(&quiet, utc, CHANNEL_SMS, at(2026, 5, 7, 23, 0)), 0);
	CHECK_INT(quiet_until(&quiet, utc, CHANNEL_SMS, at(2026, 5, 8, 9, 0)), 0);
	CHECK_INT(quiet_until(&quiet, utc, CHANNEL_SMS, at(2026, 5, 8, 23, 0)),
	          at(2026, 5, 9, 10, 0));
	CHECK_INT(quiet_until(&quiet, utc, CHANNEL_SMS, at(2026, 5, 10, 9, 0)),
	          at(2026, 5, 10, 10, 0));
	CHECK_INT(quiet_until(&quiet, utc, CHANNEL_SMS, at(2026, 5, 10, 23, 0)), 0);
	CHECK_INT(quiet_until(&(QuietHours){ 0 }, utc, CHANNEL_SMS, at(2026, 5, 8, 23, 0)), 0);
}

/* Whoever waits until the end, and looks again, at last may: it is never quiet for ever. */
TEST(quiet_hours_end)
{
	static const char *const zones[] = { "Europe/Berlin", "America/New_York",
		                             "Australia/Lord_Howe" };

	for (size_t z = 0; z < COUNT(zones); z++) {
		for (int64_t day = 0; day < 730; day++) {
			QuietHours quiet = { true, 23 * 60 + (int)(day % 7),
				             2 * 60 + (int)(day % 60), 0, 1 };
			int64_t now = at(2026, 1, 1, 0, 0) + day * DAY_S * US_PER_S, until;
			int looks = 0;

			while ((until = quiet_until(&quiet, zone(a, zones[z]), CHANNEL_EMAIL,
			                            now))) {
				NOTE("%s day %" PRId64, zones[z], day);
				CHECK(until > now && until - now <= 26 * 3600 * US_PER_S);
				CHECK(++looks < 4);
				now = until;
			}
		}
	}
}

TEST(digests_close_after_a_while_or_at_a_time_of_the_day)
{
	const Zone *berlin = zone(a, "Europe/Berlin");

	CHECK_INT(digest_closes(600, -1, berlin, at(2026, 5, 10, 20, 0)), at(2026, 5, 10, 20, 10));
	CHECK_INT(digest_closes(0, 9 * 60, berlin, at(2026, 5, 10, 6, 0)), at(2026, 5, 10, 7, 0));
	CHECK_INT(digest_closes(0, 9 * 60, berlin, at(2026, 5, 10, 7, 0)), at(2026, 5, 11, 7, 0));
	CHECK_INT(digest_closes(0, 9 * 60, berlin, at(2026, 3, 28, 9, 0)), at(2026, 3, 29, 7, 0));
	CHECK_INT(digest_closes(0, 2 * 60 + 30, berlin, at(2026, 3, 28, 9, 0)),
	          at(2026, 3, 29, 1, 0));
	CHECK_INT(digest_closes(0, 2 * 60 + 30, berlin, at(2026, 10, 25, 0, 40)),
	          at(2026, 10, 25, 1, 30));
}

/* --- languages and addresses ------------------------------------------------------------------------------------------- */

TEST(the_nearest_language_is_taken)
{
	static const Str have[] = { S("fr"), S("de-CH"), S("en-GB"), S("de") };
	static const struct {
		Str want, fallback;
		ptrdiff_t at;
	} cases[] = {
		{ S("de"), S(""), 3 },      { S("DE-at"), S(""), 3 },
		{ S("de-CH"), S("fr"), 1 }, { S("de-CH-1901"), S(""), 1 },
		{ S("it"), S("fr"), 0 },    { S("it"), S("es"), 2 },
		{ S(""), S(""), 2 },        { S("en-US"), S("fr"), 2 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("case %zu", i);
		CHECK_INT(language_pick(have, COUNT(have), cases[i].want, cases[i].fallback),
		          cases[i].at);
	}
	CHECK_INT(language_pick(have, 1, S("ja"), S("")), 0);
	CHECK_INT(language_pick(have, 0, S("ja"), S("")), -1);
}

TEST(language_tags)
{
	static const struct {
		Str text;
		bool good;
	} cases[] = {
		{ S("de"), true },   { S("zh-Hant-TW"), true }, { S("es-419"), true },
		{ S(""), false },    { S("de_AT"), false },     { S("1a"), false },
		{ S("de-"), false }, { S("../x"), false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%.*s", STR_ARG(cases[i].text));
		CHECK_INT(language_is(cases[i].text), cases[i].good);
	}
}

TEST(addresses_have_one_form)
{
	static const struct {
		Channel channel;
		Str text, want; /* empty: it is none */
	} cases[] = {
		{ CHANNEL_EMAIL, S("Ann@Shop.test"), S("ann@shop.test") },
		{ CHANNEL_EMAIL, S("a.b+c@x.y"), S("a.b+c@x.y") },
		{ CHANNEL_EMAIL, S("a@b@c"), S("") },
		{ CHANNEL_EMAIL, S("@x"), S("") },
		{ CHANNEL_EMAIL, S("a@"), S("") },
		{ CHANNEL_EMAIL, S("a b@x"), S("") },
		{ CHANNEL_EMAIL, S("a@x\r\nBcc: b@y"), S("") },
		{ CHANNEL_EMAIL, S("a@.x"), S("") },
		{ CHANNEL_EMAIL, S("<a@x>"), S("") },
		{ CHANNEL_EMAIL, S("a,b@x"), S("") },
		{ CHANNEL_SMS, S("+49 (170) 123-4567"), S("+491701234567") },
		{ CHANNEL_SMS, S("0170123"), S("") },
		{ CHANNEL_SMS, S("+49"), S("") },
		{ CHANNEL_SMS, S("+0123456789"), S("") },
		{ CHANNEL_SMS, S("+1234567890123456"), S("") },
		{ CHANNEL_SMS, S("+49170x234567"), S("") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Str out = S("");
		const char *wrong = address_read(a, cases[i].channel, cases[i].text, &out);

		NOTE("%.*s", STR_ARG(cases[i].text));
		CHECK_INT(wrong == NULL, cases[i].want.len > 0);
		CHECK_STR(out, cases[i].want);
	}
	CHECK_STR(address_hint(a, CHANNEL_EMAIL, S("ann@shop.test")), S("a***@shop.test"));
	CHECK_STR(address_hint(a, CHANNEL_SMS, S("+491701234567")), S("+49***67"));
	CHECK_STR(address_hint(a, CHANNEL_PUSH, S("x")), S("***"));
}

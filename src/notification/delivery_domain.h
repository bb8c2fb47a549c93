/* SPDX-License-Identifier: Apache-2.0
 *
 * What may become of one delivery, and what holds one back: states, classes, preferences, quiet hours, languages. Pure. */
#pragma once
#include "base/zone.h"

/* --- words ------------------------------------------------------------------------------------------------------------- */

typedef enum Channel { CHANNEL_EMAIL, CHANNEL_SMS, CHANNEL_PUSH, CHANNEL_INBOX, CHANNELS } Channel;

/* What may be done with a message: see class_rule. */
typedef enum MessageClass {
	CLASS_SECURITY, /* codes, "somebody logged in": no preference and no quiet hour holds it */
	CLASS_CRITICAL, /* alarms: no quiet hour holds it */
	CLASS_TRANSACTIONAL, /* about something that the recipient did */
	CLASS_BULK,          /* news: leaves only with a way to unsubscribe */
	CLASSES
} MessageClass;

typedef enum SendOutcome {
	SEND_ACCEPTED, /* it is theirs now. That is not: delivered */
	SEND_SOFT, /* not taken, may work later: SMTP 4xx, HTTP 5xx with a proof that nothing was done, no connection */
	SEND_HARD, /* not taken, and never will be, whoever is asked: 550 no such user, a number that is none */
	SEND_REFUSED, /* this provider will not have us: credentials, quota, a country it does not serve. Others may */
	SEND_THROTTLED, /* not taken; later: retry_after_us */
	SEND_GONE, /* as HARD, and the address is to be forgotten: a push subscription that has ended */
	SEND_UNKNOWN, /* the conversation broke where it may have been taken */
	SEND_OUTCOMES
} SendOutcome;

const char *channel_name(Channel channel); /* "email", "sms", "push", "inbox" */
bool channel_read(Str name, Channel *out);
const char *class_name(MessageClass class); /* "security", "critical", "transactional", "bulk" */
const char *outcome_name(SendOutcome outcome);

/* --- states ------------------------------------------------------------------------------------------------------------ */

/* name, may it still go out, is it the end unless a provider's callback knows better */
#define DELIVERY_STATES(X) \
	X(QUEUED, "queued", true, false) \
	X(DEFERRED, "deferred", true, false) /* quiet hours, or a pause before the next attempt */ \
	X(DIGESTING, "digesting", true, false) /* collected, for one message of several */ \
	X(DIGESTED, "digested", false, true)   /* went into such a message */ \
	X(SUPPRESSED, "suppressed", false, true) \
	X(SENDING, "sending", false, false) \
	X(ACCEPTED, "accepted", false, true) /* a provider has it. That is not: delivered */ \
	X(DELIVERED, "delivered", false, true) \
	X(BOUNCED_SOFT, "bounced_soft", false, true) \
	X(BOUNCED_HARD, "bounced_hard", false, true) \
	X(COMPLAINED, "complained", false, true) \
	X(FAILED, "failed", false, true) \
	X(UNKNOWN, "unknown", false, true) /* may have been taken; not sent again */ \
	X(EXPIRED, "expired", false, true) \
	X(CANCELLED, "cancelled", false, true) \
	X(COLLAPSED, "collapsed", false, true) /* a later one stands in for it */

typedef enum DeliveryState {
#define X(id, name, unsent, final) DELIVERY_##id,
	DELIVERY_STATES(X)
#undef X
		DELIVERY_STATE_COUNT
} DeliveryState;

const char *delivery_state_name(DeliveryState state);
bool delivery_state_read(Str name, DeliveryState *out);
bool delivery_unsent(DeliveryState state); /* may be cancelled */
bool delivery_final(DeliveryState state);
/* May one become the other? What a callback tells late never takes back what is known better. */
bool delivery_may(DeliveryState from, DeliveryState to);

/* --- classes ----------------------------------------------------------------------------------------------------------- */

typedef struct ClassRule {
	const char *name;
	bool preferences; /* recipients may turn it off */
	bool quiet;       /* quiet hours hold it */
	bool unsubscribe; /* carries a way to unsubscribe (RFC 8058), and leaves not without one */
	bool complaints; /* a complaint or an unsubscribing holds it; a hard bounce holds every class */
	/* After an outcome that nobody knows: again, by any provider (at least once), or only by one that knows a repeat (at most
	 * once). */
	bool duplicate;
	bool urgent;
	int32_t priority;
	uint32_t attempts; /* at most */
	int64_t pause_us;  /* before the second, doubled each time, a random part of it */
	int64_t pause_max_us;
	const char *help;
} ClassRule;

const ClassRule *class_rule(MessageClass class) RETURNS_NONNULL;
bool class_read(Str name, MessageClass *out);

/* --- after an attempt -------------------------------------------------------------------------------------------------- */

typedef struct Tried {
	MessageClass class;
	SendOutcome outcome;
	uint32_t attempts; /* with this one */
	bool can_dedupe;   /* does its provider know a repeat? */
	bool another;      /* is there another provider that was not asked in this round? */
	int64_t now_us;
	int64_t retry_after_us; /* 0: not said */
	int64_t expires_us;     /* 0: never */
	uint64_t dice;          /* anything random */
} Tried;

typedef enum NextStep {
	NEXT_END,     /* `state` is its end */
	NEXT_ANOTHER, /* at once, by another provider */
	NEXT_LATER,   /* at `at_us`, by whoever is well then */
	NEXT_SAME, /* at `at_us`, by the same provider, for only that one knows that it is the same */
} NextStep;

typedef struct Next {
	NextStep step;
	DeliveryState state; /* from now on */
	int64_t at_us;
} Next;

Next delivery_next(const Tried *tried);

/* --- who may be asked, and when ------------------------------------------------------------------------------------------ */

typedef struct Preference {
	Str category, channel; /* "*": any */
	bool allowed;
} Preference;
/* By the most exact row: category before channel. Without one it is allowed. */
bool preference_allows(const Preference *rows, size_t count, Str category, Channel channel);

typedef struct QuietHours {
	bool set;
	int from, to;     /* minutes of the day, to excluded; from after to: over midnight */
	uint8_t days;     /* a bit a weekday on which they begin, Sunday is 1; 0: every day */
	uint8_t channels; /* a bit a channel */
} QuietHours;
/* When a message may go out that is due at that moment: 0: then. By what clocks in the zone show: where an hour is left out
 * the end is the leap, where one is repeated it is quiet whenever clocks show so. */
int64_t quiet_until(const QuietHours *quiet, const Zone *zone, Channel channel, int64_t now_us);

/* When a digest that begins now is closed: after window_s, or (at >= 0) when clocks in the zone next show that minute of a day. */
int64_t digest_closes(int64_t window_s, int64_t at, const Zone *zone, int64_t now_us);

/* Which of these languages is best for one who wants `want`: itself, what it is a kind of ("de" for "de-AT"), another kind of the same,
 * the fallback and so on, English, the first. -1: there are none. */
ptrdiff_t language_pick(const Str *have, size_t count, Str want, Str fallback);
bool language_is(
	Str text); /* "de", "de-AT", "zh-Hant-TW": letters, digits and hyphens, at most 35 bytes */

/* --- addresses --------------------------------------------------------------------------------------------------------- */

/* One form for all that mean the same: e-mail in lower case, numbers as E.164 without blanks and hyphens. NULL, or a sentence that goes on
 * after the name: "has no @". */
const char *address_read(Arena *a, Channel channel, Str text, Str *out);
Str address_hint(Arena *a, Channel channel,
                 Str address); /* "a***@shop.test", "+49***67": for people and logs */

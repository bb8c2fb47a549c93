/* SPDX-License-Identifier: Apache-2.0
 *
 * Channels and providers: how one rendered message leaves the house.
 *
 * A channel is a kind of way (e-mail, SMS, push, the inbox in the application); a provider is one configured way of a channel: a
 * mail server, a company with an HTTP API. Who writes a provider fills a ProviderKind, and hands the configured ones over when the
 * service begins:
 *
 *   TRY(provider_add(providers, &(Provider){ .name = conf->name, .kind = &smtp_kind, .state = state }));
 *
 * The service does the rest: before each call of `send` there is a row of the attempt in the database, after it the result in the
 * same row. What `send` tells is believed, so it must be exact about one thing: could the message have been taken? Only what
 * provably did not happen may be SOFT, HARD, REFUSED, THROTTLED or GONE; all else is UNKNOWN, and then the class of the message
 * decides whether it goes out again (delivery_domain.h). */
#pragma once
#include "base/uuid.h"
#include "notification/delivery_domain.h"

typedef struct Db Db;
typedef struct Json Json;

typedef struct MessageHeader {
	Str name, value; /* of an e-mail, beside those that are made; checked by who builds it */
} MessageHeader;

/* One message for one address, rendered. All texts are UTF-8 without NUL; views live as long as the call. */
typedef struct Message {
	Channel channel;
	MessageClass class;
	/* The same in every attempt: Message-ID, Idempotency-Key, VERP and APNs' apns-id are made of it. nil: a test-send */
	Uuid delivery;
	Uuid notification;
	int64_t attempt; /* 1 is the first */
	Str to; /* "ann@shop.test"; "+491701234567"; a device's token, or its endpoint's URL */
	Str to_name;
	Str platform; /* push: "webpush", "fcm", "apns" */
	const Json *
		device; /* push: what else the device said: { "p256dh": ..., "auth": ... }; NULL: nothing */
	Str from, from_name,
		reply_to; /* e-mail; `from` of SMS: the sender's number or name. Empty: the provider's own */
	Str subject; /* e-mail; of push the title. One line */
	Str text;
	Str html; /* e-mail; empty: text alone */
	Str url;  /* push: where a click leads */
	Str icon; /* push: a picture's URL */
	Str data; /* push: a JSON object for the application; empty: none */
	Str locale;
	Str category; /* what preferences call it: "orders" */
	Str unsubscribe; /* "https://.../u/TOKEN": List-Unsubscribe and List-Unsubscribe-Post (RFC 8058); empty: none */
	Str collapse_key;   /* a later one of this key stands in for an earlier; empty: none */
	int64_t expires_us; /* UTC: worth nothing after that; 0: no end */
	bool urgent;        /* may wake a sleeping device */
	Str traceparent;
	const MessageHeader *headers;
	size_t header_count;
	Str raw; /* e-mail that is whole already: sent as it is, but for headers that are ours; text and html are empty */
	Str raw_from; /* its envelope's sender; empty: the provider's own */
} Message;

typedef struct SendResult {
	SendOutcome outcome;
	Str id;     /* the provider's name for it, by which callbacks find it; empty: none */
	Str code;   /* its own: "550 5.1.1", "21211"; empty: none */
	Str detail; /* one line for people; no address, no text of the message */
	int64_t retry_after_us; /* from now; 0: not said */
	bool alone; /* it says nothing about the provider: whose pause, refusal or silence it is concerns this address alone */
	int64_t segments; /* of an SMS; 0: not counted */
	bool bad_address; /* HARD of mails and SMS: the address takes nothing, whatever is sent; it gets nothing more. False: this message */
	int64_t gone_us; /* GONE: since when, UTC; a device that was told after that is not forgotten. 0: not said */
} SendResult;

/* Sends one message. Parks; ends with the fiber's deadline or cancellation, and says UNKNOWN then when it may have been taken.
 * Called by several fibers at once, on any loop. *out lives in the arena. An Err is for what never reached the wire and is
 * nobody's fault (memory, a cancelled process): the attempt is then as if it had not been begun. */
typedef Err *ProviderSend(void *state, Arena *a, const Message *message, SendResult *out);

typedef struct ProviderKind {
	const char *name; /* "smtp", "twilio", "webpush" */
	Channel channel;
	bool can_dedupe; /* the same delivery sent twice arrives once: a repeat after UNKNOWN harms nobody */
	bool (*takes)(void *state,
	              const Message *message); /* can it send this one at all? NULL: yes */
	ProviderSend *send;
	/* Is it worth asking? NULL: yes. A sentence of the arena: why not. Does not park. */
	Str (*ails)(void *state, Arena *a);
	void (*close)(void *state); /* at the service's end; parks. NULL: nothing to do */
	const char *help;           /* one line */
} ProviderKind;

/* SPDX-License-Identifier: Apache-2.0
 *
 * Apple Push Notification service: HTTP/2, many messages on one connection, each with a provider's token (ES256).
 *
 * Apple refuses a provider whose token is older than an hour, and one that makes them more often than every 20 minutes: it is made
 * anew after 40. A 410 comes with the moment at which the device had no such token any more; a device that was told to us after that
 * moment is not forgotten (gone_us, which the service compares). */
#include "notification/push_int.h"

#include "auth/jws.h"
#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"

enum { RENEW_S = 40 * 60, OLD_S = 59 * 60 };

typedef struct Apns {
	const ApnsConf *conf;
	const Jwk *key;
	AskClient *client;
	PushToken token;
} Apns;

Err *apns_open(Arena *a, Arena *errs, const ApnsConf *conf, void **state)
{
	Apns *n = ARENA_NEW(a, Apns);

	n->conf = conf;
	push_token_init(&n->token);
	TRY(push_read_key(a, errs, conf->key, conf->key_id, &n->key));
	*state = n;
	return ask_open(errs,
	                &(AskConf){ .name = "apns",
	                            .ca = conf->ca,
	                            .speak = ASK_H2,
	                            .streams_most = 1000 },
	                &n->client);
}

static void close_apns(void *state)
{
	ask_close(((Apns *)state)->client);
}

static bool takes_apns(void *state UNUSED, const Message *message)
{
	return str_eq(message->platform, S("apns"));
}

static Err *token_of(Apns *n, Arena *a, Str *out)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	int64_t now_us = time_utc_us();
	Str claims;
	bool renew;

	push_token_get(&n->token, a, now_us, out, &renew);
	if (!renew)
		return NULL;
	json_begin_object(&w);
	json_put_str(&w, "iss", n->conf->team);
	json_put_i64(&w, "iat", now_us / US_PER_S);
	json_end(&w);
	TRY(json_done(&w, &claims));
	TRY(jws_sign(a, n->key, JWS_ES256, S(""), claims, out));
	push_token_set(&n->token, *out, now_us + RENEW_S * US_PER_S, now_us + OLD_S * US_PER_S);
	return NULL;
}

static Err *body_of(Arena *a, const Message *m, Str *out)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Str text;

	json_begin_object(&w);
	json_key(&w, S("aps"));
	json_begin_object(&w);
	json_key(&w, S("alert"));
	json_begin_object(&w);
	json_put_str(&w, "title", m->subject);
	json_put_str(&w, "body", m->text);
	json_end(&w);
	json_put_str(&w, "sound", S("default"));
	json_end(&w);
	if (m->url.len)
		json_put_str(&w, "url", m->url);
	if (m->data.len) {
		json_key(&w, S("data"));
		json_add_raw(&w, m->data);
	}
	json_end(&w);
	TRY(json_done(&w, &text));
	*out = str_dup(a, text);
	return NULL;
}

static void put_headers(Apns *n, Arena *a, const Message *m, Str token, Headers *to)
{
	Str collapse = str_sub(m->collapse_key, 0, 64);

	headers_add(to, a, S("authorization"), str_fmt(a, "bearer %.*s", STR_ARG(token)));
	headers_add(to, a, S("apns-topic"), n->conf->topic);
	headers_add(to, a, S("apns-push-type"), S("alert"));
	headers_add(to, a, S("apns-priority"), m->urgent ? S("10") : S("5"));
	if (!uuid_is_nil(m->delivery))
		headers_add(to, a, S("apns-id"), uuid_text(a, m->delivery));
	if (m->expires_us)
		headers_add(to, a, S("apns-expiration"),
		            str_fmt(a, "%" PRId64, m->expires_us / US_PER_S));
	if (collapse.len)
		headers_add(to, a, S("apns-collapse-id"), collapse);
}

static void tell(Arena *a, const AskAnswer *answer, SendResult *out)
{
	static const struct {
		Str reason;
		SendOutcome outcome;
	} reasons[] = {
		{ S("BadDeviceToken"), SEND_GONE },
		{ S("Unregistered"), SEND_GONE },
		{ S("ExpiredToken"), SEND_GONE },
		{ S("DeviceTokenNotForTopic"), SEND_HARD },
		{ S("PayloadTooLarge"), SEND_HARD },
		{ S("TooManyRequests"), SEND_THROTTLED },
		{ S("TooManyProviderTokenUpdates"), SEND_THROTTLED },
		{ S("ExpiredProviderToken"), SEND_SOFT },
		{ S("ServiceUnavailable"), SEND_SOFT },
		{ S("Shutdown"), SEND_SOFT },
		{ S("BadTopic"), SEND_REFUSED },
		{ S("TopicDisallowed"), SEND_REFUSED },
		{ S("MissingTopic"), SEND_REFUSED },
	};
	const Json *json = NULL;
	Str reason = S("");
	int64_t gone_ms;
	Err *odd = json_read(a, answer->body, 0, &json);

	push_by_status(a, answer, out);
	out->id = ask_header(answer, "apns-id");
	if (out->outcome == SEND_ACCEPTED || odd ||
	    !json_to_str(json_get(json, S("reason")), &reason))
		return;
	for (size_t i = 0; i < COUNT(reasons); i++)
		if (str_eq(reason, reasons[i].reason))
			out->outcome = reasons[i].outcome;
	out->code = reason;
	if (json_to_i64(json_get(json, S("timestamp")), &gone_ms) && gone_ms > 0 &&
	    gone_ms < INT64_MAX / US_PER_MS)
		out->gone_us = gone_ms * US_PER_MS;
}

static bool is_hex(Str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!((text.at[i] >= '0' && text.at[i] <= '9') ||
		      ((text.at[i] | 32) >= 'a' && (text.at[i] | 32) <= 'f')))
			return false;
	return text.len >= 8 && text.len <= 200;
}

static Err *send_apns(void *state, Arena *a, const Message *m, SendResult *out)
{
	Apns *n = state;
	Ask what = { .method = S("POST"),
		     .traceparent = m->traceparent,
		     .timeout_us = n->conf->timeout_us,
		     .body_max = 16 << 10 };
	Str base = n->conf->url, token = S("");
	AskAnswer answer;
	Err *err;

	if (!is_hex(m->to)) {
		*out = (SendResult){ .outcome = SEND_GONE,
			             .code = S("BadDeviceToken"),
			             .detail = S("the token is not hexadecimal") };
		return NULL;
	}
	if (str_ends(base, S("/")))
		base.len--;
	what.url = str_fmt(a, "%.*s/3/device/%.*s", STR_ARG(base), STR_ARG(m->to));
	TRY(body_of(a, m, &what.body));
	TRY(token_of(n, a, &token));
	put_headers(n, a, m, token, &what.headers);
	err = ask(n->client, a, &what, &answer);
	if (err) {
		push_no_answer(a, &answer, err, out);
		return NULL;
	}
	tell(a, &answer, out);
	if (str_eq(out->code, S("ExpiredProviderToken")))
		push_token_drop(&n->token, token);
	return NULL;
}

const ProviderKind *apns_kind(void)
{
	static const ProviderKind kind = { .name = "apns",
		                           .channel = CHANNEL_PUSH,
		                           .takes = takes_apns,
		                           .send = send_apns,
		                           .close = close_apns,
		                           .help = "Apple's devices, over HTTP/2" };

	return &kind;
}

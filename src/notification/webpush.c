/* SPDX-License-Identifier: Apache-2.0
 *
 * Web Push (RFC 8030): a message goes, sealed, to the address that a browser's own push service gave it.
 *
 * That address came from a browser, so from anybody: only the open internet is asked, and the very address that was looked at (the
 * client's guard). A subscription ends with 404 or 410 and with nothing else; keys that are refused, a message that is too large or
 * a service that is busy say nothing about it. */
#include "notification/push_int.h"

#include "auth/b64.h"
#include "base/arena.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/time.h"
#include "http/trust.h"
#include "notification/webpush_seal.h"

enum { TTL_MOST_S = 28 * 86400, VAPID_S = 12 * 3600, TOPIC_BYTES = 16 };

typedef struct Webpush {
	const WebpushConf *conf;
	const Jwk *key;
	Str public;
	AskClient *client;
} Webpush;

Err *webpush_open(Arena *a, Arena *errs, const WebpushConf *conf, void **state)
{
	Webpush *w = ARENA_NEW(a, Webpush);
	Cidr *but = ARENA_ARRAY(a, Cidr, MAX((size_t)1, conf->allow.count));

	w->conf = conf;
	for (size_t i = 0; i < conf->allow.count; i++)
		if (cidr_parse(conf->allow.at[i], &but[i]))
			return err_new(errs, ERR_INVALID, "push.allow", "%.*s is no network",
			               STR_ARG(conf->allow.at[i]));
	TRY(push_read_key(a, errs, conf->key, S(""), &w->key));
	TRY(webpush_public(a, w->key, &w->public));
	*state = w;
	return ask_open(errs,
	                &(AskConf){ .name = "webpush",
	                            .ca = conf->ca,
	                            .public_only = true,
	                            .but = but,
	                            .but_count = conf->allow.count },
	                &w->client);
}

Str webpush_public_of(const void *state)
{
	return ((const Webpush *)state)->public;
}

static void close_webpush(void *state)
{
	ask_close(((Webpush *)state)->client);
}

static bool takes_webpush(void *state UNUSED, const Message *message)
{
	return str_eq(message->platform, S("webpush"));
}

/* What the page's service worker gets. */
static Err *content(Arena *a, const Message *m, Str *out)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Str text;

	json_begin_object(&w);
	json_put_str(&w, "title", m->subject);
	json_put_str(&w, "body", m->text);
	if (m->url.len)
		json_put_str(&w, "url", m->url);
	if (m->icon.len)
		json_put_str(&w, "icon", m->icon);
	if (m->collapse_key.len)
		json_put_str(&w, "tag", m->collapse_key);
	if (m->data.len) {
		json_key(&w, S("data"));
		json_add_raw(&w, m->data);
	}
	if (!uuid_is_nil(m->delivery))
		json_put_str(&w, "id", uuid_text(a, m->delivery));
	json_end(&w);
	TRY(json_done(&w, &text));
	*out = str_dup(a, text);
	return NULL;
}

/* At most 32 characters of base64url: a key of ours may be anything. */
static Str topic_of(Arena *a, Str key)
{
	uint64_t hash[2] = { hash_stable(key, 0x746f706963, 1), hash_stable(key, 0x746f706963, 2) };

	return b64url(a, (Str){ (const char *)hash, TOPIC_BYTES });
}

static Str ttl_of(Arena *a, const Message *m, int64_t now_us)
{
	int64_t ttl_s = m->expires_us ? (m->expires_us - now_us) / US_PER_S : TTL_MOST_S;

	return str_fmt(a, "%" PRId64, MAX(INT64_C(0), MIN(ttl_s, (int64_t)TTL_MOST_S)));
}

static Str urgency_of(const Message *m)
{
	return m->urgent ? S("high") : m->class == CLASS_BULK ? S("low") : S("normal");
}

/* What a push service's answer says of the message. */
static void tell(Arena *a, const AskAnswer *answer, SendResult *out)
{
	push_by_status(a, answer, out);
	if (answer->status == 404 || answer->status == 410)
		out->outcome = SEND_GONE;
	else if (answer->status == 400 || answer->status == 413)
		out->outcome = SEND_HARD;
	if (out->outcome == SEND_ACCEPTED)
		out->id = push_line(a, ask_header(answer, "Location"));
}

static Err *prepare(Webpush *w, Arena *a, const Message *m, const AskUrl *url, Ask *what)
{
	int64_t now_us = time_utc_us();
	Str p256dh = S(""), auth = S(""), plain, vapid, origin;
	WebpushKeys keys;

	json_to_str(json_get(m->device, S("p256dh")), &p256dh);
	json_to_str(json_get(m->device, S("auth")), &auth);
	TRY(webpush_keys(a, p256dh, auth, &keys));
	TRY(content(a, m, &plain));
	TRY(webpush_seal(a, &keys, plain, &what->body));
	origin = str_fmt(a, "%s://%.*s", url->tls ? "https" : "http", STR_ARG(url->authority));
	TRY(webpush_vapid(a, w->key, origin, w->conf->subject, now_us + VAPID_S * US_PER_S,
	                  &vapid));
	headers_add(&what->headers, a, S("Authorization"), vapid);
	headers_add(&what->headers, a, S("Content-Encoding"), S("aes128gcm"));
	headers_add(&what->headers, a, S("TTL"), ttl_of(a, m, now_us));
	headers_add(&what->headers, a, S("Urgency"), urgency_of(m));
	if (m->collapse_key.len)
		headers_add(&what->headers, a, S("Topic"), topic_of(a, m->collapse_key));
	return NULL;
}

static Err *send_to_endpoint(void *state, Arena *a, const Message *m, SendResult *out)
{
	Webpush *w = state;
	Ask what = { .method = S("POST"),
		     .url = m->to,
		     .type = S("application/octet-stream"),
		     .traceparent = m->traceparent,
		     .timeout_us = w->conf->timeout_us,
		     .body_max = 16 << 10 };
	AskAnswer answer;
	AskUrl url;
	const char *wrong = ask_url_read(a, m->to, &url);
	Err *err = wrong ? NULL : prepare(w, a, m, &url, &what);

	if (wrong || err) {
		bool its_own = wrong || err->kind == ERR_INVALID || err->kind == ERR_TOO_LARGE;

		*out = (SendResult){ .outcome = SEND_HARD,
			             .code = wrong ? S("webpush.endpoint") : str_of(err->slug),
			             .detail = wrong ? str_fmt(a, "the endpoint %s", wrong)
			                             : err->text };
		return its_own ? NULL : err;
	}
	err = ask(w->client, a, &what, &answer);
	if (err && err_is(err, "ask.private"))
		*out = (SendResult){ .outcome = SEND_HARD,
			             .code = S("ask.private"),
			             .detail = S("the endpoint is not on the open internet") };
	else if (err)
		push_no_answer(a, &answer, err, out);
	else
		tell(a, &answer, out);
	return NULL;
}

/* An endpoint is anybody's: its "come tomorrow" or its silence does not hold the pushes of all others. */
static Err *send_webpush(void *state, Arena *a, const Message *m, SendResult *out)
{
	Err *err = send_to_endpoint(state, a, m, out);

	if (!err)
		out->alone = true;
	return err;
}

const ProviderKind *webpush_kind(void)
{
	static const ProviderKind kind = { .name = "webpush",
		                           .channel = CHANNEL_PUSH,
		                           .takes = takes_webpush,
		                           .send = send_webpush,
		                           .close = close_webpush,
		                           .help = "browsers, by RFC 8030, 8291 and 8292" };

	return &kind;
}

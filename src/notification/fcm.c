/* SPDX-License-Identifier: Apache-2.0
 *
 * Firebase Cloud Messaging, HTTP v1: a token of OAuth for a signed assertion (RFC 7523), then one request a message.
 *
 * A token of a device is forgotten for UNREGISTERED alone. FCM does not know a message that it has seen again, so a conversation
 * that broke, and an INTERNAL, leave it unknown. */
#include "notification/push_int.h"

#include "auth/jws.h"
#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"
#include "base/time.h"
#include "http/form.h"

#include <string.h>

enum { ACCOUNT_BYTES = 64 << 10, ASSERTION_S = 3600, EARLY_S = 300, TTL_MOST_S = 28 * 86400 };

typedef struct Fcm {
	const FcmConf *conf;
	const Jwk *key;
	Str email, token_url, project;
	AskClient *client;
	PushToken token;
} Fcm;

static Err *read_account(Fcm *f, Arena *a, Arena *errs, Str path)
{
	const Json *account;
	Str text, pem = S(""), kid = S(""),
		  out[3] = { S(""), S("https://oauth2.googleapis.com/token"), S("") };
	static const char *const names[] = { "client_email", "token_uri", "project_id" };
	Err *err;

	TRY(file_read(errs, path, ACCOUNT_BYTES, &text));
	TRY(json_read(a, text, ACCOUNT_BYTES, &account));
	json_to_str(json_get(account, S("private_key")), &pem);
	json_to_str(json_get(account, S("private_key_id")), &kid);
	for (size_t i = 0; i < COUNT(names); i++)
		json_to_str(json_get(account, str_of(names[i])), &out[i]);
	err = jwk_read_pem(a, pem, kid, JWS_BIT(JWS_RS256), &f->key);
	if (err || !f->key->signs || !out[0].len || !out[2].len)
		return err_because(
			errs, err, ERR_INVALID, "push.account",
			"%.*s is no service account: it needs private_key (RSA), client_email and project_id",
			STR_ARG(path));
	f->email = out[0];
	f->token_url = out[1];
	f->project = out[2];
	return NULL;
}

Err *fcm_open(Arena *a, Arena *errs, const FcmConf *conf, void **state)
{
	Fcm *f = ARENA_NEW(a, Fcm);

	f->conf = conf;
	push_token_init(&f->token);
	TRY(read_account(f, a, errs, conf->account));
	*state = f;
	return ask_open(errs, &(AskConf){ .name = "fcm", .ca = conf->ca }, &f->client);
}

static void close_fcm(void *state)
{
	ask_close(((Fcm *)state)->client);
}

static bool takes_fcm(void *state UNUSED, const Message *message)
{
	return str_eq(message->platform, S("fcm"));
}

/* --- its token ----------------------------------------------------------------------------------------------------------- */

static Err *assertion(Fcm *f, Arena *a, int64_t now_us, Str *out)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Str claims;

	json_begin_object(&w);
	json_put_str(&w, "iss", f->email);
	json_put_str(&w, "scope", S("https://www.googleapis.com/auth/firebase.messaging"));
	json_put_str(&w, "aud", f->token_url);
	json_put_i64(&w, "iat", now_us / US_PER_S);
	json_put_i64(&w, "exp", now_us / US_PER_S + ASSERTION_S);
	json_end(&w);
	TRY(json_done(&w, &claims));
	return jws_sign(a, f->key, JWS_RS256, S("JWT"), claims, out);
}

/* *refused: Google will not have us; else the failure may pass. */
static Err *renew(Fcm *f, Arena *a, int64_t now_us, Str *out, bool *refused)
{
	AUTO(buf_fini) Buf form = { 0 };
	AskAnswer answer;
	const Json *json;
	int64_t life_s = 0;
	Str signed_text;

	TRY(assertion(f, a, now_us, &signed_text));
	form_put(&form, S("grant_type"), S("urn:ietf:params:oauth:grant-type:jwt-bearer"));
	form_put(&form, S("assertion"), signed_text);
	TRY(ask(f->client, a,
	        &(Ask){ .method = S("POST"),
	                .url = f->token_url,
	                .body = buf_str(&form),
	                .type = S("application/x-www-form-urlencoded"),
	                .timeout_us = f->conf->timeout_us,
	                .repeatable = true },
	        &answer));
	*refused = answer.status >= 400 && answer.status < 500 && answer.status != 429;
	if (answer.status != 200 || json_read(a, answer.body, 0, &json) ||
	    !json_to_str(json_get(json, S("access_token")), out) ||
	    !json_to_i64(json_get(json, S("expires_in")), &life_s))
		return err_new(a, ERR_UPSTREAM, "fcm.token", "no token was given: %u %.*s",
		               answer.status, STR_ARG(push_line(a, answer.body)));
	push_token_set(&f->token, *out, now_us + MAX(INT64_C(0), life_s - EARLY_S) * US_PER_S,
	               now_us + life_s * US_PER_S);
	return NULL;
}

static Err *token_of(Fcm *f, Arena *a, Str *out, bool *refused)
{
	int64_t now_us = time_utc_us();
	bool again, there = push_token_get(&f->token, a, now_us, out, &again);
	Str fresh;
	Err *err;

	if (!again)
		return NULL;
	err = renew(f, a, now_us, &fresh, refused);
	if (!err)
		*out = fresh;
	return there ? NULL : err;
}

/* --- the message --------------------------------------------------------------------------------------------------------- */

/* Values of `data` are strings there. */
static void put_data(Arena *a, JsonWriter *w, const Message *m)
{
	const Json *data = NULL, *value;
	void *at = NULL;
	Str key, text;

	json_key(w, S("data"));
	json_begin_object(w);
	if (m->url.len)
		json_put_str(w, "url", m->url);
	if (m->data.len && !json_read(a, m->data, 0, &data))
		while (json_next(data, &at, &key, &value)) {
			AUTO(buf_fini) Buf b = { 0 };
			JsonWriter inner = json_writer(&b);

			if (str_eq(key, S("url")) && m->url.len)
				continue;
			json_key(w, key);
			if (json_to_str(value, &text)) {
				json_add_str(w, text);
				continue;
			}
			json_put(&inner, value);
			json_add_str(w, buf_str(&b));
		}
	json_end(w);
}

static void put_android(Arena *a, JsonWriter *w, const Message *m)
{
	int64_t ttl_s = m->expires_us ? (m->expires_us - time_utc_us()) / US_PER_S : TTL_MOST_S;

	json_key(w, S("android"));
	json_begin_object(w);
	json_put_str(w, "priority", m->urgent ? S("high") : S("normal"));
	json_put_str(w, "ttl",
	             str_fmt(a, "%" PRId64 "s", MAX(INT64_C(0), MIN(ttl_s, (int64_t)TTL_MOST_S))));
	if (m->collapse_key.len)
		json_put_str(w, "collapse_key", m->collapse_key);
	json_end(w);
}

static Err *body_of(Arena *a, const Message *m, Str *out)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Str text;

	json_begin_object(&w);
	json_key(&w, S("message"));
	json_begin_object(&w);
	json_put_str(&w, "token", m->to);
	json_key(&w, S("notification"));
	json_begin_object(&w);
	json_put_str(&w, "title", m->subject);
	json_put_str(&w, "body", m->text);
	if (m->icon.len)
		json_put_str(&w, "image", m->icon);
	json_end(&w);
	put_data(a, &w, m);
	put_android(a, &w, m);
	json_end(&w);
	json_end(&w);
	TRY(json_done(&w, &text));
	*out = str_dup(a, text);
	return NULL;
}

/* Its own word for what is wrong: in details, where there are some; else the status of the error. */
static Str word_of(const Json *answer)
{
	const Json *error = json_get(answer, S("error")), *details = json_get(error, S("details"));
	Str word = S("");

	for (size_t i = 0; i < json_count(details); i++)
		if (json_to_str(json_get(json_at(details, i), S("errorCode")), &word))
			return word;
	json_to_str(json_get(error, S("status")), &word);
	return word;
}

static void tell(Arena *a, const AskAnswer *answer, SendResult *out)
{
	static const struct {
		Str word;
		SendOutcome outcome;
	} words[] = {
		{ S("UNREGISTERED"), SEND_GONE },
		{ S("SENDER_ID_MISMATCH"), SEND_HARD },
		{ S("INVALID_ARGUMENT"), SEND_HARD },
		{ S("QUOTA_EXCEEDED"), SEND_THROTTLED },
		{ S("UNAVAILABLE"), SEND_SOFT },
		{ S("INTERNAL"), SEND_UNKNOWN },
		{ S("THIRD_PARTY_AUTH_ERROR"), SEND_REFUSED },
	};
	const Json *json = NULL;
	Str word, message;
	Err *odd = json_read(a, answer->body, 0, &json);

	push_by_status(a, answer, out);
	if (odd)
		return;
	if (out->outcome == SEND_ACCEPTED) {
		json_to_str(json_get(json, S("name")), &out->id);
		return;
	}
	word = word_of(json);
	for (size_t i = 0; i < COUNT(words); i++)
		if (str_eq(word, words[i].word))
			out->outcome = words[i].outcome;
	out->retry_after_us = ask_retry_after_us(answer);
	if (word.len)
		out->code = word;
	if (json_to_str(json_get(json_get(json, S("error")), S("message")), &message))
		out->detail = push_line(a, message);
}

static Err *send_once(Fcm *f, Arena *a, const Message *m, Str token, AskAnswer *answer)
{
	Ask what = { .method = S("POST"),
		     .traceparent = m->traceparent,
		     .timeout_us = f->conf->timeout_us,
		     .body_max = 64 << 10 };
	Str base = f->conf->url;

	if (str_ends(base, S("/")))
		base.len--;
	what.url = str_fmt(a, "%.*s/v1/projects/%.*s/messages:send", STR_ARG(base),
	                   STR_ARG(f->project));
	TRY(body_of(a, m, &what.body));
	headers_add(&what.headers, a, S("Authorization"),
	            str_fmt(a, "Bearer %.*s", STR_ARG(token)));
	return ask(f->client, a, &what, answer);
}

static Err *send_fcm(void *state, Arena *a, const Message *m, SendResult *out)
{
	Fcm *f = state;
	AskAnswer answer = { 0 };
	bool refused = false;
	Str token;
	Err *err = token_of(f, a, &token, &refused);

	if (err) {
		push_no_answer(a, &answer, err, out); /* the message itself was never sent */
		if (refused)
			out->outcome = SEND_REFUSED;
		return NULL;
	}
	err = send_once(f, a, m, token, &answer);
	if (err) {
		push_no_answer(a, &answer, err, out);
		return NULL;
	}
	if (answer.status == 401)
		push_token_drop(&f->token, token);
	tell(a, &answer, out);
	return NULL;
}

const ProviderKind *fcm_kind(void)
{
	static const ProviderKind kind = { .name = "fcm",
		                           .channel = CHANNEL_PUSH,
		                           .takes = takes_fcm,
		                           .send = send_fcm,
		                           .close = close_fcm,
		                           .help = "Android and others, by Firebase's HTTP v1" };

	return &kind;
}

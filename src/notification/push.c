/* SPDX-License-Identifier: Apache-2.0
 *
 * What providers of push messages and SMS have in common: their start, tokens for all loops, and how an answer, or none, is told.
 *
 * The rule that all of them keep: a status is believed only as far as it proves something. A 503 says that nothing was begun; a
 * 500 or 502 comes from a machine that may have done it all, so it is UNKNOWN, and the class of the message decides. */
#include "notification/push_int.h"

#include "auth/jwk.h"
#include "base/arena.h"
#include "base/file.h"
#include "notification/provider.h"
#include "rt/work.h"
#include "service/service.h"

#include <string.h>

enum { KEY_BYTES = 16 << 10, LINE = 200, RENEW_AGAIN_US = 20 * 1000000 };

/* --- answers ------------------------------------------------------------------------------------------------------------ */

Str push_line(Arena *a, Str text)
{
	char *at = arena_alloc_raw(a, LINE);
	size_t len = 0;

	for (size_t i = 0, step; i < text.len; i += MAX(step, (size_t)1)) {
		uint32_t code;

		step = str_utf8(str_sub(text, i, text.len), &code);
		if (len + MAX(step, (size_t)1) > LINE)
			break;
		if (!step || code < ' ' || code == 0x7f)
			at[len++] = step ? ' ' : '?';
		else
			memcpy(at + len, text.at + i, step), len += step;
	}
	return (Str){ at, len };
}

void push_no_answer(Arena *a, const AskAnswer *answer, const Err *err, SendResult *out)
{
	*out = (SendResult){ .outcome = answer->sent ? SEND_UNKNOWN : SEND_SOFT,
		             .code = str_of(err->slug),
		             .detail = push_line(a, err_chain(a, err)) };
}

static SendOutcome outcome_of(unsigned status)
{
	if (status >= 200 && status < 300)
		return SEND_ACCEPTED;
	if (status == 429 || status == 503)
		return SEND_THROTTLED;
	if (status >= 500)
		return SEND_UNKNOWN;
	return status == 401 || status == 403 || status == 407 ? SEND_REFUSED : SEND_HARD;
}

void push_by_status(Arena *a, const AskAnswer *answer, SendResult *out)
{
	*out = (SendResult){ .outcome = outcome_of(answer->status),
		             .code = str_fmt(a, "%u", answer->status) };
	if (out->outcome == SEND_ACCEPTED)
		return;
	out->detail = push_line(a, answer->body);
	if (out->outcome == SEND_THROTTLED)
		out->retry_after_us = ask_retry_after_us(answer);
	if (answer->status == 503 && !out->retry_after_us)
		out->outcome = SEND_SOFT;
}

/* --- tokens ------------------------------------------------------------------------------------------------------------- */

void push_token_init(PushToken *token)
{
	pthread_mutex_init(&token->lock, NULL);
}

bool push_token_get(PushToken *token, Arena *a, int64_t now_us, Str *out, bool *renew)
{
	bool there;

	pthread_mutex_lock(&token->lock);
	there = token->len && now_us < token->until_us;
	*renew = !there || now_us >= token->renew_us;
	if (there && *renew)
		token->renew_us =
			now_us + RENEW_AGAIN_US; /* others go on with this one meanwhile */
	if (there)
		*out = str_dup(a, (Str){ token->text, token->len });
	pthread_mutex_unlock(&token->lock);
	return there;
}

void push_token_set(PushToken *token, Str text, int64_t renew_us, int64_t until_us)
{
	if (text.len > sizeof token->text)
		return;
	pthread_mutex_lock(&token->lock);
	memcpy(token->text, text.at, text.len);
	token->len = text.len;
	token->renew_us = renew_us;
	token->until_us = until_us;
	pthread_mutex_unlock(&token->lock);
}

void push_token_drop(PushToken *token, Str text)
{
	pthread_mutex_lock(&token->lock);
	if (str_eq((Str){ token->text, token->len }, text))
		token->len = 0;
	pthread_mutex_unlock(&token->lock);
}

Err *push_read_key(Arena *a, Arena *errs, Str path, Str kid, const Jwk **out)
{
	Err *err;
	Str pem;

	TRY(file_read(errs, path, KEY_BYTES, &pem));
	err = jwk_read_pem(a, pem, kid, JWS_BIT(JWS_ES256), out);
	if (err || !(*out)->signs)
		return err_because(errs, err, ERR_INVALID, "push.key",
		                   "%.*s holds no private P-256 key in PEM", STR_ARG(path));
	return NULL;
}

/* --- the start ----------------------------------------------------------------------------------------------------------- */

typedef struct Opening {
	Arena *a, *errs;
	const PushConf *conf;
	const SmsConf *sms;
	size_t sms_count;
	void *webpush, *fcm, *apns;
	void **sms_states;
	Err *err;
} Opening;

static Err *open_all(Opening *o)
{
	if (o->conf->has_webpush)
		TRY(webpush_open(o->a, o->errs, &o->conf->webpush, &o->webpush));
	if (o->conf->has_fcm)
		TRY(fcm_open(o->a, o->errs, &o->conf->fcm, &o->fcm));
	if (o->conf->has_apns)
		TRY(apns_open(o->a, o->errs, &o->conf->apns, &o->apns));
	for (size_t i = 0; i < o->sms_count; i++)
		TRY(sms_open(o->a, o->errs, &o->sms[i], &o->sms_states[i]));
	return NULL;
}

static void open_on_worker(void *arg)
{
	Opening *o = arg;

	o->err = open_all(o);
}

static Err *add(Providers *to, const char *name, const ProviderKind *kind, void *state)
{
	return state ? provider_add(to, &(Provider){ .name = str_of(name),
	                                             .kind = kind,
	                                             .state = state })
	             : NULL;
}

Err *push_begin(const ServiceHome *home, Providers *to, const PushConf *conf, const SmsConf *sms,
                size_t sms_count)
{
	Opening o = { .a = home->arena,
		      .errs = home->arena,
		      .conf = conf,
		      .sms = sms,
		      .sms_count = sms_count,
		      .sms_states = ARENA_ARRAY(home->arena, void *, MAX((size_t)1, sms_count)) };

	TRY(work_run(open_on_worker, &o));
	TRY(o.err);
	TRY(add(to, "webpush", webpush_kind(), o.webpush));
	TRY(add(to, "fcm", fcm_kind(), o.fcm));
	TRY(add(to, "apns", apns_kind(), o.apns));
	for (size_t i = 0; i < sms_count; i++)
		TRY(provider_add(to, &(Provider){ .name = sms[i].name,
		                                  .kind = sms_kind(sms[i].api),
		                                  .state = o.sms_states[i],
		                                  .order = sms[i].order,
		                                  .weight = sms[i].weight }));
	return NULL;
}

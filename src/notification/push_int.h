/* SPDX-License-Identifier: Apache-2.0
 *
 * What the providers of push messages and SMS share. */
#pragma once
#include "http/ask.h"
#include "notification/push.h"

#include <pthread.h>

typedef struct Jwk Jwk;

/* Each: its state, in the home's arena. Read files: block, so on a worker. */
Err *webpush_open(Arena *a, Arena *errs, const WebpushConf *conf, void **state) MUST_USE;
Err *fcm_open(Arena *a, Arena *errs, const FcmConf *conf, void **state) MUST_USE;
Err *apns_open(Arena *a, Arena *errs, const ApnsConf *conf, void **state) MUST_USE;
Err *sms_open(Arena *a, Arena *errs, const SmsConf *conf, void **state) MUST_USE;
/* Rows of providers. */
const ProviderKind *webpush_kind(void) RETURNS_NONNULL;
const ProviderKind *fcm_kind(void) RETURNS_NONNULL;
const ProviderKind *apns_kind(void) RETURNS_NONNULL;
const ProviderKind *sms_kind(SmsApi api) RETURNS_NONNULL;

Str webpush_public_of(const void *state); /* the key that pages need */
const SmsConf *sms_conf_of(const void *state);

/* A PEM file of an ES256 pair, with this kid. Fails with INVALID "push.key". */
Err *push_read_key(Arena *a, Arena *errs, Str path, Str kid, const Jwk **out) MUST_USE;

/* What a conversation that failed is for the message: not sent is SOFT, all else UNKNOWN. */
void push_no_answer(Arena *a, const AskAnswer *answer, const Err *err, SendResult *out);
/* By the status alone, where the API says nothing better: 2xx, 429, 503 with its Retry-After; other 5xx are UNKNOWN, as nobody knows how
 * far it got; 401 and 403 REFUSED; the rest of 4xx HARD. */
void push_by_status(Arena *a, const AskAnswer *answer, SendResult *out);
/* A text of the provider for people and databases: one line of UTF-8, 200 bytes at most. */
Str push_line(Arena *a, Str text);

/* A token that is made anew before it ends, for all loops. */
typedef struct PushToken {
	pthread_mutex_t lock; /* never held over a park */
	char text[2048];
	size_t len;
	int64_t until_us, renew_us; /* UTC */
} PushToken;
/* The one there is, in the arena; *renew: the caller should make another (one caller is told so at a time, unless there is none). */
void push_token_init(PushToken *token);
bool push_token_get(PushToken *token, Arena *a, int64_t now_us, Str *out, bool *renew);
void push_token_set(PushToken *token, Str text, int64_t renew_us, int64_t until_us);
void push_token_drop(PushToken *token, Str text); /* it was refused, if it is still that one */

/* SPDX-License-Identifier: Apache-2.0
 *
 * How many messages go where in an hour: the guard against those who let codes be sent to numbers that earn with each. Of one
 * process; all threads. */
#pragma once
#include "notification/push_conf.h"

typedef struct SmsCaps SmsCaps;

SmsCaps *sms_caps_new(Arena *a, const SmsConf *conf) RETURNS_NONNULL; /* lives as long as both */
/* May a number of E.164 be written to at all? By `countries`. */
bool sms_caps_serves(const SmsConf *conf, Str number);
/* Counts one. NULL, or which limit is reached (a sentence of the arena): then it is not counted, and *wait_us is how long until the
 * next hour. */
const char *sms_caps_take(SmsCaps *caps, Arena *a, Str number, int64_t now_us, int64_t *wait_us);

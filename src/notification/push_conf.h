/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys of the providers of push messages and SMS. */
#pragma once
#include "base/conf.h"

typedef struct WebpushConf {
	Str key; /* PEM file of a P-256 pair */
	Str subject;
	CONF_LIST_OF(Str) allow;
	Str ca;
	int64_t timeout_us;
} WebpushConf;

typedef struct FcmConf {
	Str account; /* JSON file of a service account */
	Str url, ca;
	int64_t timeout_us;
} FcmConf;

typedef struct ApnsConf {
	Str key; /* PEM file (.p8) */
	Str key_id, team, topic;
	Str url, ca;
	int64_t timeout_us;
} ApnsConf;

typedef struct PushConf {
	WebpushConf webpush;
	FcmConf fcm;
	ApnsConf apns;
	bool has_webpush, has_fcm, has_apns;
} PushConf;

typedef enum SmsApi { SMS_TWILIO, SMS_HTTP } SmsApi;

typedef struct SmsCap {
	Str prefix;
	uint32_t most;
} SmsCap;

typedef struct SmsConf {
	Str name;
	uint8_t api; /* SmsApi */
	Str url, ca;
	Str account, token; /* of Twilio; token: of both */
	Str from, service;
	Str callback;                  /* public URL of POST /v1/callbacks/NAME */
	Str request, response, header; /* jq, of SMS_HTTP */
	CONF_LIST_OF(Str) countries;
	CONF_LIST_OF(SmsCap) caps;
	uint32_t per_number;
	uint32_t segments_most;
	int64_t order;
	uint32_t weight;
	int64_t timeout_us;
} SmsConf;

typedef CONF_LIST_OF(SmsConf) SmsConfs;

const ConfTable *push_conf_table(void); /* of a PushConf */
const ConfTable *sms_conf_table(void);  /* of an SmsConf, by name */

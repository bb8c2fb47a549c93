/* SPDX-License-Identifier: Apache-2.0
 *
 * `services.notification` of the configuration file: what the service has beside the keys of every service. */
#pragma once
#include "base/conf.h"
#include "notification/mail_conf.h"
#include "notification/push_conf.h"

typedef struct RateConf {
	Str provider;
	uint32_t per_second;
} RateConf;

typedef struct NotificationConf {
	int64_t keep_us;             /* notifications that are over */
	int64_t keep_inbox_us;       /* items of inboxes */
	Str unsubscribe_url;         /* empty: public_url */
	Str record;                  /* a file; empty: none */
	CONF_LIST_OF(Str) user_keys; /* that the user service closes codes with */
	Str user_key_file;           /* where there are none */
	CONF_LIST_OF(RateConf) rates;
	MailConf mail;
	PushConf push;
	SmsConfs sms;
} NotificationConf;

const ConfTable *notification_conf_table(void);

/* SPDX-License-Identifier: Apache-2.0
 *
 * Providers of push messages and SMS: made of the configuration when the service begins, asked by the service for each message
 * (channel.h), told by callbacks what became of it. */
#pragma once
#include "notification/channel.h"
#include "notification/push_conf.h"

typedef struct Providers Providers;
typedef struct ServiceHome ServiceHome;
typedef struct ServiceRoutes ServiceRoutes;

/* Adds what is configured. In the service's begin: parks (files are read on workers). Fails as file_read, jwk_read_pem, json_read and
 * ask_open do, with INVALID "push.account" for a file that is no service account. */
Err *push_begin(const ServiceHome *home, Providers *to, const PushConf *conf, const SmsConf *sms,
                size_t sms_count) MUST_USE;

/* POST /v1/callbacks/{provider}, GET /v1/push/key, POST /v1/sms:count. */
ServiceRoutes push_routes(void);

/* SPDX-License-Identifier: Apache-2.0
 *
 * ApiKeys: the file of keys at work. It is read when the configuration is and again whenever it was written since. */
#pragma once
#include "gateway/conf_auth.h"

typedef struct ApiKeys ApiKeys;
typedef struct ConfHold ConfHold;

/* Blocks. Fails as file_read and api_keys_read do; a file that is not there yet has no keys. */
Err *api_keys_new(Arena *a, ConfHold *hold, const ApiKeysConf *conf, Str policy, ApiKeys **out)
	MUST_USE;
void api_keys_unref(ApiKeys *keys); /* NULL is fine; on any loop */
/* Looks after the file, with a reference of its own. On loop 0. */
Err *api_keys_start(ApiKeys *keys) MUST_USE;
void api_keys_stop(ApiKeys *keys);

/* SPDX-License-Identifier: Apache-2.0
 *
 * The history by the cache: a walk is kept by HEAD, and when HEAD has gone on, only what is new is walked. */
#pragma once
#include "audit/audit_conf.h"
#include "audit/history.h"

/* As history_read; reads and fills rules->cache. */
void history_read_kept(Arena *a, const AuditRules *rules, History *out);
/* What all of a history hangs on, HEAD included: part of the key of what is made of it. Empty: there is none, or no cache. */
Str history_key(Arena *a, const AuditRules *rules);

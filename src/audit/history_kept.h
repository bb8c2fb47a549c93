/* SPDX-License-Identifier: Apache-2.0
 *
 * The history by the cache: a walk is kept by HEAD, and when HEAD has gone on, only what is new is walked. */
#pragma once
#include "audit/audit_conf.h"
#include "audit/history.h"

/* As history_read; reads and fills rules->cache. */
void history_read_kept(Arena *a, const AuditRules *rules, History *out);

/* SPDX-License-Identifier: Apache-2.0
 *
 * Events as Stripe shows them: /v1/events, and what a webhook carries. */
#pragma once
#include "store/db.h"

/* {"id":"evt_...","object":"event",...}: the body of a webhook. id: that of the outbox's event too. Empty: there is none. Fails as db.h
 * says. */
Err *stripe_event_text(Db *db, Arena *a, Uuid id, Str *json) MUST_USE;

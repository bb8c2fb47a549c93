/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may ask what of the admin port. */
#pragma once
#include "gateway/conf.h"
#include "http/admin.h"

/* May this request have the page? *who becomes who asks. Fails with MISDIRECTED "admin.host", DENIED "admin.origin",
 * "admin.token_needed" or "admin.role", UNAUTHENTICATED "admin.token", and as the session does. Does not park, unless the
 * session does. x->user must point to *who. */
Err *admin_guard(Exchange *x, const AdminConf *conf, const AdminPage *page, AdminWho *who) MUST_USE;

/* SPDX-License-Identifier: Apache-2.0
 *
 * Between console.c (sessions by token, and what answers look like) and openid_pages.c. */
#pragma once
#include "http/admin.h"

/* "banyan_console_8081": cookies know no ports, so the name has it. */
Str console_cookie_name(const Exchange *x);
/* "NAME=VALUE; ..." as a cookie of ours: for this host alone, no script, no other site. An empty value ends it. path: "/" */
Str console_cookie(const Exchange *x, Str name, Str value, const char *path);

/* JSON, never kept. cookies: each a Set-Cookie; empty ones are left out. */
Err *console_answer(Exchange *x, unsigned status, const Str *cookies, size_t count, Str body)
	MUST_USE;
/* Ends the session that the request has, begins another and answers with who that is and the proof. leave: where they go when they log
 * out; empty: nowhere. cookie: one more, or empty. */
Err *console_log_in(Exchange *x, const AdminWho *who, Str leave, Str cookie) MUST_USE;

/* openid_pages.c: rows for admin_extend. */
const AdminPage *openid_pages(size_t *count);

/* SPDX-License-Identifier: Apache-2.0
 *
 * The gateway as the origin of an answer (RFC 9110 6.6.1: an origin with a clock says the date). The date's text is made
 * once a second on each thread. */
#include "gateway/reply.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/time.h"

#include <string.h>

enum { DATE_BYTES = 29 };

static Str date_now(Arena *a)
{
	static _Thread_local struct {
		int64_t second;
		char text[DATE_BYTES];
	} made;
	int64_t now_us = time_utc_us();

	if (made.second != now_us / US_PER_S) {
		AUTO(buf_fini) Buf b = { 0 };

		time_put_http(&b, now_us);
		memcpy(made.text, b.at, DATE_BYTES);
		made.second = now_us / US_PER_S;
	}
	return str_dup(a, (Str){ made.text, DATE_BYTES });
}

static void add_own(const Passage *p, Headers *headers)
{
	Arena *a = p->x->arena;

	headers_add(headers, a, S("Date"), date_now(a));
	headers_add(headers, a, p->snap->conf->request_id.header, p->forwarded.request_id);
}

void reply_headers(const Passage *p, Headers *headers)
{
	add_own(p, headers);
	passage_change_answer(p, headers);
}

void reply_error_headers(const Passage *p, Headers *headers)
{
	add_own(p, headers);
	passage_change_error(p, headers);
}

Err *reply_whole(Passage *p, Head *head, Str body)
{
	reply_headers(p, &head->headers);
	head->body = body.len ? HTTP_BODY_LENGTH : HTTP_BODY_NONE;
	head->content_length = (int64_t)body.len;
	TRY(http_begin(p->x, head));
	TRY(http_write(p->x, body));
	return http_end(p->x, NULL);
}

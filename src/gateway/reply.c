/* SPDX-License-Identifier: Apache-2.0
 *
 * The gateway as the origin of an answer (RFC 9110 6.6.1: an origin with a clock says the date). */
#include "gateway/reply.h"

#include "base/arena.h"
#include "http/conditional.h"

static void add_own(const Passage *p, Headers *headers)
{
	Arena *a = p->x->arena;

	headers_add(headers, a, S("Date"), http_date_now(a));
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

/* SPDX-License-Identifier: Apache-2.0
 *
 * What surrounds a request's way through the gateway: how it begins, the heads in both directions, what becomes of its
 * error, and what is written down of it when it is over. */
#include "gateway/passage.h"

#include "base/arena.h"
#include "base/time.h"
#include "gateway/problem.h"
#include "gateway/proxy.h"
#include "gateway/record.h"

static const Snapshot *snapshot_of(const Exchange *x)
{
	return http_server_conf(x->server)->arg;
}

Passage *passage_begin(Exchange *x)
{
	Passage *p = ARENA_NEW(x->arena, Passage);

	p->x = x;
	p->snap = snapshot_of(x);
	p->connect_us = p->head_us = -1;
	p->forwarded = (Forwarded){
		.conf = p->snap->conf, .request = &x->request, .peer = &x->peer, .secure = x->secure
	};
	p->refused = forwarded_begin(&p->forwarded, x->arena);
	x->user = p;
	return p;
}

void passage_request_headers(Passage *p)
{
	const Head *request = &p->x->request;

	p->head.version = HTTP_11;
	p->head.method = request->method;
	p->head.authority = request->authority;
	p->head.scheme = p->x->secure ? S("https") : S("http");
	p->head.upgrade = request->upgrade;
	forwarded_request(&p->forwarded, p->x->arena, &p->head.headers);
}

void passage_answer_headers(const Passage *p, Head *answer)
{
	Headers in = answer->headers;

	answer->headers = (Headers){ 0 };
	forwarded_answer(&p->forwarded, p->x->arena, &in, &answer->headers);
}

/* --- errors --------------------------------------------------------------------------------------------------------- */

static void free_page(void *arg)
{
	buf_fini(arg);
}

Err *proxy_fail(Exchange *x, Err *err)
{
	Passage *p = x->user ? x->user : passage_begin(x);
	const Snapshot *snap = p->snap;
	Problem problem = problem_of(err, p->forwarded.request_id, p->url.path);
	bool html = problem_wants_html(headers_get(&x->request.headers, HTTP_ACCEPT));
	Head head = { .status = (uint16_t)problem.status, .body = HTTP_BODY_LENGTH };
	Buf *page = ARENA_NEW(x->arena, Buf);

	arena_defer(x->arena, free_page, page);
	if (html)
		problem_put_html(page, &problem, snap->error_page);
	else
		problem_put_json(page, &problem);
	headers_add(&head.headers, x->arena, S("Content-Type"),
	            html ? S(PROBLEM_HTML_TYPE) : S(PROBLEM_JSON_TYPE));
	headers_add(&head.headers, x->arena, S("Cache-Control"), S("no-store"));
	if (p->allow.len)
		headers_add(&head.headers, x->arena, S("Allow"), p->allow);
	if (problem_retry_after(&problem))
		headers_add(&head.headers, x->arena, S("Retry-After"),
		            str_fmt(x->arena, "%u", problem_retry_after(&problem)));
	headers_add(&head.headers, x->arena, snap->conf->request_id.header,
	            p->forwarded.request_id);
	head.content_length = (int64_t)page->len;
	TRY(http_begin(x, &head));
	TRY(http_write(x, buf_str(page)));
	return http_end(x, NULL);
}

/* --- records -------------------------------------------------------------------------------------------------------- */

static void count(const Passage *p, int64_t took_us)
{
	const MetricCell *answers = p->state ? p->state->answers : p->snap->unrouted;

	metric_add(answers[MIN(p->x->begun ? p->x->status / 100 : 0, 5)], 1);
	if (p->state)
		metric_observe_us(p->state->seconds, took_us);
}

static Str without_port(Str authority)
{
	ptrdiff_t colon = str_rfind_char(authority, ':');

	return colon > 0 && authority.at[authority.len - 1] != ']'
	               ? str_sub(authority, 0, (size_t)colon)
	               : authority;
}

static void write_record(const Passage *p, const Err *err, int64_t took_us)
{
	const Exchange *x = p->x;
	const Headers *headers = &x->request.headers;
	AccessRecord record = {
		.start_us = time_utc_us() - took_us,
		.took_us = took_us,
		.connect_us = p->connect_us,
		.head_us = p->head_us,
		.bytes_in = x->bytes_in,
		.bytes_out = x->bytes_out,
		.client = p->forwarded.client_ip,
		.peer = p->forwarded.peer_ip,
		.client_port = x->peer.port,
		.status = x->begun ? x->status : 0,
		.version = x->request.version,
		.attempts = (uint8_t)MIN(p->attempts, 255u),
		.tls = x->secure,
		.reused = p->reused,
		.cancelled = err && err->kind == ERR_CANCELLED,
		.method = x->request.method,
		.host = p->host.len ? p->host : without_port(x->request.authority),
		.path = p->url.path.len ? p->url.path : x->request.target,
		.query = p->url.query,
		.user_agent = headers_get(headers, HTTP_USER_AGENT),
		.referer = headers_get(headers, HTTP_REFERER),
		.request_id = p->forwarded.request_id,
		.route = p->route ? p->route->conf->name : (Str){ 0 },
		.upstream =
			p->state && p->state->up ? upstream_conf(p->state->up)->name : (Str){ 0 },
		.server = p->server,
		.error = err ? str_of(err->slug) : (Str){ 0 },
	};

	recorder_write(p->snap->recorder, &record);
}

void proxy_done(Exchange *x, const Err *err)
{
	const Passage *p = x->user;
	int64_t took_us = loop_now_us() - x->start_us;

	if (!p)
		return; /* it was refused and the client had left */
	count(p, took_us);
	if (p->snap->recorder)
		write_record(p, err, took_us);
}

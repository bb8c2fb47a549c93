/* SPDX-License-Identifier: Apache-2.0
 *
 * What surrounds a request's way through the gateway: how it begins, the heads in both directions, what becomes of its
 * error, and what is written down of it when it is over. */
#include "gateway/passage.h"

#include "base/arena.h"
#include "base/time.h"
#include "gateway/auth.h"
#include "gateway/fields.h"
#include "gateway/hooks.h"
#include "gateway/maintenance.h"
#include "gateway/problem.h"
#include "gateway/proxy.h"
#include "gateway/record.h"
#include "gateway/reply.h"

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

static Str without_port(Str authority)
{
	ptrdiff_t colon = str_rfind_char(authority, ':');

	return colon > 0 && authority.at[authority.len - 1] != ']'
	               ? str_sub(authority, 0, (size_t)colon)
	               : authority;
}

/* As the client wrote it, a trusted proxy before us or not. */
static Str host_of(const Passage *p)
{
	Str told = p->forwarded.host, host;
	uint16_t port;

	if (str_eq(told, p->x->request.authority) || url_authority(p->x->arena, told, &host, &port))
		return p->host;
	return host;
}

void passage_values(const Passage *p, TemplateValues *values)
{
	*values = (TemplateValues){
		.route = p->route,
		.paths = &p->snap->paths,
		.path = p->url.path,
		.query = p->url.query,
		.host = host_of(p),
		.scheme = p->forwarded.scheme,
		.client_ip = p->forwarded.client_ip,
		.request_id = p->forwarded.request_id,
		.identity = p->identity,
	};
}

Err *passage_request_headers(Passage *p)
{
	const Head *request = &p->x->request;
	TemplateValues values;

	p->head.version = HTTP_11;
	p->head.method = request->method;
	p->head.authority = request->authority;
	p->head.scheme = p->x->secure ? S("https") : S("http");
	p->head.upgrade = request->upgrade;
	forwarded_request(&p->forwarded, p->x->arena, &p->head.headers);
	TRY(auth_headers(p, &p->head.headers));
	if (!p->state->request_fields)
		return NULL;
	passage_values(p, &values);
	return fields_change_request(p->state->request_fields, p->x->arena, &values,
	                             &p->head.headers);
}

const Headers *passage_trailers(const Passage *p)
{
	const Headers *in = http_trailers(p->x);
	Headers *out;

	if (!in->count)
		return in;
	out = ARENA_NEW(p->x->arena, Headers);
	for (uint32_t i = 0; i < in->count; i++)
		if (!forwarded_is_own(&p->snap->conf->request_id, in->at[i].name) &&
		    !auth_is_own(p->snap->auth, in->at[i].name))
			headers_add(out, p->x->arena, in->at[i].name, in->at[i].value);
	return out;
}

void passage_answer_headers(Passage *p, Head *answer)
{
	Headers in = answer->headers;

	answer->headers = (Headers){ 0 };
	forwarded_answer(&p->forwarded, p->x->arena, &in, &answer->headers);
	passage_change_answer(p, &answer->headers);
	if (p->shift)
		gateway_hooks()->answer(p, &answer->headers);
}

void passage_change_answer(const Passage *p, Headers *headers)
{
	TemplateValues values;

	if (!p->state || !p->state->answer_fields)
		return;
	passage_values(p, &values);
	fields_change_answer(p->state->answer_fields, p->x->arena, &values, headers);
}

void passage_change_error(const Passage *p, Headers *headers)
{
	TemplateValues values;

	if (!p->state || !p->state->answer_fields)
		return;
	passage_values(p, &values);
	fields_change_error(p->state->answer_fields, p->x->arena, &values, headers);
}

/* --- errors --------------------------------------------------------------------------------------------------------- */

static void free_page(void *arg)
{
	buf_fini(arg);
}

static void add_error_headers(const Passage *p, const Problem *problem, bool html, Headers *headers)
{
	Arena *a = p->x->arena;

	headers_add(headers, a, S("Content-Type"),
	            html ? S(PROBLEM_HTML_TYPE) : S(PROBLEM_JSON_TYPE));
	headers_add(headers, a, S("Cache-Control"), S("no-store"));
	if (p->allow.len)
		headers_add(headers, a, S("Allow"), p->allow);
	if (p->content_range.len)
		headers_add(headers, a, S("Content-Range"), p->content_range);
	if (p->challenge.len)
		headers_add(headers, a, S("WWW-Authenticate"), p->challenge);
	if (problem->retry_after_s)
		headers_add(headers, a, S("Retry-After"), str_fmt(a, "%u", problem->retry_after_s));
	reply_error_headers(p, headers);
}

Err *proxy_fail(Exchange *x, Err *err)
{
	Passage *p = x->user ? x->user : passage_begin(x);
	Problem problem = problem_of(err, p->forwarded.request_id, p->url.path);
	Str own_page = p->snap->error_page;
	bool html = problem_wants_html(headers_get(&x->request.headers, HTTP_ACCEPT));
	Buf *page = ARENA_NEW(x->arena, Buf);
	Head head = { .body = HTTP_BODY_LENGTH };

	arena_defer(x->arena, free_page, page);
	if (p->retry_after_s)
		problem.retry_after_s = p->retry_after_s;
	maintenance_tell(p, err, &problem, &own_page);
	if (html)
		problem_put_html(page, &problem, own_page);
	else
		problem_put_json(page, &problem);
	head.status = (uint16_t)problem.status;
	add_error_headers(p, &problem, html, &head.headers);
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
	if (!p->state)
		return;
	metric_observe_us(p->state->seconds, took_us);
	metric_add(p->state->bytes_in, p->x->bytes_in);
	metric_add(p->state->bytes_out, p->x->bytes_out);
	if (p->answered) {
		metric_add(p->target->bytes_in, p->x->bytes_in);
		metric_add(p->target->bytes_out, p->x->bytes_out);
	}
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
		.trace_id = p->forwarded.trace_id,
		.span_id = p->forwarded.span_id,
		.user = p->identity ? p->identity->subject : (Str){ 0 },
		.route = p->route ? p->route->conf->name : (Str){ 0 },
		.upstream = p->target ? p->target->conf->name : (Str){ 0 },
		.server = p->server,
		.error = err ? str_of(err->slug) : (Str){ 0 },
		.message = err ? err_chain(x->arena, err) : (Str){ 0 },
	};

	recorder_write(p->snap->recorder, &record);
}

void proxy_done(Exchange *x, const Err *err)
{
	Passage *p = x->user;
	int64_t took_us = loop_now_us() - x->start_us;

	if (!p)
		return; /* it was refused and the client had left */
	count(p, took_us);
	if (p->shift)
		gateway_hooks()->done(p, err);
	if (p->snap->recorder)
		write_record(p, err, took_us);
}

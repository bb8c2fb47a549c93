/* SPDX-License-Identifier: Apache-2.0
 *
 * What becomes of a request that a route takes. The same functions do it that serve requests (templates, changes of headers,
 * forwarding fields), on a passage that has no connection on either side. */
#include "gateway/explain_int.h"

#include "base/arena.h"
#include "base/units.h"
#include "gateway/action.h"
#include "gateway/maintenance.h"
#include "gateway/passage.h"

static Str duration(Arena *a, int64_t us)
{
	AUTO(buf_fini) Buf b = { 0 };

	units_put_duration(&b, us);
	return str_dup(a, buf_str(&b));
}

static Str bytes_or(Arena *a, uint64_t bytes, const char *zero)
{
	AUTO(buf_fini) Buf b = { 0 };

	if (!bytes)
		return str_of(zero);
	units_put_bytes(&b, bytes);
	return str_dup(a, buf_str(&b));
}

/* --- closed? -------------------------------------------------------------------------------------------------------- */

static void tell_maintenance(Explain *e)
{
	const MaintenanceConf *m = &e->p->route->conf->maintenance;

	if (!m->on)
		return;
	if (maintenance_check(e->p))
		explain_fmt(e, "maintenance", "on: %u instead of what follows", m->status);
	else
		explain_fmt(e, "maintenance", "on, but not for %.*s",
		            STR_ARG(e->p->forwarded.client_ip));
}

/* --- headers -------------------------------------------------------------------------------------------------------- */

static bool has(const Headers *headers, const Header *h)
{
	for (uint32_t i = 0; i < headers->count; i++)
		if (str_eq_nocase(headers->at[i].name, h->name) &&
		    str_eq(headers->at[i].value, h->value))
			return true;
	return false;
}

/* What is in `to` and not in `from`. */
static void tell_difference(Explain *e, const char *key, const Headers *from, const Headers *to)
{
	for (uint32_t i = 0; i < to->count; i++)
		if (to->at[i].id != HTTP_HOST && !has(from, &to->at[i]))
			explain_item(e, key,
			             str_fmt(e->arena, "%.*s: %.*s", STR_ARG(to->at[i].name),
			                     STR_ARG(to->at[i].value)));
}

static void tell_request_headers(Explain *e)
{
	Passage *p = e->p;
	const Headers *given = &p->x->request.headers;
	Err *err;

	if (p->refused)
		return;
	err = passage_request_headers(p);
	explain_begin(e, "request headers");
	if (err)
		explain_refused(e, err);
	tell_difference(e, "removed", &p->head.headers, given);
	tell_difference(e, "added", given, &p->head.headers);
}

static void tell_answer_headers(Explain *e)
{
	const FieldsConf *conf = &e->p->route->conf->response_headers;
	Headers none = { 0 }, answer = { 0 };

	explain_begin(e, "answer headers");
	for (size_t i = 0; i < conf->remove.count; i++)
		explain_item(e, "removed", conf->remove.at[i]);
	for (size_t i = 0; i < conf->set.count; i++)
		explain_item(e, "instead of any", conf->set.at[i].name);
	passage_change_answer(e->p, &answer);
	headers_add(&answer, e->arena, e->p->snap->conf->request_id.header,
	            e->p->forwarded.request_id);
	tell_difference(e, "added", &none, &answer);
}

/* --- what the route does -------------------------------------------------------------------------------------------- */

static void tell_redirect(Explain *e)
{
	Str to;
	Err *err = action_location(e->p, &to);

	explain_fmt(e, "redirect", "%u", e->p->route->conf->redirect.status);
	if (err)
		explain_refused(e, err);
	else
		explain_fact(e, "location", to);
}

static void tell_answer(Explain *e)
{
	const AnswerConf *answer = &e->p->route->conf->answer;

	explain_fmt(e, "answer", "%u, %.*s", answer->status, STR_ARG(answer->type));
	if (answer->file.len)
		explain_fact(e, "file", answer->file);
	else
		explain_fmt(e, "body", "%zu bytes", answer->body.len);
}

static void tell_files(Explain *e)
{
	const FilesConf *files = &e->p->route->conf->files;

	explain_fact(e, "files", files->dir);
	for (size_t i = 0; i < files->index.count; i++)
		explain_item(e, "index", files->index.at[i]);
	if (files->fallback.len)
		explain_fact(e, "fallback", files->fallback);
	if (files->cache.len)
		explain_fact(e, "cache", files->cache);
}

static void tell_limits(Explain *e)
{
	const RouteConf *r = e->p->route->conf;

	explain_begin(e, "limits");
	explain_fact(e, "body", bytes_or(e->arena, r->body_bytes, "no limit"));
	explain_fact(e, "body_idle", duration(e->arena, r->limits.body_idle_us));
	explain_fact(e, "body_rate", bytes_or(e->arena, r->limits.body_rate, "no limit"));
	explain_fact(e, "write", duration(e->arena, r->limits.write_us));
}

void explain_then(Explain *e)
{
	const RouteConf *r = e->p->route->conf;

	explain_auth(e);
	explain_begin(e, "then");
	tell_maintenance(e);
	if (e->p->refused)
		explain_refused(e, e->p->refused);
	if (r->action == ROUTE_PROXY)
		explain_upstream(e);
	else if (r->action == ROUTE_REDIRECT)
		tell_redirect(e);
	else if (r->action == ROUTE_ANSWER)
		tell_answer(e);
	else
		tell_files(e);
	if (r->has_files && r->upstream)
		explain_upstream(e); /* for what is not there */
	tell_limits(e);
	if (r->upstream)
		tell_request_headers(e);
	tell_answer_headers(e);
}

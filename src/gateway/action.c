/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers of the gateway's own: redirects and static answers, and what is prepared for all that routes do. */
#include "gateway/action.h"

#include "base/arena.h"
#include "base/hash.h"
#include "gateway/fields.h"
#include "gateway/reply.h"
#include "gateway/reshape.h"
#include "gateway/template.h"
#include "http/conditional.h"

#include <stdlib.h>

/* Without links; as it is when it cannot be found out. */
static Str real_path(Arena *a, Str path)
{
	char *real = realpath(str_z(a, path), NULL);
	Str found = real ? str_dup(a, str_of(real)) : path;

	free(real);
	return found;
}

void action_prepare(Arena *a, const RouteConf *conf, RouteState *state)
{
	if (conf->has_redirect)
		state->location = template_new(a, TEMPLATE_URL, conf->redirect.to, &conf->match);
	if (conf->rewrite.len)
		state->rewrite = template_new(a, TEMPLATE_PATH, conf->rewrite, &conf->match);
	if (conf->has_answer && conf->answer.status == 200)
		state->etag = str_fmt(a, "\"%016" PRIx64 "\"", hash_stable(state->content, 0, 0));
	if (conf->has_sendfile)
		state->sendfile_dir = real_path(a, conf->sendfile.dir);
	if (conf->has_reshape)
		state->reshape = reshape_new(a, conf->name, &conf->reshape, &conf->match);
	state->request_fields = fields_new(a, &conf->request_headers, &conf->match);
	state->answer_fields = fields_new(a, &conf->response_headers, &conf->match);
}

Err *action_rewrite(const Passage *p, Str *path)
{
	TemplateValues values;

	passage_values(p, &values);
	return template_expand(p->state->rewrite, p->x->arena, &values, path);
}

/* The client's query, before a fragment, unless the address has one of its own. */
static Str with_query(const Passage *p, Str to)
{
	ptrdiff_t hash = str_find_char(to, '#');
	Str before = hash < 0 ? to : str_sub(to, 0, (size_t)hash);
	Str after = str_sub(to, before.len, to.len);

	if (!p->route->conf->redirect.keep_query || !p->url.query.len ||
	    str_find_char(before, '?') >= 0)
		return to;
	return str_fmt(p->x->arena, "%.*s?%.*s%.*s", STR_ARG(before), STR_ARG(p->url.query),
	               STR_ARG(after));
}

Err *action_location(const Passage *p, Str *out)
{
	TemplateValues values;
	Str to;

	passage_values(p, &values);
	TRY(template_expand(p->state->location, p->x->arena, &values, &to));
	*out = with_query(p, to);
	return NULL;
}

Err *action_redirect(Passage *p)
{
	Head head = { .status = p->route->conf->redirect.status };
	Str to;

	TRY(action_location(p, &to));
	headers_add(&head.headers, p->x->arena, S("Location"), to);
	return reply_whole(p, &head, S(""));
}

static bool is_get(Str method)
{
	return str_eq(method, S("GET")) || str_eq(method, S("HEAD"));
}

Err *action_answer(Passage *p)
{
	const AnswerConf *conf = &p->route->conf->answer;
	const Validators validators = { p->state->etag, -1 };
	Head head = { .status = conf->status };
	Headers *headers = &head.headers;
	bool same = p->state->etag.len && is_get(p->x->request.method) &&
	            conditional_check(&p->x->request.headers, &validators) == CONDITIONAL_SAME;

	if (p->state->etag.len)
		headers_add(headers, p->x->arena, S("ETag"), p->state->etag);
	if (same) {
		head.status = 304;
		return reply_whole(p, &head, S(""));
	}
	if (p->state->content.len)
		headers_add(headers, p->x->arena, S("Content-Type"), conf->type);
	return reply_whole(p, &head, p->state->content);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * What one route does: are the names in its templates ones that it has, may those headers be changed, and do its words go
 * together? A word that would be without effect is a mistake: who wrote it expects something of it. */
#include "gateway/conf_int.h"
#include "gateway/conf_writes.h"

#include "base/arena.h"
#include "gateway/forwarded.h"
#include "gateway/template.h"

static void check_template(Conf *conf, const MatchConf *match, const char *key, const Str *text,
                           TemplateKind kind)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Str mistake = template_mistake(a, kind, *text, match);

	if (mistake.len)
		conf_mistake(conf, text, "%s: %.*s", key, STR_ARG(mistake));
}

static void check_values(Conf *conf, const MatchConf *match, const FieldConf *at, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_template(conf, match, "value", &at[i].value, TEMPLATE_FIELD);
}

static void check_fields(Conf *conf, const MatchConf *match, const FieldsConf *fields)
{
	check_values(conf, match, fields->set.at, fields->set.count);
	check_values(conf, match, fields->add.at, fields->add.count);
}

static bool is_trace(Str name)
{
	return str_eq_nocase(name, S("traceparent")) || str_eq_nocase(name, S("tracestate"));
}

/* What servers are told of the client and of the trace, and what ends loops, is for the gateway alone to say. */
static void check_own(Conf *conf, const GatewayConf *g, const FieldConf *at, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (forwarded_is_own(&g->request_id, at[i].name) ||
		    (g->trace.on && is_trace(at[i].name)))
			conf_mistake(conf, &at[i],
			             "%.*s: the gateway says it itself, so it cannot be set",
			             STR_ARG(at[i].name));
}

static void check_request_headers(Conf *conf, const GatewayConf *g, const RouteConf *r)
{
	const FieldsConf *fields = &r->request_headers;

	check_fields(conf, &r->match, fields);
	check_own(conf, g, fields->set.at, fields->set.count);
	check_own(conf, g, fields->add.at, fields->add.count);
	for (size_t i = 0; i < fields->remove.count; i++)
		if (str_eq_nocase(fields->remove.at[i], S("Via")))
			conf_mistake(conf, &fields->remove.at[i],
			             "remove: without Via a request that goes round in circles "
			             "would never be found");
}

static void check_answer(Conf *conf, const AnswerConf *answer)
{
	bool none = answer->status == 204 || answer->status == 205 || answer->status == 304;

	if (answer->body.len && answer->file.len)
		conf_mistake(conf, &answer->file, "file: there is a body already");
	else if (none && (answer->body.len || answer->file.len))
		conf_mistake(conf, &answer->status, "status: an answer with %u has no body",
		             answer->status);
}

/* Words about what goes upstream, on a route from which nothing does. */
static void check_idle_words(Conf *conf, const RouteConf *r)
{
	const FieldsConf *fields = &r->request_headers;
	bool path = r->action == ROUTE_PROXY || r->action == ROUTE_FILES;

	if (!path && r->rewrite.len)
		conf_mistake(conf, &r->rewrite, "rewrite: is for routes with to or files");
	if (!path && r->strip_prefix.len)
		conf_mistake(conf, &r->strip_prefix,
		             "strip_prefix: is for routes with to or files");
	if (r->has_to || r->has_old)
		return;
	if (fields->set.count + fields->add.count + fields->remove.count)
		conf_mistake(conf, fields, "request_headers: are for routes with to");
	if (r->has_sendfile)
		conf_mistake(conf, &r->sendfile, "sendfile: is for routes with to");
}

void gateway_conf_check_action(Conf *conf, const GatewayConf *g, const RouteConf *r)
{
	if (r->has_redirect)
		check_template(conf, &r->match, "to", &r->redirect.to, TEMPLATE_URL);
	if (r->rewrite.len)
		check_template(conf, &r->match, "rewrite", &r->rewrite, TEMPLATE_PATH);
	if (r->has_answer)
		check_answer(conf, &r->answer);
	check_request_headers(conf, g, r);
	check_fields(conf, &r->match, &r->response_headers);
	check_idle_words(conf, r);
	if (r->has_reshape && !r->has_new)
		conf_mistake(conf, &r->reshape, "reshape: is for routes with a new side");
	else if (r->has_reshape)
		reshape_conf_check_route(conf, &r->match, &r->reshape);
	writes_conf_check_route(conf, g, r);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * proxy_pass: the server it names and the path that goes there. With a path after the address nginx puts that in the place of
 * the location's own, letter by letter ("/api/" and "http://app/v1" make "/v1x" of "/api/x"); with variables the path is what
 * they say. uwsgi_pass is taken for a server that will speak HTTP from now on, which is a matter of one word in its
 * configuration; other protocols are not spoken. */
#include "gateway/nginx_carry_parts.h"

#include "base/arena.h"
#include "gateway/nginx_carry_text.h"

#include <string.h>

#define MINUTE INT64_C(60000000)

/* Paths. */

static void set_rewrite(Place *p, NginxNode *node, Str path, const char *rest)
{
	Str text = str_fmt(p->c->arena, "%.*s%s", STR_ARG(template_text(p->c->arena, path)), rest);

	if (carry_find(p->route, "rewrite"))
		carry_say(p->c, p->route, node, "files and the server have the same path here");
	else if (carry_checks_template(p, node, TEMPLATE_PATH, text))
		carry_set_text(p->c->arena, p->route, "rewrite", text);
}

/* Of a location that stayed a prefix. {rest} begins with a slash. */
static void map_prefix(Place *p, NginxNode *node, Str from, Str to)
{
	bool slash = str_ends(from, S("/"));

	if (slash != str_ends(to, S("/")))
		carry_differs(p->c, p->route, node,
		              "nginx makes \"%.*sx\" of \"%.*sx\", here there is one slash between",
		              STR_ARG(to), STR_ARG(from));
	from.len -= slash;
	to.len -= str_ends(to, S("/"));
	if (to.len)
		set_rewrite(p, node, to, "{rest}");
	else if (from.len && !carry_find(p->route, "rewrite"))
		carry_set_text(p->c->arena, p->route, "strip_prefix", from);
}

static void map_path(Place *p, NginxNode *node, Str from, Str to)
{
	if (!text_path(p->c->arena, from, &from) || !text_path(p->c->arena, to, &to)) {
		carry_say(p->c, p->route, node, "the path cannot be said: write rewrite: yourself");
		return;
	}
	if (str_eq(from, to))
		return;
	if (p->exact.len) {
		Str rest = str_sub(p->exact, from.len, p->exact.len);

		set_rewrite(p, node, str_fmt(p->c->arena, "%.*s%.*s", STR_ARG(to), STR_ARG(rest)),
		            "");
	} else if (p->regex.len && p->rule->kind == RULE_PREFIX) {
		p->grouped = true;
		set_rewrite(p, node, to, "{1}");
	} else if (p->regex.len) {
		carry_say(p->c, p->route, node, "the path cannot be said: write rewrite: yourself");
	} else {
		map_prefix(p, node, from, to);
	}
}

/* `rewrite ^/p/(.*)$ /x/$1 break` instead of a path after proxy_pass. */
static void map_by_rewrite(Place *p, NginxNode *node)
{
	Str to = node_word(node, 1), head;
	bool tail;

	node->fate = FATE_TAKEN;
	regex_is_plain(p->c->arena, node_word(node, 0), &head, &tail);
	if (regex_is_all(node_word(node, 0)) || !str_ends(to, S("$1")) ||
	    text_has_variable(str_sub(to, 0, to.len - 2)) || str_find_char(to, '?') >= 0)
		carry_say(p->c, p->route, node, "the path cannot be said: write rewrite: yourself");
	else
		map_path(p, node, head, str_sub(to, 0, to.len - 2));
}

/* False: the path needs nothing more. */
static bool is_own_path(Str path)
{
	static const Str own[] = { S("$request_uri"), S("$uri$is_args$args"), S("$uri") };

	for (size_t i = 0; i < COUNT(own); i++)
		if (str_eq(path, own[i]))
			return true;
	return false;
}

static bool set_variable_path(Place *p, Str path)
{
	Str out, bad;
	bool query;

	if (!template_of_url(p, path, &out, &query, &bad) || !str_starts(out, S("/")) ||
	    str_find_char(out, '?') >= 0 || !carry_checks_template(p, p->pass, TEMPLATE_PATH, out))
		return false;
	carry_set_text(p->c->arena, p->route, "rewrite", out);
	return true;
}

/* The path that a rewrite has made, where the location it led to puts another in the place of its own. */
static bool map_landed(Place *p, NginxNode *node, Str to)
{
	Str from = p->landed->text;

	if (p->landed->kind != RULE_PREFIX || !str_starts(p->rewritten, from)) {
		carry_say(
			p->c, p->route, node,
			"the path cannot be said: the route answers 501 until you write rewrite:");
		carry_undone(p);
		return false;
	}
	p->rewritten = str_fmt(p->c->arena, "%.*s%.*s", STR_ARG(template_text(p->c->arena, to)),
	                       STR_ARG(str_sub(p->rewritten, from.len, p->rewritten.len)));
	return true;
}

/* Where. */

/* "http://app$request_uri": where the server ends and the path begins. */
static void split_at_path(Str text, Str *server, Str *path)
{
	ptrdiff_t scheme = str_find(text, S("://"));
	size_t at = scheme < 0 ? 0 : (size_t)scheme + 3;

	while (at < text.len && text.at[at] != '/' &&
	       !str_starts(str_sub(text, at, text.len), S("$request_uri")) &&
	       !str_starts(str_sub(text, at, text.len), S("$uri")))
		at++;
	*server = str_sub(text, 0, at);
	*path = at < text.len ? str_sub(text, at, text.len) : (Str){ 0 };
}

static bool resolve(Place *p, Str text, ProxyTarget *target)
{
	Str server = text, path = { 0 }, bad;

	if (text_has_variable(text)) {
		split_at_path(text, &server, &path);
		if (!template_of(p, server, &server, &bad) || str_find_char(server, '{') >= 0)
			return false;
	}
	if (!proxy_target_split(server, target))
		return false;
	if (path.at && !is_own_path(path) && !set_variable_path(p, path))
		return false;
	return proxy_target_is_sound(p->c, target);
}

/* Times. */

static int64_t time_of(Place *p, const char *what, int64_t otherwise)
{
	Str kind = str_sub(p->pass->name, 0, p->pass->name.len - strlen("pass"));
	Str name = str_fmt(p->c->arena, "%.*s%s", STR_ARG(kind), what);
	NginxNode *node = scope_find(p->scope, str_z(p->c->arena, name));
	int64_t us = otherwise;

	if (node && text_read_time(node_word(node, 0), &us))
		node->fate = MAX(node->fate, (uint8_t)FATE_TAKEN);
	return us;
}

/* nginx's own where it says nothing: a page that takes half a minute is not to fail here. */
static void set_times(Place *p)
{
	Arena *a = p->c->arena;
	int64_t connect = time_of(p, "connect_timeout", MINUTE);
	int64_t read = time_of(p, "read_timeout", MINUTE),
		send = time_of(p, "send_timeout", MINUTE);

	carry_set(a, p->route, "timeouts.connect", text_time(a, connect, 1000, 5 * MINUTE));
	carry_set(a, p->route, "timeouts.head", text_time(a, read, 1000, 60 * MINUTE));
	carry_set(a, p->route, "timeouts.idle", text_time(a, MAX(read, send), 1000, 1440 * MINUTE));
	carry_set(a, p->route, "timeouts.request", S("0"));
	if (read > 60 * MINUTE)
		carry_set(a, p->route, "timeouts.tunnel",
		          text_time(a, read, 1000, 7 * 1440 * MINUTE));
}

static void set_body(Place *p)
{
	NginxNode *node = scope_find(p->scope, "client_max_body_size");
	uint64_t bytes = 1 << 20;

	if (node && text_read_size(node_word(node, 0), &bytes))
		node->fate = MAX(node->fate, (uint8_t)FATE_TAKEN);
	else
		p->c->usual_body = true;
	carry_set(p->c->arena, p->route, "body", bytes ? text_size(p->c->arena, bytes) : S("0"));
}

void carry_proxy(Place *p, NginxNode *handler)
{
	ProxyTarget target;
	bool http = node_is(handler, "proxy_pass") || node_is(handler, "grpc_pass");

	p->pass = handler;
	if (!http && !node_is(handler, "uwsgi_pass")) {
		carry_say(p->c, p->route, handler,
		          "only HTTP is spoken to servers: the route answers 501");
		carry_undone(p);
		return;
	}
	if (!resolve(p, node_word(handler, 0), &target)) {
		carry_say(p->c, p->route, handler,
		          "where it leads is not known before the request: the route answers 501");
		carry_undone(p);
		return;
	}
	handler->fate = MAX(handler->fate, (uint8_t)FATE_TAKEN);
	p->act |= ACT_PROXY;
	carry_upstream(p, &target);
	if (node_is(handler, "grpc_pass"))
		target.path = (Str){ 0 };
	if (!http)
		carry_differs(
			p->c, p->upstream, handler,
			"uWSGI must speak HTTP there: http-socket instead of socket in its file");
	if (p->landed && target.path.at && !map_landed(p, handler, target.path))
		return;
	if (p->rewritten.len && carry_checks_template(p, handler, TEMPLATE_PATH, p->rewritten))
		carry_set_text(p->c->arena, p->route, "rewrite", p->rewritten);
	else if (p->mapping)
		map_by_rewrite(p, p->mapping);
	else if (target.path.at && p->scope->node == p->rule->scope.node)
		map_path(p, handler, p->rule->text, target.path);
	set_times(p);
	set_body(p);
	carry_sendfile(p);
}

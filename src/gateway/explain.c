/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan explain`: reads a request from the command line and a configuration from its file, finds the route as the gateway
 * would, and says what it found. Nothing is connected to and nothing listens. Exit codes as grep has them: 0 when a route
 * takes the request, 1 when none does or it is refused, 2 for mistakes. */
#include "gateway/explain.h"

#include "base/arena.h"
#include "gateway/action.h"
#include "gateway/explain_int.h"
#include "gateway/options.h"
#include "gateway/passage.h"

#include <stdio.h>

typedef struct ExplainArgs {
	Str file, host, from;
	CONF_LIST_OF(Str) headers;
	CONF_LIST_OF(Str) request;
	bool tls;
} ExplainArgs;

/* An error of this kind ends a command with 1. */
static Err not_taken =
	ERR_STATIC(INTERNAL, "gateway.no_route", "no route takes this request, or it is refused");

static Err small_letters = ERR_STATIC(INVALID, "http.method", "the method is not in upper case");

static Err no_connect = ERR_STATIC(METHOD, "gateway.connect", "this gateway is no forward proxy");

static Err *refuse(Arena *a, Str text, const char *why)
{
	return err_new(a, ERR_INVALID, "args.value", "%.*s: %s", STR_ARG(str_quote(a, text)), why);
}

/* --- the request ---------------------------------------------------------------------------------------------------- */

/* "https://shop.example.org/x" */
static bool take_address(Head *head, Str target, bool *secure)
{
	Str rest = target;
	ptrdiff_t slash;

	*secure = str_starts(target, S("https://"));
	if (!*secure && !str_starts(target, S("http://")))
		return false;
	rest = str_sub(rest, *secure ? 8 : 7, rest.len);
	slash = str_find_char(rest, '/');
	head->authority = slash < 0 ? rest : str_sub(rest, 0, (size_t)slash);
	head->target = slash < 0 ? S("/") : str_sub(rest, (size_t)slash, rest.len);
	return true;
}

/* "GET /x", "/x", with or without quotes around it. */
static Err *take_line(Arena *a, const ExplainArgs *args, Exchange *x)
{
	AUTO(buf_fini) Buf b = { 0 };
	Str line, word;

	for (size_t i = 0; i < args->request.count; i++)
		buf_fmt(&b, "%s%.*s", i ? " " : "", STR_ARG(args->request.at[i]));
	line = str_trim(str_dup(a, buf_str(&b)));
	x->request.method = S("GET");
	if (str_find_char(line, ' ') >= 0) {
		str_split(&line, ' ', &word);
		x->request.method = word;
		line = str_trim(line);
	}
	if (!http_is_token(x->request.method) || !line.len || str_find_char(line, ' ') >= 0)
		return refuse(a, line, "expected a method and a path: 'GET /api/x'");
	x->request.target = line;
	if (str_eq(x->request.method, S("CONNECT")))
		return NULL;
	if (!take_address(&x->request, line, &x->secure) && line.at[0] != '/' &&
	    !str_eq(line, S("*")))
		return refuse(a, line, "expected a path that begins with \"/\", or an address");
	return NULL;
}

static Err *take_headers(Arena *a, const ExplainArgs *args, Head *head)
{
	for (size_t i = 0; i < args->headers.count; i++) {
		Str value = args->headers.at[i], name;

		if (!str_split(&value, ':', &name) || !value.at || !http_is_token(name))
			return refuse(a, args->headers.at[i], "expected 'Name: value'");
		if (header_id(name) == HTTP_HOST)
			head->authority = str_trim(value);
		else
			headers_add(&head->headers, a, name, str_trim(value));
	}
	if (args->host.len)
		head->authority = args->host;
	if (head->authority.len)
		headers_add_id(&head->headers, a, HTTP_HOST, head->authority);
	return NULL;
}

static Err *take_peer(Arena *a, Str from, Peer *peer)
{
	Addr addr;
	Ip ip;

	if (str_eq(from, S("unix"))) {
		*peer = (Peer){ .family = AF_UNIX };
		return NULL;
	}
	if (!ip_parse(from, &ip))
		return refuse(a, from, "expected an address: 192.0.2.1, 2001:db8::1 or unix");
	TRY(addr_parse(a,
	               str_find_char(from, ':') < 0 || from.at[0] == '['
	                       ? str_fmt(a, "%.*s:1024", STR_ARG(from))
	                       : str_fmt(a, "[%.*s]:1024", STR_ARG(from)),
	               &addr));
	*peer = peer_of(&addr);
	return NULL;
}

static Err *read_request(Arena *a, const ExplainArgs *args, Exchange *x)
{
	x->arena = a;
	x->request.version = HTTP_11;
	TRY(take_line(a, args, x));
	TRY(take_headers(a, args, &x->request));
	TRY(take_peer(a, args->from, &x->peer));
	x->secure = x->secure || args->tls;
	return NULL;
}

/* --- the way it would go -------------------------------------------------------------------------------------------- */

static Snapshot *snapshot_of(Arena *a, const GatewayConf *g)
{
	Snapshot *snap = ARENA_NEW(a, Snapshot);

	snap->conf = g;
	snap->routes = route_table_new(a, g->routes.at, g->routes.count);
	snap->states = ARENA_ARRAY(a, RouteState, g->routes.count);
	snap->paths =
		(UrlRules){ g->paths.encoded_slash, g->paths.keep_double, g->paths.semicolons };
	return snap;
}

static void begin(Explain *e, Exchange *x, const GatewayConf *g)
{
	Passage *p = ARENA_NEW(e->arena, Passage);
	Snapshot *snap;

	p->x = x;
	snap = snapshot_of(e->arena, g);
	explain_auth_begin(e, snap);
	p->snap = snap;
	p->forwarded = (Forwarded){
		.conf = g, .request = &x->request, .peer = &x->peer, .secure = x->secure
	};
	p->refused = forwarded_begin(&p->forwarded, e->arena);
	x->user = p;
	e->p = p;
	e->table = p->snap->routes;
}

/* What no route is asked for. */
static Err *find_own(Explain *e)
{
	const Head *request = &e->p->x->request;
	Str method = request->method, allow;

	if (str_eq(method, S("CONNECT")))
		return &no_connect;
	for (size_t i = 0; i < method.len; i++)
		if (method.at[i] >= 'a' && method.at[i] <= 'z')
			return &small_letters;
	e->own = options_are_ours(request);
	return e->own && !str_eq(method, S("OPTIONS")) ? options_answer(e->p->x, NULL, &allow)
	                                               : NULL;
}

static Err *find(Explain *e)
{
	Passage *p = e->p;
	const Head *request = &p->x->request;
	uint16_t port;

	TRY(find_own(e));
	if (e->own)
		return NULL;
	TRY(url_canonical(e->arena, request->target, &p->snap->paths, &p->url));
	if (request->authority.len)
		TRY(url_authority(e->arena, request->authority, &p->host, &port));
	e->ask = (RouteAsk){ p->host,
		             p->url.path,
		             request->method,
		             p->url.query,
		             &request->headers,
		             str_eq(p->forwarded.scheme, S("https")) ? MATCH_HTTPS : MATCH_HTTP };
	e->winner = p->route = route_find(e->table, &e->ask, &e->miss);
	if (!p->route)
		return NULL;
	p->state = &p->snap->states[p->route->index];
	p->times = &p->route->conf->timeouts;
	p->target = p->state->target;
	action_prepare(e->arena, p->route->conf, &p->snap->states[p->route->index]);
	return p->refused;
}

static void tell_request(Explain *e)
{
	const Passage *p = e->p;
	const Head *request = &p->x->request;

	explain_begin(e, "request");
	explain_fact(e, "method", request->method);
	explain_fact(e, "target", request->target);
	explain_fact(e, "host", p->host);
	if (p->url.path.len)
		explain_fact(e, "canonical path", p->url.path);
	explain_fact(e, "scheme", p->forwarded.scheme);
	explain_fact(e, "client", p->forwarded.client_ip);
	if (p->forwarded.trusted)
		explain_fact(e, "peer", S("a trusted proxy"));
	if (e->refused && !e->winner)
		explain_refused(e, e->refused);
}

static Err *explain(Cmd *cmd)
{
	AUTO(buf_fini) Buf b = { 0 };
	const ExplainArgs *args = cmd->args;
	Explain e = { .arena = cmd->arena, .conf = conf_new(cmd->arena) };
	Exchange x = { 0 };
	GatewayConf *g = NULL;
	Err *err = gateway_conf_load(cmd->arena, e.conf, args->file, &g);

	if (err) {
		conf_put_mistakes(e.conf, &b);
		fwrite(b.at, 1, b.len, stderr);
		return err;
	}
	TRY(read_request(cmd->arena, args, &x));
	begin(&e, &x, g);
	e.refused = find(&e);
	tell_request(&e);
	if (e.winner || !e.refused)
		explain_route(&e);
	if (e.winner)
		explain_then(&e);
	if (cmd->json)
		explain_put_json(&e, &b);
	else
		explain_put_text(&e, &b);
	fwrite(b.at, 1, b.len, cmd->out);
	return e.winner && !e.refused ? NULL : &not_taken;
}

static const ConfKey options[] = {
	{ "config", CONF_STR, AT(ExplainArgs, file), .letter = 'c', .value = "FILE",
	  .required = true, .help = "the configuration" },
	{ "host", CONF_STR, AT(ExplainArgs, host), .value = "HOST",
	  .help = "the Host header, with a port or without" },
	{ "header", CONF_STR, AT_LIST(ExplainArgs, headers), .letter = 'H',
	  .value = "'NAME: VALUE'", .help = "a header of the request" },
	{ "from", CONF_STR, AT(ExplainArgs, from), .def = "127.0.0.1", .value = "ADDRESS",
	  .help = "who asks: an address, or unix" },
	{ "tls", CONF_BOOL, AT(ExplainArgs, tls), .help = "over TLS, as for https addresses" },
};

static const ConfKey operands[] = {
	{ "REQUEST", CONF_STR, AT_LIST(ExplainArgs, request), .required = true,
	  .help = "'GET /api/x', a path alone, or an address: https://shop.example.org/api/x" },
};

static const Command commands[] = {
	{ "explain", .group = "decompose", .summary = "say which route takes a request, and why",
	  .run = explain, .json = true,
	  .help = "Says which route of a configuration takes a request and why, which others would and why they come later, "
	          "and which came near; who asks, by its policy, and whether they may. Then what happens: the upstream and what it is asked, times, limits, tries, the "
	          "headers that are added and removed. Nothing is connected to.\n\n"
	          "Ends with 0 when a route takes the request, with 1 when none does or it would be refused.",
	  .examples =
	          "banyan explain -c banyan.yaml 'GET /api/users/7' --host shop.example.org\n"
	          "banyan explain -c banyan.yaml https://shop.example.org/ -H 'Cookie: beta=1' --json",
	  COMMAND_OPTIONS(options), COMMAND_OPERANDS(operands), .size = sizeof(ExplainArgs) },
};

const Command *explain_commands(size_t *count)
{
	*count = COUNT(commands);
	return commands;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * What no row can say alone: names that must lead somewhere, things that cannot both be, routes that nothing could ever
 * reach. Every mistake is put where the value stands. The same walk derives what the rest of the gateway wants to have
 * ready: addresses taken apart, the upstream of a route, masks. What is in order but looks like a slip is a warning. */
#include "gateway/conf_int.h"

#include "base/arena.h"
#include "gateway/balance.h"
#include "gateway/route_literal.h"
#include "gateway/route_pattern.h"
#include "http/message.h"
#include "rt/tls.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SHADOWS_SAID = 100, UNFIXED_FINE = 16, DAYS_FINE = 7 };

/* Can it be read? */
static bool check_file(Conf *conf, const Str *path)
{
	AUTO(arena_freep) Arena *a = arena_new(0);

	if (!path->len || access(str_z(a, *path), R_OK) == 0)
		return true;
	conf_mistake(conf, path, "%.*s: %m", STR_ARG(*path));
	return false;
}

/* Are they what they should be, and do they belong together? An empty key is none. */
static void check_pair(Conf *conf, const Str *certificate, const Str *key)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	bool there = check_file(conf, certificate);
	int days;
	Err *err;

	if (!check_file(conf, key) || !there || !certificate->len)
		return;
	err = tls_check_files(a, *certificate, *key, &days);
	if (err)
		conf_mistake(conf, strcmp(err->slug, "tls.key") == 0 ? key : certificate, "%.*s",
		             STR_ARG(err->text));
}

static void check_authority(Conf *conf, const Str *ca)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	TlsContext *context = NULL;
	Err *err = NULL;

	if (ca->len && check_file(conf, ca))
		err = tls_client_new(a, &(TlsClientConf){ .ca = *ca, .verify = true }, &context);
	tls_unref(context);
	if (err)
		conf_mistake(conf, ca, "%.*s", STR_ARG(err->text));
}

static void check_listeners(Conf *conf, GatewayConf *g)
{
	for (size_t i = 0; i < g->listen.count; i++) {
		ListenConf *l = &g->listen.at[i];

		address_split(l->address.text, &l->address);
		for (size_t k = 0; k < l->tls.count; k++)
			check_pair(conf, &l->tls.at[k].certificate, &l->tls.at[k].key);
		check_authority(conf, &l->client_ca);
		if (l->client_ca.len ? !l->tls.count : l->client_must)
			conf_mistake(conf, &l->client_ca,
			             "client_ca: tls, client_ca and client_must belong together");
		if (l->h2c && l->tls.count)
			conf_mistake(conf, &l->h2c,
			             "h2c: is for ports without tls; over tls it is http2");
		for (size_t k = 0; k < i; k++)
			if (address_same(&g->listen.at[k].address, &l->address))
				conf_mistake(conf, &l->address.text,
				             "address: %.*s is listened on already",
				             STR_ARG(l->address.text));
	}
}

/* Two people with one secret would be one person in the journal. */
static void check_admin_tokens(Conf *conf, AdminConf *admin)
{
	for (size_t i = 0; i < admin->tokens.count; i++) {
		AdminTokenConf *one = &admin->tokens.at[i];
		bool taken = one->token.len && str_eq(one->token, admin->token);

		for (size_t k = 0; k < i; k++)
			taken |= one->token.len && str_eq(one->token, admin->tokens.at[k].token);
		if (taken)
			conf_mistake(conf, &one->token, "token: somebody else has this one");
		if (str_eq(one->name, S("admin")))
			conf_mistake(conf, &one->name, "name: admin is who comes with admin.token");
	}
}

static void check_admin(Conf *conf, GatewayConf *g)
{
	AdminConf *admin = &g->admin;

	admin->on = address_split(admin->address.text, &admin->address);
	if (!admin->on)
		return;
	check_admin_tokens(conf, admin);
	if (!address_is_loopback(&admin->address) && !admin->token.len && !admin->tokens.count &&
	    !admin->has_openid)
		conf_mistake(conf, &admin->address.text,
		             "admin: other machines reach %.*s, so a token is needed",
		             STR_ARG(admin->address.text));
	for (size_t i = 0; i < g->listen.count; i++)
		if (address_same(&g->listen.at[i].address, &admin->address))
			conf_mistake(conf, &admin->address.text,
			             "admin: clients are listened for on %.*s already",
			             STR_ARG(admin->address.text));
}

static void check_servers(Conf *conf, UpstreamConf *u)
{
	uint32_t weights = 0;

	if (u->servers.count > GATEWAY_SERVERS)
		conf_mistake(conf, &u->servers, "servers: %d at most", (int)GATEWAY_SERVERS);
	for (size_t i = 0; i < u->servers.count; i++) {
		ServerConf *s = &u->servers.at[i];

		weights += s->weight;
		if (!address_split(s->address.text, &s->address))
			continue;
		for (size_t k = 0; k < i; k++)
			if (address_same(&u->servers.at[k].address, &s->address))
				conf_mistake(conf, &s->address.text,
				             "address: %.*s is a server of %.*s already",
				             STR_ARG(s->address.text), STR_ARG(u->name));
	}
	if (u->servers.count && !weights)
		conf_mistake(conf, &u->servers,
		             "servers: all of them have weight 0, so none takes a request");
}

static uint32_t retry_mask(const RetryConf *retry)
{
	uint32_t mask = 0;

	for (size_t i = 0; i < retry->on.count; i++)
		mask |= UINT32_C(1) << retry->on.at[i];
	return mask;
}

static void check_client_certificate(Conf *conf, const UpstreamConf *u)
{
	check_authority(conf, &u->tls.ca);
	check_pair(conf, &u->tls.certificate, &u->tls.key);
	if (!u->tls.certificate.len != !u->tls.key.len)
		conf_mistake(conf, &u->tls, "tls: certificate and key belong together");
}

static void check_upstream(Conf *conf, UpstreamConf *u)
{
	HashOn kind = HASH_ON_PEER;

	check_servers(conf, u);
	hash_on_split(u->hash_on, &kind, &u->hash_name);
	u->hash_kind = (uint8_t)kind;
	status_range_split(u->health.status, &u->health.status_min, &u->health.status_max);
	u->retry.mask = retry_mask(&u->retry);
	if (u->has_tls)
		check_client_certificate(conf, u);
	if (u->proxy_protocol != PROXY_PROTOCOL_OFF && u->protocol == UPSTREAM_H2)
		conf_mistake(
			conf, &u->proxy_protocol,
			"proxy_protocol: a connection of its own for each client is not for h2");
	if (u->outlier.ejection_max_us < u->outlier.ejection_us)
		conf_mistake(conf, &u->outlier.ejection_max_us,
		             "outlier: ejection_max is shorter than ejection");
	if (u->has_health && u->health.timeout_us > u->health.interval_us)
		conf_mistake(conf, &u->health.timeout_us,
		             "health: the timeout is longer than the interval");
}

static const UpstreamConf *find_upstream(const GatewayConf *g, Str name)
{
	for (size_t i = 0; i < g->upstreams.count; i++)
		if (str_eq(g->upstreams.at[i].name, name))
			return &g->upstreams.at[i];
	return NULL;
}

/* key: "to", at: its value. */
static void mistake_unknown(Conf *conf, const GatewayConf *g, const char *key, const Str *at)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Str *names = ARENA_ARRAY(a, Str, g->upstreams.count + 1);
	Str near;

	for (size_t i = 0; i < g->upstreams.count; i++)
		names[i] = g->upstreams.at[i].name;
	near = str_nearest(*at, names, g->upstreams.count);
	if (near.len)
		conf_mistake(conf, at, "%s: there is no upstream \"%.*s\": did you mean %.*s?", key,
		             STR_ARG(*at), STR_ARG(near));
	else
		conf_mistake(conf, at, "%s: there is no upstream \"%.*s\"", key, STR_ARG(*at));
}

static void inherit(TimeoutsConf *own, const TimeoutsConf *from)
{
	if (!own->has_connect)
		own->connect_us = from->connect_us;
	if (!own->has_head)
		own->head_us = from->head_us;
	if (!own->has_idle)
		own->idle_us = from->idle_us;
	if (!own->has_tunnel)
		own->tunnel_us = from->tunnel_us;
	if (!own->has_request)
		own->request_us = from->request_us;
}

static void inherit_general(RouteConf *r, const GatewayConf *g)
{
	RouteLimitsConf *limits = &r->limits;
	BufferingConf *buffering = &r->buffering;

	if (!r->has_body)
		r->body_bytes = g->limits.body_bytes;
	if (!limits->has_body_idle)
		limits->body_idle_us = g->limits.body_idle_us;
	if (!limits->has_write)
		limits->write_us = g->limits.write_us;
	if (!limits->has_body_rate)
		limits->body_rate = g->limits.body_rate;
	if (!buffering->has_requests)
		buffering->requests = g->buffering.requests;
	if (!buffering->has_answers)
		buffering->answers = g->buffering.answers;
	if (!buffering->has_memory)
		buffering->memory = g->buffering.memory;
	if (!buffering->has_file)
		buffering->file = g->buffering.file;
}

/* The upstream of this name, or a mistake. */
static const UpstreamConf *need_upstream(Conf *conf, const GatewayConf *g, const char *key,
                                         const Str *name)
{
	const UpstreamConf *upstream = find_upstream(g, *name);

	if (!upstream)
		mistake_unknown(conf, g, key, name);
	return upstream;
}

/* Routes of one group have the same sides, and no other route has its name. */
static void check_group(Conf *conf, const GatewayConf *g, RouteConf *r)
{
	for (size_t i = 0; i < g->routes.count; i++) {
		const RouteConf *other = &g->routes.at[i];

		if (str_eq(other->name, r->shift.group))
			conf_mistake(conf, &r->shift.group,
			             "group: a route is called %.*s: give the group another name",
			             STR_ARG(other->name));
		if (other < r && str_eq(other->shift.group, r->shift.group) &&
		    (!str_eq(other->old, r->old) || !str_eq(other->new, r->new)))
			conf_mistake(conf, &r->shift.group,
			             "group: %.*s has other sides: routes of a group move together",
			             STR_ARG(other->name));
	}
}

/* Moves are pages of the admin port, /shift/NAME, and words of a command line. */
static void check_subject(Conf *conf, RouteConf *r)
{
	static const struct {
		Str name;
		const char *why;
	} taken[] = {
		{ S("events"), "/shift/events of the admin port is its stream of changes" },
		{ S("upstream"), "`banyan shift upstream NAME` is an upstream" },
		{ S("."), "no page can be called that" },
		{ S(".."), "no page can be called that" },
	};
	Str *name = r->shift.group.len ? &r->shift.group : &r->name;

	for (size_t i = 0; i < COUNT(taken); i++)
		if (str_eq(*name, taken[i].name))
			conf_mistake(
				conf, name,
				"what is moved cannot be called %.*s: %s; give it another name",
				STR_ARG(*name), taken[i].why);
}

/* Two sides, or one. */
static void check_sides(Conf *conf, const GatewayConf *g, RouteConf *r)
{
	r->new_timeouts = r->timeouts;
	if (r->has_old || r->has_new || r->has_shift) {
		if (r->has_to || !r->has_old || !r->has_new)
			conf_mistake(
				conf, r->has_to ? (void *)&r->to : (void *)r,
				"route %.*s: old and new belong together, and take the place of to",
				STR_ARG(r->name));
		if (r->has_new)
			r->new_upstream = need_upstream(conf, g, "new", &r->new);
		if (r->shift.group.len)
			check_group(conf, g, r);
		check_subject(conf, r);
		if (r->has_old && r->has_new && str_eq(r->old, r->new))
			conf_mistake(conf, &r->new, "new: that is the old side too");
	}
	if (r->has_old)
		r->upstream = need_upstream(conf, g, "old", &r->old);
	else if (r->has_to)
		r->upstream = need_upstream(conf, g, "to", &r->to);
	if (r->upstream)
		inherit(&r->timeouts, &r->upstream->timeouts);
	if (r->new_upstream)
		inherit(&r->new_timeouts, &r->new_upstream->timeouts);
	if (r->upstream && !r->has_retry)
		r->retry = r->upstream->retry;
}

static void check_action(Conf *conf, const GatewayConf *g, RouteConf *r)
{
	bool to = r->has_to || r->has_old;
	bool alone = to && !r->has_files;
	unsigned count = alone + r->has_files + r->has_redirect + r->has_answer;

	r->action = r->has_files      ? ROUTE_FILES
	            : r->has_redirect ? ROUTE_REDIRECT
	            : r->has_answer   ? ROUTE_ANSWER
	                              : ROUTE_PROXY;
	if (count != 1)
		conf_mistake(
			conf, r,
			"route %.*s: exactly one of to, files, redirect and answer is needed, or "
			"files and to",
			STR_ARG(r->name));
	r->upstream = NULL;
	check_sides(conf, g, r);
}

static void check_conditions(Conf *conf, const ConditionConf *at, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (at[i].has_is + at[i].has_pattern + at[i].absent != 1)
			conf_mistake(conf, &at[i],
			             "%.*s: exactly one of is, pattern and absent: on is needed",
			             STR_ARG(at[i].name));
}

/* Parameters may have any. */
static void check_tokens(Conf *conf, const ConditionConf *at, size_t count, const char *what)
{
	for (size_t i = 0; i < count; i++)
		if (!http_is_token(at[i].name))
			conf_mistake(conf, &at[i], "%.*s: is no name of a %s", STR_ARG(at[i].name),
			             what);
}

/* Names of headers have no case, so a map can hold one twice. */
static void check_header_conditions(Conf *conf, const ConditionConf *at, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (str_eq_nocase(at[i].name, S("Host")))
			conf_mistake(conf, &at[i], "%.*s: is what match.host looks at",
			             STR_ARG(at[i].name));
		for (size_t k = 0; k < i; k++)
			if (str_eq_nocase(at[i].name, at[k].name))
				conf_mistake(conf, &at[i], "%.*s: is there already as %.*s",
				             STR_ARG(at[i].name), STR_ARG(at[k].name));
	}
}

static void check_redirect(Conf *conf, const RedirectConf *redirect)
{
	static const uint16_t statuses[] = { 301, 302, 303, 307, 308 };

	for (size_t i = 0; i < COUNT(statuses); i++)
		if (redirect->status == statuses[i])
			return;
	conf_mistake(conf, &redirect->status, "status: a redirect has 301, 302, 303, 307 or 308");
}

static void check_dir(Conf *conf, const Str *path)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	struct stat st;

	if (!path->len)
		return;
	if (stat(str_z(a, *path), &st) != 0 || access(str_z(a, *path), X_OK) != 0)
		conf_mistake(conf, path, "%.*s: %m", STR_ARG(*path));
	else if (!S_ISDIR(st.st_mode))
		conf_mistake(conf, path, "%.*s: expected a folder", STR_ARG(*path));
}

/* Files that are read with the configuration, and folders that must be there. */
static void check_parts(Conf *conf, RouteConf *r)
{
	const MatchConf *match = &r->match;

	check_conditions(conf, match->headers.at, match->headers.count);
	check_header_conditions(conf, match->headers.at, match->headers.count);
	check_tokens(conf, match->headers.at, match->headers.count, "header");
	check_tokens(conf, match->cookies.at, match->cookies.count, "cookie");
	check_conditions(conf, match->query.at, match->query.count);
	check_conditions(conf, match->cookies.at, match->cookies.count);
	if (r->has_redirect)
		check_redirect(conf, &r->redirect);
	if (r->has_answer)
		check_file(conf, &r->answer.file);
	if (r->has_files)
		check_dir(conf, &r->files.dir);
	if (r->has_sendfile)
		check_dir(conf, &r->sendfile.dir);
	if (r->has_maintenance)
		check_file(conf, &r->maintenance.html);
	if (r->strip_prefix.len && r->rewrite.len)
		conf_mistake(
			conf, &r->rewrite,
			"rewrite: says the whole path, so strip_prefix has no place beside it");
}

/* Is it the start of all that the route takes? */
static bool is_start(Str strip, Str path)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	bool whole = true;
	Str expression;

	if (route_is_expression(path, &expression)) {
		path = route_literal_start(a, expression);
		whole = false;
	}
	return str_starts(path, strip) &&
	       (path.len > strip.len ? path.at[strip.len] == '/' : whole);
}

static void check_route(Conf *conf, const GatewayConf *g, RouteConf *r)
{
	Str strip = r->strip_prefix, path = r->match.path;

	check_action(conf, g, r);
	check_parts(conf, r);
	gateway_conf_check_action(conf, g, r);
	inherit_general(r, g);
	r->retry.mask = retry_mask(&r->retry);
	if (strip.len && !is_start(strip, path))
		conf_mistake(conf, &r->strip_prefix,
		             "strip_prefix: %.*s is not the start of the route's path %.*s",
		             STR_ARG(strip), STR_ARG(path));
}

static void derive_log(AccessConf *log)
{
	log->path = S("");
	if (str_eq(log->text, S("off")))
		log->to = ACCESS_OFF;
	else if (str_eq(log->text, S("stdout")))
		log->to = ACCESS_STDOUT;
	else if (str_eq(log->text, S("stderr")))
		log->to = ACCESS_STDERR;
	else
		log->to = ACCESS_FILE;
	if (log->to == ACCESS_FILE)
		log->path = log->text;
}

void gateway_conf_check(Conf *conf, void *object)
{
	GatewayConf *g = object;

	gateway_conf_need_gateway(conf, g);
	gateway_conf_add_services(conf, g);
	check_listeners(conf, g);
	check_admin(conf, g);
	derive_log(&g->access_log);
	check_file(conf, &g->errors.html);
	check_dir(conf, &g->spool_dir);
	g->maintenance.on = g->has_maintenance && g->maintenance.on;
	if (g->has_maintenance)
		check_file(conf, &g->maintenance.html);
	if (g->routes.count > GATEWAY_ROUTES)
		conf_mistake(conf, &g->routes, "routes: %d at most", (int)GATEWAY_ROUTES);
	if (g->limits.line_bytes > g->limits.head_bytes)
		conf_mistake(conf, &g->limits.line_bytes,
		             "line: is a part of the head, which is smaller");
	for (size_t i = 0; i < g->upstreams.count; i++)
		check_upstream(conf, &g->upstreams.at[i]);
	for (size_t i = 0; i < g->routes.count; i++)
		check_route(conf, g, &g->routes.at[i]);
	auth_conf_check(conf, g);
	for (size_t i = 0; i < g->shift.webhooks.count; i++)
		check_authority(conf, &g->shift.webhooks.at[i].ca);
	webhook_conf_check_subjects(conf, g);
}

/* Warnings. */

typedef struct Warnings {
	Arena *arena;
	Conf *conf;
	GatewayConf *g;
	size_t cap;
} Warnings;

static void warn(Warnings *w, const void *at, Str text)
{
	if (w->g->warnings.count < w->cap)
		w->g->warnings.at[w->g->warnings.count++] =
			str_fmt(w->arena, "%.*s: %.*s", STR_ARG(conf_where(w->conf, at)),
		                STR_ARG(text));
}

static void warn_certificate(Warnings *w, const Str *certificate)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	int days;

	if (!certificate->len || tls_check_files(a, *certificate, (Str){ 0 }, &days) ||
	    days >= DAYS_FINE)
		return;
	warn(w, certificate,
	     days < 0 ? str_fmt(w->arena, "certificate: it has ended, clients will refuse it")
	              : str_fmt(w->arena, "certificate: it ends in %d days", days));
}

/* It may be made before the start: systemd does so. */
static void warn_log(Warnings *w, const AccessConf *log)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	ptrdiff_t slash = str_rfind_char(log->path, '/');
	Str folder = slash <= 0 ? S("/") : str_sub(log->path, 0, (size_t)slash);

	if (slash >= 0 && access(str_z(a, folder), X_OK) != 0)
		warn(w, &log->text, str_fmt(w->arena, "to: %.*s: %m", STR_ARG(folder)));
}

static void warn_upstream(Warnings *w, const UpstreamConf *u)
{
	bool used = auth_conf_asks(w->g, u->name), limited = u->max_connections > 0;

	for (size_t i = 0; i < w->g->routes.count; i++)
		used = used || w->g->routes.at[i].upstream == u ||
		       w->g->routes.at[i].new_upstream == u;
	for (size_t i = 0; i < u->servers.count; i++)
		limited = limited || u->servers.at[i].max_connections > 0;
	if (!used)
		warn(w, u,
		     str_fmt(w->arena, "upstream %.*s is used by no route", STR_ARG(u->name)));
	if (u->has_hash_on && u->balance != BALANCE_HASH)
		warn(w, &u->hash_on, S("hash_on: is looked at only with balance: hash"));
	if (u->has_tls && !u->tls.verify)
		warn(w, &u->tls.verify,
		     S("verify: off, so anybody between could answer for the servers"));
	if (u->keepalive.idle_us >= 2000000 && !u->has_tls && u->protocol == UPSTREAM_HTTP1)
		warn(w, &u->keepalive.idle_us,
		     S("idle_time: gunicorn closes its connections after 2s unless told otherwise"));
}

static void warn_unreachable(Warnings *w)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	ptrdiff_t *by = ARENA_ARRAY(a, ptrdiff_t, w->g->routes.count + 1);
	size_t count = 0;

	route_shadows(w->g->routes.at, w->g->routes.count, by);
	for (size_t i = 0; i < w->g->routes.count; i++) {
		const RouteConf *r = &w->g->routes.at[i];

		if (by[i] < 0 || count++ >= SHADOWS_SAID)
			continue;
		warn(w, r,
		     str_fmt(w->arena,
		             "route %.*s can never be taken: %.*s takes all that it could",
		             STR_ARG(r->name), STR_ARG(w->g->routes.at[by[i]].name)));
	}
	if (count > SHADOWS_SAID)
		warn(w, w->g->routes.at,
		     str_fmt(w->arena, "and %zu more routes can never be taken",
		             count - SHADOWS_SAID));
}

/* Each of them is held against every path. */
static void warn_unfixed(Warnings *w)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	size_t count = 0;
	Str expression;

	for (size_t i = 0; i < w->g->routes.count; i++)
		if (route_is_expression(w->g->routes.at[i].match.path, &expression) &&
		    !route_literal_narrows(a, expression))
			count++;
	if (count > UNFIXED_FINE)
		warn(w, w->g->routes.at,
		     str_fmt(w->arena,
		             "%zu routes have expressions without four fixed letters in a row: "
		             "each of them is tried for every request",
		             count));
}

static void warn_policy(Warnings *w, const AuthConf *policy)
{
	const JwtConf *jwt = &policy->jwt;

	if (!policy->has_jwt || (jwt->issuer.len && jwt->audience.count))
		return;
	warn(w, jwt,
	     str_fmt(w->arena,
	             "policy %.*s: jwt: without %s a token that was made for somebody else is taken",
	             STR_ARG(policy->name),
	             jwt->issuer.len           ? "audience"
	             : jwt->audience.count > 0 ? "issuer"
	                                       : "issuer and audience"));
}

static void finish_maintenance(Arena *a, const GatewayConf *g, RouteConf *r)
{
	MaintenanceConf *m = &r->maintenance;

	if (r->has_maintenance)
		m->allowed = trust_new(a, m->allow.at, m->allow.count);
	else
		*m = g->maintenance;
}

void gateway_conf_finish(Arena *a, Conf *conf, GatewayConf *g)
{
	Warnings w = { a, conf, g, g->upstreams.count * 4 + g->auth.count + SHADOWS_SAID + 6 };

	for (size_t i = 0; i < g->listen.count; i++)
		w.cap += g->listen.at[i].tls.count;
	g->trust = trust_new(a, g->trusted_proxies.at, g->trusted_proxies.count);
	g->maintenance.allowed = trust_new(a, g->maintenance.allow.at, g->maintenance.allow.count);
	for (size_t i = 0; i < g->routes.count; i++)
		finish_maintenance(a, g, &g->routes.at[i]);
	g->warnings.at = ARENA_ARRAY(a, Str, w.cap);
	g->warnings.count = 0;
	for (size_t i = 0; i < g->listen.count; i++)
		for (size_t k = 0; k < g->listen.at[i].tls.count; k++)
			warn_certificate(&w, &g->listen.at[i].tls.at[k].certificate);
	for (size_t i = 0; i < g->upstreams.count; i++)
		warn_upstream(&w, &g->upstreams.at[i]);
	for (size_t i = 0; i < g->auth.count; i++)
		warn_policy(&w, &g->auth.at[i]);
	warn_unreachable(&w);
	warn_unfixed(&w);
	warn_log(&w, &g->access_log);
	if (g->limits.memory && g->limits.memory < 64 << 20)
		warn(&w, &g->limits.memory,
		     S("memory: a gateway at work needs more than 64MiB, so requests will be refused"));
	if (g->request_id.trust == ID_TRUST_ALWAYS)
		warn(&w, &g->request_id.trust,
		     S("trust: always lets any client choose the ids that logs are searched by"));
}

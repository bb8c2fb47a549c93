/* SPDX-License-Identifier: Apache-2.0
 *
 * The walk: from the http block to servers, from servers to those who ask for them, from those to routes. What routes
 * of an upstream have in common then goes up to it, and what all have in common to the top, so that the result reads as if
 * somebody had written it. At the end every directive that nobody has looked at is looked at. */
#include "gateway/nginx_carry_parts.h"

#include "base/arena.h"
#include "base/map.h"
#include "gateway/address.h"
#include "gateway/nginx_carry_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ADMIN_PORT = 8081 };

/* What most routes say. */

static bool leads_to(const CarryBlock *route, const CarryBlock *upstream)
{
	const CarryItem *to = carry_find(route, "to");

	return to && (!upstream || str_eq(to->value, upstream->name) ||
	              str_find(to->value, upstream->name) == 1);
}

/* The value of a key that most routes of an upstream (NULL: of all) have, the first of several; empty: not all have one. */
static Str most_said(Carry *c, const CarryBlock *upstream, const char *key)
{
	AUTO(map_fini) Map votes = { 0 };
	size_t most = 0;
	Str best = S("");

	for (const CarryBlock *r = c->out->routes; r; r = r->next) {
		const CarryItem *item = leads_to(r, upstream) ? carry_find(r, key) : NULL;
		Str text = item ? carry_flow(c->arena, item) : S("");
		size_t *count = item ? map_get(&votes, text) : NULL;

		if (leads_to(r, upstream) && !item)
			return S("");
		if (item && !count)
			map_put(&votes, text, count = ARENA_NEW(c->arena, size_t));
		if (item && ++*count > most) {
			most = *count;
			best = text;
		}
	}
	return best;
}

static void move_up(Carry *c, CarryBlock *to, const char *as, const CarryBlock *upstream,
                    const char *key)
{
	Str text = most_said(c, upstream, key);

	if (!text.len)
		return;
	carry_set(c->arena, to, as, text);
	for (CarryBlock *r = c->out->routes; r; r = r->next) {
		const CarryItem *item = leads_to(r, upstream) ? carry_find(r, key) : NULL;

		if (item && str_eq(carry_flow(c->arena, item), text))
			carry_remove(r, key);
	}
}

static void move_all_up(Carry *c)
{
	const CarryItem *body;

	for (CarryBlock *u = c->out->upstreams; u; u = u->next) {
		move_up(c, u, "timeouts", u, "timeouts");
		move_up(c, u, "retry", u, "retry");
	}
	move_up(c, &c->out->top, "limits.body", NULL, "body");
	move_up(c, &c->out->top, "buffering", NULL, "buffering");
	body = carry_find(&c->out->top, "limits.body");
	if (c->usual_body && body && str_eq(body->value, S("1MiB")))
		carry_item(c->arena, &c->out->top, "limits")->comment =
			S("a body of 1 MiB is nginx's own limit where it says nothing");
}

/* Notes in the order of the files; their places in the result stay as they are. */
static void sort_notes(Carried *out)
{
	CarryNote *left = out->notes;

	out->notes = NULL;
	while (left) {
		CarryNote *note = left, **at = &out->notes;

		left = left->next;
		while (*at && (*at)->number <= note->number)
			at = &(*at)->next;
		note->next = *at;
		*at = note;
	}
}

/* Names that are told apart without their virtual server go without it. */

static bool is_alone(const Carried *out, const CarryBlock *route)
{
	for (const CarryBlock *at = out->routes; at; at = at->next)
		if (at != route && (str_eq(at->key, route->key) || str_eq(at->name, route->key)))
			return false;
	return true;
}

static void shorten_names(Carry *c)
{
	for (CarryBlock *at = c->out->routes; at; at = at->next)
		if (is_alone(c->out, at)) {
			at->name = at->key;
			carry_set_text(c->arena, at, "name", at->name);
		}
}

/* The rest of the top. */

static bool port_is_used(const CarryBlock *block, unsigned port)
{
	char text[16];

	for (; block; block = block->next)
		for (const CarryItem *item = block->first; item; item = item->next) {
			int len = snprintf(text, sizeof text, ":%u", port);

			if (str_find(item->value, (Str){ text, (size_t)len }) >= 0)
				return true;
		}
	return false;
}

static void choose_admin(Carry *c)
{
	unsigned port = ADMIN_PORT;

	while (port_is_used(c->out->listeners, port) || port_is_used(c->out->upstreams, port))
		port++;
	if (port != ADMIN_PORT)
		carry_set_text(c->arena, &c->out->top, "admin",
		               str_fmt(c->arena, "127.0.0.1:%u", port));
}

static void check_proxy_protocol(Carry *c)
{
	for (const Server *s = c->servers; s; s = s->next)
		for (const Listen *l = s->listens; l; l = l->next)
			if (l->proxy_protocol && !carry_find(&c->out->top, "trusted_proxies"))
				carry_differs(
					c, &c->out->top, l->node,
					"only trusted_proxies may send PROXY headers: name them");
}

static Str folder_of(Arena *a, Str file)
{
	char *path = realpath(str_z(a, file), NULL);
	Str full = str_dup(a, str_of(path ? path : ""));
	ptrdiff_t slash = str_rfind_char(full, '/');

	free(path);
	return slash <= 0 ? S("/") : str_sub(full, 0, (size_t)slash);
}

/* The http block's inside; a file of a site alone is taken for it. */
static Scope http_of(NginxNode *first)
{
	Scope top = { .first = first };
	NginxNode *http = scope_own(&top, "http");

	if (http)
		http->fate = FATE_TAKEN;
	return http && http->block ? (Scope){ .node = http, .first = http->first } : top;
}

Err *nginx_carry(Arena *a, NginxNode *first, const CarryOptions *options, Carried **out)
{
	Carried *carried = ARENA_NEW(a, Carried);
	Carry c = { .arena = a, .out = carried, .options = options };
	VhostList vhosts;

	carried->source = options->source;
	c.folder = folder_of(a, options->source);
	c.http = http_of(first);
	c.at = &carried->top;
	c.note_tail = &carried->notes;
	c.listener_tail = &carried->listeners;
	c.upstream_tail = &carried->upstreams;
	c.route_tail = &carried->routes;
	carry_servers(&c);
	if (!c.servers || !carried->listeners)
		return err_new(a, ERR_INVALID, "nginx.no_server",
		               "%.*s has no server block with an address of ours",
		               STR_ARG(options->source));
	vhosts = carry_vhosts(&c);
	c.many = vhosts.count > 1;
	for (size_t i = 0; i < vhosts.count; i++)
		carry_vhost(&c, &vhosts.at[i]);
	carry_sweep(&c, first, false);
	check_proxy_protocol(&c);
	move_all_up(&c);
	shorten_names(&c);
	sort_notes(carried);
	choose_admin(&c);
	*out = carried;
	return NULL;
}

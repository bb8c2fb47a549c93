/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may come in. A list of networks is maintenance with 403 for everybody else. What asks for more than an address (a
 * password, a certificate) cannot be carried yet, and such a route is closed rather than open: one line says so, and taking
 * it out is a decision that somebody has then made. */
#include "gateway/nginx_carry_parts.h"

#include "base/arena.h"
#include "http/trust.h"

static CarryItem *close_route(Place *p)
{
	carry_set(p->c->arena, p->route, "maintenance.status", S("403"));
	carry_set(p->c->arena, p->route, "maintenance.retry_after", S("0"));
	return carry_item(p->c->arena, p->route, "maintenance");
}

static bool is_rule(const NginxNode *node)
{
	return node_is(node, "allow") || node_is(node, "deny");
}

/* The list of the nearest level that has one. */
static NginxNode *first_rule(const Scope *scope)
{
	NginxNode *node = NULL;

	for (; scope && !node; scope = scope->outer)
		for (node = scope->first; node && !is_rule(node);)
			node = node->next;
	return node;
}

static bool is_all(const NginxNode *node, const char *rule)
{
	return node_is(node, rule) && str_eq(node_word(node, 0), S("all"));
}

/* The end of a list that lets nobody in but those before it; NULL: it lets in who is not named. */
static NginxNode *end_of_list(NginxNode *node)
{
	while (node && !is_all(node, "deny") && !is_all(node, "allow"))
		node = node->next;
	return node && is_all(node, "deny") ? node : NULL;
}

static void allow(Place *p, NginxNode *node)
{
	Str network = node_word(node, 0);

	if (str_eq(network, S("unix:")))
		network = S("unix");
	if (trust_mistake(network))
		carry_say(p->c, p->route, node, "%s", trust_mistake(network));
	else
		carry_append(p->c->arena, carry_item(p->c->arena, p->route, "maintenance.allow"),
		             network);
}

bool scope_is_denied(const Scope *scope)
{
	const NginxNode *node = first_rule(scope);

	return node && is_all(node, "deny");
}

void on_access(Place *p, NginxNode *unused)
{
	NginxNode *first = first_rule(p->scope), *end = end_of_list(first);

	(void)unused;
	if (carry_find(p->route, "maintenance"))
		return;
	if (end)
		close_route(p)->comment = S("who is not on the list gets 403");
	for (NginxNode *node = first; node && node != end; node = node->next) {
		if (node_is(node, "deny"))
			carry_say(
				p->c, p->route, node,
				"a list is of those who may come in: maintenance: { status: 403, allow: "
				"[...] }");
		else if (end && node_is(node, "allow"))
			allow(p, node);
		if (is_rule(node))
			node->fate = MAX(node->fate, (uint8_t)FATE_TAKEN);
	}
}

void on_closed(Place *p, NginxNode *node)
{
	const NginxNode *satisfy = scope_find(p->scope, "satisfy");
	bool any = satisfy && str_eq(node_word(satisfy, 0), S("any"));
	CarryItem *item;

	if (node_is(node, "ssl_verify_client") && !str_eq(node_word(node, 0), S("on"))) {
		carry_say(p->c, p->route, node, "clients are not asked for certificates yet");
		return;
	}
	carry_say(p->c, p->route, node,
	          "what it lets in is not known here: the route is closed (403) until you decide");
	item = close_route(p);
	item->comment = S(
		"closed, since it was protected: take this line out when something else does that");
	if (!any)
		for (CarryItem **at = &item->first; *at; at = &(*at)->next)
			if (str_eq((*at)->key, S("allow"))) {
				*at = (*at)->next;
				break;
			}
}

void carry_trust(Place *p, NginxNode *node)
{
	if (!scope_find(p->scope, "set_real_ip_from"))
		carry_differs(
			p->c, p->route, node,
			"a proxy before this one is believed only when trusted_proxies names it");
}

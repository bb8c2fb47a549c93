/* SPDX-License-Identifier: Apache-2.0
 *
 * A rule as a route of the result: its name, its pattern, its action. The pattern is written last, since whether an
 * expression needs its groups depends on what the action says. */
#include "gateway/nginx_carry_parts.h"

#include "base/arena.h"
#include "gateway/nginx_carry_text.h"

#include <string.h>

enum { NAME_BYTES = 64 };

static bool is_taken(const Carry *c, const CarryBlock *own, Str name)
{
	for (const CarryBlock *at = c->out->routes; at; at = at->next)
		if (at != own && str_eq(at->name, name))
			return true;
	return false;
}

static void set_name(Place *p, Str what)
{
	Arena *a = p->c->arena;
	Str host = p->vhost->host, name = text_name(a, what, S("all"));
	Str base;

	if (p->c->many) {
		if (host.len)
			name = str_fmt(a, "%.*s-%.*s", STR_ARG(text_name(a, host, S("any"))),
			               STR_ARG(name));
		else if (p->vhost->tell)
			name = str_fmt(a, "%.*s-%.*s", STR_ARG(p->vhost->scheme), STR_ARG(name));
	}
	name = base = str_sub(name, 0, NAME_BYTES - 6);
	for (unsigned n = 2; is_taken(p->c, p->route, name); n++)
		name = str_fmt(a, "%.*s-%u", STR_ARG(base), n);
	p->route->name = name;
	p->route->key = text_name(a, what, S("all"));
	carry_set_text(a, p->route, "name", name);
	carry_item(a, p->route, "match");
}

/* Patterns. */

/* Does the other, a longer prefix, take what begins with it out of the rule's hands? */
static bool overrules(const Rules *r, const Rule *rule, Str start, const Rule *other)
{
	if (other->kind != RULE_PREFIX || other->step || other->text.len <= start.len ||
	    !str_starts(other->text, start))
		return false;
	if (rule->kind == RULE_PREFIX)
		return rule->firm && r->expressions && !other->firm;
	return other->scope.outer && rule->scope.outer &&
	       other->scope.outer->node != rule->scope.outer->node;
}

/* "(?!api/)(?!old/)": what may not follow a start, since longer prefixes take it. */
static Str exceptions(const Rules *r, Arena *a, const Rule *rule, Str start)
{
	Str text = S("");

	for (size_t i = 0; i < r->count; i++) {
		const Rule *other = &r->at[i];

		if (overrules(r, rule, start, other))
			text = str_fmt(a, "%.*s(?!%.*s)", STR_ARG(text),
			               STR_ARG(regex_quote(a, str_sub(other->text, start.len,
			                                              other->text.len))));
	}
	return text;
}

/* The expression with the groups that templates may name. */
static Str regex_of(Place *p)
{
	const Rule *rule = p->rule;
	Arena *a = p->c->arena;
	Str text = rule->text;

	if (!rule->as_regex || p->exact.len)
		return S("");
	if (rule->kind == RULE_PREFIX)
		return str_fmt(a, "^%.*s%.*s(.*)$", STR_ARG(regex_quote(a, text)),
		               STR_ARG(exceptions(p->rules, a, rule, text)));
	if (rule->nocase)
		text = str_fmt(a, "(?i:%.*s)", STR_ARG(text));
	if (rule->within.len > 1)
		text = str_fmt(a, "^(?=%.*s%.*s).*?(?:%.*s)", STR_ARG(regex_quote(a, rule->within)),
		               STR_ARG(exceptions(p->rules, a, rule, rule->within)), STR_ARG(text));
	return text;
}

Str carry_pattern(Place *p)
{
	Arena *a = p->c->arena;
	Str path = p->exact.len ? p->exact : p->rule->text;

	if (p->regex.len) {
		Str text = p->regex;

		if (p->rule->kind == RULE_PREFIX && !p->grouped)
			text.len -= strlen("(.*)$");
		return str_fmt(a, "~ %.*s", STR_ARG(text));
	}
	if (text_path(a, path, &path)) {
		Str below = { path.at, path.len - str_ends(path, S("/")) };

		return p->exact.len ? path : str_fmt(a, "%.*s/**", STR_ARG(below));
	}
	/* One with a star, or that no request has: as an expression it is in order at least. */
	return str_fmt(a, "~ ^%.*s%s", STR_ARG(regex_quote(a, path)), p->exact.len ? "$" : "");
}

bool carry_checks_template(Place *p, NginxNode *node, TemplateKind kind, Str text)
{
	MatchConf match = { .path = carry_pattern(p) };
	Str mistake = template_mistake(p->c->arena, kind, text, &match);

	if (mistake.len)
		carry_say(p->c, p->route, node, "%.*s", STR_ARG(mistake));
	return !mistake.len;
}

static void set_match(Place *p)
{
	CarryItem *match = carry_item(p->c->arena, p->route, "match");
	Arena *a = p->c->arena;
	Str path = carry_scalar(a, carry_pattern(p));

	if (!p->vhost->host.len && !p->vhost->tell) {
		match->value = path;
		return;
	}
	if (p->vhost->tell)
		carry_set(a, p->route, "match.scheme", p->vhost->scheme);
	if (p->vhost->host.len)
		carry_set_text(a, p->route, "match.host", p->vhost->host);
	carry_set(a, p->route, "match.path", path);
}

/* Routes. */

static Place place(Carry *c, const Vhost *v, const Rules *r, const Rule *rule, Str exact)
{
	Place p = { .c = c, .vhost = v, .rules = r, .rule = rule, .scope = &rule->scope };

	p.exact = exact;
	p.regex = regex_of(&p);
	p.route = carry_block(c, &c->route_tail, S(""));
	return p;
}

static void send_to_slash(Place *p)
{
	Arena *a = p->c->arena;
	Str path = p->rule->text;

	text_path(a, path, &path);
	carry_set_text(a, p->route, "redirect.to", path);
	carry_set(a, p->route, "redirect.status", S("301"));
	p->act = ACT_REDIRECT;
	carry_table(p);
	p->route->comment = S("nginx adds the slash where a proxied location ends with one");
}

/* Has it a path that ends with a slash, and nobody else the same? An exact one counts where it is proxied. */
static bool ends_with_slash(const Rules *r, const Rule *rule)
{
	if (!str_ends(rule->text, S("/")) || rule->kind == RULE_REGEX)
		return false;
	for (size_t i = 0; i < r->count && rule->kind == RULE_EXACT; i++)
		if (r->at[i].kind == RULE_PREFIX && str_eq(r->at[i].text, rule->text))
			return false;
	return rule->kind == RULE_PREFIX || (scope_is_proxied(&rule->scope) && !rule->step);
}

/* A path of nginx that ends with a slash does not take the one without it. */
static void add_bare(Carry *c, const Vhost *v, const Rules *r, const Rule *rule)
{
	bool slash = ends_with_slash(r, rule);
	Str path = str_sub(rule->text, 0, rule->text.len - slash);
	const Rule *other = rule_taking(r, path);
	bool sends = scope_is_proxied(&rule->scope) && !rule->step;
	Str canonical;
	Place p;

	if (!slash || !path.len || !text_path(c->arena, path, &canonical))
		return;
	if (!other || other->kind == RULE_EXACT ||
	    (sends && other->step && other->kind == RULE_PREFIX))
		return;
	if (!sends && (rule->as_regex || other->as_regex))
		return;
	p = place(c, v, r, sends ? rule : other, path);
	set_name(&p,
	         str_fmt(c->arena, "%.*s-itself", STR_ARG(text_name(c->arena, path, S("all")))));
	if (sends) {
		send_to_slash(&p);
	} else {
		carry_action(&p);
		p.route->comment = str_fmt(c->arena, "nginx's %.*s does not take %.*s",
		                           STR_ARG(rule->text), STR_ARG(path));
	}
	set_match(&p);
}

static void say_bytes(Place *p)
{
	Str text = p->rule->text;
	const Rule *rule = p->rule;

	if (rule->kind == RULE_PREFIX && !rule->as_regex && !str_ends(text, S("/")))
		carry_differs(p->c, p->route, rule->step ? rule->step : rule->scope.node,
		              "in nginx it takes %.*sx too, here only %.*s and what is below",
		              STR_ARG(text), STR_ARG(text));
}

/* Is its expression one that we take too? */
static bool is_sound(Carry *c, const Vhost *v, const Rules *r, const Rule *rule)
{
	Place p = { .c = c, .vhost = v, .rules = r, .rule = rule };
	NginxNode *node = rule->step ? rule->step : rule->scope.node;

	p.regex = regex_of(&p);
	return !p.regex.len || carry_checks(c, &c->out->top, node, verify_expression, p.regex);
}

static void add_route(Carry *c, const Vhost *v, const Rules *r, const Rule *rule)
{
	Place p;

	if (!is_sound(c, v, r, rule))
		return;
	p = place(c, v, r, rule, rule->kind == RULE_EXACT ? rule->text : S(""));
	set_name(&p, rule->text);
	say_bytes(&p);
	carry_action(&p);
	set_match(&p);
}

void carry_vhost(Carry *c, const Vhost *v)
{
	Rules r = carry_rules(c, v);

	for (size_t i = 0; i < r.count; i++)
		if (!r.at[i].dead)
			add_route(c, v, &r, &r.at[i]);
	for (size_t i = 0; i < r.count; i++)
		if (!r.at[i].dead)
			add_bare(c, v, &r, &r.at[i]);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Locations. nginx takes an exact one; else the longest prefix, if it is marked "^~"; else the first expression that
 * matches; else that longest prefix. And before all of them come the server's own rewrites. Written as one list in which
 * the first that matches wins, that is:
 *
 *   the server's rewrites, exact paths, marked prefixes by length (less what a longer unmarked one takes), nested
 *   expressions, expressions in their order, prefixes by length.
 *
 * Our order is another: exact paths, prefixes by length, expressions in theirs, what takes every path. A rule is written as an exact path or a
 * prefix wherever the order of the list survives that, and as an expression where it would not: a prefix that an expression
 * before it may overrule. A site without expressions, which most are, has none in the result either.
 *
 * nginx's prefixes are of bytes, ours of segments: "/static/" does not take "/static" there, so that path gets a route of its
 * own; "/api" takes "/apix" there, which is said. */
#include "gateway/nginx_carry_parts.h"

#include "base/arena.h"
#include "gateway/nginx_carry_text.h"

#include <stdlib.h>
#include <string.h>

enum { RANK_STEP, RANK_EXACT, RANK_FIRM, RANK_NESTED, RANK_REGEX, RANK_PREFIX };

/* What is asked of an expression again and again. */
static void prepare(Carry *c, Rule *rule)
{
	Str text = rule->nocase ? str_fmt(c->arena, "(?i:%.*s)", STR_ARG(rule->text)) : rule->text;
	Str head = rule->nocase ? S("") : regex_head(c->arena, rule->text);

	rule->head = head.len > rule->within.len ? head : rule->within;
	if (route_regex_new(c->arena, text, &rule->regex))
		rule->regex = NULL;
}

static void add_rule(Carry *c, Rules *r, Rule rule)
{
	if (rule.kind == RULE_REGEX)
		prepare(c, &rule);
	if (r->count == r->cap) {
		Rule *more = ARENA_ARRAY(c->arena, Rule, r->cap * 2 + 16);

		if (r->cap)
			memcpy(more, r->at, r->cap * sizeof *more);
		r->at = more;
		r->cap = r->cap * 2 + 16;
	}
	r->at[r->count] = rule;
	r->at[r->count].number = r->count;
	r->count++;
}

/* The list. */

/* {rest} has its slash before it, so $1 must have one too. */
static bool fits_rest(Str expression, Str replacement)
{
	ptrdiff_t at = str_find(replacement, S("$1"));

	return at < 0 || regex_is_all(expression) || (at > 0 && replacement.at[at - 1] == '/');
}

/* A rewrite is taken by what its expression takes, within what `like` does. */
static void add_rewrite(Carry *c, Rules *r, const Rule *like, NginxNode *node)
{
	Rule rule = { .kind = RULE_REGEX, .text = node_word(node, 0), .scope = like->scope };
	Str head;
	bool tail;

	rule.step = node;
	rule.rank = like->rank;
	rule.weight = like->weight;
	if (regex_is_plain(c->arena, rule.text, &head, &tail) &&
	    fits_rest(rule.text, node_word(node, 1)) &&
	    (str_starts(head, like->text) || regex_is_all(rule.text))) {
		rule.kind = tail ? RULE_PREFIX : RULE_EXACT;
		rule.text = regex_is_all(rule.text) ? like->text : head;
	} else {
		rule.within = like->text;
	}
	if (like->kind == RULE_EXACT) {
		if (!regex_takes(node_word(node, 0), false, like->text))
			return;
		rule.kind = RULE_EXACT;
		rule.text = like->text;
	}
	add_rule(c, r, rule);
}

bool rule_is_mapping(Carry *c, const Rule *location, const NginxNode *node)
{
	Str head;
	bool tail;

	return location->kind == RULE_PREFIX && !step_sends(node) &&
	       scope_is_proxied(&location->scope) &&
	       regex_is_plain(c->arena, node_word(node, 0), &head, &tail) && tail &&
	       str_starts(location->text, head);
}

static void add_own_steps(Carry *c, const Vhost *v, Rules *r, const Rule *location)
{
	Steps steps;

	carry_steps(c, v, &location->scope, NULL, &steps);
	for (size_t i = 0; i < steps.count; i++) {
		if (!node_is(steps.at[i], "rewrite") || rule_is_mapping(c, location, steps.at[i]))
			continue;
		if (location->kind == RULE_REGEX)
			carry_say(
				c, &c->out->top, steps.at[i],
				"a rewrite in a location that is an expression: give what it takes a route");
		else
			add_rewrite(c, r, location, steps.at[i]);
	}
}

static Rule location_rule(const Scope *outer, NginxNode *node)
{
	Rule rule = { .kind = RULE_PREFIX, .rank = RANK_PREFIX };
	Str mark = node_word(node, 0), text = node_word(node, 1);

	if (node->count == 1) {
		size_t len = str_starts(mark, S("^~")) || str_starts(mark, S("~*")) ? 2
		             : str_starts(mark, S("=")) || str_starts(mark, S("~")) ? 1
		                                                                    : 0;

		text = str_sub(mark, len, mark.len);
		mark = str_sub(mark, 0, len);
	}
	rule.text = text;
	rule.scope = (Scope){ .outer = outer, .node = node, .first = node->first };
	rule.firm = str_eq(mark, S("^~"));
	rule.nocase = str_eq(mark, S("~*"));
	if (rule.nocase || str_eq(mark, S("~")))
		rule.kind = RULE_REGEX;
	if (str_eq(mark, S("=")))
		rule.kind = RULE_EXACT;
	return rule;
}

/* Can a request have a path that begins so? */
static bool is_path(Str text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.at[i] < ' ' || text.at[i] == 127)
			return false;
	return str_starts(text, S("/")) && str_find(text, S("//")) < 0;
}

static void add_locations(Carry *c, const Vhost *v, Rules *r, const Scope *outer,
                          const Rule *parent)
{
	for (NginxNode *node = scope_own(outer, "location"); node; node = node_same(node)) {
		Rule rule = location_rule(outer, node);

		if (!node->block || str_starts(rule.text, S("@")))
			continue;
		if (rule.kind != RULE_REGEX && !is_path(rule.text)) {
			carry_say(c, &c->out->top, node, "no path begins so");
			continue;
		}
		rule.rank = rule.kind == RULE_EXACT   ? RANK_EXACT
		            : rule.kind == RULE_REGEX ? RANK_REGEX
		            : rule.firm               ? RANK_FIRM
		                                      : RANK_PREFIX;
		rule.weight = rule.kind == RULE_PREFIX ? rule.text.len : 0;
		if (rule.kind == RULE_REGEX && parent) {
			rule.rank = RANK_NESTED;
			rule.within = parent->text;
			rule.weight = parent->text.len;
		}
		r->expressions = r->expressions || rule.kind == RULE_REGEX;
		add_own_steps(c, v, r, &rule);
		add_rule(c, r, rule);
		if (rule.kind == RULE_PREFIX) {
			Scope *inner = ARENA_NEW(c->arena, Scope);

			*inner = rule.scope;
			add_locations(c, v, r, inner, &rule);
		}
	}
}

static int compare(const void *one, const void *two)
{
	const Rule *x = one, *y = two;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

/* The server's own steps; true: they answer everything. */
static bool add_server_steps(Carry *c, const Vhost *v, Rules *r)
{
	Rule like = { .kind = RULE_PREFIX, .text = S("/"), .scope = v->server->scope };
	Steps steps;

	carry_steps(c, v, &v->server->scope, &c->out->top, &steps);
	for (size_t i = 0; i < steps.count; i++) {
		if (node_is(steps.at[i], "rewrite")) {
			add_rewrite(c, r, &like, steps.at[i]);
			continue;
		}
		like.step = steps.at[i];
		add_rule(c, r, like);
		return true;
	}
	return false;
}

static bool is_below(const Rule *rule, Str path)
{
	return rule->kind == RULE_PREFIX && str_starts(path, rule->text);
}

static bool takes(const Rule *rule, Str path)
{
	switch (rule->kind) {
	case RULE_EXACT:
		return str_eq(rule->text, path);
	case RULE_PREFIX:
		return str_starts(path, rule->text);
	case RULE_REGEX:
		break;
	}
	return str_starts(path, rule->within) && rule->regex &&
	       route_regex_matches(rule->regex, path);
}

/* Does a rule that comes before take all of it? */
static bool is_dead(const Rule *before, const Rule *rule)
{
	if (rule->kind == RULE_EXACT && (before->step || before->kind == RULE_EXACT))
		return takes(before, rule->text);
	if (before->kind == RULE_PREFIX && rule->kind == RULE_PREFIX &&
	    str_eq(before->text, rule->text))
		return true;
	if (!before->step || before->kind != RULE_PREFIX)
		return false;
	return is_below(before, rule->kind == RULE_REGEX ? rule->head : rule->text);
}

static bool may_meet(const Rule *before, const Rule *prefix)
{
	Str head = before->kind == RULE_REGEX ? before->head : before->text;

	return str_starts(head, prefix->text) ||
	       (before->kind != RULE_EXACT && str_starts(prefix->text, head));
}

static bool has_longer(const Rules *r, const Rule *firm)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->at[i].rank == RANK_PREFIX && r->at[i].text.len > firm->text.len &&
		    str_starts(r->at[i].text, firm->text))
			return true;
	return false;
}

static void choose_form(Rules *r, size_t at)
{
	Rule *rule = &r->at[at];
	bool all = rule->kind == RULE_PREFIX && str_eq(rule->text, S("/"));

	rule->as_regex = rule->kind == RULE_REGEX ||
	                 (rule->rank == RANK_FIRM && (all || has_longer(r, rule)));
	for (size_t i = 0; i < at; i++) {
		const Rule *before = &r->at[i];

		if (before->dead)
			continue;
		rule->dead = rule->dead || is_dead(before, rule);
		if (rule->kind == RULE_PREFIX && !all && before->as_regex && may_meet(before, rule))
			rule->as_regex = true;
	}
}

Rules carry_rules(Carry *c, const Vhost *v)
{
	Rules r = { 0 };
	Rule rest = { .kind = RULE_PREFIX, .text = S("/"), .rank = RANK_PREFIX };

	rest.scope = v->server->scope;
	if (!add_server_steps(c, v, &r)) {
		add_locations(c, v, &r, &v->server->scope, NULL);
		add_rule(c, &r, rest);
	}
	for (size_t i = 0; i < r.count && !r.expressions; i++)
		if (r.at[i].rank == RANK_FIRM)
			r.at[i].rank = RANK_PREFIX;
	qsort(r.at, r.count, sizeof *r.at, compare);
	for (size_t i = 0; i < r.count; i++)
		choose_form(&r, i);
	return r;
}

/* A mark counts only while its prefix is the longest. */
static bool is_outdone(const Rules *r, const Rule *firm, Str path)
{
	for (size_t i = 0; firm->rank == RANK_FIRM && i < r->count; i++)
		if (r->at[i].rank == RANK_PREFIX && r->at[i].text.len > firm->text.len &&
		    str_starts(path, r->at[i].text))
			return true;
	return false;
}

const Rule *rule_taking(const Rules *rules, Str path)
{
	for (size_t i = 0; i < rules->count; i++)
		if (!rules->at[i].dead && takes(&rules->at[i], path) &&
		    !is_outdone(rules, &rules->at[i], path))
			return &rules->at[i];
	return NULL;
}

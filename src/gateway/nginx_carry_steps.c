/* SPDX-License-Identifier: Apache-2.0
 *
 * nginx's rewrite phase: set, if, rewrite, return, break, one after the other. Here it is run as far as it can be without a
 * request: the name and the scheme of a virtual server are known, so `if ($host = www.example.org)`, which certbot
 * writes into every site, is decided; what asks for anything else is said and left out. */
#include "gateway/nginx_carry_parts.h"

#include "base/arena.h"
#include "gateway/nginx_carry_text.h"

#include <string.h>

typedef enum Truth { TRUTH_NO, TRUTH_YES, TRUTH_UNKNOWN } Truth;

typedef struct Condition {
	Str word[3]; /* without the brackets */
	size_t count;
} Condition;

static Condition condition_of(const NginxNode *node)
{
	Condition condition = { 0 };

	for (size_t i = 0; i < node->count; i++) {
		Str word = node->words[i];

		if (i == 0 && str_starts(word, S("(")))
			word = str_sub(word, 1, word.len);
		if (i + 1 == node->count && str_ends(word, S(")")))
			word.len--;
		if ((!word.len && (i == 0 || i + 1 == node->count)) ||
		    condition.count == COUNT(condition.word))
			continue;
		condition.word[condition.count++] = word;
	}
	return condition;
}

static bool is_exact(Str host)
{
	return host.len && host.at[0] != '*';
}

static bool asks_for_name(Str variable)
{
	return str_eq(variable, S("$host")) || str_eq(variable, S("$http_host"));
}

/* Of a variable: *value when it is known. */
static bool known(const Vhost *v, Str variable, Str *value)
{
	bool told = str_eq(variable, S("$http_x_forwarded_proto")) && v->tell && !v->server->tls;

	*value = str_eq(variable, S("$https")) && str_eq(v->scheme, S("https")) ? S("on") : S("");
	if (str_eq(variable, S("$https")))
		return true;
	*value = v->scheme;
	if (str_eq(variable, S("$scheme")) || told)
		return true;
	*value = str_eq(variable, S("$server_name")) ? v->server->name : v->host;
	return str_eq(variable, S("$server_name")) ||
	       (asks_for_name(variable) && is_exact(v->host));
}

/* A request that came to no name of the server, or to one with a star, has none of those that stand on their own. */
static bool is_other_name(const Vhost *v, Str variable, Str value)
{
	if (is_exact(v->host) || !asks_for_name(variable))
		return false;
	for (size_t i = 0; i < v->server->name_count; i++)
		if (str_eq_nocase(v->server->names[i], value))
			return true;
	return false;
}

static Truth decide(const Vhost *v, const Condition *condition)
{
	Str op = condition->word[1], want = condition->word[2], value;
	bool no = str_starts(op, S("!"));
	Truth yes = no ? TRUTH_NO : TRUTH_YES;

	if (condition->count == 1 && known(v, condition->word[0], &value))
		return value.len && !str_eq(value, S("0")) ? TRUTH_YES : TRUTH_NO;
	if (condition->count != 3)
		return TRUTH_UNKNOWN;
	op = str_sub(op, no, op.len);
	if (str_eq(op, S("=")) && is_other_name(v, condition->word[0], want))
		return no ? TRUTH_YES : TRUTH_NO;
	if (!known(v, condition->word[0], &value))
		return TRUTH_UNKNOWN;
	if (str_eq(op, S("=")) && str_eq(value, want))
		return yes;
	if ((str_eq(op, S("~")) || str_eq(op, S("~*"))) &&
	    regex_takes(want, str_eq(op, S("~*")), value))
		return yes;
	return str_eq(op, S("=")) || str_starts(op, S("~")) ? (no ? TRUTH_YES : TRUTH_NO)
	                                                    : TRUTH_UNKNOWN;
}

/* What to do instead, by what the condition begins with. */
static const struct {
	const char *word, *advice;
} advice[] = {
	{ "$request_method", "give the route match: { methods: [...] }" },
	{ "$http_", "write a route with match: { headers: ... }" },
	{ "$cookie_", "write a route with match: { cookies: ... }" },
	{ "$arg_", "write a route with match: { query: ... }" },
	{ "$scheme", "write a route with match: { scheme: http }" },
	{ "$host", "write a route with match: { host: ... }" },
	{ "-f", "maintenance: on is a key of ours" },
};

static void say_if(Carry *c, CarryBlock *block, NginxNode *node, const Condition *condition)
{
	if (!block)
		return;
	for (size_t i = 0; i < COUNT(advice); i++)
		if (str_starts(condition->word[0], str_of(advice[i].word))) {
			carry_say(c, block, node, "%s, or leave it to the application",
			          advice[i].advice);
			return;
		}
	carry_say(c, block, node,
	          "write a route with the condition, or leave it to the application");
}

bool step_sends(const NginxNode *rewrite)
{
	Str flag = node_word(rewrite, 2);

	return str_eq(flag, S("permanent")) || str_eq(flag, S("redirect")) ||
	       text_is_url(node_word(rewrite, 1));
}

static void add_constant(Carry *c, Steps *out, NginxNode *node)
{
	Constant *constant = ARENA_NEW(c->arena, Constant);
	Str name = node_word(node, 0);

	node->fate = MAX(node->fate, (uint8_t)FATE_TAKEN);
	if (!str_starts(name, S("$")) || text_has_variable(node_word(node, 1)))
		return;
	*constant = (Constant){ str_sub(name, 1, name.len), node_word(node, 1), out->constants };
	out->constants = constant;
}

/* A variable that is set where it cannot be known whether it is. */
static void forget_constants(Steps *out, const NginxNode *node)
{
	for (; node; node = node->next) {
		Str name = node_word(node, 0);

		if (!node_is(node, "set"))
			continue;
		for (Constant *at = out->constants; at; at = at->next)
			if (str_eq(at->name, str_sub(name, 1, name.len)))
				at->name = S("");
	}
}

static bool is_missing_file(const Condition *condition)
{
	return condition->count == 2 && str_eq(condition->word[0], S("!-f")) &&
	       str_eq(condition->word[1], S("$request_filename"));
}

/* Of a condition that is always so, what is not of this phase. */
static void say_others(Carry *c, CarryBlock *block, NginxNode *node)
{
	static const Str steps[] = { S("set"), S("if"), S("rewrite"), S("return"), S("break") };

	for (; node && block; node = node->next) {
		bool step = false;

		for (size_t i = 0; i < COUNT(steps); i++)
			step = step || str_eq(node->name, steps[i]);
		if (!step)
			carry_say(c, block, node, "it stands in an if: write it into the location");
	}
}

/* False: nothing after this is looked at. */
static bool walk(Carry *c, const Vhost *v, NginxNode *first, CarryBlock *block, Steps *out)
{
	for (NginxNode *node = first; node; node = node->next) {
		Condition condition = condition_of(node);

		if (node_is(node, "break"))
			return false;
		if (node_is(node, "set"))
			add_constant(c, out, node);
		if (node_is(node, "rewrite") || node_is(node, "return")) {
			if (out->count < CARRY_STEPS)
				out->at[out->count++] = node;
			if (node_is(node, "return"))
				return false;
		}
		if (!node_is(node, "if") || !node->block)
			continue;
		switch (decide(v, &condition)) {
		case TRUTH_YES:
			node->fate = MAX(node->fate, (uint8_t)FATE_TAKEN);
			say_others(c, block, node->first);
			if (!walk(c, v, node->first, block, out))
				return false;
			break;
		case TRUTH_NO:
			node->fate = MAX(node->fate, (uint8_t)FATE_TAKEN);
			break;
		case TRUTH_UNKNOWN:
			forget_constants(out, node->first);
			if (is_missing_file(&condition))
				out->missing = node->first;
			else
				say_if(c, block, node, &condition);
		}
	}
	return true;
}

Str step_asked_name(Arena *a, const NginxNode *node)
{
	Condition condition = condition_of(node);

	return condition.count == 3 && asks_for_name(condition.word[0])
	               ? str_lower(a, condition.word[2])
	               : S("");
}

void carry_steps(Carry *c, const Vhost *v, const Scope *scope, CarryBlock *block, Steps *out)
{
	*out = (Steps){ 0 };
	walk(c, v, scope->first, block, out);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * What a location does, as the one action of a route. The order is nginx's: what its rewrites send away, what only inner
 * redirects may reach, try_files, the handler (proxy_pass and its like), and files where nothing else is said.
 *
 * What cannot be done here still gets a route, one that answers 501: left out, its requests would fall to a shorter prefix
 * and be answered by somebody who was never asked before. */
#include "gateway/nginx_carry_parts.h"

#include "base/arena.h"
#include "gateway/nginx_carry_text.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const handlers[] = { "proxy_pass",   "grpc_pass", "uwsgi_pass",
	                                "fastcgi_pass", "scgi_pass", "memcached_pass" };

static NginxNode *handler_of(const Scope *scope)
{
	NginxNode *node = NULL;

	for (size_t i = 0; i < COUNT(handlers) && !node; i++)
		node = scope_own(scope, handlers[i]);
	return node;
}

bool scope_is_proxied(const Scope *scope)
{
	return handler_of(scope) != NULL;
}

static void take(NginxNode *node)
{
	node->fate = MAX(node->fate, (uint8_t)FATE_TAKEN);
}

/* Answers and redirects. */

static void set_answer(Place *p, unsigned status, Str type, Str body)
{
	Arena *a = p->c->arena;

	p->act = ACT_ANSWER;
	if (status != 200)
		carry_set(a, p->route, "answer.status", str_fmt(a, "%u", status));
	if (status == 204 || status == 205 || status == 304)
		body = S("");
	if (body.len)
		carry_set_text(a, p->route, "answer.type",
		               verify_field_value(a, type) ? S("text/plain") : type);
	carry_set_text(a, p->route, "answer.body", body);
}

static void set_answer_file(Place *p, unsigned status, Str file)
{
	Arena *a = p->c->arena;

	p->act = ACT_ANSWER;
	carry_set(a, p->route, "answer.status", str_fmt(a, "%u", status));
	carry_set(a, p->route, "answer.type", S("text/html"));
	carry_set_text(a, p->route, "answer.file", file);
}

/* All but its name and what it takes. */
static void forget_action(Place *p)
{
	CarryItem **at = &p->route->first;

	while (*at)
		if (str_eq((*at)->key, S("name")) || str_eq((*at)->key, S("match")))
			at = &(*at)->next;
		else
			*at = (*at)->next;
	p->act = 0;
}

void carry_undone(Place *p)
{
	forget_action(p);
	set_answer(p, 501, S("text/plain"), S("not carried over from nginx\n"));
}

static bool has_word(const NginxNode *node, Str word)
{
	for (size_t i = 0; i < node->count; i++)
		if (str_eq_nocase(node->words[i], word))
			return true;
	return false;
}

Str carry_type(const Place *p, Str path)
{
	const NginxNode *types = scope_find(p->scope, "types");
	const NginxNode *none = scope_find(p->scope, "default_type");
	ptrdiff_t dot = str_rfind_char(path, '.');
	Str ending = dot < 0 ? S("") : str_sub(path, (size_t)dot + 1, path.len);

	for (const NginxNode *at = types ? types->first : NULL; at && ending.len; at = at->next)
		if (has_word(at, ending))
			return at->name;
	if (!types && str_eq(ending, S("html")))
		return S("text/html");
	return none ? node_word(none, 0) : S("text/plain");
}

static Str with_charset(Place *p, Str type)
{
	NginxNode *node = scope_find(p->scope, "charset");

	if (!node || str_eq(node_word(node, 0), S("off")) || !str_starts(type, S("text/")))
		return type;
	take(node);
	return str_fmt(p->c->arena, "%.*s; charset=%.*s", STR_ARG(type),
	               STR_ARG(node_word(node, 0)));
}

/* The page that an error of this status has here, if it is a file that is there. */
static Str error_file(Place *p, unsigned status)
{
	NginxNode *node = scope_find(p->scope, "error_page");
	Str code = str_fmt(p->c->arena, "%u", status), file;

	for (; node; node = node_same(node)) {
		if (!has_word(node, code) || node->count < 2)
			continue;
		file = carry_file(p, node_word(node, node->count - 1));
		if (file.len && access(str_z(p->c->arena, file), R_OK) == 0) {
			take(node);
			return file;
		}
	}
	return S("");
}

static const char *words_of(unsigned status)
{
	switch (status) {
	case 400:
		return "Bad Request";
	case 401:
		return "Unauthorized";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 410:
		return "Gone";
	case 503:
		return "Service Unavailable";
	default:
		return "";
	}
}

static void return_status(Place *p, unsigned status)
{
	Str file = error_file(p, status);
	const char *words = words_of(status);

	if (file.len)
		set_answer_file(p, status, file);
	else
		set_answer(p, status, S("text/plain"),
		           status < 300 ? S("")
		                        : str_fmt(p->c->arena, "%u%s%s\n", status,
		                                  words[0] ? " " : "", words));
}

void carry_not_found(Place *p)
{
	return_status(p, 404);
}

static void set_redirect(Place *p, NginxNode *node, unsigned status, Str url, bool keep)
{
	Arena *a = p->c->arena;
	Str to, bad;
	bool query;

	if (!template_of_url(p, url, &to, &query, &bad)) {
		carry_say(p->c, p->route, node,
		          "%.*s has no counterpart: the route answers 501 until you write one",
		          STR_ARG(bad));
		carry_undone(p);
		return;
	}
	if (!carry_checks_template(p, node, TEMPLATE_URL, to)) {
		carry_undone(p);
		return;
	}
	take(node);
	p->act = ACT_REDIRECT;
	carry_set_text(a, p->route, "redirect.to", to);
	carry_set(a, p->route, "redirect.status", str_fmt(a, "%u", status));
	if (!keep && !query)
		carry_set(a, p->route, "redirect.query", S("drop"));
}

static void do_return(Place *p, NginxNode *node)
{
	Str text = node_word(node, 1), number = node_word(node, 0);
	uint64_t status = 302;

	take(node);
	if (node->count == 1 && !str_to_u64(number, &status)) {
		set_redirect(p, node, 302, number, false);
	} else if (!str_to_u64(number, &status) || status > 599) {
		carry_undone(p);
	} else if (node->count > 1 && (status == 301 || status == 302 || status == 303 ||
	                               status == 307 || status == 308)) {
		set_redirect(p, node, (unsigned)status, text, false);
	} else if (status == 444 || status < 200) {
		node->fate = FATE_NONE;
		carry_say(p->c, p->route, node,
		          "a connection is not closed without an answer: 404 is given");
		return_status(p, 404);
	} else if (node->count > 1) {
		if (text_has_variable(text))
			carry_say(p->c, p->route, node, "an answer's text has no variables");
		set_answer(p, (unsigned)status, with_charset(p, carry_type(p, p->exact)), text);
	} else {
		return_status(p, (unsigned)status);
	}
}

/* Rewrites. */

/* What $1 is where the expression was written as a plain path. */
static void add_rest(Place *p, const NginxNode *node)
{
	Constant *constant = ARENA_NEW(p->c->arena, Constant);
	Str expression = node_word(node, 0);

	if (p->regex.len || str_find_char(expression, '(') < 0)
		return;
	*constant = (Constant){ S("1"), S("{rest}"), p->constants };
	if (regex_is_all(expression))
		constant->value = S("{path}");
	p->constants = constant;
}

static void do_redirect(Place *p, NginxNode *node)
{
	Str url = node_word(node, 1);
	bool keep = !str_ends(url, S("?"));

	url.len -= !keep;
	add_rest(p, node);
	set_redirect(p, node, str_eq(node_word(node, 2), S("permanent")) ? 301 : 302, url, keep);
}

static Str literal_start(Str text)
{
	ptrdiff_t dollar = str_find_char(text, '$');

	return dollar < 0 ? text : str_sub(text, 0, (size_t)dollar);
}

/* try_files. */

static const Scope *named_scope(Place *p, Str name)
{
	NginxNode *node = scope_own(&p->vhost->server->scope, "location");
	Scope *scope = ARENA_NEW(p->c->arena, Scope);

	while (node && !(node->count == 1 && str_eq(node->words[0], name)))
		node = node_same(node);
	if (!node)
		return NULL;
	take(node);
	*scope = (Scope){ .outer = &p->vhost->server->scope, .node = node, .first = node->first };
	return scope;
}

/* Which of the usual candidates it names; false: an unusual one. */
static bool candidates(const NginxNode *node, bool *file, bool *folder)
{
	bool usual = true;

	*file = *folder = false;
	for (size_t i = 0; i + 1 < node->count; i++) {
		Str word = node->words[i];

		if (str_eq(word, S("$uri")))
			*file = true;
		else if (str_eq(word, S("$uri/")) || str_starts(word, S("$uri/index.")))
			*folder = true;
		else
			usual = false;
	}
	return usual;
}

/* Files first, and what is not there is answered by somebody else. */
static void files_or(Place *p, const Scope *other, bool folder)
{
	carry_files(p);
	if (p->act != ACT_FILES) {
		forget_action(p); /* there is no folder, so no file is ever there */
	} else {
		if (!folder)
			carry_set(p->c->arena, p->route, "files.index", S("[]"));
		carry_table(p);
	}
	p->scope = other;
	carry_proxy(p, handler_of(other));
}

static void try_other(Place *p, NginxNode *node, bool file, bool folder)
{
	Str last = node_word(node, node->count - 1);
	const Rule *rule = rule_taking(p->rules, literal_start(last));
	const Scope *other = str_starts(last, S("@")) ? named_scope(p, last)
	                     : rule && !rule->step    ? &rule->scope
	                                              : NULL;

	if (!other || !scope_is_proxied(other)) {
		carry_say(p->c, p->route, node, "what is not there is answered 404");
		carry_files(p);
		return;
	}
	if (!str_starts(last, S("@"))) {
		p->rewritten = literal_start(last);
		p->landed = rule;
	}
	if (str_ends(p->rewritten, S("?")))
		p->rewritten.len--;
	p->rewritten = template_text(p->c->arena, p->rewritten);
	if ((file || folder) && p->rewritten.len) {
		carry_say(p->c, p->route, node,
		          "with files before it the application gets the path as it came");
		p->rewritten = S("");
		p->landed = NULL;
	}
	if (file || folder) {
		files_or(p, other, folder);
	} else {
		p->scope = other;
		carry_proxy(p, handler_of(other));
	}
}

static void do_try_files(Place *p, NginxNode *node)
{
	Str last = node_word(node, node->count - 1);
	const Rule *rule = rule_taking(p->rules, last);
	bool file, folder, usual = candidates(node, &file, &folder);

	take(node);
	if (!usual)
		carry_differs(p->c, p->route, node,
		              "of the files only $uri and $uri/ are looked for");
	if (str_starts(last, S("="))) {
		if (!str_eq(last, S("=404")))
			carry_differs(p->c, p->route, node, "what is not there is answered 404");
		carry_files(p);
	} else if (str_starts(last, S("/")) && rule && !rule->step && !text_has_variable(last) &&
	           !scope_is_proxied(&rule->scope)) {
		carry_files(p);
		carry_fallback(p, last);
	} else {
		try_other(p, node, file, folder);
	}
}

/* Rewrites to paths of the same server. */

/* try_files where a rewrite has led: what is said of files is said of the new path. */
static void try_landed(Place *p, NginxNode *node)
{
	Str last = node_word(node, node->count - 1);
	const Scope *other = str_starts(last, S("@")) ? named_scope(p, last) : NULL;
	bool file, folder, usual = candidates(node, &file, &folder);

	if (!usual || !file || (!other && !str_eq(last, S("=404"))) ||
	    (other && !scope_is_proxied(other))) {
		carry_say(p->c, p->route, node,
		          "after a rewrite only $uri, $uri/ and then =404 or a location that is "
		          "proxied: the route answers 501");
		carry_undone(p);
		return;
	}
	take(node);
	carry_rewritten_file(p, p->landed);
	if (p->act != ACT_FILES)
		return;
	if (!folder)
		carry_set(p->c->arena, p->route, "files.index", S("[]"));
	if (!other)
		return;
	carry_table(p);
	p->scope = other;
	p->landed = NULL;
	carry_proxy(p, handler_of(other));
}

/* Steps of the location where a rewrite has led. True: they have decided. */
static bool do_landed_steps(Place *p)
{
	Steps steps;

	if (!p->landed)
		return false;
	carry_steps(p->c, p->vhost, p->scope, p->route, &steps);
	if (!steps.count && !steps.missing)
		return false;
	if (steps.count && node_is(steps.at[0], "return")) {
		do_return(p, steps.at[0]);
		return true;
	}
	carry_say(p->c, p->route, steps.count ? steps.at[0] : p->scope->node,
	          "a rewrite has led here already: the route answers 501");
	carry_undone(p);
	return true;
}

static void do_landed(Place *p)
{
	NginxNode *try = scope_own(p->scope, "try_files");

	if (do_landed_steps(p))
		return;
	if (scope_is_denied(p->scope))
		return_status(p, 403);
	else if (try)
		try_landed(p, try);
	else if (scope_is_proxied(p->scope))
		carry_proxy(p, handler_of(p->scope));
	else
		carry_rewritten_file(p, p->landed);
}

/* A rewrite to another path of the same server: what takes that does the rest. */
static void do_rewrite(Place *p, NginxNode *node)
{
	bool stays = str_eq(node_word(node, 2), S("break")) && p->scope->node &&
	             node_is(p->scope->node, "location");
	Str path = node_word(node, 1), to, bad;
	const Rule *target = rule_taking(p->rules, literal_start(path));
	const Scope *scope = stays ? p->scope : target && !target->step ? &target->scope : NULL;

	add_rest(p, node);
	path.len -= str_ends(path, S("?"));
	if (scope && str_find_char(path, '?') < 0 && template_of(p, path, &to, &bad) &&
	    carry_checks_template(p, node, TEMPLATE_PATH, to)) {
		take(node);
		p->scope = scope;
		p->rewritten = to;
		p->landed = stays ? NULL : target;
		do_landed(p);
		return;
	}
	carry_say(p->c, p->route, node,
	          "the route answers 501 until you write rewrite: or redirect: for it");
	carry_undone(p);
}

static void do_step(Place *p, NginxNode *node)
{
	if (node_is(node, "return"))
		do_return(p, node);
	else if (step_sends(node))
		do_redirect(p, node);
	else
		do_rewrite(p, node);
}

/* All of it. */

static void read_constants(Place *p)
{
	Steps steps;

	for (const Scope *s = p->scope; s && s->outer; s = s->outer) {
		Constant **last = &p->constants;

		carry_steps(p->c, p->vhost, s, s == p->scope ? p->route : NULL, &steps);
		while (*last)
			last = &(*last)->next;
		*last = steps.constants;
	}
}

/* True: its own rewrites have decided. */
static bool do_own_steps(Place *p, NginxNode **missing)
{
	Steps steps;

	carry_steps(p->c, p->vhost, p->scope, NULL, &steps);
	*missing = steps.missing;
	for (size_t i = 0; i < steps.count; i++) {
		if (node_is(steps.at[i], "return")) {
			do_return(p, steps.at[i]);
			return true;
		}
		if (rule_is_mapping(p->c, p->rule, steps.at[i]))
			p->mapping = steps.at[i];
	}
	return false;
}

static void do_missing(Place *p, NginxNode *missing)
{
	Scope *other = ARENA_NEW(p->c->arena, Scope);

	*other = (Scope){ .outer = p->scope, .node = p->scope->node, .first = missing };
	if (scope_is_proxied(other))
		files_or(p, other, true);
	else
		carry_files(p);
}

/* True: nobody from outside gets there. */
static bool do_internal(Place *p)
{
	NginxNode *node = scope_own(p->scope, "internal");

	if (!node)
		return false;
	take(node);
	return_status(p, 404);
	return true;
}

static void do_content(Place *p)
{
	bool location = p->scope->node && node_is(p->scope->node, "location");
	NginxNode *missing = NULL, *node;

	if (location && (do_own_steps(p, &missing) || do_internal(p)))
		return;
	if (scope_is_denied(p->scope)) {
		return_status(p, 403);
	} else if ((node = scope_own(p->scope, "try_files"))) {
		do_try_files(p, node);
	} else if (missing) {
		do_missing(p, missing);
	} else if ((node = scope_own(p->scope, "stub_status"))) {
		carry_say(p->c, p->route, node,
		          "the admin port has /metrics; this path answers 501");
		carry_undone(p);
	} else if ((node = handler_of(p->scope))) {
		carry_proxy(p, node);
	} else {
		carry_files(p);
	}
}

void carry_action(Place *p)
{
	if (p->scope->node)
		take(p->scope->node);
	read_constants(p);
	if (p->rule->step)
		do_step(p, p->rule->step);
	else
		do_content(p);
	carry_table(p);
}

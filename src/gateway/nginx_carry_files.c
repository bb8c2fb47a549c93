/* SPDX-License-Identifier: Apache-2.0
 *
 * root and alias. Ours looks below a folder for what the route's pattern left of the path: all of it for an exact path or an
 * expression, what the stars took for a prefix, less strip_prefix. */
#include "gateway/nginx_carry_parts.h"

#include "base/arena.h"
#include "gateway/nginx_carry_text.h"

/* The nearest root or alias. */
static NginxNode *folder_node(const Scope *scope)
{
	NginxNode *node = NULL;

	for (; scope && !node; scope = scope->outer) {
		node = scope_own(scope, "alias");
		node = node ? node : scope_own(scope, "root");
	}
	return node;
}

static Str folder_text(Place *p, const NginxNode *node)
{
	Str text = node ? node_word(node, 0) : S("html"), out, bad;

	if (text_has_variable(text) && template_of(p, text, &out, &bad) &&
	    str_find_char(out, '{') < 0)
		text = out;
	return str_starts(text, S("/")) ? text
	                                : text_join(p->c->arena, p->c->options->prefix, text);
}

static bool is_alias(const NginxNode *node)
{
	return node && node_is(node, "alias");
}

static Str without_slash(Str path)
{
	while (path.len > 1 && str_ends(path, S("/")))
		path.len--;
	return path;
}

static Str parent_of(Str path)
{
	ptrdiff_t slash = str_rfind_char(path, '/');

	return slash <= 0 ? S("/") : str_sub(path, 0, (size_t)slash);
}

static Str last_of(Str path)
{
	return str_sub(path, (size_t)(str_rfind_char(path, '/') + 1), path.len);
}

Str carry_file(Place *p, Str path)
{
	const Rule *rule = rule_taking(p->rules, path);
	const NginxNode *node = rule ? folder_node(&rule->scope) : NULL;

	if (!node || text_has_variable(path) || text_has_variable(node_word(node, 0)) ||
	    !str_starts(path, S("/")))
		return S("");
	if (!is_alias(node))
		return text_join(p->c->arena, folder_text(p, node), path);
	if (rule->kind == RULE_EXACT)
		return folder_text(p, node);
	return rule->kind == RULE_REGEX
	               ? S("")
	               : str_fmt(p->c->arena, "%.*s%.*s", STR_ARG(folder_text(p, node)),
	                         (int)(path.len - rule->text.len), path.at + rule->text.len);
}

static void set_dir(Place *p, Str dir)
{
	p->act = ACT_FILES;
	carry_set_text(p->c->arena, p->route, "files.dir", without_slash(dir));
}

/* The path below the folder. */
static void set_below(Place *p, NginxNode *node, Str start, Str rest)
{
	Str text = str_fmt(p->c->arena, "%.*s%.*s", STR_ARG(start), STR_ARG(rest));

	p->grouped = p->grouped || str_find(rest, S("{1}")) >= 0;
	if (carry_checks_template(p, node, TEMPLATE_PATH, text))
		carry_set_text(p->c->arena, p->route, "rewrite", text);
}

static void set_file(Place *p, NginxNode *node, Str file)
{
	Arena *a = p->c->arena;

	if (!last_of(file).len) {
		carry_undone(p);
		return;
	}
	set_dir(p, parent_of(file));
	if (!str_eq(str_fmt(a, "/%.*s", STR_ARG(last_of(file))), p->exact))
		set_below(p, node, S("/"), template_text(a, last_of(file)));
}

/* `alias /data/$1` of an expression. */
static void set_alias_of_groups(Place *p, NginxNode *node)
{
	Str text = node_word(node, 0), below, bad = S("it");
	ptrdiff_t slash =
		str_rfind_char(str_sub(text, 0,
	                               (size_t)MAX(str_find_char(text, '$'), (ptrdiff_t)0)),
	                       '/');

	if (slash > 0 && template_of(p, str_sub(text, (size_t)slash + 1, text.len), &below, &bad)) {
		set_dir(p, str_sub(text, 0, (size_t)slash));
		set_below(p, node, S("/"), below);
		return;
	}
	carry_say(p->c, p->route, node, "%.*s cannot be said: the route answers 501", STR_ARG(bad));
	carry_undone(p);
}

/* An alias stands for the location's path. */
static void set_alias(Place *p, NginxNode *node)
{
	const Rule *rule = p->rule;
	Str folder = folder_text(p, node);
	bool slash = str_ends(rule->text, S("/"));

	if (rule->kind == RULE_EXACT) {
		set_file(p, node, folder);
	} else if (rule->kind == RULE_REGEX) {
		set_alias_of_groups(p, node);
	} else if (slash != str_ends(folder, S("/"))) {
		carry_say(
			p->c, p->route, node,
			"location and alias must both end with a slash, or neither: 501 is answered");
		carry_undone(p);
	} else {
		set_dir(p, folder);
		if (p->exact.len)
			set_below(p, node, S("/"), str_sub(p->exact, rule->text.len, p->exact.len));
		else if (p->regex.len)
			set_below(p, node, S("/"), S("{1}"));
	}
}

static void set_root(Place *p, const NginxNode *node)
{
	bool whole = p->exact.len || p->regex.len || p->rule->kind != RULE_PREFIX;
	Str folder = folder_text(p, node);

	set_dir(p, whole ? folder : text_join(p->c->arena, folder, p->rule->text));
}

static void set_index(Place *p)
{
	NginxNode *node = scope_find(p->scope, "index");
	CarryItem *item;

	if (!node || (node->count == 1 && str_eq(node->words[0], S("index.html"))))
		return;
	item = carry_item(p->c->arena, p->route, "files.index");
	node->fate = FATE_TAKEN;
	for (size_t i = 0; i < node->count; i++) {
		Str name = node->words[i];

		if (!text_has_variable(name) &&
		    carry_checks(p->c, p->route, node, verify_index_name, name))
			carry_append(p->c->arena, item, name);
	}
}

void carry_rewritten_file(Place *p, const Rule *target)
{
	NginxNode *node = folder_node(p->scope);
	Str rest = p->rewritten;
	bool below = target && target->kind == RULE_PREFIX && str_starts(rest, target->text);

	if (!node || (is_alias(node) && !below) || text_has_variable(folder_text(p, node))) {
		carry_undone(p);
		return;
	}
	node->fate = MAX(node->fate, (uint8_t)FATE_TAKEN);
	set_dir(p, folder_text(p, node));
	if (is_alias(node) && below)
		rest = str_sub(rest, target->text.len, rest.len);
	set_below(p, node, str_starts(rest, S("/")) ? S("") : S("/"), rest);
	set_index(p);
}

void carry_files(Place *p)
{
	NginxNode *node = folder_node(p->scope);

	if (!node) {
		/* Nobody said that files are served here: nginx's own welcome page is not meant. */
		if (scope_has_unknown(p->scope))
			carry_undone(p);
		else
			carry_not_found(p);
		return;
	}
	node->fate = MAX(node->fate, (uint8_t)FATE_TAKEN);
	if (text_has_variable(folder_text(p, node)) &&
	    !(is_alias(node) && p->rule->kind == RULE_REGEX)) {
		carry_say(p->c, p->route, node, "a folder has no variables: the route answers 501");
		carry_undone(p);
	} else if (is_alias(node)) {
		set_alias(p, node);
	} else {
		set_root(p, node);
	}
	if (p->act == ACT_FILES)
		set_index(p);
}

void carry_fallback(Place *p, Str path)
{
	const CarryItem *dir = carry_find(p->route, "files.dir");
	Str below = p->rule->kind == RULE_PREFIX && !p->regex.len && !p->exact.len
	                    ? without_slash(p->rule->text)
	                    : S("/");

	if (p->act != ACT_FILES || !dir)
		return;
	if (below.len > 1 && str_starts(path, below))
		path = str_sub(path, below.len, path.len);
	if (!verify_health_path(p->c->arena, path))
		carry_set_text(p->c->arena, p->route, "files.fallback", path);
}

static bool is_inner(const Rule *rule)
{
	return !rule->step && rule->kind == RULE_PREFIX && scope_own(&rule->scope, "internal") &&
	       !scope_is_proxied(&rule->scope);
}

/* X-Accel-Redirect leads to an internal location; a route has room for one. */
void carry_sendfile(Place *p)
{
	Arena *a = p->c->arena;

	for (size_t i = 0; i < p->rules->count; i++) {
		const Rule *rule = &p->rules->at[i];
		NginxNode *node = is_inner(rule) ? folder_node(&rule->scope) : NULL;
		Str dir;

		if (!node || verify_health_path(a, rule->text))
			continue;
		dir = folder_text(p, node);
		if (!is_alias(node))
			dir = text_join(a, dir, rule->text);
		node->fate = MAX(node->fate, (uint8_t)FATE_TAKEN);
		if (carry_find(p->route, "sendfile")) {
			carry_say(p->c, p->route, rule->scope.node,
			          "sendfile has one folder: put both below one");
			continue;
		}
		carry_set_text(a, p->route, "sendfile.dir", without_slash(dir));
		carry_set_text(a, p->route, "sendfile.prefix", rule->text);
	}
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * What single directives become, by the rows of nginx_carry_table.c. Those of routes see the first of their name at the
 * level that counts; those of the whole see each one once. */
#include "gateway/nginx_carry_parts.h"

#include "base/arena.h"
#include "gateway/nginx_carry_text.h"
#include "http/trust.h"

#include <unistd.h>

/* On routes. */

static void set_off(Place *p, NginxNode *node, const char *key)
{
	if (str_eq(node_word(node, 0), S("off")))
		carry_set(p->c->arena, p->route, key, S("off"));
}

void on_buffering(Place *p, NginxNode *node)
{
	set_off(p, node, "buffering.answers");
}

void on_request_buffering(Place *p, NginxNode *node)
{
	set_off(p, node, "buffering.requests");
}

void on_temp_file(Place *p, NginxNode *node)
{
	uint64_t bytes;

	if (text_read_size(node_word(node, 0), &bytes))
		carry_set(p->c->arena, p->route, "buffering.file",
		          bytes ? text_size(p->c->arena, bytes) : S("0"));
}

static const struct {
	const char *word, *ours; /* "": without a counterpart, and without harm */
} retries[] = {
	{ "error", "connect, refused, reset" },
	{ "timeout", "timeout" },
	{ "invalid_header", "" },
	{ "http_502", "502" },
	{ "http_503", "503" },
	{ "http_504", "504" },
};

void on_next_upstream(Place *p, NginxNode *node)
{
	Arena *a = p->c->arena;
	Str list = S("[");

	if (str_eq(node_word(node, 0), S("off"))) {
		carry_set(a, p->route, "retry.attempts", S("1"));
		return;
	}
	for (size_t i = 0; i < node->count; i++) {
		size_t k = 0;

		while (k < COUNT(retries) && !str_eq(node->words[i], str_of(retries[k].word)))
			k++;
		if (k == COUNT(retries))
			carry_say(p->c, p->route, node, "%.*s is not tried again",
			          STR_ARG(node->words[i]));
		else if (*retries[k].ours)
			list = str_fmt(a, "%.*s%s%s", STR_ARG(list), list.len > 1 ? ", " : " ",
			               retries[k].ours);
	}
	if (list.len > 1)
		carry_set(a, p->route, "retry.on", str_fmt(a, "%.*s ]", STR_ARG(list)));
}

void on_tries(Place *p, NginxNode *node)
{
	const CarryItem *off = carry_find(p->route, "retry.attempts");
	uint64_t n;

	if (!off && str_to_u64(node_word(node, 0), &n) && n)
		carry_set(p->c->arena, p->route, "retry.attempts",
		          str_fmt(p->c->arena, "%u", (unsigned)MIN(n, UINT64_C(10))));
}

static void set_limit(Place *p, NginxNode *node, const char *key)
{
	int64_t us;

	if (text_read_time(node_word(node, 0), &us))
		carry_set(p->c->arena, p->route, key,
		          text_time(p->c->arena, us, 100000, INT64_C(86400000000)));
}

void on_body_timeout(Place *p, NginxNode *node)
{
	set_limit(p, node, "limits.body_idle");
}

void on_send_timeout(Place *p, NginxNode *node)
{
	set_limit(p, node, "limits.write");
}

void on_redirects(Place *p, NginxNode *node)
{
	if (!str_eq(node_word(node, 0), S("off")) && !str_eq(node_word(node, 0), S("default")))
		carry_say(
			p->c, p->route, node,
			"Location of the upstream's answers is not changed: let the application see the "
			"client's Host");
}

void on_charset(Place *p, NginxNode *node)
{
	if (p->act == ACT_FILES && !str_eq(node_word(node, 0), S("off")) &&
	    !str_eq_nocase(node_word(node, 0), S("utf-8")))
		carry_say(p->c, p->route, node, "texts are UTF-8");
}

/* A site's page for errors serves for all of ours. */
void on_error_page(Place *p, NginxNode *node)
{
	const CarryItem *page = carry_find(&p->c->out->top, "errors");
	Arena *a = p->c->arena;

	for (; node; node = node_same(node)) {
		Str file = carry_file(p, node_word(node, node->count ? node->count - 1 : 0));
		Str value = carry_scalar(a, file);

		if (node->fate == FATE_SAID || (p->act == ACT_ANSWER && node->fate == FATE_TAKEN))
			continue;
		if (!file.len || str_find_char(node_word(node, node->count - 2), '=') == 0)
			carry_say(p->c, p->route, node,
			          "errors of the gateway's own have one page: errors: page.html");
		else if (access(str_z(a, file), R_OK) != 0)
			carry_say(p->c, p->route, node,
			          "%.*s cannot be read from here: errors: page.html",
			          STR_ARG(file));
		else if (page && !str_eq(page->value, value))
			carry_say(p->c, p->route, node, "there is one page for all errors: %.*s",
			          STR_ARG(page->value));
		else
			carry_set(a, &p->c->out->top, "errors", value);
		page = carry_find(&p->c->out->top, "errors");
		node->fate = MAX(node->fate, (uint8_t)FATE_TAKEN);
	}
}

/* Once for the whole. */

static void set_general(Carry *c, NginxNode *node, const char *key, Str value)
{
	const CarryItem *before = carry_find(&c->out->top, key);

	if (before && !str_eq(before->value, value))
		carry_say(c, c->at, node, "%s is the same for all: %.*s stays", key,
		          STR_ARG(before->value));
	else
		carry_set(c->arena, &c->out->top, key, value);
}

static void general_time(Carry *c, NginxNode *node, const char *key, int64_t max_us)
{
	int64_t us;

	if (text_read_time(node_word(node, 0), &us))
		set_general(c, node, key, text_time(c->arena, us, 100000, max_us));
}

void on_header_timeout(Carry *c, NginxNode *node, bool location)
{
	(void)location;
	general_time(c, node, "limits.head_time", INT64_C(600000000));
}

void on_keepalive_timeout(Carry *c, NginxNode *node, bool location)
{
	int64_t us;

	if (location || (text_read_time(node_word(node, 0), &us) && !us))
		carry_say(c, c->at, node, "connections are kept: limits.idle says how long");
	else
		general_time(c, node, "limits.idle", INT64_C(86400000000));
}

void on_header_buffers(Carry *c, NginxNode *node, bool location)
{
	uint64_t count, bytes;

	(void)location;
	if (!str_to_u64(node_word(node, 0), &count) ||
	    !text_read_size(node_word(node, 1), &bytes) || !count || !bytes)
		return;
	bytes = MAX(bytes, UINT64_C(1024));
	count = MIN(count, UINT64_C(1024));
	set_general(c, node, "limits.head",
	            text_size(c->arena, MIN(bytes * count, UINT64_C(1) << 20)));
	set_general(c, node, "limits.line", text_size(c->arena, MIN(bytes, UINT64_C(1) << 16)));
}

void on_access_log(Carry *c, NginxNode *node, bool location)
{
	Str path = node_word(node, 0);

	if (location || str_starts(path, S("syslog:")) || text_has_variable(path) ||
	    str_starts(node_word(node, node->count - 1), S("if=")))
		carry_say(c, c->at, node, "there is one access log, and every request is in it");
	else
		set_general(c, node, "access_log",
		            str_eq(path, S("off"))
		                    ? path
		                    : carry_scalar(c->arena, text_join(c->arena,
		                                                       str_starts(path, S("/"))
		                                                               ? S("/")
		                                                               : c->options->prefix,
		                                                       path)));
}

void on_real_ip_from(Carry *c, NginxNode *node, bool location)
{
	Str text = node_word(node, 0), item = str_eq(text, S("unix:")) ? S("unix") : text;
	CarryItem *list;

	(void)location;
	if (trust_mistake(item)) {
		carry_say(c, c->at, node, "trusted_proxies are addresses and networks: %s",
		          trust_mistake(item));
		return;
	}
	list = carry_item(c->arena, &c->out->top, "trusted_proxies");
	if (str_find(list->value,
	             str_fmt(c->arena, " %.*s", STR_ARG(carry_scalar(c->arena, item)))) < 0)
		carry_append(c->arena, list, item);
}

void on_real_ip_header(Carry *c, NginxNode *node, bool location)
{
	(void)location;
	if (!str_eq_nocase(node_word(node, 0), S("X-Forwarded-For")) &&
	    !str_eq(node_word(node, 0), S("proxy_protocol")))
		carry_say(
			c, &c->out->top, node,
			"the client's address is taken from X-Forwarded-For or the PROXY protocol");
}

void on_map(Carry *c, NginxNode *node, bool location)
{
	(void)location;
	if (!str_eq(node_word(node, 0), S("$http_upgrade")))
		carry_say(c, c->at, node, "what uses %.*s is named on its own",
		          STR_ARG(node_word(node, 1)));
}

void on_protocols(Carry *c, NginxNode *node, bool location)
{
	bool has_12 = false, has_older = false;

	(void)location;
	for (size_t i = 0; i < node->count; i++) {
		bool is_12 = str_eq(node->words[i], S("TLSv1.2"));

		has_12 = has_12 || is_12;
		has_older = has_older || (!is_12 && !str_eq(node->words[i], S("TLSv1.3")));
	}
	if (has_older)
		carry_say(c, c->at, node, "TLS 1.2 and 1.3 are spoken, nothing older");
	else if (!has_12)
		carry_say(c, c->at, node, "TLS 1.2 is spoken too");
}

void on_merge_slashes(Carry *c, NginxNode *node, bool location)
{
	if (!location && str_eq(node_word(node, 0), S("off")))
		set_general(c, node, "paths.double_slash", S("on"));
}

void on_shutdown(Carry *c, NginxNode *node, bool location)
{
	(void)location;
	general_time(c, node, "drain", INT64_C(86400000000));
}

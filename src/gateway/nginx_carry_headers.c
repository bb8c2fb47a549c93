/* SPDX-License-Identifier: Apache-2.0
 *
 * Headers. What nginx sites set by habit (X-Forwarded-For, X-Forwarded-Proto, X-Real-IP, Connection and Upgrade for
 * WebSockets) Banyan does by itself, so it is carried by not being written; anything else becomes a row of
 * request_headers or response_headers. nginx leaves add_header out of errors unless it says "always"; ours are on every
 * answer, which matters for Cache-Control only, and is said there. */
#include "gateway/nginx_carry_parts.h"

#include "base/arena.h"
#include "gateway/forwarded.h"
#include "gateway/nginx_carry_text.h"

#include <string.h>

/* Requests. */

/* "" as a value: whatever it is set to. */
static const struct {
	const char *name, *value;
} habits[] = {
	{ "Connection", "" },
	{ "Upgrade", "" },
	{ "Host", "" },
	{ "X-Real-IP", "$remote_addr" },
	{ "X-Real-IP", "$realip_remote_addr" },
	{ "X-Forwarded-For", "$proxy_add_x_forwarded_for" },
	{ "X-Forwarded-For", "$remote_addr" },
	{ "X-Forwarded-Proto", "$scheme" },
	{ "X-Forwarded-Host", "$host" },
	{ "X-Forwarded-Host", "$http_host" },
	{ "X-Forwarded-Host", "$server_name" },
	{ "X-Forwarded-Port", "$server_port" },
	{ "X-Request-Id", "$request_id" },
	{ "X-Request-Id", "$http_x_request_id" },
};

static bool is_habit(const Place *p, Str name, Str value)
{
	for (size_t i = 0; i < COUNT(habits); i++)
		if (str_eq_nocase(name, str_of(habits[i].name)) &&
		    (!*habits[i].value || str_eq(value, str_of(habits[i].value))))
			return true;
	return str_eq_nocase(name, S("X-Forwarded-Proto")) && str_eq(value, p->vhost->scheme) &&
	       p->vhost->server->tls;
}

/* What only the gateway says: who the client is. */
static bool is_own(Str name)
{
	const RequestIdConf id = { .header = S("X-Request-Id") };

	return forwarded_is_own(&id, name);
}

/* `X-Forwarded-Proto $http_x_forwarded_proto`: the header is passed on as it came. */
static bool is_itself(Str name, Str value)
{
	if (!str_starts(value, S("$http_")) || value.len != name.len + 6)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i] == '-' ? '_' : name.at[i];

		if (!str_eq_nocase((Str){ &c, 1 }, str_sub(value, i + 6, i + 7)))
			return false;
	}
	return true;
}

/* "$" begins a variable of the environment in our values; two are one. */
static Str without_expansion(Arena *a, Str text)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] == '$')
			buf_putc(&b, '$');
		buf_putc(&b, text.at[i]);
	}
	return str_dup(a, buf_str(&b));
}

static bool value_of(Place *p, NginxNode *node, Str text, Str *out)
{
	Str bad = S("it");

	if (!template_of(p, text, out, &bad) || str_starts(*out, S("file:"))) {
		carry_say(p->c, p->route, node, "%.*s has no counterpart", STR_ARG(bad));
		return false;
	}
	*out = without_expansion(p->c->arena, *out);
	return carry_checks(p->c, p->route, node, verify_field_value, *out) &&
	       carry_checks_template(p, node, TEMPLATE_FIELD, *out);
}

static void set_request(Place *p, NginxNode *node)
{
	Str name = node_word(node, 0), value = node_word(node, 1), text;
	Arena *a = p->c->arena;

	if (is_habit(p, name, value)) {
		node->fate = MAX(node->fate, (uint8_t)FATE_TAKEN);
	} else if (is_itself(name, value)) {
		if (is_own(name))
			carry_trust(p, node);
	} else if (!carry_checks(p->c, p->route, node, verify_field_name, name)) {
		return;
	} else if (is_own(name) && value.len) {
		carry_say(p->c, p->route, node,
		          "who the client is the gateway says by itself: trusted_proxies, or the "
		          "application's settings");
	} else if (!value.len) {
		carry_append(a, carry_item(a, p->route, "request_headers.remove"), name);
	} else if (value_of(p, node, value, &text)) {
		carry_child(a, carry_item(a, p->route, "request_headers.set"), name)->value =
			carry_scalar(a, text);
	}
	node->fate = MAX(node->fate, (uint8_t)FATE_TAKEN);
}

void on_set_header(Place *p, NginxNode *node)
{
	for (; node; node = node_same(node))
		set_request(p, node);
}

/* Answers. */

void on_hide_header(Place *p, NginxNode *node)
{
	for (; node; node = node_same(node)) {
		node->fate = MAX(node->fate, (uint8_t)FATE_TAKEN);
		if (carry_checks(p->c, p->route, node, verify_field_name, node_word(node, 0)))
			carry_append(p->c->arena,
			             carry_item(p->c->arena, p->route, "response_headers.remove"),
			             node_word(node, 0));
	}
}

static bool is_hidden(const Place *p, Str name)
{
	const NginxNode *node =
		p->act & ACT_PROXY ? scope_find(p->scope, "proxy_hide_header") : NULL;

	while (node && !str_eq_nocase(node_word(node, 0), name))
		node = node_same(node);
	return node != NULL;
}

static bool is_always(const NginxNode *node)
{
	return str_eq(node_word(node, 2), S("always"));
}

/* nginx leaves its additions out of most errors. */
static bool is_left_out(const Place *p, const NginxNode *node)
{
	const CarryItem *status = carry_find(p->route, "answer.status");
	uint64_t code;

	return p->act == ACT_ANSWER && !is_always(node) && status &&
	       str_to_u64(status->value, &code) && code >= 400;
}

static void put_response(Place *p, NginxNode *node, Str name, Str value)
{
	Arena *a = p->c->arena;
	bool instead = is_hidden(p, name) || node_is(node, "expires") ||
	               (p->act & ACT_FILES && str_eq_nocase(name, S("X-Content-Type-Options")));
	const char *how = instead ? "response_headers.set" : "response_headers.add";

	if (str_eq_nocase(name, S("Cache-Control"))) {
		if (p->act == ACT_FILES) {
			carry_set_text(a, p->route, "files.cache", value);
			return;
		}
		if (p->act & ACT_PROXY && !is_always(node))
			carry_differs(
				p->c, p->route, node,
				"it is on errors too: let the application say it where it matters");
	}
	carry_child(a, carry_item(a, p->route, how), name)->value = carry_scalar(a, value);
}

/* The values of all lines of that name, joined as one list, after what is there already. */
static Str joined(Place *p, NginxNode *first, Str name, Str so_far)
{
	for (NginxNode *node = first; node; node = node_same(node)) {
		Str value;

		if (!str_eq_nocase(node_word(node, 0), name) || !node_word(node, 1).len ||
		    is_left_out(p, node))
			continue;
		if (so_far.len && str_eq_nocase(name, S("Set-Cookie"))) {
			carry_say(p->c, p->route, node, "one cookie can be set");
			continue;
		}
		if (value_of(p, node, node_word(node, 1), &value))
			so_far = so_far.len ? str_fmt(p->c->arena, "%.*s, %.*s", STR_ARG(so_far),
			                              STR_ARG(value))
			                    : value;
	}
	return so_far;
}

static bool was_before(const NginxNode *first, const NginxNode *node)
{
	while (first != node && !str_eq_nocase(node_word(first, 0), node_word(node, 0)))
		first = node_same(first);
	return first != node;
}

/* What `expires` makes of Cache-Control; empty: nothing. */
static Str lifetime(Place *p, NginxNode *node)
{
	Str text = node ? node_word(node, 0) : S("");
	int64_t us;

	if (!text.len || str_eq(text, S("off")))
		return S("");
	if (str_eq(text, S("max")))
		return S("max-age=315360000");
	if (str_eq(text, S("epoch")) || str_starts(text, S("-")))
		return S("no-cache");
	if (node->count == 1 && text_read_time(text, &us))
		return str_fmt(p->c->arena, "max-age=%" PRId64, us / 1000000);
	carry_say(p->c, p->route, node, "give files: { cache: ... } or the application the say");
	return S("");
}

void on_add_header(Place *p, NginxNode *first)
{
	bool expires = lifetime(p, scope_find(p->scope, "expires")).len > 0;

	for (NginxNode *node = first; node; node = node_same(node)) {
		Str name = node_word(node, 0), value;

		if (was_before(first, node))
			continue;
		if (str_eq_nocase(name, S("Content-Type")) && p->act == ACT_ANSWER) {
			if (carry_checks(p->c, p->route, node, verify_field_value,
			                 node_word(node, 1)))
				carry_set_text(p->c->arena, p->route, "answer.type",
				               node_word(node, 1));
		} else if (str_eq_nocase(name, S("Content-Type"))) {
			carry_say(p->c, p->route, node, "the answer has its own");
		} else if (!carry_checks(p->c, p->route, node, verify_field_name, name)) {
			continue;
		} else if (!expires || !str_eq_nocase(name, S("Cache-Control"))) {
			value = joined(p, first, name, S(""));
			if (value.len)
				put_response(p, node, name, value);
		}
		node->fate = MAX(node->fate, (uint8_t)FATE_TAKEN);
	}
}

void on_expires(Place *p, NginxNode *node)
{
	NginxNode *add = scope_find(p->scope, "add_header");
	Str value = lifetime(p, node);

	node->fate = MAX(node->fate, (uint8_t)FATE_TAKEN);
	if (value.len)
		put_response(p, node, S("Cache-Control"),
		             joined(p, add, S("Cache-Control"), value));
}

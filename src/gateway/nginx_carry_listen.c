/* SPDX-License-Identifier: Apache-2.0
 *
 * Servers: where they listen, what they are called, with which certificates. nginx picks a server by the address a request
 * came in on, then by its name; our routes know names and whether TLS was used, but no addresses. So servers are told
 * apart by these two, and what only an address could tell apart is said to be left out. */
#include "gateway/nginx_carry_parts.h"

#include "base/arena.h"
#include "gateway/address.h"
#include "gateway/nginx_carry_text.h"
#include "gateway/route.h"

#include <string.h>

/* Addresses. */

/* Words of a listen line that are about sockets, which we choose ourselves. */
static bool is_socket_word(Str word)
{
	static const Str words[] = { S("bind"),           S("deferred"),     S("reuseport"),
		                     S("backlog="),       S("rcvbuf="),      S("sndbuf="),
		                     S("accept_filter="), S("ipv6only="),    S("fastopen="),
		                     S("setfib="),        S("so_keepalive=") };

	for (size_t i = 0; i < COUNT(words); i++)
		if (str_ends(words[i], S("=")) ? str_starts(word, words[i])
		                               : str_eq(word, words[i]))
			return true;
	return false;
}

static Str listen_address(Arena *a, Str word)
{
	uint64_t port;

	if (str_starts(word, S("unix:")))
		return word;
	if (str_to_u64(word, &port))
		return str_fmt(a, ":%.*s", STR_ARG(word));
	if (str_starts(word, S("localhost")))
		word = str_fmt(a, "127.0.0.1%.*s", (int)word.len - 9, word.at + 9);
	if (str_ends(word, S("]")) || str_find_char(word, ':') < 0)
		word = str_fmt(a, "%.*s:80", STR_ARG(word));
	if (str_starts(word, S("*:")) || str_starts(word, S("0.0.0.0:")))
		word = str_sub(word, (size_t)str_find_char(word, ':'), word.len);
	return word;
}

static void listen_word(Carry *c, Listen *l, Str word)
{
	if (str_eq(word, S("ssl")))
		l->tls = true;
	else if (str_eq(word, S("http2")))
		l->http2 = true;
	else if (str_eq(word, S("default_server")) || str_eq(word, S("default")))
		l->first = true;
	else if (str_eq(word, S("proxy_protocol")))
		l->proxy_protocol = true;
	else if (!is_socket_word(word))
		carry_say(c, &c->out->top, l->node, "%.*s is not known here", STR_ARG(word));
}

static void add_listen(Server *s, Listen *l)
{
	Listen **last = &s->listens;

	while (*last)
		last = &(*last)->next;
	*last = l;
	s->tls = s->tls || l->tls;
	s->plain = s->plain || !l->tls;
}

static void read_listen(Carry *c, Server *s, NginxNode *node)
{
	Listen *l = ARENA_NEW(c->arena, Listen);
	const NginxNode *ssl = scope_find(&s->scope, "ssl"),
			*http2 = scope_find(&s->scope, "http2");

	*l = (Listen){ .node = node, .address = listen_address(c->arena, node_word(node, 0)) };
	l->tls = ssl && str_eq(node_word(ssl, 0), S("on"));
	l->http2 = http2 && str_eq(node_word(http2, 0), S("on"));
	for (size_t i = 1; i < node->count; i++) {
		if (str_eq(node->words[i], S("quic"))) {
			carry_say(c, &c->out->top, node,
			          "HTTP/3 is not spoken; clients use HTTP/2");
			return;
		}
		listen_word(c, l, node->words[i]);
	}
	if (!carry_checks(c, &c->out->top, node, verify_listen, l->address))
		return;
	node->fate = MAX(node->fate, (uint8_t)FATE_TAKEN);
	add_listen(s, l);
}

static void read_listens(Carry *c, Server *s)
{
	NginxNode *node = scope_own(&s->scope, "listen");

	if (!node)
		add_listen(s, ARENA_NEW(c->arena, Listen));
	if (!node)
		s->listens->address = S(":80");
	for (; node; node = node_same(node))
		read_listen(c, s, node);
}

/* Names. */

static void add_name(Carry *c, Server *s, Str name)
{
	Str *more = ARENA_ARRAY(c->arena, Str, s->name_count + 1);

	if (s->name_count)
		memcpy(more, s->names, s->name_count * sizeof *more);
	more[s->name_count++] = str_lower(c->arena, name);
	s->names = more;
	if (!s->name.len && name.at[0] != '*')
		s->name = more[s->name_count - 1];
}

static void read_name(Carry *c, Server *s, NginxNode *node, Str name)
{
	Str lower = str_lower(c->arena, name);

	if (!name.len || str_eq(name, S("_")))
		return; /* no request has such a name */
	if (name.at[0] == '~')
		carry_say(
			c, &c->out->top, node,
			"a name that is an expression: give each name routes of its own, or *.example.org");
	else if (str_ends(name, S(".*")))
		carry_say(c, &c->out->top, node,
		          "a star stands only at the start of a name: write the names out");
	else if (name.at[0] == '.' && !route_host_mistake(str_sub(lower, 1, lower.len))) {
		add_name(c, s, str_sub(name, 1, name.len));
		add_name(c, s, str_fmt(c->arena, "*%.*s", STR_ARG(name)));
	} else if (!route_host_mistake(lower))
		add_name(c, s, name);
	else
		carry_say(c, &c->out->top, node, "%.*s is no host name", STR_ARG(name));
}

static bool has_star_for(const Server *s, Str name)
{
	bool star = false;

	for (size_t i = 0; i < s->name_count; i++) {
		Str own = s->names[i];

		if (str_eq(own, name))
			return false;
		star = star ||
		       (str_starts(own, S("*")) && str_ends(name, str_sub(own, 1, own.len)));
	}
	return star;
}

/* A name that is asked for in an `if` is one on its own, where a star takes it. */
static void read_asked_names(Carry *c, Server *s)
{
	for (NginxNode *node = scope_own(&s->scope, "if"); node; node = node_same(node)) {
		Str name = step_asked_name(c->arena, node);

		if (name.len && has_star_for(s, name) && !route_host_mistake(name))
			add_name(c, s, name);
	}
}

static void read_server(Carry *c, NginxNode *node, Server ***tail)
{
	Server *s = ARENA_NEW(c->arena, Server);

	s->scope = (Scope){ .outer = &c->http, .node = node, .first = node->first };
	node->fate = FATE_TAKEN;
	read_listens(c, s);
	for (NginxNode *at = scope_own(&s->scope, "server_name"); at; at = node_same(at)) {
		at->fate = FATE_TAKEN;
		for (size_t i = 0; i < at->count; i++)
			read_name(c, s, at, at->words[i]);
	}
	read_asked_names(c, s);
	if (!s->listens)
		return;
	**tail = s;
	*tail = &s->next;
}

/* Listeners. */

static bool is_own_text(Str path)
{
	return path.len && !str_starts(path, S("data:")) && !str_starts(path, S("engine:")) &&
	       !text_has_variable(path);
}

static Str conf_path(Carry *c, Str path)
{
	return str_starts(path, S("/")) ? path : text_join(c->arena, c->folder, path);
}

static void add_certificates(Carry *c, CarryBlock *block, const Server *s)
{
	NginxNode *cert = scope_find(&s->scope, "ssl_certificate");
	NginxNode *key = scope_find(&s->scope, "ssl_certificate_key");
	CarryItem *tls = carry_item(c->arena, block, "tls");

	for (; cert && key; cert = node_same(cert), key = node_same(key)) {
		Str path = conf_path(c, node_word(cert, 0)), pair;

		if (!is_own_text(node_word(cert, 0)) || !is_own_text(node_word(key, 0))) {
			carry_say(c, block, cert, "only files can be named");
			continue;
		}
		cert->fate = key->fate = FATE_TAKEN;
		pair = str_fmt(c->arena, "{ certificate: %.*s, key: %.*s }",
		               STR_ARG(carry_scalar(c->arena, path)),
		               STR_ARG(carry_scalar(c->arena, conf_path(c, node_word(key, 0)))));
		if (str_find(tls->value, pair) >= 0)
			continue;
		tls->value = tls->value.len
		                     ? str_fmt(c->arena, "%.*s, %.*s ]", (int)tls->value.len - 2,
		                               tls->value.at, STR_ARG(pair))
		                     : str_fmt(c->arena, "[ %.*s ]", STR_ARG(pair));
	}
}

static CarryBlock *find_listener(const Carry *c, Str address)
{
	CarryBlock *at = c->out->listeners;
	AddressConf x, y;

	if (!address_split(address, &x))
		return NULL;
	while (at && !(address_split(at->name, &y) &&
	               (str_eq(at->name, address) || address_same(&x, &y))))
		at = at->next;
	return at;
}

static void add_listener(Carry *c, const Listen *l)
{
	CarryBlock *block = find_listener(c, l->address);

	if (!block) {
		block = carry_block(c, &c->listener_tail, l->address);
		carry_set_text(c->arena, block, "address", l->address);
	}
	if (l->tls && !carry_find(block, "tls")) {
		carry_item(c->arena, block, "tls");
		if (!l->http2)
			carry_set(c->arena, block, "http2", S("off"));
	}
	if (l->tls && l->http2)
		carry_remove(block, "http2");
	if (l->proxy_protocol)
		carry_set(c->arena, block, "proxy_protocol", S("on"));
}

/* The certificate of the server that answers unknown names comes first. */
static void add_listener_certificates(Carry *c, bool first)
{
	for (const Server *s = c->servers; s; s = s->next)
		for (const Listen *l = s->listens; l; l = l->next)
			if (l->tls && l->first == first)
				add_certificates(c, find_listener(c, l->address), s);
}

/* A port that speaks TLS must not become a plain one. */
static void drop_listeners(Carry *c)
{
	for (const Server *s = c->servers; s; s = s->next)
		for (const Listen *l = s->listens; l; l = l->next) {
			CarryBlock *block = find_listener(c, l->address), **at = &c->out->listeners;

			if (!block || !l->tls || carry_find(block, "tls")->value.len)
				continue;
			carry_say(c, &c->out->top, l->node,
			          "there is no ssl_certificate, so the listener is left out");
			while (*at != block)
				at = &(*at)->next;
			*at = block->next;
		}
}

void carry_servers(Carry *c)
{
	Server **tail = &c->servers;

	for (NginxNode *node = scope_own(&c->http, "server"); node; node = node_same(node))
		if (node->block)
			read_server(c, node, &tail);
	for (const Server *s = c->servers; s; s = s->next)
		for (const Listen *l = s->listens; l; l = l->next)
			add_listener(c, l);
	add_listener_certificates(c, true);
	add_listener_certificates(c, false);
	drop_listeners(c);
}

/* Who answers whom. */

typedef struct Hosts {
	Carry *c;
	VhostList list;
	size_t cap;
	size_t from; /* where those of the kind at work begin */
	bool tls;
} Hosts;

static bool has_kind(const Server *s, bool tls)
{
	return tls ? s->tls : s->plain;
}

static bool share_address(const Server *x, const Server *y)
{
	for (const Listen *l = x->listens; l; l = l->next)
		for (const Listen *k = y->listens; k; k = k->next)
			if (str_eq(l->address, k->address))
				return true;
	return false;
}

static const Server *find_host(const Hosts *h, Str host)
{
	for (size_t i = h->from; i < h->list.count; i++)
		if (str_eq(h->list.at[i].host, host))
			return h->list.at[i].server;
	return NULL;
}

static void add_host(Hosts *h, const Server *s, Str host)
{
	if (h->list.count == h->cap) {
		Vhost *more = ARENA_ARRAY(h->c->arena, Vhost, h->cap * 2 + 8);

		if (h->cap)
			memcpy(more, h->list.at, h->cap * sizeof *more);
		h->list.at = more;
		h->cap = h->cap * 2 + 8;
	}
	h->list.at[h->list.count++] = (Vhost){ s, host, h->tls ? S("https") : S("http"), false };
}

static const Server *default_server(const Carry *c, bool tls)
{
	const Server *found = NULL;

	for (const Server *s = c->servers; s; s = s->next) {
		if (!found && has_kind(s, tls))
			found = s;
		for (const Listen *l = s->listens; l; l = l->next)
			if (l->first && l->tls == tls)
				return s;
	}
	return found;
}

static void add_hosts(Hosts *h, const Server *s, const Server *by_default)
{
	size_t before = h->list.count;

	for (size_t i = 0; i < s->name_count; i++) {
		const Server *taken = find_host(h, s->names[i]);

		if (!taken)
			add_host(h, s, s->names[i]);
		else if (taken != s && !share_address(taken, s))
			carry_say(
				h->c, &h->c->out->top, s->scope.node,
				"%.*s is answered at line %u already, and routes do not look at addresses "
				"or ports",
				STR_ARG(s->names[i]), taken->scope.node->line);
	}
	if (s == by_default)
		add_host(h, s, S(""));
	else if (h->list.count == before && !share_address(s, by_default))
		carry_say(
			h->c, &h->c->out->top, s->scope.node,
			"it has no name of its own, and routes do not look at addresses or ports");
}

/* Does an `if` in it ask for this variable? */
static bool asks_for(const NginxNode *node, Str variable)
{
	for (; node; node = node->next) {
		if (node_is(node, "if") && str_find(node_word(node, 0), variable) >= 0)
			return true;
		if (node->block && asks_for(node->first, variable))
			return true;
	}
	return false;
}

static bool asks_for_host(const Server *s)
{
	return asks_for(s->scope.first, S("$host")) || asks_for(s->scope.first, S("$http_host"));
}

/* Does it ask whether the client used TLS? */
static bool asks_for_scheme(const Server *s)
{
	return asks_for(s->scope.first, S("$scheme")) || asks_for(s->scope.first, S("$https"));
}

/* A name of the default server needs no routes of its own, unless a wildcard of another server would take it. */
static bool is_needless(const Hosts *h, const Vhost *v, const Server *by_default)
{
	if (v->server != by_default || !v->host.len || asks_for_host(by_default))
		return false;
	for (size_t i = h->from; i < h->list.count; i++) {
		Str other = h->list.at[i].host;

		if (h->list.at[i].server != by_default && str_starts(other, S("*")) &&
		    str_ends(v->host, str_sub(other, 1, other.len)))
			return false;
	}
	return true;
}

static void add_kind(Hosts *h, bool tls)
{
	const Server *by_default = default_server(h->c, tls);
	size_t kept = h->list.count;

	h->tls = tls;
	h->from = kept;
	for (const Server *s = h->c->servers; s; s = s->next)
		if (has_kind(s, tls))
			add_hosts(h, s, by_default);
	for (size_t i = h->from; i < h->list.count; i++)
		if (!is_needless(h, &h->list.at[i], by_default))
			h->list.at[kept++] = h->list.at[i];
	h->list.count = kept;
}

/* Those who are the same with TLS and without need one set of routes. */
static void merge_kinds(VhostList *list, size_t plain)
{
	size_t kept = plain;

	for (size_t i = 0; i < list->count; i++)
		list->at[i].tell = true;
	for (size_t i = plain; i < list->count; i++) {
		Vhost *same = NULL;

		for (size_t k = 0; k < plain; k++)
			if (str_eq(list->at[k].host, list->at[i].host) &&
			    list->at[k].server == list->at[i].server)
				same = &list->at[k];
		if (same && !asks_for_scheme(same->server))
			same->tell = false;
		else
			list->at[kept++] = list->at[i];
	}
	list->count = kept;
}

/* Where TLS ends before nginx, those who ask what the proxy before said are asked twice. */
static void split_schemes(Hosts *h)
{
	size_t count = h->list.count;

	for (size_t i = 0; i < count; i++) {
		Vhost v = h->list.at[i];

		if (!asks_for(v.server->scope.first, S("$http_x_forwarded_proto")))
			continue;
		h->list.at[i].tell = true;
		h->tls = str_eq(v.scheme, S("http"));
		add_host(h, v.server, v.host);
		h->list.at[h->list.count - 1].tell = true;
	}
}

VhostList carry_vhosts(Carry *c)
{
	Hosts h = { .c = c };
	bool plain = false, tls = false;
	size_t plain_count;

	for (const Server *s = c->servers; s; s = s->next) {
		plain = plain || s->plain;
		tls = tls || s->tls;
	}
	if (plain)
		add_kind(&h, false);
	plain_count = h.list.count;
	if (tls)
		add_kind(&h, true);
	if (plain && tls)
		merge_kinds(&h.list, plain_count);
	else
		split_schemes(&h);
	return h.list;
}

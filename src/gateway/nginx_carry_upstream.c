/* SPDX-License-Identifier: Apache-2.0
 *
 * Where proxy_pass leads: an upstream block or an address of its own, and how it is spoken to. What nginx says at each
 * location (the Host it sends, TLS) is the upstream's with us, so one upstream block becomes two when its locations differ
 * in these. Names, not order, say which is the same: CarryBlock.key. */
#include "gateway/nginx_carry_parts.h"

#include "base/arena.h"
#include "gateway/address.h"
#include "gateway/conf_upstream.h"
#include "gateway/nginx_carry_text.h"

#include <string.h>

/* What stands after proxy_pass. */

bool proxy_target_split(Str text, ProxyTarget *out)
{
	static const struct {
		const char *scheme;
		bool tls, h2;
	} schemes[] = {
		{ "http://", false, false },
		{ "https://", true, false },
		{ "grpc://", false, true },
		{ "grpcs://", true, true },
	};
	ptrdiff_t end;

	*out = (ProxyTarget){ 0 };
	for (size_t i = 0; i < COUNT(schemes); i++)
		if (str_starts(text, str_of(schemes[i].scheme))) {
			text = str_sub(text, strlen(schemes[i].scheme), text.len);
			out->tls = schemes[i].tls;
			out->h2 = schemes[i].h2;
			break;
		}
	if (str_starts(text, S("unix:"))) {
		end = str_find_char(str_sub(text, 5, text.len), ':');
		end = end < 0 ? end : end + 5;
		out->authority = end < 0 ? text : str_sub(text, 0, (size_t)end);
		out->path = end < 0 ? (Str){ 0 } : str_sub(text, (size_t)end + 1, text.len);
		return out->authority.len > 5;
	}
	end = str_find_char(text, '/');
	out->authority = end < 0 ? text : str_sub(text, 0, (size_t)end);
	out->path = end < 0 ? (Str){ 0 } : str_sub(text, (size_t)end, text.len);
	return out->authority.len > 0;
}

static NginxNode *find_group(const Carry *c, Str name)
{
	NginxNode *node = scope_own(&c->http, "upstream");

	while (node && (!node->block || !str_eq_nocase(node_word(node, 0), name)))
		node = node_same(node);
	return node;
}

static Str with_port(Arena *a, Str authority, const char *port)
{
	if (str_starts(authority, S("unix:")) ||
	    str_rfind_char(authority, ':') > str_rfind_char(authority, ']'))
		return authority;
	return str_fmt(a, "%.*s:%s", STR_ARG(authority), port);
}

bool proxy_target_is_sound(const Carry *c, const ProxyTarget *target)
{
	const NginxNode *group = find_group(c, target->authority);

	if (!group)
		return !verify_server(c->arena, proxy_target_address(c->arena, target));
	for (const NginxNode *node = group->first; node; node = node->next)
		if (node_is(node, "server") &&
		    !verify_server(c->arena, with_port(c->arena, node_word(node, 0), "80")))
			return true;
	return false;
}

Str proxy_target_address(Arena *a, const ProxyTarget *target)
{
	return with_port(a, target->authority, target->tls ? "443" : "80");
}

/* Servers of a group. */

typedef struct Member {
	Str address;
	uint32_t weight;
	Str max_connections;
} Member;

typedef struct Group {
	Carry *c;
	CarryBlock *block;
	Member *at;
	size_t count;
	bool failures; /* said already */
} Group;

static void set_outlier(Group *g, NginxNode *node, const char *key, Str value)
{
	const CarryItem *item = carry_find(g->block, key);

	if (item && !str_eq(item->value, value))
		carry_differs(g->c, g->block, node,
		              "outlier is the same for all servers: the first counts");
	else
		carry_set(g->c->arena, g->block, key, value);
}

static bool number_of(Str word, const char *name, uint64_t *n)
{
	return str_starts(word, str_of(name)) &&
	       str_to_u64(str_sub(word, strlen(name), word.len), n);
}

static void read_failures(Group *g, NginxNode *node, Str word)
{
	uint64_t n;
	int64_t us;

	if (number_of(word, "max_fails=", &n))
		set_outlier(g, node, "outlier.failures",
		            str_fmt(g->c->arena, "%u", (unsigned)MIN(n, UINT64_C(1000))));
	else if (text_read_time(str_sub(word, strlen("fail_timeout="), word.len), &us) && us)
		set_outlier(g, node, "outlier.ejection",
		            text_time(g->c->arena, us, 100000, INT64_C(300000000)));
}

static void read_member_word(Group *g, NginxNode *node, Str word, Member *m)
{
	uint64_t n;
	int64_t us;

	if (number_of(word, "weight=", &n)) {
		if (n > 256)
			carry_differs(g->c, g->block, node, "a weight is 256 at most");
		m->weight = (uint32_t)MIN(n, UINT64_C(256));
	} else if (number_of(word, "max_conns=", &n)) {
		m->max_connections = str_fmt(g->c->arena, "%u", (unsigned)MIN(n, UINT64_C(100000)));
	} else if (str_eq(word, S("down")) || str_eq(word, S("drain"))) {
		m->weight = 0;
	} else if (str_eq(word, S("backup"))) {
		m->weight = 0;
		carry_say(
			g->c, g->block, node,
			"there are no backup servers: weight 0, it takes nothing until you raise that");
	} else if (str_starts(word, S("max_fails=")) || str_starts(word, S("fail_timeout="))) {
		read_failures(g, node, word);
	} else if (str_starts(word, S("slow_start="))) {
		if (text_read_time(str_sub(word, 11, word.len), &us))
			carry_set(g->c->arena, g->block, "slow_start",
			          text_time(g->c->arena, us, 0, INT64_C(3600000000)));
	} else if (!str_eq(word, S("resolve"))) {
		carry_say(g->c, g->block, node, "%.*s is not known here", STR_ARG(word));
	}
}

static Member *find_member(Group *g, Str address)
{
	AddressConf x, y;

	address_split(address, &x);
	for (size_t i = 0; i < g->count; i++)
		if (address_split(g->at[i].address, &y) && address_same(&x, &y))
			return &g->at[i];
	return NULL;
}

static void read_member(Group *g, NginxNode *node)
{
	Member m = { .weight = 1 }, *same;

	m.address = with_port(g->c->arena, node_word(node, 0), "80");
	if (!carry_checks(g->c, g->block, node, verify_server, m.address))
		return;
	for (size_t i = 1; i < node->count; i++)
		read_member_word(g, node, node->words[i], &m);
	node->fate = MAX(node->fate, (uint8_t)FATE_TAKEN);
	same = find_member(g, m.address);
	if (same)
		same->weight = MIN(same->weight + m.weight, 256U);
	else if (g->count < GATEWAY_SERVERS)
		g->at[g->count++] = m;
	else
		carry_say(g->c, g->block, node, "an upstream has 1024 servers at most");
}

static void put_members(Group *g)
{
	Arena *a = g->c->arena;
	CarryItem *servers = carry_item(a, g->block, "servers");
	uint32_t weights = 0;
	Str text = S("[");

	for (size_t i = 0; i < g->count; i++)
		weights += g->at[i].weight;
	for (size_t i = 0; i < g->count; i++) {
		const Member *m = &g->at[i];
		Str one = carry_scalar(a, m->address);
		uint32_t weight = weights ? m->weight : 1;

		if (weight != 1 || m->max_connections.len)
			one = str_fmt(a, "{ address: %.*s", STR_ARG(one));
		if (weight != 1)
			one = str_fmt(a, "%.*s, weight: %u", STR_ARG(one), weight);
		if (m->max_connections.len)
			one = str_fmt(a, "%.*s, max_connections: %.*s", STR_ARG(one),
			              STR_ARG(m->max_connections));
		text = str_fmt(a, "%.*s%s%.*s%s", STR_ARG(text), i ? ", " : " ", STR_ARG(one),
		               weight != 1 || m->max_connections.len ? " }" : "");
	}
	servers->value = str_fmt(a, "%.*s ]", STR_ARG(text));
}

/* Other directives of a group. */

typedef void GroupHandler(Group *g, NginxNode *node);

static void group_least_conn(Group *g, NginxNode *node)
{
	(void)node;
	carry_set(g->c->arena, g->block, "balance", S("least_request"));
}

static void group_least_time(Group *g, NginxNode *node)
{
	(void)node;
	carry_set(g->c->arena, g->block, "balance", S("ewma"));
}

static void group_ip_hash(Group *g, NginxNode *node)
{
	(void)node;
	carry_set(g->c->arena, g->block, "balance", S("hash"));
	carry_set(g->c->arena, g->block, "hash_on", S("peer"));
}

/* "$http_x_user" is the header x-user. */
static Str hash_header(Arena *a, Str name)
{
	char *text = arena_alloc_raw(a, name.len + 1);

	for (size_t i = 0; i < name.len; i++)
		text[i] = name.at[i] == '_' ? '-' : name.at[i];
	return str_fmt(a, "header:%.*s", (int)name.len, text);
}

static void group_hash(Group *g, NginxNode *node)
{
	Str key = node_word(node, 0), on = S("");
	Arena *a = g->c->arena;

	if (str_eq(key, S("$remote_addr")) || str_eq(key, S("$binary_remote_addr")))
		on = S("peer");
	else if (str_starts(key, S("$cookie_")))
		on = str_fmt(a, "cookie:%.*s", (int)key.len - 8, key.at + 8);
	else if (str_starts(key, S("$http_")))
		on = hash_header(a, str_sub(key, 6, key.len));
	if (!on.len || verify_hash_on(a, on)) {
		carry_say(
			g->c, g->block, node,
			"hash_on is peer, header:NAME or cookie:NAME; without it servers take turns");
		return;
	}
	carry_set(a, g->block, "balance", S("hash"));
	carry_set_text(a, g->block, "hash_on", on);
}

static void group_keepalive(Group *g, NginxNode *node)
{
	uint64_t n;

	if (str_to_u64(node_word(node, 0), &n))
		carry_set(g->c->arena, g->block, "keepalive.idle_per_loop",
		          str_fmt(g->c->arena, "%u", (unsigned)MIN(n, UINT64_C(10000))));
}

static void group_keepalive_requests(Group *g, NginxNode *node)
{
	uint64_t n;

	if (str_to_u64(node_word(node, 0), &n))
		carry_set(g->c->arena, g->block, "keepalive.requests",
		          str_fmt(g->c->arena, "%u", (unsigned)MIN(n, (uint64_t)UINT32_MAX)));
}

static void group_keepalive_timeout(Group *g, NginxNode *node)
{
	int64_t us;

	if (text_read_time(node_word(node, 0), &us))
		carry_set(g->c->arena, g->block, "keepalive.idle_time",
		          text_time(g->c->arena, us, 0, INT64_C(3600000000)));
}

static void group_queue(Group *g, NginxNode *node)
{
	uint64_t n;

	if (str_to_u64(node_word(node, 0), &n))
		carry_set(g->c->arena, g->block, "queue.length",
		          str_fmt(g->c->arena, "%u", (unsigned)MIN(n, UINT64_C(100000))));
}

/* Those without a handler are settled by us: servers are known to all threads, names are looked up again and again. */
static const struct {
	const char *name;
	GroupHandler *handle;
} group_rows[] = {
	{ "server", read_member },
	{ "least_conn", group_least_conn },
	{ "least_time", group_least_time },
	{ "random", group_least_conn },
	{ "ip_hash", group_ip_hash },
	{ "hash", group_hash },
	{ "keepalive", group_keepalive },
	{ "keepalive_requests", group_keepalive_requests },
	{ "keepalive_timeout", group_keepalive_timeout },
	{ "keepalive_time", NULL },
	{ "queue", group_queue },
	{ "zone", NULL },
	{ "state", NULL },
	{ "resolver", NULL },
	{ "resolver_timeout", NULL },
};

static void read_group_node(Group *g, NginxNode *node)
{
	for (size_t i = 0; i < COUNT(group_rows); i++) {
		if (!node_is(node, group_rows[i].name))
			continue;
		node->fate = MAX(node->fate, (uint8_t)FATE_TAKEN);
		if (group_rows[i].handle)
			group_rows[i].handle(g, node);
		return;
	}
	carry_say(g->c, g->block, node, "it is not known here");
}

static void read_group(Carry *c, CarryBlock *block, const NginxNode *node)
{
	Group g = { .c = c, .block = block };
	size_t count = 0;

	for (const NginxNode *at = node->first; at; at = at->next)
		count += node_is(at, "server");
	g.at = ARENA_ARRAY(c->arena, Member, count + 1);
	carry_item(c->arena, block, "servers");
	if (count > 1)
		carry_set(c->arena, block, "balance", S("round_robin"));
	for (NginxNode *at = node->first; at; at = at->next)
		read_group_node(&g, at);
	put_members(&g);
}

/* An upstream as locations see it. */

static Str unused_name(const Carry *c, Str base)
{
	Str name = base;

	for (unsigned n = 2;; n++) {
		const CarryBlock *at = c->out->upstreams;

		while (at && !str_eq(at->name, name))
			at = at->next;
		if (!at)
			return name;
		name = str_fmt(c->arena, "%.*s-%u", STR_ARG(base), n);
	}
}

static Str base_name(Carry *c, Str authority)
{
	ptrdiff_t slash = str_rfind_char(authority, '/');
	Str name = slash < 0 ? authority : str_sub(authority, (size_t)slash + 1, authority.len);

	if (slash >= 0 && str_ends(name, S(".sock")))
		name.len -= 5;
	return text_name(c->arena, name, S("upstream"));
}

/* "$host" or nothing: what is sent as Host. */
static Str host_header(Place *p, const ProxyTarget *target, bool group)
{
	NginxNode *node = scope_find(p->scope, "proxy_set_header");
	Str value;

	while (node && !str_eq_nocase(node_word(node, 0), S("Host")))
		node = node_same(node);
	value = node ? node_word(node, 1) : S("$proxy_host");
	if (str_eq(value, S("$proxy_host")) || str_eq(value, target->authority)) {
		if (group)
			carry_differs(
				p->c, p->upstream, p->pass,
				"nginx sends \"Host: %.*s\", here it is the server's address; host_header: "
				"preserve is what Django expects",
				STR_ARG(target->authority));
		return S("server");
	}
	if (!str_starts(value, S("$host")) && !str_starts(value, S("$http_host")) &&
	    !str_eq(value, p->vhost->host) &&
	    !(str_eq(value, S("$server_name")) && str_eq(p->vhost->server->name, p->vhost->host)))
		carry_say(p->c, p->route, node,
		          "Host is what the client sent or the server's address");
	return S("preserve");
}

static void set_file(Place *p, const char *directive, const char *key)
{
	NginxNode *node = scope_find(p->scope, directive);
	Str path = node ? node_word(node, 0) : S("");

	if (!path.len)
		return;
	node->fate = FATE_TAKEN;
	if (!str_starts(path, S("/")))
		path = text_join(p->c->arena, p->c->folder, path);
	carry_set_text(p->c->arena, p->upstream, key, path);
}

static void set_tls(Place *p)
{
	const NginxNode *verify = scope_find(p->scope, "proxy_ssl_verify");
	NginxNode *name = scope_find(p->scope, "proxy_ssl_name");
	bool checked = verify && str_eq(node_word(verify, 0), S("on"));

	carry_set(p->c->arena, p->upstream, "tls.verify", checked ? S("on") : S("off"));
	if (!checked)
		carry_item(p->c->arena, p->upstream, "tls")->comment = S(
			"nginx does not check the server's certificate unless told to: turn this on");
	set_file(p, "proxy_ssl_trusted_certificate", "tls.ca");
	if (scope_find(p->scope, "proxy_ssl_certificate") &&
	    scope_find(p->scope, "proxy_ssl_certificate_key")) {
		set_file(p, "proxy_ssl_certificate", "tls.certificate");
		set_file(p, "proxy_ssl_certificate_key", "tls.key");
	}
	if (name && !verify_ca_name(p->c->arena, str_lower(p->c->arena, node_word(name, 0))))
		carry_set_text(p->c->arena, p->upstream, "tls.server_name",
		               str_lower(p->c->arena, node_word(name, 0)));
	else if (name)
		carry_say(p->c, p->upstream, name,
		          "server_name is one name; without it the server's host");
}

static CarryBlock *find_same(const Carry *c, const CarryBlock *block)
{
	for (CarryBlock *at = c->out->upstreams; at; at = at->next)
		if (str_eq(at->key, block->key))
			return at;
	return NULL;
}

/* All that tells it from other upstreams of the same servers. */
static Str key_of(Carry *c, const ProxyTarget *target, const CarryBlock *draft)
{
	Str key = str_fmt(c->arena, "%.*s %d %d", STR_ARG(target->authority), target->tls,
	                  target->h2);

	for (const CarryItem *at = draft->first; at; at = at->next)
		key = str_fmt(c->arena, "%.*s %.*s", STR_ARG(key),
		              STR_ARG(carry_flow(c->arena, at)));
	return key;
}

static void append_items(CarryBlock *block, CarryItem *items)
{
	CarryItem **last = &block->first;

	while (*last)
		last = &(*last)->next;
	*last = items;
}

static void append_notes(CarryBlock *block, CarryNote *notes)
{
	CarryNote **last = &block->notes;

	while (*last)
		last = &(*last)->beside;
	*last = notes;
}

void carry_upstream(Place *p, const ProxyTarget *target)
{
	Carry *c = p->c;
	CarryBlock draft = { 0 }, *same;
	NginxNode *group = find_group(c, target->authority);
	Str host;

	p->upstream = &draft;
	host = host_header(p, target, group != NULL);
	if (target->tls)
		set_tls(p);
	if (!str_eq(host, S("preserve")))
		carry_set(c->arena, &draft, "host_header", host);
	if (target->h2)
		carry_set(c->arena, &draft, "protocol", S("h2"));
	draft.key = key_of(c, target, &draft);
	same = find_same(c, &draft);
	if (!same) {
		same = carry_block(c, &c->upstream_tail,
		                   unused_name(c, base_name(c, target->authority)));
		same->key = draft.key;
		if (group)
			read_group(c, same, group);
		else
			carry_append(c->arena, carry_item(c->arena, same, "servers"),
			             proxy_target_address(c->arena, target));
		append_items(same, draft.first);
	}
	append_notes(same, draft.notes);
	if (group)
		group->fate = FATE_TAKEN;
	p->upstream = same;
	carry_set(c->arena, p->route, "to", carry_scalar(c->arena, same->name));
}

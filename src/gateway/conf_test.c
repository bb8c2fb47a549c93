/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conf.c"
#include "gateway/conf_check.c"
#include "unit.h"

#include <fcntl.h>

static Str mistakes_of(Arena *a, Str text)
{
	AUTO(buf_fini) Buf b = { 0 };
	Conf *conf = conf_new(a);
	GatewayConf *g = NULL;
	Err *err = gateway_conf_read(a, conf, S("b.yaml"), text, &g);

	if (err)
		CHECK_ERR(err, "conf.invalid");
	else
		for (size_t i = 0; i < g->warnings.count; i++)
			buf_fmt(&b, "warning: %.*s\n", STR_ARG(g->warnings.at[i]));
	conf_put_mistakes(conf, &b);
	return str_dup(a, buf_str(&b));
}

static GatewayConf *good(Arena *a, Str text)
{
	GatewayConf *g = NULL;

	CHECK_OK(gateway_conf_read(a, conf_new(a), S("b.yaml"), text, &g));
	return g;
}

TEST(rows_fit_their_fields_and_have_a_help)
{
	CHECK_OK(conf_check_table(a, gateway_conf_table()));
}

#define SMALL \
	"listen: [ 127.0.0.1:8080 ]\n" \
	"upstreams: { shop: { servers: [ 127.0.0.1:8000 ] } }\n" \
	"routes: [ { name: all, to: shop } ]\n"

TEST(the_smallest_configuration_has_sensible_defaults)
{
	const GatewayConf *g = good(a, S(SMALL));
	const UpstreamConf *u = &g->upstreams.at[0];
	const RouteConf *r = &g->routes.at[0];

	CHECK_INT(g->listen.count, 1);
	CHECK_STR(g->listen.at[0].address.host, S("127.0.0.1"));
	CHECK_INT(g->listen.at[0].address.port, 8080);
	CHECK(g->listen.at[0].http2 && !g->listen.at[0].h2c && !g->listen.at[0].tls.count);
	CHECK(g->admin.on && !g->admin.token.len);
	CHECK_INT(g->admin.address.port, 8081);
	CHECK_INT(g->limits.head_bytes, 32768);
	CHECK_INT(g->limits.line_bytes, 8192);
	CHECK_INT(g->limits.headers, 100);
	CHECK_INT(g->limits.head_us, 10000000);
	CHECK_INT(g->access_log.to, ACCESS_STDOUT);
	CHECK_INT(g->access_log.query, ACCESS_QUERY_REDACT);
	CHECK_STR(g->request_id.header, S("X-Request-Id"));
	CHECK_INT(g->request_id.trust, ID_TRUST_PROXIES);
	CHECK_INT(g->drain.timeout_us, 30000000);
	CHECK(!g->trust.count && !g->trust.unix_peers);
	CHECK_STR(u->name, S("shop"));
	CHECK_INT(u->balance, BALANCE_LEAST_REQUEST);
	CHECK_INT(u->servers.at[0].weight, 1);
	CHECK_INT(u->keepalive.idle_us, 1500000); /* below gunicorn's 2 s */
	CHECK_INT(u->retry.attempts, 2);
	CHECK_INT(u->retry.mask, 1 << RETRY_CONNECT | 1 << RETRY_REFUSED | 1 << RETRY_RESET);
	CHECK_INT(u->retry.budget_ppm, 200000);
	CHECK(!u->has_health && !u->has_tls && !u->max_connections);
	CHECK_INT(u->hash_kind, HASH_ON_PEER);
	CHECK_INT(u->timeouts.connect_us, 1000000);
	CHECK(r->upstream == u);
	CHECK_STR(r->match.host, S("*"));
	CHECK_STR(r->match.path, S("/**"));
	CHECK_INT(r->body_bytes, 100 << 20);
	CHECK_INT(r->timeouts.head_us, 15000000);
}

TEST(every_key_reaches_its_field)
{
	const GatewayConf *g = good(
		a,
		S("listen:\n  - { address: ':0', h2c: on }\n  - unix:/run/b.sock\n"
	          "admin: { address: 0.0.0.0:9, token: 0123456789abcdef }\n"
	          "upstreams:\n"
	          "  a:\n"
	          "    servers: [ { address: 'db.internal:80', weight: 7, max_connections: 3 }, '[::1]:81', unix:/x ]\n"
	          "    balance: hash\n    hash_on: cookie:sid\n    max_connections: 9\n    queue: 0\n"
	          "    health: { path: /ok, interval: 5s, timeout: 2s, fall: 4, rise: 5, status: 204, host: h }\n"
	          "    timeouts: { connect: 2s, head: 3s, idle: 4s, request: 0 }\n"
	          "    retry: { attempts: 3, on: [ '502', timeout ], budget: 5%, budget_min: 1 }\n"
	          "    protocol: h2\n    tls: { verify: on, server_name: db }\n"
	          "    keepalive: { idle_per_loop: 1, idle_time: 1s, requests: 10 }\n    host_header: server\n"
	          "  b: { servers: [ 'x:1' ], retry: 1 }\n"
	          "routes:\n"
	          "  - { name: r, match: { host: '*.x.org', path: '/api/{v}/**', methods: [ GET, POST ] }, to: a,\n"
	          "      strip_prefix: /api, timeouts: { head: 9s }, body: 1KiB }\n"
	          "  - { name: s, match: /plain, to: b, body: 0 }\n"
	          "limits: { head: 2KiB, line: 1KiB, headers: 20, body: 5, idle: 1s, body_rate: 10, connections: 4 }\n"
	          "access_log: { to: off, format: text, query: drop }\n"
	          "trusted_proxies: [ 10.0.0.0/8, unix ]\n"
	          "request_id: { header: X-Trace, trust: never }\n"
	          "paths: { encoded_slash: on }\ndrain: 5s\nthreads: 2\n"));
	const UpstreamConf *u = &g->upstreams.at[0];
	const RouteConf *r = &g->routes.at[0];

	CHECK(g->listen.at[0].h2c && g->listen.at[0].address.port == 0 &&
	      !g->listen.at[0].address.host.len);
	CHECK_STR(g->listen.at[1].address.unix_path, S("/run/b.sock"));
	CHECK_STR(g->admin.token, S("0123456789abcdef"));
	CHECK_STR(u->servers.at[0].address.host, S("db.internal"));
	CHECK_INT(u->servers.at[0].max_connections, 3);
	CHECK_STR(u->servers.at[1].address.host, S("::1"));
	CHECK_STR(u->servers.at[2].address.unix_path, S("/x"));
	CHECK(u->balance == BALANCE_HASH && u->hash_kind == HASH_ON_COOKIE &&
	      u->max_connections == 9 && !u->queue.length);
	CHECK_STR(u->hash_name, S("sid"));
	CHECK(u->has_health && u->health.status_min == 204 && u->health.status_max == 204 &&
	      u->health.fall == 4);
	CHECK_INT(u->retry.mask, 1 << RETRY_502 | 1 << RETRY_TIMEOUT);
	CHECK(u->retry.budget_ppm == 50000 && u->retry.budget_min == 1 &&
	      u->protocol == UPSTREAM_H2 && u->has_tls);
	CHECK(u->keepalive.requests == 10 && u->host_header == HOST_SERVER);
	CHECK_INT(g->upstreams.at[1].retry.attempts, 1);
	CHECK_INT(r->match.methods.count, 2);
	CHECK_INT(r->timeouts.head_us, 9000000);    /* its own */
	CHECK_INT(r->timeouts.connect_us, 2000000); /* the upstream's */
	CHECK_INT(r->timeouts.request_us, 0);
	CHECK_INT(r->body_bytes, 1024);
	CHECK_INT(g->routes.at[1].body_bytes, 0);
	CHECK_STR(g->routes.at[1].match.path, S("/plain"));
	CHECK(g->access_log.to == ACCESS_OFF && g->access_log.format == ACCESS_TEXT);
	CHECK(g->trust.count == 1 && g->trust.unix_peers);
	CHECK(g->paths.encoded_slash && g->threads == 2 && g->drain.timeout_us == 5000000);
	CHECK_INT(g->warnings.count, 0);
}

TEST(mistakes_have_their_place)
{
	static const struct {
		const char *text, *want; /* want: within the messages; "" none at all */
	} cases[] = {
		{ SMALL, "" },
		{ "", "b.yaml: gateway needs the key \"listen\"" },
		{ "", "b.yaml: gateway needs the key \"routes\"" },
		{ "listen: []\n", "b.yaml:1:9: listen: must not be empty" },
		{ "listen: [ 127.0.0.1:80 ]\nupstreams: { s: { servers: [ 'h:1' ] } }\nroutes: []\n",
		  "b.yaml:3:9: routes: must not be empty" },
		{ SMALL "limit: { head: 1KiB }\n",
		  "b.yaml:4:1: gateway has no key \"limit\": did you mean limits?" },
		{ SMALL "limits: { head: 1KiB, line: 2KiB }\n",
		  "b.yaml:4:29: line: is a part of the head" },
		{ SMALL "admin: 0.0.0.0:9\n",
		  "b.yaml:4:8: admin: other machines reach 0.0.0.0:9, so a token is needed" },
		{ SMALL
		  "admin: { token: 0123456789abcdef, tokens: [ { name: x, token: 0123456789abcdef } ] }\n",
		  "b.yaml:4:63: token: somebody else has this one" },
		{ SMALL "admin: { tokens: [ { name: admin, token: 0123456789abcdef } ] }\n",
		  "b.yaml:4:28: name: admin is who comes with admin.token" },
		{ SMALL "admin: { address: ':9', token: short }\n",
		  "4:32: token: the secret is not as expected" },
		{ SMALL "admin: 127.0.0.1:8080\n", "b.yaml:4:8: admin: clients are listened for" },
		{ SMALL "trusted_proxies: [ 10.0.0.1/8 ]\n",
		  "b.yaml:4:20: trusted_proxies: \"10.0.0.1/8\": the address has bits" },
		{ SMALL "access_log: log.txt\n", "b.yaml:4:13: to: \"log.txt\": expected stdout" },
		{ SMALL "request_id: Content-Length\n",
		  "4:13: header: \"Content-Length\": it is no header that can" },
		{ SMALL "request_id: x_id\n", "it is no header that can" },
		{ SMALL "errors: { html: /nowhere.html }\n",
		  "b.yaml:4:17: /nowhere.html: No such file" },
		{ SMALL "request_id: { trust: always }\n",
		  "warning: b.yaml:4:22: trust: always lets" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		Str got = mistakes_of(a, str_of(cases[i].text));

		NOTE("case %zu wants '%s' of '%.*s'", i, cases[i].want, STR_ARG(got));
		CHECK(cases[i].want[0] ? str_find(got, str_of(cases[i].want)) >= 0 : got.len == 0);
	}
}

TEST(mistakes_of_listeners_have_their_place)
{
	static const struct {
		const char *listen, *want;
	} cases[] = {
		{ "[ ':80', ':80' ]", "b.yaml:1:18: address: :80 is listened on already" },
		{ "[ ':0', ':0' ]", "" },
		{ "[ localhost:80 ]",
		  "b.yaml:1:11: address: \"localhost:80\": a listener needs an address" },
		{ "[ '80' ]", "expected address:port" },
		{ "[ '1.2.3.4:99999' ]", "a port is at most 65535" },
		{ "[ 'http://1.2.3.4:80' ]", "an address has no http:// before it" },
		{ "[ 'https://1.2.3.4' ]",
		  "an address has no https:// before it: that is the key tls" },
		{ "[ '[::g]:80' ]", "expected address:port" },
		{ "[ { address: ':1', tls: [ { certificate: no.pem, key: no.pem } ] } ]",
		  "b.yaml:1:50: no.pem: No such file" },
		{ "[ { address: ':1', h2c: on, tls: [ { certificate: /dev/null, key: /dev/null } ] } ]",
		  "b.yaml:1:33: h2c: is for ports without tls" },
		{ "[ { address: ':1', tls: [ { certificate: /dev/null } ] } ]",
		  "certificate needs the key \"key\"" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		Str text = str_fmt(
			a,
			"listen: %s\nupstreams: { s: { servers: [ 'h:1' ] } }\nroutes: [ { name: r, to: s } ]\n",
			cases[i].listen);
		Str got = mistakes_of(a, text);

		NOTE("case %zu wants '%s' of '%.*s'", i, cases[i].want, STR_ARG(got));
		CHECK(cases[i].want[0] ? str_find(got, str_of(cases[i].want)) >= 0 : got.len == 0);
	}
}

TEST(mistakes_of_upstreams_have_their_place)
{
	static const struct {
		const char *upstream, *want;
	} cases[] = {
		{ "{}", "1:14: upstream needs the key \"servers\"" },
		{ "{ servers: [] }", "b.yaml:1:28: servers: must not be empty" },
		{ "{ servers: [ 'h:1', 'H:1' ] }",
		  "b.yaml:1:37: address: H:1 is a server of s already" },
		{ "{ servers: [ { address: 'h:1', weight: 0 }, { address: 'h:2', weight: 0 } ] }",
		  "servers: all of them have weight 0" },
		{ "{ servers: [ { address: 'h:1', weight: 0 }, 'h:2' ] }", "" },
		{ "{ servers: [ h ] }", "b.yaml:1:30: address: \"h\": expected host:port" },
		{ "{ servers: [ ':80' ] }", "a server needs a host and a port" },
		{ "{ servers: [ 'h:0' ] }", "a server needs a host and a port" },
		{ "{ servers: [ 'h:1' ], balance: random }", "balance: " },
		{ "{ servers: [ 'h:1' ], balance: hash, hash_on: ip }",
		  "expected peer, header:NAME or cookie:NAME" },
		{ "{ servers: [ 'h:1' ], hash_on: header:X-User }",
		  "warning: b.yaml:1:48: hash_on: is looked at only" },
		{ "{ servers: [ 'h:1' ], health: /up }", "" },
		{ "{ servers: [ 'h:1' ], health: up }", "it must begin with" },
		{ "{ servers: [ 'h:1' ], health: { path: /, status: 100-200 } }",
		  "expected 200 or 200-399" },
		{ "{ servers: [ 'h:1' ], health: { path: /, status: 300-200 } }",
		  "expected 200 or 200-399" },
		{ "{ servers: [ 'h:1' ], health: { path: /, timeout: 3s } }",
		  "the timeout is longer than the interval" },
		{ "{ servers: [ 'h:1' ], tls: { ca: /no.pem } }", "/no.pem: No such file" },
		{ "{ servers: [ 'h:1' ], tls: { verify: off } }",
		  "warning: b.yaml:1:54: verify: off" },
		{ "{ servers: [ 'h:1' ], retry: 0 }", "attempts" },
		{ "{ servers: [ 'h:1' ], keepalive: { idle_time: 5s } }",
		  "warning: b.yaml:1:63: idle_time: gunicorn" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		Str text = str_fmt(
			a,
			"upstreams: { s: %s }\nlisten: [ ':1' ]\nroutes: [ { name: r, to: s } ]\n",
			cases[i].upstream);
		Str got = mistakes_of(a, text);

		NOTE("case %zu wants '%s' of '%.*s'", i, cases[i].want, STR_ARG(got));
		CHECK(cases[i].want[0] ? str_find(got, str_of(cases[i].want)) >= 0 : got.len == 0);
	}
}

TEST(mistakes_of_routes_have_their_place)
{
	static const struct {
		const char *routes, *want;
	} cases[] = {
		{ "[ { name: r, to: shop, files: /tmp } ]", "" },
		{ "[ { name: r, to: shop, files: /tmp, request_headers: { remove: [ X-A ] } } ]",
		  "" },
		{ "[ { name: r, to: shop, redirect: /x } ]", "route r: exactly one of to, files" },
		{ "[ { name: r, files: /tmp, answer: x } ]", "route r: exactly one of to, files" },
		{ "[ { name: r, files: /tmp, sendfile: /tmp } ]",
		  "sendfile: is for routes with to" },
		{ "[ { name: r, to: shpo } ]",
		  "b.yaml:1:26: to: there is no upstream \"shpo\": did you mean shop?" },
		{ "[ { name: r, to: elsewhere } ]", "to: there is no upstream \"elsewhere\"\n" },
		{ "[ { name: r, to: shop }, { name: r, match: /x, to: shop } ]",
		  "1:42: name: \"r\" is taken already, in line 1" },
		{ "[ { name: a, to: shop }, { name: b, match: /**, to: shop } ]",
		  "warning: b.yaml:1:42: route b can never be taken: a takes all that it could" },
		{ "[ { name: a, match: '~ ^/(x', to: shop } ]",
		  "b.yaml:1:29: path: \"^/(x\": missing closing parenthesis, at letter 5" },
		{ "[ { name: a, match: '~', to: shop } ]", "path: \"~\": expected \"~\", a blank" },
		{ "[ { name: a, match: '~ ^/api/\\d', strip_prefix: /api, to: shop } ]", "" },
		{ "[ { name: a, match: '~ ^/api\\d', strip_prefix: /api, to: shop } ]",
		  "strip_prefix: /api is not the start" },
		{ "[ { name: a, match: '~ /api/\\d', strip_prefix: /api, to: shop } ]",
		  "strip_prefix: /api is not the start" },
		{ "[ { name: a, match: { headers: { A: { pattern: '(' } } }, to: shop } ]",
		  "pattern: \"(\": missing closing" },
		{ "[ { name: a, match: { headers: { A: { is: x, absent: on } } }, to: shop } ]",
		  "b.yaml:1:42: A: exactly one of is" },
		{ "[ { name: a, match: { headers: { host: x } }, to: shop } ]",
		  "host: is what match.host looks at" },
		{ "[ { name: a, match: { headers: { X-A: x, x-a: y } }, to: shop } ]",
		  "x-a: is there already as X-A" },
		{ "[ { name: a, match: { headers: { 'X A': x } }, to: shop } ]",
		  "X A: is no name of a header" },
		{ "[ { name: a, match: { cookies: { 'a;b': x } }, to: shop } ]",
		  "a;b: is no name of a cookie" },
		{ "[ { name: a, match: { query: { 'page[number]': x } }, to: shop } ]", "" },
		{ "[ { name: a, match: { headers: { X-A: x }, query: { q: '*' }, cookies: { c: { pattern: ^x } } }, to: shop } ]",
		  "" },
		{ "[ { name: a b, to: shop } ]", "a name has letters" },
		{ "[ { name: a, to: shop, strip_prefix: /api } ]",
		  "1:46: strip_prefix: /api is not the start of the route's" },
		{ "[ { name: a, to: shop, match: /apix/**, strip_prefix: /api } ]",
		  "strip_prefix: /api is not the start" },
		{ "[ { name: a, to: shop, match: /api/**, strip_prefix: /api } ]", "" },
		{ "[ { name: a, to: shop, match: /api, strip_prefix: / } ]",
		  "expected a plain path" },
		{ "[ { name: a, to: shop, match: { path: /a//b } } ]",
		  "b.yaml:1:47: path: \"/a//b\": an empty segment" },
		{ "[ { name: a, to: shop, match: { host: A.org } } ]",
		  "b.yaml:1:47: host: \"A.org\": host names are" },
		{ "[ { name: a, to: shop, match: { methods: [ get ] } } ]",
		  "methods: \"get\": methods are written" },
		{ "[ { name: a, to: shop, match: { methods: [ 'G T' ] } } ]", "it is no method" },
		{ "[ { name: a, to: shop, match: { methods: [ CONNECT ] } } ]", "it is no method" },
		{ "[ { name: a, match: /x, to: other }, { name: b, to: other } ]",
		  "warning: b.yaml:3:14: upstream shop is used by no route" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		Str text = str_fmt(
			a,
			"routes: %s\nlisten: [ ':1' ]\nupstreams: { shop: { servers: [ 'h:1' ] }, other: "
			"{ servers: [ 'h:2' ] } }\n",
			cases[i].routes);
		Str got = mistakes_of(a, text);

		NOTE("case %zu wants '%s' of '%.*s'", i, cases[i].want, STR_ARG(got));
		if (cases[i].want[0])
			CHECK(str_find(got, str_of(cases[i].want)) >= 0);
		else
			CHECK(str_find(got, S("b.yaml:1")) < 0);
	}
}

TEST(prints_as_yaml_that_reads_back_the_same)
{
	AUTO(buf_fini) Buf one = { 0 }, two = { 0 };

	conf_put_yaml(&one, gateway_conf_table(), good(a, S(SMALL)));
	conf_put_yaml(&two, gateway_conf_table(), good(a, buf_str(&one)));
	CHECK_STR(buf_str(&two), buf_str(&one));
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/explain.c"
#include "base/file.h"
#include "base/json.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static const char conf_text[] =
	"listen: [ '127.0.0.1:0' ]\n"
	"trusted_proxies: [ 10.0.0.0/8 ]\n"
	"upstreams:\n"
	"  shop: { servers: [ 'a:80', { address: 'b:80', weight: 0 } ] }\n"
	"  new: { servers: [ 'c:80' ], balance: round_robin, host_header: server }\n"
	"routes:\n"
	"  - { name: all, to: shop }\n"
	"  - { name: users, match: { path: '/users/{id}', methods: [ GET, POST ] }, to: shop, rewrite: '/u/{id}',\n"
	"      request_headers: { set: { X-Who: '{id}' }, remove: [ Cookie ] },\n"
	"      response_headers: { set: { X-A: '{id}' }, remove: [ Server ] } }\n"
	"  - { name: beta, match: { path: '/users/{id}', headers: { X-Beta: '1' }, cookies: { c: { absent: on } },\n"
	"      query: { q: '*' } }, to: new }\n"
	"  - { name: tls, match: { path: '/users/{id}', methods: GET, scheme: https }, to: new }\n"
	"  - { name: number, match: '~ ^/n/(?<id>\\d+)/(\\w+)$', to: new, retry: 1, timeouts: { request: 0 } }\n"
	"  - { name: other, match: { host: x.org, path: /users/7 }, redirect: '/x{path}' }\n"
	"  - { name: below, match: { host: '*.y.org', path: /only }, answer: hello }\n"
	"  - { name: closed, match: /closed/**, to: shop, strip_prefix: /closed, maintenance: { on: on, allow: [ 192.0.2.0/24 ] } }\n"
	"  - { name: folder, match: /folder/, to: shop }\n"
	"  - { name: tenant, match: '/t/{name}', redirect: 'https://{name}.example.org/' }\n";

static const char few_text[] =
	"listen: [ '127.0.0.1:0' ]\n"
	"routes:\n"
	"  - { name: a, match: { host: x.org, path: /a, methods: GET }, answer: a }\n"
	"  - { name: b, match: { host: x.org, path: '/folder/**' }, answer: b }\n";

static int exit_code;

/* Words are parted by "|". */
static Str run(Arena *a, const char *conf, const char *words)
{
	const char *file = str_z(a, str_fmt(a, "%s/banyan.yaml", unit_dir()));
	CommandSet set = { commands, COUNT(commands) };
	static const CommandGroup group = { "decompose", "3 Decompose", "a gateway", "soon" };
	Program program = { .name = "banyan",
		            .summary = "Banyan",
		            .groups = &group,
		            .group_count = 1,
		            .sets = &set,
		            .set_count = 1 };
	char *argv[24] = { (char *)"banyan", (char *)"explain", (char *)"-c", (char *)file };
	Str rest = str_of(words), word;
	AUTO(buf_fini) Buf all = { 0 };
	FILE *out = tmpfile();
	char piece[4096];
	size_t got;
	int argc = 4;

	CHECK(out);
	while (str_split(&rest, '|', &word))
		argv[argc++] = (char *)str_z(a, word);
	FILE *f = fopen(file, "w");

	CHECK(f && fputs(conf, f) >= 0 && fclose(f) == 0);
	exit_code = args_main(&program, argc, argv, out, out);
	rewind(out);
	while ((got = fread(piece, 1, sizeof piece, out)) > 0)
		buf_put(&all, (Str){ piece, got });
	fclose(out);
	return str_dup(a, buf_str(&all));
}

static void check_has(Str text, const char *wanted)
{
	Str rest = str_of(wanted), line;

	while (str_split(&rest, '\n', &line))
		if (str_find(text, line) < 0) {
			NOTE("'%.*s' is not in\n%.*s", STR_ARG(line), STR_ARG(text));
			CHECK(str_find(text, line) >= 0);
		}
}

TEST(says_who_wins_and_why_the_others_do_not)
{
	static const struct {
		const char *words, *wanted;
		int code;
	} cases[] = {
		{ "GET //users/%37?x=1|-H|X-Beta: 2|-H|cookie: c=1|--host|Shop.test:8080",
		  "  target             //users/%37?x=1\n"
		  "  host               shop.test\n"
		  "  canonical path     /users/7\n"
		  "  name               users\n"
		  "banyan.yaml:8:13\n"
		  "  host               any\n"
		  "  path               /users/{id}: with named parts\n"
		  "  methods            GET POST\n"
		  "  parts              {id} = 7\n"
		  "  taken  users            /users/{id}, GET POST\n"
		  "  not    other            x.org /users/7: it is for another host\n"
		  "  not    beta             /users/{id}, header X-Beta = 1, cookie c absent, parameter q: it wants "
		  "header X-Beta = 1, and there is \"2\"\n"
		  "  not    tls              /users/{id}, GET, https: it is for https\n"
		  "  also   all              /**: comes later, its path is less exact\n"
		  "  asks               GET /u/7?x=1\n"
		  "  host header        Shop.test:8080\n"
		  "  servers            a:80\n"
		  "                     b:80, drained\n"
		  "  balance            least_request\n"
		  "  added              Via: \n"
		  "                     X-Who: 7\n"
		  "  removed            cookie: c=1\n"
		  "  removed            Server\n"
		  "  instead of any     X-A\n"
		  "  added              X-A: 7\n",
		  0 },
		{ "DELETE|/users/7",
		  "  not    users            /users/{id}, GET POST: it does not take the method\n"
		  "  taken  all\n",
		  0 },
		{ "/users/7?q|-H|x-beta: 1|-H|cookie: c=1",
		  "it wants cookie c absent, and there is \"1\"\n"
		  "  taken  users \n",
		  0 },
		{ "/users/7?q|-H|x-beta: 1",
		  "  conditions         header X-Beta = 1\n"
		  "                     cookie c absent\n"
		  "                     parameter q\n"
		  "  also   users            /users/{id}, GET POST: comes later, it wants fewer things\n"
		  "  to                 new\n"
		  "  host header        the server's address\n"
		  "  balance            round_robin\n",
		  0 },
		{ "https://users.test/users/7", "  scheme             https\n  taken  tls \n", 0 },
		{ "/users/7|-H|X-Forwarded-Proto: https|--from|10.0.0.1",
		  "  peer               a trusted proxy\n  taken  tls \n", 0 },
		{ "/n/17/me",
		  "  path               ~ ^/n/(?<id>\\d+)/(\\w+)$: an expression\n"
		  "  parts              {id} = 17\n"
		  "                     {2} = me\n"
		  "  request            no limit\n"
		  "  attempts           1\n",
		  0 },
		{ "GET http://x.org/users/7?q",
		  "  host               x.org: this very name\n"
		  "  path               /users/7: this very path\n"
		  "  also   users            /users/{id}, GET POST: comes later, its host is less exact\n"
		  "  redirect           308\n"
		  "  location           /x/users/7?q\n",
		  0 },
		{ "http://a.y.org/only",
		  "  host               *.y.org: a name below it\n"
		  "  answer             200, text/plain; charset=utf-8\n"
		  "  body               5 bytes\n",
		  0 },
		{ "/closed/x",
		  "  path               /closed/**: it and all below\n"
		  "  maintenance        on: 503 instead of what follows\n"
		  "  asks               GET /x\n",
		  0 },
		{ "/closed/x|--from|192.0.2.7",
		  "  client             192.0.2.7\n"
		  "  maintenance        on, but not for 192.0.2.7\n",
		  0 },
		{ "/folder",
		  "  not    folder           /folder/: its path is nearly the same\n"
		  "  path               /**: any path\n",
		  0 },
		{ "http://a.y.org/only/",
		  "  not    below            *.y.org /only: its path is nearly the same\n", 0 },
		{ "/t", "  taken  all \n", 0 },
		{ "/t/a%20b", "  refused            400 gateway.template_host\n", 1 },
		{ "/a%zz", "  refused            400 url.bad_escape\n", 1 },
		{ "/a|--host|a b", "  refused            400 url.authority\n", 1 },
		{ "CONNECT|/a", "  refused            405 gateway.connect\n", 1 },
		{ "CONNECT|x.org:443", "  refused            405 gateway.connect\n", 1 },
		{ "TRACE|/t", "  refused            405 gateway.trace\n", 1 },
		{ "get|/t", "  refused            400 http.method\n", 1 },
		{ "OPTIONS|*", "  name               none: 204, the gateway answers it itself\n",
		  1 },
		{ "OPTIONS|/t", "  taken  all \n", 0 },
		{ "/x|--from|unix", "  client             unix\n", 0 },
		{ "/x|--from|::1", "  client             ::1\n", 0 },
		{ "/x|--from|nowhere", "expected an address", 2 },
		{ "/x|-H|nothing", "expected 'Name: value'", 2 },
		{ "x", "expected a path", 2 },
		{ "GET|/x|y", "expected a method and a path", 2 },
		{ "/x|--nope", "nope", 2 },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		Str got = run(a, conf_text, cases[i].words);

		NOTE("%s", cases[i].words);
		check_has(got, cases[i].wanted);
		NOTE("%s: %d of\n%.*s", cases[i].words, exit_code, STR_ARG(got));
		CHECK_INT(exit_code, cases[i].code);
	}
}

TEST(what_no_route_takes_ends_with_1)
{
	check_has(run(a, few_text, "POST|http://x.org/a"),
	          "  name               none: 405 (gateway.method), Allow: GET, HEAD\n"
	          "  not    a                x.org /a, GET: it does not take the method\n"
	          "no route takes this request");
	CHECK_INT(exit_code, 1);
	check_has(run(a, few_text, "http://x.org/foldr/x"),
	          "  name               none: 404 (gateway.no_route)\n"
	          "  not    b                x.org /folder/**: its path is nearly the same\n");
	CHECK_INT(exit_code, 1);
	check_has(run(a, few_text, "/a"),
	          "  host               none\n"
	          "  not    a                x.org /a, GET: it is for another host\n");
	CHECK_INT(exit_code, 1);
	check_has(run(a, "listen: 1\n", "/a"), "has 2 mistakes");
	CHECK_INT(exit_code, 2);
}

TEST(of_thousands_some_are_listed_and_the_rest_counted)
{
	AUTO(buf_fini) Buf b = { 0 };
	Str got;

	buf_put(&b, S("listen: [ '127.0.0.1:0' ]\nroutes:\n"));
	for (int i = 0; i < 50; i++)
		buf_fmt(&b,
		        "  - { name: r%d, match: { path: /x, headers: { A: 'v%d' } }, answer: a }\n",
		        i, i);
	buf_putc(&b, 0);
	got = run(a, b.at, "/x|-H|A: v49");
	check_has(got, "  taken  r49 \n  not    r0 \n  not    r19 \n  and 29 more\n");
	CHECK(str_find(got, S("r20 ")) < 0);
}

TEST(tells_it_to_programs_too)
{
	const Json *json = NULL, *list;
	Str text, rest;

	CHECK_OK(json_read(a, run(a, conf_text, "/n/17/me|--json"), 0, &json));
	CHECK(json_to_str(json_get(json_get(json, S("route")), S("name")), &text));
	CHECK_STR(text, S("number"));
	list = json_get(json_get(json, S("route")), S("parts"));
	CHECK_INT(json_count(list), 2);
	CHECK(json_to_str(json_at(list, 1), &text));
	CHECK_STR(text, S("{2} = me"));
	CHECK(json_to_str(json_get(json_at(json_get(json, S("considered")), 1), S("fate")), &text));
	CHECK_STR(text, S("also"));
	CHECK(json_kind(json_get(json_get(json, S("request_headers")), S("added"))) ==
	      JSON_KIND_ARRAY);
	rest = run(a, few_text, "/x|--json");
	CHECK(str_split(&rest, '\n', &text)); /* its error follows */
	CHECK_OK(json_read(a, text, 0, &json));
	CHECK_INT(exit_code, 1);
}

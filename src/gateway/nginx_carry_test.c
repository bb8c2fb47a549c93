/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/nginx_carry.c"

#include "unit.h"

/* The result's text after a heading, or all notes. */
static Str carry(Arena *a, const char *text, bool notes)
{
	CarryOptions options = { .source = S("nginx.conf"), .prefix = S("/usr/share/nginx") };
	AUTO(buf_fini) Buf b = { 0 };
	Carried *carried;
	NginxNode *first;

	CHECK_OK(nginx_read_text(a, S("nginx.conf"), str_of(text), &first));
	CHECK_OK(nginx_carry(a, first, &options, &carried));
	if (!notes)
		nginx_carry_put(&b, carried);
	for (const CarryNote *at = notes ? carried->notes : NULL; at; at = at->next) {
		nginx_carry_put_note(&b, at);
		buf_putc(&b, '\n');
	}
	return str_dup(a, buf_str(&b));
}

static Str after(Str text, Str heading)
{
	ptrdiff_t at = str_find(text, heading);

	CHECK(at >= 0);
	return str_sub(text, (size_t)at + heading.len, text.len);
}

#define PASS "proxy_pass http://h:1; proxy_set_header Host $host;"
#define TO "to: h-1"

TEST(a_location_becomes_a_route)
{
	static const struct {
		const char *inside, *routes;
	} cases[] = {
		{ "location / { " PASS " }", "  - { name: all, match: /**, " TO " }\n" },
		{ "location / { return 204; }",
		  "  - { name: all, match: /**, answer: { status: 204, body: \"\" } }\n" },
		{ "return 301 https://$host$request_uri;",
		  "  - { name: all, match: /**, redirect: { to: \"https://{host}{path}\", status: 301 } }\n" },
		{ "return 302 /new$is_args$args;",
		  "  - { name: all, match: /**, redirect: { to: /new, status: 302 } }\n" },
		{ "return https://x.org$uri;",
		  "  - { name: all, match: /**, redirect: { to: \"https://x.org{path}\", status: 302, query: drop } }\n" },
		{ "rewrite ^ https://x.org$request_uri? permanent;",
		  "  - { name: all, match: /**, redirect: { to: \"https://x.org{path}\", status: 301 } }\n" },
		{ "location / { return 200 'a {b} $x'; }",
		  "  # nginx.conf:1: return 200 a {b} $x: not carried over: an answer's text has no variables\n"
		  "  - { name: all, match: /**, answer: { type: text/plain, body: \"a {b} $x\" } }\n" },
		{ "location = /x { return 410; } location / { return 404; }",
		  "  - { name: x, match: /x, answer: { status: 410, type: text/plain, body: \"410 Gone\\n\" } }\n"
		  "  - { name: all, match: /**, answer: { status: 404, type: text/plain, body: \"404 Not Found\\n\" } }\n" },
		{ "root /srv; index a.html b.html;",
		  "  - { name: all, match: /**, files: { dir: /srv, index: [ a.html, b.html ] } }\n" },
		{ "root html;",
		  "  - { name: all, match: /**, files: { dir: /usr/share/nginx/html } }\n" },
		{ "root /srv; location = /f.ico { alias /img/f.ico; } location = /g { alias /img/h.gif; }",
		  "  - { name: f.ico, match: /f.ico, files: { dir: /img } }\n"
		  "  - { name: g, match: /g, files: { dir: /img }, rewrite: /h.gif }\n"
		  "  - { name: all, match: /**, files: { dir: /srv } }\n" },
		{ "location / { root /srv; try_files $uri $uri/ /index.html; }",
		  "  - { name: all, match: /**, files: { dir: /srv, fallback: /index.html } }\n" },
		{ "location / { root /srv; try_files $uri @app; } location @app { " PASS " }",
		  "  - { name: all, match: /**, files: { dir: /srv, index: [] }, " TO " }\n" },
		{ "location / { root /srv; expires 1h; add_header Cache-Control public; }",
		  "  - { name: all, match: /**, files: { dir: /srv, cache: \"max-age=3600, public\" } }\n" },
		{ "location / { allow 10.0.0.0/8; deny all; " PASS " }",
		  "  - name: all\n    match: /**\n    " TO "\n"
		  "    maintenance: { status: 403, retry_after: 0, allow: [ 10.0.0.0/8 ] }  # who is not on the list gets 403\n" },
		{ "location / { deny all; }",
		  "  - { name: all, match: /**, answer: { status: 403, type: text/plain, body: \"403 Forbidden\\n\" } }\n" },
		{ "location / { auth_basic off; " PASS " }",
		  "  - { name: all, match: /**, " TO " }\n" },
		{ "if ($scheme = https) { return 404; } location / { " PASS " }",
		  "  - { name: all, match: /**, " TO " }\n" },
		{ "set $to h:1; location / { proxy_pass http://$to; proxy_set_header Host $host; }",
		  "  - { name: all, match: /**, " TO " }\n" },
		{ "location / { proxy_pass http://h:1$request_uri; proxy_set_header Host $host; }",
		  "  - { name: all, match: /**, " TO " }\n" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Str conf = str_fmt(a, "server { listen 80; %s }", cases[i].inside);

		NOTE("%s", cases[i].inside);
		CHECK_STR(after(carry(a, str_z(a, conf), false), S("\nroutes:\n")),
		          str_of(cases[i].routes));
	}
}

/* What the route of this name says after its path. */
static Str keys_of(Arena *a, Str routes, Str name)
{
	Str start = str_fmt(a, "{ name: %.*s, match: /%.*s/**, ", STR_ARG(name), STR_ARG(name));
	Str keys = after(routes, start);

	return str_sub(keys, 0, (size_t)str_find(keys, S(" }\n")));
}

TEST(where_a_rewrite_leads_decides_the_rest)
{
	static const struct {
		const char *target, *keys;
	} cases[] = {
		{ "location /b/ { " PASS " }", TO ", rewrite: \"/b/{rest}\"" },
		{ "location /b/ { proxy_pass http://h:1/c/; proxy_set_header Host $host; }",
		  TO ", rewrite: \"/c/{rest}\"" },
		{ "location /b/ { proxy_pass http://h:1/; proxy_set_header Host $host; }",
		  TO ", rewrite: \"/{rest}\"" },
		{ "location /b/ { deny all; root /srv; }",
		  "answer: { status: 403, type: text/plain, body: \"403 Forbidden\\n\" }" },
		{ "location /b/ { return 410; }",
		  "answer: { status: 410, type: text/plain, body: \"410 Gone\\n\" }" },
		{ "location /b/ { root /srv; }", "files: { dir: /srv }, rewrite: \"/b/{rest}\"" },
		{ "location /b/ { root /srv; try_files $uri =404; }",
		  "files: { dir: /srv, index: [] }, rewrite: \"/b/{rest}\"" },
		{ "location /b/ { root /srv; try_files $uri @c; } location @c { " PASS " }",
		  "files: { dir: /srv, index: [] }, rewrite: \"/b/{rest}\", " TO },
		{ "location /b/ { root /srv; try_files $uri /b/i.html; }",
		  "answer: { status: 501, type: text/plain, body: \"not carried over from nginx\\n\" }" },
		{ "location /b/ { root /srv; rewrite ^/b/(.*)$ /c/$1 last; }",
		  "answer: { status: 501, type: text/plain, body: \"not carried over from nginx\\n\" }" },
		{ "location ^~ /b { root /srv; } location /b/ { return 410; }",
		  "answer: { status: 410, type: text/plain, body: \"410 Gone\\n\" }" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Str conf = str_fmt(
			a,
			"server { listen 80; location /a/ { rewrite ^/a/(.*)$ /b/$1 last; } %s }",
			cases[i].target);

		NOTE("%s", cases[i].target);
		CHECK_STR(keys_of(a, after(carry(a, str_z(a, conf), false), S("\nroutes:\n")),
		                  S("a")),
		          str_of(cases[i].keys));
	}
}

TEST(the_path_after_proxy_pass_stands_for_the_location_s)
{
	static const struct {
		const char *location, *pass, *keys;
	} cases[] = {
		{ "/a/", "", "" },
		{ "/a/", "/a/", "" },
		{ "/a/", "/", ", strip_prefix: /a" },
		{ "/a/", "/b/", ", rewrite: \"/b{rest}\"" },
		{ "/a/b/", "/c/{d}/", ", rewrite: \"/c/%7Bd%7D{rest}\"" },
		{ "= /a", "/b", ", rewrite: /b" },
		{ "= /a", "/a", "" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Str conf = str_fmt(a,
		                   "server { listen 80; location / { return 404; } "
		                   "location %s { proxy_pass 'http://h:1%s'; "
		                   "proxy_set_header Host $host; } }",
		                   cases[i].location, cases[i].pass);
		Str got = carry(a, str_z(a, conf), false);

		NOTE("%s %s", cases[i].location, cases[i].pass);
		CHECK(str_find(got, str_fmt(a, TO "%s }\n", cases[i].keys)) > 0);
	}
}

/* The order that nginx looks in survives: an expression before a prefix makes one of that too. */
TEST(expressions_keep_their_places)
{
	static const struct {
		const char *inside, *routes;
	} cases[] = {
		{ "location ~ \\.x$ { return 401; } location /a/ { return 402; } location / { return 403; }",
		  "401 ~ \\\\.x$|402 ~ ^/a/|403 /**|" },
		{ "location ~ ^/b/\\d { return 401; } location /a/ { return 402; } location / { return 403; }",
		  "401 ~ ^/b/\\\\d|402 /a/**|403 /**|403 /a|" },
		{ "location ~ \\.x$ { return 401; } location ^~ /a/ { return 402; } location / { return 403; }",
		  "402 /a/**|401 ~ \\\\.x$|403 /**|403 /a|" },
		{ "location ~ \\.x$ { return 401; } location ^~ /a/ { return 402; } location /a/b/ { return 403; } "
		  "location / { return 404; }",
		  "402 ~ ^/a/(?!b/)|401 ~ \\\\.x$|403 ~ ^/a/b/|404 /**|" },
		{ "location ~* ^/A { return 401; } location = /a { return 402; } location / { return 403; }",
		  "402 /a|401 ~ (?i:^/A)|403 /**|" },
		{ "location /a/ { return 401; location ~ x { return 402; } } location /a/b/ { return 403; } location / { return 404; }",
		  "402 ~ ^(?=/a/(?!b/)).*?(?:x)|403 ~ ^/a/b/|401 ~ ^/a/|404 /**|" },
		{ "rewrite ^/a/(.*)$ /b/$1 permanent; location /a/c/ { return 401; } location / { return 402; }",
		  "301 /a/**|402 /**|402 /a|" },
		{ "rewrite (.*)\\.php$ /b permanent; location /a/c.php { return 401; } location = /x.php { return 403; } "
		  "location / { return 402; }",
		  "301 ~ (.*)\\\\.php$|401 ~ ^/a/c\\\\.php|402 /**|" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Str conf = str_fmt(a, "server { listen 80; %s }", cases[i].inside), line;
		Str rest = after(carry(a, str_z(a, conf), false), S("\nroutes:\n")), got = S("");

		while (str_split(&rest, '\n', &line)) {
			Str match, status;

			if (str_find(line, S("match: ")) < 0)
				continue;
			match = after(line, S("match: "));
			status = str_sub(after(line, S("status: ")), 0, 3);
			if (match.at[0] == '"')
				match = str_sub(match, 1, (size_t)str_find(match, S("\", ")));
			else
				match = str_sub(match, 0, (size_t)str_find_char(match, ','));
			got = str_fmt(a, "%.*s%.*s %.*s|", STR_ARG(got), STR_ARG(status),
			              STR_ARG(match));
		}
		NOTE("%s", cases[i].inside);
		CHECK_STR(got, str_of(cases[i].routes));
	}
}

TEST(servers_are_told_apart_by_name_and_scheme)
{
	Str got = carry(
		a,
		"server { listen 80; server_name a.org b.org; return 301 https://$host$request_uri; }"
		"server { listen 443 ssl; server_name b.org; ssl_certificate /c; ssl_certificate_key /k; return 401; }"
		"server { listen 443 ssl default_server; server_name a.org .c.org; ssl_certificate /c; "
		"ssl_certificate_key /k; return 402; }"
		"server { listen 80; server_name *.d.org; return 403; }",
		false);

	CHECK_STR(
		after(got, S("listen:\n")),
		S("  - \":80\"\n"
	          "  - { address: \":443\", tls: [ { certificate: /c, key: /k } ], http2: off }\n"
	          "\nroutes:\n"
	          "  - { name: http-all, match: { scheme: http, path: /** }, redirect: { to: \"https://{host}{path}\", status: 301 } }\n"
	          "  - name: d.org-all\n    match: { scheme: http, host: \"*.d.org\", path: /** }\n"
	          "    answer: { status: 403, type: text/plain, body: \"403 Forbidden\\n\" }\n"
	          "  - name: b.org-all\n    match: { scheme: https, host: b.org, path: /** }\n"
	          "    answer: { status: 401, type: text/plain, body: \"401 Unauthorized\\n\" }\n"
	          "  - { name: https-all, match: { scheme: https, path: /** }, answer: { status: 402, type: text/plain, "
	          "body: \"402\\n\" } }\n"));
}

TEST(a_server_for_both_schemes_needs_no_scheme)
{
	Str got = carry(
		a,
		"server { listen 80; listen [::]:80; listen 443 ssl http2; server_name a.org; ssl_certificate /c; "
		"ssl_certificate_key /k; location / { return 401; } }",
		false);

	CHECK_STR(
		after(got, S("\nroutes:\n")),
		S("  - { name: all, match: /**, answer: { status: 401, type: text/plain, body: \"401 Unauthorized\\n\" } }\n"));
	CHECK(str_find(got, S("  - \"[::]:80\"\n")) > 0 && str_find(got, S("http2")) < 0);
}

TEST(names_that_a_condition_asks_for_have_their_own_routes)
{
	Str got = carry(
		a,
		"server { listen 80; server_name a.org www.a.org; if ($host = www.a.org) { return 301 "
		"https://a.org$request_uri; } if ($host != a.org) { return 404; } location / { return 204; } }",
		false);

	CHECK_STR(
		after(got, S("\nroutes:\n")),
		S("  - { name: a.org-all, match: { host: a.org, path: /** }, answer: { status: 204, body: \"\" } }\n"
	          "  - name: www.a.org-all\n    match: { host: www.a.org, path: /** }\n"
	          "    redirect: { to: \"https://a.org{path}\", status: 301 }\n"
	          "  - { name: all, match: /**, answer: { status: 404, type: text/plain, body: \"404 Not Found\\n\" } }\n"));
}

TEST(what_a_proxy_before_said_makes_two_sets_of_routes)
{
	Str got = carry(a,
	                "server { listen 80; if ($http_x_forwarded_proto != 'https') { return 301 "
	                "https://$host$request_uri; } location / { return 204; } }",
	                false);

	CHECK(str_find(got, S("match: { scheme: https, path: /** }, answer: { status: 204")) > 0);
	CHECK(str_find(got, S("match: { scheme: http, path: /** }, redirect: ")) > 0);
}

TEST(an_upstream_is_as_its_locations_see_it)
{
	Str got = carry(
		a,
		"upstream app { server h:1 weight=2 max_conns=4; server h:2 down; server unix:/s; least_conn; "
		"keepalive 8; }"
		"server { listen 80; proxy_set_header Host $host; proxy_read_timeout 2m; client_max_body_size 5m;"
		"location / { proxy_pass http://app; } location /a/ { proxy_pass http://app; proxy_buffering off; "
		"client_max_body_size 0; proxy_read_timeout 1d; }"
		"location /b/ { proxy_pass https://app; proxy_ssl_name x.org; } }",
		false);

	CHECK_STR(
		after(got, S("listen:\n")),
		S("  - \":80\"\nlimits: { body: 5MiB }\n\nupstreams:\n"
	          "  app:\n"
	          "    servers: [ { address: h:1, weight: 2, max_connections: 4 }, { address: h:2, weight: 0 }, \"unix:/s\" ]\n"
	          "    balance: least_request\n    keepalive: { idle_per_loop: 8 }\n"
	          "    timeouts: { connect: 1m, head: 1h, idle: 1d, request: 0, tunnel: 1d }\n"
	          "  app-2:\n"
	          "    servers: [ { address: h:1, weight: 2, max_connections: 4 }, { address: h:2, weight: 0 }, \"unix:/s\" ]\n"
	          "    balance: least_request\n    keepalive: { idle_per_loop: 8 }\n"
	          "    # nginx does not check the server's certificate unless told to: turn this on\n"
	          "    tls: { verify: off, server_name: x.org }\n"
	          "    timeouts: { connect: 1m, head: 2m, idle: 2m, request: 0 }\n"
	          "\nroutes:\n"
	          "  - { name: a, match: /a/**, to: app, body: 0, buffering: { answers: off } }\n"
	          "  - { name: b, match: /b/**, to: app-2 }\n"
	          "  - { name: all, match: /**, to: app, timeouts: { connect: 1m, head: 2m, idle: 2m, request: 0 } }\n"
	          "  # nginx adds the slash where a proxied location ends with one\n"
	          "  - { name: a-itself, match: /a, redirect: { to: /a/, status: 301 } }\n"
	          "  # nginx adds the slash where a proxied location ends with one\n"
	          "  - { name: b-itself, match: /b, redirect: { to: /b/, status: 301 } }\n"));
}

TEST(headers_are_carried_but_for_what_goes_without_saying)
{
	Str got = carry(
		a,
		"server { listen 80; location / { proxy_pass http://h:1; proxy_set_header Host $http_host;"
		"proxy_set_header X-Real-IP $remote_addr; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"
		"proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header Connection ''; "
		"proxy_set_header Authorization $http_authorization;"
		"proxy_set_header X-A '{$host}$'; proxy_set_header Accept-Encoding ''; proxy_hide_header X-B; "
		"add_header X-B 1; add_header X-C 2 always; add_header X-C 3; } }",
		false);

	CHECK_STR(
		after(got, S("\nroutes:\n")),
		S("  - name: all\n    match: /**\n    to: h-1\n"
	          "    request_headers: { set: { X-A: \"{{{host}}}$$\" }, remove: [ Accept-Encoding ] }\n"
	          "    response_headers: { remove: [ X-B ], set: { X-B: \"1\" }, add: { X-C: \"2, 3\" } }\n"));
}

TEST(notes_have_their_place_and_their_words)
{
	CHECK_STR(
		carry(a,
	              "http {\n gzip on;\n gzip off;\n weird x;\n server {\n  listen 80;\n  location / {\n"
	              "   proxy_pass http://h:1;\n   proxy_redirect http://a /;\n   limit_req zone=a;\n  }\n }\n}",
	              true),
		S("nginx.conf:2: gzip on: not carried over: let the application compress (Django: GZipMiddleware), or put "
	          "FILE.gz beside a file\n"
	          "nginx.conf:4: weird x: not carried over: it is not known here\n"
	          "nginx.conf:9: proxy_redirect http://a /: not carried over: Location of the upstream's answers is not "
	          "changed: let the application see the client's Host\n"
	          "nginx.conf:10: limit_req zone=a: not carried over: there are no limits of rates yet: "
	          "limits.connections_per_address is the nearest\n"));
	CHECK_STR(carry(a, "server { listen 80; location / { " PASS " } }", true), S(""));
}

TEST(without_a_server_nothing_comes_of_it)
{
	CarryOptions options = { .source = S("x"), .prefix = S("/") };
	Carried *carried;
	NginxNode *first;

	CHECK_OK(nginx_read_text(a, S("x"), S("events {} http { upstream u { server a; } }"),
	                         &first));
	CHECK_ERR(nginx_carry(a, first, &options, &carried), "nginx.no_server");
}

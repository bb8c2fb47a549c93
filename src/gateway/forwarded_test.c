/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/forwarded.c"
#include "unit.h"

#include <arpa/inet.h>

static Headers headers_of(Arena *a, const char *lines)
{
	Headers headers = { 0 };
	Str rest = str_of(lines), line;

	while (str_split(&rest, '\n', &line)) {
		ptrdiff_t colon = str_find_char(line, ':');

		if (colon > 0)
			headers_add(&headers, a, str_sub(line, 0, (size_t)colon),
			            str_trim(str_sub(line, (size_t)colon + 1, line.len)));
	}
	return headers;
}

static Str lines_of(Arena *a, const Headers *headers)
{
	Str text = S("");

	for (uint32_t i = 0; i < headers->count; i++) {
		const Header *h = &headers->at[i];

		CHECK_INT(h->id, header_id(h->name));
		text = str_fmt(a, "%.*s%.*s: %.*s\n", STR_ARG(text), STR_ARG(h->name),
		               STR_ARG(h->value));
	}
	return text;
}

static Peer peer_from(const char *ip)
{
	Peer peer = { .family = strchr(ip, ':') ? AF_INET6 : AF_INET, .port = 1234 };

	if (strcmp(ip, "unix") == 0)
		peer.family = AF_UNIX;
	else
		CHECK_INT(inet_pton(peer.family, ip, peer.ip), 1);
	return peer;
}

typedef struct World {
	GatewayConf conf;
	Head head;
	Peer peer;
	Forwarded f;
	Err *err;
} World;

static World *world(Arena *a, const char *peer, const char *trusted, const char *lines)
{
	World *w = ARENA_NEW(a, World);
	Str items[4], rest = str_of(trusted);
	size_t count = 0;

	while (trusted[0] && str_split(&rest, ' ', &items[count]))
		count++;
	w->conf.trust = trust_new(a, items, count);
	w->conf.request_id = (RequestIdConf){ S("X-Request-Id"), ID_TRUST_PROXIES };
	w->head.authority = S("shop.example.org");
	w->head.headers = headers_of(a, lines);
	w->peer = peer_from(peer);
	w->f = (Forwarded){ .conf = &w->conf, .request = &w->head, .peer = &w->peer };
	return w;
}

static Str sent(Arena *a, World *w)
{
	Headers out;

	CHECK_OK(forwarded_begin(&w->f, a));
	forwarded_request(&w->f, a, &out);
	return lines_of(a, &out);
}

/* What went out before our own fields begin. */
static Str passed(Arena *a, const char *peer, const char *trusted, const char *lines)
{
	Str text = sent(a, world(a, peer, trusted, lines));
	ptrdiff_t own = str_find(text, str_fmt(a, "Via: %.*s", STR_ARG(via_line())));

	CHECK(own >= 0);
	return str_sub(text, 0, (size_t)own);
}

TEST(all_our_fields_are_there_once)
{
	World *w = world(a, "192.0.2.1", "", "Host: shop.example.org\nAccept: */*\n");
	Str text = sent(a, w);

	CHECK_STR(
		text,
		str_fmt(a,
	                "Accept: */*\nVia: 1.1 %.*s\nX-Forwarded-For: 192.0.2.1\nX-Forwarded-Proto: http\n"
	                "X-Forwarded-Host: shop.example.org\nX-Forwarded-Port: 80\nX-Real-IP: 192.0.2.1\nX-Request-Id: %.*s\n",
	                STR_ARG(forwarded_via()), STR_ARG(w->f.request_id)));
	CHECK_INT(w->f.request_id.len, 32);
	CHECK(!w->f.trusted && !w->f.told);
}

TEST(hop_by_hop_fields_end_here)
{
	static const struct {
		const char *name, *lines, *want;
	} cases[] = {
		{ "the list of RFC 9110 7.6.1",
		  "Connection: keep-alive, Upgrade, HTTP2-Settings\nKeep-Alive: timeout=5\nProxy-Connection: close\nTransfer-Encoding: chunked\n"
		  "Upgrade: h2c\nHTTP2-Settings: x\nTE: gzip\nExpect: 100-continue\nProxy-Authorization: b\nA: 1\n",
		  "A: 1\n" },
		{ "what Connection names",
		  "Connection: close, x-hop\nX-Hop: 1\nX-HOP: 2\nX-Stay: 3\n", "X-Stay: 3\n" },
		{ "on several lines, with blanks and empty items",
		  "Connection: ,\t X-A ,\nX-A: 1\nConnection: X-B\nX-B: 2\nC: 3\n", "C: 3\n" },
		{ "but nothing that servers decide by",
		  "Connection: Authorization, Cookie, Host, Via\nAuthorization: a\nCookie: c\n"
		  "Via: 1.0 fred\n",
		  "Authorization: a\nCookie: c\nVia: 1.0 fred\n" },
		{ "TE keeps trailers", "TE: trailers;q=1, deflate\n", "" },
		{ "TE keeps trailers, alone", "TE: deflate, Trailers\nConnection: TE\n",
		  "TE: trailers\n" },
		{ "framing is the codec's", "Content-Length: 5\nHost: evil\nTrailer: X\n",
		  "Trailer: X\n" },
		{ "case and order stay", "x-LoWeR: 1\nACCEPT: 2\nx-lower: 3\n",
		  "x-LoWeR: 1\nACCEPT: 2\nx-lower: 3\n" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%s", cases[i].name);
		CHECK_STR(passed(a, "192.0.2.1", "", cases[i].lines), str_of(cases[i].want));
	}
}

TEST(connection_never_removes_what_we_vouch_for)
{
	World *w = world(
		a, "10.0.0.1", "10.0.0.0/8",
		"Connection: X-Forwarded-For, X-Forwarded-Proto, X-Real-IP, X-Request-Id, X-Forwarded-Prefix, Forwarded\n"
		"X-Forwarded-For: 192.0.2.7\nX-Forwarded-Proto: https\nX-Request-Id: abc\nX-Forwarded-Prefix: /p\n"
		"Forwarded: for=192.0.2.7\n");
	Str text = sent(a, w);

	CHECK(str_find(text, S("X-Forwarded-For: 192.0.2.7, 10.0.0.1\n")) >= 0);
	CHECK(str_find(text, S("X-Forwarded-Proto: https\n")) >= 0);
	CHECK(str_find(text, S("X-Real-IP: 192.0.2.7\n")) >= 0);
	CHECK(str_find(text, S("X-Request-Id: abc\n")) >= 0);
	CHECK(str_find(text, S("X-Forwarded-Prefix: /p\n")) >= 0);
	CHECK(str_find(
		      text,
		      S("Forwarded: for=192.0.2.7, for=10.0.0.1;host=shop.example.org;proto=https\n")) >=
	      0);
}

TEST(claims_of_strangers_and_their_aliases_do_not_pass)
{
	static const char *const lines[] = {
		"X-Forwarded-For: 1.1.1.1",   "x-forwarded-proto: https",
		"X-FORWARDED-HOST: evil",     "X-Forwarded-Port: 1",
		"X-Real-IP: 1.1.1.1",         "Forwarded: for=1.1.1.1",
		"X-Request-Id: mine",         "X_Forwarded_For: 1.1.1.1",
		"X_Forwarded-Proto: https",   "x_real_ip: 1.1.1.1",
		"X_Request_Id: mine",         "X-Forwarded-Prefix: /admin",
		"X-Forwarded_Prefix: /admin", "X-Forwarded-User: root",
		"X-Original-URL: /admin",     "X-Rewrite-Url: /admin",
		"True-Client-IP: 1.1.1.1",    "Client-IP: 1.1.1.1",
		"X-Client-Ip: 1.1.1.1",       "Front-End-Https: on",
		"X_Original_URL: /admin",     "X-Forwarded-Ssl: on",
		"X-Url-Scheme: https",
	};
	for (size_t i = 0; i < COUNT(lines); i++) {
		NOTE("%s", lines[i]);
		CHECK_STR(passed(a, "192.0.2.1", "10.0.0.0/8", lines[i]), S(""));
		CHECK(str_find(sent(a, world(a, "192.0.2.1", "", lines[i])),
		               S("X-Forwarded-For: 192.0.2.1\n")) >= 0);
	}
	/* A trusted proxy's other claims pass, but never in the spelling that WSGI confuses. */
	CHECK_STR(
		passed(a, "10.0.0.1", "10.0.0.0/8",
	               "X-Forwarded-Prefix: /p\nX_Forwarded_Prefix: /q\nTrue-Client-IP: 1.1.1.1\n"),
		S("X-Forwarded-Prefix: /p\nTrue-Client-IP: 1.1.1.1\n"));
	CHECK_STR(passed(a, "10.0.0.1", "10.0.0.0/8",
	                 "X_Forwarded_For: 1.1.1.1\nX_Request_Id: x\nForwarded_For: 1\n"),
	          S(""));
	CHECK_STR(passed(a, "192.0.2.1", "",
	                 "X-Other: 1\nX_Other: 2\nTraceparent: 3\nX-Hostile: 4\n"),
	          S("X-Other: 1\nX_Other: 2\nTraceparent: 3\nX-Hostile: 4\n"));
}

TEST(the_client_is_the_rightmost_address_without_trust)
{
	static const struct {
		const char *peer, *trusted, *lines, *client, *chain;
	} cases[] = {
		{ "192.0.2.1", "", "", "192.0.2.1", "192.0.2.1" },
		{ "192.0.2.1", "10.0.0.0/8", "X-Forwarded-For: 1.1.1.1\n", "192.0.2.1",
		  "192.0.2.1" }, /* no trust: from scratch */
		{ "10.0.0.1", "10.0.0.0/8", "", "10.0.0.1", "10.0.0.1" },
		{ "10.0.0.1", "10.0.0.0/8", "X-Forwarded-For: 1.1.1.1\n", "1.1.1.1",
		  "1.1.1.1, 10.0.0.1" },
		{ "10.0.0.1", "10.0.0.0/8", "X-Forwarded-For: 6.6.6.6, 1.1.1.1\n", "1.1.1.1",
		  "6.6.6.6, 1.1.1.1, 10.0.0.1" },
		{ "10.0.0.1", "10.0.0.0/8", "X-Forwarded-For: 1.1.1.1, 10.0.0.9, 10.0.0.8\n",
		  "1.1.1.1", "1.1.1.1, 10.0.0.9, 10.0.0.8, 10.0.0.1" },
		{ "10.0.0.1", "10.0.0.0/8", "X-Forwarded-For: 1.1.1.1\nX-Forwarded-For: 10.0.0.2\n",
		  "1.1.1.1", "1.1.1.1, 10.0.0.2, 10.0.0.1" }, /* lines are one list */
		{ "10.0.0.1", "10.0.0.0/8", "X-Forwarded-For: 10.0.0.3, 10.0.0.2\n", "10.0.0.3",
		  "10.0.0.3, 10.0.0.2, 10.0.0.1" },
		{ "10.0.0.1", "10.0.0.0/8", "X-Forwarded-For: 1.1.1.1, unknown\n", "10.0.0.1",
		  "1.1.1.1, unknown, 10.0.0.1" },
		{ "10.0.0.1", "10.0.0.0/8", "X-Forwarded-For: 1.1.1.1, , 10.0.0.2\n", "10.0.0.2",
		  "1.1.1.1, , 10.0.0.2, 10.0.0.1" },
		{ "10.0.0.1", "10.0.0.0/8", "X-Forwarded-For: 1.1.1.1:4711\n", "1.1.1.1",
		  "1.1.1.1:4711, 10.0.0.1" },
		{ "10.0.0.1", "10.0.0.0/8", "X-Forwarded-For: [2001:db8::7]:80\n", "2001:db8::7",
		  "[2001:db8::7]:80, 10.0.0.1" },
		{ "10.0.0.1", "10.0.0.0/8", "X-Forwarded-For: 2001:db8::7\n", "2001:db8::7",
		  "2001:db8::7, 10.0.0.1" },
		{ "::1", "loopback", "X-Forwarded-For: 1.1.1.1\n", "1.1.1.1", "1.1.1.1, ::1" },
		{ "unix", "unix", "X-Forwarded-For: 1.1.1.1\n", "1.1.1.1", "1.1.1.1" },
		{ "unix", "", "X-Forwarded-For: 1.1.1.1\n", "unix", "" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		World *w = world(a, cases[i].peer, cases[i].trusted, cases[i].lines);
		Str text = sent(a, w);
		Str want = str_fmt(a, "X-Forwarded-For: %s\n", cases[i].chain);

		NOTE("row %zu: %.*s", i, STR_ARG(text));
		CHECK_STR(w->f.client_ip, str_of(cases[i].client));
		CHECK_INT(str_find(text, cases[i].chain[0] ? want : S("X-Forwarded-For")) >= 0,
		          cases[i].chain[0] != 0);
		CHECK_INT(w->f.told, strcmp(cases[i].client, cases[i].peer) != 0);
	}
}

TEST(scheme_host_and_port_are_the_clients)
{
	static const struct {
		const char *peer, *authority, *lines, *want; /* proto host port */
		bool secure;
	} cases[] = {
		{ "1.1.1.1", "h", "", "http h 80", false },
		{ "1.1.1.1", "h:8080", "", "http h:8080 8080", false },
		{ "1.1.1.1", "[::1]", "", "https [::1] 443", true },
		{ "1.1.1.1", "h",
		  "X-Forwarded-Proto: http\nX-Forwarded-Host: evil\nX-Forwarded-Port: 1\n",
		  "https h 443", true },
		{ "10.0.0.1", "h", "X-Forwarded-Proto: https\n", "https h 443", false },
		{ "10.0.0.1", "h", "X-Forwarded-Proto: HTTPS, http\n", "https h 443", false },
		{ "10.0.0.1", "h", "X-Forwarded-Proto: gopher\n", "http h 80", false },
		{ "10.0.0.1", "h", "X-Forwarded-Host: pub.org:99\n", "http pub.org:99 99", false },
		{ "10.0.0.1", "h", "X-Forwarded-Host: a b\nX-Forwarded-Port: 99999\n", "http h 80",
		  false },
		{ "10.0.0.1", "h", "X-Forwarded-Host: a\"<>\nX-Forwarded-Port: 0\n", "http h 80",
		  false },
		{ "10.0.0.1", "h:1", "X-Forwarded-Port: 444\n", "http h:1 444", false },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		World *w = world(a, cases[i].peer, "10.0.0.0/8", cases[i].lines);

		NOTE("row %zu", i);
		w->head.authority = str_of(cases[i].authority);
		w->f.secure = cases[i].secure;
		CHECK_OK(forwarded_begin(&w->f, a));
		CHECK_STR(str_fmt(a, "%.*s %.*s %.*s", STR_ARG(w->f.scheme), STR_ARG(w->f.host),
		                  STR_ARG(w->f.port)),
		          str_of(cases[i].want));
	}
}

TEST(ids_are_kept_from_whom_they_may)
{
	static const struct {
		const char *peer, *id;
		IdTrust trust;
		bool kept;
	} cases[] = {
		{ "10.0.0.1", "abc-DEF_1.2:3/4+5=@", ID_TRUST_PROXIES, true },
		{ "10.0.0.1", "abc", ID_TRUST_NEVER, false },
		{ "1.1.1.1", "abc", ID_TRUST_PROXIES, false },
		{ "1.1.1.1", "abc", ID_TRUST_ALWAYS, true },
		{ "1.1.1.1", "a b", ID_TRUST_ALWAYS, false },
		{ "1.1.1.1", "a\"b", ID_TRUST_ALWAYS, false },
		{ "1.1.1.1", "", ID_TRUST_ALWAYS, false },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		World *w = world(a, cases[i].peer, "10.0.0.0/8",
		                 str_z(a, str_fmt(a, "X-Request-Id: %s\n", cases[i].id)));

		NOTE("row %zu", i);
		w->conf.request_id.trust = (uint8_t)cases[i].trust;
		CHECK_OK(forwarded_begin(&w->f, a));
		CHECK_INT(str_eq(w->f.request_id, str_of(cases[i].id)), cases[i].kept);
		CHECK(cases[i].kept || w->f.request_id.len == 32);
	}
}

TEST(another_header_may_carry_the_id)
{
	World *w = world(a, "10.0.0.1", "10.0.0.0/8",
	                 "X-Request-Id: theirs\nTrace-Id: ours\nTrace_Id: alias\n");
	Str text;

	w->conf.request_id.header = S("Trace-Id");
	text = sent(a, w);
	CHECK_STR(w->f.request_id, S("ours"));
	CHECK(str_starts(text, S("X-Request-Id: theirs\nVia: "))); /* an ordinary field then */
	CHECK(str_ends(text, S("\nTrace-Id: ours\n")));
}

TEST(an_id_that_is_too_long_is_not_kept)
{
	char id[200];
	World *w;

	memset(id, 'x', sizeof id);
	id[ID_MAX_BYTES + 1] = 0;
	w = world(a, "10.0.0.1", "10.0.0.0/8", str_z(a, str_fmt(a, "X-Request-Id: %s\n", id)));
	CHECK_OK(forwarded_begin(&w->f, a));
	CHECK_INT(w->f.request_id.len, 32);
}

TEST(loops_are_seen_in_via)
{
	Str own = forwarded_via();
	const char *twice = str_z(a, str_fmt(a, "Via: 1.1 a, 1.1 %.*s\nVia: 1.1 %.*s\n",
	                                     STR_ARG(own), STR_ARG(own)));
	const char *thrice = str_z(a, str_fmt(a, "%sVia: 1.1 b, 1.1 %.*s\n", twice, STR_ARG(own)));

	CHECK_INT(own.len, strlen("banyan-12345678"));
	CHECK_OK(forwarded_begin(&world(a, "1.1.1.1", "", twice)->f, a));
	CHECK_ERR(forwarded_begin(&world(a, "1.1.1.1", "", thrice)->f, a), "gateway.loop");
	CHECK_ERR(forwarded_begin(&world(a, "1.1.1.1", "",
	                                 str_z(a, str_fmt(a, "Connection: close\n%s", thrice)))
	                                   ->f,
	                          a),
	          "gateway.loop");
	CHECK_STR(passed(a, "1.1.1.1", "", "Via: 1.0 fred (x)\n"), S("Via: 1.0 fred (x)\n"));
}

TEST(more_options_than_anybody_needs_are_refused)
{
	Str line = S("Connection: a");

	for (int i = 1; i < FORWARDED_OPTIONS; i++)
		line = str_fmt(a, "%.*s,%s", STR_ARG(line), i & 1 ? "" : "close");
	CHECK_OK(forwarded_begin(&world(a, "1.1.1.1", "", str_z(a, line))->f, a));
	line = str_fmt(a, "%.*s,", STR_ARG(line));
	CHECK_ERR(forwarded_begin(&world(a, "1.1.1.1", "", str_z(a, line))->f, a),
	          "gateway.connection_options");
}

TEST(ipv6_peers_are_quoted_in_forwarded)
{
	Str text = sent(a, world(a, "2001:db8::1", "2001:db8::/32", "Forwarded: for=1.1.1.1\n"));

	CHECK(str_find(
		      text,
		      S("\nForwarded: for=1.1.1.1, for=\"[2001:db8::1]\";host=shop.example.org;proto=http\n")) >
	      0);
}

TEST(answers_lose_what_is_of_one_hop_and_get_the_id)
{
	World *w = world(a, "1.1.1.1", "", "");
	Headers in = headers_of(
			a,
			"Server: gunicorn\nConnection: close, X-Internal, Set-Cookie\nX-Internal: 1\nKeep-Alive: 5\n"
			"Set-Cookie: a=1\nSet-Cookie: b=2\nTransfer-Encoding: chunked\nx-request-id: upstream\n"
			"Content-Length: 7\nUpgrade: h2\nX-Forwarded-Ok: 1\n"),
		out;

	CHECK_OK(forwarded_begin(&w->f, a));
	forwarded_answer(&w->f, a, &in, &out);
	CHECK_STR(lines_of(a, &out),
	          str_fmt(a,
	                  "Server: gunicorn\nSet-Cookie: a=1\nSet-Cookie: b=2\nX-Forwarded-Ok: 1\n"
	                  "X-Request-Id: %.*s\n",
	                  STR_ARG(w->f.request_id)));
}

TEST(forwarded_is_read_where_it_stands_alone)
{
	static const struct {
		const char *peer, *trusted, *lines, *client, *origin;
	} cases[] = {
		{ "192.0.2.1", "10.0.0.0/8", "Forwarded: for=1.1.1.1;proto=https\n", "192.0.2.1",
		  "http shop.example.org" },
		{ "10.0.0.1", "10.0.0.0/8", "Forwarded: for=1.1.1.1;proto=https;host=www.example\n",
		  "1.1.1.1", "https www.example" },
		{ "10.0.0.1", "10.0.0.0/8",
		  "Forwarded: for=6.6.6.6;proto=https;host=evil, FOR=\"[2001:db8::7]:1\";Host=\"a:81\"\n"
		  "Forwarded: for=10.0.0.2;proto=https;host=inside\n",
		  "2001:db8::7", "http a:81" },
		{ "10.0.0.1", "10.0.0.0/8", "Forwarded: for=1.1.1.1, for=unknown;proto=https\n",
		  "10.0.0.1", "http shop.example.org" },
		{ "10.0.0.1", "10.0.0.0/8", "Forwarded: for=\"1.1.1.1, 2.2.2.2\"\n", "10.0.0.1",
		  "http shop.example.org" },
		{ "10.0.0.1", "10.0.0.0/8", "Forwarded: for=1.1.1.1;;=x\n", "10.0.0.1",
		  "http shop.example.org" },
		{ "10.0.0.1", "10.0.0.0/8",
		  "Forwarded: for=6.6.6.6;proto=https\nX-Forwarded-For: 1.1.1.1\n", "1.1.1.1",
		  "http shop.example.org" },
		{ "10.0.0.1", "10.0.0.0/8",
		  "Forwarded: for=1.1.1.1;proto=https\nX-Forwarded-Proto: http\n", "1.1.1.1",
		  "http shop.example.org" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		World *w = world(a, cases[i].peer, cases[i].trusted, cases[i].lines);

		NOTE("row %zu", i);
		CHECK_OK(forwarded_begin(&w->f, a));
		CHECK_STR(w->f.client_ip, str_of(cases[i].client));
		CHECK_STR(str_fmt(a, "%.*s %.*s", STR_ARG(w->f.scheme), STR_ARG(w->f.host)),
		          str_of(cases[i].origin));
	}
}

static Str with_names(Arena *a, Str text, const char *name)
{
	Str rest = text, line, found = S("");

	while (str_split(&rest, '\n', &line))
		if (str_starts(line, str_of(name)))
			found = str_fmt(a, "%.*s%.*s\n", STR_ARG(found), STR_ARG(line));
	return found;
}

#define OWN "for=10.0.0.1;host=shop.example.org;proto=http"

TEST(both_forms_are_told_as_the_configuration_says)
{
	static const struct {
		ForwardedForm form;
		const char *peer, *lines, *chain, *spec;
	} cases[] = {
		{ FORWARDED_X, "10.0.0.1", "", "10.0.0.1", "" },
		{ FORWARDED_SPEC, "10.0.0.1", "", "", OWN },
		{ FORWARDED_BOTH, "10.0.0.1", "", "10.0.0.1", OWN },
		{ FORWARDED_SPEC, "10.0.0.1", "X-Forwarded-For: 1.1.1.1, [2001:db8::7]:80, x\n", "",
		  "for=1.1.1.1, for=\"[2001:db8::7]\", for=unknown, " OWN },
		{ FORWARDED_X, "10.0.0.1", "Forwarded: for=1.1.1.1;by=x, for=_hid\n",
		  "1.1.1.1, unknown, 10.0.0.1", "for=1.1.1.1;by=x, for=_hid, " OWN },
		{ FORWARDED_BOTH, "10.0.0.1", "Forwarded: for=\"\n", "10.0.0.1", OWN },
		{ FORWARDED_BOTH, "192.0.2.1", "Forwarded: for=1.1.1.1\nX-Forwarded-For: 2.2.2.2\n",
		  "192.0.2.1", "for=192.0.2.1;host=shop.example.org;proto=http" },
		{ FORWARDED_SPEC, "unix", "", "", "for=unknown;host=shop.example.org;proto=http" },
		{ FORWARDED_SPEC, "unix", "X-Forwarded-For: 1.1.1.1\n", "", "for=1.1.1.1" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		World *w = world(a, cases[i].peer, "10.0.0.0/8 unix", cases[i].lines);
		Str text;

		NOTE("row %zu", i);
		w->conf.forwarded = cases[i].form;
		text = sent(a, w);
		CHECK_STR(with_names(a, text, "Forwarded: "),
		          cases[i].spec[0] ? str_fmt(a, "Forwarded: %s\n", cases[i].spec) : S(""));
		CHECK_STR(with_names(a, text, "X-Forwarded-For: "),
		          cases[i].chain[0] ? str_fmt(a, "X-Forwarded-For: %s\n", cases[i].chain)
		                            : S(""));
		CHECK_INT(str_find(text, S("X-Real-IP")) >= 0 ||
		                  str_find(text, S("X-Forwarded-")) >= 0,
		          cases[i].form != FORWARDED_SPEC);
	}
}

#define IDS "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"

TEST(a_trace_goes_on_or_begins)
{
	static const struct {
		const char *peer, *lines;
		bool goes_on, state;
		const char *flags;
		uint32_t ppm;
		IdTrust trust;
	} cases[] = {
		{ "10.0.0.1", "", false, false, "01", PPM, ID_TRUST_PROXIES },
		{ "10.0.0.1", "", false, false, "00", 0, ID_TRUST_PROXIES },
		{ "10.0.0.1", "traceparent: 00-" IDS "-00\ntracestate: a=1\n", true, true, "00",
		  PPM, ID_TRUST_PROXIES },
		{ "10.0.0.1", "TraceParent: 00-" IDS "-01\nTraceState: a=1\n", true, true, "01", 0,
		  ID_TRUST_PROXIES },
		{ "10.0.0.1", "traceparent: cc-" IDS "-ff-more\n", true, false, "03", 0,
		  ID_TRUST_PROXIES },
		{ "192.0.2.1", "traceparent: 00-" IDS "-01\ntracestate: a=1\n", false, false, "00",
		  0, ID_TRUST_PROXIES },
		{ "192.0.2.1", "traceparent: 00-" IDS "-01\ntracestate: a=1\n", true, true, "01", 0,
		  ID_TRUST_ALWAYS },
		{ "10.0.0.1", "traceparent: 00-" IDS "-01\ntracestate: a=1\n", false, false, "00",
		  0, ID_TRUST_NEVER },
		{ "10.0.0.1",
		  "traceparent: 00-" IDS "-01\ntraceparent: 00-" IDS "-01\ntracestate: a\n", false,
		  false, "00", 0, ID_TRUST_PROXIES },
		{ "10.0.0.1", "traceparent: 00-" IDS "-1\ntracestate: a=1\n", false, false, "00", 0,
		  ID_TRUST_PROXIES },
		{ "10.0.0.1", "tracestate: a=1\n", false, false, "00", 0, ID_TRUST_PROXIES },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		World *w = world(a, cases[i].peer, "10.0.0.0/8", cases[i].lines);
		Str text;

		NOTE("row %zu", i);
		w->conf.trace = (TraceConf){ true, cases[i].trust, cases[i].ppm };
		text = sent(a, w);
		CHECK_STR(with_names(a, text, "traceparent: "),
		          str_fmt(a, "traceparent: 00-%.*s-%.*s-%s\n", STR_ARG(w->f.trace_id),
		                  STR_ARG(w->f.span_id), cases[i].flags));
		CHECK_INT(w->f.trace_id.len, 32);
		CHECK_INT(w->f.span_id.len, 16);
		CHECK_INT(str_eq(w->f.trace_id, S("4bf92f3577b34da6a3ce929d0e0e4736")),
		          cases[i].goes_on);
		CHECK(!str_eq(w->f.span_id, S("00f067aa0ba902b7")));
		CHECK_INT(str_find(text, S("state: a=1\n")) >= 0 ||
		                  str_find(text, S("State: a=1\n")) >= 0,
		          cases[i].state);
	}
}

TEST(traces_can_be_left_alone)
{
	static const char *const lines = "TraceParent: what ever\ntracestate: a=1\n";
	World *w = world(a, "192.0.2.1", "", lines);

	CHECK(str_starts(sent(a, w), str_of(lines)));
	CHECK_INT(w->f.trace_parent.len + w->f.trace_id.len + w->f.span_id.len, 0);
}

TEST(a_share_of_new_traces_is_sampled)
{
	World *w = world(a, "192.0.2.1", "", "");
	unsigned sampled = 0;

	w->conf.trace = (TraceConf){ true, ID_TRUST_PROXIES, PPM / 4 };
	for (int i = 0; i < 4000; i++) {
		CHECK_OK(forwarded_begin(&w->f, a));
		sampled += str_ends(w->f.trace_parent, S("-01"));
	}
	CHECK(sampled > 850 && sampled < 1150); /* 5.5 standard deviations */
}

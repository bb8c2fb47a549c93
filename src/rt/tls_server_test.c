/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/tls_server.c"

#include "tls_pair.h"
#include "unit.h"

static int64_t test_clock_us = 1000 * US_PER_S;

static int64_t read_test_clock(void)
{
	return test_clock_us;
}

static TlsContext *any_client(Arena *a, bool h2)
{
	TlsContext *context = NULL;

	CHECK_OK(tls_client_new(a, &(TlsClientConf){ .h2 = h2 }, &context));
	return context;
}

/* --- names ---------------------------------------------------------------------------------------------------------- */

static TlsContext *three_sites(Arena *a)
{
	Cert first = cert_make(a, "first", "DNS:www.example.com,DNS:EXAMPLE.com", NULL, 30);
	Cert wild = cert_make(a, "wild", "DNS:*.example.com,DNS:api.example.org", NULL, 30);
	Cert last = cert_make(a, "last", "DNS:api.example.com,DNS:www.example.com", NULL, 30);
	TlsServerConf confs[] = { { first.file, first.key, true },
		                  { wild.file, wild.key, true },
		                  { last.file, last.key, false } };
	TlsContext *context = NULL;

	CHECK_OK(tls_server_new(a, confs, COUNT(confs), &context));
	return context;
}

static const struct {
	Str name;
	int want; /* -1: none, so the first */
} choices[] = {
	{ S("www.example.com"), 0 },
	{ S("WWW.Example.COM"), 0 },
	{ S("www.example.com."), 0 },
	{ S("example.com"), 0 },
	{ S("api.example.com"), 2 },
	{ S("other.example.com"), 1 },
	{ S("api.example.org"), 1 },
	{ S("a.b.example.com"), -1 },
	{ S("example.org"), -1 },
	{ S("com"), -1 },
	{ S(".example.com"), -1 },
	{ S("."), -1 },
	{ S(""), -1 },
};

TEST(a_certificate_is_chosen_exact_then_wildcard_then_none)
{
	TlsContext *context = three_sites(a);
	Server *server = CONTAINER(context, Server, base);
	char longest[400];

	for (size_t i = 0; i < COUNT(choices); i++) {
		SSL_CTX *ctx = choose(server, choices[i].name);

		NOTE("%.*s", STR_ARG(choices[i].name));
		CHECK(ctx == (choices[i].want < 0 ? NULL : server->contexts[choices[i].want]));
	}
	memset(longest, 'a', sizeof longest);
	CHECK_NULL(choose(server, (Str){ longest, sizeof longest }));
	tls_unref(context);
}

static Err *ask_by_name(void *arg)
{
	Arena *a = arg;
	TlsPair pair = { .server = three_sites(a), .client = any_client(a, true) };
	Server *server = CONTAINER(pair.server, Server, base);

	for (size_t i = 0; i < 9; i++) {
		X509 *shown;
		unsigned site = choices[i].want < 0 ? 0 : (unsigned)choices[i].want;

		NOTE("%.*s", STR_ARG(choices[i].name));
		pair.name = choices[i].name;
		tls_pair_open(&pair, false);
		CHECK_OK(pair.server_err);
		CHECK_OK(pair.client_err);
		shown = SSL_get0_peer_certificate(pair.c.tls->ssl);
		CHECK_INT(X509_cmp(shown, SSL_CTX_get0_certificate(server->contexts[site])), 0);
		CHECK_STR(stream_alpn(&pair.s), site == 2 ? S("http/1.1") : S("h2"));
		CHECK(str_eq_nocase(stream_sni(&pair.s),
		                    str_sub(pair.name, 0,
		                            pair.name.len - str_ends(pair.name, S(".")))));
		tls_pair_talk(&pair);
		tls_pair_close(&pair);
	}
	tls_unref(pair.server);
	tls_unref(pair.client);
	return NULL;
}

TEST(each_name_gets_its_certificate_and_its_protocols)
{
	CHECK_OK(in_loops(ask_by_name, a));
}

TEST(a_server_without_a_certificate_is_refused)
{
	TlsContext *context = NULL;

	CHECK_ERR(tls_server_new(a, NULL, 0, &context), "tls.certificate");
	CHECK_ERR(tls_server_new(a, &(TlsServerConf){ S("/no.pem"), S("/no.key"), true }, 1,
	                         &context),
	          "tls.certificate");
	CHECK_NULL(context);
}

/* --- protocols ------------------------------------------------------------------------------------------------------ */

static TlsContext *one_site(Arena *a, bool h2)
{
	Cert cert = cert_make(a, "site", "DNS:localhost", NULL, 30);
	TlsContext *context = NULL;

	CHECK_OK(tls_server_new(a, &(TlsServerConf){ cert.file, cert.key, h2 }, 1, &context));
	return context;
}

static Err *agree(void *arg)
{
	static const struct {
		bool server_h2;
		Str offer; /* as on the wire */
		Str want;
		bool refused;
	} cases[] = {
		{ true, S("\x02h2\x08http/1.1"), S("h2"), false },
		{ true, S("\x08http/1.1\x02h2"), S("h2"), false }, /* our order counts */
		{ true, S("\x08http/1.1"), S("http/1.1"), false },
		{ false, S("\x02h2\x08http/1.1"), S("http/1.1"), false },
		{ true, S(""), S(""), false },
		{ false, S("\x02h2"), S(""), true },
		{ true,
		  S("\x08http/1.0\x03"
		    "foo"),
		  S(""), true },
	};
	Arena *a = arg;

	for (size_t i = 0; i < COUNT(cases); i++) {
		TlsPair pair = { .server = one_site(a, cases[i].server_h2),
			         .client = any_client(a, true),
			         .name = S("localhost") };

		NOTE("case %zu", i);
		SSL_CTX_set_alpn_protos(pair.client->ssl, (const unsigned char *)cases[i].offer.at,
		                        (unsigned)cases[i].offer.len);
		tls_pair_open(&pair, false);
		CHECK_ERR(pair.server_err, cases[i].refused ? "tls.handshake" : NULL);
		CHECK_ERR(pair.client_err, cases[i].refused ? "tls.handshake" : NULL);
		if (cases[i].refused)
			CHECK_STR(pair.client_err->text,
			          S("the server speaks none of the application protocols offered"));
		CHECK_STR(stream_alpn(&pair.s), cases[i].want);
		CHECK_STR(stream_alpn(&pair.c), cases[i].want);
		tls_pair_close(&pair);
		tls_unref(pair.server);
		tls_unref(pair.client);
	}
	return NULL;
}

TEST(protocols_are_agreed_on_or_the_client_is_refused)
{
	CHECK_OK(in_loops(agree, a));
}

static Err *old_versions(void *arg)
{
	static const struct {
		int version;
		const char *ciphers; /* of 1.2 */
		bool works;
	} cases[] = {
		{ TLS1_3_VERSION, NULL, true },
		{ TLS1_2_VERSION, NULL, true },
		{ TLS1_2_VERSION, "AES128-GCM-SHA256", false },      /* no forward secrecy */
		{ TLS1_2_VERSION, "ECDHE-ECDSA-AES256-SHA", false }, /* CBC */
		{ TLS1_1_VERSION, "ALL:@SECLEVEL=0", false },
	};
	Arena *a = arg;
	TlsContext *server = one_site(a, true);

	for (size_t i = 0; i < COUNT(cases); i++) {
		TlsPair pair = { .server = server,
			         .client = any_client(a, true),
			         .name = S("localhost") };

		NOTE("case %zu", i);
		SSL_CTX_set_min_proto_version(pair.client->ssl, cases[i].version);
		SSL_CTX_set_max_proto_version(pair.client->ssl, cases[i].version);
		if (cases[i].ciphers)
			SSL_CTX_set_cipher_list(pair.client->ssl, cases[i].ciphers);
		tls_pair_open(&pair, false);
		CHECK_ERR(pair.server_err, cases[i].works ? NULL : "tls.handshake");
		if (cases[i].works) {
			tls_pair_talk(&pair);
			CHECK(SSL_session_reused(pair.s.tls->ssl) == 0);
		}
		tls_pair_close(&pair);
		tls_unref(pair.client);
	}
	tls_unref(server);
	return NULL;
}

TEST(only_versions_and_ciphers_of_today)
{
	CHECK_OK(in_loops(old_versions, a));
}

/* --- tickets -------------------------------------------------------------------------------------------------------- */

static bool connect_again(TlsPair *pair)
{
	bool resumed;

	tls_pair_open(pair, false);
	CHECK_OK(pair->server_err);
	CHECK_OK(pair->client_err);
	tls_pair_talk(pair);
	resumed = stream_resumed(&pair->c);
	CHECK_INT(stream_resumed(&pair->s), resumed);
	CHECK(SSL_get_session(pair->s.tls->ssl) != NULL);
	tls_pair_close(pair);
	return resumed;
}

/* With TLS 1.2 the client keeps its first ticket: OpenSSL does not show it those that replace it. */
static Err *turn_the_clock(void *arg)
{
	static const struct {
		int hours;       /* later */
		bool resumed[2]; /* by version */
	} steps[] = {
		{ 0, { false, false } },  { 0, { true, true } },   { 11, { true, true } },
		{ 12, { true, true } },   { 24, { true, false } }, { 23, { true, true } },
		{ 37, { false, false } }, { 0, { true, true } },   { 1000, { false, false } },
		{ 0, { true, true } },
	};
	static const int versions[] = { TLS1_3_VERSION, TLS1_2_VERSION };
	Arena *a = arg;

	clock_us = read_test_clock;
	for (size_t v = 0; v < COUNT(versions); v++) {
		TlsPair pair = { .server = one_site(a, true),
			         .client = any_client(a, true),
			         .name = S("localhost") };

		SSL_CTX_set_max_proto_version(pair.client->ssl, versions[v]);
		for (size_t i = 0; i < COUNT(steps); i++) {
			NOTE("version %zu, step %zu", v, i);
			test_clock_us += steps[i].hours * 3600 * US_PER_S;
			CHECK_INT(connect_again(&pair), steps[i].resumed[v]);
		}
		tls_unref(pair.server);
		tls_unref(pair.client);
	}
	return NULL;
}

TEST(tickets_are_good_until_their_key_is_the_third)
{
	CHECK_OK(in_loops(turn_the_clock, a));
}

TEST(keys_turn_by_the_clock)
{
	TicketKey keys[TICKET_KEYS] = { { .name = "one", .born_us = US_PER_S } }, before;

	keys_turn(keys, US_PER_S + TICKET_KEY_US - 1);
	CHECK_STR(str_of((char *)keys[0].name), S("one"));
	keys_turn(keys, US_PER_S + TICKET_KEY_US);
	CHECK_STR(str_of((char *)keys[1].name), S("one"));
	CHECK_INT(keys[0].born_us, US_PER_S + TICKET_KEY_US);
	CHECK_INT(keys[2].born_us, 0);
	before = keys[0];
	keys_turn(keys, US_PER_S + 2 * TICKET_KEY_US + 5);
	CHECK_STR(str_of((char *)keys[2].name), S("one"));
	CHECK_INT(memcmp(&keys[1], &before, sizeof before), 0);
	keys_turn(keys, 1000 * TICKET_KEY_US);
	for (int i = 0; i < TICKET_KEYS; i++)
		CHECK(memcmp(keys[i].name, "one", 4) != 0 &&
		      memcmp(&keys[i], &before, sizeof before) != 0);
	CHECK_INT(keys[0].born_us, 1000 * TICKET_KEY_US);
}

/* --- two loops share a context -------------------------------------------------------------------------------------- */

typedef struct Both {
	TlsPair pair;
	unsigned left; /* atomic */
	Fiber *waiter;
} Both;

static Both both;

static void wake_waiter(void *arg)
{
	(void)arg;
	fiber_wake(both.waiter);
}

static void connect_often(void *arg)
{
	TlsPair pair = both.pair;

	(void)arg;
	for (int i = 0; i < 30; i++)
		connect_again(&pair);
	__atomic_sub_fetch(&both.left, 1, __ATOMIC_RELEASE);
	loop_post(rt_loop(0), wake_waiter, NULL);
}

static void start_connecting(void *arg)
{
	CHECK_OK(fiber_start(connect_often, arg, "connect"));
	CHECK_OK(fiber_start(connect_often, arg, "connect"));
}

static Err *share(void *arg)
{
	both.pair = (TlsPair){ .server = one_site(arg, true),
		               .client = any_client(arg, true),
		               .name = S("localhost") };
	both.left = 4;
	both.waiter = fiber_self();
	loop_each(start_connecting, NULL);
	while (__atomic_load_n(&both.left, __ATOMIC_ACQUIRE))
		TRY(fiber_park());
	tls_unref(both.pair.server);
	tls_unref(both.pair.client);
	return NULL;
}

TEST(loops_share_contexts_keys_and_sessions)
{
	CHECK_OK(in_loops(share, a));
}

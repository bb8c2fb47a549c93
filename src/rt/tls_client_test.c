/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/tls_client.c"

#include "tls_pair.h"
#include "unit.h"

static TlsContext *server_with(Arena *a, const Cert *cert)
{
	TlsContext *context = NULL;

	CHECK_OK(tls_server_new(a, &(TlsServerConf){ cert->file, cert->key, true }, 1, &context));
	return context;
}

static TlsContext *client_with(Arena *a, Str ca, bool verify)
{
	TlsContext *context = NULL;

	CHECK_OK(tls_client_new(a, &(TlsClientConf){ .ca = ca, .verify = verify, .h2 = true },
	                        &context));
	return context;
}

/* --- who the server must be ------------------------------------------------------------------------------------------ */

static Err *verify_all(void *arg)
{
	Arena *a = arg;
	Cert root = cert_make(a, "root", NULL, NULL, 30),
	     stranger = cert_make(a, "stranger", NULL, NULL, 30);
	Cert good = cert_make(
		a, "www.example.com",
		"DNS:www.example.org,DNS:*.wild.test,DNS:f*.part.test,IP:127.0.0.1,IP:::1", &root,
		30);
	Cert old = cert_make(a, "old", "DNS:www.example.org", &root, -1);
	Cert own = cert_make(a, "own", "DNS:www.example.org", NULL, 30);
	Cert nameless = cert_make(a, "nameless.test", "IP:127.0.0.1", &root, 30);
	const struct {
		const Cert *cert, *ca;
		Str name;
		const char *slug;
		Str says;
	} cases[] = {
		{ &good, &root, S("www.example.org"), NULL, S("") },
		{ &good, &root, S("WWW.EXAMPLE.ORG."), NULL, S("") },
		{ &good, &root, S("a.wild.test"), NULL, S("") },
		{ &good, &root, S("127.0.0.1"), NULL, S("") },
		{ &good, &root, S("::1"), NULL, S("") },
		{ &good, &root, S("[::1]"), NULL, S("") },
		{ &own, &own, S("www.example.org"), NULL, S("") }, /* pinned */
		{ &good, &root, S("example.org"), "tls.verify", S("for other names") },
		{ &good, &root, S("www.example.com"), "tls.verify",
		  S("for other names") }, /* the common name */
		{ &nameless, &root, S("nameless.test"), "tls.verify", S("for other names") },
		{ &good, &root, S("b.a.wild.test"), "tls.verify", S("for other names") },
		{ &good, &root, S("foo.part.test"), "tls.verify", S("for other names") },
		{ &good, &root, S("127.0.0.2"), "tls.verify", S("does not name its address") },
		{ &good, &root, S(""), "tls.verify", S("without a proper name") },
		{ &good, &root, S("www.example.org\0.evil"), "tls.verify",
		  S("without a proper name") },
		{ &good, &stranger, S("www.example.org"), "tls.verify", S("issuer") },
		{ &old, &root, S("www.example.org"), "tls.verify", S("expired") },
		{ &own, &root, S("www.example.org"), "tls.verify", S("signed by itself") },
		{ &own, NULL, S("www.example.com"), NULL, S("") }, /* not verified at all */
		{ &own, NULL, S(""), NULL, S("") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		TlsPair pair = { .server = server_with(a, cases[i].cert), .name = cases[i].name };

		NOTE("case %zu", i);
		pair.client = client_with(a, cases[i].ca ? cases[i].ca->file : (Str){ 0 },
		                          cases[i].ca != NULL);
		tls_pair_open(&pair, true);
		CHECK_ERR(pair.client_err, cases[i].slug);
		if (pair.client_err) {
			CHECK_INT(pair.client_err->kind, ERR_UPSTREAM);
			NOTE("case %zu: %.*s", i, STR_ARG(pair.client_err->text));
			CHECK(str_find(pair.client_err->text, cases[i].says) >= 0);
			CHECK(stream_write(&pair.c, S("secret")) == pair.client_err);
		} else {
			CHECK_OK(pair.server_err);
			tls_pair_talk(&pair);
			if (str_find_char(cases[i].name, ':') >= 0)
				CHECK_STR(stream_sni(&pair.s), S("")); /* an address is no name */
		}
		tls_pair_close(&pair);
		tls_unref(pair.server);
		tls_unref(pair.client);
	}
	return NULL;
}

TEST(a_server_is_who_its_name_says)
{
	CHECK_OK(in_loops(verify_all, a));
}

TEST(trust_that_cannot_be_had_is_an_error)
{
	TlsContext *context = NULL;
	Cert cert = cert_make(a, "c", "DNS:x", NULL, 30);

	CHECK_ERR(tls_client_new(a, &(TlsClientConf){ .ca = S("/none.pem"), .verify = true },
	                         &context),
	          "tls.certificate");
	CHECK_ERR(tls_client_new(a, &(TlsClientConf){ .ca = cert.key, .verify = true }, &context),
	          "tls.certificate");
	CHECK_ERR(tls_client_new(a, &(TlsClientConf){ .certificate = cert.file }, &context),
	          "tls.key");
	CHECK_ERR(tls_client_new(a,
	                         &(TlsClientConf){ .certificate = S("/none.pem"), .key = cert.key },
	                         &context),
	          "tls.certificate");
	CHECK_NULL(context);
	CHECK_OK(
		tls_client_new(a, &(TlsClientConf){ .verify = true }, &context)); /* the system's */
	tls_unref(context);
}

/* --- who the client is ----------------------------------------------------------------------------------------------- */

static Err *show_certificate(void *arg)
{
	Arena *a = arg;
	Cert site = cert_make(a, "site", "DNS:localhost", NULL, 30),
	     root = cert_make(a, "root", NULL, NULL, 30);
	Cert me = cert_make(a, "me", "DNS:me", &root, 30);

	for (int shown = 0; shown < 2; shown++) {
		TlsPair pair = { .server = server_with(a, &site), .name = S("localhost") };
		TlsClientConf conf = { .certificate = me.file, .key = me.key };
		char byte;
		size_t got;

		CHECK_OK(tls_client_new(a, shown ? &conf : &(TlsClientConf){ 0 }, &pair.client));
		CHECK_INT(SSL_CTX_load_verify_file(pair.server->ssl, root.file.at), 1);
		SSL_CTX_set_verify(pair.server->ssl,
		                   SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
		tls_pair_open(&pair, false);
		CHECK_ERR(pair.server_err, shown ? NULL : "tls.handshake");
		CHECK_OK(pair.client_err); /* TLS 1.3: the client is done before it is judged */
		if (shown) {
			CHECK_INT(X509_cmp(SSL_get0_peer_certificate(pair.s.tls->ssl), me.x509), 0);
			tls_pair_talk(&pair);
		} else {
			Err *err = stream_read(&pair.c, &byte, 1, &got);

			CHECK_ERR(err, "tls.handshake");
			CHECK_STR(err->text, S("the server asked for a client certificate"));
		}
		tls_pair_close(&pair);
		tls_unref(pair.server);
		tls_unref(pair.client);
	}
	return NULL;
}

TEST(a_client_shows_its_certificate)
{
	CHECK_OK(in_loops(show_certificate, a));
}

/* --- sessions -------------------------------------------------------------------------------------------------------- */

static bool connect_as(TlsPair *pair, Str name)
{
	bool resumed;

	pair->name = name;
	tls_pair_open(pair, false);
	CHECK_OK(pair->client_err);
	tls_pair_talk(pair);
	resumed = stream_resumed(&pair->c);
	tls_pair_close(pair);
	return resumed;
}

static Err *resume(void *arg)
{
	Arena *a = arg;
	Cert cert = cert_make(a, "site", "DNS:one.test,DNS:two.test", NULL, 30);
	TlsPair pair = { .server = server_with(a, &cert),
		         .client = client_with(a, cert.file, true) };
	TlsPair other = { .server = pair.server, .client = client_with(a, cert.file, true) };
	TlsPair third = { .server = server_with(a, &cert), .client = pair.client };

	CHECK(!connect_as(&pair, S("one.test")));
	CHECK(connect_as(&pair, S("one.test")));
	CHECK(connect_as(&pair, S("one.test")));
	CHECK(!connect_as(&pair, S("two.test")));  /* another name */
	CHECK(!connect_as(&other, S("one.test"))); /* another context */
	CHECK(!connect_as(
		&third,
		S("one.test"))); /* a server that does not know the ticket: a full handshake */
	CHECK(connect_as(&third, S("one.test")));
	tls_unref(pair.server);
	tls_unref(third.server);
	tls_unref(pair.client);
	tls_unref(other.client);
	return NULL;
}

TEST(sessions_are_resumed_per_context_and_name)
{
	CHECK_OK(in_loops(resume, a));
}

static Err *truncated_but_resumed(void *arg)
{
	Arena *a = arg;
	Cert cert = cert_make(a, "site", "DNS:one.test", NULL, 30);
	TlsPair pair = { .server = server_with(a, &cert),
		         .client = client_with(a, cert.file, true),
		         .name = S("one.test") };
	Client *client = CONTAINER(pair.client, Client, base);
	char byte;
	size_t got;

	tls_pair_open(&pair, false);
	tls_pair_talk(&pair);
	stream_close(&pair.s);
	CHECK_ERR(stream_read(&pair.c, &byte, 1, &got), "tls.truncated");
	tls_pair_close(&pair);
	connect_as(&pair, S("one.test")); /* resumed or not, it works */
	CHECK(connect_as(&pair, S("one.test")));
	CHECK_INT(client->kept.count, 1);
	tls_unref(pair.server);
	tls_unref(pair.client);
	return NULL;
}

TEST(a_broken_connection_does_not_spoil_the_next)
{
	CHECK_OK(in_loops(truncated_but_resumed, a));
}

TEST(the_longest_unused_session_goes_first)
{
	Client *client = client_new(true);
	SSL_SESSION *found;

	for (int i = 0; i < SESSIONS_MAX; i++)
		session_put(client, str_fmt(a, "key %d", i), SSL_SESSION_new());
	CHECK_INT(client->kept.count, SESSIONS_MAX);
	CHECK_NULL(
		session_get(client, S("key 0"))); /* an empty session is not resumable: dropped */
	CHECK_INT(client->kept.count, SESSIONS_MAX - 1);
	session_put(client, S("new 1"), SSL_SESSION_new());
	session_put(client, S("new 2"), SSL_SESSION_new());
	session_put(client, S("new 2"), SSL_SESSION_new()); /* the newer replaces */
	CHECK_INT(client->kept.count, SESSIONS_MAX);
	CHECK_NULL(map_get(&client->kept, S("key 1")));
	CHECK(map_get(&client->kept, S("key 2")) != NULL);
	session_forget(client, S("key 2"));
	session_forget(client, S("key 2"));
	CHECK_INT(client->kept.count, SESSIONS_MAX - 1);
	found = session_get(client, S("nowhere"));
	CHECK_NULL(found);
	tls_unref(&client->base);
}

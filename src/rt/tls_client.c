/* SPDX-License-Identifier: Apache-2.0
 *
 * The client's side: who the server must be, and sessions to resume.
 *
 * A server is known by the name that was asked for, an address counts when it was asked for by address; alternative names
 * count and the common name does not (RFC 9525). Sessions are kept per context (so that what one set of trust accepted is
 * not taken by another), address and name, newest only, 256 of them, the longest unused dropped first. Each connection
 * gets a copy of its own: loops share the cache, not the sessions. The lock is held for a look-up, never across a park. */
#include "base/arena.h"
#include "base/list.h"
#include "base/map.h"
#include "rt/tls_parts_int.h"

#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SESSIONS_MAX = 256, NAME_MAX_BYTES = 253 };

typedef struct Kept {
	Node node; /* in client->used */
	SSL_SESSION *session;
	size_t key_len;
	char key[];
} Kept;

typedef struct Client {
	TlsContext base;
	bool verify;
	pthread_mutex_t lock; /* of all below */
	Map kept;
	List used; /* the longest unused first */
} Client;

static Err no_name =
	ERR_STATIC(UPSTREAM, "tls.verify", "a server cannot be verified without a proper name");
static Err no_memory = ERR_STATIC(IO, "tls.memory", "there was no memory for a TLS connection");

/* --- sessions ------------------------------------------------------------------------------------------------------- */

static void drop(Client *client, Kept *kept)
{
	map_remove(&client->kept, (Str){ kept->key, kept->key_len });
	list_remove(&kept->node);
	SSL_SESSION_free(kept->session);
	free(kept);
}

static void session_put(Client *client, Str key, SSL_SESSION *session)
{
	Kept *kept = malloc(sizeof *kept + key.len);
	Kept *before;

	if (!kept)
		abort();
	*kept = (Kept){ .session = session, .key_len = key.len };
	memcpy(kept->key, key.at, key.len);
	pthread_mutex_lock(&client->lock);
	before = map_get(&client->kept, key);
	if (!before && client->kept.count >= SESSIONS_MAX)
		before = LIST_FIRST(&client->used, Kept, node);
	if (before)
		drop(client, before);
	map_put(&client->kept, (Str){ kept->key, kept->key_len }, kept);
	list_add(&client->used, &kept->node);
	pthread_mutex_unlock(&client->lock);
}

/* A copy, or NULL. */
static SSL_SESSION *session_get(Client *client, Str key)
{
	SSL_SESSION *copy = NULL;
	Kept *kept;

	pthread_mutex_lock(&client->lock);
	kept = map_get(&client->kept, key);
	if (kept && SSL_SESSION_is_resumable(kept->session)) {
		list_remove(&kept->node);
		list_add(&client->used, &kept->node);
		copy = SSL_SESSION_dup(kept->session);
	} else if (kept) {
		drop(client, kept);
	}
	pthread_mutex_unlock(&client->lock);
	return copy;
}

static void session_forget(Client *client, Str key)
{
	Kept *kept;

	pthread_mutex_lock(&client->lock);
	kept = map_get(&client->kept, key);
	if (kept)
		drop(client, kept);
	pthread_mutex_unlock(&client->lock);
}

/* 1: the session is ours now. */
static int on_session(SSL *ssl, SSL_SESSION *session)
{
	const Tls *tls = SSL_get_app_data(ssl);

	if (!tls->session_key)
		return 0;
	session_put(CONTAINER(tls->context, Client, base),
	            (Str){ tls->session_key, tls->session_key_len }, session);
	return 1;
}

/* --- the context ---------------------------------------------------------------------------------------------------- */

static void client_free(TlsContext *context)
{
	Client *client = CONTAINER(context, Client, base);
	Kept *kept;

	while ((kept = LIST_FIRST(&client->used, Kept, node)))
		drop(client, kept);
	map_fini(&client->kept);
	SSL_CTX_free(client->base.ssl);
	pthread_mutex_destroy(&client->lock);
	free(client);
}

static void client_unref(Client **client)
{
	if (*client)
		tls_unref(&(*client)->base);
}

static Client *client_new(bool h2)
{
	static const unsigned char alpn_h2[] = "\x02h2\x08http/1.1", alpn_h1[] = "\x08http/1.1";
	Client *client = calloc(1, sizeof *client);
	SSL_CTX *ctx = tls_ctx_new(TLS_client_method());

	if (!client)
		abort();
	*client = (Client){ .base = { .refs = 1, .ssl = ctx, .free = client_free } };
	pthread_mutex_init(&client->lock, NULL);
	list_init(&client->used);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL |
	                                            SSL_SESS_CACHE_NO_AUTO_CLEAR);
	SSL_CTX_sess_set_new_cb(ctx, on_session);
	if (SSL_CTX_set_alpn_protos(ctx, h2 ? alpn_h2 : alpn_h1,
	                            (h2 ? sizeof alpn_h2 : sizeof alpn_h1) - 1) != 0)
		abort();
	return client;
}

static Err *load_trust(Arena *a, SSL_CTX *ctx, Str ca)
{
	if (!ca.len)
		return SSL_CTX_set_default_verify_paths(ctx) == 1
		               ? NULL
		               : err_new(a, ERR_INVALID, "tls.certificate",
		                         "the system's certificates cannot be used: %s",
		                         tls_words());
	if (SSL_CTX_load_verify_file(ctx, str_z(a, ca)) != 1)
		return err_new(a, ERR_INVALID, "tls.certificate",
		               "CA file \"%.*s\" cannot be used: %s", STR_ARG(ca), tls_words());
	return NULL;
}

Err *tls_client_new(Arena *a, const TlsClientConf *conf, TlsContext **out)
{
	AUTO(client_unref) Client *client = client_new(conf->h2);
	SSL_CTX *ctx = client->base.ssl;

	client->verify = conf->verify;
	if (conf->verify) {
		TRY(load_trust(a, ctx, conf->ca));
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	}
	if (conf->certificate.len) {
		if (!conf->key.len)
			return err_new(a, ERR_INVALID, "tls.key",
			               "certificate \"%.*s\" needs a key",
			               STR_ARG(conf->certificate));
		TRY(tls_load_files(a, ctx, conf->certificate, conf->key));
	}
	*out = &TAKE(client)->base;
	return NULL;
}

/* --- connections ---------------------------------------------------------------------------------------------------- */

static bool is_address(const char *name)
{
	struct in6_addr ip;

	return inet_pton(AF_INET, name, &ip) == 1 || inet_pton(AF_INET6, name, &ip) == 1;
}

/* The name as certificates have it: no dot at the end, no brackets, ending in NUL. */
static bool plain_name(Str name, char out[NAME_MAX_BYTES + 1])
{
	if (name.len > 2 && name.at[0] == '[' && name.at[name.len - 1] == ']')
		name = str_sub(name, 1, name.len - 1);
	if (name.len && name.at[name.len - 1] == '.')
		name.len--;
	if (name.len > NAME_MAX_BYTES || (name.len && memchr(name.at, 0, name.len)))
		return false;
	if (name.len)
		memcpy(out, name.at, name.len);
	out[name.len] = 0;
	return true;
}

static Err *expect_name(SSL *ssl, const char *name, bool verify)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	bool address = is_address(name);

	if (!*name)
		return verify ? &no_name : NULL;
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
	                                               X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	if (address)
		return X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1 ? NULL : &no_name;
	return X509_VERIFY_PARAM_set1_host(param, name, 0) == 1 &&
	                       SSL_set_tlsext_host_name(ssl, name) == 1
	               ? NULL
	               : &no_name;
}

/* The peer's address, then the name. */
static Err *set_session_key(Tls *tls, int fd, const char *name)
{
	Addr addr = { .len = sizeof addr.un };
	size_t name_len = strlen(name);

	if (getpeername(fd, &addr.sa, &addr.len) != 0)
		addr.len = 0;
	addr.len = MIN(addr.len, (socklen_t)sizeof addr.un);
	tls->session_key = malloc(addr.len + name_len);
	if (!tls->session_key)
		return &no_memory;
	memcpy(tls->session_key, &addr, addr.len);
	memcpy(tls->session_key + addr.len, name, name_len);
	tls->session_key_len = addr.len + name_len;
	return NULL;
}

static Err *prepare(Stream *s, Client *client, Str wanted)
{
	char name[NAME_MAX_BYTES + 1];
	SSL_SESSION *session;
	Tls *tls = s->tls;

	if (!plain_name(wanted, name))
		return &no_name;
	TRY(expect_name(tls->ssl, name, client->verify));
	TRY(set_session_key(tls, s->watch.fd, name));
	session = session_get(client, (Str){ tls->session_key, tls->session_key_len });
	if (session) {
		SSL_set_session(tls->ssl, session);
		SSL_SESSION_free(session);
	}
	return NULL;
}

Err *stream_tls_connect(Stream *s, TlsContext *context, Str name)
{
	Client *client = CONTAINER(context, Client, base);
	Err *err;

	TRY(tls_attach(s, context));
	SSL_set_connect_state(s->tls->ssl);
	err = prepare(s, client, name);
	if (err) {
		s->tls->failed = err;
		return err;
	}
	err = tls_handshake(s);
	if (err)
		session_forget(client, (Str){ s->tls->session_key, s->tls->session_key_len });
	return err;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The server's side: which certificate, which protocol, which sessions.
 *
 * Each certificate has an SSL_CTX of its own; a handshake starts with the first one's and moves to another's when the
 * client names a host (SNI) that it is for: exact names first, then a wildcard for the one label above, as RFC 9525 has
 * it. When two certificates are for one name, the first counts.
 *
 * Sessions live in tickets only, encrypted under keys that exist in memory only. A key is used for 12 hours and accepted
 * for 24 more; a ticket under an old key is replaced at its next use. The keys change when somebody comes by, so there is
 * no timer; the lock around them is held for a copy. */
#include "base/arena.h"
#include "base/map.h"
#include "base/rand.h"
#include "base/time.h"
#include "rt/tls_parts_int.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { TICKET_KEYS = 3, NAME_MAX_BYTES = 255 };
#define TICKET_KEY_US (12 * 3600 * US_PER_S)

typedef struct TicketKey {
	unsigned char name[16]; /* goes with the ticket */
	unsigned char cipher[32];
	unsigned char mac[32];
	int64_t born_us; /* 0: none */
} TicketKey;

typedef struct Server {
	TlsContext base;
	Arena *arena;       /* of all below; nothing in it changes once the server is made */
	SSL_CTX **contexts; /* one a certificate */
	size_t count;
	Map exact;     /* "www.example.com" -> SSL_CTX */
	Map wildcards; /* "example.com" for "*.example.com" -> SSL_CTX */
	EVP_CIPHER *ticket_cipher;
	pthread_mutex_t lock;        /* of the keys */
	TicketKey keys[TICKET_KEYS]; /* the newest first */
} Server;

static int64_t (*clock_us)(void) = time_mono_us; /* tests turn it */

static Server *server_of(SSL *ssl)
{
	const Tls *tls = SSL_get_app_data(ssl);

	return CONTAINER(tls->context, Server, base);
}

/* --- tickets -------------------------------------------------------------------------------------------------------- */

static void keys_turn(TicketKey keys[TICKET_KEYS], int64_t now_us)
{
	for (unsigned i = 0; i < TICKET_KEYS && now_us - keys[0].born_us >= TICKET_KEY_US; i++) {
		memmove(&keys[1], &keys[0], (TICKET_KEYS - 1) * sizeof *keys);
		rand_bytes(&keys[0], sizeof keys[0]);
		keys[0].born_us = keys[1].born_us + TICKET_KEY_US;
	}
	if (now_us - keys[0].born_us >= TICKET_KEY_US) /* nobody came for long: all are too old */
		keys[0].born_us = now_us;
}

/* By name, or the newest without one. Its place, or -1. */
static int key_copy(Server *server, const unsigned char *name, TicketKey *out)
{
	int at = 0;

	pthread_mutex_lock(&server->lock);
	keys_turn(server->keys, clock_us());
	if (name)
		while (at < TICKET_KEYS &&
		       (!server->keys[at].born_us ||
		        memcmp(server->keys[at].name, name, sizeof out->name) != 0))
			at++;
	if (at < TICKET_KEYS)
		*out = server->keys[at];
	pthread_mutex_unlock(&server->lock);
	return at < TICKET_KEYS ? at : -1;
}

static bool ticket_init(const Server *server, TicketKey *key, unsigned char *iv,
                        EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int encrypt)
{
	static char digest[] = "sha256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, sizeof key->mac),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};

	return EVP_CipherInit_ex(cipher, server->ticket_cipher, NULL, key->cipher, iv, encrypt) ==
	               1 &&
	       EVP_MAC_CTX_set_params(mac, params) == 1;
}

/* OpenSSL's answers: -1 error, 0 a full handshake, 1 fine, 2 fine and send a new ticket. */
static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int encrypt)
{
	Server *server = server_of(ssl);
	TicketKey key = { 0 };
	int at = key_copy(server, encrypt ? NULL : name, &key);
	int answer = at < 0 ? 0 : at > 0 ? 2 : 1;

	if (encrypt) {
		memcpy(name, key.name, sizeof key.name);
		rand_bytes(iv, (size_t)EVP_CIPHER_get_iv_length(server->ticket_cipher));
	}
	if (answer && !ticket_init(server, &key, iv, cipher, mac, encrypt))
		answer = -1;
	OPENSSL_cleanse(&key, sizeof key);
	return answer;
}

/* --- names ---------------------------------------------------------------------------------------------------------- */

static SSL_CTX *choose(const Server *server, Str name)
{
	char text[NAME_MAX_BYTES];
	SSL_CTX *ctx;
	Str lower;
	ptrdiff_t dot;

	if (!name.len || name.len > sizeof text)
		return NULL;
	for (size_t i = 0; i < name.len; i++)
		text[i] = (char)(name.at[i] >= 'A' && name.at[i] <= 'Z' ? name.at[i] | 0x20
		                                                        : name.at[i]);
	lower = (Str){ text, name.len - (name.at[name.len - 1] == '.') };
	ctx = map_get(&server->exact, lower);
	dot = str_find_char(lower, '.');
	if (!ctx && dot > 0)
		ctx = map_get(&server->wildcards, str_sub(lower, (size_t)dot + 1, lower.len));
	return ctx;
}

static int on_sni(SSL *ssl, int *alert, void *arg)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	SSL_CTX *ctx = choose(server_of(ssl), str_of(name));

	(void)alert, (void)arg;
	if (!ctx)
		return SSL_TLSEXT_ERR_NOACK;
	if (ctx != SSL_get_SSL_CTX(ssl))
		SSL_set_SSL_CTX(ssl, ctx);
	return SSL_TLSEXT_ERR_OK;
}

static void add_name(Server *server, SSL_CTX *ctx, Str name)
{
	Str lower = str_lower(server->arena, name);
	bool wild = str_starts(lower, S("*."));
	Map *map = wild ? &server->wildcards : &server->exact;
	Str key = str_sub(lower, wild ? 2 : 0, lower.len);

	if (key.len && !map_get(map, key))
		map_put(map, key, ctx);
}

static void add_names(Server *server, SSL_CTX *ctx)
{
	X509 *leaf = SSL_CTX_get0_certificate(ctx);
	GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
	char common[NAME_MAX_BYTES + 1];
	int len = X509_NAME_get_text_by_NID(X509_get_subject_name(leaf), NID_commonName, common,
	                                    sizeof common);

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type == GEN_DNS)
			add_name(server, ctx,
			         (Str){ (const char *)ASN1_STRING_get0_data(name->d.dNSName),
			                (size_t)ASN1_STRING_length(name->d.dNSName) });
	}
	if (!names && len > 0)
		add_name(server, ctx, (Str){ common, (size_t)len });
	GENERAL_NAMES_free(names);
}

/* --- protocols ------------------------------------------------------------------------------------------------------ */

static const unsigned char alpn_h2[] = "\x02h2\x08http/1.1";
static const unsigned char alpn_h1[] = "\x08http/1.1";

/* A client that offers protocols and none of ours is refused (RFC 7301 3.2), not answered in one it may not know. */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                   const unsigned char *offered, unsigned offered_len, void *h2)
{
	const unsigned char *ours = h2 ? alpn_h2 : alpn_h1;
	unsigned len = h2 ? sizeof alpn_h2 - 1 : sizeof alpn_h1 - 1;
	unsigned char *chosen = NULL;

	(void)ssl;
	if (SSL_select_next_proto(&chosen, out_len, ours, len, offered, offered_len) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

/* --- the context ---------------------------------------------------------------------------------------------------- */

static void server_free(TlsContext *context)
{
	Server *server = CONTAINER(context, Server, base);

	for (size_t i = 0; i < server->count; i++)
		SSL_CTX_free(server->contexts[i]);
	map_fini(&server->exact);
	map_fini(&server->wildcards);
	EVP_CIPHER_free(server->ticket_cipher);
	pthread_mutex_destroy(&server->lock);
	OPENSSL_cleanse(server->keys, sizeof server->keys);
	arena_free(server->arena);
	free(server);
}

static void server_unref(Server **server)
{
	if (*server)
		tls_unref(&(*server)->base);
}

static SSL_CTX *certificate_context(bool h2)
{
	static const unsigned char group[] = "banyan";
	SSL_CTX *ctx = tls_ctx_new(TLS_server_method());

	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_session_id_context(ctx, group, sizeof group - 1);
	SSL_CTX_set_timeout(ctx, (long)(TICKET_KEYS * TICKET_KEY_US / US_PER_S));
	SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket);
	SSL_CTX_set_tlsext_servername_callback(ctx, on_sni);
	SSL_CTX_set_alpn_select_cb(ctx, on_alpn, h2 ? (void *)(uintptr_t)1 : NULL);
	return ctx;
}

static Server *server_new(size_t count)
{
	Server *server = calloc(1, sizeof *server);

	if (!server)
		abort();
	*server = (Server){ .base = { .refs = 1, .free = server_free }, .arena = arena_new(0) };
	server->contexts = ARENA_ARRAY(server->arena, SSL_CTX *, count);
	server->ticket_cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
	if (!server->ticket_cipher)
		abort();
	pthread_mutex_init(&server->lock, NULL);
	rand_bytes(&server->keys[0], sizeof server->keys[0]);
	server->keys[0].born_us = clock_us();
	return server;
}

/* Every context has the authorities: which one a handshake ends with is chosen in its midst. */
static Err *ask_clients(Arena *a, SSL_CTX *ctx, const TlsServerConf *conf)
{
	const char *file = str_z(a, conf->client_ca);
	STACK_OF(X509_NAME) * names;

	if (!conf->client_ca.len)
		return NULL;
	names = SSL_load_client_CA_file(file);
	if (!names || SSL_CTX_load_verify_file(ctx, file) != 1) {
		sk_X509_NAME_pop_free(names, X509_NAME_free);
		return err_new(a, ERR_INVALID, "tls.certificate", "CA file \"%s\" cannot be used",
		               file);
	}
	SSL_CTX_set_client_CA_list(ctx, names);
	SSL_CTX_set_verify(ctx,
	                   SSL_VERIFY_PEER |
	                           (conf->client_must ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
	                   NULL);
	return NULL;
}

Err *tls_server_new(Arena *a, const TlsServerConf *confs, size_t count, TlsContext **out)
{
	AUTO(server_unref) Server *server = NULL;

	if (!count)
		return err_new(a, ERR_INVALID, "tls.certificate", "no certificate was named");
	server = server_new(count);
	for (size_t i = 0; i < count; i++) {
		SSL_CTX *ctx = certificate_context(confs[i].h2);

		server->contexts[server->count++] = ctx;
		TRY(tls_load_files(a, ctx, confs[i].certificate, confs[i].key));
		TRY(ask_clients(a, ctx, &confs[i]));
		add_names(server, ctx);
	}
	server->base.ssl = server->contexts[0];
	*out = &TAKE(server)->base;
	return NULL;
}

Err *stream_tls_accept(Stream *s, TlsContext *context)
{
	TRY(tls_attach(s, context));
	SSL_set_accept_state(s->tls->ssl);
	return tls_handshake(s);
}

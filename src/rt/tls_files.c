/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates and keys from PEM files, and sentences for what is wrong with them. Each sentence names the file, because
 * the reader has a configuration with several of them. Nothing is ever asked on the terminal: a key with a passphrase is
 * refused. */
#include "base/arena.h"
#include "rt/tls_parts_int.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void file_close(FILE **file)
{
	if (*file)
		fclose(*file);
}

static void pkey_free(EVP_PKEY **pkey)
{
	EVP_PKEY_free(*pkey);
}

static void ctx_free(SSL_CTX **ctx)
{
	SSL_CTX_free(*ctx);
}

/* Words for a PEM file that could be opened and not used: the first error is the nearest to the bytes. */
static const char *pem_words(void)
{
	unsigned long code = ERR_peek_error();
	const char *words = ERR_reason_error_string(code);

	if (ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE)
		return "nothing of the kind in PEM form is in it";
	return words ? words : "no reason given";
}

static Err *open_file(Arena *a, Str path, const char *slug, const char *what, FILE **out)
{
	FILE *file = fopen(str_z(a, path), "re");
	char words[128];

	if (!file)
		return err_new(a, ERR_INVALID, slug, "%s \"%.*s\" could not be read: %s", what,
		               STR_ARG(path), strerror_r(errno, words, sizeof words));
	*out = file;
	return NULL;
}

static Err *load_certificate(Arena *a, SSL_CTX *ctx, Str path)
{
	AUTO(file_close) FILE *file = NULL;

	TRY(open_file(a, path, "tls.certificate", "certificate", &file));
	ERR_clear_error();
	if (SSL_CTX_use_certificate_chain_file(ctx, str_z(a, path)) != 1)
		return err_new(a, ERR_INVALID, "tls.certificate",
		               "certificate \"%.*s\" cannot be used: %s", STR_ARG(path),
		               pem_words());
	return NULL;
}

static int refuse_passphrase(char *into, int cap, int writing, void *asked)
{
	(void)into, (void)cap, (void)writing;
	*(bool *)asked = true;
	return -1;
}

static Err *load_key(Arena *a, SSL_CTX *ctx, Str certificate, Str path)
{
	AUTO(file_close) FILE *file = NULL;
	AUTO(pkey_free) EVP_PKEY *pkey = NULL;
	bool asked = false;

	TRY(open_file(a, path, "tls.key", "key", &file));
	ERR_clear_error();
	pkey = PEM_read_PrivateKey(file, NULL, refuse_passphrase, &asked);
	if (asked)
		return err_new(a, ERR_INVALID, "tls.key",
		               "key \"%.*s\" is locked with a passphrase", STR_ARG(path));
	if (!pkey)
		return err_new(a, ERR_INVALID, "tls.key", "key \"%.*s\" cannot be used: %s",
		               STR_ARG(path), pem_words());
	if (X509_check_private_key(SSL_CTX_get0_certificate(ctx), pkey) != 1)
		return err_new(a, ERR_INVALID, "tls.key",
		               "key \"%.*s\" does not belong to certificate \"%.*s\"",
		               STR_ARG(path), STR_ARG(certificate));
	if (SSL_CTX_use_PrivateKey(ctx, pkey) != 1)
		return err_new(a, ERR_INVALID, "tls.key", "key \"%.*s\" cannot be used: %s",
		               STR_ARG(path), tls_words());
	return NULL;
}

Err *tls_load_files(Arena *a, SSL_CTX *ctx, Str certificate, Str key)
{
	TRY(load_certificate(a, ctx, certificate));
	return key.len ? load_key(a, ctx, certificate, key) : NULL;
}

Err *tls_check_files(Arena *a, Str certificate, Str key, int *days_left)
{
	AUTO(ctx_free) SSL_CTX *ctx = tls_ctx_new(TLS_server_method());
	int days = 0, seconds = 0;

	TRY(tls_load_files(a, ctx, certificate, key));
	if (ASN1_TIME_diff(&days, &seconds, NULL,
	                   X509_get0_notAfter(SSL_CTX_get0_certificate(ctx))) != 1)
		return err_new(a, ERR_INVALID, "tls.certificate",
		               "certificate \"%.*s\" has no proper end", STR_ARG(certificate));
	*days_left = seconds < 0 ? days - 1 : days;
	return NULL;
}

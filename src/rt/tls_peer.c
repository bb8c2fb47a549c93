/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates of clients: whose they are. Names with a NUL in them are left out: they are made to be read differently by
 * different readers. */
#include "base/arena.h"
#include "rt/tls_parts_int.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <string.h>

static void free_bio(BIO **bio)
{
	BIO_free(*bio);
}

static void free_cert(X509 **cert)
{
	X509_free(*cert);
}

static Str subject_of(Arena *a, const X509 *cert)
{
	AUTO(free_bio) BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	if (!bio || X509_NAME_print_ex(bio, X509_get_subject_name(cert), 0, XN_FLAG_RFC2253) < 0)
		return (Str){ 0 };
	len = BIO_get_mem_data(bio, &text);
	return str_dup(a, (Str){ text, (size_t)MAX(len, 0) });
}

static Str text_of(Arena *a, const char *kind, const ASN1_STRING *text)
{
	Str bytes = { (const char *)ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text) };

	return str_find_char(bytes, 0) < 0 ? str_fmt(a, "%s%.*s", kind, STR_ARG(bytes))
	                                   : (Str){ 0 };
}

static Str common_of(Arena *a, const X509 *cert)
{
	const X509_NAME *subject = X509_get_subject_name(cert);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

	return at < 0 ? (Str){ 0 }
	              : text_of(a, "", X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

static void read_names(Arena *a, const X509 *cert, TlsCertificate *out)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	Str *at = ARENA_ARRAY(a, Str, (size_t)MAX(sk_GENERAL_NAME_num(names), 0));

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		Str text = { 0 };

		if (name->type == GEN_DNS)
			text = text_of(a, "DNS:", name->d.dNSName);
		else if (name->type == GEN_URI)
			text = text_of(a, "URI:", name->d.uniformResourceIdentifier);
		else if (name->type == GEN_EMAIL)
			text = text_of(a, "email:", name->d.rfc822Name);
		if (text.len)
			at[out->count++] = text;
	}
	out->names = at;
	GENERAL_NAMES_free(names);
}

bool stream_certificate(const Stream *s, Arena *a, TlsCertificate *out)
{
	AUTO(free_cert) X509 *cert = s->tls ? SSL_get1_peer_certificate(s->tls->ssl) : NULL;

	if (!cert || SSL_get_verify_result(s->tls->ssl) != X509_V_OK)
		return false;
	*out = (TlsCertificate){ .subject = subject_of(a, cert), .common = common_of(a, cert) };
	read_names(a, cert, out);
	return X509_digest(cert, EVP_sha256(), out->sha256, NULL) == 1;
}

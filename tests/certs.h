/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates for tests: made on the spot, written as PEM files into unit_dir().
 *
 *     Cert root = cert_make(a, "root", NULL, NULL, 30);
 *     Cert site = cert_make(a, "site", "DNS:www.example.com,IP:127.0.0.1", &root, 30);
 *
 * Without names it is an authority; without an issuer it signs itself. `days` counts from now to its end. */
#pragma once

#include "unit.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <stdio.h>

typedef struct Cert {
	X509 *x509;
	EVP_PKEY *pkey;
	Str file; /* the certificate */
	Str key;
} Cert;

static inline void cert_extend(X509 *x509, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&ctx, issuer, x509, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	CHECK(extension != NULL);
	CHECK(X509_add_ext(x509, extension, -1));
	X509_EXTENSION_free(extension);
}

static inline void cert_write(const Cert *cert)
{
	FILE *file = fopen(cert->file.at, "w");
	FILE *key = fopen(cert->key.at, "w");

	CHECK(file && key);
	CHECK(PEM_write_X509(file, cert->x509));
	CHECK(PEM_write_PrivateKey(key, cert->pkey, NULL, NULL, 0, NULL, NULL));
	fclose(file);
	fclose(key);
}

static inline void cert_free(void *pointer)
{
	Cert *cert = pointer;

	X509_free(cert->x509);
	EVP_PKEY_free(cert->pkey);
}

static inline Cert cert_make(Arena *a, const char *name, const char *names, const Cert *issuer,
                             int days)
{
	Cert cert = { X509_new(), EVP_EC_gen("P-256"), str_fmt(a, "%s/%s.pem", unit_dir(), name),
		      str_fmt(a, "%s/%s.key", unit_dir(), name) };
	X509_NAME *subject = X509_get_subject_name(cert.x509);
	static long serial = 1000;
	Cert *kept;

	CHECK(cert.x509 && cert.pkey);
	cert.file.at = str_z(a, cert.file);
	cert.key.at = str_z(a, cert.key);
	X509_set_version(cert.x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert.x509), serial++);
	X509_gmtime_adj(X509_getm_notBefore(cert.x509), -100 * 86400L);
	X509_gmtime_adj(X509_getm_notAfter(cert.x509), days * 86400L + 3600);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1,
	                           -1, 0);
	X509_set_issuer_name(cert.x509, issuer ? X509_get_subject_name(issuer->x509) : subject);
	X509_set_pubkey(cert.x509, cert.pkey);
	cert_extend(cert.x509, issuer ? issuer->x509 : cert.x509, NID_basic_constraints,
	            names ? "critical,CA:FALSE" : "critical,CA:TRUE");
	if (names)
		cert_extend(cert.x509, cert.x509, NID_subject_alt_name, names);
	CHECK(X509_sign(cert.x509, issuer ? issuer->pkey : cert.pkey, EVP_sha256()) > 0);
	cert_write(&cert);
	kept = ARENA_NEW(a, Cert);
	*kept = cert;
	arena_defer(a, cert_free, kept);
	return cert;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * A signature over a mail: "this domain has sent it, and nobody has changed it since".
 *
 * What is signed: every field of `signed_fields` that is there, each as often as it is, and From, To, Subject and Date once more than
 * they are there, so that nobody on the way can add a second one. The body whole, without l=, which would let others append. Blanks are
 * made one (relaxed), because servers on the way re-fold and trim. */
#include "notification/dkim.h"

#include "auth/b64.h"
#include "base/arena.h"
#include "base/buf.h"
#include "notification/mime_read.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

struct DkimKey {
	Str domain, selector;
	EVP_PKEY *key;
	bool rsa;
};

enum { RSA_BITS_LEAST = 1024, FIELDS_MOST = 1000 };

static const struct {
	Str name;
	bool once_more;
} signed_fields[] = {
	{ S("From"), true },
	{ S("To"), true },
	{ S("Subject"), true },
	{ S("Date"), true },
	{ S("Cc"), false },
	{ S("Reply-To"), false },
	{ S("Message-ID"), false },
	{ S("In-Reply-To"), false },
	{ S("References"), false },
	{ S("MIME-Version"), false },
	{ S("Content-Type"), false },
	{ S("Content-Transfer-Encoding"), false },
	{ S("List-Id"), false },
	{ S("List-Unsubscribe"), false },
	{ S("List-Unsubscribe-Post"), false },
};

static void key_free(void *arg)
{
	EVP_PKEY_free(arg);
}

static bool key_fits(EVP_PKEY *key, bool *rsa)
{
	int kind = EVP_PKEY_get_base_id(key);

	*rsa = kind == EVP_PKEY_RSA;
	return kind == EVP_PKEY_ED25519 || (*rsa && EVP_PKEY_get_bits(key) >= RSA_BITS_LEAST);
}

/* A key with a pass phrase is not asked for it. */
static int no_phrase(char *into, int size, int rwflag, void *arg)
{
	(void)into, (void)size, (void)rwflag, (void)arg;
	return -1;
}

Err *dkim_key_new(Arena *a, Str domain, Str selector, Str pem, DkimKey **out)
{
	DkimKey *key = ARENA_NEW(a, DkimKey);
	BIO *bio = BIO_new_mem_buf(pem.at ? pem.at : "", (int)MIN(pem.len, (size_t)64 << 10));

	*key = (DkimKey){ .domain = str_dup(a, domain), .selector = str_dup(a, selector) };
	ERR_clear_error();
	key->key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_phrase, NULL) : NULL;
	BIO_free(bio);
	ERR_clear_error();
	if (!key->key)
		return err_new(a, ERR_INVALID, "mail.dkim_key",
		               "the key of %.*s is no private key in PEM", STR_ARG(selector));
	arena_defer(a, key_free, key->key);
	if (!key_fits(key->key, &key->rsa))
		return err_new(a, ERR_INVALID, "mail.dkim_key",
		               "the key of %.*s is neither RSA of %d bits or more nor Ed25519",
		               STR_ARG(selector), RSA_BITS_LEAST);
	*out = key;
	return NULL;
}

Str dkim_domain(const DkimKey *key)
{
	return key->domain;
}

Str dkim_place(const DkimKey *key, Arena *a)
{
	return str_fmt(a, "%.*s._domainkey.%.*s", STR_ARG(key->selector), STR_ARG(key->domain));
}

Str dkim_record(const DkimKey *key, Arena *a)
{
	unsigned char *der = NULL, raw[32];
	size_t len = sizeof(raw);
	Str bytes;

	if (key->rsa) {
		int size = i2d_PUBKEY(key->key, &der);

		bytes = (Str){ (const char *)der, size > 0 ? (size_t)size : 0 };
	} else {
		EVP_PKEY_get_raw_public_key(key->key, raw, &len);
		bytes = (Str){ (const char *)raw, len };
	}
	bytes = str_fmt(a, "v=DKIM1; k=%s; p=%.*s", key->rsa ? "rsa" : "ed25519",
	                STR_ARG(b64(a, bytes)));
	OPENSSL_free(der);
	return bytes;
}

/* --- one form (RFC 6376 3.4.2, 3.4.4) ------------------------------------------------------------------------------------ */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Runs of blanks (and folds) are one; none at the ends. */
static void put_relaxed(Buf *b, Str value)
{
	bool due = false, begun = false;

	for (size_t i = 0; i < value.len; i++) {
		char c = value.at[i];

		if (is_blank(c) || c == '\r' || c == '\n') {
			due = true;
			continue;
		}
		if (due && begun)
			buf_putc(b, ' ');
		due = false;
		begun = true;
		buf_putc(b, c);
	}
}

static void put_field(Buf *b, Str name, Str value)
{
	for (size_t i = 0; i < name.len; i++)
		buf_putc(b, name.at[i] >= 'A' && name.at[i] <= 'Z' ? (char)(name.at[i] | 0x20)
		                                                   : name.at[i]);
	buf_putc(b, ':');
	put_relaxed(b, value);
}

/* A line less the blanks at its end, with those within made one. */
static void put_body_line(Buf *b, Str line)
{
	bool due = false;

	for (size_t i = 0; i < line.len; i++) {
		if (is_blank(line.at[i])) {
			due = true;
			continue;
		}
		if (due)
			buf_putc(b, ' ');
		due = false;
		buf_putc(b, line.at[i]);
	}
}

static void put_body(Buf *b, Str body)
{
	size_t empty = 0;
	Str line;

	while (body.len && str_split(&body, '\n', &line)) {
		size_t before = b->len;

		if (line.len && line.at[line.len - 1] == '\r')
			line.len--;
		for (; empty && line.len; empty--)
			buf_put(b, S("\r\n"));
		before = b->len;
		put_body_line(b, line);
		if (b->len == before)
			empty++; /* of blanks only, or nothing at all: it counts if another follows */
		else
			buf_put(b, S("\r\n"));
	}
}

/* --- signing ------------------------------------------------------------------------------------------------------------ */

typedef struct FieldAt {
	Str name, value;
	bool taken;
} FieldAt;

/* The last of that name that was not taken yet (5.4.2: from the bottom up). */
static FieldAt *field_of(FieldAt *fields, size_t count, Str name)
{
	for (size_t i = count; i-- > 0;)
		if (!fields[i].taken && str_eq_nocase(fields[i].name, name))
			return &fields[i];
	return NULL;
}

static size_t fields_of(Arena *a, Str head, FieldAt **out)
{
	FieldAt *fields = ARENA_ARRAY(a, FieldAt, FIELDS_MOST);
	size_t count = 0;

	while (count < FIELDS_MOST && mime_next(&head, &fields[count].name, &fields[count].value))
		count++;
	*out = fields;
	return count;
}

/* Names to h=, their one form to text. */
static void put_signed(Arena *a, Str head, Buf *names, Buf *text)
{
	FieldAt *fields, *field;
	size_t count = fields_of(a, head, &fields);

	for (size_t i = 0; i < COUNT(signed_fields); i++) {
		while ((field = field_of(fields, count, signed_fields[i].name)) != NULL) {
			field->taken = true;
			buf_fmt(names, "%s%.*s", names->len ? ":" : "",
			        STR_ARG(signed_fields[i].name));
			put_field(text, field->name, field->value);
			buf_put(text, S("\r\n"));
		}
		if (signed_fields[i].once_more)
			buf_fmt(names, "%s%.*s", names->len ? ":" : "",
			        STR_ARG(signed_fields[i].name));
	}
}

static Str sha256(Arena *a, Str bytes)
{
	char *into = arena_alloc_raw(a, SHA256_DIGEST_LENGTH);

	SHA256((const unsigned char *)bytes.at, bytes.len, (unsigned char *)into);
	return (Str){ into, SHA256_DIGEST_LENGTH };
}

/* RSA signs the text by its hash; Ed25519 signs the hash (RFC 8463 3). */
static Err *sign(const DkimKey *key, Arena *a, Str text, Str *out)
{
	unsigned char into[1024]; /* RSA of 8192 bits */
	size_t len = sizeof(into);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	Str what = key->rsa ? text : sha256(a, text);
	bool good;

	ERR_clear_error();
	good = ctx &&
	       EVP_DigestSignInit(ctx, NULL, key->rsa ? EVP_sha256() : NULL, NULL, key->key) == 1 &&
	       EVP_DigestSign(ctx, into, &len, (const unsigned char *)what.at, what.len) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	if (!good)
		return err_new(a, ERR_INTERNAL, "mail.dkim", "the key of %.*s did not sign",
		               STR_ARG(key->selector));
	*out = b64(a, str_dup(a, (Str){ (const char *)into, len }));
	return NULL;
}

/* A long value in pieces of a line. */
static void put_pieces(Buf *b, Str text)
{
	for (size_t at = 0; at < text.len; at += 70)
		buf_fmt(b, "%s%.*s", at ? "\r\n\t" : "", STR_ARG(str_sub(text, at, at + 70)));
}

static void put_names(Buf *b, Str names)
{
	size_t column = 3;
	Str name;

	buf_put(b, S("h="));
	for (bool first = true; str_split(&names, ':', &name); first = false) {
		if (!first)
			buf_putc(b, ':');
		if (column + name.len > 72) {
			buf_put(b, S("\r\n\t "));
			column = 2;
		}
		buf_put(b, name);
		column += name.len + 1;
	}
	buf_putc(b, ';');
}

Err *dkim_sign(const DkimKey *key, Arena *a, Str message, int64_t now_us, Str *field)
{
	AUTO(buf_fini) Buf names = { 0 }, text = { 0 }, body = { 0 }, value = { 0 };
	Str head, content, from, signature;

	mime_split(message, &head, &content);
	if (!mime_header(a, head, "From", &from))
		return err_new(a, ERR_INVALID, "mail.dkim_message",
		               "a mail without From cannot be signed");
	put_signed(a, head, &names, &text);
	put_body(&body, content);
	buf_fmt(&value,
	        "v=1; a=%s-sha256; c=relaxed/relaxed; d=%.*s;\r\n\ts=%.*s; t=%" PRId64
	        "; bh=%.*s;\r\n\t",
	        key->rsa ? "rsa" : "ed25519", STR_ARG(key->domain), STR_ARG(key->selector),
	        now_us / 1000000, STR_ARG(b64(a, sha256(a, buf_str(&body)))));
	put_names(&value, buf_str(&names));
	buf_put(&value, S("\r\n\tb="));
	put_field(&text, S("DKIM-Signature"), buf_str(&value));
	TRY(sign(key, a, buf_str(&text), &signature));
	put_pieces(&value, signature);
	*field = str_fmt(a, "DKIM-Signature: %.*s\r\n", STR_ARG(buf_str(&value)));
	return NULL;
}

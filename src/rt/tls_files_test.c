/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/tls_files.c"

#include "certs.h"
#include "unit.h"

static Str file_with(Arena *a, const char *name, const char *text)
{
	Str path = str_fmt(a, "%s/%s", unit_dir(), name);
	FILE *file = fopen(str_z(a, path), "w");

	CHECK(file != NULL);
	fputs(text, file);
	fclose(file);
	return path;
}

static Str locked_key(Arena *a, const Cert *cert)
{
	Str path = file_with(a, "locked.key", "");
	FILE *file = fopen(str_z(a, path), "w");

	CHECK(PEM_write_PrivateKey(file, cert->pkey, EVP_aes_256_cbc(),
	                           (const unsigned char *)"pass", 4, NULL, NULL));
	fclose(file);
	return path;
}

TEST(files_that_cannot_be_used_are_named)
{
	Cert good = cert_make(a, "good", "DNS:x", NULL, 30),
	     other = cert_make(a, "other", "DNS:x", NULL, 30);
	Str garbled = file_with(a, "garbled.pem",
	                        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	Str text = file_with(a, "text.pem", "this is not PEM\n"),
	    empty = file_with(a, "empty.pem", "");
	const struct {
		Str certificate, key;
		const char *slug;
		Str says, names;
	} cases[] = {
		{ S("/none.pem"), good.key, "tls.certificate", S("No such file"), S("/none.pem") },
		{ garbled, good.key, "tls.certificate", S("cannot be used"), garbled },
		{ text, good.key, "tls.certificate", S("nothing of the kind"), text },
		{ empty, good.key, "tls.certificate", S("nothing of the kind"), empty },
		{ good.key, good.key, "tls.certificate", S("nothing of the kind"), good.key },
		{ good.file, S("/none.key"), "tls.key", S("No such file"), S("/none.key") },
		{ good.file, text, "tls.key", S("cannot be used"), text },
		{ good.file, good.file, "tls.key", S("cannot be used"), good.file },
		{ good.file, other.key, "tls.key", S("does not belong to certificate"), other.key },
		{ good.file, locked_key(a, &good), "tls.key", S("passphrase"), S("locked.key") },
		{ str_of(unit_dir()), good.key, "tls.certificate", S("cannot be used"),
		  str_of(unit_dir()) },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		int days = 1234;
		Err *err = tls_check_files(a, cases[i].certificate, cases[i].key, &days);

		NOTE("case %zu: %.*s", i, err ? (int)err->text.len : 0, err ? err->text.at : "");
		CHECK_ERR(err, cases[i].slug);
		CHECK_INT(err->kind, ERR_INVALID);
		CHECK(str_find(err->text, cases[i].says) >= 0);
		CHECK(str_find(err->text, cases[i].names) >= 0);
		CHECK_INT(days, 1234);
	}
}

TEST(days_left_are_counted_down_below_zero)
{
	static const int days[] = { 365, 30, 1, 0, -1, -20 };

	for (size_t i = 0; i < COUNT(days); i++) {
		Cert cert = cert_make(a, "days", "DNS:x", NULL, days[i]);
		int left = 1234;

		NOTE("%d", days[i]);
		CHECK_OK(tls_check_files(a, cert.file, cert.key, &left));
		CHECK_INT(left, days[i]);
		CHECK_OK(tls_check_files(a, cert.file, (Str){ 0 }, &left));
	}
}

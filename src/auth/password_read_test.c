/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/password_read.c"

#include "password_rows.h"
#include "unit.h"

TEST(password_formats_are_told_apart)
{
	PasswordLook look;

	for (size_t i = 0; i < COUNT(password_rows); i++) {
		NOTE("%.*s", STR_ARG(password_rows[i].stored));
		CHECK_OK(password_look(a, password_rows[i].stored, 128 << 20, &look));
		CHECK_INT(look.format, password_rows[i].format);
	}
	for (unsigned i = 0; i < PASSWORD_FORMAT_COUNT; i++)
		CHECK(*password_format_name(i) && *password_format_help(i));
}

TEST(password_of_nobody_is_none)
{
	static const Str cases[] = { S(""), S("!"),
		                     S("!kVq3mQ0dQm8wYk8b6lT2Xb3Zr1nq5h9w2w3e4r5t") };
	PasswordLook look;

	for (size_t i = 0; i < COUNT(cases); i++) {
		CHECK_OK(password_look(a, cases[i], 128 << 20, &look));
		CHECK_INT(look.format, PASSWORD_NONE);
	}
}

#define SALT "c29tZXNhbHRzb21lc2FsdA"
#define TAG "WlsnnrMxTiZxi1FfyO10kQ"
#define HEX32 "0123456789abcdef0123456789abcdef"

TEST(password_strings_that_are_damaged_or_too_costly_are_refused)
{
	static const struct {
		Str stored;
		PasswordFormat format;
		const char *says;
	} cases[] = {
		{ S("hunter2"), PASSWORD_UNKNOWN, "nobody writes" },
		{ S("$3$$" HEX32), PASSWORD_UNKNOWN, "nobody writes" },
		{ S("z123456789abcdef0123456789abcdef"), PASSWORD_UNKNOWN, "nobody writes" },
		{ S("argon2$argon2x$v=19$m=512,t=2,p=8$" SALT "$" TAG), PASSWORD_DJANGO_ARGON2,
		  "kind" },
		{ S("$argon2id$v=19$m=512,t=2,p=8$" SALT "$AAAA"), PASSWORD_ARGON2, "length" },
		{ S("$argon2id$v=19$m=512,t=2$" SALT "$" TAG), PASSWORD_ARGON2, "few" },
		{ S("$argon2id$v=19$t=2,m=512,p=8$" SALT "$" TAG), PASSWORD_ARGON2,
		  "not m, t and p" },
		{ S("$argon2id$v=19$m=512,t=2,p=8,keyid=x$" SALT "$" TAG), PASSWORD_ARGON2,
		  "not m, t and p" },
		{ S("$argon2id$v=19$m=512,t=0,p=8$" SALT "$" TAG), PASSWORD_ARGON2, "not allow" },
		{ S("$argon2id$v=19$m=8,t=1,p=8$" SALT "$" TAG), PASSWORD_ARGON2, "not allow" },
		{ S("$argon2id$v=19$m=4194304,t=1,p=1$" SALT "$" TAG), PASSWORD_ARGON2, "memory" },
		{ S("$argon2id$v=19$m=18446744073709551615,t=1,p=1$" SALT "$" TAG), PASSWORD_ARGON2,
		  "memory" },
		{ S("$argon2id$v=19$m=65536,t=4000000000,p=1$" SALT "$" TAG), PASSWORD_ARGON2,
		  "passes" },
		{ S("$argon2id$v=19$m=65536,t=1,p=1$" SALT "$" TAG "$"), PASSWORD_ARGON2,
		  "more parts" },
		{ S("pbkdf2_sha256$600000$salt"), PASSWORD_DJANGO_PBKDF2_SHA256, "fewer" },
		{ S("pbkdf2_sha256$0$salt$" TAG), PASSWORD_DJANGO_PBKDF2_SHA256, "rounds" },
		{ S("pbkdf2_sha256$5000001$salt$" TAG), PASSWORD_DJANGO_PBKDF2_SHA256,
		  "limit: rounds" },
		{ S("pbkdf2_sha256$99999999999999999999$salt$" TAG), PASSWORD_DJANGO_PBKDF2_SHA256,
		  "rounds" },
		{ S("pbkdf2_sha256$10$salt$!!!!"), PASSWORD_DJANGO_PBKDF2_SHA256, "base64" },
		{ S("pbkdf2:sha3_256:1000$salt$" HEX32), PASSWORD_WERKZEUG_PBKDF2,
		  "hash that is not known" },
		{ S("pbkdf2:sha256:x$salt$" HEX32), PASSWORD_WERKZEUG_PBKDF2, "rounds" },
		{ S("scrypt$1000$salt$8$1$" TAG), PASSWORD_DJANGO_SCRYPT, "not allow" },
		{ S("scrypt$4194304$salt$8$1$" TAG), PASSWORD_DJANGO_SCRYPT, "memory" },
		{ S("scrypt$16384$salt$8$500$" TAG), PASSWORD_DJANGO_SCRYPT, "work" },
		{ S("scrypt:2:18446744073709551615:18446744073709551615$s$" HEX32),
		  PASSWORD_WERKZEUG_SCRYPT, "limit" },
		{ S("$scrypt$ln=63,r=8,p=1$" SALT "$" TAG), PASSWORD_PASSLIB_SCRYPT, "memory" },
		{ S("$scrypt$n=16,r=8,p=1$" SALT "$" TAG), PASSWORD_PASSLIB_SCRYPT, "ln, r and p" },
		{ S("bcrypt$$2b$31$hnlxF2sRxSIipefy64PEuelZmReiAjfV4I55t/On0M6b6Okn0WLVe"),
		  PASSWORD_DJANGO_BCRYPT, "cost" },
		{ S("$2b$12$short"), PASSWORD_BCRYPT, "60 characters" },
		{ S("$2$04$hnlxF2sRxSIipefy64PEuelZmReiAjfV4I55t/On0M6b6Okn0WLVe"), PASSWORD_BCRYPT,
		  "60" },
		{ S("$bcrypt-sha256$v=2,t=2b,r=4$short$x"), PASSWORD_PASSLIB_BCRYPT_SHA256,
		  "parts" },
		{ S("$6$rounds=999999999$salt$x"), PASSWORD_SHA512_CRYPT, "limit: rounds" },
		{ S("$6$salt$x"), PASSWORD_SHA512_CRYPT, "length" },
		{ S("$y$jFT$abcdefgh$pEXHNIPc2wqCjs6lfX8YDL3nlKGxWfeP0TnCXwrf60."),
		  PASSWORD_YESCRYPT, "memory" },
		{ S("$7$K6..../....abcdefgh$DmlGgVuKhy8KR05IaggLPd5owZ6Y0B5PqhZjW3wtjU6"),
		  PASSWORD_YESCRYPT, "memory" },
		{ S("sha1$salt$" HEX32), PASSWORD_SALTED_SHA1, "length" },
		{ S("sha256$$" HEX32 HEX32), PASSWORD_WERKZEUG_HMAC, "salt" },
		{ S("{SSHA}AAAA"), PASSWORD_LDAP_SHA, "too short" },
		{ S("crypt$$tooshort"), PASSWORD_DJANGO_CRYPT, "13 characters" },
		{ S("wrapped$md5$a$" HEX32), PASSWORD_WRAPPED, "no argon2id" },
		{ S("wrapped$wrapped$md5$a$" HEX32 "$argon2id$v=19$m=256,t=1,p=1$" SALT "$" TAG),
		  PASSWORD_WRAPPED, "no argon2id" },
		{ S("wrapped$pbkdf2_sha256$10$salt$" TAG "$argon2id$v=19$m=256,t=1,p=1$" SALT
		    "$" TAG),
		  PASSWORD_WRAPPED, "not weak" },
		{ S("md5$\0$" HEX32), PASSWORD_SALTED_MD5, "NUL" },
	};
	PasswordLook look;

	for (size_t i = 0; i < COUNT(cases); i++) {
		Err *err = password_look(a, cases[i].stored, 128 << 20, &look);

		NOTE("%.*s: %.*s", STR_ARG(cases[i].stored), STR_ARG(err_chain(a, err)));
		CHECK_ERR(err, "auth.password_format");
		CHECK(str_find(err->text, str_of(cases[i].says)) >= 0);
		CHECK_INT(look.format, cases[i].format);
	}
}

TEST(password_string_of_any_length_is_read)
{
	char *long_one = arena_alloc(a, 5000);
	PasswordLook look;

	memset(long_one, 'a', 5000);
	memcpy(long_one, "md5$", 4);
	for (size_t len = 0; len < 5000; len += 7)
		CHECK(!password_look(a, (Str){ long_one, len }, 128 << 20, &look) == !len);
}

TEST(password_rows_cut_or_changed_never_crash)
{
	for (size_t i = 0; i < COUNT(password_rows); i++) {
		Str stored = password_rows[i].stored;

		for (size_t len = 0; len < stored.len; len++) {
			Str cut = str_dup(a, str_sub(stored, 0, len));
			PasswordLook look;

			if (password_look(a, cut, 128 << 20, &look))
				CHECK(look.format < PASSWORD_FORMAT_COUNT);
		}
	}
}

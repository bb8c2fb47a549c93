/* SPDX-License-Identifier: Apache-2.0
 *
 * Sessions in signed cookies, files of keys and of passwords: the first byte says which. "s" signs what follows as Django and Flask would,
 * so that what stands behind a signature is met too; what was not signed is never taken. */
#include "auth/api_key.h"
#include "auth/htpasswd.h"
#include "auth/signed_session.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fine)
{
	if (!fine)
		abort();
}

static const Str secret = { "secret", 6 };
static const SignedRules rules = { &secret, 1, { "salt", 4 }, INT64_C(1) << 60, true };

static void try_raw(Arena *a, Str cookie)
{
	const Json *session;

	must(django_session_read(a, cookie, &rules, 1, &session) != NULL);
	must(flask_session_read(a, cookie, &rules, 1, &session) != NULL);
}

static void try_signed(Arena *a, Str payload)
{
	const Json *session;
	Str text = str_fmt(a, "%.*s:0", STR_ARG(payload));
	Mac key = digest(EVP_sha1(), S("saltsignersecret"));
	Mac mac = hmac(EVP_sha1(), mac_str(&key), text);
	Err *err = django_session_read(a,
	                               str_fmt(a, "%.*s:%.*s", STR_ARG(text),
	                                       STR_ARG(b64url(a, mac_str(&mac)))),
	                               &rules, 1, &session);

	must(!err || !err_is(err, "session.signature") || payload.len > SIGNED_BYTES);
	must(err || json_kind(session) == JSON_KIND_OBJECT);
	text = str_fmt(a, "%.*s.AA", STR_ARG(payload));
	key = hmac(EVP_sha1(), secret, rules.salt);
	mac = hmac(EVP_sha1(), mac_str(&key), text);
	err = flask_session_read(a,
	                         str_fmt(a, "%.*s.%.*s", STR_ARG(text),
	                                 STR_ARG(b64url(a, mac_str(&mac)))),
	                         &rules, 1, &session);
	must(err || json_kind(session) == JSON_KIND_OBJECT);
}

static void try_keys(Arena *a, Str text)
{
	ApiKeySet *set = ARENA_NEW(a, ApiKeySet), *again = ARENA_NEW(a, ApiKeySet);
	AUTO(buf_fini) Buf b = { 0 };

	if (api_keys_read(a, text, set))
		return;
	api_keys_put(set, &b);
	must(!api_keys_read(a, str_dup(a, buf_str(&b)), again) && again->count == set->count);
}

/* The same text as credentials too. */
static void try_users(Arena *a, Str text)
{
	Htpasswd *set = ARENA_NEW(a, Htpasswd);
	Str name, password;

	if (!htpasswd_read(a, text, 1 << 20, set))
		for (size_t i = 0; i < set->count; i++)
			must(htpasswd_find(set, set->at[i].name) == &set->at[i]);
	if (basic_credentials_read(a, text, &name, &password))
		must(name.len && str_find_char(name, ':') < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena *a = arena_new(0);
	Str text = { (const char *)data + 1, size - 1 };

	if (size && data[0] == 's')
		try_signed(a, text);
	else if (size && data[0] == 'k')
		try_keys(a, text);
	else if (size && data[0] == 'u')
		try_users(a, text);
	else if (size)
		try_raw(a, text);
	arena_free(a);
	return 0;
}

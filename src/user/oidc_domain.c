/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of the provider.
 *
 * Stricter than OAuth 2.0, as OAuth 2.1 and RFC 9700 have it: one response type, PKCE with S256 for everybody, redirect addresses
 * byte for byte. A request that is wrong about client or address is shown and goes nowhere (an open redirector otherwise); any
 * other fault goes to the client.
 *
 * A refresh token is good once. Clients lose answers, and send two requests at once: within the grace a used token brings the same
 * successor, never a second one, so that a family has one live token at any time. Once the successor was used its answer is
 * known to have arrived: then the old one is refused, and after the grace it is theft and ends the family. */
#include "user/oidc_domain.h"

#include "base/arena.h"

/* --- scopes ------------------------------------------------------------------------------------------------------------- */

bool oidc_scope_has(Str scope, Str word)
{
	Str one;

	while (str_split(&scope, ' ', &one))
		if (one.len && str_eq(one, word))
			return true;
	return false;
}

static void add_word(char *at, size_t *len, Str word)
{
	if (*len)
		at[(*len)++] = ' ';
	__builtin_memcpy(at + *len, word.at, word.len);
	*len += word.len;
}

Str oidc_scope_common(Arena *a, Str asked, Str allowed)
{
	char *at = arena_alloc_raw(a, asked.len + 1);
	size_t len = 0;
	Str one;

	while (str_split(&asked, ' ', &one))
		if (one.len && oidc_scope_has(allowed, one) &&
		    !oidc_scope_has((Str){ at, len }, one))
			add_word(at, &len, one);
	return (Str){ at, len };
}

bool oidc_scope_covers(Str scope, Str all_of)
{
	Str one;

	while (str_split(&all_of, ' ', &one))
		if (one.len && !oidc_scope_has(scope, one))
			return false;
	return true;
}

Str oidc_scope_join(Arena *a, Str x, Str y)
{
	char *at = arena_alloc_raw(a, x.len + y.len + 2);
	size_t len = 0;
	Str one;

	for (int i = 0; i < 2; i++) {
		Str rest = i ? y : x;

		while (str_split(&rest, ' ', &one))
			if (one.len && !oidc_scope_has((Str){ at, len }, one))
				add_word(at, &len, one);
	}
	return (Str){ at, len };
}

bool oidc_scope_is(Str scope)
{
	for (size_t i = 0; i < scope.len; i++) {
		char c = scope.at[i];

		if (c < ' ' || c > '~' || c == '"' || c == '\\')
			return false;
	}
	return true;
}

/* --- clients ------------------------------------------------------------------------------------------------------------ */

static const Str auth_names[] = {
	[OIDC_AUTH_NONE] = S("none"),
	[OIDC_AUTH_BASIC] = S("client_secret_basic"),
	[OIDC_AUTH_POST] = S("client_secret_post"),
	[OIDC_AUTH_KEY] = S("private_key_jwt"),
};
_Static_assert(COUNT(auth_names) == OIDC_AUTHS, "a way to authenticate has no name");

Str oidc_auth_name(OidcAuth auth)
{
	return auth_names[auth];
}

bool oidc_auth_read(Str name, OidcAuth *out)
{
	for (size_t i = 0; i < COUNT(auth_names); i++)
		if (str_eq(auth_names[i], name)) {
			*out = (OidcAuth)i;
			return true;
		}
	return false;
}

static const struct {
	Str name;
	uint32_t bit;
} grant_names[] = {
	{ S("authorization_code"), OIDC_GRANT_CODE },
	{ S("refresh_token"), OIDC_GRANT_REFRESH },
	{ S("client_credentials"), OIDC_GRANT_CLIENT },
};

uint32_t oidc_grants_read(Str words)
{
	uint32_t grants = 0;
	Str one;

	while (str_split(&words, ' ', &one)) {
		uint32_t bit = 0;

		for (size_t i = 0; i < COUNT(grant_names); i++)
			if (str_eq(grant_names[i].name, one))
				bit = grant_names[i].bit;
		if (!bit)
			return 0;
		grants |= bit;
	}
	return grants;
}

typedef struct Loopback {
	Str before; /* scheme and host */
	Str after;  /* path and query */
} Loopback;

/* http://127.0.0.1, http://[::1], http://localhost, then a port or none. False: it is something else. */
static bool split_loopback(Str uri, Loopback *out)
{
	static const Str hosts[] = { S("http://127.0.0.1"), S("http://[::1]"),
		                     S("http://localhost") };

	for (size_t i = 0; i < COUNT(hosts); i++) {
		Str rest = str_sub(uri, hosts[i].len, uri.len);
		size_t digits = 0;

		if (!str_starts(uri, hosts[i]))
			continue;
		if (rest.len && rest.at[0] == ':') {
			while (digits + 1 < rest.len && rest.at[digits + 1] >= '0' &&
			       rest.at[digits + 1] <= '9')
				digits++;
			if (!digits || digits > 5)
				return false;
			rest = str_sub(rest, digits + 1, rest.len);
		}
		if (rest.len && rest.at[0] != '/' && rest.at[0] != '?')
			return false;
		*out = (Loopback){ hosts[i], rest };
		return true;
	}
	return false;
}

static bool is_plain(Str uri)
{
	for (size_t i = 0; i < uri.len; i++) {
		char c = uri.at[i];

		if (c <= ' ' || c > '~' || c == '#' || c == '"' || c == '<' || c == '>' ||
		    c == '\\')
			return false;
	}
	return uri.len > 0 && uri.len <= 2048;
}

/* com.example.app:/callback: a name with a dot in it, so that it is nobody else's. */
static bool is_private_scheme(Str uri)
{
	ptrdiff_t colon = str_find_char(uri, ':');
	Str scheme = colon < 0 ? (Str){ 0 } : str_sub(uri, 0, (size_t)colon);

	for (size_t i = 0; i < scheme.len; i++) {
		char c = scheme.at[i];
		bool letter = c >= 'a' && c <= 'z';
		bool more = (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+';

		if (!letter && (!i || !more))
			return false;
	}
	return scheme.len > 0 && str_find_char(scheme, '.') > 0;
}

bool oidc_redirect_is(Str uri)
{
	Loopback loopback;
	Str host;

	if (!is_plain(uri))
		return false;
	if (split_loopback(uri, &loopback) || is_private_scheme(uri))
		return true;
	if (!str_starts(uri, S("https://")))
		return false;
	host = str_sub(uri, 8, uri.len);
	for (size_t i = 0; i < host.len; i++)
		if (host.at[i] == '/' || host.at[i] == '?')
			host.len = i;
	return host.len > 0 && str_find_char(host, '@') < 0;
}

bool oidc_redirect_known(Str known, Str uri)
{
	Loopback mine, theirs;
	bool loopback = split_loopback(uri, &theirs);
	Str one;

	if (!is_plain(uri))
		return false;
	while (str_split(&known, ' ', &one)) {
		if (one.len && str_eq(one, uri))
			return true;
		if (loopback && split_loopback(one, &mine) && str_eq(mine.before, theirs.before) &&
		    str_eq(mine.after, theirs.after))
			return true;
	}
	return false;
}

/* --- the authorization endpoint ------------------------------------------------------------------------------------------ */

static OidcFault fault(const char *error, const char *why)
{
	return (OidcFault){ error, why };
}

OidcFault oidc_ask_where(const OidcClient *client, Str redirect_uri)
{
	if (!client)
		return fault("invalid_client", "no client of that client_id is registered");
	if (!redirect_uri.len)
		return fault("invalid_request", "redirect_uri is missing");
	if (!oidc_redirect_known(client->redirects, redirect_uri))
		return fault("invalid_request", "redirect_uri is not one the client registered");
	return (OidcFault){ 0 };
}

static const struct {
	Str word;
	uint32_t bit;
} prompts[] = {
	{ S("none"), OIDC_PROMPT_NONE },
	{ S("login"), OIDC_PROMPT_LOGIN },
	{ S("consent"), OIDC_PROMPT_CONSENT },
	{ S("create"), OIDC_PROMPT_CREATE },
	{ S("select_account"), OIDC_PROMPT_LOGIN },
};

static OidcFault read_prompt(Str words, uint32_t *out)
{
	Str one;

	while (str_split(&words, ' ', &one)) {
		uint32_t bit = 0;

		for (size_t i = 0; i < COUNT(prompts); i++)
			if (str_eq(prompts[i].word, one))
				bit = prompts[i].bit;
		if (one.len && !bit)
			return fault("invalid_request", "prompt has a word that is not known");
		*out |= bit;
	}
	if ((*out & OIDC_PROMPT_NONE) && *out != OIDC_PROMPT_NONE)
		return fault("invalid_request", "prompt=none stands alone");
	return (OidcFault){ 0 };
}

/* 43 characters of base64url: 32 bytes, so the last has two bits to spare. */
static bool is_challenge(Str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (!((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
		      c == '-' || c == '_'))
			return false;
	}
	return text.len == 43;
}

static OidcFault check_form(const OidcClient *client, const OidcAsk *ask)
{
	if (ask->has_request)
		return fault("request_not_supported", "request objects are not taken");
	if (ask->has_request_uri)
		return fault("request_uri_not_supported", "request_uri is not taken");
	if (ask->has_registration)
		return fault("registration_not_supported", "registration is not taken");
	if (!ask->response_type.len)
		return fault("invalid_request", "response_type is missing");
	if (!str_eq(ask->response_type, S("code")))
		return fault("unsupported_response_type", "the response_type is code");
	if (!(client->grants & OIDC_GRANT_CODE))
		return fault("unauthorized_client", "the client may not use this grant");
	if (ask->response_mode.len && !str_eq(ask->response_mode, S("query")))
		return fault("invalid_request", "the response_mode is query");
	if (!ask->code_challenge.len)
		return fault("invalid_request", "code_challenge is missing (RFC 7636)");
	if (!str_eq(ask->code_challenge_method, S("S256")))
		return fault("invalid_request", "the code_challenge_method is S256");
	if (!is_challenge(ask->code_challenge))
		return fault("invalid_request", "code_challenge is not 43 characters of base64url");
	return (OidcFault){ 0 };
}

OidcFault oidc_ask_check(Arena *a, const OidcClient *client, const OidcAsk *ask, OidcAsked *out)
{
	OidcAsked asked = { .max_age_s = -1, .level = 1 };
	OidcFault found = check_form(client, ask);
	uint64_t age;

	if (found.error)
		return found;
	found = read_prompt(ask->prompt, &asked.prompt);
	if (found.error)
		return found;
	if (ask->max_age.len) {
		if (!str_to_u64(ask->max_age, &age) || age > INT32_MAX)
			return fault("invalid_request", "max_age is not a number of seconds");
		asked.max_age_s = (int64_t)age;
	}
	if (!oidc_scope_is(ask->scope))
		return fault("invalid_scope", "scope has a character that it may not have");
	asked.scope = oidc_scope_common(a, ask->scope, client->scope);
	if (!asked.scope.len)
		return fault("invalid_scope", "the client may have none of that scope");
	if (oidc_scope_has(ask->acr_values, S("aal2")) &&
	    !oidc_scope_has(ask->acr_values, S("aal1")))
		asked.level = 2;
	*out = asked;
	return (OidcFault){ 0 };
}

static bool must_log_in(const OidcAsked *asked, const OidcPerson *person, int64_t now_us)
{
	if (!person->known)
		return true;
	if ((asked->prompt & OIDC_PROMPT_LOGIN || asked->max_age_s == 0) &&
	    (!person->asked_us || person->auth_us < person->asked_us))
		return true;
	return asked->max_age_s > 0 &&
	       now_us - person->auth_us > asked->max_age_s * INT64_C(1000000);
}

static bool must_consent(const OidcClient *client, const OidcAsked *asked, const OidcPerson *person)
{
	if (person->consent_now)
		return false;
	if (asked->prompt & OIDC_PROMPT_CONSENT)
		return true;
	return !client->trusted && !oidc_scope_covers(person->consented, asked->scope);
}

OidcStep oidc_next_step(const OidcClient *client, const OidcAsked *asked, const OidcPerson *person,
                        int64_t now_us, OidcFault *out)
{
	bool silent = asked->prompt & OIDC_PROMPT_NONE;

	*out = (OidcFault){ 0 };
	if (must_log_in(asked, person, now_us)) {
		*out = fault("login_required", "the person must log in");
		if (silent)
			return OIDC_STEP_FAULT;
		return asked->prompt & OIDC_PROMPT_CREATE && !person->known ? OIDC_STEP_CREATE
		                                                            : OIDC_STEP_LOGIN;
	}
	if (person->level < asked->level) {
		*out = person->has_second
		               ? fault("interaction_required", "a second factor is asked for")
		               : fault("unmet_authentication_requirements",
		                       "the account has no second factor");
		return silent || !person->has_second ? OIDC_STEP_FAULT : OIDC_STEP_SECOND;
	}
	if (must_consent(client, asked, person)) {
		*out = fault("consent_required", "the person must agree");
		return silent ? OIDC_STEP_FAULT : OIDC_STEP_CONSENT;
	}
	return OIDC_STEP_CODE;
}

/* --- codes and refresh tokens ------------------------------------------------------------------------------------------- */

bool oidc_verifier_is(Str verifier)
{
	for (size_t i = 0; i < verifier.len; i++) {
		char c = verifier.at[i];

		if (!((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
		      c == '-' || c == '.' || c == '_' || c == '~'))
			return false;
	}
	return verifier.len >= 43 && verifier.len <= 128;
}

OidcVerdict oidc_code_judge(const OidcCode *code, const OidcClient *client, Str redirect_uri,
                            int64_t now_us)
{
	if (!code || !str_eq(code->client, client->id))
		return OIDC_REFUSE;
	if (code->used)
		return OIDC_REVOKE;
	if (code->revoked || now_us >= code->expires_us)
		return OIDC_REFUSE;
	return str_eq(code->redirect_uri, redirect_uri) ? OIDC_TAKE : OIDC_REFUSE;
}

OidcVerdict oidc_refresh_judge(const OidcRefresh *token, const OidcClient *client, int64_t grace_us,
                               int64_t now_us)
{
	bool within;

	if (!token || !str_eq(token->client, client->id))
		return OIDC_REFUSE;
	if (token->revoked || now_us >= token->expires_us)
		return OIDC_REFUSE;
	if (!token->used)
		return OIDC_TAKE;
	within = now_us - token->used_us < grace_us;
	if (!within)
		return OIDC_REVOKE;
	return token->successor_used ? OIDC_REFUSE : OIDC_REPEAT;
}

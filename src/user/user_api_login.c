/* SPDX-License-Identifier: Apache-2.0
 *
 * The API of coming in: registration, verification, login, recovery. What is answered never depends on whether there is such an
 * account; see account_login.c and account_codes.c for the work that does not either. */
#include "user/user_api.h"

#include "base/arena.h"
#include "base/time.h"

/* The profile as text, for it is checked and kept as such. */
static Str json_text(Arena *a, const Json *value)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);

	if (json_kind(value) == JSON_KIND_NULL)
		return S("");
	json_put(&w, value);
	return str_dup(a, buf_str(&b));
}

/* --- registration ------------------------------------------------------------------------------------------------------- */

typedef struct RegistrationIn {
	Str email, password, name, locale;
	const Json *profile;
} RegistrationIn;
static const Field registration_rows[] = {
	{ "email", FIELD_STR, AT(RegistrationIn, email), .required = true, .max = 1000,
	  .format = "email", .help = "where the code goes" },
	{ "password", FIELD_STR, AT(RegistrationIn, password), .required = true, .max = 4096,
	  .controls = true, .secret = true, .help = "what to log in with" },
	{ "name", FIELD_STR, AT(RegistrationIn, name), .max = 1000, .help = "how it is shown" },
	{ "locale", FIELD_STR, AT(RegistrationIn, locale), .max = 35,
	  .help = "the language of mails and pages" },
	{ "profile", FIELD_JSON, AT(RegistrationIn, profile), .help = "custom fields" },
};
static const FieldTable registration_in = { "Registration",
	                                    FIELD_ROWS(RegistrationIn, registration_rows),
	                                    .help = "somebody who wants an account" };

typedef struct RegistrationOut {
	Str proof;
	int64_t expires_at;
} RegistrationOut;
static const Field registration_out_rows[] = {
	{ "proof", FIELD_STR, AT(RegistrationOut, proof), .required = true,
	  .help = "to be shown together with the mail's code" },
	{ "expires_at", FIELD_TIME, AT(RegistrationOut, expires_at), .help = "until when" },
};
static const FieldTable registration_out = {
	"RegistrationBegun", FIELD_ROWS(RegistrationOut, registration_out_rows),
	.help = "the same whether or not the address has an account"
};

static Err *registration_post(ServiceCall *c)
{
	Accounts *accounts = accounts_of(c->home);
	const RegistrationIn *in = c->in;
	int64_t retry_us;
	Registration r = { .email = in->email,
		           .password = in->password,
		           .name = in->name,
		           .locale = in->locale,
		           .profile = json_text(c->arena, in->profile),
		           .asker = user_asker(c, &retry_us) };
	JsonWriter *w;
	Str proof;

	if (!accounts->conf->registration)
		return err_new(c->arena, ERR_DENIED, "user.closed",
		               "accounts are made by an administrator here");
	TRY(user_limited(c, &retry_us,
	                 account_register(accounts, c->arena, &r, &c->mistakes, &proof)));
	TRY(service_mistakes(c));
	w = service_json(c);
	json_begin_object(w);
	json_put_str(w, "proof", proof);
	json_key(w, S("expires_at"));
	json_add_time(w, time_utc_us() + accounts->conf->codes.registration_us);
	json_end(w);
	return NULL;
}

/* --- verification ------------------------------------------------------------------------------------------------------- */

typedef struct VerificationIn {
	Str code, proof, password;
} VerificationIn;
static const Field verification_rows[] = {
	{ "code", FIELD_STR, AT(VerificationIn, code), .required = true, .max = 200, .secret = true,
	  .help = "of the mail" },
	{ "proof", FIELD_STR, AT(VerificationIn, proof), .max = 200, .secret = true,
	  .help = "of the registration's answer" },
	{ "password", FIELD_STR, AT(VerificationIn, password), .max = 4096, .controls = true,
	  .secret = true, .help = "or the password that was chosen, on another device" },
};
static const FieldTable verification_in = {
	"Verification", FIELD_ROWS(VerificationIn, verification_rows),
	.help = "a code that came by mail; of a changed address it takes the session of its account"
};

static Err *no_code(Arena *a)
{
	return err_new(a, ERR_DENIED, "user.code",
	               "the code is none, was used, or is too old; or it is not yours");
}

static Err *verification_post(ServiceCall *c)
{
	const VerificationIn *in = c->in;
	int64_t retry_us;
	Verification v = { .code = in->code, .proof = in->proof, .password = in->password };
	Err *err = service_who(c);
	User *user;

	if (err && err->kind != ERR_UNAUTHENTICATED)
		return err;
	v.session_user = c->who.id;
	v.asker = user_asker(c, &retry_us);
	TRY(user_limited(c, &retry_us, account_verify(accounts_of(c->home), c->arena, &v, &user)));
	if (!user)
		return no_code(c->arena);
	user_put(service_json(c), c->arena, user);
	return NULL;
}

/* --- login -------------------------------------------------------------------------------------------------------------- */

typedef struct LoginIn {
	Str login, password;
	bool bearer;
} LoginIn;
static const Field login_rows[] = {
	{ "login", FIELD_STR, AT(LoginIn, login), .required = true, .max = 1000,
	  .help = "an e-mail address or a username" },
	{ "password", FIELD_STR, AT(LoginIn, password), .required = true, .max = 4096,
	  .controls = true, .secret = true, .help = "the password" },
	{ "bearer", FIELD_BOOL, AT(LoginIn, bearer),
	  .help = "the token goes into the answer, not into a cookie" },
};
static const FieldTable login_in = { "Login", FIELD_ROWS(LoginIn, login_rows),
	                             .help = "somebody who wants in" };

enum { STATE_DONE, STATE_FACTOR };
static const ConfWord state_words[] = {
	{ "authenticated", STATE_DONE, "logged in" },
	{ "factor_due", STATE_FACTOR, "a code is due: POST /v1/sessions/factor" },
	{ 0 },
};
typedef struct LoginOut {
	uint8_t state;
	Uuid session;
	Str csrf, token;
	int64_t expires_at;
} LoginOut;
static const Field login_out_rows[] = {
	{ "state", FIELD_ENUM, AT(LoginOut, state), .names = state_words, .required = true,
	  .help = "how far it got" },
	{ "session", FIELD_ID, AT(LoginOut, session), .prefix = "ses_", .required = true,
	  .help = "its id" },
	{ "csrf", FIELD_STR, AT(LoginOut, csrf),
	  .help = "for X-CSRF-Token of requests with the cookie" },
	{ "token", FIELD_STR, AT(LoginOut, token),
	  .help = "for Authorization: Bearer, where that was asked for" },
	{ "expires_at", FIELD_TIME, AT(LoginOut, expires_at),
	  .help = "when it ends unless it is used" },
};
static const FieldTable login_out = { "LoggedIn", FIELD_ROWS(LoginOut, login_out_rows),
	                              .help = "a session" };

void user_session_json(ServiceCall *c, const Session *session, Str token, bool bearer)
{
	JsonWriter *w = service_json(c);

	json_begin_object(w);
	json_put_str(w, "state",
	             str_of(state_words[session->level ? STATE_DONE : STATE_FACTOR].name));
	json_put_str(w, "session", session_id_text(c->arena, session->id));
	if (bearer) {
		json_put_str(w, "token", token);
	} else {
		json_put_str(w, "csrf", session_csrf(c->arena, token));
		user_cookie(c, token, session->until_us);
	}
	json_key(w, S("expires_at"));
	json_add_time(w, session->idle_until_us);
	json_end(w);
}

static Err *login_answer(ServiceCall *c, const Login *login, bool bearer, const char *refusal)
{
	switch (login->state) {
	case LOGIN_LIMITED:
		service_retry_after(c, login->retry_us);
		return err_new(c->arena, ERR_LIMITED, "user.limited",
		               "this was tried too often: wait");
	case LOGIN_REFUSED:
		return err_new(c->arena, ERR_UNAUTHENTICATED, "user.refused", "%s", refusal);
	case LOGIN_FACTOR:
	case LOGIN_DONE:
		break;
	}
	user_session_json(c, login->session, login->token, bearer);
	return NULL;
}

static Err *session_post(ServiceCall *c)
{
	const LoginIn *in = c->in;
	int64_t retry_us;
	LoginTry try = { .login = in->login,
		         .password = in->password,
		         .asker = user_asker(c, &retry_us) };
	Login *login;

	TRY(account_login(accounts_of(c->home), c->arena, &try, &login));
	return login_answer(c, login, in->bearer, "the login or the password is wrong");
}

typedef struct ProofIn {
	Str code, password;
} ProofIn;
static const Field factor_rows[] = {
	{ "code", FIELD_STR, AT(ProofIn, code), .required = true, .max = 100, .secret = true,
	  .help = "of the authenticator, or a recovery code" },
};
static const FieldTable factor_in = { "Factor", FIELD_ROWS(ProofIn, factor_rows),
	                              .help = "the second factor" };
static const Field proof_rows[] = {
	{ "code", FIELD_STR, AT(ProofIn, code), .max = 100, .secret = true,
	  .help = "of the authenticator, or a recovery code" },
	{ "password", FIELD_STR, AT(ProofIn, password), .max = 4096, .controls = true,
	  .secret = true, .help = "or the password" },
};
static const FieldTable proof_in = { "Proof", FIELD_ROWS(ProofIn, proof_rows),
	                             .help = "that it is still the same person" };

/* The token of a session that is perhaps half a login, for which nobody is known yet. */
static Err *half_token(ServiceCall *c, Str *token, bool *cookie)
{
	*token = user_token(c, cookie);
	if (!token->len)
		return err_new(c->arena, ERR_UNAUTHENTICATED, "auth.needed", "there is no session");
	return *cookie ? user_csrf(c, *token) : NULL;
}

static Err *factor_post(ServiceCall *c)
{
	const ProofIn *in = c->in;
	int64_t retry_us;
	Login *login;
	bool cookie;
	Str token;

	TRY(half_token(c, &token, &cookie));
	TRY(account_login_code(accounts_of(c->home), c->arena, token, in->code,
	                       user_asker(c, &retry_us), &login));
	return login_answer(c, login, !cookie,
	                    "the code is wrong, or was used, or the login took too long");
}

static Err *proof_post(ServiceCall *c)
{
	const ProofIn *in = c->in;
	const Seen *seen = user_seen(c);
	int64_t retry_us;
	const Asker *asker = user_asker(c, &retry_us);
	Login *login;

	if (!in->code.len == !in->password.len)
		service_mistake(c, "/password", "required", "one of password and code is needed");
	TRY(service_mistakes(c));
	if (in->code.len)
		TRY(account_login_code(accounts_of(c->home), c->arena, seen->token, in->code, asker,
		                       &login));
	else
		TRY(account_prove(accounts_of(c->home), c->arena, seen->token, in->password, asker,
		                  &login));
	return login_answer(c, login, !seen->cookie, "the code or the password is wrong");
}

/* Log-out, of half a login too. None is fine: then one is logged out. */
static Err *session_delete(ServiceCall *c)
{
	int64_t retry_us;
	Err *err = service_who(c);
	bool cookie, ended;
	Str token = user_token(c, &cookie);

	if (err && err->kind != ERR_UNAUTHENTICATED)
		return err;
	if (token.len && cookie)
		TRY(user_csrf(c, token));
	TRY(session_end(accounts_of(c->home), c->arena, token, user_asker(c, &retry_us), &ended));
	if (token.len && cookie)
		user_cookie(c, S(""), 0);
	return NULL;
}

/* --- recovery ----------------------------------------------------------------------------------------------------------- */

typedef struct RecoveryIn {
	Str login;
} RecoveryIn;
static const Field recovery_rows[] = {
	{ "login", FIELD_STR, AT(RecoveryIn, login), .required = true, .max = 1000,
	  .help = "an e-mail address or a username" },
};
static const FieldTable recovery_in = { "Recovery", FIELD_ROWS(RecoveryIn, recovery_rows),
	                                .help = "somebody who has forgotten a password" };

static Err *recovery_post(ServiceCall *c)
{
	const RecoveryIn *in = c->in;
	int64_t retry_us;

	TRY(user_limited(c, &retry_us,
	                 account_recover(accounts_of(c->home), c->arena, in->login,
	                                 user_asker(c, &retry_us))));
	c->status = 202;
	return NULL;
}

typedef struct PasswordIn {
	Str code, password;
} PasswordIn;
static const Field password_rows[] = {
	{ "code", FIELD_STR, AT(PasswordIn, code), .required = true, .max = 200, .secret = true,
	  .help = "of the mail" },
	{ "password", FIELD_STR, AT(PasswordIn, password), .required = true, .max = 4096,
	  .controls = true, .secret = true, .help = "the new password" },
};
static const FieldTable password_in = {
	"PasswordByCode", FIELD_ROWS(PasswordIn, password_rows),
	.help = "a new password, by the code of a recovery or an invitation"
};

static Err *password_post(ServiceCall *c)
{
	const PasswordIn *in = c->in;
	int64_t retry_us;
	User *user;

	TRY(user_limited(c, &retry_us,
	                 account_reset(accounts_of(c->home), c->arena, in->code, in->password,
	                               user_asker(c, &retry_us), &c->mistakes, &user)));
	TRY(service_mistakes(c));
	return user ? NULL : no_code(c->arena);
}

/* --- rows --------------------------------------------------------------------------------------------------------------- */

static const ServiceRoute routes[] = {
	{ "POST", "/v1/registrations", registration_post, .body = &registration_in,
	  .answer = &registration_out, .status = 202, .tag = "login",
	  .help = "ask for an account: a code goes out by mail" },
	{ "POST", "/v1/verifications", verification_post, .body = &verification_in, .tag = "login",
	  .help = "the code of such a mail" },
	{ "POST", "/v1/sessions", session_post, .body = &login_in, .answer = &login_out,
	  .status = 201, .tag = "login", .help = "log in" },
	{ "POST", "/v1/sessions/factor", factor_post, .body = &factor_in, .answer = &login_out,
	  .tag = "login", .help = "the second factor of a login" },
	{ "POST", "/v1/sessions/proof", proof_post, .scopes = "me", .body = &proof_in,
	  .answer = &login_out, .tag = "login",
	  .help = "password or code again, for what wants it fresh" },
	{ "DELETE", "/v1/sessions/current", session_delete, .tag = "login", .help = "log out" },
	{ "POST", "/v1/recoveries", recovery_post, .body = &recovery_in, .tag = "login",
	  .help = "a code to set a new password goes out by mail, if there is such an account" },
	{ "POST", "/v1/passwords", password_post, .body = &password_in, .tag = "login",
	  .help = "set a new password by a code; all sessions end" },
};

ServiceRoutes user_login_routes(void)
{
	return (ServiceRoutes)SERVICE_ROUTES(routes);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The API of one's own account: what it says of one, sessions, second factors, and its end. What changes how one logs in wants a
 * password or a code that was given just now (user_need_fresh): a session left open on a borrowed machine is not enough. */
#include "user/user_api.h"

#include "base/arena.h"
#include "user/account_export.h"
#include "user/secret.h"
#include "user/totps.h"

/* --- the account -------------------------------------------------------------------------------------------------------- */

static Err *me_get(ServiceCall *c)
{
	const User *user = user_seen(c)->user;

	service_etag(c, user->version);
	user_put(service_json(c), c->arena, user);
	return NULL;
}

static Err *me_patch(ServiceCall *c)
{
	return user_change(c, c->who.id, false);
}

static Err *erase(ServiceCall *c, Db *tx, void *arg)
{
	UserHold hold;

	service_forget(c, account_cache_key(c->arena, c->who.id));
	TRY(user_hold(tx, c->arena, c->who.id, &hold));
	TRY(service_match(c, hold.version));
	return account_erase(tx, c->arena, c->who.id, arg);
}

static Err *me_delete(ServiceCall *c)
{
	bool cookie = user_seen(c)->cookie;
	int64_t retry_us;

	TRY(user_need_fresh(c));
	TRY(service_effect(c, DB_READ_COMMITTED, erase, user_asker(c, &retry_us)));
	if (cookie)
		user_cookie(c, S(""), 0);
	return NULL;
}

static Err *me_export(ServiceCall *c)
{
	return account_export(accounts_of(c->home), c->arena, user_seen(c)->user, service_json(c));
}

/* --- address and password ----------------------------------------------------------------------------------------------- */

typedef struct EmailIn {
	Str email;
} EmailIn;
static const Field email_rows[] = {
	{ "email", FIELD_STR, AT(EmailIn, email), .required = true, .max = 1000, .format = "email",
	  .help = "the new address" },
};
static const FieldTable email_in = { "NewAddress", FIELD_ROWS(EmailIn, email_rows),
	                             .help = "another e-mail address" };

static Err *email_post(ServiceCall *c)
{
	const EmailIn *in = c->in;
	int64_t retry_us;

	TRY(user_need_fresh(c));
	TRY(user_limited(c, &retry_us,
	                 account_email(accounts_of(c->home), c->arena, user_seen(c)->user,
	                               in->email, user_asker(c, &retry_us), &c->mistakes)));
	TRY(service_mistakes(c));
	c->status = 202;
	return NULL;
}

typedef struct PasswordIn {
	Str current, password;
} PasswordIn;
static const Field password_rows[] = {
	{ "current", FIELD_STR, AT(PasswordIn, current), .required = true, .max = 4096,
	  .controls = true, .secret = true, .help = "the password until now" },
	{ "password", FIELD_STR, AT(PasswordIn, password), .required = true, .max = 4096,
	  .controls = true, .secret = true, .help = "the new one" },
};
static const FieldTable password_in = { "PasswordChange", FIELD_ROWS(PasswordIn, password_rows),
	                                .help = "another password" };

static Err *password_post(ServiceCall *c)
{
	const PasswordIn *in = c->in;
	const Seen *seen = user_seen(c);
	int64_t retry_us;
	PasswordChange change = { .user = seen->user,
		                  .session = seen->session,
		                  .token = seen->token,
		                  .current = in->current,
		                  .fresh = in->password,
		                  .asker = user_asker(c, &retry_us) };
	Str token;

	TRY(user_limited(c, &retry_us,
	                 account_password(accounts_of(c->home), c->arena, &change, &c->mistakes,
	                                  &token)));
	TRY(service_mistakes(c));
	user_session_json(c, seen->session, token, !seen->cookie);
	return NULL;
}

/* --- sessions ----------------------------------------------------------------------------------------------------------- */

static Err *sessions_get(ServiceCall *c)
{
	return user_sessions(c, c->who.id, user_seen(c)->session->id);
}

static Err *sessions_delete(ServiceCall *c)
{
	int64_t retry_us, ended;

	return session_revoke(accounts_of(c->home), c->arena, c->who.id, (Uuid){ { 0 } },
	                      user_seen(c)->session->id, user_asker(c, &retry_us), &ended);
}

static Err *session_delete(ServiceCall *c)
{
	const Seen *seen = user_seen(c);
	int64_t retry_us, ended;
	Uuid id;

	TRY(service_id(c, "id", "ses_", &id));
	TRY(session_revoke(accounts_of(c->home), c->arena, c->who.id, id, (Uuid){ { 0 } },
	                   user_asker(c, &retry_us), &ended));
	if (!ended)
		return err_new(c->arena, ERR_NOT_FOUND, "session.unknown",
		               "there is no such session");
	if (uuid_eq(id, seen->session->id) && seen->cookie)
		user_cookie(c, S(""), 0);
	return NULL;
}

/* --- second factors ----------------------------------------------------------------------------------------------------- */

static Err *factors_get(ServiceCall *c)
{
	const User *user = user_seen(c)->user;
	JsonWriter *w;
	int64_t left;

	TRY(recovery_codes_left(accounts_of(c->home), c->arena, user->id, &left));
	w = service_json(c);
	json_begin_object(w);
	json_put_bool(w, "password", user->password_us != 0);
	json_put_bool(w, "totp", user->totp);
	json_put_i64(w, "recovery_codes_left", left);
	json_end(w);
	return NULL;
}

typedef struct FactorsOut {
	bool password, totp;
	int64_t recovery_codes_left;
} FactorsOut;
static const Field factors_rows[] = {
	{ "password", FIELD_BOOL, AT(FactorsOut, password), .help = "is one set" },
	{ "totp", FIELD_BOOL, AT(FactorsOut, totp), .help = "is an authenticator confirmed" },
	{ "recovery_codes_left", FIELD_INT, AT(FactorsOut, recovery_codes_left),
	  .help = "that were not used" },
};
static const FieldTable factors_out = { "Factors", FIELD_ROWS(FactorsOut, factors_rows),
	                                .help = "what one logs in with" };

typedef struct OfferOut {
	Str secret, uri;
} OfferOut;
static const Field offer_rows[] = {
	{ "secret", FIELD_STR, AT(OfferOut, secret), .help = "for typing, base32" },
	{ "uri", FIELD_STR, AT(OfferOut, uri), .help = "for a QR code" },
};
static const FieldTable offer_out = { "TotpOffer", FIELD_ROWS(OfferOut, offer_rows),
	                              .help = "an authenticator that counts once it is confirmed" };

static Err *totp_post(ServiceCall *c)
{
	int64_t retry_us;
	TotpOffer offer;
	JsonWriter *w;

	TRY(user_need_fresh(c));
	TRY(totp_offer(accounts_of(c->home), c->arena, user_seen(c)->user, user_asker(c, &retry_us),
	               &offer));
	w = service_json(c);
	json_begin_object(w);
	json_put_str(w, "secret", offer.secret);
	json_put_str(w, "uri", offer.uri);
	json_end(w);
	return NULL;
}

typedef struct CodesOut {
	CONF_LIST_OF(Str) recovery_codes;
} CodesOut;
static const Field codes_rows[] = {
	{ "recovery_codes", FIELD_STR, AT_LIST(CodesOut, recovery_codes),
	  .help = "each good once, shown now and never again" },
};
static const FieldTable codes_out = { "RecoveryCodes", FIELD_ROWS(CodesOut, codes_rows),
	                              .help = "for when the authenticator is lost" };

static void codes_json(ServiceCall *c, const Str *codes)
{
	JsonWriter *w = service_json(c);

	json_begin_object(w);
	json_key(w, S("recovery_codes"));
	json_begin_array(w);
	for (size_t i = 0; i < SECRET_CODES; i++)
		json_add_str(w, codes[i]);
	json_end(w);
	json_end(w);
}

typedef struct CodeIn {
	Str code;
} CodeIn;
static const Field code_rows[] = {
	{ "code", FIELD_STR, AT(CodeIn, code), .required = true, .max = 20, .secret = true,
	  .help = "that the authenticator shows" },
};
static const FieldTable code_in = { "TotpConfirmation", FIELD_ROWS(CodeIn, code_rows),
	                            .help = "that the secret was taken" };

static Err *totp_confirm_post(ServiceCall *c)
{
	const CodeIn *in = c->in;
	const User *user = user_seen(c)->user;
	int64_t retry_us;
	const Asker *asker = user_asker(c, &retry_us);
	const Str *codes;

	TRY(user_limited(c, &retry_us,
	                 account_limit(accounts_of(c->home), c->arena, "confirm",
	                               uuid_text(c->arena, user->id), asker)));
	TRY(totp_confirm(accounts_of(c->home), c->arena, user, in->code, asker, &codes));
	if (!codes)
		service_mistake(c, "/code", "wrong",
		                "the code is wrong, or there is nothing to confirm");
	TRY(service_mistakes(c));
	codes_json(c, codes);
	return NULL;
}

static Err *totp_delete(ServiceCall *c)
{
	int64_t retry_us;
	bool dropped;

	TRY(user_need_fresh(c));
	TRY(totp_drop(accounts_of(c->home), c->arena, c->who.id, user_asker(c, &retry_us),
	              &dropped));
	return dropped ? NULL
	               : err_new(c->arena, ERR_NOT_FOUND, "user.no_totp",
	                         "there is no authenticator");
}

static Err *codes_post(ServiceCall *c)
{
	const Str *codes;
	int64_t retry_us;

	TRY(user_need_fresh(c));
	TRY(recovery_codes_new(accounts_of(c->home), c->arena, user_seen(c)->user,
	                       user_asker(c, &retry_us), &codes));
	codes_json(c, codes);
	return NULL;
}

/* --- rows --------------------------------------------------------------------------------------------------------------- */

#define ME .scopes = "me", .tag = "me"

ServiceRoutes user_me_routes(void)
{
	static ServiceRoute routes[] = {
		{ "GET", "/v1/me", me_get, ME, .etag = true, .help = "one's account" },
		{ "PATCH", "/v1/me", me_patch, ME, .etag = true,
		  .help = "change name, locale, custom fields, username" },
		{ "DELETE", "/v1/me", me_delete, ME, .etag = true,
		  .help = "erase one's account; wants a fresh proof" },
		{ "GET", "/v1/me/export", me_export, ME, .help = "all that is kept of one" },
		{ "POST", "/v1/me/email", email_post, ME, .body = &email_in,
		  .help = "another address: a code goes there by mail; wants a fresh proof" },
		{ "POST", "/v1/me/password", password_post, ME, .body = &password_in,
		  .help = "another password; all other sessions end" },
		{ "GET", "/v1/me/sessions", sessions_get, ME, .help = "where one is logged in" },
		{ "DELETE", "/v1/me/sessions", sessions_delete, ME,
		  .help = "log out everywhere else" },
		{ "DELETE", "/v1/me/sessions/{id}", session_delete, ME, .help = "log out there" },
		{ "GET", "/v1/me/factors", factors_get, ME, .answer = &factors_out,
		  .help = "what one logs in with" },
		{ "POST", "/v1/me/factors/totp", totp_post, ME, .answer = &offer_out, .status = 201,
		  .help = "an authenticator's secret; wants a fresh proof" },
		{ "POST", "/v1/me/factors/totp/confirmation", totp_confirm_post, ME,
		  .body = &code_in, .answer = &codes_out,
		  .help = "its first code: from now on logins want one" },
		{ "DELETE", "/v1/me/factors/totp", totp_delete, ME,
		  .help = "without an authenticator again; wants a fresh proof" },
		{ "POST", "/v1/me/factors/recovery-codes", codes_post, ME, .answer = &codes_out,
		  .status = 201, .help = "new recovery codes; wants a fresh proof" },
	};

	routes[0].answer = user_fields();
	routes[1].answer = user_fields();
	routes[1].body = user_change_fields();
	return (ServiceRoutes)SERVICE_ROUTES(routes);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * An ID token is for us when its issuer, its audience, its time and its nonce are what they must be; its algorithm is the
 * key's. A role that the configuration does not name is none, and who has none does not get in, not even to look.
 *
 * A name goes into the journal and tells people apart where a second one must say yes, so it is taken as it is or not at all: nothing is
 * cut off, an address that the provider says is not verified is refused, and nobody is called as the holder of admin.token. */
#include "console/openid_claims.h"

#include "base/arena.h"
#include "base/time.h"

enum { NAME_BYTES = 64, SKEW_S = 60 };

static Err *refuse(Arena *a, const Err *why)
{
	return err_new(a, ERR_DENIED, "openid.token",
	               "the provider's word on who you are is not in order: %.*s",
	               STR_ARG(err_chain(a, why)));
}

static bool is_text(const Json *value, Str wanted)
{
	Str text;

	return json_to_str(value, &text) && str_eq(text, wanted);
}

Err *openid_token_check(Arena *a, const AdminOpenidConf *conf, Str token, const Jwks *keys,
                        Str nonce, int64_t now_us, const Json **claims)
{
	static const Str required[] = { S("sub"), S("iat") };
	const JwsRules rules = { .algs = JWS_PUBLIC };
	const JwtRules wanted = { .issuer = conf->issuer,
		                  .audiences = &conf->client_id,
		                  .audience_count = 1,
		                  .required = required,
		                  .required_count = COUNT(required),
		                  .skew_us = SKEW_S * US_PER_S,
		                  .need_expiry = true };
	const Json *azp;
	Jws jws;
	Jwt jwt;
	Err *err = jws_verify(a, token, keys, &rules, &jws);

	if (err_is(err, "jws.key"))
		return err;
	err = err ? err : jwt_check(a, jws.payload, &wanted, now_us, &jwt);
	if (err)
		return refuse(a, err);
	azp = json_get(jwt.claims, S("azp"));
	if ((azp || json_count(json_get(jwt.claims, S("aud"))) > 1) &&
	    !is_text(azp, conf->client_id))
		return err_new(a, ERR_DENIED, "openid.token",
		               "the provider's word on who you are is for somebody else");
	if (!is_text(json_get(jwt.claims, S("nonce")), nonce))
		return err_new(a, ERR_DENIED, "openid.nonce",
		               "the provider's word on who you are belongs to another log-in");
	*claims = jwt.claims;
	return NULL;
}

const Json *openid_claim(const Json *claims, Str path)
{
	const Json *at = json_get(claims, path);
	Str name;

	if (at)
		return at;
	for (at = claims; at && str_split(&path, '.', &name);)
		at = json_get(at, name);
	return at == claims ? NULL : at;
}

static const Json *claim_of(const Json *claims, const Json *more, Str path)
{
	const Json *at = openid_claim(claims, path);

	return at || !more ? at : openid_claim(more, path);
}

/* --- a name ------------------------------------------------------------------------------------------------------------- */

static bool is_name(Str name)
{
	for (size_t i = 0; i < name.len; i++)
		if ((unsigned char)name.at[i] < ' ' || name.at[i] == 0x7f)
			return false;
	return name.len && name.len <= NAME_BYTES && !str_eq(name, S("admin"));
}

static Err *find_name(Arena *a, const AdminOpenidConf *conf, const Json *claims, const Json *more,
                      Str *out)
{
	bool verified = true;

	if (str_eq(conf->name, S("email")))
		(void)json_to_bool(claim_of(claims, more, S("email_verified")), &verified);
	if (!verified)
		return err_new(a, ERR_DENIED, "openid.name",
		               "the provider says that your e-mail address is not verified");
	*out = (Str){ 0 };
	if (json_to_str(claim_of(claims, more, conf->name), out) && is_name(*out))
		return NULL;
	return err_new(a, ERR_DENIED, "openid.name",
	               "the provider gives you no name that can be used here: %.*s is %.*s",
	               STR_ARG(conf->name),
	               STR_ARG(out->len ? str_quote(a, *out) : S("not there")));
}

/* --- a role ------------------------------------------------------------------------------------------------------------- */

static bool has_value(const Json *value, Str wanted)
{
	if (is_text(value, wanted))
		return true;
	for (size_t i = 0; json_kind(value) == JSON_KIND_ARRAY && i < json_count(value); i++)
		if (is_text(json_at(value, i), wanted))
			return true;
	return false;
}

static bool has_any(const Json *value, const Str *wanted, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (has_value(value, wanted[i]))
			return true;
	return false;
}

static bool find_role(const AdminOpenidRolesConf *roles, const Json *value, AdminRole *out)
{
	if (has_any(value, roles->approve.at, roles->approve.count))
		*out = ADMIN_APPROVE;
	else if (has_any(value, roles->operate.at, roles->operate.count))
		*out = ADMIN_OPERATE;
	else if (has_any(value, roles->view.at, roles->view.count))
		*out = ADMIN_VIEW;
	else
		return false;
	return true;
}

Err *openid_who(Arena *a, const AdminOpenidConf *conf, const Json *claims, const Json *more,
                AdminWho *who)
{
	AdminWho found = { 0 };

	TRY(find_name(a, conf, claims, more, &found.name));
	if (!find_role(&conf->roles, claim_of(claims, more, conf->claim), &found.role))
		return err_new(
			a, ERR_DENIED, "openid.role",
			"you are %.*s, and none of your roles at the provider opens this console",
			STR_ARG(found.name));
	*who = found;
	return NULL;
}

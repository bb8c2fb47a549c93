/* SPDX-License-Identifier: Apache-2.0
 *
 * Claims. Times may have fractions (RFC 7519, 2: NumericDate) and may be absurd; they are cut to what a clock can show before
 * anything is added to them. What is not said is not known: a claim that is required and null is missing. */
#include "auth/jwt.h"

#include "base/arena.h"
#include "base/time.h"

#define FAR_S 253402300800.0 /* the year 10000 */

static Err *refuse(Arena *a, const char *slug, const char *why)
{
	return err_new(a, ERR_UNAUTHENTICATED, slug, "%s", why);
}

/* *there false: the claim is not given. */
static Err *read_time(Arena *a, const Json *claims, const char *name, bool *there, int64_t *us)
{
	const Json *value = json_get(claims, str_of(name));
	double s;

	*there = json_kind(value) != JSON_KIND_NULL;
	if (!*there)
		return NULL;
	if (!json_to_real(value, &s))
		return err_new(a, ERR_UNAUTHENTICATED, "jwt.malformed",
		               "the token's %s is not a number", name);
	*us = (int64_t)(MIN(MAX(s, -FAR_S), FAR_S) * (double)US_PER_S);
	return NULL;
}

static Err *check_times(Arena *a, const Json *claims, const JwtRules *rules, int64_t now_us,
                        Jwt *out)
{
	int64_t expires_us = 0, from_us = 0, issued_us = 0;
	bool has_expiry, has_from, has_issued;

	TRY(read_time(a, claims, "exp", &has_expiry, &expires_us));
	TRY(read_time(a, claims, "nbf", &has_from, &from_us));
	TRY(read_time(a, claims, "iat", &has_issued, &issued_us));
	out->expires_us = has_expiry ? expires_us : INT64_MAX;
	if (!has_expiry && rules->need_expiry)
		return refuse(a, "jwt.claim", "the token does not say when it ends");
	if (has_expiry && now_us >= expires_us + rules->skew_us)
		return refuse(a, "jwt.expired", "the token has expired");
	if (has_from && now_us + rules->skew_us < from_us)
		return refuse(a, "jwt.early", "the token is not valid yet");
	return NULL;
}

static bool is_for(const JwtRules *rules, Str audience)
{
	for (size_t i = 0; i < rules->audience_count; i++)
		if (str_eq(rules->audiences[i], audience))
			return true;
	return false;
}

static Err *check_audience(Arena *a, const Json *claims, const JwtRules *rules)
{
	const Json *aud = json_get(claims, S("aud"));
	Str one;

	if (!rules->audience_count || (json_to_str(aud, &one) && is_for(rules, one)))
		return NULL;
	for (size_t i = 0; i < json_count(aud) && json_kind(aud) == JSON_KIND_ARRAY; i++)
		if (json_to_str(json_at(aud, i), &one) && is_for(rules, one))
			return NULL;
	return refuse(a, "jwt.audience", "the token is for somebody else");
}

Err *jwt_check(Arena *a, Str payload, const JwtRules *rules, int64_t now_us, Jwt *out)
{
	Str issuer;

	*out = (Jwt){ 0 };
	if (json_read(a, payload, 0, &out->claims) || json_kind(out->claims) != JSON_KIND_OBJECT)
		return refuse(a, "jwt.malformed", "the token's claims are no JSON object");
	if (rules->issuer.len && (!json_to_str(json_get(out->claims, S("iss")), &issuer) ||
	                          !str_eq(issuer, rules->issuer)))
		return refuse(a, "jwt.issuer", "the token is of somebody else");
	TRY(check_audience(a, out->claims, rules));
	TRY(check_times(a, out->claims, rules, now_us, out));
	for (size_t i = 0; i < rules->required_count; i++)
		if (json_kind(json_get(out->claims, rules->required[i])) == JSON_KIND_NULL)
			return err_new(a, ERR_UNAUTHENTICATED, "jwt.claim", "the token has no %.*s",
			               STR_ARG(rules->required[i]));
	if (json_get(out->claims, S("sub")) &&
	    !json_to_str(json_get(out->claims, S("sub")), &out->subject))
		return refuse(a, "jwt.malformed", "the token's sub is not a string");
	return NULL;
}

static bool has_word(const Json *value, Str word)
{
	Str text, one;

	if (json_to_str(value, &text)) {
		while (str_split(&text, ' ', &one))
			if (str_eq(one, word))
				return true;
		return false;
	}
	for (size_t i = 0; json_kind(value) == JSON_KIND_ARRAY && i < json_count(value); i++)
		if (json_to_str(json_at(value, i), &one) && str_eq(one, word))
			return true;
	return false;
}

bool jwt_has_scope(const Json *claims, Str scope)
{
	return has_word(json_get(claims, S("scope")), scope) ||
	       has_word(json_get(claims, S("scp")), scope);
}

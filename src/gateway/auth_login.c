/* SPDX-License-Identifier: Apache-2.0
 *
 * Basic as a way in. A browser sends these credentials by itself once it has them, whoever wrote the page, as it does cookies:
 * the same rule about other sites holds. They are never asked for, and never taken, where others could read them on their way. */
#include "base/arena.h"
#include "gateway/auth_basic.h"
#include "gateway/auth_int.h"
#include "gateway/auth_jwt.h"

static Err twice = ERR_STATIC(UNAUTHENTICATED, "auth.twice", "there are two sets of credentials");
static Err cross_site = ERR_STATIC(DENIED, "auth.cross_site",
                                   "a page of another site may not do that with your login");
static Err plain = ERR_STATIC(DENIED, "auth.plain",
                              "a password is taken over https alone: others could read it");

static bool is_loopback(Str ip)
{
	return str_starts(ip, S("127.")) || str_eq(ip, S("::1")) || str_eq(ip, S("unix"));
}

bool basic_is_plain(const Basic *basic, const Passage *p)
{
	return !basic_conf(basic)->plain && !str_eq(p->forwarded.scheme, S("https")) &&
	       !is_loopback(p->forwarded.client_ip);
}

static Err *find_text(const Headers *headers, Str *text)
{
	unsigned lines = 0;

	*text = (Str){ 0 };
	for (uint32_t i = 0; i < headers->count; i++) {
		Str rest, word;

		if (headers->at[i].id != HTTP_AUTHORIZATION)
			continue;
		lines++;
		if (auth_scheme(headers->at[i].value, &word, &rest) &&
		    str_eq_nocase(word, S("Basic")))
			*text = rest.at ? rest : S("");
	}
	return text->at && lines > 1 ? &twice : NULL;
}

Err *auth_try_basic(const AuthPolicy *policy, Passage *p, AuthFound *found)
{
	BasicTry try = { .arena = p->x->arena, .ip = p->forwarded.client_ip };
	Err *err;

	TRY(find_text(&p->x->request.headers, &try.text));
	if (!try.text.at)
		return NULL;
	found->there = true;
	found->by = "basic";
	if (basic_is_plain(policy->basic, p))
		return &plain;
	if (!policy->conf->basic.cross_site && auth_is_cross_site(p))
		return &cross_site;
	err = basic_check(policy->basic, &try);
	p->retry_after_s = try.retry_after_s;
	found->id = try.id;
	found->known = try.known;
	found->claims = try.claims;
	return err;
}

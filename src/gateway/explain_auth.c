/* SPDX-License-Identifier: Apache-2.0
 *
 * The part of the story that is about who asks. Where nobody has to be asked for it (a file of keys, a secret, a signed cookie)
 * the request is judged as the gateway would judge it; else it is said who would be asked. */
#include "gateway/explain_int.h"

#include "base/arena.h"
#include "gateway/auth.h"
#include "gateway/passage.h"

static void drop(void *auth)
{
	auth_free(auth);
}

static void drop_hold(void *hold)
{
	conf_hold_unref(hold);
}

void explain_auth_begin(Explain *e, Snapshot *snap)
{
	ConfHold *hold = conf_hold_new(arena_new(0));
	Err *err;

	arena_defer(e->arena, drop_hold, hold);
	snap->hold = hold;
	err = auth_new(e->arena, snap, NULL, &snap->auth);
	if (err) {
		explain_refused(e, err);
		return;
	}
	arena_defer(e->arena, drop, snap->auth);
	for (size_t i = 0; i < snap->conf->routes.count; i++) {
		snap->states[i].auth = auth_policy(snap->auth, &snap->conf->routes.at[i]);
		snap->states[i].allow = auth_rule(e->arena, snap->conf->routes.at[i].allow);
	}
}

static bool is_address(Str text)
{
	return str_find(text, S("://")) > 0;
}

/* Who would be asked; empty: nobody. */
static Str asked(const AuthConf *conf)
{
	if (conf->has_jwt && is_address(conf->jwt.jwks))
		return conf->jwt.jwks;
	if (conf->has_jwt && !conf->jwt.jwks.len && !conf->jwt.secret.len)
		return conf->jwt.issuer;
	if (conf->has_basic)
		return conf->basic.file;
	if (conf->has_bridge && conf->bridge.whoami.len)
		return conf->bridge.whoami;
	return conf->has_forward ? conf->forward.url : (Str){ 0 };
}

static void tell_ways(Explain *e, const AuthConf *conf)
{
	Str keys = conf->jwt.secret.len ? S("a secret")
	           : conf->jwt.jwks.len ? conf->jwt.jwks
	                                : S("where the issuer says");

	explain_fact(e, "policy", conf->name);
	if (conf->has_jwt)
		explain_item(e, "by", str_fmt(e->arena, "token, keys: %.*s", STR_ARG(keys)));
	if (conf->has_keys)
		explain_item(e, "by", str_fmt(e->arena, "key, in %.*s", STR_ARG(conf->keys.file)));
	if (conf->has_basic)
		explain_item(e, "by",
		             str_fmt(e->arena, "password, in %.*s", STR_ARG(conf->basic.file)));
	if (conf->has_bridge)
		explain_item(e, "by",
		             str_fmt(e->arena, "session, cookie %.*s",
		                     STR_ARG(conf->bridge.cookie)));
	if (conf->has_forward)
		explain_item(e, "by", str_fmt(e->arena, "asking %.*s", STR_ARG(conf->forward.url)));
	if (conf->allow.len)
		explain_item(e, "rule", conf->allow);
}

static void tell_outcome(Explain *e, const Passage *p)
{
	if (!p->identity)
		explain_fact(e, "outcome", S("it passes, as nobody"));
	else
		explain_fmt(e, "outcome", "it passes: %s of %.*s", p->identity->by,
		            STR_ARG(p->identity->subject));
}

void explain_auth(Explain *e)
{
	Passage *p = e->p;
	const RouteConf *r = p->route->conf;
	Str ask = r->policy ? asked(r->policy) : (Str){ 0 };
	Err *err;

	if (!r->policy && !r->allow.len)
		return;
	explain_begin(e, "who asks");
	if (r->policy)
		tell_ways(e, r->policy);
	if (r->allow.len)
		explain_item(e, "rule", r->allow);
	if (ask.len) {
		explain_fmt(e, "outcome", "not known here: %.*s would be asked", STR_ARG(ask));
		return;
	}
	err = auth_check(p);
	if (err)
		explain_refused(e, err);
	else
		tell_outcome(e, p);
}

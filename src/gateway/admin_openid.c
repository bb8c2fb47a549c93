/* SPDX-License-Identifier: Apache-2.0
 *
 * The provider's addresses come from its own metadata, so there is no upstream for them: each question has a connection of its
 * own, over one TLS context that is made when the port opens. A redirect is no answer. */
#include "gateway/admin_openid.h"

#include "base/arena.h"
#include "base/time.h"
#include "gateway/fetch.h"
#include "http/admin_openid.h"
#include "rt/tls.h"
#include "rt/work.h"

enum { ANSWER_BYTES = 256 << 10 };
#define ANSWER_US (10 * US_PER_S)

static TlsContext *context;

static Err odd =
	ERR_STATIC(INVALID, "openid.address", "the provider names an address that is none of HTTP");
static Err plain = ERR_STATIC(INVALID, "openid.plain", "the provider names an address without TLS");

static Err *fetch(Arena *a, const AdminOpenidAsk *ask, unsigned *status, Str *body)
{
	FetchAsk question = { .timeout_us = ANSWER_US, .body_max = ANSWER_BYTES };
	FetchPlace place = { 0 };
	FetchAnswer answer;

	if (webhook_url_read(a, ask->url, &place.url))
		return &odd;
	if (!place.url.tls && context)
		return &plain;
	if (place.url.tls)
		place.tls = context;
	headers_add(&question.headers, a, S("Accept"), S("application/json"));
	headers_add(&question.headers, a, S("User-Agent"), S("Banyan"));
	if (ask->authorization.len)
		headers_add(&question.headers, a, S("Authorization"), ask->authorization);
	if (ask->form.len) {
		question.method = S("POST");
		question.body = ask->form;
		headers_add(&question.headers, a, S("Content-Type"),
		            S("application/x-www-form-urlencoded"));
	}
	TRY(fetch_ask(a, &place, &question, &answer));
	*status = answer.status;
	*body = answer.body;
	return NULL;
}

static Str *copy_list(Arena *a, const Str *from, size_t count)
{
	Str *to = ARENA_ARRAY(a, Str, count + 1);

	for (size_t i = 0; i < count; i++)
		to[i] = str_dup(a, from[i]);
	return to;
}

static AdminOpenidConf *copy(Arena *a, const AdminOpenidConf *from)
{
	AdminOpenidConf *to = ARENA_NEW(a, AdminOpenidConf);
	AdminOpenidRolesConf *roles = &to->roles;

	*to = *from;
	to->issuer = str_dup(a, from->issuer);
	to->client_id = str_dup(a, from->client_id);
	to->client_secret = str_dup(a, from->client_secret);
	to->claim = str_dup(a, from->claim);
	to->name = str_dup(a, from->name);
	to->scopes.at = copy_list(a, from->scopes.at, from->scopes.count);
	roles->view.at = copy_list(a, roles->view.at, roles->view.count);
	roles->operate.at = copy_list(a, roles->operate.at, roles->operate.count);
	roles->approve.at = copy_list(a, roles->approve.at, roles->approve.count);
	return to;
}

typedef struct Trust {
	Arena *arena;
	TlsClientConf conf;
	Err *err;
} Trust;

/* On a worker: files of certificates are read. */
static void make_context(void *arg)
{
	Trust *trust = arg;

	trust->err = tls_client_new(trust->arena, &trust->conf, &context);
}

Err *admin_openid_begin(Arena *lasting, Arena *run, const AdminOpenidConf *conf)
{
	Trust trust = { .arena = run, .conf = { .ca = conf->ca, .verify = true } };

	if (str_starts(conf->issuer, S("https://"))) {
		TRY(work_run(make_context, &trust));
		TRY(trust.err);
	}
	admin_openid_set(copy(lasting, conf), fetch);
	return NULL;
}

void admin_openid_end(void)
{
	admin_openid_set(NULL, NULL);
	tls_unref(TAKE(context));
}

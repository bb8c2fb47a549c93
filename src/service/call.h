/* SPDX-License-Identifier: Apache-2.0
 *
 * One request of a service: what a handler gets, and what it answers with. Part of service.h, which says how they go together. */
#pragma once
#include "http/message.h"
#include "service/fields.h"
#include "store/db.h"

typedef struct Exchange Exchange;
typedef struct ServiceCall ServiceCall;
typedef struct ServiceHome ServiceHome;
typedef struct ServiceRoute ServiceRoute;

typedef Err *ServiceHandler(ServiceCall *c);

/* Who asks, as the service's `who` found out. */
typedef struct ServiceWho {
	bool known;
	Uuid id;            /* of the user; nil: none (a client of its own, a machine) */
	Str name;           /* for logs: "usr_018f..." or the client's id */
	Str scopes;         /* with blanks between them */
	bool peer;          /* another service of ours (peer.h): it has every scope */
	const Json *claims; /* of its token, where it has some */
	const void *more;   /* the service's own: its session */
} ServiceWho;

/* --- the request ------------------------------------------------------------------------------------------------------- */

typedef struct ServicePart {
	Str name, value; /* decoded, checked for UTF-8 and control characters */
} ServicePart;
enum { SERVICE_PARTS = 8 };

struct ServiceCall {
	Exchange *x;
	Arena *arena; /* the request's */
	Db *db;
	const ServiceHome *home;
	const ServiceRoute *route; /* NULL: none was found, in `fail` */
	Str path;                  /* canonical */
	Str request_id, traceparent;
	Str address; /* the client's, "192.0.2.7": told by the gateway when it is one that we trust */
	bool secure;       /* the client came over https */
	const void *in;    /* the body, of route->body; NULL: the route has none */
	const void *query; /* of route->query */
	const Json *json;  /* the body as it was read */
	ServiceWho who;
	/* the answer */
	unsigned status; /* 0: as the route says */
	Headers headers;
	/* the frame's own */
	ServicePart parts[SERVICE_PARTS];
	size_t part_count;
	FieldMistakes mistakes;
	struct ServiceReply *reply;
};

/* Of the path; there is one, the route says so. */
Str service_part(const ServiceCall *c, const char *name);
/* The same as an id: prefix and UUID. Fails with NOT_FOUND "request.id": what is none is nobody's. */
Err *service_id(ServiceCall *c, const char *name, const char *prefix, Uuid *id) MUST_USE;
Str service_id_text(Arena *a, const char *prefix,
                    Uuid id); /* "usr_018f3c1e-7a4b-7cc0-b1f2-0123456789ab" */
bool service_id_read(Str text, const char *prefix, Uuid *id);
/* Asks the service's `who`, once; then c->who. Fails with UNAUTHENTICATED "auth.needed" when that is nobody. */
Err *service_who(ServiceCall *c) MUST_USE;
bool service_has_scope(const ServiceCall *c, const char *scope);
Err *service_need_scope(ServiceCall *c, const char *scope) MUST_USE; /* DENIED "auth.scope" */
Str service_header(const ServiceCall *c, const char *name); /* of the request; empty: none */
Str service_cookie(const ServiceCall *c,
                   const char *name); /* of the request; empty: none, or two of them */

/* Tokens that every service believes: peer.h. */
/* For .who of a Service. Sets who->name ("usr_...", the client's id, "key:bk_...", "service:payment"), ->id where it is a user of
 * ours, ->scopes, ->peer. Nobody: no Authorization of that kind. May park (an issuer's keys are fetched). Fails with
 * UNAUTHENTICATED "auth.token", BUSY "auth.keys" when the issuer's keys cannot be had. */
Err *service_who_bearer(ServiceCall *c, ServiceWho *who) MUST_USE;
/* What follows "Bearer " in Authorization; also the user name of Basic, when `basic` (Stripe's clients); empty: none. */
Str service_bearer(const ServiceCall *c, bool basic);
/* The same for a token that came another way. Fails as service_who_bearer. */
Err *service_who_token(ServiceCall *c, Str token, ServiceWho *who) MUST_USE;
/* Claims of the token; NULL: it has none (an API key). */
const Json *service_who_claims(const ServiceCall *c);

/* Mistakes that no table can see; all are told at once. service_mistakes fails with INVALID "request.fields" (422) when there
 * are some. pointer: "/email", a literal or of the arena. */
void service_mistake(ServiceCall *c, const char *pointer, const char *code, const char *fmt, ...)
	PRINTF(4, 5);
Err *service_mistakes(ServiceCall *c) MUST_USE;

/* --- the answer -------------------------------------------------------------------------------------------------------- */

JsonWriter *service_json(ServiceCall *c)
	RETURNS_NONNULL; /* one JSON value; what was written before is forgotten */
void service_say(ServiceCall *c, unsigned status, Str type,
                 Str body); /* a body of another type; copied */
void service_say_header(ServiceCall *c, const char *name,
                        Str value); /* the value is borrowed for the request */
void service_redirect(ServiceCall *c, unsigned status, Str location);
void service_retry_after(ServiceCall *c, int64_t us); /* beside an error: LIMITED, BUSY */

/* ETag: "v7". service_match looks at If-Match and fails with PRECONDITION "request.etag" (412) when it names another. */
void service_etag(ServiceCall *c, int64_t version);
Err *service_match(ServiceCall *c, int64_t version) MUST_USE;

/* Does fn in a transaction (db_txn: it may run more than once, and on SQLite must not park on anything else). Of a request with
 * an Idempotency-Key the answer that fn wrote is kept in that transaction, and given again to whoever sends the key again: then
 * fn does not run. What failed had no effect and is not kept. Fails with CONFLICT "idempotency.running" (409), INVALID
 * "idempotency.mismatch" (422: the key came with another request before), and as db_txn does. */
typedef Err *ServiceEffect(ServiceCall *c, Db *tx, void *arg);
Err *service_effect(ServiceCall *c, DbIsolation isolation, ServiceEffect *fn, void *arg) MUST_USE;

/* A read whose answer may be kept for all who may see it: `make` fills it in unless it is there. Only where the service has a Redis.
 * key: "user 018f...". What changes it says service_forget, before or in its transaction: forgotten when that is over, here at once,
 * elsewhere within a second. service_forget_at is for who has no call (a job, a command): after the commit; fails as cache_invalidate. */
Err *service_cached(ServiceCall *c, Str key, ServiceHandler *make) MUST_USE;
void service_forget(ServiceCall *c, Str key);
Err *service_forget_at(const ServiceHome *home, Arena *a, Str key) MUST_USE;

/* Pages by key: `limit` (1 to 100, 20) and `cursor` of the query.
 *	TRY(service_page(c, &page));
 *	TRY(db_all(..., users_after, &rows, &count, .after = page.after_id, .most = page.limit + 1));
 *	w = service_page_begin(c, &page, count);
 *	for (i = 0; i < page.shown; i++) user_put(w, rows[i]);
 *	service_page_end(c, &page, service_page_key(c->arena, rows[page.shown - 1].id));                                       */
typedef struct ServicePage {
	size_t limit;
	bool first;    /* no cursor was sent */
	Str after;     /* the key that the page begins after, as service_page_end was given it */
	Uuid after_id; /* the same, when it is an id; nil on the first page */
	size_t shown;  /* of service_page_begin: as many as fit */
	bool more;
} ServicePage;
Err *service_page(ServiceCall *c, ServicePage *page)
	MUST_USE; /* INVALID "request.fields" for a cursor that is none of ours */
JsonWriter *service_page_begin(ServiceCall *c, ServicePage *page, size_t found) RETURNS_NONNULL;
/* last: the key of the last one shown; the page has no next when there are no more. Writes `next` and the Link header. */
void service_page_end(ServiceCall *c, ServicePage *page, Str last);
Str service_page_key(Arena *a, Uuid id); /* an id as such a key */

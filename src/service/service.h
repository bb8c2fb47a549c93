/* SPDX-License-Identifier: Apache-2.0
 *
 * Service: the frame that every service stands in. A service is one row, its API a table of routes, a handler a function that
 * reads top to bottom: who, what, may they, do it, answer.
 *
 *   static Err *user_get(ServiceCall *c)
 *   {
 *           UserRow *user;
 *           Uuid id;
 *
 *           TRY(service_id(c, "id", "usr_", &id));
 *           TRY(db_one(c->db, c->arena, user_by_id, &user, .id = id));
 *           if (!user)
 *                   return err_new(c->arena, ERR_NOT_FOUND, "user.unknown", "there is no such user");
 *           service_etag(c, user->version);
 *           user_put(service_json(c), user);
 *           return NULL;                                   the frame sends it: 200, application/json
 *   }
 *
 *   static Err *place(ServiceCall *c, Db *tx, void *arg)      may run more than once; its answer is kept with its effect
 *   {
 *           const NewUser *in = c->in;
 *           TRY(db_exec(tx, c->arena, user_add, NULL, ...));
 *           TRY(outbox_put(tx, c->arena, &(Event){ .type = S("user.created"), ... }, NULL));
 *           user_put(service_json(c), ...);
 *           return NULL;
 *   }
 *   static Err *user_post(ServiceCall *c) { return service_effect(c, DB_READ_COMMITTED, place, NULL); }
 *
 *   static const ServiceRoute routes[] = {
 *           { "GET", "/v1/users/{id}", user_get, .scopes = "users:read", .answer = &user_fields, .etag = true, .help = "one user" },
 *           { "POST", "/v1/users", user_post, .scopes = "users:write", .body = &new_user, .answer = &user_fields, .status = 201,
 *             .idempotent = true, .help = "add a user" },
 *   };
 *
 * Handlers send nothing: they fill c's answer, or return an Err that the frame turns into a problem document. Who must stream
 * uses c->x (http_begin, ...); then the frame sends nothing. */
#pragma once
#include "http/message.h"
#include "service/fields.h"
#include "store/db.h"

typedef struct Cache Cache;
typedef struct Exchange Exchange;
typedef struct JobKind JobKind;
typedef struct JobSchedule JobSchedule;
typedef struct MetricFamily MetricFamily;
typedef struct Redis Redis;
typedef struct Schema Schema;

typedef struct Service Service;
typedef struct ServiceCall ServiceCall;
typedef struct ServiceRoute ServiceRoute;

/* --- a service --------------------------------------------------------------------------------------------------------- */

/* A service at work, in this process: from its begin to its end. Shared by all loops. */
typedef struct ServiceHome {
	const Service *service;
	const void *
		conf; /* the service's own keys: a struct of service->conf. Of its start: see Service.reload */
	Str public_url;   /* how clients reach it, "https://shop.example"; empty: not said */
	bool development; /* services.development: true. Mails go to the log, cookies need no https */
	Arena *arena;     /* lives as long */
	Db *db;           /* open, its schema in place */
	Redis *redis;     /* NULL: none is configured */
	void *state;      /* the service's own: begin sets it */
} ServiceHome;

typedef Err *ServiceHandler(ServiceCall *c);
/* Puts an error into another form than a problem document (OAuth's own): fills the answer. err->slug and err->kind say what. */
typedef Err *ServiceFail(ServiceCall *c, const Err *err);

typedef struct ServiceRoutes {
	const ServiceRoute *at;
	size_t count;
} ServiceRoutes;
#define SERVICE_ROUTES(rows) \
	{ \
		(rows), COUNT(rows) \
	}

/* Who asks, as the service's `who` found out. */
typedef struct ServiceWho {
	bool known;
	Uuid id;          /* of the user; nil: none (a client of its own, a machine) */
	Str name;         /* for logs: "usr_018f..." or the client's id */
	Str scopes;       /* with blanks between them */
	const void *more; /* the service's own: its session */
} ServiceWho;

struct Service {
	const char *
		name; /* "user": the key under `services`, the upstream `service:user`, `banyan serve --only user` */
	const char *summary; /* one line */
	const char *version; /* of its API: "1.0" */
	const ConfTable *
		conf; /* its own keys, beside those all have (listen, url, database, redis, ...); NULL: none */
	const Schema *(*schema)(void); /* of its database */
	const ServiceRoutes *routes;   /* tables of several files */
	size_t routes_count;
	const JobKind *
		jobs; /* done in the background; arg of a kind that is NULL becomes the ServiceHome */
	size_t job_count;
	const JobSchedule *schedules;
	size_t schedule_count;
	const MetricFamily *(*metrics)(size_t *count); /* NULL: none */
	/* Once, before the first request, in a fiber of loop 0; may park. An error keeps the process from starting. */
	Err *(*begin)(ServiceHome *home);
	void (*end)(ServiceHome *home); /* after the last request; also when begin failed */
	/* Who asks? Before every handler whose route has scopes, and where the handler calls service_who. Nobody: leaves *who. An
	 * error: what was given is no good (UNAUTHENTICATED), or nobody could tell. */
	Err *(*who)(ServiceCall *c, ServiceWho *who);
};

typedef enum ServiceBody {
	SERVICE_BODY_JSON, /* the default; none when the route has no body table */
	SERVICE_BODY_FORM, /* application/x-www-form-urlencoded, into the same kind of table */
	SERVICE_BODY_RAW,  /* whatever: the handler reads c->x */
} ServiceBody;

struct ServiceRoute {
	const char *method; /* "GET" takes HEAD too */
	const char *
		path; /* "/v1/users/{id}": a part in braces is one segment; the most exact path takes a request */
	ServiceHandler *run;
	const char *scopes; /* all of them needed; "": somebody known; NULL: anybody */
	const FieldTable
		*query; /* into c->query; NULL: parameters are not looked at, but for a page's */
	const FieldTable *body; /* into c->in */
	ServiceBody kind;
	uint64_t body_max;        /* bytes; 0: 64 KiB */
	const FieldTable *answer; /* what is said, for the documentation; NULL: no JSON */
	unsigned status;          /* of success; 0: 200, or 204 when nothing was written */
	bool list;         /* the answer is a page of them: { data: [...], next } (service_page) */
	bool idempotent;   /* takes an Idempotency-Key; its handler uses service_effect */
	bool etag;         /* answers carry an ETag; one that changes something takes If-Match */
	bool hidden;       /* not in the documentation */
	ServiceFail *fail; /* NULL: problem documents */
	const char *tag;   /* what it belongs to: "users" */
	const char *help;  /* one line, no full stop */
};

/* --- one request ------------------------------------------------------------------------------------------------------- */

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

/* --- from the command line --------------------------------------------------------------------------------------------- */

typedef struct Cmd Cmd;
/* `banyan user list --config banyan.yaml`: opens the service's database (and Redis) as the file says, its schema in place, and
 * runs fn(cmd, home, arg) in a fiber. begin and end are not called. */
typedef Err *ServiceCommand(Cmd *cmd, ServiceHome *home, void *arg);
Err *service_command(Cmd *cmd, const Service *service, Str file, ServiceCommand *fn, void *arg)
	MUST_USE;

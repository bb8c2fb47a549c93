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
#include "service/call.h"

typedef struct Event Event;
typedef struct JobKind JobKind;
typedef struct JobSchedule JobSchedule;
typedef struct MetricFamily MetricFamily;
typedef struct Redis Redis;
typedef struct Schema Schema;

typedef struct Service Service;

/* --- a service --------------------------------------------------------------------------------------------------------- */

/* A service at work, in this process: from its begin to its end. Shared by all loops. */
struct ServiceHome {
	const Service *service;
	const void *
		conf; /* the service's own keys: a struct of service->conf. Of its start: a change takes a restart */
	Str public_url;   /* how clients reach it, "https://shop.example"; empty: not said */
	bool development; /* services.development: true. Mails go to the log, cookies need no https */
	Arena *arena;     /* lives as long */
	Db *db;           /* open, its schema in place */
	Redis *redis;     /* NULL: none is configured */
	void *state;      /* the service's own: begin sets it */
};

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

/* Of store/consumer.h. */
typedef Err *EventFn(Db *tx, Arena *a, const Event *event, void *arg);
typedef Err *EventsFn(Db *tx, Arena *a, const Event *const *events, size_t count, void *arg);

/* Events of another service, each once and in order of what they are about, in a transaction of this service's own database
 * (store/consumer.h says what fn may do). From that service's outbox where both are in one process or share a machine's files or a
 * database server, else by Redis. */
typedef struct ServiceConsumer {
	const char *name;   /* "analytics.revenue": for ever the same, and no other consumer's */
	const char *source; /* who tells them: "payment", "user"; "shop" and others by Redis only */
	const char *const *types; /* as event_type_in; none: all */
	size_t type_count;
	EventFn *fn;
	EventsFn *many;           /* in place of fn: as many as come together */
	void *arg;                /* NULL: the ServiceHome */
	uint32_t attempts, batch; /* as in ConsumerConf */
} ServiceConsumer;

/* One thing that must be true of what a service keeps: `banyan NAME fsck` looks at all of its rows, and the frame's own. It reads
 * (of one moment, where the engine can) and repairs nothing. */
typedef struct ServiceFinding {
	Arena *arena;
	uint64_t looked; /* at so many */
	uint64_t wrong;
	Str examples[5]; /* the first of them, by service_wrong */
} ServiceFinding;
typedef struct ServiceCheck {
	const char *name; /* "ledger.sum_zero" */
	Err *(*run)(const ServiceHome *home, Db *db, Arena *a, ServiceFinding *found);
	const char *help; /* what must be true, one line: "debits equal credits in every group" */
} ServiceCheck;
void service_wrong(ServiceFinding *found, const char *fmt, ...)
	PRINTF(2, 3); /* one more that is wrong */

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
	const char *
		first; /* lines of its own in the configuration that a first start writes (services.h) */
	const ServiceConsumer *consumers; /* of others' events */
	size_t consumer_count;
	const ServiceCheck *checks; /* of `banyan NAME fsck`; none: the frame's own */
	size_t check_count;
	bool keys; /* `banyan NAME key` makes API keys for it (peer.h) */
	const MetricFamily *(*metrics)(size_t *count); /* NULL: none */
	/* Once, before the first request, in a fiber of loop 0; may park. An error keeps the process from starting. */
	Err *(*begin)(ServiceHome *home);
	/* It is to end: answers without an end (a stream of events) come to theirs. Requests still come. In a fiber; may park. NULL:
	 * it has none. */
	void (*drain)(ServiceHome *home);
	void (*end)(ServiceHome *home); /* after the last request; also when begin failed */
	/* Who asks? Before every handler whose route has scopes, and where the handler calls service_who. Nobody: leaves *who. An
	 * error: what was given is no good (UNAUTHENTICATED), or nobody could tell. */
	Err *(*who)(ServiceCall *c, ServiceWho *who);
};

typedef enum ServiceBody {
	SERVICE_BODY_JSON, /* the default; none when the route has no body table */
	SERVICE_BODY_FORM, /* application/x-www-form-urlencoded, into the same kind of table */
	SERVICE_BODY_RAW,  /* whatever: the handler reads c->x */
	SERVICE_BODY_OWN,  /* the same; tables of body and query are for the documentation alone */
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

/* --- from the command line --------------------------------------------------------------------------------------------- */

typedef struct Cmd Cmd;
/* `banyan user list --config banyan.yaml`: opens the service's database (and Redis) as the file says, its schema in place, and
 * runs fn(cmd, home, arg) in a fiber. begin and end are not called. */
typedef Err *ServiceCommand(Cmd *cmd, ServiceHome *home, void *arg);
Err *service_command(Cmd *cmd, const Service *service, Str file, ServiceCommand *fn, void *arg)
	MUST_USE;

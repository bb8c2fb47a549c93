/* SPDX-License-Identifier: Apache-2.0
 *
 * The services of this program, and those of them that run in this process: their keys in the configuration, their start, their
 * listeners, their end. For main, which hands them to whoever runs the process. */
#pragma once
#include "base/conf.h"

typedef struct Addr Addr;
typedef struct HttpDrain HttpDrain;
typedef struct Listener Listener;
typedef struct Service Service;

enum { SERVICES_MOST = 8, SERVICES_BYTES = 32 << 10 /* of the struct that their keys fill */ };

/* Once, before anything else here. Fails with INTERNAL "service.table" when a row is wrong. */
Err *services_add(Arena *a, const Service *const *services, size_t count) MUST_USE;
/* `banyan NAME fsck` and `banyan NAME key` of those that have them; after services_add. */
const struct Command *services_commands(size_t *count);
/* The schemas that a service's database has: the frame's, and one for each service. NULL: there is none at this place. */
struct Schema;
const struct Schema *(*services_schema(size_t i))(void);
/* What fills `services:` of a configuration; its size is SERVICES_BYTES. */
const ConfTable *services_table(void);

/* Runs these only ("gateway" is nobody of ours, and fine). Fails with INVALID "service.unknown". */
Err *services_only(Arena *a, const Str *names, size_t count) MUST_USE;
/* Is any configured at all, wherever it runs? */
bool services_any(const void *conf);

/* A configuration for who has none: the gateway and all services on one folder (SQLite files in it), behind the gateway's JWT. Makes
 * the folder and what is in it, unless it is there already; *file: the configuration. listen, admin: empty for 127.0.0.1:8080 and
 * :8081. Blocks: before anything runs. Fails with CONFLICT "service.first" (it is there, and says itself where to listen), and as
 * files do. */
Err *services_first(Arena *a, Str folder, Str listen, Str admin, Str *file) MUST_USE;

/* Where requests for a service go from this process: "host:port" or "unix:...", with TLS or not. NULL, or what is wrong, as
 * "service user ..." goes on. */
const char *services_place(Arena *a, const void *conf, Str name, Str *address, bool *tls);

/* The socket for an address: one that was there before us, or a new one. */
typedef Err *ServicesListen(void *arg, Arena *a, Str key, const Addr *addr, Listener **out);
/* Opens databases, sets up schemas, begins services and listens. A database that is away is waited for in the background: until
 * then requests are answered with 503. conf outlives services_end. On loop 0; parks. */
Err *services_begin(Arena *a, const void *conf, ServicesListen *listen, void *arg) MUST_USE;
/* Every listener; internal ones too, whose name is empty. */
typedef void ServicesEach(void *arg, Str key, const char *name, Listener *listener);
void services_each(ServicesEach *fn, void *arg);
/* Finishes what runs. Parks; a cancel cuts it. */
Err *services_drain(const HttpDrain *how) MUST_USE;
void services_end(void); /* parks, shielded; fine when nothing began */

/* `/services` of the admin port: how they are, in numbers. */
const struct AdminPage *services_pages(size_t *count);
void service_put_metrics(Buf *out); /* of all services, as a page of the manual */

/* Reads a configuration file whole, for commands; *conf: what services_table filled. Prints what is wrong with it. */
typedef Err *ServicesReader(Arena *a, Str file, const void **conf);
void services_read_with(ServicesReader *fn);

/* SPDX-License-Identifier: Apache-2.0
 *
 * Services beside the gateway in one process, or reached by it: what main hands over. The gateway gives them their part of the
 * configuration (`services:`), starts and ends them with itself, and knows `service:NAME` as an upstream. */
#pragma once
#include "base/conf.h"

typedef struct Addr Addr;
typedef struct HttpDrain HttpDrain;
typedef struct Listener Listener;

typedef Err *ServicesSocket(void *arg, Arena *a, Str key, const Addr *addr, Listener **out);
typedef void ServicesPort(void *arg, Str key, const char *name, Listener *listener);

typedef struct GatewayServices {
	const ConfTable *table;                                 /* fills GatewayConf.services */
	Err *(*only)(Arena *a, const Str *names, size_t count); /* `--only` */
	bool (*any)(const void *conf);                          /* is any configured? */
	/* Where its requests go: "host:port" or "unix:..."; NULL, or what is wrong: "is not in services". */
	const char *(*place)(Arena *a, const void *conf, Str name, Str *address, bool *tls);
	/* conf is the one of the start, until end. `socket` opens what they listen on. On loop 0; park. */
	Err *(*begin)(Arena *a, const void *conf, ServicesSocket *socket, void *arg);
	void (*each)(ServicesPort *fn, void *arg);
	Err *(*drain)(const HttpDrain *how);
	void (*end)(void);
	/* For who has no configuration: writes one into the folder unless it is there. NULL: nobody can. */
	Err *(*first)(Arena *a, Str folder, Str listen, Str admin, Str *file);
} GatewayServices;

/* Once, before any configuration is read; borrowed. */
void gateway_serve_beside(const GatewayServices *services);
const GatewayServices *gateway_services(void)
	RETURNS_NONNULL; /* all of it does nothing when there are none */

/* SPDX-License-Identifier: Apache-2.0
 *
 * Between server.c (listeners), server_conn.c (connections from accept to close), h1_server.c (what is said on one) and exchange.c. */
#pragma once
#include "http/server.h"

typedef struct H2Server H2Server;
typedef struct Home Home;
typedef struct Rules Rules;

struct HttpServer {
	HttpConf conf;
	TlsContext *tls;
	unsigned refs; /* atomic */
};

/* A head that is not complete yet, kept without a fiber. */
typedef struct Partial {
	H1Parser parser;
	int64_t start_us;
	int64_t due_us; /* the whole head must be there by then */
	char *bytes;
	size_t len, cap;
} Partial;

/* One connection. Idle ones are only this; an active one has a fiber, on whose stack the rest lives. */
typedef struct ServerConn {
	Stream stream; /* first */
	Node node;     /* home->idle, home->active or home->refused */
	Timer timer;   /* idle or head time */
	Home *home;
	Rules *rules;     /* while active: what its newest request goes by; NULL when idle */
	Partial *partial; /* bytes of a head that is not complete, or NULL */
	H2Server *h2;
	Fiber *fiber;
	Peer peer; /* the client, as a PROXY header told, if one was due */
	uint32_t requests;
	bool secure;
	bool handshaken;
	bool headed;          /* a PROXY header comes first, and is not read yet */
	bool counted;         /* in the census */
	bool address_counted; /* and its address */
	bool tunnel;          /* it speaks something else by now */
} ServerConn;

/* One listener on one loop: its connections, and the rules new requests go by. */
struct Home {
	HttpListener *listener;
	List idle;
	List active;
	List refused; /* they were told no, and are read until they leave */
	List tunnels; /* HttpTunnel */
	Rules *rules;
	unsigned connections;
	unsigned refusals;     /* on `refused` */
	int64_t idle_until_us; /* while it drains: how long the idle wait for a request */
	bool draining;
	bool farewell; /* tunnels were told to end */
	bool cut;      /* whatever comes is closed */
};

/* A loop's use of a server: counted without atomics, gone when newer rules came and the last user left. */
struct Rules {
	HttpServer *server;
	unsigned users;
};
void rules_leave(Rules *rules);

struct HttpListener {
	Listener *listener;
	HttpServer *next; /* while a swap goes round */
	void *arg;
	int64_t idle_until_us; /* while a drain goes round */
	bool spares_tunnels;   /* while a cut goes round */
	unsigned lost;         /* connections that were cut, atomic */
	unsigned open;         /* connections on all loops, atomic */
	Home homes[];          /* one a loop */
};

/* server_conn.c */
void server_conn_accept(void *arg, int fd, const Addr *peer); /* AcceptFn of an HttpListener */
void server_conn_free(ServerConn *sc);
void server_conn_drain(ServerConn *sc); /* an idle one, when its home drains */
/* server_refuse.c: over a limit. Says so in clear if that costs nothing. */
typedef enum Refusal { REFUSED_ALL, REFUSED_ADDRESS } Refusal;
void server_refuse(Home *home, int fd, Refusal why);
void server_refuse_end(Home *home);
Str server_refusal(Refusal why); /* the answer's bytes */

const HttpConf *server_conn_conf(const ServerConn *sc); /* active ones */
/* A request begins: it goes by the newest rules. A busy client's connection may never be idle. */
void server_conn_renew(ServerConn *sc);
bool server_conn_draining(const ServerConn *sc);
/* How a conversation on a connection went on. */
typedef enum Ending { CONN_IDLE, CONN_CLOSE, CONN_LINGER } Ending;
/* h1_server.c: serves what there is to read, until idle or the end. Parks. */
Ending h1_serve(ServerConn *sc);
/* h1_server.c: the client spoke HTTP/2's preface; early is what was read so far. */
Ending server_conn_h2(ServerConn *sc, Str early);

/* exchange.c: fills in what the connection knows; the arena is the caller's. */
void exchange_init(Exchange *x, ServerConn *sc, const ExchangeOps *ops, Arena *arena);
/* Runs the handler (or, with `refused`, the failure answer), ends the answer, tells conf->done. Frees nothing. Returns
 * the handler's error. */
Err *exchange_serve(Exchange *x, Err *refused);

/* Counters of this loop. */
HttpStats *http_stats_here(void);
#define HTTP_STAT(field, n) \
	do { \
		__auto_type stat_ = &http_stats_here()->field; \
		__atomic_store_n(stat_, __atomic_load_n(stat_, __ATOMIC_RELAXED) + (n), \
		                 __ATOMIC_RELAXED); \
	} while (0)

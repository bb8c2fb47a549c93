/* SPDX-License-Identifier: Apache-2.0
 *
 * Names: one c-ares channel and one cache per loop, so nothing is locked.
 *
 * A name is an Entry whether it is being asked for or known; the fibers that want it wait at the entry, so one query serves
 * all, and a fiber that is cancelled merely leaves. An entry with a query or with waiters is never dropped; of the
 * others the longest unused goes when there are 1,024. Shortly before an answer grows old whoever uses it has it asked
 * for anew and does not wait.
 *
 * c-ares owns its descriptors; they hang in the epoll level-triggered, as it reads a TCP socket once per call. Its
 * callbacks only take note and wake. After a failure the channel is made anew when it is idle, which reads resolv.conf
 * again: the machine may have moved. Not here: whether an address answers (upstreams know), and its order beyond
 * RFC 6724, which c-ares sees to. */
#include "rt/dns.h"

#include "base/arena.h"
#include "base/map.h"
#include "base/time.h"
#include "rt/rt_int.h"

#include <ares.h>
#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
	ENTRIES_MAX = 1024,
	ADDRS_MAX = 64, /* per name; more is an accident or an attack */
	NAME_MAX_BYTES = 253,
	TTL_MIN_S = 1,
	TTL_MAX_S = 300,
	STALE_S = 300,
	FAILURE_S = 1,
	PATIENCE_MS = 500, /* for a new answer, while an old one is there */
	TRY_MS = 2000,     /* for one name server; doubled at each try */
	TRIES = 3,
};

typedef struct Entry {
	Node node; /* in dns->used */
	WaitQueue waiters;
	struct Dns *dns;
	unsigned users; /* fibers at it */
	bool asking;
	int status;       /* of the last query, c-ares's */
	int64_t renew_us; /* ask again, without waiting */
	int64_t fresh_us; /* the addresses are good until then */
	int64_t retry_us; /* a failure stands until then */
	size_t count;
	Peer *addrs;
	size_t name_len;
	char name[]; /* lower case, ends in NUL */
} Entry;

typedef struct Socket {
	Source source;
	struct Dns *dns;
	struct Socket
		*next; /* all of them; they go with the loop, so a late event finds its source */
	int fd;        /* -1: free */
	uint32_t events;
} Socket;

typedef struct Dns {
	ares_channel channel; /* NULL until it is needed */
	unsigned generation;  /* of the servers it was made for */
	bool renew;           /* a query failed: make the channel anew */
	unsigned asking;
	Timer timer;
	Map entries;
	List used; /* the longest unused first */
	Socket *sockets;
} Dns;

static struct {
	pthread_mutex_t lock;
	char *text;          /* NULL: resolv.conf's */
	unsigned generation; /* atomic */
} servers = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct {
	uint64_t answered, asked, failed, stale; /* relaxed atomics */
} stats;

static __thread Dns *dns_here;

static void stat_add(uint64_t *field)
{
	__atomic_add_fetch(field, 1, __ATOMIC_RELAXED);
}

/* --- the channel ---------------------------------------------------------------------------------------------------- */

/* After every call of c-ares: when it wants to look at its clock again. */
static void set_timer(Dns *dns)
{
	struct timeval left;

	if (!dns->asking)
		timer_clear(&dns->timer);
	else if (ares_timeout(dns->channel, NULL, &left))
		timer_set(&dns->timer, loop_now_us() + left.tv_sec * US_PER_S + left.tv_usec);
}

static void on_timer(Timer *timer)
{
	Dns *dns = CONTAINER(timer, Dns, timer);

	timer_clear(timer);
	ares_process_fd(dns->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	set_timer(dns);
}

static void on_event(Source *source, uint32_t events)
{
	Socket *socket = CONTAINER(source, Socket, source);
	Dns *dns = socket->dns;
	bool read = events & (EPOLLIN | EPOLLHUP | EPOLLERR),
	     write = events & (EPOLLOUT | EPOLLERR);

	if (socket->fd < 0)
		return;
	ares_process_fd(dns->channel, read ? socket->fd : ARES_SOCKET_BAD,
	                write ? socket->fd : ARES_SOCKET_BAD);
	set_timer(dns);
}

static Socket *socket_find(Dns *dns, int fd)
{
	for (Socket *socket = dns->sockets; socket; socket = socket->next)
		if (socket->fd == fd)
			return socket;
	return NULL;
}

static Socket *socket_new(Dns *dns)
{
	Socket *socket = socket_find(dns, -1);

	if (socket)
		return socket;
	socket = calloc(1, sizeof *socket);
	if (!socket)
		abort();
	*socket = (Socket){ .source = { on_event }, .dns = dns, .next = dns->sockets, .fd = -1 };
	dns->sockets = socket;
	return socket;
}

/* c-ares says what it wants of a descriptor; neither: it is about to close it. A descriptor that cannot be watched is
 * left to the timer. */
static void on_socket(void *arg, ares_socket_t fd, int read, int write)
{
	uint32_t events = (read ? EPOLLIN : 0) | (write ? EPOLLOUT : 0);
	Socket *socket = socket_find(arg, fd);

	if (socket && socket->events == events)
		return;
	if (socket) {
		loop_source_remove(&socket->source, fd);
		socket->fd = -1;
	}
	if (!events)
		return;
	socket = socket_new(arg);
	if (loop_source_add(&socket->source, fd, events))
		return;
	socket->fd = fd;
	socket->events = events;
}

static void library_init(void)
{
	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
		abort();
}

static int channel_open(Dns *dns)
{
	struct ares_options options = { .sock_state_cb = on_socket,
		                        .sock_state_cb_data = dns,
		                        .timeout = TRY_MS,
		                        .tries = TRIES };
	int status =
		ares_init_options(&dns->channel, &options,
	                          ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);

	if (status != ARES_SUCCESS)
		return status;
	pthread_mutex_lock(&servers.lock);
	dns->generation = servers.generation;
	if (servers.text)
		status = ares_set_servers_ports_csv(dns->channel, servers.text);
	pthread_mutex_unlock(&servers.lock);
	return status;
}

static void channel_close(Dns *dns)
{
	ares_destroy(dns->channel);
	dns->channel = NULL;
	timer_remove(&dns->timer);
}

static int channel_ready(Dns *dns)
{
	bool old = dns->renew ||
	           dns->generation != __atomic_load_n(&servers.generation, __ATOMIC_ACQUIRE);

	if (dns->channel && old && !dns->asking)
		channel_close(dns);
	if (dns->channel)
		return ARES_SUCCESS;
	dns->renew = false;
	return channel_open(dns);
}

static void dns_end(void *arg)
{
	Dns *dns = arg;

	if (dns->channel)
		channel_close(dns); /* ends every query, and with it its entry's asking */
	LIST_EACH (&dns->used, Entry, node, entry) {
		free(entry->addrs);
		free(entry);
	}
	while (dns->sockets) {
		Socket *socket = dns->sockets;

		dns->sockets = socket->next;
		free(socket);
	}
	map_fini(&dns->entries);
	free(dns);
	dns_here = NULL;
}

static Dns *dns_get(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (dns_here)
		return dns_here;
	pthread_once(&once, library_init);
	dns_here = calloc(1, sizeof *dns_here);
	if (!dns_here)
		abort();
	dns_here->timer = (Timer)TIMER_INIT(on_timer);
	list_init(&dns_here->used);
	loop_on_exit(dns_end, dns_here);
	return dns_here;
}

/* --- answers -------------------------------------------------------------------------------------------------------- */

static void store(Entry *entry, const struct ares_addrinfo *info)
{
	int64_t ttl_us, ttl_s = TTL_MAX_S;
	size_t count = 0;

	for (const struct ares_addrinfo_cname *c = info->cnames; c; c = c->next)
		ttl_s = MIN(ttl_s, (int64_t)c->ttl);
	for (const struct ares_addrinfo_node *n = info->nodes; n && count < ADDRS_MAX;
	     n = n->ai_next)
		count++;
	free(entry->addrs);
	entry->count = 0;
	entry->addrs = calloc(MAX(count, (size_t)1), sizeof *entry->addrs);
	if (!entry->addrs)
		abort();
	for (const struct ares_addrinfo_node *n = info->nodes; n && entry->count < count;
	     n = n->ai_next) {
		Addr addr = { .len = n->ai_addrlen };

		memcpy(&addr, n->ai_addr, MIN((size_t)n->ai_addrlen, sizeof addr.in6));
		entry->addrs[entry->count++] = peer_of(&addr);
		ttl_s = MIN(ttl_s, (int64_t)n->ai_ttl);
	}
	ttl_us = MAX(ttl_s, (int64_t)TTL_MIN_S) * US_PER_S;
	entry->fresh_us = loop_now_us() + ttl_us;
	entry->renew_us = entry->fresh_us - ttl_us / 10;
}

static bool is_absence(int status)
{
	return status == ARES_ENOTFOUND || status == ARES_ENODATA || status == ARES_EBADNAME;
}

static void on_answer(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
	Entry *entry = arg;

	(void)timeouts;
	if (status == ARES_SUCCESS && (!info || !info->nodes))
		status = ARES_ENODATA;
	entry->status = status;
	entry->asking = false;
	entry->dns->asking--;
	if (status == ARES_SUCCESS) {
		store(entry, info);
	} else {
		stat_add(&stats.failed);
		entry->retry_us = loop_now_us() + FAILURE_S * US_PER_S;
		entry->renew_us = entry->retry_us;
		if (is_absence(status)) /* the name server spoke: what was known before is wrong */
			entry->count = 0, entry->fresh_us = 0;
		else
			entry->dns->renew = true;
	}
	if (info)
		ares_freeaddrinfo(info);
	wait_queue_wake_all(&entry->waiters);
}

/* May be answered before it returns: hosts file, or a failure. */
static void ask(Entry *entry)
{
	static const struct ares_addrinfo_hints hints = { .ai_family = AF_UNSPEC,
		                                          .ai_socktype = SOCK_STREAM };
	Dns *dns = entry->dns;
	int status;

	stat_add(&stats.asked);
	status = channel_ready(dns); /* while nobody is counted as asking: it may be made anew */
	entry->asking = true;
	dns->asking++;
	if (status == ARES_SUCCESS)
		ares_getaddrinfo(dns->channel, entry->name, NULL, &hints, on_answer, entry);
	else
		on_answer(entry, status, 0, NULL);
	if (dns->channel)
		set_timer(dns);
}

/* --- the cache ------------------------------------------------------------------------------------------------------ */

static bool drop_one(Dns *dns)
{
	LIST_EACH (&dns->used, Entry, node, entry) {
		if (entry->asking || entry->users)
			continue;
		map_remove(&dns->entries, (Str){ entry->name, entry->name_len });
		list_remove(&entry->node);
		free(entry->addrs);
		free(entry);
		return true;
	}
	return false;
}

/* NULL when everything that is kept is in use. */
static Entry *entry_get(Dns *dns, Str name)
{
	Entry *entry = map_get(&dns->entries, name);

	if (entry) {
		list_remove(&entry->node);
		list_add(&dns->used, &entry->node);
		return entry;
	}
	if (dns->entries.count >= ENTRIES_MAX && !drop_one(dns))
		return NULL;
	entry = calloc(1, sizeof *entry + name.len + 1);
	if (!entry)
		abort();
	entry->dns = dns;
	entry->name_len = name.len;
	memcpy(entry->name, name.at, name.len);
	wait_queue_init(&entry->waiters);
	map_put(&dns->entries, (Str){ entry->name, name.len }, entry);
	list_add(&dns->used, &entry->node);
	return entry;
}

static Addr addr_of(const Peer *peer, uint16_t port)
{
	Addr addr = { .in = { .sin_family = AF_INET, .sin_port = htons(port) },
		      .len = sizeof addr.in };

	if (peer->family == AF_INET) {
		memcpy(&addr.in.sin_addr, peer->ip, 4);
		return addr;
	}
	addr = (Addr){ .in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) },
		       .len = sizeof addr.in6 };
	memcpy(&addr.in6.sin6_addr, peer->ip, 16);
	return addr;
}

static bool is_fresh(const Entry *entry)
{
	return loop_now_us() < entry->fresh_us;
}

static bool has_old_answer(const Entry *entry)
{
	return entry->count && loop_now_us() < entry->fresh_us + STALE_S * US_PER_S;
}

static void copy_out(Arena *a, const Entry *entry, uint16_t port, Addr **out, size_t *count)
{
	Addr *addrs = ARENA_ARRAY(a, Addr, entry->count);

	for (size_t i = 0; i < entry->count; i++)
		addrs[i] = addr_of(&entry->addrs[i], port);
	*out = addrs;
	*count = entry->count;
}

/* True: *err is the answer. False: it must be asked for. */
static bool answer(Arena *a, const Entry *entry, uint16_t port, Addr **out, size_t *count,
                   Err **err)
{
	bool fresh = is_fresh(entry);

	*err = NULL;
	if (fresh || (entry->status != ARES_SUCCESS && has_old_answer(entry))) {
		stat_add(fresh ? &stats.answered : &stats.stale);
		copy_out(a, entry, port, out, count);
	} else if (loop_now_us() >= entry->retry_us) {
		return false;
	} else if (is_absence(entry->status)) {
		*err = err_new(a, ERR_UPSTREAM, "dns.not_found", "no address is known for \"%s\"",
		               entry->name);
	} else {
		*err = err_new(a, ERR_UPSTREAM, "dns.failed", "\"%s\" could not be resolved: %s",
		               entry->name, ares_strerror(entry->status));
	}
	return true;
}

static Err *await_answer(Entry *entry, int64_t patience_us)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(patience_us);
	Err *err = NULL;

	while (entry->asking && !err)
		err = wait_queue_park(&entry->waiters);
	return err;
}

/* A name server that is slow counts as failed where there is an old answer; the query goes on. */
static Err *await(Entry *entry)
{
	bool old = has_old_answer(entry);
	Err *err;

	entry->users++;
	err = await_answer(entry, old ? PATIENCE_MS * US_PER_MS : INT64_MAX);
	entry->users--;
	if (!old || !err_is(err, "rt.deadline") || deadline_at() <= loop_now_us())
		return err;
	entry->status = ARES_ETIMEOUT;
	return NULL;
}

static bool is_literal(Str host, uint16_t port, Addr *out)
{
	char text[INET6_ADDRSTRLEN];

	if (host.len > 2 && host.at[0] == '[' && host.at[host.len - 1] == ']')
		host = str_sub(host, 1, host.len - 1);
	if (!host.len || host.len >= sizeof text)
		return false;
	memcpy(text, host.at, host.len);
	text[host.len] = 0;
	*out = addr_of(&(Peer){ .family = AF_INET }, port);
	if (inet_pton(AF_INET, text, &out->in.sin_addr) == 1)
		return true;
	*out = addr_of(&(Peer){ .family = AF_INET6 }, port);
	return inet_pton(AF_INET6, text, &out->in6.sin6_addr) == 1;
}

Err *dns_resolve(Arena *a, Str host, uint16_t port, Addr **out, size_t *count)
{
	Addr literal;
	Entry *entry;
	Err *err;

	if (is_literal(host, port, &literal)) {
		*out = ARENA_NEW(a, Addr);
		**out = literal;
		*count = 1;
		return NULL;
	}
	if (!host.len || host.len > NAME_MAX_BYTES || memchr(host.at, 0, host.len))
		return err_new(a, ERR_UPSTREAM, "dns.not_found", "\"%.*s\" is no name",
		               STR_ARG(host));
	entry = entry_get(dns_get(), str_lower(a, host));
	if (!entry)
		return err_new(a, ERR_UPSTREAM, "dns.failed", "%d names are being resolved already",
		               ENTRIES_MAX);
	for (;;) {
		bool known = answer(a, entry, port, out, count, &err);

		if (!entry->asking && loop_now_us() >= entry->renew_us)
			ask(entry);
		if (known)
			return err;
		TRY(await(entry));
	}
}

/* --- for all loops -------------------------------------------------------------------------------------------------- */

static void channel_free(ares_channel *channel)
{
	if (*channel)
		ares_destroy(*channel);
}

Err *dns_use_servers(Arena *a, Str addresses)
{
	AUTO(channel_free) ares_channel trial = NULL;
	const char *csv = str_z(a, addresses);
	char *kept = NULL;

	if (addresses.len) {
		if (ares_init(&trial) != ARES_SUCCESS ||
		    ares_set_servers_ports_csv(trial, csv) != ARES_SUCCESS)
			return err_new(a, ERR_INVALID, "dns.servers",
			               "\"%s\" is no list of name servers", csv);
		kept = strdup(csv);
		if (!kept)
			abort();
	}
	pthread_mutex_lock(&servers.lock);
	free(servers.text);
	servers.text = kept;
	__atomic_add_fetch(&servers.generation, 1, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&servers.lock);
	return NULL;
}

DnsStats dns_stats(void)
{
	return (DnsStats){
		.answered = __atomic_load_n(&stats.answered, __ATOMIC_RELAXED),
		.asked = __atomic_load_n(&stats.asked, __ATOMIC_RELAXED),
		.failed = __atomic_load_n(&stats.failed, __ATOMIC_RELAXED),
		.stale = __atomic_load_n(&stats.stale, __ATOMIC_RELAXED),
	};
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Sockets that were handed to this process. Each is for one listener: another process of ours says which by the listener's
 * key, systemd by what it is bound to (or by a name: FileDescriptorName=admin is the admin port). A wildcard of systemd's
 * is commonly bound to [::] and takes IPv4 too: it is the one for ":80" as well. */
#include "gateway/sockets.h"

#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PASSED_FIRST = 3, PASSED_MAX = 1024 };

typedef struct Socket {
	Node node; /* sockets->all */
	Str key;
	Str taker;  /* the key of the listener that has it; empty: none */
	Addr addr;  /* len 0: not known */
	int fd;     /* -1: it was taken, for good */
	bool owned; /* its file, if it has one, is ours to remove */
	bool both;  /* bound to [::], for IPv4 too */
} Socket;

struct Sockets {
	Arena *arena;
	SocketsFrom from;
	List all;
};

Sockets *sockets_new(Arena *a, SocketsFrom from)
{
	Sockets *sockets = ARENA_NEW(a, Sockets);

	sockets->arena = a;
	sockets->from = from;
	list_init(&sockets->all);
	return sockets;
}

void sockets_free(Sockets *sockets)
{
	if (!sockets)
		return;
	LIST_EACH (&sockets->all, Socket, node, socket) {
		if (socket->fd >= 0)
			close(socket->fd);
		list_remove(&socket->node);
	}
}

static bool takes_both(int fd, const Addr *addr)
{
	int only = 1;
	socklen_t len = sizeof only;

	return addr->sa.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&addr->in6.sin6_addr) &&
	       getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &len) == 0 && !only;
}

void sockets_add(Sockets *sockets, Str key, int fd, bool owned)
{
	Socket *socket = ARENA_NEW(sockets->arena, Socket);

	socket->key = str_dup(sockets->arena, key);
	socket->fd = fd;
	socket->owned = owned;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	socket->addr.len = sizeof socket->addr.un;
	if (getsockname(fd, &socket->addr.sa, &socket->addr.len) != 0)
		socket->addr = (Addr){ .len = 0 };
	socket->both = takes_both(fd, &socket->addr);
	list_add(&sockets->all, &socket->node);
}

/* --- systemd's ------------------------------------------------------------------------------------------------------ */

static uint64_t number_of(const char *variable)
{
	const char *text = getenv(variable);
	uint64_t n;

	return text && str_to_u64(str_of(text), &n) ? n : 0;
}

static Str next_name(Str *names)
{
	ptrdiff_t colon = str_find_char(*names, ':');
	size_t len = colon < 0 ? names->len : (size_t)colon;
	Str name = str_sub(*names, 0, len);

	*names = str_sub(*names, len + (colon >= 0), names->len);
	return name;
}

void sockets_add_passed(Sockets *sockets)
{
	const char *text = getenv("LISTEN_FDNAMES");
	Str names = text ? str_of(text) : S("");
	uint64_t count = number_of("LISTEN_FDS");

	if (number_of("LISTEN_PID") != (uint64_t)getpid())
		count = 0;
	for (int i = 0; i < (int)MIN(count, (uint64_t)PASSED_MAX); i++)
		sockets_add(sockets, next_name(&names), PASSED_FIRST + i, false);
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDNAMES");
}

/* --- taking --------------------------------------------------------------------------------------------------------- */

static bool is_any(const Addr *addr)
{
	return addr->sa.sa_family == AF_INET && addr->in.sin_addr.s_addr == INADDR_ANY;
}

static bool same_path(const Addr *x, const Addr *y)
{
	return x->sa.sa_family == AF_UNIX && y->sa.sa_family == AF_UNIX && x->un.sun_path[0] &&
	       strncmp(x->un.sun_path, y->un.sun_path, sizeof x->un.sun_path) == 0;
}

/* An abstract name has its length and no end; a path's length may have its NUL in it or not. */
static bool is_there(const Addr *bound, const Addr *addr)
{
	return addr_eq(bound, addr) || same_path(bound, addr);
}

static bool is_called(const Sockets *sockets, const Socket *socket, Str key)
{
	if (sockets->from == FROM_PROCESS)
		return str_eq(socket->key, key);
	return str_eq(socket->key, S("admin")) && str_starts(key, S("admin "));
}

static bool is_bound(const Sockets *sockets, const Socket *socket, const Addr *addr)
{
	if (sockets->from == FROM_SYSTEMD && str_eq(socket->key, S("admin")))
		return false;
	return is_there(&socket->addr, addr) ||
	       (socket->both && is_any(addr) && socket->addr.in6.sin6_port == addr->in.sin_port);
}

/* By what it is called before by what it is bound to: an address may be written in many ways. */
static Socket *find(Sockets *sockets, Str key, const Addr *addr)
{
	for (unsigned by_address = 0; by_address < 2; by_address++)
		LIST_EACH (&sockets->all, Socket, node, socket)
			if (socket->fd >= 0 && (by_address ? is_bound(sockets, socket, addr)
			                                   : is_called(sockets, socket, key)))
				return socket;
	return NULL;
}

static void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* systemd's stay open here, for a listener that goes with one configuration and comes back with another. */
static Err *lend(Arena *a, const Socket *socket, Listener **out)
{
	AUTO(fd_close) int fd = fcntl(socket->fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return err_errno(a, errno, "rt.bind", "descriptor %d", socket->fd);
	TRY(listener_adopt(a, fd, false, out));
	fd = -1;
	return NULL;
}

Err *sockets_listen(Arena *a, Sockets *sockets, Str key, const Addr *addr, Listener **out)
{
	Socket *socket = sockets ? find(sockets, key, addr) : NULL;

	*out = NULL;
	if (!socket)
		return NULL;
	if (sockets->from == FROM_SYSTEMD) {
		TRY(lend(a, socket, out));
	} else {
		TRY(listener_adopt(a, socket->fd, socket->owned, out));
		socket->fd = -1;
	}
	socket->taker = str_dup(sockets->arena, key);
	return NULL;
}

int sockets_take(Sockets *sockets, Str key, const Addr *addr)
{
	if (!sockets)
		return -1;
	LIST_EACH (&sockets->all, Socket, node, socket) {
		int fd = socket->fd;

		if (fd < 0 || !str_eq(socket->key, key) || !is_there(&socket->addr, addr))
			continue;
		socket->fd = -1;
		return fd;
	}
	return -1;
}

void sockets_put_taken(const Sockets *sockets, Buf *b)
{
	LIST_EACH (&sockets->all, Socket, node, socket)
		if (socket->fd < 0)
			buf_fmt(b, "%.*s\n", STR_ARG(socket->key));
}

bool sockets_are_kept(const Sockets *sockets, Str key)
{
	if (!sockets || sockets->from != FROM_SYSTEMD)
		return false;
	LIST_EACH (&sockets->all, Socket, node, socket)
		if (str_eq(socket->taker, key))
			return true;
	return false;
}

Str sockets_left(Arena *a, const Sockets *sockets)
{
	Str text = { 0 };

	LIST_EACH (&sockets->all, Socket, node, socket)
		if (!socket->taker.len)
			text = str_fmt(a, "%.*s%s%d (%.*s)", STR_ARG(text), text.len ? ", " : "",
			               socket->fd, STR_ARG(addr_text(a, &socket->addr)));
	return text;
}

bool sockets_listed(Str lines, Str key)
{
	while (lines.len) {
		ptrdiff_t end = str_find_char(lines, '\n');
		size_t len = end < 0 ? lines.len : (size_t)end;

		if (str_eq(str_sub(lines, 0, len), key))
			return true;
		lines = str_sub(lines, len + 1, lines.len);
	}
	return false;
}

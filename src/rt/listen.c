/* SPDX-License-Identifier: Apache-2.0
 *
 * Accepting, and spreading connections over the loops.
 *
 * Every loop watches every listening socket; the kernel wakes one of them (EPOLLEXCLUSIVE), and it tends to be the same
 * one. So the loop that accepts looks at how many connections each loop has, and hands over to the one with the fewest
 * when it has clearly fewer: at least two, and an eighth. What it handed over counts there at once, not first when the
 * message arrives, else a burst would go to one loop.
 *
 * When descriptors run out, level-triggered readiness would spin: this loop stops watching the socket and tries again
 * after 100 ms, or when one of its connections ends.
 *
 * A socket may have come from another process, and may go to one: then both have it for a while, whoever accepts first
 * serves, and leaving it closes nothing.
 *
 * Stopping goes around all loops twice: after the first round nothing more is accepted, the others wait until what is on
 * its way to another loop has arrived, so no connection is lost and no call comes after. */
#include "rt/listen.h"

#include "base/arena.h"
#include "base/time.h"
#include "rt/rt_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ACCEPTS_PER_EVENT = 16, BACKLOG = 4096, LOOPS_MAX = 256, RETRY_MS = 100 };

/* A listener in one loop. */
typedef struct Ear {
	Source source;
	Timer retry;
	Node paused; /* in this thread's list while descriptors are short */
	Listener *listener;
	AcceptFn *fn;
	void *arg;
	bool started;
	bool watched; /* in the epoll */
} Ear;

struct Listener {
	int fd;
	Addr addr;
	bool has_file;    /* addr is a Unix path that we made */
	struct stat file; /* and this is it: another may have come in its place */
	AcceptFn *fn;     /* for the ears to take over */
	void *arg;
	unsigned under_way; /* atomic: handed over and not arrived */
	Ear *ears;          /* one a loop */
};

typedef struct Handover {
	Ear *ear;
	int fd;
	Addr peer;
} Handover;

/* Connections of each loop: what the server counts, and what is on its way there. Relaxed atomics. */
static struct {
	_Alignas(64) int count;
	int coming;
} loads[LOOPS_MAX];

static struct {
	uint64_t accepted, handed_over, paused; /* relaxed atomics */
} stats;

static __thread List paused_ears;

static void stat_add(uint64_t *field)
{
	__atomic_add_fetch(field, 1, __ATOMIC_RELAXED);
}

/* --- spreading ------------------------------------------------------------------------------------------------------ */

static int load_of(unsigned loop)
{
	return __atomic_load_n(&loads[loop].count, __ATOMIC_RELAXED) +
	       __atomic_load_n(&loads[loop].coming, __ATOMIC_RELAXED);
}

/* The loop for one more connection. */
static unsigned choose_loop(unsigned mine, unsigned loops)
{
	int here = load_of(mine), least = here;
	unsigned best = mine;

	for (unsigned i = 0; i < MIN(loops, (unsigned)LOOPS_MAX); i++) {
		int load = load_of(i);

		if (load < least) {
			least = load;
			best = i;
		}
	}
	return here - least >= 2 && (here - least) * 8 >= here ? best : mine;
}

static void expect(unsigned loop, int delta)
{
	__atomic_add_fetch(&loads[loop].coming, delta, __ATOMIC_RELAXED);
}

void listen_count(int delta)
{
	unsigned loop = loop_index(loop_self());

	if (loop < LOOPS_MAX)
		__atomic_add_fetch(&loads[loop].count, delta, __ATOMIC_RELAXED);
	if (delta < 0 && paused_ears.head.next)
		LIST_EACH (&paused_ears, Ear, paused, ear)
			timer_set(&ear->retry, loop_now_us());
}

static void arrive(void *arg)
{
	Handover *handover = arg;
	Ear *ear = handover->ear;

	ear->fn(ear->arg, handover->fd, &handover->peer);
	expect(loop_index(loop_self()), -1);
	__atomic_sub_fetch(&ear->listener->under_way, 1, __ATOMIC_RELEASE);
	free(handover);
}

static void hand_over(Ear *ear, unsigned loop, int fd, const Addr *peer)
{
	Handover *handover = malloc(sizeof *handover);

	if (!handover)
		abort();
	*handover = (Handover){ &ear->listener->ears[loop], fd, *peer };
	__atomic_add_fetch(&ear->listener->under_way, 1, __ATOMIC_RELAXED);
	expect(loop, 1);
	stat_add(&stats.handed_over);
	loop_post(rt_loop(loop), arrive, handover);
}

static unsigned loop_for_one_more(void)
{
	unsigned mine = loop_index(loop_self());

	return mine < LOOPS_MAX ? choose_loop(mine, rt_loops()) : mine;
}

/* --- accepting ------------------------------------------------------------------------------------------------------ */

static void ear_pause(Ear *ear)
{
	if (ear->watched)
		loop_source_remove(&ear->source, ear->listener->fd);
	ear->watched = false;
	if (!paused_ears.head.next)
		list_init(&paused_ears);
	if (!node_linked(&ear->paused))
		list_add(&paused_ears, &ear->paused);
	timer_set(&ear->retry, loop_now_us() + RETRY_MS * US_PER_MS);
	stat_add(&stats.paused);
}

static void ear_watch(Ear *ear)
{
	list_remove(&ear->paused);
	timer_remove(&ear->retry);
	if (loop_source_add(&ear->source, ear->listener->fd, EPOLLIN | EPOLLEXCLUSIVE))
		ear_pause(ear);
	else
		ear->watched = true;
}

static void ear_retry(Timer *timer)
{
	ear_watch(CONTAINER(timer, Ear, retry));
}

/* False: no more for now. */
static bool accept_one(Ear *ear)
{
	Addr peer = { .len = sizeof peer.un };
	unsigned loop;
	int fd = accept4(ear->listener->fd, &peer.sa, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			ear_pause(ear);
			return false;
		}
		return errno != EAGAIN && errno != EBADF &&
		       errno != EINVAL; /* others are of one connection: the next */
	}
	stat_add(&stats.accepted);
	loop = loop_for_one_more();
	if (loop != loop_index(loop_self()))
		hand_over(ear, loop, fd, &peer);
	else
		ear->fn(ear->arg, fd, &peer);
	return true;
}

static void ear_event(Source *source, uint32_t events)
{
	Ear *ear = CONTAINER(source, Ear, source);

	(void)events;
	for (unsigned i = 0; i < ACCEPTS_PER_EVENT && ear->watched && accept_one(ear); i++)
		continue;
}

/* --- starting and stopping ------------------------------------------------------------------------------------------ */

static Ear *ear_here(Listener *listener)
{
	return &listener->ears[loop_index(loop_self())];
}

static void take_fn_here(void *arg)
{
	Listener *listener = arg;
	Ear *ear = ear_here(listener);

	ear->fn = listener->fn;
	ear->arg = listener->arg;
}

static void start_here(void *arg)
{
	Ear *ear = ear_here(arg);

	if (!ear->started)
		ear_watch(ear);
	ear->started = true;
}

static void stop_here(void *arg)
{
	Ear *ear = ear_here(arg);

	if (ear->watched)
		loop_source_remove(&ear->source, ear->listener->fd);
	list_remove(&ear->paused);
	timer_remove(&ear->retry);
	ear->watched = ear->started = false;
}

static void pass_by(void *arg)
{
	(void)arg;
}

static void await_arrivals(const Listener *listener)
{
	while (__atomic_load_n(&listener->under_way, __ATOMIC_ACQUIRE))
		loop_each(pass_by, NULL);
}

void listener_start(Listener *listener, AcceptFn *fn, void *arg)
{
	listener->fn = fn;
	listener->arg = arg;
	if (!listener->ears) {
		listener->ears = calloc(rt_loops(), sizeof *listener->ears);
		if (!listener->ears)
			abort();
		for (unsigned i = 0; i < rt_loops(); i++)
			listener->ears[i] = (Ear){ .source = { ear_event },
				                   .retry = TIMER_INIT(ear_retry),
				                   .listener = listener };
	}
	loop_each(take_fn_here,
	          listener); /* all know what to call before one hands over to another */
	loop_each(start_here, listener);
}

void listener_stop(Listener *listener)
{
	if (!listener->ears)
		return;
	loop_each(stop_here, listener);
	await_arrivals(listener);
}

/* Those whose handshake the kernel has finished would be reset by the close: they are taken first. This runs in a fiber,
 * so each is handed over, to this loop too. */
static void take_backlog(Listener *listener)
{
	for (unsigned i = 0; i < BACKLOG; i++) {
		Addr peer = { .len = sizeof peer.un };
		int fd = accept4(listener->fd, &peer.sa, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && (errno == ECONNABORTED || errno == EINTR))
			continue;
		if (fd < 0)
			return;
		stat_add(&stats.accepted);
		hand_over(ear_here(listener), loop_for_one_more(), fd, &peer);
	}
}

void listener_shut(Listener *listener)
{
	if (listener->fd < 0)
		return;
	listener_stop(listener);
	if (listener->ears) {
		take_backlog(listener);
		await_arrivals(listener);
	}
	close(listener->fd);
	listener->fd = -1;
}

void listener_leave(Listener *listener)
{
	if (listener->fd < 0)
		return;
	listener_stop(listener);
	close(listener->fd);
	listener->fd = -1;
	listener->has_file = false;
}

int listener_fd(const Listener *listener)
{
	return listener->fd;
}

/* Inodes are used again at once, so the time counts too. */
static bool is_our_file(const Listener *listener)
{
	const struct stat *ours = &listener->file;
	struct stat st;

	return stat(listener->addr.un.sun_path, &st) == 0 && st.st_dev == ours->st_dev &&
	       st.st_ino == ours->st_ino && st.st_ctim.tv_sec == ours->st_ctim.tv_sec &&
	       st.st_ctim.tv_nsec == ours->st_ctim.tv_nsec;
}

void listener_close(Listener *listener)
{
	if (!listener)
		return;
	listener_stop(listener);
	if (listener->fd >= 0)
		close(listener->fd);
	if (listener->has_file && is_our_file(listener))
		unlink(listener->addr.un.sun_path);
	free(listener->ears);
	free(listener);
}

const Addr *listener_addr(const Listener *listener)
{
	return &listener->addr;
}

ListenStats listen_stats(void)
{
	return (ListenStats){
		.accepted = __atomic_load_n(&stats.accepted, __ATOMIC_RELAXED),
		.handed_over = __atomic_load_n(&stats.handed_over, __ATOMIC_RELAXED),
		.paused = __atomic_load_n(&stats.paused, __ATOMIC_RELAXED),
	};
}

/* --- opening -------------------------------------------------------------------------------------------------------- */

static void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static Err *bind_error(Arena *a, const Addr *addr, int errnum)
{
	Str text = addr_text(a, addr);

	if (errnum == EADDRINUSE)
		return err_new(a, ERR_CONFLICT, "rt.address_in_use",
		               "somebody listens on %.*s already", STR_ARG(text));
	if (errnum == EACCES || errnum == EPERM)
		return err_new(a, ERR_DENIED, "rt.bind", "listening on %.*s is not allowed",
		               STR_ARG(text));
	return err_errno(a, errnum, "rt.bind", "%.*s cannot be listened on", STR_ARG(text));
}

/* A socket file that nobody answers on is left from a process that died. Anything else is not ours to remove. */
static bool remove_stale(const Addr *addr)
{
	AUTO(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct stat st;

	return fd >= 0 && lstat(addr->un.sun_path, &st) == 0 && S_ISSOCK(st.st_mode) &&
	       connect(fd, &addr->sa, addr->len) != 0 && errno == ECONNREFUSED &&
	       unlink(addr->un.sun_path) == 0;
}

static Err *bind_unix(Arena *a, int fd, const Addr *addr)
{
	fchmod(fd, 0660); /* before there is a file, so that it is never more open than this */
	if (bind(fd, &addr->sa, addr->len) == 0)
		return NULL;
	if (errno != EADDRINUSE)
		return bind_error(a, addr, errno);
	if (!remove_stale(addr))
		return bind_error(a, addr, EADDRINUSE);
	return bind(fd, &addr->sa, addr->len) == 0 ? NULL : bind_error(a, addr, errno);
}

static Err *bind_ip(Arena *a, int fd, const Addr *addr)
{
	int one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (addr->sa.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	return bind(fd, &addr->sa, addr->len) == 0 ? NULL : bind_error(a, addr, errno);
}

static Listener *listener_new(int fd)
{
	Listener *listener = calloc(1, sizeof *listener);

	if (!listener)
		abort();
	listener->fd = fd;
	listener->addr.len = sizeof listener->addr.un;
	if (getsockname(fd, &listener->addr.sa, &listener->addr.len) != 0)
		listener->addr = (Addr){ .len = 0 };
	return listener;
}

static void own_file(Listener *listener)
{
	listener->has_file = stat(listener->addr.un.sun_path, &listener->file) == 0;
}

Err *listener_open(Arena *a, const Addr *addr, Listener **out)
{
	AUTO(fd_close) int fd =
		socket(addr->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool is_unix = addr->sa.sa_family == AF_UNIX;
	Listener *listener;

	if (fd < 0)
		return bind_error(a, addr, errno);
	TRY(is_unix ? bind_unix(a, fd, addr) : bind_ip(a, fd, addr));
	if (listen(fd, BACKLOG) != 0)
		return bind_error(a, addr, errno);
	listener = listener_new(fd);
	fd = -1;
	if (is_unix) {
		chmod(listener->addr.un.sun_path, 0660); /* the umask may have taken from it */
		own_file(listener);
	}
	*out = listener;
	return NULL;
}

bool listener_owns_file(const Listener *listener)
{
	return listener->has_file;
}

Err *listener_adopt(Arena *a, int fd, bool owns_file, Listener **out)
{
	int listens = 0, type = 0;
	socklen_t len = sizeof listens, type_len = sizeof type;

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) != 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) != 0)
		return err_errno(a, errno, "rt.bind", "descriptor %d is no socket", fd);
	if (!listens || type != SOCK_STREAM)
		return err_new(a, ERR_INVALID, "rt.bind",
		               "descriptor %d does not listen for connections", fd);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	*out = listener_new(fd);
	if (owns_file && (*out)->addr.sa.sa_family == AF_UNIX && (*out)->addr.un.sun_path[0])
		own_file(*out);
	return NULL;
}

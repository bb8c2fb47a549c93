/* SPDX-License-Identifier: Apache-2.0
 *
 * Handing listening sockets from process to process.
 *
 *   new -> old   banyan takeover 1 VERSION        (whoever does not know that number says so, and nothing happens)
 *   old -> new   socket KEY, or lent KEY          one message a socket, the descriptor with it; lent: its file is systemd's
 *   old -> new   end
 *   new -> old   serving KEY KEY ...              it accepts on these; one message, a key a line
 *   old -> new   yours                            it accepts no more, and drains
 *
 * The sockets are the same in both processes, so what waits in a queue is accepted by one of them: at no moment is an
 * address not listened on. A new process that ends before it says "serving" has changed nothing. The socket of this very
 * conversation is among those handed over, for the next one.
 *
 * Messages keep their bounds (SOCK_SEQPACKET). Both sides look at whose process the other is: the user must be the same. */
#include "gateway/takeover.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/time.h"
#include "build_info.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	MESSAGE_BYTES = 64 << 10,
	SOCKETS_MAX = 1024,
	ANSWER_US = 10 * 1000 * 1000,     /* of a process that has only to look up what it knows */
	START_US = 10 * 60 * 1000 * 1000, /* of one that starts */
};

#define HELLO S("banyan takeover 1 ")
#define OWN_KEY S("takeover")

static Err nobody =
	ERR_STATIC(NOT_FOUND, "gateway.takeover", "no process is there to take over from");
static Err stranger = ERR_STATIC(DENIED, "gateway.takeover", "the process there is another user's");
static Err vanished =
	ERR_STATIC(CONFLICT, "gateway.takeover", "the process there ended in the middle of it");
static Err misspoke = ERR_STATIC(CONFLICT, "gateway.takeover",
                                 "the process there speaks another version of the protocol");

bool takeover_address(Str said, Str file, Str part, Addr *out)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	char path[PATH_MAX];
	int len;

	if (str_eq(said, S("off")) || (!said.len && !file.len))
		return false;
	if (said.len)
		return !addr_parse(a, said, out);
	if (!realpath(str_z(a, file), path))
		return false;
	*out = (Addr){ .un = { .sun_family = AF_UNIX } };
	len = snprintf(out->un.sun_path + 1, sizeof out->un.sun_path - 1, "banyan-%u-%016" PRIx64,
	               (unsigned)geteuid(),
	               hash_stable(str_of(path), 1, 1) ^ (part.len ? hash_stable(part, 1, 2) : 0));
	out->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
	return true;
}

/* --- messages ------------------------------------------------------------------------------------------------------- */

static bool same_user(int fd, int *pid)
{
	struct ucred who;
	socklen_t len = sizeof who;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0 || who.uid != geteuid())
		return false;
	*pid = who.pid;
	return true;
}

static Err *send_message(Watch *w, Str text, int fd)
{
	struct iovec part = { (void *)(uintptr_t)text.at, text.len };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (fd >= 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof control.bytes;
		control.align = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.align), &fd, sizeof fd);
	}
	while (sendmsg(w->fd, &message, MSG_NOSIGNAL) < 0) {
		if (errno != EAGAIN && errno != EINTR)
			return &vanished;
		w->writable = false;
		TRY(watch_wait_writable(w));
	}
	return NULL;
}

static int fd_of(struct msghdr *message)
{
	struct cmsghdr *control = CMSG_FIRSTHDR(message);
	int fd = -1;

	if (control && control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS &&
	    control->cmsg_len >= CMSG_LEN(sizeof fd))
		memcpy(&fd, CMSG_DATA(control), sizeof fd);
	return fd;
}

/* *fd: what came with it, or -1. */
static Err *receive_message(Watch *w, char into[MESSAGE_BYTES], Str *text, int *fd)
{
	struct iovec part = { into, MESSAGE_BYTES };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr message = { .msg_iov = &part,
		                  .msg_iovlen = 1,
		                  .msg_control = control.bytes,
		                  .msg_controllen = sizeof control.bytes };
	ssize_t got;

	*fd = -1;
	for (;;) {
		got = recvmsg(w->fd, &message, MSG_CMSG_CLOEXEC);
		if (got > 0)
			break;
		if (got == 0 || (errno != EAGAIN && errno != EINTR))
			return &vanished;
		w->readable = false;
		TRY(watch_wait_readable(w));
	}
	*fd = fd_of(&message);
	*text = (Str){ into, (size_t)got };
	return message.msg_flags & MSG_TRUNC ? &misspoke : NULL;
}

/* A message without a descriptor that begins with these words; *rest: what follows. */
static Err *expect(Watch *w, char into[MESSAGE_BYTES], Str words, Str *rest)
{
	Str text;
	int fd;

	TRY(receive_message(w, into, &text, &fd));
	if (fd >= 0)
		close(fd);
	if (fd >= 0 || !str_starts(text, words))
		return &misspoke;
	*rest = str_sub(text, words.len, text.len);
	return NULL;
}

/* --- the new process ------------------------------------------------------------------------------------------------ */

struct Takeover {
	Watch watch;
	char message[MESSAGE_BYTES];
};

static Err *dial(const Addr *addr, Watch *w)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	Err *err = fd >= 0 ? NULL : &nobody;

	if (!err && connect(fd, &addr->sa, addr->len) != 0)
		err = &nobody;
	err = err ? err : watch_open(w, fd);
	if (err && fd >= 0)
		close(fd);
	if (err)
		w->fd = -1;
	return err;
}

/* What the other says instead of a socket. */
static Err *end_or_refusal(Arena *a, Str text)
{
	if (str_eq(text, S("end")))
		return NULL;
	if (str_starts(text, S("no ")))
		return err_new(a, ERR_CONFLICT, "gateway.takeover",
		               "the process there refused: %.*s",
		               STR_ARG(str_sub(text, 3, text.len)));
	return &misspoke;
}

static Err *take_sockets(Arena *a, Takeover *t, Sockets *into)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(ANSWER_US);
	Str hello = str_fmt(a, "%.*s%s", STR_ARG(HELLO), BANYAN_VERSION);
	int pid; /* of the first in the row: who called listen(2) */

	if (!same_user(t->watch.fd, &pid))
		return &stranger;
	TRY(send_message(&t->watch, hello, -1));
	for (unsigned i = 0; i <= SOCKETS_MAX; i++) {
		Str text;
		int fd;

		TRY(receive_message(&t->watch, t->message, &text, &fd));
		if (fd < 0)
			return end_or_refusal(a, text);
		if (str_starts(text, S("socket ")))
			sockets_add(into, str_sub(text, 7, text.len), fd, true);
		else if (str_starts(text, S("lent ")))
			sockets_add(into, str_sub(text, 5, text.len), fd, false);
		else {
			close(fd);
			return &misspoke;
		}
	}
	return &misspoke;
}

Err *takeover_ask(Arena *a, const Addr *addr, Sockets *into, Takeover **out)
{
	Takeover *t = ARENA_NEW(a, Takeover);
	Err *err;

	t->watch = (Watch)WATCH_CLOSED;
	TRY(dial(addr, &t->watch));
	err = take_sockets(a, t, into);
	if (err) {
		takeover_end(t);
		return err_is(err, "rt.deadline") ? &vanished : err;
	}
	log_info("taking over from the process that runs");
	*out = t;
	return NULL;
}

Err *takeover_done(Takeover *t, const Sockets *sockets)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(ANSWER_US);
	AUTO(buf_fini) Buf b = { 0 };
	Str rest;

	buf_put(&b, S("serving\n"));
	sockets_put_taken(sockets, &b);
	TRY(send_message(&t->watch, buf_str(&b), -1));
	return expect(&t->watch, t->message, S("yours"), &rest);
}

void takeover_end(Takeover *t)
{
	if (t)
		watch_close(&t->watch);
}

/* --- the process that runs ------------------------------------------------------------------------------------------ */

struct TakeoverHost {
	TakeoverHooks hooks;
	Watch watch;
	Addr addr;
	bool has_file;
	struct stat file;
	Watch *guest; /* while one is served */
	Err *err;     /* of what is offered to it */
	bool left;    /* the sockets were */
	Child child;
	char message[MESSAGE_BYTES];
};

void takeover_offer(TakeoverHost *host, Str key, int fd, bool owned)
{
	AUTO(arena_freep) Arena *a = arena_new(0);

	if (!host->err && fd >= 0)
		host->err =
			send_message(host->guest,
		                     str_fmt(a, "%s %.*s", owned ? "socket" : "lent", STR_ARG(key)),
		                     fd);
}

static Err *greet(TakeoverHost *host, Watch *w)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(ANSWER_US);
	Str version;
	Err *err = expect(w, host->message, HELLO, &version);

	if (err == &misspoke)
		TRY(send_message(w, S("no version 1 of the protocol is all that it knows"), -1));
	TRY(err);
	log_info("a process with version %.*s wants to take over", STR_ARG(version));
	host->guest = w;
	host->err = NULL;
	host->hooks.offer(host->hooks.arg, host);
	takeover_offer(host, OWN_KEY, host->watch.fd, true);
	TRY(host->err);
	return send_message(w, S("end"), -1);
}

/* *taken: the keys of the sockets that it serves with. */
static Err *await_serving(TakeoverHost *host, Watch *w, Str *taken)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(START_US);

	TRY(greet(host, w));
	return expect(w, host->message, S("serving\n"), taken);
}

static Err *serve_guest(TakeoverHost *host, Watch *w)
{
	AUTO(deadline_end) Deadline limit = { 0 };
	Str taken;
	int pid;

	if (!same_user(w->fd, &pid))
		return &stranger;
	TRY(await_serving(host, w, &taken));
	log_info("process %d has taken over", pid);
	host->has_file = false; /* it is the other's now */
	host->hooks.handed(host->hooks.arg, pid, taken);
	while (!host->left)
		TRY(fiber_park());
	limit = deadline_begin(ANSWER_US);
	if (send_message(w, S("yours"), -1))
		log_warn("process %d did not hear that it has taken over", pid);
	return NULL;
}

static Err *accept_guest(TakeoverHost *host, Watch *guest)
{
	int fd = -1;
	Err *err;

	while (fd < 0) {
		TRY(watch_wait_readable(&host->watch));
		fd = accept4(host->watch.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			host->watch.readable = errno == EINTR || errno == ECONNABORTED;
	}
	err = watch_open(guest, fd);
	if (err) {
		close(fd);
		guest->fd = -1;
	}
	return err;
}

/* One guest after another, until one has taken over: it is the one to be asked then. */
static Err *host_fiber(void *arg)
{
	TakeoverHost *host = arg;

	for (;;) {
		AUTO(watch_close) Watch guest = WATCH_CLOSED;
		Err *err;

		TRY(accept_guest(host, &guest));
		err = serve_guest(host, &guest);
		if (err && err->kind == ERR_CANCELLED)
			return err;
		if (!err)
			break;
		log_err(err, "nobody took over");
	}
	watch_close(&host->watch);
	return NULL;
}

/* A file that nobody answers at is left from a process that died. */
static bool remove_stale(const Addr *addr)
{
	struct stat st;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool stale = fd >= 0 && lstat(addr->un.sun_path, &st) == 0 && S_ISSOCK(st.st_mode) &&
	             connect(fd, &addr->sa, addr->len) != 0 && errno == ECONNREFUSED &&
	             unlink(addr->un.sun_path) == 0;

	if (fd >= 0)
		close(fd);
	return stale;
}

static Err *bind_host(Arena *a, const Addr *addr, int *out)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool is_file = addr->un.sun_path[0] != 0;
	bool bound = fd >= 0 && fchmod(fd, 0600) == 0 && bind(fd, &addr->sa, addr->len) == 0;

	if (!bound && fd >= 0 && errno == EADDRINUSE && is_file && remove_stale(addr))
		bound = bind(fd, &addr->sa, addr->len) == 0;
	if (bound && is_file)
		bound = chmod(addr->un.sun_path, 0600) == 0;
	if (bound && listen(fd, 8) == 0) {
		*out = fd;
		return NULL;
	}
	if (fd >= 0)
		close(fd);
	return err_errno(a, errno, "gateway.takeover", "%.*s cannot be listened on",
	                 STR_ARG(addr_text(a, addr)));
}

Err *takeover_open(Arena *a, const Addr *addr, Sockets *sockets, const TakeoverHooks *hooks,
                   TakeoverHost **out)
{
	TakeoverHost *host = ARENA_NEW(a, TakeoverHost);
	int fd = sockets_take(sockets, OWN_KEY, addr);
	Err *err;

	*host = (TakeoverHost){ .hooks = *hooks, .watch = WATCH_CLOSED, .addr = *addr };
	if (fd < 0)
		TRY(bind_host(a, addr, &fd));
	err = watch_open(&host->watch, fd);
	if (err) {
		close(fd);
		host->watch.fd = -1;
		return err;
	}
	host->has_file = addr->un.sun_path[0] && stat(addr->un.sun_path, &host->file) == 0;
	err = child_start(&host->child, host_fiber, host, "takeover");
	if (err) {
		watch_close(&host->watch);
		return err;
	}
	*out = host;
	return NULL;
}

void takeover_left(TakeoverHost *host)
{
	Err *err;

	host->left = true;
	fiber_wake(host->child.fiber);
	err = child_join(&host->child);
	if (err)
		log_err(err, "a process that took over");
}

void takeover_close(TakeoverHost *host)
{
	struct stat st;

	if (!host)
		return;
	child_end(&host->child);
	watch_close(&host->watch);
	if (host->has_file && stat(host->addr.un.sun_path, &st) == 0 &&
	    st.st_dev == host->file.st_dev && st.st_ino == host->file.st_ino)
		unlink(host->addr.un.sun_path);
}

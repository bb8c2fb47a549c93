/* SPDX-License-Identifier: Apache-2.0
 *
 * Connections. Plain sockets are read and written here; a Stream with TLS hands the same calls to tls.c. A system call
 * is made only when the descriptor is known, or not known not, to be ready. */
#include "rt/stream.h"

#include "rt/rt_int.h"
#include "rt/stream_int.h"
#include "rt/tls_int.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

static Err reset = ERR_STATIC(CLOSED, "rt.reset", "the peer reset the connection");
static Err closed = ERR_STATIC(CLOSED, "rt.closed", "the peer closed the connection");
static Err refused = ERR_STATIC(UPSTREAM, "rt.refused", "the connection was refused");
static Err unreachable = ERR_STATIC(UPSTREAM, "rt.unreachable", "the address could not be reached");
static Err no_ports =
	ERR_STATIC(UPSTREAM, "rt.no_ports", "no local port was left for the connection");
static Err no_files = ERR_STATIC(BUSY, "rt.too_many_files", "the limit of open files was reached");
static Err broken = ERR_STATIC(IO, "rt.socket", "the kernel refused an operation on a socket");

static Err *err_of(int errnum)
{
	static const struct {
		int errnum;
		Err *err;
	} rows[] = {
		{ ECONNRESET, &reset },         { EPIPE, &closed },
		{ ENOTCONN, &closed },          { ECONNREFUSED, &refused },
		{ ENOENT, &refused },           { EAGAIN, &refused },
		{ EHOSTUNREACH, &unreachable }, { ENETUNREACH, &unreachable },
		{ ETIMEDOUT, &unreachable },    { EACCES, &unreachable },
		{ EPERM, &unreachable },        { EADDRNOTAVAIL, &no_ports },
		{ EMFILE, &no_files },          { ENFILE, &no_files },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].errnum == errnum)
			return rows[i].err;
	return &broken;
}

static Err *failed(Stream *s, int errnum)
{
	stream_met(s, errnum);
	return err_of(errnum);
}

static void set_nodelay(int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one,
	           sizeof one); /* a Unix socket says no, and needs none */
}

Err *stream_open(Stream *s, int fd)
{
	*s = (Stream)STREAM_CLOSED;
	set_nodelay(fd);
	TRY(watch_open(&s->watch, fd));
	s->watch.writable = true; /* a new connection's buffer is empty */
	return NULL;
}

static Err *connected(Stream *s)
{
	int errnum = 0;
	socklen_t len = sizeof errnum;

	TRY(watch_wait_writable(&s->watch));
	if (getsockopt(s->watch.fd, SOL_SOCKET, SO_ERROR, &errnum, &len) != 0)
		errnum = errno;
	return errnum ? err_of(errnum) : NULL;
}

Err *stream_connect(Stream *s, const Addr *to)
{
	return stream_connect_from(s, to, NULL);
}

/* The port is chosen at connect: then it only has to be free towards that address. */
static Err *bind_to(int fd, const Addr *from)
{
	int one = 1;

	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
	return bind(fd, &from->sa, from->len) == 0 ? NULL : err_of(errno);
}

Err *stream_connect_from(Stream *s, const Addr *to, const Addr *from)
{
	int fd = socket(to->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	Err *err;

	*s = (Stream)STREAM_CLOSED;
	if (fd < 0)
		return err_of(errno);
	set_nodelay(fd);
	err = from ? bind_to(fd, from) : NULL;
	if (!err && connect(fd, &to->sa, to->len) != 0 && errno != EINPROGRESS)
		err = err_of(errno);
	if (err) {
		close(fd);
		return err;
	}
	err = watch_open(&s->watch, fd);
	if (err) {
		close(fd);
		s->watch.fd = -1;
		return err;
	}
	err = connected(s);
	if (err)
		stream_close(s);
	return err;
}

void stream_close(Stream *s)
{
	if (s->tls) {
		tls_free(s->tls);
		s->tls = NULL;
	}
	watch_close(&s->watch);
}

void stream_move(Stream *from, Stream *to)
{
	to->tls = TAKE(from->tls);
	to->written = from->written;
	to->fate = from->fate;
	watch_move(&from->watch, &to->watch);
}

/* --- reading -------------------------------------------------------------------------------------------------------- */

static Err *plain_try_read(Stream *s, void *into, size_t cap, size_t *got, bool *more)
{
	Watch *w = &s->watch;
	ssize_t n;

	*got = 0;
	*more = true;
	if (!w->readable)
		return NULL;
	do
		n = recv(w->fd, into, cap, 0);
	while (n < 0 && errno == EINTR);
	if (n > 0) {
		*got = (size_t)n;
		if ((size_t)n < cap && !w->ended && !w->broken)
			w->readable = false;
		return NULL;
	}
	if (n == 0) {
		w->ended = true;
		stream_met(s, 0);
		*more = false;
		return NULL;
	}
	if (errno != EAGAIN)
		return failed(s, errno);
	w->readable = false;
	return NULL;
}

Err *stream_try_read(Stream *s, void *into, size_t cap, size_t *got, bool *more)
{
	return s->tls ? tls_try_read(s, into, cap, got, more)
	              : plain_try_read(s, into, cap, got, more);
}

Err *stream_read(Stream *s, void *into, size_t cap, size_t *got)
{
	bool more;

	for (;;) {
		TRY(stream_try_read(s, into, cap, got, &more));
		if (*got || !more)
			return NULL;
		if (UNLIKELY(s->tls && tls_wants_write(s)))
			TRY(watch_wait_writable(&s->watch));
		else
			TRY(watch_wait_readable(&s->watch));
	}
}

bool stream_pending(const Stream *s)
{
	return s->watch.readable || (s->tls && tls_pending(s));
}

Err *stream_wait_readable(Stream *s)
{
	return stream_pending(s) ? NULL : watch_wait_readable(&s->watch);
}

/* --- writing -------------------------------------------------------------------------------------------------------- */

static Err *plain_try_writev(Stream *s, struct iovec *parts, int count, int flags, size_t *sent)
{
	Watch *w = &s->watch;
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = (size_t)count };
	size_t want = 0;
	ssize_t n;

	*sent = 0;
	if (!w->writable)
		return NULL;
	for (int i = 0; i < count; i++)
		want += parts[i].iov_len;
	do
		n = count == 1 ? send(w->fd, parts->iov_base, parts->iov_len, MSG_NOSIGNAL | flags)
		               : sendmsg(w->fd, &message, MSG_NOSIGNAL | flags);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno != EAGAIN)
		return failed(s, errno);
	*sent = n < 0 ? 0 : (size_t)n;
	s->written += *sent;
	if (*sent < want)
		w->writable = false;
	return NULL;
}

static void skip(struct iovec **parts, int *count, size_t sent)
{
	while (*count && sent >= (*parts)->iov_len) {
		sent -= (*parts)->iov_len;
		(*parts)->iov_len = 0;
		++*parts;
		--*count;
	}
	if (*count) {
		(*parts)->iov_base = (char *)(*parts)->iov_base + sent;
		(*parts)->iov_len -= sent;
	}
}

/* TLS may have to read first. */
Err *stream_wait_writable(Stream *s)
{
	return s->tls && !tls_wants_write(s) ? watch_wait_readable(&s->watch)
	                                     : watch_wait_writable(&s->watch);
}

Err *stream_try_writev(Stream *s, struct iovec *parts, int count, size_t *sent)
{
	return s->tls ? tls_try_writev(s, parts, count, sent)
	              : plain_try_writev(s, parts, count, 0, sent);
}

Err *stream_writev(Stream *s, struct iovec *parts, int count)
{
	skip(&parts, &count, 0);
	while (count) {
		size_t sent;

		TRY(stream_try_writev(s, parts, count, &sent));
		skip(&parts, &count, sent);
		if (count && !sent)
			TRY(stream_wait_writable(s));
	}
	return NULL;
}

Err *stream_write(Stream *s, Str bytes)
{
	struct iovec part = { (void *)(uintptr_t)bytes.at, bytes.len };

	return stream_writev(s, &part, 1);
}

Err *stream_write_more(Stream *s, Str bytes)
{
	struct iovec part = { (void *)(uintptr_t)bytes.at, bytes.len };
	size_t sent;

	if (s->tls)
		return stream_write(s, bytes);
	while (part.iov_len) {
		TRY(plain_try_writev(s, &part, 1, MSG_MORE, &sent));
		part.iov_base = (char *)part.iov_base + sent;
		part.iov_len -= sent;
		if (part.iov_len && !sent)
			TRY(stream_wait_writable(s));
	}
	return NULL;
}

Err *stream_sendfile(Stream *s, int fd, uint64_t from, size_t count, size_t *sent)
{
	off_t at = (off_t)from;
	ssize_t n;

	for (;;) {
		if (!s->watch.writable)
			TRY(stream_wait_writable(s));
		n = sendfile(s->watch.fd, fd, &at, count);
		if (n >= 0)
			break;
		if (errno != EAGAIN && errno != EINTR)
			return failed(s, errno);
		s->watch.writable = errno == EINTR;
	}
	*sent = (size_t)n;
	s->written += *sent;
	return NULL;
}

Err *stream_try_write(Stream *s, Str bytes, size_t *sent)
{
	struct iovec part = { (void *)(uintptr_t)bytes.at, bytes.len };

	return stream_try_writev(s, &part, 1, sent);
}

Err *stream_end(Stream *s)
{
	if (s->tls)
		TRY(tls_end(s));
	if (shutdown(s->watch.fd, SHUT_WR) != 0 && errno != ENOTCONN)
		return err_of(errno);
	return NULL;
}

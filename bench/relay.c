/* SPDX-License-Identifier: Apache-2.0
 *
 * relay UPSTREAM_PORT: the least a proxy can do. Each connection gets one of its own to the upstream, and whatever
 * arrives on one side is written to the other: edge-triggered, one read into one buffer, one write, nothing parsed,
 * nothing kept. What it costs is the kernel's TCP; a gateway is judged by what it adds.
 *
 * A side that takes less than it is given keeps the rest in a buffer of its own until it is writable, and the other side
 * is not read meanwhile. When one side ends both are closed. */
#include "net.h"

enum { READ_MAX = 256 * 1024, EVENTS = 256 };

typedef struct Side {
	int fd;
	bool dead;
	bool ended; /* its end has been announced, perhaps not been read */
	struct Side *peer;
	char *rest; /* what this side has not taken yet */
	size_t rest_len, rest_at;
} Side;

static char scratch[READ_MAX];

static void side_close_both(Side *side)
{
	side->dead = side->peer->dead = true;
	close(side->fd);
	close(side->peer->fd);
}

/* Writes to a side; keeps what does not fit. False: the connection is gone. */
static bool side_give(Side *side, const char *data, size_t len)
{
	ssize_t sent = send(side->fd, data, len, MSG_NOSIGNAL);

	if (sent < 0 && errno != EAGAIN)
		return false;
	sent = sent < 0 ? 0 : sent;
	if ((size_t)sent == len)
		return true;
	side->rest_len = len - (size_t)sent;
	side->rest_at = 0;
	side->rest = malloc(side->rest_len);
	if (!side->rest)
		die("memory");
	memcpy(side->rest, data + sent, side->rest_len);
	return true;
}

/* Gives what was kept. True: nothing is left. */
static bool side_flush(Side *side)
{
	while (side->rest) {
		ssize_t sent = send(side->fd, side->rest + side->rest_at,
		                    side->rest_len - side->rest_at, MSG_NOSIGNAL);

		if (sent < 0)
			return false;
		side->rest_at += (size_t)sent;
		if (side->rest_at < side->rest_len)
			continue;
		free(side->rest);
		side->rest = NULL;
	}
	return true;
}

/* Moves what there is from a side to its peer. A read that does not fill the buffer has emptied the socket: the next
 * edge tells of more, so no read is made only to hear EAGAIN; unless its end is known to have come. */
static void side_pump(Side *side)
{
	while (!side->dead && !side->peer->rest) {
		ssize_t got = recv(side->fd, scratch, sizeof scratch, 0);

		if (got < 0 && errno == EAGAIN)
			return;
		if (got <= 0 || !side_give(side->peer, scratch, (size_t)got)) {
			side_close_both(side);
			return;
		}
		if ((size_t)got < sizeof scratch && !side->ended)
			return;
	}
}

static void side_ready(Side *side, uint32_t events)
{
	if (side->dead)
		return;
	side->ended |= (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
	if ((events & EPOLLOUT) && side->rest && side_flush(side))
		side_pump(side->peer);
	if (side->ended || (events & EPOLLIN))
		side_pump(side);
}

static void relay_accept(int epoll, int listener, uint16_t port)
{
	struct sockaddr_in upstream = loopback(port, 0);

	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		Side *pair;

		if (fd < 0)
			return;
		/* Never freed: an event of a pair that was closed in this very round may still be waiting. */
		pair = calloc(2, sizeof *pair);
		if (!pair)
			die("memory");
		set_nodelay(fd);
		pair[0] = (Side){ .fd = fd, .peer = &pair[1] };
		pair[1] = (Side){ .fd = nonblocking_socket(), .peer = &pair[0] };
		if (connect(pair[1].fd, (struct sockaddr *)&upstream, sizeof upstream) < 0 &&
		    errno != EINPROGRESS)
			die("connect");
		watch_or_die(epoll, pair[1].fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		             &pair[1]);
		watch_or_die(epoll, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, &pair[0]);
	}
}

int main(int argc, char **argv)
{
	struct epoll_event events[EVENTS];
	int epoll = epoll_create1(EPOLL_CLOEXEC), listener;
	uint16_t port;

	if (argc != 2)
		die("usage: relay UPSTREAM_PORT");
	port = (uint16_t)number_or_die(argv[1], UINT16_MAX);
	listener = listen_and_tell();
	watch_or_die(epoll, listener, EPOLLIN, NULL);
	for (;;) {
		int count = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < count; i++)
			if (events[i].data.ptr)
				side_ready(events[i].data.ptr, events[i].events);
			else
				relay_accept(epoll, listener, port);
	}
}

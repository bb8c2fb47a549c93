/* SPDX-License-Identifier: Apache-2.0
 *
 * origin: the upstream behind every contender. Answers any request with 200 and 128 bytes of JSON, or with N bytes when
 * the path is /bytes/N; a request's body is read and thrown away first. Keep-alive, pipelining, one thread.
 *
 * It trusts its peers' framing (a head below 16 KiB, Content-Length or nothing): it is there to be cheap and the same for
 * all, not to be strict. */
#include "net.h"

enum { HEAD_MAX = 16 * 1024, EVENTS = 256, SCRATCH = 256 * 1024 };

typedef struct Conn {
	int fd;
	bool dead;
	uint64_t skip; /* of a request's body, still to come */
	bool owed;     /* that request is answered when it has come */
	uint64_t body; /* how long an answer it asked for */
	uint64_t left; /* of an answer's body, still to be written */
	size_t len;    /* of `head`, read so far */
	char head[HEAD_MAX];
} Conn;

static char scratch[SCRATCH];
static char filler[1024 * 1024];

static const char small_body[] =
	"{\"id\":42,\"name\":\"Banyan seedling\",\"price\":\"119.90\",\"currency\":\"EUR\",\"stock\":1170,"
	"\"tags\":[\"tree\",\"figs\",\"indoors\"],\"rating\":4.75}";

static char small_answer[512];
static size_t small_answer_len;

static size_t put_head(char *out, size_t size, uint64_t body, const char *type)
{
	return (size_t)snprintf(
		out, size,
		"HTTP/1.1 200 OK\r\nServer: origin\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\n"
		"Content-Type: %s\r\nContent-Length: %llu\r\n\r\n",
		type, (unsigned long long)body);
}

static void prepare(void)
{
	_Static_assert(sizeof small_body - 1 == 128, "the answer is to have 128 bytes");
	memset(filler, 'b', sizeof filler);
	small_answer_len = put_head(small_answer, sizeof small_answer, 128, "application/json");
	memcpy(small_answer + small_answer_len, small_body, 128);
	small_answer_len += 128;
}

static void conn_close(Conn *conn)
{
	close(conn->fd);
	conn->dead = true;
}

/* Writes what an answer still lacks. True: nothing. */
static bool conn_flush(Conn *conn)
{
	while (conn->left && !conn->dead) {
		size_t len = conn->left < sizeof filler ? (size_t)conn->left : sizeof filler;
		ssize_t sent = send(conn->fd, filler, len, MSG_NOSIGNAL);

		if (sent < 0 && errno != EAGAIN)
			conn_close(conn);
		if (sent < 0)
			return false;
		conn->left -= (uint64_t)sent;
	}
	return !conn->dead;
}

static void conn_answer(Conn *conn)
{
	char head[256];
	const char *data = small_answer;
	size_t len = small_answer_len;

	if (conn->body != 128) {
		len = put_head(head, sizeof head, conn->body, "application/octet-stream");
		data = head;
		conn->left = conn->body;
	}
	/* A head or a small answer always fits: nothing else is on its way on this connection. */
	if (send(conn->fd, data, len, MSG_NOSIGNAL | (conn->left ? MSG_MORE : 0)) != (ssize_t)len)
		conn_close(conn);
	else
		conn_flush(conn);
}

/* Answers each whole request in the head's buffer, as long as the answers can be written. */
static void conn_serve(Conn *conn)
{
	while (!conn->dead && !conn->left && !conn->skip) {
		char *end = memmem(conn->head, conn->len, "\r\n\r\n", 4);
		static const char path[] = " /bytes/";
		size_t head, body;
		char *asked;
		int64_t length;

		if (!end)
			return;
		head = (size_t)(end - conn->head) + 4;
		asked = memmem(conn->head, head < 64 ? head : 64, path, sizeof path - 1);
		conn->body = asked ? strtoull(asked + sizeof path - 1, NULL, 10) : 128;
		length = content_length(conn->head, head);
		conn->skip = length > 0 ? (uint64_t)length : 0;
		body = conn->len - head < conn->skip ? conn->len - head : (size_t)conn->skip;
		conn->skip -= body;
		conn->len -= head + body;
		if (conn->len)
			memmove(conn->head, conn->head + head + body, conn->len);
		conn->owed = conn->skip > 0;
		if (!conn->owed)
			conn_answer(conn);
	}
}

/* A read that does not fill its room has emptied the socket, unless the peer is known to have ended. */
static void conn_read(Conn *conn, bool ended)
{
	while (!conn->dead && !conn->left) {
		bool body = conn->skip > 0;
		size_t room = body ? sizeof scratch : sizeof conn->head - conn->len, want = room;
		ssize_t got;

		if (body && conn->skip < room)
			want = (size_t)conn->skip;
		got = recv(conn->fd, body ? scratch : conn->head + conn->len, want, 0);
		if (got < 0 && errno == EAGAIN)
			return;
		if (got <= 0) {
			conn_close(conn);
			return;
		}
		if (body)
			conn->skip -= (uint64_t)got;
		else
			conn->len += (size_t)got;
		if (conn->owed && !conn->skip) {
			conn->owed = false;
			conn_answer(conn);
		}
		conn_serve(conn);
		if ((size_t)got < want && !ended)
			return;
	}
}

static void conn_ready(Conn *conn, uint32_t events)
{
	if (conn->dead)
		return;
	if (conn->left && !conn_flush(conn))
		return;
	conn_serve(conn);
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		conn_read(conn, events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
}

static void origin_accept(int epoll, int listener)
{
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		Conn *conn;

		if (fd < 0)
			return;
		conn = calloc(1, sizeof *conn); /* never freed: see relay.c */
		if (!conn)
			die("memory");
		conn->fd = fd;
		set_nodelay(fd);
		watch_or_die(epoll, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, conn);
	}
}

int main(void)
{
	struct epoll_event events[EVENTS];
	int epoll = epoll_create1(EPOLL_CLOEXEC), listener;

	prepare();
	listener = listen_and_tell();
	watch_or_die(epoll, listener, EPOLLIN, NULL);
	for (;;) {
		int count = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < count; i++)
			if (events[i].data.ptr)
				conn_ready(events[i].data.ptr, events[i].events);
			else
				origin_accept(epoll, listener);
	}
}

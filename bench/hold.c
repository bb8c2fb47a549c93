/* SPDX-License-Identifier: Apache-2.0
 *
 * hold PORT CONNECTIONS AT_ONCE: opens so many keep-alive connections, AT_ONCE at a time, asks once on each, reads the answer and then
 * does nothing. Says "held N" when all are idle, and for every line on its standard input "alive N", how many of them
 * are still open. Plain blocking calls: what is measured is the other end.
 *
 * The sources are spread over 127.0.0.2 and up, so that the ports of one address never run out. */
#include "net.h"

enum { PER_ADDRESS = 5000, HEAD_MAX = 4096 };

static const char request[] =
	"GET /items/42 HTTP/1.1\r\nHost: bench.test\r\nUser-Agent: bench/1\r\nAccept: */*\r\n\r\n";

static int dial(uint16_t port, unsigned number)
{
	struct sockaddr_in to = loopback(port, 0), from = loopback(0, 1 + number / PER_ADDRESS);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket %u", number);
	/* The port is chosen at connect, when the whole pair of addresses is known. */
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){ 1 }, sizeof(int));
	if (bind(fd, (struct sockaddr *)&from, sizeof from) < 0 ||
	    connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
		die("connection %u", number);
	return fd;
}

static void read_answer(int fd, unsigned number)
{
	char head[HEAD_MAX];
	size_t len = 0;

	for (;;) {
		ssize_t got = recv(fd, head + len, sizeof head - len, 0);
		char *end;

		if (got <= 0)
			die("connection %u was closed before its answer", number);
		len += (size_t)got;
		end = memmem(head, len, "\r\n\r\n", 4);
		errno = 0;
		if (end && memcmp(head, "HTTP/1.1 200", 12))
			die("connection %u was answered with %.*s", number, (int)len, head);
		if (end && (int64_t)(head + len - end - 4) ==
		                   content_length(head, (size_t)(end - head) + 4))
			return;
	}
}

static unsigned count_alive(const int *fds, unsigned count)
{
	unsigned alive = 0;

	for (unsigned i = 0; i < count; i++)
		alive += recv(fds[i], &(char){ 0 }, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
		         errno == EAGAIN;
	return alive;
}

int main(int argc, char **argv)
{
	unsigned count, batch;
	uint16_t port;
	int *fds;

	if (argc != 4)
		die("usage: hold PORT CONNECTIONS AT_ONCE");
	port = (uint16_t)number_or_die(argv[1], UINT16_MAX);
	count = (unsigned)number_or_die(argv[2], 100000);
	batch = (unsigned)number_or_die(argv[3], 1000);
	fds = calloc(count, sizeof *fds);
	if (!fds || !batch)
		die("memory");
	for (unsigned from = 0; from < count; from += batch) {
		unsigned to = from + batch < count ? from + batch : count;

		for (unsigned i = from; i < to; i++) {
			fds[i] = dial(port, i);
			if (send(fds[i], request, sizeof request - 1, MSG_NOSIGNAL) !=
			    sizeof request - 1)
				die("connection %u", i);
		}
		for (unsigned i = from; i < to; i++)
			read_answer(fds[i], i);
	}
	printf("held %u\n", count);
	fflush(stdout);
	for (int letter = getchar(); letter != EOF; letter = getchar()) {
		printf("alive %u\n", count_alive(fds, count));
		fflush(stdout);
	}
	return 0;
}

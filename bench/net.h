/* SPDX-License-Identifier: Apache-2.0
 *
 * What the small programs of the benchmarks share: loopback sockets, and dying with a sentence. They are tools, not part
 * of the gateway: one thread, whatever goes wrong ends the program with status 1. */
#pragma once
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Prints the sentence and, where errno is set, its meaning; ends the program. */
__attribute__((format(printf, 1, 2), noreturn)) static inline void die(const char *fmt, ...)
{
	int cause = errno;
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	if (cause)
		fprintf(stderr, ": %s", strerror(cause));
	fputc('\n', stderr);
	exit(1);
}

static inline uint64_t number_or_die(const char *text, uint64_t max)
{
	char *end = NULL;
	uint64_t number = strtoull(text, &end, 10);

	errno = 0;
	if (end == text || *end || number > max)
		die("not a number up to %llu: %s", (unsigned long long)max, text);
	return number;
}

/* 127.0.0.1 + last. */
static inline struct sockaddr_in loopback(uint16_t port, uint32_t last)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
		                     .sin_port = htons(port),
		                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK + last) };
}

static inline void set_nodelay(int fd)
{
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int)) < 0)
		die("TCP_NODELAY");
}

static inline int nonblocking_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	set_nodelay(fd);
	return fd;
}

/* Listens on a port of the kernel's choice and tells it: "listening PORT". */
static inline int listen_and_tell(void)
{
	int fd = nonblocking_socket();
	struct sockaddr_in address = loopback(0, 0);
	socklen_t size = sizeof address;

	if (bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 4096) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &size) < 0)
		die("listen");
	printf("listening %d\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

/* Readable and writable edges; `data` is what epoll_wait gives back. */
static inline void watch_or_die(int epoll, int fd, uint32_t events, void *data)
{
	struct epoll_event event = { .events = events, .data.ptr = data };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		die("epoll_ctl");
}

/* "content-length: N" of a head that ends with an empty line, any case; -1: none. */
static inline int64_t content_length(const char *head, size_t len)
{
	static const char name[] = "content-length:";

	for (size_t i = 0; i + sizeof name < len; i++)
		if (head[i] == '\n' && !strncasecmp(head + i + 1, name, sizeof name - 1))
			return strtoll(head + i + sizeof name, NULL, 10);
	return -1;
}

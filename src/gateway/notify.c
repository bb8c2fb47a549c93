/* SPDX-License-Identifier: Apache-2.0
 *
 * systemd's notification protocol, without its library: it is a datagram of lines NAME=VALUE. The address is a path or,
 * after "@", an abstract name. A full socket loses a message rather than stopping a loop: systemd reads it at once. */
#include "gateway/notify.h"

#include "base/arena.h"
#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct {
	struct sockaddr_un address;
	socklen_t len; /* 0: nobody listens */
	int64_t watchdog_us;
} manager;

static void read_address(const char *text)
{
	size_t len = text ? strlen(text) : 0;

	manager.len = 0;
	if (len < 2 || len >= sizeof manager.address.sun_path || (text[0] != '/' && text[0] != '@'))
		return;
	manager.address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(manager.address.sun_path, text, len);
	if (text[0] == '@')
		manager.address.sun_path[0] = 0;
	manager.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

static uint64_t number_of(const char *variable)
{
	const char *text = getenv(variable);
	uint64_t n;

	return text && str_to_u64(str_of(text), &n) ? n : 0;
}

void notify_begin(void)
{
	uint64_t pid = number_of("WATCHDOG_PID");

	read_address(getenv("NOTIFY_SOCKET"));
	manager.watchdog_us = 0;
	if (!pid || pid == (uint64_t)getpid())
		manager.watchdog_us =
			(int64_t)MIN(number_of("WATCHDOG_USEC"), (uint64_t)INT64_MAX / 2);
	unsetenv("WATCHDOG_PID"); /* at an upgrade the next process is the one that is watched */
}

static void tell(const char *text)
{
	int fd;

	if (!manager.len)
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
	       (const struct sockaddr *)&manager.address, manager.len);
	close(fd);
}

void notify_ready(void)
{
	tell("READY=1\nSTATUS=serving");
}

void notify_reloading(void)
{
	char text[96];

	snprintf(text, sizeof text,
	         "RELOADING=1\nMONOTONIC_USEC=%" PRId64 "\nSTATUS=reading the configuration again",
	         time_mono_us());
	tell(text);
}

void notify_stopping(void)
{
	tell("STOPPING=1\nSTATUS=finishing what runs");
}

void notify_main_pid(int pid)
{
	char text[96];

	snprintf(text, sizeof text, "MAINPID=%d\nSTATUS=process %d has taken over", pid, pid);
	tell(text);
	manager.len = 0;
	manager.watchdog_us = 0;
}

int64_t notify_watchdog_us(void)
{
	return manager.len ? manager.watchdog_us / 2 : 0;
}

void notify_alive(void)
{
	tell("WATCHDOG=1");
}

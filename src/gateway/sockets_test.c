/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/sockets.c"

#include "unit.h"

static void sockets_freep(Sockets **sockets)
{
	sockets_free(*sockets);
}

static int bound(Arena *a, const char *text)
{
	Addr addr;
	int fd;

	CHECK_OK(addr_parse(a, str_of(text), &addr));
	fd = socket(addr.sa.sa_family, SOCK_STREAM, 0);
	CHECK(fd >= 0 && bind(fd, &addr.sa, addr.len) == 0 && listen(fd, 1) == 0);
	return fd;
}

static Str where(Arena *a, int fd)
{
	Addr addr = { .len = sizeof addr.un };

	CHECK_INT(getsockname(fd, &addr.sa, &addr.len), 0);
	return addr_text(a, &addr);
}

static const Socket *found(Sockets *sockets, Arena *a, Str key, Str address)
{
	Addr addr;

	CHECK_OK(addr_parse(a, address, &addr));
	return find(sockets, key, &addr);
}

TEST(systemds_sockets_are_found_by_address_and_the_admin_ports_by_its_name)
{
	AUTO(sockets_freep) Sockets *sockets = sockets_new(a, FROM_SYSTEMD);
	int one = bound(a, "127.0.0.1:0"), admin = bound(a, "127.0.0.1:0");
	Str address = where(a, one);

	sockets_add(sockets, S("banyan.socket"), one, false);
	sockets_add(sockets, S("admin"), admin, false);
	CHECK_INT(found(sockets, a, S("listen x"), address)->fd, one);
	CHECK_NULL(found(sockets, a, S("listen x"), S("127.0.0.1:1")));
	CHECK_NULL(found(sockets, a, S("listen x"), where(a, admin)));
	CHECK_INT(found(sockets, a, S("admin 127.0.0.1:1"), S("127.0.0.1:1"))->fd, admin);
}

TEST(a_socket_on_all_addresses_is_the_one_for_a_port_alone)
{
	AUTO(sockets_freep) Sockets *sockets = sockets_new(a, FROM_SYSTEMD);
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
	int fd = socket(AF_INET6, SOCK_STREAM, 0), none = 0;
	Str text;

	CHECK_INT(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &none, sizeof none), 0);
	CHECK_INT(bind(fd, (struct sockaddr *)&any, sizeof any), 0);
	CHECK_INT(listen(fd, 1), 0);
	text = where(a, fd);
	sockets_add(sockets, S(""), fd, false);
	CHECK(found(sockets, a, S("listen x"), text) != NULL);
	CHECK(found(sockets, a, S("listen x"),
	            str_sub(text, (size_t)str_rfind_char(text, ':'), text.len)) != NULL);
	CHECK_NULL(found(sockets, a, S("listen x"),
	                 str_fmt(a, "127.0.0.1%.*s", STR_ARG(str_sub(text, 4, text.len)))));
}

TEST(those_of_a_process_are_found_by_what_it_calls_them_first)
{
	AUTO(sockets_freep) Sockets *sockets = sockets_new(a, FROM_PROCESS);
	AUTO(buf_fini) Buf taken = { 0 };
	int one = bound(a, "127.0.0.1:0"), two = bound(a, "127.0.0.1:0");
	Addr addr;

	sockets_add(sockets, S("listen 127.0.0.1:0 #0"), one, true);
	sockets_add(sockets, S("listen other"), two, true);
	CHECK_INT(found(sockets, a, S("listen 127.0.0.1:0 #0"), where(a, two))->fd, one);
	CHECK_INT(found(sockets, a, S("listen anew"), where(a, two))->fd, two);
	CHECK_OK(addr_parse(a, where(a, two), &addr));
	CHECK_INT(sockets_take(sockets, S("listen other"), &addr), two);
	CHECK_INT(sockets_take(sockets, S("listen other"), &addr), -1);
	sockets_put_taken(sockets, &taken);
	CHECK_STR(buf_str(&taken), S("listen other\n"));
	CHECK(sockets_listed(buf_str(&taken), S("listen other")));
	CHECK(!sockets_listed(buf_str(&taken), S("listen")));
	CHECK(!sockets_are_kept(sockets, S("listen other")));
	close(two);
}

TEST(the_environment_is_taken_only_from_who_means_this_process)
{
	AUTO(sockets_freep) Sockets *ours = sockets_new(a, FROM_SYSTEMD);
	AUTO(sockets_freep) Sockets *others = sockets_new(a, FROM_SYSTEMD);
	int fd = bound(a, "127.0.0.1:0");

	CHECK(dup2(fd, PASSED_FIRST) == PASSED_FIRST);
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_PID", "1", 1);
	sockets_add_passed(others);
	CHECK(list_empty(&others->all));
	CHECK_NULL(getenv("LISTEN_FDS"));
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_PID", str_z(a, str_fmt(a, "%d", getpid())), 1);
	setenv("LISTEN_FDNAMES", "shop:more", 1);
	sockets_add_passed(ours);
	CHECK_STR(LIST_FIRST(&ours->all, Socket, node)->key, S("shop"));
	CHECK(fcntl(PASSED_FIRST, F_GETFD) & FD_CLOEXEC);
	CHECK(sockets_left(a, ours).len > 0);
	if (fd != PASSED_FIRST)
		close(fd);
}

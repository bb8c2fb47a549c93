/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/listen.c"

#include "unit.h"

#include <stdio.h>
#include <sys/resource.h>

typedef struct Play {
	Arena *a;
	void (*fn)(Arena *a);
} Play;

static Err *stage(void *arg)
{
	Play *play = arg;

	play->fn(play->a);
	return NULL;
}

#define PLAY(name_) \
	static void play_##name_(Arena *a); \
	TEST(name_) \
	{ \
		RtConf conf = { .loops = 2 }; \
		Play play = { a, play_##name_ }; \
		CHECK_OK(rt_run(&conf, stage, &play)); \
	} \
	static void play_##name_(Arena *a)

/* --- who accepts: keeps what it got, counted per loop ----------------------------------------------------------------- */

static struct {
	unsigned by_loop[2]; /* atomic */
	int fds[4096];       /* atomic count */
	unsigned count;
	bool counts; /* tells listen_count, as a server does */
	Fiber *waiter;
	bool closed; /* nothing may be called any more */
} got;

static void wake_waiter(void *arg)
{
	(void)arg;
	if (got.waiter)
		fiber_wake(got.waiter);
}

static void keep(void *arg, int fd, const Addr *peer)
{
	unsigned loop = loop_index(loop_self());

	CHECK(arg == &got);
	CHECK(!__atomic_load_n(&got.closed, __ATOMIC_ACQUIRE));
	CHECK(fiber_self() == NULL);
	CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	CHECK(peer->sa.sa_family == AF_INET || peer->sa.sa_family == AF_INET6 ||
	      peer->sa.sa_family == AF_UNIX);
	if (got.counts)
		listen_count(1);
	__atomic_add_fetch(&got.by_loop[loop], 1, __ATOMIC_RELAXED);
	got.fds[__atomic_fetch_add(&got.count, 1, __ATOMIC_ACQ_REL)] = fd;
	loop_post(rt_loop(0), wake_waiter, NULL);
}

static void await_count(unsigned count)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(20 * US_PER_S);

	got.waiter = fiber_self();
	while (__atomic_load_n(&got.count, __ATOMIC_ACQUIRE) < count)
		CHECK_OK(fiber_park());
	got.waiter = NULL;
}

static void close_all(void)
{
	for (unsigned i = 0; i < got.count; i++)
		close(got.fds[i]);
	got.count = 0;
}

static int dial(const Addr *addr)
{
	int fd = socket(addr->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	CHECK(connect(fd, &addr->sa, addr->len) == 0 || errno == EINPROGRESS);
	return fd;
}

static Listener *open_at(Arena *a, Str text)
{
	Listener *listener = NULL;
	Addr addr = { 0 };

	CHECK_OK(addr_parse(a, text, &addr));
	CHECK_OK(listener_open(a, &addr, &listener));
	return listener;
}

static Err *open_error(Arena *a, Str text)
{
	Listener *listener = NULL;
	Addr addr = { 0 };

	TRY(addr_parse(a, text, &addr));
	return listener_open(a, &addr, &listener);
}

/* --- plays ---------------------------------------------------------------------------------------------------------- */

PLAY(connections_arrive_on_every_kind_of_address)
{
	const Str texts[] = { S("127.0.0.1:0"), S("[::1]:0"),
		              str_fmt(a, "unix:%s/in.sock", unit_dir()) };

	for (size_t i = 0; i < COUNT(texts); i++) {
		Listener *listener = open_at(a, texts[i]);
		int fd;

		NOTE("%.*s", STR_ARG(texts[i]));
		got.by_loop[0] = got.by_loop[1] = 0;
		fd = dial(listener_addr(listener)); /* before it starts: it waits in the backlog */
		CHECK_INT(__atomic_load_n(&got.count, __ATOMIC_ACQUIRE), 0);
		listener_start(listener, keep, &got);
		await_count(1);
		close(fd);
		close_all();
		listener_close(listener);
	}
	CHECK_INT(listen_stats().accepted, COUNT(texts));
	listener_close(NULL);
}

PLAY(a_burst_is_spread_evenly)
{
	enum { BURST = 200 };
	Listener *listener = open_at(a, S("127.0.0.1:0"));
	int fds[BURST];

	got.counts = true;
	for (unsigned i = 0; i < BURST; i++)
		fds[i] = dial(listener_addr(listener));
	listener_start(listener, keep, &got);
	await_count(BURST);
	CHECK(got.by_loop[0] >= BURST * 2 / 5);
	CHECK(got.by_loop[1] >= BURST * 2 / 5);
	CHECK_INT(got.by_loop[0] + got.by_loop[1], BURST);
	listener_close(listener);
	CHECK_INT(loads[0].coming + loads[1].coming, 0);
	CHECK_INT(loads[0].count + loads[1].count, BURST);
	for (unsigned i = 0; i < BURST; i++)
		close(fds[i]);
	close_all();
}

PLAY(nothing_is_called_after_stop_and_nothing_is_lost)
{
	Listener *listener = open_at(a, S("127.0.0.1:0"));
	unsigned total = 0;

	got.counts = true;
	for (unsigned round = 0; round < 60; round++) {
		unsigned dialled = 1 + round % 20, before = got.count;
		int fds[20];

		for (unsigned i = 0; i < dialled; i++)
			fds[i] = dial(listener_addr(listener));
		__atomic_store_n(&got.closed, false, __ATOMIC_RELEASE);
		listener_start(listener, keep, &got);
		if (round % 2)
			CHECK_OK(fiber_yield());
		listener_stop(listener);
		__atomic_store_n(&got.closed, true, __ATOMIC_RELEASE);
		CHECK_INT(listener->under_way, 0);
		__atomic_store_n(&got.closed, false, __ATOMIC_RELEASE);
		listener_start(listener, keep, &got); /* what queued comes now */
		await_count(before + dialled);
		listener_stop(listener);
		__atomic_store_n(&got.closed, true, __ATOMIC_RELEASE);
		total += dialled;
		for (unsigned i = 0; i < dialled; i++)
			close(fds[i]);
	}
	CHECK_INT(got.count, total);
	listener_close(listener);
	close_all();
}

static Err *stop_child(void *arg)
{
	listener_stop(arg);
	return NULL;
}

PLAY(stopping_waits_for_what_is_under_way)
{
	Listener *listener = open_at(a, S("127.0.0.1:0"));
	Child child = { 0 };

	listener_start(listener, keep, &got);
	__atomic_add_fetch(&listener->under_way, 1, __ATOMIC_RELEASE);
	CHECK_OK(child_start(&child, stop_child, listener, "stop"));
	CHECK_OK(fiber_sleep(20 * US_PER_MS));
	CHECK(!child.done);
	__atomic_sub_fetch(&listener->under_way, 1, __ATOMIC_RELEASE);
	CHECK_OK(child_join(&child));
	listener_close(listener);
}

static void refuse(void *arg, int fd, const Addr *peer)
{
	(void)arg, (void)peer;
	close(fd);
	__atomic_add_fetch(&got.count, 1, __ATOMIC_ACQ_REL);
	loop_post(rt_loop(0), wake_waiter, NULL);
}

PLAY(what_is_called_can_be_changed)
{
	Listener *listener = open_at(a, S("127.0.0.1:0"));
	int fd;

	listener_start(listener, keep, NULL);
	listener_start(listener, refuse, &got);
	fd = dial(listener_addr(listener));
	await_count(1);
	CHECK_INT(got.by_loop[0] + got.by_loop[1], 0);
	close(fd);
	listener_close(listener);
	got.count = 0;
}

PLAY(short_of_descriptors_it_pauses_and_goes_on)
{
	Listener *listener = open_at(a, S("127.0.0.1:0"));
	struct rlimit limit, tight;
	int fds[8], spare;
	LoopStats turns;

	for (unsigned i = 0; i < COUNT(fds); i++)
		fds[i] = dial(listener_addr(listener));
	spare = dup(0);
	CHECK_INT(getrlimit(RLIMIT_NOFILE, &limit), 0);
	tight = (struct rlimit){ (rlim_t)spare + 1, limit.rlim_max };
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &tight), 0);
	listener_start(listener, keep, &got);
	while (listen_stats().paused < 2) /* both loops */
		CHECK_OK(fiber_sleep(US_PER_MS));
	CHECK_INT(__atomic_load_n(&got.count, __ATOMIC_ACQUIRE), 0);
	turns = loop_stats(rt_loop(1));
	CHECK_OK(fiber_sleep(30 * US_PER_MS));
	CHECK(loop_stats(rt_loop(1)).turns - turns.turns < 5); /* it does not spin */
	close(spare);
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &limit), 0);
	await_count(COUNT(fds));
	for (unsigned i = 0; i < COUNT(fds); i++)
		close(fds[i]);
	listener_close(listener);
	close_all();
}

static void end_one(void *arg)
{
	(void)arg;
	listen_count(-1);
}

PLAY(a_connection_that_ends_wakes_a_paused_listener)
{
	Listener *listener = open_at(a, S("127.0.0.1:0"));
	struct rlimit limit, tight;
	int fd = dial(listener_addr(listener)), spare = dup(0);
	int64_t began;

	listen_count(1);
	CHECK_INT(getrlimit(RLIMIT_NOFILE, &limit), 0);
	tight = (struct rlimit){ (rlim_t)spare + 1, limit.rlim_max };
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &tight), 0);
	listener_start(listener, keep, &got);
	while (listen_stats().paused < 2)
		CHECK_OK(fiber_sleep(US_PER_MS));
	close(spare);
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &limit), 0);
	began = loop_now_us();
	loop_each(end_one, NULL);
	await_count(1);
	CHECK(loop_now_us() - began < 60 * US_PER_MS);
	close(fd);
	listener_close(listener);
	close_all();
}

PLAY(addresses_that_cannot_be_had)
{
	Listener *first = open_at(a, S("127.0.0.1:0"));
	Str taken = addr_text(a, listener_addr(first));

	CHECK_ERR(open_error(a, taken), "rt.address_in_use");
	CHECK_ERR(open_error(a, S("203.0.113.1:80")), "rt.bind");
	CHECK_ERR(open_error(a, S("unix:/nosuchfolder/x")), "rt.bind");
	listener_close(first);
	first = open_at(a, taken); /* at once again */
	listener_close(first);
}

PLAY(a_stale_unix_socket_is_replaced_and_nothing_else)
{
	Str text = str_fmt(a, "unix:%s/s.sock", unit_dir());
	const char *path = str_z(a, str_sub(text, 5, text.len));
	Listener *one, *two;
	struct stat st;
	FILE *file;

	umask(077);
	one = open_at(a, text);
	CHECK_INT(stat(path, &st), 0);
	CHECK_INT(st.st_mode & 0777, 0660);
	CHECK_ERR(open_error(a, text), "rt.address_in_use");
	close(one->fd); /* as a crash does it: the file stays */
	one->fd = dup(0);
	two = open_at(a, text);
	listener_close(one); /* must not take the other's file */
	CHECK_INT(stat(path, &st), 0);
	listener_close(two);
	CHECK(stat(path, &st) != 0);
	file = fopen(path, "w");
	CHECK(file != NULL);
	fclose(file);
	CHECK_ERR(open_error(a, text), "rt.address_in_use");
	CHECK_INT(stat(path, &st), 0);
}

PLAY(a_socket_may_be_adopted)
{
	Listener *listener = open_at(a, S("127.0.0.1:0")), *adopted = NULL;
	int fd = dup(listener->fd), dialled, udp = socket(AF_INET, SOCK_DGRAM, 0),
	    tcp = socket(AF_INET, SOCK_STREAM, 0);

	listener_close(listener);
	CHECK_OK(listener_adopt(a, fd, false, &adopted));
	listener_start(adopted, keep, &got);
	dialled = dial(listener_addr(adopted));
	await_count(1);
	close(dialled);
	listener_close(adopted);
	CHECK_ERR(listener_adopt(a, udp, false, &adopted), "rt.bind");
	CHECK_ERR(listener_adopt(a, tcp, false, &adopted), "rt.bind");
	CHECK_ERR(listener_adopt(a, 9999, false, &adopted), "rt.bind");
	close(udp);
	close(tcp);
	close_all();
}

PLAY(a_socket_that_is_left_goes_on_with_the_other)
{
	Str text = str_fmt(a, "unix:%s/left.sock", unit_dir());
	const char *path = str_z(a, str_sub(text, 5, text.len));
	Listener *one = open_at(a, text), *two = NULL;
	struct stat st;
	int fds[3];

	CHECK_OK(listener_adopt(a, dup(listener_fd(one)), true, &two));
	listener_start(one, keep, &got);
	listener_stop(one);
	for (unsigned i = 0; i < COUNT(fds); i++)
		fds[i] = dial(listener_addr(two));
	listener_leave(one);
	CHECK_INT(listener_fd(one), -1);
	CHECK_INT(__atomic_load_n(&got.count, __ATOMIC_ACQUIRE), 0); /* the queue is the other's */
	listener_start(two, keep, &got);
	await_count(COUNT(fds));
	listener_close(one);
	CHECK_INT(stat(path, &st), 0);
	listener_close(two);
	CHECK(stat(path, &st) != 0);
	for (unsigned i = 0; i < COUNT(fds); i++)
		close(fds[i]);
	close_all();
}

PLAY(what_waits_at_the_end_is_spread_too)
{
	Listener *listener = open_at(a, S("127.0.0.1:0"));
	int fds[40];

	got.counts = true;
	listener_start(listener, keep, &got);
	listener_stop(listener);
	for (unsigned i = 0; i < COUNT(fds); i++)
		fds[i] = dial(listener_addr(listener));
	listener_shut(listener);
	CHECK_INT(__atomic_load_n(&got.count, __ATOMIC_ACQUIRE), COUNT(fds));
	CHECK(got.by_loop[0] >= 15 && got.by_loop[1] >= 15);
	listener_close(listener);
	for (unsigned i = 0; i < COUNT(fds); i++)
		close(fds[i]);
	close_all();
}

TEST(a_loop_is_chosen_when_it_has_clearly_fewer)
{
	static const struct {
		int load[3];
		unsigned mine, want;
	} cases[] = {
		{ { 0, 0, 0 }, 0, 0 },     { { 1, 0, 0 }, 0, 0 },    { { 2, 0, 0 }, 0, 1 },
		{ { 2, 1, 0 }, 0, 2 },     { { 0, 5, 5 }, 0, 0 },    { { 100, 90, 99 }, 0, 0 },
		{ { 100, 87, 99 }, 0, 1 }, { { 16, 14, 14 }, 0, 1 }, { { 1000, 1000, 800 }, 1, 2 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("case %zu", i);
		for (unsigned loop = 0; loop < 3; loop++) {
			loads[loop].count = cases[i].load[loop] / 2;
			loads[loop].coming = cases[i].load[loop] - cases[i].load[loop] / 2;
		}
		CHECK_INT(choose_loop(cases[i].mine, 3), cases[i].want);
	}
}

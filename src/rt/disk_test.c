/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/disk.c"

#include "rt/loop.h"
#include "unit.h"

static Err *in_rt(RtMain *fn, void *arg)
{
	RtConf conf = { .loops = 1, .workers = 1 };

	return rt_run(&conf, fn, arg);
}

static void put(Arena *a, const char *path, size_t bytes)
{
	const char *full = str_z(a, str_fmt(a, "%s/%s", unit_dir(), path));
	FILE *f = fopen(full, "w");

	CHECK(f != NULL);
	for (size_t i = 0; i < bytes; i++)
		fputc('a' + (int)(i % 26), f);
	CHECK_INT(fclose(f), 0);
}

static void at(Arena *a, const char *path, char *into, size_t room)
{
	CHECK(snprintf(into, room, "%s/%s", unit_dir(), path) < (int)room);
	(void)a;
}

static void link_to(Arena *a, const char *target, const char *path)
{
	char full[4096];

	at(a, path, full, sizeof full);
	CHECK_INT(symlink(target, full), 0);
}

static void tree(Arena *a)
{
	static const char *const folders[] = { "in", "in/sub", "inside-not" };
	char full[4096];

	for (size_t i = 0; i < COUNT(folders); i++) {
		at(a, folders[i], full, sizeof full);
		CHECK_INT(mkdir(full, 0755), 0);
	}
	put(a, "in/file", 100);
	put(a, "in/sub/deep", 10);
	put(a, "out", 10);
	put(a, "inside-not/x", 10);
	link_to(a, "sub/deep", "in/link");
	link_to(a, "../in/file", "in/round");
	link_to(a, "../out", "in/up");
	link_to(a, "/etc/passwd", "in/absolute");
	link_to(a, "..", "in/parent");
	link_to(a, "loop", "in/loop");
	link_to(a, "../inside-not", "in/twin");
	at(a, "in/pipe", full, sizeof full);
	CHECK_INT(mkfifo(full, 0644), 0);
}

static Err *open_all(void *arg)
{
	static const struct {
		const char *path;
		int errnum;
		mode_t type;
	} cases[] = {
		{ "file", 0, S_IFREG },      { "sub", 0, S_IFDIR },
		{ ".", 0, S_IFDIR },         { "sub/deep", 0, S_IFREG },
		{ "sub//deep", 0, S_IFREG }, { "sub/../file", 0, S_IFREG },
		{ "link", 0, S_IFREG },      { "pipe", 0, S_IFIFO },
		{ "none", ENOENT, 0 },       { "file/x", ENOTDIR, 0 },
		{ "file/", ENOTDIR, 0 },     { "..", EXDEV, 0 },
		{ "../out", EXDEV, 0 },      { "sub/../../out", EXDEV, 0 },
		{ "up", EXDEV, 0 },          { "absolute", EXDEV, 0 },
		{ "parent", EXDEV, 0 },      { "parent/out", EXDEV, 0 },
		{ "twin/x", EXDEV, 0 },      { "/etc/passwd", EXDEV, 0 },
		{ "loop", ELOOP, 0 },
	};
	const char *dir = arg;
	DiskFile folder, file;

	TRY(disk_open_folder(dir, &folder));
	CHECK_INT(folder.errnum, 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%s", cases[i].path);
		TRY(disk_open_below(folder.fd, cases[i].path, &file));
		CHECK_INT(file.errnum, cases[i].errnum);
		CHECK_INT(file.fd >= 0, !cases[i].errnum);
		if (file.fd < 0)
			continue;
		CHECK_INT(file.st.st_mode & S_IFMT, cases[i].type);
		close(file.fd);
	}
	close(folder.fd);
	TRY(disk_open_folder("/none/such", &folder));
	CHECK_INT(folder.errnum, ENOENT);
	return NULL;
}

static const char *dir_in(Arena *a)
{
	return str_z(a, str_fmt(a, "%s/in", unit_dir()));
}

TEST(nothing_outside_a_folder_is_opened)
{
	tree(a);
	CHECK_OK(in_rt(open_all, (void *)(uintptr_t)dir_in(a)));
	CHECK(disk_stats().at_once > 0 || kernel.no_cached || kernel.no_openat2);
}

TEST(nor_without_the_cached_walk)
{
	tree(a);
	kernel.no_cached = true;
	CHECK_OK(in_rt(open_all, (void *)(uintptr_t)dir_in(a)));
	CHECK_INT(disk_stats().at_once, 0);
}

TEST(nor_on_a_kernel_that_cannot_open_below)
{
	tree(a);
	kernel.no_openat2 = true;
	CHECK_OK(in_rt(open_all, (void *)(uintptr_t)dir_in(a)));
	CHECK_INT(disk_stats().at_once, 0);
}

static Err *read_all(void *arg)
{
	const char *dir = arg;
	DiskFile folder, file;
	char bytes[64];
	size_t got;

	TRY(disk_open_folder(dir, &folder));
	TRY(disk_open_below(folder.fd, "file", &file));
	CHECK_INT(file.st.st_size, 100);
	TRY(disk_read(file.fd, bytes, sizeof bytes, 26, &got));
	CHECK_INT(got, 64);
	CHECK_STR(((Str){ bytes, 3 }), S("abc"));
	TRY(disk_read(file.fd, bytes, sizeof bytes, 90, &got));
	CHECK_INT(got, 10);
	TRY(disk_read(file.fd, bytes, sizeof bytes, 100, &got));
	CHECK_INT(got, 0);
	TRY(disk_warm(file.fd, 0, 100));
	TRY(disk_warm(file.fd, 50, 1000)); /* beyond its end */
	TRY(disk_warm(file.fd, 0, 0));
	close(file.fd);
	CHECK_ERR(disk_read(folder.fd, bytes, sizeof bytes, 0, &got), "rt.disk");
	close(folder.fd);
	return NULL;
}

TEST(bytes_come_from_where_they_were_asked)
{
	tree(a);
	CHECK_OK(in_rt(read_all, (void *)(uintptr_t)dir_in(a)));
}

/* What the system wrote back and forgot. */
static bool chill(int fd)
{
	char byte;
	struct iovec part = { &byte, 1 };

	CHECK_INT(fsync(fd), 0);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	return preadv2(fd, &part, 1, 0, RWF_NOWAIT) < 0 && errno == EAGAIN;
}

static Err *read_cold(void *arg)
{
	DiskFile file = { .fd = open(arg, O_RDWR | O_CLOEXEC) };
	uint64_t fetched = disk_stats().fetched;
	bool cold = chill(file.fd);
	char byte;
	size_t got;

	TRY(disk_read(file.fd, &byte, 1, 26, &got));
	CHECK_INT(disk_stats().fetched - fetched, cold);
	CHECK(got == 1 && byte == 'a');
	cold = chill(file.fd);
	TRY(disk_warm(file.fd, 0, 300 << 10));
	CHECK(!cold || disk_stats().fetched - fetched == 2);
	TRY(disk_warm(file.fd, 0, 300 << 10));
	CHECK(!cold || disk_stats().fetched - fetched == 2);
	close(file.fd);
	return NULL;
}

TEST(what_is_on_the_disk_is_fetched_by_a_worker_once)
{
	put(a, "cold", 300 << 10);
	CHECK_OK(in_rt(read_cold, (void *)(uintptr_t)str_z(a, str_fmt(a, "%s/cold", unit_dir()))));
}

static Err *read_memory(void *arg)
{
	DiskFile folder, file;
	char byte;
	size_t got;
	uint64_t fetched = disk_stats().fetched;
	(void)arg;

	TRY(disk_open_folder("/dev/shm", &folder));
	file.fd = openat(folder.fd, "unit-disk", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CHECK(file.fd >= 0 && write(file.fd, "x", 1) == 1);
	TRY(disk_read(file.fd, &byte, 1, 0, &got));
	unlinkat(folder.fd, "unit-disk", 0);
	close(file.fd);
	close(folder.fd);
	CHECK_INT(got, 1);
	CHECK_INT(disk_stats().fetched, fetched);
	return NULL;
}

TEST(what_is_memory_is_read_at_once)
{
	CHECK_OK(in_rt(read_memory, NULL));
}

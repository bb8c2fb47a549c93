/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/files_cache.c"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

static const char *place(Arena *a, const char *path)
{
	return str_z(a, str_fmt(a, "%s/%s", unit_dir(), path));
}

static void put(Arena *a, const char *path, const char *text, int64_t modified_s)
{
	struct timespec times[2] = { { modified_s, 0 }, { modified_s, 0 } };
	const char *at = place(a, path), *fresh = place(a, "fresh");
	FILE *f = fopen(fresh, "w");

	CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0);
	CHECK_INT(utimensat(AT_FDCWD, fresh, times, 0), 0);
	CHECK_INT(rename(fresh, at), 0);
}

static void put_large(Arena *a, const char *path, size_t bytes)
{
	const char *at = place(a, path);
	FILE *f = fopen(at, "w");

	CHECK(f != NULL);
	for (size_t i = 0; i < bytes; i++)
		fputc('x', f);
	CHECK_INT(fclose(f), 0);
}

/* A second goes by for all that is kept. */
static void grow_old(void)
{
	LIST_EACH (&own->recent, Entry, node, e)
		e->asked_us -= FILES_FRESH_US;
	LIST_EACH (&own->all_folders, Folder, node, f)
		f->asked_us -= FILES_FRESH_US;
}

/* Counted, as long as nobody calls file_unref. */
static FileKind look_at(Arena *a, const char *path, bool keep, File **out)
{
	Arena *request = arena_new(0);
	const File *file;
	FileKind kind;

	CHECK_OK(files_look(request, str_fmt(a, "%s/dir", unit_dir()), str_of(path), keep, &kind,
	                    &file));
	*out = (File *)(uintptr_t)file;
	if (file)
		((Kept *)*out)->refs++;
	arena_free(request);
	return kind;
}

static void file_unref(File *file)
{
	kept_unref((Kept *)file);
}

typedef struct Play {
	Arena *a;
	void (*run)(Arena *a);
} Play;

static Err *play_main(void *arg)
{
	const Play *play = arg;

	play->run(play->a);
	files_forget();
	return NULL;
}

static void play(Arena *a, void (*run)(Arena *a))
{
	RtConf conf = { .loops = 1, .workers = 1 };

	CHECK_INT(mkdir(place(a, "dir"), 0755), 0);
	CHECK_OK(rt_run(&conf, play_main, &(Play){ a, run }));
	for (size_t i = 0; i <= COUNT_BYTES; i++)
		CHECK_INT(metric_value(cells[i]), 0);
}

static void see_what_there_is(Arena *a)
{
	File *file;

	put(a, "dir/page.html", "hello", 1600000000);
	CHECK_INT(mkdir(place(a, "dir/sub"), 0755), 0);
	put_large(a, "dir/large.bin", FILES_SMALL_BYTES + 1);
	put_large(a, "dir/edge.bin", FILES_SMALL_BYTES);
	put(a, "dir/empty.txt", "", 1600000000);
	CHECK_INT(mkfifo(place(a, "dir/pipe"), 0644), 0);

	CHECK_INT(look_at(a, "page.html", false, &file), FILE_REGULAR);
	CHECK_STR(file->content, S("hello"));
	CHECK_STR(file->etag, S("\"5f5e1000-5\""));
	CHECK_STR(file->modified, S("Sun, 13 Sep 2020 12:26:40 GMT"));
	CHECK_STR(file->type.type, S("text/html; charset=utf-8"));
	CHECK_INT(file->fd, -1);
	CHECK_INT(file->modified_s, 1600000000);
	file_unref(file);

	CHECK_INT(look_at(a, "large.bin", false, &file), FILE_REGULAR);
	CHECK(file->fd >= 0 && !file->content.at);
	CHECK(str_starts(file->etag, S("W/\""))); /* written a moment ago */
	CHECK_INT(metric_value(cells[COUNT_OPEN]), 1);
	file_unref(file);
	CHECK_INT(look_at(a, "edge.bin", false, &file), FILE_REGULAR);
	CHECK_INT(file->content.len, FILES_SMALL_BYTES);
	file_unref(file);
	CHECK_INT(look_at(a, "empty.txt", false, &file), FILE_REGULAR);
	CHECK_INT(file->size, 0);
	CHECK_INT(file->fd, -1);
	file_unref(file);

	CHECK_INT(look_at(a, "sub", false, &file), FILE_FOLDER);
	CHECK_INT(look_at(a, ".", false, &file), FILE_FOLDER);
	CHECK_INT(look_at(a, "pipe", false, &file), FILE_NONE);
	CHECK_INT(look_at(a, "none", false, &file), FILE_NONE);
	CHECK_INT(look_at(a, "page.html/x", false, &file), FILE_NONE);
	CHECK_INT(look_at(a, "../fresh", false, &file), FILE_NONE);
	CHECK_NULL(file);
}

TEST(what_stands_at_a_path)
{
	play(a, see_what_there_is);
}

static void see_changes(Arena *a)
{
	File *first, *again, *other;

	put(a, "dir/x", "one", 1600000000);
	look_at(a, "x", false, &first);
	put(a, "dir/x", "two", 1600000001);
	look_at(a, "x", false, &again);
	CHECK(again == first); /* believed for a second */
	CHECK_INT(metric_value(cells[COUNT_MISSES]), 1);
	grow_old();
	look_at(a, "x", false, &other);
	CHECK(other != first);
	CHECK_STR(other->content, S("two"));
	CHECK_STR(first->content, S("one")); /* as long as somebody has it */
	file_unref(first);
	file_unref(again);
	grow_old();
	look_at(a, "x", false, &again);
	CHECK(again == other); /* the very same file: nothing is read again */
	file_unref(again);
	file_unref(other);

	CHECK_INT(unlink(place(a, "dir/x")), 0);
	grow_old();
	CHECK_INT(look_at(a, "x", false, &other), FILE_NONE);
	CHECK_INT(own->entries.count, 0);
}

TEST(changes_are_seen_after_a_second)
{
	play(a, see_changes);
}

static void see_other_folder(Arena *a)
{
	File *file;

	CHECK_INT(mkdir(place(a, "other"), 0755), 0);
	put(a, "other/x", "other", 1600000000);
	put(a, "dir/x", "this", 1600000000);
	look_at(a, "x", false, &file);
	file_unref(file);
	CHECK_INT(rename(place(a, "dir"), place(a, "old")), 0);
	CHECK_INT(symlink("other", place(a, "dir")), 0);
	grow_old();
	look_at(a, "x", false, &file);
	CHECK_STR(file->content, S("other"));
	file_unref(file);
	CHECK_INT(unlink(place(a, "dir")), 0);
	grow_old();
	CHECK_INT(look_at(a, "x", false, &file), FILE_NONE);
	CHECK_INT(own->open, 0);
}

TEST(a_folder_that_another_took_the_place_of)
{
	play(a, see_other_folder);
}

static void keep_nothing(Arena *a)
{
	File *file;

	CHECK_INT(look_at(a, "x.br", true, &file), FILE_NONE);
	CHECK_INT(look_at(a, "x.br", true, &file), FILE_NONE);
	CHECK_INT(metric_value(cells[COUNT_HITS]), 1);
	CHECK_INT(look_at(a, "y", false, &file), FILE_NONE);
	CHECK_INT(look_at(a, "y", false, &file), FILE_NONE);
	CHECK_INT(metric_value(cells[COUNT_HITS]), 1);
	CHECK_INT(own->entries.count, 1);
}

TEST(what_is_not_there_is_kept_only_when_asked)
{
	play(a, keep_nothing);
}

static void keep_too_many(Arena *a)
{
	File *file;

	put_large(a, "dir/large", FILES_SMALL_BYTES + 1);
	for (int i = 0; i < FILES_KEPT_OPEN + 10; i++) {
		char name[24];

		snprintf(name, sizeof name, "dir/link-%d", i);
		CHECK_INT(symlink("large", place(a, name)), 0);
		look_at(a, name + 4, false, &file);
		file_unref(file);
		look_at(a, "link-0", false, &file); /* in use all the time */
		file_unref(file);
	}
	CHECK_INT(own->open, FILES_KEPT_OPEN);
	CHECK_INT(metric_value(cells[COUNT_OPEN]), FILES_KEPT_OPEN);
	CHECK(map_get(&own->entries, str_fmt(a, "%s/dir%clink-0", unit_dir(), 0)) != NULL);
	CHECK(!map_get(&own->entries, str_fmt(a, "%s/dir%clink-1", unit_dir(), 0)));
	for (int i = 0; i < FILES_KEPT + 10; i++) {
		char name[24];

		snprintf(name, sizeof name, "none-%d", i);
		look_at(a, name, true, &file);
	}
	CHECK_INT(own->entries.count, FILES_KEPT);
	CHECK_INT(metric_value(cells[COUNT_KEPT]), FILES_KEPT);
}

TEST(what_is_kept_is_bounded)
{
	play(a, keep_too_many);
}

static void fall_asleep(Arena *a)
{
	File *file;

	put(a, "dir/x", "one", 1600000000);
	look_at(a, "x", false, &file);
	file_unref(file);
	CHECK(own->sweep.at_us != INT64_MAX);
	sweep(&own->sweep);
	CHECK_INT(own->entries.count, 1);
	LIST_EACH (&own->recent, Entry, node, e)
		e->used_us -= FILES_IDLE_US;
	LIST_EACH (&own->all_folders, Folder, node, f)
		f->asked_us -= FILES_IDLE_US;
	timer_clear(&own->sweep);
	sweep(&own->sweep);
	CHECK_INT(own->entries.count, 0);
	CHECK_INT(own->folders.count, 0);
	CHECK(own->sweep.at_us == INT64_MAX); /* nothing wakes up for nothing */
}

TEST(what_nobody_uses_is_given_up)
{
	play(a, fall_asleep);
}

TEST(what_the_system_says_of_a_path)
{
	static const struct {
		int errnum;
		FileKind kind;
		const char *slug; /* NULL: none */
	} cases[] = {
		{ ENOENT, FILE_NONE, NULL },
		{ ENOTDIR, FILE_NONE, NULL },
		{ EXDEV, FILE_NONE, NULL },
		{ ELOOP, FILE_NONE, NULL },
		{ ENAMETOOLONG, FILE_NONE, NULL },
		{ EACCES, FILE_DENIED, NULL },
		{ EPERM, FILE_DENIED, NULL },
		{ EMFILE, FILE_NONE, "rt.too_many_files" },
		{ ENFILE, FILE_NONE, "rt.too_many_files" },
		{ EIO, FILE_NONE, "rt.disk" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%d", cases[i].errnum);
		CHECK_INT(kind_of(&(DiskFile){ .fd = -1, .errnum = cases[i].errnum }),
		          cases[i].kind);
		CHECK_ERR(trouble(cases[i].errnum), cases[i].slug);
	}
}

TEST(metrics_are_in_order)
{
	for (size_t i = 0; i < COUNT(families); i++)
		CHECK_STR(metric_family_mistake(a, &families[i]), S(""));
}

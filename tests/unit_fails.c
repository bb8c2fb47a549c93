/* SPDX-License-Identifier: Apache-2.0
 *
 * One test for each way in which a test can fail, and one that does not. scripts/self-test
 * runs them to see that unit.c finds each; they are no part of the unit suite. */
#include "unit.h"

#include "base/err.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void *check_false(void *unused)
{
	(void)unused;
	CHECK(1 == 2);
	return NULL;
}

TEST(good)
{
	struct stat st;

	CHECK(a != NULL);
	CHECK_INT(-1, -1);
	CHECK_STR(S("a\0b"), S("a\0b"));
	CHECK_STR(S(""), ((Str){ NULL, 0 }));
	CHECK_NEAR(0.1 + 0.2, 0.3, 1e-9);
	CHECK_NULL(NULL);
	CHECK_OK(NULL);
	CHECK_ERR(err_new(a, ERR_BUSY, "a.slug", "a text"), "a.slug");
	CHECK(stat(unit_dir(), &st) == 0 && S_ISDIR(st.st_mode));
}

TEST(bad_check)
{
	NOTE("row %d", 3);
	CHECK(1 == 2);
}

TEST(bad_int)
{
	CHECK_INT(-1, 2);
}

TEST(bad_str)
{
	CHECK_STR(S("a\n\x01"), S("a"));
}

TEST(bad_near)
{
	CHECK_NEAR(0.0 / 0.0, 1.0, 1e9);
}

TEST(bad_ok)
{
	Err *why = err_new(a, ERR_IO, "disk.full", "the disk was full");

	CHECK_OK(err_because(a, why, ERR_INTERNAL, "store.failed", "the row was not stored"));
}

TEST(bad_err)
{
	CHECK_ERR(err_new(a, ERR_BUSY, "a.slug", "a text"), "another.slug");
}

TEST(bad_no_err)
{
	CHECK_ERR(NULL, "a.slug");
}

TEST(bad_in_a_thread)
{
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, check_false, NULL) == 0);
	pthread_join(thread, NULL);
}

TEST(bad_crash)
{
	abort();
}

TEST(bad_leak)
{
	static char *volatile kept;

	kept = malloc(10);
	CHECK(kept != NULL);
	kept = NULL;
}

TEST(bad_overflow)
{
	volatile int n = 2147483647;

	n++;
}

TEST(bad_read)
{
	volatile char *bytes = calloc(1, 10);
	char c = bytes[10];

	free((void *)bytes);
	CHECK(c == 0);
}

TEST(bad_hang)
{
	sleep(60);
}

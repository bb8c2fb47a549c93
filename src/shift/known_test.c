/* SPDX-License-Identifier: Apache-2.0 */
#include "shift/known.c"

#include "base/file.h"
#include "unit.h"

#include <sys/stat.h>

static Known known_of(KnownSubject *at, size_t count)
{
	return (Known){ .store = S("0123456789abcdef"),
		        .at_us = 17,
		        .has_key = true,
		        .key = { 1, UINT64_C(0xfedcba9876543210) },
		        .at = at,
		        .count = count };
}

static Str text_of(Arena *a, const Known *known)
{
	AUTO(buf_fini) Buf b = { 0 };

	CHECK_OK(known_put(&b, known));
	return str_dup(a, buf_str(&b));
}

TEST(known_is_read_as_it_was_written)
{
	KnownSubject subjects[] = {
		{ .name = S("users"),
		  .state = { .revision = 7,
		             .phase = SHIFT_CANARY,
		             .share_ppm = 50000,
		             .salt = 9 } },
		{ .name = S("upstream:shop"),
		  .state = { .revision = 1 },
		  .halted = true,
		  .line = S("tea"),
		  .by = S("ann") },
	};
	Known known = known_of(subjects, COUNT(subjects)), read;

	CHECK_OK(known_read(a, text_of(a, &known), &read));
	CHECK_STR(read.store, known.store);
	CHECK_INT(read.at_us, 17);
	CHECK(read.has_key && read.key[0] == 1 && read.key[1] == known.key[1]);
	CHECK_INT(read.count, 2);
	CHECK_STR(read.at[0].name, S("users"));
	CHECK_INT(read.at[0].state.revision, 7);
	CHECK_INT(read.at[0].state.share_ppm, 50000);
	CHECK(!read.at[0].halted && read.at[1].halted);
	CHECK_STR(read.at[1].line, S("tea"));
	CHECK_STR(read.at[1].by, S("ann"));
	known.has_key = false;
	CHECK_OK(known_read(a, text_of(a, &known), &read));
	CHECK(!read.has_key);
}

TEST(known_that_is_not_whole_is_refused)
{
	KnownSubject one = { .name = S("users"), .state = { .revision = 7 } };
	Known known = known_of(&one, 1), read;
	Str text = text_of(a, &known);

	for (size_t len = 0; len < text.len; len++)
		CHECK_ERR(known_read(a, str_sub(text, 0, len), &read), "shift.known");
	for (size_t i = 0; i < text.len; i++) {
		char *bytes = (char *)(uintptr_t)str_dup(a, text).at;

		bytes[i] ^= 4;
		CHECK_ERR(known_read(a, (Str){ bytes, text.len }, &read), "shift.known");
	}
}

TEST(known_that_is_none_is_refused)
{
	static const Str bodies[] = {
		S("[]"),
		S("{}"),
		S("{\"store\":\"x\",\"at_us\":1}"),
		S("{\"store\":\"x\",\"at_us\":1,\"subjects\":[{}]}"),
		S("{\"store\":\"x\",\"at_us\":1,\"subjects\":[{\"name\":\"a\",\"revision\":-1,\"state\":{}}]}"),
	};
	Known read;

	for (size_t i = 0; i < COUNT(bodies); i++)
		CHECK_ERR(known_read(a,
		                     str_fmt(a, HEAD "%016" PRIx64 "\n%.*s", sum_of(bodies[i]),
		                             STR_ARG(bodies[i])),
		                     &read),
		          "shift.known");
}

TEST(known_store_is_the_place_and_not_who_asks)
{
	static const struct {
		Str x, y;
		bool same;
	} cases[] = {
		{ S("postgresql://ann:one@db:5432/shift?sslmode=require"),
		  S("postgresql://bob@db:5432/shift"), true },
		{ S("redis://:secret@cache/1"), S("redis://cache/1"), true },
		{ S("redis://cache/1"), S("redis://cache/2"), false },
		{ S("redis://cache/1"), S("postgresql://cache/1"), false },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK(str_eq(known_store(a, cases[i].x), known_store(a, cases[i].y)) ==
		      cases[i].same);
}

TEST(known_file_is_whole_and_its_owner_s)
{
	Str path = str_fmt(a, "%s/copy", unit_dir()), text;
	struct stat st;

	CHECK_OK(known_store_file(a, path, S("one")));
	CHECK_OK(known_store_file(a, path, S("two")));
	CHECK_OK(file_read(a, path, 0, &text));
	CHECK_STR(text, S("two"));
	CHECK_INT(stat(str_z(a, path), &st), 0);
	CHECK_INT(st.st_mode & 0777, 0600);
	CHECK_ERR(known_store_file(a, S("/proc/nowhere/copy"), S("x")), "shift.known");
}

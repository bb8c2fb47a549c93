/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.c"

#include "unit.h"

TEST(arena_gives_zeroed_aligned_memory)
{
	for (size_t bytes = 0; bytes < 70; bytes++) {
		unsigned char *at = arena_alloc(a, bytes);

		CHECK_INT((uintptr_t)at % 16, 0);
		for (size_t i = 0; i < bytes; i++)
			CHECK_INT(at[i], 0);
		memset(at, 0xff, bytes);
	}
}

TEST(arena_pieces_do_not_touch)
{
	unsigned char *pieces[300];

	for (size_t i = 0; i < COUNT(pieces); i++) {
		pieces[i] = arena_alloc(a, 1 + i * 7 % 900);
		memset(pieces[i], (int)(i & 0xff), 1 + i * 7 % 900);
	}
	for (size_t i = 0; i < COUNT(pieces); i++)
		for (size_t k = 0; k < 1 + i * 7 % 900; k++)
			CHECK_INT(pieces[i][k], i & 0xff);
}

TEST(arena_past_its_limit_is_spent_and_goes_on)
{
	Arena *small = arena_new(1000);

	arena_alloc(small, 500);
	CHECK(!arena_spent(small));
	arena_alloc(small, 600);
	CHECK(arena_spent(small));
	memset(arena_alloc(small, 100000), 1, 100000);
	CHECK(arena_spent(small));
	arena_clear(small);
	CHECK(!arena_spent(small));
	CHECK_INT(arena_used(small), 0);
	arena_free(small);
	(void)a;
}

TEST(arena_counts_what_it_gave)
{
	size_t before = arena_used(a);

	arena_alloc(a, 100);
	CHECK_INT(arena_used(a) - before, 112);
	arena_alloc(a, 100000);
	CHECK_INT(arena_used(a) - before, 112 + 100000);
}

TEST(arena_reset_goes_back_to_the_mark)
{
	Mark mark;
	char *before = arena_alloc(a, 16);
	size_t used;
	char *first;

	memcpy(before, "0123456789abcde", 16);
	mark = arena_mark(a);
	used = arena_used(a);
	first = arena_alloc(a, 32);
	memset(arena_alloc(a, 300000), 1, 300000);
	arena_reset(a, mark);
	CHECK_INT(arena_used(a), used);
	CHECK_STR(str_of(before), S("0123456789abcde"));
	CHECK(arena_alloc(a, 32) == (void *)first);
}

typedef struct Trace {
	char text[8];
	size_t len;
} Trace;

typedef struct Step {
	Trace *trace;
	char letter;
} Step;

static void leave(void *arg)
{
	Step *step = arg;

	step->trace->text[step->trace->len++] = step->letter;
}

TEST(arena_runs_what_was_deferred_last_first_and_once)
{
	Arena *inner = arena_new(0);
	Trace trace = { 0 };
	Step steps[] = { { &trace, 'a' }, { &trace, 'b' }, { &trace, 'c' } };

	arena_defer(inner, leave, &steps[0]);
	arena_defer(inner, leave, &steps[1]);
	arena_clear(inner);
	CHECK_STR(((Str){ trace.text, trace.len }), S("ba"));
	arena_defer(inner, leave, &steps[2]);
	arena_freep(&inner);
	CHECK_NULL(inner);
	CHECK_STR(((Str){ trace.text, trace.len }), S("bac"));
	arena_free(NULL);
	(void)a;
}

/* A transaction that is run again has read its JSON twice: the first one's is given back, and nobody calls into what is written over it. */
TEST(arena_reset_runs_what_was_deferred_since)
{
	static const size_t sizes[] = { 16, 100000 };

	(void)a;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		AUTO(arena_freep) Arena *own = arena_new(0);
		Trace trace = { 0 };
		Step steps[] = { { &trace, 'a' }, { &trace, 'b' }, { &trace, 'c' } };
		Mark mark;

		arena_defer(own, leave, &steps[0]);
		mark = arena_mark(own);
		arena_alloc(own, sizes[i]);
		arena_defer(own, leave, &steps[1]);
		arena_defer(own, leave, &steps[2]);
		arena_reset(own, mark);
		CHECK_STR(((Str){ trace.text, trace.len }), S("cb"));
		memset(arena_alloc_raw(own, 4096), 0xff, 4096);
		arena_clear(own);
		CHECK_STR(((Str){ trace.text, trace.len }), S("cba"));
	}
}

TEST(arena_is_as_new_after_many_lives)
{
	for (int i = 0; i < 200; i++) {
		Arena *request = arena_new(4096);
		unsigned char *at = arena_alloc(request, 64);

		CHECK_INT(at[0] | at[63], 0);
		memset(at, 0xee, 64);
		CHECK(!arena_spent(request));
		arena_free(request);
	}
	(void)a;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/jq_run.c"

#include "base/sanitize.h"
#include "jq_process.h"
#include "unit.h"

static const JqLimits limits = { .time_us = 300000, .memory = 64 << 20, .out = 1000 };

static Err *with_rt(RtMain *fn)
{
	RtConf conf = { .loops = 1, .workers = 2 };

	return rt_run(&conf, fn, NULL);
}

/* --- what filters give ---------------------------------------------------------------------------------------------- */

typedef struct Run {
	Str filter, json;
	const char *slug; /* NULL: it gives `want` */
	Str want;         /* else what the sentence has */
} Run;

static const Run runs[] = {
	{ S("."), S("{\"b\": 1, \"a\": [1.5, null]}"), NULL, S("{\"b\":1,\"a\":[1.5,null]}") },
	{ S(".a"), S("{\"a\": \"x\"}"), NULL, S("\"x\"") },
	{ S(".a"), S("{}"), NULL, S("null") },
	{ S("$ENV | length"), S("1"), NULL, S("0") },
	{ S(".a.b"), S("{\"a\": \"x\"}"), "rt.jq_refused", S("Cannot index string with") },
	{ S("error({no: 1})"), S("1"), "rt.jq_refused", S("{\"no\":1}") },
	{ S("error(\"a\" * 5000)"), S("1"), "rt.jq_refused", S("aaaa") },
	{ S("empty"), S("1"), "rt.jq_refused", S("it gave no value") },
	{ S(".[]"), S("[1, 2]"), "rt.jq_refused", S("more than one value") },
	{ S(".[0], error(\"late\")"), S("[1, 2]"), "rt.jq_refused", S("late") },
	{ S("."), S("{\"a\":"), "rt.jq_refused", S("Unfinished JSON term") },
	{ S("."), S(""), "rt.jq_refused", S("") },
	{ S("[range(1000)]"), S("1"), "rt.jq_out", S("more than 1000 bytes") },
	{ S("last(range(1e12))"), S("1"), "rt.jq_time", S("more than 300 ms") },
	{ S("def f: f; f"), S("1"), "rt.jq_time", S("more than 300 ms") },
	{ S(".[300000000] = 1 | length"), S("[]"), "rt.jq_memory", S("65536 KiB") },
	{ S("."), S("[2]"), NULL, S("[2]") }, /* after all that */
};

static bool has_text(Arena *a, const Err *err, Str text)
{
	return str_find(err_chain(a, err), text) >= 0;
}

static void run_row(const Run *row)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Str out = { 0 };
	Err *err = jq_run(a, row->filter, &limits, row->json, &out);

	NOTE("%.*s", STR_ARG(row->filter));
	if (row->slug) {
		CHECK_ERR(err, row->slug);
		CHECK(has_text(a, err, row->want));
		CHECK(err->text.len <= 400);
		return;
	}
	CHECK_OK(err);
	CHECK_STR(out, row->want);
}

/* ThreadSanitizer hands a signal over only when the program calls into the C library, which a filter that grows does not. */
static bool is_for_the_timer(const Run *row)
{
	return SANITIZE_THREAD && row->slug && !strcmp(row->slug, "rt.jq_memory");
}

static Err *run_all(void *arg)
{
	(void)arg;
	for (size_t i = 0; i < COUNT(runs); i++)
		if (!is_for_the_timer(&runs[i]))
			run_row(&runs[i]);
	CHECK_INT(lanes_here->count,
	          1); /* one after another, so one process was enough at a time */
	return NULL;
}

TEST(filters_give_a_value_or_say_why_not)
{
	CHECK_OK(with_rt(run_all));
}

/* --- processes ------------------------------------------------------------------------------------------------------ */

static pid_t first_pid(void)
{
	return CONTAINER(list_first(&lanes_here->free), Lane, node)->pid;
}

/* libjq 1.6 answers some things with abort(), and machines kill what is large. */
static Err *lose_one(void *arg)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	pid_t pid;
	Str out;
	(void)arg;

	CHECK_OK(jq_run(a, S("."), &limits, S("1"), &out));
	pid = first_pid();
	CHECK_OK(jq_run(a, S(". + 1"), &limits, S("1"), &out));
	CHECK_INT(first_pid(), pid); /* it was taken again */
	CHECK(kill(pid, SIGABRT) == 0);
	CHECK_ERR(jq_run(a, S("last(range(1e12))"), &limits, S("1"), &out), "rt.jq_lost");
	CHECK_OK(jq_run(a, S("."), &limits, S("[3]"), &out));
	CHECK_STR(out, S("[3]"));
	CHECK(first_pid() != pid);
	CHECK(kill(pid, 0) != 0); /* nobody's zombie */
	return NULL;
}

TEST(a_process_that_falls_costs_one_answer)
{
	CHECK_OK(with_rt(lose_one));
}

typedef struct Crowd {
	unsigned answered, refused;
} Crowd;

static Err *ask_once(void *arg)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Crowd *crowd = arg;
	Str out;

	TRY(jq_run(a, S("[range(.)] | length"), &limits, S("1000"), &out));
	CHECK_STR(out, S("1000"));
	crowd->answered++;
	return NULL;
}

static Err *ask_at_once(void *arg)
{
	Crowd crowd = { 0 };
	Child children[12] = { 0 };
	(void)arg;

	for (size_t i = 0; i < COUNT(children); i++)
		TRY(child_start(&children[i], ask_once, &crowd, "asks"));
	for (size_t i = 0; i < COUNT(children); i++)
		TRY(child_join(&children[i]));
	CHECK_INT(crowd.answered, 12);
	CHECK_INT(lanes_here->count, LANES);
	return NULL;
}

TEST(no_more_processes_than_a_loop_may_have)
{
	CHECK_OK(with_rt(ask_at_once));
}

/* Reloads bring new filters; the process does not keep them for ever. */
static Err *use_up_slots(void *arg)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	pid_t pid;
	Str out;
	(void)arg;

	CHECK_OK(jq_warm(a, S("0")));
	pid = first_pid();
	CONTAINER(list_first(&lanes_here->free), Lane, node)->count = JQ_FILTERS;
	for (uint32_t i = 1; i < JQ_FILTERS; i++)
		CONTAINER(list_first(&lanes_here->free), Lane, node)->filters[i] =
			keep_text(S("x"));
	CHECK_OK(jq_run(a, S("7"), &limits, S("1"), &out));
	CHECK_STR(out, S("7"));
	CHECK(first_pid() != pid);
	CHECK_INT(lanes_here->count, 1);
	return NULL;
}

TEST(a_process_full_of_filters_makes_place_for_a_new_one)
{
	CHECK_OK(with_rt(use_up_slots));
}

TEST(a_mistake_is_named_in_the_compilers_words)
{
	Err *err = jq_check(a, S("{a: .b"));

	CHECK_OK(jq_check(a, S("{a: .b}")));
	CHECK_ERR(err, "rt.jq");
	CHECK(str_find(err->text, S("syntax error, unexpected")) >= 0);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * PCRE2 with a leash. The step limit bounds what one match may cost (well below a millisecond, whatever the expression), the
 * JIT's stack and what a match writes belong to the thread, not to the fiber, and are made at its first match. Where no
 * memory may be both written and run (MemoryDenyWriteExecute of systemd) there is no JIT, and the interpreter does the same,
 * some ten times slower. */
#include "gateway/route_regex.h"

#include "base/arena.h"
#include "base/log.h"
#include "gateway/route.h"

#include <pthread.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum { HEAP_KIB = 1024, JIT_STACK_FIRST = 32 << 10, JIT_STACK_MOST = 256 << 10 };

struct RouteRegex {
	pcre2_code *code;
	Str pattern;
};

typedef struct Scratch {
	pcre2_match_context *context;
	pcre2_match_data *data;
	pcre2_jit_stack *stack;
} Scratch;

static uint64_t limits_met;
static pthread_key_t at_exit;
static pthread_once_t at_exit_once = PTHREAD_ONCE_INIT;
static _Thread_local Scratch *own;

static void read_limits(MetricOut *out)
{
	metric_emit(out, NULL, (double)__atomic_load_n(&limits_met, __ATOMIC_RELAXED));
}

static const MetricFamily families[] = {
	{ "banyan_route_expression_limits_total", METRIC_COUNTER, "matches",
	  "Matches of regular expressions that took too many steps and counted as none",
	  .read = read_limits },
};

const MetricFamily *route_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

/* --- of a thread ---------------------------------------------------------------------------------------------------- */

static void scratch_free(void *arg)
{
	Scratch *s = arg;

	pcre2_match_data_free(s->data);
	pcre2_match_context_free(s->context);
	pcre2_jit_stack_free(s->stack);
	free(s);
	own = NULL;
}

static void at_exit_make(void)
{
	if (pthread_key_create(&at_exit, scratch_free) != 0)
		abort();
}

static const Scratch *scratch(void)
{
	if (LIKELY(own != NULL))
		return own;
	pthread_once(&at_exit_once, at_exit_make);
	own = calloc(1, sizeof *own);
	if (!own)
		abort();
	own->context = pcre2_match_context_create(NULL);
	own->data = pcre2_match_data_create(ROUTE_REGEX_GROUPS + 1, NULL);
	own->stack = pcre2_jit_stack_create(JIT_STACK_FIRST, JIT_STACK_MOST, NULL);
	if (!own->context || !own->data)
		abort();
	pcre2_set_match_limit(own->context, ROUTE_REGEX_STEPS);
	pcre2_set_heap_limit(own->context, HEAP_KIB);
	pcre2_jit_stack_assign(own->context, NULL, own->stack);
	pthread_setspecific(at_exit, own);
	return own;
}

/* --- life ----------------------------------------------------------------------------------------------------------- */

static void code_free(void *code)
{
	pcre2_code_free(code);
}

static Err *refuse(Arena *a, Str pattern, const char *why)
{
	return err_new(a, ERR_INVALID, "conf.value", "%.*s: %s", STR_ARG(str_quote(a, pattern)),
	               why);
}

/* *out may have been made when it fails. */
static Err *compile(Arena *a, Str pattern, pcre2_code **out)
{
	uint32_t groups = 0;
	char why[120];
	PCRE2_SIZE at;
	int error;

	*out = pcre2_compile((PCRE2_SPTR)(pattern.at ? pattern.at : ""), pattern.len,
	                     PCRE2_NEVER_BACKSLASH_C, &error, &at, NULL);
	if (!*out) {
		pcre2_get_error_message(error, (PCRE2_UCHAR *)why, sizeof why);
		return err_new(a, ERR_INVALID, "conf.value", "%.*s: %s, at letter %zu",
		               STR_ARG(str_quote(a, pattern)), why, (size_t)at + 1);
	}
	pcre2_pattern_info(*out, PCRE2_INFO_CAPTURECOUNT, &groups);
	if (groups > ROUTE_REGEX_GROUPS)
		return refuse(a, pattern, "it has more than 31 groups: write (?:...) for some");
	return NULL;
}

Err *route_regex_check(Arena *a, Str pattern)
{
	pcre2_code *code;
	Err *err = compile(a, pattern, &code);

	pcre2_code_free(code);
	return err;
}

Err *route_regex_new(Arena *a, Str pattern, const RouteRegex **out)
{
	RouteRegex *re = ARENA_NEW(a, RouteRegex);
	Err *err = compile(a, pattern, &re->code);

	re->pattern = pattern;
	if (re->code)
		arena_defer(a, code_free, re->code);
	if (err)
		return err;
	pcre2_jit_compile(re->code, PCRE2_JIT_COMPLETE); /* without it the interpreter is used */
	*out = re;
	return NULL;
}

Str route_regex_pattern(const RouteRegex *re)
{
	return re->pattern;
}

/* --- matching ------------------------------------------------------------------------------------------------------- */

static bool is_limit(int rc)
{
	return rc == PCRE2_ERROR_MATCHLIMIT || rc == PCRE2_ERROR_HEAPLIMIT ||
	       rc == PCRE2_ERROR_DEPTHLIMIT || rc == PCRE2_ERROR_JIT_STACKLIMIT;
}

static bool match(const RouteRegex *re, Str text)
{
	const Scratch *s = scratch();
	int rc = pcre2_match(re->code, (PCRE2_SPTR)(text.at ? text.at : ""), text.len, 0, 0,
	                     s->data, s->context);

	if (is_limit(rc)) {
		__atomic_add_fetch(&limits_met, 1, __ATOMIC_RELAXED);
		log_warn_limited("the expression %.*s took too many steps and counts as not found",
		                 STR_ARG(re->pattern));
	}
	return rc > 0;
}

bool route_regex_matches(const RouteRegex *re, Str text)
{
	return match(re, text);
}

/* The numbers that a name stands for: [*first, *last] of PCRE2's table; false: none. A number stands for itself. */
static bool numbers_of(const RouteRegex *re, Str name, uint32_t *numbers, size_t *count)
{
	uint32_t groups = 0, names = 0, each = 0;
	PCRE2_SPTR table = NULL;
	uint64_t number;

	*count = 0;
	pcre2_pattern_info(re->code, PCRE2_INFO_CAPTURECOUNT, &groups);
	if (str_to_u64(name, &number)) {
		numbers[(*count)++] = (uint32_t)number;
		return number <= groups;
	}
	pcre2_pattern_info(re->code, PCRE2_INFO_NAMECOUNT, &names);
	pcre2_pattern_info(re->code, PCRE2_INFO_NAMEENTRYSIZE, &each);
	pcre2_pattern_info(re->code, PCRE2_INFO_NAMETABLE, &table);
	for (uint32_t i = 0; i < names; i++, table += each)
		if (*count < ROUTE_REGEX_GROUPS && str_eq(str_of((const char *)table + 2), name))
			numbers[(*count)++] = (uint32_t)(table[0] << 8 | table[1]);
	return *count > 0;
}

bool route_regex_group(const RouteRegex *re, Str text, Str name, Str *value)
{
	uint32_t numbers[ROUTE_REGEX_GROUPS];
	const PCRE2_SIZE *at;
	size_t count;

	if (!numbers_of(re, name, numbers, &count) || !match(re, text))
		return false;
	at = pcre2_get_ovector_pointer(own->data);
	*value = S("");
	for (size_t i = 0; i < count && !value->len; i++) {
		PCRE2_SIZE from = at[(size_t)numbers[i] * 2], to = at[(size_t)numbers[i] * 2 + 1];

		if (from != PCRE2_UNSET && to >= from) /* "\K" may put the start behind the end */
			*value = str_sub(text, from, to);
	}
	return true;
}

bool route_regex_group_name(const RouteRegex *re, uint32_t number, Str *name)
{
	uint32_t groups = 0, names = 0, each = 0;
	PCRE2_SPTR table = NULL;

	pcre2_pattern_info(re->code, PCRE2_INFO_CAPTURECOUNT, &groups);
	pcre2_pattern_info(re->code, PCRE2_INFO_NAMECOUNT, &names);
	pcre2_pattern_info(re->code, PCRE2_INFO_NAMEENTRYSIZE, &each);
	pcre2_pattern_info(re->code, PCRE2_INFO_NAMETABLE, &table);
	*name = S("");
	for (uint32_t i = 0; i < names; i++, table += each)
		if ((uint32_t)(table[0] << 8 | table[1]) == number)
			*name = str_of((const char *)table + 2);
	return number <= groups;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Unit tests: TEST registers itself, CHECK ends the test at the first thing that
 * is not as it should be.
 *
 *     #include "base/path.c"                  the module, statics and all
 *     #include "unit.h"
 *
 *     TEST(path_clean_never_climbs_above_the_root)
 *     {
 *             CHECK_STR(path_clean(a, S("/../etc")), S("/etc"));
 *     }
 *
 * Each test runs in a process of its own with a fresh arena `a`, so a CHECK may
 * stand in any function, fiber or thread, a crash costs one test, and what one
 * test leaves in memory no other test sees. Tests run in the root of the tree. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct UnitCase UnitCase;

struct UnitCase {
	const char *name;
	int line;
	void (*run)(Arena *a);
	UnitCase *next;
};

#define TEST(name_) \
	static void unit_run_##name_(Arena *a); \
	__attribute__((constructor)) static void unit_add_##name_(void) \
	{ \
		static UnitCase test = { #name_, __LINE__, unit_run_##name_, NULL }; \
		unit_add(&test); \
	} \
	static void unit_run_##name_(__attribute__((unused)) Arena *a)

/* Anything true. */
#define CHECK(cond_) \
	do { \
		if (!(cond_)) \
			unit_fail(__FILE__, __LINE__, "%s is false", #cond_); \
	} while (0)

/* Any two integers, compared as 64 bits. */
#define CHECK_INT(got_, want_) \
	unit_check_int(__FILE__, __LINE__, #got_, (intmax_t)(got_), (intmax_t)(want_))

/* Two Str; both are printed with escapes. */
#define CHECK_STR(got_, want_) \
	do { \
		Str unit_got_ = (got_), unit_want_ = (want_); \
		unit_check_str(__FILE__, __LINE__, #got_, STR_ARG(unit_got_), \
		               STR_ARG(unit_want_)); \
	} while (0)

/* Two doubles no further apart than `off_`. */
#define CHECK_NEAR(got_, want_, off_) unit_check_near(__FILE__, __LINE__, #got_, got_, want_, off_)

#define CHECK_NULL(pointer_) \
	do { \
		if ((pointer_) != NULL) \
			unit_fail(__FILE__, __LINE__, "%s is not NULL", #pointer_); \
	} while (0)

/* An Err *: none, or one with this slug. The chain of causes is printed. */
#define CHECK_OK(err_) unit_check_err(__FILE__, __LINE__, #err_, err_, NULL)
#define CHECK_ERR(err_, slug_) unit_check_err(__FILE__, __LINE__, #err_, err_, slug_)

/* Printed with the next failure of this test: which row of a table was at work. */
#define NOTE(...) unit_note(__VA_ARGS__)

/* A new empty directory, removed after the test. */
const char *unit_dir(void);

void unit_add(UnitCase *test);
void unit_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void unit_fail(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void unit_check_int(const char *file, int line, const char *text, intmax_t got, intmax_t want);
void unit_check_str(const char *file, int line, const char *text, int got_len, const char *got,
                    int want_len, const char *want);
void unit_check_near(const char *file, int line, const char *text, double got, double want,
                     double off);
void unit_check_err(const char *file, int line, const char *text, const Err *err, const char *slug);

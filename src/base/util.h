/* SPDX-License-Identifier: Apache-2.0
 *
 * The few macros every file may use. Anything that hides control flow is listed here and nowhere else: TRY (err.h). */
#pragma once
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define MUST_USE __attribute__((warn_unused_result))
#define NONNULL __attribute__((nonnull))
#define RETURNS_NONNULL __attribute__((returns_nonnull))
#define PRINTF(fmt_at, args_at) __attribute__((format(printf, fmt_at, args_at)))
#define UNUSED __attribute__((unused))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Runs fn(&variable) when the variable leaves its scope. The variable must be initialised where it is declared. */
#define AUTO(fn) __attribute__((cleanup(fn), unused))

/* The value of a pointer variable, which becomes NULL: ownership moves, visibly. */
#define TAKE(pointer) \
	({ \
		__auto_type take_ = (pointer); \
		(pointer) = NULL; \
		take_; \
	})

#define MIN(x, y) \
	({ \
		__auto_type min_x_ = (x); \
		__auto_type min_y_ = (y); \
		min_x_ < min_y_ ? min_x_ : min_y_; \
	})
#define MAX(x, y) \
	({ \
		__auto_type max_x_ = (x); \
		__auto_type max_y_ = (y); \
		max_x_ > max_y_ ? max_x_ : max_y_; \
	})

/* The struct of which `pointer` is the field `member`. */
#define CONTAINER(pointer, type, member) \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

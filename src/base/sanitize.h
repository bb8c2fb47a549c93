/* SPDX-License-Identifier: Apache-2.0
 *
 * What the build's sanitizer is told: memory that is parked in a free list, and (rt/fiber.c) that a stack was switched.
 * The only header that asks the compiler which sanitizer is on. */
#pragma once
#include "base/util.h"

#if defined(__has_feature)
#define SANITIZE_HAS(feature) __has_feature(feature)
#else
#define SANITIZE_HAS(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || SANITIZE_HAS(address_sanitizer)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define SANITIZE_ADDRESS 1
#else
#define SANITIZE_ADDRESS 0
#endif

#if defined(__SANITIZE_THREAD__) || SANITIZE_HAS(thread_sanitizer)
#include <sanitizer/tsan_interface.h>
#define SANITIZE_THREAD 1
#else
#define SANITIZE_THREAD 0
#endif

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(low, high) (0)
#define VALGRIND_STACK_DEREGISTER(id) (void)(id)
#endif

/* Around a switch of stacks: begin before it, with where the stack that is left keeps its fake frames (NULL: it ends
 * here) and the stack that is entered; end right after it, on the stack entered. */
static inline void sanitize_switch_begin(void **fake_save, const void *bottom, size_t bytes,
                                         void *tsan_fiber)
{
#if SANITIZE_ADDRESS
	__sanitizer_start_switch_fiber(fake_save, bottom, bytes);
#endif
#if SANITIZE_THREAD
	__tsan_switch_to_fiber(tsan_fiber, 0);
#endif
	(void)fake_save, (void)bottom, (void)bytes, (void)tsan_fiber;
}

static inline void sanitize_switch_end(void *fake, const void **bottom_left, size_t *bytes_left)
{
#if SANITIZE_ADDRESS
	__sanitizer_finish_switch_fiber(fake, bottom_left, bytes_left);
#endif
	(void)fake, (void)bottom_left, (void)bytes_left;
}

static inline void *sanitize_tsan_current(void)
{
#if SANITIZE_THREAD
	return __tsan_get_current_fiber();
#else
	return NULL;
#endif
}

static inline void sanitize_tsan_fiber(void **fiber)
{
#if SANITIZE_THREAD
	if (!*fiber)
		*fiber = __tsan_create_fiber(0);
#endif
	(void)fiber;
}

static inline void sanitize_tsan_fiber_end(void *fiber)
{
#if SANITIZE_THREAD
	if (fiber)
		__tsan_destroy_fiber(fiber);
#endif
	(void)fiber;
}

static inline unsigned sanitize_valgrind_stack(const char *low, const char *high)
{
	(void)low, (void)high;
	return (unsigned)VALGRIND_STACK_REGISTER(low, high);
}

static inline void sanitize_valgrind_stack_end(unsigned id)
{
	(void)id;
	VALGRIND_STACK_DEREGISTER(id);
}

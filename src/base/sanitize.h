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

/* SPDX-License-Identifier: Apache-2.0
 *
 * Random numbers: the kernel's for keys and ids, a fast generator per thread for choosing. */
#pragma once
#include "base/util.h"

void rand_bytes(void *into, size_t len); /* getrandom(2); dies if the kernel refuses */
uint64_t rand_u64(void); /* xoshiro256**, per thread, seeded from the kernel: not for secrets */
uint64_t rand_below(uint64_t bound); /* 0 .. bound-1 without bias; bound > 0 */

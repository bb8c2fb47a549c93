/* SPDX-License-Identifier: Apache-2.0
 *
 * Hashes for tables and for choosing (not for secrets: those are OpenSSL's). */
#pragma once
#include "base/str.h"

/* Keyed with a random seed of the process: for tables that a client can fill. SipHash-1-3. */
uint64_t hash_str(Str str);
/* The same everywhere and for ever: for buckets, cohorts and hash balancing. SipHash-2-4 with the given key. */
uint64_t hash_stable(Str str, uint64_t key0, uint64_t key1);

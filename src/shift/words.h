/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers as they stand in a line for people. */
#pragma once
#include "base/buf.h"

void words_put_count(Buf *b, uint64_t n);     /* "10,300" */
void words_put_percent(Buf *b, double share); /* 0.0166 is "1.66 %", 0.00116 "0.12 %", 0.05 "5 %" */
void words_put_evidence(Buf *b,
                        double evidence); /* "4,210", "3.2", "0.04"; above a million in words */
void words_put_time(Buf *b,
                    double seconds); /* "40 s", "12 min", "3.5 h", "2 days"; infinite: "for ever" */
Str words_take(Arena *a, const Buf *b); /* a copy in the arena */

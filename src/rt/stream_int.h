/* SPDX-License-Identifier: Apache-2.0
 *
 * Between stream.c, tls.c and stream_fate.c. */
#pragma once
#include "rt/stream.h"

/* A read came to the end (errnum 0), or a call failed with errnum: the first such thing is kept. */
void stream_met(Stream *s, int errnum);

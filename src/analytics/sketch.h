/* SPDX-License-Identifier: Apache-2.0
 *
 * Sketch: how many different persons. Exactly up to 10,000, then by HyperLogLog with 2^14 registers (Flajolet et al. 2007, with the
 * estimator of Ertl 2017), which errs by 0.8 %. Mergeable: of two days, or of two days of months. Pure. */
#pragma once
#include "base/buf.h"

enum { SKETCH_EXACT = 10000, SKETCH_BITS = 14 };
#define SKETCH_ERROR 0.0081

typedef struct Sketch {
	uint32_t *set; /* open addressing, 0 is empty; NULL once it is dense */
	uint32_t count, cap;
	uint8_t *registers; /* when it is dense */
} Sketch;

void sketch_fini(Sketch *s);
void sketch_add(Sketch *s, uint32_t person); /* not 0 */
void sketch_merge(Sketch *into, const Sketch *from);
uint64_t sketch_count(const Sketch *s);
static inline bool sketch_approximate(const Sketch *s)
{
	return s->registers != NULL;
}
size_t sketch_bytes(const Sketch *s); /* of memory */

void sketch_put(Buf *b, const Sketch *s);
/* False: the bytes are none. *used: how many it took. */
bool sketch_read(Str bytes, Sketch *out, size_t *used);

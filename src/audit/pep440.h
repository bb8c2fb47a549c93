/* SPDX-License-Identifier: Apache-2.0
 *
 * Versions of Python packages, PEP 440: how they are written, which is later, and what a specifier allows; names by PEP 503. Pure. */
#pragma once
#include "base/str.h"

enum { PEP440_PARTS = 16 };

typedef struct Pep440 {
	uint64_t epoch;
	uint64_t release[PEP440_PARTS];
	uint32_t parts; /* of the release, 1 at least */
	char pre;       /* 'a', 'b', 'c' (rc); 0: none */
	uint64_t pre_number;
	bool post, dev;
	uint64_t post_number, dev_number;
	Str local; /* as it is written; empty: none */
} Pep440;

/* Borrows. False: it is no version (or has more than PEP440_PARTS parts). Numbers that do not fit are the largest that does. */
bool pep440_read(Str text, Pep440 *out);
int pep440_compare(const Pep440 *x, const Pep440 *y); /* below 0, 0, above 0 */
bool pep440_is_pre(const Pep440 *v);                  /* a, b, rc or dev */
/* ">=3.2,<4": every part of it must allow the version; "" allows all. Pre-releases are versions like others. False also when it is no specifier. */
bool pep440_allows(Str specifier, const Pep440 *v);
/* "==1.2", "===1.2" and nothing else: the version; empty: it is not pinned. */
Str pep440_pinned(Str specifier);
/* Lower case, one '-' for each run of '-', '_' and '.'. */
Str pep503_name(Arena *a, Str name);

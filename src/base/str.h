/* SPDX-License-Identifier: Apache-2.0
 *
 * Str: a view of bytes, passed by value. Never owned, never relied on to end in NUL; at may be NULL when len is 0. */
#pragma once
#include "base/util.h"

typedef struct Str {
	const char *at;
	size_t len;
} Str;

typedef struct Arena Arena;

#define S(literal) ((Str){ "" literal, sizeof(literal) - 1 })
#define STR_ARG(str) (int)(str).len, (str).at /* for "%.*s" */

Str str_of(const char *nul_ended); /* NULL gives the empty view */

bool str_eq(Str x, Str y);
bool str_eq_nocase(Str x, Str y); /* ASCII letters only */
int str_cmp(Str x, Str y);        /* as memcmp, the shorter first */
bool str_starts(Str str, Str prefix);
bool str_ends(Str str, Str suffix);

/* Index of the first match, or -1. */
ptrdiff_t str_find(Str str, Str what);
ptrdiff_t str_find_char(Str str, char c);
ptrdiff_t str_rfind_char(Str str, char c);

/* From `from` to before `to`; both are cut to the length, so the result is always within str. */
Str str_sub(Str str, size_t from, size_t to);
Str str_trim(Str str); /* without SP and HTAB at both ends */

/* Splits at the first `sep`: what stands before goes to head, the rest stays in *rest. False when *rest was used up
 * (at == NULL), so that `while (str_split(&rest, ',', &item))` sees every item, empty ones too. */
bool str_split(Str *rest, char sep, Str *head);

/* Decimal digits only, at least one, no sign, no overflow. False leaves *out alone. */
bool str_to_u64(Str str, uint64_t *out);
bool str_to_i64(Str str, int64_t *out); /* a '-' before them is allowed */
/* The last `digits` (at most 16) of a number's hexadecimal digits, lower case; gives where they end. */
char *str_put_hex(char *at, uint64_t n, size_t digits);

/* The first character of UTF-8 (RFC 3629: no surrogates, nothing overlong): its bytes and code point; 0: it is none. */
size_t str_utf8(Str str, uint32_t *code);

/* Copies live as long as the arena. str_z ends in NUL, for libc. */
Str str_dup(Arena *a, Str str);
const char *str_z(Arena *a, Str str);
Str str_lower(Arena *a, Str str); /* ASCII */
/* For messages: in double quotes, what is not printable as \n, \x1b, \u2028, cut after 60 bytes ("..."). */
Str str_quote(Arena *a, Str str);
Str str_fmt(Arena *a, const char *fmt, ...) PRINTF(2, 3) __attribute__((nonnull(1, 2)));

/* Edit distance with swaps (Damerau-Levenshtein, restricted), for "did you mean"; lengths above 64 count as far. */
unsigned str_distance(Str x, Str y);
/* The candidate nearest to `word` if it is near enough to be a slip of the finger, else the empty view. */
Str str_nearest(Str word, const Str *candidates, size_t count);

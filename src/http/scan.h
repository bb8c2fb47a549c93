/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a run of allowed bytes ends: the inner loop of the parsers, as wide as the processor can. Each takes a range and
 * gives the index of the first byte that stops it, or `len`. Nothing outside the range is read. */
#pragma once
#include "base/util.h"

/* A line of a head: stops at CR, LF, NUL and every other control byte but HTAB (RFC 9110 5.5). */
size_t scan_line(const char *at, size_t len);
/* A token: stops at what is not a tchar (RFC 9110 5.6.2). */
size_t scan_token(const char *at, size_t len);
/* A header's name: as scan_token, and stops at '_' too. */
size_t scan_name(const char *at, size_t len);
/* A request target: stops at blanks, control bytes, '#' and bytes above 0x7e. The few printable bytes that RFC 3986 does
 * not list (such as '|' and '"') pass: browsers send them in queries. */
size_t scan_target(const char *at, size_t len);

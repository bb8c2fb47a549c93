/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/str.h"

/* The JSON pointer (RFC 6901) of what stands at an offset of a text that may be no JSON at all: the member or item that was being
 * read there. Never fails; a key that does not end is left out, one that is longer than 1000 bytes is cut. */
Str pointer_at(Arena *a, Str text, size_t offset);

/* SPDX-License-Identifier: Apache-2.0
 *
 * Users and passwords in a file, "name:stored" a line, and the credentials of HTTP's Basic (RFC 7617). Names are UTF-8 and
 * compared in NFC, upper and lower case apart. */
#pragma once
#include "base/err.h"
#include "base/map.h"

enum { HTPASSWD_BYTES = 16 << 20 };

typedef struct HtpasswdUser {
	Str name; /* NFC */
	Str stored;
} HtpasswdUser;

typedef struct Htpasswd {
	HtpasswdUser *at;
	size_t count;
	Map by_name; /* freed with the arena */
} Htpasswd;

/* Views into the text. Empty lines and those that begin with # are nothing. Fails with INVALID "htpasswd.invalid": which line,
 * never its password. most_memory_bytes: see password_look. */
Err *htpasswd_read(Arena *a, Str text, uint64_t most_memory_bytes, Htpasswd *out) MUST_USE;
const HtpasswdUser *htpasswd_find(const Htpasswd *set, Str name); /* NULL: nobody */

/* What stands after the word Basic. False: it is not base64, not UTF-8, has no colon, or controls. The name is in NFC. */
bool basic_credentials_read(Arena *a, Str text, Str *name, Str *password);

/* SPDX-License-Identifier: Apache-2.0
 *
 * Request targets (RFC 3986, RFC 9112 3.2): decided once. The canonical path is what routes, authorisation and cache
 * keys see; upstream goes the original, and only when it means the same route. */
#pragma once
#include "base/err.h"

typedef struct UrlRules {
	bool encoded_slash; /* let %2f and %5c pass, kept encoded (some APIs put ids with slashes in a segment) */
	bool keep_double; /* do not merge "//" */
	bool semicolons; /* let ";param" after "." and ".." segments pass ("/..;/" is refused otherwise) */
} UrlRules;

typedef struct Url {
	Str path; /* canonical: percent-decoded where RFC 3986 says it means the same (unreserved), escapes upper-case,
	            * "." and ".." resolved, "//" merged; starts with "/" */
	Str query; /* raw, without "?"; at == NULL when there is none */
	bool same; /* path is byte for byte what came: the original may go upstream as it is */
} Url;

/* origin-form only ("/p?q"); "*" gives path "*". Refuses with INVALID "url.bad_escape", "url.control", "url.encoded_slash",
 * "url.backslash", "url.fragment", "url.above_root" (more ".." than segments), "url.form", "url.path_parameter". Bytes
 * above 0x7f are refused too ("url.not_ascii"): RFC 3986 wants them escaped. Of escapes, those of control bytes are
 * "url.control", overlong UTF-8 ("%c0%af") is "url.overlong". Printable bytes that a path may not hold ('"', '|', ...)
 * are escaped in the canonical form. With encoded_slash, "." and ".." beside an encoded slash are refused. */
Err *url_canonical(Arena *a, Str target, const UrlRules *rules, Url *out) MUST_USE;

/* As it came: nothing is decoded, merged or refused. */
Url url_raw(Str target);

/* Percent-decoded, '+' kept; for showing and for parameters. INVALID "url.bad_escape", and NUL is refused. */
Err *url_decode(Arena *a, Str text, Str *out) MUST_USE;

/* As one segment of a path: all but unreserved characters and ':' is escaped. */
Str url_encode(Arena *a, Str text);

/* Host header or :authority: reg-name, IPv4 or [IPv6], and a port or none (RFC 3986 3.2.2). host is lower-cased in the
 * arena when needed, without the port; port 0 when not given. INVALID "url.authority".
 * Stricter than the RFC: a name has no escapes, no sub-delimiters and no empty label (one dot at its end may be), a port
 * has digits; no userinfo, no IPvFuture, no zone. An IPv6 host keeps its brackets and gets its shortest form. */
Err *url_authority(Arena *a, Str authority, Str *host, uint16_t *port) MUST_USE;
bool url_is_authority(Str authority, uint16_t *port); /* the same rules, yes or no */

/* The first value of a query parameter, raw (not decoded); false when there is none. */
bool url_query_get(Str query, Str name, Str *value);

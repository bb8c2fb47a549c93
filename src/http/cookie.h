/* SPDX-License-Identifier: Apache-2.0
 *
 * Cookies of a request (RFC 6265 5.4). */
#pragma once
#include "http/message.h"

/* The value of the first cookie of that name, quotes taken off; the empty view when there is none. */
Str http_cookie(const Headers *headers, Str name);

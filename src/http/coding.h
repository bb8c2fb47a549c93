/* SPDX-License-Identifier: Apache-2.0
 *
 * Accept-Encoding (RFC 9110 12.5.3). */
#pragma once
#include "http/message.h"

/* How much the client wants each coding, in thousandths; 0: not at all. Without the header: identity only. Identity that was
 * not mentioned is 1: taken, but whoever lists others wants those. */
typedef struct Codings {
	uint16_t br, gzip, identity;
} Codings;

Codings http_codings(const Headers *headers);

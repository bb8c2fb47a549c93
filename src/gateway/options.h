/* SPDX-License-Identifier: Apache-2.0
 *
 * What is asked of the gateway itself rather than of a server behind it. */
#pragma once
#include "http/exchange.h"

/* Is it "OPTIONS *", OPTIONS that may go no further (RFC 9110 7.6.2), or TRACE? */
bool options_are_ours(const Head *request);
/* `id` goes with the answer. Fails with METHOD "gateway.trace"; *allow is then what its Allow says. Parks. */
Err *options_answer(Exchange *x, const Header *id, Str *allow) MUST_USE;
/* One hop less in Max-Forwards of OPTIONS, as it goes on. */
void options_step(Arena *a, Head *request);

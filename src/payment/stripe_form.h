/* SPDX-License-Identifier: Apache-2.0
 *
 * Forms in which names have brackets, as Stripe's clients write them, read into a JSON value of objects, lists and strings:
 *
 *   metadata[order]=7&expand[]=customer&items[0][price]=price_1     {"metadata":{"order":"7"},"expand":["customer"],"items":[{"price":"price_1"}]}
 *
 * A part in empty brackets is the next of a list; parts that count from 0 on are a list too. Pure; any thread. */
#pragma once
#include "base/json.h"

enum { STRIPE_FORM_BYTES = 64 << 10, STRIPE_FORM_PAIRS = 1000, STRIPE_FORM_DEPTH = 8 };

/* An empty text is an empty object. Fails with INVALID "payment.form" (an escape that is none, no UTF-8, NUL, brackets that do not fit,
 * a name given twice or both as a value and with parts, too many or too deep), and TOO_LARGE "payment.form_size". */
Err *stripe_form_read(Arena *a, Str text, const Json **out) MUST_USE;

/* SPDX-License-Identifier: Apache-2.0
 *
 * What an order system says to a checkout: whatever it is, what is taken from it is within bounds. */
#include "payment/checkout_domain.h"

#include "base/arena.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool what)
{
	if (!what)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Str text = { (const char *)data, size }, code, message;
	Reservation r;

	if (!reservation_read(a, text, &r)) {
		need(r.order.len && r.amount > 0 && r.amount <= RESERVATION_MOST);
		need(r.currency.len == 3);
	}
	orders_refusal_read(a, text, &code, &message);
	need(code.len && code.len <= 40 && message.len && message.len <= 300);
	return 0;
}

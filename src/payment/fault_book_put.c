/* SPDX-License-Identifier: Apache-2.0
 *
 * The book as it is shown: to the adapter a payment, to a judge all of it. Totals are added up from the payments each time, so that
 * there is nothing that could disagree with them. */
#include "base/json.h"
#include "payment/fault_book_int.h"

#include <string.h>

enum { CURRENCIES = 32 };

/* A card's price, so that what is left after fees can be tried: 1.5 % and 25, half up. */
static int64_t fee_of(const FaultPayment *p)
{
	return p->captured ? (p->captured * 15 + 500) / 1000 + 25 : 0;
}

void fault_refund_put(JsonWriter *w, const FaultRefund *r)
{
	json_begin_object(w);
	json_put_str(w, "id", r->id);
	json_put_str(w, "key", r->key);
	json_put_str(w, "payment", r->payment->id);
	json_put_i64(w, "amount", r->amount);
	json_key(w, S("created_at"));
	json_add_time(w, r->at_us);
	json_end(w);
}

static void put_refunds(JsonWriter *w, const FaultPayment *p)
{
	json_key(w, S("refunds"));
	json_begin_array(w);
	LIST_EACH (&p->refunds, FaultRefund, node, r)
		fault_refund_put(w, r);
	json_end(w);
}

void fault_payment_put(JsonWriter *w, const FaultPayment *p)
{
	json_begin_object(w);
	json_put_str(w, "id", p->id);
	json_put_str(w, "key", p->key);
	json_put_str(w, "state", str_of(fault_state_name(p->state)));
	json_put_i64(w, "amount", p->amount);
	json_put_str(w, "currency", p->currency);
	json_put_i64(w, "captured", p->captured);
	json_put_i64(w, "refunded", p->refunded);
	json_put_i64(w, "fee", fee_of(p));
	json_put_str(w, "token", p->token);
	json_put_str(w, "subject", p->subject);
	json_put_str(w, "order", p->order);
	json_put_str(w, "customer", p->customer);
	json_put_str(w, "code", p->code);
	json_put_str(w, "decline_code", p->decline_code);
	json_key(w, S("created_at"));
	json_add_time(w, p->at_us);
	put_refunds(w, p);
	json_end(w);
}

/* --- totals -------------------------------------------------------------------------------------------------------------- */

typedef struct Total {
	Str currency;
	int64_t payments, declined, authorized, captured, refunded;
} Total;

static Total *total_of(Total *totals, size_t *count, Str currency)
{
	for (size_t i = 0; i < *count; i++)
		if (str_eq(totals[i].currency, currency))
			return &totals[i];
	if (*count < CURRENCIES - 1)
		totals[(*count)++] = (Total){ .currency = currency };
	return &totals[*count - 1];
}

static void count_payment(Total *total, const FaultPayment *p)
{
	total->payments++;
	total->declined += p->state == FAULT_DECLINED;
	total->authorized += p->state == FAULT_AUTHORIZED ? p->amount : 0;
	total->captured += p->captured;
	total->refunded += p->refunded;
}

static void put_totals(JsonWriter *w, const FaultBook *book)
{
	Total totals[CURRENCIES];
	size_t count = 0;

	LIST_EACH (&book->payments, FaultPayment, node, p)
		count_payment(total_of(totals, &count, p->currency), p);
	json_key(w, S("totals"));
	json_begin_object(w);
	for (size_t i = 0; i < count; i++) {
		json_key(w, totals[i].currency);
		json_begin_object(w);
		json_put_i64(w, "payments", totals[i].payments);
		json_put_i64(w, "declined", totals[i].declined);
		json_put_i64(w, "authorized", totals[i].authorized);
		json_put_i64(w, "captured", totals[i].captured);
		json_put_i64(w, "refunded", totals[i].refunded);
		json_end(w);
	}
	json_end(w);
}

void fault_book_put(JsonWriter *w, const FaultBook *book)
{
	json_begin_object(w);
	json_put_i64(w, "entries", book->entries);
	put_totals(w, book);
	json_key(w, S("payments"));
	json_begin_array(w);
	LIST_EACH (&book->payments, FaultPayment, node, p)
		fault_payment_put(w, p);
	json_end(w);
	json_end(w);
}

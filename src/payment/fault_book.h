/* SPDX-License-Identifier: Apache-2.0
 *
 * The fault provider's book: every payment that it knows, what was captured, voided and refunded of it. It is the judge of who was
 * charged how often, so it does not lie: an act is in the file (fdatasync) before anybody hears of it. One loop's. */
#pragma once
#include "base/list.h"
#include "base/err.h"

typedef struct FaultBook FaultBook;
typedef struct JsonWriter JsonWriter;

typedef enum FaultState {
	FAULT_WAITS,
	FAULT_AUTHORIZED,
	FAULT_CAPTURED,
	FAULT_VOIDED,
	FAULT_DECLINED,
	FAULT_STATES
} FaultState;

typedef struct FaultPayment {
	Node node;
	Str id, key, currency, token, subject, order, customer, code, decline_code;
	FaultState state;
	bool capture; /* at once, when it is authorized */
	int64_t amount, captured, refunded, at_us;
	List refunds;
} FaultPayment;

typedef struct FaultRefund {
	Node node; /* of its payment */
	FaultPayment *payment;
	Str id, key;
	int64_t amount, at_us;
} FaultRefund;

/* The file is made when there is none; a line that a dying process left half written at its end is cut. path empty: in memory only.
 * Blocks: at the start. Fails with IO "fault.book", CONFLICT "fault.book_in_use", INVALID "fault.book" (a line that is none). */
Err *fault_book_open(Arena *lasting, Str path, FaultBook **out) MUST_USE;
void fault_book_close(FaultBook *book); /* NULL is fine */

FaultPayment *fault_book_payment(const FaultBook *book, Str id); /* NULL: there is none, as below */
FaultPayment *fault_book_of_key(const FaultBook *book, Str key);
FaultRefund *fault_book_refund(const FaultBook *book, Str key_or_id);
bool fault_book_sealed(const FaultBook *book, Str key); /* nothing of that key any more */
/* Which payment a capture's or void's key was used for; NULL: none. */
FaultPayment *fault_book_act(const FaultBook *book, Str key);
/* Every payment, oldest first. */
void fault_book_each(const FaultBook *book, void (*fn)(void *arg, FaultPayment *payment),
                     void *arg);
Str fault_book_script(const FaultBook *book); /* JSON, the last that was kept; empty: none */

/* --- acts: in the book at once, in the file after fault_book_sync ---------------------------------------------------------- */

/* As `in` says, with a new id and time. state DECLINED: with its code. */
Err *fault_book_authorize(FaultBook *book, const FaultPayment *in, FaultPayment **out) MUST_USE;
/* What it waited for has come: authorized, and captured if it was to be. */
Err *fault_book_confirm(FaultBook *book, FaultPayment *payment) MUST_USE;
/* Fail with CONFLICT "state", "amount". */
Err *fault_book_capture(FaultBook *book, FaultPayment *payment, Str key, int64_t amount) MUST_USE;
Err *fault_book_void(FaultBook *book, FaultPayment *payment, Str key) MUST_USE;
Err *fault_book_give_back(FaultBook *book, FaultPayment *payment, Str key, int64_t amount,
                          FaultRefund **out) MUST_USE;
Err *fault_book_seal(FaultBook *book, Str key) MUST_USE;
Err *fault_book_keep_script(FaultBook *book, Str script) MUST_USE;

/* Parks until all that was entered is in the file. Fails with IO "fault.book". */
Err *fault_book_sync(FaultBook *book) MUST_USE;
int64_t fault_book_entries(const FaultBook *book);

void fault_payment_put(JsonWriter *w, const FaultPayment *payment);
void fault_refund_put(JsonWriter *w, const FaultRefund *refund);
/* { entries, payments: [...], totals: { eur: { authorized, captured, refunded, declined, payments } } }, oldest first. */
void fault_book_put(JsonWriter *w, const FaultBook *book);

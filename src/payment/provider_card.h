/* SPDX-License-Identifier: Apache-2.0
 *
 * Payment methods for trying, by the names that Stripe's own have: what the sandbox and the fault provider make of them. No card
 * numbers: those are never taken. Pure. */
#pragma once
#include "base/str.h"

typedef struct ProviderCard {
	const char *token; /* "pm_card_visa" */
	const char *brand, *last4;
	const char *code;         /* what an authorization is declined with; NULL: it goes well */
	const char *decline_code; /* of the bank; NULL: none */
	bool action;              /* the customer is to confirm it first */
} ProviderCard;

/* "tok_visa" is "pm_card_visa" too. NULL: no such token. */
const ProviderCard *provider_card(Str token);
const ProviderCard *provider_cards(size_t *count);
/* "Your card was declined." for a code. */
Str provider_code_text(Str code);

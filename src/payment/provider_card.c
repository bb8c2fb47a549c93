/* SPDX-License-Identifier: Apache-2.0
 *
 * The payment methods for trying. A name says what becomes of it, so a test reads as what it tests. Names are those that Stripe's
 * documentation has, so that a test suite written for Stripe's test mode goes on as it is. */
#include "payment/provider_card.h"

#include <string.h>

#define DECLINED(name, bank) "pm_card_" name, "visa", "0002", "card_declined", (bank)

static const ProviderCard cards[] = {
	{ "pm_card_visa", "visa", "4242" },
	{ "pm_card_visa_debit", "visa", "5556" },
	{ "pm_card_mastercard", "mastercard", "4444" },
	{ "pm_card_mastercard_debit", "mastercard", "3222" },
	{ "pm_card_amex", "amex", "8431" },
	{ "pm_card_discover", "discover", "1117" },
	{ "pm_card_diners", "diners", "3237" },
	{ "pm_card_jcb", "jcb", "0505" },
	{ "pm_card_unionpay", "unionpay", "0005" },
	{ DECLINED("chargeDeclined", "generic_decline") },
	{ DECLINED("visa_chargeDeclined", "generic_decline") },
	{ DECLINED("chargeDeclinedInsufficientFunds", "insufficient_funds") },
	{ DECLINED("visa_chargeDeclinedInsufficientFunds", "insufficient_funds") },
	{ DECLINED("visa_chargeDeclinedLostCard", "lost_card") },
	{ DECLINED("visa_chargeDeclinedStolenCard", "stolen_card") },
	{ DECLINED("chargeDeclinedFraudulent", "fraudulent") },
	{ "pm_card_chargeDeclinedExpiredCard", "visa", "0069", "expired_card", NULL },
	{ "pm_card_chargeDeclinedIncorrectCvc", "visa", "0127", "incorrect_cvc", NULL },
	{ "pm_card_chargeDeclinedProcessingError", "visa", "0119", "processing_error", NULL },
	{ "pm_card_authenticationRequired", "visa", "3184", NULL, NULL, true },
	{ "pm_card_threeDSecure2Required", "visa", "3220", NULL, NULL, true },
};

static const struct {
	const char *code, *text;
} texts[] = {
	{ "card_declined", "Your card was declined." },
	{ "expired_card", "Your card has expired." },
	{ "incorrect_cvc", "Your card's security code is incorrect." },
	{ "processing_error",
	  "An error occurred while processing your card. Try again in a little bit." },
	{ "authentication_required",
	  "Your card was declined. This transaction requires authentication." },
};

const ProviderCard *provider_cards(size_t *count)
{
	*count = COUNT(cards);
	return cards;
}

/* "tok_visa" and "pm_card_visa" after their prefixes. */
static Str bare(Str token)
{
	static const Str prefixes[] = { S("pm_card_"), S("tok_") };

	for (size_t i = 0; i < COUNT(prefixes); i++)
		if (str_starts(token, prefixes[i]))
			return str_sub(token, prefixes[i].len, token.len);
	return (Str){ 0 };
}

const ProviderCard *provider_card(Str token)
{
	Str name = bare(token);

	for (size_t i = 0; name.len && i < COUNT(cards); i++)
		if (str_eq(name, bare(str_of(cards[i].token))))
			return &cards[i];
	return NULL;
}

Str provider_code_text(Str code)
{
	for (size_t i = 0; i < COUNT(texts); i++)
		if (str_eq(code, str_of(texts[i].code)))
			return str_of(texts[i].text);
	return S("The payment was declined.");
}

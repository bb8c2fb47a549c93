/* SPDX-License-Identifier: Apache-2.0
 *
 * A provider for trying, within the process: it moves no money and keeps nothing. What a payment is can be read from its reference
 * ("sb_a_1250_eur_..."), so it is the same after a restart; what was captured or given back since is known to our own rows alone.
 *
 * Methods end as their names say (provider_card.h); any other name of a method goes well. */
#include "payment/provider_int.h"

#include "base/arena.h"
#include "base/uuid.h"
#include "payment/provider_card.h"

static void say_state(ProviderAnswer *out, const ProviderAsk *ask, bool captured)
{
	out->result = PROVIDER_OK;
	out->state = captured ? PROVIDER_CAPTURED : PROVIDER_AUTHORIZED;
	out->authorized = ask->amount;
	out->captured = captured ? ask->amount : 0;
	out->currency = ask->currency;
}

static Str reference_of(Arena *a, const ProviderAsk *ask)
{
	return str_fmt(a, "sb_%c_%" PRId64 "_%.*s_%.*s", ask->capture ? 'c' : 'a', ask->amount,
	               STR_ARG(ask->currency), STR_ARG(uuid_text(a, uuid_new())));
}

static Err *authorize(const Provider *p, Arena *a, const ProviderAsk *ask, ProviderAnswer *out)
{
	const ProviderCard *card = provider_card(ask->token);

	(void)p;
	*out = (ProviderAnswer){ .reference = reference_of(a, ask), .currency = ask->currency };
	if (card && (card->code || card->action)) {
		out->result = PROVIDER_DECLINED;
		out->state = PROVIDER_FAILED;
		out->code = card->code ? str_of(card->code) : S("authentication_required");
		out->decline_code = str_of(card->decline_code);
		out->text = provider_code_text(out->code);
		return NULL;
	}
	say_state(out, ask, ask->capture);
	return NULL;
}

static Err *capture(const Provider *p, Arena *a, const ProviderAsk *ask, ProviderAnswer *out)
{
	(void)p;
	(void)a;
	*out = (ProviderAnswer){ .reference = ask->reference };
	say_state(out, ask, true);
	return NULL;
}

static Err *cancel(const Provider *p, Arena *a, const ProviderAsk *ask, ProviderAnswer *out)
{
	(void)p;
	(void)a;
	*out = (ProviderAnswer){ .result = ask->reference.len ? PROVIDER_OK : PROVIDER_ABSENT,
		                 .state = PROVIDER_VOIDED,
		                 .reference = ask->reference,
		                 .sealed = true };
	return NULL;
}

static Err *refund(const Provider *p, Arena *a, const ProviderAsk *ask, ProviderAnswer *out)
{
	(void)p;
	*out = (ProviderAnswer){ .result = PROVIDER_OK,
		                 .state = PROVIDER_CAPTURED,
		                 .reference = ask->reference,
		                 .refund = str_fmt(a, "sr_%.*s", STR_ARG(ask->key)),
		                 .refunded = ask->amount };
	return NULL;
}

/* "sb_c_1250_eur_...": as it was when it was made. */
static Err *get(const Provider *p, Arena *a, const ProviderAsk *ask, ProviderAnswer *out)
{
	Str rest = ask->reference, part[5] = { { 0 } };
	ProviderAsk was = { 0 };
	uint64_t amount = 0;

	(void)p;
	(void)a;
	for (size_t i = 0; i < COUNT(part) && str_split(&rest, '_', &part[i]); i++)
		;
	*out = (ProviderAnswer){ .result = PROVIDER_ABSENT, .sealed = true };
	if (!str_eq(part[0], S("sb")) || !str_to_u64(part[2], &amount) ||
	    (ask->of_refund && !ask->refund.len))
		return NULL;
	out->reference = ask->reference;
	out->refund = ask->refund;
	was.amount = (int64_t)amount;
	was.currency = part[3];
	say_state(out, &was, str_eq(part[1], S("c")));
	return NULL;
}

const ProviderKind *provider_sandbox_kind(void)
{
	static const ProviderKind kind = {
		.name = "sandbox",
		.local = true,
		.acts = { [PROVIDER_AUTHORIZE] = authorize,
		          [PROVIDER_CAPTURE] = capture,
		          [PROVIDER_CANCEL] = cancel,
		          [PROVIDER_REFUND] = refund,
		          [PROVIDER_GET] = get },
	};

	return &kind;
}

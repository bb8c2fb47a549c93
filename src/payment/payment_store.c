/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of payments as other files of the service see them: see payment_store.h and the sharing half of intent_int.h. */
#include "payment/payment_store.h"

#include "base/arena.h"
#include "base/time.h"
#include "payment/intent_int.h"
#include "payment/provider_card.h"

enum { CARD_YEARS = 4, DAYS_A_YEAR = 365 };

Uuid payment_id(int64_t *us)
{
	Uuid id = uuid_new();

	*us = uuid_time_us(id);
	return id;
}

/* --- customers -------------------------------------------------------------------------------------------------------------------- */

Err *customer_load(Db *db, Arena *a, Uuid id, Customer **out)
{
	CustomerRow *row;

	*out = NULL;
	TRY(db_one(db, a, customer_by_id, &row, .id = id));
	if (!row)
		return NULL;
	*out = ARENA_NEW(a, Customer);
	**out = (Customer){ .id = row->id,
		            .email = row->email,
		            .name = row->name,
		            .description = row->description,
		            .phone = row->phone,
		            .metadata = row->metadata,
		            .zone = row->zone,
		            .method = row->method_id,
		            .invoice_prefix = row->invoice_prefix,
		            .next_invoice = row->next_invoice,
		            .created_us = row->created_at,
		            .deleted = row->deleted_at.set };
	return NULL;
}

Err *customer_next_invoice(Db *tx, Arena *a, Uuid id, Str *number)
{
	CustomerRow *row;

	TRY(db_exec(tx, a, customer_invoiced, NULL, .id = id));
	TRY(db_one(tx, a, customer_by_id, &row, .id = id));
	if (!row)
		return err_new(a, ERR_NOT_FOUND, "payment.unknown", "there is no such customer");
	*number =
		str_fmt(a, "%.*s-%04" PRId64, STR_ARG(row->invoice_prefix), row->next_invoice - 1);
	return NULL;
}

Err *customer_named(Db *db, Arena *a, Str text, CustomerRow **out)
{
	Uuid id;

	*out = NULL;
	if (!text.len)
		return NULL;
	if (service_id_read(text, "cus_", &id))
		TRY(db_one(db, a, customer_by_id, out, .id = id));
	if (*out && !(*out)->deleted_at.set)
		return NULL;
	return err_new(a, ERR_NOT_FOUND, "payment.unknown", "No such customer: '%.*s'",
	               STR_ARG(str_sub(text, 0, 100)));
}

/* --- payment methods -------------------------------------------------------------------------------------------------------------- */

Err *method_load(Db *db, Arena *a, Uuid id, Method **out)
{
	MethodRow *row;

	*out = NULL;
	TRY(db_one(db, a, method_by_id, &row, .id = id));
	if (!row)
		return NULL;
	*out = ARENA_NEW(a, Method);
	**out = (Method){ .id = row->id,
		          .customer = row->customer_id,
		          .type = row->type,
		          .provider = row->provider,
		          .token = row->token,
		          .brand = row->brand,
		          .last4 = row->last4,
		          .exp_month = row->exp_month,
		          .exp_year = row->exp_year,
		          .created_us = row->created_at };
	return NULL;
}

/* A token of those for trying says what card it stands for; of others only the provider knows. */
static MethodRow *method_of_token(Arena *a, Str token)
{
	const ProviderCard *card = provider_card(token);
	MethodRow *row = ARENA_NEW(a, MethodRow);

	*row = (MethodRow){
		.type = S("card"),
		.token = token,
		.brand = str_of(card ? card->brand : ""),
		.last4 = str_of(card ? card->last4 : ""),
		.billing = S("{\"address\":null,\"email\":null,\"name\":null,\"phone\":null}"),
		.metadata = S("{}")
	};
	row->id = payment_id(&row->created_at);
	if (card) {
		row->exp_month = 12;
		row->exp_year =
			1970 + CARD_YEARS + row->created_at / US_PER_S / 86400 / DAYS_A_YEAR;
	}
	return row;
}

static bool is_token(Str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] <= ' ' || text.at[i] > '~' || text.at[i] == '"' ||
		    text.at[i] == '\\')
			return false;
	return text.len > 0 && text.len <= 200;
}

/* Given in place of a method that is kept here: one of those for trying, or one as Stripe has them. */
static bool is_theirs(Str text)
{
	static const Str starts[] = { S("tok_"), S("pm_card"), S("pm_fault_") };

	if (!is_token(text))
		return false;
	for (size_t i = 0; i < COUNT(starts); i++)
		if (str_starts(text, starts[i]))
			return true;
	return str_starts(text, S("pm_")) && text.len >= 20 && str_find_char(text, '-') < 0;
}

Err *method_token(Arena *a, Str token, MethodRow **out)
{
	*out = is_token(token) ? method_of_token(a, token) : NULL;
	return *out ? NULL
	            : err_new(a, ERR_INVALID, "payment.method", "that is no token of a provider");
}

Err *method_named(Db *db, Arena *a, Str text, MethodRow **out, bool *fresh)
{
	Uuid id;

	*out = NULL;
	*fresh = false;
	if (!text.len)
		return NULL;
	if (service_id_read(text, "pm_", &id))
		TRY(db_one(db, a, method_by_id, out, .id = id));
	else if (is_theirs(text))
		*out = method_of_token(a, text);
	*fresh = *out && !service_id_read(text, "pm_", &id);
	if (*out)
		return NULL;
	return err_new(a, ERR_NOT_FOUND, "payment.unknown", "No such PaymentMethod: '%.*s'",
	               STR_ARG(str_sub(text, 0, 100)));
}

/* --- intents and charges ------------------------------------------------------------------------------------------------------------ */

void intent_put_row(DbBatch *batch, const IntentRow *i)
{
	batch_exec(batch, intent_store, NULL, .id = i->id, .status = i->status, .amount = i->amount,
	           .currency = i->currency, .received = i->received, .manual = i->manual,
	           .customer_id = i->customer_id, .method_id = i->method_id,
	           .charge_id = i->charge_id, .description = i->description,
	           .statement = i->statement, .email = i->email, .metadata = i->metadata,
	           .error = i->error, .attempts = i->attempts, .canceled_at = i->canceled_at,
	           .cancel_reason = i->cancel_reason, .action_url = i->action_url);
}

Err *intent_store(Db *tx, Arena *a, const IntentRow *intent)
{
	DbBatch *batch = db_batch(a);

	intent_put_row(batch, intent);
	return db_batch_run(tx, a, batch);
}

Err *charge_load(Db *db, Arena *a, Uuid id, Charge **out)
{
	ChargeRow *row;

	*out = NULL;
	TRY(db_one(db, a, charge_by_id, &row, .id = id));
	if (!row)
		return NULL;
	*out = ARENA_NEW(a, Charge);
	**out = (Charge){ .id = row->id,
		          .intent = row->intent_id,
		          .attempt = row->attempt_id,
		          .status = row->status,
		          .currency = row->currency,
		          .provider = row->provider,
		          .reference = row->reference,
		          .amount = row->amount,
		          .captured = row->captured,
		          .refunded = row->refunded,
		          .disputed = row->disputed,
		          .customer = row->customer_id,
		          .method = row->method_id,
		          .created_us = row->created_at };
	return NULL;
}

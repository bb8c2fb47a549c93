/* SPDX-License-Identifier: Apache-2.0
 *
 * Bodies and answers of the ledger's API, as rows that are read by and documented from. */
#include "payment/ledger_json.h"

#include "base/arena.h"
#include "service/call.h"

static const ConfWord side_words[] = {
	{ "asset", LEDGER_ASSET, "what we have: its balance is debits less credits" },
	{ "liability", LEDGER_LIABILITY, "what we owe: credits less debits" },
	{ "equity", LEDGER_EQUITY, "what is the owners'" },
	{ "income", LEDGER_INCOME, "what came in" },
	{ "expense", LEDGER_EXPENSE, "what it cost" },
	{ 0 },
};
static const ConfWord limit_words[] = {
	{ "none", LEDGER_FREE, "any balance" },
	{ "credit", LEDGER_CREDIT_LEAST, "debits, held ones too, never exceed the credits" },
	{ "debit", LEDGER_DEBIT_LEAST, "credits, held ones too, never exceed the debits" },
	{ 0 },
};
static const ConfWord deed_words[] = {
	{ "post", LEDGER_POST, "moves the amount" },
	{ "hold", LEDGER_HOLD, "holds it: it counts against limits and moves nothing yet" },
	{ "settle", LEDGER_SETTLE, "moves what was held, or a part; the rest is free again" },
	{ "void", LEDGER_VOID, "frees what was held" },
	{ 0 },
};
static const ConfWord done_words[] = {
	{ "post", LEDGER_POST, "moved the amount" },
	{ "hold", LEDGER_HOLD, "holds it" },
	{ "settle", LEDGER_SETTLE, "moved what was held, or a part" },
	{ "void", LEDGER_VOID, "freed what was held" },
	{ "expire", LEDGER_EXPIRE, "the hold's time was over" },
	{ 0 },
};

static const char *verify_code(Arena *a, Str text)
{
	(void)a;
	return text.len ? ledger_code_wrong(text) : NULL;
}

static const char *verify_currency(Arena *a, Str text)
{
	(void)a;
	return ledger_currency(text, &text) ? NULL : "is no currency";
}

static void put_ref(JsonWriter *w, Arena *a, const char *key, const char *prefix, Uuid id)
{
	json_key(w, str_of(key));
	if (uuid_is_nil(id))
		json_add_null(w);
	else
		json_add_str(w, service_id_text(a, prefix, id));
}

static void put_time(JsonWriter *w, const char *key, int64_t us)
{
	json_key(w, str_of(key));
	if (us)
		json_add_time(w, us);
	else
		json_add_null(w);
}

/* --- accounts ----------------------------------------------------------------------------------------------------------- */

static const Field account_in_rows[] = {
	{ "code", FIELD_STR, AT(LedgerAccountIn, code), .required = true, .max = LEDGER_CODE_MOST,
	  .verify = verify_code, .help = "its name: wallet:42. Parts of a-z, 0-9 and -" },
	{ "currency", FIELD_STR, AT(LedgerAccountIn, currency), .required = true, .max = 3,
	  .verify = verify_currency, .help = "ISO 4217" },
	{ "side", FIELD_ENUM, AT(LedgerAccountIn, side), .required = true, .names = side_words,
	  .help = "how its balance is counted" },
	{ "limit", FIELD_ENUM, AT(LedgerAccountIn, limit), .names = limit_words,
	  .help = "what its balance never passes" },
	{ "hot", FIELD_BOOL, AT(LedgerAccountIn, hot),
	  .help = "many write to it at once: they do not wait for each other; it has no limit then" },
};
const FieldTable ledger_account_in = { "LedgerAccountIn",
	                               FIELD_ROWS(LedgerAccountIn, account_in_rows),
	                               .help = "an account to open" };

typedef struct AccountOut {
	Uuid id;
	Str code, currency;
	uint8_t side, limit;
	bool hot;
	int64_t balance, debits, credits, held_debits, held_credits, created_at;
} AccountOut;
static const Field account_out_rows[] = {
	{ "id", FIELD_ID, AT(AccountOut, id), .required = true, .prefix = LEDGER_ACCOUNT_PREFIX,
	  .help = "its id" },
	{ "code", FIELD_STR, AT(AccountOut, code), .required = true, .help = "its name" },
	{ "currency", FIELD_STR, AT(AccountOut, currency), .required = true,
	  .help = "ISO 4217, lower case" },
	{ "side", FIELD_ENUM, AT(AccountOut, side), .required = true, .names = side_words,
	  .help = "how its balance is counted" },
	{ "limit", FIELD_ENUM, AT(AccountOut, limit), .required = true, .names = limit_words,
	  .help = "what its balance never passes" },
	{ "hot", FIELD_BOOL, AT(AccountOut, hot), .help = "many write to it at once" },
	{ "balance", FIELD_INT, AT(AccountOut, balance), .required = true,
	  .help = "as its side counts, in minor units" },
	{ "debits", FIELD_INT, AT(AccountOut, debits), .help = "posted" },
	{ "credits", FIELD_INT, AT(AccountOut, credits), .help = "posted" },
	{ "held_debits", FIELD_INT, AT(AccountOut, held_debits), .help = "of holds that are open" },
	{ "held_credits", FIELD_INT, AT(AccountOut, held_credits),
	  .help = "of holds that are open" },
	{ "created_at", FIELD_TIME, AT(AccountOut, created_at), .help = "when it was opened" },
};
const FieldTable ledger_account_out = { "LedgerAccount", FIELD_ROWS(AccountOut, account_out_rows),
	                                .help = "an account and its balance" };

typedef struct AccountsOut {
	CONF_LIST_OF(AccountOut) data;
} AccountsOut;
static const Field accounts_out_rows[] = {
	{ "data", FIELD_OBJECT, AT_LIST(AccountsOut, data), .table = &ledger_account_out,
	  .help = "in the order they were sent" },
};
const FieldTable ledger_accounts_out = { "LedgerAccounts",
	                                 FIELD_ROWS(AccountsOut, accounts_out_rows),
	                                 .help = "what was opened, or was there" };

void ledger_account_put(JsonWriter *w, Arena *a, const LedgerAccount *account)
{
	json_begin_object(w);
	json_put_str(w, "id", service_id_text(a, LEDGER_ACCOUNT_PREFIX, account->id));
	json_put_str(w, "code", account->code);
	json_put_str(w, "currency", account->currency);
	json_put_str(w, "side", ledger_side_name(account->side));
	json_put_str(w, "limit", ledger_limit_name(account->limit));
	json_put_bool(w, "hot", account->hot);
	json_put_i64(w, "balance", ledger_balance(account));
	json_put_i64(w, "debits", account->debits);
	json_put_i64(w, "credits", account->credits);
	json_put_i64(w, "held_debits", account->held_debits);
	json_put_i64(w, "held_credits", account->held_credits);
	put_time(w, "created_at", account->created_us);
	json_end(w);
}

/* --- transfers ---------------------------------------------------------------------------------------------------------- */

static const Field transfer_in_rows[] = {
	{ "id", FIELD_ID, AT(LedgerTransferIn, id), .prefix = LEDGER_TRANSFER_PREFIX,
	  .help = "your own, where you need to know it before; none is used twice" },
	{ "deed", FIELD_ENUM, AT(LedgerTransferIn, deed), .names = deed_words,
	  .help = "what it does; post when it is left out" },
	{ "debit", FIELD_STR, AT(LedgerTransferIn, debit), .max = LEDGER_CODE_MOST,
	  .verify = verify_code, .help = "the account's code; of settle and void none" },
	{ "credit", FIELD_STR, AT(LedgerTransferIn, credit), .max = LEDGER_CODE_MOST,
	  .verify = verify_code, .help = "the account's code; of settle and void none" },
	{ "amount", FIELD_INT, AT(LedgerTransferIn, amount), .max = LEDGER_AMOUNT_MOST,
	  .help = "in minor units; of settle 0 or none: all that was held" },
	{ "hold", FIELD_ID, AT(LedgerTransferIn, hold), .prefix = LEDGER_TRANSFER_PREFIX,
	  .help = "of settle and void: the transfer that holds" },
	{ "until", FIELD_TIME, AT(LedgerTransferIn, until), .help = "of hold: it runs out then" },
};
static const FieldTable transfer_in = {
	"LedgerTransferIn", FIELD_ROWS(LedgerTransferIn, transfer_in_rows),
	.help = "an amount from the account credited to the one debited"
};

static const Field group_in_rows[] = {
	{ "kind", FIELD_STR, AT(LedgerGroupIn, kind), .max = 50,
	  .help = "what causes it; manual when it is left out" },
	{ "source", FIELD_STR, AT(LedgerGroupIn, source), .max = 200,
	  .help = "which one: there is one group of each kind and source. Opaque: no names, no addresses" },
	{ "currency", FIELD_STR, AT(LedgerGroupIn, currency), .required = true, .max = 3,
	  .verify = verify_currency, .help = "of all its transfers" },
	{ "memo", FIELD_STR, AT(LedgerGroupIn, memo), .max = 200,
	  .help = "for people; it is never deleted" },
	{ "at", FIELD_TIME, AT(LedgerGroupIn, at),
	  .help = "when it happened; now when it is left out" },
	{ "transfers", FIELD_OBJECT, AT_LIST(LedgerGroupIn, transfers), .required = true,
	  .items_max = LEDGER_GROUP_MOST, .table = &transfer_in, .help = "what moves" },
};
const FieldTable ledger_group_in = { "LedgerGroupIn", FIELD_ROWS(LedgerGroupIn, group_in_rows),
	                             .help = "transfers of one cause" };

typedef struct PostedOut {
	Uuid id;
	Str kind, source;
	bool again;
	CONF_LIST_OF(Uuid) transfers;
} PostedOut;
static const Field posted_rows[] = {
	{ "id", FIELD_ID, AT(PostedOut, id), .required = true, .prefix = LEDGER_GROUP_PREFIX,
	  .help = "of the group" },
	{ "again", FIELD_BOOL, AT(PostedOut, again), .required = true,
	  .help = "it was there already, the same" },
	{ "transfers", FIELD_ID, AT_LIST(PostedOut, transfers), .items_max = LEDGER_GROUP_MOST,
	  .prefix = LEDGER_TRANSFER_PREFIX, .help = "their ids, in the order they were sent" },
};
static const FieldTable posted_out = { "LedgerPosted", FIELD_ROWS(PostedOut, posted_rows),
	                               .help = "a group that is posted" };

typedef struct PostedAllOut {
	CONF_LIST_OF(PostedOut) data;
} PostedAllOut;
static const Field posted_all_rows[] = {
	{ "data", FIELD_OBJECT, AT_LIST(PostedAllOut, data), .table = &posted_out,
	  .items_max = 1000, .help = "in the order they were sent" },
};
const FieldTable ledger_posted_out = { "LedgerPostedAll", FIELD_ROWS(PostedAllOut, posted_all_rows),
	                               .help = "all that was posted" };

void ledger_posted_put(JsonWriter *w, Arena *a, const LedgerGroup *group,
                       const LedgerPosted *posted)
{
	json_begin_object(w);
	put_ref(w, a, "id", LEDGER_GROUP_PREFIX, posted->id);
	json_put_bool(w, "again", posted->again);
	json_key(w, S("transfers"));
	json_begin_array(w);
	for (size_t i = 0; i < group->count; i++)
		json_add_str(w, service_id_text(a, LEDGER_TRANSFER_PREFIX, group->at[i].id));
	json_end(w);
	json_end(w);
}

typedef struct LineOut {
	Uuid id, group;
	Str kind, source, memo, debit, credit, currency;
	uint8_t deed;
	int64_t amount, happened_at, created_at;
	OptUuid hold;
	bool has_hold;
	int64_t until;
} LineOut;
static const Field line_rows[] = {
	{ "id", FIELD_ID, AT(LineOut, id), .required = true, .prefix = LEDGER_TRANSFER_PREFIX,
	  .help = "its id" },
	{ "group", FIELD_ID, AT(LineOut, group), .required = true, .prefix = LEDGER_GROUP_PREFIX,
	  .help = "posted with it" },
	{ "kind", FIELD_STR, AT(LineOut, kind), .required = true, .help = "what caused it" },
	{ "source", FIELD_STR, AT(LineOut, source), .required = true, .help = "which one" },
	{ "memo", FIELD_STR, AT(LineOut, memo), .help = "for people" },
	{ "deed", FIELD_ENUM, AT(LineOut, deed), .required = true, .names = done_words,
	  .help = "what it did" },
	{ "debit", FIELD_STR, AT(LineOut, debit), .required = true,
	  .help = "the account that was debited" },
	{ "credit", FIELD_STR, AT(LineOut, credit), .required = true,
	  .help = "the account that was credited" },
	{ "currency", FIELD_STR, AT(LineOut, currency), .required = true, .help = "of both" },
	{ "amount", FIELD_INT, AT(LineOut, amount), .required = true, .help = "in minor units" },
	{ "hold", FIELD_ID, AT(LineOut, hold), GIVEN(LineOut, has_hold), .nullable = true,
	  .prefix = LEDGER_TRANSFER_PREFIX, .help = "the transfer that held" },
	{ "until", FIELD_TIME, AT(LineOut, until), .help = "of a hold: when it runs out" },
	{ "happened_at", FIELD_TIME, AT(LineOut, happened_at), .required = true,
	  .help = "as its group says" },
	{ "created_at", FIELD_TIME, AT(LineOut, created_at), .required = true,
	  .help = "when it was written" },
};
const FieldTable ledger_line_out = { "LedgerTransfer", FIELD_ROWS(LineOut, line_rows),
	                             .help = "a transfer that was made" };

void ledger_line_put(JsonWriter *w, Arena *a, const LedgerLine *line)
{
	json_begin_object(w);
	put_ref(w, a, "id", LEDGER_TRANSFER_PREFIX, line->id);
	put_ref(w, a, "group", LEDGER_GROUP_PREFIX, line->group);
	json_put_str(w, "kind", line->kind);
	json_put_str(w, "source", line->source);
	json_put_str(w, "memo", line->memo);
	json_put_str(w, "deed", line->deed);
	json_put_str(w, "debit", line->debit);
	json_put_str(w, "credit", line->credit);
	json_put_str(w, "currency", line->currency);
	json_put_i64(w, "amount", line->amount);
	put_ref(w, a, "hold", LEDGER_TRANSFER_PREFIX, line->hold);
	put_time(w, "until", line->until_us);
	put_time(w, "happened_at", line->happened_us);
	put_time(w, "created_at", line->created_us);
	json_end(w);
}

/* --- totals ------------------------------------------------------------------------------------------------------------- */

typedef struct TotalOut {
	Str currency;
	uint8_t side;
	int64_t accounts, debits, credits, held_debits, held_credits;
} TotalOut;
static const Field total_rows[] = {
	{ "currency", FIELD_STR, AT(TotalOut, currency), .required = true,
	  .help = "ISO 4217, lower case" },
	{ "side", FIELD_ENUM, AT(TotalOut, side), .required = true, .names = side_words,
	  .help = "of the accounts" },
	{ "accounts", FIELD_INT, AT(TotalOut, accounts), .required = true, .help = "how many" },
	{ "debits", FIELD_INT, AT(TotalOut, debits), .required = true, .help = "posted" },
	{ "credits", FIELD_INT, AT(TotalOut, credits), .required = true, .help = "posted" },
	{ "held_debits", FIELD_INT, AT(TotalOut, held_debits), .required = true,
	  .help = "of holds that are open" },
	{ "held_credits", FIELD_INT, AT(TotalOut, held_credits), .required = true,
	  .help = "of holds that are open" },
};
static const FieldTable total_out = { "LedgerTotal", FIELD_ROWS(TotalOut, total_rows),
	                              .help = "all accounts of a side" };

typedef struct TotalsOut {
	CONF_LIST_OF(TotalOut) data;
} TotalsOut;
static const Field totals_rows[] = {
	{ "data", FIELD_OBJECT, AT_LIST(TotalsOut, data), .table = &total_out,
	  .help = "by currency and side" },
};
const FieldTable ledger_totals_out = { "LedgerTotals", FIELD_ROWS(TotalsOut, totals_rows),
	                               .help = "the trial balance" };

void ledger_total_put(JsonWriter *w, const LedgerTotal *total)
{
	json_begin_object(w);
	json_put_str(w, "currency", total->currency);
	json_put_str(w, "side", total->side);
	json_put_i64(w, "accounts", total->accounts);
	json_put_i64(w, "debits", total->debits);
	json_put_i64(w, "credits", total->credits);
	json_put_i64(w, "held_debits", total->held_debits);
	json_put_i64(w, "held_credits", total->held_credits);
	json_end(w);
}

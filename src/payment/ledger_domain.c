/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of the ledger, without what it is kept in.
 *
 * An account has four sums: what was debited and credited, and what is held on either side. A post adds to the first two, a hold
 * to the others; whatever resolves a hold takes all of it from these again, and a settlement adds what was really moved to the
 * first. So the sums over all accounts of a currency are equal on both sides at any moment, held or not.
 *
 * The chart says which accounts are made by the payments' own bookings when they are first named, and what they are. Accounts that
 * every payment touches are hot: they have no limit, so nobody needs to know their balance to write to them. */
#include "payment/ledger_domain.h"

#include "base/arena.h"

/* --- words -------------------------------------------------------------------------------------------------------------- */

static const Str sides[] = {
	[LEDGER_ASSET] = S("asset"),     [LEDGER_LIABILITY] = S("liability"),
	[LEDGER_EQUITY] = S("equity"),   [LEDGER_INCOME] = S("income"),
	[LEDGER_EXPENSE] = S("expense"),
};
_Static_assert(COUNT(sides) == LEDGER_SIDES, "a side has no name");

static const Str limits[] = {
	[LEDGER_FREE] = S("none"),
	[LEDGER_CREDIT_LEAST] = S("credit"),
	[LEDGER_DEBIT_LEAST] = S("debit"),
};
_Static_assert(COUNT(limits) == LEDGER_LIMITS, "a limit has no name");

static const Str deeds[] = {
	[LEDGER_POST] = S("post"), [LEDGER_HOLD] = S("hold"),     [LEDGER_SETTLE] = S("settle"),
	[LEDGER_VOID] = S("void"), [LEDGER_EXPIRE] = S("expire"),
};
_Static_assert(COUNT(deeds) == LEDGER_DEEDS, "a deed has no name");

static bool read_word(const Str *words, size_t count, Str text, unsigned *out)
{
	for (size_t i = 0; i < count; i++) {
		if (str_eq(text, words[i])) {
			*out = (unsigned)i;
			return true;
		}
	}
	return false;
}

Str ledger_side_name(LedgerSide side)
{
	return sides[side];
}

bool ledger_side_read(Str text, LedgerSide *out)
{
	unsigned at;
	bool known = read_word(sides, COUNT(sides), text, &at);

	if (known)
		*out = (LedgerSide)at;
	return known;
}

Str ledger_limit_name(LedgerLimit limit)
{
	return limits[limit];
}

bool ledger_limit_read(Str text, LedgerLimit *out)
{
	unsigned at;
	bool known = read_word(limits, COUNT(limits), text, &at);

	if (known)
		*out = (LedgerLimit)at;
	return known;
}

Str ledger_deed_name(LedgerDeed deed)
{
	return deeds[deed];
}

bool ledger_deed_read(Str text, LedgerDeed *out)
{
	unsigned at;
	bool known = read_word(deeds, COUNT(deeds), text, &at);

	if (known)
		*out = (LedgerDeed)at;
	return known;
}

bool ledger_kind_taken(Str kind)
{
	static const Str kinds[] = { S("intent"), S("refund"),  S("dispute"),
		                     S("payout"), S("invoice"), S("expiry") };

	for (size_t i = 0; i < COUNT(kinds); i++) {
		if (str_eq(kind, kinds[i]))
			return true;
	}
	return false;
}

/* --- accounts ----------------------------------------------------------------------------------------------------------- */

static const LedgerChart chart[] = {
	{ "provider", LEDGER_ASSET, true,
	  "what a provider of payments has collected and owes us: provider:NAME" },
	{ "bank", LEDGER_ASSET, true, "what providers have paid out" },
	{ "receivable", LEDGER_ASSET, true, "invoices that are open" },
	{ "sales", LEDGER_INCOME, true, "what was sold" },
	{ "subscriptions", LEDGER_INCOME, true, "what was invoiced for subscriptions" },
	{ "refunds", LEDGER_EXPENSE, true, "what was given back" },
	{ "disputes", LEDGER_EXPENSE, true, "what was taken back by those who paid" },
	{ "fees", LEDGER_EXPENSE, true, "what a provider keeps for its work: fees:NAME" },
	{ "losses", LEDGER_EXPENSE, true, "invoices that nobody will pay" },
	{ "customer", LEDGER_LIABILITY, false, "what a customer has to his credit: customer:ID" },
	{ "equity", LEDGER_EQUITY, true, "balances that were brought along" },
};

const LedgerChart *ledger_chart(size_t *count)
{
	*count = COUNT(chart);
	return chart;
}

const LedgerChart *ledger_chart_of(Str code)
{
	Str first;

	if (!str_split(&code, ':', &first))
		return NULL;
	for (size_t i = 0; i < COUNT(chart); i++) {
		if (str_eq(first, str_of(chart[i].first)))
			return &chart[i];
	}
	return NULL;
}

static const char *part_wrong(Str part)
{
	if (!part.len)
		return "has an empty part";
	if (part.at[0] == '-')
		return "has a part that begins with -";
	for (size_t i = 0; i < part.len; i++) {
		char c = part.at[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
			return "has something else than a-z, 0-9, - and :";
	}
	return NULL;
}

const char *ledger_code_wrong(Str code)
{
	const char *wrong = NULL;
	Str part;

	if (!code.len)
		return "is empty";
	if (code.len > LEDGER_CODE_MOST)
		return "has more than 100 characters";
	while (!wrong && str_split(&code, ':', &part))
		wrong = part_wrong(part);
	return wrong;
}

int64_t ledger_balance(const LedgerAccount *account)
{
	bool debit = account->side == LEDGER_ASSET || account->side == LEDGER_EXPENSE;

	return debit ? account->debits - account->credits : account->credits - account->debits;
}

/* --- transfers ---------------------------------------------------------------------------------------------------------- */

static const char *transfer_wrong(const LedgerTransfer *t)
{
	bool resolves = t->deed != LEDGER_POST && t->deed != LEDGER_HOLD;

	if (t->amount < 0 || t->amount > LEDGER_AMOUNT_MOST)
		return "its amount is none";
	if (resolves != !uuid_is_nil(t->hold))
		return resolves ? "it names no hold" : "it names a hold";
	if (t->until_us && t->deed != LEDGER_HOLD)
		return "only a hold runs out";
	if (resolves)
		return t->debit.len || t->credit.len ? "its accounts are those of the hold"
		       : t->deed != LEDGER_SETTLE && t->amount ? "its amount is that of the hold"
		                                               : NULL;
	if (!t->amount)
		return "its amount is 0";
	if (str_eq(t->debit, t->credit))
		return "both its accounts are the same";
	return NULL;
}

Err *ledger_group_check(Arena *a, const LedgerGroup *group)
{
	if (!group->count || group->count > LEDGER_GROUP_MOST)
		return err_new(a, ERR_INVALID, "ledger.transfer", "a group has 1 to %d transfers",
		               LEDGER_GROUP_MOST);
	for (size_t i = 0; i < group->count; i++) {
		const char *wrong = transfer_wrong(&group->at[i]);

		if (wrong)
			return err_new(a, ERR_INVALID, "ledger.transfer", "transfer %zu: %s", i,
			               wrong);
	}
	return NULL;
}

void ledger_add(LedgerDeed deed, int64_t amount, int64_t held, LedgerDelta *debit,
                LedgerDelta *credit)
{
	if (deed == LEDGER_POST || deed == LEDGER_SETTLE) {
		debit->debits += amount;
		credit->credits += amount;
	}
	if (deed == LEDGER_HOLD) {
		debit->held_debits += amount;
		credit->held_credits += amount;
	} else if (deed != LEDGER_POST) {
		debit->held_debits -= held;
		credit->held_credits -= held;
	}
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Figures that were written down somewhere, held against each other and against what comes out. Those of one kind are brought to one
 * measure (a year's money, months, weeks) and gathered into groups that agree; more than one group is a contradiction, and is told with
 * its places. None of them is averaged with another, and none is used: what is reckoned with are the inputs alone.
 * Rounding is no contradiction: one part in twenty between a figure and what comes out, one in a hundred between two figures. */
#include "audit/money_int.h"

#include "base/arena.h"

#define ROUNDED 0.05
#define SAME 0.01

static const struct {
	const char *text, *more;
	bool money;
	bool yearly;
} kinds[CLAIM_KINDS] = {
	[CLAIM_COST] = { "the debt's cost", " a year", true, true },
	[CLAIM_SAVING] = { "the saving", " a year", true, true },
	[CLAIM_REFACTORING] = { "the price of the work", "", true, false },
	[CLAIM_WEEKS] = { "the length of the work", " weeks", false, false },
	[CLAIM_PAYBACK] = { "payback", " months", false, false },
	[CLAIM_NET] = { "the net gain", "", true, false },
};

static double measure_of(const MoneyClaim *claim)
{
	return kinds[claim->kind].yearly && claim->monthly ? claim->value * 12 : claim->value;
}

static bool near(double x, double y, double share)
{
	return fabs(x - y) <= share * fmax(fabs(x), fabs(y));
}

static Str shown(Arena *a, const MoneyCase *c, MoneyClaimKind kind, double value)
{
	if (kinds[kind].money)
		return str_fmt(a, "%.*s%s", STR_ARG(money_amount_text(a, c, value)),
		               kinds[kind].more);
	return str_fmt(a, "%.4g%s", value, kinds[kind].more);
}

/* As it was written: "$250K a month in the summary". */
static void put_claim(Arena *a, Buf *b, const MoneyCase *c, const MoneyClaim *claim)
{
	if (kinds[claim->kind].yearly && claim->monthly)
		buf_fmt(b, "%.*s a month", STR_ARG(money_amount_text(a, c, claim->value)));
	else
		buf_put(b, shown(a, c, claim->kind, claim->value));
	if (claim->where.len)
		buf_fmt(b, " (%.*s)", STR_ARG(claim->where));
}

static bool leads_group(const MoneyCase *c, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (c->claims[k].kind == c->claims[i].kind &&
		    near(measure_of(&c->claims[k]), measure_of(&c->claims[i]), SAME))
			return false;
	return true;
}

/* "$3M a year (summary), that is $250K a month (talk)". */
static void put_group(Arena *a, Buf *b, const MoneyCase *c, size_t leader)
{
	const MoneyClaim *first = &c->claims[leader];

	put_claim(a, b, c, first);
	for (size_t i = leader + 1; i < c->claim_count; i++)
		if (c->claims[i].kind == first->kind &&
		    near(measure_of(&c->claims[i]), measure_of(first), SAME)) {
			buf_put(b, S(" = "));
			put_claim(a, b, c, &c->claims[i]);
		}
}

static void check_kind(Arena *a, const MoneyCase *c, MoneyClaimKind kind, MoneyResult *r)
{
	AUTO(buf_fini) Buf b = { 0 };
	size_t groups = 0;

	for (size_t i = 0; i < c->claim_count; i++) {
		if (c->claims[i].kind != kind || !leads_group(c, i))
			continue;
		if (groups++)
			buf_put(&b, S("; "));
		put_group(a, &b, c, i);
	}
	if (groups > 1)
		money_remark(
			a, r,
			"%zu different figures are given for %s: %.*s. None was taken, nor their mean.",
			groups, kinds[kind].text, STR_ARG(buf_str(&b)));
}

static bool came_out(const MoneyCase *c, const MoneyResult *r, MoneyClaimKind kind, double *value)
{
	const MoneyFigure figures[CLAIM_KINDS] = {
		[CLAIM_COST] = { r->annual.is, r->annual.known && !r->missing },
		[CLAIM_SAVING] = { { 0, c->in[MONEY_SAVING].is.likely * 12, 0 },
		                   c->in[MONEY_SAVING].source != MONEY_UNKNOWN },
		[CLAIM_REFACTORING] = r->cost,
		[CLAIM_WEEKS] = { { 0, r->weeks, 0 }, r->weeks > 0 },
		[CLAIM_PAYBACK] = r->payback,
		[CLAIM_NET] = r->net,
	};

	*value = figures[kind].is.likely;
	return figures[kind].known;
}

/* A saving removes a part of a cost, never more than all of it. */
static void weigh_saving(Arena *a, const MoneyCase *c, const MoneyClaim *claim, bool contradicts,
                         MoneyResult *r)
{
	double saving = c->in[MONEY_SAVING].is.likely * 12, cost = measure_of(claim);
	bool same = near(saving, cost, SAME);

	if (claim->kind != CLAIM_COST || c->in[MONEY_SAVING].source == MONEY_UNKNOWN || cost <= 0 ||
	    contradicts != (saving > cost && !same))
		return;
	if (same)
		money_remark(
			a, r,
			"If the debt costs %.*s a year, the saving is all of it: nothing of the debt would be left.",
			STR_ARG(money_amount_text(a, c, cost)));
	else
		money_remark(
			a, r,
			"If the debt costs %.*s a year, the saving of %.*s a year is %.0f %% of it%s.",
			STR_ARG(money_amount_text(a, c, cost)),
			STR_ARG(money_amount_text(a, c, saving)), 100 * saving / cost,
			contradicts ? ", more than there is" : "");
}

/* Hours without a rate: what an hour would have to cost. */
static void say_rate(Arena *a, const MoneyCase *c, const MoneyClaim *claim, MoneyResult *r)
{
	double hours = c->in[MONEY_HOURS].is.likely * 12;

	if (claim->kind != CLAIM_COST || c->in[MONEY_HOURS].source == MONEY_UNKNOWN ||
	    c->in[MONEY_RATE].source != MONEY_UNKNOWN || hours <= 0)
		return;
	money_remark(
		a, r,
		"%.*s a year from %.0f lost hours a month alone would be %.*s an hour; no rate was given.",
		STR_ARG(money_amount_text(a, c, measure_of(claim))), hours / 12,
		STR_ARG(money_amount_text(a, c, measure_of(claim) / hours)));
}

static void check_claim(Arena *a, const MoneyCase *c, const MoneyClaim *claim, MoneyResult *r)
{
	AUTO(buf_fini) Buf b = { 0 };
	double value;

	put_claim(a, &b, c, claim);
	if (came_out(c, r, claim->kind, &value) && !near(value, measure_of(claim), ROUNDED))
		money_remark(a, r, "Said of %s: %.*s; from the inputs comes %.*s.",
		             kinds[claim->kind].text, STR_ARG(buf_str(&b)),
		             STR_ARG(shown(a, c, claim->kind, value)));
	weigh_saving(a, c, claim, true, r);
}

void money_check_claims(Arena *a, const MoneyCase *c, MoneyResult *r)
{
	for (MoneyClaimKind kind = 0; kind < CLAIM_KINDS; kind++)
		check_kind(a, c, kind, r);
	for (size_t i = 0; i < c->claim_count; i++)
		if (leads_group(c, i))
			check_claim(a, c, &c->claims[i], r);
	r->contradictions = r->remark_count;
	for (size_t i = 0; i < c->claim_count; i++)
		if (leads_group(c, i)) {
			weigh_saving(a, c, &c->claims[i], false, r);
			say_rate(a, c, &c->claims[i], r);
		}
}

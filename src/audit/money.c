/* SPDX-License-Identifier: Apache-2.0
 *
 * The formula: annual cost = hours lost a month x hourly rate x 12 + infrastructure overhead a month x 12 + opportunity cost of delayed
 * features + cost of security risks + customers lost to poor performance.
 *
 * Every figure is a range, low to high, and ranges are combined at their ends: the worst payback is the dearest work over the smallest
 * saving. A part that nobody gave counts nothing and is counted as missing; a sum of none is unknown. Interest (hours lost, every year)
 * and principal (hours to mend, once) are two things and are never added. What replaces the monolith costs something too: it is
 * subtracted from the saving, and if it was not given, that is said.
 * Not here: reading figures (money_read.c), figures that contradict each other (money_claims.c), words on a screen (money_report.c). */
#include "audit/money_int.h"

#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>

enum { MONTHS = 12 };

static const MoneyInRow in_rows[MONEY_INPUTS] = {
	[MONEY_HOURS] = { "hours_lost", AMOUNT_HOURS, " a month", "hours lost to the debt",
	                  .assumed = true },
	[MONEY_RATE] = { "rate", AMOUNT_MONEY, " an hour", "price of an hour", .assumed = true },
	[MONEY_INFRASTRUCTURE] = { "infrastructure", AMOUNT_MONEY, " a month",
	                           "infrastructure overhead", .assumed = true },
	[MONEY_OPPORTUNITY] = { "opportunity", AMOUNT_MONEY, " a year", "delayed features",
	                        .assumed = true },
	[MONEY_SECURITY] = { "security", AMOUNT_MONEY, " a year", "security risks",
	                     .assumed = true },
	[MONEY_CHURN] = { "churn", AMOUNT_MONEY, " a year", "customers lost to slowness",
	                  .assumed = true },
	[MONEY_SAVING] = { "saving", AMOUNT_MONEY, " a month", "saving once it is done",
	                   .assumed = true },
	[MONEY_REMOVED] = { "removed", AMOUNT_SHARE, "", "share of the cost that goes", 1,
	                    .assumed = true },
	[MONEY_RUNNING] = { "running", AMOUNT_MONEY, " a month", "running what replaces it",
	                    .assumed = true },
	[MONEY_YEARS] = { "years", AMOUNT_YEARS, "", "looked ahead", 50 },
	[MONEY_BUDGET] = { "budget", AMOUNT_MONEY, " a year", "development budget" },
	[MONEY_VELOCITY] = { "velocity_fall", AMOUNT_SHARE, " a year", "velocity falls by", 1 },
	[MONEY_AVAILABILITY] = { "availability", AMOUNT_SHARE, "", "availability", 1 },
	[MONEY_MAINTENANCE] = { "maintenance", AMOUNT_SHARE, "", "critical people's maintenance",
	                        1 },
	[MONEY_PRINCIPAL] = { "principal", AMOUNT_HOURS, "", "mending what was found",
	                      .assumed = true },
};

static const struct {
	const char *name, *text;
} verdicts[MONEY_VERDICTS] = {
	[VERDICT_UNKNOWN] = { "unknown", "Nobody can say yet whether it pays" },
	[VERDICT_PAYS] = { "pays", "It pays, even if everything comes at its worst" },
	[VERDICT_LIKELY] = { "likely", "It most likely pays; at its worst it does not" },
	[VERDICT_DOUBTFUL] = { "doubtful",
	                       "It most likely does not pay; only at its best it does" },
	[VERDICT_NOT] = { "does-not-pay", "It does not pay, even if everything comes at its best" },
};

const MoneyInRow *money_row(MoneyIn in)
{
	return &in_rows[in];
}

const char *money_source_name(MoneySource source)
{
	static const char *const names[MONEY_SOURCES] = { [MONEY_UNKNOWN] = "unknown",
		                                          [MONEY_DEFAULT] = "default",
		                                          [MONEY_CONFIGURED] = "configured",
		                                          [MONEY_MEASURED] = "measured" };

	return names[source];
}

const char *money_verdict_name(MoneyVerdict verdict)
{
	return verdicts[verdict].name;
}

const char *money_verdict_text(MoneyVerdict verdict)
{
	return verdicts[verdict].text;
}

void money_remark(Arena *a, MoneyResult *r, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	if (r->remark_count == MONEY_REMARKS)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	r->remarks[r->remark_count++] = str_dup(a, str_of(text));
}

Str money_amount_text(Arena *a, const MoneyCase *c, double amount)
{
	AUTO(buf_fini) Buf b = { 0 };

	money_amount_put(&b, c->currency, amount);
	return str_dup(a, buf_str(&b));
}

/* --- ranges --------------------------------------------------------------------------------------------------------------------------- */

static MoneyFigure given(const MoneyCase *c, MoneyIn in)
{
	return (MoneyFigure){ c->in[in].is, c->in[in].source != MONEY_UNKNOWN };
}

static Range scaled(Range x, double by)
{
	return (Range){ x.low * by, x.likely * by, x.high * by };
}

/* Neither is negative. */
static Range times(Range x, Range y)
{
	return (Range){ x.low * y.low, x.likely * y.likely, x.high * y.high };
}

static Range plus(Range x, Range y)
{
	return (Range){ x.low + y.low, x.likely + y.likely, x.high + y.high };
}

static Range minus(Range x, Range y)
{
	return (Range){ x.low - y.high, x.likely - y.likely, x.high - y.low };
}

static double quotient(double x, double y)
{
	return y > 0 ? x / y : (double)INFINITY;
}

static Range over(Range x, Range y)
{
	return (Range){ quotient(x.low, y.high), quotient(x.likely, y.likely),
		        quotient(x.high, y.low) };
}

/* --- the formula ---------------------------------------------------------------------------------------------------------------------- */

static MoneyFigure product(MoneyFigure x, MoneyFigure y, double by)
{
	if (!x.known || !y.known)
		return (MoneyFigure){ 0 };
	return (MoneyFigure){ scaled(times(x.is, y.is), by), true };
}

static void reckon_annual(const MoneyCase *c, MoneyResult *r)
{
	r->parts[0] = product(given(c, MONEY_HOURS), given(c, MONEY_RATE), MONTHS);
	for (size_t i = 1; i < MONEY_PARTS; i++) {
		MoneyIn in = MONEY_INFRASTRUCTURE + (MoneyIn)(i - 1);

		r->parts[i] = given(c, in);
		if (in == MONEY_INFRASTRUCTURE)
			r->parts[i].is = scaled(r->parts[i].is, MONTHS);
	}
	for (size_t i = 0; i < MONEY_PARTS; i++) {
		if (!r->parts[i].known) {
			r->missing++;
			continue;
		}
		r->annual.is = plus(r->annual.is, r->parts[i].is);
		r->annual.known = true;
	}
	r->interest = r->parts[0];
	r->principal = product(given(c, MONEY_PRINCIPAL), given(c, MONEY_RATE), 1);
}

static void reckon_work(const MoneyCase *c, MoneyResult *r)
{
	for (size_t i = 0; i < c->phase_count; i++) {
		r->cost.is = plus(r->cost.is, c->phases[i].cost);
		r->weeks += c->phases[i].weeks;
		r->cost.known = true;
	}
}

static void reckon_saving(const MoneyCase *c, MoneyResult *r)
{
	MoneyFigure running = given(c, MONEY_RUNNING);

	r->saving = given(c, MONEY_SAVING);
	if (!r->saving.known)
		r->saving = product(r->annual, given(c, MONEY_REMOVED), 1.0 / MONTHS);
	if (r->saving.known && running.known)
		r->saving.is = minus(r->saving.is, running.is);
}

static MoneyVerdict verdict_of(const MoneyFigure *net)
{
	if (!net->known)
		return VERDICT_UNKNOWN;
	if (net->is.low > 0)
		return VERDICT_PAYS;
	if (net->is.likely > 0)
		return VERDICT_LIKELY;
	return net->is.high > 0 ? VERDICT_DOUBTFUL : VERDICT_NOT;
}

/* A loss weighs most on the smallest price. */
static Range return_on(Range all, Range cost)
{
	return (Range){ all.low / (all.low < 0 ? cost.low : cost.high) - 1,
		        all.likely / cost.likely - 1,
		        all.high / (all.high < 0 ? cost.high : cost.low) - 1 };
}

static void reckon_return(const MoneyCase *c, MoneyResult *r)
{
	double years = c->in[MONEY_YEARS].is.likely;
	MoneyFigure running = given(c, MONEY_RUNNING);

	if (r->cost.known && r->annual.known) {
		Range yearly = scaled(r->cost.is, quotient(1, years));

		if (running.known)
			yearly = plus(yearly, scaled(running.is, MONTHS));
		r->break_even = (MoneyFigure){ over(yearly, r->annual.is), true };
	}
	if (r->cost.known && r->saving.known) {
		Range all = scaled(r->saving.is, MONTHS * years), cost = r->cost.is;

		r->payback = (MoneyFigure){ over(cost, r->saving.is), true };
		r->net = (MoneyFigure){ minus(all, cost), true };
		if (cost.low > 0)
			r->roi = (MoneyFigure){ return_on(all, cost), true };
	}
	r->verdict = verdict_of(&r->net);
}

/* --- thresholds ----------------------------------------------------------------------------------------------------------------------- */

static void judge(MoneyThreshold *t)
{
	bool low, high, likely;

	if (!t->value.known)
		return;
	low = t->below ? t->value.is.low < t->limit : t->value.is.low > t->limit;
	high = t->below ? t->value.is.high < t->limit : t->value.is.high > t->limit;
	likely = t->below ? t->value.is.likely < t->limit : t->value.is.likely > t->limit;
	t->crossed = likely ? CROSSED_YES : CROSSED_NO;
	t->doubtful = low != high;
}

static void reckon_thresholds(const MoneyCase *c, MoneyResult *r)
{
	static const struct {
		MoneyIn in;
		MoneyThreshold is;
	} rows[MONEY_THRESHOLDS] = {
		{ MONEY_BUDGET, { .text = "debt, of the development budget", .limit = 0.4 } },
		{ MONEY_VELOCITY, { .text = "velocity lost a year", .limit = 0.2 } },
		{ MONEY_AVAILABILITY, { .text = "availability", .limit = 0.99, .below = true } },
		{ MONEY_MAINTENANCE,
		  { .text = "critical people's time for maintenance", .limit = 0.5 } },
	};

	for (size_t i = 0; i < MONEY_THRESHOLDS; i++) {
		MoneyThreshold *t = &r->thresholds[i];

		*t = rows[i].is;
		t->source = c->in[rows[i].in].source;
		t->value = given(c, rows[i].in);
		if (rows[i].in == MONEY_BUDGET && t->value.known) {
			t->value.known = r->annual.known;
			t->value.is = over(r->annual.is, t->value.is);
		}
		if (!t->value.known)
			t->source = MONEY_UNKNOWN;
		judge(t);
	}
}

/* --- what to mind --------------------------------------------------------------------------------------------------------------------- */

static void remark_missing(Arena *a, MoneyResult *r)
{
	if (r->annual.known && r->missing)
		money_remark(
			a, r,
			"%zu of the formula's five parts %s not known and count nothing, so the debt costs at least this.",
			r->missing, r->missing == 1 ? "is" : "are");
	if (r->verdict == VERDICT_UNKNOWN && !r->cost.known)
		money_remark(a, r,
		             "The price of the work is not known: give its phases or its cost.");
	if (r->verdict == VERDICT_UNKNOWN && !r->saving.known)
		money_remark(
			a, r,
			"The saving is not known: give it, or the share of the annual cost that goes away.");
}

static void remark_time(Arena *a, const MoneyCase *c, MoneyResult *r)
{
	double months = r->weeks * 12 / 52, back = r->payback.is.likely;

	if (!r->payback.known || !isfinite(back))
		return;
	if (months > 0)
		money_remark(
			a, r,
			"Payback counts from the day the savings begin; counted from the start of %.0f weeks of work it is month %.0f.",
			r->weeks, ceil(months + back));
	if (back - floor(back) > 0.005)
		money_remark(a, r,
		             "%.1f months: after %.0f months it is not all back, after %.0f it is.",
		             back, floor(back), ceil(back));
	if (c->in[MONEY_SAVING].source != MONEY_UNKNOWN && r->annual.known &&
	    c->in[MONEY_SAVING].is.likely * MONTHS > r->annual.is.likely * 1.01)
		money_remark(
			a, r,
			"The saving is larger than what the debt is known to cost (%.0f %% of it): a part of the cost is missing, or the saving is too high.",
			100 * c->in[MONEY_SAVING].is.likely * MONTHS / r->annual.is.likely);
}

/* The net gain is nought when running costs this much a month. */
static void remark_running(Arena *a, const MoneyCase *c, MoneyResult *r)
{
	double most =
		r->saving.is.likely - r->cost.is.likely / MONTHS / c->in[MONEY_YEARS].is.likely;

	if (!r->saving.known || c->in[MONEY_RUNNING].source != MONEY_UNKNOWN)
		return;
	money_remark(
		a, r,
		"What it costs to run what replaces the monolith was not given, so nothing is subtracted for it.");
	if (r->net.known && most > 0)
		money_remark(
			a, r,
			"Above %.*s a month for running it, the work most likely does not pay.",
			STR_ARG(money_amount_text(a, c, most)));
}

void money_reckon(Arena *a, const MoneyCase *c, MoneyResult *out)
{
	*out = (MoneyResult){ 0 };
	reckon_annual(c, out);
	reckon_work(c, out);
	reckon_saving(c, out);
	reckon_return(c, out);
	reckon_thresholds(c, out);
	money_check_claims(a, c, out);
	remark_missing(a, out);
	remark_running(a, c, out);
	remark_time(a, c, out);
}

void money_measured(MoneyCase *c, MoneyIn in, double value, Str from)
{
	if (c->in[in].source == MONEY_UNKNOWN || c->in[in].source == MONEY_DEFAULT)
		c->in[in] = (MoneyInput){ { value, value, value }, MONEY_MEASURED, from };
}

double money_hours_lost(const MoneyFile *files, size_t count, double team_hours, double slowest)
{
	double lost = 0;

	for (size_t i = 0; i < count; i++) {
		double ill = 1 - fmin(fmax(files[i].health, 0), 100) / 100;
		double slower = 1 + (slowest - 1) * ill;

		lost += team_hours * files[i].churn_share * (1 - 1 / slower);
	}
	return lost;
}

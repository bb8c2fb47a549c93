/* SPDX-License-Identifier: Apache-2.0
 *
 * What is said of the money: the verdict first, then what it stands on: the formula with its figures, the work, the four thresholds, every
 * input with its range and where it is from, and last what contradicts what. What is not known is named, so that it can be asked for. */
#include "audit/money_report.h"

#include "audit/money_int.h"
#include "base/arena.h"

static const char *const part_names[MONEY_PARTS] = { "hours_lost", "infrastructure", "opportunity",
	                                             "security", "churn" };

static Str cash(Arena *a, const MoneyCase *c, const MoneyFigure *f)
{
	return f->known ? money_amount_text(a, c, f->is.likely) : S("not known");
}

/* " ($75K to $225K)"; nothing when it is a point. */
static Str cash_range(Arena *a, const MoneyCase *c, Range is)
{
	if (is.low == is.high)
		return S("");
	return str_fmt(a, " (%.*s to %.*s)", STR_ARG(money_amount_text(a, c, is.low)),
	               STR_ARG(money_amount_text(a, c, is.high)));
}

static Str amount(Arena *a, const MoneyCase *c, MoneyUnit unit, double x)
{
	switch (unit) {
	case AMOUNT_MONEY:
		return money_amount_text(a, c, x);
	case AMOUNT_SHARE:
		return str_fmt(a, "%.4g %%", 100 * x);
	case AMOUNT_HOURS:
		return str_fmt(a, "%.10g hours", round(x));
	case AMOUNT_YEARS:
		return str_fmt(a, "%.3g years", x);
	}
	return S("");
}

static Str months(Arena *a, double x)
{
	return isfinite(x) ? str_fmt(a, "%.1f", x) : S("never");
}

static void put_inputs(Buf *b, Arena *a, const MoneyCase *c)
{
	buf_put(b, S("\nInputs\n"));
	for (MoneyIn in = 0; in < MONEY_INPUTS; in++) {
		const MoneyInput *i = &c->in[in];
		const MoneyInRow *row = money_row(in);

		if (i->source == MONEY_UNKNOWN)
			continue;
		buf_fmt(b, "  %-30s %.*s%s", row->text,
		        STR_ARG(amount(a, c, row->unit, i->is.likely)), row->per);
		if (i->is.low != i->is.high)
			buf_fmt(b, " (%.*s to %.*s)", STR_ARG(amount(a, c, row->unit, i->is.low)),
			        STR_ARG(amount(a, c, row->unit, i->is.high)));
		buf_fmt(b, ", %s%s%.*s\n", money_source_name(i->source), i->from.len ? ": " : "",
		        STR_ARG(i->from));
	}
	buf_put(b, S("  not known:"));
	for (MoneyIn in = 0, first = 1; in < MONEY_INPUTS; in++)
		if (c->in[in].source == MONEY_UNKNOWN) {
			buf_fmt(b, "%s %s", first ? "" : ",", money_row(in)->key);
			first = 0;
		}
	buf_putc(b, '\n');
}

static void put_formula(Buf *b, Arena *a, const MoneyCase *c, const MoneyResult *r)
{
	buf_put(b,
	        S("\nThe debt, a year = hours lost x rate x 12 + infrastructure x 12 + delayed features + security + churn\n  = "));
	for (size_t i = 0; i < MONEY_PARTS; i++)
		buf_fmt(b, "%s%.*s", i ? " + " : "", STR_ARG(cash(a, c, &r->parts[i])));
	buf_fmt(b, "\n  = %s%.*s%.*s\n", r->annual.known && r->missing ? "at least " : "",
	        STR_ARG(cash(a, c, &r->annual)), STR_ARG(cash_range(a, c, r->annual.is)));
	buf_fmt(b, "  interest (hours lost, a year) %.*s; principal (to mend all, once) %.*s\n",
	        STR_ARG(cash(a, c, &r->interest)), STR_ARG(cash(a, c, &r->principal)));
}

static void put_return(Buf *b, Arena *a, const MoneyCase *c, const MoneyResult *r)
{
	buf_fmt(b, "\nThe work     %.*s%.*s", STR_ARG(cash(a, c, &r->cost)),
	        STR_ARG(cash_range(a, c, r->cost.is)));
	if (r->weeks > 0)
		buf_fmt(b, ", %.4g weeks in %zu phases", r->weeks, c->phase_count);
	buf_fmt(b, "\nThe saving   %.*s%s%.*s\n", STR_ARG(cash(a, c, &r->saving)),
	        r->saving.known ? " a month" : "", STR_ARG(cash_range(a, c, r->saving.is)));
	if (r->payback.known)
		buf_fmt(b, "Payback      %.*s months (%.*s to %.*s)\n",
		        STR_ARG(months(a, r->payback.is.likely)),
		        STR_ARG(months(a, r->payback.is.low)),
		        STR_ARG(months(a, r->payback.is.high)));
	if (r->net.known)
		buf_fmt(b, "Net gain     %.*s over %.3g years%.*s\n", STR_ARG(cash(a, c, &r->net)),
		        c->in[MONEY_YEARS].is.likely, STR_ARG(cash_range(a, c, r->net.is)));
	if (r->roi.known)
		buf_fmt(b, "ROI          %.0f %% (%.0f %% to %.0f %%)\n", 100 * r->roi.is.likely,
		        100 * r->roi.is.low, 100 * r->roi.is.high);
	if (r->break_even.known)
		buf_fmt(b,
		        "Break-even   when %.0f %% of the annual cost goes away (%.0f %% to %.0f %%)\n",
		        100 * r->break_even.is.likely, 100 * r->break_even.is.low,
		        100 * r->break_even.is.high);
}

static const char *crossed_word(const MoneyThreshold *t)
{
	if (t->crossed == CROSSED_UNKNOWN)
		return "unknown";
	if (t->doubtful)
		return t->crossed == CROSSED_YES ? "probably crossed" : "probably kept";
	return t->crossed == CROSSED_YES ? "crossed" : "kept";
}

static void put_thresholds(Buf *b, const MoneyResult *r)
{
	size_t crossed = 0, known = 0;

	for (size_t i = 0; i < MONEY_THRESHOLDS; i++) {
		crossed += r->thresholds[i].crossed == CROSSED_YES;
		known += r->thresholds[i].crossed != CROSSED_UNKNOWN;
	}
	buf_fmt(b, "\nThresholds: %zu of %d crossed, %zu unknown\n", crossed, MONEY_THRESHOLDS,
	        MONEY_THRESHOLDS - known);
	for (size_t i = 0; i < MONEY_THRESHOLDS; i++) {
		const MoneyThreshold *t = &r->thresholds[i];

		buf_fmt(b, "  %-40s limit %g %%  %s", t->text, 100 * t->limit, crossed_word(t));
		if (t->value.known)
			buf_fmt(b, ": %.4g %% (%s)", 100 * t->value.is.likely,
			        money_source_name(t->source));
		buf_putc(b, '\n');
	}
}

static void put_remarks(Buf *b, const char *title, const Str *remarks, size_t count)
{
	if (count)
		buf_fmt(b, "\n%s\n", title);
	for (size_t i = 0; i < count; i++)
		buf_fmt(b, "  - %.*s\n", STR_ARG(remarks[i]));
}

void money_put_screen(Buf *b, Arena *a, const MoneyCase *c, const MoneyResult *r)
{
	buf_fmt(b, "%s%s.\n", money_verdict_text(r->verdict),
	        r->net.known && c->in[MONEY_RUNNING].source == MONEY_UNKNOWN
	                ? " (the cost of running what replaces it is not known and not in it)"
	                : "");
	put_return(b, a, c, r);
	put_formula(b, a, c, r);
	put_thresholds(b, r);
	put_inputs(b, a, c);
	put_remarks(b, "Contradictions", r->remarks, r->contradictions);
	put_remarks(b, "Mind", r->remarks + r->contradictions, r->remark_count - r->contradictions);
}

/* --- JSON ----------------------------------------------------------------------------------------------------------------------------- */

static void json_range(JsonWriter *w, const char *key, const MoneyFigure *f)
{
	json_key(w, str_of(key));
	if (!f->known) {
		json_add_null(w);
		return;
	}
	json_begin_object(w);
	json_put_real(w, "low", f->is.low);
	json_put_real(w, "likely", f->is.likely);
	json_put_real(w, "high", f->is.high);
	json_end(w);
}

static void json_inputs(JsonWriter *w, const MoneyCase *c)
{
	json_key(w, S("inputs"));
	json_begin_object(w);
	for (MoneyIn in = 0; in < MONEY_INPUTS; in++) {
		MoneyFigure f = { c->in[in].is, c->in[in].source != MONEY_UNKNOWN };

		json_key(w, str_of(money_row(in)->key));
		json_begin_object(w);
		json_range(w, "value", &f);
		json_put_str(w, "source", str_of(money_source_name(c->in[in].source)));
		if (c->in[in].from.len)
			json_put_str(w, "from", c->in[in].from);
		json_end(w);
	}
	json_end(w);
}

static void json_thresholds(JsonWriter *w, const MoneyResult *r)
{
	static const char *const words[] = {
		[CROSSED_UNKNOWN] = "unknown", [CROSSED_NO] = "kept", [CROSSED_YES] = "crossed"
	};

	json_key(w, S("thresholds"));
	json_begin_array(w);
	for (size_t i = 0; i < MONEY_THRESHOLDS; i++) {
		const MoneyThreshold *t = &r->thresholds[i];

		json_begin_object(w);
		json_put_str(w, "of", str_of(t->text));
		json_put_real(w, "limit", t->limit);
		json_put_str(w, "crossed_when", t->below ? S("below") : S("above"));
		json_range(w, "value", &t->value);
		json_put_str(w, "source", str_of(money_source_name(t->source)));
		json_put_str(w, "is", str_of(words[t->crossed]));
		json_put_bool(w, "doubtful", t->doubtful);
		json_end(w);
	}
	json_end(w);
}

static void json_texts(JsonWriter *w, const char *key, const Str *texts, size_t count)
{
	json_key(w, str_of(key));
	json_begin_array(w);
	for (size_t i = 0; i < count; i++)
		json_add_str(w, texts[i]);
	json_end(w);
}

void money_put_json(JsonWriter *w, const MoneyCase *c, const MoneyResult *r)
{
	json_begin_object(w);
	json_put_str(w, "verdict", str_of(money_verdict_name(r->verdict)));
	json_put_str(w, "sentence", str_of(money_verdict_text(r->verdict)));
	json_put_str(w, "currency", c->currency);
	json_range(w, "annual_cost", &r->annual);
	json_key(w, S("parts"));
	json_begin_object(w);
	for (size_t i = 0; i < MONEY_PARTS; i++)
		json_range(w, part_names[i], &r->parts[i]);
	json_end(w);
	json_put_u64(w, "parts_missing", r->missing);
	json_range(w, "interest_a_year", &r->interest);
	json_range(w, "principal", &r->principal);
	json_range(w, "refactoring_cost", &r->cost);
	json_put_real(w, "weeks", r->weeks);
	json_range(w, "saving_a_month", &r->saving);
	json_range(w, "payback_months", &r->payback);
	json_range(w, "net", &r->net);
	json_range(w, "roi", &r->roi);
	json_range(w, "break_even_share", &r->break_even);
	json_thresholds(w, r);
	json_inputs(w, c);
	json_texts(w, "contradictions", r->remarks, r->contradictions);
	json_texts(w, "remarks", r->remarks + r->contradictions,
	           r->remark_count - r->contradictions);
	json_end(w);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The money of an audit. The configuration's figures win over what was measured, as whoever gave them knows why. Two are measured here. The
 * principal: minutes of all findings that count. The hours lost: the team's hours, by the share of changes that each file had in the last year, and
 * how much slower a change in such a file is (money_hours_lost); so it takes a history and the team's hours, and where one is missing it is unknown. */
#include "audit/audit_money.h"

#include "audit/money_report.h"
#include "base/arena.h"

#define WORST_RATIO 0.5 /* rating E begins here */
#define DOUBTED 2.0     /* interest of a year, in principals */
#define SLOWEST \
	2.24 /* "Code Red": a change in the least healthy code takes so many times as long */

static Str measured_from(Arena *a, const AuditTotals *t)
{
	return str_fmt(a, "%" PRIu64 " findings by their rules (SQALE)", t->count);
}

double *audit_minutes_by_file(Arena *a, const Project *project, const Findings *findings)
{
	double *minutes = ARENA_ARRAY(a, double, project->count + 1);
	size_t file = 0;

	for (size_t i = 0; i < findings->count; i++) {
		const Finding *f = &findings->at[i];

		while (file < project->count && str_cmp(project->files[file].path, f->path) < 0)
			file++;
		if (file < project->count && str_eq(project->files[file].path, f->path) &&
		    !f->ignored_why.len &&
		    (f->rule->class == FINDING_MAINTAIN || f->rule->class == FINDING_ARCHITECTURE))
			minutes[file] += finding_minutes(f);
	}
	return minutes;
}

/* 100 without findings, 0 where they would take half the time that it takes to write the file (rating E). */
static double health_of(const AuditFile *file, double minutes)
{
	double written = (double)file->measures.lines.sloc * AUDIT_LINE_MINUTES;

	return written > 0 ? 100 * (1 - fmin(1, minutes / written / WORST_RATIO)) : 100;
}

/* From half of what was found to slow a change on average to half as much again: it is an average over other people's code. */
static Range range_of(const MoneyFile *files, size_t count, double capacity)
{
	const double more = SLOWEST - 1;

	return (Range){ money_hours_lost(files, count, capacity, 1 + 0.5 * more),
		        money_hours_lost(files, count, capacity, SLOWEST),
		        money_hours_lost(files, count, capacity, 1 + 1.5 * more) };
}

static bool hours_lost(Arena *a, const AuditRules *rules, const Audit *audit, Range *hours)
{
	const Project *p = &audit->project;
	MoneyFile *files = ARENA_ARRAY(a, MoneyFile, p->count + 1);
	const double *minutes = audit_minutes_by_file(a, p, &audit->findings);
	uint64_t changes = 0;
	size_t count = 0;

	if (audit->history.why_not.len || rules->conf->capacity <= 0)
		return false;
	for (size_t i = 0; i < p->count; i++) {
		const HistoryFile *past = history_file(&audit->history, p->files[i].path);

		if (p->files[i].kind != SOURCE_CODE || !past || !past->recent)
			continue;
		files[count++] = (MoneyFile){ health_of(&p->files[i], minutes[i]), past->recent };
		changes += past->recent;
	}
	if (!changes)
		return false;
	for (size_t i = 0; i < count; i++)
		files[i].churn_share /= (double)changes;
	*hours = range_of(files, count, rules->conf->capacity);
	return true;
}

static void hold_against(const Audit *audit, AuditMoney *money)
{
	const MoneyFigure *principal = &money->result.principal;
	uint64_t lines = 0;

	for (size_t i = 0; i < audit->project.count; i++)
		if (audit->project.files[i].kind == SOURCE_CODE)
			lines += audit->project.files[i].measures.lines.sloc;
	if (!principal->known || !lines)
		return;
	money->a_line = (MoneyFigure){ { principal->is.low / (double)lines,
		                         principal->is.likely / (double)lines,
		                         principal->is.high / (double)lines },
		                       true };
	if (!str_eq(money->given.currency, S("$")))
		return;
	money->sane = '=';
	if (money->a_line.is.likely < AUDIT_MONEY_LINE / AUDIT_MONEY_NEAR)
		money->sane = '<';
	else if (money->a_line.is.likely > AUDIT_MONEY_LINE * AUDIT_MONEY_NEAR)
		money->sane = '>';
}

Err *audit_money_step(Arena *a, const AuditRules *rules, Audit *audit)
{
	AuditMoney *money = ARENA_NEW(a, AuditMoney);
	MoneyInput *lost = &money->given.in[MONEY_HOURS];
	Range hours;

	TRY(money_case_of(a, audit_section(rules, money_table()), &money->given));
	for (MoneyIn in = 0; in < MONEY_INPUTS; in++)
		money->anything |= money->given.in[in].source > MONEY_DEFAULT;
	money->anything |= money->given.phase_count || money->given.claim_count;
	if (audit->totals.count)
		money_measured(&money->given, MONEY_PRINCIPAL, audit->totals.minutes / 60,
		               measured_from(a, &audit->totals));
	if (hours_lost(a, rules, audit, &hours)) {
		money_measured(
			&money->given, MONEY_HOURS, hours.likely,
			S("an estimate: changes of the last year by file, and how much its findings "
		          "slow a change (2.24 times at most, on average over other code: Code Red)"));
		if (lost->source == MONEY_MEASURED)
			lost->is = hours;
	}
	money_reckon(a, &money->given, &money->result);
	hold_against(audit, money);
	audit->money = money;
	return NULL;
}

static void put_figure(FILE *out, const MoneyCase *c, const MoneyFigure *f)
{
	AUTO(buf_fini) Buf b = { 0 };

	if (!f->known) {
		fputs("not known", out);
		return;
	}
	money_amount_put(&b, c->currency, f->is.likely);
	if (f->is.low < f->is.high) {
		buf_put(&b, S(" ("));
		money_amount_put(&b, c->currency, f->is.low);
		buf_put(&b, S(" to "));
		money_amount_put(&b, c->currency, f->is.high);
		buf_putc(&b, ')');
	}
	fwrite(b.at, 1, b.len, out);
}

/* Given and measured figures alike; what is unknown crosses nothing and is counted. */
static void put_thresholds(FILE *out, const MoneyResult *r)
{
	size_t crossed = 0, unknown = 0;

	for (size_t i = 0; i < MONEY_THRESHOLDS; i++)
		unknown += r->thresholds[i].crossed == CROSSED_UNKNOWN;
	if (unknown == MONEY_THRESHOLDS)
		return;
	fprintf(out, "  thresholds crossed: ");
	for (size_t i = 0; i < MONEY_THRESHOLDS; i++)
		if (r->thresholds[i].crossed == CROSSED_YES)
			fprintf(out, "%s%s %.4g %%%s", crossed++ ? "; " : "", r->thresholds[i].text,
			        100 * r->thresholds[i].value.is.likely,
			        r->thresholds[i].doubtful ? " (probably)" : "");
	fprintf(out, "%s; %zu of %d unknown\n", crossed ? "" : "none", unknown, MONEY_THRESHOLDS);
}

static void put_return(FILE *out, const AuditMoney *money)
{
	const MoneyResult *r = &money->result;

	if (!r->payback.known || !r->net.known)
		return;
	if (isfinite(r->payback.is.likely))
		fprintf(out, "  payback %.1f months; net gain ", r->payback.is.likely);
	else
		fprintf(out, "  payback never; net gain ");
	put_figure(out, &money->given, &r->net);
	fprintf(out, " over %.3g years%s\n", money->given.in[MONEY_YEARS].is.likely,
	        money->given.in[MONEY_RUNNING].source == MONEY_UNKNOWN
	                ? ", before what it costs to run what replaces it"
	                : "");
}

/* Nobody lets stand what pays within half a year, so such figures are more often wrong than true. */
static void put_doubt(FILE *out, const MoneyResult *r)
{
	if (!r->interest.known || !r->principal.known || r->principal.is.likely <= 0 ||
	    r->interest.is.likely < DOUBTED * r->principal.is.likely)
		return;
	fprintf(out,
	        "  a year's interest is %.0f times the principal: ask the team whether it loses those hours before you show this\n",
	        r->interest.is.likely / r->principal.is.likely);
}

void audit_money_screen(FILE *out, Arena *a, const AuditMoney *money)
{
	const MoneyResult *r = &money->result;

	(void)a;
	if (!money->anything) {
		fprintf(out,
		        "\nMoney: unknown, as `audit: { money: ... }` of banyan.yaml gives no figures (banyan roi --help)\n");
		return;
	}
	fprintf(out, "\nMoney: %s.\n  principal, once ", money_verdict_text(r->verdict));
	put_figure(out, &money->given, &r->principal);
	fprintf(out, "; interest, a year ");
	put_figure(out, &money->given, &r->interest);
	fprintf(out, "\n  annual cost ");
	put_figure(out, &money->given, &r->annual);
	if (r->missing && r->annual.known)
		fprintf(out, " at least: %zu of %d parts are not known", r->missing, MONEY_PARTS);
	else if (r->missing)
		fprintf(out, ", nor any of its parts (banyan roi --help has them)");
	fputc('\n', out);
	put_return(out, money);
	put_thresholds(out, r);
	put_doubt(out, r);
	if (money->sane)
		fprintf(out,
		        "  principal, a line of code: $%.2f, %s what CAST found on average in 2011 ($%.2f)\n",
		        money->a_line.is.likely,
		        money->sane == '='   ? "not far from"
		        : money->sane == '<' ? "far below"
		                             : "far above",
		        AUDIT_MONEY_LINE);
}

void audit_money_put_sanity(JsonWriter *w, const AuditMoney *money)
{
	json_begin_object(w);
	json_key(w, S("amount"));
	if (money->a_line.known)
		json_add_real(w, money->a_line.is.likely);
	else
		json_add_null(w);
	json_put_real(w, "reference", AUDIT_MONEY_LINE);
	json_put_str(w, "source", S("CAST, CRASH report of 2011: dollars a line, on average"));
	json_key(w, S("is"));
	if (money->sane)
		json_add_str(w, money->sane == '='   ? S("near")
		                : money->sane == '<' ? S("below")
		                                     : S("above"));
	else
		json_add_null(w);
	json_end(w);
}

void audit_money_put(JsonWriter *w, const AuditMoney *money)
{
	money_put_json(w, &money->given, &money->result);
}

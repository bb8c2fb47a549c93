/* SPDX-License-Identifier: Apache-2.0
 *
 * The money of an audit. The configuration's figures win over what was measured, as whoever gave them knows why. Two are measured here. The
 * principal: minutes of all findings that count. The hours lost: the team's hours, by the share of changes that each file had in the last year, and
 * how much slower a change in such a file is (money_hours_lost); so it takes a history and the team's hours, and where one is missing it is unknown. */
#include "audit/audit_money.h"

#include "audit/money_report.h"
#include "base/arena.h"

#define SLOWEST \
	2.24 /* "Code Red": a change in the least healthy code takes so many times as long */

static Str measured_from(Arena *a, const AuditTotals *t)
{
	return str_fmt(a, "%" PRIu64 " findings by their rules (SQALE)", t->count);
}

/* Health of a file is its maintainability index: 0 to 100, known for every file. */
static bool hours_lost(Arena *a, const AuditRules *rules, const Audit *audit, double *hours)
{
	const Project *p = &audit->project;
	MoneyFile *files = ARENA_ARRAY(a, MoneyFile, p->count + 1);
	uint64_t changes = 0;
	size_t count = 0;

	if (audit->history.why_not.len || rules->conf->capacity <= 0)
		return false;
	for (size_t i = 0; i < p->count; i++) {
		const HistoryFile *past = history_file(&audit->history, p->files[i].path);

		if (p->files[i].kind != SOURCE_CODE || !past || !past->recent)
			continue;
		files[count++] = (MoneyFile){ p->files[i].measures.mi, past->recent };
		changes += past->recent;
	}
	if (!changes)
		return false;
	for (size_t i = 0; i < count; i++)
		files[i].churn_share /= (double)changes;
	*hours = money_hours_lost(files, count, rules->conf->capacity, SLOWEST);
	return true;
}

Err *audit_money_step(Arena *a, const AuditRules *rules, Audit *audit)
{
	AuditMoney *money = ARENA_NEW(a, AuditMoney);
	double hours;

	TRY(money_case_of(a, audit_section(rules, money_table()), &money->given));
	for (MoneyIn in = 0; in < MONEY_INPUTS; in++)
		money->anything |= money->given.in[in].source > MONEY_DEFAULT;
	money->anything |= money->given.phase_count || money->given.claim_count;
	if (audit->totals.count)
		money_measured(&money->given, MONEY_PRINCIPAL, audit->totals.minutes / 60,
		               measured_from(a, &audit->totals));
	if (hours_lost(a, rules, audit, &hours))
		money_measured(
			&money->given, MONEY_HOURS, hours,
			S("changes of the last year by file, and the files' maintainability"));
	money_reckon(a, &money->given, &money->result);
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

void audit_money_screen(FILE *out, Arena *a, const AuditMoney *money)
{
	const MoneyResult *r = &money->result;

	(void)a;
	if (!money->anything) {
		fprintf(out,
		        "\nMoney: unknown, as `audit: { money: ... }` of banyan.yaml gives no figures (banyan roi --help)\n");
		return;
	}
	fprintf(out, "\nMoney: %s\n  principal, once ", money_verdict_text(r->verdict));
	put_figure(out, &money->given, &r->principal);
	fprintf(out, "; interest, a year ");
	put_figure(out, &money->given, &r->interest);
	fprintf(out, "\n  annual cost ");
	put_figure(out, &money->given, &r->annual);
	if (r->missing)
		fprintf(out, " at least: %zu of %d parts are not known", r->missing, MONEY_PARTS);
	fputc('\n', out);
}

void audit_money_put(JsonWriter *w, const AuditMoney *money)
{
	money_put_json(w, &money->given, &money->result);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The scorecard and the agenda as the command runs them: gathers where figures are from, weakest first, so that what a person says wins
 * over what a file says. Before anything is written all of it has been read. */
#include "audit/after.h"

#include "audit/outside.h"
#include "audit/review.h"
#include "audit/screen.h"
#include "audit/scorecard.h"
#include "base/arena.h"
#include "base/file.h"
#include "base/time.h"
#include "base/units.h"

static Err *fill_card(Arena *a, const AfterArgs *args, const Audit *audit, Scorecard *card)
{
	const Coverage *coverage = &audit->outside->coverage;
	const Builds *builds = &audit->outside->builds;
	Str text;
	Err *err;

	*card = (Scorecard){ .taken_utc_us = time_utc_us() };
	scorecard_take_project(card, &audit->project);
	scorecard_take_ci(card, coverage_percent(coverage) / 100,
	                  builds->known ? builds->median / 60 : -1);
	if (args->metrics.len) {
		TRY(file_read(a, args->metrics, 0, &text));
		if (!scorecard_take_metrics(card, text))
			return err_new(a, ERR_INVALID, "scorecard.metrics",
			               "%.*s has no answers of a gateway in it",
			               STR_ARG(args->metrics));
	}
	if (args->load.len) {
		TRY(file_read(a, args->load, 0, &text));
		err = scorecard_take_load(a, card, text);
		if (err)
			return err_because(
				a, err, err->kind, err->slug,
				"%.*s could not be read as a report of `banyan load --json`",
				STR_ARG(args->load));
	}
	for (size_t i = 0; i < args->scores.count; i++)
		TRY(scorecard_set(a, card, args->scores.at[i]));
	return NULL;
}

static double changes_of(const void *arg, Str path)
{
	const HistoryFile *file = history_file(arg, path);

	return file ? file->recent : 0;
}

/* How much a file matters is how often it was changed in the last year, where that is known. */
static void put_review(Cmd *cmd, const AfterArgs *args, const Audit *audit, double capacity, Buf *b)
{
	bool weighed = !audit->history.why_not.len;
	const ReviewRules rules = { .capacity_hours =
		                            args->capacity > 0 ? args->capacity : capacity,
		                    .share = (double)args->share / PPM_WHOLE,
		                    .weight = weighed ? changes_of : NULL,
		                    .arg = &audit->history,
		                    .weight_text = S("changes of the last year") };
	Review review;

	review_plan(cmd->arena, &audit->findings, &rules, &review);
	if (cmd->json)
		review_put_json(b, &review);
	else
		review_put(b, &review, &rules);
}

Err *after_check(Arena *a, const AfterArgs *args)
{
	if (args->baseline && args->review)
		return err_new(a, ERR_INVALID, "audit.after",
		               "--baseline and --review are two answers: one at a time");
	if (!args->baseline && (args->scores.count || args->load.len || args->metrics.len))
		return err_new(a, ERR_INVALID, "audit.after",
		               "--score, --load-report and --metrics are for --baseline");
	if (!args->review && args->capacity > 0)
		return err_new(
			a, ERR_INVALID, "audit.after",
			"--capacity is for --review; for the money of an audit it is `capacity` below `audit` in banyan.yaml");
	return NULL;
}

Err *after_run(Cmd *cmd, const AfterArgs *args, const Audit *audit, const AuditRules *rules,
               bool *done)
{
	AUTO(buf_fini) Buf b = { 0 };
	Scorecard card;

	*done = args->baseline || args->review;
	if (args->baseline) {
		TRY(fill_card(cmd->arena, args, audit, &card));
		TRY(scorecard_keep(cmd->arena, args->scorecard, &card, cmd->json, &b));
	}
	if (args->review)
		put_review(cmd, args, audit, rules->conf->capacity, &b);
	if (cmd->json && b.len)
		fwrite(b.at, 1, b.len, cmd->out);
	else
		screen_write(cmd->out, buf_str(&b));
	return NULL;
}

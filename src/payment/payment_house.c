/* SPDX-License-Identifier: Apache-2.0
 *
 * What keeps the service's house: answers that were kept, and events, go when they are old; and the metrics that are of no one provider. Those that
 * are open are counted once a minute, by the instance that looks after them. */
#include "payment/payment_house.h"

#include "base/arena.h"
#include "base/time.h"
#include "payment/attempt.h"
#include "payment/billing_api.h"
#include "payment/checkout.h"
#include "payment/ledger_api.h"
#include "payment/payment.h"
#include "payment/payment_conf.h"
#include "payment/provider.h"
#include "payment/stripe_int.h"
#include "service/hook.h"

#include "payment_sql.h"

#include <string.h>

static const char *const verdicts[] = { "done", "declined", "undone", "unknown" };
enum { VERDICTS = COUNT(verdicts), FAMILIES_MOST = 32 };

static const MetricFamily families[] = {
	{ "banyan_payment_attempts_total",
	  METRIC_COUNTER,
	  "attempts",
	  "that came to this: unknown ones are asked about later, and count again then",
	  { "act", "outcome" } },
	{ "banyan_payment_attempts_open", METRIC_GAUGE, "attempts",
	  "of which nobody knows yet what came" },
	{ "banyan_payment_attempts_unknown", METRIC_GAUGE, "attempts",
	  "of those, not answered in time: asked about on a schedule" },
};

static struct {
	MetricCell outcome[ATTEMPT_OPS][VERDICTS];
	MetricCell open, unknown;
} cells; /* written at begin and end, on loop 0 */

const MetricFamily *payment_metrics(size_t *count)
{
	static MetricFamily all[FAMILIES_MOST];
	size_t more;
	const MetricFamily *others = provider_metrics(&more);

	*count = MIN(COUNT(families) + more, (size_t)FAMILIES_MOST);
	if (!all[0].name) {
		memcpy(all + COUNT(families), others, (*count - COUNT(families)) * sizeof(*others));
		memcpy(all, families, sizeof(families));
	}
	return all;
}

void payment_cells_take(void)
{
	for (size_t i = 0; i < ATTEMPT_OPS; i++)
		for (size_t k = 0; k < VERDICTS; k++)
			cells.outcome[i][k] = metric_cell(&families[0],
			                                  (Str[]){ attempt_op_name((AttemptOp)i),
			                                           str_of(verdicts[k]) },
			                                  2);
	cells.open = metric_cell(&families[1], NULL, 0);
	cells.unknown = metric_cell(&families[2], NULL, 0);
}

void payment_cells_free(void)
{
	for (size_t i = 0; i < ATTEMPT_OPS; i++)
		for (size_t k = 0; k < VERDICTS; k++)
			metric_cell_free(cells.outcome[i][k]);
	metric_cell_free(cells.open);
	metric_cell_free(cells.unknown);
}

void payment_count(AttemptOp op, const char *verdict)
{
	for (size_t k = 0; k < VERDICTS; k++)
		if (strcmp(verdict, verdicts[k]) == 0)
			metric_add(cells.outcome[op][k], 1);
}

void payment_count_open(int64_t open, int64_t unknown)
{
	metric_set(cells.open, open);
	metric_set(cells.unknown, unknown);
}

Err *payment_house(JobRun *run, void *arg)
{
	const ServiceHome *home = arg;
	const PaymentConf *conf = payment_of(home)->conf;
	int64_t now_us = time_utc_us();

	TRY(once_purge(home->db, job_arena(run), now_us - conf->keep_answers_us));
	return db_exec(home->db, job_arena(run), events_purge, NULL,
	               .before = now_us - conf->keep_events_us);
}

/* --- in the background ------------------------------------------------------------------------------------------------------ */

static const JobKind jobs[] = {
	{ .name = PAYMENT_HOUSE_JOB, .fn = payment_house },
	{ .name = ATTEMPT_JOB, .fn = attempt_job, .at_once = 8 },
	{ .name = ATTEMPT_SWEEP_JOB, .fn = attempt_sweep_job },
	{ .name = SAGA_JOB, .fn = checkout_job, .at_once = CHECKOUTS_AT_ONCE, CHECKOUT_JOB_PAUSES },
	{ .name = CHECKOUT_HOUSE, .fn = checkout_house },
	LEDGER_JOB,
	BILLING_JOBS,
	HOOK_JOBS,
};
static const JobSchedule schedules[] = {
	{ .name = PAYMENT_HOUSE_JOB, .kind = PAYMENT_HOUSE_JOB, .cron = "23 * * * *" },
	{ .name = ATTEMPT_SWEEP_JOB, .kind = ATTEMPT_SWEEP_JOB, .cron = "* * * * *" },
	{ .name = CHECKOUT_HOUSE, .kind = CHECKOUT_HOUSE, .cron = "41 * * * *" },
	LEDGER_SCHEDULE,
	BILLING_SCHEDULES,
	HOOK_SCHEDULES,
};

const JobKind *payment_jobs(size_t *count)
{
	*count = COUNT(jobs);
	return jobs;
}

const JobSchedule *payment_schedules(size_t *count)
{
	*count = COUNT(schedules);
	return schedules;
}

void payment_put_metrics(Buf *out)
{
	size_t count;
	const MetricFamily *all = payment_metrics(&count);

	metrics_put_markdown(out, all, count);
}

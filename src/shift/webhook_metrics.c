/* SPDX-License-Identifier: Apache-2.0
 *
 * Webhooks on /metrics: what came of each try, by the gateway that made it, and what is left to do, which is the same on all
 * gateways that share a book. */
#include "shift/webhook_int.h"

static const Str results[] = {
	[WEBHOOK_DELIVERED] = S("delivered"),
	[WEBHOOK_REFUSED] = S("refused"),
	[WEBHOOK_UNVERIFIED] = S("unverified"),
	[WEBHOOK_FAILED] = S("failed"),
	[WEBHOOK_GONE] = S("gone"),
	[WEBHOOK_GIVEN_UP] = S("given_up"),
};
_Static_assert(COUNT(results) == WEBHOOK_RESULTS, "a result without a name");

enum { TRIES, WAITING };

static const MetricFamily families[] = {
	[TRIES] = { "banyan_shift_webhooks_total",
	            METRIC_COUNTER,
	            "tries",
	            "Tries to tell a webhook of an entry of the journal, by what came of them",
	            { "webhook", "result" } },
	[WAITING] = { "banyan_shift_webhook_waiting",
	              METRIC_GAUGE,
	              "entries",
	              "Entries of the journal that a webhook has not come to yet",
	              { "webhook" } },
};

const MetricFamily *webhook_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

void webhook_metrics_take(Webhook *h)
{
	h->waiting = metric_cell(&families[WAITING], &h->conf.name, 1);
	for (size_t i = 0; i < COUNT(results); i++)
		h->results[i] =
			metric_cell(&families[TRIES], (Str[]){ h->conf.name, results[i] }, 2);
}

void webhook_metrics_free(Webhook *h)
{
	metric_cell_free(h->waiting);
	for (size_t i = 0; i < COUNT(h->results); i++)
		metric_cell_free(h->results[i]);
}

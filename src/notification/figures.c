/* SPDX-License-Identifier: Apache-2.0
 *
 * Figures of notifications, for the process: cells are taken when the service begins, so that counting is a few instructions. */
#include "notification/figures.h"

#include "notification/channel.h"
#include "notification/mail.h"

#include <string.h>

static const MetricFamily families[] = {
	{ "banyan_notification_accepted_total",
	  METRIC_COUNTER,
	  "notifications",
	  "asked for, and durable",
	  { "class" } },
	{ "banyan_notification_deliveries_total",
	  METRIC_COUNTER,
	  "deliveries",
	  "that have become this, by channel",
	  { "channel", "state" } },
	{ "banyan_notification_attempts_total",
	  METRIC_COUNTER,
	  "attempts",
	  "at a provider, by what came of them",
	  { "channel", "outcome" } },
	{ "banyan_notification_wire_seconds",
	  METRIC_HISTOGRAM,
	  "seconds",
	  "from its being asked for until the first attempt at a provider began",
	  { "class" } },
};
enum { ACCEPTED, DELIVERIES, ATTEMPTS, WIRE };

static struct {
	MetricCell accepted[CLASSES], wire[CLASSES];
	MetricCell deliveries[CHANNELS][DELIVERY_STATE_COUNT];
	MetricCell attempts[CHANNELS][SEND_OUTCOMES];
} cells;

static MetricCell take(int family, const char *one, const char *two)
{
	Str labels[2] = { str_of(one), str_of(two) };

	return metric_cell(&families[family], labels, two ? 2 : 1);
}

void figures_begin(void)
{
	for (int i = 0; i < CLASSES; i++) {
		cells.accepted[i] = take(ACCEPTED, class_name((MessageClass)i), NULL);
		cells.wire[i] = take(WIRE, class_name((MessageClass)i), NULL);
	}
	for (int c = 0; c < CHANNELS; c++) {
		const char *channel = channel_name((Channel)c);

		for (int i = 0; i < DELIVERY_STATE_COUNT; i++)
			cells.deliveries[c][i] =
				take(DELIVERIES, channel, delivery_state_name((DeliveryState)i));
		for (int i = 0; i < SEND_OUTCOMES; i++)
			cells.attempts[c][i] =
				take(ATTEMPTS, channel, outcome_name((SendOutcome)i));
	}
}

void figures_end(void)
{
	for (int i = 0; i < CLASSES; i++) {
		metric_cell_free(cells.accepted[i]);
		metric_cell_free(cells.wire[i]);
	}
	for (int c = 0; c < CHANNELS; c++) {
		for (int i = 0; i < DELIVERY_STATE_COUNT; i++)
			metric_cell_free(cells.deliveries[c][i]);
		for (int i = 0; i < SEND_OUTCOMES; i++)
			metric_cell_free(cells.attempts[c][i]);
	}
	memset(&cells, 0, sizeof(cells));
}

void figures_accepted(MessageClass class)
{
	metric_add(cells.accepted[class], 1);
}

void figures_delivery(Channel channel, DeliveryState state)
{
	metric_add(cells.deliveries[channel][state], 1);
}

void figures_attempt(Channel channel, SendOutcome outcome)
{
	metric_add(cells.attempts[channel][outcome], 1);
}

void figures_wire(MessageClass class, int64_t us)
{
	metric_observe_us(cells.wire[class], us);
}

const MetricFamily *notification_metrics(size_t *count)
{
	static MetricFamily all[32];
	size_t mails;
	const MetricFamily *of_mails = mail_metrics(&mails);

	mails = MIN(mails, COUNT(all) - COUNT(families));
	memcpy(all, families, sizeof(families));
	memcpy(&all[COUNT(families)], of_mails, mails * sizeof(*all));
	*count = COUNT(families) + mails;
	return all;
}

void notification_put_metrics(Buf *out)
{
	size_t count;
	const MetricFamily *rows = notification_metrics(&count);

	metrics_put_markdown(out, rows, count);
}

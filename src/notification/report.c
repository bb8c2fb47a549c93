/* SPDX-License-Identifier: Apache-2.0
 *
 * What is told afterwards: a provider's callback, a mail that came back.
 *
 * Reports come late, twice, in any order, and for what nobody knows any more. What a report means for the delivery is asked of the
 * rules; what it means for the address is done whether the delivery changes or not: an address that does not exist gets nothing
 * more. The provider's name of an attempt finds the delivery where the report does not have our own. */
#include "base/arena.h"
#include "base/time.h"
#include "notification/delivery.h"
#include "notification/figures.h"
#include "notification/notification_int.h"
#include "notification/person.h"
#include "store/consumer.h"

#include "notification_delivery_sql.h"
#include "notification_recipient_sql.h"

static const struct {
	DeliveryState to;
	const char *suppress; /* why; NULL: not */
	const char *contact;  /* its state */
	const char *reason;
} kinds[REPORTS] = {
	[REPORT_DELIVERED] = { DELIVERY_DELIVERED, NULL, NULL, "" },
	[REPORT_BOUNCED_SOFT] = { DELIVERY_BOUNCED_SOFT, NULL, NULL, "bounce" },
	[REPORT_BOUNCED_HARD] = { DELIVERY_BOUNCED_HARD, "bounce", "bounced", "bounce" },
	[REPORT_COMPLAINED] = { DELIVERY_COMPLAINED, "complaint", "complained", "complaint" },
	[REPORT_FAILED] = { DELIVERY_FAILED, NULL, NULL, "provider" },
	[REPORT_GONE] = { DELIVERY_FAILED, NULL, NULL, "gone" },
};

static Err *find(Db *tx, Arena *a, const DeliveryReport *report, DeliveryRow **out)
{
	SendAttemptRow *attempt = NULL;
	Uuid id = report->delivery;

	*out = NULL;
	if (uuid_is_nil(id)) {
		if (report->provider_id.len)
			TRY(db_one(tx, a, send_attempt_by_provider_id, &attempt,
			           .provider = report->provider,
			           .provider_id = report->provider_id));
		if (!attempt)
			return NULL;
		id = attempt->delivery_id;
	}
	return db_one(tx, a, delivery_lock, out, .id = id);
}

static Err *of_the_address(Db *tx, Arena *a, const DeliveryReport *report, const DeliveryRow *d)
{
	Channel channel = delivery_channel(d);
	int64_t now_us = time_utc_us();
	Uuid device;

	if (report->kind == REPORT_GONE && uuid_read(d->target, &device))
		return db_exec(tx, a, device_gone, NULL, .id = device,
		               .said_before = report->at_us ? report->at_us : now_us);
	if (!d->address.len || !kinds[report->kind].suppress)
		return NULL;
	TRY(db_exec(tx, a, contacts_state, NULL,
	            .address_hash = address_hash(a, channel, d->address), .channel = d->channel,
	            .state = str_of(kinds[report->kind].contact), .now = now_us));
	return suppress(tx, a, channel, d->address, S("*"), str_of(kinds[report->kind].suppress),
	                report->code);
}

static Str detail_of(Arena *a, const DeliveryReport *report)
{
	if (!report->code.len)
		return str_sub(report->detail, 0, 400);
	return str_fmt(a, "%.*s%s%.*s", STR_ARG(str_sub(report->code, 0, 100)),
	               report->detail.len ? ": " : "", STR_ARG(str_sub(report->detail, 0, 300)));
}

Err *notification_report(Db *tx, Arena *a, const DeliveryReport *report, bool *known)
{
	DeliveryState to = kinds[report->kind].to;
	DeliveryRow *d;
	bool fresh = true;

	*known = false;
	TRY(find(tx, a, report, &d));
	if (!d)
		return NULL;
	*known = true;
	if (delivery_state_of(d) == DELIVERY_SENDING) /* its outcome is not written yet */
		return err_new(a, ERR_BUSY, "delivery.sending",
		               "it is being sent: tell it again later");
	if (!uuid_is_nil(report->event))
		TRY(inbox_take(tx, a, S("reports"), report->provider, report->event, &fresh));
	if (!fresh)
		return NULL;
	TRY(of_the_address(tx, a, report, d));
	if (!delivery_may(delivery_state_of(d), to))
		return NULL;
	figures_delivery(delivery_channel(d),
	                 to); /* a transaction that is run again counts again */
	return delivery_change(tx, a, d,
	                       &(DeliveryChange){ .to = to,
	                                          .reason = str_of(kinds[report->kind].reason),
	                                          .detail = detail_of(a, report),
	                                          .provider = report->provider });
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The notification service: its row for main, and what its channels and its SMTP intake ask of it. */
#pragma once
#include "notification/channel.h"
#include "store/db.h"

typedef struct Service Service;
typedef struct ServiceHome ServiceHome;
typedef struct Providers Providers;

const Service *notification_service(void);
Providers *notification_providers(const ServiceHome *home);

/* --- putting one in ---------------------------------------------------------------------------------------------------- */

/* For one address or one recipient: what the intake of mails puts in. The API takes more (notification_api.c). */
typedef struct NotificationDraft {
	Str workflow; /* of which class, category and templates it is; must be there (workflow_need) */
	Channel channel;
	Str recipient; /* who it is, as contacts know them; empty: only the address counts */
	Str address;   /* empty: the recipient's own */
	Str data;      /* a JSON object for the templates; empty: {} */
	Str raw_ref; /* of an e-mail that is whole: what notification_raw_with's function finds it by; empty: from templates */
	int64_t send_at_us, expires_us; /* 0: now, never */
	Str collapse_key;
	Str traceparent;
} NotificationDraft;

/* In the caller's transaction: durable when that is. Fails with NOT_FOUND "workflow.unknown", INVALID "notification.draft". */
Err *notification_put(Db *tx, Arena *a, const NotificationDraft *draft, Uuid *id) MUST_USE;
/* How a whole mail is found again when it is sent. Once, while the service begins. *raw, *from in the arena. */
typedef Err *NotificationRaw(Db *db, Arena *a, Str ref, Str *raw, Str *from);
void notification_raw_with(const ServiceHome *home, NotificationRaw *fn);

/* --- being told what became of one ------------------------------------------------------------------------------------- */

typedef enum ReportKind {
	REPORT_DELIVERED,
	REPORT_BOUNCED_SOFT, /* given up by a server on the way; the address may be good */
	REPORT_BOUNCED_HARD, /* no such address: it is suppressed from now on */
	REPORT_COMPLAINED,   /* "this is spam": it is suppressed from now on */
	REPORT_FAILED,       /* the provider took it and could not send it */
	REPORT_GONE,         /* a device's token that is over: it is forgotten */
	REPORTS
} ReportKind;

/* A callback of a provider, a bounce: of a delivery, or of what a provider called an attempt. */
typedef struct DeliveryReport {
	Uuid delivery;   /* nil: found by the two below */
	Str provider;    /* its name */
	Str provider_id; /* SendResult.id */
	ReportKind kind;
	Str code, detail;
	int64_t at_us; /* 0: now */
	Uuid event; /* of the callback, where it has an id: the second one of it is nothing. nil: none */
} DeliveryReport;

/* In the caller's transaction. *known false: there is no such delivery. A report that comes late or twice changes nothing. Fails with BUSY
 * "delivery.sending": its outcome is not written yet, and it is to be told again. */
Err *notification_report(Db *tx, Arena *a, const DeliveryReport *report, bool *known) MUST_USE;

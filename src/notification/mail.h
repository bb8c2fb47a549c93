/* SPDX-License-Identifier: Apache-2.0
 *
 * E-mail of the notification service: mail servers as providers of the channel, and the intake. What the service's row takes of it. */
#pragma once
#include "base/err.h"
#include "obs/metric.h"

typedef struct JobRun JobRun;
typedef struct Mail Mail;
typedef struct MailConf MailConf;
typedef struct Providers Providers;
typedef struct ServiceHome ServiceHome;
typedef struct ServiceRoutes ServiceRoutes;

/* While the service begins: reads keys and certificates, adds the servers of the configuration to `providers`, listens where it says so. Parks.
 * Fails with INVALID "mail.dkim_key", "mail.server", and as tls_*_new, listener_open and provider_add. */
Err *mail_begin(ServiceHome *home, const MailConf *conf, Providers *providers) MUST_USE;
/* No mail is taken any more; what is being taken is finished. Parks; fine when it never began. Before channel_providers_close. */
void mail_end(const ServiceHome *home);
Mail *notification_mail(const ServiceHome *home); /* of the service at work; NULL: it has none */

ServiceRoutes mail_routes(void); /* /v1/mails */
MetricList mail_metrics;

/* Rows of the service's tables; their arg is the ServiceHome. */
typedef Err *MailJob(JobRun *run, void *arg);
MailJob relay_job, mail_house_job;
#define JOB_RELAY "notification.mail.relay"
#define JOB_MAIL_HOUSE "notification.mail.house"
#define MAIL_JOBS \
	{ .name = JOB_RELAY, \
	  .fn = relay_job, \
	  .at_once = 16, \
	  .backoff_us = 5000000, \
	  .backoff_max_us = 900000000 }, \
	{ \
		.name = JOB_MAIL_HOUSE, .fn = mail_house_job \
	}
#define MAIL_SCHEDULES \
	{ \
		.name = JOB_MAIL_HOUSE, .kind = JOB_MAIL_HOUSE, .cron = "43 * * * *" \
	}

/* SPDX-License-Identifier: Apache-2.0
 *
 * E-mail of the notification service: mail servers as providers of the channel, and the intake. What the service's row takes of it. */
#pragma once
#include "base/err.h"
#include "obs/metric.h"

typedef struct JobKind JobKind;
typedef struct JobSchedule JobSchedule;
typedef struct Mail Mail;
typedef struct MailConf MailConf;
typedef struct Providers Providers;
typedef struct ServiceHome ServiceHome;
typedef struct ServiceRoutes ServiceRoutes;

/* While the service begins: reads keys and certificates, adds the servers of the configuration to `providers`, listens where it says so. Parks.
 * Fails with INVALID "mail.dkim_key", "mail.server", and as tls_*_new, listener_open and provider_add. */
Err *mail_begin(ServiceHome *home, const MailConf *conf, Providers *providers, Mail **out) MUST_USE;
/* No mail is taken any more; what is being taken is finished. Parks; NULL is fine. Before providers_close. */
void mail_end(Mail *mail);
/* Of the service at work; NULL: it has none. */
Mail *notification_mail(const ServiceHome *home);

const ServiceRoutes *mail_routes(void);  /* /v1/mails */
const JobKind *mail_jobs(size_t *count); /* their arg is the ServiceHome */
const JobSchedule *mail_schedules(size_t *count);
MetricList mail_metrics;

/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys of the notification service. */
#include "notification/notification_conf.h"

static const ConfKey notification_keys[] = {
	{ "keep", CONF_DURATION, AT(NotificationConf, keep_us), .def = "90d", .min = "1h",
	  .max = "3650d", .help = "how long notifications are kept that are over, with their timelines" },
	{ "keep_inbox", CONF_DURATION, AT(NotificationConf, keep_inbox_us), .def = "365d", .min = "1h",
	  .max = "3650d", .help = "how long items stay in inboxes" },
	{ "unsubscribe_url", CONF_STR, AT(NotificationConf, unsubscribe_url), .max = "500",
	  .help = "what links to unsubscribe begin with; empty: public_url",
	  .more = "Behind it the service's /u/ must be reached. News (class bulk) are mailed only where there is one." },
	{ "record", CONF_PATH, AT(NotificationConf, record),
	  .help = "a file that messages are written to, a line of JSON each, which no provider takes",
	  .more = "For trying things out, with services.development. Addresses that begin with soft, hard, refused, throttled, "
	          "gone, unknown or unsent, and a dot, get that outcome." },
};
static const ConfTable notification_table = { "notification",
	                                      CONF_ROWS(NotificationConf, notification_keys),
	                                      .help = "e-mail, SMS, push and an inbox" };

const ConfTable *notification_conf_table(void)
{
	return &notification_table;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys of the notification service. */
#include "notification/notification_conf.h"

#include "auth/seal.h"

#include <string.h>

static Err *verify_key(Arena *a, Str text)
{
	return seal_verify_row(a, text);
}

static const ConfKey rate_keys[] = {
	{ "provider", CONF_NAME, AT(RateConf, provider), .help = "its name, whatever the channel" },
	{ "per_second", CONF_UINT, AT(RateConf, per_second), .required = true, .min = "1",
	  .max = "100000", .help = "messages a second, of this process; what is more waits" },
};
static const ConfTable rate_table = { "rate", CONF_ROWS(RateConf, rate_keys),
	                              .shorthand = "per_second",
	                              .help = "what a provider may be asked for" };

static const ConfKey notification_keys[] = {
	{ "keep", CONF_DURATION, AT(NotificationConf, keep_us), .def = "90d", .min = "1h",
	  .max = "3650d",
	  .help = "how long notifications are kept that are over, with their timelines" },
	{ "keep_inbox", CONF_DURATION, AT(NotificationConf, keep_inbox_us), .def = "365d",
	  .min = "1h", .max = "3650d", .help = "how long items stay in inboxes" },
	{ "unsubscribe_url", CONF_STR, AT(NotificationConf, unsubscribe_url), .max = "500",
	  .help = "what links to unsubscribe begin with; empty: public_url",
	  .more = "Behind it the service's /u/ must be reached. News (class bulk) are mailed only where there is one." },
	{ "record", CONF_PATH, AT(NotificationConf, record),
	  .help = "a file that messages are written to, a line of JSON each, which no provider takes",
	  .more = "For trying things out, with services.development. Addresses that begin with soft, hard, refused, throttled, "
	          "gone, unknown or unsent, and a dot, get that outcome." },
	{ "user_keys", CONF_STR, AT_LIST(NotificationConf, user_keys), .secret = true,
	  .verify = verify_key, .max = "200",
	  .help = "the user service's `keys`, that codes in mails of accounts are closed with" },
	{ "user_key_file", CONF_PATH, AT(NotificationConf, user_key_file), .def = "data/user.key",
	  .help = "the user service's key_file, where it has no `keys`" },
	{ "rates", CONF_OBJECT, AT_MAP(NotificationConf, rates), .table = &rate_table,
	  .help = "limits of providers, by name: { ses: 14 }" },
	{ "mail", CONF_OBJECT, AT(NotificationConf, mail),
	  .help = "e-mail: servers, signatures, the intake" },
	{ "push", CONF_OBJECT, AT(NotificationConf, push), .help = "to browsers and telephones" },
	{ "sms", CONF_OBJECT, AT_MAP(NotificationConf, sms), .help = "providers of SMS, by name" },
};

/* The tables of its parts, each from whoever reads it. */
static void add_tables(ConfKey *keys)
{
	for (size_t i = 0; i < COUNT(notification_keys); i++) {
		keys[i] = notification_keys[i];
		if (strcmp(keys[i].name, "mail") == 0)
			keys[i].table = mail_conf_table();
		else if (strcmp(keys[i].name, "push") == 0)
			keys[i].table = push_conf_table();
		else if (strcmp(keys[i].name, "sms") == 0)
			keys[i].table = sms_conf_table();
	}
}

const ConfTable *notification_conf_table(void)
{
	static ConfKey keys[COUNT(notification_keys)];
	static const ConfTable table = { "notification", .size = sizeof(NotificationConf),
		                         .keys = keys, .count = COUNT(keys),
		                         .help = "e-mail, SMS, push and an inbox" };

	if (!keys[0].name)
		add_tables(keys);
	return &table;
}

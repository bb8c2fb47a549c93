/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys of checkouts. */
#include "payment/checkout_conf.h"

#include "http/ask.h"

static Err *verify_url(Arena *a, Str text)
{
	AskUrl url;
	const char *mistake = ask_url_read(a, text, &url);

	if (mistake)
		return err_new(a, ERR_INVALID, "checkout.orders", "%s", mistake);
	return str_find_char(url.target, '?') >= 0 || str_ends(text, S("/"))
	               ? err_new(a, ERR_INVALID, "checkout.orders",
	                         "ends with a path, without a slash or a query")
	               : NULL;
}

/* It becomes a part of a path. */
static Err *verify_name(Arena *a, Str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'))
			return err_new(a, ERR_INVALID, "checkout.workflow",
			               "is of a-z, 0-9, _ and -");
	}
	return NULL;
}

static const ConfKey keys[] = {
	{ "orders", CONF_STR, AT(CheckoutConf, orders), .verify = verify_url, .value = "URL",
	  .help = "the order system: ID/reserve, ID/confirm and ID/release are asked under it",
	  .more = "Without it there are no checkouts. docs/guide/checkout.md says what it is asked and may answer." },
	{ "token", CONF_STR, AT(CheckoutConf, token), .secret = true,
	  .help = "sent to it as `Authorization: Bearer`" },
	{ "workflow", CONF_STR, AT(CheckoutConf, workflow), .def = "checkout_paid", .max = "100",
	  .verify = verify_name,
	  .help = "the notification's workflow that tells the customer; empty: nobody is told" },
	{ "deadline", CONF_DURATION, AT(CheckoutConf, deadline_us), .def = "15m", .min = "1s",
	  .max = "7d", .help = "a checkout that has not come to its charge by then is undone" },
	{ "timeout", CONF_DURATION, AT(CheckoutConf, timeout_us), .def = "10s", .min = "100ms",
	  .max = "1m", .help = "of one request to the order system" },
	{ "keep", CONF_DURATION, AT(CheckoutConf, keep_us), .def = "90d", .min = "1h",
	  .max = "3650d", .help = "how long one that has ended is shown" },
};

static const ConfTable table = { "checkout", CONF_ROWS(CheckoutConf, keys),
	                         .help = "orders that are reserved, charged and confirmed" };

const ConfTable *checkout_conf_table(void)
{
	return &table;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys of push messages and SMS. Places can be given for all of them, so that a team tries its way on a server of its own
 * before it tells real people anything. */
#include "notification/push_conf.h"

#include "base/arena.h"
#include "http/ask.h"
#include "http/trust.h"
#include "rt/jq.h"

static Err *verify_url(Arena *a, Str text)
{
	AskUrl url;
	const char *wrong = ask_url_read(a, text, &url);

	return wrong ? err_new(a, ERR_INVALID, "conf.value", "%.*s %s", STR_ARG(str_quote(a, text)),
	                       wrong)
	             : NULL;
}

static Err *verify_subject(Arena *a, Str text)
{
	if ((str_starts(text, S("mailto:")) && str_find_char(text, '@') > 0) ||
	    str_starts(text, S("https://")))
		return NULL;
	return err_new(a, ERR_INVALID, "conf.value",
	               "%.*s is no address like mailto:ops@shop.example or https://shop.example",
	               STR_ARG(str_quote(a, text)));
}

static Err *verify_network(Arena *a, Str text)
{
	Cidr net;
	const char *wrong = cidr_parse(text, &net);

	return wrong ? err_new(a, ERR_INVALID, "conf.value", "%.*s %s", STR_ARG(str_quote(a, text)),
	                       wrong)
	             : NULL;
}

static Err *verify_prefix(Arena *a, Str text)
{
	bool fine = text.len >= 2 && text.len <= 8 && text.at[0] == '+' && text.at[1] != '0';

	for (size_t i = 1; i < text.len; i++)
		fine = fine && text.at[i] >= '0' && text.at[i] <= '9';
	return fine ? NULL
	            : err_new(a, ERR_INVALID, "conf.value",
	                      "%.*s is no beginning of a number, like \"+49\"",
	                      STR_ARG(str_quote(a, text)));
}

#define TIMEOUT_ROW(type) \
	{ \
		"timeout", CONF_DURATION, AT(type, timeout_us), \
			.def = "10s", .min = "100ms", .max = "1m", .help = "for one message" \
	}
#define CA_ROW(type) \
	{ \
		"ca", CONF_PATH, AT(type, ca), \
			.help = "certificates that are believed, PEM; none: the system's" \
	}

static const ConfKey webpush_keys_[] = {
	{ "key", CONF_PATH, AT(WebpushConf, key), .required = true,
	  .help = "PEM file of the application's P-256 key (VAPID)",
	  .more = "`openssl ecparam -name prime256v1 -genkey -noout -out vapid.pem` makes one; pages get its public half at `/v1/push/key`." },
	{ "subject", CONF_STR, AT(WebpushConf, subject), .required = true, .verify = verify_subject,
	  .value = "URL", .help = "whom a push service may write to: mailto:ops@shop.example" },
	{ "allow", CONF_STR, AT_LIST(WebpushConf, allow), .verify = verify_network,
	  .value = "NETWORK",
	  .help = "networks that endpoints may be in besides the open internet" },
	CA_ROW(WebpushConf),
	TIMEOUT_ROW(WebpushConf),
};
static const ConfTable webpush_table = { "webpush", CONF_ROWS(WebpushConf, webpush_keys_),
	                                 .help = "browsers, by RFC 8030, 8291 and 8292" };

static const ConfKey fcm_keys[] = {
	{ "account", CONF_PATH, AT(FcmConf, account), .required = true,
	  .help = "JSON file of a service account that may send" },
	{ "url", CONF_STR, AT(FcmConf, url), .def = "https://fcm.googleapis.com",
	  .verify = verify_url, .value = "URL", .help = "where it is" },
	CA_ROW(FcmConf),
	TIMEOUT_ROW(FcmConf),
};
static const ConfTable fcm_table = { "fcm", CONF_ROWS(FcmConf, fcm_keys),
	                             .help = "Android and others, by Firebase's HTTP v1" };

static const ConfKey apns_keys[] = {
	{ "key", CONF_PATH, AT(ApnsConf, key), .required = true,
	  .help = "the .p8 file: a P-256 key" },
	{ "key_id", CONF_STR, AT(ApnsConf, key_id), .required = true,
	  .help = "what Apple calls the key" },
	{ "team", CONF_STR, AT(ApnsConf, team), .required = true, .help = "the team's id" },
	{ "topic", CONF_STR, AT(ApnsConf, topic), .required = true,
	  .help = "the application's bundle id" },
	{ "url", CONF_STR, AT(ApnsConf, url), .def = "https://api.push.apple.com",
	  .verify = verify_url, .value = "URL",
	  .help = "where it is; https://api.sandbox.push.apple.com for builds of developers" },
	CA_ROW(ApnsConf),
	TIMEOUT_ROW(ApnsConf),
};
static const ConfTable apns_table = { "apns", CONF_ROWS(ApnsConf, apns_keys),
	                              .help = "Apple's devices, over HTTP/2" };

static const ConfKey push_keys[] = {
	{ "webpush", CONF_OBJECT, AT(PushConf, webpush), GIVEN(PushConf, has_webpush),
	  .table = &webpush_table, .help = "browsers" },
	{ "fcm", CONF_OBJECT, AT(PushConf, fcm), GIVEN(PushConf, has_fcm), .table = &fcm_table,
	  .help = "Android" },
	{ "apns", CONF_OBJECT, AT(PushConf, apns), GIVEN(PushConf, has_apns), .table = &apns_table,
	  .help = "Apple's devices" },
};

const ConfTable *push_conf_table(void)
{
	static const ConfTable table = { "push", CONF_ROWS(PushConf, push_keys),
		                         .help = "by which ways devices are told" };

	return &table;
}

/* --- SMS ---------------------------------------------------------------------------------------------------------------- */

static const ConfKey cap_keys[] = {
	{ "prefix", CONF_STR, AT(SmsCap, prefix), .required = true, .verify = verify_prefix,
	  .help = "+44" },
	{ "most", CONF_UINT, AT(SmsCap, most), .required = true,
	  .help = "messages an hour, by each process" },
};
static const ConfTable cap_table = { "cap", CONF_ROWS(SmsCap, cap_keys),
	                             .help = "how many go to numbers that begin so" };

static const ConfWord apis[] = {
	{ "twilio", SMS_TWILIO, "Twilio's Messages, and whoever speaks it" },
	{ "http", SMS_HTTP, "any API that takes and gives JSON: `request` and `response` say how" },
	{ 0 },
};

static const ConfKey sms_keys[] = {
	{ "name", CONF_NAME, AT(SmsConf, name), .help = "what timelines and callbacks call it" },
	{ "api", CONF_ENUM, AT(SmsConf, api), .names = apis, .required = true,
	  .help = "what it speaks" },
	{ "url", CONF_STR, AT(SmsConf, url), .required = true, .verify = verify_url, .value = "URL",
	  .help = "https://api.twilio.com, or the whole address of another" },
	{ "account", CONF_STR, AT(SmsConf, account), .help = "Twilio's account SID" },
	{ "token", CONF_STR, AT(SmsConf, token), .expand = true, .secret = true,
	  .help = "Twilio's auth token; of another: what `header` is given" },
	{ "from", CONF_STR, AT(SmsConf, from), .help = "the sender: a number or a name" },
	{ "service", CONF_STR, AT(SmsConf, service),
	  .help = "Twilio's messaging service, instead of `from`" },
	{ "callback", CONF_STR, AT(SmsConf, callback), .verify = verify_url, .value = "URL",
	  .help = "how the provider reaches /v1/callbacks/NAME of this service",
	  .more = "Twilio signs it: it must be the very address that it calls." },
	{ "header", CONF_STR, AT(SmsConf, header), .def = "Authorization: Bearer",
	  .help = "of another: the field that carries the token" },
	{ "request", CONF_STR, AT(SmsConf, request), .value = "JQ",
	  .help = "of another: its body, out of { to, from, text, id, callback }" },
	{ "response", CONF_STR, AT(SmsConf, response), .value = "JQ",
	  .help = "of another: { outcome, id, code, retry_after } out of { status, body }; outcome: accepted soft hard refused throttled unknown" },
	{ "countries", CONF_STR, AT_LIST(SmsConf, countries), .verify = verify_prefix,
	  .value = "PREFIX", .help = "beginnings of numbers that are written to at all; none: all",
	  .more = "The guard against pumping: fraud sends codes to numbers that earn with each." },
	{ "caps", CONF_OBJECT, AT_LIST(SmsConf, caps), .table = &cap_table,
	  .help = "how many go to some of them in an hour" },
	{ "per_number", CONF_UINT, AT(SmsConf, per_number), .def = "20",
	  .help = "messages to one number an hour, by each process; 0: no limit" },
	{ "segments", CONF_UINT, AT(SmsConf, segments_most), .def = "6", .min = "1", .max = "20",
	  .help = "longer texts are refused rather than paid for" },
	{ "order", CONF_INT, AT(SmsConf, order), .def = "0", .help = "the lower is asked first" },
	{ "weight", CONF_UINT, AT(SmsConf, weight), .def = "1", .min = "1", .max = "1000",
	  .help = "share among those of the same order" },
	CA_ROW(SmsConf),
	TIMEOUT_ROW(SmsConf),
};

static void check_filter(Conf *conf, const Str *filter, const char *name)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Err *err;

	if (!filter->len) {
		conf_mistake(conf, filter, "%s is needed when api is http", name);
		return;
	}
	err = jq_check(a, *filter);
	if (err)
		conf_mistake(conf, filter, "%s: %.*s", name, STR_ARG(err->text));
}

static void check_sms(Conf *conf, void *object)
{
	const SmsConf *c = object;

	if (c->api == SMS_HTTP) {
		check_filter(conf, &c->request, "request");
		check_filter(conf, &c->response, "response");
	}
	if (c->api == SMS_TWILIO && (!c->account.len || !c->token.len))
		conf_mistake(conf, c, "Twilio's api needs account and token");
	if (c->api == SMS_TWILIO && !c->from.len == !c->service.len)
		conf_mistake(conf, c, "Twilio's api needs either from or service");
}

const ConfTable *sms_conf_table(void)
{
	static const ConfTable table = { "sms", CONF_ROWS(SmsConf, sms_keys), .check = check_sms,
		                         .help = "a provider of SMS" };

	return &table;
}

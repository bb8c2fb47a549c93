/* SPDX-License-Identifier: Apache-2.0
 *
 * What providers of SMS call back, and what pages ask before they can be pushed to.
 *
 * A callback is believed for its signature: Twilio's (HMAC-SHA1 over the address that it calls and the sorted fields), or the token
 * that the other provider was given. It names the message by the provider's own id; one that comes twice or late changes nothing. */
#include "auth/b64.h"
#include "base/arena.h"
#include "http/exchange.h"
#include "http/form.h"
#include "notification/notification.h"
#include "notification/provider.h"
#include "notification/push_int.h"
#include "notification/sms_text.h"
#include "service/service.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

enum { BODY_BYTES = 64 << 10, SHA1 = 20 };

/* --- who calls ------------------------------------------------------------------------------------------------------------- */

static int by_name(const void *x, const void *y)
{
	return str_cmp(((const FormPair *)x)->name, ((const FormPair *)y)->name);
}

/* Twilio's rule: the URL, then each field's name and value, by name; Base64 of its HMAC. */
static Str twilio_signature(Arena *a, Str token, Str url, const Form *form)
{
	AUTO(buf_fini) Buf text = { 0 };
	FormPair *sorted = ARENA_ARRAY(a, FormPair, form->count + 1);
	unsigned char mac[SHA1];

	for (size_t i = 0; i < form->count; i++)
		sorted[i] = form->at[i];
	qsort(sorted, form->count, sizeof *sorted, by_name);
	buf_put(&text, url);
	for (size_t i = 0; i < form->count; i++) {
		buf_put(&text, sorted[i].name);
		buf_put(&text, sorted[i].value);
	}
	HMAC(EVP_sha1(), token.at, (int)token.len, (const unsigned char *)text.at, text.len, mac,
	     NULL);
	return b64(a, (Str){ (const char *)mac, SHA1 });
}

static bool same_secret(Str x, Str y)
{
	return x.len == y.len && x.len && CRYPTO_memcmp(x.at, y.at, x.len) == 0;
}

static Err *read_body(ServiceCall *c, Str *out)
{
	AUTO(buf_fini) Buf body = { .limit = BODY_BYTES };
	Str piece, text;

	do {
		TRY(http_read(c->x, &piece));
		buf_put(&body, piece);
	} while (piece.len);
	if (buf_done(&body, &text))
		return err_new(c->arena, ERR_TOO_LARGE, "http.body_too_large",
		               "the body has more than %d bytes", BODY_BYTES);
	*out = str_dup(c->arena, text);
	return NULL;
}

static Err *not_signed(ServiceCall *c)
{
	return err_new(c->arena, ERR_DENIED, "callback.signature",
	               "the callback is not signed as this provider's are");
}

/* --- what it says ------------------------------------------------------------------------------------------------------------ */

static bool kind_of(Str status, ReportKind *out)
{
	static const struct {
		Str status;
		ReportKind kind;
	} statuses[] = {
		{ S("delivered"), REPORT_DELIVERED },  { S("read"), REPORT_DELIVERED },
		{ S("undelivered"), REPORT_FAILED },   { S("failed"), REPORT_FAILED },
		{ S("bounced"), REPORT_BOUNCED_HARD }, { S("rejected"), REPORT_FAILED },
	};

	for (size_t i = 0; i < COUNT(statuses); i++)
		if (str_eq(status, statuses[i].status)) {
			*out = statuses[i].kind;
			return true;
		}
	return false;
}

/* Numbers that are out of service or cannot take messages: the address is no good, not only this message. */
static bool is_dead_number(Str code)
{
	return str_eq(code, S("30005")) || str_eq(code, S("30006"));
}

static Err *read_twilio(ServiceCall *c, const SmsConf *conf, Str body, DeliveryReport *report,
                        Str *status)
{
	Form form;

	TRY(form_read(c->arena, body, &form));
	if (!conf->callback.len ||
	    !same_secret(twilio_signature(c->arena, conf->token, conf->callback, &form),
	                 service_header(c, "X-Twilio-Signature")))
		return not_signed(c);
	report->provider_id = form_get(&form, "MessageSid");
	report->code = form_get(&form, "ErrorCode");
	*status = form_get(&form, "MessageStatus");
	return NULL;
}

static Err *read_http(ServiceCall *c, const SmsConf *conf, Str body, DeliveryReport *report,
                      Str *status)
{
	const Json *json;
	Str given = service_header(c, "Authorization");

	if (!str_starts(given, S("Bearer ")) ||
	    !same_secret(str_sub(given, 7, given.len), conf->token))
		return not_signed(c);
	TRY(json_read(c->arena, body, BODY_BYTES, &json));
	TRY(json_need_str(c->arena, json, "id", &report->provider_id));
	TRY(json_need_str(c->arena, json, "status", status));
	json_to_str(json_get(json, S("code")), &report->code);
	json_to_str(json_get(json, S("detail")), &report->detail);
	report->code = push_line(c->arena, report->code);
	report->detail = push_line(c->arena, report->detail);
	return NULL;
}

static Err *put_report(Db *tx, Arena *a, void *arg)
{
	bool known;

	return notification_report(tx, a, arg, &known);
}

static Err *callback_post(ServiceCall *c)
{
	Str name = service_part(c, "provider"), body, status = S("");
	const Provider *provider =
		provider_find(notification_providers(c->home), CHANNEL_SMS, name);
	DeliveryReport report = { .provider = name };
	const SmsConf *conf;

	if (!provider ||
	    (provider->kind != sms_kind(SMS_TWILIO) && provider->kind != sms_kind(SMS_HTTP)))
		return err_new(c->arena, ERR_NOT_FOUND, "callback.provider",
		               "no provider of that name calls back here");
	conf = sms_conf_of(provider->state);
	TRY(read_body(c, &body));
	TRY((conf->api == SMS_TWILIO ? read_twilio : read_http)(c, conf, body, &report, &status));
	if (!report.provider_id.len || !kind_of(status, &report.kind))
		return NULL; /* "queued", "sent": nothing that is not known */
	if (report.kind == REPORT_FAILED && is_dead_number(report.code))
		report.kind = REPORT_BOUNCED_HARD;
	return db_txn(c->db, c->arena, DB_READ_COMMITTED, put_report, &report);
}

/* --- for pages and people ------------------------------------------------------------------------------------------------------ */

static Err *key_get(ServiceCall *c)
{
	const Provider *provider =
		provider_find(notification_providers(c->home), CHANNEL_PUSH, S("webpush"));
	JsonWriter *w;

	if (!provider)
		return err_new(c->arena, ERR_NOT_FOUND, "push.none",
		               "Web Push is not configured: services.notification.push.webpush");
	w = service_json(c);
	json_begin_object(w);
	json_put_str(w, "key", webpush_public_of(provider->state));
	json_end(w);
	return NULL;
}

typedef struct CountIn {
	Str text;
} CountIn;

static const Field count_in_rows[] = {
	{ "text", FIELD_STR, AT(CountIn, text), .required = true, .max = 10000, .controls = true,
	  .help = "what would be sent" },
};
static const FieldTable count_in = { "SmsText", FIELD_ROWS(CountIn, count_in_rows),
	                             .help = "a text to be counted" };

typedef struct CountOut {
	Str encoding, odd;
	int64_t units, segments, room;
} CountOut;

static const Field count_out_rows[] = {
	{ "encoding", FIELD_STR, AT(CountOut, encoding), .required = true,
	  .help = "GSM-7 or UCS-2" },
	{ "units", FIELD_INT, AT(CountOut, units), .required = true,
	  .help = "septets, or UTF-16 units" },
	{ "segments", FIELD_INT, AT(CountOut, segments), .required = true,
	  .help = "messages that are paid for" },
	{ "room", FIELD_INT, AT(CountOut, room), .required = true,
	  .help = "units that the last one still has" },
	{ "because_of", FIELD_STR, AT(CountOut, odd),
	  .help = "the first character that made it UCS-2" },
};
static const FieldTable count_out = { "SmsCount", FIELD_ROWS(CountOut, count_out_rows),
	                              .help = "what a text costs as an SMS" };

static Err *count_post(ServiceCall *c)
{
	const CountIn *in = c->in;
	SmsCount count = sms_count(in->text);
	JsonWriter *w = service_json(c);

	json_begin_object(w);
	json_put_str(w, "encoding", count.unicode ? S("UCS-2") : S("GSM-7"));
	json_put_i64(w, "units", count.units);
	json_put_i64(w, "segments", count.segments);
	json_put_i64(w, "room", count.room);
	if (count.odd.len)
		json_put_str(w, "because_of", count.odd);
	json_end(w);
	return NULL;
}

static const ServiceRoute routes[] = {
	{ "POST", "/v1/callbacks/{provider}", callback_post, .kind = SERVICE_BODY_RAW,
	  .tag = "callbacks",
	  .help = "what became of a message, told by a provider of SMS and signed by it" },
	{ "GET", "/v1/push/key", key_get, .tag = "push",
	  .help = "the application's key for a page's applicationServerKey" },
	{ "POST", "/v1/sms:count", count_post, .scopes = "", .body = &count_in,
	  .answer = &count_out, .body_max = 64 << 10, .tag = "sms",
	  .help = "how many messages a text takes" },
};

ServiceRoutes push_routes(void)
{
	return (ServiceRoutes)SERVICE_ROUTES(routes);
}

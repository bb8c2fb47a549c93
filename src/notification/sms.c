/* SPDX-License-Identifier: Apache-2.0
 *
 * SMS by providers with an API over HTTP: Twilio's, and any other that two filters of jq describe.
 *
 * None of them knows a message that it has seen before, so a conversation that broke leaves it unknown. Numbers are E.164; which are
 * written to, and how many of them, is looked at here, before anything costs money. */
#include "auth/b64.h"
#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"
#include "http/form.h"
#include "notification/push_int.h"
#include "notification/sms_caps.h"
#include "notification/sms_text.h"
#include "rt/jq.h"

enum { FILTER_MS = 500, FILTER_BYTES = 64 << 10, FILTER_MEMORY = 32 << 20 };

typedef struct Sms {
	const SmsConf *conf;
	SmsCaps *caps;
	AskClient *client;
} Sms;

Err *sms_open(Arena *a, Arena *errs, const SmsConf *conf, void **state)
{
	Sms *s = ARENA_NEW(a, Sms);

	s->conf = conf;
	s->caps = sms_caps_new(a, conf);
	*state = s;
	return ask_open(errs, &(AskConf){ .name = str_z(a, conf->name), .ca = conf->ca },
	                &s->client);
}

const SmsConf *sms_conf_of(const void *state)
{
	return ((const Sms *)state)->conf;
}

static void close_sms(void *state)
{
	ask_close(((Sms *)state)->client);
}

static bool takes_sms(void *state, const Message *message)
{
	return sms_caps_serves(((Sms *)state)->conf, message->to);
}

/* --- Twilio --------------------------------------------------------------------------------------------------------------- */

static void ask_twilio(const SmsConf *conf, Arena *a, const Message *m, Buf *form, Ask *what)
{
	Str base = conf->url, from = m->from.len ? m->from : conf->from;

	if (str_ends(base, S("/")))
		base.len--;
	what->url = str_fmt(a, "%.*s/2010-04-01/Accounts/%.*s/Messages.json", STR_ARG(base),
	                    STR_ARG(conf->account));
	form_put(form, S("To"), m->to);
	if (conf->service.len)
		form_put(form, S("MessagingServiceSid"), conf->service);
	else
		form_put(form, S("From"), from);
	form_put(form, S("Body"), m->text);
	if (conf->callback.len)
		form_put(form, S("StatusCallback"), conf->callback);
	what->body = str_dup(a, buf_str(form));
	what->type = S("application/x-www-form-urlencoded");
	headers_add(&what->headers, a, S("Authorization"),
	            str_fmt(a, "Basic %.*s",
	                    STR_ARG(b64(a, str_fmt(a, "%.*s:%.*s", STR_ARG(conf->account),
	                                           STR_ARG(conf->token))))));
}

/* Twilio's numbers for what is wrong; all others go by the status. */
static void tell_twilio(Arena *a, const AskAnswer *answer, SendResult *out)
{
	static const struct {
		int64_t code;
		SendOutcome outcome;
		bool bad_address;
	} codes[] = {
		{ 20003, SEND_REFUSED, false }, { 20429, SEND_THROTTLED, false },
		{ 21211, SEND_HARD, true },     { 21217, SEND_HARD, true },
		{ 21408, SEND_REFUSED, false }, { 21606, SEND_REFUSED, false },
		{ 21610, SEND_HARD, true },     { 21611, SEND_THROTTLED, false },
		{ 21612, SEND_REFUSED, false }, { 21614, SEND_HARD, true },
		{ 21617, SEND_HARD, false },    { 30006, SEND_HARD, true },
	};
	const Json *json = NULL;
	int64_t code;
	Str text;

	push_by_status(a, answer, out);
	if (json_read(a, answer->body, 0, &json))
		return;
	if (out->outcome == SEND_ACCEPTED) {
		json_to_str(json_get(json, S("sid")), &out->id);
		return;
	}
	if (!json_to_i64(json_get(json, S("code")), &code))
		return;
	for (size_t i = 0; i < COUNT(codes); i++)
		if (code == codes[i].code) {
			out->outcome = codes[i].outcome;
			out->bad_address = codes[i].bad_address;
		}
	out->code = str_fmt(a, "%" PRId64, code);
	if (json_to_str(json_get(json, S("message")), &text))
		out->detail = push_line(a, text);
}

/* --- others, by filters --------------------------------------------------------------------------------------------------- */

static const JqLimits filter_limits = { .time_us = FILTER_MS * US_PER_MS,
	                                .memory = FILTER_MEMORY,
	                                .out = FILTER_BYTES };

static Err *ask_http(const SmsConf *conf, Arena *a, const Message *m, Ask *what)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Str text;

	json_begin_object(&w);
	json_put_str(&w, "to", m->to);
	json_put_str(&w, "from", m->from.len ? m->from : conf->from);
	json_put_str(&w, "text", m->text);
	json_put_str(&w, "id", uuid_text(a, m->delivery));
	json_put_str(&w, "callback", conf->callback);
	json_end(&w);
	TRY(json_done(&w, &text));
	TRY(jq_run(a, conf->request, &filter_limits, text, &what->body));
	what->url = conf->url;
	if (conf->token.len) {
		Str rest = conf->header, name;

		str_split(&rest, ':', &name);
		rest = str_trim(rest);
		headers_add(&what->headers, a, name,
		            rest.len ? str_fmt(a, "%.*s %.*s", STR_ARG(rest), STR_ARG(conf->token))
		                     : conf->token);
	}
	return NULL;
}

static Str answer_as_json(Arena *a, const AskAnswer *answer)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	const Json *body = NULL;

	json_begin_object(&w);
	json_put_i64(&w, "status", answer->status);
	json_key(&w, S("body"));
	if (json_read(a, answer->body, 0, &body))
		json_add_str(&w, answer->body);
	else
		json_put(&w, body);
	json_end(&w);
	return str_dup(a, buf_str(&b));
}

/* An answer that the filter makes nothing of is known by its status; "accepted" was taken, whatever else is odd about it. */
static void tell_http(const SmsConf *conf, Arena *a, const AskAnswer *answer, SendResult *out)
{
	const Json *json = NULL;
	Str text, word;
	int64_t wait_s;

	push_by_status(a, answer, out);
	if (jq_run(a, conf->response, &filter_limits, answer_as_json(a, answer), &text) ||
	    json_read(a, text, 0, &json))
		return;
	if (json_to_str(json_get(json, S("outcome")), &word))
		for (unsigned i = 0; i < SEND_OUTCOMES; i++)
			if (str_eq(word, str_of(outcome_name(i)))) {
				out->outcome = i;
				out->bad_address = i == SEND_HARD;
			}
	json_to_str(json_get(json, S("id")), &out->id);
	json_to_str(json_get(json, S("code")), &out->code);
	out->id = push_line(a, out->id);
	out->code = push_line(a, out->code);
	if (json_to_i64(json_get(json, S("retry_after")), &wait_s) && wait_s > 0 && wait_s < 86400)
		out->retry_after_us = wait_s * US_PER_S;
}

/* --- both ------------------------------------------------------------------------------------------------------------------ */

/* What keeps a message from being sent at all; true: *out says it. */
static bool is_held(Sms *s, Arena *a, const Message *m, const SmsCount *count, SendResult *out)
{
	const char *why;
	int64_t wait_us;

	if (count->segments > s->conf->segments_most) {
		*out = (SendResult){
			.outcome = SEND_HARD,
			.code = S("sms.segments"),
			.detail = str_fmt(a,
			                  "the text takes %u messages, and at most %u are paid for",
			                  count->segments, s->conf->segments_most)
		};
		return true;
	}
	why = sms_caps_take(s->caps, a, m->to, time_utc_us(), &wait_us);
	if (why)
		*out = (SendResult){ .outcome = SEND_THROTTLED,
			             .alone = true,
			             .code = S("sms.cap"),
			             .detail = str_of(why),
			             .retry_after_us = wait_us };
	return why;
}

static Err *send_sms(void *state, Arena *a, const Message *m, SendResult *out)
{
	AUTO(buf_fini) Buf form = { 0 };
	Sms *s = state;
	SmsCount count = sms_count(m->text);
	Ask what = { .method = S("POST"),
		     .traceparent = m->traceparent,
		     .timeout_us = s->conf->timeout_us,
		     .body_max = FILTER_BYTES };
	AskAnswer answer;
	Err *err;

	if (is_held(s, a, m, &count, out))
		return NULL;
	if (s->conf->api == SMS_TWILIO)
		ask_twilio(s->conf, a, m, &form, &what);
	else
		TRY(ask_http(s->conf, a, m, &what));
	err = ask(s->client, a, &what, &answer);
	if (err)
		push_no_answer(a, &answer, err, out);
	else if (s->conf->api == SMS_TWILIO)
		tell_twilio(a, &answer, out);
	else
		tell_http(s->conf, a, &answer, out);
	out->segments = count.segments;
	return NULL;
}

const ProviderKind *sms_kind(SmsApi api)
{
	static const ProviderKind kinds[] = {
		[SMS_TWILIO] = { .name = "twilio",
		                 .channel = CHANNEL_SMS,
		                 .takes = takes_sms,
		                 .send = send_sms,
		                 .close = close_sms,
		                 .help = "Twilio's Messages, and whoever speaks it" },
		[SMS_HTTP] = { .name = "http",
		               .channel = CHANNEL_SMS,
		               .takes = takes_sms,
		               .send = send_sms,
		               .close = close_sms,
		               .help = "any API that takes and gives JSON" },
	};

	return &kinds[api];
}

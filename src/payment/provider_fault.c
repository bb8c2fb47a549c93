/* SPDX-License-Identifier: Apache-2.0
 *
 * The adapter of `banyan payment fault-provider` (fault_server.h has its API). As simple as an adapter can be: every act has a key
 * there, a payment can be asked for by it, and a key can be voided before it comes. */
#include "auth/signing.h"
#include "base/arena.h"
#include "http/url.h"
#include "payment/provider_card.h"
#include "payment/provider_int.h"

/* --- answers ------------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	ProviderState state;
	ProviderResult result;
} states[] = {
	{ "waits", PROVIDER_WAITS, PROVIDER_PENDING },
	{ "authorized", PROVIDER_AUTHORIZED, PROVIDER_OK },
	{ "captured", PROVIDER_CAPTURED, PROVIDER_OK },
	{ "voided", PROVIDER_VOIDED, PROVIDER_OK },
	{ "declined", PROVIDER_FAILED, PROVIDER_DECLINED },
};

static void take_payment(const Json *json, ProviderAnswer *out)
{
	const Json *payment = json_get(json, S("payment"));
	Str state = provider_text(payment, "state");

	*out = (ProviderAnswer){ .result = PROVIDER_UNKNOWN,
		                 .reference = provider_text(payment, "id"),
		                 .refund = provider_text(json_get(json, S("refund")), "id"),
		                 .captured = provider_number(payment, "captured"),
		                 .refunded = provider_number(payment, "refunded"),
		                 .fee = provider_number(payment, "fee"),
		                 .currency = provider_text(payment, "currency"),
		                 .code = provider_text(payment, "code"),
		                 .decline_code = provider_text(payment, "decline_code"),
		                 .action_url = provider_text(json, "action_url") };
	for (size_t i = 0; i < COUNT(states); i++)
		if (str_eq(state, str_of(states[i].name))) {
			out->state = states[i].state;
			out->result = states[i].result;
		}
	if (out->state == PROVIDER_AUTHORIZED || out->state == PROVIDER_CAPTURED)
		out->authorized = provider_number(payment, "amount");
	if (out->action_url.len)
		out->result = PROVIDER_ACTION;
	if (out->result == PROVIDER_DECLINED)
		out->text = provider_code_text(out->code);
	(void)json_to_bool(json_get(json, S("sealed")), &out->sealed);
}

static void take_reply(Arena *a, const ProviderReply *reply, ProviderAnswer *out)
{
	if (reply->status == 404)
		provider_answer(out, PROVIDER_ABSENT, S("unknown"),
		                S("it does not know that payment"));
	else if (reply->status >= 300 && reply->status != 402)
		provider_answer(out, PROVIDER_REFUSED,
		                str_dup(a, provider_text(reply->json, "code")),
		                str_dup(a, provider_text(reply->json, "text")));
	else
		take_payment(reply->json, out);
	if (out->sealed)
		out->result = PROVIDER_ABSENT;
}

/* What was to be done to a payment that it does not know was not done. */
static Err *post(const Provider *p, Arena *a, const ProviderAsk *ask, Str target, Str body,
                 ProviderAnswer *out)
{
	ProviderWire wire = {
		.target = target, .body = body, .key = ask->key, .traceparent = ask->traceparent
	};
	ProviderReply reply;

	TRY(provider_wire(p, a, &wire, &reply, out));
	if (!reply.got)
		return NULL;
	take_reply(a, &reply, out);
	if (out->result == PROVIDER_ABSENT && !out->sealed)
		out->result = PROVIDER_REFUSED;
	return NULL;
}

/* --- acts ---------------------------------------------------------------------------------------------------------------- */

static Err *authorize(const Provider *p, Arena *a, const ProviderAsk *ask, ProviderAnswer *out)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);

	json_begin_object(&w);
	json_put_str(&w, "key", ask->key);
	json_put_i64(&w, "amount", ask->amount);
	json_put_str(&w, "currency", ask->currency);
	json_put_str(&w, "token", ask->token);
	json_put_str(&w, "customer", ask->customer);
	json_put_str(&w, "subject", ask->subject);
	json_put_str(&w, "order", ask->order);
	json_put_bool(&w, "capture", ask->capture);
	json_put_bool(&w, "off_session", ask->off_session);
	json_end(&w);
	return post(p, a, ask, S("/payments"), str_dup(a, buf_str(&b)), out);
}

static Str act_body(Arena *a, const ProviderAsk *ask)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);

	json_begin_object(&w);
	json_put_str(&w, "key", ask->key);
	json_put_str(&w, "of", ask->key);
	json_put_i64(&w, "amount", ask->amount);
	json_end(&w);
	return str_dup(a, buf_str(&b));
}

static Str of_payment(Arena *a, const ProviderAsk *ask, const char *act)
{
	return str_fmt(a, "/payments/%.*s%s", STR_ARG(url_encode(a, ask->reference)), act);
}

static Err *capture(const Provider *p, Arena *a, const ProviderAsk *ask, ProviderAnswer *out)
{
	return post(p, a, ask, of_payment(a, ask, "/capture"), act_body(a, ask), out);
}

static Err *cancel(const Provider *p, Arena *a, const ProviderAsk *ask, ProviderAnswer *out)
{
	Str target = ask->reference.len ? of_payment(a, ask, "/void") : S("/void");

	TRY(post(p, a, ask, target, act_body(a, ask), out));
	out->sealed |= out->result == PROVIDER_OK;
	return NULL;
}

static Err *refund(const Provider *p, Arena *a, const ProviderAsk *ask, ProviderAnswer *out)
{
	return post(p, a, ask, of_payment(a, ask, "/refunds"), act_body(a, ask), out);
}

static Str get_target(Arena *a, const ProviderAsk *ask)
{
	if (ask->of_refund && ask->refund.len)
		return str_fmt(a, "/refunds/%.*s", STR_ARG(url_encode(a, ask->refund)));
	if (ask->of_refund)
		return str_fmt(a, "/refunds?key=%.*s", STR_ARG(url_encode(a, ask->key)));
	if (ask->reference.len)
		return of_payment(a, ask, "");
	return str_fmt(a, "/payments?key=%.*s", STR_ARG(url_encode(a, ask->key)));
}

static Err *get(const Provider *p, Arena *a, const ProviderAsk *ask, ProviderAnswer *out)
{
	ProviderWire wire = { .target = get_target(a, ask), .traceparent = ask->traceparent };
	ProviderReply reply;

	TRY(provider_wire(p, a, &wire, &reply, out));
	if (reply.got)
		take_reply(a, &reply, out);
	return NULL;
}

/* --- webhooks ------------------------------------------------------------------------------------------------------------ */

static Err *verify(const Provider *p, Arena *a, const Headers *headers, Str body, int64_t now_s)
{
	return signing_standard_check(a, p->secret, headers_get_name(headers, S("webhook-id")),
	                              headers_get_name(headers, S("webhook-timestamp")),
	                              headers_get_name(headers, S("webhook-signature")), body,
	                              now_s);
}

static Err *parse(Arena *a, const Json *json, ProviderEvent *out)
{
	const Json *data = json_get(json, S("data"));

	(void)a;
	*out = (ProviderEvent){ .id = provider_text(json, "id"),
		                .type = provider_text(json, "type"),
		                .reference = provider_text(data, "payment"),
		                .refund = provider_text(data, "refund"),
		                .key = provider_text(data, "key") };
	return NULL;
}

const ProviderKind *provider_fault_kind(void)
{
	static const ProviderKind kind = {
		.name = "fault",
		.acts = { [PROVIDER_AUTHORIZE] = authorize,
		          [PROVIDER_CAPTURE] = capture,
		          [PROVIDER_CANCEL] = cancel,
		          [PROVIDER_REFUND] = refund,
		          [PROVIDER_GET] = get },
		.verify = verify,
		.parse = parse,
	};

	return &kind;
}

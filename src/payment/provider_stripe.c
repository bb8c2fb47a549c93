/* SPDX-License-Identifier: Apache-2.0
 *
 * The adapter of Stripe (API of payment intents; stripe.com/docs/api), and of whoever speaks as it does: Banyan's own payment service too.
 *
 * An authorization is one request: an intent that is made and confirmed at once, with the attempt's key as Idempotency-Key and in its
 * metadata. Stripe forgets keys after a day and cannot be asked by them, so one whose answer never came is looked for among the intents
 * made since just before it was sent, by that metadata: a list, which is up to date, and not the search, which is not. A key cannot be
 * voided before it comes; one that was found can.
 *
 * Card numbers never pass here: a payment method is an id that the customer's browser got from Stripe. */
#include "payment/provider_int.h"

#include "auth/signing.h"
#include "base/arena.h"
#include "base/time.h"
#include "http/url.h"

enum { PAGE = 100, PAGES_MOST = 20, BEFORE_S = 60 /* clocks differ */ };
#define EXPAND "latest_charge.balance_transaction"

/* --- what is sent --------------------------------------------------------------------------------------------------------- */

static void put_pair(Arena *a, Buf *b, const char *name, Str value)
{
	if (!value.len)
		return;
	buf_fmt(b, "%s%s=%.*s", b->len ? "&" : "", name, STR_ARG(url_encode(a, value)));
}

static void put_amount(Buf *b, const char *name, int64_t amount)
{
	if (amount)
		buf_fmt(b, "%s%s=%" PRId64, b->len ? "&" : "", name, amount);
}

/* --- what is answered ------------------------------------------------------------------------------------------------------ */

static const struct {
	const char *name;
	ProviderState state;
	ProviderResult result;
} statuses[] = {
	{ "succeeded", PROVIDER_CAPTURED, PROVIDER_OK },
	{ "requires_capture", PROVIDER_AUTHORIZED, PROVIDER_OK },
	{ "requires_action", PROVIDER_WAITS, PROVIDER_ACTION },
	{ "processing", PROVIDER_WAITS, PROVIDER_PENDING },
	{ "requires_payment_method", PROVIDER_FAILED, PROVIDER_DECLINED },
	{ "requires_confirmation", PROVIDER_FAILED, PROVIDER_DECLINED },
	{ "canceled", PROVIDER_VOIDED, PROVIDER_OK },
};

static void take_error(const Json *error, ProviderAnswer *out)
{
	out->code = provider_text(error, "code");
	out->decline_code = provider_text(error, "decline_code");
	out->text = provider_text(error, "message");
}

static void take_charge(const Json *charge, ProviderAnswer *out)
{
	out->refunded = provider_number(charge, "amount_refunded");
	out->fee = provider_number(json_get(charge, S("balance_transaction")), "fee");
}

static void take_intent(const Json *intent, ProviderAnswer *out)
{
	Str status = provider_text(intent, "status");

	*out = (ProviderAnswer){ .result = PROVIDER_UNKNOWN,
		                 .reference = provider_text(intent, "id"),
		                 .currency = provider_text(intent, "currency"),
		                 .captured = provider_number(intent, "amount_received"),
		                 .code = S("provider.answer") };
	for (size_t i = 0; i < COUNT(statuses); i++)
		if (str_eq(status, str_of(statuses[i].name))) {
			out->state = statuses[i].state;
			out->result = statuses[i].result;
			out->code = S("");
		}
	if (out->state == PROVIDER_AUTHORIZED || out->state == PROVIDER_CAPTURED)
		out->authorized = provider_number(intent, "amount");
	if (out->result == PROVIDER_ACTION)
		out->action_url = provider_text(json_get(json_get(intent, S("next_action")),
		                                         S("redirect_to_url")),
		                                "url");
	if (out->result == PROVIDER_DECLINED)
		take_error(json_get(intent, S("last_payment_error")), out);
	if (out->result == PROVIDER_DECLINED && !out->code.len)
		out->code = S("card_declined");
	take_charge(json_get(intent, S("latest_charge")), out);
}

/* 409: another request of this key is at work, whose outcome nobody knows yet. 400 and 404: nothing was done. */
static void take_refusal(const ProviderReply *reply, ProviderAnswer *out)
{
	const Json *error = json_get(reply->json, S("error"));
	Str reference = provider_text(json_get(error, S("payment_intent")), "id");

	provider_answer(out, PROVIDER_REFUSED, S(""), S(""));
	if (reply->status == 409)
		out->result = PROVIDER_UNKNOWN;
	if (reply->status == 402) {
		out->result = PROVIDER_DECLINED;
		out->state = PROVIDER_FAILED;
	}
	take_error(error, out);
	out->reference = reference;
	if (out->result == PROVIDER_DECLINED && !out->code.len)
		out->code = S("card_declined");
}

static void take_refund(const Json *refund, ProviderAnswer *out)
{
	Str status = provider_text(refund, "status");

	*out = (ProviderAnswer){ .result = PROVIDER_PENDING,
		                 .state = PROVIDER_CAPTURED,
		                 .refund = provider_text(refund, "id"),
		                 .reference = provider_text(refund, "payment_intent"),
		                 .currency = provider_text(refund, "currency"),
		                 .refunded = provider_number(refund, "amount") };
	if (str_eq(status, S("succeeded")))
		out->result = PROVIDER_OK;
	if (str_eq(status, S("failed")) || str_eq(status, S("canceled"))) {
		out->result = PROVIDER_DECLINED;
		out->code = provider_text(refund, "failure_reason");
		out->refunded = 0;
	}
}

typedef void Take(const Json *json, ProviderAnswer *out);

static Err *post(const Provider *p, Arena *a, const ProviderAsk *ask, Str target, Buf *form,
                 Take *take, ProviderAnswer *out)
{
	ProviderWire wire = { .target = target,
		              .body = form->len ? str_dup(a, buf_str(form))
		                                : S("metadata[by]=banyan"),
		              .key = ask->key,
		              .traceparent = ask->traceparent,
		              .form = true };
	ProviderReply reply;

	TRY(provider_wire(p, a, &wire, &reply, out));
	if (reply.got && reply.status < 300)
		take(reply.json, out);
	else if (reply.got)
		take_refusal(&reply, out);
	return NULL;
}

/* --- acts ---------------------------------------------------------------------------------------------------------------- */

static Err *authorize(const Provider *p, Arena *a, const ProviderAsk *ask, ProviderAnswer *out)
{
	AUTO(buf_fini) Buf b = { 0 };

	put_amount(&b, "amount", ask->amount);
	put_pair(a, &b, "currency", ask->currency);
	put_pair(a, &b, "payment_method", ask->token);
	put_pair(a, &b, "payment_method_types[]", S("card"));
	put_pair(a, &b, "confirm", S("true"));
	put_pair(a, &b, "capture_method", ask->capture ? S("automatic") : S("manual"));
	put_pair(a, &b, "customer", ask->customer);
	put_pair(a, &b, "description", ask->description);
	put_pair(a, &b, "return_url", ask->return_url);
	if (ask->off_session)
		put_pair(a, &b, "off_session", S("true"));
	put_pair(a, &b, "metadata[attempt]", ask->key);
	put_pair(a, &b, "metadata[subject]", ask->subject);
	put_pair(a, &b, "metadata[order]", ask->order);
	put_pair(a, &b, "expand[]", S(EXPAND));
	return post(p, a, ask, S("/v1/payment_intents"), &b, take_intent, out);
}

static Str of_intent(Arena *a, Str reference, const char *act)
{
	return str_fmt(a, "/v1/payment_intents/%.*s%s", STR_ARG(url_encode(a, reference)), act);
}

static Err *capture(const Provider *p, Arena *a, const ProviderAsk *ask, ProviderAnswer *out)
{
	AUTO(buf_fini) Buf b = { 0 };

	put_amount(&b, "amount_to_capture", ask->amount);
	put_pair(a, &b, "expand[]", S(EXPAND));
	return post(p, a, ask, of_intent(a, ask->reference, "/capture"), &b, take_intent, out);
}

static Err *refund(const Provider *p, Arena *a, const ProviderAsk *ask, ProviderAnswer *out)
{
	AUTO(buf_fini) Buf b = { 0 };

	put_pair(a, &b, "payment_intent", ask->reference);
	put_amount(&b, "amount", ask->amount);
	put_pair(a, &b, "metadata[attempt]", ask->key);
	return post(p, a, ask, S("/v1/refunds"), &b, take_refund, out);
}

/* --- asking -------------------------------------------------------------------------------------------------------------- */

static Err *get_one(const Provider *p, Arena *a, const ProviderAsk *ask, Str target, Take *take,
                    ProviderAnswer *out)
{
	ProviderWire wire = { .target = target, .traceparent = ask->traceparent };
	ProviderReply reply;

	TRY(provider_wire(p, a, &wire, &reply, out));
	if (!reply.got)
		return NULL;
	if (reply.status < 300)
		take(reply.json, out);
	else
		provider_answer(out, reply.status == 404 ? PROVIDER_ABSENT : PROVIDER_UNKNOWN,
		                S("unknown"), S("it does not know that payment"));
	return NULL;
}

typedef struct Search {
	Str first; /* target, with parameters */
	Str key;
	Take *take;
} Search;

/* The one of this attempt on a page; *last: its last one's id. */
static const Json *find_on(const Json *page, Str key, Str *last)
{
	const Json *data = json_get(page, S("data"));

	for (size_t i = 0; i < json_count(data); i++) {
		const Json *one = json_at(data, i);

		*last = provider_text(one, "id");
		if (str_eq(provider_text(json_get(one, S("metadata")), "attempt"), key))
			return one;
	}
	return NULL;
}

/* Through the pages of a list, newest first. More of them than can be read leave it unknown. */
static Err *search(const Provider *p, Arena *a, const ProviderAsk *ask, const Search *what,
                   ProviderAnswer *out)
{
	ProviderWire wire = { .target = what->first, .traceparent = ask->traceparent };
	ProviderReply reply;

	for (unsigned i = 0; i < PAGES_MOST; i++) {
		const Json *found;
		Str last = { 0 };
		bool more = false;

		TRY(provider_wire(p, a, &wire, &reply, out));
		if (!reply.got)
			return NULL;
		if (reply.status >= 300)
			break;
		found = find_on(reply.json, what->key, &last);
		if (found) {
			what->take(found, out);
			return NULL;
		}
		(void)json_to_bool(json_get(reply.json, S("has_more")), &more);
		if (!more) {
			provider_answer(out, PROVIDER_ABSENT, S("unknown"),
			                S("it has no payment of that attempt"));
			return NULL;
		}
		wire.target = str_fmt(a, "%.*s&starting_after=%.*s", STR_ARG(what->first),
		                      STR_ARG(url_encode(a, last)));
	}
	provider_answer(out, PROVIDER_UNKNOWN, S("provider.list"),
	                S("its list could not be read to the end"));
	return NULL;
}

static Err *get_by_key(const Provider *p, Arena *a, const ProviderAsk *ask, ProviderAnswer *out)
{
	Search what = { .key = ask->key, .take = take_intent };

	what.first = str_fmt(a, "/v1/payment_intents?limit=%d&created[gte]=%" PRId64, PAGE,
	                     MAX(ask->created_us / US_PER_S - BEFORE_S, 0));
	return search(p, a, ask, &what, out);
}

static Err *get_refund(const Provider *p, Arena *a, const ProviderAsk *ask, ProviderAnswer *out)
{
	Search what = { .key = ask->key, .take = take_refund };

	if (ask->refund.len)
		return get_one(p, a, ask,
		               str_fmt(a, "/v1/refunds/%.*s", STR_ARG(url_encode(a, ask->refund))),
		               take_refund, out);
	what.first = str_fmt(a, "/v1/refunds?limit=%d&payment_intent=%.*s", PAGE,
	                     STR_ARG(url_encode(a, ask->reference)));
	return search(p, a, ask, &what, out);
}

static Err *get(const Provider *p, Arena *a, const ProviderAsk *ask, ProviderAnswer *out)
{
	if (ask->of_refund)
		return get_refund(p, a, ask, out);
	if (!ask->reference.len)
		return get_by_key(p, a, ask, out);
	return get_one(p, a, ask, of_intent(a, ask->reference, "?expand[]=" EXPAND), take_intent,
	               out);
}

static Err *cancel(const Provider *p, Arena *a, const ProviderAsk *ask, ProviderAnswer *out)
{
	AUTO(buf_fini) Buf b = { 0 };
	ProviderAsk of = *ask;

	if (!of.reference.len) {
		TRY(get_by_key(p, a, ask, out));
		if (out->result == PROVIDER_ABSENT || !out->reference.len)
			return NULL;
		of.reference = out->reference;
	}
	of.key =
		str_fmt(a, "%.*s-cancel", STR_ARG(ask->key)); /* the key may be another request's */
	put_pair(a, &b, "cancellation_reason", S("abandoned"));
	TRY(post(p, a, &of, of_intent(a, of.reference, "/cancel"), &b, take_intent, out));
	out->sealed = out->result == PROVIDER_OK;
	return NULL;
}

/* --- webhooks ------------------------------------------------------------------------------------------------------------ */

static Err *verify(const Provider *p, Arena *a, const Headers *headers, Str body, int64_t now_s)
{
	return signing_stripe_check(a, p->conf->webhook_secret,
	                            headers_get_name(headers, S("Stripe-Signature")), body, now_s);
}

/* Of payment intents, charges, refunds; what else Stripe tells is nothing that we have. */
static Err *parse(Arena *a, const Json *json, ProviderEvent *out)
{
	const Json *object = json_get(json_get(json, S("data")), S("object"));
	Str kind = provider_text(object, "object");

	(void)a;
	*out = (ProviderEvent){ .id = provider_text(json, "id"),
		                .type = provider_text(json, "type") };
	if (str_eq(kind, S("payment_intent")))
		out->reference = provider_text(object, "id");
	else if (str_eq(kind, S("charge")) || str_eq(kind, S("refund")) ||
	         str_eq(kind, S("dispute")))
		out->reference = provider_text(object, "payment_intent");
	if (str_eq(kind, S("refund")))
		out->refund = provider_text(object, "id");
	else if (str_eq(kind, S("payment_intent")))
		out->key = provider_text(json_get(object, S("metadata")), "attempt");
	return NULL;
}

const ProviderKind *provider_stripe_kind(void)
{
	static const ProviderKind kind = {
		.name = "stripe",
		.url = "https://api.stripe.com",
		.version_header = "Stripe-Version",
		.version =
			"2022-11-15", /* the shapes above, whatever the account's own default is */
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

/* SPDX-License-Identifier: Apache-2.0
 *
 * The customer is told that it is paid: one request to the notification service, with the step's key, so that it is one notification
 * however often it is asked for.
 *
 * Which words that takes is the notification service's business: a workflow and its template, which people change there. Where there
 * is no such workflow yet, one with a few plain words is made first. Both of that may happen twice, and then changes nothing: a
 * template's first version is only made while there is no workflow.
 *
 * A customer who cannot be written to is no reason to hold up an order: what is refused for good is noted, and the checkout goes on. */
#include "payment/checkout_int.h"

#include "base/arena.h"
#include "base/money.h"
#include "service/peer.h"

enum { UNKNOWN_WORKFLOW = 404, REFUSED = 422 };

static void put_asked(JsonWriter *w, SagaCall *call, Str workflow)
{
	const Json *paid = saga_said(call, "charge");
	Str currency = { 0 }, order = { 0 }, locale = saga_text(call, "locale");
	int64_t amount = 0;

	json_to_i64(json_get(paid, S("amount")), &amount);
	json_to_str(json_get(paid, S("currency")), &currency);
	json_to_str(json_get(paid, S("order")), &order);
	json_begin_object(w);
	json_put_str(w, "workflow", workflow);
	json_key(w, S("to"));
	json_begin_array(w);
	json_begin_object(w);
	json_put_str(w, "email", saga_text(call, "email"));
	if (locale.len)
		json_put_str(w, "locale", locale);
	json_end(w);
	json_end(w);
	json_key(w, S("data"));
	json_begin_object(w);
	json_put_str(w, "checkout", service_id_text(call->arena, CHECKOUT_PREFIX, call->saga));
	json_put_str(w, "order", order);
	json_put_str(w, "name", saga_text(call, "name"));
	json_put_str(w, "total", money_text(call->arena, amount, currency));
	json_end(w);
	json_end(w);
}

static Err *ask_notification(SagaCall *call, const char *method, Str target, Str body, Str key,
                             AskAnswer *answer)
{
	const Checkout *checkout = call->arg;
	PeerAsk wish = { .service = "notification",
		         .method = str_of(method),
		         .target = target,
		         .body = body,
		         .idempotency_key = key,
		         .traceparent = call->traceparent };

	return service_peer_call(checkout->home, call->arena, &wish, answer);
}

/* --- where there is no such workflow ------------------------------------------------------------------------------------ */

static const Str first_version = S(
	"{\"note\":\"made by the first checkout\",\"parts\":[{\"channel\":\"email\",\"locale\":\"en\","
	"\"subject\":\"Order {{order}}: thank you\","
	"\"text\":\"Hello{{#name}} {{name}}{{/name}},\\n\\nyour payment of {{total}} for order {{order}} has "
	"arrived.\\n\"}]}");

static const Str first_workflow =
	S("{\"class\":\"transactional\",\"category\":\"orders\",\"channels\":["
          "\"email\"],\"locale\":\"en\"}");

static Err *make_workflow(SagaCall *call, Str workflow)
{
	Arena *a = call->arena;
	AskAnswer answer;

	TRY(ask_notification(call, "POST",
	                     str_fmt(a, "/v1/templates/%.*s/versions", STR_ARG(workflow)),
	                     first_version, str_fmt(a, "checkout:template:%.*s", STR_ARG(workflow)),
	                     &answer));
	TRY(service_peer_refusal(a, "notification", &answer));
	TRY(ask_notification(call, "PUT", str_fmt(a, "/v1/workflows/%.*s", STR_ARG(workflow)),
	                     first_workflow, S(""), &answer));
	return service_peer_refusal(a, "notification", &answer);
}

/* --- the step ----------------------------------------------------------------------------------------------------------- */

Err *checkout_tell(SagaCall *call)
{
	const Checkout *checkout = call->arg;
	Str workflow = checkout->conf->workflow, body, target = S("/v1/notifications");
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	AskAnswer answer;
	Err *refusal;

	if (!workflow.len || !service_peer_known(checkout->home, "notification"))
		return NULL;
	put_asked(&w, call, workflow);
	TRY(json_done(&w, &body));
	TRY(ask_notification(call, "POST", target, body, call->key, &answer));
	if (answer.status == UNKNOWN_WORKFLOW) {
		TRY(make_workflow(call, workflow));
		TRY(ask_notification(call, "POST", target, body, call->key, &answer));
	}
	refusal = service_peer_refusal(call->arena, "notification", &answer);
	if (refusal && answer.status != REFUSED)
		return refusal;
	saga_say(call, refusal ? S("{\"told\":false}") : S("{\"told\":true}"));
	return NULL;
}

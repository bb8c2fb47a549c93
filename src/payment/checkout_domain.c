/* SPDX-License-Identifier: Apache-2.0
 *
 * What an order system may answer. Only statuses that speak of the order are a refusal: that a token is wrong, a path is not there
 * or a limit is reached is nobody's order's fault, and to undo a checkout for it would be wrong as well as final. */
#include "payment/checkout_domain.h"

#include "base/arena.h"
#include "base/time.h"

enum { CODE_BYTES = 40, ORDER_BYTES = 100, MESSAGE_BYTES = 300 };

OrdersVerdict orders_verdict(unsigned status)
{
	static const unsigned refusals[] = { 400, 402, 409, 410, 422 };

	if (status >= 200 && status < 300)
		return ORDERS_DONE;
	for (size_t i = 0; i < COUNT(refusals); i++)
		if (status == refusals[i])
			return ORDERS_REFUSED;
	return ORDERS_AGAIN;
}

const char *reservation_read(Arena *a, Str body, Reservation *out)
{
	Reservation r = { 0 };
	Str currency = { 0 };
	const Json *json;

	if (json_read(a, body, 0, &json) || json_kind(json) != JSON_KIND_OBJECT)
		return "is no JSON object";
	if (!json_to_str(json_get(json, S("order")), &r.order) || !r.order.len ||
	    r.order.len > ORDER_BYTES)
		return "has no order";
	if (!json_to_i64(json_get(json, S("amount")), &r.amount) || r.amount < 1 ||
	    r.amount > RESERVATION_MOST)
		return "has no amount";
	json_to_str(json_get(json, S("currency")), &currency);
	r.currency = str_lower(a, currency);
	if (currency.len != 3)
		return "has no currency";
	*out = r;
	return NULL;
}

static bool is_code(Str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
			return false;
	}
	return text.len && text.len <= CODE_BYTES;
}

void orders_refusal_read(Arena *a, Str body, Str *code, Str *message)
{
	Str said = { 0 }, text = { 0 };
	const Json *json = NULL;

	if (!json_read(a, body, 0, &json)) {
		const Json *inner = json_get(json, S("error"));

		json = json_kind(inner) == JSON_KIND_OBJECT ? inner : json;
		json_to_str(json_get(json, S("code")), &said);
		if (!json_to_str(json_get(json, S("message")), &text))
			json_to_str(json_get(json, S("detail")), &text);
	}
	*code = is_code(said) ? said : S("refused");
	*message = text.len && text.len <= MESSAGE_BYTES ? text : S("the order system said no");
}

bool orders_is_running(Arena *a, unsigned status, Str body)
{
	const Json *json = NULL;
	Str code = { 0 };

	if (status == 409 && !json_read(a, body, 0, &json))
		json_to_str(json_get(json, S("code")), &code);
	return str_eq(code, S("idempotency.running"));
}

int64_t checkout_look_us(int64_t attempt)
{
	int64_t pause = 500 * US_PER_MS;

	for (int64_t i = 1; i < attempt && pause < 60 * US_PER_S; i++)
		pause *= 2;
	return MIN(pause, 60 * US_PER_S);
}

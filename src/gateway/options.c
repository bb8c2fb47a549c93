/* SPDX-License-Identifier: Apache-2.0
 *
 * The two methods that can be meant for somebody on the way. "OPTIONS *" asks the server as a whole (RFC 9110 9.3.7): for a
 * client that is the gateway, whatever stands behind it, so it is not routed. Max-Forwards counts the hops of OPTIONS
 * (7.6.2): who gets a zero answers. TRACE is refused whatever it counts, since its answer would show a client, or a script
 * in its browser, what stands in fields that are not for it: cookies, and what proxies add. */
#include "gateway/options.h"

#include "base/arena.h"
#include "base/util.h"

static Err no_trace = ERR_STATIC(METHOD, "gateway.trace", "this gateway is not traced");

static const Str allowed = { "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS", 44 };

static Header *find_hops(const Head *request)
{
	const Headers *headers = &request->headers;

	if (!str_eq(request->method, S("OPTIONS")))
		return NULL;
	for (uint32_t i = 0; i < headers->count; i++)
		if (str_eq_nocase(headers->at[i].name, S("max-forwards")))
			return &headers->at[i];
	return NULL;
}

bool options_are_ours(const Head *request)
{
	const Header *hops = find_hops(request);
	uint64_t left;

	if (str_eq(request->target, S("*")) || str_eq(request->method, S("TRACE")))
		return true;
	return hops && str_to_u64(hops->value, &left) && left == 0;
}

Err *options_answer(Exchange *x, const Header *id, Str *allow)
{
	Head head = { .status = 204, .content_length = -1 };

	*allow = allowed;
	if (!str_eq(x->request.method, S("OPTIONS")))
		return &no_trace;
	headers_add(&head.headers, x->arena, S("Allow"), allowed);
	headers_add(&head.headers, x->arena, id->name, id->value);
	return http_begin(x, &head);
}

void options_step(Arena *a, Head *request)
{
	Header *hops = find_hops(request);
	uint64_t left;

	if (hops && str_to_u64(hops->value, &left) && left)
		hops->value = str_fmt(a, "%" PRIu64, left - 1);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The two methods that can be meant for somebody on the way. "OPTIONS *" asks the server as a whole (RFC 9110 9.3.7): for a
 * client that is the gateway, whatever stands behind it, so it is not routed. Max-Forwards counts hops, of OPTIONS and
 * TRACE only (7.6.2): who gets a zero answers. TRACE is answered with a refusal, since it would say what proxies added. */
#include "gateway/options.h"

#include "base/arena.h"
#include "base/util.h"

static Err no_trace = ERR_STATIC(METHOD, "gateway.trace", "this gateway is not traced");

static const Str allowed = { "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS", 44 };

static bool counts_hops(const Head *request)
{
	return str_eq(request->method, S("OPTIONS")) || str_eq(request->method, S("TRACE"));
}

static Header *find_hops(const Head *request)
{
	const Headers *headers = &request->headers;

	for (uint32_t i = 0; i < headers->count; i++)
		if (str_eq_nocase(headers->at[i].name, S("max-forwards")))
			return &headers->at[i];
	return NULL;
}

bool options_are_ours(const Head *request)
{
	const Header *hops = NULL;
	uint64_t left;

	if (str_eq(request->target, S("*")))
		return true;
	if (counts_hops(request))
		hops = find_hops(request);
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
	Header *hops = counts_hops(request) ? find_hops(request) : NULL;
	uint64_t left;

	if (hops && str_to_u64(hops->value, &left) && left)
		hops->value = str_fmt(a, "%" PRIu64, left - 1);
}

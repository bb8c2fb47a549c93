/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conf_action.c"
#include "unit.h"

static Str mistakes_of(Arena *a, const char *route)
{
	AUTO(buf_fini) Buf b = { 0 };
	Conf *conf = conf_new(a);
	GatewayConf *g;
	Str text = str_fmt(a,
	                   "listen: [ 127.0.0.1:8080 ]\n"
	                   "upstreams: { shop: { servers: [ 127.0.0.1:8000 ] } }\n"
	                   "routes:\n - name: one\n%s\n - { name: rest, to: shop }\n",
	                   route);
	Err *err = gateway_conf_read(a, conf, S("b.yaml"), text, &g);

	if (err)
		CHECK_ERR(err, "conf.invalid");
	conf_put_mistakes(conf, &b);
	return str_dup(a, buf_str(&b));
}

TEST(mistakes_of_what_routes_do)
{
	static const struct {
		const char *route, *want;
	} cases[] = {
		{ "   match: /u/{id}\n   redirect: https://{host}/users/{id}", "" },
		{ "   match: /u/{id}\n   redirect: /users/{idd}",
		  "6:14: to: there is no {idd} here: did you mean {id}?" },
		{ "   match: /u/{id}\n   redirect: users",
		  "6:14: to: expected a path that begins with \"/\", or http:// or https://" },
		{ "   match: /u/{id}\n   redirect: /a{id",
		  "6:14: to: \"/a{id\": a brace is not closed: {{ is a brace" },
		{ "   match: /u\n   redirect: { to: /x, status: 304 }",
		  "6:32: status: a redirect has 301, 302, 303, 307 or 308" },
		{ "   match: /u/**\n   to: shop\n   rewrite: /v2{rest}", "" },
		{ "   match: /u\n   to: shop\n   rewrite: /v2{rest}",
		  "7:13: rewrite: there is no {rest} here: the route's path has no /** at its end" },
		{ "   match: /u\n   to: shop\n   rewrite: v2",
		  "7:13: rewrite: \"v2\": expected a path that begins with \"/\", or http:// or https://" },
		{ "   match: /u\n   redirect: /x\n   rewrite: /v2",
		  "7:13: rewrite: is for routes with to or files" },
		{ "   match: /u\n   answer: hello\n   strip_prefix: /u",
		  "7:18: strip_prefix: is for routes with to or files" },
		{ "   match: /u\n   answer: hello\n   request_headers: { remove: X }",
		  "7:4: request_headers: are for routes with to" },
		{ "   match: /u\n   answer: hello\n   sendfile: /tmp",
		  "7:14: sendfile: is for routes with to" },
		{ "   match: /u\n   answer: { body: x, status: 204 }",
		  "6:31: status: an answer with 204 has no body" },
		{ "   match: /u\n   answer: { body: x, file: /dev/null }",
		  "6:29: file: there is a body already" },
		{ "   match: /u\n   answer: { status: 204 }\n   response_headers: { add: { X: '{host}' } }",
		  "" },
		{ "   match: /u\n   to: shop\n   response_headers: { add: { X: '{hots}' } }",
		  "7:34: value: there is no {hots} here: did you mean {host}?" },
		{ "   match: /u\n   to: shop\n   request_headers: { set: { X-Forwarded-Prefix: /u } }",
		  "" },
		{ "   match: /u\n   to: shop\n   request_headers: { set: { X_Forwarded-For: a } }",
		  "7:30: X_Forwarded-For: the gateway says it itself, so it cannot be set" },
		{ "   match: /u\n   to: shop\n   request_headers: { add: { x-request-id: a } }",
		  "7:30: x-request-id: the gateway says it itself, so it cannot be set" },
		{ "   match: /u\n   to: shop\n   request_headers: { set: { traceparent: a } }",
		  "7:30: traceparent: the gateway says it itself, so it cannot be set" },
		{ "   match: { path: /u, methods: TRACE }\n   to: shop",
		  "5:32: methods: \"TRACE\": the gateway refuses it itself, on every route" },
		{ "   match: /u\n   to: shop\n   request_headers: { add: { Via: a } }",
		  "7:30: Via: the gateway says it itself, so it cannot be set" },
		{ "   match: /u\n   to: shop\n   request_headers: { remove: [ X-Real-IP, via ] }",
		  "7:44: remove: without Via a request that goes round in circles would never be found" },
		{ "   match: /u\n   to: shop\n   request_headers: { set: { Content-Length: 1 } }",
		  "7:30: name: \"Content-Length\": it frames the message, so it is not to be changed" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Str want = cases[i].want[0] ? str_fmt(a, "b.yaml:%s\n", cases[i].want) : S("");

		NOTE("%s", cases[i].route);
		CHECK_STR(mistakes_of(a, cases[i].route), want);
	}
}

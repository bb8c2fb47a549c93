/* SPDX-License-Identifier: Apache-2.0
 *
 * One question to a provider over HTTP, and what its failure means. Here it is decided what may be asked again: what provably was not
 * sent is UNSENT; everything that was, and has no answer that can be read, is UNKNOWN, a 5xx too: the machine in front may have lost
 * what the one behind it has done. 401, 403 and 429 are said before anything is done.
 *
 * An act is sent once. That its key would make a second time harmless is the provider's promise; here nothing rests on it: who got no
 * answer asks (provider_get), and questions may be repeated. */
#include "payment/provider_int.h"

#include "base/arena.h"

Str provider_text(const Json *object, const char *member)
{
	Str text = { 0 };

	(void)json_to_str(json_get(object, str_of(member)), &text);
	return text;
}

int64_t provider_number(const Json *object, const char *member)
{
	int64_t n = 0;

	(void)json_to_i64(json_get(object, str_of(member)), &n);
	return n;
}

void provider_answer(ProviderAnswer *out, ProviderResult result, Str code, Str text)
{
	*out = (ProviderAnswer){ .result = result, .code = code, .text = text };
}

static void take_answer(Arena *a, const AskAnswer *answer, ProviderReply *reply,
                        ProviderAnswer *out)
{
	Err *err;

	reply->status = answer->status;
	if (answer->status == 401 || answer->status == 403 || answer->status == 429) {
		provider_answer(out, PROVIDER_REFUSED,
		                answer->status == 429 ? S("provider.busy") : S("provider.key"),
		                str_fmt(a, "it answered %u", answer->status));
		out->retry_us = ask_retry_after_us(answer);
		return;
	}
	if (answer->status >= 500 || answer->status < 200) {
		provider_answer(out, PROVIDER_UNKNOWN, S("provider.error"),
		                str_fmt(a, "it answered %u", answer->status));
		return;
	}
	err = json_read(a, answer->body, 0, &reply->json);
	reply->got = !err && json_kind(reply->json) == JSON_KIND_OBJECT;
	if (!reply->got)
		provider_answer(out, PROVIDER_UNKNOWN, S("provider.answer"),
		                S("its answer could not be read"));
}

Err *provider_wire(const Provider *p, Arena *a, const ProviderWire *what, ProviderReply *reply,
                   ProviderAnswer *out)
{
	Str base = p->conf->url.len ? p->conf->url : str_of(p->kind->url);
	Ask question = { .method = what->body.len ? S("POST") : S("GET"),
		         .url = str_fmt(a, "%.*s%.*s", STR_ARG(base), STR_ARG(what->target)),
		         .body = what->body,
		         .type = what->form ? S("application/x-www-form-urlencoded")
		                            : S("application/json"),
		         .traceparent = what->traceparent,
		         .timeout_us = p->conf->timeout_us,
		         .repeatable = !what->body.len };
	AskAnswer answer;
	Err *err;

	*reply = (ProviderReply){ 0 };
	if (p->conf->key.len)
		headers_add_id(&question.headers, a, HTTP_AUTHORIZATION,
		               str_fmt(a, "Bearer %.*s", STR_ARG(p->conf->key)));
	if (p->kind->version)
		headers_add(&question.headers, a, str_of(p->kind->version_header),
		            str_of(p->kind->version));
	if (what->key.len)
		headers_add(&question.headers, a, S("Idempotency-Key"), what->key);
	err = ask(p->client, a, &question, &answer);
	if (!err) {
		take_answer(a, &answer, reply, out);
		return NULL;
	}
	provider_answer(out, answer.sent ? PROVIDER_UNKNOWN : PROVIDER_UNSENT,
	                answer.sent ? S("provider.no_answer") : S("provider.away"),
	                err_chain(a, err));
	return err->kind == ERR_CANCELLED ? err : NULL;
}

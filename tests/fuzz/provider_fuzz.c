/* SPDX-License-Identifier: Apache-2.0
 *
 * Webhooks as strangers send them to a provider's place. The first line is the signature's header, the rest the body. What is believed is
 * what was signed, and no signature of a stranger is; what is read has an id and a type. */
#include "auth/signing.h"
#include "base/arena.h"
#include "http/message.h"
#include "payment/provider_int.h"

#include <stdlib.h>

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fine)
{
	if (!fine)
		abort();
}

static void read_event(Arena *a, const ProviderKind *kind, Str body)
{
	ProviderConf conf = { .webhook_secret = S(SECRET) };
	Provider p = { .conf = &conf, .kind = kind };
	ProviderEvent event;

	if (!provider_parse_webhook(&p, a, body, &event))
		must(event.id.len && event.type.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Str body = { (const char *)data, size }, header, key;
	Arena *a = arena_new(0);
	int64_t now_s = 1700000000;

	if (!str_split(&body, '\n', &header))
		header = (Str){ 0 };
	must(signing_key(a, S(SECRET), &key));
	must(signing_stripe_check(a, S(SECRET), header, body, now_s) != NULL);
	must(signing_standard_check(a, key, S("evt_1"), S("1700000000"), header, body, now_s) !=
	     NULL);
	must(!signing_stripe_check(a, S(SECRET), signing_stripe(a, S(SECRET), now_s, body), body,
	                           now_s));
	must(!signing_standard_check(a, key, S("evt_1"), S("1700000000"),
	                             signing_standard(a, key, S("evt_1"), now_s, body), body,
	                             now_s));
	read_event(a, provider_stripe_kind(), body);
	read_event(a, provider_fault_kind(), body);
	arena_free(a);
	return 0;
}

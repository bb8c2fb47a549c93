/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates of clients. TLS has verified them against the listener's authorities; which of them may come is for rules. */
#include "base/arena.h"
#include "gateway/auth_int.h"
#include "rt/tls.h"

#include <string.h>

static const Json *claims_of(Arena *a, const TlsCertificate *cert)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	const Json *claims = NULL;
	Str first = cert->count ? cert->names[0] : cert->subject;

	json_begin_object(&w);
	json_put_str(&w, "sub", cert->common.len ? cert->common : first);
	json_put_str(&w, "subject", cert->subject);
	json_key(&w, S("names"));
	json_begin_array(&w);
	for (size_t i = 0; i < cert->count; i++)
		json_add_str(&w, cert->names[i]);
	json_end(&w);
	json_end(&w);
	return json_read(a, str_dup(a, buf_str(&b)), 0, &claims) ? NULL : claims;
}

Err *auth_try_certificate(const AuthPolicy *policy, Passage *p, AuthFound *found)
{
	TlsCertificate cert;

	(void)policy;
	if (!p->x->stream || !stream_certificate(p->x->stream, p->x->arena, &cert))
		return NULL;
	found->claims = claims_of(p->x->arena, &cert);
	found->there = found->claims != NULL;
	found->by = "certificate";
	memcpy(found->id.at, cert.sha256, sizeof found->id.at);
	return NULL;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Signatures before a message: one of each key whose domain is the sender's or above it (a receiver looks for one that fits; two of
 * one domain, RSA and Ed25519, serve old and new ones). A mail of another domain goes as it is. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/time.h"
#include "notification/mail_int.h"
#include "rt/work.h"

typedef struct Signing {
	const DkimKey *keys[MAIL_KEYS];
	size_t count;
	Arena *a;
	Str message;
	Str fields[MAIL_KEYS];
	Err *err;
} Signing;

static bool is_below(Str domain, Str above)
{
	if (domain.len <= above.len)
		return str_eq_nocase(domain, above);
	return domain.at[domain.len - above.len - 1] == '.' &&
	       str_eq_nocase(str_sub(domain, domain.len - above.len, domain.len), above);
}

static void sign_all(void *arg)
{
	Signing *s = arg;

	for (size_t i = 0; i < s->count && !s->err; i++)
		s->err = dkim_sign(s->keys[i], s->a, s->message, time_utc_us(), &s->fields[i]);
}

Err *mail_sign(const Mail *mail, Arena *a, Str from, Str message, Str *out)
{
	AUTO(buf_fini) Buf b = { 0 };
	Signing s = { .a = a, .message = message };

	for (size_t i = 0; i < mail->key_count; i++)
		if (is_below(smtp_domain(from), dkim_domain(mail->keys[i])))
			s.keys[s.count++] = mail->keys[i];
	*out = message;
	if (!s.count)
		return NULL;
	TRY(work_run(sign_all, &s));
	TRY(s.err);
	for (size_t i = 0; i < s.count; i++)
		buf_put(&b, s.fields[i]);
	buf_put(&b, message);
	*out = str_dup(a, buf_str(&b));
	return NULL;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Names and addresses: a form to compare by is its own form, whatever was typed; nothing unseen is in it. One-time secrets and
 * their addresses go both ways. */
#include "auth/text.h"
#include "auth/totp.h"
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fine)
{
	if (!fine)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena *a = arena_new(0);
	Str typed = { (const char *)data, size }, shown;
	TextEmail email, again;
	TextName name, same;
	Totp totp, back;

	if (!text_email(a, typed, &email)) {
		must(!text_email(a, email.norm, &again) && str_eq(again.norm, email.norm));
		must(!memchr(email.norm.at, 0, email.norm.len) && email.norm.len <= 254);
	}
	if (!text_username(a, typed, &name)) {
		must(!text_username(a, name.norm, &same) && str_eq(same.norm, name.norm));
		must(text_skeleton(a, name.norm).len > 0);
	}
	if (!text_login(a, typed, &name) && !text_login(a, name.norm, &same))
		must(str_eq(same.norm, name.norm));
	if (!text_display(a, typed, 50, &shown))
		must(!text_display(a, shown, 50, &typed) && str_eq(typed, shown));
	if (!totp_uri_read(a, (Str){ (const char *)data, size }, &totp, NULL, NULL))
		must(!totp_uri_read(a, totp_uri(a, &totp, S("x"), S("y")), &back, NULL, NULL) &&
		     str_eq(back.secret, totp.secret));
	arena_free(a);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Forms, and addresses of clients. What is read and written again reads as the same, no name stands there twice, all of it is UTF-8
 * without NUL; an address that may be registered is known once it is, and is no other origin's. */
#include "base/arena.h"
#include "http/form.h"
#include "user/oidc_domain.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fine)
{
	if (!fine)
		abort();
}

static void check_form(Arena *a, const Form *form)
{
	AUTO(buf_fini) Buf text = { 0 };
	Form again;

	for (size_t i = 0; i < form->count; i++) {
		must(!memchr(form->at[i].value.at, 0, form->at[i].value.len));
		form_put(&text, form->at[i].name, form->at[i].value);
	}
	if (text.len > FORM_BYTES)
		return; /* escapes are longer */
	must(!form_read(a, buf_str(&text), &again) && again.count == form->count);
	for (size_t i = 0; i < form->count; i++)
		must(str_eq(again.at[i].name, form->at[i].name) &&
		     str_eq(again.at[i].value, form->at[i].value));
}

static void check_address(Str uri)
{
	static const Str known =
		S("https://shop.test/back http://127.0.0.1/back com.shop.app:/back");

	if (oidc_redirect_is(uri))
		must(oidc_redirect_known(uri, uri));
	if (!oidc_redirect_known(known, uri))
		return;
	must(oidc_redirect_is(uri));
	must(str_eq(uri, S("https://shop.test/back")) || str_eq(uri, S("com.shop.app:/back")) ||
	     (str_starts(uri, S("http://127.0.0.1")) && str_ends(uri, S("/back")) &&
	      str_find_char(uri, '@') < 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Str text = { (const char *)data, size };
	Arena *a = arena_new(0);
	Form form;

	if (!form_read(a, text, &form)) {
		check_form(a, &form);
		for (size_t i = 0; i < form.count; i++)
			check_address(form.at[i].value);
	}
	check_address(text);
	arena_free(a);
	return 0;
}

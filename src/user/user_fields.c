/* SPDX-License-Identifier: Apache-2.0
 *
 * What is wrong with a request is collected, so that its sender mends all of it at once. */
#include "user/user_fields.h"

#include "base/arena.h"
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

void field_wrong(FieldErrors *wrong, Str pointer, const char *code, const char *fmt, ...)
{
	char text[400];
	va_list args;
	int len;

	if (wrong->count == FIELD_ERRORS)
		return;
	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	wrong->at[wrong->count++] = (FieldError){
		.pointer = str_dup(wrong->arena, pointer),
		.code = code,
		.text = str_dup(wrong->arena, (Str){ text, MIN((size_t)MAX(len, 0), sizeof(text) - 1) }),
	};
}

Str field_pointer(Arena *a, Str parent, Str key)
{
	AUTO(buf_fini) Buf b = { 0 };

	buf_put(&b, parent);
	buf_putc(&b, '/');
	for (size_t i = 0; i < key.len; i++) {
		if (key.at[i] == '~')
			buf_put(&b, S("~0"));
		else if (key.at[i] == '/')
			buf_put(&b, S("~1"));
		else
			buf_putc(&b, key.at[i]);
	}
	return str_dup(a, buf_str(&b));
}

Err *field_result(Arena *a, const FieldErrors *wrong)
{
	if (!wrong->count)
		return NULL;
	return err_new(a, ERR_INVALID, "user.fields", "%.*s %.*s", STR_ARG(wrong->at[0].pointer),
	               STR_ARG(wrong->at[0].text));
}

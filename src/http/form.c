/* SPDX-License-Identifier: Apache-2.0
 *
 * Forms, read and written.
 *
 * One reader for queries and bodies, so that a parameter means the same wherever it came. What is not UTF-8, and NUL, is refused
 * here: nothing behind it has to think of them. Pairs are few, so they are looked for one after another. */
#include "http/form.h"

#include "base/arena.h"

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		return (c | 0x20) - 'a' + 10;
	return -1;
}

static bool is_text(Str text)
{
	uint32_t code;

	while (text.len) {
		size_t bytes = str_utf8(text, &code);

		if (!bytes || !code)
			return false;
		text = str_sub(text, bytes, text.len);
	}
	return true;
}

static Err *decode(Arena *a, Str raw, Str *out)
{
	char *at = arena_alloc_raw(a, raw.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < raw.len; i++) {
		char c = raw.at[i];

		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			int high = i + 2 < raw.len ? digit_of(raw.at[i + 1]) : -1;
			int low = i + 2 < raw.len ? digit_of(raw.at[i + 2]) : -1;

			if (high < 0 || low < 0)
				return err_new(a, ERR_INVALID, "form.escape",
				               "a %% of the form is not followed by two digits");
			c = (char)(high * 16 + low);
			i += 2;
		}
		at[len++] = c;
	}
	*out = (Str){ at, len };
	if (!is_text(*out))
		return err_new(a, ERR_INVALID, "form.escape",
		               "a part of the form is not UTF-8, or has a NUL in it");
	return NULL;
}

static const FormPair *find(const Form *form, Str name)
{
	for (size_t i = 0; i < form->count; i++)
		if (str_eq(form->at[i].name, name))
			return &form->at[i];
	return NULL;
}

static Err *read_pair(Arena *a, Str text, Form *form)
{
	ptrdiff_t equals = str_find_char(text, '=');
	Str raw_name = equals < 0 ? text : str_sub(text, 0, (size_t)equals);
	Str raw_value = equals < 0 ? (Str){ 0 } : str_sub(text, (size_t)equals + 1, text.len);
	FormPair pair;

	TRY(decode(a, raw_name, &pair.name));
	TRY(decode(a, raw_value, &pair.value));
	if (find(form, pair.name))
		return err_new(a, ERR_INVALID, "form.twice", "%.*s stands there twice",
		               STR_ARG(str_quote(a, pair.name)));
	if (form->count == FORM_PAIRS)
		return err_new(a, ERR_TOO_LARGE, "form.too_large", "more than %d parameters",
		               FORM_PAIRS);
	form->at[form->count++] = pair;
	return NULL;
}

Err *form_read(Arena *a, Str text, Form *out)
{
	Form form = { .at = ARENA_ARRAY(a, FormPair, FORM_PAIRS) };
	Str rest = text, part;

	if (text.len > FORM_BYTES)
		return err_new(a, ERR_TOO_LARGE, "form.too_large", "more than %d bytes of form",
		               FORM_BYTES);
	while (text.len && str_split(&rest, '&', &part))
		if (part.len)
			TRY(read_pair(a, part, &form));
	*out = form;
	return NULL;
}

Str form_get(const Form *form, const char *name)
{
	const FormPair *pair = find(form, str_of(name));

	return pair ? pair->value : (Str){ 0 };
}

static bool is_unreserved(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' ||
	       c == '.' || c == '_' || c == '~';
}

void form_put_escaped(Buf *b, Str text)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = (uint8_t)text.at[i];

		if (is_unreserved(text.at[i])) {
			buf_putc(b, text.at[i]);
			continue;
		}
		buf_putc(b, '%');
		buf_putc(b, digits[c >> 4]);
		buf_putc(b, digits[c & 15]);
	}
}

void form_put(Buf *b, Str name, Str value)
{
	if (b->len && b->at[b->len - 1] != '?')
		buf_putc(b, '&');
	form_put_escaped(b, name);
	buf_putc(b, '=');
	form_put_escaped(b, value);
}

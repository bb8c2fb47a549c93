/* SPDX-License-Identifier: Apache-2.0
 *
 * A text is a row of parts: literal bytes, or a name to look up. */
#include "load/text.h"

#include "base/arena.h"

typedef struct Part {
	Str text;
	bool name;
} Part;

struct Text {
	size_t count;
	Part parts[];
};

/* The next part of the rest; false at its end. *why: what is wrong with it. */
static bool next_part(Str *rest, Part *part, const char **why)
{
	size_t i = 0;
	ptrdiff_t end;

	*why = NULL;
	if (!rest->len)
		return false;
	if (rest->at[0] == '{' && rest->len > 1 && rest->at[1] != '{') {
		end = str_find_char(*rest, '}');
		if (end < 2)
			*why = end < 0 ? "a \"{\" without \"}\": write \"{{\" for a brace"
			               : "a name is missing between the braces";
		*part = (Part){ str_sub(*rest, 1, end < 1 ? 1 : (size_t)end), true };
		*rest = end < 0 ? (Str){ 0 } : str_sub(*rest, (size_t)end + 1, rest->len);
		return true;
	}
	if (rest->at[0] == '{' || rest->at[0] == '}') {
		if (rest->len < 2 || rest->at[1] != rest->at[0])
			*why = "a lone brace: write \"{{\" or \"}}\" for one";
		*part = (Part){ str_sub(*rest, 0, 1), false };
		*rest = str_sub(*rest, 2, rest->len);
		return true;
	}
	while (i < rest->len && rest->at[i] != '{' && rest->at[i] != '}')
		i++;
	*part = (Part){ str_sub(*rest, 0, i), false };
	*rest = str_sub(*rest, i, rest->len);
	return true;
}

Err *text_mistake(Arena *a, Str source)
{
	Str rest = source;
	const char *why;
	Part part;

	while (next_part(&rest, &part, &why))
		if (why)
			return err_new(a, ERR_INVALID, "load.text", "%.*s: %s",
			               STR_ARG(str_quote(a, source)), why);
	return NULL;
}

Text *text_new(Arena *a, Str source)
{
	size_t count = 0;
	Str rest = source;
	const char *why;
	Part part;
	Text *text;

	while (next_part(&rest, &part, &why))
		count++;
	text = arena_alloc(a, sizeof *text + count * sizeof(Part));
	for (rest = source; next_part(&rest, &part, &why);)
		text->parts[text->count++] = part;
	return text;
}

bool text_is_plain(const Text *text)
{
	for (size_t i = 0; i < text->count; i++)
		if (text->parts[i].name)
			return false;
	return true;
}

void text_put(Buf *out, const Text *text, TextLookup *lookup, void *arg)
{
	for (size_t i = 0; i < text->count; i++) {
		const Part *part = &text->parts[i];

		if (!part->name)
			buf_put(out, part->text);
		else
			(void)lookup(arg, part->text, out);
	}
}

static void put_escaped(Buf *out, Str text)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = (uint8_t)text.at[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		             (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '*';

		if (c == ' ')
			buf_putc(out, '+');
		else if (plain)
			buf_putc(out, (char)c);
		else
			buf_put(out, (Str){ (char[]){ '%', digits[c >> 4], digits[c & 15] }, 3 });
	}
}

void text_put_form(Buf *out, const Text *text, TextLookup *lookup, void *arg)
{
	AUTO(buf_fini) Buf plain = { 0 };

	text_put(&plain, text, lookup, arg);
	put_escaped(out, buf_str(&plain));
}

void text_names(const Text *text, void (*visit)(void *arg, Str name), void *arg)
{
	for (size_t i = 0; i < text->count; i++)
		if (text->parts[i].name)
			visit(arg, text->parts[i].text);
}

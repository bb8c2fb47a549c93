/* SPDX-License-Identifier: Apache-2.0
 *
 * The forms that a write has in the book, and what a status says of it. All of it pure.
 *
 * Of the side that was asked first: 2xx and 3xx say that it was done, 4xx that it was not. 500 and its kin are the side's own
 * word that it failed; but 502 and 504 are what a proxy in front of it says that has lost the answer, and then nobody knows.
 * Of the other side: 4xx is final, but for those that ask for another try: 408, 425, 429, and 409, which is what one who keeps
 * Idempotency-Keys says while the first try is still being done. */
#include "shift/dual_form.h"

#include "base/arena.h"
#include "base/time.h"

#include <string.h>

/* --- heads ----------------------------------------------------------------------------------------------------------------- */

static void put_field(Buf *b, Str name, Str value)
{
	buf_put(b, name);
	buf_put(b, S(": "));
	buf_put(b, value);
	buf_putc(b, '\n');
}

void dual_put_fields(Buf *b, const Headers *headers)
{
	for (uint32_t i = 0; i < headers->count; i++)
		put_field(b, headers->at[i].name, headers->at[i].value);
}

static bool read_field(Str line, Str *name, Str *value)
{
	ptrdiff_t colon = str_find(line, S(": "));

	if (colon <= 0)
		return false;
	*name = str_sub(line, 0, (size_t)colon);
	*value = str_sub(line, (size_t)colon + 2, line.len);
	return true;
}

bool dual_read_fields(Arena *a, Str text, Headers *out)
{
	Str line, name, value;

	*out = (Headers){ 0 };
	while (text.len && str_split(&text, '\n', &line)) {
		if (!read_field(line, &name, &value))
			return false;
		headers_add(out, a, name, value);
	}
	return true;
}

/* --- answers --------------------------------------------------------------------------------------------------------------- */

void dual_put_answer(Buf *b, const ShadowAnswer *answer)
{
	buf_fmt(b, "%u %s\n", answer->status, answer->cut ? "cut" : "whole");
	for (size_t i = 0; i < answer->field_count; i++)
		put_field(b, answer->fields[i].name, answer->fields[i].value);
	buf_putc(b, '\n');
	buf_put(b, buf_str(&answer->body));
}

static bool read_status(Str line, ShadowAnswer *out)
{
	uint64_t status;

	if (!str_to_u64(str_sub(line, 0, 3), &status) || line.len < 5)
		return false;
	out->status = (uint16_t)status;
	out->cut = str_eq(str_sub(line, 4, line.len), S("cut"));
	return true;
}

bool dual_read_answer(Arena *a, Str text, ShadowAnswer *out)
{
	size_t room = 8;
	Str line, name, value;

	*out = (ShadowAnswer){ .fields = ARENA_ARRAY(a, CompareField, room) };
	if (!str_split(&text, '\n', &line) || !read_status(line, out))
		return false;
	while (str_split(&text, '\n', &line) && line.len) {
		if (!read_field(line, &name, &value))
			return false;
		if (out->field_count == room) {
			CompareField *more = ARENA_ARRAY(a, CompareField, room * 2);

			memcpy(more, out->fields, room * sizeof *more);
			out->fields = more;
			room *= 2;
		}
		out->fields[out->field_count++] = (CompareField){ name, value };
	}
	buf_put(&out->body, text);
	return true;
}

/* --- what a status says ------------------------------------------------------------------------------------------------------ */

DualFate dual_fate_of(unsigned status)
{
	if (status >= 200 && status < 400)
		return DUAL_TAKEN;
	return status == 502 || status == 504 || status < 200 ? DUAL_UNKNOWN : DUAL_REFUSED;
}

DualStep dual_step_of(unsigned status)
{
	static const uint16_t later[] = { 408, 409, 425, 429 };

	for (size_t i = 0; i < COUNT(later); i++)
		if (status == later[i])
			return DUAL_AGAIN;
	if (status >= 200 && status < 400)
		return DUAL_DONE;
	return status >= 400 && status < 500 ? DUAL_DIES : DUAL_AGAIN;
}

int64_t dual_pause_us(int64_t tries, uint64_t chance)
{
	int64_t us = 60 * US_PER_S;

	if (tries < 9)
		us = MIN(us, 250 * US_PER_MS << MAX(tries - 1, 0));
	return us - (int64_t)(chance % (uint64_t)(us / 4));
}

/* --- text ------------------------------------------------------------------------------------------------------------------ */

Str dual_text(Arena *a, Str text, size_t most)
{
	AUTO(buf_fini) Buf b = { 0 };
	uint32_t code;

	for (size_t i = 0, n; i < text.len; i += MAX(n, (size_t)1)) {
		n = str_utf8(str_sub(text, i, text.len), &code);
		if (b.len + MAX(n, (size_t)1) > most)
			break;
		buf_put(&b, n && code >= ' ' && code != 0x7f ? str_sub(text, i, i + n) : S("?"));
	}
	return str_dup(a, buf_str(&b));
}

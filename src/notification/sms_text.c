/* SPDX-License-Identifier: Apache-2.0
 *
 * The GSM 7 bit default alphabet and its extension (TS 23.038, 6.2.1), and how many messages a text fills.
 *
 * A letter outside of both tables more than halves what fits in a message, and doubles the bill of a campaign; that is why the count
 * says which one it was. National tables (shift by language) are left alone: few providers send them. */
#include "notification/sms_text.h"

/* Of the basic table, in the order of code points from U+00A0; those below are a table of bits. */
static const uint16_t basic_high[] = {
	0x00a1, 0x00a3, 0x00a4, 0x00a5, 0x00a7, 0x00bf, 0x00c4, 0x00c5, 0x00c6, 0x00c7,
	0x00c9, 0x00d1, 0x00d6, 0x00d8, 0x00dc, 0x00df, 0x00e0, 0x00e4, 0x00e5, 0x00e6,
	0x00e8, 0x00e9, 0x00ec, 0x00f1, 0x00f2, 0x00f6, 0x00f8, 0x00f9, 0x00fc, 0x0393,
	0x0394, 0x0398, 0x039b, 0x039e, 0x03a0, 0x03a3, 0x03a6, 0x03a8, 0x03a9,
};
/* ASCII that it has: LF, CR, space to Z but for `, a to z, and none of [ \ ] ^ { | } ~. */
static const uint32_t basic_low[4] = { 0x00002400, 0xffffffff, 0x87ffffff, 0x07fffffe };

static bool in_basic(uint32_t code)
{
	if (code < 0x80)
		return basic_low[code >> 5] >> (code & 31) & 1;
	for (size_t i = 0; i < COUNT(basic_high); i++)
		if (basic_high[i] == code)
			return true;
	return false;
}

static bool in_extension(uint32_t code)
{
	static const Str ascii = S("\f^{}\\[~]|");

	return code == 0x20ac || (code < 0x80 && str_find_char(ascii, (char)code) >= 0);
}

/* Septets that a character takes; 0: it is in neither table. */
static uint32_t septets(uint32_t code)
{
	return in_basic(code) ? 1 : in_extension(code) ? 2 : 0;
}

static Str next(Str *rest, uint32_t *code)
{
	size_t bytes = str_utf8(*rest, code);
	Str it;

	if (!bytes) {
		*code = 0xfffd;
		bytes = 1;
	}
	it = str_sub(*rest, 0, bytes);
	*rest = str_sub(*rest, bytes, rest->len);
	return it;
}

static uint32_t width(bool unicode, uint32_t code)
{
	return !unicode ? septets(code) : code > 0xffff ? 2 : 1;
}

/* Messages of `most` units each that nothing is cut in two in; *last: how many the last one has. */
static uint32_t fill(Str text, bool unicode, uint32_t most, uint32_t *last)
{
	uint32_t segments = 1, used = 0, code;

	while (text.len) {
		uint32_t units;

		next(&text, &code);
		units = width(unicode, code);
		if (used + units > most) {
			segments++;
			used = 0;
		}
		used += units;
	}
	*last = used;
	return segments;
}

SmsCount sms_count(Str text)
{
	SmsCount count = { 0 };
	uint32_t code, most, last;

	for (Str rest = text; rest.len && !count.unicode;) {
		Str it = next(&rest, &code);

		if (!septets(code)) {
			count.unicode = true;
			count.odd = it;
		}
	}
	for (Str rest = text; rest.len;) {
		next(&rest, &code);
		count.units += width(count.unicode, code);
	}
	if (!count.units)
		return count;
	most = count.unicode ? 70 : 160;
	if (count.units > most)
		most = count.unicode ? 67 : 153;
	count.segments = fill(text, count.unicode, most, &last);
	count.room = most - last;
	return count;
}

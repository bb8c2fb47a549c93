/* SPDX-License-Identifier: Apache-2.0
 *
 * The index of a value is its power of two (which bucket) and its upper eleven bits (which slot in it), so that slots are
 * as wide as a thousandth of the value at most. Buckets overlap in their lower half: only the first uses all 2048 slots.
 *
 * The encoding is a header, then counts as ZigZag LEB128 with runs of empty slots as one negative number, deflated. */
#include "load/hist.h"

#include "base/err.h"
#include "base/time.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
	SLOT_BITS = 11, /* 2048 slots: the next power of two above 2 * 10^3 */
	SLOTS = 1 << SLOT_BITS,
	HALF = SLOTS / 2,
	BUCKETS = 22, /* 2048 << 21 is above an hour */
	COUNTS = (BUCKETS + 1) * HALF,
	HEADER_BYTES = 40,
	COOKIE = 0x1c849303 | 0x10,
	COOKIE_DEFLATED = 0x1c849304 | 0x10,
};

struct Hist {
	uint64_t count;
	int64_t min_us, max_us; /* as recorded */
	uint64_t counts[COUNTS];
};

static Err not_one =
	ERR_STATIC(INVALID, "load.histogram",
                   "expected a histogram of encoding V2 with 3 digits in microseconds");

Hist *hist_new(void)
{
	Hist *hist = calloc(1, sizeof *hist);

	if (!hist)
		abort();
	hist->min_us = INT64_MAX;
	return hist;
}

void hist_free(Hist *hist)
{
	free(hist);
}

void hist_freep(Hist **hist)
{
	hist_free(*hist);
}

void hist_clear(Hist *hist)
{
	*hist = (Hist){ .min_us = INT64_MAX };
}

/* --- slots ---------------------------------------------------------------------------------------------------------- */

static unsigned bucket_of(int64_t us)
{
	return 64 - SLOT_BITS - (unsigned)__builtin_clzll((uint64_t)us | (SLOTS - 1));
}

static unsigned index_of(int64_t us)
{
	unsigned bucket = bucket_of(us);

	return (bucket + 1) * HALF + (unsigned)((us >> bucket) - HALF);
}

static int64_t low_of(unsigned index)
{
	unsigned bucket = index < SLOTS ? 0 : index / HALF - 1;
	unsigned slot = index < SLOTS ? index : index % HALF + HALF;

	return (int64_t)slot << bucket;
}

static int64_t high_of(unsigned index)
{
	return low_of(index + 1) - 1;
}

void hist_record_n(Hist *hist, int64_t us, uint64_t n)
{
	us = us < 1 ? 1 : us;
	us = us > HIST_MAX_US ? HIST_MAX_US : us;
	hist->counts[index_of(us)] += n;
	hist->count += n;
	hist->min_us = MIN(hist->min_us, us);
	hist->max_us = MAX(hist->max_us, us);
}

void hist_record(Hist *hist, int64_t us)
{
	hist_record_n(hist, us, 1);
}

void hist_add(Hist *into, const Hist *from)
{
	if (!from->count)
		return;
	for (unsigned i = 0; i < COUNTS; i++)
		into->counts[i] += from->counts[i];
	into->count += from->count;
	into->min_us = MIN(into->min_us, from->min_us);
	into->max_us = MAX(into->max_us, from->max_us);
}

/* --- what it says --------------------------------------------------------------------------------------------------- */

uint64_t hist_count(const Hist *hist)
{
	return hist->count;
}

int64_t hist_min_us(const Hist *hist)
{
	return hist->count ? hist->min_us : 0;
}

int64_t hist_max_us(const Hist *hist)
{
	return hist->count ? hist->max_us : 0;
}

static double middle_of(unsigned index)
{
	return ((double)low_of(index) + (double)high_of(index)) / 2;
}

double hist_mean_us(const Hist *hist)
{
	double sum = 0;

	for (unsigned i = 0; i < COUNTS; i++)
		if (hist->counts[i])
			sum += middle_of(i) * (double)hist->counts[i];
	return hist->count ? sum / (double)hist->count : 0;
}

double hist_deviation_us(const Hist *hist)
{
	double mean = hist_mean_us(hist), sum = 0;

	for (unsigned i = 0; i < COUNTS; i++)
		if (hist->counts[i])
			sum += (middle_of(i) - mean) * (middle_of(i) - mean) *
			       (double)hist->counts[i];
	return hist->count ? sqrt(sum / (double)hist->count) : 0;
}

int64_t hist_percentile_us(const Hist *hist, double percent)
{
	double wanted = ceil(percent / 100 * (double)hist->count - 1e-9);
	uint64_t target = MAX((uint64_t)(wanted < 1 ? 1 : wanted), (uint64_t)1), seen = 0;

	for (unsigned i = 0; hist->count && i < COUNTS; i++) {
		seen += hist->counts[i];
		if (seen >= target)
			return MIN(high_of(i), hist_equivalent_max_us(hist->max_us));
	}
	return hist_max_us(hist);
}

uint64_t hist_count_above(const Hist *hist, int64_t us)
{
	uint64_t count = 0;

	us = us < 1 ? 1 : us;
	for (unsigned i = us > HIST_MAX_US ? COUNTS : index_of(us) + 1; i < COUNTS; i++)
		count += hist->counts[i];
	return count;
}

int64_t hist_equivalent_max_us(int64_t us)
{
	return high_of(index_of(us < 1 ? 1 : us));
}

void hist_each(const Hist *hist, HistVisit *visit, void *arg)
{
	for (unsigned i = 0; i < COUNTS; i++)
		if (hist->counts[i])
			visit(arg, low_of(i), high_of(i), hist->counts[i]);
}

/* --- encoding ------------------------------------------------------------------------------------------------------- */

static void put_be(Buf *out, uint64_t value, unsigned bytes)
{
	while (bytes--)
		buf_putc(out, (char)(value >> (8 * bytes)));
}

static uint64_t take_be(const char *at, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value = value << 8 | (uint8_t)at[i];
	return value;
}

static void put_zigzag(Buf *out, int64_t value)
{
	uint64_t bits = (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);

	for (unsigned i = 0; i < 8 && bits >> 7; i++, bits >>= 7)
		buf_putc(out, (char)(bits | 0x80));
	buf_putc(out, (char)bits); /* a ninth byte holds eight bits */
}

static bool take_zigzag(Str *bytes, int64_t *value)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < 9; i++) {
		uint8_t byte;

		if (!bytes->len)
			return false;
		byte = (uint8_t)bytes->at[0];
		*bytes = str_sub(*bytes, 1, bytes->len);
		bits |= (uint64_t)(i < 8 ? byte & 0x7f : byte) << (7 * i);
		if (i == 8 || !(byte & 0x80))
			break;
	}
	*value = (int64_t)(bits >> 1) ^ -(int64_t)(bits & 1);
	return true;
}

static void put_counts(Buf *out, const Hist *hist)
{
	unsigned end = hist->count ? index_of(hist->max_us) + 1 : 0;

	for (unsigned i = 0; i < end;) {
		int64_t empty = 0;

		while (i + (unsigned)empty < end && !hist->counts[i + (unsigned)empty])
			empty++;
		put_zigzag(out, empty ? -empty : (int64_t)hist->counts[i]);
		i += empty ? (unsigned)empty : 1;
	}
}

static void put_plain(Buf *out, const Hist *hist)
{
	AUTO(buf_fini) Buf counts = { 0 };
	double ratio = 1;
	uint64_t ratio_bits;

	memcpy(&ratio_bits, &ratio, sizeof ratio_bits);
	put_counts(&counts, hist);
	put_be(out, COOKIE, 4);
	put_be(out, counts.len, 4);
	put_be(out, 0, 4); /* normalizing offset */
	put_be(out, HIST_DIGITS, 4);
	put_be(out, 1, 8);
	put_be(out, (uint64_t)HIST_MAX_US, 8);
	put_be(out, ratio_bits, 8);
	buf_put(out, buf_str(&counts));
}

static void put_base64(Buf *out, Str bytes)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t have = MIN(bytes.len - i, (size_t)3);
		uint32_t group = 0;

		for (size_t k = 0; k < 3; k++)
			group = group << 8 | (k < have ? (uint8_t)bytes.at[i + k] : 0);
		for (size_t k = 0; k < 4; k++)
			buf_putc(out, k <= have ? letters[group >> (18 - 6 * k) & 63] : '=');
	}
}

void hist_put_v2(Buf *out, const Hist *hist)
{
	AUTO(buf_fini) Buf plain = { 0 };
	AUTO(buf_fini) Buf packed = { 0 };
	AUTO(buf_fini) Buf deflated = { 0 };
	uLongf len;
	char *room;

	put_plain(&plain, hist);
	len = compressBound(plain.len);
	room = buf_room(&deflated, len);
	if (!room || compress((Bytef *)room, &len, (const Bytef *)plain.at, plain.len) != Z_OK)
		abort();
	buf_wrote(&deflated, len);
	put_be(&packed, COOKIE_DEFLATED, 4);
	put_be(&packed, len, 4);
	buf_put(&packed, buf_str(&deflated));
	put_base64(out, buf_str(&packed));
}

/* --- decoding ------------------------------------------------------------------------------------------------------- */

static int letter_value(char c)
{
	return c >= 'A' && c <= 'Z'   ? c - 'A'
	       : c >= 'a' && c <= 'z' ? c - 'a' + 26
	       : c >= '0' && c <= '9' ? c - '0' + 52
	       : c == '+'             ? 62
	       : c == '/'             ? 63
	                              : -1;
}

static Err *take_base64(Buf *out, Str text)
{
	uint32_t group = 0;
	unsigned bits = 0;

	while (text.len && text.at[text.len - 1] == '=')
		text.len--;
	for (size_t i = 0; i < text.len; i++) {
		int value = letter_value(text.at[i]);

		if (value < 0)
			return &not_one;
		group = group << 6 | (uint32_t)value;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			buf_putc(out, (char)(group >> bits));
		}
	}
	return NULL;
}

static Err *add_counts(Hist *into, Str bytes)
{
	unsigned index = 0;

	while (bytes.len) {
		int64_t value;

		if (!take_zigzag(&bytes, &value) || value < -(int64_t)COUNTS)
			return &not_one;
		if (value < 0) {
			index += (unsigned)-value;
			if (index > COUNTS)
				return &not_one;
			continue;
		}
		if (index >= COUNTS)
			return &not_one;
		if (value)
			hist_record_n(into, high_of(index), (uint64_t)value);
		index++;
	}
	return NULL;
}

static Err *add_plain(Hist *into, Str plain)
{
	uint64_t len;

	if (plain.len < HEADER_BYTES || take_be(plain.at, 4) != COOKIE ||
	    take_be(plain.at + 8, 4) != 0 || take_be(plain.at + 12, 4) != HIST_DIGITS ||
	    take_be(plain.at + 16, 8) != 1)
		return &not_one;
	len = take_be(plain.at + 4, 4);
	if (len > plain.len - HEADER_BYTES)
		return &not_one;
	return add_counts(into, str_sub(plain, HEADER_BYTES, HEADER_BYTES + len));
}

Err *hist_add_v2(Hist *into, Str base64)
{
	enum { PLAIN_MAX = HEADER_BYTES + COUNTS * 9 };
	AUTO(buf_fini) Buf packed = { 0 };
	AUTO(buf_fini) Buf space = { 0 };
	uLongf len = PLAIN_MAX;
	char *plain = buf_room(&space, PLAIN_MAX);

	TRY(take_base64(&packed, base64));
	if (!plain || packed.len < 8 || take_be(packed.at, 4) != COOKIE_DEFLATED ||
	    take_be(packed.at + 4, 4) > packed.len - 8 ||
	    uncompress((Bytef *)plain, &len, (const Bytef *)packed.at + 8,
	               take_be(packed.at + 4, 4)) != Z_OK)
		return &not_one;
	return add_plain(into, (Str){ plain, len });
}

/* --- the log -------------------------------------------------------------------------------------------------------- */

void hist_put_log_head(Buf *out, int64_t start_utc_us)
{
	buf_fmt(out,
	        "#[Histogram log format version 1.3]\n#[StartTime: %.3f (seconds since epoch), ",
	        (double)start_utc_us / 1e6);
	time_put_rfc3339(out, start_utc_us);
	buf_put(out, S("]\n\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","
	               "\"Interval_Compressed_Histogram\"\n"));
}

void hist_put_log_line(Buf *out, Str tag, int64_t start_us, int64_t length_us, const Hist *hist)
{
	if (tag.len)
		buf_fmt(out, "Tag=%.*s,", STR_ARG(tag));
	buf_fmt(out, "%.3f,%.3f,%.3f,", (double)start_us / 1e6, (double)length_us / 1e6,
	        (double)hist_max_us(hist) / 1e3);
	hist_put_v2(out, hist);
	buf_putc(out, '\n');
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Which characters a user name may have (RFC 8264's identifier class), how directions may meet in it (RFC 5893), which scripts
 * may, and which letters look like which.
 *
 * The class is computed from the properties of Unicode in the order that RFC 8264, 8 gives: exceptions first, then ASCII, then
 * what is refused, then letters and digits; contexts (a middle dot between two l, ...) are looked at where the character stands.
 * The look-alikes are those that names are faked with: letters of Cyrillic, Greek and Armenian drawn like Latin ones, digits like
 * letters, m like rn; not the whole of UTS 39. */
#include "auth/text_int.h"

#include "base/arena.h"
#include "base/buf.h"

#include <stdlib.h>
#include <string.h>
#include <unictype.h>
#include <uninorm.h>

/* --- the identifier class ------------------------------------------------------------------------------------------- */

static bool is_among(uint32_t point, const uint32_t *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (list[i] == point)
			return true;
	return false;
}

static bool has_script(uint32_t point, const char *name)
{
	const uc_script_t *script = uc_script(point);

	return script && !strcmp(script->name, name);
}

static bool any_of_scripts(const Points *p, const char *x, const char *y, const char *z)
{
	for (size_t i = 0; i < p->count; i++)
		if (has_script(p->at[i], x) || has_script(p->at[i], y) || has_script(p->at[i], z))
			return true;
	return false;
}

static bool any_between(const Points *p, uint32_t from, uint32_t to)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->at[i] >= from && p->at[i] <= to)
			return true;
	return false;
}

/* RFC 5892, appendix A. *known false: the character has no context. */
static bool context_fits(const Points *p, size_t i, bool *known)
{
	uint32_t point = p->at[i], before = i ? p->at[i - 1] : 0,
		 after = i + 1 < p->count ? p->at[i + 1] : 0;

	*known = true;
	if (point == 0x200c || point == 0x200d)
		return before && uc_combining_class(before) == UC_CCC_VR;
	if (point == 0xb7)
		return before == 'l' && after == 'l';
	if (point == 0x375)
		return after && has_script(after, "Greek");
	if (point == 0x5f3 || point == 0x5f4)
		return before && has_script(before, "Hebrew");
	if (point == 0x30fb)
		return any_of_scripts(p, "Hiragana", "Katakana", "Han");
	if (point >= 0x660 && point <= 0x669)
		return !any_between(p, 0x6f0, 0x6f9);
	if (point >= 0x6f0 && point <= 0x6f9)
		return !any_between(p, 0x660, 0x669);
	*known = false;
	return true;
}

static bool has_compatible(uint32_t point)
{
	uint32_t room[UC_DECOMPOSITION_MAX_LENGTH];
	int tag;

	return uc_decomposition(point, &tag, room) >= 0 && tag != UC_DECOMP_CANONICAL;
}

static bool is_old_jamo(uint32_t point)
{
	return (point >= 0x1100 && point <= 0x11ff) || (point >= 0xa960 && point <= 0xa97f) ||
	       (point >= 0xd7b0 && point <= 0xd7ff);
}

/* NULL: it may be there. */
static const char *point_wrong(const Points *p, size_t i)
{
	static const uint32_t fine[] = { 0xdf, 0x3c2, 0x6fd, 0x6fe, 0xf0b, 0x3007 };
	static const uint32_t never[] = { 0x640,  0x7fa,  0x302e, 0x302f, 0x3031,
		                          0x3032, 0x3033, 0x3034, 0x3035, 0x303b };
	uint32_t point = p->at[i];
	bool known, fits;

	if (is_among(point, fine, COUNT(fine)) || (point >= 0x21 && point <= 0x7e))
		return NULL;
	fits = context_fits(p, i, &known);
	if (known)
		return fits ? NULL : "such sign in that place";
	if (is_among(point, never, COUNT(never)) || is_old_jamo(point) ||
	    uc_is_property_default_ignorable_code_point(point))
		return "sign that is not seen or not used any more";
	if (has_compatible(point))
		return "letter that is another one in disguise";
	if (uc_is_general_category_withtable(point, UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_Mn |
	                                                    UC_CATEGORY_MASK_Mc |
	                                                    UC_CATEGORY_MASK_Nd) &&
	    !uc_is_general_category_withtable(point, UC_CATEGORY_MASK_Lt))
		return NULL;
	return uc_is_general_category_withtable(point, UC_CATEGORY_MASK_Zs) ? "spaces" : "symbols";
}

const char *precis_identifier(const Points *points)
{
	const char *what;

	for (size_t i = 0; i < points->count; i++)
		if (points->at[i] == ' ')
			return "spaces";
		else if ((what = point_wrong(points, i)))
			return what;
	return NULL;
}

uint32_t precis_width(uint32_t point)
{
	uint32_t room[UC_DECOMPOSITION_MAX_LENGTH];
	int tag, count = uc_decomposition(point, &tag, room);

	return count == 1 && (tag == UC_DECOMP_WIDE || tag == UC_DECOMP_NARROW) ? room[0] : point;
}

/* --- directions ---------------------------------------------------------------------------------------------------- */

#define BIDI(x) (UINT32_C(1) << (UC_BIDI_##x))

/* The classes that occur, as bits; *last: that of the last which is no mark. */
static uint32_t bidi_classes(const Points *p, uint32_t *first, uint32_t *last)
{
	uint32_t all = 0;

	*first = *last = 0;
	for (size_t i = 0; i < p->count; i++) {
		uint32_t is = UINT32_C(1) << uc_bidi_category(p->at[i]);

		all |= is;
		if (!i)
			*first = is;
		if (is != BIDI(NSM))
			*last = is;
	}
	return all;
}

bool precis_bidi(const Points *points)
{
	static const uint32_t neutral =
		BIDI(ES) | BIDI(CS) | BIDI(ET) | BIDI(ON) | BIDI(BN) | BIDI(NSM);
	uint32_t first, last, all = bidi_classes(points, &first, &last);

	if (!(all & (BIDI(R) | BIDI(AL) | BIDI(AN))))
		return true; /* no rule for what is written one way */
	if (!(first & (BIDI(R) | BIDI(AL))))
		return false;
	if (all & ~(BIDI(R) | BIDI(AL) | BIDI(AN) | BIDI(EN) | neutral))
		return false;
	if (!(last & (BIDI(R) | BIDI(AL) | BIDI(EN) | BIDI(AN))))
		return false;
	return (all & (BIDI(EN) | BIDI(AN))) != (BIDI(EN) | BIDI(AN));
}

/* --- scripts -------------------------------------------------------------------------------------------------------- */

enum { LATIN = 1, HAN = 2, HIRAGANA = 4, KATAKANA = 8, BOPOMOFO = 16, HANGUL = 32 };

static const struct {
	const char *name;
	unsigned bit;
} together[] = {
	{ "Latin", LATIN },       { "Han", HAN },           { "Hiragana", HIRAGANA },
	{ "Katakana", KATAKANA }, { "Bopomofo", BOPOMOFO }, { "Hangul", HANGUL },
};

static unsigned script_bit(const uc_script_t *script)
{
	for (size_t i = 0; i < COUNT(together); i++)
		if (!strcmp(script->name, together[i].name))
			return together[i].bit;
	return 0;
}

bool text_of_one_script(const Points *p)
{
	static const unsigned sets[] = { LATIN | HAN | HIRAGANA | KATAKANA, LATIN | HAN | BOPOMOFO,
		                         LATIN | HAN | HANGUL };
	const uc_script_t *other = NULL;
	unsigned seen = 0;

	for (size_t i = 0; i < p->count; i++) {
		const uc_script_t *script = uc_script(p->at[i]);

		if (!script || !strcmp(script->name, "Common") ||
		    !strcmp(script->name, "Inherited"))
			continue;
		if (script_bit(script))
			seen |= script_bit(script);
		else if (other && other != script)
			return false;
		else
			other = script;
	}
	if (other)
		return !seen;
	for (size_t i = 0; i < COUNT(sets); i++)
		if (!(seen & ~sets[i]))
			return true;
	return false;
}

/* --- looking alike -------------------------------------------------------------------------------------------------- */

static const struct {
	uint32_t point;
	const char *like;
} alike[] = {
	{ '0', "o" },
	{ '1', "l" },
	{ '|', "l" },
	{ 'm', "rn" },
	{ 'w', "vv" },
	{ 'i', "l" },
	/* Cyrillic */
	{ 0x430, "a" },
	{ 0x432, "b" },
	{ 0x441, "c" },
	{ 0x435, "e" },
	{ 0x43d, "h" },
	{ 0x456, "l" },
	{ 0x458, "j" },
	{ 0x43a, "k" },
	{ 0x4cf, "l" },
	{ 0x43c, "rn" },
	{ 0x43f, "n" },
	{ 0x43e, "o" },
	{ 0x440, "p" },
	{ 0x51b, "q" },
	{ 0x433, "r" },
	{ 0x455, "s" },
	{ 0x442, "t" },
	{ 0x51d, "vv" },
	{ 0x445, "x" },
	{ 0x443, "y" },
	{ 0x4af, "y" },
	{ 0x501, "d" },
	{ 0x4bb, "h" },
	{ 0x475, "v" },
	{ 0x44a, "b" },
	{ 0x44c, "b" },
	{ 0x437, "3" },
	{ 0x431, "6" },
	{ 0x4bd, "e" },
	/* Greek */
	{ 0x3b1, "a" },
	{ 0x3b2, "b" },
	{ 0x3b5, "e" },
	{ 0x3b7, "n" },
	{ 0x3b9, "l" },
	{ 0x3ba, "k" },
	{ 0x3bd, "v" },
	{ 0x3bf, "o" },
	{ 0x3c1, "p" },
	{ 0x3c4, "t" },
	{ 0x3c5, "u" },
	{ 0x3c7, "x" },
	{ 0x3b3, "y" },
	{ 0x3c3, "o" },
	{ 0x3c9, "vv" },
	{ 0x3f2, "c" },
	{ 0x3c2, "c" },
	{ 0x3f3, "j" },
	/* Armenian */
	{ 0x585, "o" },
	{ 0x578, "n" },
	{ 0x57d, "u" },
	{ 0x570, "h" },
	{ 0x566, "q" },
	{ 0x575, "j" },
	{ 0x581, "g" },
	{ 0x582, "l" },
	{ 0x584, "f" },
	/* Latin that is drawn like other Latin */
	{ 0x131, "l" },
	{ 0x237, "j" },
	{ 0x261, "g" },
	{ 0x251, "a" },
	{ 0x28b, "u" },
	{ 0x1c0, "l" },
	{ 0x269, "l" },
	{ 0x1d0f, "o" },
	{ 0x1d1c, "u" },
	{ 0x1d20, "v" },
	{ 0x1d22, "z" },
	{ 0xfe, "p" },
	{ 0xf8, "o" },
	{ 0x142, "l" },
	{ 0x111, "d" },
	{ 0x127, "h" },
	/* signs */
	{ 0x2010, "-" },
	{ 0x2011, "-" },
	{ 0x2012, "-" },
	{ 0x2013, "-" },
	{ 0x2014, "-" },
	{ 0x2212, "-" },
	{ 0x30fc, "-" },
	{ 0x2019, "'" },
	{ 0x2018, "'" },
	{ 0x2b9, "'" },
	{ 0x2bc, "'" },
	{ '`', "'" },
	{ 0xb7, "." },
	{ 0x2024, "." },
	{ 0x660, "." },
	{ 0x6f0, "." },
	{ 0x661, "l" },
	{ 0x6f1, "l" },
};

static const char *looks_like(uint32_t point)
{
	for (size_t i = 0; i < COUNT(alike); i++)
		if (alike[i].point == point)
			return alike[i].like;
	return NULL;
}

Str text_skeleton(Arena *a, Str norm)
{
	AUTO(buf_fini) Buf b = { 0 };
	Str folded = text_fold(a, norm), parts;
	size_t len = 0;
	uint8_t *apart = folded.len ? u8_normalize(UNINORM_NFKD, (const uint8_t *)folded.at,
	                                           folded.len, NULL, &len)
	                            : NULL;
	Points points = { 0 };

	parts = apart ? str_dup(a, (Str){ (char *)apart, len }) : folded;
	free(apart);
	if (!points_read(a, parts, &points))
		return norm;
	for (size_t i = 0; i < points.count; i++) {
		const char *like = looks_like(points.at[i]);
		Points one = { &points.at[i], 1 };

		if (uc_is_property_default_ignorable_code_point(points.at[i]))
			continue;
		buf_put(&b, like ? str_of(like) : points_text(a, &one));
	}
	return str_dup(a, buf_str(&b));
}

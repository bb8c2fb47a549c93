/* SPDX-License-Identifier: Apache-2.0
 *
 * Names as people type them, and the forms they are compared by.
 *
 * Two people must not be able to have names that a computer takes for two and everybody else for one, and one person must be
 * found again whatever keyboard was used. So what is compared is normalised and folded; what is shown stays as it was typed, in
 * one normal form. Addresses compare without case in the local part too: no mail system in use tells them apart, and an account
 * that only an attacker can reach is worse than one nobody has. Tags ("ann+shop@") and dots are part of the address: who owns
 * them is the mail system's to say. libunistring has the tables (Unicode 14), libidn2 knows domains. */
#include "auth/text.h"

#include "auth/text_int.h"
#include "base/arena.h"
#include "base/buf.h"

#include <idn2.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>

enum {
	EMAIL_MAX = 254,
	LOCAL_MAX = 64,
	USERNAME_MAX = 64,
	LOGIN_MAX = 254,
	TYPED_MAX = 4096, /* before anything is made of it */
};

/* --- code points --------------------------------------------------------------------------------------------------- */

bool points_read(Arena *a, Str text, Points *out)
{
	size_t count = 0;
	uint32_t *at = ARENA_ARRAY(a, uint32_t, text.len + 1);

	for (size_t used; text.len; text = str_sub(text, used, text.len)) {
		used = str_utf8(text, &at[count]);
		if (!used)
			return false;
		count++;
	}
	*out = (Points){ at, count };
	return true;
}

static size_t point_put(char *into, uint32_t point)
{
	if (point < 0x80) {
		into[0] = (char)point;
		return 1;
	}
	if (point < 0x800) {
		into[0] = (char)(0xc0 | point >> 6);
		into[1] = (char)(0x80 | (point & 63));
		return 2;
	}
	if (point < 0x10000) {
		into[0] = (char)(0xe0 | point >> 12);
		into[1] = (char)(0x80 | (point >> 6 & 63));
		into[2] = (char)(0x80 | (point & 63));
		return 3;
	}
	into[0] = (char)(0xf0 | point >> 18);
	into[1] = (char)(0x80 | (point >> 12 & 63));
	into[2] = (char)(0x80 | (point >> 6 & 63));
	into[3] = (char)(0x80 | (point & 63));
	return 4;
}

Str points_text(Arena *a, const Points *points)
{
	char *text = arena_alloc(a, 4 * points->count + 1);
	size_t len = 0;

	for (size_t i = 0; i < points->count; i++)
		len += point_put(text + len, points->at[i]);
	return (Str){ text, len };
}

/* What libunistring gave, in the arena; text it could not do stays as it was. */
static Str taken(Arena *a, uint8_t *result, const size_t *len, Str otherwise)
{
	Str out = result ? str_dup(a, (Str){ (char *)result, *len }) : otherwise;

	free(result);
	return out;
}

Str text_normal(Arena *a, Str text, int form)
{
	size_t len = 0;

	if (!text.len)
		return S("");
	return taken(a,
	             u8_normalize(form == TEXT_NFC ? UNINORM_NFC : UNINORM_NFKC,
	                          (const uint8_t *)text.at, text.len, NULL, &len),
	             &len, text);
}

Str text_fold(Arena *a, Str text)
{
	size_t len = 0;

	if (!text.len)
		return S("");
	text = text_normal(a, text, TEXT_NFKC);
	text = taken(a,
	             u8_casefold((const uint8_t *)text.at, text.len, NULL, UNINORM_NFKC, NULL,
	                         &len),
	             &len, text);
	return text_normal(a, text, TEXT_NFKC);
}

Str text_lower(Arena *a, Str text)
{
	size_t len = 0;

	if (!text.len)
		return S("");
	text = taken(a,
	             u8_tolower((const uint8_t *)text.at, text.len, NULL, UNINORM_NFC, NULL, &len),
	             &len, text);
	return text_normal(a, text, TEXT_NFC);
}

bool point_is_forbidden(uint32_t point)
{
	return uc_is_general_category_withtable(point, UC_CATEGORY_MASK_Cc | UC_CATEGORY_MASK_Cs |
	                                                       UC_CATEGORY_MASK_Co |
	                                                       UC_CATEGORY_MASK_Zl |
	                                                       UC_CATEGORY_MASK_Zp) ||
	       uc_is_property_bidi_control(point) || uc_is_property_not_a_character(point);
}

bool point_is_unassigned(uint32_t point)
{
	return uc_is_general_category_withtable(point, UC_CATEGORY_MASK_Cn);
}

/* --- what all of them refuse ---------------------------------------------------------------------------------------- */

static Err *wrong(Arena *a, const char *slug, const char *sentence)
{
	return err_new(a, ERR_INVALID, slug, "%s", sentence);
}

static Err *read_points(Arena *a, Str typed, const char *slug, bool known, Points *out)
{
	if (!typed.len)
		return wrong(a, slug, "it is empty");
	if (typed.len > TYPED_MAX)
		return wrong(a, slug, "it is too long");
	if (!points_read(a, typed, out))
		return wrong(a, slug, "it is not UTF-8");
	for (size_t i = 0; i < out->count; i++) {
		if (point_is_forbidden(out->at[i]))
			return err_new(a, ERR_INVALID, slug,
			               "it has a character that cannot be seen, U+%04X",
			               out->at[i]);
		if (known && point_is_unassigned(out->at[i]))
			return err_new(a, ERR_INVALID, slug,
			               "it has a character that is not known, U+%04X", out->at[i]);
	}
	return NULL;
}

/* --- e-mail -------------------------------------------------------------------------------------------------------- */

static Err *local_check(Arena *a, Str local)
{
	if (!local.len || local.len > LOCAL_MAX)
		return wrong(a, "text.email", "an address has 1 to 64 bytes before the @");
	if (local.at[0] == '.' || local.at[local.len - 1] == '.' || str_find(local, S("..")) >= 0)
		return wrong(a, "text.email", "a dot stands where an address has none");
	for (size_t i = 0; i < local.len; i++) {
		unsigned char c = (unsigned char)local.at[i];

		if (c <= ' ' || c == 0x7f || strchr("\"(),:;<>@[\\]", c))
			return err_new(a, ERR_INVALID, "text.email",
			               "an address has no %s before the @",
			               c == ' ' ? "space" : "such sign");
	}
	return NULL;
}

static bool label_fits(Str label)
{
	for (size_t i = 0; i < label.len; i++) {
		char c = label.at[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && c != '-' && c != '_')
			return false;
	}
	return label.len && label.len <= 63 && label.at[0] != '-' && label.at[label.len - 1] != '-';
}

static bool domain_fits(Str domain)
{
	size_t labels = 0;
	Str label, last = { 0 };
	uint64_t number;

	while (str_split(&domain, '.', &label)) {
		if (!label_fits(label))
			return false;
		last = label;
		labels++;
	}
	return labels >= 2 && !str_to_u64(last, &number);
}

/* The A-labels, in lower case. */
static Err *domain_read(Arena *a, Str domain, Str *out)
{
	char *text = NULL;
	Str ascii;

	if (idn2_to_ascii_8z(str_z(a, domain), &text, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) !=
	    IDN2_OK)
		return wrong(a, "text.email", "what comes after the @ is no domain");
	ascii = str_lower(a, str_dup(a, str_of(text)));
	idn2_free(text);
	if (ascii.len > 253 || !domain_fits(ascii))
		return wrong(a, "text.email", "what comes after the @ is no domain");
	*out = ascii;
	return NULL;
}

Err *text_email(Arena *a, Str typed, TextEmail *out)
{
	ptrdiff_t at = str_rfind_char(typed, '@');
	Str local, domain, ascii, folded;
	Points points;

	TRY(read_points(a, typed, "text.email", true, &points));
	if (at < 0)
		return wrong(a, "text.email", "an address has an @");
	local = text_normal(a, str_sub(typed, 0, (size_t)at), TEXT_NFC);
	domain = str_sub(typed, (size_t)at + 1, typed.len);
	TRY(local_check(a, local));
	TRY(domain_read(a, domain, &ascii));
	folded = text_fold(a, local);
	TRY(local_check(a, folded)); /* a full width @ or dot is one now */
	if (folded.len + 1 + ascii.len > EMAIL_MAX || local.len + 1 + domain.len > EMAIL_MAX)
		return wrong(a, "text.email", "an address has 254 bytes at most");
	domain = text_lower(a, domain);
	out->shown = str_fmt(a, "%.*s@%.*s", STR_ARG(local), STR_ARG(domain));
	out->norm = str_fmt(a, "%.*s@%.*s", STR_ARG(folded), STR_ARG(ascii));
	out->domain = ascii;
	return NULL;
}

/* --- user names ---------------------------------------------------------------------------------------------------- */

Err *text_username(Arena *a, Str typed, TextName *out)
{
	Points points, norm;
	const char *what;
	Str text;

	TRY(read_points(a, typed, "text.username", true, &points));
	if (points.count > USERNAME_MAX)
		return wrong(a, "text.username", "a user name has 64 characters at most");
	for (size_t i = 0; i < points.count; i++)
		points.at[i] = precis_width(points.at[i]);
	text = text_lower(a, points_text(a, &points));
	if (!points_read(a, text, &norm) || !norm.count || norm.count > USERNAME_MAX)
		return wrong(a, "text.username", "a user name has 1 to 64 characters");
	what = precis_identifier(&norm);
	if (what)
		return err_new(a, ERR_INVALID, "text.username", "a user name has no %s", what);
	if (!precis_bidi(&norm))
		return wrong(a, "text.username", "letters of both directions of writing are mixed");
	if (!text_of_one_script(&norm))
		return wrong(a, "text.username", "letters of several alphabets are mixed");
	out->shown = text_normal(a, typed, TEXT_NFC);
	out->norm = text;
	return NULL;
}

Err *text_login(Arena *a, Str typed, TextName *out)
{
	Points points;
	Str norm;

	TRY(read_points(a, typed, "text.login", false, &points));
	if (typed.len > LOGIN_MAX)
		return wrong(a, "text.login", "a login name has 254 bytes at most");
	norm = str_trim(text_fold(a, typed));
	if (!norm.len || norm.len > 2 * LOGIN_MAX)
		return wrong(a, "text.login", "a login name has 1 to 254 bytes");
	out->shown = text_normal(a, typed, TEXT_NFC);
	out->norm = norm;
	return NULL;
}

Err *text_display(Arena *a, Str typed, size_t most, Str *out)
{
	Points points, kept;
	size_t count = 0;

	TRY(read_points(a, typed, "text.name", false, &points));
	if (!points_read(a, text_normal(a, typed, TEXT_NFC), &kept))
		return wrong(a, "text.name", "it is not UTF-8");
	for (size_t i = 0; i < kept.count; i++) {
		bool space = uc_is_general_category_withtable(kept.at[i], UC_CATEGORY_MASK_Zs);

		if (!space)
			kept.at[count++] = kept.at[i];
		else if (count && kept.at[count - 1] != ' ')
			kept.at[count++] = ' ';
	}
	while (count && kept.at[count - 1] == ' ')
		count--;
	if (!count || count > most)
		return err_new(a, ERR_INVALID, "text.name", "a name has 1 to %zu characters", most);
	kept.count = count;
	*out = points_text(a, &kept);
	return NULL;
}

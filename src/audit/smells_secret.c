/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets: keys of known shapes wherever a string has them, and strings given to names that say what they are. A known shape has to look
 * random as well (bits a character, Shannon's), so that the keys of documentations ("AKIAIOSFODNN7EXAMPLE") are not found. A named one must
 * not look like something else that such names hold: a path, a sentence, a template, the name of a field. What is found is never shown
 * whole: its first four characters and its length. */
#include "audit/smells_int.h"

#include "base/arena.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

enum { SHOWN = 4, SECRET_MOST = 4096, VALUE_LEAST = 6, VALUE_MOST = 200, WORDS = 16 };

/* --- shapes -------------------------------------------------------------------------------------------------------------------------------- */

typedef enum Letters { UPPER, LETTERS, HEX, URL } Letters; /* and digits */

typedef struct Shape {
	Str prefix;
	Letters letters;
	uint16_t least, most; /* characters after the prefix */
	const char *what;
} Shape;

static const Shape shapes[] = {
	{ S("AKIA"), UPPER, 16, 16, "an access key of AWS" },
	{ S("ASIA"), UPPER, 16, 16, "an access key of AWS" },
	{ S("ghp_"), LETTERS, 36, 255, "a token of GitHub" },
	{ S("gho_"), LETTERS, 36, 255, "a token of GitHub" },
	{ S("ghu_"), LETTERS, 36, 255, "a token of GitHub" },
	{ S("ghs_"), LETTERS, 36, 255, "a token of GitHub" },
	{ S("ghr_"), LETTERS, 36, 255, "a token of GitHub" },
	{ S("github_pat_"), URL, 50, 255, "a token of GitHub" },
	{ S("glpat-"), URL, 20, 64, "a token of GitLab" },
	{ S("xoxb-"), URL, 20, 255, "a token of Slack" },
	{ S("xoxp-"), URL, 20, 255, "a token of Slack" },
	{ S("xoxa-"), URL, 20, 255, "a token of Slack" },
	{ S("xoxr-"), URL, 20, 255, "a token of Slack" },
	{ S("xoxs-"), URL, 20, 255, "a token of Slack" },
	{ S("sk_live_"), LETTERS, 20, 255, "a key of Stripe" },
	{ S("rk_live_"), LETTERS, 20, 255, "a key of Stripe" },
	{ S("AIza"), URL, 35, 35, "a key of Google" },
	{ S("ya29."), URL, 40, 1024, "a token of Google" },
	{ S("SG."), URL, 20, 80, "a key of SendGrid" },
	{ S("npm_"), LETTERS, 36, 36, "a token of npm" },
	{ S("pypi-"), URL, 50, 1024, "a token of PyPI" },
	{ S("sk-ant-"), URL, 40, 255, "a key of Anthropic" },
	{ S("sk-proj-"), URL, 40, 255, "a key of OpenAI" },
	{ S("sk-"), LETTERS, 48, 48, "a key of OpenAI" },
	{ S("hf_"), LETTERS, 34, 40, "a token of Hugging Face" },
	{ S("dop_v1_"), HEX, 64, 64, "a token of DigitalOcean" },
	{ S("shpat_"), HEX, 32, 32, "a token of Shopify" },
	{ S("key-"), HEX, 32, 32, "a key of Mailgun" },
	{ S("sq0csp-"), URL, 43, 43, "a secret of Square" },
	{ S("eyJ"), URL, 60, SECRET_MOST, "a signed token (JWT)" },
};

static bool is_letter(Letters letters, char c)
{
	bool digit = c >= '0' && c <= '9';

	switch (letters) {
	case UPPER:
		return digit || (c >= 'A' && c <= 'Z');
	case HEX:
		return digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
	case LETTERS:
		return isalnum((unsigned char)c);
	case URL:
		break;
	}
	return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '.';
}

static double bits(Str text)
{
	uint32_t counts[256] = { 0 };
	double sum = 0;

	for (size_t i = 0; i < text.len; i++)
		counts[(unsigned char)text.at[i]]++;
	for (size_t i = 0; i < COUNT(counts); i++)
		if (counts[i])
			sum -= counts[i] * log2((double)counts[i] / (double)text.len);
	return text.len ? sum / (double)text.len : 0;
}

static bool is_example(Str text)
{
	static const Str words[] = { S("EXAMPLE"),    S("example"), S("XXXX"),   S("xxxx"),
		                     S("1234567890"), S("0000000"), S("abcdef"), S("ABCDEF") };

	for (size_t i = 0; i < COUNT(words); i++)
		if (str_find(text, words[i]) >= 0)
			return true;
	return false;
}

/* A JWT has three parts; all others are letters to their end. */
static bool is_shape(const Shape *shape, Str text)
{
	size_t n = 0, dots = 0;

	for (; n < text.len && is_letter(shape->letters, text.at[n]); n++)
		dots += text.at[n] == '.';
	if (n < shape->least || n > shape->most || (shape->prefix.at[0] == 'e' && dots != 2))
		return false;
	text.len = n;
	return bits(text) >= (shape->letters == HEX ? 2.8 : 3.0) && !is_example(text);
}

static size_t shape_len(const Shape *shape, Str text)
{
	size_t n = shape->prefix.len;

	while (n < text.len && is_letter(shape->letters, text.at[n]))
		n++;
	return n;
}

static bool find_shape(Str text, SecretFound *out)
{
	for (size_t i = 0; i < text.len; i++) {
		Str rest = str_sub(text, i, text.len);

		if (i && (isalnum((unsigned char)text.at[i - 1]) || text.at[i - 1] == '_'))
			continue;
		if (!strchr("AgxsrySnphdke", text.at[i]))
			continue;
		for (size_t k = 0; k < COUNT(shapes); k++) {
			const Shape *shape = &shapes[k];

			if (!str_starts(rest, shape->prefix) ||
			    !is_shape(shape, str_sub(rest, shape->prefix.len, rest.len)))
				continue;
			*out = (SecretFound){ shape->what, str_sub(rest, 0, shape_len(shape, rest)),
				              false };
			return true;
		}
	}
	return false;
}

/* "${NAME}", "<password>", "%(password)s", "[secret]": to be filled in; a sign among others may be a password's own. */
static bool is_template(Str text)
{
	static const Str marks[] = {
		S("${"), S("$("), S("%s"), S("%("), S("%d"), S("{{"), S("{}")
	};
	char first = text.len ? text.at[0] : 0, last = text.len ? text.at[text.len - 1] : 0;
	ptrdiff_t open = str_find_char(text, '{'), set = str_find_char(text, '[');

	for (size_t i = 0; i < COUNT(marks); i++)
		if (str_find(text, marks[i]) >= 0)
			return true;
	if (open >= 0 && str_find_char(str_sub(text, (size_t)open, text.len), '}') > 0)
		return true;
	if (set >= 0 && str_find_char(str_sub(text, (size_t)set, text.len), ']') > 0)
		return true; /* "[-+a-z]+": an expression */
	if ((first == '<' && last == '>') || (first == '%' && last == '%'))
		return true;
	for (size_t i = 1; i < text.len; i++)
		if (!isalpha((unsigned char)text.at[i]) && text.at[i] != '_')
			return false;
	return first == '$';
}

static bool is_placeholder(Str text)
{
	static const Str words[] = { S("password"), S("passwd"), S("pass"),   S("pw"),  S("secret"),
		                     S("user"),     S("token"),  S("string"), S("..."), S("***") };
	bool same = text.len > 0;

	for (size_t i = 0; i < COUNT(words); i++)
		if (str_eq_nocase(text, words[i]))
			return true;
	for (size_t i = 0; i < text.len; i++)
		same &= text.at[i] == text.at[0];
	return same || is_template(text);
}

/* scheme://user:password@host */
static bool find_url(Str text, SecretFound *out)
{
	ptrdiff_t at = str_find(text, S("://"));
	Str rest = at < 0 ? S("") : str_sub(text, (size_t)at + 3, text.len);
	ptrdiff_t colon = str_find_char(rest, ':'), end = str_find_char(rest, '@');
	Str password;

	if (at <= 0 || colon < 0 || end < colon + 4)
		return false;
	password = str_sub(rest, (size_t)colon + 1, (size_t)end);
	for (size_t i = 0; i < (size_t)end; i++)
		if (strchr("/ ?#\"'\\", rest.at[i]) || (unsigned char)rest.at[i] <= ' ')
			return false;
	if (is_placeholder(password) || is_placeholder(str_sub(rest, 0, (size_t)colon)) ||
	    is_example(rest))
		return false;
	*out = (SecretFound){ "an address with a password", password, true };
	return true;
}

static bool find_pem(Str text, SecretFound *out)
{
	ptrdiff_t at = str_find(text, S("PRIVATE KEY-----"));

	if (at < 0 || str_find(text, S("-----BEGIN")) < 0 || text.len - (size_t)at < 80)
		return false;
	*out = (SecretFound){ "a private key", str_sub(text, (size_t)at + 16, text.len), true };
	return true;
}

bool secret_find(Str text, SecretFound *out)
{
	if (text.len < 12 || text.len > 4 * SECRET_MOST)
		return false;
	return find_shape(text, out) || find_url(text, out) || find_pem(text, out);
}

/* --- by name ------------------------------------------------------------------------------------------------------------------------------- */

/* Words of a name: by underscores, dashes and capitals; lower case. */
static size_t split(Str name, char *copy, size_t room, Str *words)
{
	size_t count = 0, n = 0, from = 0;

	for (size_t i = 0; i < name.len && n < room; i++) {
		char c = name.at[i];
		bool upper = c >= 'A' && c <= 'Z',
		     turn = upper && i && name.at[i - 1] >= 'a' && name.at[i - 1] <= 'z';

		if ((c == '_' || c == '-' || c == '.' || turn) && n > from && count < WORDS) {
			words[count++] = (Str){ copy + from, n - from };
			from = n;
		}
		if (isalnum((unsigned char)c))
			copy[n++] = (char)tolower((unsigned char)c);
	}
	if (n > from && count < WORDS)
		words[count++] = (Str){ copy + from, n - from };
	return count;
}

static bool is_in(Str word, const Str *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(word, words[i]))
			return true;
	return false;
}

bool secret_name(Str name, bool *word)
{
	static const Str passwords[] = { S("password"),   S("passwd"), S("pwd"),
		                         S("passphrase"), S("pass"),   S("passwort") };
	static const Str keys[] = { S("secret"),    S("token"),      S("apikey"),
		                    S("secretkey"), S("credential"), S("credentials") };
	static const Str of_key[] = { S("api"),  S("access"),     S("private"),
		                      S("auth"), S("encryption"), S("signing") };
	char copy[128];
	Str words[WORDS], last;
	size_t count;
	bool found = false;

	*word = false;
	if (name.len < 3 || name.len > sizeof(copy) - 1)
		return false;
	count = split(name, copy, sizeof(copy), words);
	if (!count)
		return false;
	last = words[count - 1];
	*word = is_in(last, passwords, COUNT(passwords));
	found = *word || is_in(last, keys, COUNT(keys));
	if (str_eq(last, S("key")) && count > 1)
		found |= is_in(words[count - 2], keys, COUNT(keys)) ||
		         is_in(words[count - 2], of_key, COUNT(of_key));
	return found;
}

/* The same letters and digits, whatever is between them: "addCredential" of ADD_CREDENTIAL. */
static bool says_its_name(Str text, Str name)
{
	size_t i = 0, k = 0;

	for (;;) {
		while (i < text.len && !isalnum((unsigned char)text.at[i]))
			i++;
		while (k < name.len && !isalnum((unsigned char)name.at[k]))
			k++;
		if (i == text.len || k == name.len)
			return i == text.len && k == name.len;
		if (tolower((unsigned char)text.at[i++]) != tolower((unsigned char)name.at[k++]))
			return false;
	}
}

bool secret_value(Str text, Str name, bool word)
{
	bool lower = false, upper = false, digit = false, other = false;

	if (text.len < VALUE_LEAST || text.len > VALUE_MOST || is_placeholder(text) ||
	    says_its_name(text, name) || str_find(text, S("://")) >= 0)
		return false;
	if (!word && (str_find(text, S("redential")) >= 0 || str_find(text, S("oken")) >= 0))
		return false;
	if (strchr("/.:#", text.at[0]) || text.at[text.len - 1] == '/' ||
	    text.at[text.len - 1] == ':')
		return false;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c <= ' ' || c >= 0x7f || c == '\\')
			return false;
		digit |= isdigit(c) != 0;
		lower |= islower(c) != 0;
		upper |= isupper(c) != 0;
		other |= !isalnum(c) && c != '_' && c != '-' && c != '.';
	}
	if (word)
		return digit || other || !(lower && upper) || bits(text) > 2.5;
	/* a name of something: one kind of letters, with dashes perhaps */
	return digit + other + (lower && upper) >= 1 && bits(text) >= 3.0 && text.len >= 12;
}

Str secret_hidden(Arena *a, Str text)
{
	for (size_t i = 0; i < MIN(text.len, (size_t)SHOWN); i++)
		if ((unsigned char)text.at[i] <= ' ' || (unsigned char)text.at[i] >= 0x7f)
			return str_fmt(a, "%zu characters", text.len);
	return str_fmt(a, "%.*s... (%zu characters)", (int)MIN(text.len / 3, (size_t)SHOWN),
	               text.at, text.len);
}

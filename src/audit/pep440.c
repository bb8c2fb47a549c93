/* SPDX-License-Identifier: Apache-2.0
 *
 * Versions by PEP 440. Reading takes every spelling that normalises ("v1.0-ALPHA.1", "1.0-1"); comparing goes part by part in the order that
 * the PEP gives: epoch, release (shorter ones filled with zeros), pre, post, dev, local. What is absent sorts by a rule each: no pre-release is after
 * all of them, unless there is only a dev release; no post-release is before all; no dev release is after all; no local label is before all. */
#include "audit/pep440.h"

#include "base/arena.h"

typedef struct Cursor {
	Str text;
	size_t at;
} Cursor;

static char lower_at(const Cursor *c, size_t ahead)
{
	char x = c->at + ahead < c->text.len ? c->text.at[c->at + ahead] : '\0';

	return x >= 'A' && x <= 'Z' ? (char)(x | 0x20) : x;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_separator(char c)
{
	return c == '.' || c == '-' || c == '_';
}

static bool take_number(Cursor *c, uint64_t *out)
{
	uint64_t n = 0;

	if (!is_digit(lower_at(c, 0)))
		return false;
	for (; is_digit(lower_at(c, 0)); c->at++) {
		uint64_t digit = (uint64_t)(lower_at(c, 0) - '0');

		n = n > (UINT64_MAX - digit) / 10 ? UINT64_MAX : n * 10 + digit;
	}
	*out = n;
	return true;
}

/* One of the words, with a separator before it if there is one, and a number after it likewise; *number is 0 without. -1: none of them. */
static int take_word(Cursor *c, const char *const *words, size_t count, uint64_t *number)
{
	size_t from = is_separator(lower_at(c, 0)) ? 1 : 0;

	for (size_t i = 0; i < count; i++) {
		size_t n = 0;

		while (words[i][n] && lower_at(c, from + n) == words[i][n])
			n++;
		if (words[i][n])
			continue;
		c->at += from + n;
		*number = 0;
		if (is_separator(lower_at(c, 0)) && is_digit(lower_at(c, 1)))
			c->at++;
		take_number(c, number);
		return (int)i;
	}
	return -1;
}

static bool take_release(Cursor *c, Pep440 *out)
{
	Cursor epoch = *c;

	if (take_number(&epoch, &out->epoch) && lower_at(&epoch, 0) == '!')
		c->at = epoch.at + 1;
	else
		out->epoch = 0;
	do {
		if (out->parts == PEP440_PARTS || !take_number(c, &out->release[out->parts]))
			return false;
		out->parts++;
	} while (lower_at(c, 0) == '.' && is_digit(lower_at(c, 1)) && ++c->at);
	return true;
}

static bool take_local(Cursor *c, Pep440 *out)
{
	size_t from = ++c->at;
	bool filled = false;

	for (; c->at < c->text.len; c->at++) {
		char x = lower_at(c, 0);

		if (is_separator(x) ? !filled : !(is_digit(x) || (x >= 'a' && x <= 'z')))
			return false;
		filled = !is_separator(x);
	}
	out->local = str_sub(c->text, from, c->at);
	return filled;
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static Str trimmed(Str text)
{
	while (text.len && is_blank(text.at[0]))
		text = str_sub(text, 1, text.len);
	while (text.len && is_blank(text.at[text.len - 1]))
		text.len--;
	return text;
}

bool pep440_read(Str text, Pep440 *out)
{
	/* The longer ones first: none is found as the beginning of another. */
	static const char *const pres[] = {
		"alpha", "a", "beta", "b", "preview", "pre", "rc", "c"
	};
	static const char pre_kinds[] = { 'a', 'a', 'b', 'b', 'c', 'c', 'c', 'c' };
	static const char *const posts[] = { "post", "rev", "r" }, *const devs[] = { "dev" };
	Cursor c = { trimmed(text), 0 };
	int word;

	*out = (Pep440){ 0 };
	if (lower_at(&c, 0) == 'v')
		c.at++;
	if (!take_release(&c, out))
		return false;
	word = take_word(&c, pres, COUNT(pres), &out->pre_number);
	out->pre = word < 0 ? '\0' : pre_kinds[word];
	if (lower_at(&c, 0) == '-' && is_digit(lower_at(&c, 1))) {
		c.at++;
		out->post = take_number(&c, &out->post_number);
	} else {
		out->post = take_word(&c, posts, COUNT(posts), &out->post_number) >= 0;
	}
	out->dev = take_word(&c, devs, COUNT(devs), &out->dev_number) >= 0;
	if (lower_at(&c, 0) == '+' && !take_local(&c, out))
		return false;
	return c.at == c.text.len;
}

/* --- order ---------------------------------------------------------------------------------------------------------------------------------- */

static int order(uint64_t x, uint64_t y)
{
	return (x > y) - (x < y);
}

static int compare_release(const Pep440 *x, const Pep440 *y)
{
	int by = order(x->epoch, y->epoch);

	for (uint32_t i = 0; !by && i < MAX(x->parts, y->parts); i++)
		by = order(i < x->parts ? x->release[i] : 0, i < y->parts ? y->release[i] : 0);
	return by;
}

/* 'A' is before all pre-releases, 'z' after. */
static char pre_of(const Pep440 *v)
{
	if (v->pre)
		return v->pre;
	return v->dev && !v->post ? 'A' : 'z';
}

static bool next_label(Str *rest, Str *label)
{
	size_t n = 0;

	if (!rest->len)
		return false;
	while (n < rest->len && !is_separator(rest->at[n]))
		n++;
	*label = str_sub(*rest, 0, n);
	*rest = str_sub(*rest, n + 1, rest->len);
	return true;
}

static int compare_label(Str x, Str y)
{
	Cursor p = { x, 0 }, q = { y, 0 };
	uint64_t n = 0, m = 0;
	bool number = take_number(&p, &n) && p.at == x.len,
	     other = take_number(&q, &m) && q.at == y.len;

	if (number != other)
		return number ? 1 : -1;
	if (number)
		return order(n, m);
	for (size_t i = 0; i < MIN(x.len, y.len); i++) {
		char c = (char)(x.at[i] | 0x20), d = (char)(y.at[i] | 0x20);

		if (c != d)
			return c < d ? -1 : 1;
	}
	return order(x.len, y.len);
}

static int compare_local(Str x, Str y)
{
	Str one, other;

	for (;;) {
		bool more = next_label(&x, &one), others = next_label(&y, &other);
		int by;

		if (!more || !others)
			return more - others;
		by = compare_label(one, other);
		if (by)
			return by;
	}
}

static int compare_public(const Pep440 *x, const Pep440 *y)
{
	int by = compare_release(x, y);

	if (!by)
		by = order((uint8_t)pre_of(x), (uint8_t)pre_of(y));
	if (!by)
		by = order(x->pre_number, y->pre_number);
	if (!by)
		by = x->post - y->post;
	if (!by)
		by = order(x->post_number, y->post_number);
	if (!by)
		by = y->dev - x->dev;
	return by ? by : order(x->dev_number, y->dev_number);
}

int pep440_compare(const Pep440 *x, const Pep440 *y)
{
	int by = compare_public(x, y);

	return by ? by : compare_local(x->local, y->local);
}

bool pep440_is_pre(const Pep440 *v)
{
	return v->pre || v->dev;
}

/* --- specifiers ------------------------------------------------------------------------------------------------------------------------------ */

static bool begins_with(const Pep440 *v, const Pep440 *prefix, uint32_t parts)
{
	if (v->epoch != prefix->epoch)
		return false;
	for (uint32_t i = 0; i < parts; i++)
		if ((i < v->parts ? v->release[i] : 0) != prefix->release[i])
			return false;
	return true;
}

/* "1.2.*" */
static bool allows_prefix(Str text, const Pep440 *v)
{
	Pep440 prefix;

	return pep440_read(str_sub(text, 0, text.len - 2), &prefix) &&
	       begins_with(v, &prefix, prefix.parts);
}

static bool allows_equal(Str text, const Pep440 *v)
{
	Pep440 wanted;

	if (str_ends(text, S(".*")))
		return allows_prefix(text, v);
	if (!pep440_read(text, &wanted))
		return false;
	return wanted.local.len ? pep440_compare(v, &wanted) == 0 : compare_public(v, &wanted) == 0;
}

static bool same_base(const Pep440 *x, const Pep440 *y)
{
	return compare_release(x, y) == 0;
}

/* The release of a version is not before it in the sense of "<": its own pre-releases are not asked for. */
static bool allows_less(const Pep440 *wanted, const Pep440 *v)
{
	return compare_public(v, wanted) < 0 &&
	       !(!pep440_is_pre(wanted) && pep440_is_pre(v) && same_base(v, wanted));
}

static bool allows_more(const Pep440 *wanted, const Pep440 *v)
{
	if (compare_public(v, wanted) <= 0)
		return false;
	return !same_base(v, wanted) || ((!v->post || wanted->post) && !v->local.len);
}

typedef enum SpecOp {
	SPEC_SAME,
	SPEC_EQUAL,
	SPEC_UNEQUAL,
	SPEC_COMPATIBLE,
	SPEC_MOST,
	SPEC_LEAST,
	SPEC_LESS,
	SPEC_MORE,
	SPEC_OPS
} SpecOp;
static const Str spec_ops[SPEC_OPS] = {
	[SPEC_SAME] = S("==="),      [SPEC_EQUAL] = S("=="), [SPEC_UNEQUAL] = S("!="),
	[SPEC_COMPATIBLE] = S("~="), [SPEC_MOST] = S("<="),  [SPEC_LEAST] = S(">="),
	[SPEC_LESS] = S("<"),        [SPEC_MORE] = S(">"),
};

static bool op_allows(SpecOp op, Str text, const Pep440 *v)
{
	Pep440 wanted;

	if (op == SPEC_EQUAL || op == SPEC_SAME)
		return allows_equal(text, v);
	if (op == SPEC_UNEQUAL)
		return (str_ends(text, S(".*")) || pep440_read(text, &wanted)) &&
		       !allows_equal(text, v);
	if (!pep440_read(text, &wanted))
		return false;
	switch ((int)op) {
	case SPEC_COMPATIBLE:
		return wanted.parts > 1 && compare_public(v, &wanted) >= 0 &&
		       begins_with(v, &wanted, wanted.parts - 1);
	case SPEC_MOST:
		return compare_public(v, &wanted) <= 0;
	case SPEC_LEAST:
		return compare_public(v, &wanted) >= 0;
	case SPEC_LESS:
		return allows_less(&wanted, v);
	default:
		return allows_more(&wanted, v);
	}
}

/* Its operator and what follows; SPEC_OPS: it has none. */
static SpecOp op_of(Str *part)
{
	*part = trimmed(*part);
	for (SpecOp op = 0; op < SPEC_OPS; op++)
		if (str_starts(*part, spec_ops[op])) {
			*part = trimmed(str_sub(*part, spec_ops[op].len, part->len));
			return op;
		}
	return SPEC_OPS;
}

bool pep440_allows(Str specifier, const Pep440 *v)
{
	Str part;

	while (str_split(&specifier, ',', &part)) {
		SpecOp op = op_of(&part);

		if (op == SPEC_OPS && !part.len)
			continue;
		if (op == SPEC_OPS || !op_allows(op, part, v))
			return false;
	}
	return true;
}

Str pep440_pinned(Str specifier)
{
	SpecOp op = op_of(&specifier);

	if ((op != SPEC_EQUAL && op != SPEC_SAME) || str_ends(specifier, S("*")) ||
	    str_find_char(specifier, ',') >= 0)
		return (Str){ 0 };
	return specifier;
}

Str pep503_name(Arena *a, Str name)
{
	char *at = arena_alloc_raw(a, name.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];

		if (is_separator(c)) {
			if (!len || at[len - 1] != '-')
				at[len++] = '-';
			continue;
		}
		at[len++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
	}
	return (Str){ at, len };
}

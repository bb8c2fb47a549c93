/* SPDX-License-Identifier: Apache-2.0
 *
 * Comparing two pages: the elements and their order, their attributes, their texts.
 *
 * The children of two elements are aligned: what is equal at both ends is set aside, the rest is matched so that as much as
 * possible is equal, and what is equal in tag at least is a pair (longest common subsequence, weighted). A row more in a table is
 * one element extra, not a page of differing rows. When all children are there, in another order, that is what differs.
 *
 * A page shows secrets without naming them where they stand: a label is in another element. So a text is hidden when a secret is
 * named near it: in one of the four elements around it, in a table, list or form around it, or in what stands right before one of
 * those around it. */
#include "shift/compare_html_int.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGN_MAX = 250000, NEAR = 4, SHOWN_MAX = 1024, EQUAL_WEIGHT = 4 };

static uint64_t mix(uint64_t x, uint64_t y)
{
	const uint64_t both[2] = { x, y };

	return hash_str((Str){ (const char *)both, sizeof both });
}

static bool is_text(const HtmlNode *node)
{
	return !node->tag.len;
}

/* --- hashes --------------------------------------------------------------------------------------------------------- */

static uint64_t hash_attrs(Work *w, const HtmlNode *node)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < node->attr_count; i++) {
		Str step = str_fmt(w->arena, "@%.*s", STR_ARG(node->attrs[i].name));

		compare_enter(w, STEP_KEY, step);
		if (!compare_rule(w, RULE_IGNORE))
			hash = mix(hash, mix(hash_str(step), hash_str(node->attrs[i].value)));
		compare_leave(w);
	}
	return hash;
}

/* Of all that the rules compare; 0 for what they ignore. */
static void hash_node(Work *w, HtmlNode *node)
{
	uint64_t hash = hash_str(node->tag);

	if (!compare_spend(w, 1))
		return;
	if (node->up && is_text(node)) {
		node->hash = mix(1, hash_str(node->text));
		return;
	}
	if (node->up)
		compare_enter(w, STEP_KEY, node->tag);
	if (!compare_rule(w, RULE_IGNORE)) {
		hash = mix(hash, hash_attrs(w, node));
		for (HtmlNode *child = node->child; child; child = child->next) {
			hash_node(w, child);
			if (child->hash)
				hash = mix(hash, child->hash);
		}
		node->hash = hash;
	}
	if (node->up)
		compare_leave(w);
}

/* --- examples ------------------------------------------------------------------------------------------------------- */

static bool names_secret(Work *w, const HtmlNode *node)
{
	const MaskRules *mask = &w->of->rules->mask;

	if (!compare_spend(w, 1))
		return true;
	if (mask_named_in(mask, node->text))
		return true;
	for (size_t i = 0; i < node->attr_count; i++)
		if (mask_named_in(mask, node->attrs[i].name) ||
		    mask_named_in(mask, node->attrs[i].value))
			return true;
	for (const HtmlNode *child = node->child; child; child = child->next)
		if (names_secret(w, child))
			return true;
	return false;
}

static const HtmlNode *before(const HtmlNode *node)
{
	const HtmlNode *last = NULL;

	for (const HtmlNode *child = node->up->child; child != node; child = child->next)
		last = child;
	return last;
}

static bool is_group(Str tag)
{
	static const Str groups[] = { { "table", 5 },    { "dl", 2 }, { "form", 4 },
		                      { "fieldset", 8 }, { "ul", 2 }, { "ol", 2 } };

	for (size_t i = 0; i < COUNT(groups); i++)
		if (str_eq(tag, groups[i]))
			return true;
	return false;
}

static bool is_page(Str tag)
{
	return !tag.len || str_eq(tag, S("html")) || str_eq(tag, S("body")) ||
	       str_eq(tag, S("main"));
}

static bool secret_near(Work *w, const HtmlNode *node)
{
	if (names_secret(w, node))
		return true;
	for (size_t level = 0; node->up; node = node->up, level++) {
		const HtmlNode *left = before(node);

		if (left && names_secret(w, left))
			return true;
		if ((level < NEAR && !is_page(node->up->tag)) || is_group(node->up->tag))
			if (names_secret(w, node->up))
				return true;
	}
	return false;
}

static void collect_text(Buf *b, const HtmlNode *node)
{
	if (b->len > SHOWN_MAX)
		return;
	if (node->text.len) {
		buf_put(b, b->len ? S(" ") : S(""));
		buf_put(b, node->text);
	}
	for (const HtmlNode *child = node->child; child; child = child->next)
		collect_text(b, child);
}

static Str show_text(Work *w, const HtmlNode *node)
{
	return secret_near(w, node) ? MASKED : compare_show(w, node->text);
}

static Str show_element(Work *w, const HtmlNode *node)
{
	AUTO(buf_fini) Buf b = { 0 };
	Str text;

	collect_text(&b, node);
	text = secret_near(w, node) ? MASKED : compare_show(w, buf_str(&b));
	return compare_cut(w, str_fmt(w->arena, "<%.*s> %.*s", STR_ARG(node->tag), STR_ARG(text)));
}

static Str show_attr(Work *w, const HtmlNode *node, const HtmlAttr *attr)
{
	static const Str addresses[] = {
		{ "href", 4 }, { "src", 3 }, { "action", 6 }, { "formaction", 10 }
	};
	AUTO(buf_fini) Buf b = { 0 };

	if (compare_masked(w))
		return MASKED;
	for (size_t i = 0; i < COUNT(addresses); i++)
		if (str_eq(attr->name, addresses[i]))
			mask_put_target(&b, &w->of->rules->mask, attr->value, COMPARE_VALUE_MAX);
	if (b.len || !attr->value.len)
		return compare_cut(w, buf_str(&b));
	return secret_near(w, node) ? MASKED : compare_show(w, attr->value);
}

/* --- attributes ----------------------------------------------------------------------------------------------------- */

static void report_attr(Work *w, const HtmlNode *old, const HtmlAttr *before_, const HtmlNode *new,
                        const HtmlAttr *after)
{
	const HtmlAttr *attr = before_ ? before_ : after;
	Difference *d = NULL;

	if (!attr || (before_ && after && str_eq(before_->value, after->value)))
		return;
	compare_enter(w, STEP_KEY, str_fmt(w->arena, "@%.*s", STR_ARG(attr->name)));
	if (!compare_rule(w, RULE_IGNORE))
		d = compare_report(w, before_ && after ? COMPARE_VALUE
		                      : before_        ? COMPARE_MISSING
		                                       : COMPARE_EXTRA);
	if (d && before_)
		d->old = show_attr(w, old, before_);
	if (d && after)
		d->new = show_attr(w, new, after);
	compare_leave(w);
}

static void compare_attrs(Work *w, const HtmlNode *old, const HtmlNode *new)
{
	size_t i = 0, k = 0;

	while (i < old->attr_count || k < new->attr_count) {
		const HtmlAttr *x = i < old->attr_count ? &old->attrs[i] : NULL;
		const HtmlAttr *y = k < new->attr_count ? &new->attrs[k] : NULL;
		int order = !x ? 1 : !y ? -1 : str_cmp(x->name, y->name);

		report_attr(w, old, order <= 0 ? x : NULL, new, order >= 0 ? y : NULL);
		i += order <= 0;
		k += order >= 0;
	}
}

/* --- children ------------------------------------------------------------------------------------------------------- */

typedef struct Row { /* of children that are compared */
	HtmlNode **at;
	size_t count;
} Row;

static Row row_of(Work *w, const HtmlNode *node)
{
	Row row = { ARENA_ARRAY(w->arena, HtmlNode *, node->children + 1), 0 };

	for (HtmlNode *child = node->child; child; child = child->next)
		if (child->hash)
			row.at[row.count++] = child;
	return row;
}

static void walk(Work *w, const HtmlNode *old, const HtmlNode *new);

static void report_text(Work *w, const HtmlNode *old, const HtmlNode *new)
{
	Difference *d = compare_report(w, COMPARE_VALUE);

	if (d && old)
		d->old = show_text(w, old);
	if (d && new)
		d->new = show_text(w, new);
}

/* A pair, or what is on one side only. */
static void compare_pair(Work *w, const HtmlNode *old, const HtmlNode *new)
{
	const HtmlNode *node = old ? old : new;
	Difference *d;

	if (!node || (old && new && old->hash == new->hash))
		return;
	if (is_text(node)) {
		report_text(w, old, new);
		return;
	}
	compare_enter(w, STEP_KEY, node->tag);
	if (old && new) {
		walk(w, old, new);
	} else if ((d = compare_report(w, old ? COMPARE_MISSING : COMPARE_EXTRA))) {
		d->old = old ? show_element(w, old) : (Str){ 0 };
		d->new = new ? show_element(w, new) : (Str){ 0 };
	}
	compare_leave(w);
}

static unsigned weight(const HtmlNode *old, const HtmlNode *new)
{
	return old->hash == new->hash ? EQUAL_WEIGHT : str_eq(old->tag, new->tag);
}

/* best[i][k]: the most that can be matched of old from i on and new from k on. */
static void align(Work *w, Row old, Row new)
{
	size_t wide = new.count + 1, i = 0, k = 0;
	unsigned *best = ARENA_ARRAY(w->arena, unsigned, (old.count + 1) * wide);

	for (i = old.count; i-- > 0;) {
		for (k = new.count; k-- > 0;) {
			unsigned both = weight(old.at[i], new.at[k]);
			unsigned one = MAX(best[(i + 1) * wide + k], best[i * wide + k + 1]);

			best[i * wide + k] =
				both ? MAX(one, best[(i + 1) * wide + k + 1] + both) : one;
		}
	}
	for (i = k = 0; i < old.count || k < new.count;) {
		bool pair = i < old.count && k < new.count &&weight(old.at[i], new.at[k]) &&
		            best[i * wide + k] ==
		                    best[(i + 1) * wide + k + 1] + weight(old.at[i], new.at[k]);
		bool alone = !pair && i < old.count &&
		             (k == new.count || best[i * wide + k] == best[(i + 1) * wide + k]);

		compare_pair(w, pair || alone ? old.at[i] : NULL,
		             pair || !alone ? new.at[k] : NULL);
		i += pair || alone;
		k += pair || !alone;
	}
}

static int by_hash(const void *x, const void *y)
{
	uint64_t m = (*(HtmlNode *const *)x)->hash, n = (*(HtmlNode *const *)y)->hash;

	return (m > n) - (m < n);
}

static bool is_reordered(Work *w, Row old, Row new)
{
	Row both[2] = { old, new };

	if (old.count != new.count || old.count < 2)
		return false;
	for (size_t side = 0; side < 2; side++) {
		HtmlNode **copy = ARENA_ARRAY(w->arena, HtmlNode *, both[side].count);

		memcpy(copy, both[side].at, both[side].count * sizeof(HtmlNode *));
		qsort(copy, both[side].count, sizeof(HtmlNode *), by_hash);
		both[side].at = copy;
	}
	for (size_t i = 0; i < old.count; i++)
		if (both[0].at[i]->hash != both[1].at[i]->hash)
			return false;
	return true;
}

static void report_row(Work *w, CompareKind kind, Row old, Row new)
{
	Difference *d = compare_report(w, kind);

	if (!d)
		return;
	d->old = str_fmt(w->arena, "%zu nodes", old.count);
	d->new = str_fmt(w->arena, "%zu nodes%s", new.count,
	                 kind == COMPARE_ORDER ? ", in another order" : "");
}

static void compare_children(Work *w, const HtmlNode *old, const HtmlNode *new)
{
	Row x = row_of(w, old), y = row_of(w, new);

	for (; x.count && y.count && x.at[0]->hash == y.at[0]->hash; x.count--, y.count--)
		x.at++, y.at++;
	for (; x.count && y.count && x.at[x.count - 1]->hash == y.at[y.count - 1]->hash; x.count--)
		y.count--;
	if (!x.count && !y.count)
		return;
	if (is_reordered(w, x, y))
		report_row(w, COMPARE_ORDER, x, y);
	else if (y.count && x.count > ALIGN_MAX / y.count)
		report_row(w, COMPARE_SIZE, x, y);
	else
		align(w, x, y);
}

/* Of two elements with the same tag, or the two roots. */
static void walk(Work *w, const HtmlNode *old, const HtmlNode *new)
{
	if (!compare_spend(w, 1) || compare_rule(w, RULE_IGNORE))
		return;
	compare_attrs(w, old, new);
	compare_children(w, old, new);
}

bool compare_html(Work *w, Str old, Str new)
{
	HtmlNode *x = html_read(w->arena, old, w->of->known, &w->out->known);
	HtmlNode *y = html_read(w->arena, new, w->of->known, &w->out->known);

	if (!x || !y)
		return false;
	w->html = true;
	hash_node(w, x);
	hash_node(w, y);
	walk(w, x, y);
	w->html = false;
	return true;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The agenda: findings are gathered by file, because who opens a file mends it whole. A file's place is its weight for the business times
 * the minutes its findings take (SQALE): much to mend where much happens. From the top, what fits into the share of the month that is set
 * aside is this month's; what does not fit waits, and what is larger than the whole share is named, so that it is cut into parts instead
 * of put off for ever. Equal places go by path, so that the same audit always gives the same agenda. */
#include "audit/review.h"

#include "base/arena.h"
#include "base/json.h"

#include <stdlib.h>

enum { SHOWN_WAITING = 10 };

/* --- the plan -------------------------------------------------------------------------------------------------------------------------- */

static int by_path(const void *x, const void *y)
{
	const Finding *const *p = x, *const *q = y;

	return str_cmp((*p)->path, (*q)->path);
}

static int by_place(const void *x, const void *y)
{
	const ReviewItem *p = x, *q = y;
	double mine = p->weight * p->minutes, other = q->weight * q->minutes;

	if (p->fits != q->fits)
		return p->fits ? -1 : 1;
	if (mine < other || mine > other)
		return mine < other ? 1 : -1;
	if (p->minutes < q->minutes || p->minutes > q->minutes) /* of no weight, both */
		return p->minutes < q->minutes ? 1 : -1;
	return str_cmp(p->path, q->path);
}

static void add_finding(ReviewItem *item, const Finding *f)
{
	item->findings++;
	item->minutes += finding_minutes(f);
	if (!item->worst || finding_minutes(f) > finding_minutes(item->worst))
		item->worst = f;
}

/* What takes no time cannot be mended any more: a migration that has run. */
static void gather(Arena *a, const Findings *findings, const ReviewRules *rules, Review *out)
{
	const Finding **all = ARENA_ARRAY(a, const Finding *, findings->count + 1);
	size_t count = 0;

	for (size_t i = 0; i < findings->count; i++)
		if (!findings->at[i].ignored_why.len && finding_minutes(&findings->at[i]) > 0)
			all[count++] = &findings->at[i];
	if (count)
		qsort(all, count, sizeof(const Finding *), by_path);
	out->items = ARENA_ARRAY(a, ReviewItem, count + 1);
	for (size_t i = 0; i < count; i++) {
		if (!i || !str_eq(all[i]->path, all[i - 1]->path))
			out->items[out->count++] = (ReviewItem){
				.path = all[i]->path,
				.weight =
					rules->weight ? rules->weight(rules->arg, all[i]->path) : 1,
			};
		add_finding(&out->items[out->count - 1], all[i]);
	}
}

void review_plan(Arena *a, const Findings *findings, const ReviewRules *rules, Review *out)
{
	*out = (Review){ .budget_minutes = rules->capacity_hours * rules->share * 60 };
	gather(a, findings, rules, out);
	if (out->count)
		qsort(out->items, out->count, sizeof(*out->items), by_place);
	for (size_t i = 0; i < out->count; i++) {
		ReviewItem *item = &out->items[i];

		item->too_large = out->budget_minutes > 0 && item->minutes > out->budget_minutes;
		item->fits = out->minutes + item->minutes <= out->budget_minutes;
		out->minutes += item->fits ? item->minutes : 0;
		out->fitting += item->fits;
	}
	if (out->count)
		qsort(out->items, out->count, sizeof(*out->items), by_place);
}

/* --- what is said ---------------------------------------------------------------------------------------------------------------------- */

static void put_item(Buf *b, size_t number, const ReviewItem *item)
{
	const Finding *f = item->worst;

	buf_fmt(b, item->path.len ? "%zu. `%.*s`" : "%zu. %.*s", number,
	        STR_ARG(item->path.len ? item->path : S("the project as a whole")));
	buf_fmt(b, ": %zu finding%s, %.1f h", item->findings, item->findings == 1 ? "" : "s",
	        item->minutes / 60);
	if (item->too_large)
		buf_put(b, S(", more than the whole month has: cut it into parts"));
	buf_put(b, S("\n   - "));
	if (f->line)
		buf_fmt(b, "line %u%s%.*s: ", f->line, f->unit.len ? ", " : "", STR_ARG(f->unit));
	buf_fmt(b, "%s, %.*s (%.0f min)\n", f->rule->name, STR_ARG(f->text), finding_minutes(f));
}

static void put_basis(Buf *b, const ReviewRules *rules)
{
	if (rules->weight)
		buf_fmt(b,
		        "Ordered by weight for the business (%.*s) times minutes to mend (SQALE).\n",
		        STR_ARG(rules->weight_text));
	else
		buf_put(b,
		        S("Ordered by minutes to mend (SQALE). What matters to the business is not known, so every file weighs the same.\n"));
	if (rules->capacity_hours > 0)
		buf_fmt(b, "Cut at %.4g %% of %.4g hours a month: %.1f hours.\n",
		        100 * rules->share, rules->capacity_hours,
		        rules->share * rules->capacity_hours);
	else
		buf_put(b,
		        S("The team's hours a month are not known (--capacity), so nothing is cut.\n"));
}

void review_put(Buf *b, const Review *review, const ReviewRules *rules)
{
	size_t last = MIN(review->count, review->fitting + SHOWN_WAITING);

	buf_put(b, S("# Review of the debt\n\n"));
	put_basis(b, rules);
	if (!review->count)
		buf_put(b, S("\nNothing was found that is to be mended.\n"));
	if (review->fitting)
		buf_fmt(b, "\n## This month: %.1f h\n\n", review->minutes / 60);
	for (size_t i = 0; i < last; i++) {
		if (i == review->fitting)
			buf_put(b, review->budget_minutes > 0 ? S("\n## Waiting\n\n")
			                                      : S("\n## Worst first\n\n"));
		put_item(b, i + 1, &review->items[i]);
	}
	if (last < review->count)
		buf_fmt(b, "\n%zu more files have findings.\n", review->count - last);
}

void review_put_json(Buf *b, const Review *review)
{
	JsonWriter writer = json_writer(b), *w = &writer;

	json_begin_object(w);
	json_put_real(w, "budget_minutes", review->budget_minutes);
	json_put_real(w, "minutes", review->minutes);
	json_key(w, S("items"));
	json_begin_array(w);
	for (size_t i = 0; i < review->count; i++) {
		const ReviewItem *item = &review->items[i];

		json_begin_object(w);
		json_put_str(w, "path", item->path);
		json_put_u64(w, "findings", item->findings);
		json_put_real(w, "minutes", item->minutes);
		json_put_real(w, "weight", item->weight);
		json_put_bool(w, "this_month", item->fits);
		json_put_bool(w, "too_large", item->too_large);
		json_put_str(w, "worst_rule", str_of(item->worst->rule->name));
		json_put_u64(w, "worst_line", item->worst->line);
		json_end(w);
	}
	json_end(w);
	json_end(w);
	buf_putc(b, '\n');
}

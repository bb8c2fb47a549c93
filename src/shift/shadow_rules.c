/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of a route's comparison, from its configuration. Made once for a configuration; whoever compares only reads them. */
#include "base/arena.h"
#include "shift/shadow_int.h"

static Err *read_tolerance(Arena *a, const PathValueConf *from, CompareTolerance *out)
{
	out->path = from->path;
	if (tolerance_read(a, from->value, &out->absolute, &out->relative))
		return NULL;
	return err_new(a, ERR_INVALID, "compare.tolerance",
	               "tolerance of %.*s: expected a number such as 0.005, or 1%%",
	               STR_ARG(from->path));
}

static Err *read_tolerances(Arena *a, const CompareConf *conf, CompareRules *rules)
{
	size_t count = conf->tolerance.count;
	CompareTolerance *tolerances = ARENA_ARRAY(a, CompareTolerance, count + 1);

	for (size_t i = 0; i < count; i++)
		TRY(read_tolerance(a, &conf->tolerance.at[i], &tolerances[i]));
	rules->tolerances.at = tolerances;
	rules->tolerances.count = count;
	return NULL;
}

static void read_keyed(Arena *a, const CompareConf *conf, CompareRules *rules)
{
	size_t count = conf->keyed.count;
	CompareKeyed *keyed = ARENA_ARRAY(a, CompareKeyed, count + 1);

	for (size_t i = 0; i < count; i++)
		keyed[i] = (CompareKeyed){ conf->keyed.at[i].path, conf->keyed.at[i].value };
	rules->keyed.at = keyed;
	rules->keyed.count = count;
}

/* Lists of the configuration live as long as what is made of them. */
#define SHARE(to, from) ((to).at = (from).at, (to).count = (from).count)

Err *shadow_rules(Arena *a, const ShiftConf *conf, const ShadowRules **out)
{
	const CompareConf *from = &conf->compare;
	ShadowRules *made = ARENA_NEW(a, ShadowRules);
	CompareRules *rules = &made->rules;

	*made = (ShadowRules){ .conf = &conf->shadow,
		               .alpha = conf->judge.alpha,
		               .map = from->map };
	SHARE(rules->ignore, from->ignore);
	SHARE(rules->unordered, from->unordered);
	SHARE(rules->sets, from->sets);
	SHARE(rules->headers, from->headers);
	SHARE(rules->mask.paths, from->mask);
	rules->headers_given = true;
	rules->body_max = conf->shadow.body_bytes;
	read_keyed(a, from, rules);
	TRY(read_tolerances(a, from, rules));
	TRY(compare_new(a, rules, &made->comparer));
	*out = made;
	return NULL;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Comparing two answers: the rules made ready, the order in which things are looked at, and the list that grows.
 *
 * The status comes first. Answers of different classes (200 and 404) have different bodies by nature: then the status is the
 * only difference, so that one error does not fill the table with every field that it does not have. Then the headers, then
 * the bodies: equal bytes are equal, whatever they are; that is what nearly all answers are, and costs one memcmp. Else they are
 * read by what their content types say, and where they cannot be (one is no JSON, another charset), they differ as bodies.
 *
 * A place is a stack of steps. Rules are asked for at each place from the root down, so that what a rule ignores is never
 * entered. Where a key below a masked place would stand in a path, * stands: it may be the secret itself. */
#include "shift/compare_int.h"

#include <string.h>

enum { WORK_LEAST = 500000, WORK_PER_BYTE = 2 }; /* values looked at */

static const Str kind_names[COMPARE_KINDS] = {
	[COMPARE_MISSING] = { "missing", 7 }, [COMPARE_EXTRA] = { "extra", 5 },
	[COMPARE_TYPE] = { "type", 4 },       [COMPARE_VALUE] = { "value", 5 },
	[COMPARE_ORDER] = { "order", 5 },     [COMPARE_SIZE] = { "size", 4 },
	[COMPARE_STATUS] = { "status", 6 },   [COMPARE_HEADER] = { "header", 6 },
	[COMPARE_BODY] = { "body", 4 },
};

Str compare_kind_name(CompareKind kind)
{
	return kind_names[kind];
}

bool compare_kind_of(Str name, CompareKind *out)
{
	for (int i = 0; i < COMPARE_KINDS; i++) {
		if (!str_eq(name, kind_names[i]))
			continue;
		*out = (CompareKind)i;
		return true;
	}
	return false;
}

/* --- rules ---------------------------------------------------------------------------------------------------------- */

static Err *add_patterns(Arena *a, Comparer *c, RuleKind kind, const Str *paths, size_t count)
{
	Pattern *patterns = ARENA_ARRAY(a, Pattern, count + 1);

	for (size_t i = 0; i < count; i++)
		TRY(compare_path_read(a, paths[i], &patterns[i]));
	c->patterns[kind].at = patterns;
	c->patterns[kind].count = count;
	return NULL;
}

static Err *read_by(Arena *a, const CompareKeyed *keyed, Pattern *pattern)
{
	Pattern by = { 0 };

	TRY(compare_path_read(a, keyed->path, pattern));
	TRY(compare_path_read(a, keyed->by, &by));
	for (size_t i = 0; i < by.count; i++)
		if (by.html || by.steps[i].deep || by.steps[i].kind != STEP_KEY)
			return err_new(
				a, ERR_INVALID, "compare.path",
				"%.*s is no key of an item: it must name one field, as \".id\" does",
				STR_ARG(str_quote(a, keyed->by)));
	pattern->by = by.steps;
	pattern->by_count = by.count;
	return NULL;
}

static Err *add_keyed(Arena *a, Comparer *c)
{
	size_t count = c->rules->keyed.count;
	Pattern *patterns = ARENA_ARRAY(a, Pattern, count + 1);

	for (size_t i = 0; i < count; i++)
		TRY(read_by(a, &c->rules->keyed.at[i], &patterns[i]));
	c->patterns[RULE_KEYED].at = patterns;
	c->patterns[RULE_KEYED].count = count;
	return NULL;
}

static Err *add_tolerances(Arena *a, Comparer *c)
{
	size_t count = c->rules->tolerances.count;
	Pattern *patterns = ARENA_ARRAY(a, Pattern, count + 1);

	for (size_t i = 0; i < count; i++) {
		const CompareTolerance *tolerance = &c->rules->tolerances.at[i];

		TRY(compare_path_read(a, tolerance->path, &patterns[i]));
		patterns[i].absolute = tolerance->absolute;
		patterns[i].relative = tolerance->relative;
	}
	c->patterns[RULE_TOLERANCE].at = patterns;
	c->patterns[RULE_TOLERANCE].count = count;
	return NULL;
}

Err *compare_new(Arena *a, const CompareRules *rules, const Comparer **out)
{
	Comparer *c = ARENA_NEW(a, Comparer);

	*c = (Comparer){ .rules = rules, .known = COMPARE_CSRF_FIELDS | COMPARE_NONCES };
	for (size_t i = 0; i < rules->keep.count; i++)
		c->known &= ~rules->keep.at[i];
	c->body_max = rules->body_max ? rules->body_max : COMPARE_BODY_MAX;
	TRY(add_patterns(a, c, RULE_IGNORE, rules->ignore.at, rules->ignore.count));
	TRY(add_patterns(a, c, RULE_UNORDERED, rules->unordered.at, rules->unordered.count));
	TRY(add_patterns(a, c, RULE_SET, rules->sets.at, rules->sets.count));
	TRY(add_patterns(a, c, RULE_MAP, rules->maps.at, rules->maps.count));
	TRY(add_patterns(a, c, RULE_MASK, rules->mask.paths.at, rules->mask.paths.count));
	TRY(add_keyed(a, c));
	TRY(add_tolerances(a, c));
	*out = c;
	return NULL;
}

/* --- the place ------------------------------------------------------------------------------------------------------ */

void compare_enter(Work *w, StepKind kind, Str key)
{
	w->steps[w->depth++] = (Step){ .key = key, .kind = (uint8_t)kind };
}

void compare_leave(Work *w)
{
	w->depth--;
}

static const Pattern *rule_at(const Work *w, RuleKind kind, size_t depth)
{
	for (size_t i = 0; i < w->of->patterns[kind].count; i++) {
		const Pattern *pattern = &w->of->patterns[kind].at[i];

		if (pattern->html == w->html && compare_path_fits(pattern, w->steps, depth))
			return pattern;
	}
	return NULL;
}

const Pattern *compare_rule(const Work *w, RuleKind kind)
{
	return rule_at(w, kind, w->depth);
}

/* How many steps lead to the first place that is masked; more than there are: none is. */
static size_t first_masked(const Work *w)
{
	for (size_t i = 0; i <= w->depth; i++) {
		if (rule_at(w, RULE_MASK, i))
			return i;
		if (i && !w->html && mask_name(&w->of->rules->mask, w->steps[i - 1].key))
			return i;
	}
	return w->depth + 1;
}

bool compare_masked(const Work *w)
{
	return first_masked(w) <= w->depth;
}

bool compare_spend(Work *w, size_t values)
{
	w->spent += values;
	if (w->spent <= w->spent_max)
		return true;
	if (!w->exhausted)
		w->out->dropped++;
	w->exhausted = true;
	return false;
}

/* --- the list ------------------------------------------------------------------------------------------------------- */

static Difference *add(Work *w, CompareKind kind, Str path)
{
	if (!w->list)
		w->out->at = w->list = ARENA_ARRAY(w->arena, Difference, COMPARE_KEYS_MAX);
	for (size_t i = 0; i < w->out->count; i++)
		if (w->list[i].kind == kind && str_eq(w->list[i].path, path))
			return NULL;
	if (w->out->count == COMPARE_KEYS_MAX) {
		w->out->dropped++;
		return NULL;
	}
	w->list[w->out->count] = (Difference){ .path = str_dup(w->arena, path), .kind = kind };
	return &w->list[w->out->count++];
}

Difference *compare_report(Work *w, CompareKind kind)
{
	AUTO(buf_fini) Buf path = { 0 };
	Step steps[COMPARE_STEPS_MAX];
	size_t masked;

	w->found++;
	if (w->quiet || w->exhausted)
		return NULL;
	masked = first_masked(w);
	memcpy(steps, w->steps, w->depth * sizeof *steps);
	for (size_t i = masked; i < w->depth; i++)
		if (steps[i].kind == STEP_KEY && !w->html)
			steps[i].kind = STEP_ANY;
	compare_path_put(&path, steps, w->depth, w->html);
	return add(w, kind, buf_str(&path));
}

Difference *compare_report_at(Work *w, CompareKind kind, Str path)
{
	w->found++;
	return w->quiet || w->exhausted ? NULL : add(w, kind, path);
}

Str compare_cut(Work *w, Str shown)
{
	size_t len = COMPARE_VALUE_MAX - 3;

	if (shown.len <= COMPARE_VALUE_MAX)
		return str_dup(w->arena, shown);
	while (len && ((unsigned char)shown.at[len] & 0xc0) == 0x80)
		len--;
	return str_fmt(w->arena, "%.*s...", (int)len, shown.at);
}

Str compare_show(Work *w, Str text)
{
	AUTO(buf_fini) Buf b = { 0 };

	if (compare_masked(w))
		return MASKED;
	mask_put_text(&b, &w->of->rules->mask, text, COMPARE_VALUE_MAX);
	return compare_cut(w, buf_str(&b));
}

/* --- bodies --------------------------------------------------------------------------------------------------------- */

static void report_body(Work *w, Str old, Str new)
{
	Difference *d = compare_report_at(w, COMPARE_BODY, S("."));

	if (d) {
		d->old = old;
		d->new = new;
	}
}

/* One side's JSON, or why it is none; of the text nothing is shown. */
static Str describe(Work *w, const Err *err, Str text)
{
	if (!err)
		return str_fmt(w->arena, "JSON, %zu bytes", text.len);
	if (!text.len)
		return S("empty");
	if (err_is(err, "json.duplicate_key"))
		return str_fmt(w->arena, "JSON with a key given twice, %zu bytes", text.len);
	if (err_is(err, "json.too_deep"))
		return str_fmt(w->arena, "JSON nested too deep, %zu bytes", text.len);
	return str_fmt(w->arena, "no JSON, %zu bytes", text.len);
}

static bool as_json(Work *w, Str old, Str new)
{
	const Json *before = NULL, *after = NULL;
	Err *err_old = compare_json_read(w->arena, old, &before);
	Err *err_new = compare_json_read(w->arena, new, &after);

	if (err_old && err_new)
		return false;
	w->out->form = COMPARE_JSON;
	if (err_old || err_new)
		report_body(w, describe(w, err_old, old), describe(w, err_new, new));
	else
		compare_json(w, before, after);
	return true;
}

/* Both without a content type: is it JSON after all? */
static bool looks_like_json(Str text)
{
	Str rest = text;

	while (rest.len && strchr(" \t\r\n", rest.at[0]) && rest.at[0])
		rest = str_sub(rest, 1, rest.len);
	return rest.len && (rest.at[0] == '{' || rest.at[0] == '[');
}

static CompareForm form_of(const Work *w, const CompareAnswer *old, const CompareAnswer *new,
                           BodyType *before, BodyType *after)
{
	*before = compare_body_type(w->arena, old);
	*after = compare_body_type(w->arena, new);
	if (w->of->rules->form != COMPARE_BY_TYPE)
		return (CompareForm)w->of->rules->form;
	if (before->form == COMPARE_BY_TYPE && after->form == COMPARE_BY_TYPE)
		return looks_like_json(old->body) && looks_like_json(new->body) ? COMPARE_JSON
		                                                                : COMPARE_BYTES;
	if (before->form == COMPARE_BY_TYPE)
		return after->form;
	if (after->form == COMPARE_BY_TYPE || before->form == after->form)
		return before->form;
	return COMPARE_BYTES;
}

static Err *map_body(Work *w, const CompareMap *map, CompareSide side, Str *body)
{
	return map ? map->run(map->arg, side, w->arena, *body, body) : NULL;
}

static void compare_as(Work *w, CompareForm form, const CompareMap *map, Str old, Str new)
{
	Err *err_old = NULL, *err_new = NULL;

	if (form == COMPARE_JSON) {
		err_old = map_body(w, map, COMPARE_OLD, &old);
		err_new = map_body(w, map, COMPARE_NEW, &new);
	}
	if (err_old || err_new) {
		w->out->form = COMPARE_BYTES;
		if (!err_old || !err_new || !str_eq(old, new))
			report_body(w, err_old ? S("could not be mapped") : S("mapped"),
			            err_new ? S("could not be mapped") : S("mapped"));
		return;
	}
	if (form == COMPARE_JSON && as_json(w, old, new))
		return;
	w->out->form = form == COMPARE_JSON ? COMPARE_BYTES : form;
	if (form == COMPARE_HTML && compare_html(w, old, new))
		return;
	if (form == COMPARE_HTML)
		w->out->form = COMPARE_TEXT;
	if (form == COMPARE_HTML || form == COMPARE_TEXT)
		compare_text(w, old, new);
	else
		compare_bytes(w, old, new);
}

static bool is_too_large(const Work *w, const CompareAnswer *answer)
{
	return answer->cut || answer->body.len > w->of->body_max;
}

static void compare_sizes(Work *w, const CompareAnswer *old, const CompareAnswer *new)
{
	bool before = is_too_large(w, old), after = is_too_large(w, new);
	Difference *d;

	w->out->too_large = before && after;
	if (before && after)
		return;
	d = compare_report_at(w, COMPARE_SIZE, S("."));
	if (!d)
		return;
	d->old = before ? S("too large to compare") : str_fmt(w->arena, "%zu bytes", old->body.len);
	d->new = after ? S("too large to compare") : str_fmt(w->arena, "%zu bytes", new->body.len);
}

static void compare_bodies(Work *w, const CompareAnswer *old, const CompareAnswer *new,
                           const CompareMap *map)
{
	BodyType before, after;
	CompareForm form;
	Str x = old->body, y = new->body;

	if ((!map || map->alike) && !old->cut && !new->cut && str_eq(x, y)) {
		w->out->same_bytes = true;
		return;
	}
	if (is_too_large(w, old) || is_too_large(w, new)) {
		compare_sizes(w, old, new);
		return;
	}
	form = form_of(w, old, new, &before, &after);
	if (form == COMPARE_NOTHING)
		return;
	if (form != COMPARE_BYTES && (!compare_decode(w->arena, old->body, before.charset, &x) ||
	                              !compare_decode(w->arena, new->body, after.charset, &y)))
		form = COMPARE_BYTES, x = old->body, y = new->body;
	compare_as(w, form, map, x, y);
}

/* --- answers -------------------------------------------------------------------------------------------------------- */

static void compare_status(Work *w, const CompareAnswer *old, const CompareAnswer *new)
{
	Difference *d;

	if (old->status == new->status)
		return;
	d = compare_report_at(w, COMPARE_STATUS,
	                      str_fmt(w->arena, "%u:%u", old->status, new->status));
	if (!d)
		return;
	d->old = str_fmt(w->arena, "%u", old->status);
	d->new = str_fmt(w->arena, "%u", new->status);
}

void compare_answers(const Comparer *c, Arena *a, const CompareAnswer *old,
                     const CompareAnswer *new, const CompareMap *map, Comparison *out)
{
	Work w = { .of = c, .arena = a, .out = out };

	w.spent_max = WORK_LEAST + WORK_PER_BYTE * (old->body.len + new->body.len);
	*out = (Comparison){ .form = COMPARE_NOTHING };
	compare_status(&w, old, new);
	if (old->status / 100 != new->status / 100)
		return;
	compare_head(&w, old, new);
	compare_bodies(&w, old, new, map);
}

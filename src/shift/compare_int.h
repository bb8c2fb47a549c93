/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of a comparison share: rules as patterns of paths, the place where it is now, the list that grows. */
#pragma once
#include "base/arena.h"
#include "base/json.h"
#include "shift/compare.h"

enum { COMPARE_DEPTH_MAX = 64, COMPARE_STEPS_MAX = COMPARE_DEPTH_MAX + 2, COMPARE_DEEP_MAX = 3 };

/* --- paths (compare_path.c) --- */

typedef enum StepKind {
	STEP_KEY,  /* a key, an element, "@attribute" */
	STEP_ITEM, /* [] */
	STEP_ANY,  /* *: of a pattern any key, of a place a key that is data (in `key`) */
} StepKind;

typedef struct Step {
	Str key;
	uint8_t kind;
	bool deep; /* of a pattern: any steps may come before it */
} Step;

typedef struct Pattern {
	const Step *steps;
	size_t count;
	bool html;
	const Step *by; /* keyed arrays: from the item to its key */
	size_t by_count;
	double absolute, relative;
} Pattern;

Err *compare_path_read(Arena *a, Str text, Pattern *out) MUST_USE;
bool compare_path_fits(const Pattern *pattern, const Step *steps, size_t count);
/* At most COMPARE_PATH_MAX bytes. */
void compare_path_put(Buf *b, const Step *steps, size_t count, bool html);
/* Is the key data rather than a name: long, a number first, an id, or with characters that names do not have? */
bool compare_key_is_data(Str key);

/* --- the comparison (compare.c) --- */

typedef enum RuleKind {
	RULE_IGNORE,
	RULE_UNORDERED,
	RULE_SET,
	RULE_MAP,
	RULE_KEYED,
	RULE_TOLERANCE,
	RULE_MASK,
	RULE_KINDS
} RuleKind;

struct Comparer {
	const CompareRules *rules;
	struct {
		const Pattern *at;
		size_t count;
	} patterns[RULE_KINDS];
	uint32_t known; /* CompareKnown that is ignored */
	size_t body_max;
};

typedef struct Work {
	const Comparer *of;
	Arena *arena;
	Comparison *out;
	Difference *list; /* COMPARE_KEYS_MAX */
	Step steps[COMPARE_STEPS_MAX];
	size_t depth;
	bool html;
	bool quiet;   /* only count */
	size_t found; /* differences, each time one is met */
	size_t spent; /* values looked at */
	size_t spent_max;
	bool exhausted;
} Work;

void compare_enter(Work *w, StepKind kind, Str key);
void compare_leave(Work *w);
/* The rule of that kind for this place, or NULL. */
const Pattern *compare_rule(const Work *w, RuleKind kind);
/* Is this place, or one above it, to be masked? */
bool compare_masked(const Work *w);
/* False when the work has come to its limit: what is left is not compared, and counted as one difference dropped. */
bool compare_spend(Work *w, size_t values);
/* There is a difference of that kind here. Not NULL: it is a new one, and wants its example. */
Difference *compare_report(Work *w, CompareKind kind);
/* The same for what has a path of its own: a header, the status. */
Difference *compare_report_at(Work *w, CompareKind kind, Str path);
/* A text as an example shows it: masked when the place is, or when it looks like a secret; cut; in the arena. */
Str compare_show(Work *w, Str text);
/* What is fit to be shown already, cut to COMPARE_VALUE_MAX bytes. */
Str compare_cut(Work *w, Str shown);

/* --- forms --- */

/* INVALID when the text is none. Integers of any size are exact, NaN and Infinity are taken. */
Err *compare_json_read(Arena *a, Str text, const Json **out) MUST_USE;
void compare_json(Work *w, const Json *old, const Json *new);

/* False: there is too much of it (HTML_NODES_MAX). */
bool compare_html(Work *w, Str old, Str new);
void compare_text(Work *w, Str old, Str new);
void compare_bytes(Work *w, Str old, Str new);

void compare_head(Work *w, const CompareAnswer *old, const CompareAnswer *new);

/* What a content type says. */
typedef struct BodyType {
	CompareForm form; /* COMPARE_BY_TYPE: it does not say */
	Str charset;      /* in small letters; empty: none was named */
} BodyType;
BodyType compare_body_type(Arena *a, const CompareAnswer *answer);
/* The body as UTF-8 without a byte order mark; false when its charset is not known here. */
void compare_put_utf8(Buf *b, uint32_t code);
bool compare_decode(Arena *a, Str body, Str charset, Str *out);

/* SPDX-License-Identifier: Apache-2.0
 *
 * One shadow, from inside: shadow.c decides and taps, shadow_call.c asks a side, shadow_compare.c compares. */
#pragma once
#include "gateway/passage.h"
#include "gateway/template.h"
#include "shift/shadow.h"
#include "shift/subject.h"

typedef struct ShiftBinding ShiftBinding;

struct ShadowRules {
	const ShadowConf *conf;
	CompareRules rules;
	const Comparer *comparer;
	double alpha;
	Str map; /* a jq filter; empty: none */
};

typedef struct ShadowShot ShadowShot;
struct ShadowShot {
	Node node; /* in its loop's list */
	Arena *arena;
	unsigned refs; /* the fiber's and the passage's; both are of one loop */
	/* what it goes by */
	Snapshot *snap;
	const ShadowRules *rules;
	Subject *subject;
	const Target *old_target, *new_target;
	int64_t old_connect_us, new_connect_us;
	uint64_t key;     /* for hashing to a server */
	uint32_t shadows; /* of the subject's state, when it began */
	uint64_t user;
	bool noise;             /* the old side is asked a second time */
	const Reshape *reshape; /* NULL: both sides have one form */
	TemplateValues values;  /* for that */
	/* what is asked */
	Head head;
	Str body;
	Str line; /* "GET /path" */
	/* what came */
	Fiber *fiber;      /* NULL: not yet, or not any more */
	bool waiting;      /* it waits for the old side's answer */
	bool old_whole;    /* and here it is */
	bool old_over;     /* or it will not come */
	ShadowResult lost; /* then: why */
	ShadowAnswer old, new, again;
	Str none; /* instead of an answer of the new side: in words, where that is a difference */
	bool measured;
	bool undecoded;
	Comparison found, noise_found;
};

/* shadow_call.c: sends the request to a side and takes the whole answer; the new side's is marked as a shadow. Parks. */
Err *shadow_ask(ShadowShot *shot, const Target *target, bool is_new, ShadowAnswer *out, bool *sent)
	MUST_USE;
void shadow_take_head(Arena *a, const Head *head, ShadowAnswer *out);
/* The head of the final answer, after a bounded number of informational ones. Parks; fails with UPSTREAM "http.response", and as
 * call_receive. */
Err *shadow_await_head(Call *call, Arena *a, ShadowAnswer *out) MUST_USE;
/* Adds a piece of its body, up to a limit. */
void shadow_take_piece(ShadowAnswer *answer, Str piece, uint64_t limit);

/* shadow_reshape.c: the request in the new side's form, and that side's answer in the old one's. Nothing where the route has one
 * form. Park; fail as reshape.h says. */
void shadow_keep_values(ShadowShot *shot, const Passage *p); /* does not park */
Err *shadow_reshape_request(ShadowShot *shot, Head *head, Str *body) MUST_USE;
Err *shadow_reshape_answer(ShadowShot *shot, ShadowAnswer *answer) MUST_USE;

/* shadow_map.c: compare.map of the route, on the bodies that are JSON: what it made of them, or why not. Parks. Fails with what is
 * no answer of the filter: it was busy, or its process fell. */
typedef struct ShadowMapped {
	Str body;
	Err *err;
	bool done;
} ShadowMapped;
typedef struct ShadowMaps {
	ShadowMapped old, new, again;
} ShadowMaps;
Err *shadow_map(ShadowShot *shot, ShadowMaps *out) MUST_USE;
/* For compare_answers: gives what was made. Does not park. */
typedef struct ShadowMapPair {
	const ShadowMapped *of[2]; /* by CompareSide */
} ShadowMapPair;
CompareMapper shadow_mapper;

/* shadow_compare.c: fills found and noise_found, or says what it was instead. Parks where that takes a while. */
ShadowResult shadow_compare(ShadowShot *shot);
CompareAnswer shadow_view(const ShadowAnswer *answer);
/* Notes it where it counts. */
ShadowResult shadow_note(ShadowShot *shot, ShadowResult result);

/* SPDX-License-Identifier: Apache-2.0
 *
 * Subjects. A request takes the lock twice, for a few hundred instructions each: to be drawn, and to be noted.
 *
 * What the book says and what is done are two things for a moment, and always in the safe order: users go to the new side after
 * the book has it, and back to the old one before (`halted`).
 *
 * Of an attempt's users two sets are kept beside the judge's own: those drawn in this step, for the check of the split, and
 * those who were ever on the new side, for the cap. Both are bounded; when one is full its number is a lower bound. */
#include "shift/subject.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/units.h"
#include "gateway/upstream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOUCHED = 1, RATIO_FADES = 4096 };

typedef struct Subjects {
	pthread_mutex_t lock; /* of the list */
	List all;
} Subjects;

static Subjects subjects = { PTHREAD_MUTEX_INITIALIZER,
	                     { { &subjects.all.head, &subjects.all.head } } };

/* --- who there is ----------------------------------------------------------------------------------------------------- */

static Subject *find(Str name)
{
	for (Node *n = subjects.all.head.next; n != &subjects.all.head; n = n->next) {
		Subject *s = CONTAINER(n, Subject, node);

		if (str_eq(s->name, name))
			return s;
	}
	return NULL;
}

static Subject *make(SubjectKind kind, Str name)
{
	Arena *a = arena_new(0);
	Subject *s = ARENA_NEW(a, Subject);

	*s = (Subject){ .arena = a, .name = str_dup(a, name), .kind = kind, .old_is_up = true };
	s->state.step = -1;
	pthread_mutex_init(&s->lock, NULL);
	list_add(&subjects.all, &s->node);
	return s;
}

Subject *subject_need(SubjectKind kind, Str name)
{
	Subject *s;

	pthread_mutex_lock(&subjects.lock);
	s = find(name);
	if (!s)
		s = make(kind, name);
	pthread_mutex_unlock(&subjects.lock);
	return s;
}

Subject *subject_find(Str name)
{
	Subject *s;

	pthread_mutex_lock(&subjects.lock);
	s = find(name);
	pthread_mutex_unlock(&subjects.lock);
	return s;
}

Subject *subject_next(Subject *s)
{
	Node *next;

	pthread_mutex_lock(&subjects.lock);
	next = s ? s->node.next : subjects.all.head.next;
	pthread_mutex_unlock(&subjects.lock);
	return next == &subjects.all.head ? NULL : CONTAINER(next, Subject, node);
}

void subject_lock(Subject *s)
{
	pthread_mutex_lock(&s->lock);
}

void subject_unlock(Subject *s)
{
	pthread_mutex_unlock(&s->lock);
}

/* --- its configuration -------------------------------------------------------------------------------------------------- */

/* What was proven of one new side says nothing of another that took its name's place in the configuration. The book is left
 * alone: other gateways may have the configuration that it speaks of. */
static void compare_sides(Subject *s)
{
	Str target = str_of(s->state.target);
	bool before = s->foreign;

	s->foreign = s->kind != SUBJECT_UPSTREAM && s->new.len &&target.len &&
	             s->state.phase > SHIFT_SHADOW && !str_eq(target, s->new);
	if (s->foreign)
		(void)snprintf(
			s->blocked, sizeof s->blocked,
			"it was moved to %s, and its new side is another one here: all users "
			"are on the old side; `back`, then begin anew",
			s->state.target);
	else if (before)
		s->blocked[0] = '\0';
}

/* --- counters ----------------------------------------------------------------------------------------------------------- */

/* Which metric of the judge is which counter of the configuration, which may be another one than when the attempt began. */
static void find_counters(Subject *s)
{
	size_t count = s->conf ? s->conf->judge.counters.count : 0;

	memset(s->metrics.counters, -1, sizeof s->metrics.counters);
	for (size_t i = 0; i < MIN(count, (size_t)SUBJECT_COUNTERS); i++)
		for (unsigned k = 0; k < s->judge.count; k++) {
			const JudgeRule *rule = &s->judge.metrics[k].rule;

			if (rule->kind >= JUDGE_WITHOUT &&
			    str_eq(str_of(rule->name), s->conf->judge.counters.at[i].name))
				s->metrics.counters[i] = (int8_t)k;
		}
}

static uint64_t what_counts(const CounterConf *c)
{
	uint64_t hash = hash_stable(c->name, c->worse, 0);

	hash = hash_stable(c->header, hash, 1);
	hash = hash_stable(c->field, hash, 2);
	return hash_stable(c->equals, hash, c->has_equals);
}

/* What is known of those that are counted as before is kept. */
static void keep_ratios(Subject *s)
{
	SubjectRatio before[SUBJECT_COUNTERS];
	size_t count = s->conf ? s->conf->judge.counters.count : 0;

	memcpy(before, s->ratios, sizeof before);
	memset(s->ratios, 0, sizeof s->ratios);
	for (size_t i = 0; i < MIN(count, (size_t)SUBJECT_COUNTERS); i++) {
		s->ratios[i].what = what_counts(&s->conf->judge.counters.at[i]);
		for (size_t k = 0; k < COUNT(before); k++)
			if (before[k].what == s->ratios[i].what)
				s->ratios[i] = before[k];
	}
}

static void note_ratio(SubjectRatio *ratio, bool with)
{
	if (ratio->requests >= RATIO_FADES) {
		ratio->requests /= 2;
		ratio->with /= 2;
	}
	ratio->requests++;
	ratio->with += with;
}

bool subject_knows_counters(const Subject *s)
{
	size_t count = s->conf ? s->conf->judge.counters.count : 0;

	for (size_t i = 0; i < MIN(count, (size_t)SUBJECT_COUNTERS); i++)
		if (s->ratios[i].requests < SIGHT_ENOUGH)
			return false;
	return true;
}

bool subject_freeze_counters(const Subject *s, ShiftState *next)
{
	size_t count = s->conf ? s->conf->judge.counters.count : 0;
	bool news = false;

	for (size_t i = 0; i < MIN(count, (size_t)SUBJECT_COUNTERS); i++) {
		const CounterConf *counter = &s->conf->judge.counters.at[i];
		const SubjectRatio *ratio = &s->ratios[i];

		if (counter->worse == COUNTER_MORE || ratio->requests < SIGHT_ENOUGH ||
		    shift_state_counter(next, counter->name))
			continue;
		shift_state_freeze_counter(next, counter->name,
		                           judge_counter_kind((double)ratio->with /
		                                              ratio->requests) == JUDGE_WITH);
		news = true;
	}
	return news;
}

/* --- an attempt --------------------------------------------------------------------------------------------------------- */

typedef struct Rules {
	JudgeRule at[JUDGE_MAX];
	unsigned count;
} Rules;

static int8_t add_rule(Rules *rules, Str name, JudgeKind kind, const JudgeConf *conf,
                       int64_t threshold_us)
{
	JudgeRule *rule;
	size_t len = MIN(name.len, (size_t)JUDGE_NAME_BYTES - 1);

	if (rules->count == JUDGE_MAX)
		return -1;
	rule = &rules->at[rules->count];
	*rule = (JudgeRule){ .kind = kind, .margin = conf->margin, .threshold_us = threshold_us };
	memcpy(rule->name, name.at, len);
	return (int8_t)rules->count++;
}

static void add_metric(Subject *s, Rules *rules, JudgeOn on, const JudgeConf *conf)
{
	static const Str names[SHIFT_PERCENTILES] = { S("p50"), S("p95"), S("p99") };
	unsigned k = on - JUDGE_ON_P50;

	if (on == JUDGE_ON_ERRORS)
		s->metrics.errors = add_rule(rules, S("errors"), JUDGE_ERRORS, conf, 0);
	else if (on == JUDGE_ON_MISMATCH)
		s->metrics.mismatch = add_rule(rules, S("mismatch"), JUDGE_MISMATCH, conf, 0);
	else if (s->state.slow_us[k])
		s->metrics.slow[k] = add_rule(rules, names[k], JUDGE_LATENCY, conf,
		                              MAX(s->state.slow_us[k], conf->fast_us));
}

/* One of which it is not known whether most have it waits until it is. */
static void add_counter(const Subject *s, Rules *rules, const CounterConf *counter,
                        const JudgeConf *conf)
{
	const ShiftCounter *known = shift_state_counter(&s->state, counter->name);

	if (counter->worse == COUNTER_MORE)
		(void)add_rule(rules, counter->name, JUDGE_RISE, conf, 0);
	else if (known)
		(void)add_rule(rules, counter->name, known->rare ? JUDGE_WITH : JUDGE_WITHOUT, conf,
		               0);
}

static void begin_attempt(Subject *s)
{
	const JudgeConf *conf = &s->conf->judge;
	Rules rules = { 0 };

	memset(&s->metrics, -1, sizeof s->metrics);
	for (size_t i = 0; i < conf->metrics.count; i++)
		add_metric(s, &rules, (JudgeOn)conf->metrics.at[i], conf);
	for (size_t i = 0; i < MIN(conf->counters.count, (size_t)SUBJECT_COUNTERS); i++)
		add_counter(s, &rules, &conf->counters.at[i], conf);
	s->judge = judge_new(conf->alpha, rules.at, rules.count);
	find_counters(s);
	s->others = (Judge){ 0 };
	s->watchers = 0;
	s->wire = (Tripwire){ 0 };
	if (!s->seen.slots) {
		seen_init(&s->seen, SUBJECT_USERS);
		seen_init(&s->drawn, SUBJECT_USERS);
		s->seen.shared = true;
		seen_init(&s->touched, MAX((size_t)SUBJECT_USERS, (size_t)s->conf->cap));
	}
	seen_clear(&s->seen);
	seen_clear(&s->touched);
	s->touched_count = 0;
	s->strangers_before = s->strangers;
	s->requests_before = s->sight.requests[JUDGE_OLD] + s->sight.requests[JUDGE_NEW];
	sight_close_up(&s->sight);
}

static bool is_held_back(const Subject *s)
{
	return s->halted || s->foreign;
}

uint32_t subject_share_ppm(const Subject *s)
{
	switch ((ShiftPhase)s->state.phase) {
	case SHIFT_CANARY:
	case SHIFT_NEW:
		return is_held_back(s) ? 0 : s->state.share_ppm;
	case SHIFT_RETIRED:
		return is_held_back(s) ? 0 : PPM_WHOLE;
	case SHIFT_OLD:
	case SHIFT_SHADOW:
	case SHIFT_PHASES:
		break;
	}
	return 0;
}

static bool is_judged(const ShiftState *state)
{
	return state->phase == SHIFT_CANARY || state->phase == SHIFT_NEW;
}

/* How long it lasts is the keeper's to say: until then it does not end. */
static void begin_step(Subject *s)
{
	JudgeStep step = { .share = (double)subject_share_ppm(s) / PPM_WHOLE,
		           .since_us = s->state.since_us,
		           .hold_us = INT64_MAX / 4,
		           .requests = UINT64_MAX / 2 };

	judge_begin(&s->judge, &s->seen, step);
	seen_clear(&s->drawn);
	s->plan_due = true;
	s->say = JUDGE_WAIT;
	s->verdict[0] = s->blocked[0] = '\0';
}

static bool is_other_attempt(const ShiftState *x, const ShiftState *y)
{
	return x->attempt != y->attempt || memcmp(x->slow_us, y->slow_us, sizeof x->slow_us) != 0 ||
	       memcmp(x->counters, y->counters, sizeof x->counters) != 0;
}

static bool is_other_step(const ShiftState *x, const ShiftState *y)
{
	return x->phase != y->phase || x->step != y->step || x->share_ppm != y->share_ppm;
}

/* A step that another gateway took at the same time is no reason to send anybody there again. */
static bool goes_back_still(const Subject *s, const ShiftState *before)
{
	return s->halted && s->state.attempt == before->attempt && s->state.phase > SHIFT_SHADOW;
}

/* The judge is of the attempt and step that there are, as soon as there is something to judge by: both may have changed while
 * no configuration had the subject. */
static void follow_state(Subject *s)
{
	ShiftState judged = s->judged;
	bool other = !is_judged(&judged) || is_other_attempt(&judged, &s->state);

	if (!is_judged(&s->state) || !s->conf)
		return;
	s->judged = s->state;
	if (other)
		begin_attempt(s);
	if (other || is_other_step(&judged, &s->state))
		begin_step(s);
	s->judge.step.since_us = s->state.since_us; /* a pause moves it on */
}

void subject_configure(Subject *s, ConfHold *hold, const ShiftConf *conf, Str old, Str new)
{
	ConfHold *before = s->hold;

	s->hold = hold ? conf_hold_ref(hold) : NULL;
	s->conf = conf;
	s->old = old;
	s->new = new;
	find_counters(s);
	keep_ratios(s);
	compare_sides(s);
	follow_state(s);
	conf_hold_unref(before);
}

bool subject_apply(Subject *s, const ShiftState *state)
{
	ShiftState before = s->state;

	if (state->revision <= before.revision)
		return false;
	s->state = *state;
	__atomic_store_n(&s->phase, state->phase, __ATOMIC_RELEASE); /* the key is known by then */
	if (!goes_back_still(s, &before)) {
		s->halted = false;
		s->halted_line[0] = '\0';
	}
	if (state->shadows != before.shadows && s->differences) {
		differences_clear(s->differences);
		s->differences_changed = true;
	}
	if (state->phase != SHIFT_OLD)
		sight_close_up(&s->sight);
	follow_state(s);
	if (!is_judged(state) || !s->conf) {
		s->blocked[0] = s->verdict[0] = '\0';
		s->say = JUDGE_WAIT;
	}
	compare_sides(s);
	return true;
}

static void set_text(char *to, size_t room, Str text)
{
	size_t len = MIN(text.len, room - 1);

	if (len)
		memcpy(to, text.at, len);
	to[len] = '\0';
}

void subject_halt(Subject *s, Str line, Str who)
{
	if (s->halted)
		return;
	s->halted = true;
	set_text(s->halted_line, sizeof s->halted_line, line);
	set_text(s->halted_by, sizeof s->halted_by, who);
}

/* --- requests ------------------------------------------------------------------------------------------------------------ */

/* A cap that is reached lets nobody new in; who is in stays. */
static bool is_capped(Subject *s, uint64_t user)
{
	if (!s->conf || !s->conf->cap || s->state.phase != SHIFT_CANARY ||
	    s->touched_count < s->conf->cap)
		return false;
	return !(seen_get(&s->touched, user) & TOUCHED);
}

static void touch(Subject *s, uint64_t user)
{
	if (seen_get(&s->touched, user) & TOUCHED)
		return;
	if (seen_put(&s->touched, user, true, TOUCHED))
		s->touched_count++;
}

static SubjectDraw draw_known(Subject *s, const SplitUser *user)
{
	SubjectDraw draw = { .drawn = true, .attempt = s->state.attempt };

	draw.is_new = split_is_in(s->state.salt, user->hash, s->state.share_ppm);
	if (draw.is_new && is_capped(s, user->hash)) {
		s->capped++;
		s->judge.step.share = 0; /* from now on it is not what the split says */
		s->judge.ratio = ratio_new(0);
		return (SubjectDraw){ .attempt = s->state.attempt };
	}
	return draw;
}

SubjectDraw subject_draw(Subject *s, const SplitUser *user, bool overridden, bool told_new)
{
	SubjectDraw draw = { 0 };

	if (s->state.phase == SHIFT_RETIRED && !is_held_back(s))
		return (SubjectDraw){ .is_new = true };
	if (!is_judged(&s->state) || is_held_back(s))
		return draw;
	draw.attempt = s->state.attempt;
	if (overridden)
		draw.is_new = told_new;
	else if (user->hash)
		draw = draw_known(s, user);
	if (!user->hash)
		s->strangers++;
	s->by_address += user->hash && user->by == STICKY_ADDRESS;
	if (draw.is_new && user->hash)
		touch(s, user->hash);
	return draw;
}

/* Which metrics it says something about, and which events it is. */
static void bits_of(const Subject *s, const SubjectOutcome *o, uint32_t *measured, uint32_t *events)
{
	const SubjectMetrics *m = &s->metrics;
	bool failed = o->fate != TRIPWIRE_OK;

	*measured = *events = 0;
	if (m->errors >= 0) {
		*measured |= 1u << m->errors;
		*events |= (uint32_t)failed << m->errors;
	}
	for (size_t i = 0; i < COUNT(m->slow); i++)
		if (m->slow[i] >= 0 && !failed && o->took_us >= 0) {
			*measured |= 1u << m->slow[i];
			*events |= (uint32_t)(o->took_us >
			                      s->judge.metrics[m->slow[i]].rule.threshold_us)
			           << m->slow[i];
		}
}

void subject_note(Subject *s, const SubjectOutcome *o, int64_t now_us)
{
	uint32_t measured, events;

	sight_note(&s->sight, o->side, o->fate != TRIPWIRE_OK, o->took_us);
	if (!is_judged(&s->state) || is_held_back(s) || !s->judge.count ||
	    o->attempt != s->state.attempt || s->judged.attempt != s->state.attempt)
		return;
	bits_of(s, o, &measured, &events);
	if (o->drawn || o->side == JUDGE_OLD ||
	    o->fate == TRIPWIRE_REFUSED) /* a tester is no user */
		tripwire_note(&s->wire, o->side == JUDGE_NEW, o->fate, o->user, now_us);
	if (!o->drawn) /* told where to go, or nobody knows who it is: no part of the comparison */
		return;
	judge_note(&s->judge, &s->seen, o->side, o->user, measured, events);
	if (!(seen_get(&s->drawn, o->user) & TOUCHED) &&
	    seen_put(&s->drawn, o->user, false, TOUCHED))
		judge_note_user(&s->judge, o->side);
}

/* Which metrics it says something about, and which events it is. */
static void counter_bits(const Subject *s, const SubjectCounted *c, uint32_t *measured,
                         uint32_t *events)
{
	*measured = *events = 0;
	for (size_t i = 0; i < COUNT(s->metrics.counters); i++) {
		int8_t metric = s->metrics.counters[i];
		bool with = c->with >> i & 1;

		if (metric < 0 || !(c->measured >> i & 1))
			continue;
		*measured |= 1u << metric;
		if (with == (s->judge.metrics[metric].rule.kind != JUDGE_WITHOUT))
			*events |= 1u << metric;
	}
}

void subject_count(Subject *s, const SubjectCounted *c)
{
	uint32_t measured, events;

	if (c->conf != s->conf)
		return;
	for (size_t i = 0; c->side == JUDGE_OLD && i < COUNT(s->ratios); i++)
		if (c->measured >> i & 1)
			note_ratio(&s->ratios[i], c->with >> i & 1);
	if (!is_judged(&s->state) || is_held_back(s) || !s->judge.count || !c->drawn ||
	    c->attempt != s->state.attempt)
		return;
	counter_bits(s, c, &measured, &events);
	judge_note_more(&s->judge, &s->seen, c->side, c->user, measured, events);
}

double subject_objective(const Subject *s)
{
	return s->conf ? (double)s->conf->objective_ppm / PPM_WHOLE : 0.999;
}

void subject_turn(Subject *s, int64_t utc_us, bool news[JUDGE_SIDES])
{
	float evidence[JUDGE_MAX] = { 0 };
	Judge judge = subject_judge(s);

	if (!s->objective && s->sight.counted[JUDGE_OLD] + s->sight.counted[JUDGE_NEW]) {
		s->objective = calloc(JUDGE_SIDES, sizeof *s->objective);
		if (!s->objective)
			abort();
	}
	for (unsigned i = 0; i < JUDGE_SIDES; i++) {
		const char *before = s->alert[i];

		news[i] = false;
		if (!s->objective)
			continue;
		objective_note(&s->objective[i], utc_us, s->sight.counted[i], s->sight.broken[i]);
		s->alert[i] = objective_alert(&s->objective[i], utc_us, subject_objective(s));
		news[i] = !before != !s->alert[i];
	}
	for (unsigned i = 0; i < judge.count; i++)
		evidence[i] = (float)judge_view(&judge, i).evidence;
	sight_turn(&s->sight, utc_us, evidence, judge.count);
}

bool subject_knows_nobody(const Subject *s)
{
	enum { ENOUGH = 500 };
	uint64_t requests =
		s->sight.requests[JUDGE_OLD] + s->sight.requests[JUDGE_NEW] - s->requests_before;

	return requests >= ENOUGH && (s->strangers - s->strangers_before) * 10 > requests * 9;
}

/* How many events it takes is known before they are added up. */
Judge subject_judge(const Subject *s)
{
	Judge both = s->judge;

	for (unsigned i = 0; i < both.count; i++)
		both.metrics[i].watchers = s->watchers;
	if (s->others.count)
		(void)judge_merge(&both, &s->others); /* of other rules: left out */
	return both;
}

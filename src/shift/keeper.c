/* SPDX-License-Identifier: Apache-2.0
 *
 * The keeper: two fibers of loop 0. One looks at every subject twenty times a second, and halts what must go back; it waits for
 * nobody. The other talks with the book, which may be slow or away. Every gateway looks by itself at all the evidence there is, its own and what the others wrote into the book a
 * second ago, and any of them may act: the book takes a change only from the revision that it was decided on, so the second
 * one to come finds it done. There is no leader that could be lost.
 *
 * Going back does not wait for the book: users are on the old side at the next look, and the book is told as often as it takes. Going on does. A pause stops steps, not the way back. */
#include "shift/keeper.h"

#include "base/arena.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/time.h"
#include "base/units.h"
#include "gateway/snapshot.h"
#include "rt/loop.h"
#include "shift/drains.h"
#include "shift/plan.h"
#include "shift/shadow.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#define LOOK_US (50 * US_PER_MS)
#define SYNC_US (250 * US_PER_MS)
#define STALE_US (30 * US_PER_S) /* evidence of a gateway that has ended */

typedef struct Keeper {
	Arena *arena;
	Book *book;
	SplitKey key;
	Str gateway;
	Child looker, writer;
	pthread_mutex_t lock; /* of snap */
	Snapshot *snap;
	int64_t synced_us, shared_us, turned_us; /* loop clock */
	bool away;                               /* the book did not answer, and that was said */
} Keeper;

static Keeper keeper = { .lock = PTHREAD_MUTEX_INITIALIZER };

Book *keeper_book(void)
{
	return keeper.book;
}

const SplitKey *keeper_key(void)
{
	return &keeper.key;
}

Str keeper_gateway(void)
{
	return keeper.gateway;
}

Snapshot *keeper_snapshot(void)
{
	Snapshot *snap;

	pthread_mutex_lock(&keeper.lock);
	snap = keeper.snap ? snapshot_ref(keeper.snap) : NULL;
	pthread_mutex_unlock(&keeper.lock);
	return snap;
}

/* --- changes ------------------------------------------------------------------------------------------------------------- */

static void say_change(const Subject *s, const ShiftState *state, const ChangeBy *by)
{
	AUTO(buf_fini) Buf share = { 0 };

	units_put_share(&share, state->share_ppm);
	log_info("%.*s: %.*s by %.*s: %s %.*s: %.*s", STR_ARG(s->name), STR_ARG(by->verb),
	         STR_ARG(by->who), shift_phase_name((ShiftPhase)state->phase),
	         STR_ARG(buf_str(&share)), STR_ARG(by->why));
}

static BookEntry entry_of(const ShiftState *before, const ShiftState *next, const ChangeBy *by)
{
	return (BookEntry){
		.at_us = time_utc_us(),
		.who = by->who,
		.verb = by->verb,
		.why = by->why,
		.from = str_of(shift_phase_name((ShiftPhase)before->phase)),
		.to = str_of(shift_phase_name((ShiftPhase)next->phase)),
		.share_ppm = next->share_ppm,
		.evidence = by->evidence,
	};
}

Err *keeper_change(Subject *s, Arena *a, const ShiftState *next, const ChangeBy *by)
{
	ShiftState state = *next, before;
	BookEntry entry;
	Err *err;

	if (!keeper.book)
		return err_new(a, ERR_CONFLICT, "shift.off", "nothing is moved by this gateway");
	subject_lock(s);
	before = s->state;
	s->changing++;
	if (state.phase == SHIFT_OLD && before.phase > SHIFT_SHADOW)
		subject_halt(s, by->why);
	subject_unlock(s);
	shift_state_say(&state, by->why);
	entry = entry_of(&before, &state, by);
	err = book_change(keeper.book, a, s->name, &state, &entry);
	if (!err)
		say_change(s, &state, by);
	subject_lock(s);
	s->changing--;
	if (!err)
		subject_apply(s, &state);
	subject_unlock(s);
	return err;
}

/* --- steps --------------------------------------------------------------------------------------------------------------- */

static void plan_step(Subject *s, Arena *a, uint32_t share_ppm)
{
	ShiftStepPlan *plan = ARENA_NEW(a, ShiftStepPlan);

	keeper_plan(s, a, share_ppm, plan);
	subject_lock(s);
	if (share_ppm == s->state.share_ppm) {
		s->judge.step.hold_us = plan->hold_us;
		s->judge.step.requests = plan->requests;
		s->plan_due = false;
	}
	subject_unlock(s);
}

/* The first step with more users than now, whatever the configuration's were when this one began; the last is `new`, with
 * the hold-back. */
static ShiftState next_step(const ShiftState *state, const ShiftConf *conf, int64_t now_us)
{
	ShiftState next = *state;
	uint32_t whole = PPM_WHOLE - conf->holdback_ppm;

	next.step = 0;
	while ((size_t)next.step < conf->steps.count &&
	       conf->steps.at[next.step] <= state->share_ppm)
		next.step++;
	next.since_us = now_us;
	next.share_ppm =
		(size_t)next.step < conf->steps.count ? conf->steps.at[next.step] : PPM_WHOLE;
	if (next.share_ppm >= whole) {
		next.phase = SHIFT_NEW;
		next.share_ppm = whole;
		next.step = (int32_t)conf->steps.count - 1;
	}
	return next;
}

/* --- verdicts ------------------------------------------------------------------------------------------------------------ */

typedef struct Look {
	Subject *s;
	Arena *arena;
	int64_t now_us; /* UTC */
	ShiftState state;
	Judge judge;
	Tripwire wire;
	bool judged, plan_due, halted, old_is_up, manual;
	JudgeVerdict verdict;
} Look;

static void set_text(char to[SHIFT_LINE_BYTES], Str text)
{
	size_t len = MIN(text.len, (size_t)SHIFT_LINE_BYTES - 1);

	if (len)
		memcpy(to, text.at, len);
	to[len] = '\0';
}

static void block(const Look *look, Str text)
{
	subject_lock(look->s);
	if (!str_eq(str_of(look->s->blocked), text)) {
		set_text(look->s->blocked, text);
		if (text.len)
			log_warn("%.*s: %.*s", STR_ARG(look->s->name), STR_ARG(text));
	}
	subject_unlock(look->s);
}

static Err *change_by_judge(const Look *look, const ShiftState *next, Str verb, Str why)
{
	AUTO(buf_fini) Buf text = { 0 };
	JsonWriter w = json_writer(&text);
	ChangeBy by = { .who = str_fmt(look->arena, "judge@%.*s", STR_ARG(keeper.gateway)),
		        .verb = verb,
		        .why = why };

	keeper_put_evidence(&w, &look->judge, why);
	by.evidence = str_dup(look->arena, buf_str(&text));
	TRY(keeper_change(look->s, look->arena, next, &by));
	subject_lock(look->s);
	look->s->backs += next->phase == SHIFT_OLD;
	subject_unlock(look->s);
	return NULL;
}

static Err *go_back(const Look *look, Str why)
{
	ShiftState next = look->state;

	shift_state_ask(&next, (Str){ 0 }, (Str){ 0 }, 0);
	next.phase = SHIFT_OLD;
	next.share_ppm = 0;
	next.step = -1;
	next.paused = false;
	next.since_us = look->now_us;
	return change_by_judge(look, &next, S("back"), why);
}

static Err *go_on(const Look *look)
{
	ShiftState next = next_step(&look->state, look->s->conf, look->now_us);

	if (look->manual) {
		block(look, str_fmt(look->arena,
		                    "the step is passed: banyan shift %.*s to %g%% begins the next",
		                    STR_ARG(look->s->name), next.share_ppm / 1e4));
		return NULL;
	}
	return change_by_judge(look, &next, S("step"), look->verdict.line);
}

static Str measured(Arena *a, const ShiftState *s, const ShiftState *before)
{
	AUTO(buf_fini) Buf b = { 0 };

	buf_put(&b, S("the old side's"));
	if (s->slow_us[0] != before->slow_us[0])
		buf_fmt(&b, " times: p50 %.1f ms, p95 %.1f ms, p99 %.1f ms",
		        (double)s->slow_us[0] / 1e3, (double)s->slow_us[1] / 1e3,
		        (double)s->slow_us[2] / 1e3);
	for (size_t i = 0; i < COUNT(s->counters); i++)
		if (s->counters[i].name[0] && !before->counters[i].name[0])
			buf_fmt(&b, "%s %s: %s answers have it", b.len > 14 ? ";" : "",
			        s->counters[i].name, s->counters[i].rare ? "few" : "most");
	return str_dup(a, buf_str(&b));
}

/* What it is to be compared by was not known when it began. */
static Err *freeze(const Look *look)
{
	ShiftState next = look->state;
	bool wanted = false, times, counters;

	subject_lock(look->s);
	for (size_t i = 0; look->s->conf && i < look->s->conf->judge.metrics.count; i++) {
		uint8_t on = look->s->conf->judge.metrics.at[i];

		wanted = wanted || (on >= JUDGE_ON_P50 && on <= JUDGE_ON_P99);
	}
	times = wanted && !next.slow_us[0] && sight_slow(&look->s->sight, next.slow_us);
	counters = subject_freeze_counters(look->s, &next);
	subject_unlock(look->s);
	if (!times && !counters)
		return NULL;
	return change_by_judge(look, &next, S("measure"),
	                       measured(look->arena, &next, &look->state));
}

/* What the configuration forbids now; the empty view: nothing. */
static Str frozen(const Look *look)
{
	int64_t until_us = shift_freeze_end(&keeper.snap->conf->shift, look->now_us);
	AUTO(buf_fini) Buf b = { 0 };

	if (!until_us)
		return (Str){ 0 };
	buf_put(&b, S("no step begins before "));
	time_put_rfc3339(&b, until_us);
	buf_put(&b, S(" (freeze)"));
	return str_dup(look->arena, buf_str(&b));
}

static Str capped(const Look *look)
{
	bool full;
	uint32_t cap;

	subject_lock(look->s);
	cap = look->s->conf ? look->s->conf->cap : 0;
	full = cap && look->s->touched_count >= cap;
	subject_unlock(look->s);
	return full ? str_fmt(look->arena,
	                      "the cap of %u users is reached: no step begins before it is raised",
	                      cap)
	            : (Str){ 0 };
}

static Err *pass_step(const Look *look)
{
	Str held = frozen(look);

	if (!held.len)
		held = capped(look);
	if (!held.len)
		return go_on(look);
	block(look, held);
	return NULL;
}

#define NOBODY \
	"nine of ten requests are of nobody known, so the old side serves them: do clients send cookies back, and are answers " \
	"public? `sticky` may name a header"

static bool knows_nobody(Subject *s)
{
	bool nobody;

	subject_lock(s);
	nobody = subject_knows_nobody(s);
	subject_unlock(s);
	return nobody;
}

/* What is to be done at once, without the book: everybody back. */
static void judge_now(Look *look)
{
	Str why = { 0 };
	TripwireSay trip = tripwire_look(&look->wire, look->now_us, look->arena, &why);
	JudgeVerdict verdict = judge_look(&look->judge, look->now_us, look->arena);
	bool back = trip == TRIPWIRE_TRIPPED || verdict.say == JUDGE_BACK;

	if (trip == TRIPWIRE_QUIET || (verdict.say == JUDGE_BACK && trip != TRIPWIRE_TRIPPED))
		why = verdict.line;
	subject_lock(look->s);
	if (look->s->state.revision != look->state.revision) { /* it is another question now */
		subject_unlock(look->s);
		return;
	}
	look->s->say = back ? JUDGE_BACK : trip == TRIPWIRE_BOTH_FAIL ? JUDGE_WAIT : verdict.say;
	set_text(look->s->verdict, why);
	if (back && look->old_is_up)
		subject_halt(look->s, why);
	subject_unlock(look->s);
	if (back && !look->old_is_up)
		block(look, str_fmt(look->arena,
		                    "it should go back (%.*s), but the old side has no server "
		                    "that is up: start one",
		                    STR_ARG(why)));
	else if (trip == TRIPWIRE_BOTH_FAIL)
		block(look, why);
	else if (verdict.say == JUDGE_WAIT || look->state.phase == SHIFT_NEW)
		block(look, knows_nobody(look->s) ? S(NOBODY) : (Str){ 0 });
}

/* False: there is nothing to look at. */
static bool look_at(Subject *s, Look *look)
{
	subject_lock(s);
	look->s = s;
	look->state = s->state;
	look->halted = s->halted;
	look->judged = s->conf && !s->foreign &&
	               (s->state.phase == SHIFT_CANARY || s->state.phase == SHIFT_NEW ||
	                (s->state.phase == SHIFT_RETIRED && s->halted));
	if (look->judged) {
		look->judge = subject_judge(s);
		look->wire = s->wire;
		look->plan_due = s->plan_due;
		look->old_is_up = s->old_is_up;
		look->manual = s->conf->manual;
	}
	subject_unlock(s);
	return look->judged;
}

static void look_once(Subject *s, Arena *a)
{
	Look *look = ARENA_NEW(a, Look);

	*look = (Look){ .arena = a, .now_us = time_utc_us() };
	if (!look_at(s, look) || look->halted)
		return;
	if (look->plan_due)
		plan_step(s, a, look->state.share_ppm);
	judge_now(look);
}

/* What the book must know of it, or agree to first. */
static Err *settle(Subject *s, Arena *a)
{
	Look *look = ARENA_NEW(a, Look);
	Str why;
	bool on, busy;

	*look = (Look){ .arena = a, .now_us = time_utc_us() };
	if (!look_at(s, look))
		return NULL;
	subject_lock(s);
	why = str_dup(a, str_of(look->halted ? s->halted_line : s->verdict));
	on = s->say == JUDGE_ON && !s->plan_due;
	busy = s->changing > 0;
	subject_unlock(s);
	if (busy) /* a person's words are the journal's, not the judge's beside them */
		return NULL;
	if (look->halted)
		return go_back(look, why);
	TRY(freeze(look));
	if (!on || look->state.phase != SHIFT_CANARY || look->state.paused ||
	    look->state.revision != s->state.revision)
		return NULL;
	look->verdict.line = why;
	return pass_step(look);
}

/* --- the book ------------------------------------------------------------------------------------------------------------ */

Err *keeper_listen(Arena *a)
{
	BookState *states;
	size_t count;

	TRY(book_states(keeper.book, a, &states, &count));
	for (size_t i = 0; i < count; i++) {
		Subject *s = subject_find(states[i].subject);

		if (!s)
			continue;
		subject_lock(s);
		subject_apply(s, &states[i].state);
		subject_unlock(s);
	}
	return NULL;
}

static Err *publish(Subject *s, Arena *a)
{
	AUTO(buf_fini) Buf text = { 0 };
	JsonWriter w = json_writer(&text);
	BookSeen seen = { .gateway = keeper.gateway, .at_us = time_utc_us() };
	uint32_t attempt;

	subject_lock(s);
	json_begin_object(&w);
	json_key(&w, S("judge"));
	judge_put(&w, &s->judge);
	json_key(&w, S("seen"));
	seen_write(&w, &s->seen);
	json_end(&w);
	seen.step = s->state.step;
	attempt = s->state.attempt;
	subject_unlock(s);
	TRY(json_done(&w, &seen.evidence));
	return book_see(keeper.book, a, s->name, attempt, &seen);
}

static Err *take_up(Subject *s, Arena *a, const Json *json, const Judge *judge)
{
	Err *err = NULL;

	subject_lock(s);
	if (judge_merge(&s->judge, judge))
		err = seen_read(a, json_get(json, S("seen")), &s->seen);
	subject_unlock(s);
	return err;
}

/* Evidence is of the attempt, but counts of users and requests are of a step: those of another say nothing of this one. */
static void forget_other_step(const Subject *s, const BookSeen *seen, Judge *judge)
{
	if (seen->step == s->state.step && fabs(judge->step.share - s->judge.step.share) < 1e-9)
		return;
	for (unsigned i = 0; i < judge->count; i++)
		memset(judge->metrics[i].in_step, 0, sizeof judge->metrics[i].in_step);
	memset(judge->requests, 0, sizeof judge->requests);
	memset(judge->uncounted, 0, sizeof judge->uncounted);
	judge->ratio = ratio_new(s->judge.step.share);
	judge->full = false;
}

/* Others', summed up; and at the start one's own of before. */
static Err *collect(Subject *s, Arena *a, bool own)
{
	Judge sum = { 0 };
	BookSeen *seen;
	size_t count;
	uint32_t gateways = 0;

	TRY(book_seen(keeper.book, a, s->name, s->state.attempt, &seen, &count));
	for (size_t i = 0; i < count; i++) {
		bool is_own = str_eq(seen[i].gateway, keeper.gateway);
		const Json *json;
		Judge judge;

		if (is_own != own || (!own && time_utc_us() - seen[i].at_us > STALE_US &&
		                      seen[i].step != s->state.step))
			continue;
		if (json_read(a, seen[i].evidence, 0, &json) ||
		    judge_read(a, json_get(json, S("judge")), &judge))
			continue; /* of a release that this one cannot read */
		forget_other_step(s, &seen[i], &judge);
		if (!own) /* users of both would count twice */
			judge.ratio = ratio_new(judge.ratio.expected);
		if (own) {
			TRY(take_up(s, a, json, &judge));
		} else if (!gateways++)
			sum = judge;
		else
			(void)judge_merge(&sum, &judge);
	}
	if (own)
		return NULL;
	subject_lock(s);
	s->others = sum;
	s->others_count = gateways;
	subject_unlock(s);
	return NULL;
}

static Err *share_evidence(Arena *a)
{
	Subject *s = NULL;

	while ((s = subject_next(s))) {
		bool judged;

		subject_lock(s);
		judged = s->conf && s->judge.count &&
		         (s->state.phase == SHIFT_CANARY || s->state.phase == SHIFT_NEW);
		subject_unlock(s);
		if (!judged)
			continue;
		TRY(publish(s, a));
		TRY(collect(s, a, false));
	}
	return NULL;
}

/* --- the fiber ----------------------------------------------------------------------------------------------------------- */

/* Said once when it goes away, once when it is back. */
static void say_book(const Err *err)
{
	if (err && !keeper.away)
		log_err(err,
		        "the book of moves does not answer: all stays where it is, but for going back");
	if (!err && keeper.away)
		log_info("the book of moves answers again");
	keeper.away = err != NULL;
}

static Err *listen_to_book(Arena *a, int64_t now_us)
{
	Err *err;

	if (now_us - keeper.synced_us < SYNC_US)
		return NULL;
	keeper.synced_us = now_us;
	err = keeper_listen(a);
	if (!err && now_us - keeper.shared_us >= US_PER_S) {
		keeper.shared_us = now_us;
		err = share_evidence(a);
		err = err ? err : shadow_share(a);
	}
	if (err && err->kind == ERR_CANCELLED)
		return err;
	say_book(err);
	return NULL;
}

static bool has_server_up(const Snapshot *snap, Str upstream)
{
	for (size_t i = 0; i < snap->conf->upstreams.count; i++) {
		if (str_eq(snap->targets[i].conf->name, upstream))
			return upstream_is_up(snap->targets[i].up);
	}
	return true;
}

static void say_alert(const Subject *s, unsigned side)
{
	const char *name = side == JUDGE_NEW ? "new" : "old";

	if (s->alert[side])
		log_warn(
			"%.*s: the %s side burns its budget of errors: %.1f times as fast as %g %% allows "
			"in the last hour",
			STR_ARG(s->name), name,
			objective_burn(&s->objective[side], time_utc_us(), 60,
		                       subject_objective(s)),
			subject_objective(s) * 100);
	else
		log_info("%.*s: the %s side keeps its objective again", STR_ARG(s->name), name);
}

static void turn_seconds(int64_t now_us)
{
	Subject *s = NULL;

	if (now_us - keeper.turned_us < US_PER_S)
		return;
	keeper.turned_us = now_us;
	while ((s = subject_next(s))) {
		bool news[JUDGE_SIDES];

		subject_lock(s);
		subject_turn(s, time_utc_us(), news);
		s->old_is_up = !s->old.len || has_server_up(keeper.snap, s->old);
		for (unsigned i = 0; i < JUDGE_SIDES; i++)
			if (news[i])
				say_alert(s, i);
		subject_unlock(s);
	}
}

/* Looks, and halts. Waits for nobody. */
static Err *look_for_ever(void *arg)
{
	AUTO(arena_freep) Arena *a = arena_new(0);

	(void)arg;
	for (;;) {
		Subject *s = NULL;

		while ((s = subject_next(s))) {
			look_once(s, a);
			arena_clear(a);
		}
		drains_enforce(keeper.snap);
		turn_seconds(loop_now_us());
		TRY(fiber_sleep(LOOK_US));
	}
}

static Err *settle_all(Arena *a)
{
	Subject *s = NULL;

	while ((s = subject_next(s))) {
		Err *err = settle(s, a);

		if (err && err->kind == ERR_CANCELLED)
			return err;
		if (err && !err_is(err, "shift.changed"))
			say_book(err);
		arena_clear(a);
	}
	return NULL;
}

/* Talks with the book, however long that takes. */
static Err *write_for_ever(void *arg)
{
	AUTO(arena_freep) Arena *a = arena_new(0);

	(void)arg;
	for (;;) {
		Err *err;

		TRY(listen_to_book(a, loop_now_us()));
		arena_clear(a);
		TRY(settle_all(a));
		err = book_wait(keeper.book, a, LOOK_US);
		if (err && err->kind == ERR_CANCELLED)
			return err;
		if (err)
			TRY(fiber_sleep(LOOK_US));
		arena_clear(a);
	}
}

/* --- begin and end ------------------------------------------------------------------------------------------------------- */

static bool is_wanted(const GatewayConf *conf)
{
	bool wanted = conf->has_shift;

	for (size_t i = 0; i < conf->routes.count; i++)
		wanted = wanted || conf->routes.at[i].new_upstream;
	return wanted && !conf->passthrough;
}

static Err *open_book(Arena *a, const GatewayConf *conf)
{
	Str url = conf->shift.store;
	char host[104] = "gateway";

	if (!url.len)
		url = str_fmt(a, "sqlite:%.*s.shift.db", STR_ARG(conf->file));
	(void)gethostname(host, sizeof host - 1);
	keeper.arena = arena_new(0);
	keeper.gateway =
		str_dup(keeper.arena, conf->shift.gateway.len ? conf->shift.gateway : str_of(host));
	TRY(book_open(a, url, &keeper.book));
	return book_key(keeper.book, a, S("cookie"), keeper.key.of);
}

static void keep_snapshot(Snapshot *snap)
{
	Snapshot *before;

	snapshot_ref(snap);
	pthread_mutex_lock(&keeper.lock);
	before = keeper.snap;
	keeper.snap = snap;
	pthread_mutex_unlock(&keeper.lock);
	snapshot_unref(before);
}

static Err *take_up_evidence(Arena *a)
{
	Subject *s = NULL;

	while ((s = subject_next(s)))
		if (s->conf && s->judge.count &&
		    (s->state.phase == SHIFT_CANARY || s->state.phase == SHIFT_NEW))
			TRY(collect(s, a, true));
	return NULL;
}

static Err *begin_first(Arena *a, Snapshot *snap)
{
	TRY(open_book(a, snap->conf));
	keep_snapshot(snap);
	TRY(keeper_listen(a));
	TRY(shadow_share(a));
	TRY(take_up_evidence(a));
	TRY(child_start(&keeper.looker, look_for_ever, NULL, "shift looker"));
	return child_start(&keeper.writer, write_for_ever, NULL, "shift writer");
}

Err *keeper_begin(Arena *a, Snapshot *snap)
{
	Err *err;

	if (keeper.book) { /* one that is away is no reason not to take a configuration */
		keep_snapshot(snap);
		say_book(keeper_listen(a));
		return NULL;
	}
	if (!is_wanted(snap->conf))
		return NULL;
	err = begin_first(a, snap);
	if (err)
		keeper_end(); /* so that the next configuration begins anew */
	return err;
}

void keeper_end(void)
{
	Snapshot *snap = keeper.snap;

	child_end(&keeper.looker);
	child_end(&keeper.writer);
	book_close(TAKE(keeper.book));
	pthread_mutex_lock(&keeper.lock);
	keeper.snap = NULL;
	pthread_mutex_unlock(&keeper.lock);
	snapshot_unref(snap);
	if (keeper.arena)
		arena_free(TAKE(keeper.arena));
}

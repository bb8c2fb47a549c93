/* SPDX-License-Identifier: Apache-2.0
 *
 * The verbs. Each is a function from what a subject is to what it shall be, with the sentence that says so; a dry run stops
 * there. All of them refuse what would surprise, and say what to do instead; `force` is for those who know better, and stands
 * in the journal. */
#include "shift/verbs.h"

#include "base/arena.h"
#include "base/rand.h"
#include "base/time.h"
#include "base/units.h"
#include "gateway/snapshot.h"
#include "shift/drains.h"
#include "shift/dual.h"
#include "shift/shadow.h"

#include <string.h>

enum { TRIES = 4 };

typedef struct Turn {
	Arena *arena;
	const VerbAsk *ask;
	Subject *s;
	ShiftState now, next;
	const ShiftConf *conf;
	ConfHold *hold; /* of conf and the names */
	Str old, new;   /* upstreams */
	Str verdict;
	JudgeSay say;
	bool foreign; /* subject.h */
	bool same;    /* nothing is to be changed */
	Str about;    /* what of the subject it is done to, for the journal; empty: all of it */
	Snapshot *snap;
	Str said;
} Turn;

typedef Err *Verb(Turn *t);

static double percent(uint32_t ppm)
{
	return ppm / 1e4;
}

static Err *not_from(const Turn *t, const char *instead)
{
	return err_new(t->arena, ERR_CONFLICT, "shift.phase", "%.*s is in phase %s%s: %s",
	               STR_ARG(t->s->name), shift_phase_name((ShiftPhase)t->now.phase),
	               t->now.paused ? " (paused)" : "", instead);
}

static Err *refuse(const Turn *t, Str text)
{
	if (t->ask->force)
		return NULL;
	return err_new(t->arena, ERR_PRECONDITION, "shift.refused",
	               "%.*s; --force does it all the same", STR_ARG(text));
}

/* --- upstreams ----------------------------------------------------------------------------------------------------------- */

static bool upstream_of(const Turn *t, Str name, bool *up)
{
	const Upstream *upstream = drains_upstream(t->snap, name);

	if (upstream)
		*up = upstream_is_up(upstream);
	return upstream;
}

static Str new_side(const Turn *t)
{
	return t->s->kind == SUBJECT_UPSTREAM ? str_of(t->next.target) : t->new;
}

/* Of an upstream that is swapped the other is said with the verb. */
static Err *need_new_side(Turn *t)
{
	Str target = t->ask->target;
	bool up;

	if (t->s->kind == SUBJECT_UPSTREAM && target.len) {
		if (target.len >= sizeof t->next.target || str_eq(target, t->old))
			return err_new(t->arena, ERR_INVALID, "shift.target",
			               "--to: name another upstream than %.*s", STR_ARG(t->old));
		memset(t->next.target, 0, sizeof t->next.target);
		memcpy(t->next.target, target.at, target.len);
	}
	if (t->s->kind != SUBJECT_UPSTREAM && t->new.len < sizeof t->next.target) {
		memset(t->next.target, 0, sizeof t->next.target);
		memcpy(t->next.target, t->new.at, t->new.len);
	}
	if (!new_side(t).len)
		return err_new(t->arena, ERR_INVALID, "shift.target",
		               "say which upstream takes over: --to NAME");
	if (!upstream_of(t, new_side(t), &up))
		return err_new(t->arena, ERR_INVALID, "shift.target",
		               "there is no upstream %.*s in the configuration",
		               STR_ARG(new_side(t)));
	return up ? NULL
	          : refuse(t, str_fmt(t->arena, "no server of %.*s is up", STR_ARG(new_side(t))));
}

/* --- onward -------------------------------------------------------------------------------------------------------------- */

static Err *verb_shadow(Turn *t)
{
	if (t->now.phase != SHIFT_OLD)
		return not_from(t, "shadowing begins on the old side; `back` goes there");
	if (t->s->kind == SUBJECT_UPSTREAM)
		return err_new(t->arena, ERR_INVALID, "shift.verb",
		               "an upstream is not shadowed: its routes are");
	if (t->conf->shadow.effects == EFFECTS_UNKNOWN)
		return err_new(
			t->arena, ERR_PRECONDITION, "shift.effects",
			"nobody has declared that requests of %.*s may be sent twice: where they "
			"change nothing, say `shift: { shadow: { effects: none } }`",
			STR_ARG(t->s->name));
	TRY(need_new_side(t));
	t->next.phase = SHIFT_SHADOW;
	t->next.shadows++;
	t->next.since_us = time_utc_us();
	t->said =
		str_fmt(t->arena, "%g %% of its requests go to %.*s too, and answers are compared",
	                percent(t->conf->shadow.sample_ppm), STR_ARG(new_side(t)));
	return NULL;
}

static int32_t step_of(const ShiftConf *conf, uint32_t share_ppm)
{
	int32_t step = 0;

	for (size_t i = 0; i < conf->steps.count; i++)
		if (conf->steps.at[i] <= share_ppm)
			step = (int32_t)i;
	return step;
}

/* Users are drawn anew: the same do not suffer twice. */
static void begin_attempt(Turn *t)
{
	t->next.attempt++;
	t->next.salt = rand_u64() >> 1;
	memset(t->next.slow_us, 0, sizeof t->next.slow_us);
	memset(t->next.counters, 0, sizeof t->next.counters);
	subject_lock(t->s);
	(void)sight_slow(&t->s->sight, t->next.slow_us);
	(void)subject_freeze_counters(t->s, &t->next);
	subject_unlock(t->s);
}

static void set_share(Turn *t, uint32_t share_ppm)
{
	uint32_t whole = PPM_WHOLE - t->conf->holdback_ppm;
	Str kept = { 0 };

	t->next.phase = share_ppm >= whole ? SHIFT_NEW : SHIFT_CANARY;
	t->next.share_ppm = MIN(share_ppm, whole);
	t->next.step = step_of(t->conf, share_ppm);
	t->next.since_us = time_utc_us();
	t->next.paused = false;
	if (t->next.phase == SHIFT_NEW)
		kept = str_fmt(t->arena, ", %g %% stay to compare with until `retire`",
		               percent(t->conf->holdback_ppm));
	t->said = str_fmt(t->arena, "%g %% of users go to %.*s%.*s", percent(t->next.share_ppm),
	                  STR_ARG(new_side(t)), STR_ARG(kept));
}

static Err *check_differences(const Turn *t, uint64_t *compared)
{
	AUTO(differences_freep) Differences *found = NULL;
	DifferencesTotals totals;
	uint32_t left;

	TRY(shadow_differences(t->s, t->arena, &found));
	totals = differences_totals(found);
	*compared = totals.compared;
	left = totals.open + totals.mismatch;
	if (!left)
		return NULL;
	return refuse(
		t,
		str_fmt(t->arena,
	                "%u difference%s between the sides %s not settled: look at `banyan shift "
	                "%.*s explain`, then ignore or `accept` what is meant",
	                left, left == 1 ? "" : "s", left == 1 ? "is" : "are", STR_ARG(t->s->name)));
}

static DualBacklog backlog_of(const Turn *t)
{
	DualBacklog backlog;

	subject_lock(t->s);
	backlog = dual_backlog(t->s);
	subject_unlock(t->s);
	return backlog;
}

/* Users who come to the new side would miss what it lacks. */
static Err *check_writes(const Turn *t)
{
	DualBacklog backlog = backlog_of(t);

	backlog.to_old = 0;
	if (!dual_is_late(&backlog))
		return NULL;
	return refuse(t,
	              str_fmt(t->arena,
	                      "%.*s: wait until they have, or look at `banyan shift %.*s "
	                      "writes`",
	                      STR_ARG(dual_backlog_text(t->arena, &backlog, t->old, new_side(t))),
	                      STR_ARG(t->s->name)));
}

static Err *verb_canary(Turn *t)
{
	uint64_t compared;

	if (t->now.phase > SHIFT_SHADOW)
		return not_from(t, "`to PERCENT` changes the share, `back` goes back");
	if (t->ask->has_share && !t->ask->share_ppm)
		return err_new(t->arena, ERR_INVALID, "shift.verb", "0 is no share of users");
	TRY(need_new_side(t));
	TRY(check_differences(t, &compared));
	TRY(check_writes(t));
	begin_attempt(t);
	set_share(t, t->ask->has_share ? t->ask->share_ppm : t->conf->steps.at[0]);
	if (t->now.phase == SHIFT_SHADOW && !compared)
		t->said = str_fmt(t->arena, "%.*s; no answers had been compared", STR_ARG(t->said));
	return NULL;
}

static Err *verb_to(Turn *t)
{
	if (!t->ask->has_share)
		return err_new(t->arena, ERR_INVALID, "shift.verb", "to what? `to 25%%`");
	if (!t->ask->share_ppm)
		return err_new(t->arena, ERR_INVALID, "shift.verb", "to 0 is `back`");
	if (t->now.phase <= SHIFT_SHADOW)
		return verb_canary(t);
	if (t->now.phase == SHIFT_RETIRED)
		return not_from(t, "`back` goes to the old side, if it is still there");
	if (t->foreign)
		return not_from(t, "its new side is another one now: `back` first");
	if (t->ask->share_ppm > t->now.share_ppm)
		TRY(check_writes(t));
	set_share(t, t->ask->share_ppm);
	return NULL;
}

static Err *verb_pause(Turn *t)
{
	if (t->now.phase != SHIFT_CANARY || t->now.paused)
		return not_from(t, "there is no step to pause");
	t->next.paused = true;
	t->next.paused_us = time_utc_us();
	t->said = S("no further step begins; it still goes back when it must");
	return NULL;
}

static Err *verb_resume(Turn *t)
{
	int64_t now_us = time_utc_us();

	if (!t->now.paused)
		return not_from(t, "it is not paused");
	t->next.paused = false;
	t->next.since_us = MIN(now_us, t->now.since_us + MAX(0, now_us - t->now.paused_us));
	t->said = S("steps go on where they were");
	return NULL;
}

static Err *verb_retire(Turn *t)
{
	if (t->now.phase != SHIFT_NEW)
		return not_from(t, "only what is on the new side can be retired");
	if (t->say != JUDGE_ON)
		TRY(refuse(t, str_fmt(t->arena, "the judge has not said yet that it is good: %.*s",
		                      STR_ARG(t->verdict))));
	TRY(check_writes(t));
	t->next.phase = SHIFT_RETIRED;
	t->next.share_ppm = PPM_WHOLE;
	t->next.since_us = time_utc_us();
	t->said = str_fmt(t->arena, "all users go to %.*s; nothing is compared any more",
	                  STR_ARG(new_side(t)));
	return NULL;
}

/* --- back ---------------------------------------------------------------------------------------------------------------- */

/* The way back waits for nothing; what the old side lacks comes to it before later writes to the same thing do. */
static void say_late(Turn *t)
{
	DualBacklog backlog = backlog_of(t);

	backlog.to_new = 0;
	if (backlog.to_old)
		t->said = str_fmt(t->arena,
		                  "%.*s; %.*s: until then writes of those keys wait (banyan "
		                  "shift %.*s writes)",
		                  STR_ARG(t->said),
		                  STR_ARG(dual_backlog_text(t->arena, &backlog, t->old, t->new)),
		                  STR_ARG(t->s->name));
}

/* In shadow no user is on the new side, and so there is nothing to prove. */
static Err *verb_back(Turn *t)
{
	bool up = true;

	if (t->now.phase == SHIFT_OLD)
		return not_from(t, "all users are on the old side");
	if (t->now.phase > SHIFT_SHADOW && upstream_of(t, t->old, &up) && !up)
		TRY(refuse(t, str_fmt(t->arena, "no server of %.*s is up: start one",
		                      STR_ARG(t->old))));
	shift_state_ask(&t->next, (Str){ 0 }, (Str){ 0 }, 0);
	t->next.phase = SHIFT_OLD;
	t->next.share_ppm = 0;
	t->next.step = -1;
	t->next.paused = false;
	t->next.since_us = time_utc_us();
	t->said =
		str_fmt(t->arena, "all users go to %.*s; requests in flight finish where they are",
	                STR_ARG(t->old));
	say_late(t);
	return NULL;
}

static Err *verb_drill(Turn *t)
{
	if (t->now.phase != SHIFT_CANARY && t->now.phase != SHIFT_NEW)
		return not_from(t, "a drill goes back from the new side");
	return verb_back(t);
}

/* --- differences ----------------------------------------------------------------------------------------------------------- */

static Err *need_difference(Turn *t, CompareKind *kind)
{
	if (!t->ask->path.len || !compare_kind_of(t->ask->kind, kind))
		return err_new(t->arena, ERR_INVALID, "shift.verb",
		               "%.*s what? `%.*s PATH KIND`, as `explain` lists them: .price value",
		               STR_ARG(t->ask->verb), STR_ARG(t->ask->verb));
	t->about = str_fmt(t->arena, "%.*s (%.*s)", STR_ARG(t->ask->path), STR_ARG(t->ask->kind));
	return NULL;
}

static Err *verb_accept(Turn *t)
{
	CompareKind kind;

	TRY(need_difference(t, &kind));
	t->said = str_fmt(t->arena, "%.*s is no mismatch any more", STR_ARG(t->about));
	if (t->ask->dry_run)
		return NULL;
	return shadow_accept(t->s, t->arena, t->ask->path, kind, t->ask->who);
}

static Err *verb_writes(Turn *t)
{
	DualRepair repair = { .subject = t->s->name,
		              .action = t->ask->action,
		              .id = t->ask->id,
		              .dry_run = t->ask->dry_run };

	TRY(dual_repair(t->arena, &repair, &t->said));
	t->about = t->said;
	return NULL;
}

static Err *verb_unaccept(Turn *t)
{
	CompareKind kind;

	TRY(need_difference(t, &kind));
	if (!shadow_is_accepted(t->s, t->ask->path, kind))
		return err_new(t->arena, ERR_NOT_FOUND, "shift.difference",
		               "%.*s is not accepted: `explain` lists what is", STR_ARG(t->about));
	t->said = str_fmt(t->arena, "%.*s is a mismatch again, from now on", STR_ARG(t->about));
	if (t->ask->dry_run)
		return NULL;
	return shadow_unaccept(t->s, t->arena, t->ask->path, kind);
}

/* --- servers --------------------------------------------------------------------------------------------------------------- */

static Err *need_server(const Turn *t, DrainsLeft *left)
{
	Upstream *up = drains_upstream(t->snap, t->old);

	*left = (DrainsLeft){ 0 };
	if (t->s->kind != SUBJECT_UPSTREAM)
		return err_new(t->arena, ERR_INVALID, "shift.verb",
		               "a server is of an upstream: banyan shift upstream NAME %.*s SERVER",
		               STR_ARG(t->ask->verb));
	if (!t->ask->server.len)
		return err_new(t->arena, ERR_INVALID, "shift.verb",
		               "which server? `servers` lists those of %.*s", STR_ARG(t->old));
	if (up)
		*left = drains_left(up, &t->now, t->ask->server);
	return NULL;
}

static Err *unknown_server(const Turn *t)
{
	return err_new(t->arena, ERR_NOT_FOUND, "shift.server",
	               "%.*s has no server %.*s: `servers` lists them", STR_ARG(t->old),
	               STR_ARG(t->ask->server));
}

/* Who asks for what is so already is told that, and the journal nothing: a script may be run again. */
static Err *stays(Turn *t, Str said)
{
	t->said = said;
	t->same = true;
	return NULL;
}

static Err *verb_drain(Turn *t)
{
	Str server = t->ask->server;
	DrainsLeft left;

	TRY(need_server(t, &left));
	t->about = server;
	if (!left.known)
		return unknown_server(t);
	if (shift_state_is_drained(&t->now, server))
		return stays(t, str_fmt(t->arena, "%.*s is drained already", STR_ARG(server)));
	if (!left.others)
		TRY(refuse(t, str_fmt(t->arena,
		                      "no other server of %.*s is up, and its requests would be "
		                      "answered 503",
		                      STR_ARG(t->old))));
	if (!shift_state_drain(&t->next, server))
		return err_new(t->arena, ERR_CONFLICT, "shift.server",
		               "too many servers of %.*s are drained to remember one more",
		               STR_ARG(t->old));
	t->said = str_fmt(t->arena, "%.*s takes no new requests; those it has finish",
	                  STR_ARG(server));
	return NULL;
}

static Err *verb_undrain(Turn *t)
{
	DrainsLeft left;

	TRY(need_server(t, &left));
	t->about = t->ask->server;
	if (!left.known && !shift_state_is_drained(&t->now, t->ask->server))
		return unknown_server(t);
	if (!shift_state_undrain(&t->next, t->ask->server))
		return stays(t, str_fmt(t->arena, "%.*s is not drained", STR_ARG(t->ask->server)));
	t->said = str_fmt(t->arena, "%.*s takes requests again%s", STR_ARG(t->ask->server),
	                  left.known ? "" : ", once a configuration has it");
	return NULL;
}

/* --- two people ---------------------------------------------------------------------------------------------------------- */

static Err *verb_approve(Turn *t)
{
	static const struct {
		const char *name;
		Verb *verb;
	} asked[] = { { "shadow", verb_shadow },
		      { "canary", verb_canary },
		      { "to", verb_to },
		      { "retire", verb_retire } };
	VerbAsk *ask = ARENA_NEW(t->arena, VerbAsk);

	if (!t->now.asked_verb[0])
		return not_from(t, "nobody has asked for anything that takes a second person");
	if (str_eq(str_of(t->now.asked_by), t->ask->who))
		return err_new(t->arena, ERR_DENIED, "shift.second",
		               "%s asked for it: the second person is another one",
		               t->now.asked_by);
	*ask = *t->ask;
	ask->has_share = t->now.asked_ppm > 0;
	ask->share_ppm = t->now.asked_ppm;
	t->ask = ask;
	shift_state_ask(&t->next, (Str){ 0 }, (Str){ 0 }, 0);
	for (size_t i = 0; i < COUNT(asked); i++)
		if (strcmp(asked[i].name, t->now.asked_verb) == 0)
			TRY(asked[i].verb(t));
	t->said = str_fmt(t->arena, "asked for by %s, approved by %.*s: %.*s", t->now.asked_by,
	                  STR_ARG(ask->who), STR_ARG(t->said));
	return NULL;
}

/* --- the table ----------------------------------------------------------------------------------------------------------- */

static const VerbRow rows[] = {
	{ "shadow", ADMIN_OPERATE, "requests go to the new side too, and answers are compared",
	  .onward = true },
	{ "canary", ADMIN_OPERATE, "the first share of users goes to the new side",
	  .onward = true },
	{ "to", ADMIN_OPERATE, "this share of users goes to the new side", .onward = true },
	{ "pause", ADMIN_OPERATE, "no further step begins; it still goes back when it must" },
	{ "resume", ADMIN_OPERATE, "steps go on" },
	{ "back", ADMIN_OPERATE, "all users go to the old side, at once" },
	{ "drill", ADMIN_OPERATE, "the same on purpose, to know that it works" },
	{ "accept", ADMIN_OPERATE, "a difference between the sides is meant" },
	{ "writes", ADMIN_OPERATE,
	  "a write that one side lacks is tried again, dropped or skipped" },
	{ "unaccept", ADMIN_OPERATE, "it is not, after all" },
	{ "drain", ADMIN_OPERATE, "a server of an upstream takes no new requests" },
	{ "undrain", ADMIN_OPERATE, "and takes them again" },
	{ "retire", ADMIN_APPROVE, "the old side is asked nothing any more", .onward = true },
	{ "approve", ADMIN_APPROVE, "what another person asked for is done" },
};

static Verb *const verbs[] = { verb_shadow, verb_canary,  verb_to,     verb_pause,  verb_resume,
	                       verb_back,   verb_drill,   verb_accept, verb_writes, verb_unaccept,
	                       verb_drain,  verb_undrain, verb_retire, verb_approve };
_Static_assert(COUNT(rows) == COUNT(verbs), "a verb without its function");

const VerbRow *shift_verbs(size_t *count)
{
	*count = COUNT(rows);
	return rows;
}

static Err *find_verb(Arena *a, Str name, size_t *verb)
{
	Str all = { 0 };

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (str_eq(name, str_of(rows[i].name))) {
			*verb = i;
			return NULL;
		}
		all = str_fmt(a, "%.*s%s%s", STR_ARG(all), all.len ? ", " : "", rows[i].name);
	}
	return err_new(
		a, ERR_INVALID, "shift.verb",
		"\"%.*s\" is no verb: %.*s; and to look: status, plan, explain, history, writes, servers",
		STR_ARG(name), STR_ARG(all));
}

/* What is known of it at this moment; its configuration is held. False: there is no such one in it. */
static bool look_at(Turn *t)
{
	Subject *s = t->s = subject_find(t->ask->subject);

	if (!s)
		return false;
	subject_lock(s);
	t->conf = s->conf;
	t->hold = s->hold ? conf_hold_ref(s->hold) : NULL;
	t->old = s->old;
	t->new = s->new;
	t->now = t->next = s->state;
	t->say = s->say;
	t->foreign = s->foreign;
	t->verdict = str_dup(t->arena, str_of(s->verdict));
	subject_unlock(s);
	t->snap = keeper_snapshot();
	return t->conf && t->snap;
}

static void turn_end(Turn *t)
{
	conf_hold_unref(t->hold);
	snapshot_unref(t->snap);
}

/* It goes on with what was asked for, perhaps long ago. */
static bool is_approval(size_t verb)
{
	return verbs[verb] == verb_approve;
}

/* Writes may be left of what the configuration does not have any more. */
static bool is_repair(const Turn *t, size_t verb)
{
	return t->s && t->snap && verbs[verb] == verb_writes && backlog_of(t).on;
}

/* What of the way onward is not for this one now: the next state is then that a second person is waited for. */
static Err *check_onward(Turn *t, size_t verb)
{
	const ShiftAllConf *all = &t->snap->conf->shift;
	int64_t until_us = shift_freeze_end(all, time_utc_us());
	AUTO(buf_fini) Buf end = { 0 };

	if (!rows[verb].onward && !is_approval(verb))
		return NULL;
	time_put_rfc3339(&end, until_us);
	if (until_us)
		TRY(refuse(t, str_fmt(t->arena, "nothing goes on before %.*s (freeze)",
		                      STR_ARG(buf_str(&end)))));
	if (all->approvals < 2 || is_approval(verb))
		return NULL;
	t->next = t->now;
	shift_state_ask(&t->next, t->ask->verb, t->ask->who,
	                t->ask->has_share ? t->ask->share_ppm : 0);
	t->said =
		str_fmt(t->arena, "a second person is waited for: banyan shift %.*s approve (%.*s)",
	                STR_ARG(t->s->name), STR_ARG(t->said));
	return NULL;
}

/* A person's words need not say to what it was done. */
static Str reason_of(const Turn *t)
{
	if (!t->ask->why.len)
		return t->said;
	if (!t->about.len)
		return t->ask->why;
	return str_fmt(t->arena, "%.*s: %.*s", STR_ARG(t->about), STR_ARG(t->ask->why));
}

static Err *try_verb(Arena *a, const VerbAsk *ask, VerbAnswer *out)
{
	AUTO(turn_end) Turn t = { .arena = a, .ask = ask };
	ChangeBy by;
	size_t verb;
	Err *err;

	TRY(find_verb(a, ask->verb, &verb));
	if (!look_at(&t) && !is_repair(&t, verb))
		return err_new(
			a, ERR_NOT_FOUND, "shift.unknown",
			"nothing is called %.*s here: `banyan shift` lists what can be moved",
			STR_ARG(ask->subject));
	if (ask->expect && ask->expect != t.now.revision)
		return err_new(a, ERR_CONFLICT, "shift.changed",
		               "%.*s was changed by somebody else meanwhile: look again",
		               STR_ARG(ask->subject));
	err = verbs[verb](&t);
	if (err)
		return keeper_explain(a, err, t.s);
	TRY(check_onward(&t, verb));
	*out = (VerbAnswer){ t.said, t.s };
	if (ask->dry_run || t.same)
		return NULL;
	by = (ChangeBy){ .who = ask->who, .verb = ask->verb, .why = reason_of(&t) };
	TRY(keeper_change(t.s, a, &t.next, &by));
	drains_enforce(t.snap);
	return NULL;
}

/* Who did not say which state was looked at means whatever it is: the judge may have written something a moment ago. */
Err *shift_verb(Arena *a, const VerbAsk *ask, VerbAnswer *out)
{
	Err *err = try_verb(a, ask, out);

	for (unsigned i = 0; i < TRIES && err_is(err, "shift.changed") && !ask->expect; i++) {
		TRY(keeper_listen(a));
		err = try_verb(a, ask, out);
	}
	return err;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The keeper: fibers of loop 0. One looks at every subject twenty times a second, and halts what must go back; it waits for
 * nobody. Another talks with the book, which may be slow or away; a third keeps the copy. Every gateway looks by itself at all the evidence there is,
 * its own and what the others wrote into the book a second ago, and any of them may act: the book takes a change only from the
 * revision that it was decided on, so the second one to come finds it done. There is no leader that could be lost.
 *
 * What is known is never taken back: a book on a server that is away at the start is replaced by the copy of what this gateway
 * went by (keeper_known.c), and a book that says less than is known, for it was restored from a backup or emptied, is told
 * again. Of two states the higher revision counts; only a way back that came later than what is known counts more. */
#include "shift/keeper_int.h"

#include "base/arena.h"
#include "base/log.h"
#include "base/map.h"
#include "base/time.h"
#include "base/units.h"
#include "gateway/snapshot.h"
#include "rt/loop.h"
#include "shift/drains.h"
#include "shift/shadow.h"

#include <string.h>
#include <unistd.h>

#define LOOK_US (50 * US_PER_MS)
#define SYNC_US (250 * US_PER_MS)
#define FIRST_US (3 * US_PER_S) /* a server that does not answer holds up the start so long */
#define FILE_US (60 * US_PER_S)
#define LAST_US (2 * US_PER_S)

typedef struct Keeper {
	Arena *arena;
	Book *book;
	const SplitKey *key; /* atomic; in the arena, as all before it; NULL: not known yet */
	Child looker, writer, copier;
	pthread_mutex_t lock; /* of what follows, to the empty line */
	Str gateway, run;
	Snapshot *snap;
	Str store, copy, named; /* as the configuration said them when it began */

	int64_t synced_us, shared_us, turned_us; /* loop clock */
	bool ready;      /* atomic: the book has answered since it was opened */
	int64_t away_us; /* atomic, UTC: since when it does not; 0: it does */
} Keeper;

static Err unmet = ERR_STATIC(BUSY, "shift.away", "it has not answered since this gateway started");

static Keeper keeper = { .lock = PTHREAD_MUTEX_INITIALIZER };

Book *keeper_book(void)
{
	return keeper.book;
}

const SplitKey *keeper_key(void)
{
	return __atomic_load_n(&keeper.key, __ATOMIC_ACQUIRE);
}

static Str locked(const Str *name)
{
	Str copy;

	pthread_mutex_lock(&keeper.lock);
	copy = *name;
	pthread_mutex_unlock(&keeper.lock);
	return copy;
}

Str keeper_gateway(void)
{
	return locked(&keeper.gateway);
}

Str keeper_run(void)
{
	return locked(&keeper.run);
}

Snapshot *keeper_snapshot(void)
{
	Snapshot *snap;

	pthread_mutex_lock(&keeper.lock);
	snap = keeper.snap ? snapshot_ref(keeper.snap) : NULL;
	pthread_mutex_unlock(&keeper.lock);
	return snap;
}

const ShiftAllConf *keeper_conf(void)
{
	return keeper.snap ? &keeper.snap->conf->shift : NULL;
}

/* --- is it there? -------------------------------------------------------------------------------------------------------- */

static bool is_ready(void)
{
	return __atomic_load_n(&keeper.ready, __ATOMIC_ACQUIRE);
}

int64_t keeper_away_us(void)
{
	return __atomic_load_n(&keeper.away_us, __ATOMIC_RELAXED);
}

/* No mistake of anybody, and not for ever. */
static bool is_away(const Err *err)
{
	switch ((unsigned)err->kind) {
	case ERR_BUSY:
	case ERR_TIMEOUT:
	case ERR_UPSTREAM:
	case ERR_CLOSED:
	case ERR_IO:
	case ERR_DENIED:
		return true;
	default:
		return false;
	}
}

static void put_time(Buf *b, const char *before, int64_t at_us)
{
	buf_put(b, str_of(before));
	time_put_rfc3339(b, at_us);
}

Str keeper_away_line(Arena *a)
{
	AUTO(buf_fini) Buf b = { 0 };
	int64_t away_us = keeper_away_us(), copy_us = keeper_known_at_us();

	if (!away_us)
		return (Str){ 0 };
	put_time(&b, "the book of moves is away since ", away_us);
	if (is_ready())
		buf_put(&b, S(": all stays where it is, but for going back"));
	else if (copy_us)
		put_time(&b, ": going by the copy of ", copy_us);
	else
		buf_put(&b, S(", and there is no copy of it: all requests go to the old sides, and "
		              "nothing can be moved"));
	return str_dup(a, buf_str(&b));
}

void keeper_say_book(const Err *err)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	bool before = keeper_away_us() != 0;

	if (err && err->kind == ERR_CANCELLED)
		return;
	if (!err != before) /* nothing new */
		return;
	__atomic_store_n(&keeper.away_us, err ? time_utc_us() : 0, __ATOMIC_RELAXED);
	if (err)
		log_err(err, "%.*s", STR_ARG(keeper_away_line(a)));
	else
		log_info("the book of moves answers again");
}

/* --- the key ------------------------------------------------------------------------------------------------------------- */

static void set_key(const SplitKey *key)
{
	SplitKey *copy;

	if (keeper.key && memcmp(keeper.key, key, sizeof *key) == 0)
		return;
	copy = ARENA_NEW(keeper.arena, SplitKey);
	*copy = *key;
	__atomic_store_n(&keeper.key, copy, __ATOMIC_RELEASE);
}

/* Loop 0 only. */
static Err *share_key(Arena *a, BookKeyHow how)
{
	SplitKey key = { 0 };

	if (keeper.key)
		key = *keeper.key;
	else
		how = BOOK_KEY_READ;
	TRY(book_key(keeper.book, a, S("cookie"), how, key.of));
	set_key(&key);
	return NULL;
}

/* Loop 0 only. Where a key is known, what the book has is looked at after it is clear that it has lost nothing. */
static Err *get_ready(Arena *a)
{
	if (is_ready())
		return NULL;
	TRY(book_ready(keeper.book, a));
	if (!keeper.key)
		TRY(share_key(a, BOOK_KEY_READ));
	__atomic_store_n(&keeper.ready, true, __ATOMIC_RELEASE);
	keeper_known_met();
	return NULL;
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

static bool is_of_book(const Err *err)
{
	static const Str prefixes[] = { S("db."), S("redis."), S("rt."), S("shift.redis") };
	bool is = err == &unmet;

	for (size_t i = 0; i < COUNT(prefixes); i++)
		is = is || str_starts(str_of(err->slug), prefixes[i]);
	return is;
}

/* It may have been done all the same. */
static bool is_unsure(const Err *err)
{
	static const char *const slugs[] = { "db.unknown", "redis.closed", "redis.timeout",
		                             "rt.deadline" };
	bool is = false;

	for (size_t i = 0; i < COUNT(slugs); i++)
		is = is || err_is(err, slugs[i]);
	return is;
}

/* What came of it, for who asked. */
static Err *explain(Arena *a, Err *err, const Subject *s, bool halted)
{
	if (!is_of_book(err) || !is_away(err))
		return err;
	if (!halted && is_unsure(err))
		return err_because(
			a, err, err->kind, "shift.away",
			"whether %.*s was changed is not known: the book of moves did not answer; "
			"look again when it does",
			STR_ARG(s->name));
	if (halted)
		return err_because(
			a, err, err->kind, "shift.away",
			"all users of %.*s are on the old side now; the book of moves, which does "
			"not answer, is told as soon as it does",
			STR_ARG(s->name));
	return err_because(
		a, err, err->kind, "shift.away",
		"%.*s stays as it was, for the book of moves does not answer: try "
		"again when it does%s",
		STR_ARG(s->name),
		is_ready() || keeper_known_at_us()
			? ""
			: "; there is no copy of it, so all requests go to the old side");
}

static Err *write_change(Subject *s, Arena *a, ShiftState *state, const BookEntry *entry)
{
	if (is_ready())
		return book_change(keeper.book, a, s->name, state, entry);
	return &unmet;
}

Err *keeper_explain(Arena *a, Err *err, const Subject *s)
{
	return explain(a, err, s, false);
}

Err *keeper_change(Subject *s, Arena *a, const ShiftState *next, const ChangeBy *by)
{
	ShiftState state = *next, before;
	bool halted;
	BookEntry entry;
	Err *err;

	if (!keeper.book)
		return err_new(a, ERR_CONFLICT, "shift.off", "nothing is moved by this gateway");
	subject_lock(s);
	before = s->state;
	s->changing++;
	halted = state.phase == SHIFT_OLD && before.phase > SHIFT_SHADOW;
	if (halted)
		subject_halt(s, by->why, by->who);
	subject_unlock(s);
	shift_state_say(&state, by->why);
	entry = entry_of(&before, &state, by);
	err = write_change(s, a, &state, &entry);
	if (!err)
		say_change(s, &state, by);
	subject_lock(s);
	s->changing--;
	if (!err)
		subject_apply(s, &state);
	subject_unlock(s);
	return err ? explain(a, err, s, halted) : NULL;
}

/* --- the book ------------------------------------------------------------------------------------------------------------ */

static bool came_back_later(const ShiftState *there, const ShiftState *known)
{
	return there->phase == SHIFT_OLD && known->phase > SHIFT_SHADOW &&
	       there->since_us > known->since_us;
}

static void say_put_back(const Subject *s, const ShiftState *state, Str why)
{
	log_warn("%.*s: %.*s: revision %" PRId64 ", %s", STR_ARG(s->name), STR_ARG(why),
	         state->revision, shift_phase_name((ShiftPhase)state->phase));
}

/* The book says less than is known. Nobody changes sides for that. */
static Err *put_back(Subject *s, Arena *a, const ShiftState *there, const ShiftState *known)
{
	ChangeBy by = { .who = str_fmt(a, "keeper@%.*s", STR_ARG(keeper_gateway())),
		        .verb = S("restore") };
	ShiftState next = *known;
	BookEntry entry;
	Err *err;

	if (came_back_later(there, known)) {
		next = *there;
		next.revision = known->revision + 1;
	}
	by.why = str_fmt(a,
	                 "the book had revision %" PRId64 " where this gateway knows %" PRId64
	                 ": it was restored from a backup, or emptied, and got back what was known",
	                 there->revision, known->revision);
	entry = entry_of(there, &next, &by);
	err = book_put_back(keeper.book, a, s->name, there->revision, &next, &entry);
	if (err_is(err, "shift.changed")) /* another one was faster, or it was no loss at all */
		return NULL;
	TRY(err);
	say_put_back(s, &next, by.why);
	subject_lock(s);
	(void)subject_apply(s, &next);
	s->differences_changed = s->differences != NULL;
	subject_unlock(s);
	keeper_share_anew(s);
	return keeper.key ? book_key(keeper.book, a, S("cookie"), BOOK_KEY_INSIST,
	                             ((SplitKey){ { keeper.key->of[0], keeper.key->of[1] } }).of)
	                  : NULL;
}

static Err *hear(Subject *s, Arena *a, const BookState *row)
{
	ShiftState there = { .step = -1 }, known;
	bool behind;

	if (row)
		there = row->state;
	subject_lock(s);
	known = s->state;
	behind = known.revision > there.revision && !s->changing;
	(void)subject_apply(s, &there);
	subject_unlock(s);
	return behind ? put_back(s, a, &there, &known) : NULL;
}

Err *keeper_listen(Arena *a)
{
	AUTO(map_fini) Map rows = { 0 };
	BookState *states;
	Subject *s = NULL;
	size_t count;

	if (!is_ready())
		return &unmet;
	TRY(book_states(keeper.book, a, &states, &count));
	for (size_t i = 0; i < count; i++)
		map_put(&rows, states[i].subject, &states[i]);
	while ((s = subject_next(s)))
		TRY(hear(s, a, map_get(&rows, s->name)));
	return NULL;
}

static Err *share_all(Arena *a)
{
	TRY(share_key(a, BOOK_KEY_KNOWN));
	TRY(keeper_share(a));
	return shadow_share(a);
}

static Err *listen_to_book(Arena *a, int64_t now_us)
{
	Err *err;

	if (now_us - keeper.synced_us < SYNC_US)
		return NULL;
	keeper.synced_us = now_us;
	err = get_ready(a);
	err = err ? err : keeper_listen(a);
	if (!err && now_us - keeper.shared_us >= US_PER_S) {
		keeper.shared_us = now_us;
		err = share_all(a);
	}
	if (err && err->kind == ERR_CANCELLED)
		return err;
	keeper_say_book(err);
	return NULL;
}

/* --- the fibers ---------------------------------------------------------------------------------------------------------- */

static bool has_server_up(const Snapshot *snap, Str upstream)
{
	const Upstream *up = snap ? drains_upstream(snap, upstream) : NULL;

	return !up || upstream_is_up(up);
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
			keeper_look(s, a);
			arena_clear(a);
		}
		if (keeper.snap)
			drains_enforce(keeper.snap);
		turn_seconds(loop_now_us());
		TRY(fiber_sleep(LOOK_US));
	}
}

static Err *settle_all(Arena *a)
{
	Subject *s = NULL;

	while (is_ready() && (s = subject_next(s))) {
		Err *err = keeper_settle(s, a);

		if (err && err->kind == ERR_CANCELLED)
			return err;
		if (err && !err_is(err, "shift.changed"))
			keeper_say_book(err);
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
		err = is_ready() ? book_wait(keeper.book, a, LOOK_US) : fiber_sleep(LOOK_US);
		if (err && err->kind == ERR_CANCELLED)
			return err;
		if (err)
			TRY(fiber_sleep(LOOK_US));
		arena_clear(a);
	}
}

/* Beside the others, so that a way back is on the disk while the book lets everybody wait. */
static Err *copy_for_ever(void *arg)
{
	AUTO(arena_freep) Arena *a = arena_new(0);

	(void)arg;
	for (;;) {
		keeper_known_keep(a, keeper.key);
		arena_clear(a);
		TRY(fiber_sleep(LOOK_US));
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

/* Names that a refused configuration gave stay where somebody may be reading them. A run is younger than another of the same
 * gateway when its name comes behind that one's. */
static void keep_names(Str name)
{
	Str run;

	if (!keeper.arena)
		keeper.arena = arena_new(0);
	name = str_dup(keeper.arena, name);
	run = str_fmt(keeper.arena, "%.*s#%013" PRIx64 "-%x", STR_ARG(name), time_utc_us(),
	              (unsigned)getpid());
	pthread_mutex_lock(&keeper.lock);
	keeper.gateway = name;
	keeper.run = run;
	pthread_mutex_unlock(&keeper.lock);
}

static void keep_words(const ShiftAllConf *conf)
{
	pthread_mutex_lock(&keeper.lock);
	keeper.store = str_dup(keeper.arena, conf->store);
	keeper.copy = str_dup(keeper.arena, conf->copy);
	keeper.named = str_dup(keeper.arena, conf->gateway);
	pthread_mutex_unlock(&keeper.lock);
}

size_t keeper_waiting(const GatewayConf *conf, Str out[])
{
	const ShiftAllConf *now = &conf->shift;
	size_t count = 0;

	pthread_mutex_lock(&keeper.lock);
	if (keeper.snap && !str_eq(now->store, keeper.store))
		out[count++] = S("shift.store");
	if (keeper.snap && !str_eq(now->copy, keeper.copy))
		out[count++] = S("shift.copy");
	if (keeper.snap && !str_eq(now->gateway, keeper.named))
		out[count++] = S("shift.gateway");
	pthread_mutex_unlock(&keeper.lock);
	return count;
}

static Err *open_book(Arena *a, const GatewayConf *conf)
{
	Str url = conf->shift.store, path = conf->shift.copy;
	char host[104] = "gateway";

	if (!url.len)
		url = str_fmt(a, "sqlite:%.*s.shift.db", STR_ARG(conf->file));
	if (!path.len)
		path = str_fmt(a, "%.*s.shift.copy", STR_ARG(conf->file));
	(void)gethostname(host, sizeof host - 1);
	keep_names(conf->shift.gateway.len ? conf->shift.gateway : str_of(host));
	keep_words(&conf->shift);
	TRY(book_open(a, url, &keeper.book));
	keeper_known_begin(book_is_far(keeper.book) ? path : S(""), url);
	return NULL;
}

/* A book that was asked for the first time. */
static Err *meet(Arena *a)
{
	AUTO(deadline_end) Deadline limit =
		deadline_begin(book_is_far(keeper.book) ? FIRST_US : FILE_US);

	TRY(get_ready(a));
	TRY(keeper_listen(a));
	return shadow_share(a);
}

static Err *begin_first(Arena *a, const GatewayConf *conf)
{
	SplitKey key;
	Err *err;

	TRY(open_book(a, conf));
	if (keeper_known_load(a, &key))
		set_key(&key);
	err = meet(a);
	if (err && !(book_is_far(keeper.book) && is_away(err)))
		return err;
	keeper_say_book(err);
	TRY(child_start(&keeper.looker, look_for_ever, NULL, "shift looker"));
	TRY(child_start(&keeper.copier, copy_for_ever, NULL, "shift copier"));
	return child_start(&keeper.writer, write_for_ever, NULL, "shift writer");
}

static void end_fibers(void)
{
	child_end(&keeper.looker);
	child_end(&keeper.writer);
	child_end(&keeper.copier);
}

static void close_all(void)
{
	end_fibers();
	book_close(TAKE(keeper.book));
	keeper_known_end();
	__atomic_store_n(&keeper.ready, false, __ATOMIC_RELAXED);
	__atomic_store_n(&keeper.away_us, 0, __ATOMIC_RELAXED);
}

Err *keeper_begin(Arena *a, Snapshot *snap)
{
	Err *err;

	if (keeper.book && keeper.snap) { /* one that is away is no reason not to take it */
		keeper_say_book(keeper_listen(a));
		return NULL;
	}
	close_all(); /* what a configuration that never came into force asked for */
	if (!is_wanted(snap->conf))
		return NULL;
	err = begin_first(a, snap->conf);
	if (err)
		close_all(); /* so that the next configuration begins anew */
	return err;
}

void keeper_take(Snapshot *snap)
{
	Snapshot *before;

	if (!keeper.book)
		return;
	snapshot_ref(snap);
	pthread_mutex_lock(&keeper.lock);
	before = keeper.snap;
	keeper.snap = snap;
	pthread_mutex_unlock(&keeper.lock);
	snapshot_unref(before);
}

/* The last word goes to the book, and into the copy: it may be away when the next run begins. */
static void say_last(void)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(shield_end) Shield shield = shield_begin(LAST_US);

	if (is_ready() && !keeper_away_us())
		keeper_share_last(a);
	keeper_known_keep(a, keeper.key);
}

void keeper_end(void)
{
	Snapshot *snap = keeper.snap;

	end_fibers();
	if (snap && keeper.book)
		say_last();
	close_all();
	pthread_mutex_lock(&keeper.lock);
	keeper.snap = NULL;
	keeper.gateway = keeper.run = (Str){ 0 };
	pthread_mutex_unlock(&keeper.lock);
	snapshot_unref(snap);
	__atomic_store_n(&keeper.key, NULL, __ATOMIC_RELEASE);
	if (keeper.arena)
		arena_free(TAKE(keeper.arena));
}

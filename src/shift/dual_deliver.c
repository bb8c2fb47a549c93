/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes on their way to the other side. One fiber of loop 0 claims what is due, a few at a time and the first of each key only; each has
 * a fiber of its own, which asks, and writes down what came of it. Then the next of its key is due. So a side that is slow holds
 * up keys and not the route, and a key has one write on its way, whichever gateway has claimed it.
 *
 * What is `unknown` is asked again of the side that was asked first, under the same Idempotency-Key: the route has declared that it
 * may be. Others of its key wait for that, so it has so many tries, whatever they fail for.
 *
 * The other side, where it takes no connection, is tried for ever, as that says nothing of the write; so is a route or upstream that this
 * gateway's configuration does not have. What fails otherwise has so many tries, then a person looks. */
#include "shift/dual_int.h"

#include "base/arena.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/units.h"
#include "shift/hooks.h"
#include "shift/keeper.h"
#include "store/background.h"

#define POLL_US (250 * US_PER_MS) /* hints may be lost, and SQLite has none between processes */
#define SETTLE_US (500 * US_PER_MS)

enum {
	AT_ONCE = 128,
	AT_ONCE_EACH = 16
}; /* in all; of one subject: one that hangs leaves room for the others */

static struct {
	Background background;
	List on;
	unsigned running;
	bool unsure;    /* rows may have been claimed that nobody here knows of */
	Fiber *fiber;   /* of the one that claims, while it waits */
	DbWatch *watch; /* its */
} deliveries;

typedef enum DeliveryThen {
	THEN_END,
	THEN_DIFFERS,
	THEN_AGAIN,
	THEN_DIES,
	THEN_ASKED, /* the first side has, and it is due now */
} DeliveryThen;

typedef struct Delivery {
	Node node;
	Arena *arena;
	Fiber *fiber;
	Subject *subject;
	Snapshot *snap;
	const RouteConf *route; /* NULL: this gateway does not have it */
	const RouteState *state;
	WriteRow row;
	ShadowAnswer answer;
	DeliveryThen then;
	Str reason, said, kept;
} Delivery;

/* --- what came of it -------------------------------------------------------------------------------------------------------- */

static bool is_unknown(const Delivery *d)
{
	return str_eq(d->row.state, S("unknown"));
}

static void again(Delivery *d, bool counts, Str said)
{
	WriteRow *row = &d->row;
	bool over;

	row->tries++;
	row->fails += counts;
	over = counts && d->route && row->fails >= d->route->writes.attempts;
	d->said = said;
	d->then = over ? THEN_DIES : THEN_AGAIN;
	d->reason = is_unknown(d) ? S("unknown") : S("given_up");
}

/* The first side has said at last what it did. */
static void repeated(Delivery *d)
{
	AUTO(buf_fini) Buf kept = { 0 };
	unsigned status = d->answer.status;
	DualFate fate = dual_fate_of(status);

	if (fate == DUAL_UNKNOWN ||
	    (fate == DUAL_REFUSED && dual_step_of(status) != DUAL_DIES && status != 500)) {
		again(d, true, str_fmt(d->arena, "the first side answered %u", status));
		return;
	}
	dual_count(d->subject, DUAL_COUNT_REPEATED);
	d->then = fate == DUAL_REFUSED ? THEN_END : THEN_ASKED;
	if (d->then == THEN_ASKED && d->route->writes.compare == WRITES_COMPARE_ANSWER)
		dual_put_answer(&kept, &d->answer);
	d->kept = str_dup(d->arena, buf_str(&kept));
}

static void delivered(Delivery *d)
{
	const ShiftBinding *binding = d->state->shift;
	DualPair pair = { .arena = d->arena,
		          .snap = d->snap,
		          .rules = binding->shadow,
		          .conf = &d->route->writes,
		          .subject = d->subject,
		          .row = &d->row,
		          .second = d->answer };
	bool alike = true;

	d->answer.body = (Buf){ 0 };
	dual_count(d->subject, DUAL_COUNT_DELIVERED);
	pair.first.status = (uint16_t)d->row.status;
	if (!d->row.answer.len || dual_read_answer(d->arena, d->row.answer, &pair.first))
		alike = dual_is_alike(&pair, &d->said);
	buf_fini(&pair.first.body);
	buf_fini(&pair.second.body);
	if (d->row.status)
		dual_count(d->subject, alike ? DUAL_COUNT_SAME : DUAL_COUNT_DIFFERS);
	d->then = alike ? THEN_END : THEN_DIFFERS;
}

static void answered(Delivery *d)
{
	DualStep step = dual_step_of(d->answer.status);
	Str said = str_fmt(d->arena, "it answered %u", d->answer.status);

	if (is_unknown(d)) {
		repeated(d);
	} else if (step == DUAL_DONE) {
		delivered(d);
	} else if (step == DUAL_DIES) {
		again(d, false, said);
		d->then = THEN_DIES;
		d->reason = S("refused");
	} else {
		again(d, true, said);
	}
}

static void say(const Delivery *d)
{
	const WriteRow *row = &d->row;

	if (d->then == THEN_DIES)
		log_warn("%.*s: write %" PRId64 " waits for a person (%.*s), the %.*s side lacks "
		         "it: %.*s: banyan shift %.*s writes",
		         STR_ARG(row->subject), row->seq, STR_ARG(d->reason), STR_ARG(row->target),
		         STR_ARG(d->said), STR_ARG(row->subject));
	if (d->then == THEN_DIES)
		dual_count(d->subject, DUAL_COUNT_DEAD);
	if (d->then == THEN_AGAIN)
		dual_count(d->subject, DUAL_COUNT_RETRIED);
}

static Err *write_down(const Delivery *d)
{
	const WriteRow *row = &d->row;
	Str said = dual_text(d->arena, d->said, DUAL_SAID_MAX);

	switch (d->then) {
	case THEN_END:
		return dual_book_end(d->arena, row);
	case THEN_DIFFERS:
		return dual_book_differs(d->arena, row, said);
	case THEN_AGAIN:
		return dual_book_again(d->arena, row, dual_pause_us(row->tries, rand_u64()), said);
	case THEN_DIES:
		return dual_book_dies(d->arena, row, d->reason, said);
	case THEN_ASKED:
		return dual_book_asked(d->arena, row, d->answer.status, d->kept);
	}
	return NULL;
}

/* As often as that takes: nobody else has the row while we live. */
static void settle(const Delivery *d)
{
	Err *err;

	say(d);
	do
		err = write_down(d);
	while (err && err->kind != ERR_CANCELLED && !fiber_sleep(SETTLE_US));
}

/* --- one of them ------------------------------------------------------------------------------------------------------------ */

/* The old side may be another upstream by now (blue and green). */
static const Target *old_target(const Delivery *d)
{
	Subject *swap = ((const ShiftBinding *)d->state->shift)->upstream;
	const Target *found = d->state->target;

	if (!swap)
		return found;
	subject_lock(swap);
	for (size_t i = 0; i < d->snap->conf->upstreams.count; i++)
		if (!swap->halted &&
		    (swap->state.phase == SHIFT_NEW || swap->state.phase == SHIFT_RETIRED) &&
		    str_eq(d->snap->targets[i].conf->name, str_of(swap->state.target)))
			found = &d->snap->targets[i];
	subject_unlock(swap);
	return found;
}

static Err *ask_side(Delivery *d, bool *reached)
{
	bool to_new = str_eq(d->row.target, S("new")) != is_unknown(d);
	const RouteConf *conf = d->route;
	DualSend send = { .arena = d->arena,
		          .target = to_new ? d->state->new_target : old_target(d),
		          .times = to_new ? &conf->new_timeouts : &conf->timeouts,
		          .row = &d->row,
		          .timeout_us = conf->writes.timeout_us,
		          .body_bytes = conf->shift.shadow.body_bytes,
		          .second = !is_unknown(d) };

	return dual_send(&send, &d->answer, reached);
}

static void deliver(Delivery *d)
{
	bool reached = false;
	Err *err = d->route ? ask_side(d, &reached)
	                    : err_new(d->arena, ERR_NOT_FOUND, "writes.route",
	                              "this gateway has no route %.*s with two sides",
	                              STR_ARG(d->row.route));

	if (err && err->kind == ERR_CANCELLED)
		return;
	if (err)
		again(d, reached || is_unknown(d), err_chain(d->arena, err));
	else
		answered(d);
	settle(d);
}

/* --- claiming --------------------------------------------------------------------------------------------------------------- */

static void copy_row(Arena *a, const WriteRow *from, WriteRow *to)
{
	Str *const texts[] = { &to->subject, &to->route,          &to->write_key, &to->state,
		               &to->target,  &to->method,         &to->path,      &to->authority,
		               &to->fields,  &to->body,           &to->answer,    &to->reason,
		               &to->said,    &to->idempotency_key };

	*to = *from;
	for (size_t i = 0; i < COUNT(texts); i++)
		*texts[i] = str_dup(a, *texts[i]);
}

static void find_route(Delivery *d)
{
	const GatewayConf *conf = d->snap->conf;

	for (size_t i = 0; i < conf->routes.count; i++) {
		const RouteConf *route = &conf->routes.at[i];

		if (!str_eq(route->name, d->row.route) || !d->snap->states[i].new_target ||
		    !d->snap->states[i].shift)
			continue;
		d->route = route;
		d->state = &d->snap->states[i];
	}
}

static void delivery_free(Delivery *d)
{
	list_remove(&d->node);
	deliveries.running--;
	buf_fini(&d->answer.body);
	snapshot_unref(d->snap);
	arena_free(d->arena);
}

static void delivery_fiber(void *arg)
{
	Delivery *d = arg;
	Subject *s = d->subject;

	d->fiber = fiber_self();
	if (!dual_is_closing())
		deliver(d);
	d->fiber = NULL;
	delivery_free(d);
	dual_deliver_hurry(s);
	background_end(&deliveries.background);
}

static Err *start(Arena *claimed, Subject *s, Snapshot *snap, const WriteRow *row)
{
	Arena *a = arena_new(0);
	Delivery *d = ARENA_NEW(a, Delivery);

	*d = (Delivery){ .arena = a, .subject = s, .snap = snapshot_ref(snap) };
	copy_row(a, row, &d->row);
	find_route(d);
	list_add(&deliveries.on, &d->node);
	deliveries.running++;
	if (!background_start(&deliveries.background, delivery_fiber, d, "write"))
		return NULL;
	delivery_free(d);
	return dual_book_again(claimed, row, US_PER_S, S("this gateway had no fiber for it"));
}

/* Where there is none, nobody asks for it four times a second. */
static bool may_be_due(Subject *s)
{
	DualBacklog backlog = dual_backlog(s);

	return __atomic_exchange_n(&s->writes.hint, false, __ATOMIC_RELAXED) ||
	       backlog.to_new + backlog.to_old > 0;
}

static uint32_t room_for(const Subject *s)
{
	uint32_t running = 0;

	LIST_EACH (&deliveries.on, Delivery, node, d)
		running += d->subject == s;
	return MIN(AT_ONCE - deliveries.running, AT_ONCE_EACH - running);
}

/* An answer that was lost may have been a claim: while this process lives, nobody else takes those rows. */
static Err *claim(Arena *a, Subject *s, Snapshot *snap)
{
	uint32_t room = room_for(s);
	WriteRow *rows;
	size_t count;
	bool unsure = deliveries.unsure;

	if (!room)
		return NULL;
	deliveries.unsure = true;
	TRY(dual_book_claim(a, s->name, room, &rows, &count));
	for (size_t i = 0; i < count; i++)
		TRY(start(a, s, snap, &rows[i]));
	deliveries.unsure = unsure;
	return NULL;
}

static bool is_on(Uuid id)
{
	LIST_EACH (&deliveries.on, Delivery, node, d)
		if (uuid_eq(d->row.id, id))
			return true;
	return false;
}

/* What is claimed for this process and in nobody's hands goes back. One that ends meanwhile is nobody's already. */
static Err *give_back(Arena *a)
{
	WritesClaimedRow *rows;
	size_t count;

	TRY(dual_book_claimed(a, &rows, &count));
	for (size_t i = 0; i < count; i++)
		if (!is_on(rows[i].id))
			TRY(dual_book_unclaim(a, &rows[i]));
	deliveries.unsure = false;
	return NULL;
}

static void drop_snapshot(Snapshot **snap)
{
	snapshot_unref(*snap);
}

static Err *claim_all(Arena *a)
{
	AUTO(drop_snapshot) Snapshot *snap = keeper_snapshot();
	Subject *s = NULL;

	if (deliveries.unsure)
		TRY(give_back(a));
	while (snap && deliveries.running < AT_ONCE && (s = subject_next(s)))
		if (may_be_due(s))
			TRY(claim(a, s, snap));
	return NULL;
}

void dual_deliver_hurry(Subject *s)
{
	__atomic_store_n(&s->writes.hint, true, __ATOMIC_RELAXED);
	if (deliveries.watch)
		deliveries.watch->told = true;
	if (deliveries.fiber)
		fiber_wake(deliveries.fiber);
}

static Err *await(DbWatch *watch, Arena *a)
{
	Err *err;

	if (!watch->db)
		TRY(db_watch_begin(watch, dual_db(), a, DUAL_CHANNEL));
	deliveries.watch = watch;
	deliveries.fiber = fiber_self();
	err = db_watch_wait(watch, POLL_US);
	deliveries.fiber = NULL;
	return err;
}

static void forget_watch(DbWatch *watch)
{
	deliveries.watch = NULL;
	db_watch_end(watch);
}

/* A book that is away is the keeper's to tell. */
Err *dual_deliver_run(void *arg)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(forget_watch) DbWatch watch = { 0 };

	(void)arg;
	for (;;) {
		Err *err = claim_all(a);

		arena_clear(a);
		if (!err)
			err = await(&watch, a);
		if (err && err->kind == ERR_CANCELLED)
			return err;
		if (err)
			TRY(fiber_sleep(POLL_US));
		arena_clear(a);
	}
}

void dual_deliver_init(void)
{
	background_init(&deliveries.background);
	list_init(&deliveries.on);
	deliveries.running = 0;
	deliveries.unsure = false;
}

void dual_deliver_fini(void)
{
	LIST_EACH (&deliveries.on, Delivery, node, d)
		if (d->fiber)
			fiber_cancel(d->fiber);
	background_await(&deliveries.background);
}

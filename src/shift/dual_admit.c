/* SPDX-License-Identifier: Apache-2.0
 *
 * A write before anybody has got it: its intent is written, or it is turned away.
 *
 * In its way may be another of its key that is being done just now, or one that has not reached the side that it goes to. Those
 * pass by themselves, as a rule within milliseconds, so it waits for them. Where the side lacks something that needs help (a dead
 * letter, a try that failed) it goes to the other one instead, which has all of it: the user is pinned there, by
 * this key, until it is repaired. Not so after the way back: `old` and `shadow` mean that nobody is asked of the new side. Then
 * what nobody knows of is set aside, for nobody was told that it was done; and what the old side refused makes it one of those
 * that cannot be kept (`unable`). */
#include "shift/dual_int.h"

#include "base/arena.h"
#include "gateway/spool.h"
#include "rt/loop.h"
#include "shift/hooks.h"

#define ADMIT_US (2 * US_PER_S)  /* for the book */
#define LOOK_US (50 * US_PER_MS) /* hints may be lost */

static Err large = ERR_STATIC(TOO_LARGE, "writes.large",
                              "a request that both sides are to have may not be that large");
static Err full = ERR_STATIC(BUSY, "writes.full",
                             "so many writes wait for the other side that no more are taken");
static Err behind = ERR_STATIC(BUSY, "writes.behind",
                               "earlier writes to the same thing have not come to this side yet");
static Err is_away =
	ERR_STATIC(BUSY, "writes.away", "writes cannot be kept for the other side at the moment");

static Err *const refusals[] = {
	[DUAL_FULL] = &full, [DUAL_AWAY] = &is_away, [DUAL_BEHIND] = &behind, [DUAL_LARGE] = &large
};

/* --- which ------------------------------------------------------------------------------------------------------------------ */

static bool is_read(Str method)
{
	static const Str reads[] = { S("GET"), S("HEAD"), S("OPTIONS"), S("TRACE") };

	for (size_t i = 0; i < COUNT(reads); i++)
		if (str_eq(method, reads[i]))
			return true;
	return false;
}

static ShiftPhase phase_of(const Subject *s)
{
	return (ShiftPhase)__atomic_load_n(&s->phase, __ATOMIC_RELAXED);
}

static bool is_dual(const Passage *p, const DualRules *rules)
{
	return rules && dual_db() && !is_read(p->head.method) && !p->head.upgrade.len &&
	       phase_of(rules->subject) != SHIFT_RETIRED;
}

static void drop(Headers *headers, Str name)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < headers->count; i++)
		if (headers->at[i].id != HTTP_OTHER || !str_eq_nocase(headers->at[i].name, name))
			headers->at[kept++] = headers->at[i];
	headers->count = kept;
}

/* It goes to one side only, or nowhere. */
static Err *turn_away(const DualRules *rules, DualWhy why)
{
	uint8_t unable = why == DUAL_LARGE ? rules->conf->large : rules->conf->unable;

	if (unable == UNABLE_SINGLE) {
		dual_count(rules->subject, DUAL_COUNT_SINGLE + why);
		return NULL;
	}
	dual_count(rules->subject, DUAL_COUNT_TURNED_AWAY + why);
	return refusals[why];
}

/* --- what is kept of it ------------------------------------------------------------------------------------------------------- */

/* False: it is larger than may be kept. */
static bool is_small_enough(const Passage *p, const WritesConf *conf)
{
	uint64_t bytes = p->held ? spool_bytes(p->held) : p->body.len;

	return p->x->read_all && bytes <= conf->body;
}

static Err *copy_body(Passage *p, Str *out)
{
	AUTO(buf_fini) Buf b = { 0 };
	Str piece;

	*out = p->body;
	if (!p->held || spool_bytes(p->held) == p->body.len)
		return NULL;
	do {
		TRY(spool_look(p->held, b.len, &piece));
		buf_put(&b, piece);
	} while (piece.len);
	*out = str_dup(p->x->arena, buf_str(&b));
	return NULL;
}

static bool is_key(Str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] < ' ' || text.at[i] > '~')
			return false;
	return text.len && text.len <= DUAL_IDEMPOTENCY_MAX;
}

/* The client's, if it is one that can be kept; else ours, for both sides. */
static Str idempotency_key(Passage *p, Uuid id)
{
	Str name = S("Idempotency-Key"), told = headers_get_name(&p->head.headers, name);

	if (is_key(told))
		return told;
	drop(&p->head.headers, name);
	told = uuid_text(p->x->arena, id);
	headers_add(&p->head.headers, p->x->arena, name, told);
	return told;
}

static uint64_t user_of(const Passage *p)
{
	return ((const ShiftTrip *)p->shift)->user.hash;
}

static Err *make_intent(Passage *p, const DualRules *rules, DualIntent *out)
{
	Arena *a = p->x->arena;
	AUTO(buf_fini) Buf fields = { 0 };

	*out = (DualIntent){ .rules = rules,
		             .id = uuid_new(),
		             .to_new = p->target != p->state->new_target,
		             .head = &p->head };
	TRY(copy_body(p, &out->body));
	out->idempotency_key = idempotency_key(p, out->id);
	out->key = dual_key(a, &rules->key,
	                    &(DualKeyAsk){ p->route, p->url.path, &p->x->request.headers,
	                                   user_of(p), out->body, p->identity });
	dual_put_fields(&fields, &p->head.headers);
	out->fields = str_dup(a, buf_str(&fields));
	return NULL;
}

/* --- its turn ----------------------------------------------------------------------------------------------------------------- */

/* The other side has all earlier writes of its key, and users are on both. */
static bool pin(Passage *p, DualIntent *intent)
{
	Subject *s = intent->rules->subject;
	ShiftTrip *trip = p->shift;
	ShiftPhase phase = phase_of(s);
	bool to_old = intent->to_new == false;

	if (!to_old && phase != SHIFT_CANARY && phase != SHIFT_NEW)
		return false;
	p->target = to_old ? p->state->target : p->state->new_target;
	p->times = to_old ? &p->route->conf->timeouts : &p->route->conf->new_timeouts;
	intent->to_new = to_old;
	trip->count = 0; /* what becomes of it says nothing of a draw */
	dual_count(s, DUAL_COUNT_PINNED);
	return true;
}

static Err *ask_book(Arena *a, const DualIntent *intent, DualAdmitted *out)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(ADMIT_US);

	return dual_book_admit(a, intent, out);
}

/* Nobody will get it; but the book may have it all the same. */
static void take_back(const DualIntent *intent)
{
	dual_post(dual_write_new(intent->rules, intent->id, intent->to_new), DUAL_REFUSED);
}

static Err *wait_a_little(DbWatch *watch, Arena *a, int64_t left_us)
{
	if (!watch->db)
		TRY(db_watch_begin(watch, dual_db(), a, DUAL_CHANNEL));
	return db_watch_wait(watch, MIN(left_us, LOOK_US));
}

typedef enum Clearing {
	CLEAR_BY_ITSELF, /* perhaps, in a moment */
	CLEAR_NOW,       /* something was done about it */
	CLEAR_NEVER
} Clearing;

/* What is to be done about what is in its way; once. */
static Err *clear_way(Passage *p, DualIntent *intent, Clearing *out)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(ADMIT_US);
	Arena *a = p->x->arena;
	DualInWay way;

	*out = CLEAR_BY_ITSELF;
	TRY(dual_book_in_way(a, intent, &way));
	if (way.gated || !way.stuck)
		return NULL;
	*out = CLEAR_NOW;
	if (pin(p, intent))
		return NULL;
	if (way.lost < way.stuck) {
		*out = CLEAR_NEVER;
		return NULL;
	}
	dual_count(intent->rules->subject, DUAL_COUNT_PASSED);
	return dual_book_set_aside(a, intent);
}

/* DUAL_WAITS: its time is over. */
static Err *await_turn(Passage *p, DualIntent *intent, DualAdmitted *out)
{
	AUTO(db_watch_end) DbWatch watch = { 0 };
	int64_t until_us = loop_now_us() + intent->rules->conf->wait_us;
	Clearing way = CLEAR_BY_ITSELF;

	for (;;) {
		bool cleared = way == CLEAR_NOW;

		TRY(ask_book(p->x->arena, intent, out));
		if (*out != DUAL_WAITS || loop_now_us() >= until_us)
			return NULL;
		if (!cleared)
			TRY(clear_way(p, intent, &way));
		if (way == CLEAR_NEVER)
			return NULL;
		if (cleared || way == CLEAR_BY_ITSELF)
			TRY(wait_a_little(&watch, p->x->arena, until_us - loop_now_us()));
	}
}

static void admitted(Passage *p, const DualIntent *intent, DualAdmitted how)
{
	DualWrite *w = dual_write_new(intent->rules, intent->id, intent->to_new);
	SubjectWrites *writes = &intent->rules->subject->writes;

	w->may_rescue = how == DUAL_ADMITTED;
	((ShiftTrip *)p->shift)->write = w;
	__atomic_add_fetch(&writes->kept, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&writes->added, 1, __ATOMIC_RELAXED);
	http_keep_on(p->x);
}

static Err *admit(Passage *p, const DualRules *rules)
{
	DualAdmitted how = DUAL_WAITS;
	DualIntent intent;
	Err *err;

	if (__atomic_load_n(&rules->subject->writes.kept, __ATOMIC_RELAXED) >= rules->conf->queue)
		return turn_away(rules, DUAL_FULL);
	TRY(make_intent(p, rules, &intent));
	err = await_turn(p, &intent, &how);
	if (!err && how != DUAL_WAITS) {
		admitted(p, &intent, how);
		return NULL;
	}
	if (!err)
		return turn_away(rules, DUAL_BEHIND);
	take_back(&intent);
	if (err->kind == ERR_CANCELLED)
		return err;
	return turn_away(rules, DUAL_AWAY);
}

Err *dual_ready(Passage *p)
{
	const ShiftTrip *trip = p->shift;
	const DualRules *rules = trip->binding->dual;

	drop(&p->head.headers, DUAL_MARK);
	if (!is_dual(p, rules))
		return NULL;
	if (!is_small_enough(p, rules->conf))
		return turn_away(rules, DUAL_LARGE);
	return admit(p, rules);
}

/* Only where nothing of its key still waits for the side that would be asked instead. */
bool dual_may_rescue(const Passage *p)
{
	DualWrite *w = ((const ShiftTrip *)p->shift)->write;

	if (!w)
		return true;
	w->rescued = w->may_rescue;
	return w->may_rescue;
}

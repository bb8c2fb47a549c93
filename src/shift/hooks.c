/* SPDX-License-Identifier: Apache-2.0
 *
 * A request of a route that is moved: drawn when it begins, given a cookie with its answer, noted when it is over.
 *
 * A route may count for two subjects: itself, and the upstream it was drawn to when that is swapped for another (blue and
 * green). The user is the same for both, and so each is a fair draw. */
#include "shift/hooks.h"

#include "base/arena.h"
#include "base/log.h"
#include "base/time.h"
#include "shift/book.h"
#include "shift/drains.h"
#include "shift/dual.h"
#include "shift/keeper.h"
#include "shift/shadow.h"
#include "shift/webhook.h"

#include <stdio.h>

/* --- configuration -------------------------------------------------------------------------------------------------------- */

#define UPSTREAM_PREFIX "upstream:"

static Subject *route_subject(const RouteConf *route)
{
	bool grouped = route->shift.group.len > 0;

	return subject_need(grouped ? SUBJECT_GROUP : SUBJECT_ROUTE,
	                    grouped ? route->shift.group : route->name);
}

/* Of a group the first route says how. */
static const RouteConf *speaker_of(const GatewayConf *conf, const RouteConf *route)
{
	for (const RouteConf *r = conf->routes.at; route->shift.group.len && r < route; r++)
		if (r->new_upstream && str_eq(r->shift.group, route->shift.group))
			return r;
	return route;
}

static void configure(Subject *s, ConfHold *hold, const ShiftConf *conf, Str old, Str new)
{
	subject_lock(s);
	subject_configure(s, hold, conf, old, new);
	subject_unlock(s);
}

static Err *bind_route(Arena *a, Snapshot *snap, size_t i, const ShiftConf *of_upstreams)
{
	const GatewayConf *conf = snap->conf;
	const RouteConf *route = &conf->routes.at[i], *speaker = speaker_of(conf, route);
	ShiftBinding *binding;

	if (!route->upstream || (!route->new_upstream && !conf->has_shift))
		return NULL;
	binding = ARENA_NEW(a, ShiftBinding);
	*binding = (ShiftBinding){ .conf = route->new_upstream ? &speaker->shift : of_upstreams };
	binding->rules = split_rules(a, binding->conf, conf->shift.cookie);
	if (conf->has_shift)
		binding->upstream = subject_find(
			str_fmt(a, UPSTREAM_PREFIX "%.*s", STR_ARG(route->upstream->name)));
	if (route->new_upstream) {
		binding->subject = route_subject(route);
		TRY(shadow_rules(a, binding->conf, &binding->shadow));
		TRY(dual_rules(a, route, binding->subject, &binding->dual));
		TRY(counters_new(a, binding->conf, &binding->counters));
	}
	snap->states[i].shift = binding;
	return NULL;
}

static void configure_route(const Snapshot *snap, size_t i)
{
	const RouteConf *route = &snap->conf->routes.at[i];
	const ShiftBinding *binding = snap->states[i].shift;

	if (binding && binding->subject)
		configure(binding->subject, snap->hold, binding->conf, route->upstream->name,
		          route->new_upstream->name);
}

static void configure_upstream(const Snapshot *snap, size_t i, const ShiftConf *of_upstreams)
{
	Str name = snap->conf->upstreams.at[i].name;
	AUTO(buf_fini) Buf b = { 0 };

	buf_put(&b, S(UPSTREAM_PREFIX));
	buf_put(&b, name);
	configure(subject_find(buf_str(&b)), snap->hold, of_upstreams, name, (Str){ 0 });
}

/* Those that are not in this configuration any more. */
static void forget(const Snapshot *snap)
{
	Subject *s = NULL;

	while ((s = subject_next(s)))
		if (s->hold && s->hold != snap->hold)
			configure(s, NULL, NULL, (Str){ 0 }, (Str){ 0 });
}

/* What upstreams are swapped by: the defaults. The process's. */
static struct {
	Arena *arena;
	ShiftConf conf;
} of_upstreams;

static const ShiftConf *swap_conf(void)
{
	if (!of_upstreams.arena) {
		of_upstreams.arena = arena_new(0);
		conf_defaults(of_upstreams.arena, &shift_conf_table, &of_upstreams.conf);
	}
	return &of_upstreams.conf;
}

static size_t swapped_count(const GatewayConf *conf)
{
	return conf->has_shift && !conf->passthrough ? conf->upstreams.count : 0;
}

static bool has_dual_writes(const Snapshot *snap, const Subject *s)
{
	for (size_t i = 0; i < snap->conf->routes.count; i++) {
		const ShiftBinding *binding = snap->states[i].shift;

		if (binding && binding->dual && binding->subject == s)
			return true;
	}
	return false;
}

static void tell_of_writes(const Snapshot *snap)
{
	Subject *s = NULL;

	while ((s = subject_next(s))) {
		subject_lock(s);
		s->writes.on = has_dual_writes(snap, s);
		subject_unlock(s);
	}
}

/* The configuration names a book that keeps writes; but the one in force, until a restart, may be another. */
static Err *check_book(Arena *a, const Snapshot *snap)
{
	const Book *book = keeper_book();

	for (size_t i = 0; book && !book_db(book) && i < snap->conf->routes.count; i++) {
		const ShiftBinding *binding = snap->states[i].shift;

		if (binding && binding->dual)
			return err_new(a, ERR_INVALID, "writes.store",
			               "routes.%.*s: `writes: dual` takes a book in SQLite or "
			               "PostgreSQL, and the one in force until a restart is in "
			               "Redis",
			               STR_ARG(snap->conf->routes.at[i].name));
	}
	return NULL;
}

/* Subjects are made, and told nothing yet. */
static Err *begin(Arena *a, Snapshot *snap)
{
	const GatewayConf *conf = snap->conf;

	for (size_t i = 0; i < swapped_count(conf); i++)
		subject_need(SUBJECT_UPSTREAM, str_fmt(a, UPSTREAM_PREFIX "%.*s",
		                                       STR_ARG(conf->upstreams.at[i].name)));
	for (size_t i = 0; i < conf->routes.count && !conf->passthrough; i++)
		TRY(bind_route(a, snap, i, swap_conf()));
	shadow_begin();
	counters_begin();
	TRY(keeper_begin(a, snap));
	return check_book(a, snap);
}

static void take(Snapshot *snap)
{
	const GatewayConf *conf = snap->conf;
	Err *err;

	for (size_t i = 0; i < swapped_count(conf); i++)
		configure_upstream(snap, i, swap_conf());
	for (size_t i = 0; i < conf->routes.count; i++)
		configure_route(snap, i);
	forget(snap);
	tell_of_writes(snap);
	keeper_take(snap);
	drains_enforce(snap);
	err = dual_begin(keeper_book(), keeper_gateway());
	if (err)
		log_err(err,
		        "writes to both sides that are left are not delivered before the next reload");
	err = webhooks_begin(keeper_book(), keeper_gateway(), &conf->shift);
	if (err)
		log_err(err, "not all webhooks are told of moves before the next reload");
}

static void end(void)
{
	dual_end();
	webhooks_end();
	shadow_end();
	counters_end();
	keeper_end();
	if (of_upstreams.arena)
		arena_free(TAKE(of_upstreams.arena));
}

/* --- drawing -------------------------------------------------------------------------------------------------------------- */

static ShiftPhase phase_of(const Subject *s)
{
	return s ? (ShiftPhase)__atomic_load_n(&s->phase, __ATOMIC_ACQUIRE) : SHIFT_OLD;
}

static const Target *find_target(const Snapshot *snap, Str name)
{
	for (size_t i = 0; i < snap->conf->upstreams.count; i++)
		if (str_eq(snap->targets[i].conf->name, name))
			return &snap->targets[i];
	return NULL;
}

static SplitFrom split_from(const Passage *p)
{
	return (SplitFrom){ &p->x->request.headers, p->forwarded.client_ip, p->identity,
		            p->x->arena };
}

static ShiftLeg *draw(Passage *p, ShiftTrip *trip, Subject *s)
{
	const SplitFrom from = split_from(p);
	ShiftLeg *leg = &trip->legs[trip->count++];
	bool is_new = false;
	bool told = split_override(trip->binding->conf, &trip->user, &from, &is_new);
	SubjectDraw drawn;

	subject_lock(s);
	drawn = subject_draw(s, &trip->user, told, is_new);
	subject_unlock(s);
	*leg = (ShiftLeg){ s, drawn.is_new ? JUDGE_NEW : JUDGE_OLD, drawn.drawn, drawn.attempt };
	return leg;
}

static void draw_route(Passage *p, ShiftTrip *trip)
{
	if (draw(p, trip, trip->binding->subject)->side != JUDGE_NEW)
		return;
	p->target = p->state->new_target;
	p->times = &p->route->conf->new_timeouts;
}

/* The other is not configured any more. */
static void stay(Subject *s, ShiftLeg *leg)
{
	leg->side = JUDGE_OLD;
	leg->drawn = false;
	subject_lock(s);
	(void)snprintf(
		s->blocked, sizeof s->blocked,
		"there is no upstream %s in the configuration any more, so the old one serves: "
		"`back`, or configure it",
		s->state.target);
	subject_unlock(s);
}

static void draw_upstream(Passage *p, ShiftTrip *trip)
{
	Subject *s = trip->binding->upstream;
	char name[SHIFT_NAME_BYTES];
	const Target *target;

	if (draw(p, trip, s)->side != JUDGE_NEW)
		return;
	subject_lock(s);
	memcpy(name, s->state.target, sizeof name);
	subject_unlock(s);
	target = find_target(p->snap, str_of(name));
	if (target)
		p->target = target;
	else
		stay(s, &trip->legs[trip->count - 1]);
}

void shift_serve_by_old(Passage *p)
{
	ShiftTrip *trip = p->shift;

	trip->count = 0;
	p->target = p->state->target;
	p->times = &p->route->conf->timeouts;
	if (phase_of(trip->binding->upstream) != SHIFT_OLD)
		draw_upstream(p, trip);
}

static bool is_asked_of_users(ShiftPhase phase)
{
	return phase != SHIFT_OLD && phase != SHIFT_RETIRED;
}

static void choose(Passage *p)
{
	const ShiftBinding *binding = p->state->shift;
	ShiftPhase phase = phase_of(binding->subject), swap = phase_of(binding->upstream);
	ShiftTrip *trip;

	if (!binding->subject && swap == SHIFT_OLD)
		return;
	trip = ARENA_NEW(p->x->arena, ShiftTrip);
	*trip = (ShiftTrip){ .binding = binding };
	p->shift = trip;
	if (is_asked_of_users(phase) || is_asked_of_users(swap) || dual_asks_user(binding->dual)) {
		const SplitFrom from = split_from(p);

		trip->user = split_user(&binding->rules, keeper_key(), &from);
		trip->greets = trip->user.stranger;
	}
	if (binding->subject)
		draw_route(p, trip);
	if (swap != SHIFT_OLD && p->target == p->state->target)
		draw_upstream(p, trip);
}

/* --- the answer ----------------------------------------------------------------------------------------------------------- */

/* An answer that a shared cache may keep would give one client's cookie to all. */
static bool is_shared(const Headers *headers)
{
	Str control = headers_get(headers, HTTP_CACHE_CONTROL);

	if (headers_has_token(headers, HTTP_CACHE_CONTROL, S("private")) ||
	    headers_has_token(headers, HTTP_CACHE_CONTROL, S("no-store")))
		return false;
	return headers_has_token(headers, HTTP_CACHE_CONTROL, S("public")) ||
	       str_find(control, S("max-age")) >= 0 || str_find(control, S("s-maxage")) >= 0;
}

/* An answer of the side that its route was drawn to: not of the other, which served what that did not take. */
static bool counts_for_route(const ShiftTrip *trip)
{
	return trip->binding->counters && trip->count &&
	       trip->legs[0].subject == trip->binding->subject;
}

static void piece(Passage *p, Str bytes)
{
	dual_piece(p, bytes);
	counters_piece(p, &((ShiftTrip *)p->shift)->counters, bytes);
	shadow_piece(p, bytes);
}

static void answer(Passage *p, Headers *headers)
{
	ShiftTrip *trip = p->shift;

	dual_answer(p);
	if (counts_for_route(trip) && p->state->shift == trip->binding)
		counters_answer(trip->binding->counters, trip->legs[0].subject, p, &trip->counters);
	shadow_answer(p);
	if (!trip->greets || is_shared(headers))
		return;
	headers_add_id(headers, p->x->arena, HTTP_SET_COOKIE,
	               split_cookie(p->x->arena, &trip->binding->rules, keeper_key(),
	                            p->x->secure || str_eq(p->forwarded.scheme, S("https"))));
}

/* --- the outcome ---------------------------------------------------------------------------------------------------------- */

static bool is_refused(const Err *err)
{
	return err_is(err, "upstream.refused") || err_is(err, "upstream.connect") ||
	       err_is(err, "upstream.connect_timeout") || err_is(err, "upstream.down") ||
	       err_is(err, "upstream.exhausted");
}

/* False: it says nothing of the side: the client left, or sent what nobody could serve. */
static bool fate_of(const Passage *p, const Err *err, TripwireFate *fate)
{
	bool broken = err && err->kind != ERR_INVALID &&
	              (str_starts(str_of(err->slug), S("upstream.")) ||
	               str_starts(str_of(err->slug), S("shift.")));

	if (p->answered) {
		*fate = p->answer.status >= 500 || broken ? TRIPWIRE_FAILED : TRIPWIRE_OK;
		return true;
	}
	if (!broken)
		return false;
	*fate = is_refused(err) ? TRIPWIRE_REFUSED : TRIPWIRE_FAILED;
	return true;
}

/* A leg of the new side that nobody answered is noted at once, and the old side serves. */
static bool rescue(Passage *p, const Err *err)
{
	ShiftTrip *trip = p->shift;
	const ShiftLeg *leg = &trip->legs[0];
	SubjectOutcome o = {
		.side = JUDGE_NEW,
		.attempt = leg->attempt,
		.user = trip->user.hash,
		.drawn = leg->drawn,
		.took_us = -1,
	};

	if (trip->count != 1 || leg->side != JUDGE_NEW || p->reshape ||
	    p->target == p->state->target || phase_of(leg->subject) == SHIFT_RETIRED ||
	    !fate_of(p, err, &o.fate) || !dual_may_rescue(p))
		return false;
	subject_lock(leg->subject);
	subject_note(leg->subject, &o, time_utc_us());
	leg->subject->rescued++;
	subject_unlock(leg->subject);
	if (leg->subject == trip->binding->subject) {
		shift_serve_by_old(p);
		return true;
	}
	trip->count = 0;
	p->target = p->state->target; /* not what it was swapped for, which has just failed */
	return true;
}

static void count(Passage *p, ShiftTrip *trip, TripwireFate fate)
{
	const ShiftLeg *leg = &trip->legs[0];
	SubjectCounted counted = { .conf = trip->binding->conf,
		                   .side = leg->side,
		                   .user = trip->user.hash,
		                   .drawn = leg->drawn,
		                   .attempt = leg->attempt };

	if (counts_for_route(trip))
		counters_done(trip->binding->counters, leg->subject, p, &trip->counters,
		              fate != TRIPWIRE_OK, &counted);
	else
		counters_drop(&trip->counters);
}

static void done(Passage *p, const Err *err)
{
	ShiftTrip *trip = p->shift;
	SubjectOutcome o = { .user = trip->user.hash,
		             .took_us = p->answered ? p->answered_us - p->ready_us : -1 };

	dual_done(p, err);
	shadow_done(p, err);
	if (!fate_of(p, err, &o.fate)) {
		counters_drop(&trip->counters);
		return;
	}
	for (unsigned i = 0; i < trip->count; i++) {
		Subject *s = trip->legs[i].subject;

		o.side = trip->legs[i].side;
		o.drawn = trip->legs[i].drawn;
		o.attempt = trip->legs[i].attempt;
		subject_lock(s);
		subject_note(s, &o, time_utc_us());
		subject_unlock(s);
	}
	count(p, trip, o.fate);
}

/* A write that is turned away has no shadow. */
static Err *ready(Passage *p)
{
	TRY(dual_ready(p));
	shadow_ready(p);
	return NULL;
}

static const GatewayHooks hooks = {
	begin, take, keeper_waiting, end, choose, ready, rescue, answer, piece, done,
};

const GatewayHooks *shift_hooks(void)
{
	return &hooks;
}

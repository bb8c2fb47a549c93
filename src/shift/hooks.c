/* SPDX-License-Identifier: Apache-2.0
 *
 * A request of a route that is moved: drawn when it begins, given a cookie with its answer, noted when it is over.
 *
 * A route may count for two subjects: itself, and the upstream it was drawn to when that is swapped for another (blue and
 * green). The user is the same for both, and so each is a fair draw. */
#include "shift/hooks.h"

#include "base/arena.h"
#include "base/time.h"
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

/* What may be wrong with it is found before any subject is told of it. */
static Err *begin(Arena *a, Snapshot *snap)
{
	ShiftConf *of_upstreams = ARENA_NEW(a, ShiftConf);
	const GatewayConf *conf = snap->conf;
	size_t swapped = conf->has_shift && !conf->passthrough ? conf->upstreams.count : 0;

	conf_defaults(a, &shift_conf_table, of_upstreams);
	for (size_t i = 0; i < swapped; i++)
		subject_need(SUBJECT_UPSTREAM, str_fmt(a, UPSTREAM_PREFIX "%.*s",
		                                       STR_ARG(conf->upstreams.at[i].name)));
	for (size_t i = 0; i < conf->routes.count && !conf->passthrough; i++)
		TRY(bind_route(a, snap, i, of_upstreams));
	for (size_t i = 0; i < swapped; i++)
		configure_upstream(snap, i, of_upstreams);
	for (size_t i = 0; i < conf->routes.count; i++)
		configure_route(snap, i);
	forget(snap);
	shadow_begin();
	TRY(keeper_begin(a, snap));
	return webhooks_begin(keeper_book(), keeper_gateway(), &conf->shift);
}

static void end(void)
{
	webhooks_end();
	shadow_end();
	keeper_end();
}

/* --- drawing -------------------------------------------------------------------------------------------------------------- */

static ShiftPhase phase_of(const Subject *s)
{
	return s ? (ShiftPhase)__atomic_load_n(&s->phase, __ATOMIC_RELAXED) : SHIFT_OLD;
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
	if (is_asked_of_users(phase) || is_asked_of_users(swap)) {
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

static bool is_good(Str value)
{
	return value.len && !str_eq(value, S("0")) && !str_eq_nocase(value, S("false"));
}

static void count_answer(ShiftTrip *trip, const Passage *p)
{
	Subject *s = trip->legs[0].subject;
	Str names[SUBJECT_COUNTERS];

	if (p->state->shift != trip->binding || !trip->binding->conf->judge.counters.count)
		return;
	subject_lock(s);
	memcpy(names, s->metrics.headers, sizeof names);
	for (size_t i = 0; i < COUNT(names); i++)
		if (names[i].len && is_good(headers_get_name(&p->answer.headers, names[i])))
			trip->counted |= 1u << i;
	subject_unlock(s);
}

static void answer(Passage *p, Headers *headers)
{
	ShiftTrip *trip = p->shift;

	count_answer(trip, p);
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
	    !fate_of(p, err, &o.fate))
		return false;
	subject_lock(leg->subject);
	subject_note(leg->subject, &o, time_utc_us());
	leg->subject->rescued++;
	subject_unlock(leg->subject);
	trip->count = 0; /* what the old side makes of it says nothing of a draw */
	p->target = p->state->target;
	p->times = &p->route->conf->timeouts;
	return true;
}

static void done(Passage *p, const Err *err)
{
	ShiftTrip *trip = p->shift;
	SubjectOutcome o = { .user = trip->user.hash,
		             .took_us = p->answered ? p->answered_us - p->ready_us : -1,
		             .counted = trip->counted };

	shadow_done(p, err);
	if (!fate_of(p, err, &o.fate))
		return;
	for (unsigned i = 0; i < trip->count; i++) {
		Subject *s = trip->legs[i].subject;

		o.side = trip->legs[i].side;
		o.drawn = trip->legs[i].drawn;
		o.attempt = trip->legs[i].attempt;
		subject_lock(s);
		subject_note(s, &o, time_utc_us());
		subject_unlock(s);
	}
}

static const GatewayHooks hooks = {
	begin, end, choose, shadow_ready, rescue, answer, shadow_piece, done,
};

const GatewayHooks *shift_hooks(void)
{
	return &hooks;
}

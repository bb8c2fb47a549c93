/* SPDX-License-Identifier: Apache-2.0
 *
 * Shadows: which requests have one, and its life.
 *
 * A shadow begins when its request is ready to be sent: the head is copied, and a fiber of the same loop asks the new side while the
 * user's request goes its way. The answer's head and pieces are copied as they pass. The passage and the fiber share the shot; the
 * last of them frees it, and neither waits for the other: the fiber looks for the old side's answer when it has the new one's.
 *
 * The user's request is never the worse for it: what is counted, copied and started here neither parks nor fails. Shadows take no
 * place in a queue for connections, and where users are on the new side they leave half of its connections to them.
 *
 * The marker X-Banyan-Shadow is ours: one that a client sends is taken out, lest it has its own request taken for a shadow. */
#include "shift/shadow.h"

#include "base/arena.h"
#include "base/rand.h"
#include "base/units.h"
#include "shift/hooks.h"
#include "shift/shadow_int.h"
#include "store/background.h"

#include <stdlib.h>

enum { AT_ONCE_MAX = 512 }; /* of all routes together */

typedef struct Shadows {
	bool open;
	uint8_t closing;  /* atomic */
	uint32_t running; /* atomic */
	Background background;
	List *on; /* by loop: shots */
} Shadows;

static Shadows shadows;

static const Str names[SHADOW_RESULTS] = {
	[SHADOW_COMPARED] = { "compared", 8 },
	[SHADOW_REFUSED] = { "refused", 7 },
	[SHADOW_TIMEOUT] = { "timeout", 7 },
	[SHADOW_BROKEN] = { "broken", 6 },
	[SHADOW_DOWN] = { "down", 4 },
	[SHADOW_BUSY] = { "busy", 4 },
	[SHADOW_CUT] = { "cut", 3 },
	[SHADOW_LARGE] = { "large", 5 },
	[SHADOW_CODING] = { "coding", 6 },
	[SHADOW_FILE] = { "file", 4 },
	[SHADOW_ENDED] = { "ended", 5 },
	[SHADOW_METHOD] = { "method", 6 },
	[SHADOW_UPGRADE] = { "upgrade", 7 },
	[SHADOW_RANGE] = { "range", 5 },
	[SHADOW_CONDITION] = { "condition", 9 },
	[SHADOW_STREAM] = { "stream", 6 },
	[SHADOW_BODY] = { "body", 4 },
	[SHADOW_SAMPLE] = { "sample", 6 },
};
_Static_assert((int)SHADOW_RESULTS <= (int)SUBJECT_SHADOW_RESULTS, "a result is not counted");

Str shadow_result_name(ShadowResult result)
{
	return names[result];
}

static void count_locked(SubjectShadow *counts, ShadowResult result)
{
	counts->results[result]++;
	if (result == SHADOW_COMPARED)
		counts->compared++;
	else if (result <= SHADOW_BROKEN)
		counts->failed++;
	else if (result <= SHADOW_ENDED)
		counts->dropped++;
}

static void count(Subject *s, ShadowResult result)
{
	subject_lock(s);
	count_locked(&s->shadow, result);
	subject_unlock(s);
}

/* --- a shot ---------------------------------------------------------------------------------------------------------- */

static void shot_unref(ShadowShot *shot)
{
	if (--shot->refs)
		return;
	buf_fini(&shot->old.body);
	buf_fini(&shot->new.body);
	buf_fini(&shot->again.body);
	snapshot_unref(shot->snap);
	arena_free(shot->arena);
}

static bool is_closing(void)
{
	return __atomic_load_n(&shadows.closing, __ATOMIC_RELAXED);
}

/* What became of a request that the new side did not answer. */
static ShadowResult failure_of(const Err *err, bool sent)
{
	if (err->kind == ERR_CANCELLED)
		return SHADOW_ENDED;
	if (err_is(err, "upstream.down"))
		return SHADOW_DOWN;
	if (!sent && err->kind == ERR_BUSY)
		return SHADOW_BUSY;
	if (!sent)
		return SHADOW_REFUSED;
	return err_is(err, "rt.deadline") ? SHADOW_TIMEOUT : SHADOW_BROKEN;
}

static Err *await_old(ShadowShot *shot)
{
	Err *err = NULL;

	shot->waiting = true;
	while (!err && !shot->old_whole)
		err = fiber_park();
	shot->waiting = false;
	return err;
}

/* Are more than half of its connections in use, or does anybody wait for one? Then they are for users. */
static bool is_half_used(const Upstream *up)
{
	uint64_t used = 0, most = 0;

	if (upstream_waiting(up))
		return true;
	for (size_t i = 0; i < upstream_servers(up); i++) {
		UpstreamServerStats stats = upstream_server_stats(up, i);

		used += stats.connections;
		most += stats.max_connections;
	}
	return most && used * 2 > most;
}

/* A second answer of the old side, for what differs by itself; when there is none, nothing was measured. */
static void ask_again(ShadowShot *shot)
{
	bool sent;

	if (is_half_used(shot->old_target->up))
		return;
	shot->measured = !shadow_ask(shot, shot->old_target, false, &shot->again, &sent);
}

static ShadowResult run(ShadowShot *shot)
{
	ShadowResult result = SHADOW_COMPARED;
	bool sent = false;
	Err *err;

	if (is_closing() || shot->old_over)
		return shot->old_over ? shot->lost : SHADOW_ENDED;
	err = shadow_ask(shot, shot->new_target, true, &shot->new, &sent);
	if (err && !shot->old_over) {
		result = failure_of(err, sent);
		if (result != SHADOW_TIMEOUT && result != SHADOW_BROKEN)
			return result;
		shot->none = result == SHADOW_TIMEOUT ? S("no answer in time")
		             : err_is(err, "shift.reshape")
		                     ? str_fmt(shot->arena, "no answer: %.*s", STR_ARG(err->text))
		                     : S("no answer: the connection ended");
	}
	if (await_old(shot))
		return shot->old_over ? shot->lost : SHADOW_ENDED;
	if (shot->noise && !err)
		ask_again(shot);
	if (!err)
		result = shadow_compare(shot);
	return fiber_cancelled() ? SHADOW_ENDED : shadow_note(shot, result);
}

static void shot_fiber(void *arg)
{
	ShadowShot *shot = arg;
	Subject *s = shot->subject;

	shot->fiber = fiber_self();
	count(s, run(shot));
	shot->fiber = NULL;
	list_remove(&shot->node);
	__atomic_sub_fetch(&s->shadow_running, 1, __ATOMIC_RELAXED);
	__atomic_sub_fetch(&shadows.running, 1, __ATOMIC_RELAXED);
	shot_unref(shot);
	background_end(&shadows.background);
}

/* --- which ----------------------------------------------------------------------------------------------------------- */

static bool has(const Headers *headers, Str name)
{
	for (uint32_t i = 0; i < headers->count; i++)
		if (str_eq_nocase(headers->at[i].name, name))
			return true;
	return false;
}

static bool is_conditional(const Headers *headers)
{
	static const Str conditions[] = { S("If-None-Match"), S("If-Modified-Since"), S("If-Match"),
		                          S("If-Unmodified-Since") };

	for (size_t i = 0; i < COUNT(conditions); i++)
		if (has(headers, conditions[i]))
			return true;
	return false;
}

/* p->body is all there is, and it is sent with a length. */
static bool is_body_there(const Passage *p, const ShadowConf *conf)
{
	if (p->head.body == HTTP_BODY_NONE)
		return true;
	return p->x->read_all && p->head.body == HTTP_BODY_LENGTH &&
	       p->head.content_length == (int64_t)p->body.len && p->body.len <= conf->body_bytes;
}

static bool is_safe(Str method)
{
	return str_eq(method, S("GET")) || str_eq(method, S("HEAD"));
}

/* What such a request is: SHADOW_COMPARED when it may be shadowed. Pure, but for the draw. */
static ShadowResult sort(const Passage *p, const ShadowConf *conf, bool beside)
{
	const Headers *headers = &p->head.headers;
	uint64_t sample_ppm = conf->sample_ppm;

	if (!is_safe(p->head.method) &&
	    (!conf->sandbox.len || str_eq(p->head.method, S("CONNECT"))))
		return SHADOW_METHOD;
	if (p->head.upgrade.len)
		return SHADOW_UPGRADE;
	if (has(headers, S("Range")))
		return SHADOW_RANGE;
	if (is_conditional(headers))
		return SHADOW_CONDITION;
	if (str_find(headers_get(headers, HTTP_ACCEPT), S("text/event-stream")) >= 0)
		return SHADOW_STREAM;
	if (!is_body_there(p, conf))
		return SHADOW_BODY;
	if (beside)
		sample_ppm = sample_ppm * conf->beside_ppm / PPM_WHOLE;
	if (sample_ppm < PPM_WHOLE && rand_below(PPM_WHOLE) >= sample_ppm)
		return SHADOW_SAMPLE;
	return SHADOW_COMPARED;
}

/* A place of the route's and of all routes'. */
static bool take_place(Subject *s, const ShadowConf *conf)
{
	if (__atomic_add_fetch(&s->shadow_running, 1, __ATOMIC_RELAXED) > conf->at_once) {
		__atomic_sub_fetch(&s->shadow_running, 1, __ATOMIC_RELAXED);
		return false;
	}
	if (__atomic_add_fetch(&shadows.running, 1, __ATOMIC_RELAXED) <= AT_ONCE_MAX)
		return true;
	__atomic_sub_fetch(&s->shadow_running, 1, __ATOMIC_RELAXED);
	__atomic_sub_fetch(&shadows.running, 1, __ATOMIC_RELAXED);
	return false;
}

/* --- its beginning --------------------------------------------------------------------------------------------------- */

static Headers copy_headers(Arena *a, const Headers *from)
{
	Headers to = { .at = ARENA_ARRAY(a, Header, from->count + 2u), .cap = from->count + 2u };

	for (uint32_t i = 0; i < from->count; i++)
		to.at[to.count++] = (Header){ str_dup(a, from->at[i].name),
			                      str_dup(a, from->at[i].value), from->at[i].id };
	return to;
}

static void copy_request(ShadowShot *shot, const Passage *p)
{
	Arena *a = shot->arena;
	Head *head = &shot->head;

	*head = p->head;
	head->method = str_dup(a, head->method);
	head->target = str_dup(a, head->target);
	head->authority = str_dup(a, head->authority);
	head->headers = copy_headers(a, &p->head.headers);
	shot->body = str_dup(a, p->body);
	shot->line = str_fmt(a, "%.*s %.*s", STR_ARG(head->method), STR_ARG(head->target));
}

/* The old side knows no sandbox: what may change something it gets once. */
static bool is_noise_asked(const Passage *p, const ShadowConf *conf)
{
	return conf->noise_ppm && is_safe(p->head.method) &&
	       rand_below(PPM_WHOLE) < conf->noise_ppm;
}

static ShadowShot *shot_new(const Passage *p, const ShadowRules *rules, Subject *s)
{
	const ShiftTrip *trip = p->shift;
	Arena *a = arena_new(0);
	ShadowShot *shot = ARENA_NEW(a, ShadowShot);

	*shot = (ShadowShot){
		.arena = a,
		.refs = 1,
		.snap = snapshot_ref((Snapshot *)p->snap),
		.rules = rules,
		.subject = s,
		.old_target = p->target,
		.new_target = p->state->new_target,
		.old_connect_us = p->times->connect_us,
		.new_connect_us = p->route->conf->new_timeouts.connect_us,
		.key = p->key,
		.user = trip->user.hash,
		.noise = is_noise_asked(p, rules->conf),
	};
	copy_request(shot, p);
	shadow_keep_values(shot, p);
	return shot;
}

static bool start(ShadowShot *shot)
{
	if (background_start(&shadows.background, shot_fiber, shot, "shadow"))
		return false;
	shot->refs++;
	list_add(&shadows.on[loop_index(loop_self())], &shot->node);
	subject_lock(shot->subject);
	shot->subject->shadow.sent++;
	shot->shadows = shot->subject->state.shadows;
	subject_unlock(shot->subject);
	return true;
}

/* NULL: there is no place for it. */
static ShadowShot *begin_shot(const Passage *p, const ShadowRules *rules, Subject *s,
                              bool has_users)
{
	ShadowShot *shot;

	if ((has_users && is_half_used(p->state->new_target->up)) || !take_place(s, rules->conf))
		return NULL;
	shot = shot_new(p, rules, s);
	if (start(shot))
		return shot;
	shot_unref(shot);
	__atomic_sub_fetch(&s->shadow_running, 1, __ATOMIC_RELAXED);
	__atomic_sub_fetch(&shadows.running, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void drop_marker(Headers *headers)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < headers->count; i++)
		if (headers->at[i].id != HTTP_OTHER ||
		    !str_eq_nocase(headers->at[i].name, S("X-Banyan-Shadow")))
			headers->at[kept++] = headers->at[i];
	headers->count = kept;
}

static bool is_shadowed(const ShiftTrip *trip)
{
	const ShiftBinding *binding = trip->binding;
	ShiftPhase phase;

	if (!binding->subject || binding->conf->shadow.effects != EFFECTS_NONE || !trip->count ||
	    trip->legs[0].side != JUDGE_OLD)
		return false;
	phase = (ShiftPhase)__atomic_load_n(&binding->subject->phase, __ATOMIC_RELAXED);
	return phase == SHIFT_SHADOW || phase == SHIFT_CANARY || phase == SHIFT_NEW;
}

void shadow_ready(Passage *p)
{
	ShiftTrip *trip = p->shift;
	Subject *s = trip->binding->subject;
	ShadowResult result;
	bool has_users;

	drop_marker(&p->head.headers);
	if (!is_shadowed(trip))
		return;
	has_users = __atomic_load_n(&s->phase, __ATOMIC_RELAXED) != SHIFT_SHADOW;
	result = sort(p, &trip->binding->conf->shadow, has_users);
	if (result == SHADOW_COMPARED) {
		trip->shadow = begin_shot(p, trip->binding->shadow, s, has_users);
		result = trip->shadow ? SHADOW_COMPARED : SHADOW_BUSY;
	}
	if (!trip->shadow)
		count(s, result);
}

/* --- the old side's answer ------------------------------------------------------------------------------------------- */

static void end_of_old(ShadowShot *shot)
{
	shot->old_whole = true;
	if (shot->waiting)
		fiber_wake(shot->fiber);
}

/* It never will be there, so what the new side says does not matter. */
static void give_up(ShadowShot *shot, ShadowResult why)
{
	shot->lost = why;
	shot->old_over = true;
	if (shot->fiber)
		fiber_cancel(shot->fiber);
}

static bool is_stream(const Headers *headers)
{
	Str type = headers_get(headers, HTTP_CONTENT_TYPE);

	return str_eq_nocase(str_sub(type, 0, 17), S("text/event-stream"));
}

/* A client that was given an answer may have had another before: only the last attempt's counts. */
void shadow_answer(Passage *p)
{
	ShadowShot *shot = ((ShiftTrip *)p->shift)->shadow;

	if (!shot || shot->old.status)
		return;
	shadow_take_head(shot->arena, &p->answer, &shot->old);
	if (is_stream(&p->answer.headers))
		give_up(shot, SHADOW_STREAM);
	else if (p->answer.body == HTTP_BODY_NONE)
		end_of_old(shot);
}

void shadow_piece(Passage *p, Str piece)
{
	ShadowShot *shot = ((ShiftTrip *)p->shift)->shadow;

	if (!shot || shot->old_whole || shot->old_over || !shot->old.status)
		return;
	shadow_take_piece(&shot->old, piece, shot->rules->conf->body_bytes);
	if (!piece.len || p->call.read_all)
		end_of_old(shot);
}

void shadow_done(Passage *p, const Err *err)
{
	ShiftTrip *trip = p->shift;
	ShadowShot *shot = trip->shadow;

	if (!shot)
		return;
	trip->shadow = NULL;
	if (!shot->old_whole && !shot->old_over)
		give_up(shot, err || !shot->old.status ? SHADOW_CUT : SHADOW_FILE);
	shot_unref(shot);
}

/* --- all of them ------------------------------------------------------------------------------------------------------ */

void shadow_begin(void)
{
	size_t rows;
	const MetricFamily *families = shadow_metrics(&rows);

	metrics_add(families, rows);
	if (shadows.open)
		return;
	shadows.on = calloc(rt_loops(), sizeof *shadows.on);
	if (!shadows.on)
		abort();
	for (unsigned i = 0; i < rt_loops(); i++)
		list_init(&shadows.on[i]);
	background_init(&shadows.background);
	__atomic_store_n(&shadows.closing, 0, __ATOMIC_RELAXED);
	shadows.open = true;
}

static void cancel_all(void *arg)
{
	(void)arg;
	LIST_EACH (&shadows.on[loop_index(loop_self())], ShadowShot, node, shot)
		if (shot->fiber)
			fiber_cancel(shot->fiber);
}

static void keep_last(void)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Err *err = shadow_share(a);

	(void)err; /* the keeper has said that the book does not answer */
}

void shadow_end(void)
{
	if (!shadows.open)
		return;
	__atomic_store_n(&shadows.closing, 1, __ATOMIC_RELAXED);
	loop_each(cancel_all, NULL);
	background_await(&shadows.background);
	keep_last();
	free(TAKE(shadows.on));
	shadows.open = false;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Access logs on loops: who owns the lanes, and the timers that hand over what waits. A timer is set by the first record
 * after a silence, so an idle gateway does not wake up to write nothing. */
#include "gateway/record.h"

#include "base/arena.h"
#include "base/time.h"
#include "rt/loop.h"

#include <stdlib.h>
#include <unistd.h>

typedef struct LoopLane {
	Timer timer;
	AccessLane *lane;
} LoopLane;

struct Recorder {
	Arena *arena;
	AccessLog *log;
	Str text;
	uint8_t format, query;
	LoopLane lanes[]; /* one a loop */
};

static void tick(Timer *timer)
{
	if (access_tick(CONTAINER(timer, LoopLane, timer)
	                        ->lane)) /* the writer was busy: something still waits */
		timer_set(timer, loop_now_us() + ACCESS_TICK_MS * US_PER_MS);
}

Err *recorder_open(Arena *a, const AccessConf *conf, Recorder **out)
{
	AccessLogConf log = {
		.path = conf->to == ACCESS_FILE ? conf->path : (Str){ 0 },
		.fd = conf->to == ACCESS_STDOUT ? STDOUT_FILENO : STDERR_FILENO,
		.format = conf->format,
		.query = conf->query,
	};
	AccessLog *opened;
	Recorder *r;

	TRY(access_open(a, &log, &opened));
	r = calloc(1, sizeof *r + rt_loops() * sizeof r->lanes[0]);
	if (!r)
		abort();
	r->arena = arena_new(0);
	r->log = opened;
	r->text = str_dup(r->arena, conf->text);
	r->format = conf->format;
	r->query = conf->query;
	for (unsigned i = 0; i < rt_loops(); i++)
		r->lanes[i] = (LoopLane){ TIMER_INIT(tick), access_lane(opened) };
	*out = r;
	return NULL;
}

bool recorder_is(const Recorder *r, const AccessConf *conf)
{
	return str_eq(r->text, conf->text) && r->format == conf->format && r->query == conf->query;
}

void recorder_write(Recorder *r, const AccessRecord *record)
{
	LoopLane *lane;

	if (!r)
		return;
	lane = &r->lanes[loop_index(loop_self())];
	access_write(lane->lane, record);
	if (lane->timer.at_us == INT64_MAX)
		timer_set(&lane->timer, loop_now_us() + ACCESS_TICK_MS * US_PER_MS);
}

Err *recorder_reopen(Arena *a, Recorder *r)
{
	return access_reopen(a, r->log);
}

static void stop_ticking(void *arg)
{
	Recorder *r = arg;
	LoopLane *lane = &r->lanes[loop_index(loop_self())];

	timer_remove(&lane->timer);
	(void)access_tick(lane->lane); /* access_close takes the rest */
}

void recorder_close(Recorder *r)
{
	if (!r)
		return;
	loop_each(stop_ticking, r);
	access_close(r->log);
	arena_free(r->arena);
	free(r);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Counting requests. What took too long is in the histograms as at least that long: leaving it out would make a server
 * that hangs look fast. */
#include "load/stats.h"

#include <stdlib.h>

static const struct {
	const char *name, *text;
} failures[LOAD_FAILURE_KINDS] = { [LOAD_OK] = { "ok", "ok" },
#define X(id, words) [LOAD_##id] = { #id, words },
	                           LOAD_FAILURES(X)
#undef X
};

const char *load_failure_text(LoadFailure failure)
{
	return failures[failure].text;
}

const char *load_failure_name(LoadFailure failure)
{
	return failures[failure].name;
}

bool load_failure_is_timed(LoadFailure failure)
{
	switch (failure) {
	case LOAD_OK:
	case LOAD_TIMEOUT:
	case LOAD_UNFINISHED:
	case LOAD_STATUS:
	case LOAD_CHECK:
	case LOAD_EXTRACT:
		return true;
	case LOAD_RESOLVE:
	case LOAD_REFUSED:
	case LOAD_CONNECT:
	case LOAD_PORTS:
	case LOAD_TLS:
	case LOAD_RESET:
	case LOAD_PROTOCOL:
	case LOAD_OVERLOAD:
	case LOAD_FAILURE_KINDS:
		break;
	}
	return false;
}

void step_stats_init(StepStats *stats)
{
	*stats = (StepStats){ .response = hist_new(), .service = hist_new() };
}

void step_stats_fini(StepStats *stats)
{
	hist_free(stats->response);
	hist_free(stats->service);
	*stats = (StepStats){ 0 };
}

void load_stats_init(LoadStats *stats, size_t steps)
{
	*stats = (LoadStats){ .steps = calloc(steps ? steps : 1, sizeof *stats->steps),
		              .step_count = steps,
		              .late = hist_new(),
		              .interval = hist_new() };
	if (!stats->steps)
		abort();
	for (size_t i = 0; i < steps; i++)
		step_stats_init(&stats->steps[i]);
}

void load_stats_fini(LoadStats *stats)
{
	for (size_t i = 0; i < stats->step_count; i++)
		step_stats_fini(&stats->steps[i]);
	free(stats->steps);
	hist_free(stats->late);
	hist_free(stats->interval);
	*stats = (LoadStats){ 0 };
}

void load_stats_record(LoadStats *stats, size_t step, const Sample *sample, bool warm)
{
	StepStats *s = &stats->steps[step];
	bool timed = load_failure_is_timed(sample->failure);

	stats->ended++;
	stats->failed += sample->failure != LOAD_OK;
	stats->refused += sample->failure == LOAD_REFUSED;
	stats->answered += sample->status > 0;
	if (sample->failure == LOAD_OK)
		s->recent_us[s->recent_count++ % COUNT(s->recent_us)] =
			(uint32_t)MIN(sample->done_us - sample->sent_us, (int64_t)UINT32_MAX);
	if (timed)
		hist_record(stats->interval, sample->done_us - sample->due_us);
	if (warm) {
		stats->warm++;
		return;
	}
	s->count++;
	s->failures[sample->failure]++;
	s->statuses[sample->status / 100 < 6 ? sample->status / 100 : 0]++;
	s->bytes_in += sample->bytes_in;
	s->bytes_out += sample->bytes_out;
	if (!timed)
		return;
	hist_record(s->response, sample->done_us - sample->due_us);
	if (sample->sent_us)
		hist_record(s->service, sample->done_us - sample->sent_us);
}

uint64_t step_stats_failed(const StepStats *stats)
{
	return stats->count - stats->failures[LOAD_OK];
}

void step_stats_add(StepStats *into, const StepStats *from)
{
	hist_add(into->response, from->response);
	hist_add(into->service, from->service);
	into->count += from->count;
	for (size_t i = 0; i < COUNT(into->failures); i++)
		into->failures[i] += from->failures[i];
	for (size_t i = 0; i < COUNT(into->statuses); i++)
		into->statuses[i] += from->statuses[i];
	into->bytes_in += from->bytes_in;
	into->bytes_out += from->bytes_out;
}

void load_stats_add(LoadStats *into, const LoadStats *from)
{
	for (size_t i = 0; i < into->step_count; i++)
		step_stats_add(&into->steps[i], &from->steps[i]);
	hist_add(into->late, from->late);
	into->due += from->due;
	into->started += from->started;
	into->begun += from->begun;
	into->ended += from->ended;
	into->failed += from->failed;
	into->warm += from->warm;
	into->refused += from->refused;
	into->answered += from->answered;
	into->opened += from->opened;
	into->in_flight += from->in_flight;
	into->users += from->users;
	into->connections += from->connections;
}

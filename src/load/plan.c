/* SPDX-License-Identifier: Apache-2.0
 *
 * How many users are there at a time is Little's law: arrivals a second times the time that each of them stays, which is
 * its thinking and its answers. Nobody knows the answers' times before the run; taking every one for a time-out would
 * refuse runs that are harmless, so each is assumed to take what its step expects or a tenth of a second, and the plan
 * says so. Arrivals at random come in clusters: four deviations more.
 *
 * A closed connection keeps its port for a minute (TIME_WAIT), unless the kernel may use it again after a second. */
#include "load/plan.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"
#include "base/units.h"
#include "load/replay.h"

#include <math.h>
#include <stdio.h>
#include <sys/resource.h>

enum { FILES_SPARE = 64, WAIT_S = 60 };

/* --- a round of a user ---------------------------------------------------------------------------------------------- */

typedef struct Round {
	double us, requests;
	bool known;
} Round;

typedef struct Rounds {
	const ScenarioConf *conf;
	Round *blocks; /* each is walked once, however many run it */
} Rounds;

static Round round_of(Rounds *r, const StepConf *steps, size_t count);

static Round round_of_block(Rounds *r, Str name)
{
	for (size_t i = 0; i < r->conf->blocks.count; i++) {
		const BlockConf *block = &r->conf->blocks.at[i];

		if (!str_eq(block->name, name))
			continue;
		if (!r->blocks[i].known)
			r->blocks[i] = round_of(r, block->steps.at, block->steps.count);
		return r->blocks[i];
	}
	return (Round){ 0 };
}

static Round round_of_choice(Rounds *r, const StepConf *step)
{
	Round all = { 0 };
	double weights = 0;

	for (size_t i = 0; i < step->choose.count; i++)
		weights += step->choose.at[i].weight;
	for (size_t i = 0; i < step->choose.count && weights > 0; i++) {
		Round one = round_of_block(r, step->choose.at[i].name);

		all.us += one.us * step->choose.at[i].weight / weights;
		all.requests += one.requests * step->choose.at[i].weight / weights;
	}
	return all;
}

static double middle(const Span *span)
{
	return (double)(span->min_us + span->max_us) / 2;
}

static Round round_of_step(Rounds *r, const StepConf *step)
{
	double answer_us = (double)(step->expect_us >= 0 ? step->expect_us : PLAN_ANSWER_US);
	double messages = (double)step->websocket.send.count + 1;

	switch ((StepKind)step->kind) {
	case STEP_REQUEST:
		return (Round){ .us = answer_us, .requests = 1 };
	case STEP_WEBSOCKET:
		return (Round){ .us = answer_us * messages + (double)step->websocket.hold_us,
			        .requests = messages };
	case STEP_RUN:
		return round_of_block(r, step->run);
	case STEP_CHOOSE:
		return round_of_choice(r, step);
	case STEP_WAIT:
		break;
	}
	return (Round){ 0 };
}

static Round round_of(Rounds *r, const StepConf *steps, size_t count)
{
	Round all = { .known = true };

	for (size_t i = 0; i < count; i++) {
		Round one = round_of_step(r, &steps[i]);

		all.us += (one.us + middle(&steps[i].think)) * steps[i].repeat;
		all.requests += one.requests * steps[i].repeat;
	}
	return all;
}

/* Of all journeys, by their weight. stays: rounds after the first, as of users who stay. */
static Round mean_round(Arena *a, const ScenarioConf *conf, bool stays)
{
	Rounds r = { conf, ARENA_ARRAY(a, Round, conf->blocks.count + 1) };
	Round all = { 0 };
	double weights = 0;

	for (size_t i = 0; i < conf->journeys.count; i++)
		weights += conf->journeys.at[i].weight;
	for (size_t i = 0; i < conf->journeys.count && weights > 0; i++) {
		const JourneyConf *journey = &conf->journeys.at[i];
		Round first = round_of(&r, journey->once.at, stays ? 0 : journey->once.count);
		Round rest = round_of(&r, journey->steps.at, journey->steps.count);
		double share = journey->weight / weights;

		all.us += (first.us + rest.us + (stays ? middle(&journey->think) : 0)) * share;
		all.requests += (first.requests + rest.requests) * share;
	}
	return all;
}

/* --- what there is -------------------------------------------------------------------------------------------------- */

static void read_numbers(const char *path, unsigned *first, unsigned *second)
{
	FILE *file = fopen(path, "re");
	unsigned one, two;
	int count;

	if (!file)
		return;
	count = fscanf(file, "%u %u", &one, &two);
	if (count >= 1)
		*first = one;
	if (count >= 2 && second)
		*second = two;
	fclose(file);
}

static uint64_t ports_there(const Target *target)
{
	unsigned from = 32768, to = 60999;

	read_numbers("/proc/sys/net/ipv4/ip_local_port_range", &from, &to);
	return (uint64_t)(to >= from ? to - from + 1 : 0) * target_ways(target);
}

/* tcp_tw_reuse: 1 everywhere, 2 on loopback. */
static double wait_s(const Target *target)
{
	unsigned reuse = 0;

	read_numbers("/proc/sys/net/ipv4/tcp_tw_reuse", &reuse, NULL);
	return reuse == 1 || (reuse == 2 && target_is_loopback(target)) ? 1 : WAIT_S;
}

void plan_raise_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* --- the plan ------------------------------------------------------------------------------------------------------- */

/* The most that a second of a log has. */
static double replay_peak(const Replay *replay)
{
	size_t from = 0, most = 0;

	for (size_t i = 0; i < replay->count; i++) {
		while (replay->at[i].at_us - replay->at[from].at_us >= US_PER_S)
			from++;
		most = MAX(most, i - from + 1);
	}
	return (double)most;
}

static void plan_load(Plan *plan)
{
	const ScenarioConf *conf = plan->conf;

	plan->length_us = load_length_us(conf);
	if (conf->replay) {
		plan->arrivals = (double)conf->replay->count;
		plan->peak = replay_peak(conf->replay) / plan->parts;
		return;
	}
	plan->arrivals = rate_area(conf->stages.at, conf->stages.count, plan->length_us);
	plan->peak = rate_peak(conf->stages.at, conf->stages.count) / plan->parts;
}

Plan plan_of(const ScenarioConf *conf, const Target *target, unsigned parts)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Plan plan = { .conf = conf, .target = target, .parts = parts };
	Round arrival = mean_round(a, conf, false), stay = mean_round(a, conf, true);
	double staying = conf->has_users ? ceil((double)conf->users.count / parts) : 0;
	double seconds, present, opened;
	struct rlimit limit = { 0 };

	plan_load(&plan);
	if (conf->replay)
		arrival = (Round){ .us = (double)PLAN_ANSWER_US, .requests = 1 };
	plan.journey_us = (int64_t)arrival.us;
	seconds = (double)plan.length_us / 1e6;
	present = MIN(plan.peak * arrival.us / 1e6, plan.arrivals / parts);
	if (conf->poisson)
		present += 4 * sqrt(present);
	plan.requests = plan.peak * arrival.requests +
	                (stay.us > 0 ? staying * stay.requests * 1e6 / stay.us : 0);
	plan.users = (uint64_t)(ceil(present) + staying);
	plan.connections = plan.users;
	plan.files = plan.connections + FILES_SPARE;
	plan.files_limit = getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : UINT64_MAX;
	opened = !conf->connections.keep ? plan.requests : conf->shared ? 0 : plan.peak;
	plan.ports = plan.connections + (uint64_t)(opened * MIN(wait_s(target), seconds));
	plan.ports_there = ports_there(target);
	return plan;
}

Err *plan_check(Arena *a, const Plan *plan)
{
	if (plan->files > plan->files_limit)
		return err_new(a, ERR_BUSY, "load.files",
		               "%" PRIu64
		               " users need as many connections, and this process may open %" PRIu64
		               " files: try `ulimit -n %" PRIu64
		               "` first (as root), or fewer users",
		               plan->users, plan->files_limit, plan->files);
	if (plan->ports > plan->ports_there)
		return err_new(
			a, ERR_BUSY, "load.ports",
			"%" PRIu64
			" ports are needed, those of closed connections included, and there are %" PRIu64
			": give connections.from more addresses of this machine, or try `sysctl -w net.ipv4.ip_local_port_range=\"1024 65535\" net.ipv4.tcp_tw_reuse=1` first",
			plan->ports, plan->ports_there);
	return NULL;
}

/* --- in words ------------------------------------------------------------------------------------------------------- */

static void put_duration(Buf *out, int64_t us)
{
	units_put_duration(out, us);
}

static void put_stages(Buf *out, const Plan *plan)
{
	const ScenarioConf *conf = plan->conf;

	for (size_t i = 0; i < conf->stages.count; i++) {
		const RateStage *stage = &conf->stages.at[i];

		buf_fmt(out, i ? ", then %g/s" : "load         %g/s", stage->from);
		if (stage->to != stage->from)
			buf_fmt(out, " to %g/s", stage->to);
		buf_put(out, S(" for "));
		put_duration(out, stage->us);
	}
	if (conf->replay)
		buf_fmt(out, "load         a log of %zu requests", conf->replay->count);
	if (plan->arrivals > 0)
		buf_fmt(out, ": %.0f arrivals%s\n", plan->arrivals,
		        conf->poisson ? " on average, at random" : "");
	if (conf->has_users) {
		buf_fmt(out, "users        %" PRIu32 " who stay for ", conf->users.count);
		put_duration(out, conf->users.for_us);
		buf_put(out, S("\n"));
	}
}

void plan_put(Buf *out, const Plan *plan)
{
	const ScenarioConf *conf = plan->conf;

	buf_fmt(out, "target       %.*s\nlength       ", STR_ARG(conf->target));
	put_duration(out, plan->length_us);
	if (conf->warmup_us) {
		buf_put(out, S(", the first "));
		put_duration(out, conf->warmup_us);
		buf_put(out, S(" not counted"));
	}
	buf_put(out, S("\n"));
	put_stages(out, plan);
	buf_fmt(out, "steps        %zu, in %zu journeys; %zu thresholds\n", conf->all.count,
	        conf->journeys.count, conf->thresholds.count);
	buf_fmt(out, "requests     about %.0f/s at the peak\n", plan->requests);
	buf_fmt(out, "connections  about %" PRIu64 ", one a user: a round takes ",
	        plan->connections);
	put_duration(out, plan->journey_us / US_PER_MS * US_PER_MS);
	buf_put(out, S(" when each answer takes "));
	put_duration(out, PLAN_ANSWER_US);
	buf_fmt(out,
	        ", or what its step expects\nfiles        %" PRIu64 " of %" PRIu64
	        "\nports        %" PRIu64 " of %" PRIu64 "\n",
	        plan->files, plan->files_limit, plan->ports, plan->ports_there);
	if (plan->parts > 1)
		buf_fmt(out, "workers      %u: rates, users, files and ports are those of each\n",
		        plan->parts);
}

void plan_put_json(Buf *out, const Plan *plan)
{
	const ScenarioConf *conf = plan->conf;
	JsonWriter w = json_writer(out);

	json_begin_object(&w);
	json_put_str(&w, "target", conf->target);
	json_put_i64(&w, "length_us", plan->length_us);
	json_put_i64(&w, "warmup_us", conf->warmup_us);
	json_key(&w, S("stages"));
	json_begin_array(&w);
	for (size_t i = 0; i < conf->stages.count; i++) {
		json_begin_object(&w);
		json_put_real(&w, "from", conf->stages.at[i].from);
		json_put_real(&w, "to", conf->stages.at[i].to);
		json_put_i64(&w, "for_us", conf->stages.at[i].us);
		json_end(&w);
	}
	json_end(&w);
	json_put_real(&w, "arrivals", plan->arrivals);
	json_put_real(&w, "peak", plan->peak);
	json_put_u64(&w, "users_staying", conf->has_users ? conf->users.count : 0);
	json_put_u64(&w, "users", plan->users);
	json_put_real(&w, "requests_per_second", plan->requests);
	json_put_i64(&w, "journey_us", plan->journey_us);
	json_put_i64(&w, "answer_assumed_us", PLAN_ANSWER_US);
	json_put_u64(&w, "connections", plan->connections);
	json_put_u64(&w, "files", plan->files);
	json_put_u64(&w, "files_limit", plan->files_limit);
	json_put_u64(&w, "ports", plan->ports);
	json_put_u64(&w, "ports_there", plan->ports_there);
	json_put_u64(&w, "workers", plan->parts);
	json_put_u64(&w, "journeys", conf->journeys.count);
	json_put_u64(&w, "steps", conf->all.count);
	json_put_u64(&w, "thresholds", conf->thresholds.count);
	json_end(&w);
	buf_put(out, S("\n"));
}

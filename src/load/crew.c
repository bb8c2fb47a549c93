/* SPDX-License-Identifier: Apache-2.0
 *
 * Coordinator and workers. The conversation, a JSON value a line:
 *
 *   worker       {"banyan": "load", "token": ...}
 *   coordinator  {"scenario": TEXT, "shared": bool, "part": 0, "parts": 3}
 *   worker       {"ready": true} or {"error": SENTENCE}
 *   coordinator  {"go": true}            when all are ready
 *   worker       {"moment": {...}} ...   a second each
 *   coordinator  {"stop": true}          at any time
 *   worker       {"result": {...}, "took_us": ...} or {"error": SENTENCE} */
#include "load/crew.h"

#include "base/arena.h"
#include "base/time.h"
#include "load/scenario_int.h"
#include "load/wire.h"
#include "rt/dns.h"
#include "rt/listen.h"

#include <stdio.h>
#include <unistd.h>

static Err wrong_token = ERR_STATIC(DENIED, "load.token", "the worker's token is another one");
static Err strange = ERR_STATIC(INVALID, "load.message", "a message was not what was expected");

static void wire_close(Wire *wire)
{
	wire_fini(wire);
	if (wire->stream)
		stream_close(wire->stream);
}

static Err *send_flag(Wire *wire, const char *key)
{
	char line[32];
	int len = snprintf(line, sizeof line, "{\"%s\":true}", key);

	return wire_send(wire, (Str){ line, (size_t)len });
}

/* {"error": ...} of the other side as an error here. */
static Err *said_error(Arena *a, const Json *message)
{
	Str text;

	if (!json_to_str(json_get(message, S("error")), &text))
		return NULL;
	return err_new(a, ERR_UPSTREAM, "load.worker", "a worker said: %.*s", STR_ARG(text));
}

/* --- a worker ------------------------------------------------------------------------------------------------------- */

typedef struct Worker {
	Arena *arena;
	Wire wire;
	LoadRun *run;
	Err *lost;
} Worker;

static void tell_moment(void *arg, LoadRun *run, const Moment *now)
{
	Worker *worker = arg;
	AUTO(buf_fini) Buf line = { 0 };
	JsonWriter w = json_writer(&line);

	json_begin_object(&w);
	json_key(&w, S("moment"));
	wire_put_moment(&w, now);
	json_end(&w);
	if (!worker->lost)
		worker->lost = wire_send(&worker->wire, buf_str(&line));
	if (worker->lost)
		load_stop(run, "the coordinator left");
}

/* Whatever the coordinator says now, or that it leaves, ends the run. */
static Err *mind_coordinator(void *arg)
{
	Worker *worker = arg;
	const Json *message;
	Err *err = wire_receive(&worker->wire, worker->arena, &message);

	if (fiber_cancelled())
		return err;
	if (worker->run)
		load_stop(worker->run, "the coordinator said so");
	return NULL;
}

static Err *read_order(Worker *worker, const Json *order, LoadAsk *ask, ScenarioConf **conf)
{
	Arena *a = worker->arena;
	int64_t part, parts;
	Str text;

	TRY(json_need_str(a, order, "scenario", &text));
	TRY(json_need_i64(a, order, "part", &part));
	TRY(json_need_i64(a, order, "parts", &parts));
	if (parts < 1 || parts > 10000 || part < 0 || part >= parts)
		return &strange;
	TRY(scenario_read(a, conf_new(a), S("the coordinator's scenario"), text, conf));
	TRY(json_need_bool(a, order, "shared", &(*conf)->shared));
	ask->conf = *conf;
	ask->part = (unsigned)part;
	ask->parts = (unsigned)parts;
	return NULL;
}

static Err *tell_result(Worker *worker, const LoadResult *result)
{
	AUTO(buf_fini) Buf line = { 0 };
	JsonWriter w = json_writer(&line);

	json_begin_object(&w);
	json_key(&w, S("result"));
	wire_put_stats(&w, &result->stats);
	json_put_i64(&w, "took_us", result->took_us);
	json_put_i64(&w, "measured_us", result->measured_us);
	json_put_real(&w, "asked", result->asked);
	json_put_real(&w, "got", result->got);
	if (result->stopped)
		json_put_str(&w, "stopped", str_of(result->stopped));
	json_end(&w);
	return wire_send(&worker->wire, buf_str(&line));
}

static Err *work(Worker *worker, CrewMay *may, void *arg)
{
	Arena *a = worker->arena;
	LoadAsk ask = { .watch = tell_moment, .watch_arg = worker, .run = &worker->run };
	AUTO(load_result_fini) LoadResult result = { 0 };
	AUTO(child_end) Child listener = { 0 };
	const Json *message;
	ScenarioConf *conf;
	Target *target;

	TRY(wire_receive(&worker->wire, a, &message));
	TRY(said_error(a, message));
	TRY(read_order(worker, message, &ask, &conf));
	TRY(target_new(a, conf, &target));
	TRY(may(arg, target));
	ask.target = target;
	TRY(send_flag(&worker->wire, "ready"));
	TRY(wire_receive(&worker->wire, a, &message)); /* go */
	TRY(child_start(&listener, mind_coordinator, worker, "coordinator"));
	TRY(load_run(a, &ask, &result));
	child_end(&listener);
	return worker->lost ? worker->lost : tell_result(worker, &result);
}

static Err *connect_to(Arena *a, Str address, Stream *stream)
{
	ptrdiff_t colon = str_rfind_char(address, ':');
	uint64_t port;
	Addr *addrs;
	size_t count;

	if (colon < 0 || !str_to_u64(str_sub(address, (size_t)colon + 1, address.len), &port) ||
	    port > UINT16_MAX)
		return err_new(a, ERR_INVALID, "load.coordinator", "%.*s: expected host:port",
		               STR_ARG(str_quote(a, address)));
	TRY(dns_resolve(a, str_sub(address, 0, (size_t)colon), (uint16_t)port, &addrs, &count));
	return stream_connect(stream, &addrs[0]);
}

static Err *introduce(Wire *wire, Str token)
{
	AUTO(buf_fini) Buf line = { 0 };
	JsonWriter w = json_writer(&line);

	json_begin_object(&w);
	json_put_str(&w, "banyan", S("load"));
	json_put_str(&w, "token", token);
	json_end(&w);
	return wire_send(wire, buf_str(&line));
}

static Err *tell_error(Worker *worker, Err *err)
{
	AUTO(buf_fini) Buf line = { 0 };
	JsonWriter w = json_writer(&line);

	json_begin_object(&w);
	json_put_str(&w, "error", err_chain(worker->arena, err));
	json_end(&w);
	return wire_send(&worker->wire, buf_str(&line));
}

static void worker_fini(Worker *worker)
{
	wire_fini(&worker->wire);
}

Err *crew_work(Arena *a, Str coordinator, Str token, CrewMay *may, void *arg)
{
	AUTO(stream_close) Stream stream = STREAM_CLOSED;
	AUTO(worker_fini) Worker worker = { .arena = a };
	Err *err;

	TRY(connect_to(a, coordinator, &stream));
	worker.wire.stream = &stream;
	TRY(introduce(&worker.wire, token));
	err = work(&worker, may, arg);
	if (err && !worker.lost && tell_error(&worker, err))
		return err; /* it is gone too */
	return err;
}

/* --- the coordinator ------------------------------------------------------------------------------------------------ */

typedef struct Member {
	Stream stream;
	Wire wire;
	Child child;
	struct Crew *crew;
	Arena *arena; /* of its messages */
	Moment last;
	bool done;
} Member;

typedef struct Crew {
	const CrewAsk *ask;
	Arena *arena;
	LoadResult *result;
	Member *members;
	unsigned count; /* that have introduced themselves */
	Fiber *fiber;
	int waiting[64]; /* connections that were accepted */
	size_t waiting_count;
	size_t moment_room;
} Crew;

static void took_connection(void *arg, int fd, const Addr *peer)
{
	Crew *crew = arg;

	(void)peer;
	if (crew->waiting_count == COUNT(crew->waiting)) {
		close(fd);
		return;
	}
	crew->waiting[crew->waiting_count++] = fd;
	fiber_wake(crew->fiber);
}

static Err *check_introduction(Crew *crew, Member *member)
{
	enum { PATIENCE_US = 5000000 };
	AUTO(deadline_end) Deadline limit = deadline_begin(PATIENCE_US);
	const Json *message;
	Str what = { 0 }, token = { 0 };

	TRY(wire_receive(&member->wire, member->arena, &message));
	(void)json_to_str(json_get(message, S("banyan")), &what);
	(void)json_to_str(json_get(message, S("token")), &token);
	if (!str_eq(what, S("load")))
		return &strange;
	return str_eq(token, crew->ask->token) ? NULL : &wrong_token;
}

static void member_close(Member *member)
{
	child_end(&member->child);
	wire_close(&member->wire);
	arena_free(member->arena);
	*member = (Member){ .stream = STREAM_CLOSED };
}

/* Who does not introduce himself is shown out, and another one is waited for. */
static Err *take_member(Crew *crew, int fd)
{
	Member *member = &crew->members[crew->count];
	Err *err;

	*member = (Member){ .stream = STREAM_CLOSED, .crew = crew, .arena = arena_new(0) };
	err = stream_open(&member->stream, fd);
	if (err) {
		close(fd);
		member_close(member);
		return NULL;
	}
	member->wire.stream = &member->stream;
	err = check_introduction(crew, member);
	if (!err) {
		crew->count++;
		return NULL;
	}
	if (err == &wrong_token)
		(void)!wire_send(&member->wire, S("{\"error\": \"the token is another one\"}"));
	member_close(member);
	return fiber_cancelled() ? err : NULL;
}

static Err *assemble(Crew *crew)
{
	while (crew->count < crew->ask->workers) {
		if (*crew->ask->stop)
			return NULL;
		if (!crew->waiting_count) {
			TRY(fiber_park());
			continue;
		}
		TRY(take_member(crew, crew->waiting[--crew->waiting_count]));
	}
	return NULL;
}

static Err *give_orders(Crew *crew)
{
	AUTO(buf_fini) Buf scenario = { 0 };

	conf_put_yaml(&scenario, scenario_table(), crew->ask->conf);
	for (unsigned i = 0; i < crew->count; i++) {
		AUTO(buf_fini) Buf line = { 0 };
		JsonWriter w = json_writer(&line);

		json_begin_object(&w);
		json_put_str(&w, "scenario", buf_str(&scenario));
		json_put_bool(&w, "shared", crew->ask->conf->shared);
		json_put_i64(&w, "part", i);
		json_put_i64(&w, "parts", crew->count);
		json_end(&w);
		TRY(wire_send(&crew->members[i].wire, buf_str(&line)));
	}
	for (unsigned i = 0; i < crew->count; i++) {
		const Json *message;

		TRY(wire_receive(&crew->members[i].wire, crew->arena, &message));
		TRY(said_error(crew->arena, message));
	}
	for (unsigned i = 0; i < crew->count; i++)
		TRY(send_flag(&crew->members[i].wire, "go"));
	return NULL;
}

static Err *add_result(Crew *crew, const Json *json)
{
	LoadResult *result = crew->result;
	int64_t took_us, measured_us;
	double asked = 0, got = 0;
	Str stopped;

	TRY(json_need_i64(crew->arena, json, "took_us", &took_us));
	TRY(json_need_i64(crew->arena, json, "measured_us", &measured_us));
	(void)json_to_real(json_get(json, S("asked")), &asked);
	(void)json_to_real(json_get(json, S("got")), &got);
	TRY(wire_add_stats(json_get(json, S("result")), &result->stats));
	result->took_us = MAX(result->took_us, took_us);
	result->measured_us = MAX(result->measured_us, measured_us);
	result->asked += asked;
	result->got += got;
	if (json_to_str(json_get(json, S("stopped")), &stopped))
		result->stopped = str_z(crew->arena, stopped);
	return NULL;
}

static Err *listen_to(void *arg)
{
	Member *member = arg;
	Crew *crew = member->crew;

	while (!member->done) {
		const Json *message, *part;

		arena_clear(member->arena);
		TRY(wire_receive(&member->wire, member->arena, &message));
		TRY(said_error(crew->arena, message));
		part = json_get(message, S("moment"));
		if (part)
			wire_read_moment(part, &member->last);
		if (json_get(message, S("result"))) {
			TRY(add_result(crew, message));
			member->done = true;
		}
	}
	return NULL;
}

/* Rates add up; of times the worst of them is shown, the exact ones come with the result. */
static Moment together(const Crew *crew)
{
	Moment all = { .warm = true };

	for (unsigned i = 0; i < crew->count; i++) {
		const Moment *m = &crew->members[i].last;

		all.at_us = MAX(all.at_us, m->at_us);
		all.asked += m->asked;
		all.got += m->got;
		all.ended += m->ended;
		all.failed += m->failed;
		all.in_flight += m->in_flight;
		all.users += m->users;
		all.connections += m->connections;
		all.p50_us = MAX(all.p50_us, m->p50_us);
		all.p99_us = MAX(all.p99_us, m->p99_us);
		all.max_us = MAX(all.max_us, m->max_us);
		all.warm = all.warm && m->warm;
	}
	return all;
}

static void look(Crew *crew)
{
	LoadResult *result = crew->result;
	Moment now = together(crew);

	if (!now.at_us || result->moment_count == crew->moment_room)
		return;
	result->moments[result->moment_count++] = now;
	if (crew->ask->watch)
		crew->ask->watch(crew->ask->watch_arg, NULL, &now);
}

static bool all_done(const Crew *crew, Err **err)
{
	bool done = true;

	*err = NULL;
	for (unsigned i = 0; i < crew->count; i++) {
		const Member *member = &crew->members[i];

		if (member->child.done && member->child.result)
			*err = member->child.result;
		done = done && member->done;
	}
	return done;
}

static Err *conduct(Crew *crew)
{
	bool told = false;
	Err *err;

	for (unsigned i = 0; i < crew->count; i++)
		TRY(child_start(&crew->members[i].child, listen_to, &crew->members[i], "worker"));
	for (int64_t next_us = loop_now_us() + US_PER_S;;) {
		if (all_done(crew, &err))
			return NULL;
		TRY(err);
		if (*crew->ask->stop && !told) {
			told = true;
			for (unsigned i = 0; i < crew->count; i++)
				TRY(send_flag(&crew->members[i].wire, "stop"));
		}
		if (loop_now_us() >= next_us) {
			look(crew);
			next_us += US_PER_S;
		}
		err = fiber_sleep(20 * US_PER_MS);
		TRY(err);
	}
}

static void crew_end(Crew *crew)
{
	for (unsigned i = 0; i < crew->count; i++)
		member_close(&crew->members[i]);
	for (size_t i = 0; i < crew->waiting_count; i++)
		close(crew->waiting[i]);
}

static void listener_end(Listener **listener)
{
	listener_close(*listener);
}

static Err *conduct_all(Crew *crew)
{
	AUTO(listener_end) Listener *listener = NULL;
	Addr addr;

	TRY(addr_parse(crew->arena, crew->ask->listen, &addr));
	if (!addr_is_loopback(&addr) && !crew->ask->token.len)
		return err_new(
			crew->arena, ERR_DENIED, "load.token",
			"%.*s can be reached by others: say --token WORD, here and to the workers",
			STR_ARG(crew->ask->listen));
	TRY(listener_open(crew->arena, &addr, &listener));
	fprintf(stderr, "waiting for %u workers on %.*s\n", crew->ask->workers,
	        STR_ARG(addr_text(crew->arena, listener_addr(listener))));
	listener_start(listener, took_connection, crew);
	TRY(assemble(crew));
	TRY(give_orders(crew));
	crew->result->start_utc_us = time_utc_us();
	return conduct(crew);
}

Err *crew_coordinate(Arena *a, const CrewAsk *ask, LoadResult *result)
{
	AUTO(crew_end) Crew crew = {
		.ask = ask, .arena = a, .result = result, .fiber = fiber_self()
	};
	size_t steps = ask->conf->all.count;

	crew.members = ARENA_ARRAY(a, Member, ask->workers);
	crew.moment_room =
		(size_t)((load_length_us(ask->conf) + ask->conf->grace_us) / US_PER_S) + 16;
	*result = (LoadResult){ .conf = ask->conf,
		                .moments = ARENA_ARRAY(a, Moment, crew.moment_room),
		                .expect_us = ARENA_ARRAY(a, int64_t, steps + 1) };
	load_stats_init(&result->stats, steps);
	for (size_t i = 0; i < steps; i++)
		result->expect_us[i] = -1;
	return conduct_all(&crew);
}

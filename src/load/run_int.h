/* SPDX-License-Identifier: Apache-2.0
 *
 * Between run.c (arrivals, time) and user.c (what a user does). */
#pragma once
#include "base/list.h"
#include "load/data.h"
#include "load/extract.h"
#include "load/replay.h"
#include "load/run.h"
#include "load/text.h"

/* A step with its texts taken apart. */
typedef struct Step {
	const StepConf *conf;
	Text *path, *body;
	struct {
		Str name;
		Text *text;
	} * headers;
	size_t header_count;
	struct {
		Text *name, *value;
	} * form;
	size_t form_count;
	Text **messages; /* of a WebSocket */
	Text *wanted;    /* check.body; NULL: none */
	Seeker *seeker;
} Step;

typedef struct RunLoop RunLoop;

typedef struct IdleConn {
	Node node; /* RunLoop.idle */
	HttpConn *conn;
	RunLoop *l;
} IdleConn;

/* One loop's part. */
struct RunLoop {
	LoadRun *run;
	LoadStats stats;
	List idle;       /* IdleConn: with shared connections, the one used last first */
	uint32_t turn;   /* of source addresses */
	uint32_t fibers; /* of drivers and users, alive */
	bool cut;        /* what is in flight is given up */
	List users;      /* User.node: those alive */
	int64_t last_us; /* when the last arrival began */
};

struct LoadRun {
	const ScenarioConf *conf;
	const Target *target;
	const LoadAsk *ask;
	Arena *arena;
	RunLoop *loops;
	Step *steps;   /* by StepConf.index */
	DataSet *data; /* of conf->data */
	int64_t start_us, warm_us,
		end_us; /* loop clock; end: no request begins after it; what was due until warm_us is the warm-up's */
	int64_t *expect_us;  /* atomic, by step; -1: not known yet */
	const char *stop;    /* atomic: why it ends early... */
	int64_t stop_us;     /* atomic: ...and since when; INT64_MAX: not */
	uint32_t users_made; /* atomic */
};

RunLoop *run_loop(LoadRun *run);         /* this thread's */
bool run_is_stopped(const LoadRun *run); /* before its time */
bool run_is_over(const LoadRun *run);    /* nothing new begins */

typedef enum UserKind { USER_ARRIVAL, USER_STAYING, USER_REPLAY } UserKind;

/* A fiber's main: one user, from its first step to its end. user_start counts it. */
Err *user_start(LoadRun *run, UserKind kind, int64_t due_us, uint32_t entry) MUST_USE;
void users_cut(RunLoop *l);  /* those of this loop are cancelled */
void idle_close(RunLoop *l); /* shared connections */

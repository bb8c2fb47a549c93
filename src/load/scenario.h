/* SPDX-License-Identifier: Apache-2.0
 *
 * A scenario as it is written: plain structs, filled from YAML by the tables in scenario.c (which are the manual too) and
 * immutable after that. Strings live in the arena that was given; times are microseconds.
 *
 * A *user* walks one *journey* after another: the steps of `once` when it begins, then those of `steps`. Texts with {NAME}
 * in them are templates (text.h): variables of the scenario, columns of data ({people.email}), what a step extracted, cookies
 * ({cookie.NAME}), and {user}, {round}, {uuid}, {random}. */
#pragma once
#include "base/conf.h"
#include "load/rate.h"

/* "500ms", or "1s..3s": evenly between the two. */
typedef struct Span {
	Str text;
	int64_t min_us, max_us; /* of `text` */
} Span;

typedef struct NamedText {
	Str name;
	Str text;
} NamedText;

/* Takes something out of an answer into a variable; exactly one of the four is given. */
typedef struct ExtractConf {
	Str variable;
	Str pattern; /* PCRE2 in the body: its first group, or all of it */
	Str header;
	Str cookie;    /* that the answer sets */
	Str jq;        /* filter of a JSON body */
	Str otherwise; /* when it is not there; else that is a failed check */
	bool has_otherwise;
} ExtractConf;

typedef struct CheckConf {
	Str status; /* "200" or "200-399" */
	uint16_t status_min, status_max;
	Str body;                        /* template that the body contains */
	Str pattern;                     /* PCRE2 that is found in it */
	CONF_LIST_OF(NamedText) headers; /* contain that */
	int64_t within_us;               /* response time; 0: no limit */
} CheckConf;

typedef struct WeightConf {
	Str name; /* of a block */
	double weight;
} WeightConf;

typedef struct WebSocketConf {
	Str path;
	CONF_LIST_OF(Str) send; /* text messages, each answered by at least one */
	int64_t hold_us;        /* how long it stays open after them */
} WebSocketConf;

typedef enum StepKind { STEP_REQUEST, STEP_RUN, STEP_CHOOSE, STEP_WEBSOCKET, STEP_WAIT } StepKind;

typedef struct StepConf {
	Str name;     /* in reports; empty: method and path as written */
	uint8_t kind; /* StepKind, by what was given */
	Str get, post, put, patch, delete,
		head; /* path or URL of that method; exactly one in a request */
	Str method;   /* of those */
	Str path;     /* and its text */
	CONF_LIST_OF(NamedText) headers;
	Str body;
	CONF_LIST_OF(NamedText) form; /* application/x-www-form-urlencoded, values escaped */
	bool has_body;
	Span think; /* after it */
	CheckConf check;
	CONF_LIST_OF(ExtractConf) extract;
	int64_t expect_us; /* how long it is expected to take; -1: learned in the warm-up */
	bool has_expect;
	int64_t timeout_us;              /* 0: the scenario's */
	bool redirects;                  /* are followed, each as a request of its own */
	Str run;                         /* a block */
	uint32_t repeat;                 /* times it is run */
	CONF_LIST_OF(WeightConf) choose; /* one of these blocks */
	bool has_websocket;
	WebSocketConf websocket;
	uint32_t index; /* in Scenario.all: for arrays beside it */
} StepConf;

typedef struct BlockConf {
	Str name;
	CONF_LIST_OF(StepConf) steps;
} BlockConf;

typedef struct JourneyConf {
	Str name;
	double weight; /* share of the users */
	CONF_LIST_OF(StepConf) once;
	CONF_LIST_OF(StepConf) steps;
	Span think; /* between two rounds */
} JourneyConf;

typedef enum DataOrder { DATA_NEXT, DATA_RANDOM } DataOrder;

typedef struct DataConf {
	Str name;
	Str file;      /* .csv with a heading, or .ndjson */
	uint8_t order; /* DataOrder */
} DataConf;

typedef struct StageConf {
	double rate; /* arrivals a second */
	double to;   /* at its end; as `rate` when not given */
	bool has_to;
	int64_t for_us;
} StageConf;

typedef struct UsersConf {
	uint32_t count; /* 0: none, the open model alone */
	int64_t ramp_us;
	int64_t for_us; /* the ramp included */
} UsersConf;

typedef enum Protocol { PROTOCOL_AUTO, PROTOCOL_HTTP1, PROTOCOL_H2 } Protocol;

typedef struct TlsConf {
	bool verify;
	Str ca;
} LoadTlsConf;

typedef struct ConnectConf {
	bool keep;        /* a user's connection between its requests */
	uint8_t protocol; /* Protocol */
	CONF_LIST_OF(Str)
	from; /* source addresses or networks; none: the kernel's choice, 127.0.0.0/8 for loopback */
	CONF_LIST_OF(Str) resolve; /* "host:address" */
	LoadTlsConf tls;
} ConnectConf;

typedef struct ScenarioConf {
	Str name;
	Str target;                   /* http://host:port, before paths */
	CONF_LIST_OF(StageConf) load; /* the open model */
	UsersConf users;              /* the closed one */
	bool has_users;
	bool poisson;
	int64_t warmup_us;
	int64_t timeout_us; /* of a request, from when it was sent */
	int64_t grace_us;   /* for what is in flight at the end */
	ConnectConf connections;
	CONF_LIST_OF(NamedText) headers;
	CONF_LIST_OF(NamedText) variables;
	CONF_LIST_OF(DataConf) data;
	CONF_LIST_OF(BlockConf) blocks;
	CONF_LIST_OF(JourneyConf) journeys;
	CONF_LIST_OF(Str) thresholds; /* verdict.h */
	bool abort_on_fail;
	bool shared; /* users take whichever connection is free, and are no more than their requests: one target */
	const struct Replay *replay; /* instead of load and users: replay.h */
	/* derived */
	CONF_LIST_OF(RateStage) stages; /* of `load` */
	CONF_LIST_OF(const StepConf *)
	all; /* every step of every journey and block, by StepConf.index */
} ScenarioConf;

const ConfTable *scenario_table(void);

/* Reads the whole file; fails with "base.file" or INVALID "conf.invalid", conf_mistakes() having them all. conf is fresh.
 * Blocks on the disk. */
Err *scenario_load(Arena *a, Conf *conf, Str path, ScenarioConf **out) MUST_USE;
Err *scenario_read(Arena *a, Conf *conf, Str name, Str text, ScenarioConf **out) MUST_USE;

/* What needs memory: `all` and `stages`. Reading does it; again after `load` was changed. */
void scenario_finish(Arena *a, ScenarioConf *conf);

/* One step for ever: GET (or what is said) of one URL, as `banyan load URL` asks for. Fails with INVALID "load.url". */
typedef struct OneTarget {
	Str url, method, body;
	CONF_LIST_OF(Str) headers; /* "Name: value" */
} OneTarget;
Err *scenario_of_url(Arena *a, const OneTarget *one, ScenarioConf **out) MUST_USE;

Str step_label(Arena *a, const StepConf *step);

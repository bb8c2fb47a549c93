/* SPDX-License-Identifier: Apache-2.0
 *
 * The part of the configuration that moves a route from its old side to its new one. The gateway reads it; what is done with
 * it is the shift's (hooks.h). Its rows are in conf_shift.c. */
#pragma once
#include "base/conf.h"

/* What a user is known by, in the order that is tried. */
typedef enum StickyBy {
	STICKY_COOKIE_OF_OURS, /* auto: a signed cookie of the gateway's own */
	STICKY_HEADER,
	STICKY_COOKIE,
	STICKY_ADDRESS,
	STICKY_CLAIM, /* that was verified */
} StickyBy;

typedef enum ShadowEffects { EFFECTS_UNKNOWN, EFFECTS_NONE } ShadowEffects;

typedef struct ShadowConf {
	uint32_t sample_ppm; /* of the requests that may be shadowed */
	uint32_t beside_ppm; /* of that, while users are on the new side */
	uint8_t effects;     /* ShadowEffects: the declaration */
	Str sandbox; /* header that makes the new side change nothing; unsafe methods are shadowed with it; empty: none */
	uint32_t noise_ppm;  /* of those shadowed, how many ask the old side a second time */
	uint32_t at_once;    /* in flight, of this route; more are dropped and counted */
	uint64_t body_bytes; /* larger answers are not compared */
	int64_t timeout_us;
} ShadowConf;

typedef struct PathValueConf {
	Str path;
	Str value;
} PathValueConf;

typedef struct CompareConf {
	CONF_LIST_OF(Str) ignore, unordered, sets, mask, headers;
	CONF_LIST_OF(PathValueConf) tolerance, keyed;
	Str map; /* a jq filter; empty: none */
} CompareConf;

typedef enum JudgeOn {
	JUDGE_ON_ERRORS,
	JUDGE_ON_P50,
	JUDGE_ON_P95,
	JUDGE_ON_P99,
	JUDGE_ON_MISMATCH
} JudgeOn;

typedef enum CounterWorse { COUNTER_FEWER, COUNTER_MORE } CounterWorse;

/* A business counter: an answer that says that something went well, or (worse: more) that it did not. */
typedef struct CounterConf {
	Str name;
	Str header; /* there, and not "0" or "false": it counts */
	Str field; /* or this JSON field of the answer, .payment.status: there, and not null, false, 0 or "" */
	Str equals; /* it counts with this value, and with no other */
	bool has_header, has_field, has_equals;
	uint8_t worse; /* CounterWorse */
} CounterConf;
enum { COUNTERS_MAX = 6, COUNTER_NAME_MAX = 47 };

typedef struct JudgeConf {
	double alpha;
	CONF_LIST_OF(uint8_t) metrics; /* JudgeOn */
	CONF_LIST_OF(CounterConf) counters;
	Str hold;        /* "auto", or how long a step lasts at least */
	int64_t hold_us; /* of `hold`; 0: auto */
	int64_t fast_us; /* what is answered within is never slow */
	double margin;   /* a rise by this share is no regression */
} JudgeConf;

typedef struct OverrideConf {
	Str name;   /* "header:X-Canary" or "cookie:canary", or "user": an id of `sticky` */
	uint8_t by; /* StickyBy, of `name`; of "user" the cookie of ours */
	Str field;  /* the header's or cookie's name */
	CONF_LIST_OF(Str) to_new, to_old;
} OverrideConf;

typedef struct ShiftConf {
	CONF_LIST_OF(Str)
	sticky; /* "auto", "header:X-Tenant", "cookie:NAME", "claim:NAME", "address" */
	ShadowConf shadow;
	CompareConf compare;
	CONF_LIST_OF(uint32_t) steps; /* parts per million, rising */
	JudgeConf judge;
	uint32_t holdback_ppm; /* that stay on the old side in `new` */
	uint32_t cap;          /* users on the new side below 100 %; 0: no limit */
	Str group; /* routes of one group are one subject; empty: the route's own name */
	CONF_LIST_OF(OverrideConf) overrides;
	uint32_t objective_ppm; /* of requests that succeed */
	bool manual;            /* a person says when the next step begins */
} ShiftConf;

typedef enum WritesMode {
	WRITES_SINGLE, /* to the side that the user is on, and nowhere else */
	WRITES_DUAL    /* and then to the other */
} WritesMode;

typedef enum WritesUnable { UNABLE_REFUSE, UNABLE_SINGLE } WritesUnable;
typedef enum WritesOverlap { OVERLAP_WAIT, OVERLAP_ALLOW } WritesOverlap;
typedef enum WritesCompare { WRITES_COMPARE_CLASS, WRITES_COMPARE_ANSWER } WritesCompare;

typedef struct WritesConf {
	uint8_t mode; /* WritesMode */
	Str key;      /* writes_key_read */
	bool repeat; /* declared: the side asked first may be asked twice with one Idempotency-Key */
	uint8_t overlap;          /* WritesOverlap */
	int64_t wait_us;          /* for writes of the same key before it */
	uint64_t body;            /* bytes of a request's body that are kept */
	uint8_t large;            /* WritesUnable: of a larger one */
	uint32_t queue;           /* writes that are kept */
	uint8_t unable;           /* WritesUnable: when that is full, or the book is away */
	uint8_t compare;          /* WritesCompare */
	uint32_t attempts;        /* that failed, before a person looks */
	int64_t timeout_us;       /* of one */
	CONF_LIST_OF(Str) tables; /* that it writes to */
} WritesConf;

/* A time in which nothing goes on; going back always does. */
typedef struct FreezeConf {
	Str from, to; /* RFC 3339 */
	int64_t from_us, to_us;
} FreezeConf;

typedef enum WebhookFormat { WEBHOOK_STANDARD, WEBHOOK_SLACK } WebhookFormat;

enum { WEBHOOKS_MAX = 16, WEBHOOK_KEY_MAX = 64 };

/* Somebody who is told of what is done to moves. */
typedef struct WebhookConf {
	Str name;       /* for metrics, logs and the book; as a rule the URL's host and port */
	Str url;        /* not to be shown: see WebhookUrl */
	Str secret;     /* whsec_ and Base64; empty: not signed */
	Str ca;         /* PEM file; empty: the system's */
	uint8_t format; /* WebhookFormat */
	CONF_LIST_OF(uint32_t) events; /* verbs of the journal: webhook_conf_wants */
	CONF_LIST_OF(Str) subjects;    /* empty: all */
} WebhookConf;

/* For the whole file. */
typedef struct ShiftAllConf {
	Str store; /* sqlite:PATH, postgresql://..., redis://... */
	Str copy; /* of what a store on a server said last, a file; empty: beside the configuration */
	Str gateway;       /* what this one is called; empty: the host's name */
	Str cookie;        /* the name of the cookie of ours */
	uint8_t approvals; /* people that a way onward needs: 1, 2 */
	CONF_LIST_OF(FreezeConf) freeze;
	CONF_LIST_OF(WebhookConf) webhooks;
} ShiftAllConf;

extern const ConfTable shift_conf_table;     /* of one route, ShiftConf */
extern const ConfTable shift_all_conf_table; /* of the file, ShiftAllConf */
ConfCheck shift_conf_check;

bool shift_store_is_redis(Str url); /* of ShiftAllConf.store */

/* The end of a freeze that is on now, UTC; 0: none is. */
int64_t shift_freeze_end(const ShiftAllConf *conf, int64_t now_us);

/* What a row of `sticky` or `overrides` says; "user" is the cookie of ours too. False: it is none. */
bool sticky_split(Str text, uint8_t *by, Str *name);

/* What is a path of an answer's body is known above the gateway: main hands over who says so, before anything is read. */
void shift_conf_paths(ConfVerify *check);
/* 0.005, or 1% of the larger of two numbers. False: it is neither. */
bool tolerance_read(Arena *a, Str text, double *absolute, double *relative);

/* --- webhooks: conf_webhook.c ------------------------------------------------------------------------------------------- */

extern const ConfTable webhook_conf_table; /* WebhookConf */
ConfCheck webhook_conf_check_all;          /* of a ShiftAllConf: how many */

typedef struct GatewayConf GatewayConf; /* conf.h */
/* Subjects that nothing is called. */
void webhook_conf_check_subjects(Conf *conf, const GatewayConf *g);

/* Is this one told of this verb of this subject? */
bool webhook_conf_wants(const WebhookConf *conf, Str verb, Str subject);

typedef struct WebhookUrl {
	bool tls;
	Str login;     /* "user:password", still escaped; empty: none. Never to be shown */
	Str authority; /* host and port as written: a view into the URL */
	Str host;      /* a name or an address, without brackets; in the arena */
	uint16_t port;
	Str target; /* path and query; "/" when the URL has none */
} WebhookUrl;
/* NULL, or what is wrong with it, without a word of the URL itself: it may be a secret. */
const char *webhook_url_read(Arena *a, Str url, WebhookUrl *out);
/* "whsec_" and the Base64 of 24 to 64 bytes. False: it is none. */
bool webhook_secret_read(Str text, uint8_t key[WEBHOOK_KEY_MAX], size_t *len);

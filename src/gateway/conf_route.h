/* SPDX-License-Identifier: Apache-2.0
 *
 * The part of the configuration that a route goes by: what it takes, and what is done with it. Its rows are in conf.c. */
#pragma once
#include "base/conf.h"
#include "gateway/conf_auth.h"
#include "gateway/conf_fields.h"
#include "gateway/conf_reshape.h"
#include "gateway/conf_shift.h"
#include "gateway/conf_upstream.h"
#include "http/trust.h"

/* One thing that must be so: exactly one of `is`, `pattern` and `absent` was given. */
typedef struct ConditionConf {
	Str name;    /* a header's in any case; a parameter's or a cookie's exactly */
	Str is;      /* the whole value; "*": any, as long as it is there */
	Str pattern; /* PCRE2, found anywhere in the value */
	bool absent;
	bool has_is, has_pattern;
} ConditionConf;

typedef enum MatchScheme { MATCH_ANY_SCHEME, MATCH_HTTP, MATCH_HTTPS } MatchScheme;

typedef struct MatchConf {
	Str host; /* lower case; "*": any; "*.example.org": below it */
	Str path; /* "/exact", "/with/{part}", "/below/" then "**", or "~ EXPRESSION" (PCRE2, on the canonical path) */
	CONF_LIST_OF(Str) methods;                           /* none: any; GET means HEAD too */
	CONF_LIST_OF(ConditionConf) headers, query, cookies; /* all of them */
	uint8_t scheme; /* MatchScheme: as the client used it */
} MatchConf;

typedef struct RedirectConf {
	Str to; /* template of a URL or a path */
	uint16_t status;
	bool keep_query; /* the client's query is appended, unless `to` has one */
} RedirectConf;

typedef struct AnswerConf {
	uint16_t status;
	Str type;
	Str body;
	Str file; /* its content instead of `body` */
} AnswerConf;

typedef struct FilesConf {
	Str dir;
	CONF_LIST_OF(Str) index;
	Str fallback;       /* path below dir for what is not there; empty: 404 */
	Str cache;          /* Cache-Control; empty: none */
	bool precompressed; /* FILE.br and FILE.gz are given to who takes them */
} FilesConf;

/* X-Accel-Redirect and X-Sendfile of the upstream's answer. */
typedef struct SendfileConf {
	Str dir;    /* nothing outside of it is ever given */
	Str prefix; /* of X-Accel-Redirect: what stands for dir; X-Sendfile names the file itself */
} SendfileConf;

typedef struct MaintenanceConf {
	bool on;
	uint16_t status;
	int64_t retry_after_us;
	Str html;                /* file of the page for browsers; empty: as errors */
	CONF_LIST_OF(Str) allow; /* networks that go on as if it were off */
	Trust allowed;           /* of `allow` */
} MaintenanceConf;

/* A route's own, instead of the general ones. */
typedef struct RouteLimitsConf {
	int64_t body_idle_us, write_us;
	uint64_t body_rate;
	bool has_body_idle, has_write, has_body_rate;
} RouteLimitsConf;

typedef enum Buffering { BUFFERING_AUTO, BUFFERING_OFF } Buffering;

/* Bodies held for slow clients, so that none of them keeps one of the server's workers. */
typedef struct BufferingConf {
	uint8_t requests, answers; /* Buffering */
	uint32_t memory;           /* bytes of one body that are held in memory */
	uint64_t file;             /* and so many more in a file; 0: none */
	bool has_requests, has_answers, has_memory, has_file;
} BufferingConf;

typedef enum RouteAction { ROUTE_PROXY, ROUTE_FILES, ROUTE_REDIRECT, ROUTE_ANSWER } RouteAction;

typedef struct RouteConf {
	Str name;
	MatchConf match;
	uint8_t action; /* RouteAction, by which of the four below was given; FILES too when `to` is for the rest */
	Str to;
	const UpstreamConf *upstream; /* of that name, or of `old`; NULL: nothing goes upstream */
	Str old, new;                 /* the two sides, instead of `to` */
	bool has_old, has_new, has_shift;
	ShiftConf shift;
	const UpstreamConf *new_upstream; /* of `new`; NULL: the route has one side */
	bool has_reshape;
	ReshapeConf reshape; /* for the new side */
	WritesConf writes;
	FilesConf files;
	RedirectConf redirect;
	AnswerConf answer;
	bool has_to, has_files, has_redirect, has_answer;
	Str auth;               /* name of a policy; empty: anybody may come */
	const AuthConf *policy; /* of that name; NULL: none */
	Str allow;              /* a rule (auth/rule.h) beside the policy's; empty: none */
	Str strip_prefix;       /* empty, or "/p": taken off the path that goes upstream */
	Str rewrite;            /* empty, or a template of the path that goes upstream */
	FieldsConf request_headers;
	FieldsConf response_headers;
	bool has_sendfile;
	SendfileConf sendfile;
	bool has_maintenance;
	MaintenanceConf maintenance; /* the general one when the route has none */
	TimeoutsConf timeouts;       /* what the route does not say is the upstream's */
	TimeoutsConf new_timeouts;   /* the same on the new side */
	uint64_t body_bytes; /* the request's body; the general limit when the route does not say */
	bool has_body;
	RouteLimitsConf limits; /* what the route does not say is the general one */
	bool has_retry;
	RetryConf retry;         /* the upstream's when the route has none */
	BufferingConf buffering; /* what the route does not say is the general one */
} RouteConf;

enum { GATEWAY_ROUTES = 10000 };

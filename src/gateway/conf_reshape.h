/* SPDX-License-Identifier: Apache-2.0
 *
 * What is changed in requests to the new side and in its answers, where its form differs from the old one's: `reshape:` of
 * a route. Rows and checks are in conf_reshape.c, what is done by them in shift/reshape.c. */
#pragma once
#include "base/conf.h"
#include "gateway/conf_route.h"

/* A place in a JSON value: ".user.name", ".items[].price", `."odd name"`. */
typedef struct ReshapePath {
	Str *names; /* empty: "[]", every element of an array */
	size_t count;
} ReshapePath;

enum { RESHAPE_DEPTH = 32 }; /* parts of a path */

/* Fails with INVALID "conf.value"; the sentence continues 'key: ...'. Names may lie in the text. */
Err *reshape_path_read(Arena *a, Str text, ReshapePath *out) MUST_USE;

/* From one place to another. Both go through the same arrays: what stands before the last "[]" is the same. */
typedef struct ReshapeMoveConf {
	Str from, to;
} ReshapeMoveConf;

typedef struct ReshapeBodyConf {
	CONF_LIST_OF(ReshapeMoveConf) rename; /* exact: numbers stay as they are written */
	CONF_LIST_OF(Str) remove;             /* paths */
	Str jq;                               /* empty: none. After the others */
} ReshapeBodyConf;

typedef struct ReshapeRenameConf {
	Str from, to;
} ReshapeRenameConf;

typedef struct ReshapeSetConf {
	Str name, value;
} ReshapeSetConf;

typedef struct ReshapeQueryConf {
	CONF_LIST_OF(ReshapeRenameConf) rename; /* parameters; all at once */
	CONF_LIST_OF(ReshapeSetConf) set;       /* instead of all of that name; plain text */
	CONF_LIST_OF(Str) remove;
} ReshapeQueryConf;

typedef struct ReshapeConf {
	Str path;               /* empty, or a template of the path for the new side */
	ReshapeQueryConf query; /* of requests */
	CONF_LIST_OF(ReshapeMoveConf) rename; /* of requests' bodies, and back in answers */
	FieldsConf request_headers, answer_headers;
	ReshapeBodyConf request, answer;
	Str statuses;                    /* of answers whose bodies are changed: "200-299" */
	uint16_t status_min, status_max; /* of that */
	CONF_LIST_OF(Str) types;         /* what counts as JSON beside application/json and +json */
	uint64_t body;                   /* bytes of a body that is changed */
	int64_t time_us;                 /* for a filter */
	uint64_t memory;                 /* for a filter */
} ReshapeConf;

const ConfTable *reshape_conf_table(void);
/* The tables of `set`, `add`, `remove` of headers: conf.c's. */
const ConfTable *fields_conf_table(void);

/* What rows alone cannot say: templates against the route's path, paths that go together; derives statuses. To be called by
 * the check of routes, for a route that has a new side. */
void reshape_conf_check(Conf *conf, const MatchConf *match, ReshapeConf *reshape);
/* Are bodies of requests (answers) to be read at all? */
bool reshape_conf_reads_request(const ReshapeConf *conf);
bool reshape_conf_reads_answer(const ReshapeConf *conf);

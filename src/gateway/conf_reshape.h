/* SPDX-License-Identifier: Apache-2.0
 *
 * What is changed in requests to the new side and in its answers, where its form differs from the old one's: `reshape:` of
 * a route. Rows and checks are in conf_reshape.c, what is done by them in gateway/reshape.c. */
#pragma once
#include "base/conf.h"
#include "gateway/conf_fields.h"

typedef struct MatchConf MatchConf; /* conf_route.h */

/* A place in a JSON value: ".user.name", ".items[].price", `."odd name"`. */
typedef struct ReshapePath {
	Str *names; /* empty: "[]", every element of an array */
	size_t count;
} ReshapePath;

enum { RESHAPE_DEPTH = 32 }; /* parts of a path */

/* Fails with INVALID "conf.value"; the sentence continues 'key: ...'. Names may lie in the text. */
Err *reshape_path_read(Arena *a, Str text, ReshapePath *out) MUST_USE;
/* How many of its parts there are up to the last "[]", that included. */
size_t reshape_path_shared(const ReshapePath *path);

/* From one place to another. Both go through the same arrays: what stands before the last "[]" is the same. */
typedef struct ReshapeMoveConf {
	Str from, to;
} ReshapeMoveConf;

/* What is changed in requests, or in answers. */
typedef struct ReshapeSideConf {
	FieldsConf headers;
	CONF_LIST_OF(ReshapeMoveConf) rename; /* exact: numbers stay as they are written */
	CONF_LIST_OF(Str) remove;             /* paths, in what the others left */
	Str jq;                               /* empty: none. After the others */
} ReshapeSideConf;

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
	CONF_LIST_OF(ReshapeMoveConf) rename; /* of requests' bodies, and back in answers' */
	ReshapeSideConf request, answer;
	Str statuses;                    /* of answers whose bodies are changed: "200-299" */
	uint16_t status_min, status_max; /* of that; set by the table's check */
	CONF_LIST_OF(Str) types;         /* what counts as JSON beside application/json and +json */
	uint64_t body;   /* bytes of a body that is changed, and of what is made of it */
	int64_t time_us; /* of a processor, for a filter */
	uint64_t memory; /* for a filter */
} ReshapeConf;

extern const ConfTable reshape_conf_table;
/* What the table's own check cannot look at: are the templates ones for this route? */
void reshape_conf_check_route(Conf *conf, const MatchConf *match, const ReshapeConf *reshape);
/* Are bodies of requests (answers) to be read at all? */
bool reshape_conf_reads_request(const ReshapeConf *conf);
bool reshape_conf_reads_answer(const ReshapeConf *conf);

/* A jq filter; empty is fine. Takes 40 ms. */
ConfVerify conf_verify_jq;

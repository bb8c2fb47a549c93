/* SPDX-License-Identifier: Apache-2.0
 *
 * Where writes to a route with two sides go (`writes:`): its rows and checks are in conf_writes.c, what they fill in is in conf_shift.h,
 * what is done by them is the shift's (shift/dual.h). */
#pragma once
#include "gateway/conf_reshape.h"
#include "gateway/conf_shift.h"

/* What writes are told apart by: those of one key reach both sides in one order. */
typedef enum WritesBy {
	WRITES_BY_PATH,   /* the canonical path */
	WRITES_BY_PART,   /* a part of it that the route names */
	WRITES_BY_HEADER, /* a header */
	WRITES_BY_CLAIM,  /* of who came, as `auth` has proved it */
	WRITES_BY_USER,   /* whom the split knows */
	WRITES_BY_BODY,   /* a field of the request's JSON */
} WritesBy;

typedef struct WritesKey {
	uint8_t by;       /* WritesBy */
	Str name;         /* of the part, or of the header */
	ReshapePath path; /* of the field */
} WritesKey;

extern const ConfTable writes_conf_table;

/* "path", "path.id", "header:NAME", "user", "body.order.id". Fails with INVALID "conf.value"; the sentence continues 'key: ...'. */
Err *writes_key_read(Arena *a, Str text, WritesKey *out) MUST_USE;

typedef struct RouteConf RouteConf;     /* conf_route.h */
typedef struct GatewayConf GatewayConf; /* conf.h */
/* What the table's own check cannot look at: a route with two sides of one form whose path has the part that is named. */
void writes_conf_check_route(Conf *conf, const GatewayConf *g, const RouteConf *route);

/* Is this table of a database moved from one to the other by what the file says elsewhere? The name of that move; empty: no.
 * Whoever moves databases hands it over before anything is read (main); until then no table is. */
typedef Str WritesMoved(const GatewayConf *g, Str table);
void writes_conf_moves(WritesMoved *moved);

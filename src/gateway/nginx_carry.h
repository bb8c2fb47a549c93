/* SPDX-License-Identifier: Apache-2.0
 *
 * An nginx site as a configuration of ours: what `banyan init --from` writes. The result is a model of the YAML file, in its
 * order, with what was left out noted at the place where it would stand. */
#pragma once
#include "base/buf.h"
#include "gateway/nginx_read.h"

/* A directive whose behaviour is not, or not quite, in the result. */
typedef struct CarryNote CarryNote;
struct CarryNote {
	Str file;
	uint32_t line;
	uint32_t number;   /* of the directive, in the order of the files */
	Str directive;     /* nginx_quote */
	bool differs;      /* carried over, but not quite the same */
	Str advice;        /* what is different, what to do */
	CarryNote *next;   /* in the order of the files */
	CarryNote *beside; /* at the same place of the result */
};

/* "key: value", or a map of items. */
typedef struct CarryItem CarryItem;
struct CarryItem {
	Str key;
	Str value; /* YAML that fits on a line; at == NULL: a map */
	Str comment;
	CarryItem *first, *next;
};

/* One listener, upstream or route; or the top level. */
typedef struct CarryBlock CarryBlock;
struct CarryBlock {
	Str name; /* of an upstream: what routes call it */
	Str key;  /* what it stands for, to find it again */
	CarryItem *first;
	CarryNote *notes;
	Str comment;
	CarryBlock *next;
};

typedef struct Carried {
	Str source; /* the file, as it was named */
	CarryBlock top;
	CarryBlock *listeners, *upstreams, *routes;
	CarryNote *notes;
	size_t directives; /* that were looked at */
	size_t left_out;   /* notes */
} Carried;

typedef struct CarryOptions {
	Str source;
	Str prefix; /* nginx -p: what relative paths of documents are taken from */
} CarryOptions;

/* Goes through a tree (nginx_read.h) whose nodes it marks. Everything is in the arena. Looks whether files are there
 * (pages for errors, entries of folders), so it blocks on the disk. Fails with INVALID "nginx.no_server". */
Err *nginx_carry(Arena *a, NginxNode *first, const CarryOptions *options, Carried **out) MUST_USE;

/* The file: YAML that gateway_conf_read takes, notes as comments. */
void nginx_carry_put(Buf *b, const Carried *carried);
/* "nginx.conf:12: gzip on: not carried over: advice", without a line's end. */
void nginx_carry_put_note(Buf *b, const CarryNote *note);

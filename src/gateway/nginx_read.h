/* SPDX-License-Identifier: Apache-2.0
 *
 * nginx's configuration syntax as a tree of directives, each with the place where it stood. Words are taken apart as nginx
 * 1.22 does (src/core/ngx_conf_file.c): quotes, escapes, ${name}, comments; what an include names stands in its place.
 * What directives mean is nginx_carry.h's. */
#pragma once
#include "base/err.h"

enum {
	NGINX_MAX_BYTES = 4 << 20, /* of all files */
	NGINX_MAX_FILES = 1000,
	NGINX_MAX_DEPTH = 32, /* blocks in blocks, files in files, together */
	NGINX_MAX_WORD = 4096,
	NGINX_MAX_NODES = 100000,
};

typedef struct NginxNode NginxNode;
struct NginxNode {
	Str file;      /* as messages name it */
	uint32_t line; /* of its first word, from 1 */
	Str name;
	const Str *words; /* without the name; quotes and escapes are gone */
	size_t count;
	bool block;       /* it has { } */
	NginxNode *first; /* of what is inside */
	NginxNode *next;  /* beside it */
	Str fault;        /* of an include that gave nothing: why; such nodes stay in the tree */
	uint32_t number;  /* in the order of the text, includes in their places */
	uint8_t fate;     /* for those who go through the tree; 0 here */
};

/* Reads a file and what it includes; relative names and patterns are taken from the file's own folder. A named include
 * that cannot be read, or leads in a circle, stays as a node with its fault; a pattern that matches nothing is no fault.
 * *out: the first directive, NULL when there is none. Blocks on the disk. Fails as file_read does for the file itself,
 * with INVALID "nginx.syntax" ("FILE:LINE: sentence") or TOO_LARGE "nginx.too_large". */
Err *nginx_read_file(Arena *a, Str path, NginxNode **out) MUST_USE;
/* The same of a text, without includes: those stay as they are. */
Err *nginx_read_text(Arena *a, Str name, Str text, NginxNode **out) MUST_USE;

/* "gzip on": the directive as it would be written, for messages; cut after 60 bytes. */
Str nginx_quote(Arena *a, const NginxNode *node);

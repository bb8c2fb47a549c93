/* SPDX-License-Identifier: Apache-2.0
 *
 * What an audit keeps from one run to the next: bytes by a key made of content, so nothing is ever out of date. One file a project, mapped; it is
 * replaced as a whole at the end of a run that had something new. Good for the same build of the program only; one that is foreign, cut or changed
 * is as good as none, and that is said (AuditCacheFigures.trouble). Bounded; what no run asked for in a while goes. */
#pragma once
#include "base/err.h"

typedef struct AuditCache AuditCache;

/* folder: "" is $XDG_CACHE_HOME/banyan (or ~/.cache/banyan), made if need be. root: whose. Never fails: without a place to keep things nothing is
 * found, and nothing is kept. Lives as long as the arena; so do the bytes that are found. */
AuditCache *audit_cache_open(Arena *a, Str folder, Str root) RETURNS_NONNULL;
/* Any thread. cache NULL: false. `what` names the sort of value ("file", "history"), so that equal keys of two sorts are two; it is good for
 * PackTypes of an older build too, which are never met. */
bool audit_cache_find(AuditCache *cache, const char *what, Str key, Str *value);
/* Copies. Any thread. cache NULL: nothing happens. */
void audit_cache_put(AuditCache *cache, const char *what, Str key, Str value);
/* Writes the file, if anything is new. Not to be able to is no failure of an audit: it is a word. */
void audit_cache_store(AuditCache *cache);
typedef struct AuditCacheFigures {
	uint64_t found, missed, bytes;
	Str trouble; /* why there was nothing to find, or nothing could be kept; empty: all is well */
} AuditCacheFigures;
AuditCacheFigures audit_cache_figures(const AuditCache *cache);

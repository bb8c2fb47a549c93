/* SPDX-License-Identifier: Apache-2.0
 *
 * Which files did not change, by what the system says of them (size, times, inode), so that they need not even be read. */
#pragma once
#include "audit/project.h"

/* Gives files of which all is as it was the oid that they had. cache NULL: none. */
void stamps_apply(Arena *a, AuditCache *cache, Sources *sources);
/* Keeps what is to be known next time, unless all of it is known already. files: one for each of the sources, with its oid; whys: SKIPS if it was
 * read. begun_ns: of the clock on the wall, before anything was looked at. */
void stamps_keep(AuditCache *cache, const Sources *sources, const AuditFile *files,
                 const SkipWhy *whys, int64_t begun_ns);

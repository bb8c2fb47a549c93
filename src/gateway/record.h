/* SPDX-License-Identifier: Apache-2.0
 *
 * Recorder: an access log with a lane and a timer on every loop. Kept for the life of the process once opened, so that a
 * request of an older configuration can always finish its line. */
#pragma once
#include "gateway/conf.h"
#include "obs/access.h"

typedef struct Recorder Recorder;

/* Blocks on the disk: at start, or on a worker. */
Err *recorder_open(Arena *a, const AccessConf *conf, Recorder **out) MUST_USE;
bool recorder_is(const Recorder *recorder,
                 const AccessConf *conf); /* is it the one this row asks for? */
void recorder_write(Recorder *recorder,
                    const AccessRecord *record); /* on a loop; never blocks; NULL is fine */
Err *recorder_reopen(Arena *a, Recorder *recorder) MUST_USE; /* blocks on the disk */
/* Everything is written. From a fiber, when no request is left; parks, and blocks for a moment. */
void recorder_close(Recorder *recorder);

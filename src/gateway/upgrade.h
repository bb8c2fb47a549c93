/* SPDX-License-Identifier: Apache-2.0
 *
 * Starting the program anew beside itself, to take over from us: SIGUSR2. On loop 0. */
#pragma once
#include "rt/loop.h"

/* The file this process was started from, with the same words and --takeover. *pid: the new process; it inherits standard
 * output and error. Blocks for a moment. Fails with IO "gateway.upgrade". */
Err *upgrade_start(Arena *a, int *pid) MUST_USE;

/* Parks until that process has ended; *status as wait(2) has it. */
Err *upgrade_wait(int pid, int *status) MUST_USE;

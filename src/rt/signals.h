/* SPDX-License-Identifier: Apache-2.0
 *
 * Signals are blocked in every thread (rt_run) and read here, by one fiber. SIGPIPE is ignored. Crashes (SIGSEGV, SIGBUS)
 * print one line on a stack of their own: a fiber that ran over its guard page is named. */
#pragma once
#include "rt/loop.h"

/* The next of SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGUSR1, SIGUSR2. Parks. On loop 0, one fiber at a time. */
Err *signal_wait(int *signo) MUST_USE;

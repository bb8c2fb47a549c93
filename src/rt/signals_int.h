/* SPDX-License-Identifier: Apache-2.0
 *
 * For rt_run: signals before, during and after threads. */
#pragma once
#include "rt/signals.h"

/* Blocks all but faults and the terminal's stop signals in this thread and those it starts later; ignores SIGPIPE. They
 * stay blocked after rt_run, so that a signal that came late does not kill. */
void signals_block(void);

/* The crash message; once. Nothing under a sanitizer, which has its own. */
void signals_install_crash(void);
/* The stack it runs on: at the start and the end of every loop's thread. */
void signals_thread_init(void);
void signals_thread_fini(void);

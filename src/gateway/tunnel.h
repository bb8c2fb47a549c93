/* SPDX-License-Identifier: Apache-2.0
 *
 * Tunnels: what follows a 101. */
#pragma once
#include "gateway/passage.h"

/* Passes p->answer (a 101) on and then bytes both ways, until the end. Parks. */
Err *tunnel_run(Passage *p) MUST_USE;

/* SPDX-License-Identifier: Apache-2.0
 *
 * A badge for a README: "technical debt | A 3.2 %", as SVG without anything from elsewhere. Pure. */
#pragma once
#include "audit/figures.h"

void badge_put(Buf *b, const Figures *figures);

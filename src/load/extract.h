/* SPDX-License-Identifier: Apache-2.0
 *
 * A user's variables, and what is taken out of answers into them. */
#pragma once
#include "base/buf.h"

typedef struct Variables {
	struct Variable *first;
} Variables;

void variables_fini(Variables *variables);
void variables_set(Variables *variables, Str name, Str value); /* copies */
bool variables_put(const Variables *variables, Str name, Buf *out);

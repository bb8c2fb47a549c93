/* SPDX-License-Identifier: Apache-2.0
 *
 * The query of a request for the new side. */
#pragma once
#include "gateway/conf_reshape.h"

/* "a=1&b=2", without its "?"; at == NULL: there is none. What is not named stays as it came, in its order; what is renamed
 * keeps its place and its value as it came, and takes the place of what had that name; removed and set is what has the name
 * then; what is set comes last. Nothing left: at is NULL. The result is in the arena,
 * or the query itself. */
Str reshape_query(const ReshapeQueryConf *conf, Arena *a, Str query);

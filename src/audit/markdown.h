/* SPDX-License-Identifier: Apache-2.0
 *
 * An audit, a comparison or a gate's verdict in GitHub's Markdown, as the comment on a pull request; below GitHub's limit of 65,536 characters. What
 * comes from the code is escaped, so that a name can neither mention people nor break a table. Pure. */
#pragma once
#include "audit/compare.h"
#include "audit/gate.h"

enum { MARKDOWN_BYTES = 60000 };

/* compare and gate may be NULL. */
void markdown_put(Buf *b, Arena *a, const Audit *audit, const Compare *compare, const Gate *gate);
/* Text within a line or a table's cell. */
void markdown_text(Buf *b, Str text);

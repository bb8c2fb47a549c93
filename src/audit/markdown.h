/* SPDX-License-Identifier: Apache-2.0
 *
 * An audit in GitHub's Markdown, as the comment on a pull request: what the gate says, or what a comparison shows, or else the summary. Below GitHub's
 * limit of 65,536 characters. What comes from the code is escaped, so that a name can neither mention people nor break a table. */
#pragma once
#include "audit/report.h"

ReportWrite markdown_report;
/* Text within a line or a table's cell. */
void markdown_text(Buf *b, Str text);

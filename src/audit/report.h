/* SPDX-License-Identifier: Apache-2.0
 *
 * What an audit says: on a screen, and as JSON. */
#pragma once
#include "audit/history_report.h"
#include "base/buf.h"

#include <stdio.h>

void report_screen(FILE *out, Arena *a, const Project *project, CcRules rules);
void report_json(Buf *out, const Project *project, CcRules rules, const HistoryFindings *history);

/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows of `banyan audit` for main's table of commands. */
#pragma once
#include "audit/audit_conf.h"

const Command *audit_commands(size_t *count);

/* Progress on standard error, if that is a terminal and it is wanted. */
void audit_show_progress(AuditRules *rules, bool quiet);
void audit_end_progress(const AuditRules *rules);

/* SPDX-License-Identifier: Apache-2.0
 *
 * Findings as SARIF 2.1.0 (OASIS), for code scanning of GitHub and GitLab, editors and SonarQube. One run for the audit and one for each other tool
 * whose findings were read. Rules with their minutes, places as URIs from %SRCROOT%, fingerprints that survive moved lines ("banyan/v1"), reasons
 * of ignored findings as suppressions, other places as related locations, and the way round a circle of imports as a code flow. */
#pragma once
#include "audit/baseline.h"
#include "audit/out_file.h"

/* `delta`: results get a baselineState ("new", "unchanged"); NULL: nothing is known of before. */
void sarif_write(OutFile *out, const Audit *audit, const Delta *delta, const char *version);

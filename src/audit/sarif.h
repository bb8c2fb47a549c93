/* SPDX-License-Identifier: Apache-2.0
 *
 * Findings as SARIF 2.1.0 (OASIS), for code scanning of GitHub, editors and SonarQube. One run for the audit and one for each other tool
 * whose findings were read. Rules with their minutes, places as URIs from %SRCROOT%, fingerprints that survive moved lines ("banyan/v1"), reasons
 * of ignored findings as suppressions, other places as related locations, and the way round a circle of imports as a code flow. */
#pragma once
#include "audit/report.h"

/* With audit->compare or audit->gate results have a baselineState ("new", "unchanged"). Pure. */
ReportWrite sarif_report;

/* SPDX-License-Identifier: Apache-2.0
 *
 * A badge for a README, "technical debt | A 3.2 %", as SVG that needs nothing from elsewhere. */
#pragma once
#include "audit/report.h"

ReportWrite badge_report;

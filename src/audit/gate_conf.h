/* SPDX-License-Identifier: Apache-2.0
 *
 * `gate:` below `audit:` of a banyan.yaml: what the command line says otherwise. */
#pragma once
#include "audit/finding.h"
#include "base/conf.h"

typedef enum GateCare { GATE_OFF, GATE_WARN, GATE_FAIL } GateCare;

UNUSED static const ConfWord gate_cares[] = {
	{ "off", GATE_OFF, "do not look" },
	{ "warn", GATE_WARN, "tell, and pass" },
	{ "fail", GATE_FAIL, "do not pass" },
	{ 0 },
};
UNUSED static const ConfWord gate_levels[] = {
	{ "note", FINDING_NOTE, "all of them" },
	{ "warning", FINDING_WARNING, "warnings and errors" },
	{ "error", FINDING_ERROR, "errors only" },
	{ 0 },
};

typedef struct GateConf {
	Str baseline;              /* the file */
	uint8_t level, companions; /* FindingLevel, GateCare */
} GateConf;

const ConfTable *gate_table(void) RETURNS_NONNULL;

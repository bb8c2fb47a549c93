/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys of the gate. */
#include "audit/gate_conf.h"

static const ConfKey keys[] = {
	{ "baseline", CONF_PATH, AT(GateConf, baseline), .def = "banyan-baseline.json",
	  .help = "what was found before; `banyan gate --update` writes it" },
	{ "level", CONF_ENUM, AT(GateConf, level), .names = gate_levels, .def = "warning",
	  .help = "new findings from this on fail the gate" },
	{ "companions", CONF_ENUM, AT(GateConf, companions), .names = gate_cares, .def = "warn",
	  .help = "when a file is not changed that usually is, with one that was" },
};
static const ConfTable table = { "gate", CONF_ROWS(GateConf, keys),
	                         .help = "what fails `banyan gate`" };

const ConfTable *gate_table(void)
{
	return &table;
}

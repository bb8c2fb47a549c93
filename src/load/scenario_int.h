/* SPDX-License-Identifier: Apache-2.0
 *
 * Between scenario.c (the rows) and scenario_check.c (what rows alone cannot say). */
#pragma once
#include "load/scenario.h"

/* For a whole ScenarioConf: derives fields and adds every mistake it finds. */
ConfCheck scenario_check;
/* Names in texts and steps in thresholds that nothing defines; of a scenario whose steps have their kinds. */
void scenario_check_names(Conf *conf, const ScenarioConf *s);
void scenario_check_thresholds(Conf *conf, const ScenarioConf *s);
Err *span_split(Arena *a, Str text, int64_t *min_us, int64_t *max_us) MUST_USE;
bool load_status_split(Str text, uint16_t *min, uint16_t *max);

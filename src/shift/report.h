/* SPDX-License-Identifier: Apache-2.0
 *
 * A subject as JSON, for the admin port, the console and the command line. The subject's lock is taken here. */
#pragma once
#include "shift/keeper.h"

void report_put(JsonWriter *w, Arena *a, Subject *s, bool detail);
void report_put_plan(JsonWriter *w, Arena *a, Subject *s);
void report_put_entry(JsonWriter *w, const BookEntry *entry);

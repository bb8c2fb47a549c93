/* SPDX-License-Identifier: Apache-2.0
 *
 * The money on a screen, and as JSON. */
#pragma once
#include "audit/money.h"
#include "base/json.h"

void money_put_screen(Buf *b, Arena *a, const MoneyCase *c, const MoneyResult *r);
void money_put_json(JsonWriter *w, const MoneyCase *c, const MoneyResult *r); /* one object */

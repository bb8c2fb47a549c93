/* SPDX-License-Identifier: Apache-2.0
 *
 * Times of a day as the API has them: "22:00". */
#pragma once
#include "service/fields.h"

int minute_read(Str text); /* "09:30" as minutes of the day; -1: it is none */
Str minute_text(Arena *a, int minute);
FieldVerify minute_verify;

/* SPDX-License-Identifier: Apache-2.0
 *
 * The recording provider: for tests and for trying. */
#pragma once
#include "base/err.h"

typedef struct Providers Providers;

/* One for each channel, asked after all others: writes each message to the file as a line of JSON. An address (of a device: its token)
 * that begins with the name of an outcome and a dot gets that outcome; "unknown." also has it written, "soft.2." is soft until the
 * second attempt. Fails with IO "base.file". */
Err *record_add(Arena *a, Providers *providers, Str path) MUST_USE;

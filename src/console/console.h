/* SPDX-License-Identifier: Apache-2.0
 *
 * The console: a page on the admin port, for people who would rather look. */
#pragma once
#include "base/buf.h"

/* Adds its pages, its sessions and its metrics to the admin port of this process. Once, before anything runs. */
void console_begin(void);
/* The rows of its metrics, for the reference. */
void console_put_metrics(Buf *b);

/* SPDX-License-Identifier: Apache-2.0
 *
 * The inbox in the application: who watches it is told by one of so many channels of the database, by recipient. */
#pragma once
#include "store/db.h"

/* For db_tell and db_watch_begin: few are woken for nothing. */
const char *inbox_channel(Str recipient);

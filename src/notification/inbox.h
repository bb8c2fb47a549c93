/* SPDX-License-Identifier: Apache-2.0
 *
 * The inbox in the application: who watches it is told by one of so many channels of the database, by recipient. */
#pragma once
#include "service/call.h"

typedef struct ItemRow ItemRow;

/* For db_tell and db_watch_begin: few are woken for nothing. */
const char *inbox_channel(Str recipient);
void inbox_put_item(JsonWriter *w, Arena *a, const ItemRow *item);

ServiceHandler inbox_stream; /* Server-Sent Events of whoever asks */
void inbox_begin(void);
void inbox_drain(ServiceHome *home); /* streams come to their end; parks */

/* SPDX-License-Identifier: Apache-2.0
 *
 * CloudEvents of strangers. What was read is in order, and reads back as the same when it is written. */
#include "base/arena.h"
#include "store/event.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fine)
{
	if (!fine)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(buf_fini) Buf b = { 0 };
	Arena *a = arena_new(0);
	Event event, again;

	if (!event_read(a, (Str){ (const char *)data, size }, &event)) {
		must(!event_check(a, &event));
		event_put(&b, &event);
		must(!event_read(a, buf_str(&b), &again));
		must(uuid_eq(event.id, again.id) && str_eq(event.type, again.type));
		must(str_eq(event_subject(a, &event), event_subject(a, &again)));
		must(event.time_us == again.time_us && str_eq(event.source, again.source));
		must(!event.data.len || str_eq(event.data, again.data));
	}
	arena_free(a);
	return 0;
}

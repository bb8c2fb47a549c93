/* SPDX-License-Identifier: Apache-2.0
 *
 * A short list of free buffers per thread, hot first: most requests get the one that the last one gave back, which is
 * still in the processor's cache. The list is capped, so a peak's memory goes back to malloc. Under a sanitizer nothing
 * is kept, so that a use after giving back is seen. */
#include "http/buffers.h"

#include "base/sanitize.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	KEEP_MAX = SANITIZE_ADDRESS || SANITIZE_THREAD ? 0 : 256
}; /* 16 MiB per thread, of which small traffic touches a page each */

typedef struct FreeBuffer {
	struct FreeBuffer *next;
} FreeBuffer;

static __thread struct {
	FreeBuffer *list;
	int count;
} kept;

char *http_buffer_take(void)
{
	FreeBuffer *buffer = kept.list;
	char *fresh;

	if (buffer) {
		kept.list = buffer->next;
		kept.count--;
		return (char *)buffer;
	}
	fresh = malloc(HTTP_BUFFER_BYTES);
	if (!fresh) {
		fputs("banyan: out of memory\n", stderr);
		abort();
	}
	return fresh;
}

void http_buffer_give(char *buffer)
{
	FreeBuffer *free_buffer = (FreeBuffer *)(void *)buffer;

	if (!buffer)
		return;
	if (kept.count >= KEEP_MAX) {
		free(buffer);
		return;
	}
	free_buffer->next = kept.list;
	kept.list = free_buffer;
	kept.count++;
}

void http_buffers_trim(void)
{
	while (kept.list) {
		FreeBuffer *buffer = kept.list;

		kept.list = buffer->next;
		free(buffer);
	}
	kept.count = 0;
}

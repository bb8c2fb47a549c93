/* SPDX-License-Identifier: Apache-2.0
 *
 * PROXY headers: what is found in some bytes is found in just its own, with anything after them, and in no fewer; what is
 * refused stays refused when more comes. */
#include "base/arena.h"
#include "http/proxy_protocol.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fine)
{
	if (!fine)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Str bytes = { (const char *)data, size };
	ProxyHeader whole, part;
	size_t used, again;
	ProxyFound found = proxy_header_parse(bytes, &whole, &used);

	if (found == PROXY_MORE)
		must(size < PROXY_HEADER_BYTES);
	if (found == PROXY_FOUND)
		must(used > 0 && used <= size && used <= PROXY_HEADER_BYTES);
	for (size_t len = 0; len < size && len < 600; len++) {
		ProxyFound now = proxy_header_parse(str_sub(bytes, 0, len), &part, &again);

		must(now != PROXY_BAD || found == PROXY_BAD);
		must(now != PROXY_FOUND || (found == PROXY_FOUND && again == used && len >= used));
		must(found != PROXY_FOUND || (now == PROXY_FOUND) == (len >= used));
		must(now != PROXY_FOUND ||
		     (part.told == whole.told &&
		      memcmp(&part.client, &whole.client, sizeof part.client) == 0));
	}
	return 0;
}

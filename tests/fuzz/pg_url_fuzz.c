/* SPDX-License-Identifier: Apache-2.0
 *
 * URLs of PostgreSQL. What is accepted has a host, a list that ends, our own settings in it, and is shown without its
 * password; what is refused is refused with a sentence that holds no password either. */
#include "base/arena.h"
#include "store/pg_url.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fine)
{
	if (!fine)
		abort();
}

static Str value_of(const PgTarget *target, const char *keyword)
{
	for (size_t i = 0; target->keywords[i]; i++) {
		must(i < PG_OPTIONS - 1 && target->values[i]);
		if (strcmp(target->keywords[i], keyword) == 0)
			return str_of(target->values[i]);
	}
	return (Str){ 0 };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena *a = arena_new(0);
	Str url = str_fmt(a, "postgresql://u:s3cr3t-w0rd@%.*s", (int)size, (const char *)data);
	bool session = size && data[0] & 1;
	PgTarget target = { 0 };
	const Err *err = pg_target_read(a, url, session, &target);

	if (err) {
		must(err_is(err, "db.url") && str_find(err->text, S("s3cr3t-w0rd")) < 0);
	} else {
		must(target.host_count >= 1 && target.host_count <= PG_HOSTS);
		must(target.connect_us > 0);
		must(str_eq(value_of(&target, "gssencmode"), S("disable")));
		must(!value_of(&target, "host").len && !value_of(&target, "hostaddr").len);
		must(!session || str_starts(value_of(&target, "options"), S("-c timezone=UTC")));
		must(str_find(target.shown, S("s3cr3t-w0rd")) < 0);
	}
	arena_free(a);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Stored passwords. Whatever is read asks for no more than the limits, and what was made of it as a decoy reads the same; a weak
 * one is checked, for that is quick. */
#include "auth/password_int.h"
#include "base/arena.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fine)
{
	if (!fine)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const RecipeLimits limits = { 128 * 1024 };
	Arena *a = arena_new(0);
	Str stored = { (const char *)data, size };
	PasswordFormat format;
	PasswordLook look;
	Recipe r = { 0 };
	bool match;

	if (!recipe_read(a, stored, &limits, &r, &format)) {
		must(size <= PASSWORD_STORED_MAX_BYTES && format == r.format &&
		     r.format != PASSWORD_UNKNOWN);
		must(r.work != WORK_ARGON2 || (r.memory_kib <= limits.most_memory_kib &&
		                               r.memory_kib * r.rounds <= 1 << 20));
		must(r.work != WORK_PBKDF2 || r.rounds <= 5000000);
		must(r.work != WORK_SCRYPT ||
		     (r.n * r.r / 8 <= limits.most_memory_kib && r.n * r.r * r.p <= 4 << 20));
		must(!password_look(a, stored, 128 << 20, &look) && look.format == format);
		must(recipe_blur(a, &r)->tag.len == r.tag.len);
		if (r.weak && (r.work == WORK_DIGEST || r.work == WORK_HMAC))
			must(!recipe_match(a, &r, stored, &match));
	}
	must(format < PASSWORD_FORMAT_COUNT);
	arena_free(a);
	return 0;
}

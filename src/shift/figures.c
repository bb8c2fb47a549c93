/* SPDX-License-Identifier: Apache-2.0
 *
 * What is read here was written by us, but it lay in a file or at Redis in between: a number that cannot be is refused before
 * a judge adds it up. */
#include "shift/figures.h"

#include <math.h>

bool figures_get_i64(const Json *object, const char *key, int64_t *out)
{
	return json_to_i64(json_get(object, str_of(key)), out);
}

bool figures_get_u64(const Json *object, const char *key, uint64_t *out)
{
	int64_t n;

	if (!figures_get_i64(object, key, &n) || n < 0)
		return false;
	*out = (uint64_t)n;
	return true;
}

bool figures_get_real(const Json *object, const char *key, double *out)
{
	double n;

	if (!json_to_real(json_get(object, str_of(key)), &n) || !isfinite(n))
		return false;
	*out = n;
	return true;
}

bool figures_get_share(const Json *object, const char *key, double *out)
{
	double n;

	if (!figures_get_real(object, key, &n) || n < 0 || n > 1)
		return false;
	*out = n;
	return true;
}

Err *figures_wrong(Arena *a, const char *what)
{
	return err_new(a, ERR_INVALID, "shift.state", "what was kept is no %s", what);
}

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

/* --- whole structs ------------------------------------------------------------------------------------------------------- */

void figures_put(JsonWriter *w, const Figure *rows, size_t count, const void *from)
{
	for (size_t i = 0; i < count; i++) {
		const char *at = (const char *)from + rows[i].at;

		switch (rows[i].kind) {
		case FIGURE_U32:
			json_put_u64(w, rows[i].key, *(const uint32_t *)at);
			break;
		case FIGURE_U64:
			json_put_u64(w, rows[i].key, *(const uint64_t *)at);
			break;
		case FIGURE_I64:
			json_put_i64(w, rows[i].key, *(const int64_t *)at);
			break;
		case FIGURE_REAL:
		case FIGURE_SHARE:
			json_put_real(w, rows[i].key, *(const double *)at);
			break;
		}
	}
}

static bool get_one(const Json *object, const Figure *row, char *at)
{
	uint64_t n;

	switch (row->kind) {
	case FIGURE_U32:
		if (!figures_get_u64(object, row->key, &n) || n > UINT32_MAX)
			return false;
		*(uint32_t *)at = (uint32_t)n;
		return true;
	case FIGURE_U64:
		return figures_get_u64(object, row->key, (uint64_t *)at);
	case FIGURE_I64:
		return figures_get_i64(object, row->key, (int64_t *)at);
	case FIGURE_REAL:
		return figures_get_real(object, row->key, (double *)at);
	case FIGURE_SHARE:
		return figures_get_share(object, row->key, (double *)at);
	}
	return false;
}

bool figures_get(const Json *object, const Figure *rows, size_t count, void *into)
{
	for (size_t i = 0; i < count; i++)
		if (!get_one(object, &rows[i], (char *)into + rows[i].at))
			return false;
	return true;
}

Err *figures_wrong(Arena *a, const char *what)
{
	return err_new(a, ERR_INVALID, "shift.state", "what was kept is no %s", what);
}

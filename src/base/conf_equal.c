/* SPDX-License-Identifier: Apache-2.0
 *
 * Do two objects say the same? Row by row, as the tables describe them: what GIVEN says was not there is not looked into,
 * lists and maps are compared in their order, and secrets are compared too. A reload asks this of every route and
 * upstream, so nothing is written down for it. */
#include "base/conf_int.h"

#include <string.h>

static bool given(const ConfKey *key, const void *object)
{
	return !key->given || *((const bool *)object + key->given - 1);
}

static bool values_equal(const ConfKey *key, const void *x, const void *y)
{
	Str one, two;

	if (key->type == CONF_OBJECT)
		return conf_equal(key->table, x, y);
	if (key->type != CONF_STR && key->type != CONF_PATH && key->type != CONF_NAME)
		return memcmp(x, y, key->size) == 0;
	memcpy(&one, x, sizeof one);
	memcpy(&two, y, sizeof two);
	return str_eq(one, two);
}

static bool arrays_equal(const ConfKey *key, ConfArray x, ConfArray y)
{
	bool same = x.count == y.count;

	for (size_t i = 0; same && i < x.count; i++)
		same = values_equal(key, x.at + i * key->size, y.at + i * key->size);
	return same;
}

static bool fields_equal(const ConfKey *key, const void *x, const void *y)
{
	if (given(key, x) != given(key, y))
		return false;
	if (!given(key, x))
		return true;
	if (key->shape != CONF_ONE)
		return arrays_equal(key, conf_array(key, x), conf_array(key, y));
	return values_equal(key, conf_field_const(key, x), conf_field_const(key, y));
}

bool conf_equal(const ConfTable *table, const void *x, const void *y)
{
	bool same = true;

	for (size_t i = 0; same && i < table->count; i++)
		same = fields_equal(&table->keys[i], x, y);
	return same;
}

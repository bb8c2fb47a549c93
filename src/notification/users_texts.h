/* SPDX-License-Identifier: Apache-2.0
 *
 * What mails of accounts say at first, before people write their own. */
#pragma once
#include "base/util.h"

typedef struct UserText {
	const char *name; /* of the user service's template */
	struct {
		const char *locale, *subject, *text;
	} in[2];
} UserText;

const UserText *users_texts(size_t *count);

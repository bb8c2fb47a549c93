/* SPDX-License-Identifier: Apache-2.0
 *
 * Two heads are compared without what says how a message is framed: that may be written otherwise. */
#pragma once
#include "http/h1.h"

static inline bool is_framing(HeaderId id)
{
	return id == HTTP_HOST || id == HTTP_CONTENT_LENGTH || id == HTTP_TRANSFER_ENCODING ||
	       id == HTTP_CONNECTION || id == HTTP_UPGRADE;
}

/* The next header that is not of framing, or NULL. */
static inline const Header *next(const Headers *headers, uint32_t *i)
{
	while (*i < headers->count)
		if (!is_framing(headers->at[(*i)++].id))
			return &headers->at[*i - 1];
	return NULL;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * What the fuzz targets of HTTP/1 share: what the first byte of an input chooses, and heads compared without what says how a
 * message is framed: that may be written otherwise. */
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

static inline Str method_of(uint8_t first)
{
	static const Str methods[] = {
		{ "GET", 3 }, { "HEAD", 4 }, { "CONNECT", 7 }, { "POST", 4 }
	};

	return methods[first >> 2 & 3];
}

static inline H1Limits usual_limits(uint8_t first)
{
	return (H1Limits){
		.head_bytes = 32768, .line_bytes = 8192, .headers = 100, .underscores = first & 2
	};
}

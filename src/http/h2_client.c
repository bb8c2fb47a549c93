/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP/2's client side: refused until it is written. */
#include "http/client_int.h"

#include <stdlib.h>

static Err not_yet = ERR_STATIC(UNSUPPORTED, "h2.unsupported", "HTTP/2 is not spoken yet");

Err *h2_client_new(HttpConn *conn, H2Client **out)
{
	(void)conn;
	*out = NULL;
	return &not_yet;
}

void h2_client_free(H2Client *client)
{
	(void)client;
}

bool h2_client_usable(const H2Client *client)
{
	return client != NULL;
}

unsigned h2_client_streams(const H2Client *client)
{
	return client != NULL;
}

void h2_call_begin(Call *call)
{
	(void)call;
	abort();
}

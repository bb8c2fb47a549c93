/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP/2's server side: refused until it is written. */
#include "http/h2_server.h"

static Err not_yet = ERR_STATIC(UNSUPPORTED, "h2.unsupported", "HTTP/2 is not spoken yet");

Err *h2_server_new(const H2Host *host, H2Server **out)
{
	(void)host;
	*out = NULL;
	return &not_yet;
}

Err *h2_serve(H2Server *server, Str early, bool *idle)
{
	(void)server;
	(void)early;
	*idle = false;
	return &not_yet;
}

void h2_server_drain(H2Server *server)
{
	(void)server;
}

void h2_server_free(H2Server *server)
{
	(void)server;
}

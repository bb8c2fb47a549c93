/* SPDX-License-Identifier: Apache-2.0
 *
 * No services, until main says otherwise: unit tests, and programs that are a gateway only. */
#include "gateway/services.h"

static Err *no_only(Arena *a, const Str *names, size_t count)
{
	(void)names;
	return count ? err_new(a, ERR_INVALID, "service.unknown", "--only: there are no services")
	             : NULL;
}

static bool no_any(const void *conf)
{
	(void)conf;
	return false;
}

static const char *no_place(Arena *a, const void *conf, Str name, Str *address, bool *tls)
{
	(void)a, (void)conf, (void)name, (void)address, (void)tls;
	return "is not known to this program";
}

static Err *no_begin(Arena *a, const void *conf, ServicesSocket *socket, void *arg)
{
	(void)a, (void)conf, (void)socket, (void)arg;
	return NULL;
}

static void no_each(ServicesPort *fn, void *arg)
{
	(void)fn, (void)arg;
}

static Err *no_drain(const HttpDrain *how)
{
	(void)how;
	return NULL;
}

static void no_end(void)
{
}

static const ConfTable no_table = { .name = "services" };
static const GatewayServices none = { &no_table, no_only,  no_any, no_place, no_begin,
	                              no_each,   no_drain, no_end, NULL };
static const GatewayServices *known = &none;

void gateway_serve_beside(const GatewayServices *services)
{
	known = services;
}

const GatewayServices *gateway_services(void)
{
	return known;
}

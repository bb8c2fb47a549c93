/* SPDX-License-Identifier: Apache-2.0 */
#include "store/bus_int.h"

Err *redis_consume(const Bus *bus, const ConsumerConf *conf, Str source)
{
	(void)bus;
	(void)conf;
	(void)source;
	return NULL;
}

Err *redis_relay(const Bus *bus, const BusSource *source)
{
	(void)bus;
	(void)source;
	return NULL;
}

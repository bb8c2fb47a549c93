/* SPDX-License-Identifier: Apache-2.0
 *
 * Closed for a while. It is an error like others, so it is a page for browsers and a problem document for programs, is never
 * cached, and is counted and logged under its own name; only its status, its page and Retry-After are the configuration's.
 * Clients of the networks in `allow` go on as ever: those who repair look before others do. */
#include "gateway/maintenance.h"

#include "base/time.h"

static Err closed =
	ERR_STATIC(BUSY, "gateway.maintenance", "this service is closed for maintenance");

static bool is_allowed(const MaintenanceConf *conf, Str client)
{
	Ip ip;

	if (ip_parse(client, &ip))
		return trust_has(&conf->allowed, &ip);
	return conf->allowed.unix_peers && str_eq(client, S("unix"));
}

Err *maintenance_check(const Passage *p)
{
	const MaintenanceConf *conf = &p->route->conf->maintenance;

	return LIKELY(!conf->on) || is_allowed(conf, p->forwarded.client_ip) ? NULL : &closed;
}

void maintenance_tell(const Passage *p, const Err *err, Problem *problem, Str *page)
{
	const MaintenanceConf *conf;

	if (err != &closed)
		return;
	conf = &p->route->conf->maintenance;
	problem->status = conf->status;
	problem->retry_after_s = (unsigned)((conf->retry_after_us + US_PER_S - 1) / US_PER_S);
	if (p->state->page.len)
		*page = p->state->page;
}

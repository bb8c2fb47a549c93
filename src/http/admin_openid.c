/* SPDX-License-Identifier: Apache-2.0
 *
 * One place in a process: the port that is open knows its configuration and has the means to ask others, and the feature that logs
 * people in (console/) may include neither. Written before the port takes its first request, and read after that. */
#include "http/admin_openid.h"

static struct {
	const AdminOpenidConf *conf;
	AdminOpenidFetch *fetch;
} registered;

void admin_openid_set(const AdminOpenidConf *conf, AdminOpenidFetch *fetch)
{
	registered.conf = conf;
	registered.fetch = fetch;
}

const AdminOpenidConf *admin_openid(void)
{
	return registered.conf;
}

AdminOpenidFetch *admin_openid_fetch(void)
{
	return registered.fetch;
}

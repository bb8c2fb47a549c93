/* SPDX-License-Identifier: Apache-2.0
 *
 * The API of one's own account. */
#include "user/user_api.h"

#include "base/arena.h"
#include "user/totps.h"

static Err *me_get(ServiceCall *c)
{
	const User *user = user_seen(c)->user;

	service_etag(c, user->version);
	user_put(service_json(c), c->arena, user);
	return NULL;
}

static const ServiceRoute routes[] = {
	{ "GET", "/v1/me", me_get, .scopes = "me", .etag = true, .tag = "me",
	  .help = "one's account" },
};

ServiceRoutes user_me_routes(void)
{
	return (ServiceRoutes)SERVICE_ROUTES(routes);
}

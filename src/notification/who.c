/* SPDX-License-Identifier: Apache-2.0
 *
 * Who asks. A placeholder until service/peer.c is there: with services.development whoever says so. */
#include "base/arena.h"
#include "notification/notification_api.h"

/* "Bearer NAME SCOPE..." */
Err *notification_who(ServiceCall *c, ServiceWho *who)
{
	Str rest = service_header(c, "Authorization"), word;

	if (!rest.len || !c->home->development)
		return NULL;
	if (!str_split(&rest, ' ', &word) || !str_eq(word, S("Bearer")) || !str_split(&rest, ' ', &word))
		return err_new(c->arena, ERR_UNAUTHENTICATED, "auth.token", "that token is none");
	*who = (ServiceWho){ .known = true, .name = word, .scopes = rest };
	service_id_read(word, "usr_", &who->id);
	return NULL;
}

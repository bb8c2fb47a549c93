/* SPDX-License-Identifier: Apache-2.0
 *
 * Static files. */
#include "gateway/action.h"

Err *action_files(Passage *p)
{
	return http_reply(p->x, 500, S("text/plain"), S("not yet"));
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers of the gateway's own: redirects and static answers. */
#include "gateway/action.h"

Err *action_redirect(Passage *p)
{
	return http_reply(p->x, 500, S("text/plain"), S("not yet"));
}

Err *action_answer(Passage *p)
{
	const AnswerConf *conf = &p->route->conf->answer;

	return http_reply(p->x, conf->status, conf->type, p->state->content);
}

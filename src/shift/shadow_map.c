/* SPDX-License-Identifier: Apache-2.0
 *
 * compare.map: a jq filter that both bodies pass before they are compared. It has a process of its own and takes a while, so all
 * of it is done before the comparison, which then only asks for what was made. */
#include "base/arena.h"
#include "base/time.h"
#include "rt/jq.h"
#include "shift/compare_int.h"
#include "shift/shadow_int.h"

static bool is_json(Arena *a, const ShadowAnswer *answer)
{
	CompareAnswer view = shadow_view(answer);

	return !answer->cut && answer->body.len && compare_body_type(a, &view).form == COMPARE_JSON;
}

static Err *map_one(ShadowShot *shot, const ShadowAnswer *answer, ShadowMapped *out)
{
	const ShadowRules *rules = shot->rules;
	const JqLimits limits = { US_PER_S, UINT64_C(256) << 20, rules->conf->body_bytes };

	if (!is_json(shot->arena, answer))
		return NULL;
	out->err = jq_run(shot->arena, rules->map, &limits, buf_str(&answer->body), &out->body);
	out->done = true;
	if (out->err && (out->err->kind == ERR_BUSY || out->err->kind == ERR_IO ||
	                 out->err->kind == ERR_CANCELLED))
		return out->err;
	return NULL;
}

Err *shadow_map(ShadowShot *shot, ShadowMaps *out)
{
	*out = (ShadowMaps){ 0 };
	if (!shot->rules->map.len)
		return NULL;
	TRY(map_one(shot, &shot->old, &out->old));
	TRY(map_one(shot, &shot->new, &out->new));
	return shot->measured ? map_one(shot, &shot->again, &out->again) : NULL;
}

Err *shadow_mapper(void *arg, CompareSide side, Arena *a, Str body, Str *out)
{
	const ShadowMapPair *pair = arg;
	const ShadowMapped *mapped = pair->of[side];

	(void)a;
	*out = mapped->done && !mapped->err ? mapped->body : body;
	return mapped->err;
}

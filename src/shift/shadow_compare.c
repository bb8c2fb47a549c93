/* SPDX-License-Identifier: Apache-2.0
 *
 * Two answers side by side: bodies read (http/decode.h), compared by the route's rules, and noted for the subject and its judge.
 *
 * Bodies that are equal as they are take a memcmp on the loop; what is larger or compressed goes to a worker.
 *
 * The judge's metric `mismatch` is paired: each comparison is one request of the old side and one of the new. An event of the new side is
 * a mismatch; of the old one, that its own second answer was. Where noise is measured only comparisons with a second answer count.
 * Where it is not, the old side is taken to be as steady as its configuration says: whatever differs and nobody accepted counts
 * against the new side. One event a user: whoever has had one is not looked at again in this step. */
#include "base/arena.h"
#include "base/time.h"
#include "http/decode.h"
#include "rt/work.h"
#include "shift/shadow_int.h"

enum { SMALL_BYTES = 16 << 10 };

/* --- bodies --------------------------------------------------------------------------------------------------------- */

static Str coding_of(const ShadowAnswer *answer)
{
	for (size_t i = 0; i < answer->field_count; i++)
		if (str_eq_nocase(answer->fields[i].name, S("Content-Encoding")) &&
		    !str_eq_nocase(str_trim(answer->fields[i].value), S("identity")))
			return str_trim(answer->fields[i].value);
	return (Str){ 0 };
}

/* False: nobody here can read it. What was cut while compressed is cut, whatever it is. */
static bool decode(ShadowAnswer *answer, uint64_t limit)
{
	AUTO(buf_fini) Buf coded = { 0 };
	Str coding = coding_of(answer);
	HttpDecoded decoded;

	if (!coding.len || !answer->body.len || answer->cut)
		return true;
	coded = answer->body;
	answer->body = (Buf){ 0 };
	decoded = http_decode(coding, buf_str(&coded), limit, &answer->body);
	answer->cut = decoded == HTTP_DECODED_CUT;
	return decoded == HTTP_DECODED || decoded == HTTP_DECODED_CUT;
}

/* --- comparing ------------------------------------------------------------------------------------------------------ */

CompareAnswer shadow_view(const ShadowAnswer *answer)
{
	return (CompareAnswer){ .status = answer->status,
		                .fields = answer->fields,
		                .field_count = answer->field_count,
		                .body = buf_str(&answer->body),
		                .cut = answer->cut };
}

static bool is_same_body(const ShadowAnswer *x, const ShadowAnswer *y)
{
	return !x->cut && !y->cut && str_eq(buf_str(&x->body), buf_str(&y->body)) &&
	       str_eq_nocase(coding_of(x), coding_of(y));
}

typedef struct Work {
	ShadowShot *shot;
	ShadowMaps maps;
} Work;

static void compare_pair(const Work *w, const ShadowAnswer *x, const ShadowAnswer *y,
                         const ShadowMapped *mapped_x, const ShadowMapped *mapped_y,
                         Comparison *out)
{
	ShadowMapPair pair = { { mapped_x, mapped_y } };
	const CompareMap map = { .run = shadow_mapper, .arg = &pair, .alike = true };
	CompareAnswer old = shadow_view(x), new = shadow_view(y);

	compare_answers(w->shot->rules->comparer, w->shot->arena, &old, &new,
	                w->shot->rules->map.len ? &map : NULL, out);
}

static void compare_all(void *arg)
{
	const Work *w = arg;
	ShadowShot *shot = w->shot;

	compare_pair(w, &shot->old, &shot->new, &w->maps.old, &w->maps.new, &shot->found);
	if (shot->measured)
		compare_pair(w, &shot->old, &shot->again, &w->maps.old, &w->maps.again,
		             &shot->noise_found);
}

static void decode_all(void *arg)
{
	ShadowShot *shot = ((Work *)arg)->shot;
	uint64_t limit = shot->rules->conf->body_bytes;

	shot->undecoded = !decode(&shot->old, limit) || !decode(&shot->new, limit);
	if (shot->measured && !decode(&shot->again, limit))
		shot->measured = false;
}

static bool is_coded(const ShadowShot *shot)
{
	return coding_of(&shot->old).len || coding_of(&shot->new).len ||
	       (shot->measured && coding_of(&shot->again).len);
}

static bool is_same(const ShadowShot *shot)
{
	return is_same_body(&shot->old, &shot->new) &&
	       (!shot->measured || is_same_body(&shot->old, &shot->again));
}

static Err *compare_whole(Work *w)
{
	ShadowShot *shot = w->shot;

	if (is_coded(shot))
		TRY(work_run(decode_all, w));
	if (shot->undecoded)
		return NULL;
	TRY(shadow_map(shot, &w->maps));
	if (shot->old.body.len + shot->new.body.len + shot->again.body.len > SMALL_BYTES)
		return work_run(compare_all, w);
	compare_all(w);
	return NULL;
}

ShadowResult shadow_compare(ShadowShot *shot)
{
	Work w = { .shot = shot };
	Err *err = NULL;

	if (is_same(shot))
		compare_all(&w);
	else
		err = compare_whole(&w);
	if (err)
		return err->kind == ERR_CANCELLED ? SHADOW_ENDED : SHADOW_BUSY;
	if (shot->undecoded)
		return SHADOW_CODING;
	return shot->found.too_large ? SHADOW_LARGE : SHADOW_COMPARED;
}

/* --- noting --------------------------------------------------------------------------------------------------------- */

/* With the lock. */
static void tell_judge(Subject *s, const ShadowShot *shot, const DifferencesSeen *seen)
{
	bool judged = (s->state.phase == SHIFT_CANARY || s->state.phase == SHIFT_NEW) && !s->halted;
	uint32_t bit;

	if (!judged || !s->judge.count || s->metrics.mismatch < 0 ||
	    (shot->rules->conf->noise_ppm && !shot->measured))
		return;
	bit = UINT32_C(1) << s->metrics.mismatch;
	if (shot->user && (seen_get(&s->seen, shot->user) & bit))
		return;
	if (shot->user && (seen->old_mismatch || seen->new_mismatch) &&
	    !seen_put(&s->seen, shot->user, false, bit))
		return; /* the table is full */
	judge_add(&s->judge, (unsigned)s->metrics.mismatch, (JudgeTally){ 1, seen->old_mismatch },
	          (JudgeTally){ 1, seen->new_mismatch });
}

/* The new side was asked and gave none: a difference like any other. */
static void describe_none(ShadowShot *shot)
{
	Difference *d = ARENA_NEW(shot->arena, Difference);

	*d = (Difference){ .path = str_fmt(shot->arena, "%u:none", shot->old.status),
		           .kind = COMPARE_STATUS,
		           .old = str_fmt(shot->arena, "%u", shot->old.status),
		           .new = shot->none };
	shot->found = (Comparison){ .at = d, .count = 1, .form = COMPARE_NOTHING };
}

ShadowResult shadow_note(ShadowShot *shot, ShadowResult result)
{
	Subject *s = shot->subject;
	DifferencesSeen seen;

	if (shot->none.len)
		describe_none(shot);
	if (result > SHADOW_BROKEN && !(result == SHADOW_LARGE && shot->found.count))
		return result;
	subject_lock(s);
	if (shot->shadows == s->state.shadows) {
		if (!s->differences)
			s->differences = differences_new(shot->rules->alpha);
		differences_note(s->differences, &shot->rules->rules.mask, &shot->found,
		                 shot->measured ? &shot->noise_found : NULL, shot->line,
		                 time_utc_us(), &seen);
		s->differences_changed = true;
		tell_judge(s, shot, &seen);
	} else {
		result = SHADOW_ENDED;
	}
	subject_unlock(s);
	return result;
}

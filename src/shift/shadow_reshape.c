/* SPDX-License-Identifier: Apache-2.0
 *
 * A shadow between sides of different forms: the request goes to the new side as the canary's would, and its answer is compared in
 * the old side's form, as users would get it. What the user's request has to say for that is copied when the shadow begins. */
#include "base/arena.h"
#include "gateway/reshape.h"
#include "shift/shadow_int.h"

void shadow_keep_values(ShadowShot *shot, const Passage *p)
{
	TemplateValues *v = &shot->values;
	Str *const texts[] = { &v->path,   &v->query,     &v->host,
		               &v->scheme, &v->client_ip, &v->request_id };

	shot->reshape = p->state->reshape;
	if (!shot->reshape)
		return;
	passage_values(p, v);
	for (size_t i = 0; i < COUNT(texts); i++)
		if (texts[i]->at)
			*texts[i] = str_dup(shot->arena, *texts[i]);
}

Err *shadow_reshape_request(ShadowShot *shot, Head *head, Str *body)
{
	ReshapeIn in = { .values = &shot->values,
		         .target = head->target,
		         .headers = &head->headers };
	ReshapeOut out;
	bool wanted;

	if (!shot->reshape)
		return NULL;
	wanted = reshape_wants_request(shot->reshape, &head->headers);
	if (wanted && body->len > reshape_body_max(shot->reshape))
		return reshape_too_large(shot->reshape, shot->arena, false);
	if (wanted)
		in.body = *body;
	TRY(reshape_request(shot->reshape, shot->arena, &in, &out));
	head->target = out.target;
	head->headers = out.headers;
	if (wanted)
		*body = out.body;
	if (head->body == HTTP_BODY_LENGTH)
		head->content_length = (int64_t)body->len;
	return NULL;
}

static Headers headers_of(Arena *a, const ShadowAnswer *answer)
{
	Headers headers = { 0 };

	for (size_t i = 0; i < answer->field_count; i++)
		headers_add(&headers, a, answer->fields[i].name, answer->fields[i].value);
	return headers;
}

Err *shadow_reshape_answer(ShadowShot *shot, ShadowAnswer *answer)
{
	Arena *a = shot->arena;
	Headers headers;
	ReshapeIn in = { .values = &shot->values, .headers = &headers };
	ReshapeOut out;
	bool wanted;

	if (!shot->reshape)
		return NULL;
	headers = headers_of(a, answer);
	wanted = answer->body.len && reshape_wants_answer(shot->reshape, answer->status, &headers);
	if (wanted && (answer->cut || answer->body.len > reshape_body_max(shot->reshape)))
		return reshape_too_large(shot->reshape, a, true);
	if (wanted)
		in.body = str_dup(a, buf_str(&answer->body));
	TRY(reshape_answer(shot->reshape, a, answer->status, &in, &out));
	shadow_take_head(a, &(Head){ .status = answer->status, .headers = out.headers }, answer);
	if (!wanted)
		return NULL;
	buf_clear(&answer->body);
	buf_put(&answer->body, out.body);
	return NULL;
}

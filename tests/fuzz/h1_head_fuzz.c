/* SPDX-License-Identifier: Apache-2.0
 *
 * Heads. The first two bytes choose: a request or a response to which method, whether underscores pass, how small the
 * limits are, and how the rest is cut. Then
 *   - the whole at once, cut in pieces, and byte by byte come to the same head or the same error, and
 *   - what we write for a head that we took is a head that we take, and says the same. */
#include "base/arena.h"
#include "fuzz/h1_plan.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Plan {
	H1Limits limits;
	bool response;
	Str method;
	size_t step;
} Plan;

typedef struct Outcome {
	const char *slug;
	size_t used;
	Head head;
} Outcome;

static void must(bool fine)
{
	if (!fine)
		abort();
}

static Outcome parse(Arena *a, const Plan *plan, Str bytes, size_t step)
{
	AUTO(h1_fini) H1Parser p;
	Outcome out = { 0 };

	h1_init(&p, plan->response);
	for (size_t len = MIN(step, bytes.len);; len = MIN(len + step, bytes.len)) {
		Str some = str_sub(bytes, 0, len);
		Err *err = plan->response ? h1_parse_response(&p, a, &plan->limits, plan->method,
		                                              some, &out.head, &out.used)
		                          : h1_parse_request(&p, a, &plan->limits, some, &out.head,
		                                             &out.used);

		if (err)
			out.slug = err->why ? err->why->slug : err->slug;
		if (err || out.used || len == bytes.len)
			return out;
	}
}

static void must_say_the_same(const Head *x, const Head *y)
{
	uint32_t i = 0;
	uint32_t j = 0;

	must(str_eq(x->method, y->method) && str_eq(x->target, y->target) &&
	     str_eq(x->authority, y->authority));
	must(x->status == y->status && x->body == y->body && str_eq(x->upgrade, y->upgrade));
	must(x->expect_continue == y->expect_continue || x->version == HTTP_10);
	must(x->content_length == y->content_length ||
	     (x->content_length <= 0 && y->content_length <= 0));
	for (;;) {
		const Header *header = next(&x->headers, &i);
		const Header *other = next(&y->headers, &j);

		must(!header == !other);
		if (!header)
			return;
		must(header->id == other->id && str_eq(header->name, other->name) &&
		     str_eq(header->value, other->value));
	}
}

static void must_write_what_it_took(Arena *a, const Plan *plan, const Head *head)
{
	AUTO(buf_fini) Buf out = { 0 };
	Plan again = *plan;
	Head sent = *head;
	Outcome back;

	if (!plan->response && sent.authority.len == 0)
		sent.authority = S("none");
	again.limits.head_bytes = again.limits.line_bytes = 1 << 20;
	again.limits.headers = 1000;
	if (plan->response)
		h1_put_response(&out, &sent, !sent.keep_alive);
	else
		h1_put_request(&out, &sent, !sent.keep_alive);
	back = parse(a, &again, buf_str(&out), out.len);
	must(!back.slug && back.used == out.len);
	must_say_the_same(&sent, &back.head);
	must(sent.upgrade.len || back.head.keep_alive == sent.keep_alive);
}

static void check(Arena *a, const Plan *plan, Str bytes)
{
	Outcome whole = parse(a, plan, bytes, bytes.len);
	size_t steps[] = { 1, plan->step };

	for (size_t i = 0; i < COUNT(steps); i++) {
		Outcome parts = parse(a, plan, bytes, steps[i]);

		must(str_eq(str_of(parts.slug), str_of(whole.slug)) && parts.used == whole.used);
		if (whole.used)
			must_say_the_same(&whole.head, &parts.head);
	}
	if (whole.used)
		must_write_what_it_took(a, plan, &whole.head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Plan plan;
	Arena *a;

	if (size < 3)
		return 0;
	plan = (Plan){
		.limits = usual_limits(data[0]),
		.response = data[0] & 1,
		.method = method_of(data[0]),
		.step = 1 + data[1],
	};
	if (data[0] & 0x80)
		plan.limits = (H1Limits){ 16 + data[1], 8 + data[1] / 2, 3, false };
	a = arena_new(0);
	check(a, &plan, (Str){ (const char *)data + 2, size - 2 });
	arena_free(a);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "service/idempotency.c"

#include "unit.h"

#include <string.h>

enum { LATER_BYTES = 6000 };

static Err *fill(ServiceCall *c, Db *tx, void *arg)
{
	(void)tx;
	(void)arg;
	headers_add(&c->headers, c->arena, S("Location"), S("/v1/things/1"));
	field_mistake(&c->mistakes, S("/a"), "range", "it is too large");
	return NULL;
}

/* A transaction is run again after its arena went back to where it began. */
TEST(what_is_run_again_writes_nothing_where_the_time_before_did)
{
	ServiceReply reply = { .is_json = false };
	ServiceCall c = { .arena = a, .reply = &reply, .mistakes = { .arena = a } };
	Effect effect = { .call = &c, .fn = fill };
	Mark mark = arena_mark(a);
	char *later;

	CHECK_OK(run_effect(NULL, a, &effect));
	arena_reset(a, mark);
	later = memset(arena_alloc_raw(a, LATER_BYTES), 'x', LATER_BYTES);
	CHECK_OK(run_effect(NULL, a, &effect));
	for (size_t i = 0; i < LATER_BYTES; i++)
		CHECK(later[i] == 'x');
	CHECK_INT(c.headers.count, 1);
	CHECK_INT(c.mistakes.count, 1);
	CHECK_STR(c.headers.at[0].name, S("Location"));
	buf_fini(&reply.body);
}

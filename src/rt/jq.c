/* SPDX-License-Identifier: Apache-2.0
 *
 * Around libjq 1.6, whose values are counted references that each call takes over. */
#include "rt/jq.h"

#include "base/arena.h"
#include "base/buf.h"

#include <jq.h>
#include <jv.h>
#include <stdlib.h>

struct Jq {
	jq_state *state;
	Buf *said; /* what it complains of, while it compiles */
};

static void complain(void *arg, jv message)
{
	Jq *jq = arg;

	if (jq->said && jv_get_kind(message) == JV_KIND_STRING) {
		buf_put(jq->said, str_of(jv_string_value(message)));
		buf_putc(jq->said, '\n');
	}
	jv_free(message);
}

Err *jq_new(Arena *a, Str filter, Jq **out)
{
	AUTO(buf_fini) Buf said = { 0 };
	Jq *jq = calloc(1, sizeof *jq);
	Str first, rest;

	if (!jq)
		abort();
	jq->state = jq_init();
	if (!jq->state)
		abort();
	jq->said = &said;
	jq_set_error_cb(jq->state, complain, jq);
	if (jq_compile(jq->state, str_z(a, filter))) {
		jq->said = NULL;
		*out = jq;
		return NULL;
	}
	jq->said = NULL;
	jq_free(jq);
	rest = buf_str(&said);
	str_split(&rest, '\n', &first);
	return err_new(a, ERR_INVALID, "rt.jq", "%.*s is no jq filter: %.*s",
	               STR_ARG(str_quote(a, filter)), STR_ARG(first));
}

void jq_free(Jq *jq)
{
	if (!jq)
		return;
	jq_teardown(&jq->state);
	free(jq);
}

static bool take(jv value, Arena *a, Str *out)
{
	jv_kind kind = jv_get_kind(value);

	if (kind == JV_KIND_INVALID || kind == JV_KIND_NULL || kind == JV_KIND_FALSE) {
		jv_free(value);
		return false;
	}
	if (kind != JV_KIND_STRING)
		value = jv_dump_string(value, 0);
	*out = str_dup(a, (Str){ jv_string_value(value),
	                         (size_t)jv_string_length_bytes(jv_copy(value)) });
	jv_free(value);
	return true;
}

Err *jq_check(Arena *a, Str filter)
{
	Jq *jq;

	TRY(jq_new(a, filter, &jq));
	jq_free(jq);
	return NULL;
}

bool jq_first(Jq *jq, Arena *a, Str json, Str *out)
{
	jv input = jv_parse_sized(json.len ? json.at : "", (int)json.len);

	if (!jv_is_valid(input)) {
		jv_free(input);
		return false;
	}
	jq_start(jq->state, input, 0);
	return take(jq_next(jq->state), a, out);
}

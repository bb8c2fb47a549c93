/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of this folder share: a saga's rows, and the keys of its steps. */
#pragma once
#include "saga/saga.h"

struct SagaRow;
struct SagaStepRow;

Str saga_kind_name(SagaKind kind);
SagaView saga_view(const struct SagaRow *row);
Str saga_key(Arena *a, Uuid saga, const char *step, bool undo);
/* A job that carries it on, at this time (0: now), once the transaction is over. */
Err *saga_put_job(Db *tx, Arena *a, Uuid saga, int64_t turn, Str traceparent, int64_t at_us)
	MUST_USE;
const SagaType *saga_type_of(const SagaSet *set, Str name, int64_t version); /* NULL: not known */
/* A span of its own in the trace of `traceparent`; of none, a trace of its own. */
Str saga_span(Arena *a, Str traceparent);

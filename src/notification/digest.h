/* SPDX-License-Identifier: Apache-2.0
 *
 * Digests: several notifications of one workflow that go to a recipient as one message. */
#pragma once
#include "notification/delivery_domain.h"
#include "store/db.h"

typedef struct WorkflowRow WorkflowRow;
typedef struct DeliveryRow DeliveryRow;

bool digest_wanted(const WorkflowRow *workflow);
/* In the transaction that begins a delivery: into the open digest, or a new one whose end is put down as a job. Sets row->digest_id. key:
 * what is told apart within the workflow. */
Err *digest_join(Db *tx, Arena *a, const WorkflowRow *workflow, const Zone *zone, Str key,
                 int64_t now_us, DeliveryRow *row) MUST_USE;

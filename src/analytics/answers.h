/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers that are still true: a report that many look at is made once, until something it is about has changed. Any thread. */
#pragma once
#include "base/err.h"

enum { ANSWERS_MOST = 128, ANSWER_BYTES_MOST = 64 << 10 };

typedef struct Answers Answers;

/* What was asked, by two hashes of it. */
typedef struct AnswerKey {
	uint64_t one, other;
} AnswerKey;
AnswerKey answers_key(int64_t project, Str question);

Answers *answers_new(void) RETURNS_NONNULL;
void answers_free(Answers *answers); /* NULL is fine */
/* stamp: of what the answer is about; another one and the answer is none. *body: a copy in the arena. */
bool answers_find(Answers *answers, Arena *a, AnswerKey key, Str stamp, Str *body);
/* Of more than ANSWER_BYTES_MOST nothing is kept; the one that was not asked for the longest makes room. */
void answers_keep(Answers *answers, AnswerKey key, Str stamp, Str body);

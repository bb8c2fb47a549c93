/* SPDX-License-Identifier: Apache-2.0
 *
 * A small table under one lock, walked: 128 keys are four kilobytes. An answer is found by what was asked and is good for one stamp of
 * the data (versions of the days, merges of persons), so nothing has to be told when something changes, in whatever process. */
#include "analytics/answers.h"

#include "base/arena.h"
#include "base/hash.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { STAMP_MOST = 100 };

typedef struct Answer {
	AnswerKey key;
	uint64_t used; /* 0: empty */
	char stamp[STAMP_MOST];
	size_t stamp_len, len;
	char *body;
} Answer;

struct Answers {
	pthread_mutex_t lock;
	uint64_t clock;
	Answer at[ANSWERS_MOST];
};

AnswerKey answers_key(int64_t project, Str question)
{
	return (AnswerKey){ hash_stable(question, (uint64_t)project, 1),
		            hash_stable(question, (uint64_t)project, 2) };
}

Answers *answers_new(void)
{
	Answers *answers = calloc(1, sizeof(*answers));

	if (!answers)
		abort();
	pthread_mutex_init(&answers->lock, NULL);
	return answers;
}

void answers_free(Answers *answers)
{
	if (!answers)
		return;
	for (size_t i = 0; i < ANSWERS_MOST; i++)
		free(answers->at[i].body);
	pthread_mutex_destroy(&answers->lock);
	free(answers);
}

static void unlock(pthread_mutex_t **lock)
{
	pthread_mutex_unlock(*lock);
}

static Answer *find(Answers *answers, AnswerKey key)
{
	for (size_t i = 0; i < ANSWERS_MOST; i++) {
		Answer *at = &answers->at[i];

		if (at->used && at->key.one == key.one && at->key.other == key.other)
			return at;
	}
	return NULL;
}

bool answers_find(Answers *answers, Arena *a, AnswerKey key, Str stamp, Str *body)
{
	AUTO(unlock) pthread_mutex_t *lock = &answers->lock;
	Answer *at;

	pthread_mutex_lock(lock);
	at = find(answers, key);
	if (!at || !str_eq((Str){ at->stamp, at->stamp_len }, stamp))
		return false;
	at->used = ++answers->clock;
	*body = str_dup(a, (Str){ at->body, at->len });
	return true;
}

static Answer *oldest(Answers *answers)
{
	Answer *at = &answers->at[0];

	for (size_t i = 1; i < ANSWERS_MOST; i++)
		if (answers->at[i].used < at->used)
			at = &answers->at[i];
	return at;
}

void answers_keep(Answers *answers, AnswerKey key, Str stamp, Str body)
{
	AUTO(unlock) pthread_mutex_t *lock = &answers->lock;
	Answer *at;

	pthread_mutex_lock(lock);
	if (body.len > ANSWER_BYTES_MOST || stamp.len > STAMP_MOST || !body.len)
		return;
	at = find(answers, key);
	if (!at)
		at = oldest(answers);
	free(at->body);
	at->body = malloc(body.len);
	at->used = at->body ? ++answers->clock : 0;
	if (!at->body)
		return;
	memcpy(at->body, body.at, body.len);
	memcpy(at->stamp, stamp.at, stamp.len);
	at->key = key;
	at->len = body.len;
	at->stamp_len = stamp.len;
}

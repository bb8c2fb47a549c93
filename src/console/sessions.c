/* SPDX-License-Identifier: Apache-2.0
 *
 * Sessions of the console: a small table that is looked through from end to end, each time in the same time whatever the
 * cookie says. An id has 256 random bits. A second secret, the proof, goes to the page at login and never into a cookie: cookies know no
 * ports, so whatever else listens on this host is sent ours, and it must not be able to change anything with that. */
#include "console/sessions.h"

#include "base/arena.h"
#include "base/rand.h"
#include "base/time.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { PROOF_HEX = 32, NAME_BYTES = 64 };

typedef struct Session {
	char id[SESSION_ID_HEX];
	char proof[PROOF_HEX];
	char name[NAME_BYTES];
	uint8_t name_len;
	uint8_t role;
	bool used;
	int64_t last_us;
	char *leave; /* malloc'd; NULL: nowhere */
	size_t leave_len;
} Session;

static struct {
	pthread_mutex_t lock;
	Session at[SESSIONS_MAX];
} sessions = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void put_random_hex(char *to, size_t digits)
{
	uint64_t bits;

	for (size_t i = 0; i < digits; i += 16) {
		rand_bytes(&bits, sizeof(bits));
		str_put_hex(to + i, bits, 16);
	}
}

static bool is_live(const Session *s, int64_t now_us)
{
	return s->used && now_us - s->last_us < SESSION_IDLE_S * US_PER_S;
}

static bool same_id(const Session *s, Str id)
{
	unsigned char diff = 0;

	for (size_t i = 0; i < SESSION_ID_HEX; i++)
		diff |= (unsigned char)(s->id[i] ^ id.at[i]);
	return !diff;
}

/* With the lock held. What is found may be over, or an empty place: see is_live. */
static Session *find(Str id)
{
	Session *found = NULL;

	if (id.len != SESSION_ID_HEX)
		return NULL;
	for (size_t i = 0; i < SESSIONS_MAX; i++)
		if (same_id(&sessions.at[i], id))
			found = &sessions.at[i];
	return found;
}

static Session *take_place(int64_t now_us)
{
	Session *oldest = &sessions.at[0];

	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		Session *s = &sessions.at[i];

		if (!is_live(s, now_us))
			return s;
		if (s->last_us < oldest->last_us)
			oldest = s;
	}
	return oldest;
}

static void keep_leave(Session *s, Str leave)
{
	if (!leave.len)
		return;
	s->leave = malloc(leave.len);
	if (!s->leave)
		abort();
	memcpy(s->leave, leave.at, leave.len);
	s->leave_len = leave.len;
}

void console_session_begin(Arena *a, const AdminWho *who, Str leave, int64_t now_us, Str *id,
                           Str *proof)
{
	Session *place;
	Session made = { .used = true,
		         .last_us = now_us,
		         .role = (uint8_t)who->role,
		         .name_len = (uint8_t)MIN(who->name.len, (size_t)NAME_BYTES) };

	put_random_hex(made.id, SESSION_ID_HEX);
	put_random_hex(made.proof, PROOF_HEX);
	memcpy(made.name, who->name.at, made.name_len);
	keep_leave(&made, leave);
	pthread_mutex_lock(&sessions.lock);
	place = take_place(now_us);
	free(place->leave);
	*place = made;
	pthread_mutex_unlock(&sessions.lock);
	*id = str_dup(a, (Str){ made.id, SESSION_ID_HEX });
	*proof = str_dup(a, (Str){ made.proof, PROOF_HEX });
}

bool console_session_find(Arena *a, Str id, int64_t now_us, AdminWho *who, Str *proof)
{
	Session *s, found = { 0 };

	pthread_mutex_lock(&sessions.lock);
	s = find(id);
	if (s && is_live(s, now_us)) {
		s->last_us = now_us;
		found = *s;
	}
	pthread_mutex_unlock(&sessions.lock);
	if (!found.used)
		return false;
	*who = (AdminWho){ str_dup(a, (Str){ found.name, found.name_len }), found.role };
	*proof = str_dup(a, (Str){ found.proof, PROOF_HEX });
	return true;
}

void console_session_end(Arena *a, Str id, Str *leave)
{
	Session *s, ended = { 0 };

	pthread_mutex_lock(&sessions.lock);
	s = find(id);
	if (s) {
		ended = *s;
		*s = (Session){ 0 };
	}
	pthread_mutex_unlock(&sessions.lock);
	*leave = str_dup(a, (Str){ ended.leave, ended.leave_len });
	free(ended.leave);
}

uint64_t console_session_count(int64_t now_us)
{
	uint64_t count = 0;

	pthread_mutex_lock(&sessions.lock);
	for (size_t i = 0; i < SESSIONS_MAX; i++)
		count += is_live(&sessions.at[i], now_us);
	pthread_mutex_unlock(&sessions.lock);
	return count;
}

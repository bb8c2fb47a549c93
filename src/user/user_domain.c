/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of accounts, without anything they are kept in or asked by.
 *
 * An account is invited (an administrator made it, nobody has set a password), active, suspended or erased. Erased is for ever:
 * the row stays as its id and nothing else. A session has a level, 0 while a second factor is due; its token changes whenever
 * it rises, so that whoever knew it before knows nothing. Two dates end it: idle_until moves with use, until never does.
 *
 * A password is asked for length only, in characters as people count them, and that it is none of the account's own names:
 * rules about kinds of characters make worse passwords (NIST SP 800-63B 5.1.1). */
#include "user/user_domain.h"

#include "base/arena.h"
#include "base/time.h"

#include <stdlib.h>
#include <string.h>

/* --- statuses ----------------------------------------------------------------------------------------------------------- */

static const Str statuses[] = {
	[USER_INVITED] = S("invited"),
	[USER_ACTIVE] = S("active"),
	[USER_SUSPENDED] = S("suspended"),
	[USER_ERASED] = S("erased"),
};

Str user_status_name(UserStatus status)
{
	return statuses[status];
}

bool user_status_read(Str text, UserStatus *out)
{
	for (size_t i = 0; i < COUNT(statuses); i++) {
		if (str_eq(text, statuses[i])) {
			*out = (UserStatus)i;
			return true;
		}
	}
	return false;
}

bool user_may_become(UserStatus from, UserStatus to)
{
	static const bool may[][COUNT(statuses)] = {
		[USER_INVITED] = { [USER_ACTIVE] = true, [USER_ERASED] = true },
		[USER_ACTIVE] = { [USER_SUSPENDED] = true, [USER_ERASED] = true },
		[USER_SUSPENDED] = { [USER_ACTIVE] = true, [USER_ERASED] = true },
		[USER_ERASED] = { false },
	};

	return may[from][to];
}

bool user_may_log_in(UserStatus status)
{
	return status == USER_ACTIVE;
}

/* --- words -------------------------------------------------------------------------------------------------------------- */

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_digit(c) || is_lower(c) || (c >= 'A' && c <= 'Z');
}

bool role_is(Str text)
{
	if (!text.len || text.len > ROLE_BYTES || !is_lower(text.at[0]))
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (!is_lower(text.at[i]) && !is_digit(text.at[i]) && !strchr("._-", text.at[i]))
			return false;
	return true;
}

bool locale_is(Str text)
{
	Str part;
	bool first = true;

	if (text.len > 35)
		return false;
	while (str_split(&text, '-', &part)) {
		if (part.len < (first ? 2 : 1) || part.len > (first ? 3 : 8))
			return false;
		for (size_t i = 0; i < part.len; i++)
			if (!is_alnum(part.at[i]) || (first && is_digit(part.at[i])))
				return false;
		first = false;
	}
	return !first;
}

bool external_is(Str text)
{
	ptrdiff_t colon = str_find_char(text, ':');

	if (colon <= 0 || (size_t)colon + 1 == text.len || text.len > 200)
		return false;
	if (!role_is(str_sub(text, 0, (size_t)colon)))
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] <= ' ' || text.at[i] == '/' || text.at[i] > '~')
			return false;
	return true;
}

static int by_text(const void *x, const void *y)
{
	return str_cmp(*(const Str *)x, *(const Str *)y);
}

Str roles_text(Arena *a, const Str *roles, size_t count)
{
	AUTO(buf_fini) Buf b = { 0 };
	Str *sorted = ARENA_ARRAY(a, Str, count + 1);

	for (size_t i = 0; i < count; i++)
		sorted[i] = roles[i];
	qsort(sorted, count, sizeof(*sorted), by_text);
	for (size_t i = 0; i < count; i++) {
		if (i && str_eq(sorted[i], sorted[i - 1]))
			continue;
		buf_put(&b, b.len ? S(" ") : S(""));
		buf_put(&b, sorted[i]);
	}
	return str_dup(a, buf_str(&b));
}

const Str *roles_read(Arena *a, Str text, size_t *count)
{
	Str *roles = ARENA_ARRAY(a, Str, text.len / 2 + 1), role;
	size_t n = 0;

	while (text.len && str_split(&text, ' ', &role))
		roles[n++] = role;
	*count = n;
	return roles;
}

/* --- scopes ------------------------------------------------------------------------------------------------------------- */

static const Str scopes_all[] = {
	S("users:read"), S("users:write"), S("audit:read"), S("clients:read"), S("clients:write"),
};

bool scopes_known(Str scopes, Str *unknown)
{
	Str scope;

	while (str_split(&scopes, ' ', &scope)) {
		bool known = false;

		for (size_t i = 0; i < COUNT(scopes_all); i++)
			known |= str_eq(scope, scopes_all[i]);
		if (!known) {
			*unknown = scope;
			return false;
		}
	}
	return true;
}

/* --- sessions ----------------------------------------------------------------------------------------------------------- */

void session_dates(Session *s, const SessionRule *rule, int64_t now_us)
{
	int64_t most = s->level ? rule->most_us : rule->half_us;

	s->until_us = now_us + most;
	s->idle_until_us = now_us + MIN(most, rule->idle_us);
	s->used_us = now_us;
}

bool session_is_over(const Session *s, int64_t now_us)
{
	return now_us >= s->idle_until_us || now_us >= s->until_us;
}

/* Each use would be a write: a tenth of the idle time goes unnoticed, a minute at most. */
bool session_touch(Session *s, const SessionRule *rule, int64_t now_us)
{
	int64_t grain = MIN(rule->idle_us / 10, 60 * US_PER_S);

	if (!s->level || now_us - s->used_us < grain)
		return false;
	s->used_us = now_us;
	s->idle_until_us = MIN(s->until_us, now_us + rule->idle_us);
	return true;
}

bool session_is_fresh(const Session *s, const SessionRule *rule, int64_t now_us)
{
	return s->level && now_us - s->proved_us < rule->fresh_us;
}

/* --- passwords ---------------------------------------------------------------------------------------------------------- */

static size_t characters(Str text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += ((unsigned char)text.at[i] & 0xc0) != 0x80;
	return n;
}

const char *password_fault(const PasswordRule *rule, Str password, const Str *own, size_t count)
{
	if (password.len > rule->most)
		return "too_long";
	if (characters(password) < rule->least)
		return "too_short";
	for (size_t i = 0; i < count; i++)
		if (own[i].len && str_eq_nocase(password, own[i]))
			return "own_name";
	return NULL;
}

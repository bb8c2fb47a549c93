/* SPDX-License-Identifier: Apache-2.0
 *
 * The split. A cookie of ours is 16 random bytes and their SipHash-2-4 under a key that all gateways of the book share, in hex:
 * who makes one up without the key is a stranger, so nobody draws until he is on the side he likes. It says nothing of the
 * user and is never given up at login or log-out, which is why it, and not the monolith's session, is what people are drawn
 * by. */
#include "shift/split.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/rand.h"
#include "base/units.h"
#include "http/cookie.h"

#include <string.h>

#define YEAR_S 34560000 /* 400 days: what browsers keep at most */

enum { ID_HEX = 32, TAG_HEX = 16 };

SplitRules split_rules(Arena *a, const ShiftConf *conf, Str cookie)
{
	SplitRules rules = { .cookie = cookie };

	rules.by.at = ARENA_ARRAY(a, SplitBy, conf->sticky.count + 1);
	rules.by.count = conf->sticky.count;
	for (size_t i = 0; i < conf->sticky.count; i++) {
		sticky_split(conf->sticky.at[i], &rules.by.at[i].by, &rules.by.at[i].name);
		rules.ours = rules.ours || rules.by.at[i].by == STICKY_COOKIE_OF_OURS;
	}
	return rules;
}

/* --- the cookie of ours ---------------------------------------------------------------------------------------------- */

static bool read_hex(Str text, uint64_t *out)
{
	uint64_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];
		bool digit = c >= '0' && c <= '9', letter = c >= 'a' && c <= 'f';

		if (!digit && !letter)
			return false;
		n = n << 4 | (uint64_t)(digit ? c - '0' : c - 'a' + 10);
	}
	*out = n;
	return true;
}

static bool is_signed(const SplitKey *key, Str value)
{
	uint64_t tag;

	return value.len == SPLIT_COOKIE_BYTES &&
	       read_hex(str_sub(value, ID_HEX, SPLIT_COOKIE_BYTES), &tag) &&
	       tag == hash_stable(str_sub(value, 0, ID_HEX), key->of[0], key->of[1]);
}

/* Of several of that name (of a path, of a domain above) any that is signed will do. */
static Str own_id(const SplitRules *rules, const SplitKey *key, const Headers *headers)
{
	CookieAt at = { 0 };
	Str value;

	while (http_cookie_next(headers, rules->cookie, &at, &value))
		if (is_signed(key, value))
			return str_sub(value, 0, ID_HEX);
	return (Str){ 0 };
}

Str split_cookie(Arena *a, const SplitRules *rules, const SplitKey *key, bool secure)
{
	uint64_t id[2];
	Str text;

	rand_bytes(id, sizeof id);
	text = str_fmt(a, "%016" PRIx64 "%016" PRIx64, id[0], id[1]);
	return str_fmt(a, "%.*s=%.*s%016" PRIx64 "; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax%s",
	               STR_ARG(rules->cookie), STR_ARG(text),
	               hash_stable(text, key->of[0], key->of[1]), YEAR_S, secure ? "; Secure" : "");
}

/* --- users ------------------------------------------------------------------------------------------------------------- */

uint64_t split_hash(StickyBy by, Str id)
{
	uint64_t hash = hash_stable(id, UINT64_C(0x62616e79616e) + by, UINT64_C(0x7368696674));

	return hash ? hash : 1;
}

/* ours: what the cookie of ours says. */
static Str value_by(StickyBy by, Str name, Str ours, const SplitFrom *from)
{
	switch (by) {
	case STICKY_COOKIE_OF_OURS:
		return ours;
	case STICKY_HEADER:
		return headers_get_name(from->headers, name);
	case STICKY_COOKIE:
		return http_cookie(from->headers, name);
	case STICKY_ADDRESS:
		return from->client_ip;
	case STICKY_CLAIM:
		return identity_claim(from->identity, from->arena, name);
	}
	return (Str){ 0 };
}

SplitUser split_user(const SplitRules *rules, const SplitKey *key, const SplitFrom *from)
{
	SplitUser user = { .stranger = rules->ours };
	Str ours = rules->ours ? own_id(rules, key, from->headers) : (Str){ 0 };

	for (size_t i = 0; i < rules->by.count; i++) {
		const SplitBy *by = &rules->by.at[i];
		Str id = value_by((StickyBy)by->by, by->name, ours, from);

		if (!id.len)
			continue;
		if (by->by == STICKY_COOKIE_OF_OURS)
			user.stranger = false;
		if (user.hash)
			continue;
		user.by = by->by;
		user.id = id;
		user.hash = split_hash(by->by, id);
	}
	return user;
}

/* From 0 to PPM_WHOLE less 1, each as likely. */
static uint32_t draw(uint64_t salt, uint64_t user)
{
	Str bytes = { (const char *)&user, sizeof user };
	uint64_t hash = hash_stable(bytes, salt, UINT64_C(0x64726177));

	return (uint32_t)(((unsigned __int128)hash * PPM_WHOLE) >> 64);
}

bool split_is_in(uint64_t salt, uint64_t user, uint32_t share_ppm)
{
	return draw(salt, user) < share_ppm;
}

static bool is_listed(const Str *at, size_t count, Str value)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(at[i], value))
			return true;
	return false;
}

bool split_override(const ShiftConf *conf, const SplitUser *user, const SplitFrom *from,
                    bool *is_new)
{
	for (size_t i = 0; i < conf->overrides.count; i++) {
		const OverrideConf *o = &conf->overrides.at[i];
		Str value = value_by((StickyBy)o->by, o->field, user->id, from);

		if (!value.len)
			continue;
		if (is_listed(o->to_old.at, o->to_old.count, value)) {
			*is_new = false;
			return true;
		}
		if (is_listed(o->to_new.at, o->to_new.count, value)) {
			*is_new = true;
			return true;
		}
	}
	return false;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Faults by rule. A rule has a share of the requests it is meant for, and may be used up. Chance comes from the script's seed alone, so
 * the same requests in the same order meet the same faults; it is a small generator (xorshift64*), for nothing but that.
 *
 * Amounts that ask for a fault are few and odd, so that an ordinary cart does not meet one by accident; tokens say what they do. */
#include "payment/fault_script.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"

#include <string.h>

enum { RULES_MOST = 64, MS_USUAL = 2000, MS_MOST = 600000 };

typedef struct Rule {
	Fault fault;
	uint32_t on;    /* a bit a FaultOn */
	uint64_t share; /* of 2^32 */
	int64_t left;   /* -1: for ever */
	int64_t struck;
	FaultHit hit;
} Rule;

struct FaultScript {
	Rule *rules;
	size_t count;
	uint64_t seed, state;
};

static const struct {
	const char *name;
	int64_t amount;
} faults[] = { [FAULT_NONE] = { "none", 0 },
#define X(id, name, amount, help) [FAULT_##id] = { name, amount },
	       FAULTS(X)
#undef X
};

static const char *const ons[] = {
	[FAULT_ON_AUTHORIZE] = "authorize",
	[FAULT_ON_CAPTURE] = "capture",
	[FAULT_ON_VOID] = "void",
	[FAULT_ON_REFUND] = "refund",
	[FAULT_ON_GET] = "get",
	[FAULT_ON_WEBHOOK] = "webhook",
};
_Static_assert(COUNT(ons) == FAULT_ONS, "an act has no name");

const char *fault_name(Fault fault)
{
	return faults[fault].name;
}

const char *fault_on_name(FaultOn on)
{
	return ons[on];
}

static bool tells(Fault fault)
{
	return fault == FAULT_DUPLICATE || fault == FAULT_REORDER || fault == FAULT_WITHHOLD;
}

static Fault fault_of(Str name)
{
	for (size_t i = 1; i < COUNT(faults); i++)
		if (str_eq(name, str_of(faults[i].name)))
			return (Fault)i;
	return FAULT_NONE;
}

/* --- reading ------------------------------------------------------------------------------------------------------------- */

static Err *wrong(Arena *a, size_t at, const char *what)
{
	return err_new(a, ERR_INVALID, "fault.script", "fault %zu: %s", at + 1, what);
}

/* Where it was not said: wherever that can happen. */
static uint32_t usual_on(Fault fault)
{
	if (tells(fault))
		return 1u << FAULT_ON_WEBHOOK;
	if (fault == FAULT_DECLINE || fault == FAULT_PENDING)
		return 1u << FAULT_ON_AUTHORIZE;
	return (1u << FAULT_ON_WEBHOOK) - 1;
}

static Err *read_on(Arena *a, const Json *json, size_t at, Rule *rule)
{
	rule->on = usual_on(rule->fault);
	if (!json)
		return NULL;
	rule->on = 0;
	for (size_t i = 0; i < json_count(json); i++) {
		uint32_t bit = 0;
		Str name = { 0 };

		(void)json_to_str(json_at(json, i), &name);
		for (size_t k = 0; k < COUNT(ons); k++)
			if (str_eq(name, str_of(ons[k])))
				bit = 1u << k;
		if (!bit)
			return wrong(a, at,
			             "`on` takes authorize, capture, void, refund, get, webhook");
		rule->on |= bit;
	}
	return NULL;
}

static Err *read_numbers(Arena *a, const Json *json, size_t at, Rule *rule)
{
	double share = 1;
	int64_t ms = MS_USUAL;

	(void)json_to_real(json_get(json, S("share")), &share);
	(void)json_to_i64(json_get(json, S("ms")), &ms);
	rule->left = -1;
	(void)json_to_i64(json_get(json, S("times")), &rule->left);
	if (!(share >= 0 && share <= 1))
		return wrong(a, at, "`share` is between 0 and 1");
	if (ms < 0 || ms > MS_MOST)
		return wrong(a, at, "`ms` is between 0 and 600000");
	rule->share = (uint64_t)(share * 4294967296.0);
	rule->hit.us = ms * US_PER_MS;
	return NULL;
}

static Err *read_rule(Arena *a, const Json *json, size_t at, Rule *rule)
{
	Str name = { 0 };

	(void)json_to_str(json_get(json, S("fault")), &name);
	rule->fault = fault_of(name);
	if (!rule->fault)
		return wrong(a, at, "there is no such `fault`");
	rule->hit = (FaultHit){ .fault = rule->fault,
		                .code = S("card_declined"),
		                .decline_code = S("generic_decline") };
	if (json_to_str(json_get(json, S("code")), &rule->hit.code))
		rule->hit.decline_code = S("");
	(void)json_to_str(json_get(json, S("decline_code")), &rule->hit.decline_code);
	rule->hit.code = str_dup(a, rule->hit.code);
	rule->hit.decline_code = str_dup(a, rule->hit.decline_code);
	TRY(read_on(a, json_get(json, S("on")), at, rule));
	return read_numbers(a, json, at, rule);
}

Err *fault_script_read(Arena *a, const Json *json, FaultScript **out)
{
	FaultScript *script = ARENA_NEW(a, FaultScript);
	const Json *list = json_get(json, S("faults"));
	int64_t seed = 1;

	(void)json_to_i64(json_get(json, S("seed")), &seed);
	script->count = json_count(list);
	if (script->count > RULES_MOST)
		return err_new(a, ERR_INVALID, "fault.script", "there are more than %d faults",
		               RULES_MOST);
	script->rules = ARENA_ARRAY(a, Rule, script->count + 1);
	for (size_t i = 0; i < script->count; i++)
		TRY(read_rule(a, json_at(list, i), i, &script->rules[i]));
	script->seed = (uint64_t)seed;
	script->state = (uint64_t)seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
	*out = script;
	return NULL;
}

/* --- striking ------------------------------------------------------------------------------------------------------------ */

static uint64_t chance(FaultScript *script)
{
	uint64_t x = script->state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	script->state = x;
	return (x * UINT64_C(0x2545f4914f6cdd1d)) >> 32;
}

FaultHit fault_script_draw(FaultScript *script, FaultOn on)
{
	for (size_t i = 0; i < script->count; i++) {
		Rule *rule = &script->rules[i];

		if (!(rule->on & (1u << on)) || !rule->left || chance(script) >= rule->share)
			continue;
		rule->left -= rule->left > 0;
		rule->struck++;
		return rule->hit;
	}
	return (FaultHit){ 0 };
}

FaultHit fault_magic(Str token, int64_t amount)
{
	FaultHit hit = { .us = MS_USUAL * US_PER_MS,
		         .code = S("card_declined"),
		         .decline_code = S("generic_decline") };
	Str prefix = S("pm_fault_");

	if (str_starts(token, prefix))
		hit.fault = fault_of(str_sub(token, prefix.len, token.len));
	for (size_t i = 1; !hit.fault && i < COUNT(faults); i++)
		if (amount && faults[i].amount == amount)
			hit.fault = (Fault)i;
	if (tells(hit.fault))
		hit.fault = FAULT_NONE;
	return hit;
}

/* --- telling ------------------------------------------------------------------------------------------------------------- */

static void put_rule(JsonWriter *w, const Rule *rule)
{
	json_begin_object(w);
	json_put_str(w, "fault", str_of(faults[rule->fault].name));
	json_key(w, S("on"));
	json_begin_array(w);
	for (size_t k = 0; k < COUNT(ons); k++)
		if (rule->on & (1u << k))
			json_add_str(w, str_of(ons[k]));
	json_end(w);
	json_put_real(w, "share", (double)rule->share / 4294967296.0);
	json_put_i64(w, "ms", rule->hit.us / US_PER_MS);
	if (rule->left >= 0)
		json_put_i64(w, "times", rule->left);
	if (rule->fault == FAULT_DECLINE) {
		json_put_str(w, "code", rule->hit.code);
		json_put_str(w, "decline_code", rule->hit.decline_code);
	}
	json_put_i64(w, "struck", rule->struck);
	json_end(w);
}

void fault_script_put(JsonWriter *w, const FaultScript *script)
{
	json_begin_object(w);
	json_put_i64(w, "seed", (int64_t)script->seed);
	json_key(w, S("faults"));
	json_begin_array(w);
	for (size_t i = 0; i < script->count; i++)
		put_rule(w, &script->rules[i]);
	json_end(w);
	json_end(w);
}

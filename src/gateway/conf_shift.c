/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows of `shift:`, of one route and of the whole file, and what they cannot say alone. The rows of one route are all
 * optional: `old:` and `new:` with an empty `shift: {}` are a whole plan with good defaults, for the one thing nobody may
 * default is there: whether a request may be sent twice (shadow.effects). */
#include "gateway/conf_shift.h"

#include "base/arena.h"
#include "base/time.h"
#include "base/units.h"
#include "gateway/conf_int.h"
#include "gateway/conf_reshape.h"
#include "http/message.h"
#include "store/db_conf.h"
#include "store/redis_url.h"

#include <stdlib.h>

static const ConfWord effects_words[] = {
	{ "unknown", EFFECTS_UNKNOWN, "nothing is declared, so nothing is shadowed" },
	{ "none", EFFECTS_NONE, "declared: GET and HEAD here change nothing on either side" },
	{ 0 },
};

static const ConfWord judge_words[] = {
	{ "errors", JUDGE_ON_ERRORS, "answers of 500 and above, and requests without an answer" },
	{ "p50", JUDGE_ON_P50, "answers slower than the old side's median" },
	{ "p95", JUDGE_ON_P95, "answers slower than 95 % of the old side's" },
	{ "p99", JUDGE_ON_P99, "answers slower than 99 % of the old side's" },
	{ "mismatch", JUDGE_ON_MISMATCH, "shadowed answers that differ" },
	{ 0 },
};

bool sticky_split(Str text, uint8_t *by, Str *name)
{
	static const struct {
		Str prefix;
		StickyBy by;
	} rows[] = { { S("header:"), STICKY_HEADER },
		     { S("cookie:"), STICKY_COOKIE },
		     { S("claim:"), STICKY_CLAIM } };

	*name = (Str){ 0 };
	if (str_eq(text, S("auto")) || str_eq(text, S("user"))) {
		*by = STICKY_COOKIE_OF_OURS;
		return true;
	}
	if (str_eq(text, S("address"))) {
		*by = STICKY_ADDRESS;
		return true;
	}
	for (size_t i = 0; i < COUNT(rows); i++)
		if (str_starts(text, rows[i].prefix)) {
			*by = rows[i].by;
			*name = str_sub(text, rows[i].prefix.len, text.len);
			return rows[i].by == STICKY_CLAIM ? name->len > 0 : http_is_token(*name);
		}
	return false;
}

static Err *verify_sticky(Arena *a, Str text)
{
	uint8_t by;
	Str name;

	if (!sticky_split(text, &by, &name) || str_eq(text, S("user")))
		return err_new(a, ERR_INVALID, "conf.value",
		               "expected auto, header:NAME, cookie:NAME, claim:NAME or address");
	return NULL;
}

static Err *verify_override(Arena *a, Str text)
{
	uint8_t by;
	Str name;

	if (!sticky_split(text, &by, &name) || str_eq(text, S("auto")))
		return err_new(a, ERR_INVALID, "conf.value",
		               "expected user, header:NAME, cookie:NAME, claim:NAME or address");
	return NULL;
}

static Err *verify_hold(Arena *a, Str text)
{
	int64_t us;

	if (str_eq(text, S("auto")) || (!units_read_duration(a, text, &us) && us > 0))
		return NULL;
	return err_new(a, ERR_INVALID, "conf.value", "expected auto or a time such as 10m");
}

/* Whoever compares knows what a path is (shift_conf_paths); without it only how one begins is looked at. */
static ConfVerify *path_check;

void shift_conf_paths(ConfVerify *check)
{
	path_check = check;
}

static Err *verify_compare_path(Arena *a, Str text)
{
	if (path_check)
		return path_check(a, text);
	if (str_starts(text, S(".")) || str_starts(text, S("/")))
		return NULL;
	return err_new(a, ERR_INVALID, "conf.value",
	               "expected a path such as .items[].price or /html/head/title");
}

/* One field of an item. */
static Err *verify_field(Arena *a, Str text)
{
	TRY(verify_compare_path(a, text));
	if (str_starts(text, S(".")) && text.len > 1 && str_find(text, S("..")) < 0 &&
	    str_find(text, S("[]")) < 0 && str_find_char(text, '*') < 0)
		return NULL;
	return err_new(a, ERR_INVALID, "conf.value", "expected one field of an item, such as .id");
}

bool tolerance_read(Arena *a, Str text, double *absolute, double *relative)
{
	bool share = str_ends(text, S("%"));
	const char *z = str_z(a, share ? str_sub(text, 0, text.len - 1) : text);
	char *end;
	double n = strtod(z, &end);

	*absolute = share ? 0 : n;
	*relative = share ? n / 100 : 0;
	return end != z && !*end && n >= 0 && n < 1e300;
}

static Err *verify_tolerance(Arena *a, Str text)
{
	double absolute, relative;

	if (tolerance_read(a, text, &absolute, &relative))
		return NULL;
	return err_new(a, ERR_INVALID, "conf.value", "expected a number such as 0.005, or 1%%");
}

static Err *verify_header_name(Arena *a, Str text)
{
	if (http_is_token(text))
		return NULL;
	return err_new(a, ERR_INVALID, "conf.value", "expected the name of a header");
}

/* --- rows of a route -------------------------------------------------------------------------------------------------- */

static const ConfKey shadow_keys[] = {
	{ "sample", CONF_SHARE, AT(ShadowConf, sample_ppm), .def = "100%",
	  .help = "how many of the requests that may be are sent to the new side too" },
	{ "beside", CONF_SHARE, AT(ShadowConf, beside_ppm), .def = "10%",
	  .help = "how many of those while users are on the new side",
	  .more = "Shadows are load that the old side does not have: too many make the new side look slow." },
	{ "effects", CONF_ENUM, AT(ShadowConf, effects), .names = effects_words, .def = "unknown",
	  .help = "what GET and HEAD change",
	  .more = "Where both sides share a database or sessions even a GET may eat something: flash messages, one-time "
	          "links. Say `none` only for routes of which you know it." },
	{ "sandbox", CONF_STR, AT(ShadowConf, sandbox), .verify = verify_header_name,
	  .value = "HEADER",
	  .help = "a header with which the new side changes nothing; then other methods are shadowed too" },
	{ "noise", CONF_SHARE, AT(ShadowConf, noise_ppm), .def = "0%",
	  .help = "how many of those ask the old side a second time, to learn what differs by itself" },
	{ "at_once", CONF_UINT, AT(ShadowConf, at_once), .def = "32", .min = "1", .max = "1000",
	  .help = "shadow requests of the route at a time; more are left out, and counted" },
	{ "body", CONF_BYTES, AT(ShadowConf, body_bytes), .def = "1MiB", .min = "1KiB",
	  .max = "64MiB", .help = "larger bodies are not shadowed, larger answers not compared" },
	{ "timeout", CONF_DURATION, AT(ShadowConf, timeout_us), .def = "10s", .min = "10ms",
	  .max = "5m", .help = "for the new side's answer" },
};
static const ConfTable shadow_table = {
	"shadow", CONF_ROWS(ShadowConf, shadow_keys),
	.help = "requests that the new side gets beside the old, for comparison"
};

static const ConfKey tolerance_keys[] = {
	{ "path", CONF_NAME, AT(PathValueConf, path), .verify = verify_compare_path,
	  .help = "where" },
	{ "by", CONF_STR, AT(PathValueConf, value), .required = true, .verify = verify_tolerance,
	  .help = "how far numbers may differ: 0.005, or 1%" },
};
static const ConfTable tolerance_table = { "tolerance", CONF_ROWS(PathValueConf, tolerance_keys),
	                                   .shorthand = "by",
	                                   .help = "numbers that may differ a little" };
static const ConfKey keyed_keys[] = {
	{ "path", CONF_NAME, AT(PathValueConf, path), .verify = verify_compare_path,
	  .help = "the array" },
	{ "by", CONF_STR, AT(PathValueConf, value), .required = true, .verify = verify_field,
	  .help = "what items are told apart by: .id" },
};
static const ConfTable keyed_table = { "keyed array", CONF_ROWS(PathValueConf, keyed_keys),
	                               .shorthand = "by",
	                               .help = "arrays whose items have a name" };

static const ConfKey compare_keys[] = {
	{ "ignore", CONF_STR, AT_LIST(CompareConf, ignore), .verify = verify_compare_path,
	  .value = "PATH", .help = "what is not looked at: .request_id, .items[].updated" },
	{ "unordered", CONF_STR, AT_LIST(CompareConf, unordered), .verify = verify_compare_path,
	  .value = "PATH", .help = "arrays whose order says nothing" },
	{ "sets", CONF_STR, AT_LIST(CompareConf, sets), .verify = verify_compare_path,
	  .value = "PATH", .help = "arrays whose order and repetitions say nothing" },
	{ "keyed", CONF_OBJECT, AT_MAP(CompareConf, keyed), .table = &keyed_table,
	  .help = "arrays whose items are matched by one of their fields" },
	{ "tolerance", CONF_OBJECT, AT_MAP(CompareConf, tolerance), .table = &tolerance_table,
	  .help = "numbers that may differ a little" },
	{ "headers", CONF_STR, AT_LIST(CompareConf, headers), .verify = verify_header_name,
	  .value = "HEADER", .def = "content-type, location",
	  .help = "headers that are compared, beside the status" },
	{ "mask", CONF_STR, AT_LIST(CompareConf, mask), .verify = verify_compare_path,
	  .value = "PATH",
	  .help = "fields that examples do not keep, beside those whose names sound like secrets" },
	{ "map", CONF_STR, AT(CompareConf, map), .verify = conf_verify_jq, .value = "JQ",
	  .help = "a jq filter that both bodies pass before they are compared" },
};
static const ConfTable compare_table = { "compare", CONF_ROWS(CompareConf, compare_keys),
	                                 .help = "when two answers count as the same" };

static Err *verify_counter_name(Arena *a, Str text)
{
	TRY(verify_name(a, text));
	if (text.len <= COUNTER_NAME_MAX)
		return NULL;
	return err_new(a, ERR_INVALID, "conf.value", "a counter's name has 47 letters at most");
}

static const ConfWord worse_words[] = {
	{ "fewer", COUNTER_FEWER, "the new side goes back when it has fewer of them" },
	{ "more", COUNTER_MORE, "when it has more: refusals, declined cards" },
	{ 0 },
};
static const ConfKey counter_keys[] = {
	{ "name", CONF_NAME, AT(CounterConf, name), .verify = verify_counter_name,
	  .help = "what it is called" },
	{ "header", CONF_STR, AT(CounterConf, header), GIVEN(CounterConf, has_header),
	  .verify = verify_header_name, .value = "HEADER",
	  .help = "an answer counts that has this header; absent, 0, false or empty: it does not" },
	{ "json", CONF_STR, AT(CounterConf, field), GIVEN(CounterConf, has_field),
	  .verify = verify_field, .value = "FIELD",
	  .help = "or one whose JSON body has this field: .payment.ok; absent, null, 0, false or empty: it does not",
	  .more = "The body is read when the client has it, up to 256 KiB, coded or not; one that is larger is left out." },
	{ "equals", CONF_STR, AT(CounterConf, equals), GIVEN(CounterConf, has_equals),
	  .value = "TEXT",
	  .help = "with this value, and no other: a string, a number, true or false" },
	{ "worse", CONF_ENUM, AT(CounterConf, worse), .names = worse_words, .def = "fewer",
	  .help = "what is to send the new side back" },
};
static void check_counter(Conf *conf, void *object)
{
	CounterConf *c = object;

	if (c->has_header == c->has_field)
		conf_mistake(conf, c, "counter %.*s: either header or json says what counts",
		             STR_ARG(c->name));
}
static const ConfTable counter_table = { "counter", CONF_ROWS(CounterConf, counter_keys),
	                                 .shorthand = "header", .check = check_counter,
	                                 .help = "answers that say whether business went well" };

static const ConfKey judge_keys[] = {
	{ "alpha", CONF_REAL, AT(JudgeConf, alpha), .def = "0.001", .min = "0.000001", .max = "0.1",
	  .help = "how likely a new side that is as good as the old goes back by mistake, of all metrics together" },
	{ "metrics", CONF_ENUM, AT_LIST(JudgeConf, metrics), .names = judge_words,
	  .def = "errors, p99, mismatch", .help = "what both sides are compared by" },
	{ "counters", CONF_OBJECT, AT_MAP(JudgeConf, counters), .table = &counter_table,
	  .help = "and these of your own, six at most" },
	{ "hold", CONF_STR, AT(JudgeConf, hold), .def = "auto", .verify = verify_hold,
	  .value = "TIME",
	  .help = "how long a step lasts at least; auto: as long as the traffic needs to show a tenfold rise of errors" },
	{ "fast", CONF_DURATION, AT(JudgeConf, fast_us), .def = "20ms", .max = "1m",
	  .help = "answers within this time are never slow, whatever the old side's times",
	  .more = "A side with a small share opens connections more often, and what that takes must not send it back." },
	{ "margin", CONF_REAL, AT(JudgeConf, margin), .def = "0", .min = "0", .max = "10",
	  .help = "a rise by this share is borne: 0.1 is a tenth" },
};
static const ConfTable judge_table = { "judge", CONF_ROWS(JudgeConf, judge_keys),
	                               .help = "when a step is passed, and when it goes back" };

static const ConfKey override_keys[] = {
	{ "by", CONF_NAME, AT(OverrideConf, name), .verify = verify_override,
	  .help = "header:NAME, cookie:NAME, claim:NAME, address, or user: the id in the gateway's cookie" },
	{ "new", CONF_STR, AT_LIST(OverrideConf, to_new), .value = "VALUE",
	  .help = "values that go to the new side" },
	{ "old", CONF_STR, AT_LIST(OverrideConf, to_old), .value = "VALUE",
	  .help = "values that go to the old side" },
};
static const ConfTable override_table = { "override", CONF_ROWS(OverrideConf, override_keys),
	                                  .help = "who is not drawn but told" };

static const ConfKey shift_keys[] = {
	{ "sticky", CONF_STR, AT_LIST(ShiftConf, sticky), .def = "auto", .verify = verify_sticky,
	  .value = "IDENTITY",
	  .help = "what a user is known by; the first that a request has counts",
	  .more = "auto is a signed cookie of the gateway's own. A client is drawn once it has returned it; until then the old "
	          "side serves it. A monolith's session cookie changes at login and would draw people anew in mid-checkout. claim:NAME is what the route's auth has verified: for programs, which keep no cookies." },
	{ "shadow", CONF_OBJECT, AT(ShiftConf, shadow), .table = &shadow_table,
	  .help = "requests that the new side gets beside the old, for comparison" },
	{ "compare", CONF_OBJECT, AT(ShiftConf, compare), .table = &compare_table,
	  .help = "when two answers count as the same" },
	{ "steps", CONF_SHARE, AT_LIST(ShiftConf, steps), .def = "1%, 5%, 25%, 50%, 100%",
	  .help = "shares of users on the new side, one after the other" },
	{ "judge", CONF_OBJECT, AT(ShiftConf, judge), .table = &judge_table,
	  .help = "when a step is passed, and when it goes back" },
	{ "holdback", CONF_SHARE, AT(ShiftConf, holdback_ppm), .def = "2%", .max = "50%",
	  .help = "users that stay on the old side after the last step, to compare with, until `retire`" },
	{ "cap", CONF_UINT, AT(ShiftConf, cap), .def = "0", .max = "1000000",
	  .help = "users on the new side, at most, while it is not judged good; 0: no limit" },
	{ "group", CONF_STR, AT(ShiftConf, group), .verify = verify_name, .value = "NAME",
	  .help = "routes of one group move together, on one draw",
	  .more = "The first of them in the file says how; the others only say `group`." },
	{ "overrides", CONF_OBJECT, AT_MAP(ShiftConf, overrides), .table = &override_table,
	  .help = "who is not drawn but told" },
	{ "objective", CONF_SHARE, AT(ShiftConf, objective_ppm), .def = "99.9%", .min = "50%",
	  .max = "99.999%", .help = "of requests, those that must succeed, on either side",
	  .more = "What is left of it over thirty days, and how fast it goes, is on /metrics; the log says when it burns." },
	{ "manual", CONF_BOOL, AT(ShiftConf, manual), .def = "off",
	  .help = "a person begins each step: banyan shift NAME to PERCENT" },
};
const ConfTable shift_conf_table = { "shift", CONF_ROWS(ShiftConf, shift_keys),
	                             .check = shift_conf_check,
	                             .help = "how a route moves from old to new" };

static Err *verify_time(Arena *a, Str text)
{
	int64_t us;

	if (time_read_rfc3339(text, &us))
		return NULL;
	return err_new(a, ERR_INVALID, "conf.value",
	               "expected a time such as 2026-12-24T18:00:00Z");
}

static const ConfKey freeze_keys[] = {
	{ "from", CONF_STR, AT(FreezeConf, from), .required = true, .verify = verify_time,
	  .value = "TIME", .help = "its beginning: 2026-12-24T18:00:00Z" },
	{ "to", CONF_STR, AT(FreezeConf, to), .required = true, .verify = verify_time,
	  .value = "TIME", .help = "its end" },
};

static void check_freeze(Conf *conf, void *object)
{
	FreezeConf *f = object;

	(void)time_read_rfc3339(f->from, &f->from_us);
	(void)time_read_rfc3339(f->to, &f->to_us);
	if (f->to_us <= f->from_us)
		conf_mistake(conf, &f->to, "to: ends before it begins");
}

static const ConfTable freeze_table = {
	"freeze", CONF_ROWS(FreezeConf, freeze_keys), .check = check_freeze,
	.help = "a time in which nothing goes on; going back always does"
};

static const ConfKey all_keys[] = {
	{ "store", CONF_STR, AT(ShiftAllConf, store), .secret = true, .value = "URL",
	  .help = "where states and journal are: sqlite:PATH, postgresql://..., redis://...",
	  .more = "Without it a SQLite file beside the configuration: banyan.yaml.shift.db. Several gateways that share one route need a "
	          "PostgreSQL database or a Redis; what Redis may lose is the journal." },
	{ "copy", CONF_PATH, AT(ShiftAllConf, copy), .value = "FILE",
	  .help = "the file that keeps what a store on a server said last, for a start while it is away",
	  .more = "Without it beside the configuration: banyan.yaml.shift.copy. It is written by this gateway alone, and has a secret." },
	{ "gateway", CONF_STR, AT(ShiftAllConf, gateway), .value = "NAME", .max = "100",
	  .help = "what this gateway is called among those that share the store; without it the host's name" },
	{ "cookie", CONF_STR, AT(ShiftAllConf, cookie), .def = "banyan_id",
	  .verify = verify_header_name, .value = "NAME",
	  .help = "the cookie of the gateway's own that users are known by" },
	{ "approvals", CONF_UINT, AT(ShiftAllConf, approvals), .def = "1", .min = "1", .max = "2",
	  .help = "people that a way onward (shadow, canary, to, retire) takes; 2: a second one says `approve`" },
	{ "freeze", CONF_OBJECT, AT_LIST(ShiftAllConf, freeze), .table = &freeze_table,
	  .help = "times in which nothing goes on" },
	{ "webhooks", CONF_OBJECT, AT_LIST(ShiftAllConf, webhooks), .table = &webhook_conf_table,
	  .help = "who is told of what is done to moves" },
};

bool shift_store_is_redis(Str url)
{
	return str_starts(url, S("redis")); /* rediss: with TLS; +sentinel, +cluster, +unix */
}

/* Not the row's .verify: of a secret's own mistake the reader says nothing, but here no secret is quoted. */
static void check_store(Conf *conf, const ShiftAllConf *all)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	RedisUrl url;
	Err *err;

	if (!all->store.len)
		return;
	if (shift_store_is_redis(all->store)) {
		err = redis_url_read(a, all->store, &url);
		if (!err && all->webhooks.count)
			conf_mistake(conf, &all->store,
			             "store: webhooks take their place in a journal that is never "
			             "lost: they need sqlite:PATH or postgresql://...");
	} else {
		err = db_url_verify(a, all->store);
	}
	if (err)
		conf_mistake(conf, &all->store,
		             "store: expected sqlite:PATH, postgresql://USER@HOST/NAME or "
		             "redis://HOST:PORT/NUMBER: %.*s",
		             STR_ARG(err_chain(a, err)));
}

static void check_all(Conf *conf, void *object)
{
	check_store(conf, object);
	webhook_conf_check_all(conf, object);
}

const ConfTable shift_all_conf_table = { "shift", CONF_ROWS(ShiftAllConf, all_keys),
	                                 .check = check_all,
	                                 .help = "what all moves of routes share" };

/* --- what rows cannot say alone ------------------------------------------------------------------------------------------ */

static void check_steps(Conf *conf, const ShiftConf *s)
{
	for (size_t i = 0; i < s->steps.count; i++)
		if (!s->steps.at[i] || (i && s->steps.at[i] <= s->steps.at[i - 1]))
			conf_mistake(
				conf, &s->steps.at[i],
				"steps: each is more than the one before, the first more than 0");
	if (!s->steps.count)
		conf_mistake(conf, &s->steps, "steps: at least one, such as [ 5%%, 100%% ]");
}

int64_t shift_freeze_end(const ShiftAllConf *conf, int64_t now_us)
{
	int64_t end_us = 0;

	for (size_t i = 0; i < conf->freeze.count; i++)
		if (now_us >= conf->freeze.at[i].from_us && now_us < conf->freeze.at[i].to_us)
			end_us = MAX(end_us, conf->freeze.at[i].to_us);
	return end_us;
}

/* It was verified. */
static int64_t hold_of(Str text)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	int64_t us = 0;

	if (!str_eq(text, S("auto")) && units_read_duration(a, text, &us))
		return 0;
	return us;
}

void shift_conf_check(Conf *conf, void *object)
{
	ShiftConf *s = object;

	for (size_t i = 0; i < s->overrides.count; i++)
		sticky_split(s->overrides.at[i].name, &s->overrides.at[i].by,
		             &s->overrides.at[i].field);
	s->judge.hold_us = hold_of(s->judge.hold);
	check_steps(conf, s);
	if (s->judge.counters.count > COUNTERS_MAX)
		conf_mistake(conf, &s->judge.counters, "counters: six at most");
	if (s->shadow.sandbox.len && s->shadow.effects == EFFECTS_UNKNOWN)
		conf_mistake(
			conf, &s->shadow.sandbox,
			"sandbox: say `effects: none` too; with that header the new side changes nothing");
}

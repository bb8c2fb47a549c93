/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows of `writes:`, and what they cannot say alone. Single is the default: writing to both sides is for state that nothing
 * else keeps the same on both, and what is known of a table that a database move covers already is refused: two ways to the same
 * row would undo each other. */
#include "gateway/conf_writes.h"

#include "base/arena.h"
#include "gateway/conf.h"
#include "gateway/route_pattern.h"
#include "gateway/template.h"
#include "http/message.h"

static const ConfWord mode_words[] = {
	{ "single", WRITES_SINGLE, "a write goes to the side that its user is on" },
	{ "dual", WRITES_DUAL,
	  "and what that side took goes to the other too, later, in order, once" },
	{ 0 },
};

static const ConfWord unable_words[] = {
	{ "refuse", UNABLE_REFUSE, "it is refused, and nobody got it" },
	{ "single", UNABLE_SINGLE,
	  "it goes to one side only, which is counted: the other lacks it" },
	{ 0 },
};

static const ConfWord overlap_words[] = {
	{ "wait", OVERLAP_WAIT, "one at a time of a key: both sides see them in one order" },
	{ "allow", OVERLAP_ALLOW,
	  "those that overlap reach the other side in the order they were answered in, which may not be the one they were done in" },
	{ 0 },
};

static const ConfWord compare_words[] = {
	{ "class", WRITES_COMPARE_CLASS, "the class of the status: 2xx, 3xx" },
	{ "answer", WRITES_COMPARE_ANSWER,
	  "status, headers and body, by the route's compare rules" },
	{ 0 },
};

static Err *wrong_key(Arena *a)
{
	return err_new(a, ERR_INVALID, "conf.value",
	               "expected path, path.PART, header:NAME, claim:NAME, user or body.FIELD");
}

Err *writes_key_read(Arena *a, Str text, WritesKey *out)
{
	Str part = S("path."), header = S("header:"), claim = S("claim:"), body = S("body");

	*out = (WritesKey){ .by = WRITES_BY_PATH };
	if (str_eq(text, S("path")))
		return NULL;
	if (str_eq(text, S("user"))) {
		out->by = WRITES_BY_USER;
		return NULL;
	}
	if (str_starts(text, claim) && text.len > claim.len) {
		*out = (WritesKey){ .by = WRITES_BY_CLAIM,
			            .name = str_sub(text, claim.len, text.len) };
		return NULL;
	}
	if (str_starts(text, part) && text.len > part.len) {
		*out = (WritesKey){ .by = WRITES_BY_PART,
			            .name = str_sub(text, part.len, text.len) };
		return NULL;
	}
	if (str_starts(text, header)) {
		*out = (WritesKey){ .by = WRITES_BY_HEADER,
			            .name = str_sub(text, header.len, text.len) };
		return http_is_token(out->name) ? NULL : wrong_key(a);
	}
	if (!str_starts(text, body))
		return wrong_key(a);
	out->by = WRITES_BY_BODY;
	TRY(reshape_path_read(a, str_trim(str_sub(text, body.len, text.len)), &out->path));
	return out->path.count && !reshape_path_shared(&out->path) ? NULL : wrong_key(a);
}

static Err *verify_key(Arena *a, Str text)
{
	WritesKey key;

	return writes_key_read(a, text, &key);
}

static const ConfKey writes_keys[] = {
	{ "mode", CONF_ENUM, AT(WritesConf, mode), .names = mode_words, .def = "single",
	  .help = "which side a request that changes something goes to" },
	{ "key", CONF_STR, AT(WritesConf, key), .def = "path", .verify = verify_key, .value = "KEY",
	  .help = "writes of one key reach both sides in the same order: path, path.PART, header:NAME, claim:NAME, user, body.FIELD",
	  .more = "path is the canonical path, path.PART what stands for {PART} in the route's, claim:NAME "
	          "what `auth` has verified. What a request does not have (no such header, nobody known, no such field) goes by its "
	          "path." },
	{ "repeat", CONF_BOOL, AT(WritesConf, repeat), .def = "off",
	  .help = "declared: both sides do a request once, however often they get it with one Idempotency-Key",
	  .more = "Then a write of which nobody knows whether it was done is asked again. Without it a person decides." },
	{ "overlap", CONF_ENUM, AT(WritesConf, overlap), .names = overlap_words, .def = "wait",
	  .help = "two writes of one key at the same time" },
	{ "wait", CONF_DURATION, AT(WritesConf, wait_us), .def = "5s", .max = "1m",
	  .help = "how long a write waits for those of its key before it" },
	{ "body", CONF_BYTES, AT(WritesConf, body), .def = "256KiB", .max = "4MiB",
	  .help = "the largest body that is kept" },
	{ "large", CONF_ENUM, AT(WritesConf, large), .names = unable_words, .def = "refuse",
	  .help = "what becomes of a larger one (413)" },
	{ "queue", CONF_UINT, AT(WritesConf, queue), .def = "10000", .min = "1", .max = "1000000",
	  .help = "writes of this route that are not at the other side yet, at most" },
	{ "unable", CONF_ENUM, AT(WritesConf, unable), .names = unable_words, .def = "refuse",
	  .help = "what becomes of a write that cannot be kept: so many wait already, the store is away, or others of its key are "
	          "in its way (503)" },
	{ "compare", CONF_ENUM, AT(WritesConf, compare), .names = compare_words, .def = "class",
	  .help = "what of the two sides' answers must be the same" },
	{ "attempts", CONF_UINT, AT(WritesConf, attempts), .def = "10", .min = "1", .max = "1000",
	  .help = "failed tries before a person looks; a side that takes no connection does not count" },
	{ "timeout", CONF_DURATION, AT(WritesConf, timeout_us), .def = "15s", .min = "10ms",
	  .max = "1m", .help = "how long the other side has for one" },
	{ "tables", CONF_STR, AT_LIST(WritesConf, tables), .value = "TABLE",
	  .help = "tables that it writes to: refused where a database move covers one" },
};

static void check_writes(Conf *conf, void *object)
{
	const WritesConf *w = object;

	if (w->mode == WRITES_SINGLE && w->repeat)
		conf_mistake(conf, &w->repeat, "repeat: is for `mode: dual`");
}

const ConfTable writes_conf_table = { "writes", CONF_ROWS(WritesConf, writes_keys),
	                              .shorthand = "mode", .check = check_writes,
	                              .help = "where requests that change something go" };

/* --- what a route must be --------------------------------------------------------------------------------------------------- */

static WritesMoved *moves;

void writes_conf_moves(WritesMoved *moved)
{
	moves = moved;
}

static void check_tables(Conf *conf, const GatewayConf *g, const WritesConf *w)
{
	for (size_t i = 0; moves && i < w->tables.count; i++) {
		Str move = moves(g, w->tables.at[i]);

		if (move.len)
			conf_mistake(
				conf, &w->tables.at[i],
				"tables: %.*s is moved by %.*s already, which brings every change to "
				"the other side: two ways to one row undo each other",
				STR_ARG(w->tables.at[i]), STR_ARG(move));
	}
}

/* The key was verified. */
static void check_key(Conf *conf, const RouteConf *route)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	WritesKey key = { 0 };
	Err *err = writes_key_read(a, route->writes.key, &key);

	if (err || key.by != WRITES_BY_PART ||
	    !template_mistake(a, TEMPLATE_PATH, str_fmt(a, "/{%.*s}", STR_ARG(key.name)),
	                      &route->match)
	             .len)
		return;
	conf_mistake(conf, &route->writes.key, "key: the route's path has no part {%.*s}",
	             STR_ARG(key.name));
}

void writes_conf_check_route(Conf *conf, const GatewayConf *g, const RouteConf *route)
{
	const WritesConf *w = &route->writes;

	if (w->mode == WRITES_SINGLE)
		return;
	if (!route->has_old || !route->has_new)
		conf_mistake(conf, w, "writes: only a route with old and new has another side");
	if (route->has_reshape)
		conf_mistake(
			conf, w,
			"writes: a write is kept in one form, and `reshape` gives the new side "
			"another: not both");
	if (shift_store_is_redis(g->shift.store))
		conf_mistake(conf, w,
		             "writes: what a side has yet to get must never be lost: `shift.store` "
		             "is sqlite:PATH or postgresql://... for it, not Redis");
	check_key(conf, route);
	check_tables(conf, g, w);
}

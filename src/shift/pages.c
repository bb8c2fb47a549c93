/* SPDX-License-Identifier: Apache-2.0
 *
 * Pages of the admin port: all subjects, one, its plan, its differences, its journal, its verbs, and a stream of what changes.
 * The stream looks four times a second, and says a subject when its revision is new, or once a second while it is in shadow
 * or canary. */
#include "shift/pages.h"

#include "base/arena.h"
#include "base/map.h"
#include "base/time.h"
#include "base/units.h"
#include "http/exchange.h"
#include "http/url.h"
#include "rt/loop.h"
#include "gateway/snapshot.h"
#include "shift/drains.h"
#include "shift/dual.h"
#include "shift/report.h"
#include "shift/shadow.h"
#include "shift/verbs.h"

#define JSON S("application/json")
#define STREAM_US (250 * US_PER_MS)

enum { BODY_MAX = 64 << 10, HISTORY = 100 };

static Err *reply(Exchange *x, const JsonWriter *w)
{
	Str text;

	TRY(json_done(w, &text));
	buf_putc(w->buf, '\n');
	return http_reply(x, 200, JSON, buf_str(w->buf));
}

static bool is_configured(Subject *s)
{
	bool yes;

	subject_lock(s);
	yes = s->conf != NULL;
	subject_unlock(s);
	return yes;
}

static Err *page_all(Exchange *x, Str rest)
{
	AUTO(buf_fini) Buf out = { 0 };
	JsonWriter w = json_writer(&out);
	Subject *s = NULL;

	(void)rest;
	json_begin_object(&w);
	json_put_str(&w, "gateway", keeper_gateway());
	json_key(&w, S("now"));
	json_add_time(&w, time_utc_us());
	json_put_str(&w, "book", keeper_away_line(x->arena));
	json_key(&w, S("subjects"));
	json_begin_array(&w);
	while ((s = subject_next(s)))
		if (is_configured(s))
			report_put(&w, x->arena, s, false);
	json_end(&w);
	json_end(&w);
	return reply(x, &w);
}

static bool has_writes(Subject *s)
{
	bool has;

	subject_lock(s);
	has = dual_backlog(s).on;
	subject_unlock(s);
	return has;
}

/* left: one that the configuration does not have any more will do, if a side of it lacks something. */
static Err *find(Exchange *x, Str name, bool left, Subject **out)
{
	*out = subject_find(name);
	if (*out && (is_configured(*out) || (left && has_writes(*out))))
		return NULL;
	return err_new(
		x->arena, ERR_NOT_FOUND, "shift.unknown",
		"nothing is called %.*s here: `banyan shift` and /shift list what can be moved",
		STR_ARG(name));
}

static Err *show_subject(Exchange *x, Subject *s, JsonWriter *w)
{
	report_put(w, x->arena, s, true);
	return NULL;
}

static Err *show_plan(Exchange *x, Subject *s, JsonWriter *w)
{
	report_put_plan(w, x->arena, s);
	return NULL;
}

static Err *show_differences(Exchange *x, Subject *s, JsonWriter *w)
{
	AUTO(differences_freep) Differences *found = NULL;

	TRY(shadow_differences(s, x->arena, &found));
	differences_put_json(found, w);
	return NULL;
}

static int64_t parameter(const Exchange *x, const char *name, int64_t otherwise)
{
	Str target = x->request.target;
	ptrdiff_t at = str_find_char(target, '?');
	Str key = str_fmt(x->arena, "%s=", name);
	int64_t n = 0;

	for (Str rest = at < 0 ? (Str){ 0 } : str_sub(target, (size_t)at + 1, target.len);
	     rest.len;) {
		ptrdiff_t end = str_find_char(rest, '&');
		Str pair = end < 0 ? rest : str_sub(rest, 0, (size_t)end);

		if (str_starts(pair, key)) {
			for (size_t i = key.len; i < MIN(pair.len, key.len + 18); i++)
				if (pair.at[i] >= '0' && pair.at[i] <= '9')
					n = n * 10 + pair.at[i] - '0';
			return n;
		}
		rest = end < 0 ? (Str){ 0 } : str_sub(rest, (size_t)end + 1, rest.len);
	}
	return otherwise;
}

static Err *show_history(Exchange *x, Subject *s, JsonWriter *w)
{
	int64_t most = MIN(parameter(x, "limit", HISTORY), 1000);
	BookEntry *entries;
	size_t count;

	if (!keeper_book())
		return err_new(x->arena, ERR_CONFLICT, "shift.off",
		               "nothing is moved by this gateway");
	TRY(book_history(keeper_book(), x->arena, s->name, parameter(x, "before", 0),
	                 (uint32_t)MAX(most, 1), &entries, &count));
	json_begin_object(w);
	json_key(w, S("entries"));
	json_begin_array(w);
	for (size_t i = 0; i < count; i++)
		report_put_entry(w, &entries[i]);
	json_end(w);
	json_end(w);
	return NULL;
}

static Err *show_writes(Exchange *x, Subject *s, JsonWriter *w)
{
	int64_t id = parameter(x, "id", 0);

	return id ? dual_show(x->arena, s->name, id, w)
	          : dual_list(x->arena, s->name, (Str){ 0 }, parameter(x, "after", 0), w);
}

static void snapshot_unrefp(Snapshot **snap)
{
	snapshot_unref(*snap);
}

static Err *show_servers(Exchange *x, Subject *s, JsonWriter *w)
{
	AUTO(snapshot_unrefp) Snapshot *snap = keeper_snapshot();

	if (!snap || s->kind != SUBJECT_UPSTREAM)
		return err_new(x->arena, ERR_NOT_FOUND, "shift.unknown",
		               "servers are of an upstream: /shift/upstream:NAME/servers");
	drains_put(w, s, snap);
	return NULL;
}

static const struct {
	Str name;
	Err *(*show)(Exchange *x, Subject *s, JsonWriter *w);
} views[] = {
	{ S(""), show_subject },
	{ S("plan"), show_plan },
	{ S("differences"), show_differences },
	{ S("history"), show_history },
	{ S("writes"), show_writes },
	{ S("servers"), show_servers },
};

/* NAME, or NAME/WHAT; the name is one segment. */
static Err *split(Exchange *x, Str rest, Str *name, Str *what)
{
	ptrdiff_t slash = str_rfind_char(rest, '/');

	*what = slash < 0 ? (Str){ 0 } : str_sub(rest, (size_t)slash + 1, rest.len);
	return url_decode(x->arena, slash < 0 ? rest : str_sub(rest, 0, (size_t)slash), name);
}

static Err *page_one(Exchange *x, Str rest)
{
	AUTO(buf_fini) Buf out = { 0 };
	JsonWriter w = json_writer(&out);
	Subject *s;
	Str name, what;

	TRY(split(x, rest, &name, &what));
	for (size_t i = 0; i < COUNT(views); i++) {
		if (!str_eq(views[i].name, what))
			continue;
		TRY(find(x, name, views[i].show == show_writes, &s));
		TRY(views[i].show(x, s, &w));
		return reply(x, &w);
	}
	return err_new(x->arena, ERR_NOT_FOUND, "shift.unknown",
	               "a subject has the pages plan, differences, history and writes; an upstream "
	               "servers too");
}

/* --- verbs --------------------------------------------------------------------------------------------------------------- */

static Err *read_body(Exchange *x, Str *body)
{
	AUTO(buf_fini) Buf b = { 0 };
	Str piece;

	do {
		TRY(http_read(x, &piece));
		if (b.len + piece.len > BODY_MAX)
			return err_new(x->arena, ERR_TOO_LARGE, "shift.body",
			               "a verb's body is of 64 KiB at most");
		buf_put(&b, piece);
	} while (piece.len);
	*body = str_dup(x->arena, buf_str(&b));
	return NULL;
}

/* A word of another kind is no word: who says "dry_run": "true" must not have it done. */
static Err *read_words(Exchange *x, const Json *json, VerbAsk *ask, double *share)
{
	const Json *why = json_get(json, S("why")), *path = json_get(json, S("path")),
		   *kind = json_get(json, S("kind")), *target = json_get(json, S("target")),
		   *dry_run = json_get(json, S("dry_run")), *force = json_get(json, S("force")),
		   *expect = json_get(json, S("expect")), *percent = json_get(json, S("percent")),
		   *action = json_get(json, S("action")), *id = json_get(json, S("id")),
		   *server = json_get(json, S("server"));
	bool good = json_kind(json) == JSON_KIND_OBJECT;

	good = good && (!why || json_to_str(why, &ask->why));
	good = good && (!path || json_to_str(path, &ask->path));
	good = good && (!kind || json_to_str(kind, &ask->kind));
	good = good && (!server || json_to_str(server, &ask->server));
	good = good && (!target || json_to_str(target, &ask->target));
	good = good && (!action || json_to_str(action, &ask->action));
	good = good && (!id || json_to_str(id, &ask->id));
	good = good && (!dry_run || json_to_bool(dry_run, &ask->dry_run));
	good = good && (!force || json_to_bool(force, &ask->force));
	good = good && (!expect || json_to_i64(expect, &ask->expect));
	good = good && (!percent || json_to_real(percent, share));
	ask->has_share = percent != NULL;
	if (good)
		return NULL;
	return err_new(
		x->arena, ERR_INVALID, "shift.body",
		"a verb's body is an object: why, path, kind, target, server, action and id are strings, dry_run "
		"and force true or false, percent and expect numbers");
}

static Err *read_ask(Exchange *x, Str body, VerbAsk *ask)
{
	const Json *json;
	double share = 0;

	if (!body.len)
		return NULL;
	TRY(json_read(x->arena, body, BODY_MAX, &json));
	TRY(read_words(x, json, ask, &share));
	if (!(share >= 0 && share <= 100))
		return err_new(x->arena, ERR_INVALID, "shift.verb", "percent is from 0 to 100");
	ask->share_ppm = (uint32_t)(share * 1e4 + 0.5);
	return NULL;
}

static Err *need_role(Exchange *x, Str verb)
{
	size_t count;
	const VerbRow *rows = shift_verbs(&count);

	for (size_t i = 0; i < count; i++)
		if (str_eq(str_of(rows[i].name), verb))
			return admin_need(x, rows[i].role);
	return NULL; /* it is refused as unknown */
}

static Err *page_verb(Exchange *x, Str rest)
{
	AUTO(buf_fini) Buf out = { 0 };
	JsonWriter w = json_writer(&out);
	VerbAsk ask = { .who = admin_who(x)->name };
	VerbAnswer answer;
	Str body = { 0 };

	TRY(split(x, rest, &ask.subject, &ask.verb));
	if (!ask.who.len)
		ask.who = S("admin");
	TRY(need_role(x, ask.verb));
	TRY(read_body(x, &body));
	TRY(read_ask(x, body, &ask));
	TRY(shift_verb(x->arena, &ask, &answer));
	json_begin_object(&w);
	json_put_bool(&w, "ok", true);
	json_put_bool(&w, "dry_run", ask.dry_run);
	json_put_str(&w, "said", answer.said);
	json_key(&w, S("subject"));
	report_put(&w, x->arena, answer.subject, false);
	json_end(&w);
	return reply(x, &w);
}

/* --- the stream ------------------------------------------------------------------------------------------------------------ */

typedef struct Told {
	int64_t revision;
	int64_t at_us;
} Told;

static bool is_due(Subject *s, Told *told, int64_t now_us)
{
	bool due;

	subject_lock(s);
	due = s->conf && (!told->at_us || told->revision != s->state.revision ||
	                  (s->state.phase != SHIFT_OLD && s->state.phase != SHIFT_RETIRED &&
	                   now_us - told->at_us >= US_PER_S));
	told->revision = s->state.revision;
	subject_unlock(s);
	if (due)
		told->at_us = now_us;
	return due;
}

static Err *say_subject(Exchange *x, Arena *a, Subject *s)
{
	AUTO(buf_fini) Buf out = { 0 };
	JsonWriter w = json_writer(&out);
	Str text;

	buf_put(&out, S("event: subject\ndata: "));
	report_put(&w, a, s, false);
	TRY(json_done(&w, &text));
	buf_put(&out, S("\n\n"));
	return http_write(x, buf_str(&out));
}

static Told *told_of(Map *known, Arena *a, Subject *s)
{
	Told *told = map_get(known, s->name);

	if (told)
		return told;
	told = ARENA_NEW(a, Told);
	map_put(known, s->name, told);
	return told;
}

/* A word now and then, so that a reader who is gone is noticed. */
static Err *stream(Exchange *x, Map *known)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(arena_freep) Arena *turn = arena_new(0);
	int64_t quiet_us = loop_now_us();

	for (;;) {
		int64_t now_us = loop_now_us();
		Subject *s = NULL;
		bool said = false;

		while ((s = subject_next(s))) {
			if (!is_due(s, told_of(known, a, s), now_us))
				continue;
			TRY(say_subject(x, turn, s));
			said = true;
		}
		if (!said && now_us - quiet_us > 10 * US_PER_S)
			TRY(http_write(x, S(": still here\n\n")));
		if (said || now_us - quiet_us > 10 * US_PER_S)
			quiet_us = now_us;
		TRY(http_flush(x));
		TRY(fiber_sleep(STREAM_US));
		arena_clear(turn);
	}
}

static Err *page_events(Exchange *x, Str rest)
{
	AUTO(map_fini) Map known = { 0 };
	Head head = { .status = 200, .body = HTTP_BODY_CHUNKED, .content_length = -1 };

	(void)rest;
	headers_add(&head.headers, x->arena, S("Content-Type"), S("text/event-stream"));
	headers_add(&head.headers, x->arena, S("Cache-Control"), S("no-store"));
	TRY(http_begin(x, &head));
	return x->ended ? NULL : stream(x, &known); /* HEAD */
}

static const AdminPage pages[] = {
	{ S("/shift"), S("GET"), page_all },
	{ S("/shift/events"), S("GET"), page_events },
	{ S("/shift/"
	    "**"),
	  S("GET"), page_one },
	{ S("/shift/"
	    "**"),
	  S("POST"), page_verb, .changes = true, .role = ADMIN_OPERATE },
};

const AdminPage *shift_pages(size_t *count)
{
	*count = COUNT(pages);
	return pages;
}

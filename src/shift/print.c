/* SPDX-License-Identifier: Apache-2.0
 *
 * Subjects, plans, differences and journals as text. What is absent reads as nothing: a gateway may be older or newer than this
 * program. */
#include "shift/print.h"

#include "base/arena.h"

static Str text(const Json *object, const char *key)
{
	Str value = { 0 };

	(void)json_to_str(json_get(object, str_of(key)), &value);
	return value;
}

static double real(const Json *object, const char *key)
{
	double value = 0;

	(void)json_to_real(json_get(object, str_of(key)), &value);
	return value;
}

static int64_t whole(const Json *object, const char *key)
{
	int64_t value = 0;

	(void)json_to_i64(json_get(object, str_of(key)), &value);
	return value;
}

static bool yes(const Json *object, const char *key)
{
	bool value = false;

	(void)json_to_bool(json_get(object, str_of(key)), &value);
	return value;
}

static const Json *in(const Json *object, const char *key)
{
	return json_get(object, str_of(key));
}

static Str phase_text(Arena *a, const Json *s)
{
	Str phase = text(s, "phase");

	if (!str_eq(phase, S("canary")) && !str_eq(phase, S("new")))
		return phase;
	return str_fmt(a, "%.*s %g %%%s", STR_ARG(phase), real(s, "percent"),
	               yes(s, "paused") ? " (paused)" : "");
}

void print_all(Buf *b, Arena *a, Str subject, const Json *json)
{
	const Json *all = in(json, "subjects");

	(void)subject;
	if (text(json, "book").len)
		buf_fmt(b, "%.*s\n", STR_ARG(text(json, "book")));
	buf_fmt(b, "%-24s %-18s %-20s %10s %9s  %s\n", "SUBJECT", "PHASE", "SIDES", "RATE",
	        "ERRORS", "SAYS");
	for (size_t i = 0; i < json_count(all); i++) {
		const Json *s = json_at(all, i), *old = in(in(s, "now"), "old"),
			   *new = in(in(s, "now"), "new");
		Str phase = phase_text(a, s), blocked = text(s, "blocked");
		Str sides = str_fmt(a, "%.*s -> %.*s", STR_ARG(text(s, "old")),
		                    STR_ARG(text(s, "new")));

		buf_fmt(b, "%-24.*s %-18.*s %-20.*s %8.1f/s %7.2f %%  %.*s\n",
		        STR_ARG(text(s, "name")), STR_ARG(phase), STR_ARG(sides),
		        real(old, "rate") + real(new, "rate"), real(old, "errors") * 100,
		        STR_ARG(blocked.len ? blocked : text(in(s, "verdict"), "line")));
	}
	if (!json_count(all))
		buf_put(b, S("nothing can be moved: give a route `old`, `new` and `shift`\n"));
}

static void put_side(Buf *b, const char *name, Str upstream, const Json *now)
{
	buf_fmt(b, "  %-4s %-16.*s %8.1f requests/s  errors %6.3f %%  p50 %8.1f ms  p99 %8.1f ms\n",
	        name, STR_ARG(upstream), real(now, "rate"), real(now, "errors") * 100,
	        real(now, "p50_ms"), real(now, "p99_ms"));
}

static void put_metrics(Buf *b, const Json *metrics)
{
	for (size_t i = 0; i < json_count(metrics); i++)
		buf_fmt(b, "  %.*s\n", STR_ARG(text(json_at(metrics, i), "line")));
}

static void put_backlog(Buf *b, const Json *s)
{
	Str line = text(s, "writes_line");

	if (yes(in(s, "writes"), "dual"))
		buf_fmt(b, "writes go to both sides: %.*s\n",
		        STR_ARG(line.len ? line : S("all have reached both")));
}

/* A canary that was over at once has nothing to say. */
static bool was_judged(const Json *metrics, const Json *s)
{
	int64_t requests = 0;

	for (size_t i = 0; i < json_count(metrics); i++)
		requests += whole(in(json_at(metrics, i), "old"), "n") +
		            whole(in(json_at(metrics, i), "new"), "n");
	return json_count(metrics) && (requests || text(in(s, "verdict"), "line").len);
}

void print_status(Buf *b, Arena *a, Str subject, const Json *s)
{
	const Json *detail = in(s, "detail"), *users = in(detail, "users"),
		   *shadow = in(detail, "shadow");

	(void)subject;
	buf_fmt(b, "%.*s: %.*s", STR_ARG(text(s, "name")), STR_ARG(phase_text(a, s)));
	if (whole(s, "attempt"))
		buf_fmt(b, ", attempt %" PRId64, whole(s, "attempt"));
	if (text(s, "since").len)
		buf_fmt(b, ", since %.*s", STR_ARG(text(s, "since")));
	buf_putc(b, '\n');
	put_side(b, "old", text(s, "old"), in(in(s, "now"), "old"));
	put_side(b, "new", text(s, "new"), in(in(s, "now"), "new"));
	if (was_judged(in(detail, "metrics"), s)) {
		if (text(in(s, "verdict"), "line").len)
			buf_fmt(b, "judge says %.*s: %.*s\n",
			        STR_ARG(text(in(s, "verdict"), "say")),
			        STR_ARG(text(in(s, "verdict"), "line")));
		else
			buf_put(b, S("of the last attempt:\n"));
		put_metrics(b, in(detail, "metrics"));
		buf_fmt(b,
		        "users on new: %" PRId64 "; requests without a known user: %" PRId64 "\n",
		        whole(users, "new"), whole(users, "without_cookie"));
	}
	if (whole(shadow, "sent"))
		buf_fmt(b,
		        "shadow: %" PRId64 " sent, %" PRId64 " compared, %" PRId64
		        " failed, %" PRId64 " left out\n",
		        whole(shadow, "sent"), whole(shadow, "compared"), whole(shadow, "failed"),
		        whole(shadow, "dropped"));
	put_backlog(b, s);
	if (text(s, "last").len)
		buf_fmt(b, "last: %.*s\n", STR_ARG(text(s, "last")));
	if (text(s, "asked").len)
		buf_fmt(b, "waits for a second person: %.*s asked for %.*s\n",
		        STR_ARG(text(s, "asked_by")), STR_ARG(text(s, "asked")));
	if (text(s, "book").len)
		buf_fmt(b, "%.*s\n", STR_ARG(text(s, "book")));
	if (text(s, "blocked").len)
		buf_fmt(b, "waits: %.*s\n", STR_ARG(text(s, "blocked")));
}

void print_plan(Buf *b, Arena *a, Str subject, const Json *json)
{
	const Json *steps = in(json, "steps");

	(void)a;
	(void)subject;
	if (real(json, "rate") > 0)
		buf_fmt(b, "%.*s at %.1f requests a second\n", STR_ARG(text(json, "name")),
		        real(json, "rate"));
	else
		buf_fmt(b,
		        "%.*s has no traffic now: what is said of errors is a guess until it has\n",
		        STR_ARG(text(json, "name")));
	put_backlog(b, json);
	for (size_t i = 0; i < json_count(steps); i++)
		buf_fmt(b, "  %.*s\n", STR_ARG(text(json_at(steps, i), "line")));
}

/* What a side does not have is no text; an empty one has quotes. */
static Str value_of(const Json *example, const char *side)
{
	Str value = text(example, side);

	return value.len ? value : S("(nothing)");
}

static void put_example(Buf *b, const Json *e)
{
	buf_fmt(b, "    %.*s  %.*s\n      old  %.*s\n      new  %.*s\n", STR_ARG(text(e, "at")),
	        STR_ARG(text(e, "request")), STR_ARG(value_of(e, "old")),
	        STR_ARG(value_of(e, "new")));
}

static bool is_settled(const Json *key)
{
	Str verdict = text(key, "verdict");

	return str_eq(verdict, S("noise")) || str_eq(verdict, S("accepted"));
}

static void put_difference(Buf *b, const Json *key)
{
	const Json *examples = in(key, "examples");

	buf_fmt(b, "%-9.*s %-8.*s %8" PRId64 " %8" PRId64 "  %-8.3g %.*s",
	        STR_ARG(text(key, "verdict")), STR_ARG(text(key, "kind")), whole(key, "raw"),
	        whole(key, "noise"), real(key, "p"), STR_ARG(text(key, "path")));
	if (text(key, "accepted_by").len)
		buf_fmt(b, "  (accepted by %.*s)", STR_ARG(text(key, "accepted_by")));
	buf_putc(b, '\n');
	for (size_t i = 0; !is_settled(key) && i < MIN(json_count(examples), (size_t)2); i++)
		put_example(b, json_at(examples, i));
}

static void put_what_to_do(Buf *b, Str subject, const Json *first, size_t open, bool measured)
{
	if (!open)
		return;
	buf_fmt(b,
	        "\n%zu to settle before a canary: mend the new side and begin anew (back, then shadow), ignore the "
	        "path in the configuration (compare.ignore), or say that it is meant:\n"
	        "  banyan shift %.*s accept '%.*s' %.*s\n",
	        open, STR_ARG(subject), STR_ARG(text(first, "path")), STR_ARG(text(first, "kind")));
	if (!measured)
		buf_put(b,
		        S("What differs by itself, such as ids and times, settles by itself where the old side is asked a second "
		          "time now and then: shadow: { noise: 10% }\n"));
}

void print_differences(Buf *b, Arena *a, Str subject, const Json *json)
{
	const Json *keys = in(json, "keys"), *first = NULL;
	size_t open = 0;

	(void)a;
	buf_fmt(b,
	        "%" PRId64 " answers compared, %" PRId64
	        " of them with a second one of the old side; %" PRId64 " with a mismatch\n",
	        whole(json, "compared"), whole(json, "measured"), whole(json, "mismatches"));
	if (json_count(keys))
		buf_put(b, S("VERDICT   KIND         SEEN    NOISE  P        PATH\n"));
	for (size_t i = 0; i < json_count(keys); i++) {
		const Json *key = json_at(keys, i);

		put_difference(b, key);
		open += !is_settled(key);
		first = !first && !is_settled(key) ? key : first;
	}
	put_what_to_do(b, subject, first, open, whole(json, "measured") > 0);
}

void print_history(Buf *b, Arena *a, Str subject, const Json *json)
{
	const Json *entries = in(json, "entries");

	(void)subject;
	for (size_t i = 0; i < json_count(entries); i++) {
		const Json *e = json_at(entries, i);
		Str where = str_fmt(a, "%.*s -> %.*s %g %%", STR_ARG(text(e, "from")),
		                    STR_ARG(text(e, "to")), real(e, "percent"));

		buf_fmt(b, "%5" PRId64 " %.*s %-10.*s %-24.*s %.*s: %.*s\n", whole(e, "seq"),
		        STR_ARG(text(e, "at")), STR_ARG(text(e, "verb")), STR_ARG(where),
		        STR_ARG(text(e, "who")), STR_ARG(text(e, "why")));
	}
}

static void put_write(Buf *b, Arena *a, const Json *w)
{
	Str state = text(w, "state"), reason = text(w, "reason");
	Str where = reason.len && str_eq(state, S("dead"))
	                    ? str_fmt(a, "%.*s: %.*s", STR_ARG(state), STR_ARG(reason))
	                    : state;

	buf_fmt(b, "%8" PRId64 " %-16.*s %-5.*s %5" PRId64 "  %-32.*s %-24.*s %.*s\n",
	        whole(w, "id"), STR_ARG(where), STR_ARG(text(w, "lacks")), whole(w, "tries"),
	        STR_ARG(text(w, "request")), STR_ARG(text(w, "key")), STR_ARG(text(w, "said")));
}

void print_writes(Buf *b, Arena *a, Str subject, const Json *json)
{
	const Json *all = in(json, "writes");

	(void)subject;
	if (!json_count(all)) {
		buf_put(b, S("both sides have all writes\n"));
		return;
	}
	buf_fmt(b, "%8s %-16s %-5s %5s  %-32s %-24s %s\n", "ID", "STATE", "LACKS", "TRIES",
	        "REQUEST", "KEY", "SAID");
	for (size_t i = 0; i < json_count(all); i++)
		put_write(b, a, json_at(all, i));
	if (whole(json, "after"))
		buf_fmt(b, "and more: writes after %" PRId64 "\n", whole(json, "after"));
}

void print_write(Buf *b, Arena *a, Str subject, const Json *json)
{
	static const char *const rows[] = {
		"state", "reason", "said", "lacks",    "request",
		"key",   "route",  "at",   "retry_at", "idempotency_key"
	};
	const Json *headers = in(json, "headers");

	(void)a;
	(void)subject;
	buf_fmt(b, "write %" PRId64 " of %.*s\n", whole(json, "id"), STR_ARG(text(json, "name")));
	for (size_t i = 0; i < COUNT(rows); i++)
		if (text(json, rows[i]).len)
			buf_fmt(b, "  %-16s %.*s\n", rows[i], STR_ARG(text(json, rows[i])));
	buf_fmt(b, "  %-16s %" PRId64 "\n  %-16s %" PRId64 "\n  %-16s %" PRId64 " bytes\n",
	        "status", whole(json, "status"), "tries", whole(json, "tries"), "body",
	        whole(json, "body_bytes"));
	for (size_t i = 0; i < json_count(headers); i++)
		buf_fmt(b, "    %.*s: %.*s\n", STR_ARG(text(json_at(headers, i), "name")),
		        STR_ARG(text(json_at(headers, i), "value")));
}

static Str notes_of(Arena *a, const Json *server)
{
	static const struct {
		const char *key, *text;
	} notes[] = { { "drained", "drained" },
		      { "ejected", "ejected" },
		      { "slow_start", "starts slowly" } };
	Str all = { 0 };

	for (size_t i = 0; i < COUNT(notes); i++)
		if (yes(server, notes[i].key))
			all = str_fmt(a, "%.*s%s%s", STR_ARG(all), all.len ? ", " : "",
			              notes[i].text);
	return all;
}

void print_servers(Buf *b, Arena *a, Str subject, const Json *json)
{
	const Json *servers = in(json, "servers");

	(void)subject;
	buf_fmt(b, "%-28s %-6s %9s %12s %7s  %s\n", "SERVER", "STATE", "REQUESTS", "CONNECTIONS",
	        "WEIGHT", "");
	for (size_t i = 0; i < json_count(servers); i++) {
		const Json *server = json_at(servers, i);

		buf_fmt(b, "%-28.*s %-6.*s %9" PRId64 " %12" PRId64 " %7" PRId64 "  %.*s\n",
		        STR_ARG(text(server, "address")), STR_ARG(text(server, "state")),
		        whole(server, "requests"), whole(server, "connections"),
		        whole(server, "weight"), STR_ARG(notes_of(a, server)));
	}
}

void print_said(Buf *b, Arena *a, Str subject, const Json *json)
{
	(void)a;
	(void)subject;
	buf_fmt(b, "%s%.*s\n", yes(json, "dry_run") ? "would be: " : "",
	        STR_ARG(text(json, "said")));
}

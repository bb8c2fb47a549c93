/* SPDX-License-Identifier: Apache-2.0
 *
 * The scorecard: one table of rows says what each figure is, in what unit, and which way is better; reading, writing and the comparison all
 * go by it. The first run leaves a file; every later one compares with it and leaves it alone, so that "before" stays what it was.
 * Figures come from a report of `banyan load`, from the gateway's metrics, from the code that was just read, or from the command line,
 * which wins. What the load did not hold is not counted as held. */
#include "audit/scorecard.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"
#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { VERSION = 1, HARD_ABOVE = 15, MOST_BYTES = 1 << 20 };

typedef enum Better { BETTER_NEITHER, BETTER_UP, BETTER_DOWN } Better;
static const struct {
	const char *key, *text, *unit;
	bool share;
	Better better;
} rows[SCORES] = {
	[SCORE_USERS] = { "users", "users held at once", "", false, BETTER_UP },
	[SCORE_DEPLOY] = { "deploy", "time to deploy", " min", false, BETTER_DOWN },
	[SCORE_AVAILABILITY] = { "availability", "availability", " %", true, BETTER_UP },
	[SCORE_COVERAGE] = { "coverage", "covered by tests", " %", true, BETTER_UP },
	[SCORE_DATABASE] = { "database", "database load", " %", true, BETTER_DOWN },
	[SCORE_COST] = { "cost", "infrastructure, a month", "", false, BETTER_DOWN },
	[SCORE_HARD] = { "hard", "functions hard to read", " %", true, BETTER_DOWN },
	[SCORE_LINES] = { "lines", "lines of code", "", false, BETTER_NEITHER },
};

static void score_put(Scorecard *card, ScoreIn in, double value, MoneySource source, Str from)
{
	card->rows[in] = (Score){ value, source, from };
}

static Str keys_text(Arena *a)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (size_t i = 0; i < SCORES; i++)
		buf_fmt(&b, "%s%s", i ? ", " : "", rows[i].key);
	return str_dup(a, buf_str(&b));
}

Err *scorecard_set(Arena *a, Scorecard *card, Str said)
{
	Str rest = said, key;
	Range range;
	bool ranged;

	if (!str_split(&rest, '=', &key) || !rest.at)
		return err_new(a, ERR_INVALID, "scorecard.key", "%.*s: expected KEY=VALUE",
		               STR_ARG(str_quote(a, said)));
	for (ScoreIn in = 0; in < SCORES; in++) {
		if (!str_eq(key, str_of(rows[in].key)))
			continue;
		TRY(money_read(a, rest, &range, &ranged));
		if (rows[in].share && range.high > 1)
			return err_new(a, ERR_INVALID, "scorecard.key",
			               "%s can be 100%% at most, not %.*s", rows[in].key,
			               STR_ARG(rest));
		score_put(card, in, range.likely, MONEY_CONFIGURED, S("given"));
		return NULL;
	}
	return err_new(a, ERR_INVALID, "scorecard.key", "%.*s is none of %.*s",
	               STR_ARG(str_quote(a, key)), STR_ARG(keys_text(a)));
}

/* --- where figures are from ------------------------------------------------------------------------------------------------------------ */

Err *scorecard_take_load(Arena *a, Scorecard *card, Str report)
{
	const Json *json, *seconds;
	int64_t most = 0, users;
	bool passed, warm;

	TRY(json_read(a, report, 0, &json));
	seconds = json_get(json, S("seconds"));
	if (!json_to_bool(json_get(json, S("passed")), &passed) ||
	    json_kind(seconds) != JSON_KIND_ARRAY)
		return err_new(a, ERR_INVALID, "scorecard.load",
		               "it has no `passed` and `seconds`");
	for (size_t i = 0; i < json_count(seconds); i++) {
		const Json *one = json_at(seconds, i);

		if (json_to_bool(json_get(one, S("warmup")), &warm) && !warm &&
		    json_to_i64(json_get(one, S("users")), &users))
			most = MAX(most, users);
	}
	if (passed && most > 0)
		score_put(card, SCORE_USERS, (double)most, MONEY_MEASURED, S("banyan load"));
	return NULL;
}

/* `banyan_requests_total{route="x",class="5xx"} 12` */
bool scorecard_take_metrics(Scorecard *card, Str metrics)
{
	double all = 0, failed = 0;
	Str line;

	while (str_split(&metrics, '\n', &line)) {
		ptrdiff_t space = str_rfind_char(line, ' ');
		uint64_t n;

		if (!str_starts(line, S("banyan_requests_total{")) || space < 0 ||
		    !str_to_u64(str_trim(str_sub(line, (size_t)space, line.len)), &n))
			continue;
		if (str_find(line, S("class=\"none\"")) >= 0) /* the client left */
			continue;
		all += (double)n;
		if (str_find(line, S("class=\"5xx\"")) >= 0)
			failed += (double)n;
	}
	if (all <= 0)
		return false;
	score_put(card, SCORE_AVAILABILITY, 1 - failed / all, MONEY_MEASURED,
	          S("answers below 500, of the gateway's metrics"));
	return true;
}

void scorecard_take_project(Scorecard *card, const Project *project)
{
	double lines = 0, functions = 0, hard = 0;

	for (size_t i = 0; i < project->count; i++) {
		const AuditFile *file = &project->files[i];

		if (file->kind != SOURCE_CODE)
			continue;
		lines += file->measures.lines.sloc;
		for (uint32_t k = 0; k < file->measures.unit_count; k++) {
			const Unit *unit = &file->measures.units[k];

			functions += unit->kind == UNIT_FUNCTION;
			hard += unit->kind == UNIT_FUNCTION && unit->cognitive > HARD_ABOVE;
		}
	}
	score_put(card, SCORE_LINES, lines, MONEY_MEASURED, S("the audit"));
	if (functions > 0)
		score_put(card, SCORE_HARD, hard / functions, MONEY_MEASURED,
		          S("the audit: cognitive complexity above 15"));
}

void scorecard_take_ci(Scorecard *card, double coverage, double build_minutes)
{
	if (coverage >= 0)
		score_put(card, SCORE_COVERAGE, coverage, MONEY_MEASURED,
		          S("lines that tests reach, of reports of coverage"));
	if (build_minutes >= 0)
		score_put(card, SCORE_DEPLOY, build_minutes, MONEY_MEASURED,
		          S("the median of builds, of logs of CI"));
}

/* --- the file -------------------------------------------------------------------------------------------------------------------------- */

static void json_card(JsonWriter *w, const Scorecard *card)
{
	json_begin_object(w);
	json_put_i64(w, "version", VERSION);
	json_key(w, S("taken"));
	json_add_time(w, card->taken_utc_us);
	json_key(w, S("scores"));
	json_begin_object(w);
	for (size_t i = 0; i < SCORES; i++) {
		const Score *score = &card->rows[i];

		if (score->source == MONEY_UNKNOWN)
			continue;
		json_key(w, str_of(rows[i].key));
		json_begin_object(w);
		json_put_real(w, "value", score->value);
		json_put_str(w, "source", str_of(money_source_name(score->source)));
		json_put_str(w, "from", score->from);
		json_end(w);
	}
	json_end(w);
	json_end(w);
}

void scorecard_put_json(Buf *b, const Scorecard *card)
{
	JsonWriter w = json_writer(b);

	json_card(&w, card);
	buf_putc(b, '\n');
}

static Err *read_score(Arena *a, const Json *json, const char *key, Score *out)
{
	Str source = { 0 };

	out->source = MONEY_UNKNOWN;
	(void)json_to_str(json_get(json, S("source")), &source);
	(void)json_to_str(json_get(json, S("from")), &out->from);
	for (MoneySource s = MONEY_DEFAULT; s < MONEY_SOURCES; s++)
		if (str_eq(source, str_of(money_source_name(s))))
			out->source = s;
	if (!json_to_real(json_get(json, S("value")), &out->value) || !isfinite(out->value) ||
	    out->source == MONEY_UNKNOWN)
		return err_new(a, ERR_INVALID, "scorecard.file",
		               "\"%s\" of the scorecard must have a value and a source", key);
	return NULL;
}

Err *scorecard_read(Arena *a, Str text, Scorecard *out)
{
	const Json *json, *scores;
	int64_t version = 0;
	Str taken = { 0 };
	Scorecard card = { 0 };

	TRY(json_read(a, text, MOST_BYTES, &json));
	scores = json_get(json, S("scores"));
	(void)json_to_str(json_get(json, S("taken")), &taken);
	if (!json_to_i64(json_get(json, S("version")), &version) || version != VERSION ||
	    !time_read_rfc3339(taken, &card.taken_utc_us) || json_kind(scores) != JSON_KIND_OBJECT)
		return err_new(a, ERR_INVALID, "scorecard.file", "this is no scorecard");
	for (size_t i = 0; i < SCORES; i++) {
		const Json *one = json_get(scores, str_of(rows[i].key));

		if (one)
			TRY(read_score(a, one, rows[i].key, &card.rows[i]));
	}
	*out = card;
	return NULL;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* A file that is there is never written over. */
static Err *write_new(Arena *a, Str path, Str text)
{
	const char *name = str_z(a, path);
	AUTO(close_fd) int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0)
		return err_errno(a, errno, "scorecard.write", "%s", name);
	for (ssize_t n; text.len; text = str_sub(text, (size_t)n, text.len)) {
		n = write(fd, text.at, text.len);
		if (n < 0) {
			Err *err = err_errno(a, errno, "scorecard.write", "%s", name);

			(void)unlink(name);
			return err;
		}
	}
	return NULL;
}

/* --- what is said ---------------------------------------------------------------------------------------------------------------------- */

static void put_value(Buf *b, ScoreIn in, const Score *score)
{
	AUTO(buf_fini) Buf text = { 0 };

	if (score->source == MONEY_UNKNOWN)
		buf_put(&text, S("unknown"));
	else
		buf_fmt(&text, "%.*g%s", rows[in].share ? 4 : 9,
		        rows[in].share ? 100 * score->value : score->value, rows[in].unit);
	buf_fmt(b, " %12.*s", STR_ARG(buf_str(&text)));
}

static void put_source(Buf *b, const Score *score)
{
	if (score->source != MONEY_UNKNOWN)
		buf_fmt(b, "  %s%s%.*s", money_source_name(score->source),
		        score->from.len ? ": " : "", STR_ARG(score->from));
}

void scorecard_put_screen(Buf *b, const Scorecard *card)
{
	for (ScoreIn in = 0; in < SCORES; in++) {
		buf_fmt(b, "  %-26s", rows[in].text);
		put_value(b, in, &card->rows[in]);
		put_source(b, &card->rows[in]);
		buf_putc(b, '\n');
	}
}

static const char *change_word(ScoreIn in, double before, double after)
{
	if (!(before < after) && !(before > after))
		return "same";
	if (rows[in].better == BETTER_NEITHER)
		return "";
	return (after > before) == (rows[in].better == BETTER_UP) ? "better" : "worse";
}

static void put_difference(Buf *b, ScoreIn in, const Score *before, const Score *after)
{
	AUTO(buf_fini) Buf text = { 0 };

	if (before->source != MONEY_UNKNOWN && after->source != MONEY_UNKNOWN &&
	    (before->value < after->value || before->value > after->value)) {
		if (rows[in].share)
			buf_fmt(&text, "%+.4g points", 100 * (after->value - before->value));
		else if (before->value > 0)
			buf_fmt(&text, "%+.0f %%", 100 * (after->value / before->value - 1));
	}
	buf_fmt(b, " %14.*s", STR_ARG(buf_str(&text)));
	if (before->source != MONEY_UNKNOWN && after->source != MONEY_UNKNOWN)
		buf_fmt(b, "  %-6s", change_word(in, before->value, after->value));
}

void scorecard_put_change(Buf *b, const Scorecard *before, const Scorecard *after)
{
	buf_fmt(b, "  %-26s %12s %12s %14s\n", "", "before", "after", "change");
	for (ScoreIn in = 0; in < SCORES; in++) {
		buf_fmt(b, "  %-26s", rows[in].text);
		put_value(b, in, &before->rows[in]);
		put_value(b, in, &after->rows[in]);
		put_difference(b, in, &before->rows[in], &after->rows[in]);
		put_source(b, &after->rows[in]);
		while (b->len && b->at[b->len - 1] == ' ')
			b->len--;
		buf_putc(b, '\n');
	}
}

static Err *say_change(Arena *a, Str path, Str text, const Scorecard *now, bool json, Buf *b)
{
	Scorecard before = { 0 };
	Err *err = scorecard_read(a, text, &before);

	if (err)
		return err_because(a, err, ERR_INVALID, "scorecard.file", "%.*s", STR_ARG(path));
	if (json) {
		JsonWriter w = json_writer(b);

		json_begin_object(&w);
		json_key(&w, S("before"));
		json_card(&w, &before);
		json_key(&w, S("after"));
		json_card(&w, now);
		json_end(&w);
		buf_putc(b, '\n');
		return NULL;
	}
	buf_put(b, S("Since "));
	time_put_rfc3339(b, before.taken_utc_us);
	buf_fmt(b, " (%.*s)\n", STR_ARG(path));
	scorecard_put_change(b, &before, now);
	return NULL;
}

Err *scorecard_keep(Arena *a, Str path, const Scorecard *now, bool json, Buf *b)
{
	AUTO(buf_fini) Buf card = { 0 };
	Str text;

	if (access(str_z(a, path), F_OK) == 0) {
		TRY(file_read_plain(a, path, MOST_BYTES, &text));
		return say_change(a, path, text, now, json, b);
	}
	scorecard_put_json(&card, now);
	TRY(write_new(a, path, buf_str(&card)));
	if (json) {
		buf_put(b, buf_str(&card));
		return NULL;
	}
	buf_fmt(b, "Recorded in %.*s; the next run compares with it\n", STR_ARG(path));
	scorecard_put_screen(b, now);
	return NULL;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * banyan-baseline.json. It is kept beside the code and merged by git like code, so it has a finding a line in an order that does not depend on where
 * findings are, and no date. It is also edited by people: budgets are raised by hand, where a review sees it. */
#include "audit/baseline.h"

#include "audit/baseline_int.h"
#include "base/arena.h"
#include "base/json.h"

#include <math.h>
#include <stdlib.h>

enum { VERSION = 1, MOST_BYTES = 512 << 20 };

static int by_rule(const void *x, const void *y)
{
	const BaselineRow *p = *(const BaselineRow *const *)x, *q = *(const BaselineRow *const *)y;
	int order = str_cmp(p->rule, q->rule);

	return order ? order : (p->print > q->print) - (p->print < q->print);
}

/* Whole numbers without a point: people read this. */
static void put_number(JsonWriter *w, double n)
{
	if (n < 1e15 && !(n - floor(n) > 0))
		json_add_u64(w, (uint64_t)n);
	else
		json_add_real(w, n);
}

/* A path that is not UTF-8 would come back as another one, or as one with its like: its bytes are written as %FF. It then counts as moved. */
static Str path_text(Arena *a, Str path)
{
	AUTO(buf_fini) Buf b = { 0 };
	uint32_t code;

	for (size_t i = 0, n; i < path.len; i += MAX(n, (size_t)1)) {
		n = str_utf8(str_sub(path, i, path.len), &code);
		if (n && code)
			buf_put(&b, str_sub(path, i, i + n));
		else
			buf_fmt(&b, "%%%02X", (unsigned char)path.at[i]);
	}
	return str_dup(a, buf_str(&b));
}

static void put_row(Arena *a, Buf *b, const BaselineRow *row)
{
	JsonWriter w = json_writer(b);
	char print[16];

	str_put_hex(print, row->print, sizeof(print));
	json_begin_object(&w);
	json_put_str(&w, "rule", row->rule);
	json_put_str(&w, "name", row->name);
	json_put_str(&w, "print", (Str){ print, sizeof(print) });
	json_key(&w, S("minutes"));
	put_number(&w, round(row->minutes));
	json_key(&w, S("files"));
	json_begin_object(&w);
	for (uint32_t i = 0; i < row->file_count; i++) {
		json_key(&w, path_text(a, row->files[i].path));
		json_add_u64(&w, row->files[i].count);
	}
	json_end(&w);
	json_end(&w);
}

void baseline_put(Buf *b, Arena *a, const Baseline *baseline)
{
	const BaselineRow **rows = ARENA_ARRAY(a, const BaselineRow *, baseline->count + 1);

	for (size_t i = 0; i < baseline->count; i++)
		rows[i] = &baseline->rows[i];
	if (baseline->count)
		qsort(rows, baseline->count, sizeof(const BaselineRow *), by_rule);
	buf_fmt(b, "{\n\"version\": %d,\n\"budgets\": {", VERSION);
	for (size_t i = 0; i < baseline->budget_count; i++) {
		JsonWriter w = json_writer(b);

		buf_put(b, i ? S(",\n") : S("\n"));
		json_add_str(&w, baseline->budgets[i].name);
		buf_put(b, S(": "));
		w = json_writer(b);
		put_number(&w, baseline->budgets[i].most);
	}
	buf_put(b, baseline->budget_count ? S("\n},\n\"findings\": [") : S("},\n\"findings\": ["));
	for (size_t i = 0; i < baseline->count; i++) {
		buf_put(b, i ? S(",\n") : S("\n"));
		put_row(a, b, rows[i]);
	}
	buf_put(b, baseline->count ? S("\n]\n}\n") : S("]\n}\n"));
}

/* --- reading ------------------------------------------------------------------------------------------------------------------------------------ */

typedef struct Reading {
	Arena *a;
	Place *places;
	size_t count, room;
} Reading;

static Err *wrong(Arena *a, const char *what)
{
	return err_new(a, ERR_INVALID, "gate.baseline", "this is no baseline: %s", what);
}

static bool hex_of(Str text, uint64_t *out)
{
	uint64_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (c >= '0' && c <= '9')
			n = n << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			n = n << 4 | (uint64_t)(c - 'a' + 10);
		else
			return false;
	}
	*out = n;
	return text.len == 16;
}

static Place *room_for_one(Reading *r)
{
	if (r->count == r->room) {
		size_t room = MAX((size_t)64, 2 * r->room);
		Place *more = ARENA_ARRAY(r->a, Place, room);

		for (size_t i = 0; i < r->count; i++)
			more[i] = r->places[i];
		r->places = more;
		r->room = room;
	}
	return &r->places[r->count++];
}

static Err *read_row(Reading *r, const Json *json)
{
	Place place = { 0 };
	const Json *files = json_get(json, S("files")), *value;
	Str print = { 0 };
	void *at = NULL;

	if (!json_to_str(json_get(json, S("rule")), &place.rule) ||
	    !json_to_str(json_get(json, S("print")), &print) || !hex_of(print, &place.print) ||
	    !json_count(files))
		return wrong(r->a, "a finding needs rule, print (16 hexadecimal digits) and files");
	(void)json_to_str(json_get(json, S("name")), &place.name);
	(void)json_to_real(json_get(json, S("minutes")), &place.minutes);
	if (!(place.minutes >= 0 && place.minutes < 1e12))
		return wrong(r->a, "minutes must not be negative");
	while (json_next(files, &at, &place.path, &value)) {
		int64_t count;

		if (!json_to_i64(value, &count) || count < 1 || count > INT32_MAX)
			return wrong(r->a, "files are named with how many findings they have");
		place.count = (uint32_t)count;
		*room_for_one(r) = place;
	}
	return NULL;
}

static int by_name(const void *x, const void *y)
{
	return str_cmp(((const Budget *)x)->name, ((const Budget *)y)->name);
}

static Err *read_budgets(Arena *a, const Json *json, Baseline *out)
{
	void *at = NULL;
	const Json *value;
	Budget budget;

	out->budgets = ARENA_ARRAY(a, Budget, json_count(json) + 1);
	while (json_next(json, &at, &budget.name, &value)) {
		if (!json_to_real(value, &budget.most) || !(budget.most >= 0 && budget.most < 1e15))
			return wrong(a, "a budget is a number from 0 on");
		out->budgets[out->budget_count++] = budget;
	}
	if (out->budget_count)
		qsort(out->budgets, out->budget_count, sizeof(*out->budgets), by_name);
	return NULL;
}

Err *baseline_read(Arena *a, Str text, Baseline *out)
{
	const Json *json, *findings, *budgets;
	Reading r = { .a = a };
	Baseline read;
	int64_t version = 0;

	TRY(json_read(a, text, MOST_BYTES, &json));
	findings = json_get(json, S("findings"));
	budgets = json_get(json, S("budgets"));
	if (!json_to_i64(json_get(json, S("version")), &version) || version != VERSION)
		return wrong(a, "its version is not 1");
	if (json_kind(findings) != JSON_KIND_ARRAY ||
	    (budgets && json_kind(budgets) != JSON_KIND_OBJECT))
		return wrong(a, "it has no list of findings, or budgets that are none");
	for (size_t i = 0; i < json_count(findings); i++)
		TRY(read_row(&r, json_at(findings, i)));
	rows_of(a, r.places, r.count, false, &read);
	TRY(read_budgets(a, budgets, &read));
	*out = read;
	return NULL;
}

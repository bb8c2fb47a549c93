/* SPDX-License-Identifier: Apache-2.0 */
#include "obs/metric.c"
#include "base/arena.h"
#include "unit.h"

static const MetricFamily requests = {
	"banyan_test_requests_total", METRIC_COUNTER,        "requests",
	"Requests\\ taken",           { "route", "status" }, .sets = 3
};
static const MetricFamily busy = { "banyan_test_busy", METRIC_GAUGE, "requests", "At work" };
static const MetricFamily took = {
	"banyan_test_duration_seconds", METRIC_HISTOGRAM, "seconds", "Time taken", { "route" }
};
static const MetricFamily waited = { "banyan_test_wait_seconds_total", METRIC_COUNTER, "seconds",
	                             "Time waited" };

static void read_sizes(MetricOut *out)
{
	metric_emit(out, &S("a"), 0.1);
	metric_emit(out, &S("b"), INFINITY);
	metric_emit(out, &S("c"), 3);
}

static const MetricFamily sizes = {
	"banyan_test_size_bytes", METRIC_GAUGE, "bytes", "Size", { "what" }, .read = read_sizes
};

static MetricCell request_cell(Str route, Str status)
{
	const Str labels[] = { route, status };

	return metric_cell(&requests, labels, 2);
}

static Str scrape(Arena *a)
{
	AUTO(buf_fini) Buf out = { 0 };

	metrics_put(&out);
	return str_dup(a, buf_str(&out));
}

/* As the last user of a configuration that a reload has replaced, which a scrape may be. */
static void read_and_change(MetricOut *out)
{
	metric_cell_free(request_cell(S("gone"), S("1")));
	metric_emit(out, NULL, (double)metric_value(metric_cell(&busy, NULL, 0)));
}

TEST(who_is_asked_by_a_scrape_may_take_and_give_back_cells)
{
	static const MetricFamily row = { "banyan_test_changes", METRIC_GAUGE, "changes", "Changes",
		                          .read = read_and_change };

	metrics_add(&row, 1);
	CHECK(str_find(scrape(a), S("banyan_test_changes 0\n")) >= 0);
}

TEST(scrape_is_the_text_format_to_the_byte)
{
	MetricCell ok = request_cell(S("all"), S("200")),
		   odd = request_cell(S("a\"b\\c\nd\xff"), S("5"));
	MetricCell now = metric_cell(&busy, NULL, 0), wait = metric_cell(&waited, NULL, 0);

	metric_add(ok, 3);
	metric_add(odd, 1);
	metric_add(now, 2);
	metric_sub(now, 5);
	metric_add(wait, 1500000);
	metrics_add(&sizes, 1);
	CHECK_STR(
		scrape(a),
		S("# HELP banyan_test_requests_total Requests\\\\ taken\n"
	          "# TYPE banyan_test_requests_total counter\n"
	          "banyan_test_requests_total{route=\"all\",status=\"200\"} 3\n"
	          "banyan_test_requests_total{route=\"a\\\"b\\\\c\\nd\xef\xbf\xbd\",status=\"5\"} 1\n"
	          "# HELP banyan_test_busy At work\n"
	          "# TYPE banyan_test_busy gauge\n"
	          "banyan_test_busy -3\n"
	          "# HELP banyan_test_wait_seconds_total Time waited\n"
	          "# TYPE banyan_test_wait_seconds_total counter\n"
	          "banyan_test_wait_seconds_total 1.500000\n"
	          "# HELP banyan_test_size_bytes Size\n"
	          "# TYPE banyan_test_size_bytes gauge\n"
	          "banyan_test_size_bytes{what=\"a\"} 0.1\n"
	          "banyan_test_size_bytes{what=\"b\"} +Inf\n"
	          "banyan_test_size_bytes{what=\"c\"} 3\n"));
}

TEST(histogram_buckets_are_cumulative_and_include_their_bound)
{
	MetricCell cell = metric_cell(&took, &S("all"), 1);
	static const int64_t seen[] = { -5, 0, 1000, 1001, 60000000, 60000001 };
	Str text;

	for (size_t i = 0; i < COUNT(seen); i++)
		metric_observe_us(cell, seen[i]);
	text = scrape(a);
	CHECK(str_find(text, S("_bucket{route=\"all\",le=\"0.001\"} 3\n")) > 0);
	CHECK(str_find(text, S("_bucket{route=\"all\",le=\"0.002\"} 4\n")) > 0);
	CHECK(str_find(text, S("_bucket{route=\"all\",le=\"30\"} 4\n")) > 0);
	CHECK(str_find(text, S("_bucket{route=\"all\",le=\"60\"} 5\n")) > 0);
	CHECK(str_find(text, S("_bucket{route=\"all\",le=\"+Inf\"} 6\n")) > 0);
	CHECK(str_find(text, S("_sum{route=\"all\"} 120.002002\n")) > 0);
	CHECK(str_find(text, S("_count{route=\"all\"} 6\n")) > 0);
	CHECK_INT(metric_value(cell), 6);
}

TEST(bucket_bounds_grow_and_their_text_is_their_number)
{
	for (size_t i = 0; i < METRIC_BUCKETS; i++) {
		CHECK(i == 0 || buckets[i].us > buckets[i - 1].us);
		CHECK_NEAR(strtod(buckets[i].le, NULL), (double)buckets[i].us / 1e6, 1e-12);
	}
}

TEST(a_label_set_lives_while_somebody_holds_it)
{
	MetricCell first = request_cell(S("all"), S("200")), next, again;

	metric_add(first, 7);
	next = request_cell(S("all"), S("200")); /* a reload takes the new ones first */
	CHECK_INT(next.at, first.at);
	metric_cell_free(first);
	CHECK_INT(metric_value(next), 7);
	metric_cell_free(next);
	CHECK_INT(metric_value(next), 0);
	CHECK_INT(scrape(a).len, 0);
	again = request_cell(S("all"), S("500"));
	CHECK_INT(again.at, first.at); /* the slot is used anew, from zero */
	CHECK_INT(metric_value(again), 0);
}

TEST(label_sets_are_bounded_and_the_rest_is_other)
{
	MetricCell cells[6];
	Str text;

	for (size_t i = 0; i < COUNT(cells); i++) {
		cells[i] = request_cell(str_fmt(a, "r%zu", i), S("200"));
		metric_add(cells[i], 1);
	}
	CHECK_INT(cells[3].at, cells[5].at);
	CHECK_INT(metric_value(cells[5]), 3);
	CHECK_INT(overflows, 3);
	text = scrape(a);
	CHECK(str_find(text, S("{route=\"other\",status=\"other\"} 3\n")) > 0);
	CHECK(str_find(text, S("\"r3\"")) < 0);
	CHECK_INT(request_cell(S("other"), S("other")).at,
	          cells[5].at); /* never twice the same labels */
	metric_cell_free(cells[0]);
	CHECK(request_cell(S("r9"), S("200")).at != cells[5].at); /* a place came free */
}

TEST(a_full_registry_gives_the_cell_that_records_nothing)
{
	static MetricFamily many = {
		"banyan_test_many_seconds", METRIC_HISTOGRAM, "seconds", "Many", { "n" },
		.sets = METRIC_SLOTS
	};
	MetricCell last = { 1 };
	size_t got = 0;

	for (; last.at; got += last.at != 0) {
		Str n = str_fmt(a, "%zu", got);

		last = metric_cell(&many, &n, 1);
	}
	CHECK_INT(got, CHUNKS * (CHUNK / HISTOGRAM_SLOTS) - 1);
	metric_observe_us(last, 5);
	metric_add(last, 5);
	metric_set(last, 5);
	CHECK_INT(metric_value(last), 0);
	metric_cell_free(last);
	CHECK(overflows > 0);
}

enum { THREADS = 4, TURNS = 20000 };

typedef struct Work {
	MetricCell count, level, time;
} Work;

static void *record(void *arg)
{
	const Work *work = arg;

	for (int i = 0; i < TURNS; i++) {
		metric_add(work->count, 1);
		metric_add(work->level, 2);
		metric_sub(work->level, 2);
		metric_observe_us(work->time, 1000);
	}
	return NULL;
}

TEST(threads_record_while_others_scrape_and_leave_their_sums_behind)
{
	Work work = { request_cell(S("a"), S("1")), metric_cell(&busy, NULL, 0),
		      metric_cell(&took, &S("a"), 1) };
	pthread_t ids[THREADS];
	int64_t last = 0;

	for (int i = 0; i < THREADS; i++)
		CHECK_INT(pthread_create(&ids[i], NULL, record, &work), 0);
	for (int i = 0; i < 50; i++) {
		int64_t now = metric_value(work.count);

		CHECK(now >= last);
		last = now;
		metric_cell_free(request_cell(S("b"), str_fmt(a, "%d", i)));
		scrape(a);
	}
	for (int i = 0; i < THREADS; i++)
		CHECK_INT(pthread_join(ids[i], NULL), 0);
	CHECK_INT(metric_value(work.count), THREADS * TURNS);
	CHECK_INT(metric_value(work.level), 0);
	CHECK_INT(metric_value(work.time), THREADS * TURNS);
	CHECK(list_empty(&threads) || list_first(&threads)->next == &threads.head);
}

static void *set_and_end(void *arg)
{
	metric_set(*(MetricCell *)arg, 42);
	return NULL;
}

TEST(a_gauge_that_is_set_is_not_summed)
{
	MetricCell cell = metric_cell(&busy, NULL, 0);
	pthread_t id;

	metric_set(cell, 7);
	CHECK_INT(pthread_create(&id, NULL, set_and_end, &cell), 0);
	CHECK_INT(pthread_join(id, NULL), 0);
	CHECK_INT(metric_value(cell), 42);
	metric_set(cell, -1);
	CHECK_INT(metric_value(cell), -1);
}

TEST(rows_that_prometheus_would_not_like_are_found)
{
	static const struct {
		MetricFamily row;
		const char *want; /* NULL: in order */
	} cases[] = {
		{ { "banyan_x_total", METRIC_COUNTER, "requests", "h" }, NULL },
		{ { "banyan_x_bytes_total", METRIC_COUNTER, "bytes", "h" }, NULL },
		{ { "banyan_x_seconds", METRIC_HISTOGRAM, "seconds", "h", { "route" } }, NULL },
		{ { "banyan-x", METRIC_GAUGE, "requests", "h" }, "no name" },
		{ { "9x", METRIC_GAUGE, "requests", "h" }, "no name" },
		{ { "", METRIC_GAUGE, "requests", "h" }, "no name" },
		{ { "banyan_x", METRIC_COUNTER, "requests", "h" }, "_total" },
		{ { "banyan_x_total", METRIC_GAUGE, "requests", "h" }, "_total" },
		{ { "banyan_x", METRIC_GAUGE, "", "h" }, "no unit" },
		{ { "banyan_x", METRIC_GAUGE, "bytes", "h" }, "unit" },
		{ { "banyan_x_seconds", METRIC_GAUGE, "requests", "h" }, "unit" },
		{ { "banyan_x_bytes", METRIC_HISTOGRAM, "bytes", "h" }, "histograms" },
		{ { "banyan_x_count", METRIC_GAUGE, "requests", "h" }, "_count" },
		{ { "banyan_x", METRIC_GAUGE, "requests", "" }, "help" },
		{ { "banyan_x", METRIC_GAUGE, "requests", "two\nlines" }, "help" },
		{ { "banyan_x", METRIC_GAUGE, "requests", "h", { "le" } }, "own" },
		{ { "banyan_x", METRIC_GAUGE, "requests", "h", { "__a" } }, "no name" },
		{ { "banyan_x", METRIC_GAUGE, "requests", "h", { "a", "a" } }, "twice" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		Str got = metric_family_mistake(a, &cases[i].row);

		NOTE("row %zu: %.*s", i, STR_ARG(got));
		CHECK(cases[i].want ? str_find(got, str_of(cases[i].want)) >= 0 : got.len == 0);
	}
}

TEST(own_families_are_in_order_and_write_the_manual)
{
	AUTO(buf_fini) Buf out = { 0 };
	size_t count;
	const MetricFamily *rows = obs_metrics(&count);

	for (size_t i = 0; i < count; i++)
		CHECK_STR(metric_family_mistake(a, &rows[i]), S(""));
	metrics_put_markdown(&out, &requests, 1);
	CHECK_STR(buf_str(&out),
	          S("| Metric | Type | Unit | Labels | Meaning |\n|---|---|---|---|---|\n"
	            "| `banyan_test_requests_total` | counter | requests | `route`, `status` | "
	            "Requests\\ taken |\n"));
	metrics_add(rows, count);
	CHECK(str_find(scrape(a), S("\nbanyan_metric_overflows_total 0\n")) > 0);
}

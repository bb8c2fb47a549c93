/* SPDX-License-Identifier: Apache-2.0
 *
 * The text is written once a second by whoever watches the run, who may look at all loops, and handed out as it is: a
 * scrape costs the run nothing but its bytes. Counters begin after the warm-up, as all figures do. */
#include "load/metrics.h"

#include "base/arena.h"
#include "http/server.h"
#include "load/command.h"
#include "obs/metric.h"

#include <pthread.h>

struct LoadMetrics {
	Arena *arena;
	const ScenarioConf *conf;
	Listener *listener;
	HttpServer *server;
	HttpListener *http;
	pthread_mutex_t lock; /* of text: scrapes come on any loop */
	Buf text;
};

enum { REQUESTS, FAILURES, RESPONSE, ARRIVALS_DUE, ARRIVALS_BEGUN, IN_FLIGHT, USERS, CONNECTIONS };

static const MetricFamily rows[] = {
	[REQUESTS] = { "banyan_load_requests_total",
	               METRIC_COUNTER,
	               "requests",
	               "of `banyan load --metrics`: those that ended, well or not",
	               { "step" } },
	[FAILURES] = { "banyan_load_failures_total",
	               METRIC_COUNTER,
	               "requests",
	               "those that did not end well",
	               { "step", "kind" } },
	[RESPONSE] = { "banyan_load_response_seconds", METRIC_HISTOGRAM, "seconds",
	               "time from when a request was due to the end of its answer" },
	[ARRIVALS_DUE] = { "banyan_load_arrivals_due_total", METRIC_COUNTER, "users",
	                   "arrivals whose time has come" },
	[ARRIVALS_BEGUN] = { "banyan_load_arrivals_begun_total", METRIC_COUNTER, "users",
	                     "those of them that began" },
	[IN_FLIGHT] = { "banyan_load_in_flight", METRIC_GAUGE, "requests",
	                "sent and not answered" },
	[USERS] = { "banyan_load_users", METRIC_GAUGE, "users", "who are there now" },
	[CONNECTIONS] = { "banyan_load_connections", METRIC_GAUGE, "connections", "open now" },
};

static const double buckets[] = { 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
	                          0.5,   1,      2.5,   5,    10,    30,   60 };

void load_put_metrics(Buf *out)
{
	buf_putc(out, '\n');
	metrics_put_markdown(out, rows, COUNT(rows));
}

/* --- the text ------------------------------------------------------------------------------------------------------- */

static void put_head(Buf *out, const MetricFamily *row)
{
	static const char *const types[] = { [METRIC_COUNTER] = "counter",
		                             [METRIC_GAUGE] = "gauge",
		                             [METRIC_HISTOGRAM] = "histogram" };

	buf_fmt(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name,
	        types[row->type]);
}

static void put_label(Buf *out, Str value)
{
	for (size_t i = 0; i < value.len; i++) {
		if (value.at[i] == '"' || value.at[i] == '\\')
			buf_putc(out, '\\');
		if (value.at[i] == '\n')
			buf_put(out, S("\\n"));
		else
			buf_putc(out, value.at[i]);
	}
}

static void put_number(Buf *out, const MetricFamily *row, uint64_t value)
{
	put_head(out, row);
	buf_fmt(out, "%s %" PRIu64 "\n", row->name, value);
}

static bool is_first_of_label(Str *labels, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (str_eq(labels[i], labels[at]))
			return false;
	return true;
}

/* Steps of one name are one series. */
static void sum_step(const LoadStats *stats, Str *labels, size_t at, StepStats *sum)
{
	for (size_t i = at; i < stats->step_count; i++)
		if (str_eq(labels[i], labels[at])) {
			sum->count += stats->steps[i].count;
			for (size_t f = 0; f < LOAD_FAILURE_KINDS; f++)
				sum->failures[f] += stats->steps[i].failures[f];
		}
}

static void put_step(Arena *a, Buf *requests, Buf *failures, Str label, const StepStats *sum)
{
	buf_fmt(requests, "%s{step=\"", rows[REQUESTS].name);
	put_label(requests, label);
	buf_fmt(requests, "\"} %" PRIu64 "\n", sum->count);
	for (LoadFailure f = LOAD_OK + 1; f < LOAD_FAILURE_KINDS; f++) {
		if (!sum->failures[f])
			continue;
		buf_fmt(failures, "%s{step=\"", rows[FAILURES].name);
		put_label(failures, label);
		buf_fmt(failures, "\",kind=\"%.*s\"} %" PRIu64 "\n",
		        STR_ARG(str_lower(a, str_of(load_failure_name(f)))), sum->failures[f]);
	}
}

static bool is_counted(const StepConf *step)
{
	return step->kind == STEP_REQUEST || step->kind == STEP_WEBSOCKET;
}

static void put_steps(Buf *out, const ScenarioConf *conf, const LoadStats *stats)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(buf_fini) Buf failures = { 0 };
	Str *labels = ARENA_ARRAY(a, Str, stats->step_count + 1);

	put_head(out, &rows[REQUESTS]);
	put_head(&failures, &rows[FAILURES]);
	for (size_t i = 0; i < stats->step_count; i++)
		labels[i] = step_label(a, conf->all.at[i]);
	for (size_t i = 0; i < stats->step_count; i++) {
		StepStats sum = { 0 };

		if (!is_counted(conf->all.at[i]) || !is_first_of_label(labels, i))
			continue;
		sum_step(stats, labels, i, &sum);
		put_step(a, out, &failures, labels[i], &sum);
	}
	buf_put(out, buf_str(&failures));
}

static void put_response(Buf *out, const LoadStats *stats)
{
	const MetricFamily *row = &rows[RESPONSE];
	AUTO(hist_freep) Hist *all = hist_new();
	uint64_t count;

	for (size_t i = 0; i < stats->step_count; i++)
		hist_add(all, stats->steps[i].response);
	count = hist_count(all);
	put_head(out, row);
	for (size_t i = 0; i < COUNT(buckets); i++)
		buf_fmt(out, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", row->name, buckets[i],
		        count - hist_count_above(all, (int64_t)(buckets[i] * 1e6)));
	buf_fmt(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %.6f\n%s_count %" PRIu64 "\n",
	        row->name, count, row->name, hist_mean_us(all) * (double)count / 1e6, row->name,
	        count);
}

static void put_all(Buf *out, const ScenarioConf *conf, const LoadStats *stats, const Moment *now)
{
	put_steps(out, conf, stats);
	put_response(out, stats);
	put_number(out, &rows[ARRIVALS_DUE], stats->due);
	put_number(out, &rows[ARRIVALS_BEGUN], stats->started);
	put_number(out, &rows[IN_FLIGHT], now->in_flight);
	put_number(out, &rows[USERS], now->users);
	put_number(out, &rows[CONNECTIONS], now->connections);
}

void load_metrics_note(LoadMetrics *m, LoadRun *run, const Moment *now)
{
	AUTO(buf_fini) Buf fresh = { 0 };
	LoadStats stats;
	Buf old;

	if (!m)
		return;
	load_stats_init(&stats, m->conf->all.count);
	load_look(run, &stats);
	put_all(&fresh, m->conf, &stats, now);
	load_stats_fini(&stats);
	pthread_mutex_lock(&m->lock);
	old = m->text;
	m->text = fresh;
	pthread_mutex_unlock(&m->lock);
	fresh = old;
}

/* --- the port ------------------------------------------------------------------------------------------------------- */

static Err not_found = ERR_STATIC(NOT_FOUND, "load.no_page", "there is /metrics here, for GET");

static Err *answer(Exchange *x)
{
	LoadMetrics *m = x->listener_arg;
	Str text;

	if (!str_eq(x->request.target, S("/metrics")) || !str_eq(x->request.method, S("GET")))
		return &not_found;
	pthread_mutex_lock(&m->lock);
	text = str_dup(x->arena, buf_str(&m->text));
	pthread_mutex_unlock(&m->lock);
	return http_reply(x, 200, S(METRICS_CONTENT_TYPE), text);
}

static Err *answer_error(Exchange *x, Err *err)
{
	return http_reply(x, (unsigned)err_status(err), S("text/plain; charset=utf-8"),
	                  str_fmt(x->arena, "%.*s\n", STR_ARG(err->text)));
}

static Err *listen_at(LoadMetrics *m, Str address)
{
	HttpConf conf = { .limits = http_limits_default(),
		          .handler = answer,
		          .fail = answer_error,
		          .uncounted = true };
	Addr addr;

	conf.limits.arena_bytes = 64 << 20; /* a scenario may have many steps */
	TRY(addr_parse(m->arena, address, &addr));
	TRY(listener_open(m->arena, &addr, &m->listener));
	m->server = http_server_new(&conf, NULL);
	return http_listen(m->listener, m->server, m, &m->http);
}

Err *load_metrics_open(Arena *a, Str address, const ScenarioConf *conf, LoadMetrics **out)
{
	LoadMetrics *m = ARENA_NEW(a, LoadMetrics);
	LoadStats none;
	Err *err;

	*m = (LoadMetrics){ .arena = a, .conf = conf };
	pthread_mutex_init(&m->lock, NULL);
	load_stats_init(&none, conf->all.count);
	put_all(&m->text, conf, &none, &(Moment){ 0 });
	load_stats_fini(&none);
	err = listen_at(m, address);
	if (err) {
		load_metrics_close(m);
		return err;
	}
	*out = m;
	return NULL;
}

void load_metrics_close(LoadMetrics *m)
{
	if (!m)
		return;
	if (m->http)
		http_listen_close(m->http);
	listener_close(m->listener);
	http_server_unref(m->server);
	buf_fini(&m->text);
	pthread_mutex_destroy(&m->lock);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * What is counted of a service: requests and their times by route, and whether it is up. Cells are taken when it starts, so that
 * counting one request is a few instructions. */
#include "base/arena.h"
#include "http/ask.h"
#include "service/home_int.h"
#include "service/hook.h"
#include "service/route_int.h"
#include "service/services.h"

enum { M_REQUESTS, M_SECONDS, M_UP };
enum { ROUTES_MOST = 800 }; /* of all services together */

static void read_up(MetricOut *out);
static const MetricFamily families[] = {
	[M_REQUESTS] = { "banyan_service_requests_total",
	                 METRIC_COUNTER,
	                 "requests",
	                 "Requests that a service answered, by route and class of status; none: the client left first",
	                 { "service", "route", "class" },
	                 .sets = ROUTES_MOST * 6 },
	[M_SECONDS] = { "banyan_service_seconds",
	                METRIC_HISTOGRAM,
	                "seconds",
	                "Time from a request's head to the end of its answer, by route",
	                { "service", "route" },
	                .sets = ROUTES_MOST },
	[M_UP] = { "banyan_service_up",
	           METRIC_GAUGE,
	           "services",
	           "1: the service takes requests; 0: it waits for its database",
	           { "service" },
	           .read = read_up },
};

const MetricFamily *service_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

void service_put_metrics(Buf *out)
{
	size_t count;
	const MetricFamily *asked = ask_metrics(&count);
	size_t told_count;
	const MetricFamily *told = hook_metrics(&told_count);

	metrics_put_markdown(out, families, COUNT(families));
	buf_put(out, S("\nOf webhooks: who is told of events.\n\n"));
	metrics_put_markdown(out, told, told_count);
	buf_put(out, S("\nOf requests that go out: to other services, providers, webhooks.\n\n"));
	metrics_put_markdown(out, asked, count);
}

static void read_up(MetricOut *out)
{
	for (size_t i = 0; i < services_count(); i++) {
		const Home *home = home_at(i);
		Str name = str_of(services_at(i)->name);

		if (home)
			metric_emit(out, &name, __atomic_load_n(&home->up, __ATOMIC_RELAXED));
	}
}

void home_cells_take(Home *home)
{
	static const Str classes[6] = {
		S("none"), S("1xx"), S("2xx"), S("3xx"), S("4xx"), S("5xx")
	};
	size_t count = home->routes->count + 1;
	Str service = str_of(home->pub.service->name);

	metrics_add(families, COUNT(families));
	home->cells = ARENA_ARRAY(home->arena, RouteCells, count);
	for (size_t i = 0; i < count; i++) {
		const ServiceRoute *route = i + 1 < count ? home->routes->at[i].route : NULL;
		Str name =
			route ? str_fmt(home->arena, "%s %s", route->method, route->path) : S("");

		for (size_t k = 0; k < COUNT(classes); k++)
			home->cells[i].answers[k] =
				metric_cell(&families[M_REQUESTS],
			                    (Str[]){ service, name, classes[k] }, 3);
		home->cells[i].seconds =
			metric_cell(&families[M_SECONDS], (Str[]){ service, name }, 2);
	}
}

void home_cells_free(Home *home)
{
	for (size_t i = 0; home->cells && i <= home->routes->count; i++) {
		for (size_t k = 0; k < COUNT(home->cells[i].answers); k++)
			metric_cell_free(home->cells[i].answers[k]);
		metric_cell_free(home->cells[i].seconds);
	}
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * find CONFIGURATION TARGETS
 *
 * What finding a route costs by itself: reads a configuration and lines "STATUS PATH", asks the table for each path in turn,
 * and prints one line of JSON: nanoseconds of a find, of building the table, and the table's bytes. Linked with the
 * library of the gateway; the whole request is bench/load's. */
#include "base/arena.h"
#include "gateway/route.h"
#include "net.h"

#include <time.h>

enum { TARGETS_MAX = 65536, ROUNDS = 64 };

static RouteAsk asks[TARGETS_MAX];
static bool wanted[TARGETS_MAX];

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static size_t read_targets(Arena *a, const char *path)
{
	FILE *file = fopen(path, "r");
	char target[512];
	unsigned status;
	size_t count = 0;

	if (!file)
		die("%s", path);
	while (count < TARGETS_MAX && fscanf(file, "%u %511s\n", &status, target) == 2) {
		asks[count] = (RouteAsk){ .host = S("bench.test"),
			                  .path = str_dup(a, str_of(target)),
			                  .method = S("GET") };
		wanted[count++] = status == 200;
	}
	fclose(file);
	return count;
}

static double find_all(const RouteTable *table, size_t count)
{
	int64_t start = now_ns();

	for (int round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < count; i++) {
			RouteMiss miss;

			if (!route_find(table, &asks[i], &miss) == wanted[i])
				die("%.*s: not what was expected", STR_ARG(asks[i].path));
		}
	return (double)(now_ns() - start) / (double)(count * ROUNDS);
}

int main(int argc, char **argv)
{
	Arena *a = arena_new(0), *of_table = arena_new(0);
	GatewayConf *conf;
	const RouteTable *table;
	int64_t start;
	size_t count;
	double build_ns;

	if (argc != 3 || gateway_conf_load(a, conf_new(a), str_of(argv[1]), &conf))
		die("usage: find CONFIGURATION TARGETS");
	count = read_targets(a, argv[2]);
	start = now_ns();
	table = route_table_new(of_table, conf->routes.at, conf->routes.count);
	build_ns = (double)(now_ns() - start);
	find_all(table, count);
	printf("{\"find_ns\": %.1f, \"build_ns\": %.0f, \"bytes\": %zu, \"routes\": %zu}\n",
	       find_all(table, count), build_ns, arena_used(of_table), route_table_count(table));
	arena_free(of_table);
	arena_free(a);
	return 0;
}

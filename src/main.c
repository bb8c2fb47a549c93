/* SPDX-License-Identifier: Apache-2.0
 *
 * The command table, nothing else. A feature hands over its rows (`const Command *gateway_commands(size_t *count)` in
 * gateway/command.h) and its pages of the reference; the overview is told in the seven phases of docs/guide. */
#include "base/args.h"
#include "cli/cli.h"
#include "console/console.h"
#include "gateway/command.h"
#include "gateway/conf.h"
#include "gateway/explain.h"
#include "gateway/init.h"
#include "gateway/keys_command.h"
#include "gateway/hooks.h"
#include "load/command.h"
#include "load/scenario.h"
#include "rt/jq.h"
#include "shift/command.h"
#include "shift/hooks.h"
#include "shift/metrics.h"
#include "shift/pages.h"
#include "store/command.h"
#include "store/event_command.h"

static const CommandGroup phases[] = {
	{ "assess", "1 Assess", "what the debt costs, where it sits, whether refactoring pays",
	  "banyan audit, banyan profile" },
	{ "design", "2 Design", "where to cut: services, tables, routes, the price of each cut",
	  "banyan plan" },
	{ "decompose", "3 Decompose", "a gateway in front of the monolith",
	  "banyan serve, banyan check, banyan init, banyan keys" },
	{ "services", "4 Services", "users, payments, notifications, analytics, a database each",
	  "banyan user, banyan payment, banyan jobs" },
	{ "move", "5 Move data", "copy, follow, verify, switch, go back without loss",
	  "banyan migrate" },
	{ "prove", "6 Prove, shift", "load of 15,000 users; shadow, compare, canary, rollback",
	  "banyan load, banyan shift" },
	{ "run", "7 Run", "metrics, traces, logs, alerts, a web console",
	  "the admin port of banyan serve" },
};

static const ConfKey docs_operands[] = {
	{ "DIR", CONF_PATH, AT(CliDocsArgs, folder), .required = true,
	  .help = "the folder to write to; made if need be" },
};

static const Command own_commands[] = {
	{ "version", .summary = "which Banyan this is, and what it stands on", .run = cli_version,
	  .json = true },
	{ "docs reference", .summary = "write the pages of the reference", .run = cli_docs,
	  .hidden = true, COMMAND_OPERANDS(docs_operands), .size = sizeof(CliDocsArgs) },
};

int main(int argc, char **argv)
{
	const AdminPage *rows;
	const MetricFamily *families;
	size_t count;
	CommandSet sets[] = {
		{ own_commands, COUNT(own_commands) },
		{ 0 },
		{ 0 },
		{ 0 },
		{ 0 },
		{ 0 },
		{ 0 },
		{ 0 },
		{ 0 },
		{ 0 },
		{ 0 },
	};
	const ManualPage pages[] = {
		{ "configuration", "Configuration",
		  "The keys of the file that `banyan serve --config FILE` reads. `banyan check` "
		  "names every mistake in one.",
		  gateway_conf_table(), NULL },
		{ "scenario", "Scenarios", "The keys of the file that `banyan load FILE` reads.",
		  scenario_table(), NULL },
		{ "metrics", "Metrics",
		  "What `/metrics` on the admin port shows, in Prometheus' text format.", NULL,
		  gateway_put_metrics },
		{ "shift-metrics", "Metrics of moves",
		  "What routes that are moved add to `/metrics`.", NULL, shift_put_metrics },
		{ "load-metrics", "Metrics of a load",
		  "What `banyan load --metrics ADDRESS` shows at `/metrics` while it runs.", NULL,
		  load_put_metrics },
		{ "store-metrics", "Metrics of databases and caches",
		  "What databases, caches and Redis add to `/metrics`, each with its name as a "
		  "label: `database`, `cache`, `redis`.",
		  NULL, store_put_metrics },
		{ "event-metrics", "Metrics of events and jobs",
		  "What outboxes, consumers, the relay and jobs add to `/metrics`.", NULL,
		  event_put_metrics },
		{ "console-metrics", "Metrics of the console",
		  "What the console adds to `/metrics`.", NULL, console_put_metrics },
	};
	const Program program = {
		.name = "banyan",
		.summary =
			"Banyan takes a Python monolith apart, one service at a time, without stopping it.",
		.groups = phases,
		.group_count = COUNT(phases),
		.sets = sets,
		.set_count = COUNT(sets),
		.pages = pages,
		.page_count = COUNT(pages),
	};

	sets[1].rows = gateway_commands(&sets[1].count);
	sets[2].rows = load_commands(&sets[2].count);
	sets[3].rows = init_commands(&sets[3].count);
	sets[4].rows = explain_commands(&sets[4].count);
	sets[5].rows = store_commands(&sets[5].count);
	sets[6].rows = event_commands(&sets[6].count);
	sets[7].rows = job_commands(&sets[7].count);
	sets[8].rows = shift_commands(&sets[8].count);
	sets[9].rows = jq_commands(&sets[9].count);
	sets[10].rows = keys_commands(&sets[10].count);
	gateway_hook(shift_hooks());
	shift_conf_paths(compare_verify_path);
	families = shift_metrics(&count);
	metrics_add(families, count);
	rows = shift_pages(&count);
	admin_extend(rows, count);
	console_begin();
	return args_main(&program, argc, argv, stdout, stderr);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The command table, nothing else. A feature hands over its rows (`const Command *gateway_commands(size_t *count)` in
 * gateway/command.h) and its pages of the reference; the overview is told in the seven phases of docs/guide. */
#include "analytics/analytics.h"
#include "base/arena.h"
#include "base/args.h"
#include "audit/audit_conf.h"
#include "audit/command.h"
#include "audit/gate_command.h"
#include "audit/money_conf.h"
#include "audit/roi_command.h"
#include "audit/rules.h"
#include "auth/password.h"
#include "cli/cli.h"
#include "console/console.h"
#include "gateway/command.h"
#include "gateway/conf.h"
#include "gateway/explain.h"
#include "gateway/init.h"
#include "gateway/keys_command.h"
#include "gateway/hooks.h"
#include "gateway/services.h"
#include "load/command.h"
#include "load/scenario.h"
#include "notification/mail_command.h"
#include "notification/figures.h"
#include "notification/notification.h"
#include "notification/notification_command.h"
#include "payment/fault_command.h"
#include "payment/ledger_export.h"
#include "payment/payment.h"
#include "payment/payment_command.h"
#include "payment/payment_house.h"
#include "rt/jq.h"
#include "saga/saga.h"
#include "saga/saga_command.h"
#include "service/services.h"
#include "shift/command.h"
#include "shift/hooks.h"
#include "shift/metrics.h"
#include "shift/pages.h"
#include "store/command.h"
#include "store/event_command.h"
#include "user/import_command.h"
#include "user/oidc_command.h"
#include "user/user.h"
#include "user/user_command.h"

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

static const Command *(*const lists[])(size_t *count) = {
	gateway_commands,      load_commands,     init_commands,      explain_commands,
	store_commands,        event_commands,    job_commands,       shift_commands,
	jq_commands,           user_commands,     oidc_commands,      user_import_commands,
	keys_commands,         services_commands, analytics_commands, fault_commands,
	saga_commands,         payment_commands,  ledger_commands,    mail_commands,
	notification_commands, audit_commands,    gate_commands,      roi_commands,
};

#ifndef MORE_SERVICES /* a program of the tests has one */
#define MORE_SERVICES
#endif

static GatewayServices beside = {
	.only = services_only,
	.any = services_any,
	.place = services_place,
	.begin = services_begin,
	.each = services_each,
	.drain = services_drain,
	.end = services_end,
	.first = services_first,
};

static Err *read_for_service(Arena *a, Str file, const void **out)
{
	Conf *conf = conf_new(a);
	GatewayConf *g;
	Err *err = gateway_conf_load(a, conf, file, &g);

	if (!err)
		*out = g->services.at;
	return err;
}

static Err *begin_services(Arena *a)
{
	const Service *const rows[] = { user_service(), notification_service(), analytics_service(),
		                        payment_service(), MORE_SERVICES };
	const Service **services = ARENA_ARRAY(a, const Service *, COUNT(rows));

	for (size_t i = 0; i < COUNT(rows); i++)
		services[i] = rows[i];
	TRY(services_add(a, services, COUNT(rows)));
	TRY(gateway_conf_services(a, services_table()));
	TRY(gateway_conf_audit(a, audit_table()));
	beside.table = services_table();
	gateway_serve_beside(&beside);
	services_read_with(read_for_service);
	for (size_t i = 0; i <= COUNT(rows); i++)
		store_commands_know(services_schema(i));
	store_commands_know(saga_own_schema);
	return NULL;
}

static void begin_features(void)
{
	const AdminPage *pages;
	const MetricFamily *families;
	size_t count;

	gateway_hook(shift_hooks());
	shift_conf_paths(compare_verify_path);
	families = shift_metrics(&count);
	metrics_add(families, count);
	pages = shift_pages(&count);
	admin_extend(pages, count);
	pages = services_pages(&count);
	admin_extend(pages, count);
	console_begin();
}

int main(int argc, char **argv)
{
	AUTO(arena_freep) Arena *lasting = arena_new(0);
	Err *err;
	CommandSet sets[1 + COUNT(lists)] = { { own_commands, COUNT(own_commands) } };
	const ManualPage pages[] = {
		{ "configuration", "Configuration",
		  "The keys of the file that `banyan serve --config FILE` reads. `banyan check` "
		  "names every mistake in one.",
		  gateway_conf_table(), NULL },
		{ "scenario", "Scenarios", "The keys of the file that `banyan load FILE` reads.",
		  scenario_table(), NULL },
		{ "money", "Money", "The keys of the file that `banyan roi FILE` reads.",
		  money_table(), NULL },
		{ "rules", "Rules of an audit",
		  "What `banyan audit` finds (`--rules` and `--explain RULE` say the same). Minutes "
		  "are what one place takes\nto mend; \"for each\" counts what is above the limit "
		  "(`audit.limits`), or the places.",
		  NULL, rules_put_markdown },
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
		{ "saga-metrics", "Metrics of sagas",
		  "What services with sagas add to `/metrics`: the payment service's checkouts.",
		  NULL, saga_put_metrics },
		{ "service-metrics", "Metrics of services",
		  "What services add to `/metrics`, on their own listeners and on the admin port.",
		  NULL, service_put_metrics },
		{ "payment-metrics", "Metrics of payments",
		  "What the payment service adds to `/metrics`.", NULL, payment_put_metrics },
		{ "analytics-metrics", "Metrics of analytics",
		  "What the analytics service adds to `/metrics`.", NULL, analytics_put_metrics },
		{ "password-metrics", "Metrics of passwords",
		  "What the user service adds to `/metrics` for the threads that hash passwords.",
		  NULL, password_put_metrics },
		{ "notification-metrics", "Metrics of notifications",
		  "What the notification service adds to `/metrics`.", NULL,
		  notification_put_metrics },
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

	begin_features();
	err = begin_services(lasting);
	if (err) {
		fprintf(stderr, "banyan: %.*s\n", STR_ARG(err_chain(lasting, err)));
		return 1;
	}
	for (size_t i = 0; i < COUNT(lists); i++)
		sets[1 + i].rows = lists[i](&sets[1 + i].count);
	return args_main(&program, argc, argv, stdout, stderr);
}

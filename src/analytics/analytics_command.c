/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan analytics ...`: what an operator does beside the API. */
#include "analytics/analytics_int.h"
#include "analytics/project.h"

#include "base/arena.h"

typedef struct ProjectArgs {
	Str config, name;
	uint32_t privacy;
	CONF_LIST_OF(Str) domains;
} ProjectArgs;

static ConfKey project_options[] = {
	{ "config", CONF_PATH, AT(ProjectArgs, config), .letter = 'c', .value = "FILE",
	  .def = "banyan.yaml", .help = "the configuration" },
	{ "privacy", CONF_ENUM, AT(ProjectArgs, privacy), .def = "open",
	  .help = "whom events are told to be of" },
	{ "domain", CONF_STR, AT_LIST(ProjectArgs, domains), .value = "SITE",
	  .help = "a site whose pages send" },
};
static const ConfKey project_operands[] = {
	{ "NAME", CONF_STR, AT(ProjectArgs, name), .required = true, .help = "of the project" },
};

static Err *project_task(Cmd *cmd, ServiceHome *home, void *arg)
{
	const ProjectArgs *args = arg;
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Project *project;

	TRY(project_make(home->db, cmd->arena, args->name, (Privacy)args->privacy, args->domains.at,
	                 args->domains.count, &project));
	if (cmd->json) {
		project_put(&w, project, args->domains.at, args->domains.count);
		fprintf(cmd->out, "%.*s\n", STR_ARG(buf_str(&b)));
	} else {
		fprintf(cmd->out, "%.*s\n", STR_ARG(project->key));
	}
	return NULL;
}

static Err *project_add(Cmd *cmd)
{
	ProjectArgs *args = cmd->args;

	return service_command(cmd, analytics_service(), args->config, project_task, args);
}

const Command *analytics_commands(size_t *count)
{
	static Command rows[2] = {
		{ "analytics project", .group = "services",
		  .summary = "make a project and print its write key", .run = project_add,
		  .json = true, .examples = "banyan analytics project shop --domain shop.example",
		  COMMAND_OPTIONS(project_options), COMMAND_OPERANDS(project_operands),
		  .size = sizeof(ProjectArgs) },
	};

	rows[1] = analytics_export_command();
	project_options[1].names = project_privacies();
	*count = COUNT(rows);
	return rows;
}

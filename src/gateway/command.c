/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan serve` and `banyan check`: what the command line says, handed to those who do it. */
#include "gateway/command.h"

#include "base/arena.h"
#include "base/json.h"
#include "gateway/conf.h"
#include "gateway/gateway.h"
#include "gateway/services.h"

#include <unistd.h>

static const ConfKey serve_options[] = {
	{ "config", CONF_STR, AT(GatewayArgs, file), .letter = 'c', .value = "FILE",
	  .help = "the configuration (docs/reference/configuration.md)" },
	{ "takeover", CONF_BOOL, AT(GatewayArgs, takeover),
	  .help = "get the listening sockets of the process that runs with this configuration, and end it" },
	{ "passthrough", CONF_STR, AT(GatewayArgs, passthrough), .value = "UPSTREAM",
	  .help = "everything to this address (host:port, unix:/path) or upstream of the configuration, no policy on" },
	{ "only", CONF_STR, AT_LIST(GatewayArgs, only), .value = "NAME",
	  .help = "of what the configuration names: gateway, or a service; may be given more than once" },
	{ "admin", CONF_STR, AT(GatewayArgs, admin), .value = "ADDRESS",
	  .help = "the admin port, instead of the configuration's: two processes may share one file" },
	{ "listen", CONF_STR, AT(GatewayArgs, listen), .value = "ADDRESS",
	  .help = "where, with --passthrough or at a first start without a configuration; 127.0.0.1:8080 if not said" },
	{ "data", CONF_STR, AT(GatewayArgs, data), .def = "data", .value = "DIR",
	  .help = "without a configuration: the folder of everything, banyan.yaml too" },
};

/* ./banyan.yaml, or what a first start writes. */
static Err *find_file(Cmd *cmd, GatewayArgs *args)
{
	const GatewayServices *services = gateway_services();
	bool fresh;

	if (args->file.len || args->passthrough.len)
		return NULL;
	if (access("banyan.yaml", F_OK) == 0 && !args->listen.len) {
		args->file = S("banyan.yaml");
		return NULL;
	}
	if (!services->first)
		return err_new(cmd->arena, ERR_INVALID, "args.missing",
		               "no configuration was named: banyan serve -c FILE");
	fresh = access(str_z(cmd->arena,
	                     str_fmt(cmd->arena, "%.*s/banyan.yaml", STR_ARG(args->data))),
	               F_OK) != 0;
	TRY(services->first(cmd->arena, args->data, args->listen, args->admin, &args->file));
	args->listen = S("");
	args->admin = fresh ? S("") : args->admin;
	if (fresh)
		fprintf(cmd->out, "wrote %.*s\n", STR_ARG(args->file));
	return NULL;
}

static Err *serve(Cmd *cmd)
{
	GatewayArgs *args = cmd->args;

	TRY(find_file(cmd, args));
	if (args->listen.len && (args->file.len || !args->passthrough.len))
		return err_new(cmd->arena, ERR_INVALID, "args.listen",
		               "--listen is for --passthrough without a configuration");
	if (args->only.count && args->passthrough.len)
		return err_new(cmd->arena, ERR_INVALID, "args.only",
		               "--only and --passthrough do not go together");
	TRY(gateway_services()->only(cmd->arena, args->only.at, args->only.count));
	return gateway_run(cmd->arena, args);
}

typedef struct CheckArgs {
	Str file, operand;
} CheckArgs;

static const ConfKey check_operands[] = {
	{ "FILE", CONF_STR, AT(CheckArgs, operand), .help = "the same, named without -c" },
};

static const ConfKey check_options[] = {
	{ "config", CONF_STR, AT(CheckArgs, file), .letter = 'c', .value = "FILE",
	  .help = "the configuration" },
};

static void say_plainly(const Conf *conf, const GatewayConf *g, Str file, Buf *b)
{
	size_t count;

	conf_mistakes(conf, &count);
	conf_put_mistakes(conf, b);
	for (size_t i = 0; g && i < g->warnings.count; i++)
		buf_fmt(b, "%.*s (a warning)\n", STR_ARG(g->warnings.at[i]));
	if (!count && g)
		buf_fmt(b, "%.*s is in order: %zu listeners, %zu upstreams, %zu routes\n",
		        STR_ARG(file), g->listen.count, g->upstreams.count, g->routes.count);
}

static void say_json(const Conf *conf, const GatewayConf *g, Str file, Buf *b)
{
	JsonWriter w = json_writer(b);
	size_t count;

	(void)conf_mistakes(conf, &count);
	json_begin_object(&w);
	json_put_str(&w, "file", file);
	json_put_bool(&w, "ok", count == 0 && g);
	json_key(&w, S("mistakes"));
	conf_json_mistakes(conf, &w);
	json_key(&w, S("warnings"));
	json_begin_array(&w);
	for (size_t i = 0; g && i < g->warnings.count; i++)
		json_add_str(&w, g->warnings.at[i]);
	json_end(&w);
	json_end(&w);
	buf_putc(b, '\n');
}

static Err *check(Cmd *cmd)
{
	AUTO(buf_fini) Buf b = { 0 };
	const CheckArgs *args = cmd->args;
	Conf *conf = conf_new(cmd->arena);
	Str file = args->operand.len ? args->operand : args->file;
	GatewayConf *g = NULL;
	Err *err;

	if (!file.len)
		return err_new(cmd->arena, ERR_INVALID, "args.missing",
		               "no configuration was named: banyan check FILE");
	err = gateway_conf_load(cmd->arena, conf, file, &g);
	if (cmd->json)
		say_json(conf, err ? NULL : g, file, &b);
	else
		say_plainly(conf, err ? NULL : g, file, &b);
	if (b.len)
		fwrite(b.at, 1, b.len, cmd->out);
	return err;
}

static const Command commands[] = {
	{ "serve", .group = "decompose", .summary = "run what a configuration names", .run = serve,
	  .help = "Without a configuration: that of this folder, banyan.yaml, or else the gateway with all services on one folder, whose "
	          "configuration the first start writes there: data/banyan.yaml.\n\n"
	          "Runs the gateway until SIGTERM or SIGINT, then finishes what runs and ends; a second signal ends it at "
	          "once. SIGHUP reads the configuration again: a mistake changes nothing. SIGUSR1 opens log files anew. "
	          "SIGUSR2 starts the program anew with --takeover.\n\n"
	          "--takeover asks the running process for its listening sockets and, once this one serves, tells it to "
	          "finish and end: no connection is refused and no request lost. When this one cannot start nothing "
	          "changes.\n\n"
	          "--only NAME runs that part alone: a service, with its database, its listeners and the admin port; or the "
	          "gateway without the services.\n\n"
	          "--passthrough is the way out of any trouble: no routes, no limits, no retries, targets as they came; "
	          "with a configuration its listeners and certificates.\n\n"
	          "Prints \"listening URL\" for each address, \"admin URL\", and \"ready\" once requests are served.",
	  .examples =
	          "banyan serve\nbanyan serve -c banyan.yaml\nbanyan serve --takeover -c banyan.yaml\n"
	          "banyan serve -c banyan.yaml --only user\n"
	          "banyan serve -c banyan.yaml --passthrough monolith\n"
	          "banyan serve --passthrough 127.0.0.1:8000 --listen :8080",
	  COMMAND_OPTIONS(serve_options), .size = sizeof(GatewayArgs) },
	{ "check", .group = "decompose", .summary = "look for mistakes in a configuration",
	  .run = check, .json = true,
	  .help = "Reads a configuration as `banyan serve` would and says every mistake with its line and column.",
	  .examples = "banyan check banyan.yaml\nbanyan check -c banyan.yaml --json",
	  COMMAND_OPTIONS(check_options), COMMAND_OPERANDS(check_operands),
	  .size = sizeof(CheckArgs) },
};

const Command *gateway_commands(size_t *count)
{
	*count = COUNT(commands);
	return commands;
}

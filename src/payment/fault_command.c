/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan payment fault-provider`: runs until a signal. What it says at the start ends with `ready`, as `banyan serve` does, so that
 * whoever starts it knows when to go on. */
#include "payment/fault_command.h"

#include "base/arena.h"
#include "base/json.h"
#include "payment/fault_server.h"
#include "rt/file_away.h"
#include "rt/loop.h"
#include "rt/signals.h"

#include <signal.h>

typedef struct FaultArgs {
	Str listen, book, script, key, webhook, secret;
} FaultArgs;

static const ConfKey options[] = {
	{ "listen", CONF_STR, AT(FaultArgs, listen), .def = "127.0.0.1:9100", .value = "ADDRESS",
	  .help = "where it is asked; port 0: one that is free" },
	{ "book", CONF_PATH, AT(FaultArgs, book), .value = "FILE",
	  .help = "what it has done, kept over its deaths; none: in memory" },
	{ "script", CONF_PATH, AT(FaultArgs, script), .value = "FILE",
	  .help = "what goes wrong, as JSON; POST /script changes it" },
	{ "key", CONF_STR, AT(FaultArgs, key), .expand = true,
	  .help = "who asks must know it: Bearer KEY" },
	{ "webhook", CONF_STR, AT(FaultArgs, webhook), .value = "URL",
	  .help = "who is told of every act" },
	{ "secret", CONF_STR, AT(FaultArgs, secret), .expand = true, .value = "whsec_...",
	  .help = "what webhooks are signed with, as Standard Webhooks says" },
};

static const char help[] =
	"A provider of payments to try a system against. It keeps a book of what it did, which GET /book shows; it delays, declines, hangs "
	"up after the money moved, answers nonsense, dies in the middle, and tells webhooks twice, late or never. What goes wrong is "
	"said by a script (share and number of requests, by act), or by a payment itself: the token pm_fault_drop_after, or an amount of "
	"90201, hangs up once after it is done.";

typedef struct Parts {
	Cmd *cmd;
	FaultBook *book;
	FaultTeller *teller;
	FaultServer *server;
} Parts;

static void parts_end(Parts *parts)
{
	fault_server_close(parts->server);
	fault_teller_close(parts->teller);
	fault_book_close(parts->book);
}

static Err *read_script(Cmd *cmd, Str path, const Json **json)
{
	Str text;

	if (!path.len)
		return NULL;
	TRY(file_read_away(cmd->arena, path, 1 << 20, &text));
	return json_read(cmd->arena, text, 0, json);
}

static Err *serve(void *arg)
{
	Cmd *cmd = arg;
	const FaultArgs *args = cmd->args;
	FaultServerConf conf = { .listen = args->listen, .key = args->key };
	AUTO(parts_end) Parts parts = { .cmd = cmd };
	int signo;

	TRY(read_script(cmd, args->script, &conf.script));
	TRY(fault_book_open(cmd->arena, args->book, &parts.book));
	TRY(fault_teller_open(cmd->arena, args->webhook, args->secret, &parts.teller));
	conf.book = parts.book;
	conf.teller = parts.teller;
	TRY(fault_server_open(cmd->arena, &conf, &parts.server));
	fprintf(cmd->out, "fault-provider http://%.*s\nready\n",
	        STR_ARG(fault_server_address(parts.server, cmd->arena)));
	fflush(cmd->out);
	do
		TRY(signal_wait(&signo));
	while (signo == SIGHUP);
	return NULL;
}

static Err *run(Cmd *cmd)
{
	return rt_run(&(RtConf){ .loops = 1, .workers = 1 }, serve, cmd);
}

static const Command commands[] = {
	{ "payment fault-provider", .group = "services",
	  .summary = "a provider of payments that goes wrong when told to", .help = help,
	  .examples =
	          "banyan payment fault-provider --book provider.book --webhook http://127.0.0.1:8100/v1/providers/main/webhook",
	  .run = run, COMMAND_OPTIONS(options), .size = sizeof(FaultArgs) },
};

const Command *fault_commands(size_t *count)
{
	*count = COUNT(commands);
	return commands;
}

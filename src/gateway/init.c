/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan init`: a configuration to begin with, from an nginx site or from nothing.
 *
 * What comes from nginx is read back as `banyan serve` would read it before it is handed out: should a certificate not be
 * readable from here or a folder not be there, that is said now and not at the first start. Exit codes: 0 when everything
 * was carried over, 4 when something was not, or when what was written is not in order yet; each has its line before. */
#include "gateway/init.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/yaml.h"
#include "gateway/conf.h"
#include "gateway/nginx_carry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct InitArgs {
	Str from, prefix;
	CONF_LIST_OF(Str) upstreams;
	CONF_LIST_OF(Str) listen;
	Str out;
	bool force;
} InitArgs;

static const ConfKey options[] = {
	{ "from", CONF_STR, AT(InitArgs, from), .value = "FILE",
	  .help = "an nginx.conf, or the file of one site, that is carried over" },
	{ "prefix", CONF_STR, AT(InitArgs, prefix), .value = "DIR", .def = "/usr/share/nginx",
	  .help = "what relative roots in it are taken from: nginx -V says --prefix" },
	{ "upstream", CONF_STR, AT_LIST(InitArgs, upstreams), .letter = 'u', .value = "ADDRESS",
	  .help = "without --from: a server of the monolith; 127.0.0.1:8000 when none is named" },
	{ "listen", CONF_STR, AT_LIST(InitArgs, listen), .letter = 'l', .value = "ADDRESS",
	  .help = "without --from: where clients connect to; :8080 when none is named" },
	{ "output", CONF_STR, AT(InitArgs, out), .letter = 'o', .value = "FILE",
	  .help = "where to write it; without this to standard output" },
	{ "force", CONF_BOOL, AT(InitArgs, force), .help = "write over a file that is there" },
};

/* What came of it. */
typedef struct Init {
	Cmd *cmd;
	const InitArgs *args;
	Buf text;
	const Carried *carried; /* NULL: it was not asked to carry anything */
	const Conf *conf;       /* of reading it back */
} Init;

static void init_fini(Init *init)
{
	buf_fini(&init->text);
}

/* From nothing. */

static void put_list(Buf *b, const Str *at, size_t count, Str otherwise)
{
	for (size_t i = 0; i < MAX(count, (size_t)1); i++) {
		buf_put(b, i ? S(", ") : S("[ "));
		yaml_put_scalar(b, count ? at[i] : otherwise);
	}
	buf_put(b, S(" ]\n"));
}

static void put_minimal(Init *init)
{
	const InitArgs *args = init->args;
	Buf *b = &init->text;

	buf_put(b,
	        S("# A configuration of Banyan to begin with. `banyan check` names mistakes, `banyan serve -c` runs "
	          "it;\n# docs/reference/configuration.md has every key.\n\n"
	          "# Where clients connect to. For TLS: { address: \":443\", tls: { certificate: FILE, key: FILE } }\n"
	          "listen: "));
	put_list(b, args->listen.at, args->listen.count, S(":8080"));
	buf_put(b, S("\n# Metrics and health, for those who run it.\nadmin: 127.0.0.1:8081\n\n"
	             "upstreams:\n  monolith:\n    servers: "));
	put_list(b, args->upstreams.at, args->upstreams.count, S("127.0.0.1:8000"));
	buf_put(b,
	        S("    # How much it does at a time, workers x threads: what comes on top waits in line here.\n"
	          "    # max_connections: 8\n"
	          "    # A page that answers 200 when it can work, asked for every 2 seconds.\n"
	          "    # health: /healthz\n\n"
	          "# Proxies before this one whose X-Forwarded headers are believed.\n"
	          "# trusted_proxies: [ 10.0.0.0/8 ]\n\n"
	          "routes:\n"
	          "  - { name: everything, match: /**, to: monolith }\n"
	          "  # The most exact route takes a request, wherever it stands:\n"
	          "  # - { name: static, match: /static/**, files: /srv/static }\n"
	          "  # - { name: reports, match: /reports/**, to: monolith, timeouts: { head: 2m, request: 3m } }\n"));
}

/* From nginx. */

static Err *carry(Init *init)
{
	Arena *a = init->cmd->arena;
	CarryOptions from = { .source = init->args->from, .prefix = init->args->prefix };
	Carried *carried;
	NginxNode *first;

	TRY(nginx_read_file(a, from.source, &first));
	TRY(nginx_carry(a, first, &from, &carried));
	nginx_carry_put(&init->text, carried);
	init->carried = carried;
	return NULL;
}

static void read_back(Init *init)
{
	GatewayConf *g;
	Conf *conf = conf_new(init->cmd->arena);
	Str name = init->args->out.len ? init->args->out : S("banyan.yaml");
	Err *err = gateway_conf_read(init->cmd->arena, conf, name, buf_str(&init->text), &g);

	init->conf = err ? conf : NULL;
}

/* Saying it. */

static void close_file(FILE **file)
{
	if (*file)
		fclose(*file);
}

static Err *write_file(Init *init)
{
	const InitArgs *args = init->args;
	Arena *a = init->cmd->arena;
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (args->force ? O_TRUNC : O_EXCL);
	int fd = open(str_z(a, args->out), flags, 0644);
	AUTO(close_file) FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

	if (!file && errno == EEXIST)
		return err_new(a, ERR_CONFLICT, "init.exists",
		               "%.*s is there already: --force writes over it", STR_ARG(args->out));
	if (!file || fwrite(init->text.at, 1, init->text.len, file) != init->text.len ||
	    fflush(file) != 0)
		return err_errno(a, errno, "init.output", "%.*s", STR_ARG(args->out));
	return NULL;
}

static void put_note_json(JsonWriter *w, const CarryNote *note)
{
	json_begin_object(w);
	json_put_str(w, "file", note->file);
	json_put_u64(w, "line", note->line);
	json_put_str(w, "directive", note->directive);
	json_put_str(w, "result", note->differs ? S("differs") : S("not carried over"));
	json_put_str(w, "advice", note->advice);
	json_end(w);
}

static void put_mistakes_json(Init *init, JsonWriter *w)
{
	size_t count = 0;
	const ConfMistake *at = init->conf ? conf_mistakes(init->conf, &count) : NULL;

	json_key(w, S("mistakes"));
	json_begin_array(w);
	for (size_t i = 0; i < count; i++) {
		json_begin_object(w);
		json_put_u64(w, "line", at[i].line);
		json_put_u64(w, "column", at[i].column);
		json_put_str(w, "text", at[i].text);
		json_end(w);
	}
	json_end(w);
}

static void say_json(Init *init)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	const CarryNote *note = init->carried ? init->carried->notes : NULL;

	json_begin_object(&w);
	if (init->args->out.len)
		json_put_str(&w, "file", init->args->out);
	else
		json_put_str(&w, "configuration", buf_str(&init->text));
	json_put_u64(&w, "directives", init->carried ? init->carried->directives : 0);
	json_key(&w, S("left_out"));
	json_begin_array(&w);
	for (; note; note = note->next)
		put_note_json(&w, note);
	json_end(&w);
	put_mistakes_json(init, &w);
	json_end(&w);
	buf_putc(&b, '\n');
	fwrite(b.at, 1, b.len, init->cmd->out);
}

static void say_plainly(Init *init)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (const CarryNote *note = init->carried ? init->carried->notes : NULL; note;
	     note = note->next) {
		nginx_carry_put_note(&b, note);
		buf_putc(&b, '\n');
	}
	if (init->conf)
		conf_put_mistakes(init->conf, &b);
	if (b.len)
		fwrite(b.at, 1, b.len, stderr);
	if (!init->args->out.len)
		fwrite(init->text.at, 1, init->text.len, init->cmd->out);
}

static Err *outcome(const Init *init)
{
	const Carried *c = init->carried;
	Arena *a = init->cmd->arena;
	size_t mistakes = 0;

	if (init->conf)
		conf_mistakes(init->conf, &mistakes);
	if (c && c->left_out)
		return err_new(a, ERR_DENIED, "init.left_out",
		               "of %zu directives %zu were not, or not quite, carried over%s",
		               c->directives, c->left_out,
		               mistakes ? ", and the result is not in order yet" : "");
	if (mistakes)
		return err_new(a, ERR_DENIED, "init.not_in_order",
		               "everything was carried over, but the result is not in order yet");
	return NULL;
}

static Err *run(Cmd *cmd)
{
	AUTO(init_fini) Init init = { .cmd = cmd, .args = cmd->args };
	const InitArgs *args = cmd->args;

	if (args->from.len && (args->upstreams.count || args->listen.count))
		return err_new(cmd->arena, ERR_INVALID, "args.usage",
		               "--upstream and --listen are for a beginning without --from");
	if (args->from.len)
		TRY(carry(&init));
	else
		put_minimal(&init);
	read_back(&init);
	if (!args->from.len && init.conf)
		return conf_result(init.conf);
	if (args->out.len)
		TRY(write_file(&init));
	if (cmd->json)
		say_json(&init);
	else
		say_plainly(&init);
	return outcome(&init);
}

static const Command commands[] = {
	{ "init", .group = "decompose", .summary = "write a configuration to begin with",
	  .run = run, .json = true,
	  .help = "Without --from: a small configuration with comments, for one upstream.\n\n"
	          "With --from: what an nginx site does, as a configuration of Banyan. Each directive that is not, or not "
	          "quite, carried over is named on standard error with its file and line, and as a comment where it would "
	          "stand.\n\n"
	          "Exit codes: 0 all was carried over, 2 the file cannot be read as nginx would, 4 something was not carried "
	          "over, 7 the file to write is there already.",
	  .examples =
	          "banyan init -o banyan.yaml\nbanyan init --from /etc/nginx/nginx.conf -o banyan.yaml",
	  COMMAND_OPTIONS(options), .size = sizeof(InitArgs) },
};

const Command *init_commands(size_t *count)
{
	*count = COUNT(commands);
	return commands;
}

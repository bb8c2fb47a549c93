/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan shift [SUBJECT [VERB [VALUE]]]`: asks the gateway that runs, over its admin port, and prints what it says. Where that is
 * stands in its configuration (-c), or is said. */
#include "shift/command.h"

#include "base/arena.h"
#include "base/time.h"
#include "gateway/conf.h"
#include "http/url.h"
#include "rt/loop.h"
#include "shift/ask.h"
#include "shift/print.h"

#include <stdlib.h>

#define WAIT_US (250 * US_PER_MS)

typedef struct ShiftArgs {
	Str file, admin, token, target, why;
	bool dry_run, force, wait;
	CONF_LIST_OF(Str) words;
} ShiftArgs;

typedef struct Task {
	Cmd *cmd;
	const ShiftArgs *args;
	AskPort port;
	Str subject, verb, value, more;
} Task;

/* --- where it is ------------------------------------------------------------------------------------------------------------ */

static Err *port_of_file(Task *t)
{
	Conf *conf = conf_new(t->cmd->arena);
	GatewayConf *g;

	TRY(gateway_conf_load(t->cmd->arena, conf, t->args->file, &g));
	if (!g->admin.on)
		return err_new(t->cmd->arena, ERR_INVALID, "shift.admin",
		               "%.*s says `admin: off`, so nobody can ask", STR_ARG(t->args->file));
	t->port.address = g->admin.address.text;
	t->port.token = g->admin.token;
	return NULL;
}

static Err *find_port(Task *t)
{
	const char *admin = getenv("BANYAN_ADMIN"), *token = getenv("BANYAN_TOKEN");

	t->port.address = admin ? str_of(admin) : S("127.0.0.1:8081");
	if (t->args->file.len)
		TRY(port_of_file(t));
	if (token)
		t->port.token = str_of(token);
	if (t->args->admin.len)
		t->port.address = t->args->admin;
	if (t->args->token.len)
		t->port.token = t->args->token;
	return NULL;
}

/* --- words ------------------------------------------------------------------------------------------------------------------ */

static void read_words(Task *t)
{
	const Str *at = t->args->words.at;
	size_t count = t->args->words.count, i = 0;

	if (count > 1 && str_eq(at[0], S("upstream"))) {
		t->subject = str_fmt(t->cmd->arena, "upstream:%.*s", STR_ARG(at[1]));
		i = 2;
	} else if (count) {
		t->subject = at[i++];
	}
	t->verb = i < count ? at[i++] : t->args->target.len ? S("canary") : S("status");
	t->value = i < count ? at[i++] : (Str){ 0 };
	t->more = i < count ? at[i++] : (Str){ 0 };
}

/* --- asking ------------------------------------------------------------------------------------------------------------------ */

static const struct {
	const char *verb, *page;
	PrintFn *print;
} views[] = {
	{ "status", "", print_status },
	{ "plan", "/plan", print_plan },
	{ "explain", "/differences", print_differences },
	{ "history", "/history?limit=1000", print_history },
	{ "servers", "/servers", print_servers },
};

/* Whatever somebody types for a subject is one segment of a path. */
static Str page_of(const Task *t, const char *page)
{
	Arena *a = t->cmd->arena;

	return str_fmt(a, "/shift/%.*s%s", STR_ARG(url_encode(a, t->subject)), page);
}

/* The words that name it on the command line. */
static Str typed(const Task *t)
{
	Str name = t->subject;

	if (!str_starts(name, S("upstream:")))
		return name;
	return str_fmt(t->cmd->arena, "upstream %.*s", STR_ARG(str_sub(name, 9, name.len)));
}

static Err *say(const Task *t, Str answer, PrintFn *print)
{
	AUTO(buf_fini) Buf b = { 0 };
	const Json *json;

	if (t->cmd->json) {
		fwrite(answer.at, 1, answer.len, t->cmd->out);
		return NULL;
	}
	TRY(json_read(t->cmd->arena, answer, 0, &json));
	print(&b, t->cmd->arena, typed(t), json);
	fwrite(b.at, 1, b.len, t->cmd->out);
	return NULL;
}

static Err *percent_of(const Task *t, double *out)
{
	Str text = str_ends(t->value, S("%")) ? str_sub(t->value, 0, t->value.len - 1) : t->value;
	char *end;
	const char *z = str_z(t->cmd->arena, text);

	*out = strtod(z, &end);
	if (!text.len || *end || !(*out >= 0 && *out <= 100))
		return err_new(t->cmd->arena, ERR_INVALID, "args.value",
		               "\"%.*s\" is no share of users: 25%%, 0.5%%", STR_ARG(t->value));
	return NULL;
}

static Err *body_of(const Task *t, Buf *b)
{
	JsonWriter w = json_writer(b);
	bool accept = str_eq(t->verb, S("accept")) || str_eq(t->verb, S("unaccept"));
	bool drain = str_eq(t->verb, S("drain")) || str_eq(t->verb, S("undrain"));
	double percent;
	Str text;

	json_begin_object(&w);
	json_put_str(&w, "why", t->args->why);
	json_put_bool(&w, "dry_run", t->args->dry_run);
	json_put_bool(&w, "force", t->args->force);
	if (t->args->target.len)
		json_put_str(&w, "target", t->args->target);
	if (accept) {
		json_put_str(&w, "path", t->value);
		json_put_str(&w, "kind", t->more);
	} else if (str_eq(t->verb, S("writes"))) {
		json_put_str(&w, "action", t->value);
		json_put_str(&w, "id", t->more);
	} else if (drain) {
		json_put_str(&w, "server", t->value);
	} else if (t->value.len) {
		TRY(percent_of(t, &percent));
		json_put_real(&w, "percent", percent);
	}
	json_end(&w);
	return json_done(&w, &text);
}

/* --- until a server has nothing left --------------------------------------------------------------------------------------------- */

static Err *find_server(const Task *t, Str answer, int64_t *requests, int64_t *connections)
{
	const Json *json, *servers;
	Str name;

	*requests = *connections = 0;
	TRY(json_read(t->cmd->arena, answer, 0, &json));
	servers = json_get(json, S("servers"));
	for (size_t i = 0; i < json_count(servers); i++) {
		const Json *server = json_at(servers, i);

		if (!json_to_str(json_get(server, S("address")), &name) || !str_eq(name, t->value))
			continue;
		(void)json_to_i64(json_get(server, S("requests")), requests);
		(void)json_to_i64(json_get(server, S("connections")), connections);
	}
	return NULL;
}

static void say_left(const Task *t, int64_t left)
{
	if (!t->cmd->json)
		fprintf(t->cmd->out, "%" PRId64 " %s left\n", left,
		        left == 1 ? "request is" : "requests are");
	fflush(t->cmd->out);
}

/* A connection is there before its request, and so none may be left either. */
static Err *wait_until_left(Task *t)
{
	Arena *a = t->cmd->arena;
	int64_t requests = -1, connections = 1, said = -1;
	Str answer = { 0 };

	for (;;) {
		TRY(ask_admin(a, &t->port, str_fmt(a, "/shift/%.*s/servers", STR_ARG(t->subject)),
		              (Str){ 0 }, &answer));
		TRY(find_server(t, answer, &requests, &connections));
		if (requests && requests != said)
			say_left(t, said = requests);
		if (!requests && !connections)
			break;
		TRY(fiber_sleep(WAIT_US));
	}
	if (!t->cmd->json)
		fprintf(t->cmd->out, "nothing is left at %.*s: it may be stopped\n",
		        STR_ARG(t->value));
	return t->cmd->json ? say(t, answer, print_servers) : NULL;
}

static Err *run_verb(Task *t)
{
	bool waits = t->args->wait && str_eq(t->verb, S("drain")) && !t->args->dry_run;
	AUTO(buf_fini) Buf body = { 0 };
	Arena *a = t->cmd->arena;
	Str answer;

	TRY(body_of(t, &body));
	TRY(ask_admin(a, &t->port,
	              page_of(t, str_z(a, str_fmt(a, "/%.*s", STR_ARG(url_encode(a, t->verb))))),
	              buf_str(&body), &answer));
	if (!waits || !t->cmd->json)
		TRY(say(t, answer, print_said));
	return waits ? wait_until_left(t) : NULL;
}

/* writes; writes show ID, after ID; else a verb. */
static Err *ask_writes(Task *t)
{
	bool show = str_eq(t->value, S("show")), after = str_eq(t->value, S("after"));
	Arena *a = t->cmd->arena;
	Str answer, page;
	uint64_t id = 0;

	if (t->value.len && !show && !after)
		return run_verb(t);
	if ((show || after) && !str_to_u64(t->more, &id))
		return err_new(a, ERR_INVALID, "args.value", "which one? writes %.*s 17",
		               STR_ARG(t->value));
	page = str_fmt(a, "/shift/%.*s/writes?%s=%" PRIu64, STR_ARG(t->subject),
	               show ? "id" : "after", id);
	TRY(ask_admin(a, &t->port, page, (Str){ 0 }, &answer));
	return say(t, answer, show ? print_write : print_writes);
}

static Err *ask(void *arg)
{
	Task *t = arg;
	Arena *a = t->cmd->arena;
	Str answer;

	if (!t->subject.len) {
		TRY(ask_admin(a, &t->port, S("/shift"), (Str){ 0 }, &answer));
		return say(t, answer, print_all);
	}
	for (size_t i = 0; i < COUNT(views); i++)
		if (str_eq(t->verb, str_of(views[i].verb))) {
			TRY(ask_admin(a, &t->port, page_of(t, views[i].page), (Str){ 0 }, &answer));
			return say(t, answer, views[i].print);
		}
	return str_eq(t->verb, S("writes")) ? ask_writes(t) : run_verb(t);
}

static Err *shift(Cmd *cmd)
{
	Task t = { .cmd = cmd, .args = cmd->args };

	read_words(&t);
	TRY(find_port(&t));
	return rt_run(&(RtConf){ .loops = 1, .workers = 1 }, ask, &t);
}

static const ConfKey shift_options[] = {
	{ "config", CONF_STR, AT(ShiftArgs, file), .letter = 'c', .value = "FILE",
	  .help = "the gateway's configuration: where its admin port is, and the token" },
	{ "admin", CONF_STR, AT(ShiftArgs, admin), .value = "ADDRESS",
	  .help = "its admin port; without -c 127.0.0.1:8081, or what BANYAN_ADMIN says" },
	{ "token", CONF_STR, AT(ShiftArgs, token), .expand = true, .value = "TOKEN",
	  .help = "the token for it: file:PATH reads it; BANYAN_TOKEN in the environment does too" },
	{ "to", CONF_STR, AT(ShiftArgs, target), .value = "UPSTREAM",
	  .help = "with `upstream NAME`: the upstream that takes over" },
	{ "why", CONF_STR, AT(ShiftArgs, why), .value = "TEXT", .help = "for the journal" },
	{ "dry-run", CONF_BOOL, AT(ShiftArgs, dry_run), .letter = 'n',
	  .help = "only say what would be done" },
	{ "force", CONF_BOOL, AT(ShiftArgs, force),
	  .help = "do what would be refused; it stands in the journal" },
	{ "wait", CONF_BOOL, AT(ShiftArgs, wait),
	  .help = "with `drain`: return when this gateway has no request left at the server" },
};

static const ConfKey shift_operands[] = {
	{ "SUBJECT", CONF_STR, AT_LIST(ShiftArgs, words),
	  .help = "a route, a group, or `upstream NAME`; then a verb, and what it takes" },
};

static const Command commands[] = {
	{ "shift", .group = "prove", .summary = "move a route from its old side to its new one",
	  .run = shift, .json = true,
	  .help = "old -> shadow -> canary -> new -> retired, and back at any moment. Without a subject it lists all; with one and no "
	          "verb it says where it stands.\n\n"
	          "Looking: status, plan (what each step can detect at the traffic seen now, and by when), explain (differences "
	          "between the sides), history, writes (that one side lacks), writes show ID.\n\n"
	          "Moving: shadow, canary [PERCENT], to PERCENT, pause, resume, back, drill, accept PATH KIND, unaccept PATH KIND, retire, "
	          "writes retry|drop|skip ID, writes retry all. "
	          "`back` puts all users on the old side at once; the judge does the same by itself.\n\n"
	          "banyan shift upstream NAME --to OTHER swaps a whole upstream in the same way (the configuration needs "
	          "`shift: {}`). Of its servers, `servers` lists them, `drain SERVER` takes one out, `undrain SERVER` puts it "
	          "back.",
	  .examples =
	          "banyan shift\nbanyan shift users plan\nbanyan shift users canary --why 'release 42'\n"
	          "banyan shift users to 25%\nbanyan shift users back\nbanyan shift users accept .price value\n"
	          "banyan shift users writes\nbanyan shift users writes retry 17 --why 'release 43'\n"
	          "banyan shift upstream shop --to shop-next\n"
	          "banyan shift upstream shop drain 127.0.0.1:8000 --wait",
	  COMMAND_OPTIONS(shift_options), COMMAND_OPERANDS(shift_operands),
	  .size = sizeof(ShiftArgs) },
};

const Command *shift_commands(size_t *count)
{
	*count = COUNT(commands);
	return commands;
}

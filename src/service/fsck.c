/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan NAME fsck`: what must be true of what a service keeps, looked at. A service hands over its checks as rows; each reads the
 * same moment (a snapshot) and says how much it looked at and what is wrong, the first few by name. Nothing is repaired: what is
 * wrong with money or mail is for people. The exit code is 3 when anything is wrong, so that a script may stop there. */
#include "base/arena.h"
#include "base/args.h"
#include "service/conf_int.h"
#include "service/home_int.h"
#include "service/services.h"

#include <stdarg.h>
#include <stdio.h>

enum { TEXT_MOST = 400 };

typedef struct FsckArgs {
	Str config;
} FsckArgs;
static const ConfKey options[] = {
	{ "config", CONF_STR, AT(FsckArgs, config), .letter = 'c', .value = "FILE",
	  .def = "banyan.yaml", .help = "the configuration that says where the service is" },
};

typedef struct Fsck {
	Cmd *cmd;
	const ServiceHome *home;
	ServiceFinding *found; /* by check */
	size_t count;
} Fsck;

void service_wrong(ServiceFinding *found, const char *fmt, ...)
{
	char text[TEXT_MOST];
	va_list args;
	int len;

	if (found->wrong++ >= COUNT(found->examples))
		return;
	va_start(args, fmt);
	len = vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	found->examples[found->wrong - 1] =
		str_dup(found->arena,
	                (Str){ text, len < 0 ? 0 : MIN((size_t)len, sizeof text - 1) });
}

static Err *look(Db *tx, Arena *a, void *arg)
{
	Fsck *fsck = arg;
	const Service *service = fsck->home->service;

	for (size_t i = 0; i < fsck->count; i++) {
		fsck->found[i] = (ServiceFinding){ .arena = fsck->cmd->arena };
		TRY(service->checks[i].run(fsck->home, tx, a, &fsck->found[i]));
	}
	return NULL;
}

/* --- telling ------------------------------------------------------------------------------------------------------------ */

static void put_json(const Fsck *fsck, JsonWriter *w, uint64_t wrong)
{
	json_begin_object(w);
	json_put_str(w, "service", str_of(fsck->home->service->name));
	json_put_bool(w, "ok", !wrong);
	json_key(w, S("checks"));
	json_begin_array(w);
	for (size_t i = 0; i < fsck->count; i++) {
		const ServiceFinding *found = &fsck->found[i];

		json_begin_object(w);
		json_put_str(w, "name", str_of(fsck->home->service->checks[i].name));
		json_put_u64(w, "looked", found->looked);
		json_put_u64(w, "wrong", found->wrong);
		json_key(w, S("examples"));
		json_begin_array(w);
		for (size_t k = 0; k < MIN(found->wrong, (uint64_t)COUNT(found->examples)); k++)
			json_add_str(w, found->examples[k]);
		json_end(w);
		json_end(w);
	}
	json_end(w);
	json_end(w);
	buf_putc(w->buf, '\n');
}

static void put_text(const Fsck *fsck, Buf *b)
{
	for (size_t i = 0; i < fsck->count; i++) {
		const ServiceCheck *check = &fsck->home->service->checks[i];
		const ServiceFinding *found = &fsck->found[i];

		buf_fmt(b, "%-6s %-32s %10" PRIu64 "  %s\n", found->wrong ? "WRONG" : "ok",
		        check->name, found->looked, check->help);
		for (size_t k = 0; k < MIN(found->wrong, (uint64_t)COUNT(found->examples)); k++)
			buf_fmt(b, "       %.*s\n", STR_ARG(found->examples[k]));
		if (found->wrong > COUNT(found->examples))
			buf_fmt(b, "       ... %" PRIu64 " in all\n", found->wrong);
	}
}

static Err *verdict(const Fsck *fsck)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	uint64_t wrong = 0;

	for (size_t i = 0; i < fsck->count; i++)
		wrong += fsck->found[i].wrong;
	if (fsck->cmd->json)
		put_json(fsck, &w, wrong);
	else
		put_text(fsck, &b);
	fwrite(b.at, 1, b.len, fsck->cmd->out);
	if (!wrong)
		return NULL;
	return err_new(fsck->cmd->arena, ERR_VERDICT, "service.fsck", "%" PRIu64 " %s wrong", wrong,
	               wrong == 1 ? "thing is" : "things are");
}

static Err *check_all(Cmd *cmd, ServiceHome *home, void *arg)
{
	Fsck fsck = { .cmd = cmd, .home = home, .count = home->service->check_count };

	(void)arg;
	fsck.found = ARENA_ARRAY(cmd->arena, ServiceFinding, fsck.count + 1);
	TRY(db_check(home->db, cmd->arena));
	TRY(db_txn(home->db, cmd->arena, DB_SNAPSHOT, look, &fsck));
	return verdict(&fsck);
}

static Err *run(Cmd *cmd)
{
	const FsckArgs *args = cmd->args;

	return service_command(cmd, service_of_command(cmd), args->config, check_all, NULL);
}

/* --- the commands that every service has ---------------------------------------------------------------------------------- */

static Command fsck_command(const char *name)
{
	return (Command){
		.name = name,
		.group = "services",
		.summary = "is what it keeps as it must be?",
		.help = "Looks, while the service runs or not, and repairs nothing. The exit code is 3 when something is wrong.",
		COMMAND_OPTIONS(options),
		.size = sizeof(FsckArgs),
		.run = run,
		.json = true,
	};
}

#define NAME_MOST 40
static struct {
	char names[2 * SERVICES_MOST][NAME_MOST];
	Command rows[2 * SERVICES_MOST];
	size_t count;
} own;

static const char *own_name(const Service *service, const char *word)
{
	snprintf(own.names[own.count], NAME_MOST, "%s %s", service->name, word);
	return own.names[own.count];
}

const Command *services_commands(size_t *count)
{
	own.count = 0;
	for (size_t i = 0; i < services_count(); i++) {
		const Service *service = services_at(i);

		if (service->check_count) {
			own.rows[own.count] = fsck_command(own_name(service, "fsck"));
			own.count++;
		}
		if (service->keys) {
			own.rows[own.count] = peer_key_command(own_name(service, "key"));
			own.count++;
		}
	}
	*count = own.count;
	return own.rows;
}

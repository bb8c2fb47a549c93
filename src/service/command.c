/* SPDX-License-Identifier: Apache-2.0
 *
 * A service's commands: they read the same file as `banyan serve`, open its database and do what they do in a fiber. The rest of
 * the file is of others: their tables are asked to read it, so that a mistake in it is a mistake here too. */
#include "base/arena.h"
#include "base/args.h"
#include "base/log.h"
#include "rt/loop.h"
#include "service/conf_int.h"
#include "service/home_int.h"
#include "service/services.h"

#include <unistd.h>

static ServicesReader *reader;

void services_read_with(ServicesReader *fn)
{
	reader = fn;
}

typedef struct Task {
	Cmd *cmd;
	Home *home;
	ServiceCommand *fn;
	void *arg;
} Task;

static void home_closep(Home **home)
{
	home_close(*home);
}

static Err *run(void *arg)
{
	Task *task = arg;
	AUTO(home_closep) Home *home = task->home;
	Err *err = peer_begin(task->cmd->arena);

	err = err ? err : home_prepare(home, task->cmd->arena);
	err = err ? err : task->fn(task->cmd, &home->pub, task->arg);
	peer_end();
	return err ? err_copy(task->cmd->arena, err) : NULL;
}

static Err *find(Cmd *cmd, const Service *service, Str file, const void *conf, size_t *at)
{
	for (size_t i = 0; i < services_count(); i++)
		if (services_at(i) == service && service_conf_of(conf, i)->has_database) {
			*at = i;
			return NULL;
		}
	return err_new(cmd->arena, ERR_INVALID, "service.database",
	               "%.*s has no services.%s.database", STR_ARG(file), service->name);
}

/* Who was told of no file, and finds none by the usual name, takes what a first start wrote. */
static Str file_of(Str file)
{
	bool usual = str_eq(file, S("banyan.yaml"));

	return usual && access("banyan.yaml", F_OK) != 0 && access("data/banyan.yaml", F_OK) == 0
	               ? S("data/banyan.yaml")
	               : file;
}

Err *service_command(Cmd *cmd, const Service *service, Str file, ServiceCommand *fn, void *arg)
{
	RtConf rt = { .loops = 1 };
	Task task = { .cmd = cmd, .fn = fn, .arg = arg };
	const void *conf;
	size_t i;

	file = file_of(file);
	TRY(reader(cmd->arena, file, &conf));
	TRY(find(cmd, service, file, conf, &i));
	services_use(conf, true);
	task.home = home_new(service, service_conf_of(conf, i), service_own_conf(conf, i));
	return rt_run(&rt, run, &task);
}

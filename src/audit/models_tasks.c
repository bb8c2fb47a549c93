/* SPDX-License-Identifier: Apache-2.0
 *
 * Tasks with those who put them into a queue, signals with their receivers and senders, templates, settings: what is reached by a name, and so
 * is no edge in a graph of imports. */
#include "audit/models_join.h"

#include "base/arena.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* --- tasks ------------------------------------------------------------------------------------------------------------------------- */

typedef struct Tasking {
	Join *j;
	PairMap at; /* file and unit: task */
	Map by_name;
	PairMap callers; /* task and package */
} Tasking;

static bool task_kind(const Join *j, uint32_t file, Str decorator, TaskKind *out)
{
	static const struct {
		const char *package;
		TaskKind kind;
	} packages[] = { { "celery", TASK_CELERY },
		         { "huey", TASK_HUEY },
		         { "dramatiq", TASK_DRAMATIQ },
		         { "rq", TASK_RQ },
		         { "django_rq", TASK_RQ } };
	Found found = names_find(j->names, file, decorator);
	Str from = found.outside;
	Str last = name_last(decorator);

	if (found.var) {
		Found of = names_find(j->names, found.file, found.var->callee);

		from = of.outside.len ? of.outside : from;
	}
	for (size_t i = 0; i < COUNT(packages); i++)
		if (str_eq(name_first(from), str_of(packages[i].package)) ||
		    (!from.len &&
		     str_find(str_lower(j->a, decorator), str_of(packages[i].package)) >= 0)) {
			*out = packages[i].kind;
			return true;
		}
	*out = TASK_CELERY;
	return str_eq(last, S("shared_task")) || str_ends(decorator, S("app.task"));
}

static void add_task(Tasking *t, uint32_t file, const TaskFact *fact, TaskKind kind)
{
	Join *j = t->j;
	Models *m = j->m;
	AppTask *task;

	if (pair_get(&t->at, file, fact->unit) != MODEL_NONE)
		return;
	task = TAKE_ADD(j->a, m->tasks, m->task_count);
	*task = (AppTask){ .kind = kind,
		           .name = fact->name,
		           .schedule = fact->schedule,
		           .package = m->package_of[file],
		           .place = { file, fact->line, fact->unit } };
	if (!task->name.len)
		task->name = str_fmt(j->a, "%.*s.%.*s", STR_ARG(names_of_file(j->names, file)),
		                     STR_ARG(join_unit_name(j->a, &j->project->files[file],
		                                            fact->unit)));
	pair_put(j->a, &t->at, file, fact->unit, m->task_count - 1);
	map_put(&t->by_name, task->name, (void *)(uintptr_t)m->task_count);
}

/* shop/management/commands/clean.py with a class Command */
static void add_command(Tasking *t, uint32_t file)
{
	Join *j = t->j;
	const AuditFile *f = &j->project->files[file];
	ptrdiff_t at = str_find(f->path, S("management/commands/"));
	Str name;

	if (at < 0)
		return;
	name = str_sub(f->path, (size_t)at + 20, f->path.len - 3);
	for (uint32_t i = 0; i < f->measures.unit_count; i++)
		if (str_eq(f->measures.units[i].name, S("Command")) &&
		    f->measures.units[i].parent == UNIT_NONE) {
			TaskFact fact = { .name = name,
				          .unit = i,
				          .line = f->measures.units[i].line };

			add_task(t, file, &fact, TASK_COMMAND);
			return;
		}
}

static uint32_t task_named(const Tasking *t, uint32_t file, Str on)
{
	Found found = names_find(t->j->names, file, on);
	uint32_t task;

	if (found.file == MODEL_NONE && !found.outside.len)
		found = names_path(t->j->names, file, on);
	task = found.file == MODEL_NONE ? MODEL_NONE : pair_get(&t->at, found.file, found.unit);
	if (task == MODEL_NONE)
		task = (uint32_t)(uintptr_t)map_get(&t->by_name, on) - 1;
	return task;
}

static void use_task(Tasking *t, uint32_t file, const TaskFact *fact)
{
	Models *m = t->j->m;
	uint32_t task = task_named(t, file, fact->on), package = m->package_of[file];

	if (task == MODEL_NONE)
		return;
	if (fact->kind == TASK_SCHEDULED) {
		m->tasks[task].schedule = fact->schedule;
		return;
	}
	m->tasks[task].calls++;
	if (package != m->tasks[task].package &&
	    pair_get(&t->callers, task, package) == MODEL_NONE) {
		pair_put(t->j->a, &t->callers, task, package, 0);
		m->tasks[task].callers++;
	}
}

static void tasking_finip(Tasking *t)
{
	map_fini(&t->by_name);
}

void join_tasks(Join *j)
{
	AUTO(tasking_finip) Tasking t = { .j = j };
	TaskKind kind;

	for (uint32_t i = 0; i < j->project->count; i++) {
		const FileModels *f = names_facts(j->project, i);

		for (uint32_t k = 0; f && k < f->task_count; k++)
			if (f->tasks[k].kind == TASK_DEFINED &&
			    task_kind(j, i, f->tasks[k].on, &kind))
				add_task(&t, i, &f->tasks[k], kind);
		if (f)
			add_command(&t, i);
	}
	for (uint32_t i = 0; i < j->project->count; i++) {
		const FileModels *f = names_facts(j->project, i);

		for (uint32_t k = 0; f && k < f->task_count; k++)
			if (f->tasks[k].kind != TASK_DEFINED && join_counts(j, i))
				use_task(&t, i, &f->tasks[k]);
	}
}

/* --- signals ------------------------------------------------------------------------------------------------------------------------- */

/* The whole name of a signal; empty: this is none (a socket's connect, a queue's send). */
static Str signal_name(const Join *j, uint32_t file, Str dotted)
{
	Found found = names_find(j->names, file, dotted);

	if (found.var && str_ends(found.var->callee, S("Signal")))
		return str_fmt(j->a, "%.*s.%.*s", STR_ARG(names_of_file(j->names, found.file)),
		               STR_ARG(found.var->name));
	if (found.var && str_ends(found.var->callee, S("signal")))
		return str_fmt(j->a, "%.*s.%.*s", STR_ARG(names_of_file(j->names, found.file)),
		               STR_ARG(found.var->name));
	if (found.outside.len && str_find(found.outside, S("signals.")) >= 0)
		return found.outside;
	return S("");
}

typedef struct Sending {
	ModelPlace first;
	uint32_t count, package;
} Sending;

static void add_sending(Join *j, Map *sent, uint32_t file, const SignalFact *fact)
{
	Str name = signal_name(j, file, fact->signal);
	Sending *s;

	if (!name.len)
		return;
	s = map_get(sent, name);
	if (!s) {
		s = ARENA_NEW(j->a, Sending);
		s->first = (ModelPlace){ file, fact->line, fact->unit };
		s->package = j->m->package_of[file];
		map_put(sent, name, s);
	}
	s->count++;
}

static void add_signal(Join *j, const Map *sent, uint32_t file, const SignalFact *fact)
{
	Models *m = j->m;
	Str name = signal_name(j, file, fact->signal), rest;
	ModelPlace at = { file, fact->line, fact->unit };
	const Sending *s;
	AppSignal *signal;
	uint32_t sender = MODEL_NONE;

	if (!name.len)
		return;
	if (fact->receiver.len) {
		Found found = names_find(j->names, file, fact->receiver);

		if (found.file != MODEL_NONE && found.unit != UNIT_NONE)
			at = (ModelPlace){
				found.file,
				j->project->files[found.file].measures.units[found.unit].line,
				found.unit
			};
	}
	if (fact->sender.len)
		sender = join_model(j, file, fact->sender, &rest);
	s = map_get(sent, name);
	signal = TAKE_ADD(j->a, m->signals, m->signal_count);
	*signal = (AppSignal){ .name = name,
		               .sender = fact->sender,
		               .receiver = at,
		               .sent = { MODEL_NONE, 0, UNIT_NONE },
		               .package = m->package_of[at.file],
		               .from = MODEL_NONE };
	if (s) {
		signal->sent = s->first;
		signal->sends = s->count;
		signal->from = s->package;
	}
	if (sender != MODEL_NONE)
		signal->from = m->models[sender].package;
}

void join_signals(Join *j)
{
	AUTO(map_fini) Map sent = { 0 };

	for (int pass = 0; pass < 2; pass++)
		for (uint32_t i = 0; i < j->project->count; i++) {
			const FileModels *f = names_facts(j->project, i);

			for (uint32_t k = 0; f && k < f->signal_count; k++)
				if (!pass && f->signals[k].kind == SIGNAL_SENT)
					add_sending(j, &sent, i, &f->signals[k]);
				else if (pass && f->signals[k].kind == SIGNAL_RECEIVED)
					add_signal(j, &sent, i, &f->signals[k]);
		}
}

/* --- settings ------------------------------------------------------------------------------------------------------------------------ */

void join_settings(Join *j)
{
	AUTO(map_fini) Map at = { 0 };
	PairMap readers = { 0 };
	Models *m = j->m;

	for (uint32_t i = 0; i < j->project->count; i++) {
		const FileModels *f = names_facts(j->project, i);

		for (uint32_t k = 0; f && k < f->name_count; k++) {
			const NameFact *name = &f->names[k];
			uint32_t index = (uint32_t)(uintptr_t)map_get(&at, name->name) - 1;

			if (name->kind != NAME_SETTING && name->kind != NAME_DEFINED)
				continue;
			if (index == MODEL_NONE) {
				index = m->setting_count;
				*TAKE_ADD(j->a, m->settings, m->setting_count) =
					(AppSetting){ .name = name->name,
					              .first = { i, name->line, name->unit } };
				map_put(&at, name->name, (void *)(uintptr_t)m->setting_count);
			}
			m->settings[index].defined |= name->kind == NAME_DEFINED;
			if (name->kind == NAME_DEFINED || !join_counts(j, i))
				continue;
			m->settings[index].reads++;
			if (pair_get(&readers, index, m->package_of[i]) == MODEL_NONE) {
				pair_put(j->a, &readers, index, m->package_of[i], 0);
				m->settings[index].packages++;
			}
		}
	}
}

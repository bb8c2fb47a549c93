/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan db status|migrate|check|backup|restore`: looking after one database by its URL.
 *
 * Which schemas a database has is asked of itself: every schema that this program knows and of which a step is there. `migrate`
 * sets up the store's own tables too, which every service's database needs. */
#include "store/command.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"
#include "obs/metric.h"
#include "rt/loop.h"
#include "store/cache.h"
#include "store/pg_pool.h"
#include "store/schema.h"

typedef const Schema *SchemaFn(void);
enum { SCHEMAS_MOST = 16 };
static SchemaFn *schemas[SCHEMAS_MOST] = { store_own_schema };
static size_t schema_count = 1;

void store_commands_know(SchemaFn *schema)
{
	if (schema && schema_count < SCHEMAS_MOST)
		schemas[schema_count++] = schema;
}

typedef struct DbArgs {
	Str url, file;
	bool dry_run;
} DbArgs;

typedef struct Job {
	Cmd *cmd;
	const DbArgs *args;
	Err *(*run)(struct Job *job, Db *db);
	bool create;
} Job;

static Err *main_fiber(void *arg)
{
	Job *job = arg;
	DbConf conf = {
		.url = job->args->url, .name = S("command"), .create = job->create, .connections = 2
	};
	AUTO(db_closep) Db *db = NULL;

	TRY(db_open(job->cmd->arena, &conf, &db));
	return job->run(job, db);
}

static Err *with_db(Cmd *cmd, Err *(*run)(Job *job, Db *db), bool create)
{
	RtConf conf = { .loops = 1, .workers = 1 };
	Job job = { cmd, cmd->args, run, create };

	return rt_run(&conf, main_fiber, &job);
}

static void say(const Cmd *cmd, const Buf *b)
{
	if (b->len)
		fwrite(b->at, 1, b->len, cmd->out);
}

/* --- schemas ----------------------------------------------------------------------------------------------------------- */

static const char *const state_names[] = {
	[STEP_APPLIED] = "applied", [STEP_PENDING] = "pending",        [STEP_CHANGED] = "changed",
	[STEP_NEWER] = "newer",     [STEP_EXPANDS] = "newer, expands",
};

/* What is wrong with a schema, or will be: the worst. */
typedef struct Look {
	size_t pending, wrong, warnings;
} Look;

static void steps_text(Buf *b, const Schema *schema, const StepLine *lines, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buf_fmt(b, "schema %s %04u %.*s: %s", schema->name, lines[i].number,
		        STR_ARG(lines[i].name), state_names[lines[i].state]);
		if (lines[i].applied_us) {
			buf_putc(b, ' ');
			time_put_rfc3339(b, lines[i].applied_us);
		}
		buf_putc(b, '\n');
		for (size_t k = 0; k < lines[i].warning_count; k++)
			buf_fmt(b, "  %.*s\n", STR_ARG(lines[i].warnings[k]));
	}
}

static void steps_json(JsonWriter *w, const Schema *schema, const StepLine *lines, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		json_begin_object(w);
		json_put_str(w, "schema", str_of(schema->name));
		json_put_u64(w, "number", lines[i].number);
		json_put_str(w, "name", lines[i].name);
		json_put_str(w, "state", str_of(state_names[lines[i].state]));
		if (lines[i].applied_us) {
			json_key(w, S("applied_at"));
			json_add_time(w, lines[i].applied_us);
		}
		json_key(w, S("warnings"));
		json_begin_array(w);
		for (size_t k = 0; k < lines[i].warning_count; k++)
			json_add_str(w, lines[i].warnings[k]);
		json_end(w);
		json_end(w);
	}
}

/* Is a step of it there? The store's own belong to every database. */
static Err *is_there(Cmd *cmd, Db *db, size_t i, bool *there)
{
	StepLine *lines;
	size_t count;

	*there = i == 0;
	TRY(schema_look(db, cmd->arena, schemas[i](), &lines, &count));
	for (size_t k = 0; k < count; k++)
		*there = *there || lines[k].state != STEP_PENDING;
	return NULL;
}

/* All schemas, as text in `b` or into `w`. */
static Err *look(Cmd *cmd, Db *db, Buf *b, JsonWriter *w, Look *out)
{
	for (size_t i = 0; i < schema_count; i++) {
		const Schema *schema = schemas[i]();
		StepLine *lines;
		size_t count;
		bool there;

		TRY(is_there(cmd, db, i, &there));
		if (!there)
			continue;
		TRY(schema_look(db, cmd->arena, schema, &lines, &count));
		for (size_t k = 0; k < count; k++) {
			out->pending += lines[k].state == STEP_PENDING;
			out->wrong +=
				lines[k].state == STEP_CHANGED || lines[k].state == STEP_NEWER;
			out->warnings += lines[k].warning_count;
		}
		if (cmd->json)
			steps_json(w, schema, lines, count);
		else
			steps_text(b, schema, lines, count);
	}
	return NULL;
}

static Err *verdict(Arena *a, const Look *seen)
{
	if (seen->wrong)
		return err_new(
			a, ERR_CONFLICT, "db.schema",
			"%zu steps are not what this program knows: was a newer release here?",
			seen->wrong);
	if (seen->warnings)
		return err_new(a, ERR_VERDICT, "db.hazards",
		               "%zu things would hold up others while migrating", seen->warnings);
	if (seen->pending)
		return err_new(a, ERR_PRECONDITION, "db.schema_behind",
		               "%zu steps are pending: banyan db migrate", seen->pending);
	return NULL;
}

/* --- status and check -------------------------------------------------------------------------------------------------- */

static void status_text(Buf *b, const DbStatus *status)
{
	buf_fmt(b, "%.*s, %.*s%s\n", STR_ARG(status->where), STR_ARG(status->version),
	        status->read_only ? ", read-only" : "");
	buf_fmt(b, "size %" PRIu64 " bytes, log %" PRIu64 " bytes\n", status->bytes,
	        status->log_bytes);
}

static void status_json(JsonWriter *w, const DbStatus *status)
{
	json_put_str(w, "where", status->where);
	json_put_str(w, "version", status->version);
	json_put_u64(w, "bytes", status->bytes);
	json_put_u64(w, "log_bytes", status->log_bytes);
	json_put_bool(w, "read_only", status->read_only);
}

static Err *tell(Cmd *cmd, Db *db, Look *seen)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	DbStatus status;
	Err *err;

	TRY(db_status(db, cmd->arena, &status));
	if (cmd->json) {
		json_begin_object(&w);
		status_json(&w, &status);
		json_key(&w, S("steps"));
		json_begin_array(&w);
	} else {
		status_text(&b, &status);
	}
	err = look(cmd, db, &b, &w, seen);
	if (cmd->json) {
		json_end(&w);
		json_end(&w);
		buf_putc(&b, '\n');
	}
	if (!err)
		say(cmd, &b);
	return err;
}

static Err *run_status(Job *job, Db *db)
{
	Look seen = { 0 };

	return tell(job->cmd, db, &seen);
}

static Err *run_check(Job *job, Db *db)
{
	Look seen = { 0 };

	TRY(db_check(db, job->cmd->arena));
	TRY(tell(job->cmd, db, &seen));
	return verdict(job->cmd->arena, &seen);
}

static Err *db_status_cmd(Cmd *cmd)
{
	return with_db(cmd, run_status, false);
}

static Err *db_check_cmd(Cmd *cmd)
{
	return with_db(cmd, run_check, false);
}

/* --- migrate ----------------------------------------------------------------------------------------------------------- */

static Err *run_dry(Job *job, Db *db)
{
	Look seen = { 0 };
	Err *err;

	TRY(tell(job->cmd, db, &seen));
	err = verdict(job->cmd->arena, &seen);
	return err && err_is(err, "db.schema_behind") ? NULL : err;
}

static Err *run_migrate(Job *job, Db *db)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);

	if (job->cmd->json)
		json_begin_object(&w);
	for (size_t i = 0; i < schema_count; i++) {
		const Schema *schema = schemas[i]();
		uint32_t applied;
		bool there;

		TRY(is_there(job->cmd, db, i, &there));
		if (!there)
			continue;
		TRY(schema_apply(db, job->cmd->arena, schema, &applied));
		if (job->cmd->json)
			json_put_u64(&w, schema->name, applied);
		else
			buf_fmt(&b, "schema %s: %u applied, at step %zu\n", schema->name, applied,
			        schema->count);
	}
	if (job->cmd->json) {
		json_end(&w);
		buf_putc(&b, '\n');
	}
	say(job->cmd, &b);
	return NULL;
}

static Err *db_migrate_cmd(Cmd *cmd)
{
	const DbArgs *args = cmd->args;

	return with_db(cmd, args->dry_run ? run_dry : run_migrate, !args->dry_run);
}

/* --- copies ------------------------------------------------------------------------------------------------------------ */

static Err *run_backup(Job *job, Db *db)
{
	TRY(db_backup(db, job->cmd->arena, job->args->file));
	if (job->cmd->json)
		fprintf(job->cmd->out, "{\"ok\":true}\n");
	else
		fprintf(job->cmd->out, "%.*s is a whole copy\n", STR_ARG(job->args->file));
	return NULL;
}

static Err *db_backup_cmd(Cmd *cmd)
{
	return with_db(cmd, run_backup, false);
}

static Err *restore_fiber(void *arg)
{
	AUTO(buf_fini) Buf b = { 0 };
	Cmd *cmd = arg;
	const DbArgs *args = cmd->args;
	JsonWriter w = json_writer(&b);
	Str kept;

	TRY(db_restore(cmd->arena, args->url, args->file, &kept));
	if (cmd->json) {
		json_begin_object(&w);
		json_put_str(&w, "kept", kept);
		json_end(&w);
	} else if (kept.len) {
		buf_fmt(&b, "restored; what was there before is %.*s", STR_ARG(kept));
	} else {
		buf_fmt(&b, "restored");
	}
	buf_putc(&b, '\n');
	say(cmd, &b);
	return NULL;
}

static Err *db_restore_cmd(Cmd *cmd)
{
	RtConf conf = { .loops = 1, .workers = 1 };

	return rt_run(&conf, restore_fiber, cmd);
}

/* --- rows -------------------------------------------------------------------------------------------------------------- */

#define URL_ROW \
	{ \
		"URL", CONF_STR, AT(DbArgs, url), \
			.required = true, \
			.help = "the database: sqlite:PATH, postgresql://USER@HOST/NAME" \
	}

static const ConfKey url_operand[] = { URL_ROW };

static const ConfKey copy_operands[] = {
	URL_ROW,
	{ "FILE", CONF_STR, AT(DbArgs, file), .required = true, .help = "the copy" },
};

static const ConfKey migrate_options[] = {
	{ "dry-run", CONF_BOOL, AT(DbArgs, dry_run),
	  .help = "say what would be done, and do nothing" },
};

static const Command commands[] = {
	{ "db status", .group = "services",
	  .summary = "what a database is, and the steps of its schemas", .run = db_status_cmd,
	  .json = true, COMMAND_OPERANDS(url_operand), .size = sizeof(DbArgs),
	  .examples = "banyan db status sqlite:data/user.db" },
	{ "db migrate", .group = "services", .summary = "bring a database to the newest schema",
	  .run = db_migrate_cmd, .json = true, COMMAND_OPERANDS(url_operand),
	  COMMAND_OPTIONS(migrate_options), .size = sizeof(DbArgs),
	  .help = "Applies the steps that are missing, each in a transaction of its own; forward only. Safe while "
	          "others run it too: one does it. A SQLite file that is not there is made. A schema newer than this "
	          "program is refused.",
	  .examples =
	          "banyan db migrate --dry-run sqlite:data/user.db\nbanyan db migrate sqlite:data/user.db" },
	{ "db check", .group = "services",
	  .summary = "look whether a database is whole and its schema in order",
	  .run = db_check_cmd, .json = true, COMMAND_OPERANDS(url_operand), .size = sizeof(DbArgs),
	  .help = "Reads all of a SQLite database. Names the steps that are pending, changed or newer, and on "
	          "PostgreSQL what a pending one would lock.",
	  .examples = "banyan db check postgresql://user@db.internal/user" },
	{ "db backup", .group = "services", .summary = "copy a SQLite database while it is in use",
	  .run = db_backup_cmd, .json = true, COMMAND_OPERANDS(copy_operands),
	  .size = sizeof(DbArgs),
	  .help = "The copy is of one moment, one file, checked, and appears under its name when it is whole. A file "
	          "that is there already is never overwritten.",
	  .examples = "banyan db backup sqlite:data/user.db /backup/user-$(date +%F).db" },
	{ "db restore", .group = "services",
	  .summary = "put a copy in the place of a SQLite database", .run = db_restore_cmd,
	  .json = true, COMMAND_OPERANDS(copy_operands), .size = sizeof(DbArgs),
	  .help = "The copy is checked first. Refused while anyone has the database open. What was there before is kept "
	          "beside it.",
	  .examples = "banyan db restore sqlite:data/user.db /backup/user-2026-01-31.db" },
};

const Command *store_commands(size_t *count)
{
	*count = COUNT(commands);
	return commands;
}

void store_put_metrics(Buf *out)
{
	static const struct {
		Str title;
		const MetricFamily *(*rows)(size_t *count);
	} parts[] = {
		{ S(""), db_metrics },
		{ S("\nOf PostgreSQL:\n\n"), pg_metrics },
		{ S("\nOf caches:\n\n"), cache_metrics },
		{ S("\nOf Redis:\n\n"), redis_metrics },
	};

	for (size_t i = 0; i < COUNT(parts); i++) {
		size_t count;
		const MetricFamily *rows = parts[i].rows(&count);

		buf_put(out, parts[i].title);
		metrics_put_markdown(out, rows, count);
	}
}

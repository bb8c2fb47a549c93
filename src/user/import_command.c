/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan user import`, `banyan user export`, `banyan user breached`.
 *
 * An import says at its end how many rows there were, what became of them and how many passwords each format has; rows that failed,
 * and those of which something was left out, are named with their line as they come (the first hundred; all of them in --results).
 * Rows that failed make the exit code 2, after all the others were taken. Files are read on the loop: nothing else runs on it. */
#include "user/import_command.h"

#include "auth/breached.h"
#include "base/arena.h"
#include "base/json.h"
#include "user/import.h"
#include "user/user_command.h"

#include <errno.h>
#include <string.h>

enum { NAMED = 100 };

typedef struct ImportArgs {
	UserArgs where;
	ImportConf conf;
	Str file, results;
	uint32_t shape;
	uint64_t from;
	bool look;
} ImportArgs;

typedef struct ImportTask {
	Cmd *cmd;
	const ImportArgs *args;
	FILE *in, *results;
	uint64_t named;
	ImportCounts counts;
} ImportTask;

static void closep(FILE **file)
{
	if (*file && *file != stdin && *file != stdout)
		fclose(*file);
}

/* Of "-" the one that is there. */
static Err *open_file(Cmd *cmd, Str path, const char *mode, FILE *standard, FILE **out)
{
	if (str_eq(path, S("-")) || !path.len) {
		*out = standard;
		return NULL;
	}
	*out = fopen(str_z(cmd->arena, path), mode);
	return *out ? NULL
	            : err_errno(cmd->arena, errno, "base.file", "%.*s could not be opened",
	                        STR_ARG(path));
}

static Err *pull(void *arg, Arena *a, char *into, size_t room, size_t *got)
{
	ImportTask *task = arg;

	*got = fread(into, 1, room, task->in);
	if (!*got && ferror(task->in))
		return err_errno(a, errno, "base.file", "the rows could not be read");
	return NULL;
}

/* --- telling -------------------------------------------------------------------------------------------------------- */

static void tell(void *arg, const ImportResult *r)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(buf_fini) Buf b = { 0 };
	ImportTask *task = arg;
	bool worth = r->outcome == IMPORT_FAILED || (r->outcome == IMPORT_NEW && r->text.len);

	if (task->results) {
		JsonWriter w = json_writer(&b);

		import_put_result(&w, a, r);
		buf_putc(&b, '\n');
		fwrite(b.at, 1, b.len, task->results);
	}
	if (!worth || task->cmd->json || task->named++ >= NAMED)
		return;
	fprintf(task->cmd->out, "line %" PRIu64 "%s%.*s: %s%s%.*s\n", r->line,
	        r->key.len ? ", " : "", STR_ARG(r->key), r->slug ? r->slug : "",
	        r->slug ? ": " : "", STR_ARG(r->text));
}

static void put_formats(const ImportTask *task, Buf *b)
{
	for (unsigned i = 0; i < PASSWORD_FORMAT_COUNT; i++)
		if (task->counts.formats[i])
			buf_fmt(b, "  %-22s %10" PRIu64 "  %s\n", password_format_name(i),
			        task->counts.formats[i], password_format_help(i));
}

static void put_summary(const ImportTask *task, const ImportReader *reader, Buf *b)
{
	const ImportCounts *c = &task->counts;
	size_t ignored;
	const ImportIgnored *fields = import_reader_ignored(reader, &ignored);

	if (task->named > NAMED)
		buf_fmt(b, "... and %" PRIu64 " more; --results FILE has them all\n",
		        task->named - NAMED);
	buf_fmt(b,
	        "%" PRIu64 " rows: %" PRIu64 " %s, %" PRIu64 " there already, %" PRIu64
	        " changed, %" PRIu64 " not users, %" PRIu64 " failed\n",
	        c->rows, c->outcomes[IMPORT_NEW],
	        task->args->conf.dry_run || task->args->look ? "would be imported" : "imported",
	        c->outcomes[IMPORT_SAME], c->outcomes[IMPORT_CHANGED], c->outcomes[IMPORT_OTHER],
	        c->outcomes[IMPORT_FAILED]);
	if (c->left_out)
		buf_fmt(b, "%" PRIu64 " of them without something that they had\n", c->left_out);
	if (c->totps)
		buf_fmt(b, "%" PRIu64 " with a second factor\n", c->totps);
	buf_put(b, S("passwords:\n"));
	put_formats(task, b);
	if (c->weak)
		buf_fmt(b, "%" PRIu64 " of them weak%s\n", c->weak,
		        task->args->conf.wrap ? ", wrapped in argon2id"
		                              : ": --wrap puts argon2id over them");
	for (size_t i = 0; i < ignored; i++)
		buf_fmt(b, "not taken: the field %.*s of %" PRIu64 " rows\n",
		        STR_ARG(fields[i].name), fields[i].rows);
}

static void put_summary_json(const ImportTask *task, const ImportReader *reader, Buf *b)
{
	JsonWriter w = json_writer(b);
	size_t ignored;
	const ImportIgnored *fields = import_reader_ignored(reader, &ignored);

	json_begin_object(&w);
	json_put_bool(&w, "dry_run", task->args->conf.dry_run);
	import_put_counts(&w, &task->counts);
	json_key(&w, S("ignored"));
	json_begin_object(&w);
	for (size_t i = 0; i < ignored; i++) {
		json_key(&w, fields[i].name);
		json_add_u64(&w, fields[i].rows);
	}
	json_end(&w);
	json_end(&w);
	buf_putc(b, '\n');
}

/* --- import --------------------------------------------------------------------------------------------------------- */

static Err *import_task(Cmd *cmd, Accounts *accounts, void *arg)
{
	AUTO(buf_fini) Buf b = { 0 };
	ImportTask *task = arg;
	ImportConf conf = task->args->conf;
	ImportReader *reader;
	Err *err;

	conf.shape = (ImportShape)task->args->shape;
	conf.from = task->args->from;
	conf.dry_run |= task->args->look;
	reader = import_reader_new(cmd->arena, &conf, pull, task);
	err = import_run(accounts, cmd->arena, &conf, reader, user_command_asker(), tell, task,
	                 &task->counts);
	if (cmd->json)
		put_summary_json(task, reader, &b);
	else
		put_summary(task, reader, &b);
	fwrite(b.at, 1, b.len, cmd->out);
	fflush(cmd->out);
	TRY(err);
	if (!task->counts.outcomes[IMPORT_FAILED])
		return NULL;
	return err_new(cmd->arena, ERR_INVALID, "user.import_failed",
	               "%" PRIu64 " of %" PRIu64 " rows were not imported",
	               task->counts.outcomes[IMPORT_FAILED], task->counts.rows);
}

static Err *user_import(Cmd *cmd)
{
	const ImportArgs *args = cmd->args;
	AUTO(closep) FILE *in = NULL;
	AUTO(closep) FILE *results = NULL;
	ImportTask task = { .cmd = cmd, .args = args };

	TRY(open_file(cmd, args->file, "re", stdin, &in));
	if (args->results.len)
		TRY(open_file(cmd, args->results, "we", stdout, &results));
	task.in = in;
	task.results = results;
	if (args->look)
		return import_task(cmd, NULL, &task);
	return user_command_run(cmd, &args->where, import_task, &task);
}

/* --- export --------------------------------------------------------------------------------------------------------- */

typedef struct ExportArgs {
	UserArgs where;
	Str output;
} ExportArgs;

static Err *put_lines(void *arg, Str lines)
{
	static Err refused = ERR_STATIC(IO, "base.file", "the rows could not be written");

	return fwrite(lines.at, 1, lines.len, arg) == lines.len ? NULL : &refused;
}

static Err *export_task(Cmd *cmd, Accounts *accounts, void *arg)
{
	FILE *out = arg;
	uint64_t rows;

	TRY(export_run(accounts, cmd->arena, put_lines, out, &rows));
	if (fflush(out) != 0)
		return err_errno(cmd->arena, errno, "base.file", "the rows could not be written");
	fprintf(stderr, "%" PRIu64 " users exported\n", rows);
	return NULL;
}

static Err *user_export(Cmd *cmd)
{
	const ExportArgs *args = cmd->args;
	AUTO(closep) FILE *out = NULL;

	TRY(open_file(cmd, args->output, "we", cmd->out, &out));
	if (out == cmd->out)
		return user_command_run(cmd, &args->where, export_task, TAKE(out));
	return user_command_run(cmd, &args->where, export_task, out);
}

/* --- breached ------------------------------------------------------------------------------------------------------- */

typedef struct BreachedArgs {
	Str file, output;
	uint64_t seen;
} BreachedArgs;

static Err *user_breached(Cmd *cmd)
{
	const BreachedArgs *args = cmd->args;
	AUTO(closep) FILE *in = NULL;
	BreachedBuilt built;

	TRY(open_file(cmd, args->file, "re", stdin, &in));
	TRY(breached_build(cmd->arena, in, args->seen, args->output, &built));
	fprintf(cmd->out, "%" PRIu64 " lines, %" PRIu64 " passwords, %" PRIu64 " passed over\n",
	        built.lines, built.entries, built.skipped);
	return NULL;
}

/* --- rows ----------------------------------------------------------------------------------------------------------- */

static const ConfWord shapes[] = {
	{ "guess", IMPORT_GUESS, "by its first bytes" },
	{ "ndjson", IMPORT_NDJSON, "a JSON object a line" },
	{ "csv", IMPORT_CSV, "the first line names the columns" },
	{ "django", IMPORT_DJANGO, "what manage.py dumpdata writes, as json or jsonl" },
	{ 0 },
};

static const ConfKey import_options[] = {
	USER_WHERE_ROWS(ImportArgs),
	{ "source", CONF_STR, AT(ImportArgs, conf.source), .value = "NAME",
	  .help = "where the rows come from; its id 42 becomes the external id NAME:42" },
	{ "format", CONF_ENUM, AT(ImportArgs, shape), .names = shapes, .def = "guess",
	  .help = "of the file" },
	{ "model", CONF_STR, AT(ImportArgs, conf.model), .value = "APP.MODEL", .def = "auth.user",
	  .help = "the model of a dump that holds the users" },
	{ "dry-run", CONF_BOOL, AT(ImportArgs, conf.dry_run), .letter = 'n',
	  .help = "say what would be done, and keep nothing" },
	{ "look", CONF_BOOL, AT(ImportArgs, look),
	  .help = "look at the file alone: no accounts are opened" },
	{ "wrap", CONF_BOOL, AT(ImportArgs, conf.wrap),
	  .help = "put argon2id over passwords of weak formats" },
	{ "no-password", CONF_BOOL, AT(ImportArgs, conf.no_password),
	  .help = "a password of unknown format is left out; its row would fail else" },
	{ "no-email", CONF_BOOL, AT(ImportArgs, conf.no_email),
	  .help = "an address that is none, or another account's, is left out; its row would fail else" },
	{ "refresh", CONF_BOOL, AT(ImportArgs, conf.refresh),
	  .help = "accounts that are there get the password and the status that their system has now" },
	{ "verified", CONF_BOOL, AT(ImportArgs, conf.verified),
	  .help = "the other system has verified its addresses, unless a row says otherwise" },
	{ "from", CONF_UINT, AT(ImportArgs, from), .value = "LINE",
	  .help = "pass over rows that begin before this line" },
	{ "results", CONF_PATH, AT(ImportArgs, results), .value = "FILE",
	  .help = "a JSON line for every row" },
};
static const ConfKey import_operands[] = {
	{ "FILE", CONF_PATH, AT(ImportArgs, file), .required = true,
	  .help = "the rows; - for standard input" },
};
static const ConfKey export_options[] = {
	USER_WHERE_ROWS(ExportArgs),
	{ "output", CONF_PATH, AT(ExportArgs, output), .letter = 'o', .value = "FILE",
	  .help = "where to; else standard output" },
};
static const ConfKey breached_options[] = {
	{ "seen", CONF_UINT, AT(BreachedArgs, seen), .value = "COUNT",
	  .help = "leave out what was seen less often (HASH:COUNT)" },
	{ "output", CONF_PATH, AT(BreachedArgs, output), .letter = 'o', .value = "FILE",
	  .required = true, .help = "the list; made anew" },
};
static const ConfKey breached_operands[] = {
	{ "FILE", CONF_PATH, AT(BreachedArgs, file), .required = true,
	  .help = "passwords, or SHA-1 with :COUNT, one a line; - for standard input" },
};

const Command *user_import_commands(size_t *count)
{
	static const Command rows[] = {
		{ "user import", .group = "services",
		  .summary = "take in the users of another system", .run = user_import,
		  .json = true,
		  .help = "JSON lines, CSV or a Django dump. Passwords stay as they are: nobody has to set a new one.\n\n"
		          "What is there already is left as it is: the same file again changes nothing, and goes on where it was cut.",
		  .examples = "banyan user import --look users.json\n"
		              "banyan user import --source shop --dry-run users.json\n"
		              "manage.py dumpdata auth.user | banyan user import --source shop -",
		  COMMAND_OPTIONS(import_options), COMMAND_OPERANDS(import_operands),
		  .size = sizeof(ImportArgs) },
		{ "user export", .group = "services",
		  .summary = "write all users as user import takes them", .run = user_export,
		  .help = "A JSON line each, with password as it is stored and secrets of authenticators in the clear: keep the file "
		          "as you keep the database.",
		  COMMAND_OPTIONS(export_options), .size = sizeof(ExportArgs) },
		{ "user breached", .group = "services",
		  .summary = "build a list of passwords that are known from breaches",
		  .run = user_breached, COMMAND_OPTIONS(breached_options),
		  COMMAND_OPERANDS(breached_operands), .size = sizeof(BreachedArgs) },
	};

	*count = COUNT(rows);
	return rows;
}

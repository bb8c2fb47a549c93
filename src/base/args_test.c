/* SPDX-License-Identifier: Apache-2.0 */
#include "base/args.c"

#include "unit.h"

#include <stdlib.h>

typedef struct CheckArgs {
	Str file, name;
	bool quiet, verbose;
	uint16_t count;
	int64_t wait_us;
	uint8_t colour;
	CONF_LIST_OF(Str) only;
	CONF_LIST_OF(Str) rest;
} CheckArgs;

static const ConfWord colours[] = { { "red", 1, "red" }, { "green", 2, "green" }, { 0 } };

static const ConfKey check_options[] = {
	{ "quiet", CONF_BOOL, AT(CheckArgs, quiet), .letter = 'q', .help = "say nothing" },
	{ "verbose", CONF_BOOL, AT(CheckArgs, verbose), .letter = 'v', .help = "say more" },
	{ "count", CONF_UINT, AT(CheckArgs, count), .letter = 'c', .def = "3", .min = "1",
	  .help = "how many" },
	{ "wait", CONF_DURATION, AT(CheckArgs, wait_us), .def = "5s", .help = "how long" },
	{ "colour", CONF_ENUM, AT(CheckArgs, colour), .names = colours, .def = "red",
	  .help = "which" },
	{ "only", CONF_STR, AT_LIST(CheckArgs, only), .def = "all", .value = "NAME",
	  .help = "which parts" },
};
static const ConfKey check_operands[] = {
	{ "FILE", CONF_STR, AT(CheckArgs, file), .required = true, .help = "what to check" },
	{ "REST", CONF_STR, AT_LIST(CheckArgs, rest), .help = "more of them" },
};
static const ConfKey name_options[] = {
	{ "name", CONF_STR, AT(CheckArgs, name), .required = true, .help = "whose" },
};

static CommandRun run_check, run_fail, run_status;

/* One line of everything it was given. */
static Err *run_check(Cmd *cmd)
{
	const CheckArgs *args = cmd->args;

	fprintf(cmd->out, "file=%.*s q=%d v=%d c=%u w=%" PRId64 " colour=%u json=%d only=",
	        STR_ARG(args->file), args->quiet, args->verbose, args->count, args->wait_us,
	        args->colour, cmd->json);
	for (size_t i = 0; i < args->only.count; i++)
		fprintf(cmd->out, "%.*s,", STR_ARG(args->only.at[i]));
	fprintf(cmd->out, " rest=");
	for (size_t i = 0; i < args->rest.count; i++)
		fprintf(cmd->out, "%.*s,", STR_ARG(args->rest.at[i]));
	return NULL;
}

static Err *run_fail(Cmd *cmd)
{
	Err *why = err_new(cmd->arena, ERR_IO, "x.y", "no disk");

	return err_because(cmd->arena, why, ERR_CONFLICT, "x.z", "not done");
}

static Err *run_status(Cmd *cmd)
{
	fprintf(cmd->out, "%s", cmd->command->name);
	return NULL;
}

static const Command commands[] = {
	{ "check", .group = "1", .summary = "look at a file", .help = "It looks.\n\nTwice.",
	  .examples = "banyan check a.yaml", COMMAND_OPTIONS(check_options),
	  COMMAND_OPERANDS(check_operands), .size = sizeof(CheckArgs), .run = run_check,
	  .json = true },
	{ "fail", .group = "1", .summary = "always fails", .run = run_fail },
};
static const Command more_commands[] = {
	{ "db status", .group = "2", .summary = "how it is", .run = run_status },
	{ "db backup", .group = "2", .summary = "copy it", COMMAND_OPTIONS(name_options),
	  .size = sizeof(CheckArgs), .run = run_status },
	{ "version", .summary = "which one", .run = run_status },
	{ "secret thing", .summary = "hidden", .run = run_status, .hidden = true },
};
static const CommandGroup groups[] = {
	{ "1", "1 Look", "looking", NULL },
	{ "2", "2 Store", "storing", NULL },
	{ "3", "3 Fly", "flying", "banyan fly" },
};
static const CommandSet sets[] = { { commands, COUNT(commands) },
	                           { NULL, 0 },
	                           { more_commands, COUNT(more_commands) } };
static const Program program = { "banyan", "A tree.",   groups, COUNT(groups),
	                         sets,     COUNT(sets), NULL,   0 };

static Str out, err_out;

/* The command line, split at blanks; "out" and "err_out" are what it printed. */
static int call(Arena *a, const char *line)
{
	char *words = (char *)(uintptr_t)str_z(a, str_of(line));
	char *argv[32] = { (char[]){ "banyan" } };
	char *texts[2] = { 0 };
	size_t lens[2];
	FILE *files[2] = { open_memstream(&texts[0], &lens[0]),
		           open_memstream(&texts[1], &lens[1]) };
	int argc = 1;
	int code;

	for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	code = args_main(&program, argc, argv, files[0], files[1]);
	for (int i = 0; i < 2; i++)
		fclose(files[i]);
	out = str_dup(a, (Str){ texts[0], lens[0] });
	err_out = str_dup(a, (Str){ texts[1], lens[1] });
	free(texts[0]);
	free(texts[1]);
	return code;
}

TEST(args_table_is_sound)
{
	CHECK_OK(args_check(a, &program));
}

TEST(args_fill_the_struct)
{
#define DEFAULTS "q=0 v=0 c=3 w=5000000 colour=1 json=0 only=all, rest="
	static const struct {
		const char *line, *want;
	} cases[] = {
		{ "check f", "file=f " DEFAULTS },
		{ "check f g h", "file=f " DEFAULTS "g,h," },
		{ "check -- -q --json", "file=-q " DEFAULTS "--json," },
		{ "check -", "file=- " DEFAULTS },
		{ "check -qv f", "file=f q=1 v=1 c=3 w=5000000 colour=1 json=0 only=all, rest=" },
		{ "check f --quiet --verbose=no",
		  "file=f q=1 v=0 c=3 w=5000000 colour=1 json=0 only=all, rest=" },
		{ "check -c 7 f", "file=f q=0 v=0 c=7 w=5000000 colour=1 json=0 only=all, rest=" },
		{ "check -qc7 f", "file=f q=1 v=0 c=7 w=5000000 colour=1 json=0 only=all, rest=" },
		{ "check --count=9 --wait 250ms f --colour=green",
		  "file=f q=0 v=0 c=9 w=250000 colour=2 json=0 only=all, rest=" },
		{ "check --only a --only b f",
		  "file=f q=0 v=0 c=3 w=5000000 colour=1 json=0 only=a,b, rest=" },
		{ "check --only= f", "file=f q=0 v=0 c=3 w=5000000 colour=1 json=0 only=, rest=" },
		{ "check --json --log-level debug f",
		  "file=f q=0 v=0 c=3 w=5000000 colour=1 json=1 only=all, rest=" },
		{ "db status", "db status" },
		{ "db backup --name x", "db backup" },
		{ "--version", "version" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%s", cases[i].line);
		CHECK_INT(call(a, cases[i].line), 0);
		CHECK_STR(out, str_of(cases[i].want));
		CHECK_STR(err_out, S(""));
	}
}

TEST(args_wrong_use_is_explained)
{
	static const struct {
		const char *line;
		int code;
		const char *want;
	} cases[] = {
		{ "chekc f", 2,
		  "banyan: there is no command \"chekc\": did you mean check?\nTry: banyan --help\n" },
		{ "nonsense", 2, "banyan: there is no command \"nonsense\"\nTry: banyan --help\n" },
		{ "secret", 2, "banyan: there is no command \"secret\"\nTry: banyan --help\n" },
		{ "dbb status", 2,
		  "banyan: there is no command \"dbb\": did you mean db?\nTry: banyan --help\n" },
		{ "--json check", 2,
		  "banyan: options come after the command\nTry: banyan --help\n" },
		{ "check", 2,
		  "banyan check: FILE is missing: what to check\nTry: banyan check --help\n" },
		{ "check f --quite", 2,
		  "banyan check: there is no option \"--quite\": did you mean --quiet?\nTry: banyan check --help\n" },
		{ "check f -x", 2,
		  "banyan check: there is no option \"-x\"\nTry: banyan check --help\n" },
		{ "check f --count", 2,
		  "banyan check: --count needs a value (number)\nTry: banyan check --help\n" },
		{ "check f --count x", 2,
		  "banyan check: --count: \"x\" is not a whole number\nTry: banyan check --help\n" },
		{ "check f --count 0", 2,
		  "banyan check: --count: must be at least 1\nTry: banyan check --help\n" },
		{ "check f --wait 5", 2,
		  "banyan check: --wait: \"5\" has no unit: us, ms, s, m, h or d\nTry: banyan check --help\n" },
		{ "fail x", 2,
		  "banyan fail: \"x\" is one word too many\nTry: banyan fail --help\n" },
		{ "fail --json", 2,
		  "banyan fail: there is no option \"--json\"\nTry: banyan fail --help\n" },
		{ "fail", 7, "banyan fail: not done: no disk\n" },
		{ "db backup", 2,
		  "banyan db backup: --name is missing: whose\nTry: banyan db backup --help\n" },
		{ "db", 2,
		  "Usage: banyan db VERB [options]\n\n  db status     how it is\n  db backup     copy it\n" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%s", cases[i].line);
		CHECK_INT(call(a, cases[i].line), cases[i].code);
		CHECK_STR(err_out, str_of(cases[i].want));
		CHECK_STR(out, S(""));
	}
}

TEST(args_help_is_written_from_the_rows)
{
	static const char want[] =
		"banyan check: look at a file\n\n"
		"Usage: banyan check [options] FILE [REST...]\n\n"
		"It looks.\n\nTwice.\n\n"
		"  FILE                      what to check (required)\n"
		"  REST                      more of them (may be repeated)\n\n"
		"Options:\n"
		"  -q, --quiet               say nothing\n"
		"  -v, --verbose             say more\n"
		"  -c, --count N             how many (default 3)\n"
		"      --wait TIME           how long (default 5s)\n"
		"      --colour WORD         which (one of red, green; default red)\n"
		"      --only NAME           which parts (default all; may be repeated)\n"
		"  -h, --help                say what this command does\n"
		"      --json                answer with one JSON value, for programs\n"
		"      --log-level LEVEL     what is logged (one of debug, info, warn, error, none; default\n"
		"                            info)\n"
		"      --log-format FORMAT   how it is logged (one of auto, text, json; default auto)\n\n"
		"Examples:\n  banyan check a.yaml\n";

	CHECK_INT(call(a, "check --help"), 0);
	CHECK_STR(out, str_of(want));
	CHECK_INT(call(a, "help check"), 0);
	CHECK_STR(out, str_of(want));
	CHECK_INT(call(a, "check --count 5 -h"), 0);
	CHECK_STR(out, str_of(want));
	CHECK_INT(call(a, "help db backup"), 0);
	CHECK(str_starts(out, S("banyan db backup: copy it\n")));
	CHECK_INT(call(a, "help db"), 0);
	CHECK(str_starts(out, S("Usage: banyan db VERB")));
	CHECK_INT(call(a, "db --help"), 0);
	CHECK(str_starts(out, S("Usage: banyan db VERB")));
	CHECK_INT(call(a, "help chekc"), 2);
	CHECK(str_starts(err_out, S("banyan: there is no command \"chekc\": did you mean check?")));
}

TEST(args_overview_tells_the_groups)
{
	static const char want[] = "A tree.\n\nUsage: banyan COMMAND [options]\n\n"
				   "1 Look          looking\n"
				   "  check         look at a file\n"
				   "  fail          always fails\n"
				   "2 Store         storing\n"
				   "  db status     how it is\n"
				   "  db backup     copy it\n"
				   "3 Fly           flying\n"
				   "  coming        banyan fly\n\n"
				   "  version       which one\n\n"
				   "banyan help COMMAND says more about one.\n";
	static const char *const lines[] = { "", "help", "--help", "-h" };
	AUTO(buf_fini) Buf b = { 0 };

	for (size_t i = 0; i < COUNT(lines); i++) {
		CHECK_INT(call(a, lines[i]), 0);
		CHECK_STR(out, str_of(want));
	}
	args_put_overview(&b, &program, true);
	CHECK(str_find(buf_str(&b),
	               S("\x1b[2m3 Fly           flying\n  coming        banyan fly\n\x1b[0m")) >
	      0);
}

TEST(args_reference_has_every_command)
{
	AUTO(buf_fini) Buf b = { 0 };

	args_put_markdown(&b, &program);
	CHECK(str_find(buf_str(&b), S("### banyan check\n\nLook at a file.\n")) > 0);
	CHECK(str_find(buf_str(&b), S("| `-c, --count N` | How many (default 3) |\n")) > 0);
	CHECK(str_find(buf_str(&b), S("### banyan version")) > 0);
	CHECK_INT(str_find(buf_str(&b), S("secret")), -1);
	CHECK_INT(str_find(buf_str(&b), S("3 Fly")), -1);
	(void)a;
}

TEST(args_answer_that_cannot_be_written_is_an_error)
{
	char *argv[] = { (char[]){ "banyan" }, (char[]){ "version" }, NULL };
	FILE *full = fopen("/dev/full", "w");

	CHECK_INT(args_main(&program, 2, argv, full, fopen("/dev/null", "w")), 1);
	(void)a;
}

TEST(args_tables_that_are_unsound_are_refused)
{
	static const ConfKey letter[] = { { "hat", CONF_BOOL, AT(CheckArgs, quiet), .letter = 'h',
		                            .help = "x" } };
	static const ConfKey twice[] = {
		{ "a", CONF_BOOL, AT(CheckArgs, quiet), .letter = 'a', .help = "x" },
		{ "b", CONF_BOOL, AT(CheckArgs, verbose), .letter = 'a', .help = "x" }
	};
	static const ConfKey rest[] = { { "A", CONF_STR, AT_LIST(CheckArgs, rest), .help = "x" },
		                        { "B", CONF_STR, AT(CheckArgs, file), .help = "x" } };
	static const ConfKey json[] = { { "json", CONF_BOOL, AT(CheckArgs, quiet), .help = "x" } };
	static const Command bad[] = {
		{ "x", .run = run_status },
		{ "x", .summary = "x" },
		{ "x", .summary = "x", .run = run_status, .group = "9" },
		{ "x", .summary = "x", .run = run_status, COMMAND_OPTIONS(letter),
		  .size = sizeof(CheckArgs) },
		{ "x", .summary = "x", .run = run_status, COMMAND_OPTIONS(twice),
		  .size = sizeof(CheckArgs) },
		{ "x", .summary = "x", .run = run_status, COMMAND_OPTIONS(json),
		  .size = sizeof(CheckArgs) },
		{ "x", .summary = "x", .run = run_status, COMMAND_OPERANDS(rest),
		  .size = sizeof(CheckArgs) },
		{ "x", .summary = "x", .run = run_status, COMMAND_OPTIONS(check_options),
		  .size = 4 },
	};

	for (size_t i = 0; i < COUNT(bad); i++) {
		CommandSet set = { &bad[i], 1 };
		Program p = { "p", "s", groups, COUNT(groups), &set, 1, NULL, 0 };

		NOTE("case %zu", i);
		CHECK_ERR(args_check(a, &p), i == 7 ? "conf.table" : "args.table");
	}
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line: a table of commands, whose options and operands are ConfKey rows (conf.h) that fill a struct.
 * --help, the overview, the manual and "did you mean" are written from the rows.
 *
 *   typedef struct CheckArgs { Str file; bool quiet; } CheckArgs;
 *   static const ConfKey check_options[] = { { "quiet", CONF_BOOL, AT(CheckArgs, quiet), .letter = 'q', .help = "..." } };
 *   static const ConfKey check_operands[] = { { "FILE", CONF_STR, AT(CheckArgs, file), .required = true, .help = "..." } };
 *   { "check", .group = "3", .summary = "check a configuration", .run = check_run, .json = true,
 *     COMMAND_OPTIONS(check_options), COMMAND_OPERANDS(check_operands), .size = sizeof(CheckArgs) },
 *
 * Exit codes: 0, or err_exit() of what run returned (2: wrong use). Every command has --help, --log-level, --log-format;
 * with .json also --json. A bool option takes no value ("--quiet", "--quiet=false"); a CONF_LIST option may be repeated;
 * a CONF_LIST operand comes last and takes the rest. "--" ends the options. */
#pragma once
#include "base/conf.h"

#include <stdio.h>

typedef struct Program Program;
typedef struct Command Command;

/* One run of a command. */
typedef struct Cmd {
	const Program *program;
	const Command *command;
	Arena *arena; /* the run's; no limit */
	void *args;   /* the struct that options and operands fill */
	bool json;    /* --json: the answer on `out` is one JSON value */
	FILE *out;    /* the answer; messages and logs go to stderr */
} Cmd;

/* The error is printed by the caller, "banyan check: sentence: cause", and picks the exit code. */
typedef Err *CommandRun(Cmd *cmd);

struct Command {
	const char *name;     /* "serve", or two words: "db status" */
	const char *group;    /* the key of a CommandGroup; NULL: beside them all */
	const char *summary;  /* one line, no full stop */
	const char *help;     /* paragraphs */
	const char *examples; /* a line each */
	const ConfKey *options;
	size_t option_count;
	const ConfKey *operands; /* named in capitals: "FILE" */
	size_t operand_count;
	size_t size; /* of the struct */
	CommandRun *run;
	bool json;   /* has --json */
	bool hidden; /* not in the overview and the manual */
};
#define COMMAND_OPTIONS(rows) .options = (rows), .option_count = COUNT(rows)
#define COMMAND_OPERANDS(rows) .operands = (rows), .operand_count = COUNT(rows)

/* A part of the overview; shown, dimmed and with `soon`, when it has no command yet. */
typedef struct CommandGroup {
	const char *key;
	const char *title; /* "3 Decompose" */
	const char *purpose;
	const char *soon; /* what will stand here: "banyan plan" */
} CommandGroup;

typedef struct CommandSet {
	const Command *rows;
	size_t count;
} CommandSet;

/* A page of the reference beside the commands' own. */
typedef struct ManualPage {
	const char *file; /* "configuration": configuration.md */
	const char *title;
	const char *about;      /* paragraphs */
	const ConfTable *table; /* rendered, when there is one */
	void (*put)(Buf *b);    /* or what this writes */
} ManualPage;

struct Program {
	const char *name;
	const char *summary;
	const CommandGroup *groups;
	size_t group_count;
	const CommandSet *sets; /* one a feature */
	size_t set_count;
	const ManualPage *pages;
	size_t page_count;
};

/* The whole of main(): finds the command, fills its struct, runs it, prints its error to `err`. Returns the exit code.
 * Without arguments, and for "help" and "--help", it prints the overview; "help X Y" is "X Y --help". */
int args_main(const Program *program, int argc, char **argv, FILE *out, FILE *err);

const Command *args_find(const Program *program, Str name); /* NULL when there is none */
void args_put_overview(Buf *b, const Program *program, bool colour);
void args_put_help(Buf *b, const Program *program, const Command *command);
void args_put_markdown(Buf *b, const Program *program); /* the reference page of all commands */

/* Rows that fit their structs, names that are told apart, help everywhere. Fails with INTERNAL "args.table". */
Err *args_check(Arena *a, const Program *program) MUST_USE;

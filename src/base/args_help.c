/* SPDX-License-Identifier: Apache-2.0
 *
 * What the rows of the commands say about themselves: the overview, --help, the page of the reference. */
#include "base/args_int.h"

#include "base/arena.h"
#include "base/conf_int.h"

#include <string.h>

enum { WIDTH = 90, NAME_COLUMN = 16, OPTION_COLUMN = 28 };

/* What stands for a value: "--log-level LEVEL". */
static const char *value_name(const ConfKey *key)
{
	static const char *const names[] = {
		[CONF_BOOL] = "YES",    [CONF_UINT] = "N",        [CONF_INT] = "N",
		[CONF_REAL] = "X",      [CONF_DURATION] = "TIME", [CONF_BYTES] = "SIZE",
		[CONF_SHARE] = "SHARE", [CONF_STR] = "TEXT",      [CONF_PATH] = "FILE",
		[CONF_ENUM] = "WORD",   [CONF_OBJECT] = "OBJECT", [CONF_NAME] = "NAME",
	};

	return key->value ? key->value : names[key->type];
}

static void put_spaces(Buf *b, size_t from, size_t to)
{
	buf_fmt(b, "%*s", from < to ? (int)(to - from) : 1, "");
}

/* Text from the present column on, broken between words; the lines after the first begin at `column`. */
static void put_wrapped(Buf *b, Str text, size_t column)
{
	size_t at = column;
	Str word;

	while (str_split(&text, ' ', &word)) {
		if (at > column && at + 1 + word.len > WIDTH) {
			buf_fmt(b, "\n%*s", (int)column, "");
			at = column;
		} else if (at > column) {
			buf_putc(b, ' ');
			at++;
		}
		buf_put(b, word);
		at += word.len;
	}
	buf_putc(b, '\n');
}

/* "  name   text", the text at the column or below when the name is longer. */
static void put_entry(Buf *b, Str name, Str text, size_t column)
{
	buf_fmt(b, "  %.*s", STR_ARG(name));
	if (name.len + 3 > column) {
		buf_putc(b, '\n');
		put_spaces(b, 0, column);
	} else {
		put_spaces(b, name.len + 2, column);
	}
	put_wrapped(b, text, column);
}

static bool is_in(const Command *command, const char *group)
{
	if (command->hidden || !command->group || !group)
		return !command->hidden && command->group == group;
	return strcmp(command->group, group) == 0;
}

static size_t put_commands(Buf *b, const Program *program, const char *group)
{
	size_t count = 0;

	for (const Command *command = args_next(program, NULL); command;
	     command = args_next(program, command)) {
		if (!is_in(command, group))
			continue;
		if (b)
			put_entry(b, str_of(command->name), str_of(command->summary), NAME_COLUMN);
		count++;
	}
	return count;
}

static void put_group(Buf *b, const Program *program, const CommandGroup *group, bool colour)
{
	bool exists = put_commands(NULL, program, group->key) > 0;
	size_t len = strlen(group->title);

	buf_put(b, !colour ? S("") : exists ? S("\x1b[1m") : S("\x1b[2m"));
	buf_put(b, str_of(group->title));
	buf_put(b, colour && exists ? S("\x1b[0m") : S(""));
	put_spaces(b, len, NAME_COLUMN);
	buf_put(b, str_of(group->purpose));
	buf_putc(b, '\n');
	if (!exists && group->soon)
		put_entry(b, S("coming"), str_of(group->soon), NAME_COLUMN);
	buf_put(b, colour && !exists ? S("\x1b[0m") : S(""));
	put_commands(b, program, group->key);
}

void args_put_overview(Buf *b, const Program *program, bool colour)
{
	buf_fmt(b, "%s\n\nUsage: %s COMMAND [options]\n\n", program->summary, program->name);
	for (size_t i = 0; i < program->group_count; i++)
		put_group(b, program, &program->groups[i], colour);
	if (put_commands(NULL, program, NULL)) {
		buf_putc(b, '\n');
		put_commands(b, program, NULL);
	}
	buf_fmt(b, "\n%s help COMMAND says more about one.\n", program->name);
}

void args_put_family(Buf *b, const Program *program, Str word)
{
	buf_fmt(b, "Usage: %s %.*s VERB [options]\n\n", program->name, STR_ARG(word));
	for (const Command *command = args_next(program, NULL); command;
	     command = args_next(program, command))
		if (!command->hidden && args_is_under(command, word))
			put_entry(b, str_of(command->name), str_of(command->summary), NAME_COLUMN);
}

Str args_usage(Arena *a, const Program *program, const Command *command)
{
	Str text = str_fmt(a, "%s %s [options]", program->name, command->name);

	for (size_t i = 0; i < command->operand_count; i++) {
		const ConfKey *key = &command->operands[i];
		const char *rest = key->shape == CONF_LIST ? "..." : "";

		text = str_fmt(a, key->required ? "%.*s %s%s" : "%.*s [%s%s]", STR_ARG(text),
		               key->name, rest);
	}
	return text;
}

/* "what it does (one of a, b; default a)" */
static Str explain(Arena *a, const ConfKey *key)
{
	ConfKey bare = *key;
	Str text = str_of(key->help);
	Str notes = { 0 };

	bare.value = NULL;
	if (key->names)
		notes = conf_type_text(a, &bare);
	if (key->required)
		notes = str_fmt(a, "%.*s%srequired", STR_ARG(notes), notes.len ? "; " : "");
	if (key->def && key->type != CONF_BOOL)
		notes = str_fmt(a, "%.*s%sdefault %s", STR_ARG(notes), notes.len ? "; " : "",
		                key->def);
	if (key->shape == CONF_LIST)
		notes = str_fmt(a, "%.*s%smay be repeated", STR_ARG(notes), notes.len ? "; " : "");
	if (key->more)
		text = str_fmt(a, "%.*s. %s", STR_ARG(text), key->more);
	return notes.len ? str_fmt(a, "%.*s (%.*s)", STR_ARG(text), STR_ARG(notes)) : text;
}

/* "-c, --config FILE" */
static Str option_name(Arena *a, const ConfKey *key, bool aligned)
{
	Str letter = key->letter ? str_fmt(a, "-%c, ", key->letter) : aligned ? S("    ") : S("");
	bool is_flag = key->type == CONF_BOOL;

	return str_fmt(a, "%.*s--%s%s%s", STR_ARG(letter), key->name, is_flag ? "" : " ",
	               is_flag ? "" : value_name(key));
}

static void put_options(Buf *b, Arena *a, const Command *command)
{
	size_t count;
	const ConfKey *common = args_common(&count);

	buf_put(b, S("\nOptions:\n"));
	for (size_t i = 0; i < command->option_count; i++)
		put_entry(b, option_name(a, &command->options[i], true),
		          explain(a, &command->options[i]), OPTION_COLUMN);
	for (size_t i = 0; i < count; i++)
		if (args_has_common(command, &common[i]))
			put_entry(b, option_name(a, &common[i], true), explain(a, &common[i]),
			          OPTION_COLUMN);
}

static void put_paragraphs(Buf *b, Str text)
{
	Str line;

	while (str_split(&text, '\n', &line))
		put_wrapped(b, line, 0);
}

static void put_examples(Buf *b, Str text)
{
	Str line;

	buf_put(b, S("\nExamples:\n"));
	while (str_split(&text, '\n', &line))
		if (line.len)
			buf_fmt(b, "  %.*s\n", STR_ARG(line));
}

void args_put_help(Buf *b, const Program *program, const Command *command)
{
	AUTO(arena_freep) Arena *a = arena_new(0);

	buf_fmt(b, "%s %s: %s\n\nUsage: %.*s\n", program->name, command->name, command->summary,
	        STR_ARG(args_usage(a, program, command)));
	if (command->help) {
		buf_putc(b, '\n');
		put_paragraphs(b, str_of(command->help));
	}
	if (command->operand_count)
		buf_putc(b, '\n');
	for (size_t i = 0; i < command->operand_count; i++)
		put_entry(b, str_of(command->operands[i].name), explain(a, &command->operands[i]),
		          OPTION_COLUMN);
	put_options(b, a, command);
	if (command->examples)
		put_examples(b, str_of(command->examples));
}

static void put_markdown_rows(Buf *b, Arena *a, const ConfKey *rows, size_t count,
                              const Command *command, bool operands)
{
	for (size_t i = 0; i < count; i++) {
		if (!operands && !args_has_common(command, &rows[i]))
			continue;
		buf_fmt(b, "| `%.*s` | %.*s |\n",
		        STR_ARG(operands ? str_of(rows[i].name) : option_name(a, &rows[i], false)),
		        STR_ARG(conf_sentence(a, explain(a, &rows[i]))));
	}
}

static void put_markdown_command(Buf *b, Arena *a, const Program *program, const Command *command)
{
	size_t count;
	const ConfKey *common = args_common(&count);

	buf_fmt(b, "\n### %s %s\n\n%.*s.\n\n```\n%.*s\n```\n", program->name, command->name,
	        STR_ARG(conf_sentence(a, str_of(command->summary))),
	        STR_ARG(args_usage(a, program, command)));
	if (command->help)
		buf_fmt(b, "\n%s\n", command->help);
	buf_put(b, S("\n| Word | Meaning |\n|---|---|\n"));
	put_markdown_rows(b, a, command->operands, command->operand_count, command, true);
	put_markdown_rows(b, a, command->options, command->option_count, command, false);
	put_markdown_rows(b, a, common, count, command, false);
	if (command->examples)
		buf_fmt(b, "\n```\n%.*s\n```\n", STR_ARG(str_of(command->examples)));
}

static void put_markdown_group(Buf *b, Arena *a, const Program *program, const char *group)
{
	for (const Command *command = args_next(program, NULL); command;
	     command = args_next(program, command))
		if (is_in(command, group))
			put_markdown_command(b, a, program, command);
}

void args_put_markdown(Buf *b, const Program *program)
{
	AUTO(arena_freep) Arena *a = arena_new(0);

	for (size_t i = 0; i < program->group_count; i++) {
		if (!put_commands(NULL, program, program->groups[i].key))
			continue;
		buf_fmt(b, "\n## %s\n\n%.*s.\n", program->groups[i].title,
		        STR_ARG(conf_sentence(a, str_of(program->groups[i].purpose))));
		put_markdown_group(b, a, program, program->groups[i].key);
	}
	buf_put(b, S("\n## Beside them\n"));
	put_markdown_group(b, a, program, NULL);
}

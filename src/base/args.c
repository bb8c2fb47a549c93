/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line, read by the rows. One pass over the words: an option fills its field at once, everything else is
 * kept for the operands, which are dealt out when the words are over. Values are read by the same functions as the
 * configuration's (conf_set), so "5s" and "64KiB" mean the same in both. */
#include "base/args_int.h"

#include "base/arena.h"
#include "base/conf_int.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Parse {
	const Program *program;
	const Command *command;
	Arena *arena;
	void *args;
	CommonArgs *common;
	bool *seen; /* of each option of the command */
	Str *words; /* operands */
	size_t word_count;
	int argc;
	char **argv;
	int at;
} Parse;

static const ConfKey common_keys[] = {
	{ "help", CONF_BOOL, AT(CommonArgs, help), .letter = 'h',
	  .help = "say what this command does" },
	{ "json", CONF_BOOL, AT(CommonArgs, json),
	  .help = "answer with one JSON value, for programs" },
	{ "log-level", CONF_ENUM, AT(CommonArgs, log_level),
	  .names = (const ConfWord[]){ LOG_LEVEL_WORDS }, .def = "info", .value = "LEVEL",
	  .help = "what is logged" },
	{ "log-format", CONF_ENUM, AT(CommonArgs, log_format),
	  .names = (const ConfWord[]){ LOG_FORMAT_WORDS }, .def = "auto", .value = "FORMAT",
	  .help = "how it is logged" },
};

const ConfKey *args_common(size_t *count)
{
	*count = COUNT(common_keys);
	return common_keys;
}

bool args_has_common(const Command *command, const ConfKey *key)
{
	return command->json || strcmp(key->name, "json") != 0;
}

const Command *args_next(const Program *program, const Command *after)
{
	bool found = !after;

	for (size_t i = 0; i < program->set_count; i++) {
		const CommandSet *set = &program->sets[i];

		if (found && set->count)
			return set->rows;
		if (!found && after >= set->rows && after < set->rows + set->count) {
			found = true;
			if (after + 1 < set->rows + set->count)
				return after + 1;
		}
	}
	return NULL;
}

bool args_is_under(const Command *command, Str word)
{
	Str name = str_of(command->name);

	return str_starts(name, word) && name.len > word.len && name.at[word.len] == ' ';
}

const Command *args_find(const Program *program, Str name)
{
	for (const Command *command = args_next(program, NULL); command;
	     command = args_next(program, command))
		if (str_eq(str_of(command->name), name))
			return command;
	return NULL;
}

static Err *usage_error(Arena *a, Str text)
{
	return err_new(a, ERR_INVALID, "args.usage", "%.*s", STR_ARG(text));
}

static Err *nearest_error(Arena *a, const char *what, Str word, const Str *names, size_t count)
{
	Str near = str_nearest(word, names, count);
	Str quoted = str_quote(a, word);

	if (near.len)
		return usage_error(a, str_fmt(a, "there is no %s %.*s: did you mean %.*s?", what,
		                              STR_ARG(quoted), STR_ARG(near)));
	return usage_error(a, str_fmt(a, "there is no %s %.*s", what, STR_ARG(quoted)));
}

/* Names of commands that `word` (one or two words) might have meant. */
static Err *unknown_command(Arena *a, const Program *program, Str word)
{
	Str names[256];
	size_t count = 0;

	for (const Command *command = args_next(program, NULL); command;
	     command = args_next(program, command)) {
		Str name = str_of(command->name);
		ptrdiff_t space = str_find_char(name, ' ');

		if (command->hidden || count + 1 >= COUNT(names))
			continue;
		names[count++] = name;
		if (space > 0)
			names[count++] = str_sub(name, 0, (size_t)space);
	}
	return nearest_error(a, "command", word, names, count);
}

static const ConfKey *find_option(const Parse *p, Str name, char letter)
{
	for (size_t i = 0; i < p->command->option_count + COUNT(common_keys); i++) {
		const ConfKey *key = i < p->command->option_count
		                             ? &p->command->options[i]
		                             : &common_keys[i - p->command->option_count];

		if (key >= common_keys && key < common_keys + COUNT(common_keys) &&
		    !args_has_common(p->command, key))
			continue;
		if (letter ? key->letter == letter : str_eq(str_of(key->name), name))
			return key;
	}
	return NULL;
}

static Err *unknown_option(const Parse *p, Str name)
{
	Str names[256];
	size_t count = 0;

	for (size_t i = 0; i < p->command->option_count && count < COUNT(names); i++)
		names[count++] = str_fmt(p->arena, "--%s", p->command->options[i].name);
	for (size_t i = 0; i < COUNT(common_keys) && count < COUNT(names); i++)
		if (args_has_common(p->command, &common_keys[i]))
			names[count++] = str_fmt(p->arena, "--%s", common_keys[i].name);
	return nearest_error(p->arena, "option", name, names, count);
}

static Err *set_option(Parse *p, const ConfKey *key, Str text)
{
	bool is_common = key >= common_keys && key < common_keys + COUNT(common_keys);
	size_t i = is_common ? 0 : (size_t)(key - p->command->options);
	Err *err;

	if (!is_common && !p->seen[i] && key->shape == CONF_LIST)
		conf_array_set(key, p->args, (ConfArray){ 0 });
	if (!is_common)
		p->seen[i] = true;
	err = conf_set(p->arena, key, is_common ? (void *)p->common : p->args, text);
	return err ? usage_error(p->arena, str_fmt(p->arena, "--%.*s", STR_ARG(err->text))) : NULL;
}

/* The value of an option: what is joined to it, or the next word. */
static Err *option_value(Parse *p, const ConfKey *key, Str joined, Str *out)
{
	if (joined.at) {
		*out = joined;
		return NULL;
	}
	if (key->type == CONF_BOOL) {
		*out = S("true");
		return NULL;
	}
	if (p->at >= p->argc) {
		Str type = conf_type_text(p->arena, key);

		return usage_error(p->arena, str_fmt(p->arena, "--%s needs a value (%.*s)",
		                                     key->name, STR_ARG(type)));
	}
	*out = str_of(p->argv[p->at++]);
	return NULL;
}

static Err *parse_long(Parse *p, Str word)
{
	ptrdiff_t equals = str_find_char(word, '=');
	Str name = equals < 0 ? word : str_sub(word, 0, (size_t)equals);
	Str joined = equals < 0 ? (Str){ 0 } : str_sub(word, (size_t)equals + 1, word.len);
	const ConfKey *key = find_option(p, str_sub(name, 2, name.len), 0);
	Str value = { 0 };

	if (!key)
		return unknown_option(p, name);
	TRY(option_value(p, key, joined, &value));
	return set_option(p, key, value);
}

/* "-q", "-qv", "-c FILE", "-cFILE". */
static Err *parse_short(Parse *p, Str word)
{
	for (size_t i = 1; i < word.len; i++) {
		const ConfKey *key = find_option(p, (Str){ 0 }, word.at[i]);
		Str joined = str_sub(word, i + 1, word.len);
		Str value = { 0 };

		if (!key)
			return unknown_option(p, str_fmt(p->arena, "-%c", word.at[i]));
		if (key->type == CONF_BOOL) {
			TRY(set_option(p, key, S("true")));
			continue;
		}
		TRY(option_value(p, key, joined.len ? joined : (Str){ 0 }, &value));
		return set_option(p, key, value);
	}
	return NULL;
}

static Err *parse_words(Parse *p)
{
	bool options = true;

	while (p->at < p->argc) {
		Str word = str_of(p->argv[p->at++]);

		if (options && str_eq(word, S("--")))
			options = false;
		else if (options && str_starts(word, S("--")))
			TRY(parse_long(p, word));
		else if (options && word.len > 1 && word.at[0] == '-')
			TRY(parse_short(p, word));
		else
			p->words[p->word_count++] = word;
	}
	return NULL;
}

static Err *deal_operands(Parse *p)
{
	size_t at = 0;

	for (size_t i = 0; i < p->command->operand_count; i++) {
		const ConfKey *key = &p->command->operands[i];
		bool many = key->shape == CONF_LIST;

		if (at == p->word_count && key->required)
			return usage_error(p->arena, str_fmt(p->arena, "%s is missing: %s",
			                                     key->name, key->help));
		for (size_t taken = 0; at < p->word_count && (many || !taken); taken++) {
			Err *err = conf_set(p->arena, key, p->args, p->words[at++]);

			if (err)
				return usage_error(p->arena, err->text);
		}
	}
	if (at == p->word_count)
		return NULL;
	return usage_error(p->arena, str_fmt(p->arena, "%.*s is one word too many",
	                                     STR_ARG(str_quote(p->arena, p->words[at]))));
}

static Err *check_required(const Parse *p)
{
	for (size_t i = 0; i < p->command->option_count; i++)
		if (p->command->options[i].required && !p->seen[i])
			return usage_error(p->arena, str_fmt(p->arena, "--%s is missing: %s",
			                                     p->command->options[i].name,
			                                     p->command->options[i].help));
	return NULL;
}

static Err *parse(Parse *p)
{
	const Command *c = p->command;

	p->args = arena_alloc(p->arena, MAX(c->size, (size_t)1));
	p->common = ARENA_NEW(p->arena, CommonArgs);
	p->seen = ARENA_ARRAY(p->arena, bool, c->option_count + 1);
	p->words = ARENA_ARRAY(p->arena, Str, (size_t)p->argc + 1);
	for (size_t i = 0; i < c->option_count; i++)
		conf_key_default(p->arena, &c->options[i], p->args);
	for (size_t i = 0; i < c->operand_count; i++)
		conf_key_default(p->arena, &c->operands[i], p->args);
	for (size_t i = 0; i < COUNT(common_keys); i++)
		conf_key_default(p->arena, &common_keys[i], p->common);
	TRY(parse_words(p));
	if (p->common->help)
		return NULL;
	TRY(check_required(p));
	return deal_operands(p);
}

static int fail(Arena *a, const Program *program, const Command *command, FILE *err_file,
                const Err *err)
{
	const char *name = command ? command->name : NULL;
	Str chain = err_chain(a, err);

	fprintf(err_file, "%s%s%s: %.*s\n", program->name, name ? " " : "", name ? name : "",
	        STR_ARG(chain));
	if (err_is(err, "args.usage"))
		fprintf(err_file, "Try: %s%s%s --help\n", program->name, name ? " " : "",
		        name ? name : "");
	return err_exit(err);
}

static void write_buf(FILE *out, const Buf *b)
{
	fwrite(b->at, 1, b->len, out);
}

static int run(Arena *a, const Program *program, const Command *command, int argc, char **argv,
               FILE *out, FILE *err_file)
{
	Parse p = {
		.program = program, .command = command, .arena = a, .argc = argc, .argv = argv
	};
	AUTO(buf_fini) Buf b = { 0 };
	Err *err = parse(&p);
	Cmd cmd = { program, command, a, p.args, p.common->json, out };

	if (!err && p.common->help) {
		args_put_help(&b, program, command);
		write_buf(out, &b);
		return 0;
	}
	if (!err) {
		log_setup((LogLevel)p.common->log_level, (LogFormat)p.common->log_format);
		err = command->run(&cmd);
	}
	if (!err && (fflush(out) != 0 || ferror(out)))
		err = err_new(a, ERR_IO, "args.output", "the answer could not be written");
	return err ? fail(a, program, command, err_file, err) : 0;
}

/* The command that the first one or two words name; *taken of them. */
static const Command *find_by_words(Arena *a, const Program *program, int argc, char **argv,
                                    int *taken)
{
	const Command *command = NULL;

	if (argc >= 2)
		command = args_find(program, str_fmt(a, "%s %s", argv[0], argv[1]));
	*taken = command ? 2 : 1;
	return command ? command : args_find(program, str_of(argv[0]));
}

static bool is_family(const Program *program, Str word)
{
	for (const Command *command = args_next(program, NULL); command;
	     command = args_next(program, command))
		if (!command->hidden && args_is_under(command, word))
			return true;
	return false;
}

static bool asks_for_help(const char *word)
{
	return strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static int overview(const Program *program, FILE *out)
{
	AUTO(buf_fini) Buf b = { 0 };
	int fd = fileno(out);

	args_put_overview(&b, program, fd >= 0 && isatty(fd) && !getenv("NO_COLOR"));
	write_buf(out, &b);
	return 0;
}

static int no_command(Arena *a, const Program *program, int argc, char **argv, FILE *out,
                      FILE *err_file)
{
	Str word = str_of(argv[0]);
	AUTO(buf_fini) Buf b = { 0 };

	if (is_family(program, word)) {
		args_put_family(&b, program, word);
		write_buf(argc > 1 && asks_for_help(argv[1]) ? out : err_file, &b);
		return argc > 1 && asks_for_help(argv[1]) ? 0 : 2;
	}
	if (argv[0][0] == '-')
		return fail(a, program, NULL, err_file,
		            usage_error(a, S("options come after the command")));
	return fail(a, program, NULL, err_file, unknown_command(a, program, word));
}

static Err *check_rows(Arena *a, const Command *c, const ConfKey *rows, size_t count, bool operands)
{
	ConfTable table = { .name = c->name, .size = c->size, .keys = rows, .count = count };

	if (count)
		TRY(conf_check_table(a, &table));
	for (size_t i = 0; i < count; i++) {
		if (rows[i].type == CONF_OBJECT || rows[i].type == CONF_NAME ||
		    rows[i].shape == CONF_MAP)
			return err_new(a, ERR_INTERNAL, "args.table", "%s: %s is not a plain value",
			               c->name, rows[i].name);
		if (operands && rows[i].shape == CONF_LIST && i + 1 < count)
			return err_new(a, ERR_INTERNAL, "args.table",
			               "%s: %s takes the rest, and is not last", c->name,
			               rows[i].name);
		for (size_t k = 0; !operands && k < COUNT(common_keys); k++)
			if (strcmp(rows[i].name, common_keys[k].name) == 0 ||
			    (rows[i].letter && rows[i].letter == common_keys[k].letter))
				return err_new(a, ERR_INTERNAL, "args.table",
				               "%s: --%s is every command's", c->name,
				               rows[i].name);
		for (size_t k = 0; k < i; k++)
			if (rows[i].letter && rows[i].letter == rows[k].letter)
				return err_new(a, ERR_INTERNAL, "args.table",
				               "%s: -%c is there twice", c->name, rows[i].letter);
	}
	return NULL;
}

static bool has_group(const Program *program, const Command *command)
{
	for (size_t i = 0; i < program->group_count; i++)
		if (command->group && strcmp(command->group, program->groups[i].key) == 0)
			return true;
	return !command->group;
}

Err *args_check(Arena *a, const Program *program)
{
	for (const Command *c = args_next(program, NULL); c; c = args_next(program, c)) {
		if (!c->name || !c->summary || !c->run)
			return err_new(a, ERR_INTERNAL, "args.table",
			               "%s: a command needs a name, a summary and a function",
			               c->name ? c->name : "?");
		if (args_find(program, str_of(c->name)) != c)
			return err_new(a, ERR_INTERNAL, "args.table", "%s: the name is there twice",
			               c->name);
		if (!has_group(program, c))
			return err_new(a, ERR_INTERNAL, "args.table", "%s: there is no group %s",
			               c->name, c->group);
		TRY(check_rows(a, c, c->options, c->option_count, false));
		TRY(check_rows(a, c, c->operands, c->operand_count, true));
	}
	return NULL;
}

static int dispatch(Arena *a, const Program *program, int argc, char **argv, FILE *out,
                    FILE *err_file)
{
	AUTO(buf_fini) Buf b = { 0 };
	const Command *command;
	static char version[] = "version";
	int taken;
	bool help = argc > 1 && asks_for_help(argv[1]);

	argc -= 1 + help;
	argv += 1 + help;
	if (argc <= 0)
		return overview(program, out);
	if (strcmp(argv[0], "--version") == 0)
		argv[0] = version;
	command = find_by_words(a, program, argc, argv, &taken);
	if (!command && help && is_family(program, str_of(argv[0])))
		return no_command(a, program, 2, (char *[]){ argv[0], (char[]){ "--help" } }, out,
		                  err_file);
	if (!command)
		return no_command(a, program, argc, argv, out, err_file);
	if (!help)
		return run(a, program, command, argc - taken, argv + taken, out, err_file);
	args_put_help(&b, program, command);
	write_buf(out, &b);
	return 0;
}

int args_main(const Program *program, int argc, char **argv, FILE *out, FILE *err_file)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Err *err = args_check(a, program);

	return err ? fail(a, program, NULL, err_file, err)
	           : dispatch(a, program, argc, argv, out, err_file);
}

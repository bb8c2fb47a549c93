/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/docs.c"

#include "base/file.h"
#include "unit.h"

static const ConfKey rows[] = { { "key", CONF_STR, AT(CliDocsArgs, folder), .help = "a key" } };
static const ConfTable table = { "thing", CONF_ROWS(CliDocsArgs, rows) };

static void put_more(Buf *b)
{
	buf_put(b, S("written by a function\n"));
}

TEST(docs_write_a_page_each)
{
	static const Command commands[] = { { "look", .summary = "look at it", .run = cli_docs } };
	static const CommandSet set = { commands, COUNT(commands) };
	static const ManualPage pages[] = { { "one", "One", "About one.", &table, NULL },
		                            { "two", "Two", "About two.", NULL, put_more } };
	Program program = {
		.name = "banyan", .sets = &set, .set_count = 1, .pages = pages, .page_count = 2
	};
	CliDocsArgs args = { str_fmt(a, "%s/made", unit_dir()) };
	Cmd cmd = { .program = &program, .arena = a, .args = &args };
	Str text;

	CHECK_OK(cli_docs(&cmd));
	CHECK_OK(cli_docs(&cmd)); /* again: the folder is there */
	CHECK_OK(file_read(a, str_fmt(a, "%.*s/commands.md", STR_ARG(args.folder)), 0, &text));
	CHECK(str_find(text, S("### banyan look")) > 0);
	CHECK_OK(file_read(a, str_fmt(a, "%.*s/one.md", STR_ARG(args.folder)), 0, &text));
	CHECK(str_find(text, S("# One\n\nAbout one.\n")) > 0 &&
	      str_find(text, S("| `key` | text |")) > 0);
	CHECK_OK(file_read(a, str_fmt(a, "%.*s/two.md", STR_ARG(args.folder)), 0, &text));
	CHECK(str_ends(text, S("written by a function\n")));
}

TEST(docs_say_why_they_cannot_be_written)
{
	Program program = { .name = "banyan" };
	CliDocsArgs args = { S("/dev/null/x") };
	Cmd cmd = { .program = &program, .arena = a, .args = &args };
	Err *err = cli_docs(&cmd);

	CHECK_ERR(err, "cli.docs");
	CHECK_STR(err->text, S("/dev/null/x: Not a directory"));
}

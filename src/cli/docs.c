/* SPDX-License-Identifier: Apache-2.0
 *
 * The reference is written by the tables that drive the program, so it cannot say anything else than the program does. */
#include "cli/cli.h"

#include "base/arena.h"

#include <errno.h>
#include <sys/stat.h>

static Err *write_page(Arena *a, Str folder, const char *name, const Buf *b)
{
	Str path = str_fmt(a, "%.*s/%s.md", STR_ARG(folder), name);
	FILE *file = fopen(path.at, "we");
	bool whole = file && fwrite(b->at, 1, b->len, file) == b->len;

	if (file && fclose(file) != 0)
		whole = false;
	return whole ? NULL : err_errno(a, errno, "cli.docs", "%.*s", STR_ARG(path));
}

static void put_title(Buf *b, const char *title, const char *about)
{
	buf_fmt(b,
	        "<!-- Written by `banyan docs reference`: change the tables in src/, not this page. -->\n# %s\n\n%s\n",
	        title, about);
}

Err *cli_docs(Cmd *cmd)
{
	const CliDocsArgs *args = cmd->args;
	const Program *program = cmd->program;
	AUTO(buf_fini) Buf b = { 0 };

	if (mkdir(str_z(cmd->arena, args->folder), 0777) != 0 && errno != EEXIST)
		return err_errno(cmd->arena, errno, "cli.docs", "%.*s", STR_ARG(args->folder));
	put_title(
		&b, "Commands",
		"Exit codes: 0 done, 1 a fault of Banyan or the machine, 2 wrong use or input, "
		"3 what was measured is not as it must be,\n4 not allowed, 5 not there, 6 the other side, 7 a conflict, 8 busy, 9 cancelled.");
	args_put_markdown(&b, program);
	TRY(write_page(cmd->arena, args->folder, "commands", &b));
	for (size_t i = 0; i < program->page_count; i++) {
		const ManualPage *page = &program->pages[i];

		buf_clear(&b);
		put_title(&b, page->title, page->about);
		if (page->table)
			conf_put_markdown(&b, page->table);
		if (page->put)
			page->put(&b);
		TRY(write_page(cmd->arena, args->folder, page->file, &b));
	}
	return NULL;
}

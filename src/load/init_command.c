/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan load init`: a file in, a scenario out, what was left out on stderr. */
#include "load/command.h"

#include "base/arena.h"
#include "base/file.h"
#include "load/init.h"

#include <errno.h>
#include <unistd.h>

enum { SOURCE_BYTES_MAX = 512 << 20 };

static Str base_name(Str path)
{
	Str base = str_sub(path, (size_t)(str_rfind_char(path, '/') + 1), path.len);
	ptrdiff_t dot = str_rfind_char(base, '.');

	return dot > 0 ? str_sub(base, 0, (size_t)dot) : base;
}

static bool is_har(Str path, Str text)
{
	Str start = str_sub(text, 0, 4096);

	return str_ends(str_sub(path, 0, path.len), S(".har")) ||
	       (str_find(start, S("\"log\"")) >= 0 && str_find(start, S("\"openapi\"")) < 0);
}

static Err *write_out(Cmd *cmd, Str path, Str text, bool force)
{
	FILE *file = path.len ? fopen(str_z(cmd->arena, path), force ? "we" : "wex") : cmd->out;
	bool whole = file && fwrite(text.at, 1, text.len, file) == text.len;
	int errnum = errno;

	if (!file && errnum == EEXIST)
		return err_new(cmd->arena, ERR_CONFLICT, "load.exists",
		               "%.*s is there already: say --force to write over it",
		               STR_ARG(path));
	if (file && path.len && fclose(file) != 0)
		whole = false;
	return whole ? NULL
	             : err_errno(cmd->arena, errnum, "load.file", "%.*s could not be written",
	                         STR_ARG(path));
}

Err *load_init(Cmd *cmd)
{
	const InitArgs *args = cmd->args;
	Arena *a = cmd->arena;
	AUTO(buf_fini) Buf out = { 0 };
	AUTO(buf_fini) Buf notes = { 0 };
	Sketch sketch = { .name = base_name(args->from) };
	Str text;

	if (!args->from.len)
		return err_new(a, ERR_INVALID, "load.init",
		               "from what? Say --from FILE.har, or --from openapi.yaml");
	TRY(file_read(a, args->from, SOURCE_BYTES_MAX, &text));
	if (is_har(args->from, text))
		TRY(init_har(a, args->from, text, &sketch, &notes));
	else
		TRY(init_openapi(a, args->from, text, args->writes, &sketch, &notes));
	sketch.name = str_sub(sketch.name, 0, 80);
	sketch.about = str_fmt(a, "%zu steps from %.*s: try it with `banyan load FILE --dry-run`",
	                       sketch.steps.count, STR_ARG(args->from));
	init_put(&out, &sketch);
	TRY(write_out(cmd, args->output, buf_str(&out), args->force));
	if (notes.len)
		fwrite(notes.at, 1, notes.len, stderr);
	return NULL;
}

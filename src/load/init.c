/* SPDX-License-Identifier: Apache-2.0
 *
 * A sketch as the YAML that a person goes on with: in block style, only what is not the default, with the sentences that
 * say what is still to be done. */
#include "load/init.h"

#include "base/arena.h"
#include "base/time.h"
#include "base/yaml.h"

#include <ctype.h>

Str init_text(Arena *a, Str plain)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (size_t i = 0; i < plain.len; i++) {
		buf_putc(&b, plain.at[i]);
		if (plain.at[i] == '{' || plain.at[i] == '}')
			buf_putc(&b, plain.at[i]);
	}
	return str_dup(a, buf_str(&b));
}

bool init_has_method(Str method)
{
	static const Str methods[] = { S("GET"),   S("POST"),   S("PUT"),
		                       S("PATCH"), S("DELETE"), S("HEAD") };

	for (size_t i = 0; i < COUNT(methods); i++)
		if (str_eq_nocase(method, methods[i]))
			return true;
	return false;
}

static void put_row(Buf *out, const char *indent, Str key, Str value)
{
	buf_put(out, str_of(indent));
	yaml_put_scalar(out, key);
	buf_put(out, S(": "));
	yaml_put_scalar(out, value);
	buf_putc(out, '\n');
}

/* Where the reader looks for ${NAME}, a dollar sign is written twice. */
static void put_expanded(Buf *out, const char *indent, Str key, Str value)
{
	AUTO(buf_fini) Buf twice = { 0 };

	for (size_t i = 0; i < value.len; i++) {
		buf_putc(&twice, value.at[i]);
		if (value.at[i] == '$')
			buf_putc(&twice, '$');
	}
	put_row(out, indent, key, buf_str(&twice));
}

static void put_headers(Buf *out, const char *indent, const NamedText *at, size_t count)
{
	if (count)
		buf_fmt(out, "%sheaders:\n", indent);
	for (size_t i = 0; i < count; i++) {
		buf_put(out, S("  "));
		put_expanded(out, indent, at[i].name, at[i].text);
	}
}

static void put_step(Buf *out, const SketchStep *step)
{
	static const char indent[] = "        ";
	char key[8] = "";

	for (size_t i = 0; i < MIN(step->method.len, sizeof key - 1); i++)
		key[i] = (char)tolower((unsigned char)step->method.at[i]);
	put_row(out, "      - ", str_of(key), step->path);
	if (step->name.len)
		put_row(out, indent, S("name"), step->name);
	put_headers(out, indent, step->headers.at, step->headers.count);
	if (step->form.count)
		buf_fmt(out, "%sform:\n", indent);
	for (size_t i = 0; i < step->form.count; i++)
		put_row(out, "          ", step->form.at[i].name, step->form.at[i].text);
	if (step->has_body)
		put_row(out, indent, S("body"), step->body);
	if (step->check.len)
		buf_fmt(out, "%scheck: \"%.*s\"\n", indent, STR_ARG(step->check));
	if (step->think_us)
		buf_fmt(out, "%sthink: %" PRId64 "ms\n", indent, step->think_us / US_PER_MS);
}

void init_put(Buf *out, const Sketch *sketch)
{
	buf_fmt(out, "# %.*s\n", STR_ARG(sketch->about));
	put_row(out, "", S("name"), sketch->name);
	if (sketch->todo)
		buf_put(out, S("# TODO: where is it?\n"));
	put_expanded(out, "", S("target"), sketch->target);
	buf_put(out, S("# TODO: how many users arrive in a second, and for how long\n"
	               "load:\n  - rate: 1\n    for: 1m\n"));
	put_headers(out, "", sketch->headers.at, sketch->headers.count);
	if (sketch->variables.count)
		buf_put(out,
		        S("# TODO: values that exist there, or take them out of an answer with `extract`\n"
		          "variables:\n"));
	for (size_t i = 0; i < sketch->variables.count; i++) {
		buf_put(out, S("  "));
		yaml_put_scalar(out, sketch->variables.at[i].name);
		buf_fmt(out, ": TODO # %.*s\n", STR_ARG(sketch->variables.at[i].text));
	}
	buf_put(out, S("journeys:\n  "));
	yaml_put_scalar(out, sketch->journey);
	buf_put(out, S(":\n    steps:\n"));
	for (size_t i = 0; i < sketch->steps.count; i++)
		put_step(out, &sketch->steps.at[i]);
}

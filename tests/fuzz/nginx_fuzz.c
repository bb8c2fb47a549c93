/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text is refused as an nginx configuration, with a place in it, or becomes a file of ours that `banyan check` takes: of
 * all mistakes only those about files that are not on this machine are let pass. */
#include "base/arena.h"
#include "gateway/conf.h"
#include "gateway/nginx_carry.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void die(const char *what, Str text, Str more)
{
	fprintf(stderr, "%s:\n%.*s\n%.*s\n", what, STR_ARG(more), STR_ARG(text));
	abort();
}

static void check_places(const NginxNode *node, uint32_t lines, uint32_t *last, Str text)
{
	for (; node; node = node->next) {
		if (!node->line || node->line > lines || node->line < *last)
			die("a directive that is nowhere", text, node->name);
		*last = node->line;
		check_places(node->first, lines, last, text);
	}
}

static bool is_about_files(Str mistake)
{
	static const Str about[] = { S("No such file"), S("Permission denied"),
		                     S("a folder"),     S("Not a directory"),
		                     S("too long"),     S("Is a directory") };

	for (size_t i = 0; i < COUNT(about); i++)
		if (str_find(mistake, about[i]) >= 0)
			return true;
	return false;
}

static void check_result(Arena *a, Str text)
{
	Conf *conf = conf_new(a);
	GatewayConf *g;
	size_t count;
	const ConfMistake *m;

	if (!gateway_conf_read(a, conf, S("banyan.yaml"), text, &g))
		return;
	m = conf_mistakes(conf, &count);
	if (!count)
		die("refused without a mistake", text, S(""));
	for (size_t i = 0; i < count; i++)
		if (!is_about_files(m[i].text))
			die("what was written is not in order", text,
			    str_fmt(a, "line %u: %.*s", m[i].line, STR_ARG(m[i].text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Str text = { (const char *)data, size };
	CarryOptions options = { .source = S("nginx.conf"), .prefix = S("/usr/share/nginx") };
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(buf_fini) Buf b = { 0 };
	uint32_t lines = 1, last = 0;
	NginxNode *first;
	Carried *carried;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	if (nginx_read_text(a, S("nginx.conf"), text, &first))
		return 0;
	check_places(first, lines, &last, text);
	if (nginx_carry(a, first, &options, &carried))
		return 0;
	nginx_carry_put(&b, carried);
	check_result(a, buf_str(&b));
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/version.c"

#include "base/arena.h"
#include "unit.h"

#include <stdlib.h>

static Str said(Arena *a, bool json)
{
	char *text = NULL;
	size_t len = 0;
	Cmd cmd = { .arena = a, .json = json, .out = open_memstream(&text, &len) };
	Str copy;

	CHECK_OK(cli_version(&cmd));
	fclose(cmd.out);
	copy = str_dup(a, (Str){ text, len });
	free(text);
	return copy;
}

TEST(version_names_every_library)
{
	Str text = said(a, false);

	CHECK(str_starts(text, S("banyan " BANYAN_VERSION " (" BANYAN_COMMIT ")\n")));
	for (size_t i = 0; i < COUNT(libraries); i++)
		CHECK(str_find(text, str_fmt(a, "%-10s %s\n", libraries[i].name,
		                             libraries[i].version())) > 0);
}

TEST(version_is_json_for_programs)
{
	const Json *value, *inner;
	Str version;

	CHECK_OK(json_read(a, said(a, true), 0, &value));
	CHECK_OK(json_need_str(a, value, "version", &version));
	CHECK_STR(version, S(BANYAN_VERSION));
	CHECK_OK(json_need_kind(a, value, "libraries", JSON_KIND_OBJECT, &inner));
	CHECK_INT(json_count(inner), COUNT(libraries));
	CHECK_OK(json_need_str(a, inner, "jansson", &version));
	CHECK(version.len > 0);
}

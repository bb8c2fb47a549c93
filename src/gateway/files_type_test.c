/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/files_type.c"
#include "unit.h"

TEST(types_by_the_end_of_a_name)
{
	static const struct {
		const char *path, *type;
		bool packed;
	} cases[] = {
		{ "index.html", "text/html; charset=utf-8", false },
		{ "A/B.HTML", "text/html; charset=utf-8", false },
		{ "app.min.js", "text/javascript; charset=utf-8", false },
		{ "app.js.map", "application/json", false },
		{ "photo.JPG", "image/jpeg", true },
		{ "x.7z", "application/x-7z-compressed", true },
		{ "x.zst", "application/zstd", true },
		{ "logo.svg", "image/svg+xml", false },
		{ "README", "application/octet-stream", false },
		{ "dir.html/README", "application/octet-stream", false },
		{ "x.", "application/octet-stream", false },
		{ "x.webmanifest", "application/manifest+json", false },
		{ "x.webmanifestt", "application/octet-stream", false },
		{ "", "application/octet-stream", false },
		{ ".html", "text/html; charset=utf-8", false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		FileType got = file_type(str_of(cases[i].path));

		NOTE("%s", cases[i].path);
		CHECK_STR(got.type, str_of(cases[i].type));
		CHECK_INT(got.packed, cases[i].packed);
	}
}

TEST(rows_are_sorted_and_found)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		char path[ENDING_BYTES + 2] = "x.";

		NOTE("%s", rows[i].ending);
		CHECK(i == 0 || strcmp(rows[i - 1].ending, rows[i].ending) < 0);
		strcat(path, rows[i].ending);
		CHECK_STR(file_type(str_of(path)).type, str_of(rows[i].type));
	}
}

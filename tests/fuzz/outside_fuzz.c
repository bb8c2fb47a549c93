/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of other tools, read into a project of two files; the first byte says which sort: Cobertura or lcov, JUnit, a log, packages by their files'
 * names, advisories. What comes out keeps its own sums. */
#include "audit/outside.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static Err *take(Gathering *g, char what, Str text)
{
	static const char *const names[] = { "/w/requirements.txt", "/w/poetry.lock",
		                             "/w/uv.lock",          "/w/Pipfile.lock",
		                             "/w/pyproject.toml",   "/w/setup.cfg",
		                             "/w/Dockerfile",       "/w/Pipfile",
		                             "/w/setup.py" };
	uint64_t count;

	switch (what) {
	case 'c':
		return coverage_read(g, S("x"), text);
	case 't':
		return tests_read(g, S("x"), text);
	case 'b':
		return builds_read(g, S("x"), text);
	case 'h':
		TRY(packages_read(g, S("/w/requirements.txt"), S("django==3.2\nsix==1.0\n")));
		packages_end(g);
		return holes_take(g, S("x"), text, &count);
	default:
		return packages_read(g, str_of(names[(uint8_t)(what - 'A') % COUNT(names)]), text);
	}
}

static void end(Gathering *g, bool joined)
{
	coverage_end(g);
	tests_end(g);
	builds_end(g);
	if (!joined)
		packages_end(g);
	holes_end(g);
	keep_files(g);
	ends_find(g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	AuditFile files[] = { { .path = S("shop/models.py") }, { .path = S("shop/views.py") } };
	Project p = { .files = files, .count = COUNT(files) };
	OutsideConf conf = { 0 };
	Outside out = { .today = S("2026-01-31") };
	AUTO(gathering_fini) Gathering g = {
		.arena = a, .conf = &conf, .project = &p, .root = S("/w"), .out = &out
	};
	AUTO(buf_fini) Buf bom = { 0 };

	if (!size)
		return 0;
	for (size_t i = 0; i < COUNT(files); i++)
		map_put(&g.paths, files[i].path, &files[i]);
	(void)!take(&g, (char)data[0], (Str){ (const char *)data + 1, size - 1 });
	end(&g, data[0] == 'h');
	if (out.coverage.covered > out.coverage.lines ||
	    out.coverage.taken > out.coverage.branches ||
	    out.tests.failures + out.tests.errors > out.tests.tests ||
	    out.builds.shortest > out.builds.longest)
		abort();
	for (size_t i = 0; i < out.packages.hole_count; i++)
		if (out.packages.holes[i].package >= out.packages.count)
			abort();
	outside_sbom(&bom, &out, S("x"), S(""));
	return bom.broken;
}

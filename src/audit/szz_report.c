/* SPDX-License-Identifier: Apache-2.0
 *
 * SZZ's part of the reports; what could not be traced stands beside what could. */
#include "audit/szz.h"

#include "audit/plural.h"
#include "base/json.h"

enum { SHOWN = 2 };

void szz_screen(FILE *out, const Szz *z, const History *h)
{
	if (z->why_not.len) {
		fprintf(out, "Who brought in what was mended is not known: %.*s\n",
		        STR_ARG(z->why_not));
		return;
	}
	fprintf(out,
	        "Of %" PRIu64 " fixes of code %" PRIu64 " lead to the %" PRIu64
	        " change%s (of %" PRIu64 ") that wrote what was mended (SZZ); %" PRIu64
	        " only add, %" PRIu64 " lead nowhere\n",
	        z->fixes, z->traced, z->commits, plural(z->commits), z->of, z->added, z->lost);
	if (z->days >= 0)
		fprintf(out,
		        "  half of the mended lines stood for %.0f days or less; most often wrong:",
		        z->days);
	for (size_t i = 0; i < MIN(z->count, (size_t)SHOWN); i++)
		fprintf(out, "%s %.*s (%u change%s)", i ? "," : "",
		        STR_ARG(h->files[z->files[i].file].path), z->files[i].brought,
		        plural(z->files[i].brought));
	if (z->days >= 0)
		fputc('\n', out);
}

static void put_days(JsonWriter *w, double days)
{
	json_key(w, S("days"));
	if (days < 0)
		json_add_null(w);
	else
		json_add_real(w, days);
}

static void put_counts(JsonWriter *w, const Szz *z)
{
	json_put_u64(w, "fixes", z->fixes);
	json_put_u64(w, "traced", z->traced);
	json_put_u64(w, "added", z->added);
	json_put_u64(w, "lost", z->lost);
	json_put_u64(w, "commits", z->commits);
	json_put_u64(w, "of", z->of);
	json_put_u64(w, "large", z->large);
	json_put_u64(w, "versions", z->versions);
	json_put_u64(w, "diffs", z->diffs);
	put_days(w, z->days);
}

void szz_put(JsonWriter *w, const Szz *z, const History *h)
{
	json_begin_object(w);
	json_put_bool(w, "read", !z->why_not.len);
	if (z->why_not.len) {
		json_put_str(w, "why_not", z->why_not);
		json_end(w);
		return;
	}
	put_counts(w, z);
	json_key(w, S("files"));
	json_begin_array(w);
	for (size_t i = 0; i < z->count; i++) {
		const SzzFile *file = &z->files[i];

		json_begin_object(w);
		json_put_str(w, "path", h->files[file->file].path);
		json_put_u64(w, "traced", file->traced);
		json_put_u64(w, "commits", file->brought);
		json_put_u64(w, "lines", file->lines);
		put_days(w, file->days);
		json_end(w);
	}
	json_end(w);
	json_end(w);
}

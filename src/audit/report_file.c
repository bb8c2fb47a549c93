/* SPDX-License-Identifier: Apache-2.0
 *
 * Reports in files: a row of the table each. They are made whole before anything is written, and a file that was there is replaced at once or not
 * at all, so that nobody reads half a page. */
#include "audit/report.h"

#include "audit/badge.h"
#include "audit/html.h"
#include "audit/markdown.h"
#include "audit/out_file.h"
#include "audit/outside.h"
#include "audit/sarif.h"
#include "base/buf.h"

static ReportWrite *const writers[REPORT_FORMS] = {
	[REPORT_SARIF] = sarif_report, [REPORT_MARKDOWN] = markdown_report,
	[REPORT_BADGE] = badge_report, [REPORT_SBOM] = outside_sbom_write,
	[REPORT_HTML] = html_report,
};

Err *report_files(Arena *a, const ReportArgs *args, const Audit *audit, const AuditRules *rules,
                  FILE *out, bool *spoke)
{
	*spoke = false;
	for (size_t i = 0; i < REPORT_FORMS; i++) {
		AUTO(buf_fini) Buf b = { 0 };
		Str text;

		if (!args->files[i].len)
			continue;
		TRY(writers[i](a, audit, rules, &b));
		TRY(buf_done(&b, &text));
		if (str_eq(args->files[i], S("-"))) {
			*spoke = true;
			fwrite(text.at, 1, text.len, out);
		} else {
			TRY(out_write(a, args->files[i], text));
		}
	}
	return NULL;
}

void report_files_tell(const ReportArgs *args, FILE *out)
{
	size_t some = 0;

	for (size_t i = 0; i < REPORT_FORMS; i++)
		if (args->files[i].len && !str_eq(args->files[i], S("-")))
			fprintf(out, "%s%.*s",
			        some++ ? ", " : "Written: ", STR_ARG(args->files[i]));
	if (some)
		fputc('\n', out);
}

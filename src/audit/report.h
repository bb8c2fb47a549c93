/* SPDX-License-Identifier: Apache-2.0
 *
 * What an audit says: on a screen, as JSON, and in files of other forms. */
#pragma once
#include "audit/audit.h"

#include <stdio.h>

/* Fits a screen of 50 lines, all modules together, with the line of report_files_tell and the prompt below it. */
void report_screen(FILE *out, Arena *a, const Audit *audit, const AuditRules *rules);
/* One object; report.c has its members, each module its own (x_put). */
void report_json(Buf *out, const Audit *audit, const AuditRules *rules);

/* Files that are written besides, one row of report_file.c's table each. */
typedef enum ReportForm {
	REPORT_HTML,
	REPORT_SARIF,
	REPORT_MARKDOWN,
	REPORT_BADGE,
	REPORT_SBOM,
	REPORT_FORMS
} ReportForm;
typedef Err *ReportWrite(Arena *a, const Audit *audit, const AuditRules *rules, Buf *out);
typedef struct ReportArgs {
	Str files
		[REPORT_FORMS]; /* empty: not wanted; "-": standard output, and nothing else there */
} ReportArgs;
#define REPORT_OPTION_(type, field, form, name, help_) \
	{ \
		name, CONF_STR, AT(type, field.files[form]), .value = "FILE", .help = help_ \
	}
#define REPORT_OPTIONS(type, field) \
	REPORT_OPTION_(type, field, REPORT_HTML, "html", \
	               "write the page of all findings, one file"), \
		REPORT_OPTION_(type, field, REPORT_SARIF, "sarif", \
	                       "write the findings in SARIF 2.1.0"), \
		REPORT_OPTION_(type, field, REPORT_MARKDOWN, "markdown", \
	                       "write the summary for a pull request"), \
		REPORT_OPTION_(type, field, REPORT_BADGE, "badge", \
	                       "write a badge with the rating, in SVG"), \
		REPORT_OPTION_(type, field, REPORT_SBOM, "sbom", \
	                       "write the packages as a bill of materials, CycloneDX 1.5")

/* Writes those that are wanted. *spoke: one of them was for standard output. Fails as they do, and with IO "audit.write". */
Err *report_files(Arena *a, const ReportArgs *args, const Audit *audit, const AuditRules *rules,
                  FILE *out, bool *spoke) MUST_USE;
/* One line: those that are files now; nothing when there are none. */
void report_files_tell(const ReportArgs *args, FILE *out);

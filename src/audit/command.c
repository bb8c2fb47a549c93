/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan audit`: what the command line says, handed to those who read, and to those who report. */
#include "audit/command.h"

#include "audit/after.h"
#include "audit/html.h"
#include "audit/report.h"
#include "audit/review.h"
#include "base/arena.h"

#include <unistd.h>

typedef struct AuditArgs {
	Str root;
	CONF_LIST_OF(Str) exclude;
	uint8_t cc;
	Str html;
	bool all, quiet, no_history;
	AfterArgs after;
} AuditArgs;

static const ConfWord cc_words[] = {
	{ "radon", CC_RADON, "radon's: and, or, comprehensions and assert count" },
	{ "mccabe", CC_MCCABE, "mccabe's and ruff's C901: paths of statements only" },
	{ "sonar", CC_SONAR, "Sonar's analyser of Python: neither elif nor except" },
	{ 0 },
};

static const ConfKey audit_operands[] = {
	{ "PATH", CONF_STR, AT(AuditArgs, root), .def = ".", .help = "the folder of the monolith" },
};
static const ConfKey audit_options[] = {
	{ "exclude", CONF_STR, AT_LIST(AuditArgs, exclude), .letter = 'x', .value = "PATTERN",
	  .help = "paths to leave out: \"legacy/**\", \"*_old.py\"" },
	{ "cc", CONF_ENUM, AT(AuditArgs, cc), .names = cc_words, .def = "radon",
	  .help = "whose cyclomatic complexity" },
	{ "all", CONF_BOOL, AT(AuditArgs, all),
	  .help = "read what .gitignore names and virtual environments too" },
	{ "no-history", CONF_BOOL, AT(AuditArgs, no_history),
	  .help = "do not read what git tells of changes and people" },
	{ "html", CONF_PATH, AT(AuditArgs, html), .value = "FILE",
	  .help = "write the report as one page for a browser" },
	{ "quiet", CONF_BOOL, AT(AuditArgs, quiet), .letter = 'q', .help = "no progress" },
	AFTER_OPTIONS(AuditArgs, after),
};

static void show_progress(void *arg, size_t done, size_t of)
{
	FILE *to = arg;

	fprintf(to, "\r%zu of %zu files%s", done, of, done == of ? "\r\033[K" : "");
	fflush(to);
}

static void project_finip(Project *project)
{
	project_fini(project);
}

static Err *audit_run(Cmd *cmd)
{
	const AuditArgs *args = cmd->args;
	AUTO(project_finip) Project project = { 0 };
	AUTO(buf_fini) Buf json = { 0 };
	bool done = false;
	History history = { .why_not = S("--no-history") };
	HistoryFindings told;
	ProjectRules rules = { .sources = { .exclude = args->exclude.at,
		                            .exclude_count = args->exclude.count,
		                            .all = args->all },
		               .cc = args->cc };

	if (!args->quiet && isatty(STDERR_FILENO)) {
		rules.progress = show_progress;
		rules.arg = stderr;
	}
	TRY(project_read(cmd->arena, args->root, &rules, &project));
	TRY(after_run(cmd, &args->after, &project, &done));
	if (done)
		return NULL;
	if (!args->no_history)
		history_read(cmd->arena, args->root, &history);
	history_judge(cmd->arena, &history, &project, &told);
	if (args->html.len) {
		Audit audit = { .project = project, .history = history, .told = told };

		review_hard_functions(cmd->arena, &project, &audit.findings);
		findings_sort(&audit.findings);
		report_json(&json, &project, args->cc, &told);
		TRY(html_write(cmd->arena, args->html, &audit,
		               &(HtmlParts){ .json = buf_str(&json) }));
		buf_clear(&json);
	}
	if (!cmd->json) {
		report_screen(cmd->out, cmd->arena, &project, args->cc);
		history_screen(cmd->out, &told, &project);
		return NULL;
	}
	report_json(&json, &project, args->cc, &told);
	buf_putc(&json, '\n');
	fwrite(json.at, 1, json.len, cmd->out);
	return NULL;
}

const Command *audit_commands(size_t *count)
{
	static const Command rows[] = {
		{ "audit", .group = "assess",
		  .summary = "what a Python code base is made of, and where it is hard to change",
		  .run = audit_run, .json = true, COMMAND_OPTIONS(audit_options),
		  COMMAND_OPERANDS(audit_operands), .size = sizeof(AuditArgs),
		  .examples = "banyan audit ~/shop\nbanyan audit . --json -x 'legacy/**'\n"
		              "banyan audit . --baseline --score users=500 --score deploy=45\n"
		              "banyan audit . --review --capacity 640\n" },
	};

	*count = COUNT(rows);
	return rows;
}

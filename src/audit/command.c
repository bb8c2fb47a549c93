/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan audit`: what the command line says, handed to those who read, and to those who report. */
#include "audit/command.h"

#include "audit/after.h"
#include "audit/rev_compare.h"
#include "audit/report.h"
#include "audit/rules.h"
#include "base/arena.h"
#include "base/json.h"

#include <unistd.h>

typedef struct Args {
	AuditArgs audit;
	AfterArgs after;
	ReportArgs reports;
	Str compare;
	bool rules;
	Str explain;
} Args;

static const ConfKey audit_operands[] = { AUDIT_OPERANDS(Args, audit) };
static const ConfKey audit_options[] = {
	AUDIT_OPTIONS(Args, audit),
	REPORT_OPTIONS(Args, reports),
	{ "compare", CONF_STR, AT(Args, compare), .value = "REV",
	  .help = "tell what is new and what is mended since a revision of git" },
	AFTER_OPTIONS(Args, after),
	{ "rules", CONF_BOOL, AT(Args, rules), .help = "list all rules, and read nothing" },
	{ "explain", CONF_STR, AT(Args, explain), .value = "RULE",
	  .help = "what a rule is about, by its id or name, and read nothing" },
};

static void show_progress(void *arg, const char *what, size_t done, size_t of)
{
	FILE *to = arg;

	if (of && done >= of)
		fprintf(to, "\r\033[K");
	else if (of)
		fprintf(to, "\r%zu of %zu %s, %zu %%\033[K", done, of, what, 100 * done / of);
	else if (done)
		fprintf(to, "\r%zu %s\033[K", done, what);
	else
		fprintf(to, "\r%s ...\033[K", what);
	fflush(to);
}

void audit_show_progress(AuditRules *rules, bool quiet)
{
	if (quiet || !isatty(STDERR_FILENO))
		return;
	rules->progress = show_progress;
	rules->progress_arg = stderr;
}

void audit_end_progress(const AuditRules *rules)
{
	if (rules->progress)
		fputs("\r\033[K", stderr);
}

static void audit_finip(Audit *audit)
{
	audit_fini(audit);
}

static Err *tell(Cmd *cmd, const Args *args, const Audit *audit, const AuditRules *rules)
{
	AUTO(buf_fini) Buf json = { 0 };
	bool spoke;
	Str text;

	TRY(report_files(cmd->arena, &args->reports, audit, rules, cmd->out, &spoke));
	if (spoke)
		return NULL;
	if (!cmd->json) {
		report_screen(cmd->out, cmd->arena, audit, rules);
		report_files_tell(&args->reports, cmd->out);
		return NULL;
	}
	report_json(&json, audit, rules);
	buf_putc(&json, '\n');
	TRY(buf_done(&json, &text));
	fwrite(text.at, 1, text.len, cmd->out);
	return NULL;
}

/* What is asked of the rules alone. */
static Err *tell_rules(Cmd *cmd, const Args *args)
{
	const FindingRule *rule = rules_find(args->explain);
	AUTO(buf_fini) Buf b = { 0 };
	Str near = rules_nearest(args->explain);
	JsonWriter w = json_writer(&b);

	if (args->explain.len && !rule)
		return err_new(cmd->arena, ERR_INVALID, "audit.rule", "there is no rule %.*s%s%.*s",
		               STR_ARG(str_quote(cmd->arena, args->explain)),
		               near.len ? "; near is "
		               : str_find(args->explain, S(":")) > 0
		                       ? ": of its own rules that tool has to tell"
		                       : ": --rules lists them",
		               STR_ARG(near));
	if (rule)
		rules_put_explain(&b, rule);
	else if (cmd->json)
		rules_put_json(&w);
	else
		rules_put_list(&b);
	fwrite(b.at, 1, b.len, cmd->out);
	return NULL;
}

static Err *audit_run(Cmd *cmd)
{
	const Args *args = cmd->args;
	AUTO(audit_finip) Audit audit = { 0 };
	AuditRules rules;
	bool done = false;

	if (args->rules || args->explain.len)
		return tell_rules(cmd, args);
	TRY(after_check(cmd->arena, &args->after));
	TRY(audit_rules(cmd->arena, &args->audit, &rules));
	audit_show_progress(&rules, args->audit.quiet);
	TRY(audit_all(cmd->arena, &rules, &audit));
	if (args->compare.len)
		TRY(rev_compare_audit(cmd->arena, &rules, args->compare, &audit));
	audit_end_progress(&rules);
	TRY(after_run(cmd, &args->after, &audit, &rules, &done));
	return done ? report_files(cmd->arena, &args->reports, &audit, &rules, cmd->out, &done)
	            : tell(cmd, args, &audit, &rules);
}

const Command *audit_commands(size_t *count)
{
	static const Command rows[] = {
		{ "audit", .group = "assess",
		  .summary = "what a Python code base is made of, and where it is hard to change",
		  .run = audit_run, .json = true, COMMAND_OPTIONS(audit_options),
		  COMMAND_OPERANDS(audit_operands), .size = sizeof(Args),
		  .examples = "banyan audit ~/shop\nbanyan audit . --json -x 'legacy/**'\n"
		              "banyan audit . --baseline --score users=500 --score deploy=45\n"
		              "banyan audit . --review --capacity 640\n" },
	};

	*count = COUNT(rows);
	return rows;
}

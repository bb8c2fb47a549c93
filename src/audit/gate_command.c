/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan gate`. What is compared with is a baseline that was recorded (--update), or another revision (--since), for those who do not want to keep a
 * file. Exit codes are those of the house (base/err.h): 0 the gate is open, 3 it is shut, 2 it was asked wrongly or there is nothing to compare
 * with; anything else is trouble of the machine, and says nothing of the code. */
#include "audit/gate_command.h"

#include "audit/command.h"
#include "audit/rev_compare.h"
#include "audit/gate.h"
#include "audit/gate_conf.h"
#include "audit/out_file.h"
#include "audit/report.h"
#include "audit/rev_source.h"
#include "audit/tools.h"
#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"

#include <unistd.h>

enum { BASELINE_BYTES = 512 << 20 };

typedef struct Args {
	AuditArgs audit;
	ReportArgs reports;
	GateConf gate; /* what is not given is the file's */
	Str since;
	bool update, has_level, has_companions;
	CONF_LIST_OF(Str) budgets;
} Args;

static const ConfKey operands[] = { AUDIT_OPERANDS(Args, audit) };
static const ConfKey options[] = {
	{ "baseline", CONF_PATH, AT(Args, gate.baseline), .letter = 'b', .value = "FILE",
	  .help = "what was found before (banyan-baseline.json)" },
	{ "update", CONF_BOOL, AT(Args, update), .letter = 'u',
	  .help = "record what is found now; budgets only shrink" },
	{ "budget", CONF_STR, AT_LIST(Args, budgets), .value = "NAME[=MOST]",
	  .help = "with --update: one more budget, by default of what is there now" },
	{ "since", CONF_STR, AT(Args, since), .value = "REV",
	  .help = "what changed is from where HEAD left this; without a baseline it is the baseline" },
	{ "level", CONF_ENUM, AT(Args, gate.level), GIVEN(Args, has_level), .names = gate_levels,
	  .help = "new findings from this on fail the gate (warning)" },
	{ "companions", CONF_ENUM, AT(Args, gate.companions), GIVEN(Args, has_companions),
	  .names = gate_cares,
	  .help = "when a file is not changed that usually is, with one that was (warn)" },
	AUDIT_OPTIONS(Args, audit),
	REPORT_OPTIONS(Args, reports),
};

/* The file's, and over it the command line's. */
static GateConf gate_conf(const Args *args, const AuditRules *rules)
{
	GateConf conf = *(const GateConf *)audit_section(rules, gate_table());

	if (args->gate.baseline.len)
		conf.baseline = args->gate.baseline;
	if (args->has_level)
		conf.level = args->gate.level;
	if (args->has_companions)
		conf.companions = args->gate.companions;
	return conf;
}

static void audit_finip(Audit *audit)
{
	audit_fini(audit);
}

/* --- what usually changes too ------------------------------------------------------------------------------------------------------------------ */

static bool is_there(Arena *a, const AuditRules *rules, Str path)
{
	return access(str_fmt(a, "%.*s/%.*s", STR_ARG(rules->root), STR_ARG(path)).at, F_OK) == 0;
}

/* The gate's own file changes with whatever was mended, and is renewed when somebody wants it to be. */
static bool is_baseline(Str path, Str baseline)
{
	Str name = str_sub(baseline, (size_t)(str_rfind_char(baseline, '/') + 1), baseline.len);

	return str_eq(str_sub(path, (size_t)(str_rfind_char(path, '/') + 1), path.len), name);
}

/* Without a repository there is nothing to say. */
static Err *find_companions(Arena *a, Str since, Str baseline, const AuditRules *rules,
                            const Audit *audit, Companions *out)
{
	Companions all;
	RevSource *rev;
	Str *changed;
	size_t count, kept = 0;

	if (audit->history.why_not.len)
		return NULL;
	TRY(rev_source_open(a, rules->root, since.len ? since : S("HEAD"), since.len > 0, &rev));
	TRY(rev_source_changed(a, rev, &changed, &count));
	for (size_t i = 0; i < count; i++)
		if (!is_baseline(changed[i], baseline))
			changed[kept++] = changed[i];
	all = companions_absent(a, &audit->history, changed, kept, NULL, 0, COMPANION_RULES);
	for (size_t i = 0; i < all.count; i++)
		if (!is_baseline(all.at[i].absent, baseline) &&
		    is_there(a, rules, all.at[i].absent))
			all.at[out->count++] = all.at[i];
	out->at = all.at;
	return NULL;
}

/* --- what is compared with --------------------------------------------------------------------------------------------------------------------- */

static Err *load(Arena *a, Str path, Baseline *out, bool *found)
{
	Str text;
	Err *err = file_read_plain(a, path, BASELINE_BYTES, &text);

	*found = !err || err->kind != ERR_NOT_FOUND;
	if (err)
		return *found ? err : NULL;
	err = baseline_read(a, text, out);
	return err ? err_because(a, err, ERR_INVALID, "gate.baseline", "%.*s could not be read",
	                         STR_ARG(path))
	           : NULL;
}

/* PY802 is of the clones, and is told by the history too. */
static bool is_of_history(Str rule)
{
	return str_starts(rule, S("PY7")) || str_eq(rule, S("PY802"));
}

/* Who found it, when they were not asked this time; empty: they were. */
static Str unread_of(const Audit *audit, Str rule)
{
	const History *h = &audit->history;
	Str tool = tool_of_rule(rule);

	if (tool.len)
		return tools_have(audit->tools, tool) ? S("") : tool;
	return is_of_history(rule) && (h->why_not.len || h->shallow) ? S("the history") : S("");
}

/* Rows of tools whose files were not given this time, and of a history that was not read, were not looked for: they are neither there nor
 * mended. */
static void drop_unread(const Audit *audit, Baseline *was, Str *unread)
{
	size_t kept = 0;

	*unread = S("");
	for (size_t i = 0; i < was->count; i++) {
		Str by = unread_of(audit, was->rows[i].rule);

		if (by.len)
			*unread = by;
		else
			was->rows[kept++] = was->rows[i];
	}
	was->count = kept;
}

static Err *past_of(Arena *a, Str path, Str since, const AuditRules *rules, Audit *audit,
                    GateRules *gate, Baseline *out)
{
	RevCompare *compare;
	RevSource *rev;
	bool found;

	TRY(load(a, path, out, &found));
	gate->against = path;
	drop_unread(audit, out, &gate->unread);
	if (found)
		return NULL;
	if (!since.len)
		return err_new(
			a, ERR_INVALID, "gate.nothing",
			"there is no %.*s: record one with --update, or name a revision with --since",
			STR_ARG(path));
	compare = ARENA_NEW(a, RevCompare);
	TRY(rev_source_open(a, rules->root, since, true, &rev));
	TRY(rev_compare_with(a, rules, audit, rev, since, compare));
	audit->compare = compare;
	*out = compare->was;
	gate->own = true;
	gate->against = str_fmt(a, "%.*s (%.*s)", STR_ARG(since), STR_ARG(compare->id));
	return NULL;
}

/* --- --update ------------------------------------------------------------------------------------------------------------------------------------ */

/* Who took new findings into the baseline may think that it is open now. */
static void say_exceeded(Cmd *cmd, const Audit *audit, const Baseline *b)
{
	AuditFigures figures;
	double now;

	audit_figures_take(audit, &figures);
	for (size_t i = 0; i < b->budget_count; i++) {
		const Budget *budget = &b->budgets[i];

		if (budget_measure(audit, &figures, budget->name, &now) &&
		    now > budget->most + 1e-3)
			fprintf(cmd->out,
			        "The budget of %.*s stays exceeded (%.10g); who must raise it edits the file\n",
			        STR_ARG(budget->name), now);
	}
}

static void say_written(Cmd *cmd, Str path, const Audit *audit, const Baseline *b)
{
	AUTO(buf_fini) Buf out = { 0 };
	JsonWriter w = json_writer(&out);
	size_t places = 0;

	for (size_t i = 0; i < b->count; i++)
		for (uint32_t k = 0; k < b->rows[i].file_count; k++)
			places += b->rows[i].files[k].count;
	if (!cmd->json) {
		fprintf(cmd->out, "%.*s: findings in %zu place%s", STR_ARG(path), places,
		        places == 1 ? "" : "s");
		for (size_t i = 0; i < b->budget_count; i++)
			fprintf(cmd->out, "%s%.*s at most %.10g",
			        i ? ", " : "; budgets: ", STR_ARG(b->budgets[i].name),
			        b->budgets[i].most);
		fputc('\n', cmd->out);
		say_exceeded(cmd, audit, b);
		return;
	}
	json_begin_object(&w);
	json_put_str(&w, "written", path);
	json_put_u64(&w, "places", places);
	json_key(&w, S("budgets"));
	json_begin_object(&w);
	for (size_t i = 0; i < b->budget_count; i++) {
		json_key(&w, b->budgets[i].name);
		json_add_real(&w, b->budgets[i].most);
	}
	json_end(&w);
	json_end(&w);
	buf_putc(&out, '\n');
	fwrite(out.at, 1, out.len, cmd->out);
}

/* What was new until now. */
static void say_taken(Cmd *cmd, const Audit *audit, const Baseline *was)
{
	Delta delta;

	baseline_match(cmd->arena, was, &audit->findings, false, &delta);
	if (delta.fresh_count)
		fprintf(cmd->out, "%zu new finding%s taken in, and will pass from now on\n",
		        delta.fresh_count, delta.fresh_count == 1 ? " was" : "s were");
}

static Err *update(Cmd *cmd, const Args *args, Str path, const Audit *audit)
{
	AUTO(buf_fini) Buf b = { 0 };
	Baseline was = { 0 }, now;
	bool found;
	Str text, unread;

	TRY(load(cmd->arena, path, &was, &found));
	drop_unread(audit, &was, &unread);
	if (unread.len)
		return err_new(
			cmd->arena, ERR_INVALID, "gate.unread",
			"%.*s has findings of %.*s: let that be read (a tool's by --with), as "
			"they would be lost and budgets shrink by them, or take its lines out of the file",
			STR_ARG(path), STR_ARG(unread));
	TRY(gate_renew(cmd->arena, found ? &was : NULL, audit, args->budgets.at,
	               args->budgets.count, &now));
	baseline_put(&b, cmd->arena, &now);
	TRY(buf_done(&b, &text));
	TRY(out_write(cmd->arena, path, text));
	say_written(cmd, path, audit, &now);
	if (found && !cmd->json)
		say_taken(cmd, audit, &was);
	return NULL;
}

/* --- the gate ------------------------------------------------------------------------------------------------------------------------------------ */

static Err *tell(Cmd *cmd, const Args *args, const AuditRules *rules, const Audit *audit)
{
	AUTO(buf_fini) Buf json = { 0 };
	JsonWriter w = json_writer(&json);
	bool spoke;
	Str text;

	TRY(report_files(cmd->arena, &args->reports, audit, rules, cmd->out, &spoke));
	if (spoke)
		return NULL;
	if (!cmd->json) {
		gate_screen(cmd->out, cmd->arena, audit->gate);
		return NULL;
	}
	gate_put(&w, audit->gate);
	buf_putc(&json, '\n');
	TRY(json_done(&w, &text));
	fwrite(text.at, 1, text.len, cmd->out);
	return NULL;
}

static Err *judge(Cmd *cmd, const Args *args, const AuditRules *rules, Audit *audit)
{
	const GateConf conf = gate_conf(args, rules);
	Gate *gate = ARENA_NEW(cmd->arena, Gate);
	Baseline was = { 0 };

	gate->rules = (GateRules){ .companions = conf.companions, .level = conf.level };
	TRY(past_of(cmd->arena, conf.baseline, args->since, rules, audit, &gate->rules, &was));
	if (conf.companions != GATE_OFF)
		TRY(find_companions(cmd->arena, args->since, conf.baseline, rules, audit,
		                    &gate->companions));
	gate_judge(cmd->arena, &was, audit, gate);
	audit->gate = gate;
	TRY(tell(cmd, args, rules, audit));
	return gate->passed ? NULL
	                    : err_new(cmd->arena, ERR_VERDICT, "gate.shut", "%.*s",
	                              STR_ARG(gate_why(cmd->arena, gate)));
}

static Err *gate_run(Cmd *cmd)
{
	const Args *args = cmd->args;
	AUTO(audit_finip) Audit audit = { 0 };
	AuditRules rules;

	if (args->budgets.count && !args->update)
		return err_new(
			cmd->arena, ERR_INVALID, "gate.budget",
			"--budget is recorded by --update; the gate goes by what was recorded");
	TRY(audit_rules(cmd->arena, &args->audit, &rules));
	audit_show_progress(&rules, args->audit.quiet);
	TRY(audit_all(cmd->arena, &rules, &audit));
	audit_end_progress(&rules);
	return args->update ? update(cmd, args, gate_conf(args, &rules).baseline, &audit)
	                    : judge(cmd, args, &rules, &audit);
}

const Command *gate_commands(size_t *count)
{
	static const Command rows[] = {
		{ "gate", .group = "assess",
		  .summary = "does a change leave the code no worse than it was?",
		  .help = "Passes what was there before, and fails what is new. Exit codes: 0 the gate is open, 3 it is shut, "
		          "2 it was asked wrongly or there is nothing to compare with.",
		  .run = gate_run, .json = true, COMMAND_OPTIONS(options),
		  COMMAND_OPERANDS(operands), .size = sizeof(Args),
		  .examples =
		          "banyan gate --update\nbanyan gate\nbanyan gate --since origin/main --markdown comment.md\n"
		          "banyan gate --update --budget security=0 --budget rule:god-class\n" },
	};

	*count = COUNT(rows);
	return rows;
}

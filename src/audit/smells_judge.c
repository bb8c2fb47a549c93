/* SPDX-License-Identifier: Apache-2.0
 *
 * The step: facts of files become findings. What depends on a limit of the configuration, on a file's path, or on other files is told here,
 * so that the facts themselves hold whatever the configuration is and wherever a file goes. */
#include "audit/smells_int.h"

#include "base/arena.h"

#define LIMIT(name_, field_, def_, help_) \
	{ \
		name_, CONF_UINT, AT(SmellsConf, field_), .def = def_, .min = "1", \
							  .max = "1000000", .help = help_ \
	}
static const ConfKey keys[] = {
	LIMIT("cognitive", cognitive, "15", "cognitive complexity of a function"),
	LIMIT("statements", statements, "50", "statements of a function"),
	LIMIT("arguments", arguments, "7", "arguments of a function, self and cls apart"),
	LIMIT("nesting", nesting, "4", "control structures within each other"),
	LIMIT("class_methods", class_methods, "20", "methods of a class"),
	LIMIT("class_lines", class_lines, "500", "lines of a class"),
	LIMIT("class_complexity", class_complexity, "47",
	      "cyclomatic complexity of all methods of a class (Lanza and Marinescu's WMC)"),
	LIMIT("module_lines", module_lines, "1000", "lines of code of a file"),
	LIMIT("module_units", module_units, "60", "functions and classes of a file, methods apart"),
	LIMIT("view_statements", view_statements, "20", "statements of a view"),
	LIMIT("model_methods", model_methods, "15", "methods of a model"),
	LIMIT("clump_size", clump_size, "4", "arguments that travel together, 3 to 6"),
	LIMIT("clump_places", clump_places, "4", "functions with them"),
};

const ConfTable *smells_table(void)
{
	static const ConfTable table = {
		"audit limits", CONF_ROWS(SmellsConf, keys),
		.help = "the largest figures that are fine; above them is a finding"
	};

	return &table;
}

void smells_judge_add(const Judge *j, SmellId id, const AuditFile *file, const Finding *partly)
{
	Finding f = *partly;

	if (!smell_is_for(id, file->kind))
		return;
	f.rule = smell_rule(id);
	f.path = file->path;
	if (!f.print)
		f.print = finding_print(f.rule, f.path, f.unit, S(""));
	finding_add(j->a, &j->audit->findings, &f);
}

/* --- paths --------------------------------------------------------------------------------------------------------------------------------- */

static bool is_in(Str word, const Str *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(word, words[i]))
			return true;
	return false;
}

/* Folders are parts of the path, whole. */
static bool is_script_path(Str path)
{
	static const Str folders[] = { S("commands"), S("scripts"), S("bin"),     S("tools"),
		                       S("cmd"),      S("cli"),     S("examples") };
	static const Str names[] = { S("setup.py"), S("manage.py"),   S("__main__.py"),
		                     S("cli.py"),   S("conftest.py"), S("fabfile.py") };
	Str part = S("");

	while (str_split(&path, '/', &part))
		if (path.at && is_in(part, folders, COUNT(folders)))
			return true;
	return is_in(part, names, COUNT(names));
}

/* Settings that are for everybody. */
static bool is_live_settings(Str path)
{
	return str_find(path, S("settings")) >= 0 && str_find(path, S("dev")) < 0 &&
	       str_find(path, S("local")) < 0 && str_find(path, S("test")) < 0 &&
	       str_find(path, S("global_settings")) < 0;
}

static bool is_fine_here(SmellId id, Str path)
{
	switch ((unsigned)id) {
	case SMELL_PRINT_CALL:
		return is_script_path(path);
	case SMELL_STAR_IMPORT:
		return str_ends(path, S("__init__.py")) || str_find(path, S("settings")) >= 0;
	case SMELL_DJANGO_DEBUG:
		return !is_live_settings(path);
	default:
		return false;
	}
}

/* --- facts of files ------------------------------------------------------------------------------------------------------------------------ */

static void judge_file(const Judge *j, const AuditFile *file, const FileSmells *facts)
{
	for (uint32_t i = 0; i < facts->smell_count; i++) {
		const Smell *s = &facts->smells[i];

		if (s->rule >= SMELLS || is_fine_here((SmellId)s->rule, file->path))
			continue;
		smells_judge_add(j, (SmellId)s->rule, file,
		                 &(Finding){ .line = s->line,
		                             .end_line = s->end_line,
		                             .unit = s->unit,
		                             .text = s->text,
		                             .amount = s->amount,
		                             .print = finding_print(smell_rule((SmellId)s->rule),
		                                                    file->path, s->unit,
		                                                    (Str){ (const char *)&s->place,
		                                                           sizeof(s->place) }) });
	}
}

Err *smells_step(Arena *a, const AuditRules *rules, Audit *audit)
{
	AUTO(arena_freep) Arena *scratch = arena_new(0);
	const Judge j = { .a = a,
		          .scratch = scratch,
		          .conf = audit_section(rules, smells_table()),
		          .audit = audit };

	for (size_t i = 0; i < audit->project.count; i++) {
		const AuditFile *file = &audit->project.files[i];

		if (file->facts[FACTS_SMELLS])
			judge_file(&j, file, file->facts[FACTS_SMELLS]);
		limits_judge(&j, file);
		arena_clear(scratch);
	}
	clumps_judge(&j);
	models_judge(&j);
	return NULL;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * What is wrong with who needs whom, as findings: a circle is one finding at the first import that it takes to cut it; a breach of a contract one at
 * the import by which it begins; a definition that nobody uses one at its first line. */
#include "audit/links_names.h"

#include "audit/rules.h"
#include "base/arena.h"

#include <dirent.h>

enum { NAMES_SHOWN = 6, PATHS_SHOWN = 50, CUTS_SHOWN = 3, DOTS_SHOWN = 12 };

typedef enum RuleAt {
	RULE_CIRCLE,
	RULE_LAZY,
	RULE_BREACH,
	RULE_LOST,
	RULE_DEAD,
	RULE_DEAD_MODULE,
	RULE_TESTS,
	RULES
} RuleAt;

static const FindingRule rules[] = {
	[RULE_CIRCLE] = { "PY501", "circular-import", FINDING_ARCHITECTURE, FINDING_WARNING,
	                  "modules that import each other in a circle when they are loaded",
	                  "Whether the program starts depends on which of them is imported first, and none of "
	                  "them can be understood, tested or moved alone. Move what both need to a third "
	                  "module, or turn one of the imports around.",
	                  15, 45 },
	[RULE_LAZY] = { "PY502", "lazy-circle", FINDING_ARCHITECTURE, FINDING_NOTE,
	                "modules that need each other in a circle, closed by an import within a function",
	                "It loads, but the modules still cannot be parted: an import within a function is "
	                "usually a circle that somebody got around.",
	                5, 15 },
	[RULE_BREACH] = { "PY503", "layer-breach", FINDING_ARCHITECTURE, FINDING_ERROR,
	                  "an import that a contract of the project forbids",
	                  "Contracts keep parts apart that are to be changed, or moved, alone; each breach is "
	                  "one more thing to undo on that day. Import what the layer offers, or hand it in.",
	                  30, 15 },
	[RULE_LOST] = { "PY504", "lost-import", FINDING_BUG, FINDING_WARNING,
	                "an import of a module of the project that is not there",
	                "It fails when it runs. If something makes the module later (a build, a generator), say "
	                "so with an ignore.",
	                10, 0 },
	[RULE_DEAD] = { "PY511", "dead-code", FINDING_MAINTAIN, FINDING_NOTE,
	                "code that nothing uses",
	                "It is read, tested and carried along by every change for nothing. Take it out; git "
	                "remembers it.",
	                5, 0.05 },
	[RULE_DEAD_MODULE] = { "PY512", "dead-module", FINDING_MAINTAIN, FINDING_NOTE,
	                       "a module that nothing imports, names or starts",
	                       "Take it out, or say where it is started from.", 10, 0.02 },
	[RULE_TESTS] = { "PY513", "only-tests", FINDING_MAINTAIN, FINDING_NOTE,
	                 "code that only its tests use",
	                 "The tests keep alive what the program does not need. Take out both, or move it to "
	                 "the tests.",
	                 5, 0.05 },
};
_Static_assert(COUNT(rules) == RULES, "a rule is missing");

const FindingRule *links_rules(size_t *count)
{
	*count = COUNT(rules);
	return rules;
}

typedef struct Telling {
	Arena *a;
	const LinksConf *conf;
	const Links *links;
	const Project *project;
	Findings *out;
} Telling;

static Str name_of(const Telling *t, uint32_t module)
{
	return t->links->modules[module].name;
}

static void put_chain(const Telling *t, Buf *b, const uint32_t *edges, uint32_t count)
{
	buf_put(b, name_of(t, t->links->edges[edges[0]].from));
	for (uint32_t i = 0; i < count; i++) {
		if (count > NAMES_SHOWN && i == NAMES_SHOWN - 2) {
			buf_fmt(b, " -> (%u more)", count - NAMES_SHOWN + 1);
			i = count - 2;
			continue;
		}
		buf_put(b, S(" -> "));
		buf_put(b, name_of(t, t->links->edges[edges[i]].to));
	}
}

static void set_paths(const Telling *t, Finding *f, const uint32_t *modules, uint32_t count)
{
	Str *paths = ARENA_ARRAY(t->a, Str, MIN(count, (uint32_t)PATHS_SHOWN) + 1);

	for (uint32_t i = 0; i < count && f->path_count < PATHS_SHOWN; i++)
		if (!str_eq(t->project->files[modules[i]].path, f->path))
			paths[f->path_count++] = t->project->files[modules[i]].path;
	f->paths = paths;
}

static void add(const Telling *t, Finding *f, Str place)
{
	f->print = finding_print(f->rule, f->path, f->unit, place);
	finding_add(t->a, t->out, f);
}

/* --- circles -------------------------------------------------------------------------------------------------------------------------- */

static Str circle_text(const Telling *t, const LinkCycle *c)
{
	AUTO(buf_fini) Buf b = { 0 };

	buf_fmt(&b, "%u modules %s: ", c->count,
	        c->lazy ? "need each other, some from within functions"
	                : "import each other when they are loaded");
	put_chain(t, &b, c->circle, c->circle_count);
	if (c->cut_count > 1 || c->count > 2) {
		buf_fmt(&b, "; no circle is left without %u import%s: ", c->cut_count,
		        c->cut_count > 1 ? "s" : "");
		for (uint32_t i = 0; i < MIN(c->cut_count, (uint32_t)CUTS_SHOWN); i++) {
			const LinkEdge *e = &t->links->edges[c->cut[i]];

			buf_fmt(&b, "%s%.*s -> %.*s", i ? ", " : "", STR_ARG(name_of(t, e->from)),
			        STR_ARG(name_of(t, e->to)));
		}
		if (c->cut_count > CUTS_SHOWN)
			buf_put(&b, S(", ..."));
	}
	return str_dup(t->a, buf_str(&b));
}

static void tell_circles(const Telling *t)
{
	for (size_t i = 0; i < t->links->cycle_count; i++) {
		const LinkCycle *c = &t->links->cycles[i];
		const LinkEdge *cut = &t->links->edges[c->cut_count ? c->cut[0] : c->circle[0]];
		Finding f = { .rule = &rules[c->lazy ? RULE_LAZY : RULE_CIRCLE],
			      .path = t->project->files[cut->from].path,
			      .line = cut->line,
			      .end_line = cut->line,
			      .amount = c->cut_count,
			      .text = circle_text(t, c) };

		set_paths(t, &f, c->modules, c->count);
		/* Not its name: when the root is a package, the name begins with what the checkout's folder is called. */
		add(t, &f, t->project->files[c->modules[0]].path);
	}
}

/* --- contracts ------------------------------------------------------------------------------------------------------------------------ */

static void tell_breaches(const Telling *t)
{
	for (size_t i = 0; i < t->links->breach_count; i++) {
		const LinkBreach *breach = &t->links->breaches[i];
		const LinkContractState *contract = &t->links->contracts[breach->contract];
		AUTO(buf_fini) Buf b = { 0 };
		Finding f = { .rule = &rules[RULE_BREACH],
			      .path = t->project->files[breach->module].path,
			      .line = breach->line,
			      .end_line = breach->line,
			      .amount = breach->chain_count + (breach->outside.len > 0) - 1.0 };
		uint32_t last = breach->module;

		buf_fmt(&b, "breaks \"%.*s\" (%s): ", STR_ARG(contract->name), contract->kind);
		if (breach->chain_count) {
			put_chain(t, &b, breach->chain, breach->chain_count);
			last = t->links->edges[breach->chain[breach->chain_count - 1]].to;
		} else {
			buf_put(&b, name_of(t, breach->module));
		}
		if (breach->outside.len)
			buf_fmt(&b, " -> %.*s", STR_ARG(breach->outside));
		f.text = str_dup(t->a, buf_str(&b));
		if (last != breach->module)
			set_paths(t, &f, &last, 1);
		add(t, &f,
		    str_fmt(t->a, "%.*s %.*s %.*s", STR_ARG(contract->name),
		            STR_ARG(name_of(t, last)), STR_ARG(breach->outside)));
	}
}

/* --- imports that lead nowhere -------------------------------------------------------------------------------------------------------- */

/* A module that a compiler makes, or has made: `x.pyx`, `x.cpython-311-x86_64-linux-gnu.so`; or a folder of that name. */
static bool is_built(const Telling *t, uint32_t module, const LinkImport *import)
{
	Str place = links_names_place(t->links->names, t->a, module, import);
	ptrdiff_t slash = str_rfind_char(place, '/');
	Str name = str_sub(place, (size_t)(slash + 1), place.len);
	Str folder = str_fmt(t->a, "%.*s/%.*s", STR_ARG(t->project->sources.root),
	                     STR_ARG(slash < 0 ? S("") : str_sub(place, 0, (size_t)slash)));
	DIR *dir = opendir(str_z(t->a, folder));
	const struct dirent *entry;
	bool built = false;

	while (dir && !built && (entry = readdir(dir))) {
		Str found = str_of(entry->d_name);

		built = str_starts(found, name) &&
		        (found.len == name.len || found.at[name.len] == '.');
	}
	if (dir)
		closedir(dir);
	return built;
}

static void tell_lost_in(const Telling *t, uint32_t m, const FileLinks *file)
{
	const Target *targets = &t->links->names->targets[t->links->names->first_import[m]];
	Str last = S("");

	for (uint32_t i = 0; i < file->import_count; i++) {
		const LinkImport *import = &file->imports[i];
		Finding f = { .rule = &rules[RULE_LOST], .path = t->project->files[m].path };
		Str what;

		if (!targets[i].lost || (import->kind != IMPORT_TOP && import->kind != IMPORT_LAZY))
			continue;
		what = str_fmt(t->a, "%.*s%.*s", MIN((int)import->dots, DOTS_SHOWN), "............",
		               STR_ARG(import->module));
		if (!import->module.len)
			what = str_fmt(t->a, "%.*s%.*s", STR_ARG(what), STR_ARG(import->name));
		if (str_eq(what, last) || is_built(t, m, import))
			continue;
		last = what;
		f.line = f.end_line = import->line;
		f.text = str_fmt(t->a, "there is no module %.*s", STR_ARG(what));
		add(t, &f, what);
	}
}

static void tell_lost(const Telling *t)
{
	for (uint32_t m = 0; m < t->links->module_count; m++) {
		SourceKind kind = t->project->files[m].kind;

		if (t->links->modules[m].links && (kind == SOURCE_CODE || kind == SOURCE_MIGRATION))
			tell_lost_in(t, m, t->links->modules[m].links);
	}
}

/* --- dead code ------------------------------------------------------------------------------------------------------------------------ */

static Str unit_of(const Telling *t, const FileLinks *file, uint32_t def)
{
	const LinkDef *d = &file->defs[def];

	return d->parent == LINK_NONE
	               ? d->name
	               : str_fmt(t->a, "%.*s.%.*s", STR_ARG(file->defs[d->parent].name),
	                         STR_ARG(d->name));
}

static void tell_dead(const Telling *t)
{
	for (size_t i = 0; i < t->links->dead_count; i++) {
		const LinkDead *dead = &t->links->dead[i];
		const AuditFile *source = &t->project->files[dead->module];
		const FileLinks *file = t->links->modules[dead->module].links;
		Finding f = { .rule = &rules[dead->why == DEAD_TESTS  ? RULE_TESTS
			                     : dead->def == LINK_NONE ? RULE_DEAD_MODULE
			                                              : RULE_DEAD],
			      .path = source->path };

		if (dead->confidence < t->conf->confidence)
			continue;
		if (dead->def == LINK_NONE) {
			f.amount = source->measures.lines.loc;
			f.text = str_fmt(t->a, "module %.*s: %s (%u %% sure)",
			                 STR_ARG(name_of(t, dead->module)),
			                 dead_why_text(dead->why), dead->confidence);
		} else {
			const LinkDef *def = &file->defs[dead->def];

			f.unit = unit_of(t, file, dead->def);
			f.line = def->line;
			f.end_line = def->end_line;
			f.amount = def->end_line - def->line + 1;
			f.text = str_fmt(t->a, "%s %.*s: %s (%u %% sure)",
			                 def_kind_name((DefKind)def->kind), STR_ARG(f.unit),
			                 dead_why_text(dead->why), dead->confidence);
		}
		add(t, &f, S(""));
	}
}

void links_findings(Arena *a, const LinksConf *conf, const Links *links, const Project *project,
                    Findings *out)
{
	const Telling t = { a, conf, links, project, out };

	tell_circles(&t);
	tell_breaches(&t);
	tell_lost(&t);
	tell_dead(&t);
}

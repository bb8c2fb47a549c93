/* SPDX-License-Identifier: Apache-2.0
 *
 * What a chain of names stands for: from binding to binding. A name is a definition, or an import that leads to a module, or stands in a star;
 * modules that hand on what they import are gone through, stars too (a star in
 * a star, no deeper). Sixteen steps are more than any honest program takes; circles end there. */
#include "audit/links_names.h"

#include "base/arena.h"

enum { STEPS_MOST = 16 };

typedef struct Walk {
	const LinkNames *names;
	Arena *a;
	uint32_t module;
	Str rest;    /* of the chain, from here */
	Str outside; /* where it went when it left */
	LinkPlace *out;
} Walk;

typedef enum Step { STEP_ON, STEP_FOUND, STEP_LOST } Step;

static Str joined(Arena *a, Str x, Str y)
{
	return !x.len ? y : !y.len ? x : str_fmt(a, "%.*s.%.*s", STR_ARG(x), STR_ARG(y));
}

/* A class's members, and theirs. */
static Step at_def(Walk *w, uint32_t def, Str rest)
{
	const FileLinks *file = links_names_file(w->names, w->module);

	while (rest.len && file->defs[def].kind == DEF_CLASS) {
		Str tail = rest, part;
		uint32_t member;

		str_split(&tail, '.', &part);
		if (links_names_bound(w->names, w->module, def, part, &member) != BOUND_DEF)
			break;
		def = member;
		rest = tail;
	}
	*w->out = (LinkPlace){ w->module, def, rest };
	return STEP_FOUND;
}

static Step leave(Walk *w, const LinkImport *import, Str rest)
{
	if (!import->dots) {
		Str name = joined(w->a, import->module, import->name);

		/* `import a.b` binds a, and the chain says the rest. */
		if (!import->name.len && str_starts(import->module, import->bound) &&
		    !str_eq(import->module, import->bound))
			name = import->bound;
		w->outside = joined(w->a, name, rest);
	}
	return STEP_LOST;
}

/* `chain` begins with the name that the import binds; `rest` is what comes after that. */
static Step over_import(Walk *w, uint32_t index, Str chain, Str rest)
{
	const LinkImport *import = &links_names_file(w->names, w->module)->imports[index];
	const Target *target = &w->names->targets[w->names->first_import[w->module] + index];
	Str left = S("");

	if (!import->name.len && !import->dots && !target->beside &&
	    str_find_char(import->module, '.') >= 0 && str_find_char(import->bound, '.') < 0 &&
	    str_starts(import->module, import->bound) &&
	    import->module.at[import->bound.len] == '.') {
		uint32_t module = links_names_absolute(w->names, w->module, chain, &left);

		if (module == LINK_NONE)
			return leave(w, import, rest);
		w->module = module;
		w->rest = left;
		return STEP_ON;
	}
	if (target->module == LINK_NONE)
		return leave(w, import, rest);
	w->module = target->module;
	w->rest = target->whole ? rest : joined(w->a, import->name, rest);
	return STEP_ON;
}

/* A module that one of this module's stars takes the name from; LINK_NONE. */
static uint32_t star_of(const LinkNames *names, uint32_t module, Str name, bool deeper)
{
	const FileLinks *file = links_names_file(names, module);

	for (uint32_t i = 0; file && file->stars && i < file->import_count; i++) {
		uint32_t target = names->targets[names->first_import[module] + i].module, index;

		if (!str_eq(file->imports[i].name, S("*")) || target == LINK_NONE ||
		    target == module)
			continue;
		if (links_names_bound(names, target, LINK_NONE, name, &index) != BOUND_NOTHING)
			return target;
		target = deeper ? star_of(names, target, name, false) : LINK_NONE;
		if (target != LINK_NONE)
			return target;
	}
	return LINK_NONE;
}

static Step over_stars(Walk *w, Str first)
{
	uint32_t module = star_of(w->names, w->module, first, true);

	if (module == LINK_NONE)
		return STEP_LOST;
	w->module = module;
	return STEP_ON;
}

static Step step(Walk *w, bool begin)
{
	Str chain = w->rest, rest = w->rest, first;
	uint32_t index;
	BoundKind bound;

	if (!chain.len) {
		*w->out = (LinkPlace){ w->module, LINK_NONE, S("") };
		return STEP_FOUND;
	}
	str_split(&rest, '.', &first);
	if (!rest.at)
		rest = S("");
	if (!links_names_file(w->names, w->module))
		return STEP_LOST;
	bound = links_names_bound(w->names, w->module, LINK_NONE, first, &index);
	if (bound == BOUND_DEF)
		return at_def(w, index, rest);
	if (bound == BOUND_IMPORT)
		return over_import(w, index, chain, rest);
	if (!begin) {
		uint32_t inside = links_names_inside(w->names, w->module, first);

		if (inside != LINK_NONE) {
			w->module = inside;
			w->rest = rest;
			return STEP_ON;
		}
	}
	if (over_stars(w, first) == STEP_ON)
		return STEP_ON;
	if (begin)
		return STEP_LOST;
	*w->out = (LinkPlace){ w->module, LINK_NONE, chain };
	return STEP_FOUND;
}

bool links_find(const Links *links, Arena *a, uint32_t module, Str chain, LinkPlace *out,
                Str *outside)
{
	Walk w = { .names = links->names, .a = a, .module = module, .rest = chain, .out = out };
	Step got = STEP_ON;

	if (outside)
		*outside = S("");
	if (!chain.len)
		return false;
	for (size_t i = 0; i < STEPS_MOST && got == STEP_ON; i++)
		got = step(&w, i == 0);
	if (got != STEP_FOUND && outside)
		*outside = w.outside;
	return got == STEP_FOUND;
}

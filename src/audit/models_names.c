/* SPDX-License-Identifier: Apache-2.0
 *
 * What a name in one file stands for in another. Modules are found from the folders above a file that are no packages (where Python would be
 * started), the outermost first, and else by the end of their path. A name goes through imports, those of packages' __init__ and stars too, for
 * so many steps and no more: circles of imports are ordinary. */
#include "audit/models_join.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

enum { HOPS = 16, STARS = 32, NAME_BYTES = 1024 };

typedef enum SymbolKind { SYMBOL_NONE, SYMBOL_UNIT, SYMBOL_IMPORT, SYMBOL_VAR } SymbolKind;
typedef struct Symbol {
	uint32_t hash, file, index;
	uint8_t kind;
} Symbol;

/* Modules that a file takes everything from, each once; found when they are first asked for. */
typedef struct StarList {
	uint32_t *files, count;
	bool known;
} StarList;

struct Names {
	Arena *arena;
	const Project *project;
	Map modules;  /* "a.b.c": file and 1, as a pointer */
	Map suffixes; /* "b.c", when a is no package */
	Str *of_file;
	StarList *stars; /* by file */
	Symbol *symbols;
	size_t mask;
};

static void map_finip(void *map)
{
	map_fini(map);
}

static void *boxed(uint32_t n)
{
	return (void *)(uintptr_t)(n + 1);
}

static uint32_t unboxed(const void *box)
{
	return box ? (uint32_t)((uintptr_t)box - 1) : MODEL_NONE;
}

/* --- pairs -------------------------------------------------------------------------------------------------------------------------- */

static size_t pair_slot(const PairMap *map, uint64_t key)
{
	size_t at = (size_t)((key * UINT64_C(0x9E3779B97F4A7C15)) >> 20) & (map->cap - 1);

	while (map->slots[at].value && map->slots[at].key != key)
		at = (at + 1) & (map->cap - 1);
	return at;
}

uint32_t pair_get(const PairMap *map, uint32_t one, uint32_t other)
{
	size_t at;

	if (!map->cap)
		return MODEL_NONE;
	at = pair_slot(map, (uint64_t)one << 32 | other);
	return map->slots[at].value - 1; /* of an empty one: MODEL_NONE */
}

void pair_put(Arena *a, PairMap *map, uint32_t one, uint32_t other, uint32_t value)
{
	uint64_t key = (uint64_t)one << 32 | other;
	size_t at;

	if (2 * map->count >= map->cap) {
		PairMap larger = { .cap = MAX((size_t)64, 2 * map->cap), .count = map->count };

		larger.slots = ARENA_ARRAY(a, PairSlot, larger.cap);
		for (size_t i = 0; i < map->cap; i++)
			if (map->slots[i].value)
				larger.slots[pair_slot(&larger, map->slots[i].key)] = map->slots[i];
		*map = larger;
	}
	at = pair_slot(map, key);
	map->count += !map->slots[at].value;
	map->slots[at] = (PairSlot){ key, value + 1 };
}

/* --- symbols of modules -------------------------------------------------------------------------------------------------------------- */

const FileModels *names_facts(const Project *project, uint32_t file)
{
	return project->files[file].facts[FACTS_MODELS];
}

static uint32_t symbol_hash(uint32_t file, Str name)
{
	uint32_t hash = 2166136261U ^ (file * 2654435761U);

	for (size_t i = 0; i < name.len; i++)
		hash = (hash ^ (unsigned char)name.at[i]) * 16777619U;
	return hash ^ hash >> 15;
}

static Str symbol_name(const Project *p, const Symbol *symbol)
{
	const FileModels *f = names_facts(p, symbol->file);

	switch (symbol->kind) {
	case SYMBOL_UNIT:
		return p->files[symbol->file].measures.units[symbol->index].name;
	case SYMBOL_IMPORT:
		return f->imports[symbol->index].local;
	case SYMBOL_VAR:
		return f->vars[symbol->index].name;
	default:
		return S("");
	}
}

static Symbol *symbol_at(const Names *n, uint32_t file, Str name)
{
	uint32_t hash = symbol_hash(file, name);
	size_t at = hash & n->mask;

	while (n->symbols[at].kind &&
	       !(n->symbols[at].hash == hash && n->symbols[at].file == file &&
	         str_eq(symbol_name(n->project, &n->symbols[at]), name)))
		at = (at + 1) & n->mask;
	return &n->symbols[at];
}

/* The first kind wins: a class or function before an import before a variable. */
static void add_symbol(Names *n, uint32_t file, Str name, SymbolKind kind, uint32_t index)
{
	Symbol *at = symbol_at(n, file, name);

	if (!at->kind)
		*at = (Symbol){ .hash = symbol_hash(file, name),
			        .file = file,
			        .index = index,
			        .kind = (uint8_t)kind };
}

static size_t count_symbols(const Project *p)
{
	size_t count = 0;

	for (size_t i = 0; i < p->count; i++) {
		const FileModels *f = names_facts(p, (uint32_t)i);

		if (f)
			count += f->import_count + f->var_count;
		count += p->files[i].measures.unit_count;
	}
	return count;
}

static void add_symbols(Names *n, uint32_t file)
{
	const Measures *m = &n->project->files[file].measures;
	const FileModels *f = names_facts(n->project, file);

	for (uint32_t i = 0; i < m->unit_count; i++)
		if (m->units[i].parent == UNIT_NONE)
			add_symbol(n, file, m->units[i].name, SYMBOL_UNIT, i);
	if (!f)
		return;
	for (uint32_t i = 0; i < f->import_count; i++)
		if (!f->imports[i].star)
			add_symbol(n, file, f->imports[i].local, SYMBOL_IMPORT, i);
	for (uint32_t i = 0; i < f->var_count; i++)
		add_symbol(n, file, f->vars[i].name, SYMBOL_VAR, i);
}

/* --- modules ------------------------------------------------------------------------------------------------------------------------- */

/* "shop/orders/models.py" is shop.orders.models, "shop/orders/__init__.py" is shop.orders. */
static Str module_name(Arena *a, Str top, Str path)
{
	size_t len = str_ends(path, S(".py")) ? path.len - 3 : path.len;
	Str stem = str_sub(path, 0, len), name;
	char *at;

	if (str_eq(stem, S("__init__")))
		return top.len ? top : S("__init__");
	if (str_ends(stem, S("/__init__")))
		stem = str_sub(stem, 0, stem.len - 9);
	name = top.len ? str_fmt(a, "%.*s.%.*s", STR_ARG(top), STR_ARG(stem)) : str_dup(a, stem);
	at = (char *)(uintptr_t)name.at;
	for (size_t i = 0; i < name.len; i++)
		if (at[i] == '/')
			at[i] = '.';
	return name;
}

/* The root is a package itself: its own name comes first in all names. */
static Str top_package(Arena *a, const Project *p)
{
	char *real;
	Str name = S("");

	if (!p->count)
		return name;
	for (size_t i = 0; i < p->count && p->files[i].path.at[0] <= '_'; i++)
		if (str_eq(p->files[i].path, S("__init__.py"))) {
			real = realpath(str_z(a, p->sources.root), NULL);
			if (real)
				name = str_dup(a, str_of(strrchr(real, '/') ? strrchr(real, '/') + 1
				                                            : real));
			free(real);
		}
	return name;
}

static void add_suffixes(Names *n, uint32_t file)
{
	Str name = n->of_file[file];

	for (size_t at = 0; at < name.len; at++) {
		Str suffix = str_sub(name, at, name.len);
		uint32_t other;

		if (at &&
		    (name.at[at - 1] != '.' || map_get(&n->modules, str_sub(name, 0, at - 1))))
			continue;
		other = unboxed(map_get(&n->suffixes, suffix));
		if (other == MODEL_NONE)
			map_put(&n->suffixes, suffix, boxed(file));
		else if (n->of_file[other].len > name.len) {
			map_remove(&n->suffixes, suffix);
			map_put(&n->suffixes, suffix, boxed(file));
		}
	}
}

Names *model_names_new(Arena *a, const Project *project)
{
	Names *n = ARENA_NEW(a, Names);
	size_t cap = 64;
	Str top = top_package(a, project);

	n->arena = a;
	n->project = project;
	arena_defer(a, map_finip, &n->modules);
	arena_defer(a, map_finip, &n->suffixes);
	n->of_file = ARENA_ARRAY(a, Str, project->count + 1);
	n->stars = ARENA_ARRAY(a, StarList, project->count + 1);
	while (cap < 2 * count_symbols(project))
		cap *= 2;
	n->symbols = ARENA_ARRAY(a, Symbol, cap);
	n->mask = cap - 1;
	for (uint32_t i = 0; i < project->count; i++) {
		n->of_file[i] = module_name(a, top, project->files[i].path);
		map_put(&n->modules, n->of_file[i], boxed(i));
		if (project->files[i].kind != SOURCE_TEST)
			add_symbols(n, i);
	}
	for (uint32_t i = 0; i < project->count; i++)
		add_suffixes(n, i);
	return n;
}

Str names_of_file(const Names *names, uint32_t file)
{
	return names->of_file[file];
}

static uint32_t module_below(const Names *n, Str folder, Str dotted)
{
	char name[NAME_BYTES];
	size_t len = 0;

	if (folder.len + dotted.len + 1 > sizeof(name))
		return MODEL_NONE;
	if (folder.len) {
		memcpy(name, folder.at, folder.len);
		len = folder.len;
		name[len++] = '.';
	}
	memcpy(name + len, dotted.at, dotted.len);
	return unboxed(map_get(&n->modules, (Str){ name, len + dotted.len }));
}

uint32_t names_module(const Names *n, uint32_t from_file, Str dotted)
{
	Str of = n->of_file[from_file];
	uint32_t found;

	if (!dotted.len)
		return MODEL_NONE;
	found = module_below(n, S(""), dotted);
	for (size_t at = 0; found == MODEL_NONE && at < of.len; at++)
		if (of.at[at] == '.' && !map_get(&n->modules, str_sub(of, 0, at)))
			found = module_below(n, str_sub(of, 0, at), dotted);
	return found != MODEL_NONE ? found : unboxed(map_get(&n->suffixes, dotted));
}

/* --- names ----------------------------------------------------------------------------------------------------------------------------- */

/* The package that so many dots before a name mean in a file. */
static bool package_of_dots(const Names *n, uint32_t file, uint32_t level, Str *out)
{
	Str name = n->of_file[file], path = n->project->files[file].path;
	uint32_t up = level - (str_ends(path, S("__init__.py")) ? 1 : 0);

	for (; up; up--) {
		ptrdiff_t dot = str_rfind_char(name, '.');

		if (dot < 0 && up > 1)
			return false;
		name = str_sub(name, 0, dot < 0 ? 0 : (size_t)dot);
	}
	*out = name;
	return true;
}

/* The longest part of a name that is a module, and what follows it. */
static uint32_t longest(const Names *n, uint32_t file, Str base, bool relative, Str full, Str *rest)
{
	Str head = full;

	while (head.len) {
		uint32_t found =
			relative ? module_below(n, base, head) : names_module(n, file, head);
		ptrdiff_t dot = str_rfind_char(head, '.');

		if (found != MODEL_NONE) {
			*rest = str_sub(full, head.len + (head.len < full.len), full.len);
			return found;
		}
		head = str_sub(head, 0, dot < 0 ? 0 : (size_t)dot);
	}
	*rest = full;
	return relative && base.len ? unboxed(map_get(&n->modules, base)) : MODEL_NONE;
}

static uint32_t star_target(const Names *n, uint32_t file, const ImportFact *import)
{
	Str base = S(""), rest;
	uint32_t found;

	if (import->level && !package_of_dots(n, file, import->level, &base))
		return MODEL_NONE;
	found = longest(n, file, base, import->level != 0, import->target, &rest);
	return rest.len ? MODEL_NONE : found;
}

static bool holds(const uint32_t *list, uint32_t count, uint32_t what)
{
	for (uint32_t i = 0; i < count; i++)
		if (list[i] == what)
			return true;
	return false;
}

static const StarList *stars_of(const Names *n, uint32_t file)
{
	const FileModels *f = names_facts(n->project, file);
	StarList *list = &n->stars[file];

	for (uint32_t i = 0; f && !list->known && i < f->import_count && list->count < STARS; i++) {
		uint32_t to =
			f->imports[i].star ? star_target(n, file, &f->imports[i]) : MODEL_NONE;

		if (to != MODEL_NONE && !holds(list->files, list->count, to))
			*TAKE_ADD(n->arena, list->files, list->count) = to;
	}
	list->known = true;
	return list;
}

/* The file, reached by stars, that has the name. */
static uint32_t by_stars(const Names *n, uint32_t file, Str name)
{
	uint32_t queue[STARS] = { file }, count = 1;

	for (uint32_t i = 0; i < count; i++) {
		const StarList *stars = stars_of(n, queue[i]);

		if (i && symbol_at(n, queue[i], name)->kind)
			return queue[i];
		for (uint32_t k = 0; k < stars->count && count < STARS; k++)
			if (!holds(queue, count, stars->files[k]))
				queue[count++] = stars->files[k];
	}
	return MODEL_NONE;
}

static Str join_names(char *buffer, Str one, Str other)
{
	size_t len = 0;

	if (one.len + other.len + 1 > NAME_BYTES)
		return S("");
	if (one.len)
		memcpy(buffer, one.at, one.len);
	len = one.len;
	if (one.len && other.len)
		buffer[len++] = '.';
	if (other.len)
		memcpy(buffer + len, other.at, other.len);
	return (Str){ buffer, len + other.len };
}

typedef struct Hop {
	uint32_t file;
	Str dotted;
	bool more;
} Hop;

/* Along one import. The name that is left to find is a part of `dotted`'s or of the import's own text, or a copy. */
static Hop along(const Names *n, Arena *a, uint32_t file, const ImportFact *import, Str rest,
                 Found *found)
{
	char buffer[NAME_BYTES];
	Str base = S(""), full = join_names(buffer, import->target, rest), left = S("");
	Hop hop = { .file = MODEL_NONE };

	if (import->level && !package_of_dots(n, file, import->level, &base))
		return hop;
	if (!found->outside.len && !import->level)
		found->outside = str_dup(a, full);
	hop.file = longest(n, file, base, import->level != 0, full, &left);
	hop.dotted = str_dup(a, left);
	hop.more = hop.file != MODEL_NONE;
	return hop;
}

Found names_find(const Names *n, uint32_t file, Str dotted)
{
	Found found = { .file = MODEL_NONE, .unit = UNIT_NONE };

	for (uint32_t hops = 0; hops < HOPS; hops++) {
		Str head = name_first(dotted),
		    rest = str_sub(dotted, head.len + (head.len < dotted.len), dotted.len);
		const Symbol *symbol = symbol_at(n, file, head);
		const FileModels *f = names_facts(n->project, file);
		Hop hop;

		if (!head.len || !symbol->kind) {
			uint32_t by = head.len ? by_stars(n, file, head) : MODEL_NONE;

			if (by == MODEL_NONE) {
				found.file = hops ? file : MODEL_NONE;
				found.rest = dotted;
				return found;
			}
			file = by;
			continue;
		}
		found.file = file;
		found.rest = rest;
		if (symbol->kind == SYMBOL_UNIT) {
			found.unit = symbol->index;
			return found;
		}
		if (symbol->kind == SYMBOL_VAR) {
			found.var = &f->vars[symbol->index];
			return found;
		}
		hop = along(n, n->arena, file, &f->imports[symbol->index], rest, &found);
		found.file = MODEL_NONE;
		if (!hop.more)
			return found;
		file = hop.file;
		dotted = hop.dotted;
	}
	return found;
}

Found names_path(const Names *n, uint32_t file, Str dotted)
{
	Str rest;
	uint32_t module = longest(n, file, S(""), false, dotted, &rest);
	Found found = { .file = module, .unit = UNIT_NONE };

	if (module == MODEL_NONE || !rest.len)
		return found;
	found = names_find(n, module, rest);
	if (found.file == MODEL_NONE && !found.outside.len)
		found = (Found){ .file = module, .unit = UNIT_NONE, .rest = rest };
	return found;
}

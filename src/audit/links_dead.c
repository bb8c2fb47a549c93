/* SPDX-License-Identifier: Apache-2.0
 *
 * Dead code, by names: something lives when living code says its name, or when it is a root (links_roots.c). One starts with what runs at the top
 * of every module and with the roots; whatever these name comes alive, and then what that names, until nothing new does. So code that only dead
 * code uses is dead too, and a function that only calls itself. A method needs its class alive besides. Tests come in a second round: what lives
 * only then is used by nothing but its tests.
 *
 * One name is one name everywhere: a function `save` lives when any `.save` is read. So little is said, and what is said is likely right. A method of
 * a class with a base outside the project may be called by that base, a library's public names by those who install it: they are roots. */
#include "audit/links_names.h"
#include "audit/links_roots.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

enum {
	SURE = 90,
	SURE_METHOD = 70,
	SURE_VARIABLE = 60,
	SURE_MODULE = 70,
	SURE_TESTS = 60,
	SURE_SCRIPT = 30, /* a module in no package */
	LESS_BY_DEAD = 10,
	LESS_DYNAMIC = 40,
	LEAST = 20,
	ROUNDS_MOST = 32
};
enum { MANY = UINT32_MAX };

typedef struct Dying {
	Arena *a, *scratch;
	const LinksConf *conf;
	const OtherWords *words;
	Links *links;
	uint32_t *first;  /* of every module: its first definition's number */
	uint32_t *module; /* of every definition */
	uint32_t count;
	uint32_t *
		name_first; /* of every definition: of its names; count + modules + 1, a module's own after all definitions */
	uint32_t *names;           /* those that a definition has too, by their numbers */
	PairTable by_hash;         /* a name's hash, 0: its number */
	uint32_t *name;            /* of every definition: its name's number */
	uint32_t *head, *same;     /* of a name: a definition + 1; of that, the next one + 1 */
	uint32_t *child, *sibling; /* + 1 */
	uint32_t *namer;           /* of a name: its only owner + 1, or MANY */
	bool *used;                /* of a name: living code says it */
	bool *alive;
	bool *heirs; /* classes with a base outside, over others or beside them */
	uint32_t *queue, queue_count;
	Vec dead;
	bool library, loads;
} Dying;

static const char *const roots[] = {
	[ROOT_EXPORTED] = "in __all__",
	[ROOT_DECORATOR] = "handed to its decorator",
	[ROOT_NAME] = "a name that Python or a framework looks for",
	[ROOT_MAIN] = "run when its file is started",
	[ROOT_STRING] = "named by a string",
	[ROOT_TEMPLATE] = "named in a template",
	[ROOT_ENTRY] = "named where programs are started or configured",
	[ROOT_BASE] = "methods of classes whose base is outside",
	[ROOT_PUBLIC] = "a library's public names",
	[ROOT_TEST] = "collected by pytest or unittest",
};
_Static_assert(COUNT(roots) == ROOT_KINDS, "a root has no text");
static const char *const whys[] = {
	[DEAD_UNNAMED] = "its name stands nowhere else",
	[DEAD_BY_DEAD] = "only code that is dead itself names it",
	[DEAD_TESTS] = "only tests name it",
	[DEAD_UNREACHED] = "nothing imports or names it",
};
_Static_assert(COUNT(whys) == DEAD_WHYS, "a reason has no text");

const char *link_root_text(LinkRoot root)
{
	return roots[root];
}

const char *dead_why_text(DeadWhy why)
{
	return whys[why];
}

static const LinkDef *def_at(const Dying *d, uint32_t i)
{
	uint32_t m = d->module[i];

	return &links_names_file(d->links->names, m)->defs[i - d->first[m]];
}

static uint32_t parent_of(const Dying *d, uint32_t i)
{
	uint32_t parent = def_at(d, i)->parent;

	return parent == LINK_NONE ? LINK_NONE : d->first[d->module[i]] + parent;
}

/* By its kind, or by its name: Django's runner looks into test*.py. */
static bool is_test(const Dying *d, uint32_t module)
{
	const AuditFile *file = &links_project(d->links)->files[module];
	Str name =
		str_sub(file->path, (size_t)(str_rfind_char(file->path, '/') + 1), file->path.len);

	return file->kind == SOURCE_TEST || str_starts(name, S("test_")) ||
	       str_starts(name, S("tests"));
}

static bool is_code(const Dying *d, uint32_t module)
{
	return links_project(d->links)->files[module].kind == SOURCE_CODE && !is_test(d, module);
}

/* --- what there is -------------------------------------------------------------------------------------------------------------------- */

static void number_all(Dying *d)
{
	uint32_t modules = (uint32_t)d->links->module_count;

	d->first = ARENA_ARRAY(d->scratch, uint32_t, modules + 1);
	for (uint32_t m = 0; m < modules; m++) {
		const FileLinks *file = links_names_file(d->links->names, m);

		d->first[m] = d->count;
		d->count += file ? file->def_count : 0;
	}
	d->first[modules] = d->count;
	d->module = ARENA_ARRAY(d->scratch, uint32_t, d->count + 1);
	for (uint32_t m = 0; m < modules; m++)
		for (uint32_t i = d->first[m]; i < d->first[m + 1]; i++)
			d->module[i] = m;
}

static void index_defs(Dying *d)
{
	d->name = ARENA_ARRAY(d->scratch, uint32_t, d->count + 1);
	d->head = ARENA_ARRAY(d->scratch, uint32_t, d->count + 1);
	d->same = ARENA_ARRAY(d->scratch, uint32_t, d->count + 1);
	d->child = ARENA_ARRAY(d->scratch, uint32_t, d->count + 1);
	d->sibling = ARENA_ARRAY(d->scratch, uint32_t, d->count + 1);
	for (uint32_t i = d->count; i-- > 0;) {
		uint32_t parent = parent_of(d, i), *number;
		bool fresh;

		number = pair_at(&d->by_hash, (uint32_t)link_hash(def_at(d, i)->name), 0, &fresh);
		if (fresh)
			*number = d->by_hash.count - 1;
		d->name[i] = *number;
		d->same[i] = d->head[*number];
		d->head[*number] = i + 1;
		if (parent != LINK_NONE) {
			d->sibling[i] = d->child[parent];
			d->child[parent] = i + 1;
		}
	}
}

/* The owner of a name: the definition it stands in, or its module. */
static uint32_t owner_of(const Dying *d, uint32_t module, uint32_t def)
{
	return def == LINK_NONE ? d->count + module : d->first[module] + def;
}

typedef struct Saying {
	uint32_t owner, name;
} Saying;

/* Who says which name, of those that a definition has. */
static Saying *sayings(Dying *d, size_t *count)
{
	AUTO(vec_fini) Vec rows = { 0 };

	for (uint32_t m = 0; m < d->links->module_count; m++) {
		const FileLinks *file = links_names_file(d->links->names, m);

		for (uint32_t i = 0; file && i < file->name_count; i++) {
			const uint32_t *number = pair_find(&d->by_hash, file->names[i].hash, 0);

			if (number)
				*(Saying *)vec_add(&rows, sizeof(Saying)) =
					(Saying){ owner_of(d, m, file->names[i].def), *number };
		}
	}
	*count = rows.count;
	return vec_keep(d->scratch, &rows, sizeof(Saying));
}

/* All names, grouped by owner; and which are said in one place only. */
static void index_names(Dying *d)
{
	uint32_t owners = d->count + (uint32_t)d->links->module_count;
	uint32_t *at = ARENA_ARRAY(d->scratch, uint32_t, owners + 1);
	size_t count;
	const Saying *rows = sayings(d, &count);

	d->name_first = ARENA_ARRAY(d->scratch, uint32_t, owners + 2);
	d->names = ARENA_ARRAY(d->scratch, uint32_t, count + 1);
	d->namer = ARENA_ARRAY(d->scratch, uint32_t, d->count + 1);
	d->used = ARENA_ARRAY(d->scratch, bool, d->count + 1);
	for (size_t i = 0; i < count; i++)
		d->name_first[rows[i].owner + 1]++;
	for (uint32_t i = 0; i < owners; i++)
		d->name_first[i + 1] += d->name_first[i];
	memcpy(at, d->name_first, owners * sizeof(*at));
	for (size_t i = 0; i < count; i++) {
		uint32_t *namer = &d->namer[rows[i].name];

		d->names[at[rows[i].owner]++] = rows[i].name;
		*namer = *namer ? MANY : rows[i].owner + 1;
	}
}

/* Does anything say a definition's name but what stands in it? */
static bool is_named(const Dying *d, uint32_t def)
{
	uint32_t namer = d->namer[d->name[def]];

	return namer && namer != def + 1;
}

/* --- life ----------------------------------------------------------------------------------------------------------------------------- */

static void enliven(Dying *d, uint32_t def)
{
	if (d->alive[def])
		return;
	d->alive[def] = true;
	d->queue[d->queue_count++] = def;
}

static bool stands_in_life(const Dying *d, uint32_t def)
{
	uint32_t parent = parent_of(d, def);

	return parent == LINK_NONE || d->alive[parent];
}

static void use_name(Dying *d, uint32_t name)
{
	if (d->used[name])
		return;
	d->used[name] = true;
	for (uint32_t i = d->head[name]; i; i = d->same[i - 1])
		if (stands_in_life(d, i - 1))
			enliven(d, i - 1);
}

static void use_names_of(Dying *d, uint32_t owner)
{
	for (uint32_t n = d->name_first[owner]; n < d->name_first[owner + 1]; n++)
		use_name(d, d->names[n]);
}

static bool is_kept(const Dying *d, const LinkDef *def)
{
	for (size_t i = 0; i < d->conf->keep.count; i++)
		if (name_fits(def->name, d->conf->keep.at[i]))
			return true;
	return false;
}

typedef struct Base {
	uint32_t class, base;
} Base;

/* A class's bases: those of the project as rows; is another one among them? */
static bool take_bases(Dying *d, uint32_t class, Vec *rows)
{
	const LinkDef *def = def_at(d, class);
	bool outside = false;

	for (uint32_t b = 0; b < def->base_count; b++) {
		LinkPlace place;
		Mark mark = arena_mark(d->scratch);
		bool found = links_find(d->links, d->scratch, d->module[class], def->bases[b],
		                        &place, NULL);

		arena_reset(d->scratch, mark);
		if (found && place.def != LINK_NONE && !place.rest.len)
			*(Base *)vec_add(rows, sizeof(Base)) =
				(Base){ class, d->first[place.module] + place.def };
		else
			outside |= !base_is_plain(def->bases[b]);
	}
	return outside;
}

/* Whose methods may be called by a base outside: those who come from it, at any distance, and what they come from besides (a mixin's methods are
 * called by its neighbour). Each round goes over all rows; hierarchies are shallow, so there are few. */
static void find_heirs(Dying *d)
{
	AUTO(vec_fini) Vec rows = { 0 };
	bool *beside = ARENA_ARRAY(d->scratch, bool, d->count + 1);
	bool more = true;

	for (uint32_t i = 0; i < d->count; i++)
		if (def_at(d, i)->kind == DEF_CLASS)
			d->heirs[i] = take_bases(d, i, &rows);
	for (size_t round = 0; more && round < ROUNDS_MOST; round++) {
		more = false;
		for (uint32_t r = 0; r < rows.count; r++) {
			const Base *row = (const Base *)rows.at + r;
			bool heir = d->heirs[row->class] || d->heirs[row->base];
			bool near = beside[row->base] || heir || beside[row->class];

			more |= heir != d->heirs[row->class] || near != beside[row->base];
			d->heirs[row->class] = heir;
			beside[row->base] = near;
		}
	}
	for (uint32_t i = 0; i < d->count; i++)
		d->heirs[i] |= beside[i];
}

static LinkRoot root_of(const Dying *d, uint32_t i)
{
	const LinkDef *def = def_at(d, i);
	uint64_t hash = link_hash(def->name);

	if (is_test(d, d->module[i]) && root_test(def))
		return ROOT_TEST;
	if (is_kept(d, def) || root_by_name(def, d->links->modules[d->module[i]].name))
		return ROOT_NAME;
	if (def->decorator_count && root_by_decorator(def))
		return ROOT_DECORATOR;
	if (def->kind != DEF_VARIABLE && pair_find(&d->words->templates, hash, 0))
		return ROOT_TEMPLATE;
	if (pair_find(&d->words->scripts, hash, 0) ||
	    (def->kind != DEF_METHOD && pair_find(&d->words->entries, hash, 0)))
		return ROOT_ENTRY;
	if (d->library && !str_starts(def->name, S("_")) && is_code(d, d->module[i]))
		return ROOT_PUBLIC;
	if (def->kind == DEF_METHOD && d->heirs[parent_of(d, i)])
		return ROOT_BASE;
	return ROOT_KINDS;
}

/* What came alive by itself, or as a part of what did. */
static void enliven_root(Dying *d, uint32_t i)
{
	LinkRoot root = d->alive[i] || !stands_in_life(d, i) ? ROOT_KINDS : root_of(d, i);

	if (root == ROOT_KINDS)
		return;
	d->links->roots[root]++;
	enliven(d, i);
}

static void run(Dying *d)
{
	for (uint32_t done = 0; done < d->queue_count; done++) {
		uint32_t def = d->queue[done];

		use_names_of(d, def);
		for (uint32_t c = d->child[def]; c; c = d->sibling[c - 1]) {
			enliven_root(d, c - 1);
			if (d->used[d->name[c - 1]])
				enliven(d, c - 1);
		}
	}
}

static void enliven_exported(Dying *d, uint32_t m, const FileLinks *file)
{
	for (uint32_t i = 0; i < file->exported_count; i++) {
		const uint32_t *name =
			pair_find(&d->by_hash, (uint32_t)link_hash(file->exported[i]), 0);
		uint32_t def;

		if (links_names_bound(d->links->names, m, LINK_NONE, file->exported[i], &def) !=
		    BOUND_DEF) {
			if (name)
				use_name(d, *name);
			continue;
		}
		d->links->roots[ROOT_EXPORTED] += !d->alive[d->first[m] + def];
		enliven(d, d->first[m] + def);
	}
}

static void enliven_named(Dying *d, uint32_t m, const FileLinks *file)
{
	for (uint32_t i = 0; i < file->string_count; i++) {
		char dotted[256];
		Str text = file->strings[i];
		uint32_t def, module;

		if (text.len >= sizeof(dotted))
			continue;
		for (size_t k = 0; k < text.len; k++)
			dotted[k] = text.at[k] == ':' ? '.' : text.at[k];
		module = links_names_constant(d->links->names, m, (Str){ dotted, text.len }, &def);
		if (module == LINK_NONE || def == LINK_NONE)
			continue;
		d->links->roots[ROOT_STRING] += !d->alive[d->first[module] + def];
		enliven(d, d->first[module] + def);
	}
}

static void live(Dying *d, bool tests)
{
	d->queue_count = 0;
	for (uint32_t m = 0; m < d->links->module_count; m++) {
		const FileLinks *file = links_names_file(d->links->names, m);

		if (!file || is_test(d, m) != tests)
			continue;
		d->loads |= file->loads && !tests;
		enliven_exported(d, m, file);
		enliven_named(d, m, file);
		use_names_of(d, d->count + m);
		for (uint32_t i = d->first[m]; i < d->first[m + 1]; i++)
			enliven_root(d, i);
		d->links->roots[ROOT_MAIN] += file->main;
	}
	run(d);
}

/* --- death ---------------------------------------------------------------------------------------------------------------------------- */

static uint8_t sure_of(const Dying *d, uint32_t i, DeadWhy why)
{
	const FileLinks *file = links_names_file(d->links->names, d->module[i]);
	const LinkDef *def = def_at(d, i);
	bool private = str_starts(def->name, S("_"));
	int sure = def->kind == DEF_VARIABLE ? SURE_VARIABLE : SURE;

	if (def->kind == DEF_METHOD)
		sure = private ? SURE : SURE_METHOD;
	if (why == DEAD_BY_DEAD)
		sure -= LESS_BY_DEAD;
	if (why == DEAD_TESTS)
		sure = MIN(sure, SURE_TESTS);
	if (file->dynamic || (file->reflects && def->kind == DEF_METHOD))
		sure -= LESS_DYNAMIC;
	return (uint8_t)MAX(sure, 0);
}

static void add_dead(Dying *d, uint32_t module, uint32_t def, uint8_t sure, DeadWhy why)
{
	if (sure >= LEAST)
		*(LinkDead *)vec_add(&d->dead, sizeof(LinkDead)) =
			(LinkDead){ module, def, sure, (uint8_t)why };
}

static void bury(Dying *d, const bool *without_tests)
{
	for (uint32_t i = 0; i < d->count; i++) {
		const LinkDef *def = def_at(d, i);
		uint32_t parent = parent_of(d, i);
		bool dead = !d->alive[i];
		DeadWhy why = !dead ? DEAD_TESTS : is_named(d, i) ? DEAD_BY_DEAD : DEAD_UNNAMED;

		if (!is_code(d, d->module[i]) || without_tests[i])
			continue;
		/* What lies in something dead goes with it; what is local, nobody else can see. */
		if (parent != LINK_NONE &&
		    (!without_tests[parent] || def_at(d, parent)->kind != DEF_CLASS))
			continue;
		if (def->kind == DEF_VARIABLE && !dead)
			continue;
		add_dead(d, d->module[i], i - d->first[d->module[i]], sure_of(d, i, why), why);
	}
}

static uint32_t *reached_by(Dying *d)
{
	uint32_t *by = ARENA_ARRAY(d->scratch, uint32_t, d->links->module_count + 1);

	for (size_t e = 0; e < d->links->edge_count; e++)
		by[d->links->edges[e].to] |= is_test(d, d->links->edges[e].from) ? 2 : 1;
	return by;
}

/* uvicorn main:app, celery -A jobs: servers are told a module on their command line, which is not here. */
static bool has_application(const FileLinks *file)
{
	for (uint32_t i = 0; i < file->def_count; i++)
		if (file->defs[i].parent == LINK_NONE && root_application(&file->defs[i]))
			return true;
	return false;
}

/* Modules that nobody imports, names or starts. */
static void bury_modules(Dying *d)
{
	const Project *p = links_project(d->links);
	const uint32_t *by = reached_by(d);

	for (uint32_t m = 0; m < d->links->module_count; m++) {
		const FileLinks *file = links_names_file(d->links->names, m);
		Str path = p->files[m].path, name = d->links->modules[m].name;
		Str last = str_sub(name, (size_t)(str_rfind_char(name, '.') + 1), name.len);
		int sure = SURE_MODULE;

		if (!file || !is_code(d, m) || d->library || by[m] & 1 || file->main ||
		    links_names_is_package(d->links->names, m) || root_module(path) ||
		    has_application(file) || pair_find(&d->words->entries, link_hash(last), 0) ||
		    pair_find(&d->words->scripts, link_hash(last), 0) ||
		    !(file->def_count + file->import_count))
			continue;
		if (str_find_char(name, '.') < 0)
			sure = SURE_SCRIPT;
		else if (d->loads)
			sure -= LESS_DYNAMIC;
		if (by[m] & 2)
			sure = MIN(sure, SURE_TESTS);
		add_dead(d, m, LINK_NONE, (uint8_t)MAX(sure, 0),
		         by[m] & 2 ? DEAD_TESTS : DEAD_UNREACHED);
	}
}

static int by_place(const void *x, const void *y)
{
	const LinkDead *p = x, *q = y;

	if (p->module != q->module)
		return p->module < q->module ? -1 : 1;
	return (p->def + 1 > q->def + 1) - (p->def + 1 < q->def + 1);
}

/* A variable is defined wherever it is assigned, a property and an overload more than once: the first row is enough. A module that is dead speaks for what is in it. */
static void thin_out(Dying *d)
{
	LinkDead *rows = d->dead.at;
	uint32_t kept = 0, whole = LINK_NONE;

	if (d->dead.count)
		qsort(rows, d->dead.count, sizeof(*rows), by_place);
	for (uint32_t i = 0; i < d->dead.count; i++) {
		if (rows[i].def == LINK_NONE)
			whole = rows[i].confidence >= d->conf->confidence ? rows[i].module
			                                                  : LINK_NONE;
		else if (rows[i].module == whole)
			continue;
		if (kept && rows[i].def != LINK_NONE && rows[kept - 1].def != LINK_NONE &&
		    rows[i].module == rows[kept - 1].module) {
			const LinkDef *defs =
				links_names_file(d->links->names, rows[i].module)->defs;

			if (defs[rows[i].def].kind == defs[rows[kept - 1].def].kind &&
			    defs[rows[i].def].parent == defs[rows[kept - 1].def].parent &&
			    str_eq(defs[rows[i].def].name, defs[rows[kept - 1].def].name))
				continue;
		}
		rows[kept++] = rows[i];
	}
	d->dead.count = kept;
}

static void dying_fini(Dying *d)
{
	pair_fini(&d->by_hash);
	vec_fini(&d->dead);
}

/* Is it made to be installed by others? Then what is public may be used where we cannot see. */
static bool is_library(const Links *links)
{
	const Project *p = links_project(links);
	bool setup = links->names->prefix.len > 0, manage = false;

	for (size_t i = 0; i < p->count; i++) {
		setup |= str_eq(p->files[i].path, S("setup.py"));
		manage |= str_eq(p->files[i].path, S("manage.py")) ||
		          str_ends(p->files[i].path, S("/manage.py"));
	}
	return setup && !manage;
}

void links_dead(Arena *a, const LinksConf *conf, const OtherWords *words, Links *links)
{
	AUTO(arena_freep) Arena *scratch = arena_new(0);
	AUTO(dying_fini) Dying d = { .a = a,
		                     .scratch = scratch,
		                     .conf = conf,
		                     .words = words,
		                     .links = links,
		                     .library = is_library(links) };
	bool *without_tests;

	number_all(&d);
	index_defs(&d);
	index_names(&d);
	d.alive = ARENA_ARRAY(scratch, bool, d.count + 1);
	d.heirs = ARENA_ARRAY(scratch, bool, d.count + 1);
	find_heirs(&d);
	d.queue = ARENA_ARRAY(scratch, uint32_t, d.count + 1);
	without_tests = ARENA_ARRAY(scratch, bool, d.count + 1);
	live(&d, false);
	memcpy(without_tests, d.alive, d.count * sizeof(bool));
	live(&d, true);
	bury(&d, without_tests);
	bury_modules(&d);
	thin_out(&d);
	links->dead = vec_keep(a, &d.dead, sizeof(LinkDead));
	links->dead_count = d.dead.count;
	links->library = d.library;
	links->confidence = conf->confidence;
}

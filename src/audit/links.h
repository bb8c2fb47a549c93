/* SPDX-License-Identifier: Apache-2.0
 *
 * Who needs whom: what a file imports, defines and uses, taken while it is read (FileLinks), and all of that joined over the project (Links):
 * modules and their names, edges with their reasons, packages, circles, rules about layers, what nobody calls. Module i is file i of the project.
 *
 * What an edge is. `import a.b` and `from a.b import x` lead to a/b.py, or to a/b/__init__.py, or, when x is a module, to that. The packages above
 * are run by Python too but are no edges (as import-linter has it). Modules are looked for as Python does: below the folder that the file's own
 * topmost package lies in, then below the other folders that have such a name; relative ones by their dots; in a package of Python 2 beside the
 * file. What is found nowhere is outside: of the standard library, or somebody's package. */
#pragma once
#include "audit/audit.h"
#include "audit/links_file.h"
#include "base/json.h"

#include <stdio.h>

/* --- of the project ------------------------------------------------------------------------------------------------------------------- */

typedef struct LinkModule {
	Str name;                 /* "shop.orders.models"; of a package's __init__: "shop.orders" */
	uint32_t package;         /* index of packages */
	uint32_t fan_in, fan_out; /* other modules by run-time edges */
	uint32_t cycle;           /* index of cycles; LINK_NONE */
	const FileLinks *links;   /* NULL: nothing was taken */
} LinkModule;

/* At most one between two modules. */
typedef struct LinkEdge {
	uint32_t from, to;
	uint32_t line;        /* of the first import of the strongest kind */
	uint32_t imports;     /* statements */
	uint32_t uses, calls; /* of what was imported */
	uint8_t kinds;        /* 1 << ImportKind */
} LinkEdge;
static inline bool link_edge_is(const LinkEdge *e, ImportKind kind)
{
	return e->kinds & 1U << kind;
}
/* Needed to import the module; needed at some time; neither is for types only or a string. */
static inline bool link_edge_loads(const LinkEdge *e)
{
	return e->kinds & (1U << IMPORT_TOP | 1U << IMPORT_OPTIONAL);
}
static inline bool link_edge_runs(const LinkEdge *e)
{
	return e->kinds & ~(1U << IMPORT_TYPING | 1U << IMPORT_NAMED);
}

/* One definition that uses another one, as far as names can be followed. */
typedef struct LinkCall {
	uint32_t from, from_def; /* LINK_NONE: the module's own code */
	uint32_t to, to_def;     /* LINK_NONE: something in it that has no definition */
	uint32_t uses, calls;
} LinkCall;

/* A folder with modules. Packages above come before those in them. */
typedef struct LinkPackage {
	Str name;           /* "shop.orders"; "" : what is in no package */
	uint32_t parent;    /* LINK_NONE: none */
	uint32_t modules;   /* directly in it */
	uint32_t all;       /* and in those below */
	uint64_t lines;     /* of code, directly in it */
	uint32_t fan_in;    /* modules elsewhere that need one directly in it (Ca) */
	uint32_t fan_out;   /* modules elsewhere that one directly in it needs (Ce) */
	double instability; /* Ce / (Ca + Ce): 0 all lean on it, 1 it leans on all; -1: neither */
} LinkPackage;
typedef struct LinkPackageEdge {
	uint32_t from, to;
	uint32_t edges, imports, uses, calls; /* summed; edges: pairs of modules */
	uint8_t kinds;
} LinkPackageEdge;

/* Something imported that is not of the project. */
typedef struct LinkOutside {
	Str name;         /* the first part: "django" */
	uint32_t modules; /* that import it */
	uint8_t kinds;
	bool standard; /* of Python's own library */
} LinkOutside;

/* Modules each of which is reached from each: a strongly connected component. */
typedef struct LinkCycle {
	const uint32_t *modules; /* by path */
	uint32_t count;
	const uint32_t *circle; /* indices of edges: one shortest circle, in its order */
	uint32_t circle_count;
	const uint32_t
		*cut; /* indices of edges: without these there is no circle; few, and little used */
	uint32_t cut_count;
	bool lazy; /* it needs an import within a function to close: works, but no part can be taken out alone */
} LinkCycle;

/* A rule about imports that is broken at one place. */
typedef struct LinkBreach {
	uint32_t contract; /* index of contracts */
	const uint32_t
		*chain; /* indices of edges, from the module that may not to the one it may not */
	uint32_t chain_count;
	uint32_t module, line; /* where it begins: the module that may not, and its import */
	Str outside; /* what the last module of the chain imports, when it is not of the project; else empty */
} LinkBreach;
typedef struct LinkContractState {
	Str name;
	const char *kind; /* "layers", "forbidden", "independence" */
	Str from;         /* the file that it stands in */
	uint32_t breaches;
	Str odd; /* a word about what could not be judged: modules that are not there; empty: none */
} LinkContractState;

/* Why something counts as used although no code names it. */
typedef enum LinkRoot {
	ROOT_EXPORTED,  /* in __all__ */
	ROOT_DECORATOR, /* handed to whatever decorates it */
	ROOT_NAME,      /* a framework's or Python's own name for it */
	ROOT_MAIN,      /* what runs when a file is started */
	ROOT_STRING,    /* named by a string: settings, routes, tasks */
	ROOT_TEMPLATE,  /* named in a template */
	ROOT_ENTRY,     /* named in setup.cfg, pyproject.toml, a Procfile, a crontab */
	ROOT_BASE,      /* a method of a class whose base is outside, and may call it */
	ROOT_PUBLIC,    /* a library's public name, for those who install it */
	ROOT_TEST,      /* collected by pytest or unittest */
	ROOT_KINDS
} LinkRoot;
const char *link_root_text(LinkRoot root);

typedef struct LinkDead {
	uint32_t module;
	uint32_t def;       /* LINK_NONE: the whole module */
	uint8_t confidence; /* percent */
	uint8_t why;        /* DeadWhy */
} LinkDead;
typedef enum DeadWhy {
	DEAD_UNNAMED,   /* its name stands nowhere else */
	DEAD_BY_DEAD,   /* only dead code names it */
	DEAD_TESTS,     /* only tests name it */
	DEAD_UNREACHED, /* a module that nothing imports or names */
	DEAD_WHYS
} DeadWhy;
const char *dead_why_text(DeadWhy why);

typedef struct Links {
	LinkModule *modules; /* as many as the project has files */
	size_t module_count;
	LinkEdge *edges; /* by from, to */
	size_t edge_count;
	const uint32_t *
		first_edge; /* module_count + 1: edges of module m are first_edge[m] to before first_edge[m + 1] */
	LinkCall *calls; /* by from, from_def; those within a module too */
	size_t call_count;
	LinkPackage *packages;
	size_t package_count;
	LinkPackageEdge *package_edges; /* by from, to */
	size_t package_edge_count;
	LinkOutside *outside; /* by name */
	size_t outside_count;
	LinkCycle *cycles; /* those that break imports first, then by size */
	size_t cycle_count;
	const LinkContractState *contracts;
	size_t contract_count;
	LinkBreach *breaches;
	size_t breach_count;
	LinkDead *dead; /* by module and def; those below the limit too */
	size_t dead_count;
	uint32_t confidence; /* the limit of those that are told, percent */
	bool library;        /* it is installed by others, who may use what nobody here does */
	uint64_t roots[ROOT_KINDS];     /* how many definitions each kind of root keeps */
	uint64_t unresolved;            /* relative imports that lead nowhere */
	uint64_t by_kind[IMPORT_KINDS]; /* import statements */
	struct LinkNames *names;        /* for links_module, links_find */
} Links;

/* The module of that dotted name; LINK_NONE. */
uint32_t links_module(const Links *links, Str name);

/* Something that a name stands for. */
typedef struct LinkPlace {
	uint32_t module;
	uint32_t def; /* LINK_NONE: the module itself, or something in it that has no definition */
	Str rest;     /* what is left of the chain: "objects.filter" */
} LinkPlace;
/* What a chain written in a module stands for: over imports, modules that hand on what they import, classes and their methods; stars too.
 * False: outside the project, or not bound at the top or by an import; *outside (NULL is fine) is then its name there,
 * "django.db.models.Model", or empty. No more than 16 steps are taken. */
bool links_find(const Links *links, Arena *a, uint32_t module, Str chain, LinkPlace *out,
                Str *outside);

/* --- the module ------------------------------------------------------------------------------------------------------------------------ */

/* audit->links; findings PY5xx. */
Err *links_step(Arena *a, const AuditRules *rules, Audit *audit) MUST_USE;
/* PY501 circular-import, PY502 lazy-circle, PY503 layer-breach, PY504 lost-import, PY511 dead-code, PY512 dead-module, PY513 only-tests. */
void links_screen(FILE *out, const Links *links, const Audit *audit);
/* { modules: [{ name, path, package, fan_in, fan_out, cycle? }], edges: [[from, to, kinds, imports, uses, calls, line]],
 *   packages: [{ name, parent?, modules, all, lines, fan_in, fan_out, instability? }], matrix and group_matrix: [[from, to, edges, imports, uses, calls, kinds]],
 *   kinds: ["top", ...] (the bits of `kinds`), imports: { top: 12, ... }, unresolved, outside: [{ name, modules, standard, kinds }],
 *   cycles: [{ modules: [...], circle: [[from, to, line]], cut: [[from, to, line]], lazy }],
 *   contracts: [{ name, kind, from, breaches, odd? }], breaches: [{ contract, module, line, chain: [[from, to, line]], outside? }],
 *   library, roots: { REASON: count }, dead: [{ module, kind?, name?, of?, line?, confidence, why }] }; modules and packages by their index. */
void links_put(JsonWriter *w, const Links *links, const Audit *audit);

/* SPDX-License-Identifier: Apache-2.0
 *
 * Where names lead: the project's folders as Python would look through them. */
#pragma once
#include "audit/links_int.h"
#include "base/map.h"

/* What an import statement leads to. */
typedef struct Target {
	uint32_t module; /* LINK_NONE: not of the project, or a folder without a file */
	bool whole;      /* `name` of it is itself a module, and this is it */
	bool lost;       /* it should be of the project: relative, or below a package of it */
	bool standard;   /* of Python's library */
	bool beside;     /* found beside the file, as Python 2 does */
} Target;

typedef struct LinkNames {
	const Project *project;
	Links *links;
	Map paths;               /* "a/b" of a/b.py and a/b/__init__.py: module + 1 */
	Map folders;             /* every folder with Python somewhere below */
	Map roots;               /* folders that top packages lie in: index + 1 */
	Map tops;                /* "shop": index of `found` + 1 */
	Map by_name;             /* dotted names: module + 1 */
	Vec root_paths;          /* Str */
	Vec found;               /* TopRoot */
	const Str *keys;         /* of every module: its path without the ending */
	const uint32_t *root_of; /* of every module */
	Str prefix; /* what the root itself is called, when it is a package: "django.contrib" */
	PairTable bound; /* names of modules, and of classes' members: see links_names_bound */
	const uint32_t *first_import; /* of every module: of targets */
	Target *targets;
	PairTable votes; /* by which root a folder's modules were reached */
} LinkNames;

/* Looks through the project's paths; lives in the arena. `roots`: the configured ones, none: found. */
LinkNames *links_names_new(Arena *a, const Project *project, Links *links, const Str *roots,
                           size_t root_count) RETURNS_NONNULL;
/* Resolves all imports, then gives every module its name. */
void links_names_resolve(Arena *a, LinkNames *names);

/* The module that an absolute name leads to from a module; *rest is what is left of it when only its beginning is one. LINK_NONE: none. */
uint32_t links_names_absolute(const LinkNames *names, uint32_t from, Str dotted, Str *rest);
/* "a.b" of "a.b.C.d" for a constant: a module of the project whose first further part is defined there. LINK_NONE. */
uint32_t links_names_constant(const LinkNames *names, uint32_t from, Str text, uint32_t *def);
/* The path, without an ending, where what an import names should lie. */
Str links_names_place(const LinkNames *names, Arena *a, uint32_t from, const LinkImport *import);
/* A module directly in a package. LINK_NONE. */
uint32_t links_names_inside(const LinkNames *names, uint32_t package, Str name);
bool links_names_is_package(const LinkNames *names, uint32_t module); /* is it an __init__? */
bool links_names_is_standard(Str top);
static inline const FileLinks *links_names_file(const LinkNames *names, uint32_t module)
{
	return names->project->files[module].facts[FACTS_LINKS];
}

typedef enum BoundKind { BOUND_NOTHING, BOUND_IMPORT, BOUND_DEF } BoundKind;
/* What a name is bound to in a module (parent LINK_NONE) or a class of it. */
BoundKind links_names_bound(const LinkNames *names, uint32_t module, uint32_t parent, Str name,
                            uint32_t *index);

/* SPDX-License-Identifier: Apache-2.0
 *
 * What one file imports, defines and uses: taken while it is read (FACTS_LINKS), kept in the cache. */
#pragma once
#include "audit/project.h"

enum { LINK_NONE = UINT32_MAX };

typedef enum ImportKind {
	IMPORT_TOP,      /* runs when the module is imported */
	IMPORT_OPTIONAL, /* so too, under a try or an if */
	IMPORT_LAZY,     /* in a function, or under `__main__`: runs later, or never */
	IMPORT_TYPING,   /* under `if TYPE_CHECKING`: never runs */
	IMPORT_DYNAMIC,  /* import_module("a.b"), __import__("a.b"): at the top or in a function */
	IMPORT_NAMED, /* a string that turned out to be a module's name, or of something in it: settings, include("a.urls") */
	IMPORT_KINDS
} ImportKind;
const char *import_kind_name(
	ImportKind kind); /* "top", "optional", "lazy", "typing", "dynamic", "named" */

typedef struct LinkImport {
	Str module; /* "a.b"; of `from . import x`: empty */
	Str name;   /* of from: "x" or "*"; else empty */
	Str bound; /* what it is called in the file: "x", the alias, "a" of `import a.b`; empty: nothing is */
	uint32_t line; /* from 1 */
	uint32_t def;  /* the definition that it stands in; LINK_NONE: the module */
	uint32_t used; /* how often the bound name is used in the file */
	uint8_t kind;  /* ImportKind */
	uint8_t dots;  /* of a relative one */
	bool again;    /* the redundant alias `x as x`: handed on on purpose */
} LinkImport;

typedef enum DefKind {
	DEF_FUNCTION,
	DEF_METHOD,
	DEF_CLASS,
	DEF_VARIABLE /* of the module */
} DefKind;
const char *def_kind_name(DefKind kind); /* "function", "method", "class", "variable" */
typedef struct LinkDef {
	Str name;
	uint32_t parent; /* the definition that it stands in; LINK_NONE: the module */
	uint32_t line, end_line;
	const Str *
		bases; /* of a class: "models.Model", as written, without arguments and subscripts */
	uint32_t base_count;
	const Str *decorators; /* "app.task", without arguments */
	uint32_t decorator_count;
	uint8_t kind; /* DefKind */
	bool async;
} LinkDef;

/* A chain of names that begins with an import's bound name or with a definition of the file's top: "models.Order.objects". */
typedef struct LinkUse {
	Str chain;
	uint32_t def;          /* where it stands */
	uint32_t line;         /* the first */
	uint32_t count, calls; /* how often; how often with brackets after it */
} LinkUse;

/* Any name that is read somewhere, plain, after a dot or as a string: by its hash. */
typedef struct LinkName {
	uint32_t
		hash; /* link_hash, its lower half: two names that share it keep each other alive */
	uint32_t def; /* where it stands; one row for every such place */
} LinkName;

typedef struct FileLinks {
	LinkImport *imports;
	LinkDef *defs; /* in the order of the text */
	LinkUse *uses;
	LinkName *names; /* each pair once, in no order */
	Str *strings;    /* constants that look like a dotted name, each once */
	Str *exported;   /* __all__ */
	uint32_t import_count, def_count, use_count, name_count, string_count, exported_count;
	bool stars; /* `from x import *` somewhere */
	bool main;  /* if __name__ == "__main__" */
	bool has_all;
	bool dynamic;  /* globals(), eval, exec: its own names may be used where nobody sees it */
	bool reflects; /* getattr with a name that is no constant: any method may be meant */
	bool loads;    /* import_module with a name that is no constant: any module may be meant */
	bool python2;  /* print statements and such: implicit relative imports */
} FileLinks;

uint64_t link_hash(Str name);
const FactsModule *links_facts(void) RETURNS_NONNULL;

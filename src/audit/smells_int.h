/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of smells share: one walk over a file's rows, which knows where it is and hands each row to those who look at its kind. */
#pragma once
#include "audit/smells_rules_int.h"

/* Where the walk is. One is pushed for each function, class, lambda and loop. */
typedef struct Scope {
	uint32_t end;      /* the row after it */
	uint32_t function; /* the innermost def's row; SYNTAX_NONE: none */
	uint32_t unit;     /* the innermost def or class, of Measures; UNIT_NONE: the module */
	uint32_t loop;     /* the innermost loop of this function; SYNTAX_NONE: none */
	uint32_t
		uses_from; /* the method's rows in Walk.uses: first its arguments, then what it touches */
	uint32_t arguments; /* how many of them; 0: it is no method, or not looked at */
	bool is_method;     /* of the def itself, not of what is inside */
	bool async;         /* in an async def, no def or lambda in between */
} Scope;

/* A name that an import gave. */
typedef struct Alias {
	uint64_t hash;
	Str name, means; /* "sp", "subprocess" */
} Alias;

/* object.attribute in a method, where object is one of its arguments. */
typedef struct Use {
	uint64_t object, attribute;
	Str name;
	bool own; /* object is self */
} Use;

/* A name that holds rows of a model, or (one) a row of it. */
typedef struct Rows {
	Str name, model;
	uint32_t function, end; /* the def that it is known in; the row after which it is not */
	bool one;
	bool all_related; /* select_related() */
	Str *related;     /* names that it was asked to fetch too */
	uint32_t related_count;
	uint32_t loop; /* of one: the loop that gives it */
} Rows;

enum { ALIASES_MOST = 4096, ROWS_MOST = 32 };

typedef struct Walk {
	Arena *a;       /* what stays */
	Arena *scratch; /* until the file's end */
	const Syntax *s;
	const AuditFile *file;
	FileSmells *out;
	uint32_t smell_room, signature_room, class_room, touch_room, view_room, ignore_room;
	Scope *scopes; /* the last is here; the first is the module */
	uint32_t depth, scope_room;
	uint32_t next_unit;
	Alias *aliases; /* by hash, open addressing */
	uint32_t alias_count, alias_room;
	Use *uses;
	uint32_t use_count, use_room;
	Rows rows[ROWS_MOST]; /* the latest, round and round */
	uint32_t rows_count;
	uint32_t statement; /* the last row that is one */
	uint32_t waiting;   /* ignores from here on stand alone and wait for a statement */
	uint32_t bridge_row, bridges; /* Python 2 and 3 in one file */
	uint64_t imports_told;        /* bits */
	bool code_seen;               /* something but a docstring stood */
	bool django, is_script;
} Walk;

static inline const Scope *walk_scope(const Walk *w)
{
	return &w->scopes[w->depth - 1];
}
/* Room for one more of an array in the arena that stays. */
void *walk_grow(Arena *a, void *at, uint32_t count, uint32_t *room, size_t each) RETURNS_NONNULL;

/* A finding at a row; text is borrowed. */
void smell_add(Walk *w, SmellId id, uint32_t node, double amount, Str text);
/* Its place is not its own text but this (of a secret: the name it is given to). */
void smell_add_at(Walk *w, SmellId id, uint32_t node, Str place, Str text);
Str smell_unit_name(Arena *a, const Measures *m, uint32_t unit); /* "Order.save" */

/* --- names (smells_names.c) ---------------------------------------------------------------------------------------------------------- */

uint64_t name_hash(Str name);
void names_import(Walk *w, uint32_t node); /* an import statement: what it names */
/* What an imported name means; the empty view: none. */
Str names_meaning(const Walk *w, Str name);
/* A name of Python 2 that the file gives a meaning of its own. */
void names_own(Walk *w, Str name);
/* "subprocess.Popen" of a name or dotted name, by the imports; in scratch. The empty view: it is neither. */
Str names_qualify(const Walk *w, uint32_t node);
/* The name before the first dot of a chain of attributes, calls and subscripts; SYNTAX_NONE: there is none. */
uint32_t chain_root(const Syntax *s, uint32_t node);
/* Of a call: its n-th argument that is not by keyword, or the one with this keyword; SYNTAX_NONE: there is none. */
uint32_t call_nth(const Syntax *s, uint32_t call, uint32_t n);
uint32_t call_keyword(const Syntax *s, uint32_t call, Str name);
/* The last part of what is called: "filter" of Order.objects.filter(...). */
Str call_verb(const Syntax *s, uint32_t call);
/* The text in the quotes; `plain` is false of f-strings with something put in, and of strings joined together. */
Str string_text(const Syntax *s, uint32_t node, bool *plain);
static inline bool node_is(const Syntax *s, uint32_t node, PyKind kind)
{
	return node != SYNTAX_NONE && s->at[node].kind == kind;
}

/* --- who looks at what --------------------------------------------------------------------------------------------------------------- */

/* smells_when.c: is a known call a finding? */
typedef bool CallWhen(const Walk *w, uint32_t call);
CallWhen when_no_timeout, when_verify_false, when_debug, when_tar, when_not_literal,
	when_for_safety, when_weak_name, when_chmod, when_old_tls, when_no_version, when_short_key,
	when_short_curve, when_any_yaml, when_any_host, when_old_snmp, when_open_snmp, when_shell,
	when_paramiko, when_wild, when_wild_shell, when_made_extra, when_no_escape, when_no_verify,
	when_jwt, when_weights, when_async, when_printed, when_gone_method, when_has_key;

/* smells_calls.c */
void calls_look(Walk *w, uint32_t call);
/* smells_text.c: strings */
void text_string(Walk *w, uint32_t node);
void text_assignment(Walk *w,
                     uint32_t node); /* and keyword arguments, pairs, defaults, comparisons */
void text_source(Walk *w);           /* the whole file */
/* smells_secret.c */
typedef struct SecretFound {
	const char *what; /* "an access key of AWS" */
	Str text;         /* it; never to be shown whole */
	bool local;       /* tests have such of their own */
} SecretFound;
bool secret_find(Str text, SecretFound *out); /* a key of a known shape */
/* May a name hold a secret ("db_password"), and is this, by its looks, one? `word`: a plain word counts too, as of passwords. */
bool secret_name(Str name, bool *word);
bool secret_value(Str text, Str name, bool word);
Str secret_hidden(Arena *a, Str text); /* "AKIA... (20 characters)" */
/* smells_query.c */
void query_call(Walk *w, uint32_t call);
void query_assignment(Walk *w, uint32_t node);
void query_for(Walk *w, uint32_t node); /* for statements and clauses */
void query_attribute(Walk *w, uint32_t node);
/* smells_code.c: definitions; smells_statement.c: statements */
void code_function(Walk *w, uint32_t node);
void code_class(Walk *w, uint32_t node);
void code_use(Walk *w, uint32_t attribute);
void code_file_begin(Walk *w);
void code_file_end(Walk *w);
void code_method_end(Walk *w, const Scope *scope);
void code_except(Walk *w, uint32_t node);
void code_statement(Walk *w, uint32_t node); /* of what kinds it knows */
/* ignore.c */
void ignore_comment(Walk *w, uint32_t node);
void ignore_statement(Walk *w, uint32_t node); /* those that wait are for this one */
void ignore_end(Walk *w);

/* --- over the project (smells_judge.c, smells_limits.c, smells_clumps.c, smells_models.c) -------------------------------------------------------------------------------- */

typedef struct Judge {
	Arena *a;
	Arena *scratch; /* cleared after each file */
	const SmellsConf *conf;
	Audit *audit;
} Judge;
void smells_judge_add(const Judge *j, SmellId id, const AuditFile *file, const Finding *partly);
void limits_judge(const Judge *j, const AuditFile *file);
void clumps_judge(const Judge *j);
void models_judge(const Judge *j); /* fat views, fat models, n plus one */

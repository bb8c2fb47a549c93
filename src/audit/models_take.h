/* SPDX-License-Identifier: Apache-2.0
 *
 * Taking facts from a file's rows: questions about syntax, and who is handed which row. */
#pragma once
#include "audit/models_facts.h"
#include "audit/models_sql.h"

/* --- reading syntax (models_syntax.c) */

/* "a.b.c" of a name or attributes of names; empty: it is something else. Borrowed from the text. */
Str syntax_dotted(const Syntax *s, uint32_t node);
/* What a string says, its pieces put together, escapes as they are. False: it is no string, or has something computed in it. */
bool syntax_literal(Arena *a, const Syntax *s, uint32_t node, Str *out);
Str syntax_raw(Arena *a, const Syntax *s,
               uint32_t string); /* what is computed in it stays as {..} */
uint32_t syntax_argument(const Syntax *s, uint32_t call,
                         uint32_t n);                              /* by its place; SYNTAX_NONE */
uint32_t syntax_keyword(const Syntax *s, uint32_t call, Str name); /* its value; SYNTAX_NONE */
Str syntax_callee(const Syntax *s, uint32_t call);                 /* as syntax_dotted */
Str syntax_last(const Syntax *s,
                uint32_t call); /* the name that is called: "filter" of anything.filter() */
bool is_upper_name(Str name);   /* "DEBUG" */
Str syntax_short(Arena *a, const Syntax *s,
                 uint32_t node); /* its text on one line, cut at 80 bytes; a copy */

/* --- taking (models_take.c and those after it) */

typedef struct Take {
	Arena *a;
	const Syntax *s;
	const AuditFile *file;
	FileModels *out;
	uint32_t unit;           /* of the row that is looked at */
	uint32_t class;          /* 1 + the class whose body the row stands in directly; 0: none */
	uint32_t *class_of;      /* the same, by unit; NULL: there is no class yet */
	struct TakeQuery *query; /* models_take_query.c */
	struct {
		uint32_t row, end;
	} include[16];
	uint32_t includes;
} Take;

const ImportFact *take_import(const FileModels *f, Str local); /* NULL: none */
bool take_is_from(const Take *t, Str dotted,
                  Str package); /* its first name was imported from there */

void take_import_row(Take *t, uint32_t node);
void take_class(Take *t, uint32_t node);
void take_field(Take *t, uint32_t assignment);
void take_table(Take *t, uint32_t call, Str name);
void take_field_call(Arena *a, const Syntax *s, uint32_t call, FieldFact *out);

void take_query_call(Take *t, uint32_t call);
void take_query_binding(Take *t, uint32_t left, uint32_t right); /* assignment, for */
void take_query_parameter(Take *t, uint32_t node);
void take_query_keyword(Take *t, uint32_t node);
void take_query_string(Take *t, uint32_t node);
void take_query_row(Take *t, uint32_t row); /* before each row: forgets what has ended */
void take_with(Take *t, uint32_t node);
void take_block_decorator(Take *t, uint32_t what, uint32_t unit);
typedef struct TakeQuery TakeQuery;
TakeQuery *take_query_new(Arena *a) RETURNS_NONNULL;

void take_route_call(Take *t, uint32_t call, Str callee, Str last);
void take_route_decorator(Take *t, uint32_t call, uint32_t unit);
void take_task_decorator(Take *t, uint32_t node, uint32_t unit);
void take_task_call(Take *t, uint32_t call, Str last);
void take_schedule_pair(Take *t, uint32_t pair);
void take_name_call(Take *t, uint32_t call, Str last);
void take_name_attribute(Take *t, uint32_t node);
void take_name_subscript(Take *t, uint32_t node);
void take_name_assignment(Take *t, uint32_t node, Str left);

void take_migration(Arena *a, const Syntax *s, const AuditFile *file, FileModels *out);

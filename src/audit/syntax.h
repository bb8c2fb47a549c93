/* SPDX-License-Identifier: Apache-2.0
 *
 * Python's syntax as rows, in the order of the text: a node, then all that is in it, then what follows. So an analysis is one loop over an
 * array, a whole subtree is skipped by going to its end, and no nesting is too deep for anybody's stack.
 *
 *	for (uint32_t i = body; i < s->at[body].end; i++) {
 *		if (s->at[i].kind == PY_FUNCTION_DEFINITION) { i = s->at[i].end - 1; continue; }
 *		...
 *	}
 *
 * What the grammar calls things is kept; of its tokens without a name only operators are there. Text that is not Python gives
 * PY_ERROR nodes around as little as possible, and the rest is read. */
#pragma once
#include "base/str.h"

#define PY_KINDS(X) \
	X(MODULE, "module") \
	X(BLOCK, "block") \
	X(COMMENT, "comment") \
	X(ERROR, "ERROR") \
	X(FUNCTION_DEFINITION, "function_definition") \
	X(CLASS_DEFINITION, "class_definition") \
	X(DECORATED_DEFINITION, "decorated_definition") \
	X(DECORATOR, "decorator") \
	X(LAMBDA, "lambda") \
	X(LAMBDA_PARAMETERS, "lambda_parameters") \
	X(PARAMETERS, "parameters") \
	X(DEFAULT_PARAMETER, "default_parameter") \
	X(TYPED_PARAMETER, "typed_parameter") \
	X(TYPED_DEFAULT_PARAMETER, "typed_default_parameter") \
	X(KEYWORD_SEPARATOR, "keyword_separator") \
	X(POSITIONAL_SEPARATOR, "positional_separator") \
	X(LIST_SPLAT_PATTERN, "list_splat_pattern") \
	X(DICTIONARY_SPLAT_PATTERN, "dictionary_splat_pattern") \
	X(TUPLE_PATTERN, "tuple_pattern") \
	X(LIST_PATTERN, "list_pattern") \
	X(PATTERN_LIST, "pattern_list") \
	X(IF_STATEMENT, "if_statement") \
	X(ELIF_CLAUSE, "elif_clause") \
	X(ELSE_CLAUSE, "else_clause") \
	X(FOR_STATEMENT, "for_statement") \
	X(WHILE_STATEMENT, "while_statement") \
	X(TRY_STATEMENT, "try_statement") \
	X(EXCEPT_CLAUSE, "except_clause") \
	X(EXCEPT_GROUP_CLAUSE, "except_group_clause") \
	X(FINALLY_CLAUSE, "finally_clause") \
	X(WITH_STATEMENT, "with_statement") \
	X(WITH_CLAUSE, "with_clause") \
	X(WITH_ITEM, "with_item") \
	X(MATCH_STATEMENT, "match_statement") \
	X(CASE_CLAUSE, "case_clause") \
	X(CASE_PATTERN, "case_pattern") \
	X(IF_CLAUSE, "if_clause") \
	X(FOR_IN_CLAUSE, "for_in_clause") \
	X(CONDITIONAL_EXPRESSION, "conditional_expression") \
	X(BOOLEAN_OPERATOR, "boolean_operator") \
	X(BINARY_OPERATOR, "binary_operator") \
	X(UNARY_OPERATOR, "unary_operator") \
	X(NOT_OPERATOR, "not_operator") \
	X(COMPARISON_OPERATOR, "comparison_operator") \
	X(AUGMENTED_ASSIGNMENT, "augmented_assignment") \
	X(ASSIGNMENT, "assignment") \
	X(NAMED_EXPRESSION, "named_expression") \
	X(EXPRESSION_STATEMENT, "expression_statement") \
	X(EXPRESSION_LIST, "expression_list") \
	X(RETURN_STATEMENT, "return_statement") \
	X(RAISE_STATEMENT, "raise_statement") \
	X(ASSERT_STATEMENT, "assert_statement") \
	X(DELETE_STATEMENT, "delete_statement") \
	X(PASS_STATEMENT, "pass_statement") \
	X(BREAK_STATEMENT, "break_statement") \
	X(CONTINUE_STATEMENT, "continue_statement") \
	X(GLOBAL_STATEMENT, "global_statement") \
	X(NONLOCAL_STATEMENT, "nonlocal_statement") \
	X(PRINT_STATEMENT, "print_statement") \
	X(EXEC_STATEMENT, "exec_statement") \
	X(TYPE_ALIAS_STATEMENT, "type_alias_statement") \
	X(IMPORT_STATEMENT, "import_statement") \
	X(IMPORT_FROM_STATEMENT, "import_from_statement") \
	X(FUTURE_IMPORT_STATEMENT, "future_import_statement") \
	X(ALIASED_IMPORT, "aliased_import") \
	X(WILDCARD_IMPORT, "wildcard_import") \
	X(RELATIVE_IMPORT, "relative_import") \
	X(IMPORT_PREFIX, "import_prefix") \
	X(DOTTED_NAME, "dotted_name") \
	X(CALL, "call") \
	X(ARGUMENT_LIST, "argument_list") \
	X(KEYWORD_ARGUMENT, "keyword_argument") \
	X(ATTRIBUTE, "attribute") \
	X(SUBSCRIPT, "subscript") \
	X(SLICE, "slice") \
	X(AWAIT, "await") \
	X(YIELD, "yield") \
	X(LIST_SPLAT, "list_splat") \
	X(DICTIONARY_SPLAT, "dictionary_splat") \
	X(PARENTHESIZED_EXPRESSION, "parenthesized_expression") \
	X(PARENTHESIZED_LIST_SPLAT, "parenthesized_list_splat") \
	X(LIST, "list") \
	X(TUPLE, "tuple") \
	X(SET, "set") \
	X(DICTIONARY, "dictionary") \
	X(PAIR, "pair") \
	X(LIST_COMPREHENSION, "list_comprehension") \
	X(SET_COMPREHENSION, "set_comprehension") \
	X(DICTIONARY_COMPREHENSION, "dictionary_comprehension") \
	X(GENERATOR_EXPRESSION, "generator_expression") \
	X(IDENTIFIER, "identifier") \
	X(INTEGER, "integer") \
	X(FLOAT, "float") \
	X(TRUE, "true") \
	X(FALSE, "false") \
	X(NONE, "none") \
	X(ELLIPSIS, "ellipsis") \
	X(STRING, "string") \
	X(CONCATENATED_STRING, "concatenated_string") \
	X(INTERPOLATION, "interpolation") \
	X(STRING_START, "string_start") \
	X(STRING_CONTENT, "string_content") \
	X(STRING_END, "string_end") \
	X(ESCAPE_SEQUENCE, "escape_sequence") \
	X(FORMAT_SPECIFIER, "format_specifier") \
	X(TYPE, "type") \
	X(AS_PATTERN, "as_pattern") \
	X(AS_PATTERN_TARGET, "as_pattern_target") \
	X(CHEVRON, "chevron")

typedef enum PyKind {
	PY_OTHER,    /* named, and nothing that is looked for */
	PY_OPERATOR, /* a token without a name in the field `operator` or `operators` */
	PY_ASYNC,    /* the word, of a function, for or with */
#define X(kind, name) PY_##kind,
	PY_KINDS(X)
#undef X
		PY_KIND_COUNT
} PyKind;

#define PY_FIELDS(X) \
	X(NAME, "name") \
	X(BODY, "body") \
	X(CONDITION, "condition") \
	X(LEFT, "left") \
	X(RIGHT, "right") \
	X(OPERATOR, "operator") \
	X(OPERATORS, "operators") \
	X(FUNCTION, "function") \
	X(ARGUMENTS, "arguments") \
	X(OBJECT, "object") \
	X(ATTRIBUTE, "attribute") \
	X(VALUE, "value") \
	X(TYPE, "type") \
	X(RETURN_TYPE, "return_type") \
	X(PARAMETERS, "parameters") \
	X(SUPERCLASSES, "superclasses") \
	X(DEFINITION, "definition") \
	X(ALIAS, "alias") \
	X(MODULE_NAME, "module_name") \
	X(ARGUMENT, "argument") \
	X(CONSEQUENCE, "consequence") \
	X(ALTERNATIVE, "alternative") \
	X(GUARD, "guard") \
	X(SUBSCRIPT, "subscript") \
	X(KEY, "key") \
	X(CAUSE, "cause") \
	X(SUBJECT, "subject") \
	X(EXPRESSION, "expression")

typedef enum PyField {
	PY_F_NONE,
#define X(field, name) PY_F_##field,
	PY_FIELDS(X)
#undef X
		PY_F_COUNT
} PyField;

typedef struct PyNode {
	uint8_t kind;            /* PyKind */
	uint8_t field;           /* PyField: what it is to its parent */
	uint32_t from, to;       /* bytes of the text */
	uint32_t line, end_line; /* from 1 */
	uint32_t parent;         /* of the first one: itself */
	uint32_t end;            /* the row after all that is in it */
} PyNode;

enum { SYNTAX_NONE = 0 /* no child of anything */ };

typedef struct Syntax {
	Str text;
	const PyNode *at; /* at[0] is the module */
	uint32_t count;
	uint32_t errors;     /* places that are not Python, as far as the grammar goes */
	uint32_t error_line; /* of the first */
	bool cut;            /* it took longer than it may: only the beginning was read */
} Syntax;

typedef struct SyntaxReader SyntaxReader; /* memory for one file at a time; one thread uses one */
SyntaxReader *syntax_reader_new(void) RETURNS_NONNULL;
void syntax_reader_free(SyntaxReader *reader); /* NULL is fine */
/* Reads UTF-8 (other bytes are errors in strings and names). Good until the next read or the reader's end; text is borrowed. */
const Syntax *syntax_read(SyntaxReader *reader, Str text) RETURNS_NONNULL;

/* The child that is this to a node; SYNTAX_NONE: there is none. */
uint32_t syntax_child(const Syntax *s, uint32_t node, PyField field);
/* The n-th child, comments passed over. */
uint32_t syntax_nth(const Syntax *s, uint32_t node, uint32_t n);
/* The first of this kind among the children. */
uint32_t syntax_find(const Syntax *s, uint32_t node, PyKind kind);
static inline Str syntax_text(const Syntax *s, uint32_t node)
{
	return str_sub(s->text, s->at[node].from, s->at[node].to);
}
const char *py_kind_name(PyKind kind);

/* SPDX-License-Identifier: Apache-2.0
 *
 * Statements and imports: globals that functions set, asserts, debuggers, stars, libraries that nobody mends, and what Python 2 left behind.
 * A name of Python 2 in a try beside its new one is a bridge, not a mistake; bridges are one finding a file. */
#include "audit/smells_int.h"

#include "base/arena.h"

enum { GLOBAL_LOOKED = 4096, GLOBALS_MOST = 16 };

static bool is_in(Str word, const Str *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(word, words[i]))
			return true;
	return false;
}

static void add_bridge(Walk *w, uint32_t node)
{
	if (!w->bridges++)
		w->bridge_row = node;
}

static bool is_tried(const Syntax *s, uint32_t node)
{
	uint32_t block = s->at[node].parent, around = s->at[block].parent;

	return s->at[around].kind == PY_TRY_STATEMENT || s->at[around].kind == PY_EXCEPT_CLAUSE ||
	       s->at[around].kind == PY_IF_STATEMENT || s->at[around].kind == PY_ELSE_CLAUSE;
}

/* --- imports, each of these told once a file ------------------------------------------------------------------------------------------------------------------------------- */

typedef struct ImportRow {
	Str module; /* and what is in it */
	SmellId id;
	Str text;
} ImportRow;

#define GONE(name, now) \
	{ \
		S(name), SMELL_PYTHON2_NAME, S("import of " name ", which is " now " in Python 3") \
	}
static const ImportRow import_rows[] = {
	GONE("urllib2", "urllib.request"),
	GONE("urlparse", "urllib.parse"),
	GONE("ConfigParser", "configparser"),
	GONE("StringIO", "io.StringIO"),
	GONE("cStringIO", "io.StringIO"),
	GONE("cPickle", "pickle"),
	GONE("httplib", "http.client"),
	GONE("Queue", "queue"),
	GONE("HTMLParser", "html.parser"),
	GONE("htmlentitydefs", "html.entities"),
	GONE("commands", "subprocess"),
	GONE("thread", "_thread"),
	GONE("__builtin__", "builtins"),
	GONE("Tkinter", "tkinter"),
	GONE("xmlrpclib", "xmlrpc.client"),
	GONE("SimpleXMLRPCServer", "xmlrpc.server"),
	GONE("SocketServer", "socketserver"),
	GONE("BaseHTTPServer", "http.server"),
	GONE("SimpleHTTPServer", "http.server"),
	GONE("CGIHTTPServer", "http.server"),
	GONE("Cookie", "http.cookies"),
	GONE("cookielib", "http.cookiejar"),
	GONE("robotparser", "urllib.robotparser"),
	GONE("copy_reg", "copyreg"),
	GONE("sets", "set"),
	{ S("telnetlib"), SMELL_CLEAR_PROTOCOL,
	  S("telnetlib: passwords in the clear; gone in Python 3.13") },
	{ S("ftplib"), SMELL_CLEAR_PROTOCOL, S("ftplib: passwords in the clear") },
	{ S("Crypto"), SMELL_DEAD_LIBRARY,
	  S("PyCrypto has had no fixes since 2013; pycryptodome or cryptography") },
	{ S("pyghmi"), SMELL_DEAD_LIBRARY,
	  S("pyghmi speaks IPMI, which gives its password's hash to anybody") },
};

_Static_assert(COUNT(import_rows) <= 64, "Walk.imports_told is too small");

static void look_at_module(Walk *w, uint32_t node, Str module)
{
	Str head = module;
	ptrdiff_t dot = str_find_char(module, '.');

	head.len = dot < 0 ? module.len : (size_t)dot;
	if (str_eq(head, S("six")) || str_eq(head, S("future")) || str_eq(head, S("past")))
		add_bridge(w, node);
	for (size_t i = 0; i < COUNT(import_rows); i++) {
		const ImportRow *row = &import_rows[i];

		if (head.len != row->module.len || !str_eq(head, row->module))
			continue;
		if (row->id == SMELL_PYTHON2_NAME && is_tried(w->s, node))
			add_bridge(w, node);
		else if (!(w->imports_told >> i & 1))
			smell_add(w, row->id, node, 0, row->text);
		w->imports_told |= 1ULL << i;
	}
}

static void look_at_import(Walk *w, uint32_t node)
{
	const Syntax *s = w->s;
	uint32_t from = syntax_child(s, node, PY_F_MODULE_NAME);

	names_import(w, node);
	if (from != SYNTAX_NONE) {
		look_at_module(w, node, syntax_text(s, from));
	} else {
		for (uint32_t i = node + 1; i < s->at[node].end; i = s->at[i].end) {
			uint32_t name = s->at[i].kind == PY_ALIASED_IMPORT
			                        ? syntax_child(s, i, PY_F_NAME)
			                        : i;

			if (node_is(s, name, PY_DOTTED_NAME))
				look_at_module(w, node, syntax_text(s, name));
		}
	}
	if (from != SYNTAX_NONE && syntax_find(s, node, PY_WILDCARD_IMPORT) != SYNTAX_NONE)
		smell_add(w, SMELL_STAR_IMPORT, node, 0,
		          str_fmt(w->scratch, "everything of %.*s", STR_ARG(syntax_text(s, from))));
}

static void look_at_future(Walk *w, uint32_t node)
{
	static const Str done[] = { S("print_function"),  S("unicode_literals"), S("division"),
		                    S("absolute_import"), S("with_statement"),   S("generators"),
		                    S("nested_scopes") };
	const Syntax *s = w->s;

	for (uint32_t i = node + 1; i < s->at[node].end; i = s->at[i].end)
		if (s->at[i].kind == PY_DOTTED_NAME && is_in(syntax_text(s, i), done, COUNT(done)))
			add_bridge(w, node);
}

/* --- statements ---------------------------------------------------------------------------------------------------------------------------- */

static bool is_target(const Syntax *s, uint32_t name)
{
	switch ((int)s->at[s->at[name].parent].kind) {
	case PY_ASSIGNMENT:
	case PY_AUGMENTED_ASSIGNMENT:
	case PY_FOR_STATEMENT:
		return s->at[name].field == PY_F_LEFT;
	case PY_FUNCTION_DEFINITION:
	case PY_CLASS_DEFINITION:
	case PY_NAMED_EXPRESSION:
		return s->at[name].field == PY_F_NAME;
	case PY_PATTERN_LIST:
	case PY_TUPLE_PATTERN:
	case PY_LIST_PATTERN:
	case PY_AS_PATTERN_TARGET:
	case PY_DELETE_STATEMENT:
	case PY_EXPRESSION_LIST: /* del a, b */
	case PY_DOTTED_NAME:     /* import a */
	case PY_ALIASED_IMPORT:
		return true;
	default:
		return false;
	}
}

/* Is a global set in what follows in its function? Of very long ones it is believed. */
static bool is_set(const Syntax *s, uint32_t global, uint32_t end, Str name)
{
	for (uint32_t i = s->at[global].end; i < end; i++) {
		if (i - global > GLOBAL_LOOKED)
			return true;
		if (s->at[i].kind == PY_IDENTIFIER && is_target(s, i) &&
		    str_eq(syntax_text(s, i), name))
			return true;
	}
	return false;
}

static void look_at_global(Walk *w, uint32_t node)
{
	const Syntax *s = w->s;
	uint32_t names = 0, function = walk_scope(w)->function;
	Str said = S("");

	if (function == SYNTAX_NONE)
		return;
	for (uint32_t i = node + 1; i < s->at[node].end; i = s->at[i].end) {
		Str name = syntax_text(s, i);

		if (s->at[i].kind != PY_IDENTIFIER || !is_set(s, node, s->at[function].end, name))
			continue;
		said = names++ ? str_fmt(w->scratch, "%.*s, %.*s", STR_ARG(said), STR_ARG(name))
		               : name;
		if (names == GLOBALS_MOST)
			break;
	}
	if (names)
		smell_add(w, SMELL_HIDDEN_GLOBAL, node, names,
		          str_fmt(w->scratch, "sets %.*s of the module", STR_ARG(said)));
}

static void look_at_assert(Walk *w, uint32_t node)
{
	const Syntax *s = w->s;
	uint32_t what = syntax_nth(s, node, 0);

	if (node_is(s, what, PY_TUPLE) && s->at[what].end > what + 1)
		smell_add(w, SMELL_ASSERT_TUPLE, node, 0,
		          S("a tuple with something in it is true"));
	else
		smell_add(w, SMELL_ASSERT_GUARD, node, 0, S("with -O nothing is checked here"));
}

static void look_at_raise(Walk *w, uint32_t node)
{
	if (node_is(w->s, syntax_nth(w->s, node, 0), PY_EXPRESSION_LIST))
		smell_add(w, SMELL_PYTHON2_SYNTAX, node, 0, S("raise with a comma"));
}

static void look_at_decorator(Walk *w, uint32_t node)
{
	uint32_t what = syntax_nth(w->s, node, 0);
	Str name;

	if (what == SYNTAX_NONE)
		return;
	name = names_qualify(w, what);
	if (str_eq(name, S("django.views.decorators.csrf.csrf_exempt")) ||
	    str_eq(name, S("csrf_exempt")))
		smell_add(w, SMELL_CSRF_EXEMPT, node, 0,
		          S("forms of other sites are taken: fine without cookies only"));
}

static void look_at_integer(Walk *w, uint32_t node)
{
	Str text = syntax_text(w->s, node);
	char last = text.len ? text.at[text.len - 1] : 0;
	bool octal = false;

	if (text.len < 2)
		return;
	if (text.at[0] == '0' && text.at[1] >= '0' && text.at[1] <= '9')
		for (size_t i = 1; i < text.len; i++)
			octal |= text.at[i] >= '1' && text.at[i] <= '9';
	if (octal || last == 'L' || last == 'l')
		smell_add(w, SMELL_PYTHON2_SYNTAX, node, 0,
		          octal ? S("an octal number without its o") : S("a long number's L"));
}

/* `if __name__ == "__main__"`: what it prints is its purpose. */
static void look_at_if(Walk *w, uint32_t node)
{
	uint32_t condition = syntax_child(w->s, node, PY_F_CONDITION);

	if (walk_scope(w)->unit == UNIT_NONE && condition != SYNTAX_NONE &&
	    str_starts(syntax_text(w->s, condition), S("__name__")))
		w->is_script = true;
}

void code_statement(Walk *w, uint32_t node)
{
	switch (w->s->at[node].kind) {
	case PY_IMPORT_STATEMENT:
	case PY_IMPORT_FROM_STATEMENT:
		look_at_import(w, node);
		break;
	case PY_FUTURE_IMPORT_STATEMENT:
		look_at_future(w, node);
		break;
	case PY_GLOBAL_STATEMENT:
		look_at_global(w, node);
		break;
	case PY_ASSERT_STATEMENT:
		look_at_assert(w, node);
		break;
	case PY_RAISE_STATEMENT:
		look_at_raise(w, node);
		break;
	case PY_DECORATOR:
		look_at_decorator(w, node);
		break;
	case PY_PRINT_STATEMENT:
		smell_add(w, SMELL_PYTHON2_SYNTAX, node, 0, S("print as a statement"));
		break;
	case PY_EXEC_STATEMENT:
		smell_add(w, SMELL_PYTHON2_SYNTAX, node, 0, S("exec as a statement"));
		smell_add(w, SMELL_EXEC_CALL, node, 0, S("exec runs a text as code"));
		break;
	case PY_OPERATOR:
		if (str_eq(syntax_text(w->s, node), S("<>")))
			smell_add(w, SMELL_PYTHON2_SYNTAX, node, 0, S("<> for !="));
		break;
	case PY_INTEGER:
		look_at_integer(w, node);
		break;
	case PY_IF_STATEMENT:
		look_at_if(w, node);
		break;
	default:
		break;
	}
}

void code_file_begin(Walk *w)
{
	w->is_script = str_starts(w->s->text, S("#!"));
}

void code_file_end(Walk *w)
{
	if (w->bridges)
		smell_add(w, SMELL_PYTHON2_BRIDGE, w->bridge_row, w->bridges,
		          str_fmt(w->scratch, "%u bridge%s between Python 2 and 3", w->bridges,
		                  w->bridges == 1 ? "" : "s"));
}

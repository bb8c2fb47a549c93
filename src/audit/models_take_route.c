/* SPDX-License-Identifier: Apache-2.0
 *
 * Routes as they are written: Django's path(), re_path(), url() and include(), routers of Django REST framework, decorators of Flask and
 * FastAPI, add_url_rule and its like, aiohttp's add_get. What they hang on (an application, a blueprint, a list) is a name here; which
 * framework it belongs to and what stands before its paths is found when all files are read. */
#include "audit/models_take.h"

#include "base/arena.h"
#include "base/buf.h"

enum { CLIMB_MOST = 12, WRAPPED_MOST = 40 };

typedef struct RouteWord {
	const char *name;
	RouteKind kind;
	const char *methods;
} RouteWord;

static RouteFact *add_route(Take *t, RouteKind kind, uint32_t node)
{
	RouteFact *route = TAKE_ADD(t->a, t->out->routes, t->out->route_count);

	*route = (RouteFact){ .kind = (uint8_t)kind, .unit = t->unit, .line = t->s->at[node].line };
	return route;
}

/* A text, or one in a call around it: _("about/"). */
static bool path_text(Take *t, uint32_t node, Str *out)
{
	if (node != SYNTAX_NONE && t->s->at[node].kind == PY_CALL &&
	    syntax_argument(t->s, node, 0) != SYNTAX_NONE)
		node = syntax_argument(t->s, node, 0);
	return syntax_literal(t->a, t->s, node, out);
}

static Str text_keyword(Take *t, uint32_t call, Str name)
{
	Str text;

	return syntax_literal(t->a, t->s, syntax_keyword(t->s, call, name), &text) ? text : S("");
}

static Str upper(Arena *a, Str text)
{
	Str copy = str_dup(a, text);
	char *at = (char *)(uintptr_t)copy.at;

	for (size_t i = 0; i < copy.len; i++)
		if (at[i] >= 'a' && at[i] <= 'z')
			at[i] &= (char)~32;
	return copy;
}

/* methods=["GET", "POST"] */
static Str methods_of(Take *t, uint32_t list)
{
	AUTO(buf_fini) Buf b = { 0 };
	Str text;

	if (list == SYNTAX_NONE)
		return S("");
	for (uint32_t i = list + 1; i < t->s->at[list].end; i = t->s->at[i].end)
		if (syntax_literal(t->a, t->s, i, &text))
			buf_fmt(&b, "%s%.*s", b.len ? "," : "", STR_ARG(text));
	return upper(t->a, buf_str(&b));
}

/* --- views ---------------------------------------------------------------------------------------------------------------------- */

static bool is_method(Str name)
{
	return is_upper_name(name) && name.len >= 3 && name.len <= 7;
}

/* The class of Class.as_view(); of anything else, itself. */
static uint32_t class_viewed(const Syntax *s, uint32_t node)
{
	if (s->at[node].kind != PY_CALL || !str_eq(syntax_last(s, node), S("as_view")))
		return node;
	return syntax_child(s, syntax_child(s, node, PY_F_FUNCTION), PY_F_OBJECT);
}

/* api(GET=views.show, POST=views.add), login_required(views.show): the first name in it, and the methods. */
static void wrapped(Take *t, uint32_t call, RouteFact *out)
{
	const Syntax *s = t->s;
	AUTO(buf_fini) Buf methods = { 0 };
	uint32_t most = MIN(s->at[call].end, call + WRAPPED_MOST),
		 list = syntax_child(s, call, PY_F_ARGUMENTS);

	for (uint32_t i = list + 1; list != SYNTAX_NONE && i < most && i < s->at[list].end;
	     i = s->at[i].end) {
		uint32_t value = i;

		if (s->at[i].kind == PY_KEYWORD_ARGUMENT) {
			value = syntax_child(s, i, PY_F_VALUE);
			if (!is_method(syntax_text(s, i + 1)))
				continue;
			buf_fmt(&methods, "%s%.*s", methods.len ? "," : "",
			        STR_ARG(syntax_text(s, i + 1)));
		}
		while (value != SYNTAX_NONE && s->at[value].kind == PY_CALL &&
		       syntax_argument(s, value, 0) != SYNTAX_NONE)
			value = syntax_argument(s, value, 0);
		if (!out->target.len && value != SYNTAX_NONE)
			out->target = str_dup(t->a, syntax_dotted(s, class_viewed(s, value)));
	}
	out->methods = str_dup(t->a, buf_str(&methods));
}

static void view(Take *t, uint32_t node, RouteFact *out)
{
	const Syntax *s = t->s;
	uint32_t viewed;

	if (node == SYNTAX_NONE) {
		out->computed = true;
		return;
	}
	out->view = syntax_short(t->a, s, node);
	viewed = class_viewed(s, node);
	if (viewed != node) {
		out->target = str_dup(t->a, syntax_dotted(s, viewed));
	} else if (s->at[node].kind == PY_CALL) {
		wrapped(t, node, out);
	} else if (!syntax_literal(t->a, s, node, &out->target)) {
		out->target = str_dup(t->a, syntax_dotted(s, node));
	}
	out->computed |= !out->target.len;
}

/* --- Django ----------------------------------------------------------------------------------------------------------------------- */

/* urlpatterns.append(..), .extend([..]), .insert(0, ..); empty: it is no such call. */
static Str list_added_to(const Syntax *s, uint32_t call)
{
	uint32_t function = syntax_child(s, call, PY_F_FUNCTION);
	Str verb = syntax_last(s, call);

	if (function == SYNTAX_NONE || s->at[function].kind != PY_ATTRIBUTE ||
	    (!str_eq(verb, S("append")) && !str_eq(verb, S("extend")) &&
	     !str_eq(verb, S("insert"))))
		return S("");
	return syntax_dotted(s, syntax_child(s, function, PY_F_OBJECT));
}

/* The name of the list that a route stands in, or is added to. */
static Str list_of(const Take *t, uint32_t node)
{
	const Syntax *s = t->s;

	for (uint32_t up = 0; node && up < CLIMB_MOST; up++) {
		uint8_t kind = s->at[node].kind;

		if (kind == PY_ASSIGNMENT || kind == PY_AUGMENTED_ASSIGNMENT)
			return syntax_dotted(s, syntax_child(s, node, PY_F_LEFT));
		if (kind == PY_CALL && up) {
			Str added = list_added_to(s, node);

			if (added.len)
				return added;
		}
		if (kind == PY_FUNCTION_DEFINITION || kind == PY_CLASS_DEFINITION)
			return S("");
		node = s->at[node].parent;
	}
	return S("");
}

static void stands_within(Take *t, uint32_t call, RouteFact *out)
{
	while (t->includes && call >= t->include[t->includes - 1].end)
		t->includes--;
	if (t->includes)
		out->within = t->include[t->includes - 1].row + 1;
	out->list = str_dup(t->a, list_of(t, call));
}

/* include("shop.urls"), include(urls), include(([..], "shop")), include(router.urls), [..] */
static void included(Take *t, uint32_t node, RouteFact *out)
{
	const Syntax *s = t->s;
	uint32_t what = syntax_argument(s, node, 0), second;

	out->kind = ROUTE_INCLUDE;
	out->name = text_keyword(t, node, S("namespace"));
	out->view = syntax_short(t->a, s, node);
	if (what != SYNTAX_NONE && s->at[what].kind == PY_TUPLE) {
		second = syntax_nth(s, what, 1);
		if (!out->name.len && second != SYNTAX_NONE &&
		    !syntax_literal(t->a, s, second, &out->name))
			out->name = S("");
		what = syntax_nth(s, what, 0);
	}
	if (what != SYNTAX_NONE && !syntax_literal(t->a, s, what, &out->target))
		out->target = str_dup(t->a, syntax_dotted(s, what));
	if (what != SYNTAX_NONE && s->at[what].kind == PY_LIST) {
		out->target = S("[]");
		if (t->includes < COUNT(t->include)) {
			t->include[t->includes].row = t->out->route_count - 1;
			t->include[t->includes++].end = s->at[node].end;
		}
	}
	out->computed |= !out->target.len;
}

static void django_path(Take *t, uint32_t call)
{
	const Syntax *s = t->s;
	RouteFact *out = add_route(t, ROUTE_PATH, call);
	uint32_t path = syntax_argument(s, call, 0), what = syntax_argument(s, call, 1);

	if (what == SYNTAX_NONE)
		what = syntax_keyword(s, call, S("view"));
	if (path == SYNTAX_NONE)
		path = syntax_keyword(s, call,
		                      str_eq(syntax_last(s, call), S("path")) ? S("route")
		                                                              : S("regex"));
	out->computed = !path_text(t, path, &out->path);
	out->on = str_dup(t->a, syntax_last(s, call));
	stands_within(t, call, out);
	if (what != SYNTAX_NONE && s->at[what].kind == PY_CALL &&
	    str_eq(syntax_last(s, what), S("include"))) {
		included(t, what, out);
		return;
	}
	view(t, what, out);
	out->name = text_keyword(t, call, S("name"));
	if (str_ends(out->target, S(".urls")) && what != SYNTAX_NONE &&
	    s->at[what].kind != PY_STRING)
		out->kind = ROUTE_INCLUDE;
}

/* --- the others -------------------------------------------------------------------------------------------------------------------- */

static Str object_of(Take *t, uint32_t call)
{
	uint32_t function = syntax_child(t->s, call, PY_F_FUNCTION);
	uint32_t object =
		function == SYNTAX_NONE ? SYNTAX_NONE : syntax_child(t->s, function, PY_F_OBJECT);

	return object == SYNTAX_NONE ? S("") : str_dup(t->a, syntax_dotted(t->s, object));
}

static void registered(Take *t, uint32_t call)
{
	uint32_t path = syntax_argument(t->s, call, 0), what = syntax_argument(t->s, call, 1);
	Str on = object_of(t, call), text;
	RouteFact *out;

	if (!str_ends(on, S("outer")) || what == SYNTAX_NONE ||
	    !syntax_literal(t->a, t->s, path, &text))
		return;
	out = add_route(t, ROUTE_REGISTER, call);
	out->on = on;
	out->path = text;
	out->name = text_keyword(t, call, S("basename"));
	view(t, what, out);
}

static void mounted(Take *t, uint32_t call)
{
	uint32_t what = syntax_argument(t->s, call, 0);
	RouteFact *out;

	if (what == SYNTAX_NONE || !syntax_dotted(t->s, what).len)
		return;
	out = add_route(t, ROUTE_MOUNT, call);
	out->on = object_of(t, call);
	out->target = str_dup(t->a, syntax_dotted(t->s, what));
	out->path = text_keyword(t, call, S("url_prefix"));
	if (!out->path.len)
		out->path = text_keyword(t, call, S("prefix"));
}

/* app.add_url_rule("/x", view_func=f), app.add_api_route("/x", f) */
static void added(Take *t, uint32_t call)
{
	const Syntax *s = t->s;
	uint32_t what = syntax_keyword(s, call, S("view_func"));
	RouteFact *out = add_route(t, ROUTE_ADDED, call);

	if (what == SYNTAX_NONE)
		what = syntax_keyword(s, call, S("endpoint"));
	if (what == SYNTAX_NONE)
		what = syntax_argument(s, call,
		                       str_eq(syntax_last(s, call), S("add_url_rule")) ? 2 : 1);
	out->on = object_of(t, call);
	out->computed = !path_text(t, syntax_argument(s, call, 0), &out->path);
	out->methods = methods_of(t, syntax_keyword(s, call, S("methods")));
	view(t, what, out);
}

/* api.add_resource(Orders, "/orders", "/orders/all") */
static void resource(Take *t, uint32_t call)
{
	const Syntax *s = t->s;
	Str text;

	for (uint32_t n = 1; n < 8 && syntax_literal(t->a, s, syntax_argument(s, call, n), &text);
	     n++) {
		RouteFact *out = add_route(t, ROUTE_RESOURCE, call);

		out->on = object_of(t, call);
		out->path = text;
		view(t, syntax_argument(s, call, 0), out);
	}
}

/* router.add_get("/x", f), web.post("/x", f), router.add_route("GET", "/x", f) */
static void aiohttp(Take *t, uint32_t call, const RouteWord *word)
{
	const Syntax *s = t->s;
	bool first = !word->methods;
	uint32_t path = syntax_argument(s, call, first),
		 what = syntax_argument(s, call, first + 1u);
	Str text;
	RouteFact *out;

	if (what == SYNTAX_NONE || !syntax_literal(t->a, s, path, &text) || !text.len ||
	    text.at[0] != '/')
		return;
	out = add_route(t, ROUTE_AIOHTTP, call);
	out->on = object_of(t, call);
	out->path = text;
	if (!first)
		out->methods = str_of(word->methods);
	else if (!syntax_literal(t->a, s, syntax_argument(s, call, 0), &out->methods))
		out->methods = S("");
	view(t, what, out);
}

static const RouteWord words[] = {
	{ "path", ROUTE_PATH, NULL },
	{ "re_path", ROUTE_PATH, NULL },
	{ "url", ROUTE_PATH, NULL },
	{ "register", ROUTE_REGISTER, NULL },
	{ "register_blueprint", ROUTE_MOUNT, NULL },
	{ "include_router", ROUTE_MOUNT, NULL },
	{ "add_url_rule", ROUTE_ADDED, NULL },
	{ "add_api_route", ROUTE_ADDED, NULL },
	{ "add_resource", ROUTE_RESOURCE, NULL },
	{ "add_get", ROUTE_AIOHTTP, "GET" },
	{ "add_post", ROUTE_AIOHTTP, "POST" },
	{ "add_put", ROUTE_AIOHTTP, "PUT" },
	{ "add_patch", ROUTE_AIOHTTP, "PATCH" },
	{ "add_delete", ROUTE_AIOHTTP, "DELETE" },
	{ "add_view", ROUTE_AIOHTTP, "" },
	{ "add_route", ROUTE_AIOHTTP, NULL },
};
static const RouteWord methods[] = {
	{ "get", ROUTE_AIOHTTP, "GET" },       { "post", ROUTE_AIOHTTP, "POST" },
	{ "put", ROUTE_AIOHTTP, "PUT" },       { "patch", ROUTE_AIOHTTP, "PATCH" },
	{ "delete", ROUTE_AIOHTTP, "DELETE" }, { "head", ROUTE_AIOHTTP, "HEAD" },
	{ "view", ROUTE_AIOHTTP, "" },         { "options", ROUTE_AIOHTTP, "OPTIONS" },
};

static void route_call(Take *t, uint32_t call, Str callee, const RouteWord *word)
{
	switch (word->kind) {
	case ROUTE_PATH:
		if (take_is_from(t, callee, S("django")))
			django_path(t, call);
		break;
	case ROUTE_REGISTER:
		registered(t, call);
		break;
	case ROUTE_MOUNT:
		mounted(t, call);
		break;
	case ROUTE_ADDED:
		added(t, call);
		break;
	case ROUTE_RESOURCE:
		resource(t, call);
		break;
	case ROUTE_AIOHTTP:
		aiohttp(t, call, word);
		break;
	case ROUTE_INCLUDE:
	case ROUTE_ACTION:
	case ROUTE_DECORATED:
		break;
	}
}

void take_route_call(Take *t, uint32_t call, Str callee, Str last)
{
	if (last.len > 20 ||
	    (t->s->at[call].parent && t->s->at[t->s->at[call].parent].kind == PY_DECORATOR))
		return;
	for (size_t i = 0; i < COUNT(words); i++)
		if (str_eq(last, str_of(words[i].name))) {
			route_call(t, call, callee, &words[i]);
			return;
		}
	if (!str_starts(callee, S("web.")))
		return;
	for (size_t i = 0; i < COUNT(methods); i++)
		if (str_eq(last, str_of(methods[i].name)))
			aiohttp(t, call, &methods[i]);
}

/* --- decorators ------------------------------------------------------------------------------------------------------------------- */

/* @action(detail=True, methods=["post"], url_path="x") of a view set */
static void action(Take *t, uint32_t call, uint32_t unit)
{
	const Syntax *s = t->s;
	const Measures *m = &t->file->measures;
	uint32_t detail = syntax_keyword(s, call, S("detail")), parent = m->units[unit].parent;
	RouteFact *out;

	if (parent == UNIT_NONE || !take_is_from(t, syntax_callee(s, call), S("rest_framework")))
		return;
	out = add_route(t, ROUTE_ACTION, call);
	out->unit = unit;
	out->on = str_dup(t->a, m->units[parent].name);
	out->path = text_keyword(t, call, S("url_path"));
	if (!out->path.len)
		out->path = str_dup(t->a, m->units[unit].name);
	out->methods = methods_of(t, syntax_keyword(s, call, S("methods")));
	out->detail = detail != SYNTAX_NONE && s->at[detail].kind == PY_TRUE;
}

static const char *decorator_methods(Str last)
{
	for (size_t i = 0; i < COUNT(methods); i++)
		if (str_eq(last, str_of(methods[i].name)))
			return methods[i].methods;
	return str_eq(last, S("route")) || str_eq(last, S("api_route")) ||
	                       str_eq(last, S("websocket"))
	               ? ""
	               : NULL;
}

void take_route_decorator(Take *t, uint32_t call, uint32_t unit)
{
	const Syntax *s = t->s;
	Str last = syntax_last(s, call), text;
	const char *method = decorator_methods(last);
	RouteFact *out;

	if (str_eq(last, S("action"))) {
		action(t, call, unit);
		return;
	}
	if (!method || s->at[syntax_child(s, call, PY_F_FUNCTION)].kind != PY_ATTRIBUTE)
		return;
	if (!path_text(t, syntax_argument(s, call, 0), &text) &&
	    !syntax_literal(t->a, s, syntax_keyword(s, call, S("rule")), &text))
		return;
	out = add_route(t, ROUTE_DECORATED, call);
	out->unit = unit;
	out->on = object_of(t, call);
	out->path = text;
	out->view = str_dup(t->a, t->file->measures.units[unit].name);
	out->methods =
		*method ? str_of(method) : methods_of(t, syntax_keyword(s, call, S("methods")));
	if (str_eq(last, S("websocket")))
		out->methods = S("WEBSOCKET");
}

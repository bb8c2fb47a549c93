/* SPDX-License-Identifier: Apache-2.0
 *
 * A description of an API becomes one step an operation, in its order; those that change something only when asked for.
 * Values come from examples, defaults and enumerations; a parameter of a path that has none becomes a variable, which
 * somebody fills in. JSON is read as the YAML that it is. */
#include "load/init.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/yaml.h"

#include <ctype.h>
#include <string.h>

enum { REFERENCES_MAX = 16, BODY_DEPTH = 8, METHODS_MAX = 8 };

typedef struct Api {
	Arena *arena;
	Buf *notes;
	Sketch *out;
	const YamlNode *root;
	Str base; /* path before all others */
	size_t variable_room;
	size_t changing; /* operations left out */
} Api;

static Err *refuse(Arena *a, Str name, const char *why)
{
	return err_new(a, ERR_INVALID, "load.init", "%.*s: %s", STR_ARG(name), why);
}

static const YamlNode *get(const YamlNode *map, const char *key)
{
	return map && map->kind == YAML_MAP ? yaml_get(map, str_of(key)) : NULL;
}

static Str text_of(const YamlNode *node)
{
	return node && node->kind == YAML_SCALAR && !yaml_is_null(node) ? node->text : S("");
}

static Str get_text(const YamlNode *map, const char *key)
{
	return text_of(get(map, key));
}

/* RFC 6901: "~1" is a slash, "~0" a tilde. */
static Str pointer_key(Arena *a, Str part)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (size_t i = 0; i < part.len; i++)
		if (part.at[i] == '~' && i + 1 < part.len)
			buf_putc(&b, part.at[++i] == '1' ? '/' : '~');
		else
			buf_putc(&b, part.at[i]);
	return str_dup(a, buf_str(&b));
}

/* What a {$ref: "#/..."} stands for; other files are not read. */
static const YamlNode *follow(const Api *api, const YamlNode *node)
{
	for (unsigned i = 0; i < REFERENCES_MAX && get(node, "$ref"); i++) {
		Str rest = get_text(node, "$ref"), part;

		if (!str_starts(rest, S("#/")))
			return NULL;
		rest = str_sub(rest, 2, rest.len);
		node = api->root;
		while (node && str_split(&rest, '/', &part))
			node = node->kind == YAML_MAP
			               ? yaml_get(node, pointer_key(api->arena, part))
			               : NULL;
	}
	return get(node, "$ref") ? NULL : node;
}

/* --- values --------------------------------------------------------------------------------------------------------- */

/* Of a parameter, a media type or a schema; NULL: it has none. */
static const YamlNode *example_of(const Api *api, const YamlNode *of)
{
	const YamlNode *examples = get(of, "examples"), *schema = follow(api, get(of, "schema"));
	const YamlNode *list = get(schema ? schema : of, "enum");

	if (get(of, "example"))
		return get(of, "example");
	if (examples && examples->kind == YAML_MAP && examples->count)
		return get(follow(api, &examples->items[0]), "value");
	if (examples && examples->kind == YAML_LIST && examples->count)
		return &examples->items[0];
	if (schema && example_of(api, schema))
		return example_of(api, schema);
	if (get(of, "default"))
		return get(of, "default");
	return list && list->kind == YAML_LIST && list->count ? &list->items[0] : NULL;
}

static bool reads_as_number(Str text)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	const Json *json;

	return !json_read(a, text, 0, &json);
}

static bool is_bare(const YamlNode *node)
{
	static const Str words[] = { S("true"), S("false"), S("null") };

	if (!node->plain || !node->text.len)
		return false;
	for (size_t i = 0; i < COUNT(words); i++)
		if (str_eq(node->text, words[i]))
			return true;
	if (!isdigit((unsigned char)node->text.at[0]) && node->text.at[0] != '-')
		return false;
	return reads_as_number(node->text);
}

static void put_json(JsonWriter *w, const YamlNode *node)
{
	switch (node->kind) {
	case YAML_MAP:
		json_begin_object(w);
		for (size_t i = 0; i < node->count; i++) {
			json_key(w, node->keys[i].text);
			put_json(w, &node->items[i]);
		}
		json_end(w);
		return;
	case YAML_LIST:
		json_begin_array(w);
		for (size_t i = 0; i < node->count; i++)
			put_json(w, &node->items[i]);
		json_end(w);
		return;
	case YAML_SCALAR:
		break;
	}
	if (yaml_is_null(node))
		json_add_null(w);
	else if (is_bare(node))
		json_add_raw(w, node->text);
	else
		json_add_str(w, node->text);
}

/* An instance of a schema: examples first, then the least that its type allows. */
static void put_instance(const Api *api, JsonWriter *w, const YamlNode *schema, unsigned depth)
{
	const YamlNode *example = example_of(api, schema), *properties = get(schema, "properties");
	Str type = get_text(schema, "type");

	if (example) {
		put_json(w, example);
	} else if ((properties || str_eq(type, S("object"))) && depth < BODY_DEPTH) {
		json_begin_object(w);
		for (size_t i = 0;
		     properties && properties->kind == YAML_MAP && i < properties->count; i++) {
			json_key(w, properties->keys[i].text);
			put_instance(api, w, follow(api, &properties->items[i]), depth + 1);
		}
		json_end(w);
	} else if (str_eq(type, S("array"))) {
		json_begin_array(w);
		if (depth < BODY_DEPTH)
			put_instance(api, w, follow(api, get(schema, "items")), depth + 1);
		json_end(w);
	} else if (str_eq(type, S("integer")) || str_eq(type, S("number"))) {
		json_add_i64(w, 1);
	} else if (str_eq(type, S("boolean"))) {
		json_add_bool(w, true);
	} else if (str_eq(type, S("string"))) {
		json_add_str(w, S("text"));
	} else {
		json_add_null(w);
	}
}

/* --- variables ------------------------------------------------------------------------------------------------------ */

static bool is_taken(Str name)
{
	/* what texts mean already, and names that mean another thing in each path */
	static const Str names[] = { S("user"), S("round"), S("random"), S("uuid"), S("id"),
		                     S("slug"), S("name"),  S("key"),    S("pk") };

	for (size_t i = 0; i < COUNT(names); i++)
		if (str_eq(name, names[i]))
			return true;
	return false;
}

/* "id" in /orders/{id} is {orders_id}. */
static Str variable_name(Arena *a, Str parameter, Str before)
{
	AUTO(buf_fini) Buf b = { 0 };
	Str rest = before, part, last = S("path");

	while (str_split(&rest, '/', &part))
		if (part.len && str_find_char(part, '{') < 0)
			last = part;
	if (is_taken(parameter))
		buf_fmt(&b, "%.*s_", STR_ARG(last));
	buf_put(&b, parameter);
	for (size_t i = 0; i < b.len; i++)
		if (!isalnum((unsigned char)b.at[i]) && b.at[i] != '-')
			b.at[i] = '_';
	return b.len ? str_dup(a, buf_str(&b)) : S("parameter");
}

static void need_variable(Api *api, Str name, Str path)
{
	Sketch *out = api->out;

	for (size_t i = 0; i < out->variables.count; i++)
		if (str_eq(out->variables.at[i].name, name))
			return;
	if (out->variables.count == api->variable_room) {
		NamedText *more = ARENA_ARRAY(api->arena, NamedText, api->variable_room * 2 + 16);

		for (size_t i = 0; i < out->variables.count; i++)
			more[i] = out->variables.at[i];
		out->variables.at = more;
		api->variable_room = api->variable_room * 2 + 16;
	}
	out->variables.at[out->variables.count++] =
		(NamedText){ name, str_fmt(api->arena, "in %.*s", STR_ARG(path)) };
}

/* --- parameters ----------------------------------------------------------------------------------------------------- */

static void put_encoded(Buf *out, Str text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (isalnum(c) || strchr("-._~", c))
			buf_putc(out, (char)c);
		else
			buf_fmt(out, "%%%02X", c);
	}
}

/* The operation's own, then the path's. NULL: nobody describes it. */
static const YamlNode *find_parameter(const Api *api, const YamlNode *const lists[2], Str in,
                                      Str name)
{
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; lists[k] && lists[k]->kind == YAML_LIST && i < lists[k]->count;
		     i++) {
			const YamlNode *p = follow(api, &lists[k]->items[i]);

			if (str_eq(get_text(p, "in"), in) && str_eq(get_text(p, "name"), name))
				return p;
		}
	return NULL;
}

static void put_value(Api *api, Buf *out, const YamlNode *parameter, Str name, Str path, Str before)
{
	Str value = text_of(example_of(api, parameter)), variable;

	if (value.len) {
		put_encoded(out, value);
		return;
	}
	variable = variable_name(api->arena, name, before);
	need_variable(api, variable, path);
	buf_fmt(out, "{%.*s}", STR_ARG(variable));
}

static void put_path(Api *api, Buf *out, Str path, const YamlNode *const lists[2])
{
	size_t at = 0;

	buf_put(out, init_text(api->arena, api->base));
	while (at < path.len) {
		ptrdiff_t end =
			path.at[at] == '{' ? str_find_char(str_sub(path, at, path.len), '}') : -1;
		Str name;

		if (end < 2) {
			buf_put(out, init_text(api->arena, str_sub(path, at, at + 1)));
			at++;
			continue;
		}
		name = str_sub(path, at + 1, at + (size_t)end);
		put_value(api, out, find_parameter(api, lists, S("path"), name), name, path,
		          str_sub(path, 0, at));
		at += (size_t)end + 1;
	}
}

static void put_query(Api *api, Buf *out, Str path, const YamlNode *const lists[2])
{
	bool any = false;

	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; lists[k] && lists[k]->kind == YAML_LIST && i < lists[k]->count;
		     i++) {
			const YamlNode *p = follow(api, &lists[k]->items[i]);
			Str name = get_text(p, "name");

			if (!str_eq(get_text(p, "in"), S("query")) ||
			    !str_eq(get_text(p, "required"), S("true")) ||
			    find_parameter(api, lists, S("query"), name) != p)
				continue;
			buf_putc(out, any ? '&' : '?');
			any = true;
			put_encoded(out, name);
			buf_putc(out, '=');
			put_value(api, out, p, name, path, path);
		}
}

/* --- operations ----------------------------------------------------------------------------------------------------- */

static void take_body(Api *api, const YamlNode *operation, SketchStep *step)
{
	const YamlNode *content = get(follow(api, get(operation, "requestBody")), "content");
	const YamlNode *media = get(content, "application/json"), *example;
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);

	if (!media) {
		if (content)
			buf_fmt(api->notes, "TODO: the body of %.*s %.*s, which is not JSON\n",
			        STR_ARG(step->method), STR_ARG(step->path));
		return;
	}
	example = example_of(api, media);
	if (example)
		put_json(&w, example);
	else
		put_instance(api, &w, follow(api, get(media, "schema")), 0);
	step->body = init_text(api->arena, buf_str(&b));
	step->has_body = true;
	step->headers.at = ARENA_NEW(api->arena, NamedText);
	step->headers.at[step->headers.count++] =
		(NamedText){ S("Content-Type"), S("application/json") };
}

/* The one success that is described, when it is a status and not a class. */
static Str wanted_status(const YamlNode *operation)
{
	const YamlNode *responses = get(operation, "responses");
	Str found = { 0 };

	for (size_t i = 0; responses && responses->kind == YAML_MAP && i < responses->count; i++) {
		Str status = responses->keys[i].text;
		uint64_t number;

		if (!str_to_u64(status, &number) || number < 200 || number > 299)
			continue;
		if (found.len)
			return S("");
		found = status;
	}
	return found;
}

static Str short_name(Str name)
{
	size_t end = MIN(name.len, (size_t)80);

	while (end < name.len && end && ((unsigned char)name.at[end] & 0xc0) == 0x80)
		end--;
	return str_sub(name, 0, end);
}

static void take_operation(Api *api, Str path, Str method, const YamlNode *item,
                           const YamlNode *operation)
{
	const YamlNode *const lists[2] = { get(operation, "parameters"), get(item, "parameters") };
	SketchStep *step = &api->out->steps.at[api->out->steps.count++];
	AUTO(buf_fini) Buf b = { 0 };
	Str name = get_text(operation, "summary");

	put_path(api, &b, path, lists);
	put_query(api, &b, path, lists);
	*step = (SketchStep){ .method = method, .path = str_dup(api->arena, buf_str(&b)) };
	step->name = short_name(name.len ? name : get_text(operation, "operationId"));
	step->check = wanted_status(operation);
	if (!str_eq(method, S("get")) && !str_eq(method, S("head")))
		take_body(api, operation, step);
}

static void take_path(Api *api, Str path, const YamlNode *item, bool writes)
{
	item = follow(api, item);
	for (size_t i = 0; item && item->kind == YAML_MAP && i < item->count; i++) {
		Str method = item->keys[i].text;

		if (!init_has_method(method) || item->items[i].kind != YAML_MAP)
			continue;
		if (!writes && !str_eq(method, S("get")) && !str_eq(method, S("head")))
			api->changing++;
		else
			take_operation(api, path, method, item, &item->items[i]);
	}
}

/* --- where ---------------------------------------------------------------------------------------------------------- */

static Str fill_server(const Api *api, const YamlNode *server)
{
	AUTO(buf_fini) Buf b = { 0 };
	Str rest = get_text(server, "url");

	while (rest.len) {
		ptrdiff_t end = rest.at[0] == '{' ? str_find_char(rest, '}') : -1;

		if (end > 0) {
			const YamlNode *variables = get(server, "variables");
			Str name = str_sub(rest, 1, (size_t)end);

			buf_put(&b, variables && variables->kind == YAML_MAP
			                    ? get_text(yaml_get(variables, name), "default")
			                    : S(""));
			rest = str_sub(rest, (size_t)end + 1, rest.len);
			continue;
		}
		buf_putc(&b, rest.at[0]);
		rest = str_sub(rest, 1, rest.len);
	}
	while (b.len && b.at[b.len - 1] == '/')
		b.len--;
	return str_dup(api->arena, buf_str(&b));
}

static void take_server(Api *api)
{
	const YamlNode *servers = get(api->root, "servers");
	Str url = servers && servers->kind == YAML_LIST && servers->count
	                  ? fill_server(api, &servers->items[0])
	                  : S("");
	ptrdiff_t scheme = str_find(url, S("://"));
	ptrdiff_t slash =
		scheme < 0 ? 0 : str_find_char(str_sub(url, (size_t)scheme + 3, url.len), '/');
	size_t end = scheme < 0 ? 0 : slash < 0 ? url.len : (size_t)(scheme + 3 + slash);

	api->out->target = str_sub(url, 0, end);
	api->base = str_sub(url, end, url.len);
	if (!str_starts(url, S("http://")) && !str_starts(url, S("https://"))) {
		api->out->target = S("http://127.0.0.1:8000");
		api->out->todo = true;
	}
	if (scheme < 0 && api->base.len && api->base.at[0] != '/')
		api->base = S("");
}

Err *init_openapi(Arena *a, Str name, Str text, bool writes, Sketch *out, Buf *notes)
{
	Api api = { .arena = a, .notes = notes, .out = out };
	const YamlNode *paths;

	TRY(yaml_read(a, name, text, &api.root, NULL));
	if (!str_starts(get_text(api.root, "openapi"), S("3.")))
		return refuse(a, name, "expected OpenAPI 3 (`openapi: 3.x`), or a HAR");
	paths = get(api.root, "paths");
	if (!paths || paths->kind != YAML_MAP)
		return refuse(a, name, "there are no paths in it");
	out->journey = S("api");
	out->steps.at = ARENA_ARRAY(a, SketchStep, paths->count * METHODS_MAX + 1);
	take_server(&api);
	for (size_t i = 0; i < paths->count; i++)
		if (str_starts(paths->keys[i].text, S("/")))
			take_path(&api, paths->keys[i].text, &paths->items[i], writes);
	if (api.changing)
		buf_fmt(notes,
		        "left out: %zu operations that change something: say --writes for them\n",
		        api.changing);
	if (get(api.root, "security"))
		buf_put(notes,
		        S("TODO: it asks for authorization: give it as ${NAME} under headers\n"));
	return out->steps.count
	               ? NULL
	               : refuse(a, name,
	                        "there is no operation in it that only reads: say --writes for the others");
}

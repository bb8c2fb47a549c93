/* SPDX-License-Identifier: Apache-2.0
 *
 * libyaml's events become a tree. The parser is asked for one event at a time and stopped at the first that is refused,
 * so neither nesting nor size can make it work for long: depth, nodes and bytes are counted here. Aliases are refused
 * altogether (a configuration that needs them is better written out, and nothing can then expand).
 *
 * libyaml reports its own faults in its own words, with the place; a tab used for indentation, the commonest of them,
 * gets ours. */
#include "base/yaml.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/map.h"

#include <string.h>
#include <yaml.h>

typedef struct Reader {
	yaml_parser_t parser;
	Arena *arena;
	Str name;
	Str text;
	YamlFault *fault;
	YamlNote *note; /* NULL: the first fault ends it */
	void *user;
	size_t nodes;
} Reader;

/* A growing array of nodes. */
typedef struct Nodes {
	YamlNode *at;
	size_t count;
	size_t cap;
} Nodes;

static Err *read_node(Reader *r, const yaml_event_t *event, unsigned depth, YamlNode *out);

static Err *refuse(Reader *r, ErrKind kind, const char *slug, size_t line, size_t column,
                   Str sentence)
{
	*r->fault = (YamlFault){ (uint32_t)line, (uint32_t)column, sentence };
	return err_new(r->arena, kind, slug, "%.*s:%zu:%zu: %.*s", STR_ARG(r->name), line, column,
	               STR_ARG(sentence));
}

static Err *refuse_at(Reader *r, const char *slug, yaml_mark_t mark, const char *sentence)
{
	return refuse(r, ERR_INVALID, slug, mark.line + 1, mark.column + 1, str_of(sentence));
}

/* A fault that leaves the rest readable. */
static Err *object_to(Reader *r, const char *slug, size_t line, size_t column, Str sentence)
{
	if (!r->note)
		return refuse(r, ERR_INVALID, slug, line, column, sentence);
	r->note(r->user, &(YamlFault){ (uint32_t)line, (uint32_t)column, sentence });
	return NULL;
}

static Err *object_at(Reader *r, const char *slug, yaml_mark_t mark, const char *sentence)
{
	return object_to(r, slug, mark.line + 1, mark.column + 1, str_of(sentence));
}

/* Does the line begin with blanks that hold a tab at or before the column? */
static bool indented_by_tab(Str text, yaml_mark_t mark)
{
	Str line = { 0 };

	for (size_t i = 0; i <= mark.line; i++)
		if (!str_split(&text, '\n', &line))
			return false;
	for (size_t i = 0; i < line.len && i <= mark.column; i++) {
		if (line.at[i] == '\t')
			return true;
		if (line.at[i] != ' ')
			return false;
	}
	return false;
}

static size_t line_of_offset(Str text, size_t offset)
{
	size_t line = 1;

	for (size_t i = 0; i < MIN(offset, text.len); i++)
		line += text.at[i] == '\n';
	return line;
}

static Err *refuse_syntax(Reader *r)
{
	const yaml_parser_t *p = &r->parser;
	const char *problem = p->problem ? p->problem : "is not YAML";
	yaml_mark_t mark = p->problem_mark;

	if (p->error == YAML_MEMORY_ERROR)
		return refuse(r, ERR_TOO_LARGE, "yaml.too_large", 1, 1,
		              S("there is no memory for it"));
	if (p->error == YAML_READER_ERROR)
		return refuse(r, ERR_INVALID, "yaml.encoding",
		              line_of_offset(r->text, p->problem_offset), 1,
		              str_fmt(r->arena, "%s (0x%02x)", problem,
		                      (unsigned)p->problem_value));
	if (indented_by_tab(r->text, mark))
		return refuse_at(r, "yaml.syntax", mark, "a tab cannot indent YAML: use spaces");
	if (p->context && (strstr(p->context, "alias") || strstr(p->context, "anchor")))
		return refuse_at(r, "yaml.syntax", p->context_mark,
		                 "a value that begins with * or & must stand in quotes");
	if (strstr(problem, "cannot start any token"))
		return refuse_at(r, "yaml.syntax", mark,
		                 "a value that begins like this must stand in quotes");
	if (p->context && p->context_mark.line != mark.line)
		problem = str_fmt(r->arena, "%s, %s that began in line %zu", problem, p->context,
		                  p->context_mark.line + 1)
		                  .at;
	else if (p->context)
		problem = str_fmt(r->arena, "%s, %s", problem, p->context).at;
	return refuse_at(r, "yaml.syntax", mark, problem);
}

static Err *next_event(Reader *r, yaml_event_t *event)
{
	yaml_event_delete(event);
	return yaml_parser_parse(&r->parser, event) ? NULL : refuse_syntax(r);
}

static YamlNode *add_node(Reader *r, Nodes *nodes)
{
	if (nodes->count == nodes->cap) {
		YamlNode *more;

		nodes->cap = MAX(nodes->cap * 2, (size_t)4);
		more = ARENA_ARRAY(r->arena, YamlNode, nodes->cap);
		if (nodes->count)
			memcpy(more, nodes->at, nodes->count * sizeof *more);
		nodes->at = more;
	}
	return &nodes->at[nodes->count++];
}

static Err *read_list(Reader *r, unsigned depth, YamlNode *out)
{
	AUTO(yaml_event_delete) yaml_event_t event = { 0 };
	Nodes items = { 0 };

	for (;;) {
		TRY(next_event(r, &event));
		if (event.type == YAML_SEQUENCE_END_EVENT)
			break;
		TRY(read_node(r, &event, depth + 1, add_node(r, &items)));
	}
	out->items = items.at;
	out->count = items.count;
	return NULL;
}

static Err *object_twice(Reader *r, const YamlNode *first, const YamlNode *again)
{
	return object_to(r, "yaml.duplicate_key", again->line, again->column,
	                 str_fmt(r->arena, "the key %.*s is there already, in line %u, column %u",
	                         STR_ARG(str_quote(r->arena, again->text)), first->line,
	                         first->column));
}

static Err *check_keys(Reader *r, const YamlNode *map)
{
	AUTO(map_fini) Map seen = { 0 };

	for (size_t i = 0; i < map->count; i++) {
		const YamlNode *key = &map->keys[i];
		const YamlNode *first = map_get(&seen, key->text);

		if (first)
			TRY(object_twice(r, first, key));
		else
			map_put(&seen, key->text, (void *)(uintptr_t)key);
	}
	return NULL;
}

static Err *read_map(Reader *r, unsigned depth, YamlNode *out)
{
	AUTO(yaml_event_delete) yaml_event_t event = { 0 };
	Nodes keys = { 0 };
	Nodes items = { 0 };

	for (;;) {
		TRY(next_event(r, &event));
		if (event.type == YAML_MAPPING_END_EVENT)
			break;
		if (event.type == YAML_SEQUENCE_START_EVENT ||
		    event.type == YAML_MAPPING_START_EVENT)
			return refuse_at(r, "yaml.key", event.start_mark,
			                 "a key must be plain text");
		TRY(read_node(r, &event, depth + 1, add_node(r, &keys)));
		TRY(next_event(r, &event));
		TRY(read_node(r, &event, depth + 1, add_node(r, &items)));
	}
	out->keys = keys.at;
	out->items = items.at;
	out->count = keys.count;
	return check_keys(r, out);
}

static const char no_aliases[] =
	"anchors (&) and aliases (*) are not taken: write it out, or put it in quotes";

static Err *check_event(Reader *r, const yaml_event_t *event, unsigned depth)
{
	bool scalar = event->type == YAML_SCALAR_EVENT;
	const yaml_char_t *anchor =
		scalar ? event->data.scalar.anchor : event->data.sequence_start.anchor;
	const yaml_char_t *tag = scalar ? event->data.scalar.tag : event->data.sequence_start.tag;

	if (event->type == YAML_MAPPING_START_EVENT) {
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
	}
	if (event->type == YAML_ALIAS_EVENT)
		return refuse_at(r, "yaml.alias", event->start_mark, no_aliases);
	if (anchor)
		TRY(object_at(r, "yaml.alias", event->start_mark, no_aliases));
	if (tag)
		TRY(object_at(r, "yaml.tag", event->start_mark,
		              "tags (!) are not taken: leave it away, or put it in quotes"));
	if (depth > YAML_MAX_DEPTH)
		return refuse_at(r, "yaml.too_deep", event->start_mark,
		                 "this is nested more than 64 deep");
	if (++r->nodes > YAML_MAX_NODES)
		return refuse(r, ERR_TOO_LARGE, "yaml.too_large", event->start_mark.line + 1,
		              event->start_mark.column + 1, S("there are more than 200000 values"));
	return NULL;
}

static Err *read_node(Reader *r, const yaml_event_t *event, unsigned depth, YamlNode *out)
{
	YamlNode node = { .line = (uint32_t)event->start_mark.line + 1,
		          .column = (uint32_t)event->start_mark.column + 1 };

	TRY(check_event(r, event, depth));
	if (event->type == YAML_SCALAR_EVENT) {
		node.kind = YAML_SCALAR;
		node.plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
		node.text = str_dup(r->arena, (Str){ (const char *)event->data.scalar.value,
		                                     event->data.scalar.length });
	} else if (event->type == YAML_SEQUENCE_START_EVENT) {
		node.kind = YAML_LIST;
		TRY(read_list(r, depth, &node));
	} else {
		node.kind = YAML_MAP;
		TRY(read_map(r, depth, &node));
	}
	*out = node;
	return NULL;
}

static Err *read_stream(Reader *r, YamlNode *out)
{
	AUTO(yaml_event_delete) yaml_event_t event = { 0 };

	TRY(next_event(r, &event));
	TRY(next_event(r, &event));
	if (event.type == YAML_STREAM_END_EVENT)
		return NULL;
	TRY(next_event(r, &event));
	TRY(read_node(r, &event, 1, out));
	TRY(next_event(r, &event));
	TRY(next_event(r, &event));
	if (event.type == YAML_DOCUMENT_START_EVENT)
		return refuse_at(r, "yaml.documents", event.start_mark,
		                 "a second document begins: put it into a file of its own");
	if (yaml_is_null(out))
		*out = (YamlNode){ .kind = YAML_MAP, .line = 1, .column = 1 };
	return NULL;
}

Err *yaml_read_on(Arena *a, Str name, Str text, YamlNote *note, void *user, const YamlNode **out,
                  YamlFault *fault)
{
	YamlFault unseen = { 0 };
	Reader r = { .arena = a,
		     .name = name,
		     .text = text,
		     .fault = fault ? fault : &unseen,
		     .note = note,
		     .user = user };
	YamlNode *root = ARENA_NEW(a, YamlNode);
	Err *err;

	*root = (YamlNode){ .kind = YAML_MAP, .line = 1, .column = 1 };
	if (text.len > YAML_MAX_BYTES)
		return refuse(&r, ERR_TOO_LARGE, "yaml.too_large", 1, 1,
		              S("it is larger than 4 MiB"));
	if (!yaml_parser_initialize(&r.parser))
		return refuse_syntax(&r);
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const yaml_char_t *)(text.len ? text.at : ""),
	                             text.len);
	err = read_stream(&r, root);
	yaml_parser_delete(&r.parser);
	if (!err)
		*out = root;
	return err;
}

Err *yaml_read(Arena *a, Str name, Str text, const YamlNode **out, YamlFault *fault)
{
	return yaml_read_on(a, name, text, NULL, NULL, out, fault);
}

Err *yaml_load_file(Arena *a, Str path, const YamlNode **out, YamlFault *fault)
{
	Str text;

	TRY(file_read(a, path, YAML_MAX_BYTES, &text));
	return yaml_read(a, path, text, out, fault);
}

static bool is_word(Str text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq_nocase(text, str_of(words[i])))
			return true;
	return false;
}

bool yaml_is_null(const YamlNode *node)
{
	static const char *const words[] = { "", "~", "null" };

	return node->kind == YAML_SCALAR && node->plain && is_word(node->text, words, COUNT(words));
}

const YamlNode *yaml_get(const YamlNode *map, Str key)
{
	for (size_t i = 0; map->kind == YAML_MAP && i < map->count; i++)
		if (str_eq(map->keys[i].text, key))
			return &map->items[i];
	return NULL;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Nobody's YAML reader would take it for anything but this text. */
static bool is_plain(Str text)
{
	static const char *const words[] = { "null", "true", "false", "yes", "no",
		                             "on",   "off",  "y",     "n" };
	uint64_t number;

	if (!text.len || is_word(text, words, COUNT(words)) || str_to_u64(text, &number))
		return false;
	if (!is_letter(text.at[0]) && text.at[0] != '/' && text.at[0] != '_')
		return false;
	for (size_t i = 0; i < text.len; i++) {
		bool inner = i + 1 < text.len && is_letter(text.at[i + 1]);

		if (!is_letter(text.at[i]) && str_find_char(S("_./-+@"), text.at[i]) < 0 &&
		    !(text.at[i] == ':' && inner))
			return false;
	}
	return true;
}

static void put_escaped(Buf *b, Str text)
{
	for (size_t at = 0; at < text.len;) {
		uint32_t code = 0;
		size_t len = str_utf8(str_sub(text, at, text.len), &code);

		if (!len)
			code = (unsigned char)text.at[at];
		if (code == '"' || code == '\\')
			buf_fmt(b, "\\%c", (int)code);
		else if (code == '\n')
			buf_put(b, S("\\n"));
		else if (len && ((code >= 0x20 && code < 0x7f) || (code >= 0xa0 && code < 0x2000) ||
		                 (code >= 0x3000 && code < 0xd800)))
			buf_put(b, str_sub(text, at, at + len));
		else if (code < 0x100)
			buf_fmt(b, "\\x%02x", code);
		else
			buf_fmt(b, "\\U%08x", code);
		at += MAX(len, (size_t)1);
	}
}

void yaml_put_scalar(Buf *b, Str text)
{
	if (is_plain(text)) {
		buf_put(b, text);
		return;
	}
	buf_putc(b, '"');
	put_escaped(b, text);
	buf_putc(b, '"');
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * YAML as a tree of nodes, each with its place in the text. Everything lives in the arena; scalars are text, what they
 * mean is the reader's business (no "no" that is a boolean). Refused, each with its place and a sentence: anchors and
 * aliases, tags, several documents, keys that are not scalars, a key given twice, more than the limits below. */
#pragma once
#include "base/buf.h"

enum {
	YAML_MAX_BYTES = 4 << 20,
	YAML_MAX_DEPTH = 64,
	YAML_MAX_NODES = 200000,
};

typedef enum YamlKind { YAML_SCALAR, YAML_LIST, YAML_MAP } YamlKind;

typedef struct YamlNode YamlNode;
struct YamlNode {
	YamlKind kind;
	bool plain;      /* a scalar without quotes */
	uint32_t line;   /* from 1 */
	uint32_t column; /* from 1, in characters */
	Str text;        /* of a scalar */
	size_t count;    /* of a list's items or a map's pairs */
	const YamlNode
		*items; /* of a list: the items; of a map: the values, in the order of the text */
	const YamlNode *keys; /* of a map: keys[i] belongs to items[i] */
};

/* Where and why reading stopped, or would have. */
typedef struct YamlFault {
	uint32_t line;
	uint32_t column;
	Str sentence;
} YamlFault;

typedef void YamlNote(void *user, const YamlFault *fault);

/* `name` is what messages call the text. An empty text is an empty map. fault may be NULL. Fails with INVALID
 * "yaml.syntax", "yaml.encoding", "yaml.alias", "yaml.tag", "yaml.documents", "yaml.key", "yaml.duplicate_key",
 * "yaml.too_deep" or TOO_LARGE "yaml.too_large", the text being "NAME:LINE:COLUMN: sentence". */
Err *yaml_read(Arena *a, Str name, Str text, const YamlNode **out, YamlFault *fault) MUST_USE;
/* The same, but what leaves the rest readable is told, as often as it occurs, and passed over: keys given twice (both are in
 * the tree), anchors, tags. */
Err *yaml_read_on(Arena *a, Str name, Str text, YamlNote *note, void *user, const YamlNode **out,
                  YamlFault *fault) MUST_USE;
/* yaml_read of a file. Blocks on the disk. Also fails as file_read does: "base.file". */
Err *yaml_load_file(Arena *a, Str path, const YamlNode **out, YamlFault *fault) MUST_USE;

bool yaml_is_null(const YamlNode *node); /* nothing, ~ or null, without quotes */
/* The value of a map's key, or NULL. */
const YamlNode *yaml_get(const YamlNode *map, Str key);

/* A scalar as YAML that reads back as the same text: plain where that is safe, else in double quotes. */
void yaml_put_scalar(Buf *b, Str text);

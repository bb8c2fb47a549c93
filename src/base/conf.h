/* SPDX-License-Identifier: Apache-2.0
 *
 * Configuration: tables of rows that drive the parser, the checks, `banyan check` and the reference page.
 *
 *   typedef struct Server { Str address; uint32_t weight; } Server;
 *   typedef struct Upstream { Str name; CONF_LIST_OF(Server) servers; uint8_t balance; bool has_health; Health health; } Upstream;
 *
 *   static const ConfKey server_keys[] = {
 *           { "address", CONF_STR, AT(Server, address), .required = true, .verify = addr_verify, .help = "host:port" },
 *           { "weight", CONF_UINT, AT(Server, weight), .def = "1", .min = "0", .max = "1000", .help = "share of requests" },
 *   };
 *   static const ConfTable server_table = {
 *           "server", CONF_ROWS(Server, server_keys), .shorthand = "address", .help = "one address of an upstream" };
 *   static const ConfKey upstream_keys[] = {
 *           { "name", CONF_NAME, AT(Upstream, name), .help = "what routes call it" },
 *           { "servers", CONF_OBJECT, AT_LIST(Upstream, servers), .table = &server_table, .required = true, .help = "..." },
 *           { "balance", CONF_ENUM, AT(Upstream, balance), .names = balances, .def = "least_request", .help = "..." },
 *           { "health", CONF_OBJECT, AT(Upstream, health), GIVEN(Upstream, has_health), .table = &health_table, .help = "..." },
 *   };
 *
 * Values go into plain structs that live in the arena. Every mistake is collected; reading goes on after it with the
 * default in its place. Nothing here is thread-safe but the tables. */
#pragma once
#include "base/buf.h"

typedef struct Conf
	Conf; /* one reading of one configuration: its mistakes and where each value stood */
typedef struct ConfTable ConfTable;
typedef struct JsonWriter JsonWriter;

typedef enum ConfType {
	CONF_BOOL,     /* bool: true, false, yes, no, on, off */
	CONF_UINT,     /* uint8_t to uint64_t, by the field's size */
	CONF_INT,      /* int32_t or int64_t */
	CONF_REAL,     /* double */
	CONF_DURATION, /* int64_t, microseconds: 250ms, 5s, 1h30m */
	CONF_BYTES,    /* uint32_t or uint64_t: 512, 64KiB */
	CONF_SHARE,    /* uint32_t, parts per million: 20%, 0.1% */
	CONF_STR,      /* Str */
	CONF_PATH,   /* Str: a file, taken from the configuration file's own folder when relative */
	CONF_ENUM,   /* uint8_t to uint32_t, int: one of .names */
	CONF_OBJECT, /* a struct in place, described by .table */
	CONF_NAME, /* Str: not a key of the file but the name under which a map (AT_MAP) holds this object */
} ConfType;

typedef enum ConfShape { CONF_ONE, CONF_LIST, CONF_MAP } ConfShape;

/* Lists and maps are an array with its length: `CONF_LIST_OF(Server) servers;` in the struct, servers.at[i]. In the file a
 * list of one needs no brackets. */
#define CONF_LIST_OF(type) \
	struct { \
		type *at; \
		size_t count; \
	}
#define CONF_FIELD_(type, field) (((type *)NULL)->field)
#define AT(type, field) \
	.offset = offsetof(type, field), .size = sizeof CONF_FIELD_(type, field), \
	.span = sizeof CONF_FIELD_(type, field)
#define AT_LIST(type, field) .shape = CONF_LIST, AT_MANY_(type, field)
#define AT_MAP(type, field) \
	.shape = CONF_MAP, AT_MANY_(type, field) /* of objects, by a free name; order kept */
#define AT_MANY_(type, field) \
	.offset = offsetof(type, field), .size = sizeof *CONF_FIELD_(type, field).at, \
	.span = sizeof CONF_FIELD_(type, field)
/* A bool of the same struct that becomes true when the file has the key (an object: is it there at all?). */
#define GIVEN(type, field) .given = 1 + offsetof(type, field)
/* A bool of the same struct that becomes true when a value was taken from the environment or a file: it is hidden then. */
#define OUTSIDE(type, field) .expand = true, .outside = 1 + offsetof(type, field)

typedef struct ConfWord { /* ends with a row of zeros */
	const char *name;
	uint32_t value;
	const char *help;
} ConfWord;

/* Is this text in order? Fails with INVALID; the sentence continues 'key: ...': `"x:y" has no port`. */
typedef Err *ConfVerify(Arena *a, Str text);
/* Looks at one object that was read, children first; adds conf_mistake()s. Values that were wrong hold their defaults. */
typedef void ConfCheck(Conf *conf, void *object);

typedef struct ConfKey {
	const char *name;
	ConfType type;
	size_t offset;
	uint16_t size; /* of one value */
	uint16_t span; /* of the field */
	ConfShape shape;
	uint32_t given;
	uint32_t outside;
	const char *def; /* as it would be written; of a list: "GET, POST"; none: zero, empty */
	const char *min; /* as written; included. Of CONF_STR: the length in bytes */
	const char *max;
	const ConfWord *names;  /* CONF_ENUM */
	const ConfTable *table; /* CONF_OBJECT */
	ConfVerify *verify;     /* CONF_STR, CONF_PATH, CONF_NAME */
	bool required;          /* must be there; a list or map: with at least one item */
	bool unique;            /* CONF_STR: no two objects of a list have the same, unless empty */
	bool expand; /* CONF_STR: ${NAME} is taken from the environment, file:PATH from a file */
	bool secret; /* expand, and hidden when printed */
	char letter; /* command line only: 'c' for -c */
	const char *value; /* what stands for the value in the manual: "FILE"; none: by type */
	const char *help;  /* one line, no full stop */
	const char *more;  /* sentences for the reference page */
} ConfKey;

struct ConfTable {
	const char *name; /* "upstream": what messages and the manual call one */
	size_t size;
	const ConfKey *keys;
	size_t count;
	const char *shorthand; /* the key meant when a plain value stands in the object's place */
	bool open;             /* keys that it has not are others' business */
	ConfCheck *check;
	const char *help;
};
#define CONF_ROWS(type, rows) .size = sizeof(type), .keys = (rows), .count = COUNT(rows)

/* A file's top level may be shared: each part takes its own keys into its own struct. */
typedef struct ConfPart {
	const ConfTable *table;
	void *into; /* table->size bytes, overwritten: defaults first */
} ConfPart;

typedef struct ConfMistake {
	uint32_t line; /* from 1; 0: the whole file */
	uint32_t column;
	Str text; /* a sentence, without the place */
} ConfMistake;

Conf *conf_new(Arena *a) RETURNS_NONNULL; /* lives as long as the arena */

/* Reads, fills, checks. Returns conf_result(). conf_load also fails as file_read does ("base.file"). Both may be called
 * once for a Conf. `name` is what messages call the text. */
Err *conf_load(Conf *conf, Str path, const ConfPart *parts, size_t count) MUST_USE;
Err *conf_read(Conf *conf, Str name, Str text, const ConfPart *parts, size_t count) MUST_USE;
/* Defaults only, as an empty file would give them; required keys are not asked for. */
void conf_defaults(Arena *a, const ConfTable *table, void *into);

/* Adds a mistake at the value that `at` points to (a field of a struct that was read, or an item); where the file did
 * not give that field, at the object around it; NULL: the whole file. Dropped when the reader itself has found a mistake
 * at that very place. */
void conf_mistake(Conf *conf, const void *at, const char *fmt, ...) PRINTF(3, 4);
/* By line; at most 100 are kept. */
const ConfMistake *conf_mistakes(const Conf *conf, size_t *count);
void conf_put_mistakes(const Conf *conf, Buf *b); /* "NAME:LINE:COLUMN: sentence", one a line */
void conf_json_mistakes(const Conf *conf, JsonWriter *w); /* an array of { line, column, text } */
/* NULL without mistakes, else INVALID "conf.invalid": "banyan.yaml has 3 mistakes", with the first as its cause. */
Err *conf_result(const Conf *conf) MUST_USE;
/* Where a value stood, "banyan.yaml:12:5", for messages that come later; in the arena. */
Str conf_where(const Conf *conf, const void *at);

/* One value from text, as the reader does it (the command line's options): into the field of `base` that the row names;
 * a CONF_LIST row takes one more item each time. Fails with INVALID "conf.value", the sentence saying what was expected. */
Err *conf_set(Arena *a, const ConfKey *key, void *base, Str text) MUST_USE;

/* The configuration in effect as YAML, defaults filled in, secrets hidden; reads back as the same when there are none. */
void conf_put_yaml(Buf *b, const ConfTable *table, const void *object);
/* Do two objects say the same? Secrets are compared too; what is hidden when printed may differ. */
bool conf_equal(const ConfTable *table, const void *x, const void *y) MUST_USE;
/* The reference: a section a table, a row a key, nested tables after it. */
void conf_put_markdown(Buf *b, const ConfTable *table);
/* What stands for a value of the row: "duration", "one of a, b", "list of server". */
Str conf_type_text(Arena *a, const ConfKey *key);

/* Do the rows fit their fields, do the defaults keep their own limits, has each a help? Fails with INTERNAL "conf.table".
 * For tests, and for the program's start. */
Err *conf_check_table(Arena *a, const ConfTable *table) MUST_USE;

/* SPDX-License-Identifier: Apache-2.0
 *
 * Comparing two answers to one request: what differs, as a list of (path, kind), each once.
 *
 * Paths tell apart what differs by where they begin:
 *   .items[].price   in a JSON body, as jq writes it; .["odd key"], [] for every item, * for any key of a map
 *   /html/body/p     in an HTML body: elements from the root; /html/body/a/@href an attribute
 *   .                the body as a whole (kind body: text, bytes, JSON on one side only)
 *   location         a header, in lower case; set-cookie/NAME a cookie
 *   200:503          the status, old and new
 *
 * Everything given back lives in the arena of the call. Any thread; nothing here parks. A body above 64 KiB belongs on a worker
 * thread (rule 9). */
#pragma once
#include "shift/mask.h"

enum {
	COMPARE_KEYS_MAX = 128,    /* of one comparison; what is above is counted */
	COMPARE_PATH_MAX = 200,    /* bytes of a path; what is longer ends in "..." */
	COMPARE_VALUE_MAX = 200,   /* bytes of a value in an example */
	COMPARE_MAP_KEYS = 50,     /* an object with more keys is a map */
	COMPARE_BODY_MAX = 1 << 18 /* unless the rules say otherwise */
};

typedef enum CompareKind {
	COMPARE_MISSING, /* in the old answer only */
	COMPARE_EXTRA,   /* in the new answer only */
	COMPARE_TYPE,    /* a string here, a number there; null; 1 and 1.0 */
	COMPARE_VALUE,
	COMPARE_ORDER, /* the same items in another order */
	COMPARE_SIZE,  /* arrays of different lengths; a body above the limit on one side only */
	COMPARE_STATUS,
	COMPARE_HEADER,
	COMPARE_BODY,
	COMPARE_KINDS
} CompareKind;

Str compare_kind_name(CompareKind kind);                   /* "missing" */
bool compare_kind_of(Str name, CompareKind *out) MUST_USE; /* false: there is no such kind */

typedef enum CompareForm {
	COMPARE_BY_TYPE, /* by the content type of both answers */
	COMPARE_JSON,
	COMPARE_HTML,
	COMPARE_TEXT,
	COMPARE_BYTES,
	COMPARE_NOTHING /* only status and headers */
} CompareForm;

typedef struct CompareKeyed {
	Str path; /* of the array */
	Str by;   /* of the key within an item: ".id" */
} CompareKeyed;

typedef struct CompareTolerance {
	Str path;
	double absolute;
	double relative; /* to the larger of the two: 0.01 is one per cent */
} CompareTolerance;

/* Known noise of HTML, ignored unless a rule keeps it. */
typedef enum CompareKnown {
	COMPARE_CSRF_FIELDS =
		1 << 0, /* values of hidden inputs and <meta> that guard against forged requests */
	COMPARE_NONCES = 1 << 1, /* nonce and integrity attributes */
} CompareKnown;

/* What is to be compared; a plain struct that a configuration fills. A zeroed one is the default. */
typedef struct CompareRules {
	CONF_LIST_OF(Str)
	ignore; /* paths of bodies; all that is below too. `..name`: at any depth */
	CONF_LIST_OF(Str) unordered; /* arrays compared as multisets */
	CONF_LIST_OF(Str) sets;      /* arrays compared as sets: duplicates do not count */
	CONF_LIST_OF(Str) maps;      /* objects whose keys are data: paths below have * for them */
	CONF_LIST_OF(CompareKeyed) keyed;
	CONF_LIST_OF(CompareTolerance) tolerances;
	CONF_LIST_OF(Str) headers; /* instead of the chosen ones, when not empty or given */
	bool headers_given;
	Str map; /* a jq filter for both bodies; the caller compiles it and gives it as a CompareMap */
	uint8_t form;                /* CompareForm */
	CONF_LIST_OF(uint32_t) keep; /* CompareKnown that are compared all the same */
	uint64_t body_max;           /* 0: COMPARE_BODY_MAX */
	MaskRules mask;
} CompareRules;

typedef struct Comparer Comparer; /* rules made ready; never changed, for any thread */

/* Fails with INVALID "compare.path" for a path that is none. Keeps views of the rules: they must live as long. */
Err *compare_new(Arena *a, const CompareRules *rules, const Comparer **out) MUST_USE;
/* For a configuration's check; NULL when the text is a path of a body. */
Err *compare_verify_path(Arena *a, Str text);

/* Headers as they came, in any order. The two bodies are decoded (Content-Encoding) already. */
typedef struct CompareField {
	Str name, value;
} CompareField;

typedef struct CompareAnswer {
	uint16_t status;
	const CompareField *fields;
	size_t field_count;
	Str body;
	bool cut; /* the body was longer than what is here */
} CompareAnswer;

typedef enum CompareSide { COMPARE_OLD, COMPARE_NEW } CompareSide;

/* Reshapes a JSON body before it is compared (jq). An error makes the comparison one of bodies as they are, and a difference
 * (".", body) that says so. */
typedef Err *CompareMapper(void *arg, CompareSide side, Arena *a, Str body, Str *out);
typedef struct CompareMap {
	CompareMapper *run;
	void *arg;
	bool alike; /* it does the same to both sides: equal bodies need not be mapped */
} CompareMap;

typedef struct Difference {
	Str path;
	CompareKind kind;
	Str old,
		new; /* what an example shows: masked and cut already; empty: absent on that side */
} Difference;

typedef struct Comparison {
	const Difference *at;
	size_t count;
	size_t dropped; /* found, but not in the list: it was full, or the work came to its limit */
	CompareForm
		form; /* how the bodies were compared in the end; COMPARE_NOTHING: they were not */
	uint32_t known;  /* CompareKnown that was seen and ignored */
	bool same_bytes; /* the bodies are equal byte by byte, and were not looked into */
	bool too_large;  /* the bodies were not compared: both are above the limit */
} Comparison;

/* map may be NULL. */
void compare_answers(const Comparer *c, Arena *a, const CompareAnswer *old,
                     const CompareAnswer *new, const CompareMap *map, Comparison *out);

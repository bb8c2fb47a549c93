/* SPDX-License-Identifier: Apache-2.0
 *
 * A part of JSON Schema, read once into a tree of rules, then walked beside a value. Both trees are at most 64 deep (json.h), so the
 * walk may recurse. Words come from a table; one that is not in it ends the reading, as does one whose value is of another kind:
 * a schema that checks less than it says is a hole.
 *
 * `pattern` is PCRE2 with a limit on its steps; what meets the limit does not match. Numbers: integers are compared exactly, others
 * as doubles. */
#include "user/profile.h"

#include "base/arena.h"
#include "base/time.h"
#include "user/user_domain.h"

#include <math.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
	PATTERN_STEPS = 100000,
	PATTERN_BYTES = 1000,
	UNIQUE_ITEMS = 200 /* each is compared with all before it */
};

typedef struct Rule Rule;
typedef struct Property {
	Str name;
	const Rule *rule;
} Property;

typedef enum Format {
	FORMAT_NONE,
	FORMAT_EMAIL,
	FORMAT_DATE,
	FORMAT_DATE_TIME,
	FORMAT_URI,
	FORMAT_UUID
} Format;

typedef struct Bounds {
	bool has_min, has_max;
	int64_t min, max;
} Bounds;

struct Rule {
	bool never;          /* the schema `false` */
	unsigned types;      /* a bit a JsonKind, and WHOLE; 0: any */
	const Json *choices; /* enum, an array; NULL: any */
	const Json *only;    /* const */
	bool has_only;
	Property *properties;
	size_t property_count;
	Str *required;
	size_t required_count;
	const Rule *more; /* additionalProperties; NULL: anything */
	const Rule *items;
	bool unique;
	Bounds length, count, members;
	bool has_least, has_most, least_open, most_open;
	double least, most;
	int64_t multiple; /* 0: of nothing */
	pcre2_code *pattern;
	Format format;
};

struct ProfileSchema {
	const Rule *root;
};

#define BIT(kind) (1u << (kind))
#define NUMBER_BITS (BIT(JSON_KIND_INT) | BIT(JSON_KIND_REAL))

/* --- reading the schema ------------------------------------------------------------------------------------------------- */

typedef struct Reading {
	Arena *a;
	Str at; /* the word that is read, as a pointer */
} Reading;

typedef Err *WordFn(Reading *r, Rule *rule, const Json *value);
static Err *rule_read(Reading *r, const Json *value, const Rule **out) MUST_USE;

static Err *wrong(const Reading *r, const char *what)
{
	return err_new(r->a, ERR_INVALID, "user.profile_schema", "the schema's %.*s %s",
	               STR_ARG(r->at), what);
}

static Err *type_bit(const Reading *r, const Json *value, unsigned *bits)
{
	static const struct {
		Str name;
		unsigned bits;
	} names[] = {
		{ S("null"), BIT(JSON_KIND_NULL) },     { S("boolean"), BIT(JSON_KIND_BOOL) },
		{ S("integer"), BIT(JSON_KIND_INT) },   { S("number"), NUMBER_BITS },
		{ S("string"), BIT(JSON_KIND_STR) },    { S("array"), BIT(JSON_KIND_ARRAY) },
		{ S("object"), BIT(JSON_KIND_OBJECT) },
	};
	Str name;

	if (json_to_str(value, &name))
		for (size_t i = 0; i < COUNT(names); i++)
			if (str_eq(name, names[i].name)) {
				*bits |= names[i].bits;
				return NULL;
			}
	return wrong(r, "is no type");
}

static Err *word_type(Reading *r, Rule *rule, const Json *value)
{
	if (json_kind(value) != JSON_KIND_ARRAY)
		return type_bit(r, value, &rule->types);
	for (size_t i = 0; i < json_count(value); i++)
		TRY(type_bit(r, json_at(value, i), &rule->types));
	return rule->types ? NULL : wrong(r, "allows nothing");
}

static Err *word_enum(Reading *r, Rule *rule, const Json *value)
{
	if (json_kind(value) != JSON_KIND_ARRAY || !json_count(value))
		return wrong(r, "is no list of values");
	rule->choices = value;
	return NULL;
}

static Err *word_const(Reading *r, Rule *rule, const Json *value)
{
	(void)r;
	rule->only = value;
	rule->has_only = true;
	return NULL;
}

static Err *word_properties(Reading *r, Rule *rule, const Json *value)
{
	Str at = r->at, name;
	const Json *schema;
	void *next = NULL;

	if (json_kind(value) != JSON_KIND_OBJECT)
		return wrong(r, "is no object");
	rule->properties = ARENA_ARRAY(r->a, Property, json_count(value) + 1);
	while (json_next(value, &next, &name, &schema)) {
		Property *p = &rule->properties[rule->property_count++];

		r->at = field_pointer(r->a, at, name);
		p->name = name;
		TRY(rule_read(r, schema, &p->rule));
	}
	r->at = at;
	return NULL;
}

static Err *word_required(Reading *r, Rule *rule, const Json *value)
{
	if (json_kind(value) != JSON_KIND_ARRAY)
		return wrong(r, "is no list of names");
	rule->required = ARENA_ARRAY(r->a, Str, json_count(value) + 1);
	for (size_t i = 0; i < json_count(value); i++)
		if (!json_to_str(json_at(value, i), &rule->required[rule->required_count++]))
			return wrong(r, "is no list of names");
	return NULL;
}

static Err *word_more(Reading *r, Rule *rule, const Json *value)
{
	return rule_read(r, value, &rule->more);
}

static Err *word_items(Reading *r, Rule *rule, const Json *value)
{
	return rule_read(r, value, &rule->items);
}

static Err *word_unique(Reading *r, Rule *rule, const Json *value)
{
	return json_to_bool(value, &rule->unique) ? NULL : wrong(r, "is neither true nor false");
}

static Err *bound(Reading *r, const Json *value, bool *has, int64_t *n)
{
	*has = json_to_i64(value, n) && *n >= 0;
	return *has ? NULL : wrong(r, "is no number of things");
}

#define BOUND_WORD(name, field, side) \
	static Err *name(Reading *r, Rule *rule, const Json *value) \
	{ \
		return bound(r, value, &rule->field.has_##side, &rule->field.side); \
	}
BOUND_WORD(word_min_length, length, min)
BOUND_WORD(word_max_length, length, max)
BOUND_WORD(word_min_items, count, min)
BOUND_WORD(word_max_items, count, max)
BOUND_WORD(word_min_members, members, min)
BOUND_WORD(word_max_members, members, max)

static Err *limit(Reading *r, const Json *value, bool *has, double *n)
{
	*has = json_to_real(value, n);
	return *has ? NULL : wrong(r, "is no number");
}

static Err *word_least(Reading *r, Rule *rule, const Json *value)
{
	return limit(r, value, &rule->has_least, &rule->least);
}

static Err *word_most(Reading *r, Rule *rule, const Json *value)
{
	return limit(r, value, &rule->has_most, &rule->most);
}

static Err *word_above(Reading *r, Rule *rule, const Json *value)
{
	rule->least_open = true;
	return limit(r, value, &rule->has_least, &rule->least);
}

static Err *word_below(Reading *r, Rule *rule, const Json *value)
{
	rule->most_open = true;
	return limit(r, value, &rule->has_most, &rule->most);
}

static Err *word_multiple(Reading *r, Rule *rule, const Json *value)
{
	return json_to_i64(value, &rule->multiple) && rule->multiple > 0
	               ? NULL
	               : wrong(r, "is no integer above 0");
}

static void pattern_free(void *code)
{
	pcre2_code_free(code);
}

static Err *word_pattern(Reading *r, Rule *rule, const Json *value)
{
	PCRE2_SIZE at;
	int why;
	Str text;

	if (!json_to_str(value, &text) || text.len > PATTERN_BYTES)
		return wrong(r, "is no text, or too long");
	rule->pattern = pcre2_compile((PCRE2_SPTR)text.at, text.len, PCRE2_UTF | PCRE2_UCP, &why,
	                              &at, NULL);
	if (!rule->pattern)
		return wrong(r, "is no regular expression");
	arena_defer(r->a, pattern_free, rule->pattern);
	return NULL;
}

static const Str formats[] = {
	[FORMAT_EMAIL] = S("email"), [FORMAT_DATE] = S("date"), [FORMAT_DATE_TIME] = S("date-time"),
	[FORMAT_URI] = S("uri"),     [FORMAT_UUID] = S("uuid"),
};

static Err *word_format(Reading *r, Rule *rule, const Json *value)
{
	Str name;

	if (json_to_str(value, &name))
		for (size_t i = FORMAT_EMAIL; i < COUNT(formats); i++)
			if (str_eq(name, formats[i])) {
				rule->format = (Format)i;
				return NULL;
			}
	return wrong(r, "is none of email, date, date-time, uri, uuid");
}

static Err *word_for_people(Reading *r, Rule *rule, const Json *value)
{
	(void)r;
	(void)rule;
	(void)value;
	return NULL;
}

static const struct {
	Str name;
	WordFn *fn;
} words[] = {
	{ S("type"), word_type },
	{ S("enum"), word_enum },
	{ S("const"), word_const },
	{ S("properties"), word_properties },
	{ S("required"), word_required },
	{ S("additionalProperties"), word_more },
	{ S("minProperties"), word_min_members },
	{ S("maxProperties"), word_max_members },
	{ S("items"), word_items },
	{ S("minItems"), word_min_items },
	{ S("maxItems"), word_max_items },
	{ S("uniqueItems"), word_unique },
	{ S("minLength"), word_min_length },
	{ S("maxLength"), word_max_length },
	{ S("pattern"), word_pattern },
	{ S("format"), word_format },
	{ S("minimum"), word_least },
	{ S("maximum"), word_most },
	{ S("exclusiveMinimum"), word_above },
	{ S("exclusiveMaximum"), word_below },
	{ S("multipleOf"), word_multiple },
	{ S("title"), word_for_people },
	{ S("description"), word_for_people },
	{ S("default"), word_for_people },
	{ S("examples"), word_for_people },
	{ S("$schema"), word_for_people },
	{ S("$id"), word_for_people },
	{ S("$comment"), word_for_people },
	{ S("deprecated"), word_for_people },
	{ S("readOnly"), word_for_people },
	{ S("writeOnly"), word_for_people },
};

static WordFn *word_of(Str name)
{
	for (size_t i = 0; i < COUNT(words); i++)
		if (str_eq(name, words[i].name))
			return words[i].fn;
	return NULL;
}

static Err *rule_read(Reading *r, const Json *value, const Rule **out)
{
	Rule *rule = ARENA_NEW(r->a, Rule);
	Str at = r->at, name;
	const Json *word;
	void *next = NULL;
	bool yes;

	*out = rule;
	if (json_to_bool(value, &yes)) {
		rule->never = !yes;
		return NULL;
	}
	if (json_kind(value) != JSON_KIND_OBJECT)
		return wrong(r, "is neither an object nor true nor false");
	while (json_next(value, &next, &name, &word)) {
		WordFn *fn = word_of(name);

		r->at = field_pointer(r->a, at, name);
		if (!fn)
			return wrong(r, "is a word that is not checked here");
		TRY(fn(r, rule, word));
	}
	r->at = at;
	return NULL;
}

Err *profile_schema_read(Arena *a, Str text, const ProfileSchema **out)
{
	ProfileSchema *schema = ARENA_NEW(a, ProfileSchema);
	Reading r = { .a = a, .at = S("") };
	const Json *value;

	TRY(json_read(a, text, 0, &value));
	TRY(rule_read(&r, value, &schema->root));
	*out = schema;
	return NULL;
}

/* --- checking a value --------------------------------------------------------------------------------------------------- */

typedef struct Checking {
	Arena *a;
	FieldMistakes *wrong;
} Checking;

static void check(Checking *c, const Rule *rule, const Json *value, Str at);

static bool same(const Json *x, const Json *y)
{
	AUTO(buf_fini) Buf bx = { 0 }, by = { 0 };
	JsonWriter wx = json_writer(&bx), wy = json_writer(&by);
	double dx, dy;

	if (json_to_real(x, &dx) && json_to_real(y, &dy))
		return dx == dy;
	json_put(&wx, x);
	json_put(&wy, y);
	return str_eq(buf_str(&bx), buf_str(&by));
}

static bool is_choice(const Rule *rule, const Json *value)
{
	if (rule->has_only && !same(rule->only, value))
		return false;
	for (size_t i = 0; rule->choices && i < json_count(rule->choices); i++)
		if (same(json_at(rule->choices, i), value))
			return true;
	return !rule->choices;
}

static size_t characters(Str text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += ((unsigned char)text.at[i] & 0xc0) != 0x80;
	return n;
}

static bool in_bounds(Checking *c, const Bounds *b, size_t n, const char *of, Str at)
{
	if (b->has_min && n < (uint64_t)b->min)
		field_mistake(c->wrong, at, "too_short", "there must be %" PRId64 " %s at least",
		              b->min, of);
	else if (b->has_max && n > (uint64_t)b->max)
		field_mistake(c->wrong, at, "too_long", "there may be %" PRId64 " %s at most",
		              b->max, of);
	else
		return true;
	return false;
}

static bool matches(pcre2_code *code, Str text)
{
	pcre2_match_context *context = pcre2_match_context_create(NULL);
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	int found = -1;

	if (context && data) {
		pcre2_set_match_limit(context, PATTERN_STEPS);
		pcre2_set_depth_limit(context, PATTERN_STEPS);
		found = pcre2_match(code, (PCRE2_SPTR)(text.at ? text.at : ""), text.len, 0, 0,
		                    data, context);
	}
	pcre2_match_data_free(data);
	pcre2_match_context_free(context);
	return found >= 0;
}

static bool is_date(Arena *a, Str text)
{
	int64_t us;

	return text.len == 10 &&
	       time_read_rfc3339(str_fmt(a, "%.*sT00:00:00Z", STR_ARG(text)), &us);
}

/* As far as it matters to who reads it: a scheme, a colon, and nothing that ends a line. */
static bool is_uri(Str text)
{
	ptrdiff_t colon = str_find_char(text, ':');

	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.at[i] <= ' ' || text.at[i] == 0x7f ||
		    strchr("<>\"\\^`{|}", text.at[i]))
			return false;
	return colon > 0 && (size_t)colon + 1 < text.len && (text.at[0] | 0x20) >= 'a' &&
	       (text.at[0] | 0x20) <= 'z';
}

static bool is_email(Str text)
{
	ptrdiff_t at = str_rfind_char(text, '@');

	return at > 0 && (size_t)at + 1 < text.len && str_find_char(text, ' ') < 0 &&
	       text.len <= 254;
}

static bool has_format(Arena *a, Format format, Str text)
{
	int64_t us;
	Uuid id;

	switch (format) {
	case FORMAT_EMAIL:
		return is_email(text);
	case FORMAT_DATE:
		return is_date(a, text);
	case FORMAT_DATE_TIME:
		return time_read_rfc3339(text, &us);
	case FORMAT_URI:
		return is_uri(text);
	case FORMAT_UUID:
		return uuid_read(text, &id);
	case FORMAT_NONE:
		break;
	}
	return true;
}

static void check_text(Checking *c, const Rule *rule, Str text, Str at)
{
	if (!in_bounds(c, &rule->length, characters(text), "characters", at))
		return;
	if (rule->pattern && !matches(rule->pattern, text))
		field_mistake(c->wrong, at, "pattern",
		              "the text does not have the form that is asked for");
	else if (!has_format(c->a, rule->format, text))
		field_mistake(c->wrong, at, "format", "this is not a %.*s",
		              STR_ARG(formats[rule->format]));
}

static void check_number(Checking *c, const Rule *rule, const Json *value, Str at)
{
	int64_t whole = 0;
	double n = 0;

	json_to_real(value, &n);
	if (rule->has_least && (rule->least_open ? n <= rule->least : n < rule->least))
		field_mistake(c->wrong, at, "range", "the number must be %s %g",
		              rule->least_open ? "above" : "at least", rule->least);
	if (rule->has_most && (rule->most_open ? n >= rule->most : n > rule->most))
		field_mistake(c->wrong, at, "range", "the number must be %s %g",
		              rule->most_open ? "below" : "at most", rule->most);
	if (rule->multiple && (!json_to_i64(value, &whole) || whole % rule->multiple))
		field_mistake(c->wrong, at, "range", "the number must be a multiple of %" PRId64,
		              rule->multiple);
}

static void check_array(Checking *c, const Rule *rule, const Json *value, Str at)
{
	size_t n = json_count(value);

	if (!in_bounds(c, &rule->count, n, "items", at))
		return;
	if (rule->unique && n > UNIQUE_ITEMS) {
		field_mistake(c->wrong, at, "too_long", "there may be %d items at most",
		              UNIQUE_ITEMS);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (rule->items)
			check(c, rule->items, json_at(value, i), field_pointer_at(c->a, at, i));
		for (size_t j = 0; rule->unique && j < i; j++)
			if (same(json_at(value, i), json_at(value, j))) {
				field_mistake(c->wrong, field_pointer_at(c->a, at, i), "unique",
				              "this is there twice");
				break;
			}
	}
}

static const Rule *property_of(const Rule *rule, Str name)
{
	for (size_t i = 0; i < rule->property_count; i++)
		if (str_eq(rule->properties[i].name, name))
			return rule->properties[i].rule;
	return rule->more;
}

static void check_object(Checking *c, const Rule *rule, const Json *value, Str at)
{
	const Json *member;
	void *next = NULL;
	Str name;

	in_bounds(c, &rule->members, json_count(value), "members", at);
	for (size_t i = 0; i < rule->required_count; i++)
		if (!json_get(value, rule->required[i]))
			field_mistake(c->wrong, field_pointer(c->a, at, rule->required[i]),
			              "required", "this is needed");
	while (json_next(value, &next, &name, &member)) {
		const Rule *of = property_of(rule, name);

		if (of)
			check(c, of, member, field_pointer(c->a, at, name));
	}
}

static bool is_of(const Rule *rule, const Json *value)
{
	double n;

	if (!rule->types || rule->types & BIT(json_kind(value)))
		return true;
	/* 1.0 is an integer (draft 2020-12, 6.1.1) */
	return rule->types & BIT(JSON_KIND_INT) && json_kind(value) == JSON_KIND_REAL &&
	       json_to_real(value, &n) && n == floor(n);
}

static void check(Checking *c, const Rule *rule, const Json *value, Str at)
{
	Str text;

	if (rule->never) {
		field_mistake(c->wrong, at, "unknown", "there is no such field");
	} else if (!is_of(rule, value)) {
		field_mistake(c->wrong, at, "type", "this must not be %s",
		              json_kind_name(json_kind(value)));
	} else if (!is_choice(rule, value)) {
		field_mistake(c->wrong, at, "choice", "this is none of the values it may have");
	} else if (json_to_str(value, &text)) {
		check_text(c, rule, text, at);
	} else if (json_kind(value) == JSON_KIND_ARRAY) {
		check_array(c, rule, value, at);
	} else if (json_kind(value) == JSON_KIND_OBJECT) {
		check_object(c, rule, value, at);
	} else if (BIT(json_kind(value)) & NUMBER_BITS) {
		check_number(c, rule, value, at);
	}
}

void profile_check(const ProfileSchema *schema, Arena *a, const Json *value, Str pointer,
                   FieldMistakes *mistakes)
{
	Checking c = { a, mistakes };

	if (schema)
		check(&c, schema->root, value, pointer);
}

void profile_read(const ProfileSchema *schema, Arena *a, Str *text, Str pointer,
                  FieldMistakes *mistakes)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	const Json *value;
	Err *err;

	if (!text->len)
		return;
	err = json_read(a, *text, PROFILE_BYTES, &value);
	if (err) {
		field_mistake(mistakes, pointer, "invalid", "%.*s", STR_ARG(err->text));
		return;
	}
	if (json_kind(value) != JSON_KIND_OBJECT) {
		field_mistake(mistakes, pointer, "type", "a profile is an object");
		return;
	}
	profile_check(schema, a, value, pointer, mistakes);
	json_put(&w, value);
	*text = str_dup(a, buf_str(&b));
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Changed headers. A rule is a name and, unless it only removes, a template. The list is written anew once: what is there
 * and stays, in its order, then what is set, then what is added.
 *
 * Answers of the gateway's own are changed too, its errors among them: a policy such as Content-Security-Policy or a CORS
 * header would be worth little if errors were without it. But an error keeps what says what its body is and that nobody
 * may keep it: "Cache-Control: public" on a route is meant for what the route serves. */
#include "gateway/fields.h"

#include "base/arena.h"

typedef struct Rule {
	Str name;
	HeaderId id;
	const Template *value; /* NULL: it only removes */
	bool replaces;         /* what is there of that name goes */
	bool body;             /* it is about the body of an answer */
} Rule;

struct Fields {
	size_t count;
	Rule rules[];
};

static const Str of_bodies[] = {
	S("accept-ranges"),
	S("age"),
	S("allow"),
	S("cache-control"),
	S("cdn-cache-control"),
	S("content-disposition"),
	S("content-encoding"),
	S("content-language"),
	S("content-location"),
	S("content-md5"),
	S("content-range"),
	S("content-type"),
	S("digest"),
	S("etag"),
	S("expires"),
	S("last-modified"),
	S("location"),
	S("pragma"),
	S("retry-after"),
	S("surrogate-control"),
	S("vary"),
};

static bool is_of_body(Str name)
{
	for (size_t i = 0; i < COUNT(of_bodies); i++)
		if (str_eq_nocase(name, of_bodies[i]))
			return true;
	return false;
}

static void add_rule(Fields *f, Str name, const Template *value, bool replaces)
{
	f->rules[f->count++] = (Rule){ name, header_id(name), value, replaces, is_of_body(name) };
}

const Fields *fields_new(Arena *a, const FieldsConf *conf, const MatchConf *match)
{
	size_t count = conf->set.count + conf->add.count + conf->remove.count;
	Fields *f;

	if (!count)
		return NULL;
	f = arena_alloc(a, sizeof *f + count * sizeof f->rules[0]);
	for (size_t i = 0; i < conf->remove.count; i++)
		add_rule(f, conf->remove.at[i], NULL, true);
	for (size_t i = 0; i < conf->set.count; i++)
		add_rule(f, conf->set.at[i].name,
		         template_new(a, TEMPLATE_FIELD, conf->set.at[i].value, match), true);
	for (size_t i = 0; i < conf->add.count; i++)
		add_rule(f, conf->add.at[i].name,
		         template_new(a, TEMPLATE_FIELD, conf->add.at[i].value, match), false);
	return f;
}

typedef struct Change {
	const Fields *fields;
	Arena *arena;
	const TemplateValues *values;
	bool error; /* rules about bodies do not count */
	bool must;  /* a value that cannot be made ends it */
} Change;

static bool is_rule_of(const Rule *rule, const Header *h)
{
	return rule->id == h->id && (h->id != HTTP_OTHER || str_eq_nocase(rule->name, h->name));
}

static bool is_replaced(const Change *c, const Header *h)
{
	for (size_t i = 0; i < c->fields->count; i++) {
		const Rule *rule = &c->fields->rules[i];

		if (rule->replaces && !(c->error && rule->body) && is_rule_of(rule, h))
			return true;
	}
	return false;
}

static Err *change(const Change *c, Headers *headers)
{
	const Headers in = *headers;
	uint32_t room = in.count + (uint32_t)c->fields->count + 1;
	Headers out = { .at = arena_alloc_raw(c->arena, room * sizeof *out.at), .cap = room };

	for (uint32_t i = 0; i < in.count; i++)
		if (!is_replaced(c, &in.at[i]))
			out.at[out.count++] = in.at[i];
	for (size_t i = 0; i < c->fields->count; i++) {
		const Rule *rule = &c->fields->rules[i];
		Err *err;
		Str value;

		if (!rule->value || (c->error && rule->body))
			continue;
		err = template_expand(rule->value, c->arena, c->values, &value);
		if (err && c->must)
			return err;
		if (!err)
			out.at[out.count++] = (Header){ rule->name, str_trim(value), rule->id };
	}
	*headers = out;
	return NULL;
}

Err *fields_change_request(const Fields *f, Arena *a, const TemplateValues *values,
                           Headers *headers)
{
	return f ? change(&(Change){ .fields = f, .arena = a, .values = values, .must = true },
	                  headers)
	         : NULL;
}

void fields_change_answer(const Fields *f, Arena *a, const TemplateValues *values, Headers *headers)
{
	if (f)
		(void)change(&(Change){ .fields = f, .arena = a, .values = values }, headers);
}

void fields_change_error(const Fields *f, Arena *a, const TemplateValues *values, Headers *headers)
{
	if (f)
		(void)change(&(Change){ .fields = f, .arena = a, .values = values, .error = true },
		             headers);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Which classes are models, which tables they have, and how they refer to each other. A class is a model when its bases lead to one that is
 * known to be: Django's Model, SQLAlchemy's declarative base. That is asked from the known ones downwards, each class once, so that neither
 * long lines of ancestors nor circles matter. */
#include "audit/models_join.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

enum { ANCESTORS_MOST = 256 };
typedef enum BaseKind {
	BASE_NONE,
	BASE_DJANGO,
	BASE_DJANGO_PARTIAL,
	BASE_SQL,
	BASE_SQL_AUTO /* names its tables itself */
} BaseKind;

static const struct {
	const char *name;
	BaseKind kind;
} known_bases[] = {
	{ "django.db.models.Model", BASE_DJANGO },
	{ "django.db.models.base.Model", BASE_DJANGO },
	{ "django.contrib.gis.db.models.Model", BASE_DJANGO },
	{ "django.contrib.auth.models.AbstractUser", BASE_DJANGO_PARTIAL },
	{ "django.contrib.auth.models.AbstractBaseUser", BASE_DJANGO_PARTIAL },
	{ "django.contrib.auth.models.PermissionsMixin", BASE_DJANGO_PARTIAL },
	{ "django.contrib.auth.base_user.AbstractBaseUser", BASE_DJANGO_PARTIAL },
	{ "django.contrib.auth.models.User", BASE_DJANGO_PARTIAL },
	{ "django.contrib.auth.models.Group", BASE_DJANGO_PARTIAL },
	{ "sqlalchemy.orm.DeclarativeBase", BASE_SQL },
	{ "sqlalchemy.orm.DeclarativeBaseNoMeta", BASE_SQL },
	{ "sqlmodel.SQLModel", BASE_SQL },
};

const ClassFact *join_fact(const Join *j, uint32_t class)
{
	return &names_facts(j->project, j->classes[class].file)->classes[j->classes[class].index];
}

/* --- classes ------------------------------------------------------------------------------------------------------------------------ */

static void add_classes(Join *j)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < j->project->count; i++)
		count += names_facts(j->project, i) ? names_facts(j->project, i)->class_count : 0;
	j->classes = ARENA_ARRAY(j->a, JoinClass, count + 1);
	for (uint32_t i = 0; i < j->project->count; i++) {
		const FileModels *f = names_facts(j->project, i);

		for (uint32_t k = 0; f && k < f->class_count; k++) {
			const ClassFact *c = &f->classes[k];
			bool table = c->flags & CLASS_CALL;

			j->classes[j->class_count] =
				(JoinClass){ .file = i, .index = k, .model = MODEL_NONE };
			pair_put(j->a, &j->class_at, i, table ? UINT32_MAX - c->line : c->unit,
			         j->class_count++);
		}
	}
}

static BaseKind outside_kind(Str name)
{
	Str last = name_last(name);

	for (size_t i = 0; i < COUNT(known_bases); i++)
		if (str_eq(name, str_of(known_bases[i].name)))
			return known_bases[i].kind;
	if (str_ends(name, S("db.Model")) && !str_starts(name, S("django")) &&
	    !str_starts(name, S("google")))
		return BASE_SQL_AUTO;
	/* A library's own: mptt.models.MPTTModel, model_utils.models.TimeStampedModel. */
	if (str_ends(last, S("Model")) && str_find(name, S(".models.")) > 0 &&
	    !str_eq(last, S("BaseModel")))
		return BASE_DJANGO_PARTIAL;
	return BASE_NONE;
}

static BaseKind variable_kind(const Found *found)
{
	Str callee = name_last(found->var->callee);

	if (str_eq(callee, S("declarative_base")) || str_eq(callee, S("automap_base")) ||
	    str_eq(callee, S("generate_base")))
		return BASE_SQL;
	if (str_eq(callee, S("SQLAlchemy")) && str_eq(found->rest, S("Model")))
		return BASE_SQL_AUTO;
	return BASE_NONE;
}

/* One base: a class of the project, or one that is known. */
static BaseKind base_kind(Join *j, JoinClass *c, Str base)
{
	Found found = names_find(j->names, c->file, base);
	BaseKind kind = found.outside.len ? outside_kind(found.outside) : BASE_NONE;
	uint32_t class = MODEL_NONE;

	if (found.file != MODEL_NONE && found.unit != UNIT_NONE && !found.rest.len)
		class = pair_get(&j->class_at, found.file, found.unit);
	if (class != MODEL_NONE && kind == BASE_DJANGO_PARTIAL)
		kind = BASE_NONE; /* it was read itself */
	if (kind == BASE_NONE && found.var)
		kind = variable_kind(&found);
	if (kind == BASE_NONE && class != MODEL_NONE && &j->classes[class] != c)
		*TAKE_ADD(j->a, c->bases, c->base_count) = class;
	if (kind == BASE_NONE && found.file == MODEL_NONE && str_ends(base, S("db.Model")))
		kind = BASE_SQL_AUTO;
	c->outside |= kind == BASE_DJANGO_PARTIAL ||
	              (kind == BASE_NONE && class == MODEL_NONE && found.outside.len);
	return kind;
}

/* --- models ------------------------------------------------------------------------------------------------------------------------- */

typedef struct Growth {
	uint8_t *kinds;  /* by class: BaseKind */
	uint32_t *heads; /* by class: 1 + the first of those derived from it */
	uint32_t *nexts, *derived;
	uint32_t *queue;
	uint32_t count, edges;
} Growth;

static BaseKind own_kind(Join *j, uint32_t class)
{
	const ClassFact *fact = join_fact(j, class);
	BaseKind kind = BASE_NONE;

	if (fact->flags & CLASS_CALL)
		return BASE_SQL;
	for (uint32_t i = 0; i < fact->base_count; i++) {
		BaseKind one = base_kind(j, &j->classes[class], fact->bases[i]);

		if (one == BASE_DJANGO || kind == BASE_NONE)
			kind = one;
	}
	return kind;
}

static void seed(Join *j, Growth *g)
{
	for (uint32_t i = 0; i < j->class_count; i++) {
		g->kinds[i] = (uint8_t)own_kind(j, i);
		if (g->kinds[i])
			g->queue[g->count++] = i;
		g->edges += j->classes[i].base_count;
	}
	g->nexts = ARENA_ARRAY(j->a, uint32_t, g->edges + 1);
	g->derived = ARENA_ARRAY(j->a, uint32_t, g->edges + 1);
	g->edges = 0;
	for (uint32_t i = 0; i < j->class_count; i++)
		for (uint32_t k = 0; k < j->classes[i].base_count; k++) {
			uint32_t base = j->classes[i].bases[k];

			g->derived[g->edges] = i;
			g->nexts[g->edges] = g->heads[base];
			g->heads[base] = ++g->edges;
		}
}

static void grow(Growth *g)
{
	for (uint32_t i = 0; i < g->count; i++)
		for (uint32_t e = g->heads[g->queue[i]]; e; e = g->nexts[e - 1]) {
			uint32_t derived = g->derived[e - 1];

			if (g->kinds[derived])
				continue;
			g->kinds[derived] = g->kinds[g->queue[i]];
			g->queue[g->count++] = derived;
		}
}

/* A base that all models of a project are derived from, and nothing but that. */
static bool is_only_base(const Join *j, uint32_t class, BaseKind kind)
{
	const ClassFact *fact = join_fact(j, class);

	if (kind == BASE_SQL_AUTO)
		return fact->flags & CLASS_ABSTRACT;
	if (fact->table.len || fact->flags & (CLASS_CALL | CLASS_TABLE))
		return false;
	for (uint32_t i = 0; i < fact->field_count; i++)
		if (fact->fields[i].flags & FIELD_PRIMARY && j->classes[class].base_count)
			return false;
	return true;
}

static Str snake(Arena *a, Str name)
{
	char *out = arena_alloc_raw(a, 2 * name.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < name.len; i++) {
		bool upper = name.at[i] >= 'A' && name.at[i] <= 'Z';
		bool before = i && !(name.at[i - 1] >= 'A' && name.at[i - 1] <= 'Z');
		bool after =
			i && i + 1 < name.len && name.at[i + 1] >= 'a' && name.at[i + 1] <= 'z';

		if (upper && (before || after) && i && name.at[i - 1] != '_')
			out[len++] = '_';
		out[len++] = upper ? (char)(name.at[i] | 32) : name.at[i];
	}
	return (Str){ out, len };
}

static void add_model(Join *j, uint32_t class, BaseKind kind)
{
	const ClassFact *fact = join_fact(j, class);
	JoinClass *c = &j->classes[class];
	bool django = kind == BASE_DJANGO || kind == BASE_DJANGO_PARTIAL;
	Models *m = j->m;
	Model *model = TAKE_ADD(j->a, m->models, m->model_count);

	*model = (Model){ .kind = django                     ? MODEL_DJANGO
		                  : fact->flags & CLASS_CALL ? MODEL_TABLE
		                                             : MODEL_SQLALCHEMY,
		          .name = fact->name,
		          .module = names_of_file(j->names, c->file),
		          .table = MODEL_NONE,
		          .place = { c->file, fact->line, fact->unit },
		          .package = m->package_of[c->file],
		          .abstract = django ? fact->flags & CLASS_ABSTRACT
		                             : is_only_base(j, class, kind),
		          .proxy = fact->flags & CLASS_PROXY,
		          .unmanaged = fact->flags & CLASS_UNMANAGED };
	if (django)
		model->app = fact->app.len ? fact->app : j->label_of[c->file];
	c->model = m->model_count - 1;
	j->class_of_model[c->model] = class;
}

/* The table of a class: its own, or, of a proxy and of single-table inheritance, its nearest parent's that has one. */
static uint32_t parent_table(const Join *j, uint32_t class)
{
	uint32_t queue[ANCESTORS_MOST] = { class }, count = 1;

	for (uint32_t i = 0; i < count; i++) {
		const JoinClass *c = &j->classes[queue[i]];

		if (i && c->model != MODEL_NONE && j->m->models[c->model].table != MODEL_NONE)
			return j->m->models[c->model].table;
		for (uint32_t k = 0; k < c->base_count && count < ANCESTORS_MOST; k++)
			queue[count++] = c->bases[k];
	}
	return MODEL_NONE;
}

/* Single-table inheritance of SQLAlchemy: a class that says neither a table nor a key, below one that has a table. */
static bool is_in_parents_table(const Join *j, uint32_t class)
{
	uint32_t queue[ANCESTORS_MOST] = { class }, count = 1;
	const ClassFact *fact = join_fact(j, class);

	if (fact->table.len || fact->flags & (CLASS_CALL | CLASS_TABLE | CLASS_ABSTRACT))
		return false;
	for (uint32_t i = 0; i < fact->field_count; i++)
		if (fact->fields[i].flags & FIELD_PRIMARY)
			return false;
	for (uint32_t i = 0; i < count; i++) {
		const JoinClass *c = &j->classes[queue[i]];

		if (i && c->model != MODEL_NONE && !j->m->models[c->model].abstract)
			return true;
		for (uint32_t k = 0; k < c->base_count && count < ANCESTORS_MOST; k++)
			queue[count++] = c->bases[k];
	}
	return false;
}

static Str own_table(const Join *j, const Model *model, const ClassFact *fact)
{
	if (fact->table.len)
		return fact->table;
	if (model->kind == MODEL_DJANGO)
		return str_fmt(j->a, "%.*s_%.*s", STR_ARG(model->app),
		               STR_ARG(str_lower(j->a, name_last(model->name))));
	return model->kind == MODEL_SQLALCHEMY ? snake(j->a, name_last(model->name)) : S("");
}

static void add_tables(Join *j)
{
	Models *m = j->m;
	bool *lent = ARENA_ARRAY(j->a, bool, m->model_count + 1);

	for (uint32_t i = 0; i < m->model_count; i++)
		lent[i] = m->models[i].proxy || (m->models[i].kind == MODEL_SQLALCHEMY &&
		                                 is_in_parents_table(j, j->class_of_model[i]));
	for (uint32_t i = 0; i < m->model_count; i++) {
		Model *model = &m->models[i];
		Str name = own_table(j, model, join_fact(j, j->class_of_model[i]));

		if (model->abstract || lent[i] || !name.len)
			continue;
		model->table = join_table(j, name);
		if (m->tables[model->table].model == MODEL_NONE) {
			m->tables[model->table].model = i;
			m->tables[model->table].package = model->package;
		}
	}
	for (uint32_t i = 0; i < m->model_count; i++) {
		if (!lent[i])
			continue;
		m->models[i].table = parent_table(j, j->class_of_model[i]);
		m->models[i].abstract &= m->models[i].kind == MODEL_DJANGO;
	}
}

static void name_models(Join *j)
{
	for (uint32_t i = 0; i < j->m->model_count; i++) {
		const Model *model = &j->m->models[i];
		void *box = (void *)(uintptr_t)(i + 1);

		if (model->kind == MODEL_DJANGO)
			map_put(&j->labels,
			        str_lower(j->a, str_fmt(j->a, "%.*s.%.*s", STR_ARG(model->app),
			                                STR_ARG(name_last(model->name)))),
			        box);
		else
			map_put(&j->by_name, name_last(model->name), box);
	}
}

static void find_user_model(Join *j)
{
	j->user_model = S("auth.User");
	for (uint32_t i = 0; i < j->project->count; i++) {
		const FileModels *f = names_facts(j->project, i);

		for (uint32_t k = 0; f && k < f->name_count; k++)
			if (f->names[k].kind == NAME_DEFINED && f->names[k].value.len &&
			    str_eq(f->names[k].name, S("AUTH_USER_MODEL")) &&
			    !str_eq(f->names[k].value, S("auth.User")))
				j->user_model = f->names[k].value;
	}
}

void join_models(Join *j)
{
	Growth g = { 0 };

	add_classes(j);
	j->class_of_model = ARENA_ARRAY(j->a, uint32_t, j->class_count + 1);
	g.kinds = ARENA_ARRAY(j->a, uint8_t, j->class_count + 1);
	g.heads = ARENA_ARRAY(j->a, uint32_t, j->class_count + 1);
	g.queue = ARENA_ARRAY(j->a, uint32_t, j->class_count + 1);
	seed(j, &g);
	grow(&g);
	for (uint32_t i = 0; i < j->class_count; i++)
		if (g.kinds[i])
			add_model(j, i, g.kinds[i]);
	add_tables(j);
	name_models(j);
	find_user_model(j);
}

/* --- relations ---------------------------------------------------------------------------------------------------------------------- */

static bool is_column_of(Str type)
{
	Str last = name_last(type);

	return !(str_eq(last, S("GenericForeignKey")) || str_eq(last, S("GenericRelation")) ||
	         str_ends(last, S("elationship")) || str_ends(last, S("ManyToManyField")));
}

static bool relation_kind(const FieldFact *field, ModelKind of, RelationKind *out)
{
	Str last = name_last(field->type);

	if (str_eq(last, S("GenericForeignKey")))
		*out = RELATION_GENERIC;
	else if (of != MODEL_DJANGO && str_ends(last, S("elationship")))
		*out = field->through.len ? RELATION_MANY : RELATION_KEY;
	else if (of != MODEL_DJANGO && field->to.len)
		*out = RELATION_KEY;
	else if (str_ends(last, S("ManyToManyField")))
		*out = RELATION_MANY;
	else if (str_ends(last, S("OneToOneField")))
		*out = RELATION_ONE;
	else if (str_ends(last, S("ForeignKey")) || str_ends(last, S("ParentalKey")))
		*out = RELATION_KEY;
	else
		return false;
	return true;
}

/* "orders.id", "shop.orders.id" or Order.id */
static uint32_t by_column(const Join *j, uint32_t file, Str to)
{
	ptrdiff_t dot = str_rfind_char(to, '.');
	Str table = str_sub(to, 0, dot < 0 ? to.len : (size_t)dot), rest;
	void *found = map_get(&j->table_at, str_lower(j->a, name_last(table)));

	if (found)
		return j->m->tables[(uintptr_t)found - 1].model;
	return join_model(j, file, table, &rest);
}

static uint32_t target_of(const Join *j, uint32_t model, uint32_t file, Str to, bool column)
{
	const Model *from = &j->m->models[model];
	uint32_t found;
	Str rest;

	if (!to.len)
		return MODEL_NONE;
	if (str_eq(to, S("self")))
		return model;
	if (column)
		return by_column(j, file, to);
	found = join_model(j, file,
	                   str_eq(to, S("get_user_model")) ? S("settings.AUTH_USER_MODEL") : to,
	                   &rest);
	if (found != MODEL_NONE)
		return found;
	if (from->kind != MODEL_DJANGO) {
		found = (uint32_t)(uintptr_t)map_get(&j->by_name, name_last(to)) - 1;
		return found != MODEL_NONE
		               ? found
		               : by_column(j, file, str_fmt(j->a, "%.*s.id", STR_ARG(to)));
	}
	if (str_find_char(to, '.') < 0)
		return join_model_by_label(j, from->app, to);
	return join_model_by_label(j, name_first(to), str_sub(to, name_first(to).len + 1, to.len));
}

static Str backwards(const Join *j, const Relation *r)
{
	const Model *from = &j->m->models[r->from];
	Str name = str_lower(j->a, name_last(from->name)), given = r->related_name;
	ptrdiff_t at = str_find(given, S("%(class)s"));

	if (at >= 0)
		return str_fmt(j->a, "%.*s%.*s%.*s", (int)at, given.at, STR_ARG(name),
		               STR_ARG(str_sub(given, (size_t)at + 9, given.len)));
	if (given.len)
		return given;
	return r->kind == RELATION_ONE ? name : str_fmt(j->a, "%.*s_set", STR_ARG(name));
}

static void name_relation(Join *j, uint32_t index)
{
	const Relation *r = &j->m->relations[index];
	void *box = (void *)(uintptr_t)(index + 1);
	Str back = backwards(j, r), query = back;

	map_put(&j->field_at, str_fmt(j->a, "%u %.*s", r->from, STR_ARG(r->field)), box);
	if (r->to == MODEL_NONE || r->backs || str_eq(back, S("+")))
		return;
	if (str_ends(back, S("_set")) && !r->related_name.len)
		query = str_sub(back, 0, back.len - 4);
	map_put(&j->field_at, str_fmt(j->a, "%u %.*s", r->to, STR_ARG(back)), box);
	if (!str_eq(query, back))
		map_put(&j->field_at, str_fmt(j->a, "%u %.*s", r->to, STR_ARG(query)), box);
	if (map_put(&j->related, back, box))
		map_put(&j->related, back, j); /* several have that name: nobody's */
}

static void add_relation(Join *j, uint32_t model, uint32_t file, const FieldFact *field)
{
	Models *m = j->m;
	const Model *from = &m->models[model];
	RelationKind kind;
	Relation *r;
	bool column;

	if (!relation_kind(field, from->kind, &kind))
		return;
	column = from->kind != MODEL_DJANGO && !str_ends(field->type, S("elationship"));
	r = TAKE_ADD(j->a, m->relations, m->relation_count);
	*r = (Relation){ .kind = kind,
		         .from = model,
		         .field = field->name,
		         .to_text = field->to,
		         .on_delete = name_last(field->on_delete),
		         .related_name = field->related_name,
		         .null = field->flags & FIELD_NULL,
		         .place = { file, field->line, UNIT_NONE },
		         .through = MODEL_NONE,
		         .backs = from->kind != MODEL_DJANGO && !column };
	r->to = target_of(j, model, file, field->to, column);
	if (field->through.len && from->kind == MODEL_DJANGO)
		r->through = target_of(j, model, file, field->through, false);
	r->crosses = r->to != MODEL_NONE && m->models[r->to].package != from->package;
	if (kind == RELATION_MANY && from->kind == MODEL_DJANGO && !field->through.len &&
	    from->table != MODEL_NONE) {
		Str name = field->db_table.len ? field->db_table
		                               : str_fmt(j->a, "%.*s_%.*s",
		                                         STR_ARG(m->tables[from->table].name),
		                                         STR_ARG(field->name));
		uint32_t table = join_table(j, name);

		m->tables[table].package = from->package;
	}
	name_relation(j, m->relation_count - 1);
}

/* A model's own fields, and those of its parents that have no table. */
static void fields_of(Join *j, uint32_t model)
{
	uint32_t queue[ANCESTORS_MOST] = { j->class_of_model[model] }, count = 1;
	bool key = false, parent = false;

	for (uint32_t i = 0; i < count; i++) {
		const JoinClass *c = &j->classes[queue[i]];
		const ClassFact *fact = join_fact(j, queue[i]);
		bool concrete = i && c->model != MODEL_NONE && !j->m->models[c->model].abstract;

		parent |= concrete;
		if (concrete)
			continue;
		j->m->models[model].partial |= c->outside;
		for (uint32_t k = 0; k < fact->field_count; k++) {
			add_relation(j, model, c->file, &fact->fields[k]);
			j->m->models[model].columns += is_column_of(fact->fields[k].type);
			key |= fact->fields[k].flags & FIELD_PRIMARY;
		}
		for (uint32_t k = 0; k < c->base_count && count < ANCESTORS_MOST; k++)
			queue[count++] = c->bases[k];
	}
	if (j->m->models[model].kind == MODEL_DJANGO)
		j->m->models[model].columns += !key || parent; /* id, or the parent's */
}

void join_relations(Join *j)
{
	for (uint32_t i = 0; i < j->m->model_count; i++)
		if (!j->m->models[i].abstract)
			fields_of(j, i);
}

uint32_t join_step(const Join *j, uint32_t model, Str name, uint32_t *to)
{
	char key[256];
	int len = snprintf(key, sizeof(key), "%u %.*s", model, STR_ARG(name));
	uint32_t found;
	const Relation *r;

	if (len < 0 || (size_t)len >= sizeof(key))
		return MODEL_NONE;
	found = (uint32_t)(uintptr_t)map_get(&j->field_at, (Str){ key, (size_t)len }) - 1;
	if (found == MODEL_NONE)
		return found;
	r = &j->m->relations[found];
	*to = r->from == model && str_eq(r->field, name) ? r->to : r->from;
	return *to == MODEL_NONE ? MODEL_NONE : found;
}

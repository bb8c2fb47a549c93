/* SPDX-License-Identifier: Apache-2.0
 *
 * What needs the classes of the whole project: which are views, which are models, and whether an attribute that a loop touches is a relation.
 * Bases are followed by their names only (a base class called Order is any Order): for what is judged here that is near enough, and it
 * needs no imports. A class whose bases end in a circle or nowhere is neither. */
#include "audit/smells_int.h"

#include "base/arena.h"
#include "base/map.h"

enum { DEPTH_MOST = 24, BASES_MOST = 16, BACK_MOST = 256 };

typedef enum ClassIs { IS_UNKNOWN, IS_NEITHER, IS_VIEW, IS_MODEL } ClassIs;

/* A class of the project; those with the same name are in a list. */
typedef struct Known {
	const SmellClass *class;
	const AuditFile *file;
	struct Known *same;
	uint8_t is; /* ClassIs */
} Known;

typedef struct Classes {
	Arena *a;
	Map by_name;  /* Known */
	Map backs;    /* names by which sets of rows are had from the other side */
	Map relation; /* "Order.customer": SmellRelation */
} Classes;

static void classes_fini(Classes *c)
{
	map_fini(&c->by_name);
	map_fini(&c->backs);
	map_fini(&c->relation);
}

/* What a base class outside of the project makes of it. */
static ClassIs outside(Str base)
{
	static const Str views[] = {
		S("View"),         S("APIView"),        S("ViewSet"),
		S("ModelViewSet"), S("GenericViewSet"), S("ReadOnlyModelViewSet"),
		S("MethodView"),   S("Resource"),       S("TemplateView"),
		S("ListView"),     S("DetailView"),     S("FormView"),
		S("CreateView"),   S("UpdateView"),     S("DeleteView"),
		S("RedirectView"), S("GenericAPIView"), S("RequestHandler"),
		S("HTTPEndpoint")
	};
	static const Str models[] = {
		S("Model"),           S("AbstractUser"), S("AbstractBaseUser"),
		S("DeclarativeBase"), S("MPTTModel"),    S("TimeStampedModel")
	};

	for (size_t i = 0; i < COUNT(views); i++)
		if (str_eq(base, views[i]))
			return IS_VIEW;
	for (size_t i = 0; i < COUNT(models); i++)
		if (str_eq(base, models[i]))
			return IS_MODEL;
	return IS_NEITHER;
}

/* Up the bases, breadth last: one way up is enough for what is asked. */
static ClassIs what_is(const Classes *c, Known *known)
{
	const SmellClass *stack[DEPTH_MOST];
	uint32_t depth = 0, seen = 0;

	if (known->is != IS_UNKNOWN)
		return (ClassIs)known->is;
	stack[depth++] = known->class;
	known->is = IS_NEITHER;
	while (depth && seen++ < DEPTH_MOST) {
		const SmellClass *class = stack[--depth];

		for (uint32_t i = 0; i < class->base_count && i < BASES_MOST; i++) {
			const Known *base = map_get(&c->by_name, class->bases[i]);
			ClassIs is = outside(class->bases[i]);

			if (is != IS_NEITHER) {
				known->is = (uint8_t)is;
				return is;
			}
			if (base && base->class != class && depth < DEPTH_MOST)
				stack[depth++] = base->class;
		}
	}
	return IS_NEITHER;
}

static void learn_relations(Classes *c, const SmellClass *class)
{
	for (uint32_t i = 0; i < class->relation_count; i++) {
		SmellRelation *r = &class->relations[i];
		Str key = str_fmt(c->a, "%.*s.%.*s", STR_ARG(class->name), STR_ARG(r->name));

		map_put(&c->relation, key, r);
		if (r->mapped && r->back.len && r->target.len)
			map_put(&c->relation,
			        str_fmt(c->a, "%.*s.%.*s", STR_ARG(r->target), STR_ARG(r->back)),
			        r);
		if (r->mapped)
			continue;
		if (r->back.len)
			map_put(&c->backs, r->back, r);
		else
			map_put(&c->backs,
			        str_fmt(c->a, "%.*s_set", STR_ARG(str_lower(c->a, class->name))),
			        r);
	}
}

static void learn(Classes *c, const AuditFile *file)
{
	const FileSmells *facts = file->facts[FACTS_SMELLS];

	for (uint32_t i = 0; facts && i < facts->class_count; i++) {
		Known *known = ARENA_NEW(c->a, Known);

		known->class = &facts->classes[i];
		known->file = file;
		known->same = map_put(&c->by_name, known->class->name, known);
		learn_relations(c, known->class);
	}
}

/* --- views and models ---------------------------------------------------------------------------------------------------------------------- */

static void judge_view(const Judge *j, const AuditFile *file, uint32_t unit)
{
	const Unit *u = &file->measures.units[unit];
	uint32_t most = j->conf->view_statements;

	if (u->statements > most)
		smells_judge_add(j, SMELL_FAT_VIEW, file,
		                 &(Finding){ .line = u->line,
		                             .end_line = u->end_line,
		                             .unit = smell_unit_name(j->a, &file->measures, unit),
		                             .amount = u->statements - most,
		                             .text = str_fmt(j->a,
		                                             "a view of %u statements, above %u",
		                                             u->statements, most) });
}

static void judge_class(const Judge *j, const AuditFile *file, uint32_t unit, ClassIs is)
{
	const Measures *m = &file->measures;
	const Unit *class = &m->units[unit];

	if (is == IS_MODEL && class->methods > j->conf->model_methods)
		smells_judge_add(j, SMELL_FAT_MODEL, file,
		                 &(Finding){
					 .line = class->line,
					 .end_line = class->end_line,
					 .unit = smell_unit_name(j->a, m, unit),
					 .amount = class->methods - j->conf->model_methods,
					 .text = str_fmt(j->a, "a model of %u methods, above %u",
		                                         class->methods, j->conf->model_methods) });
	for (uint32_t i = unit + 1; is == IS_VIEW && i < m->unit_count; i++) {
		if (m->units[i].line > class->end_line)
			break;
		if (m->units[i].parent == unit && m->units[i].kind == UNIT_FUNCTION)
			judge_view(j, file, i);
	}
}

/* Functions that take a request are views where views are; elsewhere they help them. */
static bool has_views(Str path)
{
	return str_find(path, S("view")) >= 0 || str_find(path, S("api")) >= 0 ||
	       str_find(path, S("endpoint")) >= 0 || str_find(path, S("route")) >= 0;
}

static void judge_classes(const Judge *j, const Classes *c, const AuditFile *file)
{
	const FileSmells *facts = file->facts[FACTS_SMELLS];
	uint32_t units = file->measures.unit_count;

	for (uint32_t i = 0; facts && i < facts->class_count; i++) {
		Known *known = map_get(&c->by_name, facts->classes[i].name);

		while (known && known->class != &facts->classes[i])
			known = known->same;
		if (known && known->class->unit < units)
			judge_class(j, file, known->class->unit, what_is(c, known));
	}
	for (uint32_t i = 0; facts && i < facts->view_count; i++)
		if (facts->views[i] < units && has_views(file->path) &&
		    file->measures.units[facts->views[i]].parent == UNIT_NONE &&
		    !str_starts(file->measures.units[facts->views[i]].name, S("_")))
			judge_view(j, file, facts->views[i]);
}

/* --- n plus one ------------------------------------------------------------------------------------------------------------------------------ */

static const SmellRelation *relation_of(const Classes *c, Str model, Str name)
{
	Mark mark = arena_mark(c->a);

	for (uint32_t i = 0; i < DEPTH_MOST; i++) {
		Str key = str_fmt(c->a, "%.*s.%.*s", STR_ARG(model), STR_ARG(name));
		const SmellRelation *found = map_get(&c->relation, key);
		const Known *known;

		arena_reset(c->a, mark);
		if (found)
			return found;
		known = map_get(&c->by_name, model);
		if (!known || !known->class->base_count)
			return NULL;
		model = known->class->bases[0];
	}
	return NULL;
}

/* Does it ask the database? */
static bool asks(const Classes *c, const SmellTouch *touch)
{
	const SmellRelation *relation = relation_of(c, touch->model, touch->name);

	if (relation)
		return relation->mapped || !touch->alone;
	return touch->many && map_get(&c->backs, touch->name);
}

static void judge_touch(const Judge *j, const AuditFile *file, const SmellTouch *touch)
{
	smells_judge_add(
		j, SMELL_N_PLUS_ONE, file,
		&(Finding){
			.line = touch->line,
			.end_line = touch->line,
			.unit = touch->unit,
			.text = str_fmt(
				j->a,
				"%.*s of %.*s is asked for once for each row of the loop in line %u",
				STR_ARG(touch->name), STR_ARG(touch->model), touch->loop_line),
			.print =
				finding_print(smell_rule(SMELL_N_PLUS_ONE), file->path, touch->unit,
	                                      (Str){ (const char *)&touch->place,
	                                             sizeof(touch->place) }) });
}

/* Each relation of a loop once. */
static bool was_touched(const Classes *c, const FileSmells *facts, uint32_t at)
{
	const SmellTouch *touch = &facts->touches[at];

	for (uint32_t i = at; i-- && at - i < BACK_MOST;) {
		const SmellTouch *other = &facts->touches[i];

		if (other->loop_line != touch->loop_line)
			return false;
		if (str_eq(other->name, touch->name) && asks(c, other))
			return true;
	}
	return false;
}

void models_judge(const Judge *j)
{
	AUTO(arena_freep) Arena *scratch = arena_new(0);
	AUTO(classes_fini) Classes c = { .a = scratch };

	for (size_t i = 0; i < j->audit->project.count; i++)
		learn(&c, &j->audit->project.files[i]);
	for (size_t i = 0; i < j->audit->project.count; i++) {
		const AuditFile *file = &j->audit->project.files[i];
		const FileSmells *facts = file->facts[FACTS_SMELLS];

		judge_classes(j, &c, file);
		for (uint32_t k = 0; facts && k < facts->touch_count; k++)
			if (asks(&c, &facts->touches[k]) && !was_touched(&c, facts, k))
				judge_touch(j, file, &facts->touches[k]);
	}
}

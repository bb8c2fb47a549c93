/* SPDX-License-Identifier: Apache-2.0
 *
 * Classes with what they are made of: every class is kept with its bases as they are written, for only with all files read is it known which of
 * them reach a model; of its body what may be a column, a relation or an option (Django's Meta, SQLAlchemy's __tablename__). */
#include "audit/models_take.h"

#include "base/arena.h"

static bool is_true(const Syntax *s, uint32_t node)
{
	return node != SYNTAX_NONE && s->at[node].kind == PY_TRUE;
}

static bool is_false(const Syntax *s, uint32_t node)
{
	return node != SYNTAX_NONE && s->at[node].kind == PY_FALSE;
}

/* --- the head ------------------------------------------------------------------------------------------------------------------ */

static void add_base(Take *t, ClassFact *c, Str name)
{
	if (name.len)
		*TAKE_ADD(t->a, c->bases, c->base_count) = str_dup(t->a, name);
}

/* Base, Base[T], with_metaclass(Meta, Base): a call's names count as bases, and what is called too. */
static void base(Take *t, ClassFact *c, uint32_t node)
{
	const Syntax *s = t->s;
	uint32_t list;

	if (s->at[node].kind == PY_SUBSCRIPT) {
		add_base(t, c, syntax_dotted(s, node + 1));
		return;
	}
	if (s->at[node].kind != PY_CALL) {
		add_base(t, c, syntax_dotted(s, node));
		return;
	}
	list = syntax_child(s, node, PY_F_ARGUMENTS);
	add_base(t, c, syntax_callee(s, node));
	for (uint32_t i = list + 1; list != SYNTAX_NONE && i < s->at[list].end; i = s->at[i].end)
		add_base(t, c, syntax_dotted(s, i));
}

static void bases(Take *t, ClassFact *c, uint32_t node)
{
	const Syntax *s = t->s;
	uint32_t list = syntax_child(s, node, PY_F_SUPERCLASSES);

	for (uint32_t i = list + 1; list != SYNTAX_NONE && i < s->at[list].end; i = s->at[i].end) {
		if (s->at[i].kind != PY_KEYWORD_ARGUMENT)
			base(t, c, i);
		else if (str_eq(syntax_text(s, i + 1), S("table")) &&
		         is_true(s, syntax_child(s, i, PY_F_VALUE)))
			c->flags |= CLASS_TABLE;
	}
}

static uint32_t class_around(const Take *t, uint32_t unit)
{
	uint32_t parent = t->file->measures.units[unit].parent;

	return parent == UNIT_NONE || !t->class_of ? 0 : t->class_of[parent];
}

void take_class(Take *t, uint32_t node)
{
	const Measures *m = &t->file->measures;
	ClassFact *c;
	uint32_t around;

	if (t->unit == UNIT_NONE || m->units[t->unit].node != node)
		return;
	if (!t->class_of)
		t->class_of = ARENA_ARRAY(t->a, uint32_t, m->unit_count);
	around = class_around(t, t->unit);
	c = TAKE_ADD(t->a, t->out->classes, t->out->class_count);
	*c = (ClassFact){ .unit = t->unit, .line = t->s->at[node].line };
	c->name = str_dup(t->a, m->units[t->unit].name);
	if (around && t->out->classes[around - 1].name.len + c->name.len < 200)
		c->name = str_fmt(t->a, "%.*s.%.*s", STR_ARG(t->out->classes[around - 1].name),
		                  STR_ARG(c->name));
	bases(t, c, node);
	t->class_of[t->unit] = t->out->class_count;
}

/* --- fields -------------------------------------------------------------------------------------------------------------------- */

typedef struct FlagWord {
	const char *name;
	uint8_t when_true, when_false, whenever;
} FlagWord;
static const FlagWord flag_words[] = {
	{ "null", FIELD_NULL, FIELD_NOT_NULL, 0 },
	{ "nullable", FIELD_NULL, FIELD_NOT_NULL, 0 },
	{ "unique", FIELD_UNIQUE, 0, 0 },
	{ "db_index", FIELD_INDEX, 0, 0 },
	{ "index", FIELD_INDEX, 0, 0 },
	{ "primary_key", FIELD_PRIMARY, 0, 0 },
	{ "default", 0, 0, FIELD_DEFAULT },
	{ "auto_now", FIELD_DEFAULT, 0, 0 },
	{ "auto_now_add", FIELD_DEFAULT, 0, 0 },
	{ "server_default", 0, 0, FIELD_SERVER_DEFAULT },
	{ "db_default", 0, 0, FIELD_SERVER_DEFAULT },
	{ "db_constraint", 0, FIELD_UNCHECKED, 0 },
};
typedef struct TextWord {
	const char *name;
	size_t at;
} TextWord;
static const TextWord text_words[] = {
	{ "to", offsetof(FieldFact, to) },
	{ "foreign_key", offsetof(FieldFact, to) }, /* SQLModel's Field */
	{ "on_delete", offsetof(FieldFact, on_delete) },
	{ "ondelete", offsetof(FieldFact, on_delete) },
	{ "related_name", offsetof(FieldFact, related_name) },
	{ "back_populates", offsetof(FieldFact, related_name) },
	{ "backref", offsetof(FieldFact, related_name) },
	{ "through", offsetof(FieldFact, through) },
	{ "secondary", offsetof(FieldFact, through) },
	{ "db_table", offsetof(FieldFact, db_table) },
	{ "max_length", offsetof(FieldFact, length) },
	{ "max_digits", offsetof(FieldFact, length) },
};

/* A text, a name, or what is called. */
static Str said(Arena *a, const Syntax *s, uint32_t node)
{
	Str text;

	if (node == SYNTAX_NONE)
		return S("");
	if (syntax_literal(a, s, node, &text))
		return text;
	if (s->at[node].kind == PY_CALL)
		return str_dup(a, syntax_callee(s, node));
	if (s->at[node].kind == PY_INTEGER)
		return str_dup(a, syntax_text(s, node));
	return str_dup(a, syntax_dotted(s, node));
}

static void keyword(Arena *a, const Syntax *s, uint32_t node, FieldFact *out)
{
	Str name = syntax_text(s, node + 1);
	uint32_t value = syntax_child(s, node, PY_F_VALUE);
	uint64_t scale;

	for (size_t i = 0; i < COUNT(flag_words); i++)
		if (str_eq(name, str_of(flag_words[i].name)))
			out->flags |= flag_words[i].whenever |
			              (is_true(s, value) ? flag_words[i].when_true : 0) |
			              (is_false(s, value) ? flag_words[i].when_false : 0);
	if (str_eq(name, S("decimal_places")) && str_to_u64(said(a, s, value), &scale))
		out->scale = (uint8_t)MIN(scale, (uint64_t)UINT8_MAX);
	for (size_t i = 0; i < COUNT(text_words); i++)
		if (str_eq(name, str_of(text_words[i].name)))
			*(Str *)(void *)((char *)out + text_words[i].at) = said(a, s, value);
}

/* Column("name", String(20), ForeignKey("carts.id")): the texts and calls among its arguments. */
static void column_argument(Arena *a, const Syntax *s, uint32_t node, FieldFact *out)
{
	Str last = s->at[node].kind == PY_CALL ? syntax_last(s, node) : S(""), text;

	if (str_eq(last, S("ForeignKey"))) {
		uint32_t on_delete = syntax_keyword(s, node, S("ondelete"));

		out->to = said(a, s, syntax_argument(s, node, 0));
		out->on_delete = said(a, s, on_delete);
	} else if (!out->name.len && syntax_literal(a, s, node, &text)) {
		out->name = text;
	} else if (!out->length.len) {
		out->length = syntax_short(a, s, node);
	}
}

static bool is_column(Str last)
{
	return str_eq(last, S("Column")) || str_eq(last, S("mapped_column"));
}

static bool is_relation(Str last)
{
	return str_ends(last, S("Key")) || str_ends(last, S("OneToOneField")) ||
	       str_ends(last, S("ManyToManyField")) || str_eq(last, S("GenericRelation")) ||
	       str_eq(last, S("relationship")) || str_eq(last, S("Relationship"));
}

void take_field_call(Arena *a, const Syntax *s, uint32_t call, FieldFact *out)
{
	uint32_t list = syntax_child(s, call, PY_F_ARGUMENTS);
	Str last = syntax_last(s, call);
	uint32_t place = 0;

	out->type = str_dup(a, syntax_callee(s, call));
	out->line = s->at[call].line;
	for (uint32_t i = list + 1; list != SYNTAX_NONE && i < s->at[list].end; i = s->at[i].end) {
		if (s->at[i].kind == PY_COMMENT)
			continue;
		if (s->at[i].kind == PY_KEYWORD_ARGUMENT)
			keyword(a, s, i, out);
		else if (is_column(last))
			column_argument(a, s, i, out);
		else if (place == 0 && is_relation(last))
			out->to = said(a, s, i);
		else if (place == 1 && is_relation(last))
			out->on_delete = said(a, s, i);
		place++;
	}
}

static bool is_field(Str last)
{
	return is_column(last) || is_relation(last) || str_ends(last, S("Field"));
}

static bool is_letter(char c)
{
	return c == '_' || c == '.' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9');
}

/* The last name in `Mapped[List["Child"]]`: the class that a relation is to. */
static Str name_in(Arena *a, Str text)
{
	Str found = S("");

	for (size_t i = 0; i < text.len;) {
		size_t from = i;

		while (i < text.len && is_letter(text.at[i]))
			i++;
		if (i == from)
			i++;
		else if (!str_eq(str_sub(text, from, i), S("None")))
			found = str_sub(text, from, i);
	}
	return str_dup(a, found);
}

/* Of the class around a Meta. */
static void option(Take *t, ClassFact *c, Str name, uint32_t value)
{
	const Syntax *s = t->s;
	Str text = S("");

	if (str_eq(name, S("abstract")) && is_true(s, value))
		c->flags |= CLASS_ABSTRACT;
	else if (str_eq(name, S("proxy")) && is_true(s, value))
		c->flags |= CLASS_PROXY;
	else if (str_eq(name, S("managed")) && is_false(s, value))
		c->flags |= CLASS_UNMANAGED;
	else if (str_eq(name, S("db_table")) && syntax_literal(t->a, s, value, &text))
		c->table = text;
	else if (str_eq(name, S("app_label")) && syntax_literal(t->a, s, value, &text))
		c->app = text;
}

/* Django's lists and details, tables, filters, GraphQL's types, feeds: they show a model and change nothing. */
static bool only_shows(const ClassFact *c)
{
	static const Str ends[] = {
		S("ListView"),    S("ListAPIView"), S("DetailView"),
		S("ArchiveView"), S("IndexView"),   S("RetrieveAPIView"),
		S("FilterSet"),   S("Table"),       S("ReadOnlyModelViewSet"),
		S("ObjectType"),  S("Feed"),        S("Sitemap"),
		S("Document"),
	};

	for (uint32_t i = 0; i < c->base_count; i++)
		for (size_t k = 0; k < COUNT(ends); k++)
			if (str_ends(c->bases[i], ends[k]))
				return true;
	return false;
}

/* `model = Order` of a form, a serialiser, a view. */
static void model_option(Take *t, const ClassFact *of, uint32_t value)
{
	Str name = syntax_dotted(t->s, value);

	if (name.len)
		*TAKE_ADD(t->a, t->out->uses, t->out->use_count) =
			(UseFact){ .on = str_dup(t->a, name),
			           .unit = t->unit,
			           .line = t->s->at[value].line,
			           .of = USE_MODEL,
			           .via = TOUCH_FORM,
			           .does = only_shows(of) ? DOES_READ : DOES_READ | DOES_WRITE };
}

static void class_option(Take *t, ClassFact *c, Str name, uint32_t value)
{
	Str text;

	if (str_eq(name, S("__tablename__")) && syntax_literal(t->a, t->s, value, &text))
		c->table = text;
	else if (str_eq(name, S("__abstract__")) && is_true(t->s, value))
		c->flags |= CLASS_ABSTRACT;
	else if (str_eq(name, S("label")) && syntax_literal(t->a, t->s, value, &text) &&
	         str_ends(c->name, S("Config")))
		t->out->app_label = text;
	else if (str_eq(name, S("name")) && syntax_literal(t->a, t->s, value, &text) &&
	         str_ends(c->name, S("Config")))
		t->out->app_module = text;
}

void take_field(Take *t, uint32_t assignment)
{
	const Syntax *s = t->s;
	ClassFact *c = &t->out->classes[t->class - 1];
	uint32_t left = syntax_child(s, assignment, PY_F_LEFT),
		 right = syntax_child(s, assignment, PY_F_RIGHT);
	uint32_t type = syntax_child(s, assignment, PY_F_TYPE), around = class_around(t, t->unit);
	Str name = syntax_text(s, left),
	    annotation = type == SYNTAX_NONE ? S("") : syntax_text(s, type);
	bool meta = around && str_eq(t->file->measures.units[t->unit].name, S("Meta"));
	FieldFact *field;

	if (right != SYNTAX_NONE && str_eq(name, S("model")))
		model_option(t, meta ? &t->out->classes[around - 1] : c, right);
	if (right != SYNTAX_NONE && meta) {
		option(t, &t->out->classes[around - 1], name, right);
		return;
	}
	if (right != SYNTAX_NONE)
		class_option(t, c, name, right);
	if (!(right != SYNTAX_NONE && s->at[right].kind == PY_CALL &&
	      is_field(syntax_last(s, right))) &&
	    !str_starts(annotation, S("Mapped[")) && !(c->flags & CLASS_TABLE && annotation.len))
		return;
	field = TAKE_ADD(t->a, c->fields, c->field_count);
	*field = (FieldFact){ .line = s->at[assignment].line };
	if (right != SYNTAX_NONE && s->at[right].kind == PY_CALL)
		take_field_call(t->a, s, right, field);
	field->name = str_dup(t->a, name);
	if (!field->type.len)
		field->type = syntax_short(t->a, s, type);
	if (!field->to.len && annotation.len && str_ends(field->type, S("elationship")))
		field->to = name_in(t->a, annotation);
}

/* Table of SQLAlchemy, sa.Table, db.Table: other libraries have tables too. */
static bool is_sql_table(const Take *t, Str callee)
{
	return take_is_from(t, callee, S("sqlalchemy")) || str_ends(name_first(callee), S("db"));
}

/* orders = Table("orders", metadata, Column("id", Integer), ...) */
void take_table(Take *t, uint32_t call, Str name)
{
	const Syntax *s = t->s;
	uint32_t list = syntax_child(s, call, PY_F_ARGUMENTS);
	ClassFact *c;
	Str table;

	if (!is_sql_table(t, syntax_callee(s, call)) ||
	    !syntax_literal(t->a, s, syntax_argument(s, call, 0), &table))
		return;
	c = TAKE_ADD(t->a, t->out->classes, t->out->class_count);
	*c = (ClassFact){ .name = str_dup(t->a, name),
		          .unit = UNIT_NONE,
		          .line = s->at[call].line,
		          .table = table,
		          .flags = CLASS_CALL };
	for (uint32_t i = list + 1; i < s->at[list].end; i = s->at[i].end)
		if (s->at[i].kind == PY_CALL && is_column(syntax_last(s, i))) {
			FieldFact *field = TAKE_ADD(t->a, c->fields, c->field_count);

			*field = (FieldFact){ 0 };
			take_field_call(t->a, s, i, field);
		}
}

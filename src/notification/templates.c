/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding the part of a template that fits, and putting it. Which texts a channel has and how each of them is escaped is one
 * table, read by the check when a version is stored and by whoever sends. */
#include "notification/templates.h"

#include "base/arena.h"
#include "notification/delivery_domain.h"

#include "notification_template_sql.h"

typedef struct PartText {
	const char *name;
	size_t in, out; /* of PartRow, of Rendered */
	MustacheKind kind;
	uint8_t channels; /* a bit each: that have it */
	uint8_t need;     /* that do not go without */
} PartText;

#define ON(id) (1u << CHANNEL_##id)
#define ALL (ON(EMAIL) | ON(SMS) | ON(PUSH) | ON(INBOX))
#define TEXT_ROW(field) #field, offsetof(PartRow, field), offsetof(Rendered, field)
static const PartText part_texts[] = {
	{ TEXT_ROW(subject), MUSTACHE_LINE, ON(EMAIL) | ON(PUSH) | ON(INBOX), ON(EMAIL) },
	{ TEXT_ROW(text), MUSTACHE_TEXT, ALL, ALL & ~ON(EMAIL) },
	{ TEXT_ROW(html), MUSTACHE_HTML, ON(EMAIL), 0 },
	{ TEXT_ROW(url), MUSTACHE_URL, ON(PUSH) | ON(INBOX), 0 },
	{ TEXT_ROW(icon), MUSTACHE_URL, ON(PUSH) | ON(INBOX), 0 },
	{ TEXT_ROW(data), MUSTACHE_JSON, ON(PUSH) | ON(INBOX), 0 },
};

static Str part_text(const PartRow *part, const PartText *text)
{
	return *(const Str *)(const void *)((const char *)part + text->in);
}

static bool has(uint8_t channels, Channel channel)
{
	return channels >> channel & 1;
}

/* --- finding ------------------------------------------------------------------------------------------------------------- */

Err *template_part(Db *db, Arena *a, Str name, int64_t *version, Channel channel, Str locale,
                   Str fallback, PartRow **out)
{
	TemplateRow *row;
	PartRow *parts;
	size_t count;
	ptrdiff_t at;
	Str *locales;

	if (!*version) {
		TRY(db_one(db, a, template_by_name, &row, .name = name));
		if (!row)
			return err_new(a, ERR_NOT_FOUND, "template.unknown",
			               "there is no template %.*s", STR_ARG(name));
		*version = row->current;
	}
	TRY(db_all(db, a, parts_for, &parts, &count, .name = name, .version = *version,
	           .channel = str_of(channel_name(channel))));
	locales = ARENA_ARRAY(a, Str, count + 1);
	for (size_t i = 0; i < count; i++)
		locales[i] = parts[i].locale;
	at = language_pick(locales, count, locale, fallback);
	if (at < 0)
		return err_new(a, ERR_NOT_FOUND, "template.part",
		               "version %" PRId64 " of template %.*s has no part for %s", *version,
		               STR_ARG(name), channel_name(channel));
	*out = &parts[at];
	return NULL;
}

/* --- checking and putting ------------------------------------------------------------------------------------------------ */

Err *part_check(Arena *a, Channel channel, const PartRow *part)
{
	for (size_t i = 0; i < COUNT(part_texts); i++) {
		const PartText *t = &part_texts[i];
		Str text = part_text(part, t);
		const Mustache *m;
		Err *err;

		if (text.len && !has(t->channels, channel))
			return err_new(a, ERR_INVALID, "template.part", "%s has no %s",
			               channel_name(channel), t->name);
		if (!text.len && has(t->need, channel))
			return err_new(a, ERR_INVALID, "template.part", "%s needs a %s",
			               channel_name(channel), t->name);
		err = mustache_read(a, text, t->kind, &m);
		if (err)
			return err_make(a, err->kind, err->slug, err->why, err->file, err->line,
			                "%s: %.*s", t->name, STR_ARG(err->text));
	}
	if (channel == CHANNEL_EMAIL && !part->text.len && !part->html.len)
		return err_new(a, ERR_INVALID, "template.part", "email needs a text or html");
	return NULL;
}

static Err *check_data(Arena *a, Str data)
{
	const Json *json;
	Err *err = data.len ? json_read(a, data, 0, &json) : NULL;

	if (err || (data.len && json_kind(json) != JSON_KIND_OBJECT))
		return err_because(a, err, ERR_INVALID, "template.data",
		                   "the data of the template became no JSON object");
	return NULL;
}

Err *part_render(Arena *a, Channel channel, const PartRow *part, const Json *data, Rendered *out)
{
	*out = (Rendered){ 0 };
	for (size_t i = 0; i < COUNT(part_texts); i++) {
		const PartText *t = &part_texts[i];
		Str *to = (void *)((char *)out + t->out);
		Str text = part_text(part, t);

		if (text.len && has(t->channels, channel))
			TRY(mustache_render(a, text, t->kind, data, RENDERED_MOST, to));
	}
	return check_data(a, out->data);
}

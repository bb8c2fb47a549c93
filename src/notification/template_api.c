/* SPDX-License-Identifier: Apache-2.0
 *
 * The API of templates: versions that never change, which of them is used, previews, a test-send. A version is checked whole when it
 * is stored: what cannot be read, or cannot be made safe, never waits until somebody is to get it. */
#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"
#include "notification/delivery_domain.h"
#include "notification/message.h"
#include "notification/notification_api.h"
#include "notification/notification_int.h"
#include "notification/person.h"
#include "notification/provider.h"
#include "notification/templates.h"

#include "notification_template_sql.h"

enum { PARTS_MOST = 200, BODY_MOST = 2 << 20 };

static const ConfWord channel_words[] = {
	{ "email", CHANNEL_EMAIL, "e-mail" },
	{ "sms", CHANNEL_SMS, "SMS" },
	{ "push", CHANNEL_PUSH, "to devices" },
	{ "inbox", CHANNEL_INBOX, "in the application" },
	{ 0 },
};

static const char *verify_language(Arena *a, Str text)
{
	(void)a;
	return language_is(text) ? NULL : "is no language tag";
}

typedef struct PartIn {
	uint8_t channel;
	Str locale, subject, text, html, url, icon, data;
} PartIn;
static const Field part_rows[] = {
	{ "channel", FIELD_ENUM, AT(PartIn, channel), .required = true, .names = channel_words,
	  .help = "for which it is" },
	{ "locale", FIELD_STR, AT(PartIn, locale), .required = true, .min = 1, .max = 35,
	  .verify = verify_language, .help = "the language: de, de-AT" },
	{ "subject", FIELD_STR, AT(PartIn, subject), .max = 1000,
	  .help = "of a mail; the title elsewhere" },
	{ "text", FIELD_STR, AT(PartIn, text), .max = 256 << 10, .controls = true,
	  .help = "plain text" },
	{ "html", FIELD_STR, AT(PartIn, html), .max = 256 << 10, .controls = true,
	  .help = "of a mail" },
	{ "url", FIELD_STR, AT(PartIn, url), .max = 2000, .help = "where a click leads" },
	{ "icon", FIELD_STR, AT(PartIn, icon), .max = 2000, .help = "a picture's URL" },
	{ "data", FIELD_STR, AT(PartIn, data), .max = 16 << 10, .controls = true,
	  .help = "a JSON object for the application, as text" },
};
static const FieldTable part_fields = { "TemplatePart", FIELD_ROWS(PartIn, part_rows),
	                                .help = "what a channel says in a language; Mustache" };

typedef struct VersionIn {
	CONF_LIST_OF(PartIn) parts;
	Str note;
	bool draft;
} VersionIn;
static const Field version_rows[] = {
	{ "parts", FIELD_OBJECT, AT_LIST(VersionIn, parts), .required = true,
	  .items_max = PARTS_MOST, .table = &part_fields,
	  .help = "one for each channel and language" },
	{ "note", FIELD_STR, AT(VersionIn, note), .max = 500, .help = "what has changed" },
	{ "draft", FIELD_BOOL, AT(VersionIn, draft), .help = "do not use it yet" },
};
static const FieldTable version_fields = { "TemplateVersionNew",
	                                   FIELD_ROWS(VersionIn, version_rows),
	                                   .help = "a new version of a template" };

typedef struct CurrentIn {
	int64_t version;
} CurrentIn;
static const Field current_rows[] = {
	{ "version", FIELD_INT, AT(CurrentIn, version), .required = true, .min = 1, .max = 1000000,
	  .help = "the one to use" },
};
static const FieldTable current_fields = { "TemplateCurrent", FIELD_ROWS(CurrentIn, current_rows),
	                                   .help = "which version is used" };

typedef struct PreviewIn {
	uint8_t channel;
	Str locale, recipient, to;
	int64_t version;
	const Json *data;
} PreviewIn;
#define PREVIEW_ROWS \
	{ "channel", \
	  FIELD_ENUM, \
	  AT(PreviewIn, channel), \
	  .required = true, \
	  .names = channel_words, \
	  .help = "of which" }, \
		{ "locale", FIELD_STR, AT(PreviewIn, locale), .max = 35, \
		  .help = "in which language" }, \
		{ "version", FIELD_INT,      AT(PreviewIn, version), \
		  .min = 1,  .max = 1000000, .help = "of which version; else the current one" }, \
		{ "recipient", FIELD_STR, AT(PreviewIn, recipient), .max = 128, \
		  .help = "as somebody would get it" }, \
		{ "data", FIELD_JSON, AT(PreviewIn, data), .help = "an object to fill it with" },
static const Field preview_rows[] = { PREVIEW_ROWS };
static const FieldTable preview_fields = { "TemplatePreviewAsk",
	                                   FIELD_ROWS(PreviewIn, preview_rows),
	                                   .help = "what is to be looked at" };
static const Field test_rows[] = {
	PREVIEW_ROWS{ "to", FIELD_STR, AT(PreviewIn, to), .required = true, .min = 3, .max = 254,
	              .help = "the address" },
};
static const FieldTable test_fields = { "TemplateTestAsk", FIELD_ROWS(PreviewIn, test_rows),
	                                .help = "what is to be sent where, as a test" };

typedef struct TemplateOut {
	Str name;
	int64_t current, newest;
	const Json *parts;
} TemplateOut;
static const Field template_out_rows[] = {
	{ "name", FIELD_STR, AT(TemplateOut, name), .required = true, .help = "its name" },
	{ "current", FIELD_INT, AT(TemplateOut, current), .help = "the version that is used" },
	{ "newest", FIELD_INT, AT(TemplateOut, newest), .help = "the last version" },
	{ "parts", FIELD_JSON, AT(TemplateOut, parts), .help = "of a version" },
};
static const FieldTable template_out = { "Template", FIELD_ROWS(TemplateOut, template_out_rows),
	                                 .help = "a template" };

/* --- showing ------------------------------------------------------------------------------------------------------------- */

static Err *need(ServiceCall *c, Db *db, TemplateRow **out)
{
	TRY(db_one(db, c->arena, template_by_name, out, .name = service_part(c, "name")));
	if (!*out)
		return err_new(c->arena, ERR_NOT_FOUND, "template.unknown",
		               "there is no such template");
	return NULL;
}

static void put_head(JsonWriter *w, const TemplateRow *row)
{
	json_put_str(w, "name", row->name);
	json_put_i64(w, "current", row->current);
	json_put_i64(w, "newest", row->newest);
	put_time_or_null(w, "created_at", opt_int(row->created_at));
	put_time_or_null(w, "updated_at", opt_int(row->updated_at));
}

static Err *put_parts(JsonWriter *w, Db *db, Arena *a, Str name, int64_t version)
{
	PartRow *parts;
	size_t count;

	TRY(db_all(db, a, parts_of, &parts, &count, .name = name, .version = version));
	json_put_i64(w, "version", version);
	json_key(w, S("parts"));
	json_begin_array(w);
	for (size_t i = 0; i < count; i++) {
		json_begin_object(w);
		json_put_str(w, "channel", parts[i].channel);
		json_put_str(w, "locale", parts[i].locale);
		json_put_str(w, "subject", parts[i].subject);
		json_put_str(w, "text", parts[i].text);
		json_put_str(w, "html", parts[i].html);
		json_put_str(w, "url", parts[i].url);
		json_put_str(w, "icon", parts[i].icon);
		json_put_str(w, "data", parts[i].data);
		json_end(w);
	}
	json_end(w);
	return NULL;
}

static Err *put_template(ServiceCall *c, Db *db, const TemplateRow *row, int64_t version)
{
	JsonWriter *w = service_json(c);

	service_etag(c, row->version);
	json_begin_object(w);
	put_head(w, row);
	TRY(put_parts(w, db, c->arena, row->name, version));
	json_end(w);
	return NULL;
}

static Err *template_get(ServiceCall *c)
{
	TemplateRow *row;

	TRY(need(c, c->db, &row));
	return put_template(c, c->db, row, row->current);
}

static Err *template_version_get(ServiceCall *c)
{
	TemplateRow *row;
	uint64_t version;

	TRY(need(c, c->db, &row));
	if (!str_to_u64(service_part(c, "version"), &version) || !version ||
	    version > (uint64_t)row->newest)
		return err_new(c->arena, ERR_NOT_FOUND, "template.version",
		               "there is no such version");
	return put_template(c, c->db, row, (int64_t)version);
}

static Err *templates_list(ServiceCall *c)
{
	ServicePage page;
	TemplateRow *rows;
	JsonWriter *w;
	size_t count;

	TRY(service_page(c, &page));
	TRY(db_all(c->db, c->arena, templates_after, &rows, &count, .after = page.after,
	           .most = (int64_t)page.limit + 1));
	w = service_page_begin(c, &page, count);
	for (size_t i = 0; i < page.shown; i++) {
		json_begin_object(w);
		put_head(w, &rows[i]);
		json_end(w);
	}
	service_page_end(c, &page, page.shown ? rows[page.shown - 1].name : S(""));
	return NULL;
}

static Err *versions_list(ServiceCall *c)
{
	TemplateVersionsOfRow *rows;
	ServicePage page;
	TemplateRow *row;
	JsonWriter *w;
	uint64_t before = INT64_MAX;
	size_t count;

	TRY(need(c, c->db, &row));
	TRY(service_page(c, &page));
	if (!page.first)
		str_to_u64(page.after, &before);
	TRY(db_all(c->db, c->arena, template_versions_of, &rows, &count, .name = row->name,
	           .before = (int64_t)before, .most = (int64_t)page.limit + 1));
	w = service_page_begin(c, &page, count);
	for (size_t i = 0; i < page.shown; i++) {
		json_begin_object(w);
		json_put_i64(w, "version", rows[i].version);
		json_put_str(w, "note", rows[i].note);
		json_put_str(w, "author", rows[i].author);
		put_time_or_null(w, "created_at", opt_int(rows[i].created_at));
		json_end(w);
	}
	service_page_end(c, &page,
	                 page.shown ? str_fmt(c->arena, "%" PRId64, rows[page.shown - 1].version)
	                            : S(""));
	return NULL;
}

/* --- a new version --------------------------------------------------------------------------------------------------------- */

static PartRow part_row(const PartIn *in, Str name, int64_t version)
{
	return (PartRow){ .name = name,
		          .version = version,
		          .channel = str_of(channel_name((Channel)in->channel)),
		          .locale = in->locale,
		          .subject = in->subject,
		          .text = in->text,
		          .html = in->html,
		          .url = in->url,
		          .icon = in->icon,
		          .data = in->data };
}

static Err *check_parts(ServiceCall *c, const VersionIn *in)
{
	if (!in->parts.count)
		service_mistake(c, "/parts", "required", "parts is empty");
	for (size_t i = 0; i < in->parts.count; i++) {
		const PartIn *part = &in->parts.at[i];
		PartRow row = part_row(part, S(""), 0);
		Err *err = part_check(c->arena, (Channel)part->channel, &row);
		const char *pointer = str_z(c->arena, str_fmt(c->arena, "/parts/%zu", i));

		if (err)
			service_mistake(c, pointer, "invalid", "%.*s", STR_ARG(err->text));
		for (size_t k = 0; k < i; k++)
			if (part->channel == in->parts.at[k].channel &&
			    str_eq_nocase(part->locale, in->parts.at[k].locale))
				service_mistake(c, pointer, "invalid",
				                "there are two of this channel and language");
	}
	return service_mistakes(c);
}

static Err *grow(ServiceCall *c, Db *tx, void *arg)
{
	const VersionIn *in = c->in;
	Str name = service_part(c, "name");
	int64_t now_us = time_utc_us(), version = 1;
	TemplateRow *row;

	(void)arg;
	TRY(db_lock(tx, c->arena, str_fmt(c->arena, "template/%.*s", STR_ARG(name))));
	TRY(db_one(tx, c->arena, template_by_name, &row, .name = name));
	if (!row) {
		TRY(db_exec(tx, c->arena, template_add, NULL, .name = name, .now = now_us));
	} else {
		version = row->newest + 1;
		TRY(db_exec(tx, c->arena, template_grown, NULL, .name = name,
		            .current = in->draft ? row->current : version, .newest = version,
		            .now = now_us));
	}
	TRY(db_exec(tx, c->arena, template_version_add, NULL, .name = name, .version = version,
	            .note = in->note, .author = c->who.name, .now = now_us));
	for (size_t i = 0; i < in->parts.count; i++) {
		PartRow part = part_row(&in->parts.at[i], name, version);

		TRY(db_exec_with(tx, c->arena, part_add, &part, NULL));
	}
	TRY(need(c, tx, &row));
	return put_template(c, tx, row, version);
}

static Err *version_post(ServiceCall *c)
{
	Str name = service_part(c, "name");

	if (!name.len || name.len > 128)
		return err_new(c->arena, ERR_INVALID, "request.fields",
		               "a name has 1 to 128 bytes");
	TRY(check_parts(c, c->in));
	return service_effect(c, DB_READ_COMMITTED, grow, NULL);
}

static Err *set_current(ServiceCall *c, Db *tx, void *arg)
{
	const CurrentIn *in = c->in;
	TemplateRow *row;

	(void)arg;
	TRY(db_lock(tx, c->arena,
	            str_fmt(c->arena, "template/%.*s", STR_ARG(service_part(c, "name")))));
	TRY(need(c, tx, &row));
	TRY(service_match(c, row->version));
	if (in->version > row->newest)
		service_mistake(c, "/version", "range", "the newest version is %" PRId64,
		                row->newest);
	TRY(service_mistakes(c));
	TRY(db_exec(tx, c->arena, template_grown, NULL, .name = row->name, .current = in->version,
	            .newest = row->newest, .now = time_utc_us()));
	TRY(need(c, tx, &row));
	return put_template(c, tx, row, row->current);
}

static Err *current_put(ServiceCall *c)
{
	return service_effect(c, DB_READ_COMMITTED, set_current, NULL);
}

/* --- looking at it, and a test -------------------------------------------------------------------------------------------- */

typedef struct Look {
	Person person;
	PartRow *part;
	int64_t version;
	Rendered text;
	const Json *data;
} Look;

static Err *look(ServiceCall *c, Look *out)
{
	const PreviewIn *in = c->in;
	const NotificationState *state = notification_state(c->home);
	AUTO(buf_fini) Buf text = { .limit = BODY_MOST };
	JsonWriter w = json_writer(&text);

	if (in->data && json_kind(in->data) != JSON_KIND_OBJECT)
		service_mistake(c, "/data", "type", "data must be an object");
	TRY(service_mistakes(c));
	out->person = (Person){ .id = S(""), .zone = zone_utc() };
	if (in->recipient.len)
		TRY(person_load(state->zones, c->db, c->arena, in->recipient, &out->person));
	out->version = in->version;
	TRY(template_part(c->db, c->arena, service_part(c, "name"), &out->version,
	                  (Channel)in->channel, in->locale.len ? in->locale : out->person.locale,
	                  S(""), &out->part));
	if (in->data)
		json_put(&w, in->data);
	else
		buf_put(&text, S("{}"));
	TRY(message_data(c->arena, str_dup(c->arena, buf_str(&text)), &out->person,
	                 S("https://example.test/u/preview"), &out->data));
	return part_render(c->arena, (Channel)in->channel, out->part, out->data, &out->text);
}

static Err *preview_post(ServiceCall *c)
{
	JsonWriter *w;
	Look l;

	TRY(look(c, &l));
	w = service_json(c);
	json_begin_object(w);
	json_put_i64(w, "version", l.version);
	json_put_str(w, "locale", l.part->locale);
	json_put_str(w, "subject", l.text.subject);
	json_put_str(w, "text", l.text.text);
	json_put_str(w, "html", l.text.html);
	json_put_str(w, "url", l.text.url);
	json_put_str(w, "icon", l.text.icon);
	json_put_str(w, "data", l.text.data);
	json_end(w);
	return NULL;
}

static void message_of(const ServiceCall *c, const Look *l, Str to, Message *out)
{
	const PreviewIn *in = c->in;

	*out = (Message){ .channel = (Channel)in->channel,
		          .class = CLASS_TRANSACTIONAL,
		          .attempt = 1,
		          .to = to,
		          .to_name = l->person.name,
		          .subject = l->text.subject,
		          .text = l->text.text,
		          .html = l->text.html,
		          .url = l->text.url,
		          .icon = l->text.icon,
		          .data = l->text.data,
		          .locale = l->part->locale,
		          .category = S("test"),
		          .traceparent = c->traceparent };
}

/* Nothing of it is kept: what the provider says is the answer. */
static Err *test_post(ServiceCall *c)
{
	const PreviewIn *in = c->in;
	Providers *providers = notification_state(c->home)->providers;
	const Provider *provider;
	const char *wrong;
	SendResult result;
	Message message;
	int64_t wait_us;
	JsonWriter *w;
	Look l;
	Str to;

	if (in->channel != CHANNEL_EMAIL && in->channel != CHANNEL_SMS)
		service_mistake(c, "/channel", "invalid", "tests are sent by email and sms");
	else if ((wrong = address_read(c->arena, (Channel)in->channel, in->to, &to)))
		service_mistake(c, "/to", "format", "to %s", wrong);
	TRY(service_mistakes(c));
	TRY(look(c, &l));
	message_of(c, &l, to, &message);
	provider = provider_pick(providers, c->arena, &message, S(""), &wait_us);
	if (!provider)
		return err_new(c->arena, ERR_BUSY, "notification.no_provider",
		               "no provider takes it now");
	provider_begin(providers, provider);
	TRY(provider->kind->send(provider->state, c->arena, &message, &result));
	w = service_json(c);
	json_begin_object(w);
	json_put_str(w, "provider", provider->name);
	json_put_str(w, "outcome", str_of(outcome_name(result.outcome)));
	json_put_str(w, "provider_id", result.id);
	json_put_str(w, "code", result.code);
	json_put_str(w, "detail", result.detail);
	json_end(w);
	return NULL;
}

static const ServiceRoute template_rows[] = {
	{ "GET", "/v1/templates", templates_list, .scopes = SCOPE_READ, .answer = &template_out,
	  .list = true, .tag = "templates", .help = "templates" },
	{ "GET", "/v1/templates/{name}", template_get, .scopes = SCOPE_READ,
	  .answer = &template_out, .etag = true, .tag = "templates", .help = "one, as it is used" },
	{ "POST", "/v1/templates/{name}/versions", version_post, .scopes = SCOPE_WRITE,
	  .body = &version_fields, .body_max = BODY_MOST, .answer = &template_out, .status = 201,
	  .idempotent = true, .tag = "templates",
	  .help = "a new version; of a new name the first" },
	{ "GET", "/v1/templates/{name}/versions", versions_list, .scopes = SCOPE_READ, .list = true,
	  .answer = &template_out, .tag = "templates", .help = "its versions, newest first" },
	{ "GET", "/v1/templates/{name}/versions/{version}", template_version_get,
	  .scopes = SCOPE_READ, .answer = &template_out, .etag = true, .tag = "templates",
	  .help = "one version" },
	{ "PUT", "/v1/templates/{name}/current", current_put, .scopes = SCOPE_WRITE,
	  .body = &current_fields, .answer = &template_out, .etag = true, .tag = "templates",
	  .help = "use this version from now on" },
	{ "POST", "/v1/templates/{name}/preview", preview_post, .scopes = SCOPE_READ,
	  .body = &preview_fields, .body_max = BODY_MOST, .status = 200, .tag = "templates",
	  .help = "what it gives with these data" },
	{ "POST", "/v1/templates/{name}/test", test_post, .scopes = SCOPE_WRITE,
	  .body = &test_fields, .body_max = BODY_MOST, .status = 200, .tag = "templates",
	  .help = "send it to an address, as a test" },
};

ServiceRoutes template_routes(void)
{
	return (ServiceRoutes)SERVICE_ROUTES(template_rows);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The API of workflows: what kinds of notifications there are. */
#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"
#include "notification/accept.h"
#include "notification/channel.h"
#include "notification/clock.h"
#include "notification/delivery_domain.h"
#include "notification/notification_api.h"

#include "notification_sql.h"

static const ConfWord class_words[] = {
	{ "transactional", CLASS_TRANSACTIONAL, "about something that the recipient did" },
	{ "security", CLASS_SECURITY, "codes and warnings: nothing holds it" },
	{ "critical", CLASS_CRITICAL, "alarms: no quiet hour holds it" },
	{ "bulk", CLASS_BULK, "news: with a way to unsubscribe" },
	{ 0 },
};
static const ConfWord channel_words[] = {
	{ "email", CHANNEL_EMAIL, "e-mail" },
	{ "sms", CHANNEL_SMS, "SMS" },
	{ "push", CHANNEL_PUSH, "to devices" },
	{ "inbox", CHANNEL_INBOX, "in the application" },
	{ 0 },
};

typedef struct DigestIn {
	int64_t window_s;
	Str daily_at; /* "09:00" */
	Str key;
} DigestIn;

static const Field digest_rows[] = {
	{ "window", FIELD_INT, AT(DigestIn, window_s), .min = 1, .max = 30 * 86400,
	  .help = "seconds from the first one on" },
	{ "daily_at", FIELD_STR, AT(DigestIn, daily_at), .max = 5, .verify = minute_verify,
	  .help = "or when the recipient's clock next shows that time: 09:00" },
	{ "key", FIELD_STR, AT(DigestIn, key), .max = 100,
	  .help = "a member of the data: those with different values are collected apart" },
};
static const FieldTable digest_fields = { "WorkflowDigest", FIELD_ROWS(DigestIn, digest_rows),
	                                  .help = "several go out as one message" };

typedef struct WorkflowIn {
	uint8_t class;
	bool has_class;
	Str category, template_name, locale;
	CONF_LIST_OF(uint8_t) channels;
	DigestIn digest;
	bool has_digest;
	int64_t expires_s;
} WorkflowIn;
static const Field workflow_in_rows[] = {
	{ "class", FIELD_ENUM, AT(WorkflowIn, class), GIVEN(WorkflowIn, has_class),
	  .names = class_words, .help = "what may hold it; else transactional" },
	{ "category", FIELD_STR, AT(WorkflowIn, category), .min = 1, .max = 64,
	  .help = "what preferences are about; else the workflow's name" },
	{ "channels", FIELD_ENUM, AT_LIST(WorkflowIn, channels), .required = true, .items_max = 4,
	  .names = channel_words, .help = "by which it goes out" },
	{ "template", FIELD_STR, AT(WorkflowIn, template_name), .min = 1, .max = 128,
	  .help = "of its texts; else the one of its name" },
	{ "locale", FIELD_STR, AT(WorkflowIn, locale), .max = 35,
	  .help = "the language for those whose own there is none of; else English" },
	{ "digest", FIELD_OBJECT, AT(WorkflowIn, digest), GIVEN(WorkflowIn, has_digest),
	  .table = &digest_fields, .help = "collected, and sent as one" },
	{ "expires_after", FIELD_INT, AT(WorkflowIn, expires_s), .min = 1, .max = 365 * 86400,
	  .help = "seconds; nothing is sent later" },
};
static const FieldTable workflow_in = { "WorkflowPut", FIELD_ROWS(WorkflowIn, workflow_in_rows),
	                                .help = "a kind of notification" };

typedef struct WorkflowOut {
	Str name, class, category, template_name;
	const Json *channels, *digest;
	int64_t version;
} WorkflowOut;
static const Field workflow_out_rows[] = {
	{ "name", FIELD_STR, AT(WorkflowOut, name), .required = true, .help = "its name" },
	{ "class", FIELD_STR, AT(WorkflowOut, class), .help = "what may hold it" },
	{ "category", FIELD_STR, AT(WorkflowOut, category), .help = "what preferences are about" },
	{ "channels", FIELD_JSON, AT(WorkflowOut, channels), .help = "by which it goes out" },
	{ "template", FIELD_STR, AT(WorkflowOut, template_name), .help = "of its texts" },
	{ "digest", FIELD_JSON, AT(WorkflowOut, digest), .help = "null: each goes out alone" },
	{ "version", FIELD_INT, AT(WorkflowOut, version), .help = "how often it changed" },
};
static const FieldTable workflow_out = { "Workflow", FIELD_ROWS(WorkflowOut, workflow_out_rows),
	                                 .help = "a kind of notification" };

static void put_channels(JsonWriter *w, Str names)
{
	Str word;

	json_key(w, S("channels"));
	json_begin_array(w);
	while (str_split(&names, ' ', &word))
		json_add_str(w, word);
	json_end(w);
}

static void put_digest(JsonWriter *w, Arena *a, const WorkflowRow *row)
{
	json_key(w, S("digest"));
	if (!row->digest_s && !row->digest_at.set) {
		json_add_null(w);
		return;
	}
	json_begin_object(w);
	if (row->digest_at.set)
		json_put_str(w, "daily_at", minute_text(a, (int)row->digest_at.v));
	else
		json_put_i64(w, "window", row->digest_s);
	json_put_str(w, "key", row->digest_key);
	json_end(w);
}

static void put_workflow(JsonWriter *w, Arena *a, const WorkflowRow *row)
{
	json_begin_object(w);
	json_put_str(w, "name", row->name);
	json_put_str(w, "class", row->class);
	json_put_str(w, "category", row->category);
	put_channels(w, row->channels);
	json_put_str(w, "template", row->template);
	json_put_str(w, "locale", row->locale);
	put_digest(w, a, row);
	json_put_i64(w, "expires_after", row->expires_s);
	json_put_i64(w, "version", row->version);
	put_time_or_null(w, "updated_at", opt_int(row->updated_at));
	json_end(w);
}

static Err *workflow_get(ServiceCall *c)
{
	WorkflowRow *row;

	TRY(workflow_need(c->db, c->arena, service_part(c, "name"), &row));
	service_etag(c, row->version);
	put_workflow(service_json(c), c->arena, row);
	return NULL;
}

static Err *workflows_list(ServiceCall *c)
{
	ServicePage page;
	WorkflowRow *rows;
	JsonWriter *w;
	size_t count;

	TRY(service_page(c, &page));
	TRY(db_all(c->db, c->arena, workflows_after, &rows, &count, .after = page.after,
	           .most = (int64_t)page.limit + 1));
	w = service_page_begin(c, &page, count);
	for (size_t i = 0; i < page.shown; i++)
		put_workflow(w, c->arena, &rows[i]);
	service_page_end(c, &page, page.shown ? rows[page.shown - 1].name : S(""));
	return NULL;
}

static Err *name_of(ServiceCall *c, Str *out)
{
	Str name = service_part(c, "name");

	if (!name.len || name.len > 128)
		return err_new(c->arena, ERR_INVALID, "request.fields",
		               "a name has 1 to 128 bytes");
	for (size_t i = 0; i < name.len; i++)
		if ((unsigned char)name.at[i] <= ' ')
			return err_new(c->arena, ERR_INVALID, "request.fields",
			               "a name has no blanks");
	*out = name;
	return NULL;
}

static Str channels_text(Arena *a, const WorkflowIn *in)
{
	Str text = S("");

	for (size_t i = 0; i < in->channels.count; i++)
		text = str_fmt(a, "%.*s%s%s", STR_ARG(text), i ? " " : "",
		               channel_name((Channel)in->channels.at[i]));
	return text;
}

static Err *put(ServiceCall *c, Db *tx, void *arg)
{
	const WorkflowRow *row = arg;
	WorkflowRow *now;

	TRY(db_exec_with(tx, c->arena, workflow_put, row, NULL));
	TRY(workflow_need(tx, c->arena, row->name, &now));
	service_etag(c, now->version);
	put_workflow(service_json(c), c->arena, now);
	return NULL;
}

static Err *workflow_set(ServiceCall *c)
{
	const WorkflowIn *in = c->in;
	int64_t now_us = time_utc_us();
	WorkflowRow row = { .version = 1, .created_at = now_us, .updated_at = now_us };

	TRY(name_of(c, &row.name));
	if (!in->channels.count)
		service_mistake(c, "/channels", "required", "channels is empty");
	if (in->has_digest && !in->digest.window_s == !in->digest.daily_at.len)
		service_mistake(c, "/digest", "invalid", "a digest has either window or daily_at");
	if (in->locale.len && !language_is(in->locale))
		service_mistake(c, "/locale", "format", "locale is no language tag");
	TRY(service_mistakes(c));
	row.class =
		str_of(class_name(in->has_class ? (MessageClass)in->class : CLASS_TRANSACTIONAL));
	row.category = in->category.len ? in->category : str_sub(row.name, 0, 64);
	row.channels = channels_text(c->arena, in);
	row.template = in->template_name.len ? in->template_name : row.name;
	row.locale = in->locale;
	row.digest_s = in->digest.window_s;
	row.digest_key = in->digest.key;
	row.expires_s = in->expires_s;
	if (in->digest.daily_at.len)
		row.digest_at = opt_int(minute_read(in->digest.daily_at));
	return service_effect(c, DB_READ_COMMITTED, put, &row);
}

static Err *remove_workflow(ServiceCall *c, Db *tx, void *arg)
{
	WorkflowRow *row;

	(void)arg;
	TRY(workflow_need(tx, c->arena, service_part(c, "name"), &row));
	return db_exec(tx, c->arena, workflow_remove, NULL, .name = row->name);
}

static Err *workflow_delete(ServiceCall *c)
{
	return service_effect(c, DB_READ_COMMITTED, remove_workflow, NULL);
}

static const ServiceRoute workflow_rows[] = {
	{ "GET", "/v1/workflows", workflows_list, .scopes = SCOPE_READ, .answer = &workflow_out,
	  .list = true, .tag = "workflows", .help = "kinds of notifications" },
	{ "GET", "/v1/workflows/{name}", workflow_get, .scopes = SCOPE_READ,
	  .answer = &workflow_out, .etag = true, .tag = "workflows", .help = "one of them" },
	{ "PUT", "/v1/workflows/{name}", workflow_set, .scopes = SCOPE_WRITE, .body = &workflow_in,
	  .answer = &workflow_out, .etag = true, .tag = "workflows", .help = "make or change one" },
	{ "DELETE", "/v1/workflows/{name}", workflow_delete, .scopes = SCOPE_WRITE,
	  .tag = "workflows", .help = "remove one; what was accepted goes out all the same" },
};

ServiceRoutes workflow_routes(void)
{
	return (ServiceRoutes)SERVICE_ROUTES(workflow_rows);
}

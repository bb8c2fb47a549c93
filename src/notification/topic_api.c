/* SPDX-License-Identifier: Apache-2.0
 *
 * The API of topics (who gets what is for many) and of suppressions (which addresses get nothing). */
#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"
#include "notification/delivery_domain.h"
#include "notification/notification_api.h"
#include "notification/notification_int.h"
#include "notification/person.h"

#include "notification_recipient_sql.h"

enum { MEMBERS_MOST = 1000 };

/* --- topics ---------------------------------------------------------------------------------------------------------------- */

typedef struct TopicIn {
	Str title;
} TopicIn;
static const Field topic_rows_in[] = {
	{ "title", FIELD_STR, AT(TopicIn, title), .max = 200, .help = "for people" },
};
static const FieldTable topic_in = { "TopicPut", FIELD_ROWS(TopicIn, topic_rows_in),
	                             .help = "a topic" };

typedef struct MembersIn {
	CONF_LIST_OF(Str) add;
	CONF_LIST_OF(Str) remove;
} MembersIn;
static const Field members_rows[] = {
	{ "add", FIELD_STR, AT_LIST(MembersIn, add), .items_max = MEMBERS_MOST, .min = 1,
	  .max = 128, .help = "recipients who come in" },
	{ "remove", FIELD_STR, AT_LIST(MembersIn, remove), .items_max = MEMBERS_MOST, .min = 1,
	  .max = 128, .help = "recipients who leave" },
};
static const FieldTable members_in = { "TopicMembersChange", FIELD_ROWS(MembersIn, members_rows),
	                               .help = "who comes and who leaves" };

typedef struct TopicOut {
	Str name, title;
} TopicOut;
static const Field topic_rows_out[] = {
	{ "name", FIELD_STR, AT(TopicOut, name), .required = true, .help = "its name" },
	{ "title", FIELD_STR, AT(TopicOut, title), .help = "for people" },
};
static const FieldTable topic_out = { "Topic", FIELD_ROWS(TopicOut, topic_rows_out),
	                              .help = "whoever is in it gets what is for it" };
typedef struct MemberOut {
	Str recipient;
} MemberOut;
static const Field member_rows_out[] = {
	{ "recipient", FIELD_STR, AT(MemberOut, recipient), .required = true,
	  .help = "who is in it" },
};
static const FieldTable member_out = { "TopicMember", FIELD_ROWS(MemberOut, member_rows_out),
	                               .help = "one of a topic" };

static Err *need_topic(ServiceCall *c, Db *db, TopicByNameRow **out)
{
	TRY(db_one(db, c->arena, topic_by_name, out, .name = service_part(c, "topic")));
	if (!*out)
		return err_new(c->arena, ERR_NOT_FOUND, "topic.unknown", "there is no such topic");
	return NULL;
}

static void put_topic(JsonWriter *w, Str name, Str title, int64_t created_at)
{
	json_begin_object(w);
	json_put_str(w, "name", name);
	json_put_str(w, "title", title);
	put_time_or_null(w, "created_at", opt_int(created_at));
	json_end(w);
}

static Err *topics_list(ServiceCall *c)
{
	TopicsAfterRow *rows;
	ServicePage page;
	JsonWriter *w;
	size_t count;

	TRY(service_page(c, &page));
	TRY(db_all(c->db, c->arena, topics_after, &rows, &count, .after = page.after,
	           .most = (int64_t)page.limit + 1));
	w = service_page_begin(c, &page, count);
	for (size_t i = 0; i < page.shown; i++)
		put_topic(w, rows[i].name, rows[i].title, rows[i].created_at);
	service_page_end(c, &page, page.shown ? rows[page.shown - 1].name : S(""));
	return NULL;
}

static Err *set_topic(ServiceCall *c, Db *tx, void *arg)
{
	const TopicIn *in = c->in;
	TopicByNameRow *row;

	(void)arg;
	TRY(db_exec(tx, c->arena, topic_put, NULL, .name = service_part(c, "topic"),
	            .title = in->title, .now = time_utc_us()));
	TRY(need_topic(c, tx, &row));
	put_topic(service_json(c), row->name, row->title, row->created_at);
	return NULL;
}

static Err *topic_set(ServiceCall *c)
{
	Str name = service_part(c, "topic");

	if (!name.len || name.len > 128 || str_find_char(name, ' ') >= 0)
		return err_new(c->arena, ERR_INVALID, "request.fields",
		               "a topic's name has 1 to 128 bytes and no blanks");
	return service_effect(c, DB_READ_COMMITTED, set_topic, NULL);
}

static Err *drop_topic(ServiceCall *c, Db *tx, void *arg)
{
	TopicByNameRow *row;

	(void)arg;
	TRY(need_topic(c, tx, &row));
	TRY(db_exec(tx, c->arena, topic_members_remove, NULL, .name = row->name));
	return db_exec(tx, c->arena, topic_remove, NULL, .name = row->name);
}

static Err *topic_delete(ServiceCall *c)
{
	return service_effect(c, DB_READ_COMMITTED, drop_topic, NULL);
}

static Err *members_list(ServiceCall *c)
{
	TopicMembersAfterRow *rows;
	TopicByNameRow *topic;
	ServicePage page;
	JsonWriter *w;
	size_t count;

	TRY(need_topic(c, c->db, &topic));
	TRY(service_page(c, &page));
	TRY(db_all(c->db, c->arena, topic_members_after, &rows, &count, .topic = topic->name,
	           .after = page.after, .most = (int64_t)page.limit + 1));
	w = service_page_begin(c, &page, count);
	for (size_t i = 0; i < page.shown; i++) {
		json_begin_object(w);
		json_put_str(w, "recipient", rows[i].recipient);
		put_time_or_null(w, "since", opt_int(rows[i].created_at));
		json_end(w);
	}
	service_page_end(c, &page, page.shown ? rows[page.shown - 1].recipient : S(""));
	return NULL;
}

static Err *change_members(ServiceCall *c, Db *tx, void *arg)
{
	const MembersIn *in = c->in;
	int64_t now_us = time_utc_us(), changed, added = 0, removed = 0;
	TopicByNameRow *topic;
	JsonWriter *w;

	(void)arg;
	TRY(need_topic(c, tx, &topic));
	for (size_t i = 0; i < in->add.count; i++) {
		TRY(db_exec(tx, c->arena, recipient_need, NULL, .id = in->add.at[i],
		            .now = now_us));
		TRY(db_exec(tx, c->arena, topic_member_add, &changed, .topic = topic->name,
		            .recipient = in->add.at[i], .now = now_us));
		added += changed;
	}
	for (size_t i = 0; i < in->remove.count; i++) {
		TRY(db_exec(tx, c->arena, topic_member_remove, &changed, .topic = topic->name,
		            .recipient = in->remove.at[i]));
		removed += changed;
	}
	w = service_json(c);
	json_begin_object(w);
	json_put_i64(w, "added", added);
	json_put_i64(w, "removed", removed);
	json_end(w);
	return NULL;
}

static Err *members_post(ServiceCall *c)
{
	return service_effect(c, DB_READ_COMMITTED, change_members, NULL);
}

static Err *leave(ServiceCall *c, Db *tx, void *arg)
{
	const Str *recipient = arg;
	TopicByNameRow *topic;

	TRY(need_topic(c, tx, &topic));
	return db_exec(tx, c->arena, topic_member_remove, NULL, .topic = topic->name,
	               .recipient = *recipient);
}

static Err *member_delete(ServiceCall *c)
{
	Str recipient;

	TRY(recipient_of(c, SCOPE_WRITE, &recipient));
	return service_effect(c, DB_READ_COMMITTED, leave, &recipient);
}

/* --- suppressions ---------------------------------------------------------------------------------------------------------- */

static const ConfWord channel_words[] = {
	{ "email", CHANNEL_EMAIL, "e-mail" },
	{ "sms", CHANNEL_SMS, "SMS" },
	{ "push", CHANNEL_PUSH, "to devices" },
	{ 0 },
};
typedef struct SuppressionIn {
	uint8_t channel;
	Str address, scope, detail;
} SuppressionIn;
static const Field suppression_rows_in[] = {
	{ "channel", FIELD_ENUM, AT(SuppressionIn, channel), .required = true,
	  .names = channel_words, .help = "by which" },
	{ "address", FIELD_STR, AT(SuppressionIn, address), .required = true, .min = 3, .max = 2000,
	  .help = "to which; only its SHA-256 is kept" },
	{ "scope", FIELD_STR, AT(SuppressionIn, scope), .max = 64,
	  .help = "a category; else everything" },
	{ "detail", FIELD_STR, AT(SuppressionIn, detail), .max = 200, .help = "why" },
};
static const FieldTable suppression_in = { "SuppressionNew",
	                                   FIELD_ROWS(SuppressionIn, suppression_rows_in),
	                                   .help = "nothing goes to that address any more" };
static const FieldTable suppression_ask = { "SuppressionAsk",
	                                    FIELD_ROWS(SuppressionIn, suppression_rows_in),
	                                    .help = "an address to look for" };

typedef struct SuppressionOut {
	Uuid id;
	Str channel, hint, scope, reason, detail;
} SuppressionOut;
static const Field suppression_rows_out[] = {
	{ "id", FIELD_ID, AT(SuppressionOut, id), .required = true, .prefix = "sup_",
	  .help = "its id" },
	{ "channel", FIELD_STR, AT(SuppressionOut, channel), .help = "by which" },
	{ "address", FIELD_STR, AT(SuppressionOut, hint), .help = "a hint: a***@shop.test" },
	{ "scope", FIELD_STR, AT(SuppressionOut, scope), .help = "a category, or *" },
	{ "reason", FIELD_STR, AT(SuppressionOut, reason),
	  .help = "bounce, complaint, unsubscribe, manual" },
	{ "detail", FIELD_STR, AT(SuppressionOut, detail), .help = "more of it" },
};
static const FieldTable suppression_out = { "Suppression",
	                                    FIELD_ROWS(SuppressionOut, suppression_rows_out),
	                                    .help = "an address that gets nothing" };

static void put_suppression(JsonWriter *w, Arena *a, const SuppressionRow *row)
{
	json_begin_object(w);
	json_put_str(w, "id", service_id_text(a, "sup_", row->id));
	json_put_str(w, "channel", row->channel);
	json_put_str(w, "address", row->hint);
	json_put_str(w, "scope", row->scope);
	json_put_str(w, "reason", row->reason);
	json_put_str(w, "detail", row->detail);
	put_time_or_null(w, "created_at", opt_int(row->created_at));
	json_end(w);
}

static Err *suppressions_list(ServiceCall *c)
{
	SuppressionRow *rows;
	ServicePage page;
	JsonWriter *w;
	size_t count;

	TRY(service_page(c, &page));
	TRY(db_all(c->db, c->arena, suppressions_after, &rows, &count, .after = page.after_id,
	           .most = (int64_t)page.limit + 1));
	w = service_page_begin(c, &page, count);
	for (size_t i = 0; i < page.shown; i++)
		put_suppression(w, c->arena, &rows[i]);
	service_page_end(c, &page,
	                 page.shown ? service_page_key(c->arena, rows[page.shown - 1].id) : S(""));
	return NULL;
}

static Err *read_address(ServiceCall *c, Str *out)
{
	const SuppressionIn *in = c->in;
	const char *wrong = address_read(c->arena, (Channel)in->channel, in->address, out);

	if (wrong)
		service_mistake(c, "/address", "format", "address %s", wrong);
	return service_mistakes(c);
}

static Err *put_those_of(ServiceCall *c, Db *db, Str address)
{
	const SuppressionIn *in = c->in;
	SuppressionRow *rows;
	JsonWriter *w;
	size_t count;

	TRY(db_all(db, c->arena, suppressions_of, &rows, &count,
	           .channel = str_of(channel_name((Channel)in->channel)),
	           .address_hash = address_hash(c->arena, (Channel)in->channel, address)));
	w = service_json(c);
	json_begin_object(w);
	json_key(w, S("data"));
	json_begin_array(w);
	for (size_t i = 0; i < count; i++)
		put_suppression(w, c->arena, &rows[i]);
	json_end(w);
	json_end(w);
	return NULL;
}

static Err *add_suppression(ServiceCall *c, Db *tx, void *arg)
{
	const SuppressionIn *in = c->in;
	const Str *address = arg;

	TRY(suppress(tx, c->arena, (Channel)in->channel, *address,
	             in->scope.len ? in->scope : S("*"), S("manual"), in->detail));
	return put_those_of(c, tx, *address);
}

static Err *suppression_post(ServiceCall *c)
{
	Str address;

	TRY(read_address(c, &address));
	return service_effect(c, DB_READ_COMMITTED, add_suppression, &address);
}

static Err *suppression_look(ServiceCall *c)
{
	Str address;

	TRY(read_address(c, &address));
	return put_those_of(c, c->db, address);
}

static Err *drop_suppression(ServiceCall *c, Db *tx, void *arg)
{
	const Uuid *id = arg;
	int64_t gone;

	TRY(db_exec(tx, c->arena, suppression_remove, &gone, .id = *id));
	if (!gone)
		return err_new(c->arena, ERR_NOT_FOUND, "suppression.unknown",
		               "there is no such suppression");
	return NULL;
}

static Err *suppression_delete(ServiceCall *c)
{
	Uuid id;

	TRY(service_id(c, "id", "sup_", &id));
	return service_effect(c, DB_READ_COMMITTED, drop_suppression, &id);
}

static const ServiceRoute topic_rows[] = {
	{ "GET", "/v1/topics", topics_list, .scopes = SCOPE_READ, .answer = &topic_out,
	  .list = true, .tag = "topics", .help = "topics" },
	{ "PUT", "/v1/topics/{topic}", topic_set, .scopes = SCOPE_WRITE, .body = &topic_in,
	  .answer = &topic_out, .tag = "topics", .help = "make or change one" },
	{ "DELETE", "/v1/topics/{topic}", topic_delete, .scopes = SCOPE_WRITE, .tag = "topics",
	  .help = "remove one" },
	{ "GET", "/v1/topics/{topic}/members", members_list, .scopes = SCOPE_READ,
	  .answer = &member_out, .list = true, .tag = "topics", .help = "who is in it" },
	{ "POST", "/v1/topics/{topic}/members", members_post, .scopes = SCOPE_WRITE,
	  .body = &members_in, .body_max = 256 << 10, .status = 200, .idempotent = true,
	  .tag = "topics", .help = "who comes and who leaves" },
	{ "DELETE", "/v1/topics/{topic}/members/{recipient}", member_delete, .scopes = "",
	  .tag = "topics", .help = "one leaves; me: who asks" },
	{ "GET", "/v1/suppressions", suppressions_list, .scopes = SCOPE_READ,
	  .answer = &suppression_out, .list = true, .tag = "suppressions",
	  .help = "addresses that get nothing" },
	{ "POST", "/v1/suppressions", suppression_post, .scopes = SCOPE_WRITE,
	  .body = &suppression_in, .status = 201, .idempotent = true, .tag = "suppressions",
	  .help = "one more" },
	{ "POST", "/v1/suppressions/find", suppression_look, .scopes = SCOPE_READ,
	  .body = &suppression_ask, .status = 200, .tag = "suppressions",
	  .help = "those of an address" },
	{ "DELETE", "/v1/suppressions/{id}", suppression_delete, .scopes = SCOPE_WRITE,
	  .tag = "suppressions", .help = "it may get something again" },
};

ServiceRoutes topic_routes(void)
{
	return (ServiceRoutes)SERVICE_ROUTES(topic_rows);
}

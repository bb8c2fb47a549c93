/* SPDX-License-Identifier: Apache-2.0
 *
 * `/v1/mails`: what was handed in, to be looked at, compared, and let go; and what the intake does with the next one. */
#include "base/arena.h"
#include "base/json.h"
#include "notification/mail_compare.h"
#include "notification/mail_int.h"
#include "notification/mail_store.h"
#include "notification/smtp_text.h"
#include "http/exchange.h"
#include "service/service.h"

enum { COMPARE_MOST = 32 << 20 };

typedef struct ListQuery {
	Str state, to, cursor;
	int64_t limit;
} ListQuery;
static const Field list_rows[] = {
	{ "state", FIELD_STR, AT(ListQuery, state), .max = 20,
	  .help = "captured, queued, handed, sent, partly, failed or report" },
	{ "to", FIELD_STR, AT(ListQuery, to), .max = 254,
	  .help = "an address; its domain in lower case" },
	{ "limit", FIELD_INT, AT(ListQuery, limit), .min = 1, .max = 100,
	  .help = "how many at most; 20" },
	{ "cursor", FIELD_STR, AT(ListQuery, cursor), .help = "the `next` of the page before" },
};
static const FieldTable list_query = { "MailQuery", FIELD_ROWS(ListQuery, list_rows),
	                               .help = "which mails" };

typedef struct MailOut {
	Uuid id;
	Str mode, state, sender, subject, message_id, source;
	int64_t bytes, recipient_count, received_at, settled_at;
	const Json *recipients, *parts;
} MailOut;
static const Field out_rows[] = {
	{ "id", FIELD_ID, AT(MailOut, id), .required = true, .prefix = "mail_", .help = "its id" },
	{ "mode", FIELD_STR, AT(MailOut, mode), .required = true,
	  .help = "what the intake did with it" },
	{ "state", FIELD_STR, AT(MailOut, state), .required = true,
	  .help = "what has become of it" },
	{ "sender", FIELD_STR, AT(MailOut, sender), .required = true, .help = "of its envelope" },
	{ "subject", FIELD_STR, AT(MailOut, subject), .required = true, .help = "of the mail" },
	{ "message_id", FIELD_STR, AT(MailOut, message_id), .required = true,
	  .help = "without brackets" },
	{ "source", FIELD_STR, AT(MailOut, source), .required = true,
	  .help = "who handed it in: an address, or a login" },
	{ "bytes", FIELD_INT, AT(MailOut, bytes), .required = true, .help = "of the whole" },
	{ "recipient_count", FIELD_INT, AT(MailOut, recipient_count), .required = true,
	  .help = "of its envelope" },
	{ "received_at", FIELD_TIME, AT(MailOut, received_at), .required = true,
	  .help = "when it was handed in" },
	{ "settled_at", FIELD_TIME, AT(MailOut, settled_at),
	  .help = "when nothing more was to be done" },
	{ "recipients", FIELD_JSON, AT(MailOut, recipients),
	  .help = "each with its state; not in lists" },
	{ "parts", FIELD_JSON, AT(MailOut, parts), .help = "its texts, decoded; not in lists" },
};
static const FieldTable mail_fields = { "Mail", FIELD_ROWS(MailOut, out_rows),
	                                .help = "a mail that was handed in" };

typedef struct ModeIn {
	uint8_t mode;
	bool has_mode;
} ModeIn;
/* The words are those of the configuration: see mode_body(). */
static Field mode_rows[] = {
	{ "mode", FIELD_ENUM, AT(ModeIn, mode), GIVEN(ModeIn, has_mode), .nullable = true,
	  .help = "from now on; null: as the configuration says" },
};
static const FieldTable mode_in = { "MailMode", FIELD_ROWS(ModeIn, mode_rows),
	                            .help = "what the intake does" };

typedef struct ReleaseIn {
	uint8_t mode;
} ReleaseIn;
static Field release_rows[] = {
	{ "mode", FIELD_ENUM, AT(ReleaseIn, mode), .required = true, .help = "which way it goes" },
};
static const FieldTable release_in = { "MailRelease", FIELD_ROWS(ReleaseIn, release_rows),
	                               .help = "what becomes of a captured mail" };

static const MailConf *conf_of(const ServiceCall *c, Err **err)
{
	Mail *mail = notification_mail(c->home);

	*err = mail ? NULL : err_new(c->arena, ERR_NOT_FOUND, "mail.none", "there is no mail here");
	return mail ? mail->conf : NULL;
}

static Err *mails_list(ServiceCall *c)
{
	const ListQuery *q = c->query;
	ServicePage page;
	JsonWriter *w;
	MailLine *lines;
	size_t count;

	TRY(service_page(c, &page));
	TRY(mail_list(c->db, c->arena,
	              &(MailFilter){ .state = q->state,
	                             .to = q->to,
	                             .before = page.after_id,
	                             .most = page.limit + 1 },
	              &lines, &count));
	w = service_page_begin(c, &page, count);
	for (size_t i = 0; i < page.shown; i++)
		mail_put_line(w, c->arena, &lines[i], NULL, 0, S(""));
	service_page_end(c, &page,
	                 page.shown ? service_page_key(c->arena, lines[page.shown - 1].id) : S(""));
	return NULL;
}

static Err *find(ServiceCall *c, MailLine **line, MailTo **to, size_t *count, Str *raw)
{
	Uuid id;

	TRY(service_id(c, "id", "mail_", &id));
	TRY(mail_find(c->db, c->arena, id, line, to, count, raw));
	return *line ? NULL
	             : err_new(c->arena, ERR_NOT_FOUND, "mail.unknown", "there is no such mail");
}

static Err *mail_get(ServiceCall *c)
{
	MailLine *line;
	MailTo *to;
	size_t count;
	Str raw;

	TRY(find(c, &line, &to, &count, &raw));
	mail_put_line(service_json(c), c->arena, line, to, count, raw);
	return NULL;
}

static Err *mail_raw_get(ServiceCall *c)
{
	MailLine *line;
	MailTo *to;
	size_t count;
	Str raw;

	TRY(find(c, &line, &to, &count, &raw));
	service_say_header(c, "Content-Disposition", S("attachment; filename=\"mail.eml\""));
	service_say(c, 200, S("message/rfc822"), raw);
	return NULL;
}

static Err *release(ServiceCall *c, Db *tx, void *arg)
{
	const ReleaseIn *in = c->in;
	const MailConf *conf = arg;
	JsonWriter *w;
	bool done;
	Uuid id;

	TRY(service_id(c, "id", "mail_", &id));
	TRY(mail_release_in(tx, c->arena, id, in->mode, conf->intake.workflow, &done));
	if (!done)
		return err_new(c->arena, ERR_CONFLICT, "mail.state",
		               "there is no such mail that is captured");
	w = service_json(c);
	json_begin_object(w);
	json_put_str(w, "id", service_id_text(c->arena, "mail_", id));
	json_put_str(w, "mode", str_of(mail_modes()[in->mode].name));
	json_end(w);
	return NULL;
}

static Err *mail_release_post(ServiceCall *c)
{
	const ReleaseIn *in = c->in;
	Err *err;
	const MailConf *conf = conf_of(c, &err);

	TRY(err);
	if (in->mode == MAIL_CAPTURE)
		service_mistake(c, "/mode", "choice", "mode is relay or deliver");
	TRY(service_mistakes(c));
	return service_effect(c, DB_READ_COMMITTED, release, (void *)conf);
}

static Err *put_mode(ServiceCall *c)
{
	MailCounts *counts;
	MailMode mode;
	JsonWriter *w;
	size_t count;
	Str author;
	Err *err;
	const MailConf *conf = conf_of(c, &err);

	TRY(err);
	TRY(mail_mode_now(c->db, c->arena, conf, &mode, &author));
	TRY(mail_counts(c->db, c->arena, &counts, &count));
	w = service_json(c);
	json_begin_object(w);
	json_put_str(w, "mode", str_of(mail_modes()[mode].name));
	json_put_str(w, "said_by", author);
	json_key(w, S("mails"));
	json_begin_object(w);
	for (size_t i = 0; i < count; i++) {
		json_key(w, counts[i].state);
		json_add_i64(w, counts[i].count);
	}
	json_end(w);
	json_end(w);
	return NULL;
}

static Err *mode_put(ServiceCall *c)
{
	const ModeIn *in = c->in;
	const Json *mode = json_get(c->json, S("mode"));

	TRY(mail_mode_say(c->db, c->arena, json_kind(mode) != JSON_KIND_NULL, in->mode,
	                  c->who.name));
	return put_mode(c);
}

static Err *add_now(void *arg, Arena *a, Uuid id, Str raw)
{
	(void)a, (void)id;
	mail_compare_add(arg, false, raw);
	return NULL;
}

static Err *compare_post(ServiceCall *c)
{
	MailCompare *compare = mail_compare_new(c->arena);
	AUTO(buf_fini) Buf body = { .limit = COMPARE_MOST };
	Str piece, box;

	do {
		TRY(http_read(c->x, &piece));
		buf_put(&body, piece);
	} while (piece.len);
	TRY(buf_done(&body, &box));
	mail_compare_add_box(compare, true, box);
	TRY(mail_each(c->db, c->arena, add_now, compare));
	mail_compare_put(compare, service_json(c));
	return NULL;
}

ServiceRoutes mail_routes(void)
{
	static const ServiceRoute rows[] = {
		{ "GET", "/v1/mails", mails_list, .scopes = "mails:read", .query = &list_query,
		  .answer = &mail_fields, .list = true, .tag = "mails",
		  .help = "mails that were handed in by SMTP, newest first" },
		{ "GET", "/v1/mails/{id}", mail_get, .scopes = "mails:read", .answer = &mail_fields,
		  .tag = "mails",
		  .help = "one of them, with its texts and what became of it for each recipient" },
		{ "GET", "/v1/mails/{id}/raw", mail_raw_get, .scopes = "mails:read", .tag = "mails",
		  .help = "its bytes, as message/rfc822" },
		{ "POST", "/v1/mails/{id}:release", mail_release_post, .scopes = "mails:write",
		  .body = &release_in, .idempotent = true, .status = 202, .tag = "mails",
		  .help = "let a captured mail go" },
		{ "POST", "/v1/mails:compare", compare_post, .scopes = "mails:read",
		  .kind = SERVICE_BODY_RAW, .body_max = COMPARE_MOST, .tag = "mails",
		  .help = "compare what was handed in with an mbox of what was sent before" },
		{ "GET", "/v1/mail-intake", put_mode, .scopes = "mails:read", .tag = "mails",
		  .help = "what the intake does with mails, and how many there are" },
		{ "PUT", "/v1/mail-intake", mode_put, .scopes = "mails:write", .body = &mode_in,
		  .tag = "mails", .help = "what it does with the next one" },
	};

	mode_rows[0].names = release_rows[0].names = mail_modes();
	return (ServiceRoutes)SERVICE_ROUTES(rows);
}

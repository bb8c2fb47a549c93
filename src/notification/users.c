/* SPDX-License-Identifier: Apache-2.0
 *
 * The user service's events.
 *
 * user.mail_wanted is a mail that an account needs: a code to prove an address with, a warning. Its code came closed under the user
 * service's key and stays closed in the database here; it is opened when the mail is made (users_open_code), so whoever reads either
 * database cannot use it. Texts are templates like all others: the first version of each is made here, people write the next.
 *
 * Who is registered becomes a recipient, with the address that is proved. Events say that something changed, not what an
 * account is now; that is asked for by a job, so that two events in a row, in whatever order they are heard, end with what is true. */
#include "notification/users.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"
#include "notification/accept.h"
#include "notification/notification_int.h"
#include "notification/person.h"
#include "notification/users_texts.h"
#include "service/peer.h"
#include "store/event.h"
#include "store/job.h"

#include "notification_recipient_sql.h"
#include "notification_sql.h"
#include "notification_template_sql.h"

#define WORKFLOW_PREFIX "user."

/* --- texts ----------------------------------------------------------------------------------------------------------------- */

static Err *add_texts(Db *tx, Arena *a, void *arg)
{
	const UserText *texts = arg;
	Str name = str_fmt(a, WORKFLOW_PREFIX "%s", texts->name);
	int64_t now_us = time_utc_us();
	TemplateRow *there;
	WorkflowRow workflow = { .name = name,
		                 .class = S("security"),
		                 .category = S("account"),
		                 .channels = S("email"),
		                 .template = name,
		                 .locale = S("en"),
		                 .version = 1,
		                 .created_at = now_us,
		                 .updated_at = now_us };

	TRY(db_exec_with(tx, a, workflow_put, &workflow, NULL));
	TRY(db_one(tx, a, template_by_name, &there, .name = name));
	if (there)
		return NULL;
	TRY(db_exec(tx, a, template_add, NULL, .name = name, .now = now_us));
	TRY(db_exec(tx, a, template_version_add, NULL, .name = name, .version = 1,
	            .note = S("as it came"), .author = S("banyan"), .now = now_us));
	for (size_t i = 0; i < COUNT(texts->in); i++) {
		PartRow part = { .name = name,
			         .version = 1,
			         .channel = S("email"),
			         .locale = str_of(texts->in[i].locale),
			         .subject = str_of(texts->in[i].subject),
			         .text = str_of(texts->in[i].text) };

		TRY(db_exec_with(tx, a, part_add, &part, NULL));
	}
	return NULL;
}

Err *users_begin(Db *db, Arena *a)
{
	size_t count;
	const UserText *texts = users_texts(&count);

	for (size_t i = 0; i < count; i++) {
		Str name = str_fmt(a, WORKFLOW_PREFIX "%s", texts[i].name);
		WorkflowRow *there;
		Err *err;

		TRY(db_one(db, a, workflow_by_name, &there, .name = name));
		if (there)
			continue;
		err = db_txn(db, a, DB_READ_COMMITTED, add_texts, (void *)(uintptr_t)&texts[i]);
		if (err && err->kind != ERR_CONFLICT) /* another process was faster */
			return err;
	}
	return NULL;
}

/* --- mails ----------------------------------------------------------------------------------------------------------------- */

static Str member(const Json *json, const char *name)
{
	Str text = S("");

	json_to_str(json_get(json, str_of(name)), &text);
	return text;
}

static Err *mail_wanted(Db *tx, Arena *a, const Event *event, const Json *data)
{
	AUTO(buf_fini) Buf to = { 0 };
	JsonWriter w = json_writer(&to);
	Asked asked = { .data = event->data,
		        .author = S(USERS_AUTHOR),
		        .traceparent = event->traceparent };
	Str address, locale = member(data, "locale");
	WorkflowRow *workflow;
	NotificationRow *row;

	if (address_read(a, CHANNEL_EMAIL, member(data, "to"), &address))
		return NULL; /* there is nobody to write to */
	json_begin_array(&w);
	json_begin_object(&w);
	json_put_str(&w, "email", address);
	if (language_is(locale))
		json_put_str(&w, "locale", locale);
	json_end(&w);
	json_end(&w);
	TRY(json_done(&w, &asked.recipients));
	TRY(workflow_need(tx, a,
	                  str_fmt(a, WORKFLOW_PREFIX "%.*s", STR_ARG(member(data, "template"))),
	                  &workflow));
	return notification_accept(tx, a, workflow, &asked, &row);
}

static Err *hear(Db *tx, Arena *a, const Event *event, void *arg)
{
	const Json *data;

	(void)arg;
	TRY(json_read(a, event->data, 0, &data));
	if (str_eq(event->type, S("user.mail_wanted")))
		return mail_wanted(tx, a, event, data);
	if (str_eq(event->type, S("user.erased")))
		return person_erase(tx, a, event->aggregate_id);
	return job_put(tx, a,
	               &(JobDraft){ .kind = S(JOB_USER),
	                            .unique_key = event->aggregate_id,
	                            .data = str_fmt(a, "{\"user\":\"%.*s\"}",
	                                            STR_ARG(event->aggregate_id)),
	                            .traceparent = event->traceparent,
	                            .attempts = 50 },
	               NULL, NULL);
}

const ServiceConsumer *users_consumers(size_t *count)
{
	static const char *const types[] = { "user.mail_wanted", "user.registered",
		                             "user.updated",     "user.email_changed",
		                             "user.activated",   "user.erased" };
	static const ServiceConsumer consumers[] = {
		{ .name = "notification.users",
		  .source = "user",
		  .types = types,
		  .type_count = COUNT(types),
		  .fn = hear },
	};

	*count = COUNT(consumers);
	return consumers;
}

/* --- what somebody's address is now ------------------------------------------------------------------------------------------ */

typedef struct Account {
	JobRun *run;
	Str id, email, name, locale;
	bool verified;
} Account;

static Err *store_account(Db *tx, Arena *a, void *arg)
{
	const Account *u = arg;
	int64_t now_us = time_utc_us();
	ContactRow contact = { .recipient = u->id,
		               .channel = S("email"),
		               .verified_at = opt_int(now_us),
		               .state = S("good"),
		               .state_at = now_us,
		               .updated_at = now_us };
	RecipientRow *r;

	TRY(db_exec(tx, a, recipient_need, NULL, .id = u->id, .now = now_us));
	TRY(db_one(tx, a, recipient_by_id, &r, .id = u->id));
	if (r)
		TRY(db_exec(tx, a, recipient_change, NULL, .id = u->id,
		            .name = str_sub(u->name, 0, 200),
		            .locale = language_is(u->locale) ? u->locale : r->locale,
		            .zone = r->zone, .quiet_from = r->quiet_from, .quiet_to = r->quiet_to,
		            .quiet_days = r->quiet_days, .quiet_channels = r->quiet_channels,
		            .now = now_us));
	if (u->verified && !address_read(a, CHANNEL_EMAIL, u->email, &contact.address)) {
		contact.address_hash = address_hash(a, CHANNEL_EMAIL, contact.address);
		TRY(db_exec_with(tx, a, contact_put, &contact, NULL));
	} else if (!u->email.len) {
		TRY(db_exec(tx, a, contact_remove, NULL, .recipient = u->id,
		            .channel = S("email")));
	}
	return job_done(tx, a, u->run);
}

Err *user_job(JobRun *run, void *arg)
{
	const ServiceHome *home = arg;
	Arena *a = job_arena(run);
	Account u = { .run = run };
	const Json *json;
	AskAnswer answer;

	TRY(json_read(a, job_data(run), 0, &json));
	TRY(json_need_str(a, json, "user", &u.id));
	TRY(service_peer_call(home, a,
	                      &(PeerAsk){ .service = "user",
	                                  .target = str_fmt(a, "/v1/users/%.*s", STR_ARG(u.id)),
	                                  .traceparent = job_traceparent(run) },
	                      &answer));
	if (answer.status == 404)
		return NULL; /* erased since; that event comes */
	TRY(service_peer_refusal(a, "user", &answer));
	TRY(json_read(a, answer.body, 0, &json));
	u.email = member(json, "email");
	u.name = member(json, "name");
	u.locale = member(json, "locale");
	json_to_bool(json_get(json, S("email_verified")), &u.verified);
	return db_txn(home->db, a, DB_READ_COMMITTED, store_account, &u);
}

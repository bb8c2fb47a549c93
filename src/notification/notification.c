/* SPDX-License-Identifier: Apache-2.0
 *
 * The notification service put together: tables of routes, jobs, beginning and end. */
#include "notification/notification.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"
#include "notification/figures.h"
#include "notification/fsck.h"
#include "notification/inbox.h"
#include "notification/mail.h"
#include "notification/notification_api.h"
#include "notification/notification_int.h"
#include "notification/provider.h"
#include "notification/push.h"
#include "notification/record.h"
#include "notification/unsubscribe.h"
#include "notification/users.h"
#include "service/service.h"
#include "store/job.h"

#include "notification_inbox_sql.h"
#include "notification_schema.h"
#include "notification_sql.h"

NotificationState *notification_state(const ServiceHome *home)
{
	return home->state;
}

Providers *notification_providers(const ServiceHome *home)
{
	return notification_state(home)->providers;
}

void notification_raw_with(const ServiceHome *home, NotificationRaw *fn)
{
	notification_state(home)->raw = fn;
}

static Err *begin(ServiceHome *home)
{
	NotificationState *state = ARENA_NEW(home->arena, NotificationState);

	home->state = state;
	state->conf = home->conf;
	state->home = home;
	state->providers = channel_providers_new(home->arena);
	state->zones = zones_new(home->arena);
	figures_begin();
	inbox_begin();
	TRY(unsubscribe_key(home->db, home->arena, &state->key));
	for (size_t i = 0; i < state->conf->rates.count; i++)
		provider_rate(state->providers, state->conf->rates.at[i].provider,
		              state->conf->rates.at[i].per_second);
	if (state->conf->record.len)
		TRY(record_add(home->arena, state->providers, state->conf->record));
	TRY(users_begin(home->db, home->arena));
	TRY(mail_begin(home, &state->conf->mail, state->providers));
	return push_begin(home, state->providers, &state->conf->push, state->conf->sms.at,
	                  state->conf->sms.count);
}

static void end(ServiceHome *home)
{
	if (!home->state)
		return;
	mail_end(home);
	figures_end();
	channel_providers_close(notification_state(home)->providers);
}

static const Schema *schema(void)
{
	return &notification_schema;
}

enum { HOUSE_STEP = 100 };

/* --- jobs ---------------------------------------------------------------------------------------------------------------- */

Err *job_read_id(const JobRun *run, Uuid *id)
{
	Arena *a = job_arena(run);
	const Json *data;
	Str text;

	TRY(json_read(a, job_data(run), 0, &data));
	if (!json_to_str(json_get(data, S("id")), &text) || !uuid_read(text, id))
		return err_new(a, ERR_INVALID, "job.give_up", "the job has no id");
	return NULL;
}

Err *job_put_id(Db *tx, Arena *a, Str kind, Uuid id, int64_t priority, int64_t run_at_us,
                Str traceparent)
{
	Str text = uuid_text(a, id);

	return job_put(tx, a,
	               &(JobDraft){ .kind = kind,
	                            .unique_key = text,
	                            .priority = (int32_t)priority,
	                            .data = str_fmt(a, "{\"id\":\"%.*s\"}", STR_ARG(text)),
	                            .traceparent = traceparent,
	                            .run_at_us = run_at_us,
	                            .attempts = 1000 },
	               NULL, NULL);
}

static Err *forget(Db *tx, Arena *a, void *arg)
{
	const Uuid *id = arg;

	TRY(db_exec(tx, a, notification_steps_remove, NULL, .id = *id));
	TRY(db_exec(tx, a, notification_attempts_remove, NULL, .id = *id));
	TRY(db_exec(tx, a, notification_deliveries_remove, NULL, .id = *id));
	return db_exec(tx, a, notification_remove, NULL, .id = *id);
}

/* In small steps: on SQLite all writers wait for each. */
static Err *forget_old(Db *db, Arena *a, int64_t before_us)
{
	NotificationsOldRow *old;
	size_t count;

	do {
		Mark mark = arena_mark(a);

		TRY(db_all(db, a, notifications_old, &old, &count, .before = before_us,
		           .most = HOUSE_STEP));
		for (size_t i = 0; i < count; i++)
			TRY(db_txn(db, a, DB_READ_COMMITTED, forget, &old[i].id));
		arena_reset(a, mark);
	} while (count == HOUSE_STEP);
	return NULL;
}

static Err *keep_house(JobRun *run, void *arg)
{
	const ServiceHome *home = arg;
	const NotificationConf *conf = home->conf;
	Arena *a = job_arena(run);
	int64_t now_us = time_utc_us(), gone;

	do {
		TRY(db_exec(home->db, a, items_purge, &gone, .before = now_us - conf->keep_inbox_us,
		            .most = HOUSE_STEP));
	} while (gone == HOUSE_STEP);
	TRY(forget_old(home->db, a, now_us - conf->keep_us));
	do {
		TRY(db_exec(home->db, a, digests_purge, &gone, .before = now_us - conf->keep_us,
		            .most = HOUSE_STEP));
	} while (gone == HOUSE_STEP);
	return NULL;
}

#define SEND(channel) \
	{ \
		.name = JOB_PART(channel), .fn = send_job, .at_once = 32, .backoff_us = US_PER_S, \
		.backoff_max_us = 60 * US_PER_S \
	}
static const JobKind jobs[] = {
	{ .name = JOB_EXPAND,
	  .fn = expand_job,
	  .at_once = 4,
	  .backoff_us = US_PER_S,
	  .backoff_max_us = 60 * US_PER_S },
	{ .name = JOB_DIGEST,
	  .fn = digest_job,
	  .at_once = 2,
	  .backoff_us = US_PER_S,
	  .backoff_max_us = 60 * US_PER_S },
	SEND("email"),
	SEND("sms"),
	SEND("push"),
	SEND("inbox"),
	{ .name = JOB_USER, .fn = user_job, .at_once = 4, .backoff_max_us = 600 * US_PER_S },
	{ .name = "notification.house", .fn = keep_house },
	MAIL_JOBS,
};
static const JobSchedule schedules[] = {
	{ .name = "notification.house", .kind = "notification.house", .cron = "41 * * * *" },
	MAIL_SCHEDULES,
};

/* --- the row ------------------------------------------------------------------------------------------------------------- */

const Service *notification_service(void)
{
	static ServiceRoutes routes[10];
	static Service service = {
		.name = "notification",
		.summary = "e-mail, SMS, push and an inbox for people",
		.version = "1.0",
		.first = "    user_key_file: user.key\n    record: mails.jsonl\n",
		.schema = schema,
		.routes = routes,
		.routes_count = COUNT(routes),
		.jobs = jobs,
		.job_count = COUNT(jobs),
		.schedules = schedules,
		.schedule_count = COUNT(schedules),
		.metrics = notification_metrics,
		.begin = begin,
		.drain = inbox_drain,
		.end = end,
		.who = service_who_bearer,
		.keys = true,
	};

	routes[0] = notification_routes();
	routes[1] = unsubscribe_routes();
	routes[2] = workflow_routes();
	routes[3] = template_routes();
	routes[4] = recipient_routes();
	routes[5] = topic_routes();
	routes[6] = inbox_routes();
	routes[7] = mail_routes();
	routes[8] = push_routes();
	routes[9] = provider_routes();
	service.checks = notification_checks(&service.check_count);
	service.consumers = users_consumers(&service.consumer_count);
	service.conf = notification_conf_table();
	return &service;
}

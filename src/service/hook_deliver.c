/* SPDX-License-Identifier: Apache-2.0
 *
 * A try to tell an endpoint: a POST, and the status of its answer; what it says beyond that is not read. Redirects are not followed: an
 * endpoint that has moved is told so by its owner. Names are looked up anew each time, and only addresses of the open internet are asked
 * (unless the configuration allows a network), so that nobody can have us ask our own machines.
 *
 * The pauses between tries are the job's. A receiver that asks for another time (429, 503 with Retry-After) is one that failed. */
#include "auth/signing.h"
#include "base/arena.h"
#include "base/json.h"
#include "base/log.h"
#include "base/time.h"
#include "http/ask.h"
#include "http/trust.h"
#include "obs/metric.h"
#include "service/hook_int.h"

#include <pthread.h>

/* Of an endpoint that does not answer, so many tries at once in this process; more of them fail at once, so that it does not take the
 * hands that others need. */
enum { SLOW_MOST = 4, BUSY_MOST = 64 };
enum { ALLOW_MOST = 32, ANSWER_BYTES = 64 << 10, OPEN_MOST = 16 };
#define MEND_US (600 * US_PER_S)
#define KEEP_US (30 * INT64_C(86400) * US_PER_S)

typedef struct Hooks {
	const ServiceHome *home;
	const HookConf *conf;
	AskClient *client;
	Cidr allow[ALLOW_MOST];
	size_t allow_count;
	struct {
		Uuid endpoint;
		unsigned tries;
	} busy[BUSY_MOST]; /* under all.lock */
} Hooks;

/* Of the services at work in this process. Few, and changed at their start and end only. */
static struct {
	pthread_mutex_t lock;
	Hooks *at[OPEN_MOST];
} all = { .lock = PTHREAD_MUTEX_INITIALIZER };

enum { TOLD, REFUSED, FAILED, PRIVATE, DISABLED, CROWDED, RESULTS };
static const char *const results[] = {
	[TOLD] = "delivered",  [REFUSED] = "refused", [FAILED] = "failed",
	[PRIVATE] = "private", [CROWDED] = "crowded", [DISABLED] = "disabled",
};
_Static_assert(COUNT(results) == RESULTS, "a result has no name");

static const MetricFamily families[] = {
	{ "banyan_service_webhooks_total",
	  METRIC_COUNTER,
	  "tries",
	  "to tell an endpoint of an event, by what came of it",
	  { "service", "result" } },
};

const MetricFamily *hook_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

static void count_result(const ServiceHome *home, int result)
{
	Str labels[] = { str_of(home->service->name), str_of(results[result]) };

	metric_add(metric_cell(&families[0], labels, 2), 1); /* a lock: webhooks are few */
}

static Hooks *hooks_of(const ServiceHome *home)
{
	Hooks *found = NULL;

	pthread_mutex_lock(&all.lock);
	for (size_t i = 0; i < OPEN_MOST; i++)
		if (all.at[i] && all.at[i]->home == home)
			found = all.at[i];
	pthread_mutex_unlock(&all.lock);
	return found;
}

/* --- how many at once ---------------------------------------------------------------------------------------------------- */

static unsigned *tries_at(Hooks *hooks, Uuid endpoint)
{
	size_t unused = BUSY_MOST;

	for (size_t i = 0; i < BUSY_MOST; i++) {
		if (hooks->busy[i].tries && uuid_eq(hooks->busy[i].endpoint, endpoint))
			return &hooks->busy[i].tries;
		unused = hooks->busy[i].tries ? unused : i;
	}
	if (unused == BUSY_MOST)
		return NULL;
	hooks->busy[unused].endpoint = endpoint;
	return &hooks->busy[unused].tries;
}

/* False: it does not answer, and there are enough who wait for it already. */
static bool take_turn(Hooks *hooks, const Hook *hook)
{
	unsigned *tries;
	bool mine;

	pthread_mutex_lock(&all.lock);
	tries = tries_at(hooks, hook->id);
	mine = tries && (!hook->failing_since_us || *tries < SLOW_MOST);
	if (mine)
		(*tries)++;
	pthread_mutex_unlock(&all.lock);
	return mine;
}

static void give_turn(Hooks *hooks, const Hook *hook)
{
	unsigned *tries;

	pthread_mutex_lock(&all.lock);
	tries = tries_at(hooks, hook->id);
	if (tries && *tries)
		(*tries)--;
	pthread_mutex_unlock(&all.lock);
}

/* --- the request ----------------------------------------------------------------------------------------------------------- */

static void add_signatures(Arena *a, Headers *headers, const HookTask *task, int64_t now_us)
{
	const Hook *hook = task->hook;
	Str secrets[] = { hook->secret, hook->old_secret }, key, text = { 0 };
	size_t count = hook->old_secret.len && hook->old_until_us > now_us ? 2 : 1;
	int64_t now_s = now_us / US_PER_S;

	for (size_t i = 0; i < count; i++)
		if (signing_key(a, secrets[i], &key))
			text = str_fmt(a, "%.*s%s%.*s", STR_ARG(text), text.len ? " " : "",
			               STR_ARG(signing_standard(a, key, task->delivery.event, now_s,
			                                        task->body)));
	headers_add(headers, a, S("webhook-id"), task->delivery.event);
	headers_add(headers, a, S("webhook-timestamp"), str_fmt(a, "%" PRId64, now_s));
	headers_add(headers, a, S("webhook-signature"), text);
	headers_add(headers, a, S("Stripe-Signature"),
	            signing_stripe_all(a, secrets, count, now_s, task->body));
}

static Err enough = ERR_STATIC(UPSTREAM, "webhook.long_answer", "its answer was long enough");

/* Its status has been said: after this much of the rest the connection is given up. */
static Err *skip_piece(void *arg, Str piece)
{
	size_t *got = arg;

	*got += piece.len;
	return *got > ANSWER_BYTES ? &enough : NULL;
}

static Err *tell(const Hooks *hooks, Arena *a, const HookTask *task, Str traceparent,
                 HookOutcome *outcome, int *result)
{
	size_t got = 0;
	Ask what = { .method = S("POST"),
		     .url = task->hook->url,
		     .body = task->body,
		     .traceparent = traceparent,
		     .timeout_us = hooks->conf->timeout_us,
		     .piece = skip_piece,
		     .arg = &got };
	AskAnswer answer;
	Err *err;

	headers_add(&what.headers, a, S("User-Agent"), S("Banyan"));
	add_signatures(a, &what.headers, task, time_utc_us());
	err = ask(hooks->client, a, &what, &answer);
	if (err && err->kind == ERR_CANCELLED)
		return err;
	outcome->status = answer.status;
	outcome->delivered = answer.status >= 200 && answer.status < 300;
	*result = outcome->delivered           ? TOLD
	          : answer.status              ? REFUSED
	          : err_is(err, "ask.private") ? PRIVATE
	                                       : FAILED;
	if (!outcome->delivered)
		outcome->error = answer.status ? str_fmt(a, "it answered %u", answer.status)
		                               : err_chain(a, err);
	return NULL;
}

/* --- what came of it ------------------------------------------------------------------------------------------------------ */

static const char *reason_to_disable(const Hooks *hooks, const HookTask *task,
                                     const HookOutcome *outcome)
{
	int64_t since_us = task->hook->failing_since_us;

	if (outcome->delivered)
		return NULL;
	if (outcome->status == 410)
		return "it answered 410: it wants nothing any more";
	if (since_us && time_utc_us() - since_us > hooks->conf->disable_after_us)
		return "it has taken nothing for too long";
	return NULL;
}

typedef struct Noting {
	JobRun *run;
	const HookTask *task;
	HookOutcome outcome;
} Noting;

/* With a success, or after the last try, the job is done in the same transaction. */
static Err *note(Db *tx, Arena *a, void *arg)
{
	Noting *n = arg;

	TRY(hook_note(tx, a, n->task, &n->outcome));
	return n->outcome.delivered || n->outcome.last ? job_done(tx, a, n->run) : NULL;
}

static Err *end_try(Noting *n, const Hooks *hooks)
{
	Arena *a = job_arena(n->run);
	HookOutcome *outcome = &n->outcome;

	outcome->disable = reason_to_disable(hooks, n->task, outcome);
	outcome->last =
		!outcome->delivered && (outcome->disable || job_attempt(n->run) >= HOOK_TRIES);
	TRY(db_txn(job_db(n->run), a, DB_READ_COMMITTED, note, n));
	if (outcome->disable)
		log_warn_with(LOG_FIELDS(log_str("service", str_of(hooks->home->service->name)),
		                         log_str("endpoint", uuid_text(a, n->task->hook->id))),
		              "a webhook's endpoint was disabled: %s", outcome->disable);
	if (outcome->delivered || outcome->last)
		return NULL;
	return err_new(a, ERR_UPSTREAM, "webhook.refused", "%.*s", STR_ARG(outcome->error));
}

/* Told nothing while it is disabled: it can be replayed. */
static Err *bury(Noting *n, const ServiceHome *home)
{
	n->outcome = (HookOutcome){ .last = true, .error = S("the endpoint is disabled") };
	count_result(home, DISABLED);
	return db_txn(job_db(n->run), job_arena(n->run), DB_READ_COMMITTED, note, n);
}

static Err *tell_in_turn(Hooks *hooks, Noting *n, int *result)
{
	const HookTask *task = n->task;
	Err *err;

	if (!take_turn(hooks, task->hook)) {
		*result = CROWDED;
		n->outcome.error = S("others wait for its answer");
		return NULL;
	}
	err = tell(hooks, job_arena(n->run), task, job_traceparent(n->run), &n->outcome, result);
	give_turn(hooks, task->hook);
	return err;
}

static Err *read_task(JobRun *run, HookTask **task)
{
	Arena *a = job_arena(run);
	const Json *data;
	Str text;
	Uuid id;

	TRY(json_read(a, job_data(run), 0, &data));
	TRY(json_need_str(a, data, "delivery", &text));
	if (!uuid_read(text, &id))
		return err_new(a, ERR_INVALID, "job.give_up", "that is no delivery");
	return hook_task(job_db(run), a, id, task);
}

Err *hook_deliver(JobRun *run, void *arg)
{
	const ServiceHome *home = arg;
	Hooks *hooks = hooks_of(home);
	HookTask *task;
	Noting n = { .run = run };
	int result;

	TRY(read_task(run, &task));
	if (!task || !task->hook || !str_eq(task->delivery.state, S("waiting")))
		return NULL;
	n.task = task;
	if (!task->hook->enabled)
		return bury(&n, home);
	if (!hooks)
		return err_new(job_arena(run), ERR_INTERNAL, "webhook.closed",
		               "webhooks of this service are not open");
	TRY(tell_in_turn(hooks, &n, &result));
	count_result(home, result);
	return end_try(&n, hooks);
}

Err *hook_house(JobRun *run, void *arg)
{
	(void)arg;
	TRY(hook_mend(job_db(run), job_arena(run), time_utc_us() - MEND_US));
	return hook_purge(job_db(run), job_arena(run), time_utc_us() - KEEP_US);
}

/* --- begin and end ------------------------------------------------------------------------------------------------------- */

static Err *verify_network(Arena *a, Str text)
{
	Cidr net;
	const char *wrong = cidr_parse(text, &net);

	return wrong ? err_new(a, ERR_INVALID, "conf.value", "%.*s %s", STR_ARG(str_quote(a, text)),
	                       wrong)
	             : NULL;
}

static const ConfKey keys[] = {
	{ "allow", CONF_STR, AT_LIST(HookConf, allow), .verify = verify_network, .value = "NETWORK",
	  .help = "private networks whose machines may be told: 10.1.0.0/16; others are refused" },
	{ "ca", CONF_PATH, AT(HookConf, ca), .value = "FILE",
	  .help = "authorities of receivers; none: the system's" },
	{ "timeout", CONF_DURATION, AT(HookConf, timeout_us), .def = "15s", .min = "100ms",
	  .max = "2m", .help = "how long an endpoint may take" },
	{ "disable_after", CONF_DURATION, AT(HookConf, disable_after_us), .def = "5d", .min = "1s",
	  .max = "30d", .help = "an endpoint that took nothing for so long is disabled" },
};

const ConfTable *hook_conf_table(void)
{
	static const ConfTable table = { "webhooks", CONF_ROWS(HookConf, keys),
		                         .help = "telling others of what happens" };

	return &table;
}

static void keep(Hooks *hooks)
{
	pthread_mutex_lock(&all.lock);
	for (size_t i = 0; i < OPEN_MOST; i++)
		if (!all.at[i]) {
			all.at[i] = hooks;
			break;
		}
	pthread_mutex_unlock(&all.lock);
}

Err *hooks_open(ServiceHome *home, const HookConf *conf)
{
	Hooks *hooks = ARENA_NEW(home->arena, Hooks);
	AskConf settings = { .name = "webhook", .ca = conf->ca, .public_only = !home->development };

	*hooks = (Hooks){ .home = home, .conf = conf };
	for (size_t i = 0; i < conf->allow.count && i < ALLOW_MOST; i++)
		if (cidr_parse(conf->allow.at[i], &hooks->allow[hooks->allow_count++]))
			return err_new(home->arena, ERR_INVALID, "webhook.allow",
			               "that is no network");
	settings.but = hooks->allow;
	settings.but_count = hooks->allow_count;
	TRY(ask_open_away(home->arena, &settings, &hooks->client));
	keep(hooks);
	return NULL;
}

void hooks_close(ServiceHome *home)
{
	Hooks *hooks = NULL;

	pthread_mutex_lock(&all.lock);
	for (size_t i = 0; i < OPEN_MOST; i++)
		if (all.at[i] && all.at[i]->home == home)
			hooks = TAKE(all.at[i]);
	pthread_mutex_unlock(&all.lock);
	if (hooks)
		ask_close(hooks->client);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * A session belongs to its loop, so each loop keeps its own idle ones; how many mails are under way is counted on all loops together.
 *
 * A server may end an idle connection at any time. A mail that meets such an end was provably not taken, and goes once more, over a new
 * connection: that is the only repetition here. All else is for who knows what the mail is worth.
 *
 * Gates are entered in the order in which the configuration has them, the server's own last, so that nobody waits in a circle. */
#include "notification/smtp_pool.h"

#include "base/arena.h"
#include "base/time.h"
#include "notification/gate.h"

enum { IDLE_MOST = 32, DOMAINS_MOST = 32, SMTP_ENDING = 421 };

typedef struct LoopPart {
	SmtpPool *pool;
	SmtpSession *idle[IDLE_MOST]; /* the last is the latest used */
	size_t count;
	Timer timer;
} LoopPart;

struct SmtpPool {
	SmtpPoolConf conf;
	Gate gate;
	Gate domains[DOMAINS_MOST];
	LoopPart *parts;
	uint64_t opened, reused, failed; /* atomic */
};

static void count(uint64_t *what)
{
	__atomic_add_fetch(what, 1, __ATOMIC_RELAXED);
}

/* --- idle sessions ------------------------------------------------------------------------------------------------------ */

static void timer_fired(Timer *timer)
{
	LoopPart *part = CONTAINER(timer, LoopPart, timer);
	int64_t before = loop_now_us() - part->pool->conf.idle_us;
	size_t gone = 0;

	while (gone < part->count && smtp_idle_since(part->idle[gone]) <= before)
		smtp_close(part->idle[gone++]);
	for (size_t i = gone; i < part->count; i++)
		part->idle[i - gone] = part->idle[i];
	part->count -= gone;
	if (part->count)
		timer_set(timer, smtp_idle_since(part->idle[0]) + part->pool->conf.idle_us);
}

static LoopPart *own_part(SmtpPool *pool)
{
	return &pool->parts[loop_index(loop_self())];
}

static SmtpSession *take_idle(SmtpPool *pool)
{
	LoopPart *part = own_part(pool);

	while (part->count) {
		SmtpSession *s = part->idle[--part->count];

		if (smtp_is_fine(s))
			return s;
		smtp_close(s);
	}
	return NULL;
}

static void put_back(SmtpPool *pool, SmtpSession *s)
{
	LoopPart *part = own_part(pool);

	if (smtp_sent(s) >= pool->conf.mails || part->count == IDLE_MOST || !smtp_is_fine(s)) {
		smtp_close(s);
		return;
	}
	part->idle[part->count++] = s;
	if (part->count == 1)
		timer_set(&part->timer, loop_now_us() + pool->conf.idle_us);
}

SmtpPool *smtp_pool_new(Arena *a, const SmtpPoolConf *conf)
{
	SmtpPool *pool = ARENA_NEW(a, SmtpPool);

	pool->conf = *conf;
	pool->conf.connections = conf->connections ? conf->connections : 10;
	pool->conf.mails = conf->mails ? conf->mails : 100;
	pool->conf.idle_us = conf->idle_us ? conf->idle_us : 30 * US_PER_S;
	pool->conf.domain_count = MIN(conf->domain_count, (size_t)DOMAINS_MOST);
	gate_init(&pool->gate, pool->conf.connections);
	for (size_t i = 0; i < pool->conf.domain_count; i++)
		gate_init(&pool->domains[i], conf->domains[i].at_once);
	pool->parts = ARENA_ARRAY(a, LoopPart, rt_loops());
	for (size_t i = 0; i < rt_loops(); i++)
		pool->parts[i] = (LoopPart){ .pool = pool, .timer = TIMER_INIT(timer_fired) };
	return pool;
}

static void close_part(void *arg)
{
	LoopPart *part = own_part(arg);

	timer_remove(&part->timer);
	while (part->count)
		smtp_close(part->idle[--part->count]);
}

void smtp_pool_close(SmtpPool *pool)
{
	if (!pool)
		return;
	loop_each(close_part, pool);
	gate_fini(&pool->gate);
	for (size_t i = 0; i < pool->conf.domain_count; i++)
		gate_fini(&pool->domains[i]);
}

/* --- a mail ------------------------------------------------------------------------------------------------------------- */

/* Not taken, and all that the server said, if anything, is that it ends the conversation. */
static bool nothing_was_said(const SmtpMail *mail)
{
	for (size_t i = 0; i < mail->count; i++)
		if (mail->to[i].fate != SMTP_LATER ||
		    (mail->to[i].reply.code && mail->to[i].reply.code != SMTP_ENDING))
			return false;
	return true;
}

static void nobody_took(SmtpMail *mail)
{
	for (size_t i = 0; i < mail->count; i++) {
		mail->to[i].fate = SMTP_LATER;
		mail->to[i].reply = (SmtpReply){ 0 };
	}
}

static Err *send_on(SmtpPool *pool, Arena *a, SmtpMail *mail, SmtpSession *s)
{
	Err *err = smtp_send(s, a, mail);

	if (err)
		smtp_close(s);
	else
		put_back(pool, s);
	return err;
}

static Err *send_inside(SmtpPool *pool, Arena *a, SmtpMail *mail)
{
	SmtpSession *s = take_idle(pool);
	Err *err;

	if (s) {
		count(&pool->reused);
		err = send_on(pool, a, mail, s);
		if (!nothing_was_said(mail) || (err && err->kind == ERR_CANCELLED))
			return err;
	}
	err = smtp_open(a, &pool->conf.place, &s);
	if (err) {
		count(&pool->failed);
		return err;
	}
	count(&pool->opened);
	return send_on(pool, a, mail, s);
}

static bool has_domain(const SmtpMail *mail, Str domain)
{
	for (size_t i = 0; i < mail->count; i++)
		if (str_eq_nocase(smtp_domain(mail->to[i].address), domain))
			return true;
	return false;
}

Err *smtp_pool_send(SmtpPool *pool, Arena *a, SmtpMail *mail)
{
	Gate *inside[DOMAINS_MOST + 1];
	size_t entered = 0;
	Err *err = NULL;

	nobody_took(mail);
	for (size_t i = 0; i < pool->conf.domain_count && !err; i++)
		if (has_domain(mail, pool->conf.domains[i].domain)) {
			err = gate_enter(&pool->domains[i]);
			if (!err)
				inside[entered++] = &pool->domains[i];
		}
	if (!err)
		err = gate_enter(&pool->gate);
	if (!err) {
		inside[entered++] = &pool->gate;
		err = send_inside(pool, a, mail);
	}
	while (entered)
		gate_leave(inside[--entered]);
	return err;
}

SmtpPoolStats smtp_pool_stats(SmtpPool *pool)
{
	return (SmtpPoolStats){ .opened = __atomic_load_n(&pool->opened, __ATOMIC_RELAXED),
		                .reused = __atomic_load_n(&pool->reused, __ATOMIC_RELAXED),
		                .failed = __atomic_load_n(&pool->failed, __ATOMIC_RELAXED),
		                .inside = gate_inside(&pool->gate) };
}

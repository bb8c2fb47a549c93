/* SPDX-License-Identifier: Apache-2.0 */
#include "notification/smtp_pool.c"

#include "rt/listen.h"
#include "smtp_sink.h"
#include "unit.h"

static SmtpFate send_to(SmtpPool *pool, Arena *a, Str address, Err **err)
{
	SmtpRecipient to = { .address = address };
	SmtpMail mail = { .from = S("s@x.test"),
		          .to = &to,
		          .count = 1,
		          .message = S("Subject: x\r\n\r\ny\r\n") };

	*err = smtp_pool_send(pool, a, &mail);
	return to.fate;
}

static SmtpPool *pool_to(Arena *a, const Sink *sink, uint32_t mails)
{
	SmtpPoolConf conf = { .place = { .host = S("127.0.0.1"), .port = sink->port },
		              .connections = 2,
		              .mails = mails };

	return smtp_pool_new(a, &conf);
}

static Err *kept(void *arg)
{
	Arena *a = arg;
	Sink sink;
	SmtpPool *pool;
	Err *err;

	sink_open(&sink, a);
	pool = pool_to(a, &sink, 3);
	for (int i = 0; i < 7; i++) {
		CHECK_INT(send_to(pool, a, S("a@x.test"), &err), SMTP_TAKEN);
		CHECK_OK(err);
	}
	CHECK_INT(smtp_pool_stats(pool).opened, 3); /* 3, 3 and 1 */
	CHECK_INT(smtp_pool_stats(pool).reused, 4);
	CHECK_INT(sink.mails, 7);
	smtp_pool_close(pool);
	sink_close(&sink);
	return NULL;
}

TEST(connections_are_kept_for_so_many_mails)
{
	CHECK_OK(rt_run(&(RtConf){ .loops = 1, .workers = 1 }, kept, a));
}

/* The server has ended the idle connection: nobody notices. */
static Err *ended(void *arg)
{
	Arena *a = arg;
	Sink sink;
	SmtpPool *pool;
	Err *err;

	sink_open(&sink, a);
	pool = pool_to(a, &sink, 100);
	CHECK_INT(send_to(pool, a, S("a@x.test"), &err), SMTP_TAKEN);
	sink_hang_up(&sink);
	CHECK_INT(send_to(pool, a, S("a@x.test"), &err), SMTP_TAKEN);
	CHECK_OK(err);
	sink.hang_up_at_mail =
		true; /* at the first word of the next one, over the connection that is there */
	CHECK_INT(send_to(pool, a, S("a@x.test"), &err), SMTP_TAKEN);
	CHECK_OK(err);
	CHECK_INT(sink.mails, 3);
	smtp_pool_close(pool);
	sink_close(&sink);
	return NULL;
}

TEST(an_idle_connection_that_has_ended_costs_nobody_a_mail)
{
	CHECK_OK(rt_run(&(RtConf){ .loops = 1, .workers = 1 }, ended, a));
}

static Err *away(void *arg)
{
	Arena *a = arg;
	Sink sink;
	SmtpPool *pool;
	Err *err;

	sink_open(&sink, a);
	pool = pool_to(a, &sink, 100);
	sink_close(&sink);
	CHECK_INT(send_to(pool, a, S("a@x.test"), &err), SMTP_LATER);
	CHECK_ERR(err, "rt.refused");
	CHECK_INT(smtp_pool_stats(pool).failed, 1);
	CHECK_INT(smtp_pool_stats(pool).inside, 0);
	smtp_pool_close(pool);
	return NULL;
}

TEST(nobody_there)
{
	CHECK_OK(rt_run(&(RtConf){ .loops = 1, .workers = 1 }, away, a));
}

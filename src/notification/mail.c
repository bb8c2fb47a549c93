/* SPDX-License-Identifier: Apache-2.0
 *
 * E-mail put together: keys, servers, the intake, jobs and figures. */
#include "notification/mail.h"

#include "base/arena.h"
#include "base/file.h"
#include "notification/mail_int.h"
#include "notification/mail_store.h"
#include "notification/notification.h"
#include "notification/provider.h"
#include "rt/work.h"
#include "service/service.h"

/* --- figures -------------------------------------------------------------------------------------------------------------- */

static const MetricFamily families[] = {
	{ "banyan_mail_taken_total",
	  METRIC_COUNTER,
	  "mails",
	  "handed in by SMTP, by what is done with them",
	  { "mode" } },
	{ "banyan_mail_reports_total", METRIC_COUNTER, "mails", "reports about mails of ours" },
	{ "banyan_mail_refused_total", METRIC_COUNTER, "recipients",
	  "refused: from strangers, for others" },
	{ "banyan_mail_relayed_total",
	  METRIC_COUNTER,
	  "recipients",
	  "of mails that are sent on, by what came of an attempt",
	  { "outcome" } },
	{ "banyan_mail_doubts_total", METRIC_COUNTER, "recipients",
	  "found after a crash where the mail may have been taken" },
	{ "banyan_mail_connections", METRIC_GAUGE, "connections", "to the intake" },
};
enum { TAKEN, REPORTS_IN, REFUSED, RELAYED, DOUBTS, CONNECTIONS };

const MetricFamily *mail_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

static MetricCell cell(int family, const char *label)
{
	Str text = str_of(label);

	return metric_cell(&families[family], &text, label ? 1 : 0);
}

static void take_cells(Mail *mail)
{
	mail->cells.captured = cell(TAKEN, "capture");
	mail->cells.relayed = cell(TAKEN, "relay");
	mail->cells.delivered = cell(TAKEN, "deliver");
	mail->cells.reports = cell(REPORTS_IN, NULL);
	mail->cells.refused = cell(REFUSED, NULL);
	mail->cells.sent = cell(RELAYED, "sent");
	mail->cells.failed = cell(RELAYED, "failed");
	mail->cells.later = cell(RELAYED, "later");
	mail->cells.doubts = cell(DOUBTS, NULL);
	mail->cells.connections = cell(CONNECTIONS, NULL);
}

static void give_cells(Mail *mail)
{
	const MetricCell *cells = (const MetricCell *)&mail->cells;

	for (size_t i = 0; i < sizeof(mail->cells) / sizeof(*cells); i++)
		metric_cell_free(cells[i]);
}

/* --- beginning ------------------------------------------------------------------------------------------------------------ */

typedef struct Reading {
	Mail *mail;
	Arena *a;
	Err *err;
} Reading;

static Err *read_keys(Mail *mail, Arena *a)
{
	const MailConf *conf = mail->conf;

	if (conf->dkim.count > MAIL_KEYS)
		return err_new(a, ERR_INVALID, "mail.dkim_key", "there are more than %d keys",
		               MAIL_KEYS);
	for (size_t i = 0; i < conf->dkim.count; i++) {
		const MailDkimConf *key = &conf->dkim.at[i];
		Str pem;

		TRY(file_read(a, key->key, 64 << 10, &pem));
		TRY(dkim_key_new(a, key->domain, key->selector, pem,
		                 &mail->keys[mail->key_count++]));
	}
	return NULL;
}

typedef struct OpeningTls {
	Arena *a;
	const TlsClientConf *conf;
	TlsContext **out;
	Err *err;
} OpeningTls;

static void open_tls(void *arg)
{
	OpeningTls *o = arg;

	o->err = tls_client_new(o->a, o->conf, o->out);
}

static Err *read_tls(Mail *mail, Arena *a, size_t i, TlsContext **out)
{
	const MailServerConf *conf = &mail->conf->servers.at[i];
	TlsClientConf tls = { .ca = conf->ca, .verify = conf->tls != SMTP_TLS_TRY || conf->ca.len };

	OpeningTls o = { .a = a, .conf = &tls, .out = out };

	*out = NULL;
	if (conf->tls == SMTP_TLS_NONE)
		return NULL;
	TRY(work_run(open_tls, &o));
	return o.err;
}

static Err *set_up_server(Mail *mail, Arena *a, size_t i)
{
	const MailServerConf *conf = &mail->conf->servers.at[i];
	size_t count = mail->conf->domains.count;
	SmtpDomainLimit *limits = ARENA_ARRAY(a, SmtpDomainLimit, count + 1);
	SmtpPoolConf pool = { .place = { .host = conf->host,
		                         .port = conf->port,
		                         .tls = conf->tls,
		                         .auth = conf->auth,
		                         .user = conf->user,
		                         .password = conf->password,
		                         .helo = mail->hostname,
		                         .connect_us = conf->connect_us,
		                         .command_us = conf->command_us,
		                         .data_us = conf->data_us,
		                         .no_pipelining = conf->no_pipelining,
		                         .plain_password = conf->plain_password },
		              .connections = conf->connections,
		              .mails = conf->mails,
		              .idle_us = conf->idle_us,
		              .domains = limits,
		              .domain_count = count };

	for (size_t j = 0; j < count; j++)
		limits[j] = (SmtpDomainLimit){ mail->conf->domains.at[j].domain,
			                       mail->conf->domains.at[j].at_once };
	TRY(read_tls(mail, a, i, &pool.place.context));
	mail->servers[i] = (MailServer){ mail, conf, pool.place.context, smtp_pool_new(a, &pool) };
	return NULL;
}

/* Files are read: on a worker. */
static void read_files(void *arg)
{
	Reading *r = arg;

	r->err = read_keys(r->mail, r->a);
}

static Err *add_server(Providers *providers, MailServer *server)
{
	return provider_add(providers, &(Provider){ .name = server->conf->name,
	                                            .kind = mail_provider_kind(),
	                                            .state = server,
	                                            .order = server->conf->order,
	                                            .weight = server->conf->weight });
}

static Mail *at_work; /* of this process; set and read on any loop */

Mail *notification_mail(const ServiceHome *home)
{
	Mail *mail = __atomic_load_n(&at_work, __ATOMIC_ACQUIRE);

	return mail && mail->home == home ? mail : NULL;
}

/* A mail that was handed in, when its notification is sent. */
static Err *find_raw(Db *db, Arena *a, Str ref, Str *raw, Str *from)
{
	MailLine *line = NULL;
	MailTo *to;
	size_t count;
	Uuid id;

	if (uuid_read(ref, &id))
		TRY(mail_find(db, a, id, &line, &to, &count, raw));
	if (!line)
		return err_new(a, ERR_NOT_FOUND, "mail.unknown", "the mail is not there any more");
	*from = line->sender;
	return NULL;
}

Err *mail_begin(ServiceHome *home, const MailConf *conf, Providers *providers)
{
	Arena *a = home->arena;
	Mail *mail = ARENA_NEW(a, Mail);
	Reading reading = { mail, a, NULL };

	*mail = (Mail){
		.home = home, .db = home->db, .conf = conf, .hostname = mail_hostname(conf)
	};
	mail->servers = ARENA_ARRAY(a, MailServer, conf->servers.count + 1);
	take_cells(mail);
	notification_raw_with(home, find_raw);
	__atomic_store_n(&at_work, mail, __ATOMIC_RELEASE);
	TRY(mail_secret(home->db, a, &mail->secret));
	TRY(work_run(read_files, &reading));
	TRY(reading.err);
	for (size_t i = 0; i < conf->servers.count; i++)
		TRY(set_up_server(mail, a, i));
	for (size_t i = 0; i < conf->servers.count; i++)
		TRY(add_server(providers, &mail->servers[i]));
	if (!conf->has_intake)
		return NULL;
	TRY(mail_workflow_need(home->db, a, conf->intake.workflow));
	return mail_intake_begin(mail, a, &mail->intake);
}

void mail_end(const ServiceHome *home)
{
	Mail *mail = notification_mail(home);

	if (!mail)
		return;
	mail_intake_end(mail->intake);
	for (size_t i = 0; i < mail->conf->servers.count; i++) {
		smtp_pool_close(mail->servers[i].pool);
		tls_unref(mail->servers[i].tls);
	}
	give_cells(mail);
	__atomic_store_n(&at_work, NULL, __ATOMIC_RELEASE);
}

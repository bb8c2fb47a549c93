/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of e-mail share. */
#pragma once
#include "notification/channel.h"
#include "notification/dkim.h"
#include "notification/mail.h"
#include "notification/mail_conf.h"
#include "notification/smtp_pool.h"
#include "obs/metric.h"
#include "store/db.h"

typedef struct Intake Intake;

typedef struct MailServer {
	Mail *mail;
	const MailServerConf *conf;
	TlsContext *tls; /* NULL: none */
	SmtpPool *pool;
} MailServer;

enum { MAIL_KEYS = 8 };
struct Mail {
	const ServiceHome *home;
	Db *db;
	const MailConf *conf;
	Str hostname;
	Str secret; /* of the addresses that bounces come to */
	DkimKey *keys[MAIL_KEYS];
	size_t key_count;
	MailServer *servers; /* as many as conf->servers */
	Intake *intake;      /* NULL: there is none */
	uint32_t mode;       /* atomic: MailMode of the intake, as last read */
	struct {
		MetricCell captured, relayed, delivered, reports, refused, sent, failed, later,
			doubts, connections;
	} cells;
};

/* --- mail_sign.c: what goes before a message ------------------------------------------------------------------------------ */

/* The message with a signature of each key that fits `from` (the domain, or one above it). RSA is done by a worker: parks. */
Err *mail_sign(const Mail *mail, Arena *a, Str from, Str message, Str *out) MUST_USE;

/* --- mail_channel.c ------------------------------------------------------------------------------------------------------- */

const ProviderKind *mail_provider_kind(void);
/* "550 5.1.1", and a line for people. */
void mail_reply_words(Arena *a, const SmtpReply *reply, Str *code, Str *detail);

/* --- intake.c ------------------------------------------------------------------------------------------------------------- */

Err *mail_intake_begin(Mail *mail, Arena *a, Intake **out) MUST_USE;
void mail_intake_end(Intake *intake);

/* --- intake_take.c -------------------------------------------------------------------------------------------------------- */

typedef struct SmtpEnvelope SmtpEnvelope;
Err *mail_intake_take(const Mail *mail, Arena *a, const SmtpEnvelope *env, Str *reply)
	MUST_USE; /* as SmtpTake */
/* Do bounces of a delivery come there? */
bool mail_is_bounce_address(const Mail *mail, Str address, Uuid *delivery);

/* SPDX-License-Identifier: Apache-2.0
 *
 * Mails that were handed in, as they are kept. */
#pragma once
#include "notification/mail_conf.h"
#include "store/db.h"

typedef struct JsonWriter JsonWriter;

typedef struct MailIn {
	Uuid id;
	Str from;
	const Str *to;
	size_t count;
	Str raw;      /* whole, with what was added at its head */
	Str source;   /* who handed it in: "login shop", "127.0.0.1" */
	Str workflow; /* of deliver */
	bool report;  /* a bounce: kept to be looked at */
} MailIn;

/* In a transaction: the mail, and what is to be done with it (a job of relay, a notification for each recipient). */
Err *mail_keep(Db *tx, Arena *a, const MailIn *in, MailMode mode) MUST_USE;
/* One that was captured, its recipients: on its way by that mode (not capture). *done false: it is none. In a transaction. */
Err *mail_release_in(Db *tx, Arena *a, Uuid id, MailMode mode, Str workflow, bool *done) MUST_USE;

/* What the intake does now: as somebody has said last, else as the configuration does. */
Err *mail_mode_now(Db *db, Arena *a, const MailConf *conf, MailMode *mode, Str *author) MUST_USE;
/* has: false: as the configuration says. */
Err *mail_mode_say(Db *db, Arena *a, bool has, MailMode mode, Str author) MUST_USE;

typedef struct MailFilter {
	Str state, to; /* empty: any; not both */
	Uuid before;   /* nil: the newest first */
	size_t most;
} MailFilter;
typedef struct MailLine {
	Uuid id;
	Str mode, state, sender, subject, message_id, source;
	int64_t recipients, bytes, received_us, settled_us; /* 0: not */
} MailLine;
Err *mail_list(Db *db, Arena *a, const MailFilter *filter, MailLine **out, size_t *count) MUST_USE;

typedef struct MailTo {
	Str address, state, reply;
	int64_t attempts, doubts;
	OptUuid notification;
} MailTo;
/* NULL: there is none. raw may be NULL: not asked for. */
Err *mail_find(Db *db, Arena *a, Uuid id, MailLine **line, MailTo **to, size_t *count, Str *raw)
	MUST_USE;

typedef struct MailCounts {
	Str state;
	int64_t count;
} MailCounts;
Err *mail_counts(Db *db, Arena *a, MailCounts **out, size_t *count) MUST_USE;

/* Every mail's text, oldest first. fn parks if it likes. */
typedef Err *MailEach(void *arg, Arena *a, Uuid id, Str raw);
Err *mail_each(Db *db, Arena *a, MailEach *fn, void *arg) MUST_USE;

/* A secret that all processes of the service share; made when there is none. */
Err *mail_secret(Db *db, Arena *a, Str *out) MUST_USE;

/* The workflow of mode deliver: class transactional, channel email; nothing when there is one of that name. */
Err *mail_workflow_need(Db *db, Arena *a, Str name) MUST_USE;

void mail_put_line(JsonWriter *w, Arena *a, const MailLine *line, const MailTo *to, size_t count,
                   Str raw);

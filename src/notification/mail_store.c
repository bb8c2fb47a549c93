/* SPDX-License-Identifier: Apache-2.0
 *
 * A mail is a row, its text another (lists do not drag texts along), each of its recipients a third kind. All that happens to one is in
 * the transaction that says so; the client that handed it in is told "250" after that, never before. */
#include "notification/mail_store.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/rand.h"
#include "base/time.h"
#include "notification/mail_int.h"
#include "notification/mime_read.h"
#include "notification/notification.h"
#include "notification/smtp_text.h"
#include "service/call.h"
#include "store/job.h"

#include "notification_mail_sql.h"

#include <string.h>

enum {
	SUBJECT_MOST = 500,
	ID_MOST = 300,
	RELAY_ATTEMPTS = 1000 /* time is what ends them */,
	PAGE = 50
};

static Err *put_job(Db *tx, Arena *a, Uuid id)
{
	return job_put(tx, a,
	               &(JobDraft){
			       .kind = S(JOB_RELAY),
			       .unique_key = uuid_text(a, id),
			       .attempts = RELAY_ATTEMPTS,
			       .data = str_fmt(a, "{\"id\":\"%.*s\"}", STR_ARG(uuid_text(a, id))) },
	               NULL, NULL);
}

static Err *hand_over(Db *tx, Arena *a, Uuid mail, Str workflow, Str address, Uuid *id)
{
	return notification_put(tx, a,
	                        &(NotificationDraft){ .workflow = workflow,
	                                              .channel = CHANNEL_EMAIL,
	                                              .address = address,
	                                              .raw_ref = uuid_text(a, mail) },
	                        id);
}

static Err *keep_recipient(Db *tx, Arena *a, const MailIn *in, size_t n, MailMode mode,
                           int64_t now_us)
{
	static const Str states[] = { [MAIL_CAPTURE] = S("captured"),
		                      [MAIL_RELAY] = S("waiting"),
		                      [MAIL_DELIVER] = S("handed") };
	MailToRow to = { .mail_id = in->id,
		         .n = (int64_t)n,
		         .address = in->to[n],
		         .state = in->report ? S("captured") : states[mode],
		         .updated_at = now_us };
	Uuid id;

	if (mode == MAIL_DELIVER && !in->report) {
		TRY(hand_over(tx, a, in->id, in->workflow, in->to[n], &id));
		to.notification_id = opt_uuid(id);
	}
	return db_exec_with(tx, a, mail_to_add, &to, NULL);
}

Err *mail_keep(Db *tx, Arena *a, const MailIn *in, MailMode mode)
{
	static const Str states[] = { [MAIL_CAPTURE] = S("captured"),
		                      [MAIL_RELAY] = S("queued"),
		                      [MAIL_DELIVER] = S("handed") };
	int64_t now_us = time_utc_us();
	Str head, body, id = { 0 };
	MailRow row;

	mime_split(in->raw, &head, &body);
	if (mime_header(a, head, "Message-ID", &id))
		id = mime_address(id);
	row = (MailRow){ .id = in->id,
		         .mode = str_of(mail_modes()[mode].name),
		         .state = in->report ? S("report") : states[mode],
		         .sender = in->from,
		         .recipients = (int64_t)in->count,
		         .subject =
		                 smtp_clean(a, mime_header_text(a, head, "Subject"), SUBJECT_MOST),
		         .message_id = smtp_clean(a, id, ID_MOST),
		         .source = in->source,
		         .bytes = (int64_t)in->raw.len,
		         .received_at = now_us };
	if (mode == MAIL_DELIVER || mode == MAIL_CAPTURE || in->report)
		row.settled_at = opt_int(now_us);
	TRY(db_exec_with(tx, a, mail_add, &row, NULL));
	TRY(db_exec(tx, a, mail_text_add, NULL, .id = in->id, .raw = in->raw));
	for (size_t i = 0; i < in->count; i++)
		TRY(keep_recipient(tx, a, in, i, mode, now_us));
	return mode == MAIL_RELAY && !in->report ? put_job(tx, a, in->id) : NULL;
}

Err *mail_release_in(Db *tx, Arena *a, Uuid id, MailMode mode, Str workflow, bool *done)
{
	int64_t now_us = time_utc_us(), changed;
	MailToRow *to;
	size_t count;

	TRY(db_exec(tx, a, mail_release, &changed, .id = id,
	            .mode = str_of(mail_modes()[mode].name),
	            .state = mode == MAIL_RELAY ? S("queued") : S("handed"),
	            .settled_at = mode == MAIL_RELAY ? (OptInt){ 0 } : opt_int(now_us)));
	*done = changed > 0;
	if (!*done)
		return NULL;
	if (mode == MAIL_RELAY) {
		TRY(db_exec(tx, a, mail_tos_release, NULL, .id = id, .now = now_us));
		return put_job(tx, a, id);
	}
	TRY(db_all(tx, a, mail_tos, &to, &count, .id = id));
	for (size_t i = 0; i < count; i++) {
		Uuid notification;

		TRY(hand_over(tx, a, id, workflow, to[i].address, &notification));
		TRY(db_exec(tx, a, mail_to_hand, NULL, .id = id, .n = to[i].n,
		            .notification_id = notification, .now = now_us));
	}
	return NULL;
}

/* --- the mode ----------------------------------------------------------------------------------------------------------- */

static MailMode mode_of(Str name)
{
	for (const ConfWord *word = mail_modes(); word->name; word++)
		if (str_eq(name, str_of(word->name)))
			return (MailMode)word->value;
	return MAIL_CAPTURE;
}

Err *mail_mode_now(Db *db, Arena *a, const MailConf *conf, MailMode *mode, Str *author)
{
	MailModeRow *row;

	TRY(db_one(db, a, mail_mode, &row, .name = S("intake")));
	*mode = row                ? mode_of(row->mode)
	        : conf->has_intake ? (MailMode)conf->intake.mode
	                           : MAIL_CAPTURE;
	*author = row ? row->author : S("configuration");
	return NULL;
}

typedef struct ModeChange {
	bool has;
	MailMode mode;
	Str author;
} ModeChange;

static Err *change_mode(Db *tx, Arena *a, void *arg)
{
	const ModeChange *change = arg;

	if (change->has)
		TRY(db_exec(tx, a, mail_mode_set, NULL, .name = S("intake"),
		            .mode = str_of(mail_modes()[change->mode].name),
		            .author = change->author, .now = time_utc_us()));
	else
		TRY(db_exec(tx, a, mail_mode_clear, NULL, .name = S("intake")));
	return NULL;
}

Err *mail_mode_say(Db *db, Arena *a, bool has, MailMode mode, Str author)
{
	ModeChange change = { has, mode, author };

	return db_txn(db, a, DB_READ_COMMITTED, change_mode, &change);
}

Err *mail_secret(Db *db, Arena *a, Str *out)
{
	MailSecretRow *row;
	uint8_t bytes[32];

	rand_bytes(bytes, sizeof(bytes));
	TRY(db_exec(db, a, mail_secret_add, NULL, .name = S("verp"),
	            .value = (Str){ (const char *)bytes, sizeof(bytes) }, .now = time_utc_us()));
	TRY(db_one(db, a, mail_secret, &row, .name = S("verp")));
	*out = row ? row->value : S("");
	return NULL;
}

Err *mail_workflow_need(Db *db, Arena *a, Str name)
{
	return db_exec(db, a, mail_workflow_add, NULL, .name = name, .now = time_utc_us());
}

/* --- reading ------------------------------------------------------------------------------------------------------------ */

static MailLine line_of(const MailRow *row)
{
	return (MailLine){ .id = row->id,
		           .mode = row->mode,
		           .state = row->state,
		           .sender = row->sender,
		           .subject = row->subject,
		           .message_id = row->message_id,
		           .source = row->source,
		           .recipients = row->recipients,
		           .bytes = row->bytes,
		           .received_us = row->received_at,
		           .settled_us = row->settled_at.set ? row->settled_at.v : 0 };
}

Err *mail_list(Db *db, Arena *a, const MailFilter *filter, MailLine **out, size_t *count)
{
	Uuid before = filter->before;
	MailRow *rows;

	if (uuid_is_nil(before))
		memset(before.at, 0xff, sizeof(before.at));
	if (filter->to.len)
		TRY(db_all(db, a, mails_to_before, &rows, count, .address = filter->to,
		           .before = before, .most = (int64_t)filter->most));
	else if (filter->state.len)
		TRY(db_all(db, a, mails_of_state_before, &rows, count, .state = filter->state,
		           .before = before, .most = (int64_t)filter->most));
	else
		TRY(db_all(db, a, mails_before, &rows, count, .before = before,
		           .most = (int64_t)filter->most));
	*out = ARENA_ARRAY(a, MailLine, *count + 1);
	for (size_t i = 0; i < *count; i++)
		(*out)[i] = line_of(&rows[i]);
	return NULL;
}

Err *mail_find(Db *db, Arena *a, Uuid id, MailLine **line, MailTo **to, size_t *count, Str *raw)
{
	MailTextRow *text;
	MailToRow *rows;
	MailRow *row;

	*line = NULL;
	TRY(db_one(db, a, mail_by_id, &row, .id = id));
	if (!row)
		return NULL;
	TRY(db_all(db, a, mail_tos, &rows, count, .id = id));
	*to = ARENA_ARRAY(a, MailTo, *count + 1);
	for (size_t i = 0; i < *count; i++)
		(*to)[i] = (MailTo){ .address = rows[i].address,
			             .state = rows[i].state,
			             .reply = rows[i].reply,
			             .attempts = rows[i].attempts,
			             .doubts = rows[i].doubts,
			             .notification = rows[i].notification_id };
	if (raw) {
		TRY(db_one(db, a, mail_text, &text, .id = id));
		*raw = text ? text->raw : S("");
	}
	*line = ARENA_NEW(a, MailLine);
	**line = line_of(row);
	return NULL;
}

Err *mail_counts(Db *db, Arena *a, MailCounts **out, size_t *count)
{
	MailsCountedRow *rows;

	TRY(db_all(db, a, mails_counted, &rows, count));
	*out = ARENA_ARRAY(a, MailCounts, *count + 1);
	for (size_t i = 0; i < *count; i++)
		(*out)[i] = (MailCounts){ rows[i].state, rows[i].count };
	return NULL;
}

Err *mail_each(Db *db, Arena *a, MailEach *fn, void *arg)
{
	Uuid after = { 0 };

	for (;;) {
		AUTO(arena_freep) Arena *page = arena_new(0);
		MailTextsAfterRow *rows;
		size_t count;
		Err *err = db_all(db, page, mail_texts_after, &rows, &count, .after = after,
		                  .most = PAGE);

		for (size_t i = 0; !err && i < count; i++)
			err = fn(arg, a, rows[i].id, rows[i].raw);
		if (err)
			return err_copy(a, err);
		if (count < PAGE)
			return NULL;
		after = rows[count - 1].id;
	}
}

/* --- for people --------------------------------------------------------------------------------------------------------- */

static void put_recipients(JsonWriter *w, Arena *a, const MailTo *to, size_t count)
{
	json_key(w, S("recipients"));
	json_begin_array(w);
	for (size_t i = 0; i < count; i++) {
		json_begin_object(w);
		json_put_str(w, "address", to[i].address);
		json_put_str(w, "state", to[i].state);
		json_put_i64(w, "attempts", to[i].attempts);
		json_put_i64(w, "doubts", to[i].doubts);
		if (to[i].reply.len)
			json_put_str(w, "reply", to[i].reply);
		if (to[i].notification.set)
			json_put_str(w, "notification",
			             service_id_text(a, "ntf_", to[i].notification.v));
		json_end(w);
	}
	json_end(w);
}

static void put_parts(JsonWriter *w, Arena *a, Str raw)
{
	MimePart *parts = ARENA_ARRAY(a, MimePart, MIME_PARTS);
	size_t count = mime_parts(a, raw, parts, MIME_PARTS);
	Str head, body;

	mime_split(raw, &head, &body);
	json_put_str(w, "from", mime_header_text(a, head, "From"));
	json_put_str(w, "to", mime_header_text(a, head, "To"));
	json_key(w, S("parts"));
	json_begin_array(w);
	for (size_t i = 0; i < count; i++) {
		json_begin_object(w);
		json_put_str(w, "type", parts[i].type);
		if (parts[i].name.len)
			json_put_str(w, "name", parts[i].name);
		if (str_starts(parts[i].type, S("text/")))
			json_put_str(w, "text", mime_part_text(a, &parts[i]));
		else
			json_put_u64(w, "bytes", mime_part_bytes(a, &parts[i]).len);
		json_end(w);
	}
	json_end(w);
}

void mail_put_line(JsonWriter *w, Arena *a, const MailLine *line, const MailTo *to, size_t count,
                   Str raw)
{
	json_begin_object(w);
	json_put_str(w, "id", service_id_text(a, "mail_", line->id));
	json_put_str(w, "mode", line->mode);
	json_put_str(w, "state", line->state);
	json_put_str(w, "sender", line->sender);
	json_put_str(w, "subject", line->subject);
	json_put_str(w, "message_id", line->message_id);
	json_put_str(w, "source", line->source);
	json_put_i64(w, "bytes", line->bytes);
	json_put_i64(w, "recipient_count", line->recipients);
	json_key(w, S("received_at"));
	json_add_time(w, line->received_us);
	if (line->settled_us) {
		json_key(w, S("settled_at"));
		json_add_time(w, line->settled_us);
	}
	if (to)
		put_recipients(w, a, to, count);
	if (raw.len)
		put_parts(w, a, raw);
	json_end(w);
}

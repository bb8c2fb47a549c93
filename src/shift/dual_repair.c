/* SPDX-License-Identifier: Apache-2.0
 *
 * What people see of writes, and what they may do to one. Headers whose names sound like secrets, and the line, are masked; bodies
 * are not shown at all: they are what users have sent.
 *
 *   retry   it is delivered: of one that is dead, again; of one of which nobody knew, as the first side has it
 *   drop    it is not, and is forgotten: the first side does not have it, or the other has it already by other means, or is gone for good
 *   skip    it stays to be looked at, but those behind it go on */
#include "shift/dual_book.h"

#include "base/arena.h"
#include "shift/mask.h"

enum { PAGE = 100 };

static Err *need_book(Arena *a)
{
	return dual_db()
	               ? NULL
	               : err_new(a, ERR_CONFLICT, "shift.off", "nothing is moved by this gateway");
}

static Str masked(Arena *a, Str text)
{
	AUTO(buf_fini) Buf b = { 0 };

	mask_put_target(&b, NULL, text, 200);
	return str_dup(a, buf_str(&b));
}

static void put_row(JsonWriter *w, Arena *a, const WriteRow *row)
{
	json_put_i64(w, "id", row->seq);
	json_put_str(w, "state", row->state);
	json_put_str(w, "lacks", row->target);
	json_put_str(w, "request",
	             masked(a, str_fmt(a, "%.*s %.*s", STR_ARG(row->method), STR_ARG(row->path))));
	json_put_str(w, "key", row->write_key);
	json_put_str(w, "route", row->route);
	json_key(w, S("at"));
	json_add_time(w, row->made_at);
	json_put_i64(w, "status", row->status);
	json_put_i64(w, "tries", row->tries);
	json_put_str(w, "reason", row->reason);
	json_put_str(w, "said", row->said);
}

Err *dual_list(Arena *a, Str subject, Str state, int64_t after, JsonWriter *w)
{
	WriteRow *rows;
	size_t count;

	TRY(need_book(a));
	TRY(dual_book_page(a, subject, state, after, PAGE, &rows, &count));
	json_begin_object(w);
	json_put_str(w, "name", subject);
	json_key(w, S("writes"));
	json_begin_array(w);
	for (size_t i = 0; i < count; i++) {
		json_begin_object(w);
		put_row(w, a, &rows[i]);
		json_end(w);
	}
	json_end(w);
	if (count == PAGE)
		json_put_i64(w, "after", rows[count - 1].seq);
	json_end(w);
	return NULL;
}

static Err *find(Arena *a, Str subject, int64_t seq, WriteRow **row)
{
	TRY(need_book(a));
	TRY(dual_book_by_seq(a, subject, seq, row));
	return *row ? NULL
	            : err_new(a, ERR_NOT_FOUND, "writes.unknown",
	                      "there is no write %" PRId64
	                      " of %.*s: both sides have it, or it was dropped",
	                      seq, STR_ARG(subject));
}

static void put_fields(JsonWriter *w, Arena *a, Str text)
{
	Headers headers;

	json_key(w, S("headers"));
	json_begin_array(w);
	if (dual_read_fields(a, text, &headers))
		for (uint32_t i = 0; i < headers.count; i++) {
			const Header *h = &headers.at[i];
			bool hides = mask_name(NULL, h->name) || mask_has_shape(h->value);

			json_begin_object(w);
			json_put_str(w, "name", h->name);
			json_put_str(w, "value", hides ? MASKED : h->value);
			json_end(w);
		}
	json_end(w);
}

Err *dual_show(Arena *a, Str subject, int64_t seq, JsonWriter *w)
{
	WriteRow *row;

	TRY(find(a, subject, seq, &row));
	json_begin_object(w);
	json_put_str(w, "name", subject);
	put_row(w, a, row);
	json_put_str(w, "idempotency_key", row->idempotency_key);
	json_put_u64(w, "body_bytes", row->body.len);
	json_key(w, S("retry_at"));
	json_add_time(w, row->retry_at);
	put_fields(w, a, row->fields);
	json_end(w);
	return NULL;
}

/* --- repairing ---------------------------------------------------------------------------------------------------------------- */

static const struct {
	Str action, states, said;
} actions[] = {
	{ S("retry"), S("dead skipped due unknown"), S("goes to the other side again") },
	{ S("drop"), S("due dead skipped differs"), S("is forgotten") },
	{ S("skip"), S("dead"), S("stays to be looked at, and those behind it go on") },
};

static Err *find_action(Arena *a, Str action, size_t *out)
{
	for (size_t i = 0; i < COUNT(actions); i++)
		if (str_eq(actions[i].action, action)) {
			*out = i;
			return NULL;
		}
	return err_new(a, ERR_INVALID, "writes.action",
	               "writes retry ID, drop ID, skip ID, or retry all");
}

static Err *check(Arena *a, size_t action, const WriteRow *row, Str *said)
{
	Str states = actions[action].states;
	Str line = str_fmt(a, "%.*s %.*s", STR_ARG(row->method), STR_ARG(row->path));

	if (str_find(states, row->state) < 0)
		return err_new(a, ERR_CONFLICT, "writes.state",
		               "write %" PRId64 " is %.*s: %.*s is for %.*s", row->seq,
		               STR_ARG(row->state), STR_ARG(actions[action].action),
		               STR_ARG(states));
	*said = str_fmt(a, "write %" PRId64 " (%.*s, key %.*s) %.*s", row->seq,
	                STR_ARG(masked(a, line)), STR_ARG(row->write_key),
	                STR_ARG(actions[action].said));
	return NULL;
}

static Err *repair_all(Arena *a, const DualRepair *ask, Str *said)
{
	int64_t changed = 0;

	if (!str_eq(ask->action, S("retry")))
		return err_new(
			a, ERR_INVALID, "writes.action",
			"only retry is for all: what is dropped or skipped is looked at first");
	*said = S("all dead letters but those that nobody knows of go to the other side again");
	if (ask->dry_run)
		return NULL;
	TRY(dual_book_repair(a, ask, 0, &changed));
	*said = str_fmt(a, "%" PRId64 " writes go to the other side again", changed);
	return NULL;
}

Err *dual_repair(Arena *a, const DualRepair *ask, Str *said)
{
	int64_t seq, changed = 0;
	WriteRow *row;
	size_t action;

	TRY(need_book(a));
	TRY(find_action(a, ask->action, &action));
	if (str_eq(ask->id, S("all")))
		return repair_all(a, ask, said);
	if (!str_to_i64(ask->id, &seq))
		return err_new(a, ERR_INVALID, "writes.action",
		               "which one? `writes` lists them: writes retry 17");
	TRY(find(a, ask->subject, seq, &row));
	TRY(check(a, action, row, said));
	if (ask->dry_run)
		return NULL;
	TRY(dual_book_repair(a, ask, seq, &changed));
	if (!changed)
		return err_new(a, ERR_CONFLICT, "writes.state",
		               "write %" PRId64 " was changed meanwhile: look again", seq);
	return NULL;
}

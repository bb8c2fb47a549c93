/* SPDX-License-Identifier: Apache-2.0
 *
 * A file of lines, one JSON object an act, only ever appended to; what is in memory is those lines read from the first to the last.
 * An act is written as such a line and then taken in by the function that reads them at the start, so that what a process knows and
 * what the next one will know cannot differ.
 *
 * Lines gather while the disk writes those before them (one fdatasync for all): fault_book_sync waits for the caller's. Whoever
 * answers from the book waits for it too, since a reader must not hear of what a dying process takes along. */
#include "payment/fault_book.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/map.h"
#include "base/time.h"
#include "base/uuid.h"
#include "payment/fault_book_int.h"
#include "rt/work.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYNC_US (10 * US_PER_S)
enum { LINE_BYTES = 64 << 10 };

static const char *const states[] = {
	[FAULT_WAITS] = "waits",   [FAULT_AUTHORIZED] = "authorized", [FAULT_CAPTURED] = "captured",
	[FAULT_VOIDED] = "voided", [FAULT_DECLINED] = "declined",
};
_Static_assert(COUNT(states) == FAULT_STATES, "a state has no name");

/* --- taking in a line ----------------------------------------------------------------------------------------------------- */

static Str text_of(const FaultBook *book, const Json *line, const char *key)
{
	Str text = { 0 };

	(void)json_to_str(json_get(line, str_of(key)), &text);
	return str_dup(book->lasting, text);
}

static int64_t number_of(const Json *line, const char *key)
{
	int64_t n = 0;

	(void)json_to_i64(json_get(line, str_of(key)), &n);
	return n;
}

static void settle(FaultPayment *p)
{
	p->state = p->capture ? FAULT_CAPTURED : FAULT_AUTHORIZED;
	p->captured = p->capture ? p->amount : 0;
}

static bool take_authorize(FaultBook *book, FaultPayment *none, const Json *line)
{
	FaultPayment *p = ARENA_NEW(book->lasting, FaultPayment);

	(void)none;
	*p = (FaultPayment){ .id = text_of(book, line, "payment"),
		             .key = text_of(book, line, "key"),
		             .currency = text_of(book, line, "currency"),
		             .token = text_of(book, line, "token"),
		             .subject = text_of(book, line, "subject"),
		             .order = text_of(book, line, "order"),
		             .customer = text_of(book, line, "customer"),
		             .code = text_of(book, line, "code"),
		             .decline_code = text_of(book, line, "decline_code"),
		             .amount = number_of(line, "amount"),
		             .at_us = number_of(line, "at_us") };
	(void)json_to_bool(json_get(line, S("capture")), &p->capture);
	list_init(&p->refunds);
	p->state = p->code.len ? FAULT_DECLINED : FAULT_WAITS;
	if (p->state == FAULT_WAITS && !json_get(line, S("waits")))
		settle(p);
	list_add(&book->payments, &p->node);
	map_put(&book->by_id, p->id, p);
	return p->key.len && !map_put(&book->by_key, p->key, p);
}

static bool take_confirm(FaultBook *book, FaultPayment *p, const Json *line)
{
	(void)book;
	(void)line;
	settle(p);
	return true;
}

static bool take_capture(FaultBook *book, FaultPayment *p, const Json *line)
{
	p->state = FAULT_CAPTURED;
	p->captured = number_of(line, "amount");
	map_put(&book->acts, text_of(book, line, "key"), p);
	return true;
}

static bool take_void(FaultBook *book, FaultPayment *p, const Json *line)
{
	p->state = FAULT_VOIDED;
	map_put(&book->acts, text_of(book, line, "key"), p);
	return true;
}

static bool take_refund(FaultBook *book, FaultPayment *p, const Json *line)
{
	FaultRefund *r = ARENA_NEW(book->lasting, FaultRefund);

	*r = (FaultRefund){ .payment = p,
		            .id = text_of(book, line, "refund"),
		            .key = text_of(book, line, "key"),
		            .amount = number_of(line, "amount"),
		            .at_us = number_of(line, "at_us") };
	p->refunded += r->amount;
	list_add(&p->refunds, &r->node);
	map_put(&book->refunds, r->id, r);
	return !map_put(&book->refunds, r->key, r);
}

static bool take_seal(FaultBook *book, FaultPayment *p, const Json *line)
{
	(void)p;
	map_put(&book->seals, text_of(book, line, "key"), book);
	return true;
}

static bool take_script(FaultBook *book, FaultPayment *p, const Json *line)
{
	(void)p;
	book->script = text_of(book, line, "script");
	return true;
}

static const struct {
	const char *act;
	bool (*take)(FaultBook *book, FaultPayment *p, const Json *line);
	bool of_payment; /* of one that there is */
} acts[] = {
	{ "authorize", take_authorize },   { "confirm", take_confirm, true },
	{ "capture", take_capture, true }, { "void", take_void, true },
	{ "refund", take_refund, true },   { "seal", take_seal },
	{ "script", take_script },
};

static Err *take_line(FaultBook *book, Str text)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	const Json *line;
	Str act = { 0 }, id = { 0 };

	if (json_read(a, text, LINE_BYTES, &line))
		return err_new(book->lasting, ERR_INVALID, "fault.book",
		               "line %" PRId64 " is no JSON", book->entries + 1);
	(void)json_to_str(json_get(line, S("act")), &act);
	(void)json_to_str(json_get(line, S("payment")), &id);
	for (size_t i = 0; i < COUNT(acts); i++) {
		FaultPayment *p = acts[i].of_payment ? map_get(&book->by_id, id) : NULL;

		if (!str_eq(act, str_of(acts[i].act)) || (acts[i].of_payment && !p))
			continue;
		book->entries++;
		if (acts[i].take(book, p, line))
			return NULL;
	}
	return err_new(book->lasting, ERR_INVALID, "fault.book",
	               "line %" PRId64 " does not fit those before it", book->entries + 1);
}

/* --- the file ------------------------------------------------------------------------------------------------------------ */

static Err *take_file(FaultBook *book, Str text)
{
	Str line;

	while (text.len && str_split(&text, '\n', &line))
		TRY(take_line(book, line));
	return NULL;
}

/* Whole lines; what is after the last of them is cut off. */
static Err *read_file(FaultBook *book, Str path)
{
	AUTO(buf_fini) Buf b = { 0 };
	ssize_t got;
	size_t whole;
	char *room;

	while ((room = buf_room(&b, 1 << 20)) && (got = read(book->fd, room, 1 << 20)) > 0)
		buf_wrote(&b, (size_t)got);
	whole = (size_t)(str_rfind_char(buf_str(&b), '\n') + 1);
	TRY(take_file(book, str_sub(buf_str(&b), 0, whole)));
	if (whole < b.len && ftruncate(book->fd, (off_t)whole))
		return err_errno(book->lasting, errno, "fault.book", "cut %.*s", STR_ARG(path));
	return NULL;
}

static Err *open_file(FaultBook *book, Str path)
{
	book->fd = open(str_z(book->lasting, path), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (book->fd < 0)
		return err_errno(book->lasting, errno, "fault.book", "open %.*s", STR_ARG(path));
	if (flock(book->fd, LOCK_EX | LOCK_NB))
		return err_new(book->lasting, ERR_CONFLICT, "fault.book_in_use",
		               "another process has %.*s", STR_ARG(path));
	TRY(read_file(book, path));
	book->synced = book->entries;
	return NULL;
}

typedef struct Opening {
	FaultBook *book;
	Str path;
	Err *err;
} Opening;

static void open_away(void *arg)
{
	Opening *o = arg;

	o->err = open_file(o->book, o->path);
}

static Err *open_on_worker(FaultBook *book, Str path)
{
	Opening o = { .book = book, .path = path };

	TRY(work_run(open_away, &o));
	return o.err;
}

Err *fault_book_open(Arena *lasting, Str path, FaultBook **out)
{
	FaultBook *book = ARENA_NEW(lasting, FaultBook);
	Err *err;

	*book = (FaultBook){ .lasting = lasting, .fd = -1 };
	list_init(&book->payments);
	wait_queue_init(&book->waiting);
	err = path.len ? open_on_worker(book, path) : NULL;
	if (err) {
		fault_book_close(book);
		return err;
	}
	*out = book;
	return NULL;
}

void fault_book_close(FaultBook *book)
{
	if (!book)
		return;
	if (book->fd >= 0)
		close(book->fd);
	map_fini(&book->by_id);
	map_fini(&book->by_key);
	map_fini(&book->refunds);
	map_fini(&book->seals);
	map_fini(&book->acts);
	buf_fini(&book->fresh);
}

typedef struct Writing {
	int fd, errnum;
	Str text;
} Writing;

static void write_out(void *arg)
{
	Writing *w = arg;

	while (w->text.len) {
		ssize_t n = write(w->fd, w->text.at, w->text.len);

		if (n < 0 && errno != EINTR) {
			w->errnum = errno;
			return;
		}
		w->text = str_sub(w->text, (size_t)MAX(n, 0), w->text.len);
	}
	if (fdatasync(w->fd))
		w->errnum = errno;
}

/* One at a time, for all that wait. A disk that refuses is the end of the book: what is in memory would not be there again. */
static Err *write_fresh(FaultBook *book)
{
	Buf taken = book->fresh;
	int64_t upto = book->entries;
	Writing w = { .fd = book->fd, .text = buf_str(&taken) };
	Err *err;

	book->fresh = (Buf){ 0 };
	book->writing = true;
	err = work_run(write_out, &w);
	book->writing = false;
	buf_fini(&taken);
	if (err || w.errnum)
		book->broken = true;
	else
		book->synced = upto;
	wait_queue_wake_all(&book->waiting);
	if (w.errnum)
		return err_errno(book->lasting, w.errnum, "fault.book", "write the book");
	return err;
}

Err *fault_book_sync(FaultBook *book)
{
	AUTO(shield_end) Shield shield = shield_begin(SYNC_US);
	int64_t mine = book->entries;

	while (book->fd >= 0 && book->synced < mine) {
		if (book->broken)
			return err_new(book->lasting, ERR_IO, "fault.book",
			               "the book could not be written");
		if (book->writing)
			TRY(wait_queue_park(&book->waiting));
		else
			TRY(write_fresh(book));
	}
	return NULL;
}

/* --- acts ---------------------------------------------------------------------------------------------------------------- */

static Err *enter(FaultBook *book, Buf *line, const JsonWriter *w)
{
	Str text;

	TRY(json_done(w, &text));
	TRY(take_line(book, text));
	if (book->fd < 0)
		return NULL;
	buf_put(&book->fresh, buf_str(line));
	buf_putc(&book->fresh, '\n');
	return NULL;
}

static JsonWriter begin_line(Buf *line, const char *act, Str payment, Str key)
{
	JsonWriter w = json_writer(line);

	json_begin_object(&w);
	json_put_str(&w, "act", str_of(act));
	json_put_i64(&w, "at_us", time_utc_us());
	if (payment.len)
		json_put_str(&w, "payment", payment);
	if (key.len)
		json_put_str(&w, "key", key);
	return w;
}

static Err *enter_act(FaultBook *book, const char *act, Str payment, Str key, int64_t amount)
{
	AUTO(buf_fini) Buf line = { .limit = LINE_BYTES };
	JsonWriter w = begin_line(&line, act, payment, key);

	if (amount)
		json_put_i64(&w, "amount", amount);
	json_end(&w);
	return enter(book, &line, &w);
}

static Str new_id(Arena *a, const char *prefix)
{
	return str_fmt(a, "%s%.*s", prefix, STR_ARG(uuid_text(a, uuid_new())));
}

Err *fault_book_authorize(FaultBook *book, const FaultPayment *in, FaultPayment **out)
{
	AUTO(buf_fini) Buf line = { .limit = LINE_BYTES };
	AUTO(arena_freep) Arena *a = arena_new(0);
	JsonWriter w = begin_line(&line, "authorize", new_id(a, "fp_"), in->key);

	json_put_i64(&w, "amount", in->amount);
	json_put_str(&w, "currency", in->currency);
	json_put_bool(&w, "capture", in->capture);
	json_put_str(&w, "token", in->token);
	json_put_str(&w, "subject", in->subject);
	json_put_str(&w, "order", in->order);
	json_put_str(&w, "customer", in->customer);
	if (in->state == FAULT_DECLINED) {
		json_put_str(&w, "code", in->code);
		json_put_str(&w, "decline_code", in->decline_code);
	} else if (in->state == FAULT_WAITS)
		json_put_bool(&w, "waits", true);
	json_end(&w);
	TRY(enter(book, &line, &w));
	*out = fault_book_of_key(book, in->key);
	return NULL;
}

static Err *conflict(const FaultBook *book, const char *slug, const char *text)
{
	return err_new(book->lasting, ERR_CONFLICT, slug, "%s", text);
}

Err *fault_book_confirm(FaultBook *book, FaultPayment *payment)
{
	if (payment->state != FAULT_WAITS)
		return conflict(book, "state", "it waits for nothing");
	return enter_act(book, "confirm", payment->id, S(""), 0);
}

Err *fault_book_capture(FaultBook *book, FaultPayment *payment, Str key, int64_t amount)
{
	if (payment->state != FAULT_AUTHORIZED)
		return conflict(book, "state", "it is not authorized, or no longer");
	if (amount < 1 || amount > payment->amount)
		return conflict(book, "amount", "more than was authorized, or nothing");
	return enter_act(book, "capture", payment->id, key, amount);
}

Err *fault_book_void(FaultBook *book, FaultPayment *payment, Str key)
{
	if (payment->state != FAULT_AUTHORIZED && payment->state != FAULT_WAITS)
		return conflict(book, "state", "there is nothing to give back");
	return enter_act(book, "void", payment->id, key, 0);
}

Err *fault_book_give_back(FaultBook *book, FaultPayment *payment, Str key, int64_t amount,
                          FaultRefund **out)
{
	AUTO(buf_fini) Buf line = { .limit = LINE_BYTES };
	AUTO(arena_freep) Arena *a = arena_new(0);
	JsonWriter w = begin_line(&line, "refund", payment->id, key);

	if (payment->state != FAULT_CAPTURED)
		return conflict(book, "state", "nothing was captured");
	if (amount < 1 || amount > payment->captured - payment->refunded)
		return conflict(book, "amount", "more than is left, or nothing");
	json_put_str(&w, "refund", new_id(a, "fr_"));
	json_put_i64(&w, "amount", amount);
	json_end(&w);
	TRY(enter(book, &line, &w));
	*out = fault_book_refund(book, key);
	return NULL;
}

Err *fault_book_seal(FaultBook *book, Str key)
{
	return fault_book_sealed(book, key) ? NULL : enter_act(book, "seal", S(""), key, 0);
}

Err *fault_book_keep_script(FaultBook *book, Str script)
{
	AUTO(buf_fini) Buf line = { .limit = LINE_BYTES };
	JsonWriter w = begin_line(&line, "script", S(""), S(""));

	json_put_str(&w, "script", script);
	json_end(&w);
	return enter(book, &line, &w);
}

/* --- looking ------------------------------------------------------------------------------------------------------------- */

FaultPayment *fault_book_payment(const FaultBook *book, Str id)
{
	return map_get(&book->by_id, id);
}

FaultPayment *fault_book_of_key(const FaultBook *book, Str key)
{
	return map_get(&book->by_key, key);
}

FaultRefund *fault_book_refund(const FaultBook *book, Str key_or_id)
{
	return map_get(&book->refunds, key_or_id);
}

bool fault_book_sealed(const FaultBook *book, Str key)
{
	return map_get(&book->seals, key) != NULL;
}

FaultPayment *fault_book_act(const FaultBook *book, Str key)
{
	return map_get(&book->acts, key);
}

void fault_book_each(const FaultBook *book, void (*fn)(void *arg, FaultPayment *payment), void *arg)
{
	LIST_EACH (&book->payments, FaultPayment, node, p)
		fn(arg, p);
}

Str fault_book_script(const FaultBook *book)
{
	return book->script;
}

int64_t fault_book_entries(const FaultBook *book)
{
	return book->entries;
}

const char *fault_state_name(FaultState state)
{
	return states[state];
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * libpq never waits here: it is non-blocking, and its waiting is ours. An exchange is sent, then whatever may be written is
 * written and whatever has come is read until libpq has a result. No fiber parks inside libpq.
 *
 * A statement is prepared the first time a connection meets it, in the same round trip as it is run; then it is known by its
 * name. What did not end in order (a deadline, a cancel) leaves the connection dirty: the server may be at work, and answers
 * may be on their way. PQcancel blocks, so a worker thread calls it, and only a few at a time: where the network is cut it
 * hangs, and must not take all workers with it. The server ends the statement by itself then, when it finds its client gone
 * (client_connection_check_interval).
 *
 * While a connection is made it is a worker that calls libpq: SCRAM is 4,096 rounds of a hash, and certificates and passwords
 * are files. The descriptor is out of the epoll meanwhile, since libpq may close it and open another. */
#include "store/pg_conn.h"

#include "base/arena.h"
#include "base/time.h"
#include "rt/dns.h"
#include "rt/work.h"

#include <libpq-fe.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	CANCELS_MAX = 1,
	CANCEL_TURN_US = 5000,
	NAME_BYTES = 16,
	KNOWN_MAX = 1024,
	COPY_BYTES = 64 << 10, /* handed to libpq in one go */
};

struct PgKnown {
	const void *key; /* NULL: a free slot */
	uint32_t name;
	bool there; /* the server has it, or will before what is sent next */
};

static unsigned cancels; /* atomic: worker threads inside PQcancel */

void pg_result_freep(PGresult **result)
{
	PQclear(*result);
}

void pg_buffer_freep(char **buffer)
{
	PQfreemem(*buffer);
}

/* libpq has perhaps closed its descriptor: nothing parks between that and this. */
static void unwatch(PgConn *c)
{
	if (PQsocket(c->pg) < 0)
		ready_gone(&c->ready);
	else
		ready_close(&c->ready);
}

void pg_conn_free(PgConn *c)
{
	if (!c)
		return;
	timer_remove(&c->timer);
	unwatch(c);
	PQfinish(c->pg);
	free(c->known);
	free(c);
}

void pg_conn_freep(PgConn **c)
{
	pg_conn_free(*c);
}

/* --- hearing -------------------------------------------------------------------------------------------------------- */

static Err *lost(PgConn *c, Arena *a)
{
	unwatch(c);
	return pg_error_lost(a, NULL, c->pg);
}

/* TLS may hold bytes that the kernel does not know of any more. */
static bool hear(PgConn *c)
{
	SSL *ssl = PQsslStruct(c->pg, "OpenSSL");

	do
		if (!PQconsumeInput(c->pg))
			return false;
	while (ssl && SSL_pending(ssl) > 0);
	return true;
}

/* Until there is a result, or all has been sent where `sent` is what is waited for. */
static Err *pump(PgConn *c, Arena *a, bool sent)
{
	for (;;) {
		int left = PQflush(c->pg);

		if (left < 0)
			return lost(c, a);
		if (sent ? !left : !PQisBusy(c->pg))
			return NULL;
		if (c->ready.fd < 0)
			return lost(c, a);
		TRY(ready_wait(&c->ready, true, left > 0));
		if (!hear(c))
			unwatch(c); /* it may have said why */
	}
}

/* The next result, or NULL at the end of a statement's; out is the caller's to clear. */
static Err *next(PgConn *c, Arena *a, PGresult **out)
{
	TRY(pump(c, a, false));
	*out = PQgetResult(c->pg);
	return NULL;
}

static void no_notice(void *arg, const PGresult *result)
{
	(void)arg, (void)result;
}

bool pg_conn_hear(PgConn *c)
{
	if (hear(c) && PQstatus(c->pg) == CONNECTION_OK)
		return true;
	unwatch(c);
	return false;
}

bool pg_conn_usable(const PgConn *c)
{
	return !c->dirty && PQstatus(c->pg) == CONNECTION_OK &&
	       PQtransactionStatus(c->pg) == PQTRANS_IDLE;
}

void pg_conn_leave(PgConn *c)
{
	timer_remove(&c->timer);
	ready_close(&c->ready);
	ready_open(&c->ready, PQsocket(c->pg)); /* touches no loop: the next wait does */
}

/* --- connecting ----------------------------------------------------------------------------------------------------- */

typedef struct Dial {
	const char *keywords[PG_OPTIONS + 3];
	const char *values[PG_OPTIONS + 3];
	PGconn *pg;
	PostgresPollingStatusType status;
} Dial;

static void dial_end(Dial *dial)
{
	PQfinish(dial->pg);
}

static void dial_start(void *arg)
{
	Dial *dial = arg;

	dial->pg = PQconnectStartParams(dial->keywords, dial->values, 0);
	dial->status = PGRES_POLLING_WRITING;
}

static void dial_poll(void *arg)
{
	Dial *dial = arg;

	dial->status = PQconnectPoll(dial->pg);
}

/* libpq takes lists: as often as a name has addresses it stands there, each time with one of them. */
static void put_host(Buf *lists, const PgHost *host, Str address)
{
	for (unsigned i = 0; i < 3; i++) {
		Str item = i == 0 ? host->name : i == 1 ? address : host->port;

		if (lists[0].len && i == 0)
			for (unsigned k = 0; k < 3; k++)
				buf_putc(&lists[k], ',');
		buf_put(&lists[i], item);
	}
}

static Err *resolve(Arena *a, const PgTarget *target, Buf *lists)
{
	Err *err = NULL;
	bool any = false;

	for (size_t i = 0; i < target->host_count; i++) {
		const PgHost *host = &target->hosts[i];
		Addr *addrs = NULL;
		size_t count = 0;
		Err *failed;

		if (!host->name.len || *host->name.at == '/') {
			put_host(lists, host, (Str){ 0 });
			any = true;
			continue;
		}
		failed = dns_resolve(a, host->name, 0, &addrs, &count);
		if (failed && (failed->kind == ERR_CANCELLED || failed->kind == ERR_TIMEOUT))
			return failed;
		err = failed ? failed : err;
		for (size_t k = 0; !failed && k < count; k++, any = true) {
			Peer peer = peer_of(&addrs[k]);

			put_host(lists, host, peer_ip(a, &peer));
		}
	}
	return any ? NULL : err;
}

static Err *dial_prepare(Arena *a, const PgTarget *target, Dial *dial)
{
	static const char *const words[] = { "host", "hostaddr", "port" };
	AUTO(buf_fini) Buf host = { 0 };
	AUTO(buf_fini) Buf hostaddr = { 0 };
	AUTO(buf_fini) Buf port = { 0 };
	Buf lists[3] = { 0 };
	size_t count = 0;
	Err *err = resolve(a, target, lists);

	host = lists[0], hostaddr = lists[1], port = lists[2]; /* given back whatever happens */
	if (err)
		return err_because(a, err, ERR_BUSY, "db.unavailable", "no address of %.*s",
		                   STR_ARG(target->shown));
	for (; target->keywords[count]; count++) {
		dial->keywords[count] = target->keywords[count];
		dial->values[count] = target->values[count];
	}
	for (unsigned i = 0; i < 3; i++, count++) {
		dial->keywords[count] = words[i];
		dial->values[count] = str_z(a, buf_str(&lists[i]));
	}
	return NULL;
}

static Err *dial_run(Arena *a, Dial *dial)
{
	TRY(work_run(dial_start, dial));
	if (!dial->pg)
		return db_err(a, DB_UNAVAILABLE, NULL, "libpq had no memory");
	while (PQstatus(dial->pg) != CONNECTION_BAD && dial->status != PGRES_POLLING_OK &&
	       dial->status != PGRES_POLLING_FAILED) {
		bool reads = dial->status == PGRES_POLLING_READING;
		AUTO(ready_close) Ready ready = READY_NONE;

		ready_open(&ready, PQsocket(dial->pg));
		TRY(ready_wait(&ready, reads, !reads));
		ready_close(&ready);
		TRY(work_run(dial_poll, dial));
	}
	return PQstatus(dial->pg) == CONNECTION_OK ? NULL : pg_error_lost(a, NULL, dial->pg);
}

static Err *settle(PgConn *c, Arena *a, bool session)
{
	PQsetNoticeReceiver(c->pg, no_notice, NULL);
	ready_open(&c->ready, PQsocket(c->pg));
	if (PQsetnonblocking(c->pg, 1) != 0)
		return lost(c, a);
	if (!session || PQserverVersion(c->pg) < 140000)
		return NULL;
	return pg_command(c, a, "set client_connection_check_interval = '2s'");
}

Err *pg_conn_open(Arena *a, const PgTarget *target, bool session, PgConn **out, bool *full)
{
	AUTO(pg_conn_freep) PgConn *c = NULL;
	AUTO(dial_end) Dial dial = { 0 };
	Err *err;

	TRY(dial_prepare(a, target, &dial));
	err = dial_run(a, &dial);
	if (full)
		*full = err && dial.pg && pg_is_full(dial.pg);
	if (err)
		return err;
	c = calloc(1, sizeof *c);
	if (!c)
		abort();
	*c = (PgConn){ .pg = TAKE(dial.pg), .ready = READY_NONE, .keeps = session };
	TRY(settle(c, a, session));
	*out = TAKE(c);
	return NULL;
}

/* --- what the server has prepared ----------------------------------------------------------------------------------- */

static PgKnown *slot_of(const PgConn *c, const void *key)
{
	size_t i = (size_t)(((uintptr_t)key >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 32);

	for (;; i++) {
		PgKnown *slot = &c->known[i & (c->known_cap - 1)];

		if (!slot->key || slot->key == key)
			return slot;
	}
}

static void known_grow(PgConn *c)
{
	PgConn old = *c;

	c->known_cap = old.known_cap ? 2 * old.known_cap : 64;
	c->known = calloc(c->known_cap, sizeof *c->known);
	if (!c->known)
		abort();
	for (size_t i = 0; i < old.known_cap; i++)
		if (old.known[i].key)
			*slot_of(c, old.known[i].key) = old.known[i];
	free(old.known);
}

/* NULL: it is run without a name. */
static PgKnown *known(PgConn *c, const void *key)
{
	PgKnown *slot;

	if (!key || !c->keeps)
		return NULL;
	if (2 * c->known_count >= c->known_cap)
		known_grow(c);
	slot = slot_of(c, key);
	if (slot->key)
		return slot;
	if (c->known_count == KNOWN_MAX)
		return NULL;
	c->known_count++;
	*slot = (PgKnown){ .key = key, .name = ++c->last_name };
	return slot;
}

static void name_of(const PgKnown *slot, char out[NAME_BYTES])
{
	char digits[NAME_BYTES];
	unsigned len = 0;
	uint32_t n = slot->name;

	do
		digits[len++] = (char)('0' + n % 10);
	while (n /= 10);
	*out++ = 'b';
	while (len)
		*out++ = digits[--len];
	*out = 0;
}

/* Under another name: the server may still have it under this one. */
void pg_forget(PgConn *c, const void *key)
{
	PgKnown *slot = known(c, key);

	if (slot)
		*slot = (PgKnown){ .key = key, .name = ++c->last_name };
}

/* --- statements ----------------------------------------------------------------------------------------------------- */

static bool send_one(PgConn *c, const PgAsk *ask, const PgKnown *slot)
{
	static const PgParams none = { 0 };
	const PgParams *p = ask->params ? ask->params : &none;
	char name[NAME_BYTES];

	if (!slot)
		return PQsendQueryParams(c->pg, ask->text, p->count, p->oids, p->values, p->lengths,
		                         p->formats, 1);
	name_of(slot, name);
	return PQsendQueryPrepared(c->pg, name, p->count, p->values, p->lengths, p->formats, 1);
}

static bool send_prepare(PgConn *c, const PgAsk *ask, const PgKnown *slot)
{
	char name[NAME_BYTES];

	name_of(slot, name);
	return PQsendPrepare(c->pg, name, ask->text, ask->params ? ask->params->count : 0,
	                     ask->params ? ask->params->oids : NULL);
}

/* One statement's first result, and all up to the NULL that ends it. */
static Err *take_result(PgConn *c, Arena *a, PGresult **out)
{
	AUTO(pg_result_freep) PGresult *first = NULL;
	PGresult *more = NULL;

	TRY(next(c, a, &first));
	for (more = first; more;) {
		if (more != first)
			PQclear(more);
		TRY(next(c, a, &more));
	}
	*out = TAKE(first);
	return NULL;
}

static bool is_error(const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE ||
	       status == PGRES_NONFATAL_ERROR;
}

/* Of one that was prepared on the way: an error there is the statement's. */
static Err *take_prepared(PgConn *c, Arena *a, PgAsk *ask)
{
	AUTO(pg_result_freep) PGresult *result = NULL;
	PgKnown *slot = known(c, ask->key);

	TRY(take_result(c, a, &result));
	if (PQresultStatus(result) == PGRES_COMMAND_OK)
		return NULL;
	slot->there = false;
	if (is_error(result))
		ask->result = TAKE(result);
	return NULL;
}

static Err *take_answers(PgConn *c, Arena *a, PgAsk *asks, size_t count, const bool *prepared)
{
	AUTO(pg_result_freep) PGresult *sync = NULL;

	for (size_t i = 0; i < count; i++) {
		PGresult *result = NULL;

		if (prepared[i])
			TRY(take_prepared(c, a, &asks[i]));
		TRY(take_result(c, a, &result));
		if (asks[i].result || PQresultStatus(result) == PGRES_PIPELINE_ABORTED)
			PQclear(result);
		else
			asks[i].result = result;
	}
	TRY(next(c, a, &sync));
	return PQexitPipelineMode(c->pg) ? NULL : lost(c, a);
}

/* Several, or one that has yet to be prepared. */
static Err *ask_in_line(PgConn *c, Arena *a, PgAsk *asks, size_t count)
{
	bool *prepared = ARENA_ARRAY(a, bool, count);
	bool sent = PQenterPipelineMode(c->pg);

	for (size_t i = 0; i < count && sent; i++) {
		PgKnown *slot = known(c, asks[i].key);

		prepared[i] = slot && !slot->there;
		sent = (!prepared[i] || send_prepare(c, &asks[i], slot)) &&
		       send_one(c, &asks[i], slot);
		if (slot)
			slot->there = true;
	}
	if (!sent || !PQpipelineSync(c->pg))
		return lost(c, a);
	return take_answers(c, a, asks, count, prepared);
}

static Err *ask_alone(PgConn *c, Arena *a, PgAsk *ask, const PgKnown *slot)
{
	if (!send_one(c, ask, slot))
		return lost(c, a);
	return take_result(c, a, &ask->result);
}

Err *pg_ask(PgConn *c, Arena *a, PgAsk *asks, size_t count)
{
	const PgKnown *slot = known(c, asks->key);

	c->dirty = true;
	if (count == 1 && (!slot || slot->there))
		TRY(ask_alone(c, a, asks, slot));
	else
		TRY(ask_in_line(c, a, asks, count));
	c->dirty = false;
	return NULL;
}

/* Prepared beforehand: what comes after in a line would be handed out row by row too. */
static Err *prepare_first(PgConn *c, Arena *a, const PgAsk *ask, PGresult **failed)
{
	PgKnown *slot = known(c, ask->key);

	if (!slot || slot->there)
		return NULL;
	if (!send_prepare(c, ask, slot))
		return lost(c, a);
	TRY(take_result(c, a, failed));
	slot->there = !is_error(*failed);
	if (slot->there)
		PQclear(TAKE(*failed));
	return NULL;
}

Err *pg_ask_each(PgConn *c, Arena *a, const PgAsk *ask, PgRowFn *fn, void *arg)
{
	AUTO(pg_result_freep) PGresult *failed = NULL;

	c->dirty = true;
	TRY(prepare_first(c, a, ask, &failed));
	if (failed) {
		c->dirty = false;
		return fn(failed, arg);
	}
	if (!send_one(c, ask, known(c, ask->key)) || !PQsetSingleRowMode(c->pg))
		return lost(c, a);
	for (;;) {
		AUTO(pg_result_freep) PGresult *result = NULL;

		TRY(next(c, a, &result));
		if (!result)
			break;
		TRY(fn(result, arg));
	}
	c->dirty = false;
	return NULL;
}

Err *pg_describe(PgConn *c, Arena *a, const char *name, PGresult **out)
{
	c->dirty = true;
	if (!PQsendDescribePrepared(c->pg, name))
		return lost(c, a);
	TRY(take_result(c, a, out));
	c->dirty = false;
	return NULL;
}

Err *pg_command(PgConn *c, Arena *a, const char *text)
{
	Err *err = NULL;

	c->dirty = true;
	if (!PQsendQuery(c->pg, text))
		return lost(c, a);
	for (;;) {
		AUTO(pg_result_freep) PGresult *result = NULL;

		TRY(next(c, a, &result));
		if (!result)
			break;
		if (is_error(result) && !err)
			err = pg_error(a, NULL, result);
	}
	c->dirty = false;
	return err;
}

/* --- COPY ----------------------------------------------------------------------------------------------------------- */

static Err *copy_begin(PgConn *c, Arena *a, const char *text, ExecStatusType want)
{
	AUTO(pg_result_freep) PGresult *result = NULL;
	AUTO(pg_result_freep) PGresult *none = NULL;

	c->dirty = true;
	if (!PQsendQuery(c->pg, text))
		return lost(c, a);
	TRY(next(c, a, &result));
	if (PQresultStatus(result) == want)
		return NULL;
	if (!is_error(result)) /* another kind of statement: stays dirty */
		return db_err(a, DB_MISUSE, NULL, "no COPY: %s", text);
	TRY(take_result(c, a, &none));
	c->dirty = false;
	return pg_error(a, NULL, result);
}

Err *pg_copy_in(PgConn *c, Arena *a, const char *text)
{
	return copy_begin(c, a, text, PGRES_COPY_IN);
}

Err *pg_copy_out(PgConn *c, Arena *a, const char *text)
{
	return copy_begin(c, a, text, PGRES_COPY_OUT);
}

Err *pg_copy_put(PgConn *c, Arena *a, Str chunk)
{
	while (chunk.len) {
		Str part = str_sub(chunk, 0, COPY_BYTES);
		int put = PQputCopyData(c->pg, part.at, (int)part.len);

		if (put < 0)
			return lost(c, a);
		if (put)
			chunk = str_sub(chunk, part.len, chunk.len);
		TRY(pump(c, a, true));
	}
	return NULL;
}

static int64_t rows_of(PGresult *result)
{
	int64_t rows = 0;

	(void)!str_to_i64(str_of(PQcmdTuples(result)), &rows);
	return rows;
}

Err *pg_copy_end(PgConn *c, Arena *a, int64_t *rows)
{
	AUTO(pg_result_freep) PGresult *result = NULL;
	int ended;

	while ((ended = PQputCopyEnd(c->pg, NULL)) == 0)
		TRY(pump(c, a, true));
	if (ended < 0)
		return lost(c, a);
	TRY(take_result(c, a, &result));
	c->dirty = false;
	if (is_error(result))
		return pg_error(a, NULL, result);
	if (rows)
		*rows = rows_of(result);
	return NULL;
}

void pg_copy_fail(PgConn *c, Arena *a)
{
	AUTO(pg_result_freep) PGresult *result = NULL;
	int ended;

	while ((ended = PQputCopyEnd(c->pg, "given up")) == 0)
		if (pump(c, a, true))
			return;
	if (ended > 0 && !take_result(c, a, &result))
		c->dirty = false;
}

/* What was waited for is a row: libpq calls itself busy or not by other rules while it copies. */
static Err *await_row(PgConn *c, Arena *a, char **buffer, int *len)
{
	while ((*len = PQgetCopyData(c->pg, buffer, 1)) == 0) {
		if (c->ready.fd < 0)
			return lost(c, a);
		TRY(ready_wait(&c->ready, true, false));
		if (!hear(c))
			unwatch(c);
	}
	return NULL;
}

Err *pg_copy_get(PgConn *c, Arena *a, char **buffer, Str *row)
{
	AUTO(pg_result_freep) PGresult *result = NULL;
	int len;

	pg_buffer_freep(buffer);
	*buffer = NULL;
	TRY(await_row(c, a, buffer, &len));
	if (len > 0) {
		*row = (Str){ *buffer, (size_t)len };
		return NULL;
	}
	if (len < -1)
		return lost(c, a);
	TRY(take_result(c, a, &result));
	c->dirty = false;
	*row = (Str){ 0 };
	return is_error(result) ? pg_error(a, NULL, result) : NULL;
}

/* --- cleaning ------------------------------------------------------------------------------------------------------- */

typedef struct Cancel {
	PGcancel *cancel;
	bool sent;
} Cancel;

static void cancel_run(void *arg)
{
	Cancel *x = arg;
	char why[256];

	x->sent = PQcancel(x->cancel, why, sizeof why);
}

static Err *cancel_turn(void)
{
	while (__atomic_fetch_add(&cancels, 1, __ATOMIC_ACQ_REL) >= CANCELS_MAX) {
		__atomic_sub_fetch(&cancels, 1, __ATOMIC_ACQ_REL);
		TRY(fiber_sleep(CANCEL_TURN_US));
	}
	return NULL;
}

static Err *stop(PgConn *c, Arena *a)
{
	Cancel x = { PQgetCancel(c->pg), false };
	Err *err = cancel_turn();

	if (!err) {
		err = x.cancel ? work_run(cancel_run, &x) : NULL;
		__atomic_sub_fetch(&cancels, 1, __ATOMIC_ACQ_REL);
	}
	PQfreeCancel(x.cancel);
	return err || x.sent ? err : lost(c, a);
}

static Err *drain_rows(PgConn *c, Arena *a)
{
	int len;

	do {
		AUTO(pg_buffer_freep) char *buffer = NULL;

		TRY(await_row(c, a, &buffer, &len));
	} while (len > 0);
	return NULL;
}

/* All that is still to come of what was sent. In a line of statements a NULL ends one of them, the sync all. */
static Err *drain(PgConn *c, Arena *a)
{
	bool in_line = PQpipelineStatus(c->pg) != PQ_PIPELINE_OFF;

	for (unsigned ends = 0; ends < 2;) {
		AUTO(pg_result_freep) PGresult *result = NULL;
		ExecStatusType status;

		TRY(next(c, a, &result));
		status = PQresultStatus(result);
		ends = result ? 0 : ends + (in_line ? 1 : 2);
		if (status == PGRES_COPY_OUT)
			TRY(drain_rows(c, a));
		else if (status == PGRES_COPY_IN && PQputCopyEnd(c->pg, "given up") < 0)
			return lost(c, a);
		if (status == PGRES_PIPELINE_SYNC)
			break;
	}
	return PQexitPipelineMode(c->pg) ? NULL : lost(c, a);
}

Err *pg_skip(PgConn *c, Arena *a)
{
	TRY(drain(c, a));
	c->dirty = false;
	return NULL;
}

/* What the server has prepared is not known: that of an exchange which was given up in its middle may be or not. */
static Err *start_afresh(PgConn *c, Arena *a)
{
	Err *err = pg_command(c, a, "rollback");

	if (err_is(err, "db.timeout")) /* the cancel came late, and met this */
		err = pg_command(c, a, "rollback");
	if (!err && c->keeps)
		err = pg_command(c, a, "deallocate all");
	c->known_count = 0;
	if (c->known)
		memset(c->known, 0, c->known_cap * sizeof *c->known);
	return err;
}

static Err *clean(PgConn *c, Arena *a)
{
	if (c->dirty && PQtransactionStatus(c->pg) == PQTRANS_ACTIVE)
		TRY(stop(c, a));
	if (c->dirty)
		TRY(drain(c, a));
	return start_afresh(c, a);
}

bool pg_conn_clean(PgConn *c, int64_t us)
{
	AUTO(shield_end) Shield shield = shield_begin(us);
	AUTO(arena_freep) Arena *a = arena_new(0);

	return PQstatus(c->pg) == CONNECTION_OK && c->ready.fd >= 0 && !clean(c, a) &&
	       pg_conn_usable(c);
}

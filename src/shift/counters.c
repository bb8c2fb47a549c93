/* SPDX-License-Identifier: Apache-2.0
 *
 * What an answer says of counters.
 *
 * A header is there when the head is. A field takes the body: it is copied as it passes (256 KiB at most, of at most 256 requests at
 * a time, and 64 MiB of all that are on their way), and read in a fiber of its own when the client has it; on a worker where it is large or coded. What could not be read
 * (too large, too many, a coding nobody here reads) says nothing of the counter, and is counted as unread; a body that is no JSON
 * does not have the field. A request that failed does not have what it should have.
 *
 * While all users are on the old side the share of its answers that have it is all that is wanted, so once that is known one body of
 * eight is read.
 *
 * Answers without a body by nature (HEAD, 204, 304) say nothing of a field. */
#include "shift/counters.h"

#include "base/arena.h"
#include "base/rand.h"
#include "http/decode.h"
#include "rt/work.h"
#include "shift/compare_int.h"
#include "store/background.h"

enum {
	BODY_MAX = 256 << 10,
	COPIES_MAX = 64 << 20,
	AT_ONCE_MAX = 256,
	SMALL_BYTES = 16 << 10,
	ONE_OF = 8
};

typedef struct Counter {
	Str header; /* empty: a field */
	Pattern field;
	Str equals;
	bool has_equals;
} Counter;

struct Counters {
	Counter at[SUBJECT_COUNTERS];
	size_t count;
	uint32_t fields; /* bits of those that are */
};

struct CounterBody {
	Buf bytes;
	Str coding; /* in the request's arena: the head is gone at the end */
	bool cut, whole;
};

typedef struct Counting {
	bool open;
	uint32_t running; /* atomic */
	size_t copied;    /* atomic; bytes of copies */
	Background background;
} Counting;

static Counting counting;

Err *counters_new(Arena *a, const ShiftConf *conf, const Counters **out)
{
	size_t count = MIN(conf->judge.counters.count, (size_t)SUBJECT_COUNTERS);
	Counters *counters = ARENA_NEW(a, Counters);

	*out = NULL;
	if (!count)
		return NULL;
	counters->count = count;
	for (size_t i = 0; i < count; i++) {
		const CounterConf *from = &conf->judge.counters.at[i];
		Counter *counter = &counters->at[i];

		*counter = (Counter){ .header = from->header,
			              .equals = from->equals,
			              .has_equals = from->has_equals };
		if (!from->has_field)
			continue;
		TRY(compare_path_read(a, from->field, &counter->field));
		counters->fields |= 1u << i;
	}
	*out = counters;
	return NULL;
}

/* --- what counts ----------------------------------------------------------------------------------------------------- */

static bool header_counts(const Counter *counter, Str value)
{
	if (counter->has_equals)
		return str_eq(value, counter->equals);
	return value.len && !str_eq(value, S("0")) && !str_eq_nocase(value, S("false"));
}

static const Json *field_of(const Counter *counter, const Json *json)
{
	for (size_t i = 0; i < counter->field.count; i++)
		json = json_get(json, counter->field.steps[i].key);
	return json;
}

static bool text_is(const Json *value, Str want)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Str text;

	if (json_to_str(value, &text))
		return str_eq(text, want);
	json_put(&w, value);
	return str_eq(buf_str(&b), want);
}

static bool value_counts(const Counter *counter, const Json *value)
{
	bool yes = true;
	double number = 1;
	Str text = S("x");

	if (!value || json_kind(value) == JSON_KIND_NULL)
		return false;
	if (counter->has_equals)
		return text_is(value, counter->equals);
	(void)json_to_bool(value, &yes);
	(void)json_to_real(value, &number);
	(void)json_to_str(value, &text);
	return yes && number != 0 && text.len;
}

static uint32_t fields_that_count(const Counters *counters, const Json *json)
{
	uint32_t with = 0;

	for (size_t i = 0; i < counters->count; i++)
		if (counters->fields >> i & 1 &&
		    value_counts(&counters->at[i], field_of(&counters->at[i], json)))
			with |= 1u << i;
	return with;
}

/* False: nobody here can read it. */
static bool read_body(const Counters *counters, Str coding, Str body, uint32_t *with)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(buf_fini) Buf plain = { 0 };
	HttpDecoded decoded = HTTP_DECODED;
	const Json *json;

	*with = 0;
	if (coding.len) {
		decoded = http_decode(coding, body, BODY_MAX, &plain);
		body = buf_str(&plain);
	}
	if (decoded == HTTP_DECODED && !json_read(a, body, BODY_MAX, &json))
		*with = fields_that_count(counters, json);
	return decoded == HTTP_DECODED || decoded == HTTP_DECODE_DAMAGED;
}

/* --- copies --------------------------------------------------------------------------------------------------------- */

static bool has_room(size_t bytes)
{
	if (__atomic_add_fetch(&counting.copied, bytes, __ATOMIC_RELAXED) <= COPIES_MAX)
		return true;
	__atomic_sub_fetch(&counting.copied, bytes, __ATOMIC_RELAXED);
	return false;
}

static void free_copy(CounterBody *body)
{
	__atomic_sub_fetch(&counting.copied, body->bytes.len, __ATOMIC_RELAXED);
	buf_fini(&body->bytes);
}

/* --- a body that is read later ------------------------------------------------------------------------------------------ */

typedef struct Job {
	Arena *arena;
	const Counters *counters;
	Subject *s;
	Snapshot *snap; /* keeps the counters */
	CounterBody body;
	Str coding;
	SubjectCounted counted;
	uint32_t with;
	bool good;
} Job;

static void tell(Subject *s, const SubjectCounted *counted, bool unread)
{
	subject_lock(s);
	subject_count(s, counted);
	s->unread += unread;
	subject_unlock(s);
}

static void work(void *arg)
{
	Job *job = arg;

	job->good = read_body(job->counters, job->coding, buf_str(&job->body.bytes), &job->with);
}

static void job_fiber(void *arg)
{
	Job *job = arg;
	Err *err = NULL;

	if (job->coding.len || job->body.bytes.len > SMALL_BYTES)
		err = work_run(work, job);
	else
		work(job);
	if (!err && job->good)
		job->counted.with |= job->with;
	else
		job->counted.measured &= ~job->counters->fields;
	tell(job->s, &job->counted, err || !job->good);
	__atomic_sub_fetch(&counting.running, 1, __ATOMIC_RELAXED);
	free_copy(&job->body);
	snapshot_unref(job->snap);
	arena_free(job->arena);
	background_end(&counting.background);
}

static Job *job_new(const Counters *counters, Subject *s, const Passage *p, CounterBody *body,
                    const SubjectCounted *counted)
{
	Arena *a = arena_new(0);
	Job *job = ARENA_NEW(a, Job);

	*job = (Job){ .arena = a,
		      .counters = counters,
		      .s = s,
		      .snap = snapshot_ref((Snapshot *)p->snap),
		      .body = *body,
		      .coding = str_dup(a, body->coding),
		      .counted = *counted };
	body->bytes = (Buf){ 0 };
	return job;
}

/* Takes the body. False: it is not read. */
static bool start_job(const Counters *counters, Subject *s, const Passage *p, CounterBody *body,
                      const SubjectCounted *counted)
{
	Job *job;

	if (__atomic_add_fetch(&counting.running, 1, __ATOMIC_RELAXED) > AT_ONCE_MAX) {
		__atomic_sub_fetch(&counting.running, 1, __ATOMIC_RELAXED);
		return false;
	}
	job = job_new(counters, s, p, body, counted);
	if (!background_start(&counting.background, job_fiber, job, "counters"))
		return true;
	__atomic_sub_fetch(&counting.running, 1, __ATOMIC_RELAXED);
	*body = job->body;
	snapshot_unref(job->snap);
	arena_free(job->arena);
	return false;
}

/* --- one request --------------------------------------------------------------------------------------------------------- */

static bool is_wanted(Subject *s)
{
	ShiftPhase phase = (ShiftPhase)__atomic_load_n(&s->phase, __ATOMIC_RELAXED);
	bool known;

	if (phase == SHIFT_CANARY || phase == SHIFT_NEW || phase == SHIFT_RETIRED)
		return phase != SHIFT_RETIRED;
	subject_lock(s);
	known = subject_knows_counters(s);
	subject_unlock(s);
	return !known || !rand_below(ONE_OF);
}

static bool says_nothing(const Passage *p)
{
	return p->answer.status == 204 || p->answer.status == 304 ||
	       str_eq(p->head.method, S("HEAD"));
}

static CounterBody *body_new(const Passage *p)
{
	CounterBody *body = ARENA_NEW(p->x->arena, CounterBody);
	Str coding = str_trim(headers_get_name(&p->answer.headers, S("Content-Encoding")));

	if (!str_eq_nocase(coding, S("identity")))
		body->coding = str_dup(p->x->arena, coding);
	return body;
}

void counters_answer(const Counters *counters, Subject *s, const Passage *p, CounterTrip *trip)
{
	counters_drop(trip);
	*trip = (CounterTrip){ .measured = (1u << counters->count) - 1 };
	for (size_t i = 0; i < counters->count; i++) {
		const Counter *counter = &counters->at[i];

		if (counter->header.len &&
		    header_counts(counter, headers_get_name(&p->answer.headers, counter->header)))
			trip->with |= 1u << i;
	}
	if (!counters->fields)
		return;
	if (says_nothing(p) || !is_wanted(s))
		trip->measured &= ~counters->fields;
	else if (p->answer.body != HTTP_BODY_NONE)
		trip->body = body_new(p);
}

void counters_piece(const Passage *p, CounterTrip *trip, Str piece)
{
	CounterBody *body = trip->body;

	if (!body || body->whole)
		return;
	body->cut = body->cut || body->bytes.len + piece.len > BODY_MAX || !has_room(piece.len);
	if (!body->cut)
		buf_put(&body->bytes, piece);
	else
		free_copy(body);
	body->whole = !piece.len || p->call.read_all;
}

void counters_drop(CounterTrip *trip)
{
	if (trip->body)
		free_copy(trip->body);
	trip->body = NULL;
}

void counters_done(const Counters *counters, Subject *s, const Passage *p, CounterTrip *trip,
                   bool failed, SubjectCounted *counted)
{
	CounterBody *body = trip->body;
	bool unread = false;

	counted->measured = p->answered ? trip->measured : (1u << counters->count) - 1;
	counted->with = p->answered ? trip->with : 0;
	if (body && body->whole && !body->cut && start_job(counters, s, p, body, counted)) {
		trip->body = NULL;
		return;
	}
	if (body && !failed) {
		counted->measured &= ~counters->fields;
		unread = true;
	}
	counters_drop(trip);
	tell(s, counted, unread);
}

/* --- all of them ----------------------------------------------------------------------------------------------------------- */

void counters_begin(void)
{
	if (counting.open)
		return;
	background_init(&counting.background);
	counting.open = true;
}

void counters_end(void)
{
	if (!counting.open)
		return;
	background_await(&counting.background);
	counting.open = false;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Banyan with one more service, `notes`: what the plays of the frame talk to, and the example of docs/guide/services.md. Who asks is
 * whoever says so ("Bearer ann notes:read notes:write"): no example for anything else. */
#include "base/arena.h"
#include "base/time.h"
#include "base/uuid.h"
#include "notes_schema.h"
#include "notes_sql.h"
#include "rt/fiber.h"
#include "service/peer.h"
#include "service/hook.h"
#include "service/service.h"
#include "store/consumer.h"
#include "store/outbox.h"

#include <string.h>

/* --- what is sent and said --------------------------------------------------------------------------------------------- */

typedef enum Mood { MOOD_PLAIN, MOOD_GLAD, MOOD_SAD } Mood;
static const ConfWord moods[] = {
	{ "plain", MOOD_PLAIN, "as always" },
	{ "glad", MOOD_GLAD, "better" },
	{ "sad", MOOD_SAD, "worse" },
	{ 0 },
};

typedef struct Shade {
	int64_t red, green;
} Shade;
static const Field shade_rows[] = {
	{ "red", FIELD_INT, AT(Shade, red), .required = true, .max = 255, .help = "from 0 to 255" },
	{ "green", FIELD_INT, AT(Shade, green), .max = 255, .help = "from 0 to 255" },
};
static const FieldTable shade_fields = { "Shade", FIELD_ROWS(Shade, shade_rows),
	                                 .help = "a colour" };

typedef struct NoteIn {
	Str title;
	bool has_title, has_body, has_mood;
	OptStr body;
	uint8_t mood;
	CONF_LIST_OF(Str) tags;
	CONF_LIST_OF(Shade) shades;
	int64_t due;
	OptUuid of;
	bool has_of;
	const Json *more;
} NoteIn;

static const char *verify_title(Arena *a, Str text)
{
	(void)a;
	return str_find_char(text, '<') < 0 ? NULL : "has a bracket";
}

#define NOTE_ROWS(need) \
	{ \
		"title",           FIELD_STR, AT(NoteIn, title), GIVEN(NoteIn, has_title), \
		.required = need,  .min = 1,  .max = 100,        .verify = verify_title, \
		.help = "one line" \
	}, \
		{ "body",           FIELD_STR,    AT(NoteIn, body), GIVEN(NoteIn, has_body), \
		  .nullable = true, .max = 10000, .controls = true, .help = "the rest" }, \
		{ "mood",         FIELD_ENUM,           AT(NoteIn, mood), GIVEN(NoteIn, has_mood), \
		  .names = moods, .help = "how it felt" }, \
		{ "tags",         FIELD_STR, AT_LIST(NoteIn, tags), \
		  .items_max = 5, .max = 20, .help = "words to find it by" }, \
		{ "shades", FIELD_OBJECT, AT_LIST(NoteIn, shades), .table = &shade_fields, \
		  .help = "colours" }, \
		{ "due", FIELD_TIME, AT(NoteIn, due), .help = "until when" }, \
		{ "of", \
		  FIELD_ID, \
		  AT(NoteIn, of), \
		  GIVEN(NoteIn, has_of), \
		  .nullable = true, \
		  .prefix = "note_", \
		  .help = "what it answers" }, \
		{ "more", FIELD_JSON, AT(NoteIn, more), .help = "anything" },

static const Field new_rows[] = { NOTE_ROWS(true) };
static const FieldTable new_note = { "NewNote", FIELD_ROWS(NoteIn, new_rows),
	                             .help = "a note to keep" };
static const Field change_rows[] = { NOTE_ROWS(false) };
static const FieldTable note_change = { "NoteChange", FIELD_ROWS(NoteIn, change_rows),
	                                .help = "what is to change" };

typedef struct NoteOut {
	Uuid id;
	Str title, body;
	uint8_t mood;
	int64_t version, created_at;
} NoteOut;
static const Field out_rows[] = {
	{ "id", FIELD_ID, AT(NoteOut, id), .required = true, .prefix = "note_", .help = "its id" },
	{ "title", FIELD_STR, AT(NoteOut, title), .required = true, .help = "one line" },
	{ "body", FIELD_STR, AT(NoteOut, body), .max = 10000, .help = "the rest" },
	{ "mood", FIELD_ENUM, AT(NoteOut, mood), .names = moods, .help = "how it felt" },
	{ "version", FIELD_INT, AT(NoteOut, version), .help = "how often it changed" },
	{ "created_at", FIELD_TIME, AT(NoteOut, created_at), .help = "when it was made" },
};
static const FieldTable note_fields = { "Note", FIELD_ROWS(NoteOut, out_rows), .help = "a note" };

static void note_put(JsonWriter *w, Arena *a, const NoteRow *note)
{
	json_begin_object(w);
	json_put_str(w, "id", service_id_text(a, "note_", note->id));
	json_put_str(w, "title", note->title);
	json_put_str(w, "body", note->body);
	json_put_str(w, "mood", str_of(moods[note->mood].name));
	json_put_i64(w, "version", note->version);
	json_key(w, S("created_at"));
	json_add_time(w, note->created_at);
	json_end(w);
}

/* --- handlers ---------------------------------------------------------------------------------------------------------- */

static Err *note_find(ServiceCall *c, Db *db, NoteRow **note)
{
	Uuid id;

	TRY(service_id(c, "id", "note_", &id));
	TRY(db_one(db, c->arena, note_by_id, note, .id = id));
	if (!*note || !str_eq((*note)->owner, c->who.name))
		return err_new(c->arena, ERR_NOT_FOUND, "note.unknown", "there is no such note");
	return NULL;
}

static Err *note_make(ServiceCall *c)
{
	NoteRow *note;

	TRY(note_find(c, c->db, &note));
	service_etag(c, note->version);
	note_put(service_json(c), c->arena, note);
	return NULL;
}

static Str note_key(ServiceCall *c)
{
	return str_fmt(c->arena, "%.*s %.*s", STR_ARG(c->who.name), STR_ARG(service_part(c, "id")));
}

static Err *note_get(ServiceCall *c)
{
	return service_cached(c, note_key(c), note_make);
}

static Err *notes_list(ServiceCall *c)
{
	ServicePage page;
	JsonWriter *w;
	NoteRow *notes;
	size_t count;

	TRY(service_page(c, &page));
	TRY(db_all(c->db, c->arena, notes_after, &notes, &count, .owner = c->who.name,
	           .after = page.after_id, .most = (int64_t)page.limit + 1));
	w = service_page_begin(c, &page, count);
	for (size_t i = 0; i < page.shown; i++)
		note_put(w, c->arena, &notes[i]);
	service_page_end(c, &page,
	                 page.shown ? service_page_key(c->arena, notes[page.shown - 1].id) : S(""));
	return NULL;
}

/* What webhooks carry. */
static Err *note_told(Db *tx, Arena *a, const void *arg, Str *out)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);

	(void)tx;
	json_begin_object(&w);
	json_put_str(&w, "type", S("note.added"));
	json_key(&w, S("data"));
	note_put(&w, a, arg);
	json_end(&w);
	*out = str_dup(a, buf_str(&b));
	return NULL;
}

static Err *add(ServiceCall *c, Db *tx, void *arg)
{
	const NoteIn *in = c->in;
	NoteRow note = { .id = uuid_new(),
		         .owner = c->who.name,
		         .title = in->title,
		         .body = in->body.v,
		         .mood = in->mood,
		         .version = 1,
		         .created_at = time_utc_us() };

	(void)arg;
	TRY(db_exec_with(tx, c->arena, note_add, &note, NULL));
	TRY(outbox_put(tx, c->arena,
	               &(Event){ .type = S("note.added"),
	                         .aggregate_type = S("note"),
	                         .aggregate_id = uuid_text(c->arena, note.id),
	                         .traceparent = c->traceparent },
	               NULL));
	TRY(hook_tell(tx, c->arena,
	              &(HookEvent){ .id = uuid_text(c->arena, note.id),
	                            .type = S("note.added"),
	                            .traceparent = c->traceparent,
	                            .body = note_told,
	                            .arg = &note }));
	service_etag(c, note.version);
	service_say_header(c, "Location",
	                   str_fmt(c->arena, "/v1/notes/%.*s",
	                           STR_ARG(service_id_text(c->arena, "note_", note.id))));
	note_put(service_json(c), c->arena, &note);
	return NULL;
}

static Err *note_post(ServiceCall *c)
{
	const NoteIn *in = c->in;

	if (str_eq(in->title, in->body.v))
		service_mistake(c, "/body", "invalid", "body says the same as title");
	TRY(service_mistakes(c));
	return service_effect(c, DB_READ_COMMITTED, add, NULL);
}

static Err *change(ServiceCall *c, Db *tx, void *arg)
{
	const NoteIn *in = c->in;
	NoteRow *note;
	int64_t changed;

	(void)arg;
	TRY(db_lock(tx, c->arena, service_part(c, "id"))); /* who reads it to change it is alone */
	TRY(note_find(c, tx, &note));
	TRY(service_match(c, note->version));
	note->title = in->has_title ? in->title : note->title;
	note->body = in->has_body ? in->body.v : note->body;
	note->mood = in->has_mood ? in->mood : note->mood;
	note->version++;
	TRY(db_exec(tx, c->arena, note_change, &changed, .id = note->id, .title = note->title,
	            .body = note->body, .mood = note->mood, .version = note->version,
	            .before = note->version - 1));
	if (!changed)
		return err_new(c->arena, ERR_PRECONDITION, "request.etag", "it has changed since");
	service_forget(c, note_key(c));
	service_etag(c, note->version);
	note_put(service_json(c), c->arena, note);
	return NULL;
}

static Err *note_patch(ServiceCall *c)
{
	return service_effect(c, DB_READ_COMMITTED, change, NULL);
}

static Err *remove_note(ServiceCall *c, Db *tx, void *arg)
{
	NoteRow *note;

	(void)arg;
	TRY(db_lock(tx, c->arena, service_part(c, "id"))); /* who reads it to change it is alone */
	TRY(note_find(c, tx, &note));
	TRY(service_match(c, note->version));
	service_forget(c, note_key(c));
	return db_exec(tx, c->arena, note_remove, NULL, .id = note->id);
}

static Err *note_delete(ServiceCall *c)
{
	return service_effect(c, DB_READ_COMMITTED, remove_note, NULL);
}

static Err *note_slow(ServiceCall *c)
{
	TRY(fiber_sleep(300 * US_PER_MS));
	json_add_bool(service_json(c), true);
	return NULL;
}

/* Asks another service with a token of ours, and says what it answered. */
static Err *note_peer(ServiceCall *c)
{
	PeerAsk what = { .service = str_z(c->arena, service_part(c, "service")),
		         .target = str_fmt(c->arena, "/v1/%.*s", STR_ARG(service_part(c, "page"))),
		         .traceparent = c->traceparent };
	AskAnswer answer;
	JsonWriter *w;

	TRY(service_peer_call(c->home, c->arena, &what, &answer));
	w = service_json(c);
	json_begin_object(w);
	json_put_i64(w, "status", answer.status);
	json_put_str(w, "body", answer.body);
	json_end(w);
	return NULL;
}

static Err *whoever(ServiceCall *c)
{
	JsonWriter *w;

	TRY(service_need_scope(c, "notes:secret"));
	w = service_json(c);
	json_begin_object(w);
	json_put_str(w, "name", c->who.name);
	json_put_bool(w, "peer", c->who.peer);
	json_put_str(w, "scopes", c->who.scopes);
	json_put_str(w, "traceparent", c->traceparent);
	json_end(w);
	return NULL;
}

typedef struct Found {
	Str word;
	int64_t most;
} Found;
static const Field found_rows[] = {
	{ "word", FIELD_STR, AT(Found, word), .required = true, .min = 2, .max = 20,
	  .help = "what to look for" },
	{ "most", FIELD_INT, AT(Found, most), .min = 1, .max = 9, .help = "how many" },
};
static const FieldTable found_fields = { "Found", FIELD_ROWS(Found, found_rows),
	                                 .help = "a search" };

static Err *notes_count_get(ServiceCall *c)
{
	const Found *in = c->query ? c->query : c->in;
	NotesCountRow *row;
	JsonWriter *w;

	TRY(db_one(c->db, c->arena, notes_count, &row));
	w = service_json(c);
	json_begin_object(w);
	json_put_i64(w, "count", row->count);
	json_put_str(w, "word", in->word);
	json_put_str(w, "address", c->address);
	json_put_str(w, "traceparent", c->traceparent);
	json_put_bool(w, "secure", c->secure);
	json_end(w);
	return NULL;
}

static Err *oauth_fail(ServiceCall *c, const Err *err)
{
	JsonWriter *w = service_json(c);

	json_begin_object(w);
	json_put_str(w, "error", str_of(err->slug));
	json_end(w);
	c->status = 400;
	return NULL;
}

/* "Bearer ann notes:read notes:write", or what every service believes. */
static Err *who(ServiceCall *c, ServiceWho *out)
{
	Str rest = service_header(c, "Authorization"), word, token = service_bearer(c, false);

	if (!rest.len)
		return NULL;
	if (str_starts(token, S("bk_")) || str_find_char(token, '.') >= 0)
		return service_who_token(c, token, out);
	if (!str_split(&rest, ' ', &word) || !str_eq(word, S("Bearer")) ||
	    !str_split(&rest, ' ', &word))
		return err_new(c->arena, ERR_UNAUTHENTICATED, "auth.token", "that token is none");
	*out = (ServiceWho){ .known = true, .name = word, .scopes = rest };
	return NULL;
}

static const ServiceRoute note_routes[] = {
	{ "GET", "/v1/notes", notes_list, .scopes = "notes:read", .answer = &note_fields,
	  .list = true, .tag = "notes", .help = "one's notes, oldest first" },
	{ "POST", "/v1/notes", note_post, .scopes = "notes:write", .body = &new_note,
	  .answer = &note_fields, .status = 201, .idempotent = true, .tag = "notes",
	  .help = "keep a note" },
	{ "GET", "/v1/notes/{id}", note_get, .scopes = "notes:read", .answer = &note_fields,
	  .etag = true, .tag = "notes", .help = "one note" },
	{ "PATCH", "/v1/notes/{id}", note_patch, .scopes = "notes:write", .body = &note_change,
	  .answer = &note_fields, .etag = true, .tag = "notes", .help = "change a note" },
	{ "DELETE", "/v1/notes/{id}", note_delete, .scopes = "notes:write", .etag = true,
	  .tag = "notes", .help = "forget a note" },
	{ "GET", "/v1/notes/count", notes_count_get, .query = &found_fields, .tag = "notes",
	  .help = "how many there are" },
	{ "POST", "/v1/notes:find", notes_count_get, .kind = SERVICE_BODY_FORM,
	  .body = &found_fields, .fail = oauth_fail, .tag = "notes", .help = "look for notes" },
	{ "GET", "/v1/peers/{service}/{page}", note_peer, .tag = "notes",
	  .help = "what another service answers us" },
	{ "GET", "/v1/whoever", whoever, .scopes = "", .tag = "notes", .help = "who asks" },
	{ "GET", "/v1/slow", note_slow, .tag = "notes", .help = "an answer that takes its time" },
};

/* --- the service ------------------------------------------------------------------------------------------------------- */

typedef struct NotesConf {
	int64_t most;
	HookConf webhooks;
} NotesConf;
static ConfKey keys[] = {
	{ "most", CONF_INT, AT(NotesConf, most), .def = "1000", .min = "1",
	  .help = "notes that one may have" },
	{ "webhooks", CONF_OBJECT, AT(NotesConf, webhooks), .help = "who is told of notes" },
};
static const ConfTable notes_conf = { "notes", CONF_ROWS(NotesConf, keys), .help = "notes" };

static const Schema *schema(void)
{
	return &notes_schema;
}

static Err *begin(ServiceHome *home)
{
	const NotesConf *conf = home->conf;

	return hooks_open(home, &conf->webhooks);
}

/* A note for who has just come. */
static Err *welcome(Db *tx, Arena *a, const Event *event, void *arg)
{
	NoteRow note = { .id = event->id,
		         .owner = event->aggregate_id,
		         .title = event->type,
		         .version = 1,
		         .created_at = event->time_us };

	(void)arg;
	return db_exec_with(tx, a, note_add, &note, NULL);
}
static const char *const heard[] = { "user.registered" };
static const ServiceConsumer consumers[] = {
	{ "notes.welcome", "user", heard, 1, welcome },
};

static Err *check_versions(const ServiceHome *home, Db *db, Arena *a, ServiceFinding *found)
{
	NotesOddRow *rows;
	size_t count;

	(void)home;
	TRY(db_all(db, a, notes_odd, &rows, &count));
	for (size_t i = 0; i < count; i++) {
		found->looked++;
		if (rows[i].version < 1)
			service_wrong(found, "%.*s has version %" PRId64, STR_ARG(rows[i].title),
			              rows[i].version);
	}
	return NULL;
}
static const ServiceCheck checks[] = {
	{ "notes.version", check_versions, "a note has a version of 1 at least" },
};

static const JobKind jobs[] = { HOOK_JOBS };
static const JobSchedule schedules[] = { HOOK_SCHEDULES };

static const Service *notes_service(void)
{
	static ServiceRoutes routes[] = { SERVICE_ROUTES(note_routes), { 0 }, { 0 } };
	static const Service notes = {
		.name = "notes",
		.summary = "what people write down",
		.version = "1.0",
		.conf = &notes_conf,
		.schema = schema,
		.routes = routes,
		.routes_count = COUNT(routes),
		.jobs = jobs,
		.job_count = COUNT(jobs),
		.schedules = schedules,
		.schedule_count = COUNT(schedules),
		.consumers = consumers,
		.consumer_count = COUNT(consumers),
		.checks = checks,
		.check_count = COUNT(checks),
		.keys = true,
		.begin = begin,
		.end = hooks_close,
		.who = who,
	};

	keys[1].table = hook_conf_table();
	routes[1] = hook_endpoint_routes();
	routes[2] = hook_routes();
	return &notes;
}

#define MORE_SERVICES notes_service()
#include "main.c"

/* SPDX-License-Identifier: Apache-2.0
 *
 * Accounts taken in from another system, a batch in a transaction.
 *
 * Before the transaction a row is looked at by itself: is it a user, is the password's format one that a login will be able to
 * check (a row that could only fail later is refused now, by line), is a weak one to be wrapped. In the transaction: is the account
 * there already, by its external id or ours? Then it is left as it is, whatever has become of it since. Else it is put, with its
 * event and line of the audit log, and a name that another account has makes the row fail and no other. So the same file again
 * changes nothing, and a run that was cut goes on when it is run again.
 *
 * A dry run does all of it and rolls each batch back. What two rows of the file have in common it remembers by a hash of 64 bits
 * for each name, for the rows before are not there to be found. */
#include "user/import.h"

#include "auth/text.h"
#include "base/arena.h"
#include "base/hash.h"
#include "base/json.h"
#include "user/account_change.h"
#include "user/import_int.h"

#include <stdlib.h>

enum { BATCH = 50 };

static const char *const outcome_names[] = { [IMPORT_NEW] = "new",
	                                     [IMPORT_SAME] = "same",
	                                     [IMPORT_CHANGED] = "changed",
	                                     [IMPORT_OTHER] = "other",
	                                     [IMPORT_FAILED] = "failed" };
_Static_assert(COUNT(outcome_names) == IMPORT_OUTCOMES, "an outcome without a name");

const char *import_outcome_name(ImportOutcome outcome)
{
	return outcome_names[outcome];
}

void import_put_result(JsonWriter *w, Arena *a, const ImportResult *r)
{
	json_begin_object(w);
	json_put_u64(w, "row", r->number);
	json_put_u64(w, "line", r->line);
	json_put_str(w, "key", r->key);
	json_put_str(w, "outcome", str_of(import_outcome_name(r->outcome)));
	if (!uuid_is_nil(r->user))
		json_put_str(w, "user", account_id_text(a, r->user));
	if (r->outcome != IMPORT_OTHER)
		json_put_str(w, "format", str_of(password_format_name(r->format)));
	if (r->slug)
		json_put_str(w, "code", str_of(r->slug));
	if (r->text.len)
		json_put_str(w, "detail", r->text);
	json_end(w);
}

void import_put_counts(JsonWriter *w, const ImportCounts *c)
{
	json_put_u64(w, "rows", c->rows);
	for (unsigned i = 0; i < IMPORT_OUTCOMES; i++)
		json_put_u64(w, import_outcome_name(i), c->outcomes[i]);
	json_put_u64(w, "left_out", c->left_out);
	json_put_u64(w, "totps", c->totps);
	json_put_u64(w, "weak", c->weak);
	json_key(w, S("formats"));
	json_begin_object(w);
	for (unsigned i = 0; i < PASSWORD_FORMAT_COUNT; i++)
		if (c->formats[i])
			json_put_u64(w, password_format_name(i), c->formats[i]);
	json_end(w);
}

/* --- names of this run ---------------------------------------------------------------------------------------------- */

typedef struct Seen {
	uint64_t *at; /* 0: free */
	size_t count, cap;
} Seen;

static void seen_fini(Seen *seen)
{
	free(seen->at);
}

static bool seen_put(Seen *seen, uint64_t hash)
{
	size_t i = hash & (seen->cap - 1);

	while (seen->at[i] && seen->at[i] != hash)
		i = (i + 1) & (seen->cap - 1);
	if (seen->at[i])
		return true;
	seen->at[i] = hash;
	seen->count++;
	return false;
}

static void seen_grow(Seen *seen)
{
	Seen wider = { .cap = seen->cap ? 2 * seen->cap : 1024 };

	wider.at = calloc(wider.cap, sizeof *wider.at);
	if (!wider.at)
		abort();
	for (size_t i = 0; i < seen->cap; i++)
		if (seen->at[i])
			seen_put(&wider, seen->at[i]);
	free(seen->at);
	*seen = wider;
}

/* Was it there before? Empty names are nobody's. */
static bool seen_before(Seen *seen, Str kind, Str name)
{
	uint64_t hash = hash_stable(name, (uint64_t)(unsigned char)kind.at[0], 7919) | 1;

	if (!name.len)
		return false;
	if (2 * seen->count >= seen->cap)
		seen_grow(seen);
	return seen_put(seen, hash);
}

/* --- a run ---------------------------------------------------------------------------------------------------------- */

typedef struct Item {
	ImportRow *row;
	ImportResult result;
	bool pending; /* to be put */
} Item;

typedef struct Run {
	Accounts *accounts;
	const ImportConf *conf;
	const Asker *asker;
	ImportCounts *counts;
	Seen seen;
	Item items[BATCH];
	size_t count;
	size_t from, to; /* of the transaction */
} Run;

static void run_fini(Run *run)
{
	seen_fini(&run->seen);
}

static void fail(Item *item, const char *slug, Str text)
{
	item->result.outcome = IMPORT_FAILED;
	item->result.slug = slug;
	item->result.text = text;
	item->result.user = (Uuid){ { 0 } };
	item->pending = false;
}

static void note(Arena *a, Item *item, Str text)
{
	Str before = item->result.text;

	item->result.text =
		before.len ? str_fmt(a, "%.*s; %.*s", STR_ARG(before), STR_ARG(text)) : text;
}

static void fail_fields(Arena *a, Item *item, const FieldMistakes *wrong)
{
	Str text = S("");

	for (size_t i = 0; i < wrong->count; i++)
		text = str_fmt(a, "%.*s%s%.*s: %.*s", STR_ARG(text), i ? "; " : "",
		               STR_ARG(wrong->at[i].pointer), STR_ARG(wrong->at[i].text));
	fail(item, "row.field", text);
}

/* --- before the transaction ----------------------------------------------------------------------------------------- */

static uint64_t most_memory(const Run *run)
{
	return run->accounts ? run->accounts->conf->password.most_memory_bytes
	                     : UINT64_C(128) << 20;
}

static void look_at_password(Run *run, Arena *a, Item *item)
{
	PasswordLook look = { .format = PASSWORD_NONE };
	AccountDraft *draft = &item->row->draft;
	Err *err = password_look(a, draft->password, most_memory(run), &look);

	item->result.format = look.format;
	run->counts->formats[look.format]++;
	run->counts->weak += look.weak;
	if (!err)
		return;
	if (!run->conf->no_password) {
		fail(item, "password.format", err->text);
		return;
	}
	draft->password = S("");
	note(a, item, str_fmt(a, "imported without a password: %.*s", STR_ARG(err->text)));
}

static void look_at_email(Run *run, Arena *a, Item *item)
{
	AccountDraft *draft = &item->row->draft;
	TextEmail email;
	Err *err = draft->email.len ? text_email(a, str_trim(draft->email), &email) : NULL;

	if (!err || !run->conf->no_email)
		return;
	draft->email = S("");
	note(a, item, str_fmt(a, "imported without an e-mail address: %.*s", STR_ARG(err->text)));
}

/* Two rows of this file with one name; *which: of what. */
static const char *twice(Run *run, const UserNames *names, bool no_email)
{
	bool email = seen_before(&run->seen, S("e"), names->email_norm);
	bool username = seen_before(&run->seen, S("u"), names->username_norm);

	if (seen_before(&run->seen, S("x"), names->external))
		return "user.external_taken";
	if (username)
		return "user.username_taken";
	return email && !no_email ? "user.email_taken" : NULL;
}

static void look_at_names(Run *run, Arena *a, Item *item)
{
	AccountDraft *draft = &item->row->draft;
	UserNames given = { .email = draft->email,
		            .username = draft->username,
		            .external = draft->external },
		  names;
	FieldMistakes wrong = { .arena = a };
	const char *slug;

	if (!draft->email.len && !draft->username.len) {
		fail(item, "row.nameless",
		     S("the row has neither a username nor an e-mail address"));
		return;
	}
	if (!run->conf->dry_run)
		return;
	names_read(a, &given, false, &names, &wrong);
	slug = twice(run, &names, run->conf->no_email);
	if (wrong.count)
		fail_fields(a, item, &wrong);
	else if (slug)
		fail(item, slug, S("a row before this one has it"));
}

static Err *find_there(Db *db, Arena *a, const AccountDraft *draft, User **there)
{
	*there = NULL;
	if (!uuid_is_nil(draft->id))
		TRY(user_by_id(db, a, draft->id, there));
	if (!*there && draft->external.len)
		TRY(user_by_external(db, a, draft->external, there));
	return NULL;
}

/* Costs a hash: not for what is there already. */
static Err *wrap_weak(Run *run, Arena *a, Item *item)
{
	AccountDraft *draft = &item->row->draft;
	PasswordLook look;
	User *there;

	if (!run->conf->wrap || !run->accounts || !draft->password.len ||
	    item->result.outcome == IMPORT_FAILED)
		return NULL;
	TRY(password_look(a, draft->password, most_memory(run), &look));
	if (!look.weak)
		return NULL;
	TRY(find_there(run->accounts->db, a, draft, &there));
	run->counts->wrapped++;
	if (there || run->conf->dry_run)
		return NULL;
	return password_wrap(run->accounts->pool, a, draft->password, &draft->password);
}

static void look_at_totp(Run *run, Item *item)
{
	const Totp *totp = &item->row->totp;

	if (!item->row->has_totp)
		return;
	if (totp->hash != TOTP_SHA1 || totp->digits != 6 || totp->period_s != 30)
		fail(item, "row.totp",
		     S("an authenticator is taken with SHA-1, 6 digits and 30 seconds only"));
	item->row->draft.totp_secret = totp->secret;
	run->counts->totps++;
}

static Err *look_at(Run *run, Arena *a, Item *item)
{
	const ImportRow *row = item->row;

	item->result = (ImportResult){
		.number = row->number, .line = row->line, .key = row->key, .outcome = IMPORT_NEW
	};
	run->counts->rows++;
	if (row->wrong) {
		fail(item, row->wrong->slug, err_chain(a, row->wrong));
		return NULL;
	}
	if (row->other) {
		item->result.outcome = IMPORT_OTHER;
		item->result.text = row->model;
		return NULL;
	}
	item->pending = true;
	look_at_password(run, a, item);
	look_at_totp(run, item);
	look_at_email(run, a, item);
	if (item->pending)
		look_at_names(run, a, item);
	return item->pending ? wrap_weak(run, a, item) : NULL;
}

/* --- in the transaction --------------------------------------------------------------------------------------------- */

static Err *put_once(Run *run, Db *tx, Arena *a, Item *item, const AccountDraft *draft, bool *taken)
{
	FieldMistakes wrong = { .arena = a };
	Err *err = account_put(run->accounts, tx, a, draft, run->asker, &wrong, &item->result.user);

	*taken = err_is(err, "user.email_taken");
	if (err && err->kind == ERR_CONFLICT && str_starts(str_of(err->slug), S("user."))) {
		fail(item, err->slug, err->text);
		return NULL;
	}
	TRY(err);
	if (wrong.count)
		fail_fields(a, item, &wrong);
	return NULL;
}

static Err *keep_item(Run *run, Db *tx, Arena *a, Item *item, const User *there)
{
	bool changed = false;

	item->result.user = there->id;
	item->result.text = S("");
	if (there->status == USER_ERASED) {
		item->result.outcome = IMPORT_SAME;
		note(a, item, S("it was erased here"));
		return NULL;
	}
	if (run->conf->refresh)
		TRY(import_refresh(tx, a, there, &item->row->draft, run->asker, &changed));
	item->result.outcome = changed ? IMPORT_CHANGED : IMPORT_SAME;
	return NULL;
}

static Err *put_item(Run *run, Db *tx, Arena *a, Item *item)
{
	AccountDraft draft = item->row->draft;
	ImportResult looked = item->result;
	bool taken, erased;
	User *there;

	TRY(find_there(tx, a, &draft, &there));
	if (there)
		return keep_item(run, tx, a, item, there);
	TRY(account_was_erased(tx, a, draft.external, &erased));
	if (erased)
		return keep_item(run, tx, a, item, &(User){ .status = USER_ERASED });
	TRY(put_once(run, tx, a, item, &draft, &taken));
	if (!taken || !run->conf->no_email || !draft.username.len)
		return NULL;
	item->result = looked;
	draft.email = S("");
	note(a, item, S("imported without an e-mail address: another account has it"));
	return put_once(run, tx, a, item, &draft, &taken);
}

static Err dry = ERR_STATIC(CANCELLED, "user.import_dry", "a dry run keeps nothing");

/* May be run again: each item begins as it was looked at. */
static Err *put_items(Db *tx, Arena *a, void *arg)
{
	Run *run = arg;

	for (size_t i = run->from; i < run->to; i++) {
		Item item = run->items[i];

		if (!item.pending)
			continue;
		TRY(put_item(run, tx, a, &item));
		run->items[i].result = item.result;
	}
	return run->conf->dry_run ? &dry : NULL;
}

/* After the commit: answers that are kept of them are old. */
static void forget_changed(const Run *run, Arena *a)
{
	for (size_t i = run->from; i < run->to; i++)
		if (run->items[i].result.outcome == IMPORT_CHANGED)
			accounts_forget(run->accounts, a, run->items[i].result.user);
}

static Err *put_part(Run *run, Arena *a, size_t from, size_t to)
{
	Err *err;

	run->from = from;
	run->to = to;
	err = db_txn(run->accounts->db, a, DB_READ_COMMITTED, put_items, run);
	if (!err)
		forget_changed(run, a);
	return err == &dry ? NULL : err;
}

/* Somebody else made an account meanwhile that has a name of one of these: one at a time, then. */
static Err *put_singly(Run *run, Arena *a)
{
	for (size_t i = 0; i < run->count; i++) {
		Err *err = run->items[i].pending ? put_part(run, a, i, i + 1) : NULL;

		if (err_is(err, "db.unique"))
			fail(&run->items[i], "user.taken",
			     S("another account has one of its names"));
		else
			TRY(err);
	}
	return NULL;
}

static Err *put_batch(Run *run, Arena *a)
{
	Err *err = put_part(run, a, 0, run->count);

	return err_is(err, "db.unique") ? put_singly(run, a) : err;
}

/* --- all of it ------------------------------------------------------------------------------------------------------ */

static Err *read_batch(Run *run, ImportReader *reader, Arena *a)
{
	for (run->count = 0; run->count < BATCH; run->count++) {
		Item *item = &run->items[run->count];

		*item = (Item){ 0 };
		TRY(import_reader_next(reader, a, &item->row));
		if (!item->row)
			return NULL;
		TRY(look_at(run, a, item));
	}
	return NULL;
}

static void tell_batch(const Run *run, ImportTell *tell, void *arg)
{
	for (size_t i = 0; i < run->count; i++) {
		const ImportResult *result = &run->items[i].result;

		run->counts->outcomes[result->outcome]++;
		run->counts->left_out += result->outcome == IMPORT_NEW && result->text.len;
		tell(arg, result);
	}
}

Err *import_run(Accounts *accounts, Arena *errs, const ImportConf *conf, ImportReader *reader,
                const Asker *asker, ImportTell *tell, void *arg, ImportCounts *counts)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(run_fini) Run run = {
		.accounts = accounts, .conf = conf, .asker = asker, .counts = counts
	};
	Err *ended, *err;

	do {
		arena_clear(a);
		ended = read_batch(&run, reader, a);
		err = accounts && run.count ? put_batch(&run, a) : NULL;
		if (err)
			return err_copy(errs, err);
		tell_batch(&run, tell, arg);
	} while (!ended && run.count == BATCH);
	return err_copy(errs, ended);
}

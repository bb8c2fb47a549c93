/* SPDX-License-Identifier: Apache-2.0
 *
 * A fiber on loop 0 has a worker look at the file every two seconds; when it is another (`banyan keys` puts a new one in its
 * place) it is read, and a file that is not in order, or cannot be
 * read, changes nothing until it can. Requests take a reference to the set that counts just
 * then, for as long as they live. */
#include "gateway/auth_api_keys.h"

#include "auth/api_key.h"
#include "base/arena.h"
#include "base/file.h"
#include "base/log.h"
#include "base/time.h"
#include "gateway/auth_int.h"
#include "gateway/auth_jwt.h"
#include "gateway/upstream.h"
#include "rt/work.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

#define LOOK_US (2 * US_PER_S)

typedef struct KeyFile {
	unsigned refs;
	Arena *arena;
	ApiKeySet set;
} KeyFile;

typedef struct Stamp {
	ino_t inode;
	off_t bytes;
	struct timespec written;
} Stamp;

struct ApiKeys {
	unsigned refs; /* atomic */
	ConfHold *hold;
	const ApiKeysConf *conf;
	Str policy;
	pthread_mutex_t lock; /* of `file` */
	KeyFile *file;
	/* of whoever reads it */
	Stamp stamp;
	bool said; /* that it is not in order */
	/* on loop 0 */
	Fiber *fiber;
	bool runs, stop;
};

/* --- the file ----------------------------------------------------------------------------------------------------------- */

static void file_unref(KeyFile *file)
{
	if (file && !__atomic_sub_fetch(&file->refs, 1, __ATOMIC_ACQ_REL))
		arena_free(file->arena);
}

static void file_drop(KeyFile **file)
{
	file_unref(*file);
}

static KeyFile *file_begin(void)
{
	Arena *a = arena_new(0);
	KeyFile *file = ARENA_NEW(a, KeyFile);

	*file = (KeyFile){ .refs = 1, .arena = a };
	return file;
}

static Stamp stamp_of(Str path, Arena *a)
{
	struct stat st;

	if (stat(str_z(a, path), &st) != 0)
		return (Stamp){ 0 };
	return (Stamp){ st.st_ino, st.st_size, st.st_mtim };
}

static bool is_same(const Stamp *x, const Stamp *y)
{
	return x->inode == y->inode && x->bytes == y->bytes &&
	       x->written.tv_sec == y->written.tv_sec && x->written.tv_nsec == y->written.tv_nsec;
}

/* Blocks. */
static Err *read_again(ApiKeys *keys, Arena *a)
{
	AUTO(file_drop) KeyFile *file = file_begin();
	Stamp stamp = stamp_of(keys->conf->file, a);
	KeyFile *before = keys->file;
	Str text = { 0 };

	if (before && is_same(&stamp, &keys->stamp))
		return NULL;
	if (stamp.inode)
		TRY(err_copy(a,
		             file_read(file->arena, keys->conf->file, API_KEYS_FILE_BYTES, &text)));
	TRY(err_copy(a, api_keys_read(file->arena, text, &file->set)));
	pthread_mutex_lock(&keys->lock);
	keys->file = TAKE(file);
	pthread_mutex_unlock(&keys->lock);
	file_unref(before);
	keys->stamp = stamp;
	keys->said = false;
	return NULL;
}

/* --- life --------------------------------------------------------------------------------------------------------------- */

static void keys_drop(ApiKeys **keys)
{
	api_keys_unref(*keys);
}

Err *api_keys_new(Arena *a, ConfHold *hold, const ApiKeysConf *conf, Str policy, ApiKeys **out)
{
	AUTO(keys_drop) ApiKeys *keys = calloc(1, sizeof *keys);

	if (!keys)
		abort();
	*keys = (ApiKeys){ .refs = 1, .hold = conf_hold_ref(hold), .conf = conf, .policy = policy };
	pthread_mutex_init(&keys->lock, NULL);
	TRY(read_again(keys, a));
	*out = TAKE(keys);
	return NULL;
}

void api_keys_unref(ApiKeys *keys)
{
	if (!keys || __atomic_sub_fetch(&keys->refs, 1, __ATOMIC_ACQ_REL))
		return;
	file_unref(keys->file);
	pthread_mutex_destroy(&keys->lock);
	conf_hold_unref(keys->hold);
	free(keys);
}

static void read_work(void *arg)
{
	ApiKeys *keys = arg;
	AUTO(arena_freep) Arena *a = arena_new(0);
	Err *err = read_again(keys, a);

	if (err && !keys->said)
		log_error("policy %.*s: %.*s stays as it was: %.*s", STR_ARG(keys->policy),
		          STR_ARG(keys->conf->file), STR_ARG(err_chain(a, err)));
	keys->said = keys->said || err;
}

static Err *look_for_ever(ApiKeys *keys)
{
	while (!keys->stop) {
		TRY(fiber_sleep(LOOK_US));
		if (work_run(read_work, keys) && fiber_cancelled())
			break;
	}
	return NULL;
}

static void keys_main(void *arg)
{
	ApiKeys *keys = arg;
	Err *end = NULL;

	keys->fiber = fiber_self();
	if (!keys->stop)
		end = look_for_ever(keys);
	(void)end;
	keys->fiber = NULL;
	keys->runs = false;
	api_keys_unref(keys);
}

Err *api_keys_start(ApiKeys *keys)
{
	Err *err;

	keys->stop = false;
	if (keys->runs)
		return NULL;
	__atomic_add_fetch(&keys->refs, 1, __ATOMIC_RELAXED);
	err = fiber_start(keys_main, keys, "api keys");
	if (err)
		api_keys_unref(keys);
	keys->runs = !err;
	return err;
}

void api_keys_stop(ApiKeys *keys)
{
	keys->stop = true;
	if (keys->fiber)
		fiber_cancel(keys->fiber);
}

/* --- the way in --------------------------------------------------------------------------------------------------------- */

static bool is_scheme(const ApiKeysConf *conf, Str word)
{
	for (size_t i = 0; i < conf->scheme.count; i++)
		if (str_eq_nocase(conf->scheme.at[i], word))
			return true;
	return false;
}

static void find_text(const ApiKeysConf *conf, const Headers *headers, Str *text, unsigned *count)
{
	for (uint32_t i = 0; i < headers->count; i++) {
		const Header *h = &headers->at[i];
		Str rest, word;

		if (conf->header.len && str_eq_nocase(h->name, conf->header)) {
			*text = h->value;
			*count += 1;
		} else if (h->id == HTTP_AUTHORIZATION && auth_scheme(h->value, &word, &rest) &&
		           is_scheme(conf, word) && str_starts(rest, S("bk_"))) {
			*text = rest;
			*count += 1;
		}
	}
}

static void let_go(void *file)
{
	file_unref(file);
}

static KeyFile *file_get(ApiKeys *keys)
{
	KeyFile *file;

	pthread_mutex_lock(&keys->lock);
	file = keys->file;
	__atomic_add_fetch(&file->refs, 1, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&keys->lock);
	return file;
}

Err *auth_try_keys(const AuthPolicy *policy, Passage *p, AuthFound *found)
{
	static Err twice =
		ERR_STATIC(UNAUTHENTICATED, "auth.twice", "there are two keys in the request");
	const ApiKeysConf *conf = policy->keys->conf;
	unsigned count = 0;
	const ApiKey *key;
	KeyFile *file;
	Str text;

	find_text(conf, &p->x->request.headers, &text, &count);
	found->there = count > 0;
	found->by = "key";
	if (!found->there)
		return NULL;
	if (count > 1)
		return &twice;
	file = file_get(policy->keys);
	arena_defer(p->x->arena, let_go, file);
	TRY(api_key_find(&file->set, text, time_utc_us(), &key));
	for (size_t i = 0; i < conf->scopes.count; i++)
		if (!api_key_has_scope(key, conf->scopes.at[i]))
			return err_new(p->x->arena, ERR_DENIED, "auth.scope",
			               "the key lacks the scope %.*s", STR_ARG(conf->scopes.at[i]));
	found->claims = key->claims;
	found->id = auth_id(text);
	return NULL;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The copy's text and file. It is written beside, brought to the disk, and put in the place of the one before. */
#include "shift/known.h"

#include "base/arena.h"
#include "base/hash.h"
#include "shift/figures.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HEAD "banyan shift known 1 "

enum { DIGITS = 16, SUBJECTS_MAX = 100000 };

/* Nobody's secret: against disks and editors, not against people. */
static uint64_t sum_of(Str text)
{
	return hash_stable(text, UINT64_C(0x62616e79616e), UINT64_C(0x6b6e6f776e));
}

static void put_hex(Buf *b, uint64_t n)
{
	str_put_hex(buf_room(b, DIGITS), n, DIGITS);
	buf_wrote(b, DIGITS);
}

Str known_store(Arena *a, Str url)
{
	ptrdiff_t at = str_find(url, S("://")), end;
	Str rest = at < 0 ? url : str_sub(url, (size_t)at + 3, url.len);
	Str scheme = at < 0 ? (Str){ 0 } : str_sub(url, 0, (size_t)at);

	end = str_find_char(rest, '?');
	rest = end < 0 ? rest : str_sub(rest, 0, (size_t)end);
	end = str_rfind_char(rest, '@');
	rest = end < 0 ? rest : str_sub(rest, (size_t)end + 1, rest.len);
	return str_fmt(a, "%016" PRIx64,
	               sum_of(str_fmt(a, "%.*s://%.*s", STR_ARG(scheme), STR_ARG(rest))));
}

/* --- writing ------------------------------------------------------------------------------------------------------------- */

static void put_subject(JsonWriter *w, const KnownSubject *s)
{
	json_begin_object(w);
	json_put_str(w, "name", s->name);
	json_put_i64(w, "revision", s->state.revision);
	if (s->halted) {
		json_put_str(w, "halted", s->line);
		json_put_str(w, "by", s->by);
	}
	json_key(w, S("state"));
	shift_state_put(w, &s->state);
	json_end(w);
}

static void put_key(JsonWriter *w, const uint64_t key[2])
{
	AUTO(buf_fini) Buf hex = { 0 };

	put_hex(&hex, key[0]);
	put_hex(&hex, key[1]);
	json_put_str(w, "key", buf_str(&hex));
}

Err *known_put(Buf *out, const Known *known)
{
	AUTO(buf_fini) Buf body = { 0 };
	JsonWriter w = json_writer(&body);
	Str text;

	json_begin_object(&w);
	json_put_str(&w, "store", known->store);
	json_put_i64(&w, "at_us", known->at_us);
	if (known->has_key)
		put_key(&w, known->key);
	json_key(&w, S("subjects"));
	json_begin_array(&w);
	for (size_t i = 0; i < known->count; i++)
		put_subject(&w, &known->at[i]);
	json_end(&w);
	json_end(&w);
	TRY(json_done(&w, &text));
	buf_put(out, S(HEAD));
	put_hex(out, sum_of(text));
	buf_putc(out, '\n');
	buf_put(out, text);
	return NULL;
}

/* --- reading ------------------------------------------------------------------------------------------------------------- */

static bool read_hex(Str text, uint64_t *out)
{
	uint64_t n = 0;

	if (text.len != DIGITS)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
		n = n << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	*out = n;
	return true;
}

static Err *wrong(Arena *a, const char *what)
{
	return err_new(a, ERR_INVALID, "shift.known", "the copy of where moves stand %s", what);
}

static Err *read_subject(Arena *a, const Json *from, KnownSubject *out)
{
	int64_t revision;

	*out = (KnownSubject){ 0 };
	if (!json_to_str(json_get(from, S("name")), &out->name) || !out->name.len ||
	    !figures_get_i64(from, "revision", &revision) || revision < 0)
		return wrong(a, "has a subject without a name or a revision");
	TRY(shift_state_read(a, json_get(from, S("state")), &out->state));
	out->state.revision = revision;
	out->halted = json_to_str(json_get(from, S("halted")), &out->line);
	(void)json_to_str(json_get(from, S("by")), &out->by);
	return NULL;
}

static Err *read_body(Arena *a, const Json *json, Known *out)
{
	const Json *subjects = json_get(json, S("subjects"));
	Str key;

	if (!json_to_str(json_get(json, S("store")), &out->store) ||
	    !figures_get_i64(json, "at_us", &out->at_us) ||
	    json_kind(subjects) != JSON_KIND_ARRAY || json_count(subjects) > SUBJECTS_MAX)
		return wrong(a, "is none");
	if (json_to_str(json_get(json, S("key")), &key))
		out->has_key = read_hex(str_sub(key, 0, DIGITS), &out->key[0]) &&
		               read_hex(str_sub(key, DIGITS, key.len), &out->key[1]);
	out->count = json_count(subjects);
	out->at = ARENA_ARRAY(a, KnownSubject, out->count + 1);
	for (size_t i = 0; i < out->count; i++)
		TRY(read_subject(a, json_at(subjects, i), &out->at[i]));
	return NULL;
}

Err *known_read(Arena *a, Str text, Known *out)
{
	Known known = { 0 };
	const Json *json;
	uint64_t sum;
	Str head;

	if (!str_split(&text, '\n', &head) || !text.at || !str_starts(head, S(HEAD)))
		return wrong(a, "is not one that this release can read");
	if (!read_hex(str_sub(head, sizeof HEAD - 1, head.len), &sum) || sum != sum_of(text))
		return wrong(a, "is damaged: its checksum is another one");
	TRY(json_read(a, text, 0, &json));
	TRY(read_body(a, json, &known));
	*out = known;
	return NULL;
}

/* --- the file ------------------------------------------------------------------------------------------------------------ */

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static Err *file_err(Arena *a, const char *path)
{
	return err_errno(a, errno, "shift.known", "%s could not be written", path);
}

static Err *write_part(Arena *a, const char *part, Str text)
{
	AUTO(close_fd) int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return file_err(a, part);
	while (text.len) {
		ssize_t n = write(fd, text.at, text.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return file_err(a, part);
		text = str_sub(text, (size_t)n, text.len);
	}
	return fsync(fd) == 0 ? NULL : file_err(a, part);
}

static void sync_folder(Arena *a, Str path)
{
	ptrdiff_t slash = str_rfind_char(path, '/');
	const char *folder =
		slash <= 0 ? (slash ? "." : "/") : str_z(a, str_sub(path, 0, (size_t)slash));
	AUTO(close_fd) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		(void)fsync(fd);
}

Err *known_store_file(Arena *a, Str path, Str text)
{
	const char *part = str_z(a, str_fmt(a, "%.*s.%d", STR_ARG(path), (int)getpid()));
	Err *err = write_part(a, part, text);

	if (!err && rename(part, str_z(a, path)) != 0)
		err = file_err(a, str_z(a, path));
	if (err)
		(void)unlink(part);
	else
		sync_folder(a, path);
	return err;
}

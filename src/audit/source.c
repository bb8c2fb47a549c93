/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding the files. Folders are read one after another from a list, not by recursion; entries are sorted, so that two runs tell the same
 * story. What git ignores is git's to say (libgit2); without a repository nothing is ignored but environments and caches. */
#include "audit/source.h"

#include "audit/audit_cache.h"
#include "audit/repo.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/time.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <git2.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXAMPLES = 5 };

static const char *const kinds[] = { [SOURCE_CODE] = "code",
	                             [SOURCE_TEST] = "test",
	                             [SOURCE_MIGRATION] = "migration",
	                             [SOURCE_GENERATED] = "generated",
	                             [SOURCE_VENDORED] = "vendored" };
_Static_assert(COUNT(kinds) == SOURCE_KINDS, "a kind has no name");

static const char *const whys[] = {
	[SKIP_IGNORED] = "in .gitignore",
	[SKIP_EXCLUDED] = "excluded by a rule",
	[SKIP_NOTEBOOK] = "notebooks, which are not read",
	[SKIP_LARGE] = "larger than 8 MiB",
	[SKIP_UNREADABLE] = "could not be read",
	[SKIP_ENCODING] = "neither UTF-8 nor in the coding that they name",
	[SKIP_BINARY] = "hold NUL bytes",
	[SKIP_SYMLINK] = "links to folders, which are not followed",
	[SKIP_ENVIRONMENT] = "virtual environments, packages of npm and caches",
	[SKIP_DEEP] = "deeper than 200 folders",
	[SKIP_MANY] = "beyond the most that is read",
};
_Static_assert(COUNT(whys) == SKIPS, "a reason has no text");

const char *source_kind_name(SourceKind kind)
{
	return kinds[kind];
}

const char *skip_why_text(SkipWhy why)
{
	return whys[why];
}

/* --- patterns ------------------------------------------------------------------------------------------------------------------- */

/* Classic matching with one place to go back to for * and one for **. */
static bool glob(Str path, Str pattern)
{
	size_t p = 0, t = 0, star = SIZE_MAX, star_t = 0, deep = SIZE_MAX, deep_t = 0;

	while (t < path.len) {
		if (p + 1 < pattern.len && pattern.at[p] == '*' && pattern.at[p + 1] == '*') {
			deep = p += 2;
			if (p < pattern.len && pattern.at[p] == '/')
				deep = ++p;
			deep_t = t;
			star = SIZE_MAX;
		} else if (p < pattern.len && pattern.at[p] == '*') {
			star = ++p;
			star_t = t;
		} else if (p < pattern.len && (pattern.at[p] == path.at[t] ||
		                               (pattern.at[p] == '?' && path.at[t] != '/'))) {
			p++;
			t++;
		} else if (star != SIZE_MAX && path.at[star_t] != '/') {
			p = star;
			t = ++star_t;
		} else if (deep != SIZE_MAX) {
			p = deep;
			t = ++deep_t;
			star = SIZE_MAX;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.at[p] == '*')
		p++;
	return p == pattern.len;
}

bool path_matches(Str path, Str pattern)
{
	if (str_ends(pattern, S("/")))
		pattern.len--;
	if (str_find_char(pattern, '/') < 0) {
		Str part;

		while (str_split(&path, '/', &part))
			if (glob(part, pattern))
				return true;
		return false;
	}
	if (str_starts(pattern, S("/")))
		pattern = str_sub(pattern, 1, pattern.len);
	if (glob(path, pattern))
		return true;
	/* A folder's pattern is for all that is in it. */
	for (size_t i = 0; i < path.len; i++)
		if (path.at[i] == '/' && glob(str_sub(path, 0, i), pattern))
			return true;
	return false;
}

/* --- what a path is ---------------------------------------------------------------------------------------------------------------- */

static Str name_of(Str path)
{
	return str_sub(path, (size_t)(str_rfind_char(path, '/') + 1), path.len);
}

static bool has_part(Str path, const Str *parts, size_t count)
{
	Str part;

	while (str_split(&path, '/', &part))
		for (size_t i = 0; i < count; i++)
			if (path.len && str_eq(part, parts[i]))
				return true;
	return false;
}

SourceKind source_kind(Str path)
{
	static const Str vendored[] = { S("vendor"),      S("_vendor"),       S("vendored"),
		                        S("third_party"), S("site-packages"), S("extern") };
	static const Str tests[] = { S("tests"), S("test"), S("testing") };
	static const Str migrations[] = { S("migrations"), S("versions") };
	Str name = name_of(path);

	if (has_part(path, vendored, COUNT(vendored)))
		return SOURCE_VENDORED;
	if (str_ends(name, S("_pb2.py")) || str_ends(name, S("_pb2_grpc.py")))
		return SOURCE_GENERATED;
	if (has_part(path, tests, COUNT(tests)) || str_starts(name, S("test_")) ||
	    str_starts(path, S("tests_")) || str_find(path, S("/tests_")) >= 0 ||
	    str_ends(name, S("_test.py")) || str_eq(name, S("tests.py")) ||
	    str_eq(name, S("conftest.py")))
		return SOURCE_TEST;
	if (has_part(path, migrations, COUNT(migrations)) && name.len > 5 &&
	    !str_eq(name, S("__init__.py")) &&
	    (name.at[0] == '0' || str_find(path, S("alembic")) >= 0 ||
	     str_find(path, S("migrations/versions/")) >= 0))
		return SOURCE_MIGRATION;
	return SOURCE_CODE;
}

/* What keeps versions is no part of any: nothing is said of it. */
static bool is_store(Str name)
{
	return str_eq(name, S(".git")) || str_eq(name, S(".hg")) || str_eq(name, S(".svn"));
}

bool source_is_environment(Str name)
{
	static const Str names[] = { S("node_modules"), S("__pycache__"), S(".venv"),
		                     S("venv"),         S(".tox"),        S(".nox"),
		                     S(".mypy_cache"),  S(".eggs"),       S(".ruff_cache"),
		                     S(".pytest_cache") };

	for (size_t i = 0; i < COUNT(names); i++)
		if (str_eq(name, names[i]))
			return true;
	return false;
}

/* --- the folders ----------------------------------------------------------------------------------------------------------------------- */

typedef struct Entry {
	const char *name;
	unsigned char type; /* DT_REG, ... */
} Entry;

typedef struct Folder {
	Str path; /* "" or "a/b" */
	unsigned depth;
} Folder;

typedef struct Search {
	Arena *a;
	const SourceRules *rules;
	Sources *out;
	git_repository *git;
	Str base;         /* the root as git sees it: "" or "sub/folder/" */
	int64_t begun_ns; /* of the clock on the wall */
	Folder *folders;
	size_t folder_count, folder_room;
	size_t file_room, example_room, beside_room;
} Search;

#define GROW(search, array, count, room) \
	do { \
		if ((count) == (room)) { \
			size_t grown_ = MAX((size_t)64, 2 * (room)); \
			void *new_ = arena_alloc_array((search)->a, sizeof(*(array)), grown_); \
			if (count) \
				memcpy(new_, (array), (count) * sizeof(*(array))); \
			(array) = new_; \
			(room) = grown_; \
		} \
	} while (0)

static void skip(Search *s, Str path, SkipWhy why)
{
	Sources *out = s->out;

	if (out->skipped[why]++ >= EXAMPLES)
		return;
	GROW(s, out->examples, out->example_count, s->example_room);
	out->examples[out->example_count++] = (SkippedPath){ str_dup(s->a, path), why };
}

static void push(Search *s, Str path, unsigned depth)
{
	GROW(s, s->folders, s->folder_count, s->folder_room);
	s->folders[s->folder_count++] = (Folder){ path, depth };
}

static bool is_ignored(const Search *s, Str path, bool folder)
{
	return s->git && !s->rules->all &&
	       repo_ignores(s->git, str_fmt(s->a, "%.*s%.*s%s", STR_ARG(s->base), STR_ARG(path),
	                                    folder ? "/" : "")
	                                    .at);
}

/* Libgit2 would wait at a .gitignore that is a pipe or a terminal: then nothing is ignored. */
static void mistrust(Search *s, Str folder, const char *full)
{
	struct stat about;

	if (!s->git || stat(full, &about) != 0 || S_ISREG(about.st_mode))
		return;
	skip(s, str_fmt(s->a, "%.*s%s.gitignore", STR_ARG(folder), folder.len ? "/" : ""),
	     SKIP_UNREADABLE);
	repo_freep(&s->git);
	s->git = NULL;
}

/* Those of the folders that the root lies in. */
static void mistrust_above(Search *s)
{
	for (size_t i = 0; s->git && i < s->base.len; i++)
		if (!i || s->base.at[i - 1] == '/')
			mistrust(s, S(".."),
			         str_fmt(s->a, "%s%.*s.gitignore", git_repository_workdir(s->git),
			                 (int)i, s->base.at)
			                 .at);
}

static bool is_excluded(const Search *s, Str path)
{
	for (size_t i = 0; i < s->rules->exclude_count; i++)
		if (path_matches(path, s->rules->exclude[i]))
			return true;
	return false;
}

static int64_t nanoseconds(struct timespec t)
{
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void take_file(Search *s, Str path, const struct stat *about)
{
	Sources *out = s->out;

	if (is_excluded(s, path)) {
		skip(s, path, SKIP_EXCLUDED);
	} else if (is_ignored(s, path, false)) {
		skip(s, path, SKIP_IGNORED);
	} else if (about->st_size > SOURCE_BYTES) {
		skip(s, path, SKIP_LARGE);
	} else if (out->count == SOURCE_FILES) {
		skip(s, path, SKIP_MANY);
	} else {
		GROW(s, out->files, out->count, s->file_room);
		out->files[out->count++] = (SourceFile){ .path = path,
			                                 .kind = source_kind(path),
			                                 .bytes = about->st_size,
			                                 .changed_ns = nanoseconds(about->st_mtim),
			                                 .touched_ns = nanoseconds(about->st_ctim),
			                                 .inode = about->st_ino };
	}
}

static void take_folder(Search *s, Str path, Str name, unsigned depth)
{
	if (is_store(name))
		return;
	if (!s->rules->all && source_is_environment(name))
		skip(s, path, SKIP_ENVIRONMENT);
	else if (is_excluded(s, path))
		skip(s, path, SKIP_EXCLUDED);
	else if (is_ignored(s, path, true))
		skip(s, path, SKIP_IGNORED);
	else if (depth >= SOURCE_DEPTH)
		skip(s, path, SKIP_DEEP);
	else
		push(s, path, depth + 1);
}

bool source_is_python(Str name)
{
	return str_ends(name, S(".py")) || str_ends(name, S(".pyw"));
}

/* Opened when something in it is first looked at: most folders of most trees hold no Python. */
typedef struct Place {
	const char *full;
	int fd;
} Place;

static int place_fd(Place *place)
{
	if (place->fd < 0)
		place->fd = open(place->full, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return place->fd;
}

/* What an entry is, links followed; of files that are wanted all that the system knows. False: it is not to be known. */
static bool look(Place *place, const Entry *entry, bool *link, mode_t *mode, struct stat *about)
{
	int fd;

	*link = entry->type == DT_LNK;
	*mode = DTTOIF(entry->type);
	if (entry->type == DT_DIR ||
	    (entry->type == DT_REG && !source_is_python(str_of(entry->name))))
		return true;
	fd = place_fd(place);
	if (fd < 0 || fstatat(fd, entry->name, about, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	*link = S_ISLNK(about->st_mode);
	*mode = about->st_mode;
	if (*link)
		*mode = fstatat(fd, entry->name, about, 0) == 0 ? about->st_mode : 0;
	return true;
}

BesideKind source_beside(Str name)
{
	static const Str templates[] = { S(".html"), S(".htm"),  S(".jinja"), S(".jinja2"),
		                         S(".j2"),   S(".mako"), S(".djhtml") };
	static const Str entries[] = { S(".cfg"),  S(".toml"),    S(".ini"),  S(".yml"),
		                       S(".yaml"), S(".service"), S(".conf"), S(".sh") };
	static const Str starts[] = { S("Procfile"), S("Dockerfile"), S("Makefile"), S("crontab"),
		                      S("Jenkinsfile") };

	for (size_t i = 0; i < COUNT(templates); i++)
		if (str_ends(name, templates[i]))
			return BESIDE_TEMPLATE;
	for (size_t i = 0; i < COUNT(entries); i++)
		if (str_ends(name, entries[i]))
			return BESIDE_ENTRY;
	for (size_t i = 0; i < COUNT(starts); i++)
		if (str_starts(name, starts[i]))
			return BESIDE_ENTRY;
	return str_find_char(name, '.') < 0 ? BESIDE_PROGRAM : BESIDE_NONE;
}

static void take_other(Search *s, const Folder *folder, Str name)
{
	Sources *out = s->out;
	BesideKind kind = source_beside(name);

	out->others++;
	if (kind == BESIDE_NONE || out->beside_count >= BESIDE_FILES)
		return;
	GROW(s, out->beside, out->beside_count, s->beside_room);
	out->beside[out->beside_count++] =
		(BesideFile){ folder->path.len ? str_fmt(s->a, "%.*s/%.*s", STR_ARG(folder->path),
		                                         STR_ARG(name))
		                               : str_dup(s->a, name),
		              kind };
}

static void take(Search *s, const Folder *folder, Place *place, const Entry *entry)
{
	Str name = str_of(entry->name);
	struct stat about = { 0 };
	mode_t mode;
	bool link;
	Str path;

	if (entry->type == DT_REG && !source_is_python(name) && !str_ends(name, S(".ipynb"))) {
		take_other(s, folder, name);
		return;
	}
	path = folder->path.len ? str_fmt(s->a, "%.*s/%s", STR_ARG(folder->path), entry->name)
	                        : str_dup(s->a, name);
	if (!look(place, entry, &link, &mode, &about)) {
		skip(s, path, SKIP_UNREADABLE);
	} else if (S_ISDIR(mode)) {
		if (link)
			skip(s, path, SKIP_SYMLINK);
		else
			take_folder(s, path, name, folder->depth);
	} else if (S_ISREG(mode) && source_is_python(name)) {
		take_file(s, path, &about);
	} else if (S_ISREG(mode) && str_ends(name, S(".ipynb"))) {
		skip(s, path, SKIP_NOTEBOOK);
	} else {
		s->out->others += S_ISREG(mode);
	}
}

static int by_entry(const void *x, const void *y)
{
	return strcmp(((const Entry *)x)->name, ((const Entry *)y)->name);
}

/* In order, so that two runs tell the same story. */
static Entry *read_entries(Search *s, DIR *dir, size_t *count)
{
	const struct dirent *entry;
	Entry *at = NULL;
	size_t room = 0;

	*count = 0;
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		GROW(s, at, *count, room);
		at[(*count)++] = (Entry){ str_z(s->a, str_of(entry->d_name)), entry->d_type };
	}
	if (*count)
		qsort(at, *count, sizeof(*at), by_entry);
	return at;
}

/* A folder in which nothing came, went or got another name since it was last read has the times and the inode that it had then. One that was changed
 * within two seconds before this run could change again and look the same (stamp.c says why): empty, it is not kept. */
static Str folder_key(const Search *s, Str path, const struct stat *about)
{
	const int64_t is[] = { (int64_t)about->st_dev, (int64_t)about->st_ino,
		               nanoseconds(about->st_mtim), nanoseconds(about->st_ctim) };

	if (!s->rules->cache || MAX(is[2], is[3]) >= s->begun_ns - SOURCE_TICK_NS)
		return (Str){ 0 };
	return str_fmt(s->a, "%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %.*s", is[0], is[1],
	               is[2], is[3], STR_ARG(path));
}

/* Of each entry: what it is, a byte; its name; a byte that is zero. */
static void keep_entries(const Search *s, Str key, const Entry *at, size_t count)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (size_t i = 0; i < count; i++) {
		buf_putc(&b, (char)at[i].type);
		buf_put(&b, str_of(at[i].name));
		buf_putc(&b, 0);
	}
	if (!b.broken)
		audit_cache_put(s->rules->cache, "folder", key, buf_str(&b));
}

static Entry *kept_entries(Search *s, Str kept, size_t *count)
{
	Entry *at = NULL;
	size_t room = 0;

	*count = 0;
	while (kept.len > 1) {
		const char *end = memchr(kept.at + 1, 0, kept.len - 1);

		if (!end)
			break;
		GROW(s, at, *count, room);
		at[(*count)++] = (Entry){ kept.at + 1, (unsigned char)kept.at[0] };
		kept = str_sub(kept, (size_t)(end + 1 - kept.at), kept.len);
	}
	return at;
}

/* False: it cannot be read. */
static bool entries_of(Search *s, Str path, const char *full, Entry **at, size_t *count)
{
	struct stat about = { 0 };
	Str key = { 0 }, kept;
	DIR *dir;

	if (stat(full, &about) == 0)
		key = folder_key(s, path, &about);
	if (key.len && audit_cache_find(s->rules->cache, "folder", key, &kept)) {
		*at = kept_entries(s, kept, count);
		return true;
	}
	dir = opendir(full);
	if (!dir)
		return false;
	*at = read_entries(s, dir, count);
	closedir(dir);
	if (key.len)
		keep_entries(s, key, *at, *count);
	return true;
}

static void read_folder(Search *s, Folder folder)
{
	Place place = { .fd = -1 };
	bool environment = false;
	Entry *entries;
	size_t count;

	place.full =
		folder.path.len
			? str_fmt(s->a, "%.*s/%.*s", STR_ARG(s->out->root), STR_ARG(folder.path)).at
			: str_z(s->a, s->out->root);
	if (!entries_of(s, folder.path, place.full, &entries, &count)) {
		skip(s, folder.path, SKIP_UNREADABLE);
		return;
	}
	mistrust(s, folder.path, str_fmt(s->a, "%s/.gitignore", place.full).at);
	for (size_t i = 0; i < count && folder.depth && !s->rules->all; i++)
		environment = environment || strcmp(entries[i].name, "pyvenv.cfg") == 0;
	if (environment)
		skip(s, folder.path, SKIP_ENVIRONMENT);
	else
		for (size_t i = 0; i < count; i++)
			take(s, &folder, &place, &entries[i]);
	if (place.fd >= 0)
		close(place.fd);
}

static int by_path(const void *x, const void *y)
{
	return str_cmp(((const SourceFile *)x)->path, ((const SourceFile *)y)->path);
}

static Err *find_all(Search *s)
{
	struct stat about = { 0 };
	const char *root = str_z(s->a, s->out->root);

	if (stat(root, &about) != 0)
		return err_errno(s->a, errno, "audit.root", "there is no folder %s", root);
	if (!S_ISDIR(about.st_mode))
		return err_new(s->a, ERR_INVALID, "audit.root",
		               "%s is not a folder: name the one that it is in", root);
	s->out->git = repo_open(s->a, s->out->root, &s->git, &s->base, NULL);
	mistrust_above(s);
	if (!s->rules->root_count)
		push(s, S(""), 0);
	for (size_t i = 0; i < s->rules->root_count; i++)
		push(s, s->rules->roots[i], 0);
	while (s->folder_count)
		read_folder(s, s->folders[--s->folder_count]);
	if (s->out->count)
		qsort(s->out->files, s->out->count, sizeof(*s->out->files), by_path);
	return NULL;
}

Err *sources_find(Arena *a, Str root, const SourceRules *rules, Sources *out)
{
	Search s = { .a = a, .rules = rules, .out = out, .begun_ns = time_utc_us() * 1000 };
	Err *err;

	while (root.len > 1 && str_ends(root, S("/")))
		root.len--;
	*out = (Sources){ .root = root };
	err = find_all(&s);
	git_repository_free(s.git);
	return err;
}

/* --- texts -------------------------------------------------------------------------------------------------------------------------------- */

static bool is_utf8(Str text)
{
	uint32_t code;

	while (text.len) {
		size_t bytes = (unsigned char)text.at[0] < 0x80 ? 1 : str_utf8(text, &code);

		if (!bytes)
			return false;
		text = str_sub(text, bytes, text.len);
	}
	return true;
}

/* "coding: latin-1" in a comment of the first two lines (PEP 263); empty: none. */
static Str coding_of(Str text)
{
	for (int line = 0; line < 2 && text.len; line++) {
		Str row, rest;
		ptrdiff_t at;
		size_t len = 0;

		str_split(&text, '\n', &row);
		at = str_find(row, S("coding"));
		if (at < 0 || row.at[0] != '#' || (size_t)at + 6 >= row.len)
			continue;
		rest = str_sub(row, (size_t)at + 6, row.len);
		if (rest.at[0] != ':' && rest.at[0] != '=')
			continue;
		rest = str_trim(str_sub(rest, 1, rest.len));
		while (len < rest.len &&
		       (str_find_char(S("-_."), rest.at[len]) >= 0 || (rest.at[len] | 32) >= 'a' ||
		        (rest.at[len] >= '0' && rest.at[len] <= '9')))
			len++;
		return str_sub(rest, 0, len);
	}
	return S("");
}

static bool is_latin(Str coding)
{
	static const Str names[] = { S("latin-1"),   S("latin1"),      S("iso-8859-1"),
		                     S("iso8859-1"), S("latin_1"),     S("iso-8859-15"),
		                     S("cp1252"),    S("windows-1252") };

	for (size_t i = 0; i < COUNT(names); i++)
		if (str_eq_nocase(coding, names[i]))
			return true;
	return false;
}

/* Where the names of Western codings differ is in a few signs, none of which is syntax. */
static Str from_latin(Arena *a, Str text)
{
	char *at = arena_alloc_raw(a, 2 * text.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c < 0x80) {
			at[len++] = (char)c;
			continue;
		}
		at[len++] = (char)(0xc0 | c >> 6);
		at[len++] = (char)(0x80 | (c & 63));
	}
	return (Str){ at, len };
}

Err *source_bytes(Arena *a, Str root, const SourceFile *file, Str *bytes)
{
	return file_read_plain(a, str_fmt(a, "%.*s/%.*s", STR_ARG(root), STR_ARG(file->path)),
	                       SOURCE_BYTES, bytes);
}

SkipWhy source_decode(Arena *a, Str bytes, Str *text)
{
	*text = bytes;
	if (bytes.len && memchr(bytes.at, 0, bytes.len))
		return SKIP_BINARY;
	if (is_utf8(bytes))
		return SKIPS;
	if (!is_latin(coding_of(bytes)))
		return SKIP_ENCODING;
	*text = from_latin(a, bytes);
	return SKIPS;
}

void source_text(Arena *a, Str root, const SourceFile *file, Str *text, SkipWhy *why)
{
	Str bytes;

	*text = S("");
	*why = source_bytes(a, root, file, &bytes) ? SKIP_UNREADABLE
	                                           : source_decode(a, bytes, text);
}

void source_oid(Str bytes, uint8_t oid[SOURCE_OID])
{
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	char head[32];
	int len = snprintf(head, sizeof(head), "blob %zu", bytes.len);

	/* Cannot fail but for memory, and then it is one name for all: nothing is found under it. */
	memset(oid, 0, SOURCE_OID);
	if (digest && EVP_DigestInit_ex(digest, EVP_sha1(), NULL) == 1 &&
	    EVP_DigestUpdate(digest, head, (size_t)len + 1) == 1 &&
	    EVP_DigestUpdate(digest, bytes.at, bytes.len) == 1)
		EVP_DigestFinal_ex(digest, oid, NULL);
	EVP_MD_CTX_free(digest);
}

bool source_is_generated(Str text)
{
	static const Str marks[] = { S("@generated"),    S("DO NOT EDIT"),   S("Do not edit"),
		                     S("do not edit"),   S("Generated by"),  S("generated by"),
		                     S("Autogenerated"), S("autogenerated"), S("AUTO-GENERATED") };
	Str row;

	for (int line = 0; line < 10 && str_split(&text, '\n', &row); line++) {
		if (!row.len || row.at[0] != '#')
			continue;
		for (size_t i = 0; i < COUNT(marks); i++)
			if (str_find(row, marks[i]) >= 0)
				return true;
	}
	return false;
}

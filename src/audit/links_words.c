/* SPDX-License-Identifier: Apache-2.0
 *
 * Names that stand in other files than *.py: in the tags of templates, in programs that have no ending, and in files that start programs or
 * configure them (entry points, a Procfile, units, crontabs). Only what is between a template's braces counts, as prose is full of words that are functions' names; of the others
 * only what has a dot, a colon or an underscore near it. Bounded in files and bytes; what is beyond is not read, and then nothing is dead for sure,
 * which is said. */
#include "audit/links_int.h"

#include "base/arena.h"
#include "base/file.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

enum { ENTRIES_MOST = 200000, BYTES_EACH = 256 << 10, BYTES_MOST = 64 << 20 };

typedef enum OtherKind { OTHER_NONE, OTHER_TEMPLATE, OTHER_ENTRY, OTHER_SCRIPT } OtherKind;

static OtherKind kind_of(Str name)
{
	static const Str templates[] = { S("*.html"), S("*.htm"),  S("*.jinja"), S("*.jinja2"),
		                         S("*.j2"),   S("*.mako"), S("*.djhtml") };
	static const Str entries[] = { S("setup.cfg"),   S("pyproject.toml"), S("Procfile*"),
		                       S("Dockerfile*"), S("Makefile"),       S("tox.ini"),
		                       S("*.yml"),       S("*.yaml"),         S("*.sh"),
		                       S("*.service"),   S("*.ini"),          S("*.conf"),
		                       S("crontab*"),    S("*.cfg"),          S("Jenkinsfile"),
		                       S("*.toml") };

	for (size_t i = 0; i < COUNT(templates); i++)
		if (name_fits(name, templates[i]))
			return OTHER_TEMPLATE;
	for (size_t i = 0; i < COUNT(entries); i++)
		if (name_fits(name, entries[i]))
			return OTHER_ENTRY;
	return str_find_char(name, '.') < 0 ? OTHER_SCRIPT : OTHER_NONE;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static void add_words(PairTable *to, Str text)
{
	size_t from = 0;
	bool fresh;

	for (size_t i = 0; i <= text.len; i++) {
		if (i < text.len && is_letter(text.at[i]))
			continue;
		if (i > from)
			pair_at(to, link_hash(str_sub(text, from, i)), 0, &fresh);
		from = i + 1;
	}
}

/* Between {{ and }}, {% and %}, ${ and }. */
static void template_words(PairTable *to, Str text)
{
	while (text.len > 2) {
		ptrdiff_t open = str_find_char(text, '{'), close;
		bool code;

		if (open < 0 || (size_t)open + 1 >= text.len)
			return;
		code = text.at[open + 1] == '{' || text.at[open + 1] == '%' ||
		       (open > 0 && text.at[open - 1] == '$');
		text = str_sub(text, (size_t)open + 1, text.len);
		if (!code)
			continue;
		close = str_find_char(text, '}');
		if (close < 0)
			return;
		add_words(to, str_sub(text, 0, (size_t)close));
		text = str_sub(text, (size_t)close, text.len);
	}
}

/* "shop.jobs:nightly", "run_nightly", "python -m shop.jobs": words of what is no prose. */
static void entry_words(PairTable *to, Str text)
{
	size_t from = 0;
	bool code = false;

	for (size_t i = 0; i <= text.len; i++) {
		char c = i < text.len ? text.at[i] : ' ';

		if (is_letter(c) || c == '.' || c == ':' || c == '/') {
			code |= c == '.' || c == ':' || c == '_' || c == '/';
			continue;
		}
		if (i > from && code)
			add_words(to, str_sub(text, from, i));
		from = i + 1;
		code = false;
	}
}

/* A program by its first line: Python's code is all names. */
static void script_words(OtherWords *out, Str text)
{
	ptrdiff_t end = str_find_char(text, '\n');
	Str first = str_sub(text, 0, end < 0 ? text.len : (size_t)end);

	if (str_find(first, S("python")) >= 0)
		add_words(&out->scripts, text);
	else
		entry_words(&out->entries, text);
}

typedef struct Walk {
	Arena *a;
	OtherWords *out;
	Vec folders; /* Str */
	uint64_t entries, bytes;
} Walk;

static void read_one(Walk *w, Str path, OtherKind kind, int64_t size)
{
	Mark mark = arena_mark(w->a);
	Str text;

	if (size <= BYTES_EACH && w->bytes + (uint64_t)size <= BYTES_MOST &&
	    !file_read(w->a, path, BYTES_EACH, &text)) {
		w->bytes += text.len;
		if (kind == OTHER_TEMPLATE)
			template_words(&w->out->templates, text);
		else if (kind == OTHER_ENTRY)
			entry_words(&w->out->entries, text);
		else if (str_starts(text, S("#!")))
			script_words(w->out, text);
	}
	arena_reset(w->a, mark);
}

static bool is_left_out(Str name)
{
	static const Str names[] = { S("node_modules"),  S("venv"),   S("env"),  S("__pycache__"),
		                     S("site-packages"), S("static"), S("media") };

	if (name.len && name.at[0] == '.' && !str_eq(name, S(".github")))
		return true;
	for (size_t i = 0; i < COUNT(names); i++)
		if (str_eq(name, names[i]))
			return true;
	return false;
}

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static void look_into(Walk *w, Str folder)
{
	AUTO(closedirp) DIR *dir = opendir(str_z(w->a, folder));
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)) && w->entries++ < ENTRIES_MOST) {
		Str name = str_of(entry->d_name), path;
		OtherKind kind = kind_of(name);
		struct stat about;

		if (entry->d_type == DT_REG && kind == OTHER_NONE)
			continue;
		if (is_left_out(name))
			continue;
		path = str_fmt(w->a, "%.*s/%.*s", STR_ARG(folder), STR_ARG(name));
		if (lstat(str_z(w->a, path), &about) != 0)
			continue;
		if (S_ISDIR(about.st_mode))
			*(Str *)vec_add(&w->folders, sizeof(Str)) = path;
		else if (S_ISREG(about.st_mode) && kind != OTHER_NONE &&
		         (kind != OTHER_SCRIPT || about.st_mode & S_IXUSR))
			read_one(w, path, kind, about.st_size);
	}
}

void links_words(const Project *project, OtherWords *out)
{
	AUTO(arena_freep) Arena *scratch = arena_new(0);
	Walk w = { .a = scratch, .out = out };

	*(Str *)vec_add(&w.folders, sizeof(Str)) = project->sources.root;
	while (w.folders.count) {
		Str folder = ((Str *)w.folders.at)[--w.folders.count];

		look_into(&w, folder);
	}
	out->cut = w.entries >= ENTRIES_MOST || w.bytes >= BYTES_MOST;
	vec_fini(&w.folders);
}

void links_words_fini(OtherWords *words)
{
	pair_fini(&words->templates);
	pair_fini(&words->entries);
	pair_fini(&words->scripts);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Templates: which files the names in the code stand for, and which templates take in others. Folders called templates or jinja2 beside any
 * Python file are looked through; links are not followed, and files, bytes and depth are bounded. A commit's tree that is read without a
 * checkout has no such folders here: its templates are names only. */
#include "audit/models_join.h"

#include "base/arena.h"
#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { FILES_MOST = 20000, FILE_BYTES = 1 << 20, BYTES_MOST = 64 << 20, DEPTH_MOST = 24 };

typedef struct Folder {
	Str path, name; /* from the root; what names begin with */
	uint32_t depth;
} Folder;

typedef struct Templating {
	Join *j;
	Map at; /* name: template and 1 */
	Map folders;
	Folder *ahead;
	uint32_t ahead_count, files;
	size_t bytes;
} Templating;

static AppTemplate *named(Templating *t, Str name)
{
	Models *m = t->j->m;
	void *known = map_get(&t->at, name);

	if (known)
		return &m->templates[(uintptr_t)known - 1];
	*TAKE_ADD(t->j->a, m->templates, m->template_count) =
		(AppTemplate){ .name = name, .first = { MODEL_NONE, 0, UNIT_NONE } };
	map_put(&t->at, name, (void *)(uintptr_t)m->template_count);
	return &m->templates[m->template_count - 1];
}

/* {% extends "a.html" %}, {% include 'b.html' %}, {% import, {% from: the text after the word. */
static void scan(Templating *t, Str text)
{
	static const char *const words[] = { "extends", "include", "import", "from" };

	for (size_t at = 0; at + 2 < text.len; at++) {
		const char *found = memchr(text.at + at, '{', text.len - at);
		Str rest;

		if (!found)
			return;
		at = (size_t)(found - text.at);
		rest = str_sub(text, at + 2, MIN(text.len, at + 300));
		if (at + 1 >= text.len || text.at[at + 1] != '%')
			continue;
		while (rest.len && (rest.at[0] == ' ' || rest.at[0] == '-'))
			rest = str_sub(rest, 1, rest.len);
		for (size_t i = 0; i < COUNT(words); i++) {
			Str after = str_trim(str_sub(rest, strlen(words[i]), rest.len));
			ptrdiff_t end;

			if (!str_starts(rest, str_of(words[i])) || after.len < 3 ||
			    (after.at[0] != '"' && after.at[0] != '\''))
				continue;
			end = str_find_char(str_sub(after, 1, after.len), after.at[0]);
			if (end > 0)
				named(t, str_dup(t->j->a, str_sub(after, 1, (size_t)end + 1)))
					->included++;
		}
	}
}

static void template_file(Templating *t, Str path, Str name, size_t bytes)
{
	AppTemplate *template = named(t, name);
	Str root = t->j->project->sources.root, text;

	if (!template->path.len)
		template->path = path;
	if (bytes > FILE_BYTES || t->bytes + bytes > BYTES_MOST)
		return;
	t->bytes += bytes;
	if (!file_read(t->j->a, str_fmt(t->j->a, "%.*s/%.*s", STR_ARG(root), STR_ARG(path)),
	               FILE_BYTES, &text))
		scan(t, text);
}

static Str below(Arena *a, Str folder, const char *name)
{
	return folder.len ? str_fmt(a, "%.*s/%s", STR_ARG(folder), name) : str_dup(a, str_of(name));
}

static void read_folder(Templating *t, const Folder *at)
{
	Join *j = t->j;
	DIR *dir = opendir(str_z(j->a, str_fmt(j->a, "%.*s/%.*s", STR_ARG(j->project->sources.root),
	                                       STR_ARG(at->path))));
	const struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir)) && t->files < FILES_MOST) {
		struct stat stat;
		Str path, name;

		if (entry->d_name[0] == '.' ||
		    fstatat(dirfd(dir), entry->d_name, &stat, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		path = below(j->a, at->path, entry->d_name);
		name = below(j->a, at->name, entry->d_name);
		if (S_ISREG(stat.st_mode)) {
			t->files++;
			template_file(t, path, name, (size_t)stat.st_size);
		} else if (S_ISDIR(stat.st_mode) && at->depth < DEPTH_MOST) {
			*TAKE_ADD(j->a, t->ahead, t->ahead_count) =
				(Folder){ path, name, at->depth + 1 };
		}
	}
	closedir(dir);
}

static void look_beside(Templating *t, Str folder)
{
	static const char *const names[] = { "templates", "jinja2" };

	if (map_put(&t->folders, folder, t))
		return;
	for (size_t i = 0; i < COUNT(names); i++) {
		*TAKE_ADD(t->j->a, t->ahead, t->ahead_count) =
			(Folder){ below(t->j->a, folder, names[i]), S(""), 0 };
		while (t->ahead_count) {
			Folder at = t->ahead[--t->ahead_count];

			read_folder(t, &at);
		}
	}
}

static void used(Templating *t, uint32_t file, const NameFact *fact)
{
	AppTemplate *template = named(t, fact->name);

	template->uses++;
	if (template->first.file == MODEL_NONE)
		template->first = (ModelPlace){ file, fact->line, fact->unit };
}

static void templating_finip(Templating *t)
{
	map_fini(&t->at);
	map_fini(&t->folders);
}

void join_templates(Join *j)
{
	AUTO(templating_finip) Templating t = { .j = j };
	bool any = false;

	for (uint32_t i = 0; i < j->project->count; i++) {
		const FileModels *f = names_facts(j->project, i);

		for (uint32_t k = 0; f && k < f->name_count; k++)
			if (f->names[k].kind == NAME_TEMPLATE) {
				used(&t, i, &f->names[k]);
				any = true;
			}
	}
	for (uint32_t i = 0; any && !j->rules->from && i < j->project->count; i++) {
		Str path = j->project->files[i].path;
		ptrdiff_t slash = str_rfind_char(path, '/');

		look_beside(&t, str_sub(path, 0, slash < 0 ? 0 : (size_t)slash));
		if (!i)
			look_beside(&t, S(""));
	}
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Static files: from a request's path to a file below the route's folder.
 *
 * The path is what the route leaves of it: without `strip_prefix`, or what ** took, or what `rewrite` makes. It is decoded
 * once, name by name; a name that decodes to one with a slash is no name, and names that begin with a dot are not there
 * (.git, .env, .htpasswd), but for /.well-known/, which is meant for everybody. That nothing outside of the folder is
 * reached does not depend on any of this: the kernel sees to it (rt/disk.h).
 *
 * A folder is its index file, at an address that ends in "/"; there are no listings. What is not there is 404, or the
 * fallback of a site that is a single page. */
#include "gateway/files.h"

#include "base/arena.h"
#include "gateway/action.h"
#include "gateway/reply.h"
#include "gateway/template.h"
#include "http/coding.h"

#include <string.h>

static Err none = ERR_STATIC(NOT_FOUND, "gateway.no_file", "there is no such file");
static Err denied = ERR_STATIC(DENIED, "gateway.file_denied", "the file may not be read");
static Err method = ERR_STATIC(METHOD, "gateway.method", "this address takes GET and HEAD only");

/* --- names ---------------------------------------------------------------------------------------------------------- */

static bool is_hidden(Str name, bool first)
{
	return name.len && name.at[0] == '.' && !(first && str_eq(name, S(".well-known")));
}

static bool has_slash_or_zero(Str name)
{
	return str_find_char(name, '/') >= 0 || str_find_char(name, '\0') >= 0;
}

bool files_name(Arena *a, Str path, bool hidden, Str *name)
{
	char *to = arena_alloc_raw(a, path.len + 1);
	Str rest = path, raw, segment;
	size_t len = 0;

	while (str_split(&rest, '/', &raw)) {
		if (url_decode(a, raw, &segment) || has_slash_or_zero(segment) ||
		    (!hidden && is_hidden(segment, !len)))
			return false;
		if (!segment.len && rest.at)
			continue; /* two slashes are one */
		if (segment.len)
			memcpy(to + len, segment.at, segment.len);
		len += segment.len;
		if (rest.at)
			to[len++] = '/';
	}
	to[len] = 0;
	*name = (Str){ to, len };
	return true;
}

/* What the route leaves of the path. */
static Err *route_path(const Passage *p, Str *path)
{
	const RouteConf *conf = p->route->conf;
	Str prefix = conf->strip_prefix;

	*path = p->url.path;
	if (p->state->rewrite)
		return action_rewrite(p, path);
	if (!prefix.len && str_ends(conf->match.path, S("/**")))
		*path = template_rest(&conf->match, p->url.path);
	else if (str_starts(*path, prefix))
		*path = str_sub(*path, prefix.len, path->len);
	return NULL;
}

/* --- looking -------------------------------------------------------------------------------------------------------- */

typedef struct Search {
	Passage *p;
	const FilesConf *conf;
	FileKind kind;
	const File *file;
} Search;

static Err *look(Search *s, Str name)
{
	return files_look(s->p->x->arena, s->conf->dir, name.len ? name : S("."), false, &s->kind,
	                  &s->file);
}

/* Nothing but a file will do. */
static Err *look_for_file(Search *s, Str name)
{
	TRY(look(s, name));
	s->kind = s->kind == FILE_FOLDER ? FILE_NONE : s->kind;
	return NULL;
}

/* *name: of the folder, empty or with a slash at its end. */
static Err *look_for_index(Search *s, Str *name)
{
	Str folder = *name;

	for (size_t i = 0; i < s->conf->index.count && s->kind != FILE_REGULAR; i++) {
		*name = str_fmt(s->p->x->arena, "%.*s%.*s", STR_ARG(folder),
		                STR_ARG(s->conf->index.at[i]));
		TRY(look_for_file(s, *name));
	}
	return NULL;
}

static Err *look_for_fallback(Search *s, Str *name)
{
	if (!s->conf->fallback.len || !files_name(s->p->x->arena, s->conf->fallback, true, name))
		return NULL;
	return look_for_file(s, *name);
}

/* The same address with a slash at its end: what is relative in the index is relative to that. */
static Err *add_slash(Passage *p)
{
	Head head = { .status = 301 };
	Str path = p->url.path;

	while (str_starts(path, S("//")))
		path = str_sub(path, 1, path.len); /* it would be another host */
	headers_add(&head.headers, p->x->arena, S("Location"),
	            str_fmt(p->x->arena, "%.*s/%s%.*s", STR_ARG(path), p->url.query.at ? "?" : "",
	                    STR_ARG(p->url.query)));
	return reply_whole(p, &head, S(""));
}

/* --- compressed forms ----------------------------------------------------------------------------------------------- */

typedef struct Form {
	Str ending, coding;
	uint16_t wanted;
} Form;

/* FILE.br or FILE.gz, if the client wants it more than the file itself and it is not older than that. */
static Err *choose_form(Search *s, Str name, FileAnswer *answer)
{
	Codings codings = http_codings(&s->p->x->request.headers);
	const Form forms[] = { { S(".br"), S("br"), codings.br },
		               { S(".gz"), S("gzip"), codings.gzip } };
	int64_t modified_s = s->file->modified_s;
	unsigned most = codings.identity;
	Arena *a = s->p->x->arena;

	answer->type = s->file->type.type;
	for (size_t i = 0; i < COUNT(forms); i++) {
		const File *form;
		FileKind kind;

		if (!forms[i].wanted || forms[i].wanted < most + (answer->coding.len > 0))
			continue;
		TRY(files_look(a, s->conf->dir,
		               str_fmt(a, "%.*s%.*s", STR_ARG(name), STR_ARG(forms[i].ending)),
		               true, &kind, &form));
		if (kind != FILE_REGULAR || form->modified_s < modified_s)
			continue;
		most = forms[i].wanted;
		answer->coding = forms[i].coding;
		s->file = form;
	}
	return NULL;
}

static Err *give(Search *s, Str name)
{
	FileAnswer answer = { .status = 200, .cache = s->conf->cache };

	if (s->conf->precompressed && !s->file->type.packed) {
		answer.varies = true;
		TRY(choose_form(s, name, &answer));
	}
	answer.file = s->file;
	return files_answer(s->p, &answer);
}

/* A folder's address without its slash leads to the one with it, when something stands for a folder at all. Where the
 * route has an upstream too only a folder with an index counts: /admin may well be a page of the application, though the
 * static files have a folder of that name. */
static Err *look_into_folder(Search *s, Str name)
{
	Str index = str_fmt(s->p->x->arena, "%.*s/", STR_ARG(name));
	bool leads = s->conf->index.count > 0;

	if (leads && s->p->route->conf->upstream) {
		TRY(look_for_index(s, &index));
		leads = s->kind == FILE_REGULAR;
	}
	s->kind = leads ? FILE_FOLDER : FILE_NONE;
	return NULL;
}

static Err *search_and_give(Passage *p, Str path, Str name)
{
	Search s = { .p = p, .conf = &p->route->conf->files };

	if (str_ends(path, S("/"))) {
		TRY(look_for_index(&s, &name));
	} else {
		TRY(look(&s, name));
		if (s.kind == FILE_FOLDER)
			TRY(look_into_folder(&s, name));
		if (s.kind == FILE_FOLDER)
			return add_slash(p);
	}
	if (s.kind == FILE_NONE)
		TRY(look_for_fallback(&s, &name));
	if (s.kind == FILE_REGULAR)
		return give(&s, name);
	return s.kind == FILE_DENIED ? &denied : &none;
}

Err *action_files(Passage *p)
{
	Str path, name;

	if (!str_eq(p->x->request.method, S("GET")) && !str_eq(p->x->request.method, S("HEAD"))) {
		p->allow = S("GET, HEAD");
		return &method;
	}
	TRY(route_path(p, &path));
	if (!files_name(p->x->arena, path, false, &name))
		return &none;
	return search_and_give(p, path, name);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Files in an upstream's name. The application decides who may have a file and says so in a header; its worker is free
 * again before the first byte leaves, and ranges, conditions and large files are the gateway's business.
 *
 * X-Accel-Redirect (nginx) is a path of an address, escaped, whose start stands for the folder; X-Sendfile (Apache,
 * lighttpd) is a path on the disk, which libraries escape or not. Either way only what lies below `sendfile.dir` is given,
 * and the kernel sees to that when the file is opened. Unlike nginx all of the answer's headers are kept but those that are
 * about its body: an application's security headers belong on its files too.
 *
 * Routes without `sendfile` leave these headers as they are: there may be another server before us that is meant. */
#include "gateway/sendfile.h"

#include "base/arena.h"
#include "gateway/files.h"

enum { DROP_BYTES = 64 << 10 };

static Err outside = ERR_STATIC(INTERNAL, "gateway.sendfile",
                                "the server named a file outside of the folder for such files");
static Err none = ERR_STATIC(NOT_FOUND, "gateway.no_file", "there is no such file");
static Err denied = ERR_STATIC(DENIED, "gateway.file_denied", "the file may not be read");

static Str accel_of(const Passage *p)
{
	return headers_get_name(&p->answer.headers, S("X-Accel-Redirect"));
}

static Str sendfile_of(const Passage *p)
{
	return headers_get_name(&p->answer.headers, S("X-Sendfile"));
}

bool sendfile_is_asked(const Passage *p)
{
	uint16_t status = p->answer.status;

	return p->route->conf->has_sendfile && status >= 200 && status != 204 && status != 304 &&
	       (accel_of(p).len || sendfile_of(p).len);
}

/* --- its name ------------------------------------------------------------------------------------------------------- */

/* What is below `above`: "" or "/x" of "/srv" and "/srv/x"; false: it is not. */
static bool is_below(Str path, Str above, Str *rest)
{
	if (above.len && above.at[above.len - 1] == '/')
		above.len--;
	*rest = str_sub(path, above.len, path.len);
	return str_starts(path, above) && (!rest->len || rest->at[0] == '/');
}

static Err *accel_name(const Passage *p, Str *name)
{
	Str rest = accel_of(p), path, below;

	str_split(&rest, '?', &path);
	if (!is_below(path, p->route->conf->sendfile.prefix, &below) ||
	    !files_name(p->x->arena, below, true, name))
		return &outside;
	return NULL;
}

/* A path on the disk; relative ones are below the folder. */
static Err *sendfile_name(const Passage *p, Str *name)
{
	Arena *a = p->x->arena;
	Str path = sendfile_of(p), decoded, rest;

	if (!url_decode(a, path, &decoded))
		path = decoded;
	if (path.at[0] != '/')
		rest = path;
	else if (!is_below(path, p->route->conf->sendfile.dir, &rest) &&
	         !is_below(path, p->state->sendfile_dir, &rest))
		return &outside;
	while (str_starts(rest, S("/")))
		rest = str_sub(rest, 1, rest.len);
	*name = str_dup(a, rest);
	return NULL;
}

/* --- its headers ---------------------------------------------------------------------------------------------------- */

static bool is_of_body(Str name)
{
	static const Str of_bodies[] = { S("accept-ranges"),  S("content-encoding"),
		                         S("content-length"), S("content-md5"),
		                         S("content-range"),  S("content-type"),
		                         S("digest"),         S("etag"),
		                         S("last-modified"),  S("x-sendfile") };

	for (size_t i = 0; i < COUNT(of_bodies); i++)
		if (str_eq_nocase(name, of_bodies[i]))
			return true;
	return str_eq_nocase(str_sub(name, 0, 8), S("x-accel-"));
}

/* The answer's, which outlive it. */
static Headers headers_of(const Passage *p)
{
	Headers in, out = { 0 };
	Arena *a = p->x->arena;

	forwarded_answer(&p->forwarded, a, &p->answer.headers, &in);
	for (uint32_t i = 0; i < in.count; i++)
		if (!is_of_body(in.at[i].name))
			headers_add(&out, a, str_dup(a, in.at[i].name), str_dup(a, in.at[i].value));
	return out;
}

/* --- the answer ----------------------------------------------------------------------------------------------------- */

/* Its connection can be used again when what there is of a body has been read; most have none. */
static void let_server_go(Passage *p)
{
	AUTO(deadline_end) Deadline idle = deadline_begin(p->times->idle_us);
	size_t dropped = 0;
	Str piece = { 0 };

	if (!p->call.sent_all || p->uploading)
		return;
	do
		dropped += piece.len;
	while (dropped < DROP_BYTES && !call_read(&p->call, &piece) && piece.len);
	call_end(&p->call);
	lease_end(&p->lease);
}

Err *sendfile_answer(Passage *p)
{
	Headers headers = headers_of(p);
	FileAnswer answer = { .status = p->answer.status, .more = &headers };
	FileKind kind;
	Str name;

	answer.type = str_dup(p->x->arena, headers_get(&p->answer.headers, HTTP_CONTENT_TYPE));
	TRY(accel_of(p).len ? accel_name(p, &name) : sendfile_name(p, &name));
	let_server_go(p);
	if (!name.len)
		return &none;
	TRY(files_look(p->x->arena, p->route->conf->sendfile.dir, name, false, &kind,
	               &answer.file));
	if (kind != FILE_REGULAR)
		return kind == FILE_DENIED ? &denied : &none;
	return files_answer(p, &answer);
}

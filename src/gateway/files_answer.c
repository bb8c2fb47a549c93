/* SPDX-License-Identifier: Apache-2.0
 *
 * The answer that a file is: what the client has already, the part it asked for, the head, the bytes.
 *
 * 304 and 412 are decided before ranges, and a range counts only for the very file that If-Range names. Several ranges make
 * a multipart body; its length is known before it begins, so connections stay open and HEAD is told the truth. */
#include "gateway/files.h"

#include "base/arena.h"
#include "base/rand.h"
#include "gateway/reply.h"
#include "http/conditional.h"

static Err failed = ERR_STATIC(PRECONDITION, "gateway.precondition",
                               "the file is not the one that the request was made for");
static Err unsatisfiable =
	ERR_STATIC(RANGE, "gateway.range", "the file has no such range of bytes");

typedef struct Giving {
	Passage *p;
	const FileAnswer *answer;
	Validators validators;
	Str type;
	Range ranges[RANGES_MAX];
	size_t count; /* of ranges; 0: the whole file */
	Str boundary;
} Giving;

static Str range_header(const Giving *g)
{
	const Headers *headers = &g->p->x->request.headers;

	return str_eq(g->p->x->request.method, S("GET")) &&
	                       conditional_range(headers, &g->validators)
	               ? headers_get_name(headers, S("Range"))
	               : (Str){ 0 };
}

static Err *find_ranges(Giving *g)
{
	uint64_t size = g->answer->file->size;
	Str value = range_header(g);
	RangeResult result;

	if (!value.len)
		return NULL;
	result = range_read(value, size, g->ranges, &g->count);
	if (result == RANGE_WHOLE)
		g->count = 0;
	if (result != RANGE_UNSATISFIABLE)
		return NULL;
	g->p->content_range = str_fmt(g->p->x->arena, "bytes */%" PRIu64, size);
	return &unsatisfiable;
}

/* Those of every answer: an upstream's, where it gave some (its date and the id among them), or our own. */
static void add_common_headers(const Giving *g, Headers *headers)
{
	const Headers *more = g->answer->more;

	if (!more) {
		reply_headers(g->p, headers);
		return;
	}
	for (uint32_t i = 0; i < more->count; i++)
		headers_add(headers, g->p->x->arena, more->at[i].name, more->at[i].value);
	passage_change_answer(g->p, headers);
}

/* What is true of this file. */
static void add_headers(const Giving *g, Headers *headers)
{
	Arena *a = g->p->x->arena;
	const FileAnswer *answer = g->answer;

	headers_add(headers, a, S("Last-Modified"), answer->file->modified);
	headers_add(headers, a, S("ETag"), g->validators.etag);
	if (answer->status == 200)
		headers_add(headers, a, S("Accept-Ranges"), S("bytes"));
	if (answer->varies)
		headers_add(headers, a, S("Vary"), S("Accept-Encoding"));
	if (answer->cache.len)
		headers_add(headers, a, S("Cache-Control"), answer->cache);
}

static void add_content_headers(const Giving *g, Headers *headers)
{
	Arena *a = g->p->x->arena;

	if (g->count > 1)
		headers_add(headers, a, S("Content-Type"),
		            str_fmt(a, "multipart/byteranges; boundary=%.*s",
		                    STR_ARG(g->boundary)));
	else
		headers_add(headers, a, S("Content-Type"), g->type);
	if (g->answer->coding.len)
		headers_add(headers, a, S("Content-Encoding"), g->answer->coding);
	if (!g->answer->more)
		headers_add(headers, a, S("X-Content-Type-Options"), S("nosniff"));
}

static Str content_range(const Giving *g, const Range *range)
{
	return str_fmt(g->p->x->arena, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, range->from,
	               range->from + range->count - 1, g->answer->file->size);
}

/* --- bytes ---------------------------------------------------------------------------------------------------------- */

static Err *send_bytes(const Giving *g, uint64_t from, uint64_t count)
{
	const File *file = g->answer->file;

	if (file->fd >= 0)
		return http_send_file(g->p->x, file->fd, from, count);
	return http_write(g->p->x, str_sub(file->content, (size_t)from, (size_t)(from + count)));
}

static Str part_head(const Giving *g, const Range *range)
{
	return str_fmt(g->p->x->arena,
	               "\r\n--%.*s\r\nContent-Type: %.*s\r\nContent-Range: %.*s\r\n\r\n",
	               STR_ARG(g->boundary), STR_ARG(g->type), STR_ARG(content_range(g, range)));
}

static Str last_line(const Giving *g)
{
	return str_fmt(g->p->x->arena, "\r\n--%.*s--\r\n", STR_ARG(g->boundary));
}

static uint64_t parts_length(const Giving *g)
{
	uint64_t length = last_line(g).len;

	for (size_t i = 0; i < g->count; i++)
		length += part_head(g, &g->ranges[i]).len + g->ranges[i].count;
	return length;
}

static Err *send_parts(const Giving *g)
{
	for (size_t i = 0; i < g->count; i++) {
		TRY(http_write(g->p->x, part_head(g, &g->ranges[i])));
		TRY(send_bytes(g, g->ranges[i].from, g->ranges[i].count));
	}
	return http_write(g->p->x, last_line(g));
}

static Err *give(Giving *g)
{
	Exchange *x = g->p->x;
	Head head = { .status = g->answer->status,
		      .body = HTTP_BODY_LENGTH,
		      .content_length = (int64_t)g->answer->file->size };

	if (g->count > 1)
		g->boundary =
			str_fmt(x->arena, "%016" PRIx64 "%016" PRIx64, rand_u64(), rand_u64());
	if (g->count)
		head.status = 206;
	if (g->count == 1)
		head.content_length = (int64_t)g->ranges[0].count;
	else if (g->count)
		head.content_length = (int64_t)parts_length(g);
	add_content_headers(g, &head.headers);
	add_headers(g, &head.headers);
	if (g->count == 1)
		headers_add(&head.headers, x->arena, S("Content-Range"),
		            content_range(g, &g->ranges[0]));
	add_common_headers(g, &head.headers);
	TRY(http_begin(x, &head));
	if (g->count > 1)
		TRY(send_parts(g));
	else if (g->count)
		TRY(send_bytes(g, g->ranges[0].from, g->ranges[0].count));
	else
		TRY(send_bytes(g, 0, g->answer->file->size));
	return http_end(x, NULL);
}

/* --- what the client has already ------------------------------------------------------------------------------------ */

static bool is_get(Str method)
{
	return str_eq(method, S("GET")) || str_eq(method, S("HEAD"));
}

/* Of a compressed form: another tag than the file's own, whatever its time and size. */
static Str tag_of(Arena *a, const FileAnswer *answer)
{
	Str etag = answer->file->etag;

	return answer->coding.len ? str_fmt(a, "%.*s-%.*s\"", (int)etag.len - 1, etag.at,
	                                    STR_ARG(answer->coding))
	                          : etag;
}

static Err *give_nothing(Giving *g)
{
	Head head = { .status = 304, .body = HTTP_BODY_NONE };

	add_headers(g, &head.headers);
	add_common_headers(g, &head.headers);
	return http_begin(g->p->x, &head);
}

Err *files_answer(Passage *p, const FileAnswer *answer)
{
	Giving g = { .p = p,
		     .answer = answer,
		     .validators = { tag_of(p->x->arena, answer), answer->file->modified_s },
		     .type = answer->type.len ? answer->type : answer->file->type.type };

	if (answer->status != 200 || !is_get(p->x->request.method))
		return give(&g);
	switch (conditional_check(&p->x->request.headers, &g.validators)) {
	case CONDITIONAL_SAME:
		return give_nothing(&g);
	case CONDITIONAL_FAILED:
		return &failed;
	case CONDITIONAL_GO:
		break;
	}
	TRY(find_ranges(&g));
	return give(&g);
}
